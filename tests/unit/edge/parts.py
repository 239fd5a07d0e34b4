"""Small parts of a node for its tests: tracks, places, a site, a transport joined by hand."""

from collections.abc import Sequence
from datetime import datetime, timezone

import numpy as np

from edge.detect import Detections
from edge.located import Located
from edge.track import Track
from hardware.ports import CameraCounters, Frame, Inbound, Will
from wire.values import Bearing, Position

START_UTC = datetime(2026, 3, 1, 2, 40, tzinfo=timezone.utc)
TRACK = "01HQVQZJ0000000000000000AA"
METRE_DEG = 1.0 / 110_600.0
"""North, near enough for places that need no better."""


def track(
    *, t_s=0.0, track_id=TRACK, object_class="Human", seen=True, confidence=0.8, box=None
) -> Track:
    return Track(
        track_id=track_id,
        state="confirmed" if seen else "lost",
        seen=seen,
        box_px=box or (100.0, 100.0, 140.0, 200.0),
        confidence=confidence,
        object_class=object_class,
        t_s=t_s,
        seen_s=t_s,
        born_s=0.0,
        hits=5,
        foot_px=np.array([120.0, 200.0]),
        foot_cov_px2=np.eye(2),
        foot_visible=True,
        velocity_px_s=np.zeros(2),
        velocity_cov=np.eye(2),
    )


def place(*, north_m: float, sigma_m: float = 1.0, lon_deg: float = 104.45) -> Located:
    """A place so many metres north of the site's line."""
    variance = sigma_m**2
    return Located(
        position=Position(
            lon_deg=lon_deg,
            lat_deg=10.42 + north_m * METRE_DEG,
            alt_hae_m=0.0,
            cov_enu_m2=((variance, 0.0), (0.0, variance)),
            cov_bias_enu_m2=((0.0, 0.0), (0.0, 0.0)),
            ce90_m=2.15 * sigma_m,
            method="plane",
        )
    )


def bearing(*, azimuth_deg: float, near_m: float, far_m: float, sigma_deg: float = 1.0) -> Located:
    return Located(
        bearing=Bearing(
            azimuth_deg=azimuth_deg, sigma_deg=sigma_deg, range_min_m=near_m, range_max_m=far_m
        ),
        reason="the ray grazes the ground",
    )


def _square(south_m: float, north_m: float) -> list[list[float]]:
    south, north = 10.42 + south_m * METRE_DEG, 10.42 + north_m * METRE_DEG
    return [[104.44, south], [104.46, south], [104.46, north], [104.44, north], [104.44, south]]


def features(*, home_schedule=None) -> dict:
    """A line due east, ours to the north; a home 100..150 m and a watch zone 200..300 m north."""

    def zone(role, name, south_m, north_m, **extra):
        return {
            "type": "Feature",
            "properties": {"role": role, "id": name, "name_vi": name, "name_en": name} | extra,
            "geometry": {"type": "Polygon", "coordinates": [_square(south_m, north_m)]},
        }

    schedule = {} if home_schedule is None else {"schedule": home_schedule}
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "role": "line",
                    "our_side": "left",
                    "segments": [{"accuracy_sigma_m": 2.0, "status": "demarcated"}],
                },
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[104.44, 10.42], [104.46, 10.42]],
                },
            },
            zone("ignore", "home-1", 100.0, 150.0, **schedule),
            zone("watch", "field-1", 200.0, 300.0),
        ],
    }


class HandTransport:
    """A `hardware.ports.Transport` whose other end is the test's hand."""

    def __init__(self) -> None:
        self.will: Will | None = None
        self.subscriptions: tuple[tuple[str, int], ...] = ()
        self.sent: list[tuple[str, bytes, int, bool]] = []
        self.connected = False
        self.connections = 0
        self.inbox_dropped = 0
        self.takes = True
        self.closed = False
        self._acknowledged: list[int] = []
        self._inbox: list[Inbound] = []

    def open(self, *, will, subscriptions: Sequence[tuple[str, int]]) -> None:
        self.will, self.subscriptions = will, tuple(subscriptions)

    def connect(self) -> None:
        self.connected = True
        self.connections += 1

    def cut(self) -> None:
        self.connected = False

    def publish(self, topic, payload, *, qos, retain=False, expiry_s=None):
        if not self.connected or not self.takes:
            return None
        self.sent.append((topic, payload, qos, retain))
        return len(self.sent)

    def acknowledge(self, *tokens: int) -> None:
        self._acknowledged += tokens

    def acknowledged(self):
        done, self._acknowledged = self._acknowledged, []
        return done

    def arrive(self, topic: str, payload: bytes, *, retained=False) -> None:
        self._inbox.append(Inbound(topic=topic, payload=payload, retained=retained))

    def inbox(self):
        found, self._inbox = self._inbox, []
        return found

    def wait(self, timeout_s: float) -> None:
        """Nothing is waited for."""

    def close(self, *, last_words=()) -> None:
        for topic, payload, retain in last_words:
            self.publish(topic, payload, qos=1, retain=retain)
        self.closed = True

    def topics(self) -> list[str]:
        return [topic.split("/", 4)[4] for topic, *_ in self.sent]


class StillCamera:
    """A camera that shows one grey picture whenever it is asked, until it is told to end."""

    def __init__(self, sensor_id: str, clock) -> None:
        self.sensor_id = sensor_id
        self.status = "online"
        self.counters = CameraCounters()
        self.over = False
        self._clock = clock
        self._seq = 0

    def read(self) -> Frame:
        if self.over:
            raise EOFError("told to end")
        self._seq += 1
        known = self._clock.quality().synchronised
        return Frame(
            sensor_id=self.sensor_id,
            seq=self._seq,
            image_bgr=np.full((480, 640, 3), 90, np.uint8),
            t_capture_utc=self._clock.utc() if known else None,
            t_capture_monotonic_s=self._clock.monotonic_s(),
        )

    def close(self) -> None:
        self.over = True


class Script:
    """A detector that answers from a list: one list of boxes per frame, the last for ever."""

    name = "script"
    sha256 = "0" * 64

    def __init__(self, frames: list[list[tuple[float, float, float, float]]]) -> None:
        self._frames = frames
        self._next = 0
        self.closed = 0

    def detect(self, image_bgr) -> Detections:
        boxes = self._frames[min(self._next, len(self._frames) - 1)]
        self._next += 1
        return Detections(
            boxes_px=np.array(boxes, np.float32).reshape(-1, 4),
            confidence=np.full(len(boxes), 0.9, np.float32),
            class_index=np.zeros(len(boxes), np.int64),
            frame_size_px=(image_bgr.shape[1], image_bgr.shape[0]),
        )

    def close(self) -> None:
        self.closed += 1
