"""`border-edge calibrate heading`: how far off a drone's heading is, over a mark whose place is known."""

import json
from pathlib import Path
from typing import Annotated

import typer

from edge import cli_calibrate
from edge.cli_calibrate import (
    ConfigOption,
    HfovOption,
    JsonOption,
    LensOption,
    ReportOption,
    SensorOption,
    SizeOption,
    camera_from,
    say,
)


@cli_calibrate.app.command()
def heading(
    looks: Annotated[
        Path,
        typer.Option(
            help="CSV, one look at the mark a line: lat, lon, alt_hae, azimuth, pitch (and roll) of "
            "the camera as told, and the mark's pixel u, v. With --film: frame, u, v.",
            dir_okay=False,
        ),
    ],
    mark_lat: Annotated[float, typer.Option(help="Latitude of the mark.", min=-90.0, max=90.0)],
    mark_lon: Annotated[float, typer.Option(help="Longitude of the mark.", min=-180.0, max=180.0)],
    mark_alt_hae_m: Annotated[
        float, typer.Option(help="Height of the mark above the ellipsoid.", min=-500.0, max=9000.0)
    ],
    *,
    film: Annotated[
        str, typer.Option(help="A film with telemetry; the config's camera says which kind.")
    ] = "",
    config: ConfigOption = None,
    sensor: SensorOption = "",
    lens_file: LensOption = None,
    hfov_deg: HfovOption = None,
    size: SizeOption = "1280x720",
    sigma_px: Annotated[
        float, typer.Option(help="Accuracy of a click (1 sigma).", min=0.05, max=100.0)
    ] = 3.0,
    place_sigma_m: Annotated[
        float, typer.Option(help="Accuracy of the told places (1 sigma).", min=0.01, max=100.0)
    ] = 1.5,
    height_sigma_m: Annotated[
        float, typer.Option(help="Accuracy of the told heights (1 sigma).", min=0.01, max=100.0)
    ] = 2.0,
    jitter_deg: Annotated[
        float, typer.Option(help="How much the angles err from look to look.", min=0.01, max=10.0)
    ] = 0.3,
    report: ReportOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a heading over a known mark: its error, and what that does at 200 m."""
    from edge.cli import explained

    with explained():
        from edge.calibrate import heading_report
        from edge.calibrate.heading import HeadingRules, fit_heading, read_looks
        from edge.calibrate.heading_film import looks_of_film
        from edge.calibrate.inputs import lens_from
        from geo.frames import GeodeticPoint

        camera = camera_from(config, sensor)
        glass = lens_from(lens_file=lens_file, camera=camera, hfov_deg=hfov_deg, size=size)
        if film:
            rows = looks_of_film(looks, film, camera, glass, sigma_px=sigma_px)
        else:
            rows = read_looks(looks, glass, sigma_px=sigma_px)
        mark = GeodeticPoint(lon_deg=mark_lon, lat_deg=mark_lat, alt_hae_m=mark_alt_hae_m)
        rules = HeadingRules(
            place_sigma_m=place_sigma_m, height_sigma_m=height_sigma_m, jitter_deg=jitter_deg
        )
        fit = fit_heading(rows, glass, mark, rules)
        if report is not None:
            heading_report.write_report(report, fit, source=looks.name)
            say(f"wrote {report}")
    for row in fit.looks:
        if not row.used:
            say(f"look {row.look.name} does not fit and was left out")
    for line in heading_report.warnings(fit):
        say(line.en)
    if camera is not None and camera.recorded is not None:
        offset_deg = camera.recorded.azimuth_offset_deg - fit.heading_deg
        say(f"in [camera.recorded]: azimuth_offset_deg = {offset_deg:.1f}")
    if as_json:
        typer.echo(json.dumps(heading_report.heading_data(fit)))
    else:
        typer.echo(heading_report.sentence(fit).en)
