"""Elevation grids: posts of known height in longitude and latitude, joined without seams."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from geo._types import BoolArray, FloatArray

HeightArray: TypeAlias = npt.NDArray[np.float32]
Datum: TypeAlias = Literal["msl", "hae"]

_ALIGNED = 1e-3
"""Posts of two tiles may lie this part of a step apart; more is another grid."""
_EDGE = 1e-6
_METRES_PER_DEG = 111_320.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeightGrid:
    """Heights at the posts of a regular grid; nan marks a void, where nothing is known.

    Attributes:
        name: where it came from, for messages.
        west_deg, south_deg: longitude and latitude of the south-west post (a point, not a corner
            of a pixel).
        step_lon_deg, step_lat_deg: between posts, positive.
        heights_m: (rows, columns) float32; the first row is the southernmost.
        datum: whether heights are above the sea (MSL, as SRTM's) or the ellipsoid (HAE).
    """

    name: str
    west_deg: float
    south_deg: float
    step_lon_deg: float
    step_lat_deg: float
    heights_m: HeightArray
    datum: Datum

    def __post_init__(self) -> None:
        """Refuse what spans no cell or lies on no globe."""
        if self.heights_m.ndim != 2 or min(self.heights_m.shape) < 2:
            raise ValueError(
                f"{self.name}: heights_m has shape {self.heights_m.shape}; "
                "allowed are at least 2 rows and 2 columns of posts"
            )
        for field in ("step_lon_deg", "step_lat_deg"):
            value = getattr(self, field)
            if not 0.0 < value <= 90.0:
                raise ValueError(f"{self.name}: {field} is {value}; allowed is above 0 to 90")
        if not (self.south_deg >= -90.0 and self.north_deg <= 90.0 + 0.5 * self.step_lat_deg):
            raise ValueError(
                f"{self.name}: latitudes {self.south_deg}..{self.north_deg} deg; allowed is -90..90"
            )
        if not -360.0 <= self.west_deg <= 360.0:
            raise ValueError(
                f"{self.name}: west_deg is {self.west_deg}; allowed is -180..180 (or 0..360)"
            )

    @property
    def east_deg(self) -> float:
        """Longitude of the easternmost posts."""
        return float(self.west_deg + self.step_lon_deg * (self.heights_m.shape[1] - 1))

    @property
    def north_deg(self) -> float:
        """Latitude of the northernmost posts."""
        return float(self.south_deg + self.step_lat_deg * (self.heights_m.shape[0] - 1))

    @property
    def voids(self) -> int:
        """How many posts have no height."""
        return int(np.count_nonzero(~np.isfinite(self.heights_m)))

    def column_row(
        self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        """Return places in steps from the south-west post, across the date line too."""
        middle = 0.5 * (self.west_deg + self.east_deg)
        turn = np.asarray(lon_deg, dtype=np.float64) - middle
        turn = np.mod(turn + 180.0, 360.0) - 180.0
        column = turn / self.step_lon_deg + 0.5 * (self.heights_m.shape[1] - 1)
        row = (np.asarray(lat_deg, dtype=np.float64) - self.south_deg) / self.step_lat_deg
        return np.asarray(column, dtype=np.float64), np.asarray(row, dtype=np.float64)

    def at(self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> FloatArray:
        """Return bilinear heights in the grid's own datum; nan in voids and outside."""
        column, row = np.broadcast_arrays(*self.column_row(lon_deg, lat_deg))
        return bilinear(self.heights_m, column, row)

    def cropped(self, lon_deg: float, lat_deg: float, radius_m: float) -> "HeightGrid":
        """Return the posts within a radius (and the cells it cuts), to spare memory.

        Raises:
            ValueError: the place lies outside the grid.
        """
        column, row = (float(v) for v in self.column_row(lon_deg, lat_deg))
        rows, columns = self.heights_m.shape
        if not (0.0 <= column <= columns - 1 and 0.0 <= row <= rows - 1):
            raise ValueError(
                f"{self.name}: place {lon_deg}, {lat_deg} (lon, lat) lies outside; allowed is "
                f"{self.west_deg:.6f}..{self.east_deg:.6f}, "
                f"{self.south_deg:.6f}..{self.north_deg:.6f}; add the tile of that place"
            )
        reach_row = radius_m / (_METRES_PER_DEG * self.step_lat_deg)
        narrow = max(float(np.cos(np.radians(lat_deg))), 1e-3)
        reach_column = radius_m / (_METRES_PER_DEG * narrow * self.step_lon_deg)
        first_c, last_c = _span(column, reach_column, columns)
        first_r, last_r = _span(row, reach_row, rows)
        return replace(
            self,
            west_deg=self.west_deg + first_c * self.step_lon_deg,
            south_deg=self.south_deg + first_r * self.step_lat_deg,
            heights_m=self.heights_m[first_r : last_r + 1, first_c : last_c + 1].copy(),
        )


def _span(middle: float, reach: float, count: int) -> tuple[int, int]:
    first = max(0, int(np.floor(middle - reach)))
    last = min(count - 1, int(np.ceil(middle + reach)))
    if last == first:
        first, last = (first, last + 1) if last + 1 < count else (first - 1, last)
    return first, last


def bilinear(posts: HeightArray, column: FloatArray, row: FloatArray) -> FloatArray:
    """Return heights between posts; nan beside a void post and outside the posts.

    Args:
        posts: (rows, columns).
        column: (...) in steps from the first column.
        row: the same shape.
    """
    rows, columns = posts.shape
    # The outermost posts belong to the grid however their degrees were rounded.
    inside = (column >= -_EDGE) & (column <= columns - 1 + _EDGE)
    inside &= (row >= -_EDGE) & (row <= rows - 1 + _EDGE)
    c = np.clip(np.floor(np.where(inside, column, 0.0)).astype(np.int64), 0, columns - 2)
    r = np.clip(np.floor(np.where(inside, row, 0.0)).astype(np.int64), 0, rows - 2)
    x, y = column - c, row - r
    south = posts[r, c] * (1.0 - x) + posts[r, c + 1] * x
    north = posts[r + 1, c] * (1.0 - x) + posts[r + 1, c + 1] * x
    return np.asarray(np.where(inside, south * (1.0 - y) + north * y, np.nan), dtype=np.float64)


def mosaic(grids: Sequence[HeightGrid]) -> HeightGrid:
    """Join tiles of one grid into one; shared posts agree, gaps between tiles are voids.

    Where two tiles hold the same post, a known height replaces a void and two known ones are
    averaged, so that neither tile shows an edge.

    Raises:
        ValueError: no tile, another step or datum, or posts that do not lie on one grid.
    """
    if not grids:
        raise ValueError("no elevation tile given; at least one is needed")
    first = grids[0]
    if len(grids) == 1:
        return first
    offsets: list[tuple[int, int]] = []
    for grid in grids:
        for field in ("datum", "step_lon_deg", "step_lat_deg"):
            mine, theirs = getattr(first, field), getattr(grid, field)
            alike = mine == theirs or (
                not isinstance(mine, str) and bool(np.isclose(mine, theirs, rtol=1e-6, atol=0.0))
            )
            if not alike:
                raise ValueError(
                    f"{grid.name}: {field} is {theirs}, of {first.name} it is {mine}; tiles that "
                    "are joined need one step and one datum; convert one of them first"
                )
        column = (grid.west_deg - first.west_deg) / first.step_lon_deg
        row = (grid.south_deg - first.south_deg) / first.step_lat_deg
        if max(abs(column - round(column)), abs(row - round(row))) > _ALIGNED:
            raise ValueError(
                f"{grid.name}: its posts lie {column % 1.0:.4f}, {row % 1.0:.4f} of a step beside "
                f"those of {first.name}; tiles that are joined share one grid; convert one first"
            )
        offsets.append((round(row), round(column)))
    low = np.min(offsets, axis=0)
    high = np.max(
        [np.add(o, g.heights_m.shape) for o, g in zip(offsets, grids, strict=True)], axis=0
    )
    total = np.zeros(tuple(high - low), dtype=np.float32)
    known = np.zeros(total.shape, dtype=np.uint8)
    for (row, column), grid in zip(offsets, grids, strict=True):
        place = (
            slice(row - low[0], row - low[0] + grid.heights_m.shape[0]),
            slice(column - low[1], column - low[1] + grid.heights_m.shape[1]),
        )
        finite: BoolArray = np.isfinite(grid.heights_m)
        total[place] += np.where(finite, grid.heights_m, np.float32(0.0))
        known[place] += finite
    with np.errstate(invalid="ignore"):
        heights = np.where(known > 0, total / known, np.float32(np.nan)).astype(np.float32)
    return HeightGrid(
        name=f"{first.name} and {len(grids) - 1} more",
        west_deg=first.west_deg + float(low[1]) * first.step_lon_deg,
        south_deg=first.south_deg + float(low[0]) * first.step_lat_deg,
        step_lon_deg=first.step_lon_deg,
        step_lat_deg=first.step_lat_deg,
        heights_m=heights,
        datum=first.datum,
    )
