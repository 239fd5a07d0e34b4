"""The camera model: pinhole with Brown-Conrady distortion, both ways, with Jacobians.

Camera frame: x right, y down, z forward. Pixels as OpenCV counts them: (0, 0) is the centre of
the top left pixel. Angles: azimuth true and clockwise, pitch positive up, roll clockwise seen
from behind the camera.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from geo._types import FloatArray

_NEWTON_ROUNDS = 12
_SAME_ZOOM = 0.01
_NEWTON_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """Intrinsics and distortion (k1, k2, p1, p2, k3 as OpenCV names them), in pixels.

    Source: Brown, "Decentering distortion of lenses", 1966; OpenCV's camera model.
    """

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    width_px: int
    height_px: int
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a lens that cannot project."""
        for field in ("fx_px", "fy_px", "width_px", "height_px"):
            value = getattr(self, field)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{field} is {value}; it must be a positive number of pixels")

    @classmethod
    def from_hfov(cls, hfov_deg: float, width_px: int, height_px: int) -> Self:
        """Return the undistorted lens with square pixels and the given horizontal view."""
        if not 0.0 < hfov_deg < 180.0:
            raise ValueError(f"hfov_deg is {hfov_deg}; allowed is 0..180, both excluded")
        focal_px = 0.5 * width_px / np.tan(np.radians(0.5 * hfov_deg))
        return cls(
            fx_px=float(focal_px),
            fy_px=float(focal_px),
            cx_px=0.5 * (width_px - 1),
            cy_px=0.5 * (height_px - 1),
            width_px=width_px,
            height_px=height_px,
        )

    @property
    def hfov_deg(self) -> float:
        """Horizontal field of view of the pinhole part, edge to edge."""
        left, right = self.cx_px + 0.5, self.width_px - 0.5 - self.cx_px
        return float(np.degrees(np.arctan(left / self.fx_px) + np.arctan(right / self.fx_px)))

    @property
    def vfov_deg(self) -> float:
        """Vertical field of view of the pinhole part, edge to edge."""
        top, bottom = self.cy_px + 0.5, self.height_px - 0.5 - self.cy_px
        return float(np.degrees(np.arctan(top / self.fy_px) + np.arctan(bottom / self.fy_px)))

    def zoomed(self, hfov_deg: float | None) -> "Lens":
        """The same lens at another horizontal field of view, as its zoom tells it now.

        Distortion belongs to the zoom it was measured at: elsewhere it is left out. None, or a
        field of view within a hundredth of this one, is this lens.
        """
        if hfov_deg is None or abs(hfov_deg / self.hfov_deg - 1.0) < _SAME_ZOOM:
            return self
        if not 0.0 < hfov_deg < 180.0:
            raise ValueError(f"hfov_deg is {hfov_deg}; allowed is 0..180, both excluded")
        wide, narrow = np.tan(np.radians([0.5 * self.hfov_deg, 0.5 * hfov_deg])).tolist()
        return Lens(
            fx_px=self.fx_px * wide / narrow,
            fy_px=self.fy_px * wide / narrow,
            cx_px=self.cx_px,
            cy_px=self.cy_px,
            width_px=self.width_px,
            height_px=self.height_px,
        )

    @property
    def matrix(self) -> FloatArray:
        """(3, 3) camera matrix, as OpenCV takes it."""
        return np.array([[self.fx_px, 0, self.cx_px], [0, self.fy_px, self.cy_px], [0, 0, 1.0]])

    @property
    def distortion(self) -> FloatArray:
        """(5,) k1, k2, p1, p2, k3, as OpenCV takes them."""
        return np.array([self.k1, self.k2, self.p1, self.p2, self.k3])

    def project(self, points_camera_m: npt.ArrayLike) -> FloatArray:
        """Return (n, 2) pixels of (n, 3) points in the camera frame.

        A point behind the camera, or so far outside the view that the distortion folds it back
        into the picture, gives nan: a wrong pixel would be worse than none.
        """
        points = np.atleast_2d(np.asarray(points_camera_m, dtype=np.float64))
        depth = np.where(points[:, 2] > 0.0, points[:, 2], np.nan)
        normalised = points[:, :2] / depth[:, None]
        folded = np.einsum("ij,ij->i", normalised, normalised) > self._fold_radius2()
        distorted, _ = self._distort(normalised)
        pixels = distorted * (self.fx_px, self.fy_px) + (self.cx_px, self.cy_px)
        pixels[folded] = np.nan
        return np.asarray(pixels, dtype=np.float64)

    def rays(self, pixels: npt.ArrayLike) -> FloatArray:
        """Return (n, 3) unit vectors in the camera frame, undistorted, of (n, 2) pixels."""
        return self.rays_and_jacobians(pixels)[0]

    def rays_and_jacobians(self, pixels: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return rays (n, 3) and their derivatives by pixel (n, 3, 2).

        A pixel that no ray reaches under this distortion gives nan.
        """
        wanted = np.atleast_2d(np.asarray(pixels, dtype=np.float64))
        scale = np.array([self.fx_px, self.fy_px])
        target = (wanted - (self.cx_px, self.cy_px)) / scale
        normalised = target.copy()
        distorted, jacobian = self._distort(normalised)
        for _ in range(_NEWTON_ROUNDS):
            error = distorted - target
            if not np.any(np.abs(error) > _NEWTON_TOLERANCE):
                break
            normalised -= np.linalg.solve(_safe(jacobian), error[..., None])[..., 0]
            distorted, jacobian = self._distort(normalised)
        lost = ~(np.abs(distorted - target).max(axis=1) < 1e-9)
        lost |= np.einsum("ij,ij->i", normalised, normalised) > self._fold_radius2()
        normalised[lost] = np.nan
        length = np.sqrt(1.0 + np.einsum("ij,ij->i", normalised, normalised))
        rays = np.column_stack((normalised, np.ones(len(normalised)))) / length[:, None]
        # d unit / d (x, y) = (I - u u^T)[:, :2] / length; then through distortion and scale.
        spread = (np.eye(3) - rays[:, :, None] * rays[:, None, :])[:, :, :2] / length[:, None, None]
        return rays, np.asarray(spread @ np.linalg.inv(_safe(jacobian)) / scale, dtype=np.float64)

    def contains(self, pixels: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return (n,) whether each (n, 2) pixel lies in the picture; nan does not."""
        points = np.atleast_2d(np.asarray(pixels, dtype=np.float64))
        size = np.array([self.width_px, self.height_px]) - 0.5
        return np.asarray(np.all((points >= -0.5) & (points < size), axis=1), dtype=np.bool_)

    def _distort(self, normalised: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return distorted (n, 2) coordinates and their (n, 2, 2) derivative."""
        x, y = normalised[:, 0], normalised[:, 1]
        r2 = x * x + y * y
        radial = 1.0 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        slope = self.k1 + r2 * (2.0 * self.k2 + 3.0 * self.k3 * r2)  # d radial / d r2
        distorted = np.column_stack(
            (
                x * radial + 2.0 * self.p1 * x * y + self.p2 * (r2 + 2.0 * x * x),
                y * radial + self.p1 * (r2 + 2.0 * y * y) + 2.0 * self.p2 * x * y,
            )
        )
        mixed = 2.0 * (x * y * slope + self.p1 * x + self.p2 * y)
        jacobian = np.empty((len(x), 2, 2))
        jacobian[:, 0, 0] = radial + 2.0 * x * x * slope + 2.0 * self.p1 * y + 6.0 * self.p2 * x
        jacobian[:, 0, 1] = mixed
        jacobian[:, 1, 0] = mixed
        jacobian[:, 1, 1] = radial + 2.0 * y * y * slope + 6.0 * self.p1 * y + 2.0 * self.p2 * x
        return distorted, jacobian

    def _fold_radius2(self) -> float:
        """Return the squared radius where radial distortion stops growing; inf without one."""
        return _fold_radius2(self.k1, self.k2, self.k3)


@lru_cache(maxsize=64)
def _fold_radius2(k1: float, k2: float, k3: float) -> float:
    """Find the root of the radial derivative once per lens: it takes longer than a projection."""
    if not (k1 or k2 or k3):
        return float("inf")
    roots = np.roots([7.0 * k3, 5.0 * k2, 3.0 * k1, 1.0])
    real = [float(r.real) for r in roots if abs(r.imag) < 1e-9 and r.real > 0.0]
    return min(real, default=float("inf"))


def _safe(jacobian: FloatArray) -> FloatArray:
    """Replace derivatives that cannot be inverted by nan, which the caller hands on."""
    with np.errstate(invalid="ignore"):
        bad = ~(np.abs(np.asarray(np.linalg.det(jacobian))) > 1e-12)
    if not np.any(bad):
        return jacobian
    fixed = np.array(jacobian)
    fixed[bad] = np.eye(2) * np.nan
    return fixed


def rotation_enu_from_camera(azimuth_deg: float, pitch_deg: float, roll_deg: float) -> FloatArray:
    """Return (3, 3) that turns camera vectors (x right, y down, z forward) into ENU.

    Args:
        azimuth_deg: of the optical axis, true, clockwise from north.
        pitch_deg: of the optical axis, positive above the horizon.
        roll_deg: of the camera about the axis, clockwise seen from behind.
    """
    azimuth, pitch, roll = np.radians([azimuth_deg, pitch_deg, roll_deg])
    forward = np.array(
        [np.sin(azimuth) * np.cos(pitch), np.cos(azimuth) * np.cos(pitch), np.sin(pitch)]
    )
    level_right = np.array([np.cos(azimuth), -np.sin(azimuth), 0.0])
    level_down = np.cross(forward, level_right)
    right = np.cos(roll) * level_right + np.sin(roll) * level_down
    down = -np.sin(roll) * level_right + np.cos(roll) * level_down
    return np.asarray(np.column_stack((right, down, forward)), dtype=np.float64)
