"""How light and air make things look at an instant: shading, exposure, haze, warmth in grey levels.

A picture's tone depends on rounded values only (`Moment`), so that two instants of the same moment
share one empty picture, whatever was filmed before.
"""

import math
from dataclasses import dataclass

import numpy as np

from geo._types import FloatArray
from simulations.ground import FloatImage, Look
from simulations.scenario_place import WeatherSettings
from simulations.sky import Light

SKY_SHARE = 0.30
"""Skylight of a clear noon, over all light that a surface facing the sun then gets."""
SUN_SHARE = 0.95
_GAIN_MAX = 8.0
"""The most that the camera's automatic exposure brightens over a clear noon."""
_EXPOSED = 0.97
"""Light on level ground of a clear noon, for which the ground's colours are given."""
_CONTRAST_THRESHOLD = 3.912
"""-ln 0.02: at the meteorological range 2 % of the contrast is left."""
_LAMP_REACH_M = 32.0
_LAMP_BGR = np.array([0.80, 0.96, 1.06])
_COVER_HEATS_C: dict[Look, float] = {
    "rice": 2.5, "grass": 3.5, "scrub": 4.0, "mud": 6.0, "dry": 9.0,
}  # fmt: skip
_SKIN_C = 33.5
_GREY_GROUND = 84.0
_GREY_SPAN = 140.0
_SPAN_MIN_C = 9.0
_THERMAL_NOISE_C = 11.5
"""Span of a scene for which a camera's noise is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the empty picture depends on, rounded finer than anybody sees.

    Attributes:
        sun_elevation_deg, sun_azimuth_deg: of the sun now.
        heat: 0..1, sunshine that the ground has stored: it lags behind the sun.
        direct, ambient: as in `Light`.
        cloud: 0..1.
        extinction_1_m: of the air between, fog and rain together.
        fog: 0..1, share of the extinction that fog and rain make.
        rain_mm_h: now.
        air_c: air temperature.
        lamps: 0..1, light of lamps near the camera.
        look: of the ground; wet plants stay cool in the sun.
    """

    sun_elevation_deg: float
    sun_azimuth_deg: float
    heat: float
    direct: float
    ambient: float
    cloud: float
    extinction_1_m: float
    fog: float
    rain_mm_h: float
    air_c: float
    lamps: float = 0.0
    look: Look = "rice"


_THERMAL_LAG_S = 5400.0


def moment(
    light: Light,
    soon: Light,
    soon_s: float,
    weather: WeatherSettings,
    *,
    lamps: bool = False,
    look: Look = "rice",
) -> Moment:
    """Round light and weather of an instant.

    Args:
        light: at the instant.
        soon: ``soon_s`` later; tells morning from evening, whose ground is warmer.
        soon_s: how much later.
        weather: at the instant.
        lamps: whether lamps stand near the camera; they are lit when it is dark.
        look: of the ground.

    Source of the extinction by rain: Atlas, "Optical extinction by rainfall", J. Meteorology 10,
    1953, in the usual form 0.21 R^0.63 per kilometre.
    """
    rising_deg_s = (soon.sun_elevation_deg - light.sun_elevation_deg) / soon_s
    lagging_deg = float(
        np.clip(light.sun_elevation_deg - _THERMAL_LAG_S * rising_deg_s, -90.0, 90.0)
    )
    rain = round(weather.rain_mm_h * 2.0) / 2.0
    wet = math.exp(-rain / 8.0)
    heat = (1.0 - 0.85 * weather.cloud) * max(math.sin(math.radians(lagging_deg)), 0.0) * wet
    clear = _CONTRAST_THRESHOLD / max(weather.visibility_m, 20.0)
    extinction = clear + 0.21e-3 * rain**0.63
    fog = float(np.clip(math.log10(extinction / 4e-4) / 1.2, 0.0, 1.0))
    dark = float(np.clip(0.3 - light.sun_elevation_deg / 8.0, 0.0, 1.0))
    east, north, _ = light.sun_enu.tolist()
    return Moment(
        sun_elevation_deg=round(light.sun_elevation_deg * 4.0) / 4.0,
        sun_azimuth_deg=round(math.degrees(math.atan2(east, north)) * 2.0) / 2.0 % 360.0,
        heat=round(heat, 2),
        direct=round(light.direct * math.exp(-2.5 * fog), 2),
        ambient=round(light.ambient * (1.0 - 0.25 * min(rain / 50.0, 1.0)), 3),
        cloud=round(weather.cloud, 2),
        extinction_1_m=float(f"{extinction:.2g}"),
        fog=round(fog, 2),
        rain_mm_h=rain,
        air_c=round(weather.air_c, 1),
        lamps=round(0.25 * dark, 2) if lamps else 0.0,
        look=look,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """Temperatures of a thermal picture and the grey levels they get, white-hot.

    Attributes:
        cover_c: plants that stand in water or green.
        bare_c: trodden, dry soil.
        tree_c, water_c, sky_c: of each.
        air_c, skin_c, sun_c: air, bare skin, and what the sun adds to dry things in it.
        grey_per_c: of the automatic gain.
        extinction_1_m: of the air, at these wavelengths.
    """

    cover_c: float
    bare_c: float
    tree_c: float
    water_c: float
    sky_c: float
    air_c: float
    skin_c: float
    sun_c: float
    grey_per_c: float
    extinction_1_m: float

    def grey(self, temperature_c: float) -> float:
        """Return the grey level of a temperature seen from near."""
        return _GREY_GROUND + self.grey_per_c * (temperature_c - self.cover_c)

    def of_body(self, share: float) -> float:
        """Return the grey level of a part of a living body.

        Args:
            share: 1 bare skin, 0 a thing that is as warm as air and sun make it.
        """
        own = self.air_c + share * (self.skin_c - self.air_c) + (1.0 - share) * self.sun_c
        return self.grey(own)

    @property
    def noise_gain(self) -> float:
        """How much stronger than stated the noise is: weak contrast is amplified, noise too."""
        return self.grey_per_c * _THERMAL_NOISE_C / _GREY_SPAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """How things look at a moment.

    A surface shows its colour times ``shade_bgr`` where no sun falls, times ``sunlit_bgr`` where
    it faces the sun, and in between by the cosine.

    Attributes:
        moment: what all of it follows from.
        sun_enu: (3,) towards the sun.
        shade_bgr, sunlit_bgr, level_bgr: (3,) factors; ``level_bgr`` is that of level ground.
        haze_bgr: (3,) colour that distance fades into.
        saturation: 0 grey .. 1.
        shadow: 0..1, how much darker than sunlit level ground its shadow is.
        noise_gain: how much stronger than by daylight the camera's noise is.
        lamp_bgr: (3,) squared factor of lamplight beside the lamps.
        warmth: for thermal pictures.
    """

    moment: Moment
    sun_enu: FloatArray
    shade_bgr: FloatArray
    sunlit_bgr: FloatArray
    level_bgr: FloatArray
    haze_bgr: FloatArray
    saturation: float
    shadow: float
    noise_gain: float
    lamp_bgr: FloatArray
    warmth: Warmth

    def lit_at(self, distance_m: float) -> tuple[FloatArray, FloatArray]:
        """Return (3,) factors in shade and facing the sun, with the lamps' light at a distance."""
        more = self.lamp_bgr * _lamp_share(distance_m)
        return np.sqrt(self.shade_bgr**2 + more), np.sqrt(self.sunlit_bgr**2 + more)

    def lamps_over(self, distance_m: FloatImage) -> FloatImage | None:
        """Return (h, w, 3) by how much lamps brighten level ground; None without lamps."""
        if not self.lamp_bgr.any():
            return None
        share = np.asarray(_lamp_share(distance_m), dtype=np.float32)[..., None]
        more = share * (self.lamp_bgr / np.maximum(self.level_bgr, 1e-3) ** 2).astype(np.float32)
        return np.asarray(np.sqrt(1.0 + more), dtype=np.float32)

    def through(self, distance_m: float, *, thermal: bool = False) -> float:
        """Return 0..1: the share of a thing's own contrast that comes through the air.

        Source: Koschmieder, "Theorie der horizontalen Sichtweite", 1924.
        """
        rate = self.warmth.extinction_1_m if thermal else self.moment.extinction_1_m
        return math.exp(-rate * distance_m)

    def muted(self, bgr: FloatArray) -> FloatArray:
        """Return (n, 3) colours as pale as a dark scene makes them."""
        grey = bgr @ np.array([0.114, 0.587, 0.299])
        return np.asarray(grey[:, None] + self.saturation * (bgr - grey[:, None]), np.float64)

    @property
    def dark(self) -> bool:
        """Whether lamps are seen to shine."""
        return self.moment.ambient < 0.35


def _lamp_share(distance_m: float | FloatImage) -> float | FloatImage:
    """Return how much of the lamps' light reaches a distance from camera and lamps."""
    return 1.0 / (1.0 + (distance_m / _LAMP_REACH_M) ** 2)


def tone(at: Moment) -> Tone:
    """Return how things look at a moment."""
    up = math.radians(at.sun_elevation_deg)
    turn = math.radians(at.sun_azimuth_deg)
    sun_enu = np.array([math.sin(turn) * math.cos(up), math.cos(turn) * math.cos(up), math.sin(up)])
    slant = max(math.sin(up), 0.0)
    # Lamps are in the scenario's ambient light already; they light what is near, not the sky.
    ambient = max(at.ambient - at.lamps, 0.015) if at.lamps else at.ambient
    level = SKY_SHARE * ambient + SUN_SHARE * at.direct * slant
    # Exposure follows the light, less than fully: bright days stay bright, dusk grows dim.
    gain = min(_GAIN_MAX, (_EXPOSED / max(level + 0.3 * at.lamps, 1e-4)) ** 0.82)
    low = float(np.clip(1.0 - at.sun_elevation_deg / 25.0, 0.0, 1.0))
    below = float(np.clip(-at.sun_elevation_deg / 6.0, 0.0, 1.0))
    sun_bgr = np.array([1.0 - 0.45 * low, 1.0 - 0.14 * low, 1.03])
    sky_bgr = np.array([1.04 + 0.16 * below, 1.0 - 0.02 * below, 0.97 - 0.08 * below])
    sky_bgr = sky_bgr + at.cloud * (np.array([1.0, 1.0, 1.0]) - sky_bgr)
    sky_light = SKY_SHARE * ambient * gain * sky_bgr**2
    sun_light = SUN_SHARE * at.direct * gain * sun_bgr**2
    shade = np.sqrt(sky_light)
    sunlit = np.sqrt(sky_light + sun_light)
    level_bgr = shade + (sunlit - shade) * slant
    haze = _haze(at, (1.0 - 0.45 * below) * math.sqrt(min(ambient * gain * 1.6, 1.05)), low)
    return Tone(
        moment=at,
        sun_enu=sun_enu,
        shade_bgr=shade,
        sunlit_bgr=sunlit,
        level_bgr=level_bgr,
        haze_bgr=haze,
        saturation=float(np.clip(0.25 + 2.5 * at.ambient, 0.0, 1.0)),
        lamp_bgr=0.9 * at.lamps * gain * _LAMP_BGR**2,
        shadow=float(1.0 - (shade / level_bgr).mean()),
        noise_gain=max(1.0, gain) ** 0.6,
        warmth=warmth(at),
    )


def _haze(at: Moment, brightness: float, low: float) -> FloatArray:
    """Return (3,) the colour of the far air: blue-grey by day, warm at a low sun, grey in fog."""
    clear = np.array([214.0, 206.0, 196.0]) * (1.0 - 0.6 * low) + 0.6 * low * np.array(
        [168.0, 190.0, 220.0]
    )
    if at.sun_elevation_deg < 0.0:
        blue = min(-at.sun_elevation_deg / 8.0, 1.0)
        clear = clear + blue * (np.array([190.0, 170.0, 160.0]) - clear)
    dull = np.array([206.0, 204.0, 201.0])
    grey = max(at.fog, 0.7 * at.cloud)
    return np.asarray((clear + grey * (dull - clear)) * min(brightness, 1.05), dtype=np.float64)


def warmth(at: Moment) -> Warmth:
    """Return the temperatures of a moment: warm soil after sunset, hot soil and cool people at noon."""
    wet = math.exp(-at.rain_mm_h / 8.0)
    open_sky = (1.0 - at.cloud) * (1.0 - at.fog) * wet
    dark = float(np.clip(0.5 - at.sun_elevation_deg / 20.0, 0.0, 1.0))
    cover = at.air_c + _COVER_HEATS_C[at.look] * at.heat - 2.0 * dark * open_sky
    bare = at.air_c + 11.0 * at.heat - 1.2 * dark * open_sky + 1.6 * dark * wet
    skin = _SKIN_C + 0.12 * (at.air_c - 27.0)
    warm_ends = sorted((cover, bare, skin))
    span = max(warm_ends[-1] - cover, 0.6 * (bare - cover), _SPAN_MIN_C)
    return Warmth(
        cover_c=cover,
        bare_c=bare,
        tree_c=at.air_c + 2.5 * at.heat + 0.5 * dark,
        water_c=0.55 * 27.5 + 0.45 * at.air_c + 2.0 * at.heat,
        sky_c=at.air_c - 6.0 - 16.0 * open_sky,
        air_c=at.air_c,
        skin_c=skin,
        sun_c=9.0 * at.heat,
        grey_per_c=_GREY_SPAN / span,
        extinction_1_m=0.45 * at.extinction_1_m * at.fog + 1.2e-4,
    )
