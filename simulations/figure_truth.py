"""What a perfect observer sees of a figure: its box and its silhouette, from the drawn geometry."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simulations.body import Body, build
from simulations.figure_capsule import capsule, project
from simulations.ground import View
from simulations.walk import FigureState

MIN_DEPTH_M = 1.0
"""What is nearer to the lens than this is not drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthBox:
    """What a perfect observer sees of one person in one frame.

    Attributes:
        box_px: x1, y1, x2, y2 of the whole silhouette, also where it leaves the picture.
        visible: whether any part lies inside the picture.
        occluded_fraction: 0..1 of the silhouette that something nearer hides.
    """

    figure: FigureState
    box_px: tuple[float, float, float, float]
    visible: bool
    occluded_fraction: float = 0.0


def depth_m(view: View, figure: FigureState) -> float:
    """Return how far ahead of the lens a figure's feet are, along the optical axis."""
    return float(view.to_camera(np.array([figure.feet_enu_m]))[0, 2])


def truth_box(view: View, figure: FigureState) -> TruthBox | None:
    """Return the true box of a figure, or None behind the camera or too near."""
    if depth_m(view, figure) <= MIN_DEPTH_M:
        return None
    box = project(view, _person(figure)).box()
    lens = view.lens
    visible = (
        box[2] > 0 and box[3] > 0 and box[0] < lens.width_px - 1 and box[1] < lens.height_px - 1
    )
    return TruthBox(figure=figure, box_px=box, visible=visible)


def silhouette(view: View, figure: FigureState) -> npt.NDArray[np.float32]:
    """Return (h, w) coverage 0..1 of one figure, drawn alone."""
    cover = np.zeros((view.lens.height_px, view.lens.width_px), dtype=np.float32)
    limbs = project(view, _person(figure))
    for k in range(len(limbs.material)):
        patch = capsule(limbs, k, cover.shape)
        if patch is not None:
            area = cover[patch.rows, patch.columns]
            np.maximum(area, patch.cover, out=area)
    return cover


def _person(figure: FigureState) -> Body:
    """Return the body without a tool in the hands: a box round a person leaves the hoe out."""
    if figure.looks.load == "hoe":
        figure = replace(figure, looks=replace(figure.looks, load="none"))
    return build(figure)
