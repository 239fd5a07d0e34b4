"""Every version of the zones that was ever issued."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ground_station.store import tables as t
from ground_station.store.rows import to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredZones:
    """One version."""

    version: int
    content_sha256: str
    document_text: str


def newest(tx: sa.Connection) -> StoredZones | None:
    """The version in force."""
    query = sa.select(t.zones_versions).order_by(t.zones_versions.c.version.desc()).limit(1)
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    return StoredZones(
        version=row.version, content_sha256=row.content_sha256, document_text=row.document_text
    )


def add(
    tx: sa.Connection,
    *,
    version: int,
    content_sha256: str,
    document_sha256: str,
    document_text: str,
    t_utc: datetime,
) -> None:
    """Issue the next version."""
    tx.execute(
        sa.insert(t.zones_versions).values(
            version=version,
            content_sha256=content_sha256,
            document_sha256=document_sha256,
            t_utc_ms=to_ms(t_utc),
            document_text=document_text,
        )
    )
