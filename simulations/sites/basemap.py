"""Write a small vector base map (PMTiles): land, sea, inland water and the course of the border.

Layers: ``land``, ``sea``, ``water`` (polygons), ``border`` (lines, context only).
"""

import gzip
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import numpy.typing as npt
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from shapely import transform
from shapely.geometry import box, mapping, shape
from shapely.ops import unary_union

BOUNDS_DEG = (104.2, 10.2, 104.8, 10.56)
MIN_ZOOM, MAX_ZOOM = 4, 14
_WORLD_M = 20037508.342789244
_EXTENT = 4096
_BUFFER = 64
_NOTICE = "© OpenStreetMap contributors (ODbL 1.0)"


def write_basemap(
    *, sea: dict[str, Any], water: dict[str, Any], border: dict[str, Any], path: Path
) -> int:
    """Cut the layers into tiles and write them; returns the number of tiles.

    The same input gives the same bytes: nothing here knows the time of day.
    """
    layers = _layers(sea, water, border)
    count = 0
    with path.open("wb") as stream:
        writer = Writer(stream)
        for zoom in range(MIN_ZOOM, MAX_ZOOM + 1):
            for x, y in sorted(_tiles(zoom), key=lambda t: zxy_to_tileid(zoom, *t)):
                tile = _tile(layers, zoom, x, y)
                if tile:
                    writer.write_tile(zxy_to_tileid(zoom, x, y), gzip.compress(tile, mtime=0))
                    count += 1
        west, south, east, north = (round(v * 1e7) for v in BOUNDS_DEG)
        writer.finalize(
            {
                "tile_type": TileType.MVT,
                "tile_compression": Compression.GZIP,
                "min_lon_e7": west,
                "min_lat_e7": south,
                "max_lon_e7": east,
                "max_lat_e7": north,
                "center_zoom": 12,
                "center_lon_e7": 1044500000,
                "center_lat_e7": 104200000,
            },
            {
                "name": "Ha Tien, demonstration",
                "attribution": _NOTICE,
                "vector_layers": [
                    {"id": name, "fields": {}, "minzoom": MIN_ZOOM, "maxzoom": MAX_ZOOM}
                    for name in ("land", "sea", "water", "border")
                ],
            },
        )
    return count


def _layers(sea: dict[str, Any], water: dict[str, Any], border: dict[str, Any]) -> dict[str, Any]:
    frame = box(*BOUNDS_DEG)
    sea_area = unary_union([shape(f["geometry"]).buffer(0) for f in sea["features"]])
    inland = unary_union([shape(f["geometry"]).buffer(0) for f in water["features"]])
    # The water set repeats the sea, drawn by a coarser hand: what hugs the coast is not inland.
    inland = inland.difference(sea_area.buffer(0.002)).intersection(frame)
    sea_area = sea_area.intersection(frame)
    course = unary_union([shape(f["geometry"]) for f in border["features"]]).intersection(frame)
    degrees = {
        "land": frame.difference(sea_area),
        "sea": sea_area,
        "water": inland,
        "border": course,
    }
    return {name: transform(geometry, _mercator) for name, geometry in degrees.items()}


def _mercator(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Spherical Mercator metres (n, 2) of longitudes and latitudes, as web maps use them."""
    lon, lat = np.radians(degrees).T
    north = np.arcsinh(np.tan(lat))
    return np.column_stack((lon, north)) / np.pi * _WORLD_M


def _tiles(zoom: int) -> list[tuple[int, int]]:
    corners = np.array([BOUNDS_DEG[:2], BOUNDS_DEG[2:]])
    (west, south), (east, north) = _mercator(corners).tolist()
    size = 2.0 * _WORLD_M / 2**zoom
    columns = range(int((west + _WORLD_M) // size), int((east + _WORLD_M) // size) + 1)
    rows = range(int((_WORLD_M - north) // size), int((_WORLD_M - south) // size) + 1)
    return [(x, y) for x in columns for y in rows]


def _tile(layers: dict[str, Any], zoom: int, x: int, y: int) -> bytes:
    size = 2.0 * _WORLD_M / 2**zoom
    west, north = x * size - _WORLD_M, _WORLD_M - y * size
    margin = size * _BUFFER / _EXTENT
    window = box(west - margin, north - size - margin, west + size + margin, north + margin)
    content = []
    for name, geometry in layers.items():
        part = geometry.intersection(window).simplify(size / _EXTENT * 2.0)
        part = transform(part, lambda m: np.rint((m - (west, north - size)) / size * _EXTENT))
        if not part.is_valid:
            part = part.buffer(0)  # Rounding may fold a sliver over itself.
        if not part.is_empty:
            content.append(
                {"name": name, "features": [{"geometry": mapping(part), "properties": {}}]}
            )
    if not content:
        return b""
    options = {"extents": _EXTENT, "y_coord_down": False}
    encoded: bytes = mapbox_vector_tile.encode(content, default_options=options)
    return encoded
