"""March rays over a grid of heights to the very first place where each meets the ground.

No step is guessed. A pyramid holds the highest ground of every block of cells; a ray that stays
above a block passes it in one step, any other is followed into smaller blocks and at last through
the single cell, where ray against bilinear ground is a quadratic equation. So no ridge, however
thin, is stepped over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo._types import BoolArray, FloatArray, IntArray
from geo.dem import HeightArray
from geo.terrain import BENEATH, HIT, SKY, UNKNOWN
from geo.terrain_cells import CellEdges, centres_inside
from geo.zone import Polygon

_SIZES = (1, 4, 16, 64)
_NUDGE_M = 1e-3
"""Blocks are looked up this far ahead, so that a ray on a border is in the block it enters."""
_SAG_PER_M2 = 1.0 / 4.0e7
"""A straight ray sags over the curved earth by at most this times the step squared, in a step."""
_ROUNDED_M = 2e-3
"""Heights are kept in half the memory; this is more than that rounds off."""
_CHUNK = 8192
_TOUCH_M = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterSurface:
    """A level surface inside a polygon of (column, row) corners; it replaces the ground."""

    polygon: Polygon
    level_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rays:
    """Rays over the grid as cubic polynomials of the part s = t / reach_m, lowest power first.

    Attributes:
        column, row, height_m: (n, 4) coefficients.
        reach_m: where s is one.
    """

    column: FloatArray
    row: FloatArray
    height_m: FloatArray
    reach_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class March:
    """Where rays ended.

    Attributes:
        range_m: (n,) to the hit; nan without one.
        outcome: (n,) SKY, HIT, UNKNOWN (a void or the end of the tiles hides the hit) or BENEATH
            (the ray starts under the ground).
        wall: (n,) whether the hit is the upright bank at the edge of a water surface.
    """

    range_m: FloatArray
    outcome: IntArray
    wall: BoolArray


class HeightField:
    """Posts with water, prepared for marching. Heights above the ellipsoid, nan for voids.

    Args:
        posts: (rows, columns) float32, south first.
        waters: level surfaces; a later one lies over an earlier one.
    """

    def __init__(self, posts: HeightArray, waters: Sequence[WaterSurface] = ()) -> None:
        self.posts = posts
        self.waters = tuple(waters)
        # Of two posts, then of two rows; nan where any corner is void.
        pairs = np.maximum(posts[:, :-1], posts[:, 1:])
        top: HeightArray = np.maximum(pairs[:-1], pairs[1:])
        self._cells: tuple[int, int] = (top.shape[0], top.shape[1])
        levels = [water.level_m for water in self.waters]
        highest = float(np.fmax.reduce(top, axis=None))
        self.ceiling_m = max([*levels, *([highest] if np.isfinite(highest) else [])], default=0.0)
        self._owner = np.full(top.shape, -1, dtype=np.int32)  # the water that fills a whole cell
        self._edges = CellEdges([water.polygon for water in self.waters], self._cells)
        for k, water in enumerate(self.waters):
            inside = centres_inside(water.polygon, self._cells)
            whole = inside & ~self._edges.touched
            self._owner[whole] = k
            top[whole] = water.level_m
            partly = self._edges.touched & (inside | self._edges.touched_by(k))
            top[partly] = np.fmax(top[partly], water.level_m)
        void = np.isnan(pairs)
        self._void = (void[:-1] | void[1:]) & (self._owner < 0)
        top[self._void] = self.ceiling_m
        self._pyramid, self._offsets, self._widths, self._heights = _pyramid(top, self.ceiling_m)

    def at(self, column: FloatArray, row: FloatArray, ground: FloatArray) -> FloatArray:
        """Return ``ground`` (n,) with the water's level where a place (n,) lies in water."""
        owner = self.owner(column, row)
        if not self.waters:
            return ground
        levels = np.array([water.level_m for water in self.waters])
        return np.asarray(np.where(owner >= 0, levels[owner], ground), dtype=np.float64)

    def owner(self, column: FloatArray, row: FloatArray) -> IntArray:
        """Return (n,) the index of the water at each place; -1 on land and outside the grid."""
        found = np.full(column.shape, -1, dtype=np.int64)
        if not self.waters:
            return found
        inside = self._inside(column, row)
        c = np.where(inside, np.clip(np.floor(column), 0, self._cells[1] - 1), 0).astype(np.int64)
        r = np.where(inside, np.clip(np.floor(row), 0, self._cells[0] - 1), 0).astype(np.int64)
        found = np.where(inside, self._owner[r, c], -1).astype(np.int64)
        unsure = np.flatnonzero(inside & self._edges.touched[r, c])
        if len(unsure):
            places = np.column_stack((column[unsure], row[unsure]))
            for k, water in enumerate(self.waters):
                found[unsure[water.polygon.contains(places)]] = k
        return found

    def _inside(self, column: FloatArray, row: FloatArray) -> BoolArray:
        rows, columns = self._cells
        within = (column >= 0.0) & (column <= columns) & (row >= 0.0) & (row <= rows)
        return np.asarray(within, dtype=np.bool_)

    def march(self, rays: Rays) -> March:
        """Follow every ray to its first meeting with ground or water."""
        count = len(rays.column)
        range_m = np.full(count, np.nan)
        outcome = np.zeros(count, dtype=np.int64)
        wall = np.zeros(count, dtype=np.bool_)
        for start in range(0, count, _CHUNK):
            chunk = slice(start, min(count, start + _CHUNK))
            coefficients = np.stack((rays.column[chunk], rays.row[chunk], rays.height_m[chunk]))
            range_m[chunk], outcome[chunk], wall[chunk] = self._march(coefficients, rays.reach_m)
        return March(range_m=range_m, outcome=outcome, wall=wall)

    def _march(
        self, coefficients: FloatArray, reach_m: float
    ) -> tuple[FloatArray, IntArray, BoolArray]:
        # Powers of metres instead of parts: one product less in every step.
        poly = np.ascontiguousarray(
            (coefficients / reach_m ** np.arange(4)).transpose(2, 0, 1)
        )  # (4, 3, n)
        count = poly.shape[2]
        range_m, wall = np.full(count, np.nan), np.zeros(count, dtype=np.bool_)
        outcome = np.full(count, SKY, dtype=np.int64)
        alive = np.arange(count)
        t = np.zeros(count)
        level = np.full(count, len(_SIZES) - 1)
        here = poly[0].copy()  # (3, n) column, row, height at t
        sizes = np.array(_SIZES, dtype=np.float64)
        while len(alive):
            slope = poly[1] + t * (2.0 * poly[2] + t * (3.0 * poly[3]))
            size = sizes[level]
            block = np.floor((here[:2] + slope[:2] * _NUDGE_M) / size)
            with np.errstate(divide="ignore", invalid="ignore"):
                leave = ((block + (slope[:2] > 0.0)) * size - here[:2]) / slope[:2]
            leave = np.where(slope[:2] == 0.0, np.inf, leave).min(axis=0)
            step = np.clip(leave, _NUDGE_M, reach_m)
            end = np.minimum(t + step, reach_m)
            there = _at(poly, end)
            lowest = np.minimum(here[2], there[2]) - _SAG_PER_M2 * (end - t) ** 2
            highest, inside = self._highest(level, block)
            clear = lowest > highest + _ROUNDED_M
            done = (t >= reach_m) | ((slope[2] > 0.0) & (here[2] > self.ceiling_m))
            leaf = np.flatnonzero(~clear & (level == 0) & ~done)
            level = np.where(
                clear, np.minimum(level + 1, len(_SIZES) - 1), np.maximum(level - 1, 0)
            )
            moved = clear.copy()
            if len(leaf):
                level[leaf] = 0
                moved[leaf] = True
                told = self._leaf(
                    poly[:, :, leaf], t[leaf], end[leaf], block[:, leaf], inside[leaf]
                )
                end[leaf], code, at_wall = told
                there[:, leaf] = _at(poly[:, :, leaf], end[leaf])
                over = code != SKY
                rows = alive[leaf[over]]
                outcome[rows], wall[rows] = code[over], at_wall[over]
                range_m[rows] = np.where(code[over] == HIT, end[leaf[over]], np.nan)
                done[leaf[over]] = True
            t = np.where(moved, end, t)
            here = np.where(moved, there, here)
            if done.any():
                stay = ~done
                alive, t, level = alive[stay], t[stay], level[stay]
                here, poly = here[:, stay], np.ascontiguousarray(poly[:, :, stay])
        return range_m, outcome, wall

    def _highest(self, level: IntArray, block: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Return the highest ground in and beside each block, and whether it is in the grid."""
        column, row = block[0].astype(np.int64), block[1].astype(np.int64)
        width, height = self._widths[level], self._heights[level]
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        index = self._offsets[level] + np.where(inside, row * width + column, 0)
        return np.where(inside, self._pyramid[index], self.ceiling_m), inside

    def _leaf(
        self, poly: FloatArray, t: FloatArray, end: FloatArray, block: FloatArray, inside: BoolArray
    ) -> tuple[FloatArray, IntArray, BoolArray]:
        """Meet rays with the ground of one cell each.

        Returns:
            Where each ray goes on (or hit), its outcome (SKY: not in this cell), and whether it
            hit an upright bank.
        """
        column = np.where(inside, block[0], 0).astype(np.int64)
        row = np.where(inside, block[1], 0).astype(np.int64)
        if self.waters:
            part = self._edges.first_crossing(
                _at(poly, t)[:2], _at(poly, end)[:2], end - t, row * self._cells[1] + column
            )
            end = t + part * (end - t)
        middle = 0.5 * (t + end)
        points = [_at(poly, moment) for moment in (t, middle, end)]
        owner = self._owner[row, column].astype(np.int64)
        void = self._void[row, column] | ~inside
        if self.waters:
            unsure = np.flatnonzero(self._edges.touched[row, column])
            owner[unsure] = self.owner(points[1][0, unsure], points[1][1, unsure])
        wet = owner >= 0
        void &= ~wet
        x0, y0 = column.astype(np.float64), row.astype(np.float64)
        corner = [
            self.posts[row + i, column + j].astype(np.float64) for i in (0, 1) for j in (0, 1)
        ]
        levels = np.array([water.level_m for water in self.waters] or [0.0])
        gaps = []
        for point in points:
            x, y = point[0] - x0, point[1] - y0
            south = corner[0] * (1.0 - x) + corner[1] * x
            north = corner[2] * (1.0 - x) + corner[3] * x
            ground = np.where(wet, levels[owner], south * (1.0 - y) + north * y)
            gaps.append(point[2] - ground)
        first, centre, last = gaps
        origin = t == 0.0
        beneath = origin & (first < -_TOUCH_M)
        # A ray may start on the ground itself: what counts is whether it comes back to it.
        first = np.where(origin & (np.abs(first) <= _TOUCH_M), 1e-12, first)
        at_wall = first <= 0.0
        part = _first_root(first, centre, last)
        hit = at_wall | np.isfinite(part)
        part = np.where(at_wall, 0.0, np.nan_to_num(part, nan=1.0))
        where = np.where(hit, t + part * (end - t), end)
        code = np.where(hit, HIT, SKY)
        code = np.where(beneath, BENEATH, code)
        code = np.where(void, UNKNOWN, code)
        return where, code.astype(np.int64), np.asarray(at_wall & hit, dtype=np.bool_)


def _at(poly: FloatArray, t: FloatArray) -> FloatArray:
    """Return (3, n) column, row, height of the rays at (n,) ranges."""
    return np.asarray(poly[0] + t * (poly[1] + t * (poly[2] + t * poly[3])), dtype=np.float64)


def _first_root(first: FloatArray, centre: FloatArray, last: FloatArray) -> FloatArray:
    """Return the first u in 0..1 where the parabola through (0, 1/2, 1) falls to zero, else nan."""
    a = 2.0 * (first - 2.0 * centre + last)
    b = -3.0 * first + 4.0 * centre - last
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(b * b - 4.0 * a * first)
        # The form without cancellation; first > 0, so the smaller positive root is the entry.
        q = -0.5 * (b + np.where(b >= 0.0, root, -root))
        one, two = first / q, q / a
        one = np.where((one >= 0.0) & (one <= 1.0), one, np.inf)
        two = np.where((two >= 0.0) & (two <= 1.0), two, np.inf)
    found = np.minimum(one, two)
    # Rounding must not lose a ray that is above at the start and beneath at the end.
    found = np.where(~np.isfinite(found) & (last <= 0.0), 1.0, found)
    return np.asarray(np.where(np.isfinite(found), found, np.nan), dtype=np.float64)


def _pyramid(
    top: HeightArray, ceiling_m: float
) -> tuple[HeightArray, IntArray, IntArray, IntArray]:
    """Return the highest ground of all blocks of all sizes in one array, with offsets and shapes.

    Larger blocks hold the rim of one cell around them too: rays bend slightly over the grid, and
    must not slip past a block's corner.
    """
    parts, offsets, widths, heights = [top.ravel()], [0], [top.shape[1]], [top.shape[0]]
    rim = top.copy()
    np.maximum(rim[1:], top[:-1], out=rim[1:])
    np.maximum(rim[:-1], top[1:], out=rim[:-1])
    tall = rim.copy()
    np.maximum(rim[:, 1:], tall[:, :-1], out=rim[:, 1:])
    np.maximum(rim[:, :-1], tall[:, 1:], out=rim[:, :-1])
    for size in _SIZES[1:]:
        rows, columns = -(-top.shape[0] // size), -(-top.shape[1] // size)
        fill = np.pad(
            rim,
            ((0, rows * size - top.shape[0]), (0, columns * size - top.shape[1])),
            constant_values=ceiling_m,  # beyond the grid nothing is known
        )
        block = fill.reshape(rows, size, columns, size).max(axis=(1, 3))
        offsets.append(offsets[-1] + parts[-1].size)
        parts.append(block.ravel())
        widths.append(columns)
        heights.append(rows)
    return (
        np.concatenate(parts),
        np.array(offsets, dtype=np.int64),
        np.array(widths, dtype=np.int64),
        np.array(heights, dtype=np.int64),
    )
