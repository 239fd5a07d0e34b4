"""The networks a node may load: what each file is, what it says, and whether it is whole.

A network is a file of weights plus its manifest entry. Ours stand in ``manifest.toml`` beside this
module; a user's own network brings a sidecar of the same form (``mine.onnx`` with ``mine.toml``).
This module imports nobody of ours, and no vision library: a node can check its network before it
pays for loading one.
"""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Spectrum = Literal["day", "thermal"]
ObjectClass = Literal["Human", "Boat", "Vehicle", "Animal", "Unknown"]
Layout = Literal["yolov8", "ultralytics"]

MANIFEST = Path(__file__).with_name("manifest.toml")
NETWORK_SUFFIXES = (".onnx", ".pt", ".engine")
"""Network files that may be named by path; NCNN and OpenVINO models are folders."""

_CHUNK_BYTES = 1 << 20


class ModelError(ValueError):
    """A network or its manifest is not what it must be.

    Attributes:
        file: The file or folder at fault.
        field: What in it is wrong, a manifest key or "sha256".
        value: What was found.
        allowed: What would have been right.
        next_step: What the person should do now.
    """

    def __init__(self, *, file: Path, field: str, value: str, allowed: str, next_step: str) -> None:
        self.file = file
        self.field = field
        self.value = value
        self.allowed = allowed
        self.next_step = next_step
        super().__init__(f"{file}: {field} is {value}; allowed: {allowed}. {next_step}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """One measured figure of a network, as its card and a node's birth message state it.

    Attributes:
        measured_on: Which pictures, and how they were matched.
        metric: What was counted: "recall", "precision" or "AP50".
        object_class: The class measured.
        value: The figure, 0..1.
    """

    measured_on: str
    metric: Literal["recall", "precision", "AP50"]
    object_class: ObjectClass
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEntry:
    """One network: the file, its checksum and what its numbers mean.

    Attributes:
        name: Name used in a node's config.
        path: The weights: a file, or a folder for NCNN and OpenVINO models.
        sha256: Checksum the weights must have (see `digest`).
        size_bytes: Size the weights must have.
        spectrum: What the network was made to look at.
        layout: "yolov8": one ONNX output (1, 4 + classes, n), boxes as centre x, centre y, width,
            height in input pixels, class scores 0..1, no suppression inside, height and width of
            the input free. "ultralytics": a file for the door to ultralytics.
        class_names: Name per class id, as trained.
        object_classes: SAPIENT word per class id; None for classes that are never reported.
        conf_threshold: Detections below this confidence are not reported, 0..1.
        nms_iou: Overlap above which the weaker of two boxes of a class goes, 0..1.
        stride_px: Input height and width must be multiples of this.
        nominal_size_px: Longer side of the input that the figures were measured with.
        licence: SPDX expression of the weights.
        card: What it was made from and what it can do; None for a user's own.
        recipe: How to make it again; None for a user's own.
        performance: Measured figures.
    """

    name: str
    path: Path
    sha256: str
    size_bytes: int
    spectrum: Spectrum
    layout: Layout
    class_names: tuple[str, ...]
    object_classes: tuple[ObjectClass | None, ...]
    conf_threshold: float
    nms_iou: float
    stride_px: int
    nominal_size_px: int
    licence: str
    card: Path | None
    recipe: Path | None
    performance: tuple[Performance, ...]

    def object_class(self, class_id: int) -> ObjectClass | None:
        """The word for a class id, or None when that class is never reported."""
        return self.object_classes[class_id]

    def reported_class_ids(self) -> tuple[int, ...]:
        """Class ids whose detections leave the node, ascending."""
        return tuple(i for i, word in enumerate(self.object_classes) if word is not None)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Performance(_File):
    measured_on: str = Field(min_length=1)
    metric: Literal["recall", "precision", "AP50"]
    object_class: ObjectClass
    value: float = Field(ge=0.0, le=1.0)


class _Network(_File):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    file: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(gt=0)
    spectrum: Spectrum
    layout: Layout
    class_names: tuple[str, ...] = Field(min_length=1)
    object_class: dict[str, ObjectClass] = Field(min_length=1)
    conf_threshold: float = Field(default=0.25, gt=0.0, lt=1.0)
    nms_iou: float = Field(default=0.7, gt=0.0, le=1.0)
    stride_px: int = Field(default=32, gt=0)
    nominal_size_px: int = Field(default=640, gt=0)
    licence: str = Field(min_length=1)
    card: str | None = None
    recipe: str | None = None
    performance: tuple[_Performance, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        strangers = sorted(set(self.object_class) - set(self.class_names))
        if strangers:
            raise ValueError(f"object_class names {strangers}, which class_names does not have")
        if self.nominal_size_px % self.stride_px:
            raise ValueError(
                f"nominal_size_px {self.nominal_size_px} is no multiple of stride_px {self.stride_px}"
            )
        return self

    def entry(self, folder: Path) -> NetworkEntry:
        fields = self.model_dump(exclude={"file", "object_class", "card", "recipe", "performance"})
        return NetworkEntry(
            **fields,
            path=folder / self.file,
            object_classes=tuple(self.object_class.get(name) for name in self.class_names),
            card=folder / self.card if self.card else None,
            recipe=folder / self.recipe if self.recipe else None,
            performance=tuple(Performance(**figure.model_dump()) for figure in self.performance),
        )


class _Manifest(_File):
    schema_version: Literal[1]
    default: dict[Spectrum, str] = Field(default_factory=dict)
    network: tuple[_Network, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        spectrum_of = {network.name: network.spectrum for network in self.network}
        if len(spectrum_of) != len(self.network):
            raise ValueError("two networks have the same name")
        for spectrum, name in self.default.items():
            if spectrum_of.get(name) != spectrum:
                raise ValueError(f"default.{spectrum} is {name!r}, which is no {spectrum} network")
        return self


class Registry:
    """The networks of one manifest, and the door to a user's own."""

    def __init__(self, entries: tuple[NetworkEntry, ...], defaults: dict[Spectrum, str]) -> None:
        self._entries = {entry.name: entry for entry in entries}
        self._defaults = dict(defaults)

    @classmethod
    def load(cls, manifest: Path = MANIFEST) -> "Registry":
        """Read a manifest.

        Args:
            manifest: A TOML file; files named in it are relative to its folder.

        Raises:
            ModelError: The file cannot be read or breaks the form; every fault is named at once.
        """
        parsed = _read(manifest)
        entries = tuple(network.entry(manifest.parent) for network in parsed.network)
        return cls(entries, parsed.default)

    @property
    def entries(self) -> tuple[NetworkEntry, ...]:
        """All networks in the manifest's order."""
        return tuple(self._entries.values())

    def default(self, spectrum: Spectrum) -> NetworkEntry:
        """The network that a camera of this spectrum gets when its config names none."""
        return self._entries[self._defaults[spectrum]]

    def get(self, name_or_path: str) -> NetworkEntry:
        """Find a network by its name, or a user's own by the path of its weights.

        Args:
            name_or_path: A name of this manifest, "day" or "thermal" for the default of that
                spectrum, or a path to weights whose sidecar manifest lies beside them.

        Raises:
            ModelError: No such name, no such file, or a sidecar that is missing or wrong.
        """
        if name_or_path in self._entries:
            return self._entries[name_or_path]
        if name_or_path in self._defaults:
            return self.default(name_or_path)
        path = Path(name_or_path)
        for entry in self._entries.values():
            if entry.path == path:
                return entry
        if path.suffix in NETWORK_SUFFIXES or path.is_dir():
            return _own_network(path)
        raise ModelError(
            file=path,
            field="network",
            value=repr(name_or_path),
            allowed=", ".join([*self._defaults, *self._entries])
            + f", or a path to {', '.join(NETWORK_SUFFIXES)} weights or a model folder",
            next_step="Set `network` to one of these; `border-models list` shows them.",
        )


def verify(entry: NetworkEntry) -> NetworkEntry:
    """Check that the weights are the ones the manifest speaks of.

    Returns:
        The same entry, so that loading reads ``load(verify(entry))``.

    Raises:
        ModelError: The weights are missing or differ; nothing may be run from them.
    """
    if not entry.path.exists():
        raise ModelError(
            file=entry.path,
            field="file",
            value="missing",
            allowed=f"the weights of network {entry.name!r}",
            next_step="Install the package again, or bring the file with `border-models fetch`.",
        )
    found = digest(entry.path)
    if found != entry.sha256:
        raise ModelError(
            file=entry.path,
            field="sha256",
            value=found,
            allowed=entry.sha256,
            next_step=(
                "The file is damaged or another one: install the package again, or, if you "
                "changed it on purpose, give it a sidecar manifest with its own checksum."
            ),
        )
    return entry


def digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder: of its sorted lines "relative/path sha256"."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        lines = [f"{file.relative_to(path).as_posix()} {digest(file)}\n" for file in files]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    running = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            running.update(chunk)
    return running.hexdigest()


def _own_network(path: Path) -> NetworkEntry:
    if not path.exists():
        raise ModelError(
            file=path,
            field="network",
            value="missing",
            allowed="an existing file or model folder",
            next_step="Correct the path in `network`.",
        )
    sidecar = path.parent / f"{path.stem}.toml"
    if not sidecar.is_file():
        raise ModelError(
            file=sidecar,
            field="sidecar manifest",
            value="missing",
            allowed="a manifest with one [[network]] for these weights",
            next_step=f"Write it with `border-models fetch {path}` and correct its class map.",
        )
    networks = _read(sidecar).network
    matching = [network for network in networks if (sidecar.parent / network.file) == path]
    if len(matching) != 1:
        raise ModelError(
            file=sidecar,
            field="network.file",
            value=", ".join(network.file for network in networks),
            allowed=path.name,
            next_step="A sidecar describes exactly the weights beside it.",
        )
    return matching[0].entry(sidecar.parent)


def _read(manifest: Path) -> _Manifest:
    try:
        raw: dict[str, Any] = tomllib.loads(manifest.read_text("utf-8"))
    except OSError as error:
        raise ModelError(
            file=manifest,
            field="manifest",
            value=error.strerror or "unreadable",
            allowed="a readable TOML file",
            next_step="Install the package again or correct the path.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            file=manifest,
            field="manifest",
            value=str(error),
            allowed="TOML in UTF-8",
            next_step="Correct the line named above.",
        ) from error
    try:
        return _Manifest.model_validate(raw)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'manifest'} = "
            f"{fault['input'] if fault['loc'] else '...'!r}: {fault['msg']}"
            for fault in error.errors()
        )
        raise ModelError(
            file=manifest,
            field="manifest",
            value=faults,
            allowed="the form in models/manifest.toml",
            next_step="Correct every key named above.",
        ) from error
