"""One figure before one camera, for tests of how figures look."""

import math

import cv2
import numpy as np

from geo.lens import Lens, rotation_enu_from_camera
from simulations.ground import View
from simulations.scenario_actor import NATURES
from simulations.tone import Moment, tone
from simulations.walk import FigureState, Looks

KINDS = tuple(NATURES)
NOON = tone(
    Moment(
        sun_elevation_deg=50.0, sun_azimuth_deg=130.0, heat=0.5, direct=0.8, ambient=0.93,
        cloud=0.2, extinction_1_m=2e-4, fog=0.0, rain_mm_h=0.0, air_c=27.0,
    )
)  # fmt: skip
NIGHT = tone(
    Moment(
        sun_elevation_deg=-30.0, sun_azimuth_deg=130.0, heat=0.0, direct=0.0, ambient=0.03,
        cloud=0.2, extinction_1_m=2e-4, fog=0.0, rain_mm_h=0.0, air_c=24.0,
    )
)  # fmt: skip


def figure(kind, *, azimuth_deg=30.0, phase=0.2, seed=5, moving=True, at=(0.0, 0.0), **looks):
    """Return one of a kind, usual in all that is not said."""
    nature = NATURES[kind]
    known = {
        "seed": seed, "height_m": nature.height_m[0], "length_m": nature.length_m, "hat": "none",
        "load": "none", "dress": "any", "aboard": 1,
    }  # fmt: skip
    gait = nature.gait
    if not moving and gait not in ("work", "float", "fly", "swim"):
        gait = "stand"
    return FigureState(
        figure_id="a/0/0", group_id="a/0", actor_id="a", kind=kind,
        object_class=nature.object_class,
        feet_enu_m=(*at, 2.0 if kind == "birds" else 0.0), azimuth_deg=azimuth_deg,
        speed_m_s=nature.speed_m_s if moving else 0.0, gait=gait, phase=phase,
        looks=Looks(**{**known, **looks}),
        water_level_m=0.0 if nature.moves_on == "water" else None,
    )  # fmt: skip


def view(*, distance_m=30.0, height_m=4.0, focal_px=2000.0, size_px=(960, 540), up_m=0.8, **bends):
    """Return a camera south of the origin that looks at it."""
    wide, tall = size_px
    pitch_deg = -math.degrees(math.atan2(height_m - up_m, distance_m))
    return View(
        lens=Lens(
            fx_px=focal_px, fy_px=focal_px, cx_px=0.5 * (wide - 1), cy_px=0.5 * (tall - 1),
            width_px=wide, height_px=tall, **bends,
        ),
        position_enu_m=np.array([0.0, -distance_m, height_m]),
        rotation=rotation_enu_from_camera(0.0, pitch_deg, 0.0),
    )  # fmt: skip


def opencv_pixels(camera, points_enu_m):
    """Return (n, 2) pixels as OpenCV projects them."""
    rotation, _ = cv2.Rodrigues(camera.rotation.T)
    shift = -camera.rotation.T @ camera.position_enu_m
    pixels, _ = cv2.projectPoints(
        np.asarray(points_enu_m, dtype=np.float64), rotation, shift, camera.lens.matrix,
        camera.lens.distortion,
    )  # fmt: skip
    return pixels[:, 0, :]
