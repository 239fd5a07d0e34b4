"""Draw figures: shaded, with the texture of their cloth and hide, and what they do to the ground.

A figure is drawn on a layer of its own, softened there as the lens and the sensor do, and laid
over the picture, which stays untouched around it.
"""

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
    fixed_point,
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
_SOFT_DAY_PX, _SOFT_THERMAL_PX, _SOFT_MIRROR_PX = 0.55, 1.0, 1.6
"""One sigma of lens and sensor, and of a mirror image on rippled water."""
_MIRROR_SHARE = 0.4
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
        for mark in body.marks:
            _foam(picture, view, mark, tone)

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
        size = (rows.stop - rows.start, columns.stop - columns.start, 2 if thermal else 4)
        layer = np.zeros(size, dtype=np.float32)
        away_m = float(np.nanmean(flat.depth_m))
        shading = _shading(view, tone, away_m)
        _sheets(layer, place, [s for s in flat.sheets if not s.front], shading)
        self._capsules(layer, place, flat, shading, looks_seed, picture.shape)
        _sheets(layer, place, [s for s in flat.sheets if s.front], shading)
        layer = cv2.GaussianBlur(layer, (0, 0), blur_px)
        through = tone.through(away_m, thermal=thermal)
        haze = [tone.warmth.grey(tone.warmth.air_c)] if thermal else tone.haze_bgr
        _over(picture, place, layer, through, np.array(haze, dtype=np.float32), share)

    def _capsules(
        self, layer: Floats, place: Window, flat: Outline, shading: "_Shading", looks_seed: int,
        shape: tuple[int, ...],
    ) -> None:  # fmt: skip
        pieces = fragments(flat, shape)
        if not len(pieces.cover):
            return
        day = layer.shape[2] == 4
        u = (pieces.along * np.float32(_TEXELS_PER_M)).astype(np.int32)
        v = (pieces.around * np.float32(_TEXELS_PER_M)).astype(np.int32)
        # Each limb looks at another part of the tile, and keeps it while it moves.
        shift = (np.arange(len(flat.depth_m), dtype=np.int32) * 37 + looks_seed % 211)[pieces.of]
        weave = self._cloth[((u + shift) & (_TILE - 1)) * _TILE + ((v + shift) & (_TILE - 1))]
        paint = flat.body.paint
        value = np.empty((len(pieces.cover), layer.shape[2]), dtype=np.float32)
        if day:
            grain = pieces.cover * (np.float32(1.0) + paint[pieces.of, 4] * weave)
            shading.day(pieces, shading.muted(paint[:, :3]), grain, value)
        else:
            # What is seen slanting is partly a mirror of the cooler world around.
            warm = shading.warm(paint[:, 3])[pieces.of]
            warm *= np.float32(0.8) + np.float32(0.2) * pieces.normal_z
            value[:, 0] = (shading.around + warm + np.float32(4.0) * weave) * pieces.cover
        value[:, -1] = pieces.cover
        rest = (np.float32(1.0) - pieces.cover)[:, None]
        top0, left0 = place[0].start, place[1].start
        for number, (top, bottom, left, right) in enumerate(pieces.places):
            span = slice(pieces.starts[number], pieces.starts[number + 1])
            area = layer[top - top0 : bottom - top0, left - left0 : right - left0]
            size = (bottom - top, right - left)
            area *= rest[span].reshape(*size, 1)
            area += value[span].reshape(*size, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shading:
    """Light on surfaces, vectors in the camera's frame.

    Attributes:
        sky, sun: (3,) factors of a colour: in the shade, and what the sun adds head-on.
        around: grey level of things as warm as the air.
    """

    tone: Tone
    to_sun: Floats
    up: Floats
    sky: Floats
    sun: Floats
    around: np.float32

    def day(self, pieces: Fragments, colours: Floats, grain: Floats, out: Floats) -> None:
        """Fill in (n, 3) colours: sun where surfaces face it, sky more from above."""
        x, y, z = pieces.normal_x, pieces.normal_y, pieces.normal_z
        sun, up = self.to_sun, self.up
        facing = np.maximum(x * sun[0] + y * sun[1] - z * sun[2], 0.0)
        open_sky = np.float32(0.92) + np.float32(0.14) * (x * up[0] + y * up[1] - z * up[2])
        facing *= grain
        open_sky *= grain
        for k in range(3):
            lit = facing * self.sun[k]
            lit += open_sky * self.sky[k]
            lit *= colours[:, k][pieces.of]
            out[:, k] = lit

    def sheet(self, sheet: Sheet) -> FloatArray:
        """Return (3,) the colour of a facet."""
        facing = max(float(sheet.seen @ self.to_sun), 0.0)
        sky = self.sky * (0.92 + 0.14 * float(sheet.seen @ self.up))
        colour = self.muted(np.array([sheet.facet.paint[:3]], dtype=np.float32))[0]
        return np.asarray((sky + self.sun * facing) * colour * (0.72 if sheet.inner else 1.0))

    def muted(self, colours: Floats) -> Floats:
        """Return (n, 3) colours as pale as a dark scene makes them."""
        return np.asarray(self.tone.muted(colours.astype(np.float64)), dtype=np.float32)

    def warm(self, warmth: Floats) -> Floats:
        """Return how much brighter than what is as warm as the air surfaces are."""
        cold = self.tone.warmth.of_body(0.0)
        span = self.tone.warmth.of_body(1.0) - cold
        return np.asarray(cold - self.around + span * warmth, dtype=np.float32)


def _shading(view: View, tone: Tone, away_m: float) -> _Shading:
    shade, sunlit = tone.lit_at(away_m)
    return _Shading(
        tone=tone,
        to_sun=(tone.sun_enu @ view.rotation).astype(np.float32),
        up=view.rotation[2].astype(np.float32),
        sky=shade.astype(np.float32),
        sun=(sunlit - shade).astype(np.float32),
        around=np.float32(tone.warmth.grey(tone.warmth.air_c)),
    )


def _sheets(layer: Floats, place: Window, sheets: list[Sheet], shading: _Shading) -> None:
    """Lay facets over the layer, those of one side together, so that no seam shows between them."""
    if not sheets:
        return
    if layer.shape[2] == 4:
        colours = np.array([shading.sheet(sheet) for sheet in sheets])
    else:
        warmth = np.array([[sheet.facet.paint.warmth] for sheet in sheets], dtype=np.float32)
        colours = shading.around + shading.warm(warmth)
    colours = np.clip(colours, 0.0, 255.0)
    part = sheet_cover(sheets, place).astype(np.float32)[..., None] * np.float32(1.0 / 255.0)
    layer *= np.float32(1.0) - part
    layer[..., :-1] += sheet_colours(sheets, colours, place).reshape(*part.shape[:2], -1) * part
    layer[..., -1:] += part


def _over(
    picture: Image, place: Window, layer: Floats, through: float, haze: Floats, share: float
) -> None:
    """Lay a layer over the picture, through the haze."""
    colour, cover = layer[..., :-1], layer[..., -1:]
    colour = colour * np.float32(through) + cover * (haze * np.float32(1.0 - through))
    if share < 1.0:
        colour, cover = colour * np.float32(share), cover * np.float32(share)
    below = picture[place].astype(np.float32).reshape(colour.shape)
    below *= np.float32(1.0) - cover
    below += colour
    below += np.float32(0.5)
    np.clip(below, 0.0, 255.0, out=below)
    picture[place] = below.astype(np.uint8).reshape(picture[place].shape)


def _mirrored(body: Body) -> Body:
    """Return the mirror image in the water."""
    assert body.surface_m is not None
    flip, twice = np.array([1.0, 1.0, -1.0]), np.array([0.0, 0.0, 2.0 * body.surface_m])
    return replace(
        body,
        start_m=body.start_m * flip + twice,
        end_m=body.end_m * flip + twice,
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
    through = tone.through(float(view.to_camera(body.start_m[:1])[0, 2]))
    if tone.shadow > 0.01 and tone.sun_enu[2] > 0.0:
        level = float(np.hypot(tone.sun_enu[0], tone.sun_enu[1]))
        slope = tone.sun_enu[:2] / max(float(tone.sun_enu[2]), level / _LONGEST_SHADOW)
        _cast(picture, view, body, slope, wet * tone.shadow * through, 0.018 + 0.012 * high_m)
    if high_m < 4.0:
        _cast(picture, view, body, np.zeros(2), 0.16 * wet * through, 0.14)


def _cast(
    picture: Image, view: View, body: Body, slope: FloatArray, depth: float, soft_m: float
) -> None:
    """Darken the ground under the body along one direction."""
    ground_m = body.ground_m

    def fallen(points: FloatArray) -> FloatArray:
        over = np.maximum(points[:, 2:] - ground_m, 0.0)
        flat = np.array(points)
        flat[:, :2] -= over * slope
        flat[:, 2] = ground_m
        return flat

    under = fallen(np.concatenate((body.start_m, body.end_m)))
    camera = view.to_camera(under)
    camera[camera[:, 2] < 0.5] = np.nan
    pixels = view.lens.project(camera)
    count = len(body.start_m)
    scale = view.lens.fx_px / camera[:, 2]
    sheets = [view.lens.project(view.to_camera(fallen(f.points_m))) for f in body.facets]
    seen = np.concatenate([pixels, *sheets])
    seen = seen[np.isfinite(seen[:, 0])]
    if not len(seen):
        return
    (x1, y1), (x2, y2) = seen.min(axis=0), seen.max(axis=0)
    sigma = float(np.clip(soft_m * np.nanmedian(scale), 0.7, 12.0))
    pad = 3.0 * sigma + 3.0
    place = window(x1 - pad, y1 - pad, x2 + pad, y2 + pad, picture.shape)
    if place is None:
        return
    rows, columns = place
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.uint8)
    # Lying on the ground a limb is seen flat: half its width is a fair middle.
    width = (body.start_radius_m + body.end_radius_m) * 0.55 * scale[:count]
    points = np.concatenate((pixels[:count], pixels[count:]), axis=1)
    known = np.isfinite(points).all(axis=1)
    moved = np.rint((points[known] - (columns.start, rows.start) * 2) * 16.0)
    for (ax, ay, bx, by), wide in zip(
        np.clip(moved, -30_000 * 16, 30_000 * 16).astype(int).tolist(), width[known].tolist(), strict=True
    ):  # fmt: skip
        cv2.line(mask, (ax, ay), (bx, by), 255, min(max(1, round(wide)), 255), cv2.LINE_AA, 4)
    for sheet in sheets:
        if np.isfinite(sheet).all():
            cv2.fillConvexPoly(mask, fixed_point(sheet, place), 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32) * np.float32(depth / 255.0)
    part = picture[place].astype(np.float32)
    part *= np.float32(1.0) - soft[..., None]
    picture[place] = (part + np.float32(0.5)).astype(np.uint8)


def _foam(picture: Image, view: View, mark: Mark, tone: Tone) -> None:
    """Lay a soft patch of foam on the water."""
    camera = view.to_camera(mark.points_m)
    if bool((camera[:, 2] < 0.5).any()):
        return
    pixels = view.lens.project(camera)
    if not np.isfinite(pixels).all():
        return
    away_m = float(camera[:, 2].mean())
    sigma = float(np.clip(0.05 * view.lens.fx_px / away_m, 0.6, 8.0))
    (x1, y1), (x2, y2) = pixels.min(axis=0), pixels.max(axis=0)
    pad = 3.0 * sigma + 2.0
    place = window(x1 - pad, y1 - pad, x2 + pad, y2 + pad, picture.shape)
    if place is None:
        return
    rows, columns = place
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.uint8)
    cv2.fillConvexPoly(mask, fixed_point(pixels, place), 255, cv2.LINE_AA, 4)
    through = tone.through(away_m, thermal=picture.ndim == 2)
    soft = cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32)
    soft *= np.float32(mark.share * through / 255.0)
    part = picture[place].astype(np.float32)
    if part.ndim == 3:
        colour = np.minimum(np.array(mark.paint[:3]) * tone.level_bgr, 250.0).astype(np.float32)
        part += soft[..., None] * (colour - part)
    else:
        # Foam sends out more than smooth water, which mirrors the cold sky.
        part += soft * np.float32(22.0)
    np.clip(part, 0.0, 255.0, out=part)
    picture[place] = (part + np.float32(0.5)).astype(np.uint8)
