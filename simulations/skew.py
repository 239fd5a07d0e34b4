"""A node's own clock: time passes as in the world, but its UTC is off by what the scenario says."""

from datetime import datetime, timedelta

from runtime.clock import Clock, ClockQuality


class SkewedClock:
    """See `runtime.clock.Clock`.

    Args:
        true: the world's clock.
        error_s: this clock's UTC minus the truth.
        stated_error_s: what its operator says of it.
    """

    def __init__(self, true: Clock, *, error_s: float, stated_error_s: float) -> None:
        self._true = true
        self._error = timedelta(seconds=error_s)
        self._quality = ClockQuality(source="manual", error_s=stated_error_s)

    def monotonic_s(self) -> float:
        """Seconds of the world."""
        return self._true.monotonic_s()

    def utc(self) -> datetime:
        """What this clock shows."""
        return self._true.utc() + self._error

    def quality(self) -> ClockQuality:
        """What is said of it."""
        return self._quality
