"""What came of a played scenario: the record that is scored, kept, and scored again.

The runner writes it, whatever way it ran (offline or real, film or modelled detections); the score
reads it together with the world's truth, which follows from scenario and seed and is not in it.
"""

import gzip
from pathlib import Path
from typing import Literal

from pydantic import Field

from runtime.settings import Settings

Level = Literal["information", "caution", "warning"]


class AlertMoment(Settings):
    """An alert as the station told it at one instant: raised, upgraded, or changed in place.

    Attributes:
        t_said_s: scenario time at which the station said it.
        t_event_s: scenario time that the alert itself gives for the event.
        rule: of the finding that decides the level now, such as "crossing".
        sigma_m: one sigma of its place, along the larger axis of its ellipse.
        act: raised, upgraded, lowered or changed.
        side: and direction as the alert has them, such as "in" or "out"; empty without.
    """

    alert_id: str
    t_said_s: float
    t_event_s: float
    act: str
    level: Level
    rule: str
    direction: str
    count: int | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    sigma_m: float | None = None
    rank_lowered: bool = Field(default=False, description="own patrol or gate: shown lower")
    late: bool = False
    sensors: tuple[str, ...] = ()
    sentence_en: str = ""
    sentence_vi: str = ""


class PlacedObservation(Settings):
    """A place as a node put it on the wire, for the score of geolocation.

    Attributes:
        t_event_s: scenario time of capture.
        cov_enu_m2: total covariance east-east, east-north, north-north.
    """

    t_event_s: float
    node_id: str
    sensor_id: str
    track_id: str
    object_class: str
    box_px: tuple[float, float, float, float]
    lon_deg: float
    lat_deg: float
    cov_enu_m2: tuple[float, float, float]


class ObservationCount(Settings):
    """The road's counters at the end."""

    made: int = 0
    received: int = 0
    superseded: int = 0
    duplicate: int = 0
    lost: int = 0


class NetworkUsed(Settings):
    """Which network looked at a camera's film."""

    sensor_id: str
    name: str
    sha256: str


class Played(Settings):
    """One scenario, one seed, one way of running it.

    Attributes:
        duration_s: scenario seconds that were played.
        camera_s: seconds that each camera truly looked.
        film_sha256: of all frames in order, by camera; empty for modelled detections.
        capture_to_map_s: samples, real runs only.
        min_distance_to_line_m: true, by drone.
        wall_s: how long it took.
    """

    scenario: str
    scenario_sha256: str
    seed: int
    detections: Literal["film", "modelled"]
    real: bool
    duration_s: float
    camera_s: dict[str, float]
    networks: tuple[NetworkUsed, ...] = ()
    film_sha256: dict[str, str] = Field(default_factory=dict)
    alerts: tuple[AlertMoment, ...] = ()
    observations: tuple[PlacedObservation, ...] = ()
    counts: ObservationCount = ObservationCount()
    capture_to_map_s: tuple[float, ...] = ()
    min_distance_to_line_m: dict[str, float] = Field(default_factory=dict)
    wall_s: float = 0.0

    def save(self, path: Path) -> None:
        """Write it as gzipped JSON, the same bytes for the same record."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(self.model_dump_json().encode(), mtime=0))

    @classmethod
    def read(cls, path: Path) -> "Played":
        """Read a saved record.

        Raises:
            ValueError: it is none.
        """
        return cls.model_validate_json(gzip.decompress(path.read_bytes()))
