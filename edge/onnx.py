"""The default detector: an exported network run by onnxruntime, without torch.

Letterbox, decoding and suppression are numpy; nothing is downloaded, nothing is installed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from edge.detect import OBJECT_CLASSES, Detections
from edge.letterbox import Letterbox
from edge.overlap import suppress
from models.registry import ModelError, NetworkEntry, verify

WEAK_CONFIDENCE = 0.1
"""Default floor: the tracker's second stage lives on boxes too weak to start a track."""
_SCALE = np.float32(1 / 255)
_MAX_CANDIDATES = 1000
_MAX_BOXES = 300

_LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


class OnnxDetector:
    """A YOLOv8-style ONNX network.

    Args:
        entry: what the manifest says of it; the file's checksum is verified before it is loaded.
        threads: for one inference; 0 lets onnxruntime take every core.
        min_confidence: weakest box that is returned, 0..1.
        input_size_px: longer side of the input for networks whose input is free; None takes the
            size its figures were measured with.

    Raises:
        ModelError: the file is missing, damaged, no ONNX, or not of the layout the manifest says.
    """

    def __init__(
        self,
        entry: NetworkEntry,
        *,
        threads: int = 0,
        min_confidence: float = WEAK_CONFIDENCE,
        input_size_px: int | None = None,
    ) -> None:
        if entry.layout != "yolov8":
            raise _wrong(entry, "layout", entry.layout, "yolov8", "Open it through edge.yolo.")
        self._entry = verify(entry)
        self._session = _open(entry, threads)
        self._input_name, self._fixed_size_px = _input_of(self._session, entry)
        self._longer_side_px = input_size_px or entry.nominal_size_px
        self._class_map = np.array(
            [-1 if word is None else OBJECT_CLASSES.index(word) for word in entry.object_classes],
            np.int64,
        )
        self._min_confidence = min_confidence
        self._max_iou = entry.nms_iou
        self._box: Letterbox | None = None
        self._canvas = np.zeros((0, 0, 3), np.uint8)
        self._tensor: npt.NDArray[np.float32] | None = None
        self.warm_up((self._longer_side_px, self._longer_side_px))

    @property
    def name(self) -> str:
        """Name in the manifest."""
        return self._entry.name

    @property
    def sha256(self) -> str:
        """Hash of the network file in force."""
        return self._entry.sha256

    @property
    def entry(self) -> NetworkEntry:
        """What the manifest says of the network."""
        return self._entry

    def warm_up(self, frame_size_px: tuple[int, int]) -> None:
        """Pay for the first inference at this size now, and see that the output is as promised."""
        width, height = frame_size_px
        tensor = self.prepare(np.zeros((height, width, 3), np.uint8))
        rows = 4 + len(self._class_map)
        shape = self.infer(tensor).shape
        if len(shape) != 3 or shape[:2] != (1, rows):
            raise _wrong(
                self._entry,
                "output",
                f"an array of shape {shape}",
                f"(1, {rows}, n): four box rows and {rows - 4} classes",
                "Correct class_names in its manifest, or export it without suppression inside.",
            )

    def detect(self, image_bgr: npt.NDArray[np.uint8]) -> Detections:
        """Everything seen in one picture of shape (height, width, 3)."""
        tensor = self._tensor = self.prepare(image_bgr, self._tensor)
        box = self._box
        assert box is not None
        return decode(
            self.infer(tensor),
            box,
            self._class_map,
            min_confidence=self._min_confidence,
            max_iou=self._max_iou,
        )

    def prepare(
        self, image_bgr: npt.NDArray[np.uint8], into: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32]:
        """The network's input (1, 3, height, width), RGB in 0..1, of one picture.

        Args:
            image_bgr: (height, width, 3).
            into: an input to write over, when it has the right size; None makes a new one.
        """
        if image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or image_bgr.dtype != np.uint8:
            raise ValueError(
                f"image_bgr is (height, width, 3) uint8, got {image_bgr.shape} {image_bgr.dtype}"
            )
        size = (image_bgr.shape[1], image_bgr.shape[0])
        if self._box is None or self._box.frame_size_px != size:
            if self._fixed_size_px is not None:
                self._box = Letterbox.fixed(size, self._fixed_size_px)
            else:
                self._box = Letterbox.free(size, self._longer_side_px, self._entry.stride_px)
            self._canvas = self._box.canvas()
        self._box.fill(image_bgr, self._canvas)
        shape = (1, 3, *self._canvas.shape[:2])
        tensor = np.empty(shape, np.float32) if into is None or into.shape != shape else into
        # Plane by plane is half the time of cv2.dnn.blobFromImage.
        for plane, channel in enumerate(reversed(cv2.split(self._canvas))):
            np.multiply(channel, _SCALE, out=tensor[0, plane])
        return tensor

    def infer(self, tensor: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The bare network: (1, 4 + classes, n) of a prepared input."""
        output: npt.NDArray[np.float32] = self._session.run(None, {self._input_name: tensor})[0]
        return output

    def close(self) -> None:
        """Let go of the session's memory."""
        del self._session


def decode(
    output: npt.NDArray[np.float32],
    box: Letterbox,
    to_word: npt.NDArray[np.int64],
    *,
    min_confidence: float,
    max_iou: float,
) -> Detections:
    """Boxes of one picture from a network's raw output.

    Args:
        output: (1, 4 + classes, n): centre x, centre y, width, height in pixels of the input, then
            one score 0..1 per class.
        box: how the picture lies in the input.
        to_word: (classes,) index into OBJECT_CLASSES, -1 for classes that are never reported.
        min_confidence: weakest box that is returned.
        max_iou: overlap above which the weaker box of a class goes.
    """
    rows = output[0]
    scores = rows[4:]
    candidates = np.flatnonzero(scores.max(axis=0) >= min_confidence)
    chosen = scores[:, candidates]
    class_id = chosen.argmax(axis=0)
    confidence = np.clip(chosen[class_id, np.arange(len(candidates))], 0.0, 1.0)
    word = to_word[class_id]
    reported = np.flatnonzero(word >= 0)
    order = reported[np.argsort(-confidence[reported], kind="stable")][:_MAX_CANDIDATES]
    centre = rows[:2, candidates[order]].T
    half = np.maximum(rows[2:4, candidates[order]].T, 0.0) / 2
    boxes = box.to_frame(np.concatenate((centre - half, centre + half), axis=1))
    keep = suppress(boxes, word[order], max_iou)[:_MAX_BOXES]
    return Detections(
        boxes_px=boxes[keep],
        confidence=confidence[order][keep].astype(np.float32),
        class_index=word[order][keep],
        frame_size_px=box.frame_size_px,
    )


def _open(entry: NetworkEntry, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(entry.path), options, providers=["CPUExecutionProvider"]
        )
    except _LOAD_ERRORS as error:
        raise _wrong(
            entry,
            "content",
            f"unreadable ({str(error).splitlines()[0][:200]})",
            "an ONNX network that this onnxruntime can run",
            "Export it again with `border-models export`.",
        ) from error


def _input_of(
    session: onnxruntime.InferenceSession, entry: NetworkEntry
) -> tuple[str, tuple[int, int] | None]:
    """Name of the input, and its width and height when the export fixed them."""
    inputs: Sequence[Any] = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    if len(shape) != 4 or shape[1] != 3 or inputs[0].type != "tensor(float)":
        found = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
        raise _wrong(
            entry,
            "input",
            found or "nothing",
            "one float input (1, 3, height, width)",
            "Export it again with `border-models export`.",
        )
    height, width = shape[2:]
    fixed = isinstance(height, int) and isinstance(width, int)
    return inputs[0].name, (width, height) if fixed else None


def _wrong(entry: NetworkEntry, field: str, value: str, allowed: str, next_step: str) -> ModelError:
    return ModelError(
        file=Path(entry.path), field=field, value=value, allowed=allowed, next_step=next_step
    )
