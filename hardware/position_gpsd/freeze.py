"""A receiver that repeats itself: to the last digit while its time runs, or its time too."""

import math
from datetime import datetime

from hardware.position_gpsd.reports import Sky, Tpv

_WITHOUT_SKY = 10.0
"""With the place alone to go by, a receiver that holds still by design needs this much more time."""
_MOST_SKIES = 16


class FreezeWatch:
    """Says why a receiver seems dead, or nothing.

    Args:
        time_still_s: with the same time stamp for so long it is.
        same_s: with the same fix and the same signals to the last digit for so long it is.
    """

    def __init__(self, *, time_still_s: float, same_s: float) -> None:
        self._time_still_s = time_still_s
        self._same_s = same_s
        self._time_utc: datetime | None = None
        self._time_moved_s = -math.inf
        self._fix: tuple[object, ...] = ()
        self._fix_changed_s = -math.inf
        self._signals: dict[tuple[object, ...], tuple[object, ...]] = {}
        self._signals_changed_s = -math.inf
        self._signals_s = -math.inf

    def tpv(self, tpv: Tpv, now_s: float) -> None:
        """Take a fix."""
        # A report without a time says nothing about it: one that tells its time rarely is not dead.
        if tpv.time_utc is None or tpv.time_utc != self._time_utc:
            self._time_moved_s = now_s
            self._time_utc = tpv.time_utc or self._time_utc
        fix = (
            tpv.mode,
            tpv.lon_deg,
            tpv.lat_deg,
            tpv.alt_hae_m,
            tpv.alt_msl_m,
            tpv.speed_m_s,
            tpv.track_deg,
            tpv.climb_m_s,
            tpv.east_error_m,
            tpv.north_error_m,
            tpv.up_error_m,
        )
        if fix != self._fix:
            self._fix, self._fix_changed_s = fix, now_s

    def sky(self, sky: Sky, now_s: float) -> None:
        """Take a sky; one without strengths says nothing."""
        if not sky.satellites or not any(one.cn0_db_hz for one in sky.satellites):
            return
        # gpsd tells the constellations of one epoch one after the other: each has its own memory.
        of = tuple(one.key for one in sky.satellites)
        self._signals_s = now_s
        if self._signals.get(of) != sky.satellites:
            if len(self._signals) >= _MOST_SKIES:
                self._signals.clear()
            self._signals[of], self._signals_changed_s = sky.satellites, now_s

    def reason(self, now_s: float) -> str:
        """Why it seems dead, or an empty word."""
        if now_s - self._time_moved_s > self._time_still_s:
            return f"the receiver's time stands still since {now_s - self._time_moved_s:.0f} s"
        with_sky = now_s - self._signals_s <= self._same_s
        limit_s = self._same_s if with_sky else self._same_s * _WITHOUT_SKY
        same_s = now_s - self._fix_changed_s
        if with_sky:
            same_s = min(same_s, now_s - self._signals_changed_s)
        if same_s > limit_s:
            return f"the receiver repeats itself to the last digit since {same_s:.0f} s"
        return ""
