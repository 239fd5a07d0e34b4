"""What stands far off and never moves: the tree line, sugar palms, coconut palms."""

from dataclasses import dataclass

import cv2
import numpy as np

from geo._types import FloatArray
from simulations.ground import FAR_AWAY_M, FloatImage, Layers, Place, Tiles, View, sample_sky
from simulations.ground_looks import Surface

TREES_M = 260.0
_LEAVES = np.array([70, 96, 80], dtype=np.float32)
_STEP = np.radians(0.42)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wood:
    """The profile of the far wood over azimuth, and the palms that stand above it."""

    bearings: FloatArray
    height_m: FloatArray
    palms: tuple[tuple[float, np.random.Generator], ...]


def with_trees(
    view: View, place: Place, surface: Surface, water: FloatImage, tiles: Tiles, seed: int
) -> Layers:
    """Put the far trees before ground and sky, and return the finished layers."""
    wood = _wood(view, seed)
    cover, crowns = _cover(view, place, wood)
    palms = np.zeros_like(cover)
    for bearing, rng in wood.palms:
        _palm(view, palms, bearing, rng)
    palms[np.nan_to_num(place.distance_m, nan=FAR_AWAY_M) < 0.95 * TREES_M] = 0.0
    np.maximum(cover, palms, out=cover)
    sky = np.isnan(place.distance_m).astype(np.float32) * (1.0 - cover)
    texture = 1.0 + 0.15 * sample_sky(tiles.fine, place, across=34.0)
    texture = texture + 0.14 * sample_sky(tiles.soft, place, across=34.0)
    # Crowns are lit from above and dark between: the profile's own height gives both.
    texture = texture * (0.78 + 0.34 * crowns)
    leaves = _LEAVES * np.clip(texture, 0.45, 1.5)[..., None]
    colour = surface.colour * (1.0 - cover[..., None]) + leaves * cover[..., None]
    distance = np.nan_to_num(place.distance_m, nan=FAR_AWAY_M)
    distance = np.where(cover > 0.25, np.minimum(distance, np.float32(TREES_M)), distance)
    seen = 1.0 - cover
    return Layers(
        colour=np.asarray(cv2.GaussianBlur(colour, (0, 0), 0.5), dtype=np.float32),
        distance_m=np.asarray(distance, dtype=np.float32),
        sky=np.asarray(sky, dtype=np.float32),
        bare=np.asarray(surface.bare * seen, dtype=np.float32),
        tree=cover,
        water=np.asarray(water * seen, dtype=np.float32),
        grain=np.asarray(
            surface.grain * seen + sample_sky(tiles.fine, place) * cover, dtype=np.float32
        ),
        cloud_noise=sample_sky(tiles.soft, place),
        place=place,
    )


def _wood(view: View, seed: int) -> _Wood:
    rng = np.random.default_rng(seed + 5)
    span = float(np.radians(0.5 * view.lens.hfov_deg + 3.0))
    span = min(span * 1.3, np.pi)
    axis = float(np.arctan2(view.rotation[0, 2], view.rotation[1, 2]))
    # Trees stand where they stand in the world: the same azimuth holds the same tree.
    bearings = axis + np.linspace(-span, span, 4096)
    profile_m = np.full(bearings.shape, 2.6)
    palms = []
    for k in range(int((axis - span) / _STEP) - 2, int((axis + span) / _STEP) + 3):
        tree = np.random.default_rng([seed, k & 0xFFFF])
        at = (k + tree.uniform(-0.4, 0.4)) * _STEP
        radius_m, top_m = tree.uniform(1.6, 4.2), tree.uniform(4.5, 9.5)
        if tree.uniform() < 0.09:
            palms.append((at, tree))
        across_m = (bearings - at) * TREES_M
        inside = np.clip(1.0 - (across_m / radius_m) ** 2, 0.0, None)
        profile_m = np.maximum(
            profile_m, np.where(inside > 0, top_m - radius_m * (1 - inside**0.5), 0)
        )
    profile_m += 0.18 * rng.standard_normal(bearings.shape)
    return _Wood(bearings=bearings - axis, height_m=profile_m, palms=tuple(palms))


def _cover(view: View, place: Place, wood: _Wood) -> tuple[FloatImage, FloatImage]:
    """Return 0..1 coverage of the wood, and 0..1 how high in its crown a pixel lies."""
    axis = np.arctan2(view.rotation[0, 2], view.rotation[1, 2])
    turn = np.mod(place.azimuth - axis + np.pi, 2.0 * np.pi) - np.pi
    height_m = np.interp(turn.ravel(), wood.bearings, wood.height_m).reshape(turn.shape)
    eye_m = float(view.position_enu_m[2])
    pixel = 1.0 / view.lens.fy_px
    top, foot = np.arctan2(height_m - eye_m, TREES_M), np.arctan2(-eye_m, TREES_M)
    upper = np.clip((top - place.elevation) / pixel + 0.5, 0, 1)
    lower = np.clip((place.elevation - foot) / pixel + 0.5, 0, 1)
    # A hill before the wood hides it.
    hidden = np.nan_to_num(place.distance_m, nan=FAR_AWAY_M) < TREES_M * 0.95
    cover = np.where(hidden, 0.0, upper * lower)
    crowns = np.clip((place.elevation - foot) / np.maximum(top - foot, 1e-6), 0.0, 1.0)
    return np.asarray(cover, dtype=np.float32), np.asarray(crowns, dtype=np.float32)


def _palm(view: View, cover: FloatImage, bearing: float, rng: np.random.Generator) -> None:
    """Draw one palm into the coverage: a sugar palm's stiff star or a coconut's hanging leaves."""
    foot = np.array([np.sin(bearing), np.cos(bearing), 0.0]) * TREES_M
    foot[:2] += view.position_enu_m[:2]
    right = np.array([np.cos(bearing), -np.sin(bearing), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    sugar = rng.uniform() < 0.6
    tall_m, lean_m = rng.uniform(10.0, 14.5), rng.uniform(-1.2, 1.2) * (0.4 if sugar else 1.0)
    stem = [foot + right * lean_m * t**2 + up * tall_m * t for t in np.linspace(0.0, 1.0, 6)]
    strokes = [np.array(stem)]
    turns = np.linspace(-35, 215, 9) if sugar else [-15, 15, 45, 80, 100, 135, 165, 195]
    for angle in np.radians(turns):
        reach = rng.uniform(2.1, 2.7) if sugar else rng.uniform(2.2, 3.0)
        hang = 0.6 if sugar else 1.5
        leaf = [
            stem[-1]
            + right * np.cos(angle) * reach * t
            + up * (np.sin(angle) * reach * t - hang * t**2)
            for t in np.linspace(0.0, 1.0, 5)
        ]
        strokes.append(np.array(leaf))
    canvas = np.zeros(cover.shape, dtype=np.uint8)
    width = max(1, round(0.2 * view.lens.fx_px / TREES_M))
    for stroke in strokes:
        pixels = view.lens.project(view.to_camera(stroke))
        if np.isfinite(pixels).all():
            points = np.rint(pixels * 8.0).astype(np.int32).reshape(-1, 1, 2)
            cv2.polylines(canvas, [points], False, 255, width, cv2.LINE_AA, 3)  # noqa: FBT003  # OpenCV's own order
    np.maximum(cover, canvas.astype(np.float32) / 255.0, out=cover)
