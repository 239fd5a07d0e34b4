"""Ground points that somebody measured on the ground and clicked in the picture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.calibrate.tables import Row, read_rows
from geo.frames import geodetic_to_ecef
from geo.lens import Lens

Array = npt.NDArray[np.float64]
Height = Callable[[float, float], float]

NEEDED = ("lat", "lon", "u", "v")
KNOWN = ("name", "alt_hae", "alt_msl", "sigma", "sigma_px", "sigma_m")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundPoint:
    """One mark: where it is, and where it is seen.

    Attributes:
        name: for people.
        place: file and line.
        alt_hae_m: above the ellipsoid.
        pixel: u to the right and v down; (0, 0) is the centre of the first pixel.
        sigma_px: of the click, per axis.
        sigma_m: of the survey, per axis.
        height_told: false where the height is the ground's at that place.
    """

    name: str
    place: str
    lon_deg: float
    lat_deg: float
    alt_hae_m: float
    pixel: tuple[float, float]
    sigma_px: float
    sigma_m: float
    height_told: bool = True


def read_points(
    path: Path,
    lens: Lens,
    *,
    sigma_px: float,
    sigma_m: float,
    geoid_m: Height | None,
    ground_hae_m: Height | None,
) -> list[GroundPoint]:
    """Read a table of points.

    Args:
        path: CSV or GeoJSON.
        lens: pixels outside its picture are refused.
        sigma_px: of a click, where the table has none.
        sigma_m: of a surveyed place, where the table has none.
        geoid_m: height of the geoid above the ellipsoid at (lon, lat), for heights above the sea.
        ground_hae_m: of the ground at (lon, lat), for points without a height.

    Raises:
        AskOperator: names file, line, value and what to do.
    """
    rows = read_rows(path, needed=NEEDED, known=KNOWN)
    return [_point(row, number, lens, sigma_px, sigma_m, geoid_m, ground_hae_m)
            for number, row in enumerate(rows, 1)]  # fmt: skip


def _point(
    row: Row,
    number: int,
    lens: Lens,
    sigma_px: float,
    sigma_m: float,
    geoid_m: Height | None,
    ground_hae_m: Height | None,
) -> GroundPoint:
    lon, lat = row.number("lon", -180.0, 180.0), row.number("lat", -90.0, 90.0)
    hae, msl = row.maybe("alt_hae", -500.0, 9000.0), row.maybe("alt_msl", -500.0, 9000.0)
    told = hae is not None or msl is not None
    if hae is None and msl is not None:
        if geoid_m is None:
            raise row.wrong(
                "alt_msl",
                msl,
                "alt_hae, or alt_msl together with --geoid-m or --geoid",
                "give the geoid's height (about -12.0 m at Hà Tiên), or heights above the ellipsoid",
            )
        hae = msl + geoid_m(lon, lat)
    if hae is None:
        if ground_hae_m is None:
            raise row.wrong(
                "alt_hae",
                "",
                "alt_hae or alt_msl, or the ground's height by --ground-alt-hae-m or --config",
                "add the column, or give the ground's height",
            )
        hae = ground_hae_m(lon, lat)
    if not np.isfinite(hae):
        raise row.wrong("alt_hae", "void", "a place inside the elevation model", "add the height")
    u = row.number("u", -0.5, lens.width_px - 0.5)
    v = row.number("v", -0.5, lens.height_px - 0.5)
    click = row.maybe("sigma_px", 0.01, 1000.0)
    click = row.maybe("sigma", 0.01, 1000.0) if click is None else click
    survey = row.maybe("sigma_m", 0.0, 1000.0)
    return GroundPoint(
        name=row.text("name") or f"{number}",
        place=row.place,
        lon_deg=lon,
        lat_deg=lat,
        alt_hae_m=hae,
        pixel=(u, v),
        sigma_px=sigma_px if click is None else click,
        sigma_m=sigma_m if survey is None else survey,
        height_told=told,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointArrays:
    """The same as arrays: (n, 3) ECEF metres, (n, 2) pixels, (n,) sigmas."""

    ecef_m: Array
    pixels: Array
    sigma_px: Array
    sigma_m: Array

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "PointArrays":
        """Return some of them."""
        return PointArrays(
            ecef_m=self.ecef_m[rows],
            pixels=self.pixels[rows],
            sigma_px=self.sigma_px[rows],
            sigma_m=self.sigma_m[rows],
        )


def arrays(points: list[GroundPoint]) -> PointArrays:
    """Return points as arrays."""
    return PointArrays(
        ecef_m=np.atleast_2d(
            geodetic_to_ecef(
                np.array([p.lon_deg for p in points]),
                np.array([p.lat_deg for p in points]),
                np.array([p.alt_hae_m for p in points]),
            )
        ),
        pixels=np.array([p.pixel for p in points], np.float64),
        sigma_px=np.array([p.sigma_px for p in points], np.float64),
        sigma_m=np.array([p.sigma_m for p in points], np.float64),
    )
