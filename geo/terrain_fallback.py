"""Level ground where elevation tiles know nothing: outside them and in their voids."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from geo.frames import EnuFrame
from geo.terrain import HIT, UNKNOWN, FlatTerrain, TerrainHit
from geo.terrain_grid import GridTerrain


class TerrainOrPlane:
    """Gridded ground, and a plane where it is unknown; a `geo.terrain.Terrain`.

    A ray whose way is known is the grid's alone. A ray that a void or the end of the tiles takes
    away meets the plane, and the hit says so; but where the tiles know a height at that place and
    it is another one, the plane is refuted and the ray stays without a hit.

    Args:
        grid: what is known.
        plane: what stands in for the rest.
        agree_m: a known height so near to the plane's refutes nothing.
        level: the grid's heights are themselves assumed level (water laid into a plain), so that
            every hit is said to be on assumed ground.
    """

    def __init__(
        self, grid: GridTerrain, plane: FlatTerrain, *, agree_m: float, level: bool = False
    ) -> None:
        self._grid = grid
        self._plane = plane
        self._agree_m = agree_m
        self._level = level

    def height_hae_m(self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> FloatArray:
        """Return the grid's height, and the plane's where that is unknown."""
        known = self._grid.height_hae_m(lon_deg, lat_deg)
        return np.asarray(np.where(np.isfinite(known), known, self._plane.alt_hae_m), np.float64)

    def intersect(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> FloatArray:
        """Return (n, 3) first meeting points in ``frame``; nan where there is none."""
        return self.trace(frame, origins_enu_m, directions_enu).points_m

    def trace(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> TerrainHit:
        """Return the meeting points; ``plane`` marks those that the plane stands in for."""
        hit = self._grid.trace(frame, origins_enu_m, directions_enu)
        if self._level:
            hit = replace(hit, plane=hit.outcome == HIT)
        rows = np.flatnonzero(hit.outcome == UNKNOWN)
        if not len(rows):
            return hit
        direction = np.atleast_2d(np.asarray(directions_enu, dtype=np.float64))
        origin = np.broadcast_to(np.asarray(origins_enu_m, dtype=np.float64), direction.shape)
        level = self._plane.trace(frame, origin[rows], direction[rows])
        geodetic = frame.to_geodetic(level.points_m)
        known_m = self._grid.height_hae_m(geodetic[:, 0], geodetic[:, 1])
        with np.errstate(invalid="ignore"):
            refuted = np.abs(known_m - self._plane.alt_hae_m) > self._agree_m
        taken = ~refuted
        rows = rows[taken]
        points, range_m = hit.points_m.copy(), hit.range_m.copy()
        normals, outcome, plane = hit.normals.copy(), hit.outcome.copy(), hit.plane.copy()
        points[rows], range_m[rows] = level.points_m[taken], level.range_m[taken]
        normals[rows], outcome[rows] = level.normals[taken], level.outcome[taken]
        plane[rows] = True
        return TerrainHit(
            points_m=points, range_m=range_m, normals=normals, outcome=outcome, plane=plane
        )
