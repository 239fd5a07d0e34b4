"""Recorded flights through the driver: what is believed of them, counted."""

from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest

from hardware.autopilot_mavlink.driver import MavlinkAutopilot, MavlinkSettings
from hardware.autopilot_mavlink.opening import Opening, open_mavlink
from hardware.autopilot_mavlink.tlog import TlogLink, records
from hardware.ports import AttitudeSample, GimbalSample, PositionSample
from runtime.errors import AskOperator
from tests.unit.hardware.mavlink_kit import Line, Teller, clock_of


def opened(path, clock, *, fast=True):
    return open_mavlink(
        Opening(
            url=None, log_file=path, log_fast=fast, baud=115_200, system_id=245, component_id=191,
            vehicles=frozenset(), signing_key=None, signing_link_id=1, signing_state_file=None,
            transmit=True, attitude_rate_hz=20.0, position_rate_hz=5.0, status_rate_hz=1.0,
        ),
        clock,
        pause=clock.advance,
    )  # fmt: skip


def drain(driver, timeout_s, samples):
    """Read a log to its end."""
    for _ in range(100_000):
        try:
            samples += driver.read(timeout_s)
        except EOFError:  # noqa: PERF203  # the end is what the loop waits for
            return
    raise AssertionError("the log does not end")


class Flight:
    """Everything that a log gives."""

    def __init__(self, path):
        clock = clock_of()
        driver = opened(path, clock)
        self.samples, self.modes, self.fixes, self.satellites = [], [], [], set()
        try:
            while True:
                self.samples += driver.read(0.5)
                for state in driver.vehicles():
                    if self.modes[-1:] != [state.mode]:
                        self.modes.append(state.mode)
                    if self.fixes[-1:] != [state.fix_status]:
                        self.fixes.append(state.fix_status)
                    self.satellites.add(state.satellites)
        except EOFError:
            pass
        self.counters = driver.totals
        self.kinds = Counter(type(sample) for sample in self.samples)
        self.states = driver.vehicles()

    def of(self, kind):
        return [sample for sample in self.samples if isinstance(sample, kind)]


def log_of(count, *, step_s=0.1, start=datetime(2026, 11, 23, tzinfo=timezone.utc)):
    """A log of heartbeats and positions, written by hand."""
    clock = clock_of()
    line = Line(clock)
    teller = Teller(line)
    data = b""
    for number in range(count):
        (teller.heartbeat if number % 10 == 0 else teller.position)()
        stamp_us = int((start + timedelta(seconds=number * step_s)).timestamp() * 1e6)
        data += stamp_us.to_bytes(8, "big") + line.inbox.popleft().data
        clock.advance(step_s)
    return data


@pytest.mark.data
def test_real_flight_of_a_copter(data_dir) -> None:
    """17.5 minutes: no 0/0, a change of pilots' modes, a reboot, a mount, what its estimator refuses."""
    flight = Flight(data_dir / "mavlink-logs" / "dronekit-flight.tlog")
    counters = flight.counters
    print(f"dronekit-flight.tlog: {dict(counters)}")
    assert {AttitudeSample: 2827, GimbalSample: 2825, PositionSample: 1155} == flight.kinds
    refused = {key: value for key, value in counters.items() if key.startswith("position_")}
    assert {"position_zero": 147, "position_estimator": 1524, "position_unconfirmed": 4} == refused
    # Everything that came was judged, but three whose stamps waited for others.
    assert 2833 - 3 == sum(refused.values()) + counters["positions"] + counters.get("overtaken", 0)
    assert 1 == counters["reboots"]
    for sample in flight.of(PositionSample):
        assert 149.15 < sample.lon_deg < 149.18
        assert -35.37 < sample.lat_deg < -35.35
        assert 570.0 < sample.alt_msl_m < 700.0
        assert sample.alt_hae_m is None
    assert {"body"} == {sample.frame for sample in flight.of(GimbalSample)}
    assert {"STABILIZE", "LOITER", "AUTO", "RTL"} == set(flight.modes)
    assert {0, 4, 5, 7, 8} <= flight.satellites
    assert ["none", "fix_3d"] == [fix for fix in flight.fixes if fix != "stale"]
    assert 25 == counters["texts"]
    assert 1 == len(flight.states)


@pytest.mark.data
def test_simulated_flight_of_a_vtol(data_dir) -> None:
    """An estimator that reports zeros says nothing; its clock falls back by 3 s once, for a moment."""
    flight = Flight(data_dir / "mavlink-logs" / "sitl-vtol.tlog")
    print(f"sitl-vtol.tlog: {dict(flight.counters)}")
    assert 799 == flight.kinds[PositionSample]
    assert 1 == flight.counters["position_unconfirmed"]
    assert (6, 1) == (flight.counters["time_unsettled"], flight.counters["overtaken"])
    assert 0 == flight.counters["reboots"]
    assert all(-35.37 < sample.lat_deg < -35.35 for sample in flight.of(PositionSample))
    assert ["QLOITER", "CIRCLE", "GUIDED", "QLAND"] == flight.modes
    assert ["fix_3d"] == flight.fixes


@pytest.mark.data
def test_vehicles_own_log_is_refused_in_words(data_dir) -> None:
    """A .BIN of the vehicle's memory is another format: the error says what to take."""
    path = data_dir / "mavlink-logs" / "sitl-test.BIN"
    with pytest.raises(AskOperator, match=r"\.tlog"):
        TlogLink(path, clock_of(), fast=True, pause=lambda _s: None)


def test_log_paces_itself_by_its_stamps(tmp_path) -> None:
    """In its own time: ten seconds of flight take ten seconds of the clock, and then it is over."""
    path = tmp_path / "a.tlog"
    path.write_bytes(log_of(101))
    clock = clock_of()
    driver = opened(path, clock, fast=False)
    samples = []
    drain(driver, 0.25, samples)
    assert 1010.0 == pytest.approx(clock.monotonic_s(), abs=0.01)
    assert 89 == len(samples)
    assert all(s.t_monotonic_s <= clock.monotonic_s() for s in samples)
    gaps = {
        round(b.t_monotonic_s - a.t_monotonic_s, 1)
        for a, b in zip(samples, samples[1:], strict=False)  # noqa: RUF007  # clearer beside its like
    }
    assert {0.1, 0.2} == gaps


def test_fast_log_runs_ahead_of_the_clock_by_its_own_time(tmp_path) -> None:
    """The clock stands, the samples' instants go on, and freshness is the log's."""
    path = tmp_path / "a.tlog"
    path.write_bytes(log_of(101))
    clock = clock_of()
    driver = opened(path, clock)
    samples = list(driver.read(0.5))
    assert 1000.0 == clock.monotonic_s()
    assert 9.8 == pytest.approx(samples[-1].t_monotonic_s - samples[0].t_monotonic_s, abs=0.11)
    assert driver.vehicles()[0].online
    assert 10.4235 == driver.vehicles()[0].lat_deg


def test_vehicle_of_a_log_that_is_over_falls_silent(tmp_path) -> None:
    """Or the map would show it where it ended for ever."""
    path = tmp_path / "a.tlog"
    path.write_bytes(log_of(101))
    clock = clock_of()
    driver = opened(path, clock)
    drain(driver, 0.5, [])
    assert driver.vehicles()[0].online
    clock.advance(6.0)
    assert not driver.vehicles()[0].online
    assert driver.vehicles()[0].lon_deg is None


def test_broken_places_and_odd_stamps_of_a_log_are_passed_over(tmp_path) -> None:
    """Garbage in the middle, a stamp years away, a cut end: the rest is read."""
    data = log_of(60)
    found = list(records(data))
    assert 60 == len(found)
    cut = len(data) // 2
    damaged = data[:cut] + b"\xfd\xfe\x00garbage" + data[cut:-5]
    whole = {frame for _, frame in found}
    assert 58 <= sum(frame in whole for _, frame in records(damaged))
    odd = data[:8] + found[0][1] + (2**63).to_bytes(8, "big") + found[1][1] + data[-200:]
    path = tmp_path / "odd.tlog"
    path.write_bytes(odd)
    clock = clock_of()
    driver = opened(path, clock, fast=False)
    drain(driver, 1.0, [])
    assert clock.monotonic_s() < 1010.0


@pytest.mark.parametrize("content", [b"", b"no log at all, but text", None])
def test_file_that_is_no_log_is_refused(tmp_path, content) -> None:
    """Empty, text, or not there."""
    path = tmp_path / "x.tlog"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AskOperator, match=r"autopilot\.log_file"):
        opened(path, clock_of())


def test_nothing_is_said_to_a_log(tmp_path) -> None:
    """A replay answers nobody: no heartbeat, no request."""
    path = tmp_path / "a.tlog"
    path.write_bytes(log_of(30))
    clock = clock_of()
    written = []

    class Listening(TlogLink):
        def write(self, data):
            written.append(data)

    link = Listening(path, clock, fast=True, pause=clock.advance)
    driver = MavlinkAutopilot(
        lambda: link, MavlinkSettings(recorded=True), clock, pause=clock.advance
    )
    driver.read(0.1)
    assert [] == written
