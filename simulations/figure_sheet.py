"""A sheet of every kind of actor, from several sides, by day and in thermal, to be looked at.

``python -c "from simulations.figure_sheet import write; write('docs/pictures/figures.jpg')"``
"""

import math
from pathlib import Path

import cv2
import numpy as np

from geo.lens import Lens, rotation_enu_from_camera
from simulations.figure_draw import FigurePainter
from simulations.ground import Image, View
from simulations.scenario_actor import NATURES, Kind
from simulations.tone import Moment, Tone, tone
from simulations.walk import FigureState, Looks

_CELL_PX = (150, 140)
_AZIMUTHS_DEG = (100.0, 55.0, 10.0, 190.0, 235.0, 280.0)
_THERMAL_FROM = 4
_KINDS_PER_ROW = 2
_AWAY_M, _LENS_M = 35.0, 4.0
_JPEG_QUALITY = 78
_LOADS = ("pack", "sack", "pole")
_FIELD_BGR, _WATER_BGR, _NIGHT_GREY = (62, 112, 104), (110, 112, 96), 84


def contact_sheet() -> Image:
    """Return (h, w, 3): two kinds a row, of each four views by day and two in thermal."""
    day = tone(
        Moment(
            sun_elevation_deg=50.0, sun_azimuth_deg=130.0, heat=0.5, direct=0.8, ambient=0.93,
            cloud=0.2, extinction_1_m=2e-4, fog=0.0, rain_mm_h=0.0, air_c=27.0,
        )
    )  # fmt: skip
    night = tone(
        Moment(
            sun_elevation_deg=-30.0, sun_azimuth_deg=130.0, heat=0.0, direct=0.0, ambient=0.03,
            cloud=0.2, extinction_1_m=2e-4, fog=0.0, rain_mm_h=0.0, air_c=24.0,
        )
    )  # fmt: skip
    painter = FigurePainter(1)
    strips = [_strip(painter, kind, day, night) for kind in NATURES]
    while len(strips) % _KINDS_PER_ROW:
        strips.append(np.zeros_like(strips[0]))
    rows = [
        np.hstack(strips[k : k + _KINDS_PER_ROW]) for k in range(0, len(strips), _KINDS_PER_ROW)
    ]
    return np.asarray(np.vstack(rows), dtype=np.uint8)


def write(path: str | Path) -> None:
    """Write the sheet as JPEG."""
    done, data = cv2.imencode(".jpg", contact_sheet(), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ValueError(f"{path}: the sheet could not be encoded as JPEG")
    Path(path).write_bytes(data.tobytes())


def _strip(painter: FigurePainter, kind: Kind, day: Tone, night: Tone) -> Image:
    wide, tall = _CELL_PX
    nature = NATURES[kind]
    cells = []
    for number, azimuth_deg in enumerate(_AZIMUTHS_DEG):
        figure = _figure(kind, number, azimuth_deg)
        long_m = max(1.2 * nature.length_m, 2.1)
        view = _view(min(0.9 * wide / long_m, 0.84 * tall / 2.0), figure)
        if number < _THERMAL_FROM:
            colour = _WATER_BGR if nature.moves_on == "water" else _FIELD_BGR
            cell = np.empty((tall, wide, 3), dtype=np.uint8)
            cell[:] = colour
            painter.marks(cell, view, figure, day)
            painter.draw(cell, view, figure, day)
        else:
            grey = np.full((tall, wide), _NIGHT_GREY, dtype=np.uint8)
            painter.marks(grey, view, figure, night)
            painter.draw(grey, view, figure, night)
            cell = cv2.merge((grey, grey, grey))
        cells.append(cell)
    strip = np.ascontiguousarray(np.hstack(cells))
    cv2.putText(
        strip, kind, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA
    )
    return np.asarray(strip, dtype=np.uint8)


def _figure(kind: Kind, number: int, azimuth_deg: float) -> FigureState:
    nature = NATURES[kind]
    moving = not (kind in ("tourist", "sampan", "buffalo", "cow") and number % 3 == 2)
    still = nature.gait in ("work", "float", "fly", "swim")
    shared = kind in ("sampan", "motorboat", "motorbike")
    return FigureState(
        figure_id=f"{kind}/0/{number}", group_id=f"{kind}/0", actor_id=kind, kind=kind,
        object_class=nature.object_class, feet_enu_m=(0.0, 0.0, 2.0 if kind == "birds" else 0.0),
        azimuth_deg=azimuth_deg, speed_m_s=nature.speed_m_s if moving else 0.0,
        gait=nature.gait if moving or still else "stand", phase=(0.1 + 0.17 * number) % 1.0,
        looks=Looks(
            seed=5 + 13 * number, height_m=nature.height_m[0], length_m=nature.length_m,
            hat="none", load=_LOADS[number % 3] if kind == "carrier" else "none", dress="any",
            aboard=1 + number % 3 if shared else 1,
        ),
        water_level_m=0.0 if nature.moves_on == "water" else None,
    )  # fmt: skip


def _view(px_per_m: float, figure: FigureState) -> View:
    """Return a camera that shows a figure in the middle of a cell at a scale."""
    wide, tall = _CELL_PX
    middle_m = figure.feet_enu_m[2] + {"birds": 0.0, "swimmer": 0.1, "crawling": 0.25}.get(
        figure.kind, 0.5 if NATURES[figure.kind].height_m[0] < 0.6 else 0.82
    )
    focal_px = px_per_m * math.hypot(_AWAY_M, _LENS_M)
    return View(
        lens=Lens(
            fx_px=focal_px, fy_px=focal_px, cx_px=0.5 * (wide - 1), cy_px=0.5 * (tall - 1),
            width_px=wide, height_px=tall,
        ),
        position_enu_m=np.array([0.0, -_AWAY_M, _LENS_M]),
        rotation=rotation_enu_from_camera(
            0.0, -math.degrees(math.atan2(_LENS_M - middle_m, _AWAY_M)), 0.0
        ),
    )  # fmt: skip
