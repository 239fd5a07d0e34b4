"""What comes out of a simulated camera: its film, and what is wrong with the camera when."""

import math

import cv2
import numpy as np

from simulations.film import Film, encode_jpeg
from simulations.ground import Image
from simulations.scenario_node import CameraFaultSettings, CameraSettings


def fault_at(camera: CameraSettings, t_s: float) -> CameraFaultSettings | None:
    """Return what is wrong with a camera at an instant; the first that the scenario names."""
    return next((fault for fault in camera.fault if fault.holds(t_s)), None)


def shown(camera: CameraSettings, index: int) -> int | None:
    """Return which frame of the film a camera gives out as its frame ``index``.

    Returns:
        The index itself, an earlier one while the picture stands still, None while there is none.
    """
    fault = fault_at(camera, index / camera.fps)
    if fault is None or fault.kind in ("black", "covered"):
        return index
    if fault.kind == "offline":
        return None
    last = math.ceil(fault.at_s * camera.fps - 1e-9) - 1
    return max(0, last)


class Footage:
    """A film as a camera gives it out; frame ``index`` is taken at ``index / fps`` seconds.

    Args:
        film: what the camera's pictures show.
    """

    def __init__(self, film: Film) -> None:
        self.film = film
        self.camera = film.camera

    def picture(self, t_s: float, index: int) -> Image:
        """Return the picture of an instant; the film itself is black or covered where it must be."""
        return self.film.frame(t_s, index)

    def jpeg(self, t_s: float, index: int) -> bytes:
        """Return the picture of an instant as the camera's stream carries it."""
        return encode_jpeg(self.picture(t_s, index), self.camera.jpeg_quality)


def decode(jpeg: bytes) -> Image:
    """Return (h, w, 3) BGR as a node's camera driver hands it on."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{len(jpeg)} bytes are no JPEG")
    return np.asarray(picture, dtype=np.uint8)
