"""How a camera turned between two frames, by its picture alone."""

import math

import numpy as np
import numpy.typing as npt

from edge.camera_motion import CameraMotion
from edge.time_offset import OffsetEstimator
from edge.turn_match import Turn
from edge.warp import Warp
from geo.lens import Lens
from hardware.ports import Frame

Array = npt.NDArray[np.float64]


def turn_of_warp(warp: Warp, lens: Lens, size_px: tuple[int, int]) -> tuple[Array, float]:
    """Rotation vector in camera axes that makes the picture's middle move and turn like this.

    A camera that moves sideways over near ground seems to turn too; that part stays in it.

    Args:
        warp: pixels of the last frame to pixels of this one.
        lens: of the frames.
        size_px: of the frames, which may be scaled against the lens.

    Returns:
        (3,) radians about x (right), y (down), z (forward), and one sigma per axis.
    """
    scale = np.array(size_px) / (lens.width_px, lens.height_px)
    middle = (np.array([[lens.cx_px, lens.cy_px]]) + 0.5) * scale
    focal = np.array([lens.fx_px, lens.fy_px]) * scale
    across, down = ((warp.points(middle) - middle)[0] / focal).tolist()
    slope = warp.jacobians(middle)[0]
    # The picture's own turn, from x (right) to y (down), freed from stretch.
    round_axis = math.atan2(slope[1, 0] - slope[0, 1], slope[0, 0] + slope[1, 1])
    # What stands still goes the other way.
    turn = np.array([math.atan(down), -math.atan(across), -round_axis])
    return turn, warp.sigma_px / float(focal.min())


class WatchedMotion:
    """A camera's motion for its tracker, whose pictures also tell of the time offset.

    Args:
        motion: of the camera.
        lens: of its frames.
        estimator: gets what the pictures tell.
    """

    def __init__(self, motion: CameraMotion, lens: Lens, estimator: OffsetEstimator) -> None:
        self._motion = motion
        self._lens = lens
        self._estimator = estimator
        self._last_s: float | None = None

    def step(self, frame: Frame, moving_px: npt.NDArray[np.float64]) -> Warp | None:
        """How the ground moved in the picture since the last frame."""
        warp = self._motion.step(frame, moving_px)
        last_s, self._last_s = self._last_s, frame.t_capture_monotonic_s
        seen = self._motion.picture
        if seen is not None and last_s is not None and frame.t_capture_monotonic_s > last_s:
            size = (frame.image_bgr.shape[1], frame.image_bgr.shape[0])
            turn_rad, sigma_rad = turn_of_warp(seen, self._lens, size)
            self._estimator.add(
                Turn(
                    from_s=last_s,
                    to_s=frame.t_capture_monotonic_s,
                    turn_rad=turn_rad,
                    sigma_rad=sigma_rad,
                )
            )
        return warp
