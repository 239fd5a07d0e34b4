"""Play a scenario's film offline: look at every camera through the cache, then let it pass."""

from collections.abc import Callable
from pathlib import Path

from edge.detect import Detections
from simulations.cameras import cameras
from simulations.detection_cache import DetectionCache, Seen, Step, frame_count
from simulations.played import Played
from simulations.reel import Reel
from simulations.run_offline import Sighting, play
from simulations.world import World


def film_sightings(
    world: World,
    cache: DetectionCache,
    *,
    duration_s: float,
    told: Callable[[Step], object] = lambda _: None,
) -> dict[str, Sighting]:
    """Return what the networks see in every camera's film, drawing only what nobody has kept."""
    found: dict[str, Sighting] = {}
    for camera in cameras(world.scenario):
        for step in cache.look(world, camera, duration_s=duration_s):
            if isinstance(step, Seen):
                found[camera.id] = Sighting(
                    sight=_of(step.reel),
                    network=step.network.name,
                    network_sha256=step.network.sha256,
                    film_sha256=step.reel.film_sha256(frame_count(camera, duration_s)),
                )
            else:
                told(step)
    return found


def play_film(
    world: World,
    cache: DetectionCache,
    *,
    duration_s: float,
    scratch: Path | None,
    looked: Callable[[Step], object] = lambda _: None,
    told: Callable[[float], object] = lambda _: None,
) -> Played:
    """Play a scenario's film from its first instant.

    Args:
        world: with the seed that is wanted.
        cache: of what the networks see.
        duration_s: how much of it.
        scratch: see `run_offline.play`.
        looked: is called for every frame that is drawn.
        told: is called with the scenario's seconds.
    """
    sightings = film_sightings(world, cache, duration_s=duration_s, told=looked)
    return play(world, sightings, duration_s=duration_s, scratch=scratch, told=told)


def _of(reel: Reel) -> Callable[[int], Detections]:
    return lambda index: reel.detections[index]
