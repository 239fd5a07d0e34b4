"""`border-edge calibrate walk`: somebody walks with a phone, and the camera gets its certificate."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge import cli_calibrate
from edge.cli_calibrate import (
    ConfigOption,
    JsonOption,
    ReportOption,
    SensorOption,
    camera_from,
    say,
    told,
)

if TYPE_CHECKING:
    from edge.calibrate.gpx import Track
    from edge.calibrate.walk_certificate import View
    from edge.calibrate.walk_seen import Stamped
    from edge.config_camera import CameraSettings
    from geo.frames import GeodeticPoint

FAILED = 1


@cli_calibrate.app.command()
def walk(
    gpx: Annotated[
        Path, typer.Option(help="The walker's track, as the phone recorded it.", dir_okay=False)
    ],
    *,
    observations: Annotated[
        Path | None,
        typer.Option(
            help="What the node sent, as JSON lines (mosquitto_sub -F %p).", dir_okay=False
        ),
    ] = None,
    outbox: Annotated[
        Path | None,
        typer.Option(help="Or the data folder of a node whose line was cut.", file_okay=False),
    ] = None,
    film: Annotated[
        str, typer.Option(help="Or the camera's film of the walk, looked at with the config.")
    ] = "",
    film_start: Annotated[
        str, typer.Option(help="When the film begins (UTC); the walk's own start if not given.")
    ] = "",
    config: ConfigOption = None,
    sensor: SensorOption = "",
    phone_sigma_m: Annotated[
        float, typer.Option(help="How far the phone's places wander (1 sigma).", min=0.1, max=50.0)
    ] = 3.0,
    max_offset_s: Annotated[
        float, typer.Option(help="The phone's clock is not further off.", min=1.0, max=7200.0)
    ] = 60.0,
    report: ReportOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept a camera by a walk: detection by distance, delay, errors, suggested correction."""
    from edge.cli import explained

    with explained():
        from edge.calibrate import walk_report
        from edge.calibrate.gpx import read_gpx
        from edge.calibrate.walk_certificate import certify
        from edge.calibrate.walk_match import NoMatch, WalkRules, match
        from edge.calibrate.walk_seen import seen_by

        track = read_gpx(gpx)
        camera = camera_from(config, sensor)
        mount = None if camera is None else camera.mount
        rows = _rows(observations, outbox, film, film_start, config, camera, track)
        seen = seen_by(
            rows,
            sensor_id=sensor if camera is None else camera.sensor_id,
            lens=_lens_place(camera),
        )
        rules = WalkRules(
            phone_sigma_m=phone_sigma_m,
            # A better receiver is better in each fix and over the whole walk, too.
            phone_noise_m=phone_sigma_m * 2.0 / 3.0,
            phone_bias_m=phone_sigma_m / 3.0,
            max_offset_s=max_offset_s,
            place_sigma_m=1.0 if mount is None else mount.horizontal_sigma_m,
            height_sigma_m=_height_sigma_m(camera),
            axis_azimuth_deg=None if mount is None else mount.azimuth_deg,
        )
        path = track.path(seen.origin)
        try:
            found = certify(seen, path, match(seen, path, rules), rules, _view(camera))
        except NoMatch as error:
            say(str(error))
            raise typer.Exit(FAILED) from None
        azimuth_deg = None if mount is None else mount.azimuth_deg
        pitch_deg = None if mount is None else mount.pitch_deg
        if report is not None:
            walk_report.write_report(
                report,
                found,
                source=f"{gpx.name} · {'camera' if camera is None else camera.sensor_id}",
                azimuth_deg=azimuth_deg,
                pitch_deg=pitch_deg,
                dropped=track.dropped,
            )
            say(f"wrote {report}")
    if as_json:
        typer.echo(json.dumps(walk_report.certificate_data(found, azimuth_deg, pitch_deg)))
    else:
        typer.echo("\n".join(walk_report.lines(found, azimuth_deg, pitch_deg)))


def _rows(
    observations: Path | None,
    outbox: Path | None,
    film: str,
    film_start: str,
    config: Path | None,
    camera: "CameraSettings | None",
    track: "Track",
) -> "list[Stamped]":
    """The observations from the one source that was named."""
    from edge.calibrate.walk_seen import read_lines
    from runtime.errors import AskOperator

    if sum((observations is not None, outbox is not None, bool(film))) != 1:
        raise AskOperator(
            field="--observations, --outbox, --film",
            value="none or several",
            allowed="exactly one of them",
            next_step="say where the camera's word on the walk comes from",
        )
    if observations is not None:
        return read_lines(observations)
    if outbox is not None:
        from edge.outbox.observations import waiting_observations

        return [(t_s, said) for t_s, said in waiting_observations(outbox) if t_s is not None]
    return _of_film(film, film_start, config, camera, track)


def _of_film(
    film: str,
    film_start: str,
    config: Path | None,
    camera: "CameraSettings | None",
    track: "Track",
) -> "list[Stamped]":
    from datetime import datetime, timezone

    from edge.calibrate.walk_film import observations_of_film
    from edge.cli import load_config
    from runtime.errors import AskOperator

    if config is None or camera is None:
        raise AskOperator(
            field="--config",
            value="",
            allowed="the node's config",
            next_step="a film is looked at with the config's network, lens and mount: pass it",
        )
    start_utc = datetime.fromtimestamp(float(track.t_s[0]), tz=timezone.utc)
    if film_start:
        try:
            start_utc = datetime.fromisoformat(film_start.replace("Z", "+00:00"))
        except ValueError:
            start_utc = datetime.min  # noqa: DTZ901  # without a zone, so refused below
        if start_utc.tzinfo is None:
            raise AskOperator(
                field="--film-start",
                value=film_start,
                allowed="an instant in UTC, such as 2026-11-23T02:40:00Z",
                next_step="give the time of the film's first frame",
            )
    rows: list[Stamped] = []
    looked = observations_of_film(film, load_config(config).model, camera, start_utc)
    for said in told(looked, "looking at the film"):
        rows = said
    return rows


def _lens_place(camera: "CameraSettings | None") -> "GeodeticPoint | None":
    from geo.frames import GeodeticPoint

    if camera is None or camera.mount is None:
        return None
    mount = camera.mount
    return GeodeticPoint(lon_deg=mount.lon_deg, lat_deg=mount.lat_deg, alt_hae_m=mount.alt_hae_m)


def _height_sigma_m(camera: "CameraSettings | None") -> float:
    """Of the lens above the walker's feet: mast, ground, and where in a box the feet are."""
    if camera is None or camera.mount is None or camera.ground is None:
        return 0.4
    return math.hypot(camera.mount.vertical_sigma_m, camera.ground.sigma_m, 0.1)


def _view(camera: "CameraSettings | None") -> "View | None":
    """What the camera looks at, where the config tells it whole."""
    from edge.calibrate.walk_certificate import View
    from edge.ground import camera_ground
    from geo.lens import rotation_enu_from_camera

    if camera is None or camera.mount is None or camera.lens is None:
        return None
    ground = camera_ground(camera)
    if ground is None:
        return None
    mount = camera.mount
    level_m = float(ground.terrain.height_hae_m(mount.lon_deg, mount.lat_deg))
    return View(
        lens=camera.lens.lens(),
        rotation=rotation_enu_from_camera(mount.azimuth_deg, mount.pitch_deg, mount.roll_deg),
        ground_depth_m=mount.alt_hae_m - level_m,
    )
