"""When a frame was taken: what arrival, stream stamps and known delays can tell of it."""

import math

_LATE_S = 0.5
_LATE_FOR_S = 5.0


class StreamTime:
    """Arrival times of a live stream, freed from the jitter of network and decoder.

    A stream's own stamps say exactly how far apart two frames were taken, but not when; arrivals
    say when, but late by a delay that only ever adds. The least delay seen lately ties the two
    together. A frame held up in a queue is then stamped with its true instant, not with the moment
    it was read.

    Args:
        latency_s: known least delay between the scene and the arrival of its frame.
        drift: how fast the camera's clock may run away from ours.
        max_jitter_s: a stamp further off than this is no stamp of this stream (it started anew).
    """

    def __init__(
        self, *, latency_s: float = 0.0, drift: float = 2e-4, max_jitter_s: float = 5.0
    ) -> None:
        self._latency_s = latency_s
        self._drift = drift
        self._max_jitter_s = max_jitter_s
        self._offset_s = math.inf
        self._arrival_s = -math.inf
        self._stamp_s = -math.inf
        self._late_since_s: float | None = None
        self._trusted = True

    def capture_s(self, arrival_s: float, stamp_s: float | None) -> float:
        """Monotonic instant of capture.

        Args:
            arrival_s: monotonic instant at which the frame was handed over.
            stamp_s: the stream's own time of the frame; None when it has none worth its name.
        """
        if stamp_s is None or not self._trusted:
            return arrival_s - self._latency_s
        offset_s = arrival_s - stamp_s
        restarted = stamp_s <= self._stamp_s or abs(offset_s - self._offset_s) > self._max_jitter_s
        if restarted:
            self._offset_s = offset_s
        else:
            grown_s = self._offset_s + self._drift * (arrival_s - self._arrival_s)
            self._offset_s = min(offset_s, grown_s)
            if self._runs_slow(arrival_s, offset_s - self._offset_s):
                self._trusted = False
                return arrival_s - self._latency_s
        self._arrival_s, self._stamp_s = arrival_s, stamp_s
        return stamp_s + self._offset_s - self._latency_s

    def restart(self) -> None:
        """Forget the tie: the stream was opened anew."""
        self._offset_s = math.inf
        self._stamp_s = -math.inf
        self._late_since_s = None
        self._trusted = True

    def _runs_slow(self, arrival_s: float, behind_s: float) -> bool:
        """Whether frames stay late for longer than any queue would hold them.

        Then the stamps do not count real seconds (a wrong frame rate in the stream's header), or
        the way has become longer for good; the arrival is the honest answer to both.
        """
        if behind_s < _LATE_S:
            self._late_since_s = None
            return False
        if self._late_since_s is None:
            self._late_since_s = arrival_s
        return arrival_s - self._late_since_s > _LATE_FOR_S
