"""Calibration against what is known: real ground truth, real film, and many drawn landscapes."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.calibrate.points import GroundPoint
from edge.calibrate.pose_fit import fit_pose
from edge.calibrate.pose_model import PositionPrior
from edge.cli import app
from geo.frames import EnuFrame
from geo.lens import Lens
from tests.scenario import vtest
from tests.unit.edge.calibrate.landscape import LENS, MAST, landscape
from tests.unit.edge.calibrate.walks import write_gpx

FIT_FRAMES = 100
WALKER = 11
"""A person of the truth who walks through the picture."""
CUT_FRAMES = 180


@pytest.mark.slow
def test_pose_covariance_holds_what_it_says(capsys):
    """Of 150 drawn landscapes the 90 % region holds 85 to 95 in a hundred truths, place unknown."""
    inside, worst = [], []
    for seed in range(150):
        points, true = landscape(seed, 10)
        fit = fit_pose(points, LENS)
        turned = np.array(fit.angles_deg) - true
        turned[0] = (turned[0] + 180.0) % 360.0 - 180.0
        error = np.concatenate([-EnuFrame(fit.camera.position).point_to_enu(MAST), turned])
        inside.append(error @ np.linalg.solve(fit.covariance, error) < 10.645)
        worst.append(np.abs(error / np.sqrt(np.diag(fit.covariance))).max())
    share = float(np.mean(inside))
    with capsys.disabled():
        print(
            f"\npose from 10 points, place unknown: {100 * share:.1f} % of 150 truths in the 90 % "
            f"region, {100 * float(np.mean(np.array(worst) < 3)):.0f} % with every number within 3 "
            f"sigma, worst {max(worst):.1f} sigma"
        )
    assert 0.85 <= share <= 0.95
    assert np.mean(np.array(worst) < 3.0) > 0.95


def _marks(table: np.ndarray, every: int) -> list[GroundPoint]:
    """Feet of the truth's boxes with their ground places, thinned."""
    rows = table[table[:, 0] <= FIT_FRAMES][::every]
    frame = EnuFrame(vtest.ORIGIN)
    found = []
    for k, row in enumerate(rows):
        place = frame.point_to_geodetic([row[7], row[8], 0.0])
        foot = (row[2] + row[4] / 2 - 0.5, row[3] + row[5] - 0.5)
        if not (0 <= foot[0] < vtest.SIZE_PX[0] and 0 <= foot[1] < vtest.SIZE_PX[1]):
            continue
        found.append(
            GroundPoint(
                name=f"{int(row[1])}@{int(row[0])}", place=f"gt.txt row {k}",
                lon_deg=place.lon_deg, lat_deg=place.lat_deg, alt_hae_m=place.alt_hae_m,
                pixel=(float(foot[0]), float(foot[1])), sigma_px=1.5, sigma_m=0.02,
            )
        )  # fmt: skip
    return found


@pytest.mark.data
def test_real_camera_is_found_from_real_feet(data_dir, capsys):
    """PETS: pose and focal length from feet on frames 1..100; errors on the frames after them."""
    table = vtest.truth_table(data_dir)
    marks = _marks(table, 8)
    guess = Lens.from_hfov(50.0, *vtest.SIZE_PX)
    fit = fit_pose(marks, guess, focal=True)
    later = table[table[:, 0] > FIT_FRAMES]
    feet = np.column_stack((later[:, 2] + later[:, 4] / 2, later[:, 3] + later[:, 5])) - 0.5
    ground = np.column_stack((later[:, 7], later[:, 8], np.zeros(len(later))))
    rays = fit.camera.lens.rays(feet) @ fit.camera.rotation.T
    here = EnuFrame(vtest.ORIGIN).point_to_enu(fit.camera.position)
    told = here[:2] + rays[:, :2] * (-here[2] / rays[:, 2])[:, None]
    off = np.linalg.norm(told - ground[:, :2], axis=1)
    left_out = [row.left_out_m for row in fit.residuals if row.used]
    with capsys.disabled():
        print(
            f"\nPETS, {len(marks)} feet: rms {fit.rms_px:.2f} px per axis, left out "
            f"{np.median(left_out):.3f} m; frames {FIT_FRAMES + 1}..: median "
            f"{np.median(off):.3f} m, p90 {np.quantile(off, 0.9):.3f} m; "
            f"{len(fit.outliers)} outliers; azimuth sigma {fit.sigma['azimuth_deg']:.3f} deg"
        )
    assert np.median(off) <= 0.05
    assert np.quantile(off, 0.9) <= 0.2
    assert len(fit.outliers) < 0.15 * len(marks)


def _node(folder, camera, azimuth_deg: float) -> None:
    lens = camera.lens
    (folder / "node.toml").write_text(
        '[node]\nsite_id = "pets"\nnode_id = "mast-1"\n[[camera]]\nsensor_id = "cam-1"\n'
        f'source = "0"\nfilm_rate_hz = {vtest.FILM_RATE_HZ}\n[camera.mount]\n'
        f"lon_deg = {camera.position.lon_deg}\nlat_deg = {camera.position.lat_deg}\n"
        f"alt_hae_m = {camera.position.alt_hae_m}\nazimuth_deg = {azimuth_deg % 360.0}\n"
        f"pitch_deg = {camera.pitch_deg}\nroll_deg = {camera.roll_deg}\n"
        "horizontal_sigma_m = 0.1\nvertical_sigma_m = 0.1\nazimuth_sigma_deg = 2.0\n"
        f"[camera.lens]\nwidth_px = {lens.width_px}\nheight_px = {lens.height_px}\n"
        f"fx_px = {lens.fx_px}\nfy_px = {lens.fy_px}\ncx_px = {lens.cx_px}\ncy_px = {lens.cy_px}\n"
        f"[camera.ground]\nalt_hae_m = {vtest.ORIGIN.alt_hae_m}\nsigma_m = 0.05\n"
    )


@pytest.mark.data
@pytest.mark.slow
def test_walk_on_real_film_finds_a_turned_camera(data_dir, tmp_path, capsys):
    """A person of PETS with a good receiver; the network, the tracker and others in the picture."""
    table = vtest.truth_table(data_dir)
    camera = vtest.fitted_camera(table)
    _node(tmp_path, camera, camera.azimuth_deg + 4.0)
    film, short = cv2.VideoCapture(str(data_dir / "films" / "vtest.avi")), tmp_path / "walk.avi"
    writer = cv2.VideoWriter(
        str(short), cv2.VideoWriter_fourcc(*"MJPG"), vtest.FILM_RATE_HZ, vtest.SIZE_PX
    )
    for _ in range(CUT_FRAMES):
        writer.write(film.read()[1])
    writer.release()
    rows = table[(table[:, 1] == WALKER) & (table[:, 0] <= CUT_FRAMES)]
    t_s = vtest.START_UTC.timestamp() + (rows[:, 0] - 1) / vtest.FILM_RATE_HZ
    wander = np.random.default_rng(3).normal(0, 0.15, (len(rows), 2))
    places = np.column_stack((rows[:, 7:9] + wander, np.zeros(len(rows))))
    lonlat = EnuFrame(vtest.ORIGIN).to_geodetic(places)[:, :2]
    gpx = write_gpx(tmp_path / "walk.gpx", t_s[::3] + 3.0, lonlat[::3])
    words = ["calibrate", "walk", "--gpx", str(gpx), "--film", str(short)]
    words += ["--film-start", vtest.START_UTC.isoformat(), "--config", str(tmp_path / "node.toml")]
    words += ["--phone-sigma-m", "0.3", "--max-offset-s", "10", "--json"]
    result = CliRunner().invoke(app, [*words, "--report", str(tmp_path / "walk.html")])
    assert 0 == result.exit_code, result.output
    data = json.loads(result.stdout)
    with capsys.disabled():
        print(
            f"\nPETS walk: heading error {data['heading_error_deg']:.2f} +- "
            f"{data['heading_error_sigma_deg']:.2f} deg of 4, phone clock "
            f"{data['phone_offset_s']:.2f} +- {data['phone_offset_sigma_s']:.2f} s of 3, "
            f"{data['observations']} observations, {data['other_tracks']} tracks of others; as told "
            f"{data['told']['p50_m']:.2f} m, corrected {data['after_correction']['p50_m']:.2f} m"
        )
    assert abs(data["heading_error_deg"] - 4.0) < 3 * data["heading_error_sigma_deg"]
    assert data["after_correction"]["p50_m"] < data["told"]["p50_m"]
    assert data["other_tracks"] >= 2


@pytest.mark.slow
def test_wrong_points_are_named_in_most_landscapes(capsys):
    """Two of fourteen marks clicked 25 to 110 px off, the lens's place surveyed to 0.3 m."""
    right = false = 0
    for seed in range(60):
        points, _ = landscape(seed, 14, wrong=2)
        off = np.random.default_rng(seed + 1000).normal(0, 1, 3) * (0.3, 0.3, 0.2)
        survey = PositionPrior(
            position=EnuFrame(MAST).point_to_geodetic(off),
            horizontal_sigma_m=0.3,
            vertical_sigma_m=0.2,
        )
        named = {row.point.name for row in fit_pose(points, LENS, survey).outliers}
        right += {"p0", "p1"} <= named
        false += len(named - {"p0", "p1"})
    with capsys.disabled():
        print(f"\nwrong points: both named in {right} of 60; {false} of 720 right ones named too")
    assert right >= 57
    assert false <= 15
