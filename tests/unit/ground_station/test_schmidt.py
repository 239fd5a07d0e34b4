"""The filter of many targets: honest about what all looks of a sensor share."""

import math

import numpy as np
import pytest

from ground_station import schmidt
from ground_station.schmidt import SLOTS, Beliefs, Looks

CHI2_90 = 4.605
RANGE_M = 80.0


def looks_of(slot, enu_m, noise_m2, shared_m2, sensor_m):
    """One look per target, as a camera at `sensor_m` gives it."""
    enu = np.atleast_2d(np.asarray(enu_m, dtype=float))
    count = len(enu)
    shared = np.broadcast_to(shared_m2, (count, 2, 2))
    return Looks(
        slot=np.full(count, slot),
        enu_m=enu,
        noise_m2=np.broadcast_to(noise_m2, (count, 2, 2)),
        factor_m=schmidt.bias_factor(shared, enu - np.asarray(sensor_m, dtype=float)),
    )


def first(looks, sigma_m_s=1.5):
    count = len(looks.enu_m)
    return schmidt.born(looks, np.zeros((count, 2)), np.full(count, sigma_m_s))


def after(beliefs, looks, dt_s, psd=0.2):
    count = len(looks.enu_m)
    gone = schmidt.moved_on(beliefs, np.full(count, dt_s), np.full(count, psd))
    return schmidt.updated(gone, looks, outlier_sigmas=50.0)[0]


def whole_kalman(looks_by_time, dt_s, psd):
    """The same as one Kalman filter over target and all unknowns, whose gain on these is nothing.

    The textbook matrix of 4 + 2 * SLOTS states, written without any thought of speed.
    """
    size = 4 + 2 * SLOTS
    mean, cov = np.zeros(size), np.eye(size)
    for k, looks in enumerate(looks_by_time):
        slot, factor = int(looks.slot[0]), looks.factor_m[0]
        sees = np.zeros((2, size))
        sees[:, :2] = np.eye(2)
        sees[:, 4 + 2 * slot : 6 + 2 * slot] = factor
        if k == 0:
            mean[:2] = looks.enu_m[0]
            cov[:2, :2] = looks.noise_m2[0] + factor @ factor.T
            cov[2, 2] = cov[3, 3] = 1.5**2
            cov[:2, 4 + 2 * slot : 6 + 2 * slot] = -factor
            cov[4 + 2 * slot : 6 + 2 * slot, :2] = -factor.T
            continue
        step, noise = np.eye(size), np.zeros((size, size))
        step[0, 2] = step[1, 3] = dt_s
        for axis in (0, 1):
            noise[axis, axis] = psd * dt_s**3 / 3
            noise[axis, axis + 2] = noise[axis + 2, axis] = psd * dt_s**2 / 2
            noise[axis + 2, axis + 2] = psd * dt_s
        mean, cov = step @ mean, step @ cov @ step.T + noise
        spread = sees @ cov @ sees.T + looks.noise_m2[0]
        gain = cov @ sees.T @ np.linalg.inv(spread)
        gain[4:] = 0.0
        mean = mean + gain @ (looks.enu_m[0] - sees @ mean)
        keep = np.eye(size) - gain @ sees
        cov = keep @ cov @ keep.T + gain @ looks.noise_m2[0] @ gain.T
    return mean[:4], cov[:4, :4], cov[:4, 4:]


def test_equals_the_textbook_filter_over_target_and_unknowns():
    """Two sensors in turn, noise and shared errors of any shape: equal to the whole matrix."""
    source = np.random.default_rng(5)
    stream = []
    for k in range(30):
        shape = source.normal(size=(2, 2, 2))
        stream.append(
            looks_of(
                k % 2, source.normal((0.4 * k, 20.0), 0.5), shape[0] @ shape[0].T + 0.1 * np.eye(2),
                shape[1] @ shape[1].T, ((-60.0, 0.0), (50.0, -20.0))[k % 2],
            )
        )  # fmt: skip
    beliefs = first(stream[0])
    for looks in stream[1:]:
        beliefs = after(beliefs, looks, 0.5)
    mean, cov, cross = whole_kalman(stream, 0.5, 0.2)
    assert beliefs.mean[0] == pytest.approx(mean, abs=1e-9)
    assert beliefs.cov[0] == pytest.approx(cov, abs=1e-9)
    assert np.hstack(list(beliefs.cross[0])) == pytest.approx(cross, abs=1e-9)


def test_factor_gives_the_shared_covariance_back():
    """With and without the sensor's place, also where one direction has no doubt at all."""
    shared = np.array(
        [[[2.0, 0.5], [0.5, 1.0]], [[4.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]
    )
    for sight in ([30.0, -40.0], [np.nan, np.nan]):
        factor = schmidt.bias_factor(shared, np.broadcast_to(sight, (3, 2)))
        assert factor @ np.swapaxes(factor, -1, -2) == pytest.approx(shared, abs=1e-6)


def test_wrong_azimuth_turns_with_the_target():
    """A quarter of the horizon farther, the same unknown moves the place a quarter turned."""
    north = schmidt.bias_factor([[0.25, 0.0], [0.0, 0.01]], [0.0, 50.0])
    east = schmidt.bias_factor([[0.01, 0.0], [0.0, 0.25]], [50.0, 0.0])
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert quarter @ north == pytest.approx(east, abs=1e-9)


@pytest.mark.parametrize("looks", [2, 20, 240])
def test_one_camera_never_gets_below_what_its_looks_share(looks):
    """Two minutes of looking leave the shared part whole."""
    one = looks_of(0, (0.0, RANGE_M), 0.09 * np.eye(2), np.diag([0.5, 0.2]), (0.0, 0.0))
    beliefs = first(one)
    for _ in range(looks - 1):
        beliefs = after(beliefs, one, 0.5)
    low = np.linalg.eigvalsh(beliefs.cov[0, :2, :2] - np.diag([0.5, 0.2]))
    assert low[0] >= -1e-9


def test_second_camera_helps_as_far_as_its_own_error_allows():
    """Two unknowns of one variance, looked through for long: half of it is left, and no less."""
    beliefs = first(looks_of(0, (0.0, RANGE_M), 0.01 * np.eye(2), np.eye(2), (0.0, 0.0)))
    for k in range(1, 200):
        look = looks_of(k % 2, (0.0, RANGE_M), 0.01 * np.eye(2), np.eye(2), (0.0, 0.0))
        beliefs = after(beliefs, look, 0.5, psd=1e-6)
    assert beliefs.cov[0, 0, 0] == pytest.approx(0.5, abs=0.02)


def test_unknown_of_a_moving_camera_may_be_averaged_after_a_while():
    """What changes from look to look is noise; what stays is not."""
    look = looks_of(0, (0.0, RANGE_M), 0.01 * np.eye(2), np.eye(2), (np.nan, np.nan))
    fixed = moving = first(look)
    for _ in range(60):
        fixed = after(fixed, look, 0.5, psd=1e-4)
        moving = after(
            schmidt.loosened(moving, np.full((1, SLOTS), math.exp(-0.5))), look, 0.5, psd=1e-4
        )
    assert fixed.cov[0, 0, 0] >= 1.0 - 1e-9
    assert moving.cov[0, 0, 0] < 0.5


def test_ellipse_holds_its_share_after_a_minute_of_a_wrong_pose(capsys):
    """Five hundred masts, each turned and tilted by 0.1 degrees (one sigma), a walker for a minute."""
    source = np.random.default_rng(11)
    runs, sigma_rad, height_m, noise_m = 500, math.radians(0.1), 8.0, 0.15
    turn, tilt = source.normal(0.0, sigma_rad, (2, runs))
    start = np.stack((source.uniform(-30, 30, runs), source.uniform(60, 120, runs)), axis=-1)
    course = source.uniform(0, 2 * np.pi, runs)
    speed = 0.6 * np.stack((np.sin(course), np.cos(course)), axis=-1)
    beliefs, naive = None, None
    for k in range(121):
        truth = start + 0.5 * k * speed
        reach = np.hypot(truth[:, 0], truth[:, 1])
        azimuth = np.arctan2(truth[:, 0], truth[:, 1]) + turn
        seen_reach = height_m / np.tan(np.arctan2(height_m, reach) + tilt)
        place = seen_reach[:, None] * np.stack((np.sin(azimuth), np.cos(azimuth)), axis=-1)
        place = place + source.normal(0.0, noise_m, (runs, 2))
        along = place / np.hypot(place[:, 0], place[:, 1])[:, None]
        across = np.stack((-along[:, 1], along[:, 0]), axis=-1)
        far = np.hypot(place[:, 0], place[:, 1])
        along2 = (sigma_rad * (far**2 + height_m**2) / height_m) ** 2
        shared = np.einsum("n,ni,nj->nij", along2, along, along)
        shared += np.einsum("n,ni,nj->nij", (sigma_rad * far) ** 2, across, across)
        noise = np.broadcast_to(noise_m**2 * np.eye(2), (runs, 2, 2))
        slot = np.zeros(runs, dtype=np.int64)
        looks = Looks(
            slot=slot, enu_m=place, noise_m2=noise, factor_m=schmidt.bias_factor(shared, place)
        )
        blind = Looks(
            slot=slot, enu_m=place, noise_m2=noise + shared, factor_m=np.zeros((runs, 2, 2))
        )
        beliefs = first(looks) if beliefs is None else after(beliefs, looks, 0.5)
        naive = first(blind) if naive is None else after(naive, blind, 0.5)
    held = [
        float(np.mean(schmidt.distance2(truth - one.mean[:, :2], one.cov[:, :2, :2]) < CHI2_90))
        for one in (beliefs, naive)
    ]
    with capsys.disabled():
        print(
            f"\n[bench] 0.1 degrees of pose error, one minute, {runs} runs: the 90 % ellipse holds "
            f"{held[0]:.1%}; of a filter that averages the shared error {held[1]:.1%}"
        )
    assert 0.85 <= held[0] <= 0.95
    assert held[1] < 0.8


def test_wild_look_moves_a_belief_no_farther_than_the_limit():
    """Ten sigmas off counts as three."""
    look = looks_of(0, (0.0, RANGE_M), np.eye(2), np.zeros((2, 2)), (0.0, 0.0))
    beliefs = first(look)
    for _ in range(20):
        beliefs = after(beliefs, look, 0.5)
    wild = looks_of(0, (30.0, RANGE_M), np.eye(2), np.zeros((2, 2)), (0.0, 0.0))
    gone = schmidt.moved_on(beliefs, np.full(1, 0.5), np.full(1, 0.2))
    calm, surprise2 = schmidt.updated(gone, wild, outlier_sigmas=3.0)
    assert surprise2[0] > 100.0
    assert abs(calm.mean[0, 0]) < 5.0


def test_bearings_of_two_cameras_find_the_place():
    """Neither knows the range; together they do, and say how well."""
    truth = np.array([12.0, 90.0])
    cameras = np.array([[-60.0, 0.0], [60.0, 0.0]])
    beliefs = first(
        looks_of(2, (0.0, 70.0), np.diag([400.0, 400.0]), np.zeros((2, 2)), (np.nan, np.nan)), 0.1
    )
    for k in range(40):
        gone = schmidt.moved_on(beliefs, np.full(1, 0.5), np.full(1, 1e-3))
        sensor = cameras[k % 2][None, :]
        sight = truth - sensor[0]
        place, noise, factor = schmidt.bearing_looks(
            gone.mean, sensor, np.array([math.atan2(sight[0], sight[1])]),
            np.array([math.radians(0.3)]), 0.5, np.array([[10.0, 300.0]]),
        )  # fmt: skip
        looks = Looks(slot=np.array([k % 2]), enu_m=place, noise_m2=noise, factor_m=factor)
        beliefs = schmidt.updated(gone, looks, outlier_sigmas=50.0)[0]
    error = truth - beliefs.mean[0, :2]
    assert np.hypot(*error) < 0.5
    assert 0.05 < math.sqrt(beliefs.cov[0, 0, 0]) < 1.0


def test_bearing_alone_leaves_the_range_as_unknown_as_it_was():
    """Inside its limits a direction says nothing of the distance."""
    beliefs = first(
        looks_of(0, (0.0, 100.0), np.diag([100.0, 100.0]), np.zeros((2, 2)), (np.nan, np.nan))
    )
    place, noise, factor = schmidt.bearing_looks(
        beliefs.mean,
        np.zeros((1, 2)),
        np.zeros(1),
        np.full(1, 0.01),
        0.5,
        np.array([[20.0, 400.0]]),
    )
    looks = Looks(slot=np.zeros(1, dtype=np.int64), enu_m=place, noise_m2=noise, factor_m=factor)
    done, _ = schmidt.updated(beliefs, looks, outlier_sigmas=3.0)
    assert done.cov[0, 1, 1] == pytest.approx(100.0, rel=1e-4)
    assert done.cov[0, 0, 0] < 2.0


def test_each_row_is_its_own():
    """A target's result does not depend on whom it is computed with."""
    source = np.random.default_rng(3)
    many = looks_of(1, source.normal(0, 20, (9, 2)), np.eye(2), 0.3 * np.eye(2), (90.0, 0.0))
    whole = after(first(many), many, 0.5)
    for k in range(9):
        one = Looks(
            slot=many.slot[k : k + 1], enu_m=many.enu_m[k : k + 1],
            noise_m2=many.noise_m2[k : k + 1], factor_m=many.factor_m[k : k + 1],
        )  # fmt: skip
        alone: Beliefs = after(first(one), one, 0.5)
        assert np.array_equal(alone.mean[0], whole.mean[k])
        assert np.array_equal(alone.cov[0], whole.cov[k])
