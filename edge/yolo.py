"""The door to ultralytics: .pt, TensorRT .engine, NCNN and OpenVINO networks. Optional extra [yolo].

ultralytics loads what onnxruntime cannot; it brings torch, so nothing else imports it. Its results
become `Detections` in one place, `from_ultralytics`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.detect import OBJECT_CLASSES, Detections
from models.registry import ModelError, NetworkEntry, verify

YOLO_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}
)
"""What the process must have in its environment before ultralytics is imported: no calls home, no
installing of packages on a node, no line per frame. A cli module sets it."""


class UltralyticsDetector:
    """A network run by ultralytics.

    Args:
        entry: what the manifest says of it; the checksum is verified before it is loaded.
        min_confidence: weakest box that is returned, 0..1.
        device: as ultralytics names it ("cpu", "0"); None lets it choose.
        input_size_px: longer side of the input; None takes the manifest's.

    Raises:
        ModelError: the weights or the library are missing, or it knows other classes.
    """

    def __init__(
        self,
        entry: NetworkEntry,
        *,
        min_confidence: float = 0.1,
        device: str | None = None,
        input_size_px: int | None = None,
    ) -> None:
        self._entry = verify(entry)
        try:
            from ultralytics import YOLO
        except ImportError as error:
            raise ModelError(
                file=entry.path,
                field="engine",
                value=f"ultralytics, which does not load ({error})",
                allowed="an environment with the extra [yolo]",
                next_step="Install border-watch[edge,yolo], or choose an ONNX network.",
            ) from error
        try:
            self._model: Any = YOLO(str(entry.path), task="detect")
            names = _class_names(self._model)
        except (OSError, RuntimeError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise ModelError(
                file=entry.path,
                field="content",
                value=f"unreadable ({type(error).__name__}: {str(error)[:200]})",
                allowed="a detection network that this ultralytics can run",
                next_step="Export it again with `border-models export`.",
            ) from error
        if names != entry.class_names:
            raise ModelError(
                file=entry.path,
                field="class_names",
                value=", ".join(entry.class_names[:5]) + ", ...",
                allowed=", ".join(names[:5]) + f", ... ({len(names)} names in the file)",
                next_step="Correct class_names in its manifest.",
            )
        self._class_map = class_map(entry)
        self._arguments: dict[str, Any] = {
            "conf": min_confidence,
            "iou": entry.nms_iou,
            "imgsz": input_size_px or entry.nominal_size_px,
            "verbose": False,
        }
        if device is not None:
            self._arguments["device"] = device
        self.detect(np.zeros((entry.nominal_size_px, entry.nominal_size_px, 3), np.uint8))

    @property
    def name(self) -> str:
        """Name in the manifest."""
        return self._entry.name

    @property
    def sha256(self) -> str:
        """Hash of the network in force."""
        return self._entry.sha256

    def detect(self, image_bgr: npt.NDArray[np.uint8]) -> Detections:
        """Everything seen in one picture of shape (height, width, 3)."""
        (result,) = self._model.predict(image_bgr, **self._arguments)
        return from_ultralytics(result, self._class_map)

    def close(self) -> None:
        """Let go of the network."""
        del self._model


def class_map(entry: NetworkEntry) -> npt.NDArray[np.int64]:
    """(classes,) index into OBJECT_CLASSES per class id; -1 for classes that are never reported."""
    return np.array(
        [-1 if word is None else OBJECT_CLASSES.index(word) for word in entry.object_classes],
        np.int64,
    )


def from_ultralytics(result: Any, to_word: npt.NDArray[np.int64]) -> Detections:
    """One `ultralytics.engine.results.Results` as detections.

    Args:
        result: of one picture, on any device.
        to_word: from `class_map`.
    """
    height, width = result.orig_shape
    boxes = result.boxes.cpu().numpy()
    word = to_word[boxes.cls.astype(np.int64)]
    keep = word >= 0
    limit = np.array([width, height, width, height], np.float32)
    return Detections(
        boxes_px=np.clip(boxes.xyxy[keep].astype(np.float32).reshape(-1, 4), 0, limit),
        confidence=np.clip(boxes.conf[keep].astype(np.float32), 0, 1),
        class_index=word[keep],
        frame_size_px=(int(width), int(height)),
    )


def _class_names(model: Any) -> tuple[str, ...]:
    names = model.names
    return tuple(str(names[index]) for index in range(len(names)))
