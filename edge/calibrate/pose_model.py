"""How a camera's pose predicts the pixels of known points, and the least squares over it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge.calibrate.points import PointArrays
from geo.frames import EnuFrame, GeodeticPoint, geodetic_to_ecef
from geo.lens import Lens

Array = npt.NDArray[np.float64]

_STEP_M = 1e-3
_STEP_RAD = 1e-6
_ROUNDS = 60
_LOST_PX = 1e3
"""A point that the pose puts behind the camera counts as so far off."""
_HUBER = 2.0
_FREE_SIGMA_M = 1e5
"""Nothing is known of the position: keeps the normal equations regular and weighs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionPrior:
    """What a survey says of the lens's place, one sigma each."""

    position: GeodeticPoint
    horizontal_sigma_m: float
    vertical_sigma_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A pose under fit.

    Attributes:
        position: of the lens.
        rotation: (3, 3) ENU at the position from camera.
        lens: with the focal length under fit.
    """

    position: GeodeticPoint
    rotation: Array
    lens: Lens

    def enu(self, points: PointArrays) -> Array:
        """(n, 3) of points in the frame at the camera."""
        frame = EnuFrame(self.position)
        here = geodetic_to_ecef(
            self.position.lon_deg, self.position.lat_deg, self.position.alt_hae_m
        )
        return np.asarray((points.ecef_m - here) @ frame.axes.T, np.float64)

    def pixels_of(self, enu_m: Array) -> Array:
        """(n, 2) pixels of points in the frame at the camera; nan behind it."""
        return self.lens.project(enu_m @ self.rotation)

    def moved(self, step: Array) -> "Camera":
        """A camera shifted by step[:3] in metres, turned by step[3:6] in radians about the ENU axes.

        A seventh number scales the focal length by its exponential.
        """
        position = EnuFrame(self.position).point_to_geodetic(step[:3])
        lens = self.lens
        if len(step) > 6:
            scale = float(np.exp(np.clip(step[6], -1.0, 1.0)))
            lens = replace(lens, fx_px=lens.fx_px * scale, fy_px=lens.fy_px * scale)
        # Axes of the old and the new place differ by the shift over the Earth's radius.
        return Camera(position=position, rotation=turn(step[3:6]) @ self.rotation, lens=lens)


def turn(vector_rad: Array) -> Array:
    """(3, 3) rotation by a rotation vector.

    Source: Rodrigues' formula.
    """
    angle = float(np.linalg.norm(vector_rad))
    x, y, z = vector_rad
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    if angle < 1e-12:
        return np.asarray(np.eye(3) + cross, np.float64)
    first, second = np.sin(angle) / angle, (1.0 - np.cos(angle)) / angle**2
    return np.asarray(np.eye(3) + first * cross + second * cross @ cross, np.float64)


def angles_deg(rotation: Array) -> tuple[float, float, float]:
    """Azimuth, pitch and roll of a rotation; the inverse of `rotation_enu_from_camera`."""
    forward, right = rotation[:, 2], rotation[:, 0]
    azimuth = np.arctan2(forward[0], forward[1])
    level_right = np.array([np.cos(azimuth), -np.sin(azimuth), 0.0])
    level_down = np.cross(forward, level_right)
    roll = np.arctan2(right @ level_down, right @ level_right)
    pitch = np.arcsin(np.clip(forward[2], -1.0, 1.0))
    return (
        float(np.degrees(azimuth)) % 360.0,
        float(np.degrees(pitch)),
        float(np.degrees(roll)),
    )


def turn_axes(rotation: Array) -> Array:
    """(3, 3) columns: the ENU axes about which azimuth, pitch and roll turn a camera."""
    azimuth = np.arctan2(rotation[0, 2], rotation[1, 2])
    level = [np.cos(azimuth), -np.sin(azimuth), 0.0]
    return np.column_stack(([0.0, 0.0, -1.0], level, rotation[:, 2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Where the least squares ended.

    Attributes:
        camera: the pose.
        residual_px: (n, 2) seen minus predicted.
        jacobian: (n, 2, k) of the prediction by the step of `Camera.moved`.
        cov_px2: (n, 2, 2) of what was seen: click and survey together.
        covariance: (k, k) of the step.
        cost: sum of squared normalised residuals, the position's word included.
        converged: whether the steps became small.
    """

    camera: Camera
    residual_px: Array
    jacobian: Array
    cov_px2: Array
    covariance: Array
    cost: float
    converged: bool


def look(camera: Camera, points: PointArrays, *, focal: bool) -> tuple[Array, Array, Array]:
    """Residuals (n, 2), their Jacobian (n, 2, 6 or 7) and covariances (n, 2, 2)."""
    enu = camera.enu(points)
    count, size = len(points), 7 if focal else 6
    seen = [enu @ camera.rotation]
    for k in range(3):
        shift = np.zeros(3)
        shift[k] = _STEP_M
        seen += [(enu - shift) @ camera.rotation, (enu + shift) @ camera.rotation]
    for k in range(3):
        vector = np.zeros(3)
        vector[k] = _STEP_RAD
        seen += [enu @ (turn(sign * vector) @ camera.rotation) for sign in (1.0, -1.0)]
    # One projection of all of them costs little more than one of a few points.
    pixels = camera.lens.project(np.concatenate(seen)).reshape(-1, count, 2)
    predicted = pixels[0]
    jacobian = np.zeros((count, 2, size))
    for k, step in enumerate((*[_STEP_M] * 3, *[_STEP_RAD] * 3)):
        jacobian[:, :, k] = (pixels[1 + 2 * k] - pixels[2 + 2 * k]) / (2 * step)
    if focal:
        jacobian[:, :, 6] = predicted - (camera.lens.cx_px, camera.lens.cy_px)
    residual = points.pixels - predicted
    lost = ~np.isfinite(jacobian).all(axis=(1, 2)) | ~np.isfinite(residual).all(axis=1)
    residual[lost], jacobian[lost] = _LOST_PX, 0.0
    # Moving a mark is moving the camera the other way.
    by_point = jacobian[:, :, :3]
    cov = np.eye(2) * (points.sigma_px**2)[:, None, None]
    cov = cov + by_point @ by_point.transpose(0, 2, 1) * (points.sigma_m**2)[:, None, None]
    return residual, jacobian, cov


def solve(
    start: Camera,
    points: PointArrays,
    prior: PositionPrior | None,
    *,
    focal: bool = False,
    robust: bool = False,
) -> Solution:
    """Levenberg and Marquardt's least squares over pose (and focal length).

    Args:
        start: where to begin.
        points: what was seen.
        prior: what is known of the position.
        focal: whether the focal length is fitted too.
        robust: Huber's weights, for points that may be wrong.
    """
    camera, damping = start, 1e-3
    residual, jacobian, cov = look(camera, points, focal=focal)
    weight = _weights(residual, cov, robust=robust)
    cost = _cost(residual, weight, _prior(camera, prior, jacobian.shape[2])[2])
    converged = False
    for _ in range(_ROUNDS):
        information, gradient = _normal(camera, residual, jacobian, weight, prior)
        ease = np.diag(np.diag(information)) * damping + np.eye(len(gradient)) * 1e-12
        step = np.asarray(np.linalg.solve(information + ease, gradient), np.float64)
        step[3:6] = np.clip(step[3:6], -0.5, 0.5)
        tried = camera.moved(step)
        r, j, c = look(tried, points, focal=focal)
        w = _weights(r, c, robust=robust)
        new = _cost(r, w, _prior(tried, prior, j.shape[2])[2])
        if new <= cost * (1 + 1e-12):
            small = float(np.abs(step[:3]).max()) < 1e-5 and float(np.abs(step[3:]).max()) < 1e-8
            camera, residual, jacobian, cov, weight, cost = tried, r, j, c, w, new
            damping = max(damping * 0.2, 1e-9)
            if small:
                converged = True
                break
        else:
            damping *= 8.0
            if damping > 1e9:
                break
    information, _ = _normal(camera, residual, jacobian, weight, prior)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    # Scaled first: metres, radians and logarithms differ by many powers of ten.
    inverse = np.linalg.pinv(information * scale[:, None] * scale, rcond=1e-13, hermitian=True)
    return Solution(
        camera=camera,
        residual_px=residual,
        jacobian=jacobian,
        cov_px2=cov,
        covariance=np.asarray(inverse * scale[:, None] * scale, np.float64),
        cost=cost,
        converged=converged,
    )


def _weights(residual: Array, cov: Array, *, robust: bool) -> Array:
    """(n, 2, 2) inverse covariances, less for points far off."""
    weight = np.linalg.inv(cov)
    if robust:
        off = np.sqrt(np.einsum("ni,nij,nj->n", residual, weight, residual))
        weight = weight * np.minimum(1.0, _HUBER / np.maximum(off, 1e-9))[:, None, None]
    return np.asarray(weight, np.float64)


def _prior(camera: Camera, prior: PositionPrior | None, size: int) -> tuple[Array, Array, float]:
    """Information (k, k), gradient (k,) and cost of what is known of the position."""
    information, gradient = np.zeros((size, size)), np.zeros(size)
    if prior is None:
        information[:3, :3] = np.eye(3) / _FREE_SIGMA_M**2
        return information, gradient, 0.0
    sigma = np.maximum(
        [prior.horizontal_sigma_m, prior.horizontal_sigma_m, prior.vertical_sigma_m], 1e-4
    )
    away = EnuFrame(camera.position).point_to_enu(prior.position)
    information[:3, :3] = np.diag(sigma**-2.0)
    gradient[:3] = away / sigma**2
    return information, gradient, float(((away / sigma) ** 2).sum())


def _normal(
    camera: Camera, residual: Array, jacobian: Array, weight: Array, prior: PositionPrior | None
) -> tuple[Array, Array]:
    known, pull, _ = _prior(camera, prior, jacobian.shape[2])
    information = np.einsum("nik,nij,njl->kl", jacobian, weight, jacobian) + known
    gradient = np.einsum("nik,nij,nj->k", jacobian, weight, residual) + pull
    return information, gradient


def _cost(residual: Array, weight: Array, prior_cost: float) -> float:
    # Re-weighted quadratic: falls together with Huber's loss near the answer.
    return float(np.einsum("ni,nij,nj->", residual, weight, residual)) + prior_cost
