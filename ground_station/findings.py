"""From a rule's verdict to a finding: its place, sentence, rank and what lowers it."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timezone

from ground_station.decision import Counters, Finding
from ground_station.judge import Judge
from ground_station.judge_memory import Verdict
from ground_station.kalman import State
from ground_station.rebirth import Target
from ground_station.rules import JudgeSettings
from ground_station.sentences import gate_lowers, patrol_lowers, reason_sentences
from ground_station.views import Level
from ground_station.zones import Site

MAX_FRIENDS = 256
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


class FindingMaker:
    """Makes findings of one site, and knows where our own patrols are.

    Args:
        site: Plane, markers, zones.
        settings: How near a patrol must be.
        judge: Knows the gates.
        counters: Where patrols let go are counted.
    """

    def __init__(
        self, site: Site, settings: JudgeSettings, judge: Judge, counters: Counters
    ) -> None:
        self._site = site
        self._settings = settings
        self._judge = judge
        self._counters = counters
        self._friends: OrderedDict[str, _Friend] = OrderedDict()

    def __len__(self) -> int:
        return len(self._friends)

    def friend(
        self,
        friend_id: str,
        name: str,
        *,
        enu_m: tuple[float, float],
        sigma_m: float,
        t_utc: datetime,
    ) -> None:
        """Note where a patrol is; the longest unheard leaves when there are too many."""
        east, north = enu_m
        self._friends[friend_id] = _Friend(
            name=name or friend_id, east_m=east, north_m=north, sigma_m=sigma_m,
            t_s=t_utc.timestamp(),
        )  # fmt: skip
        self._friends.move_to_end(friend_id)
        while len(self._friends) > MAX_FRIENDS:
            self._friends.popitem(last=False)
            self._counters.friends_evicted += 1

    def forget(self, now_s: float) -> None:
        """Drop patrols whose word is too old."""
        limit_s = self._settings.friend_within_s
        for name in [n for n, friend in self._friends.items() if now_s - friend.t_s > limit_s]:
            del self._friends[name]

    def finding(self, target: Target, state: State, verdict: Verdict, now_utc: datetime) -> Finding:
        """The verdict with everything that a person needs to judge it.

        Args:
            target: Whom it is about.
            state: The belief that decided it.
            verdict: The rule's word.
            now_utc: Station's time.
        """
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
            sensors=target.now_seeing or (state.sensor_id,),
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
            time_by_arrival=target.by_arrival,
        )

    def _lowered(self, verdict: Verdict, event_utc: datetime) -> tuple[Level, str, str]:
        """Gates in their hours and our own patrols lower the rank and say so; they hide nothing."""
        gate = self._judge.gate_at(verdict.enu_m)
        if gate is not None and gate.active(event_utc):
            return "information", *gate_lowers(gate.name_vi, gate.name_en)
        east, north = verdict.enu_m
        sigma_m = math.sqrt(max(float(verdict.cov_m2[0, 0]), float(verdict.cov_m2[1, 1])))
        settings = self._settings
        for friend in self._friends.values():
            gap = math.hypot(friend.east_m - east, friend.north_m - north)
            near = settings.friend_within_m + 2.0 * math.hypot(friend.sigma_m, sigma_m)
            if gap <= near and abs(friend.t_s - verdict.t_decided_s) <= settings.friend_within_s:
                return _LOWER[verdict.level], *patrol_lowers(friend.name, gap)
        return verdict.level, "", ""


def _instant(t_s: float) -> datetime:
    return datetime.fromtimestamp(t_s, tz=timezone.utc)
