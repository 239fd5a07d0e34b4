"""Calibration from real files: a drone's film with telemetry, and an outbox on disk."""

import json
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.outbox import Item, Outbox
from runtime.clock import ManualClock
from tests.flight_kit import MARK_M, SITE, WIDE, mark_px, srt_film
from tests.unit.edge.calibrate.walks import START_UTC, walk

FRAMES = (20, 70, 120, 170, 220)


def _looks(film: Path, table: Path) -> None:
    reader, lines, number = cv2.VideoCapture(str(film)), ["frame,u_px,v_px"], 0
    while True:
        found, image = reader.read()
        if not found:
            break
        number += 1
        if number in FRAMES:
            u, v = mark_px(image)
            lines.append(f"{number},{u:.2f},{v:.2f}")
    reader.release()
    table.write_text("\n".join(lines) + "\n")


def test_heading_error_of_a_film_with_telemetry_is_found(tmp_path: Path) -> None:
    """A compass that is four degrees off, over a mark whose place is known."""
    film = srt_film(tmp_path)
    _looks(film, tmp_path / "looks.csv")
    config = tmp_path / "node.toml"
    config.write_text(
        '[node]\nsite_id = "pets"\nnode_id = "drone-1"\n[[camera]]\nsensor_id = "drone"\n'
        f'source = "{film.name}"\n[camera.lens]\nwidth_px = 640\nheight_px = 360\n'
        f"hfov_deg = {WIDE}\n[camera.ground]\nalt_hae_m = 0.0\n[camera.recorded]\n"
        'telemetry = "DJI_0001.SRT"\ntakeoff_alt_hae_m = 0.0\nazimuth_offset_deg = 4.0\n'
    )
    mark = SITE.point_to_geodetic(MARK_M)
    words = ["calibrate", "heading", "--looks", str(tmp_path / "looks.csv"), "--film", str(film)]
    words += ["--config", str(config), "--mark-lat", str(mark.lat_deg)]
    words += ["--mark-lon", str(mark.lon_deg), "--mark-alt-hae-m", str(mark.alt_hae_m), "--json"]
    result = CliRunner().invoke(app, words)
    assert 0 == result.exit_code, result.output
    data = json.loads(result.stdout)
    print(f"\nfilm: {data['heading_error_deg']:.2f} +- {data['heading_error_sigma_deg']:.2f} of 4")
    assert 5 == len(data["looks"])
    assert abs(data["heading_error_deg"] - 4.0) < 3 * data["heading_error_sigma_deg"]
    assert "azimuth_offset_deg" in result.stderr


def test_frame_that_a_film_has_not_is_refused(tmp_path: Path) -> None:
    """With the number, and what to do."""
    film = srt_film(tmp_path)
    (tmp_path / "looks.csv").write_text("frame,u,v\n100000,10,10\n")
    words = ["calibrate", "heading", "--looks", str(tmp_path / "looks.csv"), "--film", str(film)]
    words += ["--mark-lat", "10", "--mark-lon", "104", "--mark-alt-hae-m", "0", "--hfov-deg", "50"]
    assert 2 == CliRunner().invoke(app, words).exit_code  # No config says which telemetry.
    config = tmp_path / "node.toml"
    config.write_text(
        '[node]\nsite_id = "pets"\nnode_id = "drone-1"\n[[camera]]\nsensor_id = "drone"\n'
        f'source = "{film.name}"\n[camera.recorded]\n'
        'telemetry = "DJI_0001.SRT"\ntakeoff_alt_hae_m = 0.0\n'
    )
    result = CliRunner().invoke(app, [*words, "--size", "640x360", "--config", str(config)])
    assert 2 == result.exit_code
    assert "100000" in result.stderr


@pytest.mark.filterwarnings("error")
def test_walk_is_accepted_from_an_outbox(tmp_path: Path) -> None:
    """A node whose line was cut keeps the walk on disk; it is read while the node has it open."""
    told = walk(0, others=0)
    outbox = Outbox(
        tmp_path / "data",
        clock=ManualClock(START_UTC),
        boot_id="boot-1",
        max_bytes=50_000_000,
        reserve_bytes=64_000,
    )
    for number, (t_s, said) in enumerate(told.rows):
        outbox.put(
            Item(
                id=f"01HQVQZJ{number:018d}",
                kind="obs",
                parameter="cam-1",
                body=said,
                key=True,  # Key ones are never replaced by newer words.
                track_id=said.track_id,
                t_event_utc=START_UTC.fromtimestamp(t_s, tz=START_UTC.tzinfo),
                t_event_monotonic_s=0.0,
            )
        )
    outbox.flush(force=True)
    gpx = told.gpx(tmp_path / "walk.gpx")
    words = ["calibrate", "walk", "--gpx", str(gpx), "--outbox", str(tmp_path / "data"), "--json"]
    result = CliRunner().invoke(app, words)
    outbox.close()
    assert 0 == result.exit_code, result.output
    data = json.loads(result.stdout)
    assert abs(data["heading_error_deg"] - 2.0) < 3 * data["heading_error_sigma_deg"]
    assert [] == data["detection_by_distance"]  # Without a config nobody knows the view.
    assert 2 == CliRunner().invoke(app, [*words[:4], "--outbox", str(tmp_path)]).exit_code
    assert 2 == CliRunner().invoke(app, words[:4]).exit_code
