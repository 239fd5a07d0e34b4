"""The filter of many targets at once: constant velocity, with each sensor's shared error as one unknown.

What all observations of a sensor share (pose, lens, terrain, clock) is a two-dimensional unknown of that
sensor, of unit variance. It is considered and never estimated: the filter keeps how each target's error
goes together with it, so that looking longer cannot average it away, while two sensors on one target do
help each other. The unknown stands in the line of sight, along it and across it, so that it turns and
grows with the target as a wrong azimuth does.

Arrays run over targets; nothing here knows ids or clocks.

Source: Schmidt, "Application of state-space methods to navigation problems", 1966;
Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001, ch. 6;
Jazwinski, Stochastic Processes and Filtering Theory, 1970, ch. 8 (consider states).
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

SLOTS = 6
"""Sensors whose shared error is kept apart per target; the longest unheard gives its place away."""
_EYE4 = np.eye(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """What is believed of n targets.

    Attributes:
        mean: (n, 4) east, north in metres, their speeds in metres per second.
        cov: (n, 4, 4) of everything, shared errors included.
        cross: (n, SLOTS, 4, 2) how the error goes together with each sensor's unknown.
    """

    mean: FloatArray
    cov: FloatArray
    cross: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """One measurement of each of n targets.

    Attributes:
        slot: (n,) which of the target's sensors looked.
        enu_m: (n, 2).
        noise_m2: (n, 2, 2) new in each observation.
        factor_m: (n, 2, 2) what the sensor's unknown moves the measurement by, from `bias_factor`.
    """

    slot: IntArray
    enu_m: FloatArray
    noise_m2: FloatArray
    factor_m: FloatArray


def bias_factor(shared_m2: npt.ArrayLike, sight_m: npt.ArrayLike) -> FloatArray:
    """The matrix that makes a shared covariance of a sensor's two unit unknowns.

    Args:
        shared_m2: (..., 2, 2).
        sight_m: (..., 2) from sensor to target; NaN or zero where the sensor's place is not known:
            then the unknown keeps to east and north.

    Returns:
        (..., 2, 2) L with L @ L.T equal to `shared_m2`; its columns answer to the unknown along the
        line of sight and the one across it.
    """
    shared = np.asarray(shared_m2, dtype=np.float64)
    sight = np.asarray(sight_m, dtype=np.float64)
    length = np.hypot(sight[..., 0], sight[..., 1])
    known = length > 1e-6  # False for NaN too.
    safe = np.where(known, length, 1.0)
    cos = np.where(known, sight[..., 0], 1.0) / safe
    sin = np.where(known, sight[..., 1], 0.0) / safe
    turn = np.stack((np.stack((cos, -sin), axis=-1), np.stack((sin, cos), axis=-1)), axis=-2)
    seen = np.swapaxes(turn, -1, -2) @ shared @ turn
    low = np.zeros_like(seen)
    low[..., 0, 0] = np.sqrt(np.maximum(seen[..., 0, 0], 0.0))
    low[..., 1, 0] = seen[..., 1, 0] / np.maximum(low[..., 0, 0], 1e-9)
    low[..., 1, 1] = np.sqrt(np.maximum(seen[..., 1, 1] - low[..., 1, 0] ** 2, 0.0))
    return np.asarray(turn @ low, dtype=np.float64)


def born(looks: Looks, speed_m_s: FloatArray, speed_sigma_m_s: FloatArray) -> Beliefs:
    """First beliefs: where each was seen, and of its speed what is given.

    Args:
        looks: The first measurements.
        speed_m_s: (n, 2).
        speed_sigma_m_s: (n,) one sigma per axis.
    """
    count = len(looks.enu_m)
    rows = np.arange(count)
    cov = np.zeros((count, 4, 4))
    cov[:, :2, :2] = looks.noise_m2 + looks.factor_m @ np.swapaxes(looks.factor_m, -1, -2)
    cov[:, 2, 2] = cov[:, 3, 3] = speed_sigma_m_s**2
    cross = np.zeros((count, SLOTS, 4, 2))
    cross[rows, looks.slot, :2] = -looks.factor_m
    return Beliefs(mean=np.hstack((looks.enu_m, speed_m_s)), cov=cov, cross=cross)


def moved_on(beliefs: Beliefs, dt_s: FloatArray, accel_psd_m2_s3: FloatArray) -> Beliefs:
    """Beliefs at later instants; where `dt_s` is not positive they stay.

    Args:
        beliefs: n of them.
        dt_s: (n,).
        accel_psd_m2_s3: (n,) white noise acceleration.
    """
    dt = np.maximum(dt_s, 0.0)
    step = np.broadcast_to(_EYE4, (len(dt), 4, 4)).copy()
    step[:, 0, 2] = step[:, 1, 3] = dt
    cov = step @ beliefs.cov @ np.swapaxes(step, -1, -2)
    noise = accel_psd_m2_s3
    for k in (0, 1):
        cov[:, k, k] += noise * dt**3 / 3.0
        cov[:, k, k + 2] += noise * dt**2 / 2.0
        cov[:, k + 2, k] += noise * dt**2 / 2.0
        cov[:, k + 2, k + 2] += noise * dt
    return Beliefs(
        mean=np.einsum("nij,nj->ni", step, beliefs.mean),
        cov=cov,
        cross=step[:, None] @ beliefs.cross,
    )


def loosened(beliefs: Beliefs, kept: FloatArray) -> Beliefs:
    """Beliefs after the sensors' unknowns changed: `kept` (n, SLOTS) is their correlation with before.

    The unknown of a moving camera is another one after a while; then it may be averaged.
    """
    return Beliefs(mean=beliefs.mean, cov=beliefs.cov, cross=beliefs.cross * kept[:, :, None, None])


def innovations(beliefs: Beliefs, looks: Looks) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How far each look is from its belief.

    Returns:
        gap (n, 2), its covariance (n, 2, 2), squared Mahalanobis distance (n,).
    """
    cross = _with(beliefs, looks)
    across = cross[:, :2]
    gap = looks.enu_m - beliefs.mean[:, :2]
    spread = (
        beliefs.cov[:, :2, :2]
        + across
        + np.swapaxes(across, -1, -2)
        + looks.factor_m @ np.swapaxes(looks.factor_m, -1, -2)
        + looks.noise_m2
    )
    return gap, spread, distance2(gap, spread)


def updated(beliefs: Beliefs, looks: Looks, *, outlier_sigmas: float) -> tuple[Beliefs, FloatArray]:
    """Beliefs after one look each, and each look's squared surprise (n,).

    A look beyond `outlier_sigmas` counts with less weight: its noise is widened until its surprise is
    the limit (Huber).
    """
    rows = np.arange(len(looks.slot))
    gap, spread, surprise2 = innovations(beliefs, looks)
    wider = np.maximum(surprise2 / outlier_sigmas**2, 1.0) - 1.0
    noise = looks.noise_m2 + wider[:, None, None] * spread
    spread = spread * (1.0 + wider)[:, None, None]
    shared = _with(beliefs, looks)
    seen = beliefs.cov[:, :, :2] + shared
    gain = seen @ _inverse(spread)
    gain_t = np.swapaxes(gain, -1, -2)
    keep = np.broadcast_to(_EYE4, (len(rows), 4, 4)).copy()
    keep[:, :, :2] -= gain
    # Joseph's form stays positive whatever the rounding.
    twist = keep @ shared @ gain_t
    bias2 = looks.factor_m @ np.swapaxes(looks.factor_m, -1, -2)
    cov = (
        keep @ beliefs.cov @ np.swapaxes(keep, -1, -2)
        - twist
        - np.swapaxes(twist, -1, -2)
        + gain @ (bias2 + noise) @ gain_t
    )
    cross = keep[:, None] @ beliefs.cross
    cross[rows, looks.slot] -= gain @ looks.factor_m
    return (
        Beliefs(
            mean=beliefs.mean + np.einsum("nij,nj->ni", gain, gap),
            cov=0.5 * (cov + np.swapaxes(cov, -1, -2)),
            cross=cross,
        ),
        surprise2,
    )


def distance2(gap: FloatArray, spread: FloatArray) -> FloatArray:
    """Squared Mahalanobis distance of (..., 2) gaps."""
    return np.asarray(np.einsum("...i,...ij,...j->...", gap, _inverse(spread), gap))


def bearing_looks(
    mean: FloatArray,
    sensor_enu_m: FloatArray,
    azimuth_rad: FloatArray,
    sigma_rad: FloatArray,
    shared_part: float,
    range_m: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Directions as positions that say nothing of the range, as long as it is possible.

    Args:
        mean: (n, 4) predicted; its range is taken, limited to what the sensor says.
        sensor_enu_m: (n, 2).
        azimuth_rad: (n,) true, clockwise.
        sigma_rad: (n,) in all.
        shared_part: Of the variance, what all looks of the sensor share.
        range_m: (n, 2) least and greatest.

    Returns:
        place (n, 2), noise (n, 2, 2), factor (n, 2, 2) as in `Looks`.
    """
    sight = mean[:, :2] - sensor_enu_m
    along = np.stack((np.sin(azimuth_rad), np.cos(azimuth_rad)), axis=-1)
    across = np.stack((-along[:, 1], along[:, 0]), axis=-1)
    predicted = np.einsum("ni,ni->n", sight, along)
    reach = np.clip(predicted, range_m[:, 0], range_m[:, 1])
    width = range_m[:, 1] - range_m[:, 0] + 1.0
    # Inside the limits the range is as unknown as before; outside it is drawn to the limit.
    along2 = np.where(reach == predicted, 100.0 * width, 0.5 * width) ** 2
    across2 = (np.maximum(reach, 1.0) * sigma_rad) ** 2
    own = np.einsum("n,ni,nj->nij", along2, along, along) + np.einsum(
        "n,ni,nj->nij", (1.0 - shared_part) * across2, across, across
    )
    factor = np.zeros_like(own)
    # The second unknown is the one across the line of sight, as in `bias_factor`.
    factor[:, :, 1] = np.sqrt(shared_part * across2)[:, None] * across
    return sensor_enu_m + reach[:, None] * along, own, factor


def _with(beliefs: Beliefs, looks: Looks) -> FloatArray:
    """(n, 4, 2) covariance of each target's error with its looking sensor's shared error."""
    cross = beliefs.cross[np.arange(len(looks.slot)), looks.slot]
    return np.asarray(cross @ np.swapaxes(looks.factor_m, -1, -2), dtype=np.float64)


def _inverse(matrices: FloatArray) -> FloatArray:
    """Of (..., 2, 2), in closed form."""
    one, two, three, four = (
        matrices[..., 0, 0], matrices[..., 0, 1], matrices[..., 1, 0], matrices[..., 1, 1],
    )  # fmt: skip
    found = np.empty_like(matrices)
    found[..., 0, 0], found[..., 1, 1] = four, one
    found[..., 0, 1], found[..., 1, 0] = -two, -three
    return np.asarray(found / (one * four - two * three)[..., None, None])
