"""The pose of a camera on a vehicle against flights whose truth is a formula."""

import math
import threading

import numpy as np
import pytest

from edge.pose import NoPose, Pose
from edge.vehicle_camera import TimeOffset
from geo.lens import rotation_enu_from_camera
from geo.turn import rotation_vector_of_matrix
from hardware.ports import VehicleState
from tests.unit.edge.flights import ENU, VEHICLE, Circle, buffer


def true_camera(circle, t_s):
    return rotation_enu_from_camera(circle.heading_deg(t_s), circle.tilt_deg, 0.0)


def turn_between_deg(a, b):
    return float(np.degrees(np.linalg.norm(rotation_vector_of_matrix(a.T @ b))))


@pytest.mark.parametrize("frame", ["body", "level", "enu"])
def test_pose_on_a_circle_is_the_circle(frame):
    """Between samples of 5 and 10 Hz, in each frame a gimbal may speak of, to 1 mm and 0.001 deg."""
    circle, made = Circle(), buffer(frame=frame)
    for t_s in (0.05, 3.33, 7.777, 9.99):
        pose = made.at(t_s)
        assert isinstance(pose, Pose)
        assert 0.001 > float(np.linalg.norm(ENU.point_to_enu(pose.position) - circle.place_m(t_s)))
        assert 0.001 > turn_between_deg(pose.rotation_enu_from_camera, true_camera(circle, t_s))
        np.testing.assert_allclose(pose.velocity_enu_m_s, circle.velocity_m_s(t_s), atol=0.01)
        np.testing.assert_allclose(pose.rate_enu_rad_s, [0.0, 0.0, -circle.rate_rad_s], atol=1e-6)


def test_what_is_missing_and_how_old_is_said():
    """A stale part takes the pose away and is named with its age; a part never heard likewise."""
    made = buffer(parts="pg")
    made.add([Circle().attitude(7.7)])
    assert NoPose(
        reason="no attitude of vehicle 1 within 0.5 s of the frame: the newest is 2.3 s old"
    ) == made.at(10.0)
    assert NoPose(reason="no attitude of vehicle 1 was heard") == buffer(parts="pg").at(10.0)


def test_everything_missing_fits_an_observation():
    """A cut link takes all three away: one sentence of at most 200 letters tells each age."""
    made = buffer()
    assert (
        "no position of vehicle 1 within 0.5 s of the frame: the newest is 2.7 s old;"
        " nor attitude (2.7 s off), gimbal attitude (2.7 s off)" == made.at(12.7).reason
    )
    made = buffer(parts="p")
    made.add([Circle().attitude(4.0)])
    reason = made.at(1.0).reason
    assert "the oldest came 3.0 s after it; nor gimbal attitude (never heard)" in reason
    assert len(reason) <= 200


def test_sparse_samples_are_not_carried_on():
    """Places every two seconds without a velocity tell no rate: nothing is guessed beyond them."""
    circle, made = Circle(), buffer(parts="ag")
    made.add([circle.position(t, velocity_enu_m_s=None) for t in (6.0, 8.0)])
    assert isinstance(made.at(8.0), Pose)
    assert isinstance(made.at(8.1), NoPose)
    assert isinstance(made.at(7.0), NoPose)
    made.add([circle.position(7.6, velocity_enu_m_s=None)])
    assert isinstance(made.at(8.1), Pose)


def test_untrusted_fix_gives_no_pose():
    """Jammed, jumped, stale or distrusted: the place is not used, and the reason says why."""
    for status, word in (
        ("jammed", "jammed"),
        ("jumped", "jumped"),
        ("stale", "lost"),
        ("none", "no"),
    ):
        state = VehicleState(vehicle=VEHICLE, t_monotonic_s=10.0, fix_status=status)
        made = buffer(states=lambda state=state: [state])
        found = made.at(9.0)
        assert isinstance(found, NoPose)
        assert word in found.reason
    healthy = VehicleState(vehicle=VEHICLE, t_monotonic_s=10.0, fix_status="fix_3d")
    assert isinstance(buffer(states=lambda: [healthy]).at(9.0), Pose)


def test_height_above_the_sea_needs_a_geoid():
    """Without a grid there is no pose and it is said; with one the height is the ellipsoid's."""
    circle = Circle()
    sea = [circle.position(t, alt_hae_m=None, alt_msl_m=90.0) for t in (0.0, 0.2, 0.4)]
    made = buffer(parts="ag")
    made.add(sea)
    assert "above the sea only" in made.at(0.3).reason
    made = buffer(parts="ag", geoid_undulation_m=lambda lon, lat: -10.0)
    made.add(sea)
    assert 80.0 == pytest.approx(made.at(0.3).position.alt_hae_m, abs=1e-6)


def test_vehicle_beyond_the_geoid_grid_has_no_pose():
    """A grid that ends before the vehicle gives it no number for a height, so there is no pose."""
    circle = Circle()
    made = buffer(parts="ag", geoid_undulation_m=lambda lon, lat: math.nan)
    made.add([circle.position(t, alt_hae_m=None, alt_msl_m=90.0) for t in (0.0, 0.2, 0.4)])
    reason = "the geoid grid does not reach to where vehicle 1 is"
    assert NoPose(reason=reason) == made.at(0.3)


@pytest.mark.parametrize(("without", "asked_s"), [(0.0, 0.25), (0.4, 0.3)])
def test_one_position_without_a_height_takes_the_pose_away(without, asked_s):
    """Whichever of the samples around the instant it is: no pose, and nothing raises."""
    circle = Circle()
    made = buffer(parts="ag")
    for t_s in (0.0, 0.2, 0.4):
        if asked_s == 0.25 and t_s == 0.4:
            continue
        changes = {"alt_hae_m": None, "alt_msl_m": 90.0} if t_s == without else {}
        made.add([circle.position(t_s, velocity_enu_m_s=None, **changes)])
    assert "above the sea only" in made.at(asked_s).reason


def test_time_offset_moves_the_instant_and_its_doubt_is_told():
    """A camera that is 0.3 s late is asked 0.3 s earlier; both doubts about time add up."""
    circle = Circle()
    made = buffer(offset=lambda: TimeOffset(offset_s=-0.3, sigma_s=0.03), latency_sigma_s=0.04)
    pose = made.at(5.0)
    assert 0.001 > float(np.linalg.norm(ENU.point_to_enu(pose.position) - circle.place_m(4.7)))
    assert 0.05 == pytest.approx(pose.time_sigma_s)


def test_lever_arm_and_boresight_on_the_body():
    """A camera fixed under the nose looks and sits where the body's turn puts it."""
    circle = Circle()
    made = buffer(parts="pa", on="body", pitch_deg=-30.0, yaw_deg=90.0, lever_arm_m=(2.0, 0.0, 0.5))
    pose = made.at(3.05)
    heading = circle.heading_deg(3.05)
    expected = circle.place_m(3.05) + circle.body(3.05) @ [2.0, 0.0, 0.5]
    assert 0.001 > float(np.linalg.norm(ENU.point_to_enu(pose.position) - expected))
    assert 0.001 > turn_between_deg(
        pose.rotation_enu_from_camera, rotation_enu_from_camera(heading + 90.0, -30.0, 0.0)
    )
    spin = np.cross([0.0, 0.0, -circle.rate_rad_s], circle.body(3.05) @ [2.0, 0.0, 0.5])
    np.testing.assert_allclose(pose.velocity_enu_m_s, circle.velocity_m_s(3.05) + spin, atol=0.01)


def test_disorder_changes_nothing():
    """Shuffled and doubled samples give the same pose; those of the future and of no sense are refused."""
    circle, calm = Circle(), buffer()
    made = buffer(parts="")
    rng = np.random.default_rng(5)
    samples = [circle.position(t) for t in np.arange(0.0, 10.01, 0.2).tolist()]
    samples += [circle.attitude(t) for t in np.arange(0.0, 10.01, 0.1).tolist()]
    samples += [circle.gimbal(t) for t in np.arange(0.0, 10.01, 0.1).tolist()]
    doubled = samples[::7]
    samples += doubled
    made.add([samples[i] for i in rng.permutation(len(samples))])
    made.add([circle.position(12.0), circle.position(5.0, lon_deg=math.nan)])
    made.add([circle.attitude(5.0, quaternion_enu_from_body=(0.0, 0.0, 0.0, 0.0))])
    made.add([circle.position(5.0, vehicle=(2, 1), lat_deg=0.0)])
    assert calm.at(6.66) == made.at(6.66)
    np.testing.assert_array_equal(
        calm.at(6.66).rotation_enu_from_camera, made.at(6.66).rotation_enu_from_camera
    )
    assert (1, 2) == (made.counters["future"], made.counters["malformed"])
    assert len(doubled) == made.counters["duplicate"]
    assert {"pose_future": 1, "pose_malformed": 2} == made.refused


def test_newest_sample_is_carried_on_and_the_doubt_grows():
    """Past the newest sample the turn goes on for half a second, with a growing covariance."""
    circle, made = Circle(), buffer()
    sizes = []
    for ahead_s in (0.0, 0.1, 0.3, 0.5):
        pose = made.at(10.0 + ahead_s)
        assert isinstance(pose, Pose)
        assert 0.001 > turn_between_deg(
            pose.rotation_enu_from_camera, true_camera(circle, 10.0 + ahead_s)
        )
        sizes.append(float(np.trace(pose.cov_turn_rad2)))
    assert sorted(sizes) == sizes
    assert sizes[-1] > 1.5 * sizes[0]
    assert isinstance(made.at(10.51), NoPose)


def test_same_instant_is_answered_anew_when_more_was_heard():
    """An answer is kept for the frame that asks again, not for what came since."""
    circle, made = Circle(), buffer()
    guess = made.at(10.05)
    assert guess is made.at(10.05)
    made.add([make(10.1) for make in (circle.position, circle.attitude, circle.gimbal)])
    better = made.at(10.05)
    assert better is not guess
    assert np.trace(better.cov_turn_rad2) < np.trace(guess.cov_turn_rad2)


def test_memory_is_bounded():
    """A day of samples keeps a minute of them."""
    made = buffer(parts="")
    circle = Circle()
    for i in range(20000):
        made._clock.advance(0.01)
        made.add([circle.attitude(10.0 + 0.01 * i)])
    assert 6000 >= len(made._attitudes)


def test_heading_is_as_sure_as_stated_else_as_told():
    """The technician's word first, then the autopilot's, then that of compasses in general."""
    circle = Circle()
    for stated, told, expected in ((1.0, 7.0, 1.0), (None, 7.0, 7.0), (None, None, 5.0)):
        made = buffer(parts="pg", heading_sigma_deg=stated, gimbal_sigma_deg=0.0)
        made.add([circle.attitude(t, heading_sigma_deg=told) for t in (4.9, 5.0, 5.1)])
        turn = made.at(5.0).cov_turn_rad2
        assert expected == pytest.approx(math.degrees(math.sqrt(turn[2, 2])), abs=0.01)


def test_two_threads_may_feed_and_ask():
    """The link's thread adds while the pipeline's asks: every answer is on the circle."""
    circle, made = Circle(), buffer(until_s=60.0, parts="")
    made.add([make(t) for t in (0.0, 0.1) for make in (circle.position, circle.attitude)])
    made.add([circle.gimbal(t) for t in (0.0, 0.1)])
    reached_s, found, over = [0.1], [], threading.Event()

    def feed():
        for i in range(2, 600):
            t_s = 0.1 * i
            made.add([circle.position(t_s), circle.attitude(t_s), circle.gimbal(t_s)])
            reached_s[0] = t_s
        over.set()

    feeder = threading.Thread(target=feed)
    feeder.start()
    while len(found) < 50 or not over.is_set():
        t_s = reached_s[0] - 0.05
        found.append((t_s, made.at(t_s)))
    feeder.join()
    for t_s, pose in found:
        assert isinstance(pose, Pose)
        assert 0.002 > float(np.linalg.norm(ENU.point_to_enu(pose.position) - circle.place_m(t_s)))
