"""A frame inside a network's input, and the way back."""

import numpy as np
import pytest

from edge.letterbox import Letterbox


@pytest.mark.parametrize(
    ("frame", "expected_input"),
    [
        ((768, 576), (640, 480)),  # both sides already multiples of 32
        ((1920, 1080), (640, 384)),  # 360 rows go up to 384
        ((1080, 1920), (384, 640)),  # upright
        ((640, 640), (640, 640)),  # square
        ((320, 240), (640, 480)),  # small frames are enlarged
        ((2000, 10), (640, 32)),  # a sliver keeps one stride
    ],
)
def test_a_free_input_is_the_smallest_multiple_of_the_stride(frame, expected_input):
    """The longer side has the nominal size, the other no more rows than needed."""
    assert expected_input == Letterbox.free(frame, 640, 32).input_size_px


@pytest.mark.parametrize("frame", [(768, 576), (1920, 1080), (333, 517), (64, 2000)])
def test_boxes_come_back_to_where_they_were(frame):
    """Frame to input to frame is the identity, within half a pixel of the frame."""
    rng = np.random.default_rng(0)
    for box in (Letterbox.free(frame, 640, 32), Letterbox.fixed(frame, (640, 640))):
        corner = rng.uniform((0, 0), frame, (20, 2))
        true = np.concatenate((corner, np.minimum(corner + 30, frame)), axis=1)
        gain = np.array(box.scaled_size_px) / frame
        shifted = true * np.tile(gain, 2) + [box.left_px, box.top_px] * 2
        assert true == pytest.approx(box.to_frame(shifted.astype(np.float32)), abs=0.5)


def test_boxes_are_clipped_to_the_frame():
    """A box in the grey rim ends at the frame's edge."""
    box = Letterbox.fixed((200, 100), (640, 640))
    assert [[0.0, 0.0, 200.0, 100.0]] == box.to_frame(
        np.array([[-5, 0, 900, 640]], np.float32)
    ).tolist()


def test_the_rim_is_grey_and_the_frame_keeps_its_aspect():
    """A white frame twice as wide as high lies in the middle of a square."""
    box = Letterbox.fixed((200, 100), (64, 64))
    canvas = box.canvas()
    box.fill(np.full((100, 200, 3), 255, np.uint8), canvas)
    assert [114] * 16 + [255] * 32 + [114] * 16 == canvas[:, 0, 0].tolist()
