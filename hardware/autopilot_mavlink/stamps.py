"""Stamps of a vehicle's messages: as node time, each once and in order."""

from collections import Counter
from collections.abc import Callable

from hardware.autopilot_mavlink.boot_clock import BootClock

_MOST_CLOCKS = 16
_HALF_TURN = 2**31


class Stamps:
    """The clocks of one vehicle: its autopilot's, and one for every other component.

    Args:
        autopilot: component id of the autopilot.
        counters: what was refused, by reason.
        rebooted: told when the autopilot's clock began anew.
    """

    def __init__(
        self, autopilot: int, *, counters: Counter[str], rebooted: Callable[[], None]
    ) -> None:
        self._autopilot = autopilot
        self._counters = counters
        self._tell = rebooted
        self._clocks: dict[int, BootClock] = {autopilot: BootClock()}
        self._newest: dict[tuple[int, int], int] = {}

    def clock(self, component_id: int) -> BootClock:
        """A component's; beyond sixteen they share the autopilot's."""
        clock = self._clocks.get(component_id)
        if clock is None:
            if len(self._clocks) >= _MOST_CLOCKS:
                return self._clocks[self._autopilot]
            clock = self._clocks[component_id] = BootClock()
        return clock

    def instant(
        self, message_id: int, boot_ms: int, component_id: int, now_s: float
    ) -> float | None:
        """Node time of a stamp; None for one that waits, comes twice, or came too late.

        Args:
            message_id: each kind has its own order.
            boot_ms: as sent.
            component_id: of the sender.
            now_s: node time of arrival.
        """
        clock = self.clock(component_id)
        before = clock.reboots
        t_s = clock.at(boot_ms, now_s)
        if clock.reboots != before:
            self._rebooted(component_id)
        if t_s is None:
            self._counters["time_unsettled"] += 1
            return None
        key = (component_id, message_id)
        ahead = (boot_ms - self._newest.get(key, boot_ms - 1)) & 0xFFFFFFFF
        if ahead == 0 or ahead >= _HALF_TURN:
            self._counters["duplicate" if ahead == 0 else "overtaken"] += 1
            return None
        self._newest[key] = boot_ms
        return t_s

    def _rebooted(self, component_id: int) -> None:
        for key in [key for key in self._newest if key[0] == component_id]:
            del self._newest[key]
        if component_id == self._autopilot:
            self._counters["reboots"] += 1
            self._tell()
