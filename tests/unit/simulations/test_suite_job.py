"""What is played is kept by all that it followed from, and only that is taken again."""

import shutil
from types import SimpleNamespace

import pytest
import structlog

from simulations import suite_job
from simulations.headless import places as places_of
from simulations.played import Played
from simulations.scenario import Scenario
from simulations.suite_job import Job, Places, do, finished, record_file
from simulations.suite_play import jobs_of
from simulations.world import World
from tests.unit.simulations.runner_kit import field


@pytest.fixture
def places(tmp_path):
    return Places(cache=tmp_path / "cache", records=tmp_path / "records", scratch=tmp_path)


@pytest.fixture
def plays(monkeypatch):
    """Counts how often a film is played; the record says how often."""
    count = []

    def play_film(world, _cache, *, duration_s, **_):
        count.append(world.scenario.seed)
        return Played(
            scenario=world.scenario.name, scenario_sha256="0", seed=world.scenario.seed,
            detections="film", real=False, duration_s=duration_s, camera_s={}, wall_s=len(count),
        )  # fmt: skip

    monkeypatch.setattr(suite_job, "play_film", play_film)
    return count


def test_a_finished_job_is_not_played_again(places, plays):
    """Unless it is asked for; another seed or length is another job."""
    job = Job(scenario="runner-day", seed=1)
    first = do(job, places)
    assert first == do(job, places)
    assert 1 == len(plays)
    assert 2.0 == do(job, places, again=True).wall_s
    do(Job(scenario="runner-day", seed=2), places)
    do(Job(scenario="runner-day", seed=1, duration_s=5.0), places)
    assert [1, 1, 2, 1] == plays


def test_a_changed_program_plays_again(places, plays, monkeypatch):
    """A record of other rules says nothing about these."""
    job = Job(scenario="runner-day", seed=1)
    do(job, places)
    monkeypatch.setattr(suite_job, "source_sha256", lambda *_: "another program")
    do(job, places)
    assert 2 == len(plays)


@pytest.mark.parametrize("kind", ["film", "modelled"])
def test_a_moved_line_is_another_record(places, monkeypatch, kind):
    """Line and markers lie in the site's file, which no scenario repeats."""
    world = World(field())
    monkeypatch.setattr(suite_job, "_model_sha256", lambda: "a model")
    job = Job(scenario="small-field", seed=7, detections=kind)
    before = record_file(job, world, places)
    monkeypatch.setattr(suite_job, "site_sha256", lambda _: "another line")
    assert before != record_file(job, world, places)


def test_a_damaged_record_is_played_again(places, plays):
    """A suite that was killed while it wrote goes on."""
    job = Job(scenario="runner-day", seed=1)
    do(job, places)
    path = record_file(job, job.world(), places)
    path.write_bytes(path.read_bytes()[:40])
    with structlog.testing.capture_logs() as said:
        assert finished(path) is None
        do(job, places)
    assert 2 == len(plays)
    assert {"record_damaged"} == {line["event"] for line in said}


def test_databases_lie_in_memory_only_where_there_is_room(tmp_path, monkeypatch):
    """A container's 64 MB would be full in the middle of a day: nodes would lose what they saw."""
    for free, scratch in ((64 << 20, None), (8 << 30, tmp_path)):
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert scratch == places_of(tmp_path / "cache", memory=tmp_path).scratch


def test_longest_work_is_begun_first_and_a_drone_alone_is_work_too():
    """Each seed is a job; what a drone's camera must draw counts as a mast's does."""
    long, short = field(name="long", duration_s=90.0), field(name="short")
    drone = {"id": "d", "home_along_across_m": [0.0, 30.0], "path_along_across_m": [[10.0, 30.0]]}
    flying = Scenario.model_validate(
        field(name="flying").model_dump() | {"camera": [], "drone": [drone]}
    )
    jobs = jobs_of([short, flying, long], "dev", "film")
    found = [(job.scenario, job.seed) for job in jobs]
    assert [("flying", 1), ("long", 1), ("short", 1)] == found
    accepted = jobs_of([short], "accept", "film")
    assert [1001] == [job.seed for job in accepted]


def test_a_record_comes_back_as_it_was(tmp_path):
    """Written twice it is the same bytes."""
    world = World(field())
    played = Played(
        scenario="a", scenario_sha256="0", seed=1, detections="film", real=False, duration_s=1.0,
        camera_s={world.scenario.camera[0].id: 1.0},
    )  # fmt: skip
    played.save(tmp_path / "a")
    played.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert played == Played.read(tmp_path / "a")
