"""The offset between camera and autopilot, found from how the picture turns."""

import itertools
import math

import cv2
import numpy as np
import pytest

from edge.camera_motion import CameraMotion
from edge.picture_turn import WatchedMotion, turn_of_warp
from edge.time_offset import OffsetEstimator
from edge.turn_match import Turn
from edge.vehicle_camera import TimeOffset
from edge.warp import Warp
from geo.lens import Lens
from geo.terrain import FlatTerrain
from geo.turn import matrix_of_rotation_vector, quaternion_of_matrix, rotation_vector_of_matrix
from hardware.ports import Frame
from tests.unit.edge.flights import ENU, HOME, Circle, Flight, Wandering, buffer

LENS = Lens.from_hfov(40.0, 640, 480)
DISTANCE_M = 60.0 / math.sin(math.radians(45.0))


class Straight(Flight):
    """Nothing turns."""

    def place_m(self, t_s):
        return np.array([5.0 * t_s, 0.0, 60.0])

    def angles_deg(self, t_s):
        return 90.0, 0.0, 0.0


def seen_turn(flight, from_s, to_s, rng, sigma_rad):
    """What a picture tells between two instants of the flight, the ground's own shift included."""
    before, after = flight.camera(from_s), flight.camera(to_s)
    turn = rotation_vector_of_matrix(before.T @ after)
    moved = before.T @ (flight.place_m(to_s) - flight.place_m(from_s)) / DISTANCE_M
    return turn + np.array([-moved[1], moved[0], 0.0]) + rng.normal(0.0, sigma_rad, 3)


def watch(flight, *, late_s, use=True, seconds=45.0, stated=None, seed=3, sigma_rad=3e-4):
    """An estimator that saw a flight at 7 frames/s, each stamped so much after its true moment."""
    rng = np.random.default_rng(seed)
    poses = buffer(flight, until_s=seconds)
    made = OffsetEstimator(
        "cam-1",
        poses.at_vehicle_time,
        stated=stated or TimeOffset(offset_s=0.0, sigma_s=0.3),
        use=use,
    )
    times = np.arange(1.0, seconds, 1.0 / 7.0)
    for from_s, to_s in itertools.pairwise(times.tolist()):
        turn = seen_turn(flight, from_s, to_s, rng, sigma_rad)
        made.add(
            Turn(from_s=from_s + late_s, to_s=to_s + late_s, turn_rad=turn, sigma_rad=sigma_rad)
        )
    return made


@pytest.mark.parametrize("late_s", [0.18, -0.3, 0.0])
def test_offset_is_found_with_its_accuracy(late_s):
    """Frames stamped late by so much give minus that, within three stated sigmas and 15 ms."""
    errors, sigmas = [], []
    for seed in range(2):
        made = watch(Wandering(np.random.default_rng(seed)), late_s=late_s, seed=seed)
        errors.append(made.estimate.offset_s + late_s)
        sigmas.append(made.estimate.sigma_s)
        assert made.current() == made.estimate
    print(f"\nlate {late_s:g} s: errors {np.round(errors, 4)} s, stated {np.round(sigmas, 4)} s")
    assert max(np.abs(errors)) < 0.015
    assert max(np.abs(np.array(errors) / sigmas)) < 3.0


def test_wandering_stamps_are_seen_and_take_the_place_of_the_configs_doubt():
    """Frames stamped 15 ms to and fro: found as jitter, and told with the pose instead of 50 ms."""
    flight = Wandering(np.random.default_rng(3))
    rng = np.random.default_rng(9)
    poses = buffer(flight, until_s=60.0, latency_sigma_s=0.05)
    made = OffsetEstimator("cam-1", poses.at_vehicle_time, stated=TimeOffset(sigma_s=0.3), use=True)
    poses.follow(made.current)
    assert 0.3 < poses.at(30.0).time_sigma_s
    times = np.arange(1.0, 60.0, 1.0 / 7.0)
    stamps = times + 0.1 + rng.normal(0.0, 0.015, len(times))
    for (from_s, to_s), (early_s, late_s) in zip(
        itertools.pairwise(times.tolist()), itertools.pairwise(stamps.tolist()), strict=True
    ):
        turn = seen_turn(flight, from_s, to_s, rng, 3e-4)
        made.add(Turn(from_s=early_s, to_s=late_s, turn_rad=turn, sigma_rad=3e-4))
    print(f"\nstamps wander by 15 ms: {made.estimate}")
    assert -0.1 == pytest.approx(made.estimate.offset_s, abs=0.015)
    assert 0.012 < made.estimate.jitter_s < 0.03
    told = poses.at(30.0).time_sigma_s
    assert math.hypot(made.estimate.sigma_s, made.estimate.jitter_s) == pytest.approx(told)


class Noisy(Wandering):
    """Its attitude is told with fresh errors each time."""

    def __init__(self, rng) -> None:
        super().__init__(rng)
        self._rng = rng

    def attitude(self, t_s, **change):
        shake = matrix_of_rotation_vector(np.radians(self._rng.normal(0.0, 0.2, 3)))
        turn = quaternion_of_matrix(self.body(t_s) @ shake)
        return super().attitude(t_s, **{"quaternion_enu_from_body": turn} | change)


def test_noise_of_the_attitude_is_in_the_accuracy():
    """Attitudes that shake by 0.2 degrees, pictures by 1 mrad: errors stay within three sigmas."""
    errors, sigmas = [], []
    for seed in range(3):
        flight = Noisy(np.random.default_rng(seed))
        found = watch(flight, late_s=0.18, seed=seed, sigma_rad=1e-3).estimate
        errors.append(found.offset_s + 0.18)
        sigmas.append(found.sigma_s)
    print(f"\nshaking: errors {np.round(errors, 4)} s, stated {np.round(sigmas, 4)} s")
    assert max(np.abs(np.array(errors) / sigmas)) < 3.0
    assert max(sigmas) < 0.03


def test_no_motion_gives_no_estimate():
    """Straight and level, and a steady circle: nothing sharp to compare, so the config's word holds."""
    for flight in (Straight(), Circle()):
        stated = TimeOffset(offset_s=0.05, sigma_s=0.1)
        made = watch(flight, late_s=0.2, stated=stated)
        assert made.estimate is None
        assert stated == made.current()
        assert made.counters["too_little_motion"] > 3


def test_proposed_estimate_is_shown_and_not_used():
    """With time_offset = propose the poses keep the stated offset."""
    stated = TimeOffset(offset_s=0.0, sigma_s=0.3)
    made = watch(Wandering(np.random.default_rng(1)), late_s=0.18, use=False, stated=stated)
    assert -0.18 == pytest.approx(made.estimate.offset_s, abs=0.02)
    assert stated == made.current()


def test_sure_but_wrong_config_is_overruled_only_by_agreement():
    """A stated 2 ms against 0.3 s of truth: contradictions first, then the correction."""
    stated = TimeOffset(offset_s=0.0, sigma_s=0.002)
    made = watch(Wandering(np.random.default_rng(2)), late_s=0.3, stated=stated)
    assert made.counters["contradictions"] >= 2
    assert 1 == made.counters["corrections"]
    assert -0.3 == pytest.approx(made.estimate.offset_s, abs=0.02)


def test_estimate_stays_within_its_reach():
    """An offset beyond a second is not found, and nothing else is claimed instead."""
    made = watch(Wandering(np.random.default_rng(4)), late_s=1.6)
    assert made.estimate is None


def test_picture_that_swims_convinces_nobody():
    """Turns of pure noise give no estimate."""
    made = watch(Wandering(np.random.default_rng(5)), late_s=0.1, sigma_rad=0.2)
    assert made.estimate is None


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_turn_of_a_pure_rotation_is_that_rotation(axis):
    """A camera turned by half a degree about one of its axes, through the picture's homography."""
    turn = np.zeros(3)
    turn[axis] = math.radians(0.5)
    shift = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    camera = shift @ LENS.matrix
    matrix = camera @ matrix_of_rotation_vector(turn).T @ np.linalg.inv(camera)
    found, _ = turn_of_warp(Warp(matrix=matrix, sigma_px=0.3), LENS, (640, 480))
    np.testing.assert_allclose(found, turn, atol=1e-6)


def test_turn_of_a_halved_picture_is_the_same():
    """A second stream of half the size tells the same angles."""
    turn = np.radians([0.3, -0.4, 0.2])
    half = np.diag([0.5, 0.5, 1.0]) @ np.array([[1.0, 0, 0.5], [0, 1.0, 0.5], [0, 0, 1.0]])
    camera = half @ LENS.matrix
    matrix = camera @ matrix_of_rotation_vector(turn).T @ np.linalg.inv(camera)
    found, sigma_rad = turn_of_warp(Warp(matrix=matrix, sigma_px=0.3), LENS, (320, 240))
    np.testing.assert_allclose(found, turn, atol=2e-5)
    assert sigma_rad == pytest.approx(0.6 / LENS.fx_px, rel=1e-6)


class Ground:
    """A field of blots, 400 x 400 m at a quarter of a metre per pixel, as a camera above it sees it."""

    def __init__(self) -> None:
        rng = np.random.default_rng(8)
        coarse = rng.integers(0, 255, (400, 400)).astype(np.uint8)
        self._texture = cv2.resize(coarse, (1600, 1600), interpolation=cv2.INTER_CUBIC)
        # Pixels of the texture to east and north.
        self._to_metres = np.array([[0.25, 0.0, -200.0], [0.0, -0.25, 200.0], [0.0, 0.0, 1.0]])

    def picture(self, place_m, rotation):
        plane = np.column_stack(
            ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-place_m[0], -place_m[1], -place_m[2]])
        )
        matrix = LENS.matrix @ rotation.T @ plane @ self._to_metres
        grey = cv2.warpPerspective(self._texture, matrix, (640, 480), flags=cv2.INTER_LINEAR)
        return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)


class Hovering(Wandering):
    """It works above one place."""

    def __init__(self, rng) -> None:
        super().__init__(rng)
        self._speed_m_s = np.array([1.0, -0.5])


def test_offset_is_found_in_real_pictures():
    """Corners followed in drawn pictures of a field, 5 frames/s, stamped 0.12 s late: to 20 ms."""
    flight = Hovering(np.random.default_rng(6))
    poses = buffer(flight, until_s=30.0)
    estimator = OffsetEstimator(
        "cam-1", poses.at_vehicle_time, stated=TimeOffset(sigma_s=0.3), use=True
    )
    poses.follow(estimator.current)
    ground = FlatTerrain(alt_hae_m=HOME.alt_hae_m)
    watched = WatchedMotion(CameraMotion(LENS, poses, ground), LENS, estimator)
    field = Ground()
    for seq, t_s in enumerate(np.arange(1.0, 29.0, 0.2).tolist()):
        watched.step(
            Frame(
                sensor_id="cam-1",
                seq=seq + 1,
                image_bgr=field.picture(flight.place_m(t_s), flight.camera(t_s)),
                t_capture_utc=None,
                t_capture_monotonic_s=t_s + 0.12,
            ),
            np.empty((0, 4)),
        )
    print(f"\nin pictures: {estimator.estimate}, counters {dict(estimator.counters)}")
    assert -0.12 == pytest.approx(estimator.estimate.offset_s, abs=0.02)
    pose = poses.at(15.0 + 0.12)
    assert 0.3 > float(np.linalg.norm(ENU.point_to_enu(pose.position) - flight.place_m(15.0)))
