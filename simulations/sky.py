"""Sun, night and weather of a scenario at an instant."""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from astral import Observer
from astral.sun import azimuth, elevation

from geo._types import FloatArray
from geo.frames import GeodeticPoint
from simulations.scenario import Scenario
from simulations.scenario_place import WeatherSettings

_CIVIL_DUSK_DEG = -6.0
_FULL_DAY_DEG = 8.0
_MIXED = (
    "cloud",
    "rain_mm_h",
    "visibility_m",
    "shimmer_px",
    "wind_m_s",
    "insects_per_min",
    "air_c",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """What lights the world.

    Attributes:
        sun_enu: (3,) unit vector towards the sun, below the ground at night.
        sun_elevation_deg: without refraction.
        direct: 0..1 of a clear noon's sunlight that reaches the ground; 0 leaves no shadow.
        ambient: 0..1 of a clear noon's skylight; at night that of moon and lamps.
    """

    sun_enu: FloatArray
    sun_elevation_deg: float
    direct: float
    ambient: float

    @property
    def night(self) -> bool:
        """Whether the sun is below civil dusk."""
        return self.sun_elevation_deg < _CIVIL_DUSK_DEG


class Sky:
    """Sun and weather of one scenario.

    Args:
        scenario: validated.
        place: where the sun is looked up.

    Source of the sun's place: Meeus, "Astronomical Algorithms", as the library astral has it.
    """

    def __init__(self, scenario: Scenario, place: GeodeticPoint) -> None:
        self._scenario = scenario
        self._observer = Observer(place.lat_deg, place.lon_deg, 0.0)

    def light(self, t_s: float) -> Light:
        """Return sun and sky at an instant."""
        fixed = self._scenario.light
        if fixed.sun_azimuth_deg is not None and fixed.sun_elevation_deg is not None:
            turn_deg, up_deg = fixed.sun_azimuth_deg, fixed.sun_elevation_deg
        else:
            moment = self._scenario.start_utc + timedelta(seconds=t_s)
            turn_deg = float(azimuth(self._observer, moment))
            up_deg = float(elevation(self._observer, moment, with_refraction=False))
        cloud = self.weather(t_s).cloud
        day = float(
            np.clip((up_deg - _CIVIL_DUSK_DEG) / (_FULL_DAY_DEG - _CIVIL_DUSK_DEG), 0.0, 1.0)
        )
        night = 0.02 + 0.06 * fixed.moon + (0.25 if fixed.lamps else 0.0)
        turn, up = math.radians(turn_deg), math.radians(up_deg)
        return Light(
            sun_enu=np.array(
                [math.sin(turn) * math.cos(up), math.cos(turn) * math.cos(up), math.sin(up)]
            ),
            sun_elevation_deg=up_deg,
            direct=(1.0 - cloud) * float(np.clip(up_deg / 12.0, 0.0, 1.0)),
            ambient=max(night * (1.0 - day), 0.0) + day * (1.0 - 0.35 * cloud),
        )

    def weather(self, t_s: float) -> WeatherSettings:
        """Return the weather at an instant, mixed between the spells around it."""
        spells = self._scenario.weather
        after = next((k for k, spell in enumerate(spells) if spell.at_s > t_s), len(spells))
        if after == len(spells):
            return spells[-1]
        before, then = spells[max(after - 1, 0)], spells[after]
        share = (t_s - before.at_s) / (then.at_s - before.at_s)
        mixed = {
            name: (1.0 - share) * getattr(before, name) + share * getattr(then, name)
            for name in _MIXED
        }
        return before.model_copy(update=mixed)
