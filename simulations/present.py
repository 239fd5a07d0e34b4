"""Plays what was asked for on the command line and shows it: tables to people, JSON to programs."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from runtime.errors import AskOperator
from simulations.played import Played
from simulations.score.report import Report
from simulations.score.run import score
from simulations.score.run_page import write_html, write_pictures
from simulations.score.suite_page import write_suite_html
from simulations.score.table import print_report, print_suite
from simulations.suite_job import Detections, Job, Places
from simulations.world import World


def headless(
    job: Job,
    where: Places,
    *,
    again: bool,
    report: Path | None,
    played: Path | None,
    pictures: Path | None,
) -> None:
    """Play one scenario offline.

    Args:
        job: what.
        where: folders.
        again: play it even if its record is there.
        report: file for the score; standard output without one.
        played: file for the record.
        pictures: folder for the score as a page.
    """
    from simulations.headless import play_one

    record, result = play_one(job, where, again=again, console=Console(stderr=True))
    if played is not None:
        record.save(played)
    show(record, result, job.world(), report=report, pictures=pictures)


def real(
    job: Job,
    folder: Path,
    *,
    environment: Mapping[str, str],
    report: Path | None,
    played: Path | None,
    pictures: Path | None,
) -> None:
    """Play one scenario with real processes; see `headless`."""
    from runtime.log import configure
    from simulations.processes import ended_in_order
    from simulations.run_real import RealRun

    if job.detections != "film":
        raise AskOperator(
            field="--detections", value=job.detections, allowed="film, with --real",
            next_step="leave out --real, or look at film",
        )  # fmt: skip
    configure(json=False, level="WARNING")
    world = job.world()
    with ended_in_order():
        record = RealRun(
            world,
            folder=folder,
            environment=environment,
            duration_s=job.duration_s or world.scenario.duration_s,
            console=Console(stderr=True),
        ).play()
    if played is not None:
        record.save(played)
    show(record, score(record, world), world, report=report, pictures=pictures)


def show(
    record: Played, result: Report, world: World, *, report: Path | None, pictures: Path | None
) -> None:
    """Show one score."""
    print_report(result, Console(stderr=True))
    if pictures is not None:
        write_pictures(result, record, world, pictures)
        write_html(result, record, world, pictures / f"{result.scenario}-{result.seed}.html")
    if report is None:
        sys.stdout.write(result.model_dump_json(indent=1) + "\n")
    else:
        result.save(report)


def suite(
    seeds: str,
    kind: Detections,
    only: Sequence[str],
    where: Places,
    *,
    workers: int,
    again: bool,
    report: Path | None,
    pictures: Path | None,
) -> None:
    """Play the suite; see `headless`."""
    from simulations.headless import play_suite

    console = Console(stderr=True)
    words = ["border-sim", "run", "--suite", "--seeds", seeds, "--detections", kind]
    words += [word for name in only for word in ("--only", name)]
    found = play_suite(
        seeds=seeds, detections=kind, only=only, where=where, again=again, console=console,
        workers=workers, command=" ".join(words),
    )  # fmt: skip
    print_suite(found, console)
    if pictures is not None:
        write_suite_html(found, pictures / "suite.html")
    if report is None:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
    else:
        found.save(report)
