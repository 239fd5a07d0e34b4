"""`border-ground`: data to stdout, talk to stderr; 0 done, 1 failed, 2 wrong input, 3 try later."""

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.errors import AskOperator, BorderWatchError, RetryLater

if TYPE_CHECKING:
    from ground_station.auth import People
    from ground_station.config import GroundConfig
    from ground_station.store import Store

app = typer.Typer(
    name="border-ground",
    help="One ground station: broker, ingest, decisions, and the guard's page.",
    no_args_is_help=True,
    add_completion=False,
)
user_app = typer.Typer(help="Who may log in.", no_args_is_help=True)
node_app = typer.Typer(help="Which nodes may speak.", no_args_is_help=True)
zones_app = typer.Typer(help="Line, zones and markers.", no_args_is_help=True)
audit_app = typer.Typer(help="The record of every act.", no_args_is_help=True)
app.add_typer(user_app, name="user")
app.add_typer(node_app, name="node")
app.add_typer(zones_app, name="zones")
app.add_typer(audit_app, name="audit")

Config = Annotated[Path, typer.Option("--config", "-c", help="The station's TOML file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_CONFIG = Path("station.toml")


def _say(text: str) -> None:
    typer.echo(text, err=True)


@contextmanager
def _answering() -> Iterator[None]:
    """Errors become one clear sentence and an exit code."""
    try:
        yield
    except AskOperator as error:
        _say(str(error))
        raise typer.Exit(2) from None
    except RetryLater as error:
        _say(str(error))
        raise typer.Exit(3) from None
    except BorderWatchError as error:
        _say(str(error))
        raise typer.Exit(1) from None
    except OSError as error:
        _say(f"{error.filename or 'file'}: {error.strerror}; check the path and its permissions")
        raise typer.Exit(1) from None


def _load(path: Path) -> "GroundConfig":
    from ground_station.config import GroundConfig
    from runtime.settings import load

    return load(path, GroundConfig).model


@contextmanager
def _store(path: Path) -> "Iterator[tuple[GroundConfig, Store]]":
    from ground_station.app import open_store

    config = _load(path)
    store = open_store(config)
    try:
        yield config, store
    finally:
        store.close()


@contextmanager
def _people(path: Path) -> "Iterator[tuple[GroundConfig, People]]":
    from ground_station.auth import People
    from runtime.clock import SystemClock

    with _store(path) as (config, store):
        yield config, People(store=store, clock=SystemClock(), settings=config.http)


def _actor() -> str:
    return f"cli:{getpass.getuser()}"


def _toml_paths(values: dict[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    return {
        key: str(value.resolve()) if isinstance(value, Path) else value
        for key, value in values.items()
        if value is not None
    }


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where the station is to live.")],
    site_id: Annotated[str, typer.Option(help="Short name of the site: ha-tien.")],
    site_file: Annotated[Path, typer.Option(help="GeoJSON with line, zones and markers.")],
    *,
    name_vi: Annotated[str | None, typer.Option(help="Name of the site, Vietnamese.")] = None,
    name_en: Annotated[str | None, typer.Option(help="Name of the site, English.")] = None,
    basemap_file: Annotated[Path | None, typer.Option(help="PMTiles of the site.")] = None,
    attribution: Annotated[
        list[str] | None, typer.Option(help="Notice that stands on the map; may be repeated.")
    ] = None,
    allow_simulated: Annotated[
        bool, typer.Option(help="A station for exercises: let simulated nodes in.")
    ] = False,
    http_port: Annotated[int | None, typer.Option(help="TCP port of the page.")] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="TCP port of the broker.")] = None,
    as_json: Json = False,
) -> None:
    """Make a new station: commented config, signing key, database."""
    from ground_station.install import install
    from ground_station.zones import read_site
    from runtime.clock import SystemClock

    with _answering():
        read_site(site_file)
        values = _toml_paths(
            {
                ("station", "site_id"): site_id,
                ("station", "site_file"): site_file,
                ("station", "name_vi"): name_vi,
                ("station", "name_en"): name_en,
                ("station", "basemap_file"): basemap_file,
                ("station", "attribution"): attribution or None,
                ("station", "allow_simulated"): allow_simulated or None,
                ("http", "port"): http_port,
                ("broker", "port"): mqtt_port,
            }
        )
        made = install(folder, values, clock=SystemClock())
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "config_file": str(made.config_file),
                    "public_key_file": str(made.public_key_file),
                    "database": made.database,
                }
            )
        )
    _say(f"Station made. Its settings: {made.config_file}")
    _say(f"Copy {made.public_key_file} to every node (station_key_file in its config).")
    _say(
        "Next: border-ground user add NAME --role administrator --config "
        f"{made.config_file}; border-ground run --config {made.config_file}"
    )


@app.command()
def run(config: Config = DEFAULT_CONFIG) -> None:
    """Run the station until Ctrl-C."""
    from ground_station.app import run as run_station
    from runtime.log import configure

    with _answering():
        settings = _load(config)
        wanted = settings.log.json_lines
        configure(
            json=not sys.stderr.isatty() if wanted is None else wanted, level=settings.log.level
        )
        orderly = run_station(settings)
    raise typer.Exit(0 if orderly else 1)


@app.command("check-config")
def check_config(config: Config = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Name every mistake in the config and the site file at once."""
    from ground_station.app import load_key
    from ground_station.zones import read_site

    with _answering():
        settings = _load(config)
        site = read_site(settings.station.site_file)
        load_key(settings)
    if as_json:
        typer.echo(json.dumps({"config": str(config), "ok": True, "notices": list(site.notices)}))
    for notice in site.notices:
        _say(f"{settings.station.site_file}: {notice}")
    _say(f"{config}: good")


@app.command("show-config")
def show_config(config: Config = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Print what is in force, secrets only as the paths of their files."""
    from runtime.settings import render_masked

    with _answering():
        settings = _load(config)
    if as_json:
        typer.echo(settings.model_dump_json(indent=2))
    else:
        typer.echo(render_masked(settings))


# --- users ----------------------------------------------------------------------------------------
PasswordFile = Annotated[
    Path | None, typer.Option(help="File that holds the password; '-' for standard input.")
]


def _password(file: Path | None, *, again: bool) -> str:
    if file is not None:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
        return text.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AskOperator(
            field="--password-file",
            value="(not given)",
            allowed="a file, or '-' for standard input",
            next_step="give one; only a terminal is asked",
        )
    found: str = typer.prompt("Password", hide_input=True, confirmation_prompt=again, err=True)
    return found


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="Name to log in with.")],
    role: Annotated[str, typer.Option(help="guard, operator, technician or administrator.")],
    *,
    full_name: Annotated[str, typer.Option("--name", help="Shown on the page.")] = "",
    password_file: PasswordFile = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Only `user link` logs this user in.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Add a user; the first one is an administrator."""
    with _answering(), _people(config) as (_, people):
        password = None if no_password else _password(password_file, again=True)
        people.add_user(
            name=name, display_name=full_name, role=role, password=password, actor=_actor()
        )
    _say(f"{name} may log in as {role}")


@user_app.command("list")
def user_list(config: Config = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Who may log in."""
    from ground_station.store import people as stored

    with _answering(), _store(config) as (_, store), store.read() as tx:
        found = stored.list_users(tx)
    if as_json:
        rows = [
            {"user": u.name, "name": u.display_name, "role": u.role, "active": u.active}
            for u in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for user in found:
        typer.echo(
            f"{user.name}\t{user.role}\t{'active' if user.active else 'disabled'}\t{user.display_name}"
        )


@user_app.command("passwd")
def user_passwd(
    name: str, password_file: PasswordFile = None, config: Config = DEFAULT_CONFIG
) -> None:
    """Set a new password; every login of this user ends."""
    with _answering(), _people(config) as (_, people):
        people.set_password(
            name=name, password=_password(password_file, again=True), actor=_actor()
        )
    _say(f"{name} has a new password")


@user_app.command("disable")
def user_disable(name: str, config: Config = DEFAULT_CONFIG) -> None:
    """Lock a user out; records keep the name."""
    with _answering(), _people(config) as (_, people):
        people.set_active(name=name, active=False, actor=_actor())
    _say(f"{name} is locked out")


@user_app.command("enable")
def user_enable(name: str, config: Config = DEFAULT_CONFIG) -> None:
    """Let a user in again."""
    with _answering(), _people(config) as (_, people):
        people.set_active(name=name, active=True, actor=_actor())
    _say(f"{name} may log in again")


@user_app.command("link")
def user_link(name: str, config: Config = DEFAULT_CONFIG) -> None:
    """Print a link that logs this user in once, within the hour, on this machine."""
    with _answering(), _people(config) as (settings, people):
        token = people.make_link(name=name, actor=_actor())
        http = settings.http
    scheme = "http" if http.certificate_file is None else "https"
    typer.echo(f"{scheme}://127.0.0.1:{http.port}/#link={token}")


# --- the rest -------------------------------------------------------------------------------------
@node_app.command("enrol")
def node_enrol(
    node: Annotated[str, typer.Argument(help="The node's id: mast-1.")],
    out: Annotated[Path, typer.Option(help="File for its password (password_file there).")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Give a node its password; a running station lets it in at once."""
    from ground_station.install import enrol
    from runtime.clock import SystemClock

    with _answering(), _store(config) as (settings, store):
        enrol(settings, node, out, store=store, clock=SystemClock(), actor=_actor())
    _say(f"{out}: password of {node}. Carry it to the node, then delete it here.")


@zones_app.command("check")
def zones_check(
    file: Annotated[Path, typer.Argument(help="GeoJSON with line, zones and markers.")],
    *,
    as_json: Json = False,
) -> None:
    """Name every mistake in a site file at once."""
    from ground_station.zones import read_site

    with _answering():
        site = read_site(file)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "file": str(file),
                    "ok": True,
                    "markers": len(site.markers),
                    "notices": list(site.notices),
                },
                ensure_ascii=False,
            )
        )
    for notice in site.notices:
        _say(f"{file}: {notice}")
    _say(f"{file}: good")


@app.command()
def alerts(
    config: Config = DEFAULT_CONFIG,
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Those that wait.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    as_json: Json = False,
) -> None:
    """Print alerts, the newest first."""
    from ground_station.store import incidents

    with _answering(), _store(config) as (_, store), store.read() as tx:
        found = incidents.list_alerts(tx, open_only=True if only_open else None, limit=limit)
    if as_json:
        typer.echo("[" + ",\n".join(one.model_dump_json() for one in found) + "]")
        return
    for one in found:
        typer.echo(f"{one.t_event_utc}\t{one.state}\t{one.sentence_vi}\t{one.alert_id}")


@audit_app.command("verify")
def audit_verify(config: Config = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Check that no act was changed, removed or slipped in."""
    from ground_station.store import chain

    with _answering(), _store(config) as (_, store), store.read() as tx:
        verdict = chain.verify(tx)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "ok": not verdict.problem,
                    "rows": verdict.rows,
                    "head_sha256": verdict.head_sha256,
                    "problem": verdict.problem,
                }
            )
        )
    if verdict.problem:
        _say(f"The audit is not whole: {verdict.problem}")
        raise typer.Exit(1)
    _say(f"{verdict.rows} rows, whole; last hash {verdict.head_sha256}")


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
