"""Results of ultralytics become detections; no torch is needed to show it."""

import numpy as np

from edge.yolo import class_map, from_ultralytics
from models.registry import Registry


class Boxes:
    """The part of `ultralytics.engine.results.Boxes` that the door reads."""

    def __init__(self, xyxy, conf, cls):
        self.xyxy = np.array(xyxy, np.float32).reshape(-1, 4)
        self.conf = np.array(conf, np.float32)
        self.cls = np.array(cls, np.float32)

    def cpu(self):
        return self

    def numpy(self):
        return self


class Results:
    def __init__(self, boxes, shape=(480, 640)):
        self.boxes = boxes
        self.orig_shape = shape


def test_words_follow_the_manifest_and_unreported_classes_go():
    """Person stays Human, chair (class 56) is dropped, a box is clipped to the frame."""
    to_word = class_map(Registry.load().default("day"))
    found = from_ultralytics(
        Results(
            Boxes([(1, 2, 30, 40), (5, 5, 9, 9), (600, 400, 700, 500)], [0.9, 0.8, 0.7], [0, 56, 8])
        ),
        to_word,
    )
    assert [[1, 2, 30, 40], [600, 400, 640, 480]] == found.boxes_px.tolist()
    assert [0, 1] == found.class_index.tolist()
    assert (640, 480) == found.frame_size_px


def test_nothing_seen_is_an_empty_answer():
    """No boxes, no error."""
    to_word = class_map(Registry.load().default("day"))
    assert 0 == len(from_ultralytics(Results(Boxes([], [], [])), to_word))
