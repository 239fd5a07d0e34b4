"""What the weather does before and on the lens: streaks of rain, drops on the glass, insects."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from simulations.ground import FloatImage, Image

_WANDER_PX = 256
_SHEETS_KEPT = 2
_MOST_DROPS = 26
_RAIN_STEP_MM_H = 2.0
_EXPOSURE_S = 0.012


class Rain:
    """Streaks of falling drops: a window of a larger sheet, at another place for every frame.

    Args:
        shape: of the picture.
        focal_px: of the lens.
        seed: of the scenario.
    """

    def __init__(self, shape: tuple[int, ...], focal_px: float, seed: int) -> None:
        self._shape, self._focal_px, self._seed = shape, focal_px, seed
        self._sheets: dict[tuple[int, int], Image] = {}

    def fall(
        self, picture: Image, index: int, *, rain_mm_h: float, wind_m_s: float, bright: float
    ) -> None:
        """Add a frame's streaks in place; ``bright`` is that of the sky, 0..1."""
        step = math.ceil(rain_mm_h / _RAIN_STEP_MM_H)
        if step <= 0:
            return
        sheet = self._sheet(step, round(wind_m_s / 2.0))
        mixed = (index + 1) * 2246822519 % 2**32
        for bits in (mixed, mixed * 3266489917 % 2**32):
            top, left = (bits >> 8) % _WANDER_PX, (bits >> 20) % _WANDER_PX
            seen = sheet[top : top + self._shape[0], left : left + self._shape[1]]
            seen = cv2.convertScaleAbs(seen, alpha=bright)
            if picture.ndim == 3:
                cv2.add(picture, cv2.merge((seen, seen, seen)), dst=picture)
            else:
                # A drop is as cold as the air that it falls through.
                cv2.subtract(picture, cv2.convertScaleAbs(seen, alpha=0.35), dst=picture)

    def _sheet(self, step: int, slant: int) -> Image:
        found = self._sheets.get((step, slant))
        if found is None:
            if len(self._sheets) >= _SHEETS_KEPT:
                self._sheets.clear()
            found = self._sheets[step, slant] = self._new_sheet(step, slant)
        return found

    def _new_sheet(self, step: int, slant: int) -> Image:
        rng = np.random.default_rng([self._seed, 31, step, slant])
        height, width = self._shape[0] + _WANDER_PX, self._shape[1] + _WANDER_PX
        sheet = np.zeros((height, width), dtype=np.float32)
        rain_mm_h = step * _RAIN_STEP_MM_H
        # Half on each of the two windows that a frame shows.
        count = int(3.2 * rain_mm_h**0.8 * width * height / 1e6 * 6.0)
        lean = 2.0 * slant / 8.0
        for near_m, share, glow in ((2.2, 0.06, 34.0), (5.0, 0.24, 26.0), (12.0, 0.7, 17.0)):
            layer = np.zeros_like(sheet)
            long_px = 7.5 * _EXPOSURE_S * self._focal_px / near_m
            thick = max(1, round(0.0024 * self._focal_px / near_m))
            for _ in range(int(count * share)):
                x, y = rng.uniform(0, width), rng.uniform(0, height)
                length = long_px * rng.uniform(0.6, 1.3)
                end = (
                    round((x + lean * length * rng.uniform(0.8, 1.2)) * 8),
                    round((y + length) * 8),
                )
                cv2.line(
                    layer, (round(x * 8), round(y * 8)), end, glow * rng.uniform(0.5, 1.2), thick,
                    cv2.LINE_AA, 3,
                )  # fmt: skip
            sheet += cv2.GaussianBlur(layer, (0, 0), 0.7 + 1.6 / near_m)
        return np.asarray(np.clip(sheet, 0, 255), dtype=np.uint8)


class Drops:
    """Drops on the glass in front of the lens; each is a small blurred fish-eye of the scene.

    Args:
        shape: of the picture.
        seed: of the scenario.
    """

    def __init__(self, shape: tuple[int, ...], seed: int) -> None:
        self._shape, self._seed = shape, seed
        self._masks: dict[int, FloatImage] = {}

    def wet(self, picture: Image, t_s: float, rain_mm_h: float) -> None:
        """Put the drops of an instant on a picture, in place."""
        count = min(_MOST_DROPS, int(2.0 + 0.7 * rain_mm_h)) if rain_mm_h >= 1.0 else 0
        height, width = self._shape[:2]
        for slot in range(count):
            rng = np.random.default_rng([self._seed, 37, slot])
            stay_s, begin_s = rng.uniform(20.0, 70.0), rng.uniform(0.0, 70.0)
            turn, age = divmod((t_s + begin_s) / stay_s, 1.0)
            rng = np.random.default_rng([self._seed, 41, slot, int(turn)])
            radius = round(float(rng.uniform(0.008, 0.03) * width))
            x, y = rng.uniform(0, width), rng.uniform(-0.1, 0.95) * height
            # A drop sits, then runs down.
            y += max(0.0, age - 0.93) / 0.07 * 0.5 * height
            self._drop(picture, round(float(x)), round(float(y)), radius)

    def _drop(self, picture: Image, x: int, y: int, radius: int) -> None:
        height, width = self._shape[:2]
        if not (radius <= x < width - radius and radius <= y < height - radius):
            return
        reach = 3 * radius
        top, bottom = max(0, y - reach), min(height, y + reach)
        left, right = max(0, x - reach), min(width, x + reach)
        side = 2 * radius
        small = cv2.resize(
            picture[top:bottom, left:right], (side, side), interpolation=cv2.INTER_AREA
        )
        small = cv2.GaussianBlur(cv2.flip(small, -1), (0, 0), max(1.0, 0.18 * radius))
        mask = self._mask(radius)
        share = mask if picture.ndim == 2 else mask[..., None]
        part = picture[y - radius : y + radius, x - radius : x + radius]
        part[:] = (part * (1.0 - share) + small * share).astype(np.uint8)

    def _mask(self, radius: int) -> FloatImage:
        found = self._masks.get(radius)
        if found is None:
            at = (np.arange(2 * radius, dtype=np.float32) - radius + 0.5) / radius
            away = np.hypot(at[None, :], at[:, None] * 0.92)
            found = np.asarray(0.85 * np.clip((1.0 - away) * 3.0, 0.0, 1.0), dtype=np.float32)
            self._masks[radius] = found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flight:
    """One insect's way past the lens, in pixels and seconds."""

    begin_s: float
    lasts_s: float
    start_px: tuple[float, float]
    speed_px_s: tuple[float, float]
    radius_px: float
    wobble: float
    solid: float


class Insects:
    """Insects near the lens: large blurred blobs that cross, and some that sit on the glass.

    Args:
        shape: of the picture.
        seed: of the scenario.
    """

    _LONGEST_S = 24

    def __init__(self, shape: tuple[int, ...], seed: int) -> None:
        self._shape, self._seed = shape, seed
        self._known: dict[tuple[int, float], list[_Flight]] = {}

    def cross(self, picture: Image, t_s: float, *, per_min: float, grey: float) -> None:
        """Draw whoever is before the lens at an instant, in place, in a grey level."""
        if per_min <= 0.0:
            return
        now = math.floor(t_s)
        for second in range(now - self._LONGEST_S, now + 1):
            for flight in self._of(second, per_min):
                age = t_s - flight.begin_s
                if 0.0 <= age < flight.lasts_s:
                    self._blob(picture, flight, age, grey)

    def _of(self, second: int, per_min: float) -> list[_Flight]:
        key = (second, round(per_min, 1))
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 4 * self._LONGEST_S:
                self._known.clear()
            found = self._known[key] = self._flights(*key)
        return found

    def _flights(self, second: int, per_min: float) -> list[_Flight]:
        if second < 0:
            return []
        rng = np.random.default_rng([self._seed, 43, second])
        height, width = self._shape[:2]
        # The same draw at every rate, so that rising numbers only add.
        due = rng.uniform()
        count, chance = 0, math.exp(-per_min / 60.0)
        total = chance
        while due > total and count < 12:
            count += 1
            chance *= per_min / 60.0 / count
            total += chance
        found = []
        for number in range(count):
            own = np.random.default_rng([self._seed, 47, second, number])
            sits = own.uniform() < 0.06
            angle = own.uniform(0.0, 2.0 * np.pi)
            speed = own.uniform(4.0, 14.0) if sits else own.uniform(0.3, 1.1) * width
            lasts_s = (
                own.uniform(6.0, float(self._LONGEST_S) - 1.0) if sits else width / speed * 0.9
            )
            middle = np.array([own.uniform(0.1, 0.9) * width, own.uniform(0.1, 0.9) * height])
            way = speed * np.array([np.cos(angle), np.sin(angle)])
            start = middle - 0.5 * lasts_s * way
            found.append(
                _Flight(
                    begin_s=second + float(own.uniform()), lasts_s=float(lasts_s),
                    start_px=(float(start[0]), float(start[1])),
                    speed_px_s=(float(way[0]), float(way[1])),
                    radius_px=float(own.uniform(0.006, 0.028) * width * (1.4 if sits else 1.0)),
                    wobble=float(own.uniform(0.0, 2.0 * np.pi)),
                    solid=float(own.uniform(0.35, 0.85)),
                )
            )  # fmt: skip
        return found

    def _blob(self, picture: Image, flight: _Flight, age_s: float, grey: float) -> None:
        height, width = self._shape[:2]
        radius = flight.radius_px
        swing = 0.8 * radius * math.sin(9.0 * age_s + flight.wobble)
        x = flight.start_px[0] + flight.speed_px_s[0] * age_s
        y = flight.start_px[1] + flight.speed_px_s[1] * age_s + swing
        smear = math.hypot(*flight.speed_px_s) * _EXPOSURE_S
        reach = math.ceil(2.2 * radius + smear)
        left, right = max(0, int(x) - reach), min(width, int(x) + reach)
        top, bottom = max(0, int(y) - reach), min(height, int(y) + reach)
        if right - left < 2 or bottom - top < 2:
            return
        # A blob this blurred has no detail: it is drawn small.
        shrink = max(1.0, radius / 6.0)
        size = math.ceil((bottom - top) / shrink), math.ceil((right - left) / shrink)
        mask = np.zeros(size, dtype=np.uint8)
        angle = math.degrees(math.atan2(flight.speed_px_s[1], flight.speed_px_s[0]))
        unit = 8.0 / shrink
        axes = (round(unit * (0.6 * radius + 0.5 * smear)), round(unit * 0.45 * radius))
        centre = (round(unit * (x - left)), round(unit * (y - top)))
        cv2.ellipse(mask, centre, axes, angle, 0, 360, 255, -1, cv2.LINE_AA, 3)
        wings = 0.35 * radius * (1.0 + math.sin(61.0 * age_s))
        cv2.ellipse(
            mask, centre, (round(0.4 * unit * radius), round(unit * wings)), angle + 90.0, 0, 360,
            120, -1, cv2.LINE_AA, 3,
        )  # fmt: skip
        small = cv2.GaussianBlur(mask, (0, 0), max(0.42 * radius / shrink, 0.3))
        soft = cv2.resize(small, (right - left, bottom - top)).astype(np.float32)
        share = soft * np.float32(flight.solid / 255.0)
        part = picture[top:bottom, left:right]
        if part.ndim == 3:
            share = share[..., None]
        part[:] = (part + share * (grey - part.astype(np.float32))).astype(np.uint8)
