"""What goes into the outbox and what comes out of it, and the order of what matters."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from wire.values import WireModel

Kind = Literal["obs", "ack", "media", "clip"]
KEY, ACK, CROP, PLAIN, CLIP = range(5)
NEVER_DROPPED = frozenset({KEY, ACK})
DROP_ORDER = (CLIP, CROP, PLAIN)
LANES: tuple[tuple[bool, int], ...] = (
    (True, KEY),
    (True, ACK),
    (False, ACK),
    (True, CROP),
    (True, PLAIN),
    (False, KEY),
    (False, CROP),
    (False, PLAIN),
    (True, CLIP),
    (False, CLIP),
)
"""Order of sending, as (fresh, rank): fresh key observations first, then the backlog, clips last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message to queue.

    Attributes:
        id: ULID, by which the station tells repeats.
        kind: Row of the topic table.
        parameter: Value of the topic's last brace (sensor, hash); empty where it has none.
        body: What the envelope will carry.
        key: Never dropped for room.
        track_id: Track it speaks of; empty where it speaks of none.
        t_event_utc: Aware UTC of the event, None before the first clock sync.
        t_event_monotonic_s: The same instant on the monotonic clock.
    """

    id: str
    kind: Kind
    body: WireModel
    t_event_utc: datetime | None
    t_event_monotonic_s: float
    parameter: str = ""
    key: bool = False
    track_id: str = ""

    @property
    def rank(self) -> int:
        """Place in the order of what matters."""
        if self.kind == "obs":
            return KEY if self.key else PLAIN
        return {"ack": ACK, "media": CROP, "clip": CLIP}[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One message that is to be sent now.

    Attributes:
        seq: Its running number, on disk already.
        id: ULID, the same at every sending.
        kind: Row of the topic table.
        parameter: Value of the topic's last brace.
        body: JSON text of the envelope's body.
        t_event_utc: None as long as no clock sync gave it one.
        t_event_boot_s: The event on the monotonic clock of the boot that made it.
        boot_s_comparable: Whether that was the present boot.
        clock_source: Who kept the clock that stamped it.
        clock_error_s: How far that clock may have been wrong.
        again: Whether it was sent before.
    """

    seq: int
    id: str
    kind: Kind
    parameter: str
    body: bytes
    t_event_utc: datetime | None
    t_event_boot_s: float
    boot_s_comparable: bool
    clock_source: str
    clock_error_s: float | None
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What became of all messages since the outbox was made; kept over restarts.

    Attributes:
        sent: Given a number and handed to the transport.
        receipted: Freed by the station.
        resent: Handed over once more, for want of a receipt.
        superseded: Replaced unsent by a newer word on the same track.
        dropped_plain: Clips, crops and plain updates that went for want of room.
        lost_key: Key observations and acks that found no room even in the reserve.
        receipts_refused: Receipts for numbers that this outbox never gave.
    """

    sent: int = 0
    receipted: int = 0
    resent: int = 0
    superseded: int = 0
    dropped_plain: int = 0
    lost_key: int = 0
    receipts_refused: int = 0
