"""Feet on the ground: exact places, honest covariances, bearings where the ray grazes."""

from dataclasses import replace

import numpy as np
import pytest

from edge.geolocate import GroundLocator, LocateSettings
from edge.pose import FixedPose, NoPose
from edge.track import Track
from geo.dem import HeightGrid
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera
from geo.terrain import FlatTerrain
from geo.terrain_grid import GridTerrain

HOME = GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=-4.0)
GROUND = FlatTerrain(alt_hae_m=-12.0)
LENS = Lens.from_hfov(40.0, 1280, 720)
LENS_SIGMA_PX = 0.5
LOOK = {"azimuth_deg": 250.0, "pitch_deg": -9.0, "roll_deg": 2.0}
SIGMAS = {"azimuth_deg": 0.25, "pitch_deg": 0.1, "roll_deg": 0.3}
FOOT_COV = np.array([[[4.0, 0.0], [0.0, 9.0]]])


def pose_source(**look):
    return FixedPose(
        HOME,
        **{"time_sigma_s": 0.0, **LOOK, **look},
        horizontal_sigma_m=0.3,
        vertical_sigma_m=0.15,
        azimuth_sigma_deg=0.25,
        pitch_sigma_deg=0.1,
        roll_sigma_deg=0.3,
    )


POSES = pose_source()
POSE = POSES.at(0.0)


def locator(lens=LENS, poses=POSES, *, terrain_sigma_m=0.1, **limits):
    return GroundLocator(
        lens,
        poses,
        GROUND,
        terrain_sigma_m=terrain_sigma_m,
        lens_sigma_px=LENS_SIGMA_PX,
        settings=LocateSettings(**limits),
    )


def pixel_of(enu_m, pose=POSE):
    """Pixel of a point in the ENU frame at the camera."""
    return LENS.project(np.atleast_2d(enu_m) @ pose.rotation_enu_from_camera)


def on_ground(distance_m, azimuth_deg):
    """A true place on the ground: (lon, lat, height) and its ENU at the camera."""
    frame = EnuFrame(HOME)
    angle = np.radians(azimuth_deg)
    rough = np.array([[np.sin(angle) * distance_m, np.cos(angle) * distance_m, -8.0]])
    place = frame.to_geodetic(rough)[0]
    place[2] = GROUND.alt_hae_m
    return place, frame.to_enu(*place)[0]


@pytest.mark.parametrize("distance_m", [25.0, 60.0, 150.0])
@pytest.mark.parametrize("azimuth", [238.0, 250.0, 265.0])
def test_a_foot_is_placed_where_it_stands(distance_m, azimuth):
    """Projecting a true place and locating its pixel gives the place back, to a millimetre."""
    place, enu = on_ground(distance_m, azimuth)
    (found,) = locator(max_relative_sigma=1.0).locate(POSE, pixel_of(enu), FOOT_COV)
    back = EnuFrame(HOME).to_enu(
        found.position.lon_deg, found.position.lat_deg, found.position.alt_hae_m
    )[0]
    assert found.bearing is None
    assert enu == pytest.approx(back, abs=1e-3)
    assert place[2] == pytest.approx(found.position.alt_hae_m, abs=1e-3)


def sample(enu, draws, *, shared_only, seed):
    """Ground points found under drawn errors of the pose, the ground and the foot's pixel."""
    rng = np.random.default_rng(seed)
    pixel = pixel_of(enu)[0]
    found = np.empty((draws, 2))
    for k in range(draws):
        turned = rotation_enu_from_camera(
            *(value + rng.normal(0, SIGMAS[part]) for part, value in LOOK.items())
        )
        shift = rng.normal(0, 1, 3) * (0.3, 0.3, 0.15)
        seen = pixel + rng.normal(0, LENS_SIGMA_PX, 2)
        if not shared_only:
            seen += rng.normal(0, 1, 2) * np.sqrt(np.diag(FOOT_COV[0]))
        ray = LENS.rays(seen)[0] @ turned.T
        height = enu[2] + rng.normal(0, 0.1)
        found[k] = (shift + ray * (height - shift[2]) / ray[2])[:2]
    return found


@pytest.mark.parametrize("distance_m", [30.0, 60.0])
def test_covariance_is_what_drawn_errors_give(distance_m):
    """Monte Carlo over every source of error: total and shared covariance within 12 %."""
    _, enu = on_ground(distance_m, 244.0)
    (said,) = locator().locate(POSE, pixel_of(enu), FOOT_COV)
    for stated, shared_only in (
        (said.position.cov_enu_m2, False),
        (said.position.cov_bias_enu_m2, True),
    ):
        drawn = np.cov(sample(enu, 6000, shared_only=shared_only, seed=4).T)
        scale = np.sqrt(np.outer(np.diag(drawn), np.diag(drawn)))
        assert np.zeros((2, 2)) == pytest.approx((np.array(stated) - drawn) / scale, abs=0.12)


def test_the_90_percent_circle_holds_90_percent():
    """ce90_m against drawn errors, 88..92 %."""
    _, enu = on_ground(45.0, 252.0)
    (said,) = locator().locate(POSE, pixel_of(enu), FOOT_COV)
    away = np.hypot(*(sample(enu, 6000, shared_only=False, seed=9) - enu[:2]).T)
    assert 0.90 == pytest.approx((away <= said.position.ce90_m).mean(), abs=0.02)


def test_shared_error_does_not_depend_on_the_foot():
    """A sharper foot shrinks the total, not the shared part."""
    _, enu = on_ground(50.0, 250.0)
    (blunt,) = locator().locate(POSE, pixel_of(enu), FOOT_COV)
    (sharp,) = locator().locate(POSE, pixel_of(enu), FOOT_COV * 1e-4)
    assert blunt.position.cov_bias_enu_m2 == sharp.position.cov_bias_enu_m2
    assert np.array(sharp.position.cov_enu_m2) == pytest.approx(
        np.array(sharp.position.cov_bias_enu_m2), rel=1e-2
    )
    assert np.trace(blunt.position.cov_enu_m2) > np.trace(sharp.position.cov_enu_m2)


def test_a_late_clock_smears_along_the_way():
    """A walker at 1.5 m/s and 0.4 s of doubt about the capture: 0.6 m along the motion, shared."""
    still, late = POSE, pose_source(time_sigma_s=0.4).at(0.0)
    _, enu = on_ground(40.0, 250.0)
    pixel = pixel_of(enu)
    step = pixel_of(enu + np.array([0.015, 0.0, 0.0]))
    speed = (step - pixel) / 0.01
    cov = np.zeros((1, 2, 2))
    (sure,) = locator().locate(still, pixel, FOOT_COV, velocity_px_s=speed, velocity_cov=cov)
    (unsure,) = locator().locate(late, pixel, FOOT_COV, velocity_px_s=speed, velocity_cov=cov)
    more = unsure.position.cov_bias_enu_m2[0][0] - sure.position.cov_bias_enu_m2[0][0]
    assert 0.36 == pytest.approx(more, rel=0.02)
    assert 1.5 == pytest.approx(sure.velocity.east_m_s, rel=0.01)
    assert 0.0 == pytest.approx(sure.velocity.north_m_s, abs=0.01)


def test_a_grazing_ray_gives_a_bearing_whose_range_holds_the_truth():
    """Far away the distance is unknown: true azimuth and range lie inside what is said, 97 %."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(300):
        _, enu = on_ground(float(rng.uniform(250, 700)), float(rng.uniform(240, 260)))
        true_pose = pose_source(
            **{part: value + rng.normal(0, SIGMAS[part]) for part, value in LOOK.items()}
        ).at(0.0)
        pixel = pixel_of(enu, true_pose) + rng.normal(0, 1, 2) * (2.06, 3.04)
        (said,) = locator(max_relative_sigma=0.05).locate(POSE, pixel, FOOT_COV)
        assert said.position is None
        bearing, distance = said.bearing, np.hypot(*enu[:2])
        azimuth = np.degrees(np.arctan2(enu[0], enu[1])) % 360
        held += (
            bearing.range_min_m <= distance <= bearing.range_max_m
            and abs(azimuth - bearing.azimuth_deg) <= 3 * bearing.sigma_deg
        )
    assert held / 300 >= 0.97
    assert "grazes" in said.reason


def test_a_ray_above_the_horizon_says_only_its_direction():
    """Somebody on a roof, or a bird: azimuth, and any range up to the limit."""
    (said,) = locator(max_range_m=900.0).locate(POSE, np.array([[640.0, 20.0]]), FOOT_COV)
    assert said.position is None
    assert (0.0, 900.0) == (said.bearing.range_min_m, said.bearing.range_max_m)
    assert "horizon" in said.reason


def test_feet_outside_the_picture_are_not_placed():
    """A box cut off below: the person is nearer than its lower edge."""
    _, enu = on_ground(30.0, 250.0)
    (said,) = locator().locate(POSE, pixel_of(enu), FOOT_COV, visible=np.array([False]))
    assert said.position is None
    assert 0.0 == said.bearing.range_min_m
    assert 30.0 == pytest.approx(said.bearing.range_max_m, rel=0.3)
    assert "outside" in said.reason


def test_a_pixel_that_no_ray_reaches_gives_a_reason_and_nothing_else():
    """Beyond the fold of a strong barrel distortion."""
    bent = replace(LENS, k1=-0.6)
    (said,) = locator(bent).locate(POSE, np.array([[5000.0, 5000.0]]), FOOT_COV)
    assert (None, None) == (said.position, said.bearing)
    assert "no ray" in said.reason


def track(foot_px, frame_size_px, *, sharper=1.0):
    """A track standing at a pixel, counted from the edge of the first pixel."""
    return Track(
        track_id="T",
        state="confirmed",
        seen=True,
        box_px=(0.0, 0.0, 1.0, 1.0),
        confidence=0.9,
        object_class="Human",
        t_s=0.0,
        seen_s=0.0,
        born_s=0.0,
        hits=9,
        foot_px=np.array(foot_px),
        foot_cov_px2=FOOT_COV[0] * sharper**2,
        foot_visible=True,
        velocity_px_s=np.zeros(2),
        velocity_cov=np.eye(2),
        frame_size_px=frame_size_px,
    )


def test_a_second_stream_of_half_the_size_places_the_same_feet():
    """640 x 360 of a 1280 x 720 lens: pixels are scaled, covariances with them."""
    full = track((800.0, 500.0), (1280, 720))
    half = track((400.0, 250.0), (640, 360), sharper=0.5)
    (one,), (other,) = locator().locate_tracks([full], 0.0), locator().locate_tracks([half], 0.0)
    assert one.position == other.position


def test_a_picture_of_another_shape_is_not_placed():
    """1280 x 960 was cut or squeezed: the reason says both sizes, and nothing is invented."""
    (said,) = locator().locate_tracks([track((800.0, 500.0), (1280, 960))], 0.0)
    assert (None, None) == (said.position, said.bearing)
    assert "1280 x 720" in said.reason


def test_without_a_pose_nobody_gets_a_place_and_the_reason_is_the_sources():
    """A stale autopilot: every track of the frame is told why."""

    class Stale:
        def at(self, t_s):
            return NoPose(reason=f"no attitude at {t_s:.1f} s")

    both = locator(poses=Stale()).locate_tracks([track((800.0, 500.0), None)] * 2, 7.5)
    assert ["no attitude at 7.5 s"] * 2 == [said.reason for said in both]
    assert all(said.position is None and said.bearing is None for said in both)


def test_many_feet_are_placed_as_one_by_one():
    """Vectorised: the batch equals the single calls."""
    rng = np.random.default_rng(0)
    feet = rng.uniform((0, 0), (1279, 719), (50, 2))
    cov = np.repeat(FOOT_COV, 50, axis=0)
    speed, spread = rng.normal(0, 20, (50, 2)), cov * 2
    together = locator().locate(POSE, feet, cov, velocity_px_s=speed, velocity_cov=spread)
    single = [
        locator().locate(
            POSE,
            feet[k : k + 1],
            cov[k : k + 1],
            velocity_px_s=speed[k : k + 1],
            velocity_cov=spread[k : k + 1],
        )[0]
        for k in range(50)
    ]
    for one, other in zip(together, single, strict=True):
        assert one.reason == other.reason
        for part in ("position", "bearing", "velocity"):
            left, right = getattr(one, part), getattr(other, part)
            assert (left is None) == (right is None)
            if left is not None:
                for key, value in left.model_dump().items():
                    if key != "method":
                        assert np.array(value) == pytest.approx(
                            np.array(getattr(right, key)), rel=1e-7, abs=1e-9
                        )


@pytest.mark.parametrize("sigma_deg", [0.0, 4.0])
def test_one_source_of_error_alone_is_no_trouble(sigma_deg):
    """Grazing hills, and only the heading (or nothing at all) is in doubt: finite, in its direction."""
    y, x = np.mgrid[0:120, 0:120]
    tile = HeightGrid(
        name="hills",
        west_deg=104.42,
        south_deg=10.40,
        step_lon_deg=1 / 3600,
        step_lat_deg=1 / 3600,
        heights_m=(10.0 * np.sin(x / 5.0 + y / 8.0)).astype(np.float32),
        datum="hae",
    )
    terrain = GridTerrain([tile], max_range_m=3000.0)
    home = GeodeticPoint(lon_deg=104.435, lat_deg=10.415, alt_hae_m=45.0)
    poses = FixedPose(
        home,
        azimuth_deg=0.0,
        pitch_deg=-8.0,
        horizontal_sigma_m=0.0,
        vertical_sigma_m=0.0,
        azimuth_sigma_deg=sigma_deg,
        pitch_sigma_deg=0.0,
        roll_sigma_deg=0.0,
    )
    place = GroundLocator(LENS, poses, terrain, terrain_sigma_m=0.0)
    (said,) = place.locate(poses.at(0.0), np.array([[639.5, 420.0]]), np.zeros((1, 2, 2)))
    (ee, _), (_, nn) = said.position.cov_enu_m2
    assert "terrain" == said.position.method
    assert (ee > 1.0) == (sigma_deg > 0.0)
    assert nn <= 0.2 * ee + 1e-6


def test_straight_down_is_a_place_too():
    """At the nadir the level distance is nothing; the doubt is measured against the height."""
    poses = FixedPose(
        HOME,
        azimuth_deg=0.0,
        pitch_deg=-90.0,
        horizontal_sigma_m=0.5,
        vertical_sigma_m=0.5,
        azimuth_sigma_deg=1.0,
        pitch_sigma_deg=1.0,
        roll_sigma_deg=1.0,
    )
    place = GroundLocator(LENS, poses, GROUND, terrain_sigma_m=0.3)
    (said,) = place.locate(poses.at(0.0), np.array([[639.5, 359.5]]), FOOT_COV)
    assert HOME.lon_deg == pytest.approx(said.position.lon_deg, abs=1e-7)
    assert 0.5 < np.sqrt(said.position.cov_enu_m2[0][0]) < 0.6


def test_a_void_is_a_reason_and_a_bearing_of_any_range():
    """Ground nobody knows: the direction is true, the distance is not made up."""
    heights = np.zeros((120, 120), dtype=np.float32)
    heights[60:, :] = np.nan
    tile = HeightGrid(
        name="half",
        west_deg=104.42,
        south_deg=10.40,
        step_lon_deg=1 / 3600,
        step_lat_deg=1 / 3600,
        heights_m=heights,
        datum="hae",
    )
    home = GeodeticPoint(lon_deg=104.435, lat_deg=10.415, alt_hae_m=30.0)
    poses = FixedPose(
        home,
        azimuth_deg=0.0,
        pitch_deg=-8.0,
        horizontal_sigma_m=0.1,
        vertical_sigma_m=0.1,
        azimuth_sigma_deg=0.1,
        pitch_sigma_deg=0.1,
        roll_sigma_deg=0.1,
    )
    place = GroundLocator(
        LENS,
        poses,
        GridTerrain([tile]),
        terrain_sigma_m=0.3,
        settings=LocateSettings(max_range_m=800),
    )
    (said,) = place.locate(poses.at(0.0), np.array([[639.5, 359.5]]), FOOT_COV)
    assert said.position is None
    assert "not known" in said.reason
    assert (0.0, 800.0) == (said.bearing.range_min_m, said.bearing.range_max_m)
    assert said.bearing.azimuth_deg in (
        pytest.approx(0.0, abs=0.01),
        pytest.approx(360.0, abs=0.01),
    )
