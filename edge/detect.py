"""What a detector is, and what it answers: arrays, checked once at the door."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

OBJECT_CLASSES: tuple[str, ...] = ("Human", "Boat", "Vehicle", "Animal", "Unknown")
"""Index = `Detections.class_index`; SAPIENT's words as in wire.values.ObjectClass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """All boxes of one frame, best first is not promised.

    Attributes:
        boxes_px: (n, 4) float32, x1 y1 x2 y2 in pixels of the frame, x right, y down.
        confidence: (n,) float32 in 0..1.
        class_index: (n,) int64 into OBJECT_CLASSES.
        frame_size_px: width, height of the frame they were found in.
    """

    boxes_px: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    class_index: npt.NDArray[np.int64]
    frame_size_px: tuple[int, int]

    def __post_init__(self) -> None:
        """Shapes, order and ranges are checked here and nowhere behind."""
        count = len(self.boxes_px)
        if self.boxes_px.shape != (count, 4) or self.boxes_px.dtype != np.float32:
            raise ValueError(f"boxes_px is (n, 4) float32, got {self.boxes_px.shape}")
        if self.confidence.shape != (count,) or self.confidence.dtype != np.float32:
            raise ValueError(f"confidence is ({count},) float32, got {self.confidence.shape}")
        if self.class_index.shape != (count,) or self.class_index.dtype != np.int64:
            raise ValueError(f"class_index is ({count},) int64, got {self.class_index.shape}")
        if count == 0:
            return
        if not np.isfinite(self.boxes_px).all() or not np.isfinite(self.confidence).all():
            raise ValueError("boxes and confidences are finite")
        if (self.boxes_px[:, 2:] < self.boxes_px[:, :2]).any():
            raise ValueError("a box is x1 y1 x2 y2 with x1 <= x2 and y1 <= y2")
        if self.confidence.min() < 0 or self.confidence.max() > 1:
            raise ValueError("confidence lies in 0..1")
        if self.class_index.min() < 0 or self.class_index.max() >= len(OBJECT_CLASSES):
            raise ValueError(f"class_index points into {OBJECT_CLASSES}")

    def __len__(self) -> int:
        return len(self.boxes_px)

    @classmethod
    def none(cls, frame_size_px: tuple[int, int]) -> "Detections":
        """An empty answer for a frame of this size."""
        return cls(
            boxes_px=np.zeros((0, 4), np.float32),
            confidence=np.zeros(0, np.float32),
            class_index=np.zeros(0, np.int64),
            frame_size_px=frame_size_px,
        )


class Detector(Protocol):
    """A network with its pre- and post-processing."""

    @property
    def name(self) -> str:
        """Name in the manifest."""
        ...

    @property
    def sha256(self) -> str:
        """Hash of the network file in force."""
        ...

    def detect(self, image_bgr: npt.NDArray[np.uint8]) -> Detections:
        """Everything seen in one picture of shape (height, width, 3)."""
        ...

    def close(self) -> None:
        """Let go of the accelerator."""
        ...
