"""Settings of a drone's film that brings its own telemetry: inside it (KLV) or beside it (.SRT)."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from runtime.settings import Settings


class RecordedSettings(Settings):
    """A drone's film with its telemetry: where the camera was, picture by picture (1 sigma).

    The accuracies are those of a small drone that nobody calibrated: about 13 m (90 %) on the ground
    from 60 m height at 45 degrees. State better ones only after a check over a known mark.
    """

    telemetry: str = Field(
        title='"klv" when it is inside the transport stream (MISB ST 0601), else the .SRT file',
        min_length=1,
        max_length=2000,
        examples=["DJI_0001.SRT"],
    )
    takeoff_alt_hae_m: float | None = Field(
        None,
        title="SRT: ground where the drone took off, above the ellipsoid",
        description="Heights in the file count from there",
        ge=-500.0,
        le=9000.0,
        examples=[-9.5],
    )
    altitude_zero_hae_m: float | None = Field(
        None,
        title='SRT that tells only "altitude": where its zero is, above the ellipsoid',
        description="The drone does not say; compare one picture with a known height",
        ge=-1000.0,
        le=9000.0,
        examples=[-12.0],
    )
    gps_order: Literal["lon_lat", "lat_lon"] | None = Field(
        None, title="SRT whose GPS(a, b) does not prove its order: your word", examples=["lon_lat"]
    )
    azimuth_deg: float | None = Field(
        None,
        title="SRT without gimbal angles: where the camera looked all the time, from true north",
        ge=0.0,
        le=360.0,
        examples=[270.0],
    )
    azimuth_from_course: bool = Field(
        default=False,
        title="SRT without gimbal angles: the camera looked where the drone flew",
        description="Only while it flies; 15 degrees are added to the doubt",
    )
    pitch_deg: float | None = Field(
        None,
        title="SRT without gimbal angles: tilt of the camera all the time, up is positive",
        ge=-90.0,
        le=90.0,
        examples=[-45.0],
    )
    roll_deg: float = Field(
        0.0, title="The same: roll, clockwise seen from behind", ge=-180.0, le=180.0
    )
    azimuth_offset_deg: float = Field(
        0.0, title="Added to every heading, as a check over a known mark gave", ge=-180.0, le=180.0
    )
    horizontal_sigma_m: float = Field(3.0, title="Accuracy of its place, level", ge=0.0, le=1000.0)
    vertical_sigma_m: float = Field(5.0, title="Accuracy of its height", ge=0.0, le=1000.0)
    azimuth_sigma_deg: float = Field(
        5.0, title="Accuracy of the azimuth (a compass near motors)", ge=0.0, le=180.0
    )
    pitch_sigma_deg: float = Field(1.0, title="Accuracy of the tilt", ge=0.0, le=90.0)
    roll_sigma_deg: float = Field(1.0, title="Accuracy of the roll", ge=0.0, le=180.0)
    lens: Literal["told", "config"] = Field(
        "told", title="KLV that tells its field of view: follow the zoom, or keep [camera.lens]"
    )
    time_offset_s: float = Field(
        0.0, title="Added to a picture's time to get the telemetry's", ge=-10.0, le=10.0
    )
    time_sigma_s: float | None = Field(
        None,
        title="Accuracy of that; without it, what kind of telemetry it is tells",
        ge=0.0,
        le=10.0,
        examples=[0.1],
    )
    max_gap_s: float = Field(
        2.0, title="A longer gap in the telemetry is not bridged", gt=0.0, le=60.0
    )

    @property
    def klv(self) -> bool:
        """Whether the telemetry is inside the film."""
        return self.telemetry == "klv"

    @field_validator("telemetry")
    @classmethod
    def _beside_the_file(cls, telemetry: str, info: ValidationInfo) -> str:
        """A relative path counts from the config's folder, like every other path."""
        if telemetry == "klv":
            return telemetry
        if not telemetry.lower().endswith(".srt"):
            raise ValueError('telemetry is "klv" or the path of an .SRT file')
        base = (info.context or {}).get("base_dir")
        return telemetry if base is None else str(Path(base) / Path(telemetry).expanduser())

    @model_validator(mode="after")
    def _one_azimuth(self) -> Self:
        if self.azimuth_deg is not None and self.azimuth_from_course:
            raise ValueError("give azimuth_deg or azimuth_from_course, not both")
        if self.klv and (self.azimuth_deg is not None or self.azimuth_from_course):
            raise ValueError('azimuth_deg and azimuth_from_course are for an .SRT, not for "klv"')
        return self
