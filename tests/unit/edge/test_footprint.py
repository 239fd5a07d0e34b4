"""The ring on the map holds the ground that the picture shows, and nothing else."""

import numpy as np
import pytest
from shapely import contains, points
from shapely.geometry import Polygon

from edge.footprint import Footprint, footprint
from edge.pose import FixedPose, NoPose
from geo.dem import HeightGrid
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens
from geo.terrain import FlatTerrain
from geo.terrain_grid import GridTerrain

HOME = GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=50.0)
RANGE_M = 1500.0


def look(azimuth_deg, pitch_deg, roll_deg=0.0, home=HOME):
    return FixedPose(
        home,
        azimuth_deg=azimuth_deg,
        pitch_deg=pitch_deg,
        roll_deg=roll_deg,
        horizontal_sigma_m=0.0,
        vertical_sigma_m=0.0,
        azimuth_sigma_deg=0.0,
        pitch_sigma_deg=0.0,
        roll_sigma_deg=0.0,
    )


def places(terrain, frame, count, seed=0):
    """Random ground around the camera, to beyond the range: (n, 2) lon lat and (n, 3) ENU."""
    rng = np.random.default_rng(seed)
    away = 1.2 * RANGE_M * np.sqrt(rng.random(count)) * rng.random(count)
    azimuth = rng.uniform(0.0, 2.0 * np.pi, count)
    flat = np.column_stack((away * np.sin(azimuth), away * np.cos(azimuth), np.zeros(count)))
    lonlat = frame.to_geodetic(flat)[:, :2]
    height = terrain.height_hae_m(lonlat[:, 0], lonlat[:, 1])
    return lonlat, frame.to_enu(lonlat[:, 0], lonlat[:, 1], height)


@pytest.mark.parametrize(
    ("look_at", "hfov_deg"),
    [
        ((250, -9, 2), 40.0),
        ((0, -45, 0), 60.0),
        ((90, -90, 0), 60.0),
        ((33, -70, 10), 90.0),
        ((123, -5, -20), 60.0),
        ((200, -30, 0), 120.0),
        ((10, -3, 90), 50.0),
        ((10, -88, 0), 150.0),
    ],
)
def test_on_level_ground_the_ring_is_what_brute_force_finds(look_at, hfov_deg):
    """30,000 places: inside the ring are those that project into the picture within the range."""
    terrain, lens = FlatTerrain(alt_hae_m=-10.0), Lens.from_hfov(hfov_deg, 1280, 720)
    pose = look(*look_at).at(0.0)
    ring = Polygon(footprint(lens, pose, terrain, max_range_m=RANGE_M))
    frame = EnuFrame(HOME)
    lonlat, enu = places(terrain, frame, 30_000)
    seen = lens.contains(lens.project(enu @ pose.rotation_enu_from_camera))
    seen &= np.hypot(enu[:, 0], enu[:, 1]) <= RANGE_M
    held = contains(ring, points(lonlat))
    assert ring.is_valid
    assert seen.sum() > 50
    assert (seen & ~held).sum() <= 0.01 * seen.sum() + 1
    assert (held & ~seen).sum() <= 0.01 * seen.sum() + 1


def hills():
    y, x = np.mgrid[0:240, 0:240]
    return GridTerrain(
        [
            HeightGrid(
                name="hills",
                west_deg=104.41,
                south_deg=10.39,
                step_lon_deg=1 / 3600,
                step_lat_deg=1 / 3600,
                heights_m=(25 * np.sin(x / 9.0) * np.cos(y / 7.0)).astype(np.float32),
                datum="hae",
            )
        ],
        max_range_m=5000.0,
    )


@pytest.mark.parametrize("look_at", [(250, -12, 2), (40, -4, 0), (160, -60, 5)])
def test_in_hills_the_ring_holds_all_that_is_seen_and_nothing_off_the_picture(look_at):
    """Line of sight by tracing back to each place; what a hill hides may lie inside the ring."""
    terrain, lens = hills(), Lens.from_hfov(60.0, 1280, 720)
    home = GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=60.0)
    pose = look(*look_at, home=home).at(0.0)
    ring = Polygon(footprint(lens, pose, terrain, max_range_m=RANGE_M)).buffer(0)
    frame = EnuFrame(home)
    lonlat, enu = places(terrain, frame, 6_000)
    framed = lens.contains(lens.project(enu @ pose.rotation_enu_from_camera))
    met = terrain.intersect(frame, np.zeros(3), enu)
    seen = framed & (np.linalg.norm(met - enu, axis=1) < 0.5)
    seen &= np.hypot(enu[:, 0], enu[:, 1]) <= RANGE_M
    held = contains(ring, points(lonlat))
    assert seen.sum() > 50
    assert (seen & ~held).sum() <= 0.03 * seen.sum()
    assert (held & ~framed).sum() <= 0.03 * held.sum() + 1


def test_a_camera_that_sees_only_sky_has_no_footprint():
    """An empty ring, not one at the horizon."""
    lens = Lens.from_hfov(30.0, 1280, 720)
    assert () == footprint(lens, look(0, 20).at(0.0), FlatTerrain(alt_hae_m=0.0), max_range_m=900.0)


def test_without_a_pose_there_is_no_footprint():
    """A drone whose autopilot is silent: the map keeps nothing old."""

    class Silent:
        def at(self, t_s):
            return NoPose(reason="silent")

    eye = Footprint(
        lens=Lens.from_hfov(30.0, 1280, 720),
        poses=Silent(),
        terrain=FlatTerrain(alt_hae_m=0.0),
        max_range_m=900.0,
    )
    assert () == eye.at(1.0)


def test_the_ring_is_closed_and_small_enough_to_send_every_second():
    """First place last again, a few dozen places."""
    lens = Lens.from_hfov(40.0, 1280, 720)
    ring = footprint(lens, look(250, -9).at(0.0), FlatTerrain(alt_hae_m=-10.0), max_range_m=3000.0)
    assert ring[0] == ring[-1]
    assert 10 < len(ring) < 80
