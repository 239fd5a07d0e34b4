"""From findings to alerts: one alert per human event, and what people do with it.

An alert is raised once, grows in place, and is closed by a person. Findings of one target and of
targets beside each other tell the same event.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from ground_station.alert_index import AlertIndex, finding_name, told_names
from ground_station.alert_record import (
    LEVEL_RANK,
    RULE_RANK,
    Alert,
    alert_view,
    from_view,
    renamed_members,
    with_member,
)
from ground_station.decision import SYSTEM, Act, ActName, Counters, Decision, Finding, Ids
from ground_station.rules import AlertSettings
from ground_station.sentences import joined_lowers
from ground_station.views import AlertView, Outcome, Reason
from ground_station.zones import Site
from runtime.errors import AskOperator

MAX_MEDIA = 16


class AlertBook:
    """All alerts that are open or were closed lately.

    Args:
        site: For marker, line and sentences.
        settings: Grouping, escalation, bounds.
        ids: Gives new alert ids.
        counters: Where everything let go is counted.
        time_zone: Of the clock time in sentences.
    """

    def __init__(
        self, site: Site, settings: AlertSettings, ids: Ids, counters: Counters, *, time_zone: str
    ) -> None:
        self._site = site
        self._settings = settings
        self._ids = ids
        self._counters = counters
        self._time_zone = time_zone
        self._index = AlertIndex(settings)

    def __len__(self) -> int:
        return len(self._index)

    def views(self) -> list[AlertView]:
        """Every alert in memory, oldest first."""
        return [self._view(alert) for alert in self._index]

    def view(self, alert_id: str) -> AlertView | None:
        """One alert, if it is in memory."""
        alert = self._index.get(alert_id)
        return None if alert is None else self._view(alert)

    def alert_of(self, target_id: str) -> str | None:
        """The newest open alert of a target."""
        return next((a.alert_id for a in self._index.of_target(target_id) if a.open), None)

    def restore(self, views: Iterable[AlertView]) -> None:
        """Know stored alerts again; later ones of an id win."""
        for view in views:
            alert = from_view(view, self._site)
            self._index.put(alert)
            self._index.note_restored(alert)

    # --- findings ---------------------------------------------------------------------------------
    def take(
        self, finding: Finding, reason: Reason, *, twins: Iterable[str], now_utc: datetime
    ) -> tuple[Finding, Decision]:
        """Raise, join, upgrade, or let a repeat be.

        Args:
            finding: What a rule says.
            reason: Its sentence and figures.
            twins: Targets of other sensors at the same place: most likely the same object.
            now_utc: Station's time.

        Returns:
            The finding with the alert that tells it (empty for none), and what changed.
        """
        repeated = self._index.repeated(finding)
        if repeated is not None:
            return replace(finding, alert_id=repeated.alert_id), self._retell(
                repeated, finding, reason, now_utc
            )
        self._counters.findings += 1
        home = self._index.home(finding, twins)
        if home is None:
            if finding.late and finding.level != "warning":
                # Nobody can act on it any more, and no story waits for it.
                return finding, Decision()
            return self._raise(finding, reason, now_utc)
        self._counters.findings_joined += 1
        if not home.open:
            self._counters.findings_after_close += 1
            return replace(finding, alert_id=home.alert_id), Decision()
        return self._join(home, finding, reason, now_utc)

    def _raise(
        self, finding: Finding, reason: Reason, now_utc: datetime
    ) -> tuple[Finding, Decision]:
        age_s = (now_utc - finding.t_event_utc).total_seconds()
        t_s = finding.t_event_utc.timestamp()
        silent = finding.late and age_s > self._settings.late_ring_within_s
        blank = Alert(
            alert_id=self._ids.new(),
            revision=0,
            level=finding.level,
            state="raised",
            rule=finding.rule,
            direction=finding.direction,
            object_class=finding.object_class,
            t_event_utc=finding.t_event_utc,
            t_raised_utc=now_utc,
            t_first_s=t_s,
            t_last_s=t_s,
            east_m=finding.east_m,
            north_m=finding.north_m,
            lon_deg=finding.lon_deg,
            lat_deg=finding.lat_deg,
            cov_enu_m2=finding.cov_enu_m2,
            probability=finding.probability,
            late=finding.late,
            silent=silent,
            simulated=finding.simulated,
        )
        alert = self._told(blank, finding, reason, primary=True)
        self._counters.alerts_raised += 1
        rings = not silent and finding.level != "information"
        return replace(finding, alert_id=alert.alert_id), self._done(
            alert, "raised", SYSTEM, now_utc, f"{finding.rule} {finding.direction}", rings=rings
        )

    def _join(
        self, alert: Alert, finding: Finding, reason: Reason, now_utc: datetime
    ) -> tuple[Finding, Decision]:
        rank = (LEVEL_RANK[finding.level], RULE_RANK[finding.rule])
        higher = LEVEL_RANK[finding.level] > LEVEL_RANK[alert.level]
        told = self._told(alert, finding, reason, primary=rank > alert.rank)
        act: ActName = "completed_late" if finding.late else "upgraded" if higher else "joined"
        # Somebody moves now where the alert knew only of the past: nobody may have heard of it.
        live = alert.late and not finding.late and finding.level != "information"
        if live:
            told = replace(told, late=False, silent=False)
        rings = live or (higher and not finding.late)
        if rings:
            told = replace(told, escalations=0, t_told_utc=now_utc)
        if rings and alert.state == "acknowledged":
            # Who acknowledged an approach has not yet been told of the crossing.
            told = replace(told, state="raised", acknowledged_by=None)
        detail = f"{finding.rule} {finding.direction}, {told.count} in all"
        done = self._done(told, act, SYSTEM, now_utc, detail, rings=rings)
        return replace(finding, alert_id=alert.alert_id), done.join(
            self._lower_superseded(told, finding, now_utc)
        )

    def _retell(
        self, alert: Alert, finding: Finding, reason: Reason, now_utc: datetime
    ) -> Decision:
        """A verdict reached again, by an observation put in late, may know its instant better."""
        old, new = told_names(alert, finding)[0], finding_name(finding)
        if old == new or finding.rule != "crossing" or not alert.open:
            return Decision()
        if old != alert.finding_ids[0]:
            return Decision()  # Another member's crossing gives the alert its instant.
        names = tuple(new if name == old else name for name in alert.finding_ids)
        told = replace(
            self._placed(alert, finding),
            finding_ids=names,
            reasons=(reason, *alert.reasons[1:]),
        )
        return self._done(told, "updated", SYSTEM, now_utc, "event time and place")

    def _told(self, alert: Alert, finding: Finding, reason: Reason, *, primary: bool) -> Alert:
        t_s = finding.t_event_utc.timestamp()
        most = self._settings.max_reasons
        reasons = (reason, *alert.reasons) if primary else (*alert.reasons, reason)
        told = replace(
            alert,
            t_first_s=min(alert.t_first_s, t_s),
            t_last_s=max(alert.t_last_s, t_s),
            members=with_member(alert, finding),
            sensors=tuple(dict.fromkeys((*alert.sensors, *finding.sensors)))[-most:],
            reasons=reasons[:most],
            finding_ids=(finding_name(finding), *alert.finding_ids)
            if primary
            else (*alert.finding_ids, finding_name(finding)),
            direction=finding.direction if alert.direction == "none" else alert.direction,
        )
        self._index.note(alert, finding)
        return self._placed(told, finding) if primary else told

    @staticmethod
    def _placed(alert: Alert, finding: Finding) -> Alert:
        """The alert told by this finding: it gives rule, level, place, instant and class."""
        return replace(
            alert,
            level=finding.level,
            rule=finding.rule,
            direction=finding.direction if finding.direction != "none" else alert.direction,
            object_class=finding.object_class,
            t_event_utc=finding.t_event_utc,
            east_m=finding.east_m,
            north_m=finding.north_m,
            lon_deg=finding.lon_deg,
            lat_deg=finding.lat_deg,
            cov_enu_m2=finding.cov_enu_m2,
            probability=finding.probability,
            lead_s=finding.numbers.get("time_to_line_s"),
            zone_vi=finding.zone_vi,
            zone_en=finding.zone_en,
            lowered_vi=finding.lowered_because_vi,
            lowered_en=finding.lowered_because_en,
        )

    def _lower_superseded(self, home: Alert, finding: Finding, now_utc: datetime) -> Decision:
        """The caution that this target had of its own is told by `home` from now on."""
        done = Decision()
        for alert in self._index.of_target(finding.target_id):
            if (
                alert.alert_id == home.alert_id
                or not alert.open
                or alert.level != "caution"
                or alert.conflicts(finding.direction)
                or {m.target_id for m in alert.members} != {finding.target_id}
            ):
                continue
            vietnamese, english = joined_lowers()
            lower = replace(alert, level="information", lowered_vi=vietnamese, lowered_en=english)
            done = done.join(self._done(lower, "updated", SYSTEM, now_utc, home.alert_id))
        return done

    # --- what people do ---------------------------------------------------------------------------
    def acknowledge(self, alert_id: str, by: str, now_utc: datetime, note: str) -> Decision:
        """Somebody has seen it."""
        alert = self._known(alert_id)
        if alert.state == "acknowledged" and alert.acknowledged_by == by:
            return Decision()
        self._must_be(alert, "acknowledge", "raised")
        done = replace(alert, state="acknowledged", acknowledged_by=by, note=note or alert.note)
        return self._done(done, "acknowledged", by, now_utc, note)

    def assign(self, alert_id: str, team: str, by: str, now_utc: datetime, note: str) -> Decision:
        """Somebody goes."""
        alert = self._known(alert_id)
        if alert.state == "assigned" and alert.assigned_to == team:
            return Decision()
        self._must_be(alert, "assign", "raised", "acknowledged", "assigned")
        done = replace(
            alert,
            state="assigned",
            assigned_to=team,
            acknowledged_by=alert.acknowledged_by or by,
            note=note or alert.note,
        )
        return self._done(done, "assigned", by, now_utc, f"{team}: {note}" if note else team)

    def close(
        self, alert_id: str, outcome: Outcome, by: str, now_utc: datetime, note: str
    ) -> Decision:
        """It turned out to be something; closing acknowledges what nobody had acknowledged."""
        alert = self._known(alert_id)
        if alert.state == "closed" and (alert.outcome, alert.closed_by) == (outcome, by):
            return Decision()
        self._must_be(alert, "close", "raised", "acknowledged", "assigned")
        done = replace(
            alert,
            state="closed",
            outcome=outcome,
            closed_by=by,
            acknowledged_by=alert.acknowledged_by or by,
            note=note or alert.note,
            t_closed_s=now_utc.timestamp(),
        )
        return self._done(done, "closed", by, now_utc, f"{outcome}: {note}" if note else outcome)

    def reopen(self, alert_id: str, by: str, now_utc: datetime, note: str) -> Decision:
        """It was not over, or was closed by mistake."""
        alert = self._known(alert_id)
        self._must_be(alert, "reopen", "closed")
        done = replace(
            alert,
            state="raised",
            outcome=None,
            closed_by=None,
            acknowledged_by=None,
            assigned_to=None,
            note=note,
            t_closed_s=None,
            escalations=0,
            t_told_utc=now_utc,
        )
        return self._done(done, "reopened", by, now_utc, note)

    def media(self, target_id: str, media_ids: Iterable[str]) -> Decision:
        """Pictures of a target belong to its newest alert; the newest picture stands last."""
        alert = next(iter(self._index.of_target(target_id)), None)
        if alert is None:
            return Decision()
        new = [one for one in media_ids if one not in alert.media_ids]
        if not new:
            return Decision()
        kept = (*alert.media_ids, *new)[-MAX_MEDIA:]
        self._index.put(done := replace(alert, revision=alert.revision + 1, media_ids=kept))
        return Decision(alerts=(self._view(done),))

    def same(self, gone_id: str, target_id: str, now_utc: datetime) -> Decision:
        """A target turned out to be another one: from now on it counts once."""
        done = Decision()
        for alert in self._index.renamed(gone_id):
            told = replace(alert, members=renamed_members(alert.members, gone_id, target_id))
            done = done.join(self._done(told, "updated", SYSTEM, now_utc, target_id))
        return done

    # --- time -------------------------------------------------------------------------------------
    def tick(self, now_utc: datetime) -> Decision:
        """Unacknowledged warnings ring again; what was closed long ago leaves memory."""
        done = Decision()
        now_s = now_utc.timestamp()
        ages = self._settings.escalate_after_s
        for alert in self._index:
            if (
                alert.state == "raised"
                and alert.level == "warning"
                and not alert.silent
                and alert.escalations < len(ages)
                and (now_utc - (alert.t_told_utc or alert.t_raised_utc)).total_seconds()
                >= ages[alert.escalations]
            ):
                louder = replace(alert, escalations=alert.escalations + 1)
                done = done.join(
                    self._done(louder, "escalated", SYSTEM, now_utc, "not acknowledged", rings=True)
                )
            elif (
                alert.t_closed_s is not None
                and now_s - alert.t_closed_s > self._settings.keep_closed_s
            ):
                self._index.forget(alert.alert_id)
        self._counters.alerts_evicted += self._index.evict()
        return done

    # --- shared -----------------------------------------------------------------------------------
    def _known(self, alert_id: str) -> Alert:
        alert = self._index.get(alert_id)
        if alert is None:
            raise AskOperator(
                field="alert_id",
                value=alert_id,
                allowed="an alert that is open or was closed lately",
                next_step="reload the list of alerts",
            )
        return alert

    @staticmethod
    def _must_be(alert: Alert, act: str, *states: str) -> None:
        if alert.state not in states:
            raise AskOperator(
                field="state",
                value=alert.state,
                allowed=f"{', '.join(states)} (to {act})",
                next_step="reopen the alert first"
                if alert.state == "closed"
                else "reload the alert",
            )

    def _done(
        self,
        alert: Alert,
        act: ActName,
        by: str,
        now_utc: datetime,
        detail: str,
        *,
        rings: bool = False,
    ) -> Decision:
        done = alert.acted(act, by, now_utc, detail)
        self._index.put(done)
        row = Act(
            alert_id=done.alert_id,
            revision=done.revision,
            t_utc=now_utc,
            act=act,
            by=by,
            detail=detail,
        )
        return Decision(
            alerts=(self._view(done),), acts=(row,), rings=(done.alert_id,) if rings else ()
        )

    def _view(self, alert: Alert) -> AlertView:
        return alert_view(alert, self._site, self._time_zone)
