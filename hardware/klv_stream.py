"""Packets of drone metadata out of a stream of bytes, however it was cut, damaged or delayed."""

from collections import Counter
from collections.abc import Mapping

from hardware.klv_st0601 import (
    MAX_VALUE_BYTES,
    UNIVERSAL_KEY,
    BadKlv,
    KlvMetadata,
    ber_length,
    parse_packet,
)


class KlvReader:
    """Cuts packets out of a stream of bytes; what is no packet is skipped and counted.

    Holds at most one packet's worth of bytes, whatever comes.
    """

    def __init__(self) -> None:
        self._pending = b""
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> Mapping[str, int]:
        """`packets` believed, `unknown_tags` and `error_values` in them, and refusals by reason."""
        return dict(self._counters)

    @property
    def refused(self) -> int:
        """Packets that were not believed."""
        counts = self._counters
        good = ("packets", "unknown_tags", "error_values", "skipped_bytes")
        return sum(count for name, count in counts.items() if name not in good)

    def feed(self, data: bytes) -> list[KlvMetadata]:
        """The packets that these bytes complete, in order."""
        self._pending += data
        found = []
        while (packet := self._next()) is not None:
            try:
                metadata = parse_packet(packet)
            except BadKlv as error:
                self._counters[error.reason] += 1
                continue
            self._counters["packets"] += 1
            self._counters["unknown_tags"] += metadata.unknown_tags
            self._counters["error_values"] += metadata.error_values
            found.append(metadata)
        return found

    def finish(self) -> None:
        """The stream is over (or was cut): a packet that is not whole is counted."""
        if self._pending.startswith(UNIVERSAL_KEY):
            self._counters["truncated"] += 1
        elif self._pending:
            self._counters["skipped_bytes"] += len(self._pending)
        self._pending = b""

    def _next(self) -> bytes | None:
        """The next candidate: from a key to the end that its length promises."""
        while self._seek():
            try:
                length, start = ber_length(self._pending, 16)
            except BadKlv as error:
                if error.reason == "truncated" and len(self._pending) < 25:
                    return None
                self._drop(error.reason)
                continue
            if length > MAX_VALUE_BYTES:
                self._drop("oversized")
                continue
            end = start + length
            # A key cannot stand inside a packet: this one was cut, and the next one is here.
            again = self._pending.find(UNIVERSAL_KEY, 16, end)
            if again > 0:
                self._counters["truncated"] += 1
                self._pending = self._pending[again:]
                continue
            if len(self._pending) < end:
                return None
            packet, self._pending = self._pending[:end], self._pending[end:]
            return packet
        return None

    def _seek(self) -> bool:
        """Skip to the next key; false when none is there yet."""
        at = self._pending.find(UNIVERSAL_KEY)
        if at < 0:
            keep = _tail_of_key(self._pending)
            self._counters["skipped_bytes"] += len(self._pending) - keep
            self._pending = self._pending[len(self._pending) - keep :]
            return False
        self._counters["skipped_bytes"] += at
        self._pending = self._pending[at:]
        return True

    def _drop(self, reason: str) -> None:
        self._counters[reason] += 1
        self._pending = self._pending[16:]


def _tail_of_key(data: bytes) -> int:
    """How many of the last bytes may be the beginning of a key."""
    for size in range(min(15, len(data)), 0, -1):
        if UNIVERSAL_KEY.startswith(data[-size:]):
            return size
    return 0
