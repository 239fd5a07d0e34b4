"""Plays many scenarios side by side, each in a process of its own, and shows how far they are."""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.queues import SimpleQueue

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from runtime.errors import BorderWatchError
from simulations.cameras import cameras
from simulations.played import Played
from simulations.scenario import Scenario, suite
from simulations.score.report import Report
from simulations.score.run import score
from simulations.suite_job import Detections, Done, Job, Places, do

_LOOK_S = 0.3
_TOLD_SHARE = 0.01
"""A job says how far it is at most a hundred times a stage."""
_STAGES = {"film": "film", "play": "plays", "end": "done"}

_said: "SimpleQueue[Done] | None" = None
"""Of a working process: where its jobs say how far they are."""


Result = tuple[Played, Report]


class JobFailed(BorderWatchError):
    """Scenarios could not be played; says which and why."""


def jobs_of(scenarios: Sequence[Scenario], seeds: str, detections: Detections) -> tuple[Job, ...]:
    """Return the work of a suite, longest first."""
    found = [
        (
            one.duration_s * sum(c.fps * c.width_px * c.height_px for c in cameras(one)),
            one.name,
            seed,
        )
        for one in scenarios
        for seed in (one.seeds.accept if seeds == "accept" else one.seeds.dev)
    ]
    ordered = sorted(found, key=lambda row: (-row[0], row[1], row[2]))
    return tuple(Job(scenario=name, seed=seed, detections=detections) for _, name, seed in ordered)


def suite_scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios of the suite, in order of their names."""
    return tuple(loaded.model for loaded in suite())


def play_all(
    jobs: Sequence[Job],
    places: Places,
    *,
    workers: int,
    again: bool = False,
    console: Console | None = None,
) -> list[Result]:
    """Play and score every job; records of jobs that are done already are taken as they are.

    Stop it at any time: what is finished is kept, and the next call goes on.

    Args:
        jobs: what to play.
        places: where.
        workers: processes at a time.
        again: play even what is done already.
        console: for the progress bar; standard error unless given.

    Raises:
        JobFailed: some of them cannot be played; the others were, and their records are kept.
    """
    # A fresh interpreter for each worker: OpenCV and onnxruntime do not outlive a fork.
    context = multiprocessing.get_context("spawn")
    said: SimpleQueue[Done] = context.SimpleQueue()
    played: dict[Job, Result] = {}
    failed: list[str] = []
    with (
        _bar(console) as bar,
        ProcessPoolExecutor(
            max_workers=min(workers, max(1, len(jobs))),
            mp_context=context,
            initializer=_begin,
            initargs=(said,),
        ) as pool,
    ):
        whole = bar.add_task("suite", total=len(jobs), stage="")
        running: dict[Future[Result | str], Job] = {
            pool.submit(_work, job, places, again): job for job in jobs
        }
        rows: dict[str, TaskID] = {}
        try:
            while running:
                finished, _ = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                _show(bar, said, rows)
                for future in finished:
                    job = running.pop(future)
                    result = future.result()
                    if isinstance(result, str):
                        failed.append(f"{job.label}: {result}")
                    else:
                        played[job] = result
                    bar.advance(whole)
        finally:
            # Whatever ended this early: what was not begun is not begun.
            pool.shutdown(wait=False, cancel_futures=True)
            # Who still works needs room to say how far it is, or would stand there for ever.
            while any(not future.done() for future in running):
                wait(running, timeout=_LOOK_S)
                _show(bar, said, rows)
        _show(bar, said, rows)
    if failed:
        raise JobFailed(
            f"{len(failed)} of {len(jobs)} scenarios could not be played (the others' records are "
            "kept): " + "; ".join(sorted(failed))
        )
    return [played[job] for job in jobs]


def _bar(console: Console | None) -> Progress:
    return Progress(
        TextColumn("{task.description:<32}"),
        TextColumn("{task.fields[stage]:<6}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console if console is not None else Console(stderr=True),
        transient=True,
    )


def _show(bar: Progress, said: "SimpleQueue[Done]", rows: dict[str, TaskID]) -> None:
    while not said.empty():
        one = said.get()
        if one.label not in rows:
            rows[one.label] = bar.add_task(one.label, total=one.total, stage="")
        if one.stage == "end":
            bar.remove_task(rows.pop(one.label))
        else:
            bar.update(
                rows[one.label],
                completed=int(one.done),
                total=int(one.total),
                stage=_STAGES[one.stage],
            )


# --- in the working process -----------------------------------------------------------------------
def _begin(said: "SimpleQueue[Done]") -> None:
    from runtime.log import configure

    global _said  # noqa: PLW0603  # a process has one parent
    _said = said
    configure(json=False, level="ERROR")
    os.nice(5)


def _work(job: Job, places: Places, again: bool) -> Result | str:  # noqa: FBT001  # across processes
    """Return what came of a job, or in words why nothing did: not every error can travel."""
    last = ("", -1.0)

    def told(one: Done) -> None:
        nonlocal last
        share = one.done / max(one.total, 1e-9)
        if _said is None or (one.stage == last[0] and share - last[1] < _TOLD_SHARE):
            return
        last = (one.stage, share)
        _said.put(one)

    try:
        played = do(job, places, again=again, told=told)
        return played, score(played, job.world())
    except (BorderWatchError, ValueError, OSError) as error:
        return str(error)
