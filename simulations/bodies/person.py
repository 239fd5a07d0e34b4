"""A person: flesh, clothes, hat and load round the joints of a posture."""

import math
from collections.abc import Callable
from dataclasses import replace

from simulations.bodies.looks import Outfit, outfit
from simulations.bodies.parts import Body, Paint, Parts, Point
from simulations.bodies.pose import Joints, plus, posture
from simulations.walk import FigureState

STANDING = 1.0135
"""Height of the standing posture in its own units; people are as tall as their looks say."""
_CONE_SIDES = 10


def walking_person(figure: FigureState) -> Body:
    """Return somebody on their feet, on all fours or swimming."""
    parts, looks = Parts(), figure.looks
    clothes = outfit(figure.kind, looks)
    joints = posture(figure.gait, figure.phase, figure.speed_m_s)
    tall_m = looks.height_m / STANDING
    if figure.kind == "tourist" and figure.gait == "stand" and looks.seed % 3:
        joints = _photographing(parts, joints, tall_m)
    if clothes.load == "pole":
        joints = joints.with_hands(None, plus(joints.shoulder[1], (0.02, 0.14, 0.02)))
    elif clothes.load == "sack":
        joints = joints.with_hands(None, plus(joints.shoulder[1], (0.02, 0.09, 0.12)))
    swims = figure.gait == "swim"
    if swims or figure.gait == "crawl":
        clothes = replace(clothes, load="none" if swims else _low(clothes.load))
    dress(parts, joints, clothes, tall_m)
    if swims:
        _ripples(parts, figure)
    surface_m = figure.water_level_m
    if swims and surface_m is None:
        surface_m = figure.feet_enu_m[2]
    return parts.placed(figure.feet_enu_m, figure.azimuth_deg, surface_m=surface_m)


def dress(
    parts: Parts, joints: Joints, clothes: Outfit, tall_m: float, at: Point = (0.0, 0.0, 0.0)
) -> None:
    """Add a clothed person to a figure.

    Joints are in body heights of ``tall_m`` metres; their origin lies at ``at`` in the figure.
    """

    def add(a: Point, b: Point, ra: float, rb: float, paint: Paint) -> None:
        parts.limb(
            plus(at, a, tall_m), plus(at, b, tall_m), ra * tall_m, rb * tall_m, paint
        )  # fmt: skip

    j = joints
    for k in (0, 1):
        add(j.hip[k], j.knee[k], 0.053, 0.036, clothes.trousers)
        add(j.knee[k], j.ankle[k], 0.036, 0.024, clothes.trousers)
        add(j.ankle[k], j.toe[k], 0.024, 0.019, clothes.shoes)
        add(j.shoulder[k], j.elbow[k], 0.033, 0.026, clothes.shirt)
        add(j.elbow[k], j.hand[k], 0.023, 0.017, clothes.sleeves)
        out = plus(j.hand[k], plus(j.hand[k], j.elbow[k], -1.0), 0.1)
        add(j.hand[k], out, 0.019, 0.016, clothes.skin)
    spine = plus(j.chest, j.pelvis, -1.0)
    # The trunk is broader than deep: two capsules side by side, one across the shoulders.
    for side in (-1.0, 1.0):
        low = plus(plus(j.pelvis, spine, 0.07), (side * 0.032, 0.0, 0.0))
        add(
            low,
            plus(plus(j.pelvis, spine, 0.9), (side * 0.05, 0.0, 0.0)),
            0.056,
            0.06,
            clothes.shirt,
        )
    add(plus(j.pelvis, spine, 0.1), plus(j.pelvis, spine, 0.86), 0.06, 0.066, clothes.shirt)
    add(plus(j.pelvis, (-0.03, 0, 0)), plus(j.pelvis, (0.03, 0, 0)), 0.062, 0.062, clothes.trousers)
    yoke = plus(j.pelvis, spine, 0.98)
    add(plus(yoke, (-0.075, 0, 0)), plus(yoke, (0.075, 0, 0)), 0.042, 0.042, clothes.shirt)
    add(j.chest, j.neck, 0.032, 0.03, clothes.skin)
    face = plus(j.head, j.face, 0.012)
    add(plus(face, j.crown, -0.018), plus(face, j.crown, 0.014), 0.046, 0.05, clothes.skin)
    # Hair lies on the crown and the back of the head, behind the face seen from the front.
    # Under a cap only the lower part of it shows, under a helmet none.
    back = plus(j.head, j.face, -0.022)
    if clothes.hat in ("none", "conical"):
        crown = plus(plus(j.head, j.face, -0.013), j.crown, 0.026)
        add(plus(back, j.crown, -0.004), crown, 0.046, 0.047, clothes.hair)
    elif clothes.hat == "cap":
        add(plus(back, j.crown, -0.012), plus(back, j.crown, 0.004), 0.04, 0.042, clothes.hair)
    _hat(parts, j, clothes, tall_m, at)
    _load(parts, j, clothes, tall_m, at)


def _hat(parts: Parts, j: Joints, clothes: Outfit, tall_m: float, at: Point) -> None:
    def put(p: Point) -> Point:
        return plus(at, p, tall_m)

    paint = clothes.hat_paint
    if clothes.hat == "conical":
        # A shallow cone of palm leaf, the brim at the brow.
        top, brim = put(plus(j.head, j.crown, 0.112)), plus(j.head, j.crown, 0.022)
        side = (1.0, 0.0, 0.0)
        ring = []
        for n in range(_CONE_SIDES):
            angle = 2.0 * math.pi * n / _CONE_SIDES
            edge = plus(plus(brim, side, 0.118 * math.cos(angle)), j.face, 0.118 * math.sin(angle))
            ring.append(put(edge))
        inside = put(plus(j.head, j.crown, 0.03))
        for n in range(_CONE_SIDES):
            parts.facet([ring[n], ring[(n + 1) % _CONE_SIDES], top], paint, inside=inside)
    elif clothes.hat == "cap":
        low, front = plus(j.head, j.crown, 0.036), plus(plus(j.head, j.crown, 0.03), j.face, 0.078)
        parts.limb(put(low), put(plus(low, j.crown, 0.006)), 0.049 * tall_m, 0.046 * tall_m, paint)
        for aside in (-0.022, 0.022):
            visor = plus(front, (aside, 0.0, 0.0))
            parts.limb(
                put(plus(visor, j.face, -0.035)), put(visor), 0.014 * tall_m, 0.008 * tall_m, paint
            )
    elif clothes.hat == "helmet":
        low = plus(j.head, j.crown, 0.012)
        back = plus(low, j.face, -0.012)
        parts.limb(put(back), put(plus(low, j.crown, 0.02)), 0.06 * tall_m, 0.06 * tall_m, paint)
        brow = plus(plus(low, j.face, 0.042), j.crown, 0.022)
        parts.limb(
            put(plus(brow, (-0.03, 0, 0))),
            put(plus(brow, (0.03, 0, 0))),
            0.02 * tall_m,
            0.02 * tall_m,
            paint,
        )


def _load(parts: Parts, j: Joints, clothes: Outfit, tall_m: float, at: Point) -> None:
    def put(p: Point) -> Point:
        return plus(at, p, tall_m)

    paint = clothes.load_paint
    spine = plus(j.chest, j.pelvis, -1.0)
    long = math.sqrt(spine[1] ** 2 + spine[2] ** 2)
    behind = (0.0, -spine[2] / long, spine[1] / long)
    if clothes.load == "pack":
        low = plus(plus(j.pelvis, spine, 0.32), behind, 0.095)
        for side in (-0.022, 0.022):
            foot = plus(low, (side, 0, 0))
            parts.limb(
                put(foot), put(plus(foot, spine, 0.5)), 0.062 * tall_m, 0.066 * tall_m, paint
            )
    elif clothes.load == "sack":
        middle = plus(plus(j.chest, (0.07, 0, 0)), behind, 0.03)
        low = plus(plus(middle, behind, 0.1), (0.02, 0, 0.03))
        parts.limb(
            put(plus(low, (0, 0, 0.02))),
            put(plus(middle, (0.0, 0.1, 0.09))),
            0.078 * tall_m,
            0.07 * tall_m,
            paint,
        )
    elif clothes.load == "hoe":
        right = j.hand[1]
        raised = min(max((right[2] - j.chest[2] + 0.3) / 0.5, 0.0), 1.0)
        ahead = (0.08, 0.75, 1.5 * raised - 0.75)
        wood = Paint(70, 100, 128, 0.2, 0.06)
        tip = plus(right, ahead, 0.36)
        parts.limb(
            put(plus(right, ahead, -0.3)),
            put(tip),
            0.011 * tall_m,
            0.011 * tall_m,
            wood,
            boxed=False,
        )
        parts.limb(
            put(tip),
            put(plus(tip, (0.0, -0.1, -0.06))),
            0.02 * tall_m,
            0.03 * tall_m,
            Paint(92, 88, 84, 0.1),
            boxed=False,
        )
    elif clothes.load == "pole":
        _pole(parts, j, paint, put, tall_m)


def _pole(
    parts: Parts, j: Joints, paint: Paint, put: Callable[[Point], Point], tall_m: float
) -> None:
    """Add a carrying pole over the right shoulder with a basket at each end."""
    middle = plus(j.shoulder[1], (-0.02, 0.0, 0.04))
    bamboo = Paint(88, 128, 150, 0.25, 0.05)
    for way in (-1.0, 1.0):
        end = plus(middle, (0.0, way * 0.42, -0.035))
        parts.limb(put(middle), put(end), 0.014 * tall_m, 0.011 * tall_m, bamboo, boxed=False)
        basket = (end[0], end[1], 0.16)
        for side in (-0.08, 0.08):
            parts.limb(
                put(end),
                put(plus(basket, (side, 0, 0.03))),
                0.005 * tall_m,
                0.005 * tall_m,
                bamboo,
                boxed=False,
            )
        parts.limb(
            put(plus(basket, (-0.05, 0, -0.04))),
            put(plus(basket, (0.05, 0, -0.04))),
            0.07 * tall_m,
            0.07 * tall_m,
            paint,
            boxed=False,
        )
        parts.limb(
            put(plus(basket, (-0.06, 0, 0))),
            put(plus(basket, (0.06, 0, 0))),
            0.075 * tall_m,
            0.075 * tall_m,
            paint,
            boxed=False,
        )


def _low(load: str) -> str:
    """Return what of a load somebody on the ground still has: a pack, nothing in the hands."""
    return load if load == "pack" else "none"


def _photographing(parts: Parts, joints: Joints, tall_m: float) -> Joints:
    """Raise the arms with a phone in front of the face."""
    phone = plus(plus(joints.head, joints.face, 0.2), (0.0, 0.0, 0.005))
    raised = joints.with_hands(plus(phone, (-0.035, 0, -0.02)), plus(phone, (0.035, 0, -0.02)))
    parts.limb(
        plus((0, 0, 0), plus(phone, (-0.03, 0, 0.01)), tall_m),
        plus((0, 0, 0), plus(phone, (0.03, 0, 0.01)), tall_m),
        0.017 * tall_m, 0.017 * tall_m, Paint(30, 28, 26, 0.75, 0.0),
    )  # fmt: skip
    return raised


def _ripples(parts: Parts, figure: FigureState) -> None:
    """Add the stirred water round a swimmer: a patch, and a wedge behind."""
    foam = Paint(205, 208, 206, 0.12, 0.1)
    pulse = 0.9 + 0.2 * math.sin(4.0 * math.pi * figure.phase)
    ring = [
        (0.42 * pulse * math.cos(a), -0.1 + 0.55 * pulse * math.sin(a), 0.0)
        for a in (k * math.pi / 5.0 for k in range(10))
    ]
    parts.mark(ring, 0.18, foam)
    if figure.speed_m_s > 0.0:
        for side in (-1.0, 1.0):
            parts.mark(
                [(side * 0.1, 0.1, 0.0), (side * 0.55, -1.3, 0.0), (side * 0.8, -1.5, 0.0)],
                0.16, foam,
            )  # fmt: skip
