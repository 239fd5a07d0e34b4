"""What holds for every pair of samples, whatever they say."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.pose import Pose
from edge.pose_samples import History
from geo.turn import matrix_of_quaternion, quaternion_of_matrix, rotation_vector_of_matrix
from hardware.ports import AttitudeSample, PositionSample
from tests.unit.edge.flights import ENU, VEHICLE, Circle, buffer

parts = st.floats(-1.0, 1.0)
quaternions = (
    st.tuples(parts, parts, parts, parts)
    .filter(lambda q: math.hypot(*q) > 0.1)
    .map(lambda q: tuple(value / math.hypot(*q) for value in q))
)
metres = st.floats(-200.0, 200.0)
places = st.tuples(metres, metres, metres).map(np.array)
fractions = st.floats(0.0, 1.0)


def position(t_s, place_m):
    point = ENU.point_to_geodetic(place_m)
    return PositionSample(
        vehicle=VEHICLE,
        t_monotonic_s=t_s,
        lon_deg=point.lon_deg,
        lat_deg=point.lat_deg,
        alt_hae_m=point.alt_hae_m,
        alt_msl_m=None,
        cov_enu_m2=np.eye(3),
    )


def angle_rad(a, b):
    return float(np.linalg.norm(rotation_vector_of_matrix(a.T @ b)))


@settings(max_examples=100, deadline=None)
@given(places, places, quaternions, quaternions, fractions)
def test_pose_between_two_samples_is_between_them(place_a, place_b, turn_a, turn_b, part):
    """On the straight line of the places, and on the shortest way of the turns."""
    made = buffer(parts="", on="body", max_age_s=1.0)
    made.add([position(1.0, place_a), position(1.5, place_b)])
    made.add(
        [
            AttitudeSample(vehicle=VEHICLE, t_monotonic_s=t_s, quaternion_enu_from_body=turn)
            for t_s, turn in ((1.0, turn_a), (1.5, turn_b))
        ]
    )
    start, middle, end = (made.at(t_s) for t_s in (1.0, 1.0 + 0.5 * part, 1.5))
    if not all(isinstance(pose, Pose) for pose in (start, middle, end)):
        return  # A nose straight up has no heading, and the answer says so.
    at = ENU.point_to_enu(middle.position)
    whole = float(np.linalg.norm(place_b - place_a))
    assert abs(np.linalg.norm(at - place_a) + np.linalg.norm(at - place_b) - whole) < 1e-3
    turned = [pose.rotation_enu_from_camera for pose in (start, middle, end)]
    total = angle_rad(turned[0], turned[2])
    assert abs(angle_rad(*turned[:2]) + angle_rad(*turned[1:]) - total) < 1e-5
    assert np.linalg.det(turned[1]) > 0.999999


@settings(max_examples=50, deadline=None)
@given(st.floats(-1000.0, 1000.0), st.floats(0.0, 3.0))
def test_only_differences_of_time_matter(shift_s, t_s):
    """All clocks moved alike, the pose is the same."""
    flight = Circle()
    moved = buffer(parts="", until_s=shift_s + 3.0)
    calm = buffer(parts="", until_s=3.0)
    for sample_s in np.arange(0.0, 3.01, 0.1).tolist():
        for sample in (
            flight.position(sample_s),
            flight.attitude(sample_s),
            flight.gimbal(sample_s),
        ):
            calm.add([sample])
            moved.add([replace(sample, t_monotonic_s=sample_s + shift_s)])
    here, there = calm.at(t_s), moved.at(t_s + shift_s)
    apart = ENU.point_to_enu(here.position) - ENU.point_to_enu(there.position)
    assert float(np.abs(apart).max()) < 1e-6
    assert angle_rad(here.rotation_enu_from_camera, there.rotation_enu_from_camera) < 1e-7


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.0, 20.0), max_size=60))
def test_history_is_in_order_and_bounded_however_samples_come(arrivals_s):
    """Never more than asked, never out of order, and the newest is always kept."""
    history = History(keep_s=5.0, max_samples=8)
    for t_s in arrivals_s:
        history.add(position(t_s, np.zeros(3)))
    kept = [sample.t_monotonic_s for sample in history.between(-1.0, 30.0)]
    assert sorted(set(kept)) == kept
    assert len(kept) <= 8
    assert all(max(arrivals_s) - t_s <= 5.0 for t_s in kept)
    assert kept[-1:] == sorted(arrivals_s)[-1:]


@settings(max_examples=200, deadline=None)
@given(quaternions)
def test_quaternion_and_matrix_undo_each_other(quaternion):
    """The same turn comes back, up to the sign that means nothing."""
    back = np.array(quaternion_of_matrix(matrix_of_quaternion(quaternion)))
    given_one = np.array(quaternion)
    assert min(np.abs(back - given_one).max(), np.abs(back + given_one).max()) < 1e-9
