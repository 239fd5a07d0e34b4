"""The ground that a config describes: level, or elevation tiles with geoid and water."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.config_camera import CameraSettings
from edge.config_ground import GroundSettings
from geo.dem import Datum, HeightGrid, mosaic
from geo.dem_files import read_dem, read_gtx
from geo.dem_voids import filled
from geo.frames import GeodeticPoint
from geo.terrain import FlatTerrain, Terrain
from geo.terrain_fallback import TerrainOrPlane
from geo.terrain_grid import GridTerrain, WaterArea
from runtime.errors import AskOperator

_MARGIN_M = 1000.0
"""Tiles are kept so far beyond the range, for the doubt about far places."""
_PLAIN_STEP_DEG = 1.0 / 1200.0
_PLAIN_MOST_POSTS = 2000
_AGREE_SIGMAS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Opened ground.

    Attributes:
        terrain: where rays meet it.
        sigma_m: one sigma of its height.
        plane_sigma_m: the same where level ground was assumed for want of anything better.
        max_range_m: nothing is placed beyond.
        says: in words, for the log and for `border-edge doctor`.
        undulation_m: height of the geoid above the ellipsoid at (lon, lat); None where no geoid
            is configured.
    """

    terrain: Terrain
    sigma_m: float
    plane_sigma_m: float
    max_range_m: float
    says: str
    undulation_m: Callable[[float, float], float] | None = None


def open_ground(settings: GroundSettings, *, around: GeodeticPoint | None = None) -> Ground:
    """Read what the settings name.

    Args:
        settings: of one camera.
        around: where it stands, if it stays there: tiles are then kept only within its range.

    Raises:
        AskOperator: a file is missing or is not what it should be.
    """
    waters = () if settings.water_file is None else read_waters(settings.water_file)
    plane = None if settings.alt_hae_m is None else FlatTerrain(alt_hae_m=settings.alt_hae_m)
    terrain: Terrain
    plane_sigma_m = settings.sigma_m
    geoid = _geoid(settings)
    if settings.dem:
        grid = _grid(settings, waters, geoid, around)
        terrain = grid
        says = f"{grid.grid.name}, {grid.grid.voids} void posts"
        if plane is not None:
            plane_sigma_m = settings.plane_sigma_m
            terrain = TerrainOrPlane(grid, plane, agree_m=_AGREE_SIGMAS * plane_sigma_m)
            says += f"; where they end, assumed level at {plane.alt_hae_m:g} m"
        else:
            says += "; where they end there are no positions"
    else:
        assert plane is not None
        terrain = plane
        says = f"no elevation tiles: assumed level at {plane.alt_hae_m:g} m above the ellipsoid"
        if waters:
            terrain = _plain_with_water(settings, plane, waters, geoid)
    if waters:
        says += f"; {len(waters)} stretch(es) of water"
    return Ground(
        terrain=terrain,
        sigma_m=settings.sigma_m,
        plane_sigma_m=plane_sigma_m,
        max_range_m=settings.max_range_m,
        says=says,
        undulation_m=_undulation(geoid, settings.geoid_height_m),
    )


def camera_ground(camera: CameraSettings) -> Ground | None:
    """The ground of one camera; None where its config has none.

    Raises:
        AskOperator: as `open_ground`.
    """
    if camera.ground is None:
        return None
    mount = camera.mount
    around = None
    if mount is not None:
        around = GeodeticPoint(
            lon_deg=mount.lon_deg, lat_deg=mount.lat_deg, alt_hae_m=mount.alt_hae_m
        )
    return open_ground(camera.ground, around=around)


def read_waters(path: Path) -> tuple[WaterArea, ...]:
    """Water of a GeoJSON FeatureCollection: each Polygon's outer ring, at its ``level_m``.

    A feature's properties are `level_m` (a number), `datum` ("hae", or "msl" with a geoid) and
    `name`. Of a MultiPolygon every part is one water. Holes (islands) are refused: they would
    become water; draw two polygons instead.

    Raises:
        AskOperator: no such file, no such GeoJSON, or a property that is missing.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _refused("ground.water_file", path, "GeoJSON that can be read", error) from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise _refused("ground.water_file", path, "a FeatureCollection", "no features in it")
    return tuple(
        water
        for number, feature in enumerate(features)
        for water in _waters_of(path, feature, number)
    )


def _waters_of(path: Path, feature: Any, number: int) -> list[WaterArea]:
    try:
        return list(_waters(feature, number))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _refused(
            "ground.water_file",
            path,
            'Polygons with properties {"level_m": -1.2, "datum": "hae"}',
            f"feature {number}: {error}",
        ) from error


def _waters(feature: Any, number: int) -> Iterator[WaterArea]:
    told = feature["properties"] or {}
    shape, corners = feature["geometry"]["type"], feature["geometry"]["coordinates"]
    if shape not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"its geometry is a {shape}; allowed: Polygon, MultiPolygon")
    if "level_m" not in told:
        raise ValueError("it has no level_m; give the height of its surface")
    name = str(told.get("name", number))
    for rings in [corners] if shape == "Polygon" else corners:
        if len(rings) != 1:
            raise ValueError(f"{name} has {len(rings) - 1} hole(s); draw it as polygons without")
        yield WaterArea(
            name=name,
            ring_lon_lat_deg=tuple((float(lon), float(lat)) for lon, lat, *_ in rings[0]),
            level_m=float(told["level_m"]),
            datum=str(told.get("datum", "hae")),
        )


def _grid(
    settings: GroundSettings,
    waters: tuple[WaterArea, ...],
    geoid: HeightGrid | None,
    around: GeodeticPoint | None,
) -> GridTerrain:
    tiles = [_tile(path, settings.dem_datum) for path in settings.dem]
    try:
        joined = mosaic(tiles)
        if around is not None:
            reach_m = settings.max_range_m + _MARGIN_M
            joined = joined.cropped(around.lon_deg, around.lat_deg, reach_m)
        return GridTerrain(
            [filled(joined, widest_posts=settings.fill_voids_posts)],
            geoid=geoid,
            geoid_height_m=settings.geoid_height_m,
            waters=waters,
            max_range_m=settings.max_range_m + _MARGIN_M,
        )
    except ValueError as error:
        raise _refused(
            "ground.dem",
            settings.dem[0],
            "tiles of one grid, with geoid_file or geoid_height_m where their heights are above "
            "the sea, and the camera inside them",
            error,
        ) from error


def _tile(path: Path, datum: Datum) -> HeightGrid:
    try:
        return read_dem(path, datum=datum)
    except (OSError, ValueError) as error:
        raise _refused("ground.dem", path, "an elevation tile", error) from error


def _geoid(settings: GroundSettings) -> HeightGrid | None:
    path = settings.geoid_file
    if path is None:
        return None
    try:
        return read_gtx(path)
    except (OSError, ValueError) as error:
        allowed = "a grid of the geoid, such as egm96_15.gtx"
        raise _refused("ground.geoid_file", path, allowed, error) from error


def _undulation(
    geoid: HeightGrid | None, height_m: float | None
) -> Callable[[float, float], float] | None:
    if geoid is not None:
        return lambda lon_deg, lat_deg: float(geoid.at(lon_deg, lat_deg))
    return None if height_m is None else lambda *_: height_m


def _plain_with_water(
    settings: GroundSettings,
    plane: FlatTerrain,
    waters: tuple[WaterArea, ...],
    geoid: HeightGrid | None,
) -> Terrain:
    """Water laid into level ground: a grid of equal posts round the water, the plane beyond."""
    assert settings.water_file is not None
    corners = np.array([corner for water in waters for corner in water.ring_lon_lat_deg])
    low, high = corners.min(axis=0) - _PLAIN_STEP_DEG, corners.max(axis=0) + _PLAIN_STEP_DEG
    columns, rows = (np.ceil((high - low) / _PLAIN_STEP_DEG).astype(int) + 1).tolist()
    if max(columns, rows) > _PLAIN_MOST_POSTS:
        raise _refused(
            "ground.water_file",
            settings.water_file,
            f"water within {_PLAIN_MOST_POSTS * _PLAIN_STEP_DEG:.1f} degrees",
            f"it spans {low.tolist()} to {high.tolist()}",
        )
    posts = HeightGrid(
        name="level ground",
        west_deg=float(low[0]),
        south_deg=float(low[1]),
        step_lon_deg=_PLAIN_STEP_DEG,
        step_lat_deg=_PLAIN_STEP_DEG,
        heights_m=np.full((rows, columns), plane.alt_hae_m, dtype=np.float32),
        datum="hae",
    )
    try:
        grid = GridTerrain(
            [posts],
            geoid=geoid,
            geoid_height_m=settings.geoid_height_m,
            waters=waters,
            max_range_m=settings.max_range_m + _MARGIN_M,
        )
    except ValueError as error:
        allowed = "rings with levels above the ellipsoid, or a geoid"
        raise _refused("ground.water_file", settings.water_file, allowed, error) from error
    return TerrainOrPlane(grid, plane, agree_m=np.inf, level=True)


def _refused(field: str, path: Path, allowed: str, why: object) -> AskOperator:
    reason = why.strerror if isinstance(why, OSError) and why.strerror else str(why)
    return AskOperator(
        field=field, value=str(path), allowed=allowed, next_step=f"correct it: {reason}"
    )
