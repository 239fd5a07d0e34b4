"""Drawn people, animals and things: the cut-outs that training scenes are put together from.

Everything is drawn in a frame of its own, one unit tall, at four times the wanted size, and then
reduced, so that edges come out as soft as a lens leaves them. Randomness comes from the caller's
generator alone: the same seed draws the same figure.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

_SUPERSAMPLING = 4
_MAX_CANVAS_PX = 2400
"""A drawing larger than this is drawn with less supersampling: big figures have soft edges anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """A drawn thing on nothing.

    Attributes:
        bgr: (h, w, 3) colours, or equal channels for grey levels.
        alpha: (h, w) cover, 0..1.
    """

    bgr: NDArray[np.float32]
    alpha: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of one figure, each a BGR triple 0..255 (equal values where the camera is thermal)."""

    skin: tuple[float, float, float]
    hair: tuple[float, float, float]
    top: tuple[float, float, float]
    bottom: tuple[float, float, float]
    shoes: tuple[float, float, float]
    load: tuple[float, float, float]
    shading: float
    grain: float


class _Canvas:
    """A drawing frame in figure units: x to the right of the middle, y down from the top of the head."""

    def __init__(self, height_px: float, width_units: float, height_units: float = 1.08) -> None:
        factor = min(_SUPERSAMPLING, max(1.0, _MAX_CANVAS_PX / max(height_px, 1.0)))
        self._unit_px = height_px * factor
        self._factor = factor
        self._left = width_units / 2
        self._top = 0.04
        shape = (
            max(2, round(height_units * self._unit_px)),
            max(2, round(width_units * self._unit_px)),
        )
        self.bgr: Image = np.zeros((*shape, 3), np.uint8)
        self.cover: Image = np.zeros(shape, np.uint8)

    def _px(self, points: Any) -> NDArray[np.int32]:
        units = np.asarray(points, np.float64).reshape(-1, 2)
        return np.round((units + _at(self._left, self._top)) * self._unit_px).astype(np.int32)

    def polygon(self, points: Any, colour: tuple[float, float, float]) -> None:
        px = self._px(points)
        cv2.fillPoly(self.bgr, [px], colour)
        cv2.fillPoly(self.cover, [px], 255)

    def ellipse(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: tuple[float, float, float],
        angle_deg: float = 0.0,
    ) -> None:
        px = tuple(int(v) for v in self._px(centre)[0])
        axes = tuple(max(1, round(r * self._unit_px)) for r in radii)
        cv2.ellipse(self.bgr, px, axes, angle_deg, 0, 360, colour, -1)
        cv2.ellipse(self.cover, px, axes, angle_deg, 0, 360, 255, -1)

    def limb(
        self,
        start: Floats,
        end: Floats,
        start_radius: float,
        end_radius: float,
        colour: tuple[float, float, float],
    ) -> None:
        along = end - start
        across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6)
        self.polygon(
            [
                start + across * start_radius,
                end + across * end_radius,
                end - across * end_radius,
                start - across * start_radius,
            ],
            colour,
        )
        self.ellipse((start[0], start[1]), (start_radius, start_radius), colour)
        self.ellipse((end[0], end[1]), (end_radius, end_radius), colour)

    def cutout(self, rng: np.random.Generator, *, shading: float, grain: float) -> Cutout:
        rows, columns = np.nonzero(self.cover)
        top, bottom = int(rows.min()), int(rows.max()) + 1
        left, right = int(columns.min()), int(columns.max()) + 1
        bgr = self.bgr[top:bottom, left:right].astype(np.float32)
        alpha = self.cover[top:bottom, left:right].astype(np.float32) / 255.0
        ramp = np.linspace(1.0 - shading, 1.0 + shading, bgr.shape[1], dtype=np.float32)
        bgr *= ramp[None, :, None]
        size = (
            max(1, round(bgr.shape[1] / self._factor)),
            max(1, round(bgr.shape[0] / self._factor)),
        )
        weighted = cv2.resize(bgr * alpha[:, :, None], size, interpolation=cv2.INTER_AREA)
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
        alpha = alpha.reshape(size[1], size[0])
        weighted = np.asarray(weighted, np.float32).reshape(size[1], size[0], 3)
        bgr = weighted / np.maximum(alpha, 1e-3)[:, :, None]
        bgr = bgr + rng.normal(0.0, grain, bgr.shape[:2]).astype(np.float32)[:, :, None]
        return Cutout(bgr=np.clip(bgr, 0, 255).astype(np.float32), alpha=alpha)


def _at(x: float, y: float) -> Floats:
    return np.array([x, y])


def _rotated(length: float, angle_rad: float) -> Floats:
    return np.array([np.sin(angle_rad), np.cos(angle_rad)]) * length


def person(rng: np.random.Generator, height_px: float, palette: Palette) -> Cutout:
    """Draw one person, walking, standing, carrying or crouching, from any side.

    Args:
        rng: The only source of chance.
        height_px: Height of the person when upright, px.
        palette: Colours.
    """
    canvas = _Canvas(height_px, width_units=1.3)
    side = float(rng.random())
    facing = 1.0 if rng.random() < 0.5 else -1.0
    crouch = float(rng.uniform(0.2, 0.45)) if rng.random() < 0.12 else 0.0
    stride = float(rng.uniform(0.0, 0.62)) * (0.35 + 0.65 * side) * (1.0 - crouch)
    phase = float(rng.uniform(0.0, 2 * np.pi))
    lean = facing * float(rng.uniform(-0.02, 0.10)) * side + facing * crouch * 0.25
    build = float(rng.uniform(0.85, 1.2))
    shoulder = (0.125 - 0.055 * side) * build
    hip_half = (0.085 - 0.03 * side) * build
    hip = np.array([0.0, 0.53 + 0.30 * crouch])
    neck = hip + np.array([np.sin(lean), -np.cos(lean)]) * 0.36
    near = np.array(palette.bottom)
    far_bottom = tuple(float(v) for v in near * 0.72)
    far_top = tuple(float(v) for v in np.array(palette.top) * 0.75)

    swings = (stride * np.sin(phase), -stride * np.sin(phase))
    lifts = (max(0.0, float(np.cos(phase))), max(0.0, -float(np.cos(phase))))
    sides = (-1.0, 1.0)
    order = (1, 0) if facing > 0 else (0, 1)

    def leg(which: int, colour: Any) -> None:
        root = hip + np.array([sides[which] * hip_half * 0.55, 0.0])
        thigh = facing * swings[which] + crouch * 2.2 * facing * (0.4 + 0.6 * side)
        bend = stride * 1.1 * lifts[which] + crouch * 3.6
        knee = root + _rotated(0.225 * (1.0 - 0.2 * crouch), thigh)
        ankle = knee + _rotated(0.205, thigh - facing * bend)
        ankle[1] = min(ankle[1], 0.965)
        canvas.limb(root, knee, 0.062 * build, 0.045 * build, colour)
        canvas.limb(knee, ankle, 0.045 * build, 0.03, colour)
        toe = ankle + np.array([facing * (0.02 + 0.07 * side), 0.018])
        canvas.limb(ankle + np.array([0.0, 0.012]), toe, 0.026, 0.02, palette.shoes)

    arm_swing = float(rng.uniform(0.3, 1.0))
    bent = float(rng.uniform(0.1, 0.9))

    def arm(which: int, colour: Any) -> None:
        root = neck + np.array([sides[which] * shoulder, 0.035])
        angle = -facing * swings[which] * arm_swing + sides[which] * 0.12 * (1 - side)
        elbow = root + _rotated(0.165, angle)
        hand = elbow + _rotated(0.15, angle + facing * bent * (0.2 + side))
        canvas.limb(root, elbow, 0.038 * build, 0.03, colour)
        canvas.limb(elbow, hand, 0.029, 0.021, colour if rng.random() < 0.6 else palette.skin)
        canvas.ellipse((hand[0], hand[1]), (0.024, 0.028), palette.skin)

    leg(order[0], far_bottom)
    arm(order[0], far_top)
    leg(order[1], palette.bottom)
    canvas.polygon(
        [
            neck + _at(-shoulder, 0.01),
            neck + _at(-shoulder * 0.5, -0.02),
            neck + _at(shoulder * 0.5, -0.02),
            neck + _at(shoulder, 0.01),
            hip + _at(hip_half * 1.1, 0.04),
            hip + _at(-hip_half * 1.1, 0.04),
        ],
        palette.top,
    )
    if rng.random() < 0.2:  # a long coat or a skirt
        canvas.polygon(
            [
                hip + _at(-hip_half, -0.05),
                hip + _at(hip_half, -0.05),
                hip + _at(hip_half * 1.5, float(rng.uniform(0.12, 0.3))),
                hip + _at(-hip_half * 1.5, float(rng.uniform(0.12, 0.3))),
            ],
            palette.top,
        )
    if rng.random() < 0.25:  # a pack on the back
        centre = neck - np.array([facing * (shoulder * 0.6 + 0.05) * (0.3 + side), -0.13])
        canvas.ellipse((centre[0], centre[1]), (0.06 + 0.05 * (1 - side), 0.12), palette.load)
    arm(order[1], palette.top)
    if rng.random() < 0.15:  # something carried low
        grip = hip + np.array([facing * 0.12, 0.12])
        box = np.array([[-0.06, 0.0], [0.06, 0.0], [0.06, 0.11], [-0.06, 0.11]])
        canvas.polygon(box + grip, palette.load)

    head = neck + np.array([np.sin(lean), -np.cos(lean)]) * 0.085
    canvas.limb(neck, head, 0.035, 0.03, palette.skin)
    canvas.ellipse((head[0], head[1]), (0.05, 0.065), palette.skin)
    back = float(rng.uniform(-0.02, 0.045)) * facing
    canvas.ellipse((head[0] - back, head[1] - 0.022), (0.052, 0.048), palette.hair)
    if rng.random() < 0.22:  # a conical or brimmed hat
        brim, peak = float(rng.uniform(0.09, 0.15)), float(rng.uniform(0.05, 0.085))
        canvas.polygon(
            [head + _at(-brim, -0.02), head + _at(0, -0.02 - peak), head + _at(brim, -0.02)],
            palette.load,
        )
    cutout = canvas.cutout(rng, shading=palette.shading, grain=palette.grain)
    squash = float(rng.uniform(0.72, 1.0)) if rng.random() < 0.35 else 1.0  # seen from above
    return _squashed(cutout, squash)


def beast(rng: np.random.Generator, height_px: float, palette: Palette) -> Cutout:
    """Draw a four-legged animal of the given height, from the side."""
    canvas = _Canvas(height_px, width_units=2.6)
    facing = 1.0 if rng.random() < 0.5 else -1.0
    length = float(rng.uniform(0.5, 0.72))
    depth = float(rng.uniform(0.18, 0.28))
    colour = palette.top
    for along in (-0.8, -0.65, 0.65, 0.8):
        root = np.array([along * length, 0.5])
        foot = np.array([along * length + float(rng.uniform(-0.1, 0.1)), 0.98])
        canvas.limb(root, foot, 0.07, 0.035, (colour[0] * 0.85, colour[1] * 0.85, colour[2] * 0.85))
    canvas.ellipse((0.0, 0.45), (length, depth), colour)
    head = np.array([facing * (length + 0.2), float(rng.uniform(0.15, 0.55))])
    canvas.limb(np.array([facing * length * 0.8, 0.38]), head, 0.12, 0.08, colour)
    canvas.ellipse((head[0], head[1]), (0.16, 0.09), colour, facing * 25.0)
    return canvas.cutout(rng, shading=palette.shading, grain=palette.grain)


def boat(rng: np.random.Generator, height_px: float, palette: Palette) -> Cutout:
    """Draw a small boat from the side: hull with a raised bow, often a cabin, a roof or an engine."""
    canvas = _Canvas(height_px, width_units=4.4)
    facing = 1.0 if rng.random() < 0.5 else -1.0
    half = float(rng.uniform(0.9, 2.0))
    deck = float(rng.uniform(0.5, 0.72))
    bow, stern = deck - float(rng.uniform(0.05, 0.22)), deck - float(rng.uniform(0.0, 0.08))
    if rng.random() < 0.6:  # a cabin, with windows when it is large
        back, front = -half * float(rng.uniform(0.3, 0.7)), half * float(rng.uniform(0.0, 0.4))
        roof = float(rng.uniform(0.0, 0.25))
        cabin = np.array([[back, roof], [front, roof + 0.03], [front, deck], [back, deck]])
        canvas.polygon(cabin * (facing, 1.0), palette.load)
        for share in (0.2, 0.5, 0.8):
            middle = facing * (back + (front - back) * share)
            wide, high = (front - back) * 0.1, (deck - roof) * 0.2
            pane = np.array([[-wide, -high], [wide, -high], [wide, high], [-wide, high]])
            canvas.polygon(pane + _at(middle, roof + (deck - roof) * 0.4), palette.shoes)
    elif rng.random() < 0.5:  # an awning on poles
        for along in (-0.5, 0.3):
            canvas.polygon(
                np.array([[-0.02, 0.1], [0.02, 0.1], [0.02, deck], [-0.02, deck]])
                + _at(facing * along * half, 0.0),
                palette.shoes,
            )
        canvas.polygon(
            np.array([[-0.6, 0.05], [0.4, 0.05], [0.4, 0.14], [-0.6, 0.14]]) * (facing * half, 1.0),
            palette.load,
        )
    else:
        canvas.polygon(
            np.array([[-0.95, 0.1], [-0.9, 0.1], [-0.9, deck], [-0.95, deck]]) * (facing * half, 1),
            palette.shoes,
        )
    hull = np.array(
        [[-half, stern], [half * 0.5, deck], [half, bow], [half * 0.75, 0.98], [-half * 0.9, 1.0]]
    )
    canvas.polygon(hull * (facing, 1.0), palette.top)
    line = np.array(
        [[-half * 0.95, 0.86], [half * 0.82, 0.86], [half * 0.75, 0.98], [-half * 0.9, 1]]
    )
    canvas.polygon(line * (facing, 1.0), palette.bottom)
    engine = (facing * -half * 0.92, stern + 0.02)
    canvas.ellipse(engine, (0.09, 0.12), palette.skin)
    return canvas.cutout(rng, shading=palette.shading, grain=palette.grain)


def thing(rng: np.random.Generator, height_px: float, palette: Palette) -> Cutout:
    """Draw a post, a bush, a sign, a cone, a tripod: upright things that are not people."""
    canvas = _Canvas(height_px, width_units=2.4)
    kind = int(rng.integers(8))
    if kind == 0:  # post
        half = float(rng.uniform(0.02, 0.07))
        canvas.polygon([[-half, 0], [half, 0], [half, 1], [-half, 1]], palette.top)
    elif kind == 1:  # bush: a heap of leaves
        for _ in range(int(rng.integers(8, 24))):
            centre = (float(rng.normal(0, 0.28)), float(rng.uniform(0.2, 0.9)))
            tone = float(rng.uniform(0.7, 1.25))
            colour = tuple(min(255.0, v * tone) for v in palette.bottom)
            radii = (float(rng.uniform(0.08, 0.2)), float(rng.uniform(0.08, 0.18)))
            canvas.ellipse(centre, radii, (colour[0], colour[1], colour[2]))
    elif kind == 2:  # rock
        angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
        radii_m = rng.uniform(0.28, 0.48, 9)
        outline = np.stack([np.cos(angles), np.sin(angles)], 1) * radii_m[:, None] + (0.0, 0.5)
        canvas.polygon(outline, palette.shoes)
    elif kind == 3:  # sign on a pole
        canvas.polygon([[-0.025, 0.2], [0.025, 0.2], [0.025, 1], [-0.025, 1]], palette.shoes)
        half, low = float(rng.uniform(0.1, 0.3)), float(rng.uniform(0.2, 0.4))
        canvas.polygon([[-half, 0], [half, 0], [half, low], [-half, low]], palette.load)
    elif kind == 4:  # striped cone
        half, tip = float(rng.uniform(0.2, 0.35)), float(rng.uniform(0.02, 0.07))
        canvas.polygon(
            [[-tip, 0], [tip, 0], [half * 0.75, 0.92], [-half * 0.75, 0.92]], palette.top
        )
        low, high = float(rng.uniform(0.3, 0.45)), float(rng.uniform(0.55, 0.7))
        band = [half * 0.75 * low, half * 0.75 * high]
        canvas.polygon(
            [[-band[0], low], [band[0], low], [band[1], high], [-band[1], high]], palette.load
        )
        canvas.polygon([[-half, 0.9], [half, 0.9], [half, 1], [-half, 1]], palette.top)
    elif kind == 5:  # tripod or bare bush: a dark knot on thin legs
        top = _at(0.0, float(rng.uniform(0.1, 0.3)))
        for foot in (-0.35, float(rng.uniform(-0.1, 0.1)), 0.35):
            canvas.limb(
                top, _at(foot * float(rng.uniform(0.6, 1.2)), 1.0), 0.03, 0.015, palette.hair
            )
        canvas.ellipse((top[0], top[1]), (0.06, float(rng.uniform(0.06, 0.14))), palette.hair)
    elif kind == 6:  # board with a bright field, low on the ground or on short feet
        half, foot = float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.7, 1.0))
        canvas.polygon([[-half, 0], [half, 0], [half, foot], [-half, foot]], palette.top)
        spot = float(rng.uniform(0.3, 0.8)) * half
        canvas.ellipse((0.0, foot / 2), (spot, foot * 0.3), palette.load)
        for along in (-half * 0.8, half * 0.8):
            canvas.limb(_at(along, foot * 0.9), _at(along, 1.0), 0.03, 0.03, palette.shoes)
    else:  # boundary stone or stump
        half = float(rng.uniform(0.15, 0.35))
        canvas.polygon([[-half * 0.8, 0], [half * 0.8, 0], [half, 1], [-half, 1]], palette.load)
    return canvas.cutout(rng, shading=palette.shading, grain=palette.grain)


def _squashed(cutout: Cutout, factor: float) -> Cutout:
    if factor >= 1.0:
        return cutout
    height, width = cutout.alpha.shape
    size = (width, max(1, round(height * factor)))
    return Cutout(
        bgr=np.asarray(cv2.resize(cutout.bgr, size, interpolation=cv2.INTER_AREA), np.float32),
        alpha=np.asarray(cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_AREA), np.float32),
    )
