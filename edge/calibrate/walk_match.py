"""Which tracks were the walker, how far the phone's clock is off, and by how much the camera looks amiss.

The phone is no truth: its error wanders slowly, so that a thousand fixes of ten minutes are worth a
dozen. The fit knows that, and what the mast's own place may be off by.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.calibrate.gpx import Path2d
from edge.calibrate.walk_geometry import ray_residual_m, ray_variance_m2
from edge.calibrate.walk_seen import Seen
from runtime.errors import BorderWatchError

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_HEADINGS_DEG = np.arange(-20.0, 20.5, 1.0)
_COARSE_ROWS = 400
_GATE = 9.0
"""Squared distance in sigmas beyond which an observation speaks of somebody else."""
_LEAST_MATCHED = 8
_LEAST_SHARE = 0.5
_BESIDE_SHARE = 0.3
"""One track may end a little after the next has begun."""
_MOST_ROWS = 500
_ROUNDS = 8
_HEADING_PRIOR_DEG = 30.0
_PITCH_PRIOR_DEG = 10.0
_STEP_RAD, _STEP_M = 1e-6, 1e-3
_SPEED_STEP_S = 2.0
_SMOOTH_S = 10.0
"""How an error of the camera shows is judged along the smoothed track: along the raw one it would go
with the phone's own noise, which would look like knowledge and pull the fit."""
_MOST_STEP = np.array([0.2, 0.05, 5.0, 10.0, 10.0, 1.0])
NAMES = ("heading_deg", "pitch_deg", "offset_s", "east_m", "north_m", "up_m")


class NoMatch(BorderWatchError):
    """No track of the camera goes where the phone went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkRules:
    """What is known before.

    Attributes:
        phone_sigma_m: one sigma of a fix, per axis, as it wanders.
        phone_noise_m: what each fix errs by for itself.
        phone_wander_s: how long such an error lasts.
        phone_bias_m: what stays the whole walk through.
        place_sigma_m: of the mast, per axis.
        height_sigma_m: of the lens above the ground under the walker's feet, and of the feet.
        max_offset_s: the phone's clock is not further off.
        axis_azimuth_deg: of the camera; None takes the middle of what it saw.
    """

    phone_sigma_m: float = 3.0
    phone_noise_m: float = 2.0
    phone_wander_s: float = 60.0
    phone_bias_m: float = 1.0
    place_sigma_m: float = 1.0
    height_sigma_m: float = 0.4
    max_offset_s: float = 60.0
    axis_azimuth_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The walker among what was seen, and how the camera errs.

    Attributes:
        used: (n,) which observations are the walker's.
        tracks: ids of tracks that mostly are.
        others: ids of tracks that are somebody else's.
        heading_deg: the camera's azimuth is too large (clockwise) by so much.
        pitch_deg: its pitch is too high by so much.
        offset_s: phone time is node time plus this.
        covariance: (6, 6) by `NAMES`.
        stretch: residuals are so many times larger than stated, at least 1.
        pitch_told: false where no observation had a depth below the lens.
    """

    used: Flags
    tracks: tuple[str, ...]
    others: tuple[str, ...]
    heading_deg: float
    pitch_deg: float
    offset_s: float
    covariance: Array
    stretch: float
    pitch_told: bool

    @property
    def sigma(self) -> dict[str, float]:
        """One sigma by `NAMES`."""
        return dict(zip(NAMES, map(float, np.sqrt(np.diag(self.covariance))), strict=True))


def match(seen: Seen, path: Path2d, rules: WalkRules) -> Match:
    """Find the walker and fit heading, pitch and the phone's clock.

    Raises:
        NoMatch: no track goes with the phone.
    """
    axis_rad = _axis_rad(seen, rules)
    values = _coarse(seen, path, rules)
    used = np.zeros(len(seen), np.bool_)
    covariance, stretch = np.eye(6), 1.0
    for round_ in range(_ROUNDS):
        before = used
        used = _walkers(seen, path, values, axis_rad, rules, coarse_deg=0.5 if round_ == 0 else 0.1)
        if used.sum() < _LEAST_MATCHED:
            raise NoMatch(
                f"{int(used.sum())} of {len(seen)} observations go where the phone went, at least "
                f"{_LEAST_MATCHED} are needed; is it the right walk, day and camera, and is the "
                f"phone's clock within {rules.max_offset_s:g} s (--max-offset-s)"
            )
        values, covariance, stretch = _fitted(seen.take(used), path, values, axis_rad, rules)
        if round_ > 1 and np.array_equal(before, used):
            break
    scale = np.array([180 / np.pi, 180 / np.pi, 1.0, 1.0, 1.0, 1.0])
    share = np.array(
        [used[seen.track == k].mean() if (seen.track == k).any() else 0.0
         for k in range(len(seen.track_ids))]
    )  # fmt: skip
    return Match(
        used=used,
        tracks=tuple(
            t for t, part in zip(seen.track_ids, share, strict=True) if part >= _LEAST_SHARE
        ),
        others=tuple(
            t for t, part in zip(seen.track_ids, share, strict=True) if part < _LEAST_SHARE
        ),
        heading_deg=float(np.degrees(values[0])),
        pitch_deg=float(np.degrees(values[1])),
        offset_s=float(values[2]),
        covariance=np.asarray(covariance * scale[:, None] * scale, np.float64),
        stretch=stretch,
        pitch_told=bool(np.isfinite(seen.depth_m[used]).any()),
    )


def _axis_rad(seen: Seen, rules: WalkRules) -> float:
    if rules.axis_azimuth_deg is not None:
        return float(np.radians(rules.axis_azimuth_deg))
    angle = np.where(
        seen.placed, np.arctan2(seen.places_m[:, 0], seen.places_m[:, 1]), seen.azimuth_rad
    )
    return float(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean()))


def _coarse(seen: Seen, path: Path2d, rules: WalkRules) -> Array:
    """The heading and clock offset under which most observations go with the phone."""
    some = seen.take(np.unique(np.linspace(0, len(seen) - 1, _COARSE_ROWS).round().astype(np.intp)))
    step_s = 0.5 if rules.max_offset_s <= 120.0 else rules.max_offset_s / 240.0
    count = max(1, round(2 * rules.max_offset_s / step_s)) + 1
    heading_rad = np.radians(_HEADINGS_DEG)
    cos, sin = np.cos(heading_rad)[:, None], np.sin(heading_rad)[:, None]
    east, north = some.places_m[:, 0], some.places_m[:, 1]
    bearing = ~some.placed
    best, found = -1.0, np.zeros(6)
    for offset_s in np.linspace(-rules.max_offset_s, rules.max_offset_s, count):
        truth = path.at(some.t_s + offset_s)
        along, across = _variances(some, truth, rules, coarse_deg=0.5)
        away = np.linalg.norm(truth, axis=1)
        x, y = truth[:, 0] / np.maximum(away, 1e-6), truth[:, 1] / np.maximum(away, 1e-6)
        turned_east, turned_north = cos * east - sin * north, sin * east + cos * north
        angle = some.azimuth_rad - heading_rad[:, None]
        turned_east = np.where(bearing, away * np.sin(angle), turned_east)
        turned_north = np.where(bearing, away * np.cos(angle), turned_north)
        off_east, off_north = turned_east - truth[:, 0], turned_north - truth[:, 1]
        off = (off_east * x + off_north * y) ** 2 / along
        off += (off_east * y - off_north * x) ** 2 / across
        score = np.maximum(0.0, 1.0 - np.nan_to_num(off, nan=np.inf) / _GATE).sum(axis=1)
        # Of equal scores the smaller correction wins.
        score -= 1e-3 * (np.abs(_HEADINGS_DEG) / 20.0 + abs(float(offset_s)) / rules.max_offset_s)
        k = int(np.argmax(score))
        if score[k] > best:
            best = float(score[k])
            found = np.array([heading_rad[k], 0.0, offset_s, 0.0, 0.0, 0.0])
    return found


def _distance2(
    seen: Seen, path: Path2d, values: Array, axis_rad: float, rules: WalkRules, *, coarse_deg: float
) -> Array:
    """(n,) squared distance from the phone in sigmas; infinite in gaps."""
    residual, truth = ray_residual_m(seen, path, values, axis_rad)
    along, across = _variances(seen, truth, rules, coarse_deg=coarse_deg)
    off = residual[:, 0] ** 2 / along + residual[:, 1] ** 2 / across
    return np.where(np.isfinite(off), off, np.inf)


def _variances(
    seen: Seen, truth: Array, rules: WalkRules, *, coarse_deg: float
) -> tuple[Array, Array]:
    """(n,) variances of seen minus phone, along and across the ray.

    Across, the heading under trial stands for the camera's shared error; along, nothing does.
    """
    along, across = ray_variance_m2(seen, truth, own=False)
    _, own_across = ray_variance_m2(seen, truth, own=True)
    phone = rules.phone_sigma_m**2 + rules.phone_noise_m**2 + rules.phone_bias_m**2
    phone += rules.place_sigma_m**2
    turned = (np.radians(coarse_deg) * np.linalg.norm(truth, axis=1)) ** 2
    return along + phone, np.minimum(own_across, across) + phone + turned


def _walkers(
    seen: Seen, path: Path2d, values: Array, axis_rad: float, rules: WalkRules, *, coarse_deg: float
) -> Flags:
    """(n,) which observations are the walker's: near the phone, in a track that mostly is."""
    near = _distance2(seen, path, values, axis_rad, rules, coarse_deg=coarse_deg) < _GATE
    for k in range(len(seen.track_ids)):
        mine = seen.track == k
        # A stranger who crosses the walker's way is near for a moment only.
        if mine.any() and near[mine].mean() < _LEAST_SHARE:
            near[mine] = False
    return _one_at_a_time(seen, np.asarray(near, np.bool_))


def _one_at_a_time(seen: Seen, near: Flags) -> Flags:
    """Nobody is two tracks at once: who is near the phone more often stays, who was beside goes."""
    kept = np.zeros(len(seen), np.bool_)
    taken: set[int] = set()
    counts = [int((near & (seen.track == k)).sum()) for k in range(len(seen.track_ids))]
    for k in np.argsort(counts)[::-1].tolist():
        mine = near & (seen.track == k)
        seconds = set(np.floor(seen.t_s[mine]).astype(int).tolist())
        if len(seconds & taken) <= _BESIDE_SHARE * len(seconds):
            kept |= mine
            taken |= seconds
    return kept


def _fitted(
    seen: Seen, path: Path2d, start: Array, axis_rad: float, rules: WalkRules
) -> tuple[Array, Array, float]:
    """Generalised least squares over heading, pitch, clock and the walk's constant shift."""
    some, smooth = seen.take(_thinned(seen)), path.smoothed(_SMOOTH_S)
    prior = np.array(
        [
            np.radians(_HEADING_PRIOR_DEG),
            np.radians(_PITCH_PRIOR_DEG) if np.isfinite(some.depth_m).any() else 1e-9,
            2.0 * rules.max_offset_s,
            np.hypot(rules.phone_bias_m, rules.place_sigma_m),
            np.hypot(rules.phone_bias_m, rules.place_sigma_m),
            rules.height_sigma_m,
        ]
    )
    values, whitener = start.copy(), None
    information, residual = np.eye(6), np.zeros((len(some), 2))
    gone: Flags = np.zeros(len(some), np.bool_)
    for _ in range(_ROUNDS):
        residual, truth = ray_residual_m(some, path, values, axis_rad)
        gone = np.asarray(~np.isfinite(residual).all(axis=1), np.bool_)
        if whitener is None:
            whitener = _whitener(some, truth, rules)
        jacobian = _jacobian(some, smooth, values, axis_rad)
        residual[gone], jacobian[gone] = 0.0, 0.0
        flat = np.concatenate((residual[:, 0], residual[:, 1]))
        by = np.concatenate((jacobian[:, 0], jacobian[:, 1]))
        white, by_white = whitener(flat), whitener(by)
        information = by_white.T @ by_white + np.diag(prior**-2.0)
        step = np.linalg.solve(information, -by_white.T @ white - values * prior**-2.0)
        values = values + np.clip(step, -_MOST_STEP, _MOST_STEP)
        if np.abs(step[:2]).max() < 1e-7 and abs(step[2]) < 1e-3:
            break
    assert whitener is not None
    cost = float((whitener(np.concatenate((residual[:, 0], residual[:, 1]))) ** 2).sum())
    freedom = 2 * int((~gone).sum()) - int((~some.placed & ~gone).sum()) - len(values)
    stretch = max(1.0, float(np.sqrt(cost / max(freedom, 1))))
    return values, np.asarray(np.linalg.inv(information) * stretch**2, np.float64), stretch


def _thinned(seen: Seen) -> npt.NDArray[np.intp]:
    """At most one row a second, and at most so many in all: a person's sway lasts that long."""
    second = np.floor(seen.t_s).astype(np.int64)
    _, first = np.unique(second, return_index=True)
    if len(first) > _MOST_ROWS:
        first = first[np.linspace(0, len(first) - 1, _MOST_ROWS).round().astype(np.intp)]
    return np.asarray(first, np.intp)


class _Whitener:
    """Multiplies by the inverse root of the errors' covariance."""

    def __init__(self, along: Array, across: Array, wander: Array) -> None:
        count = len(along)
        root = np.zeros((2 * count, 2 * count))
        for start, own in ((0, along), (count, across)):
            part = slice(start, start + count)
            root[part, part] = np.linalg.cholesky(wander + np.diag(own))
        self._root = root

    def __call__(self, values: Array) -> Array:
        return np.asarray(np.linalg.solve(self._root, values), np.float64)


def _whitener(seen: Seen, truth: Array, rules: WalkRules) -> _Whitener:
    along, across = ray_variance_m2(seen, np.nan_to_num(truth, nan=1.0), own=True)
    lag = np.abs(seen.t_s[:, None] - seen.t_s)
    wander = rules.phone_sigma_m**2 * np.exp(-lag / rules.phone_wander_s)
    noise = rules.phone_noise_m**2
    return _Whitener(along + noise, across + noise, wander)


def _jacobian(seen: Seen, path: Path2d, values: Array, axis_rad: float) -> Array:
    """(n, 2, 6) of the residual by `NAMES`, radians and seconds."""
    found = np.zeros((len(seen), 2, 6))
    for k, size in enumerate((_STEP_RAD, _STEP_RAD, _SPEED_STEP_S, _STEP_M, _STEP_M, _STEP_M)):
        step = np.zeros(6)
        step[k] = size
        ahead, _ = ray_residual_m(seen, path, values + step, axis_rad)
        behind, _ = ray_residual_m(seen, path, values - step, axis_rad)
        found[:, :, k] = (ahead - behind) / (2 * size)
    lost = ~np.isfinite(found).all(axis=(1, 2))
    found[lost] = 0.0
    return found
