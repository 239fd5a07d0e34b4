"""How much of each figure something nearer hides: other figures, and the ground before it.

Each figure is drawn once more, alone and small, through a cut-out of the camera's own lens, and
what stands before it is drawn through the same cut-out. So the answer is that of the film's own
silhouettes, at a cost that does not grow with the picture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geo._types import BoolArray, FloatArray
from simulations.figure_truth import TruthBox, depth_m, silhouette
from simulations.ground import Image, View
from simulations.landscape import Landscape

_ROWS, _COLUMNS = 48, 96
"""A figure is looked at no finer than this; a smaller one in the picture's own pixels."""
_COLUMNS_ASKED = 7
_RIM_PX = 4
_LIFT_M = 0.05
_STEEP = np.sin(np.radians(60.0))


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
class Screen:
    """The edge of the ground before one figure: what is under it in the picture is hidden.

    Attributes:
        columns_px: (n,) growing, in pixels.
        rows_px: (n,) of the edge there; under the figure's feet where all of it is seen.
        box_px: of the figure.
    """

    columns_px: FloatArray
    rows_px: FloatArray
    box_px: tuple[float, float, float, float]

    def hides(self, columns_px: FloatArray, rows_px: FloatArray) -> BoolArray:
        """Return (rows, columns) whether pixels of a window lie under the edge."""
        edge = np.interp(columns_px, self.columns_px, self.rows_px)
        return np.asarray(rows_px[:, None] > edge[None, :], dtype=np.bool_)

    def draw_behind(self, picture: Image, draw: Callable[[], None]) -> None:
        """Let ``draw`` paint the figure, and put back what the ground hides of it."""
        x1, y1, x2, y2 = self.box_px
        rows = slice(max(0, int(y1) - _RIM_PX), min(picture.shape[0], int(y2) + _RIM_PX))
        columns = slice(max(0, int(x1) - _RIM_PX), min(picture.shape[1], int(x2) + _RIM_PX))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        before = picture[rows, columns].copy()
        draw()
        hidden = self.hides(
            np.arange(columns.start, columns.stop, dtype=np.float64),
            np.arange(rows.start, rows.stop, dtype=np.float64),
        )
        picture[rows, columns][hidden] = before[hidden]


def screens(view: View, boxes: Sequence[TruthBox], landscape: Landscape) -> dict[int, Screen]:
    """Return, for the boxes that the ground hides in part, the edge that hides them.

    Over a height field what stands above a visible place is visible too. So the lower edges of
    all boxes are asked first, and only where something is hidden there the edge is looked for.
    """
    if landscape.flat or not boxes:
        return {}
    part = np.linspace(0.02, 0.98, _COLUMNS_ASKED)
    columns = [box.box_px[0] + part * (box.box_px[2] - box.box_px[0]) - 0.5 for box in boxes]
    feet = [
        _standing(view, box, line, np.full(len(part), box.box_px[3] - 0.5))
        for box, line in zip(boxes, columns, strict=True)
    ]
    seen = landscape.line_of_sight(view.position_enu_m, np.vstack(feet))
    doubtful = np.flatnonzero(~seen.reshape(len(boxes), len(part)).all(axis=1)).tolist()
    if not doubtful:
        return {}
    rows = {k: np.linspace(boxes[k].box_px[1], boxes[k].box_px[3], _ROWS) - 0.5 for k in doubtful}
    places = []
    for k in doubtful:
        grid = np.meshgrid(columns[k], rows[k], indexing="ij")
        places.append(_standing(view, boxes[k], grid[0].ravel(), grid[1].ravel()))
    free = landscape.line_of_sight(view.position_enu_m, np.vstack(places))
    found = {}
    for k, clear in zip(doubtful, free.reshape(len(doubtful), len(part), _ROWS), strict=True):
        # From the top down: half a step before the first hidden row.
        first = np.where(clear.all(axis=1), _ROWS + 1.0, np.argmin(clear, axis=1)) - 0.5
        edge = rows[k][0] + first * (rows[k][1] - rows[k][0])
        found[k] = Screen(columns_px=columns[k], rows_px=edge, box_px=boxes[k].box_px)
    return found


@dataclass(frozen=True, slots=True)
class _Hidden:
    """What lies before each of the figures of one frame."""

    view: View
    boxes: Sequence[TruthBox]
    before: list[list[int]]
    ground: dict[int, Screen]

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
        return cls(view, boxes, before, screens(view, boxes, landscape))

    def fraction(self, k: int) -> float:
        """Return 0..1 of figure ``k`` that is hidden."""
        if not self.before[k] and k not in self.ground:
            return 0.0
        small = cut_out(self.view, self.boxes[k].box_px)
        own = silhouette(small, self.boxes[k].figure)
        whole = float(own.sum())
        if whole <= 0.0:
            return 0.0
        nearer = np.zeros_like(own)
        if k in self.ground:
            # From small pixels back to the picture's.
            scale = small.lens.fx_px / self.view.lens.fx_px
            left, top = np.floor(self.boxes[k].box_px[:2])
            rows, columns = (np.arange(n) + 0.5 for n in own.shape)
            hidden = self.ground[k].hides(columns / scale + left - 0.5, rows / scale + top - 0.5)
            nearer[hidden] = 1.0
        for j in self.before[k]:
            np.maximum(nearer, silhouette(small, self.boxes[j].figure), out=nearer)
        return float(np.clip((own * nearer).sum() / whole, 0.0, 1.0))


def _overlap(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


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
