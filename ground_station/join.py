"""Which targets of different sensors are one object: by place, speed and class, for a while, all together."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import lap
import numpy as np

from ground_station.kalman import FilterSettings, State, predicted
from ground_station.rebirth import Pair, Step, Target
from ground_station.rules import FuseSettings

JOIN_GATE2 = 13.28
"""Chi-square of four degrees of freedom, place and speed, at 99 %."""
JOIN_LOOKS = 3
MAX_PAIRS = 8
MAX_APART = 4096


class Apart:
    """Tracks that a person said are not the same object; bounded, the oldest word goes first."""

    def __init__(self) -> None:
        self._said: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._said)

    def say(self, ones: Iterable[str], others: Iterable[str]) -> None:
        """None of these is one of those."""
        rest = list(others)
        for one in ones:
            for other in rest:
                if one != other:
                    self._said[min(one, other), max(one, other)] = None
        while len(self._said) > MAX_APART:
            self._said.popitem(last=False)

    def unsay(self, ones: Iterable[str], others: Iterable[str]) -> None:
        """They may be the same after all."""
        rest = list(others)
        for one in ones:
            for other in rest:
                self._said.pop((min(one, other), max(one, other)), None)

    def are(self, ones: Sequence[str], others: Sequence[str]) -> bool:
        """Whether a person keeps these apart."""
        if not self._said:
            return False
        return any((min(a, b), max(a, b)) in self._said for a in ones for b in others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of looking for a target's other views.

    Attributes:
        pairs: Evidence, to be kept with the target.
        same: The target that is the same object, once that is sure.
    """

    pairs: tuple[Pair, ...]
    same: Target | None


def find(
    target: Target,
    near: Sequence[Target],
    neighbours: Callable[[Target], Sequence[Target]],
    settings: FuseSettings,
    filter_settings: FilterSettings,
    apart: Apart,
) -> Found:
    """Look for the target of other sensors that is the same object as this one, which was just seen.

    A pair is one object when places and speeds agreed over `join_after_s` and three looks, and when the
    best assignment of all targets around, one to one, pairs these two.

    Args:
        target: Just seen.
        near: Targets around it.
        neighbours: Gives those around another target, for the assignment.
        settings: Gates and times.
        filter_settings: For prediction.
        apart: What a person said.
    """
    step, state = target.head, target.state
    if state is None:
        return Found(pairs=(), same=None)
    t_s = state.t_s
    known = {pair.target_id: pair for pair in step.pairs}
    agreeing: list[tuple[float, Pair, Target]] = []
    for other in near:
        distance2 = _surprise(step, other.head, t_s, settings, filter_settings)
        if distance2 is None or apart.are(target.tracks, other.tracks):
            continue
        before = known.get(other.target_id)
        since_s = t_s if before is None else before.since_s
        looks = 1 if before is None else before.looks + 1
        pair = Pair(target_id=other.target_id, since_s=since_s, looks=looks)
        agreeing.append((distance2, pair, other))
    agreeing.sort(key=lambda row: (row[0], row[1].target_id))
    pairs = tuple(pair for _, pair, _ in agreeing[:MAX_PAIRS])
    ripe = {
        pair.target_id
        for pair in pairs
        if pair.looks >= JOIN_LOOKS and t_s - pair.since_s >= settings.join_after_s
    }
    if not ripe:
        return Found(pairs=pairs, same=None)
    best = _assigned(target, [other for _, _, other in agreeing], neighbours, settings,
                     filter_settings, apart)  # fmt: skip
    return Found(pairs=pairs, same=best if best is not None and best.target_id in ripe else None)


def _assigned(
    target: Target,
    others: Sequence[Target],
    neighbours: Callable[[Target], Sequence[Target]],
    settings: FuseSettings,
    filter_settings: FilterSettings,
    apart: Apart,
) -> Target | None:
    """Whom the best one-to-one assignment gives to the target, among all who compete for its others."""
    state = target.state
    assert state is not None
    rivals = {target.target_id: target}
    for other in others:
        for rival in neighbours(other):
            if not rival.head.seeing(state.t_s, settings.rebirth_silent_s).isdisjoint(
                target.head.seeing(state.t_s, settings.rebirth_silent_s)
            ):
                rivals[rival.target_id] = rival
    rows = [rivals[name] for name in sorted(rivals)]
    cost = np.full((len(rows), len(others)), 1e6)
    for r, row in enumerate(rows):
        for c, column in enumerate(others):
            distance2 = _surprise(row.head, column.head, state.t_s, settings, filter_settings)
            if distance2 is not None and not apart.are(row.tracks, column.tracks):
                cost[r, c] = distance2
    _, chosen, _ = lap.lapjv(cost, extend_cost=True, cost_limit=JOIN_GATE2)
    place = next(k for k, row in enumerate(rows) if row is target)
    return others[chosen[place]] if chosen[place] >= 0 else None


def _surprise(
    one: Step,
    other: Step,
    t_s: float,
    settings: FuseSettings,
    filter_settings: FilterSettings,
) -> float | None:
    """Squared distance of two beliefs in place and speed; None where they cannot be one object."""
    if one.state is None or other.state is None or one is other:
        return None
    silent_s = settings.rebirth_silent_s
    ours, theirs = one.seeing(t_s, silent_s), other.seeing(t_s, silent_s)
    if not ours or not theirs or not ours.isdisjoint(theirs):
        return None
    classes = {one.state.object_class, other.state.object_class}
    if len(classes) > 1 and "Unknown" not in classes:
        return None
    mean, cov = predicted(one.state, t_s, filter_settings)
    other_mean, other_cov = predicted(other.state, t_s, filter_settings)
    gap = mean - other_mean
    if gap[0] ** 2 + gap[1] ** 2 > settings.join_gate_m**2:
        return None
    distance2 = float(gap @ np.linalg.solve(cov + other_cov, gap))
    return distance2 if distance2 <= JOIN_GATE2 else None


def better(one: State, other: State, filter_settings: FilterSettings) -> State:
    """The belief that knows the place better when both are brought to the same instant."""
    t_s = max(one.t_s, other.t_s)
    own = predicted(one, t_s, filter_settings)[1]
    theirs = predicted(other, t_s, filter_settings)[1]
    return other if theirs[0, 0] + theirs[1, 1] < own[0, 0] + own[1, 1] else one
