"""Children are started apart, watched, stopped newest first, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import AskOperator
from simulations.processes import ProcessEnded, Processes, ended_in_order

WAITS = "import signal, sys; print('up', flush=True); signal.pause()"


@pytest.fixture
def processes(tmp_path):
    made = Processes(folder=tmp_path, environment=dict(os.environ), root=tmp_path)
    yield made
    made.stop()


def test_a_running_child_passes_the_check_and_stops(processes, tmp_path):
    """A child that runs is fine; stop ends it and forgets its number."""
    processes.start("one", [sys.executable, "-c", WAITS, str(tmp_path)])
    processes.check()
    (pid,) = processes.pids().values()
    assert json.loads((tmp_path / "processes.json").read_text()) == {"one": pid}
    assert processes.stop() == ()
    assert not Path(f"/proc/{pid}").exists()
    assert not (tmp_path / "processes.json").exists()


def test_a_dead_child_is_told_with_its_last_words(processes):
    """The error names the child, its exit code and the end of its log."""
    processes.start("two", [sys.executable, "-c", "raise SystemExit('no broker here')"])
    processes._running[0][1].wait(20)
    with pytest.raises(ProcessEnded, match="no broker here") as caught:
        processes.check()
    assert (caught.value.name, caught.value.code) == ("two", 1)


def test_a_failed_command_is_told_with_its_own_words(processes):
    """What a helper command said on its way out reaches the person."""
    with pytest.raises(AskOperator, match="wrong key"):
        processes.call("init", [sys.executable, "-c", "raise SystemExit('wrong key')"])


def test_a_command_returns_what_it_printed(processes):
    """Standard input goes in, standard output comes back."""
    echo = "import sys; print(sys.stdin.read().upper())"
    assert processes.call("echo", [sys.executable, "-c", echo], stdin="abc").strip() == "ABC"


def test_leftovers_of_a_killed_run_are_ended(processes, tmp_path):
    """A child of an earlier run that names this folder is ended; a stranger's process is not."""
    code = [sys.executable, "-c", WAITS]
    ours = subprocess.Popen([*code, str(tmp_path)], stdout=subprocess.PIPE)
    stranger = subprocess.Popen(code, stdout=subprocess.PIPE)
    for child in (ours, stranger):
        child.stdout.readline()
    listed = {"node": ours.pid, "other": stranger.pid, "gone": 2**22 - 1}
    (tmp_path / "processes.json").write_text(json.dumps(listed))
    try:
        assert processes.end_leftovers() == ("node",)
        assert ours.wait(20) != 0
        assert stranger.poll() is None
    finally:
        for child in (ours, stranger):
            child.kill()
            child.wait()
            child.stdout.close()


def test_a_broken_list_is_no_obstacle(processes, tmp_path):
    """A half written list of an earlier run is ignored."""
    (tmp_path / "processes.json").write_text('{"node": ')
    assert processes.end_leftovers() == ()


@pytest.mark.parametrize(
    ("number", "ends"),
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, SystemExit),
        (signal.SIGHUP, SystemExit),
    ],
)
def test_a_wish_to_end_unwinds_once(number, ends):
    """What is being ended is ended, however often somebody asks; afterwards all is as before."""
    # Whoever started the tests in the background had SIGHUP or SIGINT ignored, and that is heeded.
    found = signal.signal(number, signal.SIG_DFL)
    before = signal.getsignal(number)
    ended = []

    def ask_twice():
        with ended_in_order():
            try:
                signal.raise_signal(number)
            finally:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGTERM)
                ended.append("children")

    try:
        with pytest.raises(ends):
            ask_twice()
        assert before == signal.getsignal(number)
    finally:
        signal.signal(number, found)
    assert ["children"] == ended
