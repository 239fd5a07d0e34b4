"""What goes into the decision core and what comes out of it: frozen values, no behaviour."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from ground_station.views import AlertView, Level, TargetView
from wire.messages import Observation
from wire.values import ObjectClass

Direction = Literal["in", "out", "none"]
Rule = Literal["crossing", "in_restricted", "appeared", "approaching", "near_border", "in_watch"]
ActName = Literal[
    "raised", "joined", "upgraded", "updated", "escalated", "completed_late",
    "acknowledged", "assigned", "closed", "reopened",
]  # fmt: skip

SYSTEM = "system"
"""The `by` of acts that no person did."""


class Ids(Protocol):
    """Where new alert ids come from; `runtime.ids.UlidSource` is one."""

    def new(self) -> str:
        """A ULID, larger than every one before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One committed observation, with what its envelope says about it.

    Attributes:
        message_id: ULID of the message.
        node_id: Who sent it.
        t_event_utc: Capture, aware UTC.
        late: Committed more than 60 s after capture, as ingest decided it.
        simulated: From a simulated world.
        body: What the node says.
        by_arrival: The node's clock was not to be believed: `t_event_utc` is when the word came.
    """

    message_id: str
    node_id: str
    t_event_utc: datetime
    late: bool
    simulated: bool
    body: Observation
    by_arrival: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule's verdict on a target, with its reasons.

    Attributes:
        finding_id: ``target:rule:direction:ordinal``, the same however often it is reached.
        t_event_utc: When it happened in the world: the instant of passage, or of the verdict.
        t_decided_utc: Capture of the observation that decided it.
        t_raised_utc: When the station decided it.
        cov_enu_m2: Of the target, shared part included.
        numbers: The rule's figures, units in their names.
        lowered_because_vi: Why it ranks lower than its rule says, if it does.
        time_by_arrival: Its instants are those of arrival, the node's clock not being believed.
    """

    finding_id: str
    target_id: str
    track_id: str
    rule: Rule
    direction: Direction
    level: Level
    t_event_utc: datetime
    t_decided_utc: datetime
    t_raised_utc: datetime
    east_m: float
    north_m: float
    lon_deg: float
    lat_deg: float
    cov_enu_m2: tuple[tuple[float, float], tuple[float, float]]
    probability: float
    object_class: ObjectClass
    count: int
    sensors: tuple[str, ...]
    numbers: dict[str, float]
    sentence_vi: str
    sentence_en: str
    late: bool
    simulated: bool
    lowered_because_vi: str = ""
    lowered_because_en: str = ""
    zone_id: str = ""
    zone_vi: str = ""
    zone_en: str = ""
    alert_id: str = ""
    time_by_arrival: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One row for the audit: what was done to an alert, by whom."""

    alert_id: str
    revision: int
    t_utc: datetime
    act: ActName
    by: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A node's track belongs to this target."""

    track_id: str
    target_id: str
    t_utc: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What changed by one call; all of it belongs into one transaction.

    Attributes:
        targets: Changed targets.
        removed_targets: Ids of targets that are no longer shown.
        alerts: New ones and new revisions, whole.
        acts: Audit rows, in order.
        findings: Every verdict, also those that joined an alert.
        links: New pairs of track and target.
        rings: Alerts that ring now.
    """

    targets: tuple[TargetView, ...] = ()
    removed_targets: tuple[str, ...] = ()
    alerts: tuple[AlertView, ...] = ()
    acts: tuple[Act, ...] = ()
    findings: tuple[Finding, ...] = ()
    links: tuple[Link, ...] = ()
    rings: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing changed."""
        return not (
            self.targets
            or self.removed_targets
            or self.alerts
            or self.acts
            or self.findings
            or self.links
            or self.rings
        )

    def join(self, later: "Decision") -> "Decision":
        """This decision and a later one as one; of a thing that changed twice the later view stays."""
        gone = set(later.removed_targets)
        targets = {view.target_id: view for view in self.targets if view.target_id not in gone}
        targets |= {view.target_id: view for view in later.targets}
        alerts = {view.alert_id: view for view in (*self.alerts, *later.alerts)}
        removed = [one for one in self.removed_targets if one not in targets]
        return Decision(
            targets=tuple(targets.values()),
            removed_targets=tuple(dict.fromkeys((*removed, *later.removed_targets))),
            alerts=tuple(alerts.values()),
            acts=self.acts + later.acts,
            findings=self.findings + later.findings,
            links=self.links + later.links,
            rings=tuple(dict.fromkeys((*self.rings, *later.rings))),
        )


@dataclass(slots=True, kw_only=True)
class Counters:
    """What the core did and what it let go, for /metrics; every bound has its counter."""

    observations: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    stale: int = 0
    without_position: int = 0
    unknown_track_overflow: int = 0
    outliers: int = 0
    jumps: int = 0
    reborn: int = 0
    joined: int = 0
    strayed: int = 0
    targets_evicted: int = 0
    alerts_evicted: int = 0
    findings: int = 0
    findings_joined: int = 0
    findings_after_close: int = 0
    alerts_raised: int = 0
    friends_evicted: int = 0
    extra: dict[str, int] = field(default_factory=dict)
