"""Who is where at every instant, and who truly crossed the line when.

Nothing here draws and nothing here remembers: the state at t follows from the scenario alone, so
any instant may be asked in any order.
"""

import math
import zlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from geo._types import FloatArray
from geo.line import Crossing
from simulations.landscape import landscape
from simulations.scenario import Scenario
from simulations.scenario_actor import NATURES, ActorSettings, Kind
from simulations.scenario_place import WeatherSettings
from simulations.site import Site, load_site
from simulations.sky import Light, Sky
from simulations.walk import FigureState, Looks, Walk, timetable, with_pauses

_GROUP_SPACING_M = 1.3
_SAME_EVENT_S = 30.0
_WADING_SHARE = 0.75
_WALKS_KEPT = 4096


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
class HumanEvent:
    """What a guard is told once: people who come together pass the line in one direction.

    Attributes:
        event_id: ``actor/coming``, and ``#n`` when the same ones pass again later.
        t_cross_s: the first of them is on the line.
        t_last_s: the last of them is.
        passages: each of them, in order of time.
    """

    event_id: str
    actor_id: str
    kind: Kind
    direction: Literal["in", "out"]
    t_cross_s: float
    t_last_s: float
    passages: tuple[TruthEvent, ...]

    @property
    def people(self) -> int:
        """How many figures passed."""
        return len(self.passages)


class World:
    """The scenario's people, animals and boats. ``t_s`` counts from the scenario's start.

    Args:
        scenario: validated.
        site: read from the scenario's site when not given.
    """

    def __init__(self, scenario: Scenario, site: Site | None = None) -> None:
        self.scenario = scenario
        self.site = site if site is not None else load_site(scenario)
        # The zone's offset at the start holds for the whole scenario.
        local = scenario.start_utc.astimezone(ZoneInfo(scenario.timezone))
        self._start_local_s = local.hour * 3600.0 + local.minute * 60.0 + local.second
        self._paths = {actor.id: self._path(actor) for actor in scenario.actor}
        self.landscape = landscape(scenario, self.site)
        self._stay_s = {actor.id: self._longest_stay_s(actor) for actor in scenario.actor}
        self._sky = Sky(scenario, self.site.frame.origin)
        # A walk follows from scenario and seed alone; kept only because it is asked every frame.
        self._walks: dict[tuple[str, int, int], Walk] = {}

    def figures(self, t_s: float) -> tuple[FigureState, ...]:
        """Return everybody in the world at an instant, in a fixed order."""
        found = []
        for actor in self.scenario.actor:
            if actor.there_and_back and not self._by_day(actor, t_s):
                continue
            for coming in self._comings(actor, t_s, t_s):
                for member in range(actor.count):
                    state = self._walk(actor, coming, member).at(t_s)
                    if state is not None:
                        found.append(state)
        return self._on_the_ground(found)

    def passages(self, from_s: float, to_s: float) -> tuple[TruthEvent, ...]:
        """Return whatever passed the line in from_s <= t < to_s, animals too, in order of time."""
        found = []
        for actor in self.scenario.actor:
            for coming in self._comings(actor, from_s, to_s):
                for member in range(actor.count):
                    found += self._passages(self._walk(actor, coming, member), from_s, to_s)
        return tuple(sorted(found, key=lambda event: (event.t_s, event.figure_id)))

    def crossings(self, from_s: float, to_s: float) -> tuple[TruthEvent, ...]:
        """Return each person who truly crossed the line unpermitted, in order of time."""
        events = {actor.id for actor in self.scenario.actor if actor.is_event}
        return tuple(e for e in self.passages(from_s, to_s) if e.actor_id in events)

    def events(self, from_s: float, to_s: float) -> tuple[HumanEvent, ...]:
        """Return the human events: who comes together and crosses in one direction is one."""
        groups: dict[tuple[str, str], list[list[TruthEvent]]] = {}
        for passage in self.crossings(from_s, to_s):
            group_id = passage.figure_id.rsplit("/", 1)[0]
            runs = groups.setdefault((group_id, passage.direction), [])
            if runs and passage.t_s - runs[-1][-1].t_s <= _SAME_EVENT_S:
                runs[-1].append(passage)
            else:
                runs.append([passage])
        kinds = {actor.id: actor.kind for actor in self.scenario.actor}
        found = [
            HumanEvent(
                event_id=group_id if number == 0 else f"{group_id}#{number + 1}",
                actor_id=run[0].actor_id,
                kind=kinds[run[0].actor_id],
                direction=run[0].direction,
                t_cross_s=run[0].t_s,
                t_last_s=run[-1].t_s,
                passages=tuple(run),
            )
            for group_id, run, number in _numbered(groups)
        ]
        return tuple(sorted(found, key=lambda event: (event.t_cross_s, event.event_id)))

    def light(self, t_s: float) -> Light:
        """Return sun and sky at an instant."""
        return self._sky.light(t_s)

    def weather(self, t_s: float) -> WeatherSettings:
        """Return the weather at an instant, mixed between the scenario's spells."""
        return self._sky.weather(t_s)

    def _on_the_ground(self, figures: list[FigureState]) -> tuple[FigureState, ...]:
        """Set feet on ground or bed, boats and swimmers on the water, birds over both."""
        if self.landscape.flat or not figures:
            return tuple(figures)
        places = np.array([figure.feet_enu_m[:2] for figure in figures])
        surface, bed = self.landscape.height_m(places), self.landscape.bed_m(places)
        wet = self.landscape.water(places)
        found = []
        for k, figure in enumerate(figures):
            east, north, up = figure.feet_enu_m
            level = float(surface[k])
            foot = level
            if wet[k] and NATURES[figure.kind].moves_on == "land":
                # Deeper than the chest nobody stands: the body floats up.
                foot = max(float(bed[k]), level - _WADING_SHARE * figure.looks.height_m)
            found.append(
                replace(
                    figure,
                    feet_enu_m=(east, north, foot + up),
                    water_level_m=level if wet[k] and up == 0.0 else None,
                )
            )
        return tuple(found)

    def _by_day(self, actor: ActorSettings, t_s: float) -> bool:
        if actor.daily_local is None:
            return True
        local_s = (self._start_local_s + t_s) % 86_400.0
        begin, end = actor.daily_local
        return _seconds_of_day(begin) <= local_s < _seconds_of_day(end)

    def _path(self, actor: ActorSettings) -> FloatArray:
        if actor.path_along_across_m is not None:
            return np.array([self.site.place(*point) for point in actor.path_along_across_m])
        return np.array([self.site.lon_lat(*point) for point in actor.path_lon_lat_deg or ()])

    def _longest_stay_s(self, actor: ActorSettings) -> float:
        """Return the longest that a coming lasts: path, pauses, the slowest of a group, jitter."""
        path = self._paths[actor.id]
        speed_m_s = actor.usual_speed_m_s * (1.0 - actor.speed_spread)
        length_m = float(np.hypot(*np.diff(path, axis=0).T).sum()) + 2.0 * actor.sideways_jitter_m
        slack_s = 2.0 * (actor.repeat_jitter_s + actor.start_jitter_s)
        slack_s += actor.count * _spacing_m(actor) / speed_m_s
        return 1.2 * length_m / speed_m_s + actor.pause_s * len(path) + slack_s

    def _comings(self, actor: ActorSettings, from_s: float, to_s: float) -> list[int]:
        """Return which comings of an actor may touch a stretch of time."""
        every_s = actor.repeat_every_s
        if every_s is None:
            numbers = range(1) if to_s >= actor.start_s else range(0)
        else:
            stay_s = self._stay_s[actor.id]
            first = math.floor((from_s - actor.start_s - stay_s) / every_s)
            last = math.floor((to_s - actor.start_s) / every_s)
            numbers = range(max(0, first), max(0, last + 1))
        if actor.there_and_back:
            return list(numbers)
        return [k for k in numbers if self._by_day(actor, actor.start_s + k * (every_s or 0.0))]

    def _walk(self, actor: ActorSettings, coming: int, member: int) -> Walk:
        key = (actor.id, coming, member)
        found = self._walks.get(key)
        if found is None:
            if len(self._walks) >= _WALKS_KEPT:
                self._walks.clear()
            found = self._walks[key] = self._new_walk(actor, coming, member)
        return found

    def _new_walk(self, actor: ActorSettings, coming: int, member: int) -> Walk:
        key = zlib.crc32(actor.id.encode())
        shared = np.random.default_rng([self.scenario.seed, key, coming])
        delay_s = (
            float(shared.uniform(0.0, actor.repeat_jitter_s)) if actor.repeat_jitter_s else 0.0
        )
        shift_m = float(shared.uniform(-1.0, 1.0)) * actor.sideways_jitter_m
        delay_s += float(shared.uniform(0.0, 1.0)) * actor.start_jitter_s
        haste = 1.0 + float(shared.uniform(-1.0, 1.0)) * actor.speed_spread
        speed_m_s = actor.usual_speed_m_s * haste
        own = np.random.default_rng([self.scenario.seed, key, coming, member])
        nature = actor.nature
        looks = Looks(
            seed=int(own.integers(0, 2**31)),
            height_m=nature.height_m[0]
            + nature.height_m[1] * float(np.clip(own.normal(), -2, 2.5)),
            length_m=nature.length_m * float(own.uniform(0.92, 1.08)),
            hat=actor.hat,
            load=actor.load,
            dress=actor.dress,
            aboard=actor.aboard,
        )
        path = self._paths[actor.id]
        aside = _place_in_group(actor, member, own)
        leg = path[-1] - path[0]
        forward = leg / max(float(np.hypot(*leg)), 1e-9)
        right = np.array([forward[1], -forward[0]])
        places = path + (shift_m + aside[0]) * right
        lag_s = -aside[1] / speed_m_s
        start_s = actor.start_s + coming * (actor.repeat_every_s or 0.0) + delay_s + lag_s
        times_s = start_s + timetable(places, actor, speed_m_s)
        return Walk(
            figure_id=f"{actor.id}/{coming}/{member}",
            group_id=f"{actor.id}/{coming}",
            actor=actor,
            looks=looks,
            speed_m_s=speed_m_s,
            times_s=times_s,
            first_s=float(times_s[0]),
            cycle_s=float(times_s[-1] - times_s[0]),
            places_m=with_pauses(places, actor),
        )

    def _passages(self, walk: Walk, from_s: float, to_s: float) -> list[TruthEvent]:
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
                    if self._by_day(walk.actor, t_s):
                        found.append(self._event(walk, crossing, t_s, back=back))
                    turn += 1
        return found

    def _event(self, walk: Walk, crossing: Crossing, t_s: float, *, back: bool) -> TruthEvent:
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


def _numbered(
    groups: dict[tuple[str, str], list[list[TruthEvent]]],
) -> list[tuple[str, list[TruthEvent], int]]:
    """Return (group, passages, how many times the group passed before) for each event."""
    by_group: dict[str, list[list[TruthEvent]]] = {}
    for (group_id, _), runs in groups.items():
        by_group.setdefault(group_id, []).extend(runs)
    return [
        (group_id, run, number)
        for group_id, runs in by_group.items()
        for number, run in enumerate(sorted(runs, key=lambda run: run[0].t_s))
    ]


def _seconds_of_day(clock: str) -> float:
    return int(clock[:2]) * 3600.0 + int(clock[3:]) * 60.0


def _spacing_m(actor: ActorSettings) -> float:
    """Return how far apart members keep: people loosely, boats and animals by their length."""
    return max(_GROUP_SPACING_M, 1.3 * actor.nature.length_m)


def _place_in_group(actor: ActorSettings, member: int, own: np.random.Generator) -> FloatArray:
    """Return (2,) metres to the right of and ahead of the group's way."""
    if actor.count == 1:
        return np.array([0.0, 0.0])
    # Two abreast, loosely, so that a group reads as people and not as one blob.
    spacing_m = _spacing_m(actor)
    row, column = divmod(member, 2)
    # The last one of an odd number walks in the middle, in nobody's shadow.
    middle = member == actor.count - 1 and actor.count % 2 == 1
    across = 0.0 if middle else column - 0.5
    aside = np.array([across * 2.0 * spacing_m, -row * spacing_m])
    return np.asarray(aside + own.uniform(-0.25, 0.25, size=2))
