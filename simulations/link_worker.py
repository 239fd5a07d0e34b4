"""The bad cable of one node in real time: it follows the scenario's link faults by the world's clock."""

import asyncio
from collections.abc import Callable, Sequence

from simulations.link import Counters, Link, Weather
from simulations.scenario_node import LinkFaultSettings

_SLICE_S = 0.05


def weather_at(faults: Sequence[LinkFaultSettings], t_s: float) -> Weather:
    """Return what the cable does at an instant; faults that overlap add up."""
    now = [fault for fault in faults if fault.holds(t_s)]
    rates = [fault.bit_s / 8.0 for fault in now if fault.kind == "throttle"]
    return Weather(
        up=all(fault.kind != "cut" for fault in now),
        delay_s=sum(fault.delay_s for fault in now if fault.kind == "delay"),
        bytes_per_s=min(rates) if rates else None,
        half_open=any(fault.kind == "half_open" for fault in now),
        duplicate=any(fault.kind == "duplicate" for fault in now),
    )


class LinkWorker:
    """See `runtime.workers.Worker`. The proxy listens as soon as this is made.

    Args:
        node_id: whose cable it is.
        faults: what happens when.
        target_port: of the broker, on loopback.
        scene_time_s: returns the world's time; below 0, or before the start, nothing happens.
    """

    def __init__(
        self,
        node_id: str,
        faults: Sequence[LinkFaultSettings],
        *,
        target_port: int,
        scene_time_s: Callable[[], float | None],
    ) -> None:
        self.name = f"link-{node_id}"
        self._faults = tuple(faults)
        self._scene_time_s = scene_time_s
        self._loop = asyncio.new_event_loop()
        self._link = Link(target_host="127.0.0.1", target_port=target_port)
        self._loop.run_until_complete(self._link.start())

    @property
    def port(self) -> int:
        """Where the node connects to."""
        return self._link.port

    @property
    def counters(self) -> Counters:
        """What it has carried so far."""
        return self._link.counters

    def step(self, now_s: float) -> float:
        """Carry bytes for a moment, in the weather of this moment."""
        del now_s
        t_s = self._scene_time_s()
        weather = Weather() if t_s is None else weather_at(self._faults, t_s)
        if weather != self._link.weather:
            self._link.change(weather)
        self._loop.run_until_complete(asyncio.sleep(_SLICE_S))
        return 0.0

    def close(self) -> None:
        """Cut everything."""
        self._loop.run_until_complete(self._link.stop())
        self._loop.close()
