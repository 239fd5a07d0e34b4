"""Why an event was missed, and what a false warning was: one word and a sentence with its numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulations.played import AlertMoment
from simulations.score.eyes import Truth
from simulations.score.judge import EARLY_S, Case, Judged, at_place, in_time, off_m
from simulations.score.report import FalseCause, MissedCause
from simulations.score.sightings import Sighting
from simulations.score.told import Told, directions_agree, place_m
from simulations.walk import FigureState

_AROUND_S = 30.0
_LOOKED_BEFORE_S = 10.0
_NOBODY_M = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """Whom an alert's place was nearest to at its event time."""

    figure: FigureState | None
    away_m: float

    @property
    def words(self) -> str:
        """For a person who reads the report."""
        if self.figure is None:
            return "nobody in the world"
        return f"{self.figure.kind} {self.figure.figure_id}"


def nearest(truth: Truth, moment: AlertMoment) -> Nearest:
    """Find the figure nearest to an alert's place at its event time."""
    place = place_m(moment, truth.world.site)
    figures = truth.world.figures(moment.t_event_s)
    if place is None or not figures:
        return Nearest(figure=None, away_m=math.inf)
    away = [float(np.hypot(*(np.array(f.feet_enu_m[:2]) - place))) for f in figures]
    best = int(np.argmin(away))
    return Nearest(figure=figures[best], away_m=away[best])


def why_missed(
    truth: Truth,
    number: int,
    cases: Sequence[Case],
    alerts: Sequence[Told],
    judged: Judged,
    seen: Sequence[Sighting],
) -> tuple[MissedCause, str]:
    """Return the cause of a missed event, and a sentence."""
    case = cases[number]
    event = case.event
    if number in judged.late:
        alert = alerts[judged.late[number]]
        assert alert.warning is not None
        over_s = alert.warning.t_said_s - case.deadline_s
        words = f"late by {over_s:.1f} s (alert {alert.alert_id})"
        return "too_late", words + _link(truth, case, alert.warning.t_said_s)
    around = [
        (k, alert, alert.telling)
        for k, alert in enumerate(alerts)
        if abs(alert.telling.t_event_s - event.t_cross_s) <= _AROUND_S
    ]
    here = [entry for entry in around if at_place(truth, case, entry[2])]
    for k, alert, moment in here:
        if alert.warning is None:
            continue
        if not directions_agree(moment, event.direction):
            return "wrong_direction", f"alert {alert.alert_id} says {moment.direction}"
        if moment.t_said_s < event.t_cross_s - EARLY_S:
            early_s = event.t_cross_s - moment.t_said_s
            return "too_early", f"alert {alert.alert_id} warned {early_s:.1f} s before the line"
        if k in judged.of_case:
            other = cases[judged.of_case[k]].event.event_id
            return "told_as_part_of_another", f"alert {alert.alert_id} stands for {other}"
    for _, alert, moment in here:
        if alert.warning is None:
            return "only_caution", f"alert {alert.alert_id} stayed {alert.level} ({moment.rule})"
    for k, alert, moment in around:
        free = alert.warning is not None and judged.verdicts.get(k) == "false"
        if free and in_time(case, moment) and directions_agree(moment, event.direction):
            away_m = off_m(truth, case, moment)
            if math.isfinite(away_m):
                return "place_off", f"alert {alert.alert_id} is {away_m:.0f} m from them"
    return _unseen(case, seen)


def _link(truth: Truth, case: Case, said_s: float) -> str:
    """Return what was wrong with a node's link between the crossing and the warning, if anything."""
    scenario = truth.world.scenario
    faults = [
        f"{fault.kind} link of {node.id} until {fault.at_s + fault.lasts_s:.0f} s"
        for node in scenario.node
        for fault in node.link_fault
        if fault.at_s < said_s and fault.at_s + fault.lasts_s > case.event.t_cross_s
    ]
    return "".join(f"; {fault}" for fault in faults)


def _unseen(case: Case, seen: Sequence[Sighting]) -> tuple[MissedCause, str]:
    people = {passage.figure_id for passage in case.event.passages}
    from_s, to_s = case.event.t_cross_s - _LOOKED_BEFORE_S, case.deadline_s
    theirs = [
        one
        for one in seen
        if one.figure_id in people and from_s <= one.observation.t_event_s <= to_s
    ]
    if not theirs:
        return "not_detected", f"no observation of them from {from_s:.0f} s to {to_s:.0f} s"
    after = [s for s in theirs if s.observation.t_event_s >= case.event.t_cross_s]
    tracks = len({s.observation.track_id for s in theirs})
    classes = ", ".join(sorted({s.observation.object_class for s in theirs}))
    return "not_told", (
        f"{len(theirs)} observations ({classes}) in {tracks} tracks, {len(after)} of them after "
        "the crossing, and no alert near"
    )


def why_false(
    truth: Truth, alert: Told, cases: Sequence[Case], *, near: Nearest
) -> tuple[FalseCause, str]:
    """Return the cause of a false warning, and a sentence."""
    moment = alert.telling
    said = f"said {moment.rule}" + (f" {moment.direction}" if moment.direction else "")
    if moment.lon_deg is None:
        return "no_place", f"{said}, and gave no place"
    for case in cases:
        if abs(moment.t_event_s - case.event.t_cross_s) > _AROUND_S:
            continue
        if not at_place(truth, case, moment):
            continue
        if not directions_agree(moment, case.event.direction):
            return "wrong_direction", f"{said}; {case.event.event_id} went {case.event.direction}"
        if moment.t_said_s < case.event.t_cross_s - EARLY_S:
            early_s = case.event.t_cross_s - moment.t_said_s
            return "too_early", f"{said} {early_s:.1f} s before {case.event.event_id} crossed"
    if near.figure is None or near.away_m > _NOBODY_M:
        return "nobody", f"{said}; nobody within {_NOBODY_M:g} m"
    words = f"{said}; nearest was {near.words}, {near.away_m:.1f} m off"
    actors = {actor.id: actor for actor in truth.world.scenario.actor}
    if near.figure.object_class == "Animal":
        return "animal", words
    if actors[near.figure.actor_id].permitted:
        return "permitted", words
    return ("boat" if near.figure.object_class == "Boat" else "person"), words
