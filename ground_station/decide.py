"""The decision core as one thing: observations in, targets and alerts out.

Pure: no storage, no threads, no clock. The station calls it from one thread and writes each
`Decision` in one transaction.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from ground_station.alert import AlertBook
from ground_station.alert_record import LEVEL_RANK
from ground_station.decision import Counters, Decision, Ids, Link, Observed
from ground_station.findings import FindingMaker
from ground_station.fuse import Fuser
from ground_station.judge import Judge
from ground_station.judge_memory import ByLine, Verdict, by_lines, joined
from ground_station.kalman import State
from ground_station.rebirth import Target
from ground_station.rules import DecideSettings
from ground_station.target_view import target_view
from ground_station.targets import Changes
from ground_station.views import AlertView, Outcome, Reason, TargetView
from ground_station.zones import DEFAULT_TIME_ZONE, Site

MAX_BATCH = 256
"""More at once (a restart) is taken in pieces: beliefs times segments must fit in memory."""
TWIN_WITHIN_M = 5.0
TWIN_SIGMAS = 3.0
"""Two sensors' targets this near to each other are most likely the same object."""


class Decider:
    """Fusion, rules and alerts of one site.

    Args:
        site: Line, markers, zones.
        settings: Of all three.
        ids: Gives new alert ids.
        time_zone: Of the clock time in sentences.
    """

    def __init__(
        self,
        site: Site,
        settings: DecideSettings,
        ids: Ids,
        *,
        time_zone: str = DEFAULT_TIME_ZONE,
    ) -> None:
        self.site = site
        self._settings = settings
        self.counters = Counters()
        self._fuser = Fuser(
            site,
            settings.fuse,
            self.counters,
            settings.judge.appeared,
        )
        self._judge = Judge(site, settings.judge)
        self._book = AlertBook(site, settings.alert, ids, self.counters, time_zone=time_zone)
        self._makes = FindingMaker(site, settings.judge, self._judge, self.counters)

    # --- what comes in ----------------------------------------------------------------------------
    def observe(self, batch: Sequence[Observed], now_utc: datetime) -> Decision:
        """Take committed observations in, in the order of their arrival."""
        done = Decision()
        for start in range(0, len(batch), MAX_BATCH):
            done = done.join(self._observe(batch[start : start + MAX_BATCH], now_utc))
        return done

    def _observe(self, batch: Sequence[Observed], now_utc: datetime) -> Decision:
        now_s = now_utc.timestamp()
        self.counters.observations += len(batch)
        changes = self._fuser.observe(batch, now_s)
        decided = self._judged(changes, now_utc)
        removed = changes.gone
        for gone_id in removed:
            now_id = self._fuser.targets.target_of(gone_id)
            if now_id is not None and now_id != gone_id:
                decided.append(self._book.same(gone_id, now_id, now_utc))
        for target_id in self._fuser.targets.evicted():
            if changes.targets.pop(target_id, None) is None:
                removed.append(target_id)
        links = [
            Link(track_id=track_id, target_id=target_id, t_utc=_instant(t_s))
            for track_id, (target_id, t_s) in changes.links.items()
        ]
        views = self._show(changes.targets.values(), now_s)
        head = Decision(targets=tuple(views), removed_targets=tuple(removed), links=tuple(links))
        return _joined([head, *decided])

    def tick(self, now_utc: datetime) -> Decision:
        """Let time pass: coasting, dying, forgetting, escalation."""
        now_s = now_utc.timestamp()
        fuse = self._settings.fuse
        lost: list[tuple[Target, State]] = []
        removed: list[str] = []
        for target in self._fuser.targets:
            state = target.state
            if not target.shown or state is None:
                continue
            silent_s = now_s - state.t_s
            if silent_s > fuse.die_after_s:
                target.shown = False
                removed.append(target.target_id)
            elif silent_s > fuse.coast_after_s and not target.coasting:
                target.coasting = True
                lost.append((target, state))
        # Its clock ran ahead: it was silent, and never became old.
        removed += [one.target_id for one in self._fuser.targets.forget(now_s) if one.shown]
        self._makes.forget(now_s)
        head = Decision(targets=tuple(self._views(lost)), removed_targets=tuple(removed))
        return head.join(self._book.tick(now_utc))

    def friend(
        self,
        friend_id: str,
        name: str,
        *,
        lon_deg: float,
        lat_deg: float,
        sigma_m: float,
        t_utc: datetime,
    ) -> None:
        """Note where one of our own patrols is: alerts beside it rank lower and say so."""
        self._makes.friend(
            friend_id, name, enu_m=self.site.enu(lon_deg, lat_deg), sigma_m=sigma_m, t_utc=t_utc
        )

    def media(self, track_id: str, media_id: str, now_utc: datetime) -> Decision:
        """A picture of a track joins its target's alert; one that comes first waits for the alert."""
        del now_utc  # The picture changes nothing that has an instant.
        target_id = self._fuser.targets.target_of(track_id) or track_id
        target = self._fuser.targets.get(target_id)
        if target is not None and media_id not in target.pictures:
            target.pictures.append(media_id)
        return self._book.media(target_id, [media_id])

    # --- what people do ---------------------------------------------------------------------------
    def acknowledge(self, alert_id: str, by: str, now_utc: datetime, note: str = "") -> Decision:
        """Somebody has seen it.

        Raises:
            AskOperator: No such alert, or it is not waiting for that.
        """
        return self._book.acknowledge(alert_id, by, now_utc, note)

    def assign(
        self, alert_id: str, team: str, by: str, now_utc: datetime, note: str = ""
    ) -> Decision:
        """Somebody goes.

        Raises:
            AskOperator: No such alert, or it is closed.
        """
        return self._book.assign(alert_id, team, by, now_utc, note)

    def close(
        self, alert_id: str, outcome: Outcome, by: str, now_utc: datetime, note: str = ""
    ) -> Decision:
        """It turned out to be something; it counts as acknowledged too.

        Raises:
            AskOperator: No such alert, or it is closed with another outcome.
        """
        return self._book.close(alert_id, outcome, by, now_utc, note)

    def reopen(self, alert_id: str, by: str, now_utc: datetime, note: str) -> Decision:
        """It was not over; also the undo of a hasty close.

        Raises:
            AskOperator: No such alert, or it is not closed.
        """
        return self._book.reopen(alert_id, by, now_utc, note)

    # --- what is known ----------------------------------------------------------------------------
    def targets(self, now_utc: datetime) -> list[TargetView]:
        """All targets that are shown now."""
        now_s = now_utc.timestamp()
        return self._views(
            [
                (target, target.state)
                for target in self._fuser.targets
                if target.shown
                and target.state is not None
                and now_s - target.state.t_s <= self._settings.fuse.die_after_s
            ]
        )

    def alerts(self) -> list[AlertView]:
        """All alerts in memory, oldest first."""
        return self._book.views()

    def alert(self, alert_id: str) -> AlertView | None:
        """One alert, if it is in memory."""
        return self._book.view(alert_id)

    def sizes(self) -> dict[str, int]:
        """How much is kept, for /metrics."""
        return {
            "targets": len(self._fuser.targets),
            "alerts": len(self._book),
            "journal": self._fuser.journal_size,
            "friends": len(self._makes),
        }

    def restore(
        self,
        alerts: Iterable[AlertView],
        links: Mapping[str, str],
        observations: Sequence[Observed],
        now_utc: datetime,
    ) -> Decision:
        """Go on after a restart as if there had been none.

        Args:
            alerts: Open ones, and those closed lately, as stored.
            links: Target by track, oldest first.
            observations: Of the last minutes, in the order in which they were committed.
            now_utc: Station's time.

        Returns:
            What the interruption had cut off: findings of stored observations whose alert was not.
        """
        self._book.restore(alerts)
        self._fuser.targets.adopt_links(links.items())
        return self.observe(observations, now_utc)

    # --- inside -----------------------------------------------------------------------------------
    def _judged(self, changes: Changes, now_utc: datetime) -> list[Decision]:
        """Let the rules see new beliefs, in the order of the world."""
        # All beliefs of the batch meet the line at once; one by one it is the dearest step.
        fresh = [step.state for _, step in changes.steps if step.fresh and step.state is not None]
        lines = iter(by_lines(self.site, fresh))
        decided = []
        for target, step in changes.steps:
            before = None if step.prev is None else step.prev.memory
            if step.other is not None:
                before = joined(before, step.other.memory)
            step.memory = before
            if not step.fresh or step.state is None:
                continue
            step.memory, verdicts = self._judge.judge(before, step.state, next(lines), target.birth)
            decided += [self._told(target, step.state, verdict, now_utc) for verdict in verdicts]
        return decided

    def _told(self, target: Target, state: State, verdict: Verdict, now_utc: datetime) -> Decision:
        finding = self._makes.finding(target, state, verdict, now_utc)
        reason = Reason(
            rule=finding.rule,
            sentence_vi=finding.sentence_vi,
            sentence_en=finding.sentence_en,
            numbers=finding.numbers,
            sensors=list(finding.sensors),
            time_by_arrival=finding.time_by_arrival,
        )
        finding, decision = self._book.take(
            finding, reason, twins=self._twins(target, state), now_utc=now_utc
        )
        if decision.alerts and target.pictures:
            decision = decision.join(self._book.media(target.target_id, target.pictures))
        return Decision(findings=(finding,)).join(decision)

    def _twins(self, target: Target, state: State) -> list[str]:
        """Targets of other sensors at the same place at that instant."""
        east, north = float(state.mean[0]), float(state.mean[1])
        cov = state.position_cov_m2
        sigma_m = math.sqrt(max(cov[0, 0], cov[1, 1]))
        reach_m = max(TWIN_WITHIN_M, TWIN_SIGMAS * math.sqrt(2.0) * sigma_m)
        near = self._fuser.targets.near(east, north, state.t_s, reach_m, except_id=target.target_id)
        others = [
            other.target_id for other in near if set(other.now_seeing).isdisjoint(target.now_seeing)
        ]
        # What became part of it may have been told already.
        return [*target.tracks, *others]

    def _show(self, targets: Iterable[Target], now_s: float) -> list[TargetView]:
        shown = []
        for target in targets:
            state = target.state
            if state is None or now_s - state.t_s > self._settings.fuse.die_after_s:
                continue
            target.shown = True
            target.coasting = False
            shown.append((target, state))
        return self._views(shown)

    def _views(self, shown: Sequence[tuple[Target, State]]) -> list[TargetView]:
        places = self.site.lon_lats([state.mean[:2] for _, state in shown])
        return [
            target_view(
                target,
                state,
                lon_lat_deg=place,
                line=self._line(target, state),
                alert_id=self._book.alert_of(target.target_id),
            )
            for (target, state), place in zip(shown, places, strict=True)
        ]

    def _line(self, target: Target, state: State) -> ByLine:
        """The belief by the line, as the judge saw it already."""
        known = target.head.memory
        if known is not None and known.line is not None and known.t_s == state.t_s:
            return known.line
        return by_lines(self.site, [state])[0]


def _instant(t_s: float) -> datetime:
    return datetime.fromtimestamp(t_s, tz=timezone.utc)


def _joined(parts: Sequence[Decision]) -> Decision:
    done = parts[0]
    for part in parts[1:]:
        done = done.join(part)
    if not done.alerts:
        return done
    # A target whose alert was raised by this very call is shown with it.
    of_target = {
        target: alert.alert_id
        for alert in sorted(done.alerts, key=lambda a: LEVEL_RANK[a.level])
        if alert.state != "closed"
        for target in alert.target_ids
    }
    return replace(
        done,
        targets=tuple(
            view.model_copy(update={"alert_id": of_target[view.target_id]})
            if view.target_id in of_target
            else view
            for view in done.targets
        ),
    )
