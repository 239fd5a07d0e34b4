"""Where a vehicle was and how it lay between two of its samples, and what that guess is worth.

Between samples a vehicle moves as it likes, within what its unrest allows: its acceleration is
taken as white noise. What is known at both ends then bounds what can have happened in between, and
that variance is stated with every answer.

Source: Bar-Shalom, Li and Kirubarajan, "Estimation with Applications to Tracking and Navigation",
2001, section 6.2 (white noise acceleration); the bridges between two ends follow from it by
conditioning on the far end.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.pose_samples import Around
from geo.frames import EnuFrame, GeodeticPoint
from geo.turn import (
    matrix_of_quaternion,
    matrix_of_rotation_vector,
    rotation_vector_of_matrix,
)
from hardware.ports import AttitudeSample, GimbalSample, PositionSample

Array = npt.NDArray[np.float64]

_VELOCITY_SIGMA_M_S = 0.3
"""What an autopilot's velocity is good for, per axis, when it is carried beyond the newest sample."""
_RATE_SIGMA_RAD_S = float(np.radians(0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrest:
    """How wildly things move between their samples: spectral density of white acceleration.

    Attributes:
        position_m2_s3: a copter in gusts, about 2 m/s^2 held for half a second.
        attitude_rad2_s3: its body, about 30 deg/s^2 held for a fifth of a second.
        gimbal_rad2_s3: a stabilised head, about a third of the body's acceleration.
    """

    position_m2_s3: float = 4.0
    attitude_rad2_s3: float = 0.11
    gimbal_rad2_s3: float = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where a vehicle's reference point was.

    Attributes:
        point: WGS84.
        velocity_enu_m_s: (3,).
        cov_enu_m2: (3, 3), what its samples say of themselves and what the guess adds.
    """

    point: GeodeticPoint
    velocity_enu_m_s: Array
    cov_enu_m2: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """How a body lay in some frame.

    Attributes:
        rotation: (3, 3) columns are the body's axes in the frame.
        rate_rad_s: (3,) in the frame.
        guess_variance_rad2: per axis, of what the guess between samples adds.
    """

    rotation: Array
    rate_rad_s: Array
    guess_variance_rad2: float


def bridge_variance(q: float, gap_s: float, since_s: float, *, with_rates: bool) -> float:
    """Variance, per axis, of a guess between two known ends.

    Args:
        q: spectral density of the white acceleration.
        gap_s: between the ends.
        since_s: from the first end, 0..gap_s.
        with_rates: both ends tell their rate too (cubic), else only their place (straight line).
    """
    left_s = gap_s - since_s
    product = since_s * left_s
    if with_rates:
        return float(q * product**3 / (3.0 * gap_s**3))
    return float(q * product**2 / (3.0 * gap_s))


def beyond_variance(q: float, ahead_s: float, *, rate_variance: float) -> float:
    """Variance, per axis, of a guess beyond the newest sample, whose rate is known that well."""
    return float(rate_variance * ahead_s**2 + q * ahead_s**3 / 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """How far from a sample a guess may reach.

    Attributes:
        bridge_s: longest gap between two samples that is bridged.
        beyond_s: farthest beyond a sample that its own rate is carried.
    """

    bridge_s: float
    beyond_s: float


def course(
    around: Around[PositionSample],
    t_s: float,
    *,
    spans: Spans,
    q: float,
    point_of: Callable[[PositionSample], GeodeticPoint],
    cov_of: Callable[[PositionSample], Array],
) -> Course | None:
    """The place at an instant; None where no sample is near enough.

    Args:
        around: samples around the instant.
        t_s: the instant.
        spans: how far a guess may reach.
        q: unrest, m^2/s^3.
        point_of: WGS84 point of a sample, height above the ellipsoid.
        cov_of: (3, 3) covariance of a sample, ENU.
    """
    before, after = around.before, around.after
    if before is None:
        return None
    if after is not None:
        gap_s = after.t_monotonic_s - before.t_monotonic_s
        if gap_s <= spans.bridge_s:
            return _bridged(before, after, t_s, q=q, point_of=point_of, cov_of=cov_of)
    ahead_s = t_s - before.t_monotonic_s
    if ahead_s > spans.beyond_s:
        return None
    frame = EnuFrame(point_of(before))
    velocity, rate_variance = before.velocity_enu_m_s, _VELOCITY_SIGMA_M_S**2
    if velocity is None:
        if ahead_s == 0.0:
            velocity = (0.0, 0.0, 0.0)
        elif around.older is None:
            return None
        else:
            gap_s = before.t_monotonic_s - around.older.t_monotonic_s
            if gap_s > spans.bridge_s:
                return None
            moved = -frame.point_to_enu(point_of(around.older)) / gap_s
            velocity, rate_variance = tuple(moved.tolist()), q * gap_s / 3.0
    step = np.array(velocity)
    variance = beyond_variance(q, ahead_s, rate_variance=rate_variance)
    return Course(
        point=frame.point_to_geodetic(step * ahead_s),
        velocity_enu_m_s=step,
        cov_enu_m2=cov_of(before) + np.eye(3) * variance,
    )


def _bridged(
    a: PositionSample,
    b: PositionSample,
    t_s: float,
    *,
    q: float,
    point_of: Callable[[PositionSample], GeodeticPoint],
    cov_of: Callable[[PositionSample], Array],
) -> Course:
    gap_s = b.t_monotonic_s - a.t_monotonic_s
    since_s = t_s - a.t_monotonic_s
    f = since_s / gap_s
    frame = EnuFrame(point_of(a))
    end = frame.point_to_enu(point_of(b))
    mean = end / gap_s
    with_rates = a.velocity_enu_m_s is not None and b.velocity_enu_m_s is not None
    if with_rates:
        va, vb = np.array(a.velocity_enu_m_s), np.array(b.velocity_enu_m_s)
        # The cubic through both ends with their velocities, as the straight line and what it lacks.
        lack_a, lack_b = va - mean, vb - mean
        place = f * end + gap_s * f * (1 - f) * ((1 - f) * lack_a - f * lack_b)
        velocity = mean + (1 - f) * (1 - 3 * f) * lack_a + f * (3 * f - 2) * lack_b
        # Places and velocities that contradict each other (the filter was reset, a sample slipped).
        doubt_m = f * (1 - f) * gap_s * (lack_a + lack_b)
    else:
        place, velocity, doubt_m = f * end, mean, np.zeros(3)
    variance = bridge_variance(q, gap_s, since_s, with_rates=with_rates)
    return Course(
        point=frame.point_to_geodetic(place),
        velocity_enu_m_s=velocity,
        # Both ends err alike (the same receiver, the same filter): nothing averages out.
        cov_enu_m2=(1 - f) * cov_of(a)
        + f * cov_of(b)
        + np.eye(3) * variance
        + np.outer(doubt_m, doubt_m),
    )


def body_stance(
    around: Around[AttitudeSample], t_s: float, *, spans: Spans, q: float
) -> Stance | None:
    """How the body lay in ENU at an instant; None where no sample is near enough."""
    before = around.before
    if before is None:
        return None
    rate = before.rate_body_rad_s
    return _stance(
        t_s,
        before=(before.t_monotonic_s, before.quaternion_enu_from_body),
        after=_turn(around.after),
        older=_turn(around.older),
        rate_body_rad_s=None if rate is None else np.array(rate),
        spans=spans,
        q=q,
    )


def gimbal_stance(
    around: Around[GimbalSample], t_s: float, *, spans: Spans, q: float
) -> Stance | None:
    """How the gimbal looked in the frame of the sample before the instant.

    A neighbour told in another frame cannot be compared and counts as absent.
    """
    before = around.before
    if before is None:
        return None
    near = [
        None if sample is None or sample.frame != before.frame else sample
        for sample in (around.after, around.older)
    ]
    return _stance(
        t_s,
        before=(before.t_monotonic_s, before.quaternion_frame_from_gimbal),
        after=_gimbal_turn(near[0]),
        older=_gimbal_turn(near[1]),
        rate_body_rad_s=None,
        spans=spans,
        q=q,
    )


_Turn = tuple[float, tuple[float, float, float, float]]


def _turn(sample: AttitudeSample | None) -> _Turn | None:
    return None if sample is None else (sample.t_monotonic_s, sample.quaternion_enu_from_body)


def _gimbal_turn(sample: GimbalSample | None) -> _Turn | None:
    return None if sample is None else (sample.t_monotonic_s, sample.quaternion_frame_from_gimbal)


def _stance(
    t_s: float,
    *,
    before: _Turn,
    after: _Turn | None,
    older: _Turn | None,
    rate_body_rad_s: Array | None,
    spans: Spans,
    q: float,
) -> Stance | None:
    start = matrix_of_quaternion(before[1])
    since_s = t_s - before[0]
    if after is not None and after[0] - before[0] <= spans.bridge_s:
        gap_s = after[0] - before[0]
        rate = rotation_vector_of_matrix(start.T @ matrix_of_quaternion(after[1])) / gap_s
        variance = bridge_variance(q, gap_s, since_s, with_rates=False)
    else:
        if since_s > spans.beyond_s:
            return None
        rate_variance = _RATE_SIGMA_RAD_S**2
        if rate_body_rad_s is not None:
            rate = rate_body_rad_s
        elif older is not None and before[0] - older[0] <= spans.bridge_s:
            gap_s = before[0] - older[0]
            rate = rotation_vector_of_matrix(matrix_of_quaternion(older[1]).T @ start) / gap_s
            rate_variance = q * gap_s / 3.0
        elif since_s == 0.0:
            rate = np.zeros(3)
        else:
            return None
        variance = beyond_variance(q, since_s, rate_variance=rate_variance)
    rotation = start @ matrix_of_rotation_vector(rate * since_s)
    return Stance(rotation=rotation, rate_rad_s=rotation @ rate, guess_variance_rad2=variance)
