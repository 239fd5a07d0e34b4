"""A telemetry log as a source: the frames of a flight, each at its time.

A .tlog is a row of eight bytes (big-endian microseconds of UTC) and a frame, as ground stations
write it.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from hardware.autopilot_mavlink.dialect import CRC_EXTRA
from hardware.autopilot_mavlink.frames import SIGNATURE_BYTES, SIGNED, V1, V2, FrameReader
from hardware.autopilot_mavlink.links import Chunk
from runtime.clock import Clock
from runtime.errors import AskOperator

_STAMP_BYTES = 8
_FAST_FRAMES = 200
"""Of one reading when as fast as asked."""
_LOOKED_AT = 1000
"""Records, before a file is said to be no log."""
_LONGEST_GAP_S = 600.0
"""A stamp that leaps farther is a broken one, or another flight: the log goes on at once."""


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Every (microseconds, frame) of a log; a broken place is passed over byte by byte.

    A place is a record where a frame begins behind its stamp, and the next record (or the end)
    behind that.
    """
    at, end = 0, len(data)
    while at + _STAMP_BYTES + 8 <= end:
        length = _frame_bytes(data, at + _STAMP_BYTES)
        following = at + _STAMP_BYTES + length
        if length and following <= end and _begins(data, following):
            yield (
                int.from_bytes(data[at : at + _STAMP_BYTES], "big"),
                data[at + _STAMP_BYTES : following],
            )
            at = following
        else:
            at += 1


def _frame_bytes(data: bytes, at: int) -> int:
    """Length of the frame that would begin here; 0 where none does."""
    if at + 3 > len(data):
        return 0
    if data[at] == V1:
        return 8 + data[at + 1]
    if data[at] == V2:
        return 12 + data[at + 1] + (SIGNATURE_BYTES if data[at + 2] & SIGNED else 0)
    return 0


def _holds_a_frame(data: bytes) -> bool:
    """Whether one of the first records is a frame whose checksum is right."""
    reader = FrameReader(CRC_EXTRA)
    return any(reader.feed(frame) for _, frame in islice(records(data), _LOOKED_AT))


def _begins(data: bytes, at: int) -> bool:
    magic = at + _STAMP_BYTES
    return magic >= len(data) or data[magic] in (V1, V2)


class TlogLink:
    """Reads a log as if it were a line; what is written to it goes nowhere.

    Args:
        path: of the log.
        clock: the node's; the log's first frame falls on the moment of opening.
        fast: give it out as fast as it is asked for, with arrival times that run ahead of the
            clock as the flight did; else wait for each frame's time.
        pause: waits so many seconds.

    Raises:
        AskOperator: the file cannot be read, or holds no record.
    """

    def __init__(
        self, path: Path, clock: Clock, *, fast: bool, pause: Callable[[float], None]
    ) -> None:
        self._clock = clock
        self._fast = fast
        self._pause = pause
        try:
            data = path.read_bytes()
        except OSError as error:
            raise AskOperator(
                field="autopilot.log_file",
                value=str(path),
                allowed="a telemetry log that can be read",
                next_step=f"{error.strerror}: correct the path",
            ) from None
        self._records = records(data)
        self._next = next(self._records, None)
        if self._next is None or not _holds_a_frame(data):
            raise AskOperator(
                field="autopilot.log_file",
                value=str(path),
                allowed="a telemetry log (.tlog) with at least one frame",
                next_step="take a log that a ground station wrote, not the vehicle's own .BIN",
            )
        self._start_s = clock.monotonic_s()
        self._log_s = 0.0
        self._stamp_us = self._next[0]

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        """The frames whose time has come.

        Raises:
            EOFError: the log is over.
        """
        if self._next is None:
            raise EOFError("the telemetry log is over")
        until_s = self._clock.monotonic_s() + max(0.0, timeout_s)
        found: list[Chunk] = []
        while self._next is not None and len(found) < _FAST_FRAMES:
            due_s = self._due_s(self._next[0])
            if not self._fast and due_s > self._clock.monotonic_s():
                if found or due_s > until_s:
                    break
                self._pause(due_s - self._clock.monotonic_s())
            stamp_us, frame = self._next
            self._log_s, self._stamp_us = due_s - self._start_s, stamp_us
            found.append(Chunk(due_s, frame))
            self._next = next(self._records, None)
        if not found and not self._fast:
            self._pause(max(0.0, until_s - self._clock.monotonic_s()))
        return found

    def write(self, data: bytes) -> None:
        """Nobody is there."""

    def close(self) -> None:
        """Forget the rest."""
        self._next = None

    def _due_s(self, stamp_us: int) -> float:
        step_s = (stamp_us - self._stamp_us) / 1e6
        if not 0.0 <= step_s <= _LONGEST_GAP_S:
            step_s = 0.0
        return self._start_s + self._log_s + step_s
