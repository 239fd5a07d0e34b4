"""From boxes to places on the ground, with everything that makes them uncertain.

The point where a box touches the ground becomes a ground point with a covariance; what all
observations of one camera share (pose, lens, ground, clock) is kept apart from what each has for
itself. Where the ray grazes the ground the answer is a bearing with an honest range; where the pose
or the ground is not known, it is the reason in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.contact import contact_points
from edge.ground_fix import Doubts, GroundFix, View, against
from edge.located import Located, bearing, over_ground, place
from edge.pose import NoPose, Pose, PoseSource
from edge.track import Track
from geo.frames import EnuFrame
from geo.lens import Lens
from geo.normal import ce90_m
from geo.terrain import HIT, SKY, Terrain

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_SPAN_SIGMA = 2.5
"""Half the stated range of a bearing, in sigmas of the ray's elevation."""
_SAME_SHAPE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateSettings:
    """Where a place ends and a bearing begins.

    Attributes:
        max_range_m: nothing is placed, and no bearing reaches, beyond this.
        grazing_deg: a ray at least so steep under the horizon that meets the ground gives a place.
        max_relative_sigma: of a flatter one, a place whose largest sigma is more than this part of
            its distance is told as a bearing.
        max_steep_sigma: the same of steep ones, for poses that hardly know where they look.
    """

    max_range_m: float = 2000.0
    grazing_deg: float = 5.0
    max_relative_sigma: float = 0.2
    max_steep_sigma: float = 1.0


class GroundLocator:
    """Places what one camera sees.

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
        self._doubts = Doubts(
            terrain_sigma_m=terrain_sigma_m,
            plane_sigma_m=terrain_sigma_m if plane_sigma_m is None else plane_sigma_m,
            lens_sigma_px=lens_sigma_px,
        )
        self._settings = settings or LocateSettings()
        self._frame: EnuFrame | None = None

    def locate_tracks(self, tracks: Sequence[Track], t_s: float) -> list[Located]:
        """Places where the tracks touch the ground, in a frame captured at ``t_s`` of the clock.

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
        contact, doubt = contact_points(
            self.lens.zoomed(pose.hfov_deg),
            pose.rotation_enu_from_camera,
            # A box counts from the edge of the first pixel, a lens from its centre.
            np.array([track.box_px for track in tracks]) * scale - 0.5,
            [track.object_class for track in tracks],
        )
        return self.locate(
            pose,
            contact,
            np.stack([track.foot_cov_px2 for track in tracks]) * scale**2 + doubt,
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
        visible: Flags | None = None,
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
        seen = np.ones(len(foot_px), np.bool_) if visible is None else visible
        view = self._view(pose)
        fix = view.fix(foot_px, foot_cov_px2, velocity_px_s=velocity_px_s)
        total = fix.cov_shared_m2 + fix.cov_own_m2
        useful = self._useful(fix, total) & seen
        geodetic = view.frame.to_geodetic(fix.points_m)
        ce90 = ce90_m(total)
        said = self._bearings(view, fix, foot_cov_px2, seen, ~useful)
        for row in np.flatnonzero(useful):
            speed = None
            if velocity_px_s is not None and velocity_cov is not None:
                speed = over_ground(fix.velocity_m_s[row], fix.by_pixel[row], velocity_cov[row])
            said[row] = Located(
                position=place(
                    geodetic[row],
                    total[row],
                    fix.cov_shared_m2[row],
                    float(ce90[row]),
                    plane=bool(fix.plane[row]),
                ),
                velocity=speed,
            )
        return said

    def fix(self, pose: Pose, foot_px: Array, foot_cov_px2: Array) -> GroundFix:
        """Ground points of (n, 2) pixels with (n, 2, 2) covariances, as arrays."""
        return self._view(pose).fix(foot_px, foot_cov_px2)

    def _view(self, pose: Pose) -> View:
        """The camera at one pose; its frame is kept as long as it stands still."""
        if self._frame is None or self._frame.origin != pose.position:
            self._frame = EnuFrame(pose.position)
        return View(
            lens=self.lens,
            pose=pose,
            frame=self._frame,
            terrain=self.terrain,
            doubts=self._doubts,
        )

    def _useful(self, fix: GroundFix, total: Array) -> Flags:
        """(n,) whether a place says more than a bearing would."""
        rules = self._settings
        away = np.hypot(fix.points_m[:, 0], fix.points_m[:, 1])
        with np.errstate(invalid="ignore"):
            largest = np.sqrt(np.maximum(_largest_eigenvalue(total), 0.0))
            steep = fix.directions[:, 2] <= -np.sin(np.radians(rules.grazing_deg))
            part = np.where(steep, rules.max_steep_sigma, rules.max_relative_sigma)
            good = np.isfinite(largest) & (away <= rules.max_range_m)
            return np.asarray(good & (largest <= part * fix.range_m), np.bool_)

    def _bearings(
        self, view: View, fix: GroundFix, foot_cov_px2: Array, seen: Flags, wanted: Flags
    ) -> list[Located]:
        """What is said of the wanted rows; the others get an empty word to be replaced."""
        said = [Located()] * len(wanted)
        if not wanted.any():
            return said
        azimuth_sigma_deg, elevation_sigma_deg = self._ray_sigma_deg(view, fix, foot_cov_px2)
        near_m, far_m = self._span(view, fix, elevation_sigma_deg)
        for row in np.flatnonzero(wanted):
            said[row] = bearing(
                fix.directions[row],
                int(fix.outcome[row]),
                sigma_deg=float(azimuth_sigma_deg[row]),
                range_m=(float(near_m[row]), float(far_m[row])),
                seen=bool(seen[row]),
            )
        return said

    def _ray_sigma_deg(
        self, view: View, fix: GroundFix, foot_cov_px2: Array
    ) -> tuple[Array, Array]:
        """(n,) one sigma of each ray's azimuth and elevation; doubt about heights included."""
        pose, doubts, ray = view.pose, view.doubts, fix.directions
        flat = np.maximum(np.hypot(ray[:, 0], ray[:, 1]), 1e-9)
        zero = np.zeros_like(flat)
        across = np.stack((ray[:, 1] / flat, -ray[:, 0] / flat, zero), axis=1)
        up = np.stack((zero, zero, np.ones_like(flat)), axis=1)
        pixel_cov = foot_cov_px2 + np.eye(2) * doubts.lens_sigma_px**2
        late = pose.rate_enu_rad_s * pose.time_sigma_s
        turn_cov = pose.cov_turn_rad2 + late[:, None] * late[None, :]
        limit = self._settings.max_range_m
        away = np.where(np.isfinite(fix.range_m), fix.range_m, limit) * flat
        away = np.minimum(np.maximum(away, 1.0), limit)
        height_sigma_m = np.where(fix.plane, doubts.plane_sigma_m, doubts.terrain_sigma_m)
        ray_by_turn = against(ray)
        found = []
        for axis, more_m2 in ((across, zero), (up, height_sigma_m**2)):
            pixel = np.einsum("ni,nij->nj", axis, fix.ray_by_pixel) / flat[:, None]
            turn = np.einsum("ni,nij->nj", axis, ray_by_turn) / flat[:, None]
            variance = np.einsum("ni,nij,nj->n", pixel, pixel_cov, pixel)
            variance += np.einsum("ni,ij,nj->n", turn, turn_cov, turn)
            moved_m2 = np.einsum("ni,ij,nj->n", axis, pose.cov_position_enu_m2, axis) + more_m2
            found.append(np.degrees(np.sqrt(variance + moved_m2 / away**2)))
        return found[0], found[1]

    def _span(self, view: View, fix: GroundFix, elevation_sigma_deg: Array) -> tuple[Array, Array]:
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
            point = view.terrain.intersect(view.frame, np.zeros(3), turned)
            ends.append(np.hypot(point[:, 0], point[:, 1]))
        # A ray that is above the horizon even at its lowest meets no ground: it says nothing of
        # the distance (somebody on a roof, a bird). Nor does one whose way nobody knows.
        known_way = np.isfinite(ends[0]) & ((fix.outcome == HIT) | (fix.outcome == SKY))
        near = np.where(known_way, np.minimum(ends[0], limit), 0.0)
        far = np.where(np.isfinite(ends[1]), np.minimum(ends[1], limit), limit)
        return near, np.maximum(far, near)


def _largest_eigenvalue(cov: Array) -> Array:
    """(n,) of symmetric (n, 2, 2); nan stays nan."""
    half = (cov[:, 0, 0] + cov[:, 1, 1]) / 2
    return np.asarray(half + np.hypot((cov[:, 0, 0] - cov[:, 1, 1]) / 2, cov[:, 0, 1]), np.float64)
