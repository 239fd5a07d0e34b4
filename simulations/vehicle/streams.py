"""Which message is due when, link by link: nothing until somebody asks."""

import math

from simulations.vehicle.defaults import STREAM_CHANNELS, stream_parameter
from simulations.vehicle.numbers import whole
from simulations.vehicle.parameters import Parameters

HEARTBEAT = 0
_GROUPS: dict[str, tuple[int, ...]] = {
    "RAW_SENS": (27, 116, 129, 29, 137, 143),
    "EXT_STAT": (1, 125, 11039, 152, 42, 24, 62, 162, 87),
    "RC_CHAN": (36, 65),
    "RAW_CTRL": (),
    "POSITION": (33, 32),
    "EXTRA1": (30, 164, 178),
    "EXTRA2": (74,),
    "EXTRA3": (163, 2, 168, 132, 136, 147, 285, 193, 241, 226, 11030),
    "PARAMS": (),
    "ADSB": (),
}
_BY_DATA_STREAM = {
    1: ("RAW_SENS",), 2: ("EXT_STAT",), 3: ("RC_CHAN",), 4: ("RAW_CTRL",), 6: ("POSITION",),
    10: ("EXTRA1",), 11: ("EXTRA2",), 12: ("EXTRA3",), 0: tuple(_GROUPS),
}  # fmt: skip
_LOOP_SHARE = 0.8
_LONGEST_S = 65.535
"""Sixteen bits of milliseconds."""


class Streams:
    """Intervals of one link.

    Args:
        link: its number.
        firmware: names the rate parameters.
        parameters: rates of the groups, SCHED_LOOP_RATE.
    """

    def __init__(self, link: int, firmware: str, parameters: Parameters) -> None:
        self._link = link
        self._firmware = firmware
        self._parameters = parameters
        self._asked_s: dict[int, float] = {}
        self._interval_s: dict[int, float] = {}
        self._due_s: dict[int, float] = {}
        self._seen_changes = -1

    def forget(self) -> None:
        """A reboot forgets every interval that was asked for."""
        self._asked_s.clear()
        self._due_s.clear()
        self._seen_changes = -1

    def too_fast(self, interval_us: float) -> bool:
        """Whether an interval is shorter than the main loop allows."""
        if interval_us <= 0:
            return False
        loop_us = 1e6 / max(1.0, self._parameters["SCHED_LOOP_RATE"])
        return whole(interval_us / 1000) * 1000 * _LOOP_SHARE < loop_us

    def ask(self, message_id: int, interval_us: float) -> None:
        """SET_MESSAGE_INTERVAL: -1 switches off, 0 gives back the default."""
        if interval_us == 0 or math.isnan(interval_us):
            self._asked_s.pop(message_id, None)
        else:
            self._asked_s[message_id] = max(0.0, min(_LONGEST_S, interval_us / 1e6))
        self._due_s.pop(message_id, None)
        self._seen_changes = -1

    def interval_us(self, message_id: int) -> int:
        """What GET_MESSAGE_INTERVAL answers: 0 for a message that is not sent."""
        self._refresh()
        return round(self._interval_s.get(message_id, 0.0) * 1e6)

    def ask_group(self, data_stream: int, rate_hz: int, *, start: bool) -> None:
        """REQUEST_DATA_STREAM: writes the rates of its groups."""
        for group in _BY_DATA_STREAM.get(data_stream, ()):
            if self._link < STREAM_CHANNELS and group not in ("PARAMS", "ADSB"):
                name = stream_parameter(self._firmware, self._link, group)
                self._parameters.set(name, float(rate_hz if start else 0))
            for message_id in _GROUPS[group]:
                self._asked_s.pop(message_id, None)
        self._seen_changes = -1

    def _refresh(self) -> None:
        if self._seen_changes == self._parameters.changes:
            return
        self._seen_changes = self._parameters.changes
        table: dict[int, float] = {HEARTBEAT: 1.0}
        if self._link < STREAM_CHANNELS:
            for group, ids in _GROUPS.items():
                rate = self._parameters[stream_parameter(self._firmware, self._link, group)]
                if rate > 0:
                    table.update(dict.fromkeys(ids, 1.0 / min(rate, 50.0)))
        for message_id, interval_s in self._asked_s.items():
            if interval_s > 0:
                table[message_id] = interval_s
            else:
                table.pop(message_id, None)
        self._interval_s = table
        self._due_s = {key: due for key, due in self._due_s.items() if key in table}

    def due(self, now_s: float) -> list[int]:
        """Messages whose time has come, one of each kind at most."""
        self._refresh()
        found = []
        for message_id, interval_s in self._interval_s.items():
            due_s = self._due_s.get(message_id)
            if due_s is None:
                # A new stream begins within its interval; the very first heartbeat at once.
                self._due_s[message_id] = due_s = now_s
            if now_s + 1e-9 >= due_s:
                found.append(message_id)
                following = due_s + interval_s
                self._due_s[message_id] = following if following > now_s else now_s + interval_s
        return found

    def now(self, message_id: int, now_s: float) -> None:
        """Let a message be due at once (a heartbeat after a change of mode)."""
        self._refresh()
        if message_id in self._interval_s:
            self._due_s[message_id] = now_s
