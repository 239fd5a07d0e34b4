"""Drawn scenes: the same seed draws the same, and boxes lie where the figures are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from models.scenes import DRAWN_CLASS_IDS, Labelled, scene

SIZE_PX = (320, 192)


def draw(seed: int, spectrum: str = "day", **more) -> Labelled:
    rng = np.random.default_rng(seed)
    return scene(rng, spectrum=spectrum, size_px=SIZE_PX, heights_px=(16.0, 90.0), **more)


def test_the_same_seed_draws_the_same_scene():
    """A recipe can be repeated."""
    first, second = draw(5), draw(5)

    np.testing.assert_array_equal(first.bgr, second.bgr)
    np.testing.assert_array_equal(first.boxes_px, second.boxes_px)


@examples(max_examples=25)
@given(seed=st.integers(0, 2**31), spectrum=st.sampled_from(["day", "thermal"]))
def test_boxes_lie_inside_the_picture_and_have_an_area(seed, spectrum):
    """Whatever is drawn, its label is usable."""
    drawn = draw(seed, spectrum)

    assert (192, 320, 3) == drawn.bgr.shape
    assert len(drawn.boxes_px) == len(drawn.class_ids)
    assert set(drawn.class_ids.tolist()) <= set(DRAWN_CLASS_IDS.values())
    assert (drawn.boxes_px[:, :2] >= 0).all()
    assert (drawn.boxes_px[:, 2:] <= (320, 192)).all()
    assert (drawn.boxes_px[:, 2:] > drawn.boxes_px[:, :2]).all()


def test_a_thermal_picture_has_no_colour():
    """The three channels of a thermal camera are one."""
    drawn = draw(3, "thermal")

    np.testing.assert_array_equal(drawn.bgr[..., 0], drawn.bgr[..., 2])


def test_people_stand_out_inside_their_boxes_and_nowhere_else():
    """On an even backdrop, what changes beyond noise is covered by boxes or things."""
    even = Labelled(
        bgr=np.full((192, 320, 3), 128, np.uint8),
        boxes_px=np.zeros((0, 4), np.float32),
        class_ids=np.zeros(0, np.int64),
    )
    changed, covered = 0.0, 0.0
    for seed in range(20):
        drawn = draw(seed, "thermal", backdrop=even)
        level = float(np.median(drawn.bgr))
        away = np.abs(drawn.bgr[..., 0].astype(float) - level) > 25
        for x1, y1, x2, y2 in drawn.boxes_px.astype(int):
            inside = away[y1:y2, x1:x2]
            changed += float(inside.mean())
            covered += 1.0

    assert covered > 20
    assert changed / covered > 0.25


@pytest.mark.parametrize("kept_class", [2, 7])
def test_labels_of_a_backdrop_are_kept(kept_class):
    """People drawn into a photograph join what was already labelled there."""
    photograph = Labelled(
        bgr=np.full((192, 320, 3), 90, np.uint8),
        boxes_px=np.array([[10, 20, 60, 50]], np.float32),
        class_ids=np.array([kept_class], np.int64),
    )

    drawn = draw(8, "day", backdrop=photograph)

    np.testing.assert_array_equal([10, 20, 60, 50], drawn.boxes_px[0])
    assert kept_class == drawn.class_ids[0]
