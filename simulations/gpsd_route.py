"""Where a receiver truly is: a place in time, standing still or on its way."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from geo.frames import EnuFrame, GeodeticPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The truth at one instant.

    Attributes:
        point: WGS 84, above the ellipsoid.
        velocity_enu_m_s: east, north, up.
    """

    point: GeodeticPoint
    velocity_enu_m_s: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Route(Protocol):
    """A path in time."""

    def at(self, t_s: float) -> Where:
        """Return where it is at a moment of the scenario."""
        ...


class Standing:
    """A receiver on a mast."""

    def __init__(self, point: GeodeticPoint) -> None:
        self._where = Where(point=point)

    def at(self, t_s: float) -> Where:
        """Return the one place, whenever."""
        del t_s
        return self._where


class Walking:
    """Straight from way point to way point at one speed, then standing at the last.

    Args:
        points: two or more.
        speed_m_s: over the straight legs.
        start_s: moment at the first point.
    """

    def __init__(
        self, points: Sequence[GeodeticPoint], *, speed_m_s: float, start_s: float = 0.0
    ) -> None:
        if len(points) < 2 or not speed_m_s > 0.0:
            raise ValueError(
                f"{len(points)} points at speed_m_s {speed_m_s}; allowed are two or more at a speed over 0"
            )
        self._frame = EnuFrame(points[0])
        self._enu_m = np.stack([self._frame.point_to_enu(point) for point in points])
        legs_m = np.linalg.norm(np.diff(self._enu_m, axis=0), axis=1)
        self._due_s = start_s + np.concatenate([[0.0], np.cumsum(legs_m)]) / speed_m_s

    def at(self, t_s: float) -> Where:
        """Return the point between the way points of that moment."""
        enu_m = [float(np.interp(t_s, self._due_s, self._enu_m[:, axis])) for axis in range(3)]
        velocity = (0.0, 0.0, 0.0)
        leg = int(np.searchsorted(self._due_s, t_s, side="right")) - 1
        if 0 <= leg < len(self._due_s) - 1:
            step_m = self._enu_m[leg + 1] - self._enu_m[leg]
            east, north, up = step_m / (self._due_s[leg + 1] - self._due_s[leg])
            velocity = (float(east), float(north), float(up))
        return Where(point=self._frame.point_to_geodetic(enu_m), velocity_enu_m_s=velocity)


def moved(point: GeodeticPoint, *, distance_m: float, azimuth_deg: float) -> GeodeticPoint:
    """Return the point a distance away, at the same height."""
    azimuth = math.radians(azimuth_deg)
    east_m, north_m = distance_m * math.sin(azimuth), distance_m * math.cos(azimuth)
    there = EnuFrame(point).point_to_geodetic([east_m, north_m, 0.0])
    return GeodeticPoint(lon_deg=there.lon_deg, lat_deg=there.lat_deg, alt_hae_m=point.alt_hae_m)
