"""A suite as a page in one file: what counts by kind of detections, what waits, where it fails."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from simulations.score import html, look, plots
from simulations.score.report import Figures
from simulations.score.suite import TAGS, Crossers, Entry, SuiteReport
from simulations.score.table import number, percent, seconds

_SEEN = "of their visible seconds with an observation"
_WORDS = {
    "film": "Film: a network looked at rendered pictures",
    "modelled": "Modelled: boxes from truth by the network's error model",
}
_HEADS = ("scenario", "seed", "what happened", "events", "hits", "missed", "false", "twice",
          "cautions", "delay p50", "off", "why")  # fmt: skip


def write_suite_html(report: SuiteReport, path: Path) -> None:
    """Write the page of a suite; all of it follows from the suite's file."""
    html.write(path, html.page("The simulated border, scored", _body(report)))


def _body(report: SuiteReport) -> list[str]:
    seeds = ", ".join(map(str, report.seeds))
    words = (
        f"{len(report.scenarios)} runs with seeds {seeds}; {len(report.waiting)} wait for what the "
        f"product lacks. {report.machine}"
    )
    parts = ["<h1>The simulated border, scored</h1>", f'<p class="sub">{escape(words)}</p>']
    if report.command:
        parts.append(f"<p><code>{escape(report.command)}</code></p>")
    for kind in report.totals:
        own = [entry for entry in report.scenarios if entry.detections == kind]
        parts += [
            f"<h2>{escape(_WORDS[kind])}</h2>",
            html.tiles(report.totals[kind]),
            _legend(),
            _entries(own),
            '<div class="charts">',
            html.picture(plots.delays(report.delays_s[kind]), "Delay of the hits."),
            html.picture(
                plots.recall(report.recall[kind]["height"], _SEEN),
                "People by their height in the picture.",
            ),
            html.picture(plots.recall(report.recall[kind]["gait"], _SEEN), "People by their gait."),
            html.picture(plots.recall(report.recall[kind]["kind"], _SEEN), "Everybody by kind."),
            "</div>",
            _crossers(report.crossers[kind]),
            *(
                _by_tag(tag, report.by_tag[kind][tag])
                for tag in TAGS
                if len(report.by_tag[kind][tag]) > 1
            ),
            html.figures(report.totals[kind]),
        ]
    if report.waiting:
        parts += ["<h2>Waiting, in no total</h2>", _entries(report.waiting)]
    return parts


def _legend() -> str:
    words = (("hit", look.HIT), ("missed or false", look.WARNING), ("duplicate", look.CAUTION),
             ("undecidable", look.EDGE))  # fmt: skip
    return "<p>" + " ".join(
        f'{_bar(colour, 1)} <span class="sub">{escape(word)}</span>&ensp;' for word, colour in words
    ) + "</p>"  # fmt: skip


def _entries(entries: Sequence[Entry]) -> str:
    right = {"seed", "events", "hits", "missed", "false", "twice", "cautions", "delay p50", "off"}
    parts = ['<div class="wide"><table><thead><tr>']
    parts += [f'<th class="{"n" if h in right else ""}">{escape(h)}</th>' for h in _HEADS]
    parts.append("</tr></thead><tbody>")
    for entry in entries:
        parts.append(f'<tr class="{"waiting" if entry.needs else ""}">')
        parts += [
            f'<td class="{"n" if head in right else ""}">{cell}</td>'
            for head, cell in zip(_HEADS, _cells(entry), strict=True)
        ]
        parts.append("</tr>")
    parts.append("</tbody></table></div>")
    return "".join(parts)


def _cells(entry: Entry) -> list[str]:
    """Return a row's cells as HTML."""
    why = [f"waits for {', '.join(entry.needs)}"] if entry.needs else []
    if entry.seed is None:
        return [escape(entry.scenario), "–", "", *["–"] * 8, escape(why[0])]
    why += [f"missed {line}" for line in entry.missed_events]
    why += [f"false {line}" for line in entry.false_warnings]
    off = entry.geolocation_m.median
    squares = (
        _bar(look.HIT, entry.true_positive)
        + _bar(look.WARNING, entry.missed + entry.false_positive)
        + _bar(look.CAUTION, entry.duplicate_alerts)
        + _bar(look.EDGE, entry.undecidable)
    )
    counts = (entry.events_truth, entry.true_positive, entry.missed, entry.false_positive,
              entry.duplicate_alerts, entry.cautions)  # fmt: skip
    return [
        escape(entry.scenario), str(entry.seed), squares, *(str(count) for count in counts),
        seconds(entry.delay_s.p50), "–" if off is None else f"{off:.2f} m",
        "<br>".join(escape(line) for line in why),
    ]  # fmt: skip


def _bar(colour: str, count: int) -> str:
    """Return one square for each, up to what fits."""
    square = f'<i class="bar" style="width:10px;background:{colour}"></i>'
    return square * min(count, 24)


def _by_tag(tag: str, groups: dict[str, Figures]) -> str:
    heads = (tag, "runs", "events", "hits", "missed", "false", "F1", "delay p95", "off, median",
             "in 90 % ellipse", "camera-days")  # fmt: skip
    rows = (
        (
            "",
            (
                value, str(f.runs), str(f.events_truth), str(f.true_positive), str(f.missed),
                str(f.false_positive), number(f.f1, 2), seconds(f.delay_s.p95),
                f"{number(f.geolocation_m.median, 2)} m", percent(f.ellipse90_coverage),
                number(f.camera_days, 3),
            ),
        )
        for value, f in groups.items()
    )  # fmt: skip
    return f"<h2>By {escape(tag)}</h2>" + html.table(heads, rows, numbers=heads[1:])


def _crossers(groups: dict[str, Crossers]) -> str:
    heads = ("who crosses", "events", "hits", "missed", "recall", "undecidable")
    rows = (
        (
            "",
            (
                kind, str(c.events_truth), str(c.true_positive), str(c.missed),
                percent(c.recall), str(c.undecidable),
            ),
        )
        for kind, c in groups.items()
    )  # fmt: skip
    return "<h2>By who crosses</h2>" + html.table(heads, rows, numbers=heads[1:])
