"""What people have put up at the border: marker posts of stone, and the huts of pickets."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from geo._types import FloatArray
from simulations.standing import Cutout, bled
from simulations.world import World

_STONE = (176.0, 184.0, 188.0)
_RED = (52.0, 48.0, 176.0)
_TIN, _WALL, _DOOR, _POLE = (
    (150.0, 146.0, 140.0), (112.0, 140.0, 152.0), (58.0, 70.0, 84.0), (120.0, 120.0, 118.0),
)  # fmt: skip
_MARKER_M, _HUT_M = 1.25, 3.0
_FARTHEST_M = 900.0
_BEHIND_M, _BESIDE_M = 6.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    """One flat face: corners in metres (right, up), colour, light on it, how hot it gets."""

    corners_m: tuple[tuple[float, float], ...]
    bgr: tuple[float, float, float]
    warm: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Something built, seen from the front, that wind does not move."""

    place_enu_m: FloatArray
    faces: tuple[_Face, ...]
    half_m: float
    tall_m: float

    @property
    def leans(self) -> bool:
        """It does not."""
        return False

    def lean_at(self, t_s: float, wind_m_s: float) -> float:  # noqa: ARG002  # as a Thing
        """Return 0."""
        return 0.0

    def cut_out(self, pixels_per_m: float, lean: float) -> Cutout:  # noqa: ARG002  # as a Thing
        """Draw it so large."""
        half = math.ceil(self.half_m * pixels_per_m) + 3
        size = (math.ceil(self.tall_m * pixels_per_m) + 6, 2 * half + 1)
        bgr = np.zeros((*size, 3), dtype=np.float32)
        warm = np.zeros(size, dtype=np.float32)
        cover = np.zeros(size, dtype=np.uint8)
        foot = np.array([half, size[0] - 3.0])
        for face in self.faces:
            points = foot + np.array(face.corners_m) * (pixels_per_m, -pixels_per_m)
            fixed = np.rint(points * 16.0).astype(np.int32)
            cv2.fillConvexPoly(bgr, fixed, face.bgr, cv2.LINE_8, 4)
            cv2.fillConvexPoly(warm, fixed, face.warm, cv2.LINE_8, 4)
            cv2.fillConvexPoly(cover, fixed, 255, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(cover, (0, 0), 0.5).astype(np.float32) / 255.0
        return Cutout(
            bgr=np.asarray(cv2.GaussianBlur(bled(bgr), (0, 0), 0.6), dtype=np.float32),
            cover=np.asarray(np.clip(soft, 0.0, 1.0), dtype=np.float32),
            warm=warm,
            anchor_px=(float(foot[0]), float(foot[1])),
        )


def _box(x1: float, x2: float, y1: float, y2: float) -> tuple[tuple[float, float], ...]:
    return (x1, y1), (x2, y1), (x2, y2), (x1, y2)


def marker(place_enu_m: FloatArray) -> Post:
    """Return a border marker: a stone post on a step, its number painted red."""
    dark = tuple(0.72 * value for value in _STONE)
    return Post(
        place_enu_m=place_enu_m,
        half_m=0.5,
        tall_m=_MARKER_M,
        faces=(
            _Face(corners_m=_box(-0.42, 0.42, 0.0, 0.16), bgr=(140.0, 148.0, 152.0), warm=0.7),
            _Face(corners_m=_box(-0.2, 0.2, 0.16, 1.02), bgr=_STONE, warm=0.6),
            _Face(corners_m=_box(0.09, 0.2, 0.16, 1.02), bgr=(dark[0], dark[1], dark[2]), warm=0.4),
            _Face(corners_m=((-0.2, 1.02), (0.2, 1.02), (0.0, 1.22)), bgr=_STONE, warm=0.6),
            _Face(corners_m=_box(-0.13, 0.05, 0.72, 0.84), bgr=_RED, warm=0.6),
            _Face(corners_m=_box(-0.11, 0.03, 0.5, 0.58), bgr=_RED, warm=0.6),
        ),
    )


def hut(place_enu_m: FloatArray, mast_m: float) -> Post:
    """Return a picket: a small hut under tin, and the mast of its camera beside it."""
    shade = tuple(0.6 * value for value in _WALL)
    faces = [
        _Face(corners_m=_box(-2.0, 2.0, 0.0, 2.1), bgr=_WALL, warm=0.35),
        _Face(corners_m=_box(0.9, 2.0, 0.0, 2.1), bgr=(shade[0], shade[1], shade[2]), warm=0.2),
        _Face(corners_m=_box(-0.5, 0.3, 0.0, 1.8), bgr=_DOOR, warm=0.2),
        _Face(corners_m=((-2.4, 2.0), (2.4, 2.0), (1.9, 2.9), (-1.9, 2.9)), bgr=_TIN, warm=0.9),
        _Face(corners_m=_box(2.75, 2.87, 0.0, mast_m), bgr=_POLE, warm=0.4),
        _Face(corners_m=_box(2.62, 3.05, mast_m - 0.25, mast_m), bgr=_POLE, warm=0.6),
    ]
    return Post(place_enu_m=place_enu_m, faces=tuple(faces), half_m=3.3, tall_m=max(mast_m, _HUT_M))


def posts(world: World, eye_enu_m: FloatArray, own_camera: str) -> list[Post]:
    """Return the markers and the other cameras' pickets within sight of a camera."""
    site, ground = world.site, world.landscape

    def stands(place: FloatArray) -> FloatArray:
        return np.append(place, float(ground.height_m(place[None])[0]))

    def away_m(place: FloatArray) -> float:
        return float(np.hypot(*(place - eye_enu_m[:2])))

    places = [np.array(place) for place in site.markers_enu_m.values()]
    found = [marker(stands(place)) for place in places if away_m(place) < _FARTHEST_M]
    for camera in world.scenario.camera:
        if camera.id == own_camera or camera.along_m is None or camera.across_m is None:
            continue
        place = site.place(camera.along_m + _BESIDE_M, camera.across_m + _BEHIND_M)
        if 3.0 * _BEHIND_M < away_m(place) < _FARTHEST_M:
            found.append(hut(stands(place), camera.height_m))
    return found
