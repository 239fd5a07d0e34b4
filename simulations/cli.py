"""``border-sim``: run a simulated border against the real processes, or write it to disk."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from runtime.errors import AskOperator, BorderWatchError, RetryLater

app = typer.Typer(
    help="The simulated border: seeded people, cameras that film them, and the truth about both.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_SCENARIO = Annotated[str, typer.Argument(help="name of a shipped scenario, or a .toml file")]


@app.command()
def run(
    scenario: _SCENARIO = "demo",
    work: Annotated[
        Path, typer.Option(help="folder for configs, records and logs of this run")
    ] = Path(".demo"),
    *,
    browser: Annotated[bool, typer.Option(help="open the map in a browser")] = True,
    station_port: Annotated[int, typer.Option(help="of the page; 0 takes a free one")] = 0,
    duration_s: Annotated[
        float, typer.Option(help="end after so many seconds; 0 runs until Ctrl-C")
    ] = 0.0,
) -> None:
    """Serve the scenario's cameras and run a real node and a real station on them."""
    from runtime.log import configure
    from simulations.demo import Demo

    configure(json=False, level="WARNING")
    Demo(
        scenario_name=scenario, work=work, browser=browser, station_port=station_port,
        environment=dict(os.environ),  # noqa: TID251  # a cli may read it
    ).run(duration_s=duration_s or None)  # fmt: skip


@app.command()
def serve(
    scenario: _SCENARIO = "demo",
    port: Annotated[int, typer.Option(help="of the cameras; 0 takes a free one")] = 0,
) -> None:
    """Serve the scenario's cameras alone, as MJPEG over HTTP, until Ctrl-C."""
    from runtime.log import configure
    from simulations.studio import Studio

    configure(json=False, level="WARNING")
    with Studio(scenario, port=port) as studio:
        for camera in studio.world.scenario.camera:
            typer.echo(studio.url(camera.id))
        studio.go()
        studio.wait(None)


@app.command()
def film(
    scenario: _SCENARIO,
    out: Annotated[Path, typer.Option(help="folder to write films and truth into")],
    duration_s: Annotated[
        float, typer.Option(help="seconds of film; 0 takes the scenario's own duration")
    ] = 0.0,
    form: Annotated[str, typer.Option("--format", help="mp4 or avi (MJPEG)")] = "mp4",
) -> None:
    """Write one film per camera, its truth (MOT form plus metres) and the true events."""
    from rich.progress import Progress as Bar

    from simulations.record import record as write
    from simulations.scenario import load_scenario
    from simulations.world import World

    world = World(load_scenario(scenario).model)
    length_s = duration_s or world.scenario.duration_s
    with Bar(transient=True) as bar:
        tasks = {c.id: bar.add_task(c.id, total=None) for c in world.scenario.camera}
        for step in write(world, out, duration_s=length_s, kind=form):
            bar.update(tasks[step.camera_id], completed=step.done, total=step.total)
    typer.echo(f"films, truth and events.json of {length_s:g} s in {out}", err=True)


app.command(name="record", hidden=True)(film)


@app.command()
def events(
    scenario: _SCENARIO,
    duration_s: Annotated[float, typer.Option(help="0 takes the scenario's own duration")] = 0.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON list on stdout")] = False,
) -> None:
    """List who truly crosses the line, when and in which direction."""
    from simulations.scenario import load_scenario
    from simulations.world import World

    world = World(load_scenario(scenario).model)
    found = world.crossings(0.0, duration_s or world.scenario.duration_s)
    if as_json:
        typer.echo(json.dumps([asdict(event) for event in found], ensure_ascii=False, indent=1))
        return
    for event in found:
        typer.echo(
            f"{event.t_s:9.2f} s  {event.direction:<3}  {event.figure_id:<20} "
            f"{event.marker_distance_m:6.0f} m from marker {event.nearest_marker}"
        )


def main() -> None:
    """Run the command; an error a person can mend is one sentence, not a traceback."""
    try:
        app(standalone_mode=True)
    except AskOperator as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
    except RetryLater as error:
        typer.echo(str(error), err=True)
        raise SystemExit(3) from None
    except BorderWatchError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
