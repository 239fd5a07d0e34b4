"""The parts that both pages are made of: one file each, no script, nothing fetched."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from simulations.score import look
from simulations.score.report import Figures
from simulations.score.table import figure_rows, number, percent, seconds

_STYLE = f"""
:root {{ color-scheme: dark; }}
body {{ margin: 0; background: {look.GROUND}; color: {look.TEXT};
  font: 15px/1.5 "Be Vietnam Pro", "Segoe UI", system-ui, sans-serif; }}
main {{ max-width: 1240px; margin: 0 auto; padding: 28px 24px 64px; }}
h1 {{ font-size: 26px; margin: 0; font-weight: 600; }}
h2 {{ font-size: 18px; margin: 40px 0 12px; font-weight: 600; }}
p.sub {{ color: {look.QUIET}; margin: 4px 0 0; }}
.banner {{ background: #33280d; color: {look.CAUTION}; padding: 6px 24px; font-weight: 600;
  letter-spacing: .02em; text-align: center; }}
.tiles {{ display: grid; grid-template-columns: repeat(5, 1fr); gap: 10px;
  margin: 24px 0; }}
.tile {{ background: {look.PANEL}; border: 1px solid {look.EDGE}; border-radius: 8px;
  padding: 12px 14px; }}
.tile b {{ display: block; font-size: 26px; font-weight: 600; line-height: 1.2;
  font-variant-numeric: tabular-nums; }}
.tile span {{ color: {look.QUIET}; font-size: 14px; }}
.good b {{ color: {look.HIT}; }} .bad b {{ color: {look.WARNING}; }}
figure {{ margin: 0; background: {look.GROUND}; }}
figure svg {{ width: 100%; height: auto; display: block; }}
figcaption {{ color: {look.QUIET}; font-size: 14px; padding: 2px 4px 10px; }}
.charts {{ display: grid; grid-template-columns: repeat(2, 1fr); gap: 16px; margin-top: 16px; }}
@media (max-width: 800px) {{ .charts {{ grid-template-columns: 1fr; }}
  .tiles {{ grid-template-columns: repeat(2, 1fr); }} }}
.narrow {{ max-width: 640px; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: 14px; }}
th {{ text-align: left; color: {look.QUIET}; font-weight: 500; white-space: nowrap; }}
th, td {{ padding: 6px 10px 6px 0; border-bottom: 1px solid {look.EDGE}; vertical-align: top; }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
tr.hit td.w {{ color: {look.HIT}; }} tr.missed td.w, tr.false td.w {{ color: {look.WARNING}; }}
tr.late td.w, tr.duplicate td.w {{ color: {look.CAUTION}; }}
tr.undecidable td, tr.waiting td {{ color: {look.QUIET}; }}
.tag {{ display: inline-block; border: 1px solid {look.EDGE}; border-radius: 4px; padding: 0 6px;
  color: {look.QUIET}; font-size: 13px; margin-right: 6px; }}
.tag.kind {{ color: {look.ACCENT}; border-color: {look.ACCENT}; }}
.bar {{ display: inline-block; height: 10px; border-radius: 2px; margin-right: 1px; }}
code {{ background: {look.PANEL}; padding: 1px 5px; border-radius: 4px; }}
"""


def page(title: str, body: Iterable[str]) -> str:
    """Return a whole page; simulated as everything here is, it says so on top."""
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            '<div class="banner">ĐANG MÔ PHỎNG, KHÔNG PHẢI THỰC TẾ · SIMULATED, NOT REAL</div>',
            "<main>",
            *body,
            "</main></body></html>",
            "",
        )
    )


def write(path: Path, text: str) -> None:
    """Write a page, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def tag(words: str, style: str = "") -> str:
    """Return a small label."""
    return f'<span class="tag {style}">{escape(words)}</span>'


def tiles(figures: Figures) -> str:
    """Return the figures that a reader asks for first, large."""
    bound = number(figures.false_per_camera_day_bound95, 2)
    fine_f1 = None if figures.f1 is None else figures.f1 >= 0.9  # The promise.
    quiet = figures.false_positive == 0
    found = [
        (str(figures.events_truth), "events to tell", None),
        (str(figures.true_positive), "hits", None),
        (str(figures.missed), "missed", figures.missed == 0 if figures.events_truth else None),
        (str(figures.false_positive), "false warnings", quiet),
        (number(figures.f1, 2), "F1", fine_f1),
        (seconds(figures.delay_s.p95), "delay, 95 %", None),
        (seconds(figures.lead_s.p50), "lead, median", None),
        (f"{number(figures.geolocation_m.median, 2)} m", "place off, median", None),
        (percent(figures.ellipse90_coverage), "in the 90 % ellipse", None),
        (bound, "false per camera-day, at most (95 %)", None),
    ]
    marks = {None: "", True: "good", False: "bad"}
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile {marks[good]}"><b>{escape(value)}</b><span>{escape(words)}</span></div>'
            for value, words, good in found
        )
        + "</div>"
    )


def picture(figure: Figure, caption: str) -> str:
    """Return a plot as part of the page."""
    svg = look.rendered(figure, "svg").decode("utf-8")
    drawn = svg[svg.index("<svg") :]
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def table(
    heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], *, numbers: Iterable[str] = ()
) -> str:
    """Return a table.

    Args:
        heads: of the columns.
        rows: style and cells of each; cells are text.
        numbers: heads of columns that are set to the right.
    """
    right = set(numbers)
    style = ["n" if head in right else "w" if head in ("outcome", "is") else "" for head in heads]
    parts = ['<div class="wide"><table><thead><tr>']
    parts += [f'<th class="{s}">{escape(h)}</th>' for h, s in zip(heads, style, strict=True)]
    parts.append("</tr></thead><tbody>")
    for mark, cells in rows:
        parts.append(f'<tr class="{mark}">')
        parts += [f'<td class="{s}">{escape(c)}</td>' for c, s in zip(cells, style, strict=True)]
        parts.append("</tr>")
    parts.append("</tbody></table></div>")
    return "".join(parts)


def figures(found: Figures) -> str:
    """Return every figure with its words."""
    rows = (("", row) for row in figure_rows(found))
    listed = table(("figure", ""), rows, numbers=("",))
    return f'<h2>All figures</h2><div class="narrow">{listed}</div>'
