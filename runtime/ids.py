"""ULIDs from a given clock and a given source of randomness.

Source: the ULID specification (48 bits of milliseconds, 80 random bits, Crockford's base 32).
"""

import random
import threading

from runtime.clock import Clock

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80


class UlidSource:
    """Makes ULIDs that sort by time, and within one millisecond by the order they were made in.

    Args:
        clock: Gives the milliseconds.
        source: Gives the random bits; ``random.SystemRandom()`` in real processes, a seeded
            ``random.Random`` where a run must be repeatable.
    """

    def __init__(self, clock: Clock, source: random.Random) -> None:
        self._clock = clock
        self._source = source
        self._lock = threading.Lock()
        self._last = 0

    def new(self) -> str:
        """26 upper-case characters, larger than every one this source made before."""
        now_ms = int(self._clock.utc().timestamp() * 1000)
        with self._lock:
            if now_ms > self._last >> _RANDOM_BITS:
                self._last = (now_ms << _RANDOM_BITS) | self._source.getrandbits(_RANDOM_BITS)
            else:  # Same millisecond, or UTC stepped back: stay in order.
                self._last += 1
            value = self._last
        return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))
