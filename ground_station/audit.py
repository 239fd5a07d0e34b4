"""The audit's chain: each row carries the hash of the one before, so that nothing changes unseen.

Pure: rows in, hashes out; `ground_station.store.chain` keeps them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS_SHA256 = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One act: who did what to what, when.

    Attributes:
        number: from 1 without a gap.
        t_utc: RFC 3339 UTC text with milliseconds.
        actor: a user, `system`, or the name of a command line user.
        act: what was done, one word or two with a dot.
        subject: what it was done to.
        detail_json: canonical JSON of the rest.
        previous_sha256: hash of the row before, zeros for the first.
        sha256: hash of this row.
    """

    number: int
    t_utc: str
    actor: str
    act: str
    subject: str
    detail_json: str
    previous_sha256: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check of the chain found.

    Attributes:
        rows: how many were read.
        head_sha256: hash of the last row that was read; worth writing down elsewhere.
        problem: empty when the chain is whole, else the first thing wrong.
    """

    rows: int
    head_sha256: str
    problem: str


def canonical(detail: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no spaces."""
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def row_sha256(
    *,
    number: int,
    t_utc: str,
    actor: str,
    act: str,
    subject: str,
    detail_json: str,
    previous_sha256: str,
) -> str:
    """Hash over all fields of a row and the hash before it."""
    text = json.dumps(
        [number, t_utc, actor, act, subject, detail_json, previous_sha256],
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def next_row(
    *,
    number: int,
    t_utc: str,
    actor: str,
    act: str,
    subject: str,
    detail: Mapping[str, Any],
    previous_sha256: str,
) -> AuditRow:
    """The row that follows `previous_sha256`."""
    detail_json = canonical(detail)
    return AuditRow(
        number=number,
        t_utc=t_utc,
        actor=actor,
        act=act,
        subject=subject,
        detail_json=detail_json,
        previous_sha256=previous_sha256,
        sha256=row_sha256(
            number=number,
            t_utc=t_utc,
            actor=actor,
            act=act,
            subject=subject,
            detail_json=detail_json,
            previous_sha256=previous_sha256,
        ),
    )


def verify(rows: Iterable[AuditRow], *, head_number: int, head_sha256: str) -> Verdict:
    """Walk the chain from its first row.

    Args:
        rows: all rows in order of their number.
        head_number: number of the last row that was ever written.
        head_sha256: its hash.
    """
    expected_number, previous = 1, GENESIS_SHA256
    for row in rows:
        problem = ""
        if row.number != expected_number:
            problem = f"row {expected_number} is missing, {row.number} stands in its place"
        elif row.previous_sha256 != previous:
            problem = f"row {row.number} does not follow row {row.number - 1}"
        elif row.sha256 != row_sha256(
            number=row.number,
            t_utc=row.t_utc,
            actor=row.actor,
            act=row.act,
            subject=row.subject,
            detail_json=row.detail_json,
            previous_sha256=row.previous_sha256,
        ):
            problem = f"row {row.number} was changed after it was written"
        if problem:
            return Verdict(rows=expected_number - 1, head_sha256=previous, problem=problem)
        expected_number, previous = expected_number + 1, row.sha256
    rows_read = expected_number - 1
    if (rows_read, previous) != (head_number, head_sha256):
        return Verdict(
            rows=rows_read,
            head_sha256=previous,
            problem=f"the chain ends at row {rows_read}, but row {head_number} was written",
        )
    return Verdict(rows=rows_read, head_sha256=previous, problem="")
