"""How much of each figure plants and posts hide, by the very cut-outs that the film lays over it."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from geo._types import FloatArray
from simulations.figure_truth import TruthBox, depth_m, silhouette
from simulations.ground import View
from simulations.occlusion import cut_out
from simulations.standing import Standing

_MOST_PX = 1200


class StandingTruth:
    """What stands before one camera, to ask for figures behind it.

    Args:
        standing: of the camera.
        view: its mean pose.
        margin_px: how far things may move in the picture, by sway and wind.
    """

    def __init__(self, standing: Sequence[Standing], view: View, margin_px: float) -> None:
        self._standing = standing
        boxes = np.array([thing.box_px(view) for thing in standing]).reshape(-1, 4)
        self._boxes: FloatArray = boxes + np.array([-1.0, -1.0, 1.0, 1.0]) * margin_px
        self._depths_m = np.array([thing.depth_m for thing in standing])

    def with_plants(
        self, view: View, boxes: Sequence[TruthBox], t_s: float, wind_m_s: float
    ) -> tuple[TruthBox, ...]:
        """Return the boxes with what is hidden here joined to what they already state."""
        return tuple(self._with(view, box, t_s, wind_m_s) for box in boxes)

    def _with(self, view: View, box: TruthBox, t_s: float, wind_m_s: float) -> TruthBox:
        if not len(self._standing) or not box.visible:
            return box
        x1, y1, x2, y2 = box.box_px
        nearer = (
            (self._depths_m < depth_m(view, box.figure))
            & (self._boxes[:, 0] < x2) & (self._boxes[:, 2] > x1)
            & (self._boxes[:, 1] < y2) & (self._boxes[:, 3] > y1)
        )  # fmt: skip
        if not nearer.any() or max(x2 - x1, y2 - y1) > _MOST_PX:
            return box
        own = silhouette(cut_out(view, box.box_px), box.figure)
        whole = float(own.sum())
        if whole <= 0.0:
            return box
        left, top = np.floor(x1), np.floor(y1)
        lens = replace(view.lens, cx_px=view.lens.cx_px - left, cy_px=view.lens.cy_px - top)
        there = replace(view, lens=lens)
        size = (int(np.ceil(y2 - top)), int(np.ceil(x2 - left)))
        cover = np.zeros(size, dtype=np.float32)
        for k in np.flatnonzero(nearer):
            self._standing[int(k)].cover(cover, there, t_s, wind_m_s)
        small = cv2.resize(cover, own.shape[::-1], interpolation=cv2.INTER_AREA)
        share = float(np.clip((own * small).sum() / whole, 0.0, 1.0))
        return replace(box, occluded_fraction=1.0 - (1.0 - box.occluded_fraction) * (1.0 - share))
