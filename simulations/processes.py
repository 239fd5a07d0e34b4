"""The demonstration's child processes: started, watched, and stopped in order, also after a crash."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from runtime.errors import AskOperator, BorderWatchError

_STOP_S = 30.0
"""The worst orderly end of a station takes longer than 15 s."""
_POLL_S = 0.1
_TAIL_LINES = 15


class ProcessEnded(BorderWatchError):
    """A process that should run has ended by itself."""

    def __init__(self, name: str, code: int, log: Path) -> None:
        self.name = name
        self.code = code
        self.log = log
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        super().__init__(
            f"{name} ended with exit code {code}; the end of {log}:\n" + "\n".join(lines)
        )


class Processes:
    """Children of one demonstration, newest stopped first.

    Args:
        folder: logs and the list of process ids go here.
        environment: of the children.
        root: their working folder.
    """

    def __init__(self, *, folder: Path, environment: Mapping[str, str], root: Path) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._root = root
        self._running: list[tuple[str, subprocess.Popen[bytes], Path]] = []

    def call(self, name: str, command: Sequence[str], *, stdin: str = "") -> str:
        """Run a command to its end and return what it printed.

        Raises:
            AskOperator: it failed; its own words are in the message.
        """
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=120,
            cwd=self._root, env=self._environment,
        )  # fmt: skip
        if done.returncode != 0:
            raise AskOperator(
                field=name,
                value=f"exit code {done.returncode}",
                allowed=f"exit code 0 of: {' '.join(command)}",
                next_step=(done.stderr or done.stdout).strip() or "run it by hand and look",
            )
        return done.stdout

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process in a session of its own, so that Ctrl-C reaches us alone."""
        log = self._folder / f"{name}.log"
        with log.open("ab") as stream:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                cwd=self._root, env=self._environment, start_new_session=True,
            )  # fmt: skip
        self._running.append((name, child, log))
        self._write()

    def check(self) -> None:
        """Look whether all still run.

        Raises:
            ProcessEnded: one does not.
        """
        for name, child, log in self._running:
            code = child.poll()
            if code is not None:
                raise ProcessEnded(name, code, log)

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: child.pid for name, child, _ in self._running}

    def stop(self) -> tuple[str, ...]:
        """End all in the opposite order of their start; returns those that had to be killed."""
        killed = []
        while self._running:
            name, child, _ = self._running.pop()
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(_STOP_S)
                except subprocess.TimeoutExpired:
                    killed.append(name)
                    child.kill()
                    child.wait()
        self._list.unlink(missing_ok=True)
        return tuple(killed)

    def end_leftovers(self) -> tuple[str, ...]:
        """End processes of an earlier run that was killed before it could stop them.

        Only a process whose command line still names this very folder is touched.
        """
        try:
            left = json.loads(self._list.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ()
        ended = []
        for name, pid in left.items() if isinstance(left, dict) else ():
            if isinstance(pid, int) and str(self._folder) in _command_line(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
                _wait_gone(pid, str(self._folder))
                ended.append(str(name))
        self._list.unlink(missing_ok=True)
        return tuple(ended)

    @property
    def _list(self) -> Path:
        return self._folder / "processes.json"

    def _write(self) -> None:
        self._list.write_text(json.dumps(self.pids()) + "\n", encoding="utf-8")


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let Ctrl-C, a terminal that is closed and a plain ``kill`` unwind what stands inside, once.

    Whatever asks again meanwhile is not heard: children that are being ended are ended.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)

    def end(number: int, _frame: FrameType | None) -> None:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port() -> int:
    """Return a TCP port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ground_command(*words: str) -> list[str]:
    """Return the station's command line."""
    return [sys.executable, "-m", "ground_station.cli", *words]


def edge_command(*words: str) -> list[str]:
    """Return a node's command line."""
    return [sys.executable, "-m", "edge.cli", *words]


def _command_line(pid: int) -> str:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode("utf-8", errors="replace")


def _wait_gone(pid: int, mark: str) -> None:
    until_s = time.monotonic() + _STOP_S
    while mark in _command_line(pid):
        if time.monotonic() > until_s:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return
        time.sleep(_POLL_S)
