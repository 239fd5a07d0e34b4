"""Pictures: the best one, small, and only where one may be taken."""

import base64
import hashlib

import cv2
import numpy as np
import pytest

from edge.evidence import MAX_JPEG_BYTES, Evidence, jpeg_within
from hardware.ports import Frame
from tests.unit.edge.parts import START_UTC, track


def frame(t_s=0.0, size=(480, 640)) -> Frame:
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3), dtype=np.uint8)
    return Frame(
        sensor_id="cam-1",
        seq=1,
        image_bgr=noise,
        t_capture_utc=START_UTC,
        t_capture_monotonic_s=t_s,
    )


def crops(evidence, shown, *, allowed=True):
    return evidence.crops(frame(shown.t_s), [shown], lambda _: allowed)


def test_crop_is_a_jpeg_of_the_box_with_some_ground_around():
    """What is sent is what the box shows, with its hash, at most 10 kB even of pure noise."""
    (crop,) = crops(Evidence(crop_every_s=5.0), track(box=(100.0, 50.0, 400.0, 450.0)))
    jpeg = base64.b64decode(crop.jpeg_base64)
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert (crop.height_px, crop.width_px) == image.shape[:2]
    assert len(jpeg) <= MAX_JPEG_BYTES
    assert hashlib.sha256(jpeg).hexdigest() == crop.sha256


@pytest.mark.parametrize("size", [(4, 4), (40, 20), (4000, 30), (720, 1280)])
def test_every_shape_fits_the_limit(size):
    """From a speck to a whole frame, down to small limits."""
    noise = np.random.default_rng(2).integers(0, 255, (*size, 3), dtype=np.uint8)
    jpeg, shape = jpeg_within(noise, 3_000)
    assert len(jpeg) <= 3_000
    assert shape == cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2]


def test_second_picture_must_be_better_and_not_too_soon():
    """A link is not filled with the same face."""
    evidence = Evidence(crop_every_s=5.0)
    large = (100.0, 50.0, 200.0, 300.0)
    counts = [
        len(crops(evidence, track(t_s=0.0))),
        len(crops(evidence, track(t_s=6.0))),  # No better.
        len(crops(evidence, track(t_s=6.5, box=large))),  # Better.
        len(crops(evidence, track(t_s=7.0, box=(50.0, 50.0, 400.0, 400.0)))),  # Too soon.
    ]
    assert [1, 0, 1, 0] == counts


def test_no_picture_where_none_may_be_taken_or_nothing_is_seen():
    """A home, a coasting track and a box outside the frame give none."""
    evidence = Evidence(crop_every_s=5.0)
    assert [] == crops(evidence, track(), allowed=False)
    assert [] == crops(evidence, track(seen=False))
    assert [] == crops(evidence, track(box=(700.0, 100.0, 800.0, 200.0)))
    assert 0 == len(evidence)


def test_ended_tracks_are_forgotten():
    """Memory follows the tracks."""
    evidence = Evidence(crop_every_s=5.0)
    crops(evidence, track())
    assert 1 == len(evidence)
    evidence.forget([track()])
    assert 0 == len(evidence)
