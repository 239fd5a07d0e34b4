"""A scenario's drone in real time: its copter on a TCP port, and where its camera truly is just now."""

from collections.abc import Callable

from geo._types import FloatArray
from simulations.flight import Flight
from simulations.scenario import Scenario
from simulations.vehicle.server import VehicleServer

_KEEP_S = 20.0


class LiveFlight:
    """A worker that lets the copter fly at the wall's pace; it hovers until the world's time runs.

    Args:
        scenario: with the seed that is wanted.
        drone_id: one of its drones.
        scene_time_s: returns the world's time now; 0 until it runs.
    """

    def __init__(
        self, scenario: Scenario, drone_id: str, scene_time_s: Callable[[], float]
    ) -> None:
        self.flight = Flight(scenario, drone_id, keep_s=_KEEP_S)
        self.name = f"flight {drone_id}"
        self._scene_time_s = scene_time_s
        self._server = VehicleServer(self.flight.copter, tcp=0, fault=self.flight.each_tick)

    @property
    def url(self) -> str:
        """Where a node hears the autopilot."""
        return f"tcp://127.0.0.1:{self._server.ports[0]}"

    def step(self, now_s: float) -> float:
        """Serve the link and fly on."""
        scene_s = self._scene_time_s()
        self.flight.is_now(scene_s)
        if scene_s > 0.0:
            self.flight.set_out()
        return self._server.step(now_s)

    def close(self) -> None:
        """Close the link."""
        self._server.close()

    def pose(self, t_s: float) -> tuple[FloatArray, FloatArray]:
        """Return the true pose; of an instant still to come, or long past, the nearest known."""
        return self.flight.look(t_s)
