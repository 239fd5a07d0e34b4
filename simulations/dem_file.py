"""The scenario's ground as a technician brings it to a node: an elevation file around its cameras."""

from pathlib import Path

import numpy as np

from simulations.cameras import cameras
from simulations.film import view_of
from simulations.landscape import Landscape
from simulations.scenario import Scenario
from simulations.site import Site

_STEP_DEG = 5e-5
"""5.5 m, as of an aerial survey."""
_REACH_M = 700.0
_M_PER_DEG = 111_000.0


def write_dem(scenario: Scenario, site: Site, landscape: Landscape, folder: Path) -> Path | None:
    """Write a GeoTIFF of heights above the ellipsoid; None on flat ground, which needs no file.

    Args:
        scenario: whose cameras it reaches around.
        site: its places.
        landscape: the true ground.
        folder: a new file goes here.
    """
    if landscape.flat:
        return None
    import tifffile

    feet = [view_of(camera, site, landscape).position_enu_m for camera in cameras(scenario)]
    middles = site.frame.to_geodetic([[east, north, 0.0] for east, north, _ in feet])
    reach_deg = _REACH_M / _M_PER_DEG
    west, south = np.floor((middles[:, :2].min(axis=0) - reach_deg) / _STEP_DEG) * _STEP_DEG
    east, north = middles[:, :2].max(axis=0) + reach_deg
    columns, rows = int((east - west) / _STEP_DEG) + 1, int((north - south) / _STEP_DEG) + 1
    top = south + (rows - 1) * _STEP_DEG
    lon = west + np.arange(columns) * _STEP_DEG
    lat = top - np.arange(rows) * _STEP_DEG
    heights = landscape.terrain().height_hae_m(*np.meshgrid(lon, lat))
    # Posts, WGS 84 in degrees; see OGC 19-008r4.
    keys = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 2, 2048, 0, 1, 4326)
    tags = [
        (33550, "d", 3, (_STEP_DEG, _STEP_DEG, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, float(west), float(top), 0.0), True),
        (34735, "H", len(keys), keys, True),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ground.tif"
    tifffile.imwrite(path, heights.astype(np.float32), extratags=tags, metadata=None)
    return path
