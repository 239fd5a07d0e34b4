"""Tapered capsules on the picture: where they lie, and the coverage and normals of each pixel."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from simulations.body import Body
from simulations.ground import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Limbs:
    """Capsules in pixels, with their depth."""

    start: FloatArray
    end: FloatArray
    start_radius: FloatArray
    end_radius: FloatArray
    depth_m: FloatArray
    material: tuple[int, ...]

    def box(self) -> tuple[float, float, float, float]:
        """Return the box round all capsules, as pixel edges (a pixel is one wide)."""
        low = np.minimum(
            self.start - self.start_radius[:, None], self.end - self.end_radius[:, None]
        )
        high = np.maximum(
            self.start + self.start_radius[:, None], self.end + self.end_radius[:, None]
        )
        # The lens counts from the middle of the first pixel, boxes from its corner.
        x1, y1 = (np.nanmin(low, axis=0) + 0.5).tolist()
        x2, y2 = (np.nanmax(high, axis=0) + 0.5).tolist()
        return x1, y1, x2, y2

    def window(self, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
        """Return rows and columns of the picture that the capsules may touch, blur included."""
        if not np.isfinite(self.start).any():
            return None
        x1, y1, x2, y2 = self.box()
        return _window(x1 - 4, y1 - 4, x2 + 4, y2 + 4, shape)

    def order(self) -> list[int]:
        """Return the capsules from far to near."""
        return [int(k) for k in np.argsort(-self.depth_m, kind="stable")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One capsule's pixels: coverage 0..1 and the surface normal (x right, y down, z to us)."""

    rows: slice
    columns: slice
    cover: npt.NDArray[np.float32]
    normal_x: npt.NDArray[np.float32]
    normal_y: npt.NDArray[np.float32]
    normal_z: npt.NDArray[np.float32]


def _window(
    x1: float, y1: float, x2: float, y2: float, shape: tuple[int, ...]
) -> tuple[slice, slice] | None:
    top, bottom = max(0, math.floor(y1)), min(shape[0], math.ceil(y2) + 1)
    left, right = max(0, math.floor(x1)), min(shape[1], math.ceil(x2) + 1)
    if top >= bottom or left >= right:
        return None
    return slice(top, bottom), slice(left, right)


def project(view: View, body: Body) -> Limbs:
    """Return the capsules as the lens shows them; nan where they are behind it."""
    start_c, end_c = view.to_camera(body.start_m), view.to_camera(body.end_m)
    focal = math.sqrt(view.lens.fx_px * view.lens.fy_px)
    start_z = np.where(start_c[:, 2] > 0.1, start_c[:, 2], np.nan)
    end_z = np.where(end_c[:, 2] > 0.1, end_c[:, 2], np.nan)
    return Limbs(
        start=view.lens.project(start_c),
        end=view.lens.project(end_c),
        start_radius=focal * body.start_radius_m / start_z,
        end_radius=focal * body.end_radius_m / end_z,
        depth_m=0.5 * (start_c[:, 2] + end_c[:, 2]),
        material=body.material,
    )


def capsule(limbs: Limbs, k: int, shape: tuple[int, ...]) -> Patch | None:
    """Return the pixels of one tapered capsule, or None outside the picture."""
    a, b = limbs.start[k], limbs.end[k]
    ra, rb = float(limbs.start_radius[k]), float(limbs.end_radius[k])
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    window = _window(
        min(a[0] - ra, b[0] - rb) - 1, min(a[1] - ra, b[1] - rb) - 1,
        max(a[0] + ra, b[0] + rb) + 1, max(a[1] + ra, b[1] + rb) + 1, shape,
    )  # fmt: skip
    if window is None:
        return None
    rows, columns = window
    x = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] - np.float32(a[0])
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - np.float32(a[1])
    along_x, along_y = np.float32(b[0] - a[0]), np.float32(b[1] - a[1])
    length2 = max(float(along_x * along_x + along_y * along_y), 1e-6)
    t = np.clip((x * along_x + y * along_y) / np.float32(length2), 0.0, 1.0)
    radius = np.float32(ra) + np.float32(rb - ra) * t
    away_x, away_y = x - t * along_x, y - t * along_y
    distance = np.sqrt(away_x * away_x + away_y * away_y)
    safe = np.maximum(radius, np.float32(0.3))
    normal_x, normal_y = away_x / safe, away_y / safe
    flat = np.minimum(normal_x * normal_x + normal_y * normal_y, np.float32(1.0))
    return Patch(
        rows=rows,
        columns=columns,
        cover=np.clip(radius - distance + np.float32(0.5), 0.0, 1.0),
        normal_x=normal_x,
        normal_y=normal_y,
        normal_z=np.sqrt(np.float32(1.0) - flat),
    )
