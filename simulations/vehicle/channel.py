"""One link of the vehicle: what is packed for it, what came over it, who was heard on it."""

import math
import random
from collections import deque

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.framing import Deframer, crc_extra_of
from simulations.vehicle.parameters import Parameters
from simulations.vehicle.ports import FrameGuard, Medium, Message, Wire

_FRAMES_HELD = 4000
"""Frames waiting to be taken; a caller who does not take them loses the oldest, counted."""


class Channel:
    """A link.

    Args:
        number: 0 is the first.
        system_id: of the vehicle.
        guard: signs and judges frames.
        parameters: SIM_UART_LOSS.
        seed: of the byte loss.
        down: medium from the vehicle to the client.
        up: medium from the client to the vehicle.
    """

    def __init__(
        self, number: int, *, system_id: int, guard: FrameGuard, parameters: Parameters,
        seed: int, down: Medium | None = None, up: Medium | None = None,
    ) -> None:  # fmt: skip
        self.number = number
        self.connected = False
        self.heard: set[tuple[int, int]] = set()
        self._mav = mav.MAVLink(None, srcSystem=system_id, srcComponent=1)
        self._guard = guard
        self._parameters = parameters
        self._random = random.Random(seed)
        self._down: Medium = down or Wire()
        self._up: Medium = up or Wire()
        self._first = Deframer()
        self._second = Deframer()
        self._out: deque[bytes] = deque(maxlen=_FRAMES_HELD)
        self.overflowed = 0
        self.refused = 0

    def speak_as(self, system_id: int) -> None:
        """Send under another system id from now on."""
        self._mav.srcSystem = system_id

    def connect(self) -> None:
        """A client is there."""
        self.connected = True
        self._first, self._second = Deframer(), Deframer()

    def disconnect(self) -> None:
        """The client is gone; what was on its way is lost."""
        self.connected = False
        for medium in (self._up, self._down):
            medium.due(math.inf)
        self._out.clear()
        self.heard.clear()

    def send(self, message: Message, now_s: float) -> None:
        """Pack a message of our own; nobody there: it is lost."""
        if not self.connected:
            return
        frame = bytes(message.pack(self._mav))
        self._mav.seq = (self._mav.seq + 1) % 256
        extra = crc_extra_of(message.get_msgId())
        self._carry(
            self._guard.outgoing(
                frame,
                crc_extra=int(message.crc_extra) if extra is None else extra,
                link=self.number,
                now_s=now_s,
            ),
            now_s,
        )

    def pass_on(self, frame: bytes, now_s: float) -> None:
        """Forward a frame of somebody else, as it came."""
        if self.connected:
            self._carry(frame, now_s)

    def _carry(self, frame: bytes, now_s: float) -> None:
        self._down.carry(frame, now_s)

    def feed(self, data: bytes, now_s: float) -> None:
        """Bytes from the client."""
        for frame in self._first.feed(data):
            self._up.carry(frame, now_s)

    def arrived(self, now_s: float) -> list[tuple[bytes, Message]]:
        """Frames that reached the vehicle whole and may be handled, with their messages."""
        found = []
        for piece in self._up.due(now_s):
            for frame in self._second.feed(piece):
                if not self._guard.accepts(frame, link=self.number, now_s=now_s):
                    self.refused += 1
                    continue
                found.append((frame, self._mav.decode(bytearray(frame))))
        return found

    def settle(self, now_s: float) -> None:
        """Move what has arrived at the client's end into its reach."""
        for frame in self._down.due(now_s):
            if not self.connected:
                continue
            if len(self._out) == _FRAMES_HELD:
                self.overflowed += 1
            self._out.append(self._worn(frame))

    def _worn(self, frame: bytes) -> bytes:
        loss = self._parameters["SIM_UART_LOSS"] / 100
        if loss <= 0:
            return frame
        return bytes(byte for byte in frame if self._random.random() >= loss)

    def take(self) -> list[bytes]:
        """Frames for the client since the last call."""
        frames = list(self._out)
        self._out.clear()
        return frames
