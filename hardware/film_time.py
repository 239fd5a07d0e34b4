"""Which moment of a recording was shown when."""

import threading
from bisect import bisect_right

from hardware.ports import FilmPosition

_KEPT = 4096
"""Pictures that may still be asked about: minutes, where seconds pass between capture and use."""


class FilmTimes:
    """The film's own time of every picture lately shown. Written by one thread, asked from any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown_s: list[float] = []
        self._positions: list[FilmPosition] = []

    def shown(self, t_monotonic_s: float, position: FilmPosition) -> None:
        """A picture is handed over with that instant."""
        with self._lock:
            self._shown_s.append(t_monotonic_s)
            self._positions.append(position)
            if len(self._shown_s) > 2 * _KEPT:
                del self._shown_s[:_KEPT]
                del self._positions[:_KEPT]

    def at(self, t_monotonic_s: float) -> FilmPosition | None:
        """The film's time at an instant; None before the first picture that is remembered."""
        with self._lock:
            # An instant computed anew may miss its picture's by a rounding.
            index = bisect_right(self._shown_s, t_monotonic_s + 1e-6) - 1
            if index < 0:
                return None
            since_s = max(t_monotonic_s - self._shown_s[index], 0.0)
            shown = self._positions[index]
        return FilmPosition(film_s=shown.film_s + since_s * shown.speed, speed=shown.speed)
