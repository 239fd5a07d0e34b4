"""Positions: only what can be true comes out, with heights apart and an honest accuracy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from hardware.autopilot_mavlink.place import PlaceGate, absurd, accuracy, distance_m
from tests.unit.hardware.mavlink_kit import Heard

INT32_MAX = 2**31 - 1


@pytest.mark.parametrize(
    ("place", "counter"),
    [
        ({"lat": 0.0, "lon": 0.0}, "position_zero"),
        ({"lat": 0.0000012, "lon": -0.0000031}, "position_zero"),
        ({"lat": INT32_MAX / 1e7}, "position_range"),
        ({"lon": INT32_MAX / 1e7}, "position_range"),
        ({"lat": -90.0}, "position_range"),
        ({"alt_m": INT32_MAX / 1e3}, "position_height"),
        ({"alt_m": -900.0}, "position_height"),
    ],
)
def test_places_that_cannot_be_never_come_out(place, counter) -> None:
    """Neither as samples nor in the state; each is counted by its reason."""
    heard = Heard()
    assert [] == heard.settle(**place)
    assert (None, None) == (heard.state.lon_deg, heard.state.alt_msl_m)
    assert 2 == heard.driver.totals[counter]


def test_first_position_waits_for_a_second_that_agrees() -> None:
    """One message alone is not believed."""
    heard = Heard()
    heard.copter.position(lat=48.0, lon=11.0)
    assert [] == heard.read()
    heard.copter.position()
    assert [] == heard.read()
    heard.copter.position()
    (sample,) = heard.read()
    assert 10.4235 == sample.lat_deg


def test_jump_is_held_back_for_ten_seconds_and_said() -> None:
    """A glitch goes by unseen, a vehicle that was carried away is believed in the end."""
    heard = Heard()
    heard.settle()
    heard.copter.gps()
    for _ in range(3):
        heard.copter.position(lat=10.60)
        assert [] == heard.read()
        heard.copter.gps()
    assert "jumped" == heard.state.fix_status
    heard.copter.position()
    assert 1 == len(heard.read())
    out = []
    while len(out) < 1:
        heard.copter.position(lat=10.60)
        out += heard.read(1.0)
    assert 10.60 == out[0].lat_deg
    assert heard.clock.monotonic_s() == pytest.approx(1012.0, abs=1.0)
    assert heard.driver.totals["position_jump"] >= 12


def test_position_without_an_estimator_that_knows_it_is_refused() -> None:
    """Constant-position mode and no absolute position are no position, whatever the numbers say."""
    heard = Heard()
    for flags in (165, 37, 1024, 831 | 128):
        heard.copter.ekf(flags)
        assert [] == heard.settle()
    heard.copter.ekf(831)
    assert 1 == len(heard.settle())


def test_position_without_a_fix_or_estimator_is_refused() -> None:
    """Old firmware repeats its last place while the receiver searches."""
    heard = Heard()
    heard.copter.gps(fix=1)
    assert [] == heard.settle()
    assert 2 == heard.driver.totals["position_no_fix"]


def test_estimator_report_of_zeros_says_nothing() -> None:
    """A filter that does not run reports zeros; it neither allows nor forbids."""
    heard = Heard()
    heard.copter.ekf(0, (0.0, 0.0, 0.0, 0.0))
    assert 1 == len(heard.settle())
    assert heard.state.ekf_healthy is None


def test_heights_stay_apart_and_are_never_guessed() -> None:
    """Above the ellipsoid by the receiver's own difference, by the grid, or not at all."""
    heard = Heard()
    assert heard.settle(alt_m=65.0)[-1].alt_hae_m is None
    heard.copter.gps(alt_m=65.0, ellipsoid_m=53.0)
    assert 53.0 == pytest.approx(heard.settle(alt_m=65.0)[-1].alt_hae_m)
    grid = Heard(geoid=lambda lon, lat: -11.5)
    sample = grid.settle(alt_m=65.0)[-1]
    assert (53.5, 65.0) == (sample.alt_hae_m, sample.alt_msl_m)
    for odd_m in (0.0, 900.0):
        other = Heard()
        other.copter.gps(alt_m=65.0, ellipsoid_m=odd_m)
        assert other.settle()[-1].alt_hae_m is None


def test_accuracy_follows_what_is_told() -> None:
    """Metres of estimator or receiver; else dilution times three metres; else ten metres."""
    heard = Heard()
    untold = heard.settle()[-1].cov_enu_m2
    assert [100.0, 100.0, 225.0] == pytest.approx(list(np.diag(untold)))
    heard.copter.gps(eph=150)
    dilution = heard.settle()[-1].cov_enu_m2
    assert [4.5**2, 4.5**2, 7.65**2] == pytest.approx(list(np.diag(dilution)))
    heard.copter.gps(h_acc_m=0.8, v_acc_m=1.2)
    receiver = heard.settle()[-1].cov_enu_m2
    assert [0.64, 0.64, 1.44] == pytest.approx(list(np.diag(receiver)))
    heard.copter.say(mav.MAVLink_estimator_status_message(0, 831, *[0.1] * 6, 0.5, 0.7))
    estimator = heard.settle()[-1].cov_enu_m2
    assert [0.25, 0.25, 0.49] == pytest.approx(list(np.diag(estimator)), rel=1e-6)
    assert 0.5 == pytest.approx(heard.state.horizontal_sigma_m)


@pytest.mark.parametrize("eph", [65535, 9999, 0])
def test_unknown_dilution_is_no_accuracy(eph) -> None:
    """65535 is MAVLink's unknown, 9999 ArduPilot's; HDOP 99.99 would be a fix of 300 m."""
    heard = Heard()
    heard.copter.gps(eph=eph)
    assert 100.0 == heard.settle()[-1].cov_enu_m2[0, 0]


def test_accuracy_grows_while_there_is_no_fix() -> None:
    """The estimator lives on without a receiver, and knows less every second."""
    heard = Heard()
    heard.copter.gps(h_acc_m=1.0)
    heard.settle()
    sigmas = []
    for _ in range(12):
        heard.copter.gps(fix=1)
        heard.copter.ekf(831)
        heard.copter.position()
        sigmas += [math.sqrt(s.cov_enu_m2[0, 0]) for s in heard.read(1.0)]
    assert sigmas == sorted(sigmas)
    assert sigmas[-1] > 20.0


def test_disputed_position_is_less_exact() -> None:
    """Innovations beyond the estimator's limit widen the ellipse in proportion."""
    told = {"estimator_m": None, "receiver_m": (1.0, 2.0), "hdop": None, "since_fix_s": 0.0}
    assert 1.0 == accuracy(**told, innovation_ratio=0.8).horizontal_m
    assert 2.5 == accuracy(**told, innovation_ratio=2.5).horizontal_m


def test_absurd_velocity_is_none_and_the_place_stays() -> None:
    """327 m/s is what an overflow says."""
    heard = Heard()
    sample = heard.settle(v=(32767, 0, 0))[-1]
    assert sample.velocity_enu_m_s is None
    assert 10.4235 == sample.lat_deg


def test_high_latency_gives_a_position_where_nothing_better_comes() -> None:
    """Every few seconds over a satellite: place, heading, battery, mode."""
    heard = Heard(met=False)
    message = mav.MAVLink_high_latency2_message(
        0, 2, 3, 3, 104_235_000, 1_044_407_000, 80, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 20, 30, 0, 0, 55,
        0, 0, -39, 0, 0,
    )  # fmt: skip
    out = []
    for _ in range(2):
        heard.copter.say(message)
        # The teller's position is 10.4235, 104.4407.
        out += heard.read(5.0)
    (sample,) = out
    assert (10.4235, 104.4407, 80.0) == (sample.lat_deg, sample.lon_deg, sample.alt_msl_m)
    assert [4.0, 4.0, 9.0] == pytest.approx(list(np.diag(sample.cov_enu_m2)))
    state = heard.state
    assert ("AUTO", True, 0.55, True) == (
        state.mode,
        state.armed,
        state.battery_fraction,
        state.online,
    )


def test_map_shows_what_the_receiver_sees_before_the_estimator_does() -> None:
    """The state has the receiver's place; no sample comes out, so nothing is located by it."""
    heard = Heard()
    for _ in range(3):
        heard.copter.ekf(165)
        heard.copter.gps(h_acc_m=2.0)
        heard.copter.position()
        assert [] == heard.read(0.5)
    assert (104.4407, 10.4235, 2.0) == (
        heard.state.lon_deg,
        heard.state.lat_deg,
        heard.state.horizontal_sigma_m,
    )


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-89.9, 89.9),
    alt=st.floats(-500, 12000),
    steps=st.lists(
        st.tuples(st.floats(0.0, 40.0), st.floats(-0.05, 0.05), st.floats(-0.05, 0.05)), max_size=40
    ),
)
def test_gate_never_lets_two_places_through_that_no_craft_joins(lon, lat, alt, steps) -> None:
    """Two accepted in a row are within 100 m/s of each other, or ten seconds of waiting lie between."""
    gate, t_s, accepted = PlaceGate(), 1000.0, []
    for elapsed_s, east, north in steps:
        t_s += elapsed_s
        lon = (lon + east + 180.0) % 360.0 - 180.0
        lat = max(-89.9, min(89.9, lat + north))
        if gate.look(t_s, lon, lat, alt) == "ok":
            accepted.append((t_s, lon, lat))
    for (t0, lon0, lat0), (t1, lon1, lat1) in zip(accepted, accepted[1:], strict=False):  # noqa: RUF007  # may be empty
        near = distance_m(lon0, lat0, lon1, lat1) <= 30.0 + 100.0 * (t1 - t0)
        assert near or t1 - t0 >= 10.0


@given(st.floats(), st.floats(), st.floats())
def test_absurd_catches_every_number(lon, lat, alt) -> None:
    """What passes is a place on the globe, away from 0/0."""
    if absurd(lon, lat, alt) is None:
        assert abs(lon) <= 180.0
        assert abs(lat) <= 89.9
        assert -500.0 <= alt <= 12_000.0
        assert max(abs(lon), abs(lat)) >= 0.01
