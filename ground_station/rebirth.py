"""Targets, how they come into the picture, and which lost one a new track continues."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ground_station.kalman import FilterSettings, Measurement, State, predicted
from ground_station.rules import AppearedSettings, FuseSettings
from ground_station.views import TailPoint
from wire.messages import Observation
from wire.values import Bearing, ObjectClass

REBIRTH_GATE2 = 13.8
"""Chi-square of two degrees of freedom at 99.9 %."""
REBIRTH_MAX_CANDIDATES = 4
MAX_PICTURES = 4
"""Pictures of a target that wait for its alert; the newest are the best."""
WALK_M_S = 1.5
STILL_SEEN_S = 0.3
"""A track that speaks this long after another's birth is another object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """How a target came into the picture, for the rule `appeared`.

    Attributes:
        at_picture_edge: Its first box touched the edge of the picture.
        beside_other: It came out from behind another target, or is one that was lost there.
    """

    t_s: float
    at_picture_edge: bool
    beside_other: bool


@dataclass(slots=True)
class Target:
    """One object in the world.

    Attributes:
        measurements: The window's, ordered by time.
        states: After each of `measurements`.
        base: The belief before the window; None as long as the window holds everything.
        tail: Where it was, thinned, each with its instant.
        heard_s: Station's time of the last word.
        candidates: Targets that this one may be the continuation of.
        pictures: Ids of its newest crops, for an alert that is yet to come.
    """

    target_id: str
    track_id: str
    birth: Birth
    node_id: str
    simulated: bool
    late: bool
    object_class: ObjectClass
    heard_s: float
    tracks: list[str] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    base: State | None = None
    tail: deque[tuple[float, TailPoint]] = field(default_factory=deque)
    candidates: list[str] = field(default_factory=list)
    pictures: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_PICTURES))
    bearing: Bearing | None = None
    last_word_s: float = -math.inf
    ended: bool = False
    shown: bool = False
    coasting: bool = False
    sensors: tuple[str, ...] = ()
    by_arrival: bool = False

    @property
    def state(self) -> State | None:
        """What is believed now."""
        return self.states[-1] if self.states else self.base


def at_picture_edge(body: Observation, edge_fraction: float) -> bool:
    """Whether the box touches the edge of the picture, within a part of its size."""
    x1, y1, x2, y2 = body.box_px
    width, height = body.frame_size_px
    margin_x, margin_y = width * edge_fraction, height * edge_fraction
    return x1 <= margin_x or y1 <= margin_y or x2 >= width - margin_x or y2 >= height - margin_y


def beside_other(
    targets: Iterable[Target], measurement: Measurement, rule: AppearedSettings
) -> bool:
    """Whether another target explains a birth: one beside it, or one that was lost nearby.

    Who was lost may have walked on unseen, so the reach grows with the time, up to a limit.
    """
    east, north = measurement.enu_m.tolist()
    for target in targets:
        state = target.state
        if state is None:
            continue
        silent_s = measurement.t_s - state.t_s
        if not -rule.lost_within_s <= silent_s <= rule.lost_within_s:
            continue
        walked_m = rule.near_other_m + WALK_M_S * max(silent_s, 0.0)
        gap_m = math.hypot(state.mean[0] - east, state.mean[1] - north)
        if gap_m <= max(rule.near_other_m, min(walked_m, rule.lost_within_m)):
            return True
    return False


def parents(
    targets: Iterable[Target],
    measurement: Measurement,
    settings: FuseSettings,
    filter_settings: FilterSettings,
) -> tuple[Target | None, list[str]]:
    """The lost target that this birth continues, and those it may turn out to continue."""
    best: tuple[float, Target] | None = None
    maybe: list[tuple[float, str]] = []
    for target in targets:
        state = target.state
        if state is None:
            continue
        silent_s = measurement.t_s - state.t_s
        if not -STILL_SEEN_S <= silent_s <= settings.rebirth_within_s:
            continue
        distance2 = _distance2(target, state, measurement, settings, filter_settings)
        if distance2 is None:
            continue
        if target.ended or silent_s >= settings.rebirth_silent_s:
            if best is None or distance2 < best[0]:
                best = (distance2, target)
        else:
            maybe.append((distance2, target.target_id))
    names = [target_id for _, target_id in sorted(maybe)[:REBIRTH_MAX_CANDIDATES]]
    return (None if best is None else best[1]), names


def _distance2(
    target: Target,
    state: State,
    measurement: Measurement,
    settings: FuseSettings,
    filter_settings: FilterSettings,
) -> float | None:
    """Squared surprise of a birth as a target's continuation; None when it cannot be one."""
    classes = {state.object_class, measurement.object_class}
    if len(classes) > 1 and "Unknown" not in classes:
        return None
    mean, cov = predicted(state, measurement.t_s, filter_settings)
    gap = measurement.enu_m - mean[:2]
    if math.hypot(gap[0], gap[1]) > settings.rebirth_gate_m:
        return None
    innovation = cov[:2, :2] + measurement.independent_m2
    if measurement.sensor_id != state.sensor_id:
        if not target.ended:
            return None  # Another camera on somebody still in view is no re-birth.
        innovation = innovation + state.shared_m2 + measurement.shared_m2
    distance2 = float(gap @ np.linalg.solve(innovation, gap))
    return distance2 if distance2 <= REBIRTH_GATE2 else None
