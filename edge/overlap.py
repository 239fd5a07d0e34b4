"""How much boxes overlap, and which of them say the same thing twice."""

import numpy as np
import numpy.typing as npt


def pairwise_iou(
    first_px: npt.NDArray[np.floating], second_px: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """(n, m) intersection over union of (n, 4) and (m, 4) boxes; 0 for boxes without area."""
    a, b = first_px.astype(np.float64), second_px.astype(np.float64)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.prod(np.clip(high - low, 0.0, None), axis=2)
    area_a = np.prod(a[:, 2:] - a[:, :2], axis=1)
    area_b = np.prod(b[:, 2:] - b[:, :2], axis=1)
    either = area_a[:, None] + area_b[None, :] - both
    return np.asarray(
        np.divide(both, either, out=np.zeros_like(both), where=either > 0), np.float64
    )


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
    for row in range(len(boxes_px)):
        if alive[row]:
            alive[row + 1 :] &= ~rival[row, row + 1 :]
    return np.flatnonzero(alive)
