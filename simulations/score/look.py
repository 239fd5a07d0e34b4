"""How the plots look: dark neutral ground, one accent, levels told apart by shape and colour."""

import io
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

GROUND = "#15181c"
PANEL = "#1c2026"
EDGE = "#39404a"
TEXT = "#d5dae1"
QUIET = "#8b95a3"
ACCENT = "#4cc2b0"
INFORMATION = "#8fa6bf"
CAUTION = "#f0b429"
WARNING = "#ff5d52"
HIT = "#6fcf7f"
SENSORS = ("#4cc2b0", "#b493f0", "#6fb1ff", "#e0a36a", "#9bd06a", "#e58fb8")


def new_figure(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    """Return an empty plot in the house's look."""
    figure = Figure(figsize=(width_in, height_in), facecolor=GROUND, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    dress(axes)
    return figure, axes


def dress(axes: Axes) -> None:
    """Give axes the house's look."""
    axes.set_facecolor(PANEL)
    for spine in axes.spines.values():
        spine.set_color(EDGE)
    axes.tick_params(colors=QUIET, labelcolor=TEXT, length=3)
    axes.xaxis.label.set_color(QUIET)
    axes.yaxis.label.set_color(QUIET)
    axes.title.set_color(TEXT)
    axes.grid(visible=True, color=EDGE, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)


def legend(figure: Figure) -> None:
    """Add the legend below the plot, in the house's look."""
    figure.legend(
        facecolor=GROUND, edgecolor=GROUND, labelcolor=TEXT, fontsize=9,
        loc="outside lower left", ncols=5, borderpad=0.2,
    )  # fmt: skip


def rendered(figure: Figure, form: Literal["svg", "png"]) -> bytes:
    """Return a figure as SVG or PNG; equal figures give equal bytes."""
    target = io.BytesIO()
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    # Text as outlines looks the same everywhere; a fixed salt gives equal bytes for equal pictures.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "border-watch"}):
        figure.savefig(target, format=form, dpi=120, facecolor=GROUND, metadata=metadata)
    return target.getvalue()
