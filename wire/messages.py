"""What travels up from a node, and out from a station: frozen bodies of the envelope."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from wire.values import (
    Attitude,
    AzimuthDeg,
    Bearing,
    GeoPoint,
    LatDeg,
    LensDescription,
    LonDeg,
    LongText,
    Name,
    ObjectClass,
    PoseAccuracy,
    Position,
    Probability,
    Sha256,
    ShortText,
    SigmaM,
    Spectrum,
    Ulid,
    UtcMs,
    VelocityEnu,
    WireModel,
)

Count = Annotated[int, Field(ge=0)]
CROP_BASE64_MAX = 13_700
"""A crop is at most 10 kB of JPEG, which base64 makes a third longer."""
CHUNK_BASE64_MAX = 43_700
"""A clip's chunk is at most 32 kB."""


# --- birth, state, health -------------------------------------------------------------------------
class NetworkDescription(WireModel):
    """The detector network in force."""

    name: ShortText
    sha256: Sha256
    spectrum: Spectrum


class GeometricError(WireModel):
    """Declared accuracy, SAPIENT's "linear with range": constant + slope * range, one sigma."""

    constant_m: SigmaM
    slope_m_per_m: Annotated[float, Field(ge=0.0)]


class DeclaredPerformance(WireModel):
    """What a sensor promises, so that an honest fusion can weigh it."""

    max_latency_s: Annotated[float, Field(ge=0.0)]
    max_range_m: Annotated[float, Field(gt=0.0)] | None = None
    min_pixel_height_px: Annotated[float, Field(ge=0.0)] | None = None
    geometric_error: GeometricError | None = None


class SensorDescription(WireModel):
    """One camera: where it stands, where it looks, how well that is known."""

    sensor_id: Name
    name: ShortText = ""
    kind: Literal["camera", "drone_camera"] = "camera"
    spectrum: Spectrum
    position: GeoPoint | None = None
    attitude: Attitude | None = None
    accuracy: PoseAccuracy | None = None
    lens: LensDescription | None = None
    frame_rate_hz: Annotated[float, Field(gt=0.0)] | None = None
    network: NetworkDescription | None = None
    performance: DeclaredPerformance | None = None
    field_of_view_lonlat: tuple[tuple[LonDeg, LatDeg], ...] = ()


class Birth(WireModel):
    """Who I am: sent at each connection, retained."""

    session: Ulid
    name: ShortText = ""
    software_version: ShortText
    config_sha256: Sha256
    sensors: Annotated[tuple[SensorDescription, ...], Field(max_length=64)]
    missions_allowed: bool = False


class State(WireModel):
    """Alive or not; also the last will. A state of another session than birth's is dropped."""

    session: Ulid
    state: Literal["online", "degraded", "storage_full", "goodbye", "offline"]
    reason: ShortText = ""


class CameraHealth(WireModel):
    """One camera's last ten seconds."""

    sensor_id: Name
    status: Literal["online", "offline", "frozen", "starting"]
    fps: Annotated[float, Field(ge=0.0)]
    frames: Count = 0
    frames_replaced: Count = 0
    reconnects: Count = 0
    inference_ms: Annotated[float, Field(ge=0.0)] | None = None
    last_error: ShortText = ""
    time_offset_s: float | None = None
    """Of a camera on a vehicle: to be added to its frames' instants to get the autopilot's, as the
    pictures tell it."""
    time_offset_sigma_s: Annotated[float, Field(ge=0.0)] | None = None


class FixHealth(WireModel):
    """What the position source says of itself."""

    status: Literal["none", "fix_2d", "fix_3d", "fixed_survey", "stale", "jammed", "jumped"]
    lon_deg: LonDeg | None = None
    lat_deg: LatDeg | None = None
    horizontal_sigma_m: SigmaM | None = None
    satellites: Count | None = None


class OutboxHealth(WireModel):
    """The queue on disk: nothing is lost in silence."""

    depth: Count
    oldest_age_s: Annotated[float, Field(ge=0.0)]
    oldest_seq: Annotated[int, Field(ge=1)] | None = None
    """Lowest running number that may still be sent (again); with nothing kept, the next number to be
    given. What is below was receipted or dropped: the station waits for it no longer."""
    bytes_on_disk: Count
    sent: Count = 0
    receipted: Count = 0
    resent: Count = 0
    superseded: Count = 0
    dropped_plain: Count = 0
    lost_key: Count = 0


class WorkerHealth(WireModel):
    """One worker's last beat, by the monotonic clock."""

    name: ShortText
    beat_age_s: Annotated[float, Field(ge=0.0)]
    restarts: Count = 0


class Health(WireModel):
    """Every ten seconds, not retained, QoS 0."""

    uptime_s: Annotated[float, Field(ge=0.0)]
    cameras: Annotated[tuple[CameraHealth, ...], Field(max_length=64)]
    fix: FixHealth | None = None
    temperature_c: float | None = None
    disk_free_bytes: Count | None = None
    memory_bytes: Count | None = None
    outbox: OutboxHealth
    workers: tuple[WorkerHealth, ...] = ()
    zones_sha256: Sha256 | None = None
    zones_version: Count | None = None
    config_sha256: Sha256
    refused: dict[ShortText, Count] = Field(default_factory=dict)
    """What bad input was refused, by reason."""


# --- observation ----------------------------------------------------------------------------------
class Observation(WireModel):
    """What a node says about one track; at most 2 Hz per track."""

    track_id: Ulid
    phase: Literal["new", "update", "end"]
    key: bool
    sensor_id: Name
    object_class: ObjectClass
    confidence: Probability
    box_px: tuple[float, float, float, float]
    frame_size_px: tuple[
        Annotated[int, Field(gt=0, le=16384)], Annotated[int, Field(gt=0, le=16384)]
    ]
    position: Position | None = None
    bearing: Bearing | None = None
    no_position_reason: ShortText = ""
    velocity_enu_m_s: VelocityEnu | None = None
    pixel_height_px: Annotated[float, Field(ge=0.0)]
    sensor_position: GeoPoint | None = None
    count: Annotated[int, Field(ge=1, le=1000)] | None = None
    crop_allowed: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        x1, y1, x2, y2 = self.box_px
        if x2 < x1 or y2 < y1:
            raise ValueError("box_px is [x1, y1, x2, y2] with x1 <= x2 and y1 <= y2")
        if self.position is not None and self.bearing is not None:
            raise ValueError("an observation has a position or a bearing, not both")
        if self.phase != "update" and not self.key:
            raise ValueError("new and end are key observations")
        return self


class Crop(WireModel):
    """The best picture of a track so far: JPEG of 10 kB at most, in base64."""

    kind: Literal["crop"] = "crop"
    track_id: Ulid
    sensor_id: Name
    t_frame_utc: UtcMs | None = None
    width_px: Annotated[int, Field(gt=0, le=4096)]
    height_px: Annotated[int, Field(gt=0, le=4096)]
    jpeg_base64: Annotated[
        str, Field(max_length=CROP_BASE64_MAX, pattern=r"^[A-Za-z0-9+/]+={0,2}$")
    ]
    sha256: Sha256


class ClipAnnouncement(WireModel):
    """A clip that the node holds; its chunks travel on command only."""

    kind: Literal["clip"] = "clip"
    sensor_id: Name
    t_start_utc: UtcMs
    t_end_utc: UtcMs
    sha256: Sha256
    size_bytes: Count
    command_id: Ulid | None = None


class Media(WireModel):
    """A crop or the announcement of a clip."""

    media: Annotated[Crop | ClipAnnouncement, Field(discriminator="kind")]


class ClipChunk(WireModel):
    """One piece of a clip, 32 kB at most."""

    sha256: Sha256
    index: Count
    total: Annotated[int, Field(ge=1, le=100_000)]
    data_base64: Annotated[str, Field(max_length=CHUNK_BASE64_MAX)]

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.index >= self.total:
            raise ValueError("index counts from 0 and is below total")
        return self


# --- drones ---------------------------------------------------------------------------------------
class VehicleReport(WireModel):
    """A drone now: position, attitude, footprint of its camera, battery, mode."""

    vehicle_id: Name
    position: GeoPoint | None = None
    alt_msl_m: float | None = None
    alt_above_takeoff_m: float | None = None
    heading_deg: AzimuthDeg | None = None
    velocity_enu_m_s: VelocityEnu | None = None
    roll_deg: float | None = None
    pitch_deg: float | None = None
    gimbal: Attitude | None = None
    footprint_lonlat: tuple[tuple[LonDeg, LatDeg], ...] = ()
    battery_fraction: Probability | None = None
    battery_remaining_s: Annotated[float, Field(ge=0.0)] | None = None
    mode: ShortText = ""
    armed: bool = False
    in_air: bool = False
    pilot_in_control: bool = False
    fix: FixHealth | None = None


class MissionStatus(WireModel):
    """A mission's state and progress, retained."""

    mission_id: Ulid
    state: Literal[
        "none",
        "loading",
        "ready",
        "launching",
        "flying",
        "paused",
        "recalling",
        "landing",
        "landed",
        "failed",
    ]
    item: Count = 0
    items: Count = 0
    plan_sha256: Sha256 | None = None
    min_distance_to_line_m: float | None = None
    reason: LongText = ""


# --- station --------------------------------------------------------------------------------------
class Receipt(WireModel):
    """Highest `seq` of this node that the station has committed without a gap."""

    seq: Count
    session: Ulid | None = None


class FriendReport(WireModel):
    """One of our own patrols: phone, boat, or gateway."""

    friend_id: Name
    name: ShortText = ""
    kind: Literal["patrol", "boat", "vehicle", "picket"] = "patrol"
    position: GeoPoint
    horizontal_sigma_m: SigmaM = 10.0


class StationAlert(WireModel):
    """An alert for sirens, lights and other systems; retained until it is closed."""

    alert_id: Ulid
    level: Literal["information", "caution", "warning"]
    state: Literal["raised", "acknowledged", "assigned", "closed"]
    rule: ShortText
    object_class: ObjectClass
    count: Annotated[int, Field(ge=1)] = 1
    position: Position | None = None
    nearest_marker: ShortText = ""
    late: bool = False
    sentence_vi: LongText
    sentence_en: LongText
