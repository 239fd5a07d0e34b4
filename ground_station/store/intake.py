"""What came from nodes: observations, pictures, births, health, and which numbers are committed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ground_station.store import tables as t
from ground_station.store.rows import existing, from_ms, to_ms, upsert
from wire.messages import Birth, Health, Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObservation:
    """One observation as it was committed."""

    message_id: str
    node_id: str
    t_event_utc: datetime
    t_arrival_utc: datetime
    filed_by_arrival: bool
    late: bool
    simulated: bool
    body: Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNode:
    """A node as last heard before a restart."""

    node_id: str
    session: str | None
    simulated: bool
    birth: Birth | None
    state: str
    state_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMedia:
    """A picture on disk."""

    media_id: str
    kind: str
    sha256: str
    size_bytes: int
    track_id: str | None
    simulated: bool


def known_ids(tx: sa.Connection, *, observations: Sequence[str], others: Sequence[str]) -> set[str]:
    """Which message ids were committed before."""
    found = existing(tx, t.observations.c.id, observations) if observations else set()
    return found | (existing(tx, t.received.c.id, others) if others else set())


def add_observations(tx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows whose ids are new (see `known_ids`)."""
    if rows:
        tx.execute(sa.insert(t.observations), list(rows))


def add_received(tx: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember ids of outbox messages that are no observations."""
    if rows:
        tx.execute(sa.insert(t.received), list(rows))


def observation_row(
    *,
    message_id: str,
    node_id: str,
    seq: int | None,
    body: Observation,
    t_event_utc: datetime,
    t_arrival_utc: datetime,
    filed_by_arrival: bool,
    late: bool,
    simulated: bool,
) -> dict[str, Any]:
    """A row of `observations`."""
    return {
        "id": message_id,
        "node_id": node_id,
        "sensor_id": body.sensor_id,
        "track_id": body.track_id,
        "seq": seq,
        "phase": body.phase,
        "is_key": body.key,
        "object_class": body.object_class,
        "lon_deg": body.position.lon_deg if body.position else None,
        "lat_deg": body.position.lat_deg if body.position else None,
        "t_event_utc_ms": to_ms(t_event_utc),
        "t_arrival_utc_ms": to_ms(t_arrival_utc),
        "filed_by_arrival": filed_by_arrival,
        "late": late,
        "simulated": simulated,
        "body_json": body.model_dump_json(),
    }


def recent_observations(
    tx: sa.Connection, *, since_utc: datetime, limit: int
) -> list[StoredObservation]:
    """The newest `limit` observations committed since an instant, in the order of their commits."""
    o = t.observations
    newest = (
        sa.select(o)
        .where(o.c.t_arrival_utc_ms >= to_ms(since_utc))
        .order_by(o.c.t_arrival_utc_ms.desc(), o.c.id.desc())
        .limit(limit)
    )
    found = [
        StoredObservation(
            message_id=row.id,
            node_id=row.node_id,
            t_event_utc=from_ms(row.t_event_utc_ms),
            t_arrival_utc=from_ms(row.t_arrival_utc_ms),
            filed_by_arrival=row.filed_by_arrival,
            late=row.late,
            simulated=row.simulated,
            body=Observation.model_validate_json(row.body_json),
        )
        for row in tx.execute(newest)
    ]
    return found[::-1]


def last_arrival_utc(tx: sa.Connection) -> datetime | None:
    """When the newest observation was committed."""
    newest = tx.execute(sa.select(sa.func.max(t.observations.c.t_arrival_utc_ms))).scalar()
    return None if newest is None else from_ms(newest)


def count_observations(tx: sa.Connection, *, key_only: bool = False) -> int:
    """How many are kept."""
    query = sa.select(sa.func.count()).select_from(t.observations)
    if key_only:
        query = query.where(t.observations.c.is_key)
    return int(tx.execute(query).scalar_one())


# --- running numbers ------------------------------------------------------------------------------
def load_ranges(tx: sa.Connection) -> dict[str, list[tuple[int, int]]]:
    """Committed stretches of running numbers, by node, ascending."""
    found: dict[str, list[tuple[int, int]]] = {}
    query = sa.select(t.seq_ranges).order_by(t.seq_ranges.c.node_id, t.seq_ranges.c.first_seq)
    for row in tx.execute(query):
        found.setdefault(row.node_id, []).append((row.first_seq, row.last_seq))
    return found


def save_ranges(tx: sa.Connection, node_id: str, ranges: Iterable[tuple[int, int]]) -> None:
    """Replace the stretches of one node."""
    tx.execute(sa.delete(t.seq_ranges).where(t.seq_ranges.c.node_id == node_id))
    rows = [{"node_id": node_id, "first_seq": first, "last_seq": last} for first, last in ranges]
    if rows:
        tx.execute(sa.insert(t.seq_ranges), rows)


# --- nodes ----------------------------------------------------------------------------------------
def load_nodes(tx: sa.Connection) -> list[StoredNode]:
    """Every node ever heard of."""
    return [
        StoredNode(
            node_id=row.node_id,
            session=row.session,
            simulated=row.simulated,
            birth=Birth.model_validate_json(row.birth_json) if row.birth_json else None,
            state=row.state,
            state_reason=row.state_reason,
        )
        for row in tx.execute(sa.select(t.nodes).order_by(t.nodes.c.node_id))
    ]


def save_birth(
    tx: sa.Connection,
    *,
    message_id: str,
    node_id: str,
    birth: Birth,
    simulated: bool,
    t_arrival_utc: datetime,
) -> None:
    """The newest birth of a node, and its history; a birth heard again adds nothing."""
    text = birth.model_dump_json()
    upsert(
        tx,
        t.nodes,
        {
            "node_id": node_id,
            "session": birth.session,
            "simulated": simulated,
            "birth_json": text,
            "state": "online",
            "state_reason": "",
            "t_birth_utc_ms": to_ms(t_arrival_utc),
            "t_state_utc_ms": None,
        },
    )
    upsert(
        tx,
        t.births,
        {
            "id": message_id,
            "node_id": node_id,
            "session": birth.session,
            "t_arrival_utc_ms": to_ms(t_arrival_utc),
            "body_json": text,
        },
    )


def save_state(
    tx: sa.Connection, *, node_id: str, state: str, reason: str, t_arrival_utc: datetime
) -> None:
    """The newest state of a node whose birth is known."""
    tx.execute(
        sa.update(t.nodes)
        .where(t.nodes.c.node_id == node_id)
        .values(state=state, state_reason=reason, t_state_utc_ms=to_ms(t_arrival_utc))
    )


def save_health(
    tx: sa.Connection, *, message_id: str, node_id: str, body: Health, t_arrival_utc: datetime
) -> None:
    """One health report for the history."""
    upsert(
        tx,
        t.health,
        {
            "id": message_id,
            "node_id": node_id,
            "t_arrival_utc_ms": to_ms(t_arrival_utc),
            "body_json": body.model_dump_json(),
        },
    )


# --- pictures -------------------------------------------------------------------------------------
def add_media(tx: sa.Connection, row: Mapping[str, Any]) -> None:
    """One picture or announcement whose id is new."""
    tx.execute(sa.insert(t.media).values(**row))


def get_media(tx: sa.Connection, media_id: str) -> StoredMedia | None:
    """A picture that lies on disk."""
    query = sa.select(t.media).where(t.media.c.media_id == media_id, t.media.c.on_disk)
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    return StoredMedia(
        media_id=row.media_id,
        kind=row.kind,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        track_id=row.track_id,
        simulated=row.simulated,
    )


# --- commands -------------------------------------------------------------------------------------
def add_command(tx: sa.Connection, row: Mapping[str, Any]) -> None:
    """A command that is about to be published."""
    tx.execute(sa.insert(t.commands).values(**row))


def save_answer(
    tx: sa.Connection, *, command_id: str, node_id: str, status: str, reason: str
) -> bool:
    """What the node answered; False when that node was never given the command."""
    done = tx.execute(
        sa.update(t.commands)
        .where(t.commands.c.command_id == command_id, t.commands.c.node_id == node_id)
        .values(status=status, reason=reason)
    )
    return done.rowcount > 0


def get_command(tx: sa.Connection, command_id: str) -> Mapping[str, Any] | None:
    """A command with its newest answer."""
    query = sa.select(t.commands).where(t.commands.c.command_id == command_id)
    row = tx.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)
