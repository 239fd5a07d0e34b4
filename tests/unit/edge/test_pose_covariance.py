"""What a vehicle camera's pose says of its own error, against errors drawn by chance."""

import math

import numpy as np
import pytest

from edge.pose import Pose
from edge.pose_buffer import PoseBuffer
from edge.vehicle_camera import VehicleCamera
from edge.vehicle_motion import Unrest, beyond_variance, bridge_variance
from geo.turn import matrix_of_rotation_vector, rotation_vector_of_matrix
from runtime.clock import ManualClock
from tests.unit.edge.flights import ENU, VEHICLE, Banked, Wandering, buffer
from tests.unit.edge.parts import START_UTC

CHI2_90_3D = 6.2514
CALM = Unrest(position_m2_s3=0.0, attitude_rad2_s3=0.0, gimbal_rad2_s3=0.0)
SIGMAS = {
    "heading_sigma_deg": 1.5,
    "roll_pitch_sigma_deg": 0.6,
    "gimbal_sigma_deg": 0.3,
    "unrest": CALM,
}


def draw(flight, rng):
    """Give a flight the errors that the sigmas promise."""
    flight.heading_error_deg = rng.normal(0.0, SIGMAS["heading_sigma_deg"])
    flight.pitch_error_deg = rng.normal(0.0, SIGMAS["roll_pitch_sigma_deg"])
    flight.roll_error_deg = rng.normal(0.0, SIGMAS["roll_pitch_sigma_deg"])
    flight.gimbal_error_rad = np.radians(rng.normal(0.0, SIGMAS["gimbal_sigma_deg"], 3))
    flight.place_error_m = rng.multivariate_normal(np.zeros(3), flight.place_cov_m2)


@pytest.mark.parametrize("frame", ["body", "level", "enu"])
def test_turn_covariance_is_that_of_drawn_errors(frame):
    """2,000 banked poses with drawn errors spread as one pose says, to a tenth of its trace."""
    rng = np.random.default_rng(11)
    flight, errors = Banked(), []
    truth = flight.camera(0.1)
    for _ in range(2000):
        draw(flight, rng)
        said = buffer(flight, until_s=0.2, frame=frame, **SIGMAS).at(0.1)
        errors.append(rotation_vector_of_matrix(said.rotation_enu_from_camera @ truth.T))
    found = np.cov(np.array(errors).T)
    stated = buffer(Banked(), until_s=0.2, frame=frame, **SIGMAS).at(0.1).cov_turn_rad2
    print(f"\n{frame}: sigma found {np.degrees(np.sqrt(np.diag(found)))} deg,")
    print(f"{frame}: sigma stated {np.degrees(np.sqrt(np.diag(stated)))} deg")
    np.testing.assert_allclose(found, stated, atol=0.1 * np.trace(stated) / 3.0 + 1e-6)


def test_lever_arm_carries_the_turn_error_into_the_place():
    """A lens 5 m ahead of the receiver errs by what the heading's error moves it."""
    rng = np.random.default_rng(12)
    flight, errors, lever = Banked(), [], (5.0, 1.0, 2.0)
    truth = ENU.to_enu(104.45, 10.42, 20.0)[0] + flight.place_m(0.1) + flight.body(0.1) @ lever
    for _ in range(2000):
        draw(flight, rng)
        said = buffer(flight, until_s=0.2, lever_arm_m=lever, **SIGMAS).at(0.1)
        errors.append(ENU.point_to_enu(said.position) - truth)
    found = np.cov(np.array(errors).T)
    stated = buffer(Banked(), until_s=0.2, lever_arm_m=lever, **SIGMAS).at(0.1)
    np.testing.assert_allclose(found, stated.cov_position_enu_m2, atol=0.015)


def _integrated(rng, q, steps, step_s, runs):
    """(runs, steps + 1) places and rates of things pushed by white acceleration."""
    push = rng.normal(0.0, math.sqrt(q / step_s), (runs, steps))
    rate = np.concatenate((np.zeros((runs, 1)), np.cumsum(push * step_s, axis=1)), axis=1)
    steps_m = (rate[:, 1:] + rate[:, :-1]) / 2.0 * step_s
    return np.concatenate((np.zeros((runs, 1)), np.cumsum(steps_m, axis=1)), axis=1), rate


def test_guess_between_samples_is_worth_what_is_stated():
    """White acceleration, straight line and cubic: the variance of the guess is the formula's."""
    rng, q, gap_s, steps = np.random.default_rng(13), 4.0, 0.5, 100
    place, rate = _integrated(rng, q, 3 * steps, gap_s / steps, 20000)
    first, last = place[:, steps], place[:, 2 * steps]
    v0, v1 = rate[:, steps], rate[:, 2 * steps]
    for part in (0.2, 0.5, 0.8):
        truth = place[:, steps + round(part * steps)]
        line = first + part * (last - first)
        stated = bridge_variance(q, gap_s, part * gap_s, with_rates=False)
        assert stated == pytest.approx(np.var(truth - line), rel=0.05)
        mean = (last - first) / gap_s
        bend = (1 - part) * (v0 - mean) - part * (v1 - mean)
        cubic = line + gap_s * part * (1 - part) * bend
        stated = bridge_variance(q, gap_s, part * gap_s, with_rates=True)
        assert stated == pytest.approx(np.var(truth - cubic), rel=0.05)
    ahead_s = 0.3
    truth = place[:, 2 * steps + round(ahead_s / gap_s * steps)]
    told = v1 + rng.normal(0.0, 0.3, len(v1))
    stated = beyond_variance(q, ahead_s, rate_variance=0.09)
    assert stated == pytest.approx(np.var(truth - last - ahead_s * told), rel=0.05)
    by_difference = (last - first) / gap_s
    stated = beyond_variance(q, ahead_s, rate_variance=q * gap_s / 3.0)
    assert stated == pytest.approx(np.var(truth - last - ahead_s * by_difference), rel=0.05)


def fly(rng, *, frame, late_s):
    """One flight of 4 s, its samples jittered, lost, doubled and out of order; poses asked in it.

    Returns:
        Squared normalised errors of place and of turn, and whether each asked pose was there.
    """
    flight = Wandering(rng)
    draw(flight, rng)
    clock = ManualClock(START_UTC, monotonic_s=100.0)
    made = PoseBuffer(
        VehicleCamera(
            vehicle=VEHICLE, on="gimbal", latency_sigma_s=late_s, **SIGMAS | {"unrest": Unrest()}
        ),
        clock=clock,
    )
    samples = []
    for make, rate_hz in ((flight.position, 5), (flight.attitude, 10)):
        samples += [make(t) for t in rng.uniform(0.0, 4.0, 4 * rate_hz)]
    samples += [flight.gimbal(t, frame) for t in rng.uniform(0.0, 4.0, 40)]
    kept = [sample for sample in samples if rng.random() > 0.1]
    kept += kept[::9]
    made.add([kept[i] for i in rng.permutation(len(kept))])
    place, turn, asked = [], [], 0
    for t_s in rng.uniform(1.0, 3.5, 3):
        asked += 1
        seen_s = t_s + rng.normal(0.0, late_s)
        pose = made.at(t_s)
        if not isinstance(pose, Pose):
            continue
        error = ENU.point_to_enu(pose.position) - flight.place_m(seen_s)
        moved = pose.velocity_enu_m_s * pose.time_sigma_s
        cov = pose.cov_position_enu_m2 + np.outer(moved, moved)
        place.append(error @ np.linalg.solve(cov, error))
        off = rotation_vector_of_matrix(pose.rotation_enu_from_camera @ flight.camera(seen_s).T)
        turned = pose.rate_enu_rad_s * pose.time_sigma_s
        cov = pose.cov_turn_rad2 + np.outer(turned, turned)
        turn.append(off @ np.linalg.solve(cov, off))
    return place, turn, asked


@pytest.mark.parametrize("frame", ["body", "level", "enu"])
def test_stated_ellipsoids_hold_the_truth_of_whole_flights(frame):
    """Jitter, loss, doubles and disorder: 90 % ellipsoids of place and turn hold 85..95 %."""
    rng = np.random.default_rng(14)
    place, turn, asked = [], [], 0
    for _ in range(300):
        found = fly(rng, frame=frame, late_s=0.02)
        place += found[0]
        turn += found[1]
        asked += found[2]
    held = [float(np.mean(np.array(part) <= CHI2_90_3D)) for part in (place, turn)]
    print(f"\n{frame}: {len(place)} of {asked} poses; 90 % ellipsoid holds place {held[0]:.3f},")
    print(f"{frame}: turn {held[1]:.3f}")
    assert len(place) > 0.8 * asked
    assert 0.85 <= held[0] <= 0.95
    assert 0.85 <= held[1] <= 0.95


def test_rotation_vector_comes_back():
    """Matrix and rotation vector undo each other up to half a turn."""
    rng = np.random.default_rng(15)
    for _ in range(200):
        axis = rng.normal(size=3)
        vector = axis / np.linalg.norm(axis) * rng.uniform(0.0, math.pi - 1e-6)
        back = rotation_vector_of_matrix(matrix_of_rotation_vector(vector))
        np.testing.assert_allclose(back, vector, atol=1e-7)
