"""Keeps the audit: rows are only ever added, in the transaction of the act they tell of."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ground_station import audit
from ground_station.store import tables as t
from wire.values import rfc3339_ms

_PAGE = 1000


def append(
    tx: sa.Connection,
    *,
    t_utc: datetime,
    actor: str,
    act: str,
    subject: str,
    detail: Mapping[str, Any],
) -> audit.AuditRow:
    """Add a row at the end of the chain.

    The head row is taken for update first, so that two processes never follow the same row.
    """
    head = t.audit_head
    found = tx.execute(sa.select(head).where(head.c.only == 1).with_for_update()).one_or_none()
    row = audit.next_row(
        number=1 if found is None else found.number + 1,
        t_utc=rfc3339_ms(t_utc),
        actor=actor[:200],
        act=act[:64],
        subject=subject[:200],
        detail=detail,
        previous_sha256=audit.GENESIS_SHA256 if found is None else found.sha256,
    )
    tx.execute(
        sa.insert(t.audit).values(
            number=row.number,
            t_utc=row.t_utc,
            actor=row.actor,
            act=row.act,
            subject=row.subject,
            detail_json=row.detail_json,
            previous_sha256=row.previous_sha256,
            sha256=row.sha256,
        )
    )
    if found is None:
        tx.execute(sa.insert(head).values(only=1, number=row.number, sha256=row.sha256))
    else:
        tx.execute(
            sa.update(head).where(head.c.only == 1).values(number=row.number, sha256=row.sha256)
        )
    return row


def rows(tx: sa.Connection) -> Iterator[audit.AuditRow]:
    """Every row in order, a page at a time."""
    after = 0
    while True:
        query = (
            sa.select(t.audit)
            .where(t.audit.c.number > after)
            .order_by(t.audit.c.number)
            .limit(_PAGE)
        )
        page = tx.execute(query).all()
        for row in page:
            yield audit.AuditRow(
                number=row.number,
                t_utc=row.t_utc,
                actor=row.actor,
                act=row.act,
                subject=row.subject,
                detail_json=row.detail_json,
                previous_sha256=row.previous_sha256,
                sha256=row.sha256,
            )
        if len(page) < _PAGE:
            return
        after = page[-1].number


def verify(tx: sa.Connection) -> audit.Verdict:
    """Check the whole chain."""
    head = tx.execute(sa.select(t.audit_head).where(t.audit_head.c.only == 1)).one_or_none()
    return audit.verify(
        rows(tx),
        head_number=0 if head is None else head.number,
        head_sha256=audit.GENESIS_SHA256 if head is None else head.sha256,
    )
