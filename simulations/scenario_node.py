"""Cameras, nodes, receivers and drones of a scenario, and what goes wrong with them when."""

from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from runtime.settings import Settings
from simulations.scenario_values import AlongAcross, Azimuth, LonLat, Name, one_place


class SpellSettings(Settings):
    """A stretch of scenario time."""

    at_s: float = Field(ge=0.0)
    lasts_s: float = Field(gt=0.0)

    def holds(self, t_s: float) -> bool:
        """Whether it is on at an instant."""
        return self.at_s <= t_s < self.at_s + self.lasts_s


class CameraFaultSettings(SpellSettings):
    """The picture is gone, stands still, or is covered."""

    kind: Literal["offline", "frozen", "black", "covered"]


class CameraSettings(Settings):
    """One camera: where it stands, where it looks, what it films."""

    id: Name
    name: str = Field(default="", description="as a person calls it")
    node: Name = Field(default="node-1", description="the node that it is joined to")
    spectrum: Literal["day", "thermal"] = "day"
    polarity: Literal["white_hot", "black_hot"] = Field(
        default="white_hot", description="thermal only"
    )
    along_m: float | None = Field(default=None, description="along the line from the marker")
    across_m: float | None = Field(default=None, description="from the line, ours positive")
    lon_lat_deg: LonLat | None = None
    height_m: float = Field(gt=0.5, le=200.0, description="of the lens above the ground")
    azimuth_deg: float = Field(ge=0.0, lt=360.0, description="true, of the optical axis")
    pitch_deg: float = Field(ge=-90.0, le=45.0, description="positive above the horizon")
    roll_deg: float = Field(default=0.0, ge=-45.0, le=45.0)
    hfov_deg: float = Field(gt=1.0, lt=150.0, description="horizontal, of the undistorted lens")
    k1: float = Field(default=0.0, ge=-1.0, le=1.0, description="OpenCV's distortion")
    k2: float = Field(default=0.0, ge=-1.0, le=1.0)
    p1: float = Field(default=0.0, ge=-0.1, le=0.1)
    p2: float = Field(default=0.0, ge=-0.1, le=0.1)
    k3: float = Field(default=0.0, ge=-1.0, le=1.0)
    width_px: int = Field(default=1280, ge=160, le=3840)
    height_px: int = Field(default=720, ge=120, le=2160)
    fps: float = Field(default=10.0, gt=0.0, le=60.0)
    jpeg_quality: int = Field(default=80, ge=30, le=100)
    noise_sigma: float = Field(default=2.0, ge=0.0, le=30.0, description="grey levels, by daylight")
    mast_sway_deg: float = Field(
        default=0.0, ge=0.0, le=3.0, description="of the axis, one sigma at a wind of 10 m/s"
    )
    azimuth_error_deg: float = Field(
        default=0.0, ge=-20.0, le=20.0, description="true azimuth minus what the node was told"
    )
    pitch_error_deg: float = Field(default=0.0, ge=-10.0, le=10.0)
    fault: tuple[CameraFaultSettings, ...] = ()

    @model_validator(mode="after")
    def _placed_once(self) -> Self:
        one_place(self.lon_lat_deg, self.along_m, self.across_m)
        return self


class LinkFaultSettings(SpellSettings):
    """What happens to the node's radio link."""

    kind: Literal["cut", "delay", "throttle", "half_open", "duplicate"]
    delay_s: float = Field(default=1.0, ge=0.0, le=60.0, description="kind = delay")
    bit_s: float = Field(default=64_000.0, gt=0.0, description="kind = throttle")


class NodeSettings(Settings):
    """One edge node. Without a table of its own a node has a good link and a fixed place."""

    id: Name
    name: str = ""
    clock_error_s: float = Field(
        default=0.0, ge=-3600.0, le=3600.0, description="its clock minus the truth"
    )
    stated_clock_error_s: float = Field(default=0.05, ge=0.0, le=3600.0)
    link_fault: tuple[LinkFaultSettings, ...] = ()


class GpsdFaultSettings(SpellSettings):
    """What the receiver or its daemon does wrong."""

    kind: Literal["no_fix", "frozen", "jump", "jammed", "slow", "half_lines", "death"]
    jump_m: float = Field(default=300.0, gt=0.0, le=100_000.0)
    jump_to_deg: Azimuth = 0.0
    every_s: float = Field(default=10.0, gt=0.0, le=600.0, description="kind = slow")
    time_too: bool = Field(
        default=False, description="kind = frozen: the receiver's time stands still as well"
    )


class GpsdSettings(Settings):
    """A gpsd at a node: the receiver stands where the node's first camera stands."""

    node: Name
    horizontal_sigma_m: float = Field(default=2.0, gt=0.0, le=100.0)
    vertical_sigma_m: float = Field(default=4.0, gt=0.0, le=100.0)
    rate_hz: float = Field(default=1.0, gt=0.0, le=10.0)
    fault: tuple[GpsdFaultSettings, ...] = ()


class DroneFaultSettings(SpellSettings):
    """What goes wrong in flight."""

    kind: Literal["gcs_loss", "battery_low", "battery_critical", "gps_loss", "link_loss", "wind"]
    wind_m_s: float = Field(default=12.0, ge=0.0, le=40.0)
    wind_from_deg: Azimuth = 0.0


class DroneSettings(Settings):
    """A simulated copter with a camera on a gimbal, patrolling along its way points."""

    id: Name
    name: str = ""
    home_along_across_m: AlongAcross
    path_along_across_m: tuple[AlongAcross, ...] = Field(min_length=1)
    height_m: float = Field(default=60.0, gt=2.0, le=120.0, description="above the ground at home")
    speed_m_s: float = Field(default=5.0, gt=0.0, le=20.0)
    look_at_along_across_m: AlongAcross | None = Field(
        default=None, description="region of interest; without one the gimbal looks ahead"
    )
    gimbal_pitch_deg: float = Field(default=-45.0, ge=-90.0, le=20.0)
    spectrum: Literal["day", "thermal"] = "thermal"
    hfov_deg: float = Field(default=45.0, gt=1.0, lt=150.0)
    width_px: int = Field(default=1280, ge=160, le=3840)
    height_px: int = Field(default=720, ge=120, le=2160)
    fps: float = Field(default=10.0, gt=0.0, le=60.0)
    fault: tuple[DroneFaultSettings, ...] = ()
