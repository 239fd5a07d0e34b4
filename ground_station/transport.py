"""The station's door to a broker: bytes in, bytes out; MQTT over paho is one, a simulated link another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Bytes from a topic, with the moment they came in.

    Attributes:
        topic: as the broker named it; not yet believed.
        payload: as it came; not yet believed.
        retained: a copy that the broker kept, so no sign of life.
        t_monotonic_s: arrival on our monotonic clock.
    """

    topic: str
    payload: bytes
    retained: bool
    t_monotonic_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to publish."""

    topic: str
    payload: bytes
    qos: Literal[0, 1]
    retain: bool = False
    expiry_s: int | None = None


class Transport(Protocol):
    """All methods return at once, except `wait`. Nothing is queued while disconnected."""

    def open(self, subscriptions: Sequence[tuple[str, int]]) -> None:
        """Start connecting and keep reconnecting; subscriptions are renewed at each connection."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the broker accepted us and the subscriptions are in place."""
        ...

    @property
    def connections(self) -> int:
        """Connections made so far; a change means: retained messages of ours may be gone."""
        ...

    def publish(self, message: Outgoing) -> bool:
        """Hand over one message; False when it was not taken (disconnected or full)."""
        ...

    def take(self, limit: int) -> list[Arrived]:
        """What arrived, oldest first, at most `limit`."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Sleep until something has arrived or the time is over; True when something is there."""
        ...

    @property
    def dropped(self) -> int:
        """Messages that came faster than they were taken away; nodes send them again."""
        ...
