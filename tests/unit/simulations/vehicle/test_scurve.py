"""The way from rest to rest keeps its limits, whatever its length."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.vehicle.plane import LocalPlane
from simulations.vehicle.scurve import Limits, SCurve

limits = st.builds(
    Limits,
    speed_m_s=st.floats(0.5, 20.0),
    acceleration_m_s2=st.floats(0.5, 5.0),
    jerk_m_s3=st.floats(0.5, 10.0),
)


@given(st.floats(0.2, 2000.0), limits)
def test_way_ends_where_it_should_within_its_limits(length_m, limits) -> None:
    """Speed, acceleration and jerk are never exceeded, and it only goes forward."""
    curve = SCurve.over(length_m, limits)
    step_s = curve.total_s / 400
    before = curve.at(0.0)
    for k in range(1, 401):
        now = curve.at(k * step_s)
        assert now[0] >= before[0] - 1e-9
        assert now[1] <= limits.speed_m_s + 1e-6
        assert abs(now[2]) <= limits.acceleration_m_s2 + 1e-6
        assert abs(now[2] - before[2]) <= limits.jerk_m_s3 * step_s * 1.001 + 1e-6
        before = now
    assert pytest.approx(length_m) == curve.at(curve.total_s)[0]


@given(st.floats(20.0, 500.0), st.floats(0.1, math.pi), st.floats(0.5, 10.0))
def test_corner_is_passed_within_the_radius(length_m, turn_rad, radius_m) -> None:
    """Two legs that overlap by so much pass the corner no farther off than asked."""
    curve = SCurve.over(length_m, Limits(speed_m_s=10.0, acceleration_m_s2=2.5, jerk_m_s3=1.0))
    overlap_s = curve.overlap_s(turn_rad, radius_m, length_m)
    nearest_m = math.inf
    for k in range(201):
        t_s = overlap_s * k / 200
        lacks = length_m - curve.at(curve.total_s - overlap_s + t_s)[0]
        gained = curve.at(t_s)[0]
        off = math.hypot(-lacks + gained * math.cos(turn_rad), gained * math.sin(turn_rad))
        nearest_m = min(nearest_m, off)
    assert nearest_m <= radius_m + 0.01


@given(
    st.floats(-60.0, 60.0), st.floats(-179.0, 179.0), st.floats(-3000, 3000), st.floats(-3000, 3000)
)
def test_plane_and_back(lat_deg, lon_deg, north_m, east_m) -> None:
    """To a tenth of a millimetre."""
    plane = LocalPlane.around(lat_deg, lon_deg)
    place = plane.to_place(north_m, east_m, 0.0)
    assert (north_m, east_m) == pytest.approx(plane.to_ne_m(place.lat_deg, place.lon_deg), abs=1e-4)
