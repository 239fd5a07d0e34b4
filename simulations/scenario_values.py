"""Small values that every part of a scenario is written in."""

from typing import Annotated

from pydantic import Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Azimuth = Annotated[float, Field(ge=0.0, lt=360.0)]
AlongAcross = tuple[float, float]
"""Metres along the line from the reference marker, and across it, our side positive."""
LonLat = tuple[
    Annotated[float, Field(ge=-180.0, le=180.0)], Annotated[float, Field(ge=-90.0, le=90.0)]
]


def one_place(lon_lat_deg: LonLat | None, along_m: float | None, across_m: float | None) -> None:
    """Check that a place is given once, and whole.

    Raises:
        ValueError: it is not.
    """
    by_line = along_m is not None and across_m is not None
    if (along_m is None) != (across_m is None) or by_line == (lon_lat_deg is not None):
        raise ValueError("give either lon_lat_deg, or along_m and across_m together")


def one_path(
    along_across_m: tuple[AlongAcross, ...] | None,
    lon_lat_deg: tuple[LonLat, ...] | None,
    *,
    least: int = 2,
) -> None:
    """Check that a path or ring is given once, with points enough.

    Raises:
        ValueError: it is not.
    """
    if (along_across_m is None) == (lon_lat_deg is None):
        raise ValueError("give either path_along_across_m or path_lon_lat_deg")
    if len(along_across_m or lon_lat_deg or ()) < least:
        raise ValueError(
            f"{len(along_across_m or lon_lat_deg or ())} way points; {least} are needed"
        )
