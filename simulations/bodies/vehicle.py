"""Bicycles and motorbikes with their riders, in metres, the ground at height 0."""

import math

from simulations.bodies.looks import outfit
from simulations.bodies.parts import Body, Paint, Parts, Point
from simulations.bodies.person import STANDING, dress
from simulations.bodies.pose import SOLE, Pair, seated
from simulations.walk import FigureState

_SPOKES = 12
_RUBBER = Paint(36, 36, 38, 0.35, 0.04)
_CHROME = Paint(150, 150, 152, 0.25, 0.03)
_SEAT = Paint(30, 30, 34, 0.45, 0.04)
_FRAMES = ((60, 60, 170), (150, 90, 40), (70, 110, 60), (50, 50, 54), (140, 140, 146))


def cyclist(figure: FigureState) -> Body:
    """Return a town bicycle, its rider pedalling, others on the rack."""
    parts = Parts()
    looks = figure.looks
    paint = Paint(*_FRAMES[looks.seed % len(_FRAMES)], 0.2, 0.03)
    rear, front, crank = (0.0, -0.46, 0.33), (0.0, 0.58, 0.33), (0.0, -0.02, 0.28)
    saddle, stem = (0.0, -0.2, 0.86), (0.0, 0.4, 0.86)
    roll = figure.phase * 2.0 * math.pi
    for hub in (rear, front):
        _wheel(parts, hub, 0.33, 0.018, roll * 2.0)
    _tubes(
        parts,
        [(rear, crank), (rear, saddle), (crank, saddle), (crank, stem), (stem, front)],
        0.016,
        paint,
    )
    bar = (0.0, 0.38, 1.0)
    _tubes(
        parts, [(stem, bar), ((-0.26, 0.28, 1.02), bar), (bar, (0.26, 0.28, 1.02))], 0.013, _CHROME
    )
    _tubes(parts, [((0.0, -0.32, 0.88), (0.0, -0.12, 0.9))], 0.05, _SEAT)
    _tubes(
        parts, [((0.0, -0.3, 0.72), (0.0, -0.68, 0.72)), ((0.0, -0.66, 0.72), rear)], 0.014, _CHROME
    )
    tall_m = looks.height_m / STANDING
    pedals = []
    for side, turn in ((-1.0, roll), (1.0, roll + math.pi)):
        pedal = (side * 0.12, crank[1] + 0.16 * math.sin(turn), crank[2] + 0.16 * math.cos(turn))
        parts.limb((side * 0.06, crank[1], crank[2]), pedal, 0.012, 0.02, _CHROME, boxed=False)
        pedals.append((pedal[0], pedal[1] - 0.04, pedal[2] + SOLE * tall_m * 1.3))
    hands = ((-0.25, 0.3, 1.04), (0.25, 0.3, 1.04))
    _rider(parts, figure, 0, (0.0, -0.22, 0.98), 0.32, (pedals[0], pedals[1]), hands)
    for extra in range(1, min(looks.aboard, 2)):
        _rider(
            parts, figure, extra, (0.0, -0.56, 0.83), 0.05,
            ((-0.24, -0.3, 0.36), (0.24, -0.3, 0.36)), ((-0.14, -0.3, 1.0), (0.14, -0.3, 1.0)),
        )  # fmt: skip
    return parts.placed(figure.feet_enu_m, figure.azimuth_deg, surface_m=figure.water_level_m)


def motorbike(figure: FigureState) -> Body:
    """Return a light step-through motorbike, up to three on it."""
    parts = Parts()
    looks = figure.looks
    paint = Paint(*_FRAMES[looks.seed % len(_FRAMES)], 0.3, 0.03)
    rear, front = (0.0, -0.6, 0.26), (0.0, 0.62, 0.26)
    for hub in (rear, front):
        _wheel(parts, hub, 0.26, 0.035, figure.phase * 6.0 * math.pi)
    head, bar = (0.0, 0.42, 0.8), (0.0, 0.34, 1.0)
    _tubes(parts, [(head, (0.0, 0.6, 0.32))], 0.035, _CHROME)
    _tubes(
        parts,
        [((-0.14, 0.44, 0.78), (-0.16, 0.3, 0.36)), ((0.14, 0.44, 0.78), (0.16, 0.3, 0.36))],
        0.055,
        paint,
    )
    _tubes(parts, [(head, bar)], 0.07, paint)
    _tubes(parts, [((-0.33, 0.26, 1.0), bar), (bar, (0.33, 0.26, 1.0))], 0.016, _RUBBER)
    for side in (-1.0, 1.0):
        parts.limb(
            (side * 0.3, 0.32, 1.02), (side * 0.36, 0.33, 1.16), 0.008, 0.04, _RUBBER, boxed=False
        )
    parts.limb(
        (0.0, 0.42, 0.9),
        (0.0, 0.47, 0.89),
        0.075,
        0.06,
        Paint(215, 220, 225, 0.6, 0.0),
        boxed=False,
    )
    _tubes(parts, [((0.0, 0.3, 0.4), (0.0, -0.2, 0.46))], 0.1, paint)
    _tubes(parts, [((0.0, -0.15, 0.55), (0.0, -0.78, 0.68))], 0.11, paint)
    _tubes(parts, [((0.0, -0.12, 0.72), (0.0, -0.72, 0.78))], 0.1, _SEAT)
    parts.limb(
        (0.0, -0.86, 0.7),
        (0.0, -0.88, 0.68),
        0.05,
        0.045,
        Paint(40, 40, 190, 0.5, 0.0),
        boxed=False,
    )
    engine, pipe = Paint(86, 88, 90, 4.0, 0.03), Paint(140, 140, 142, 3.0, 0.02)
    _tubes(parts, [((0.0, 0.14, 0.34), (0.0, -0.14, 0.32))], 0.11, engine)
    _tubes(parts, [((0.15, 0.0, 0.27), (0.17, -0.85, 0.33))], 0.045, pipe)
    riders = min(looks.aboard, 3)
    for n in range(riders):
        back = -0.2 - 0.29 * n
        feet_y, feet_z = (0.12, 0.36) if n == 0 else (back + 0.18, 0.4)
        hands: Pair = ((-0.3, 0.29, 1.03), (0.3, 0.29, 1.03))
        if n > 0:
            hands = ((-0.17, back + 0.32, 1.02), (0.17, back + 0.32, 1.02))
        _rider(
            parts, figure, n, (0.0, back, 0.89), 0.12,
            ((-0.2, feet_y, feet_z), (0.2, feet_y, feet_z)), hands,
        )  # fmt: skip
    return parts.placed(figure.feet_enu_m, figure.azimuth_deg, surface_m=figure.water_level_m)


def _rider(
    parts: Parts,
    figure: FigureState,
    number: int,
    seat: Point,
    lean: float,
    feet: Pair,
    hands: Pair,
) -> None:
    tall_m = figure.looks.height_m / STANDING
    joints = seated(
        _heights(seat, tall_m), lean, (_heights(feet[0], tall_m), _heights(feet[1], tall_m)),
        (_heights(hands[0], tall_m), _heights(hands[1], tall_m)),
    )  # fmt: skip
    dress(parts, joints, outfit(figure.kind, figure.looks, number), tall_m)


def _heights(point: Point, tall_m: float) -> Point:
    return point[0] / tall_m, point[1] / tall_m, point[2] / tall_m


def _wheel(parts: Parts, hub: Point, radius_m: float, tyre_m: float, roll: float) -> None:
    ring = [
        (
            hub[0],
            hub[1] + (radius_m - tyre_m) * math.sin(a),
            hub[2] + (radius_m - tyre_m) * math.cos(a),
        )
        for a in (roll + 2.0 * math.pi * k / _SPOKES for k in range(_SPOKES + 1))
    ]
    parts.chain(ring, tyre_m, _RUBBER, boxed=False)
    for k in range(0, _SPOKES // 2, 2):
        parts.limb(ring[k], ring[k + _SPOKES // 2], 0.005, 0.005, _CHROME, boxed=False)


def _tubes(parts: Parts, pairs: list[tuple[Point, Point]], radius_m: float, paint: Paint) -> None:
    for a, b in pairs:
        parts.limb(a, b, radius_m, radius_m, paint, boxed=False)
