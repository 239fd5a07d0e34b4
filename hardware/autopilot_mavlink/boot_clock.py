"""A component's time since boot as time of the node.

Two ways lead there. A TIMESYNC that came back in d seconds tells the difference of the clocks to
within d/2; the quickest of the last minute counts. Without answers, the least delay does: no
message arrives before it was sent, so the smallest difference between arrival and stamp is nearest
to the truth, and too late by the link's shortest delay.

The stamp is 32 bits of milliseconds and wraps after 49.7 days; a reboot begins it anew. Neither is
believed on one message's word: a stamp that does not fit waits until the next ones agree with it.
"""

from collections import deque
from dataclasses import dataclass

WRAP_S = 2**32 / 1000.0
_WINDOW_S = 60.0
_BUCKET_S = 5.0
_AHEAD_S = 0.5
"""A message cannot come before it was sent: beyond this the clock is another one."""
_LATE_S = 10.0
"""Older than this a message is of no use, and more likely from another boot."""
_BACK_S = 1.0
"""A link hardly turns the order of messages round by more: a stamp that falls back is another boot."""
_AGREE_S = 1.0
_AGREE_TIMES = 3
_AGREE_ADVANCE_S = 0.1
_AGREE_FOR_S = 0.25
"""They must also go on, and for a while: one odd stamp said thrice is no clock, and among messages
that still fit, what does not is somebody else's or old."""
_STEADY_LATE_S, _STEADY_SPREAD_S, _STEADY_S = 1.0, 0.3, 3.0
_LONGEST_RTT_S = 2.0
_DRIFT_S_PER_S = 100e-6
"""Two quartzes part at most so fast: an old quick answer loses against a new one by this."""
_SAME_CLOCK_S = 1.5


@dataclass(frozen=True, slots=True)
class _Answer:
    """A TIMESYNC that came back."""

    received_s: float
    rtt_s: float
    offset_s: float


class BootClock:
    """Turns a component's milliseconds since boot into monotonic seconds of the node."""

    def __init__(self) -> None:
        self.reboots = 0
        self.wraps = 0
        self._least: deque[tuple[float, float]] = deque()
        self._answers: deque[_Answer] = deque(maxlen=64)
        self._candidate: tuple[float, float] | None = None
        self._agreed = 0
        self._steady: tuple[float, float, float] | None = None
        """Since when messages come late alike, and by how much, least and most."""
        self._boot_s: float | None = None
        """Stamp of the newest message, without wraps."""

    @property
    def offset_s(self) -> float | None:
        """Node time minus time since boot; None before the first stamp."""
        if not self._least:
            return None
        arrival_s = min(least for _, least in self._least)
        best = self._best()
        if best is None:
            return arrival_s
        if -_SAME_CLOCK_S <= arrival_s - best.offset_s - best.rtt_s / 2 <= _SAME_CLOCK_S:
            return best.offset_s
        # It answers with a clock of its own that is not the one of its stamps; its quickness counts.
        return arrival_s - best.rtt_s / 2

    @property
    def error_s(self) -> float | None:
        """How far the offset may be off: half the way there and back; None when only arrivals tell."""
        best = self._best()
        return None if best is None or not self._least else best.rtt_s / 2

    def at(self, boot_ms: int, received_s: float) -> float | None:
        """Node time of a stamp; None while a stamp that does not fit waits for others.

        Args:
            boot_ms: as sent, 32 bits.
            received_s: arrival, node time.
        """
        raw_s = (boot_ms & 0xFFFFFFFF) / 1000.0
        offset_s = self.offset_s
        if offset_s is None:
            self._learn(raw_s, received_s)
            return received_s
        expected_s = received_s - offset_s
        turns = max(0, round((expected_s - raw_s) / WRAP_S))
        boot_s = raw_s + turns * WRAP_S
        newest_s = boot_s if self._boot_s is None else self._boot_s
        if -_LATE_S <= boot_s - expected_s <= _AHEAD_S and boot_s >= newest_s - _BACK_S:
            self._candidate, self._agreed = None, 0
            if self._late_by_another_boot(expected_s - boot_s, received_s):
                self._begin(raw_s, received_s, reboot=True)
                return received_s
            if self._boot_s is not None and turns > int(self._boot_s / WRAP_S):
                self.wraps += 1
            self._learn(boot_s, received_s)
            return min(received_s, boot_s + (self.offset_s or offset_s))
        return self._unfitting(raw_s, received_s, ahead_s=boot_s - expected_s)

    def answered(self, *, sent_s: float, received_s: float, remote_s: float) -> bool:
        """A TIMESYNC of ours came back; whether it is of use.

        Args:
            sent_s: node time when we asked.
            received_s: node time when the answer came.
            remote_s: the component's clock between the two.
        """
        rtt_s = received_s - sent_s
        if not 0.0 <= rtt_s <= _LONGEST_RTT_S:
            return False
        offset_s = (sent_s + received_s) / 2 - remote_s
        if self._answers and abs(self._answers[-1].offset_s - offset_s) > _SAME_CLOCK_S:
            self._answers.clear()
        self._answers.append(_Answer(received_s, rtt_s, offset_s))
        return True

    def _best(self) -> _Answer | None:
        if not self._answers:
            return None
        now_s = self._answers[-1].received_s
        fresh = (a for a in self._answers if now_s - a.received_s <= _WINDOW_S)
        return min(fresh, key=lambda a: a.rtt_s / 2 + _DRIFT_S_PER_S * (now_s - a.received_s))

    def _learn(self, boot_s: float, received_s: float) -> None:
        self._boot_s = boot_s if self._boot_s is None else max(self._boot_s, boot_s)
        offset_s = received_s - boot_s
        if self._least and received_s - self._least[-1][0] < _BUCKET_S:
            begun_s, least_s = self._least[-1]
            self._least[-1] = (begun_s, min(least_s, offset_s))
        else:
            self._least.append((received_s, offset_s))
            while received_s - self._least[0][0] > _WINDOW_S:
                self._least.popleft()

    def _unfitting(self, raw_s: float, received_s: float, *, ahead_s: float) -> float | None:
        offset_s = received_s - raw_s
        if self._candidate is not None and abs(self._candidate[1] - offset_s) <= _AGREE_S:
            self._agreed += 1
        else:
            self._candidate, self._agreed = (received_s, offset_s), 1
        begun_s = self._candidate[0] - self._candidate[1]
        if (
            self._agreed < _AGREE_TIMES
            or raw_s - begun_s < _AGREE_ADVANCE_S
            or received_s - self._candidate[0] < _AGREE_FOR_S
        ):
            return None
        # If it leaps ahead a little, all before came late, as out of a radio's full buffer.
        self._begin(raw_s, received_s, reboot=not 0.0 < ahead_s <= _LATE_S)
        return received_s

    def _late_by_another_boot(self, late_s: float, received_s: float) -> bool:
        """Whether messages come late by the same time for seconds on end.

        A queue that empties or a link that slows down changes its delay; a vehicle that was
        switched on again seconds ago has another offset, and keeps it.
        """
        if late_s <= _STEADY_LATE_S:
            self._steady = None
            return False
        since_s, least_s, most_s = self._steady or (received_s, late_s, late_s)
        least_s, most_s = min(least_s, late_s), max(most_s, late_s)
        if most_s - least_s > _STEADY_SPREAD_S:
            since_s, least_s, most_s = received_s, late_s, late_s
        self._steady = (since_s, least_s, most_s)
        return received_s - since_s >= _STEADY_S

    def _begin(self, raw_s: float, received_s: float, *, reboot: bool) -> None:
        self._candidate, self._agreed, self._steady = None, 0, None
        self._least.clear()
        self._answers.clear()
        self._boot_s = None
        self.reboots += reboot
        self._learn(raw_s, received_s)
