"""How many places a second on one core, beside what one would write first: a loop over pymap3d."""

import os
import platform
import time

import numpy as np
import pytest
from pymap3d.los import lookAtSpheroid

from edge.geolocate import GroundLocator
from edge.pose import Pose
from geo.dem import HeightGrid
from geo.frames import GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera
from geo.terrain import FlatTerrain
from geo.terrain_grid import GridTerrain

POINTS = 20_000
LOOPED = 400
LENS = Lens(fx_px=1100, fy_px=1100, cx_px=639.5, cy_px=359.5, width_px=1280, height_px=720, k1=-0.1)
HOME = GeodeticPoint(lon_deg=104.52, lat_deg=10.42, alt_hae_m=70.0)


def hills():
    """A quarter of a degree of hills at one arc-second."""
    y, x = np.mgrid[0:900, 0:900]
    heights = 25 * np.sin(x / 31.0) * np.cos(y / 23.0) + 4 * np.sin(x / 5.0 + y / 7.0)
    tile = HeightGrid(
        name="hills",
        west_deg=104.4,
        south_deg=10.3,
        step_lon_deg=1 / 3600,
        step_lat_deg=1 / 3600,
        heights_m=heights.astype(np.float32),
        datum="hae",
    )
    return GridTerrain([tile], max_range_m=4000.0)


def pose(pitch_deg):
    """A drone at 60 m that flies and turns."""
    return Pose(
        position=HOME,
        rotation_enu_from_camera=rotation_enu_from_camera(250.0, pitch_deg, 2.0),
        cov_position_enu_m2=np.diag([0.09, 0.09, 0.16]),
        cov_turn_rad2=np.eye(3) * np.radians(0.3) ** 2,
        velocity_enu_m_s=np.array([4.0, 3.0, 0.0]),
        rate_enu_rad_s=np.radians([1.0, 2.0, 9.0]),
        time_sigma_s=0.02,
        moving=True,
    )


def looped(pixels, rotation):
    """One pixel at a time: ray, azimuth and elevation, pymap3d to the ellipsoid; no covariance."""
    found = []
    for pixel in pixels:
        east, north, up = rotation @ LENS.rays(pixel)[0]
        azimuth = np.degrees(np.arctan2(east, north))
        tilt = 90.0 + np.degrees(np.arcsin(up))
        # Over the flat ground's ellipsoid: heights count from it.
        lat, lon, _ = lookAtSpheroid(
            HOME.lat_deg, HOME.lon_deg, HOME.alt_hae_m + 10.0, azimuth, tilt
        )
        found.append((lon, lat))
    return np.array(found)


@pytest.mark.bench
def test_places_a_second(capsys):
    """Points with covariances on a plane and on hills; the loop finds the same places, slower."""
    rng = np.random.default_rng(5)
    pixels = rng.uniform((0, 0), (1279, 719), (POINTS, 2))
    cov = np.tile(np.eye(2) * 4.0, (POINTS, 1, 1))
    lines, rates = [], {}
    for name, terrain, pitch_deg in (
        ("plane, 45 degrees", FlatTerrain(alt_hae_m=-10.0), -45.0),
        ("plane, 20 degrees", FlatTerrain(alt_hae_m=-10.0), -20.0),
        ("hills, 45 degrees", hills(), -45.0),
        ("hills, 20 degrees", hills(), -20.0),
    ):
        locator = GroundLocator(LENS, _Poses(), terrain, terrain_sigma_m=0.3)
        where = pose(pitch_deg)
        locator.fix(where, pixels[:10], cov[:10])
        spent_s = []
        for _ in range(3):
            began_s = time.process_time()
            fix = locator.fix(where, pixels, cov)
            spent_s.append(time.process_time() - began_s)
        assert np.isfinite(fix.points_m).all(axis=1).mean() > 0.9
        rates[name] = POINTS / min(spent_s)
        lines.append(f"{name} {rates[name]:,.0f}/s")
    where = pose(-45.0)
    began_s = time.process_time()
    slow = looped(pixels[:LOOPED], where.rotation_enu_from_camera)
    rates["loop"] = LOOPED / (time.process_time() - began_s)
    lines.append(f"a loop over pymap3d on a plane, without covariances, {rates['loop']:,.0f}/s")
    flat = GroundLocator(LENS, _Poses(), FlatTerrain(alt_hae_m=-10.0), terrain_sigma_m=0.3)
    said = flat.locate(where, pixels[:LOOPED], cov[:LOOPED])
    ours = np.array([(one.position.lon_deg, one.position.lat_deg) for one in said])
    # pymap3d lifts the ellipsoid's height as if it were the sphere's: millimetres here.
    assert np.abs(ours - slow).max() * 111_320.0 < 0.05
    assert rates["plane, 45 degrees"] > 100.0 * rates["loop"]
    assert rates["hills, 45 degrees"] > 10.0 * rates["loop"]
    with capsys.disabled():
        print(
            f"\nplaces on {platform.machine()}, one of {os.cpu_count()} cores: " + "; ".join(lines)
        )


class _Poses:
    """The benchmark hands its poses over itself."""

    def at(self, t_monotonic_s):
        raise AssertionError(f"nobody asked for {t_monotonic_s}")
