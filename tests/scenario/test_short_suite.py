"""Film to score with the real networks, on every change: hits, silence, and the same again."""

import json

import pytest

from tests.scenario import short_suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WITHIN_S = 1.0
"""Another machine draws the same film but for last bits: a warning may move by as much."""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Every scenario's record and score, from nothing."""
    return short_suite.play(tmp_path_factory.mktemp("cache"))


def test_whoever_crosses_is_told_once_and_nobody_else(found, capsys):
    """Every event that a camera could decide is a hit; no warning without one; figures printed."""
    with capsys.disabled():
        for name, (played, report) in found.items():
            print(
                f"\n{name}: {report.true_positive} of {report.events_truth} events, "
                f"{report.false_positive} false, delay p50 {report.delay_s.p50}, place off "
                f"{report.geolocation_m.median} m, warnings {short_suite.warnings_s(played)}"
            )
    for name, (_, report) in found.items():
        assert (0, 0, 0) == (report.missed, report.false_positive, report.duplicate_alerts), name
    assert {name: 0 for name in found if name.startswith("quiet-")} == {
        name: report.events_truth for name, (_, report) in found.items() if not report.events_truth
    }


def test_nothing_is_lost_on_the_road(found):
    """Over the thin link too: what a node made is at the station, or gave way to something newer."""
    for name, (played, _) in found.items():
        counts = played.counts
        assert counts.lost == 0, name
        assert counts.made == counts.received + counts.superseded, name


def test_warnings_come_when_they_are_expected(found):
    """The committed instants hold on every machine within a second."""
    expected = json.loads(short_suite.EXPECTED.read_text(encoding="utf-8"))["warnings_s"]
    said = {name: short_suite.warnings_s(played) for name, (played, _) in found.items()}
    assert {name: len(times) for name, times in expected.items()} == {
        name: len(times) for name, times in said.items()
    }
    for name, times in expected.items():
        assert said[name] == pytest.approx(times, abs=WITHIN_S), name


def test_the_same_seed_is_the_same_film_and_the_same_record(found, tmp_path):
    """Drawn, looked at and played anew, to the last byte and decimal."""
    (job,) = [one for one in short_suite.JOBS if one.scenario == "runner-day"]
    ((again, _),) = short_suite.play_all([job], short_suite.places(tmp_path), workers=1)
    played, _ = found["runner-day"]
    assert played.film_sha256 == again.film_sha256 != {}
    assert played.model_copy(update={"wall_s": 0.0}) == again.model_copy(update={"wall_s": 0.0})
