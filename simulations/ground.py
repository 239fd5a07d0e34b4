"""What a camera sees of the empty world, pixel by pixel: place, distance, colour, kind of surface.

Every pixel of ground is looked up in one world-wide texture by its true place in metres, so that
two cameras see the same field and perspective comes out right by itself. Light, haze and warmth
come later (`simulations.plate`): the layers do not change while the camera stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from geo.lens import Lens
from simulations.landscape import Landscape

Image = npt.NDArray[np.uint8]
FloatImage = npt.NDArray[np.float32]
Look = Literal["rice", "dry", "grass", "mud", "scrub"]

TILE = 1024
_FAR_M = 2_500.0
FAR_AWAY_M = 1e6
"""Distance of the sky."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A camera in the site's frame: lens, place of the lens, and the rotation camera to ENU."""

    lens: Lens
    position_enu_m: FloatArray
    rotation: FloatArray

    def to_camera(self, points_enu_m: FloatArray) -> FloatArray:
        """Return (n, 3) points in the camera frame."""
        return np.asarray((points_enu_m - self.position_enu_m) @ self.rotation, dtype=np.float64)

    def widened(self, margin_px: int) -> "View":
        """Return the same camera with so many more pixels on every side."""
        lens = replace(
            self.lens,
            width_px=self.lens.width_px + 2 * margin_px,
            height_px=self.lens.height_px + 2 * margin_px,
            cx_px=self.lens.cx_px + margin_px,
            cy_px=self.lens.cy_px + margin_px,
        )
        return replace(self, lens=lens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Per pixel: the place on the ground (nan in the sky), distance, elevation and azimuth.

    Attributes:
        normal_enu: (h, w, 3) of the ground; None where it is level everywhere.
    """

    east_m: FloatImage
    north_m: FloatImage
    distance_m: FloatImage
    elevation: FloatImage
    azimuth: FloatImage
    normal_enu: FloatImage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The empty world as a camera sees it, without light, air and warmth; all (h, w).

    Attributes:
        colour: (h, w, 3) BGR on level ground in the sun of a clear noon.
        distance_m: to what is seen; `FAR_AWAY_M` in the sky.
        sky: 0..1, how much of a pixel is sky.
        bare, tree, water: 0..1, kinds of surface for warmth; the rest is low plants.
        grain: small differences of warmth and brightness, about one sigma.
        place: geometry.
        cloud_noise: fixed to the sky.
    """

    colour: FloatImage
    distance_m: FloatImage
    sky: FloatImage
    bare: FloatImage
    tree: FloatImage
    water: FloatImage
    grain: FloatImage
    cloud_noise: FloatImage
    place: Place

    def inner(self, margin_px: int) -> "Layers":
        """Return distance and sky without a margin; what is fixed to places stays whole."""
        if margin_px == 0:
            return self
        window = slice(margin_px, -margin_px), slice(margin_px, -margin_px)
        return replace(self, distance_m=self.distance_m[window], sky=self.sky[window])


class Tiles:
    """Periodic textures of a seed, shared by every layer of a camera."""

    def __init__(self, seed: int) -> None:
        self.fine = _tile(seed, 0.6)
        self.middle = _tile(seed + 2, 1.0)
        self.soft = _tile(seed + 1, 1.4)
        self.cloud = _tile(seed + 3, 2.2)


@lru_cache(maxsize=2)
def tiles_of(seed: int) -> Tiles:
    """Return the textures of a seed, the same ones for every camera; not to be written to."""
    return Tiles(seed)


def look_at(view: View, landscape: Landscape) -> Place:
    """Return what each pixel sees of the ground or the water on it."""
    rays = pixel_rays(view)
    points = landscape.meet(view.position_enu_m, rays)
    range_m = np.linalg.norm(points - view.position_enu_m, axis=1)
    with np.errstate(invalid="ignore"):
        range_m = np.where(range_m < _FAR_M, range_m, np.nan)
    place = _place(view, rays, points, range_m)
    if landscape.flat:
        return place
    seen = np.isfinite(range_m)
    normal = np.zeros((len(rays), 3), dtype=np.float32)
    normal[:, 2] = 1.0
    normal[seen, :2] = -landscape.slope(points[seen, :2])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    if float(normal[:, 2].min()) > 0.999:  # less than 3 degrees: a plain
        return place
    return replace(place, normal_enu=normal.reshape(*place.east_m.shape, 3))


def pixel_rays(view: View) -> FloatArray:
    """Return (h * w, 3) unit vectors in ENU through every pixel's middle, row by row."""
    lens = view.lens
    columns, rows = np.meshgrid(np.arange(lens.width_px), np.arange(lens.height_px))
    rays = lens.rays(np.column_stack((columns.ravel(), rows.ravel()))) @ view.rotation.T
    return np.asarray(rays, dtype=np.float64)


def _place(view: View, rays: FloatArray, points_m: FloatArray, range_m: FloatArray) -> Place:
    shape = (view.lens.height_px, view.lens.width_px)
    points = np.where(np.isnan(range_m)[:, None], np.nan, points_m)
    up = np.nan_to_num(rays[:, 2], nan=1.0)
    return Place(
        east_m=points[:, 0].reshape(shape).astype(np.float32),
        north_m=points[:, 1].reshape(shape).astype(np.float32),
        distance_m=range_m.reshape(shape).astype(np.float32),
        elevation=np.arcsin(up).reshape(shape).astype(np.float32),
        azimuth=np.nan_to_num(np.arctan2(rays[:, 0], rays[:, 1])).reshape(shape).astype(np.float32),
    )


def _tile(seed: int, slope: float) -> FloatImage:
    """Return a periodic noise tile with a 1/f^slope spectrum, mean 0, standard deviation 1."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE)))
    fy, fx = np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :]
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = 1.0
    spectrum *= frequency**-slope
    spectrum[0, 0] = 0.0
    noise = np.fft.irfft2(spectrum, s=(TILE, TILE))
    return np.asarray(noise / noise.std(), dtype=np.float32)


def footprint_m(place: Place, focal_px: float) -> FloatImage:
    """Return how much ground a pixel covers in depth, the longer of its two sides."""
    slant = np.maximum(np.abs(np.sin(place.elevation)), 1e-3)
    return np.asarray(place.distance_m / np.float32(focal_px) / slant, dtype=np.float32)


def sample(tile: FloatImage, place: Place, texel_m: float, focal_px: float) -> FloatImage:
    """Look the tile up at every ground pixel; fade where a pixel is wider than its grain."""
    u = np.mod(np.nan_to_num(place.east_m) / texel_m, TILE).astype(np.float32)
    v = np.mod(np.nan_to_num(place.north_m) / texel_m, TILE).astype(np.float32)
    value = cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    # Seen flat, a pixel covers far more ground in depth than across; that direction decides.
    fade = np.clip(2.5 - footprint_m(place, focal_px) / (2.0 * texel_m), 0.0, 1.0)
    return np.asarray(value * np.nan_to_num(fade), dtype=np.float32)


def sample_sky(tile: FloatImage, place: Place, *, across: float = 14.0) -> FloatImage:
    """Sample a tile by direction, ``across`` texels a degree: what does not follow the ground."""
    u = np.mod(np.degrees(place.azimuth) * across, TILE).astype(np.float32)
    v = np.mod(np.degrees(place.elevation) * 40.0, TILE).astype(np.float32)
    return np.asarray(
        cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), dtype=np.float32
    )


def mix(
    a: FloatImage, b: npt.ArrayLike | Sequence[float], share: npt.NDArray[np.floating[Any]]
) -> FloatImage:
    """Return colours (h, w, 3) mixed with others by a share (h, w), 0..1."""
    part = np.clip(share, 0.0, 1.0)[..., None]
    return np.asarray(a * (1.0 - part) + np.asarray(b, dtype=np.float32) * part, dtype=np.float32)
