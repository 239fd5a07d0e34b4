"""A place that cannot have been reached: by the speed that was stated, and what both places are worth."""

import math
from dataclasses import dataclass

_SIGMAS = 4.0
_FLOOR_M = 3.0
_UNKNOWN_SIGMA_M = 20.0
_ACCELERATION_M_S2 = 3.0
_SPEED_SIGMAS = 3.0
_UNKNOWN_SPEED_SIGMA_M_S = 0.5
_GAP_S = 3.0
"""Between two places further apart in time, the speeds stated at them say little."""
_LEAST_FIXES = 5
_EARTH_M = 6_371_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where, how well (one sigma of the worse axis), and how fast; None where it was not stated."""

    lon_deg: float
    lat_deg: float
    sigma_m: float | None = None
    speed_m_s: float | None = None
    speed_sigma_m_s: float | None = None


class JumpWatch:
    """Believes a place that can have been reached from the last believed one.

    One that cannot is a jump. It ends when places near the believed one come again, or when the
    new place has held: every fix near the one before, without a gap, for `hold_s`. A place that is
    dragged away slower than the limit is not noticed here.

    Args:
        max_speed_m_s: no bearer of this receiver is faster; for times without a stated speed.
        hold_s: how long a new place must hold.
    """

    def __init__(self, *, max_speed_m_s: float, hold_s: float) -> None:
        self._max_speed_m_s = max_speed_m_s
        self._hold_s = hold_s
        self._believed: Place | None = None
        self._reach_m = 0.0
        self._candidate: Place | None = None
        self._candidate_since_s = 0.0
        self._candidate_fixes = 0
        self._last: Place | None = None
        self._last_s = -math.inf
        self.jumps = 0
        self.new_places = 0

    def believes(self, place: Place, now_s: float) -> bool:
        """Whether a place can be; called for each fix, in order."""
        gap_s = now_s - self._last_s
        stated_m, step_m = self._step(place, gap_s)
        self._last, self._last_s = place, now_s
        if self._believed is None:
            return self._believe(place)
        # While another place is claimed, only stated motion counts: else any place is reached in time.
        self._reach_m += step_m if self._candidate is None else stated_m
        if _near(self._believed, place, self._reach_m):
            return self._believe(place)
        if self._candidate is not None and _near(self._candidate, place, step_m):
            if gap_s > _GAP_S:
                self._candidate_since_s, self._candidate_fixes = now_s, 0
            self._candidate = place
            self._candidate_fixes += 1
            held_s = now_s - self._candidate_since_s
            if held_s >= self._hold_s and self._candidate_fixes >= _LEAST_FIXES:
                self.new_places += 1
                return self._believe(place)
            return False
        if self._candidate is None:
            self.jumps += 1
        self._candidate, self._candidate_since_s, self._candidate_fixes = place, now_s, 1
        return False

    def _believe(self, place: Place) -> bool:
        self._believed, self._candidate = place, None
        self._reach_m = 0.0
        return True

    def _step(self, place: Place, gap_s: float) -> tuple[float, float]:
        """Metres that it may have moved since the last fix: as stated, and at most."""
        last = self._last
        if last is None:
            return 0.0, 0.0
        most_m = self._max_speed_m_s * gap_s
        if last.speed_m_s is None or place.speed_m_s is None:
            return 0.0, most_m
        sigma_m_s = max(
            last.speed_sigma_m_s or _UNKNOWN_SPEED_SIGMA_M_S,
            place.speed_sigma_m_s or _UNKNOWN_SPEED_SIGMA_M_S,
        )
        fastest_m_s = (
            max(last.speed_m_s, place.speed_m_s)
            + _SPEED_SIGMAS * sigma_m_s
            + _ACCELERATION_M_S2 * min(gap_s, _GAP_S) / 2.0
        )
        stated_m = min(fastest_m_s * gap_s, most_m)
        return stated_m, stated_m if gap_s <= _GAP_S else most_m


def _near(a: Place, b: Place, reach_m: float) -> bool:
    sigma_a_m = _UNKNOWN_SIGMA_M if a.sigma_m is None else a.sigma_m
    sigma_b_m = _UNKNOWN_SIGMA_M if b.sigma_m is None else b.sigma_m
    allowed_m = _FLOOR_M + reach_m + _SIGMAS * math.hypot(sigma_a_m, sigma_b_m)
    return distance_m(a, b) <= allowed_m


def distance_m(a: Place, b: Place) -> float:
    """Great-circle distance on a sphere, good to half a percent: the question is metres or hundreds.

    Source: the haversine formula.
    """
    lat_a, lat_b = math.radians(a.lat_deg), math.radians(b.lat_deg)
    across = math.radians(b.lon_deg - a.lon_deg) / 2.0
    h = (
        math.sin((lat_b - lat_a) / 2.0) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(across) ** 2
    )
    return 2.0 * _EARTH_M * math.asin(min(1.0, math.sqrt(h)))
