"""How the pixels of one frame lie in the next when the camera itself moved."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warp:
    """A homography of the ground from the last frame's pixels to this frame's.

    Attributes:
        matrix: (3, 3).
        sigma_px: one sigma of what it leaves unexplained, per axis.
    """

    matrix: Array = field(compare=False)
    sigma_px: float = 0.0

    @classmethod
    def none(cls, sigma_px: float = 0.0) -> Self:
        """Nothing is known of a motion but its size."""
        return cls(matrix=np.eye(3), sigma_px=sigma_px)

    def then(self, later: Self) -> Self:
        """This motion and the one that followed it."""
        return type(self)(
            matrix=later.matrix @ self.matrix,
            sigma_px=float(np.hypot(self.sigma_px, later.sigma_px)),
        )

    def points(self, pixels: Array) -> Array:
        """(n, 2) pixels of this frame of (n, 2) pixels of the last."""
        way = np.column_stack((pixels, np.ones(len(pixels)))) @ self.matrix.T
        return np.asarray(way[:, :2] / way[:, 2:], np.float64)

    def jacobians(self, pixels: Array) -> Array:
        """(n, 2, 2) derivatives of `points` at (n, 2) pixels of the last frame."""
        way = np.column_stack((pixels, np.ones(len(pixels)))) @ self.matrix.T
        depth = way[:, 2, None, None]
        slope = (
            self.matrix[None, :2, :2]
            - (way[:, :2] / way[:, 2:])[:, :, None] * self.matrix[None, None, 2, :2]
        )
        return np.asarray(slope / depth, np.float64)
