"""A training recipe: everything that must be known to make a network again, in one TOML file."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from models.registry import ModelError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[int, Field(ge=1, le=64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Start(_Part):
    """Weights that training starts from, and that teach what the pictures have no labels for."""

    file: str = Field(description="Relative to the data folder")
    sha256: Sha256
    licence: str


class Rendered(_Part):
    """Drawn scenes, see `models.scenes`."""

    kind: Literal["rendered"]
    per_batch: Share
    spectrum: Literal["day", "thermal"]
    heights_px: tuple[float, float]
    licence: str = "ours"


class HitUav(_Part):
    """Thermal pictures with boxes; DontCare boxes are painted over."""

    kind: Literal["hit-uav"]
    per_batch: Share
    folder: str
    split: Literal["train"]
    annotations_sha256: Sha256
    black_hot_share: float = Field(ge=0.0, le=1.0)
    drawn_people_share: float = Field(ge=0.0, le=1.0)
    heights_px: tuple[float, float]
    licence: str


class SelfLabelled(_Part):
    """Frames of a film, or stills, labelled by the starting weights."""

    kind: Literal["self-labelled"]
    per_batch: Share
    files: tuple[str, ...] = Field(min_length=1)
    sha256: tuple[Sha256, ...]
    every: int = Field(ge=1, description="Every n-th frame of a film")
    conf_threshold: float = Field(gt=0.0, lt=1.0)
    drawn_people_share: float = Field(ge=0.0, le=1.0)
    heights_px: tuple[float, float]
    licence: str

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if len(self.files) != len(self.sha256):
            raise ValueError("sha256 must have one checksum per file")
        held_back = [file for file in self.files if "vtest" in file]
        if held_back:
            raise ValueError(f"{held_back} is for evaluation and may never be learnt from")
        return self


Source = Annotated[Rendered | HitUav | SelfLabelled, Field(discriminator="kind")]


class Recipe(_Part):
    """How one network was made."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    spectrum: Literal["day", "thermal"]
    command: str
    seed: int
    epochs: int = Field(ge=1)
    stop_after_epochs: int | None = Field(
        default=None, ge=1, description="End earlier than the course of the learning rate"
    )
    batches_per_epoch: int = Field(ge=1)
    size_px: tuple[int, int] = Field(description="Width and height of a training picture")
    freeze_layers: int = Field(ge=0, description="Layers 0..n-1 keep their weights")
    lr: float = Field(gt=0.0)
    lr_final: float = Field(gt=0.0)
    warmup_batches: int = Field(ge=0)
    weight_decay: float = Field(ge=0.0)
    gradient_norm_max: float = Field(gt=0.0)
    ema_decay: float = Field(ge=0.0, lt=1.0)
    box_gain: float = Field(ge=0.0)
    class_gain: float = Field(ge=0.0)
    dfl_gain: float = Field(ge=0.0)
    teacher_gain: float = Field(ge=0.0, description="Weight of staying with the starting weights")
    scale: tuple[float, float] = Field(description="Random enlargement of real pictures")
    start_share: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="Share of the starting weights in the result"
    )
    threads: int = Field(ge=1)
    versions: dict[str, str] = Field(min_length=1)
    start: Start
    source: tuple[Source, ...] = Field(min_length=1)

    @property
    def batch(self) -> int:
        """Pictures per batch; every batch holds every source in its share."""
        return sum(source.per_batch for source in self.source)


def load(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        ModelError: The file is unreadable or breaks the form; all faults are named at once.
    """
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(
            file=path,
            field="recipe",
            value=str(error),
            allowed="a readable TOML file",
            next_step="Name one of models/recipes/*.toml or a copy of one.",
        ) from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        )
        raise ModelError(
            file=path,
            field="recipe",
            value=faults,
            allowed="the form of models/recipes/*.toml",
            next_step="Correct every key named above.",
        ) from error
