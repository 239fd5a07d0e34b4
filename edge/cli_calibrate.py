"""`border-edge calibrate`: the lens, the pose, the heading, and the acceptance walk.

Reports are single HTML files; the tables for the config go to standard output.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from edge.config_camera import CameraSettings

T = TypeVar("T")

app = typer.Typer(
    name="calibrate",
    help="Measure lens, pose and heading of cameras, and accept an installation by a walk.",
    no_args_is_help=True,
)
ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="The node's TOML file.", dir_okay=False)
]
SensorOption = Annotated[
    str, typer.Option("--sensor", help="Which camera of the config; not needed for its only one.")
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", "-r", help="Where to write the report (HTML).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
LensOption = Annotated[
    Path | None,
    typer.Option("--lens", help="What `border-edge calibrate lens` printed, kept in a file."),
]
HfovOption = Annotated[
    float | None, typer.Option(help="Horizontal view of a lens nobody calibrated.")
]
SizeOption = Annotated[str, typer.Option(help="With --hfov-deg: the frames' size.")]


def say(text: str) -> None:
    """Talk goes to standard error."""
    typer.echo(text, err=True)


def told(rows: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Show on standard error how far a long work is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(rows, total=total)


def camera_from(config: Path | None, sensor: str) -> "CameraSettings | None":
    """The chosen camera of a config; None without a config."""
    from edge.calibrate.inputs import camera_of
    from edge.cli import load_config

    return None if config is None else camera_of(load_config(config).model, sensor)


@app.command()
def lens(
    source: Annotated[
        str, typer.Argument(help="Film, folder of pictures, or stream that shows the chessboard.")
    ],
    *,
    board: Annotated[
        str, typer.Option(help="Inner corners of the chessboard, across x down.")
    ] = "9x6",
    square_mm: Annotated[
        float, typer.Option(help="Side of one square, in millimetres.", min=1.0, max=1000.0)
    ] = 25.0,
    every: Annotated[int, typer.Option(help="Look at every so manyth frame.", min=1, max=1000)] = 3,
    views: Annotated[int, typer.Option(help="Use at most so many views.", min=10, max=200)] = 40,
    live_s: Annotated[
        float, typer.Option(help="Watch a stream for so many seconds.", min=1.0, max=3600.0)
    ] = 60.0,
    report: ReportOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a lens: film a chessboard, get the table camera.lens."""
    from edge.cli import explained

    with explained():
        from edge.calibrate import lens_report
        from edge.calibrate.board import Board, choose, find_board
        from edge.calibrate.inputs import board_size
        from edge.calibrate.lens_fit import fit_lens
        from edge.calibrate.pictures import frames
        from runtime.clock import SystemClock

        columns, rows = board_size(board)
        chessboard = Board(columns=columns, rows=rows, square_m=square_mm / 1000.0)
        found, count, size = [], 0, (0, 0)
        for frame in told(frames(source, SystemClock(), live_s=live_s), "looking for the board"):
            count = frame.seq
            height, width = frame.image_bgr.shape[:2]
            size = (width, height)
            if frame.seq % every == 0 or every == 1:
                view = find_board(frame.image_bgr, chessboard, frame.seq)
                if view is not None:
                    found.append(view)
        choice = choose(found, views)
        say(f"{len(found)} views of the whole board in {count} frames, {len(choice.views)} chosen")
        fit = fit_lens(choice.views, chessboard, size)
        if report is not None:
            lens_report.write_report(
                report, fit, source=source, frames=count, passed_over=choice.passed_over
            )
            say(f"wrote {report}")
    for view, reason in fit.dropped:
        say(f"frame {view.frame} dropped: {reason}")
    say(
        f"residual {fit.rms_px:.2f} px, {fit.left_out_rms_px:.2f} px on views left out; "
        f"{100 * fit.covered_share:.0f} % of the picture covered"
    )
    if as_json:
        data = lens_report.lens_data(fit, chessboard, count, choice.passed_over)
        typer.echo(json.dumps(data))
    else:
        typer.echo(lens_report.lens_toml(fit), nl=False)


@app.command()
def still(
    source: Annotated[
        str, typer.Argument(help="Camera address, film, folder of pictures or one picture.")
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help=".jpg or .png: with a grid to read pixels; .html: to click on."
        ),
    ] = Path("still.jpg"),
    frame: Annotated[int, typer.Option(help="Which frame, from 1.", min=1)] = 1,
    grid_px: Annotated[
        int, typer.Option(help="Pixels between grid lines; 0 chooses.", min=0, max=2000)
    ] = 0,
) -> None:
    """Take a still to read the pixels of ground points from."""
    from edge.cli import explained

    with explained():
        from edge.calibrate.pictures import frame_at
        from edge.calibrate.still import grid_step_px, write_still
        from hardware.camera_opencv import masked
        from runtime.clock import SystemClock

        image = frame_at(source, SystemClock(), frame)
        step_px = grid_px or grid_step_px(image.shape[1])
        write_still(image, output, step_px=step_px, source=masked(source))
    say(f"wrote {output} ({image.shape[1]} x {image.shape[0]} px)")
    if output.suffix.lower() == ".html":
        say("open it in a browser, click the marks, save points.csv, then: calibrate pose")


@app.command()
def pose(
    points: Annotated[
        Path,
        typer.Option(
            help="CSV or GeoJSON of ground points: lat, lon, u, v; perhaps name, alt_hae or "
            "alt_msl, sigma_px, sigma_m.",
            dir_okay=False,
        ),
    ],
    *,
    config: ConfigOption = None,
    sensor: SensorOption = "",
    lens_file: LensOption = None,
    hfov_deg: HfovOption = None,
    size: SizeOption = "1280x720",
    fit_focal: Annotated[
        bool, typer.Option("--fit-focal", help="Fit the focal length too; needs more points.")
    ] = False,
    lon: Annotated[float | None, typer.Option(help="Longitude of the lens, if surveyed.")] = None,
    lat: Annotated[float | None, typer.Option(help="Latitude of the lens, if surveyed.")] = None,
    alt_hae_m: Annotated[
        float | None, typer.Option(help="Height of the lens above the ellipsoid, if surveyed.")
    ] = None,
    place_sigma_m: Annotated[
        float, typer.Option(help="Accuracy of that place, level (1 sigma).", min=0.0, max=1000.0)
    ] = 0.5,
    height_sigma_m: Annotated[
        float, typer.Option(help="Accuracy of that height (1 sigma).", min=0.0, max=1000.0)
    ] = 0.5,
    hold_place: Annotated[
        bool, typer.Option("--hold-place", help="Take place and accuracies of the config's mount.")
    ] = False,
    sigma_px: Annotated[
        float, typer.Option(help="Accuracy of a click (1 sigma).", min=0.05, max=100.0)
    ] = 1.5,
    sigma_m: Annotated[
        float, typer.Option(help="Accuracy of a point on the ground (1 sigma).", min=0.0, max=100.0)
    ] = 0.05,
    ground_alt_hae_m: Annotated[
        float | None, typer.Option(help="Height of the ground, for points without a height.")
    ] = None,
    geoid_m: Annotated[
        float | None, typer.Option(help="Geoid above the ellipsoid here, for alt_msl (-12 m).")
    ] = None,
    geoid: Annotated[
        Path | None, typer.Option(help="The same as a .gtx grid file.", dir_okay=False)
    ] = None,
    report: ReportOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure where a camera looks: clicked ground points, get the table camera.mount."""
    from edge.cli import explained

    with explained():
        from edge.calibrate import pose_report
        from edge.calibrate.inputs import ground_height, lens_from, prior_from, undulation
        from edge.calibrate.points import read_points
        from edge.calibrate.pose_fit import fit_pose
        from edge.ground import camera_ground

        camera = camera_from(config, sensor)
        glass = lens_from(lens_file=lens_file, camera=camera, hfov_deg=hfov_deg, size=size)
        prior = prior_from(
            lon_deg=lon,
            lat_deg=lat,
            alt_hae_m=alt_hae_m,
            place_sigma_m=place_sigma_m,
            height_sigma_m=height_sigma_m,
            camera=camera,
            hold=hold_place,
        )
        ground = None if camera is None else camera_ground(camera)
        marks = read_points(
            points,
            glass,
            sigma_px=sigma_px,
            sigma_m=sigma_m,
            geoid_m=undulation(geoid_m, geoid, ground),
            ground_hae_m=ground_height(ground_alt_hae_m, ground),
        )
        fit = fit_pose(marks, glass, prior, focal=fit_focal)
        if report is not None:
            pose_report.write_report(report, fit, source=str(points))
            say(f"wrote {report}")
    if as_json:
        typer.echo(json.dumps(pose_report.pose_data(fit), ensure_ascii=False))
        return
    _show_residuals([pose_report.residual_cells(row) for row in fit.residuals])
    for row in fit.outliers:
        say(f"{row.point.place}: {row.point.name} does not fit and was left out")
    if fit.stretch > 1.3:
        say(f"residuals are {fit.stretch:.1f} times what was stated; all sigmas stretched by that")
    typer.echo(pose_report.mount_toml(fit), nl=False)


def _show_residuals(rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from edge.calibrate.pose_report import HEADS

    table = Table(*HEADS)
    for row in rows:
        table.add_row(*row)
    Console(stderr=True).print(table)
