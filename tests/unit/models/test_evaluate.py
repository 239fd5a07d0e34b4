"""The measuring itself is measured: on boxes whose answer can be worked out by hand."""

import cv2
import numpy as np
import pytest

from edge.detect import Detections
from models import evaluate
from models.registry import ModelError

TRUTH = np.array([[0, 0, 10, 20], [50, 0, 60, 20]], np.float32)


class ScriptedDetector:
    """Answers every picture with the same people."""

    name = "scripted"
    sha256 = "0" * 64

    def __init__(self, boxes, confidence):
        self.boxes = np.array(boxes, np.float32).reshape(-1, 4)
        self.confidence = np.array(confidence, np.float32)

    def detect(self, image_bgr):
        return Detections(
            boxes_px=self.boxes,
            confidence=self.confidence,
            class_index=np.zeros(len(self.boxes), np.int64),
            frame_size_px=(image_bgr.shape[1], image_bgr.shape[0]),
        )

    def close(self):
        pass


def test_a_true_box_is_found_only_once():
    """Two boxes on one person are one hit and one false box."""
    boxes = np.array([[0, 0, 10, 20], [0, 1, 10, 20], [80, 0, 90, 20]], np.float32)

    np.testing.assert_array_equal([True, False, False], evaluate.matched(boxes, TRUTH))


def test_half_an_overlap_is_enough_and_less_is_not():
    """Intersection over union of .5 counts."""
    near = np.array([[0, 0, 10, 40]], np.float32)
    far = np.array([[0, 0, 10, 41]], np.float32)

    assert evaluate.matched(near, TRUTH).all()
    assert not evaluate.matched(far, TRUTH).any()


def test_average_precision_of_a_perfect_and_of_a_blind_network():
    """The ends of the scale."""
    sure = np.array([0.9, 0.8])

    assert 1.0 == pytest.approx(evaluate.average_precision(sure, np.array([True, True]), 2))
    assert 0.0 == evaluate.average_precision(sure, np.array([False, False]), 2)
    assert 0.0 == evaluate.average_precision(np.zeros(0), np.zeros(0, np.bool_), 2)


def test_average_precision_worked_out_by_hand():
    """Hit, miss, hit of two: precision 1 up to recall .5 (51 points), then 2/3 (50 points)."""
    confidence = np.array([0.9, 0.8, 0.7])
    hit = np.array([True, False, True])

    expected = (51 * 1.0 + 50 * 2 / 3) / 101

    assert expected == pytest.approx(evaluate.average_precision(confidence, hit, 2))


def test_average_precision_does_not_depend_on_the_order_of_boxes():
    """Boxes of many pictures come in no order."""
    confidence = np.array([0.7, 0.9, 0.8])
    hit = np.array([True, True, False])

    expected = evaluate.average_precision(np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1]) > 0, 2)

    assert expected == evaluate.average_precision(confidence, hit, 2)


def film_of_grey(folder, frames):
    path = folder / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (96, 64))
    for _ in range(frames):
        writer.write(np.full((64, 96, 3), 90, np.uint8))
    writer.release()
    return path


def test_a_film_is_counted_on_every_nth_frame_from_the_first(tmp_path):
    """Frames 1 and 4 of 6 hold three people; two are found, with one false box in each frame."""
    truth = tmp_path / "gt.txt"
    lines = ["1,1,0,0,10,20,1", "1,2,50,0,10,20,1", "2,1,0,0,10,20,1", "4,1,0,0,10,20,1"]
    truth.write_text("\n".join(lines))
    detector = ScriptedDetector(
        [[0, 0, 10, 20], [80, 40, 90, 60], [50, 0, 60, 20]], [0.9, 0.5, 0.1]
    )

    found = evaluate.on_film(detector, film_of_grey(tmp_path, 6), truth, every=3)

    assert evaluate.Found(true_boxes=3, hits=2, boxes=4) == found
    assert 2 / 3 == pytest.approx(found.recall)
    assert 0.5 == found.precision


def test_a_truth_file_of_another_form_is_refused(tmp_path):
    """The error names the file and the form."""
    truth = tmp_path / "gt.txt"
    truth.write_text("frame,id,left")

    with pytest.raises(ModelError, match="lines of frame, id, left, top, width, height"):
        evaluate.on_film(ScriptedDetector([], []), film_of_grey(tmp_path, 1), truth)


def test_a_film_that_cannot_be_opened_is_refused(tmp_path):
    """No film is not a film without people."""
    truth = tmp_path / "gt.txt"
    truth.write_text("1,1,0,0,10,20,1")
    film = tmp_path / "film.avi"
    film.write_bytes(b"no film")

    with pytest.raises(ModelError, match="cannot be opened"):
        evaluate.on_film(ScriptedDetector([], []), film, truth)


def test_a_blind_network_finds_nobody_drawn():
    """Drawn scenes are the same for every network: the people in them are counted, none found."""
    found = evaluate.on_drawn(ScriptedDetector([], []), "day", height_px=48.0, pictures=4)

    assert found.true_boxes > 0
    assert 0 == found.hits == found.boxes
    assert 0.0 == found.recall
    assert 1.0 == found.precision
