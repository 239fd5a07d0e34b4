"""Observations of the wire in the site's plane, a batch at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ground_station.decision import Observed
from ground_station.kalman import Measurement
from ground_station.schmidt import FloatArray
from ground_station.zones import Site

NO_PLACE = (np.full(2, np.nan), np.eye(2), np.zeros((2, 2)))
"""Of a direction: its place and noise follow from the belief that it meets."""


def measurements(
    batch: Sequence[Observed], site: Site, *, min_sigma_m: float
) -> list[Measurement | None]:
    """The batch in the site's plane, done at once; None for what has neither place nor direction."""
    placed = [(k, o.body.position) for k, o in enumerate(batch) if o.body.position is not None]
    sensors = [
        (k, o.body.sensor_position)
        for k, o in enumerate(batch)
        if o.body.sensor_position is not None
    ]
    points = [*placed, *sensors]
    found: list[Measurement | None] = [None] * len(batch)
    if not points:
        return found
    rows = np.array([(p.lon_deg, p.lat_deg, p.alt_hae_m) for _, p in points if p is not None])
    enu = site.frame.to_enu(rows[:, 0], rows[:, 1], rows[:, 2])[:, :2]
    at = {k: tuple(enu[len(placed) + n].tolist()) for n, (k, _) in enumerate(sensors)}
    for k, observed in enumerate(batch):
        if observed.body.bearing is not None and k in at:
            found[k] = _measurement(observed, *NO_PLACE, at[k])
    if not placed:
        return found
    total = np.array([p.cov_enu_m2 for _, p in placed if p is not None])
    shared = np.array([p.cov_bias_enu_m2 for _, p in placed if p is not None])
    independent = independent_part(total, shared, min_sigma_m=min_sigma_m)
    for row, (k, _) in enumerate(placed):
        found[k] = _measurement(batch[k], enu[row], independent[row], shared[row], at.get(k))
    return found


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


def _measurement(
    observed: Observed,
    enu_m: FloatArray,
    independent_m2: FloatArray,
    shared_m2: FloatArray,
    sensor_enu_m: tuple[float, float] | None,
) -> Measurement:
    body = observed.body
    velocity = body.velocity_enu_m_s
    return Measurement(
        t_s=observed.t_event_utc.timestamp(),
        enu_m=enu_m,
        independent_m2=independent_m2,
        shared_m2=shared_m2,
        velocity_m_s=None
        if velocity is None
        else (velocity.east_m_s, velocity.north_m_s, velocity.sigma_m_s),
        sensor_id=f"{observed.node_id}/{body.sensor_id}",
        track_id=body.track_id,
        object_class=body.object_class,
        confidence=body.confidence,
        count=body.count or 1,
        sensor_enu_m=sensor_enu_m,
        bearing=body.bearing,
    )
