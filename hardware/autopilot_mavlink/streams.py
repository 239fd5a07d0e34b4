"""Asking a vehicle for what we read: message by message, the old way where that is not known.

ArduPilot sends nothing but heartbeats on a fresh link, forgets at a reboot what was asked for, and
an acknowledgement does not name the message: so one question is out at a time, and what counts in
the end is whether the message comes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hardware.autopilot_mavlink import dialect as d
from hardware.autopilot_mavlink.dialect import Packer

SET_MESSAGE_INTERVAL = 511
_ACCEPTED, _TEMPORARILY_REJECTED, _DENIED, _UNSUPPORTED, _IN_PROGRESS = 0, 1, 2, 3, 5
_ANSWER_S = 1.0
_TRIES = 3
_LOOK_EVERY_S = 5.0
_SILENT_S = 5.0
_FIRST_AGAIN_S, _LAST_AGAIN_S = 10.0, 60.0
_HALVINGS = 3

RAW_SENSORS, EXTENDED_STATUS, POSITION, EXTRA_1, EXTRA_3 = 1, 2, 6, 10, 12
"""Groups of REQUEST_DATA_STREAM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One message that we want.

    Attributes:
        message_id: which.
        rate_hz: how often.
        group: of REQUEST_DATA_STREAM that carries it.
        vital: without it there is no pose: it is asked for again for ever.
        instead: message that is asked for where this one is refused.
    """

    message_id: int
    rate_hz: float
    group: int
    vital: bool = False
    instead: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often messages are asked for."""

    attitude_hz: float = 20.0
    position_hz: float = 5.0
    status_hz: float = 1.0


def wishes(rates: Rates) -> tuple[Wish, ...]:
    """What every vehicle is asked for."""
    return (
        Wish(message_id=d.GLOBAL_POSITION_INT, rate_hz=rates.position_hz, group=POSITION, vital=True),
        Wish(
            message_id=d.ATTITUDE_QUATERNION, rate_hz=rates.attitude_hz, group=EXTRA_1, vital=True,
            instead=d.ATTITUDE,
        ),
        Wish(message_id=d.GPS_RAW_INT, rate_hz=2 * rates.status_hz, group=EXTENDED_STATUS, vital=True),
        Wish(
            message_id=d.GIMBAL_DEVICE_ATTITUDE_STATUS, rate_hz=rates.attitude_hz, group=EXTRA_3,
            instead=d.MOUNT_ORIENTATION,
        ),
        Wish(message_id=d.EKF_STATUS_REPORT, rate_hz=rates.status_hz, group=EXTRA_3),
        Wish(message_id=d.SYS_STATUS, rate_hz=rates.status_hz, group=EXTENDED_STATUS),
        Wish(message_id=d.BATTERY_STATUS, rate_hz=rates.status_hz / 2, group=EXTRA_3),
        Wish(message_id=d.EXTENDED_SYS_STATE, rate_hz=rates.status_hz, group=EXTRA_3),
        Wish(message_id=d.GPS2_RAW, rate_hz=rates.status_hz, group=EXTENDED_STATUS),
        Wish(message_id=d.HOME_POSITION, rate_hz=rates.status_hz / 5, group=POSITION),
        Wish(message_id=d.SYSTEM_TIME, rate_hz=rates.status_hz / 5, group=EXTRA_3),
    )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Asked:
    """How far one wish has come."""

    wish: Wish
    message_id: int
    rate_hz: float
    state: str = "to_ask"
    tries: int = 0
    halvings: int = 0


class StreamAsker:
    """Keeps one vehicle sending.

    Args:
        target: its system and component id.
        wanted: see `wishes`.
        packer: makes the frames.
    """

    def __init__(self, target: tuple[int, int], wanted: Sequence[Wish], packer: Packer) -> None:
        self._target = target
        self._wanted = tuple(wanted)
        self._packer = packer
        self.refused = 0
        self.unanswered = 0
        self.group_requests = 0
        self._again_s = _FIRST_AGAIN_S
        self._all: list[_Asked] = []
        self._out: _Asked | None = None
        self._out_s = -math.inf
        self._grouped = False
        self._look_s = -math.inf
        self._stepped_s = -math.inf
        self.restart()

    def restart(self) -> None:
        """The vehicle or the link began anew: ask for everything."""
        self._all = [
            _Asked(wish=wish, message_id=wish.message_id, rate_hz=wish.rate_hz)
            for wish in self._wanted
        ]
        self._out = None
        self._grouped = False
        self._look_s = -math.inf
        self._again_s = _FIRST_AGAIN_S

    def acknowledged(self, command: int, result: int) -> None:
        """A COMMAND_ACK to us."""
        asked = self._out
        if command != SET_MESSAGE_INTERVAL or asked is None or result == _IN_PROGRESS:
            return
        self._out = None
        if result == _ACCEPTED:
            asked.state = "accepted"
        elif result == _TEMPORARILY_REJECTED and asked.tries < _TRIES:
            asked.state = "to_ask"
        elif result == _DENIED and asked.wish.vital and asked.halvings < _HALVINGS:
            # Too fast for its main loop, as ArduPilot says in a text only.
            asked.rate_hz /= 2
            asked.halvings += 1
            asked.state, asked.tries = "to_ask", 0
        elif asked.wish.instead is not None and asked.message_id != asked.wish.instead:
            asked.message_id = asked.wish.instead
            asked.state, asked.tries = "to_ask", 0
        else:
            self.refused += 1
            asked.state = "refused"

    def step(self, now_s: float, heard_s: Mapping[int, float]) -> list[bytes]:
        """What to send now; called while the vehicle is heard.

        Args:
            now_s: node time.
            heard_s: last arrival of every kind of message of this vehicle.
        """
        if now_s - self._stepped_s > _SILENT_S:
            self.restart()  # It was gone, and may have been switched off.
        self._stepped_s = now_s
        if self._out is not None:
            if now_s - self._out_s < _ANSWER_S:
                return []
            if self._out.tries >= _TRIES:
                self.unanswered += 1
                self._out.state = "silent"
            else:
                self._out.state = "to_ask"
            self._out = None
        for asked in self._all:
            if asked.state == "to_ask":
                return [self._ask(asked, now_s)]
        if not self._grouped:
            self._grouped = True
            self._look_s = now_s
            return self._old_way(now_s, heard_s)
        if now_s - self._look_s >= max(_LOOK_EVERY_S, self._again_s):
            self._look(now_s, heard_s)
        return []

    def _ask(self, asked: _Asked, now_s: float) -> bytes:
        asked.state = "asked"
        self._out, self._out_s = asked, now_s
        asked.tries += 1
        return self._packer.message_interval(
            self._target, asked.message_id, asked.rate_hz, min(asked.tries - 1, 255)
        )

    def _old_way(self, now_s: float, heard_s: Mapping[int, float]) -> list[bytes]:
        """Groups of what was refused or not answered and does not come; then the rest once more."""
        bad = [
            asked
            for asked in self._all
            if asked.state in {"refused", "silent"} and not _comes(asked, now_s, heard_s)
        ]
        groups: dict[int, float] = {}
        # One that refuses extras alone is no old autopilot: a group would bring it nothing.
        for asked in bad if any(asked.wish.vital for asked in bad) else ():
            groups[asked.wish.group] = max(groups.get(asked.wish.group, 1.0), asked.rate_hz)
        for asked in self._all:
            # A group's rate takes the place of what was asked for message by message.
            if asked.state == "accepted" and asked.wish.group in groups:
                asked.state, asked.tries = "to_ask", 0
        self.group_requests += len(groups)
        return [
            self._packer.data_stream(self._target, group, max(1, min(50, round(rate_hz))))
            for group, rate_hz in sorted(groups.items())
        ]

    def _look(self, now_s: float, heard_s: Mapping[int, float]) -> None:
        """What fell silent is asked for again, in growing intervals."""
        self._look_s = now_s
        mute = [
            asked
            for asked in self._all
            if not _comes(asked, now_s, heard_s)
            and (asked.wish.vital or (asked.state == "accepted" and asked.message_id in heard_s))
        ]
        if not mute:
            self._again_s = _FIRST_AGAIN_S
            return
        self._again_s = min(_LAST_AGAIN_S, 2 * self._again_s)
        for asked in mute:
            asked.message_id, asked.rate_hz = asked.wish.message_id, asked.wish.rate_hz
            asked.state, asked.tries, asked.halvings = "to_ask", 0, 0
        self._grouped = False


def _comes(asked: _Asked, now_s: float, heard_s: Mapping[int, float]) -> bool:
    """Whether the message, or the one instead of it, was heard lately."""
    silent_s = max(_SILENT_S, 4.0 / asked.rate_hz)
    ids = {asked.message_id, asked.wish.message_id, asked.wish.instead}
    return any(now_s - heard_s.get(key, -math.inf) <= silent_s for key in ids if key is not None)
