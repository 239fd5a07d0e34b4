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

from edge.track import Track
from geo.frames import EnuFrame, GeodeticPoint, azimuth_deg
from geo.lens import Lens, rotation_enu_from_camera
from geo.normal import ce90_m
from geo.terrain import Terrain
from wire.values import Bearing, Position, VelocityEnu

Array = npt.NDArray[np.float64]

_SPAN_SIGMA = 2.5
"""Half the stated range of a bearing, in sigmas of the ray's elevation."""
_LEAST_SIGMA_DEG = 0.01
_SAME_SHAPE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCamera:
    """A calibrated camera that does not move; one sigma of each part of its pose.

    Attributes:
        lens: of the frames it delivers.
        position: of the lens.
        azimuth_deg: of the optical axis, true, clockwise.
        pitch_deg: positive above the horizon.
        roll_deg: clockwise seen from behind.
        horizontal_sigma_m: per axis.
        lens_sigma_px: what the calibration leaves unexplained, per axis.
        latency_sigma_s: doubt about the moment of capture.
    """

    lens: Lens
    position: GeodeticPoint
    azimuth_deg: float
    pitch_deg: float
    roll_deg: float = 0.0
    horizontal_sigma_m: float
    vertical_sigma_m: float
    azimuth_sigma_deg: float
    pitch_sigma_deg: float
    roll_sigma_deg: float
    lens_sigma_px: float = 0.0
    latency_sigma_s: float = 0.0


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
        ray_by_turn: (n, 3, 3) derivative of the ray by azimuth, pitch and roll, in radians.
    """

    points_m: Array
    directions: Array
    by_pixel: Array
    cov_own_m2: Array
    cov_shared_m2: Array
    ray_by_pixel: Array
    ray_by_turn: Array


class GroundLocator:
    """Places feet seen by one fixed camera.

    Args:
        camera: pose, lens and their accuracy.
        terrain: the ground.
        terrain_sigma_m: one sigma of its height; shared by all feet.
        settings: limits.
    """

    def __init__(
        self,
        camera: FixedCamera,
        terrain: Terrain,
        *,
        terrain_sigma_m: float,
        settings: LocateSettings | None = None,
    ) -> None:
        self._camera = camera
        self._terrain = terrain
        self._terrain_sigma_m = terrain_sigma_m
        self._settings = settings or LocateSettings()
        self._frame = EnuFrame(camera.position)
        self._rotation = rotation_enu_from_camera(
            camera.azimuth_deg, camera.pitch_deg, camera.roll_deg
        )
        level = np.radians(camera.azimuth_deg)
        # Axes about which azimuth, pitch and roll turn a ray, right-handed.
        self._turns = np.array(
            [[0.0, 0.0, -1.0], [np.cos(level), -np.sin(level), 0.0], self._rotation[:, 2]]
        )
        self._turn_sigma = np.radians(
            [camera.azimuth_sigma_deg, camera.pitch_sigma_deg, camera.roll_sigma_deg]
        )

    def locate_tracks(self, tracks: Sequence[Track]) -> list[Located]:
        """Places of the tracks' feet at the tracks' instant.

        Frames of another size than the lens but of the same shape are scaled (a camera's second
        stream); frames of another shape were cut from the picture nobody knows where.
        """
        if not tracks:
            return []
        scale = self._scale(tracks[0].frame_size_px)
        if scale is None:
            size, lens = tracks[0].frame_size_px, self._camera.lens
            reason = f"the picture is {size} px, the lens is of {lens.width_px} x {lens.height_px}"
            return [Located(reason=reason) for _ in tracks]
        return self.locate(
            # A box counts from the edge of the first pixel, a lens from its centre.
            np.stack([track.foot_px for track in tracks]) * scale - 0.5,
            np.stack([track.foot_cov_px2 for track in tracks]) * scale**2,
            velocity_px_s=np.stack([track.velocity_px_s for track in tracks]) * scale,
            velocity_cov=np.stack([track.velocity_cov for track in tracks]) * scale**2,
            visible=np.array([track.foot_visible for track in tracks], np.bool_),
        )

    def _scale(self, frame_size_px: tuple[int, int] | None) -> float | None:
        """Pixels of the lens per pixel of the frame; None when their shapes differ."""
        lens = self._camera.lens
        if frame_size_px is None or frame_size_px == (lens.width_px, lens.height_px):
            return 1.0
        across, down = lens.width_px / frame_size_px[0], lens.height_px / frame_size_px[1]
        return across if abs(across / down - 1.0) < _SAME_SHAPE else None

    def locate(
        self,
        foot_px: Array,
        foot_cov_px2: Array,
        *,
        velocity_px_s: Array | None = None,
        velocity_cov: Array | None = None,
        visible: npt.NDArray[np.bool_] | None = None,
    ) -> list[Located]:
        """Places of n feet.

        Args:
            foot_px: (n, 2).
            foot_cov_px2: (n, 2, 2).
            velocity_px_s: (n, 2) of the feet in the picture, if known.
            velocity_cov: (n, 2, 2) of that.
            visible: (n,) false where the foot lies below the picture; true when not given.
        """
        count = len(foot_px)
        fix = self.fix(foot_px, foot_cov_px2)
        geodetic = self._frame.to_geodetic(fix.points_m)
        velocity = np.zeros((count, 2))
        if velocity_px_s is not None:
            velocity = np.einsum("nij,nj->ni", fix.by_pixel, velocity_px_s)
        late_m = velocity * self._camera.latency_sigma_s
        shared = fix.cov_shared_m2 + late_m[:, :, None] * late_m[:, None, :]
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
            azimuth_sigma_deg, elevation_sigma_deg = self._ray_sigma_deg(fix, foot_cov_px2)
            near_m, far_m = self._span(fix, elevation_sigma_deg)
        ce90 = ce90_m(total)
        said = []
        for row in range(count):
            if not useful[row]:
                said.append(
                    _bearing(
                        fix.directions[row],
                        sigma_deg=float(azimuth_sigma_deg[row]),
                        range_m=(float(near_m[row]), float(far_m[row])),
                        seen=visible is None or bool(visible[row]),
                    )
                )
                continue
            speed = None
            if velocity_px_s is not None and velocity_cov is not None:
                speed = _velocity(velocity[row], fix.by_pixel[row], velocity_cov[row])
            said.append(
                Located(
                    position=_position(geodetic[row], total[row], shared[row], float(ce90[row])),
                    velocity=speed,
                )
            )
        return said

    def fix(self, foot_px: Array, foot_cov_px2: Array) -> GroundFix:
        """Rays, ground points and their first-order covariances of (n, 2) feet."""
        camera = self._camera
        rays, by_pixel_camera = camera.lens.rays_and_jacobians(foot_px)
        direction = rays @ self._rotation.T
        known = np.isfinite(direction).all(axis=1)
        safe = np.where(known[:, None], direction, [0.0, 0.0, 1.0])
        point = self._terrain.intersect(self._frame, np.zeros(3), safe)
        point[~known] = np.nan
        range_m = np.linalg.norm(point, axis=1)

        # d point = (I - direction up^T / fall) (d origin + range d direction)
        #           + direction / fall * d height
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = safe / np.where(safe[:, 2] < 0.0, safe[:, 2], np.nan)[:, None]
        slide = np.broadcast_to(np.eye(3), (len(safe), 3, 3)).copy()
        slide[:, :, 2] -= gain
        ray_by_pixel = self._rotation @ by_pixel_camera
        ray_by_turn = np.cross(self._turns[None], safe[:, None, :]).transpose(0, 2, 1)
        moved = range_m[:, None, None] * slide
        by_pixel = (moved @ ray_by_pixel)[:, :2]
        by_turn = (moved @ ray_by_turn)[:, :2] * self._turn_sigma
        shift = np.array(
            [camera.horizontal_sigma_m, camera.horizontal_sigma_m, camera.vertical_sigma_m]
        )
        by_shift = slide[:, :2] * shift
        by_height = gain[:, :2, None] * self._terrain_sigma_m
        by_lens = by_pixel * camera.lens_sigma_px
        # Independent sources: the sum of outer products is one product of all columns.
        root = np.concatenate((by_turn, by_shift, by_height, by_lens), axis=2)
        own = by_pixel @ foot_cov_px2 @ by_pixel.transpose(0, 2, 1)
        return GroundFix(
            points_m=point,
            directions=direction,
            by_pixel=by_pixel,
            cov_own_m2=own,
            cov_shared_m2=root @ root.transpose(0, 2, 1),
            ray_by_pixel=ray_by_pixel,
            ray_by_turn=ray_by_turn,
        )

    def _ray_sigma_deg(self, fix: GroundFix, foot_cov_px2: Array) -> tuple[Array, Array]:
        """(n,) one sigma of each ray's azimuth and elevation; doubt about heights included."""
        camera, ray = self._camera, fix.directions
        range_m = np.linalg.norm(fix.points_m, axis=1)
        flat = np.maximum(np.hypot(ray[:, 0], ray[:, 1]), 1e-9)
        zero = np.zeros_like(flat)
        across = np.stack((ray[:, 1] / flat, -ray[:, 0] / flat, zero), axis=1) / flat[:, None]
        up = np.stack((zero, zero, 1.0 / flat), axis=1)
        pixel_cov = foot_cov_px2 + np.eye(2) * camera.lens_sigma_px**2
        away = np.where(np.isfinite(range_m), range_m, self._settings.max_range_m) * flat
        away = np.minimum(np.maximum(away, 1.0), self._settings.max_range_m)
        found = []
        for axis, metres in (
            (across, camera.horizontal_sigma_m),
            (up, np.hypot(camera.vertical_sigma_m, self._terrain_sigma_m)),
        ):
            pixel = np.einsum("ni,nij->nj", axis, fix.ray_by_pixel)
            turn = np.einsum("ni,nij->nj", axis, fix.ray_by_turn) * self._turn_sigma
            variance = np.einsum("ni,nij,nj->n", pixel, pixel_cov, pixel) + (turn**2).sum(axis=1)
            found.append(np.degrees(np.sqrt(variance + (metres / away) ** 2)))
        return found[0], found[1]

    def _span(self, fix: GroundFix, elevation_sigma_deg: Array) -> tuple[Array, Array]:
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
            point = self._terrain.intersect(self._frame, np.zeros(3), turned)
            ends.append(np.hypot(point[:, 0], point[:, 1]))
        # A ray that is above the horizon even at its lowest meets no ground: it says nothing of
        # the distance (somebody on a roof, a bird).
        near = np.where(np.isfinite(ends[0]), np.minimum(ends[0], limit), 0.0)
        far = np.where(np.isfinite(ends[1]), np.minimum(ends[1], limit), limit)
        return near, np.maximum(far, near)


def _bearing(ray: Array, *, sigma_deg: float, range_m: tuple[float, float], seen: bool) -> Located:
    if not np.isfinite(ray).all():
        return Located(reason="no ray reaches this pixel through this lens")
    reason = "the ray grazes the ground" if ray[2] < 0 else "the ray is above the horizon"
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


def _position(geodetic: Array, total: Array, shared: Array, ce90: float) -> Position:
    return Position(
        lon_deg=float(geodetic[0]),
        lat_deg=float(geodetic[1]),
        alt_hae_m=float(geodetic[2]),
        cov_enu_m2=_rows(total),
        cov_bias_enu_m2=_rows(shared),
        ce90_m=ce90,
        method="plane",
    )


def _velocity(velocity: Array, by_pixel: Array, cov: Array) -> VelocityEnu:
    spread = by_pixel @ cov @ by_pixel.T
    return VelocityEnu(
        east_m_s=float(velocity[0]),
        north_m_s=float(velocity[1]),
        sigma_m_s=float(np.sqrt(max(0.0, float(np.trace(spread)) / 2))),
    )


def _rows(cov: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    cross = float(cov[0, 1] + cov[1, 0]) / 2
    return (float(cov[0, 0]), cross), (cross, float(cov[1, 1]))


def _largest_eigenvalue(cov: Array) -> Array:
    """(n,) of symmetric (n, 2, 2); nan stays nan."""
    half = (cov[:, 0, 0] + cov[:, 1, 1]) / 2
    return np.asarray(half + np.hypot((cov[:, 0, 0] - cov[:, 1, 1]) / 2, cov[:, 0, 1]), np.float64)
