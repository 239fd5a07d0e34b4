"""Draw the world through a camera's lens, at true scale, fast enough for a mast in real time.

The empty picture of a moment is drawn once; each frame adds what moves, the figures and their
shadows, and fresh noise. A frame follows from the instant and its index alone.
"""

from functools import cached_property, partial

import cv2
import numpy as np
import numpy.typing as npt

from geo.lens import Lens, rotation_enu_from_camera
from simulations.backdrop import Backdrop
from simulations.figure_draw import FigurePainter
from simulations.figure_truth import MIN_DEPTH_M, TruthBox, depth_m, silhouette, truth_box
from simulations.glow import headlights
from simulations.ground import Image, View
from simulations.landscape import Landscape
from simulations.lens_weather import Drops, Insects, Rain
from simulations.occlusion import Screen, screens, with_occlusion
from simulations.plants import plants
from simulations.posts import posts
from simulations.scenario_node import CameraSettings
from simulations.sensor import SensorNoise, covered, fault_at
from simulations.site import Site
from simulations.standing import Standing, Thing
from simulations.standing_truth import StandingTruth
from simulations.sway import Sway
from simulations.tone import Moment, Tone, moment, tone
from simulations.walk import FigureState
from simulations.world import World

_SOON_S = 120.0
_TONES_KEPT = 4
_NEAREST_M = 4.0


def view_of(camera: CameraSettings, site: Site, landscape: Landscape) -> View:
    """Return the camera's lens and true pose in the site's frame.

    Args:
        camera: as the scenario has it.
        site: where the line lies.
        landscape: the ground that the mast stands on.
    """
    if camera.lon_lat_deg is not None:
        ground = site.lon_lat(*camera.lon_lat_deg)
    else:
        assert camera.along_m is not None
        assert camera.across_m is not None
        ground = site.place(camera.along_m, camera.across_m)
    foot_m = float(landscape.height_m(ground[None, :2])[0])
    pinhole = Lens.from_hfov(camera.hfov_deg, camera.width_px, camera.height_px)
    lens = Lens(
        fx_px=pinhole.fx_px, fy_px=pinhole.fy_px, cx_px=pinhole.cx_px, cy_px=pinhole.cy_px,
        width_px=camera.width_px, height_px=camera.height_px,
        k1=camera.k1, k2=camera.k2, p1=camera.p1, p2=camera.p2, k3=camera.k3,
    )  # fmt: skip
    return View(
        lens=lens,
        position_enu_m=np.array([ground[0], ground[1], foot_m + camera.height_m]),
        rotation=rotation_enu_from_camera(camera.azimuth_deg, camera.pitch_deg, camera.roll_deg),
    )


class Film:
    """One camera's film of a world.

    Args:
        world: who is where.
        camera: one of the scenario's cameras.
    """

    def __init__(self, world: World, camera: CameraSettings) -> None:
        self.world = world
        self.camera = camera
        self.view = view_of(camera, world.site, world.landscape)
        seed = world.scenario.seed
        self._thermal = camera.spectrum == "thermal"
        self._shape: tuple[int, ...] = (camera.height_px, camera.width_px)
        if not self._thermal:
            self._shape = (*self._shape, 3)
        focal_px = self.view.lens.fx_px
        self._sway = Sway(
            self.view,
            sigma_deg=camera.mast_sway_deg,
            strongest_wind_m_s=max(spell.wind_m_s for spell in world.scenario.weather),
            seed=seed,
        )
        self._standing = self._stand()
        self._hidden = StandingTruth(self._standing, self.view, self._sway.margin_px + 12.0)
        self._noise = SensorNoise(self._shape, camera.noise_sigma, seed)
        self._rain = Rain(self._shape, focal_px, seed)
        self._drops = Drops(self._shape, seed)
        self._insects = Insects(self._shape, seed)
        self._painter = FigurePainter(seed)
        self._tones: dict[Moment, Tone] = {}

    @cached_property
    def _backdrop(self) -> Backdrop:
        """The empty scene: what is asked for the truth alone never draws it."""
        return Backdrop(self.world, self.view, self._sway.margin_px, thermal=self._thermal)

    def _stand(self) -> tuple[Standing, ...]:
        """Return plants and posts before the camera, the nearest first."""
        world, view = self.world, self.view
        things: list[Thing] = [*posts(world, view.position_enu_m, self.camera.id)]
        things += plants(
            view, world.landscape, look=world.scenario.ground.look,
            wind_from_deg=world.weather(0.0).wind_from_deg, seed=world.scenario.seed,
        )  # fmt: skip
        ahead = [
            thing for thing in things
            if float(view.to_camera(thing.place_enu_m[None])[0, 2]) > _NEAREST_M
        ]  # fmt: skip
        made = [Standing(thing, view, thermal=self._thermal) for thing in ahead]
        return tuple(sorted(made, key=lambda thing: thing.depth_m))

    def frame(self, t_s: float, index: int) -> Image:
        """Return the picture at an instant; ``index`` picks the noise, so equal calls are equal.

        Returns:
            (h, w, 3) BGR by day, (h, w) grey in thermal.
        """
        fault = fault_at(self.camera, t_s)
        if fault is not None and fault.kind == "frozen":
            # The same bytes for as long as it lasts: time and noise stand still.
            return self._seen(fault.at_s, int(fault.at_s * self.camera.fps))
        if fault is not None:
            picture = (
                np.zeros(self._shape, dtype=np.uint8)
                if fault.kind == "black"
                else covered(self._shape, thermal=self._thermal)
            )
            self._noise.add(picture, index, 1.0)
            return np.asarray(picture, dtype=np.uint8)
        return self._seen(t_s, index)

    def jpeg(self, t_s: float, index: int) -> bytes:
        """Return the picture at an instant as JPEG."""
        return encode_jpeg(self.frame(t_s, index), self.camera.jpeg_quality)

    def received(self, t_s: float, index: int) -> Image:
        """Return the picture as a node gets it: through the camera's own JPEG, BGR always."""
        data = np.frombuffer(self.jpeg(t_s, index), dtype=np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)

    def truth(self, t_s: float) -> tuple[TruthBox, ...]:
        """Return the true box of everybody in front of the camera at an instant."""
        view = self.view_at(t_s)
        boxes = [truth_box(view, figure) for figure in self.world.figures(t_s)]
        whole = [box for box in boxes if box is not None]
        found = with_occlusion(view, whole, self.world.landscape)
        wind_m_s = self.world.weather(t_s).wind_m_s
        return self._hidden.with_plants(view, found, t_s, wind_m_s)

    def silhouette(self, figure: FigureState) -> npt.NDArray[np.float32]:
        """Return (h, w) coverage 0..1 of one person, drawn alone."""
        return silhouette(self.view, figure)

    def tone(self, t_s: float) -> Tone:
        """Return light, air and warmth at an instant, as the picture shows them."""
        scenario = self.world.scenario
        at = moment(
            self.world.light(t_s), self.world.light(t_s + _SOON_S), _SOON_S,
            self.world.weather(t_s), lamps=scenario.light.lamps, look=scenario.ground.look,
        )  # fmt: skip
        found = self._tones.get(at)
        if found is None:
            if len(self._tones) >= _TONES_KEPT:
                self._tones.clear()
            found = self._tones[at] = tone(at)
        return found

    def view_at(self, t_s: float) -> View:
        """Return the true pose at an instant: of a swaying mast, another one each frame."""
        return self._sway.view_at(t_s, self.world.weather(t_s).wind_m_s)

    def _seen(self, t_s: float, index: int) -> Image:
        """Return what a sound camera sees."""
        now, weather, view = self.tone(t_s), self.world.weather(t_s), self.view_at(t_s)
        picture = self._backdrop.picture(now, t_s)
        if not self._sway.still:
            picture = self._sway.seen_from(view, picture)
        drawn = [(depth_m(view, figure), figure) for figure in self.world.figures(t_s)]
        near = [pair for pair in drawn if pair[0] > MIN_DEPTH_M]
        figures = [figure for _, figure in sorted(near, key=lambda pair: -pair[0])]
        behind = self._behind_ground(view, figures)
        for figure in figures:
            if figure.figure_id not in behind:
                ground_m = 0.0
                if figure.kind == "birds":
                    place = np.array([figure.feet_enu_m[:2]])
                    ground_m = float(self.world.landscape.height_m(place)[0])
                self._painter.marks(picture, view, figure, now, ground_m)
        self._draw_all(picture, view, figures, now, t_s, behind)
        headlights(picture, view, figures, now)
        self._backdrop.shimmer(picture, t_s, weather.shimmer_px)
        rain_mm_h = now.moment.rain_mm_h
        if rain_mm_h > 0.0:
            bright = 1.0 if self._thermal else float(now.haze_bgr.mean()) / 205.0
            self._rain.fall(
                picture, index, rain_mm_h=rain_mm_h, wind_m_s=weather.wind_m_s, bright=bright
            )
            self._drops.wet(picture, t_s, rain_mm_h)
        self._insects.cross(
            picture, t_s, per_min=weather.insects_per_min, grey=self._insect_grey(now)
        )
        self._expose(picture, index, now)
        return picture

    def _behind_ground(self, view: View, figures: list[FigureState]) -> dict[str, Screen]:
        """Return the edges of crests and banks before figures, by figure."""
        if self.world.landscape.flat:
            return {}
        boxes = [box for box in (truth_box(view, figure) for figure in figures) if box is not None]
        edges = screens(view, boxes, self.world.landscape)
        return {boxes[k].figure.figure_id: edge for k, edge in edges.items()}

    def _draw_all(
        self,
        picture: Image,
        view: View,
        figures: list[FigureState],
        now: Tone,
        t_s: float,
        behind: dict[str, Screen],
    ) -> None:
        """Draw figures and what stands among them, the farthest first."""
        wind_m_s = self.world.weather(t_s).wind_m_s
        standing = list(self._standing)
        for figure in figures:
            away_m = depth_m(view, figure)
            while standing and standing[-1].depth_m >= away_m:
                standing.pop().draw(picture, view, now, t_s, wind_m_s)
            screen = behind.get(figure.figure_id)
            paint = partial(self._painter.draw, picture, view, figure, now)
            if screen is None:
                paint()
            else:
                screen.draw_behind(picture, paint)
        for thing in reversed(standing):
            thing.draw(picture, view, now, t_s, wind_m_s)

    def _insect_grey(self, now: Tone) -> float:
        """Return how an insect close to the lens looks: dark by day, lit by lamps, warm."""
        if self._thermal:
            return now.warmth.of_body(0.8)
        return 205.0 if now.dark and now.moment.lamps else 26.0

    def _expose(self, picture: Image, index: int, now: Tone) -> None:
        """Add what the sensor adds, in place."""
        if not self._thermal:
            self._noise.add(picture, index, now.noise_gain)
            return
        self._noise.add_pattern(picture)
        self._noise.add(picture, index, now.warmth.noise_gain)
        if self.camera.polarity == "black_hot":
            cv2.bitwise_not(picture, dst=picture)


def encode_jpeg(picture: Image, quality: int) -> bytes:
    """Return the picture as JPEG bytes."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} could not be encoded as JPEG")
    return bytes(data.tobytes())
