"""The map of a run along and across the line: true ways, told places, doubts, alerts."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from geo._types import FloatArray
from simulations.played import Played
from simulations.score import look
from simulations.score.report import Report, WarningLine
from simulations.score.scene import Scene
from simulations.world import World

_MARGIN_M = 5.0
_WIDTH_IN = 12.0
_LEAST_WIDE = 1.9
_WORDS_IN = 1.2
_CE90 = 2.146
"""Radius of the circle that holds 90 %, in sigmas."""
_PEOPLE, _OTHERS = "#e8ecf1", "#a48a66"
_ALARMS: dict[str, tuple[str, str]] = {
    "hit": (look.HIT, "warning: hit"),
    "late": (look.CAUTION, "warning: too late"),
    "duplicate": (look.INFORMATION, "warning: duplicate"),
    "undecidable": (look.QUIET, "warning: undecidable event"),
    "false": (look.WARNING, "warning: false"),
}


def run_map(report: Report, played: Played, world: World) -> Figure:
    """Return the map of a run, our side above the line."""
    scene = Scene(report, played, world)
    figure, axes = look.new_figure(_WIDTH_IN, 6.6)
    # Told places do not widen the map: one of a bird may lie anywhere.
    _told(axes, scene)
    points = [*_cameras(axes, scene), *_ways(axes, scene)]
    points += [*_events(axes, scene), *_alerts(axes, report)]
    _frame(axes, np.vstack(points))
    _line(axes, scene)
    axes.set_aspect("equal")
    _fit(figure, axes)
    axes.set_xlabel(f"metres along the line from marker {world.scenario.from_marker}")
    axes.set_ylabel("metres across, our side positive")
    look.legend(figure)
    return figure


def _cameras(axes: Axes, scene: Scene) -> list[FloatArray]:
    places = []
    for colour, eye in zip(_colours(scene.sensor_ids), scene.eyeshots(), strict=True):
        axes.fill(*eye.ring_m.T, color=colour, alpha=0.07, linewidth=0)
        axes.plot(*eye.ring_m.T, color=colour, alpha=0.3, linewidth=0.8)
        axes.plot(*eye.place_m, "s", color=colour, markersize=8, label=eye.sensor_id)
        places.append(eye.place_m[None, :])
    return places


def _ways(axes: Axes, scene: Scene) -> list[FloatArray]:
    ways = scene.ways()
    for person, colour, words in ((True, _PEOPLE, "true way"), (False, _OTHERS, "of an animal")):
        own = [way.places_m for way in ways if way.person == person]
        for number, places in enumerate(own):
            axes.plot(
                *places.T, color=colour, alpha=0.55, linewidth=1.1, zorder=2.2,
                label=words if number == 0 else None,
            )  # fmt: skip
    return [way.places_m for way in ways]


def _told(axes: Axes, scene: Scene) -> None:
    for number, ring in enumerate(scene.ellipses()):
        axes.plot(
            *ring.T, color=look.ACCENT, alpha=0.5, linewidth=0.7, zorder=2.4,
            label="90 % ellipse of a place" if number == 0 else None,
        )  # fmt: skip
    places = scene.places()
    for name, colour in zip(scene.sensor_ids, _colours(scene.sensor_ids), strict=True):
        if name in places:
            axes.plot(*places[name].T, ".", color=colour, markersize=2.0, alpha=0.8, zorder=2.3)


def _events(axes: Axes, scene: Scene) -> list[FloatArray]:
    words = {"hit": look.HIT, "missed": look.WARNING, "undecidable": look.QUIET}
    named = set()
    for _, along_m, outcome in scene.crossings():
        axes.plot(
            along_m, 0.0, "o", markersize=12, markerfacecolor="none", zorder=5,
            markeredgecolor=words[outcome], markeredgewidth=1.5,
            label=None if outcome in named else f"crossing: {outcome}",
        )  # fmt: skip
        named.add(outcome)
    return [np.array([[along_m, 0.0]]) for _, along_m, _ in scene.crossings()]


def _alerts(axes: Axes, report: Report) -> list[FloatArray]:
    named: set[str] = set()
    places = []
    for line in (*report.warnings, *report.cautions_list):
        place = _place(line)
        if place is None:
            continue
        places.append(place[None, :])
        colour, words = _ALARMS.get(line.verdict or "", (look.CAUTION, "caution that stayed one"))
        axes.plot(
            *place, "^" if line.verdict is None else "D", color=colour, markersize=6.5,
            markeredgecolor=look.GROUND, markeredgewidth=0.6, zorder=6,
            label=None if words in named else words,
        )  # fmt: skip
        named.add(words)
        if line.sigma_m:
            circle = Circle(
                (float(place[0]), float(place[1])), _CE90 * line.sigma_m,
                fill=False, edgecolor=colour, alpha=0.6, linewidth=0.8, zorder=5.5,
            )  # fmt: skip
            axes.add_patch(circle)
    return places


def _place(line: WarningLine) -> FloatArray | None:
    if line.along_m is None or line.across_m is None:
        return None
    return np.array([line.along_m, line.across_m])


def _frame(axes: Axes, points: FloatArray) -> None:
    known = points[np.isfinite(points).all(axis=1)]
    low, high = known.min(axis=0) - _MARGIN_M, known.max(axis=0) + _MARGIN_M
    bottom, top = min(low[1], -2 * _MARGIN_M), max(high[1], 2 * _MARGIN_M)
    # A border is wider than deep; a map of one narrow way shows the line beside it, too.
    lacking_m = max(_LEAST_WIDE * (top - bottom) - (high[0] - low[0]), 0.0)
    axes.set_xlim(low[0] - 0.5 * lacking_m, high[0] + 0.5 * lacking_m)
    axes.set_ylim(bottom, top)


def _fit(figure: Figure, axes: Axes) -> None:
    """Take the height that the map needs at the page's width: metres are equal both ways."""
    wide, high = np.diff(axes.get_xlim())[0], np.diff(axes.get_ylim())[0]
    inches = (_WIDTH_IN - 0.7) * high / wide + _WORDS_IN
    figure.set_size_inches(_WIDTH_IN, float(np.clip(inches, 3.4, 9.0)))


def _line(axes: Axes, scene: Scene) -> None:
    along = np.linspace(*axes.get_xlim(), 400)
    sigma = scene.line_sigma_m(along)
    axes.fill_between(along, -sigma, sigma, color=look.WARNING, alpha=0.13, linewidth=0)
    axes.axhline(0.0, color=look.WARNING, linewidth=1.6, label="the line, one sigma of it")
    left = axes.get_xlim()[0]
    for words, across_m, side in (("our side", 1.0, "bottom"), ("other side", -1.0, "top")):
        axes.annotate(
            words, (left, across_m * float(sigma[0])), va=side, color=look.QUIET, fontsize=9,
            xytext=(6, 3 * across_m), textcoords="offset points",
        )  # fmt: skip


def _colours(names: Sequence[str]) -> list[str]:
    return [look.SENSORS[number % len(look.SENSORS)] for number in range(len(names))]
