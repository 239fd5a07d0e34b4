"""A node's line to the bus with the faults of its scenario: cut, late, thin, dead without a word, twice.

It behaves as the node's MQTT client does over such a radio link: a line that was cut is made again
after the client's own pauses, a dead one is noticed after the keep-alive.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edge.uplink import BACK_OFF_S
from hardware.ports import Inbound, Will
from runtime.clock import Clock
from simulations.bus import NodeLine
from simulations.scenario_node import LinkFaultSettings

_DEAD_AFTER_KEEPALIVES = 1.5
"""MQTT 5, 3.1.2.10: so long after the last packet a broker closes the line and says the will."""
_HEAD_BYTES = 60
"""TCP, IP and MQTT heads of one message on the radio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Upward:
    """A message on its way to the broker."""

    due_s: float
    token: int
    topic: str
    payload: bytes
    retain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Downward:
    """A message on its way to the node."""

    due_s: float
    message: Inbound


class FaultyLine:
    """See `hardware.ports.Transport`.

    Bound: what is under way upwards is bounded by the node's places in flight, downwards by the
    bus's inbox.

    Args:
        line: the good line that it spoils.
        faults: what happens when, in the clock's monotonic seconds.
        clock: the world's.
        keepalive_s: of the node's config.
    """

    def __init__(
        self,
        line: NodeLine,
        faults: Sequence[LinkFaultSettings],
        *,
        clock: Clock,
        keepalive_s: float,
    ) -> None:
        self._line = line
        self._faults = tuple(faults)
        self._clock = clock
        self._dead_after_s = _DEAD_AFTER_KEEPALIVES * keepalive_s
        self._up: deque[_Upward] = deque()
        self._down: deque[_Downward] = deque()
        self._acks: deque[tuple[float, int]] = deque()
        self._token = 0
        self._free_up_s = 0.0
        self._free_down_s = 0.0
        self._retry_s = 0.0
        self._failures = 0
        self._tainted = False
        self.swallowed = 0

    # --- Transport --------------------------------------------------------------------------------
    def open(self, *, will: Will | None, subscriptions: Sequence[tuple[str, int]]) -> None:
        """Connect; a line that begins cut is made later."""
        self._line.open(will=will, subscriptions=subscriptions)
        self.step()

    @property
    def connected(self) -> bool:
        """Whether the node believes that the line holds."""
        self.step()
        return self._line.connected

    @property
    def connections(self) -> int:
        """How often it was made."""
        return self._line.connections

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: Literal[0, 1],  # noqa: ARG002  # nothing is lost but with the line
        retain: bool = False,
        expiry_s: int | None = None,  # noqa: ARG002  # late, but never so late
    ) -> int | None:
        """Send it on its way; None while the line is known to be cut."""
        self.step()
        if not self._line.connected:
            return None
        self._token += 1
        now_s = self._clock.monotonic_s()
        if self._now("half_open") is not None:
            self._swallow(1)
            return self._token
        self._free_up_s = max(self._free_up_s, now_s) + self._carrying_s(payload)
        for _ in range(2 if self._now("duplicate") is not None else 1):
            self._up.append(
                _Upward(
                    due_s=self._free_up_s + self._delay_s(),
                    token=self._token,
                    topic=topic,
                    payload=payload,
                    retain=retain,
                )
            )
        self._deliver(now_s)
        return self._token

    def acknowledged(self) -> Sequence[int]:
        """Tokens whose acknowledgement has come back."""
        self.step()
        now_s = self._clock.monotonic_s()
        found = []
        while self._acks and self._acks[0][0] <= now_s:
            found.append(self._acks.popleft()[1])
        return list(dict.fromkeys(found))

    def inbox(self) -> Sequence[Inbound]:
        """What has arrived."""
        self.step()
        now_s = self._clock.monotonic_s()
        for message in self._line.inbox():
            if self._now("half_open") is not None:
                self._swallow(1)
                continue
            self._free_down_s = max(self._free_down_s, now_s) + self._carrying_s(message.payload)
            self._down.append(_Downward(due_s=self._free_down_s + self._delay_s(), message=message))
        found = []
        while self._down and self._down[0].due_s <= now_s:
            found.append(self._down.popleft().message)
        return found

    @property
    def inbox_dropped(self) -> int:
        """Messages that found the inbox full."""
        return self._line.inbox_dropped

    def wait(self, timeout_s: float) -> None:
        """Let the line do its work; simulated time passes elsewhere."""
        del timeout_s
        self.step()

    def close(self, *, last_words: Sequence[tuple[str, bytes, bool]] = ()) -> None:
        """Say the last words and leave in order."""
        self._line.close(last_words=last_words)

    # --- the radio --------------------------------------------------------------------------------
    def step(self) -> None:
        """Bring the line up to this instant: cut it, make it again, deliver what is due."""
        now_s = self._clock.monotonic_s()
        half_open = self._now("half_open")
        dead = half_open is not None and now_s >= half_open.at_s + self._dead_after_s
        torn = self._tainted and half_open is None
        down = self._now("cut") is not None or dead
        if self._line.connected and (down or torn):
            self._tear(now_s)
        elif not self._line.connected and now_s >= self._retry_s:
            if down or half_open is not None:
                self._retry_s = now_s + BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
                self._failures += 1
            else:
                self._failures = 0
                self._line.mend()
        self._deliver(now_s)

    def _tear(self, now_s: float) -> None:
        """The line is gone, and with it whatever was on its way."""
        self._line.cut()
        self._up.clear()
        self._down.clear()
        self._acks.clear()
        self._line.inbox()
        self._tainted = False
        self._free_up_s = self._free_down_s = now_s
        self._retry_s = now_s + BACK_OFF_S[0]

    def _swallow(self, messages: int) -> None:
        self.swallowed += messages
        self._tainted = self._tainted or messages > 0

    def _deliver(self, now_s: float) -> None:
        if self._now("half_open") is not None:
            self._swallow(len(self._up))
            self._up.clear()
        while self._up and self._up[0].due_s <= now_s and self._line.connected:
            one = self._up.popleft()
            self._line.publish(one.topic, one.payload, qos=1, retain=one.retain)
            self._line.acknowledged()
            self._acks.append((max(now_s, one.due_s) + self._delay_s(), one.token))

    def _now(self, kind: str) -> LinkFaultSettings | None:
        now_s = self._clock.monotonic_s()
        return next((f for f in self._faults if f.kind == kind and f.holds(now_s)), None)

    def _delay_s(self) -> float:
        fault = self._now("delay")
        return 0.0 if fault is None else fault.delay_s

    def _carrying_s(self, payload: bytes) -> float:
        fault = self._now("throttle")
        return 0.0 if fault is None else 8.0 * (len(payload) + _HEAD_BYTES) / fault.bit_s
