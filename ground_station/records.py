"""Decisions as records, and records as the past that a decision core goes on from."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ground_station.decision import Decision, Observed
from ground_station.store import Transaction, chain, incidents, intake
from ground_station.views import AlertView
from wire.values import rfc3339_ms

LINKS_S = 6 * 3600.0
CLOSED_S = 3600.0
OBSERVATIONS_S = 120.0
OBSERVATIONS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a decision core is given at start.

    Attributes:
        alerts: open ones, and those closed lately.
        links: target by track, the oldest first.
        observations: of the last minutes, in the order of their commits.
    """

    alerts: Sequence[AlertView]
    links: Mapping[str, str]
    observations: Sequence[Observed]


def recall(tx: Transaction, *, now_utc: datetime) -> Past:
    """Read the past, back from the last commit: an outage of any length ends where it began.

    So a person who walked on while the station lay down still has the side he was last seen on.
    """
    end_utc = min(now_utc, intake.last_arrival_utc(tx) or now_utc)
    recent = intake.recent_observations(
        tx, since_utc=end_utc - timedelta(seconds=OBSERVATIONS_S), limit=OBSERVATIONS
    )
    return Past(
        alerts=incidents.alerts_to_restore(
            tx, closed_since_utc=end_utc - timedelta(seconds=CLOSED_S)
        ),
        links=incidents.links_since(tx, end_utc - timedelta(seconds=LINKS_S)),
        observations=[
            Observed(
                message_id=one.message_id,
                node_id=one.node_id,
                t_event_utc=one.t_event_utc,
                late=one.late,
                simulated=one.simulated,
                body=one.body,
                by_arrival=one.filed_by_arrival,
            )
            for one in recent
        ],
    )


def keep(tx: Transaction, decision: Decision, *, now_utc: datetime) -> None:
    """Write all of a decision: alerts, their acts with an audit row each, findings, links."""
    for view in decision.alerts:
        incidents.save_alert(tx, view, t_changed_utc=now_utc)
    for act in decision.acts:
        incidents.add_act(
            tx,
            alert_id=act.alert_id,
            revision=act.revision,
            t_utc=act.t_utc,
            act=act.act,
            by=act.by,
            detail=act.detail,
        )
        chain.append(
            tx,
            t_utc=act.t_utc,
            actor=act.by,
            act=f"alert.{act.act}",
            subject=act.alert_id,
            detail={"revision": act.revision, "detail": act.detail},
        )
    for finding in decision.findings:
        incidents.save_finding(
            tx,
            finding_id=finding.finding_id,
            target_id=finding.target_id,
            alert_id=finding.alert_id or None,
            rule=finding.rule,
            t_event_utc=finding.t_event_utc,
            body_json=json.dumps(dataclasses.asdict(finding), default=rfc3339_ms),
        )
    for link in decision.links:
        incidents.save_link(tx, track_id=link.track_id, target_id=link.target_id, t_utc=link.t_utc)
