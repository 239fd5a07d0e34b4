"""What the camera adds by itself: noise that grows with its gain, a fixed pattern, and its faults."""

import cv2
import numpy as np

from simulations.ground import Image
from simulations.scenario_node import CameraFaultSettings, CameraSettings

_WANDER_PX = 256
_GAIN_STEP = 1.25
_BANKS_KEPT = 2
_PATTERN_SHARE = 0.35
"""Fixed pattern of a thermal sensor, over its temporal noise."""


class SensorNoise:
    """Noise of one camera; equal index, equal noise.

    Two saturating passes over bytes are ten times faster than one with signed numbers. The noise
    of a frame is a window of a larger sheet, at another place for every index.

    Args:
        shape: of the picture.
        sigma: grey levels, at a gain of 1.
        seed: of the scenario.
    """

    def __init__(self, shape: tuple[int, ...], sigma: float, seed: int) -> None:
        self._shape, self._sigma, self._seed = shape, sigma, seed
        self._banks: dict[int, tuple[Image, Image]] = {}
        self._pattern = None if len(shape) == 3 else self._fixed_pattern()

    def add(self, picture: Image, index: int, gain: float) -> None:
        """Add the noise of a frame to a picture in place."""
        if self._sigma <= 0.0:
            return
        step = round(float(np.log(max(gain, 0.25)) / np.log(_GAIN_STEP)))
        brighter, darker = self._bank(step)
        mixed = (index + 1) * 2654435761 % 2**32
        top, left = (mixed >> 8) % _WANDER_PX, (mixed >> 20) % _WANDER_PX
        window = slice(top, top + self._shape[0]), slice(left, left + self._shape[1])
        cv2.add(picture, brighter[window], dst=picture)
        cv2.subtract(picture, darker[window], dst=picture)

    def _bank(self, step: int) -> tuple[Image, Image]:
        found = self._banks.get(step)
        if found is None:
            if len(self._banks) >= _BANKS_KEPT:
                self._banks.clear()
            found = self._banks[step] = self._new_bank(_GAIN_STEP**step)
        return found

    def _new_bank(self, gain: float) -> tuple[Image, Image]:
        rng = np.random.default_rng(self._seed + 23)
        size = (self._shape[0] + _WANDER_PX, self._shape[1] + _WANDER_PX, *self._shape[2:])
        noise = rng.standard_normal(size, dtype=np.float32)
        if gain > 1.3 and len(size) == 3:
            # At high gain the camera smooths: coarse blotches are left, paler than the noise was.
            blotches = cv2.GaussianBlur(noise, (0, 0), 1.3)
            grey = noise.mean(axis=2, keepdims=True) * np.float32(1.7)
            noise = np.asarray(0.62 * grey + 0.38 * noise + 0.8 * blotches, dtype=np.float32)
        noise = np.rint(noise * np.float32(self._sigma * gain))
        return _both(noise)

    def _fixed_pattern(self) -> tuple[Image, Image]:
        rng = np.random.default_rng(self._seed + 29)
        columns = rng.standard_normal((1, self._shape[1]), dtype=np.float32)
        rough = rng.standard_normal(self._shape, dtype=np.float32)
        swell = cv2.resize(
            rng.standard_normal((5, 8), dtype=np.float32),
            (self._shape[1], self._shape[0]),
            interpolation=cv2.INTER_CUBIC,
        )
        pattern = np.asarray(0.7 * columns + 0.6 * rough + 1.2 * swell, dtype=np.float32)
        return _both(np.rint(pattern * np.float32(_PATTERN_SHARE * self._sigma)))

    def add_pattern(self, picture: Image) -> None:
        """Add what every frame of this thermal sensor shows alike."""
        if self._pattern is not None:
            cv2.add(picture, self._pattern[0], dst=picture)
            cv2.subtract(picture, self._pattern[1], dst=picture)


def _both(noise: np.typing.NDArray[np.float32]) -> tuple[Image, Image]:
    """Return what brightens and what darkens."""
    return (
        np.clip(noise, 0, 255).astype(np.uint8),
        np.clip(-noise, 0, 255).astype(np.uint8),
    )


def fault_at(camera: CameraSettings, t_s: float) -> CameraFaultSettings | None:
    """Return the fault that changes the picture at an instant; a camera offline sends none."""
    for spell in camera.fault:
        if spell.kind != "offline" and spell.holds(t_s):
            return spell
    return None


def covered(shape: tuple[int, ...], *, thermal: bool) -> Image:
    """Return the picture of a camera under a cloth or a hand: dim, without any edge."""
    height, width = shape[:2]
    across = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
    down = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    glow = np.exp(-((across - 0.7) ** 2 + (down + 0.8) ** 2) / 0.5)
    if thermal:
        return np.asarray(np.clip(150.0 + 18.0 * glow, 0, 255), dtype=np.uint8)
    colour = np.array([16.0, 20.0, 30.0]) + glow[..., None] * np.array([26.0, 34.0, 52.0])
    return np.asarray(np.clip(colour, 0, 255), dtype=np.uint8)
