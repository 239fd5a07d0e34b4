"""``border-sim run`` with the real processes: it ends orderly, starts again, and cleans up after a kill."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulations.demo import GUARD
from simulations.processes import free_port
from simulations.station_client import StationClient

ROOT = Path(__file__).resolve().parents[2]


class Running:
    """``border-sim run demo`` as a person starts it."""

    def __init__(self, work):
        self.work = work
        self.port = free_port()
        self.log = (work.parent / f"demo-{self.port}.out").open("a+b")
        self.child = subprocess.Popen(
            [
                sys.executable, "-m", "simulations.cli", "run", "demo", "--work", str(work),
                "--no-browser", "--station-port", str(self.port),
            ],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=self.log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    def said(self):
        self.log.flush()
        return Path(self.log.name).read_text(encoding="utf-8")

    def wait_for(self, what, limit_s):
        until_s = time.monotonic() + limit_s
        while time.monotonic() < until_s:
            assert self.child.poll() is None, self.said()
            found = what()
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(f"nothing after {limit_s} s; it said:\n{self.said()}")

    def client(self):
        client = StationClient(f"http://127.0.0.1:{self.port}")
        client.login(GUARD, (self.work / "password").read_text().strip())
        return client

    def stop(self):
        self.child.send_signal(signal.SIGINT)
        code = self.child.wait(60)
        self.log.close()
        return code


def pids_of(work):
    """Numbers of processes whose command line names the work folder."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if str(work).encode() in line:
                found.append(int(folder.name))
    return found


def started(work):
    """A demonstration whose node is online with all cameras."""
    truth = work / "truth.json"
    before_ns = truth.stat().st_mtime_ns if truth.exists() else 0
    running = Running(work)
    running.wait_for(lambda: truth.exists() and truth.stat().st_mtime_ns > before_ns, 180)
    return running


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_ends_everything_and_a_second_start_works(tmp_path):
    """No process is left behind; the next start has the same people, password and records.

    A demonstration that is killed cannot end its children: the next one does that first.
    """
    work = tmp_path / "work"
    first = started(work)
    assert re.search(r"http://127\.0\.0\.1:\d+/#link=\S+", first.said())
    assert len(pids_of(work)) >= 3  # itself, the station, the node (and a broker, if there is one)
    assert first.stop() == 0
    assert pids_of(work) == []
    password = (work / "password").read_text()

    second = started(work)
    node = second.client().nodes()[0]
    assert (node["state"], len(node["sensors"])) == ("online", 3)
    assert (work / "password").read_text() == password
    second.child.kill()
    second.child.wait(20)
    second.log.close()
    orphans = pids_of(work)
    assert len(orphans) >= 2

    third = started(work)
    assert "ended a leftover" in third.said()
    assert not set(orphans) & set(pids_of(work))
    assert third.stop() == 0
    assert pids_of(work) == []
