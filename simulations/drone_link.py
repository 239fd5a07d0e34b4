"""A drone's telemetry link on a simulated clock: the copter's bytes, each at its own moment."""

from collections.abc import Sequence

from hardware.autopilot_mavlink.links import Chunk
from runtime.clock import Clock
from simulations.flight import Flight

_TICK_S = 0.01


class FlightLink:
    """See `hardware.autopilot_mavlink.links.ByteLink`; the copter flies on as far as it is read.

    While the scenario has the link lost, nothing comes and nothing goes.

    Args:
        flight: the copter, with its client here.
        clock: simulated; the scenario's time 0 is its 0.
    """

    def __init__(self, flight: Flight, clock: Clock) -> None:
        self._flight = flight
        self._clock = clock
        self._heard: list[Chunk] = []
        flight.connect()

    def read(self, timeout_s: float) -> Sequence[Chunk]:  # noqa: ARG002  # time stands still meanwhile
        """Return what the copter said up to now."""
        self._catch_up()
        found, self._heard = self._heard, []
        return found

    def write(self, data: bytes) -> None:
        """Send bytes to the copter, which has flown on to this moment when they come."""
        self._catch_up()
        if not self._lost(self._clock.monotonic_s()):
            self._flight.tell(data)

    def close(self) -> None:
        """Hang up."""
        self._flight.disconnect()

    def _catch_up(self) -> None:
        flight, now_s = self._flight, self._clock.monotonic_s()
        while True:
            data = flight.said()
            if data and not self._lost(flight.now_s):
                self._heard.append(Chunk(flight.now_s, data))
            if flight.now_s >= now_s - 0.5 * _TICK_S:
                return
            flight.advance(flight.now_s + _TICK_S)

    def _lost(self, t_s: float) -> bool:
        return any(
            fault.kind == "link_loss" and fault.holds(t_s) for fault in self._flight.drone.fault
        )
