"""A frame fitted into a network's input, aspect kept, and the way back for its boxes."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

_GREY = 114
"""What the networks saw around their pictures in training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """How a frame of one size lies in an input of another.

    Attributes:
        frame_size_px: width, height of the frame.
        input_size_px: width, height of the network's input.
        scaled_size_px: width, height of the frame inside the input.
        left_px: grey columns left of it.
        top_px: grey rows above it.
    """

    frame_size_px: tuple[int, int]
    input_size_px: tuple[int, int]
    scaled_size_px: tuple[int, int]
    left_px: int
    top_px: int

    @classmethod
    def fixed(cls, frame_size_px: tuple[int, int], input_size_px: tuple[int, int]) -> "Letterbox":
        """Fit into an input whose size is given, in the middle of it."""
        width, height = frame_size_px
        scale = min(input_size_px[0] / width, input_size_px[1] / height)
        scaled = (max(1, round(width * scale)), max(1, round(height * scale)))
        return cls(
            frame_size_px=frame_size_px,
            input_size_px=input_size_px,
            scaled_size_px=scaled,
            left_px=(input_size_px[0] - scaled[0]) // 2,
            top_px=(input_size_px[1] - scaled[1]) // 2,
        )

    @classmethod
    def free(
        cls, frame_size_px: tuple[int, int], longer_side_px: int, stride_px: int
    ) -> "Letterbox":
        """Fit into the smallest input that is a multiple of the stride on both sides."""
        scale = longer_side_px / max(frame_size_px)
        width, height = (
            -(-max(1, round(side * scale)) // stride_px) * stride_px for side in frame_size_px
        )
        return cls.fixed(frame_size_px, (width, height))

    def fill(self, image_bgr: npt.NDArray[np.uint8], canvas_bgr: npt.NDArray[np.uint8]) -> None:
        """Draw the frame into a (height, width, 3) canvas made by `canvas`; its rim stays."""
        right, bottom = self.left_px + self.scaled_size_px[0], self.top_px + self.scaled_size_px[1]
        inside = canvas_bgr[self.top_px : bottom, self.left_px : right]
        if self.scaled_size_px == self.frame_size_px:
            inside[:] = image_bgr
        else:
            inside[:] = cv2.resize(image_bgr, self.scaled_size_px, interpolation=cv2.INTER_LINEAR)

    def canvas(self) -> npt.NDArray[np.uint8]:
        """A grey input picture, (height, width, 3)."""
        return np.full((self.input_size_px[1], self.input_size_px[0], 3), _GREY, np.uint8)

    def to_frame(self, boxes_px: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(n, 4) x1 y1 x2 y2 of the input as pixels of the frame, clipped to it."""
        width, height = self.frame_size_px
        gain_x, gain_y = self.scaled_size_px[0] / width, self.scaled_size_px[1] / height
        shift = np.array([self.left_px, self.top_px] * 2, np.float32)
        gain = np.array([gain_x, gain_y] * 2, np.float32)
        limit = np.array([width, height] * 2, np.float32)
        return np.asarray(np.clip((boxes_px - shift) / gain, 0, limit), np.float32)
