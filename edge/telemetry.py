"""Workers that listen to what tells the node where things are: its receiver and its autopilot."""

from collections.abc import Callable, Sequence

from hardware.ports import AutopilotPort, PositionPort, VehicleSample

_READ_S = 0.5
_PAUSE_S = 1.0


class PositionWorker:
    """Keeps reading the node's own position.

    Args:
        port: the receiver.
    """

    name = "position"

    def __init__(self, port: PositionPort) -> None:
        self._port = port

    def step(self, now_s: float) -> float:  # noqa: ARG002  # the receiver keeps the time
        """Read for a short while."""
        return min(self._port.read(_READ_S), _PAUSE_S)

    def close(self) -> None:
        """The composition root closes the receiver."""


class AutopilotWorker:
    """Keeps reading an autopilot and hands on what it says.

    Args:
        port: the link.
        listeners: each gets the samples of every read, in order (pose buffers).
    """

    name = "autopilot"

    def __init__(
        self,
        port: AutopilotPort,
        listeners: Sequence[Callable[[Sequence[VehicleSample]], None]],
    ) -> None:
        self._port = port
        self._listeners = tuple(listeners)
        self._over = False

    def step(self, now_s: float) -> float:  # noqa: ARG002  # samples carry their own time
        """Read for a short while."""
        if self._over:
            return _PAUSE_S
        try:
            samples = self._port.read(_READ_S)
        except EOFError:
            self._over = True
            return _PAUSE_S
        for listener in self._listeners:
            listener(samples)
        return 0.0

    def close(self) -> None:
        """The composition root closes the link."""
