"""The motion of a camera between two frames, seen in its pictures, else taken from its poses.

The picture is the better witness: what stands still on the ground tells to a fraction of a pixel how
the view moved, while an attitude error of 0.2 degrees is four pixels of a drone's lens. Over water,
fog and cold ground it finds nothing to hold on to; then the poses speak, with their own doubt.
"""

import cv2
import numpy as np
import numpy.typing as npt

from edge.pose import NoPose, Pose, PoseSource
from edge.warp import Warp
from geo.frames import EnuFrame
from geo.lens import Lens
from geo.terrain import Terrain
from hardware.ports import Frame

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

_WORK_WIDTH_PX = 640
_CORNERS = 400
_CORNER_QUALITY = 0.005
_CORNER_APART_PX = 9
_BACK_AND_FORTH_PX = 0.7
_RANSAC_PX = 1.0
_LEAST_CORNERS = 40
_LEAST_PART = 0.5
_LEAST_SPREAD = 0.15
"""Smallest part of the picture that the corners which agree must span."""
_LEAST_SIGMA_PX = 0.3
_MARGIN = 0.15
"""How much larger than its box a moving thing is taken to be, in box sizes."""
_GRID = 5
_UNKNOWN_PART = 0.02
"""Doubt in widths of the picture where neither picture nor pose tells of the motion."""


class PictureMotion:
    """The motion of the ground in the picture, by corners followed from frame to frame."""

    def __init__(self) -> None:
        self._last: Image | None = None

    def step(self, image_bgr: Image, moving_px: npt.NDArray[np.floating]) -> Warp | None:
        """Motion since the last frame.

        Args:
            image_bgr: (height, width, 3).
            moving_px: (n, 4) x1 y1 x2 y2 boxes in the *last* frame of things that move by
                themselves; nothing inside them counts.

        Returns:
            None for the first frame, after a change of size, and when the picture does not tell.
        """
        height, width = image_bgr.shape[:2]
        scale = min(1.0, _WORK_WIDTH_PX / width)
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        if scale < 1.0:
            grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        last, self._last = self._last, np.asarray(grey, np.uint8)
        if last is None or last.shape != grey.shape:
            return None
        corners = cv2.goodFeaturesToTrack(
            last,
            maxCorners=_CORNERS,
            qualityLevel=_CORNER_QUALITY,
            minDistance=_CORNER_APART_PX,
            mask=_still(last.shape, moving_px * scale),
        )
        if corners is None or len(corners) < _LEAST_CORNERS:
            return None
        there, found, _ = cv2.calcOpticalFlowPyrLK(last, grey, corners, None)
        back, again, _ = cv2.calcOpticalFlowPyrLK(grey, last, there, None)
        before, after = corners.reshape(-1, 2), there.reshape(-1, 2)
        off = np.hypot(*(back.reshape(-1, 2) - before).T)
        kept = (found.ravel() == 1) & (again.ravel() == 1) & (off < _BACK_AND_FORTH_PX)
        # The picture's frame counts from the middle of its first pixel here, and when scaled back.
        return _agreed(before[kept] / scale, after[kept] / scale, (width, height), scale)


class CameraMotion:
    """Warps for the tracker of one moving camera.

    Args:
        lens: of the frames.
        poses: the camera's.
        terrain: the ground, for the motion by poses.
    """

    def __init__(self, lens: Lens, poses: PoseSource, terrain: Terrain) -> None:
        self._lens = lens
        self._poses = poses
        self._terrain = terrain
        self._picture = PictureMotion()
        self._last: Pose | NoPose | None = None
        self.picture: Warp | None = None
        """What the picture alone told in the last step."""
        self.by_picture = 0
        self.by_pose = 0
        self.unknown = 0

    def step(self, frame: Frame, moving_px: npt.NDArray[np.floating]) -> Warp | None:
        """Motion since the last frame; None for the first one.

        Args:
            frame: this one.
            moving_px: (n, 4) boxes of the last frame.
        """
        pose = self._poses.at(frame.t_capture_monotonic_s)
        last, self._last = self._last, pose
        warp = self.picture = self._picture.step(frame.image_bgr, moving_px)
        if last is None:
            return None
        if warp is not None:
            self.by_picture += 1
            return warp
        size = (frame.image_bgr.shape[1], frame.image_bgr.shape[0])
        if isinstance(last, Pose) and isinstance(pose, Pose):
            warp = pose_warp(self._lens, last, pose, self._terrain, size_px=size)
        if warp is not None:
            self.by_pose += 1
            return warp
        self.unknown += 1
        return Warp.none(_UNKNOWN_PART * size[0])


def pose_warp(
    lens: Lens, last: Pose, now: Pose, terrain: Terrain, *, size_px: tuple[int, int]
) -> Warp | None:
    """Warp of the ground between two poses; None where the picture shows too little ground.

    Args:
        lens: of the camera.
        last: pose of the last frame.
        now: pose of this frame.
        terrain: the ground.
        size_px: of the frames, which may be scaled against the lens.
    """
    across, down = np.linspace(0.05, 0.95, _GRID), np.linspace(0.05, 0.95, _GRID)
    part = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    pixels = part * (lens.width_px, lens.height_px) - 0.5
    frame = EnuFrame(last.position)
    rays = lens.zoomed(last.hfov_deg).rays(pixels) @ last.rotation_enu_from_camera.T
    known = np.isfinite(rays).all(axis=1)
    rays[~known] = (0.0, 0.0, 1.0)
    ground = terrain.intersect(frame, np.zeros(3), rays)
    to_now = EnuFrame(now.position)
    seen = np.isfinite(ground).all(axis=1)
    if seen.sum() < 2 * _GRID:
        return None
    moved = (ground[seen] - frame.point_to_enu(now.position)) @ to_now.rotation_from(frame).T
    there = lens.zoomed(now.hfov_deg).project(moved @ now.rotation_enu_from_camera)
    good = np.isfinite(there).all(axis=1)
    if good.sum() < 2 * _GRID:
        return None
    scale = np.array(size_px) / (lens.width_px, lens.height_px)
    matrix, _ = cv2.findHomography(
        ((pixels[seen][good] + 0.5) * scale).astype(np.float64),
        ((there[good] + 0.5) * scale).astype(np.float64),
    )
    if matrix is None or not np.isfinite(matrix).all():
        return None
    # Errors of two attitudes so close in time are mostly the same one; half of it is the gyro's.
    turn_rad = float(np.sqrt(np.trace(now.cov_turn_rad2) / 3.0))
    return Warp(
        matrix=np.asarray(matrix, np.float64),
        sigma_px=max(_LEAST_SIGMA_PX, 0.5 * turn_rad * lens.fx_px * float(scale[0])),
    )


def _still(shape: tuple[int, ...], moving_px: Array) -> Image:
    """Mask of what does not move by itself."""
    mask = np.full(shape[:2], 255, np.uint8)
    for x1, y1, x2, y2 in moving_px:
        wide, high = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
        top, left = max(0, int(y1 - high)), max(0, int(x1 - wide))
        mask[top : max(0, int(y2 + high) + 1), left : max(0, int(x2 + wide) + 1)] = 0
    return mask


def _agreed(before: Array, after: Array, size_px: tuple[int, int], scale: float) -> Warp | None:
    """The homography that most corners agree on, in pixels counted from the picture's edge."""
    if len(before) < _LEAST_CORNERS:
        return None
    middle = 0.5 / scale
    matrix, inside = cv2.findHomography(
        before + middle, after + middle, cv2.USAC_MAGSAC, _RANSAC_PX / scale
    )
    if matrix is None or not np.isfinite(matrix).all():
        return None
    agree = inside.ravel().astype(bool)
    if agree.sum() < max(_LEAST_CORNERS, _LEAST_PART * len(before)):
        return None
    # In its least and greatest tenths a crowd of corners in one place spans nothing.
    low, high = np.percentile(before[agree], [10, 90], axis=0)
    if float(np.prod((high - low) / size_px)) < _LEAST_SPREAD:
        return None
    warp = Warp(matrix=np.asarray(matrix, np.float64))
    left = warp.points(before[agree] + middle) - (after[agree] + middle)
    sigma = float(np.sqrt(np.mean(left**2)))
    return Warp(matrix=warp.matrix, sigma_px=max(_LEAST_SIGMA_PX, sigma))
