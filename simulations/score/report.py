"""What a report says: the figures of one run, of many, and every event and warning by name."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from runtime.settings import Settings
from simulations.played import Level, ObservationCount
from simulations.scenario import Purpose, Tags

Detections = Literal["film", "modelled"]
Direction = Literal["in", "out"]
MissedCause = Literal[
    "not_detected", "not_told", "only_caution", "too_late", "too_early", "wrong_direction",
    "place_off", "told_as_part_of_another",
]  # fmt: skip
FalseCause = Literal[
    "no_place", "wrong_direction", "too_early", "animal", "permitted", "person", "boat", "nobody"
]
Verdict = Literal["hit", "late", "duplicate", "lowered", "false", "undecidable"]


class Spread(Settings):
    """Percentiles of a time in seconds."""

    p50: float | None = None
    p95: float | None = None


class Middle(Settings):
    """The median of a time in seconds."""

    p50: float | None = None


class Distance(Settings):
    """Errors in metres."""

    median: float | None = None
    p95: float | None = None


class Figures(Settings):
    """Figures of one run, or of runs of one kind of detections together.

    Attributes:
        events_truth: human events that a camera could decide: hits and missed ones.
        undecidable: events no camera could ever decide, or after which the scenario ended.
        alerts: all, of any level.
        duplicate_alerts: warnings beyond the first for one event.
        late_alerts: warnings of the right event that came too late for it to be a hit.
        lowered_alerts: warnings shown at a lowered rank, about people who were permitted.
        direction_right: hits that state the direction, and the right one.
        camera_days: seconds that cameras truly looked, over 86 400.
        false_per_camera_day_bound95: one-sided 95 % Poisson bound.
        cautions: alerts whose highest level was caution.
        cautions_never_cross: those of them beside nobody who ever crosses.
    """

    runs: int = 1
    detections: Detections
    events_truth: int = 0
    undecidable: int = 0
    alerts: int = 0
    true_positive: int = 0
    false_positive: int = 0
    missed: int = 0
    duplicate_alerts: int = 0
    late_alerts: int = 0
    lowered_alerts: int = 0
    direction_right: int = 0
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    delay_s: Spread = Spread()
    lead_s: Middle = Middle()
    capture_to_map_s: Spread | None = Field(default=None, description="real runs only")
    geolocation_m: Distance = Distance()
    ellipse90_coverage: float | None = None
    camera_days: float = 0.0
    false_per_camera_day: float | None = None
    false_per_camera_day_bound95: float | None = None
    cautions: int = 0
    cautions_never_cross: int = 0
    cautions_per_camera_day: float | None = None
    cautions_never_cross_per_camera_day: float | None = None
    observations: ObservationCount = ObservationCount()
    min_distance_to_line_m: dict[str, float] = Field(default_factory=dict)
    missed_by_cause: dict[str, int] = Field(default_factory=dict)
    false_by_cause: dict[str, int] = Field(default_factory=dict)


class EventLine(Settings):
    """One human event and what became of it.

    Attributes:
        t_decidable_s: None when no camera could ever decide.
        outcome: undecidable ones count neither way.
        alert_id: of the alert that told it, in time or too late.
        cause: of a missed one; `reason` says it in words with its numbers.
        delay_s: said minus decidable; of a hit, or of the late alert.
        lead_s: the crossing minus the first caution; of a hit.
        off_m: from the alert's place to the nearest actor at the alert's event time.
    """

    event_id: str
    kind: str
    people: int
    direction: Direction
    t_cross_s: float
    t_decidable_s: float | None
    decided_by: str = ""
    outcome: Literal["hit", "missed", "undecidable"]
    alert_id: str = ""
    cause: MissedCause | None = None
    reason: str = ""
    t_caution_s: float | None = None
    t_warning_s: float | None = None
    delay_s: float | None = None
    lead_s: float | None = None
    off_m: float | None = None
    direction_right: bool | None = None
    people_told: int | None = None


class WarningLine(Settings):
    """One alert that reached warning, or stayed a caution, and what it truly was.

    Attributes:
        verdict: None of a caution, which is counted apart.
        nearest: whom its place was nearest to at its event time, and how far.
    """

    alert_id: str
    level: Level
    rule: str
    direction: str
    t_said_s: float
    t_event_s: float
    along_m: float | None = None
    across_m: float | None = None
    sigma_m: float | None = None
    verdict: Verdict | None = None
    event_id: str = ""
    cause: FalseCause | None = None
    never_crosses: bool | None = None
    nearest: str = ""
    nearest_m: float | None = None
    reason: str = ""
    sentence_en: str = ""
    sentence_vi: str = ""


class SensorLine(Settings):
    """Places of one sensor against the truth."""

    sensor_id: str
    matched: int
    unmatched: int
    geolocation_m: Distance
    ellipse90_coverage: float | None


class Share(Settings):
    """How many (visible figure, second) pairs had an observation."""

    label: str
    seconds: int
    observed: int
    share: float | None


class Samples(Settings):
    """What percentiles are made of, so that runs can be put together."""

    delay_s: tuple[float, ...] = ()
    lead_s: tuple[float, ...] = ()
    capture_to_map_s: tuple[float, ...] = ()
    geolocation_m: tuple[float, ...] = ()
    in_ellipse: int = 0


class Report(Figures):
    """One scenario, one seed, one way of running it, scored.

    Attributes:
        needs: what the product still lacks for it; then it is `waiting` and in no total.
    """

    scenario: str
    title: str = ""
    title_vi: str = ""
    scenario_sha256: str = ""
    seed: int
    real: bool
    purpose: Purpose
    needs: tuple[str, ...] = ()
    tags: Tags
    kinds: tuple[str, ...] = Field(default=(), description="of all actors")
    duration_s: float
    wall_s: float
    film_sha256: dict[str, str] = Field(default_factory=dict)
    networks: tuple[str, ...] = ()
    events: tuple[EventLine, ...] = ()
    warnings: tuple[WarningLine, ...] = ()
    cautions_list: tuple[WarningLine, ...] = ()
    by_sensor: tuple[SensorLine, ...] = ()
    recall_by_height: tuple[Share, ...] = Field(default=(), description="people only")
    recall_by_kind: tuple[Share, ...] = ()
    recall_by_gait: tuple[Share, ...] = ()
    samples: Samples = Samples()

    @property
    def waiting(self) -> bool:
        """Whether the product still lacks something for it."""
        return bool(self.needs)

    def save(self, path: Path) -> None:
        """Write it as JSON, for people and for machines."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Report":
        """Read a saved report.

        Raises:
            ValueError: it is none.
        """
        return cls.model_validate_json(path.read_text(encoding="utf-8"))
