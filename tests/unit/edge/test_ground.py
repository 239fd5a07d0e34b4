"""The configured ground: what is opened, what stands in for what is missing, what is refused."""

import json

import numpy as np
import pytest
import tifffile
from pydantic import ValidationError

from edge.config_ground import GroundSettings
from edge.ground import open_ground, read_waters
from geo.frames import EnuFrame, GeodeticPoint
from geo.terrain import BENEATH, HIT, UNKNOWN
from runtime.errors import AskOperator

STEP = 0.001
WEST, NORTH = 104.0, 10.5


def write_tile(path, heights, *, west=WEST, north=NORTH):
    """A GeoTIFF of posts, north row first, as its first post lies at west, north."""
    keys = [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 2, 2048, 0, 1, 4326]
    tags = [
        (33550, "d", 3, (STEP, STEP, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, west, north, 0.0), True),
        (34735, "H", len(keys), tuple(keys), True),
        (42113, "s", 0, "-9999", True),
    ]
    tifffile.imwrite(path, np.asarray(heights, dtype=np.float32), extratags=tags, metadata=None)
    return path


def look(ground, lon, lat, alt_hae_m, rays):
    frame = EnuFrame(GeodeticPoint(lon_deg=lon, lat_deg=lat, alt_hae_m=alt_hae_m))
    return frame, ground.terrain.trace(frame, np.zeros(3), np.atleast_2d(rays))


def test_level_ground_says_that_it_is_assumed():
    """Without tiles: the plane, marked as such, and a sentence for the log."""
    ground = open_ground(GroundSettings(alt_hae_m=-10.0, sigma_m=0.4))
    _, hit = look(ground, 104.4, 10.4, 50.0, [0.0, 1.0, -1.0])
    assert [True] == hit.plane.tolist()
    assert (0.4, 0.4) == (ground.sigma_m, ground.plane_sigma_m)
    assert "assumed level at -10 m" in ground.says


def test_tiles_of_two_files_are_one_ground_with_the_geoid_added(tmp_path):
    """30 m above the sea is 18 m above the ellipsoid where the geoid lies at -12 m, no seam."""
    left = write_tile(tmp_path / "a.tif", np.full((40, 40), 30.0))
    right = write_tile(tmp_path / "b.tif", np.full((40, 40), 30.0), west=WEST + 40 * STEP)
    ground = open_ground(GroundSettings(dem=(left, right), geoid_height_m=-12.0))
    seam = WEST + 39.5 * STEP
    assert 18.0 == pytest.approx(float(ground.terrain.height_hae_m(seam, NORTH - 20 * STEP)))
    _, hit = look(ground, seam, NORTH - 20 * STEP, 78.0, [[0.5, 0.0, -1.0], [-0.5, 0.0, -1.0]])
    assert [HIT, HIT] == hit.outcome.tolist()
    assert [False, False] == hit.plane.tolist()
    assert np.array([-60.0, -60.0]) == pytest.approx(hit.points_m[:, 2], abs=0.01)


def test_heights_above_the_sea_need_a_geoid(tmp_path):
    """Twelve metres of height would be a hundred metres of place; nobody guesses them."""
    tile = write_tile(tmp_path / "a.tif", np.full((40, 40), 30.0))
    with pytest.raises(AskOperator, match=r"neither geoid nor.*geoid_height_m"):
        open_ground(GroundSettings(dem=(tile,)))
    direct = open_ground(GroundSettings(dem=(tile,), dem_datum="hae"))
    assert 30.0 == pytest.approx(
        float(direct.terrain.height_hae_m(WEST + 5 * STEP, NORTH - 5 * STEP))
    )


@pytest.mark.data
def test_the_geoid_grid_of_the_world_is_read_by_path(data_dir, tmp_path):
    """EGM96 at Ha Tien is 12 m below the ellipsoid."""
    tile = write_tile(tmp_path / "a.tif", np.zeros((300, 500)))
    egm96 = data_dir / "terrain" / "egm96_15.gtx"
    ground = open_ground(GroundSettings(dem=(tile,), geoid_file=egm96))
    assert -12.0 == pytest.approx(float(ground.terrain.height_hae_m(104.44, 10.42)), abs=0.3)


def test_a_void_gives_no_place_unless_level_ground_stands_in(tmp_path):
    """The same ray into a hole: unknown by itself; on the plane, with its own sigma, if given."""
    heights = np.full((60, 60), 5.0)
    heights[20:40, 20:40] = -9999.0
    tile = write_tile(tmp_path / "a.tif", heights)
    place = (WEST + 30 * STEP, NORTH - 30 * STEP, 65.0)
    alone = open_ground(GroundSettings(dem=(tile,), dem_datum="hae"))
    assert [UNKNOWN] == look(alone, *place, [0.0, 0.3, -1.0])[1].outcome.tolist()
    assert "no positions" in alone.says
    helped = open_ground(
        GroundSettings(dem=(tile,), dem_datum="hae", alt_hae_m=4.0, plane_sigma_m=6.0)
    )
    _, hit = look(helped, *place, [0.0, 0.3, -1.0])
    assert ([HIT], [True]) == (hit.outcome.tolist(), hit.plane.tolist())
    assert -61.0 == pytest.approx(hit.points_m[0, 2], abs=0.01)
    assert (0.3, 6.0) == (helped.sigma_m, helped.plane_sigma_m)


def test_level_ground_does_not_speak_against_known_ground(tmp_path):
    """The plane's place lies where the tiles know a hill: the ray stays without a place."""
    heights = np.full((60, 60), 5.0)
    heights[:, 20:30] = -9999.0
    heights[:, 30:] = 300.0
    tile = write_tile(tmp_path / "a.tif", heights)
    ground = open_ground(GroundSettings(dem=(tile,), dem_datum="hae", alt_hae_m=5.0))
    _, hit = look(ground, WEST + 15 * STEP, NORTH - 30 * STEP, 65.0, [2500.0, 0.0, -60.0])
    assert [UNKNOWN] == hit.outcome.tolist()


def test_a_narrow_void_is_filled_where_the_operator_asks(tmp_path):
    """A gap of two posts on a slope takes the slope's heights; a wide one keeps its hole."""
    heights = np.tile(np.arange(60.0), (60, 1))
    heights[10:12, 30] = -9999.0
    heights[30:50, 10:50] = -9999.0
    tile = write_tile(tmp_path / "a.tif", heights)
    ground = open_ground(GroundSettings(dem=(tile,), dem_datum="hae", fill_voids_posts=4))
    height = ground.terrain.height_hae_m(
        WEST + STEP * np.array([30, 30]), NORTH - STEP * np.array([11, 40])
    )
    assert 30.0 == pytest.approx(height[0], abs=1e-4)
    assert np.isnan(height[1])


def test_a_camera_under_its_own_ground_is_told_as_such(tmp_path):
    """Heights that disagree are no reason for a place somewhere."""
    tile = write_tile(tmp_path / "a.tif", np.full((40, 40), 30.0))
    ground = open_ground(GroundSettings(dem=(tile,), dem_datum="hae"))
    _, hit = look(ground, WEST + 20 * STEP, NORTH - 20 * STEP, 20.0, [0.0, 1.0, -0.5])
    assert [BENEATH] == hit.outcome.tolist()


def canal(level_m=-13.0, **told):
    west, east = 104.40, 104.41
    ring = [[west, 10.40], [east, 10.40], [east, 10.401], [west, 10.401], [west, 10.40]]
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"level_m": level_m, "name": "canal"} | told,
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        ],
    }


def test_a_canal_lies_lower_than_the_plain_around_it(tmp_path):
    """A boat is placed on the water, three metres under the fields: six metres farther at 27 deg."""
    (tmp_path / "w.geojson").write_text(json.dumps(canal()))
    ground = open_ground(
        GroundSettings(alt_hae_m=-10.0, water_file=tmp_path / "w.geojson", sigma_m=0.2)
    )
    frame, hit = look(ground, 104.405, 10.3995, 20.0, [[0.0, 100.0, -33.0], [0.0, -100.0, -33.0]])
    place = frame.to_geodetic(hit.points_m)
    assert np.array([-13.0, -10.0]) == pytest.approx(place[:, 2], abs=0.01)
    assert [True, True] == hit.plane.tolist()
    assert (0.2, 0.2) == (ground.sigma_m, ground.plane_sigma_m)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "x", "features": None}, "FeatureCollection"),
        (canal() | {"features": [{"properties": {}, "geometry": {"type": "Point"}}]}, "feature 0"),
        (canal(datum="navd"), "allowed: msl, hae"),
        (canal(level_m=None), "feature 0"),
    ],
)
def test_wrong_water_is_refused_in_words(tmp_path, change, words):
    """Which file, which feature, what is allowed."""
    (tmp_path / "w.geojson").write_text(json.dumps(change))
    with pytest.raises(AskOperator, match=words):
        read_waters(tmp_path / "w.geojson")


def test_missing_files_are_named(tmp_path):
    """The key of the config and the path stand in the message."""
    with pytest.raises(AskOperator, match=r"ground.dem is .*none\.hgt"):
        open_ground(GroundSettings(dem=(tmp_path / "N10E104none.hgt",), geoid_height_m=0.0))
    tile = write_tile(tmp_path / "a.tif", np.zeros((4, 4)))
    with pytest.raises(AskOperator, match=r"ground.geoid_file is .*no\.gtx"):
        open_ground(GroundSettings(dem=(tile,), geoid_file=tmp_path / "no.gtx"))


def test_a_mast_outside_its_tiles_is_refused(tmp_path):
    """The wrong tile is a mistake that shows at start, not as nights without positions."""
    tile = write_tile(tmp_path / "a.tif", np.zeros((40, 40)))
    with pytest.raises(AskOperator, match="add the tile of that place"):
        open_ground(
            GroundSettings(dem=(tile,), dem_datum="hae"),
            around=GeodeticPoint(lon_deg=105.5, lat_deg=10.4),
        )


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"alt_hae_m": 1.0, "geoid_file": "a", "geoid_height_m": 1.0},
        {"alt_hae_m": 1.0, "fill_voids_posts": 3},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(told):
    """No ground at all, two geoids, voids of no tile."""
    with pytest.raises(ValidationError):
        GroundSettings(**told)


def test_the_geoid_is_told_to_whoever_has_heights_above_the_sea():
    """Autopilots tell heights above the sea: level ground may bring a geoid for them."""
    assert open_ground(GroundSettings(alt_hae_m=-10.0)).undulation_m is None
    ground = open_ground(GroundSettings(alt_hae_m=-10.0, geoid_height_m=-12.0))
    assert -12.0 == ground.undulation_m(104.4, 10.4)
