"""All cameras of a scenario, on masts and on drones alike, and the film of each."""

from collections.abc import Callable
from functools import lru_cache

from simulations.drone_film import DroneFilm
from simulations.film import Film, encode_jpeg
from simulations.flight import Flight
from simulations.footage import Footage
from simulations.ground import Image
from simulations.scenario import Scenario
from simulations.scenario_node import CameraFaultSettings, CameraSettings, DroneSettings
from simulations.world import World
