"""Where a ray meets the ground."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from geo._types import BoolArray, FloatArray, IntArray
from geo.frames import FLATTENING, SEMI_MAJOR_M, SEMI_MINOR_M, EnuFrame

SKY, HIT, UNKNOWN, BENEATH = 0, 1, 2, 3
"""What became of a ray: it meets no ground; it meets it; a void or the end of the elevation tiles
may hide where; it starts under the ground."""

_NEAR_HEIGHT_M = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneHit:
    """Rays meeting a level plane, with all that covariance propagation needs.

    With the point p = origin + range * direction, to first order

        dp = sensitivity (d origin + range_m d direction) + height_gain d height

    Attributes:
        points_m: (n, 3) in the rays' frame; nan where a ray does not meet the plane ahead.
        range_m: (n,) along the (unit) direction; nan likewise.
        sensitivity: (n, 3, 3).
        height_gain: (n, 3).
    """

    points_m: FloatArray
    range_m: FloatArray
    sensitivity: FloatArray
    height_gain: FloatArray


def ray_plane(
    origins_m: npt.ArrayLike, directions: npt.ArrayLike, height_m: npt.ArrayLike
) -> PlaneHit:
    """Meet (n, 3) rays with the level plane z = ``height_m`` (scalar or (n,)); origins broadcast."""
    direction = np.atleast_2d(np.asarray(directions, dtype=np.float64))
    origin = np.broadcast_to(np.asarray(origins_m, dtype=np.float64), direction.shape)
    fall = np.where(direction[:, 2] != 0.0, direction[:, 2], np.nan)
    range_m = (np.asarray(height_m, dtype=np.float64) - origin[:, 2]) / fall
    range_m = np.where(range_m >= 0.0, range_m, np.nan)
    gain = direction / fall[:, None]
    sensitivity = np.broadcast_to(np.eye(3), (len(direction), 3, 3)).copy()
    sensitivity[:, :, 2] -= gain
    return PlaneHit(
        points_m=origin + range_m[:, None] * direction,
        range_m=range_m,
        sensitivity=sensitivity,
        height_gain=gain,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TerrainHit:
    """Where rays met the ground.

    Attributes:
        points_m: (n, 3) in the rays' frame; nan without a hit.
        range_m: (n,) along the unit direction; nan without a hit.
        normals: (n, 3) unit vectors in the rays' frame, away from the ground: d range follows
            from them as -(n . d point) / (n . direction). On an upright bank that of its top.
        outcome: (n,) SKY, HIT, UNKNOWN or BENEATH.
        plane: (n,) whether level ground was assumed, since nothing better is known.
    """

    points_m: FloatArray
    range_m: FloatArray
    normals: FloatArray
    outcome: IntArray
    plane: BoolArray

    @property
    def unknown(self) -> BoolArray:
        """(n,) whether a void or the end of the tiles may hide the hit."""
        return np.asarray(self.outcome == UNKNOWN, dtype=np.bool_)


class Terrain(Protocol):
    """The ground: its height at a place, and where rays meet it."""

    def height_hae_m(self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> FloatArray:
        """Return the height above the ellipsoid at each place; nan where unknown."""
        ...

    def intersect(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> FloatArray:
        """Return (n, 3) first meeting points in ``frame``; nan where a ray meets no ground."""
        ...

    def trace(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> TerrainHit:
        """Return the same with the ground's normals, and why there is no meeting point."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatTerrain:
    """Ground at one ellipsoidal height; it curves with the ellipsoid (2 m at 5 km)."""

    alt_hae_m: float

    def height_hae_m(self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> FloatArray:
        """Return the one height, in the shape of the places."""
        shape = np.broadcast(np.asarray(lon_deg), np.asarray(lat_deg)).shape
        return np.full(shape, self.alt_hae_m)

    def intersect(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> FloatArray:
        """Meet rays with the curved surface.

        Args:
            frame: the sensor's frame.
            origins_enu_m: (3,) or (n, 3).
            directions_enu: (n, 3), need not be unit vectors.
        """
        return self._meet(frame, origins_enu_m, directions_enu)[0]

    def trace(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> TerrainHit:
        """Meet rays with the curved surface; its normals are the ellipsoid's."""
        points, range_m, beneath = self._meet(frame, origins_enu_m, directions_enu)
        hit = np.isfinite(range_m)
        return TerrainHit(
            points_m=points,
            range_m=range_m,
            normals=_plumb(frame, points),
            outcome=np.where(hit, HIT, np.where(beneath, BENEATH, SKY)),
            plane=np.ones(len(points), dtype=np.bool_),
        )

    def _meet(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Points, ranges and whether a ray starts under the ground.

        The surface at one height is taken as the ellipsoid with half axes so much longer, from
        which it differs by height * flattening**2 / 8 * sin(2 lat)**2; that hardly changes in view.
        """
        direction = np.atleast_2d(np.asarray(directions_enu, dtype=np.float64))
        with np.errstate(invalid="ignore"):
            direction = direction / np.sqrt(np.einsum("ij,ij->i", direction, direction))[:, None]
        origin = np.broadcast_to(np.asarray(origins_enu_m, dtype=np.float64), direction.shape)
        bulge = FLATTENING**2 / 8.0 * np.sin(2.0 * np.radians(frame.origin.lat_deg)) ** 2
        height_m = self.alt_hae_m * (1.0 + bulge)
        shrink = 1.0 / (np.array([SEMI_MAJOR_M, SEMI_MAJOR_M, SEMI_MINOR_M]) + height_m)
        axes = frame.axes * shrink
        centre = frame.ecef_m * shrink
        way = direction @ axes
        start = origin @ axes + centre
        a = np.einsum("ij,ij->i", way, way)
        b = np.einsum("ij,ij->i", way, start)
        c = np.einsum("ij,ij->i", start, start) - 1.0
        with np.errstate(invalid="ignore"):
            # The nearer root, written so that nothing cancels; upward rays have none ahead.
            range_m = c / (np.sqrt(b * b - a * c) - b)
            range_m = np.where((b < 0.0) & (c >= 0.0), range_m, np.nan)
            points = origin + range_m[:, None] * direction
        return points, range_m, np.asarray(c * SEMI_MAJOR_M < -_NEAR_HEIGHT_M, dtype=np.bool_)


def _plumb(frame: EnuFrame, points: FloatArray) -> FloatArray:
    """(n, 3) the ellipsoid's normals at (n, 3) points, in the frame; nan stays nan."""
    axes = frame.axes
    ecef = points @ axes + frame.ecef_m
    # The gradient of the ellipsoid, whose direction hardly changes with the height.
    ecef[:, 2] *= (SEMI_MAJOR_M / SEMI_MINOR_M) ** 2
    ecef /= np.sqrt(np.einsum("ij,ij->i", ecef, ecef))[:, None]
    return np.asarray(ecef @ axes.T, dtype=np.float64)
