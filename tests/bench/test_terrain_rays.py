"""How many rays a second meet gridded ground; printed with the machine, held against a plain loop."""

import os
import platform
import time

import numpy as np
import pytest

from geo.dem import HeightGrid
from geo.frames import EnuFrame, GeodeticPoint
from geo.terrain_grid import GridTerrain, WaterArea

RAYS = 20_000
LOOPED = 20
STEP = 1 / 3600


def ground():
    """A quarter of a degree of hills at one arc-second, with a canal of forty bends."""
    y, x = np.mgrid[0:900, 0:900]
    hills = 30 * np.sin(x / 31.0) * np.cos(y / 23.0) + 8 * np.sin(x / 5.0 + y / 7.0)
    tile = HeightGrid(
        name="hills",
        west_deg=104.4,
        south_deg=10.3,
        step_lon_deg=STEP,
        step_lat_deg=STEP,
        heights_m=hills.astype(np.float32),
        datum="hae",
    )
    along = np.linspace(104.42, 104.62, 40)
    bank = 10.43 + 0.004 * np.sin(40.0 * along)
    ring = [*zip(along, bank, strict=True), *zip(along[::-1], bank[::-1] + 0.0004, strict=True)]
    canal = WaterArea(name="canal", ring_lon_lat_deg=tuple(ring), level_m=-2.0)
    return GridTerrain([tile], waters=[canal])


def looped(terrain, frame, direction):
    """What one would write first: steps of 5 m and bisection, one ray at a time."""
    low_m = 0.0
    for high_m in np.arange(5.0, 10_000.0, 5.0):
        lon, lat, alt = frame.to_geodetic((high_m * direction)[None, :])[0]
        height = float(terrain.height_hae_m(lon, lat))
        if not alt > height:
            break
        low_m = high_m
    else:
        return np.nan
    if np.isnan(height):
        return np.nan
    for _ in range(30):
        middle_m = 0.5 * (low_m + high_m)
        lon, lat, alt = frame.to_geodetic((middle_m * direction)[None, :])[0]
        if alt > float(terrain.height_hae_m(lon, lat)):
            low_m = middle_m
        else:
            high_m = middle_m
    return high_m


@pytest.mark.bench
def test_terrain_rays(capsys):
    """Rays a second from a mast and from a drone, and how often that is a scalar loop's."""
    terrain = ground()
    rng = np.random.default_rng(5)
    lines = []
    for name, above_m in (("mast of 6 m", 6.0), ("drone at 60 m", 60.0)):
        height = float(terrain.height_hae_m(104.52, 10.42))
        frame = EnuFrame(GeodeticPoint(lon_deg=104.52, lat_deg=10.42, alt_hae_m=height + above_m))
        azimuth = rng.uniform(0.0, 2.0 * np.pi, RAYS)
        up = rng.uniform(-0.35, 0.02, RAYS)
        rays = np.column_stack(
            (np.sin(azimuth) * np.cos(up), np.cos(azimuth) * np.cos(up), np.sin(up))
        )
        began_s = time.process_time()
        hit = terrain.trace(frame, np.zeros(3), rays)
        fast = RAYS / (time.process_time() - began_s)
        began_s = time.process_time()
        slow_m = [looped(terrain, frame, ray) for ray in rays[:LOOPED]]
        slow = LOOPED / (time.process_time() - began_s)
        # The loop may step over a crest; it never finds ground before the first there is.
        both = np.isfinite(slow_m) & np.isfinite(hit.range_m[:LOOPED])
        assert both.sum() > LOOPED / 2
        assert np.all(hit.range_m[:LOOPED][both] <= np.array(slow_m)[both] + 1e-3)
        assert fast > 50.0 * slow
        lines.append(
            f"{name}: {fast:,.0f} rays/s, {fast / slow:,.0f} times a scalar loop, "
            f"{np.isfinite(hit.range_m).mean():.0%} met the ground"
        )
    with capsys.disabled():
        print(f"\nterrain on {platform.machine()}, {os.cpu_count()} cores: " + "; ".join(lines))
