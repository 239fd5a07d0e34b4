"""Rays meet flat and curved ground where they should, with honest derivatives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geo.frames import EnuFrame, GeodeticPoint
from geo.terrain import BENEATH, HIT, SKY, FlatTerrain, ray_plane


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, -0.02), st.floats(1, 100))
def test_plane_hit_derivatives_agree_with_differences(east, north, up, height):
    """Moving origin, direction and ground moves the point as the sensitivities say."""
    origin, direction = np.array([1.0, 2.0, height]), np.array([[east, north, up]])
    hit = ray_plane(origin, direction, 0.0)
    assert hit.points_m[0, 2] == pytest.approx(0.0, abs=1e-9)
    step = 1e-6
    for k in range(3):
        nudge = np.eye(3)[k] * step
        moved = ray_plane(origin + nudge, direction, 0.0).points_m - hit.points_m
        assert np.allclose(moved / step, hit.sensitivity[:, :, k], rtol=1e-4, atol=1e-4)
        turned = ray_plane(origin, direction + nudge, 0.0).points_m
        back = ray_plane(origin, direction - nudge, 0.0).points_m
        expected = hit.range_m[0] * hit.sensitivity[:, :, k]
        assert np.allclose((turned - back) / (2 * step), expected, rtol=1e-3, atol=1e-2)
    raised = ray_plane(origin, direction, step).points_m - hit.points_m
    assert np.allclose(raised / step, hit.height_gain, rtol=1e-4, atol=1e-4)


def test_a_ray_to_the_sky_meets_no_plane():
    """Upward and level rays give nan."""
    hit = ray_plane([0, 0, 5.0], [[0, 1, 0.1], [0, 1, 0.0]], 0.0)
    assert np.isnan(hit.points_m).all()


@pytest.mark.parametrize("distance_m", [5.0, 100.0, 1_000.0, 8_000.0])
def test_flat_terrain_follows_the_ellipsoid(distance_m):
    """A ray aimed at a place on the geodesic meets the ground in that place."""
    camera = GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=10.0)
    frame = EnuFrame(camera)
    lon, lat, _ = Geod(ellps="WGS84").fwd(104.44, 10.42, 63.0, distance_m)
    target = frame.to_enu(lon, lat, -9.0)
    hit = FlatTerrain(alt_hae_m=-9.0).intersect(frame, [0, 0, 0], target)
    assert np.allclose(hit, target, atol=1e-3)


def test_ray_over_the_horizon_meets_no_ground():
    """From 10 m the horizon is near 11 km: a ray a hair below level flies over it."""
    frame = EnuFrame(GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=10.0))
    terrain = FlatTerrain(alt_hae_m=0.0)
    assert np.isnan(terrain.intersect(frame, [0, 0, 0], [[0.0, 1.0, -0.0005]])).all()
    assert np.isfinite(terrain.intersect(frame, [0, 0, 0], [[0.0, 1.0, -0.01]])).all()


def test_height_has_the_shape_of_the_places():
    """One height for every place asked about."""
    assert FlatTerrain(alt_hae_m=2.5).height_hae_m([104.0, 104.1], 10.0).tolist() == [2.5, 2.5]


@pytest.mark.parametrize("height_m", [-12.0, 150.0, 3000.0])
@pytest.mark.parametrize("lat_deg", [-45.0, 10.42, 63.0])
def test_flat_terrain_is_met_to_the_tenth_of_a_millimetre(lat_deg, height_m):
    """Height of the met points, and normals along the plumb lines there, out to 12 km."""
    frame = EnuFrame(GeodeticPoint(lon_deg=104.44, lat_deg=lat_deg, alt_hae_m=height_m + 500.0))
    rng = np.random.default_rng(4)
    azimuth, up = rng.uniform(0.0, 2.0 * np.pi, 500), rng.uniform(-1.5, -0.05, 500)
    rays = np.column_stack((np.sin(azimuth) * np.cos(up), np.cos(azimuth) * np.cos(up), np.sin(up)))
    hit = FlatTerrain(alt_hae_m=height_m).trace(frame, np.zeros(3), 3.0 * rays)
    geodetic = frame.to_geodetic(hit.points_m)
    above = frame.to_enu(geodetic[:, 0], geodetic[:, 1], geodetic[:, 2] + 1.0)
    assert np.allclose(geodetic[:, 2], height_m, atol=1e-4)
    assert np.allclose(above - hit.points_m, hit.normals, atol=1e-5)
    assert np.allclose(np.linalg.norm(hit.points_m, axis=1), hit.range_m)
    assert hit.plane.all()


def test_what_became_of_a_ray_is_told():
    """Ground ahead, sky, and a camera under its own ground."""
    frame = EnuFrame(GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=10.0))
    rays = np.array([[0.0, 1.0, -0.2], [0.0, 1.0, 0.2]])
    assert [HIT, SKY] == FlatTerrain(alt_hae_m=0.0).trace(frame, [0, 0, 0], rays).outcome.tolist()
    under = FlatTerrain(alt_hae_m=11.0).trace(frame, [0, 0, 0], rays)
    assert [BENEATH, BENEATH] == under.outcome.tolist()
    assert np.isnan(under.points_m).all()
