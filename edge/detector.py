"""Which detector a network needs: onnxruntime for ours, ultralytics for what only it can load."""

from typing import Literal

from edge.detect import Detector
from models.registry import NetworkEntry


def open_detector(
    entry: NetworkEntry,
    *,
    engine: Literal["onnx", "yolo"] = "onnx",
    threads: int = 0,
    min_confidence: float = 0.1,
    input_size_px: int | None = None,
    device: str | None = None,
) -> Detector:
    """Load a network, verified and warmed up.

    Args:
        entry: from `models.registry`.
        engine: "onnx" takes onnxruntime wherever it can; "yolo" takes ultralytics for all.
        threads: for one inference of onnxruntime; 0 lets it take every core.
        min_confidence: weakest box that is returned, 0..1.
        input_size_px: longer side of a free input; None takes the manifest's.
        device: of ultralytics, as it names it ("cpu", "0"); None lets it choose.

    Raises:
        ModelError: the network, or the library that it needs, is missing or wrong.
    """
    # Each library is imported only by the node that runs it.
    if engine == "onnx" and entry.layout == "yolov8":
        from edge.onnx import OnnxDetector

        return OnnxDetector(
            entry, threads=threads, min_confidence=min_confidence, input_size_px=input_size_px
        )
    from edge.yolo import UltralyticsDetector

    return UltralyticsDetector(
        entry, min_confidence=min_confidence, input_size_px=input_size_px, device=device
    )
