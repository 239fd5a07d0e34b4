"""How much boxes overlap, and which of them say the same thing twice."""

import numpy as np
import numpy.typing as npt


def pairwise_iou(
    first_px: npt.NDArray[np.floating], second_px: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """(n, m) intersection over union of (n, 4) and (m, 4) boxes; 0 for boxes without area."""
    a, b = first_px.astype(np.float64), second_px.astype(np.float64)
    ax1, ay1, ax2, ay2 = (a[:, k, None] for k in range(4))
    bx1, by1, bx2, by2 = (b[None, :, k] for k in range(4))
    width = np.maximum(np.minimum(ax2, bx2) - np.maximum(ax1, bx1), 0.0)
    height = np.maximum(np.minimum(ay2, by2) - np.maximum(ay1, by1), 0.0)
    both = width * height
    either = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - both
    return np.asarray(both / np.where(either > 0, either, np.inf), np.float64)


def suppress(
    boxes_px: npt.NDArray[np.float32], class_index: npt.NDArray[np.int64], max_iou: float
) -> npt.NDArray[np.int64]:
    """Greedy suppression inside each class.

    Args:
        boxes_px: (n, 4) x1 y1 x2 y2, strongest first.
        class_index: (n,).
        max_iou: a box that overlaps a stronger one of its class by more than this goes.

    Returns:
        (m,) rows that stay, strongest first.
    """
    overlap = pairwise_iou(boxes_px, boxes_px)
    rival = (overlap > max_iou) & (class_index[:, None] == class_index[None, :])
    alive = np.ones(len(boxes_px), np.bool_)
    # Only a box with a rival behind it can change anything.
    for row in np.flatnonzero(np.triu(rival, 1).any(axis=1)):
        if alive[row]:
            alive[row + 1 :] &= ~rival[row, row + 1 :]
    return np.flatnonzero(alive)
