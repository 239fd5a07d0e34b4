"""A walk before a camera whose config is wrong by a known turn: boxes, the node's own road, a phone."""

import random
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from edge.detect import OBJECT_CLASSES, Detections
from edge.geolocate import GroundLocator
from edge.observe import Observer, ObserveRules
from edge.pose import FixedPose
from edge.track import Tracker, TrackSettings
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera
from geo.terrain import FlatTerrain
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from wire.envelope import Envelope
from wire.messages import Observation
from wire.values import ClockStamp, GeoPoint

START_UTC = datetime(2026, 3, 1, 2, 40, tzinfo=timezone.utc)
MAST = GeodeticPoint(lon_deg=104.4421, lat_deg=10.4232, alt_hae_m=-1.0)
GROUND_M = -10.0
LENS = Lens.from_hfov(50.0, 1280, 720)
AZIMUTH, PITCH = 250.0, -5.0
FPS = 3.0
WAY_M = ((0, 30), (18, 60), (-22, 85), (30, 110), (-35, 140), (28, 120), (-12, 70), (6, 32))
"""Right of the axis and along it, metres: out and back, and across both ways."""
SIGMAS = {
    "horizontal_sigma_m": 0.3,
    "vertical_sigma_m": 0.2,
    "azimuth_sigma_deg": 1.5,
    "pitch_sigma_deg": 0.4,
    "roll_sigma_deg": 0.3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a node said, and what the phone recorded."""

    rows: list[tuple[float, Observation]]
    phone_t_s: np.ndarray
    phone_lonlat: np.ndarray

    def jsonl(self, path: Path) -> Path:
        """As `mosquitto_sub -F %p` writes it."""
        ids = UlidSource(ManualClock(START_UTC), random.Random(5))
        lines = []
        for t_s, said in self.rows:
            when = datetime.fromtimestamp(t_s, tz=timezone.utc)
            lines.append(
                Envelope[Observation](
                    id=ids.new(), node_id="mast-1", session=ids.new(), seq=len(lines) + 1,
                    t_event_utc=when, t_sent_utc=when, simulated=True, body=said,
                    clock=ClockStamp(source="simulated", error_s=0.0),
                ).model_dump_json()
            )  # fmt: skip
        path.write_text("\n".join(lines) + "\n")
        return path

    def gpx(self, path: Path) -> Path:
        """As a phone exports it."""
        return write_gpx(path, self.phone_t_s, self.phone_lonlat)


def write_gpx(path: Path, t_s: np.ndarray, lonlat: np.ndarray) -> Path:
    """A GPX 1.1 of timed points."""
    points = "\n".join(
        f'<trkpt lat="{lat:.8f}" lon="{lon:.8f}"><ele>3</ele><time>'
        f"{datetime.fromtimestamp(t, tz=timezone.utc).isoformat().replace('+00:00', 'Z')}"
        "</time></trkpt>"
        for t, (lon, lat) in zip(t_s.tolist(), lonlat.tolist(), strict=True)
    )
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>\n'
        f"{points}\n</trkseg></trk></gpx>\n"
    )
    return path


def _ground_m(way: np.ndarray) -> np.ndarray:
    """(n, 2) east, north of places right of and along the true axis."""
    turn = np.radians(AZIMUTH)
    right, ahead = np.array([np.cos(turn), -np.sin(turn)]), np.array([np.sin(turn), np.cos(turn)])
    return way[:, :1] * right + way[:, 1:] * ahead


def _along(way: np.ndarray, speed_m_s: float) -> tuple[np.ndarray, np.ndarray]:
    leg = np.linalg.norm(np.diff(way, axis=0), axis=1)
    return np.concatenate(([0.0], np.cumsum(leg / speed_m_s))), way


def _at(route: tuple[np.ndarray, np.ndarray], t_s: np.ndarray) -> np.ndarray:
    return np.column_stack([np.interp(t_s, route[0], route[1][:, k]) for k in (0, 1)])


def walk(
    seed: int,
    *,
    heading_error_deg: float = 2.0,
    pitch_error_deg: float = 0.2,
    phone_offset_s: float = 7.0,
    others: int = 2,
    blind_beyond_m: float = 125.0,
) -> Walk:
    """Somebody walks the way with a phone while others cross the picture; nobody is seen far away."""
    rng = np.random.default_rng(seed)
    routes = [_along(_ground_m(np.array(WAY_M, float)), 1.3)]
    for _ in range(others):
        ends = rng.uniform([-30.0, 40.0], [30.0, 110.0], (2, 2))
        start_s = rng.uniform(10.0, 200.0)
        t_s, way = _along(_ground_m(ends), 1.2)
        routes.append((t_s + start_s, way))
    true = rotation_enu_from_camera(AZIMUTH, PITCH, 0.0)
    ids = UlidSource(ManualClock(START_UTC), random.Random(seed))
    tracker = Tracker(TrackSettings(), ids)
    poses = FixedPose(
        MAST,
        azimuth_deg=(AZIMUTH + heading_error_deg) % 360.0,
        pitch_deg=PITCH + pitch_error_deg,
        **SIGMAS,
    )
    locator = GroundLocator(LENS, poses, FlatTerrain(alt_hae_m=GROUND_M), terrain_sigma_m=0.2)
    observer = Observer(
        "cam-1",
        sensor_position=GeoPoint(
            lon_deg=MAST.lon_deg, lat_deg=MAST.lat_deg, alt_hae_m=MAST.alt_hae_m
        ),
        rules=ObserveRules(),
    )
    end_s = routes[0][0][-1]
    epoch_s = START_UTC.timestamp()
    rows: list[tuple[float, Observation]] = []
    for t_s in np.arange(0.0, end_s, 1.0 / FPS):
        boxes = [
            _box(place, true, rng)
            for route in routes
            if route[0][0] <= t_s <= route[0][-1]
            for place in _at(route, np.array([t_s]))
            if np.hypot(*place) < blind_beyond_m and rng.uniform() < 0.9
        ]
        found = [box for box in boxes if box is not None]
        update = tracker.update(
            Detections(
                boxes_px=np.array(found, np.float32).reshape(-1, 4),
                confidence=np.full(len(found), 0.8, np.float32),
                class_index=np.full(len(found), OBJECT_CLASSES.index("Human"), np.int64),
                frame_size_px=(LENS.width_px, LENS.height_px),
            ),
            t_s,
        )
        said = observer.end(update.ended, frame_size_px=(1280, 720))
        said += observer.frame(
            update.tracks,
            locator.locate_tracks(update.tracks, t_s),
            frame_size_px=(LENS.width_px, LENS.height_px),
            area=None,
        )
        rows += [(epoch_s + word.t_event_s, word.observation) for word in said]
    return Walk(rows=rows, **_phone(routes[0], end_s, epoch_s + phone_offset_s, rng))


def _box(place: np.ndarray, true: np.ndarray, rng) -> tuple[float, float, float, float] | None:
    depth = GROUND_M - MAST.alt_hae_m
    feet, head = (LENS.project(np.array([[*place, z]]) @ true)[0] for z in (depth, depth + 1.7))
    if not LENS.contains(np.array([feet, head])).all():
        return None
    high = feet[1] - head[1]
    u, v = feet + rng.normal(0, (0.015, 0.02)) * high + rng.normal(0, 0.4, 2) + 0.5
    return (u - 0.2 * high, v - high, u + 0.2 * high, v)


def _phone(route, end_s: float, epoch_s: float, rng) -> dict:
    """Fixes each second; their error wanders, as a receiver's does, and each has noise."""
    t_s = np.arange(0.0, end_s, 1.0)
    keep = np.exp(-1.0 / 60.0)
    error = np.zeros((len(t_s), 2))
    error[0] = rng.normal(0, 3.0, 2)
    for k in range(1, len(t_s)):
        error[k] = keep * error[k - 1] + rng.normal(0, 3.0 * np.sqrt(1 - keep**2), 2)
    places = _at(route, t_s) + error + rng.normal(0, 0.7, error.shape)
    place = np.column_stack((places, np.full(len(t_s), GROUND_M - MAST.alt_hae_m)))
    geodetic = EnuFrame(MAST).to_geodetic(place)
    return {"phone_t_s": t_s + epoch_s, "phone_lonlat": geodetic[:, :2]}
