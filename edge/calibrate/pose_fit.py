"""The pose of a fixed camera from ground points: robust, with an honest covariance, or a refusal."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.calibrate.points import GroundPoint, PointArrays, arrays
from edge.calibrate.pose_model import (
    Camera,
    PositionPrior,
    Solution,
    angles_deg,
    look,
    solve,
    turn_axes,
)
from edge.calibrate.pose_start import guesses
from geo.lens import Lens
from runtime.errors import AskOperator

Array = npt.NDArray[np.float64]

_OUTLIER_CHI2 = 16.0
"""A point so far off (squared, in its own sigmas, two degrees of freedom) is wrong: 1 in 3,000."""
_BACK_CHI2 = 14.0
_CHI2_MEDIAN = 1.386
_TIE_CHI2 = 9.0
"""Two poses whose costs differ by less than this cannot be told apart."""
_MOST_OUT = 0.4
_LIMITS = {"azimuth_deg": 1.5, "pitch_deg": 1.0, "roll_deg": 2.0, "horizontal_m": 10.0, "up_m": 5.0}
_LEAST_SPREAD = 0.02
_LEAST_RANGE_RATIO = 1.15
PARAMETERS = ("east_m", "north_m", "up_m", "azimuth_deg", "pitch_deg", "roll_deg", "focal_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class PointResidual:
    """What the pose makes of one point.

    Attributes:
        off_px: seen minus predicted, right and down.
        chi2: squared in its own sigmas; two degrees of freedom.
        along_m: how much too far the pose puts it, along the ray over ground; nan above the horizon.
        across_m: how far to the right.
        range_m: level distance from the camera.
        left_out_px: its error under the pose fitted without it; nan where that has no answer.
        left_out_m: the same over ground.
        used: false for an outlier.
    """

    point: GroundPoint
    off_px: tuple[float, float]
    chi2: float
    along_m: float
    across_m: float
    range_m: float
    left_out_px: float
    left_out_m: float
    used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseFit:
    """A pose with everything that is known of its errors.

    Attributes:
        camera: position, rotation and lens.
        covariance: (k, k) by `PARAMETERS`; already stretched by `stretch`.
        stretch: the residuals are so many times larger than stated (at least 1).
        residuals: one per point, in the points' order.
        focal: whether the focal length was fitted.
        held: the survey's word on the position, if given.
    """

    camera: Camera
    covariance: Array
    stretch: float
    residuals: tuple[PointResidual, ...]
    focal: bool
    held: PositionPrior | None

    @property
    def angles_deg(self) -> tuple[float, float, float]:
        """Azimuth, pitch, roll."""
        return angles_deg(self.camera.rotation)

    @property
    def sigma(self) -> dict[str, float]:
        """One sigma by `PARAMETERS`."""
        root = np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        return dict(zip(PARAMETERS, map(float, root), strict=False))

    @property
    def outliers(self) -> tuple[PointResidual, ...]:
        """Points that do not belong to this pose."""
        return tuple(row for row in self.residuals if not row.used)

    @property
    def rms_px(self) -> float:
        """Of the points used, per axis."""
        off = np.array([row.off_px for row in self.residuals if row.used])
        return float(np.sqrt((off**2).mean()))


def fit_pose(
    points: list[GroundPoint],
    lens: Lens,
    prior: PositionPrior | None = None,
    *,
    focal: bool = False,
) -> PoseFit:
    """Fit azimuth, pitch, roll and position (and the focal length) to clicked ground points.

    Args:
        points: marks on the ground with their pixels.
        lens: intrinsics and distortion.
        prior: the lens's surveyed place; without it the place is fitted freely.
        focal: fit one focal length too, for a lens that nobody calibrated.

    Raises:
        AskOperator: the points cannot tell the pose; says why, and what to add.
    """
    least = _least(prior, focal=focal)
    if len(points) < least:
        raise _refuse(
            f"{len(points)} points",
            f"at least {least} here ({'place surveyed' if prior else 'place unknown'}); 8 are good",
            "click more marks, near and far, left and right",
        )
    seen = arrays(points)
    if prior is None:
        _check_ground(seen)
    best = _best(seen, lens, prior, focal=focal)
    best, used = _cleaned(best, seen, prior, focal=focal, least=least)
    _check_range(best.camera, seen.take(used), prior)
    degrees = 2 * int(used.sum()) + (3 if prior else 0) - (7 if focal else 6)
    stretch = max(1.0, float(np.sqrt(best.cost / max(degrees, 1))))
    covariance = _named(best.camera, best.covariance * stretch**2)
    _check_sigma(covariance, best.camera, seen.take(used), focal=focal)
    return PoseFit(
        camera=best.camera,
        covariance=covariance,
        stretch=stretch,
        residuals=tuple(_residuals(points, seen, best, used, prior, focal=focal)),
        focal=focal,
        held=prior,
    )


def _least(prior: PositionPrior | None, *, focal: bool) -> int:
    """Points that leave at least two numbers over, so that a wrong one shows."""
    return (3 if prior else 5) + (1 if focal else 0)


def _refuse(value: str, allowed: str, next_step: str) -> AskOperator:
    return AskOperator(field="points", value=value, allowed=allowed, next_step=next_step)


# --- the fit --------------------------------------------------------------------------------------
def _best(seen: PointArrays, lens: Lens, prior: PositionPrior | None, *, focal: bool) -> Solution:
    """The least cost from the best guesses, unless another pose explains the points as well."""
    found = [
        solve(start, seen, prior, focal=focal, robust=True)
        for start in guesses(seen, lens, prior, threshold_px=30.0 if focal else 8.0)
    ]
    found = sorted(
        (one for one in found if np.isfinite(one.cost) and _sees_ground(one.camera, seen)),
        key=lambda one: one.cost,
    )
    if not found:
        raise _refuse(
            "no pose that sees them",
            "points whose pixels and places belong together",
            "are lat and lon, u and v in the right columns; is it the right lens",
        )
    best = found[0]
    for other in found[1:]:
        if other.cost - best.cost < _TIE_CHI2 and _apart(best, other):
            azimuth, pitch, _ = angles_deg(other.camera.rotation)
            raise _refuse(
                f"two poses explain them equally well (the other: azimuth {azimuth:.1f}, pitch "
                f"{pitch:.1f})",
                "points that leave one answer",
                "add marks nearer and farther, or give the lens's place with --lon --lat --alt-hae-m",
            )
    return best


def _sees_ground(camera: Camera, seen: PointArrays) -> bool:
    """Whether most points lie in front of it."""
    return float((camera.enu(seen) @ camera.rotation[:, 2] > 0).mean()) > 0.5


def _apart(one: Solution, other: Solution) -> bool:
    """Whether two answers differ by more than their own doubt."""
    turned = np.trace(one.camera.rotation.T @ other.camera.rotation)
    angle = float(np.degrees(np.arccos(np.clip((turned - 1) / 2, -1.0, 1.0))))
    doubt = float(np.degrees(np.sqrt(np.trace(one.covariance[3:6, 3:6]))))
    return angle > max(1.0, 4.0 * doubt)


def _cleaned(
    best: Solution, seen: PointArrays, prior: PositionPrior | None, *, focal: bool, least: int
) -> tuple[Solution, npt.NDArray[np.bool_]]:
    """Drop wrong points one by one, take back what fits after all, and fit the rest."""
    used = np.ones(len(seen), np.bool_)
    most_out = int(_MOST_OUT * len(seen))
    # Huber's weights while grave errors are about; without them, the last doubts are settled.
    for robust in (True, False):
        best = solve(best.camera, seen.take(used), prior, focal=focal, robust=robust)
        for _ in range(3 * len(seen)):
            change = _wrong_or_right_after_all(_chi2(best, seen, used, focal=focal), used)
            if change is None:
                break
            used = used.copy()
            used[change] = not used[change]
            if used.sum() < least or (~used).sum() > most_out:
                raise _refuse(
                    f"{int((~used).sum())} of {len(seen)} do not fit together",
                    f"at most {most_out} wrong ones, and {least} that agree",
                    "check places and pixels; is it the lens of this camera, at this zoom",
                )
            best = solve(best.camera, seen.take(used), prior, focal=focal, robust=robust)
    return best, used


def _wrong_or_right_after_all(chi2: Array, used: npt.NDArray[np.bool_]) -> int | None:
    """The point to drop, or else the one to take back; None when all stand where they belong."""
    scale = max(1.0, float(np.median(chi2[used])) / _CHI2_MEDIAN)
    inside, outside = np.where(used, chi2, -1.0), np.where(used, np.inf, chi2)
    if inside.max() > _OUTLIER_CHI2 * scale:
        return int(np.argmax(inside))
    if outside.min() < _BACK_CHI2 * scale:
        return int(np.argmin(outside))
    return None


def _chi2(best: Solution, seen: PointArrays, used: npt.NDArray[np.bool_], *, focal: bool) -> Array:
    """(n,) squared residuals in sigmas, with what the fit itself took out or left open."""
    residual, jacobian, cov = look(best.camera, seen, focal=focal)
    of_fit = jacobian @ best.covariance @ jacobian.transpose(0, 2, 1)
    # A used point pulled the fit towards itself; another one also errs by the fit's doubt.
    spread = cov + np.where(used, -1.0, 1.0)[:, None, None] * of_fit
    spread = spread + np.eye(2) * 1e-3 * np.trace(cov, axis1=1, axis2=2)[:, None, None]
    return np.asarray(
        np.einsum("ni,ni->n", residual, np.linalg.solve(spread, residual[..., None])[..., 0]),
        np.float64,
    )


def _named(camera: Camera, covariance: Array) -> Array:
    """The covariance by `PARAMETERS`: metres, degrees, and a share of the focal length."""
    change = np.eye(len(covariance))
    axes = turn_axes(camera.rotation)
    if abs(float(np.linalg.det(axes))) < 1e-3:
        raise _refuse(
            "a camera that looks straight down",
            "a view at least a little aslant, where azimuth and roll are two things",
            "a camera that looks straight down needs no calibration of this kind",
        )
    change[3:6, 3:6] = np.degrees(np.linalg.inv(axes))
    return np.asarray(change @ covariance @ change.T, np.float64)


# --- refusals -------------------------------------------------------------------------------------
def _check_ground(seen: PointArrays) -> None:
    """Refuse marks on one line when the place is unknown."""
    spread = np.linalg.svd(seen.ecef_m - seen.ecef_m.mean(axis=0), compute_uv=False)
    if spread[1] < _LEAST_SPREAD * spread[0]:
        raise _refuse(
            "all on one line",
            "marks spread over the ground, since the camera could turn about that line",
            "add marks to the left and right of it, or give the lens's place with --lon --lat "
            "--alt-hae-m",
        )


def _check_range(camera: Camera, seen: PointArrays, prior: PositionPrior | None) -> None:
    """Refuse marks at one distance when the place is unknown: height and tilt stand for each other."""
    away = np.linalg.norm(camera.enu(seen)[:, :2], axis=1)
    if prior is None and away.max() < _LEAST_RANGE_RATIO * away.min():
        raise _refuse(
            f"all at one distance ({away.min():.0f} to {away.max():.0f} m)",
            "near and far marks, since height and tilt stand for each other there",
            "add marks at half and at twice that distance, or give the lens's place",
        )


def _check_sigma(covariance: Array, camera: Camera, seen: PointArrays, *, focal: bool) -> None:
    """Refuse a pose that the points leave open, and say which part of it."""
    sigma = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    found = {
        "azimuth_deg": float(sigma[3]),
        "pitch_deg": float(sigma[4]),
        "roll_deg": float(sigma[5]),
        "horizontal_m": float(np.hypot(sigma[0], sigma[1]) / np.sqrt(2)),
        "up_m": float(sigma[2]),
    }
    open_parts = [
        f"{name} only to {found[name]:.2g}" for name, most in _LIMITS.items() if found[name] > most
    ]
    if focal and sigma[6] > 0.05:
        open_parts.append(f"the focal length only to {100 * sigma[6]:.0f} %")
    if not open_parts:
        return
    across = np.ptp(seen.pixels[:, 0]) / camera.lens.width_px
    why = "" if across > 0.3 else f"; they fill {100 * across:.0f} % of the picture's width"
    raise _refuse(
        f"{len(seen)} points that tell {', '.join(open_parts)}{why}",
        ", ".join(f"{name} {most:g}" for name, most in _LIMITS.items()) + " or better",
        "add marks near and far, at the left and right edge of the picture, or give the lens's place",
    )


# --- residuals ------------------------------------------------------------------------------------
def ground_offsets_m(camera: Camera, enu_m: Array, pixels: Array) -> Array:
    """(n, 2) along and across: where the pose puts pixels on the level of points, less the points.

    Along is away from the camera over ground, across to the right; nan for rays that do not come
    down to that level.
    """
    rays = camera.lens.rays(pixels) @ camera.rotation.T
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = enu_m[:, 2] / rays[:, 2]
    reach = np.where(reach > 0, reach, np.nan)
    away = reach[:, None] * rays[:, :2] - enu_m[:, :2]
    level = np.linalg.norm(enu_m[:, :2], axis=1)
    ahead = enu_m[:, :2] / np.maximum(level, 1e-9)[:, None]
    right = np.column_stack((ahead[:, 1], -ahead[:, 0]))
    return np.column_stack(((away * ahead).sum(axis=1), (away * right).sum(axis=1)))


def _residuals(
    points: list[GroundPoint],
    seen: PointArrays,
    best: Solution,
    used: npt.NDArray[np.bool_],
    prior: PositionPrior | None,
    *,
    focal: bool,
) -> list[PointResidual]:
    residual, _, _ = look(best.camera, seen, focal=focal)
    chi2 = _chi2(best, seen, used, focal=focal)
    enu = best.camera.enu(seen)
    ground = ground_offsets_m(best.camera, enu, seen.pixels)
    away = np.linalg.norm(enu[:, :2], axis=1)
    rows = []
    for k, point in enumerate(points):
        left_px, left_m = float(np.linalg.norm(residual[k])), float(np.linalg.norm(ground[k]))
        if used[k]:
            left_px, left_m = _left_out(k, seen, best, used, prior, focal=focal)
        rows.append(
            PointResidual(
                point=point,
                off_px=(float(residual[k, 0]), float(residual[k, 1])),
                chi2=float(chi2[k]),
                along_m=float(ground[k, 0]),
                across_m=float(ground[k, 1]),
                range_m=float(away[k]),
                left_out_px=left_px,
                left_out_m=left_m,
                used=bool(used[k]),
            )
        )
    return rows


def _left_out(
    k: int,
    seen: PointArrays,
    best: Solution,
    used: npt.NDArray[np.bool_],
    prior: PositionPrior | None,
    *,
    focal: bool,
) -> tuple[float, float]:
    """The error at one point of the pose that the others alone give, in pixels and metres."""
    others = used.copy()
    others[k] = False
    if 2 * others.sum() + (3 if prior else 0) < (7 if focal else 6):
        return float("nan"), float("nan")
    without = solve(best.camera, seen.take(others), prior, focal=focal)
    here = seen.take(np.array([k]))
    residual, _, _ = look(without.camera, here, focal=focal)
    ground = ground_offsets_m(without.camera, without.camera.enu(here), here.pixels)
    return float(np.linalg.norm(residual[0])), float(np.linalg.norm(ground[0]))
