"""The built-in gpsd against the installed one: same words, same forms, same numbers."""

import contextlib
import json
import re
import select
import shutil
import socket
import subprocess
import sys
import time
import warnings
from datetime import datetime, timezone

import pytest

from geo.frames import GeodeticPoint
from runtime.clock import SystemClock
from runtime.errors import AskOperator, Broken
from runtime.workers import Supervisor
from simulations import gpsd_replay
from simulations.gpsd_receiver import Receiver
from simulations.gpsd_replay import Gpsfake, Line, LiveGpsd, program
from simulations.gpsd_route import Standing, Walking, moved
from simulations.gpsd_server import GpsdServer
from simulations.scenario_node import GpsdFaultSettings

HERE = GeodeticPoint(lon_deg=104.5, lat_deg=10.4, alt_hae_m=-4.0)
THERE = moved(HERE, distance_m=20_000.0, azimuth_deg=60.0)
NO_FIX = GpsdFaultSettings(kind="no_fix", at_s=6.0, lasts_s=3.0)
WATCH = '?WATCH={"enable":true,"json":true};\n'
needs_gpsd = pytest.mark.skipif(
    shutil.which("gpsd", path="/usr/sbin:/usr/bin:/sbin:/bin") is None
    or shutil.which("gpsfake") is None,
    reason="needs gpsd and gpsfake",
)


class Talker:
    """A plain client."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5.0)
        self.text = ""

    def listen(self, until, timeout_s=40.0):
        """Read until a claim about all lines so far holds."""
        ends_s = time.monotonic() + timeout_s
        self.socket.settimeout(0.1)
        while not until(self.lines):
            assert time.monotonic() < ends_s, self.text[-2000:]
            try:
                self.text += self.socket.recv(65536).decode("ascii")
            except TimeoutError:
                continue
        return self.lines

    @property
    def lines(self):
        return self.text.split("\r\n")[:-1]

    def close(self):
        self.socket.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A real gpsd and ours, before the same walking receiver: their ports."""
    clock = SystemClock()
    start_s = clock.monotonic_s()
    faults = (NO_FIX,)

    def receiver():
        return Receiver(Walking([HERE, THERE], speed_m_s=3.0), faults=faults)

    def scene_time_s():
        return clock.monotonic_s() - start_s

    out = tmp_path_factory.mktemp("gpsd") / "gpsd.log"
    real = LiveGpsd(Line(receiver(), faults), clock, scene_time_s, out=out, name="real")
    ours = GpsdServer(receiver(), clock, scene_time_s, latency_s=0.0, name="ours")
    workers = Supervisor(clock)
    for worker in (real, ours):
        workers.add(worker, beat_timeout_s=10.0)
    workers.start()
    talkers = []
    try:
        for port in (real.port, ours.port):
            _wait_for(port)
            talkers.append(Talker(port))
            talkers[-1].socket.sendall(WATCH.encode())
        said = [talker.listen(_has_lost_and_found_its_fix) for talker in talkers]
        for talker in talkers:
            talker.close()
        yield real.port, ours.port, said
    finally:
        workers.stop()


def _has_lost_and_found_its_fix(lines):
    lost = [k for k, line in enumerate(lines) if '"mode":1,' in line]
    return len(lost) >= 2 and len(of(lines[lost[-1] :], "GST")) >= 2 and "GST" in lines[-1]


def _wait_for(port):
    ends_s = time.monotonic() + 20.0
    while time.monotonic() < ends_s:
        if _answers(port):
            return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens on {port}")


def _answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def forms(line):
    """A line's fields with the form of each number: digits behind the point, or the word itself."""
    return {
        (name, len(value.partition(".")[2]) if re.fullmatch(r"-?\d+\.\d+", value) else value[:1])
        for name, value in re.findall(r'"(\w+)":\s?("[^"]*"|[-\w.]+)', line)
    }


def names(line):
    return [name for name, _ in re.findall(r'"(\w+)":\s?("[^"]*"|[-\w.]+)', line)]


def of(lines, kind, mode=None):
    found = [line for line in lines if f'"class":"{kind}"' in line]
    if mode is not None:
        found = [line for line in found if f'"mode":{mode},' in line]
    return found


def by_time(lines, kind):
    return {json.loads(line)["time"]: json.loads(line) for line in of(lines, kind)}


@needs_gpsd
@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("VERSION", None), ("DEVICES", None), ("DEVICE", None), ("TPV", 3), ("TPV", 1),
        ("SKY", None), ("GST", None), ("WATCH", None),
    ],
)  # fmt: skip
def test_fields_order_and_number_forms_are_gpsds(pair, kind, mode):
    """The last line of each kind has the same fields in the same order, written the same way."""
    _, _, (real, ours) = pair
    real_line, our_line = of(real, kind, mode)[-1], of(ours, kind, mode)[-1]
    if kind == "SKY":  # Each satellite alike: one is enough, for how many there are may differ.
        real_line, our_line = (line.partition("},")[0] for line in (real_line, our_line))
    assert names(real_line) == names(our_line)

    def apart(line):
        signless = {(n, f) for n, f in forms(line) if n not in {"path", "device", "activated"}}
        return {
            (n, "number" if isinstance(f, str) and f in "0123456789-" else f) for n, f in signless
        }

    assert apart(real_line) == apart(our_line)


@needs_gpsd
def test_order_of_reports_is_gpsds(pair):
    """Once running, an epoch is TPV, SKY, GST."""
    _, _, said = pair
    for lines in said:
        kinds = [json.loads(line)["class"] for line in lines]
        last_gst = len(kinds) - 1 - kinds[::-1].index("GST")
        assert ["TPV", "SKY", "GST"] == kinds[last_gst - 2 : last_gst + 1]


@needs_gpsd
def test_the_same_epoch_has_the_same_fix(pair):
    """Place, course, speed and dilutions agree to what a sentence can carry."""
    _, _, (real, ours) = pair
    real_fixes, our_fixes = by_time(of(real, "TPV", 3), "TPV"), by_time(of(ours, "TPV", 3), "TPV")
    # The worker's epochs are placed in scenario time by the moment of their step.
    both = sorted(set(real_fixes) & set(our_fixes))[1:]
    assert len(both) >= 3
    for t in both:
        a, b = real_fixes[t], our_fixes[t]
        assert a["lat"] == pytest.approx(b["lat"], abs=3e-6)
        assert a["lon"] == pytest.approx(b["lon"], abs=3e-6)
        assert a["altHAE"] == pytest.approx(b["altHAE"], abs=0.3)
        assert a["altMSL"] - a["altHAE"] == pytest.approx(b["altMSL"] - b["altHAE"], abs=0.01)
        assert a["speed"] == pytest.approx(b["speed"], abs=0.05)
        assert a["track"] == pytest.approx(b["track"], abs=1.0)
        assert a["magtrack"] - a["track"] == pytest.approx(b["magtrack"] - b["track"], abs=0.1)
    a, b = json.loads(of(real, "SKY")[0]), json.loads(of(ours, "SKY")[0])
    assert [s["PRN"] for s in a["satellites"]] == [s["PRN"] for s in b["satellites"]]
    for name in ("xdop", "ydop", "vdop", "tdop", "hdop", "pdop", "gdop"):
        assert a[name] == pytest.approx(b[name], rel=0.1, abs=0.03), name
    for name in ("lat", "lon", "alt", "rms"):
        a, b = json.loads(of(real, "GST")[-1]), json.loads(of(ours, "GST")[-1])
        assert a[name] == pytest.approx(b[name], abs=0.02)


_VOLATILE = re.compile(
    r'"(path|device)":"/dev/[^"]*"|"(activated|time)":"[^"]*"|"bps":\d+|"flags":\d,'
)


REQUESTS = (
    "?VERSION;\n",
    "?DEVICES;\n",
    "?DEVICE;\n",
    "?WATCH;\n",
    "?POLL;\n",
    "?VERSION;?DEVICES;\n",
    "?VERSION;\r\n",
    "?VERSION\n",
    "?version;\n",
    "?FOO;\n",
    "?TPV;\n",
    "?PPS;\n",
    "?\n",
    ";\n",
    "hello\n?VERSION;\n",
    "?VERSION;;?DEVICES;\n",
    "?VERSION\n?DEVICES;\n",
    '?WATCH={"enable":false};\n',
    '?WATCH={"enable":false}\n',
    '?WATCH={"enable":false,"json":true,"scaled":true,"pps":true};?VERSION;\n',
    '?WATCH={"enable":false,"raw":2,"split24":true,"timing":true};\n',
    '?WATCH={"enable":0}\n',
    '?WATCH={"enable":"x"};\n',
    "?WATCH=;\n",
    "?WATCH={};\n",
    "?WATCH=[];\n",
    '?WATCH={"unknown":1};\n',
    '?WATCH={"enable":true,"json":fal\n',
    '?WATCH={"enable":true,"device":"/dev/none"};\n',
    '?DEVICE={"path":"/dev/none"};\n',
    "?DEVICE={};\n",
)


@pytest.fixture(scope="module")
def answers(pair):
    """What both say to every request, each on a connection of its own, all at once."""
    talkers = {(text, port): Talker(port) for text in REQUESTS for port in pair[:2]}
    for talker in talkers.values():
        talker.listen(lambda lines: len(lines) == 1)
        talker.text = ""
    for (text, _), talker in talkers.items():
        talker.socket.sendall(text.encode())
    ends_s = time.monotonic() + 2.0
    while time.monotonic() < ends_s:
        ready, _, _ = select.select([t.socket for t in talkers.values()], [], [], 0.1)
        for talker in talkers.values():
            if talker.socket in ready:
                talker.text += talker.socket.recv(65536).decode("ascii")
    for talker in talkers.values():
        talker.close()
    return {key: talker.lines for key, talker in talkers.items()}


@needs_gpsd
@pytest.mark.parametrize("request_text", REQUESTS)
def test_every_request_is_answered_as_gpsd_does(pair, answers, request_text):
    """Good requests, odd ones and bad ones: the same lines, places and times aside."""
    real, ours = (
        [_VOLATILE.sub("", line) for line in answers[request_text, port]] for port in pair[:2]
    )
    assert real == ours


@needs_gpsd
def test_the_requests_are_told_apart(answers):
    """The comparison compares something: most requests are answered, and differently."""
    said = {tuple(lines) for (_, _), lines in answers.items() if lines}
    assert len(said) > len(REQUESTS) / 2


@needs_gpsd
def test_gpspipe_reads_ours(pair):
    """The system's own client gets a fix from the built-in server."""
    _, our_port, _ = pair
    done = subprocess.run(
        ["gpspipe", "-w", "-n", "12", f"127.0.0.1:{our_port}"],
        capture_output=True, text=True, timeout=40, check=True,
    )  # fmt: skip
    kinds = [json.loads(line)["class"] for line in done.stdout.splitlines()]
    assert ["VERSION", "DEVICES", "WATCH"] == kinds[:3]
    assert {"TPV", "SKY"} <= set(kinds)


@needs_gpsd
def test_gpsd_py3_reads_ours(pair):
    """The library that users name finds place, satellites and errors."""
    _, our_port, _ = pair
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import gpsd
    try:
        gpsd.connect(host="127.0.0.1", port=our_port)
        ends_s = time.monotonic() + 20.0
        now = gpsd.get_current()
        while now.mode < 3 and time.monotonic() < ends_s:
            time.sleep(0.3)
            now = gpsd.get_current()
        assert 3 == now.mode
        assert now.position() == pytest.approx((HERE.lat_deg, HERE.lon_deg), abs=2e-2)
        assert now.sats_valid >= 6
        assert now.altitude() == pytest.approx(8.0, abs=25.0)
        assert now.get_time().replace(tzinfo=timezone.utc).year == datetime.now(timezone.utc).year
    finally:
        gpsd.gpsd_stream.close()
        gpsd.gpsd_socket.close()


# --- replay ---------------------------------------------------------------------------------------
@needs_gpsd
def test_gpsfake_plays_a_log_with_its_faults():
    """A jump of three hundred metres and a time without a fix come out of a real gpsd."""
    faults = (
        GpsdFaultSettings(kind="jump", at_s=4.0, lasts_s=4.0, jump_m=300.0, jump_to_deg=90.0),
        GpsdFaultSettings(kind="no_fix", at_s=8.0, lasts_s=3.0),
        GpsdFaultSettings(kind="half_lines", at_s=2.0, lasts_s=2.0),
    )
    line = Line(Receiver(Standing(HERE), faults=faults), faults)
    start_utc = datetime(2026, 11, 23, 2, 40, tzinfo=timezone.utc)
    replay = Gpsfake(line, start_utc=start_utc, duration_s=14.0, pause_s=0.03)
    try:
        assert replay.step(0.0) > 0.0
        _wait_for(replay.port)
        talker = Talker(replay.port)
        talker.socket.sendall(WATCH.encode())
        fixes = [
            json.loads(text)
            for text in talker.listen(
                lambda lines: len(of(lines, "TPV", 1)) >= 3 and len(of(lines, "TPV", 3)) > 12, 40.0
            )
            if '"class":"TPV"' in text
        ]
        talker.close()
    finally:
        replay.close()
    # A gpsd that has just found its receiver may say mode 3 before it has a place.
    east = [fix["lon"] - HERE.lon_deg for fix in fixes if fix["mode"] == 3 and "lon" in fix]
    step_deg = 300.0 / 109_500.0
    assert any(value == pytest.approx(step_deg, abs=2e-4) for value in east)
    assert any(value == pytest.approx(0.0, abs=2e-4) for value in east)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", replay.port), timeout=2.0)
    with pytest.raises(Broken, match="gpsfake plays on"):
        replay.step(0.0)


@needs_gpsd
def test_a_real_gpsd_lives_through_half_lines(tmp_path):
    """Broken sentences on the serial line cost fixes, and whole ones bring them back."""
    clock = SystemClock()
    broken = GpsdFaultSettings(kind="half_lines", at_s=10.0, lasts_s=10.0)
    scene = {"t_s": 0.0}
    line = Line(Receiver(Standing(HERE)), (broken,), rate_hz=10.0)
    out = tmp_path / "gpsd.log"
    live = LiveGpsd(line, clock, lambda: scene["t_s"], out=out, rate_hz=10.0)
    counts = []
    try:
        live.step(0.0)
        _wait_for(live.port)
        talker = Talker(live.port)
        talker.socket.sendall(WATCH.encode())
        for t_s in (0.0, 11.0, 21.0):
            scene["t_s"] = t_s
            talker.text, sent = "", live.epochs
            while live.epochs < sent + 20:
                time.sleep(live.step(0.0))
                ready, _, _ = select.select([talker.socket], [], [], 0.0)
                if ready:
                    talker.text += talker.socket.recv(65536).decode("ascii")
            fixes = [line for line in of(talker.lines, "TPV", 3) if '"lat":10.4' in line]
            counts.append(len(fixes))
        talker.close()
    finally:
        live.close()
    before, broken_count, after = counts
    assert before > 0
    assert broken_count < after
    assert after >= 10


@needs_gpsd
def test_a_real_gpsd_dies_and_comes_back(tmp_path):
    """The daemon's death: connections end, the port refuses, then it answers again."""
    clock = SystemClock()
    scene = {"t_s": 0.0}
    death = GpsdFaultSettings(kind="death", at_s=10.0, lasts_s=10.0)
    live = LiveGpsd(
        Line(Receiver(Standing(HERE)), (death,)),
        clock,
        lambda: scene["t_s"],
        out=tmp_path / "gpsd.log",
    )
    try:
        live.step(0.0)
        _wait_for(live.port)
        talker = Talker(live.port)
        scene["t_s"] = 11.0
        live.step(0.0)
        talker.socket.settimeout(5.0)
        with contextlib.suppress(ConnectionResetError):
            while talker.socket.recv(65536):
                pass
        talker.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", live.port), timeout=2.0)
        scene["t_s"] = 21.0
        live.step(0.0)
        _wait_for(live.port)
        assert 1 == live.deaths
    finally:
        live.close()


def test_a_missing_program_is_named():
    """Without gpsfake the sentence says what to install and what else would do."""
    with pytest.raises(AskOperator, match=r"gpsfake.*apt-get install gpsd-clients.*built-in"):
        program("gpsfake", path="/nonexistent")


OWNER = """
import sys, time
from geo.frames import GeodeticPoint
from runtime.clock import SystemClock
from simulations.gpsd_receiver import Receiver
from simulations.gpsd_replay import Line, LiveGpsd
from simulations.gpsd_route import Standing
here = GeodeticPoint(lon_deg=104.5, lat_deg=10.4)
live = LiveGpsd(Line(Receiver(Standing(here))), SystemClock(), lambda: 0.0)
live.step(0.0)
print(live.port, flush=True)
time.sleep(60)
"""


@needs_gpsd
def test_a_real_gpsd_never_outlives_its_owner():
    """Killed without a chance to tidy up, the simulator leaves no daemon behind."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    with owner:
        port = int(owner.stdout.readline())
        _wait_for(port)
        owner.kill()
    ends_s = time.monotonic() + 10.0
    while _answers(port):
        assert time.monotonic() < ends_s, "gpsd still answers"
        time.sleep(0.1)


def test_a_daemon_that_ends_by_itself_is_noticed_and_started_again(monkeypatch):
    """Else nobody would answer for the rest of the scenario, and nobody would say why."""
    monkeypatch.setattr(gpsd_replay, "program", lambda _: "/bin/false")
    clock = SystemClock()
    worker = LiveGpsd(Line(Receiver(Standing(HERE))), clock, lambda: 0.0)
    try:
        for _ in range(2):
            with pytest.raises(Broken, match="exit code 1"):
                _step_on(worker)
    finally:
        worker.close()


def _step_on(worker):
    for _ in range(400):
        worker.step(0.0)
        time.sleep(0.02)
