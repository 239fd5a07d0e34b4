"""Opens the database: one writer at a time, readers beside it, and the schema brought up to date."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError

from runtime.errors import AskOperator, RetryLater

Transaction = sa.Connection
"""What queries run in; its owner decides when it ends."""
_WRITES = "border_watch_writes"
BUSY_TIMEOUT_MS = 10_000


class StoreUnavailable(RetryLater):
    """The database cannot be used now: full disk, lost connection, locked for too long."""


def _sqlite_connect(connection: Any, _record: Any) -> None:
    """WAL for readers beside the writer; FULL, because a receipt is a promise over power cuts."""
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Store:
    """The database of one station.

    Args:
        url: SQLAlchemy URL: `sqlite:////absolute/path` or `postgresql+psycopg://user@host/name`.
        password: for PostgreSQL; never part of a message.
    """

    def __init__(self, url: str, *, password: str | None = None) -> None:
        try:
            parsed = make_url(url)
            if password is not None:
                parsed = parsed.set(password=password)
            self._engine = sa.create_engine(parsed, future=True)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise AskOperator(
                field="store.url",
                value=parsed.render_as_string() if "parsed" in locals() else url,
                allowed="sqlite:///PATH, or postgresql+psycopg://USER@HOST/NAME with psycopg installed",
                next_step=f"correct the URL ({error})",
            ) from None
        self.shown_url = parsed.render_as_string(hide_password=True)
        self._writing = self._engine.execution_options(**{_WRITES: True})
        self._lock = threading.RLock()
        if parsed.get_backend_name() == "sqlite":
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            sa.event.listen(self._engine, "connect", _sqlite_connect)
            sa.event.listen(self._engine, "begin", _sqlite_begin)

    @property
    def engine(self) -> sa.Engine:
        """For migrations and tests."""
        return self._engine

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction that may write; all threads of this process take turns.

        Raises:
            StoreUnavailable: nothing of the transaction was kept.
        """
        with self._lock:
            try:
                with self._writing.connect() as connection, connection.begin():
                    yield connection
            except OperationalError as error:
                raise StoreUnavailable(
                    f"the database {self.shown_url} did not take a transaction ({error.orig})",
                    retry_after_s=1.0,
                ) from error

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view for reading.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except OperationalError as error:
            raise StoreUnavailable(
                f"the database {self.shown_url} did not answer ({error.orig})", retry_after_s=1.0
            ) from error

    def migrate(self) -> str:
        """Bring the schema to this program's version; an up-to-date one is left alone.

        Returns:
            The schema's revision.

        Raises:
            AskOperator: the database belongs to a newer program, or cannot be opened.
        """
        logging.getLogger("alembic").setLevel(logging.WARNING)  # Its plugins are no news.
        from alembic import command
        from alembic.config import Config
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory
        from alembic.util.exc import CommandError

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
        config.set_main_option("path_separator", "os")
        head = ScriptDirectory.from_config(config).get_current_head() or ""
        try:
            with self.write() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                return MigrationContext.configure(connection).get_current_revision() or ""
        except CommandError as error:
            raise AskOperator(
                field=f"schema of {self.shown_url}",
                value=str(error),
                allowed=f"up to revision {head}",
                next_step="install the version of Border Watch that wrote this database, or newer",
            ) from None
        except SQLAlchemyError as error:
            raise AskOperator(
                field=f"database {self.shown_url}",
                value=str(error).splitlines()[0],
                allowed="a Border Watch database, or an empty one",
                next_step="check the URL, the permissions and the free space",
            ) from None

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()
