"""gpsd-py3 as the reader, in a process of its own, behind the same driver as our own reader.

The library has one connection per process, waits for ever on a silent gpsd, never reconnects, and
says 0.0 for what it was not told. So a child process uses it and prints what it says as gpsd's own
JSON (`py3_child`); to the driver the child is a byte stream like any other, with the same time-outs,
checks, back-off and judgement. A child that waits too long ends itself; the driver starts another.
"""

import contextlib
import importlib.util
import os
import select
import subprocess
import sys
from pathlib import Path

from hardware.position_gpsd.stream import Connect

_CHILD = Path(__file__).with_name("py3_child.py")
_MOST_BYTES = 65_536
_END_S = 1.0


def installed() -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec("gpsd") is not None


def connect(host: str, port: int) -> Connect:
    """Return what starts a reader of that gpsd."""
    address = "127.0.0.1" if host == "localhost" else host
    return lambda: ChildStream((sys.executable, "-I", str(_CHILD), address, str(port)))


class ChildStream:
    """See `hardware.position_gpsd.stream.ByteStream`: what a child process prints.

    Args:
        command: of the child.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._child.stdout is not None
        self._out = self._child.stdout.fileno()

    def send(self, data: bytes) -> None:
        """The library has its own requests."""

    def receive(self, timeout_s: float) -> bytes | None:
        """See `ByteStream`."""
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        if not poll.poll(max(0.0, timeout_s) * 1000.0):
            return None
        return os.read(self._out, _MOST_BYTES)

    def close(self) -> None:
        """End the child, whatever it waits for."""
        self._child.kill()
        assert self._child.stdout is not None
        self._child.stdout.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_END_S)  # Killed, it may still hang in the kernel: not our wait.
