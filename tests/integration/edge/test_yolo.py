"""The door to ultralytics with the real library."""

import os
from dataclasses import replace

import numpy as np
import pytest

from edge.detector import open_detector
from edge.overlap import pairwise_iou
from edge.yolo import YOLO_ENVIRONMENT, UltralyticsDetector
from models.registry import ModelError, Registry, digest

pytestmark = [
    pytest.mark.yolo,
    # Libraries behind the door warn of their own future; only what we call is ours to keep clean.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(autouse=True)
def _offline(monkeypatch, tmp_path):
    for name, value in YOLO_ENVIRONMENT.items():
        monkeypatch.setitem(os.environ, name, value)
    monkeypatch.setitem(os.environ, "YOLO_CONFIG_DIR", str(tmp_path))
    pytest.importorskip("ultralytics", reason="needs the extra [yolo]")


def of(path, **changes):
    """A manifest entry for these weights with COCO's classes."""
    return replace(
        Registry.load().default("day"),
        path=path,
        sha256=digest(path),
        layout="ultralytics",
        **changes,
    )


@pytest.fixture
def untrained(tmp_path):
    """A real network without training, built from the library's own architecture."""
    from ultralytics import YOLO

    path = tmp_path / "untrained.pt"
    YOLO("yolov8n.yaml").save(str(path))
    return path


def test_a_pt_network_answers_through_the_door(untrained, tmp_path):
    """A file whose class names do not fit is refused; with the right ones it answers."""
    from ultralytics import YOLO

    names = tuple(YOLO(str(untrained)).names.values())
    words = tuple("Human" if k == 0 else None for k in range(len(names)))
    wrong = of(untrained, class_names=("person",), object_classes=("Human",))
    with pytest.raises(ModelError, match="class_names"):
        UltralyticsDetector(wrong)
    detector = UltralyticsDetector(
        of(untrained, class_names=names, object_classes=words, nominal_size_px=64),
        min_confidence=0.001,
    )
    found = detector.detect(np.full((48, 64, 3), 90, np.uint8))
    assert (64, 48) == found.frame_size_px
    assert set(found.class_index.tolist()) <= {0}


def test_a_file_that_is_no_network_is_refused_with_the_way_out(tmp_path):
    """Bytes that torch cannot read."""
    path = tmp_path / "mine.pt"
    path.write_bytes(b"no network" * 100)
    with pytest.raises(ModelError, match="content"):
        UltralyticsDetector(of(path))


@pytest.mark.data
def test_both_doors_see_the_same_people(data_dir):
    """The same starting weights as .pt and as .onnx: nearly the same boxes on the real film."""
    import cv2

    weights = data_dir / "weights"
    torch_door = open_detector(of(weights / "yolov8n_from_int8.pt"), min_confidence=0.4)
    entry = of(weights / "yolov8n_int8.onnx")
    onnx_door = open_detector(replace(entry, layout="yolov8"), min_confidence=0.25)
    film = cv2.VideoCapture(str(data_dir / "films" / "vtest.avi"))
    paired = total = 0
    for number in range(1, 302):
        film.grab()
        if number % 100 == 1:
            image = film.retrieve()[1]
            left, right = torch_door.detect(image), onnx_door.detect(image)
            overlap = pairwise_iou(left.boxes_px, right.boxes_px)
            paired += int((overlap.max(axis=1) >= 0.5).sum())
            total += len(left)
    film.release()
    assert total >= 15
    assert paired / total >= 0.9
