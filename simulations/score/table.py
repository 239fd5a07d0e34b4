"""A report in the terminal: the figures, every event, every warning that was not a hit."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from simulations.score.report import EventLine, Figures, Report, WarningLine
from simulations.score.suite import Entry, SuiteReport

_STYLE = {"hit": "green", "missed": "bold red", "undecidable": "dim"}
_VERDICT = {"late": "yellow", "duplicate": "yellow", "false": "bold red", "undecidable": "dim"}


def print_report(report: Report, console: Console) -> None:
    """Print one run."""
    console.print(
        _figures(f"{report.scenario}, seed {report.seed}", {str(report.detections): report})
    )
    if report.needs:
        console.print(f"waiting for: {', '.join(report.needs)}; in no total", style="yellow")
    if report.events:
        console.print(_events(report.events))
    others = [line for line in report.warnings if line.verdict != "hit"]
    if others:
        console.print(_warnings(others))


def print_suite(report: SuiteReport, console: Console) -> None:
    """Print a suite: each scenario, then totals by kind of detections."""
    console.print(_scenarios("scenarios", report.scenarios))
    if report.waiting:
        console.print(_scenarios("waiting, in no total", report.waiting))
    console.print(_figures("totals", {str(kind): one for kind, one in report.totals.items()}))
    for entry in report.scenarios:
        for words, lines in (("missed", entry.missed_events), ("false", entry.false_warnings)):
            for line in lines:
                console.print(f"{words}: {entry.scenario}/{entry.seed}: {line}", highlight=False)


def figure_rows(figures: Figures) -> list[tuple[str, str]]:
    """Return the figures as (words, value), in the order in which a person asks for them."""
    seen = figures.observations
    bound = number(figures.false_per_camera_day_bound95, 2)
    rows = [
        ("events that a camera could decide", str(figures.events_truth)),
        ("hits", f"{figures.true_positive}, direction right in {figures.direction_right}"),
        ("missed", str(figures.missed) + _causes(figures.missed_by_cause)),
        ("false warnings", str(figures.false_positive) + _causes(figures.false_by_cause)),
        ("duplicate, late warnings", f"{figures.duplicate_alerts}, {figures.late_alerts}"),
        ("at lowered rank, of permitted people", str(figures.lowered_alerts)),
        ("undecidable events", str(figures.undecidable)),
        (
            "precision, recall, F1",
            ", ".join(number(x, 3) for x in (figures.precision, figures.recall, figures.f1)),
        ),
        ("delay p50, p95", seconds(figures.delay_s.p50) + ", " + seconds(figures.delay_s.p95)),
        ("lead p50", seconds(figures.lead_s.p50)),
        (
            "place off, median, 95 %",
            f"{number(figures.geolocation_m.median, 2)} m, {number(figures.geolocation_m.p95, 2)} m",
        ),
        ("90 % ellipse holds", percent(figures.ellipse90_coverage)),
        ("camera-days", number(figures.camera_days, 3)),
        (
            "false per camera-day, 95 % bound",
            f"{number(figures.false_per_camera_day, 2)}, at most {bound}",
        ),
        (
            "cautions, beside nobody who crosses",
            f"{figures.cautions}, {figures.cautions_never_cross}",
        ),
        ("observations made, received, lost", f"{seen.made}, {seen.received}, {seen.lost}"),
    ]
    if figures.capture_to_map_s is not None:
        spread = figures.capture_to_map_s
        rows.append(("capture to map p50, p95", f"{seconds(spread.p50)}, {seconds(spread.p95)}"))
    rows += [
        (f"least distance of {drone} to the line", f"{number(metres, 1)} m")
        for drone, metres in figures.min_distance_to_line_m.items()
    ]
    return rows


def number(value: float | None, digits: int) -> str:
    """Return a figure, a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def seconds(value: float | None) -> str:
    """Return a time, a dash where there is none."""
    return "–" if value is None else f"{value:.1f} s"


def percent(value: float | None) -> str:
    """Return a share, a dash where there is none."""
    return "–" if value is None else f"{100.0 * value:.0f} %"


def _causes(causes: dict[str, int]) -> str:
    words = ", ".join(f"{count} {cause.replace('_', ' ')}" for cause, count in causes.items())
    return f" ({words})" if words else ""


def _figures(title: str, columns: dict[str, Figures] | dict[str, Report]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    rows = {}
    for name, figures in columns.items():
        table.add_column(name, justify="right")
        rows[name] = dict(figure_rows(figures))
    for words in dict.fromkeys(words for column in rows.values() for words in column):
        table.add_row(words, *(column.get(words, "–") for column in rows.values()))
    return table


def _events(events: Sequence[EventLine]) -> Table:
    table = Table(title="events", title_justify="left")
    for name in ("event", "who", "way", "on the line", "delay", "lead", "off", "outcome", "why"):
        table.add_column(name, justify="right" if name in _NUMBERS else "left")
    for event in events:
        people = f" x {event.people}" if event.people > 1 else ""
        table.add_row(
            event.event_id, event.kind + people, event.direction, seconds(event.t_cross_s),
            seconds(event.delay_s), seconds(event.lead_s), number(event.off_m, 1),
            event.outcome, event.reason, style=_STYLE[event.outcome],
        )  # fmt: skip
    return table


_NUMBERS = {"on the line", "delay", "lead", "off"}


def _warnings(lines: Sequence[WarningLine]) -> Table:
    table = Table(title="warnings that are no hit", title_justify="left")
    for name in ("said", "rule", "along", "across", "verdict", "why"):
        table.add_column(name, justify="left" if name in ("rule", "verdict", "why") else "right")
    for line in lines:
        verdict = line.verdict or "caution"
        table.add_row(
            seconds(line.t_said_s), f"{line.rule} {line.direction}".strip(),
            number(line.along_m, 0), number(line.across_m, 1), verdict,
            line.reason or line.event_id, style=_VERDICT.get(verdict, ""),
        )  # fmt: skip
    return table


def _scenarios(title: str, entries: Sequence[Entry]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("scenario", "seed", "boxes", "events", "hits", "missed", "false", "twice"):
        table.add_column(name, justify="left" if name in ("scenario", "boxes") else "right")
    for name in ("undecidable", "cautions", "delay p50", "F1"):
        table.add_column(name, justify="right")
    for entry in entries:
        if entry.seed is None:
            words = f"waits for {', '.join(entry.needs)}"
            table.add_row(entry.scenario, "–", words, style="dim")
            continue
        bad = entry.missed or entry.false_positive or entry.duplicate_alerts
        table.add_row(
            entry.scenario, str(entry.seed), str(entry.detections), str(entry.events_truth),
            str(entry.true_positive), str(entry.missed), str(entry.false_positive),
            str(entry.duplicate_alerts), str(entry.undecidable), str(entry.cautions),
            seconds(entry.delay_s.p50), number(entry.f1, 2), style="red" if bad else "",
        )  # fmt: skip
    return table
