"""Degrees to metres and back around the place where the copter was switched on."""

import math
from dataclasses import dataclass

from simulations.vehicle.ports import Place

_WGS84_A_M = 6378137.0
_WGS84_E2 = 6.69437999014e-3


@dataclass(frozen=True, slots=True)
class LocalPlane:
    """North and east metres on the plane that touches the ellipsoid at an origin.

    Good to 1 part in 10 000 within a few kilometres, which is more than a copter flies.

    Attributes:
        lat_deg: of the origin.
        lon_deg: of the origin.
        north_m_per_deg: metres of one degree of latitude.
        east_m_per_deg: metres of one degree of longitude.
    """

    lat_deg: float
    lon_deg: float
    north_m_per_deg: float
    east_m_per_deg: float

    @classmethod
    def around(cls, lat_deg: float, lon_deg: float) -> "LocalPlane":
        """Build the plane of one origin.

        Source: radii of curvature of the ellipsoid in the meridian and the prime vertical.
        """
        sine = math.sin(math.radians(lat_deg))
        bend = 1.0 - _WGS84_E2 * sine * sine
        meridian_m = _WGS84_A_M * (1.0 - _WGS84_E2) / bend**1.5
        vertical_m = _WGS84_A_M / math.sqrt(bend)
        return cls(
            lat_deg,
            lon_deg,
            math.radians(meridian_m),
            math.radians(vertical_m * math.cos(math.radians(lat_deg))),
        )

    def to_ne_m(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """Degrees to (north, east) metres from the origin."""
        return (
            (lat_deg - self.lat_deg) * self.north_m_per_deg,
            (lon_deg - self.lon_deg) * self.east_m_per_deg,
        )

    def to_place(self, north_m: float, east_m: float, alt_msl_m: float) -> Place:
        """(north, east) metres and a height to a place."""
        return Place(
            lat_deg=self.lat_deg + north_m / self.north_m_per_deg,
            lon_deg=self.lon_deg + east_m / self.east_m_per_deg,
            alt_msl_m=alt_msl_m,
        )
