"""The station's events for pages: a bounded ring with growing ids that a page can resume from."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

EventName = Literal["station", "node", "target", "target_gone", "alert", "vehicle", "resync"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One server-sent event.

    Attributes:
        number: grows by one; larger after a restart than before it.
        name: what the data is.
        data: JSON text.
    """

    number: int
    name: EventName
    data: str


class Hub:
    """Keeps the newest events; the oldest go first, and who missed them is told to start over.

    Args:
        first_number: larger than any number given before a restart, for example milliseconds of UTC.
        keep: how many events are kept.
    """

    def __init__(self, *, first_number: int, keep: int = 8192) -> None:
        self._lock = threading.Lock()
        self._ring: deque[Event] = deque(maxlen=keep)
        self._next = first_number
        self._wakers: dict[int, tuple[str, Callable[[], None]]] = {}
        self._waker_key = 0
        self.closed = False
        self.published = 0
        self.resyncs = 0

    @property
    def newest(self) -> int:
        """Number of the newest event (or of the one before the first)."""
        return self._next - 1

    @property
    def listeners(self) -> int:
        """Pages that listen now."""
        return len(self._wakers)

    def listeners_of(self, who: str) -> int:
        """Pages of one person that listen now."""
        with self._lock:
            return sum(1 for name, _ in self._wakers.values() if name == who)

    def publish(self, events: list[tuple[EventName, str]]) -> None:
        """Add events and wake all listeners."""
        if not events:
            return
        with self._lock:
            for name, data in events:
                self._ring.append(Event(number=self._next, name=name, data=data))
                self._next += 1
            self.published += len(events)
            wakers = [wake for _, wake in self._wakers.values()]
        for wake in wakers:
            wake()

    def after(self, number: int, *, limit: int = 512) -> list[Event]:
        """Events newer than `number`, oldest first.

        Returns:
            One `resync` event when some of them are gone already, or when the number was never
            given: the page then reads everything again.
        """
        with self._lock:
            newest = self._next - 1
            if number == newest:
                return []
            oldest = self._ring[0].number if self._ring else self._next
            if number > newest or number < oldest - 1:
                self.resyncs += 1
                return [Event(number=newest, name="resync", data="{}")]
            start = number + 1 - oldest
            stop = min(len(self._ring), start + limit)
            return [self._ring[index] for index in range(start, stop)]

    def listen(self, wake: Callable[[], None], *, who: str = "") -> int:
        """Call `wake` (from any thread) after each publish; the key to `leave` with.

        Args:
            wake: called without anything held.
            who: the person whose page it is.
        """
        with self._lock:
            self._waker_key += 1
            self._wakers[self._waker_key] = (who, wake)
            return self._waker_key

    def leave(self, key: int) -> None:
        """Stop waking."""
        with self._lock:
            self._wakers.pop(key, None)

    def close(self) -> None:
        """Let every listener go."""
        with self._lock:
            self.closed = True
            wakers = [wake for _, wake in self._wakers.values()]
        for wake in wakers:
            wake()
