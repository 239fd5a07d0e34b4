"""The envelope of every message."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field, model_validator
from typing_extensions import Self

from wire.values import ClockStamp, Name, Ulid, UtcMs, WireModel

SCHEMA_MAJOR = 1
SCHEMA_MINOR = 0
SCHEMA = f"bw/{SCHEMA_MAJOR}.{SCHEMA_MINOR}"
STATION = "station"
"""The `node_id` of what a station sends."""

Body = TypeVar("Body", bound=WireModel)


class Envelope(WireModel, Generic[Body]):
    """Who says what, when it happened, when it was sent, and how good that clock is.

    `seq` is the outbox's running number, given at first sending and kept over restarts; null for
    what never enters the outbox (birth, state, health, vehicle, and all that a station sends).

    Before its first clock sync a node knows only the seconds since boot: then `t_event_utc` is null
    and `t_event_boot_s` holds the stamp; the outbox converts stamps after the sync, and what is sent
    unconverted lets the station file it by arrival minus (`t_sent_boot_s` - `t_event_boot_s`).
    """

    schema_version: Annotated[str, Field(alias="schema", pattern=r"^bw/\d{1,4}\.\d{1,4}$")] = SCHEMA
    id: Ulid
    node_id: Name
    session: Ulid
    seq: Annotated[int, Field(ge=1)] | None = None
    t_event_utc: UtcMs | None
    t_sent_utc: UtcMs | None
    t_event_boot_s: Annotated[float, Field(ge=0.0)] | None = None
    t_sent_boot_s: Annotated[float, Field(ge=0.0)] | None = None
    clock: ClockStamp
    simulated: bool
    body: Body

    @model_validator(mode="after")
    def _has_an_instant(self) -> Self:
        if self.t_event_utc is None and self.t_event_boot_s is None:
            raise ValueError(
                "t_event_utc, or t_event_boot_s before the first clock sync, is needed"
            )
        return self
