"""The charts of a report: delays, errors of places, who was seen and who was not."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simulations.score import look
from simulations.score.judge import EARLY_S, LATE_S
from simulations.score.report import Share

_LEAST_ROWS = 4


def delays(delays_s: Sequence[float]) -> Figure:
    """Return the histogram of warnings' delays after the moment of certainty."""
    figure, axes = look.new_figure(5.4, 3.4)
    edges = np.arange(-EARLY_S, LATE_S + 0.5, 0.5)
    axes.hist(np.clip(delays_s, edges[0], edges[-1]), bins=edges.tolist(), color=look.ACCENT)
    axes.axvline(0.0, color=look.TEXT, linewidth=1.0)
    axes.axvline(LATE_S, color=look.WARNING, linewidth=1.2, linestyle="--")
    axes.annotate(
        "too late", (LATE_S, 0.97), xycoords=("data", "axes fraction"), ha="right", va="top",
        color=look.WARNING, fontsize=9, xytext=(-4, 0), textcoords="offset points",
    )  # fmt: skip
    axes.set_xlabel("seconds from what a perfect observer knows to the warning")
    axes.set_ylabel("hits")
    if not delays_s:
        axes.set_ylim(0.0, 1.0)
        _nothing(axes, "no hit")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def recall(rows: Sequence[Share], title: str) -> Figure:
    """Return bars of how much of their visible time people were seen, with the seconds asked."""
    figure, axes = look.new_figure(5.4, 3.4)
    rows = [row for row in rows if row.seconds]
    shares = [row.share or 0.0 for row in rows]
    places = np.arange(len(rows))
    axes.barh(places, shares, color=look.ACCENT, height=0.62)
    for place, row, share in zip(places, rows, shares, strict=True):
        inside = share > 0.75
        axes.annotate(
            f"{100 * share:.0f} %  of {row.seconds} s", (share, place),
            ha="right" if inside else "left", va="center", fontsize=9,
            xytext=(-5 if inside else 5, 0), textcoords="offset points",
            color=look.GROUND if inside else look.TEXT,
        )  # fmt: skip
    axes.set_yticks(places, [row.label for row in rows])
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-0.6, max(len(rows), _LEAST_ROWS) - 0.4)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.set_xlabel(title)
    axes.grid(visible=False, axis="y")
    if not rows:
        _nothing(axes, "nobody was visible")
    return figure


def errors(errors_m: Sequence[float]) -> Figure:
    """Return the distribution of geolocation errors, with the promise's two limits."""
    figure, axes = look.new_figure(5.4, 3.4)
    values = np.sort(np.asarray(errors_m, dtype=np.float64))
    if len(values):
        axes.plot(values, np.arange(1, len(values) + 1) / len(values), color=look.ACCENT)
        axes.set_xlim(0.0, max(3.5, float(np.quantile(values, 0.99))))
    else:
        _nothing(axes, "no place was told of anybody")
    for metres, share in ((1.0, 0.5), (3.0, 0.95)):
        axes.plot([0, metres, metres], [share, share, 0], ":", color=look.QUIET, linewidth=1.0)
    axes.set_ylim(0.0, 1.02)
    axes.set_xlabel("metres from the told place to the true feet")
    axes.set_ylabel("share of observations")
    return figure


def _nothing(axes: Axes, words: str) -> None:
    axes.annotate(
        words, (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", color=look.QUIET
    )
