"""One individual's way in time: places, pauses, gait; and what it looks like at an instant."""

import math
from dataclasses import dataclass

import numpy as np

from geo._types import FloatArray
from simulations.scenario_actor import ActorSettings, Gait, Kind, ObjectClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What does not change about one individual while it is in the world.

    Attributes:
        height_m: of a person standing, an animal at its back, a boat's side above the water.
        length_m: along the way it faces.
    """

    seed: int
    height_m: float
    length_m: float
    hat: str
    load: str
    dress: str
    aboard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureState:
    """One individual (a person, a bicycle with its rider, a boat, an animal) at one instant.

    Attributes:
        figure_id: ``actor/coming/member``; unique over the scenario.
        group_id: ``actor/coming``: who comes together is one event.
        feet_enu_m: (3,) in the site's frame; the place on the ground below its middle, of a boat
            the water's surface, of a bird the bird itself.
        azimuth_deg: of the way they face.
        phase: of the gait, in cycles of two steps.
        water_level_m: of the water it is in, in the site's frame; None on dry ground. Who wades
            stands on the bed, and what is under the level is not seen.
    """

    figure_id: str
    group_id: str
    actor_id: str
    kind: Kind
    object_class: ObjectClass
    feet_enu_m: tuple[float, float, float]
    azimuth_deg: float
    speed_m_s: float
    gait: Gait
    phase: float
    looks: Looks
    water_level_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One individual's path in time: instants (n,) at places (n, 2).

    Attributes:
        first_s: the first of the instants.
        cycle_s: how long the path takes once, pauses included.
    """

    figure_id: str
    group_id: str
    actor: ActorSettings
    looks: Looks
    speed_m_s: float
    times_s: FloatArray
    places_m: FloatArray
    first_s: float
    cycle_s: float

    def at(self, t_s: float) -> FigureState | None:
        """Return the individual at an instant; None before it comes and after it has gone."""
        return _state(self, t_s)


def with_pauses(places_m: FloatArray, actor: ActorSettings) -> FloatArray:
    """Repeat the inner way points at which the actor stays."""
    if actor.pause_s <= 0.0 or len(places_m) < 3:
        return places_m
    inner = np.repeat(places_m[1:-1], 2, axis=0)
    return np.vstack((places_m[:1], inner, places_m[-1:]))


def timetable(places_m: FloatArray, actor: ActorSettings, speed_m_s: float) -> FloatArray:
    """Return the instants, from 0, at which each place of the path with pauses is reached."""
    legs_s = np.hypot(*np.diff(places_m, axis=0).T) / speed_m_s
    if actor.pause_s <= 0.0 or len(places_m) < 3:
        return np.concatenate(([0.0], np.cumsum(legs_s)))
    steps = [legs_s[0]]
    for leg_s in legs_s[1:]:
        steps += [actor.pause_s, leg_s]
    return np.concatenate(([0.0], np.cumsum(steps)))


def _state(walk: Walk, t_s: float) -> FigureState | None:
    """Return the person at an instant; None before they come and after they have gone."""
    elapsed_s = t_s - walk.first_s
    backwards = False
    if walk.actor.there_and_back:
        # Before the start the farmer already stands there.
        elapsed_s = max(elapsed_s, 0.0) % (2.0 * walk.cycle_s)
        backwards = elapsed_s > walk.cycle_s
        if backwards:
            elapsed_s = 2.0 * walk.cycle_s - elapsed_s
    elif not 0.0 <= elapsed_s <= walk.cycle_s:
        return None
    times = walk.times_s - walk.first_s
    step = min(max(int(np.searchsorted(times, elapsed_s, side="right")) - 1, 0), len(times) - 2)
    start, end = walk.places_m[step], walk.places_m[step + 1]
    span_s = float(times[step + 1] - times[step])
    part = (elapsed_s - float(times[step])) / span_s if span_s > 0.0 else 0.0
    place = start + part * (end - start)
    moving = bool(np.any(start != end))
    ahead = _facing(walk.places_m, step)
    azimuth = (math.degrees(math.atan2(ahead[0], ahead[1])) + (180.0 if backwards else 0.0)) % 360.0
    nature = walk.actor.nature
    gait: Gait = nature.gait
    if not moving and gait not in ("work", "float", "fly", "swim"):
        gait = "stand"
    speed_m_s = walk.speed_m_s if moving else 0.0
    phase = (
        elapsed_s * _cadence_hz(gait, speed_m_s, walk.looks) + (walk.looks.seed % 997) / 997.0
    ) % 1.0
    up_m = walk.actor.fly_height_m if nature.moves_on == "air" else 0.0
    return FigureState(
        figure_id=walk.figure_id,
        group_id=walk.group_id,
        actor_id=walk.actor.id,
        kind=walk.actor.kind,
        object_class=nature.object_class,
        feet_enu_m=(float(place[0]), float(place[1]), up_m),
        azimuth_deg=azimuth,
        speed_m_s=speed_m_s,
        gait=gait,
        phase=phase,
        looks=walk.looks,
    )


_FIXED_CADENCE_HZ: dict[Gait, float] = {"work": 1.0 / 2.6, "swim": 0.7, "fly": 3.0, "float": 0.45}
_CRAWL_STRIDE_M = 0.7
_PEDAL_STRIDE_M = 4.2


def _cadence_hz(gait: Gait, speed_m_s: float, looks: Looks) -> float:
    if gait in _FIXED_CADENCE_HZ:
        return _FIXED_CADENCE_HZ[gait]
    if gait == "crawl":
        return speed_m_s / _CRAWL_STRIDE_M
    if gait == "ride":
        return min(speed_m_s / _PEDAL_STRIDE_M, 1.5)
    return step_rate_hz(speed_m_s, looks.height_m)


def _facing(places_m: FloatArray, step: int) -> FloatArray:
    """Return the direction of a leg; of a pause, the one that led to it."""
    for k in range(step, -1, -1):
        leg = places_m[k + 1] - places_m[k]
        if np.any(leg != 0.0):
            return np.asarray(leg, dtype=np.float64)
    return np.array([0.0, 1.0])


def step_rate_hz(speed_m_s: float, height_m: float) -> float:
    """Return cycles (two steps) per second of a person walking at a speed.

    Stride length grows with the root of speed, so that feet slide little at any speed.

    Source: Grieve and Gear, "The relationships between length of stride, step frequency, time of
    swing and speed of walking", Ergonomics 9, 1966.
    """
    if speed_m_s <= 0.0:
        return 0.0
    stride_m = 0.82 * height_m * math.sqrt(speed_m_s / 1.3)
    return speed_m_s / stride_m
