"""One scenario with one seed as a piece of work: what it is, where its record lies, how it is done."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from runtime.log import get_logger
from simulations.cameras import cameras
from simulations.detection_cache import ONE_THREAD, DetectionCache, Step, reel_key
from simulations.error_model import ErrorModel
from simulations.identity import scenario_sha256, site_sha256, source_sha256, told_sha256
from simulations.modelled_run import modelled_sightings
from simulations.played import Played
from simulations.run_film import play_film
from simulations.run_offline import play
from simulations.scenario import load_scenario
from simulations.world import World

Detections = Literal["film", "modelled"]
_ALL_OF_OURS = (
    "simulations",
    "edge",
    "ground_station",
    "hardware",
    "geo",
    "wire",
    "runtime",
    "models",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A scenario by name or path, the seed, and where detections come from.

    Attributes:
        duration_s: how much of it; None plays it to its end.
    """

    scenario: str
    seed: int
    detections: Detections = "film"
    duration_s: float | None = None

    @property
    def label(self) -> str:
        """As people call it."""
        return f"{Path(self.scenario).stem} #{self.seed}"

    def world(self) -> World:
        """Return the world that is played."""
        return World(load_scenario(self.scenario).model.seeded(self.seed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Folders of a run.

    Attributes:
        cache: of what networks see in films.
        records: of finished jobs.
        scratch: for databases while a job runs; None takes the system's.
    """

    cache: Path
    records: Path
    scratch: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How far a job is: frames drawn and looked at, then scenario seconds played."""

    label: str
    stage: Literal["film", "play", "end"]
    done: float
    total: float


def record_file(job: Job, world: World, places: Places) -> Path:
    """Return where the job's record lies; another program or another film is another file."""
    told = {
        "scenario": scenario_sha256(world.scenario),
        "site": site_sha256(world.scenario),
        "seed": job.seed,
        "duration_s": job.duration_s or world.scenario.duration_s,
        "program": source_sha256("simulations.suite_job", _ALL_OF_OURS),
        "sights": _model_sha256()
        if job.detections == "modelled"
        else {one.id: reel_key(world, one, ONE_THREAD) for one in cameras(world.scenario)},
    }
    name = f"{world.scenario.name}-{job.seed}-{job.detections}-{told_sha256(told)[:16]}"
    return places.records / f"{name}.played.json.gz"


def finished(path: Path) -> Played | None:
    """Return the record of a job that was done before; None when there is none, or a broken one."""
    if not path.exists():
        return None
    try:
        return Played.read(path)
    except (OSError, EOFError, ValueError, ValidationError) as error:
        get_logger(worker="suite").warning(
            "record_damaged", file=path.name, reason=str(error)[:200], next_step="played again"
        )
        return None


def do(
    job: Job,
    places: Places,
    *,
    again: bool = False,
    told: Callable[[Done], object] = lambda _: None,
) -> Played:
    """Play a job, or take its record when it was played before.

    Args:
        job: what.
        places: where.
        again: play it even so.
        told: hears how far it is.
    """
    world = job.world()
    path = record_file(job, world, places)
    duration_s = job.duration_s or world.scenario.duration_s
    before = None if again else finished(path)
    if before is not None:
        told(Done(label=job.label, stage="end", done=1.0, total=1.0))
        return before
    drawn: dict[str, Step] = {}

    def looked(step: Step) -> None:
        drawn[step.camera_id] = step
        told(
            Done(
                label=job.label,
                stage="film",
                done=sum(one.done for one in drawn.values()),
                total=step.total * len(cameras(world.scenario)),
            )
        )

    def passed(now_s: float) -> None:
        told(Done(label=job.label, stage="play", done=now_s, total=duration_s))

    if job.detections == "modelled":
        played = play(
            world,
            modelled_sightings(world, ErrorModel.load()),
            duration_s=duration_s,
            scratch=places.scratch,
            detections="modelled",
            told=passed,
        )
    else:
        cache = DetectionCache(places.cache)
        try:
            played = play_film(
                world, cache, duration_s=duration_s, scratch=places.scratch, looked=looked,
                told=passed,
            )  # fmt: skip
        finally:
            cache.close()
    # Another run may be finishing the very same job.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    played.save(part)
    part.replace(path)
    told(Done(label=job.label, stage="end", done=1.0, total=1.0))
    return played


@cache
def _model_sha256() -> str:
    return told_sha256(ErrorModel.load().model_dump(mode="json"))
