"""Many jobs side by side: one that fails ends the others in order."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from simulations import suite_play
from simulations.suite_job import Done, Job, Places

_MORE_THAN_A_PIPE_HOLDS = 3000


def _threads(*, mp_context, **others):
    return ThreadPoolExecutor(**others)


def test_a_failed_job_leaves_nobody_waiting_to_say_how_far_it_is(tmp_path, monkeypatch):
    """The others go on talking to their end; their words must go somewhere."""
    both = threading.Barrier(2)
    told = []

    def work(job, _places, _again):
        both.wait()
        if job.seed == 1:
            raise ValueError("no such thing")
        for k in range(_MORE_THAN_A_PIPE_HOLDS):
            done = Done(label=job.label, stage="play", done=k, total=_MORE_THAN_A_PIPE_HOLDS)
            suite_play._said.put(done)
        told.append(job.seed)

    monkeypatch.setattr(suite_play, "ProcessPoolExecutor", _threads)
    monkeypatch.setattr(suite_play, "_begin", lambda said: setattr(suite_play, "_said", said))
    monkeypatch.setattr(suite_play, "_work", work)
    places = Places(cache=tmp_path, records=tmp_path, scratch=None)
    jobs = [Job(scenario="a", seed=1), Job(scenario="b", seed=2)]
    with Path(os.devnull).open("w") as nowhere, pytest.raises(suite_play.JobFailed, match="a #1"):
        suite_play.play_all(jobs, places, workers=2, console=Console(file=nowhere))
    assert [2] == told
