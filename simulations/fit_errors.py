"""Fit the error model on the suite's films: the `dev` seeds only, through the cache of detections."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runtime.errors import AskOperator
from simulations.detection_cache import ONE_THREAD, DetectionCache, Seen, network_of
from simulations.error_fit import FilmSample, FrameSample, fit
from simulations.error_model import ErrorModel
from simulations.film import Film
from simulations.scenario import Scenario, suite
from simulations.scenario_node import CameraSettings
from simulations.suite_job import Places
from simulations.world import World


def fit_on(
    scenarios: Sequence[Scenario],
    cache: DetectionCache,
    *,
    told: Callable[[str, CameraSettings], object] = lambda *_: None,
) -> ErrorModel:
    """Return the errors of both networks over the films of these scenarios and seeds.

    Args:
        scenarios: each with the seed that is wanted.
        cache: of what the networks see; films that it lacks are drawn.
        told: is called before each film.

    Raises:
        ValueError: there are too few people in the films of one kind of camera.
    """
    spectra = {}
    for spectrum in ("day", "thermal"):
        cameras = [c for s in scenarios for c in s.camera if c.spectrum == spectrum]
        if not cameras:
            raise ValueError(f"no {spectrum} camera in these scenarios")
        network = network_of(cameras[0], ONE_THREAD)
        spectra[spectrum] = fit(
            _films(scenarios, spectrum, cache, told),
            network=network.name,
            network_sha256=network.sha256,
            min_confidence=ONE_THREAD.min_confidence,
        )
    seeds = sorted({scenario.seed for scenario in scenarios})
    names = sorted({scenario.name for scenario in scenarios})
    return ErrorModel(
        fitted_on=f"{len(names)} scenarios, seeds {', '.join(map(str, seeds))}", **spectra
    )


def _films(
    scenarios: Sequence[Scenario],
    spectrum: str,
    cache: DetectionCache,
    told: Callable[[str, CameraSettings], object],
) -> Iterator[FilmSample]:
    for scenario in scenarios:
        cameras = [c for c in scenario.camera if c.spectrum == spectrum and not c.fault]
        if not cameras:
            continue
        world = World(scenario)
        for camera in cameras:
            told(scenario.name, camera)
            yield _film(world, camera, cache)


def _film(world: World, camera: CameraSettings, cache: DetectionCache) -> FilmSample:
    *_, seen = cache.look(world, camera, duration_s=world.scenario.duration_s)
    assert isinstance(seen, Seen)
    film = Film(world, camera)
    frames = []
    for index, detections in enumerate(seen.reel.detections):
        t_s = index / camera.fps
        frames.append(
            FrameSample(
                t_s=t_s,
                truths=[truth for truth in film.truth(t_s) if truth.visible],
                detections=detections,
                weather=world.weather(t_s),
            )
        )
    return FilmSample(camera=camera, frames=frames)


def fit_suite(
    where: Places, only: Sequence[str], out: Path, told: Callable[[str, CameraSettings], object]
) -> ErrorModel:
    """Fit on the suite's films with their `dev` seeds, and write the model.

    Args:
        where: folders; what the networks saw is taken from their cache.
        only: names; without one, the whole suite.
        out: file.
        told: is called before each film.

    Raises:
        AskOperator: these films do not hold enough to fit anything.
    """
    chosen = [one.model for one in suite() if not only or one.model.name in only]
    scenarios = [one.seeded(seed) for one in chosen for seed in one.seeds.dev]
    cache = DetectionCache(where.cache)
    try:
        model = fit_on(scenarios, cache, told=told)
    except ValueError as error:
        raise AskOperator(
            field="--only",
            value=", ".join(only) or "(the suite)",
            allowed="scenarios of the suite with people in films of both kinds of camera",
            next_step=str(error),
        ) from None
    finally:
        cache.close()
    out.write_text(model.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return model
