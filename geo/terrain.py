"""Where a ray meets the ground."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from geo.frames import EnuFrame

_NEWTON_ROUNDS = 6
_HEIGHT_TOLERANCE_M = 1e-6


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


class Terrain(Protocol):
    """The ground: its height at a place, and where rays meet it."""

    def height_hae_m(self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> FloatArray:
        """Return the height above the ellipsoid at each place."""
        ...

    def intersect(
        self, frame: EnuFrame, origins_enu_m: npt.ArrayLike, directions_enu: npt.ArrayLike
    ) -> FloatArray:
        """Return (n, 3) first meeting points in ``frame``; nan where a ray meets no ground."""
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
        """Meet rays with the curved surface: a level plane first, then Newton on the height.

        Args:
            frame: the sensor's frame.
            origins_enu_m: (3,) or (n, 3).
            directions_enu: (n, 3), need not be unit vectors.
        """
        direction = np.atleast_2d(np.asarray(directions_enu, dtype=np.float64))
        direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
        origin = np.broadcast_to(np.asarray(origins_enu_m, dtype=np.float64), direction.shape)
        start = ray_plane(origin, direction, self.alt_hae_m - frame.origin.alt_hae_m)
        range_m = start.range_m.copy()
        for _ in range(_NEWTON_ROUNDS):
            geodetic = frame.to_geodetic(origin + range_m[:, None] * direction)
            error_m = geodetic[:, 2] - self.alt_hae_m
            if not np.any(np.abs(error_m) > _HEIGHT_TOLERANCE_M):
                break
            range_m = range_m - error_m / _climb(frame, geodetic, direction)
        # A grazing ray may pass over the horizon: Newton then leaves it in the air or behind.
        with np.errstate(invalid="ignore"):
            points = origin + range_m[:, None] * direction
            error_m = np.abs(frame.to_geodetic(points)[:, 2] - self.alt_hae_m)
            points[~((error_m < 1e-3) & (range_m >= 0.0))] = np.nan
        return np.asarray(points, dtype=np.float64)


def _climb(frame: EnuFrame, geodetic: FloatArray, direction: FloatArray) -> FloatArray:
    """Return metres of height gained per metre along each ray at the given places."""
    lon, lat = np.radians(geodetic[:, 0]), np.radians(geodetic[:, 1])
    up_ecef = np.stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)), axis=1)
    climb = np.einsum("ij,ij->i", up_ecef @ frame.axes.T, direction)
    return np.asarray(np.where(climb != 0.0, climb, np.nan), dtype=np.float64)
