"""The lens agrees with OpenCV, its rays with its projection, its Jacobians with differences."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.lens import Lens, rotation_enu_from_camera

LENS = Lens(
    fx_px=1100.0, fy_px=1090.0, cx_px=640.3, cy_px=352.1, width_px=1280, height_px=720,
    k1=-0.21, k2=0.06, p1=0.0008, p2=-0.0005, k3=-0.004,
)  # fmt: skip


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(-0.55, 0.55), st.floats(-0.3, 0.3), st.floats(2, 500)),
        min_size=1,
        max_size=20,
    )
)
def test_projection_agrees_with_opencv(directions):
    """cv2.projectPoints puts every point on the same pixel within a millionth."""
    points = np.array([(x * z, y * z, z) for x, y, z in directions])
    oracle, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), LENS.matrix, LENS.distortion)
    assert np.allclose(LENS.project(points), oracle[:, 0, :], atol=1e-6, rtol=0)


@given(st.floats(0, 1279), st.floats(0, 719), st.floats(1, 1000))
def test_a_ray_projects_onto_its_pixel(x, y, range_m):
    """Unprojecting a pixel and projecting the ray gives the pixel back."""
    ray = LENS.rays([[x, y]])
    assert np.linalg.norm(ray) == pytest.approx(1.0)
    assert np.allclose(LENS.project(ray * range_m), [[x, y]], atol=1e-6)


@given(st.floats(10, 1270), st.floats(10, 710))
def test_ray_jacobian_agrees_with_differences(x, y):
    """The analytic derivative of the ray equals the central difference."""
    step = 1e-3
    _, jacobian = LENS.rays_and_jacobians([[x, y]])
    around = LENS.rays([[x + step, y], [x - step, y], [x, y + step], [x, y - step]])
    expected = np.column_stack((around[0] - around[1], around[2] - around[3])) / (2 * step)
    assert np.allclose(jacobian[0], expected, atol=1e-9)


def test_behind_the_camera_is_no_pixel():
    """A point behind or beside the camera gives nan, not a mirrored pixel."""
    assert np.isnan(LENS.project([[0.1, 0.1, -5.0], [1.0, 0.0, 0.0]])).all()


def test_folded_distortion_is_no_pixel():
    """A point far out, which barrel distortion would fold into the picture, gives nan."""
    assert np.isnan(LENS.project([[3.0, 0.0, 1.0]])).all()


def test_unreachable_pixel_is_no_ray():
    """A pixel beyond all that a strongly distorted lens can see gives nan."""
    lens = Lens(
        fx_px=500, fy_px=500, cx_px=640, cy_px=360, width_px=1280, height_px=720, k1=-0.4
    )  # fmt: skip
    assert np.isnan(lens.rays([[5000.0, 360.0]])).all()


def test_field_of_view_comes_back():
    """A lens made from an angle states that angle."""
    lens = Lens.from_hfov(40.0, 1280, 720)
    assert lens.hfov_deg == pytest.approx(40.0)
    edge = lens.rays([[-0.5, lens.cy_px]])[0]
    assert np.degrees(np.arctan2(-edge[0], edge[2])) == pytest.approx(20.0)


def test_contains_knows_the_picture():
    """Corners are inside, one pixel further and nan are not."""
    inside = LENS.contains([[0, 0], [1279, 719], [1280, 0], [-1, 5], [np.nan, 1]])
    assert inside.tolist() == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("angles", "axis", "expected"),
    [
        ((0, 0, 0), 2, (0, 1, 0)),  # looks north
        ((90, 0, 0), 2, (1, 0, 0)),  # looks east
        ((90, 0, 0), 0, (0, -1, 0)),  # then its right is south
        ((0, -90, 0), 2, (0, 0, -1)),  # looks straight down
        ((0, -90, 0), 1, (0, -1, 0)),  # then the picture's bottom is south
        ((0, 0, 90), 0, (0, 0, -1)),  # rolled clockwise: its right points down
    ],
)
def test_rotation_follows_the_words(angles, axis, expected):
    """Azimuth, pitch and roll mean what the module says."""
    assert np.allclose(rotation_enu_from_camera(*angles)[:, axis], expected, atol=1e-12)


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(-180, 180))
def test_rotation_is_a_rotation(azimuth, pitch, roll):
    """Every pose gives an orthonormal, right-handed matrix."""
    matrix = rotation_enu_from_camera(azimuth, pitch, roll)
    assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("field", "value"), [("fx_px", 0.0), ("fy_px", float("nan")), ("width_px", -1)]
)
def test_impossible_lens_is_refused_by_name(field, value):
    """A lens without focal length or size names the field."""
    given_ = {"fx_px": 1.0, "fy_px": 1.0, "cx_px": 0.0, "cy_px": 0.0, "width_px": 2, "height_px": 2}
    with pytest.raises(ValueError, match=field):
        Lens(**given_ | {field: value})


@pytest.mark.parametrize("k1", [0.0, -0.2])
def test_a_pixel_that_is_no_number_has_no_ray_and_hurts_no_other(k1):
    """Half a picture gives a mark at nan; its neighbours in the same call keep their rays."""
    lens = Lens(
        fx_px=900.0, fy_px=900.0, cx_px=639.5, cy_px=359.5, width_px=1280, height_px=720, k1=k1
    )
    rays, slopes = lens.rays_and_jacobians([[np.nan, 3.0], [200.0, 300.0]])
    assert np.isnan(rays[0]).all()
    np.testing.assert_array_equal(rays[1:], lens.rays([[200.0, 300.0]]))
    assert np.isfinite(slopes[1]).all()
