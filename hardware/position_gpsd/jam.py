"""Interference, by what a receiver shows of it: its own count, all signals fallen, a fix gone at once.

A covered antenna or a cut cable looks the same as a jammer; the word is `jammed` for all of them,
since the answer is the same: do not trust the place, go and look.
"""

import math
from dataclasses import dataclass

from hardware.position_gpsd.reports import Satellite, Sky

_LEARN_S = 60.0
"""A strength is known after a fraction of this, and follows the sky's slow changes."""
_FORGIVE_S = 600.0
"""With a fix that holds, weaker signals become the new measure after so long (wet cable, new roof)."""
_KNOWN_S = 15.0
_LOW_DEG = 10.0
_LEAST_SATELLITES = 4
_AUDIBLE_DB = 25.0
_EACH_FELL_DB = 5.0
_MEDIAN_FELL_DB = 10.0
_ROSE_DB = 6.0
_UNHEARD_S = 6.0
_FORGET_S = 300.0
_MOST_KNOWN = 256
_LOST_S = 2.0
_GOOD_FIX_S = 10.0
_IN_VIEW_S = 15.0
_CLEAR_AFTER_S = 5.0


@dataclass(slots=True)
class _Signal:
    """One satellite's usual and present strength."""

    usual_db: float
    now_db: float
    first_s: float
    heard_s: float
    elevation_deg: float


class JamWatch:
    """Says why the signals are not to be trusted, or nothing.

    Args:
        indicator_above: a receiver's own count (0 to 255) from which on it is interference.
    """

    def __init__(self, *, indicator_above: float) -> None:
        self._indicator_above = indicator_above
        self._indicator: float | None = None
        self._signals: dict[tuple[int, int, int], _Signal] = {}
        self._updated_s = -math.inf
        self._fallen = False
        self._fix_s = -math.inf
        self._fix_was_good_s = -math.inf
        self._lost_since_s: float | None = None
        self._lost_at_once = False
        self._in_view = 0
        self._in_view_s = -math.inf
        self._bad_s = -math.inf
        self._reason = ""

    # --- what is heard ----------------------------------------------------------------------------
    def indicator(self, jam: float | None) -> None:
        """Take the receiver's own count; nothing said changes nothing."""
        if jam is not None:
            self._indicator = jam

    def fix(self, now_s: float, *, found: bool) -> None:
        """Take whether the receiver has a fix now."""
        if found:
            self._fix_s = now_s
            self._lost_since_s, self._lost_at_once = None, False
        elif self._lost_since_s is None:
            self._lost_since_s = now_s
            # At once means: a moment ago it had one, from a good sky.
            self._lost_at_once = (
                now_s - self._fix_s <= _GOOD_FIX_S and now_s - self._fix_was_good_s <= _GOOD_FIX_S
            )

    def sky(self, sky: Sky, now_s: float) -> None:
        """Take the strengths of what is in view."""
        self.indicator(sky.jam)
        if sky.satellites is None:
            return
        heard = [one for one in sky.satellites if one.cn0_db_hz is not None]
        self._in_view, self._in_view_s = len(sky.satellites), now_s
        audible = sum((one.cn0_db_hz or 0.0) >= _AUDIBLE_DB for one in heard)
        has_fix = now_s - self._fix_s <= _GOOD_FIX_S and self._lost_since_s is None
        if has_fix and audible >= _LEAST_SATELLITES and not self._fallen:
            self._fix_was_good_s = now_s
        past_s = min(now_s - self._updated_s, _LEARN_S)
        self._updated_s = now_s
        for one in heard:
            self._learn(one, now_s, past_s, has_fix=has_fix)
        self._forget(now_s)
        self._fallen = self._have_fallen(now_s)

    def _learn(self, one: Satellite, now_s: float, past_s: float, *, has_fix: bool) -> None:
        strength_db = one.cn0_db_hz or 0.0
        known = self._signals.get(one.key)
        if known is None:
            if strength_db >= _AUDIBLE_DB and len(self._signals) < _MOST_KNOWN:
                self._signals[one.key] = _Signal(
                    usual_db=strength_db,
                    now_db=strength_db,
                    first_s=now_s,
                    heard_s=now_s,
                    elevation_deg=90.0 if one.elevation_deg is None else one.elevation_deg,
                )
            return
        known.now_db, known.heard_s = strength_db, now_s
        if one.elevation_deg is not None:
            known.elevation_deg = one.elevation_deg
        slow_s = _FORGIVE_S if self._fallen else _LEARN_S
        if has_fix or not self._fallen:
            known.usual_db += (strength_db - known.usual_db) * min(1.0, past_s / slow_s)

    def _forget(self, now_s: float) -> None:
        """A satellite that set is not one that fell silent."""
        gone = [
            key
            for key, one in self._signals.items()
            if now_s - one.heard_s > _FORGET_S
            or (one.elevation_deg < _LOW_DEG and now_s - one.heard_s > _UNHEARD_S)
        ]
        for key in gone:
            del self._signals[key]

    def _have_fallen(self, now_s: float) -> bool:
        falls_db = sorted(
            one.usual_db - (one.now_db if now_s - one.heard_s <= _UNHEARD_S else 0.0)
            for one in self._signals.values()
            if one.elevation_deg >= _LOW_DEG
            and one.usual_db >= _AUDIBLE_DB
            and one.heard_s - one.first_s >= _KNOWN_S
        )
        if len(falls_db) < _LEAST_SATELLITES:
            return self._fallen and bool(falls_db)
        median_db = falls_db[len(falls_db) // 2]
        if self._fallen:
            return median_db > _ROSE_DB
        return falls_db[0] >= _EACH_FELL_DB and median_db >= _MEDIAN_FELL_DB

    # --- what follows -----------------------------------------------------------------------------
    def reason(self, now_s: float) -> str:
        """Why it looks jammed, or an empty word; a few quiet seconds end it."""
        found = self._found(now_s)
        if found:
            self._bad_s, self._reason = now_s, found
        return self._reason if now_s - self._bad_s <= _CLEAR_AFTER_S else ""

    def _found(self, now_s: float) -> str:
        if self._indicator is not None and self._indicator >= self._indicator_above:
            return f"the receiver counts interference: {self._indicator:.0f} of 255"
        if self._fallen:
            return "all satellites became weak together"
        if (
            self._lost_at_once
            and self._lost_since_s is not None
            and now_s - self._lost_since_s >= _LOST_S
            and self._in_view >= _LEAST_SATELLITES
            and now_s - self._in_view_s <= _IN_VIEW_S
        ):
            return "the fix was lost at once with satellites in view"
        return ""
