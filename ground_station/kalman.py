"""The filter of one target: constant velocity in the site's plane, robust, with a shared error kept apart.

What all observations of a sensor share (pose, lens, terrain) does not become smaller by looking
longer. The filter therefore averages only the independent part, and the shared covariance is added to
what it reports. For one sensor with a constant shared error this equals a Schmidt filter whose bias
is considered and never estimated.

Source: Schmidt, "Application of state-space methods to navigation problems", 1966;
Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001, ch. 6.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from wire.values import ObjectClass

FloatArray: TypeAlias = npt.NDArray[np.float64]
Verdict = Literal["used", "weighted", "refused", "jumped"]

CLASSES: tuple[ObjectClass, ...] = ("Human", "Boat", "Vehicle", "Animal", "Unknown")
FIRST_SPEED_SIGMA_M_S = {"Human": 1.5, "Boat": 4.0, "Vehicle": 12.0, "Animal": 4.0, "Unknown": 4.0}
"""How fast a thing may go when nothing is known of it but its class, one sigma per axis."""
REFUSALS_BEFORE_JUMP = 3
CLASS_MEMORY = 0.9
"""Weight of the past in the vote for the class, per observation."""
_EYE4 = np.eye(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One positioned observation in the site's plane.

    Attributes:
        t_s: Capture, seconds since 1970 UTC.
        enu_m: (2,) east, north.
        independent_m2: (2, 2) what is new in each observation.
        shared_m2: (2, 2) what all observations of this sensor share.
        velocity_m_s: (3,) east, north, sigma as the node says; used once, at birth.
    """

    t_s: float
    enu_m: FloatArray
    independent_m2: FloatArray
    shared_m2: FloatArray
    velocity_m_s: tuple[float, float, float] | None
    sensor_id: str
    track_id: str
    object_class: ObjectClass
    confidence: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is believed of a target at one instant.

    Attributes:
        mean: (4,) east, north in metres, their speeds in metres per second.
        cov: (4, 4) of the independent part.
        shared_m2: (2, 2) to be added to every reported position.
        noise_m2: (2, 2) independent part of the last measurement that was believed.
        votes: Weight of each of `CLASSES` so far.
        refusals: Observations in a row that were not believed.
    """

    t_s: float
    mean: FloatArray
    cov: FloatArray
    shared_m2: FloatArray
    noise_m2: FloatArray
    votes: tuple[float, ...]
    confidence: float
    count: int
    sensor_id: str
    track_id: str
    observations: int
    refusals: int = 0
    jumps: int = 0

    @property
    def position_cov_m2(self) -> FloatArray:
        """(2, 2) of the position, shared part included: never below that part."""
        return np.asarray(self.cov[:2, :2] + self.shared_m2, dtype=np.float64)

    @property
    def object_class(self) -> ObjectClass:
        """The class with most votes; the earlier word wins a tie."""
        return CLASSES[self.votes.index(max(self.votes))]

    @property
    def speed_m_s(self) -> float:
        """Ground speed."""
        return math.hypot(self.mean[2], self.mean[3])

    @property
    def course_deg(self) -> float:
        """Direction of motion, true, clockwise."""
        return math.degrees(math.atan2(self.mean[2], self.mean[3])) % 360.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSettings:
    """The filter's figures, by class where they differ."""

    accel_psd_m2_s3: dict[str, float]
    outlier_sigmas: float
    jump_sigmas: float


def independent_part(
    total_m2: npt.ArrayLike, shared_m2: npt.ArrayLike, *, min_sigma_m: float
) -> FloatArray:
    """Total minus shared, with a floor in every direction.

    Args:
        total_m2: (..., 2, 2).
        shared_m2: (..., 2, 2), no larger than the total.
        min_sigma_m: No direction is believed better than this.
    """
    rest = np.asarray(total_m2, dtype=np.float64) - np.asarray(shared_m2, dtype=np.float64)
    # Eigenvalues of a symmetric 2 x 2 in closed form: a cheap test whether the floor is needed.
    half_trace = 0.5 * (rest[..., 0, 0] + rest[..., 1, 1])
    spread = np.hypot(0.5 * (rest[..., 0, 0] - rest[..., 1, 1]), rest[..., 0, 1])
    low = np.atleast_1d(half_trace - spread) < min_sigma_m**2
    if bool(low.any()):
        values, axes = np.linalg.eigh(rest)
        values = np.maximum(values, min_sigma_m**2)
        rest = (axes * values[..., None, :]) @ np.swapaxes(axes, -1, -2)
    return np.asarray(rest, dtype=np.float64)


def start(measurement: Measurement) -> State:
    """The first belief: where it was seen, and hardly anything about its speed."""
    cov = np.zeros((4, 4))
    cov[:2, :2] = measurement.independent_m2
    speed = FIRST_SPEED_SIGMA_M_S[measurement.object_class]
    mean = np.array([measurement.enu_m[0], measurement.enu_m[1], 0.0, 0.0])
    if measurement.velocity_m_s is not None and measurement.velocity_m_s[2] < speed:
        mean[2:] = measurement.velocity_m_s[:2]
        # The node took it from the same pixels: it may not count as sharper than half a metre.
        speed = max(measurement.velocity_m_s[2], 0.5)
    cov[2, 2] = cov[3, 3] = speed**2
    return State(
        t_s=measurement.t_s,
        mean=mean,
        cov=cov,
        shared_m2=measurement.shared_m2,
        noise_m2=measurement.independent_m2,
        votes=_vote((0.0,) * len(CLASSES), measurement),
        confidence=measurement.confidence,
        count=measurement.count,
        sensor_id=measurement.sensor_id,
        track_id=measurement.track_id,
        observations=1,
    )


def _vote(votes: tuple[float, ...], measurement: Measurement) -> tuple[float, ...]:
    chosen = CLASSES.index(measurement.object_class)
    return tuple(
        CLASS_MEMORY * vote + (measurement.confidence if k == chosen else 0.0)
        for k, vote in enumerate(votes)
    )


def predicted(state: State, t_s: float, settings: FilterSettings) -> tuple[FloatArray, FloatArray]:
    """Mean (4,) and independent covariance (4, 4) at a later instant; earlier ones give the state."""
    dt = t_s - state.t_s
    if dt <= 0.0:
        return state.mean, state.cov
    q = settings.accel_psd_m2_s3[state.object_class]
    step = _EYE4.copy()
    step[0, 2] = step[1, 3] = dt
    cov = step @ state.cov @ step.T
    cube, square, line = q * dt**3 / 3.0, q * dt**2 / 2.0, q * dt
    for k in (0, 1):
        cov[k, k] += cube
        cov[k, k + 2] += square
        cov[k + 2, k] += square
        cov[k + 2, k + 2] += line
    return step @ state.mean, cov


def advance(
    state: State, measurement: Measurement, settings: FilterSettings
) -> tuple[State, Verdict]:
    """Take one later measurement into account.

    Beyond `outlier_sigmas` a measurement counts with less weight (Huber); beyond `jump_sigmas` it is
    not believed, and several such in a row start the target anew at the new place.
    """
    mean, cov = predicted(state, measurement.t_s, settings)
    new_sensor = measurement.sensor_id != state.sensor_id
    noise = measurement.independent_m2
    if new_sensor:
        # Another sensor has another shared error: both stand between the two positions.
        noise = noise + state.shared_m2 + measurement.shared_m2
    gap = measurement.enu_m - mean[:2]
    innovation = cov[:2, :2] + noise
    det = innovation[0, 0] * innovation[1, 1] - innovation[0, 1] ** 2
    inverse = (
        np.array([[innovation[1, 1], -innovation[0, 1]], [-innovation[0, 1], innovation[0, 0]]])
        / det
    )
    distance2 = float(gap @ inverse @ gap)
    if distance2 > settings.jump_sigmas**2:
        return _refuse(state, measurement, mean, cov)
    verdict: Verdict = "used"
    if distance2 > settings.outlier_sigmas**2:
        verdict = "weighted"
        # Widen the measurement until its surprise is the limit.
        noise = noise * (distance2 / settings.outlier_sigmas**2)
        inverse = np.linalg.inv(cov[:2, :2] + noise)
    gain = cov[:, :2] @ inverse
    keep = _EYE4.copy()
    keep[:, :2] -= gain
    # Joseph's form stays positive whatever the rounding.
    cov = keep @ cov @ keep.T + gain @ noise @ gain.T
    return (
        State(
            t_s=measurement.t_s,
            mean=mean + gain @ gap,
            cov=cov,
            shared_m2=measurement.shared_m2,
            noise_m2=measurement.independent_m2,
            votes=_vote(state.votes, measurement),
            confidence=measurement.confidence,
            count=measurement.count,
            sensor_id=measurement.sensor_id,
            track_id=measurement.track_id,
            observations=state.observations + 1,
            jumps=state.jumps,
        ),
        verdict,
    )


def _refuse(
    state: State, measurement: Measurement, mean: FloatArray, cov: FloatArray
) -> tuple[State, Verdict]:
    if state.refusals + 1 >= REFUSALS_BEFORE_JUMP:
        fresh = start(measurement)
        return (
            State(
                t_s=fresh.t_s,
                mean=fresh.mean,
                cov=fresh.cov,
                shared_m2=fresh.shared_m2,
                noise_m2=fresh.noise_m2,
                votes=_vote(state.votes, measurement),
                confidence=fresh.confidence,
                count=fresh.count,
                sensor_id=fresh.sensor_id,
                track_id=fresh.track_id,
                observations=state.observations + 1,
                jumps=state.jumps + 1,
            ),
            "jumped",
        )
    return (
        State(
            t_s=measurement.t_s,
            mean=mean,
            cov=cov,
            shared_m2=state.shared_m2,
            noise_m2=state.noise_m2,
            votes=state.votes,
            confidence=state.confidence,
            count=state.count,
            sensor_id=state.sensor_id,
            track_id=measurement.track_id,
            observations=state.observations,
            refusals=state.refusals + 1,
            jumps=state.jumps,
        ),
        "refused",
    )
