"""Tufts, reeds and bushes at their places in the world, swaying in gusts that travel with the wind."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from geo._types import FloatArray
from simulations.ground import Look, View
from simulations.landscape import Landscape
from simulations.standing import Cutout, bled

_CELL_M = 6.0
_NEAREST_M, _FARTHEST_M = 5.0, 110.0
_SMALLEST_PX = 22.0
_MOST = 48
_OFTEN: dict[Look, float] = {"rice": 0.05, "dry": 0.06, "grass": 0.10, "mud": 0.03, "scrub": 0.26}
_BUSHES: dict[Look, float] = {"rice": 0.1, "dry": 0.2, "grass": 0.25, "mud": 0.0, "scrub": 0.6}
_IN_FLOOD, _AT_BANK = 0.12, 0.45
_GREENS = np.array(
    [[52, 112, 88], [60, 128, 112], [70, 138, 134], [48, 98, 76], [84, 142, 150]], dtype=np.float32
)
_DRY = np.array([96, 150, 172], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One tuft of grass or reeds, or one bush.

    Attributes:
        seed: of its blades.
        place_enu_m: (3,).
        tall_m: of its highest tip.
        bush: a dome of leaves instead of blades.
        dry: 0 green .. 1 straw.
        wind_to: (2,) unit vector, east and north, that the wind blows to.
        right: (2,) unit vector, east and north, to the right of the picture.
    """

    seed: int
    place_enu_m: FloatArray
    tall_m: float
    bush: bool
    dry: float
    wind_to: FloatArray
    right: FloatArray

    @property
    def leans(self) -> bool:
        """Plants do."""
        return True

    def lean_at(self, t_s: float, wind_m_s: float) -> float:
        """Return -1..1: a steady lean, gusts that travel downwind, and its own quiver."""
        along_m = float(self.place_enu_m[:2] @ self.wind_to)
        own = (self.seed % 628) / 100.0
        gust = math.sin(0.9 * t_s - 0.16 * along_m) + 0.6 * math.sin(
            1.7 * t_s - 0.31 * along_m + own
        )
        quiver = 0.35 * math.sin(6.3 * t_s + own) + 0.25 * math.sin(9.7 * t_s + 2.0 * own)
        push = min(wind_m_s / 12.0, 1.0)
        bend = push * (0.45 + 0.28 * gust) + 0.4 * push**0.5 * quiver * 0.5
        sideways = float(self.wind_to @ self.right)
        return float(bend * sideways + 0.25 * push**0.5 * quiver)

    def cut_out(self, pixels_per_m: float, lean: float) -> Cutout:
        """Draw the plant so large, leaning by -1..1."""
        rng = np.random.default_rng(self.seed)
        tall_px = max(4.0, self.tall_m * pixels_per_m)
        half = math.ceil((0.62 if self.bush else 1.0) * tall_px + 0.3 * tall_px) + 3
        size = (math.ceil(tall_px) + 8, 2 * half + 1)
        bgr = np.zeros((*size, 3), dtype=np.float32)
        cover = np.zeros(size, dtype=np.uint8)
        foot = (float(half), size[0] - 4.0)
        draw = _leaves if self.bush else _blades
        draw(rng, bgr, cover, foot, tall_px, lean, self.dry)
        soft = cv2.GaussianBlur(cover, (0, 0), 0.5).astype(np.float32) / 255.0
        soft = np.asarray(np.clip(soft, 0.0, 1.0), dtype=np.float32)
        return Cutout(
            bgr=bled(bgr),
            cover=soft,
            warm=np.full(size, 0.12 + 0.25 * self.dry, dtype=np.float32),
            anchor_px=foot,
        )


def _blades(  # one brush stroke's parameters
    rng: np.random.Generator, bgr: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    cover: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], foot: tuple[float, float],
    tall_px: float, lean: float, dry: float,
) -> None:  # fmt: skip
    count = int(np.clip(tall_px * 1.6, 26, 130))
    for _ in range(count):
        high = tall_px * rng.uniform(0.45, 1.0)
        out = rng.normal(0.0, 0.34) * high
        base = foot[0] + rng.normal(0.0, 0.26) * tall_px
        bend = lean * 0.42 * high * rng.uniform(0.8, 1.2)
        t = np.linspace(0.0, 1.0, 5)
        x = base + out * t + bend * t**2
        y = foot[1] - high * t + 0.18 * (abs(out) + abs(bend)) * t**2
        green = _GREENS[rng.integers(len(_GREENS))] * rng.uniform(0.7, 1.12)
        colour = green + dry * (_DRY * rng.uniform(0.75, 1.1) - green)
        points = np.rint(np.column_stack((x, y)) * 16.0).astype(np.int32).reshape(-1, 1, 2)
        thick = max(1, round(0.022 * tall_px))
        cv2.polylines(bgr, [points], False, colour.tolist(), thick, cv2.LINE_8, 4)  # noqa: FBT003  # OpenCV's own order
        cv2.polylines(cover, [points], False, 255, thick, cv2.LINE_AA, 4)  # noqa: FBT003  # OpenCV's own order


def _leaves(  # one brush stroke's parameters
    rng: np.random.Generator, bgr: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    cover: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], foot: tuple[float, float],
    tall_px: float, lean: float, dry: float,
) -> None:  # fmt: skip
    count = int(np.clip(tall_px * 4.0, 60, 420))
    turns, reach = rng.uniform(0.0, np.pi, count), rng.uniform(0.0, 1.0, count) ** 0.6
    for turn, far in zip(turns.tolist(), reach.tolist(), strict=True):
        up = tall_px * (0.12 + 0.8 * far * math.sin(turn))
        x = foot[0] + 0.55 * tall_px * far * math.cos(turn) + lean * 0.25 * up
        light = 0.55 + 0.6 * up / tall_px + rng.uniform(-0.15, 0.15)
        green = _GREENS[rng.integers(len(_GREENS))] * light
        colour = green + 0.5 * dry * (_DRY - green)
        size = max(1.0, 0.045 * tall_px * rng.uniform(0.6, 1.4))
        centre = (round(x * 16.0), round((foot[1] - up) * 16.0))
        axes = (round(size * 16.0), round(size * 9.0))
        angle = float(rng.uniform(0.0, 180.0))
        cv2.ellipse(bgr, centre, axes, angle, 0, 360, colour.tolist(), -1, cv2.LINE_8, 4)
        cv2.ellipse(cover, centre, axes, angle, 0, 360, 255, -1, cv2.LINE_AA, 4)


def plants(
    view: View, landscape: Landscape, *, look: Look, wind_from_deg: float, seed: int
) -> list[Plant]:
    """Return the plants that a camera sees large enough, at most a few dozen of the largest.

    They stand where they stand in the world: every camera sees the same ones.
    """
    eye = view.position_enu_m
    forward = view.rotation[:2, 2] / max(float(np.hypot(*view.rotation[:2, 2])), 1e-6)
    right = np.array([forward[1], -forward[0]])
    to = math.radians(wind_from_deg + 180.0)
    wind_to = np.array([math.sin(to), math.cos(to)])
    reach = math.ceil(_FARTHEST_M / _CELL_M)
    middle = np.floor(eye[:2] / _CELL_M).astype(int)
    found: list[tuple[float, Plant]] = []
    for column in range(middle[0] - reach, middle[0] + reach + 1):
        for row in range(middle[1] - reach, middle[1] + reach + 1):
            corner = np.array([column, row]) * _CELL_M
            offset = corner + 0.5 * _CELL_M - eye[:2]
            away = float(np.hypot(*offset))
            ahead, aside = float(offset @ forward), abs(float(offset @ right))
            if not ahead > _NEAREST_M or away > _FARTHEST_M or aside > 2.0 * ahead + _CELL_M:
                continue
            plant = _in_cell(column, row, landscape, look, wind_to, right, seed)
            if plant is None:
                continue
            camera = view.to_camera(plant.place_enu_m[None])
            tall_px = plant.tall_m * view.lens.fy_px / max(float(camera[0, 2]), 1.0)
            pixel = view.lens.project(camera)[0]
            inside = (
                -tall_px < pixel[0] < view.lens.width_px + tall_px
                and -tall_px < pixel[1] < view.lens.height_px + 2.0 * tall_px
            )
            if inside and tall_px >= _SMALLEST_PX and camera[0, 2] > _NEAREST_M:
                found.append((tall_px, plant))
    found.sort(key=lambda pair: (-pair[0], pair[1].seed))
    return [plant for _, plant in found[:_MOST]]


def _in_cell(  # a cell and what its plant follows from
    column: int, row: int, landscape: Landscape, look: Look, wind_to: FloatArray,
    right: FloatArray, seed: int,
) -> Plant | None:  # fmt: skip
    rng = np.random.default_rng([seed, 53, column & 0xFFFFFF, row & 0xFFFFFF])
    due = float(rng.uniform())
    place = (np.array([column, row]) + rng.uniform(0.0, 1.0, 2)) * _CELL_M
    often, reeds = _OFTEN[look], False
    if not landscape.flat:
        index = int(landscape.water_index(place[None])[0])
        around = place + np.array([[1.5, 0.0], [-1.5, 0.0], [0.0, 1.5], [0.0, -1.5]])
        if index >= 0 and landscape.waters[index].kind != "flood":
            return None
        reeds = index >= 0 or bool(landscape.water(around).any())
        often = _IN_FLOOD if index >= 0 else _AT_BANK if reeds else often
    if due > often:
        return None
    bush = not reeds and float(rng.uniform()) < _BUSHES[look]
    tall_m = float(rng.uniform(0.7, 1.5) if bush else rng.uniform(0.4, 0.95))
    return Plant(
        seed=int(rng.integers(0, 2**31)),
        place_enu_m=np.array([place[0], place[1], float(landscape.height_m(place[None])[0])]),
        tall_m=tall_m * (1.5 if reeds else 1.0),
        bush=bush,
        dry=float(rng.uniform(0.5, 1.0) if look == "dry" else rng.uniform(0.0, 0.25)),
        wind_to=wind_to,
        right=right,
    )
