"""Beliefs about one target, and how many of them take one observation each at once.

The mathematics of the arrays is in `schmidt`; here a belief knows its sensors, its class and whether it is
surprised. What all observations of a sensor share never becomes smaller by looking longer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ground_station import schmidt
from ground_station.class_vote import CLASSES, EVEN, voted
from ground_station.schmidt import SLOTS, Beliefs, FloatArray, Looks
from wire.values import Bearing, ObjectClass

Verdict = Literal["used", "weighted", "refused", "jumped", "strayed"]

FIRST_SPEED_SIGMA_M_S = {"Human": 1.5, "Boat": 4.0, "Vehicle": 12.0, "Animal": 4.0, "Unknown": 4.0}
"""How fast a thing may go when nothing is known of it but its class, one sigma per axis."""
REFUSALS_BEFORE_JUMP = 3
COUNT_FRESH_S = 3.0
"""A sensor's count of people is believed this long."""
OTHER_BELIEVED_S = 2.0
"""Another sensor that was believed this lately contradicts a jump."""
MOVED_M = 0.5
"""A sensor that is this far from its last look moves."""
CALM = 2.0
"""Mean squared surprise per axis above which a target is taken to manoeuvre; honest is one."""
SURPRISE_MEMORY = 0.75
SURPRISE_MOST = 8.0
AGILITY_MOST = 10.0
_EYE4 = np.eye(4)
BEARING_SHARED_PART = 0.7
"""Of a direction's variance; a node does not say, and most of it is pose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One observation in the site's plane.

    Attributes:
        t_s: Capture, seconds since 1970 UTC.
        enu_m: (2,) east, north; NaN where there is a bearing only.
        independent_m2: (2, 2) what is new in each observation.
        shared_m2: (2, 2) what all observations of this sensor share.
        velocity_m_s: (3,) east, north, sigma as the node says; used once, at birth.
        sensor_enu_m: East, north of the sensor at capture, if known.
        bearing: Direction instead of a place.
    """

    t_s: float
    enu_m: FloatArray
    independent_m2: FloatArray
    shared_m2: FloatArray
    velocity_m_s: tuple[float, float, float] | None
    sensor_id: str
    track_id: str
    object_class: ObjectClass
    confidence: float
    count: int
    sensor_enu_m: tuple[float, float] | None = None
    bearing: Bearing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """A sensor of a target: when it looked last, from where, how many it counted."""

    sensor_id: str
    t_s: float
    count: int
    enu_m: tuple[float, float] | None
    moves: bool = False
    refusals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is believed of a target at one instant.

    Attributes:
        mean: (4,) east, north in metres, their speeds in metres per second.
        cov: (4, 4) of everything, shared errors included.
        cross: (SLOTS, 4, 2) how the error goes together with the unknown of each of `eyes`.
        noise_m2: (2, 2) independent part of the last measurement that was believed.
        classes: Probability of each of `CLASSES`.
        surprise: Mean squared surprise per axis of late; honest is one.
    """

    t_s: float
    mean: FloatArray
    cov: FloatArray
    cross: FloatArray
    eyes: tuple[Eye, ...]
    noise_m2: FloatArray
    classes: tuple[float, ...]
    confidence: float
    sensor_id: str
    track_id: str
    observations: int
    surprise: float = 1.0
    jumps: int = 0

    @property
    def position_cov_m2(self) -> FloatArray:
        """(2, 2) of the position, shared errors included."""
        return self.cov[:2, :2]

    @property
    def object_class(self) -> ObjectClass:
        """The likeliest class; the earlier word wins a tie."""
        return CLASSES[self.classes.index(max(self.classes))]

    @property
    def count(self) -> int:
        """How many it stands for: the most that one sensor counted lately."""
        return max(
            (eye.count for eye in self.eyes if self.t_s - eye.t_s <= COUNT_FRESH_S), default=1
        )

    @property
    def agility(self) -> float:
        """By how much the process noise is raised because the target does what was not expected."""
        return min(AGILITY_MOST, 1.0 + 3.0 * max(0.0, self.surprise - CALM))

    @property
    def speed_m_s(self) -> float:
        """Ground speed."""
        return math.hypot(self.mean[2], self.mean[3])

    @property
    def course_deg(self) -> float:
        """Direction of motion, true, clockwise."""
        return math.degrees(math.atan2(self.mean[2], self.mean[3])) % 360.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSettings:
    """The filter's figures, by class where they differ."""

    accel_psd_m2_s3: dict[str, float]
    outlier_sigmas: float
    jump_sigmas: float
    moving_bias_s: float = 10.0


def start(measurement: Measurement) -> State:
    """The first belief: where it was seen, and hardly anything about its speed."""
    speed = FIRST_SPEED_SIGMA_M_S[measurement.object_class]
    mean = np.zeros(2)
    if measurement.velocity_m_s is not None and measurement.velocity_m_s[2] < speed:
        mean = np.array(measurement.velocity_m_s[:2])
        # The node took it from the same pixels: it may not count as sharper than half a metre.
        speed = max(measurement.velocity_m_s[2], 0.5)
    looks = Looks(
        slot=np.zeros(1, dtype=np.int64),
        enu_m=measurement.enu_m[None],
        noise_m2=measurement.independent_m2[None],
        factor_m=_factors([measurement]),
    )
    belief = schmidt.born(looks, mean[None], np.array([speed]))
    return State(
        t_s=measurement.t_s,
        mean=belief.mean[0],
        cov=belief.cov[0],
        cross=belief.cross[0],
        eyes=(_eye(None, measurement),),
        noise_m2=measurement.independent_m2,
        classes=voted([EVEN], [measurement.object_class], [measurement.confidence])[0],
        confidence=measurement.confidence,
        sensor_id=measurement.sensor_id,
        track_id=measurement.track_id,
        observations=1,
    )


def predicted(state: State, t_s: float, settings: FilterSettings) -> tuple[FloatArray, FloatArray]:
    """Mean (4,) and covariance (4, 4) at a later instant; earlier ones give the state."""
    if t_s <= state.t_s:
        return state.mean, state.cov
    # One alone is dear in arrays of many; the sensors' unknowns do not enter here.
    dt = t_s - state.t_s
    noise = settings.accel_psd_m2_s3[state.object_class] * state.agility
    step = _EYE4.copy()
    step[0, 2] = step[1, 3] = dt
    cov = step @ state.cov @ step.T
    for k in (0, 1):
        cov[k, k] += noise * dt**3 / 3.0
        cov[k, k + 2] += noise * dt**2 / 2.0
        cov[k + 2, k] += noise * dt**2 / 2.0
        cov[k + 2, k + 2] += noise * dt
    return step @ state.mean, cov


def surprise2(state: State, measurement: Measurement, settings: FilterSettings) -> float:
    """Squared Mahalanobis distance of a placed measurement from a belief."""
    belief = _predicted([state], np.array([measurement.t_s]), settings)
    slot, fresh = _slot(state, measurement.sensor_id)
    if fresh:
        belief.cross[0, slot] = 0.0
    looks = Looks(
        slot=np.array([slot]),
        enu_m=measurement.enu_m[None],
        noise_m2=measurement.independent_m2[None],
        factor_m=_factors([measurement]),
    )
    return float(schmidt.innovations(belief, looks)[2][0])


def advance_all(
    states: Sequence[State], measurements: Sequence[Measurement], settings: FilterSettings
) -> list[tuple[State, Verdict]]:
    """Let each belief take one later measurement into account, all at once.

    Beyond `outlier_sigmas` a measurement counts with less weight (Huber); beyond `jump_sigmas` it is
    not believed. Several such in a row start the target anew at the new place, unless another sensor is
    believed where the target is: then the sensor's track has strayed and is of somebody else.
    """
    if not states:
        return []
    t_s = np.array([m.t_s for m in measurements])
    before = _predicted(states, t_s, settings)
    slots = np.empty(len(states), dtype=np.int64)
    for k, (state, measurement) in enumerate(zip(states, measurements, strict=True)):
        slots[k], fresh = _slot(state, measurement.sensor_id)
        if fresh:
            before.cross[k, slots[k]] = 0.0
    looks = Looks(
        slot=slots,
        enu_m=np.array([m.enu_m for m in measurements]),
        noise_m2=np.array([m.independent_m2 for m in measurements]),
        factor_m=_factors(measurements),
    )
    _set_bearings(before, looks, measurements)
    after, surprises2 = schmidt.updated(before, looks, outlier_sigmas=settings.outlier_sigmas)
    jump2, outlier2 = settings.jump_sigmas**2, settings.outlier_sigmas**2
    classes = voted(
        [s.classes for s in states],
        [m.object_class for m in measurements],
        [m.confidence for m in measurements],
    )
    found: list[tuple[State, Verdict]] = []
    for k, (state, measurement) in enumerate(zip(states, measurements, strict=True)):
        surprise = float(surprises2[k])
        slot = int(slots[k])
        if not surprise <= jump2:
            found.append(
                _refused(state, measurement, slot, before.mean[k], before.cov[k], before.cross[k])
            )
            continue
        calm = SURPRISE_MEMORY * state.surprise
        calm += (1.0 - SURPRISE_MEMORY) * min(SURPRISE_MOST, 0.5 * surprise)
        placed = measurement.bearing is None
        found.append(
            (
                State(
                    t_s=measurement.t_s,
                    mean=after.mean[k],
                    cov=after.cov[k],
                    cross=after.cross[k],
                    eyes=_looked(state, slot, measurement, refusals=0),
                    noise_m2=measurement.independent_m2 if placed else state.noise_m2,
                    classes=classes[k],
                    confidence=measurement.confidence,
                    sensor_id=measurement.sensor_id,
                    track_id=measurement.track_id,
                    observations=state.observations + 1,
                    surprise=calm if placed else state.surprise,
                    jumps=state.jumps,
                ),
                "weighted" if surprise > outlier2 else "used",
            )
        )
    return found


def _predicted(states: Sequence[State], t_s: FloatArray, settings: FilterSettings) -> Beliefs:
    """(n) beliefs at later instants, in arrays of their own."""
    beliefs = Beliefs(
        mean=np.array([s.mean for s in states]),
        cov=np.array([s.cov for s in states]),
        cross=np.array([s.cross for s in states]),
    )
    dt_s = t_s - np.array([s.t_s for s in states])
    noise = np.array([settings.accel_psd_m2_s3[s.object_class] * s.agility for s in states])
    kept = None
    for k, state in enumerate(states):
        for slot, eye in enumerate(state.eyes):
            if eye.moves:
                kept = np.ones((len(states), SLOTS)) if kept is None else kept
                kept[k, slot] = math.exp(-max(dt_s[k], 0.0) / settings.moving_bias_s)
    if kept is not None:
        beliefs = schmidt.loosened(beliefs, kept)
    return schmidt.moved_on(beliefs, dt_s, noise)


def _factors(measurements: Sequence[Measurement]) -> FloatArray:
    unknown = (math.nan, math.nan)
    sensors = np.array([m.sensor_enu_m or unknown for m in measurements])
    return schmidt.bias_factor(
        np.array([m.shared_m2 for m in measurements]),
        np.array([m.enu_m for m in measurements]) - sensors,
    )


def _set_bearings(before: Beliefs, looks: Looks, measurements: Sequence[Measurement]) -> None:
    """Put the places, noise and factors of directions into `looks`."""
    rows = [k for k, m in enumerate(measurements) if m.bearing is not None]
    if not rows:
        return
    bearings = [b for m in measurements if (b := m.bearing) is not None]
    sensors = [measurements[k].sensor_enu_m or (math.nan, math.nan) for k in rows]
    place, noise, factor = schmidt.bearing_looks(
        before.mean[rows],
        np.array(sensors),
        np.radians([b.azimuth_deg for b in bearings]),
        np.radians([b.sigma_deg for b in bearings]),
        BEARING_SHARED_PART,
        np.array([(b.range_min_m, b.range_max_m) for b in bearings]),
    )
    looks.enu_m[rows], looks.noise_m2[rows], looks.factor_m[rows] = place, noise, factor


def _slot(state: State, sensor_id: str) -> tuple[int, bool]:
    """Where the sensor's unknown stands, and whether the place is new to it."""
    for k, eye in enumerate(state.eyes):
        if eye.sensor_id == sensor_id:
            return k, False
    if len(state.eyes) < SLOTS:
        return len(state.eyes), True
    oldest = min(range(SLOTS), key=lambda k: (state.eyes[k].t_s, k))
    return oldest, True


def _eye(before: Eye | None, measurement: Measurement, *, refusals: int = 0) -> Eye:
    here, was = measurement.sensor_enu_m, None if before is None else before.enu_m
    moves = False if before is None else before.moves
    if here is not None and was is not None:
        moves = math.hypot(here[0] - was[0], here[1] - was[1]) > MOVED_M
    return Eye(
        sensor_id=measurement.sensor_id,
        t_s=measurement.t_s,
        count=measurement.count,
        enu_m=here or was,
        moves=moves,
        refusals=refusals,
    )


def _looked(state: State, slot: int, measurement: Measurement, *, refusals: int) -> tuple[Eye, ...]:
    eyes = list(state.eyes)
    if slot == len(eyes):
        return (*eyes, _eye(None, measurement, refusals=refusals))
    before = eyes[slot] if eyes[slot].sensor_id == measurement.sensor_id else None
    eyes[slot] = _eye(before, measurement, refusals=refusals)
    return tuple(eyes)


def _refused(
    state: State,
    measurement: Measurement,
    slot: int,
    mean: FloatArray,
    cov: FloatArray,
    cross: FloatArray,
) -> tuple[State, Verdict]:
    refusals = 1 + sum(e.refusals for e in state.eyes if e.sensor_id == measurement.sensor_id)
    waits = replace(
        state,
        t_s=max(state.t_s, measurement.t_s),
        mean=mean,
        cov=cov,
        cross=cross,
        eyes=_looked(state, slot, measurement, refusals=refusals),
        track_id=measurement.track_id,
    )
    if refusals < REFUSALS_BEFORE_JUMP:
        return waits, "refused"
    others = any(
        eye.refusals == 0 and measurement.t_s - eye.t_s <= OTHER_BELIEVED_S
        for k, eye in enumerate(state.eyes)
        if k != slot
    )
    if others or measurement.bearing is not None:
        return waits, "strayed"
    fresh = start(measurement)
    return (
        replace(
            fresh,
            classes=voted([state.classes], [measurement.object_class], [measurement.confidence])[0],
            observations=state.observations + 1,
            jumps=state.jumps + 1,
        ),
        "jumped",
    )
