"""What a vehicle's receivers say, and our own verdict: jumped, jammed, stale.

Source: MAVLink message definitions GPS_RAW_INT, GPS2_RAW, GNSS_INTEGRITY. `eph` there is HDOP times
100, no metres; 65535 and (in ArduPilot) 9999 mean unknown; an accuracy or height of 0 was not sent.
"""

import math
from dataclasses import dataclass
from typing import Literal

from hardware.autopilot_mavlink.dialect import Message
from hardware.autopilot_mavlink.place import absurd, distance_m

FixStatus = Literal["none", "fix_2d", "fix_3d", "stale", "jammed", "jumped"]

STALE_S = 5.0
_HOLD_S = 10.0
_JUMP_M = 20.0
_APART_M = 30.0
_AWAY_M_S = 20.0
"""More than reported speed and its change between two fixes explain."""
_UNKNOWN_16, _UNKNOWN_32 = 65535, 2**32 - 1
_ARDUPILOT_NO_HDOP = 9999
_MOST_UNDULATION_M = 120.0
"""The geoid is nowhere farther from the ellipsoid."""
_MANY_SATELLITES = 8
_MOST_ACCURACY_M = 10_000.0
_FIX_2D, _FIX_3D = 2, 3
_DETECTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One message of one receiver, unknowns as None.

    Attributes:
        t_s: node time of arrival.
        fix_type: GPS_FIX_TYPE.
        lon_deg: None without a fix, and where the numbers cannot be true.
        hdop: dilution of precision.
        undulation_m: geoid above ellipsoid as this receiver has it.
        yaw_sigma_deg: of a heading from two antennas.
    """

    t_s: float
    stamp_us: int
    fix_type: int
    lon_deg: float | None = None
    lat_deg: float | None = None
    alt_msl_m: float | None = None
    speed_m_s: float = 0.0
    satellites: int | None = None
    hdop: float | None = None
    horizontal_m: float | None = None
    vertical_m: float | None = None
    undulation_m: float | None = None
    yaw_sigma_deg: float | None = None


def receiver_of(message: Message, t_s: float) -> Receiver:
    """GPS_RAW_INT or GPS2_RAW in our units."""
    lon_deg, lat_deg, alt_m = message.lon / 1e7, message.lat / 1e7, message.alt / 1e3
    placed = message.fix_type >= _FIX_2D and absurd(lon_deg, lat_deg, alt_m) is None
    known_hdop = message.eph not in {0, _UNKNOWN_16, _ARDUPILOT_NO_HDOP}
    undulation_m = (message.alt_ellipsoid - message.alt) / 1e3
    lifted = message.alt_ellipsoid != 0 and message.fix_type >= _FIX_3D and placed
    sigma = _accuracy(message.hdg_acc, 1e5)
    turned = message.yaw not in {0, _UNKNOWN_16} and message.yaw <= 36_000
    return Receiver(
        t_s=t_s,
        stamp_us=message.time_usec,
        fix_type=message.fix_type if message.fix_type <= 8 else 0,
        lon_deg=lon_deg if placed else None,
        lat_deg=lat_deg if placed else None,
        alt_msl_m=alt_m if placed else None,
        speed_m_s=0.0 if message.vel == _UNKNOWN_16 else message.vel / 100.0,
        satellites=None if message.satellites_visible == 255 else message.satellites_visible,
        hdop=message.eph / 100.0 if known_hdop else None,
        horizontal_m=_accuracy(message.h_acc, 1e3),
        vertical_m=_accuracy(message.v_acc, 1e3),
        undulation_m=undulation_m if lifted and abs(undulation_m) <= _MOST_UNDULATION_M else None,
        yaw_sigma_deg=sigma if turned and sigma is not None and sigma <= 180.0 else None,
    )


def _accuracy(value: int, per_unit: float) -> float | None:
    if value in {0, _UNKNOWN_32}:
        return None
    accuracy = value / per_unit
    return accuracy if accuracy <= _MOST_ACCURACY_M else None


class FixWatch:
    """Follows the receivers of one vehicle."""

    def __init__(self) -> None:
        self._first: Receiver | None = None
        self._second: Receiver | None = None
        self._good_s: float | None = None
        self._strong_s = -math.inf
        self._jumped_until_s = -math.inf
        self._detected_until_s = -math.inf
        self._lost_suddenly = False
        self._agreed = False
        """The two newest fixes of the first receiver lie within reach of each other."""
        self.jumps = 0
        self.undulation_m: float | None = None

    def heard(self, receiver: Receiver, *, second: bool, in_air: bool) -> None:
        """A receiver spoke."""
        if second:
            self._second = receiver
        else:
            before, self._first = self._first, receiver
            if before is not None:
                self._compare(before, receiver)
        if receiver.undulation_m is not None and not (second and self.undulation_m is not None):
            self.undulation_m = receiver.undulation_m
        now_s = receiver.t_s
        best = self.best
        if best is None:
            return
        if best.fix_type >= _FIX_3D:
            self._lost_suddenly = False
            if now_s >= self._jumped_until_s:
                self._good_s = now_s
            if (best.satellites or 0) >= _MANY_SATELLITES:
                self._strong_s = now_s
        elif best.fix_type < _FIX_2D and in_air and now_s - self._strong_s <= _HOLD_S:
            self._lost_suddenly = True

    def integrity(self, message: Message, now_s: float) -> None:
        """GNSS_INTEGRITY: the receiver itself finds jamming or spoofing."""
        if _DETECTED in {message.jamming_state, message.spoofing_state}:
            self._detected_until_s = now_s + _HOLD_S

    def estimate_at(self, lon_deg: float, lat_deg: float, now_s: float) -> None:
        """Where the estimator believes to be: far from the receiver one of them is wrong."""
        first = self._first
        if first is None or first.lon_deg is None or first.lat_deg is None:
            return
        apart_m = distance_m(lon_deg, lat_deg, first.lon_deg, first.lat_deg)
        allowed_m = max(_APART_M, 5.0 * (first.horizontal_m or 0.0))
        if apart_m > allowed_m + (first.speed_m_s + _AWAY_M_S) * abs(now_s - first.t_s):
            self._jump(now_s)

    def glitching(self, now_s: float) -> None:
        """The estimator itself, or the gate of positions, found a jump."""
        self._jump(now_s)

    @property
    def best(self) -> Receiver | None:
        """The first receiver, or the second while only that one has a fix."""
        first, second = self._first, self._second
        if second is None or (first is not None and first.fix_type >= _FIX_3D):
            return first
        if first is None or (second.fix_type >= _FIX_3D and second.t_s >= first.t_s - STALE_S):
            return second
        return first

    def fresh(self, now_s: float) -> Receiver | None:
        """The best receiver, if it spoke lately."""
        best = self.best
        return best if best is not None and now_s - best.t_s <= STALE_S else None

    def place(self, now_s: float) -> Receiver | None:
        """The first receiver, while its fixes agree and nothing speaks against it."""
        first = self._first
        if not self._agreed or first is None or self.status(now_s) != "fix_3d":
            return None
        return first if now_s - first.t_s <= STALE_S and first.fix_type >= _FIX_3D else None

    def since_fix_s(self, now_s: float) -> float:
        """Seconds since the last fix that was in order; 0 while none was ever heard of."""
        if self._good_s is None or now_s - self._good_s <= STALE_S:
            return 0.0
        return now_s - self._good_s

    def status(self, now_s: float) -> FixStatus:
        """The verdict."""
        best = self.best
        if best is None:
            return "none"
        if now_s - best.t_s > STALE_S:
            return "stale"
        if now_s < self._detected_until_s or self._lost_suddenly:
            return "jammed"
        if best.fix_type < _FIX_2D:
            return "none"
        if now_s < self._jumped_until_s:
            return "jumped"
        return "fix_2d" if best.fix_type == _FIX_2D else "fix_3d"

    def _compare(self, before: Receiver, now: Receiver) -> None:
        agreed, self._agreed = self._agreed, False
        if (
            before.lon_deg is None
            or before.lat_deg is None
            or now.lon_deg is None
            or now.lat_deg is None
            or min(before.fix_type, now.fix_type) < _FIX_3D
        ):
            return
        if now.stamp_us == before.stamp_us:
            self._agreed = agreed
            return
        elapsed_s = now.t_s - before.t_s
        if elapsed_s > _HOLD_S:
            return
        allowed_m = max(_JUMP_M, 4.0 * max(before.horizontal_m or 0.0, now.horizontal_m or 0.0))
        allowed_m += (max(before.speed_m_s, now.speed_m_s) + _AWAY_M_S) * elapsed_s
        if distance_m(before.lon_deg, before.lat_deg, now.lon_deg, now.lat_deg) > allowed_m:
            self._jump(now.t_s)
        else:
            self._agreed = True

    def _jump(self, now_s: float) -> None:
        if now_s >= self._jumped_until_s:
            self.jumps += 1
        self._jumped_until_s = now_s + _HOLD_S
