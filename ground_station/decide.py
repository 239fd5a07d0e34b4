"""The decision core as one thing: observations in, targets and alerts out.

Pure: no storage, no threads, no clock. The station calls it from one thread and writes each
`Decision` in one transaction.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from ground_station.alert import AlertBook
from ground_station.alert_record import LEVEL_RANK
from ground_station.decision import Counters, Decision, Finding, Ids, Link, Observed
from ground_station.fuse import Fuser, Target, Update
from ground_station.judge import Judge
from ground_station.judge_memory import Memory, Verdict
from ground_station.kalman import State
from ground_station.rules import DecideSettings
from ground_station.sentences import gate_lowers, patrol_lowers, reason_sentences
from ground_station.target_view import target_view
from ground_station.views import AlertView, Level, Outcome, Reason, TargetView
from ground_station.zones import DEFAULT_TIME_ZONE, Site

MAX_FRIENDS = 256
TWIN_WITHIN_M = 5.0
TWIN_SIGMAS = 3.0
"""Two sensors' targets this near to each other are most likely the same object."""
_LOWER: dict[Level, Level] = {
    "warning": "caution", "caution": "information", "information": "information",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Friend:
    name: str
    east_m: float
    north_m: float
    sigma_m: float
    t_s: float


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
        self._site = site
        self._settings = settings
        self.counters = Counters()
        self._fuser = Fuser(
            site,
            settings.fuse,
            self.counters,
            edge_fraction=settings.judge.appeared.edge_fraction,
            near_other_m=settings.judge.appeared.near_other_m,
        )
        self._judge = Judge(site, settings.judge)
        self._book = AlertBook(site, settings.alert, ids, self.counters, time_zone=time_zone)
        self._memories: dict[str, deque[Memory]] = {}
        self._friends: OrderedDict[str, _Friend] = OrderedDict()

    # --- what comes in ----------------------------------------------------------------------------
    def observe(self, batch: Sequence[Observed], now_utc: datetime) -> Decision:
        """Take committed observations in, in the order of their arrival."""
        changed: dict[str, Target] = {}
        decided: list[Decision] = []
        links: list[Link] = []
        removed: list[str] = []
        now_s = now_utc.timestamp()
        for observed, measurement in zip(batch, self._fuser.measurements(batch), strict=True):
            self.counters.observations += 1
            update = self._fuser.observe(observed, measurement, now_s)
            if update is None:
                continue
            target = update.target
            changed[target.target_id] = target
            if update.linked:
                links += self._links(update, observed.t_event_utc)
            if update.merged is not None:
                self._memories.pop(update.merged, None)
                changed.pop(update.merged, None)
                removed.append(update.merged)
            decided += self._judged(target, update.states, now_utc)
        for target_id in self._fuser.evicted():
            self._memories.pop(target_id, None)
            if changed.pop(target_id, None) is None:
                removed.append(target_id)
        views = self._show(changed.values(), now_s)
        head = Decision(targets=tuple(views), removed_targets=tuple(removed), links=tuple(links))
        return _joined([head, *decided])

    def tick(self, now_utc: datetime) -> Decision:
        """Let time pass: coasting, dying, forgetting, escalation."""
        now_s = now_utc.timestamp()
        fuse = self._settings.fuse
        views: list[TargetView] = []
        removed: list[str] = []
        for target in self._fuser:
            state = target.state
            if not target.shown or state is None:
                continue
            silent_s = now_s - state.t_s
            if silent_s > fuse.die_after_s:
                target.shown = False
                removed.append(target.target_id)
            elif silent_s > fuse.coast_after_s and not target.coasting:
                target.coasting = True
                views.append(self._view(target, state))
        for target_id in self._fuser.forget(now_s):
            self._memories.pop(target_id, None)
        for name in [
            name
            for name, friend in self._friends.items()
            if now_s - friend.t_s > self._settings.judge.friend_within_s
        ]:
            del self._friends[name]
        head = Decision(targets=tuple(views), removed_targets=tuple(removed))
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
        east, north = self._site.enu(lon_deg, lat_deg)
        self._friends[friend_id] = _Friend(
            name=name or friend_id, east_m=east, north_m=north, sigma_m=sigma_m,
            t_s=t_utc.timestamp(),
        )  # fmt: skip
        self._friends.move_to_end(friend_id)
        while len(self._friends) > MAX_FRIENDS:
            self._friends.popitem(last=False)
            self.counters.friends_evicted += 1

    def media(self, track_id: str, media_id: str, now_utc: datetime) -> Decision:
        """A picture of a track joins its target's alert, if there is one."""
        del now_utc  # The picture changes nothing that has an instant.
        target_id = self._fuser.target_of(track_id) or track_id
        return self._book.media(target_id, media_id)

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
        return [
            self._view(target, target.state)
            for target in self._fuser
            if target.shown
            and target.state is not None
            and now_s - target.state.t_s <= self._settings.fuse.die_after_s
        ]

    def alerts(self) -> list[AlertView]:
        """All alerts in memory, oldest first."""
        return self._book.views()

    def alert(self, alert_id: str) -> AlertView | None:
        """One alert, if it is in memory."""
        return self._book.view(alert_id)

    def sizes(self) -> dict[str, int]:
        """How much is kept, for /metrics."""
        return {
            "targets": len(self._fuser),
            "alerts": len(self._book),
            "memories": sum(len(row) for row in self._memories.values()),
            "friends": len(self._friends),
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
        self._fuser.adopt_links(links.items())
        return self.observe(observations, now_utc)

    # --- inside -----------------------------------------------------------------------------------
    def _links(self, update: Update, t_utc: datetime) -> list[Link]:
        target = update.target
        tracks = target.tracks if update.merged is not None else target.tracks[-1:]
        return [Link(track_id=track, target_id=target.target_id, t_utc=t_utc) for track in tracks]

    def _judged(self, target: Target, states: Sequence[State], now_utc: datetime) -> list[Decision]:
        """Let the rules see new beliefs, stepping back first where an observation was put in late."""
        if not states:
            return []
        memories = self._memories.setdefault(
            target.target_id, deque(maxlen=self._settings.fuse.max_history)
        )
        while memories and memories[-1].t_s >= states[0].t_s:
            memories.pop()
        decided = []
        for state in states:
            before = memories[-1] if memories else None
            memory, verdicts = self._judge.judge(before, state, target.birth)
            memories.append(memory)
            decided += [self._told(target, state, verdict, now_utc) for verdict in verdicts]
        keep_from_s = states[-1].t_s - self._settings.fuse.reorder_window_s
        while len(memories) > 1 and memories[1].t_s < keep_from_s:
            memories.popleft()
        return decided

    def _told(self, target: Target, state: State, verdict: Verdict, now_utc: datetime) -> Decision:
        finding = self._finding(target, state, verdict, now_utc)
        reason = Reason(
            rule=finding.rule,
            sentence_vi=finding.sentence_vi,
            sentence_en=finding.sentence_en,
            numbers=finding.numbers,
            sensors=list(finding.sensors),
        )
        finding, decision = self._book.take(
            finding, reason, twins=self._twins(target, state), now_utc=now_utc
        )
        return Decision(findings=(finding,)).join(decision)

    def _finding(
        self, target: Target, state: State, verdict: Verdict, now_utc: datetime
    ) -> Finding:
        zone = verdict.zone
        zone_vi, zone_en = ("", "") if zone is None else (zone.name_vi, zone.name_en)
        vietnamese, english = reason_sentences(
            verdict.rule, verdict.direction, verdict.numbers, zone_vi=zone_vi, zone_en=zone_en
        )
        event_utc = _instant(verdict.t_event_s)
        level, lowered_vi, lowered_en = self._lowered(verdict, event_utc)
        east, north = verdict.enu_m
        lon, lat = self._site.lon_lat(east, north)
        (ee, en), (_, nn) = verdict.cov_m2.tolist()
        zone_id = "" if zone is None else zone.zone_id
        what = zone_id or verdict.direction
        return Finding(
            finding_id=f"{target.target_id}:{verdict.rule}:{what}:{verdict.ordinal}",
            target_id=target.target_id,
            track_id=state.track_id,
            rule=verdict.rule,
            direction=verdict.direction,
            level=level,
            t_event_utc=event_utc,
            t_decided_utc=_instant(verdict.t_decided_s),
            t_raised_utc=now_utc,
            east_m=east,
            north_m=north,
            lon_deg=lon,
            lat_deg=lat,
            cov_enu_m2=((ee, en), (en, nn)),
            probability=verdict.probability,
            object_class=state.object_class,
            count=state.count,
            sensors=target.sensors[-1:] or (state.sensor_id,),
            numbers=verdict.numbers,
            sentence_vi=vietnamese,
            sentence_en=english,
            late=target.late,
            simulated=target.simulated,
            lowered_because_vi=lowered_vi,
            lowered_because_en=lowered_en,
            zone_id=zone_id,
            zone_vi=zone_vi,
            zone_en=zone_en,
        )

    def _lowered(self, verdict: Verdict, event_utc: datetime) -> tuple[Level, str, str]:
        """Gates in their hours and our own patrols lower the rank and say so; they hide nothing."""
        gate = self._judge.gate_at(verdict.enu_m)
        if gate is not None and gate.active(event_utc):
            return "information", *gate_lowers(gate.name_vi, gate.name_en)
        east, north = verdict.enu_m
        sigma_m = math.sqrt(max(float(verdict.cov_m2[0, 0]), float(verdict.cov_m2[1, 1])))
        settings = self._settings.judge
        for friend in self._friends.values():
            gap = math.hypot(friend.east_m - east, friend.north_m - north)
            near = settings.friend_within_m + 2.0 * math.hypot(friend.sigma_m, sigma_m)
            if gap <= near and abs(friend.t_s - verdict.t_decided_s) <= settings.friend_within_s:
                return _LOWER[verdict.level], *patrol_lowers(friend.name, gap)
        return verdict.level, "", ""

    def _twins(self, target: Target, state: State) -> list[str]:
        """Targets of other sensors at the same place at that instant."""
        east, north = float(state.mean[0]), float(state.mean[1])
        cov = state.position_cov_m2
        sigma_m = math.sqrt(max(cov[0, 0], cov[1, 1]))
        reach_m = max(TWIN_WITHIN_M, TWIN_SIGMAS * math.sqrt(2.0) * sigma_m)
        near = self._fuser.near(east, north, state.t_s, reach_m, except_id=target.target_id)
        return [
            other.target_id
            for other in near
            if other.state is not None and other.state.sensor_id != state.sensor_id
        ]

    def _show(self, targets: Iterable[Target], now_s: float) -> list[TargetView]:
        views = []
        for target in targets:
            state = target.state
            if state is None or now_s - state.t_s > self._settings.fuse.die_after_s:
                continue
            target.shown = True
            target.coasting = False
            views.append(self._view(target, state))
        return views

    def _view(self, target: Target, state: State) -> TargetView:
        return target_view(
            self._site, target, state, alert_id=self._book.alert_of(target.target_id)
        )


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
