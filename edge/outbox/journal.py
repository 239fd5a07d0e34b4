"""What lies under the outbox: one SQLite file, its commits, its counters, and the full disk.

A commit comes a tenth of a second after the first change, or at once where somebody asks. When the
disk takes nothing, the open transaction is undone, what stands on disk is read again, and only key
messages may give up the reserve and try once more.
"""

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from edge.outbox.disk import is_full, open_database
from edge.outbox.items import Counters
from runtime.clock import Clock
from runtime.log import get_logger

COMMIT_EVERY_S = 0.1
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
T = TypeVar("T")


@dataclass(slots=True)
class Sent:
    """A message on its way: when it was handed over, and whether the broker has it."""

    at_s: float
    acknowledged: bool = False


class DiskFullError(Exception):
    """The disk took nothing; the open transaction was undone and the state read again."""


class Journal:
    """The file and what is remembered of it in memory; see `edge.outbox.queue.Outbox`.

    Args:
        folder: Where `outbox.db` and its reserve lie; made if absent.
        clock: For the time between commits.
        reserve_bytes: Held free for key messages.
    """

    def __init__(self, folder: Path, *, clock: Clock, reserve_bytes: int) -> None:
        self._clock = clock
        self._log = get_logger(worker="outbox")
        self._lock = threading.RLock()
        self._db, self._reserve = open_database(
            folder, reserve_bytes=reserve_bytes, now_utc=clock.utc()
        )
        self._dirty_since_s: float | None = None
        self._uncommitted = 0
        self._bumped: dict[str, int] = {}
        """By how much the open transaction raised each counter; undone with it."""
        self._count: dict[str, int] = dict.fromkeys(Counters.__slots__, 0)
        self._sent: dict[int, Sent | None] = {}
        """Numbers sent and not yet receipted; None is due again at once."""
        self._next_seq = 1
        self._bytes = 0
        self._depth = 0
        self._read_state()

    def _read_state(self) -> None:
        """Take what stands on disk for the truth."""
        stored = dict(self._db.execute("SELECT name, value FROM counter"))
        # Losses that could not be written on a full disk still count in this run.
        self._count = {
            name: max(count, int(stored.get(name, 0))) for name, count in self._count.items()
        }
        self._next_seq = int(stored.get("next_seq", 1))
        row = self._db.execute("SELECT COALESCE(SUM(bytes), 0), COUNT(*) FROM message").fetchone()
        self._bytes, self._depth = int(row[0]), int(row[1])
        known = self._sent
        numbers = self._db.execute("SELECT seq FROM message WHERE seq IS NOT NULL ORDER BY seq")
        self._sent = {seq: known.get(seq) for (seq,) in numbers}

    @property
    def counters(self) -> Counters:
        """What became of all messages."""
        with self._lock:
            return Counters(**self._count)

    @property
    def depth(self) -> int:
        """Messages on disk."""
        return self._depth

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the messages on disk."""
        return self._bytes

    def flush(self, *, force: bool = False) -> None:
        """Commit what is not on disk yet, if it is a tenth of a second old or `force`."""
        with self._lock:
            try:
                self._commit_due(force=force)
            except DiskFullError:
                return  # Only plain messages wait for a later commit; they are counted.

    def _commit_due(self, *, force: bool = False) -> None:
        if self._dirty_since_s is None:
            return
        if force or self._clock.monotonic_s() - self._dirty_since_s >= COMMIT_EVERY_S:
            try:
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._undo(error)
            self._dirty_since_s = None
            self._uncommitted = 0
            self._bumped.clear()

    def _on_reserve(self, work: Callable[[], T]) -> T:
        """Do what key messages need; on a full disk, once more with the reserve given up."""
        try:
            return work()
        except DiskFullError as error:
            if not self._reserve.release():
                raise
            self._log.error("outbox_reserve_opened", reason=str(error))
            return work()

    def close(self) -> None:
        """Commit and let go of the file."""
        with self._lock:
            self.flush(force=True)
            self._db.close()

    # --- commands that were seen ------------------------------------------------------------------
    def remember_command(self, command_id: str, *, forget_after_utc: datetime) -> bool:
        """Note a command's id on disk.

        Returns:
            Whether it is new; False means that it was seen before, or could not be noted: a
            command that might be obeyed twice is not obeyed at all.
        """
        with self._lock:
            values = (command_id, milliseconds(forget_after_utc))
            try:
                return self._on_reserve(lambda: self._note_command(values))
            except DiskFullError:
                return False

    def _note_command(self, values: tuple[str, int]) -> bool:
        noted = self._write(
            "INSERT OR IGNORE INTO command (id, forget_after_ms) VALUES (?, ?)", values
        )
        self._commit_due(force=True)
        return noted.rowcount > 0

    def forget_commands(self, now_utc: datetime) -> int:
        """Drop the ids whose time is over; how many."""
        with self._lock:
            late = (milliseconds(now_utc),)
            query = "SELECT COUNT(*) FROM command WHERE forget_after_ms < ?"
            gone = int(self._db.execute(query, late).fetchone()[0])
            if gone:
                try:
                    self._write("DELETE FROM command WHERE forget_after_ms < ?", late)
                except DiskFullError:
                    return 0
                self.flush()
            return gone

    def _write(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            if self._dirty_since_s is None:
                self._db.execute("BEGIN IMMEDIATE")
                self._dirty_since_s = self._clock.monotonic_s()
            return self._db.execute(statement, values)
        except sqlite3.OperationalError as error:
            self._undo(error)

    def _undo(self, error: sqlite3.OperationalError) -> NoReturn:
        """SQLite may have rolled back by itself on a full disk; make it certain, then look again."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._dirty_since_s = None
        if not is_full(error):
            raise error
        for name, by in self._bumped.items():
            self._count[name] -= by
        self._bumped.clear()
        self._read_state()
        self._count["dropped_plain"] += self._uncommitted
        self._uncommitted = 0
        raise DiskFullError(str(error)) from None

    def _bump(self, name: str, by: int = 1) -> None:
        if by:
            self._count[name] += by
            self._bumped[name] = self._bumped.get(name, 0) + by
            self._set(name, self._count[name])

    def _set(self, name: str, value: int) -> None:
        self._write("INSERT OR REPLACE INTO counter VALUES (?, ?)", (name, value))


def milliseconds(utc: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (utc - EPOCH) // timedelta(milliseconds=1)
