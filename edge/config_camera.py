"""What a node is told of each camera: its source, its lens, and how its pose is known."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from edge.config_ground import GroundSettings
from edge.config_recorded import RecordedSettings
from geo.lens import Lens
from runtime.settings import Settings
from wire.values import NAME_PATTERN

NodeName = Annotated[str, Field(pattern=NAME_PATTERN)]


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


class VehicleSettings(Settings):
    """A camera that a vehicle carries: its pose comes from the vehicle's autopilot (1 sigma)."""

    system_id: int = Field(
        title="MAVLink system id of the vehicle (its SYSID_THISMAV)", ge=1, le=255, examples=[1]
    )
    component_id: int = Field(1, title="MAVLink component id of its autopilot", ge=1, le=255)
    on: Literal["gimbal", "body"] = Field(
        title="What carries the camera: gimbal, or body when it is fixed to the vehicle",
        examples=["gimbal"],
    )
    yaw_deg: float = Field(
        0.0,
        title="Boresight: axis of the camera right of the axis of what carries it",
        ge=-180.0,
        le=360.0,
    )
    pitch_deg: float = Field(
        0.0, title="Boresight: above it; -90 looks down from a level body", ge=-90.0, le=90.0
    )
    roll_deg: float = Field(
        0.0, title="Boresight: rolled about it, clockwise seen from behind", ge=-180.0, le=180.0
    )
    lever_forward_m: float = Field(
        0.0,
        title="Lens from the point whose position the autopilot tells, along the body",
        ge=-100.0,
        le=100.0,
    )
    lever_right_m: float = Field(0.0, title="The same, to the right", ge=-100.0, le=100.0)
    lever_down_m: float = Field(0.0, title="The same, down", ge=-100.0, le=100.0)
    heading_sigma_deg: float | None = Field(
        None,
        title="Accuracy of the autopilot's heading, where you checked it; else as it tells itself",
        ge=0.0,
        le=180.0,
        examples=[1.0],
    )
    roll_pitch_sigma_deg: float = Field(
        0.5, title="Accuracy of its roll and of its pitch", ge=0.0, le=90.0
    )
    gimbal_sigma_deg: float = Field(
        0.5,
        title="Accuracy of the gimbal's angles, or of the mount on the body, about each axis",
        ge=0.0,
        le=90.0,
    )
    horizontal_sigma_m: float | None = Field(
        None,
        title="Accuracy of its position, level, where the autopilot does not tell",
        ge=0.0,
        le=1000.0,
        examples=[2.5],
    )
    vertical_sigma_m: float | None = Field(
        None,
        title="Accuracy of its height, where the autopilot does not tell",
        ge=0.0,
        le=1000.0,
        examples=[4.0],
    )
    time_offset_s: float = Field(
        0.0,
        title="Added to a frame's instant to get the autopilot's",
        ge=-5.0,
        le=5.0,
    )
    time_sigma_s: float = Field(
        0.05, title="Accuracy of that offset; its error turns and moves the camera", ge=0.0, le=5.0
    )
    time_offset: Literal["stated", "propose", "estimate"] = Field(
        "propose",
        title="Offset as stated above; or watched in the picture and shown; or so watched and used",
    )
    max_age_s: float = Field(
        0.5, title="Without a sample so near to the frame it gets no position", gt=0.0, le=5.0
    )

    @model_validator(mode="after")
    def _both_accuracies(self) -> Self:
        if (self.horizontal_sigma_m is None) != (self.vertical_sigma_m is None):
            raise ValueError("horizontal_sigma_m and vertical_sigma_m belong together")
        return self


class CameraSettings(Settings):
    """One camera."""

    sensor_id: NodeName = Field(title="This camera in the node", examples=["cam-1"])
    name: str = Field("", title="Name for people", max_length=200)
    source: str = Field(
        title="rtsp://, http:// (MJPEG), udp://@:PORT (MPEG-TS), number of a USB camera, film file or folder of pictures",
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
    vehicle: VehicleSettings | None = None
    recorded: RecordedSettings | None = None
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

    @property
    def live(self) -> bool:
        """Whether the source is no file: what it shows happens now."""
        return "://" in self.source or self.source.isdigit() or self.source.startswith("/dev/")

    @model_validator(mode="after")
    def _telemetry_of_a_film(self) -> Self:
        told = self.recorded
        if told is not None and self.live and not (told.klv and self.source.startswith("udp://")):
            raise ValueError(
                f"[camera.recorded] of camera {self.sensor_id!r} needs a film file, or"
                ' telemetry = "klv" in a live udp:// stream'
            )
        return self

    @model_validator(mode="after")
    def _one_pose(self) -> Self:
        told = [
            name for name in ("mount", "vehicle", "recorded") if getattr(self, name) is not None
        ]
        if len(told) > 1:
            raise ValueError(
                f"[camera.{'] and [camera.'.join(told)}] both tell where camera"
                f" {self.sensor_id!r} is; keep the one that carries it"
            )
        return self
