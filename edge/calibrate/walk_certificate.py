"""What an acceptance walk proves of a camera: seen how far, how soon, how well placed."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.calibrate.gpx import Path2d
from edge.calibrate.walk_geometry import corrected
from edge.calibrate.walk_match import Match, WalkRules
from edge.calibrate.walk_seen import Seen
from geo.lens import Lens

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DISTANCES_M = (0.0, 25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 400.0, 600.0, 1000.0, math.inf)
HEIGHTS_PX = (0.0, 16.0, 24.0, 32.0, 48.0, 72.0, 110.0, math.inf)
_PERSON_M = 1.65
_SEEN_WITHIN_S = 1.0
_BREAK_S = 5.0
_CHI2_90 = -2.0 * math.log(0.1)
_BEHIND = -1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A fixed camera as its config tells it, to know when the walker was in the picture.

    Attributes:
        lens: of the frames.
        rotation: (3, 3) ENU from camera.
        ground_depth_m: how far the ground lies below the lens.
    """

    lens: Lens
    rotation: Array
    ground_depth_m: float

    def of_person(self, places_m: Array) -> tuple[Flags, Array]:
        """(n,) whether a person there stands in the picture, feet to head, and (n,) the height in px."""
        feet = np.column_stack((places_m, np.full(len(places_m), -self.ground_depth_m)))
        known = np.isfinite(places_m).all(axis=1)
        feet[~known] = (0.0, 0.0, _BEHIND)
        low = self.lens.project(feet @ self.rotation)
        heads = feet + np.array([0.0, 0.0, _PERSON_M])
        high = self.lens.project(heads @ self.rotation)
        inside = self.lens.contains(low) & self.lens.contains(high) & known
        return inside, np.linalg.norm(low - high, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """How often the walker was seen between two distances (or heights in the picture).

    Attributes:
        seconds: in which the walker stood in the picture.
        seen: of those, with an observation of the walker.
        low: lower end of the 95 % interval of the share.
        high: upper end.
    """

    start: float
    end: float
    seconds: int
    seen: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Detection probability."""
        return self.seen / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The walker came into the picture once.

    Attributes:
        t_s: seconds since 1970, by the phone.
        distance_m: where.
        height_px: how tall there.
        stayed_s: how long in the picture.
        delay_s: until the first observation; None where there was none.
    """

    t_s: float
    distance_m: float
    height_px: float
    stayed_s: float
    delay_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Told place less phone place.

    Attributes:
        count: observations.
        east_m: mean.
        north_m: mean.
        along_m: mean, away from the camera.
        across_m: mean, to the right.
        p50_m: half of the distances are below.
        p95_m: 95 in 100 are.
        in_ellipse90: share inside the told 90 % ellipse widened by the phone's error.
    """

    count: int
    east_m: float
    north_m: float
    along_m: float
    across_m: float
    p50_m: float
    p95_m: float
    in_ellipse90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Everything a walk tells; bands and entries are empty where the view is not known."""

    match: Match
    rules: WalkRules
    observations: int
    places: int
    told: Errors | None
    after: Errors | None
    by_distance: tuple[Band, ...]
    by_height: tuple[Band, ...]
    entries: tuple[Entry, ...]
    rows: tuple[tuple[float, float, float, float], ...]
    """Of the walker's places: distance, error along, error across, phone time."""

    @property
    def delays_s(self) -> list[float]:
        """Of the entries that were seen."""
        return [entry.delay_s for entry in self.entries if entry.delay_s is not None]


def certify(
    seen: Seen, path: Path2d, match: Match, rules: WalkRules, view: View | None
) -> Certificate:
    """Work out the certificate of a matched walk."""
    mine = seen.take(match.used & seen.placed)
    truth = path.at(mine.t_s + match.offset_s)
    axis_rad = _axis(seen, rules, match)
    turned = corrected(
        mine, math.radians(match.heading_deg), math.radians(match.pitch_deg), axis_rad
    )
    bands: tuple[tuple[Band, ...], tuple[Band, ...]] = ((), ())
    entries: tuple[Entry, ...] = ()
    if view is not None:
        second = np.arange(math.ceil(path.t_s[0]), path.t_s[-1])
        place = path.at(second)
        inside, height = view.of_person(place)
        caught = _near(second, np.sort(seen.t_s[match.used] + match.offset_s))
        away = np.linalg.norm(place, axis=1)
        bands = (
            _bands(away[inside], caught[inside], DISTANCES_M),
            _bands(height[inside], caught[inside], HEIGHTS_PX),
        )
        entries = _entries(second[inside], away[inside], height[inside], seen, match)
    off = mine.places_m - truth
    away = np.linalg.norm(truth, axis=1)
    ahead = truth / np.maximum(away, 1e-6)[:, None]
    along = (off * ahead).sum(axis=1)
    across = off[:, 0] * ahead[:, 1] - off[:, 1] * ahead[:, 0]
    return Certificate(
        match=match,
        rules=rules,
        observations=int(match.used.sum()),
        places=len(mine),
        told=_errors(mine.places_m, truth, mine, rules),
        after=_errors(turned, truth, mine, rules),
        by_distance=bands[0],
        by_height=bands[1],
        entries=entries,
        rows=tuple(
            (float(d), float(a), float(c), float(t))
            for d, a, c, t in zip(away, along, across, mine.t_s + match.offset_s, strict=True)
            if math.isfinite(a)
        ),
    )


def _axis(seen: Seen, rules: WalkRules, match: Match) -> float:
    if rules.axis_azimuth_deg is not None:
        return math.radians(rules.axis_azimuth_deg)
    places = seen.places_m[match.used & seen.placed]
    unit = places / np.linalg.norm(places, axis=1, keepdims=True)
    return float(np.arctan2(unit[:, 0].mean(), unit[:, 1].mean())) if len(places) else 0.0


def _near(second: Array, stamps_s: Array) -> Flags:
    """(n,) whether a stamp lies within a second of each."""
    if not len(stamps_s):
        return np.zeros(len(second), np.bool_)
    after = np.searchsorted(stamps_s, second)
    right = stamps_s[np.minimum(after, len(stamps_s) - 1)]
    left = stamps_s[np.maximum(after - 1, 0)]
    near = np.minimum(np.abs(right - second), np.abs(left - second))
    return np.asarray(near <= _SEEN_WITHIN_S, np.bool_)


def _bands(value: Array, caught: Flags, edges: Sequence[float]) -> tuple[Band, ...]:
    found = []
    for start, end in itertools.pairwise(edges):
        inside = (value >= start) & (value < end)
        seconds, seen = int(inside.sum()), int((inside & caught).sum())
        if seconds:
            low, high = _interval(seen, seconds)
            found.append(Band(start=start, end=end, seconds=seconds, seen=seen, low=low, high=high))
    return tuple(found)


def _interval(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    z2 = 1.96**2
    middle = (hits + z2 / 2) / (count + z2)
    half = 1.96 * math.sqrt(hits * (count - hits) / count + z2 / 4) / (count + z2)
    return max(0.0, middle - half), min(1.0, middle + half)


def _entries(
    second: Array, away: Array, height: Array, seen: Seen, match: Match
) -> tuple[Entry, ...]:
    """One for each time the walker came into the picture."""
    if not len(second):
        return ()
    breaks = np.flatnonzero(np.diff(second) > _BREAK_S) + 1
    stamps = np.sort(seen.t_s[match.used] + match.offset_s)
    found = []
    for part in np.split(np.arange(len(second)), breaks):
        start, end = float(second[part[0]]), float(second[part[-1]])
        # What was said of somebody half in the picture counts from the moment of standing in it.
        inside = stamps[(stamps >= start - 1.0) & (stamps <= end + 1.0)]
        found.append(
            Entry(
                t_s=start,
                distance_m=float(away[part[0]]),
                height_px=float(height[part[0]]),
                stayed_s=end - start + 1.0,
                delay_s=max(0.0, float(inside[0]) - start) if len(inside) else None,
            )
        )
    return tuple(found)


def _errors(places: Array, truth: Array, mine: Seen, rules: WalkRules) -> Errors | None:
    off = places - truth
    known = np.isfinite(off).all(axis=1)
    if not known.any():
        return None
    off, at = off[known], truth[known]
    ahead = at / np.maximum(np.linalg.norm(at, axis=1), 1e-6)[:, None]
    phone = rules.phone_sigma_m**2 + rules.phone_noise_m**2 + rules.phone_bias_m**2
    cov = mine.cov_m2[known] + np.eye(2) * phone
    chi2 = np.einsum("ni,ni->n", off, np.linalg.solve(cov, off[..., None])[..., 0])
    size = np.linalg.norm(off, axis=1)
    return Errors(
        count=len(off),
        east_m=float(off[:, 0].mean()),
        north_m=float(off[:, 1].mean()),
        along_m=float((off * ahead).sum(axis=1).mean()),
        across_m=float((off[:, 0] * ahead[:, 1] - off[:, 1] * ahead[:, 0]).mean()),
        p50_m=float(np.quantile(size, 0.5)),
        p95_m=float(np.quantile(size, 0.95)),
        in_ellipse90=float((chi2 <= _CHI2_90).mean()),
    )
