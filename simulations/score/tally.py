"""Counts and samples, put together over runs, and the figures that follow from them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from simulations.played import ObservationCount
from simulations.score.report import Distance, Figures, Middle, Report, Samples, Share, Spread
from simulations.score.statistics import percentile, poisson_upper, ratio

_SUMMED = (
    "runs", "events_truth", "undecidable", "alerts", "true_positive", "false_positive", "missed",
    "duplicate_alerts", "late_alerts", "lowered_alerts", "direction_right", "camera_days", "cautions",
    "cautions_never_cross",
)  # fmt: skip
_DIGITS = 4


def derived(counts: dict[str, Any], samples: Samples, *, real: bool) -> dict[str, Any]:
    """Return the figures that follow from counts and samples, by the report's keys.

    Args:
        counts: true_positive, false_positive, missed, cautions, cautions_never_cross, camera_days.
        samples: of delays, leads, errors.
        real: whether capture_to_map_s means anything.
    """
    hits, wrong, missed = (counts[k] for k in ("true_positive", "false_positive", "missed"))
    days = counts["camera_days"]
    return {
        "precision": _share(hits, hits + wrong),
        "recall": _share(hits, hits + missed),
        "f1": _share(2 * hits, 2 * hits + wrong + missed),
        "delay_s": _spread(samples.delay_s),
        "lead_s": Middle(p50=rounded(percentile(samples.lead_s, 0.5))),
        "capture_to_map_s": _spread(samples.capture_to_map_s) if real else None,
        "geolocation_m": distance(samples.geolocation_m),
        "ellipse90_coverage": _share(samples.in_ellipse, len(samples.geolocation_m)),
        "false_per_camera_day": _share(wrong, days),
        "false_per_camera_day_bound95": _share(poisson_upper(wrong), days),
        "cautions_per_camera_day": _share(counts["cautions"], days),
        "cautions_never_cross_per_camera_day": _share(counts["cautions_never_cross"], days),
    }


def together(reports: Sequence[Report]) -> Figures | None:
    """Return the figures of runs of one kind together; None of no run.

    Raises:
        ValueError: the runs are of different kinds of detections.
    """
    kinds = {report.detections for report in reports}
    if len(kinds) > 1:
        raise ValueError("film and modelled detections are never put into one figure")
    if not reports:
        return None
    counts: dict[str, Any] = {key: sum(getattr(r, key) for r in reports) for key in _SUMMED}
    samples = Samples(
        delay_s=_joined(reports, "delay_s"),
        lead_s=_joined(reports, "lead_s"),
        capture_to_map_s=_joined(reports, "capture_to_map_s"),
        geolocation_m=_joined(reports, "geolocation_m"),
        in_ellipse=sum(report.samples.in_ellipse for report in reports),
    )
    nearest: dict[str, float] = {}
    for report in reports:
        for drone, metres in report.min_distance_to_line_m.items():
            name = f"{report.scenario}/{drone}"
            nearest[name] = min(metres, nearest.get(name, metres))
    return Figures(
        detections=reports[0].detections,
        **counts,
        **derived(counts, samples, real=any(report.real for report in reports)),
        observations=ObservationCount(
            **{
                key: sum(getattr(report.observations, key) for report in reports)
                for key in ObservationCount.model_fields
            }
        ),
        min_distance_to_line_m=nearest,
        missed_by_cause=_summed(report.missed_by_cause for report in reports),
        false_by_cause=_summed(report.false_by_cause for report in reports),
    )


def pooled(rows: Iterable[Share]) -> tuple[Share, ...]:
    """Return shares of the same label added up, in the order in which labels first come."""
    seconds: Counter[str] = Counter()
    observed: Counter[str] = Counter()
    for row in rows:
        seconds[row.label] += row.seconds
        observed[row.label] += row.observed
    return tuple(
        Share(label=n, seconds=s, observed=observed[n], share=_share(observed[n], s))
        for n, s in seconds.items()
    )


def distance(errors_m: Sequence[float]) -> Distance:
    """Return median and 95 % of errors."""
    return Distance(
        median=rounded(percentile(errors_m, 0.5)), p95=rounded(percentile(errors_m, 0.95))
    )


def rounded(value: float | None) -> float | None:
    """Return a figure without digits that nobody can mean."""
    return None if value is None else round(value, _DIGITS)


def _share(part: float, whole: float) -> float | None:
    return rounded(ratio(part, whole))


def _spread(values: Sequence[float]) -> Spread:
    return Spread(p50=rounded(percentile(values, 0.5)), p95=rounded(percentile(values, 0.95)))


def _joined(reports: Sequence[Report], name: str) -> tuple[float, ...]:
    return tuple(value for report in reports for value in getattr(report.samples, name))


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))
