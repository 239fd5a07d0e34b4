"""Hit, missed, late, duplicate or false: every event and every warning gets one word and a reason.

An alert may stand for an event when its place lies within 10 m or three sigma of one of the actors
(where they truly were at the alert's own event time) and it does not state the opposite direction.
It is a hit when it first reached warning between 5 s before the crossing and 10 s after the moment
at which a perfect observer could know. Pairs are made one to one, best for all together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulations.played import AlertMoment
from simulations.score.assign import assign
from simulations.score.decidable import Decidable
from simulations.score.eyes import Truth, group_of
from simulations.score.report import Verdict
from simulations.score.told import Told, directions_agree, place_m, tolerance_m
from simulations.world import HumanEvent

EARLY_S = 5.0
LATE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A human event with the moment from which it could be known."""

    event: HumanEvent
    decidable: Decidable

    @property
    def group_id(self) -> str:
        """Who comes together."""
        return group_of(self.event.passages[0].figure_id)

    @property
    def deadline_s(self) -> float:
        """The last moment for a warning to be a hit."""
        assert self.decidable.t_s is not None
        return self.decidable.t_s + LATE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the warnings were.

    Attributes:
        hits: by number of the case, the number of the alert.
        late: likewise, of warnings of the right event that came too late.
        verdicts: of every alert that reached warning, by its number.
        of_case: of those that stand for an event, the number of the case.
    """

    hits: dict[int, int]
    late: dict[int, int]
    verdicts: dict[int, Verdict]
    of_case: dict[int, int]


def judge(truth: Truth, cases: Sequence[Case], alerts: Sequence[Told]) -> Judged:
    """Pair warnings with events."""
    warned = [k for k, alert in enumerate(alerts) if alert.warning is not None]
    known = [k for k, case in enumerate(cases) if case.decidable.t_s is not None]
    open_ended = [k for k, case in enumerate(cases) if case.decidable.t_s is None]
    hits = _pairs(truth, cases, alerts, known, warned)
    verdicts: dict[int, Verdict] = dict.fromkeys(hits.values(), "hit")
    of_case = {alert: case for case, alert in hits.items()}
    rest = [k for k in warned if k not in verdicts]
    for case, alert in _pairs(truth, cases, alerts, open_ended, rest).items():
        verdicts[alert], of_case[alert] = "undecidable", case
    late: dict[int, int] = {}
    for k in rest:
        if k in verdicts:
            continue
        case_number = _about(truth, cases, alerts[k])
        if case_number is None:
            verdicts[k] = "lowered" if _permitted(truth, alerts[k]) else "false"
            continue
        of_case[k] = case_number
        taken = case_number in hits or case_number in late or case_number in open_ended
        verdicts[k] = "duplicate" if taken else "late"
        if not taken:
            late[case_number] = k
    return Judged(hits=hits, late=late, verdicts=verdicts, of_case=of_case)


def off_m(truth: Truth, case: Case, moment: AlertMoment) -> float:
    """Return how far an alert's place is from the nearest actor at its event time; inf if unknown."""
    place = place_m(moment, truth.world.site)
    if place is None:
        return math.inf
    actors = truth.of_group(case.group_id, moment.t_event_s)
    return min((float(np.hypot(*(feet[:2] - place))) for feet in actors.values()), default=math.inf)


def at_place(truth: Truth, case: Case, moment: AlertMoment) -> bool:
    """Whether an alert's place is within 10 m or three sigma of one of the actors."""
    return off_m(truth, case, moment) <= tolerance_m(moment)


def in_time(case: Case, moment: AlertMoment) -> bool:
    """Whether a warning was said when a hit is said; of an undecidable event, not too early."""
    if moment.t_said_s < case.event.t_cross_s - EARLY_S:
        return False
    return case.decidable.t_s is None or moment.t_said_s <= case.deadline_s


def _pairs(
    truth: Truth,
    cases: Sequence[Case],
    alerts: Sequence[Told],
    some_cases: Sequence[int],
    some_alerts: Sequence[int],
) -> dict[int, int]:
    """Return the alert of each case that has one; only pairs that make a hit."""
    cost = np.full((len(some_cases), len(some_alerts)), np.inf)
    for row, c in enumerate(some_cases):
        for column, a in enumerate(some_alerts):
            moment = alerts[a].warning
            assert moment is not None
            if (
                in_time(cases[c], moment)
                and directions_agree(moment, cases[c].event.direction)
                and at_place(truth, cases[c], moment)
            ):
                apart_s = abs(moment.t_event_s - cases[c].event.t_cross_s)
                cost[row, column] = apart_s + 0.1 * off_m(truth, cases[c], moment)
    return {some_cases[row]: some_alerts[column] for row, column in assign(cost)}


def _permitted(truth: Truth, alert: Told) -> bool:
    """Whether a warning is about permitted people, and was shown as what it is."""
    moment = alert.warning
    assert moment is not None
    place = place_m(moment, truth.world.site)
    if not moment.rank_lowered or place is None:
        return False
    permitted = {actor.id for actor in truth.world.scenario.actor if actor.permitted}
    return any(
        figure.actor_id in permitted
        and float(np.hypot(*(np.array(figure.feet_enu_m[:2]) - place))) <= tolerance_m(moment)
        for figure in truth.world.figures(moment.t_event_s)
    )


def _about(truth: Truth, cases: Sequence[Case], alert: Told) -> int | None:
    """Return the event that a warning beyond the hits tells, if any: too late, or once more."""
    moment = alert.warning
    assert moment is not None
    found = [
        (abs(moment.t_event_s - case.event.t_cross_s), k)
        for k, case in enumerate(cases)
        if min(moment.t_said_s, moment.t_event_s) >= case.event.t_cross_s - EARLY_S
        and directions_agree(moment, case.event.direction)
        and at_place(truth, case, moment)
    ]
    return min(found)[1] if found else None
