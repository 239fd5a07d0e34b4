"""Many boxes in motion at once: constant velocity, one independent filter per side of a box.

The state of a box is its foot (middle of the lower edge), its width and its height, each with a
velocity. The four are filtered independently, so a step is a few array operations for all tracks.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from edge.warp import Warp

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """How boxes move and how well they are measured; all relative to the box's height.

    Attributes:
        acceleration: (4,) spectral density of the white acceleration of foot x, foot y, width and
            height, as sigma in heights / s^1.5.
        measurement: (4,) one sigma of a detected box, in heights.
        start_speed: (4,) one sigma of the speed of a new box, in heights / s.
    """

    acceleration: Array
    measurement: Array
    start_speed: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Filtered boxes of n tracks.

    Attributes:
        mean: (n, 4) foot x, foot y, width, height in px.
        speed: (n, 4) in px/s.
        p_xx: (n, 4) variance of the mean.
        p_xv: (n, 4) covariance of mean and speed.
        p_vv: (n, 4) variance of the speed.
    """

    mean: Array
    speed: Array
    p_xx: Array
    p_xv: Array
    p_vv: Array

    @classmethod
    def start(cls, measured: Array, motion: Motion) -> Self:
        """New boxes from (n, 4) measurements."""
        height = _height(measured)
        return cls(
            mean=measured.copy(),
            speed=np.zeros_like(measured),
            p_xx=(height * motion.measurement) ** 2,
            p_xv=np.zeros_like(measured),
            p_vv=(height * motion.start_speed) ** 2,
        )

    def __len__(self) -> int:
        return len(self.mean)

    def take(self, rows: npt.NDArray[np.int64]) -> Self:
        """The boxes of these rows."""
        return type(self)(
            mean=self.mean[rows],
            speed=self.speed[rows],
            p_xx=self.p_xx[rows],
            p_xv=self.p_xv[rows],
            p_vv=self.p_vv[rows],
        )

    def join(self, other: Self) -> Self:
        """These boxes and then the others."""
        return type(self)(
            mean=np.concatenate((self.mean, other.mean)),
            speed=np.concatenate((self.speed, other.speed)),
            p_xx=np.concatenate((self.p_xx, other.p_xx)),
            p_xv=np.concatenate((self.p_xv, other.p_xv)),
            p_vv=np.concatenate((self.p_vv, other.p_vv)),
        )

    def predict(self, dt_s: float, motion: Motion) -> Self:
        """The boxes after `dt_s`; any dt, so an uneven frame rate costs nothing.

        Source: Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and
        Navigation", 2001, section 6.2.2 (continuous white noise acceleration).
        """
        density = (_height(self.mean) * motion.acceleration) ** 2
        return type(self)(
            mean=self.mean + self.speed * dt_s,
            speed=self.speed,
            p_xx=self.p_xx + dt_s * (2 * self.p_xv + dt_s * self.p_vv) + density * dt_s**3 / 3,
            p_xv=self.p_xv + dt_s * self.p_vv + density * dt_s**2 / 2,
            p_vv=self.p_vv + density * dt_s,
        )

    def carried(self, warp: Warp) -> Self:
        """The boxes as they lie after the camera moved; speeds stay those over the ground.

        Args:
            warp: from the last frame's pixels to this one's.
        """
        foot = self.mean[:, :2]
        slope = warp.jacobians(foot)
        grown = np.sqrt(np.abs(np.linalg.det(slope)))[:, None]
        squares = slope**2
        mean, speed = self.mean * grown, self.speed * grown
        mean[:, :2] = warp.points(foot)
        speed[:, :2] = np.einsum("nij,nj->ni", slope, self.speed[:, :2])
        variances = []
        for variance in (self.p_xx, self.p_xv, self.p_vv):
            turned = variance * grown**2
            turned[:, :2] = np.einsum("nij,nj->ni", squares, variance[:, :2])
            variances.append(turned)
        variances[0][:, :2] += warp.sigma_px**2
        return type(self)(
            mean=mean, speed=speed, p_xx=variances[0], p_xv=variances[1], p_vv=variances[2]
        )

    def update(
        self, rows: npt.NDArray[np.int64], measured: Array, noise: Array, counts: Array
    ) -> Self:
        """Correct these rows with (m, 4) measurements.

        Args:
            rows: (m,) each at most once.
            measured: (m, 4) foot x, foot y, width, height.
            noise: (m, 4) measurement variance.
            counts: (m, 4) 1 where the measurement counts, 0 where it says nothing.
        """
        spread = self.p_xx[rows] + noise
        gain_x = counts * self.p_xx[rows] / spread
        gain_v = counts * self.p_xv[rows] / spread
        error = measured - self.mean[rows]
        mean, speed = self.mean.copy(), self.speed.copy()
        p_xx, p_xv, p_vv = self.p_xx.copy(), self.p_xv.copy(), self.p_vv.copy()
        mean[rows] += gain_x * error
        speed[rows] += gain_v * error
        p_vv[rows] -= gain_v * self.p_xv[rows]
        p_xv[rows] *= 1 - gain_x
        p_xx[rows] *= 1 - gain_x
        mean[:, 2:] = np.maximum(mean[:, 2:], 1.0)
        return type(self)(mean=mean, speed=speed, p_xx=p_xx, p_xv=p_xv, p_vv=p_vv)

    @property
    def corners(self) -> Array:
        """(n, 4) x1 y1 x2 y2."""
        half = self.mean[:, 2] / 2
        return np.column_stack(
            (
                self.mean[:, 0] - half,
                self.mean[:, 1] - self.mean[:, 3],
                self.mean[:, 0] + half,
                self.mean[:, 1],
            )
        )


def feet(boxes_px: npt.NDArray[np.floating]) -> Array:
    """(n, 4) foot x, foot y, width, height of (n, 4) x1 y1 x2 y2 boxes."""
    box = boxes_px.astype(np.float64)
    return np.column_stack(
        ((box[:, 0] + box[:, 2]) / 2, box[:, 3], box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    )


def _height(boxes: Array) -> Array:
    return np.maximum(boxes[:, 3:4], 4.0)
