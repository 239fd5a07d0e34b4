"""Elevation files are read to the post, refused in plain words, and joined without seams."""

import struct

import numpy as np
import pytest
import rasterio
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from geo.dem import HeightGrid, mosaic
from geo.dem_files import read_dem, read_geotiff, read_gtx, read_hgt
from geo.dem_voids import filled


def grid(heights, *, west=104.0, south=10.0, step=1 / 1200, datum="msl", name="tile"):
    """A small grid of given heights, south row first."""
    return HeightGrid(
        name=name,
        west_deg=west,
        south_deg=south,
        step_lon_deg=step,
        step_lat_deg=step,
        heights_m=np.asarray(heights, dtype=np.float32),
        datum=datum,
    )


def write_hgt(path, posts):
    """Write heights (south row first) as NASA does: from the north, big-endian."""
    path.write_bytes(np.asarray(posts)[::-1].astype(">i2").tobytes())
    return path


def write_tiff(path, values, *, area=True, nodata=None, system=4326, model=2, **how):
    """Write heights (north row first) as a GeoTIFF whose first post lies at 104 E, 10.5 N."""
    keys = [1, 1, 0, 3, 1024, 0, 1, model, 1025, 0, 1, 1 if area else 2, 2048, 0, 1, system]
    half = 0.0005 if area else 0.0
    tags = [
        (33550, "d", 3, (0.001, 0.001, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, 104.0 - half, 10.5 + half, 0.0), True),
        (34735, "H", len(keys), tuple(keys), True),
    ]
    if nodata is not None:
        tags.append((42113, "s", 0, str(nodata), True))
    tifffile.imwrite(path, values, extratags=tags, metadata=None, **how)
    return path


@pytest.mark.parametrize(("posts", "step_s"), [(1201, 3.0), (3601, 1.0)])
def test_hgt_of_both_sizes_lies_where_its_name_says(tmp_path, posts, step_s):
    """South and west come from the name, steps from the size, -32768 is a void."""
    heights = np.arange(posts * posts).reshape(posts, posts) % 3000
    heights[2, 3] = -32768
    read = read_hgt(write_hgt(tmp_path / "S02W071.hgt", heights))
    assert (-71.0, -2.0, -70.0, -1.0) == pytest.approx(
        (read.west_deg, read.south_deg, read.east_deg, read.north_deg)
    )
    assert step_s / 3600 == read.step_lat_deg == read.step_lon_deg
    assert 1 == read.voids and np.isnan(read.heights_m[2, 3])
    assert heights[0, 1] == read.heights_m[0, 1]
    assert "msl" == read.datum


@pytest.mark.parametrize("name", ["hanoi.hgt", "10N104E.hgt"])
def test_hgt_without_a_place_in_its_name_is_refused(tmp_path, name):
    """The file itself does not say where it lies."""
    with pytest.raises(ValueError, match=r"gives no place.*N10E104\.hgt"):
        read_hgt(write_hgt(tmp_path / name, np.zeros((3, 3))))


def test_a_tile_cut_short_is_refused(tmp_path):
    """The message has the size and both allowed ones."""
    path = write_hgt(tmp_path / "N10E104.hgt", np.zeros((1200, 1201)))
    with pytest.raises(ValueError, match=r"2882400 bytes; allowed: 25934402 .* 2884802"):
        read_dem(path)


@pytest.mark.parametrize("area", [True, False])
@pytest.mark.parametrize("how", [{}, {"compression": "zlib", "predictor": 2, "tile": (16, 16)}])
def test_geotiff_posts_lie_in_the_middle_of_their_pixels(tmp_path, area, how):
    """Pixel-is-area and pixel-is-point files of the same posts read alike, packed or not."""
    values = np.arange(20 * 30, dtype=np.int16).reshape(20, 30)
    read = read_dem(write_tiff(tmp_path / "a.tif", values, area=area, **how))
    assert (104.0, 10.5) == pytest.approx((read.west_deg, read.north_deg))
    assert np.array_equal(values[::-1], read.heights_m)
    assert float(values[3, 7]) == pytest.approx(float(read.at(104.007, 10.497)), abs=1e-3)


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("i2", -32768), ("i2", -9999), ("f4", -9999), ("f8", "nan"), ("i2", None)]
)
def test_declared_voids_become_nan(tmp_path, dtype, nodata):
    """Each maker has a void value of its own; SRTM's counts even undeclared."""
    values = np.ones((4, 5), dtype=dtype)
    values[1, 2] = -32768 if nodata is None else float(nodata)
    read = read_geotiff(write_tiff(tmp_path / "v.tif", values, nodata=nodata))
    assert 1 == read.voids
    assert np.isnan(read.heights_m[2, 2])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": 4756}, r"GeographicTypeGeoKey is .*4756.*allowed: 4326"),
        ({"model": 1}, r"GTModelTypeGeoKey is .*gdalwarp"),
    ],
)
def test_other_coordinate_systems_are_refused(tmp_path, change, words):
    """VN-2000 is 226 m away: a file in it must be converted, not read as WGS 84."""
    path = write_tiff(tmp_path / "p.tif", np.zeros((4, 4), dtype=np.int16), **change)
    with pytest.raises(ValueError, match=words):
        read_geotiff(path)


def test_undeclared_void_value_is_refused(tmp_path):
    """A height of -3.4e38 m would otherwise become a pit."""
    values = np.full((4, 4), -3.4e38, dtype=np.float32)
    with pytest.raises(ValueError, match=r"void value is not declared"):
        read_geotiff(write_tiff(tmp_path / "u.tif", values))


def test_what_is_no_elevation_file_is_refused(tmp_path):
    """Wrong ending, text called .tif, three bands, no georeference."""
    for name, content in (("a.zip", b"PK"), ("a.tif", b"hello"), ("b.gtx", b"short")):
        (tmp_path / name).write_bytes(content)
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((4, 4, 3), dtype=np.uint8))
    tifffile.imwrite(tmp_path / "bare.tif", np.zeros((4, 4), dtype=np.int16))
    for name, words in (
        ("a.zip", r"allowed: a raster that GDAL reads"),
        ("a.tif", r"no TIFF file"),
        ("rgb.tif", r"allowed: one band"),
        ("bare.tif", r"GTModelTypeGeoKey is None"),
    ):
        with pytest.raises(ValueError, match=words):
            read_dem(tmp_path / name)
    with pytest.raises(ValueError, match="header"):
        read_gtx(tmp_path / "b.gtx")


def test_geoid_grid_round_the_globe_has_no_seam(tmp_path):
    """The last column is followed by the first one again; its size is checked."""
    undulation = np.arange(3 * 4, dtype=">f4").reshape(3, 4)
    raw = struct.pack(">4d2i", -90.0, -180.0, 90.0, 90.0, 3, 4) + undulation.tobytes()
    path = tmp_path / "g.gtx"
    path.write_bytes(raw)
    geoid = read_gtx(path)
    assert [4.0, 7.0, 5.5, 5.5] == geoid.at([-180.0, 90.0, 135.0, -225.0], 0.0).tolist()
    path.write_bytes(raw[:-1])
    with pytest.raises(ValueError, match=r"3 x 4 posts"):
        read_gtx(path)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 2**31))
def test_tiles_join_without_a_seam(x, y, seed):
    """Cut a grid in four overlapping or touching parts: their mosaic is the grid again."""
    rng = np.random.default_rng(seed)
    whole = grid(rng.integers(-5, 800, (21, 25)))
    step = whole.step_lon_deg
    cut_r, cut_c = int(rng.integers(2, 18)), int(rng.integers(2, 22))
    shared = int(rng.integers(0, 2))  # SRTM tiles share their edge posts, others only touch
    parts = []
    for rows in (slice(0, cut_r + shared), slice(cut_r, 21)):
        for columns in (slice(0, cut_c + shared), slice(cut_c, 25)):
            west, south = 104.0 + columns.start * step, 10.0 + rows.start * step
            parts += [grid(whole.heights_m[rows, columns], west=west, south=south)]
    joined = mosaic([parts[k] for k in rng.permutation(4)])
    assert np.array_equal(whole.heights_m, joined.heights_m)
    lon, lat = 104.0 + 24 * step * x * 0.999, 10.0 + 20 * step * y * 0.999
    assert float(whole.at(lon, lat)) == pytest.approx(float(joined.at(lon, lat)), abs=1e-3)


def test_a_gap_between_tiles_is_a_void_and_a_void_is_filled_by_its_neighbour():
    """Nothing is made up; what one tile knows of a shared post counts."""
    step = 1 / 1200
    west = np.full((3, 3), 5.0)
    west[1, 2] = np.nan
    east = np.full((3, 3), 7.0)
    near = mosaic([grid(west), grid(east, west=104.0 + 2 * step)])
    assert [6.0, 7.0, 6.0] == near.heights_m[:, 2].tolist()
    far = mosaic([grid(west), grid(east, west=104.0 + 4 * step)])
    assert 3 + 1 == far.voids
    assert np.isnan(far.at(104.0 + 3 * step, 10.0))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"step": 1 / 3600}, "step_lon_deg"),
        ({"datum": "hae"}, "datum is hae, of tile it is msl"),
        ({"west": 104.0003}, "of a step beside"),
    ],
)
def test_tiles_of_different_grids_are_refused(other, words):
    """Joining them would need resampling, which is for GDAL to do once and not for us nightly."""
    flat = np.zeros((3, 3))
    with pytest.raises(ValueError, match=words):
        mosaic([grid(flat), grid(flat, name="second", **other)])
    with pytest.raises(ValueError, match="at least one"):
        mosaic([])


def test_crop_keeps_heights_and_refuses_a_place_outside():
    """Cropping spares memory and changes nothing within the radius."""
    whole = grid(np.random.default_rng(3).integers(0, 900, (60, 80)))
    lon, lat = whole.west_deg + 0.03, whole.south_deg + 0.02
    part = whole.cropped(lon, lat, 500.0)
    assert part.heights_m.size < whole.heights_m.size / 4
    offsets = np.linspace(-0.0044, 0.0044, 9)
    assert np.allclose(whole.at(lon + offsets, lat), part.at(lon + offsets, lat), atol=1e-3)
    assert np.allclose(whole.at(lon, lat + offsets), part.at(lon, lat + offsets), atol=1e-3)
    with pytest.raises(ValueError, match="lies outside"):
        whole.cropped(105.0, 10.02, 500.0)


def test_a_grid_that_spans_no_cell_or_globe_is_refused():
    """One row of posts, a negative step, a latitude of 91 degrees."""
    for change in ({"south": 89.999}, {"step": -0.1}):
        with pytest.raises(ValueError, match="allowed"):
            grid(np.zeros((9, 9)), **change)
    with pytest.raises(ValueError, match="at least 2 rows"):
        grid(np.zeros((1, 9)))


@pytest.mark.data
def test_real_tiles_and_the_real_geoid_read_as_documented(data_dir):
    """SRTM cut-outs of Rome and Cobb lie on whole arc-seconds; the geoid is -12 m at Ha Tien."""
    folder = data_dir / "terrain"
    rome, cobb = read_dem(folder / "Rome-30m-DEM.tif"), read_dem(folder / "cobb.tif")
    for tile in (rome, cobb):
        for value in (tile.west_deg, tile.north_deg):
            assert value * 3600 == pytest.approx(round(value * 3600), abs=1e-6)
        assert 0 == tile.voids
    assert (720, 1080) == rome.heights_m.shape
    assert (-6.0, 238.0) == (rome.heights_m.min(), rome.heights_m.max())
    # Monte Mario's observatory stands at about 120 to 140 m; the Tiber's meadows below 25 m.
    assert 110.0 < float(rome.at(12.4524, 41.9222)) < 150.0
    assert 0.0 < float(rome.at(12.4725, 41.9300)) < 30.0
    geoid = read_gtx(folder / "egm96_15.gtx")
    assert -12.0 == pytest.approx(float(geoid.at(104.48, 10.38)), abs=0.1)
    assert float(geoid.at(-180.0, 3.0)) == pytest.approx(float(geoid.at(180.0, 3.0)))


def test_voids_are_filled_from_both_sides_of_a_gap_and_no_wider():
    """A slope stays a slope over narrow gaps; wide gaps and the edges of a tile stay void."""
    y, x = np.mgrid[0:40, 0:40]
    true = (3.0 * x + 2.0 * y).astype(np.float32)
    holed = true.copy()
    holed[10, 5:8] = np.nan
    holed[20:23, 20:23] = np.nan
    holed[25:38, 2:18] = np.nan
    holed[0, 30] = np.nan
    healed = filled(grid(holed), widest_posts=3).heights_m
    assert np.allclose(healed[10, 5:8], true[10, 5:8])
    assert np.allclose(healed[20:23, 20:23], true[20:23, 20:23])
    assert np.isnan(healed[31, 9])
    assert np.isclose(healed[0, 30], true[0, 30])
    known = np.isfinite(holed)
    assert np.array_equal(healed[known], true[known])
    assert np.array_equal(filled(grid(holed), widest_posts=0).heights_m, holed, equal_nan=True)


def test_rasterio_reads_what_tifffile_cannot(tmp_path):
    """LZW with the predictor of floats, and another format: the same posts to the millimetre."""
    values = np.linspace(0.0, 90.0, 30 * 20, dtype=np.float32).reshape(30, 20)
    values[4, 5] = -9999.0
    how = {
        "height": 30,
        "width": 20,
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:4326",
        "transform": rasterio.Affine(0.001, 0.0, 104.0, 0.0, -0.001, 10.5),
        "nodata": -9999.0,
    }
    plain = tmp_path / "plain.tif"
    with rasterio.open(plain, "w", driver="GTiff", **how) as file:
        file.write(values, 1)
    wanted = read_dem(plain)
    with rasterio.open(
        tmp_path / "lzw.tif", "w", driver="GTiff", compress="lzw", predictor=3, **how
    ) as file:
        file.write(values, 1)
    with rasterio.open(tmp_path / "e.img", "w", driver="HFA", **how) as file:
        file.write(values, 1)
    assert 1 == wanted.voids
    for name in ("lzw.tif", "e.img"):
        found = read_dem(tmp_path / name)
        assert np.allclose(found.heights_m, wanted.heights_m, atol=1e-3, equal_nan=True)
        assert (wanted.west_deg, wanted.south_deg) == pytest.approx(
            (found.west_deg, found.south_deg), abs=1e-9
        )


def test_rasterio_refuses_other_grids(tmp_path):
    """UTM is not degrees; the error says how to convert."""
    how = {"height": 4, "width": 4, "count": 1, "dtype": "float32", "crs": "EPSG:32648"}
    turn = rasterio.Affine(30.0, 0.0, 400000.0, 0.0, -30.0, 1150000.0)
    with rasterio.open(tmp_path / "u.img", "w", driver="HFA", transform=turn, **how) as file:
        file.write(np.zeros((4, 4), dtype=np.float32), 1)
    with pytest.raises(ValueError, match=r"EPSG:32648.*gdalwarp -t_srs EPSG:4326"):
        read_dem(tmp_path / "u.img")
