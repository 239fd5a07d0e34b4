"""A camera whose pose, ground, clock and boxes err by drawn amounts, and what it says of places.

Every truth has errors of its own, drawn afresh; the locator knows their sigmas alone. Truths are
drawn as pixels of the true camera and followed to the true ground, so that each one is visible.
"""

from dataclasses import dataclass

import numpy as np

from edge.geolocate import GroundLocator, LocateSettings
from edge.pose import Pose, turn_covariance_rad2
from geo.dem import HeightGrid
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera
from geo.terrain import FlatTerrain, Terrain
from geo.terrain_grid import GridTerrain

LENS = Lens(fx_px=1100, fy_px=1100, cx_px=639.5, cy_px=359.5, width_px=1280, height_px=720)
PLACE = (104.44, 10.42)
AZIMUTH_DEG = 250.0
HOLDS_90 = 4.605
"""Chi square of two degrees of freedom at 0.9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What errs, and by how much (1 sigma).

    Attributes:
        pitch_deg: of the camera.
        height_m: above the ground under it.
        place_sigma_m: level, per axis.
        up_sigma_m: of the height.
        tilt_sigma_deg: of the vehicle's roll and pitch each.
        heading_sigma_deg: of its heading.
        gimbal_sigma_deg: about each axis.
        terrain_sigma_m: of the ground's height.
        time_sigma_s: of the capture.
        speed_m_s: over ground.
        rate_deg_s: of the camera's turning.
        foot_sigma_px: of a box's foot, per axis.
    """

    pitch_deg: float
    height_m: float = 60.0
    place_sigma_m: float = 0.3
    up_sigma_m: float = 0.4
    tilt_sigma_deg: float = 0.2
    heading_sigma_deg: float = 0.5
    gimbal_sigma_deg: float = 0.1
    terrain_sigma_m: float = 0.3
    time_sigma_s: float = 0.02
    speed_m_s: float = 5.0
    rate_deg_s: float = 10.0
    foot_sigma_px: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What came of n truths.

    Attributes:
        depression_deg: (n,) of the ray that was measured.
        placed: (n,) whether it got a position.
        error_m: (n,) from the truth; nan without a position.
        held: (n,) whether the 90 % ellipse holds the truth.
        shared_part: (n,) of the variance.
    """

    depression_deg: np.ndarray
    placed: np.ndarray
    error_m: np.ndarray
    held: np.ndarray
    shared_part: np.ndarray

    def band(self, low_deg: float, high_deg: float) -> "Drawn":
        """The truths seen under these angles."""
        rows = (self.depression_deg >= low_deg) & (self.depression_deg < high_deg)
        return Drawn(
            depression_deg=self.depression_deg[rows],
            placed=self.placed[rows],
            error_m=self.error_m[rows],
            held=self.held[rows],
            shared_part=self.shared_part[rows],
        )

    def __str__(self) -> str:
        median, p95 = np.nanpercentile(self.error_m, [50, 95])
        return (
            f"n {len(self.placed):,}, placed {self.placed.mean():.1%}, median {median:.2f} m, "
            f"95 % {p95:.2f} m, 90 % ellipse holds {self.held[self.placed].mean():.1%}"
        )


LEVEL = FlatTerrain(alt_hae_m=-10.0)


def hills(sigma_m: float, wavelength_m: float) -> GridTerrain:
    """Synthetic hills of many waves, one arc-second between posts."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:900, 0:900] * 30.9
    height = np.zeros(x.shape)
    for east, north in rng.normal(0.0, 2.0 / wavelength_m, (12, 2)):
        height += np.sin(east * x + north * y + rng.uniform(0.0, 2.0 * np.pi))
    height *= sigma_m / np.sqrt(6.0)
    tile = HeightGrid(
        name="hills",
        west_deg=104.315,
        south_deg=10.295,
        step_lon_deg=1 / 3600,
        step_lat_deg=1 / 3600,
        heights_m=height.astype(np.float32),
        datum="hae",
    )
    return GridTerrain([tile], max_range_m=6000.0)


class Held:
    """The pose that the camera believes in."""

    def __init__(self, pose: Pose) -> None:
        self._pose = pose

    def at(self, t_monotonic_s: float) -> Pose:  # the one pose
        return self._pose


def believed(terrain: Terrain, case: Case) -> Pose:
    """The pose as it is told, with its sigmas."""
    ground_m = float(terrain.height_hae_m(*PLACE))
    home = GeodeticPoint(lon_deg=PLACE[0], lat_deg=PLACE[1], alt_hae_m=ground_m + case.height_m)
    rotation = rotation_enu_from_camera(AZIMUTH_DEG, case.pitch_deg, 0.0)
    turn = turn_covariance_rad2(
        AZIMUTH_DEG,
        rotation[:, 2],
        azimuth_sigma_deg=case.heading_sigma_deg,
        pitch_sigma_deg=case.tilt_sigma_deg,
        roll_sigma_deg=case.tilt_sigma_deg,
    )
    way = np.array([0.8, 0.6, 0.0])
    about = np.array([0.3, 0.3, -0.9])
    return Pose(
        position=home,
        rotation_enu_from_camera=rotation,
        cov_position_enu_m2=np.diag([case.place_sigma_m**2] * 2 + [case.up_sigma_m**2]),
        cov_turn_rad2=turn + np.eye(3) * np.radians(case.gimbal_sigma_deg) ** 2,
        velocity_enu_m_s=way * case.speed_m_s,
        rate_enu_rad_s=about / np.linalg.norm(about) * np.radians(case.rate_deg_s),
        time_sigma_s=case.time_sigma_s,
        moving=True,
    )


def draw(terrain: Terrain, case: Case, count: int, *, seed: int) -> Drawn:
    """Truths, each with errors of its own, and what the locator says of them."""
    rng = np.random.default_rng(seed)
    pose = believed(terrain, case)
    frame = EnuFrame(pose.position)
    late_s = rng.normal(0.0, case.time_sigma_s, count)[:, None]
    turn = rng.multivariate_normal(np.zeros(3), pose.cov_turn_rad2, count)
    rotation = _turns(turn + late_s * pose.rate_enu_rad_s) @ pose.rotation_enu_from_camera
    origin = rng.multivariate_normal(np.zeros(3), pose.cov_position_enu_m2, count)
    origin += late_s * pose.velocity_enu_m_s
    higher_m = rng.normal(0.0, case.terrain_sigma_m, count)
    # Ground that is higher everywhere is the same as a camera that is lower.
    origin[:, 2] -= higher_m
    pixel = rng.uniform((0.0, 0.0), (1279.0, 719.0), (count, 2))
    truth = terrain.intersect(frame, origin, np.einsum("nij,nj->ni", rotation, LENS.rays(pixel)))
    known = np.isfinite(truth).all(axis=1)
    pixel, truth = pixel[known], truth[known]
    seen = pixel + rng.normal(0.0, case.foot_sigma_px, pixel.shape)
    locator = GroundLocator(
        LENS,
        Held(pose),
        terrain,
        terrain_sigma_m=case.terrain_sigma_m,
        settings=LocateSettings(max_range_m=5000.0),
    )
    cov = np.tile(np.eye(2) * case.foot_sigma_px**2, (len(seen), 1, 1))
    said = locator.locate(pose, seen, cov)
    ray = LENS.rays(seen) @ pose.rotation_enu_from_camera.T
    error_m = np.full(len(seen), np.nan)
    held = np.zeros(len(seen), np.bool_)
    part = np.full(len(seen), np.nan)
    for row, one in enumerate(said):
        place = one.position
        if place is None:
            continue
        back = frame.to_enu(place.lon_deg, place.lat_deg, place.alt_hae_m)[0]
        error = (back - truth[row])[:2]
        error_m[row] = np.hypot(*error)
        total = np.array(place.cov_enu_m2)
        held[row] = error @ np.linalg.solve(total, error) <= HOLDS_90
        part[row] = np.trace(np.array(place.cov_bias_enu_m2)) / np.trace(total)
    return Drawn(
        depression_deg=np.degrees(np.arcsin(-ray[:, 2])),
        placed=np.isfinite(error_m),
        error_m=error_m,
        held=held,
        shared_part=part,
    )


def _turns(vectors: np.ndarray) -> np.ndarray:
    """(n, 3, 3) rotations by vectors. Source: Rodrigues' formula."""
    angle = np.maximum(np.linalg.norm(vectors, axis=1), 1e-15)
    x, y, z = (vectors / angle[:, None]).T
    zero = np.zeros_like(x)
    cross = np.stack(
        [np.stack(row, axis=1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))], axis=1
    )
    sine, cosine = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.eye(3) + sine * cross + (1.0 - cosine) * (cross @ cross)
