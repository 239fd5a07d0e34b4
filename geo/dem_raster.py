"""Elevation in every format that GDAL knows, through rasterio (the extra [dem])."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.dem import Datum, HeightGrid

WGS84_LIKE = (4326, 4979, 4258, 4269)
"""WGS 84, ETRS89 and NAD83: within two metres. VN-2000 is 226 m away and must be converted."""
SRTM_VOID = -32768
_HIGHEST_M = 9_000.0
_LOWEST_M = -12_000.0
_EXTRA = "install the extra: pip install 'border-watch[dem]'"


def read_raster(path: Path, *, datum: Datum) -> HeightGrid:
    """Read the one band of a raster in geographic WGS 84 degrees.

    Raises:
        ValueError: rasterio is not installed, cannot read the file, or it has another grid.
    """
    try:
        rasterio: Any = importlib.import_module("rasterio")
    except ModuleNotFoundError as error:
        raise ValueError(f"{path}: only rasterio reads this format; {_EXTRA}") from error
    if not path.is_file():
        raise ValueError(f"{path}: no such file; check its name")
    try:
        with rasterio.open(path) as raster:
            bands, crs, transform = raster.count, raster.crs, raster.transform
            nodata, values = raster.nodata, np.asarray(raster.read(1))
    except rasterio.errors.RasterioError as error:
        raise ValueError(f"{path}: {error}; allowed: a raster that GDAL reads") from error
    code = None if crs is None else crs.to_epsg()
    if code not in WGS84_LIKE:
        raise ValueError(
            f"{path}: its grid is {crs}; allowed: EPSG:4326 (WGS 84) or alike; "
            "convert it: gdalwarp -t_srs EPSG:4326"
        )
    if bands != 1 or transform.b != 0.0 or transform.d != 0.0 or transform.e >= 0.0:
        raise ValueError(
            f"{path}: {bands} band(s) with transform {tuple(transform)[:6]}; allowed: one band, "
            "north up, not turned; convert it: gdalwarp -t_srs EPSG:4326"
        )
    # GDAL names the corners of pixels, whatever the file calls its posts.
    return grid_of(
        path,
        values,
        nodata=nodata,
        west_north=(transform.c + 0.5 * transform.a, transform.f + 0.5 * transform.e),
        steps=(transform.a, -transform.e),
        datum=datum,
    )


def one_band(path: Path, values: npt.NDArray[Any]) -> None:
    """Refuse colours, stacks and words."""
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise ValueError(
            f"{path}: shape is {values.shape} of {values.dtype}; allowed: one band of numbers"
        )


def grid_of(
    path: Path,
    values: npt.NDArray[Any],
    *,
    nodata: float | None,
    west_north: tuple[float, float],
    steps: tuple[float, float],
    datum: Datum,
) -> HeightGrid:
    """Return the grid of a raster, its voids as nan.

    Args:
        path: for its name and for messages.
        values: (rows, columns) north first.
        nodata: what the file declares as void.
        west_north: longitude and latitude of the first post.
        steps: degrees between posts, east and south.
        datum: of the heights.

    Raises:
        ValueError: no single band of numbers, or heights that no ground has.
    """
    one_band(path, values)
    heights = values.astype(np.float32)
    if nodata is not None:
        heights[values == np.asarray(nodata).astype(values.dtype)] = np.nan
    if values.dtype.kind == "i":
        # SRTM's own mark, also in files whose maker forgot to say so.
        heights[values == SRTM_VOID] = np.nan
    strange = (heights > _HIGHEST_M) | (heights < _LOWEST_M)
    if np.any(strange):
        raise ValueError(
            f"{path}: height {float(heights[strange][0])} m stands where no ground is; allowed is "
            f"{_LOWEST_M:.0f}..{_HIGHEST_M:.0f} m; its void value is not declared (nodata is "
            f"{nodata}): gdal_edit.py -a_nodata VALUE"
        )
    return HeightGrid(
        name=path.name,
        west_deg=west_north[0],
        south_deg=west_north[1] - steps[1] * (heights.shape[0] - 1),
        step_lon_deg=steps[0],
        step_lat_deg=steps[1],
        heights_m=np.ascontiguousarray(heights[::-1]),
        datum=datum,
    )
