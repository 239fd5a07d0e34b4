"""First guesses of a pose from a few points at a time, so that wrong points cannot mislead it."""

import itertools

import cv2
import numpy as np
import numpy.typing as npt

from edge.calibrate.points import PointArrays
from edge.calibrate.pose_model import Camera, PositionPrior
from geo.frames import EnuFrame, GeodeticPoint, ecef_to_geodetic
from geo.lens import Lens

Array = npt.NDArray[np.float64]

_MOST_SAMPLES = 120
_SEED = 20260101
_KEEP = 5
_NEAR_PX = 8.0


def guesses(
    points: PointArrays, lens: Lens, prior: PositionPrior | None, *, threshold_px: float = _NEAR_PX
) -> list[Camera]:
    """Return the most promising poses, best first.

    Random samples of the points, each solved exactly, are judged by how many points they explain:
    a wrong point spoils only the samples it is in. The samples are the same at every call.

    Source: Fischler and Bolles, "Random sample consensus", 1981; the sum of truncated squares is
    Torr and Zisserman's.
    """
    rays = lens.rays(points.pixels)
    found: list[tuple[float, Camera]] = []
    if prior is not None:
        found += _by_direction(points, rays, lens, prior, threshold_px)
    if len(points) >= 4:
        found += _by_perspective(points, rays, lens, threshold_px)
    found.sort(key=lambda row: row[0])
    kept: list[Camera] = []
    for _, camera in found:
        if all(_differs(camera, other) for other in kept):
            kept.append(camera)
        if len(kept) == _KEEP:
            break
    return kept


def _samples(count: int, size: int) -> list[tuple[int, ...]]:
    """Return all samples where there are few, else random ones."""
    every = list(itertools.islice(itertools.combinations(range(count), size), 2 * _MOST_SAMPLES))
    if len(every) <= _MOST_SAMPLES:
        return every
    rng = np.random.default_rng(_SEED)
    return [
        tuple(int(k) for k in rng.choice(count, size, replace=False)) for _ in range(_MOST_SAMPLES)
    ]


def _score(camera: Camera, points: PointArrays, threshold_px: float) -> float:
    """Return the sum of truncated squared errors over the threshold's square."""
    off = np.linalg.norm(camera.pixels_of(camera.enu(points)) - points.pixels, axis=1)
    limit = np.maximum(threshold_px, 4.0 * points.sigma_px)
    return float(np.minimum(np.nan_to_num(off / limit, nan=1.0), 1.0) @ np.ones(len(points)))


def _by_direction(
    points: PointArrays, rays: Array, lens: Lens, prior: PositionPrior, threshold_px: float
) -> list[tuple[float, Camera]]:
    """Poses at the surveyed place: two directions fix the rotation."""
    blank = Camera(position=prior.position, rotation=np.eye(3), lens=lens)
    enu = blank.enu(points)
    away = np.linalg.norm(enu, axis=1)
    directions = enu / away[:, None]
    # The place itself may be off: a near mark then moves in the picture by more than a click.
    doubt = np.hypot(prior.horizontal_sigma_m, prior.vertical_sigma_m)
    loose_px = threshold_px + float(np.median(doubt / away)) * max(lens.fx_px, lens.fy_px)
    found = []
    for sample in _samples(len(points), 2):
        rows = list(sample)
        rotation = _aligned(rays[rows], directions[rows])
        if rotation is None:
            continue
        camera = Camera(position=prior.position, rotation=rotation, lens=lens)
        found.append((_score(camera, points, loose_px), camera))
    found.sort(key=lambda row: row[0])
    return found[: 4 * _KEEP]


def _aligned(rays: Array, directions: Array) -> Array | None:
    """Return the rotation that turns rays onto directions best; None for parallel ones.

    Source: Kabsch, "A solution for the best rotation to relate two sets of vectors", 1976.
    """
    if float(np.linalg.norm(np.cross(rays[0], rays[1]))) < 1e-4:
        return None
    left, _, right = np.linalg.svd(directions.T @ rays)
    sign = np.sign(np.linalg.det(left @ right))
    return np.asarray(left @ np.diag([1.0, 1.0, sign]) @ right, np.float64)


def _by_perspective(
    points: PointArrays, rays: Array, lens: Lens, threshold_px: float
) -> list[tuple[float, Camera]]:
    """Poses anywhere: four points and more fix position and rotation."""
    middle = points.ecef_m.mean(axis=0)
    lon, lat, alt = ecef_to_geodetic(middle).tolist()
    frame = EnuFrame(GeodeticPoint(lon_deg=lon, lat_deg=lat, alt_hae_m=alt))
    enu = (points.ecef_m - middle) @ frame.axes.T
    flat = rays[:, :2] / rays[:, 2:]
    size = 4 if len(points) < 8 else 5
    found = []
    for sample in [*_samples(len(points), size), tuple(range(len(points)))]:
        rows = list(sample)
        try:
            count, turns, shifts, _ = cv2.solvePnPGeneric(
                np.ascontiguousarray(enu[rows]),
                np.ascontiguousarray(flat[rows]),
                np.eye(3),
                np.zeros(4),
                flags=cv2.SOLVEPNP_SQPNP,
            )
        except cv2.error:
            continue  # A sample on one line fixes no pose.
        for k in range(count):
            from_world = np.asarray(cv2.Rodrigues(turns[k])[0], np.float64)
            place = -from_world.T @ np.asarray(shifts[k], np.float64)[:, 0]
            if not np.isfinite(place).all() or np.linalg.norm(place) > 1e5:
                continue
            position = frame.point_to_geodetic(place)
            there = EnuFrame(position)
            rotation = there.rotation_from(frame) @ from_world.T
            camera = Camera(position=position, rotation=np.asarray(rotation), lens=lens)
            found.append((_score(camera, points, threshold_px), camera))
    found.sort(key=lambda row: row[0])
    return found[: 4 * _KEEP]


def _differs(one: Camera, other: Camera) -> bool:
    """Whether two poses are more than a degree or a metre apart."""
    turned = np.trace(one.rotation.T @ other.rotation)
    angle = float(np.degrees(np.arccos(np.clip((turned - 1) / 2, -1.0, 1.0))))
    away = EnuFrame(one.position).point_to_enu(other.position)
    return angle > 1.0 or float(np.linalg.norm(away)) > 1.0
