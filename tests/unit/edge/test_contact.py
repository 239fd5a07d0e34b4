"""Where a box touches the ground: its foot from the side, its middle from above, smooth between."""

import numpy as np
import pytest

from edge.contact import SHAPES, contact_points
from geo.lens import Lens, rotation_enu_from_camera

LENS = Lens.from_hfov(50.0, 1280, 720)
HEIGHT_M = 60.0


def cylinder_box(rotation, place_m, radius_m, height_m):
    """Box of an upright cylinder whose foot's middle stands at a place (camera at the origin)."""
    turn = np.linspace(0.0, 2.0 * np.pi, 200)
    ring = np.column_stack((radius_m * np.cos(turn), radius_m * np.sin(turn), np.zeros(200)))
    top = ring + np.array([0.0, 0.0, height_m])
    skin = np.vstack((ring, top)) + place_m
    pixels = LENS.project(skin @ rotation)
    return np.concatenate((pixels.min(axis=0), pixels.max(axis=0)))


@pytest.mark.parametrize("pitch_deg", [-3.0, -20.0, -45.0, -70.0, -90.0])
@pytest.mark.parametrize("roll_deg", [0.0, 12.0, 90.0, 180.0])
def test_a_cylinders_foot_is_found_at_every_angle(pitch_deg, roll_deg):
    """The middle of the foot of a person's cylinder, within a few centimetres on the ground."""
    rotation = rotation_enu_from_camera(40.0, pitch_deg, roll_deg)
    axis = rotation[:, 2]
    distance_m = HEIGHT_M / max(-axis[2], np.sin(np.radians(3.0)))
    place_m = np.array([*(axis[:2] * distance_m), -HEIGHT_M])
    height_m = 1.7
    radius_m = SHAPES["Human"].radius[0] * height_m
    box = cylinder_box(rotation, place_m, radius_m, height_m)
    (found,), (cov,) = contact_points(LENS, rotation, box[None, :], ["Human"])
    true = LENS.project(place_m[None, :] @ rotation)[0]
    # Pixels to metres at right angles to the ray.
    off_m = np.hypot(*(found - true)) * np.linalg.norm(place_m) / LENS.fx_px
    assert off_m < 0.06
    assert np.linalg.eigvalsh(cov).min() >= 0.0


def test_the_foot_of_the_box_becomes_its_middle_without_a_jump():
    """From the horizon to the nadir the part of the box below the contact grows steadily 0 to 1/2."""
    parts = []
    for pitch_deg in np.linspace(-1.0, -90.0, 90):
        rotation = rotation_enu_from_camera(0.0, pitch_deg, 0.0)
        middle_m = rotation[:, 2] * HEIGHT_M - np.array([0.0, 0.0, 0.85])
        box = cylinder_box(rotation, middle_m, 0.2, 1.7)
        (found,), _ = contact_points(LENS, rotation, box[None, :], ["Human"])
        parts.append((box[3] - found[1]) / (box[3] - box[1]))
    steps = np.diff(parts)
    assert 0.0 == pytest.approx(parts[0], abs=0.02)
    assert 0.5 == pytest.approx(parts[-1], abs=0.03)
    assert (steps >= -1e-9).all()
    assert steps.max() < 0.04


def test_the_doubt_is_smallest_from_the_side():
    """A deep thing of unknown depth says less about its middle than a thin one seen level."""
    box = np.array([[600.0, 300.0, 630.0, 400.0]])

    def doubt(pitch_deg, what):
        rotation = rotation_enu_from_camera(0.0, pitch_deg, 0.0)
        return float(np.trace(contact_points(LENS, rotation, box, [what])[1][0]))

    assert doubt(-2.0, "Unknown") < doubt(-30.0, "Unknown")
    assert doubt(-30.0, "Human") < doubt(-30.0, "Vehicle")


def test_who_bends_over_a_hoe_may_stand_at_the_edge_of_the_box():
    """Twice as wide as a walker and as high: the feet are doubted sideways, not up and down."""
    rotation = rotation_enu_from_camera(0.0, -8.0, 0.0)
    boxes = np.array([[600.0, 300.0, 627.0, 400.0], [590.0, 300.0, 640.0, 400.0]])
    _, (walker, bent) = contact_points(LENS, rotation, boxes, ["Human", "Human"])
    assert np.sqrt(walker[0, 0]) < 4.0
    assert 10.0 < np.sqrt(bent[0, 0]) < 18.0
    assert np.sqrt(bent[1, 1]) < 2.0


def test_a_cow_is_long_along_the_view_when_it_looks_narrow():
    """Seen from behind its middle is farther from the foot of the box than seen from the side."""
    rotation = rotation_enu_from_camera(0.0, -12.0, 0.0)
    boxes = np.array([[600.0, 300.0, 645.0, 400.0], [550.0, 300.0, 710.0, 400.0]])
    (behind, side), _ = contact_points(LENS, rotation, boxes, ["Animal", "Animal"])
    assert 400.0 - behind[1] > 1.5 * (400.0 - side[1]) > 0.0


def test_many_boxes_are_as_one_by_one():
    """Vectorised over a frame's boxes of every class, one of them where no ray reaches."""
    rng = np.random.default_rng(1)
    low = rng.uniform((0, 0), (1200, 650), (40, 2))
    boxes = np.hstack((low, low + rng.uniform(5, 80, (40, 2))))
    boxes[7] = (90000.0, 90000.0, 90010.0, 90010.0)
    lens = Lens(fx_px=900, fy_px=900, cx_px=640, cy_px=360, width_px=1280, height_px=720, k1=-0.3)
    names = [list(SHAPES)[k % len(SHAPES)] for k in range(40)]
    rotation = rotation_enu_from_camera(100.0, -35.0, 4.0)
    found, cov = contact_points(lens, rotation, boxes, names)
    for k in range(40):
        one, spread = contact_points(lens, rotation, boxes[k : k + 1], names[k : k + 1])
        assert one[0] == pytest.approx(found[k])
        assert spread[0] == pytest.approx(cov[k])
    assert [90005.0, 90010.0] == found[7].tolist()


def test_a_box_without_size_is_where_it_is():
    """A line or a point of pixels: no division, no place elsewhere."""
    rotation = rotation_enu_from_camera(0.0, -20.0, 0.0)
    boxes = np.array([[600.0, 300.0, 600.0, 300.0], [600.0, 300.0, 600.0, 340.0]])
    found, cov = contact_points(LENS, rotation, boxes, ["Human", "Boat"])
    assert [600.0, 300.0] == pytest.approx(found[0])
    assert 300.0 < found[1, 1] <= 340.0
    assert np.isfinite(cov).all()
