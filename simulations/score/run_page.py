"""One run as a page in one file: map, charts, every event, every alert, for people to look at."""

from html import escape
from pathlib import Path

from simulations.played import Played
from simulations.score import html, plots
from simulations.score.chart_map import run_map
from simulations.score.look import rendered
from simulations.score.report import EventLine, Report, WarningLine
from simulations.score.table import number, percent, seconds
from simulations.world import World


def write_html(report: Report, played: Played, world: World, path: Path) -> None:
    """Write the page of one run.

    Args:
        report: of the record.
        played: the record.
        world: that it was played in.
        path: of the HTML file.
    """
    html.write(
        path, html.page(f"{report.scenario}, seed {report.seed}", _body(report, played, world))
    )


def write_pictures(report: Report, played: Played, world: World, folder: Path) -> list[Path]:
    """Write the page's pictures as PNG files; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "map": run_map(report, played, world),
        "delays": plots.delays(report.samples.delay_s),
        "recall": plots.recall(report.recall_by_height, _SEEN),
        "gaits": plots.recall(report.recall_by_gait, _SEEN),
        "places": plots.errors(report.samples.geolocation_m),
    }
    paths = []
    for name, figure in figures.items():
        path = folder / f"{report.scenario}-{report.seed}-{name}.png"
        path.write_bytes(rendered(figure, "png"))
        paths.append(path)
    return paths


_SEEN = "of their visible seconds with an observation"


def _body(report: Report, played: Played, world: World) -> list[str]:
    parts = [
        f"<h1>{escape(report.title or report.scenario)}</h1>",
        f'<p class="sub">{escape(world.scenario.story or report.title_vi)}</p>',
        "<p>"
        + html.tag(f"detections: {report.detections}", "kind")
        + html.tag(f"{report.scenario}, seed {report.seed}")
        + html.tag("real processes" if report.real else "offline")
        + html.tag(f"{report.duration_s:.0f} s, played in {report.wall_s:.0f} s")
        + "".join(html.tag(f"{k}: {v}") for k, v in report.tags.model_dump().items())
        + "</p>",
    ]
    if report.needs:
        parts.append(
            f"<p>Waits for {escape(', '.join(report.needs))}: in no total, neither passed nor failed.</p>"
        )
    parts += [
        html.tiles(report),
        html.picture(
            run_map(report, played, world),
            "True ways, places told by each camera (dots) with some of their 90 % ellipses, true "
            "crossings (rings) and alerts; the red band is one sigma of the line.",
        ),
        "<h2>Events</h2>" + (_events(report.events) if report.events else "<p>Nobody crossed.</p>"),
        "<h2>Alerts</h2>" + _alerts(report),
        '<h2>How soon, how exact, how many</h2><div class="charts">',
        html.picture(plots.delays(report.samples.delay_s), "Delay of the hits."),
        html.picture(
            plots.errors(report.samples.geolocation_m),
            "Errors of told places; the dots are the promise.",
        ),
        html.picture(
            plots.recall(report.recall_by_height, _SEEN), "People by their height in the picture."
        ),
        html.picture(plots.recall(report.recall_by_gait, _SEEN), "People by their gait."),
        "</div>",
        "<h2>Sensors</h2>" + _sensors(report),
        html.figures(report),
    ]
    return parts


def _events(events: tuple[EventLine, ...]) -> str:
    heads = ("event", "who", "way", "on the line", "decidable", "by", "caution", "warning",
             "delay", "lead", "off", "outcome", "why")  # fmt: skip
    rows = []
    for e in events:
        who = f"{e.people} × {e.kind}" if e.people > 1 else e.kind
        rows.append(
            (
                e.outcome,
                (
                    e.event_id, who, e.direction, seconds(e.t_cross_s), seconds(e.t_decidable_s),
                    e.decided_by, seconds(e.t_caution_s), seconds(e.t_warning_s),
                    seconds(e.delay_s), seconds(e.lead_s),
                    "–" if e.off_m is None else f"{e.off_m:.1f} m", e.outcome, e.reason,
                ),
            )
        )  # fmt: skip
    right = ("on the line", "decidable", "caution", "warning", "delay", "lead", "off")
    return html.table(heads, rows, numbers=right)


def _alerts(report: Report) -> str:
    heads = ("said", "level", "rule", "along", "across", "is", "event or cause", "sentence")
    lines: tuple[WarningLine, ...] = (*report.warnings, *report.cautions_list)
    if not lines:
        return "<p>No caution and no warning.</p>"
    rows = []
    for line in sorted(lines, key=lambda one: one.t_said_s):
        about = line.reason or line.event_id
        if line.verdict is None:
            about = "beside nobody who crosses" if line.never_crosses else "beside one who crosses"
            about += f", nearest {line.nearest}"
        rows.append(
            (
                line.verdict or "",
                (
                    seconds(line.t_said_s), line.level, f"{line.rule} {line.direction}".strip(),
                    number(line.along_m, 0), number(line.across_m, 1), line.verdict or "caution",
                    about, line.sentence_en,
                ),
            )
        )  # fmt: skip
    return html.table(heads, rows, numbers=("said", "along", "across"))


def _sensors(report: Report) -> str:
    heads = (
        "sensor",
        "observations of somebody",
        "of nobody",
        "off, median",
        "off, 95 %",
        "in 90 % ellipse",
    )
    rows = (
        (
            "",
            (
                line.sensor_id, str(line.matched), str(line.unmatched),
                f"{number(line.geolocation_m.median, 2)} m", f"{number(line.geolocation_m.p95, 2)} m",
                percent(line.ellipse90_coverage),
            ),
        )
        for line in report.by_sensor
    )  # fmt: skip
    return html.table(heads, rows, numbers=heads[1:])
