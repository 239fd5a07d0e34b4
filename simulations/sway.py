"""A mast in the wind: where the camera truly looks at an instant, and the empty picture from there.

The swing is a sum of a few oscillations of seeded phase, so it is band-limited, bounded, and known
at any instant without the ones before.
"""

import math
from dataclasses import replace

import cv2
import numpy as np

from geo._types import FloatArray
from simulations.ground import Image, View

_BAND_HZ = (0.25, 1.6)
_WAVES = 4
_GRID_PX = 16
_ROLL_SHARE = 0.3
_MOST_MARGIN_PX = 400


class Sway:
    """The swing of one mast.

    Args:
        view: the mean pose.
        sigma_deg: of the axis at a wind of 10 m/s, one sigma.
        strongest_wind_m_s: of the scenario; decides how much more than the picture is drawn.
        seed: of the scenario.
    """

    def __init__(
        self, view: View, *, sigma_deg: float, strongest_wind_m_s: float, seed: int
    ) -> None:
        self._view = view
        self._sigma_deg = sigma_deg
        rng = np.random.default_rng([seed, 0x5A])
        self._rate = 2.0 * np.pi * rng.uniform(*_BAND_HZ, size=(3, _WAVES))
        self._phase = rng.uniform(0.0, 2.0 * np.pi, size=(3, _WAVES))
        most = math.sqrt(2.0 * _WAVES) * math.radians(sigma_deg) * _pressure(strongest_wind_m_s)
        reach_px = view.lens.fx_px * math.tan(min(most, 0.5)) * 1.3
        self.margin_px = 0 if sigma_deg == 0.0 else min(_MOST_MARGIN_PX, math.ceil(reach_px) + 4)

    @property
    def still(self) -> bool:
        """Whether the camera never moves."""
        return self.margin_px == 0

    def view_at(self, t_s: float, wind_m_s: float) -> View:
        """Return the true pose at an instant."""
        if self.still:
            return self._view
        swing = np.sin(self._rate * t_s + self._phase).sum(axis=1) * math.sqrt(2.0 / _WAVES)
        size = math.radians(self._sigma_deg) * _pressure(wind_m_s)
        turn = swing * size * np.array([1.0, 1.0, _ROLL_SHARE])
        small, _ = cv2.Rodrigues(turn)
        return replace(self._view, rotation=np.asarray(self._view.rotation @ small))

    def seen_from(self, view: View, plate: Image) -> Image:
        """Return the picture of the true pose, from an empty picture wider by the margin."""
        lens = view.lens
        turn = self._view.rotation.T @ view.rotation
        size = (lens.width_px, lens.height_px)
        if not lens.distortion.any():
            shift = np.array([[1.0, 0, self.margin_px], [0, 1.0, self.margin_px], [0, 0, 1.0]])
            onto = shift @ lens.matrix @ turn @ np.linalg.inv(lens.matrix)
            return np.asarray(
                cv2.warpPerspective(
                    plate, onto, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                    borderMode=cv2.BORDER_REPLICATE,
                ),
                dtype=np.uint8,
            )  # fmt: skip
        fine = self._map(view, turn)
        return np.asarray(
            cv2.remap(plate, fine[0], fine[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            dtype=np.uint8,
        )

    def _map(self, view: View, turn: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return where in the plate each pixel lies: exact on a coarse grid, smooth between."""
        lens = view.lens
        across = np.arange(-_GRID_PX, lens.width_px + 2 * _GRID_PX, _GRID_PX)
        down = np.arange(-_GRID_PX, lens.height_px + 2 * _GRID_PX, _GRID_PX)
        columns, rows = np.meshgrid(across, down)
        pixels = np.column_stack((columns.ravel(), rows.ravel())).astype(np.float64)
        there = lens.project(lens.rays(pixels) @ turn.T) - pixels
        fields = []
        for k, count in ((0, lens.width_px), (1, lens.height_px)):
            coarse = np.nan_to_num(there[:, k]).reshape(columns.shape).astype(np.float32)
            fine = cv2.resize(
                coarse, None, fx=_GRID_PX, fy=_GRID_PX, interpolation=cv2.INTER_LINEAR
            )
            # The middle of a coarse cell lies half a cell and half a pixel from its corner.
            start = _GRID_PX + (_GRID_PX - 1) // 2 + 1
            fine = fine[start : start + lens.height_px, start : start + lens.width_px]
            own = np.arange(count, dtype=np.float32) + np.float32(self.margin_px)
            fields.append(fine + (own[None, :] if k == 0 else own[:, None]))
        return fields[0], fields[1]


def _pressure(wind_m_s: float) -> float:
    """Return the swing over that at 10 m/s: gusts push with the wind's square, masts stiffen."""
    return float((max(wind_m_s, 0.0) / 10.0) ** 1.5)
