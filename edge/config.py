"""What a node is told in its one TOML file: frozen, every key with its unit, unknown keys refused.

Validation is pure: nothing here opens a camera, a network or a file; `border-edge doctor` does.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from edge.config_autopilot import AutopilotSettings
from edge.config_camera import CameraSettings, NodeName
from edge.config_position import PositionSettings
from runtime.settings import ConfigPath, SecretFile, Settings

RESERVED_NODE_IDS = ("station",)


def _not_reserved(name: str) -> str:
    if name in RESERVED_NODE_IDS:
        raise ValueError(f"{name!r} is the station's own id; choose another")
    return name


class NodeSettings(Settings):
    """Who this node is."""

    site_id: NodeName = Field(
        title="Site", description="Lower case letters, digits, hyphens", examples=["ha-tien"]
    )
    node_id: Annotated[NodeName, AfterValidator(_not_reserved)] = Field(
        title="This node in the site; also its MQTT client id", examples=["mast-1"]
    )
    name: str = Field("", title="Name for people", max_length=200, examples=["Mast 1, marker 314"])
    data_dir: ConfigPath = Field(
        Path("/var/lib/border-watch/edge"), title="Folder of the outbox and of the zones in force"
    )
    station_key_file: ConfigPath | None = Field(
        None,
        title="The station's public key (station.pub)",
        description="Without it every command and every zones document is refused",
        examples=["station.pub"],
    )
    simulated: bool = Field(
        default=False, title="Everything this node says is marked as simulation"
    )


class ClockSettings(Settings):
    """Who keeps the time."""

    stated_error_s: float | None = Field(
        None,
        title="Your word that UTC on this machine is right to so many seconds",
        description="Only where the time service cannot tell the kernel (containers); else leave out",
        ge=0.0,
        le=3600.0,
        examples=[0.5],
    )
    max_command_error_s: float = Field(
        2.0, title="Above this clock error every command is refused", gt=0.0, le=2.0
    )


class DetectorSettings(Settings):
    """The network that looks at the frames."""

    engine: Literal["onnx", "yolo"] = Field(
        "onnx", title="onnx is the default; yolo needs the extra [yolo]"
    )
    day: str = Field(
        "day",
        title="Network of day cameras: a name that `border-models list` shows, or a file",
        min_length=1,
    )
    thermal: str = Field(
        "thermal", title="Network of thermal cameras: a name, or a file", min_length=1
    )
    min_confidence: float = Field(0.1, title="Boxes below this are not looked at", gt=0.0, lt=1.0)
    input_size_px: int | None = Field(
        None,
        title="Longer side of the network's input, where it is free to choose",
        ge=32,
        le=4096,
        examples=[640],
    )
    threads: int = Field(0, title="Threads of the network; 0 lets it choose", ge=0, le=64)
    device: str | None = Field(
        None,
        title="Engine yolo only: where it runs, as ultralytics names it",
        min_length=1,
        examples=["0"],
    )


class TrackSettings(Settings):
    """How boxes become tracks."""

    strong_confidence: float = Field(
        0.35, title="Boxes from here on are matched first", gt=0.0, lt=1.0
    )
    start_confidence: float = Field(
        0.45, title="Boxes from here on may begin a track", gt=0.0, lt=1.0
    )
    confirm_hits: int = Field(3, title="Boxes that make a track", ge=1, le=100)
    lost_after_s: float = Field(2.5, title="A track unseen for so long has ended", gt=0.0, le=60.0)
    max_tracks: int = Field(256, title="Most tracks per camera at a time", ge=1, le=2000)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.strong_confidence > self.start_confidence:
            raise ValueError("strong_confidence is at most start_confidence")
        return self


class ObserveSettings(Settings):
    """What is said of a track, and how often."""

    max_rate_hz: float = Field(2.0, title="Most observations per track", gt=0.0, le=2.0)
    side_probability: float = Field(
        0.9, title="P at which a side of the line or of a zone's edge is taken", gt=0.5, lt=1.0
    )
    class_hold_s: float = Field(
        1.0, title="A new class must hold so long before it is said", ge=0.0, le=30.0
    )
    crops: bool = Field(default=True, title="Send the best crop of each track")
    crop_every_s: float = Field(
        5.0, title="A better crop of a track is sent at most so often", ge=1.0, le=600.0
    )


class OutboxSettings(Settings):
    """The queue on disk."""

    max_bytes: int = Field(
        2_000_000_000,
        title="Most bytes of waiting messages",
        ge=1_000_000,
        le=100_000_000_000,
    )
    reserve_bytes: int = Field(
        64 * 1024 * 1024,
        title="Kept free for key observations alone",
        ge=1024 * 1024,
        le=1_000_000_000,
    )
    resend_after_s: float = Field(
        30.0, title="Without a receipt for so long a message is sent again", ge=1.0, le=600.0
    )


class MqttSettings(Settings):
    """The way to the broker."""

    host: str = Field("127.0.0.1", title="Name or address of the broker", min_length=1)
    port: int = Field(1883, title="Port; 8883 with TLS", ge=1, le=65535)
    tls: bool = Field(default=False, title="Encrypt, and check who the broker is")
    ca_file: ConfigPath | None = Field(
        None, title="Certificate authority of the site", examples=["ca.crt"]
    )
    cert_file: ConfigPath | None = Field(
        None, title="This node's certificate", examples=["mast-1.crt"]
    )
    key_file: SecretFile | None = Field(
        None, title="This node's secret key", examples=["mast-1.key"]
    )
    username: str | None = Field(None, title="User name, if any", examples=["mast-1"])
    password_file: SecretFile | None = Field(
        None, title="File that holds the password", examples=["mqtt.password"]
    )
    keepalive_s: int = Field(15, title="Silence after which the line is dead", ge=5, le=600)
    max_in_flight: int = Field(
        64, title="Messages on the way to the broker at a time", ge=1, le=1000
    )

    @model_validator(mode="after")
    def _tls_whole(self) -> Self:
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("ca_file, cert_file and key_file need tls = true")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs username")
        return self


class MissionSettings(Settings):
    """Drone missions."""

    allowed: bool = Field(default=False, title="Whether this node may fly missions at all")


class LogSettings(Settings):
    """What is written of the node's doings."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", title="Least level")
    format: Literal["auto", "json", "text"] = Field(
        "auto", title="auto is text on a terminal and json elsewhere"
    )


class NodeConfig(Settings):
    """The whole file."""

    node: NodeSettings = Field(title="This node")
    clock: ClockSettings = Field(ClockSettings(), title="Time")
    camera: tuple[CameraSettings, ...] = Field(
        title="Cameras, one table each", min_length=1, max_length=64
    )
    position: PositionSettings | None = Field(None, title="Where the node itself is")
    autopilot: AutopilotSettings = Field(AutopilotSettings(), title="Vehicle")
    detector: DetectorSettings = Field(DetectorSettings(), title="Network")
    track: TrackSettings = Field(TrackSettings(), title="Tracks")
    observe: ObserveSettings = Field(ObserveSettings(), title="Observations")
    outbox: OutboxSettings = Field(OutboxSettings(), title="Queue on disk")
    mqtt: MqttSettings = Field(MqttSettings(), title="Broker")
    missions: MissionSettings = Field(MissionSettings(), title="Missions")
    log: LogSettings = Field(LogSettings(), title="Log")

    @model_validator(mode="after")
    def _sensor_ids_differ(self) -> Self:
        ids = [camera.sensor_id for camera in self.camera]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(
                f"sensor_id {', '.join(twice)} stands at two cameras; each has its own"
            )
        return self

    @model_validator(mode="after")
    def _vehicles_are_heard(self) -> Self:
        for camera in self.camera:
            if camera.vehicle is None:
                continue
            number, heard = camera.vehicle.system_id, self.autopilot.vehicles
            if self.autopilot.source == "none":
                raise ValueError(
                    f"camera {camera.sensor_id!r} is on vehicle {number}, but no [autopilot] is"
                    " configured to hear it; set autopilot.source and autopilot.url"
                )
            if heard and number not in heard:
                raise ValueError(
                    f"camera {camera.sensor_id!r} is on vehicle {number}, but autopilot.vehicles"
                    f" hears {', '.join(map(str, heard))} only"
                )
        return self
