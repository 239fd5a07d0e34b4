"""From what a receiver says to what a node may believe: one word of status, and why."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hardware.ports import Fix
from hardware.position_gpsd.freeze import FreezeWatch
from hardware.position_gpsd.jam import JamWatch
from hardware.position_gpsd.jump import JumpWatch, Place
from hardware.position_gpsd.reports import Gst, Sky, Tpv

_NO_HEIGHT_SIGMA_M = 1_000.0
_VERTICAL_FACTOR = 3.0
_GEOID_SIGMA_M = 1.0
_SKY_FRESH_S = 15.0

Geoid = Callable[[float, float], float]
"""Height of the geoid above the ellipsoid at (lon_deg, lat_deg)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is believed.

    Attributes:
        stale_after_s: a fix older than this, or a receiver's time that stands still for so long, is
            stale.
        frozen_after_s: the same fix and signals to the last digit for so long is a dead receiver.
        max_speed_m_s: no bearer of the receiver is faster.
        jump_hold_s: a new place that could not be reached is believed after it held for so long.
        jam_indicator_above: a receiver's own count of interference (0 to 255) that is too much.
    """

    stale_after_s: float = 3.0
    frozen_after_s: float = 30.0
    max_speed_m_s: float = 50.0
    jump_hold_s: float = 30.0
    jam_indicator_above: float = 128.0


class Judge:
    """Keeps the newest believed place of one receiver, and says whether it may be used.

    With the status `none` there is no place. With `stale`, `jammed` and `jumped` the place is the
    last one that was believed, and `t_monotonic_s` is when.

    Accuracy: a receiver's own standard deviations (GST), where it states them. Else the errors of TPV,
    of which gpsd says that they are guessed to be 95 %, and may as well be 50 %, one or two sigma:
    they are taken as one sigma of each axis, unscaled, so up to 2.45 times too large and not too
    small. A height error that is not stated is taken as three times the horizontal one.

    Source: gpsd_json(5), TPV and GST.

    Args:
        rules: what is believed.
        geoid: gives an ellipsoidal height to receivers (or a gpsd before 3.20) that tell the height
            above the sea alone; without it they have none.
    """

    def __init__(self, rules: Rules, *, geoid: Geoid | None = None) -> None:
        self._rules = rules
        self._geoid = geoid
        self.jump = JumpWatch(max_speed_m_s=rules.max_speed_m_s, hold_s=rules.jump_hold_s)
        self._jam = JamWatch(indicator_above=rules.jam_indicator_above)
        self._freeze = FreezeWatch(time_still_s=rules.stale_after_s, same_s=rules.frozen_after_s)
        self._fix: Fix | None = None
        self._found = False
        self._arrival_s = -math.inf
        self._jumped = False
        self._satellites: int | None = None
        self._sky_s = -math.inf
        self._gst: Gst | None = None
        self._gst_s = -math.inf
        self._streak = 0
        self.fixes_not_believed = 0

    def tpv(self, tpv: Tpv, now_s: float) -> None:
        """Take a fix, or the word that there is none."""
        self._arrival_s = now_s
        self._found = tpv.has_place
        self._freeze.tpv(tpv, now_s)
        self._jam.indicator(tpv.jam)
        self._jam.fix(now_s, found=tpv.has_place)
        self._streak = self._streak + 1 if tpv.mode == 3 and tpv.has_place else 0
        if tpv.lon_deg is None or tpv.lat_deg is None:
            return
        fix = self._as_fix(tpv, tpv.lon_deg, tpv.lat_deg, now_s)
        place = Place(
            lon_deg=tpv.lon_deg,
            lat_deg=tpv.lat_deg,
            sigma_m=horizontal_sigma_m(fix),
            speed_m_s=tpv.speed_m_s,
            speed_sigma_m_s=tpv.speed_error_m_s,
        )
        self._jumped = not self.jump.believes(place, now_s)
        if self._jumped or self._jam.reason(now_s) or self._freeze.reason(now_s):
            self.fixes_not_believed += 1
            self._streak = 0
        else:
            self._fix = fix

    def sky(self, sky: Sky, now_s: float) -> None:
        """Take what is in view."""
        self._freeze.sky(sky, now_s)
        self._jam.sky(sky, now_s)
        if sky.satellites is not None:
            self._satellites, self._sky_s = sky.used, now_s

    def gst(self, gst: Gst, now_s: float) -> None:
        """Take what the receiver thinks of its accuracy; gpsd tells it after the fix it belongs to."""
        self._gst, self._gst_s = gst, now_s

    def latest(self, now_s: float) -> Fix:
        """The place, and whether it may be used now."""
        satellites = self._satellites if now_s - self._sky_s <= _SKY_FRESH_S else None
        last = self._fix or Fix(status="none", t_monotonic_s=now_s)
        jammed = self._jam.reason(now_s)
        if not self._found:
            if jammed:
                return replace(last, status="jammed", reason=jammed, satellites=satellites)
            return Fix(
                status="none",
                t_monotonic_s=now_s,
                satellites=satellites,
                reason="the receiver has no fix"
                if math.isfinite(self._arrival_s)
                else "no receiver was heard yet",
            )
        age_s = now_s - self._arrival_s
        if age_s > self._rules.stale_after_s:
            why = f"nothing heard of the receiver for {age_s:.0f} s"
            return replace(last, status="stale", reason=why, satellites=satellites)
        frozen = self._freeze.reason(now_s)
        if frozen:
            return replace(last, status="stale", reason=frozen, satellites=satellites)
        if jammed:
            return replace(last, status="jammed", reason=jammed, satellites=satellites)
        if self._jumped:
            why = "the receiver claims a place that cannot have been reached"
            return replace(last, status="jumped", reason=why, satellites=satellites)
        if last.t_monotonic_s < self._arrival_s:
            why = "the next fix is awaited: the newest one was not believed"
            return replace(last, status="stale", reason=why, satellites=satellites)
        return replace(last, satellites=satellites)

    def knows_time(self, now_s: float) -> bool:
        """Whether the receiver's time can be believed: three believed fixes in space in a row.

        Source: gpsd_json(5), TPV, `time`.
        """
        return self._streak >= 3 and self.latest(now_s).status == "fix_3d"

    def _as_fix(self, tpv: Tpv, lon_deg: float, lat_deg: float, now_s: float) -> Fix:
        alt_hae_m, geoid_sigma_m = tpv.alt_hae_m, 0.0
        if alt_hae_m is None and tpv.alt_msl_m is not None and self._geoid is not None:
            alt_hae_m = tpv.alt_msl_m + self._geoid(lon_deg, lat_deg)
            geoid_sigma_m = _GEOID_SIGMA_M
        errors_m = self._errors_m(tpv, now_s)
        cov = None
        if errors_m is not None:
            east_m, north_m, up_m = errors_m
            cov = np.diag([east_m**2, north_m**2, up_m**2 + geoid_sigma_m**2]).astype(np.float64)
            cov.setflags(write=False)
        return Fix(
            status="fix_3d" if tpv.mode == 3 else "fix_2d",
            t_monotonic_s=now_s,
            lon_deg=lon_deg,
            lat_deg=lat_deg,
            alt_hae_m=alt_hae_m,
            alt_msl_m=tpv.alt_msl_m,
            cov_enu_m2=cov,
        )

    def _errors_m(self, tpv: Tpv, now_s: float) -> tuple[float, float, float] | None:
        """One sigma to the east, north and up; None when nothing was stated."""
        east_m, north_m, up_m = tpv.east_error_m, tpv.north_error_m, tpv.up_error_m
        gst = self._gst if now_s - self._gst_s <= self._rules.stale_after_s else None
        if gst is not None and gst.east_sigma_m is not None and gst.north_sigma_m is not None:
            east_m, north_m = gst.east_sigma_m, gst.north_sigma_m
            up_m = gst.up_sigma_m or up_m
        if east_m is None or north_m is None:
            return None
        if tpv.mode < 3:
            return east_m, north_m, _NO_HEIGHT_SIGMA_M
        return east_m, north_m, up_m or _VERTICAL_FACTOR * max(east_m, north_m)


def horizontal_sigma_m(fix: Fix) -> float | None:
    """One sigma of the worse horizontal axis."""
    if fix.cov_enu_m2 is None:
        return None
    return float(max(fix.cov_enu_m2[0, 0], fix.cov_enu_m2[1, 1]) ** 0.5)
