"""Draw figures: shaded, with the texture of their cloth and hide, and what they do to the ground.

A figure is drawn on a layer of its own, softened there as the lens and the sensor do, and laid
over the picture, which stays untouched around it.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from geo._types import FloatArray
from simulations.bodies.parts import Body, Mark
from simulations.body import build
from simulations.figure_raster import (
    Floats,
    Fragments,
    Outline,
    Sheet,
    Window,
    corners,
    fragments,
    outline,
    sheet_colours,
    sheet_cover,
    window,
)  # fmt: skip
from simulations.ground import Image, View
from simulations.tone import Tone
from simulations.walk import FigureState

_TILE = 256
_TEXELS_PER_M = 48.0
_SOFT_DAY_PX, _SOFT_THERMAL_PX, _SOFT_MIRROR_PX = 0.55, 1.0, 2.2
"""One sigma of lens and sensor, and of a mirror image on rippled water."""
_MIRROR_SHARE = 0.24
_LONGEST_SHADOW = 8.0
"""Over the height of what throws it; a lower sun is too weak for more."""


class FigurePainter:
    """Draws any figure, by day into (h, w, 3) BGR, in thermal white-hot into (h, w) grey.

    Args:
        seed: of the scenario.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed + 11)
        noise = rng.standard_normal((_TILE, _TILE)).astype(np.float32)
        fine = cv2.GaussianBlur(noise, (0, 0), 1.2, borderType=cv2.BORDER_REFLECT)
        coarse = cv2.GaussianBlur(noise, (0, 0), 5.0, borderType=cv2.BORDER_REFLECT)
        cloth = fine / float(fine.std()) + 0.8 * coarse / float(coarse.std())
        self._cloth = np.ascontiguousarray(cloth / float(cloth.std())).ravel()

    def draw(self, picture: Image, view: View, figure: FigureState, tone: Tone) -> None:
        """Draw one figure over the picture, which changes in place."""
        blur_px = _SOFT_DAY_PX if picture.ndim == 3 else _SOFT_THERMAL_PX
        self._lay(picture, view, build(figure), tone, figure.looks.seed, blur_px, 1.0)

    def marks(
        self, picture: Image, view: View, figure: FigureState, tone: Tone, ground_m: float = 0.0
    ) -> None:
        """Draw what a figure does to the ground or water: shadow, mirror image, wake.

        All figures' marks come before the first figure. ``ground_m`` is the height of the ground
        below what flies.
        """
        body = build(figure, ground_m)
        if picture.ndim == 3:
            _shadow(picture, view, body, tone)
            if body.surface_m is not None and body.facets and figure.gait == "float":
                self._lay(
                    picture, view, _mirrored(body), tone, figure.looks.seed, _SOFT_MIRROR_PX,
                    _MIRROR_SHARE,
                )  # fmt: skip
        if body.marks:
            _foam(picture, view, body.marks, tone)

    def _lay(
        self, picture: Image, view: View, body: Body, tone: Tone, looks_seed: int, blur_px: float,
        share: float,
    ) -> None:  # fmt: skip
        flat = outline(view, body)
        place = flat.window(picture.shape)
        if place is None:
            return
        rows, columns = place
        thermal = picture.ndim == 2
        # One plane for each colour and one for the coverage: far faster than pixel by pixel.
        size = (2 if thermal else 4, rows.stop - rows.start, columns.stop - columns.start)
        layer = np.zeros(size, dtype=np.float32)
        away_m = float(np.nanmean(flat.depth_m))
        shading = _shading(view, tone, away_m, thermal=thermal)
        _sheets(layer, place, [s for s in flat.sheets if not s.front], shading)
        self._capsules(layer, place, flat, shading, looks_seed, picture.shape)
        _sheets(layer, place, [s for s in flat.sheets if s.front], shading)
        for k, haze in enumerate(shading.haze.tolist()):
            layer[k] += layer[-1] * np.float32(haze)
        layer *= np.float32(share)
        _over(picture, place, layer, blur_px)

    def _capsules(
        self, layer: Floats, place: Window, flat: Outline, shading: "_Shading", looks_seed: int,
        shape: tuple[int, ...],
    ) -> None:  # fmt: skip
        pieces = fragments(flat, shape)
        if not len(pieces.cover):
            return
        u = (pieces.along * np.float32(_TEXELS_PER_M)).astype(np.int32)
        v = (pieces.around * np.float32(_TEXELS_PER_M)).astype(np.int32)
        # Each limb looks at another part of the tile, and keeps it while it moves.
        u += (np.arange(len(flat.depth_m), dtype=np.int32) * 37 + looks_seed % 211)[pieces.of]
        weave = self._cloth[((u & (_TILE - 1)) << 8) + (v & (_TILE - 1))]
        value = np.empty((len(layer), len(pieces.cover)), dtype=np.float32)
        value[-1] = pieces.cover
        shading.surfaces(pieces, flat.body.paint, weave, value)
        rest = np.float32(1.0) - pieces.cover
        top0, left0 = place[0].start, place[1].start
        for number, (top, bottom, left, right) in enumerate(pieces.places):
            span = slice(pieces.starts[number], pieces.starts[number + 1])
            area = layer[:, top - top0 : bottom - top0, left - left0 : right - left0]
            area *= rest[span].reshape(bottom - top, right - left)
            area += value[:, span].reshape(-1, bottom - top, right - left)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shading:
    """Light on surfaces, vectors in the camera's frame; all brightness as it comes through the air.

    Attributes:
        sky, sun: (3,) factors of a colour: in the shade, and what the sun adds head-on.
        haze: brightness that the air adds: (3,) by day, (1,) in thermal.
        around, span: in thermal: grey level of what is as warm as the air and all else of
            warmth 0, and how much is between that and bare skin.
    """

    tone: Tone
    to_sun: Floats
    up: Floats
    sky: Floats
    sun: Floats
    haze: Floats
    around: np.float32
    cold: np.float32
    span: np.float32

    def surfaces(
        self, pieces: Fragments, paint: Floats, weave: Floats, out: Floats
    ) -> None:  # fmt: skip
        """Fill in the colour planes of capsules, times their coverage."""
        x, y, z = pieces.normal_x, pieces.normal_y, pieces.normal_z
        if len(out) == 2:
            # What is seen slanting is partly a mirror of the cooler world around.
            warm = (self.cold + self.span * paint[:, 3])[pieces.of]
            warm *= np.float32(0.8) + np.float32(0.2) * z
            warm += self.around
            warm += np.float32(4.0) * weave
            np.multiply(warm, pieces.cover, out=out[0])
            return
        sun, up = self.to_sun, self.up
        weave *= paint[:, 4][pieces.of]
        weave += np.float32(1.0)
        weave *= pieces.cover
        facing = np.maximum(x * sun[0] + y * sun[1] - z * sun[2], 0.0)
        facing *= weave
        # The sky lights from above; the ground throws a little back.
        open_sky = x * up[0] + y * up[1] - z * up[2]
        open_sky *= np.float32(0.14)
        open_sky += np.float32(0.92)
        open_sky *= weave
        colours = self.muted(paint[:, :3])
        for k in range(3):
            lit = facing * self.sun[k]
            lit += open_sky * self.sky[k]
            np.multiply(lit, np.ascontiguousarray(colours[:, k])[pieces.of], out=out[k])

    def facets(self, sheets: list[Sheet], *, thermal: bool) -> FloatArray:
        """Return (n, 3) colours of facets, (n, 1) in thermal."""
        paint = np.array([sheet.facet.paint for sheet in sheets])
        if thermal:
            return np.asarray(self.around + self.cold + self.span * paint[:, 3:4])
        seen = np.array([sheet.seen for sheet in sheets])
        inner = np.array([0.72 if sheet.inner else 1.0 for sheet in sheets])
        facing = np.maximum(seen @ self.to_sun, 0.0) * inner
        sky = (0.92 + 0.14 * (seen @ self.up)) * inner
        light = sky[:, None] * self.sky + facing[:, None] * self.sun
        return np.asarray(self.tone.muted(paint[:, :3]) * light)

    def muted(self, colours: Floats) -> Floats:
        """Return (n, 3) colours as pale as a dark scene makes them."""
        return np.asarray(self.tone.muted(colours.astype(np.float64)), dtype=np.float32)


def _shading(view: View, tone: Tone, away_m: float, *, thermal: bool) -> _Shading:
    through = tone.through(away_m, thermal=thermal)
    shade, sunlit = tone.lit_at(away_m)
    air = tone.warmth.grey(tone.warmth.air_c)
    cold, skin = tone.warmth.of_body(0.0), tone.warmth.of_body(1.0)
    haze = np.array([air]) if thermal else tone.haze_bgr
    return _Shading(
        tone=tone,
        to_sun=(tone.sun_enu @ view.rotation).astype(np.float32),
        up=view.rotation[2].astype(np.float32),
        sky=(through * shade).astype(np.float32),
        sun=(through * (sunlit - shade)).astype(np.float32),
        haze=((1.0 - through) * haze).astype(np.float32),
        around=np.float32(through * air),
        cold=np.float32(through * (cold - air)),
        span=np.float32(through * (skin - cold)),
    )


def _sheets(layer: Floats, place: Window, sheets: list[Sheet], shading: _Shading) -> None:
    """Lay facets over the layer, those of one side together, so that no seam shows between them."""
    if not sheets:
        return
    colours = np.clip(shading.facets(sheets, thermal=len(layer) == 2), 0.0, 255.0)
    points = [sheet.points_px for sheet in sheets]
    every = np.concatenate(points)
    (x1, y1), (x2, y2) = every.min(axis=0).tolist(), every.max(axis=0).tolist()
    top, left = place[0].start, place[1].start
    near = window(x1 - left - 2, y1 - top - 2, x2 - left + 2, y2 - top + 2, layer.shape[1:])
    if near is None:
        return
    area = layer[:, near[0], near[1]]
    place = (
        slice(near[0].start + top, near[0].stop + top),
        slice(near[1].start + left, near[1].stop + left),
    )
    pieces, size = corners(points, place), (area.shape[1], area.shape[2])
    part = sheet_cover(points, place).astype(np.float32)
    part *= np.float32(1.0 / 255.0)
    area *= np.float32(1.0) - part
    painted = sheet_colours(pieces, colours, size).reshape(*size, -1)
    for k in range(len(layer) - 1):
        area[k] += painted[..., k] * part
    area[-1] += part


def _over(picture: Image, place: Window, layer: Floats, blur_px: float) -> None:
    """Lay a layer over the picture, as soft as lens and sensor make it."""
    soft = [cv2.GaussianBlur(plane, (0, 0), blur_px) for plane in layer]
    rest = np.float32(1.0) - soft[-1]
    if len(soft) == 2:
        below = cv2.multiply(picture[place], rest, dtype=cv2.CV_32F)
        picture[place] = cv2.add(below, soft[0], dtype=cv2.CV_8U)
        return
    below = cv2.multiply(picture[place], cv2.merge((rest, rest, rest)), dtype=cv2.CV_32F)
    picture[place] = cv2.add(below, cv2.merge(soft[:-1]), dtype=cv2.CV_8U)


def _mirrored(body: Body) -> Body:
    """Return the mirror image in the water."""
    assert body.surface_m is not None
    flip, twice = np.array([1.0, 1.0, -1.0]), np.array([0.0, 0.0, 2.0 * body.surface_m])
    # Ripples leave nothing of what is thin.
    broad = body.start_radius_m > 0.03
    return replace(
        body,
        start_m=body.start_m[broad] * flip + twice,
        end_m=body.end_m[broad] * flip + twice,
        start_radius_m=body.start_radius_m[broad],
        end_radius_m=body.end_radius_m[broad],
        paint=body.paint[broad],
        boxed=body.boxed[broad],
        facets=tuple(
            replace(facet, points_m=facet.points_m * flip + twice, outward=facet.outward * flip)
            for facet in body.facets
        ),
        marks=(),
        surface_m=None,
    )


def _shadow(picture: Image, view: View, body: Body, tone: Tone) -> None:
    """Darken the ground where the figure keeps sun and sky off it, softly."""
    wet = 0.45 if body.surface_m is not None else 1.0
    high_m = max(float(body.start_m[:, 2].max()), float(body.end_m[:, 2].max())) - body.ground_m
    wet *= tone.through(float(view.to_camera(body.start_m[:1])[0, 2]))
    if tone.shadow > 0.01 and tone.sun_enu[2] > 0.0:
        level = float(np.hypot(tone.sun_enu[0], tone.sun_enu[1]))
        slope = tone.sun_enu[:2] / max(float(tone.sun_enu[2]), level / _LONGEST_SHADOW)
        _cast(picture, view, body, slope, wet * tone.shadow, 0.018 + 0.012 * high_m)
    _cast(picture, view, body, np.zeros(2), 0.3 * wet, 0.1, below_m=0.35)


def _cast(
    picture: Image, view: View, body: Body, slope: FloatArray, depth: float, soft_m: float,
    *, below_m: float = math.inf,
) -> None:  # fmt: skip
    """Darken the ground under the body along one direction.

    Parts whose lower end is not below ``below_m`` over the ground are left out.
    """
    ground_m = body.ground_m
    lower = np.minimum(body.start_m[:, 2], body.end_m[:, 2]) - ground_m
    low = lower < below_m
    facets = [f for f in body.facets if float(f.points_m[:, 2].min()) - ground_m < below_m]
    count = int(low.sum())
    points = np.concatenate(
        (body.start_m[low], body.end_m[low], *(facet.points_m for facet in facets))
    )
    if not len(points):
        return
    points[:, :2] -= np.maximum(points[:, 2:] - ground_m, 0.0) * slope
    points[:, 2] = ground_m
    camera = view.to_camera(points)
    camera[camera[:, 2] < 0.5] = np.nan
    pixels = view.lens.project(camera)
    seen = pixels[np.isfinite(pixels[:, 0])]
    if not len(seen):
        return
    scale = view.lens.fx_px / camera[:, 2]
    radius = (body.start_radius_m + body.end_radius_m)[low] * 0.5
    (x1, y1), (x2, y2) = seen.min(axis=0).tolist(), seen.max(axis=0).tolist()
    size = max(3, 2 * round(min(1.3 * soft_m * float(np.nanmax(scale)), 12.0)) + 1)
    pad = 2.0 * size + 3.0
    place = window(x1 - pad, y1 - pad, x2 + pad, y2 + pad, picture.shape)
    if place is None:
        return
    rows, columns = place
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.uint8)
    # Lying on the ground a limb is seen flat: half its width is a fair middle.
    width = np.nan_to_num(radius * scale[:count] * 1.1)
    moved = np.clip((pixels - (columns.start, rows.start)) * 16.0, -4e5, 4e5)
    known = np.isfinite(moved[:, 0])
    fixed = np.rint(np.nan_to_num(moved)).astype(np.int32)
    for k in np.flatnonzero(known[:count] & known[count : 2 * count]).tolist():
        a, b = fixed[k].tolist(), fixed[count + k].tolist()
        thick = min(max(1, round(float(width[k]))), 255)
        cv2.line(mask, a, b, 255, thick, cv2.LINE_AA, 4)
    start = 2 * count
    for facet in facets:
        end = start + len(facet.points_m)
        if bool(known[start:end].all()):
            cv2.fillConvexPoly(mask, fixed[start:end].reshape(-1, 1, 2), 255, cv2.LINE_AA, 4)
        start = end
    # Two boxes in a row are near enough to a bell, and cost the same at any width.
    soft = cv2.blur(cv2.blur(mask, (size, size)), (size, size))
    light = cv2.merge([cv2.convertScaleAbs(soft, alpha=-depth, beta=255.0)] * 3)
    picture[place] = cv2.multiply(picture[place], light, scale=1.0 / 255.0)


def _foam(picture: Image, view: View, marks: tuple[Mark, ...], tone: Tone) -> None:
    """Lay soft patches of foam on the water."""
    pixels, shown = [], []
    camera = view.to_camera(np.concatenate([mark.points_m for mark in marks]))
    every = view.lens.project(np.where(camera[:, 2:] > 0.5, camera, np.nan))
    start = 0
    for mark in marks:
        part = every[start : start + len(mark.points_m)]
        start += len(mark.points_m)
        if np.isfinite(part).all():
            pixels.append(part)
            shown.append(mark)
    if not shown:
        return
    away_m = float(np.nanmean(camera[:, 2]))
    size = max(3, 2 * round(min(0.06 * view.lens.fx_px / max(away_m, 1.0), 10.0)) + 1)
    every = np.concatenate(pixels)
    (x1, y1), (x2, y2) = every.min(axis=0).tolist(), every.max(axis=0).tolist()
    pad = 2.0 * size + 2.0
    place = window(x1 - pad, y1 - pad, x2 + pad, y2 + pad, picture.shape)
    if place is None:
        return
    rows, columns = place
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.uint8)
    through = tone.through(away_m, thermal=picture.ndim == 2)
    pieces = corners(pixels, place)
    for k in sorted(range(len(shown)), key=lambda k: shown[k].share):
        strength = 255.0 * shown[k].share * through
        cv2.fillConvexPoly(mask, pieces[k], strength, cv2.LINE_AA, 4)
    soft = cv2.blur(cv2.blur(mask, (size, size)), (size, size))
    if picture.ndim == 2:
        # Foam sends out more than smooth water, which mirrors the cold sky.
        picture[place] = cv2.add(picture[place], cv2.convertScaleAbs(soft, alpha=22.0 / 255.0))
        return
    colour = np.minimum(np.array(shown[0].paint[:3]) * tone.level_bgr, 250.0)
    share = cv2.merge((soft, soft, soft))
    below = cv2.multiply(picture[place], cv2.bitwise_not(share), scale=1.0 / 255.0)
    picture[place] = cv2.add(below, cv2.multiply(share, (*colour.tolist(), 0.0), scale=1.0 / 255.0))
