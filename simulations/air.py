"""Air that moves what is seen: heat shimmer over hot ground, and shadows of clouds on the fields."""

import cv2
import numpy as np

from simulations.ground import TILE, FloatImage, Image, Layers, Tiles
from simulations.tone import Tone

_CELL_PX = 8
_SHIMMER_AT_M = 100.0
_SHIMMER_MOST = 3.0
_RISE_CELLS_S = (5.0, 8.5)
_CLOUD_TEXEL_M = 1.1
_CLOUD_CELL_PX = 8
CLOUD_STEP_S = 0.25
"""Shadows of clouds move on four times a second: slow things need no more."""
_ALOFT = 1.6
"""Wind at the clouds, over that at the ground."""


class Shimmer:
    """Small smooth displacements that grow with distance and rise with the hot air.

    Args:
        layers: of the camera.
        tiles: textures.
    """

    def __init__(self, layers: Layers, tiles: Tiles) -> None:
        width = layers.distance_m.shape[1]
        reach = np.clip((layers.distance_m / _SHIMMER_AT_M) ** 0.75, 0.0, _SHIMMER_MOST)
        # Air is hot near the ground: the high sky does not shimmer.
        reach = reach * (1.0 - 0.7 * layers.sky)
        strong = np.flatnonzero(reach.max(axis=1) > 0.25)
        self._end = int(strong.max()) + 1 if len(strong) else 0
        if self._end == 0:
            return
        cells = (max(width // _CELL_PX, 2), max(self._end // _CELL_PX, 2))
        self._size = (width, self._end)
        self._reach = cv2.resize(reach[: self._end], cells, interpolation=cv2.INTER_AREA)
        self._noise = np.tile(tiles.middle, (2, 2))
        x, y = np.meshgrid(np.arange(width), np.arange(self._end))
        self._x, self._y = x.astype(np.float32), y.astype(np.float32)

    def bend(self, picture: Image, t_s: float, sigma_px: float) -> None:
        """Bend a picture in place; ``sigma_px`` is the displacement at 100 m."""
        if self._end == 0 or sigma_px < 0.05:
            return
        rows, columns = self._reach.shape
        bent = []
        for k, base in enumerate((self._x, self._y)):
            first = self._window(t_s * _RISE_CELLS_S[0], 300 * k, rows, columns)
            second = self._window(t_s * _RISE_CELLS_S[1], 300 * k + 150, rows, columns)
            # It quivers up and down more than to the sides.
            size = np.float32(sigma_px * (0.45 if k == 0 else 0.7))
            field = (first + second) * self._reach * size
            bent.append(base + cv2.resize(field, self._size, interpolation=cv2.INTER_LINEAR))
        part = picture[: self._end]
        part[:] = cv2.remap(
            picture, bent[0], bent[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def _window(self, risen: float, aside: int, rows: int, columns: int) -> FloatImage:
        """Return the noise that has risen so far, smoothly between whole cells."""
        whole = int(np.floor(risen))
        part = np.float32(risen - whole)
        top, left = whole % (TILE // 2), aside % (TILE // 2)
        now = self._noise[top : top + rows, left : left + columns]
        then = self._noise[top + 1 : top + 1 + rows, left : left + columns]
        return np.asarray(now + part * (then - now), dtype=np.float32)


class CloudShadows:
    """Light and shade that drift over the fields with the wind aloft.

    Args:
        layers: of the camera.
        tiles: textures.
    """

    def __init__(self, layers: Layers, tiles: Tiles) -> None:
        height, width = layers.sky.shape
        cells = (max(width // _CLOUD_CELL_PX, 2), max(height // _CLOUD_CELL_PX, 2))
        place = layers.place

        def small(layer: FloatImage, away: float) -> FloatImage:
            return np.asarray(
                cv2.resize(np.nan_to_num(layer, nan=away), cells, interpolation=cv2.INTER_NEAREST),
                dtype=np.float32,
            )

        self._east, self._north = small(place.east_m, 0.0), small(place.north_m, 0.0)
        self._ground = 1.0 - cv2.resize(layers.sky, cells, interpolation=cv2.INTER_AREA)
        self._size = (width, height)
        self._tile = tiles.cloud

    def strength(self, tone: Tone) -> float:
        """Return how much light comes and goes, 0..1; nothing under a clear or a closed sky."""
        cloud = tone.moment.cloud
        return tone.shadow * 2.2 * cloud * (1.0 - cloud)

    def cast(
        self, plate: Image, tone: Tone, t_s: float, wind_m_s: float, wind_from_deg: float
    ) -> Image:
        """Return the empty picture with the shadows of an instant."""
        to = np.radians(wind_from_deg + 180.0)
        run = _ALOFT * wind_m_s * t_s
        u = np.mod((self._east - run * np.sin(to)) / _CLOUD_TEXEL_M, TILE).astype(np.float32)
        v = np.mod((self._north - run * np.cos(to)) / _CLOUD_TEXEL_M, TILE).astype(np.float32)
        noise = cv2.remap(self._tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        swing = np.clip(noise * 1.4, -1.0, 1.0) * self._ground
        gain = np.clip(200.0 * (1.0 - self.strength(tone) * swing), 0.0, 255.0).astype(np.uint8)
        wide = cv2.resize(gain, self._size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(
            cv2.multiply(plate, cv2.merge((wide, wide, wide)), scale=1.0 / 200.0), dtype=np.uint8
        )
