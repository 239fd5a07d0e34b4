"""A scenario's drone in flight: on its way at time 0, where it looks, and what a listener changes."""

import math

import numpy as np
import pytest

from simulations.flight import ERRORS, Flight, FlightErrors, SlowErrors
from simulations.scenario import load_scenario
from simulations.site import load_site

PATROL = load_scenario("drone-near-day").model
SITE = load_site(PATROL)
TRUE = FlightErrors(
    horizontal_sigma_m=0.0,
    vertical_sigma_m=0.0,
    heading_sigma_deg=0.0,
    attitude_sigma_deg=0.0,
    gimbal_sigma_deg=0.0,
)


@pytest.fixture(scope="module")
def flight():
    """One flight whose autopilot tells the truth."""
    return Flight(PATROL, "uav-1", errors=TRUE)


def test_it_hovers_at_its_first_place_when_the_scenario_begins(flight):
    """So that a scenario of a minute shows a patrol and no take-off."""
    place, _ = flight.pose(0.0)
    start = SITE.place(*PATROL.drone[0].path_along_across_m[0])
    assert np.hypot(*(place[:2] - start)) < 1.0
    assert place[2] == pytest.approx(PATROL.drone[0].height_m, abs=0.7)


def test_it_flies_its_way_and_back_at_its_speed(flight):
    """Fifteen metres from either end after half of the way, never nearer to the line."""
    places = np.array([flight.pose(float(t))[0] for t in range(41)])
    along = (
        np.array([SITE.line.project(place[None, :2]).along_m[0] for place in places])
        - SITE.start_along_m
    )
    assert along[0] == pytest.approx(585.0, abs=1.0)
    assert max(along) == pytest.approx(615.0, abs=2.5)
    assert along[40] < 605.0
    speed = np.hypot(*np.diff(places[5:12, :2], axis=0).T)
    assert speed == pytest.approx(2.0, abs=0.2)
    assert flight.min_distance_to_line_m == pytest.approx(55.0, abs=1.5)


def test_the_camera_looks_at_its_region_of_interest(flight):
    """Within what the tilt of a body under an unlevelled mount leaves."""
    target = np.array([*SITE.place(*PATROL.drone[0].look_at_along_across_m), 0.0])
    for t_s in (8.0, 12.0):
        place, rotation = flight.pose(t_s)
        towards = (target - place) / np.linalg.norm(target - place)
        assert math.degrees(math.acos(float(towards @ rotation[:, 2]))) < 5.0
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_a_listener_changes_nothing_of_the_flight(flight):
    """The film was drawn without one: the node that hears the autopilot must see the same way."""
    heard = Flight(PATROL, "uav-1", errors=TRUE)
    heard.connect()
    for step in range(1, 200):
        heard.advance(0.1 * step)
        heard.said()
    for t_s in (3.0, 11.3, 19.0):
        for one, other in zip(flight.pose(t_s), heard.pose(t_s), strict=True):
            assert np.array_equal(one, other)
    assert heard.now_s == pytest.approx(19.9, abs=0.3)


def test_truth_is_off_what_the_autopilot_says_by_what_is_stated():
    """Over many seeds the errors have the stated sigmas, within what so few draws allow."""
    off, turned = [], []
    for seed in range(40):
        errors = SlowErrors(seed, ERRORS)
        off.append(errors.place_m(5.0))
        rotation = errors.turned(np.eye(3), 5.0)
        turned.append(math.degrees(math.acos(min(1.0, (np.trace(rotation) - 1.0) / 2.0))))
    sigma = np.std(np.array(off), axis=0)
    assert sigma == pytest.approx([0.3, 0.3, 0.3], rel=0.4)
    expected = math.sqrt(ERRORS.heading_sigma_deg**2 + 2.0 * ERRORS.tilt_sigma_deg**2)
    assert math.sqrt(np.mean(np.square(turned))) == pytest.approx(expected, rel=0.4)
