"""A drone's link on a simulated clock, read by the node's own driver."""

from datetime import datetime, timezone

import pytest

from hardware.autopilot_mavlink.driver import MavlinkAutopilot, MavlinkSettings
from runtime.clock import ManualClock
from simulations.drone_link import FlightLink
from simulations.flight import Flight, FlightErrors
from simulations.scenario import load_scenario
from simulations.site import load_site

PATROL = load_scenario("drone-near-day").model
TRUE = FlightErrors(
    horizontal_sigma_m=0.0, vertical_sigma_m=0.0, heading_sigma_deg=0.0, attitude_sigma_deg=0.0,
    gimbal_sigma_deg=0.0,
)  # fmt: skip
LOST = {"kind": "link_loss", "at_s": 8.0, "lasts_s": 6.0}


@pytest.fixture(scope="module")
def flown():
    """States by second, with the link lost from 8 s to 14 s."""
    told = PATROL.model_dump(mode="json")
    told["drone"][0]["fault"] = [LOST]
    flight = Flight(type(PATROL).model_validate(told), "uav-1")
    clock = ManualClock(datetime(2026, 11, 23, 2, 40, tzinfo=timezone.utc))
    driver = MavlinkAutopilot(
        lambda: FlightLink(flight, clock), MavlinkSettings(), clock, pause=lambda _: None
    )
    samples, states = [], {}
    for step in range(200):
        samples += driver.read(0.0)
        if step % 10 == 0:
            states[step // 10] = driver.vehicles()
        clock.advance(0.1)
    return samples, states, driver.counters


def test_the_driver_knows_where_the_copter_is(flown):
    """Its position is that of the flight within what the estimator adds."""
    _, states, _ = flown
    (state,) = states[6]
    place, _ = Flight(PATROL, "uav-1", errors=TRUE).pose(6.0)
    there = load_site(PATROL).lon_lat(state.lon_deg, state.lat_deg)
    # Half a second of flight at 2 m/s, and the estimator's own wandering.
    assert float(((there - place[:2]) ** 2).sum()) ** 0.5 < 1.5
    assert state.alt_hae_m == pytest.approx(PATROL.ground_alt_hae_m + 25.0, abs=0.7)


def test_answers_come_after_their_questions(flown):
    """TIMESYNC goes there and back within a tick: the two clocks are known to half of it."""
    _, states, counters = flown
    (state,) = states[19]
    assert state.clock_error_s == pytest.approx(0.005, abs=0.001)
    assert counters.get("timesync_slow", 0) == 0


def test_a_lost_link_is_silent_and_comes_back(flown):
    """Nothing is heard of those seconds; before and after there is a sample ten times a second."""
    samples, _, _ = flown
    times = sorted(sample.t_monotonic_s for sample in samples)
    assert not [t for t in times if 8.2 < t < 13.9]
    assert len([t for t in times if 5.0 < t < 7.9]) > 60
    assert len([t for t in times if 15.0 < t < 19.0]) > 60
