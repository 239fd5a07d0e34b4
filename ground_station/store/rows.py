"""Small things every query shares: instants as milliseconds, and an upsert that any database takes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import sqlalchemy as sa

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_CHUNK = 500
T = TypeVar("T")


def to_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970 UTC."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def from_ms(value: int) -> datetime:
    """Aware UTC."""
    return _EPOCH + timedelta(milliseconds=value)


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Pieces small enough for the bound parameters of any database."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def upsert(tx: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
    """Update the row with this primary key, or insert it; there is one writer at a time."""
    keys = [column.name for column in table.primary_key.columns]
    where = sa.and_(*(table.c[key] == row[key] for key in keys))
    rest = {name: value for name, value in row.items() if name not in keys}
    if tx.execute(sa.update(table).where(where).values(**rest)).rowcount == 0:
        tx.execute(sa.insert(table).values(**row))


def existing(tx: sa.Connection, column: sa.Column[str], values: Iterable[str]) -> set[str]:
    """Which of the values stand in the column already."""
    found: set[str] = set()
    for piece in chunks(list(values)):
        found |= set(tx.execute(sa.select(column).where(column.in_(piece))).scalars())
    return found
