"""Boats and who is in them, in metres, the water's surface at height 0."""

import math
from dataclasses import dataclass
from itertools import pairwise

from simulations.bodies.looks import outfit
from simulations.bodies.parts import Body, Paint, Parts, Point
from simulations.bodies.person import STANDING, dress
from simulations.bodies.pose import Pair, plus, posture, seated
from simulations.walk import FigureState

_SECTIONS = 8
_DRAUGHT_M = 0.16
_ABOARD_TALL_M = 1.62
_PLANING_M_S = 2.5
_FOAM = Paint(226, 226, 222, 0.16, 0.12)
_WOOD = ((62, 84, 102), (44, 62, 80), (72, 100, 112), (58, 70, 74))
_STRAKES = ((150, 96, 44), (70, 108, 60), (58, 62, 150), (84, 120, 140), (170, 150, 60))
_OAR = Paint(84, 118, 140, 0.15, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hull:
    """The lines of a boat.

    Attributes:
        length_m: over all.
        half_beam_m: amidships.
        side_m: height of the side amidships.
        bow_m, stern_m: height of the side at the ends.
        stern_share: width of the stern over that amidships.
    """

    length_m: float
    half_beam_m: float
    side_m: float
    bow_m: float
    stern_m: float
    stern_share: float

    def half_width_m(self, s: float) -> float:
        """Return half the width at -1 (stern) .. 1 (bow)."""
        if s >= 0.0:
            return self.half_beam_m * max(0.04, 1.0 - math.pow(s, 2.6))
        return self.half_beam_m * (1.0 - (1.0 - self.stern_share) * math.pow(-s, 2.2))

    def side_height_m(self, s: float) -> float:
        """Return the height of the side over the water at -1 .. 1."""
        end = self.bow_m if s > 0.0 else self.stern_m
        return self.side_m + (end - self.side_m) * math.pow(abs(s), 2.3)


def sampan(figure: FigureState) -> Body:
    """Return a long narrow wooden boat; one rows standing at the stern, the others sit."""
    looks, parts = figure.looks, Parts()
    hull = _Hull(
        length_m=looks.length_m, half_beam_m=0.5, side_m=0.26, bow_m=looks.height_m,
        stern_m=0.85 * looks.height_m, stern_share=0.2,
    )  # fmt: skip
    wood = Paint(*_WOOD[looks.seed % len(_WOOD)], -0.12, 0.1)
    _planks(parts, hull, wood, Paint(*_STRAKES[looks.seed % len(_STRAKES)], -0.1, 0.05))
    stroke = 2.0 * math.pi * figure.phase
    rowing = figure.speed_m_s > 0.0
    stern_y = -0.3 * looks.length_m
    if rowing:
        _rower(parts, figure, stern_y, stroke)
    else:
        _sitter(parts, figure, 0, stern_y, 0.2)
    for extra in range(1, looks.aboard):
        place = extra / max(looks.aboard, 2)
        _sitter(parts, figure, extra, stern_y + place * 0.58 * looks.length_m, 0.12)
    if rowing:
        _wash(parts, hull, 0.22, 0.6)
    sway = math.sin(stroke)
    return parts.placed(
        figure.feet_enu_m, figure.azimuth_deg, pitch_rad=0.008 * math.cos(stroke),
        roll_rad=0.03 * sway, surface_m=figure.feet_enu_m[2],
    )  # fmt: skip


def motorboat(figure: FigureState) -> Body:
    """Return a long-tail boat (vỏ lãi): a slim moulded hull, its engine on a pole at the stern."""
    looks, parts = figure.looks, Parts()
    hull = _Hull(
        length_m=looks.length_m, half_beam_m=0.68, side_m=0.38, bow_m=looks.height_m,
        stern_m=0.42, stern_share=0.8,
    )  # fmt: skip
    colours = ((150, 120, 70), (120, 136, 96), (168, 172, 174), (90, 96, 100))
    b, g, r = colours[looks.seed % len(colours)]
    _planks(parts, hull, Paint(b, g, r, -0.1, 0.04), Paint(212, 214, 212, -0.1, 0.03))
    stern_y = -0.5 * looks.length_m
    engine = Paint(70, 74, 84, 4.0, 0.04)
    parts.limb((0.0, stern_y + 0.25, 0.55), (0.0, stern_y + 0.6, 0.62), 0.16, 0.17, engine)
    parts.limb((0.08, stern_y + 0.4, 0.72), (0.08, stern_y + 0.42, 0.9), 0.05, 0.04, engine)
    parts.limb(
        (0.0, stern_y + 0.2, 0.5), (0.0, stern_y - 1.0, -0.05), 0.03, 0.025, _OAR, boxed=False
    )
    handle = (0.05, stern_y + 1.15, 0.78)
    parts.limb((0.0, stern_y + 0.6, 0.62), handle, 0.022, 0.018, _OAR)
    _sitter(parts, figure, 0, stern_y + 1.35, 0.34, hands=((-0.15, stern_y + 1.8, 0.7), handle))
    for extra in range(1, looks.aboard):
        place = extra / max(looks.aboard, 2)
        _sitter(parts, figure, extra, stern_y + 1.35 + place * 0.56 * looks.length_m, 0.3)
    moving = figure.speed_m_s > 0.0
    if moving:
        _wash(parts, hull, 0.55, min(2.6, 0.45 * figure.speed_m_s))
    beat = 2.0 * math.pi * figure.phase
    lift = 0.045 if figure.speed_m_s > _PLANING_M_S else 0.0
    return parts.placed(
        figure.feet_enu_m, figure.azimuth_deg, pitch_rad=lift + 0.01 * math.sin(beat),
        roll_rad=0.025 * math.cos(beat), surface_m=figure.feet_enu_m[2],
    )  # fmt: skip


def _planks(parts: Parts, hull: _Hull, wood: Paint, strake: Paint) -> None:
    """Add the shell from stern to bow with its painted upper plank, its floor and its thwarts."""
    places = [-1.0 + 2.0 * n / _SECTIONS for n in range(_SECTIONS + 1)]
    half_m = 0.5 * hull.length_m
    floor = Paint(wood.b * 0.62, wood.g * 0.62, wood.r * 0.62, wood.warmth, wood.grain)
    rim = Paint(strake.b * 0.7, strake.g * 0.7, strake.r * 0.7, strake.warmth, strake.grain)
    for s, t in pairwise(places):
        inside = (0.0, 0.5 * (s + t) * half_m, 0.1)
        ends = [(x * half_m, hull.half_width_m(x), hull.side_height_m(x)) for x in (s, t)]
        for side in (-1.0, 1.0):
            (ya, wa, ha), (yb, wb, hb) = ends
            top = [(side * wa, ya, ha), (side * wb, yb, hb)]
            waist = [(side * (wa - 0.02), ya, 0.55 * ha), (side * (wb - 0.02), yb, 0.55 * hb)]
            keel = [
                (side * 0.72 * wb, yb * 0.96, -_DRAUGHT_M),
                (side * 0.72 * wa, ya * 0.96, -_DRAUGHT_M),
            ]
            parts.facet([*top, waist[1], waist[0]], strake, inside=inside)
            parts.facet([*waist, *keel], wood, inside=inside)
            parts.limb(top[0], top[1], 0.022, 0.022, rim)
        (ya, wa, _), (yb, wb, _) = ends
        parts.facet(
            [(-0.8 * wa, ya, 0.06), (0.8 * wa, ya, 0.06), (0.8 * wb, yb, 0.06), (-0.8 * wb, yb, 0.06)],
            floor, inside=(0.0, 0.5 * (ya + yb), 0.5),
        )  # fmt: skip
    stern_w, stern_h = hull.half_width_m(-1.0), hull.side_height_m(-1.0)
    parts.facet(
        [(-stern_w, -half_m, stern_h), (stern_w, -half_m, stern_h),
         (0.72 * stern_w, -0.96 * half_m, -_DRAUGHT_M), (-0.72 * stern_w, -0.96 * half_m, -_DRAUGHT_M)],
        wood, inside=(0.0, 0.0, 0.1),
    )  # fmt: skip
    for s in (-0.45, 0.1, 0.5):
        w, z = 0.9 * hull.half_width_m(s), 0.75 * hull.side_height_m(s)
        parts.limb((-w, s * half_m, z), (w, s * half_m, z), 0.045, 0.045, floor)


def _rower(parts: Parts, figure: FigureState, at_y_m: float, stroke: float) -> None:
    """Add somebody who stands and pushes two oars that cross before the chest."""
    tall_m = _ABOARD_TALL_M / STANDING
    push = 0.5 + 0.5 * math.sin(stroke)
    joints = posture("stand", figure.phase, 0.0)
    grip = plus(joints.chest, (0.0, 0.1 + 0.16 * push, -0.06))
    joints = joints.with_hands(plus(grip, (-0.05, 0, 0)), plus(grip, (0.05, 0, 0)))
    dress(parts, joints, outfit(figure.kind, figure.looks), tall_m, (0.0, at_y_m, 0.08))
    for side, hand in ((1.0, joints.hand[0]), (-1.0, joints.hand[1])):
        held = plus((0.0, at_y_m, 0.08), hand, tall_m)
        blade = (side * 1.55, at_y_m + 0.75 - 1.1 * push, 0.02 + 0.14 * math.cos(stroke))
        parts.limb(held, blade, 0.02, 0.022, _OAR, boxed=False)
        way = plus(blade, held, -1.0)
        parts.limb(plus(blade, way, -0.22), blade, 0.03, 0.06, _OAR, boxed=False)


def _sitter(
    parts: Parts, figure: FigureState, number: int, y_m: float, seat_z_m: float,
    *, hands: Pair | None = None,
) -> None:  # fmt: skip
    tall_m = _ABOARD_TALL_M / STANDING

    def heights(point: Point) -> Point:
        return point[0] / tall_m, (point[1] - y_m) / tall_m, point[2] / tall_m

    feet = ((-0.16, y_m + 0.42, 0.16), (0.16, y_m + 0.42, 0.16))
    held = hands or ((-0.16, y_m + 0.3, seat_z_m + 0.3), (0.16, y_m + 0.3, seat_z_m + 0.3))
    joints = seated(
        (0.0, 0.0, (seat_z_m + 0.1) / tall_m), 0.16, (heights(feet[0]), heights(feet[1])),
        (heights(held[0]), heights(held[1])),
    )  # fmt: skip
    dress(parts, joints, outfit(figure.kind, figure.looks, number), tall_m, (0.0, y_m, 0.0))


def _wash(parts: Parts, hull: _Hull, share: float, reach_m: float) -> None:
    """Add the bow wave along both sides and the wake behind."""
    half_m = 0.5 * hull.length_m
    stern_w = hull.half_width_m(-1.0)
    for side in (-1.0, 1.0):
        bow = (side * 0.1, 0.72 * half_m, 0.0)
        waist = side * (hull.half_beam_m * 0.78)
        parts.mark(
            [bow, (waist, 0.1 * half_m, 0.0), (waist + side * 0.3 * reach_m, -0.5 * half_m, 0.0),
             (waist + side * 0.16 * reach_m, 0.1 * half_m, 0.0)],
            share, _FOAM,
        )  # fmt: skip
        for n in range(3):
            near, far = -half_m - n * reach_m, -half_m - (n + 1) * reach_m
            out = stern_w + 0.3 * reach_m * n
            parts.mark(
                [(side * out, near, 0.0), (side * (out + 0.12), near, 0.0),
                 (side * (out + 0.3 * reach_m + 0.2), far, 0.0), (side * (out + 0.26 * reach_m), far, 0.0)],
                share * (0.7 - 0.2 * n), _FOAM,
            )  # fmt: skip
    for n in range(3):
        near, far = -0.94 * half_m - n * 0.8 * reach_m, -0.94 * half_m - (n + 1) * 0.8 * reach_m
        parts.mark(
            [(-stern_w, near, 0.0), (stern_w, near, 0.0), (1.2 * stern_w, far, 0.0), (-1.2 * stern_w, far, 0.0)],
            share * (0.8 - 0.24 * n), _FOAM,
        )  # fmt: skip
