"""What a technician reads of a pose: the table for the config, and the page."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.calibrate import page
from edge.calibrate.chart import Chart, reach
from edge.calibrate.page import words
from edge.calibrate.pose_fit import PARAMETERS, PointResidual, PoseFit
from edge.calibrate.pose_model import turn_axes

Array = npt.NDArray[np.float64]

DISTANCES_M = (20.0, 50.0, 100.0, 200.0, 400.0, 800.0)
_LEAST_SIGMA = {"horizontal_m": 0.02, "vertical_m": 0.02, "angle_deg": 0.01}


def mount_values(fit: PoseFit) -> dict[str, float]:
    """The keys of `[camera.mount]`.

    The config knows no correlations: its sigmas are stretched so far that no ground point among the
    marks, nor along the view as far as those, gets a smaller error than the full covariance gives.
    """
    azimuth, pitch, roll = fit.angles_deg
    sigma, wider = fit.sigma, understated(fit)
    horizontal = wider * math.sqrt((sigma["east_m"] ** 2 + sigma["north_m"] ** 2) / 2)
    least = _LEAST_SIGMA["angle_deg"]
    return {
        "lon_deg": round(fit.camera.position.lon_deg, 8),
        "lat_deg": round(fit.camera.position.lat_deg, 8),
        "alt_hae_m": round(fit.camera.position.alt_hae_m, 3),
        "azimuth_deg": round(azimuth, 3) % 360.0,
        "pitch_deg": round(pitch, 3),
        "roll_deg": round(roll, 3),
        "horizontal_sigma_m": _up(max(horizontal, _LEAST_SIGMA["horizontal_m"])),
        "vertical_sigma_m": _up(max(wider * sigma["up_m"], _LEAST_SIGMA["vertical_m"])),
        "azimuth_sigma_deg": _up(max(wider * sigma["azimuth_deg"], least)),
        "pitch_sigma_deg": _up(max(wider * sigma["pitch_deg"], least)),
        "roll_sigma_deg": _up(max(wider * sigma["roll_deg"], least)),
    }


def mount_toml(fit: PoseFit) -> str:
    """The `[camera.mount]` table (and the lens's, where its focal length was fitted)."""
    rows = ["[camera.mount]", *(f"{key} = {value}" for key, value in mount_values(fit).items())]
    if fit.focal:
        lens = fit.camera.lens
        rows += [
            "",
            "[camera.lens]",
            f"width_px = {lens.width_px}",
            f"height_px = {lens.height_px}",
            *(
                f"{name} = {getattr(lens, name):.3f}"
                for name in ("fx_px", "fy_px", "cx_px", "cy_px")
            ),
            *(f"{name} = {getattr(lens, name):.6f}" for name in ("k1", "k2", "p1", "p2", "k3")),
            f"sigma_px = {max(0.5, fit.rms_px):.2f}",
        ]
    return "\n".join(rows) + "\n"


def _up(value: float) -> float:
    """Two digits, rounded up: a stated accuracy is never better than the found one."""
    digits = 1 - math.floor(math.log10(value))
    scale = 10.0**digits
    return round(math.ceil(value * scale - 1e-9) / scale, max(0, digits))


def ground_cov_m2(fit: PoseFit, points_enu_m: Array, cov_pose: Array) -> Array:
    """(n, 2, 2) along and across of ground points under an error of the pose.

    Args:
        fit: for the rotation.
        points_enu_m: (n, 3) in the frame at the camera, below it.
        cov_pose: (6, 6) of position in metres and azimuth, pitch, roll in degrees.
    """
    spread = np.zeros((6, 6))
    change = np.eye(6)
    change[3:, 3:] = turn_axes(fit.camera.rotation) * np.radians(1.0)
    spread = change @ cov_pose @ change.T
    found = []
    for point in points_enu_m:
        slide = np.eye(3)
        slide[:, 2] -= point / point[2]
        x, y, z = point
        # A small turn w moves the ray's end by w x p.
        cross = np.array([[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]])
        by_pose = np.hstack((slide, slide @ cross))[:2]
        level = point[:2] / np.linalg.norm(point[:2])
        axes = np.array([level, [level[1], -level[0]]])
        by_pose = axes @ by_pose
        found.append(by_pose @ spread @ by_pose.T)
    return np.array(found)


def _along_the_view(fit: PoseFit, distances_m: npt.ArrayLike) -> Array:
    """(n, 3) level ground points below the axis at distances, at the marks' mean height."""
    azimuth = np.radians(fit.angles_deg[0])
    up = float(np.mean([_enu(fit, row)[2] for row in fit.residuals if row.used]))
    away = np.asarray(distances_m, np.float64)
    return np.column_stack((away * np.sin(azimuth), away * np.cos(azimuth), np.full(len(away), up)))


def _enu(fit: PoseFit, row: PointResidual) -> Array:
    from geo.frames import EnuFrame

    point = row.point
    enu: Array = EnuFrame(fit.camera.position).to_enu(
        point.lon_deg, point.lat_deg, point.alt_hae_m
    )[0]
    return enu


def understated(fit: PoseFit) -> float:
    """How many times the sigmas alone would understate the ground error; 1 where they never do."""
    marks = np.array([_enu(fit, row) for row in fit.residuals if row.used])
    marks = marks[marks[:, 2] < -0.1]
    if not len(marks):
        return 1.0
    farthest = float(np.linalg.norm(marks[:, :2], axis=1).max())
    places = np.vstack((marks, _along_the_view(fit, np.linspace(0.2, 1.0, 9) * farthest)))
    full_pose = fit.covariance[:6, :6]
    alone = np.diag(np.diag(full_pose))
    alone[0, 0] = alone[1, 1] = (full_pose[0, 0] + full_pose[1, 1]) / 2
    full, told = ground_cov_m2(fit, places, full_pose), ground_cov_m2(fit, places, alone)
    ratio = np.linalg.eigvals(np.linalg.solve(told, full)).real.max()
    return float(max(1.0, np.sqrt(ratio)))


def by_distance(fit: PoseFit) -> list[tuple[float, float, float]]:
    """Distance, and one sigma along and across that the pose alone makes there."""
    places = _along_the_view(fit, DISTANCES_M)
    if places[0, 2] >= -0.1:
        return []
    cov = ground_cov_m2(fit, places, fit.covariance[:6, :6])
    return [
        (away, float(np.sqrt(c[0, 0])), float(np.sqrt(c[1, 1])))
        for away, c in zip(DISTANCES_M, cov, strict=True)
    ]


def pose_data(fit: PoseFit) -> dict[str, object]:
    """The same for a program."""
    return {
        "mount": mount_values(fit),
        "lens": {"fx_px": fit.camera.lens.fx_px, "fy_px": fit.camera.lens.fy_px}
        if fit.focal
        else None,
        "sigma": fit.sigma,
        "covariance": {
            "order": list(PARAMETERS[: len(fit.covariance)]),
            "rows": fit.covariance.tolist(),
        },
        "stretch": fit.stretch,
        "rms_px": fit.rms_px,
        "points": [_point(row) for row in fit.residuals],
        "outliers": [row.point.name for row in fit.outliers],
        "by_distance": [
            {"distance_m": d, "along_sigma_m": a, "across_sigma_m": c}
            for d, a, c in by_distance(fit)
        ],
    }


def _point(row: PointResidual) -> dict[str, object]:
    def known(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "name": row.point.name,
        "place": row.point.place,
        "used": row.used,
        "off_px": list(row.off_px),
        "chi2": row.chi2,
        "along_m": known(row.along_m),
        "across_m": known(row.across_m),
        "range_m": row.range_m,
        "left_out_px": known(row.left_out_px),
        "left_out_m": known(row.left_out_m),
    }


HEADS = (
    "point",
    "du px",
    "dv px",
    "along m",
    "across m",
    "distance m",
    "left out px",
    "left out m",
)


def residual_cells(row: PointResidual) -> list[str]:
    """One line of the residual table, under `HEADS`."""
    name = row.point.name if row.used else f"{row.point.name} (outlier)"
    numbers = (*row.off_px, row.along_m, row.across_m)
    return [
        name,
        *(f"{value:+.2f}" for value in numbers),
        f"{row.range_m:.1f}",
        f"{row.left_out_px:.2f}",
        f"{row.left_out_m:.2f}",
    ]


def write_report(path: Path, fit: PoseFit, *, source: str) -> None:
    """Write the page."""
    azimuth, pitch, roll = fit.angles_deg
    sigma = fit.sigma
    out = ", ".join(row.point.name for row in fit.outliers)
    body = [
        page.verdict(
            words(
                f"Hướng camera đo được đến {sigma['azimuth_deg']:.2f}°."
                + (f" Điểm sai: {out}." if out else ""),
                f"The camera's direction is known to {sigma['azimuth_deg']:.2f}°."
                + (f" Wrong points: {out}." if out else ""),
            ),
            "warn" if out or fit.stretch > 2 else "",
        ),
        page.tiles(
            [
                (f"{azimuth:.2f} ± {sigma['azimuth_deg']:.2f}°", words("phương vị", "azimuth")),
                (f"{pitch:.2f} ± {sigma['pitch_deg']:.2f}°", words("góc tà", "pitch")),
                (f"{roll:.2f} ± {sigma['roll_deg']:.2f}°", words("góc nghiêng", "roll")),
                (
                    f"± {math.hypot(sigma['east_m'], sigma['north_m']):.2f} m",
                    words("vị trí", "place"),
                ),
                (f"± {sigma['up_m']:.2f} m", words("độ cao", "height")),
                (f"{fit.rms_px:.2f} px", words("còn lại", "left over, per axis")),
            ]
        ),
        page.heading(words("Chép vào cấu hình", "Copy into the config")),
        page.code(mount_toml(fit)),
        page.heading(words("Sai số theo cự ly", "What the pose makes of a place")),
        page.table(
            [
                words("cự ly", "distance"),
                words("dọc tia nhìn", "along, 1 sigma"),
                words("ngang tia nhìn", "across, 1 sigma"),
            ],
            [[f"{d:.0f} m", f"{a:.2f} m", f"{c:.2f} m"] for d, a, c in by_distance(fit)],
        ),
        page.heading(words("Từng điểm", "Each point")),
        page.table(
            [words(vi, en) for vi, en in zip(_HEADS_VI, HEADS, strict=True)],
            [residual_cells(row) for row in fit.residuals],
            out=[k for k, row in enumerate(fit.residuals) if not row.used],
        ),
        page.figure(
            _picture(fit),
            words(
                "Điểm trong ảnh và sai lệch, phóng đại 10 lần.",
                "The marks in the picture with their residuals, ten times larger.",
            ),
        ),
        page.figure(_plan(fit), words("Điểm trên mặt đất.", "The marks on the ground, in metres.")),
        page.notes(_notes(fit)),
    ]
    page.write(path, page.page(words("Hiệu chuẩn hướng camera", "Camera pose"), source, body))


_HEADS_VI = (
    "điểm",
    "lệch ngang ảnh",
    "lệch dọc ảnh",
    "dọc",
    "ngang",
    "cự ly",
    "bỏ riêng",
    "bỏ riêng",
)


def _notes(fit: PoseFit) -> list[page.Words]:
    said = [
        words(
            "Cột cuối: sai số khi điểm ấy không được dùng để tính.",
            "Left out: the error at a point under the pose that the other points give.",
        )
    ]
    if fit.stretch > 1.3:
        said.append(
            words(
                f"Sai lệch lớn gấp {fit.stretch:.1f} lần khai báo; sai số đã được nhân lên.",
                f"The residuals are {fit.stretch:.1f} times what was stated; all sigmas were "
                "stretched by that.",
            )
        )
    if not all(row.point.height_told for row in fit.residuals):
        said.append(
            words(
                "Điểm không có độ cao được đặt trên mặt đất của cấu hình.",
                "Points without a height were put on the ground's height.",
            )
        )
    return said


def _picture(fit: PoseFit) -> str:
    lens = fit.camera.lens
    drawing = Chart(
        (-0.5, lens.width_px - 0.5),
        (-0.5, lens.height_px - 0.5),
        ("px", "px"),
        flip=True,
        equal=True,
        size_px=(720, 500),
    )
    for row in fit.residuals:
        u, v = row.point.pixel
        drawing.points([(u, v)], style="mark" if row.used else "out")
        if row.used:  # A wrong point's line would leave the picture.
            drawing.line([(u, v), (u + 10 * row.off_px[0], v + 10 * row.off_px[1])])
        drawing.text(u, v, row.point.name)
    return drawing.svg


def _plan(fit: PoseFit) -> str:
    places = [(row, _enu(fit, row)) for row in fit.residuals]
    east = [float(enu[0]) for _, enu in places]
    north = [float(enu[1]) for _, enu in places]
    drawing = Chart(
        reach([0.0, *east]), reach([0.0, *north]), ("east m", "north m"), equal=True,
        size_px=(640, 480),
    )  # fmt: skip
    drawing.points([(0.0, 0.0)], radius_px=5.0)
    drawing.text(0.0, 0.0, "camera")
    half = math.radians(fit.camera.lens.hfov_deg / 2)
    far = max(math.hypot(e, n) for e, n in zip(east, north, strict=True))
    axis = fit.camera.rotation[:, 2]
    middle = math.atan2(axis[0], axis[1])
    for side in (-half, half):
        end = (far * math.sin(middle + side), far * math.cos(middle + side))
        drawing.line([(0.0, 0.0), end], style="soft")
    for (row, _), e, n in zip(places, east, north, strict=True):
        drawing.points([(e, n)], style="mark" if row.used else "out")
        drawing.text(e, n, row.point.name)
    return drawing.svg
