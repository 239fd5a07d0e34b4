"""Fill narrow voids of elevation tiles from their edges, where an operator asks for it."""

from dataclasses import replace

import numpy as np

from geo._types import BoolArray, FloatArray, IntArray
from geo.dem import HeightGrid

_WAYS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))


def filled(grid: HeightGrid, *, widest_posts: int) -> HeightGrid:
    """Return the grid with voids of at most ``widest_posts`` across given a height.

    A void post lies in such a gap when along a row, a column or a diagonal known posts stand on
    both sides of it with no more than so many void posts between them. It takes the mean of the
    straight lines over its gaps, each weighed by one over the gap's width squared; a wide void
    keeps its middle, since nobody knows what stands there.

    Args:
        grid: with nan at its voids.
        widest_posts: void posts between two known ones; 0 fills nothing.
    """
    void: BoolArray = ~np.isfinite(grid.heights_m)
    if widest_posts <= 0 or not void.any():
        return grid
    row, column = np.nonzero(void)
    near = [_first_known(grid, void, (row, column), way, widest_posts) for way in _WAYS]
    weight = np.zeros(len(row))
    total = np.zeros(len(row))
    for (away, height), (back, other) in zip(near[0::2], near[1::2], strict=True):
        # Of the eight ways, neighbours in the list are opposite ends of one line.
        gap = away + back
        good = np.isfinite(height) & np.isfinite(other) & (gap <= widest_posts + 1)
        with np.errstate(invalid="ignore"):
            line = (height * back + other * away) / gap
        part = np.where(good, 1.0 / gap.astype(np.float64) ** 2, 0.0)
        weight += part
        total += np.where(good, part * line, 0.0)
    found = weight > 0.0
    heights = grid.heights_m.copy()
    heights[row[found], column[found]] = (total[found] / weight[found]).astype(np.float32)
    return replace(grid, heights_m=heights)


def _first_known(
    grid: HeightGrid,
    void: BoolArray,
    place: tuple[IntArray, IntArray],
    way: tuple[int, int],
    widest: int,
) -> tuple[IntArray, FloatArray]:
    """(k,) posts to the first known one in a direction, and its height; nan where none is near."""
    (row, column), (rows, columns) = place, void.shape
    away = np.ones(len(row), dtype=np.int64)
    height = np.full(len(row), np.nan)
    looking = np.ones(len(row), dtype=np.bool_)
    for distance in range(1, widest + 1):
        r, c = row + way[0] * distance, column + way[1] * distance
        inside = looking & (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
        hit = np.flatnonzero(inside)
        hit = hit[~void[r[hit], c[hit]]]
        height[hit] = grid.heights_m[r[hit], c[hit]]
        away[hit] = distance
        looking &= inside
        looking[hit] = False
    return away, height
