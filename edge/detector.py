"""Which detector a network needs: onnxruntime for ours, ultralytics for what only it can load."""

from edge.detect import Detector
from models.registry import NetworkEntry


def open_detector(
    entry: NetworkEntry,
    *,
    threads: int = 0,
    min_confidence: float = 0.1,
    max_iou: float | None = None,
) -> Detector:
    """Load a network, verified and warmed up.

    Args:
        entry: from `models.registry`.
        threads: for one inference of onnxruntime; 0 lets it take every core.
        min_confidence: weakest box that is returned, 0..1.
        max_iou: overlap above which the weaker box of a class goes; None takes the manifest's.

    Raises:
        ModelError: the network, or the library that it needs, is missing or wrong.
    """
    # Each library is imported only by the node that runs it.
    if entry.layout == "yolov8":
        from edge.onnx import OnnxDetector

        return OnnxDetector(entry, threads=threads, min_confidence=min_confidence, max_iou=max_iou)
    from edge.yolo import UltralyticsDetector

    return UltralyticsDetector(entry, min_confidence=min_confidence, max_iou=max_iou)
