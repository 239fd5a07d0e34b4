"""One door to all networks."""

import sys
from dataclasses import replace

import pytest

from edge.detector import open_detector
from edge.onnx import OnnxDetector
from models.registry import ModelError, Registry


def test_our_networks_open_without_ultralytics(monkeypatch):
    """Layout yolov8 goes to onnxruntime, on a node that has no ultralytics at all."""
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    detector = open_detector(Registry.load().default("day"), threads=1)
    assert isinstance(detector, OnnxDetector)
    detector.close()


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch):
    """An ultralytics network on a lean node: what to install, or what to choose instead."""
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    wrong = replace(Registry.load().default("day"), layout="ultralytics")
    with pytest.raises(ModelError, match=r"border-watch\[edge,yolo\]"):
        open_detector(wrong)
