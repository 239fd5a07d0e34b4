"""Every recorded receiver, played by gpsfake into the installed gpsd, read by our driver.

gpsd's own regression output (`.chk`, of the same release 3.22) says what each report must be. It was
made with one client inside gpsfake; ours is a second client of the same daemon. What may differ is
the path of the device, which the `.chk` files leave out, and nothing else.
"""

import json
import shutil
import socket
import subprocess
import time
from collections import Counter, deque
from datetime import datetime, timezone

import numpy as np
import pytest

from hardware.position_gpsd import GpsdPosition, GpsdSource
from hardware.position_gpsd.reports import parse
from hardware.position_gpsd.stream import TcpStream
from runtime.clock import ManualClock

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        shutil.which("gpsfake") is None
        or shutil.which("gpsd", path="/usr/sbin:/usr/bin:/sbin:/bin") is None,
        reason="needs gpsd and gpsfake",
    ),
]
LOGS = (
    "ais-nmea",
    "bt451",
    "bu303-climbing",
    "bu303-moving",
    "bu303-stillfix",
    "haicom-305N",
    "mtk-3329",
    "neo-m8n",
    "nmea-fuzzy-cases",
    "nmea-rtk",
    "sirfstarv-nmea",
    "ublox-neo-m9n-nmea",
    "ublox-zed-f9p-nmea",
)
SPLICED = {"bt451": 10}
"""Reports after the place where two recordings were glued together, 1.9 km apart in half a second: a
jump, and nothing else would do."""
WATCH = '?WATCH={"json":true,"nmea":true}'
PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


class Tap:
    """The real socket, one line at a time, with the log's own time on the driver's clock.

    A log is played in a second; what is possible and what is not is a matter of the time in which it
    was recorded.
    """

    def __init__(self, port, clock):
        self._inner = TcpStream("127.0.0.1", port)
        self._rest = b""
        self._lines = deque()
        self._time = None
        self._clock = clock
        self.newest = b""
        self.over = False

    def send(self, data):
        self._inner.send(data)

    def receive(self, timeout_s):
        if not self._lines and not self.over:
            data = self._inner.receive(timeout_s)
            if data is None:
                return None
            self.over = not data
            *whole, self._rest = (self._rest + data).split(b"\n")
            self._lines.extend(line + b"\n" for line in whole)
        if not self._lines:
            return None
        self.newest = self._lines.popleft()
        self._pass_time()
        return self.newest

    def _pass_time(self):
        said = json.loads(self.newest)
        if said["class"] != "TPV" or "time" not in said:
            return
        now = datetime.fromisoformat(said["time"].replace("Z", "+00:00"))
        past_s = 0.0 if self._time is None else (now - self._time).total_seconds()
        self._time = now
        if 0.0 < past_s < 3600.0:
            self._clock.advance(past_s)

    def close(self):
        self._inner.close()


class Played:
    """One log, its gpsfake, and what our driver made of each report."""

    def __init__(self, log):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {"PATH": PATH, "GPSD_SHM_KEY": f"0x4770{self.port:04X}"}
        self.child = subprocess.Popen(
            ["gpsfake", "-1", "-p", "-r", WATCH, "-P", str(self.port), str(log)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self.clock = ManualClock(datetime(2026, 11, 23, tzinfo=timezone.utc))
        self.tap = None
        self.driver = GpsdPosition(
            GpsdSource(port=self.port, backoff_first_s=0.0), self.clock, connect=self._connect
        )
        self.fixes = []
        self.parsed = []
        self.gst, self.gsts = None, []

    def _connect(self):
        self.tap = Tap(self.port, self.clock)
        return self.tap

    def turn(self):
        """Hear what came, one report after the other; whether there may be more."""
        while self.tap is None or not self.tap.over or self.tap._lines:
            before = self.tap and self.tap.newest
            self.driver.read(0.0)
            if self.tap is None or self.tap.newest is before:
                return True
            if b'"class":"GST"' in self.tap.newest:
                self.gst = json.loads(self.tap.newest)
            if b'"class":"TPV"' in self.tap.newest:
                self.fixes.append((json.loads(self.tap.newest), self.driver.latest()))
                self.gsts.append(self.gst)
                self.parsed.append(parse(self.tap.newest))
        return False

    def close(self):
        self.driver.close()
        if self.child.poll() is None:
            self.child.terminate()
        self.child.wait(10.0)


def play(folder, names):
    """All logs at once: each gpsfake waits a second and a half before it begins."""
    logs = {name: Played(folder / f"{name}.log") for name in names}
    try:
        ends_s = time.monotonic() + 60.0
        going = set(logs)
        while going:
            assert time.monotonic() < ends_s, f"gpsfake did not end: {sorted(going)}"
            going = {name for name in going if logs[name].turn()}
            time.sleep(0.02)
    finally:
        for log in logs.values():
            log.close()
    return logs


@pytest.fixture(scope="module")
def played(data_dir):
    """Every log; one whose beginning a busy machine missed is played once more, with few others."""
    folder = data_dir / "gpsd-logs"
    logs = play(folder, LOGS)
    missed = [name for name in LOGS if len(logs[name].fixes) < len(expected(data_dir, name))]
    return logs | play(folder, missed)


def expected(data_dir, name):
    lines = (data_dir / "gpsd-logs" / f"{name}.log.chk").read_text("latin-1").splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"class":"TPV"')]


def has_place(said):
    return said["mode"] >= 2 and "lat" in said and "lon" in said


def test_no_log_is_left_out(data_dir):
    """Each log with an expected output is played."""
    assert sorted(LOGS) == sorted(p.stem for p in (data_dir / "gpsd-logs").glob("*.log"))


@pytest.mark.parametrize("name", LOGS)
def test_gpsd_says_what_its_authors_expect(played, data_dir, name):
    """Every report equals the authors' own, to the last field and digit: the comparison is sound."""
    said = [{k: v for k, v in tpv.items() if k != "device"} for tpv, _ in played[name].fixes]
    assert expected(data_dir, name) == said


@pytest.mark.parametrize("name", LOGS)
def test_fixes_spans_without_and_positions_are_the_expected_ones(played, data_dir, name):
    """After each report the driver is where the `.chk` says, or nowhere where it says nothing."""
    log = played[name]
    jumped = 0
    for said, (_, fix), read, gst in zip(
        expected(data_dir, name), log.fixes, log.parsed, log.gsts, strict=True
    ):
        if not has_place(said):
            assert ("none", None, None) == (fix.status, fix.lon_deg, fix.lat_deg)
            assert not read.has_place
            continue
        high = said["mode"] == 3
        heights = (said.get("altHAE"), said.get("altMSL")) if high else (None, None)
        place = (said["lon"], said["lat"], *heights)
        assert place == (read.lon_deg, read.lat_deg, read.alt_hae_m, read.alt_msl_m)
        if fix.status == "jumped":
            jumped += 1
            continue
        assert {2: "fix_2d", 3: "fix_3d"}[said["mode"]] == fix.status, (said, fix)
        assert place == (fix.lon_deg, fix.lat_deg, fix.alt_hae_m, fix.alt_msl_m)
        _errors_are(said, fix, gst)
    assert SPLICED.get(name, 0) == jumped


def _errors_are(said, fix, gst):
    """The receiver's own standard deviations where it told any, else gpsd's figures."""
    both = "epx" in said and "epy" in said
    east, north = (said["epx"], said["epy"]) if both else (said.get("eph"),) * 2
    up = said.get("epv")
    if gst is not None:
        east, north, up = gst["lon"], gst["lat"], gst["alt"]
    if east is None:
        assert fix.cov_enu_m2 is None
        return
    sigmas_m = np.sqrt(np.diag(fix.cov_enu_m2))
    np.testing.assert_allclose([east, north], sigmas_m[:2], rtol=1e-12)
    if said["mode"] == 3 and up:
        assert up == pytest.approx(sigmas_m[2])


@pytest.mark.parametrize("name", LOGS)
def test_nothing_that_a_real_gpsd_says_is_refused(played, name):
    """Strictness costs no honest line: TOFF, GST, SKY, AIS and DEVICE included."""
    counters = dict(played[name].driver.counters)
    for expected_here in ("gpsd_connection_failed", "gpsd_connection_closed"):
        counters.pop(expected_here, None)
    spliced = SPLICED.get(name)
    known = {"gpsd_jumps": 1, "gpsd_fixes_not_believed": spliced} if spliced else {}
    assert known == counters


def test_counts_are_printed(played, data_dir, capsys):
    """How much was compared, and what the driver thought of honest receivers."""
    total = Counter()
    with capsys.disabled():
        print()
        for name in LOGS:
            found = Counter(fix.status for _, fix in played[name].fixes)
            total += found
            spans = _spans([has_place(said) for said in expected(data_dir, name)])
            print(f"  gpsd log {name:20} {dict(found)} no-fix spans {spans}")
        print(f"  gpsd logs, all: {sum(total.values())} reports, {dict(total)}")
    assert 702 == sum(total.values())


def _spans(found):
    return sum(not now and (k == 0 or found[k - 1]) for k, now in enumerate(found))
