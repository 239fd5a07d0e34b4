"""Overlap and suppression of boxes."""

import numpy as np
import pytest

from edge.overlap import pairwise_iou, suppress

SQUARE = (0.0, 0.0, 10.0, 10.0)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (SQUARE, 1.0),  # itself
        ((0.0, 0.0, 10.0, 5.0), 0.5),  # its half
        ((5.0, 0.0, 15.0, 10.0), 1 / 3),  # shifted by half
        ((10.0, 0.0, 20.0, 10.0), 0.0),  # touching is no overlap
        ((3.0, 3.0, 3.0, 3.0), 0.0),  # a box without area
    ],
)
def test_overlap_is_area_of_both_over_area_of_either(other, expected):
    """IoU of known pairs."""
    assert expected == pytest.approx(pairwise_iou(np.array([SQUARE]), np.array([other]))[0, 0])


def test_two_points_do_not_divide_by_zero():
    """Boxes without area have no overlap, even with themselves."""
    point = np.array([[3.0, 3.0, 3.0, 3.0]])
    assert pairwise_iou(point, point)[0, 0] == 0.0


def test_suppression_keeps_the_strongest_of_a_class_and_other_classes():
    """The second box of a class goes, the same box of another class stays."""
    boxes = np.array([SQUARE, (0, 0, 10, 9), (0, 0, 10, 9), (40, 40, 50, 50)], np.float32)
    kept = suppress(boxes, np.array([0, 0, 1, 0]), 0.7)
    assert [0, 2, 3] == kept.tolist()


def test_a_suppressed_box_suppresses_nobody():
    """Greedy: the chain a > b > c keeps c when only b overlapped it."""
    boxes = np.array([(0, 0, 10, 10), (3, 0, 13, 10), (6, 0, 16, 10)], np.float32)
    assert [0, 2] == suppress(boxes, np.zeros(3, np.int64), 0.5).tolist()
