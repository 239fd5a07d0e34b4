"""What a node is told in its one TOML file: frozen, every key with its unit, unknown keys refused.

Validation is pure: nothing here opens a camera, a network or a file; `border-edge doctor` does.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from geo.lens import Lens
from runtime.settings import ConfigPath, SecretFile, Settings
from wire.values import NAME_PATTERN

RESERVED_NODE_IDS = ("station",)

NodeName = Annotated[str, Field(pattern=NAME_PATTERN)]


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


class MountSettings(Settings):
    """Where a camera stands, where it looks, and how well that is known (1 sigma)."""

    lon_deg: float = Field(title="Longitude, WGS84", ge=-180.0, le=180.0, examples=[104.4421])
    lat_deg: float = Field(title="Latitude, WGS84", ge=-90.0, le=90.0, examples=[10.4232])
    alt_hae_m: float = Field(
        title="Height of the lens above the ellipsoid (not sea level)",
        ge=-500.0,
        le=9000.0,
        examples=[-2.0],
    )
    azimuth_deg: float = Field(
        title="Direction of the axis from true north, clockwise", ge=0.0, le=360.0, examples=[270.0]
    )
    pitch_deg: float = Field(
        title="Tilt of the axis, up is positive", ge=-90.0, le=90.0, examples=[-12.0]
    )
    roll_deg: float = Field(
        0.0, title="Roll about the axis, clockwise seen from behind", ge=-180.0, le=180.0
    )
    horizontal_sigma_m: float = Field(1.0, title="Accuracy of the place, level", ge=0.0, le=1000.0)
    vertical_sigma_m: float = Field(0.5, title="Accuracy of the height", ge=0.0, le=1000.0)
    azimuth_sigma_deg: float = Field(0.5, title="Accuracy of the azimuth", ge=0.0, le=180.0)
    pitch_sigma_deg: float = Field(0.3, title="Accuracy of the tilt", ge=0.0, le=90.0)
    roll_sigma_deg: float = Field(0.3, title="Accuracy of the roll", ge=0.0, le=180.0)


class LensSettings(Settings):
    """The lens: either the horizontal field of view, or what a calibration gave."""

    width_px: int = Field(title="Width of the frame", gt=0, le=16384, examples=[1280])
    height_px: int = Field(title="Height of the frame", gt=0, le=16384, examples=[720])
    hfov_deg: float | None = Field(
        None, title="Horizontal field of view", gt=0.5, lt=175.0, examples=[40.0]
    )
    fx_px: float | None = Field(None, title="Focal length across", gt=0.0, examples=[1758.0])
    fy_px: float | None = Field(None, title="Focal length down", gt=0.0, examples=[1758.0])
    cx_px: float | None = Field(None, title="Principal point, right", examples=[639.5])
    cy_px: float | None = Field(None, title="Principal point, down", examples=[359.5])
    k1: float = Field(0.0, title="OpenCV distortion k1", ge=-10.0, le=10.0)
    k2: float = Field(0.0, title="OpenCV distortion k2", ge=-100.0, le=100.0)
    p1: float = Field(0.0, title="OpenCV distortion p1", ge=-10.0, le=10.0)
    p2: float = Field(0.0, title="OpenCV distortion p2", ge=-10.0, le=10.0)
    k3: float = Field(0.0, title="OpenCV distortion k3", ge=-1000.0, le=1000.0)
    sigma_px: float = Field(
        1.0, title="What the lens model leaves unexplained (1 sigma)", ge=0.0, le=100.0
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        calibrated = [self.fx_px, self.fy_px, self.cx_px, self.cy_px]
        if (self.hfov_deg is None) == all(value is None for value in calibrated):
            raise ValueError("give either hfov_deg, or all of fx_px, fy_px, cx_px, cy_px")
        if self.hfov_deg is None and any(value is None for value in calibrated):
            raise ValueError("fx_px, fy_px, cx_px and cy_px belong together: one is missing")
        return self

    def lens(self) -> Lens:
        """The camera model that these values describe."""
        if self.hfov_deg is not None:
            ideal = Lens.from_hfov(self.hfov_deg, self.width_px, self.height_px)
            fx_px, fy_px, cx_px, cy_px = ideal.fx_px, ideal.fy_px, ideal.cx_px, ideal.cy_px
        else:
            assert self.fx_px is not None
            assert self.fy_px is not None
            assert self.cx_px is not None
            assert self.cy_px is not None
            fx_px, fy_px, cx_px, cy_px = self.fx_px, self.fy_px, self.cx_px, self.cy_px
        return Lens(
            fx_px=fx_px,
            fy_px=fy_px,
            cx_px=cx_px,
            cy_px=cy_px,
            width_px=self.width_px,
            height_px=self.height_px,
            k1=self.k1,
            k2=self.k2,
            p1=self.p1,
            p2=self.p2,
            k3=self.k3,
        )


class GroundSettings(Settings):
    """The ground in front of a camera, taken as level."""

    alt_hae_m: float = Field(
        title="Height of the ground above the ellipsoid", ge=-500.0, le=9000.0, examples=[-10.0]
    )
    sigma_m: float = Field(0.3, title="Accuracy of that height (1 sigma)", ge=0.0, le=100.0)
    max_range_m: float = Field(
        3000.0, title="Beyond this a position is no use; a bearing is sent", gt=0.0, le=30000.0
    )


class CameraSettings(Settings):
    """One camera."""

    sensor_id: NodeName = Field(title="This camera in the node", examples=["cam-1"])
    name: str = Field("", title="Name for people", max_length=200)
    source: str = Field(
        title="rtsp://, http:// (MJPEG), number of a USB camera, film file or folder of pictures",
        min_length=1,
        max_length=2000,
        examples=["rtsp://10.0.0.11/stream1"],
    )
    spectrum: Literal["day", "thermal"] = Field("day", title="Which default network looks at it")
    pace: Literal["real_time", "fast"] = Field(
        "real_time", title="Films and folders only: at their own speed, or as fast as can be"
    )
    film_rate_hz: float | None = Field(
        None, title="Films and folders only: their true rate", gt=0.0, le=240.0, examples=[7.0]
    )
    loop: bool = Field(default=False, title="Films and folders only: start again at the end")
    open_timeout_s: float = Field(10.0, title="Longest wait for a connection", gt=0.0, le=60.0)
    read_timeout_s: float = Field(5.0, title="Longest wait for a frame", gt=0.0, le=60.0)
    frozen_after_s: float = Field(
        10.0, title="A picture unchanged for so long is a frozen one", gt=0.0, le=3600.0
    )
    max_rate_hz: float | None = Field(
        None, title="Look at no more frames than this", gt=0.0, le=240.0, examples=[10.0]
    )
    capture_latency_s: float = Field(
        0.0, title="Known delay between the scene and the frame's arrival", ge=0.0, le=10.0
    )
    latency_sigma_s: float = Field(
        0.05, title="Doubt about the moment of capture (1 sigma)", ge=0.0, le=10.0
    )
    mount: MountSettings | None = None
    lens: LensSettings | None = None
    ground: GroundSettings | None = None

    @field_validator("source")
    @classmethod
    def _beside_the_file(cls, source: str, info: ValidationInfo) -> str:
        """A relative film or folder counts from the config's folder, like every other path."""
        base = (info.context or {}).get("base_dir")
        if base is None or "://" in source or source.isdigit():
            return source
        return str(Path(base) / Path(source).expanduser())


class PositionSettings(Settings):
    """Where the node itself stands, when no receiver says so."""

    source: Literal["fixed"] = Field("fixed", title="Source of the node's position")
    lon_deg: float = Field(title="Longitude, WGS84", ge=-180.0, le=180.0, examples=[104.4421])
    lat_deg: float = Field(title="Latitude, WGS84", ge=-90.0, le=90.0, examples=[10.4232])
    alt_hae_m: float = Field(
        title="Height above the ellipsoid", ge=-500.0, le=9000.0, examples=[-8.0]
    )
    horizontal_sigma_m: float = Field(1.0, title="Accuracy, level", ge=0.0, le=1000.0)
    vertical_sigma_m: float = Field(1.0, title="Accuracy, height", ge=0.0, le=1000.0)


class AutopilotSettings(Settings):
    """The vehicle on this node."""

    source: Literal["none"] = Field("none", title="Link to an autopilot")


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
    position: PositionSettings | None = None
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
