"""The piece of ground that a bearing with a range may mean, and how it lies in a polygon."""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from geo.zone import Polygon

Array = npt.NDArray[np.float64]
_CHORD_DEG = 2.0
"""Longest piece of an arc that is taken for straight."""


class Sector:
    """All places within some azimuths and some ranges of a sensor.

    Args:
        apex_enu_m: (2,) the sensor.
        azimuth_deg: Of the middle, true.
        half_width_deg: To either side; from 180 on it is the whole circle.
        range_m: Least and greatest.
    """

    def __init__(
        self,
        apex_enu_m: Array,
        *,
        azimuth_deg: float,
        half_width_deg: float,
        range_m: tuple[float, float],
    ) -> None:
        self._apex = apex_enu_m
        self._azimuth_deg = azimuth_deg
        self._half_width_deg = min(180.0, half_width_deg)
        self._range_m = range_m

    def part_in(self, polygon: Polygon) -> Literal["no", "partly", "all"]:
        """How much of it lies in a polygon, however small the polygon is."""
        outline = self._outline()
        corners = polygon.contains(outline)
        crossed = _cross(outline, polygon.vertices_enu_m)
        if bool(corners.all()) and not crossed:
            return "all"
        touched = crossed or bool(corners.any()) or self._holds_any(polygon.vertices_enu_m)
        return "partly" if touched else "no"

    def _outline(self) -> Array:
        """(n, 2) corners round it; its chords lie on or outside its edge, never within."""
        pieces = max(1, math.ceil(2.0 * self._half_width_deg / _CHORD_DEG))
        spread = np.linspace(-self._half_width_deg, self._half_width_deg, pieces + 1)
        azimuth = np.radians(self._azimuth_deg + spread)
        rays = np.column_stack([np.sin(azimuth), np.cos(azimuth)])
        near_m, far_m = self._range_m
        far_m /= math.cos(math.radians(self._half_width_deg / pieces))
        return np.concatenate([self._apex + rays * far_m, self._apex + rays[::-1] * near_m])

    def _holds_any(self, points: Array) -> bool:
        east, north = (points - self._apex).T
        turn_deg = np.degrees(np.arctan2(east, north)) - self._azimuth_deg
        off_deg = np.abs((turn_deg + 180.0) % 360.0 - 180.0)
        range_m = np.hypot(east, north)
        near_m, far_m = self._range_m
        within = (off_deg <= self._half_width_deg) & (near_m <= range_m) & (range_m <= far_m)
        return bool(within.any())


def _cross(one: Array, other: Array) -> bool:
    """Whether an edge of one closed outline (n, 2) crosses one of another (m, 2)."""
    a, b = one[:, None, :], np.roll(one, -1, axis=0)[:, None, :]
    c, d = other[None, :, :], np.roll(other, -1, axis=0)[None, :, :]
    parted = _side(a, b, c) * _side(a, b, d) < 0.0
    return bool((parted & (_side(c, d, a) * _side(c, d, b) < 0.0)).any())


def _side(start: Array, end: Array, point: Array) -> Array:
    """Sign of the side of a line on which a point lies; the last axis is east, north."""
    way, off = end - start, point - start
    return np.asarray(np.sign(way[..., 0] * off[..., 1] - way[..., 1] * off[..., 0]))
