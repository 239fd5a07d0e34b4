"""How well a network sees, measured through the road a node uses: letterbox, network, suppression.

Three grounds: film with true boxes (MOT form), HIT-UAV's thermal pictures, and drawn people of known
height. A box is found when one not yet used overlaps it by half.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.detect import OBJECT_CLASSES, Detector
from models.figures import Image
from models.registry import ModelError, ObjectClass, Spectrum
from models.scenes import Labelled, scene
from models.sources import HIT_UAV_CLASS_IDS, hit_uav

Boxes = NDArray[np.float32]
Item = TypeVar("Item")
Progress = Callable[[Sequence[Any]], Iterable[Any]]

MATCH_IOU = 0.5
CONF_THRESHOLD = 0.25

_EVALUATION_STREAM = 0xE7A1

_WORD_OF_HIT_UAV: dict[str, ObjectClass] = {
    "Person": "Human",
    "Car": "Vehicle",
    "Bicycle": "Vehicle",
    "OtherVehicle": "Vehicle",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a network found among the true boxes of one class, at one confidence.

    Attributes:
        true_boxes: How many there were.
        hits: How many of them were found.
        boxes: How many boxes the network gave.
    """

    true_boxes: int
    hits: int
    boxes: int

    @property
    def recall(self) -> float:
        """Share of the true boxes that were found; 0 without any."""
        return self.hits / self.true_boxes if self.true_boxes else 0.0

    @property
    def precision(self) -> float:
        """Share of the network's boxes that were true; 1 without any."""
        return self.hits / self.boxes if self.boxes else 1.0

    def __add__(self, other: "Found") -> "Found":
        return Found(
            true_boxes=self.true_boxes + other.true_boxes,
            hits=self.hits + other.hits,
            boxes=self.boxes + other.boxes,
        )

    def as_json(self) -> dict[str, float | int]:
        """Counts and both shares."""
        return {**asdict(self), "recall": self.recall, "precision": self.precision}


NOTHING = Found(true_boxes=0, hits=0, boxes=0)


def overlap(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersection over union of every box of `a` (n, 4) with every box of `b` (m, 4): (n, m)."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(bottom_right - top_left, 0.0, None).astype(np.float64).prod(axis=2)
    area_a = (a[:, 2:] - a[:, :2]).astype(np.float64).prod(axis=1)
    area_b = (b[:, 2:] - b[:, :2]).astype(np.float64).prod(axis=1)
    union = area_a[:, None] + area_b[None, :] - common
    return np.asarray(common / np.maximum(union, 1e-9), np.float64)


def matched(boxes: Boxes, truth: Boxes) -> NDArray[np.bool_]:
    """Which boxes are hits; each true box is taken once, by the best of the most confident first.

    Args:
        boxes: (n, 4) in falling confidence.
        truth: (m, 4).
    """
    hit = np.zeros(len(boxes), np.bool_)
    if not len(boxes) or not len(truth):
        return hit
    overlaps = overlap(boxes, truth)
    for row, overlaps_of_box in enumerate(overlaps):
        best = int(overlaps_of_box.argmax())
        if overlaps_of_box[best] >= MATCH_IOU:
            hit[row] = True
            overlaps[:, best] = -1.0
    return hit


def average_precision(confidence: NDArray[Any], hit: NDArray[np.bool_], true_boxes: int) -> float:
    """Area under the precision envelope over recall, at 101 points.

    Args:
        confidence: (n,) of all boxes of all pictures.
        hit: (n,) whether each is a hit.
        true_boxes: How many boxes there were to find.

    Source: COCO detection evaluation, for one overlap threshold.
    """
    if not true_boxes:
        return 0.0
    hits = np.cumsum(hit[np.argsort(-confidence, kind="stable")])
    recall = hits / true_boxes
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0.0, 1.0, 101), side="left")
    return float(np.where(places < len(envelope), np.append(envelope, 0.0)[places], 0.0).mean())


def on_film(
    detector: Detector,
    film: Path,
    truth_csv: Path,
    *,
    every: int = 10,
    conf_threshold: float = CONF_THRESHOLD,
    progress: Progress = iter,
) -> Found:
    """People on a film against true boxes in MOT form (frame from 1, id, left, top, width, height)."""
    truth = _mot_truth(truth_csv)
    total = NOTHING
    for number, picture in progress(list(_every_frame(film, every))):
        boxes, confidence = _people(detector, picture)
        strong = boxes[confidence > conf_threshold]
        true_boxes = truth.get(number, np.zeros((0, 4), np.float32))
        hits = int(matched(strong, true_boxes).sum())
        total += Found(true_boxes=len(true_boxes), hits=hits, boxes=len(strong))
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalFigures:
    """People in HIT-UAV: average precision over all confidences, and counts at the usual one."""

    ap50: float
    found: Found
    pictures: int


def on_hit_uav(
    detector: Detector,
    folder: Path,
    *,
    split: str = "val",
    limit: int | None = None,
    seed: int = 1,
    word: ObjectClass = "Human",
    progress: Progress = iter,
) -> ThermalFigures:
    """Average precision on thermal pictures; the detector must return weak boxes too (conf .001).

    Args:
        detector: Opened with a very low `min_confidence`.
        folder: The data set.
        split: "val" or "train".
        limit: Number of pictures, drawn by `seed`; None takes all.
        seed: Of that draw.
        word: The class measured.
        progress: Wraps the pictures, to show how far it is.
    """
    pictures = hit_uav(folder, split, None)
    if limit is not None and limit < len(pictures):
        chosen = np.random.default_rng(seed).choice(len(pictures), limit, replace=False)
        pictures = tuple(pictures[index] for index in sorted(chosen))
    wanted = [HIT_UAV_CLASS_IDS[name] for name, w in _WORD_OF_HIT_UAV.items() if w == word]
    confidences: list[NDArray[Any]] = []
    hits: list[NDArray[np.bool_]] = []
    total = NOTHING
    for picture in progress(pictures):
        boxes, confidence = _of_word(detector, picture.bgr, word)
        truth = picture.boxes_px[np.isin(picture.class_ids, wanted)]
        hit = matched(boxes, truth)
        confidences.append(confidence)
        hits.append(hit)
        strong = confidence > CONF_THRESHOLD
        total += Found(
            true_boxes=len(truth), hits=int((hit & strong).sum()), boxes=int(strong.sum())
        )
    ap50 = average_precision(np.concatenate(confidences), np.concatenate(hits), total.true_boxes)
    return ThermalFigures(ap50=ap50, found=total, pictures=len(pictures))


def on_drawn(
    detector: Detector,
    spectrum: Spectrum,
    *,
    height_px: float,
    pictures: int = 20,
    seed: int = 99,
    conf_threshold: float = CONF_THRESHOLD,
) -> Found:
    """Drawn people of one height in 960x540 pictures that no training run has seen."""
    total = NOTHING
    for number in range(pictures):
        drawn = drawn_picture(spectrum, height_px=height_px, number=number, seed=seed)
        boxes, confidence = _people(detector, drawn.bgr)
        strong = boxes[confidence > conf_threshold]
        truth = drawn.boxes_px[drawn.class_ids == 0]
        hits = int(matched(strong, truth).sum())
        total += Found(true_boxes=len(truth), hits=hits, boxes=len(strong))
    return total


def drawn_picture(spectrum: Spectrum, *, height_px: float, number: int, seed: int) -> Labelled:
    """One evaluation scene, of a random stream that no recipe's seed can reach."""
    rng = np.random.default_rng([_EVALUATION_STREAM, seed, round(height_px), number])
    heights = (height_px * 0.97, height_px * 1.03)
    return scene(rng, spectrum=spectrum, size_px=(960, 540), heights_px=heights)


def _people(detector: Detector, picture: Image) -> tuple[Boxes, NDArray[np.float32]]:
    return _of_word(detector, picture, "Human")


def _of_word(
    detector: Detector, picture: Image, word: ObjectClass
) -> tuple[Boxes, NDArray[np.float32]]:
    """Boxes (n, 4) of one class and their confidences (n,), best first."""
    found = detector.detect(picture)
    mine = np.flatnonzero(found.class_index == OBJECT_CLASSES.index(word))
    order = mine[np.argsort(-found.confidence[mine], kind="stable")]
    return found.boxes_px[order], found.confidence[order]


def _mot_truth(path: Path) -> dict[int, Boxes]:
    rows: dict[int, list[list[float]]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                left, top, width, height = (float(value) for value in row[2:6])
                rows.setdefault(int(row[0]), []).append([left, top, left + width, top + height])
    except (OSError, ValueError, IndexError) as error:
        raise ModelError(
            file=path,
            field="true boxes",
            value=str(error),
            allowed="lines of frame, id, left, top, width, height",
            next_step="Name a ground-truth file in MOT form.",
        ) from error
    return {frame: np.array(boxes, np.float32) for frame, boxes in rows.items()}


def _every_frame(film: Path, every: int) -> Iterator[tuple[int, Image]]:
    """Frame numbers from 1, and pixels, of frames 1, 1 + every, ..."""
    capture = cv2.VideoCapture(str(film))
    if not capture.isOpened():
        raise ModelError(
            file=film,
            field="film",
            value="cannot be opened",
            allowed="a film that OpenCV reads",
            next_step="Point --data at the folder of test data.",
        )
    try:
        number = 0
        while capture.grab():
            number += 1
            if (number - 1) % every == 0:
                yield number, np.asarray(capture.retrieve()[1], np.uint8)
    finally:
        capture.release()
