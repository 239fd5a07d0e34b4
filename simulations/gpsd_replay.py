"""A simulated receiver in front of a real gpsd: by gpsfake from a log, or live over a pseudo-terminal.

The log is for what has been recorded once; the live line runs by the scenario's clock and can show
every fault, the daemon's death among them. Both keep to loopback and to shared memory of their own,
so that neither disturbs a gpsd or a time service of the machine.
"""

import math
import os
import pty
import shutil
import signal
import socket
import subprocess
import termios
import tty
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from runtime.clock import Clock
from runtime.errors import AskOperator, Broken
from simulations.gpsd_nmea import sentences
from simulations.gpsd_receiver import Receiver
from simulations.scenario_node import GpsdFaultSettings

_PATH = os.pathsep.join((os.defpath, "/usr/local/bin", "/usr/sbin", "/sbin"))
_STOP_S = 5.0
_LOOK_EVERY_S = 1.0
_UNIX = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PACKAGES = {"gpsd": "gpsd", "gpsfake": "gpsd-clients"}
_LEASH = 'exec 3<&0; "$@" & child=$!; (cat <&3 >/dev/null; kill "$child") & wait "$child"'
"""Holds a program for as long as our end of its stdin is open: it ends with us, however we end."""
_GARBAGE = b"\xb5b\x01\x07\x00\r\n"


def program(name: str, *, path: str = _PATH) -> str:
    """Return the path of one of gpsd's programs.

    Raises:
        AskOperator: it is not installed.
    """
    found = shutil.which(name, path=path)
    if found is None:
        raise AskOperator(
            field=name,
            value="not on this machine",
            allowed="an installed gpsd",
            next_step=f"apt-get install {_PACKAGES[name]}, or use the built-in server",
        )
    return found


def free_port() -> int:
    """Return a port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Line:
    """What comes down the serial line at each epoch, faults of the line included.

    Args:
        receiver: who speaks.
        faults: `slow` leaves epochs out, `half_lines` breaks sentences; others are the receiver's.
        rate_hz: epochs a second.
    """

    def __init__(
        self, receiver: Receiver, faults: Sequence[GpsdFaultSettings] = (), *, rate_hz: float = 1.0
    ) -> None:
        self._receiver = receiver
        self._faults = tuple(faults)
        self._period_s = 1.0 / rate_hz
        self._told_s = -math.inf
        self._random = np.random.default_rng((receiver.settings.seed, 6))

    def epoch(self, t_s: float, t_utc: datetime, *, whole: bool = False) -> bytes:
        """Return an epoch's bytes; empty while the receiver is slow. Epochs are asked in order.

        Args:
            t_s: scenario time.
            t_utc: true UTC.
            whole: leave `half_lines` out.
        """
        slow = self.fault("slow", t_s)
        if slow is not None and t_s - self._told_s < slow.every_s - self._period_s / 2.0:
            return b""
        self._told_s = t_s
        lines = [line.encode("ascii") for line in sentences(self._receiver.reading(t_s, t_utc))]
        if not whole and self.fault("half_lines", t_s) is not None:
            lines = [self._broken(line) for line in lines]
        return b"".join(lines)

    def fault(self, kind: str, t_s: float) -> GpsdFaultSettings | None:
        """Return the fault of a kind that holds at a moment."""
        return next((f for f in self._faults if f.kind == kind and f.holds(t_s)), None)

    def _broken(self, line: bytes) -> bytes:
        kind = int(self._random.integers(3))
        if kind == 0:
            return line[: int(self._random.integers(1, len(line) - 2))]
        return _GARBAGE + line if kind == 1 else line


def write_log(
    line: Line, file: Path, *, start_utc: datetime, duration_s: float, rate_hz: float = 1.0
) -> int:
    """Write what a receiver says into a log that gpsfake can play.

    A log knows no time: an epoch that a slow receiver leaves out is not a pause in it. Nor has it
    broken lines: gpsfake reads it with a parser of its own, and ends it at the first of them.

    Returns:
        The number of sentences.
    """
    count = 0
    with file.open("wb") as out:
        for k in range(math.floor(duration_s * rate_hz)):
            data = line.epoch(k / rate_hz, start_utc + timedelta(seconds=k / rate_hz), whole=True)
            count += data.count(b"\r\n")
            out.write(data)
    return count


class Gpsfake:
    """A worker: what a receiver says in a stretch of time, played for ever to a real gpsd by gpsfake.

    The receiver's time is the log's, over and over, whatever the machine's clock says.

    Args:
        line: what comes down the line.
        start_utc: of the log.
        duration_s: of the log.
        rate_hz: epochs a second.
        pause_s: between sentences; without one the log plays as long as it lasts.
        port: on loopback; 0 takes a free one.
        name: of the worker.

    Raises:
        AskOperator: gpsd or gpsfake is not installed.
    """

    def __init__(
        self,
        line: Line,
        *,
        start_utc: datetime,
        duration_s: float,
        rate_hz: float = 1.0,
        pause_s: float | None = None,
        port: int = 0,
        name: str = "gpsd",
    ) -> None:
        self.name = name
        gpsfake, _ = program("gpsfake"), program("gpsd")
        self.port = port or free_port()
        self._folder = TemporaryDirectory(prefix="border-sim-gpsfake-")
        log = Path(self._folder.name) / "receiver.nmea"
        sentence_count = write_log(
            line, log, start_utc=start_utc, duration_s=duration_s, rate_hz=rate_hz
        )
        if pause_s is None:
            pause_s = duration_s / max(1, sentence_count)
        command = (gpsfake, "-q", "-c", f"{pause_s:.4f}", "-P", str(self.port), str(log))
        self._child = _start(command, log.with_suffix(".log"), self.port)

    def step(self, now_s: float) -> float:
        """Look whether it still plays."""
        del now_s
        if self._child.poll() is not None:
            raise Broken("gpsfake plays on", found=f"exit code {self._child.returncode}")
        return _LOOK_EVERY_S

    def close(self) -> None:
        """End gpsfake and its gpsd."""
        _stop(self._child)
        self._folder.cleanup()


class LiveGpsd:
    """A worker: a real gpsd behind a pseudo-terminal that the simulated receiver speaks into.

    Args:
        line: what comes down the line; its `death` fault kills the daemon and later starts it anew.
        clock: UTC of the epochs.
        scene_time_s: returns the scenario's time now.
        out: file for what gpsd says; None keeps nothing of it.
        port: on loopback; 0 takes a free one.
        rate_hz: epochs a second.
        name: of the worker.
    """

    def __init__(
        self,
        line: Line,
        clock: Clock,
        scene_time_s: Callable[[], float],
        *,
        out: Path | None = None,
        port: int = 0,
        rate_hz: float = 1.0,
        name: str = "gpsd",
    ) -> None:
        self.name = name
        self.port = port or free_port()
        self.epochs = 0
        self.epochs_lost = 0
        self.deaths = 0
        self._line = line
        self._clock = clock
        self._scene_time_s = scene_time_s
        self._out = out
        self._period_s = 1.0 / rate_hz
        self._gpsd = program("gpsd")
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        mode = termios.tcgetattr(self._slave)
        mode[4] = mode[5] = termios.B9600
        termios.tcsetattr(self._slave, termios.TCSANOW, mode)
        os.set_blocking(self._master, False)  # its only form
        self.device = os.ttyname(self._slave)
        # gpsd gives up root before it opens the line.
        Path(self.device).chmod(0o666)
        self._child: subprocess.Popen[bytes] | None = None
        self._epoch = self._last_epoch()

    def step(self, now_s: float) -> float:
        """Send the epoch that is due; returns seconds until the next one is."""
        del now_s
        scene_s = self._scene_time_s()
        dead = self._line.fault("death", scene_s) is not None
        if dead and self._child is not None:
            self.deaths += 1
            _stop(self._child)
            self._child = None
        elif not dead and self._child is None:
            command = (self._gpsd, "-N", "-n", "-b", "-S", str(self.port), self.device)
            self._child = _start(command, self._out, self.port)
        elif self._child is not None and self._child.poll() is not None:
            code, child, self._child = self._child.returncode, self._child, None
            _stop(child)
            raise Broken("gpsd runs on", found=f"exit code {code}")
        self._swallow()
        epoch = self._last_epoch()
        if epoch > self._epoch:
            self._epoch = epoch
            t_utc = _UNIX + timedelta(seconds=epoch * self._period_s)
            age_s = (self._clock.utc() - t_utc).total_seconds()
            self._send(self._line.epoch(max(0.0, scene_s - age_s), t_utc))
        into_s = (self._clock.utc() - _UNIX).total_seconds() % self._period_s
        return self._period_s - into_s

    def close(self) -> None:
        """End the daemon and give the line back."""
        if self._child is not None:
            _stop(self._child)
        os.close(self._master)
        os.close(self._slave)

    def _last_epoch(self) -> int:
        return math.floor((self._clock.utc() - _UNIX).total_seconds() / self._period_s)

    def _send(self, data: bytes) -> None:
        """Write an epoch; with nobody reading, the line is full, and a receiver does not wait."""
        try:
            os.write(self._master, data)
            self.epochs += 1
        except BlockingIOError:
            self.epochs_lost += 1

    def _swallow(self) -> None:
        """Read what gpsd tells its receiver: this one takes no orders."""
        try:
            while os.read(self._master, 4096):
                pass
        except BlockingIOError:
            return


def _start(command: Sequence[str], out: Path | None, port: int) -> subprocess.Popen[bytes]:
    environment = {"PATH": _PATH, "GPSD_SHM_KEY": f"0x4770{port:04X}", "PYTHONUNBUFFERED": "1"}
    if out is not None:
        environment["TMPDIR"] = str(out.parent)
    with Path(os.devnull if out is None else out).open("ab") as stream:
        return subprocess.Popen(
            ("/bin/sh", "-c", _LEASH, "sh", *command),
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=stream,
            env=environment,
            start_new_session=True,
        )


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Let the leash go, which ends what it held; by force if that does not help."""
    assert child.stdin is not None
    child.stdin.close()
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
