"""How far this machine's clock is from the receiver's time, as gpsd measures it.

gpsd notes the machine's clock when the first data of an epoch come in (TOFF), or at the receiver's
pulse (PPS). The data come late: the serial line and the receiver's own computing take 10 to 700 ms,
with 100 to 300 ms of wander; so TOFF tells the clock to about a second. The pulse tells it to a
millisecond over USB and better elsewhere.

Old receivers tell a date that is 1024 weeks wrong, since the satellites send ten bits of the week's
number: offsets are taken modulo that.

Source: gpsd_json(5), TOFF and PPS; IS-GPS-200, 20.3.3.3.1.1 (week number).
"""

import math
from dataclasses import dataclass
from typing import Literal

from hardware.position_gpsd.reports import TimeOffset
from runtime.clock import ErrorBounds

_LATEST_S = 1.0
"""700 ms of delay and 300 ms of wander."""
_EARLIEST_S = 0.3
"""The wander alone, for receivers that speak of an epoch as it comes."""
_PULSE_S = 0.005
_DRIFT = 2e-4
"""Of a clock that nobody disciplines: 200 ppm, twice what a cheap crystal shows."""
_LONGEST_S = 6 * 3600.0
_SAME_CLOCK_S = 5.0
_ROLLOVER_S = 1024 * 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    t_monotonic_s: float
    utc_less_monotonic_s: float
    offset_s: float


class ClockWitness:
    """Remembers the newest offsets and bounds the clock's error with them."""

    def __init__(self) -> None:
        self._seen: dict[Literal["TOFF", "PPS"], _Seen] = {}
        self.other_clocks = 0

    def take(self, offset: TimeOffset, *, now_s: float, utc_s: float) -> None:
        """Take an offset that came now, from a receiver that knows its time.

        Args:
            offset: what gpsd measured.
            now_s: on the monotonic clock.
            utc_s: Unix time of the machine's clock.
        """
        if abs(utc_s - offset.clock_s) > _SAME_CLOCK_S:
            self.other_clocks += 1  # Of another machine, or seconds late: it says nothing of ours.
            return
        self._seen[offset.kind] = _Seen(
            t_monotonic_s=now_s,
            utc_less_monotonic_s=utc_s - now_s,
            offset_s=math.remainder(offset.offset_s, _ROLLOVER_S),
        )

    def bounds(self, *, now_s: float, utc_s: float) -> ErrorBounds | None:
        """How wrong the machine's UTC is at least and at most; None when nothing is known."""
        serial = self._of("TOFF", -_LATEST_S, _EARLIEST_S, now_s, utc_s)
        pulse = self._of("PPS", -_PULSE_S, _PULSE_S, now_s, utc_s)
        if serial is None:
            return None
        found, source = serial, "gps"
        # A pulse knows the part of a second; which second, only the serial line tells.
        if pulse is not None and pulse[0] <= serial[1] and serial[0] <= pulse[1]:
            found, source = pulse, "pps"
        low_s, high_s = found
        inside = low_s <= 0.0 <= high_s
        return ErrorBounds(
            source=source,
            least_s=0.0 if inside else min(abs(low_s), abs(high_s)),
            largest_s=max(abs(low_s), abs(high_s)),
        )

    def _of(
        self, kind: Literal["TOFF", "PPS"], low_s: float, high_s: float, now_s: float, utc_s: float
    ) -> tuple[float, float] | None:
        seen = self._seen.get(kind)
        if seen is None or now_s - seen.t_monotonic_s > _LONGEST_S:
            return None
        # What was stepped since then is known exactly; what drifted is not.
        stepped_s = (utc_s - now_s) - seen.utc_less_monotonic_s
        drift_s = _DRIFT * max(0.0, now_s - seen.t_monotonic_s)
        offset_s = seen.offset_s + stepped_s
        return offset_s + low_s - drift_s, offset_s + high_s + drift_s
