"""A lens out of a film of a chessboard: the numbers come back, and bad films are refused with advice."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.calibrate.board import Board, View, choose
from edge.calibrate.inputs import LensFile
from edge.calibrate.lens_fit import fit_lens
from edge.cli import app
from geo.lens import Lens
from runtime.errors import AskOperator
from runtime.settings import load
from tests.unit.edge.calibrate.boards import COLUMNS, LENS, ROWS, SQUARE_M, Studio, places, turned

BOARD = Board(columns=COLUMNS, rows=ROWS, square_m=SQUARE_M)
SIZE = (LENS.width_px, LENS.height_px)


def _view(frame: int, corners: np.ndarray, noise_px: float, rng) -> View:
    seen = corners + rng.normal(0, noise_px, corners.shape)
    centre = seen.mean(axis=0) / SIZE
    grid = seen.reshape(ROWS, COLUMNS, 2)
    ends = [np.linalg.norm(grid[a] - grid[b]) for a, b in (((0, 0), (0, -1)), ((-1, 0), (-1, -1)))]
    sides = [np.linalg.norm(grid[a] - grid[b]) for a, b in (((0, 0), (-1, 0)), ((0, -1), (-1, -1)))]
    return View(
        frame=frame,
        corners_px=seen,
        edge_px=1.0,
        centre=(float(centre[0]), float(centre[1])),
        scale=0.3,
        tilt=(float(np.log(sides[1] / sides[0])), float(np.log(ends[1] / ends[0]))),
    )


def _views(poses, *, noise_px: float = 0.15, seed: int = 0) -> list[View]:
    rng = np.random.default_rng(seed)
    shell = object.__new__(Studio)
    shell.lens = LENS
    return [
        _view(k, Studio.corners(shell, rotation, centre), noise_px, rng)
        for k, (rotation, centre) in enumerate(poses, 1)
    ]


def test_known_lens_comes_back_within_its_sigmas():
    """All eight numbers, distortion included; the residual left out is what the noise makes."""
    fit = fit_lens(_views(places(count=24)), BOARD, SIZE)
    for name, sigma in fit.sigma.items():
        assert abs(getattr(fit.lens, name) - getattr(LENS, name)) <= 4.5 * sigma + 1e-9, name
    assert abs(fit.lens.fx_px / LENS.fx_px - 1) < 0.005
    assert 0.15 < fit.left_out_rms_px < 0.3
    assert 0.0 == fit.lens.k3  # Not needed, so not fitted.


def test_view_that_does_not_fit_is_dropped_with_the_reason():
    """A board that bent, or a film that jumped, in one picture."""
    views = _views(places(count=24))
    bent = views[7].corners_px + np.random.default_rng(1).normal(0, 3.0, views[7].corners_px.shape)
    views[7] = _view(8, bent, 0.0, np.random.default_rng(2))
    fit = fit_lens(views, BOARD, SIZE)
    assert [8] == [view.frame for view, _ in fit.dropped]
    assert "residual" in fit.dropped[0][1]
    assert abs(fit.lens.fx_px / LENS.fx_px - 1) < 0.005


def test_too_few_views_are_refused_with_what_to_film():
    """Six views are a guess."""
    with pytest.raises(AskOperator, match="all four"):
        fit_lens(_views(places(count=6)), BOARD, SIZE)


def test_board_held_squarely_is_refused():
    """It tells no focal length."""
    rng = np.random.default_rng(4)
    square = [
        (turned(0, 0, rng.uniform(-10, 10)), np.array([*rng.uniform(-0.08, 0.08, 2), 0.4]))
        for _ in range(16)
    ]
    with pytest.raises(AskOperator, match="tilted"):
        fit_lens(_views(square), BOARD, SIZE)


def test_board_in_the_middle_alone_is_refused():
    """The lens bends most at the edges."""
    rng = np.random.default_rng(4)
    middle = [
        (turned(*rng.uniform(-40, 40, 2), 0), np.array([*rng.uniform(-0.02, 0.02, 2), 0.7]))
        for _ in range(16)
    ]
    with pytest.raises(AskOperator, match="picture"):
        fit_lens(_views(middle), BOARD, SIZE)


def test_choice_prefers_sharp_and_different_views():
    """Of many alike and some blurred views, few sharp ones remain."""
    poses = places(count=12)
    views = _views(poses) + _views(poses, seed=1) + _views(poses, seed=2)
    from dataclasses import replace

    views = [replace(v, frame=k, edge_px=9.0 if k % 3 == 0 else 2.0) for k, v in enumerate(views)]
    choice = choose(views, 40)
    assert all(view.edge_px < 9.0 for view in choice.views)
    assert 8 <= len(choice.views) <= 12
    assert choice.passed_over["blurred"] == 12


def test_film_of_a_board_gives_the_table_for_the_config(tmp_path):
    """Drawn through a known lens, found in the pictures, fitted, printed, and read back."""
    lens = Lens(
        fx_px=520.0, fy_px=518.0, cx_px=322.0, cy_px=176.0, width_px=640, height_px=360,
        k1=-0.22, k2=0.06, p1=0.0008, p2=-0.0006,
    )  # fmt: skip
    studio = Studio(lens)
    film = tmp_path / "board.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (640, 360))
    for k, (rotation, centre) in enumerate(places(lens, count=22)):
        writer.write(studio.draw(rotation, centre, blur_px=2.5 if k % 9 == 8 else 0.5))
    writer.release()
    report = tmp_path / "lens.html"
    words = ["calibrate", "lens", str(film), "--every", "1", "--report", str(report)]
    text = CliRunner().invoke(app, words)
    assert 0 == text.exit_code, text.output
    (tmp_path / "lens.toml").write_text(text.stdout)
    found = load(tmp_path / "lens.toml", LensFile).model.camera.lens.lens()
    assert abs(found.fx_px / lens.fx_px - 1) < 0.005
    assert abs(found.fy_px / lens.fy_px - 1) < 0.005
    # What a lens is for: the same pixel for the same ray, all over the picture.
    grid = np.stack(np.meshgrid(np.linspace(20, 620, 7), np.linspace(20, 340, 5)), -1).reshape(
        -1, 2
    )
    # A principal point that is half a pixel off turns the camera, which its pose takes up.
    assert float(np.abs(found.project(lens.rays(grid)) - grid).max()) < 1.0
    assert "Hiệu chuẩn ống kính" in report.read_text(encoding="utf-8")
    data = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert data["left_out_rms_px"] < 0.3
    assert data["covered_share"] > 0.6


def test_film_without_a_board_says_what_to_film(tmp_path):
    """And the exit code says that the input was wrong."""
    film = tmp_path / "empty.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (320, 240))
    for _ in range(5):
        writer.write(np.full((240, 320, 3), 90, np.uint8))
    writer.release()
    result = CliRunner().invoke(app, ["calibrate", "lens", str(film), "--every", "1"])
    assert 2 == result.exit_code
    assert "inner corners" in result.stderr
    result = CliRunner().invoke(app, ["calibrate", "lens", str(film), "--board", "9by6"])
    assert 2 == result.exit_code
    result = CliRunner().invoke(app, ["calibrate", "lens", str(tmp_path / "none.avi")])
    assert 2 == result.exit_code
