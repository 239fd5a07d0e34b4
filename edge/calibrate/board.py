"""Chessboards in pictures: found to a fraction of a pixel, judged, and chosen for spread."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

_SEARCH_WIDTH_PX = 960
_SHARP_SHARE = 0.55
_KEEP_APART = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A chessboard as it is printed.

    Attributes:
        columns: inner corners across.
        rows: inner corners down.
        square_m: side of one square.
    """

    columns: int
    rows: int
    square_m: float

    @property
    def corners_m(self) -> Array:
        """(n, 3) inner corners on the board, row by row."""
        down, across = np.mgrid[0 : self.rows, 0 : self.columns]
        flat = np.column_stack((across.ravel(), down.ravel(), np.zeros(across.size)))
        return np.asarray(flat * self.square_m, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One picture with the whole board in it.

    Attributes:
        frame: running number in the film, from 1.
        corners_px: (n, 2) in the board's order.
        edge_px: width of the transition from black to white; small is sharp.
        centre: of the board, as shares of the picture.
        scale: root of the board's area as a share of the picture's.
        tilt: how much its opposite sides differ in length, across and down: 0 seen squarely.
    """

    frame: int
    corners_px: Array = field(compare=False)
    edge_px: float
    centre: tuple[float, float]
    scale: float
    tilt: tuple[float, float]

    @property
    def traits(self) -> Array:
        """(5,) what makes views alike or different, each about 0..1 wide."""
        return np.array([*self.centre, 1.5 * self.scale, 1.5 * self.tilt[0], 1.5 * self.tilt[1]])


def find_board(image: Image, board: Board, frame: int) -> View | None:
    """Find the whole board in a picture; None where it is not (wholly) seen.

    A small copy of the picture is searched first, since most of a film shows no board.
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    height, width = grey.shape
    size = (board.columns, board.rows)
    factor = max(1.0, width / _SEARCH_WIDTH_PX)
    small = grey
    if factor > 1.0:
        small = np.asarray(
            cv2.resize(grey, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        )
    flags = cv2.CALIB_CB_ADAPTIVE_THRESH | cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_FAST_CHECK
    found, rough = cv2.findChessboardCorners(small, size, flags=flags)
    if not found:
        return None
    # A pixel's centre is a whole number: the small picture's is half of its size off.
    start = (np.asarray(rough, np.float32).reshape(-1, 2) + 0.5) * np.float32(factor) - 0.5
    spacing = _least_spacing(np.asarray(start, np.float64).reshape(board.rows, board.columns, 2))
    if spacing < 6.0:
        return None
    half = int(np.clip(spacing * 0.3, 3, 11))
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 60, 1e-4)
    corners = cv2.cornerSubPix(
        grey, np.ascontiguousarray(start, np.float32), (half, half), (-1, -1), stop
    )
    grid = np.asarray(corners, np.float64).reshape(board.rows, board.columns, 2)
    sharp, _ = cv2.estimateChessboardSharpness(
        grey, size, np.ascontiguousarray(grid.reshape(-1, 1, 2), np.float32)
    )
    outline = grid[[0, 0, -1, -1], [0, -1, -1, 0]]
    centre = grid.reshape(-1, 2).mean(axis=0) / (width, height)
    top, right, bottom, left = (
        float(np.linalg.norm(outline[(k + 1) % 4] - outline[k])) for k in range(4)
    )
    area = float(cv2.contourArea(outline.astype(np.float32)))
    return View(
        frame=frame,
        corners_px=grid.reshape(-1, 2),
        edge_px=float(sharp[0]),
        centre=(float(centre[0]), float(centre[1])),
        scale=float(np.sqrt(area / (width * height))),
        tilt=(float(np.log(right / left)), float(np.log(bottom / top))),
    )


def _least_spacing(grid: Array) -> float:
    across = np.linalg.norm(np.diff(grid, axis=1), axis=2)
    down = np.linalg.norm(np.diff(grid, axis=0), axis=2)
    return float(min(across.min(), down.min()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Views that were taken, and why others were not, by frame."""

    views: tuple[View, ...]
    passed_over: dict[str, int]


def choose(found: list[View], most: int) -> Choice:
    """Choose sharp views that differ: each next one is the most unlike all those before.

    Args:
        found: every view of the film.
        most: so many are enough.
    """
    if not found:
        return Choice(views=(), passed_over={})
    edges = np.array([view.edge_px for view in found])
    # The sharper part of the film, and whatever is as sharp as its middle.
    limit = float(np.quantile(edges, _SHARP_SHARE)) * 1.15
    sharp = [view for view, edge in zip(found, edges, strict=True) if edge <= limit]
    traits = np.array([view.traits for view in sharp])
    first = int(np.argmin([view.edge_px for view in sharp]))
    taken = [first]
    distance = np.linalg.norm(traits - traits[first], axis=1)
    while len(taken) < min(most, len(sharp)):
        k = int(np.argmax(distance))
        if distance[k] < _KEEP_APART:
            break
        taken.append(k)
        distance = np.minimum(distance, np.linalg.norm(traits - traits[k], axis=1))
    views = tuple(sorted((sharp[k] for k in taken), key=lambda view: view.frame))
    return Choice(
        views=views,
        passed_over={"blurred": len(found) - len(sharp), "alike": len(sharp) - len(taken)},
    )
