"""What a technician reads of a lens: the table for the config, and the page."""

from pathlib import Path

import numpy as np

from edge.calibrate import page
from edge.calibrate.board import Board
from edge.calibrate.chart import Chart, reach
from edge.calibrate.lens_fit import CELLS, NAMES, LensFit
from edge.calibrate.page import words

_LEAST_SIGMA_PX = 0.05


def lens_toml(fit: LensFit) -> str:
    """The `[camera.lens]` table, ready for the node's config."""
    lens = fit.lens
    rows = [
        "[camera.lens]",
        f"width_px = {lens.width_px}",
        f"height_px = {lens.height_px}",
        *(f"{name} = {getattr(lens, name):.3f}" for name in NAMES[:4]),
        *(f"{name} = {getattr(lens, name):.6f}" for name in NAMES[4:]),
        f"sigma_px = {max(_LEAST_SIGMA_PX, fit.sigma_px):.2f}",
    ]
    return "\n".join(rows) + "\n"


def lens_data(
    fit: LensFit, board: Board, frames: int, passed_over: dict[str, int]
) -> dict[str, object]:
    """The same for a program."""
    return {
        "lens": {name: getattr(fit.lens, name) for name in ("width_px", "height_px", *NAMES)},
        "sigma": fit.sigma,
        "sigma_px": max(_LEAST_SIGMA_PX, fit.sigma_px),
        "rms_px": fit.rms_px,
        "left_out_rms_px": fit.left_out_rms_px,
        "hfov_deg": fit.lens.hfov_deg,
        "covered_share": fit.covered_share,
        "board": {"columns": board.columns, "rows": board.rows, "square_m": board.square_m},
        "frames": frames,
        "passed_over": passed_over,
        "views": [
            {"frame": view.frame, "rms_px": rms, "edge_px": view.edge_px}
            for view, rms in zip(fit.views, fit.view_rms_px, strict=True)
        ],
        "dropped": [{"frame": view.frame, "reason": reason} for view, reason in fit.dropped],
    }


def write_report(
    path: Path, fit: LensFit, *, source: str, frames: int, passed_over: dict[str, int]
) -> None:
    """Write the page."""
    lens = fit.lens
    body = [
        page.verdict(
            words(
                f"Ống kính đo được: sai số còn lại {fit.left_out_rms_px:.2f} px trên ảnh chưa dùng.",
                f"Lens measured: {fit.left_out_rms_px:.2f} px are left on views it did not see.",
            )
        ),
        page.tiles(
            [
                (f"{lens.fx_px:.1f} px", words("tiêu cự ngang", "focal length across")),
                (f"{lens.hfov_deg:.2f}°", words("góc nhìn ngang", "horizontal view")),
                (f"{fit.left_out_rms_px:.2f} px", words("ảnh chưa dùng", "on views left out")),
                (f"{len(fit.views)}", words("ảnh đã dùng", "views used")),
                (f"{100 * fit.covered_share:.0f} %", words("phủ khung hình", "of the picture")),
            ]
        ),
        page.heading(words("Chép vào cấu hình", "Copy into the config")),
        page.code(lens_toml(fit)),
        page.heading(words("Từng tham số", "Each number")),
        page.table(
            [words("tham số", "number"), words("giá trị", "value"), words("sai số", "one sigma")],
            [[name, f"{getattr(lens, name):.5g}", f"{fit.sigma[name]:.2g}"] for name in NAMES],
        ),
        page.heading(words("Vùng đã phủ", "Where the board was")),
        page.figure(
            _coverage(fit),
            words(
                "Mỗi ô: số góc bàn cờ thấy được; ô trống nên quay thêm.",
                "Each cell: corners seen there; film the board in empty cells next time.",
            ),
        ),
        page.heading(words("Từng ảnh", "Each view")),
        page.figure(
            _views(fit),
            words("Sai số còn lại của từng ảnh.", "What is left of each view, over both axes."),
        ),
        page.notes(
            [
                words(
                    f"{passed_over.get('blurred', 0)} ảnh mờ, {passed_over.get('alike', 0)} ảnh "
                    "trùng lặp không dùng.",
                    f"{passed_over.get('blurred', 0)} blurred and {passed_over.get('alike', 0)} "
                    "alike views were passed over.",
                ),
                *(
                    words(f"Bỏ ảnh {view.frame}.", f"Frame {view.frame} was dropped: {reason}.")
                    for view, reason in fit.dropped
                ),
            ]
        ),
    ]
    title = words("Hiệu chuẩn ống kính", "Lens calibration")
    page.write(path, page.page(title, f"{source} · {frames} frames", body))


def _coverage(fit: LensFit) -> str:
    lens = fit.lens
    drawing = Chart(
        (-0.5, lens.width_px - 0.5),
        (-0.5, lens.height_px - 0.5),
        ("px", "px"),
        flip=True,
        equal=True,
        size_px=(640, 460),
    )
    columns, rows = CELLS
    wide, high = lens.width_px / columns, lens.height_px / rows
    most = max(1, int(fit.coverage.max()))
    for row in range(rows):
        for column in range(columns):
            count = int(fit.coverage[row, column])
            x, y = column * wide - 0.5, row * high - 0.5
            drawing.cell(
                x, x + wide, y, y + high, opacity=0.06 + 0.6 * count / most if count else 0.0
            )
            drawing.text(x, y + high, f"{count}", style="quiet")
    for view in fit.views:
        drawing.points(map(tuple, view.corners_px.tolist()), radius_px=1.0)
    return drawing.svg


def _views(fit: LensFit) -> str:
    frames = [float(view.frame) for view in fit.views]
    drawing = Chart(
        reach(frames),
        reach([*fit.view_rms_px, 0.0], zero=True),
        ("frame", "px"),
        size_px=(640, 260),
    )
    drawing.points(zip(frames, fit.view_rms_px, strict=True))
    drawing.line([(frames[0], fit.rms_px), (frames[-1], fit.rms_px)], style="soft")
    drawing.line(
        [(frames[0], fit.left_out_rms_px), (frames[-1], fit.left_out_rms_px)], style="soft"
    )
    drawing.text(float(np.median(frames)), fit.left_out_rms_px, "left out", style="quiet")
    return drawing.svg
