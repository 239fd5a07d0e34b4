"""The figures of a report: bounds, geolocation, recall, and reports put together."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.recorder import MAX_OBSERVATIONS
from simulations.score import Report, SuiteReport, score, suite
from simulations.score.assign import assign
from simulations.score.statistics import percentile, poisson_upper
from simulations.score.tally import together
from simulations.world import World
from tests.unit.simulations.score_kit import (
    CAMERA,
    FARMER,
    WALKER,
    at,
    observed,
    played,
    scenario,
    scored,
)


# --- the bound ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("count", "bound"),
    # Half the 95 % quantiles of chi-square with 2, 4, 6, 12, 22 and 202 degrees of freedom.
    [(0, 2.9957), (1, 4.7439), (2, 6.2958), (5, 10.5130), (10, 16.9622), (100, 118.0793)],
)
def test_poisson_bound_is_the_table_value(count, bound):
    """Garwood's one-sided 95 % bound."""
    assert bound == pytest.approx(poisson_upper(count), abs=2e-4)


@given(count=st.integers(0, 300), confidence=st.floats(0.5, 0.999))
def test_poisson_bound_solves_its_equation(count, confidence):
    """At the bound so few events or fewer have probability 1 - confidence, exactly."""
    bound = poisson_upper(count, confidence=confidence)
    terms = (k * math.log(bound) - math.lgamma(k + 1) - bound for k in range(count + 1))
    assert 1.0 - confidence == pytest.approx(math.fsum(map(math.exp, terms)), rel=1e-6)
    assert bound < poisson_upper(count + 1, confidence=confidence)


def test_bound_of_no_false_warning_is_three_over_the_days():
    """A short quiet run proves little, and says so."""
    report = scored(scenario(FARMER), camera_s={"c": 86_400.0 * 5.0})
    assert 5.0 == report.camera_days
    assert 0.0 == report.false_per_camera_day
    assert 2.9957 / 5.0 == pytest.approx(report.false_per_camera_day_bound95, abs=1e-4)


def test_percentile_of_nothing_is_nothing():
    """No sample, no figure."""
    assert None is percentile([], 0.5)
    assert 2.0 == percentile([1.0, 2.0, 3.0], 0.5)


# --- one to one -----------------------------------------------------------------------------------
@given(
    st.integers(0, 4).flatmap(
        lambda n: st.integers(0, 4).flatmap(
            lambda m: st.lists(
                st.lists(st.one_of(st.just(math.inf), st.integers(0, 50)), min_size=m, max_size=m),
                min_size=n, max_size=n,
            ).map(lambda rows: np.array(rows, dtype=float).reshape(n, m))
        )
    )
)  # fmt: skip
def test_assignment_has_the_most_pairs_and_then_the_least_cost(cost):
    """Against trying every way."""
    rows, columns = cost.shape
    best = (0, 0.0)
    for size in range(1, min(rows, columns) + 1):
        for chosen in itertools.combinations(range(rows), size):
            for places in itertools.permutations(range(columns), size):
                total = sum(cost[r, c] for r, c in zip(chosen, places, strict=True))
                if math.isfinite(total):
                    best = min(best, (-size, total))
    pairs = assign(cost)
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)
    assert best == (-len(pairs), pytest.approx(sum(cost[r, c] for r, c in pairs)))
    assert pairs == assign(cost.copy())


# --- places ---------------------------------------------------------------------------------------
def with_places(plan, off_m, cov):
    world = World(plan)
    seen = [
        o for t_s in np.arange(5.5, 20.0) for o in observed(world, float(t_s), off_m=off_m, cov=cov)
    ]
    return score(played(plan, observations=seen), world)


def test_geolocation_error_is_measured_from_the_true_feet():
    """Three metres east and four north are five metres off, for each observation."""
    report = with_places(scenario(), (3.0, 4.0), (1.0, 0.0, 1.0))
    assert 5.0 == pytest.approx(report.geolocation_m.median, abs=0.01)
    assert 5.0 == pytest.approx(report.geolocation_m.p95, abs=0.01)
    assert 0.0 == report.ellipse90_coverage
    (line,) = report.by_sensor
    assert ("c", 15, 0) == (line.sensor_id, line.matched, line.unmatched)


def test_ellipse_holds_whatever_its_covariance_says():
    """Three metres east lie inside an ellipse that is long that way, and outside the turned one."""
    assert 1.0 == with_places(scenario(), (3.0, 0.0), (4.0, 0.0, 0.01)).ellipse90_coverage
    assert 0.0 == with_places(scenario(), (3.0, 0.0), (0.01, 0.0, 4.0)).ellipse90_coverage


def test_box_of_nobody_is_counted_as_unmatched():
    """An observation whose box overlaps no true box tells nothing about geolocation."""
    plan = scenario()
    world = World(plan)
    (one,) = observed(world, 10.0)
    astray = one.model_copy(update={"box_px": (0.0, 0.0, 9.0, 20.0)})
    report = score(played(plan, observations=[astray]), world)
    assert (0, 1) == (report.by_sensor[0].matched, report.by_sensor[0].unmatched)
    assert None is report.geolocation_m.median


# --- who was seen ---------------------------------------------------------------------------------
def test_recall_counts_visible_seconds_with_an_observation_near():
    """Observed in the first half of his way only; binned by his height in the picture."""
    plan = scenario()
    world = World(plan)
    seen = [o for t_s in np.arange(0.5, 13.0) for o in observed(world, float(t_s))]
    report = score(played(plan, observations=seen), world)
    (kind,) = report.recall_by_kind
    # The one at 12.5 s also stands for the instant 13.5 s, just a second later.
    assert ("walker", 14) == (kind.label, kind.observed)
    assert 25 <= kind.seconds <= 30
    rows = {row.label: row for row in report.recall_by_height}
    assert 1.0 == rows["8 to 24 px"].share
    assert 0.0 == rows["36 to 48 px"].share
    assert None is rows["216 px and more"].share
    assert kind.seconds == sum(row.seconds for row in report.recall_by_height)


def test_thinned_record_tells_nothing_of_who_was_seen():
    """A day's record keeps only some of the observations: that none is near then means nothing."""
    plan = scenario()
    world = World(plan)
    (one,) = observed(world, 10.0)
    report = score(played(plan, observations=[one] * (MAX_OBSERVATIONS // 2)), world)
    assert () == report.recall_by_kind
    assert 0 == sum(row.seconds for row in report.recall_by_height)


# --- put together ---------------------------------------------------------------------------------
def two_runs():
    hit = scored(scenario(name="crossing"), at(16.0))
    quiet = scored(
        scenario(FARMER, name="quiet", purpose="quiet", tags={"light": "night"}),
        at(20.0, who="f/0/0"),
    )
    return hit, quiet


def test_suite_adds_counts_and_pools_samples():
    """Totals follow from the sums, not from means of ratios."""
    hit, quiet = two_runs()
    both = suite([quiet, hit], command="border-sim run --suite", machine="a test")
    total = both.totals["film"]
    assert (2, 1, 1, 1, 0) == (
        total.runs,
        total.events_truth,
        total.true_positive,
        total.false_positive,
        total.missed,
    )
    assert (0.5, 1.0) == (total.precision, total.recall)
    assert 2.0 / 3.0 == pytest.approx(total.f1, abs=1e-4)
    assert 120.0 / 86_400.0 == pytest.approx(total.camera_days)
    assert hit.delay_s.p50 == total.delay_s.p50
    assert {"person": 1} == total.false_by_cause
    assert ["crossing", "quiet"] == [entry.scenario for entry in both.scenarios]
    crossers = both.crossers["film"]
    assert {"walker": 1.0} == {kind: counts.recall for kind, counts in crossers.items()}
    assert hit.samples.delay_s == both.delays_s["film"]
    walked, worked = hit.recall_by_kind[0], quiet.recall_by_kind[0]
    assert {walked, worked} == set(both.recall["film"]["kind"])
    assert {"walker", "farmer"} == set(both.by_tag["film"]["kind"])
    assert 1 == both.by_tag["film"]["light"]["night"].false_positive
    assert 1 == both.by_tag["film"]["light"]["day"].true_positive


def test_waiting_scenarios_stand_apart_and_in_no_total():
    """What the product lacks is neither passed nor failed; figures of their own are kept."""
    hit, _ = two_runs()
    plan = scenario(name="boats", needs=["boats"])
    unplayed = scenario(name="drone", needs=["missions"])
    both = suite([hit, scored(plan)], unplayed=[unplayed])
    assert (1, 0) == (both.totals["film"].events_truth, both.totals["film"].missed)
    assert [("boats", 1), ("drone", None)] == [(w.scenario, w.seed) for w in both.waiting]
    assert 1 == both.waiting_totals["film"].missed
    with pytest.raises(ValueError, match="waits for nothing"):
        suite([], unplayed=[scenario()])


def test_film_and_modelled_detections_are_never_in_one_figure():
    """A suite keeps them in two totals; adding them is refused."""
    hit, _ = two_runs()
    modelled = scored(scenario(name="crossing"), at(16.0), detections="modelled")
    both = suite([hit, modelled])
    assert {"film", "modelled"} == set(both.totals)
    assert [1, 1] == [figures.events_truth for figures in both.totals.values()]
    with pytest.raises(ValueError, match="never put into one figure"):
        together([hit, modelled])


def test_reports_survive_their_file(tmp_path):
    """A report and a suite read back are the same; the design's keys are in the JSON."""
    hit, quiet = two_runs()
    hit.save(tmp_path / "one.json")
    assert hit == Report.read(tmp_path / "one.json")
    both = suite([hit, quiet])
    both.save(tmp_path / "suite.json")
    assert both == SuiteReport.read(tmp_path / "suite.json")
    keys = set(json.loads((tmp_path / "one.json").read_text(encoding="utf-8")))
    assert keys >= {
        "events_truth", "alerts", "true_positive", "false_positive", "missed", "duplicate_alerts",
        "precision", "recall", "f1", "delay_s", "lead_s", "capture_to_map_s", "geolocation_m",
        "ellipse90_coverage", "camera_days", "false_per_camera_day",
        "false_per_camera_day_bound95", "cautions_per_camera_day", "detections", "observations",
        "min_distance_to_line_m",
    }  # fmt: skip


def test_capture_to_map_is_told_of_real_runs_only():
    """Offline there is no wall time worth telling."""
    samples = (0.5, 0.7, 0.9)
    assert None is scored(scenario(), capture_to_map_s=samples).capture_to_map_s
    real = scored(scenario(), capture_to_map_s=samples, real=True)
    assert 0.7 == real.capture_to_map_s.p50


def test_same_record_gives_the_same_report():
    """Scoring twice gives the same bytes."""
    plan = scenario(WALKER, FARMER, camera=[CAMERA, {**CAMERA, "id": "d", "along_m": 440}])
    one, two = (
        scored(
            plan, at(9.0, "caution", alert_id="x"), at(16.0), at(20.0, who="f/0/0", alert_id="y")
        )
        for _ in range(2)
    )
    assert one.model_dump_json() == two.model_dump_json()
