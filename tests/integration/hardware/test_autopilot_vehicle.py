"""The driver against our simulated copters in processes of their own, over real sockets."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from edge.config import NodeConfig
from edge.doctor import examine
from hardware.autopilot_mavlink.opening import Opening, open_mavlink
from hardware.autopilot_mavlink.place import distance_m
from hardware.ports import AttitudeSample, GimbalSample, PositionSample
from runtime.clock import SystemClock
from runtime.settings import parse
from tests.sitl.client import Client
from tests.sitl.flying import ready
from tests.sitl.vehicles import free_base

ROOT = Path(__file__).resolve().parents[3]
HOME = (10.4235, 104.4407, 5.0)
PATIENCE_S = 60.0
BOOT_SPEEDUP = 20
DOCTOR = """
[node]
site_id = "ha-tien"
node_id = "mast-1"
data_dir = "{folder}"
[[camera]]
sensor_id = "cam-1"
source = "rtsp://127.0.0.1:9/none"
[autopilot]
source = "mavlink"
url = "udpin://127.0.0.1:{port}"
"""
KEY = bytes(range(1, 33))


def free_udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Copter:
    """A simulated copter as a process; booted fast, then in real time."""

    def __init__(self, folder, *arguments, tcp=True, speedup=BOOT_SPEEDUP):
        self.port = free_base() if tcp else -1
        self.truth_file = folder / "truth.jsonl"
        home = ",".join(str(part) for part in (*HOME, 90.0))
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "simulations.cli", "vehicle"),
                *("--tcp", str(self.port), "--home", home, "--speedup", str(speedup)),
                *("--truth", str(self.truth_file), *arguments),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def boot(self, *wishes):
        """Until the estimator has a place, at speed; then real time. Runs `wishes` with a client."""
        with Client(self.port) as client:
            client.heartbeat()
            client.stream(193, 2.0)
            ready(client)
            client.parameter("SIM_SPEEDUP", 1.0)
            for wish in wishes:
                wish(client)

    def truth(self):
        return json.loads(self.truth_file.read_text().splitlines()[-1])

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5.0)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def copter(tmp_path):
    """Start copters that end with the test."""
    running = []

    def start(*arguments, **more):
        folder = tmp_path / str(len(running))
        folder.mkdir()
        running.append(Copter(folder, *arguments, **more))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def listen(tmp_path):
    """Open drivers that are closed with the test."""
    opened = []

    def start(url, *, key=None, transmit=True):
        driver = open_mavlink(
            Opening(
                url=url, log_file=None, log_fast=False, baud=115_200, system_id=245,
                component_id=191, vehicles=frozenset(), signing_key=key, signing_link_id=7,
                signing_state_file=tmp_path / "signing.json", transmit=transmit,
                attitude_rate_hz=20.0, position_rate_hz=5.0, status_rate_hz=2.0,
            ),
            SystemClock(),
        )  # fmt: skip
        opened.append(driver)
        return Listener(driver)

    yield start
    for driver in opened:
        driver.close()


class Listener:
    """Reads a driver and keeps what came."""

    def __init__(self, driver):
        self.driver = driver
        self.samples = []

    def until(self, holds, wall_s=PATIENCE_S):
        end_s = time.monotonic() + wall_s
        while time.monotonic() < end_s:
            self.samples += self.driver.read(0.2)
            if holds():
                return
        raise AssertionError(f"{self.driver.vehicles()} {self.driver.totals}")

    def of(self, kind):
        return [sample for sample in self.samples if isinstance(sample, kind)]

    def seconds(self, wall_s):
        end_s = time.monotonic() + wall_s
        self.until(lambda: time.monotonic() >= end_s, wall_s + 5.0)

    @property
    def placed(self):
        return [state for state in self.driver.vehicles() if state.lon_deg is not None]


def test_tcp_boot_streams_reboot_and_back(copter, listen) -> None:
    """Asked for, every stream comes; a reboot drops the link, and all comes back by itself."""
    one = copter()
    one.boot()
    heard = listen(f"tcp://127.0.0.1:{one.port}")
    heard.until(
        lambda: (
            heard.placed and len(heard.of(GimbalSample)) > 20 and len(heard.of(AttitudeSample)) > 20
        )
    )
    (state,) = heard.driver.vehicles()
    truth = one.truth()
    assert distance_m(state.lon_deg, state.lat_deg, truth["lon_deg"], truth["lat_deg"]) < 0.5
    assert truth["alt_msl_m"] == pytest.approx(state.alt_msl_m, abs=0.5)
    assert 90.0 == pytest.approx(state.heading_deg, abs=1.0)
    assert ("fix_3d", True, False) == (state.fix_status, state.ekf_healthy, state.armed)
    assert 0.3 == pytest.approx(state.horizontal_sigma_m, abs=0.05)
    now_s = time.monotonic()
    assert all(0.0 <= now_s - s.t_monotonic_s < 1.0 for s in heard.samples[-5:])
    with Client(one.port + 2) as client:
        client.command(246, 1)
    heard.until(lambda: heard.driver.totals["link_losses"] >= 1)
    began = len(heard.samples)
    heard.until(lambda: any(isinstance(s, AttitudeSample) for s in heard.samples[began + 20 :]))
    assert heard.driver.totals["connections"] >= 2
    assert heard.driver.totals["reboots"] >= 1
    assert 1 == len(heard.driver.vehicles())


def test_udp_with_loss_and_doubling_in_flight(copter, listen) -> None:
    """5 % lost and 5 % doubled each way: streams are got all the same, nothing comes twice."""
    port = free_udp()
    one = copter("--udp", f"127.0.0.1:{port}", "--lost", "0.05", "--doubled", "0.05")
    heard = listen(f"udpin://127.0.0.1:{port}")
    one.boot(lambda client: client.listen(0.5))
    heard.until(lambda: heard.placed and len(heard.of(AttitudeSample)) > 30)
    began = len(heard.samples)
    heard.seconds(6.0)
    fresh = heard.samples[began:]
    for kind, least in ((AttitudeSample, 60), (PositionSample, 15), (GimbalSample, 60)):
        stamps = [s.t_monotonic_s for s in fresh if isinstance(s, kind)]
        assert len(stamps) >= least
        assert len(stamps) == len(set(stamps))
    assert heard.driver.totals["duplicate"] > 0
    assert heard.driver.totals["frames_lost"] > 0
    assert 0 == heard.driver.totals.get("reboots", 0)
    for sample in heard.of(PositionSample):
        assert distance_m(sample.lon_deg, sample.lat_deg, HOME[1], HOME[0]) < 5.0


def test_udp_that_we_speak_to_first(copter, listen) -> None:
    """udpout: the copter answers whoever speaks; TIMESYNC comes back over it."""
    port = free_udp()
    copter("--udp-listen", f"127.0.0.1:{port}", tcp=False, speedup=1)
    heard = listen(f"udpout://127.0.0.1:{port}")
    heard.until(lambda: len(heard.of(AttitudeSample)) > 20)
    heard.until(lambda: heard.driver.totals["timesync_answers"] >= 5)
    (state,) = heard.driver.vehicles()
    assert state.clock_error_s < 0.2


def test_two_copters_on_one_link_are_kept_apart(copter, listen) -> None:
    """Each answers for itself, at its own place, with its own clock."""
    port = free_udp()
    for number in (1, 2):
        copter("--udp", f"127.0.0.1:{port}", "--set", f"MAV_SYSID={number}", tcp=False, speedup=1)
        time.sleep(1.0)
    heard = listen(f"udpin://127.0.0.1:{port}")
    heard.until(
        lambda: all(
            sum(s.vehicle == (number, 1) for s in heard.of(AttitudeSample)) > 20
            for number in (1, 2)
        )
    )
    first, second = sorted(heard.driver.vehicles(), key=lambda state: state.vehicle)
    assert ((1, 1), (2, 1)) == (first.vehicle, second.vehicle)
    assert first.clock_offset_s != pytest.approx(second.clock_offset_s, abs=0.2)


def test_signed_link_with_the_right_key_a_wrong_one_and_none(copter, listen) -> None:
    """Unsigned or wrongly signed frames are not read; the copter takes our requests when signed."""
    one = copter()

    def sign(client):
        client.send(mav.MAVLink_setup_signing_message(1, 1, list(KEY), 0))
        client.listen(0.5)

    one.boot(sign)
    # Somebody must hold the first port: the others are open as long as the copter is on.
    wrong = listen(f"tcp://127.0.0.1:{one.port + 3}", key="ff" * 32)
    wrong.seconds(2.5)
    assert () == wrong.driver.vehicles()
    assert wrong.driver.counters["bad_signature"] >= 2
    right = listen(f"tcp://127.0.0.1:{one.port + 2}", key=KEY.hex())
    right.until(lambda: right.placed and len(right.of(AttitudeSample)) > 20)
    assert 0 == right.driver.totals.get("replayed", 0)
    assert 0 == right.driver.totals.get("requests_unanswered", 0)


def test_unsigned_copter_is_not_read_where_a_key_is_set(copter, listen) -> None:
    """A key means that nothing unsigned is believed."""
    port = free_udp()
    copter("--udp", f"127.0.0.1:{port}", tcp=False, speedup=1)
    heard = listen(f"udpin://127.0.0.1:{port}", key=KEY.hex())
    heard.until(lambda: heard.driver.counters.get("unsigned", 0) >= 3)
    assert () == heard.driver.vehicles()


def test_copter_that_dies_and_one_that_comes_again(copter, listen) -> None:
    """Silence shows as offline after five seconds; a new process on the port is heard by itself."""
    port = free_udp()
    one = copter("--udp", f"127.0.0.1:{port}", tcp=False, speedup=1)
    heard = listen(f"udpin://127.0.0.1:{port}")
    heard.until(lambda: len(heard.of(AttitudeSample)) > 10)
    one.stop()
    heard.until(lambda: not heard.driver.vehicles()[0].online)
    state = heard.driver.vehicles()[0]
    assert (None, None) == (state.roll_deg, state.lon_deg)
    copter("--udp", f"127.0.0.1:{port}", tcp=False, speedup=1)
    heard.until(lambda: heard.driver.totals["reboots"] >= 1)
    heard.seconds(1.5)
    assert heard.driver.vehicles()[0].online
    assert time.monotonic() - heard.of(AttitudeSample)[-1].t_monotonic_s < 1.0


def test_doctor_names_the_vehicle_that_it_hears(copter, tmp_path) -> None:
    """Of a link on this machine alone: heard, by name and mode, and no warning of strangers."""
    port = free_udp()
    one = copter("--udp", f"127.0.0.1:{port}")
    one.boot()
    text = DOCTOR.format(folder=tmp_path / "data", port=port)
    config = parse(text.encode(), NodeConfig, path=tmp_path / "edge.toml")
    found = examine(config, SystemClock(), pause=lambda _s: None)
    finding = next(found_one for found_one in found if found_one.what == "autopilot")
    assert ("ok", True) == (finding.verdict, "1/1 STABILIZE, fix fix_3d" in finding.detail)
