"""What a perfect observer sees of a figure: its box and its silhouette, from the drawn geometry."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulations.bodies.parts import Body
from simulations.body import build
from simulations.figure_raster import Box, Outline, Window, cover_of, outline
from simulations.ground import View
from simulations.walk import FigureState

MIN_DEPTH_M = 1.0
"""What is nearer to the lens than this is not drawn."""

_RING = 16
_STEPS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthBox:
    """What a perfect observer sees of one figure in one frame.

    Attributes:
        box_px: x1, y1, x2, y2 of the whole silhouette, also where it leaves the picture. Tools in
            the hands are left out, and so is the bicycle under a person: the box is the person's.
        visible: whether any part lies inside the picture.
        occluded_fraction: 0..1 of the silhouette that something nearer hides.
    """

    figure: FigureState
    box_px: Box
    visible: bool
    occluded_fraction: float = 0.0


def depth_m(view: View, figure: FigureState) -> float:
    """Return how far ahead of the lens a figure's feet are, along the optical axis."""
    return float(view.to_camera(np.array([figure.feet_enu_m]))[0, 2])


def truth_box(view: View, figure: FigureState) -> TruthBox | None:
    """Return the true box of a figure, or None behind the camera or too near."""
    if depth_m(view, figure) <= MIN_DEPTH_M:
        return None
    box = _box(view, build(figure))
    if not np.isfinite(box).all():
        return None
    lens = view.lens
    visible = (
        box[2] > 0 and box[3] > 0 and box[0] < lens.width_px - 1 and box[1] < lens.height_px - 1
    )
    return TruthBox(figure=figure, box_px=box, visible=visible)


def cover(view: View, figure: FigureState) -> tuple[Window, npt.NDArray[np.float32]] | None:
    """Return where a figure lies in the picture and its coverage 0..1 there; None outside it."""
    flat = outline(view, build(figure))
    shape = (view.lens.height_px, view.lens.width_px)
    place = flat.window(shape)
    return None if place is None else (place, cover_of(flat, place, shape))


def silhouette(view: View, figure: FigureState) -> npt.NDArray[np.float32]:
    """Return (h, w) coverage 0..1 of one figure, drawn alone."""
    whole = np.zeros((view.lens.height_px, view.lens.width_px), dtype=np.float32)
    found = cover(view, figure)
    if found is not None:
        place, part = found
        whole[place] = part
    return whole


def _box(view: View, body: Body) -> Box:
    flat = outline(view, body)
    if body.surface_m is None:
        return flat.truth_box()
    return _over_water(view, flat, body.surface_m)


def _over_water(view: View, flat: Outline, surface_m: float) -> Box:
    """Return the box round what the water does not hide.

    A capsule is a row of spheres. Of each the outline towards the lens counts where it is over
    the water, and the circle in which the water cuts it.
    """
    body = flat.body
    share = np.linspace(0.0, 1.0, _STEPS)[:, None, None]
    centre = body.start_m + share * (body.end_m - body.start_m)
    radius = body.start_radius_m + share[..., 0] * (body.end_radius_m - body.start_radius_m)
    chosen = np.broadcast_to(body.boxed, radius.shape)
    centre, radius = centre[chosen], radius[chosen]
    turn = np.linspace(0.0, 2.0 * np.pi, _RING, endpoint=False)
    ring = np.column_stack((np.cos(turn), np.sin(turn)))
    right, down = view.rotation[:, 0], view.rotation[:, 1]
    disc = ring[:, :1] * right + ring[:, 1:] * down
    outer = (centre[:, None, :] + radius[:, None, None] * disc).reshape(-1, 3)
    sunk = surface_m - centre[:, 2]
    wide = np.sqrt(np.maximum(radius * radius - sunk * sunk, 0.0))
    level = np.column_stack((ring, np.zeros(_RING)))
    cut = centre[:, None, :] + wide[:, None, None] * level
    cut[:, :, 2] = surface_m
    points = np.concatenate(
        (outer[outer[:, 2] >= surface_m], cut[np.abs(sunk) < radius].reshape(-1, 3))
    )
    pixels = view.lens.project(view.to_camera(points))
    corners = [pixels[np.isfinite(pixels[:, 0])]]
    corners += [sheet.points_px for sheet in flat.sheets if sheet.facet.boxed]
    every = np.concatenate(corners)
    if not len(every):
        return float("nan"), float("nan"), float("nan"), float("nan")
    (x1, y1), (x2, y2) = (every.min(axis=0) + 0.5).tolist(), (every.max(axis=0) + 0.5).tolist()
    return x1, y1, x2, y2
