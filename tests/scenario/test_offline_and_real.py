"""The two ways of playing agree: simulated time in one process, and real processes in real time."""

import os

import pytest
from rich.console import Console

from simulations.headless import places
from simulations.run_real import RealRun, refuse_what_reality_cannot
from simulations.score import score
from simulations.suite_job import Job, do
from simulations.world import World
from tests.scenario.short_suite import warnings_s
from tests.unit.simulations.runner_kit import field

WITHIN_S = 2.0
SECONDS = 30.0


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.timeout(600)
def test_offline_and_real_give_the_same_hits_at_the_same_time(tmp_path, capsys):
    """One camera, one crossing."""
    job = Job(scenario="runner-day", seed=1, duration_s=SECONDS)
    world = job.world()
    offline = do(job, places(tmp_path / "cache"))
    real = RealRun(
        world, folder=tmp_path / "real", environment=dict(os.environ), duration_s=SECONDS,
        console=Console(stderr=True),
    ).play()  # fmt: skip
    with capsys.disabled():
        print(f"\nwarnings offline {warnings_s(offline)}, real {warnings_s(real)}")
    hits = [
        {event.event_id: event.outcome for event in score(played, world).events}
        for played in (offline, real)
    ]
    assert hits[0] == hits[1]
    assert "hit" in hits[0].values()
    assert warnings_s(offline) == pytest.approx(warnings_s(real), abs=WITHIN_S)
    assert (False, True) == (offline.real, real.real)
    assert real.capture_to_map_s
    assert 0 == real.counts.lost


def test_what_only_a_simulated_clock_can_is_refused_at_once():
    """There is one clock on this machine: no node's can be wrong."""
    from runtime.errors import AskOperator

    wrong = field(node=[{"id": "node-1", "clock_error_s": 3.0}])
    with pytest.raises(AskOperator, match="clock_error_s"):
        refuse_what_reality_cannot(World(wrong))
