"""Parameters over MAVLink: list, read, set; a name that does not exist is answered by silence."""

from collections import deque
from collections.abc import Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.parameters import Parameters
from simulations.vehicle.ports import Message, Organ, Peer, Reply

_SECONDS_PER_VALUE = 0.0005
"""1349 values took 0.7 s."""
_AT_BOOT_S = 2.0
_AT_BOOT = 30
_WITHOUT_INDEX = 65535


class ParameterLink(Organ):
    """The parameter protocol.

    Args:
        parameters: the table.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._waiting: deque[tuple[str, Peer | None]] = deque(maxlen=8 * len(parameters))
        """Values still to send; more than eight lists at once push out the oldest."""
        self._credit = 0.0
        self._last_s: float | None = None
        self._boot_at_s = 0.0
        self._announced = False

    def reboot(self, now_s: float) -> None:
        """Nothing waits any more; the boot's own values are sent again."""
        self._waiting.clear()
        self._boot_at_s = now_s
        self._announced = False

    def handle(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # the Protocol's
        """Take one of the three requests."""
        number = message.get_msgId()
        if number == mav.MAVLINK_MSG_ID_PARAM_REQUEST_LIST:
            self._waiting.extend((name, sender) for name in self._parameters.names)
        elif number == mav.MAVLINK_MSG_ID_PARAM_REQUEST_READ:
            name = self._asked(message)
            if name in self._parameters:
                return (self._reply(name, sender),)
        elif number == mav.MAVLINK_MSG_ID_PARAM_SET:
            name = _text(message.param_id)
            if (
                name in self._parameters and message.param_value == message.param_value
            ):  # NaN is refused
                self._parameters.set(name, message.param_value)
                return (self._reply(name, None, index=_WITHOUT_INDEX),)
        return ()

    def step(self, now_s: float) -> Sequence[Reply]:
        """Send the next values of a list, and some of its own at boot."""
        if self._last_s is not None:
            self._credit = min(20.0, self._credit + (now_s - self._last_s) / _SECONDS_PER_VALUE)
        self._last_s = now_s
        if not self._announced and now_s - self._boot_at_s >= _AT_BOOT_S:
            self._announced = True
            self._waiting.extend((name, None) for name in self._parameters.names[-_AT_BOOT:])
        if not self._waiting:
            return ()
        found = []
        while self._waiting and self._credit >= 1:
            self._credit -= 1
            name, to = self._waiting.popleft()
            found.append(self._reply(name, to))
        return found

    def _asked(self, message: Message) -> str:
        if message.param_index < 0:
            return _text(message.param_id)
        names = self._parameters.names
        return names[message.param_index] if message.param_index < len(names) else ""

    def _reply(self, name: str, to: Peer | None, *, index: int | None = None) -> Reply:
        table = self._parameters
        message = mav.MAVLink_param_value_message(
            name.encode("ascii"), table[name], table.kind(name), len(table),
            table.index(name) if index is None else index,
        )  # fmt: skip
        return Reply(message=message, to=to)


def _text(raw: str | bytes) -> str:
    """Name in a message, as this library gives it."""
    text = raw.decode("ascii", errors="replace") if isinstance(raw, bytes) else raw
    return text.split("\0", 1)[0]
