"""What a pilot reads of a heading check: a sentence, data, and the page."""

import math
from pathlib import Path

from edge.calibrate import page
from edge.calibrate.chart import Chart
from edge.calibrate.heading import HeadingFit
from edge.calibrate.page import Words, words

RANGES_M = (50.0, 100.0, 200.0, 400.0)
_TELLING = 2.0
_ONE_SIDE_DEG = 60.0


def sentence(fit: HeadingFit, range_m: float = 200.0) -> Words:
    """The answer in one line."""
    metres, doubt = fit.at_m(range_m)
    return words(
        f"Hướng đang lệch khoảng {abs(fit.heading_deg):.1f}° (± {fit.sigma_deg:.1f}°): "
        f"{metres:.0f} m (± {doubt:.0f} m) ở cự ly {range_m:.0f} m.",
        f"heading error now about {abs(fit.heading_deg):.1f} deg (± {fit.sigma_deg:.1f}): "
        f"{metres:.0f} m (± {doubt:.0f}) at {range_m:.0f} m; the told heading is too "
        f"{'large' if fit.heading_deg > 0 else 'small'}",
    )


def warnings(fit: HeadingFit) -> list[Words]:
    """What the reader should know about this answer."""
    said = []
    if abs(fit.heading_deg) < _TELLING * fit.sigma_deg:
        said.append(
            words(
                "Sai lệch nằm trong sai số: chưa cần hiệu chuẩn la bàn.",
                "That is within its own doubt: no reason to calibrate the compass.",
            )
        )
    else:
        said.append(
            words(
                "Hiệu chuẩn la bàn xa sắt thép rồi kiểm tra lại.",
                "Calibrate the compass away from steel, then check again.",
            )
        )
    if fit.sides_deg < _ONE_SIDE_DEG:
        said.append(
            words(
                f"Chỉ nhìn từ một phía ({fit.sides_deg:.0f}°): lệch vị trí lẫn với lệch hướng.",
                f"Looks from one side only ({fit.sides_deg:.0f} deg apart): an error of the place "
                "looks like one of the heading there; look from the opposite side too.",
            )
        )
    if fit.stretch > 1.5:
        said.append(
            words(
                f"Các lần nhìn lệch nhau gấp {fit.stretch:.1f} lần khai báo.",
                f"Looks scatter {fit.stretch:.1f} times more than stated; the sigma is stretched.",
            )
        )
    return said


def heading_data(fit: HeadingFit) -> dict[str, object]:
    """The same for a program."""
    return {
        "heading_error_deg": fit.heading_deg,
        "heading_error_sigma_deg": fit.sigma_deg,
        "pitch_error_deg": fit.pitch_deg,
        "pitch_error_sigma_deg": fit.pitch_sigma_deg,
        "stretch": fit.stretch,
        "sides_deg": fit.sides_deg,
        "beside_m": {f"{range_m:.0f}": fit.at_m(range_m)[0] for range_m in RANGES_M},
        "looks": [
            {
                "name": row.look.name,
                "range_m": row.range_m,
                "across_deg": row.across_deg,
                "above_deg": row.above_deg,
                "left_deg": row.left_deg,
                "used": row.used,
            }
            for row in fit.looks
        ],
    }


def write_report(path: Path, fit: HeadingFit, *, source: str) -> None:
    """Write the page."""
    telling = abs(fit.heading_deg) >= _TELLING * fit.sigma_deg
    body = [
        page.verdict(sentence(fit), "warn" if telling else ""),
        page.tiles(
            [
                (f"{fit.heading_deg:+.2f} ± {fit.sigma_deg:.2f}°", words("lệch hướng", "heading")),
                (f"{fit.pitch_deg:+.2f} ± {fit.pitch_sigma_deg:.2f}°", words("lệch góc tà", "pitch")),
                *(
                    (f"{fit.at_m(range_m)[0]:.0f} m", words(f"ở {range_m:.0f} m", "beside there"))
                    for range_m in RANGES_M
                ),
            ]
        ),
        page.notes(warnings(fit)),
        page.heading(words("Từng lần nhìn", "Each look")),
        page.table(
            [words("lần", "look"), words("cự ly", "range"), words("lệch ngang", "across"),
             words("lệch đứng", "above"), words("còn lại", "left over")],
            [
                [row.look.name if row.used else f"{row.look.name} (outlier)", f"{row.range_m:.0f} m",
                 f"{row.across_deg:+.2f}°", f"{row.above_deg:+.2f}°", f"{row.left_deg:.2f}°"]
                for row in fit.looks
            ],
            out=[k for k, row in enumerate(fit.looks) if not row.used],
        ),
        page.figure(
            _wheel(fit),
            words("Lệch ngang theo thứ tự nhìn.", "Across, look by look; the line is the answer."),
        ),
    ]  # fmt: skip
    page.write(path, page.page(words("Kiểm tra hướng UAV", "Heading check"), source, body))


def _wheel(fit: HeadingFit) -> str:
    values = [row.across_deg for row in fit.looks]
    far = max(1.0, *(abs(value) for value in values), abs(fit.heading_deg)) * 1.15
    drawing = Chart((0.5, len(values) + 0.5), (-far, far), ("look", "deg"), size_px=(640, 260))
    for k, row in enumerate(fit.looks, 1):
        drawing.points([(k, row.across_deg)], style="mark" if row.used else "out")
    level = fit.heading_deg if math.isfinite(fit.heading_deg) else 0.0
    drawing.line([(0.5, level), (len(values) + 0.5, level)])
    drawing.line([(0.5, 0.0), (len(values) + 0.5, 0.0)], style="soft")
    return drawing.svg
