"""A drone's feed from autopilot bytes to the alert: the node's own driver, poses, tracks and places."""

import pytest

from simulations.error_model import ErrorModel
from simulations.modelled_run import modelled_sightings
from simulations.run_offline import play
from simulations.scenario import load_scenario
from simulations.score.run import score
from simulations.world import World


def played(name):
    """A scenario with boxes by the error model, placed by what the simulated copter says."""
    world = World(load_scenario(name).model)
    found = play(
        world,
        modelled_sightings(world, ErrorModel.load()),
        duration_s=world.scenario.duration_s,
        scratch=None,
        detections="modelled",
    )
    return found, score(found, world)


@pytest.mark.timeout(300)
def test_who_crosses_below_a_drone_is_told_once_and_in_the_right_place():
    """No mast sees them: the pose comes over MAVLink, and the stated ellipses hold the feet."""
    record, report = played("drone-near-day")
    assert (report.true_positive, report.missed, report.false_positive) == (1, 0, 0)
    assert report.direction_right == 1
    assert report.geolocation_m.median < 2.5
    # One flight is one draw of the errors that all its places share: its coverage tells nothing.
    assert report.geolocation_m.p95 < 6.0
    assert {one.sensor_id for one in record.observations} == {"uav-1"}
    # Told of the true flight, not of what the autopilot believes.
    assert record.min_distance_to_line_m["uav-1"] == pytest.approx(55.0, abs=2.0)


@pytest.mark.timeout(300)
def test_a_drones_own_motion_makes_no_crossing_of_people_who_stay():
    """Two walk along the line, a dog runs past; the camera flies to and fro above them."""
    _, report = played("quiet-drone-night")
    assert (report.true_positive, report.false_positive) == (0, 0)
    assert report.observations.made > 20
