"""Which cells of a grid a polygon fills, which its edges touch, and where a ray crosses them."""

from collections.abc import Sequence

import numpy as np

from geo._types import BoolArray, FloatArray, IntArray
from geo.zone import Polygon

_SAMPLE_STEP = 0.25
"""Cells between the samples of an edge; each sample marks all cells this near."""
_SAME_EDGE_M = 1e-4
"""A ray that has just been stopped at an edge is not stopped there again."""
_POINTS_AT_ONCE = 200_000


def centres_inside(polygon: Polygon, shape: tuple[int, int]) -> BoolArray:
    """Return (rows, columns) whether the middle of each cell lies in a (column, row) polygon."""
    found = np.zeros(shape, dtype=np.bool_)
    low = np.clip(np.floor(polygon.vertices_enu_m.min(axis=0)), 0, shape[::-1]).astype(np.int64)
    high = np.clip(np.ceil(polygon.vertices_enu_m.max(axis=0)), 0, shape[::-1]).astype(np.int64)
    columns = np.arange(low[0], high[0])
    if not len(columns):
        return found
    band = max(1, _POINTS_AT_ONCE // (len(columns) * len(polygon.vertices_enu_m)))
    for start in range(int(low[1]), int(high[1]), band):
        rows = np.arange(start, min(start + band, int(high[1])))
        x, y = np.meshgrid(columns + 0.5, rows + 0.5)
        inside = polygon.contains(np.column_stack((x.ravel(), y.ravel())))
        found[rows[0] : rows[-1] + 1, low[0] : high[0]] = inside.reshape(x.shape)
    return found


class CellEdges:
    """The edges of polygons, listed by the cells that they touch.

    Args:
        polygons: with (column, row) corners.
        shape: rows and columns of cells.
    """

    def __init__(self, polygons: Sequence[Polygon], shape: tuple[int, int]) -> None:
        rings = [polygon.vertices_enu_m for polygon in polygons]
        owners = [np.full(len(ring), k) for k, ring in enumerate(rings)]
        empty = np.empty((0, 2))
        self._start = np.concatenate([empty, *rings])
        self._step = np.concatenate([empty, *[np.roll(ring, -1, axis=0) for ring in rings]])
        self._step = self._step - self._start
        self._polygon = np.concatenate([np.empty(0, dtype=np.int64), *owners])
        pairs = self._touching(shape)
        self._cell_of_pair, self._edge = pairs[:, 0].copy(), pairs[:, 1].copy()
        self.touched: BoolArray = np.zeros(shape, dtype=np.bool_)
        self.touched.ravel()[self._cell_of_pair] = True

    def touched_by(self, polygon: int) -> BoolArray:
        """Return (rows, columns) whether an edge of one polygon touches each cell."""
        mine = self._cell_of_pair[self._polygon[self._edge] == polygon]
        found = np.zeros(self.touched.size, dtype=np.bool_)
        found[mine] = True
        return found.reshape(self.touched.shape)

    def first_crossing(
        self, start: FloatArray, end: FloatArray, length_m: FloatArray, cell: IntArray
    ) -> FloatArray:
        """Return (n,) the part 0..1 of straight ways at which they first cross an edge; else 1.

        Args:
            start: (2, n) column, row of ways that stay inside one cell each.
            end: the same of their ends.
            length_m: (n,) of the ways.
            cell: (n,) row * columns + column.
        """
        part = np.ones(len(cell))
        first = np.searchsorted(self._cell_of_pair, cell, side="left")
        many = np.searchsorted(self._cell_of_pair, cell, side="right") - first
        near = np.flatnonzero(many > 0)
        if not len(near):
            return part
        slots = np.arange(int(many[near].max()))
        listed = slots < many[near, None]
        edge = self._edge[np.where(listed, first[near, None] + slots, 0)]
        way = (end - start)[:, near]
        offset = self._start[edge] - start[:, near].T[:, None, :]
        along = self._step[edge]
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = way[0][:, None] * along[..., 1] - way[1][:, None] * along[..., 0]
            on_way = (offset[..., 0] * along[..., 1] - offset[..., 1] * along[..., 0]) / turn
            on_edge = (offset[..., 0] * way[1][:, None] - offset[..., 1] * way[0][:, None]) / turn
            good = listed & (on_way < 1.0) & (on_way * length_m[near, None] > _SAME_EDGE_M)
            good &= (on_edge >= 0.0) & (on_edge <= 1.0)
        part[near] = np.where(good, on_way, 1.0).min(axis=1)
        return part

    def _touching(self, shape: tuple[int, int]) -> IntArray:
        """Return (k, 2) pairs of cell and edge, sorted by cell; rather one too many than too few."""
        if not len(self._start):
            return np.empty((0, 2), dtype=np.int64)
        samples = np.ceil(np.abs(self._step).max(axis=1) / _SAMPLE_STEP).astype(np.int64) + 1
        edge = np.repeat(np.arange(len(samples)), samples)
        order = np.arange(len(edge)) - np.repeat(np.cumsum(samples) - samples, samples)
        part = order / np.maximum(samples[edge] - 1, 1)
        places = self._start[edge] + part[:, None] * self._step[edge]
        pairs = []
        for shift in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            corner = np.floor(places + np.array(shift) * _SAMPLE_STEP).astype(np.int64)
            inside = np.all((corner >= 0) & (corner < shape[::-1]), axis=1)
            pairs.append(
                np.column_stack((corner[inside, 1] * shape[1] + corner[inside, 0], edge[inside]))
            )
        return np.asarray(np.unique(np.concatenate(pairs), axis=0), dtype=np.int64)
