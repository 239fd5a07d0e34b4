"""Intrinsics and distortion from views of a chessboard, cross-validated, or a refusal."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from edge.calibrate.board import Board, View
from geo.lens import Lens
from runtime.errors import AskOperator

Array = npt.NDArray[np.float64]

LEAST_VIEWS = 10
FOLDS = 5
CELLS = (8, 6)
_OUTLIER_RATIO = 2.5
_LEAST_COVERAGE = 0.45
_LEAST_TILTED = 4
_TILT = 0.08
_MOST_FOCAL_SIGMA = 0.02
_MOST_LEFT_OUT_PX = 2.0
NAMES = ("fx_px", "fy_px", "cx_px", "cy_px", "k1", "k2", "p1", "p2", "k3")


@dataclass(frozen=True, slots=True, kw_only=True)
class LensFit:
    """A lens with everything that is known of its errors.

    Attributes:
        lens: of the film's frames.
        sigma: one sigma of each number, by `NAMES`; the larger of the fit's own word and what
            fits without a fifth of the views scatter.
        views: that were used.
        view_rms_px: of each of those, over both axes.
        dropped: views that were not used, with the reason.
        rms_px: over both axes, of the views used.
        left_out_rms_px: the same on views that the fit did not see.
        coverage: (rows, columns) corners in each cell of the picture.
    """

    lens: Lens
    sigma: dict[str, float]
    views: tuple[View, ...]
    view_rms_px: tuple[float, ...]
    dropped: tuple[tuple[View, str], ...]
    rms_px: float
    left_out_rms_px: float
    coverage: npt.NDArray[np.int64] = field(compare=False)

    @property
    def covered_share(self) -> float:
        """Share of the picture's cells that a corner was seen in."""
        return float((self.coverage > 0).mean())

    @property
    def sigma_px(self) -> float:
        """What the model leaves unexplained, one sigma per axis, on views it did not see."""
        return self.left_out_rms_px / float(np.sqrt(2.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    rms_px: float
    matrix: Array
    distortion: Array
    sigma: Array
    view_rms_px: Array


def fit_lens(
    views: Sequence[View], board: Board, size_px: tuple[int, int], *, with_k3: bool | None = None
) -> LensFit:
    """Fit a lens.

    Args:
        views: chosen by `edge.calibrate.board.choose`.
        board: as printed.
        size_px: of the frames.
        with_k3: whether the third radial term is fitted; None lets the views left out decide.

    Raises:
        AskOperator: too few or too alike views, or none that agree; says what to film.
    """
    _check_views(views, size_px)
    if with_k3 is None:
        plain, wide = (_left_out(views, board, size_px, with_k3=k3)[0] for k3 in (False, True))
        # The third term must earn its place: without need it bends the picture's corners.
        with_k3 = wide < 0.98 * plain
    kept, dropped = list(views), []
    raw = _fit(kept, board, size_px, with_k3=with_k3)
    while len(kept) > LEAST_VIEWS:
        middle = float(np.median(raw.view_rms_px))
        worst = int(np.argmax(raw.view_rms_px))
        if raw.view_rms_px[worst] <= max(_OUTLIER_RATIO * middle, 0.3):
            break
        reason = f"its residual of {raw.view_rms_px[worst]:.2f} px is far above {middle:.2f} px"
        dropped.append((kept.pop(worst), reason))
        raw = _fit(kept, board, size_px, with_k3=with_k3)
    left_out_rms_px, scatter = _left_out(kept, board, size_px, with_k3=with_k3)
    sigma = np.maximum(raw.sigma, scatter)
    lens = _lens(raw, size_px)
    fit = LensFit(
        lens=lens,
        sigma=dict(zip(NAMES, map(float, sigma), strict=True)),
        views=tuple(kept),
        view_rms_px=tuple(map(float, raw.view_rms_px)),
        dropped=tuple(dropped),
        rms_px=raw.rms_px,
        left_out_rms_px=left_out_rms_px,
        coverage=coverage(kept, size_px),
    )
    _check_fit(fit)
    return fit


def coverage(views: Sequence[View], size_px: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Corners per cell of the picture, (rows, columns)."""
    columns, rows = CELLS
    every = np.vstack([view.corners_px for view in views])
    count, _, _ = np.histogram2d(
        every[:, 1],
        every[:, 0],
        bins=(rows, columns),
        range=((-0.5, size_px[1] - 0.5), (-0.5, size_px[0] - 0.5)),
    )
    return count.astype(np.int64)


def _lens(raw: _Raw, size_px: tuple[int, int]) -> Lens:
    k1, k2, p1, p2, k3 = (float(value) for value in raw.distortion[:5])
    return Lens(
        fx_px=float(raw.matrix[0, 0]),
        fy_px=float(raw.matrix[1, 1]),
        cx_px=float(raw.matrix[0, 2]),
        cy_px=float(raw.matrix[1, 2]),
        width_px=size_px[0],
        height_px=size_px[1],
        k1=k1,
        k2=k2,
        p1=p1,
        p2=p2,
        k3=k3,
    )


def _fit(views: Sequence[View], board: Board, size_px: tuple[int, int], *, with_k3: bool) -> _Raw:
    flat = board.corners_m.astype(np.float32)
    flags = 0 if with_k3 else cv2.CALIB_FIX_K3
    rms, matrix, distortion, _, _, sigma, _, per_view = cv2.calibrateCameraExtended(
        [flat] * len(views),
        [view.corners_px.astype(np.float32) for view in views],
        size_px,
        np.eye(3),
        np.zeros(5),
        flags=flags,
    )
    return _Raw(
        rms_px=float(rms),
        matrix=np.asarray(matrix, np.float64),
        distortion=np.asarray(distortion, np.float64).ravel(),
        sigma=np.asarray(sigma, np.float64).ravel()[:9],
        view_rms_px=np.asarray(per_view, np.float64).ravel(),
    )


def _left_out(
    views: Sequence[View], board: Board, size_px: tuple[int, int], *, with_k3: bool
) -> tuple[float, Array]:
    """Residual on views left out, in turn a fifth of them; and the scatter of the nine numbers.

    Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, the grouped jackknife.
    """
    squares, corners, found = 0.0, 0, []
    flat = board.corners_m
    for fold in range(FOLDS):
        raw = _fit(
            [view for k, view in enumerate(views) if k % FOLDS != fold], board, size_px,
            with_k3=with_k3,
        )  # fmt: skip
        found.append([*raw.matrix[[0, 1, 0, 1], [0, 1, 2, 2]], *raw.distortion[:5]])
        for view in views[fold::FOLDS]:
            _, turn, shift = cv2.solvePnP(flat, view.corners_px, raw.matrix, raw.distortion)
            seen, _ = cv2.projectPoints(flat, turn, shift, raw.matrix, raw.distortion)
            off = np.asarray(seen, np.float64).reshape(-1, 2) - view.corners_px
            squares, corners = squares + float((off**2).sum()), corners + len(off)
    spread = np.array(found)
    scatter = np.sqrt((FOLDS - 1) / FOLDS * ((spread - spread.mean(axis=0)) ** 2).sum(axis=0))
    return float(np.sqrt(squares / corners)), np.asarray(scatter, np.float64)


# --- refusals -------------------------------------------------------------------------------------
def _refuse(value: str, allowed: str, next_step: str) -> AskOperator:
    return AskOperator(field="SOURCE", value=value, allowed=allowed, next_step=next_step)


def _check_views(views: Sequence[View], size_px: tuple[int, int]) -> None:
    if len(views) < LEAST_VIEWS:
        raise _refuse(
            f"a film with {len(views)} sharp and different views of the whole board",
            f"at least {LEAST_VIEWS}",
            "film the board for a minute: hold still at each place, in the middle and in all four "
            "corners of the picture, near and far, tilted to each side; check --board (inner "
            "corners, not squares)",
        )
    tilted = sum(max(abs(t) for t in view.tilt) > _TILT for view in views)
    if tilted < _LEAST_TILTED:
        raise _refuse(
            f"a film with {tilted} views of a tilted board",
            f"at least {_LEAST_TILTED}, since a board held squarely tells no focal length",
            "film it turned by 30 to 45 degrees to the left, right, up and down",
        )
    share = float((coverage(views, size_px) > 0).mean())
    if share < _LEAST_COVERAGE:
        raise _refuse(
            f"a film whose boards cover {100 * share:.0f} % of the picture",
            f"at least {100 * _LEAST_COVERAGE:.0f} %, since the lens bends most at the edges",
            f"film the board {_empty_sides(coverage(views, size_px))} of the picture too, up to "
            "the edge",
        )


def _empty_sides(count: npt.NDArray[np.int64]) -> str:
    rows, columns = count.shape
    halves = {
        "at the left": count[:, : columns // 3],
        "at the right": count[:, -(columns // 3) :],
        "at the top": count[: rows // 3],
        "at the bottom": count[-(rows // 3) :],
    }
    bare = [name for name, part in halves.items() if (part > 0).mean() < 0.5]
    return ", ".join(bare) or "in all corners"


def _check_fit(fit: LensFit) -> None:
    share = fit.sigma["fx_px"] / fit.lens.fx_px
    if share > _MOST_FOCAL_SIGMA:
        raise _refuse(
            f"a film that tells the focal length only to {100 * share:.1f} %",
            f"{100 * _MOST_FOCAL_SIGMA:.0f} % or better",
            "film it tilted by 30 to 45 degrees to each side, and nearer",
        )
    if fit.left_out_rms_px > _MOST_LEFT_OUT_PX:
        raise _refuse(
            f"a film with residuals of {fit.left_out_rms_px:.1f} px",
            f"{_MOST_LEFT_OUT_PX:g} px or less",
            "is the board flat (glue it to glass or a plate), is zoom and focus fixed, is --board "
            "right",
        )
