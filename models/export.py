"""From trained weights to the ONNX file that a node runs.

The file has one input, images (1, 3, height, width) in RGB 0..1 with height and width free in steps of
the stride, so that a wide camera is not paid for as a square; and one output (1, 4 + classes, n)
without suppression, which is the node's job.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.registry import ModelError, digest

OPSET = 17
"""Old enough for the onnxruntime of JetPack 6."""

SIZE_MAX_BYTES = 13_000_000
"""Weights live in the repository; a larger file does not belong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A finished ONNX file, as the manifest wants to know it."""

    path: Path
    sha256: str
    size_bytes: int
    class_names: tuple[str, ...]
    largest_difference: float


def export(weights: Path, onnx_file: Path, *, nominal_size_px: int = 640) -> Exported:
    """Write `weights` (.pt) as ONNX and compare the two on a picture of noise.

    Args:
        weights: Trained weights that ultralytics opens.
        onnx_file: Where to write.
        nominal_size_px: Size recorded in the file as the usual one.

    Raises:
        ModelError: The result is too large, or says something else than the weights do.
    """
    import onnx
    from ultralytics import YOLO

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / weights.name
        shutil.copyfile(weights, copy)
        written = YOLO(str(copy)).export(
            format="onnx",
            dynamic=True,
            simplify=False,
            opset=OPSET,
            imgsz=nominal_size_px,
            device="cpu",
        )
        model = onnx.load(written)
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.shape.dim[0].Clear()
            value.type.tensor_type.shape.dim[0].dim_value = 1
        _forget_paths(model)
        onnx.checker.check_model(model)
        onnx_file.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, onnx_file)
    size_bytes = onnx_file.stat().st_size
    if size_bytes > SIZE_MAX_BYTES:
        raise ModelError(
            file=onnx_file,
            field="size_bytes",
            value=str(size_bytes),
            allowed=f"at most {SIZE_MAX_BYTES}",
            next_step="Train a smaller network.",
        )
    network = YOLO(str(weights))
    return Exported(
        path=onnx_file,
        sha256=digest(onnx_file),
        size_bytes=size_bytes,
        class_names=tuple(network.names[index] for index in sorted(network.names)),
        largest_difference=_compare(network.model, onnx_file),
    )


def _forget_paths(model: Any) -> None:
    """Drop what changes from run to run or tells of the exporting machine; keep what readers use."""
    kept = {"stride", "task", "names", "imgsz", "batch", "channels"}
    entries = [(entry.key, entry.value) for entry in model.metadata_props if entry.key in kept]
    del model.metadata_props[:]
    for key, value in sorted(entries):
        model.metadata_props.add(key=key, value=value)
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]


def _compare(network: Any, onnx_file: Path) -> float:
    import onnxruntime
    import torch

    rng = np.random.default_rng(1)
    session = onnxruntime.InferenceSession(str(onnx_file), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    largest = 0.0
    for height, width in ((384, 640), (640, 640)):
        image = rng.random((1, 3, height, width), dtype=np.float32)
        with torch.no_grad():
            wanted = network.float().eval()(torch.from_numpy(image))[0].numpy()
        got = session.run(None, {name: image})[0]
        if got.shape != wanted.shape:
            raise ModelError(
                file=onnx_file,
                field="output shape",
                value=str(got.shape),
                allowed=str(wanted.shape),
                next_step="The exporter and the network disagree: report this as a fault.",
            )
        scale = np.abs(wanted).max()
        largest = max(largest, float(np.abs(got - wanted).max() / scale))
    if largest > 1e-3:
        raise ModelError(
            file=onnx_file,
            field="largest difference from the weights",
            value=f"{largest:.2e} of the largest output",
            allowed="at most 1e-3",
            next_step="The exporter changed the network: report this as a fault.",
        )
    return largest
