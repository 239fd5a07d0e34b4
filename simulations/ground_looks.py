"""Looks of the ground: paddies of rice, dry season, pasture, mud and scrub, all by place in metres."""

from dataclasses import dataclass

import cv2
import numpy as np

from simulations.ground import FloatImage, Look, Place, Tiles, footprint_m, mix, sample

_PITCH_M = (31.0, 23.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """The ground's own colour (h, w, 3), how trodden or bare it is (0..1) and its fine grain."""

    colour: FloatImage
    bare: FloatImage
    grain: FloatImage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """Colours (BGR, in the sun of a clear noon) and roughness of one look.

    Attributes:
        base: most of it.
        parcels: what single fields tend to, one of them each.
        parcel_share: how far.
        patch: of the soft patches inside a field.
        bund: of the banks between fields; None has none.
        rough: brightness of blades, tufts, patches and wide swells, one sigma.
        rows: how clearly planting rows show.
        bushes: how thick low bushes stand.
        tall_m: how high the plants stand.
    """

    base: tuple[float, float, float]
    parcels: tuple[tuple[float, float, float], ...]
    parcel_share: float
    patch: tuple[float, float, float]
    bund: tuple[float, float, float] | None
    rough: tuple[float, float, float, float]
    rows: float = 0.0
    bushes: float = 0.0
    tall_m: float = 0.3


_STYLES: dict[Look, _Style] = {
    "rice": _Style(
        base=(58, 112, 98),
        parcels=((62, 142, 110), (78, 150, 158), (56, 118, 92), (70, 146, 138), (84, 128, 128)),
        parcel_share=0.65, patch=(48, 94, 72), bund=(92, 124, 142),
        rough=(0.12, 0.10, 0.07, 0.04), rows=0.03, tall_m=0.5,
    ),
    "dry": _Style(
        base=(92, 140, 162),
        parcels=((104, 152, 176), (84, 132, 150), (96, 148, 168), (78, 112, 132)),
        parcel_share=0.6, patch=(70, 118, 128), bund=(112, 146, 168),
        rough=(0.11, 0.10, 0.08, 0.05), rows=0.03, tall_m=0.25,
    ),
    "grass": _Style(
        base=(56, 118, 100), parcels=((60, 128, 108), (66, 132, 124)), parcel_share=0.3,
        patch=(74, 132, 134), bund=None, rough=(0.13, 0.12, 0.09, 0.05),
    ),
    "mud": _Style(
        base=(84, 104, 118),
        parcels=((96, 114, 126), (72, 92, 106), (118, 132, 138)), parcel_share=0.5,
        patch=(62, 82, 96), bund=(104, 134, 146), rough=(0.07, 0.08, 0.10, 0.05), tall_m=0.03,
    ),
    "scrub": _Style(
        base=(66, 118, 110), parcels=((72, 128, 128), (60, 108, 96)), parcel_share=0.4,
        patch=(88, 132, 146), bund=None, rough=(0.14, 0.13, 0.10, 0.05), bushes=1.0, tall_m=0.45,
    ),
}  # fmt: skip


def surface(look: Look, place: Place, tiles: Tiles, focal_px: float) -> Surface:
    """Paint the ground of every pixel."""
    style = _STYLES[look]
    blades = _standing(sample(tiles.fine, place, 0.02, focal_px), place, focal_px, style.tall_m)
    tufts = _standing(
        sample(tiles.fine, place, 0.11, focal_px), place, focal_px, 0.25 * style.tall_m
    )
    patches = sample(tiles.soft, place, 0.35, focal_px)
    wide = sample(tiles.soft, place, 2.3, focal_px)
    bund, parcel = _fields(place, patches)
    shape = (*place.east_m.shape, 3)
    colour = np.broadcast_to(np.array(style.base, dtype=np.float32), shape).copy()
    if style.bund is None:
        bund = 0.35 * bund * (patches > 0.4)
        parcel = np.asarray(np.clip(0.5 + 0.35 * wide, 0.0, 0.999), dtype=np.float32)
    own = np.array(style.parcels, dtype=np.float32)[(parcel * len(style.parcels)).astype(np.intp)]
    colour = mix(colour, own, np.full(shape[:2], style.parcel_share, dtype=np.float32))
    colour = mix(colour, style.patch, 0.22 + 0.30 * patches)
    colour = mix(colour, np.array(style.base) * 0.86, 0.25 + 0.3 * wide)
    if style.bushes:
        clump = np.clip(1.6 * sample(tiles.soft, place, 0.16, focal_px) - 1.3, 0.0, 1.0)
        colour = mix(colour, (44, 78, 66), 0.85 * clump)
        tufts = tufts + 0.6 * clump
    light = np.ones(shape[:2], dtype=np.float32)
    for strength, layer in zip(style.rough, (blades, tufts, patches, wide), strict=True):
        light += np.float32(strength) * layer
    if style.rows:
        light += np.float32(style.rows) * _rows(place, patches, parcel, focal_px)
    if style.bund is not None:
        # The foot of a bund is dark with weeds, its top is trodden.
        colour = mix(colour, np.array(style.base) * 0.72, np.clip(1.6 * bund, 0.0, 1.0) * 0.7)
        colour = mix(colour, style.bund, np.clip(1.7 * bund - 0.7, 0.0, 1.0) * 0.9)
    colour *= np.clip(light, 0.5, 1.5)[..., None]
    grain = 0.5 * patches + 0.4 * tufts + 0.6 * wide + 1.2 * (parcel - 0.5)
    return Surface(
        colour=colour,
        bare=np.asarray(np.clip(1.5 * bund - 0.5, 0.0, 1.0), dtype=np.float32),
        grain=np.asarray(grain, dtype=np.float32),
    )


def _standing(layer: FloatImage, place: Place, focal_px: float, tall_m: float) -> FloatImage:
    """Draw a texture of the ground upwards, as plants that stand on it."""
    high_px = np.nan_to_num(tall_m * focal_px / place.distance_m, nan=0.0)
    done = layer.copy()
    lengths = [length for length in (3.0, 6.0, 12.0, 24.0) if length < 2.0 * high_px.max()]
    for length in lengths:
        # A blur of n pixels leaves 1 of about sqrt(n) of the contrast.
        drawn = cv2.sepFilter2D(
            layer,
            -1,
            np.ones(1, dtype=np.float32),
            cv2.getGaussianKernel(2 * round(length) + 1, 0.3 * length, cv2.CV_32F),
        )
        drawn = drawn * np.float32(0.6 * length**0.5)
        share = np.clip(high_px / length - 0.5, 0.0, 1.0).astype(np.float32)
        done += share * (drawn - done)
    return np.asarray(np.clip(done, -2.8, 2.8), dtype=np.float32)


def _fields(place: Place, rough: FloatImage) -> tuple[FloatImage, FloatImage]:
    """Return 0..1 how much a pixel is bund, and the field's own number 0..1."""
    bend = 0.7 * rough
    east, north = np.nan_to_num(place.east_m) + bend, np.nan_to_num(place.north_m) - bend
    bund = np.zeros_like(east)
    cells = []
    for along, pitch, half in (
        (east * 0.97 + north * 0.21, _PITCH_M[0], 0.4),
        (north * 0.98 - east * 0.2, _PITCH_M[1], 0.32),
    ):
        away = np.abs(np.mod(along, pitch) - 0.5 * pitch)
        blur = np.maximum(np.nan_to_num(place.distance_m, nan=1e3) * 0.004, 0.12)
        # Far away a bund is narrower than a pixel: it is seen as a fainter line.
        thin = np.clip(half / blur, 0.0, 1.0)
        bund = np.maximum(bund, thin * np.clip((half + blur - away) / (2.0 * blur), 0.0, 1.0))
        cells.append(np.floor(along / pitch - 0.5))
    number = np.mod(np.sin(cells[0] * 12.9898 + cells[1] * 78.233) * 43758.547, 1.0)
    return np.asarray(bund, dtype=np.float32), np.asarray(number, dtype=np.float32)


def _rows(place: Place, patches: FloatImage, parcel: FloatImage, focal_px: float) -> FloatImage:
    """Return planting rows 22 cm apart, across in some fields and along in others."""
    east, north = np.nan_to_num(place.east_m), np.nan_to_num(place.north_m)
    across = np.where(parcel > 0.5, east * 0.97 + north * 0.21, north * 0.98 - east * 0.2)
    wave = np.sin(across * np.float32(2.0 * np.pi / 0.22) + 1.4 * patches)
    fade = np.clip(1.6 - footprint_m(place, focal_px) / 0.11, 0.0, 1.0)
    return np.asarray(wave * np.nan_to_num(fade), dtype=np.float32)
