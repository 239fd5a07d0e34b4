"""WGS 84, ECEF and local east-north-up frames, vectorised in float64.

Degrees everywhere at the door, longitude before latitude, heights above the ellipsoid (HAE).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from geo.normal import ErrorEllipse, ce90_m, error_ellipse

__all__ = [
    "EnuFrame",
    "ErrorEllipse",
    "GeodeticPoint",
    "azimuth_deg",
    "ce90_m",
    "ecef_to_geodetic",
    "enu_axes",
    "error_ellipse",
    "geodetic_to_ecef",
]

SEMI_MAJOR_M = 6378137.0
FLATTENING = 1.0 / 298.257223563
SEMI_MINOR_M = SEMI_MAJOR_M * (1.0 - FLATTENING)
ECCENTRICITY2 = FLATTENING * (2.0 - FLATTENING)
_SECOND_ECCENTRICITY2 = ECCENTRICITY2 / (1.0 - ECCENTRICITY2)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeodeticPoint:
    """One WGS 84 position; the height is above the ellipsoid, not above the sea."""

    lon_deg: float
    lat_deg: float
    alt_hae_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no position, so that nothing behind this door checks again."""
        if not -180.0 <= self.lon_deg <= 180.0:
            raise ValueError(
                f"lon_deg is {self.lon_deg}; allowed is -180..180; was lat given first?"
            )
        if not -90.0 <= self.lat_deg <= 90.0:
            raise ValueError(
                f"lat_deg is {self.lat_deg}; allowed is -90..90; was lon given second?"
            )
        if not np.isfinite(self.alt_hae_m):
            raise ValueError(f"alt_hae_m is {self.alt_hae_m}; it must be a finite height in metres")


def geodetic_to_ecef(
    lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike, alt_hae_m: npt.ArrayLike
) -> FloatArray:
    """Return earth-centred metres (..., 3) of WGS 84 positions; the arguments broadcast."""
    lon = np.radians(np.asarray(lon_deg, dtype=np.float64))
    lat = np.radians(np.asarray(lat_deg, dtype=np.float64))
    alt = np.asarray(alt_hae_m, dtype=np.float64)
    lon, lat, alt = np.broadcast_arrays(lon, lat, alt)
    sin_lat, cos_lat = np.sin(lat), np.cos(lat)
    normal_m = SEMI_MAJOR_M / np.sqrt(1.0 - ECCENTRICITY2 * sin_lat**2)
    return np.stack(
        (
            (normal_m + alt) * cos_lat * np.cos(lon),
            (normal_m + alt) * cos_lat * np.sin(lon),
            (normal_m * (1.0 - ECCENTRICITY2) + alt) * sin_lat,
        ),
        axis=-1,
    )


def ecef_to_geodetic(ecef_m: npt.ArrayLike) -> FloatArray:
    """Return (..., 3) longitude, latitude in degrees and ellipsoidal height in metres.

    Source: Bowring, "Transformation from spatial to geographical coordinates", 1976, iterated
    on the parametric latitude; three rounds leave less than a nanometre below 100 km.
    """
    ecef = np.asarray(ecef_m, dtype=np.float64)
    x, y, z = ecef[..., 0], ecef[..., 1], ecef[..., 2]
    p = np.hypot(x, y)
    beta = np.arctan2(z * SEMI_MAJOR_M, p * SEMI_MINOR_M)
    lat = beta
    for _ in range(3):
        lat = np.arctan2(
            z + _SECOND_ECCENTRICITY2 * SEMI_MINOR_M * np.sin(beta) ** 3,
            p - ECCENTRICITY2 * SEMI_MAJOR_M * np.cos(beta) ** 3,
        )
        beta = np.arctan2((1.0 - FLATTENING) * np.sin(lat), np.cos(lat))
    sin_lat, cos_lat = np.sin(lat), np.cos(lat)
    # This form of the height stays exact at the equator and at the poles alike.
    alt = p * cos_lat + z * sin_lat - SEMI_MAJOR_M * np.sqrt(1.0 - ECCENTRICITY2 * sin_lat**2)
    return np.stack((np.degrees(np.arctan2(y, x)), np.degrees(lat), alt), axis=-1)


def enu_axes(lon_deg: float, lat_deg: float) -> FloatArray:
    """Return (3, 3): rows are east, north and up at the position, in ECEF."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    sin_lon, cos_lon, sin_lat, cos_lat = np.sin(lon), np.cos(lon), np.sin(lat), np.cos(lat)
    return np.array(
        [
            [-sin_lon, cos_lon, 0.0],
            [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
            [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
        ]
    )


class EnuFrame:
    """A local east-north-up frame; horizontal work is honest to 30 km from the origin."""

    __slots__ = ("_axes", "_ecef_m", "_rows", "_shift_m", "origin")

    def __init__(self, origin: GeodeticPoint) -> None:
        self.origin = origin
        self._axes = enu_axes(origin.lon_deg, origin.lat_deg)
        self._ecef_m = geodetic_to_ecef(origin.lon_deg, origin.lat_deg, origin.alt_hae_m)
        # The same as plain numbers: one point costs a tenth of an array of one.
        self._rows: list[list[float]] = self._axes.tolist()
        self._shift_m: list[float] = self._ecef_m.tolist()

    @property
    def axes(self) -> FloatArray:
        """(3, 3) rows east, north, up in ECEF."""
        return np.array(self._axes)

    @property
    def ecef_m(self) -> FloatArray:
        """(3,) the origin in ECEF."""
        return np.array(self._ecef_m)

    def to_enu(
        self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike, alt_hae_m: npt.ArrayLike
    ) -> FloatArray:
        """Return (n, 3) east, north, up in metres; scalars give one row."""
        if np.ndim(lon_deg) == np.ndim(lat_deg) == np.ndim(alt_hae_m) == 0:
            one = (np.asarray(value, np.float64).item() for value in (lon_deg, lat_deg, alt_hae_m))
            return np.array([self._one_to_enu(*one)])
        ecef = np.atleast_2d(geodetic_to_ecef(lon_deg, lat_deg, alt_hae_m))
        return np.asarray((ecef - self._ecef_m) @ self._axes.T, dtype=np.float64)

    def to_geodetic(self, enu_m: npt.ArrayLike) -> FloatArray:
        """Return (n, 3) longitude, latitude (degrees), ellipsoidal height (m) of (n, 3) ENU."""
        enu = np.atleast_2d(np.asarray(enu_m, dtype=np.float64))
        if len(enu) == 1:
            return np.array([self._one_to_geodetic(*enu[0].tolist())])
        return ecef_to_geodetic(np.asarray(enu @ self._axes + self._ecef_m))

    def _one_to_enu(
        self, lon_deg: float, lat_deg: float, alt_hae_m: float
    ) -> tuple[float, float, float]:
        """Do for one point, in plain numbers, what `geodetic_to_ecef` and the axes do for many."""
        lon, lat = math.radians(lon_deg), math.radians(lat_deg)
        sin_lat, cos_lat = math.sin(lat), math.cos(lat)
        normal_m = SEMI_MAJOR_M / math.sqrt(1.0 - ECCENTRICITY2 * sin_lat * sin_lat)
        x = (normal_m + alt_hae_m) * cos_lat * math.cos(lon) - self._shift_m[0]
        y = (normal_m + alt_hae_m) * cos_lat * math.sin(lon) - self._shift_m[1]
        z = (normal_m * (1.0 - ECCENTRICITY2) + alt_hae_m) * sin_lat - self._shift_m[2]
        east, north, up = (row[0] * x + row[1] * y + row[2] * z for row in self._rows)
        return east, north, up

    def _one_to_geodetic(
        self, east_m: float, north_m: float, up_m: float
    ) -> tuple[float, float, float]:
        """Do for one point what the axes and `ecef_to_geodetic` do for many."""
        (ex, ey, ez), (nx, ny, nz), (ux, uy, uz) = self._rows
        x = ex * east_m + nx * north_m + ux * up_m + self._shift_m[0]
        y = ey * east_m + ny * north_m + uy * up_m + self._shift_m[1]
        z = ez * east_m + nz * north_m + uz * up_m + self._shift_m[2]
        p = math.hypot(x, y)
        beta = math.atan2(z * SEMI_MAJOR_M, p * SEMI_MINOR_M)
        lat = beta
        for _ in range(3):
            lat = math.atan2(
                z + _SECOND_ECCENTRICITY2 * SEMI_MINOR_M * math.sin(beta) ** 3,
                p - ECCENTRICITY2 * SEMI_MAJOR_M * math.cos(beta) ** 3,
            )
            beta = math.atan2((1.0 - FLATTENING) * math.sin(lat), math.cos(lat))
        sin_lat, cos_lat = math.sin(lat), math.cos(lat)
        alt = p * cos_lat + z * sin_lat
        alt -= SEMI_MAJOR_M * math.sqrt(1.0 - ECCENTRICITY2 * sin_lat * sin_lat)
        return math.degrees(math.atan2(y, x)), math.degrees(lat), alt

    def point_to_enu(self, point: GeodeticPoint) -> FloatArray:
        """Return (3,) east, north, up of one position."""
        row: FloatArray = self.to_enu(point.lon_deg, point.lat_deg, point.alt_hae_m)[0]
        return row

    def point_to_geodetic(self, enu_m: npt.ArrayLike) -> GeodeticPoint:
        """Return the position of one (3,) east, north, up."""
        lon, lat, alt = self.to_geodetic(np.asarray(enu_m, dtype=np.float64)[None, :])[0].tolist()
        return GeodeticPoint(lon_deg=lon, lat_deg=lat, alt_hae_m=alt)

    def rotation_from(self, other: "EnuFrame") -> FloatArray:
        """Return (3, 3) that turns vectors (velocity, covariance axes) of ``other`` into ours."""
        return np.asarray(self._axes @ other.axes.T, dtype=np.float64)


def azimuth_deg(start_enu_m: npt.ArrayLike, end_enu_m: npt.ArrayLike) -> FloatArray:
    """Return the true bearing, clockwise from north, 0 <= a < 360, from one ENU point to another.

    Args:
        start_enu_m: (..., 2 or 3) east, north (, up).
        end_enu_m: the same; broadcasts.
    """
    start = np.asarray(start_enu_m, dtype=np.float64)
    end = np.asarray(end_enu_m, dtype=np.float64)
    east, north = end[..., 0] - start[..., 0], end[..., 1] - start[..., 1]
    angle = np.degrees(np.arctan2(east, north)) % 360.0
    # A tiny negative angle folds to 360.0 itself in floating point.
    return np.asarray(np.where(angle >= 360.0, 0.0, angle), dtype=np.float64)
