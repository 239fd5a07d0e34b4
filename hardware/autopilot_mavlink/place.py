"""Which positions are believed, and how exact they are.

A position that cannot be true never leaves this package: none at 0/0 (what receivers and
autopilots say when they know nothing), none off the globe, none that no craft could have reached.
"""

import math
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "unconfirmed", "jump"]

_NULL_ISLAND_DEG = 0.01
"""About a kilometre round 0/0: an estimator that starts there drifts about it."""
_MOST_LAT_DEG = 89.9
_LOWEST_M, _HIGHEST_M = -500.0, 12_000.0
_M_PER_DEG = 111_319.5
_SLACK_M = 30.0
_REACH_M_S = 100.0
_CLIMB_M_S = 60.0
_STALE_S = 30.0
_FIRST_TIMES = 2
_JUMP_TIMES = 5
_JUMP_HOLD_S = 10.0
_FASTEST_M_S = 150.0

_UERE_M = 3.0
"""One sigma of a single-frequency receiver's range under open sky, times HDOP."""
_UNTOLD_HORIZONTAL_M = 10.0
_UNTOLD_VERTICAL_M = 15.0
"""Where nothing is told: uncalibrated consumer drones have a CE90 of 12 to 17 m (6 to 8 m sigma)."""
_VERTICAL_TIMES = 1.7
"""A receiver knows height that much worse than place."""
_DRIFT_M_S = 2.0
"""Growth of the estimate's error without a fix: inertia alone holds a copter for some seconds."""


def distance_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Level distance of two places in metres, good enough to tell a jump."""
    east_deg = (lon_b - lon_a + 180.0) % 360.0 - 180.0
    middle = math.radians((lat_a + lat_b) / 2)
    return math.hypot(east_deg * math.cos(middle), lat_b - lat_a) * _M_PER_DEG


def absurd(lon_deg: float, lat_deg: float, alt_msl_m: float) -> str | None:
    """Why a position cannot be true: `zero`, `range` or `height`; None when it can."""
    if not all(math.isfinite(value) for value in (lon_deg, lat_deg, alt_msl_m)):
        return "range"
    if abs(lon_deg) < _NULL_ISLAND_DEG and abs(lat_deg) < _NULL_ISLAND_DEG:
        return "zero"
    if abs(lon_deg) > 180.0 or abs(lat_deg) > _MOST_LAT_DEG:
        return "range"
    if not _LOWEST_M <= alt_msl_m <= _HIGHEST_M:
        return "height"
    return None


def sane_velocity(ned_m_s: tuple[float, float, float]) -> bool:
    """Whether a craft of ours may fly like this."""
    return math.sqrt(sum(part * part for part in ned_m_s)) <= _FASTEST_M_S


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where, and when."""

    t_s: float
    lon_deg: float
    lat_deg: float
    alt_m: float

    def reaches(self, other: "_Spot") -> bool:
        """Whether a craft could have come from here to there."""
        elapsed_s = abs(other.t_s - self.t_s)
        level_m = distance_m(self.lon_deg, self.lat_deg, other.lon_deg, other.lat_deg)
        return (
            level_m <= _SLACK_M + _REACH_M_S * elapsed_s
            and abs(other.alt_m - self.alt_m) <= _SLACK_M + _CLIMB_M_S * elapsed_s
        )


class PlaceGate:
    """Lets positions through that follow from the ones before.

    The first position, and one after a long silence, waits for a second that agrees with it. One
    out of reach is a jump: it is believed when it has stayed for ten seconds, because a glitch or
    an odd message does not, and a vehicle that was carried away does.
    """

    def __init__(self) -> None:
        self._last: _Spot | None = None
        self._fresh: list[_Spot] = []
        """First and newest of the positions that wait."""
        self._times = 0

    def look(self, t_s: float, lon_deg: float, lat_deg: float, alt_m: float) -> Verdict:
        """Judge a position that `absurd` let pass."""
        spot = _Spot(t_s, lon_deg, lat_deg, alt_m)
        last = self._last
        known = last is not None and t_s - last.t_s <= _STALE_S
        if known and last is not None and last.reaches(spot):
            self._accept(spot)
            return "ok"
        if self._fresh and self._fresh[-1].reaches(spot) and t_s - self._fresh[-1].t_s <= _STALE_S:
            self._fresh = [self._fresh[0], spot]
            self._times += 1
        else:
            self._fresh, self._times = [spot], 1
        if not known and self._times >= _FIRST_TIMES:
            self._accept(spot)
            return "ok"
        stayed_s = spot.t_s - self._fresh[0].t_s
        if known and self._times >= _JUMP_TIMES and stayed_s >= _JUMP_HOLD_S:
            self._accept(spot)
            return "ok"
        return "jump" if known else "unconfirmed"

    def forget(self) -> None:
        """The vehicle began anew."""
        self._last, self._fresh, self._times = None, [], 0

    def _accept(self, spot: _Spot) -> None:
        self._last, self._fresh, self._times = spot, [], 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How exact a position is, one sigma per axis.

    Attributes:
        horizontal_m: east and north alike.
        vertical_m: up.
        source: what it follows from, in one word.
    """

    horizontal_m: float
    vertical_m: float
    source: Literal["estimator", "receiver", "dilution", "untold"]


def accuracy(
    *,
    estimator_m: tuple[float, float] | None,
    receiver_m: tuple[float | None, float | None],
    hdop: float | None,
    innovation_ratio: float | None,
    since_fix_s: float,
) -> Accuracy:
    """How exact the vehicle's position is now.

    Args:
        estimator_m: horizontal and vertical accuracy by the estimator's own word, if it gives one.
        receiver_m: the receiver's own estimates, horizontal and vertical.
        hdop: dilution of precision; a geometry factor, no metres.
        innovation_ratio: how hard the estimator disagrees with the receiver; 1 is its limit.
        since_fix_s: how long it has lived without one.
    """
    source: Literal["estimator", "receiver", "dilution", "untold"]
    horizontal_m, vertical_m = receiver_m
    if estimator_m is not None:
        source, (level_m, high_m) = "estimator", estimator_m
    elif horizontal_m is not None:
        source, level_m = "receiver", horizontal_m
        high_m = vertical_m if vertical_m is not None else _VERTICAL_TIMES * horizontal_m
    elif hdop is not None:
        source, level_m = "dilution", _UERE_M * hdop
        high_m = _VERTICAL_TIMES * level_m
    else:
        source, level_m, high_m = "untold", _UNTOLD_HORIZONTAL_M, _UNTOLD_VERTICAL_M
    worse = max(1.0, innovation_ratio or 0.0)
    drift_m = _DRIFT_M_S * since_fix_s
    return Accuracy(
        horizontal_m=math.hypot(level_m * worse, drift_m),
        vertical_m=math.hypot(high_m * worse, drift_m),
        source=source,
    )
