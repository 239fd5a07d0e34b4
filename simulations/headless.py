"""Plays without a screen and scores: one scenario, or the suite; and says what the suite holds."""

import platform
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from runtime.errors import AskOperator
from simulations.identity import scenario_sha256
from simulations.played import Played
from simulations.scenario import Scenario, load_scenario, names
from simulations.score.report import Report
from simulations.score.run import score
from simulations.score.suite import SuiteReport, suite
from simulations.suite_job import Job, Places
from simulations.suite_play import jobs_of, play_all, suite_scenarios
from simulations.world import World

MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  # a place, not a file of ours
_ROOM_BYTES = 2 << 30


def places(cache: Path, *, memory: Path = MEMORY_FOLDER) -> Places:
    """Return the folders of a run.

    Args:
        cache: what is kept: films' detections and records of finished jobs.
        memory: databases lie here while a job runs, where the machine has such a folder and in it
            room for the records of a whole day; a container's often has none.
    """
    folder = cache.absolute()
    return Places(
        cache=folder / "detections",
        records=folder / "records",
        scratch=memory
        if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_BYTES
        else None,
    )


def play_one(job: Job, where: Places, *, again: bool, console: Console) -> tuple[Played, Report]:
    """Play a scenario, or take its record, and score it."""
    ((played, report),) = play_all([job], where, workers=1, again=again, console=console)
    return played, report


def play_suite(
    *,
    seeds: str,
    detections: Any,
    only: Sequence[str],
    where: Places,
    workers: int,
    again: bool,
    command: str,
    console: Console,
) -> SuiteReport:
    """Play and score every scenario of the suite with each of its seeds.

    Args:
        seeds: `dev` or `accept`.
        detections: `film` or `modelled`.
        only: names, also of shipped scenarios outside the suite; without one, the whole suite.
        where: folders.
        workers: processes.
        again: play what is done already once more.
        command: what was typed; stands in the report.
        console: for progress.
    """
    missing = sorted(set(only) - set(names()))
    if missing:
        raise AskOperator(
            field="--only",
            value=", ".join(missing),
            allowed="names that `border-sim run --suite --list` shows, or quiet-day",
            next_step="correct the name",
        )
    # Whoever names scenarios may name one outside the suite too, such as the quiet day.
    chosen = [load_scenario(name).model for name in sorted(set(only))] or suite_scenarios()
    jobs = jobs_of(chosen, seeds, detections)
    results = play_all(jobs, where, workers=workers, again=again, console=console)
    return suite(
        [report for _, report in results],
        command=command,
        machine=machine(),
    )


def rescore(path: Path, scenario: str | None) -> tuple[Played, Report, World]:
    """Score a saved record again, in its own world.

    Args:
        path: of the record.
        scenario: where the scenario's file is no longer found by the name in the record.

    Raises:
        AskOperator: the file is no record, or the scenario is another one now.
    """
    try:
        played = Played.read(path)
    except (OSError, EOFError, ValueError) as error:
        raise AskOperator(
            field="FILE",
            value=str(path),
            allowed="a record that `border-sim run --headless --played FILE` wrote",
            next_step=f"play the scenario again ({str(error).splitlines()[0][:120]})",
        ) from None
    found = load_scenario(scenario or played.scenario).model
    if (found.name, scenario_sha256(found)) != (played.scenario, played.scenario_sha256):
        raise AskOperator(
            field="FILE",
            value=f"{path}, a record of {played.scenario}",
            allowed=f"a record of {found.name} as it is now; its truth would be another one",
            next_step="play the scenario again, or name the file it was played from by --scenario",
        )
    world = World(found.seeded(played.seed))
    return played, score(played, world), world


def listing(scenarios: Sequence[Scenario]) -> list[dict[str, Any]]:
    """Return every scenario with its number of true events by seed."""
    return [
        {
            "name": one.name,
            "title": one.title,
            "title_vi": one.title_vi,
            "purpose": one.purpose,
            "duration_s": one.duration_s,
            "cameras": len(one.camera),
            "drones": len(one.drone),
            "person_px_at_line": one.person_px_at_line,
            "needs": list(one.needs),
            "tags": one.tags.model_dump(),
            "seeds": {"dev": list(one.seeds.dev), "accept": list(one.seeds.accept)},
            "events_truth": {
                str(seed): len(World(one.seeded(seed)).events(0.0, one.duration_s))
                for seed in (*one.seeds.dev, *one.seeds.accept)
            },
        }
        for one in scenarios
    ]


def list_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the listing for people."""
    table = Table("scenario", "purpose", "s", "events by seed", "needs")
    for row in rows:
        events = ", ".join(f"{seed}: {count}" for seed, count in row["events_truth"].items())
        table.add_row(
            row["name"],
            row["purpose"],
            f"{row['duration_s']:g}",
            events,
            ", ".join(row["needs"]),
        )
    return table


def machine() -> str:
    """Return what this runs on, without its name."""
    python = platform.python_version()
    return f"{platform.system()} {platform.machine()}, Python {python}"
