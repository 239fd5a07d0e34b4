"""Buffaloes, cows, dogs and birds, in metres."""

import math
from dataclasses import dataclass

import numpy as np

from simulations.bodies.parts import Body, Paint, Parts, Point
from simulations.bodies.pose import plus, reach
from simulations.walk import FigureState

_STANCE = 0.62
"""Share of a cycle that a hoof is on the ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beast:
    """Proportions over the height at the back, colours as BGR.

    Attributes:
        barrel, belly: radius of chest and belly.
        neck, head: lengths.
        carried: height of the head over the back, in heights.
        horn: length of each horn, 0 for none.
        snout: radius at the nose over that at the brow.
    """

    barrel: float
    belly: float
    leg: float
    neck: float
    head: float
    carried: float
    horn: float
    snout: float
    tail: float
    hump: float
    ears: float
    coats: tuple[tuple[int, int, int], ...]
    warmth: float


_BUFFALO = _Beast(
    barrel=0.25, belly=0.275, leg=0.06, neck=0.3, head=0.36, carried=-0.06, horn=0.42, snout=0.62,
    tail=0.5, hump=0.0, ears=0.12, coats=((62, 62, 66), (72, 70, 74), (52, 52, 58)), warmth=0.55,
)  # fmt: skip
_COW = _Beast(
    barrel=0.22, belly=0.235, leg=0.05, neck=0.33, head=0.33, carried=0.06, horn=0.1, snout=0.6,
    tail=0.55, hump=0.09, ears=0.13,
    coats=((58, 96, 150), (70, 112, 168), (150, 172, 190), (44, 68, 104)), warmth=0.6,
)  # fmt: skip
_DOG = _Beast(
    barrel=0.2, belly=0.155, leg=0.055, neck=0.26, head=0.3, carried=0.2, horn=0.0, snout=0.45,
    tail=0.5, hump=0.0, ears=0.14, coats=((70, 120, 176), (44, 52, 60), (190, 200, 205), (60, 84, 120)),
    warmth=0.5,
)  # fmt: skip


def buffalo(figure: FigureState) -> Body:
    """Return a water buffalo: heavy, grey, wide horns swept back."""
    return _beast(figure, _BUFFALO)


def cow(figure: FigureState) -> Body:
    """Return a humped cow of these parts, slimmer than a buffalo."""
    return _beast(figure, _COW)


def dog(figure: FigureState) -> Body:
    """Return a village dog, tail up."""
    return _beast(figure, _DOG)


def bird(figure: FigureState, ground_m: float) -> Body:
    """Return an egret on the wing; the figure's place is the bird's middle."""
    long_m, parts = figure.looks.length_m, Parts()
    rng = np.random.default_rng(figure.looks.seed)
    white = rng.uniform() < 0.7
    feather = Paint(232, 232, 228, 0.55, 0.04) if white else Paint(96, 98, 96, 0.55, 0.08)
    bill = Paint(60, 150, 190, 0.4, 0.0)
    parts.limb(
        (0.0, -0.22 * long_m, 0.0), (0.0, 0.2 * long_m, 0.02), 0.07 * long_m, 0.11 * long_m, feather
    )
    neck = (0.0, 0.38 * long_m, 0.07 * long_m)
    parts.limb((0.0, 0.24 * long_m, 0.02), neck, 0.07 * long_m, 0.05 * long_m, feather)
    parts.limb(neck, (0.0, 0.44 * long_m, 0.06 * long_m), 0.06 * long_m, 0.05 * long_m, feather)
    parts.limb(
        (0.0, 0.47 * long_m, 0.05 * long_m),
        (0.0, 0.57 * long_m, 0.035 * long_m),
        0.026 * long_m,
        0.016 * long_m,
        bill,
    )
    parts.limb(
        (0.0, -0.25 * long_m, -0.02),
        (0.0, -0.56 * long_m, -0.03),
        0.03 * long_m,
        0.022 * long_m,
        Paint(40, 44, 44, 0.4),
    )
    beat = math.sin(2.0 * math.pi * figure.phase)
    late = math.sin(2.0 * math.pi * figure.phase - 0.9)
    span = 0.95 * long_m
    for side in (-1.0, 1.0):
        rise, tip = 0.15 + 0.6 * beat, 0.1 + 0.9 * late
        wrist = (side * 0.5 * span * math.cos(rise), 0.16 * long_m, 0.5 * span * math.sin(rise))
        end = plus(
            wrist, (side * 0.5 * span * math.cos(tip), -0.1 * long_m, 0.5 * span * math.sin(tip))
        )
        root_front, root_back = (
            (side * 0.05 * long_m, 0.15 * long_m, 0.03),
            (side * 0.05 * long_m, -0.17 * long_m, 0.02),
        )
        wrist_back = plus(wrist, (0.0, -0.36 * long_m, 0.0))
        # The arm of the wing is thick: it is still there when the wing is seen edge-on.
        parts.limb(root_front, wrist, 0.05 * long_m, 0.035 * long_m, feather)
        parts.limb(wrist, end, 0.035 * long_m, 0.02 * long_m, feather)
        parts.facet([root_front, wrist, wrist_back, root_back], feather)
        parts.facet([wrist, end, plus(end, (0.0, -0.16 * long_m, 0.0)), wrist_back], feather)
    return parts.placed(figure.feet_enu_m, figure.azimuth_deg, ground_m=ground_m)


def _beast(figure: FigureState, kind: _Beast) -> Body:
    parts, looks = Parts(), figure.looks
    rng = np.random.default_rng(looks.seed)
    high_m = looks.height_m
    trunk_m = max(looks.length_m - (0.55 * kind.neck + kind.head) * high_m * 0.75, 0.8 * high_m)
    coat = np.array(kind.coats[rng.integers(len(kind.coats))]) * rng.uniform(0.85, 1.12)
    b, g, r = coat.tolist()
    hide = Paint(b, g, r, kind.warmth, 0.07)
    dark = Paint(0.62 * b, 0.62 * g, 0.62 * r, 0.5 * kind.warmth, 0.06)
    # Fur keeps the warmth in; legs and ears run cold, the muzzle is bare.
    shin = Paint(b, g, r, 0.6 * kind.warmth, 0.07)
    muzzle = Paint(0.62 * b, 0.62 * g, 0.62 * r, 0.95, 0.04)
    back_z = high_m - kind.barrel * high_m
    front, rear = 0.36 * trunk_m, -0.4 * trunk_m
    r = kind.barrel * high_m
    belly = kind.belly * high_m
    parts.limb(
        (0.0, rear, back_z - 0.02),
        (0.0, 0.02 * trunk_m, back_z - 0.03 * high_m),
        0.92 * r,
        belly,
        hide,
    )
    parts.limb((0.0, 0.0, back_z - 0.03 * high_m), (0.0, front, back_z), belly, r, hide)
    _legs(parts, figure, kind, (hide, shin, dark), (front, rear, back_z), high_m)
    if kind.hump > 0.0:
        parts.limb(
            (0.0, front - 0.05, back_z + r * 0.9),
            (0.0, front + 0.05, back_z + r * 0.85),
            kind.hump * high_m,
            kind.hump * high_m,
            hide,
        )
    grazing = figure.speed_m_s == 0.0 and kind is not _DOG
    nod = 0.02 * math.sin(4.0 * math.pi * figure.phase)
    droop = -0.42 if grazing else kind.carried + nod
    shoulder = (0.0, front + 0.35 * r, back_z + 0.35 * r)
    brow_z = back_z + (1.2 * droop + 0.12 if not grazing else droop) * high_m + 0.3 * r
    stretch = 1.35 if grazing else 0.9
    poll = (0.0, front + 0.35 * r + kind.neck * high_m * stretch, brow_z)
    parts.limb(shoulder, poll, 0.72 * r, 0.42 * r, hide)
    pitch = -0.75 if grazing else -0.45
    way = (0.0, math.cos(pitch), math.sin(pitch))
    skull = 0.36 * r
    nose = plus(poll, way, kind.head * high_m)
    parts.limb(plus(poll, way, 0.1 * high_m * kind.head), nose, skull, skull * kind.snout, hide)
    parts.limb(
        plus(nose, way, -0.02),
        plus(nose, way, 0.03 * high_m),
        skull * kind.snout,
        skull * kind.snout * 0.9,
        muzzle,
    )
    for side in (-1.0, 1.0):
        ear = plus(poll, (side * 0.8 * skull, -0.02, 0.35 * skull))
        drop = 0.25 if kind.horn else 0.9
        parts.limb(
            ear,
            plus(
                ear,
                (
                    side * kind.ears * high_m * (0.9 if kind.horn else 0.25),
                    -0.02,
                    (drop - 0.4) * kind.ears * high_m,
                ),
            ),
            0.028 * high_m,
            0.012 * high_m,
            dark,
        )
        if kind.horn > 0.0:
            _horn(parts, poll, skull, side, kind.horn * high_m)
    tail_z = back_z + 0.6 * r
    root = (0.0, rear - 0.8 * r, tail_z)
    swish = 0.1 * math.sin(2.0 * math.pi * figure.phase)
    if kind is _DOG:
        tip = plus(root, (0.1 * swish, -0.22 * high_m, 0.42 * high_m))
        parts.limb(root, tip, 0.04 * high_m, 0.025 * high_m, hide)
    else:
        tip = plus(root, (swish * high_m, -0.08 * high_m, -kind.tail * high_m))
        parts.limb(root, tip, 0.022 * high_m, 0.015 * high_m, hide)
        parts.limb(tip, plus(tip, (0.0, 0.0, -0.08 * high_m)), 0.022 * high_m, 0.028 * high_m, dark)
    return parts.placed(figure.feet_enu_m, figure.azimuth_deg, surface_m=figure.water_level_m)


def _horn(parts: Parts, poll: Point, skull: float, side: float, long_m: float) -> None:
    """Add a horn: out, then back and up, in three pieces."""
    keratin = Paint(70, 74, 78, 0.35, 0.03)
    a = plus(poll, (side * 0.7 * skull, -0.01, 0.6 * skull))
    b = plus(a, (side * 0.42 * long_m, -0.12 * long_m, 0.06 * long_m))
    c = plus(b, (side * 0.22 * long_m, -0.34 * long_m, 0.2 * long_m))
    d = plus(c, (-side * 0.06 * long_m, -0.2 * long_m, 0.24 * long_m))
    thick = min(0.1 * long_m + 0.012, 0.05)
    parts.limb(a, b, thick, 0.85 * thick, keratin)
    parts.limb(b, c, 0.85 * thick, 0.6 * thick, keratin)
    parts.limb(c, d, 0.6 * thick, 0.2 * thick, keratin)


def _legs(
    parts: Parts, figure: FigureState, kind: _Beast, coat: tuple[Paint, Paint, Paint],
    trunk: tuple[float, float, float], high_m: float,
) -> None:  # fmt: skip
    """Add four legs that step in the order of a walk: hind left, fore left, hind right, fore right."""
    front, rear, back_z = trunk
    hide, shin, hoof_paint = coat
    radius = kind.leg * high_m
    hoof = 0.72 * radius
    stride_m = 0.34 * high_m if figure.speed_m_s > 0.0 else 0.0
    for side, hind, offset in (
        (-1.0, True, 0.0),
        (-1.0, False, 0.25),
        (1.0, True, 0.5),
        (1.0, False, 0.75),
    ):
        part = (figure.phase + offset) % 1.0
        if part < _STANCE:
            ahead, lift = 0.5 - part / _STANCE, 0.0
        else:
            air = (part - _STANCE) / (1.0 - _STANCE)
            ahead, lift = air - 0.5, 0.12 * high_m * math.sin(math.pi * air)
        if stride_m == 0.0:
            ahead, lift = 0.12 * (0.5 - offset), 0.0
        top = (
            side * 0.55 * kind.barrel * high_m,
            rear if hind else front,
            back_z - 0.3 * kind.barrel * high_m,
        )
        foot = (
            side * 0.5 * kind.barrel * high_m,
            top[1] + ahead * max(stride_m, 0.2 * high_m),
            hoof + lift,
        )
        long = top[2] - hoof
        bend = (0.0, -1.0, 0.0) if hind else (0.0, 1.0, 0.0)
        # Swung to the end of its step a leg must still reach the ground.
        knee, ankle = reach(top, foot, 0.55 * long, 0.52 * long, bend)
        parts.limb(top, knee, 1.9 * radius if hind else 1.6 * radius, 1.05 * radius, hide)
        parts.limb(knee, ankle, 0.95 * radius, 0.72 * radius, shin)
        parts.limb(ankle, plus(ankle, (0.0, 0.25 * radius, 0.0)), hoof, hoof, hoof_paint)
