"""The heading of a drone (or any camera whose pose is told) checked over a mark whose place is known.

Each look gives one direction: where the camera says the mark is, against where it truly is. Looks
from several sides tell an error of the heading from an error of the place: the first turns with the
look, the second does not.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.calibrate.tables import read_rows
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera
from runtime.errors import AskOperator

Array = npt.NDArray[np.float64]

NEEDED = ("lat", "lon", "alt_hae", "azimuth", "pitch", "u", "v")
KNOWN = ("roll", "name", "sigma_px")
_HEADING_PRIOR_DEG = 60.0
_PITCH_PRIOR_DEG = 20.0
_OUTLIER = 4.0
_LEAST_RANGE_M = 5.0
_STEEP = 0.97
"""Nearly overhead a heading moves the mark in the picture, and the azimuth to it means little."""
_STEP = 1e-6
_ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A mark seen once by a camera whose pose was told.

    Attributes:
        name: for people.
        position: of the lens, as told.
        rotation: (3, 3) ENU from camera, as told.
        pixel: where the mark is in the picture.
        sigma_px: of the click.
        hfov_deg: of the zoom then, where it was told; None is the lens as it was given.
    """

    name: str
    position: GeodeticPoint
    rotation: Array
    pixel: tuple[float, float]
    sigma_px: float
    hfov_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadingRules:
    """What is known before, one sigma each.

    Attributes:
        place_sigma_m: of the told places, level; the same for all looks of a flight.
        height_sigma_m: of the told heights.
        jitter_deg: how much heading, pitch and gimbal err from look to look.
        mark_sigma_m: of the mark's place.
    """

    place_sigma_m: float = 1.5
    height_sigma_m: float = 2.0
    jitter_deg: float = 0.3
    mark_sigma_m: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LookError:
    """One look: how far the mark was beside and above where it was expected, in degrees."""

    look: Look
    range_m: float
    across_deg: float
    above_deg: float
    left_deg: float
    used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadingFit:
    """The error of a heading.

    Attributes:
        heading_deg: the told heading is too large (clockwise) by so much.
        sigma_deg: one sigma of that.
        pitch_deg: the told pitch is too high by so much.
        pitch_sigma_deg: one sigma.
        looks: one by one.
        stretch: looks scatter so many times more than stated, at least 1.
        sides_deg: widest angle between two directions of looking.
    """

    heading_deg: float
    sigma_deg: float
    pitch_deg: float
    pitch_sigma_deg: float
    looks: tuple[LookError, ...]
    stretch: float
    sides_deg: float

    def at_m(self, range_m: float) -> tuple[float, float]:
        """How far beside a place at this range is told, and one sigma of that."""
        return (
            range_m * math.tan(math.radians(abs(self.heading_deg))),
            range_m * math.radians(self.sigma_deg),
        )


def read_looks(path: Path, lens: Lens, *, sigma_px: float) -> list[Look]:
    """Read a table of looks: pose of the camera as told, and the mark's pixel.

    Raises:
        AskOperator: names file, line, value and what to do.
    """
    found = []
    for number, row in enumerate(read_rows(path, needed=NEEDED, known=KNOWN), 1):
        roll = row.maybe("roll", -180.0, 180.0)
        click = row.maybe("sigma_px", 0.01, 1000.0)
        found.append(
            Look(
                name=row.text("name") or f"{number}",
                position=GeodeticPoint(
                    lon_deg=row.number("lon", -180.0, 180.0),
                    lat_deg=row.number("lat", -90.0, 90.0),
                    alt_hae_m=row.number("alt_hae", -500.0, 9000.0),
                ),
                rotation=rotation_enu_from_camera(
                    row.number("azimuth", -180.0, 360.0),
                    row.number("pitch", -90.0, 90.0),
                    0.0 if roll is None else roll,
                ),
                pixel=(
                    row.number("u", -0.5, lens.width_px - 0.5),
                    row.number("v", -0.5, lens.height_px - 0.5),
                ),
                sigma_px=sigma_px if click is None else click,
            )
        )
    return found


def fit_heading(
    looks: list[Look], lens: Lens, mark: GeodeticPoint, rules: HeadingRules
) -> HeadingFit:
    """Fit heading and pitch error, with the flight's constant shift of place as an unknown.

    Raises:
        AskOperator: no look that could tell a heading.
    """
    rows = [_Row(look, lens, mark) for look in looks]
    bad = [row for row in rows if row.range_m < _LEAST_RANGE_M or abs(row.expected[2]) > _STEEP]
    if not rows or len(bad) == len(rows):
        raise AskOperator(
            field="looks",
            value=f"{len(rows)} looks, {len(bad)} from above the mark or next to it",
            allowed="looks at the mark from aslant and from some distance",
            next_step="look from 20 m aside or more",
        )
    usable = np.array([row not in bad for row in rows])
    used = usable.copy()
    for _ in range(len(rows)):
        values, covariance, residual, sigma = _solve(rows, used, rules)
        off = np.abs(residual / sigma).max(axis=1)
        scale = max(1.0, float(np.median(off[used])))
        worst = int(np.argmax(np.where(used, off, -1.0)))
        if off[worst] <= _OUTLIER * scale or used.sum() <= 3:
            break
        used[worst] = False
    freedom = 2 * int(used.sum()) - len(values)
    chi2 = float(((residual / sigma)[used] ** 2).sum())
    stretch = max(1.0, math.sqrt(chi2 / freedom)) if freedom > 0 else 1.0
    doubt = np.degrees(np.sqrt(np.diag(covariance))) * stretch
    first = np.array([row.angles_rad(np.zeros(5)) for row in rows])
    return HeadingFit(
        heading_deg=float(np.degrees(values[0])),
        sigma_deg=float(doubt[0]),
        pitch_deg=float(np.degrees(values[1])),
        pitch_sigma_deg=float(doubt[1]),
        looks=tuple(
            LookError(
                look=row.look,
                range_m=row.range_m,
                across_deg=float(np.degrees(first[k, 0])),
                above_deg=float(np.degrees(first[k, 1])),
                left_deg=float(np.degrees(np.hypot(*residual[k]))),
                used=bool(used[k]),
            )
            for k, row in enumerate(rows)
        ),
        stretch=stretch,
        sides_deg=_sides_deg([row.azimuth_rad for row, use in zip(rows, used, strict=True) if use]),
    )


class _Row:
    """One look, ready to be asked for its angles under an error."""

    def __init__(self, look: Look, lens: Lens, mark: GeodeticPoint) -> None:
        self.look = look
        zoomed = lens.zoomed(look.hfov_deg)
        ray, by_pixel = zoomed.rays_and_jacobians(np.array([look.pixel]))
        if not np.isfinite(ray).all():
            raise AskOperator(
                field=f"look {look.name}",
                value=look.pixel,
                allowed="a pixel that the lens reaches",
                next_step="is it the lens of this camera",
            )
        self._seen = look.rotation @ ray[0]
        self._away = EnuFrame(look.position).point_to_enu(mark)
        self.range_m = float(np.linalg.norm(self._away))
        self.expected = self._away / self.range_m
        self.azimuth_rad = math.atan2(self.expected[0], self.expected[1])
        self.sigma_px_rad = look.sigma_px * float(np.linalg.norm(by_pixel[0], ord=2))
        axis = look.rotation[:, 2]
        self._view = math.atan2(axis[0], axis[1])

    def angles_rad(self, values: Array) -> Array:
        """(2,) across (clockwise) and above: the told direction less the true one.

        Args:
            values: heading and pitch error in radians, and the shift east, north, up by which the
                told place is off, in metres.
        """
        heading, pitch = values[:2]
        # Take the errors off the told ray: about the level axis across the view, then upright.
        x, y = math.cos(self._view), -math.sin(self._view)
        right = np.array([x, y, 0.0])
        seen = self._seen - pitch * np.cross(right, self._seen)
        cos, sin = math.cos(heading), math.sin(heading)
        seen = np.array([cos * seen[0] - sin * seen[1], sin * seen[0] + cos * seen[1], seen[2]])
        true = self._away + values[2:]
        flat = math.hypot(true[0], true[1])
        ahead = true / np.linalg.norm(true)
        across = np.array([true[1], -true[0], 0.0]) / max(flat, 1e-9)
        above = np.cross(across, ahead)
        seen = seen / np.linalg.norm(seen)
        depth = float(seen @ ahead)
        return np.array(
            [math.atan2(float(seen @ across), depth), math.atan2(float(seen @ above), depth)]
        )


def _solve(
    rows: list[_Row], used: npt.NDArray[np.bool_], rules: HeadingRules
) -> tuple[Array, Array, Array, Array]:
    """Values, covariance, residuals (n, 2) in radians, and their sigmas (n, 2)."""
    prior = np.array(
        [
            math.radians(_HEADING_PRIOR_DEG),
            math.radians(_PITCH_PRIOR_DEG),
            *[math.hypot(rules.place_sigma_m, rules.mark_sigma_m)] * 2,
            math.hypot(rules.height_sigma_m, rules.mark_sigma_m),
        ]
    )
    own = np.array([math.hypot(row.sigma_px_rad, math.radians(rules.jitter_deg)) for row in rows])
    sigma = np.column_stack((own, own))
    values = np.zeros(5)
    information, residual = np.eye(5), np.zeros((len(rows), 2))
    for _ in range(_ROUNDS):
        residual = np.array([row.angles_rad(values) for row in rows])
        jacobian = np.zeros((len(rows), 2, 5))
        for k in range(5):
            step = np.zeros(5)
            step[k] = _STEP
            ahead = np.array([row.angles_rad(values + step) for row in rows])
            jacobian[:, :, k] = (ahead - residual) / _STEP
        by = (jacobian / sigma[:, :, None])[used].reshape(-1, 5)
        white = (residual / sigma)[used].reshape(-1)
        information = by.T @ by + np.diag(prior**-2.0)
        step = np.linalg.solve(information, -by.T @ white - values * prior**-2.0)
        values = values + step
        if np.abs(step[:2]).max() < 1e-9:
            break
    return values, np.asarray(np.linalg.inv(information), np.float64), residual, sigma


def _sides_deg(azimuths_rad: list[float]) -> float:
    """Widest angle between two directions."""
    angles = np.array(azimuths_rad)
    gap = np.abs((angles[:, None] - angles + np.pi) % (2 * np.pi) - np.pi)
    return float(np.degrees(gap.max())) if len(angles) else 0.0
