"""Rays meet gridded ground at the very first place, with water, voids and seams where they are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.dem import HeightGrid
from geo.dem_files import read_dem, read_gtx
from geo.frames import EnuFrame, GeodeticPoint
from geo.terrain import FlatTerrain, Terrain
from geo.terrain_grid import GridTerrain, WaterArea

LON, LAT = 104.48, 10.38
STEP = 1 / 3600


def grid(heights, *, datum="hae", west=LON, south=LAT):
    """Heights (south row first) at one arc-second, the south-west post at LON, LAT."""
    return HeightGrid(
        name="synthetic",
        west_deg=west,
        south_deg=south,
        step_lon_deg=STEP,
        step_lat_deg=STEP,
        heights_m=np.asarray(heights, dtype=np.float32),
        datum=datum,
    )


def rough(seed, size=48, amplitude_m=60.0):
    """Ground with cliffs, plains and thin ridges, as unkind as SRTM at its worst."""
    rng = np.random.default_rng(seed)
    heights = rng.uniform(0.0, amplitude_m, (size, size)) * (rng.random((size, size)) < 0.4)
    heights[:, size // 3] += rng.uniform(0.0, 40.0)  # a ridge one post wide
    return heights


def ring(west, south, east, north):
    """A rectangle by cells from the south-west post."""
    corners = ((west, south), (east, south), (east, north), (west, north))
    return tuple((LON + x * STEP, LAT + y * STEP) for x, y in corners)


def frame_at(terrain, x_cells, y_cells, above_m):
    """A frame so high above the ground of a place given in cells."""
    lon, lat = LON + x_cells * STEP, LAT + y_cells * STEP
    ground = float(terrain.height_hae_m(lon, lat))
    return EnuFrame(GeodeticPoint(lon_deg=lon, lat_deg=lat, alt_hae_m=ground + above_m))


def directions(seed, count, lowest=-0.6, highest=0.1):
    """Unit vectors all round, mostly grazing."""
    rng = np.random.default_rng(seed)
    azimuth = rng.uniform(0.0, 2.0 * np.pi, count)
    up = lowest + (highest - lowest) * np.sqrt(rng.random(count))
    flat = np.cos(up)
    return np.column_stack((np.sin(azimuth) * flat, np.cos(azimuth) * flat, np.sin(up)))


def clearance_m(terrain, frame, direction, range_m):
    """Height of the ray over ground or water, exactly, at (n,) ranges."""
    at = frame.to_geodetic(range_m[:, None] * direction)
    return at[:, 2] - terrain.height_hae_m(at[:, 0], at[:, 1])


def brute_force(terrain, frame, direction, step_m=0.5, reach_m=2_500.0):
    """Walk in fine steps, then bisect: slow, simple, and sure but for what is under a step."""
    ranges = np.arange(0.0, reach_m, step_m)
    gap = clearance_m(terrain, frame, direction, ranges)
    ended = np.flatnonzero(~(gap > 0.0))
    if not len(ended) or np.isnan(gap[ended[0]]):
        return np.nan
    low, high = ranges[ended[0] - 1], ranges[ended[0]]
    for _ in range(40):
        middle = 0.5 * (low + high)
        if clearance_m(terrain, frame, direction, np.array([middle]))[0] > 0.0:
            low = middle
        else:
            high = middle
    return high


def compare(terrain, frame, rays):
    """Hold the march against fine stepping; where they differ, the march must be the better."""
    hit = terrain.trace(frame, np.zeros(3), rays)
    for direction, range_m, unknown in zip(rays, hit.range_m, hit.unknown, strict=True):
        expected = brute_force(terrain, frame, direction)
        if np.isnan(expected) and np.isnan(range_m):
            continue
        if np.isnan(expected) or (not np.isnan(range_m) and range_m < expected - 1e-3):
            # Stepping passed over a crest thinner than its step: there is ground at the hit.
            before = np.linspace(max(range_m - 0.3, 0.0), range_m + 0.3, 400)
            gap = clearance_m(terrain, frame, direction, before)
            assert np.nanmin(gap) <= 1e-6
            continue
        assert not unknown
        assert expected == pytest.approx(range_m, abs=1e-3)


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.floats(1.0, 80.0), st.floats(5.3, 42.0), st.floats(5.3, 42.0))
def test_march_finds_the_same_first_hit_as_fine_stepping(seed, above_m, x_cells, y_cells):
    """Over cliffs and one-post ridges, from low masts and from drones."""
    terrain = GridTerrain([grid(rough(seed))])
    compare(terrain, frame_at(terrain, x_cells, y_cells, above_m), directions(seed, 12))


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.floats(1.0, 60.0), st.floats(-5.0, 30.0))
def test_march_meets_water_and_banks_as_fine_stepping_does(seed, above_m, level_m):
    """A canal narrower than a cell, a pond and a flood replace the ground inside their rings."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(4.0, 30.0, 2)
    waters = (
        WaterArea(name="flood", ring_lon_lat_deg=ring(x, y, x + 11.0, y + 9.0), level_m=level_m),
        WaterArea(
            name="canal", ring_lon_lat_deg=ring(3.2, y + 2.1, 44.6, y + 2.5), level_m=level_m - 3.0
        ),
        WaterArea(
            name="pond",
            ring_lon_lat_deg=tuple(
                (LON + (x + 5 + 3 * np.cos(a)) * STEP, LAT + (y + 2 * np.sin(a)) * STEP)
                for a in np.linspace(0, 6, 9)
            ),
            level_m=level_m + 1.0,
        ),
    )
    terrain = GridTerrain([grid(rough(seed, amplitude_m=20.0))], waters=waters)
    compare(terrain, frame_at(terrain, x + 2.3, y + 1.2, above_m), directions(seed, 10))


def test_a_thin_ridge_between_camera_and_plain_stops_the_ray():
    """One row of posts 30 m high hides the plain behind it; a ray over its crest passes."""
    heights = np.zeros((40, 40))
    heights[20, :] = 30.0
    terrain = GridTerrain([grid(heights)])
    frame = frame_at(terrain, 20.5, 5.0, 20.0)
    rays = frame.to_enu(LON + 20.5 * STEP, LAT + np.array([19.9, 38.0, 38.0]) * STEP, [26.0, 0, 60])
    hit = terrain.trace(frame, np.zeros(3), rays)
    north_m = hit.points_m[:, 1] / 30.715
    assert 14.0 < north_m[0] < 15.0
    assert 14.0 < north_m[1] < 15.0, "the plain behind the ridge is hidden"
    assert np.isnan(hit.range_m[2])


@given(
    st.floats(-70, 70), st.floats(2.0, 500.0), st.integers(0, 2**31), st.sampled_from([-3.0, 200.0])
)
def test_level_ground_agrees_with_the_flat_terrain(lat_deg, above_m, seed, height_m):
    """A grid of equal heights is the same ellipsoidal surface, anywhere between the polar circles."""
    posts = grid(np.full((300, 300), height_m), west=20.0, south=lat_deg)
    terrain, flat = GridTerrain([posts]), FlatTerrain(alt_hae_m=height_m)
    middle = GeodeticPoint(
        lon_deg=20.0 + 150 * STEP, lat_deg=lat_deg + 150 * STEP, alt_hae_m=height_m + above_m
    )
    frame = EnuFrame(middle)
    rays = directions(seed, 40, -1.5, -0.02)
    expected, found = (ground.intersect(frame, np.zeros(3), rays) for ground in (flat, terrain))
    # Posts are level on the ellipsoid, the cells between them too.
    inside = np.isfinite(found[:, 0])
    assert inside.any()
    assert np.allclose(expected[inside], found[inside], atol=2e-3)


def test_heights_are_bilinear_and_posts_are_met_exactly():
    """At posts the post, half way the mean, outside nan; scalars and grids of places alike."""
    terrain: Terrain = GridTerrain([grid([[0.0, 4.0], [8.0, 20.0]])])
    half = 0.5 * STEP
    assert 4.0 == pytest.approx(float(terrain.height_hae_m(LON + STEP, LAT)), abs=1e-6)
    assert 8.0 == pytest.approx(float(terrain.height_hae_m(LON + half, LAT + half)), abs=1e-6)
    places = terrain.height_hae_m(LON + half * np.arange(4)[None, :], LAT + half * np.zeros((2, 1)))
    assert (2, 4) == places.shape
    assert np.isnan(places[:, 3]).all()


def test_heights_above_the_sea_need_a_way_to_the_ellipsoid():
    """The geoid's grid or one stated height; none or both are refused."""
    tile = grid(np.zeros((3, 3)), datum="msl")
    geoid = replace(tile, name="geoid", datum="hae", heights_m=np.full((3, 3), -12.5, "f4"))
    for way in ({"geoid": geoid}, {"geoid_height_m": -12.5}):
        terrain = GridTerrain([tile], **way)
        assert -12.5 == float(terrain.height_hae_m(LON + STEP / 2, LAT + STEP / 2))
    with pytest.raises(ValueError, match="neither geoid nor geoid_height_m"):
        GridTerrain([tile])
    with pytest.raises(ValueError, match="one of the two"):
        GridTerrain([tile], geoid=geoid, geoid_height_m=0.0)
    with pytest.raises(ValueError, match="does not cover"):
        GridTerrain([grid(np.zeros((9, 9)), datum="msl")], geoid=geoid)


def test_a_ray_that_meets_a_void_is_unknown_and_water_fills_voids():
    """Beyond a void no hit is claimed; before it there is one; a sea laid over it is met."""
    heights = np.full((40, 40), 5.0)
    heights[20:24, :] = np.nan
    heights[0, 0] = 30.0
    terrain = GridTerrain([grid(heights)])
    frame = frame_at(terrain, 20.0, 10.0, 10.0)
    lat = LAT + np.array([15.0, 21.5, 30.0]) * STEP
    rays = frame.to_enu(LON + 20.0 * STEP, lat, 5.0)
    hit = terrain.trace(frame, np.zeros(3), rays)
    assert [False, True, True] == np.isnan(hit.range_m).tolist()
    assert [False, True, True] == hit.unknown.tolist()
    # From above the highest known ground the void is looked over.
    drone = frame_at(terrain, 20.0, 10.0, 100.0)
    over = terrain.trace(drone, np.zeros(3), drone.to_enu(LON + 20.0 * STEP, lat, 5.0))
    assert [False, True, False] == np.isnan(over.range_m).tolist()
    sea = WaterArea(name="sea", ring_lon_lat_deg=ring(-1, 18.0, 60, 25.5), level_m=4.0)
    wet = GridTerrain([grid(heights)], waters=[sea])
    met = wet.trace(frame, np.zeros(3), rays)
    assert not met.unknown.any()
    height = frame.to_geodetic(met.points_m)[:, 2]
    assert np.allclose([5.0, 4.0, 5.0], height, atol=1e-6)
    assert [-1, 0, -1] == wet.water_index(LON + 20 * STEP, lat).tolist()


def test_the_end_of_the_tiles_is_unknown_and_the_sky_is_not():
    """A level ray leaves the tiles below the highest ground; an upward one can meet nothing."""
    heights = np.zeros((30, 30))
    heights[3, 3] = 50.0
    terrain = GridTerrain([grid(heights)])
    frame = frame_at(terrain, 15.0, 15.0, 10.0)
    hit = terrain.trace(
        frame, np.zeros(3), [[0.0, 1.0, 0.0], [0.0, 0.5, 0.5], [0, 0, 1], [0, 0, -1]]
    )
    assert [True, True, True, False] == np.isnan(hit.range_m).tolist()
    assert [True, False, False, False] == hit.unknown.tolist()
    assert 10.0 == pytest.approx(hit.range_m[3], abs=1e-6)


def test_from_under_the_ground_a_ray_meets_nothing():
    """A mast whose stated height lies under the ground says nothing rather than something wrong."""
    terrain = GridTerrain([grid(np.full((20, 20), 8.0))])
    frame = frame_at(terrain, 10.0, 10.0, -3.0)
    rays = [[0.0, 1.0, 0.2], [0.0, 1.0, -0.2], [0.0, 0.0, 1.0]]
    assert np.isnan(terrain.intersect(frame, np.zeros(3), rays)).all()


def test_rays_that_are_no_rays_give_nan_and_others_are_not_disturbed():
    """Nan directions come from pixels that no ray reaches."""
    terrain = GridTerrain([grid(np.zeros((20, 20)))])
    frame = frame_at(terrain, 10.0, 10.0, 5.0)
    rays = np.array([[np.nan, 0, 0], [0, 0, -2.0], [0, 0, 0.0]])
    found = terrain.intersect(frame, [[0, 0, 0], [3.0, 0, 1], [0, 0, 0]], rays)
    assert [True, False, True] == np.isnan(found[:, 0]).tolist()
    assert np.allclose([3.0, 0.0, -5.0], found[1], atol=1e-5)
    assert (0, 3) == terrain.intersect(frame, np.zeros(3), np.empty((0, 3))).shape


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_normals_are_the_derivative_of_the_hit(seed):
    """Moving the camera by dp moves the hit along the ray by -(n . dp) / (n . d), to first order."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:40, 0:40]
    heights = 15.0 * np.sin(x / 7.0 + rng.random()) + 12.0 * np.cos(y / 6.0 + rng.random())
    terrain = GridTerrain([grid(heights)])
    frame = frame_at(terrain, 20.2, 20.3, 60.0)
    rays = directions(seed, 15, -1.2, -0.3)
    hit = terrain.trace(frame, np.zeros(3), rays)
    seen = np.isfinite(hit.range_m)
    assert np.allclose(1.0, np.linalg.norm(hit.normals[seen], axis=1))
    unit = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    for nudge in np.eye(3) * 1e-3:
        moved = terrain.trace(frame, nudge, rays)
        expected = -(hit.normals @ nudge) / np.einsum("nk,nk->n", hit.normals, unit)
        both = seen & (np.abs(expected) < 0.02)
        change = moved.range_m - hit.range_m
        # Where a crease of two cells lies between the two hits there is no derivative.
        good = np.isclose(change[both], expected[both], atol=2e-5)
        assert good.mean() > 0.8


def test_slope_is_metres_per_metre_and_none_on_water():
    """A plane of 1 m a cell to the north; water is level."""
    heights = np.repeat(np.arange(20.0)[:, None], 20, axis=1)
    pond = WaterArea(name="pond", ring_lon_lat_deg=ring(2.0, 2.0, 6.0, 6.0), level_m=3.0)
    terrain = GridTerrain([grid(heights)], waters=[pond])
    slope = terrain.slope(LON + np.array([10.5, 4.0, 90.0]) * STEP, LAT + 4.0 * STEP)
    assert np.allclose([0.0, 1.0 / 30.72], slope[0], atol=1e-4)
    assert [0.0, 0.0] == slope[1].tolist()
    assert np.isnan(slope[2]).all()


def test_water_above_the_sea_is_raised_by_the_geoid():
    """A level from a tide table is above the sea; a later water lies over an earlier one."""
    tile = grid(np.zeros((9, 9)), datum="msl")
    sea = WaterArea(name="sea", ring_lon_lat_deg=ring(0.5, 0.5, 7, 7), level_m=1.5, datum="msl")
    pool = WaterArea(name="pool", ring_lon_lat_deg=ring(3.0, 3.0, 4, 4), level_m=9.0)
    terrain = GridTerrain([tile], geoid_height_m=-12.0, waters=[sea, pool])
    at = terrain.height_hae_m(LON + np.array([0.2, 2.0, 3.5]) * STEP, LAT + 3.5 * STEP)
    assert np.allclose([-12.0, -10.5, 9.0], at, atol=1e-5)
    assert 9.0 == terrain.highest_m
    with pytest.raises(ValueError, match="water sea: datum is msl"):
        GridTerrain([replace(tile, datum="hae")], waters=[sea])
    with pytest.raises(ValueError, match="water line: ring_lon_lat_deg"):
        GridTerrain(
            [tile],
            geoid_height_m=0.0,
            waters=[WaterArea(name="line", ring_lon_lat_deg=((104, 10), (105, 10)), level_m=0.0)],
        )
    with pytest.raises(ValueError, match="allowed: msl, hae"):
        WaterArea(name="x", ring_lon_lat_deg=(), level_m=0.0, datum="amsl")


def test_the_date_line_is_no_seam():
    """A tile across 180 degrees is met from both sides of it."""
    tile = grid(np.full((40, 40), 6.0), west=180.0 - 20 * STEP, south=-17.0)
    terrain = GridTerrain([tile])
    frame = EnuFrame(GeodeticPoint(lon_deg=180.0, lat_deg=-17.0 + 20 * STEP, alt_hae_m=26.0))
    hit = terrain.intersect(frame, np.zeros(3), [[1.0, 0, -0.2], [-1.0, 0, -0.2]])
    assert np.allclose([[100, 0, -20], [-100, 0, -20]], hit, atol=0.05)


@pytest.mark.data
@pytest.mark.parametrize("name", ["Rome-30m-DEM.tif", "cobb.tif"])
def test_march_over_real_ground_finds_the_same_first_hit_as_fine_stepping(data_dir, name):
    """SRTM of Rome and Cobb under the EGM96 geoid, from masts on the ground and from a drone."""
    folder = data_dir / "terrain"
    tile = read_dem(folder / name)
    geoid = read_gtx(folder / "egm96_15.gtx")
    terrain = GridTerrain([tile], geoid=geoid)
    rng = np.random.default_rng(7)
    for above_m in (2.0, 6.0, 60.0):
        lon = rng.uniform(tile.west_deg + 0.1, tile.east_deg - 0.1)
        lat = rng.uniform(tile.south_deg + 0.05, tile.north_deg - 0.05)
        ground = float(terrain.height_hae_m(lon, lat))
        undulation = float(geoid.at(lon, lat))
        assert ground == pytest.approx(float(tile.at(lon, lat)) + undulation, abs=1e-3)
        frame = EnuFrame(GeodeticPoint(lon_deg=lon, lat_deg=lat, alt_hae_m=ground + above_m))
        compare(terrain, frame, directions(int(above_m), 15, -0.2, 0.05))


@pytest.mark.data
def test_two_halves_of_a_real_tile_have_no_seam(data_dir):
    """Cut Rome along a meridian: heights and hits across the cut stay what they were."""
    folder = data_dir / "terrain"
    tile = read_dem(folder / "Rome-30m-DEM.tif")
    cut = 500
    west = replace(tile, heights_m=tile.heights_m[:, : cut + 1])
    east = replace(
        tile,
        west_deg=tile.west_deg + cut * tile.step_lon_deg,
        heights_m=tile.heights_m[:, cut:],
    )
    geoid = read_gtx(folder / "egm96_15.gtx")
    whole, joined = (GridTerrain(parts, geoid=geoid) for parts in ([tile], [east, west]))
    lon = tile.west_deg + (cut - 3) * tile.step_lon_deg
    ground = float(whole.height_hae_m(lon, 41.9))
    frame = EnuFrame(GeodeticPoint(lon_deg=lon, lat_deg=41.9, alt_hae_m=ground + 25.0))
    rays = directions(11, 400, -0.3, 0.0)
    expected, found = (t.intersect(frame, np.zeros(3), rays) for t in (whole, joined))
    assert np.allclose(expected, found, atol=1e-3, equal_nan=True)
    assert np.isfinite(found).all(axis=1).mean() > 0.9
