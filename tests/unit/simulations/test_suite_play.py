"""Scenarios side by side: what cannot be played does not stop the others."""

import io

import pytest
from rich.console import Console

from simulations.suite_job import Job, Places, finished, record_file
from simulations.suite_play import JobFailed, play_all

SMALL = """
name = "{name}"
seed = 7
start_utc = 2026-11-23T02:40:00Z
duration_s = 2.0
[[camera]]
id = "cam-1"
along_m = 430.0
across_m = 35.0
height_m = 5.0
azimuth_deg = 348.5
pitch_deg = -6.5
hfov_deg = 28.0
width_px = 160
height_px = 120
fps = 1.0
[[actor]]
id = "walker"
path_along_across_m = [[430.0, {start}], [430.0, 25.0]]
"""


@pytest.mark.slow
def test_a_scenario_that_fails_is_named_and_the_others_are_kept(tmp_path):
    """In processes of their own; the next call takes what is finished."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(SMALL.format(name="good", start=-20.0))
    bad.write_text(SMALL.format(name="bad", start='"somewhere"'))
    places = Places(cache=tmp_path / "cache", records=tmp_path / "records", scratch=tmp_path)
    jobs = [Job(scenario=str(good), seed=1), Job(scenario=str(bad), seed=1)]
    screen = Console(file=io.StringIO())
    with pytest.raises(JobFailed, match=r"1 of 2 scenarios.*bad #1: .*path_along_across_m"):
        play_all(jobs, places, workers=2, console=screen)
    kept = finished(record_file(jobs[0], jobs[0].world(), places))
    assert kept is not None
    ((played, report),) = play_all(jobs[:1], places, workers=1, console=screen)
    assert played == kept
    assert ("good", 0, 0) == (report.scenario, report.true_positive, report.false_positive)
