"""`border-edge`: make a config, check it, run the node, look into its outbox.

Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 failed, 2 wrong input,
3 try later.
"""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge import cli_calibrate_heading, cli_calibrate_walk  # noqa: F401  # add their commands
from edge.cli_calibrate import app as calibrate_app
from runtime.errors import AskOperator, RetryLater
from runtime.settings import Loaded, SettingsError, commented_template, load, render_masked

if TYPE_CHECKING:
    from edge.config import NodeConfig

FAILED, WRONG_INPUT, TRY_LATER = 1, 2, 3
DEFAULT_CONFIG = Path("/etc/border-watch/edge.toml")

app = typer.Typer(
    name="border-edge",
    help="One node of Border Watch: cameras in, observations out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(calibrate_app)
ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The node's TOML file.", dir_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def _say(text: str) -> None:
    typer.echo(text, err=True)


@contextmanager
def explained() -> Iterator[None]:
    """Errors that a person can put right become one message and an exit code."""
    from models.registry import ModelError

    try:
        yield
    except SettingsError as error:
        _say(f"{len(error.problems)} problem(s):\n{error}")
        raise typer.Exit(WRONG_INPUT) from None
    except (AskOperator, ModelError) as error:
        _say(str(error))
        raise typer.Exit(WRONG_INPUT) from None
    except RetryLater as error:
        _say(str(error))
        raise typer.Exit(TRY_LATER) from None


def load_config(config: Path) -> "Loaded[NodeConfig]":
    """Read a node's config, with the environment that its networks need."""
    from edge.config import NodeConfig
    from edge.yolo import YOLO_ENVIRONMENT

    # Before anything may import ultralytics: no calls home, no installing of packages.
    os.environ.update(YOLO_ENVIRONMENT)  # noqa: TID251  # a cli module may
    return load(config, NodeConfig)


def version() -> str:
    """Of the installed program; a source tree that is not installed says so."""
    try:
        return metadata.version("border-watch")
    except metadata.PackageNotFoundError:
        return "0+source"


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("edge.toml"),
    *,
    board: Annotated[
        str, typer.Option(help="Start from a board's example instead: jetson or raspberry-pi.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented config to start from."""
    from edge.config import NodeConfig

    with explained():
        text = _board_text(board) if board else commented_template(NodeConfig)
        if path.exists() and not force:
            raise AskOperator(
                field=str(path),
                value="a file",
                allowed="a path where nothing is yet",
                next_step="choose another path, or pass --force",
            )
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise AskOperator(
                field=str(path),
                value=error.strerror,
                allowed="a path this user may write",
                next_step="choose another path",
            ) from None
    _say(f"wrote {path}; edit it, then run: border-edge check-config --config {path}")


def _board_text(board: str) -> str:
    import hardware

    folder = Path(hardware.__file__).parent / "boards"
    known = sorted(file.stem for file in folder.glob("*.toml"))
    if board not in known:
        raise AskOperator(
            field="--board", value=board, allowed=", ".join(known), next_step="choose one of these"
        )
    return (folder / f"{board}.toml").read_text(encoding="utf-8")


@app.command("check-config")
def check_config(config: ConfigOption = DEFAULT_CONFIG, *, as_json: JsonOption = False) -> None:
    """Say everything that is wrong with a config, at once."""
    try:
        with _explained_unless(as_json=as_json):
            loaded = load_config(config)
    except SettingsError as error:
        keys = ("file", "key", "value", "allowed", "next_step")
        rows = [{key: getattr(problem, key) for key in keys} for problem in error.problems]
        typer.echo(json.dumps({"ok": False, "problems": rows}, ensure_ascii=False))
        raise typer.Exit(WRONG_INPUT) from None
    if as_json:
        typer.echo(json.dumps({"ok": True, "sha256": loaded.sha256, "problems": []}))
    else:
        _say(f"{loaded.path} is right ({len(loaded.model.camera)} camera(s))")


@contextmanager
def _explained_unless(*, as_json: bool) -> Iterator[None]:
    if as_json:
        yield
    else:
        with explained():
            yield


@app.command("show-config")
def show_config(config: ConfigOption = DEFAULT_CONFIG, *, as_json: JsonOption = False) -> None:
    """Show what is in force, defaults included, secrets hidden, with its hash."""
    with explained():
        loaded = load_config(config)
    text = render_masked(loaded.model)
    if as_json:
        from runtime.settings import masked_data

        data = {"path": str(loaded.path), "sha256": loaded.sha256}
        typer.echo(json.dumps(data | {"config": masked_data(loaded.model)}, ensure_ascii=False))
    else:
        typer.echo(f"# {loaded.path}\n# sha256 {loaded.sha256}\n{text}", nl=False)


@app.command()
def doctor(config: ConfigOption = DEFAULT_CONFIG, *, as_json: JsonOption = False) -> None:
    """Probe what a config promises: clock, disk, keys, networks, cameras, broker."""
    with explained():
        loaded = load_config(config)
        from rich.console import Console

        from edge.doctor import examine
        from runtime import log
        from runtime.clock import SystemClock

        log.configure(json=False, level="ERROR")
        clock = SystemClock(stated_error_s=loaded.model.clock.stated_error_s)
        found = []
        with Console(stderr=True).status("looking"):
            for finding in examine(loaded.model, clock, pause=time.sleep):
                found.append(finding)
                if not as_json:
                    typer.echo(f"{finding.verdict:8} {finding.what:24} {finding.detail}")
    if as_json:
        keys = ("what", "verdict", "detail")
        rows = [{key: getattr(finding, key) for key in keys} for finding in found]
        typer.echo(json.dumps(rows, ensure_ascii=False))
    if any(finding.verdict == "failed" for finding in found):
        raise typer.Exit(FAILED)


@app.command()
def outbox(config: ConfigOption = DEFAULT_CONFIG, *, as_json: JsonOption = False) -> None:
    """Show what waits for the station, by kind, and what became of the rest."""
    with explained():
        loaded = load_config(config)
        from edge.outbox.look import look

        view = look(loaded.model.node.data_dir)
    if as_json:
        typer.echo(json.dumps(view))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("waiting", "messages", "never sent", "bytes")
    for row in view["waiting"]:
        table.add_row(row["kind"], *(str(row[key]) for key in ("messages", "unsent", "bytes")))
    Console().print(table)
    typer.echo(f"oldest event: {view['oldest_utc'] or 'none'}")
    typer.echo("  ".join(f"{name} {value}" for name, value in view["counters"].items()))


@app.command()
def run(
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    exit_when_done: Annotated[
        bool,
        typer.Option(
            "--exit-when-done",
            help="For films: stop when they have ended and the station has everything.",
        ),
    ] = False,
) -> None:
    """Run the node until it is told to stop."""
    with explained():
        failed = _run(load_config(config), exit_when_done=exit_when_done)
    if failed:
        raise typer.Exit(FAILED)


def _run(loaded: "Loaded[NodeConfig]", *, exit_when_done: bool) -> bool:
    """Run it; whether it ended because something was broken."""
    from edge.alone import alone

    with alone(loaded.model.node.data_dir):
        return _run_alone(loaded, exit_when_done=exit_when_done)


def _run_alone(loaded: "Loaded[NodeConfig]", *, exit_when_done: bool) -> bool:
    import random

    from edge import devices
    from edge.app import Node
    from runtime import log
    from runtime.clock import SystemClock
    from runtime.ids import UlidSource
    from runtime.workers import Supervisor

    settings = loaded.model
    form = settings.log.format
    log.configure(
        json=form == "json" or (form == "auto" and not sys.stderr.isatty()),
        level=settings.log.level,
    )
    clock = SystemClock(stated_error_s=settings.clock.stated_error_s)
    supervisor = Supervisor(clock)
    node = Node(
        config=settings,
        config_sha256=loaded.sha256,
        devices=devices.open_devices(settings, clock),
        clock=clock,
        ids=UlidSource(clock, random.SystemRandom()),
        boot_id=devices.boot_id(),
        software_version=version(),
        station_key=devices.station_key(settings.node.station_key_file),
        beats=supervisor.beats,
    )
    for worker, beat_timeout_s in node.workers:
        # The way out ends last: open tracks get their last word first.
        stage = 1 if worker is node.uplink else 0
        supervisor.add(worker, beat_timeout_s=beat_timeout_s, stage=stage)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.request_stop())
    logger = log.get_logger(worker="main", node_id=settings.node.node_id)
    logger.info("node_started", session=node.session, version=version(), config=loaded.sha256)
    supervisor.start()
    _notify("READY=1")
    while not supervisor.wait(1.0):
        _notify("WATCHDOG=1")
        if exit_when_done and node.done:
            break
    _notify("STOPPING=1")
    late = supervisor.stop()
    if not late:
        node.close()  # Closing under a worker that still runs could tear what it writes.
    logger.info("node_stopped", failed=supervisor.failed, late=late)
    return supervisor.failed or bool(late)


def _notify(word: str) -> None:
    """Tell systemd, where it listens.

    Source: sd_notify(3).
    """
    address = os.environ.get("NOTIFY_SOCKET", "")  # noqa: TID251  # a cli module may
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.settimeout(0.0)  # A word more or less is not worth standing still for.
        try:
            door.sendto(word.encode("ascii"), address)
        except OSError as error:
            _say(f"systemd does not listen at NOTIFY_SOCKET: {error.strerror}")


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
