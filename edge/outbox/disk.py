"""The outbox's file, and the bytes kept free beside it for the day the disk is full."""

import os
import sqlite3
from datetime import datetime, timezone
from pathlib import Path

from runtime.errors import AskOperator
from runtime.log import get_logger

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE message (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER,
    id TEXT NOT NULL UNIQUE,
    rank INTEGER NOT NULL,
    kind TEXT NOT NULL,
    parameter TEXT NOT NULL,
    track_id TEXT NOT NULL,
    body BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    t_event_ms INTEGER,
    t_event_boot_s REAL NOT NULL,
    boot_id TEXT NOT NULL,
    clock_source TEXT NOT NULL,
    clock_error_s REAL
) STRICT;
-- Partial, so that SQLite never walks all unsent messages as "those whose seq is NULL".
CREATE UNIQUE INDEX message_seq ON message (seq) WHERE seq IS NOT NULL;
CREATE INDEX message_unsent ON message (rank, row) WHERE seq IS NULL;
CREATE INDEX message_track ON message (track_id, rank) WHERE seq IS NULL;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE command (id TEXT PRIMARY KEY, forget_after_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""


def _reserve_call(handle: int, size: int) -> None:
    """Take real blocks, not a hole."""
    os.posix_fallocate(handle, 0, size)


class Reserve:
    """A file that only takes up room; given up when the disk is full, so that key messages fit.

    Args:
        path: Of the file.
        size_bytes: How much it holds free.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size_bytes = size_bytes

    @property
    def whole(self) -> bool:
        """Whether it holds all its room."""
        try:
            return self._path.stat().st_size >= self._size_bytes
        except FileNotFoundError:
            return False

    def restore(self) -> bool:
        """Take the room again, if the disk has twice as much; whether it is whole now."""
        if self.whole:
            return True
        room = os.statvfs(self._path.parent)
        if room.f_bavail * room.f_frsize < 2 * self._size_bytes:
            return False
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            _reserve_call(handle, self._size_bytes)
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, 0)
            return False
        finally:
            os.close(handle)
        return True

    def release(self) -> bool:
        """Give the room to the disk; False when there was none to give."""
        try:
            if self._path.stat().st_size == 0:
                return False
        except FileNotFoundError:
            return False
        os.truncate(self._path, 0)
        return True


def connect(path: Path) -> sqlite3.Connection:
    """Open the file with the promises of the outbox: a commit survives a power cut.

    Raises:
        sqlite3.DatabaseError: It is no database, or a broken one.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -4096")
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;")
    except sqlite3.Error:
        db.close()
        raise
    if found not in {0, _SCHEMA_VERSION}:
        db.close()
        raise _other_version(path, found)
    return db


def _other_version(path: Path, found: int) -> AskOperator:
    return AskOperator(
        field=str(path),
        value=f"version {found}",
        allowed=f"version {_SCHEMA_VERSION}",
        next_step="run the program that wrote it until it is empty, then move it away",
    )


def open_database(
    folder: Path, *, reserve_bytes: int, now_utc: datetime
) -> tuple[sqlite3.Connection, Reserve]:
    """Open or make the outbox of a node.

    A file that is no database any more is kept beside the new one: a node on a mast goes on, and
    says so.

    Raises:
        AskOperator: The folder cannot be written, or the file belongs to another version.
    """
    path = folder / "outbox.db"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            db = connect(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or not path.exists():
                raise
            stamp = now_utc.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
            aside = path.with_name(f"outbox.broken-{stamp}.db")
            path.rename(aside)
            for leftover in ("-wal", "-shm"):
                path.with_name(path.name + leftover).unlink(missing_ok=True)
            get_logger(worker="outbox").critical(
                "outbox_broken", kept_as=str(aside), reason=str(error)
            )
            db = connect(path)
    except (OSError, sqlite3.OperationalError) as error:
        raise AskOperator(
            field=str(path),
            value=str(error),
            allowed="a folder this user may write, with free space",
            next_step="make it, or set node.data_dir to another",
        ) from None
    reserve = Reserve(folder / "outbox.reserve", reserve_bytes)
    if not reserve.restore():
        get_logger(worker="outbox").error("outbox_reserve_not_taken", bytes=reserve_bytes)
    return db, reserve


def is_full(error: sqlite3.Error) -> bool:
    """Whether SQLite refused for want of room (or because the disk refuses to write at all)."""
    return isinstance(error, sqlite3.OperationalError) and (
        "full" in str(error) or "disk I/O" in str(error)
    )
