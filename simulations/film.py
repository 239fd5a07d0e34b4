"""Draw the world through a camera's lens, at true scale, fast enough for a mast in real time.

The empty picture of a moment is drawn once; each frame adds what moves, the figures and their
shadows, and fresh noise. A frame follows from the instant and its index alone.
"""

import cv2
import numpy as np
import numpy.typing as npt

from geo.lens import Lens, rotation_enu_from_camera
from simulations.figure_draw import FigurePainter
from simulations.figure_truth import MIN_DEPTH_M, TruthBox, depth_m, silhouette, truth_box
from simulations.ground import Image, Tiles, View, look_at_plane
from simulations.ground_looks import surface
from simulations.occlusion import with_occlusion
from simulations.plate import day_plate, thermal_plate
from simulations.scenario_node import CameraSettings
from simulations.scenery import with_trees
from simulations.sensor import SensorNoise, covered, fault_at
from simulations.site import Site
from simulations.tone import Moment, Tone, moment, tone
from simulations.walk import FigureState
from simulations.world import World

_SOON_S = 120.0
_PLATES_KEPT = 2


def view_of(camera: CameraSettings, site: Site) -> View:
    """Return the camera's lens and true pose in the site's frame."""
    if camera.lon_lat_deg is not None:
        ground = site.lon_lat(*camera.lon_lat_deg)
    else:
        assert camera.along_m is not None
        assert camera.across_m is not None
        ground = site.place(camera.along_m, camera.across_m)
    pinhole = Lens.from_hfov(camera.hfov_deg, camera.width_px, camera.height_px)
    lens = Lens(
        fx_px=pinhole.fx_px, fy_px=pinhole.fy_px, cx_px=pinhole.cx_px, cy_px=pinhole.cy_px,
        width_px=camera.width_px, height_px=camera.height_px,
        k1=camera.k1, k2=camera.k2, p1=camera.p1, p2=camera.p2, k3=camera.k3,
    )  # fmt: skip
    return View(
        lens=lens,
        position_enu_m=np.array([ground[0], ground[1], camera.height_m]),
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
        self.view = view_of(camera, world.site)
        seed = world.scenario.seed
        self._thermal = camera.spectrum == "thermal"
        self._shape: tuple[int, ...] = (camera.height_px, camera.width_px)
        if not self._thermal:
            self._shape = (*self._shape, 3)
        tiles = Tiles(seed)
        place = look_at_plane(self.view)
        ground = surface(world.scenario.ground.look, place, tiles, self.view.lens.fx_px)
        dry = np.zeros(self._shape[:2], dtype=np.float32)
        self._layers = with_trees(self.view, place, ground, dry, tiles, seed)
        self._plates: dict[Moment, Image] = {}
        self._tones: dict[Moment, Tone] = {}
        self._noise = SensorNoise(self._shape, camera.noise_sigma, seed)
        self._painter = FigurePainter(seed)

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
        boxes = [truth_box(self.view, figure) for figure in self.world.figures(t_s)]
        whole = [box for box in boxes if box is not None]
        return with_occlusion(self.view, whole, self.world.landscape)

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
            if len(self._tones) >= _PLATES_KEPT:
                self._tones.clear()
            found = self._tones[at] = tone(at)
        return found

    def _seen(self, t_s: float, index: int) -> Image:
        """Return what a sound camera sees."""
        now = self.tone(t_s)
        picture = self._plate(now).copy()
        drawn = [(depth_m(self.view, figure), figure) for figure in self.world.figures(t_s)]
        near = [pair for pair in drawn if pair[0] > MIN_DEPTH_M]
        figures = [figure for _, figure in sorted(near, key=lambda pair: -pair[0])]
        for figure in figures:
            self._painter.marks(picture, self.view, figure, now)
        for figure in figures:
            self._painter.draw(picture, self.view, figure, now)
        if self._thermal:
            self._noise.add_pattern(picture)
            self._noise.add(picture, index, now.warmth.noise_gain)
            if self.camera.polarity == "black_hot":
                cv2.bitwise_not(picture, dst=picture)
        else:
            self._noise.add(picture, index, now.noise_gain)
        return np.asarray(picture, dtype=np.uint8)

    def _plate(self, now: Tone) -> Image:
        """Return the empty picture of a moment; not to be written to."""
        found = self._plates.get(now.moment)
        if found is None:
            if len(self._plates) >= _PLATES_KEPT:
                self._plates.clear()
            make = thermal_plate if self._thermal else day_plate
            found = self._plates[now.moment] = make(self._layers, now)
        return found


def encode_jpeg(picture: Image, quality: int) -> bytes:
    """Return the picture as JPEG bytes."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} could not be encoded as JPEG")
    return bytes(data.tobytes())
