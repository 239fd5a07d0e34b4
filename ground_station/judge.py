"""The rules: from a target's beliefs, in the order of time, to verdicts with their reasons.

Each rule works in metres and probability. What a target has done so far is a frozen value that goes
from belief to belief, so a belief that is put in late only makes the judge step back and go on again.
"""

import math
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import numpy as np

from ground_station.decision import Direction, Rule
from ground_station.judge_memory import (
    ByLine,
    Memory,
    SideMemory,
    Verdict,
    normal_below,
)
from ground_station.kalman import State
from ground_station.rebirth import Birth
from ground_station.rules import JudgeSettings, ZoneRuleSettings
from ground_station.views import Level
from ground_station.zones import Site, Zone

STRONG = 0.01
"""Beyond this doubt a side is settled at once; nearer to the limit it must last."""
SPARSE_S = 1.0
"""Beliefs farther apart than this come of a cut link, which keeps only the key words of a track."""
BUCKETS_PER_MEMORY = 2


def _instant(t_s: float) -> datetime:
    return datetime.fromtimestamp(t_s, tz=timezone.utc)


class Judge:
    """The rules of one site; keeps nothing itself.

    Args:
        site: Line and zones.
        settings: The rules' figures.
    """

    def __init__(self, site: Site, settings: JudgeSettings) -> None:
        self._site = site
        self._settings = settings
        self._boxes = [
            (zone, zone.polygon.vertices_enu_m.min(axis=0), zone.polygon.vertices_enu_m.max(axis=0))
            for zone in site.zones_of("restricted", "watch")
        ]
        self._homes = site.zones_of("ignore")
        self._gates = site.zones_of("gate")

    def judge(
        self, before: Memory | None, state: State, line: ByLine, birth: Birth
    ) -> tuple[Memory, list[Verdict]]:
        """One belief more: what is remembered now, and what the rules say to it.

        Args:
            before: What was remembered of this target; None at its birth.
            state: The belief; later than `before`.
            line: The belief as the line sees it.
            birth: How the target came into the picture.
        """
        memory = self._begin(before, state, line, birth)
        found: list[Verdict] = []
        at_home = self._in_any(self._homes, state)
        memory = self._crossing(memory, state, line, found)
        memory = self._zones(memory, state, found, at_home=at_home)
        if not at_home:
            memory = self._appeared(memory, state, line, found)
            memory = self._approaching(memory, state, line, found)
            memory = self._near_border(memory, state, line, found)
        return memory, found

    def gate_at(self, enu_m: tuple[float, float]) -> Zone | None:
        """The gate that holds a place, if any."""
        return next((z for z in self._gates if bool(z.polygon.contains([enu_m])[0])), None)

    @staticmethod
    def _in_any(zones: tuple[Zone, ...], state: State) -> bool:
        return any(bool(zone.polygon.contains(state.mean[None, :2])[0]) for zone in zones)

    def _begin(self, before: Memory | None, state: State, line: ByLine, birth: Birth) -> Memory:
        enu = (float(state.mean[0]), float(state.mean[1]))
        if before is None:
            return Memory(
                t_s=state.t_s,
                enu_m=enu,
                born_distance_m=line.distance_m,
                born_sigma_m=line.spread_m,
                born_explained=birth.at_picture_edge
                or birth.beside_other
                or self._in_any(self._homes + self._gates, state),
                jumps=state.jumps,
            )
        if before.jumps != state.jumps:
            # The position jumped: what was known of the side belongs to the old place.
            return Memory(t_s=state.t_s, enu_m=enu, counts=before.counts, jumps=state.jumps)
        return before

    # --- crossing ---------------------------------------------------------------------------------
    def _crossing(self, memory: Memory, state: State, line: ByLine, found: list[Verdict]) -> Memory:
        rule = self._settings.crossing
        if line.distance_m is None or line.probability is None:
            # Beyond the line's ends there is no side, and who goes round an end has not crossed.
            return replace(
                memory, t_s=state.t_s, side=0, leaning=0, distance_m=None, sides=SideMemory(),
                line=line, enu_m=(float(state.mean[0]), float(state.mean[1])),
            )  # fmt: skip
        sides = memory.sides.with_distance(
            state.t_s, line.distance_m, rule.memory_s / BUCKETS_PER_MEMORY
        )
        before_s, before_m = memory.t_s, memory.distance_m
        beyond = 1 if line.probability > rule.high else -1 if line.probability < rule.low else 0
        since = memory.leaning_since_s if beyond == memory.leaning else state.t_s
        memory = replace(
            memory,
            line=line,
            sides=sides,
            leaning=beyond,
            leaning_since_s=since,
            **self._passed(memory, state, line.distance_m),
        )
        doubt = min(line.probability, 1.0 - line.probability)
        # Of sparse words the one before must have been over the line already.
        sparse = (
            before_m is not None and state.t_s - before_s >= SPARSE_S and before_m * beyond > 0.0
        )
        settled = beyond != 0 and (doubt < STRONG or sparse or state.t_s - since >= rule.settle_s)
        if not settled or beyond == memory.side:
            return memory
        if memory.side == 0:
            return replace(memory, side=beyond)
        travel = abs(line.distance_m - sides.farthest_m(memory.side))
        if not max(rule.min_travel_m, rule.travel_sigmas * line.jitter_m) <= travel < math.inf:
            return memory
        direction: Direction = "in" if beyond > 0 else "out"
        passed_s = memory.passed_in_s if beyond > 0 else memory.passed_out_s
        passed_enu = memory.passed_in_enu_m if beyond > 0 else memory.passed_out_enu_m
        memory = replace(memory, side=beyond)
        if not rule.enabled or state.object_class not in rule.classes:
            return memory
        key = f"crossing:{direction}"
        memory = memory.counted(key)
        found.append(
            Verdict(
                rule="crossing",
                direction=direction,
                level="warning",
                t_event_s=state.t_s if passed_s is None else passed_s,
                t_decided_s=state.t_s,
                ordinal=memory.count(key),
                enu_m=memory.enu_m if passed_s is None else passed_enu,
                cov_m2=state.position_cov_m2,
                probability=1.0 - doubt,
                numbers={
                    "probability_other_side": round(1.0 - doubt, 4),
                    "distance_to_line_m": round(abs(line.distance_m), 2),
                    "way_across_m": round(travel, 2),
                    "line_sigma_m": round(line.line_sigma_m, 2),
                    "speed_m_s": round(state.speed_m_s, 2),
                },
            )
        )
        return memory

    @staticmethod
    def _passed(memory: Memory, state: State, distance_m: float) -> dict[str, Any]:
        """Changes of memory: where it is now, and when and where its mean went over the line."""
        enu = (float(state.mean[0]), float(state.mean[1]))
        before = memory.distance_m
        done = {"t_s": state.t_s, "distance_m": distance_m, "enu_m": enu}
        if before is None or (before < 0.0) == (distance_m < 0.0):
            return done
        part = before / (before - distance_m)
        t_s = memory.t_s + part * (state.t_s - memory.t_s)
        place = (
            memory.enu_m[0] + part * (enu[0] - memory.enu_m[0]),
            memory.enu_m[1] + part * (enu[1] - memory.enu_m[1]),
        )
        if distance_m >= 0.0:
            return {**done, "passed_in_s": t_s, "passed_in_enu_m": place}
        return {**done, "passed_out_s": t_s, "passed_out_enu_m": place}

    # --- before the line --------------------------------------------------------------------------
    def _approaching(
        self, memory: Memory, state: State, line: ByLine, found: list[Verdict]
    ) -> Memory:
        rule = self._settings.approaching
        distance = line.distance_m
        if (
            not rule.enabled
            or distance is None
            or state.object_class not in rule.classes
            or abs(distance) > rule.max_distance_m
        ):
            return memory.without_approach()
        inwards = distance < 0.0
        closing = line.inwards_m_s if inwards else -line.inwards_m_s
        horizon = rule.horizon_s
        spread = math.hypot(
            line.spread_m, horizon * math.hypot(line.inwards_sigma_m_s, rule.turn_sigma_m_s)
        )
        probability = normal_below((closing * horizon - abs(distance)) / spread)
        direction: Direction = "in" if inwards else "out"
        if closing < rule.min_speed_m_s or probability < rule.probability:
            return memory.without_approach()
        if memory.approach != direction:
            memory = replace(memory, approach=direction, approach_since_s=state.t_s)
        key = f"approaching:{direction}"
        crossed = memory.count(f"crossing:{direction}") > 0
        sustained = state.t_s - memory.approach_since_s >= rule.sustain_s
        if not sustained or crossed or memory.count(key):
            return memory
        found.append(
            self._verdict(
                "approaching", direction, "caution", state, probability,
                {
                    "probability_reach": round(probability, 4),
                    "within_s": horizon,
                    "time_to_line_s": round(abs(distance) / closing, 1),
                    "distance_to_line_m": round(abs(distance), 2),
                    "closing_speed_m_s": round(closing, 2),
                },
            )
        )  # fmt: skip
        return memory.counted(key)

    def _near_border(
        self, memory: Memory, state: State, line: ByLine, found: list[Verdict]
    ) -> Memory:
        rule, limits = self._settings.near_border, self._settings.crossing
        probability = line.probability
        if (
            not rule.enabled
            or probability is None
            or line.distance_m is None
            or state.object_class not in rule.classes
            or not limits.low < probability < limits.high
        ):
            return memory.without_doubt()
        if memory.doubt_since_s is None:
            memory = replace(memory, doubt_since_s=state.t_s)
        assert memory.doubt_since_s is not None
        stood_s = state.t_s - memory.doubt_since_s
        if stood_s < rule.after_s or memory.count("near_border:none"):
            return memory
        found.append(
            self._verdict(
                "near_border", "none", "caution", state, max(probability, 1 - probability),
                {
                    "probability_our_side": round(probability, 4),
                    "inside_doubt_s": round(stood_s, 1),
                    "doubt_sigma_m": round(line.spread_m, 2),
                    "distance_to_line_m": round(abs(line.distance_m), 2),
                },
            )
        )  # fmt: skip
        return memory.counted("near_border:none")

    def _appeared(self, memory: Memory, state: State, line: ByLine, found: list[Verdict]) -> Memory:
        rule = self._settings.appeared
        born, distance = memory.born_distance_m, line.distance_m
        if (
            not rule.enabled
            or memory.born_explained
            or born is None
            or distance is None
            or state.object_class not in rule.classes
            or memory.side < 0
            or abs(born) > rule.within_m
        ):
            return memory
        if born < 0.0 and normal_below(born / memory.born_sigma_m) < self._settings.crossing.low:
            return memory  # Born on their side: if it comes over, that is a crossing.
        inwards_m = distance - born
        needed = self._settings.crossing.travel_sigmas * line.jitter_m
        if line.inwards_m_s <= 0.0 or inwards_m < max(rule.caution_after_m, needed):
            return memory
        warned = inwards_m >= rule.warning_after_m
        key = "appeared:in"
        if memory.count(key) >= (2 if warned else 1):
            return memory
        if warned and memory.count(key) == 0:
            memory = memory.counted(key)
        memory = memory.counted(key)
        probability = 0.5 if line.probability is None else line.probability
        found.append(
            self._verdict(
                "appeared", "in", "warning" if warned else "caution", state, probability,
                {
                    "way_inwards_m": round(inwards_m, 2),
                    "born_distance_to_line_m": round(born, 2),
                    "distance_to_line_m": round(abs(distance), 2),
                    "speed_inwards_m_s": round(line.inwards_m_s, 2),
                },
                ordinal=2 if warned else 1,
            )
        )  # fmt: skip
        return memory

    # --- zones ------------------------------------------------------------------------------------
    def _zones(
        self, memory: Memory, state: State, found: list[Verdict], *, at_home: bool
    ) -> Memory:
        kept: list[tuple[str, float, bool]] = []
        cov = state.position_cov_m2
        reach = 4.0 * math.sqrt(max(cov[0, 0], cov[1, 1]))
        for zone, low, high in self._boxes:
            was = next((z for z in memory.zones if z[0] == zone.zone_id), None)
            point = state.mean[:2]
            if bool(np.any(point < low - reach) or np.any(point > high + reach)):
                continue
            restricted = zone.role == "restricted"
            rule = self._settings.in_restricted if restricted else self._settings.in_watch
            probability = float(zone.polygon.probability_inside(point[None, :], cov)[0])
            if probability < (rule.leave if was is not None else rule.enter):
                continue
            since = was[1] if was is not None else state.t_s
            inside = was is not None and was[2]
            ripe = (
                not inside
                and probability > rule.enter
                and self._ripe(since, state.t_s, probability, rule.settle_s)
            )
            if ripe and self._counts_here(rule, zone, state, at_home=at_home):
                inside = True
                name: Rule = "in_restricted" if restricted else "in_watch"
                key = f"{name}:{zone.zone_id}"
                if memory.count(key) == 0:
                    memory = memory.counted(key)
                    found.append(
                        self._verdict(
                            name, "none", "warning" if restricted else "information", state,
                            probability,
                            {"probability_inside": round(probability, 4)},
                            zone=zone,
                        )
                    )  # fmt: skip
            kept.append((zone.zone_id, since, inside))
        zones = tuple(kept)
        return memory if zones == memory.zones else replace(memory, zones=zones)

    @staticmethod
    def _ripe(since_s: float, now_s: float, probability: float, settle_s: float) -> bool:
        return probability > 1.0 - STRONG or now_s - since_s >= settle_s

    @staticmethod
    def _counts_here(rule: ZoneRuleSettings, zone: Zone, state: State, *, at_home: bool) -> bool:
        if not rule.enabled or state.object_class not in rule.classes:
            return False
        if at_home and zone.role == "watch":
            return False
        return not zone.schedule or zone.active(_instant(state.t_s))

    def _verdict(
        self,
        rule: Rule,
        direction: Direction,
        level: Level,
        state: State,
        probability: float,
        numbers: dict[str, float],
        *,
        zone: Zone | None = None,
        ordinal: int = 1,
    ) -> Verdict:
        return Verdict(
            rule=rule,
            direction=direction,
            level=level,
            t_event_s=state.t_s,
            t_decided_s=state.t_s,
            ordinal=ordinal,
            enu_m=(float(state.mean[0]), float(state.mean[1])),
            cov_m2=state.position_cov_m2,
            probability=probability,
            numbers={**numbers, "speed_m_s": round(state.speed_m_s, 2)},
            zone=zone,
        )
