"""Draw the world through a camera's lens, at true scale, fast enough for a mast in real time.

The empty picture is drawn once; each frame adds the figures, their shadows and fresh noise.
"""

import cv2
import numpy as np
import numpy.typing as npt

from geo.lens import Lens, rotation_enu_from_camera
from simulations.figure_draw import FigurePainter
from simulations.figure_truth import MIN_DEPTH_M, TruthBox, depth_m, silhouette, truth_box
from simulations.ground import Image, View, background
from simulations.scenario_node import CameraSettings
from simulations.site import Site
from simulations.walk import FigureState
from simulations.world import World

_NOISE_BANK = 5


def view_of(camera: CameraSettings, site: Site) -> View:
    """Return the camera's lens and pose in the site's frame."""
    if camera.lon_lat_deg is not None:
        ground = site.lon_lat(*camera.lon_lat_deg)
    else:
        assert camera.along_m is not None
        assert camera.across_m is not None
        ground = site.place(camera.along_m, camera.across_m)
    return View(
        lens=Lens.from_hfov(camera.hfov_deg, camera.width_px, camera.height_px),
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
        self._background = background(self.view, camera.spectrum, world.scenario.seed)
        self._noise = _noise_bank(self._background.shape, camera.noise_sigma, world.scenario.seed)
        self._painter = FigurePainter(world.scenario.seed)

    def frame(self, t_s: float, index: int) -> Image:
        """Return the picture at an instant; ``index`` picks the noise, so equal calls are equal.

        Returns:
            (h, w, 3) BGR by day, (h, w) grey in thermal.
        """
        picture = self._background.copy()
        light = self.world.light(t_s)
        drawn = [(depth_m(self.view, figure), figure) for figure in self.world.figures(t_s)]
        near = [pair for pair in drawn if pair[0] > MIN_DEPTH_M]
        figures = [figure for _, figure in sorted(near, key=lambda pair: -pair[0])]
        if self.camera.spectrum == "day" and light.sun_enu[2] > 0.0:
            for figure in figures:
                self._painter.shadow(picture, self.view, figure, light)
        for figure in figures:
            self._painter.draw(picture, self.view, figure, light)
        # A bank that starts at another row each time repeats only after a long while.
        brighter, darker = self._noise[index % len(self._noise)]
        shift = (index * 7919) % picture.shape[0]
        window = slice(shift, shift + picture.shape[0])
        cv2.add(picture, brighter[window], dst=picture)
        cv2.subtract(picture, darker[window], dst=picture)
        return np.asarray(picture, dtype=np.uint8)

    def jpeg(self, t_s: float, index: int) -> bytes:
        """Return the picture at an instant as JPEG."""
        return encode_jpeg(self.frame(t_s, index), self.camera.jpeg_quality)

    def truth(self, t_s: float) -> tuple[TruthBox, ...]:
        """Return the true box of everybody in front of the camera at an instant."""
        boxes = (truth_box(self.view, figure) for figure in self.world.figures(t_s))
        return tuple(box for box in boxes if box is not None)

    def silhouette(self, figure: FigureState) -> npt.NDArray[np.float32]:
        """Return (h, w) coverage 0..1 of one person, drawn alone."""
        return silhouette(self.view, figure)


def encode_jpeg(picture: Image, quality: int) -> bytes:
    """Return the picture as JPEG bytes."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} could not be encoded as JPEG")
    return bytes(data.tobytes())


def _noise_bank(shape: tuple[int, ...], sigma: float, seed: int) -> tuple[tuple[Image, Image], ...]:
    """Return pairs of what brightens and what darkens, twice the picture's height.

    Two saturating passes over bytes are ten times faster than one with signed numbers.
    """
    rng = np.random.default_rng(seed + 23)
    bank = []
    for _ in range(_NOISE_BANK):
        noise = np.rint(rng.standard_normal(shape, dtype=np.float32) * np.float32(sigma))
        twice = np.concatenate((noise, noise))
        bank.append((np.maximum(twice, 0).astype(np.uint8), np.maximum(-twice, 0).astype(np.uint8)))
    return tuple(bank)
