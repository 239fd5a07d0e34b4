"""``border-sim``: run a simulated border against the real processes, or write it to disk."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.errors import AskOperator, BorderWatchError, RetryLater
from simulations.vehicle.command import vehicle

if TYPE_CHECKING:
    from simulations.suite_job import Detections, Places

app = typer.Typer(
    help="The simulated border: seeded people, cameras that film them, and the truth about both.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_SCENARIO = Annotated[str, typer.Argument(help="name of a shipped scenario, or a .toml file")]
_PICTURES = Annotated[
    Path | None,
    typer.Option(help="folder for the score as a page (HTML), of one run also pictures"),
]


@app.command()
def run(
    scenario: _SCENARIO = "demo",
    work: Annotated[
        Path, typer.Option(help="folder for configs, records and logs of the real processes")
    ] = Path(".demo"),
    *,
    browser: Annotated[bool, typer.Option(help="open the map in a browser")] = True,
    station_port: Annotated[int, typer.Option(help="of the page; 0 takes a free one")] = 0,
    duration_s: Annotated[
        float,
        typer.Option(
            help="end after so many seconds; 0 runs until Ctrl-C, headless to the scenario's end"
        ),
    ] = 0.0,
    headless: Annotated[
        bool,
        typer.Option("--headless", help="no page: play to the end on a simulated clock, score"),
    ] = False,
    real: Annotated[
        bool,
        typer.Option(
            "--real", help="headless: real processes, a real broker, and the time it takes"
        ),
    ] = False,
    suite: Annotated[
        bool, typer.Option("--suite", help="all scenarios of the suite, headless")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="write the score as JSON here, not to stdout")
    ] = None,
    pictures: _PICTURES = None,
    played: Annotated[
        Path | None, typer.Option(help="headless: keep the record here, for `border-sim score`")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="headless: instead of the scenario's own seed")
    ] = None,
    detections: Annotated[
        str,
        typer.Option(
            help="film: draw and let the networks look; modelled: truth by an error model"
        ),
    ] = "film",
    cache: Annotated[
        Path | None,
        typer.Option(help="folder for what networks saw and for records; else the user's cache"),
    ] = None,
    seeds: Annotated[
        str, typer.Option(help="suite: dev to train and tune with, accept for committed figures")
    ] = "dev",
    only: Annotated[
        list[str] | None, typer.Option(help="suite: only this scenario; may be given again")
    ] = None,
    jobs: Annotated[int, typer.Option(help="suite: scenarios at a time; 0 is one per core")] = 0,
    resume: Annotated[
        bool, typer.Option(help="take what this very program has finished already")
    ] = True,
    list_: Annotated[
        bool, typer.Option("--list", help="suite: only say what there is, with its true events")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="with --list: JSON on stdout")] = False,
) -> None:
    """Run a scenario: with real processes and a page, or headless and scored; or the whole suite."""
    if suite and real:
        raise AskOperator(
            field="--real", value="--suite --real", allowed="--real with one scenario",
            next_step="leave out --real: a suite is played on simulated clocks",
        )  # fmt: skip
    if suite and list_:
        _list_suite(as_json=as_json)
    elif suite or headless or real:
        # Threads are counted when numpy is loaded, so the environment comes first.
        where = _places(cache, one_thread=not real)
        from simulations import present
        from simulations.suite_job import Job

        kind = _detections(detections)
        if suite:
            present.suite(
                _seeds(seeds), kind, only or [], where, workers=jobs or os.cpu_count() or 1,
                again=not resume, report=report, pictures=pictures,
            )  # fmt: skip
        else:
            number = _seed(scenario, seed)
            job = Job(
                scenario=scenario, seed=number, detections=kind, duration_s=duration_s or None
            )
            if real:
                present.real(
                    job, work / "real", report=report, played=played, pictures=pictures,
                    environment=dict(os.environ),  # noqa: TID251  # a cli may read it
                )  # fmt: skip
            else:
                present.headless(
                    job, where, again=not resume, report=report, played=played, pictures=pictures
                )
    else:
        from runtime.log import configure
        from simulations.demo import Demo

        configure(json=False, level="WARNING")
        Demo(
            scenario_name=scenario, work=work, browser=browser, station_port=station_port,
            environment=dict(os.environ),  # noqa: TID251  # a cli may read it
        ).run(duration_s=duration_s or None)  # fmt: skip


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="a record of `border-sim run --headless --played`")],
    report: Annotated[
        Path | None, typer.Option(help="write the score as JSON here, not to stdout")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="file of the scenario, if it is none of ours")
    ] = None,
    pictures: _PICTURES = None,
) -> None:
    """Score a record again, after a change of the score or to look at it."""
    from simulations.headless import rescore
    from simulations.present import show

    record, result, world = rescore(file, scenario)
    show(record, result, world, report=report, pictures=pictures)


@app.command()
def fit(
    out: Annotated[Path | None, typer.Option(help="file; else the shipped one")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="folder for what networks saw; else the user's cache")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="only this scenario; may be given again")
    ] = None,
) -> None:
    """Fit the model of the networks' errors on the suite's films with their dev seeds."""
    where = _places(cache, one_thread=True)
    from simulations.error_model import FILE
    from simulations.fit_errors import fit_suite

    path = out or FILE
    model = fit_suite(
        where, only or [], path,
        lambda name, camera: typer.echo(f"{name}: {camera.id}", err=True),
    )  # fmt: skip
    typer.echo(f"{model.fitted_on}: {path}", err=True)


@app.command()
def serve(
    scenario: _SCENARIO = "demo",
    port: Annotated[int, typer.Option(help="of the cameras; 0 takes a free one")] = 0,
    *,
    rtsp: Annotated[
        bool, typer.Option("--rtsp", help="the cameras as RTSP too, where GStreamer is installed")
    ] = False,
    gpsd: Annotated[
        str,
        typer.Option(help="the receivers: built_in, real or gpsfake (where installed), or none"),
    ] = "built_in",
) -> None:
    """Serve the scenario's cameras (MJPEG over HTTP) and receivers (gpsd) alone, until Ctrl-C."""
    from runtime.log import configure
    from simulations.cameras import cameras
    from simulations.gpsd_post import kind_of as gpsd_kind
    from simulations.studio import Studio

    configure(json=False, level="WARNING")
    kind = gpsd_kind(gpsd)
    with Studio(scenario, port=port, rtsp=rtsp, gpsd=kind) as studio:
        for camera in cameras(studio.world.scenario):
            typer.echo(studio.url(camera.id))
            if rtsp:
                typer.echo(studio.rtsp_url(camera.id))
        for drone, url in studio.autopilot_urls().items():
            typer.echo(f"{url} {drone}")
        for node, gpsd_port in studio.gpsd_ports().items():
            typer.echo(f"gpsd://127.0.0.1:{gpsd_port} {node}")
        studio.go()
        studio.wait(None)


@app.command(name="record")
def record(
    scenario: _SCENARIO,
    out: Annotated[Path, typer.Option(help="folder to write films and truth into")],
    duration_s: Annotated[
        float, typer.Option(help="seconds of film; 0 takes the scenario's own duration")
    ] = 0.0,
    form: Annotated[str, typer.Option("--format", help="mp4 or avi (MJPEG)")] = "mp4",
) -> None:
    """Write one film per camera, its truth (MOT form plus metres) and the true events."""
    from rich.progress import Progress as Bar

    from simulations.cameras import cameras
    from simulations.record import record as write
    from simulations.scenario import load_scenario
    from simulations.world import World

    world = World(load_scenario(scenario).model)
    length_s = duration_s or world.scenario.duration_s
    with Bar(transient=True) as bar:
        tasks = {c.id: bar.add_task(c.id, total=None) for c in cameras(world.scenario)}
        for step in write(world, out, duration_s=length_s, kind=form):
            bar.update(tasks[step.camera_id], completed=step.done, total=step.total)
    typer.echo(f"films, truth and events.json of {length_s:g} s in {out}", err=True)


app.command(name="film", hidden=True)(record)
app.command(name="vehicle")(vehicle)


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


# --- headless -------------------------------------------------------------------------------------
def _list_suite(*, as_json: bool) -> None:
    from rich.console import Console

    from simulations.headless import list_table, listing
    from simulations.suite_play import suite_scenarios

    rows = listing(suite_scenarios())
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        Console().print(list_table(rows))


def _places(cache: Path | None, *, one_thread: bool) -> "Places":
    environment = os.environ  # noqa: TID251  # a cli may read it
    if one_thread:
        # In every process, so that sums come out the same each time.
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            environment[name] = "1"
    from simulations.headless import places

    if cache is None:
        base = environment.get("XDG_CACHE_HOME")
        cache = (Path(base) if base else Path.home() / ".cache") / "border-watch"
    return places(cache)


def _seed(scenario: str, seed: int | None) -> int:
    from simulations.scenario import load_scenario

    if seed is not None and seed < 0:
        raise AskOperator(
            field="--seed", value=str(seed), allowed="0 or more", next_step="choose another"
        )
    return load_scenario(scenario).model.seed if seed is None else seed


def _detections(word: str) -> "Detections":
    if word == "film":
        return "film"
    if word == "modelled":
        return "modelled"
    raise AskOperator(
        field="--detections", value=word, allowed="film or modelled", next_step="choose one of them"
    )


def _seeds(word: str) -> str:
    if word not in ("dev", "accept"):
        raise AskOperator(
            field="--seeds", value=word, allowed="dev or accept", next_step="choose one of them"
        )
    return word


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
