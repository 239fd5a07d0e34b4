"""A person as tapered capsules in space: joints from gait and phase, colours from looks.

Proportions follow the usual tables of segment lengths over body height.

Source: Winter, "Biomechanics and Motor Control of Human Movement", figure 4.1.
"""

import math
from dataclasses import dataclass

import numpy as np

from geo._types import FloatArray
from simulations.walk import FigureState

SKIN, HAIR, SHIRT, TROUSERS, SHOES, HAT, LOAD = range(7)
# Warmth in a white-hot picture, 0..1 above the ground's: bare skin, hair, cloth, shoes, straw.
WARMTH = np.array([1.0, 0.72, 0.8, 0.7, 0.5, 0.42, 0.3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Tapered capsules in the site's frame.

    Attributes:
        start_m, end_m: (k, 3) axis ends.
        start_radius_m, end_radius_m: (k,).
        material: (k,) index into the palette (SKIN ... LOAD).
    """

    start_m: FloatArray
    end_m: FloatArray
    start_radius_m: FloatArray
    end_radius_m: FloatArray
    material: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pose:
    """Angles in radians, positive forwards; pairs are left, right."""

    lean: float
    thigh: tuple[float, float]
    knee: tuple[float, float]
    arm: tuple[float, float]
    elbow: tuple[float, float]


def pose(figure: FigureState) -> _Pose:
    """Return the joint angles of a gait at its phase."""
    turn = 2.0 * math.pi * figure.phase
    if figure.gait == "stand":
        return _Pose(
            lean=0.03, thigh=(0.03, -0.03), knee=(0.05, 0.05), arm=(0.0, 0.06), elbow=(0.2, 0.25)
        )
    if figure.gait == "work":
        swing = math.sin(turn)
        reach = 0.9 + 0.55 * swing
        return _Pose(
            lean=0.62 - 0.18 * swing, thigh=(0.35, -0.12), knee=(0.4, 0.15),
            arm=(reach, reach - 0.2), elbow=(0.35, 0.45),
        )  # fmt: skip
    # Faster walking swings wider; a quarter of a turn separates hip and knee.
    wide = min(1.25, 0.75 + 0.25 * figure.speed_m_s / 1.3)
    swing = 0.44 * wide * math.sin(turn)
    knees = tuple(0.12 + 0.85 * wide * max(0.0, math.cos(turn + off)) ** 2 * (math.cos(turn + off) > 0)
                  for off in (0.0, math.pi))  # fmt: skip
    if figure.gait == "creep":
        return _Pose(
            lean=0.75, thigh=(0.62 + 0.7 * swing, 0.62 - 0.7 * swing),
            knee=(0.75 + 0.6 * knees[0], 0.75 + 0.6 * knees[1]),
            arm=(0.5 - 0.5 * swing, 0.5 + 0.5 * swing), elbow=(0.7, 0.7),
        )  # fmt: skip
    return _Pose(
        lean=0.06, thigh=(0.08 + swing, 0.08 - swing), knee=(knees[0], knees[1]),
        arm=(-0.8 * swing, 0.8 * swing), elbow=(0.3 + 0.2 * abs(swing), 0.3 + 0.2 * abs(swing)),
    )  # fmt: skip


def build(figure: FigureState) -> Body:
    """Return the capsules of a person at an instant, standing on the ground at their feet."""
    angles, tall = pose(figure), figure.looks.height_m
    parts: list[tuple[FloatArray, FloatArray, float, float, int]] = []

    def add(a: FloatArray, b: FloatArray, ra: float, rb: float, material: int) -> None:
        parts.append((a, b, ra * tall, rb * tall, material))

    # Body axes: x right, y forward, z up; lengths in body heights, the hips at the origin.
    spine = np.array([0.0, math.sin(angles.lean), math.cos(angles.lean)])
    chest, neck = 0.28 * spine, 0.335 * spine
    lift = (
        spine
        if angles.lean < 0.4
        else np.array([0.0, math.sin(angles.lean - 0.35), math.cos(angles.lean - 0.35)])
    )
    head = neck + 0.075 * lift
    for side, k in ((-1.0, 0), (1.0, 1)):
        hip = np.array([side * 0.052, 0.0, 0.0])
        knee = hip + 0.245 * _down(angles.thigh[k])
        ankle = knee + 0.235 * _down(angles.thigh[k] - angles.knee[k])
        toe = ankle + np.array([side * 0.012, 0.085, -0.018])
        add(hip, knee, 0.053, 0.036, TROUSERS)
        add(knee, ankle, 0.036, 0.024, TROUSERS)
        add(ankle, toe, 0.024, 0.019, SHOES)
        shoulder = chest + np.array([side * 0.108, 0.0, 0.0])
        elbow = shoulder + 0.17 * _down(angles.arm[k]) + np.array([side * 0.012, 0, 0])
        hand = elbow + 0.165 * _down(angles.arm[k] + angles.elbow[k])
        add(shoulder, elbow, 0.033, 0.026, SHIRT)
        add(elbow, hand, 0.023, 0.019, SKIN)
    across = np.array([1.0, 0.0, 0.0])
    # The trunk is broader than deep: two capsules side by side, one across the shoulders.
    for side in (-1.0, 1.0):
        add(
            0.02 * spine + side * 0.032 * across,
            0.25 * spine + side * 0.05 * across,
            0.058,
            0.062,
            SHIRT,
        )
    add(-0.03 * across, 0.03 * across, 0.062, 0.062, TROUSERS)
    add(0.275 * spine - 0.075 * across, 0.275 * spine + 0.075 * across, 0.042, 0.042, SHIRT)
    add(chest, neck, 0.032, 0.03, SKIN)
    face = head + 0.012 * np.array([0.0, 1.0, 0.0])
    add(face - 0.018 * lift, face + 0.014 * lift, 0.046, 0.05, SKIN)
    # Hair lies on the crown and the back of the head, behind the face seen from the front.
    back_of_head = np.array([0.0, -0.022 * lift[2], 0.022 * lift[1]])
    add(
        head - 0.004 * lift + back_of_head,
        head + 0.026 * lift + 0.6 * back_of_head,
        0.046,
        0.047,
        HAIR,
    )
    if figure.looks.hat == "conical":
        # A cone of straw as stars of bars, smaller towards the top: capsules know no flat discs.
        for level, wide in ((0.03, 0.105), (0.048, 0.08), (0.066, 0.054), (0.084, 0.028)):
            for turn in (0.0, math.pi / 3.0, -math.pi / 3.0):
                arm = wide * np.array([math.cos(turn), math.sin(turn), 0.0])
                middle = head + level * lift
                add(middle - arm, middle + arm, 0.014, 0.014, HAT)
    elif figure.looks.hat == "cap":
        add(head + 0.045 * lift, head + 0.05 * lift + np.array([0, 0.05, 0]), 0.05, 0.03, HAT)
    if figure.looks.load == "pack":
        back = np.array([0.0, -0.095 * math.cos(angles.lean), 0.095 * math.sin(angles.lean)])
        add(0.09 * spine + back, 0.24 * spine + back, 0.07, 0.075, LOAD)
    elif figure.looks.load == "hoe":
        grip = chest + 0.17 * _down(angles.arm[1]) + 0.165 * _down(angles.arm[1] + angles.elbow[1])
        tip = grip + 0.5 * _down(angles.arm[1] + 0.35)
        add(grip - 0.25 * _down(angles.arm[1] + 0.35), tip, 0.011, 0.011, LOAD)
    return _stand(figure, parts)


def _down(angle: float) -> FloatArray:
    """Return the unit vector of a limb that hangs down at 0 and swings forwards."""
    return np.array([0.0, math.sin(angle), -math.cos(angle)])


def _stand(
    figure: FigureState, parts: list[tuple[FloatArray, FloatArray, float, float, int]]
) -> Body:
    """Scale to the person's height, put the lower foot on the ground, turn and move into place."""
    tall = figure.looks.height_m
    start = np.array([p[0] for p in parts]) * tall
    end = np.array([p[1] for p in parts]) * tall
    start_radius, end_radius = np.array([p[2] for p in parts]), np.array([p[3] for p in parts])
    shoes = np.array([p[4] == SHOES for p in parts])
    lowest = np.minimum(start[:, 2] - start_radius, end[:, 2] - end_radius)[shoes].min()
    start[:, 2] -= lowest
    end[:, 2] -= lowest
    azimuth = math.radians(figure.azimuth_deg)
    right = np.array([math.cos(azimuth), -math.sin(azimuth), 0.0])
    forward = np.array([math.sin(azimuth), math.cos(azimuth), 0.0])
    turn = np.vstack((right, forward, [0.0, 0.0, 1.0]))
    feet = np.array(figure.feet_enu_m)
    return Body(
        start_m=start @ turn + feet,
        end_m=end @ turn + feet,
        start_radius_m=start_radius,
        end_radius_m=end_radius,
        material=tuple(p[4] for p in parts),
    )


def palette(seed: int) -> FloatArray:
    """Return (7, 3) BGR colours, 0..255, of a person's materials."""
    rng = np.random.default_rng(seed)
    cloth = np.array(
        [[70, 60, 52], [60, 78, 92], [120, 112, 104], [58, 84, 66], [150, 150, 160], [92, 50, 42],
         [50, 52, 130], [44, 44, 48], [160, 140, 100]]
    )  # fmt: skip
    shirt = cloth[rng.integers(len(cloth))] + rng.integers(-12, 13, size=3)
    trousers = cloth[rng.integers(4)] * 0.62 + rng.integers(-8, 9, size=3)
    skin = np.array([92, 122, 170]) * rng.uniform(0.8, 1.1)
    load = np.array([44, 62, 70]) * rng.uniform(0.7, 1.2)
    rows = [skin, [28, 26, 28], shirt, trousers, [36, 40, 48], [120, 178, 206], load]
    return np.clip(np.array(rows, dtype=np.float64), 12.0, 245.0)
