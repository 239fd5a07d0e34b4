"""What the page and other HTTP clients see: frozen JSON shapes, one place, units in names.

Instants are RFC 3339 UTC with milliseconds; the page shows local time. The page's TypeScript types
are generated from the OpenAPI document that these models make.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Level = Literal["information", "caution", "warning"]
AlertState = Literal["raised", "acknowledged", "assigned", "closed"]
Outcome = Literal[
    "confirmed", "local_people", "permitted", "own_patrol", "animal", "weather", "device_fault",
    "nothing",
]  # fmt: skip
Role = Literal["guard", "operator", "technician", "administrator"]


class View(BaseModel):
    """Base of all shapes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ellipse(View):
    """90 % error ellipse on the ground; azimuth of the long axis, true, clockwise."""

    semi_major_m: float
    semi_minor_m: float
    azimuth_deg: float


class SensorView(View):
    """One camera on the map."""

    sensor_id: str
    name: str
    spectrum: Literal["day", "thermal"]
    status: Literal["online", "offline", "frozen", "starting", "unknown"]
    fps: float | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    azimuth_deg: float | None = None
    horizontal_fov_deg: float | None = None
    field_of_view_lonlat: list[tuple[float, float]] = []
    network: str = ""


FixStatus = Literal["none", "fix_2d", "fix_3d", "fixed_survey", "stale", "jammed", "jumped"]


class FixView(View):
    """Where a node says that it is, and whether its receiver is to be believed."""

    status: FixStatus
    lon_deg: float | None = None
    lat_deg: float | None = None
    horizontal_sigma_m: float | None = None
    satellites: int | None = None


class VehicleView(View):
    """One drone, now."""

    node_id: str
    vehicle_id: str
    simulated: bool
    silent: bool
    age_s: float
    lon_deg: float | None = None
    lat_deg: float | None = None
    position_is_old: bool = False
    """It has no position now: the last one that was told is shown."""
    alt_above_takeoff_m: float | None = None
    alt_hae_m: float | None = None
    heading_deg: float | None = None
    speed_m_s: float | None = None
    footprint_lonlat: list[tuple[float, float]] = []
    battery_fraction: float | None = None
    battery_remaining_s: float | None = None
    mode: str = ""
    armed: bool = False
    in_air: bool = False
    pilot_in_control: bool = False
    fix_status: FixStatus
    horizontal_sigma_m: float | None = None
    satellites: int | None = None


class NodeView(View):
    """One node: a dot in the bar."""

    node_id: str
    name: str
    state: Literal["online", "degraded", "storage_full", "goodbye", "offline", "silent"]
    reason: str = ""
    simulated: bool
    last_word_age_s: float | None
    outbox_depth: int | None = None
    outbox_oldest_age_s: float | None = None
    clock_source: str = ""
    clock_error_s: float | None = None
    temperature_c: float | None = None
    lost_key: int = 0
    zones_in_force: bool | None = None
    fix: FixView | None = None
    sensors: list[SensorView] = []


class TailPoint(View):
    """Where a target was."""

    t_utc: str
    lon_deg: float
    lat_deg: float


class TargetView(View):
    """One object in the world, now."""

    target_id: str
    object_class: Literal["Human", "Boat", "Vehicle", "Animal", "Unknown"]
    count: int = 1
    confidence: float
    t_utc: str
    lon_deg: float
    lat_deg: float
    ellipse90: Ellipse
    speed_m_s: float | None = None
    course_deg: float | None = None
    signed_distance_to_line_m: float | None = None
    probability_our_side: float | None = None
    sensors: list[str] = []
    tail: list[TailPoint] = []
    coasting: bool = False
    alert_id: str | None = None
    simulated: bool = False


class Reason(View):
    """Why a rule spoke, as data and in both languages."""

    rule: str
    sentence_vi: str
    sentence_en: str
    numbers: dict[str, float] = {}
    sensors: list[str] = []
    time_by_arrival: bool = False
    """The node's clock was not believed: the instant is that of arrival."""


class ActView(View):
    """One act on an alert, from the audit."""

    t_utc: str
    act: str
    by: str
    detail: str = ""


class AlertView(View):
    """One human event, as a guard handles it."""

    alert_id: str
    revision: int
    level: Level
    state: AlertState
    rule: str
    direction: Literal["in", "out", "none"] = "none"
    object_class: Literal["Human", "Boat", "Vehicle", "Animal", "Unknown"]
    count: int = 1
    t_event_utc: str
    t_raised_utc: str
    lon_deg: float
    lat_deg: float
    ellipse90: Ellipse
    nearest_marker: str = ""
    distance_to_marker_m: float | None = None
    azimuth_from_marker_deg: float | None = None
    distance_to_line_m: float | None = None
    probability: float | None = None
    sentence_vi: str
    sentence_en: str
    reasons: list[Reason] = []
    sensors: list[str] = []
    target_ids: list[str] = []
    finding_ids: list[str] = []
    """Each verdict told here: ``target:rule:direction or zone:level:epoch ms``."""
    media_ids: list[str] = []
    acknowledged_by: str | None = None
    assigned_to: str | None = None
    outcome: Outcome | None = None
    closed_by: str | None = None
    note: str = ""
    late: bool = False
    lowered_because: str = ""
    silent: bool = False
    silenced_until_utc: str | None = None
    silenced_by: str | None = None
    silenced_reason: str = ""
    handed_to: str | None = None
    """Who answers for it since the last hand-over."""
    seen_by: list[str] = []
    """People who have had it open on their page."""
    folded_into: str | None = None
    """The group alert of a flood that holds it."""
    folded: int = 0
    """How many alerts this group alert holds."""
    simulated: bool = False
    acts: list[ActView] = []


class SiteView(View):
    """Where we are and what is drawn: line, zones, markers, places as GeoJSON."""

    site_id: str
    name_vi: str
    name_en: str
    centre_lonlat: tuple[float, float]
    time_zone: str
    zones_version: int
    authoritative: bool
    notice_vi: str = ""
    notice_en: str = ""
    features: dict[str, object]
    basemap_url: str | None = None
    attribution: list[str] = []
    simulated: bool = False


class StationView(View):
    """The station itself, repeated every two seconds on the event stream."""

    site_id: str
    t_utc: str
    version: str
    nodes_alive: int
    nodes_total: int
    cameras_alive: int
    cameras_total: int
    last_word_age_s: float | None
    open_alerts: int
    on_watch: list[str] = []
    broker: str = ""
    broker_connected: bool = True
    simulated: bool = False


class HealthView(View):
    """Whether the station works; open to everybody, so it names nobody."""

    status: Literal["ok", "degraded"]
    t_utc: str
    version: str
    database: bool
    broker_connected: bool
    workers_stale: list[str] = []


class AboutView(View):
    """What runs here, under which licence, and where its source is."""

    name: str
    version: str
    licence: str
    source_url: str
    notices: list[str] = []


class SessionView(View):
    """Who is logged in; `csrf_token` goes into the X-CSRF-Token header of each POST."""

    user: str
    display_name: str
    role: Role
    csrf_token: str
    expires_utc: str


class Problem(View):
    """An error: what, which field, what is allowed, what to do (RFC 9457 members)."""

    type: str
    title: str
    status: int
    detail: str
    field: str = ""
    allowed: str = ""
    next_step: str = ""


# --- what a client sends --------------------------------------------------------------------------
NO_NUL = r"^[^\x00]*$"
"""No database keeps this character everywhere, and nobody types it."""


class LoginBody(View):
    """Name and password."""

    user: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)]
    password: Annotated[str, Field(min_length=1, max_length=256, pattern=NO_NUL)]


class LinkLoginBody(View):
    """The one-time token of a loopback link (demonstration)."""

    token: Annotated[str, Field(min_length=16, max_length=128, pattern=NO_NUL)]


class AcknowledgeBody(View):
    """Nothing but an optional note."""

    note: Annotated[str, Field(max_length=500, pattern=NO_NUL)] = ""


class AssignBody(View):
    """Who goes."""

    team: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    note: Annotated[str, Field(max_length=500, pattern=NO_NUL)] = ""


class CloseBody(View):
    """What it turned out to be."""

    outcome: Outcome
    note: Annotated[str, Field(max_length=500, pattern=NO_NUL)] = ""


class ReopenBody(View):
    """Why it is open again."""

    note: Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]


class StillBody(View):
    """Which camera takes one picture now."""

    sensor_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]


class CommandView(View):
    """A command on its way to a node, and what the node answered."""

    command_id: str
    node_id: str
    verb: str
    status: Literal["SENT", "NOT_SENT", "ACCEPTED", "REJECTED", "COMPLETED", "FAILED"]
    reason: str = ""
    expires_utc: str
