"""The cable's other end without pictures: a camera that hands out numbers, a detector that knows them.

Through the node travels a picture of one pixel that holds the frame's number; camera driver, slots
and pipeline treat it as any other, and the detector answers what was seen in that frame.
"""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.detect import Detections
from hardware.ports import CameraCounters, CameraStatus, Frame
from runtime.clock import Clock
from simulations.footage import fault_at, shown
from simulations.scenario_node import CameraSettings

MAX_FRAMES = 1 << 24
_BACKOFF_FIRST_S = 1.0
_BACKOFF_MAX_S = 30.0
"""As the product's camera driver waits between attempts to open a stream."""


class Sight(Protocol):
    """Answers what is seen in each frame of one camera."""

    def __call__(self, index: int) -> Detections:
        """Return what is seen in frame ``index``."""
        ...


def ticket(index: int, size_px: tuple[int, int] = (1, 1)) -> npt.NDArray[np.uint8]:
    """Return a black picture whose first pixel holds a frame's number.

    Args:
        index: the number.
        size_px: width and height; one pixel is enough where nobody asks for the size.
    """
    if not 0 <= index < MAX_FRAMES:
        raise ValueError(f"frame {index}; one pixel holds 0 to {MAX_FRAMES - 1}")
    picture = np.zeros((size_px[1], size_px[0], 3), np.uint8)
    picture[0, 0] = index & 255, (index >> 8) & 255, index >> 16
    return picture


def number_of(image_bgr: npt.NDArray[np.uint8]) -> int:
    """Return the frame's number that a `ticket` holds."""
    low, middle, high = (int(value) for value in image_bgr[0, 0])
    return low | (middle << 8) | (high << 16)


class ReplayCamera:
    """See `hardware.ports.CameraPort`; frame k is taken k / fps seconds after the clock's start.

    Attributes:
        blind_frames: given out so far while the picture was black, covered or standing still.

    Args:
        camera: its rate and what goes wrong with it.
        clock: the node's.
        frames: how many there are.
        read_timeout_s: silence after which it counts as offline, as the node is told.
        frozen_after_s: how long one picture may come, as the node is told.
        latency_s: from the capture of a picture to its arrival, which the node is told.
        moves: its pictures are as large as the film's, since motion is told in their pixels; black
            as they are, the node takes the motion from its poses.
    """

    def __init__(
        self,
        camera: CameraSettings,
        clock: Clock,
        *,
        frames: int,
        read_timeout_s: float,
        frozen_after_s: float,
        latency_s: float = 0.0,
        moves: bool = False,
    ) -> None:
        self.sensor_id = camera.id
        self._camera = camera
        self._clock = clock
        self._frames = frames
        self._read_timeout_s = read_timeout_s
        self._frozen_after_s = frozen_after_s
        self._latency_s = latency_s
        self._size_px = (camera.width_px, camera.height_px) if moves else (1, 1)
        self._shown = -1
        self._changed_s = 0.0
        self._next = 0
        self._seq = 0
        self._last_s: float | None = None
        self._frozen = False
        self._retry_s = 0.0
        self._backoff_s = _BACKOFF_FIRST_S
        self.blind_frames = 0
        self._failures = self._reconnects = self._frozen_spells = 0
        self._last_error = ""

    def read(self) -> Frame | None:
        """The frame that is due, if one is and the camera gives it out."""
        now_s = self._clock.monotonic_s()
        index = math.floor((now_s - self._latency_s) * self._camera.fps + 1e-6)
        if index < self._next or index >= self._frames:
            return None
        self._next = index + 1
        if now_s < self._retry_s:
            return None
        from_film = shown(self._camera, index)
        if from_film is None:
            self._frozen = False
            self._failed(now_s, "no frame came in time or the stream ended")
            return None
        # As `hardware.picture_watch` does with pictures: only an exactly repeated one counts.
        if from_film != self._shown:
            self._shown, self._changed_s = from_film, now_s
        if now_s - self._changed_s >= self._frozen_after_s:
            self._frozen_spells += not self._frozen
            self._frozen = True
            self._failed(now_s, "the picture has not changed")
            return None
        if self._backoff_s > _BACKOFF_FIRST_S:
            self._reconnects += 1
        self._frozen, self._backoff_s = False, _BACKOFF_FIRST_S
        self._seq += 1
        self.blind_frames += fault_at(self._camera, index / self._camera.fps) is not None
        self._last_s = now_s
        return Frame(
            sensor_id=self.sensor_id,
            seq=self._seq,
            image_bgr=ticket(from_film, self._size_px),
            t_capture_utc=self._clock.utc() - timedelta(seconds=self._latency_s),
            t_capture_monotonic_s=now_s - self._latency_s,
        )

    @property
    def status(self) -> CameraStatus:
        """How it is, by the age of its last frame."""
        if self._last_s is None:
            return "offline" if self._failures else "starting"
        if self._frozen:
            return "frozen"
        age_s = self._clock.monotonic_s() - self._last_s
        return "online" if age_s <= self._read_timeout_s else "offline"

    @property
    def counters(self) -> CameraCounters:
        """What happened so far."""
        return CameraCounters(
            frames=self._seq,
            reconnects=self._reconnects,
            read_failures=self._failures,
            frozen_spells=self._frozen_spells,
            last_error=self._last_error,
        )

    def close(self) -> None:
        """Nothing is held."""

    def _failed(self, now_s: float, why: str) -> None:
        self._failures += 1
        self._last_error = why
        self._retry_s = now_s + self._backoff_s
        self._backoff_s = min(2.0 * self._backoff_s, _BACKOFF_MAX_S)


class ReplayDetector:
    """See `edge.detect.Detector`.

    Args:
        name: of the network that looked.
        sha256: of its file.
        sight: what it saw.
    """

    def __init__(self, *, name: str, sha256: str, sight: Callable[[int], Detections]) -> None:
        self._name = name
        self._sha256 = sha256
        self._sight = sight
        self.looked = 0

    @property
    def name(self) -> str:
        """Name in the manifest."""
        return self._name

    @property
    def sha256(self) -> str:
        """Hash of the network file."""
        return self._sha256

    def detect(self, image_bgr: npt.NDArray[np.uint8]) -> Detections:
        """What was seen in the frame whose number the picture holds."""
        self.looked += 1
        return self._sight(number_of(image_bgr))

    def close(self) -> None:
        """Nothing is held."""
