"""Coordinates as maps print them: VN-2000 and MGRS, for display and import on the ground.

WGS 84 alone is stored. pyproj and mgrs are imported on first use, so that a node never needs
them. EPSG knows two ways from VN-2000 to WGS 84 that differ by 0.8 m here; the second, with the
seven national parameters, is pinned so that results do not depend on the PROJ version.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproj import Transformer

VN2000_GEOGRAPHIC = 4756
VN2000_TM3_104_30 = 9207
VN2000_TM3_104_45 = 9208
VN2000_UTM_48N = 3405
_ALLOWED = (VN2000_TM3_104_30, VN2000_TM3_104_45, VN2000_UTM_48N)
_PINNED = "VN-2000 to WGS 84 (2)"


@dataclass(frozen=True, slots=True, kw_only=True)
class GridPoint:
    """A place on a VN-2000 map sheet. Vietnamese survey papers call north X and east Y."""

    epsg: int
    easting_m: float
    northing_m: float


def to_vn2000(lon_deg: float, lat_deg: float, *, epsg: int = VN2000_TM3_104_30) -> GridPoint:
    """Return the VN-2000 map coordinates of a WGS 84 place."""
    east, north = _transformer(epsg).transform(lon_deg, lat_deg, direction="INVERSE")
    return GridPoint(epsg=epsg, easting_m=float(east), northing_m=float(north))


def from_vn2000(point: GridPoint) -> tuple[float, float]:
    """Return WGS 84 longitude and latitude in degrees of a VN-2000 map place."""
    lon, lat = _transformer(point.epsg).transform(point.easting_m, point.northing_m)
    return float(lon), float(lat)


def to_mgrs(lon_deg: float, lat_deg: float) -> str:
    """Return the MGRS reference to the metre, in groups: ``48P VS 38785 52293``."""
    from mgrs import MGRS

    text: str = MGRS().toMGRS(lat_deg, lon_deg, MGRSPrecision=5)
    return f"{text[:-12]} {text[-12:-10]} {text[-10:-5]} {text[-5:]}"


def from_mgrs(reference: str) -> tuple[float, float]:
    """Return WGS 84 longitude and latitude in degrees of an MGRS reference."""
    from mgrs import MGRS
    from mgrs.core import MGRSError

    try:
        lat, lon = MGRS().toLatLon("".join(reference.split()).upper())
    except MGRSError as error:
        raise ValueError(
            f"MGRS reference is {reference!r}; expected something like '48P VS 38785 52293'"
        ) from error
    return float(lon), float(lat)


@lru_cache(maxsize=len(_ALLOWED))
def _transformer(epsg: int) -> "Transformer":
    from pyproj.transformer import TransformerGroup

    if epsg not in _ALLOWED:
        raise ValueError(f"epsg is {epsg}; allowed: {', '.join(map(str, _ALLOWED))}")
    group = TransformerGroup(epsg, 4326, always_xy=True)
    for transformer in group.transformers:
        if _PINNED in transformer.description:
            return transformer
    raise ValueError(f"this PROJ database lacks the operation {_PINNED!r}; install proj-data >= 9")
