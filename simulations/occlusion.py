"""How much of each figure something nearer hides: other figures, and the ground before it.

Each figure is drawn once more, alone and small, through a cut-out of the camera's own lens, and
what stands before it is drawn through the same cut-out. So the answer is that of the film's own
silhouettes, at a cost that does not grow with the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from geo._types import BoolArray, FloatArray
from simulations.figure_truth import TruthBox, depth_m, silhouette
from simulations.ground import View
from simulations.landscape import Landscape

_ROWS, _COLUMNS = 48, 96
"""A figure is looked at no finer than this; a smaller one in the picture's own pixels."""
_COLUMNS_ASKED = 5
_COVERED = 0.3
_LIFT_M = 0.05
_STEEP = np.sin(np.radians(60.0))

Cover = npt.NDArray[np.float32]


def with_occlusion(
    view: View, boxes: Sequence[TruthBox], landscape: Landscape
) -> tuple[TruthBox, ...]:
    """Return the boxes with ``occluded_fraction`` filled in.

    Args:
        view: the camera's pose at that instant.
        boxes: of all figures in front of the camera, in any order.
        landscape: the ground, for what hills and banks hide.
    """
    hidden = _Hidden.of(view, boxes, landscape)
    return tuple(replace(box, occluded_fraction=hidden.fraction(k)) for k, box in enumerate(boxes))


def cut_out(view: View, box_px: tuple[float, float, float, float]) -> View:
    """Return the camera with its picture cut to a box and shrunk to what occlusion needs."""
    left, top = np.floor(box_px[0]), np.floor(box_px[1])
    width, height = max(box_px[2] - left, 1.0), max(box_px[3] - top, 1.0)
    scale = min(1.0, _ROWS / height, _COLUMNS / width)
    lens = view.lens
    return replace(
        view,
        lens=replace(
            lens,
            fx_px=lens.fx_px * scale,
            fy_px=lens.fy_px * scale,
            # Boxes count from the corner of the first pixel, the lens from its middle.
            cx_px=(lens.cx_px + 0.5 - left) * scale - 0.5,
            cy_px=(lens.cy_px + 0.5 - top) * scale - 0.5,
            width_px=int(np.ceil(width * scale)),
            height_px=int(np.ceil(height * scale)),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Hidden:
    """What lies before each of the figures of one frame."""

    view: View
    boxes: Sequence[TruthBox]
    before: list[list[int]]
    ground: dict[int, tuple[View, Cover, BoolArray]]

    @classmethod
    def of(cls, view: View, boxes: Sequence[TruthBox], landscape: Landscape) -> "_Hidden":
        depths = [depth_m(view, box.figure) for box in boxes]
        before = [
            [
                j
                for j, other in enumerate(boxes)
                if (depths[j], j) < (depths[k], k) and _overlap(box.box_px, other.box_px)
            ]
            for k, box in enumerate(boxes)
        ]
        ground = {} if landscape.flat else _behind_ground(view, boxes, landscape)
        return cls(view, boxes, before, ground)

    def fraction(self, k: int) -> float:
        """Return 0..1 of figure ``k`` that is hidden."""
        if not self.before[k] and k not in self.ground:
            return 0.0
        if k in self.ground:
            small, own, under = self.ground[k]
        else:
            small = cut_out(self.view, self.boxes[k].box_px)
            own = silhouette(small, self.boxes[k].figure)
            under = np.zeros(own.shape, dtype=np.bool_)
        whole = float(own.sum())
        if whole <= 0.0:
            return 0.0
        nearer = under.astype(np.float32)
        for j in self.before[k]:
            np.maximum(nearer, silhouette(small, self.boxes[j].figure), out=nearer)
        return float(np.clip((own * nearer).sum() / whole, 0.0, 1.0))


def _overlap(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _behind_ground(
    view: View, boxes: Sequence[TruthBox], landscape: Landscape
) -> dict[int, tuple[View, Cover, BoolArray]]:
    """Return, for figures that the ground hides in part, which of their small pixels it hides.

    Over a height field what stands above a visible place is visible too. So a few feet are asked
    first, for all figures at once, and only where those are hidden is the figure gone through.
    """
    asked: list[tuple[int, View, Cover, npt.NDArray[np.int64], FloatArray]] = []
    for k in _doubtful(view, boxes, landscape):
        box = boxes[k]
        small = cut_out(view, box.box_px)
        own = silhouette(small, box.figure)
        filled = np.flatnonzero((own > _COVERED).any(axis=0))
        if not len(filled):
            continue
        pick = np.unique(np.linspace(0, len(filled) - 1, _COLUMNS_ASKED).round().astype(np.int64))
        columns = filled[pick]
        lowest = own.shape[0] - 1 - np.argmax((own > _COVERED)[::-1, columns], axis=0)
        feet = _standing(small, box, columns.astype(np.float64), lowest.astype(np.float64))
        asked.append((k, small, own, columns, feet))
    if not asked:
        return {}
    free = landscape.line_of_sight(view.position_enu_m, np.vstack([entry[4] for entry in asked]))
    found = {}
    first = 0
    for k, small, own, columns, feet in asked:
        seen = free[first : first + len(feet)]
        first += len(feet)
        if seen.all():
            continue
        found[k] = (
            small,
            own,
            _hidden_pixels(small, boxes[k], own, columns[~seen], columns, landscape),
        )
    return found


def _doubtful(view: View, boxes: Sequence[TruthBox], landscape: Landscape) -> list[int]:
    """Return the figures at whose box's lower edge some place is hidden."""
    if not boxes:
        return []
    part = np.linspace(0.02, 0.98, _COLUMNS_ASKED)
    places = []
    for box in boxes:
        columns = box.box_px[0] + part * (box.box_px[2] - box.box_px[0]) - 0.5
        places.append(_standing(view, box, columns, np.full(len(part), box.box_px[3] - 0.5)))
    free = landscape.line_of_sight(view.position_enu_m, np.vstack(places))
    seen = free.reshape(len(boxes), len(part)).all(axis=1)
    return [int(k) for k in np.flatnonzero(~seen)]


def _hidden_pixels(
    small: View,
    box: TruthBox,
    own: Cover,
    hidden: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    landscape: Landscape,
) -> BoolArray:
    """Return which pixels the ground hides: each column as the nearest of those asked."""
    rows = np.arange(own.shape[0], dtype=np.float64)
    under = np.zeros((own.shape[0], len(columns)), dtype=np.bool_)
    places = np.vstack(
        [_standing(small, box, np.full(len(rows), float(column)), rows) for column in hidden]
    )
    free = landscape.line_of_sight(small.position_enu_m, places).reshape(len(hidden), len(rows))
    for column, seen in zip(hidden, free, strict=True):
        under[:, np.searchsorted(columns, column)] = ~seen
    nearest = np.abs(np.arange(own.shape[1])[:, None] - columns).argmin(axis=1)
    return np.asarray(under[:, nearest], dtype=np.bool_)


def _standing(small: View, box: TruthBox, columns: FloatArray, rows: FloatArray) -> FloatArray:
    """Return (n, 3) places of pixels on the upright plane through the figure that faces us."""
    figure = box.figure
    feet = np.array(figure.feet_enu_m)
    level = feet[2] if figure.water_level_m is None else max(feet[2], figure.water_level_m)
    away = feet - small.position_enu_m
    rays = small.lens.rays(np.column_stack((columns, rows))) @ small.rotation.T
    flat = np.hypot(away[0], away[1])
    steep = -away[2] > _STEEP * np.linalg.norm(away)
    if steep or flat <= 0.0:
        # Seen from above, a figure is as good as its place.
        places = np.broadcast_to(feet, (len(columns), 3)).copy()
    else:
        facing = np.array([away[0], away[1], 0.0]) / flat
        with np.errstate(divide="ignore", invalid="ignore"):
            places = small.position_enu_m + rays * (flat / (rays @ facing))[:, None]
        places = np.where(np.isfinite(places), places, feet)
    places[:, 2] = np.maximum(places[:, 2], level + _LIFT_M)
    return np.asarray(places, dtype=np.float64)
