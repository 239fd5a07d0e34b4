"""From pixels to ground points, with every source of error carried along.

A pixel becomes a ray, the ray meets the ground, and the error of each source is carried along by its
derivative on the ground's own slope. What all pixels of one frame share (pose, lens, ground, clock)
is kept apart from what each has for itself. Where a straight line through the errors says too
little - rays that graze, ground that ends at a crest - the far points of the errors are traced, too.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge.located import NO_RAY
from edge.pose import Pose
from geo.frames import EnuFrame
from geo.lens import Lens
from geo.terrain import HIT, Terrain

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_REACH = np.sqrt(3.0)
"""Sigmas at which errors are traced; four such points of two axes and the middle one keep the first
five moments of two normal variables. Source: Julier, Uhlmann, "A new extension of the Kalman filter
to nonlinear systems", 1997 (n + kappa = 3)."""
_WEIGHT = 1.0 / 6.0
_GRAZING = np.sin(np.radians(20.0))
_LARGE_PART = 0.02
_LARGE_PART_LEVEL = 0.08
_LEAST_PART = 0.05
_LEAST_WIDTH = 1e-9
_LEAST_M2 = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """One sigma of what is no part of the pose.

    Attributes:
        terrain_sigma_m: of the ground's height; shared by all pixels.
        plane_sigma_m: the same where level ground was assumed.
        lens_sigma_px: what the calibration leaves unexplained, per axis.
    """

    terrain_sigma_m: float
    plane_sigma_m: float
    lens_sigma_px: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundFix:
    """Pixels on the ground, in the ENU frame at the camera.

    Attributes:
        points_m: (n, 3), nan where the ray meets no ground.
        range_m: (n,) along the ray.
        directions: (n, 3) unit rays.
        by_pixel: (n, 2, 2) metres east and north per pixel.
        cov_own_m2: (n, 2, 2) from the pixel.
        cov_shared_m2: (n, 2, 2) from pose, lens, ground and clock.
        ray_by_pixel: (n, 3, 2) derivative of the ray by the pixel.
        velocity_m_s: (n, 2) of the feet over the ground; zero where their motion is not known.
        outcome: (n,) what became of the rays, as `geo.terrain` counts it; `NO_RAY` where no ray
            reaches the pixel.
        plane: (n,) whether level ground was assumed.
    """

    points_m: Array
    range_m: Array
    directions: Array
    by_pixel: Array
    cov_own_m2: Array
    cov_shared_m2: Array
    ray_by_pixel: Array
    velocity_m_s: Array
    outcome: Rows
    plane: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One camera at one instant, on its ground.

    Attributes:
        lens: of its frames.
        pose: its place and look.
        frame: ENU at the lens.
        terrain: the ground.
        doubts: beside the pose's.
    """

    lens: Lens
    pose: Pose
    frame: EnuFrame
    terrain: Terrain
    doubts: Doubts

    def fix(
        self, pixels: Array, cov_px2: Array, *, velocity_px_s: Array | None = None
    ) -> GroundFix:
        """Ground points of (n, 2) pixels and their covariances.

        Args:
            pixels: (n, 2) of the lens.
            cov_px2: (n, 2, 2) of each pixel, independent of the others'.
            velocity_px_s: (n, 2) of what stands there, against the ground in the picture, if known.
        """
        pose, doubts = self.pose, self.doubts
        rays, by_pixel_camera = self.lens.zoomed(pose.hfov_deg).rays_and_jacobians(pixels)
        direction = rays @ pose.rotation_enu_from_camera.T
        known = np.asarray(np.isfinite(direction).all(axis=1), np.bool_)
        safe = np.where(known[:, None], direction, [0.0, 0.0, 1.0])
        hit = self.terrain.trace(self.frame, np.zeros(3), safe)
        normal = hit.normals

        # On ground with the normal n, of which every point may lie higher by d height:
        # d point = (I - direction n^T / fall) (d origin + range d direction)
        #           + direction n_up / fall * d height, where fall = n . direction
        fall = np.einsum("ni,ni->n", normal, safe)
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = safe[:, :2] / np.where(fall < 0.0, fall, np.nan)[:, None]
        slide = np.eye(3)[:2] - gain[:, :, None] * normal[:, None, :]
        moved = hit.range_m[:, None, None] * slide
        ray_by_pixel = pose.rotation_enu_from_camera @ by_pixel_camera
        by_pixel = moved @ ray_by_pixel
        by_turn = moved @ against(safe)
        sigma_m = np.where(hit.plane, doubts.plane_sigma_m, doubts.terrain_sigma_m)
        height_m = gain * (normal[:, 2] * sigma_m)[:, None]
        turned = by_turn @ pose.cov_turn_rad2 @ by_turn.transpose(0, 2, 1)
        turned += by_pixel @ by_pixel.transpose(0, 2, 1) * doubts.lens_sigma_px**2
        shared = slide @ pose.cov_position_enu_m2 @ slide.transpose(0, 2, 1) + _outer(height_m)
        velocity = np.zeros((len(safe), 2))
        if velocity_px_s is not None:
            velocity = np.einsum("nij,nj->ni", by_pixel, velocity_px_s)
        # A stamp that is late by dt takes the place from where the camera looked dt later, and
        # tells it of an instant at which whoever walks has gone on: one error makes both.
        swept = -velocity
        if pose.moving:
            swept = swept + slide @ pose.velocity_enu_m_s + by_turn @ pose.rate_enu_rad_s
        shared += _outer(swept * pose.time_sigma_s)
        own = by_pixel @ cov_px2 @ by_pixel.transpose(0, 2, 1)
        found = GroundFix(
            points_m=hit.points_m,
            range_m=hit.range_m,
            directions=direction,
            by_pixel=by_pixel,
            cov_own_m2=own,
            cov_shared_m2=shared + turned,
            ray_by_pixel=ray_by_pixel,
            velocity_m_s=velocity,
            outcome=np.where(known, hit.outcome, NO_RAY),
            plane=hit.plane,
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            share = _trace(own + turned) / _trace(own + turned + shared)
            part = np.sqrt(_trace(own + turned + shared)) / hit.range_m
            curved = ~hit.plane & ((fall > -_GRAZING) | (part > _LARGE_PART))
            rows = np.flatnonzero(
                np.isfinite(part) & (hit.outcome == HIT) & (curved | (part > _LARGE_PART_LEVEL))
            )
        return self._followed(found, normal, share, rows) if len(rows) else found

    def _followed(self, first: GroundFix, normal: Array, share: Array, rows: Rows) -> GroundFix:
        """Trace the far points of the errors of some rows and take their spread instead.

        An error of place shifts a ray beside itself, one of direction turns it about the camera;
        ``share`` (n,) says how much of it is of direction. The spread is about the ground point
        itself, so what bends it to one side makes it larger, too.
        """
        total = first.cov_own_m2[rows] + first.cov_shared_m2[rows]
        # One source of error alone makes an ellipse without width, which has no inverse.
        total = total + (_trace(total) * _LEAST_WIDTH + _LEAST_M2)[:, None, None] * np.eye(2)
        square, axes = np.linalg.eigh(total)
        arms = (axes * np.sqrt(np.maximum(square, 0.0))[:, None, :]).transpose(0, 2, 1) * _REACH
        point, ray, up = first.points_m[rows], first.directions[rows], normal[rows]
        flat = np.concatenate((arms, -arms), axis=1)
        # On the slope, then at right angles to the ray: that is what the error is to the ray.
        rise = -np.einsum("nki,ni->nk", flat, up[:, :2]) / up[:, 2:]
        step = np.concatenate((flat, rise[:, :, None]), axis=2)
        across = step - np.einsum("nki,ni->nk", step, ray)[:, :, None] * ray[:, None, :]
        origin = across * (1.0 - share[rows])[:, None, None]
        way = point[:, None, :] + across - origin
        met = self.terrain.trace(self.frame, origin.reshape(-1, 3), way.reshape(-1, 3))
        spread = met.points_m.reshape(way.shape)[:, :, :2] - point[:, None, :2]
        # Nobody stands in the sky, nor does anybody know what a void does: there the line holds.
        spread = np.where(np.isfinite(spread), spread, flat)
        seen = np.einsum("nki,nkj->nij", spread, spread) * _WEIGHT + total * _LEAST_PART
        # The same change of shape for both parts keeps their sum and their order.
        change = _root(seen) @ np.linalg.inv(_root(total))
        turned = change.transpose(0, 2, 1)
        own, shared = first.cov_own_m2.copy(), first.cov_shared_m2.copy()
        own[rows] = change @ own[rows] @ turned
        shared[rows] = change @ shared[rows] @ turned
        return replace(first, cov_own_m2=own, cov_shared_m2=shared)


def against(rays: Array) -> Array:
    """(n, 3, 3) that turn a small rotation vector into the change of each of (n, 3) rays."""
    x, y, z = rays.T
    zero = np.zeros_like(x)
    rows = ((zero, z, -y), (-z, zero, x), (y, -x, zero))
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def _outer(vector: Array) -> Array:
    return np.asarray(vector[:, :, None] * vector[:, None, :], np.float64)


def _trace(cov: Array) -> Array:
    return np.asarray(cov[:, 0, 0] + cov[:, 1, 1], np.float64)


def _root(cov: Array) -> Array:
    """(n, 2, 2) symmetric roots of covariances.

    Source: the closed form of a 2 x 2 root, (C + s I) / t with s = sqrt(det), t = sqrt(trace + 2 s).
    """
    s = np.sqrt(np.maximum(cov[:, 0, 0] * cov[:, 1, 1] - cov[:, 0, 1] ** 2, 0.0))
    t = np.sqrt(np.maximum(_trace(cov) + 2.0 * s, 1e-12))
    return np.asarray((cov + s[:, None, None] * np.eye(2)) / t[:, None, None], np.float64)
