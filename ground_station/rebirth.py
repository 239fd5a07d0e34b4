"""Targets, how they come into the picture, and which lost one a new track continues.

A target goes from `Step` to `Step`: each holds all that one observation left behind and points to the one
before, so that an observation that comes late only needs the older step again.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ground_station.judge_memory import Memory
from ground_station.kalman import FilterSettings, Measurement, State, surprise2
from ground_station.rules import AppearedSettings, FuseSettings
from ground_station.views import TailPoint
from wire.messages import Observation
from wire.values import Bearing, ObjectClass

Key = tuple[float, str, str, int]
"""Instant, sensor, track, phase: the order of the world, not of arrival."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackUse:
    """A node's track that contributed to a target: its provenance."""

    track_id: str
    sensor_id: str
    last_s: float
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Another sensor's target that has been at the same place: since when, in how many looks."""

    target_id: str
    since_s: float
    looks: int


@dataclass(slots=True, kw_only=True)
class Step:
    """What one observation left behind; nothing but `memory`, `prev` and `other` is ever set later.

    Attributes:
        prev: The step before; None at birth, and where the window has moved on.
        state: The belief; None as long as there was no place.
        fresh: The belief is new, so the rules shall see it.
        tracks: Whose observations are in it, oldest first.
        track_id: The track that spoke last.
        candidates: Targets of the same sensor that this one may be the continuation of.
        pairs: Targets of other sensors that may be the same object.
        other: Last step of a target that became part of this one here.
        memory: What the rules remember after it.
    """

    key: Key
    prev: "Step | None"
    state: State | None
    fresh: bool
    tracks: tuple[TrackUse, ...]
    track_id: str
    object_class: ObjectClass
    late: bool
    by_arrival: bool
    sensors: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    bearing: Bearing | None = None
    other: "Step | None" = None
    memory: Memory | None = None

    @property
    def ended(self) -> bool:
        """No track of it is left."""
        return all(use.ended for use in self.tracks)

    @property
    def last_s(self) -> float:
        """When any of its tracks spoke last."""
        return max(use.last_s for use in self.tracks)

    def of_sensor(self, sensor_id: str) -> TrackUse | None:
        """The sensor's newest track in it."""
        uses = [use for use in self.tracks if use.sensor_id == sensor_id]
        return max(uses, key=lambda use: use.last_s) if uses else None

    def seeing(self, t_s: float, silent_s: float) -> set[str]:
        """Sensors that have it in view at an instant."""
        return {
            use.sensor_id for use in self.tracks if not use.ended and t_s - use.last_s < silent_s
        }


@dataclass(slots=True, kw_only=True)
class Target:
    """One object in the world; what the observations made of it is in `head`.

    Attributes:
        head: The newest step.
        floor_s: Observations of before this can no longer be put in their place.
        tail: Where it was, thinned, each with its instant.
        heard_s: Station's time of the last word.
        pictures: Ids of its newest crops, for an alert that is yet to come.
        dropped: It is no longer known, and nothing brings it back.
    """

    target_id: str
    birth: Birth
    node_id: str
    simulated: bool
    head: Step
    heard_s: float
    tail: deque[tuple[float, TailPoint]]
    pictures: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_PICTURES))
    floor_s: float = -math.inf
    shown: bool = False
    coasting: bool = False
    dropped: bool = False

    @property
    def state(self) -> State | None:
        """What is believed now."""
        return self.head.state

    @property
    def track_id(self) -> str:
        """The track that spoke last."""
        return self.head.track_id

    @property
    def tracks(self) -> list[str]:
        """Ids of all tracks that are in it."""
        return [use.track_id for use in self.head.tracks]

    @property
    def object_class(self) -> ObjectClass:
        """The likeliest class, or the first word as long as there was no place."""
        return self.head.object_class if self.state is None else self.state.object_class

    @property
    def sensors(self) -> tuple[str, ...]:
        """Who saw it, the latest last."""
        return self.head.sensors

    @property
    def late(self) -> bool:
        """Its last word was late."""
        return self.head.late

    @property
    def by_arrival(self) -> bool:
        """The instant of its last word is that of arrival."""
        return self.head.by_arrival

    @property
    def bearing(self) -> Bearing | None:
        """The last direction, where there was no place."""
        return self.head.bearing

    @property
    def states(self) -> list[State]:
        """The window's beliefs, oldest first."""
        found: list[State] = []
        step: Step | None = self.head
        while step is not None:
            if step.fresh and step.state is not None:
                found.append(step.state)
            step = step.prev
        return found[::-1]

    @property
    def now_seeing(self) -> tuple[str, ...]:
        """Sensors whose looks are in its belief and fresh, the latest last."""
        state = self.state
        if state is None:
            return ()
        eyes = [eye for eye in state.eyes if state.t_s - eye.t_s <= FRESH_EYE_S]
        return tuple(eye.sensor_id for eye in sorted(eyes, key=lambda e: (e.t_s, e.sensor_id)))


FRESH_EYE_S = 3.0


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
    best: tuple[float, str, Target] | None = None
    maybe: list[tuple[float, str]] = []
    for target in targets:
        found = _continues(target, measurement, settings, filter_settings)
        if found is None:
            continue
        distance2, lost = found
        if not lost:
            maybe.append((distance2, target.target_id))
        elif best is None or (distance2, target.target_id) < best[:2]:
            best = (distance2, target.target_id, target)
    names = [target_id for _, target_id in sorted(maybe)[:REBIRTH_MAX_CANDIDATES]]
    return (None if best is None else best[2]), names


def _continues(
    target: Target,
    measurement: Measurement,
    settings: FuseSettings,
    filter_settings: FilterSettings,
) -> tuple[float, bool] | None:
    """Squared surprise of a birth as a target's continuation, and whether it is lost already."""
    step, state = target.head, target.state
    if state is None:
        return None
    own = step.of_sensor(measurement.sensor_id)
    seeing = step.seeing(measurement.t_s, settings.rebirth_silent_s)
    if own is None and seeing:
        return None  # Another camera on somebody still in view: seen together, they are joined.
    same = own is not None
    last_s = own.last_s if own is not None else step.last_s
    within_s = settings.rebirth_within_s if same else settings.handover_within_s
    reach_m = settings.rebirth_gate_m if same else settings.handover_gate_m
    if not -STILL_SEEN_S <= measurement.t_s - last_s <= within_s:
        return None
    classes = {state.object_class, measurement.object_class}
    if len(classes) > 1 and "Unknown" not in classes:
        return None
    dt = max(measurement.t_s - state.t_s, 0.0)
    gap = measurement.enu_m - state.mean[:2] - dt * state.mean[2:]
    if not math.hypot(gap[0], gap[1]) <= reach_m:
        return None
    distance2 = surprise2(state, measurement, filter_settings)
    if distance2 > REBIRTH_GATE2:
        return None
    return distance2, measurement.sensor_id not in seeing
