"""Many reports as one: totals by kind of detections, by tag, and what waits, apart."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from runtime.settings import Settings
from simulations.scenario import Purpose, Scenario, Tags
from simulations.score.report import Detections, Distance, Figures, Middle, Report, Share, Spread
from simulations.score.statistics import ratio
from simulations.score.tally import pooled, rounded, together

TAGS = ("place", "light", "distance", "sensor", "fault", "kind", "purpose")


class Entry(Settings):
    """One scenario with one seed in a suite, or (seed None) one that was not played."""

    scenario: str
    title: str = ""
    seed: int | None
    detections: Detections | None
    purpose: Purpose
    needs: tuple[str, ...] = ()
    tags: Tags
    kinds: tuple[str, ...] = ()
    duration_s: float
    wall_s: float = 0.0
    scenario_sha256: str = ""
    events_truth: int = 0
    undecidable: int = 0
    true_positive: int = 0
    false_positive: int = 0
    missed: int = 0
    duplicate_alerts: int = 0
    f1: float | None = None
    delay_s: Spread = Spread()
    lead_s: Middle = Middle()
    geolocation_m: Distance = Distance()
    ellipse90_coverage: float | None = None
    camera_days: float = 0.0
    cautions: int = 0
    cautions_never_cross: int = 0
    missed_events: tuple[str, ...] = Field(default=(), description="each with its reason")
    false_warnings: tuple[str, ...] = Field(default=(), description="each with its reason")
    undecidable_events: tuple[str, ...] = Field(default=(), description="each with its reason")


class Crossers(Settings):
    """What became of the events of one kind of actor."""

    events_truth: int = 0
    true_positive: int = 0
    missed: int = 0
    undecidable: int = 0
    recall: float | None = None


class SuiteReport(Settings):
    """A suite: every scenario and seed, totals, totals by tag; film and modelled apart.

    Attributes:
        command: that made it, so that anybody can make it again.
        machine: it ran on, in words.
        scenarios: what counts.
        totals: by kind of detections.
        by_tag: by kind of detections, tag and value.
        crossers: by kind of detections, and by the kind of actor who crosses.
        delays_s: of each hit, by kind of detections.
        recall: who was seen, by kind of detections and by height, kind and gait.
        waiting: what the product still lacks something for; in no total.
        waiting_totals: of those of them that were played, by kind of detections.
    """

    command: str
    machine: str
    seeds: tuple[int, ...]
    detections: tuple[Detections, ...]
    scenarios: tuple[Entry, ...]
    totals: dict[Detections, Figures]
    by_tag: dict[Detections, dict[str, dict[str, Figures]]]
    crossers: dict[Detections, dict[str, Crossers]]
    delays_s: dict[Detections, tuple[float, ...]]
    recall: dict[Detections, dict[str, tuple[Share, ...]]]
    waiting: tuple[Entry, ...]
    waiting_totals: dict[Detections, Figures]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for entry in self.scenarios:
            if entry.needs:
                raise ValueError(f"scenario {entry.scenario!r} waits; it belongs into `waiting`")
        for kind, figures in self.totals.items():
            if figures.detections != kind:
                raise ValueError(f"totals.{kind} holds figures of {figures.detections}")
        return self

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "SuiteReport":
        """Read a saved suite report.

        Raises:
            ValueError: it is none.
        """
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


def suite(
    reports: Sequence[Report],
    *,
    command: str = "",
    machine: str = "",
    unplayed: Sequence[Scenario] = (),
) -> SuiteReport:
    """Put reports together.

    Args:
        reports: of any scenarios, seeds and kinds of detections.
        command: that played them.
        machine: in words.
        unplayed: scenarios that wait and cannot even be played yet.

    Raises:
        ValueError: a scenario was not played and waits for nothing.
    """
    for scenario in unplayed:
        if not scenario.needs:
            raise ValueError(f"scenario {scenario.name!r} waits for nothing; play it")
    ordered = sorted(reports, key=lambda r: (r.scenario, r.seed, r.detections))
    counted = [report for report in ordered if not report.waiting]
    waiting = [report for report in ordered if report.waiting]
    return SuiteReport(
        command=command,
        machine=machine,
        seeds=tuple(sorted({report.seed for report in ordered})),
        detections=tuple(sorted({report.detections for report in ordered})),
        scenarios=tuple(_entry(report) for report in counted),
        totals=_totals(counted),
        by_tag={
            kind: {tag: _by_tag(own, tag) for tag in TAGS}
            for kind, own in _by_kind(counted).items()
        },
        crossers={kind: _crossers(own) for kind, own in _by_kind(counted).items()},
        delays_s={
            kind: tuple(d for r in own for d in r.samples.delay_s)
            for kind, own in _by_kind(counted).items()
        },
        recall={
            kind: {
                "height": pooled(row for r in own for row in r.recall_by_height),
                "kind": pooled(row for r in own for row in r.recall_by_kind),
                "gait": pooled(row for r in own for row in r.recall_by_gait),
            }
            for kind, own in _by_kind(counted).items()
        },
        waiting=(
            *(_entry(report) for report in waiting),
            *(_unplayed(scenario) for scenario in sorted(unplayed, key=lambda s: s.name)),
        ),
        waiting_totals=_totals(waiting),
    )


def _by_kind(reports: Sequence[Report]) -> dict[Detections, list[Report]]:
    kinds: tuple[Literal["film"], Literal["modelled"]] = ("film", "modelled")
    found: dict[Detections, list[Report]] = {}
    for kind in kinds:
        own = [report for report in reports if report.detections == kind]
        if own:
            found[kind] = own
    return found


def _totals(reports: Sequence[Report]) -> dict[Detections, Figures]:
    totals = {kind: together(own) for kind, own in _by_kind(reports).items()}
    return {kind: figures for kind, figures in totals.items() if figures is not None}


def _by_tag(reports: Sequence[Report], tag: str) -> dict[str, Figures]:
    """Return figures by a tag's values; a scenario of several kinds of actors counts in each."""
    groups: dict[str, list[Report]] = {}
    for report in reports:
        for value in _values(report, tag):
            groups.setdefault(value, []).append(report)
    found = {value: together(groups[value]) for value in sorted(groups)}
    return {value: figures for value, figures in found.items() if figures is not None}


def _crossers(reports: Sequence[Report]) -> dict[str, Crossers]:
    outcomes: dict[str, Counter[str]] = {}
    for report in reports:
        for event in report.events:
            outcomes.setdefault(event.kind, Counter())[event.outcome] += 1
    return {
        kind: Crossers(
            events_truth=count["hit"] + count["missed"],
            true_positive=count["hit"],
            missed=count["missed"],
            undecidable=count["undecidable"],
            recall=rounded(ratio(count["hit"], count["hit"] + count["missed"])),
        )
        for kind, count in sorted(outcomes.items())
    }


def _values(report: Report, tag: str) -> tuple[str, ...]:
    if tag == "kind":
        return report.kinds
    if tag == "purpose":
        return (report.purpose,)
    return (str(getattr(report.tags, tag)),)


def _entry(report: Report) -> Entry:
    return Entry(
        **{
            name: getattr(report, name)
            for name in Entry.model_fields
            if name in Report.model_fields
        },
        missed_events=tuple(
            f"{e.event_id} at {e.t_cross_s:.1f} s: {e.cause}, {e.reason}"
            for e in report.events
            if e.outcome == "missed"
        ),
        false_warnings=tuple(
            f"{w.alert_id} at {w.t_said_s:.1f} s: {w.cause}, {w.reason}"
            for w in report.warnings
            if w.verdict == "false"
        ),
        undecidable_events=tuple(
            f"{e.event_id} at {e.t_cross_s:.1f} s: {e.reason}"
            for e in report.events
            if e.outcome == "undecidable"
        ),
    )


def _unplayed(scenario: Scenario) -> Entry:
    return Entry(
        scenario=scenario.name,
        title=scenario.title,
        seed=None,
        detections=None,
        purpose=scenario.purpose,
        needs=scenario.needs,
        tags=scenario.tags,
        kinds=tuple(dict.fromkeys(actor.kind for actor in scenario.actor)),
        duration_s=scenario.duration_s,
    )
