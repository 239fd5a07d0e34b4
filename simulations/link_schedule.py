"""A bad cable that follows a scenario: its faults by time, as a worker of a real run."""

import asyncio
from collections.abc import Callable, Sequence

from simulations.link import Counters, Link, Weather
from simulations.scenario_node import LinkFaultSettings

_TURN_S = 0.05


def weather_at(faults: Sequence[LinkFaultSettings], t_s: float) -> Weather:
    """Return what a cable does at a moment; faults that overlap add up."""
    now = [fault for fault in faults if fault.holds(t_s)]
    kinds = {fault.kind for fault in now}
    rates = [fault.bit_s / 8.0 for fault in now if fault.kind == "throttle"]
    return Weather(
        up="cut" not in kinds,
        delay_s=sum(fault.delay_s for fault in now if fault.kind == "delay"),
        bytes_per_s=min(rates) if rates else None,
        half_open="half_open" in kinds,
        duplicate="duplicate" in kinds,
    )


class ScheduledLink:
    """A worker: one node's cable to its broker.

    Args:
        faults: by scenario time.
        scene_time_s: returns the scenario's time now.
        target_port: of the broker on loopback.
        port: to listen on; 0 takes a free one.
        name: of the worker.
    """

    def __init__(
        self,
        faults: Sequence[LinkFaultSettings],
        scene_time_s: Callable[[], float],
        *,
        target_port: int,
        port: int = 0,
        name: str = "link",
    ) -> None:
        self.name = name
        self._faults = tuple(faults)
        self._scene_time_s = scene_time_s
        self._loop = asyncio.new_event_loop()
        self._link = Link(target_host="127.0.0.1", target_port=target_port, port=port)
        self._loop.run_until_complete(self._link.start())

    @property
    def port(self) -> int:
        """Where the node connects to."""
        return self._link.port

    @property
    def weather(self) -> Weather:
        """What the cable does now."""
        return self._link.weather

    @property
    def counters(self) -> Counters:
        """What it has carried so far."""
        return self._link.counters

    def step(self, now_s: float) -> float:
        """Bring the weather up to date and carry for a moment."""
        del now_s
        weather = weather_at(self._faults, self._scene_time_s())
        if weather != self._link.weather:
            self._link.change(weather)
        self._loop.run_until_complete(asyncio.sleep(_TURN_S))
        return 0.0

    def close(self) -> None:
        """Cut everything and give the port back."""
        self._loop.run_until_complete(self._link.stop())
        self._loop.close()
