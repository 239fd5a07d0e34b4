"""WGS 84, ECEF and ENU agree with PROJ, and come back to where they began."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from geo.frames import (
    EnuFrame,
    GeodeticPoint,
    azimuth_deg,
    ce90_m,
    ecef_to_geodetic,
    enu_axes,
    error_ellipse,
    geodetic_to_ecef,
)
from geo.normal import normal_cdf

LON = st.floats(-180, 180)
LAT = st.floats(-89.999, 89.999)
ALT = st.floats(-500, 20_000)


@given(lon=LON, lat=LAT, alt=ALT)
def test_geodetic_comes_back_from_ecef(lon, lat, alt):
    """Degrees to metres and back moves a point by less than a micrometre."""
    ecef = geodetic_to_ecef(lon, lat, alt)
    back = ecef_to_geodetic(ecef)
    assert np.linalg.norm(geodetic_to_ecef(*back) - ecef) < 1e-6
    assert abs(back[1] - lat) < 1e-11
    assert abs(back[2] - alt) < 1e-6


@given(lon=LON, lat=LAT, alt=ALT)
def test_ecef_agrees_with_proj(lon, lat, alt):
    """PROJ, an independent program, gives the same earth-centred metres."""
    oracle = Transformer.from_crs(4979, 4978, always_xy=True).transform(lon, lat, alt)
    assert np.allclose(geodetic_to_ecef(lon, lat, alt), oracle, atol=1e-6, rtol=0)


@given(
    lon=st.floats(-179, 179),
    lat=st.floats(-80, 80),
    east=st.floats(-30_000, 30_000),
    north=st.floats(-30_000, 30_000),
    up=st.floats(-500, 5_000),
)
def test_enu_comes_back(lon, lat, east, north, up):
    """ENU to degrees and back moves a point by less than a tenth of a millimetre."""
    frame = EnuFrame(GeodeticPoint(lon_deg=lon, lat_deg=lat, alt_hae_m=3.0))
    geodetic = frame.to_geodetic([[east, north, up]])
    back = frame.to_enu(geodetic[:, 0], geodetic[:, 1], geodetic[:, 2])
    assert np.allclose(back, [[east, north, up]], atol=1e-4, rtol=0)


def test_enu_agrees_with_proj_topocentric():
    """PROJ's topocentric conversion gives the same east, north, up at Ha Tien."""
    origin = GeodeticPoint(lon_deg=104.440722, lat_deg=10.423528, alt_hae_m=-10.0)
    oracle = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        "+step +proj=cart +ellps=WGS84 +step +proj=topocentric +ellps=WGS84 "
        "+lon_0=104.440722 +lat_0=10.423528 +h_0=-10.0"
    )
    lon, lat, alt = np.array([104.45, 104.3]), np.array([10.43, 10.6]), np.array([2.0, 80.0])
    expected = np.column_stack(oracle.transform(lon, lat, alt))
    assert np.allclose(EnuFrame(origin).to_enu(lon, lat, alt), expected, atol=1e-6, rtol=0)


def test_axes_are_a_right_handed_rotation():
    """East, north and up are unit, square to one another and right-handed."""
    axes = enu_axes(104.44, 10.42)
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-15)
    assert np.linalg.det(axes) == pytest.approx(1.0)


def test_rotation_between_frames_turns_vectors():
    """A step in one frame, turned, is the same step measured in the other."""
    a = EnuFrame(GeodeticPoint(lon_deg=104.44, lat_deg=10.42))
    b = EnuFrame(GeodeticPoint(lon_deg=104.60, lat_deg=10.50))
    ends = a.to_geodetic([[100.0, 50.0, 2.0], [130.0, 90.0, 3.0]])
    in_b = b.to_enu(ends[:, 0], ends[:, 1], ends[:, 2])
    assert np.allclose(b.rotation_from(a) @ [30.0, 40.0, 1.0], in_b[1] - in_b[0], atol=1e-6)


@pytest.mark.parametrize(
    ("end", "expected"), [((0, 1), 0), ((1, 0), 90), ((0, -1), 180), ((-1, 0), 270), ((1, 1), 45)]
)
def test_azimuth_is_clockwise_from_north(end, expected):
    """Azimuths start at north and turn with the clock."""
    assert azimuth_deg((0.0, 0.0), end) == pytest.approx(expected)


@given(east=st.floats(-1e4, 1e4), north=st.floats(-1e4, 1e4))
def test_azimuth_never_reaches_360(east, north):
    """A hair west of north is not printed as 360 degrees."""
    assert 0.0 <= azimuth_deg((0.0, 0.0), (east, north)) < 360.0


@pytest.mark.parametrize(
    ("field", "value"), [("lon_deg", 181.0), ("lat_deg", 91.0), ("lat_deg", float("nan"))]
)
def test_no_position_is_refused_by_name(field, value):
    """A swapped or broken coordinate names its field."""
    given_ = {"lon_deg": 104.0, "lat_deg": 10.0} | {field: value}
    with pytest.raises(ValueError, match=field):
        GeodeticPoint(**given_)


@pytest.mark.parametrize(
    "cov", [[[9.0, 0], [0, 1.0]], [[4.0, 1.9], [1.9, 1.0]], [[2.0, 0], [0, 2]]]
)
def test_ellipse_and_circle_hold_ninety_percent(cov):
    """Half a million draws fall in the 90 % ellipse and circle as often as promised."""
    draws = np.random.default_rng(5).multivariate_normal([0, 0], cov, size=500_000)
    in_circle = np.hypot(draws[:, 0], draws[:, 1]) <= ce90_m(cov)
    ellipse = error_ellipse(cov, 0.9)
    major = np.array(
        [np.sin(np.radians(ellipse.azimuth_deg)), np.cos(np.radians(ellipse.azimuth_deg))]
    )
    along, across = draws @ major, draws @ np.array([major[1], -major[0]])
    in_ellipse = (along / ellipse.semi_major_m) ** 2 + (across / ellipse.semi_minor_m) ** 2 <= 1
    assert in_circle.mean() == pytest.approx(0.9, abs=0.003)
    assert in_ellipse.mean() == pytest.approx(0.9, abs=0.003)


def test_ellipse_points_along_the_larger_spread():
    """A target known badly to the north-east has its long axis at 45 degrees."""
    assert error_ellipse([[2.0, 1.0], [1.0, 2.0]], 0.5).azimuth_deg == pytest.approx(45.0)


def test_normal_cdf_agrees_with_the_error_function():
    """The polynomial stands within 1e-7 of the standard library, tails included."""
    from math import erfc, sqrt

    x = np.linspace(-9, 9, 721)
    expected = np.array([0.5 * erfc(-v / sqrt(2)) for v in x])
    assert np.allclose(normal_cdf(x), expected, rtol=5e-7, atol=0)


@given(st.floats(-30_000, 30_000), st.floats(-30_000, 30_000), st.floats(-500, 5_000))
def test_one_point_equals_the_same_point_among_many(east_m, north_m, up_m):
    """The quick way for one point and the arrays for many agree to a micrometre."""
    frame = EnuFrame(GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=-10.0))
    rows = np.array([[east_m, north_m, up_m], [0.0, 0.0, 0.0]])
    many, one = frame.to_geodetic(rows), frame.to_geodetic(rows[:1])
    assert np.abs((one[0] - many[0]) * (1e5, 1e5, 1.0)).max() < 1e-6
    lon, lat, alt = one[0].tolist()
    back = frame.to_enu(np.array([lon, 104.0]), np.array([lat, 10.0]), np.array([alt, 0.0]))
    assert np.abs(frame.to_enu(lon, lat, alt)[0] - back[0]).max() < 1e-6
    assert np.abs(back[0] - rows[0]).max() < 1e-6
