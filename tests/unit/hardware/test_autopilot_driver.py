"""The driver as a whole: vehicles kept apart, the line kept open, states that say what is known."""

import itertools
from collections import Counter

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from hardware.autopilot_mavlink.driver import MavlinkAutopilot, MavlinkSettings
from hardware.autopilot_mavlink.signing import Signer
from hardware.ports import AttitudeSample, GimbalSample, PositionSample
from tests.unit.hardware.mavlink_kit import Heard, Line, Teller, World, clock_of


@pytest.mark.parametrize("version", [1, 2])
def test_positions_come_out_in_our_frames(version) -> None:
    """MAVLink 1 and 2 alike: degrees, metres, ENU, and the moment it was true."""
    heard = Heard(version=version)
    sample = heard.settle(lat=10.5, lon=104.5, alt_m=80.0, v=(300, -400, 100))[-1]
    assert (104.5, 10.5, 80.0, None) == (
        sample.lon_deg,
        sample.lat_deg,
        sample.alt_msl_m,
        sample.alt_hae_m,
    )
    assert (-4.0, 3.0, -1.0) == sample.velocity_enu_m_s
    assert (1, 1) == sample.vehicle


def test_two_vehicles_on_one_link_never_mix() -> None:
    """Each keeps its own place, mode and clock."""
    heard = Heard()
    other = Teller(heard.line, system_id=2, boot_s=990.0)
    other.heartbeat(custom_mode=4, base_mode=209)
    for _ in range(3):
        heard.copter.position(lat=10.1)
        other.position(lat=10.9)
        heard.read()
    first, second = heard.driver.vehicles()
    assert (10.1, 10.9) == (first.lat_deg, second.lat_deg)
    assert ("STABILIZE", False, "GUIDED", True) == (
        first.mode,
        first.armed,
        second.mode,
        second.armed,
    )


def test_what_is_no_vehicle_makes_none() -> None:
    """Ground stations, ADS-B, gimbals, cameras and unknown senders of positions."""
    heard = Heard(met=False)
    for system, kind, autopilot in [(255, 6, 8), (7, 27, 8), (1, 26, 8), (1, 30, 8), (9, 6, 3)]:
        Teller(heard.line, system_id=system, component_id=kind).heartbeat(
            kind=kind, autopilot=autopilot
        )
    Teller(heard.line, system_id=77).position()
    assert [] == heard.read()
    assert () == heard.driver.vehicles()


def test_gimbal_component_belongs_to_its_vehicle_with_its_own_clock() -> None:
    """Its sample names the autopilot, and its boot time is not the vehicle's."""
    heard = Heard()
    gimbal = Teller(heard.line, component_id=154, boot_s=100.0)
    gimbal.heartbeat(kind=26, autopilot=8)
    gimbal.say(
        mav.MAVLink_gimbal_device_attitude_status_message(
            0, 0, gimbal.boot_ms, 44, [1.0, 0.0, 0.0, 0.0], 0.0, 0.0, 0.0, 0
        )
    )
    now_s = heard.clock.monotonic_s()
    (sample,) = heard.read()
    assert isinstance(sample, GimbalSample)
    assert ((1, 1), "level", now_s) == (sample.vehicle, sample.frame, sample.t_monotonic_s)
    assert 1 == len(heard.driver.vehicles())


def test_simulated_copter_is_asked_for_its_streams_and_tells_the_truth() -> None:
    """On a clock moved by hand: position within 0.1 m, attitude within 0.01, at the right moment."""
    world = World()
    driver = MavlinkAutopilot(
        world.connect, MavlinkSettings(), world.clock, pause=world.clock.advance
    )
    seen = {}
    while world.clock.monotonic_s() < 1050.0:
        for sample in driver.read(0.5):
            seen.setdefault(type(sample), []).append(sample)
    position = seen[PositionSample][-1]
    t_s, truth, _ = world.truth_at(position.t_monotonic_s)
    assert truth.place.lat_deg == pytest.approx(position.lat_deg, abs=1e-6)
    assert truth.place.lon_deg == pytest.approx(position.lon_deg, abs=1e-6)
    assert t_s == pytest.approx(position.t_monotonic_s, abs=0.02)
    assert all(sample.lat_deg > 10.0 for sample in seen[PositionSample])
    assert len(seen[AttitudeSample]) > 40 * 15
    (state,) = driver.vehicles()
    assert ("fix_3d", True, "STABILIZE") == (state.fix_status, state.ekf_healthy, state.mode)
    assert 0 == driver.totals["group_requests"]


def test_line_that_breaks_is_opened_again_with_growing_pauses() -> None:
    """A refused connection costs a pause, never an exception."""
    clock = clock_of()
    tries = []

    def refuse():
        tries.append(clock.monotonic_s())
        raise ConnectionRefusedError("nobody there")

    driver = MavlinkAutopilot(refuse, MavlinkSettings(), clock, pause=clock.advance)
    for _ in range(200):
        driver.read(0.5)
    gaps = [round(b - a, 1) for a, b in itertools.pairwise(tries)]
    assert [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0] == gaps[:7]
    assert len(tries) == driver.totals["connect_failures"]


def test_lost_line_is_closed_and_reopened() -> None:
    """What the vehicle was asked for is asked again."""
    clock = clock_of()
    line = Line(clock)
    driver = MavlinkAutopilot(lambda: line, MavlinkSettings(), clock, pause=clock.advance)
    driver.read(0.0)
    line.fails = ConnectionResetError("gone")
    assert () == driver.read(0.0)
    assert line.closed and not driver.connected
    driver.read(0.5)
    driver.read(0.5)
    assert driver.connected
    assert (2, 1) == (driver.totals["connections"], driver.totals["link_losses"])


def test_silent_tcp_line_is_opened_anew_and_datagrams_are_waited_for() -> None:
    """TCP may not notice for hours that the other side is gone; a closed UDP port would lose frames."""
    for silent_s, opened in ((15.0, 2), (None, 1)):
        heard = Heard(settings=MavlinkSettings(transmit=False, silent_link_s=silent_s))
        for _ in range(170):
            heard.read(0.1)
        assert opened == heard.driver.totals["connections"]


def test_pause_is_short_again_after_a_line_that_worked() -> None:
    """A line that breaks once a day is back in half a second."""
    heard = Heard()
    for _ in range(6):
        heard.line.fails = ConnectionResetError("gone")
        heard.driver.read(0.0)
        began_s = heard.clock.monotonic_s()
        while not heard.driver.connected:
            heard.driver.read(0.1)
        assert 0.5 == pytest.approx(heard.clock.monotonic_s() - began_s, abs=0.11)
        heard.copter.heartbeat()
        heard.read()


def test_vehicle_over_a_satellite_is_asked_nothing() -> None:
    """Every question costs there: heard by HIGH_LATENCY2 alone, it gets no request and no TIMESYNC."""
    heard = Heard(settings=MavlinkSettings(), met=False)
    message = mav.MAVLink_high_latency2_message(
        0, 2, 3, 3, 104_235_000, 1_044_407_000, 80, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 20, 30, 0, 0, 55,
        0, 0, -39, 0, 0,
    )  # fmt: skip
    for _ in range(20):
        heard.copter.say(message)
        heard.read(1.0)
    assert heard.state.online
    assert [] == heard.line.asked("COMMAND_LONG", "TIMESYNC", "REQUEST_DATA_STREAM")


def test_closed_driver_stays_closed() -> None:
    """A worker that still reads gets nothing and opens nothing."""
    heard = Heard()
    heard.driver.close()
    assert heard.line.closed
    assert () == heard.driver.read(0.1)
    assert 1 == heard.driver.totals["connections"]


def test_lost_frames_are_counted_by_their_numbers_alone() -> None:
    """Three missing are three; one twice and one overtaken are none."""
    heard = Heard()
    frames = [heard.copter.frame(mav.MAVLink_system_time_message(0, 0)) for _ in range(10)]
    for number in (0, 1, 5, 5, 7, 6, 8, 9):
        heard.copter.bytes(frames[number])
    heard.read()
    assert 3 + 1 == heard.driver.counters["frames_lost"]


def test_every_count_is_made_under_the_lock() -> None:
    """Health adds the counters up in another thread; one that is new meanwhile would end that one."""
    heard = Heard(met=False)
    line, driver = heard.line, heard.driver

    class Guarded(Counter):
        def __setitem__(self, key, count):
            assert driver._lock.locked(), key
            super().__setitem__(key, count)

    driver._counters = Guarded()
    refused = [OSError("refused")]

    def connect():
        if refused:
            raise refused.pop()
        return line

    driver._connect = connect
    driver.read(0.0)
    heard.clock.advance(1.0)
    heard.copter.heartbeat()
    heard.read()
    line.fails = OSError("gone")
    driver.read(0.0)
    assert {"connect_failures": 1, "link_losses": 1} == dict(driver.counters)


def test_count_of_a_signature_that_is_not_kept_is_made_under_the_lock(tmp_path) -> None:
    """A disk that takes no state file is counted while we speak, and health may be reading."""
    clock = clock_of()
    folder = tmp_path / "no-folder"
    folder.write_text("a file")
    signer = Signer(bytes(32), link_id=1, clock=clock, state_file=folder / "signing.json")
    heard = Heard(met=False, settings=MavlinkSettings(transmit=True), signer=signer, clock=clock)
    driver = heard.driver

    class Guarded(Counter):
        def __setitem__(self, key, count):
            assert driver._lock.locked(), key
            super().__setitem__(key, count)

    signer.counters = Guarded()
    for _ in range(100):
        heard.read(step_s=10.0)
    assert driver.counters["state_not_saved"] > 0
