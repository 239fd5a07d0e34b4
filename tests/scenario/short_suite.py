"""The short suite: a handful of scenarios played offline with the real networks, and what is expected.

``python -m tests.scenario.short_suite CACHE`` plays it and writes the expectations anew.
"""

import json
import sys
from pathlib import Path

from simulations.headless import places
from simulations.played import Played
from simulations.score import Report
from simulations.suite_job import Job
from simulations.suite_play import play_all

EXPECTED = Path(__file__).with_name("short_suite.json")
JOBS = tuple(
    Job(scenario=name, seed=1, duration_s=seconds)
    for name, seconds in (
        ("runner-day", 35.0),
        ("link-thin", 50.0),
        ("group-night-309", 50.0),
        ("quiet-night-walkers", 30.0),
        ("quiet-patrol", 30.0),
    )
)


def play(cache: Path, *, workers: int = 2, again: bool = False) -> dict[str, tuple[Played, Report]]:
    """Each scenario's record and score, by name."""
    results = play_all(JOBS, places(cache), workers=workers, again=again)
    return {job.scenario: result for job, result in zip(JOBS, results, strict=True)}


def warnings_s(played: Played) -> list[float]:
    """When the station said each warning for the first time, in scenario time."""
    said: dict[str, float] = {}
    for moment in played.alerts:
        if moment.level == "warning":
            said.setdefault(moment.alert_id, moment.t_said_s)
    return sorted(said.values())


def main(cache: str) -> None:
    """Write what is expected from now on."""
    found = {name: warnings_s(played) for name, (played, _) in play(Path(cache)).items()}
    EXPECTED.write_text(json.dumps({"warnings_s": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
