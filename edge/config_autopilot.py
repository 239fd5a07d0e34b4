"""The vehicle on a node: where its autopilot is heard, and how."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from runtime.settings import ConfigPath, SecretFile, Settings

URL_KINDS = ("udpin", "udpout", "tcp", "serial")


class AutopilotSettings(Settings):
    """The vehicle on this node."""

    source: Literal["none", "mavlink"] = Field("none", title="Link to an autopilot")
    url: str | None = Field(
        None,
        title="The link",
        description="udpin://HOST:PORT vehicles speak first, udpout://HOST:PORT we do, "
        "tcp://HOST:PORT, serial:///dev/ttyACM0",
        examples=["udpin://0.0.0.0:14550"],
    )
    log_file: ConfigPath | None = Field(
        None,
        title="Instead of a link: a recorded telemetry log (.tlog) that is replayed",
        examples=["flight.tlog"],
    )
    log_pace: Literal["real", "fast"] = Field(
        "real", title="Replay a log in its own time, or as fast as it is read"
    )
    baud: int = Field(115_200, title="Speed of a serial link", ge=1200, le=4_000_000)
    system_id: int = Field(
        245,
        title="Our MAVLink system id",
        description="Not 255: its heartbeat would hold off the failsafe of a vehicle that has lost "
        "its ground station",
        ge=1,
        le=254,
    )
    component_id: int = Field(191, title="Our MAVLink component id", ge=1, le=255)
    vehicles: tuple[Annotated[int, Field(ge=1, le=255)], ...] = Field(
        (), title="System ids that are listened to; empty: all", max_length=16, examples=[[1, 2]]
    )
    signing_key_file: SecretFile | None = Field(
        None,
        title="File with the MAVLink 2 signing key: 64 hexadecimal digits, or a pass phrase",
        description="With it, nothing unsigned is read and everything that is sent is signed",
        examples=["mavlink.key"],
    )
    signing_link_id: int = Field(
        1, title="Link id in our signatures: another one for every node", ge=0, le=255
    )
    transmit: bool = Field(
        default=True,
        title="Send heartbeats and ask for messages; false only listens",
    )
    attitude_rate_hz: float = Field(20.0, title="Attitude and gimbal, asked for", ge=1.0, le=100.0)
    position_rate_hz: float = Field(5.0, title="Position, asked for", ge=0.5, le=50.0)
    status_rate_hz: float = Field(1.0, title="Everything else, asked for", ge=0.1, le=10.0)

    @field_validator("url")
    @classmethod
    def _known_kind(cls, url: str | None) -> str | None:
        if url is not None and url.partition("://")[0] not in URL_KINDS:
            kinds = ", ".join(f"{kind}://" for kind in URL_KINDS)
            raise ValueError(f"allowed is a link that begins with {kinds}")
        return url

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = (self.url is not None) + (self.log_file is not None)
        if self.source == "mavlink" and given != 1:
            raise ValueError("source = mavlink needs either url or log_file, and not both")
        if self.source == "none" and given:
            raise ValueError('url and log_file need source = "mavlink"')
        return self
