"""The ground that a picture shows, as a ring on the map."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.pose import NoPose, Pose, PoseSource
from geo.frames import EnuFrame
from geo.lens import Lens
from geo.terrain import Terrain

Array = npt.NDArray[np.float64]
Ring = tuple[tuple[float, float], ...]

_PER_EDGE = 8
"""Rays along each edge of the picture; a lens bends edges, the ground bends them more."""
_PARTS = 16
_ROUNDS = 3
"""A border's end is searched in so many rounds of so many rays at once: to 1/4096 of the step."""
_ARC_STEP_RAD = np.radians(4.0)
_FAN = 32
"""Elevations that are tried in each direction in which the ground ends inside the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Answers which ground a camera sees.

    Attributes:
        lens: of its frames.
        poses: where it is.
        terrain: what it looks at.
        max_range_m: ground farther away than this (level distance) is not counted as seen.
    """

    lens: Lens
    poses: PoseSource
    terrain: Terrain
    max_range_m: float

    def at(self, t_monotonic_s: float) -> Ring:
        """Longitude and latitude round the seen ground, closed; empty without pose or ground."""
        pose = self.poses.at(t_monotonic_s)
        if isinstance(pose, NoPose):
            return ()
        lens = self.lens.zoomed(pose.hfov_deg)
        return footprint(lens, pose, self.terrain, max_range_m=self.max_range_m)


def footprint(lens: Lens, pose: Pose, terrain: Terrain, *, max_range_m: float) -> Ring:
    """The seen ground as a ring of longitude and latitude, closed; empty when none is in view.

    The edges of the picture are followed round. Where they leave the ground (sky, unknown ground,
    or beyond the range) the ring goes along the farthest ground that the picture shows in each
    direction. What a hill hides inside the ring stays in it.

    Args:
        lens: of the frames.
        pose: of the camera.
        terrain: the ground.
        max_range_m: level distance beyond which ground is not counted as seen.
    """
    view = _View(lens, pose, terrain, max_range_m)
    parts = np.arange(4 * _PER_EDGE) / _PER_EDGE
    points, seen = view.of_border(parts)
    if seen.all():
        return view.ring(points)
    if not seen.any():
        return view.ring(view.all_round())
    # Begin where the border comes back to the ground, so that every gap lies between two ends.
    first = int(np.flatnonzero(seen & ~np.roll(seen, 1))[0])
    order = (np.arange(len(parts)) + first) % len(parts)
    ring: list[Array] = []
    k = 0
    while k < len(order):
        row = order[k]
        if seen[row]:
            ring.append(points[row][None, :])
            k += 1
            continue
        end = k
        while end < len(order) and not seen[order[end]]:
            end += 1
        after = order[end % len(order)]
        leaves = view.crossing(parts[order[k - 1]], parts[row])
        returns = view.crossing(parts[after], parts[order[end - 1]])
        ring.append(view.far_side(leaves, returns))
        k = end
    return view.ring(np.vstack(ring))


class _View:
    """One picture on the ground."""

    def __init__(self, lens: Lens, pose: Pose, terrain: Terrain, max_range_m: float) -> None:
        self._lens = lens.zoomed(pose.hfov_deg)
        self._rotation = pose.rotation_enu_from_camera
        self._frame = EnuFrame(pose.position)
        self._terrain = terrain
        self._max_range_m = max_range_m

    def ring(self, points: Array) -> Ring:
        """Closed longitudes and latitudes of (n, 3) points; empty below three."""
        if len(points) < 3:
            return ()
        places = self._frame.to_geodetic(points)[:, :2].tolist()
        return tuple((lon, lat) for lon, lat in [*places, places[0]])

    def of_border(self, parts: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
        """(n, 3) ground under the border and (n,) whether it is there.

        Args:
            parts: (n,) along the border: 0 is the lower left corner, 1 the lower right one, and
                so on round to 4.
        """
        wide, high = float(self._lens.width_px), float(self._lens.height_px)
        corners = np.array([[0, high], [wide, high], [wide, 0], [0, 0], [0, high]]) - 0.5
        edge = np.floor(np.mod(parts, 4.0)).astype(np.int64)
        along = (np.mod(parts, 4.0) - edge)[:, None]
        pixels = corners[edge] * (1.0 - along) + corners[edge + 1] * along
        return self._meet(self._lens.rays(pixels) @ self._rotation.T)

    def crossing(self, seen: float, unseen: float) -> Array:
        """(3,) the last ground along the border between a part with and one without."""
        # The shorter way round, whichever of the two comes first.
        step = np.mod(unseen - seen + 2.0, 4.0) - 2.0
        near, far = 0.0, 1.0
        last = self.of_border(np.array([seen]))[0][0]
        for _ in range(_ROUNDS):
            tried = np.linspace(near, far, _PARTS + 1)[1:-1]
            points, hit = self.of_border(seen + tried * step)
            first = int(np.argmin(hit)) if not hit.all() else len(tried)
            if first > 0:
                near, last = float(tried[first - 1]), points[first - 1]
            if first < len(tried):
                far = float(tried[first])
        return np.asarray(last, np.float64)

    def far_side(self, leaves: Array, returns: Array) -> Array:
        """(n, 3) farthest seen ground in the directions from one place round to another."""
        start = np.arctan2(leaves[0], leaves[1])
        turn = np.arctan2(returns[0], returns[1]) - start
        ways = [np.mod(turn, 2.0 * np.pi), np.mod(turn, 2.0 * np.pi) - 2.0 * np.pi]
        azimuths = [start + way * self._steps(way) for way in ways]
        coarse = [self._coarsely(azimuth) for azimuth in azimuths]
        # Of the two ways round, the one on which the picture shows ground.
        counts = [np.isfinite(points).all(axis=1).mean() for points, _ in coarse]
        best = np.empty((0, 3))
        if max(counts) > 0.0:
            chosen = int(np.argmax(counts))
            best = self._finely(azimuths[chosen], *coarse[chosen])
            best = best[np.isfinite(best).all(axis=1)]
        return np.vstack([leaves[None, :], best, returns[None, :]])

    def all_round(self) -> Array:
        """(n, 3) where no edge of the picture shows ground: its middle may, or nothing does."""
        azimuth = np.arange(0.0, 2.0 * np.pi, _ARC_STEP_RAD)
        points = self._finely(azimuth, *self._coarsely(azimuth))
        return points[np.isfinite(points).all(axis=1)]

    @staticmethod
    def _steps(way: float) -> Array:
        """Parts 0..1 inside a way round, its ends left out."""
        count = max(2, int(np.ceil(abs(way) / _ARC_STEP_RAD)))
        return np.arange(1, count) / count

    def _coarsely(self, azimuth: Array) -> tuple[Array, Array]:
        """(n, 3) far ground within the range that the picture shows, nan where none; elevations."""
        # Finer near the horizon, where a step of elevation is a long way on the ground.
        fan = -0.5 * np.pi * np.linspace(1.0, 0.0, _FAN) ** 3 + 0.02
        return self._best_of(azimuth, np.broadcast_to(fan, (len(azimuth), _FAN)))

    def _finely(self, azimuth: Array, found: Array, elevation: Array) -> Array:
        """(n, 3) the farthest: from the coarse step to a hundredth of a degree."""
        step = 0.09 * np.pi
        for _ in range(2):
            near = elevation[:, None] + np.linspace(-step, step, _FAN) * np.abs(
                np.maximum(-elevation, 0.002)
            )[:, None] ** (2.0 / 3.0)
            again, at = self._best_of(azimuth, near)
            better = _level(again) > np.nan_to_num(_level(found), nan=-1.0)
            found[better], elevation[better] = again[better], at[better]
            step /= 0.4 * _FAN
        return found

    def _best_of(self, azimuth: Array, elevation: Array) -> tuple[Array, Array]:
        """(n, 3) the farthest hit of (n, m) rays, and (n,) its elevation."""
        count, fan = elevation.shape
        flat = np.cos(elevation)
        east, north = np.sin(azimuth)[:, None] * flat, np.cos(azimuth)[:, None] * flat
        rays = np.stack((east, north, np.sin(elevation)), axis=-1).reshape(-1, 3)
        pixels = self._lens.project(rays @ self._rotation)
        shown = np.asarray(self._lens.contains(pixels), np.bool_)
        met, hit = self._meet(rays[shown])
        flat_points = np.full((len(rays), 3), np.nan)
        flat_points[np.flatnonzero(shown)[hit]] = met[hit]
        points = flat_points.reshape(count, fan, 3)
        away = np.nan_to_num(np.hypot(points[..., 0], points[..., 1]), nan=-1.0)
        best = away.argmax(axis=1)
        rows = np.arange(count)
        return points[rows, best], elevation[rows, best].copy()

    def _meet(self, rays: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
        known = np.asarray(np.isfinite(rays).all(axis=1), np.bool_)
        safe = np.where(known[:, None], rays, [0.0, 0.0, 1.0])
        points = self._terrain.intersect(self._frame, np.zeros(3), safe)
        with np.errstate(invalid="ignore"):
            seen = known & (_level(points) <= self._max_range_m)
        return points, np.asarray(seen, np.bool_)


def _level(points: Array) -> Array:
    return np.asarray(np.hypot(points[..., 0], points[..., 1]), np.float64)
