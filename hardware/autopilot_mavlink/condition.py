"""What a vehicle says of itself besides place and attitude: mode, battery, air or ground, home."""

import math

from hardware.autopilot_mavlink.dialect import Message
from hardware.autopilot_mavlink.modes import ARMED, mode_of
from hardware.autopilot_mavlink.place import absurd

ONLINE_S = 5.0
HIGH_LATENCY_ONLINE_S = 30.0
_BATTERY_STALE_S = 30.0
_LANDED_STALE_S = 10.0
_ACTIVE_STATES = frozenset({4, 5, 6})
"""ACTIVE, CRITICAL and EMERGENCY: flying, if armed, where nothing says it better."""
_ON_GROUND = 1
_IN_AIR = frozenset({2, 3, 4})
_ARDUPILOT = 3
_MOST_REMAINING_S = 24 * 3600
_URGENT = 3


class Condition:
    """Keeps the newest word on each, with its time."""

    def __init__(self) -> None:
        self.heard_s = -math.inf
        self.beat_s = -math.inf
        self.online_for_s = ONLINE_S
        self.autopilot = 0
        self.vehicle_type = 0
        self.mode = ""
        self.pilot_in_control = False
        self.armed = False
        self.home_alt_msl_m: float | None = None
        self.texts = 0
        self.urgent_texts = 0
        self._active = False
        self._landed: tuple[float, int] | None = None
        self._batteries: dict[int, tuple[float, float | None, float | None]] = {}

    def online(self, now_s: float) -> bool:
        """Whether its heart beat lately."""
        return now_s - self.beat_s <= self.online_for_s

    @property
    def far(self) -> bool:
        """Heard over a high-latency link alone, where every question costs."""
        return self.online_for_s == HIGH_LATENCY_ONLINE_S

    def in_air(self, now_s: float) -> bool:
        """Whether it flies: by its own word, else by being armed and active."""
        if self._landed is not None and now_s - self._landed[0] <= _LANDED_STALE_S:
            return self._landed[1] in _IN_AIR
        return self.armed and self._active

    def battery(self, now_s: float) -> tuple[float | None, float | None]:
        """Fraction and remaining seconds of the emptiest battery; None where not told lately."""
        fresh = [b for b in self._batteries.values() if now_s - b[0] <= _BATTERY_STALE_S]
        fractions = [fraction for _, fraction, _ in fresh if fraction is not None]
        seconds = [left_s for _, _, left_s in fresh if left_s is not None]
        return min(fractions, default=None), min(seconds, default=None)

    def heartbeat(self, message: Message, now_s: float) -> None:
        """HEARTBEAT."""
        self.beat_s, self.online_for_s = now_s, ONLINE_S
        self._is(message.autopilot, message.type, message.base_mode, message.custom_mode)
        self.armed = bool(message.base_mode & ARMED)
        self._active = message.system_status in _ACTIVE_STATES

    def high_latency(self, message: Message, now_s: float) -> None:
        """HIGH_LATENCY2: a heartbeat every few seconds at best, over satellite."""
        self.beat_s, self.online_for_s = now_s, HIGH_LATENCY_ONLINE_S
        base_mode = message.custom0 & 0xFF if message.autopilot == _ARDUPILOT else 0
        self._is(message.autopilot, message.type, base_mode, message.custom_mode)
        if message.autopilot == _ARDUPILOT:
            self.armed = bool(base_mode & ARMED)
        self._battery(0, now_s, message.battery, 0)

    def system_status(self, message: Message, now_s: float) -> None:
        """SYS_STATUS: its battery counts until BATTERY_STATUS tells more."""
        known = self._batteries.get(0)
        if known is None or known[2] is None or now_s - known[0] > _BATTERY_STALE_S:
            self._battery(0, now_s, message.battery_remaining, 0)

    def battery_status(self, message: Message, now_s: float) -> None:
        """BATTERY_STATUS of one of at most sixteen batteries."""
        if message.id < 16:
            self._battery(message.id, now_s, message.battery_remaining, message.time_remaining)

    def extended(self, message: Message, now_s: float) -> None:
        """EXTENDED_SYS_STATE; 0 is "undefined"."""
        if message.landed_state in _IN_AIR or message.landed_state == _ON_GROUND:
            self._landed = (now_s, message.landed_state)

    def home(self, message: Message) -> None:
        """HOME_POSITION; an unset one is not taken."""
        alt_m = message.altitude / 1e3
        if absurd(message.longitude / 1e7, message.latitude / 1e7, alt_m) is None:
            self.home_alt_msl_m = alt_m

    def text(self, message: Message) -> None:
        """STATUSTEXT: counted; state comes from messages, texts get lost."""
        self.texts += 1
        self.urgent_texts += message.severity <= _URGENT

    def _is(self, autopilot: int, vehicle_type: int, base_mode: int, custom_mode: int) -> None:
        self.autopilot, self.vehicle_type = autopilot, vehicle_type
        self.mode, self.pilot_in_control = mode_of(
            autopilot=autopilot,
            vehicle_type=vehicle_type,
            base_mode=base_mode,
            custom_mode=custom_mode,
        )

    def _battery(self, number: int, now_s: float, percent: int, left_s: int) -> None:
        """-1 percent and 0 s mean unknown."""
        fraction = percent / 100.0 if 0 <= percent <= 100 else None
        seconds = float(left_s) if 0 < left_s <= _MOST_REMAINING_S else None
        self._batteries[number] = (now_s, fraction, seconds)
