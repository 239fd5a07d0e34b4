"""A drone's film: the world through a lens that flies, at true scale and with its truth.

Nothing of it can be drawn beforehand, so it leaves out what costs most and shows least from above:
the far wood, single plants and posts, shadows of clouds, running waves, insects on the glass.
"""

from functools import partial
from typing import Protocol

import cv2
import numpy as np

from geo._types import FloatArray
from geo.lens import Lens
from simulations.carpet import Carpet, through_lens
from simulations.figure_draw import FigurePainter
from simulations.figure_truth import MIN_DEPTH_M, TruthBox, depth_m, truth_box
from simulations.film import encode_jpeg
from simulations.glow import headlights
from simulations.ground import FloatImage, Image, View, pixel_rays
from simulations.lens_weather import Rain
from simulations.occlusion import Screen, screens, with_occlusion
from simulations.scenario_node import CameraSettings
from simulations.sensor import SensorNoise
from simulations.tone import Moment, Tone, moment, tone
from simulations.walk import FigureState
from simulations.world import World

_SOON_S = 120.0
_TONES_KEPT = 4
_FAR_M = 2_500.0
_GRID_PX = 16


class Flown(Protocol):
    """Knows where a camera in flight is."""

    def pose(self, t_s: float) -> tuple[FloatArray, FloatArray]:
        """Return the true place (3,) in the site's frame and (3, 3) rotation camera to ENU."""
        ...


class DroneFilm:
    """One drone's film of a world; frames in any order, if the flight keeps all of its past.

    Args:
        world: who is where.
        camera: lens, sensor and rate; where it stands and looks is the flight's matter.
        flight: where it is.
    """

    def __init__(self, world: World, camera: CameraSettings, flight: Flown) -> None:
        self.world = world
        self.camera = camera
        self.flight = flight
        self._lens = Lens.from_hfov(camera.hfov_deg, camera.width_px, camera.height_px)
        self._thermal = camera.spectrum == "thermal"
        self._shape: tuple[int, ...] = (camera.height_px, camera.width_px)
        if not self._thermal:
            self._shape = (*self._shape, 3)
        seed = world.scenario.seed
        self._carpet = Carpet(world, thermal=self._thermal)
        self._painter = FigurePainter(seed)
        self._noise = SensorNoise(self._shape, camera.noise_sigma, seed)
        self._rain = Rain(self._shape, self._lens.fx_px, seed)
        self._tones: dict[Moment, Tone] = {}

    @property
    def view(self) -> View:
        """Where it sets out."""
        return self.view_at(0.0)

    def view_at(self, t_s: float) -> View:
        """Return the true pose at an instant."""
        place, rotation = self.flight.pose(t_s)
        return View(lens=self._lens, position_enu_m=place, rotation=rotation)

    def truth(self, t_s: float) -> tuple[TruthBox, ...]:
        """Return the true box of everybody in front of the camera at an instant."""
        view = self.view_at(t_s)
        boxes = [truth_box(view, figure) for figure in self.world.figures(t_s)]
        whole = [box for box in boxes if box is not None]
        return with_occlusion(view, whole, self.world.landscape)

    def tone(self, t_s: float) -> Tone:
        """Return light, air and warmth at an instant; lamps on the ground do not reach up."""
        at = moment(
            self.world.light(t_s), self.world.light(t_s + _SOON_S), _SOON_S,
            self.world.weather(t_s), lamps=False, look=self.world.scenario.ground.look,
        )  # fmt: skip
        found = self._tones.get(at)
        if found is None:
            if len(self._tones) >= _TONES_KEPT:
                self._tones.clear()
            found = self._tones[at] = tone(at)
        return found

    def frame(self, t_s: float, index: int) -> Image:
        """Return the picture at an instant; ``index`` picks the noise, so equal calls are equal.

        Returns:
            (h, w, 3) BGR by day, (h, w) grey in thermal.
        """
        now, view = self.tone(t_s), self.view_at(t_s)
        picture = self._empty(view, now)
        drawn = [(depth_m(view, figure), figure) for figure in self.world.figures(t_s)]
        near = [pair for pair in drawn if pair[0] > MIN_DEPTH_M]
        figures = [figure for _, figure in sorted(near, key=lambda pair: -pair[0])]
        behind = self._behind_ground(view, figures)
        for figure in figures:
            if figure.figure_id not in behind:
                self._painter.marks(picture, view, figure, now, self._ground_m(figure))
        for figure in figures:
            paint = partial(self._painter.draw, picture, view, figure, now)
            screen = behind.get(figure.figure_id)
            if screen is None:
                paint()
            else:
                screen.draw_behind(picture, paint)
        headlights(picture, view, figures, now)
        self._rains(picture, index, now, self.world.weather(t_s).wind_m_s)
        self._expose(picture, index, now)
        return picture

    def jpeg(self, t_s: float, index: int) -> bytes:
        """Return the picture at an instant as JPEG."""
        return encode_jpeg(self.frame(t_s, index), self.camera.jpeg_quality)

    def received(self, t_s: float, index: int) -> Image:
        """Return the picture as a node gets it: through the camera's own JPEG, BGR always."""
        data = np.frombuffer(self.jpeg(t_s, index), dtype=np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)

    # --- the empty world --------------------------------------------------------------------------
    def _empty(self, view: View, now: Tone) -> Image:
        east, north, distance, slant = self._places(view)
        picture = np.empty(self._shape, dtype=np.uint8)
        # Above the ground's end is nothing but air, as bright as haze, or cold.
        picture[:] = self._sky(now)
        with np.errstate(invalid="ignore"):
            footprint = np.asarray(
                distance / np.float32(self._lens.fx_px) / np.maximum(slant, np.float32(1e-3)),
                dtype=np.float32,
            )
        through_lens(self._carpet, now, east, north, footprint, picture)
        return self._through_air(picture, distance, now)

    def _places(self, view: View) -> tuple[FloatImage, FloatImage, FloatImage, FloatImage]:
        """Return (h, w) east, north, distance (nan in the sky) and how steeply the ground is met."""
        lens, land = view.lens, self.world.landscape
        if land.flat:
            columns = (np.arange(lens.width_px, dtype=np.float32) - lens.cx_px) / lens.fx_px
            rows = (np.arange(lens.height_px, dtype=np.float32) - lens.cy_px) / lens.fy_px
            turn = view.rotation.astype(np.float32)
            ray = [
                (turn[k, 0] * columns)[None, :] + (turn[k, 1] * rows + turn[k, 2])[:, None]
                for k in range(3)
            ]
            # As long as the ray's third part in the camera is 1.
            long = np.sqrt(1.0 + columns[None, :] ** 2 + rows[:, None] ** 2)
            height = np.float32(view.position_enu_m[2])
            with np.errstate(divide="ignore", invalid="ignore"):
                away = np.where(ray[2] < 0.0, -height / ray[2], np.nan)
                distance = away * long
            away[~(distance < _FAR_M)] = np.nan
            distance[~(distance < _FAR_M)] = np.nan
            east = np.float32(view.position_enu_m[0]) + away * ray[0]
            north = np.float32(view.position_enu_m[1]) + away * ray[1]
            found = (east, north, distance, -ray[2] / long)
        else:
            found = self._hilly(view)
        east, north, distance, slant = (np.asarray(one, dtype=np.float32) for one in found)
        return east, north, distance, slant

    def _hilly(self, view: View) -> tuple[FloatImage, FloatImage, FloatImage, FloatImage]:
        """Meet the ground on a coarse grid of pixels; between them it is smooth."""
        lens, land = view.lens, self.world.landscape
        across, down = -(-lens.width_px // _GRID_PX) + 1, -(-lens.height_px // _GRID_PX) + 1
        # Every pixel of this small camera looks where every sixteenth of the true one does.
        coarse = Lens(
            fx_px=lens.fx_px / _GRID_PX, fy_px=lens.fy_px / _GRID_PX,
            cx_px=lens.cx_px / _GRID_PX, cy_px=lens.cy_px / _GRID_PX,
            width_px=across, height_px=down,
        )  # fmt: skip
        rays = pixel_rays(
            View(lens=coarse, position_enu_m=view.position_enu_m, rotation=view.rotation)
        )
        points = land.meet(view.position_enu_m, rays)
        distance = np.linalg.norm(points - view.position_enu_m, axis=1)
        far = ~(distance < _FAR_M)
        points[far], distance[far] = np.nan, np.nan
        slope = np.zeros((len(rays), 2))
        slope[~far] = land.slope(points[~far, :2])
        steep = (slope * rays[:, :2]).sum(axis=1) - rays[:, 2]
        steep /= np.sqrt(1.0 + (slope**2).sum(axis=1))
        columns = np.arange(lens.width_px, dtype=np.float32) / _GRID_PX
        rows = np.arange(lens.height_px, dtype=np.float32) / _GRID_PX
        size = (lens.height_px, lens.width_px)
        where = (
            np.ascontiguousarray(np.broadcast_to(columns[None, :], size)),
            np.ascontiguousarray(np.broadcast_to(rows[:, None], size)),
        )
        east, north, away, slant = (
            cv2.remap(one.reshape(down, across).astype(np.float32), *where, cv2.INTER_LINEAR)
            for one in (points[:, 0], points[:, 1], distance, steep)
        )
        return east, north, away, slant

    def _sky(self, now: Tone) -> FloatArray | float:
        if self._thermal:
            return float(np.clip(now.warmth.grey(now.warmth.air_c), 4.0, 250.0))
        return np.asarray(np.clip(now.haze_bgr, 0.0, 255.0))

    def _through_air(self, picture: Image, distance_m: FloatImage, now: Tone) -> Image:
        """Lay haze over what is far: the contrast of half a kilometre of clear air is lost, too."""
        extinction = now.warmth.extinction_1_m if self._thermal else now.moment.extinction_1_m
        through = np.nan_to_num(np.exp(np.float32(-extinction) * distance_m))
        air = np.empty_like(picture)
        air[:] = self._sky(now)
        return np.asarray(cv2.blendLinear(picture, air, through, 1.0 - through), dtype=np.uint8)

    # --- figures, weather, sensor -----------------------------------------------------------------
    def _ground_m(self, figure: FigureState) -> float:
        if figure.kind != "birds":
            return 0.0
        return float(self.world.landscape.height_m(np.array([figure.feet_enu_m[:2]]))[0])

    def _behind_ground(self, view: View, figures: list[FigureState]) -> dict[str, Screen]:
        """Return the edges of crests and banks before figures, by figure."""
        if self.world.landscape.flat:
            return {}
        boxes = [box for box in (truth_box(view, figure) for figure in figures) if box is not None]
        edges = screens(view, boxes, self.world.landscape)
        return {boxes[k].figure.figure_id: edge for k, edge in edges.items()}

    def _rains(self, picture: Image, index: int, now: Tone, wind_m_s: float) -> None:
        rain_mm_h = now.moment.rain_mm_h
        if rain_mm_h > 0.0:
            bright = 1.0 if self._thermal else float(now.haze_bgr.mean()) / 205.0
            self._rain.fall(picture, index, rain_mm_h=rain_mm_h, wind_m_s=wind_m_s, bright=bright)

    def _expose(self, picture: Image, index: int, now: Tone) -> None:
        """Add what the sensor adds, in place."""
        if self._thermal:
            self._noise.add_pattern(picture)
        self._noise.add(picture, index, now.warmth.noise_gain if self._thermal else now.noise_gain)
        if self._thermal and self.camera.polarity == "black_hot":
            cv2.bitwise_not(picture, dst=picture)
