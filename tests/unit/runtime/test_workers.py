"""Workers: looped over, restarted within a budget, closed in their own thread."""

import io
import json
import logging
import threading
from datetime import datetime, timezone

import pytest
import structlog

from runtime.clock import ManualClock, SystemClock
from runtime.errors import AskOperator, Broken, RetryLater
from runtime.log import Repeated, configure, get_logger
from runtime.workers import Supervisor

START_UTC = datetime(2026, 3, 1, 2, 40, tzinfo=timezone.utc)


class Counting:
    """Counts its steps, and raises on the first `faults` of them."""

    def __init__(self, name: str = "counting", *, until: int = 5, faults: int = 0) -> None:
        self.name = name
        self.steps = 0
        self.done = threading.Event()
        self.closed_by: str | None = None
        self._until = until
        self._faults = faults

    def step(self, now_s: float) -> float:
        self.steps += 1
        if self.steps <= self._faults:
            raise OSError("the cable is out")
        if self.steps >= self._until:
            self.done.set()
        return 0.001

    def close(self) -> None:
        self.closed_by = threading.current_thread().name


def test_worker_is_stepped_until_stopped_and_closed_in_its_own_thread():
    """Start, steps, stop, close: and the resource is given back where it was used."""
    supervisor = Supervisor(SystemClock())
    worker = Counting()
    supervisor.add(worker, beat_timeout_s=5)
    supervisor.start()
    assert worker.done.wait(20)
    assert supervisor.stop() == ()
    assert worker.closed_by == "counting"
    assert not supervisor.failed


def test_later_stage_is_told_to_stop_when_the_earlier_one_is_closed():
    """What a worker says in its `close` still finds the way out open."""
    order: list[str] = []

    class Ordered(Counting):
        def close(self) -> None:
            super().close()
            order.append(self.name)

    supervisor = Supervisor(SystemClock())
    out, source = Ordered("out"), Ordered("source")
    supervisor.add(out, beat_timeout_s=5, stage=1)
    supervisor.add(source, beat_timeout_s=5)
    supervisor.start()
    assert out.done.wait(20)
    assert () == supervisor.stop()
    assert ["source", "out"] == order


def test_two_workers_of_one_name_are_refused():
    """Beats and logs go by name, so a name stands for one worker."""
    supervisor = Supervisor(SystemClock())
    supervisor.add(Counting(), beat_timeout_s=5)
    with pytest.raises(Broken, match="unique"):
        supervisor.add(Counting(), beat_timeout_s=5)


def test_worker_that_raises_too_often_ends_the_process(monkeypatch):
    """Five restarts a minute are forgiven, the sixth fault is not."""
    monkeypatch.setattr("runtime.workers._RESTART_PAUSE_S", 0.0)
    supervisor = Supervisor(ManualClock(START_UTC))
    worker = Counting(faults=1000)
    supervisor.add(worker, beat_timeout_s=5)
    supervisor.start()
    assert supervisor.wait(20)
    supervisor.stop()
    assert (supervisor.failed, worker.steps) == (True, 6)


def test_worker_that_raises_once_goes_on(monkeypatch):
    """One fault is logged, counted and survived."""
    monkeypatch.setattr("runtime.workers._RESTART_PAUSE_S", 0.0)
    supervisor = Supervisor(SystemClock())
    worker = Counting(faults=1)
    supervisor.add(worker, beat_timeout_s=5)
    supervisor.start()
    assert worker.done.wait(20)
    assert [beat.restarts for beat in supervisor.beats()] == [1]
    supervisor.stop()
    assert not supervisor.failed


def test_stuck_worker_is_noticed_by_its_beat():
    """A step that never returns makes the beat stale, and the process ends."""
    clock = ManualClock(START_UTC)
    release = threading.Event()
    inside = threading.Event()

    class Stuck(Counting):
        def step(self, now_s: float) -> float:
            inside.set()
            release.wait(60)
            return 1.0

    supervisor = Supervisor(clock)
    supervisor.add(Stuck("stuck"), beat_timeout_s=5)
    supervisor.start()
    assert inside.wait(20)
    assert not supervisor.wait(0.0)
    clock.advance(6)
    assert supervisor.wait(0.0)
    assert supervisor.failed
    release.set()
    supervisor.stop()


def test_suspended_machine_wakes_without_a_stuck_worker(monkeypatch):
    """An hour's sleep in the middle of a look excuses the beats; a worker stuck after it does not."""
    clock = ManualClock(START_UTC)
    release, inside = threading.Event(), threading.Event()

    class Stuck(Counting):
        def step(self, now_s: float) -> float:
            inside.set()
            release.wait(60)
            return 1.0

    supervisor = Supervisor(clock)
    supervisor.add(Stuck("stuck"), beat_timeout_s=5)
    supervisor.start()
    assert inside.wait(20)
    with monkeypatch.context() as patch:
        patch.setattr(supervisor._ended, "wait", lambda _timeout_s: clock.advance(3600.0) or False)
        assert not supervisor.wait(0.0)
    assert not supervisor.failed
    clock.advance(6)
    assert supervisor.wait(0.0)
    assert supervisor.failed
    release.set()
    supervisor.stop()


def test_request_to_stop_takes_no_lock(monkeypatch):
    """A signal handler may interrupt the thread that holds the lock of what it would set."""
    supervisor = Supervisor(SystemClock())
    assert not supervisor.wait(0.0)

    def locks(_event) -> None:
        raise AssertionError("an event was set, which takes its lock")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Event, "set", locks)
        supervisor.request_stop()
    assert supervisor.wait(20)
    assert not supervisor.failed


def test_errors_read_as_one_sentence_and_carry_their_facts():
    """Facts are attributes; the sentence names field, value, allowed and next step."""
    ask = AskOperator(field="rate_hz", value=40, allowed="0..10", next_step="lower it")
    assert (str(ask), ask.value) == ("rate_hz is 40; allowed is 0..10; lower it", 40)
    retry = RetryLater("the broker refused", retry_after_s=2.0)
    assert (str(retry), retry.retry_after_s) == ("the broker refused; trying again in 2 s", 2.0)


def test_repeated_fault_is_logged_first_every_tenth_and_when_over():
    """Hours without a camera make a handful of lines, not thousands."""
    lines: list[tuple[str, int]] = []

    class Lines:
        def warning(self, event: str, *, times: int) -> None:
            lines.append((event, times))

        info = warning

    repeated = Repeated(Lines(), "camera_lost")  # type: ignore[arg-type]
    for _ in range(25):
        repeated.fault()
    repeated.over()
    repeated.over()
    assert lines == [
        ("camera_lost", 1),
        ("camera_lost", 10),
        ("camera_lost", 20),
        ("camera_lost_over", 25),
    ]


def test_library_lines_and_ours_come_out_alike():
    """One handler, one JSON object a line, whoever wrote it."""
    out = io.StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        configure(json=True, level="INFO", stream=out)
        get_logger(worker="uplink").info("connected", broker="127.0.0.1")
        logging.getLogger("paho").warning("lost %s", "socket")
    finally:
        structlog.reset_defaults()
        for handler in list(root.handlers):
            root.removeHandler(handler)
        for handler in before:
            root.addHandler(handler)
        root.setLevel(level)
    ours, theirs = (json.loads(line) for line in out.getvalue().splitlines())
    assert (ours["event"], ours["worker"], ours["level"]) == ("connected", "uplink", "info")
    assert (theirs["event"], theirs["level"]) == ("lost socket", "warning")
    assert set(ours) >= {"timestamp", "logger"}
    assert set(theirs) >= {"timestamp", "logger"}
