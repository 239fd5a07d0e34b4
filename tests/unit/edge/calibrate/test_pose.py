"""A camera's pose from clicked ground points: right within what it states, or refused."""

import numpy as np
import pytest

from edge.calibrate import pose_report
from edge.calibrate.pose_fit import fit_pose
from edge.calibrate.pose_model import PositionPrior
from edge.config_camera import MountSettings
from geo.frames import EnuFrame
from geo.lens import rotation_enu_from_camera
from runtime.errors import AskOperator
from tests.unit.edge.calibrate.landscape import LENS, MAST, landscape, seen_from

SEEDS = range(20)


def _errors(fit, true) -> np.ndarray:
    turned = np.array(fit.angles_deg) - true
    turned[0] = (turned[0] + 180.0) % 360.0 - 180.0
    return np.concatenate([-EnuFrame(fit.camera.position).point_to_enu(MAST), turned])


def _survey(seed: int) -> PositionPrior:
    off = np.random.default_rng(seed + 1000).normal(0, 1, 3) * (0.3, 0.3, 0.2)
    return PositionPrior(
        position=EnuFrame(MAST).point_to_geodetic(off),
        horizontal_sigma_m=0.3,
        vertical_sigma_m=0.2,
    )


@pytest.mark.parametrize("surveyed", [True, False])
def test_pose_errs_as_much_as_it_states(surveyed, capsys):
    """Over many landscapes the 90 % region of all six numbers holds about nine in ten truths."""
    inside, worst = 0, 0.0
    for seed in SEEDS:
        points, true = landscape(seed, 10)
        fit = fit_pose(points, LENS, _survey(seed) if surveyed else None)
        error, covariance = _errors(fit, true), fit.covariance
        inside += error @ np.linalg.solve(covariance, error) < 10.645  # chi-square of six, 90 %
        worst = max(worst, float(np.abs(error / np.sqrt(np.diag(covariance))).max()))
    share = inside / len(SEEDS)
    with capsys.disabled():
        print(f"\npose, place {'surveyed' if surveyed else 'free'}: {100 * share:.0f} % in 90 %, "
              f"worst {worst:.1f} sigma of {6 * len(SEEDS)}")  # fmt: skip
    assert share >= 0.7  # Twenty draws of 0.9 err by 0.07; the scenario's test takes more.
    assert worst < 4.5


def test_wrong_points_are_named():
    """Two marks clicked far off are told by name and do not bend the pose."""
    right = 0
    for seed in range(8):
        points, true = landscape(seed, 14, wrong=2)
        fit = fit_pose(points, LENS, _survey(seed))
        right += {row.point.name for row in fit.outliers} == {"p0", "p1"}
        assert np.abs(_errors(fit, true)[3:]).max() < 1.0
    assert right >= 7


def test_pose_for_the_config_is_accepted_by_it():
    """What is printed is a [camera.mount] table with sigmas that are never too small on the ground."""
    points, true = landscape(3, 12)
    fit = fit_pose(points, LENS)
    values = pose_report.mount_values(fit)
    mount = MountSettings.model_validate(values)
    assert abs((mount.azimuth_deg - true[0] + 180) % 360 - 180) < 5 * mount.azimuth_sigma_deg
    told = np.diag(
        [
            mount.horizontal_sigma_m,
            mount.horizontal_sigma_m,
            mount.vertical_sigma_m,
            mount.azimuth_sigma_deg,
            mount.pitch_sigma_deg,
            mount.roll_sigma_deg,
        ]
    )
    marks = np.array([pose_report._enu(fit, row) for row in fit.residuals])
    full = pose_report.ground_cov_m2(fit, marks, fit.covariance[:6, :6])
    stated = pose_report.ground_cov_m2(fit, marks, told**2)
    assert np.linalg.eigvals(np.linalg.solve(stated, full)).real.max() <= 1.001


def test_left_out_errors_are_larger_than_residuals():
    """Leaving a point out shows what the pose is worth where nobody measured."""
    points, _ = landscape(5, 10)
    fit = fit_pose(points, LENS)
    residual = np.mean([np.hypot(*row.off_px) for row in fit.residuals])
    left_out = np.mean([row.left_out_px for row in fit.residuals])
    assert residual < left_out < 20 * residual


def _refusal(points, prior=None) -> str:
    with pytest.raises(AskOperator) as caught:
        fit_pose(points, LENS, prior)
    return str(caught.value)


def _ahead(across_m, away_m) -> np.ndarray:
    """Level places ahead of a camera that looks north."""
    across, away = np.broadcast_arrays(np.asarray(across_m, float), np.asarray(away_m, float))
    return np.column_stack((across, away, np.full(len(across), -9.0)))


def test_too_few_points_are_refused():
    """A pose without a number to spare cannot show a wrong point."""
    assert "at least 5" in _refusal(seen_from(0, -10, _ahead([-5, 5, 0, 9], [30, 40, 60, 90])))


def test_points_on_one_line_are_refused():
    """The camera could turn about the line."""
    said = _refusal(seen_from(0, -10, _ahead(np.linspace(-10, 20, 7), np.linspace(30, 90, 7))))
    assert "one line" in said


def test_points_at_one_distance_are_refused():
    """Height and tilt stand for each other."""
    turn = np.radians(np.linspace(-25, 25, 8))
    said = _refusal(seen_from(0, -10, _ahead(60 * np.sin(turn), 60 * np.cos(turn))))
    assert "one distance" in said or "equally well" in said or "only to" in said


def test_points_in_one_corner_are_refused():
    """Marks that fill a thumb's breadth of the picture tell no roll."""
    rng = np.random.default_rng(1)
    places = _ahead(rng.uniform(-0.3, 0.3, 6), rng.uniform(59.5, 60.5, 6))
    prior = PositionPrior(position=MAST, horizontal_sigma_m=0.3, vertical_sigma_m=0.2)
    assert "only to" in _refusal(seen_from(0, -10, places), prior)


def test_same_line_is_enough_where_the_place_is_surveyed():
    """A row of fence posts tells the angles of a surveyed mast."""
    places = _ahead(np.linspace(-10, 20, 7), np.linspace(30, 90, 7))
    prior = PositionPrior(position=MAST, horizontal_sigma_m=0.02, vertical_sigma_m=0.02)
    fit = fit_pose(seen_from(10, -10, places), LENS, prior)
    expected = rotation_enu_from_camera(10, -10, 0)
    assert float(np.abs(fit.camera.rotation - expected).max()) < 1e-3


def test_focal_length_is_found_with_the_pose():
    """A lens that nobody calibrated: 6 % off, put right by the marks."""
    from dataclasses import replace

    points, _ = landscape(8, 30, sigma_px=0.7, ranges_m=(15.0, 200.0))
    wrong = replace(LENS, fx_px=LENS.fx_px * 1.06, fy_px=LENS.fy_px * 1.06)
    fit = fit_pose(points, wrong, _survey(8), focal=True)
    assert abs(fit.camera.lens.fx_px / LENS.fx_px - 1.0) < 4 * fit.sigma["focal_share"] < 0.05
