"""What the commands of `border-ground` share: options, errors as exit codes, an open store."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.errors import AskOperator, BorderWatchError, RetryLater

if TYPE_CHECKING:
    from ground_station.auth import People
    from ground_station.config import GroundConfig
    from ground_station.store import Store

Config = Annotated[Path, typer.Option("--config", "-c", help="The station's TOML file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_CONFIG = Path("station.toml")


def say(text: str) -> None:
    """Talk goes to stderr."""
    typer.echo(text, err=True)


@contextmanager
def answering() -> Iterator[None]:
    """Errors become one clear sentence and an exit code."""
    try:
        yield
    except AskOperator as error:
        say(str(error))
        raise typer.Exit(2) from None
    except RetryLater as error:
        say(str(error))
        raise typer.Exit(3) from None
    except BorderWatchError as error:
        say(str(error))
        raise typer.Exit(1) from None
    except OSError as error:
        say(f"{error.filename or 'file'}: {error.strerror}; check the path and its permissions")
        raise typer.Exit(1) from None


def load_config(path: Path) -> "GroundConfig":
    """Read the station's settings."""
    from ground_station.config import GroundConfig
    from runtime.settings import load

    return load(path, GroundConfig).model


@contextmanager
def opened(path: Path) -> "Iterator[tuple[GroundConfig, Store]]":
    """Settings and database, closed at the end."""
    from ground_station.app import open_store

    config = load_config(path)
    store = open_store(config)
    try:
        yield config, store
    finally:
        store.close()


@contextmanager
def with_people(path: Path) -> "Iterator[tuple[GroundConfig, People]]":
    """Settings and users."""
    from ground_station.auth import People
    from runtime.clock import SystemClock

    with opened(path) as (config, store):
        yield config, People(store=store, clock=SystemClock(), settings=config.http)


def actor() -> str:
    """Who sits at this command line, for the audit."""
    return f"cli:{getpass.getuser()}"
