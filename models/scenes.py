"""Training scenes: drawn people, boats and animals on drawn or photographed ground, by day or in thermal, with boxes."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.figures import Cutout, Image, Palette, beast, boat, person, thing

Spectrum = Literal["day", "thermal"]

PERSON_CLASS_ID = 0
"""Class id of a person in the COCO list that both networks keep."""

DRAWN_CLASS_IDS = {"person": PERSON_CLASS_ID, "boat": 8, "beast": 19}
"""What is drawn and asked for, in COCO's numbering; a beast is a cow, standing for water buffalo."""

_THING_MIN_PX = 8.0
"""Things are drawn smaller than the smallest person too: being small and upright proves nothing."""

_VISIBLE_SHARE_MIN = 0.45
"""Whoever is hidden further than this is not asked for: nobody could tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A picture and what is in it.

    Attributes:
        bgr: (h, w, 3) pixels, uint8.
        boxes_px: (n, 4) corners x1, y1, x2, y2.
        class_ids: (n,) COCO class ids.
    """

    bgr: Image
    boxes_px: NDArray[np.float32]
    class_ids: NDArray[np.int64]


def scene(
    rng: np.random.Generator,
    *,
    spectrum: Spectrum,
    size_px: tuple[int, int],
    heights_px: tuple[float, float],
    backdrop: Labelled | None = None,
) -> Labelled:
    """Compose one picture.

    Args:
        rng: The only source of chance.
        spectrum: Colours by daylight, or grey levels by warmth (white-hot and black-hot).
        size_px: Width and height.
        heights_px: Smallest and largest person drawn; between them log-uniform.
        backdrop: A labelled picture to draw onto, its labels are kept; None draws the ground too.
    """
    width, height = size_px
    if backdrop is None:
        canvas, horizon = _ground(rng, spectrum, width, height)
        kept = (np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    else:
        canvas, horizon = backdrop.bgr.astype(np.float32), 0.0
        kept = (backdrop.boxes_px, backdrop.class_ids)
    owner = np.full((height, width), -1, np.int32)
    sun = float(rng.uniform(-1.0, 1.0))
    shadow = float(rng.uniform(0.0, 0.5)) if spectrum == "day" else 0.0
    full_areas: list[float] = []
    boxes: list[tuple[float, float, float, float]] = []
    class_ids: list[int] = []
    people = int(rng.choice([0, 1, 2, 3, 5, 8], p=[0.08, 0.2, 0.22, 0.2, 0.18, 0.12]))
    kinds = ["person"] * people
    kinds += ["thing"] * int(rng.integers(0, 15 if backdrop is None else 5))
    if backdrop is None:
        kinds += ["beast"] * int(rng.random() < 0.25)
        kinds += ["boat"] * int(rng.random() < 0.25)
    low, high = np.log(heights_px[0]), np.log(heights_px[1])
    reach = float(rng.uniform(low, high))  # people of one scene have related sizes
    wanted = [
        float(np.exp(np.clip(rng.normal(reach, 0.25), low, high)))
        if kind == "person"
        else float(np.exp(rng.uniform(np.log(_THING_MIN_PX) if kind == "thing" else low, high)))
        for kind in kinds
    ]
    feet = _feet(rng, wanted, horizon, height, grounded=backdrop is None)
    for index in np.argsort(feet):
        kind, size = kinds[index], wanted[index]
        warm = kind in {"person", "beast"}
        palette = _palette(rng, spectrum, canvas, float(feet[index]), warm=warm)
        if kind == "person":
            cutout = person(rng, size, palette)
        elif kind == "beast":
            cutout = beast(rng, size * 0.8, palette)
        elif kind == "boat":
            cutout = boat(rng, size * 0.7, palette)
        else:
            cutout = thing(rng, size, palette)
        left = float(rng.uniform(-0.02, 1.0)) * width - cutout.alpha.shape[1] / 2
        top = float(feet[index]) - cutout.alpha.shape[0]
        if shadow > 0.05:
            _cast_shadow(canvas, cutout, left, float(feet[index]), sun, shadow)
        placed = _paste(canvas, owner, cutout, round(left), round(top), len(boxes))
        asked = kind in DRAWN_CLASS_IDS
        full_areas.append(float((cutout.alpha > 0.5).sum()) if asked else float("inf"))
        class_ids.append(DRAWN_CLASS_IDS.get(kind, -1))
        boxes.append(placed)
    visible = np.bincount(owner[owner >= 0], minlength=len(boxes)) if boxes else np.zeros(0)
    keep = [i for i, area in enumerate(full_areas) if visible[i] >= _VISIBLE_SHARE_MIN * area]
    drawn = np.array([boxes[i] for i in keep], np.float32).reshape(-1, 4)
    return Labelled(
        bgr=_photographed(rng, canvas, spectrum),
        boxes_px=np.concatenate([kept[0], drawn]),
        class_ids=np.concatenate([kept[1], np.array([class_ids[i] for i in keep], np.int64)]),
    )


def noise(
    rng: np.random.Generator, width: int, height: int, finest_px: float
) -> NDArray[np.float32]:
    """Cloudy noise, zero mean, about unit spread: octaves from a third of the picture to `finest_px`."""
    total = np.zeros((height, width), np.float32)
    cell, weight = width / 3.0, 1.0
    while cell >= finest_px:
        shape = (max(2, int(height / cell * 2.5) + 2), max(2, int(width / cell) + 2))
        octave = rng.normal(0.0, 1.0, shape).astype(np.float32)
        total += weight * np.asarray(
            cv2.resize(octave, (width, height), interpolation=cv2.INTER_CUBIC), np.float32
        )
        cell, weight = cell / 2.0, weight * 0.75
    return total / max(float(total.std()), 1e-6)


def _feet(
    rng: np.random.Generator,
    sizes_px: list[float],
    horizon_px: float,
    height_px: int,
    *,
    grounded: bool,
) -> NDArray[np.float64]:
    """Row of each figure's feet; larger is nearer when the ground has a perspective."""
    sizes = np.array(sizes_px, np.float64)
    free = rng.uniform(max(horizon_px, 0.0) + 8.0, height_px * 1.04, len(sizes))
    if not grounded or not len(sizes):
        return free
    span = height_px - horizon_px
    depth = horizon_px + span * np.clip(sizes / max(sizes.max(), 1.0), 0.05, 1.0)
    mixed = 0.7 * depth + 0.3 * free
    return np.asarray(np.clip(mixed, horizon_px + 4.0, height_px * 1.04), np.float64)


def _ground(
    rng: np.random.Generator, spectrum: Spectrum, width: int, height: int
) -> tuple[NDArray[np.float32], float]:
    """Bare ground with sky, water, a road, tree line; returns it and the row of the horizon."""
    horizon = float(rng.uniform(-0.4, 0.45)) * height
    cover = noise(rng, width, height, float(rng.choice([1.5, 3.0, 8.0])))
    if spectrum == "day":
        earth = np.array(
            [
                [60, 110, 85],
                [85, 125, 140],
                [110, 120, 125],
                [55, 85, 70],
                [130, 150, 165],
                [75, 95, 120],
            ]
        )
        base = earth[rng.integers(len(earth))] * rng.uniform(0.55, 1.35)
        sky = np.array([235, 205, 175]) * rng.uniform(0.6, 1.05)
        water = np.array([120, 110, 90]) * rng.uniform(0.6, 1.4)
        contrast = float(rng.uniform(4, 24))
    else:
        base = np.full(3, rng.uniform(35, 165))
        sky = np.full(3, rng.uniform(5, 60))
        water = base + rng.uniform(-40, 40)
        contrast = float(rng.uniform(3, 16))
    canvas = base[None, None].astype(np.float32) + (contrast * cover)[:, :, None]
    rows = np.arange(height, dtype=np.float32)
    canvas *= (1.0 + 0.15 * (rows / height - 0.5) * float(rng.uniform(-1, 1)))[:, None, None]
    for _ in range(int(rng.integers(0, 4))):  # fields, canals, roads: strips across the ground
        top = float(rng.uniform(max(horizon, 0.0), height))
        thick = float(rng.uniform(0.02, 0.22)) * (top - horizon + 8.0)
        tilt = float(rng.normal(0, 0.08)) * width
        strip = np.array(
            [[0, top], [width, top + tilt], [width, top + tilt + thick], [0, top + thick]], np.int32
        )
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [strip], 255)
        tint = water if rng.random() < 0.5 else base * rng.uniform(0.7, 1.35)
        soft = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.6, 3.0))).astype(np.float32) / 255
        calm = tint[None, None] + (0.35 * contrast * cover)[:, :, None]
        canvas += (calm - canvas) * (soft * 0.85)[:, :, None]
    if horizon > 2.0:
        last = int(horizon)
        fade = np.linspace(1.0, 0.85, last, dtype=np.float32)
        canvas[:last] = (sky[None, None] * fade[:, None, None]).astype(np.float32)
        canvas[:last] += 3.0 * cover[:last, :, None]
        ridge = noise(rng, width, 8, 4.0)[4] * float(rng.uniform(1, 12)) + last - 4.0
        trees = rows[:, None] > ridge[None, :]
        trees &= rows[:, None] <= last + 2
        canvas[trees] = (base * 0.55).astype(np.float32) + contrast * cover[trees][:, None]
    return np.clip(canvas, 0, 255), horizon


def _palette(
    rng: np.random.Generator,
    spectrum: Spectrum,
    canvas: NDArray[np.float32],
    foot_row: float,
    *,
    warm: bool,
) -> Palette:
    def triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
        clipped = np.clip(values, 0, 255)
        return float(clipped[0]), float(clipped[1]), float(clipped[2])

    if spectrum == "day":
        light = float(rng.uniform(0.55, 1.15))

        def cloth() -> tuple[float, float, float]:
            grey = rng.random() < 0.55
            hue = np.full(3, rng.uniform(15, 225)) if grey else rng.uniform(10, 230, 3)
            return triple(hue * light)

        skin = np.array([95, 130, 185]) * rng.uniform(0.5, 1.25) * light
        return Palette(
            skin=triple(skin),
            hair=triple(np.full(3, rng.uniform(10, 70)) * light),
            top=cloth(),
            bottom=cloth(),
            shoes=triple(np.full(3, rng.uniform(15, 120)) * light),
            load=cloth(),
            shading=float(rng.uniform(-0.3, 0.3)),
            grain=float(rng.uniform(1, 7)),
        )
    row = int(np.clip(foot_row - 4, 0, canvas.shape[0] - 1))
    around = float(canvas[max(0, row - 6) : row + 6].mean())
    hot = float(rng.uniform(30, 150)) * (1.0 if warm else float(rng.uniform(-0.5, 0.35)))

    def level(share: float) -> tuple[float, float, float]:
        return triple(np.full(3, around + hot * share))

    return Palette(
        skin=level(float(rng.uniform(0.85, 1.2))),
        hair=level(float(rng.uniform(0.6, 1.0))),
        top=level(float(rng.uniform(0.45, 1.0))),
        bottom=level(float(rng.uniform(0.4, 0.95))),
        shoes=level(float(rng.uniform(0.1, 0.7))),
        load=level(float(rng.uniform(-0.1, 0.4))),
        shading=float(rng.uniform(-0.06, 0.06)),
        grain=float(rng.uniform(0.5, 4)),
    )


def _paste(
    canvas: NDArray[np.float32],
    owner: NDArray[np.int32],
    cutout: Cutout,
    left: int,
    top: int,
    number: int,
) -> tuple[float, float, float, float]:
    """Lay a cut-out over the picture; returns its box, clipped to the picture."""
    height, width = owner.shape
    y1, y2 = max(0, top), min(height, top + cutout.alpha.shape[0])
    x1, x2 = max(0, left), min(width, left + cutout.alpha.shape[1])
    if y1 >= y2 or x1 >= x2:
        return (0.0, 0.0, 0.0, 0.0)
    alpha = cutout.alpha[y1 - top : y2 - top, x1 - left : x2 - left]
    colour = cutout.bgr[y1 - top : y2 - top, x1 - left : x2 - left]
    region = canvas[y1:y2, x1:x2]
    region += (colour - region) * alpha[:, :, None]
    owner[y1:y2, x1:x2][alpha > 0.5] = number
    return (float(x1), float(y1), float(x2), float(y2))


def _cast_shadow(
    canvas: NDArray[np.float32], cutout: Cutout, left: float, foot: float, sun: float, depth: float
) -> None:
    """Darken the ground where the figure, laid down away from the sun, would cover it."""
    height, width = canvas.shape[:2]
    tall, wide = cutout.alpha.shape
    flat = 0.28
    matrix = np.array([[1.0, -sun * 0.9, left + sun * 0.9 * tall], [0.0, flat, foot - flat * tall]])
    shade = cv2.warpAffine(cutout.alpha, matrix, (width, height))
    shade = cv2.GaussianBlur(shade, (0, 0), max(0.8, wide * 0.03))
    canvas *= 1.0 - depth * np.asarray(shade, np.float32)[:, :, None]


def _photographed(
    rng: np.random.Generator, canvas: NDArray[np.float32], spectrum: Spectrum
) -> Image:
    """What lens, sensor and JPEG leave of it."""
    blurred = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.35, 1.1)))
    gain, lift = float(rng.uniform(0.75, 1.2)), float(rng.uniform(-20, 20))
    grain = rng.normal(0, rng.uniform(0.5, 6.0), (*canvas.shape[:2], 1)).astype(np.float32)
    picture = np.clip(np.asarray(blurred, np.float32) * gain + lift + grain, 0, 255).astype(
        np.uint8
    )
    if spectrum == "thermal" or rng.random() < 0.12:  # thermal, or a day camera at dusk
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        if spectrum == "thermal" and rng.random() < 0.4:
            grey = 255 - grey  # black-hot
        picture = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 96))]
    _, data = cv2.imencode(".jpg", picture, quality)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
