"""The empty picture at a moment: layers under a light, through the air, or by their warmth."""

import math

import cv2
import numpy as np

from simulations.ground import FloatImage, Image, Layers, mix
from simulations.scenery import TREES_M
from simulations.tone import Tone
from simulations.water import mirror

_LUMA = np.array([0.114, 0.587, 0.299])


def day_plate(layers: Layers, tone: Tone) -> Image:
    """Return (h, w, 3) BGR of the empty world."""
    level = tone.level_bgr
    pale = tone.saturation
    dull = pale * np.eye(3) + (1.0 - pale) * np.tile(_LUMA, (3, 1))
    lit = cv2.transform(layers.colour, (np.diag(level) @ dull).astype(np.float32))
    slopes = layers.place.normal_enu
    if slopes is not None:
        # Against level ground: a slope towards the sun is brighter, one away from it darker.
        facing = np.maximum(slopes @ tone.sun_enu.astype(np.float32), 0.0)
        shade, sunlit = float(tone.shade_bgr.mean()), float(tone.sunlit_bgr.mean())
        lit *= ((shade + (sunlit - shade) * facing) / float(level.mean()))[..., None]
    lamps = tone.lamps_over(layers.distance_m)
    if lamps is not None:
        lit *= lamps
    if layers.water.any():
        lit = _mirrored(layers, tone, lit)
    through = np.exp(np.float32(-tone.moment.extinction_1_m) * layers.distance_m)
    haze = tone.haze_bgr.astype(np.float32)
    lit -= haze
    lit *= through[..., None]
    lit += haze
    lit = mix(lit, _sky(layers, tone), layers.sky)
    np.clip(lit, 0.0, 255.0, out=lit)
    return np.asarray(lit, dtype=np.uint8)


def _mirrored(layers: Layers, tone: Tone, lit: FloatImage) -> FloatImage:
    """Lay the mirrored sky over the water: bright and pale far off, deeper blue near by."""
    share = mirror(layers)
    haze = tone.haze_bgr.astype(np.float32)
    up = np.clip(np.degrees(-layers.place.elevation) / 25.0, 0.0, 1.0)
    zenith = np.array([206.0, 172.0, 134.0]) * float(haze.mean()) / 205.0
    dull = tone.moment.cloud
    zenith = zenith + dull * (haze * 0.85 - zenith)
    sky = mix(np.broadcast_to(haze, lit.shape).astype(np.float32), zenith, up)
    # Far water mirrors the wood behind it.
    beyond_m = np.maximum(TREES_M - layers.distance_m, 1.0)
    top_m = beyond_m * np.tan(np.maximum(-layers.place.elevation, 0.0))
    wood = np.clip((7.0 - top_m) / 5.0, 0.0, 1.0) * np.clip(beyond_m / 20.0, 0.0, 1.0)
    sky = mix(sky, np.array([62.0, 84.0, 72.0]) * tone.level_bgr, 0.75 * wood)
    return mix(lit, sky * 0.94, share)


def _sky(layers: Layers, tone: Tone) -> FloatImage:
    """Return (h, w, 3): blue above, haze below, clouds by their share, glow round a low sun."""
    at = tone.moment
    haze = tone.haze_bgr.astype(np.float32)
    bright = float(haze.mean()) / 205.0
    up = np.clip(np.degrees(layers.place.elevation) / 14.0, 0.0, 1.0)
    dusk = float(np.clip(1.0 - at.sun_elevation_deg / 10.0, 0.0, 1.0))
    zenith = np.array([216.0, 178.0, 138.0]) + dusk * np.array([-40.0, -46.0, -20.0])
    zenith = zenith * bright
    clear = mix(np.broadcast_to(haze, layers.colour.shape).astype(np.float32), zenith, up)
    if at.sun_elevation_deg < 12.0 and at.direct + dusk > 0.0:
        away = np.cos(layers.place.azimuth - math.radians(at.sun_azimuth_deg))
        low = np.clip(1.0 - np.degrees(layers.place.elevation) / 9.0, 0.0, 1.0)
        near_sun = np.clip(away, 0.0, 1.0) ** 3 * low * (1.0 - at.cloud)
        night = float(np.clip(1.0 + at.sun_elevation_deg / 9.0, 0.0, 1.0))
        glow = np.array([120.0, 178.0, 246.0]) * min(bright * 1.1, 1.0)
        clear = mix(clear, glow, 0.75 * night * near_sun)
    # The more of the sky clouds take, the duller they are.
    body = np.array([236.0, 235.0, 232.0]) * bright * (1.0 - 0.22 * at.cloud)
    share = np.clip(layers.cloud_noise + 2.6 * at.cloud - 0.9, 0.0, 1.0) * (0.35 + 0.6 * at.cloud)
    clouds = mix(clear, body + 0.0 * haze, share)
    dim = 1.0 + 0.05 * at.cloud * layers.cloud_noise
    return mix(clouds * dim[..., None], haze, np.full(share.shape, at.fog, dtype=np.float32))


def thermal_plate(layers: Layers, tone: Tone) -> Image:
    """Return (h, w) grey levels of the empty world, white-hot."""
    warm = tone.warmth
    value = layers.grain * np.float32(0.45 * warm.grey_per_c * (0.35 + tone.moment.heat))
    value += np.float32(warm.grey(warm.cover_c))
    for share, temperature in (
        (layers.bare, warm.bare_c), (layers.tree, warm.tree_c), (layers.water, warm.water_c),
    ):  # fmt: skip
        value += share * (np.float32(warm.grey(temperature)) - value)
    slopes = layers.place.normal_enu
    if slopes is not None:
        turned = slopes @ tone.sun_enu.astype(np.float32) - max(float(tone.sun_enu[2]), 0.0)
        value += np.float32(6.0 * warm.grey_per_c * tone.moment.heat) * turned
    air = np.float32(warm.grey(warm.air_c))
    through = np.exp(np.float32(-warm.extinction_1_m) * layers.distance_m)
    value = air + (value - air) * through
    # The sky is cold above and as warm as the air at the horizon.
    up = np.clip(np.degrees(layers.place.elevation) / 25.0, 0.0, 1.0) ** 0.5
    sky = warm.grey_per_c * ((warm.sky_c - warm.air_c) * (0.45 + 0.55 * up))
    cloudy = 0.25 * tone.moment.cloud * warm.grey_per_c * layers.cloud_noise
    sky = air + np.maximum(sky, np.float32(12.0) - air) + cloudy
    value += layers.sky * (sky - value)
    soft = cv2.GaussianBlur(np.asarray(value, dtype=np.float32), (0, 0), 1.1)
    return np.asarray(np.clip(soft, 4.0, 250.0), dtype=np.uint8)
