"""All cameras of a scenario, on masts and on drones alike, and the film of each."""

from functools import lru_cache

from simulations.drone_film import DroneFilm
from simulations.film import Film
from simulations.flight import Flight
from simulations.footage import Footage
from simulations.ground import Image
from simulations.scenario import Scenario
from simulations.scenario_node import CameraFaultSettings, CameraSettings, DroneSettings
from simulations.world import World

_FLIGHTS_KEPT = 4


def camera_of(drone: DroneSettings) -> CameraSettings:
    """Return a drone's camera as one of a mast is told: its node has the drone's name.

    Where it stands and looks is where the gimbal looks ahead of home; the flight knows better.
    While the drone's link is lost, so is its picture.
    """
    along_m, across_m = drone.home_along_across_m
    return CameraSettings(
        id=drone.id,
        name=drone.name or drone.id,
        node=drone.id,
        spectrum=drone.spectrum,
        along_m=along_m,
        across_m=across_m,
        height_m=drone.height_m,
        azimuth_deg=0.0,
        pitch_deg=drone.gimbal_pitch_deg,
        hfov_deg=drone.hfov_deg,
        width_px=drone.width_px,
        height_px=drone.height_px,
        fps=drone.fps,
        fault=tuple(
            CameraFaultSettings(kind="offline", at_s=fault.at_s, lasts_s=fault.lasts_s)
            for fault in drone.fault
            if fault.kind == "link_loss"
        ),
    )


def cameras(scenario: Scenario) -> tuple[CameraSettings, ...]:
    """Return the cameras on masts, then those of the drones."""
    return (*scenario.camera, *(camera_of(drone) for drone in scenario.drone))


def node_ids(scenario: Scenario) -> tuple[str, ...]:
    """Return the nodes in the order of their cameras; every drone's feed has one of its own."""
    return tuple(dict.fromkeys(camera.node for camera in cameras(scenario)))


def flies(scenario: Scenario, camera: CameraSettings) -> DroneSettings | None:
    """Return the drone that carries a camera; None for one on a mast."""
    return next((drone for drone in scenario.drone if drone.id == camera.id), None)


def film_of(world: World, camera: CameraSettings) -> Film | DroneFilm:
    """Return the film of one of the scenario's cameras."""
    if flies(world.scenario, camera) is None:
        return Film(world, camera)
    return DroneFilm(world, camera, flight_of(world.scenario, camera.id))


def footage_of(world: World, camera: CameraSettings) -> "Footage | DroneFootage":
    """Return what comes out of one of the scenario's cameras."""
    film = film_of(world, camera)
    return Footage(film) if isinstance(film, Film) else DroneFootage(film)


@lru_cache(maxsize=_FLIGHTS_KEPT)
def flight_of(scenario: Scenario, drone_id: str) -> Flight:
    """Return the flight of a drone with all of its past, the same for whoever asks."""
    return Flight(scenario, drone_id)


class DroneFootage:
    """A drone's film as its radio gives it out; frame ``index`` is taken at ``index / fps``.

    Args:
        film: what the pictures show.
    """

    def __init__(self, film: DroneFilm) -> None:
        self.film = film
        self.camera = film.camera

    def picture(self, t_s: float, index: int) -> Image:
        """Return the picture of an instant."""
        return self.film.frame(t_s, index)

    def jpeg(self, t_s: float, index: int) -> bytes:
        """Return the picture of an instant as the stream carries it."""
        return self.film.jpeg(t_s, index)
