"""The world's ground in the site's plane: fields, hills or real elevation, with water in them.

Metres in the site's frame: x east, y north, z up from the scenario's ``ground_alt_hae_m``. Film,
actors and truth stand on this ground, and `Landscape.terrain` is the same ground for whoever asks
by longitude and latitude.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geo._types import BoolArray, FloatArray, IntArray
from geo.dem import bilinear
from geo.frames import EnuFrame
from geo.terrain import HIT, SKY, UNKNOWN, TerrainHit, ray_plane
from geo.terrain_march import HeightField, Rays, WaterSurface
from geo.zone import Polygon
from simulations.landscape_shapes import Posts, ground_posts, water_ring
from simulations.scenario import Scenario
from simulations.scenario_place import WaterSettings
from simulations.site import Site

_REACH_M = 20_000.0
_TOUCH_M = 0.05
"""A line of sight that ends this near to the ground ends on it: what stands there is seen."""


class Landscape:
    """Ground and water of one scenario.

    Args:
        frame: the site's.
        posts: the ground's heights; None for the plane z = 0.
        waters: level surfaces with their rings in the plane; a later one lies over an earlier one.
    """

    def __init__(
        self,
        frame: EnuFrame,
        posts: Posts | None = None,
        waters: Sequence[tuple[WaterSettings, FloatArray]] = (),
    ) -> None:
        self.frame = frame
        self.waters = tuple(settings for settings, _ in waters)
        self._levels = np.array([settings.level_m for settings in self.waters])
        self._depths = np.array([settings.depth_m for settings in self.waters])
        self._posts = posts
        self._field: HeightField | None = None
        if posts is not None:
            surfaces = [
                WaterSurface(
                    polygon=Polygon((ring - posts.south_west_m) / posts.step_m),
                    level_m=settings.level_m,
                )
                for settings, ring in waters
            ]
            self._field = HeightField(posts.heights_m, surfaces)

    @property
    def flat(self) -> bool:
        """Whether the ground is the plane z = 0 without any water."""
        return self._field is None

    def height_m(self, enu_xy: npt.ArrayLike) -> FloatArray:
        """Return (n,) height of the ground, or of the water's level, at (n, 2) places."""
        places = np.atleast_2d(np.asarray(enu_xy, dtype=np.float64))
        if self._field is None or self._posts is None:
            return np.zeros(len(places))
        column, row = self._posts.column_row(places)
        return self._field.at(column, row, self._ground(column, row))

    def bed_m(self, enu_xy: npt.ArrayLike) -> FloatArray:
        """Return (n,) height of what feet can stand on at (n, 2) places, under water too.

        A flood lies on the ground as it is; other waters have the depth that they state.
        """
        places = np.atleast_2d(np.asarray(enu_xy, dtype=np.float64))
        if self._field is None or self._posts is None:
            return np.zeros(len(places))
        column, row = self._posts.column_row(places)
        ground = self._ground(column, row)
        if not self.waters:
            return ground
        owner = self._field.owner(column, row)
        dug = self._levels[owner] - self._depths[owner]
        flooded = np.array([settings.kind == "flood" for settings in self.waters])[owner]
        bed = np.where(flooded, np.minimum(ground, self._levels[owner]), dug)
        return np.asarray(np.where(owner >= 0, bed, ground), dtype=np.float64)

    def water(self, enu_xy: npt.ArrayLike) -> BoolArray:
        """Return (n,) which of (n, 2) places are water."""
        return np.asarray(self.water_index(enu_xy) >= 0, dtype=np.bool_)

    def water_index(self, enu_xy: npt.ArrayLike) -> IntArray:
        """Return (n,) which of `waters` lies at each of (n, 2) places; -1 on land."""
        places = np.atleast_2d(np.asarray(enu_xy, dtype=np.float64))
        if self._field is None or self._posts is None:
            return np.full(len(places), -1, dtype=np.int64)
        return self._field.owner(*self._posts.column_row(places))

    def slope(self, enu_xy: npt.ArrayLike) -> FloatArray:
        """Return (n, 2) metres of height per metre east and north, over a metre; 0 on water."""
        places = np.atleast_2d(np.asarray(enu_xy, dtype=np.float64))
        if self._field is None:
            return np.zeros((len(places), 2))
        found = np.empty((len(places), 2))
        assert self._posts is not None
        for k, shift in enumerate(np.eye(2) * 0.5):
            above, below = (self._posts.column_row(places + s) for s in (shift, -shift))
            found[:, k] = self._ground(*above) - self._ground(*below)
        found[self.water(places)] = 0.0
        return found

    def meet(self, origins_m: npt.ArrayLike, directions: npt.ArrayLike) -> FloatArray:
        """Return (n, 3) where rays first meet ground or water; nan for the sky.

        Args:
            origins_m: (3,) or (n, 3).
            directions: (n, 3), need not be unit vectors.
        """
        direction = np.atleast_2d(np.asarray(directions, dtype=np.float64))
        with np.errstate(invalid="ignore"):
            direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
        origin = np.broadcast_to(np.asarray(origins_m, dtype=np.float64), direction.shape)
        if self._field is None:
            return ray_plane(origin, direction, 0.0).points_m
        range_m, outcome = self._march(origin, direction, _REACH_M)
        points = np.asarray(origin + range_m[:, None] * direction, dtype=np.float64)
        assert self._posts is not None
        beyond = np.flatnonzero((outcome == UNKNOWN) & self._posts.plain_beyond)
        if len(beyond):
            plain = ray_plane(origin[beyond], direction[beyond], 0.0).points_m
            inside = self._posts.inside(plain[:, :2])
            plain[inside] = np.nan
            points[beyond] = plain
        return points

    def line_of_sight(self, from_m: npt.ArrayLike, to_m: npt.ArrayLike) -> BoolArray:
        """Return (n,) whether no ground lies between one place (3,) and others (n, 3).

        What touches the ground at its end is seen there; a place under the ground is not.
        """
        to = np.atleast_2d(np.asarray(to_m, dtype=np.float64))
        start = np.broadcast_to(np.asarray(from_m, dtype=np.float64), to.shape)
        way = to - start
        length_m = np.linalg.norm(way, axis=1)
        if self._field is None:
            return np.asarray((start[:, 2] >= 0.0) & (to[:, 2] >= -_TOUCH_M), dtype=np.bool_)
        with np.errstate(invalid="ignore", divide="ignore"):
            reach_m = float(np.nanmax(length_m, initial=1.0))
            range_m, outcome = self._march(start, way / length_m[:, None], reach_m)
        # A ray may go on behind its end: what it meets or leaves there does not matter.
        free = np.isin(outcome, (SKY, UNKNOWN)) | (range_m >= length_m - _slack_m(way))
        return np.asarray(free | (length_m == 0.0), dtype=np.bool_)

    def terrain(self) -> "LandscapeTerrain":
        """Return this ground as a `geo.terrain.Terrain`."""
        return LandscapeTerrain(self)

    def _ground(self, column: FloatArray, row: FloatArray) -> FloatArray:
        assert self._posts is not None
        ground = bilinear(self._posts.heights_m, column, row)
        if self._posts.plain_beyond:
            ground = np.where(np.isnan(ground), 0.0, ground)
        return ground

    def _march(
        self, origin: FloatArray, direction: FloatArray, reach_m: float
    ) -> tuple[FloatArray, IntArray]:
        assert self._field is not None
        assert self._posts is not None
        whole = np.isfinite(direction).all(axis=1) & np.isfinite(origin).all(axis=1)
        range_m = np.full(len(direction), np.nan)
        outcome = np.full(len(direction), SKY, dtype=np.int64)
        start, way = origin[whole], direction[whole] * reach_m
        column, row = self._posts.column_row(start[:, :2])
        nothing = np.zeros(len(start))
        march = self._field.march(
            Rays(
                column=np.column_stack((column, way[:, 0] / self._posts.step_m, nothing, nothing)),
                row=np.column_stack((row, way[:, 1] / self._posts.step_m, nothing, nothing)),
                height_m=np.column_stack((start[:, 2], way[:, 2], nothing, nothing)),
                reach_m=reach_m,
            )
        )
        range_m[whole], outcome[whole] = march.range_m, march.outcome
        return range_m, outcome


class LandscapeTerrain:
    """A landscape asked by longitude and latitude; a `geo.terrain.Terrain`."""

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape

    def height_hae_m(self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> FloatArray:
        """Return the height above the ellipsoid at each place."""
        lon, lat = np.broadcast_arrays(
            np.asarray(lon_deg, dtype=np.float64), np.asarray(lat_deg, dtype=np.float64)
        )
        frame = self._landscape.frame
        # Plumb lines lean against the plane's: twice is enough for a tenth of a millimetre.
        height = np.full(lon.size, frame.origin.alt_hae_m)
        for _ in range(2):
            enu = frame.to_enu(lon.ravel(), lat.ravel(), height)
            enu[:, 2] = self._landscape.height_m(enu[:, :2])
            height = frame.to_geodetic(enu)[:, 2]
        return height.reshape(lon.shape)

    def intersect(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> FloatArray:
        """Return (n, 3) first meeting points in ``frame``; nan where a ray meets no ground."""
        ours = self._landscape.frame
        direction = np.atleast_2d(np.asarray(directions_enu, dtype=np.float64))
        origin = np.broadcast_to(np.asarray(origins_enu_m, dtype=np.float64), direction.shape)
        turn = ours.rotation_from(frame)
        place = frame.origin
        shift = ours.to_enu(place.lon_deg, place.lat_deg, place.alt_hae_m)[0]
        points = self._landscape.meet(origin @ turn.T + shift, direction @ turn.T)
        return np.asarray((points - shift) @ turn, dtype=np.float64)

    def trace(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> TerrainHit:
        """Return the meeting points with the ground's normals; beyond the landscape is sky."""
        points = self.intersect(frame, origins_enu_m, directions_enu)
        ours = self._landscape.frame
        origin = np.broadcast_to(np.asarray(origins_enu_m, dtype=np.float64), points.shape)
        geodetic = frame.to_geodetic(points)
        normals = np.full(points.shape, np.nan)
        hit = np.flatnonzero(np.isfinite(points).all(axis=1))
        if len(hit):
            place = ours.to_enu(geodetic[hit, 0], geodetic[hit, 1], geodetic[hit, 2])
            slope = self._landscape.slope(place[:, :2])
            up = np.column_stack((-slope, np.ones(len(hit))))
            up /= np.linalg.norm(up, axis=1, keepdims=True)
            normals[hit] = up @ ours.rotation_from(frame)
        outcome = np.full(len(points), SKY, dtype=np.int64)
        outcome[hit] = HIT
        return TerrainHit(
            points_m=points,
            range_m=np.linalg.norm(points - origin, axis=1),
            normals=normals,
            outcome=outcome,
            plane=np.zeros(len(points), dtype=np.bool_),
        )


def landscape(scenario: Scenario, site: Site) -> Landscape:
    """Return the ground of a scenario.

    Raises:
        AskOperator: the elevation file cannot be read, or does not cover the scenario.
    """
    rings = [(settings, water_ring(settings, site)) for settings in scenario.water]
    posts = ground_posts(scenario, site, bool(rings))
    return Landscape(site.frame, posts, rings)


def _slack_m(way: FloatArray) -> FloatArray:
    """Return how far before its end a grazing line may touch the ground and still end on it."""
    length = np.linalg.norm(way, axis=1)
    fall = np.abs(way[:, 2]) / np.maximum(length, 1e-9)
    return np.asarray(np.minimum(_TOUCH_M / np.maximum(fall, 0.01), 2.0), dtype=np.float64)
