"""What a perfect observer knows of a drone's camera: the true pose, as doubtful as its node states."""

import numpy as np

from edge.pose import Pose, turn_covariance_rad2
from geo._types import FloatArray
from geo.frames import GeodeticPoint, azimuth_deg
from simulations.drone_film import Flown
from simulations.flight import ERRORS, FlightErrors
from simulations.site import Site

_STEP_S = 0.1
LATENCY_SIGMA_S = 0.02
"""Doubt about the moment of capture, after video and telemetry were brought to one clock."""


class TruePoses:
    """A source of poses at scenario time.

    Args:
        flight: where the camera is.
        site: gives the frame.
        ground_hae_m: height of the site's plane above the ellipsoid.
        errors: how well the autopilot knows it.
    """

    def __init__(
        self, flight: Flown, site: Site, *, ground_hae_m: float, errors: FlightErrors = ERRORS
    ) -> None:
        self._flight, self._site = flight, site
        self._ground_hae_m = ground_hae_m
        self._errors = errors

    def at(self, t_monotonic_s: float) -> Pose:
        """Return the pose at the scenario's instant."""
        place, rotation = self._flight.pose(t_monotonic_s)
        before, turned = self._flight.pose(max(0.0, t_monotonic_s - _STEP_S))
        lon_deg, lat_deg, _ = self._site.frame.to_geodetic([[place[0], place[1], 0.0]])[0].tolist()
        known = self._errors
        tilt_deg = known.tilt_sigma_deg
        axis = rotation[:, 2]
        level2, up2 = known.horizontal_sigma_m**2, known.vertical_sigma_m**2
        return Pose(
            position=GeodeticPoint(
                lon_deg=lon_deg, lat_deg=lat_deg, alt_hae_m=self._ground_hae_m + float(place[2])
            ),
            rotation_enu_from_camera=rotation,
            cov_position_enu_m2=np.diag([level2, level2, up2]),
            cov_turn_rad2=turn_covariance_rad2(
                float(azimuth_deg((0.0, 0.0), axis[:2])),
                axis,
                azimuth_sigma_deg=known.heading_sigma_deg,
                pitch_sigma_deg=tilt_deg,
                roll_sigma_deg=tilt_deg,
            ),
            velocity_enu_m_s=np.asarray((place - before) / _STEP_S),
            rate_enu_rad_s=_turn(turned, rotation) / _STEP_S,
            time_sigma_s=LATENCY_SIGMA_S,
            moving=True,
        )


def _turn(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return (3,) the small rotation vector in ENU that leads from one rotation to another."""
    small = after @ before.T
    return 0.5 * np.array(
        [small[2, 1] - small[1, 2], small[0, 2] - small[2, 0], small[1, 0] - small[0, 1]]
    )
