"""What is said of a place on the wire: a position, a bearing, or the reason for neither."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.frames import azimuth_deg
from geo.terrain import BENEATH, SKY, UNKNOWN
from wire.values import Bearing, Position, VelocityEnu

Array = npt.NDArray[np.float64]

NO_RAY = -1
"""Beside the outcomes of `geo.terrain`: no ray reaches the pixel through the lens."""
_LEAST_SIGMA_DEG = 0.01
_REASONS = {
    SKY: "the ray meets no ground within the range",
    UNKNOWN: "the height of the ground there is not known",
    BENEATH: "the camera's position lies under the ground",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A place, or a bearing, or the reason for neither.

    Attributes:
        position: on the ground.
        bearing: when the ray meets no ground usefully.
        velocity: over ground, with a position and a known motion in the picture only.
        reason: in words when there is no position.
    """

    position: Position | None = None
    bearing: Bearing | None = None
    velocity: VelocityEnu | None = None
    reason: str = ""


def bearing(
    ray: Array, outcome: int, *, sigma_deg: float, range_m: tuple[float, float], seen: bool
) -> Located:
    """What is said of a ray without a place.

    Args:
        ray: (3,) its direction, ENU.
        outcome: as `geo.terrain` counts it, or `NO_RAY`.
        sigma_deg: of the azimuth.
        range_m: nearest and farthest ground that the ray may mean.
        seen: false where the feet are outside the picture.
    """
    if outcome == NO_RAY:
        return Located(reason="no ray reaches this pixel through this lens")
    reason = _REASONS.get(outcome, "the ray grazes the ground")
    if outcome == SKY and ray[2] >= 0.0:
        reason = "the ray is above the horizon"
    near_m, far_m = range_m
    if not seen:
        near_m, reason = 0.0, "the feet are outside the picture"
    return Located(
        bearing=Bearing(
            azimuth_deg=float(azimuth_deg(np.zeros(3), ray)),
            sigma_deg=float(np.clip(sigma_deg, _LEAST_SIGMA_DEG, 180.0)),
            range_min_m=near_m,
            range_max_m=max(far_m, 0.1),
        ),
        reason=reason,
    )


def place(geodetic: Array, total: Array, shared: Array, ce90: float, *, plane: bool) -> Position:
    """A place with its covariances (2, 2), total and shared, in square metres."""
    return Position(
        lon_deg=float(geodetic[0]),
        lat_deg=float(geodetic[1]),
        alt_hae_m=float(geodetic[2]),
        cov_enu_m2=_rows(total),
        cov_bias_enu_m2=_rows(shared),
        ce90_m=ce90,
        method="plane" if plane else "terrain",
    )


def over_ground(over_ground_m_s: Array, by_pixel: Array, cov: Array) -> VelocityEnu:
    """A motion over ground, its doubt from that of the motion in the picture (2, 2)."""
    spread = by_pixel @ cov @ by_pixel.T
    return VelocityEnu(
        east_m_s=float(over_ground_m_s[0]),
        north_m_s=float(over_ground_m_s[1]),
        sigma_m_s=float(np.sqrt(max(0.0, float(np.trace(spread)) / 2))),
    )


def _rows(cov: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    cross = float(cov[0, 1] + cov[1, 0]) / 2
    return (float(cov[0, 0]), cross), (cross, float(cov[1, 1]))
