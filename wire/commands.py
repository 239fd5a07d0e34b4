"""What travels down: commands, zones, and the answers to commands.

A command is signed text with an expiry; unknown fields in it are refused.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from wire.values import (
    GeoPoint,
    LatDeg,
    LonDeg,
    LongText,
    Name,
    Sha256,
    ShortText,
    Ulid,
    UtcMs,
    WireModel,
)

LonLat = tuple[LonDeg, LatDeg]


class SignedDocument(WireModel):
    """Exact JSON text and its Ed25519 signature; nobody re-serialises before checking."""

    signed: Annotated[str, Field(max_length=2_000_000)]
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]
    key_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


# --- missions -------------------------------------------------------------------------------------
class MissionItem(WireModel):
    """One way point; heights above the ellipsoid."""

    point: GeoPoint
    speed_m_s: Annotated[float, Field(gt=0.0, le=40.0)] | None = None
    hold_s: Annotated[float, Field(ge=0.0, le=3600.0)] = 0.0
    gimbal_pitch_deg: Annotated[float, Field(ge=-90.0, le=30.0)] | None = None
    look_at: GeoPoint | None = None


class FlightPermit(WireModel):
    """Who allowed what: number, area, ceiling, hours."""

    number: ShortText
    issued_by: ShortText
    area_lonlat: tuple[LonLat, ...]
    ceiling_above_ground_m: Annotated[float, Field(gt=0.0)]
    valid_from_utc: UtcMs
    valid_to_utc: UtcMs


class MissionPlan(WireModel):
    """A whole flight: items, fence, rally points, permit, and the line it was checked against."""

    mission_id: Ulid
    vehicle_id: Name
    name: ShortText = ""
    takeoff: GeoPoint
    items: Annotated[tuple[MissionItem, ...], Field(min_length=1, max_length=650)]
    fence_lonlat: tuple[LonLat, ...]
    rally_points: tuple[GeoPoint, ...] = ()
    stand_off_m: Annotated[float, Field(gt=0.0)]
    return_height_above_takeoff_m: Annotated[float, Field(gt=0.0)]
    permit: FlightPermit
    registration: ShortText
    pilot: ShortText
    zones_sha256: Sha256


# --- verbs ----------------------------------------------------------------------------------------
class MissionLoad(WireModel):
    """Check again by the node's own line, upload, read back; not a launch."""

    verb: Literal["mission_load"] = "mission_load"
    plan: MissionPlan
    plan_sha256: Sha256


class MissionLaunch(WireModel):
    """Start a mission that is READY."""

    verb: Literal["mission_launch"] = "mission_launch"
    mission_id: Ulid
    plan_sha256: Sha256


class Pause(WireModel):
    """Hold position in the mission."""

    verb: Literal["pause"] = "pause"
    mission_id: Ulid


class Resume(WireModel):
    """Go on after a pause."""

    verb: Literal["resume"] = "resume"
    mission_id: Ulid


class Skip(WireModel):
    """Go on at another item; items count from 0."""

    verb: Literal["skip"] = "skip"
    mission_id: Ulid
    to_item: Annotated[int, Field(ge=0, le=650)]


class Recall(WireModel):
    """Come home the checked way."""

    verb: Literal["recall"] = "recall"
    mission_id: Ulid | None = None
    reason: ShortText = ""


class Land(WireModel):
    """Land where it is."""

    verb: Literal["land"] = "land"
    mission_id: Ulid | None = None
    reason: ShortText = ""


class LookAt(WireModel):
    """Turn the nearest useful eyes to a place."""

    verb: Literal["look_at"] = "look_at"
    point: GeoPoint
    alert_id: Ulid | None = None
    duration_s: Annotated[float, Field(gt=0.0, le=3600.0)] = 60.0
    sensor_id: Name | None = None
    vehicle_id: Name | None = None


class Still(WireModel):
    """One picture now."""

    verb: Literal["still"] = "still"
    sensor_id: Name


class Clip(WireModel):
    """A stretch of stored film."""

    verb: Literal["clip"] = "clip"
    sensor_id: Name
    t_start_utc: UtcMs
    t_end_utc: UtcMs

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 < (self.t_end_utc - self.t_start_utc).total_seconds() <= 300:
            raise ValueError("a clip ends after it starts and lasts 300 s at most")
        return self


class PtzPreset(WireModel):
    """Turn a camera to a stored view."""

    verb: Literal["ptz_preset"] = "ptz_preset"
    sensor_id: Name
    preset: ShortText


Verb = Annotated[
    MissionLoad
    | MissionLaunch
    | Pause
    | Resume
    | Skip
    | Recall
    | Land
    | LookAt
    | Still
    | Clip
    | PtzPreset,
    Field(discriminator="verb"),
]
VERBS: tuple[str, ...] = (
    "mission_load", "mission_launch", "pause", "resume", "skip", "recall", "land", "look_at",
    "still", "clip", "ptz_preset",
)  # fmt: skip


class Command(WireModel):
    """One order of a named person to one node, with an end to its life."""

    command_id: Ulid
    site_id: Name
    node_id: Name
    operator: ShortText
    issued_at_utc: UtcMs
    expires_at_utc: UtcMs
    body: Verb

    @model_validator(mode="after")
    def _lives(self) -> Self:
        if self.expires_at_utc <= self.issued_at_utc:
            raise ValueError("expires_at_utc is after issued_at_utc")
        return self


ReasonCode = Literal[
    "",
    "signature",
    "expired",
    "clock",
    "replayed",
    "wrong_node",
    "unknown_field",
    "malformed",
    "unsupported",
    "not_allowed",
    "busy",
    "unsafe",
    "device",
    "not_found",
]
"""Why a command was not obeyed, for counters; the words for a person stand beside it."""


class CommandAck(WireModel):
    """A node's answer, with the reason in words."""

    command_id: Ulid
    verb: ShortText
    status: Literal["ACCEPTED", "REJECTED", "COMPLETED", "FAILED"]
    reason_code: ReasonCode = ""
    reason: LongText = ""

    @model_validator(mode="after")
    def _a_no_has_a_reason(self) -> Self:
        if self.status in {"REJECTED", "FAILED"} and not self.reason:
            raise ValueError("REJECTED and FAILED carry their reason in words")
        return self


# --- zones ----------------------------------------------------------------------------------------
class ZonesDocument(WireModel):
    """Line, zones, markers and permits of a site, versioned; travels signed."""

    site_id: Name
    version: Annotated[int, Field(ge=1)]
    issued_at_utc: UtcMs
    issued_by: ShortText = ""
    features: dict[str, Any]
    """A GeoJSON FeatureCollection, checked by the reader."""
    permits: tuple[FlightPermit, ...] = ()
