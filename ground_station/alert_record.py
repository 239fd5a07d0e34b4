"""One alert as the station keeps it, and as the page sees it."""

import math
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from geo.frames import error_ellipse
from ground_station.decision import Direction, Finding, Rule
from ground_station.judge_memory import normal_below
from ground_station.sentences import Facts, alert_sentences
from ground_station.views import (
    ActView,
    AlertState,
    AlertView,
    Ellipse,
    Level,
    Outcome,
    Reason,
)
from ground_station.zones import Site
from wire.values import ObjectClass, rfc3339_ms

LEVEL_RANK: dict[Level, int] = {"information": 0, "caution": 1, "warning": 2}
RULE_RANK: dict[Rule, int] = {
    "in_watch": 0, "near_border": 1, "approaching": 2, "appeared": 3, "in_restricted": 4,
    "crossing": 5,
}  # fmt: skip
NINETY_PERCENT = 1.645
"""Sigmas either side that hold 90 % of a normal value."""
MAX_ACTS = 200
MAX_MEMBERS = 256
Cov = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A target of an alert: which sensors saw it, and how many it stands for."""

    target_id: str
    sensors: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One human event.

    Attributes:
        t_last_s: Latest event among its findings, seconds since 1970 UTC.
        t_first_s: Earliest one.
        count_floor: Known count of before a restart.
        escalations: How often it rang again for want of an answer.
        t_told_utc: When people were last told something new, from which escalation counts; None for
            the raising.
        t_closed_s: When a person closed it; None while open.
    """

    alert_id: str
    revision: int
    level: Level
    state: AlertState
    rule: Rule
    direction: Direction
    object_class: ObjectClass
    t_event_utc: datetime
    t_raised_utc: datetime
    t_first_s: float
    t_last_s: float
    east_m: float
    north_m: float
    lon_deg: float
    lat_deg: float
    cov_enu_m2: Cov
    probability: float | None
    lead_s: float | None = None
    zone_vi: str = ""
    zone_en: str = ""
    reasons: tuple[Reason, ...] = ()
    finding_ids: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    count_floor: int = 1
    sensors: tuple[str, ...] = ()
    media_ids: tuple[str, ...] = ()
    acknowledged_by: str | None = None
    assigned_to: str | None = None
    outcome: Outcome | None = None
    closed_by: str | None = None
    note: str = ""
    late: bool = False
    silent: bool = False
    lowered_vi: str = ""
    lowered_en: str = ""
    simulated: bool = False
    acts: tuple[ActView, ...] = ()
    escalations: int = 0
    t_told_utc: datetime | None = None
    t_closed_s: float | None = None

    @property
    def count(self) -> int:
        """How many: the most that one sensor sees, since two sensors may see the same people."""
        per_sensor: dict[str, int] = {}
        for member in self.members:
            for sensor_id in member.sensors:
                per_sensor[sensor_id] = per_sensor.get(sensor_id, 0) + member.count
        return max([self.count_floor, *per_sensor.values()])

    @property
    def open(self) -> bool:
        """Whether it still waits for an outcome."""
        return self.state != "closed"

    @property
    def rank(self) -> tuple[int, int]:
        """What stands above what: level first, then the rule."""
        return LEVEL_RANK[self.level], RULE_RANK[self.rule]

    def conflicts(self, direction: Direction) -> bool:
        """Whether a motion is the opposite of what this alert tells."""
        return "none" not in {direction, self.direction} and direction != self.direction

    def acted(self, act: str, by: str, t_utc: datetime, detail: str, **changes: object) -> "Alert":
        """The next revision, with the act in its story; the oldest acts leave the view, not the audit."""
        view = ActView(t_utc=rfc3339_ms(t_utc), act=act, by=by, detail=detail)
        return replace(
            self,
            revision=self.revision + 1,
            acts=(*self.acts, view)[-MAX_ACTS:],
            **changes,  # type: ignore[arg-type]
        )


def with_member(alert: Alert, finding: Finding) -> tuple[Member, ...]:
    """Members after a finding's target joined, or spoke again; a full alert takes no more in."""
    known = any(m.target_id == finding.target_id for m in alert.members)
    if not known and len(alert.members) >= MAX_MEMBERS:
        return alert.members
    rest = tuple(m for m in alert.members if m.target_id != finding.target_id)
    return (
        *rest,
        Member(target_id=finding.target_id, sensors=finding.sensors, count=finding.count),
    )


def renamed_members(
    members: tuple[Member, ...], gone_id: str, target_id: str
) -> tuple[Member, ...]:
    """Members after one target turned out to be another: one member, seen by the sensors of both."""
    both = [m for m in members if m.target_id in {gone_id, target_id}]
    rest = tuple(m for m in members if m.target_id not in {gone_id, target_id})
    if not both:
        return members
    return (
        *rest,
        Member(
            target_id=target_id,
            sensors=tuple(dict.fromkeys(s for m in both for s in m.sensors)),
            count=max(m.count for m in both),
        ),
    )


def alert_view(alert: Alert, site: Site, time_zone: str) -> AlertView:
    """All that a guard's page shows of an alert."""
    place = np.array([[alert.east_m, alert.north_m]])
    fix = site.line.project(place)
    distance = float(fix.distance_m[0])
    along_normal = fix.inwards[0]
    cov = np.array(alert.cov_enu_m2)
    sigma = math.sqrt(
        max(float(along_normal @ cov @ along_normal), 0.0)
        + float(site.line.sigma_m[fix.segment[0]]) ** 2
    )
    beyond = math.isnan(distance)
    doubt = 0.0 if beyond else normal_below(-abs(distance) / max(sigma, 1e-6))
    marker = site.nearest_marker(alert.east_m, alert.north_m)
    ellipse = error_ellipse(cov, 0.9)
    who = {"acknowledged": alert.acknowledged_by, "assigned": alert.assigned_to}.get(alert.state)
    vietnamese, english = alert_sentences(
        Facts(
            level=alert.level,
            rule=alert.rule,
            direction=alert.direction,
            object_class=alert.object_class,
            count=alert.count,
            marker=marker,
            distance_to_line_m=None if beyond else distance,
            error_m=NINETY_PERCENT * sigma,
            in_doubt=doubt > 0.1,
            t_event_utc=alert.t_event_utc,
            time_zone=time_zone,
            state=alert.state,
            who=who or "",
            outcome=alert.outcome,
            zone_vi=alert.zone_vi,
            zone_en=alert.zone_en,
            late=alert.late,
            lowered_vi=alert.lowered_vi,
            lowered_en=alert.lowered_en,
            lead_s=alert.lead_s,
            time_by_arrival=bool(alert.reasons) and alert.reasons[0].time_by_arrival,
        )
    )
    return AlertView(
        alert_id=alert.alert_id,
        revision=alert.revision,
        level=alert.level,
        state=alert.state,
        rule=alert.rule,
        direction=alert.direction,
        object_class=alert.object_class,
        count=alert.count,
        t_event_utc=rfc3339_ms(alert.t_event_utc),
        t_raised_utc=rfc3339_ms(alert.t_raised_utc),
        lon_deg=alert.lon_deg,
        lat_deg=alert.lat_deg,
        ellipse90=Ellipse(
            semi_major_m=ellipse.semi_major_m,
            semi_minor_m=ellipse.semi_minor_m,
            azimuth_deg=ellipse.azimuth_deg,
        ),
        nearest_marker="" if marker is None else marker.number,
        distance_to_marker_m=None if marker is None else marker.distance_m,
        azimuth_from_marker_deg=None if marker is None else marker.azimuth_deg,
        distance_to_line_m=None if beyond else distance,
        probability=alert.probability,
        sentence_vi=vietnamese,
        sentence_en=english,
        reasons=list(alert.reasons),
        sensors=list(alert.sensors),
        target_ids=[member.target_id for member in alert.members],
        finding_ids=list(alert.finding_ids),
        media_ids=list(alert.media_ids),
        acknowledged_by=alert.acknowledged_by,
        assigned_to=alert.assigned_to,
        outcome=alert.outcome,
        closed_by=alert.closed_by,
        note=alert.note,
        late=alert.late,
        lowered_because=alert.lowered_vi,
        silent=alert.silent,
        simulated=alert.simulated,
        acts=list(alert.acts),
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def covariance_of(ellipse: Ellipse) -> Cov:
    """Covariance east and north, m2, whose 90 % ellipse this is.

    Source: 90 % of a two-dimensional normal lies within sqrt(-2 ln 0.1) sigmas.
    """
    turn = math.radians(ellipse.azimuth_deg)
    scale = -2.0 * math.log(0.1)
    a2, b2 = ellipse.semi_major_m**2 / scale, ellipse.semi_minor_m**2 / scale
    sin, cos = math.sin(turn), math.cos(turn)
    across = (a2 - b2) * sin * cos
    return (
        (a2 * sin**2 + b2 * cos**2, across),
        (across, a2 * cos**2 + b2 * sin**2),
    )


def from_view(view: AlertView, site: Site) -> Alert:
    """An alert as it was stored, after a restart.

    What the view does not carry (each member's sensor) is taken as one sensor, with the count as
    its floor: the count may only grow.
    """
    east, north = site.enu(view.lon_deg, view.lat_deg)
    event = _instant(view.t_event_utc)
    closed = next((a for a in reversed(view.acts) if a.act == "closed"), None)
    told = max(
        (k for k, a in enumerate(view.acts) if a.act in {"upgraded", "reopened"}), default=-1
    )
    times = [int(name.rsplit(":", 1)[1]) / 1000.0 for name in view.finding_ids]
    times = times or [event.timestamp()]
    return Alert(
        alert_id=view.alert_id,
        revision=view.revision,
        level=view.level,
        state=view.state,
        rule=view.rule,  # type: ignore[arg-type]
        direction=view.direction,
        object_class=view.object_class,
        t_event_utc=event,
        t_raised_utc=_instant(view.t_raised_utc),
        t_first_s=min(times),
        t_last_s=max(times),
        east_m=east,
        north_m=north,
        lon_deg=view.lon_deg,
        lat_deg=view.lat_deg,
        cov_enu_m2=covariance_of(view.ellipse90),
        probability=view.probability,
        reasons=tuple(view.reasons),
        finding_ids=tuple(view.finding_ids),
        members=tuple(Member(target_id=t, sensors=(), count=0) for t in view.target_ids),
        count_floor=view.count,
        sensors=tuple(view.sensors),
        media_ids=tuple(view.media_ids),
        acknowledged_by=view.acknowledged_by,
        assigned_to=view.assigned_to,
        outcome=view.outcome,
        closed_by=view.closed_by,
        note=view.note,
        late=view.late,
        silent=view.silent,
        lowered_vi=view.lowered_because,
        lowered_en=view.lowered_because,
        simulated=view.simulated,
        acts=tuple(view.acts),
        escalations=sum(1 for act in view.acts[told + 1 :] if act.act == "escalated"),
        t_told_utc=None if told < 0 else _instant(view.acts[told].t_utc),
        t_closed_s=None
        if closed is None or view.state != "closed"
        else _instant(closed.t_utc).timestamp(),
    )
