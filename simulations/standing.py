"""Things that stand in the world and may hide a figure: cut-outs drawn once, laid over each frame."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from geo._types import FloatArray
from simulations.ground import FloatImage, Image, View
from simulations.tone import Moment, Tone

_MOMENTS_KEPT = 2
LEANS = 13
"""How many ways a plant is drawn to lean, from far left to far right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """A thing's own picture. The anchor is where it meets the ground.

    Attributes:
        bgr: (h, w, 3) colours in full light.
        cover: (h, w) 0..1.
        warm: (h, w) 0..1, from as warm as plants to as warm as bare soil.
        anchor_px: (x, y) in this picture.
    """

    bgr: FloatImage
    cover: FloatImage
    warm: FloatImage
    anchor_px: tuple[float, float]


class Thing(Protocol):
    """Something that stands."""

    @property
    def place_enu_m(self) -> FloatArray:
        """(3,) where it meets the ground."""
        ...

    @property
    def leans(self) -> bool:
        """Whether wind moves it."""
        ...

    def cut_out(self, pixels_per_m: float, lean: float) -> Cutout:
        """Draw it so large, leaning by -1..1."""
        ...

    def lean_at(self, t_s: float, wind_m_s: float) -> float:
        """Return -1..1 how far it leans to the right of the picture."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A cut-out under the light of a moment, ready to be laid over a picture."""

    over: Image
    rest: Image
    anchor_px: tuple[float, float]


class Standing:
    """One thing as one camera sees it.

    Args:
        thing: what stands there.
        view: the camera's mean pose.
        thermal: grey levels instead of colours.
    """

    def __init__(self, thing: Thing, view: View, *, thermal: bool) -> None:
        self._thing, self._thermal = thing, thermal
        self.place_enu_m = thing.place_enu_m
        self.depth_m = float(view.to_camera(thing.place_enu_m[None])[0, 2])
        self._pixels_per_m = float(np.sqrt(view.lens.fx_px * view.lens.fy_px)) / self.depth_m
        self._cutouts: dict[int, Cutout] = {}
        self._ready: dict[Moment, dict[int, _Ready]] = {}

    def draw(self, picture: Image, view: View, tone: Tone, t_s: float, wind_m_s: float) -> None:
        """Lay the thing over a picture, in place."""
        lean = self._lean(t_s, wind_m_s)
        ready = self._under(tone, lean)
        place = _window(view, self.place_enu_m, ready.anchor_px, ready.rest.shape, picture.shape)
        if place is None:
            return
        there, here = place
        part = picture[there]
        cv2.multiply(part, ready.rest[here], dst=part, scale=1.0 / 255.0)
        cv2.add(part, ready.over[here], dst=part)

    def cover(self, cover: FloatImage, view: View, t_s: float, wind_m_s: float) -> None:
        """Add what the thing hides to (h, w) 0..1, in place."""
        drawn = self._cutout(self._lean(t_s, wind_m_s))
        place = _window(view, self.place_enu_m, drawn.anchor_px, drawn.cover.shape, cover.shape)
        if place is not None:
            there, here = place
            part = cover[there]
            np.maximum(part, drawn.cover[here], out=part)

    def box_px(self, view: View) -> tuple[float, float, float, float]:
        """Return about where it stands in the picture, as x1, y1, x2, y2."""
        drawn = self._cutout(LEANS // 2)
        x, y = view.lens.project(view.to_camera(self.place_enu_m[None]))[0].tolist()
        height, width = drawn.cover.shape
        left, top = x - drawn.anchor_px[0], y - drawn.anchor_px[1]
        return left, top, left + width, top + height

    def _lean(self, t_s: float, wind_m_s: float) -> int:
        if not self._thing.leans:
            return LEANS // 2
        lean = float(np.clip(self._thing.lean_at(t_s, wind_m_s), -1.0, 1.0))
        return round((lean + 1.0) * 0.5 * (LEANS - 1))

    def _cutout(self, lean: int) -> Cutout:
        found = self._cutouts.get(lean)
        if found is None:
            at = 2.0 * lean / (LEANS - 1) - 1.0
            found = self._cutouts[lean] = self._thing.cut_out(self._pixels_per_m, at)
        return found

    def _under(self, tone: Tone, lean: int) -> _Ready:
        by_lean = self._ready.get(tone.moment)
        if by_lean is None:
            if len(self._ready) >= _MOMENTS_KEPT:
                self._ready.clear()
            by_lean = self._ready[tone.moment] = {}
        found = by_lean.get(lean)
        if found is None:
            found = by_lean[lean] = self._lit(tone, self._cutout(lean))
        return found

    def _lit(self, tone: Tone, drawn: Cutout) -> _Ready:
        cover = drawn.cover[..., None]
        if self._thermal:
            warm = tone.warmth
            own = warm.cover_c + drawn.warm * (warm.bare_c - warm.cover_c)
            air = warm.grey(warm.air_c)
            grey = warm.grey(0.0) + warm.grey_per_c * own
            through = tone.through(self.depth_m, thermal=True)
            colour = (air + through * (grey - air))[..., None]
        else:
            shade, sunlit = tone.lit_at(self.depth_m)
            # Upright leaves catch about half of the sun.
            light = shade + 0.5 * (sunlit - shade)
            flat = tone.muted(drawn.bgr.reshape(-1, 3).astype(np.float64))
            lit = flat.reshape(drawn.bgr.shape) * light
            colour = tone.haze_bgr + tone.through(self.depth_m) * (lit - tone.haze_bgr)
        over = np.clip(colour * cover, 0.0, 255.0).astype(np.uint8)
        rest = np.clip(255.0 * (1.0 - cover), 0.0, 255.0).astype(np.uint8)
        if self._thermal:
            over, rest = over[..., 0], rest[..., 0]
        else:
            rest = np.ascontiguousarray(np.repeat(rest, 3, axis=2))
        return _Ready(over=np.ascontiguousarray(over), rest=rest, anchor_px=drawn.anchor_px)


def bled(bgr: FloatImage) -> FloatImage:
    """Return the colours with the nearest ones drawn out over what was left black.

    Where a cut-out's edge is half transparent, its colour must not be that of nothing.
    """
    drawn = (bgr.max(axis=2) > 0.0).astype(np.float32)
    spread = cv2.GaussianBlur(np.dstack((bgr, drawn)), (0, 0), 1.5)
    mean = spread[..., :3] / np.maximum(spread[..., 3:], 1e-3)
    return np.asarray(np.where(drawn[..., None] > 0.0, bgr, mean), dtype=np.float32)


def _window(
    view: View,
    place_enu_m: FloatArray,
    anchor_px: tuple[float, float],
    size: tuple[int, ...],
    shape: tuple[int, ...],
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Return rows and columns in the picture and in the cut-out; None outside the picture."""
    at = view.lens.project(view.to_camera(place_enu_m[None]))[0]
    if not np.isfinite(at).all():
        return None
    left, top = round(float(at[0]) - anchor_px[0]), round(float(at[1]) - anchor_px[1])
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(shape[1], left + size[1]), min(shape[0], top + size[0])
    if x2 <= x1 or y2 <= y1:
        return None
    there = slice(y1, y2), slice(x1, x2)
    return there, (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
