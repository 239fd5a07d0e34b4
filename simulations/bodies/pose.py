"""Where a person's joints are: by gait and phase, in body heights, in the person's own frame.

Proportions follow the usual tables of segment lengths over body height.

Source: Winter, "Biomechanics and Motor Control of Human Movement", figure 4.1.
"""

import math
from dataclasses import dataclass, replace

from simulations.bodies.parts import Point
from simulations.scenario_actor import Gait

THIGH, SHANK, UPPER_ARM, FOREARM = 0.245, 0.235, 0.17, 0.165
SPINE, NECK, HEAD = 0.28, 0.055, 0.075
HIP_SIDE, SHOULDER_SIDE = 0.052, 0.108
SOLE = 0.037
"""From the ankle down to the ground, a shoe's thickness included."""
Pair = tuple[Point, Point]
"""Left and right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joints:
    """A person's joints in body heights; pairs are left and right.

    Attributes:
        crown: unit vector from the neck through the head.
        face: unit vector the face looks along.
    """

    pelvis: Point
    chest: Point
    neck: Point
    head: Point
    crown: Point
    face: Point
    shoulder: Pair
    elbow: Pair
    hand: Pair
    hip: Pair
    knee: Pair
    ankle: Pair
    toe: Pair

    def moved(self, by: Point) -> "Joints":
        """Return the same posture elsewhere."""

        def go(p: Point) -> Point:
            return plus(p, by)

        def both(pair: Pair) -> Pair:
            return go(pair[0]), go(pair[1])

        return replace(
            self, pelvis=go(self.pelvis), chest=go(self.chest), neck=go(self.neck),
            head=go(self.head), shoulder=both(self.shoulder), elbow=both(self.elbow),
            hand=both(self.hand), hip=both(self.hip), knee=both(self.knee),
            ankle=both(self.ankle), toe=both(self.toe),
        )  # fmt: skip

    def with_hands(self, left: Point | None, right: Point | None) -> "Joints":
        """Return the posture with the hands taken to other places, elbows hanging out."""
        hands, elbows = list(self.hand), list(self.elbow)
        for k, goal in enumerate((left, right)):
            if goal is not None:
                out = (-0.5 if k == 0 else 0.5, -0.25, -1.0)
                elbows[k], hands[k] = reach(self.shoulder[k], goal, UPPER_ARM, FOREARM, out)
        return replace(self, hand=(hands[0], hands[1]), elbow=(elbows[0], elbows[1]))


def plus(a: Point, b: Point, share: float = 1.0) -> Point:
    """Return a + share * b."""
    return a[0] + share * b[0], a[1] + share * b[1], a[2] + share * b[2]


def reach(start: Point, goal: Point, first: float, second: float, bend: Point) -> Pair:
    """Return middle joint and end of a limb of two bones that reaches for a goal.

    The middle joint goes to the side of ``bend``; the end is short of the goal where the limb is.
    """
    away = plus(goal, start, -1.0)
    far = math.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)
    axis = (away[0] / far, away[1] / far, away[2] / far) if far > 1e-9 else (0.0, 0.0, -1.0)
    far = min(max(far, abs(first - second) + 1e-3), (first + second) * 0.999)
    along = (first * first - second * second + far * far) / (2.0 * far)
    aside = math.sqrt(max(first * first - along * along, 0.0))
    dot = bend[0] * axis[0] + bend[1] * axis[1] + bend[2] * axis[2]
    side = plus(bend, axis, -dot)
    long = math.sqrt(side[0] ** 2 + side[1] ** 2 + side[2] ** 2)
    if long < 1e-9:
        side, long = (1.0, 0.0, 0.0), 1.0
    middle = plus(plus(start, axis, along), side, aside / long)
    return middle, plus(start, axis, far)


def posture(gait: Gait, phase: float, speed_m_s: float) -> Joints:
    """Return a person's joints, on the ground (or swimming at its surface).

    The phase, 0..1, is that of two steps or of one stroke.
    """
    turn = 2.0 * math.pi * phase
    if gait == "crawl":
        return _crawling(turn)
    if gait == "swim":
        return _swimming(turn)
    if gait == "run":
        return _grounded(_running(turn, speed_m_s))
    if gait == "work":
        return _grounded(_hoeing(turn))
    if gait in ("walk", "creep") and speed_m_s > 0.0:
        return _grounded(_walking(turn, speed_m_s, bent=gait == "creep"))
    if gait == "creep":
        return _grounded(_walking(turn, 0.5, bent=True))
    return _grounded(_upright(
        0.03, thigh=(0.03, -0.03), knee=(0.05, 0.05), arm=(0.0, 0.06), elbow=(0.2, 0.25)
    ))  # fmt: skip


def seated(seat: Point, lean: float, feet: Pair, hands: Pair | None) -> Joints:
    """Return somebody sitting, feet (ankles) and hands where they belong; all in body heights."""
    rest = _upright(lean, thigh=(1.4, 1.4), knee=(1.4, 1.4), arm=(0.5, 0.5), elbow=(0.6, 0.6))
    sitting = rest.moved(plus(seat, rest.pelvis, -1.0))
    knees, ankles = list(sitting.knee), list(sitting.ankle)
    for k, goal in enumerate(feet):
        out = (-0.15 if k == 0 else 0.15, 1.0, 0.6)
        knees[k], ankles[k] = reach(sitting.hip[k], goal, THIGH, SHANK, out)
    sitting = replace(
        sitting, knee=(knees[0], knees[1]), ankle=(ankles[0], ankles[1]),
        toe=(plus(ankles[0], (-0.008, 0.085, -0.012)), plus(ankles[1], (0.008, 0.085, -0.012))),
    )  # fmt: skip
    return sitting if hands is None else sitting.with_hands(*hands)


def _walking(turn: float, speed_m_s: float, *, bent: bool) -> Joints:
    # Faster walking swings wider; a quarter of a turn separates hip and knee.
    wide = min(1.25, 0.75 + 0.25 * speed_m_s / 1.3)
    swing = 0.44 * wide * math.sin(turn)
    lift = [max(0.0, math.cos(turn + off)) ** 2 for off in (0.0, math.pi)]
    knee = tuple(0.12 + 0.85 * wide * part for part in lift)
    if bent:
        return _upright(
            0.75, thigh=(0.62 + 0.7 * swing, 0.62 - 0.7 * swing),
            knee=(0.75 + 0.6 * knee[0], 0.75 + 0.6 * knee[1]),
            arm=(0.18 - 0.6 * swing, 0.18 + 0.6 * swing), elbow=(0.55, 0.55),
        )  # fmt: skip
    bend = 0.3 + 0.2 * abs(swing)
    return _upright(
        0.06, thigh=(0.08 + swing, 0.08 - swing), knee=(knee[0], knee[1]),
        arm=(-0.8 * swing, 0.8 * swing), elbow=(bend, bend),
    )  # fmt: skip


def _running(turn: float, speed_m_s: float) -> Joints:
    wide = min(1.3, 0.6 + 0.4 * speed_m_s / 3.2)
    swing = 0.62 * wide * math.sin(turn)
    lift = [max(0.0, math.cos(turn + off)) ** 1.5 for off in (0.0, math.pi)]
    return _upright(
        0.2, thigh=(0.24 + swing, 0.24 - swing),
        knee=(0.3 + 1.55 * wide * lift[0], 0.3 + 1.55 * wide * lift[1]),
        arm=(-0.1 - 0.95 * swing, -0.1 + 0.95 * swing), elbow=(1.45, 1.45),
    )  # fmt: skip


def _hoeing(turn: float) -> Joints:
    """Raised, the hoe is before the face of somebody nearly upright; then they bend with it."""
    swing = math.sin(turn)
    arm = 0.95 + 0.8 * swing
    return _upright(
        0.38 - 0.28 * swing, thigh=(0.3 - 0.08 * swing, -0.1), knee=(0.32 - 0.1 * swing, 0.14),
        arm=(arm, arm - 0.2), elbow=(0.45, 0.55),
    )  # fmt: skip


def _upright(
    lean: float,
    *,
    thigh: tuple[float, float],
    knee: tuple[float, float],
    arm: tuple[float, float],
    elbow: tuple[float, float],
) -> Joints:
    """Return joints from angles in radians, forwards positive, the pelvis at the origin."""
    spine = (0.0, math.sin(lean), math.cos(lean))
    raised = max(lean - 0.35, 0.0) if lean >= 0.4 else lean
    crown = (0.0, math.sin(raised), math.cos(raised))
    chest = plus((0.0, 0.0, 0.0), spine, SPINE)
    neck = plus(chest, spine, NECK)
    hips, knees, ankles, toes, shoulders, elbows, hands = [], [], [], [], [], [], []
    for k, side in ((0, -1.0), (1, 1.0)):
        hip = (side * HIP_SIDE, 0.0, 0.0)
        bend = plus(hip, _down(thigh[k]), THIGH)
        ankle = plus(bend, _down(thigh[k] - knee[k]), SHANK)
        shoulder = plus(chest, (side * SHOULDER_SIDE, 0.0, 0.0))
        crook = plus(plus(shoulder, _down(arm[k]), UPPER_ARM), (side * 0.012, 0.0, 0.0))
        hips.append(hip)
        knees.append(bend)
        ankles.append(ankle)
        toes.append(plus(ankle, (side * 0.012, 0.085, -0.018)))
        shoulders.append(shoulder)
        elbows.append(crook)
        hands.append(plus(crook, _down(arm[k] + elbow[k]), FOREARM))
    return Joints(
        pelvis=(0.0, 0.0, 0.0), chest=chest, neck=neck, head=plus(neck, crown, HEAD), crown=crown,
        face=(0.0, crown[2], -crown[1]),
        shoulder=_pair(shoulders), elbow=_pair(elbows), hand=_pair(hands), hip=_pair(hips),
        knee=_pair(knees), ankle=_pair(ankles), toe=_pair(toes),
    )  # fmt: skip


def _crawling(turn: float) -> Joints:
    """Low on elbows and knees, one arm and the other leg forwards in turn."""
    sway = math.sin(turn)
    pelvis, chest = (0.02 * sway, 0.0, 0.105), (0.0, 0.272, 0.165)
    neck, head = (0.0, 0.325, 0.182), (0.0, 0.385, 0.222)
    shoulders = [(-SHOULDER_SIDE, chest[1], chest[2]), (SHOULDER_SIDE, chest[1], chest[2])]
    hips = [(-HIP_SIDE + pelvis[0], 0.0, 0.1), (HIP_SIDE + pelvis[0], 0.0, 0.1)]
    elbows, hands, knees, ankles, toes = [], [], [], [], []
    for k, side in ((0, -1.0), (1, 1.0)):
        ahead = side * sway
        hand = (side * 0.09, chest[1] + 0.17 + 0.075 * ahead, 0.021)
        elbow, palm = reach(shoulders[k], hand, UPPER_ARM, FOREARM, (side * 0.8, -0.6, -0.6))
        elbow = (elbow[0], elbow[1], max(elbow[2], 0.028))
        foot = (side * 0.1, -0.37 - 0.07 * ahead, 0.03)
        knee, ankle = reach(hips[k], foot, THIGH, SHANK, (side, 0.35, -0.2))
        knee = (knee[0], knee[1], max(knee[2], 0.04))
        elbows.append(elbow)
        hands.append((palm[0], palm[1], max(palm[2], 0.02)))
        knees.append(knee)
        ankles.append((ankle[0], ankle[1], 0.03))
        toes.append((ankle[0] + side * 0.03, ankle[1] - 0.075, 0.021))
    return Joints(
        pelvis=pelvis, chest=chest, neck=neck, head=head, crown=(0.0, 0.7, 0.71),
        face=(0.0, 0.85, -0.53),
        shoulder=_pair(shoulders), elbow=_pair(elbows), hand=_pair(hands), hip=_pair(hips),
        knee=_pair(knees), ankle=_pair(ankles), toe=_pair(toes),
    )  # fmt: skip


def _swimming(turn: float) -> Joints:
    """Crawl with the head up: arms circle by turns, the water's surface at height 0."""
    bob = 0.008 * math.sin(2.0 * turn)
    chest = (0.0, -0.06, 0.0 + bob)
    neck, head = (0.0, -0.005, 0.035 + bob), (0.0, 0.035, 0.095 + bob)
    pelvis = (0.0, -0.33, -0.07)
    shoulders = [(side * SHOULDER_SIDE, chest[1] + 0.01, 0.012 + bob) for side in (-1.0, 1.0)]
    hips = [(side * HIP_SIDE, pelvis[1], pelvis[2]) for side in (-1.0, 1.0)]
    elbows, hands, knees, ankles, toes = [], [], [], [], []
    for k, side in ((0, -1.0), (1, 1.0)):
        stroke = turn + (math.pi if k else 0.0)
        goal = (
            side * 0.13,
            shoulders[k][1] + 0.3 * math.cos(stroke),
            shoulders[k][2] + 0.24 * math.sin(stroke),
        )
        elbow, hand = reach(shoulders[k], goal, UPPER_ARM, FOREARM, (side * 0.6, -0.2, 0.9))
        kick = 0.05 * math.sin(3.0 * turn + (math.pi if k else 0.0))
        foot = (side * 0.05, pelvis[1] - 0.46, pelvis[2] - 0.02 + kick)
        knee, ankle = reach(hips[k], foot, THIGH, SHANK, (0.0, 0.0, -1.0))
        elbows.append(elbow)
        hands.append(hand)
        knees.append(knee)
        ankles.append(ankle)
        toes.append(plus(ankle, (0.0, -0.07, -0.02)))
    return Joints(
        pelvis=pelvis, chest=chest, neck=neck, head=head, crown=(0.0, 0.25, 0.97),
        face=(0.0, 0.97, -0.25),
        shoulder=_pair(shoulders), elbow=_pair(elbows), hand=_pair(hands), hip=_pair(hips),
        knee=_pair(knees), ankle=_pair(ankles), toe=_pair(toes),
    )  # fmt: skip


def _grounded(joints: Joints) -> Joints:
    """Return the posture with the lower foot on the ground."""
    lowest = min(
        min(ankle[2] - 0.024, toe[2] - 0.019)
        for ankle, toe in zip(joints.ankle, joints.toe, strict=True)
    )
    return joints.moved((0.0, 0.0, -lowest))


def _down(angle: float) -> Point:
    """Return the unit vector of a limb that hangs down at 0 and swings forwards."""
    return 0.0, math.sin(angle), -math.cos(angle)


def _pair(points: list[Point]) -> Pair:
    return points[0], points[1]
