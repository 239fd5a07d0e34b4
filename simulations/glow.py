"""Lamps that shine into the lens when it is dark: headlights and tail lights of motorbikes."""

import math

import cv2
import numpy as np

from geo._types import FloatArray
from simulations.ground import Image, View
from simulations.tone import Tone
from simulations.walk import FigureState

_LAMP_UP_M = 0.85
_AHEAD_M = 0.65
_HEAD_BGR = np.array([215.0, 245.0, 255.0])
_TAIL_BGR = np.array([40.0, 30.0, 200.0])
_NEAR_M, _MOST_PX = 3.0, 160.0


def headlights(picture: Image, view: View, figures: list[FigureState], tone: Tone) -> None:
    """Add the lamps of whoever rides a motorbike in the dark, in place; by day they are lost."""
    if not tone.dark or picture.ndim == 2:
        return
    for figure in figures:
        if figure.kind == "motorbike":
            _shine(picture, view, figure, tone)


def _shine(picture: Image, view: View, figure: FigureState, tone: Tone) -> None:
    turn = math.radians(figure.azimuth_deg)
    ahead = np.array([math.sin(turn), math.cos(turn), 0.0])
    middle = np.array(figure.feet_enu_m) + np.array([0.0, 0.0, _LAMP_UP_M])
    to_lens = view.position_enu_m - middle
    away_m = float(np.linalg.norm(to_lens))
    if away_m < _NEAR_M:
        return
    towards = float(ahead @ to_lens) / away_m
    through = tone.through(away_m)
    if towards > 0.0:
        # A beam is narrow: it dazzles only who stands in it, and is a bright spot to others.
        glare = 0.25 + 2.2 * towards**24
        _disc(picture, view, middle + _AHEAD_M * ahead, 0.10 + 0.55 * glare, _HEAD_BGR * through)
    else:
        _disc(picture, view, middle - _AHEAD_M * ahead, 0.16, _TAIL_BGR * through)


def _disc(
    picture: Image, view: View, place_enu_m: FloatArray, radius_m: float, bgr: FloatArray
) -> None:
    """Add a round glow, brightest in its middle."""
    camera = view.to_camera(place_enu_m[None])
    if float(camera[0, 2]) < 1.0:
        return
    at = view.lens.project(camera)[0]
    if not np.isfinite(at).all():
        return
    radius = min(max(radius_m * view.lens.fx_px / float(camera[0, 2]), 2.0), _MOST_PX)
    x, y = round(float(at[0])), round(float(at[1]))
    reach = math.ceil(2.0 * radius)
    left, right = max(0, x - reach), min(picture.shape[1], x + reach + 1)
    top, bottom = max(0, y - reach), min(picture.shape[0], y + reach + 1)
    if right <= left or bottom <= top:
        return
    across = (np.arange(left, right, dtype=np.float32) - np.float32(at[0])) / np.float32(radius)
    down = (np.arange(top, bottom, dtype=np.float32) - np.float32(at[1])) / np.float32(radius)
    away = across[None, :] ** 2 + down[:, None] ** 2
    light = np.exp(-2.2 * away) + 1.6 * np.exp(-30.0 * away)
    glow = np.clip(light[..., None] * bgr.astype(np.float32), 0.0, 255.0).astype(np.uint8)
    part = picture[top:bottom, left:right]
    cv2.add(part, glow, dst=part)
