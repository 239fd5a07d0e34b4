"""Ground points seen by a camera whose pose is known, with the noise that is stated."""

from dataclasses import replace

import numpy as np

from edge.calibrate.points import GroundPoint
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera

LENS = Lens(
    fx_px=1100.0,
    fy_px=1105.0,
    cx_px=640.0,
    cy_px=355.0,
    width_px=1280,
    height_px=720,
    k1=-0.25,
    k2=0.08,
    p1=0.001,
    p2=-0.0005,
)
MAST = GeodeticPoint(lon_deg=104.4421, lat_deg=10.4232, alt_hae_m=-2.0)
HEIGHT_M = 9.0


def landscape(
    seed: int,
    count: int = 12,
    *,
    wrong: int = 0,
    sigma_px: float = 1.5,
    sigma_m: float = 0.05,
    ranges_m: tuple[float, float] = (20.0, 400.0),
) -> tuple[list[GroundPoint], tuple[float, float, float]]:
    """Points, the first ``wrong`` of them clicked far off, and azimuth, pitch, roll."""
    rng = np.random.default_rng(seed)
    azimuth, pitch, roll = rng.uniform(0, 360), rng.uniform(-14, -5), rng.uniform(-2, 2)
    rotation = rotation_enu_from_camera(azimuth, pitch, roll)
    frame = EnuFrame(MAST)
    points: list[GroundPoint] = []
    while len(points) < count:
        away = np.exp(rng.uniform(*np.log(ranges_m)))
        towards = np.radians(azimuth + rng.uniform(-28, 28))
        place = np.array([away * np.sin(towards), away * np.cos(towards), 0.0])
        place[2] = -HEIGHT_M + rng.normal(0, 0.5)
        pixel = LENS.project((place @ rotation)[None])[0] + rng.normal(0, sigma_px, 2)
        if len(points) < wrong:
            pixel = pixel + rng.choice([-1.0, 1.0], 2) * rng.uniform(25, 80, 2)
        if not LENS.contains(pixel[None])[0]:
            continue
        surveyed = frame.point_to_geodetic(place + rng.normal(0, sigma_m, 3))
        points.append(
            GroundPoint(
                name=f"p{len(points)}",
                place=f"points.csv line {len(points) + 2}",
                lon_deg=surveyed.lon_deg,
                lat_deg=surveyed.lat_deg,
                alt_hae_m=surveyed.alt_hae_m,
                pixel=(float(pixel[0]), float(pixel[1])),
                sigma_px=sigma_px,
                sigma_m=sigma_m,
            )
        )
    return points, (azimuth, pitch, roll)


def moved(points: list[GroundPoint], enu_m: np.ndarray) -> list[GroundPoint]:
    """The same names and pixels at other places in the frame at the mast."""
    frame = EnuFrame(MAST)
    found = []
    for point, enu in zip(points, enu_m, strict=True):
        place = frame.point_to_geodetic(enu)
        found.append(
            replace(point, lon_deg=place.lon_deg, lat_deg=place.lat_deg, alt_hae_m=place.alt_hae_m)
        )
    return found


def seen_from(azimuth: float, pitch: float, enu_m: np.ndarray) -> list[GroundPoint]:
    """Exact points at given places in the frame at the mast."""
    rotation = rotation_enu_from_camera(azimuth, pitch, 0.0)
    pixels = LENS.project(enu_m @ rotation)
    blank = [
        GroundPoint(
            name=f"p{k}", place=f"points.csv line {k + 2}", lon_deg=0.0, lat_deg=0.0, alt_hae_m=0.0,
            pixel=(float(pixel[0]), float(pixel[1])), sigma_px=1.5, sigma_m=0.05,
        )
        for k, pixel in enumerate(pixels)
    ]  # fmt: skip
    return moved(blank, enu_m)
