"""From a played record and the world it was played in to a report."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from simulations.played import AlertMoment, Played
from simulations.score.decidable import decidable
from simulations.score.eyes import Truth
from simulations.score.judge import EARLY_S, LATE_S, Case, Judged, judge, off_m
from simulations.score.reasons import Nearest, nearest, why_false, why_missed
from simulations.score.report import EventLine, Report, Samples, WarningLine
from simulations.score.sightings import (
    CHI2_90,
    Sighting,
    by_height,
    by_sensor,
    by_word,
    seconds,
    sightings,
)
from simulations.score.tally import derived, rounded
from simulations.score.told import Told, place_m, told, tolerance_m
from simulations.world import World

_DAY_S = 86_400.0


def score(played: Played, world: World) -> Report:
    """Score one played scenario.

    Args:
        played: what the station said.
        world: of the same scenario and seed.

    Raises:
        ValueError: the world is another scenario or another seed.
    """
    scenario = world.scenario
    if (played.scenario, played.seed) != (scenario.name, scenario.seed):
        raise ValueError(
            f"played is {played.scenario} with seed {played.seed}, the world is {scenario.name} "
            f"with seed {scenario.seed}; score a record in its own world"
        )
    truth = Truth(world)
    # Who is on the line just after the end may rightly have been warned of before it.
    events = world.events(0.0, played.duration_s + EARLY_S)
    cases = [
        Case(event=event, decidable=decidable(truth, event, played.duration_s)) for event in events
    ]
    alerts = told(played.alerts)
    judged = judge(truth, cases, alerts)
    seen, unmatched = sightings(truth, played.observations)
    event_lines = [
        _event_line(truth, k, cases, alerts, judged, seen, played.duration_s)
        for k, case in enumerate(cases)
        # What happens after the end is in nobody's account, unless it was told.
        if case.event.t_cross_s < played.duration_s or k in judged.of_case.values()
    ]
    warning_lines = [
        _warning_line(truth, k, alert, cases, judged)
        for k, alert in enumerate(alerts)
        if alert.warning is not None
    ]
    caution_lines = [_caution_line(truth, a, cases) for a in alerts if a.level == "caution"]
    samples = Samples(
        delay_s=tuple(
            e.delay_s for e in event_lines if e.outcome == "hit" and e.delay_s is not None
        ),
        lead_s=tuple(e.lead_s for e in event_lines if e.lead_s is not None),
        capture_to_map_s=played.capture_to_map_s if played.real else (),
        geolocation_m=tuple(round(one.off_m, 3) for one in seen),
        in_ellipse=sum(one.mahalanobis2 <= CHI2_90 for one in seen),
    )
    counts = _counts(played, event_lines, warning_lines, caution_lines)
    watched = seconds(truth, played.observations, played.duration_s)
    return Report(
        detections=played.detections,
        **counts,
        **derived(counts, samples, real=played.real),
        alerts=len(alerts),
        observations=played.counts,
        min_distance_to_line_m=played.min_distance_to_line_m,
        missed_by_cause=dict(
            sorted(Counter(e.cause for e in event_lines if e.cause is not None).items())
        ),
        false_by_cause=dict(
            sorted(Counter(w.cause for w in warning_lines if w.cause is not None).items())
        ),
        scenario=scenario.name,
        title=scenario.title,
        title_vi=scenario.title_vi,
        scenario_sha256=played.scenario_sha256,
        seed=played.seed,
        real=played.real,
        purpose=scenario.purpose,
        needs=scenario.needs,
        tags=scenario.tags,
        kinds=tuple(dict.fromkeys(actor.kind for actor in scenario.actor)),
        duration_s=played.duration_s,
        wall_s=played.wall_s,
        film_sha256=played.film_sha256,
        networks=tuple(f"{n.sensor_id}: {n.name} {n.sha256[:12]}" for n in played.networks),
        events=tuple(event_lines),
        warnings=tuple(warning_lines),
        cautions_list=tuple(caution_lines),
        by_sensor=by_sensor(seen, unmatched),
        recall_by_height=by_height(watched),
        recall_by_kind=by_word(watched, "kind"),
        recall_by_gait=by_word([s for s in watched if s.person], "gait"),
        samples=samples,
    )


def _counts(
    played: Played,
    events: Sequence[EventLine],
    warnings: Sequence[WarningLine],
    cautions: Sequence[WarningLine],
) -> dict[str, Any]:
    outcomes = Counter(event.outcome for event in events)
    verdicts = Counter(warning.verdict for warning in warnings)
    return {
        "events_truth": outcomes["hit"] + outcomes["missed"],
        "undecidable": outcomes["undecidable"],
        "true_positive": outcomes["hit"],
        "missed": outcomes["missed"],
        "false_positive": verdicts["false"],
        "duplicate_alerts": verdicts["duplicate"],
        "late_alerts": verdicts["late"],
        "lowered_alerts": verdicts["lowered"],
        "direction_right": sum(
            event.outcome == "hit" and event.direction_right is True for event in events
        ),
        "camera_days": sum(played.camera_s.values()) / _DAY_S,
        "cautions": len(cautions),
        "cautions_never_cross": sum(line.never_crosses is True for line in cautions),
    }


def _event_line(
    truth: Truth,
    number: int,
    cases: Sequence[Case],
    alerts: Sequence[Told],
    judged: Judged,
    seen: Sequence[Sighting],
    end_s: float,
) -> EventLine:
    case = cases[number]
    event, known_s = case.event, case.decidable.t_s
    common: dict[str, Any] = {
        "event_id": event.event_id,
        "kind": event.kind,
        "people": event.people,
        "direction": event.direction,
        "t_cross_s": round(event.t_cross_s, 3),
        "t_decidable_s": None if known_s is None else round(known_s, 3),
        "decided_by": case.decidable.sensor_id,
    }
    if number in judged.hits:
        alert = alerts[judged.hits[number]]
        told_it = _telling(truth, case, alert)
        return EventLine(**common, **told_it, outcome="hit", lead_s=round(_lead_s(case, alert), 3))
    if known_s is None:
        return EventLine(**common, outcome="undecidable", reason=case.decidable.reason)
    if known_s + LATE_S > end_s:
        reason = "the scenario ended before the warning was due"
        return EventLine(**common, outcome="undecidable", reason=reason)
    cause, reason = why_missed(truth, number, cases, alerts, judged, seen)
    late = judged.late.get(number)
    told_it = {} if late is None else _telling(truth, case, alerts[late])
    return EventLine(**common, **told_it, outcome="missed", cause=cause, reason=reason)


def _telling(truth: Truth, case: Case, alert: Told) -> dict[str, Any]:
    warning, caution = alert.warning, alert.caution
    assert warning is not None
    assert caution is not None
    assert case.decidable.t_s is not None
    stated = warning.direction in ("in", "out")
    return {
        "alert_id": alert.alert_id,
        "t_caution_s": caution.t_said_s,
        "t_warning_s": warning.t_said_s,
        "delay_s": round(warning.t_said_s - case.decidable.t_s, 3),
        "off_m": round(off_m(truth, case, warning), 3),
        "direction_right": warning.direction == case.event.direction if stated else None,
        "people_told": warning.count,
    }


def _lead_s(case: Case, alert: Told) -> float:
    """From the first caution to the crossing; one that came with the warning counts as that."""
    assert alert.caution is not None
    return case.event.t_cross_s - alert.caution.t_said_s


def _warning_line(
    truth: Truth, number: int, alert: Told, cases: Sequence[Case], judged: Judged
) -> WarningLine:
    near = nearest(truth, alert.telling)
    verdict = judged.verdicts[number]
    case = judged.of_case.get(number)
    cause, reason = None, ""
    if verdict == "false":
        cause, reason = why_false(truth, alert, cases, near=near)
    return WarningLine(
        **_alert_fields(truth, alert, near),
        verdict=verdict,
        event_id="" if case is None else cases[case].event.event_id,
        cause=cause,
        reason=reason,
    )


def _caution_line(truth: Truth, alert: Told, cases: Sequence[Case]) -> WarningLine:
    """A caution that never became a warning; was it beside somebody who crosses some time?"""
    near = nearest(truth, alert.telling)
    crossing = {case.group_id for case in cases}
    beside = near.figure is not None and near.away_m <= tolerance_m(alert.telling)
    crosses = beside and near.figure is not None and near.figure.group_id in crossing
    return WarningLine(**_alert_fields(truth, alert, near), never_crosses=not crosses)


def _alert_fields(truth: Truth, alert: Told, near: Nearest) -> dict[str, Any]:
    moment: AlertMoment = alert.telling
    place = place_m(moment, truth.world.site)
    along, across = None, None
    if place is not None:
        fix = truth.world.site.line.project(place[None, :])
        along = round(float(fix.along_m[0]) - truth.world.site.start_along_m, 2)
        metres = float(fix.distance_m[0])
        # Adding zero turns -0.0 into 0.0.
        across = round(metres, 2) + 0.0 if math.isfinite(metres) else None
    return {
        "alert_id": alert.alert_id,
        "level": alert.level,
        "rule": moment.rule,
        "direction": moment.direction,
        "t_said_s": moment.t_said_s,
        "t_event_s": moment.t_event_s,
        "along_m": along,
        "across_m": across,
        "sigma_m": rounded(moment.sigma_m),
        "nearest": near.words,
        "nearest_m": None if near.figure is None else round(near.away_m, 2),
        "sentence_en": moment.sentence_en,
        "sentence_vi": moment.sentence_vi,
    }
