"""Which alert tells what: alerts by target, and findings by place and time."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ground_station.alert_record import LEVEL_RANK, Alert
from ground_station.decision import Finding
from ground_station.rules import AlertSettings

SAME_CROSSING_S = 10.0
"""A crossing of one target, the same way, this near in time is the same crossing told again."""
GROUP_LASTS_S = 120.0
"""A stream of people makes a new alert this long after the first of them."""
RECENT_FINDINGS = 512


def finding_key(finding: Finding) -> str:
    """What makes two verdicts on one target the same kind: rule, and direction or zone."""
    return f"{finding.rule}:{finding.zone_id or finding.direction}"


def finding_name(finding: Finding) -> str:
    """The verdict's name in its alert: ``target:rule:direction or zone:level:epoch ms``."""
    t_ms = round(finding.t_event_utc.timestamp() * 1000.0)
    return f"{finding.target_id}:{finding_key(finding)}:{finding.level}:{t_ms}"


def told_names(alert: Alert, finding: Finding) -> list[str]:
    """The alert's names of verdicts of this target, kind and level."""
    prefix = f"{finding.target_id}:{finding_key(finding)}:{finding.level}:"
    return [name for name in alert.finding_ids if name.startswith(prefix)]


def name_instant_s(name: str) -> float:
    """Instant in a verdict's name, seconds since 1970 UTC."""
    return int(name.rsplit(":", 1)[1]) / 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recent:
    alert_id: str
    rule: str
    direction: str
    object_class: str
    t_s: float
    east_m: float
    north_m: float


class AlertIndex:
    """The alerts in memory and the ways to find one.

    Args:
        settings: Grouping, and how many alerts are kept.
    """

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings
        self._alerts: dict[str, Alert] = {}
        self._of_target: dict[str, list[str]] = {}
        self._recent: deque[_Recent] = deque(maxlen=RECENT_FINDINGS)

    def __len__(self) -> int:
        return len(self._alerts)

    def __iter__(self) -> Iterator[Alert]:
        return iter(list(self._alerts.values()))

    def get(self, alert_id: str) -> Alert | None:
        """The alert, if it is in memory."""
        return self._alerts.get(alert_id)

    def put(self, alert: Alert) -> None:
        """Keep a new alert or a new revision."""
        self._alerts[alert.alert_id] = alert
        for member in alert.members:
            known = self._of_target.setdefault(member.target_id, [])
            if alert.alert_id not in known:
                known.append(alert.alert_id)

    def note(self, alert: Alert, finding: Finding) -> None:
        """Remember where and when a finding of this alert was, for those beside it."""
        self._recent.append(
            _Recent(
                alert_id=alert.alert_id,
                rule=finding.rule,
                direction=finding.direction,
                object_class=finding.object_class,
                t_s=finding.t_event_utc.timestamp(),
                east_m=finding.east_m,
                north_m=finding.north_m,
            )
        )

    def note_restored(self, alert: Alert) -> None:
        """Remember a stored alert's findings, all at the alert's place."""
        for name in alert.finding_ids:
            _target, rule, key, _level, _t_ms = name.split(":")
            self._recent.append(
                _Recent(
                    alert_id=alert.alert_id,
                    rule=rule,
                    direction=key if key in {"in", "out"} else "none",
                    object_class=alert.object_class,
                    t_s=name_instant_s(name),
                    east_m=alert.east_m,
                    north_m=alert.north_m,
                )
            )

    def of_target(self, target_id: str) -> list[Alert]:
        """Alerts that this target is part of, newest first."""
        return [self._alerts[one] for one in reversed(self._of_target.get(target_id, []))]

    def renamed(self, target_id: str) -> list[Alert]:
        """Alerts of a target that is no longer: they are put back under another name."""
        return [self._alerts[one] for one in self._of_target.pop(target_id, [])]

    def repeated(self, finding: Finding) -> Alert | None:
        """The alert that tells this very verdict already."""
        t_s = finding.t_event_utc.timestamp()
        for alert in self.of_target(finding.target_id):
            for name in told_names(alert, finding):
                near = abs(name_instant_s(name) - t_s) <= SAME_CROSSING_S
                if finding.rule != "crossing" or near:
                    return alert
        return None

    def home(self, finding: Finding, twins: Iterable[str]) -> Alert | None:
        """The alert whose event this finding is part of; it may be closed already."""
        own = self._own(finding, finding.target_id)
        if own is not None and (own.rule == "crossing" or finding.rule != "crossing"):
            return own
        group = self._group(finding)
        if group is not None:
            return group
        if own is not None:
            return own
        for twin in twins:
            other = self._own(finding, twin)
            if other is not None:
                return other
        return None

    def forget(self, alert_id: str) -> None:
        """Let an alert leave memory."""
        alert = self._alerts.pop(alert_id)
        for member in alert.members:
            kept = [one for one in self._of_target.get(member.target_id, []) if one != alert_id]
            if kept:
                self._of_target[member.target_id] = kept
            else:
                self._of_target.pop(member.target_id, None)

    def evict(self) -> int:
        """Keep the bound: closed ones go first, then the lowest and oldest; how many went."""
        spare = len(self._alerts) - self._settings.max_alerts
        if spare <= 0:
            return 0
        order = sorted(
            self._alerts.values(), key=lambda a: (a.open, LEVEL_RANK[a.level], a.t_last_s)
        )
        for alert in order[:spare]:
            self.forget(alert.alert_id)
        return spare

    def _own(self, finding: Finding, target_id: str) -> Alert | None:
        t_s = finding.t_event_utc.timestamp()
        crossing = finding.rule == "crossing"
        for alert in self.of_target(target_id):
            if alert.conflicts(finding.direction):
                continue
            again_s = t_s - alert.t_last_s
            if crossing and alert.rule == "crossing" and again_s > self._settings.again_after_s:
                continue
            if not alert.open and LEVEL_RANK[finding.level] > LEVEL_RANK[alert.level]:
                continue
            return alert
        return None

    def _group(self, finding: Finding) -> Alert | None:
        settings, t_s = self._settings, finding.t_event_utc.timestamp()
        for recent in reversed(self._recent):
            if (recent.rule, recent.direction) != (finding.rule, finding.direction):
                continue
            classes = {recent.object_class, finding.object_class}
            if len(classes) > 1 and "Unknown" not in classes:
                continue
            gap_m = math.hypot(recent.east_m - finding.east_m, recent.north_m - finding.north_m)
            if gap_m > settings.group_within_m or abs(recent.t_s - t_s) > settings.group_within_s:
                continue
            alert = self._alerts.get(recent.alert_id)
            if alert is not None and alert.open and abs(t_s - alert.t_first_s) <= GROUP_LASTS_S:
                return alert
        return None
