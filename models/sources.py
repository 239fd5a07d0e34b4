"""Where training pictures come from: drawn scenes, HIT-UAV, and real frames labelled by a network.

Every picture is a function of the recipe's seed and the picture's number, so a run that was cut goes
on as if it had not been.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.figures import Image
from models.recipe import HitUav, Recipe, Rendered, SelfLabelled
from models.registry import ModelError, digest
from models.scenes import DRAWN_CLASS_IDS, PERSON_CLASS_ID, Labelled, scene

HIT_UAV_CLASS_IDS = {"Person": 0, "Car": 2, "Bicycle": 1, "OtherVehicle": 7}
"""HIT-UAV's names in COCO's numbering; "DontCare" is painted over and never asked for."""

_FILL = 114
"""Grey of letterbox borders, as at detection."""

_SHORTEST_SIDE_PX = 4.0
"""Boxes smaller than this after cropping are dropped: a sliver teaches nothing."""

Labeller = Callable[[Image, float], tuple[NDArray[np.float32], NDArray[np.int64]]]
"""Boxes (n, 4) x1, y1, x2, y2 in pixels and class ids (n,) of one BGR picture, above a confidence."""


class PictureSource(Protocol):
    """A stream of labelled pictures."""

    @property
    def per_batch(self) -> int:
        """Pictures of this source in every batch."""

    @property
    def labelled_class_ids(self) -> tuple[int, ...]:
        """Classes whose absence here means absence; for the others the teacher is asked."""

    def picture(self, rng: np.random.Generator) -> Labelled:
        """Draw the next picture, of the recipe's size."""


@dataclass(frozen=True, slots=True)
class _Scenes:
    part: Rendered
    size_px: tuple[int, int]
    per_batch: int
    labelled_class_ids: tuple[int, ...] = tuple(DRAWN_CLASS_IDS.values())

    def picture(self, rng: np.random.Generator) -> Labelled:
        return scene(
            rng, spectrum=self.part.spectrum, size_px=self.size_px, heights_px=self.part.heights_px
        )


@dataclass(frozen=True, slots=True)
class _Photographs:
    """Real pictures kept in memory, varied in scale and place, some with people drawn in."""

    pictures: tuple[Labelled, ...]
    recipe: Recipe
    per_batch: int
    labelled_class_ids: tuple[int, ...]
    black_hot_share: float
    drawn_people_share: float
    heights_px: tuple[float, float]

    def picture(self, rng: np.random.Generator) -> Labelled:
        chosen = self.pictures[int(rng.integers(len(self.pictures)))]
        varied = fitted(rng, chosen, self.recipe.size_px, self.recipe.scale)
        if rng.random() < self.drawn_people_share:
            varied = scene(
                rng,
                spectrum=self.recipe.spectrum,
                size_px=self.recipe.size_px,
                heights_px=self.heights_px,
                backdrop=varied,
            )
        if rng.random() < self.black_hot_share:
            varied = Labelled(
                bgr=255 - varied.bgr, boxes_px=varied.boxes_px, class_ids=varied.class_ids
            )
        return varied


def build(recipe: Recipe, data: Path, label: Labeller) -> tuple[PictureSource, ...]:
    """Open all sources of a recipe.

    Args:
        recipe: What to open.
        data: Folder that the recipe's files are relative to.
        label: The starting network, for frames without labels.

    Raises:
        ModelError: A file is missing or is not the one the recipe was written for.
    """
    opened: list[PictureSource] = []
    for part in recipe.source:
        if isinstance(part, Rendered):
            opened.append(_Scenes(part, recipe.size_px, part.per_batch))
        elif isinstance(part, HitUav):
            opened.append(
                _Photographs(
                    pictures=hit_uav(data / part.folder, part.split, part.annotations_sha256),
                    recipe=recipe,
                    per_batch=part.per_batch,
                    labelled_class_ids=tuple(sorted(HIT_UAV_CLASS_IDS.values())),
                    black_hot_share=part.black_hot_share,
                    drawn_people_share=part.drawn_people_share,
                    heights_px=part.heights_px,
                )
            )
        else:
            opened.append(
                _Photographs(
                    pictures=tuple(_self_labelled(part, data, label)),
                    recipe=recipe,
                    per_batch=part.per_batch,
                    labelled_class_ids=(PERSON_CLASS_ID,),
                    black_hot_share=0.0,
                    drawn_people_share=part.drawn_people_share,
                    heights_px=part.heights_px,
                )
            )
    return tuple(opened)


def check(path: Path, sha256: str) -> Path:
    """The same path, if it holds what the recipe says.

    Raises:
        ModelError: It is missing or differs.
    """
    found = digest(path) if path.is_file() else "missing"
    if found != sha256:
        raise ModelError(
            file=path,
            field="sha256",
            value=found,
            allowed=sha256,
            next_step="Point --data at the folder that the recipe was written for.",
        )
    return path


def hit_uav(folder: Path, split: str, annotations_sha256: str | None) -> tuple[Labelled, ...]:
    """Read a split of HIT-UAV, sorted by file name.

    Args:
        folder: The data set's folder, with annotations/ and one folder per split.
        split: "train" or "val".
        annotations_sha256: Checksum the annotation file must have; None takes any.
    """
    listing = folder / "annotations" / f"{split}.json"
    if annotations_sha256 is not None:
        check(listing, annotations_sha256)
    content = json.loads(listing.read_text("utf-8"))
    names = {category["id"]: category["name"] for category in content["categories"]}
    boxes_of: dict[int, list[tuple[int, list[float]]]] = {}
    for mark in content["annotation"]:
        class_id = HIT_UAV_CLASS_IDS.get(names[mark["category_id"]], -1)
        x, y, width, height = mark["bbox"]
        box = [float(x), float(y), float(x + width), float(y + height)]
        boxes_of.setdefault(mark["image_id"], []).append((class_id, box))
    pictures = []
    for image in sorted(content["images"], key=lambda item: str(item["filename"])):
        pixels = cv2.imread(str(folder / split / image["filename"]))
        if pixels is None:
            raise ModelError(
                file=folder / split / image["filename"],
                field="picture",
                value="unreadable",
                allowed="a JPEG",
                next_step="Fetch the data set again.",
            )
        bgr = np.asarray(pixels, np.uint8)
        marks = boxes_of.get(image["id"], [])
        for class_id, box in marks:
            if class_id < 0:
                x1, y1, x2, y2 = (round(v) for v in box)
                bgr[y1:y2, x1:x2] = _FILL
        known = [(class_id, box) for class_id, box in marks if class_id >= 0]
        pictures.append(
            Labelled(
                bgr=bgr,
                boxes_px=np.array([box for _, box in known], np.float32).reshape(-1, 4),
                class_ids=np.array([class_id for class_id, _ in known], np.int64),
            )
        )
    return tuple(pictures)


def fitted(
    rng: np.random.Generator,
    labelled: Labelled,
    size_px: tuple[int, int],
    scale: tuple[float, float],
) -> Labelled:
    """A picture at a random scale, place and hand in a frame of the wanted size."""
    width, height = size_px
    rows, columns = labelled.bgr.shape[:2]
    ratio = min(width / columns, height / rows)
    ratio *= float(np.exp(rng.uniform(np.log(scale[0]), np.log(scale[1]))))
    new = (max(1, round(columns * ratio)), max(1, round(rows * ratio)))
    how = cv2.INTER_AREA if ratio < 1.0 else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(labelled.bgr, new, interpolation=how), np.uint8)
    left = round(float(rng.uniform(0, 1)) * (width - new[0]))
    top = round(float(rng.uniform(0, 1)) * (height - new[1]))
    frame = np.full((height, width, 3), _FILL, np.uint8)
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(width, left + new[0]), min(height, top + new[1])
    frame[y1:y2, x1:x2] = resized[y1 - top : y2 - top, x1 - left : x2 - left]
    boxes = labelled.boxes_px * ratio + np.array([left, top, left, top], np.float32)
    if rng.random() < 0.5:
        frame = np.ascontiguousarray(frame[:, ::-1])
        boxes = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
    gain, lift = float(rng.uniform(0.75, 1.25)), float(rng.uniform(-18, 18))
    frame = np.clip(frame.astype(np.float32) * gain + lift, 0, 255).astype(np.uint8)
    clipped = np.stack(
        [
            np.clip(boxes[:, 0], 0, width),
            np.clip(boxes[:, 1], 0, height),
            np.clip(boxes[:, 2], 0, width),
            np.clip(boxes[:, 3], 0, height),
        ],
        1,
    )
    whole = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-6)
    sides = clipped[:, 2:] - clipped[:, :2]
    keep = (sides.min(1, initial=1e9) >= _SHORTEST_SIDE_PX) & (sides.prod(1) >= 0.3 * whole)
    return Labelled(
        bgr=frame,
        boxes_px=clipped[keep].astype(np.float32),
        class_ids=labelled.class_ids[keep],
    )


def _self_labelled(part: SelfLabelled, data: Path, label: Labeller) -> Iterator[Labelled]:
    for name, sha256 in zip(part.files, part.sha256, strict=True):
        for picture in _frames(check(_found(name, data), sha256), part.every):
            boxes, class_ids = label(picture, part.conf_threshold)
            yield Labelled(bgr=picture, boxes_px=boxes, class_ids=class_ids)


def _found(name: str, data: Path) -> Path:
    """A file of the data folder, or, as ``package:NAME/PATH``, one that a package ships."""
    if not name.startswith("package:"):
        return data / name
    package, _, inside = name.removeprefix("package:").partition("/")
    return Path(str(resources.files(package))) / inside


def _frames(path: Path, every: int) -> Iterator[Image]:
    if path.suffix in {".jpg", ".png"}:
        yield np.asarray(cv2.imread(str(path)), np.uint8)
        return
    film = cv2.VideoCapture(str(path))
    try:
        number = 0
        while film.grab():
            if number % every == 0:
                yield np.asarray(film.retrieve()[1], np.uint8)
            number += 1
    finally:
        film.release()
