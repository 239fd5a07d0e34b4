"""The best picture of each track, small enough for a thin link."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.track import Track
from hardware.ports import Frame
from wire.messages import Crop

Image = npt.NDArray[np.uint8]
MAX_JPEG_BYTES = 10_000
MARGIN = 0.15
"""Added round the box on each side, in parts of its size: a guard wants to see the ground too."""
LONGEST_SIDE_PX = 320
BETTER_BY = 1.3
"""A later picture is only worth sending when it is better by this factor."""
_QUALITIES = (85, 70, 55, 40)
_SHRINK = 0.75


@dataclass(slots=True)
class _Best:
    score: float
    sent_s: float


class Evidence:
    """Chooses and encodes crops.

    Memory: one entry per living track, dropped by `forget`.

    Args:
        crop_every_s: least time between two pictures of a track.
    """

    def __init__(self, *, crop_every_s: float) -> None:
        self._crop_every_s = crop_every_s
        self._best: dict[str, _Best] = {}

    def __len__(self) -> int:
        return len(self._best)

    def crops(
        self, frame: Frame, tracks: Sequence[Track], allowed: Callable[[str], bool]
    ) -> list[Crop]:
        """Pictures worth sending from this frame.

        Args:
            frame: The picture.
            tracks: Of this frame; those not seen in it are passed over.
            allowed: Whether a picture of a track may be kept at all.
        """
        found = []
        for track in tracks:
            if not track.seen or not allowed(track.track_id):
                continue
            score = _score(track, frame.image_bgr.shape[1], frame.image_bgr.shape[0])
            best = self._best.get(track.track_id)
            if best is not None and (
                score < BETTER_BY * best.score or track.t_s - best.sent_s < self._crop_every_s
            ):
                continue
            crop = _encode(frame, track)
            if crop is not None:
                self._best[track.track_id] = _Best(score, track.t_s)
                found.append(crop)
        return found

    def forget(self, tracks: Sequence[Track]) -> None:
        """These tracks are over."""
        for track in tracks:
            self._best.pop(track.track_id, None)


def _score(track: Track, width_px: int, height_px: int) -> float:
    """How much a picture shows: confident, large, and not cut off by the frame's edge."""
    x1, y1, x2, y2 = track.box_px
    area = max(0.0, x2 - x1) * max(0.0, y2 - y1)
    cut = x1 <= 1 or y1 <= 1 or x2 >= width_px - 1 or y2 >= height_px - 1
    return float(track.confidence * area * (0.5 if cut else 1.0))


def _encode(frame: Frame, track: Track) -> Crop | None:
    image = _cut(frame.image_bgr, track.box_px)
    if image is None:
        return None
    jpeg, (height, width) = jpeg_within(image, MAX_JPEG_BYTES)
    return Crop(
        track_id=track.track_id,
        sensor_id=frame.sensor_id,
        t_frame_utc=frame.t_capture_utc,
        width_px=width,
        height_px=height,
        jpeg_base64=base64.b64encode(jpeg).decode("ascii"),
        sha256=hashlib.sha256(jpeg).hexdigest(),
    )


def _cut(image: Image, box_px: tuple[float, float, float, float]) -> Image | None:
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box_px
    dx, dy = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    left, right = round(max(0.0, x1 - dx)), round(min(float(width), x2 + dx))
    top, bottom = round(max(0.0, y1 - dy)), round(min(float(height), y2 + dy))
    if right - left < 4 or bottom - top < 4:
        return None  # Nothing of it is inside the picture.
    return image[top:bottom, left:right]


def jpeg_within(image: Image, max_bytes: int) -> tuple[bytes, tuple[int, int]]:
    """The best JPEG of a picture that is not larger than allowed.

    Returns:
        The bytes, and height and width of what they show.
    """
    longest = max(image.shape[:2])
    scale = min(1.0, LONGEST_SIDE_PX / longest)
    while True:
        small = _resized(image, scale)
        for quality in _QUALITIES:
            done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if done and data.size <= max_bytes:
                return data.tobytes(), (small.shape[0], small.shape[1])
        scale *= _SHRINK


def _resized(image: Image, scale: float) -> Image:
    if scale >= 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
