"""From bytes on a topic to a message that may be believed, or a refusal with its reason. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ground_station.transport import Arrived
from wire import codec, topics
from wire.envelope import Envelope
from wire.messages import ClipAnnouncement

MAX_INTEGER = 2**53
"""Larger numbers are no numbers of ours: other JSON readers would round them, databases refuse them."""
CLOCK_WORTHLESS_S = 3600.0
"""A node that says its clock may be this wrong is filed by arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A decoded message.

    Attributes:
        name: row of `wire.topics`.
        node_id: from the topic, and the envelope says the same; for `friend` the friend.
        retained: a copy the broker kept: no sign of life.
        unknown_fields: how many fields this version does not know.
    """

    name: str
    node_id: str
    retained: bool
    envelope: Envelope[Any]
    unknown_fields: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Bytes that were not let in.

    Attributes:
        reason: a stable word for counters.
        detail: what was wrong, for the log.
        topic: where it came, shortened.
        node_id: the sender by topic; empty when the topic says nothing.
        settled_seq: the running number that this refusal settles: a message that can never be read
            would otherwise hold the node's outbox for ever. None when an update of this station, or
            of its config, could make the message readable.
    """

    reason: str
    detail: str
    topic: str
    node_id: str = ""
    settled_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """When a message is filed.

    Attributes:
        t_event_utc: capture as believed.
        by_arrival: the node's clock was not to be believed.
        late: longer after capture than the site allows.
    """

    t_event_utc: datetime
    by_arrival: bool
    late: bool


def _settled_seq(arrived: Arrived, *, node_id: str, max_bytes: int) -> int | None:
    """The running number of a message whose frame can be read although its body cannot."""
    try:
        raw = codec.parse_json(arrived.payload, max_bytes=max_bytes)
    except codec.Refused:
        return None
    seq = raw.get("seq")
    plain = isinstance(seq, int) and not isinstance(seq, bool) and 1 <= seq < MAX_INTEGER
    return seq if plain and raw.get("node_id") == node_id else None


def decode(arrived: Arrived, *, site_id: str, allow_simulated: bool) -> Message | Refusal:
    """Look at what arrived; never raises on any bytes.

    Args:
        arrived: topic and payload as they came.
        site_id: other sites are refused.
        allow_simulated: whether simulated nodes may speak here.
    """
    shown = arrived.topic[:200]
    try:
        topic = topics.parse(arrived.topic)
    except topics.UnknownTopic as error:
        return Refusal(reason="unknown_topic", detail=str(error), topic=shown)
    spec = topic.spec
    node_id = topic.values.get("node") or topic.values.get("friend", "")
    if spec.direction not in {"up", "in"} or topic.values["site"] != site_id:
        return Refusal(
            reason="foreign_topic",
            detail=f"this station hears {site_id}, upwards only",
            topic=shown,
            node_id=node_id,
        )
    try:
        decoded = codec.decode(arrived.payload, spec=spec)
    except codec.Refused as refused:
        final = refused.reason in {"invalid", "unknown_field"} and spec.outbox
        return Refusal(
            reason=refused.reason,
            detail=refused.detail,
            topic=shown,
            node_id=node_id,
            settled_seq=_settled_seq(arrived, node_id=node_id, max_bytes=spec.max_bytes)
            if final
            else None,
        )
    envelope = decoded.message
    unkeepable = _unkeepable(arrived.payload, spec.name, envelope)
    if unkeepable:
        seq = envelope.seq if (envelope.seq or 0) < MAX_INTEGER else None
        return Refusal(
            reason="invalid", detail=unkeepable, topic=shown, node_id=node_id, settled_seq=seq
        )
    if envelope.node_id != node_id:
        return Refusal(
            reason="wrong_node",
            detail=f"the envelope says {envelope.node_id}, the topic {node_id}",
            topic=shown,
            node_id=node_id,
        )
    sensor = topic.values.get("sensor")
    said = _said_sensor(spec.name, envelope)
    if sensor is not None and said != sensor:
        return Refusal(
            reason="wrong_sensor",
            detail=f"the body says sensor {said}, the topic {sensor}",
            topic=shown,
            node_id=node_id,
            settled_seq=envelope.seq,
        )
    if envelope.simulated and not allow_simulated:
        return Refusal(
            reason="simulated",
            detail="this station refuses simulated nodes; [station] allow_simulated = true lets "
            "them in on a station for exercises",
            topic=shown,
            node_id=node_id,
        )
    return Message(
        name=spec.name,
        node_id=node_id,
        retained=arrived.retained,
        envelope=envelope,
        unknown_fields=len(decoded.unknown_fields),
    )


def _unkeepable(payload: bytes, name: str, envelope: Envelope[Any]) -> str:
    """Why no database could keep this message although its model allows it; empty when one can."""
    if b"\\u0000" in payload:
        return "a text holds the character NUL"
    numbers = [envelope.seq or 0]
    if name == "health":
        numbers.append(envelope.body.outbox.oldest_seq or 0)
    if name == "media" and isinstance(envelope.body.media, ClipAnnouncement):
        numbers.append(envelope.body.media.size_bytes)
    if max(numbers) >= MAX_INTEGER:
        return f"{max(numbers)} is too large; whole numbers stay below 2^53"
    return ""


def _said_sensor(name: str, envelope: Envelope[Any]) -> str:
    sensor: str = envelope.body.sensor_id if name == "obs" else ""
    if name == "media":
        sensor = envelope.body.media.sensor_id
    return sensor


def file_by(
    envelope: Envelope[Any],
    *,
    t_arrival_utc: datetime,
    late_after_s: float,
    future_tolerance_s: float,
) -> Filed:
    """When to file a message: by capture where the node's clock can be believed, else by arrival.

    A node that never had the time states seconds since boot; the difference between event and
    sending is still true then, so that much is taken off the arrival.
    """
    t_event = envelope.t_event_utc
    clock = envelope.clock
    believed = (
        t_event is not None
        and clock.source != "boot"
        and (clock.error_s is None or clock.error_s < CLOCK_WORTHLESS_S)
    )
    if t_event is not None and believed:
        ahead_s = (t_event - t_arrival_utc).total_seconds()
        if ahead_s <= future_tolerance_s + (clock.error_s or 0.0):
            late = -ahead_s > late_after_s
            return Filed(t_event_utc=t_event, by_arrival=False, late=late)
    waited_s = 0.0
    if envelope.t_event_boot_s is not None and envelope.t_sent_boot_s is not None:
        waited_s = max(0.0, envelope.t_sent_boot_s - envelope.t_event_boot_s)
    elif t_event is not None and envelope.t_sent_utc is not None:
        waited_s = max(0.0, (envelope.t_sent_utc - t_event).total_seconds())
    waited_s = min(waited_s, 30 * 86_400.0)
    return Filed(
        t_event_utc=t_arrival_utc - timedelta(seconds=waited_s),
        by_arrival=True,
        late=waited_s > late_after_s,
    )


def worth_keeping(arrived: Sequence[Arrived]) -> list[Arrived]:
    """The newest per topic of what waits in no node's outbox, in order of arrival.

    Bounded by the batch it comes from. Marked as retained: by the time it is filed it is no sign of
    life any more.
    """
    newest: dict[str, Arrived] = {}
    for one in arrived:
        try:
            spec = topics.parse(one.topic).spec
        except topics.UnknownTopic:
            continue
        if not spec.outbox:
            newest.pop(one.topic, None)
            newest[one.topic] = replace(one, retained=True)
    return list(newest.values())
