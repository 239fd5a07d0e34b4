"""Every thread of a process: the list, their beats, their restart budget and their orderly stop.

A worker is a class with `step(now_s)`; a thread only loops over it. A simulation calls `step`
itself on its own clock and starts no thread.
"""

import math
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from runtime.clock import Clock
from runtime.errors import Broken
from runtime.log import get_logger

_RESTARTS_PER_MINUTE = 5
_RESTART_PAUSE_S = 1.0
_LATER_STAGE_S = 2.0
_OWN_STOP_S = 5.0
"""A tenth of a second's sleep that took so long: the whole process was stopped, or the machine."""
_ASKED_EVERY_S = 0.1
"""How often a sleeping `Supervisor.wait` looks whether it was asked to stop."""


class Worker(Protocol):
    """One job that owns one resource."""

    @property
    def name(self) -> str:
        """Unique in the process."""
        ...

    def step(self, now_s: float) -> float:
        """Do what is due.

        Args:
            now_s: Monotonic seconds.

        Returns:
            Seconds until it wants to be called again; 0 for at once (it waits for its own
            resource, with a time-out of its own).
        """
        ...

    def close(self) -> None:
        """Give the resource back; called once, in the worker's own thread, after its last step."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Sign of life of one worker.

    Attributes:
        name: Of the worker.
        age_s: Since its last finished step.
        stale: Older than the worker was allowed.
        restarts: Times it raised since the start.
    """

    name: str
    age_s: float
    stale: bool
    restarts: int


@dataclass(slots=True, kw_only=True)
class _Entry:
    worker: Worker
    beat_timeout_s: float
    beat_s: float
    stage: int
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    restarts: int = 0
    raised_s: deque[float] = field(default_factory=lambda: deque(maxlen=_RESTARTS_PER_MINUTE + 1))


class Supervisor:
    """Runs workers in threads of their own and says when the process had better end.

    Args:
        clock: For beats and the restart budget.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._ended = threading.Event()
        self._asked = False
        self._failed = False
        self._log = get_logger(worker="supervisor")

    def add(self, worker: Worker, *, beat_timeout_s: float, stage: int = 0) -> None:
        """Put a worker on the list; before `start`.

        Args:
            worker: Its name must be new.
            beat_timeout_s: Longest time one step may take before the worker counts as stuck.
            stage: At the end, workers of a lower stage are closed before those of a higher one are
                told to stop, so that last words still find their way out.
        """
        if worker.name in self._entries:
            raise Broken("worker names are unique", found=worker.name)
        self._entries[worker.name] = _Entry(
            worker=worker,
            beat_timeout_s=beat_timeout_s,
            beat_s=self._clock.monotonic_s(),
            stage=stage,
        )

    def start(self) -> None:
        """Start one thread per worker."""
        for name, entry in self._entries.items():
            entry.beat_s = self._clock.monotonic_s()
            entry.thread = threading.Thread(
                target=self._loop, args=(entry,), name=name, daemon=True
            )
            entry.thread.start()

    def beats(self) -> tuple[Beat, ...]:
        """Signs of life, in the order the workers were added."""
        now_s = self._clock.monotonic_s()
        return tuple(
            Beat(
                name=name,
                age_s=now_s - entry.beat_s,
                stale=now_s - entry.beat_s > entry.beat_timeout_s,
                restarts=entry.restarts,
            )
            for name, entry in self._entries.items()
        )

    @property
    def failed(self) -> bool:
        """Whether a worker used up its restarts or stopped beating; the process should exit non-zero."""
        return self._failed

    def wait(self, timeout_s: float) -> bool:
        """Sleep until something ends the process or the time is over; checks the beats.

        Args:
            timeout_s: At most this long.

        Returns:
            True when the process should end now.
        """
        for _ in range(max(1, math.ceil(timeout_s / _ASKED_EVERY_S))):
            asleep_s = self._clock.monotonic_s()
            if self._asked or self._ended.wait(min(timeout_s, _ASKED_EVERY_S)):
                return True
            self._excuse_own_stop(self._clock.monotonic_s() - asleep_s)
        for beat in self.beats():
            if beat.stale:
                self._log.error("worker_stuck", stuck=beat.name, age_s=round(beat.age_s, 1))
                self._fail()
        return self._asked or self._ended.is_set()

    def _excuse_own_stop(self, slept_s: float) -> None:
        """Begin to count anew after a suspend of the machine or a stop of the process.

        Whoever slept himself cannot call the others late.
        """
        if slept_s <= _OWN_STOP_S:
            return
        self._log.warning("process_was_stopped", seconds=round(slept_s, 1))
        now_s = self._clock.monotonic_s()
        for entry in self._entries.values():
            entry.beat_s = max(entry.beat_s, now_s)

    def request_stop(self) -> None:
        """Ask for an orderly end; safe in a signal handler and in any worker.

        It takes no lock: a handler may have interrupted the very thread that holds it.
        """
        self._asked = True

    def stop(self, *, timeout_s: float = 10.0) -> tuple[str, ...]:
        """End every worker after its present step and close it, stage by stage.

        Args:
            timeout_s: For all of them together; of it every later stage keeps two seconds.

        Returns:
            Names of the workers that did not end in time.
        """
        self.request_stop()
        stages = sorted({entry.stage for entry in self._entries.values()})
        until_s = self._clock.monotonic_s() + timeout_s
        late: list[str] = []
        for number, stage in enumerate(stages, 1):
            members = {n: entry for n, entry in self._entries.items() if entry.stage == stage}
            for entry in members.values():
                entry.stop.set()
            kept_s = _LATER_STAGE_S * (len(stages) - number)
            for name, entry in members.items():
                if entry.thread is None:
                    continue
                entry.thread.join(max(0.0, until_s - kept_s - self._clock.monotonic_s()))
                if entry.thread.is_alive():
                    late.append(name)
        if late:
            self._log.error("workers_did_not_end", workers=late)
        return tuple(late)

    def _fail(self) -> None:
        self._failed = True
        self._ended.set()

    def _loop(self, entry: _Entry) -> None:
        log = get_logger(worker=entry.worker.name)
        try:
            while not entry.stop.is_set():
                pause_s = self._guarded_step(entry)
                if math.isinf(pause_s):
                    return
                if pause_s > 0:
                    # A sleeping worker is a healthy one: its beat is due after the pause.
                    entry.beat_s = self._clock.monotonic_s() + pause_s
                    entry.stop.wait(pause_s)
                entry.beat_s = self._clock.monotonic_s()
        finally:
            try:
                entry.worker.close()
            except Exception:
                log.exception("worker_close_failed")

    def _guarded_step(self, entry: _Entry) -> float:
        """One step; infinity when the restart budget is used up."""
        try:
            return entry.worker.step(self._clock.monotonic_s())
        except Exception:
            now_s = self._clock.monotonic_s()
            entry.restarts += 1
            entry.raised_s.append(now_s)
            log = get_logger(worker=entry.worker.name)
            log.exception("worker_raised", restarts=entry.restarts)
            if len(entry.raised_s) > _RESTARTS_PER_MINUTE and now_s - entry.raised_s[0] < 60.0:
                log.critical("worker_gave_up", restarts=entry.restarts)
                self._fail()
                return math.inf
            return _RESTART_PAUSE_S
