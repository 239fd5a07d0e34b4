"""What the judge remembers of one target, how the line sees a belief, and what a rule says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ground_station.decision import Direction, Rule
from ground_station.kalman import State
from ground_station.schmidt import FloatArray
from ground_station.views import Level
from ground_station.zones import Site, Zone


def normal_below(x: float) -> float:
    """P(X <= x) of the standard normal."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A rule spoke: which, how, with which figures.

    Attributes:
        t_event_s: When it happened in the world; `t_decided_s` is the belief that decided it.
        ordinal: Counts this target's verdicts of this rule and direction, from 1.
        enu_m: Where it happened.
        numbers: The rule's figures, units in their names.
    """

    rule: Rule
    direction: Direction
    level: Level
    t_event_s: float
    t_decided_s: float
    ordinal: int
    enu_m: tuple[float, float]
    cov_m2: FloatArray
    probability: float
    numbers: dict[str, float]
    zone: Zone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideMemory:
    """How far a target was on either side lately, in two buckets of time."""

    bucket: int = -1
    low_m: float = math.inf
    high_m: float = -math.inf
    low_before_m: float = math.inf
    high_before_m: float = -math.inf

    def with_distance(self, t_s: float, distance_m: float, bucket_s: float) -> "SideMemory":
        """The memory after one more distance."""
        bucket = int(t_s // bucket_s)
        if bucket == self.bucket:
            if self.low_m <= distance_m <= self.high_m:
                return self
            return replace(
                self, low_m=min(self.low_m, distance_m), high_m=max(self.high_m, distance_m)
            )
        recent = bucket == self.bucket + 1
        return SideMemory(
            bucket=bucket,
            low_m=distance_m,
            high_m=distance_m,
            low_before_m=self.low_m if recent else math.inf,
            high_before_m=self.high_m if recent else -math.inf,
        )

    def farthest_m(self, side: int) -> float:
        """The extreme on a side, signed; infinite the wrong way where nothing is remembered."""
        if side > 0:
            return max(self.high_m, self.high_before_m)
        return min(self.low_m, self.low_before_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByLine:
    """A belief as the line sees it.

    Attributes:
        distance_m: Signed, positive on our side; None beyond the line's ends.
        jitter_m: One sigma across the line of one observation's own noise. Not of the filter's: a
            node's positions err alike for a while, and then averaging promises too much.
        spread_m: One sigma across the line of everything: target, shared errors, the line itself.
        inwards_m_s: Speed towards our side; `inwards_sigma_m_s` its sigma.
    """

    distance_m: float | None
    jitter_m: float
    spread_m: float
    line_sigma_m: float
    inwards_m_s: float
    inwards_sigma_m_s: float
    probability: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the judge remembers of one target after one belief.

    Attributes:
        side: Settled side: 1 ours, -1 theirs, 0 not settled.
        leaning: Side beyond the limit now, and since when.
        passed_in_s: Last instant the mean went over the line inwards, and where.
        zones: (zone id, since, inside) of each zone the target is in or entering.
        counts: (rule, direction, zone id) and how often it spoke.
    """

    t_s: float
    side: int = 0
    leaning: int = 0
    leaning_since_s: float = 0.0
    distance_m: float | None = None
    enu_m: tuple[float, float] = (0.0, 0.0)
    passed_in_s: float | None = None
    passed_in_enu_m: tuple[float, float] = (0.0, 0.0)
    passed_out_s: float | None = None
    passed_out_enu_m: tuple[float, float] = (0.0, 0.0)
    sides: SideMemory = SideMemory()
    doubt_since_s: float | None = None
    approach: Direction = "none"
    approach_since_s: float = 0.0
    born_distance_m: float | None = None
    born_sigma_m: float = 0.0
    born_explained: bool = True
    jumps: int = 0
    line: ByLine | None = None
    zones: tuple[tuple[str, float, bool], ...] = ()
    counts: tuple[tuple[str, int], ...] = ()

    def without_approach(self) -> "Memory":
        """The memory of a target that heads for nothing."""
        return self if self.approach == "none" else replace(self, approach="none")

    def without_doubt(self) -> "Memory":
        """The memory of a target whose side is known."""
        return self if self.doubt_since_s is None else replace(self, doubt_since_s=None)

    def count(self, key: str) -> int:
        """How often a rule spoke."""
        return next((n for k, n in self.counts if k == key), 0)

    def counted(self, key: str) -> "Memory":
        """The memory after the rule spoke once more."""
        rest = tuple((k, n) for k, n in self.counts if k != key)
        return replace(self, counts=(*rest, (key, self.count(key) + 1)))


def joined(one: Memory | None, other: Memory | None) -> Memory | None:
    """What is remembered of a target that turned out to be two sensors' view of one object.

    The first one's story goes on; where it knew no side the other's is taken, and what either has said
    is said.
    """
    if one is None or other is None:
        return one or other
    counts = {key: max(one.count(key), other.count(key)) for key, _ in one.counts + other.counts}
    base = one if one.side != 0 or other.side == 0 else replace(
        one, side=other.side, leaning=other.leaning, leaning_since_s=other.leaning_since_s,
        sides=other.sides,
    )  # fmt: skip
    return replace(base, counts=tuple(sorted(counts.items())), zones=one.zones or other.zones)


def by_lines(site: Site, states: Sequence[State]) -> list[ByLine]:
    """Where beliefs lie by the line, all at once."""
    if not states:
        return []
    means = np.array([state.mean for state in states])
    covs = np.array([state.cov for state in states])
    fix = site.line.project(means[:, :2])
    normal = fix.inwards
    line_sigma = site.line.sigma_m[fix.segment]
    jitter2 = _across(normal, np.array([state.noise_m2 for state in states]))
    total2 = _across(normal, covs[:, :2, :2]) + line_sigma**2
    spread = np.sqrt(np.maximum(total2, 1e-12))
    speed = np.einsum("nk,nk->n", normal, means[:, 2:])
    rows = np.column_stack(
        (
            fix.distance_m,
            np.sqrt(np.maximum(jitter2, 0.0)),
            spread,
            line_sigma,
            speed,
            np.sqrt(np.maximum(_across(normal, covs[:, 2:, 2:]), 0.0)),
        )
    ).tolist()
    return [
        ByLine(
            distance_m=None if math.isnan(distance) else distance,
            jitter_m=jitter,
            spread_m=total,
            line_sigma_m=sigma,
            inwards_m_s=inwards,
            inwards_sigma_m_s=inwards_sigma,
            probability=None if math.isnan(distance) else normal_below(distance / total),
        )
        for distance, jitter, total, sigma, inwards, inwards_sigma in rows
    ]


def _across(normal: FloatArray, cov: FloatArray) -> FloatArray:
    """Variance along each row's normal."""
    return np.asarray(np.einsum("ni,nij,nj->n", normal, cov, normal), dtype=np.float64)
