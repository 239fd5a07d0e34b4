"""The picture without people: ground, haze, trees and sky, drawn once per camera and kept.

Every pixel of ground is looked up in one world-wide texture by its true place in metres, so that
two cameras see the same field and perspective comes out right by itself.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from geo.lens import Lens
from geo.terrain import ray_plane

Image = npt.NDArray[np.uint8]
FloatImage = npt.NDArray[np.float32]

_TILE = 1024
_FAR_M = 2_500.0
_TREES_M = 260.0


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A camera in the site's frame: lens, place of the lens, and the rotation camera to ENU."""

    lens: Lens
    position_enu_m: FloatArray
    rotation: FloatArray

    def to_camera(self, points_enu_m: FloatArray) -> FloatArray:
        """Return (n, 3) points in the camera frame."""
        return np.asarray((points_enu_m - self.position_enu_m) @ self.rotation, dtype=np.float64)


def background(view: View, spectrum: str, seed: int) -> Image:
    """Return the empty picture: (h, w, 3) by day, (h, w) in thermal white-hot."""
    return _day(view, seed) if spectrum == "day" else _thermal(view, seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """Per pixel: the place on the ground (nan in the sky), distance, elevation and azimuth."""

    east_m: FloatImage
    north_m: FloatImage
    distance_m: FloatImage
    elevation: FloatImage
    azimuth: FloatImage


def _look(view: View) -> _Ground:
    lens = view.lens
    columns, rows = np.meshgrid(np.arange(lens.width_px), np.arange(lens.height_px))
    rays = lens.rays(np.column_stack((columns.ravel(), rows.ravel()))) @ view.rotation.T
    hit = ray_plane(view.position_enu_m, rays, 0.0)
    distance = np.where(hit.range_m < _FAR_M, hit.range_m, np.nan)
    shape = (lens.height_px, lens.width_px)
    points = np.where(np.isnan(distance)[:, None], np.nan, hit.points_m)
    return _Ground(
        east_m=points[:, 0].reshape(shape).astype(np.float32),
        north_m=points[:, 1].reshape(shape).astype(np.float32),
        distance_m=distance.reshape(shape).astype(np.float32),
        elevation=np.arcsin(rays[:, 2]).reshape(shape).astype(np.float32),
        azimuth=np.arctan2(rays[:, 0], rays[:, 1]).reshape(shape).astype(np.float32),
    )


def _tile(seed: int, slope: float) -> FloatImage:
    """Return a periodic noise tile with a 1/f^slope spectrum, mean 0, standard deviation 1."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((_TILE, _TILE)))
    fy, fx = np.fft.fftfreq(_TILE)[:, None], np.fft.rfftfreq(_TILE)[None, :]
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = 1.0
    spectrum *= frequency**-slope
    spectrum[0, 0] = 0.0
    noise = np.fft.irfft2(spectrum, s=(_TILE, _TILE))
    return np.asarray(noise / noise.std(), dtype=np.float32)


def _sample(tile: FloatImage, ground: _Ground, texel_m: float, focal_px: float) -> FloatImage:
    """Look the tile up at every ground pixel; fade where a pixel is wider than its grain."""
    u = np.mod(np.nan_to_num(ground.east_m) / texel_m, _TILE).astype(np.float32)
    v = np.mod(np.nan_to_num(ground.north_m) / texel_m, _TILE).astype(np.float32)
    value = cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    # Seen flat, a pixel covers far more ground in depth than across; that direction decides.
    footprint = ground.distance_m / focal_px / np.maximum(np.abs(np.sin(ground.elevation)), 1e-3)
    fade = np.clip(2.5 - footprint / (2.0 * texel_m), 0.0, 1.0)
    return np.asarray(value * np.nan_to_num(fade), dtype=np.float32)


def _fields(ground: _Ground, rough: FloatImage) -> FloatImage:
    """Return 0..1: how much each ground pixel is bund or path between the paddies."""
    bend = 1.6 * rough
    east, north = np.nan_to_num(ground.east_m) + bend, np.nan_to_num(ground.north_m) - bend
    out = np.zeros_like(east)
    for along, pitch, half in (
        (east * 0.97 + north * 0.21, 31.0, 0.45),
        (north * 0.98 - east * 0.2, 23.0, 0.4),
    ):
        away = np.abs(np.mod(along, pitch) - 0.5 * pitch)
        blur = np.maximum(np.nan_to_num(ground.distance_m, nan=1e3) * 0.004, 0.12)
        out = np.maximum(out, np.clip((half + blur - away) / (2.0 * blur), 0.0, 1.0))
    return np.asarray(out, dtype=np.float32)


def _mix(a: FloatImage, b: npt.ArrayLike, share: npt.NDArray[np.floating[Any]]) -> FloatImage:
    part = np.clip(share, 0.0, 1.0)[..., None]
    return np.asarray(a * (1.0 - part) + np.asarray(b, dtype=np.float32) * part, dtype=np.float32)


def _day(view: View, seed: int) -> Image:
    ground = _look(view)
    focal = view.lens.fx_px
    fine, soft = _tile(seed, 0.6), _tile(seed + 1, 1.4)
    blades = _sample(fine, ground, 0.02, focal)
    tufts = _sample(fine, ground, 0.11, focal)
    patches = _sample(soft, ground, 0.35, focal)
    wide = _sample(soft, ground, 2.3, focal)
    shape = (*ground.east_m.shape, 3)
    colour = np.broadcast_to(np.array([58, 108, 98], dtype=np.float32), shape).copy()
    colour = _mix(colour, [70, 138, 150], 0.35 + 0.3 * wide)  # ripening rice
    colour = _mix(colour, [48, 92, 72], 0.25 + 0.35 * patches)  # wet green
    colour = _mix(colour, [96, 126, 148], 0.9 * _fields(ground, patches))  # trodden bunds
    light = 1.0 + 0.10 * blades + 0.09 * tufts + 0.07 * patches + 0.04 * wide
    colour *= np.clip(light, 0.55, 1.45)[..., None]
    haze = np.array([214, 206, 196], dtype=np.float32)
    colour = _mix(colour, haze, 1.0 - np.exp(-np.nan_to_num(ground.distance_m, nan=0.0) / 900.0))
    up = np.clip(np.degrees(ground.elevation) / 14.0, 0.0, 1.0)
    sky = _mix(np.broadcast_to(haze, shape).astype(np.float32), [216, 178, 138], up)
    cloud = _sky_noise(soft, ground)
    sky = _mix(sky, [238, 236, 232], 0.45 * np.clip(cloud, 0.0, 1.0))
    picture = np.where(np.isnan(ground.distance_m)[..., None], sky, colour)
    trees = _tree_line(view, ground, seed)
    leaves = (
        np.array([74, 98, 82], dtype=np.float32)
        * (1.0 + 0.16 * _sky_noise(fine, ground))[..., None]
    )
    picture = picture * (1.0 - trees[..., None]) + leaves * trees[..., None]
    soft_picture = cv2.GaussianBlur(np.asarray(picture, dtype=np.float32), (0, 0), 0.6)
    return np.asarray(np.clip(soft_picture, 0, 255), dtype=np.uint8)


def _thermal(view: View, seed: int) -> Image:
    ground = _look(view)
    focal = view.lens.fx_px
    fine, soft = _tile(seed, 0.6), _tile(seed + 1, 1.4)
    patches = _sample(soft, ground, 0.35, focal)
    value = 84.0 + 5.0 * patches + 4.0 * _sample(fine, ground, 0.11, focal)
    value += 6.0 * _sample(soft, ground, 2.3, focal) + 9.0 * _fields(ground, patches)
    value = value + 4.0 * np.exp(-np.nan_to_num(ground.distance_m) / 60.0)
    sky = 34.0 - 0.6 * np.degrees(ground.elevation) + 4.0 * _sky_noise(soft, ground)
    picture = np.where(np.isnan(ground.distance_m), sky, value)
    trees = _tree_line(view, ground, seed)
    picture = picture * (1.0 - trees) + (72.0 + 5.0 * _sky_noise(fine, ground)) * trees
    soft_picture = cv2.GaussianBlur(np.asarray(picture, dtype=np.float32), (0, 0), 1.1)
    return np.asarray(np.clip(soft_picture, 0, 255), dtype=np.uint8)


def _sky_noise(tile: FloatImage, ground: _Ground) -> FloatImage:
    """Sample a tile by direction: things far away that do not follow the ground."""
    u = np.mod(np.degrees(ground.azimuth) * 14.0, _TILE).astype(np.float32)
    v = np.mod(np.degrees(ground.elevation) * 40.0, _TILE).astype(np.float32)
    return np.asarray(
        cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), dtype=np.float32
    )


def _tree_line(view: View, ground: _Ground, seed: int) -> FloatImage:
    """Return 0..1 coverage of a row of round-crowned trees and some palms, far off on the ground."""
    rng = np.random.default_rng(seed + 5)
    span = np.radians(0.5 * view.lens.hfov_deg + 3.0)
    axis = np.arctan2(view.rotation[0, 2], view.rotation[1, 2])
    eye_m = float(view.position_enu_m[2])
    # Trees stand where they stand in the world: the same azimuth holds the same tree.
    bearings = axis + np.linspace(-span, span, 2048)
    profile_m = np.full(bearings.shape, 2.6)
    step = np.radians(0.42)
    palms = []
    for k in range(int((axis - span) / step) - 2, int((axis + span) / step) + 3):
        tree = np.random.default_rng([seed, k & 0xFFFF])
        at = (k + tree.uniform(-0.4, 0.4)) * step
        radius_m, top_m = tree.uniform(1.6, 4.2), tree.uniform(4.5, 9.5)
        if tree.uniform() < 0.12:
            palms.append((at, tree))
        across_m = (bearings - at) * _TREES_M
        inside = np.clip(1.0 - (across_m / radius_m) ** 2, 0.0, None)
        profile_m = np.maximum(
            profile_m, np.where(inside > 0, top_m - radius_m * (1 - inside**0.5), 0)
        )
    profile_m += 0.18 * rng.standard_normal(bearings.shape)
    turn = np.mod(ground.azimuth - axis + np.pi, 2.0 * np.pi) - np.pi
    height_m = np.interp(turn.ravel(), bearings - axis, profile_m).reshape(turn.shape)
    pixel = 1.0 / view.lens.fy_px
    upper = np.clip((np.arctan2(height_m - eye_m, _TREES_M) - ground.elevation) / pixel + 0.5, 0, 1)
    lower = np.clip((ground.elevation - np.arctan2(-eye_m, _TREES_M)) / pixel + 0.5, 0, 1)
    cover = np.asarray(upper * lower, dtype=np.float32)
    for bearing, tree in palms:
        _palm(view, cover, bearing, tree)
    return cover


def _palm(view: View, cover: FloatImage, bearing: float, rng: np.random.Generator) -> None:
    """Draw one palm into the coverage: a bent stem and a star of hanging leaves."""
    foot = np.array([np.sin(bearing), np.cos(bearing), 0.0]) * _TREES_M
    foot[:2] += view.position_enu_m[:2]
    right = np.array([np.cos(bearing), -np.sin(bearing), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    tall_m, lean_m = rng.uniform(9.0, 12.5), rng.uniform(-1.2, 1.2)
    stem = [foot + right * lean_m * t**2 + up * tall_m * t for t in np.linspace(0.0, 1.0, 6)]
    strokes = [np.array(stem)]
    for angle in np.radians([-15, 15, 45, 80, 100, 135, 165, 195]):
        reach = rng.uniform(2.0, 2.8)
        leaf = [
            stem[-1]
            + right * np.cos(angle) * reach * t
            + up * (np.sin(angle) * reach * t - 1.5 * t**2)
            for t in np.linspace(0.0, 1.0, 5)
        ]
        strokes.append(np.array(leaf))
    canvas = np.zeros(cover.shape, dtype=np.uint8)
    for stroke in strokes:
        pixels = view.lens.project(view.to_camera(stroke))
        if np.isfinite(pixels).all():
            points = np.rint(pixels * 8.0).astype(np.int32).reshape(-1, 1, 2)
            cv2.polylines(canvas, [points], False, 255, 1, cv2.LINE_AA, 3)  # noqa: FBT003  # OpenCV's own order
    np.maximum(cover, canvas.astype(np.float32) / 255.0, out=cover)
