"""Who is where at every instant, and who truly crossed the line when.

Nothing here draws and nothing here remembers: the state at t follows from the scenario alone, so
any instant may be asked in any order.
"""

import math
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np

from geo._types import FloatArray
from geo.line import Crossing
from simulations.scenario import ActorSettings, Scenario
from simulations.site import Site, load_site

Gait = Literal["walk", "creep", "work", "stand"]
_GROUP_SPACING_M = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What does not change about one person while they are in the world."""

    seed: int
    height_m: float
    hat: str
    load: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureState:
    """One person at one instant, in the site's frame.

    Attributes:
        figure_id: ``actor/coming/member``; unique over the scenario.
        feet_enu_m: (3,) the place on the ground between the feet.
        azimuth_deg: of the way they face.
        phase: of the gait, in cycles of two steps.
    """

    figure_id: str
    actor_id: str
    object_class: Literal["Human"]
    feet_enu_m: tuple[float, float, float]
    azimuth_deg: float
    speed_m_s: float
    gait: Gait
    phase: float
    looks: Looks


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthEvent:
    """One person truly crossed the line."""

    figure_id: str
    actor_id: str
    t_s: float
    t_utc: str
    direction: Literal["in", "out"]
    lon_deg: float
    lat_deg: float
    along_m: float
    nearest_marker: str
    marker_distance_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """One person's path in time: instants (n,) at places (n, 2)."""

    figure_id: str
    actor: ActorSettings
    looks: Looks
    times_s: FloatArray
    places_m: FloatArray

    @property
    def cycle_s(self) -> float:
        return float(self.times_s[-1] - self.times_s[0])


class World:
    """The scenario's people. ``t_s`` counts from the scenario's start.

    Args:
        scenario: validated.
        site: read from the scenario's site when not given.
    """

    def __init__(self, scenario: Scenario, site: Site | None = None) -> None:
        self.scenario = scenario
        self.site = site if site is not None else load_site(scenario)
        self._paths = {actor.id: self._path(actor) for actor in scenario.actor}

    def figures(self, t_s: float) -> tuple[FigureState, ...]:
        """Return everybody in the world at an instant, in a fixed order."""
        found = []
        for actor in self.scenario.actor:
            for coming in self._comings(actor, t_s, t_s):
                for member in range(actor.count):
                    state = _state(self._walk(actor, coming, member), t_s)
                    if state is not None:
                        found.append(state)
        return tuple(found)

    def crossings(self, from_s: float, to_s: float) -> tuple[TruthEvent, ...]:
        """Return who truly crossed the line in from_s <= t < to_s, in order of time."""
        found = []
        for actor in self.scenario.actor:
            for coming in self._comings(actor, from_s, to_s):
                for member in range(actor.count):
                    walk = self._walk(actor, coming, member)
                    found += self._events(walk, from_s, to_s)
        return tuple(sorted(found, key=lambda event: (event.t_s, event.figure_id)))

    def _path(self, actor: ActorSettings) -> FloatArray:
        if actor.path_along_across_m is not None:
            return np.array([self.site.place(*point) for point in actor.path_along_across_m])
        return np.array([self.site.lon_lat(*point) for point in actor.path_lon_lat_deg or ()])

    def _comings(self, actor: ActorSettings, from_s: float, to_s: float) -> range:
        """Return which comings of an actor may touch a stretch of time."""
        if actor.repeat_every_s is None:
            return range(1) if to_s >= actor.start_s else range(0)
        path = self._paths[actor.id]
        # Longest stay: the path, its pauses, the slowest member of the group, and jitter.
        length_m = float(np.hypot(*np.diff(path, axis=0).T).sum()) + 2.0 * actor.sideways_jitter_m
        slack_s = 2.0 * actor.repeat_jitter_s + actor.count * _GROUP_SPACING_M / actor.speed_m_s
        stay_s = 1.2 * length_m / actor.speed_m_s + actor.pause_s * len(path) + slack_s
        first = math.floor((from_s - actor.start_s - stay_s) / actor.repeat_every_s)
        last = math.floor((to_s - actor.start_s) / actor.repeat_every_s)
        return range(max(0, first), max(0, last + 1))

    def _walk(self, actor: ActorSettings, coming: int, member: int) -> _Walk:
        key = zlib.crc32(actor.id.encode())
        shared = np.random.default_rng([self.scenario.seed, key, coming])
        delay_s = (
            float(shared.uniform(0.0, actor.repeat_jitter_s)) if actor.repeat_jitter_s else 0.0
        )
        shift_m = float(shared.uniform(-1.0, 1.0)) * actor.sideways_jitter_m
        own = np.random.default_rng([self.scenario.seed, key, coming, member])
        looks = Looks(
            seed=int(own.integers(0, 2**31)),
            height_m=float(np.clip(own.normal(1.65, 0.06), 1.53, 1.8)),
            hat=actor.hat,
            load=actor.load,
        )
        path = self._paths[actor.id]
        aside = np.array([0.0, 0.0])
        if actor.count > 1:
            # Two abreast, loosely, so that a group reads as people and not as one blob.
            row, column = divmod(member, 2)
            # The last one of an odd number walks in the middle, in nobody's shadow.
            middle = member == actor.count - 1 and actor.count % 2 == 1
            across = 0.0 if middle else column - 0.5
            aside = np.array([across * 2.0 * _GROUP_SPACING_M, -row * _GROUP_SPACING_M])
            aside += own.uniform(-0.25, 0.25, size=2)
        leg = path[-1] - path[0]
        forward = leg / max(float(np.hypot(*leg)), 1e-9)
        right = np.array([forward[1], -forward[0]])
        places = path + (shift_m + aside[0]) * right
        lag_s = -aside[1] / actor.speed_m_s
        start_s = actor.start_s + coming * (actor.repeat_every_s or 0.0) + delay_s + lag_s
        return _Walk(
            figure_id=f"{actor.id}/{coming}/{member}",
            actor=actor,
            looks=looks,
            times_s=start_s + _timetable(places, actor),
            places_m=_with_pauses(places, actor),
        )

    def _events(self, walk: _Walk, from_s: float, to_s: float) -> list[TruthEvent]:
        crossings = self.site.line.crossings(walk.places_m)
        found: list[TruthEvent] = []
        for crossing in crossings:
            start, end = walk.times_s[crossing.step], walk.times_s[crossing.step + 1]
            base_s = float(start + crossing.fraction * (end - start))
            if not walk.actor.there_and_back:
                if from_s <= base_s < to_s:
                    found.append(self._event(walk, crossing, base_s, back=False))
                continue
            period_s, first_s = 2.0 * walk.cycle_s, float(walk.times_s[0])
            for offset_s, back in (
                (base_s - first_s, False),
                (period_s - (base_s - first_s), True),
            ):
                turn = max(0, math.ceil((from_s - first_s - offset_s) / period_s))
                while first_s + offset_s + turn * period_s < to_s:
                    t_s = first_s + offset_s + turn * period_s
                    found.append(self._event(walk, crossing, t_s, back=back))
                    turn += 1
        return found

    def _event(self, walk: _Walk, crossing: Crossing, t_s: float, *, back: bool) -> TruthEvent:
        direction: Literal["in", "out"] = crossing.direction
        if back:
            direction = "out" if direction == "in" else "in"
        place = np.array(crossing.place_enu_m)
        lon, lat, _ = self.site.frame.to_geodetic([[place[0], place[1], 0.0]])[0].tolist()
        marker, away_m = self.site.nearest_marker(place)
        moment = self.scenario.start_utc + timedelta(seconds=t_s)
        return TruthEvent(
            figure_id=walk.figure_id,
            actor_id=walk.actor.id,
            t_s=t_s,
            t_utc=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            direction=direction,
            lon_deg=lon,
            lat_deg=lat,
            along_m=crossing.along_m - self.site.start_along_m,
            nearest_marker=marker,
            marker_distance_m=away_m,
        )


def _with_pauses(places_m: FloatArray, actor: ActorSettings) -> FloatArray:
    """Repeat the inner way points at which the actor stays."""
    if actor.pause_s <= 0.0 or len(places_m) < 3:
        return places_m
    inner = np.repeat(places_m[1:-1], 2, axis=0)
    return np.vstack((places_m[:1], inner, places_m[-1:]))


def _timetable(places_m: FloatArray, actor: ActorSettings) -> FloatArray:
    """Return the instants, from 0, at which each place of the path with pauses is reached."""
    legs_s = np.hypot(*np.diff(places_m, axis=0).T) / actor.speed_m_s
    if actor.pause_s <= 0.0 or len(places_m) < 3:
        return np.concatenate(([0.0], np.cumsum(legs_s)))
    steps = [legs_s[0]]
    for leg_s in legs_s[1:]:
        steps += [actor.pause_s, leg_s]
    return np.concatenate(([0.0], np.cumsum(steps)))


def _state(walk: _Walk, t_s: float) -> FigureState | None:
    """Return the person at an instant; None before they come and after they have gone."""
    elapsed_s = t_s - float(walk.times_s[0])
    backwards = False
    if walk.actor.there_and_back:
        # Before the start the farmer already stands there.
        elapsed_s = max(elapsed_s, 0.0) % (2.0 * walk.cycle_s)
        backwards = elapsed_s > walk.cycle_s
        if backwards:
            elapsed_s = 2.0 * walk.cycle_s - elapsed_s
    elif not 0.0 <= elapsed_s <= walk.cycle_s:
        return None
    times = walk.times_s - walk.times_s[0]
    step = int(np.clip(np.searchsorted(times, elapsed_s, side="right") - 1, 0, len(times) - 2))
    start, end = walk.places_m[step], walk.places_m[step + 1]
    span_s = float(times[step + 1] - times[step])
    part = (elapsed_s - float(times[step])) / span_s if span_s > 0.0 else 0.0
    place = start + part * (end - start)
    moving = bool(np.any(start != end))
    ahead = _facing(walk.places_m, step)
    azimuth = (math.degrees(math.atan2(ahead[0], ahead[1])) + (180.0 if backwards else 0.0)) % 360.0
    gait: Gait = walk.actor.gait
    if not moving and gait != "work":
        gait = "stand"
    speed_m_s = walk.actor.speed_m_s if moving else 0.0
    cadence_hz = 1.0 / 2.6 if gait == "work" else step_rate_hz(speed_m_s, walk.looks.height_m)
    phase = (elapsed_s * cadence_hz + (walk.looks.seed % 997) / 997.0) % 1.0
    return FigureState(
        figure_id=walk.figure_id,
        actor_id=walk.actor.id,
        object_class="Human",
        feet_enu_m=(float(place[0]), float(place[1]), 0.0),
        azimuth_deg=azimuth,
        speed_m_s=speed_m_s,
        gait=gait,
        phase=phase,
        looks=walk.looks,
    )


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
