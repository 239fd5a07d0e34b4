"""Heights and rings of a scenario's ground: made hills, real elevation, canals from their path."""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo._types import BoolArray, FloatArray
from geo.dem import HeightArray, HeightGrid
from geo.dem_files import read_dem
from geo.frames import EnuFrame, GeodeticPoint
from runtime.errors import AskOperator
from simulations.scenario import Scenario
from simulations.scenario_place import GroundSettings, WaterSettings
from simulations.site import Site

_PLAIN_STEP_M, _PLAIN_HALF_M = 40.0, 12_000.0
_WAVES = 32
_FINEST_STEP_M, _COARSEST_STEP_M, _DEM_STEP_M = 1.0, 10.0, 10.0
_MOST_POSTS = 1_600
_MARGIN_M, _SIGHT_M = 400.0, 3_000.0
_EDGE_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Posts:
    """Heights at the posts of a square grid in the site's plane.

    Attributes:
        south_west_m: (2,) east, north of the first post.
        step_m: between posts.
        heights_m: (rows, columns), south first; nan where the elevation file has a void.
        plain_beyond: whether the plane z = 0 goes on where the posts end.
    """

    south_west_m: FloatArray
    step_m: float
    heights_m: HeightArray
    plain_beyond: bool

    def column_row(self, enu_xy: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (n, 2) places in steps from the first post."""
        steps = (enu_xy - self.south_west_m) / self.step_m
        return steps[:, 0], steps[:, 1]

    def inside(self, enu_xy: npt.ArrayLike) -> BoolArray:
        """Return (n,) whether places lie within the posts."""
        column, row = self.column_row(np.asarray(enu_xy, dtype=np.float64))
        rows, columns = self.heights_m.shape
        within = (column >= 0) & (column <= columns - 1) & (row >= 0) & (row <= rows - 1)
        return np.asarray(within, dtype=np.bool_)


def ground_posts(scenario: Scenario, site: Site, watered: bool) -> Posts | None:  # noqa: FBT001  # one fact, named at its only call
    """Return the heights of a scenario's ground; None for a plane without water.

    Raises:
        AskOperator: the elevation file cannot be read, or does not cover the scenario.
    """
    if scenario.ground.kind == "hills":
        return _hills(scenario, site)
    if scenario.ground.kind == "dem":
        return _dem(scenario, site)
    if not watered:
        return None
    count = round(2.0 * _PLAIN_HALF_M / _PLAIN_STEP_M) + 1
    return Posts(
        south_west_m=np.full(2, -_PLAIN_HALF_M),
        step_m=_PLAIN_STEP_M,
        heights_m=np.zeros((count, count), dtype=np.float32),
        plain_beyond=True,
    )


def water_ring(settings: WaterSettings, site: Site) -> FloatArray:
    """Return (n, 2) corners in the plane: the ring itself, or the banks of a canal's path."""
    from shapely import LineString

    if settings.ring_along_across_m is not None:
        return np.array([site.place(*point) for point in settings.ring_along_across_m])
    assert settings.path_along_across_m is not None
    assert settings.width_m is not None
    path = LineString([site.place(*point) for point in settings.path_along_across_m])
    banks = path.buffer(0.5 * settings.width_m, cap_style="flat", join_style="mitre")
    return np.array(banks.exterior.coords, dtype=np.float64)[:-1]


def _centre_and_half_m(scenario: Scenario, site: Site) -> tuple[FloatArray, float]:
    """Return a square that holds whatever stands or moves in the scenario."""
    places: list[FloatArray] = []
    for camera in scenario.camera:
        if camera.lon_lat_deg is not None:
            places.append(site.lon_lat(*camera.lon_lat_deg))
        elif camera.along_m is not None and camera.across_m is not None:
            places.append(site.place(camera.along_m, camera.across_m))
    for drone in scenario.drone:
        way = (drone.home_along_across_m, *drone.path_along_across_m)
        places += [site.place(*point) for point in way]
    for actor in scenario.actor:
        places += [site.place(*point) for point in actor.path_along_across_m or ()]
        places += [site.lon_lat(*point) for point in actor.path_lon_lat_deg or ()]
    low, high = np.min(places, axis=0), np.max(places, axis=0)
    needed_m = 0.5 * float(np.max(high - low)) + _MARGIN_M
    return np.asarray(0.5 * (low + high)), needed_m


def _square(centre: FloatArray, half_m: float, step_m: float) -> tuple[FloatArray, float, int]:
    """Return south-west post, step and count of posts a side; never more than memory likes."""
    count = int(np.ceil(2.0 * half_m / step_m)) + 1
    if count > _MOST_POSTS:
        count = _MOST_POSTS
        step_m = 2.0 * half_m / (count - 1)
    return centre - 0.5 * step_m * (count - 1), step_m, count


def _hills(scenario: Scenario, site: Site) -> Posts:
    """Smooth seeded hills as a sum of plane waves, so that they do not depend on the grid.

    The seed is the scenario's name: the place stays what it is, whatever the night's seed.
    """
    ground = scenario.ground
    centre, needed_m = _centre_and_half_m(scenario, site)
    half_m = max(needed_m, _SIGHT_M)
    step_m = float(np.clip(ground.wavelength_m / 16.0, _FINEST_STEP_M, _COARSEST_STEP_M))
    south_west, step_m, count = _square(centre, half_m, step_m)
    axis = np.arange(count) * step_m
    east, north = south_west[0] + axis, south_west[1] + axis
    rng = np.random.default_rng([zlib.crc32(scenario.name.encode()), 0x68696C6C])
    turn = rng.uniform(0.0, np.pi, _WAVES)
    length_m = ground.wavelength_m * np.exp(rng.normal(0.0, 0.35, _WAVES))
    phase = rng.uniform(0.0, 2.0 * np.pi, _WAVES)
    wave = 2.0 * np.pi / length_m
    # cos(a + b) of a sum over east and north apart: two products of thin matrices.
    by_east = np.outer(east, wave * np.sin(turn))
    by_north = np.outer(north, wave * np.cos(turn)) + phase
    total = np.cos(by_north) @ np.cos(by_east).T - np.sin(by_north) @ np.sin(by_east).T
    # The reference marker stands at the site's level.
    total = (total - float(np.cos(phase).sum())) * ground.amplitude_m * np.sqrt(2.0 / _WAVES)
    total *= _rising(ground, site, east, north) * _fading(count)
    return Posts(
        south_west_m=south_west,
        step_m=step_m,
        heights_m=total.astype(np.float32),
        plain_beyond=True,
    )


def _rising(ground: GroundSettings, site: Site, east: FloatArray, north: FloatArray) -> FloatArray:
    """Return 0 near the line, 1 from a wavelength beyond ``flat_within_m``."""
    if ground.flat_within_m <= 0.0:
        return np.ones((len(north), len(east)))
    coarse = slice(None, None, 8)
    x, y = np.meshgrid(east[coarse], north[coarse])
    away = _distance_m(site, np.column_stack((x.ravel(), y.ravel()))).reshape(x.shape)
    along = np.array([np.interp(east, east[coarse], line) for line in away])
    full = np.array([np.interp(north, north[coarse], line) for line in along.T]).T
    return _smooth((full - ground.flat_within_m) / ground.wavelength_m)


def _distance_m(site: Site, places: FloatArray) -> FloatArray:
    """Return (n,) metres to the line, beyond its ends too."""
    start = site.line.vertices_enu_m[:-1]
    step = np.diff(site.line.vertices_enu_m, axis=0)
    least = np.full(len(places), np.inf)
    for corner, way in zip(start, step, strict=True):
        offset = places - corner
        part = np.clip(offset @ way / float(way @ way), 0.0, 1.0)
        least = np.minimum(least, np.hypot(*(offset - part[:, None] * way).T))
    return least


def _fading(count: int) -> FloatArray:
    """Return 1 in the middle and 0 at the edge, where the plain begins."""
    rim = max(2, int(_EDGE_SHARE * count))
    inward = np.minimum(np.arange(count), np.arange(count)[::-1]) / rim
    return np.outer(_smooth(inward), _smooth(inward))


def _smooth(part: FloatArray) -> FloatArray:
    part = np.clip(part, 0.0, 1.0)
    return np.asarray(part * part * (3.0 - 2.0 * part), dtype=np.float64)


def _dem(scenario: Scenario, site: Site) -> Posts:
    """Real elevation, so moved in height that the reference marker stands at the site's level.

    So neither the geoid nor the datum matters: over a few kilometres they are one number.
    """
    ground = scenario.ground
    assert ground.dem_file is not None
    try:
        grid = read_dem(ground.dem_file)
    except (OSError, ValueError) as error:
        raise AskOperator(
            field="ground.dem_file",
            value=str(ground.dem_file),
            allowed="an SRTM .hgt or a GeoTIFF in WGS 84 degrees",
            next_step=str(error),
        ) from error
    origin = site.frame.origin
    at_lon, at_lat = ground.dem_lon_lat_deg or (origin.lon_deg, origin.lat_deg)
    level_m = float(grid.at(at_lon, at_lat))
    if not np.isfinite(level_m):
        raise AskOperator(
            field="ground.dem_lon_lat_deg" if ground.dem_lon_lat_deg else "ground.dem_file",
            value=f"{at_lon}, {at_lat} in {grid.name}",
            allowed=f"a known place within {grid.west_deg:.4f}..{grid.east_deg:.4f}, "
            f"{grid.south_deg:.4f}..{grid.north_deg:.4f}",
            next_step="give dem_lon_lat_deg inside the file, or the tile of the site",
        )
    centre, needed_m = _centre_and_half_m(scenario, site)
    south_west, step_m, count = _square(centre, max(needed_m, _SIGHT_M), _DEM_STEP_M)
    axis = np.arange(count) * step_m
    east, north = np.meshgrid(south_west[0] + axis, south_west[1] + axis)
    heights = _laid_under(grid, (at_lon, at_lat), east.ravel(), north.ravel())
    near = np.maximum(np.abs(east - centre[0]), np.abs(north - centre[1])).ravel() <= needed_m
    unknown = int(np.count_nonzero(np.isnan(heights[near])))
    if unknown:
        raise AskOperator(
            field="ground.dem_file",
            value=f"{grid.name} knows no height at {unknown} of {np.count_nonzero(near)} posts "
            "where the scenario happens",
            allowed="a file without voids or edges there",
            next_step="move dem_lon_lat_deg, or fill its voids with gdal_fillnodata",
        )
    return Posts(
        south_west_m=south_west,
        step_m=step_m,
        heights_m=(heights - level_m).reshape(count, count).astype(np.float32),
        plain_beyond=False,
    )


def _laid_under(
    grid: HeightGrid,
    anchor_lon_lat: tuple[float, float],
    east_m: FloatArray,
    north_m: FloatArray,
) -> FloatArray:
    """Return the file's heights where its anchor lies under the site's marker, sunk by the earth.

    Metres are kept, not degrees: a hill from another latitude keeps its shape.
    """
    anchor = EnuFrame(GeodeticPoint(lon_deg=anchor_lon_lat[0], lat_deg=anchor_lon_lat[1]))
    place = anchor.to_geodetic(np.column_stack((east_m, north_m, np.zeros_like(east_m))))
    # A level of the sea lies as far beneath the plane as the plane's place above the ellipsoid.
    return np.asarray(grid.at(place[:, 0], place[:, 1]) - place[:, 2], dtype=np.float64)
