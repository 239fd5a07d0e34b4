"""The heading check: errors of heading and place told apart, outliers named, an answer in metres."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from edge.calibrate.heading import HeadingRules, Look, fit_heading
from edge.cli import app
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera
from runtime.errors import AskOperator

MARK = GeodeticPoint(lon_deg=104.4407, lat_deg=10.4235, alt_hae_m=-10.0)
LENS = Lens.from_hfov(60.0, 1280, 720)
RULES = HeadingRules()
HEIGHT_M = 50.0


def _looks(seed: int, *, heading=4.0, pitch=0.0, sides=(0, 90, 180, 270), each=3):
    """A drone looks at a mark from several sides; its receiver errs by one shift all the time."""
    rng = np.random.default_rng(seed)
    shift = rng.normal(0, (1.5, 1.5, 2.0))
    frame = EnuFrame(MARK)
    found, rows = [], []
    for side in sides:
        for _ in range(each):
            away = rng.uniform(60.0, 110.0)
            turn = np.radians(side + rng.uniform(-8, 8))
            place = np.array([away * np.sin(turn), away * np.cos(turn), HEIGHT_M])
            lens_at = frame.point_to_geodetic(place)
            towards = EnuFrame(lens_at).point_to_enu(MARK)
            azimuth = np.degrees(np.arctan2(towards[0], towards[1])) + rng.uniform(-10, 10)
            tilt = np.degrees(np.arcsin(towards[2] / np.linalg.norm(towards))) + rng.uniform(-8, 8)
            pixel = LENS.project((towards @ rotation_enu_from_camera(azimuth, tilt, 0.0))[None])[0]
            pixel = pixel + rng.normal(0, 3.0, 2)
            told = (
                (azimuth + heading + rng.normal(0, 0.3)) % 360.0,
                tilt + pitch + rng.normal(0, 0.3),
            )
            told_at = frame.point_to_geodetic(place + shift)
            found.append(
                Look(
                    name=f"{len(found)}",
                    position=told_at,
                    rotation=rotation_enu_from_camera(*told, 0.0),
                    pixel=(float(pixel[0]), float(pixel[1])),
                    sigma_px=3.0,
                )
            )
            rows.append(
                f"{told_at.lat_deg:.9f},{told_at.lon_deg:.9f},{told_at.alt_hae_m:.3f},"
                f"{told[0]:.4f},{told[1]:.4f},{pixel[0]:.2f},{pixel[1]:.2f}"
            )
    return found, "lat,lon,alt_hae_m,azimuth_deg,pitch_deg,u_px,v_px\n" + "\n".join(rows) + "\n"


def test_heading_error_is_right_within_its_sigma():
    """Over thirty flights, with a place that is off by metres, nine in ten lie inside 1.64 sigma."""
    off = []
    for seed in range(30):
        fit = fit_heading(_looks(seed, pitch=0.5)[0], LENS, MARK, RULES)
        off.append(
            ((fit.heading_deg - 4.0) / fit.sigma_deg, (fit.pitch_deg - 0.5) / fit.pitch_sigma_deg)
        )
    share = (np.abs(off) < 1.645).mean(axis=0)
    assert share.min() >= 0.75
    assert np.abs(off).max() < 4.0


def test_one_side_is_honest_about_the_place():
    """From one side a shifted place looks like a turned camera: the sigma is far larger."""
    around = fit_heading(_looks(1)[0], LENS, MARK, RULES)
    aside = fit_heading(_looks(1, sides=(0,), each=12)[0], LENS, MARK, RULES)
    assert aside.sigma_deg > 2.5 * around.sigma_deg
    assert aside.sides_deg < 60.0 < around.sides_deg
    assert abs(aside.heading_deg - 4.0) < 3 * aside.sigma_deg


def test_wrong_look_is_left_out():
    """A click on another mark does not turn the answer."""
    from dataclasses import replace

    looks, _ = _looks(2)
    looks[4] = replace(looks[4], pixel=(looks[4].pixel[0] + 300.0, looks[4].pixel[1]))
    fit = fit_heading(looks, LENS, MARK, RULES)
    assert ["4"] == [row.look.name for row in fit.looks if not row.used]
    assert abs(fit.heading_deg - 4.0) < 4 * fit.sigma_deg


def test_error_is_told_in_metres():
    """Four degrees are fourteen metres at two hundred."""
    fit = fit_heading(_looks(3)[0], LENS, MARK, RULES)
    assert abs(fit.at_m(200.0)[0] - 200.0 * np.tan(np.radians(fit.heading_deg))) < 1e-9
    assert 12.0 < fit.at_m(200.0)[0] < 16.0


def test_looks_from_above_are_refused():
    """Overhead the heading moves nothing."""
    above = EnuFrame(MARK).point_to_geodetic([0.5, 0.0, 40.0])
    look = Look(
        name="1", position=above, rotation=rotation_enu_from_camera(0, -90, 0),
        pixel=(640.0, 360.0), sigma_px=2.0,
    )  # fmt: skip
    with pytest.raises(AskOperator, match="aside"):
        fit_heading([look], LENS, MARK, RULES)


def test_command_says_what_it_means_at_200_m(tmp_path):
    """From a table to a sentence, data and a page."""
    path = tmp_path / "looks.csv"
    path.write_text(_looks(5)[1])
    words = ["calibrate", "heading", "--looks", str(path), "--hfov-deg", "60"]
    words += ["--mark-lat", str(MARK.lat_deg), "--mark-lon", str(MARK.lon_deg)]
    words += ["--mark-alt-hae-m", str(MARK.alt_hae_m), "--report", str(tmp_path / "h.html")]
    text = CliRunner().invoke(app, words)
    assert 0 == text.exit_code, text.output
    assert "heading error now about" in text.stdout
    assert "at 200 m" in text.stdout
    assert "Kiểm tra hướng UAV" in (tmp_path / "h.html").read_text(encoding="utf-8")
    data = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert abs(data["heading_error_deg"] - 4.0) < 4 * data["heading_error_sigma_deg"]
    path.write_text("lat,lon\n1,2\n")
    assert 2 == CliRunner().invoke(app, words).exit_code
