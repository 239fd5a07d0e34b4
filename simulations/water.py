"""Water in the picture: its own colour, what it mirrors, waves that run, and the sun's glitter."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from geo._types import FloatArray
from simulations.ground import TILE, FloatImage, Image, Layers, Place, Tiles, footprint_m, sample
from simulations.ground_looks import Surface
from simulations.landscape import Landscape
from simulations.scenario_place import WaterSettings
from simulations.tone import Tone

_BODIES = {
    "canal": (62.0, 92.0, 96.0),
    "river": (78.0, 108.0, 118.0),
    "sea": (112.0, 112.0, 82.0),
    "flood": (88.0, 116.0, 122.0),
}
"""BGR of the water itself in full light: silt makes it brown, the sea greener."""
_BANK = np.array([74.0, 100.0, 112.0], dtype=np.float32)
_BANK_M = 1.1
_STEP_ON_M = 0.06
_TEXELS_M = (0.06, 0.17)
_SWELL_S = (0.55, 0.8)
"""Metres a second that ripples and waves run, over the root of their scale in metres."""


def with_water(
    place: Place, surface: Surface, landscape: Landscape, tiles: Tiles, focal_px: float
) -> tuple[Surface, FloatImage]:
    """Lay the scenario's water and its muddy banks over the ground.

    Returns:
        The surface, and (h, w) 0..1 where water is.
    """
    shape = place.east_m.shape
    if not landscape.waters:
        return surface, np.zeros(shape, dtype=np.float32)
    places = np.column_stack((place.east_m.ravel(), place.north_m.ravel())).astype(np.float64)
    seen = np.isfinite(places[:, 0])
    # A ray that meets the steep bank behind the water ends on the very edge: a step on, it is land.
    places[:, 0] += _STEP_ON_M * np.sin(place.azimuth.ravel())
    places[:, 1] += _STEP_ON_M * np.cos(place.azimuth.ravel())
    index = np.full(len(places), -1, dtype=np.int64)
    index[seen] = landscape.water_index(places[seen])
    wet = cv2.medianBlur((index >= 0).reshape(shape).astype(np.uint8), 5) > 0
    near = wet.copy()
    for shift in (np.array([1.0, 0.0]), np.array([0.0, 1.0])):
        for way in (-_BANK_M, _BANK_M):
            more = np.zeros(len(places), dtype=np.bool_)
            more[seen] = landscape.water(places[seen] + way * shift)
            near |= more.reshape(shape)
    rim = cv2.morphologyEx(
        (near & ~wet).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 9), dtype=np.uint8)
    )
    bank = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), 1.0)
    water = np.asarray(cv2.GaussianBlur(wet.astype(np.float32), (0, 0), 0.6), dtype=np.float32)
    bodies = np.array([_BODIES[settings.kind] for settings in landscape.waters], dtype=np.float32)
    body = np.where(wet[..., None], bodies[np.maximum(index, 0).reshape(shape)], bodies[0])
    rough = surface.colour.mean(axis=2, keepdims=True) / 105.0
    colour = surface.colour + 0.8 * bank[..., None] * (_BANK * rough - surface.colour)
    colour = colour + water[..., None] * (body - colour)
    dry = 1.0 - water
    # Gusts leave smooth and rough patches, which mirror more and less.
    gusts = 0.7 * sample(tiles.soft, place, 1.3, focal_px) + 0.5 * sample(
        tiles.soft, place, 0.4, focal_px
    )
    return (
        replace(
            surface,
            colour=np.asarray(colour, dtype=np.float32),
            bare=np.asarray(np.maximum(surface.bare, 0.5 * bank) * dry, dtype=np.float32),
            grain=np.asarray(surface.grain * dry + gusts * water, dtype=np.float32),
        ),
        water,
    )


def mirror(layers: Layers) -> FloatImage:
    """Return (h, w) 0..1: how much of a water pixel is the mirrored sky, 0 on land.

    Source: Schlick's approximation of Fresnel's law, for water; waves turn part of it away.
    """
    steep = np.clip(np.abs(np.sin(layers.place.elevation)), 0.0, 1.0)
    part = 0.02 + 0.98 * (1.0 - steep) ** 5
    part = part * (0.66 - 0.16 * np.clip(layers.grain, -1.5, 1.5))
    return np.asarray(part * layers.water, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """One texture of waves: a tile twice over, fixed maps into it, and how it runs.

    Attributes:
        drift_texels_s: (2,) east, north.
    """

    tile: Image
    map_xy: np.typing.NDArray[np.int16]
    drift_texels_s: FloatArray


class Waves:
    """The moving light on the water of one camera's picture.

    Args:
        layers: of the camera.
        waters: of the scenario; the roughest one sets the height of the waves.
        wind_from_deg: where ripples come from.
        focal_px: of the lens.
        tiles: textures.
    """

    def __init__(
        self,
        layers: Layers,
        waters: tuple[WaterSettings, ...],
        wind_from_deg: float,
        focal_px: float,
        tiles: Tiles,
    ) -> None:
        rows, columns = np.nonzero(layers.water > 0.02)
        self.none = len(rows) == 0
        if self.none:
            return
        self.rows = slice(int(rows.min()), int(rows.max()) + 1)
        self.columns = slice(int(columns.min()), int(columns.max()) + 1)
        window = (self.rows, self.columns)
        place = layers.place
        height_m = max(settings.wave_height_m for settings in waters)
        moving = max(waters, key=lambda settings: settings.current_m_s)
        toward = np.radians(wind_from_deg + 180.0)
        current_to = np.radians(moving.current_to_deg)
        current = moving.current_m_s * np.array([np.sin(current_to), np.cos(current_to)])
        self._sheets = []
        foot = footprint_m(place, focal_px)[window]
        strength = np.zeros(foot.shape, dtype=np.float32)
        for texel_m, speed, turn in zip(_TEXELS_M, _SWELL_S, (-0.3, 0.5), strict=True):
            way = np.array([np.sin(toward + turn), np.cos(toward + turn)])
            # The crests lie across the wind: the texture is squeezed along it.
            east, north = np.nan_to_num(place.east_m[window]), np.nan_to_num(place.north_m[window])
            along = east * way[0] + north * way[1]
            across = east * way[1] - north * way[0]
            u = np.mod(across * 0.35 / texel_m, TILE).astype(np.float32)
            v = np.mod(along / texel_m, TILE).astype(np.float32)
            coarse = np.clip(128.0 + 46.0 * tiles.soft, 0, 255).astype(np.uint8)
            twice = np.ascontiguousarray(np.tile(coarse, (2, 2))[: 2 * TILE, : TILE + 2])
            whole, _ = cv2.convertMaps(u, v, cv2.CV_16SC2, nninterpolation=True)
            run = speed * texel_m**0.5 + float(current @ way)
            self._sheets.append(
                _Sheet(tile=twice, map_xy=whole, drift_texels_s=np.array([0.0, run / texel_m]))
            )
            fade = np.clip(2.0 - np.nan_to_num(foot, nan=1e3) / (24.0 * texel_m), 0.15, 1.0)
            strength += 0.5 * fade.astype(np.float32)
        lively = min(1.0, 0.25 + 4.0 * height_m)
        self._strength = np.asarray(
            np.clip(200.0 * lively * strength * layers.water[window], 0, 255), dtype=np.uint8
        )
        self._azimuth, self._elevation = place.azimuth[window], place.elevation[window]
        self._wet = layers.water[window]
        self._lively = lively

    def glitter(self, tone: Tone) -> Image | None:
        """Return (h, w) how low a wave must be to stay dark; None where the sun makes no glitter."""
        if self.none or tone.moment.direct < 0.05 or tone.moment.sun_elevation_deg < 1.0:
            return None
        sun_turn = np.radians(tone.moment.sun_azimuth_deg)
        sun_up = np.radians(tone.moment.sun_elevation_deg)
        turn = np.mod(self._azimuth - sun_turn + np.pi, 2.0 * np.pi) - np.pi
        across = turn / np.radians(7.0 + 25.0 * self._lively)
        down = (self._elevation + sun_up) / np.radians(10.0 + 30.0 * self._lively)
        zone = np.exp(-0.5 * (across**2 + down**2)) * self._wet * tone.moment.direct
        if float(zone.max()) < 0.05:
            return None
        return np.asarray(255.0 - 110.0 * zone, dtype=np.uint8)

    def run(self, picture: Image, t_s: float, glitter: Image | None) -> None:
        """Let the waves run over the empty picture, in place."""
        if self.none:
            return
        seen = []
        for sheet in self._sheets:
            shift = round(-float(sheet.drift_texels_s[1]) * t_s) % TILE
            seen.append(
                cv2.remap(
                    sheet.tile[shift : shift + TILE + 1, : TILE + 1], sheet.map_xy, None,
                    cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE,
                )
            )  # fmt: skip
        waves = cv2.addWeighted(seen[0], 0.5, seen[1], 0.5, 0.0)
        part = picture[self.rows, self.columns]
        up = cv2.multiply(cv2.subtract(waves, 128), self._strength, scale=1.0 / 255.0)
        down = cv2.multiply(cv2.subtract(128, waves), self._strength, scale=1.0 / 255.0)
        if glitter is not None:
            sparkle = cv2.multiply(cv2.subtract(waves, glitter), 6.0)
            up = cv2.add(up, sparkle)
        cv2.add(part, cv2.merge((up, up, up)), dst=part)
        cv2.subtract(part, cv2.merge((down, down, down)), dst=part)
