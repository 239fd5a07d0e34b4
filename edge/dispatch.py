"""Between outbox and transport: what is said when, how much at a time, and what comes back."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import ValidationError

from edge.commands import CommandDesk
from edge.envelopes import Envelopes
from edge.limits import Limits, LimitsRefused
from edge.outbox import Due, Outbox
from hardware.ports import Inbound, Transport, Will
from runtime.clock import Clock
from runtime.log import get_logger
from wire import codec
from wire.messages import Birth, Health, State, VehicleReport
from wire.topics import BY_NAME, UnknownTopic, node_filters, parse

NodeState = Literal["online", "degraded", "storage_full", "goodbye", "offline"]
BATCH = 8
MAX_BYTES_IN_FLIGHT = 48_000
"""Beyond this only key observations and acks are handed over: on a thin link a crop in the socket
would keep them waiting."""
WAIT_S = 0.05
_STATE_PERIOD_S = BY_NAME["state"].period_s or 60.0
_HEALTH_PERIOD_S = BY_NAME["health"].period_s or 10.0


class Uplink:
    """The worker that owns the transport.

    Args:
        envelopes: Makes bytes.
        outbox: What waits.
        transport: To the broker.
        clock: For periods.
        birth: Says who this node is.
        health: Says how it is.
        state: Says in one word how it is, with a reason.
        commands: Takes what comes down.
        limits: Takes zones.
        refused: Counts what came down and was not taken, by reason.
        max_in_flight: Messages without PUBACK at a time.
        vehicles: Reports of vehicles that are due; what the line does not take is gone.
    """

    name = "uplink"

    def __init__(
        self,
        *,
        envelopes: Envelopes,
        outbox: Outbox,
        transport: Transport,
        clock: Clock,
        birth: Callable[[], Birth],
        health: Callable[[], Health],
        state: Callable[[], tuple[NodeState, str]],
        commands: CommandDesk,
        limits: Limits,
        refused: Counter[str],
        max_in_flight: int,
        vehicles: Callable[[float], Sequence[VehicleReport]] = lambda _now_s: (),
    ) -> None:
        self._envelopes = envelopes
        self._outbox = outbox
        self._transport = transport
        self._clock = clock
        self._birth = birth
        self._health = health
        self._state = state
        self._commands = commands
        self._limits = limits
        self._max_in_flight = max_in_flight
        self._vehicles = vehicles
        self._log = get_logger(worker=self.name)
        self._opened = False
        self._connection = 0
        self._unread: deque[Inbound] = deque()
        """What the transport gave and a fault left unread; asked for more only when it is empty."""
        self._in_flight: dict[int, tuple[int, int]] = {}
        self._bytes_in_flight = 0
        self._said: tuple[NodeState, str] | None = None
        self._state_due_s = 0.0
        self._health_due_s = 0.0
        self._refused = refused

    def step(self, now_s: float) -> float:
        """Exchange what is due with the broker."""
        if not self._opened:
            self._open()
        self._outbox.notice_clock()
        fresh = self._transport.connections != self._connection
        if fresh or not self._transport.connected:
            self._in_flight.clear()
            self._bytes_in_flight = 0
            self._outbox.disconnected()
        if self._transport.connected and (not fresh or self._greet(now_s)):
            self._connection = self._transport.connections
            self._collect()
            self._speak(now_s)
            self._send()
        self._outbox.flush()
        self._transport.wait(WAIT_S)
        return 0.0 if self._transport.connected else 2 * WAIT_S

    def close(self) -> None:
        """Say goodbye in order, so that nobody takes a planned stop for a loss."""
        if self._transport.connected and self._transport.connections == self._connection:
            self._send()
        topic, payload = self._envelopes.now("state", self._state_body("goodbye", "stopped"))
        self._outbox.flush(force=True)
        self._transport.close(last_words=[(topic, payload, True)])

    def _state_body(self, state: NodeState, reason: str) -> State:
        return State(session=self._envelopes.session, state=state, reason=reason[:200])

    def _open(self) -> None:
        topic, payload = self._envelopes.now("state", self._state_body("offline", "line lost"))
        self._transport.open(
            will=Will(topic=topic, payload=payload),
            subscriptions=node_filters(self._envelopes.site_id, self._envelopes.node_id),
        )
        self._opened = True

    def _greet(self, now_s: float) -> bool:
        """Say who we are; whether the line took it."""
        topic, payload = self._envelopes.now("birth", self._birth())
        self._said = None
        self._health_due_s = now_s
        return self._transport.publish(topic, payload, qos=1, retain=True) is not None

    def _speak(self, now_s: float) -> None:
        state = self._state()
        if state != self._said or now_s >= self._state_due_s:
            topic, payload = self._envelopes.now("state", self._state_body(*state))
            if self._transport.publish(topic, payload, qos=1, retain=True) is not None:
                self._said = state
                self._state_due_s = now_s + _STATE_PERIOD_S
        if now_s >= self._health_due_s:
            topic, payload = self._envelopes.now("health", self._health())
            if self._transport.publish(topic, payload, qos=0) is not None:
                self._health_due_s = now_s + _HEALTH_PERIOD_S
        for report in self._vehicles(now_s):
            topic, payload = self._envelopes.now("vehicle", report)
            self._transport.publish(topic, payload, qos=0)

    def _send(self) -> None:
        """Hand over batches until the places, or the bytes, in flight are used up."""
        while len(self._in_flight) < self._max_in_flight:
            thin = self._bytes_in_flight >= MAX_BYTES_IN_FLIGHT
            room = min(BATCH, self._max_in_flight - len(self._in_flight))
            batch = self._outbox.due(
                room, backlog_limit=0 if thin else max(1, room // 4), key_only=thin
            )
            taken = [self._hand_over(due) for due in batch]
            if not all(taken) or not batch:
                return

    def _hand_over(self, due: Due) -> bool:
        """Give one message to the transport; whether the line takes more."""
        try:
            topic, payload = self._envelopes.queued(due)
        except (codec.Refused, ValidationError, UnknownTopic) as error:
            # Written by another version of the program: it would block all behind it.
            self._log.error("message_unspeakable", seq=due.seq, reason=str(error))
            self._outbox.discard(due.seq)
            return True
        token = self._transport.publish(topic, payload, qos=1)
        if token is None:
            # The line fell, or is full. What comes back is due at once: to ask for it again in the
            # same step would never end, and never let the transport notice.
            self._outbox.not_sent(due.seq)
            return False
        self._in_flight[token] = (due.seq, len(payload))
        self._bytes_in_flight += len(payload)
        return True

    def _collect(self) -> None:
        for token in self._transport.acknowledged():
            seq, size = self._in_flight.pop(token, (0, 0))
            self._bytes_in_flight -= size
            if seq:
                self._outbox.acknowledged(seq)
        if not self._unread:
            self._unread.extend(self._transport.inbox())
        while self._unread:
            # Gone before it is read: one that cannot be handled is not met again, the rest is.
            self._receive(self._unread.popleft())

    def _receive(self, message: Inbound) -> None:
        try:
            name = parse(message.topic).spec.name
        except UnknownTopic:
            self._refused["topic"] += 1
            return
        if name == "cmd":
            self._commands.handle(message.payload, retained=message.retained)
        elif name == "receipt":
            self._receipt(message)
        elif name == "zones":
            try:
                self._limits.offer(message.payload)
            except LimitsRefused as error:
                self._refused[f"zones_{error.reason}"] += 1
                self._log.error("zones_refused", reason=str(error))
        else:
            self._refused["topic"] += 1

    def _receipt(self, message: Inbound) -> None:
        if message.retained:
            self._refused["receipt_retained"] += 1
            return
        try:
            receipt = codec.decode(message.payload, spec=BY_NAME["receipt"]).message.body
        except codec.Refused as error:
            self._refused[f"receipt_{error.reason}"] += 1
            return
        self._outbox.receipt(receipt.seq)
