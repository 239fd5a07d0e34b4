"""What the station forgets: everything that grows has an end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ground_station.store import tables as t
from ground_station.store.rows import to_ms

PIECE = 5000
"""Rows deleted in one transaction, so that a large clean-up never holds the writer for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """Everything older goes."""

    observations_utc: datetime
    media_utc: datetime
    health_utc: datetime
    answers_utc: datetime
    now_utc: datetime


def forget_rows(tx: sa.Connection, cutoffs: Cutoffs) -> dict[str, int]:
    """Delete one piece of what is too old; how many rows of which table went."""
    plan = (
        (t.observations.c.id, t.observations.c.t_arrival_utc_ms, cutoffs.observations_utc),
        (t.links.c.track_id, t.links.c.t_utc_ms, cutoffs.observations_utc),
        (t.findings.c.finding_id, t.findings.c.t_event_utc_ms, cutoffs.observations_utc),
        (t.received.c.id, t.received.c.t_arrival_utc_ms, cutoffs.observations_utc),
        (t.health.c.id, t.health.c.t_arrival_utc_ms, cutoffs.health_utc),
        (t.births.c.id, t.births.c.t_arrival_utc_ms, cutoffs.observations_utc),
        (t.sessions.c.token_sha256, t.sessions.c.t_expires_utc_ms, cutoffs.now_utc),
        (t.login_links.c.token_sha256, t.login_links.c.t_expires_utc_ms, cutoffs.now_utc),
    )
    gone: dict[str, int] = {}
    for key, stamp, before in plan:
        old = sa.select(key).where(stamp < to_ms(before)).limit(PIECE)
        done = tx.execute(sa.delete(key.table).where(key.in_(old)))
        if done.rowcount:
            gone[key.table.name] = done.rowcount
    i = t.idempotency
    done = tx.execute(sa.delete(i).where(i.c.t_utc_ms < to_ms(cutoffs.answers_utc)))
    if done.rowcount:
        gone["idempotency"] = done.rowcount
    return gone


def pictures_to_forget(
    tx: sa.Connection, *, older_than_utc: datetime, max_bytes: int, limit: int = PIECE
) -> list[tuple[str, str]]:
    """(media id, hash) of pictures that are too old, then of the oldest beyond the size limit.

    What an open alert shows is kept whatever it costs.
    """
    shown = set()
    open_alerts = sa.select(t.alerts.c.view_json).where(t.alerts.c.state != "closed")
    from ground_station.views import AlertView

    for text in tx.execute(open_alerts).scalars():
        shown |= set(AlertView.model_validate_json(text).media_ids)
    m = t.media
    total = tx.execute(sa.select(sa.func.sum(m.c.size_bytes)).where(m.c.on_disk)).scalar() or 0
    query = (
        sa.select(m.c.media_id, m.c.sha256, m.c.size_bytes, m.c.t_arrival_utc_ms)
        .where(m.c.on_disk)
        .order_by(m.c.t_arrival_utc_ms, m.c.media_id)
    )
    found: list[tuple[str, str]] = []
    for row in tx.execute(query):
        if len(found) >= limit:
            break
        if row.t_arrival_utc_ms >= to_ms(older_than_utc) and total <= max_bytes:
            break
        if row.media_id not in shown:
            found.append((row.media_id, row.sha256))
            total -= row.size_bytes
    return found


def forget_pictures(tx: sa.Connection, media_ids: Sequence[str]) -> set[str]:
    """Delete the rows; hashes that no other row shows any more, whose files may go."""
    m = t.media
    hashes = set(tx.execute(sa.select(m.c.sha256).where(m.c.media_id.in_(media_ids))).scalars())
    tx.execute(sa.delete(m).where(m.c.media_id.in_(media_ids)))
    kept = set(
        tx.execute(sa.select(m.c.sha256).where(m.c.sha256.in_(hashes), m.c.on_disk)).scalars()
    )
    return hashes - kept
