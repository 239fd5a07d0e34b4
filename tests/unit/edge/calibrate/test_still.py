"""Stills to read pixels from: a grid, or a page that is clicked on; and the whole way to a mount."""

import base64
import json
import re

import cv2
import numpy as np
from typer.testing import CliRunner

from edge.calibrate.still import with_grid
from edge.cli import app
from edge.config_camera import MountSettings
from runtime.settings import Settings, load
from tests.unit.edge.calibrate.landscape import LENS, MAST, landscape

DONE, WRONG = 0, 2


def _film(path):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (320, 240))
    for k in range(4):
        writer.write(np.full((240, 320, 3), 40 + 50 * k, np.uint8))
    writer.release()
    return path


def test_grid_lines_lie_on_whole_pixels():
    """Column 100 is drawn over, column 110 is not."""
    image = np.zeros((240, 320, 3), np.uint8)
    drawn = with_grid(image, 50)
    assert drawn[130, 100].any()
    assert not drawn[130, 110].any()
    assert not image.any()  # The picture handed in stays as it was.


def test_still_of_a_film_is_the_frame_that_was_asked_for(tmp_path):
    """Frames count from 1."""
    film = _film(tmp_path / "film.avi")
    out = tmp_path / "still.png"
    result = CliRunner().invoke(
        app, ["calibrate", "still", str(film), "-o", str(out), "--frame", "3"]
    )
    assert DONE == result.exit_code
    assert abs(int(cv2.imread(str(out))[33, 47, 0]) - 140) < 8
    result = CliRunner().invoke(app, ["calibrate", "still", str(film), "--frame", "9"])
    assert WRONG == result.exit_code
    assert "1..4" in result.stderr
    result = CliRunner().invoke(app, ["calibrate", "still", str(film), "-o", "still.gif"])
    assert WRONG == result.exit_code


def test_page_holds_the_picture_and_fetches_nothing(tmp_path):
    """One file for a laptop at the mast: the picture inside, the columns that `pose` reads."""
    film, out = _film(tmp_path / "film.avi"), tmp_path / "still.html"
    assert (
        DONE == CliRunner().invoke(app, ["calibrate", "still", str(film), "-o", str(out)]).exit_code
    )
    page = out.read_text(encoding="utf-8")
    data = base64.b64decode(re.search(r"base64,([^\"]+)\"", page)[1])
    assert (240, 320, 3) == cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape
    assert not re.search(r"(src|href)\s*=\s*\"?https?:", page)
    assert '["name", "lat", "lon", "alt_hae_m", "alt_msl_m", "u_px", "v_px"]' in page


class _CameraTable(Settings):
    mount: MountSettings


class _MountFile(Settings):
    camera: _CameraTable


def test_points_to_mount_on_the_command_line(tmp_path):
    """A table of points and a lens file in, a [camera.mount] table out; wrong points named."""
    marks, true = landscape(4, 14, wrong=1)
    (tmp_path / "lens.toml").write_text(
        "[camera.lens]\nwidth_px = 1280\nheight_px = 720\n"
        + "".join(
            f"{name} = {getattr(LENS, name)}\n"
            for name in ("fx_px", "fy_px", "cx_px", "cy_px", "k1", "k2", "p1", "p2")
        )
    )
    lines = ["name,lat,lon,alt_hae_m,u_px,v_px"]
    lines += [
        f"{m.name},{m.lat_deg:.9f},{m.lon_deg:.9f},{m.alt_hae_m:.3f},{m.pixel[0]:.2f},{m.pixel[1]:.2f}"
        for m in marks
    ]
    (tmp_path / "points.csv").write_text("\n".join(lines))
    words = ["calibrate", "pose", "--points", str(tmp_path / "points.csv")]
    words += ["--lens", str(tmp_path / "lens.toml"), "--lon", str(MAST.lon_deg)]
    words += ["--lat", str(MAST.lat_deg), "--alt-hae-m", str(MAST.alt_hae_m)]
    words += ["--report", str(tmp_path / "pose.html")]
    result = CliRunner().invoke(app, words)
    assert DONE == result.exit_code, result.output
    assert "line 2: p0 does not fit" in result.stderr
    (tmp_path / "mount.toml").write_text(result.stdout)
    mount = load(tmp_path / "mount.toml", _MountFile).model.camera.mount
    assert abs((mount.azimuth_deg - true[0] + 180) % 360 - 180) < 4 * mount.azimuth_sigma_deg
    assert abs(mount.pitch_deg - true[1]) < 4 * mount.pitch_sigma_deg
    page = (tmp_path / "pose.html").read_text(encoding="utf-8")
    assert "Hiệu chuẩn hướng camera" in page
    assert "p0 (outlier)" in page
    data = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert ["p0"] == data["outliers"]
    assert 6 == len(data["covariance"]["rows"])
    assert WRONG == CliRunner().invoke(app, words[:4]).exit_code  # No lens at all.
