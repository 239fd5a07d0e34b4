"""Detections from truth by the error model: a network's results without film and network.

Marked ``detections: modelled`` wherever they are counted, never mixed with those of film.
"""

import math
from collections.abc import Sequence

import numpy as np

from edge.detect import OBJECT_CLASSES, Detections
from geo._types import FloatArray
from simulations.error_model import (
    CAUSES,
    Cause,
    ErrorModel,
    FalseBoxes,
    Recall,
    SpectrumModel,
    shape_of,
    strength,
)
from simulations.figure_truth import TruthBox
from simulations.scenario_node import CameraSettings
from simulations.scenario_place import WeatherSettings
from simulations.smooth_noise import key_of, smooth_gauss, uniform

_SMALLEST_PX = 6.0
_LEAST_INSIDE = 0.5
_FALSE_ASPECT = 0.45
_SLOT_S = 5.0
"""False boxes begin in slots of this length, so that any instant may be asked by itself."""
_SLOTS_BACK = 12


class ModelledDetector:
    """What the network of one camera would have said; any instant in any order.

    Args:
        model: fitted.
        camera: whose pictures they would be.
        seed: of the scenario.
    """

    def __init__(self, model: ErrorModel, camera: CameraSettings, seed: int) -> None:
        self._model: SpectrumModel = model.day if camera.spectrum == "day" else model.thermal
        self._camera = camera
        self._seed = seed
        self._size = (camera.width_px, camera.height_px)
        # Draws of the last slots; only kept because every instant of a slot asks for them.
        self._slot = -1
        self._begun: dict[Cause, FloatArray] = {}

    @property
    def name(self) -> str:
        """The network that is modelled."""
        return self._model.network

    @property
    def sha256(self) -> str:
        """Hash of the network that the model was fitted on."""
        return self._model.network_sha256

    def detect(
        self, truths: Sequence[TruthBox], t_s: float, weather: WeatherSettings
    ) -> Detections:
        """Return the boxes at an instant."""
        true_boxes, true_confidence, true_class = self._true(truths, t_s)
        false_boxes, false_confidence, false_class = self._false(t_s, weather)
        if not len(true_boxes) and not len(false_boxes):
            return Detections.none(self._size)
        boxes = np.vstack((true_boxes, false_boxes))
        confidence = np.concatenate((true_confidence, false_confidence))
        index = np.concatenate((true_class, false_class))
        width, height = self._size
        boxes = np.clip(boxes, 0.0, [width, height, width, height])
        kept = (boxes[:, 2] - boxes[:, 0] > 1.0) & (boxes[:, 3] - boxes[:, 1] > 1.0)
        kept &= confidence >= self._model.min_confidence
        if not kept.any():
            return Detections.none(self._size)
        return Detections(
            boxes_px=boxes[kept].astype(np.float32),
            confidence=np.clip(confidence[kept], 0.0, 0.99).astype(np.float32),
            class_index=index[kept].astype(np.int64),
            frame_size_px=self._size,
        )

    def _true(
        self, truths: Sequence[TruthBox], t_s: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        seen = [truth for truth in truths if self._could_be_seen(truth)]
        if not seen:
            return _no_boxes()
        model, shake = self._model, self._model.shake
        keys = np.array([self._key("figure", truth.figure.figure_id) for truth in seen])
        box = np.array([truth.box_px for truth in seen])
        height = box[:, 3] - box[:, 1]
        curves = [
            model.recall[shape_of(truth.figure.gait, truth.figure.object_class)] for truth in seen
        ]
        open_share = np.array([1.0 - truth.occluded_fraction for truth in seen])
        chance = np.array([probability(c, h) for c, h in zip(curves, height, strict=True)])
        chance = chance * np.clip(open_share / 0.7, 0.0, 1.0)
        # One latent number per figure decides hit or miss, so that misses come in spells.
        latent = smooth_gauss(keys, t_s, model.miss_lasts_s)
        hit = _normal_cdf(latent) < chance
        noise = [smooth_gauss(keys + k, t_s, shake.lasts_s) for k in range(1, 6)]
        foot = box[:, 3] + (shake.foot_bias + shake.foot * noise[0]) * height
        middle = 0.5 * (box[:, 0] + box[:, 2]) + shake.side * noise[1] * height
        tall = height * np.exp(shake.height * noise[2])
        half = 0.5 * (box[:, 2] - box[:, 0]) * np.exp(shake.width * noise[3])
        shaken = np.column_stack((middle - half, foot - tall, middle + half, foot))
        sure = model.confidence
        confidence = sure.at_half + sure.gain * (chance - 0.5) + sure.sigma * noise[4]
        # A person keeps the network's mistake about their class for as long as a spell lasts.
        spell = int(t_s / (4.0 * model.miss_lasts_s))
        draw = uniform(keys + 6, np.full(len(keys), spell))
        index = np.array([_class(c.as_class, d) for c, d in zip(curves, draw, strict=True)])
        return shaken[hit], confidence[hit], index[hit]

    def _could_be_seen(self, truth: TruthBox) -> bool:
        x1, y1, x2, y2 = truth.box_px
        width, height = self._size
        inside = (min(x2, width) - max(x1, 0.0)) * (min(y2, height) - max(y1, 0.0))
        whole = max((x2 - x1) * (y2 - y1), 1e-9)
        return (
            truth.visible
            and y2 - y1 >= _SMALLEST_PX
            and min(x2, width) > max(x1, 0.0)
            and min(y2, height) > max(y1, 0.0)
            and inside / whole >= _LEAST_INSIDE
        )

    def _false(
        self, t_s: float, weather: WeatherSettings
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        boxes, confidence, index = [], [], []
        begun = self._begun_in(math.floor(t_s / _SLOT_S))
        for cause in CAUSES:
            kind = self._model.false_boxes.get(cause)
            if kind is None or kind.episodes_per_h == 0.0:
                continue
            power = strength(
                cause, rain_mm_h=weather.rain_mm_h, insects_per_min=weather.insects_per_min,
                wind_m_s=weather.wind_m_s,
            )  # fmt: skip
            chance = -math.expm1(-kind.episodes_per_h * power * _SLOT_S / 3600.0)
            for back in np.flatnonzero(begun[cause] < chance).tolist():
                number = self._slot - back
                found = self._episode(cause, kind, number, t_s)
                if found is not None:
                    boxes.append(found)
                    confidence.append(_sure(kind, self._draw(cause, number, 6)))
                    index.append(_class(kind.as_class, float(self._draw(cause, number, 7))))
        if not boxes:
            return _no_boxes()
        return np.array(boxes), np.array(confidence), np.array(index)

    def _begun_in(self, slot: int) -> dict[Cause, FloatArray]:
        """Return by cause a draw for this slot and for each of those before it."""
        if slot != self._slot:
            slots = slot - np.arange(_SLOTS_BACK + 1)
            self._slot = slot
            self._begun = {
                cause: uniform(np.full(len(slots), self._key("false", cause)), slots)
                for cause in self._model.false_boxes
            }
        return self._begun

    def _episode(
        self, cause: Cause, kind: FalseBoxes, slot: int, t_s: float
    ) -> tuple[float, float, float, float] | None:
        begin_s = (slot + float(self._draw(cause, slot, 1))) * _SLOT_S
        length_s = -kind.lasts_s * math.log(float(self._draw(cause, slot, 2)))
        if not begin_s <= t_s < begin_s + min(length_s, (_SLOTS_BACK - 1) * _SLOT_S):
            return None
        width, height = self._size
        tall = kind.height_px * math.exp(0.35 * (2.0 * float(self._draw(cause, slot, 3)) - 1.0))
        x = float(self._draw(cause, slot, 4)) * width
        foot = height * (0.35 + 0.6 * float(self._draw(cause, slot, 5)))
        sway = float(smooth_gauss(np.array([self._key(cause, slot)]), t_s, 0.5)[0])
        x += 0.03 * tall * sway
        half = 0.5 * _FALSE_ASPECT * tall
        return x - half, foot - tall, x + half, foot

    def _draw(self, cause: Cause, slot: int, number: int) -> float:
        return float(uniform(np.array([self._key("episode", cause, number)]), slot)[0])

    def _key(self, *parts: object) -> int:
        return key_of(self._seed, self._camera.id, *parts)


def probability(curve: Recall, height_px: float) -> float:
    """Return the chance that a figure of this height is boxed in a frame."""
    return curve.top / (
        1.0 + math.exp(-curve.slope * (math.log(height_px) - math.log(curve.half_px)))
    )


def _sure(kind: FalseBoxes, draw: float) -> float:
    """Return the confidence of an episode's boxes: that of its strongest one, all along."""
    if not kind.confidences:
        return kind.confidence + 0.05 * draw
    steps = np.linspace(0.0, 1.0, len(kind.confidences))
    return float(np.interp(draw, steps, kind.confidences))


def _class(shares: dict[str, float], draw: float) -> int:
    total = sum(shares.values())
    reached = 0.0
    for name, share in sorted(shares.items()):
        reached += share / total
        if draw < reached:
            return OBJECT_CLASSES.index(name)
    return OBJECT_CLASSES.index(max(shares, key=lambda name: shares[name]))


def _normal_cdf(x: FloatArray) -> FloatArray:
    return np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in x])


def _no_boxes() -> tuple[FloatArray, FloatArray, FloatArray]:
    return np.zeros((0, 4)), np.zeros(0), np.zeros(0)
