"""Where a camera was and how it looked at one instant, and how well that is known.

Everything that places pixels asks a `PoseSource` for the pose *at capture time*. A surveyed mast
always answers the same; a drone's answer is interpolated from what its autopilot said; a recorded
film brings its own. Where no pose is fresh enough the answer is the reason, in words.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from geo.frames import GeodeticPoint
from geo.lens import rotation_enu_from_camera

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """One camera at one instant. All errors here are shared by every pixel of the frame.

    Attributes:
        position: of the lens, WGS84.
        rotation_enu_from_camera: (3, 3) columns are the camera's x (right), y (down) and z (axis)
            in the ENU frame at `position`.
        cov_position_enu_m2: (3, 3) of the lens, ENU.
        cov_turn_rad2: (3, 3) of a small right-handed rotation vector in ENU, applied after
            `rotation_enu_from_camera`.
        velocity_enu_m_s: (3,) of the lens.
        rate_enu_rad_s: (3,) rotation vector per second of the camera, in ENU.
        time_sigma_s: doubt about the moment of capture; its error moves and turns the camera.
        moving: whether velocity and rate may differ from zero.
        hfov_deg: horizontal field of view where the source tells it (a zoom); None keeps the lens.
    """

    position: GeodeticPoint
    rotation_enu_from_camera: Array = field(compare=False)
    cov_position_enu_m2: Array = field(compare=False)
    cov_turn_rad2: Array = field(compare=False)
    velocity_enu_m_s: Array = field(compare=False, default_factory=lambda: np.zeros(3))
    rate_enu_rad_s: Array = field(compare=False, default_factory=lambda: np.zeros(3))
    time_sigma_s: float = 0.0
    moving: bool = False
    hfov_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPose:
    """No pose that fresh: nothing of this frame gets a place.

    Attributes:
        reason: in words, for the observation's `no_position_reason`.
    """

    reason: str


class PoseSource(Protocol):
    """Answers where a camera was."""

    def at(self, t_monotonic_s: float) -> Pose | NoPose:
        """The pose at an instant of the node's monotonic clock, usually a frame's capture.

        Called from the pipeline's thread; never blocks.
        """
        ...


class FixedPose:
    """A camera that does not move.

    Args:
        position: of the lens.
        azimuth_deg: of the optical axis, true, clockwise.
        pitch_deg: positive above the horizon.
        roll_deg: clockwise seen from behind.
        horizontal_sigma_m: one sigma per axis.
        vertical_sigma_m: one sigma.
        azimuth_sigma_deg: one sigma, about the vertical.
        pitch_sigma_deg: one sigma, about the level axis across the view.
        roll_sigma_deg: one sigma, about the optical axis.
        time_sigma_s: doubt about the moment of capture.
    """

    def __init__(
        self,
        position: GeodeticPoint,
        *,
        azimuth_deg: float,
        pitch_deg: float,
        roll_deg: float = 0.0,
        horizontal_sigma_m: float,
        vertical_sigma_m: float,
        azimuth_sigma_deg: float,
        pitch_sigma_deg: float,
        roll_sigma_deg: float,
        time_sigma_s: float = 0.0,
    ) -> None:
        rotation = rotation_enu_from_camera(azimuth_deg, pitch_deg, roll_deg)
        self._pose = Pose(
            position=position,
            rotation_enu_from_camera=rotation,
            cov_position_enu_m2=np.diag([horizontal_sigma_m**2] * 2 + [vertical_sigma_m**2]),
            cov_turn_rad2=turn_covariance_rad2(
                azimuth_deg,
                rotation[:, 2],
                azimuth_sigma_deg=azimuth_sigma_deg,
                pitch_sigma_deg=pitch_sigma_deg,
                roll_sigma_deg=roll_sigma_deg,
            ),
            time_sigma_s=time_sigma_s,
        )

    def at(self, t_monotonic_s: float) -> Pose:  # noqa: ARG002  # the same at every instant
        """The one pose."""
        return self._pose


def turn_covariance_rad2(
    azimuth_deg: float,
    axis_enu: npt.ArrayLike,
    *,
    azimuth_sigma_deg: float,
    pitch_sigma_deg: float,
    roll_sigma_deg: float,
) -> Array:
    """(3, 3) covariance of the ENU rotation vector that errors of azimuth, pitch and roll make.

    Args:
        azimuth_deg: of the view.
        axis_enu: (3,) unit vector of the optical axis.
        azimuth_sigma_deg: about the vertical.
        pitch_sigma_deg: about the level axis across the view.
        roll_sigma_deg: about the optical axis.
    """
    level = np.radians(azimuth_deg)
    axes = np.array([[0.0, 0.0, -1.0], [np.cos(level), -np.sin(level), 0.0], np.asarray(axis_enu)])
    sigma = np.radians([azimuth_sigma_deg, pitch_sigma_deg, roll_sigma_deg])
    root = axes.T * sigma
    return np.asarray(root @ root.T, np.float64)
