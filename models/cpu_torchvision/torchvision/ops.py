"""Non-maximum suppression, carried out by ultralytics' pure torch implementation."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def nms(boxes: "torch.Tensor", scores: "torch.Tensor", iou_threshold: float) -> "torch.Tensor":
    """Keep the best of every group of overlapping boxes.

    Args:
        boxes: (n, 4) corners x1, y1, x2, y2 in pixels.
        scores: (n,) confidences.
        iou_threshold: Overlap above which the weaker box goes, 0..1.

    Returns:
        (k,) indices of the boxes that stay, best first.
    """
    # ultralytics imports torchvision, so this import can only happen at the first call.
    from ultralytics.utils.nms import TorchNMS

    return TorchNMS.nms(boxes, scores, iou_threshold)
