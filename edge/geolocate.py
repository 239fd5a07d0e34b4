"""From the foot of a box to a place on the ground, with everything that makes it uncertain.

A pixel becomes a ray, the ray meets the ground, and each source of error is carried along by its
derivative. What all observations of one camera share (pose, lens, ground, clock) is kept apart from
what each has for itself (the foot in the picture). Where the ray grazes the ground the answer is a
bearing with an honest range.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.located import NO_RAY, Located, bearing, over_ground, place
from edge.pose import NoPose, Pose, PoseSource
from edge.track import Track
from geo.frames import EnuFrame
from geo.lens import Lens
from geo.normal import ce90_m
from geo.terrain import HIT, SKY, Terrain

Array = npt.NDArray[np.float64]

_SPAN_SIGMA = 2.5
"""Half the stated range of a bearing, in sigmas of the ray's elevation."""
_SAME_SHAPE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateSettings:
    """Where a place ends and a bearing begins.

    Attributes:
        max_range_m: nothing is placed, and no bearing reaches, beyond this.
        max_relative_sigma: a place whose largest sigma is more than this part of its distance is
            told as a bearing.
    """

    max_range_m: float = 2000.0
    max_relative_sigma: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundFix:
    """Feet on the ground, in the ENU frame at the camera.

    Attributes:
        points_m: (n, 3), nan where the ray meets no ground.
        directions: (n, 3) unit rays.
        by_pixel: (n, 2, 2) metres east and north per pixel.
        cov_own_m2: (n, 2, 2) from the foot in the picture.
        cov_shared_m2: (n, 2, 2) from pose, lens and ground.
        ray_by_pixel: (n, 3, 2) derivative of the ray by the pixel.
        ray_by_turn: (n, 3, 3) derivative of the ray by a small rotation vector in ENU.
        velocity_m_s: (n, 2) of the feet over the ground; zero where their motion is not known.
        outcome: (n,) what became of the rays, as `geo.terrain` counts it; -1 where no ray reaches
            the pixel.
        plane: (n,) whether level ground was assumed.
    """

    points_m: Array
    directions: Array
    by_pixel: Array
    cov_own_m2: Array
    cov_shared_m2: Array
    ray_by_pixel: Array
    ray_by_turn: Array
    velocity_m_s: Array
    outcome: npt.NDArray[np.int64]
    plane: npt.NDArray[np.bool_]


class GroundLocator:
    """Places feet seen by one camera.

    Args:
        lens: of the frames it delivers.
        poses: where the camera was at a frame's capture.
        terrain: the ground.
        terrain_sigma_m: one sigma of its height; shared by all feet.
        plane_sigma_m: the same where level ground was assumed; as the terrain's when not given.
        lens_sigma_px: what the calibration leaves unexplained, per axis.
        settings: limits.
    """

    def __init__(
        self,
        lens: Lens,
        poses: PoseSource,
        terrain: Terrain,
        *,
        terrain_sigma_m: float,
        plane_sigma_m: float | None = None,
        lens_sigma_px: float = 0.0,
        settings: LocateSettings | None = None,
    ) -> None:
        self.lens = lens
        self.poses = poses
        self.terrain = terrain
        self._terrain_sigma_m = terrain_sigma_m
        self._plane_sigma_m = terrain_sigma_m if plane_sigma_m is None else plane_sigma_m
        self._lens_sigma_px = lens_sigma_px
        self._settings = settings or LocateSettings()
        self._frame: EnuFrame | None = None

    def locate_tracks(self, tracks: Sequence[Track], t_s: float) -> list[Located]:
        """Places of the tracks' feet in a frame captured at ``t_s`` of the node's clock.

        Frames of another size than the lens but of the same shape are scaled (a camera's second
        stream); frames of another shape were cut from the picture nobody knows where.
        """
        if not tracks:
            return []
        scale = self._scale(tracks[0].frame_size_px)
        if scale is None:
            size, lens = tracks[0].frame_size_px, self.lens
            reason = f"the picture is {size} px, the lens is of {lens.width_px} x {lens.height_px}"
            return [Located(reason=reason) for _ in tracks]
        pose = self.poses.at(t_s)
        if isinstance(pose, NoPose):
            return [Located(reason=pose.reason) for _ in tracks]
        return self.locate(
            pose,
            # A box counts from the edge of the first pixel, a lens from its centre.
            np.stack([track.foot_px for track in tracks]) * scale - 0.5,
            np.stack([track.foot_cov_px2 for track in tracks]) * scale**2,
            velocity_px_s=np.stack([track.velocity_px_s for track in tracks]) * scale,
            velocity_cov=np.stack([track.velocity_cov for track in tracks]) * scale**2,
            visible=np.array([track.foot_visible for track in tracks], np.bool_),
        )

    def _scale(self, frame_size_px: tuple[int, int] | None) -> float | None:
        """Pixels of the lens per pixel of the frame; None when their shapes differ."""
        lens = self.lens
        if frame_size_px is None or frame_size_px == (lens.width_px, lens.height_px):
            return 1.0
        across, down = lens.width_px / frame_size_px[0], lens.height_px / frame_size_px[1]
        return across if abs(across / down - 1.0) < _SAME_SHAPE else None

    def locate(
        self,
        pose: Pose,
        foot_px: Array,
        foot_cov_px2: Array,
        *,
        velocity_px_s: Array | None = None,
        velocity_cov: Array | None = None,
        visible: npt.NDArray[np.bool_] | None = None,
    ) -> list[Located]:
        """Places of n feet.

        Args:
            pose: of the camera when it saw them.
            foot_px: (n, 2).
            foot_cov_px2: (n, 2, 2).
            velocity_px_s: (n, 2) of the feet against the ground in the picture, if known; the
                tracks of a moving camera go with the ground, so its own motion is not in them.
            velocity_cov: (n, 2, 2) of that.
            visible: (n,) false where the foot lies below the picture; true when not given.
        """
        count = len(foot_px)
        fix = self.fix(pose, foot_px, foot_cov_px2, velocity_px_s=velocity_px_s)
        geodetic = self._frame_at(pose).to_geodetic(fix.points_m)
        velocity, shared = fix.velocity_m_s, fix.cov_shared_m2
        total = shared + fix.cov_own_m2
        distance = np.hypot(fix.points_m[:, 0], fix.points_m[:, 1])
        with np.errstate(invalid="ignore"):
            largest = np.sqrt(np.maximum(_largest_eigenvalue(total), 0.0))
            useful = (
                np.isfinite(largest)
                & (distance <= self._settings.max_range_m)
                & (largest <= self._settings.max_relative_sigma * distance)
            )
        if visible is not None:
            useful &= visible
        azimuth_sigma_deg = near_m = far_m = distance  # Only rays without a place need more.
        if not useful.all():
            azimuth_sigma_deg, elevation_sigma_deg = self._ray_sigma_deg(pose, fix, foot_cov_px2)
            near_m, far_m = self._span(pose, fix, elevation_sigma_deg)
        ce90 = ce90_m(total)
        said = []
        for row in range(count):
            if not useful[row]:
                said.append(
                    bearing(
                        fix.directions[row],
                        int(fix.outcome[row]),
                        sigma_deg=float(azimuth_sigma_deg[row]),
                        range_m=(float(near_m[row]), float(far_m[row])),
                        seen=visible is None or bool(visible[row]),
                    )
                )
                continue
            speed = None
            if velocity_px_s is not None and velocity_cov is not None:
                speed = over_ground(velocity[row], fix.by_pixel[row], velocity_cov[row])
            said.append(
                Located(
                    position=place(
                        geodetic[row],
                        total[row],
                        shared[row],
                        float(ce90[row]),
                        plane=bool(fix.plane[row]),
                    ),
                    velocity=speed,
                )
            )
        return said

    def fix(
        self,
        pose: Pose,
        foot_px: Array,
        foot_cov_px2: Array,
        *,
        velocity_px_s: Array | None = None,
    ) -> GroundFix:
        """Rays, ground points and their first-order covariances of (n, 2) feet."""
        rays, by_pixel_camera = self.lens.zoomed(pose.hfov_deg).rays_and_jacobians(foot_px)
        rotation = pose.rotation_enu_from_camera
        direction = rays @ rotation.T
        known = np.isfinite(direction).all(axis=1)
        safe = np.where(known[:, None], direction, [0.0, 0.0, 1.0])
        hit = self.terrain.trace(self._frame_at(pose), np.zeros(3), safe)
        point, range_m, normal = hit.points_m, hit.range_m, hit.normals

        # On ground with the normal n, of which every point may lie higher by d height:
        # d point = (I - direction n^T / fall) (d origin + range d direction)
        #           + direction n_up / fall * d height, where fall = n . direction
        fall = np.einsum("ni,ni->n", normal, safe)
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = safe[:, :2] / np.where(fall < 0.0, fall, np.nan)[:, None]
        slide = np.eye(3)[:2] - gain[:, :, None] * normal[:, None, :]
        moved = range_m[:, None, None] * slide
        ray_by_pixel = rotation @ by_pixel_camera
        ray_by_turn = _against(safe)
        by_pixel = moved @ ray_by_pixel
        by_turn = moved @ ray_by_turn
        velocity = np.zeros((len(safe), 2))
        if velocity_px_s is not None:
            velocity = np.einsum("nij,nj->ni", by_pixel, velocity_px_s)
        # A stamp that is late by dt takes the place from where the camera looked dt later, and
        # tells it of an instant at which whoever walks has gone on: one error makes both.
        late_m = -velocity * pose.time_sigma_s
        if pose.moving:
            swept = slide @ pose.velocity_enu_m_s + by_turn @ pose.rate_enu_rad_s
            late_m = late_m + swept * pose.time_sigma_s
        sigma_m = np.where(hit.plane, self._plane_sigma_m, self._terrain_sigma_m)
        height_m = gain * (normal[:, 2] * sigma_m)[:, None]
        shared = (
            by_turn @ pose.cov_turn_rad2 @ by_turn.transpose(0, 2, 1)
            + slide @ pose.cov_position_enu_m2 @ slide.transpose(0, 2, 1)
            + by_pixel @ by_pixel.transpose(0, 2, 1) * self._lens_sigma_px**2
            + height_m[:, :, None] * height_m[:, None, :]
            + late_m[:, :, None] * late_m[:, None, :]
        )
        return GroundFix(
            points_m=point,
            directions=direction,
            by_pixel=by_pixel,
            cov_own_m2=by_pixel @ foot_cov_px2 @ by_pixel.transpose(0, 2, 1),
            cov_shared_m2=shared,
            ray_by_pixel=ray_by_pixel,
            ray_by_turn=ray_by_turn,
            velocity_m_s=velocity,
            outcome=np.where(known, hit.outcome, NO_RAY),
            plane=hit.plane,
        )

    def _frame_at(self, pose: Pose) -> EnuFrame:
        """The frame at the lens; kept as long as the camera stands still."""
        if self._frame is None or self._frame.origin != pose.position:
            self._frame = EnuFrame(pose.position)
        return self._frame

    def _ray_sigma_deg(
        self, pose: Pose, fix: GroundFix, foot_cov_px2: Array
    ) -> tuple[Array, Array]:
        """(n,) one sigma of each ray's azimuth and elevation; doubt about heights included."""
        ray = fix.directions
        range_m = np.linalg.norm(fix.points_m, axis=1)
        flat = np.maximum(np.hypot(ray[:, 0], ray[:, 1]), 1e-9)
        zero = np.zeros_like(flat)
        across = np.stack((ray[:, 1] / flat, -ray[:, 0] / flat, zero), axis=1)
        up = np.stack((zero, zero, np.ones_like(flat)), axis=1)
        pixel_cov = foot_cov_px2 + np.eye(2) * self._lens_sigma_px**2
        turn_cov = pose.cov_turn_rad2
        if pose.moving:
            late = pose.rate_enu_rad_s * pose.time_sigma_s
            turn_cov = turn_cov + late[:, None] * late[None, :]
        away = np.where(np.isfinite(range_m), range_m, self._settings.max_range_m) * flat
        away = np.minimum(np.maximum(away, 1.0), self._settings.max_range_m)
        found = []
        for axis, more_m2 in ((across, 0.0), (up, self._terrain_sigma_m**2)):
            pixel = np.einsum("ni,nij->nj", axis, fix.ray_by_pixel) / flat[:, None]
            turn = np.einsum("ni,nij->nj", axis, fix.ray_by_turn) / flat[:, None]
            variance = np.einsum("ni,nij,nj->n", pixel, pixel_cov, pixel)
            variance += np.einsum("ni,ij,nj->n", turn, turn_cov, turn)
            moved_m2 = np.einsum("ni,ij,nj->n", axis, pose.cov_position_enu_m2, axis) + more_m2
            found.append(np.degrees(np.sqrt(variance + moved_m2 / away**2)))
        return found[0], found[1]

    def _span(self, pose: Pose, fix: GroundFix, elevation_sigma_deg: Array) -> tuple[Array, Array]:
        """(n,) nearest and farthest ground distance that the ray's elevation allows."""
        limit = self._settings.max_range_m
        ray = fix.directions
        flat = np.hypot(ray[:, 0], ray[:, 1])
        elevation = np.arctan2(ray[:, 2], flat)
        spread = np.radians(_SPAN_SIGMA * elevation_sigma_deg)
        ends = []
        for side in (-1.0, 1.0):
            tilted = np.clip(elevation + side * spread, -np.pi / 2, np.pi / 2)
            turned = np.column_stack(
                (
                    ray[:, 0] / np.maximum(flat, 1e-9) * np.cos(tilted),
                    ray[:, 1] / np.maximum(flat, 1e-9) * np.cos(tilted),
                    np.sin(tilted),
                )
            )
            known = np.isfinite(turned).all(axis=1)
            turned[~known] = (0.0, 0.0, 1.0)
            point = self.terrain.intersect(self._frame_at(pose), np.zeros(3), turned)
            ends.append(np.hypot(point[:, 0], point[:, 1]))
        # A ray that is above the horizon even at its lowest meets no ground: it says nothing of
        # the distance (somebody on a roof, a bird). Nor does one whose way nobody knows.
        known_way = np.isfinite(ends[0]) & ((fix.outcome == HIT) | (fix.outcome == SKY))
        near = np.where(known_way, np.minimum(ends[0], limit), 0.0)
        far = np.where(np.isfinite(ends[1]), np.minimum(ends[1], limit), limit)
        return near, np.maximum(far, near)


def _against(rays: Array) -> Array:
    """(n, 3, 3) that turn a small rotation vector into the change of each ray."""
    x, y, z = rays.T
    zero = np.zeros_like(x)
    rows = ((zero, z, -y), (-z, zero, x), (y, -x, zero))
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def _largest_eigenvalue(cov: Array) -> Array:
    """(n,) of symmetric (n, 2, 2); nan stays nan."""
    half = (cov[:, 0, 0] + cov[:, 1, 1]) / 2
    return np.asarray(half + np.hypot((cov[:, 0, 0] - cov[:, 1, 1]) / 2, cov[:, 0, 1]), np.float64)
