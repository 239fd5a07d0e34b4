"""The empty world behind the figures of one camera, with all that moves in it by itself.

What changes slowly is drawn once a moment and kept; waves and shadows of clouds are laid over it.
"""

import numpy as np

from simulations.air import CLOUD_STEP_S, CloudShadows, Shimmer
from simulations.ground import Image, View, look_at, tiles_of
from simulations.ground_looks import surface
from simulations.plate import day_plate, thermal_plate
from simulations.scenery import with_trees
from simulations.tone import Moment, Tone
from simulations.water import Waves, with_water
from simulations.world import World

_PLATES_KEPT = 2
_FAINT = 0.02


class Backdrop:
    """One camera's picture of nobody.

    Args:
        world: ground, water, weather.
        view: the camera's mean pose.
        margin_px: how much more is drawn on every side, for a camera that sways.
        thermal: grey levels by warmth instead of colours.
    """

    def __init__(self, world: World, view: View, margin_px: int, *, thermal: bool) -> None:
        self._world, self._thermal, self._margin_px = world, thermal, margin_px
        seed, focal_px = world.scenario.seed, view.lens.fx_px
        tiles = tiles_of(seed)
        wide = view.widened(margin_px)
        place = look_at(wide, world.landscape)
        ground = surface(world.scenario.ground.look, place, tiles, focal_px)
        ground, water = with_water(place, ground, world.landscape, tiles, focal_px)
        self._layers = with_trees(wide, place, ground, water, tiles, seed)
        wind_from_deg = world.weather(0.0).wind_from_deg
        self._waves = Waves(self._layers, world.landscape.waters, wind_from_deg, focal_px, tiles)
        self._clouds = CloudShadows(self._layers, tiles)
        self._shimmer: Shimmer | None = None
        if any(spell.shimmer_px > 0.0 for spell in world.scenario.weather):
            self._shimmer = Shimmer(self._layers.inner(margin_px), tiles)
        self._plates: dict[Moment, Image] = {}
        self._shaded: dict[tuple[Moment, int], Image] = {}
        self._glitters: dict[Moment, Image | None] = {}

    def picture(self, tone: Tone, t_s: float) -> Image:
        """Return a fresh copy of the empty picture of an instant, margin included."""
        if self._thermal:
            return np.array(self._plate(tone))
        picture = np.array(self._lit(tone, t_s))
        self._waves.run(picture, t_s, self._glitter(tone))
        return picture

    def shimmer(self, picture: Image, t_s: float, sigma_px: float) -> None:
        """Bend a finished picture (without margin) by hot air, in place."""
        if self._shimmer is not None:
            self._shimmer.bend(picture, t_s, sigma_px)

    def _lit(self, tone: Tone, t_s: float) -> Image:
        """Return the empty picture with clouds' shadows; not to be written to."""
        plate = self._plate(tone)
        if self._clouds.strength(tone) < _FAINT:
            return plate
        step = int(t_s / CLOUD_STEP_S)
        found = self._shaded.get((tone.moment, step))
        if found is None:
            self._shaded.clear()
            weather = self._world.weather(step * CLOUD_STEP_S)
            found = self._shaded[tone.moment, step] = self._clouds.cast(
                plate, tone, step * CLOUD_STEP_S, self._world.scenario.weather[0].wind_m_s,
                weather.wind_from_deg,
            )  # fmt: skip
        return found

    def _plate(self, tone: Tone) -> Image:
        found = self._plates.get(tone.moment)
        if found is None:
            if len(self._plates) >= _PLATES_KEPT:
                self._plates.clear()
            make = thermal_plate if self._thermal else day_plate
            found = self._plates[tone.moment] = make(self._layers, tone)
        return found

    def _glitter(self, tone: Tone) -> Image | None:
        if tone.moment not in self._glitters:
            if len(self._glitters) >= _PLATES_KEPT:
                self._glitters.clear()
            self._glitters[tone.moment] = self._waves.glitter(tone)
        return self._glitters[tone.moment]
