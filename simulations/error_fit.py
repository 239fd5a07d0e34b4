"""Fit the error model to what the shipped networks truly said about the project's own films."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from edge.detect import OBJECT_CLASSES, Detections
from edge.overlap import pairwise_iou
from geo._types import FloatArray
from simulations.error_model import (
    CAUSES,
    SHAPES,
    Cause,
    Confidence,
    FalseBoxes,
    Recall,
    Shake,
    Shape,
    SpectrumModel,
    shape_of,
    strength,
)
from simulations.figure_truth import TruthBox
from simulations.scenario_node import CameraSettings
from simulations.scenario_place import WeatherSettings

_MATCH_IOU = 0.3
_NEAR_IOU = 0.05
_SAME_EPISODE_S = 2.0
_QUANTILES = 11
_LEAST_SAMPLES = 60
"""Fewer figure-frames than this say nothing about a curve of three numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSample:
    """One frame: what was there, and what the network said."""

    t_s: float
    truths: Sequence[TruthBox]
    detections: Detections
    weather: WeatherSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmSample:
    """One camera's film of one scenario and seed."""

    camera: CameraSettings
    frames: Sequence[FrameSample]


@dataclass(frozen=True, slots=True)
class _Seen:
    """One figure in one frame, hit or missed; errors as shares of its height."""

    film: int
    figure_id: str
    shape: Shape
    t_s: float
    height_px: float
    hit: bool
    errors: tuple[float, float, float, float] = (math.nan,) * 4
    confidence: float = math.nan
    class_index: int = -1


@dataclass(slots=True)
class _Episode:
    cause: Cause
    begin_s: float
    last_s: float
    boxes: list[FloatArray] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)


def fit(
    films: Iterable[FilmSample], *, network: str, network_sha256: str, min_confidence: float
) -> SpectrumModel:
    """Return the errors of one network over films of its kind of camera.

    Raises:
        ValueError: there are too few upright people in the films to say anything.
    """
    seen: list[_Seen] = []
    episodes: list[_Episode] = []
    hours = dict.fromkeys(CAUSES, 0.0)
    for number, film in enumerate(films):
        frames = list(film.frames)
        if len(frames) < 2:
            continue
        step_s = frames[1].t_s - frames[0].t_s
        open_episodes: list[_Episode] = []
        for frame in frames:
            cause, power = _cause(frame.weather)
            hours[cause] += power * step_s / 3600.0
            loose = _match(seen, number, film.camera, frame)
            _collect(open_episodes, episodes, frame, loose, cause)
        episodes += open_episodes
    curves = {shape: _recall([s for s in seen if s.shape == shape]) for shape in SHAPES}
    upright = curves["upright"]
    if upright is None:
        raise ValueError(f"fewer than {_LEAST_SAMPLES} upright people in these films; film more")
    hits = [s for s in seen if s.hit]
    return SpectrumModel(
        network=network,
        network_sha256=network_sha256,
        min_confidence=min_confidence,
        recall={
            shape: curves[shape] or upright.model_copy(update={"samples": 0}) for shape in SHAPES
        },
        miss_lasts_s=_lasts(seen, [float(s.hit) for s in seen]),
        shake=_shake(hits),
        confidence=_confidence(hits, curves, upright),
        false_boxes={
            cause: _false([e for e in episodes if e.cause == cause], hours[cause], episodes)
            for cause in CAUSES
            if hours[cause] > 0.0
        },
    )


def _cause(weather: WeatherSettings) -> tuple[Cause, float]:
    """Return what most likely made a false box in this weather, and how strong it is."""
    for cause in ("rain", "insects", "wind"):
        power = strength(
            cause, rain_mm_h=weather.rain_mm_h, insects_per_min=weather.insects_per_min,
            wind_m_s=weather.wind_m_s,
        )  # fmt: skip
        if power > 0.5:
            return cause, power
    return "background", 1.0


def _match(seen: list[_Seen], film: int, camera: CameraSettings, frame: FrameSample) -> list[int]:
    """Note who was hit and who was missed; return the detections that belong to nobody."""
    found = frame.detections
    boxes = np.array([t.box_px for t in frame.truths], dtype=np.float64).reshape(-1, 4)
    overlap = pairwise_iou(boxes.astype(np.float32), found.boxes_px)
    taken: set[int] = set()
    for k in np.argsort(-overlap.max(axis=1, initial=0.0), kind="stable").tolist():
        truth, box = frame.truths[k], boxes[k]
        free = [j for j in range(len(found)) if j not in taken and overlap[k, j] >= _MATCH_IOU]
        best = max(free, key=lambda j: float(overlap[k, j]), default=None)
        if best is not None:
            taken.add(best)
        whole = (
            min(box[0], box[1]) >= 0.0 and box[2] <= camera.width_px and box[3] <= camera.height_px
        )
        if whole and truth.occluded_fraction < 0.3:
            seen.append(_seen(film, truth, frame, best))
    near = overlap.max(axis=0, initial=0.0)
    return [j for j in range(len(found)) if j not in taken and near[j] < _NEAR_IOU]


def _seen(film: int, truth: TruthBox, frame: FrameSample, best: int | None) -> _Seen:
    box = np.array(truth.box_px)
    tall = float(box[3] - box[1])
    shape = shape_of(truth.figure.gait, truth.figure.object_class)
    if best is None:
        return _Seen(film, truth.figure.figure_id, shape, frame.t_s, tall, hit=False)
    told = frame.detections.boxes_px[best].astype(np.float64)
    errors = (
        float(told[3] - box[3]) / tall,
        0.5 * float(told[0] + told[2] - box[0] - box[2]) / tall,
        math.log(float(told[3] - told[1]) / tall),
        math.log(float(told[2] - told[0]) / float(box[2] - box[0])),
    )
    return _Seen(
        film, truth.figure.figure_id, shape, frame.t_s, tall, True, errors,  # noqa: FBT003  # hit
        float(frame.detections.confidence[best]), int(frame.detections.class_index[best]),
    )  # fmt: skip


def _recall(seen: Sequence[_Seen]) -> Recall | None:
    """Return the curve of greatest likelihood over a grid, or None with too few samples."""
    if len(seen) < _LEAST_SAMPLES:
        return None
    log_h = np.log([s.height_px for s in seen])
    hit = np.array([s.hit for s in seen])
    best, best_value = (0.5, 50.0, 3.0), -math.inf
    for top in np.linspace(0.02, 0.995, 40):
        for half_px in np.geomspace(10.0, 160.0, 25):
            for slope in (1.5, 3.0, 5.0, 8.0, 14.0):
                p = top / (1.0 + np.exp(-slope * (log_h - math.log(half_px))))
                p = np.clip(p, 1e-4, 1.0 - 1e-4)
                value = float(np.log(np.where(hit, p, 1.0 - p)).sum())
                if value > best_value:
                    best, best_value = (float(top), float(half_px), slope), value
    classes = [OBJECT_CLASSES[s.class_index] for s in seen if s.hit]
    shares = {name: classes.count(name) / len(classes) for name in sorted(set(classes))}
    return Recall(
        top=best[0], half_px=best[1], slope=best[2], as_class=shares or {"Unknown": 1.0},
        samples=len(seen),
    )  # fmt: skip


def _lasts(seen: Sequence[_Seen], values: Sequence[float]) -> float:
    """Return the time over which a figure's value keeps half of its likeness to itself."""
    by_figure: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for one, value in zip(seen, values, strict=True):
        by_figure.setdefault((one.film, one.figure_id), []).append((one.t_s, value))
    products, squares, steps = [], [], []
    for series in by_figure.values():
        numbers = np.array([value for _, value in series])
        numbers = numbers - numbers.mean()
        times = np.array([t_s for t_s, _ in series])
        products.append(float((numbers[1:] * numbers[:-1]).sum()))
        squares.append(float((numbers[1:] ** 2 + numbers[:-1] ** 2).sum() / 2.0))
        steps += np.diff(times).tolist()
    if not steps or sum(squares) <= 0.0:
        return 0.2
    likeness = float(np.clip(sum(products) / sum(squares), 0.02, 0.98))
    return float(np.clip(-float(np.median(steps)) / math.log(likeness), 0.1, 10.0))


def _shake(hits: Sequence[_Seen]) -> Shake:
    errors = np.array([s.errors for s in hits])
    # A box that joins two people is no shaking: the middle 98 % are.
    low, high = np.quantile(errors, [0.01, 0.99], axis=0)
    errors = np.clip(errors, low, high)
    sigma = errors.std(axis=0)
    return Shake(
        foot=float(sigma[0]),
        side=float(sigma[1]),
        height=float(sigma[2]),
        width=float(sigma[3]),
        foot_bias=float(errors[:, 0].mean()),
        lasts_s=_lasts(hits, errors[:, 0].tolist()),
    )


def _confidence(
    hits: Sequence[_Seen], curves: dict[Shape, Recall | None], upright: Recall
) -> Confidence:
    chance = []
    for one in hits:
        curve = curves[one.shape] or upright
        x = math.log(one.height_px) - math.log(curve.half_px)
        chance.append(curve.top / (1.0 + math.exp(-curve.slope * x)) - 0.5)
    told = np.array([s.confidence for s in hits])
    design = np.column_stack((np.ones(len(hits)), chance))
    (at_half, gain), *_ = np.linalg.lstsq(design, told, rcond=None)
    return Confidence(
        at_half=float(at_half),
        gain=float(gain),
        sigma=float((told - design @ [at_half, gain]).std()),
    )


def _collect(
    running: list[_Episode],
    done: list[_Episode],
    frame: FrameSample,
    loose: Sequence[int],
    cause: Cause,
) -> None:
    """Put each box that belongs to nobody into the episode that it goes on with."""
    for episode in [e for e in running if frame.t_s - e.last_s > _SAME_EPISODE_S]:
        running.remove(episode)
        done.append(episode)
    for j in loose:
        box = frame.detections.boxes_px[j]
        same = next(
            (
                e
                for e in running
                if float(pairwise_iou(e.boxes[-1][None].astype(np.float32), box[None])[0, 0]) > 0.2
            ),
            None,
        )
        if same is None:
            same = _Episode(cause, frame.t_s, frame.t_s)
            running.append(same)
        same.last_s = frame.t_s
        same.boxes.append(box.astype(np.float64))
        same.confidence.append(float(frame.detections.confidence[j]))
        same.classes.append(int(frame.detections.class_index[j]))


def _false(
    episodes: Sequence[_Episode], hours: float, of_any_cause: Sequence[_Episode]
) -> FalseBoxes:
    """Return the false boxes of one cause; of one that made none, as sure as those of the others."""
    strongest = [max(e.confidence) for e in episodes or of_any_cause]
    confidences: tuple[float, ...] = ()
    if strongest:
        confidences = tuple(np.quantile(strongest, np.linspace(0.0, 1.0, _QUANTILES)).tolist())
    rate = (len(episodes) + 0.5) / hours
    if not episodes:
        return FalseBoxes(
            episodes_per_h=rate, lasts_s=0.4, height_px=60.0, confidence=0.2,
            confidences=confidences, as_class={"Human": 1.0}, episodes=0, hours=hours,
        )  # fmt: skip
    classes = [OBJECT_CLASSES[c] for e in episodes for c in e.classes]
    heights = [float(b[3] - b[1]) for e in episodes for b in e.boxes]
    return FalseBoxes(
        episodes_per_h=rate,
        lasts_s=max(0.2, float(np.mean([e.last_s - e.begin_s for e in episodes]))),
        height_px=float(np.median(heights)),
        confidence=float(np.clip(np.mean([c for e in episodes for c in e.confidence]), 0.05, 0.95)),
        confidences=confidences,
        as_class={name: classes.count(name) / len(classes) for name in sorted(set(classes))},
        episodes=len(episodes),
        hours=hours,
    )
