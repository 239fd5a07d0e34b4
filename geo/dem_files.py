"""Read elevation files: SRTM .hgt, GeoTIFF, and the geoid grid that makes heights ellipsoidal.

SRTM and most elevation GeoTIFFs give heights above the sea (EGM96). A void stays a void: it is
never filled here, since a made-up height would place people wrongly and say nothing of it.
"""

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.dem import Datum, HeightGrid
from geo.dem_raster import SRTM_VOID, WGS84_LIKE, grid_of, one_band, read_raster

_HGT_POSTS = {3601: 1.0, 1201: 3.0}
"""Posts a side, and the arc-seconds between them."""
_HGT_NAME = re.compile(r"^([NS])(\d{1,2})([EW])(\d{1,3})", re.IGNORECASE)
_GTX_HEADER = struct.Struct(">4d2i")
_GTX_VOID = -88.8888
_GEOGRAPHIC = 2
_PIXEL_IS_AREA = 1
_DEGREE = 9102


def read_dem(path: Path, *, datum: Datum = "msl") -> HeightGrid:
    """Read an elevation file: .hgt and GeoTIFF by ourselves, any other through rasterio.

    Args:
        path: the file.
        datum: of the heights; .hgt is always above the sea.

    Raises:
        ValueError: the file is not what its ending says, or wants a reader that is not installed.
    """
    ending = path.suffix.lower()
    if ending == ".hgt":
        return read_hgt(path)
    if ending in (".tif", ".tiff"):
        return read_geotiff(path, datum=datum)
    return read_raster(path, datum=datum)


def read_hgt(path: Path) -> HeightGrid:
    """Read one SRTM tile of 1 or 3 arc-seconds; its place is its name (``N10E104.hgt``).

    Source: NASA, "SRTM Topography", version 2.1 documentation: big-endian int16, rows from the
    north, posts at the edges of the degree, -32768 where nothing was measured.

    Raises:
        ValueError: the name gives no place, or the size is that of no tile.
    """
    match = _HGT_NAME.match(path.name)
    if match is None:
        raise ValueError(
            f"{path}: the name gives no place; a tile is named after its south-west corner, "
            "such as N10E104.hgt; rename it"
        )
    south, west = int(match[2]), int(match[4])
    south = -south if match[1].upper() == "S" else south
    west = -west if match[3].upper() == "W" else west
    raw = path.read_bytes()
    side = next((posts for posts in _HGT_POSTS if len(raw) == 2 * posts * posts), None)
    if side is None:
        raise ValueError(
            f"{path}: size is {len(raw)} bytes; allowed: 25934402 (1 arc-second) or 2884802 "
            "(3 arc-seconds); it is cut short or still packed: fetch or unpack it again"
        )
    posts = np.frombuffer(raw, dtype=">i2").reshape(side, side)[::-1]
    heights = posts.astype(np.float32)
    heights[posts == SRTM_VOID] = np.nan
    step_deg = _HGT_POSTS[side] / 3600.0
    return HeightGrid(
        name=path.name,
        west_deg=float(west),
        south_deg=float(south),
        step_lon_deg=step_deg,
        step_lat_deg=step_deg,
        heights_m=heights,
        datum="msl",
    )


def read_geotiff(path: Path, *, datum: Datum = "msl") -> HeightGrid:
    """Read a single-band GeoTIFF in geographic WGS 84 degrees.

    Plain and DEFLATE-compressed files are read by tifffile alone; LZW and the predictor of
    floating point numbers go to rasterio, and where that is missing the error says so.

    Source: OGC 19-008r4, GeoTIFF 1.1.

    Raises:
        ValueError: not a GeoTIFF, another grid than WGS 84 degrees, turned, or unreadable.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            if not isinstance(page, tifffile.TiffPage):
                raise ValueError(f"{path}: the first picture is only a frame; it must be whole")
            keys: dict[str, Any] = dict(page.geotiff_tags or {})
            nodata = _nodata(page)
            values = _pixels(page)
    except tifffile.TiffFileError as error:
        raise ValueError(f"{path}: no TIFF file: {error}; allowed: a GeoTIFF") from error
    if isinstance(values, str):
        try:
            return read_raster(path, datum=datum)
        except ValueError as error:
            raise ValueError(
                f"{error} ({values}; allowed without it: no compression, DEFLATE: "
                "gdal_translate -co COMPRESS=DEFLATE -co PREDICTOR=2)"
            ) from error
    one_band(path, values)
    west, north, step_lon, step_lat = _place(path, keys)
    return grid_of(
        path,
        values,
        nodata=nodata,
        west_north=(west, north),
        steps=(step_lon, step_lat),
        datum=datum,
    )


def _pixels(page: Any) -> npt.NDArray[Any] | str:
    """Return the picture, or why tifffile alone cannot unpack it."""
    try:
        return np.asarray(page.asarray())
    except (KeyError, ModuleNotFoundError, ValueError) as error:
        # What tifffile raises for a compression that it leaves to native packages.
        return str(error).strip("'\"")


def _nodata(page: Any) -> float | None:
    """Return GDAL's declared void value; None where the file declares none."""
    if "GDAL_NODATA" not in page.tags:
        return None
    text = str(page.tags["GDAL_NODATA"].value).strip("\x00 ")
    return float(text)


def _place(path: Path, keys: dict[str, Any]) -> tuple[float, float, float, float]:
    """Return the west and north of the first post and the two steps, in degrees."""
    model = keys.get("GTModelTypeGeoKey")
    system = keys.get("GeographicTypeGeoKey")
    unit = keys.get("GeogAngularUnitsGeoKey", _DEGREE)
    for field, value, allowed, good in (
        ("GTModelTypeGeoKey", model, "2 (geographic)", model == _GEOGRAPHIC),
        ("GeographicTypeGeoKey", system, "4326 (WGS 84) or alike", system in (None, *WGS84_LIKE)),
        ("GeogAngularUnitsGeoKey", unit, "9102 (degree)", unit == _DEGREE),
    ):
        if not good:
            raise ValueError(
                f"{path}: {field} is {value}; allowed: {allowed}; "
                "convert it: gdalwarp -t_srs EPSG:4326"
            )
    scale, tie = keys.get("ModelPixelScale"), keys.get("ModelTiepoint")
    if scale is None or tie is None or len(tie) != 6:
        raise ValueError(
            f"{path}: ModelPixelScale is {scale} and ModelTiepoint {tie}; allowed: one of each "
            "(a grid that is not turned); convert it: gdalwarp -t_srs EPSG:4326"
        )
    step_lon, step_lat = float(scale[0]), float(scale[1])
    # The tie point is a pixel's corner where pixels are areas, and the post itself where not.
    half = 0.5 if keys.get("GTRasterTypeGeoKey", _PIXEL_IS_AREA) == _PIXEL_IS_AREA else 0.0
    west = float(tie[3]) + (half - float(tie[0])) * step_lon
    north = float(tie[4]) - (half - float(tie[1])) * step_lat
    return west, north, step_lon, step_lat


def read_gtx(path: Path) -> HeightGrid:
    """Read a geoid grid (EGM96 as ``egm96_15.gtx``): undulation, geoid above ellipsoid.

    Source: NOAA VDatum's .gtx format: big-endian, south-west corner, steps, rows and columns,
    then float32 rows from the south.

    Raises:
        ValueError: the size does not fit the header.
    """
    raw = path.read_bytes()
    head = _GTX_HEADER.size
    if len(raw) < head:
        raise ValueError(f"{path}: size is {len(raw)} bytes; a .gtx grid has a header of {head}")
    south, west, step_lat, step_lon, rows, columns = _GTX_HEADER.unpack_from(raw)
    wanted = head + 4 * rows * columns
    if rows < 2 or columns < 2 or len(raw) != wanted:
        raise ValueError(
            f"{path}: size is {len(raw)} bytes; its header says {rows} x {columns} posts, "
            f"so {wanted} are allowed; fetch it again"
        )
    values = np.frombuffer(raw, dtype=">f4", offset=head).reshape(rows, columns)
    heights = values.astype(np.float32)
    heights[np.abs(heights - _GTX_VOID) < 1e-3] = np.nan
    if abs(columns * step_lon - 360.0) < 1e-6:
        # All round the globe: the first meridian stands again behind the last one.
        heights = np.hstack((heights, heights[:, :1]))
    return HeightGrid(
        name=path.name,
        west_deg=west,
        south_deg=south,
        step_lon_deg=step_lon,
        step_lat_deg=step_lat,
        heights_m=heights,
        datum="hae",
    )
