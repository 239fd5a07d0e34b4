"""Bringing in a network of the user's own: the weights, checked, and a sidecar manifest beside them."""

import ast
import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.registry import (
    NETWORK_SUFFIXES,
    ModelError,
    NetworkEntry,
    ObjectClass,
    Registry,
    Spectrum,
    digest,
)

DOWNLOAD_MAX_BYTES = 500_000_000
DOWNLOAD_TIMEOUT_S = 30.0

_CHUNK_BYTES = 1 << 20

WORDS: Mapping[str, ObjectClass] = {
    **dict.fromkeys(("person", "pedestrian", "people", "human", "swimmer"), "Human"),
    **dict.fromkeys(("boat", "ship", "vessel", "canoe", "kayak"), "Boat"),
    **dict.fromkeys(
        (
            "bicycle",
            "car",
            "motorcycle",
            "motor",
            "bus",
            "train",
            "truck",
            "van",
            "vehicle",
            "tricycle",
        ),
        "Vehicle",
    ),
    **dict.fromkeys(
        ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
        "Animal",
    ),
    "airplane": "Unknown",
}
"""Usual class names and the word each is reported as; a guess that the sidecar lets a person correct."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What a user says of their network.

    Attributes:
        spectrum: What it looks at.
        sha256: Checksum the weights must have; needed for a download.
        class_names: Names by class id; None reads them from an ONNX file made by ultralytics.
        licence: SPDX expression of the weights.
    """

    spectrum: Spectrum
    sha256: str | None
    class_names: Sequence[str] | None
    licence: str


def fetch(source: str, folder: Path, own: Own) -> NetworkEntry:
    """Copy or download weights into `folder` and write their sidecar manifest.

    Args:
        source: A file, or an http(s) address.
        folder: Where to put it; weights that already lie there stay in place.
        own: What the user says of it.

    Raises:
        ModelError: It cannot be had, is not what was promised, or says too little of itself.
    """
    weights = _bring(source, folder, own.sha256)
    names = list(own.class_names) if own.class_names is not None else _onnx_names(weights)
    words = {name: WORDS[name.lower()] for name in names if name.lower() in WORDS}
    if not words:
        raise ModelError(
            file=weights,
            field="class names",
            value=", ".join(names[:20]),
            allowed="at least one of " + ", ".join(WORDS),
            next_step="A network that sees none of these is no use to a node.",
        )
    sidecar = weights.with_suffix(".toml")
    sidecar.write_text(_sidecar(weights, names, words, own), "utf-8")
    return Registry.load(sidecar).entries[0]


def _bring(source: str, folder: Path, sha256: str | None) -> Path:
    scheme = urllib.parse.urlsplit(source).scheme
    remote = scheme in {"http", "https"}
    name = Path(urllib.parse.urlsplit(source).path).name if remote else Path(source).name
    target = folder / name
    if target.suffix not in NETWORK_SUFFIXES:
        raise ModelError(
            file=target,
            field="file name",
            value=name,
            allowed=f"a name ending in {', '.join(NETWORK_SUFFIXES)}",
            next_step="Export the network to ONNX.",
        )
    if remote and sha256 is None:
        raise ModelError(
            file=target,
            field="sha256",
            value="not given",
            allowed="the checksum that the author of the weights states",
            next_step="Give it with --sha256: what comes over a network is not trusted by its address.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{name}.part"
    try:
        if remote:
            _download(source, fresh)
        elif Path(source).is_file():
            shutil.copyfile(source, fresh)
        else:
            raise ModelError(
                file=Path(source),
                field="file",
                value="missing",
                allowed="a file or an http(s) address",
                next_step="Correct the path.",
            )
        found = digest(fresh)
        if sha256 is not None and found != sha256:
            raise ModelError(
                file=target,
                field="sha256",
                value=found,
                allowed=sha256,
                next_step="Nothing was kept. Ask the author of the weights for the right checksum.",
            )
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return target


def _download(address: str, target: Path) -> None:
    request = urllib.request.Request(address, headers={"User-Agent": "border-models"})  # noqa: S310 - scheme checked by the caller
    try:
        with (
            urllib.request.urlopen(request, timeout=DOWNLOAD_TIMEOUT_S) as answer,  # noqa: S310
            target.open("wb") as stream,
        ):
            size = 0
            while chunk := answer.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > DOWNLOAD_MAX_BYTES:
                    raise ModelError(
                        file=target,
                        field="size",
                        value=f"over {DOWNLOAD_MAX_BYTES} bytes",
                        allowed=f"at most {DOWNLOAD_MAX_BYTES} bytes",
                        next_step="This is hardly a network for a node; check the address.",
                    )
                stream.write(chunk)
    except OSError as error:
        raise ModelError(
            file=target,
            field="download",
            value=str(error),
            allowed="an address that answers",
            next_step="Check the address and the line, then try again.",
        ) from error


def _onnx_names(weights: Path) -> list[str]:
    """Class names that ultralytics writes into an ONNX file's metadata."""
    if weights.suffix == ".onnx":
        metadata = _onnx_metadata(weights)
        try:
            names: Any = ast.literal_eval(metadata.get("names", ""))
        except (SyntaxError, ValueError):
            names = None
        if isinstance(names, dict) and names:
            return [str(names[index]) for index in sorted(names)]
    raise ModelError(
        file=weights,
        field="class names",
        value="not in the file",
        allowed="a text file with one name a line, in the order of the class ids",
        next_step="Give it with --names.",
    )


def _onnx_metadata(weights: Path) -> dict[str, str]:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as faults

    try:
        session = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    except (faults.InvalidProtobuf, faults.InvalidGraph, faults.Fail, RuntimeError) as error:
        raise ModelError(
            file=weights,
            field="ONNX",
            value=str(error),
            allowed="a model that onnxruntime loads",
            next_step="Export it again, with opset 17 or older for JetPack 6.",
        ) from error
    return dict(session.get_modelmeta().custom_metadata_map)


def _sidecar(
    weights: Path, names: Sequence[str], words: Mapping[str, ObjectClass], own: Own
) -> str:
    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    network = "".join(c if c.isalnum() or c in "._-" else "-" for c in weights.stem.lower())
    layout = "yolov8" if weights.suffix == ".onnx" else "ultralytics"
    lines = [
        f"# What {weights.name} is; written by `border-models fetch`. Correct the class map at the end:",
        "# classes that it does not name are never reported.",
        "schema_version = 1",
        "",
        "[[network]]",
        f"name = {quoted(network.lstrip('._-') or 'own')}",
        f"file = {quoted(weights.name)}",
        f'sha256 = "{digest(weights)}"',
        f"size_bytes = {weights.stat().st_size}",
        f'spectrum = "{own.spectrum}"',
        f'layout = "{layout}"',
        "conf_threshold = 0.25",
        "nms_iou = 0.6",
        "stride_px = 32",
        "nominal_size_px = 640",
        f"licence = {quoted(own.licence)}",
        f"class_names = [{', '.join(quoted(name) for name in names)}]",
        "",
        "[network.object_class]",
        *(f"{quoted(name)} = {quoted(word)}" for name, word in words.items()),
        "",
    ]
    return "\n".join(lines)
