"""The ground as it looks from above, laid out in tiles by place: what a camera in flight sees.

The same fields as `simulations.ground` paints for masts, lit and warmed as there, but drawn once for
each place and fineness instead of once for a camera, and then looked up through any pose. A tile
follows from its place, the scenario's seed and the moment alone, so that a frame does too.
"""

from collections import OrderedDict
from dataclasses import replace

import cv2
import numpy as np

from simulations.ground import FloatImage, Image, Layers, Place, Tiles, tiles_of
from simulations.ground_looks import surface
from simulations.plate import day_plate, thermal_plate
from simulations.tone import Moment, Tone
from simulations.water import with_water
from simulations.world import World

FINEST_M = 0.02
"""Of a texel of level 0; each level is twice as coarse."""
LEVELS = 9
_TILE_PX = 256
_RIM_PX = 8
_TILES_KEPT = 600
_FOCAL_PX = 1000.0

_Key = tuple[Moment, int, int, int]


class Carpet:
    """The ground of one world.

    Args:
        world: ground, water, light.
        thermal: grey levels by warmth instead of colours.
    """

    def __init__(self, world: World, *, thermal: bool) -> None:
        self._world, self._thermal = world, thermal
        self._tiles: Tiles = tiles_of(world.scenario.seed)
        self._kept: OrderedDict[_Key, Image] = OrderedDict()

    def sheet(
        self, tone: Tone, level: int, east_m: tuple[float, float], north_m: tuple[float, float]
    ) -> tuple[Image, float, float]:
        """Return a picture of a rectangle of ground, rows from north to south.

        Args:
            tone: of the instant.
            level: how coarse, 0 to `LEVELS` - 1.
            east_m: from, to.
            north_m: from, to.

        Returns:
            The picture, at least that large, and the east and north of its first texel's middle.
        """
        size_m = _TILE_PX * texel_m(level)
        columns = range(int(np.floor(east_m[0] / size_m)), int(np.floor(east_m[1] / size_m)) + 1)
        rows = range(int(np.floor(north_m[1] / size_m)), int(np.floor(north_m[0] / size_m)) - 1, -1)
        bands = [np.hstack([self._tile(tone, level, i, j) for i in columns]) for j in rows]
        half = 0.5 * texel_m(level)
        return np.vstack(bands), columns[0] * size_m + half, (rows[0] + 1) * size_m - half

    def _tile(self, tone: Tone, level: int, column: int, row: int) -> Image:
        key = (tone.moment, level, column, row)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        found = self._kept[key] = self._draw(tone, level, column, row)
        if len(self._kept) > _TILES_KEPT:
            self._kept.popitem(last=False)
        return found

    def _draw(self, tone: Tone, level: int, column: int, row: int) -> Image:
        texel = texel_m(level)
        # Blurs reach over the tile's edge: what they need of the neighbours is drawn too.
        across = (np.arange(-_RIM_PX, _TILE_PX + _RIM_PX) + 0.5) * texel
        east = column * _TILE_PX * texel + across
        north = (row + 1) * _TILE_PX * texel - across
        shape = (len(across), len(across))
        even = np.ones(shape, dtype=np.float32)
        place = Place(
            east_m=np.broadcast_to(east, shape).astype(np.float32),
            north_m=np.broadcast_to(north[:, None], shape).astype(np.float32),
            distance_m=even * np.float32(texel * _FOCAL_PX),
            elevation=even * np.float32(-0.5 * np.pi),
            azimuth=0.0 * even,
        )
        world = self._world
        ground = surface(world.scenario.ground.look, place, self._tiles, _FOCAL_PX)
        ground, water = with_water(place, ground, world.landscape, self._tiles, _FOCAL_PX)
        layers = Layers(
            colour=ground.colour,
            # The air between is the camera's matter: here is none.
            distance_m=0.0 * even,
            sky=0.0 * even,
            bare=np.asarray(ground.bare * (1.0 - water), dtype=np.float32),
            tree=0.0 * even,
            water=water,
            grain=ground.grain,
            cloud_noise=0.0 * even,
            place=replace(place, normal_enu=self._normal(place)),
        )
        whole = (thermal_plate if self._thermal else day_plate)(layers, tone)
        return np.ascontiguousarray(whole[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX])

    def _normal(self, place: Place) -> FloatImage | None:
        """Return (h, w, 3) of the ground; None where it is level everywhere."""
        land = self._world.landscape
        if land.flat:
            return None
        spots = np.column_stack((place.east_m.ravel(), place.north_m.ravel())).astype(np.float64)
        normal = np.ones((len(spots), 3), dtype=np.float32)
        normal[:, :2] = -land.slope(spots)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        return normal.reshape(*place.east_m.shape, 3)


def texel_m(level: int) -> float:
    """Return how wide a texel of a level is."""
    return float(FINEST_M * 2**level)


def through_lens(  # one lookup's parameters
    carpet: Carpet,
    tone: Tone,
    east_m: FloatImage,
    north_m: FloatImage,
    footprint_m: FloatImage,
    empty: Image,
) -> Image:
    """Return what every pixel sees of the ground.

    Args:
        carpet: the ground.
        tone: of the instant.
        east_m: (h, w) place of every pixel; nan where it sees no ground.
        north_m: the same.
        footprint_m: (h, w) how much ground a pixel covers, the longer side.
        empty: the picture where no ground is seen; written to and returned.
    """
    seen = np.isfinite(east_m)
    if not seen.any():
        return empty
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = np.log2(footprint_m / np.float32(FINEST_M))
    level_of = np.clip(np.nan_to_num(np.rint(wanted), nan=-1.0), 0, LEVELS - 1).astype(np.int8)
    level_of[~seen] = -1
    for level in np.unique(level_of[level_of >= 0]).tolist():
        mask = level_of == level
        there = np.nonzero(mask)
        window = (
            slice(int(there[0].min()), int(there[0].max()) + 1),
            slice(int(there[1].min()), int(there[1].max()) + 1),
        )
        own = mask[window]
        east, north = east_m[window], north_m[window]
        margin = 2.0 * texel_m(level)
        sheet, first_east, first_north = carpet.sheet(
            tone,
            level,
            (float(east[own].min()) - margin, float(east[own].max()) + margin),
            (float(north[own].min()) - margin, float(north[own].max()) + margin),
        )
        size = np.float32(texel_m(level))
        found = cv2.remap(
            sheet,
            np.nan_to_num((east - np.float32(first_east)) / size),
            np.nan_to_num((np.float32(first_north) - north) / size),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        cv2.copyTo(found, own.astype(np.uint8), empty[window])
    return empty
