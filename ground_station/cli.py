"""`border-ground`: data to stdout, talk to stderr; 0 done, 1 failed, 2 wrong input, 3 try later."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ground_station.cli_base import (
    DEFAULT_CONFIG,
    Config,
    Json,
    actor,
    answering,
    load_config,
    opened,
    say,
)
from ground_station.cli_user import user_app

app = typer.Typer(
    name="border-ground",
    help="One ground station: broker, ingest, decisions, and the guard's page.",
    no_args_is_help=True,
    add_completion=False,
)
node_app = typer.Typer(help="Which nodes may speak.", no_args_is_help=True)
zones_app = typer.Typer(help="Line, zones and markers.", no_args_is_help=True)
audit_app = typer.Typer(help="The record of every act.", no_args_is_help=True)
app.add_typer(user_app, name="user")
app.add_typer(node_app, name="node")
app.add_typer(zones_app, name="zones")
app.add_typer(audit_app, name="audit")


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

    with answering():
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
    say(f"Station made. Its settings: {made.config_file}")
    say(f"Copy {made.public_key_file} to every node (station_key_file in its config).")
    say(
        "Next: border-ground user add NAME --role administrator --config "
        f"{made.config_file}; border-ground run --config {made.config_file}"
    )


@app.command()
def run(config: Config = DEFAULT_CONFIG) -> None:
    """Run the station until Ctrl-C."""
    from ground_station.app import run as run_station
    from runtime.log import configure

    with answering():
        settings = load_config(config)
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

    with answering():
        settings = load_config(config)
        site = read_site(settings.station.site_file)
        load_key(settings)
    if as_json:
        typer.echo(json.dumps({"config": str(config), "ok": True, "notices": list(site.notices)}))
    for notice in site.notices:
        say(f"{settings.station.site_file}: {notice}")
    say(f"{config}: good")


@app.command("show-config")
def show_config(config: Config = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Print what is in force, secrets only as the paths of their files."""
    from runtime.settings import render_masked

    with answering():
        settings = load_config(config)
    if as_json:
        typer.echo(settings.model_dump_json(indent=2))
    else:
        typer.echo(render_masked(settings))


# --- the rest -------------------------------------------------------------------------------------
@node_app.command("enrol")
def node_enrol(
    node: Annotated[str, typer.Argument(help="The node's id: mast-1.")],
    out: Annotated[Path, typer.Option(help="File for its password (password_file there).")],
    config: Config = DEFAULT_CONFIG,
    *,
    listener: Annotated[
        bool, typer.Option("--listener", help="No node: a siren or light that hears alerts.")
    ] = False,
    friend: Annotated[
        bool, typer.Option("--friend", help="No node: our own patrol, which says where it is.")
    ] = False,
) -> None:
    """Give a node its password; a running station with its own mosquitto lets it in at once."""
    from ground_station.broker import has_our_passwords
    from ground_station.install import enrol
    from runtime.clock import SystemClock
    from runtime.errors import AskOperator

    with answering(), opened(config) as (settings, store):
        if listener and friend:
            raise AskOperator(
                field="--listener",
                value="with --friend",
                allowed="one of them",
                next_step="enrol two names",
            )
        user = enrol(
            settings, node, out,
            role="listener" if listener else "friend" if friend else "node",
            store=store, clock=SystemClock(), actor=actor(),
        )  # fmt: skip
        if not has_our_passwords(settings.broker):
            say(
                "warning: the broker in use is not a mosquitto of this station and does not read"
                f" this password: let {user} in there yourself"
            )
    say(f"{out}: password of user {user}. Carry it there, then delete it here.")


@zones_app.command("check")
def zones_check(
    file: Annotated[Path, typer.Argument(help="GeoJSON with line, zones and markers.")],
    *,
    as_json: Json = False,
) -> None:
    """Name every mistake in a site file at once."""
    from ground_station.zones import read_site

    with answering():
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
        say(f"{file}: {notice}")
    say(f"{file}: good")


@app.command()
def alerts(
    config: Config = DEFAULT_CONFIG,
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Those that wait.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 50,
    as_json: Json = False,
) -> None:
    """Print alerts, the newest first."""
    from ground_station.store import incidents

    with answering(), opened(config) as (_, store), store.read() as tx:
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

    with answering(), opened(config) as (_, store), store.read() as tx:
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
        say(f"The audit is not whole: {verdict.problem}")
        raise typer.Exit(1)
    say(f"{verdict.rows} rows, whole; last hash {verdict.head_sha256}")


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
