"""What a node is told about its own place: surveyed, or by a receiver behind gpsd."""

import ipaddress
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from typing_extensions import Self

from runtime.settings import Settings


def _in_figures(host: str) -> str:
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise ValueError(
                "is an address in figures or localhost: a name server that is silent would hold "
                "the node"
            ) from None
    return host


class FixedPositionSettings(Settings):
    """Where the node itself stands, when no receiver says so: `source = "fixed"`."""

    source: Literal["fixed"] = Field("fixed", title="The place was surveyed")
    lon_deg: float = Field(title="Longitude, WGS84", ge=-180.0, le=180.0, examples=[104.4421])
    lat_deg: float = Field(title="Latitude, WGS84", ge=-90.0, le=90.0, examples=[10.4232])
    alt_hae_m: float = Field(
        title="Height above the ellipsoid", ge=-500.0, le=9000.0, examples=[-8.0]
    )
    horizontal_sigma_m: float = Field(1.0, title="Accuracy, level", ge=0.0, le=1000.0)
    vertical_sigma_m: float = Field(1.0, title="Accuracy, height", ge=0.0, le=1000.0)


class GpsdPositionSettings(Settings):
    """A receiver behind gpsd: `source = "gpsd"`."""

    source: Literal["gpsd"] = Field(title="A gpsd tells the place", examples=["gpsd"])
    reader: Literal["own", "gpsd-py3"] = Field(
        "own",
        title="Who reads it",
        description="own watches the stream and sees jams, jumps and frozen receivers; gpsd-py3 polls "
        "with that library in a process of its own, without heights, signals or clock",
    )
    host: Annotated[str, AfterValidator(_in_figures)] = Field(
        "127.0.0.1", title="Address of gpsd, in figures, or localhost", examples=["127.0.0.1"]
    )
    port: int = Field(2947, title="Its port", ge=1, le=65535)
    device: str = Field(
        "",
        title="Path of the receiver to listen to",
        description="Empty takes the first, and another one when that has no fix",
        max_length=200,
        examples=["/dev/ttyACM0"],
    )
    stale_after_s: float = Field(
        3.0, title="A fix older than this, or a receiver's time standing still", gt=0.0, le=60.0
    )
    frozen_after_s: float = Field(
        30.0,
        title="Fix and signals the same to the last digit for so long are a dead receiver",
        gt=0.0,
        le=3600.0,
    )
    max_speed_m_s: float = Field(
        50.0, title="Nothing that carries this receiver is faster", ge=0.0, le=300.0
    )
    jump_hold_s: float = Field(
        30.0,
        title="A new place that could not be reached is believed after it held so long",
        ge=1.0,
        le=3600.0,
    )
    jam_indicator_above: float = Field(
        128.0,
        title="A receiver's own count of interference (0 to 255) that is too much",
        gt=0.0,
        le=256.0,
    )

    @model_validator(mode="after")
    def _device_needs_own(self) -> Self:
        if self.device and self.reader == "gpsd-py3":
            raise ValueError('device needs reader = "own": gpsd-py3 takes whichever spoke last')
        return self


def _source(value: Any) -> str:
    """Which of them is meant; a table that does not say so is a surveyed place."""
    if isinstance(value, dict):
        return str(value.get("source", "fixed"))
    return str(getattr(value, "source", "fixed"))


PositionSettings = Annotated[
    Annotated[FixedPositionSettings, Tag("fixed")] | Annotated[GpsdPositionSettings, Tag("gpsd")],
    Discriminator(
        _source,
        custom_error_type="position_source",
        custom_error_message='source should be "fixed" or "gpsd"',
    ),
]
