"""Whatever a gpsd does, a read comes back, the place is honest, and memory stays small.

Times here guard against a hang: a read that is told 0.1 s and takes two would hold the node.
"""

import os
import shutil
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress

import numpy as np
import pytest

from edge.telemetry import PositionWorker
from geo.frames import GeodeticPoint
from hardware.position_gpsd import GpsdPosition, GpsdSource, gpsd_py3
from hardware.position_gpsd.lines import LONGEST_LINE
from runtime.clock import SystemClock
from runtime.workers import Supervisor
from simulations.gpsd_receiver import Receiver
from simulations.gpsd_replay import Line, LiveGpsd
from simulations.gpsd_route import Standing
from simulations.gpsd_server import GpsdServer

HERE = GeodeticPoint(lon_deg=104.5, lat_deg=10.4, alt_hae_m=-4.0)
READ_S, HANG_S = 0.1, 2.0
GOOD = b'{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}\r\n'


def silent(peer):
    peer.recv(4096)
    time.sleep(30.0)


def polite_then_silent(peer):
    peer.sendall(GOOD)
    time.sleep(30.0)


def closing(peer):
    peer.close()


def one_byte_at_a_time(peer):
    for byte in GOOD[:-2] * 1000:
        peer.sendall(bytes([byte]))
        time.sleep(0.01)


def garbage(peer):
    noise = np.random.default_rng(1).bytes(1 << 20)
    while True:
        peer.sendall(noise)


def line_without_end(peer):
    while True:
        peer.sendall(b'{"class":"TPV","lat":' + b"1" * 65536)


def empty_lines(peer):
    while True:
        peer.sendall(b"\r\n" * 32768)


@contextmanager
def serving(behave):
    """A server on loopback that does one thing to each who connects."""
    listener = socket.create_server(("127.0.0.1", 0))
    peers = []

    def serve():
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                peers.append(peer)
                threading.Thread(target=_behave, args=(behave, peer), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        # Shutting down ends a call that waits in another thread; closing alone does not.
        for one in (listener, *peers):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _behave(behave, peer):
    with suppress(OSError):
        behave(peer)


@contextmanager
def refusing(_):
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]


@contextmanager
def never_accepting(_):
    """A queue that is full: the connection is neither made nor refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].settimeout(0.0)
            waiting[-1].connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for one in waiting:
            one.close()


CASES = {
    "dead": (refusing, None),
    "never_accepting": (never_accepting, None),
    "silent": (serving, silent),
    "polite_then_silent": (serving, polite_then_silent),
    "closing": (serving, closing),
    "one_byte_at_a_time": (serving, one_byte_at_a_time),
    "garbage": (serving, garbage),
    "line_without_end": (serving, line_without_end),
    "empty_lines": (serving, empty_lines),
}


def driver_for(reader, port):
    source = GpsdSource(
        port=port, answer_within_s=0.5, quiet_after_s=0.5, backoff_first_s=0.1, backoff_max_s=0.2
    )
    connect = gpsd_py3.connect("127.0.0.1", port) if reader == "gpsd-py3" else None
    return GpsdPosition(source, SystemClock(), connect=connect)


def slowest_read_s(driver, seconds):
    slowest_s, ends_s = 0.0, time.monotonic() + seconds
    while time.monotonic() < ends_s:
        start_s = time.monotonic()
        pause_s = driver.read(READ_S)
        slowest_s = max(slowest_s, time.monotonic() - start_s)
        assert "none" == driver.latest().status
        time.sleep(min(pause_s, 0.05))
    return slowest_s


@pytest.mark.parametrize("reader", ["own", "gpsd-py3"])
@pytest.mark.parametrize("case", CASES)
def test_no_peer_holds_a_read_or_makes_a_place(case, reader):
    """Dead, silent, slow, dirty, endless: each costs a read its time-out and no more."""
    make, behave = CASES[case]
    with make(behave) as port:
        driver = driver_for(reader, port)
        try:
            assert slowest_read_s(driver, 1.2) < HANG_S
            assert driver._lines.held <= LONGEST_LINE
            lost = {"gpsd_connection_failed", "gpsd_connection_closed", "gpsd_no_answer"}
            if case != "one_byte_at_a_time":
                assert {*lost, "gpsd_silent"} & set(driver.counters)
        finally:
            driver.close()


@pytest.mark.parametrize("case", ["never_accepting", "polite_then_silent", "garbage"])
def test_a_node_beats_on_and_stops_at_once(case):
    """The worker that reads it keeps its sign of life, others ask it meanwhile, and it ends in time."""
    make, behave = CASES[case]
    with make(behave) as port:
        clock = SystemClock()
        driver = driver_for("own", port)
        workers = Supervisor(clock)
        workers.add(PositionWorker(driver), beat_timeout_s=30.0)
        workers.start()
        try:
            oldest_s, ends_s = 0.0, time.monotonic() + 1.5
            while time.monotonic() < ends_s:
                assert "none" == driver.latest().status
                assert driver.clock_error() is None
                oldest_s = max(oldest_s, *(beat.age_s for beat in workers.beats()))
                time.sleep(0.01)
        finally:
            late = workers.stop()
            driver.close()
        assert oldest_s < HANG_S
        assert [] == list(late)
        assert not workers.failed


def wait_for(driver, status, seconds=30.0):
    ends_s = time.monotonic() + seconds
    while driver.latest().status != status:
        assert time.monotonic() < ends_s, (driver.latest(), driver.counters)
        start_s = time.monotonic()
        time.sleep(min(driver.read(READ_S), 0.05))
        assert time.monotonic() - start_s < HANG_S


@pytest.mark.skipif(
    shutil.which("gpsd", path="/usr/sbin:/usr/bin:/sbin:/bin") is None, reason="needs gpsd"
)
def test_a_real_gpsd_that_is_stopped_and_goes_on(tmp_path):
    """SIGSTOP: the connection stands and nothing comes. It is stale, then left, then found again."""
    clock = SystemClock()
    live = LiveGpsd(
        Line(Receiver(Standing(HERE)), rate_hz=5.0), clock, lambda: 0.0,
        out=tmp_path / "log", rate_hz=5.0,
    )  # fmt: skip
    workers = Supervisor(clock)
    workers.add(live, beat_timeout_s=30.0)
    workers.start()
    driver = driver_for("own", live.port)
    try:
        wait_for(driver, "fix_3d")
        group = os.getpgid(live._child.pid)
        os.killpg(group, signal.SIGSTOP)
        try:
            wait_for(driver, "stale")
            ends_s = time.monotonic() + 2.0
            while time.monotonic() < ends_s:
                driver.read(READ_S)
            assert driver.counters["gpsd_silent"] + driver.counters.get("gpsd_no_answer", 0) >= 1
        finally:
            os.killpg(group, signal.SIGCONT)
        wait_for(driver, "fix_3d")
    finally:
        driver.close()
        workers.stop()


def test_gpsd_py3_finds_the_same_place_as_our_own_reader():
    """Both readers behind one Protocol before one gpsd; the library has no height to give."""
    clock = SystemClock()
    server = GpsdServer(Receiver(Standing(HERE)), clock, lambda: 0.0, rate_hz=5.0)
    workers = Supervisor(clock)
    workers.add(server, beat_timeout_s=30.0)
    workers.start()
    found = {}
    try:
        for reader, status in (("own", "fix_3d"), ("gpsd-py3", "fix_3d")):
            driver = GpsdPosition(
                GpsdSource(port=server.port),
                clock,
                connect=gpsd_py3.connect("127.0.0.1", server.port) if reader != "own" else None,
            )
            wait_for(driver, status)
            ends_s = time.monotonic() + 10.0
            while driver.latest().satellites is None and time.monotonic() < ends_s:
                driver.read(READ_S)
            found[reader] = driver.latest()
            driver.close()
    finally:
        workers.stop()
    own, theirs = found["own"], found["gpsd-py3"]
    assert (own.lon_deg, own.lat_deg) == pytest.approx((theirs.lon_deg, theirs.lat_deg), abs=2e-4)
    assert (None, None) == (theirs.alt_hae_m, theirs.alt_msl_m)
    assert own.satellites == pytest.approx(theirs.satellites, abs=2)
    np.testing.assert_allclose(
        np.diag(own.cov_enu_m2)[:2], np.diag(theirs.cov_enu_m2)[:2], rtol=0.5
    )


POLLS = (
    '"active":0,"tpv":[],"sky":[]',  # The library raises UserWarning.
    '"active":1,"tpv":[],"sky":[]',  # IndexError.
    '"active":1,"tpv":[{"class":"TPV"}],"sky":[{}]',  # KeyError.
    '"active":1,"tpv":[{"mode":3,"lat":10.4,"time":"T"}],"sky":[{}]',  # Longitude 0.0, it says.
    '"active":1,"tpv":[{"mode":3,"lat":10.4,"lon":104.5}],"sky":[{}]',  # Of what time, nobody knows.
)


def polled(peer):
    """Answers each poll with the next oddity, and then for ever with a good fix."""
    peer.sendall(GOOD)
    odd = list(POLLS)
    peer.recv(4096)
    peer.sendall(b'{"class":"DEVICES","devices":[{"path":"/dev/a"}]}\n{"class":"WATCH"}\n')
    count = 0
    while peer.recv(4096):
        count += 1
        time_text = f"2026-11-23T02:40:{count:02}.000Z"
        good = f'"active":1,"tpv":[{{"mode":3,"lat":10.4,"lon":104.5,"time":"{time_text}"}}],"sky":[{{}}]'
        peer.sendall(f'{{"class":"POLL",{odd.pop(0) if odd else good}}}\n'.encode())


def test_the_librarys_oddities_are_no_fix_and_no_end():
    """Every error that it is known to raise and every zero that it makes up, in one connection."""
    with serving(polled) as port:
        driver = GpsdPosition(
            GpsdSource(port=port), SystemClock(), connect=gpsd_py3.connect("127.0.0.1", port)
        )
        try:
            wait_for(driver, "fix_3d")
            fix = driver.latest()
            assert (104.5, 10.4, None) == (fix.lon_deg, fix.lat_deg, fix.alt_hae_m)
            assert {} == driver.counters
            assert ("/dev/a",) == driver.devices
        finally:
            driver.close()


def test_a_child_that_hangs_is_replaced():
    """A silent gpsd holds the library for ever; its process is ended and another one tries."""
    with serving(polite_then_silent) as port:
        driver = driver_for("gpsd-py3", port)
        try:
            driver.read(READ_S)
            first = driver._stream._child
            ends_s = time.monotonic() + 20.0
            while driver._stream is None or driver._stream._child is first:
                assert time.monotonic() < ends_s
                time.sleep(min(driver.read(READ_S), 0.05))
            assert first.poll() is not None
        finally:
            driver.close()
