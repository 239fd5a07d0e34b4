"""A film of a chessboard through a known lens, drawn by sending every pixel's ray back to the board."""

import cv2
import numpy as np

from geo.lens import Lens

LENS = Lens(
    fx_px=905.0,
    fy_px=902.0,
    cx_px=486.0,
    cy_px=264.0,
    width_px=960,
    height_px=540,
    k1=-0.28,
    k2=0.09,
    p1=0.0012,
    p2=-0.0008,
)
COLUMNS, ROWS, SQUARE_M = 9, 6, 0.025
_OVER = 2


def turned(about_x_deg: float, about_y_deg: float, about_z_deg: float) -> np.ndarray:
    """Camera from board."""
    x, y, z = np.radians([about_x_deg, about_y_deg, about_z_deg])
    return (
        cv2.Rodrigues(np.array([x, 0, 0]))[0]
        @ cv2.Rodrigues(np.array([0, y, 0]))[0]
        @ (cv2.Rodrigues(np.array([0, 0, z]))[0])
    )


class Studio:
    """Draws boards; the rays of all pixels are worked out once."""

    def __init__(self, lens: Lens = LENS, seed: int = 1) -> None:
        self.lens = lens
        self._rng = np.random.default_rng(seed)
        step = 1.0 / _OVER
        u = np.arange(lens.width_px * _OVER) * step - 0.5 + step / 2
        v = np.arange(lens.height_px * _OVER) * step - 0.5 + step / 2
        grid = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
        self._rays = lens.rays(grid)

    def draw(
        self, rotation: np.ndarray, centre_m: np.ndarray, *, blur_px: float = 0.6
    ) -> np.ndarray:
        """(height, width, 3) picture of the board with its middle at a place in the camera frame."""
        middle = np.array([(COLUMNS - 1) / 2, (ROWS - 1) / 2, 0]) * SQUARE_M
        normal = rotation[:, 2]
        reach = (centre_m @ normal) / (self._rays @ normal)
        hit = (reach[:, None] * self._rays - centre_m) @ rotation + middle
        square = np.floor(hit[:, :2] / SQUARE_M + 1e-12).astype(int) + 1
        inside = (square >= 0).all(1) & (square[:, 0] <= COLUMNS) & (square[:, 1] <= ROWS)
        margin = (hit[:, :2] > -2 * SQUARE_M).all(1) & (
            hit[:, :2] < [(COLUMNS + 1) * SQUARE_M, (ROWS + 1) * SQUARE_M]
        ).all(1)
        grey = np.full(len(self._rays), 110.0)
        grey[margin & (reach > 0)] = 235.0
        grey[inside & (square.sum(1) % 2 == 0) & (reach > 0)] = 20.0
        shape = (self.lens.height_px, _OVER, self.lens.width_px, _OVER)
        picture = grey.reshape(shape).mean(axis=(1, 3))
        picture = cv2.GaussianBlur(picture, (0, 0), blur_px)
        picture = picture + self._rng.normal(0.0, 2.0, picture.shape)
        return cv2.cvtColor(np.clip(picture, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)

    def corners(self, rotation: np.ndarray, centre_m: np.ndarray) -> np.ndarray:
        """(n, 2) where the inner corners truly are."""
        down, across = np.mgrid[0:ROWS, 0:COLUMNS]
        board = np.column_stack((across.ravel(), down.ravel(), np.zeros(across.size))) * SQUARE_M
        middle = np.array([(COLUMNS - 1) / 2, (ROWS - 1) / 2, 0]) * SQUARE_M
        return self.lens.project((board - middle) @ rotation.T + centre_m)


def places(
    lens: Lens = LENS, seed: int = 3, count: int = 40
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Poses of a board that is carried through the whole picture, near and far, tilted all ways."""
    rng = np.random.default_rng(seed)
    studio_corners = Studio.corners
    kept = []
    shell = object.__new__(Studio)
    shell.lens = lens
    while len(kept) < count:
        away = rng.uniform(0.24, 0.6)
        pixel = np.array(
            [[rng.uniform(0.08, 0.92) * lens.width_px, rng.uniform(0.08, 0.92) * lens.height_px]]
        )
        ray = lens.rays(pixel)[0]
        rotation = turned(*rng.uniform(-42, 42, 2), rng.uniform(-15, 15))
        centre = ray / ray[2] * away
        corners = studio_corners(shell, rotation, centre)
        if np.isfinite(corners).all() and lens.contains(corners).all():
            kept.append((rotation, centre))
    return kept
