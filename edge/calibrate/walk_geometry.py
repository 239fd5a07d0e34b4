"""How an error of a camera's azimuth and pitch shows in the places that it told."""

import numpy as np
import numpy.typing as npt

from edge.calibrate.gpx import Path2d
from edge.calibrate.walk_seen import Seen

Array = npt.NDArray[np.float64]


def corrected(seen: Seen, heading_rad: float, pitch_rad: float, axis_azimuth_rad: float) -> Array:
    """(n, 2) places as they would be had the camera known its azimuth and pitch.

    Each place's ray is turned back and meets the level of that place again.
    """
    turning = _turning(heading_rad, pitch_rad, axis_azimuth_rad)
    return _turned(seen.places_m, seen.depth_m, turning, flat=_turning(heading_rad, 0.0, 0.0))


def _turning(heading_rad: float, pitch_rad: float, axis_azimuth_rad: float) -> Array:
    """(3, 3) that takes too large an azimuth and too high a pitch off a ray."""
    cos, sin = np.cos(heading_rad), np.sin(heading_rad)
    x, y = np.cos(axis_azimuth_rad), -np.sin(axis_azimuth_rad)
    c, s = np.cos(-pitch_rad), np.sin(-pitch_rad)
    # About the level axis to the right of the view (x, y, 0), then about the vertical.
    tilt = np.array(
        [
            [c + x * x * (1 - c), x * y * (1 - c), y * s],
            [x * y * (1 - c), c + y * y * (1 - c), -x * s],
            [-y * s, x * s, c],
        ]
    )
    about = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(about @ tilt, np.float64)


def _turned(
    places_m: Array, depth_m: Array, turning: Array, *, flat: Array, deeper_m: float = 0.0
) -> Array:
    """(n, 2) where turned rays meet the level they met; turned level where that is not known.

    The places themselves may lie deeper than that level.
    """
    deep = np.isfinite(depth_m)
    rays = np.column_stack((places_m, np.where(deep, -depth_m - deeper_m, 0.0)))
    both = rays @ turning.T
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(deep & (both[:, 2] < 0), -depth_m / both[:, 2], np.nan)
    met = np.where(deep[:, None], both[:, :2] * reach[:, None], (rays @ flat.T)[:, :2])
    return np.asarray(met, np.float64)


def ray_residual_m(seen: Seen, path: Path2d, values: Array, axis_rad: float) -> tuple[Array, Array]:
    """(n, 2) along and across the ray, seen minus predicted, and the (n, 2) truth; nan in gaps.

    The phone's places are turned by the camera's error, not the seen ones back: these are noisier,
    and far ones would weigh by their own noise. A bearing has no along.
    """
    heading, pitch, offset, east, north, up = values
    truth = path.at(seen.t_s + offset) + np.array([east, north])
    away = np.linalg.norm(truth, axis=1)
    bearing = ~seen.placed
    flat = _turning(heading, 0.0, 0.0).T
    turning = _turning(heading, pitch, axis_rad).T
    predicted = _turned(truth, seen.depth_m, turning, flat=flat, deeper_m=up)
    places = seen.places_m.copy()
    azimuth = seen.azimuth_rad[bearing]
    places[bearing] = away[bearing, None] * np.column_stack((np.sin(azimuth), np.cos(azimuth)))
    ahead = predicted / np.maximum(np.linalg.norm(predicted, axis=1), 1e-6)[:, None]
    off = places - predicted
    along = (off * ahead).sum(axis=1)
    across = off[:, 0] * ahead[:, 1] - off[:, 1] * ahead[:, 0]
    return np.column_stack((along, across)), truth


def ray_variance_m2(seen: Seen, truth: Array, *, own: bool) -> tuple[Array, Array]:
    """(n,) variances along and across the ray: of the observation itself, or of all its errors.

    As they would be at the truth's distance: a place that came out too far states too large an
    error, and one too near a too small one, which would pull every fit towards the camera.
    """
    away, told = np.linalg.norm(truth, axis=1), np.linalg.norm(seen.places_m, axis=1)
    ahead = truth / np.maximum(away, 1e-6)[:, None]
    right = np.column_stack((ahead[:, 1], -ahead[:, 0]))
    cov = seen.cov_own_m2 if own else seen.cov_m2
    along = np.einsum("ni,nij,nj->n", ahead, cov, ahead)
    across = np.einsum("ni,nij,nj->n", right, cov, right)
    deep = np.nan_to_num(seen.depth_m, nan=0.0) ** 2
    nearer = np.clip((away**2 + deep) / np.maximum(told**2 + deep, 1e-6), 0.25, 4.0)
    along, across = along * nearer**2, across * nearer
    bearing = ~seen.placed
    along[bearing] = across[bearing] = (away[bearing] * seen.azimuth_sigma_rad[bearing]) ** 2
    return along, across
