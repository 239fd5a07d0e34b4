"""The only paho on this side: the broker's connection, and the worker that carries bytes to the desk.

PUBACK only frees the place in flight; what a node may forget it learns from the receipt, which is
sent after our own commit, at most once a second.
"""

import math
import ssl
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ground_station.announce import Announcer
from ground_station.desk import Desk
from ground_station.ingest_door import worth_keeping
from ground_station.metrics import Metrics
from ground_station.transport import Arrived, Outgoing, Transport
from runtime.clock import Clock
from runtime.errors import RetryLater
from runtime.log import Repeated, get_logger
from wire.messages import Receipt

INBOX_MESSAGES = 20_000
INBOX_BYTES = 64_000_000
"""When the inbox is full the newest goes: its sender keeps it and sends it again."""
BATCH_MESSAGES = 1000
WAIT_S = 0.1
GATHER_S = 0.01
"""After the first message of a batch, how long more may join it: one commit serves them all."""
RECEIPT_EVERY_S = 1.0
KEEPALIVE_S = 20
CONNECT_TIMEOUT_S = 5.0
PUMP_S = 0.1
RETRY_MIN_S = 1.0
RETRY_MAX_S = 8.0
IN_FLIGHT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the broker is and how to log in.

    Attributes:
        ca_file: switches TLS on.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def __repr__(self) -> str:
        return f"Address({self.host}:{self.port}, tls={self.ca_file is not None})"


class PahoTransport:
    """MQTT 5 over paho; reconnects by itself, renews its subscriptions, bounds what waits.

    Args:
        address: of the broker.
        client_id: unique at the broker.
        clock: stamps arrivals.
    """

    def __init__(self, address: Address, *, client_id: str, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._log = get_logger(worker="mqtt")
        self._lost = Repeated(self._log, "broker_lost")
        self._subscriptions: list[tuple[str, int]] = []
        self._inbox: deque[Arrived] = deque()
        self._inbox_bytes = 0
        self._dropped = 0
        self._connections = 0
        self._opened = False
        self._ready = False
        self._retry_at_s = -math.inf
        self._retry_s = RETRY_MIN_S
        self._arrived = threading.Condition()
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5
        )
        client.max_inflight_messages_set(IN_FLIGHT)
        client.max_queued_messages_set(IN_FLIGHT * 10)
        client.connect_timeout = CONNECT_TIMEOUT_S
        # Any thread may publish, one alone writes to the socket: with this set paho leaves the
        # writing to `pump`, which it wakes.
        client.on_socket_register_write = _leave_it_to_the_pump
        if address.user is not None:
            client.username_pw_set(address.user, address.password)
        if address.ca_file is not None:
            client.tls_set(
                ca_certs=str(address.ca_file),
                certfile=None
                if address.certificate_file is None
                else str(address.certificate_file),
                keyfile=None if address.key_file is None else str(address.key_file),
                cert_reqs=ssl.CERT_REQUIRED,
            )
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._client = client

    # --- in the pump's thread ---------------------------------------------------------------------
    def _on_connect(
        self,
        client: mqtt.Client,
        _data: Any,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._lost.fault(reason=str(reason), broker=repr(self._address))
            return
        client.subscribe(self._subscriptions)

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _data: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = [str(one) for one in reasons if one.is_failure]
        if refused:
            self._lost.fault(reason=f"subscriptions refused: {refused[0]}")
            return
        self._lost.over()
        self._retry_s = RETRY_MIN_S
        with self._arrived:
            self._ready = True
            self._connections += 1
            self._arrived.notify_all()

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _data: Any,
        _flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._ready = False
        if reason.is_failure:
            self._lost.fault(reason=str(reason), broker=repr(self._address))

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        size = len(message.payload)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        with self._arrived:
            if len(self._inbox) >= INBOX_MESSAGES or self._inbox_bytes + size > INBOX_BYTES:
                self._dropped += 1
                return
            self._inbox_bytes += size
            self._inbox.append(
                Arrived(
                    topic=topic,
                    payload=bytes(message.payload),
                    retained=message.retain,
                    t_monotonic_s=self._clock.monotonic_s(),
                )
            )
            self._arrived.notify_all()

    # --- the station's side -----------------------------------------------------------------------
    def open(self, subscriptions: Sequence[tuple[str, int]]) -> None:
        """From now on `pump` connects and keeps reconnecting."""
        self._subscriptions = list(subscriptions)
        self._opened = True

    @property
    def connected(self) -> bool:
        """Whether the broker accepted us and the subscriptions are in place."""
        return self._ready

    @property
    def connections(self) -> int:
        """Connections made so far."""
        return self._connections

    @property
    def dropped(self) -> int:
        """Messages that found the inbox full."""
        return self._dropped

    def publish(self, message: Outgoing) -> bool:
        """Hand over one message; False when it was not taken."""
        if not self._ready or not self._client.is_connected():
            return False  # paho would keep it in memory and send it whenever it likes.
        properties = None
        if message.expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = message.expiry_s
        done = self._client.publish(
            message.topic,
            message.payload,
            qos=message.qos,
            retain=message.retain,
            properties=properties,
        )
        return done.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def take(self, limit: int) -> list[Arrived]:
        """What arrived, oldest first."""
        with self._arrived:
            found = [self._inbox.popleft() for _ in range(min(limit, len(self._inbox)))]
            self._inbox_bytes -= sum(len(one.payload) for one in found)
            return found

    def wait(self, timeout_s: float) -> bool:
        """Sleep until something has arrived or the time is over."""
        with self._arrived:
            if not self._inbox:
                self._arrived.wait(timeout_s)
            return bool(self._inbox)

    def pump(self, now_s: float) -> float:
        """Move bytes both ways for a moment; the one place that touches the socket.

        Returns:
            Seconds until it wants to be called again.
        """
        if not self._opened:
            return PUMP_S
        if self._client.socket() is None:
            if now_s < self._retry_at_s:
                return min(PUMP_S, self._retry_at_s - now_s)
            self._retry_at_s = now_s + self._retry_s
            self._retry_s = min(RETRY_MAX_S, self._retry_s * 2.0)
            try:
                self._client.connect(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
            except OSError as error:
                self._lost.fault(reason=str(error), broker=repr(self._address))
                return PUMP_S
        if self._client.loop(PUMP_S) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._ready = False
        return 0.0

    def shut(self) -> None:
        """Disconnect orderly; in the pump's thread, after its last call."""
        self._ready = False
        if self._client.is_connected():
            self._client.disconnect()
            for _ in range(10):
                if self._client.loop(PUMP_S / 10) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    return


def _leave_it_to_the_pump(_client: mqtt.Client, _data: Any, _socket: Any) -> None:
    """Paho asks for an event loop's write watch; the pump's own select does that."""


class MqttWorker:
    """The thread that moves bytes between the broker and the transport's queues."""

    name = "mqtt"

    def __init__(self, transport: PahoTransport) -> None:
        self._transport = transport

    def step(self, now_s: float) -> float:
        """One turn of the pump."""
        return self._transport.pump(now_s)

    def close(self) -> None:
        """Say goodbye to the broker."""
        self._transport.shut()


class IngestWorker:
    """Carries batches from the transport to the desk and receipts back.

    Args:
        transport: the broker.
        desk: decides and commits.
        announcer: publishes receipts and what waits.
        clock: paces the receipts.
        subscriptions: filters with quality of service.
        metrics: figures.
    """

    name = "ingest"

    def __init__(
        self,
        *,
        transport: Transport,
        desk: Desk,
        announcer: Announcer,
        clock: Clock,
        subscriptions: Sequence[tuple[str, int]],
        metrics: Metrics,
    ) -> None:
        self._transport = transport
        self._desk = desk
        self._announcer = announcer
        self._clock = clock
        self._subscriptions = tuple(subscriptions)
        self._metrics = metrics
        self._opened = False
        self._owed: set[str] = set()
        self._said_s: dict[str, float] = {}
        self._kept: list[Arrived] = []
        """Of a batch that failed: the newest per topic of what no node would send again."""
        self._unavailable = Repeated(get_logger(worker=self.name), "store_unavailable")

    def step(self, now_s: float) -> float:  # noqa: ARG002  # receipts are paced after the commit
        """One batch: wait, gather, decide, commit; then the receipts that are due."""
        if not self._opened:
            self._opened = True
            self._transport.open(self._subscriptions)
        pause_s = 0.0
        if self._transport.wait(WAIT_S) or self._kept:
            arrived = self._kept + self._transport.take(BATCH_MESSAGES - len(self._kept))
            if len(arrived) < BATCH_MESSAGES and self._transport.wait(GATHER_S):
                arrived += self._transport.take(BATCH_MESSAGES - len(arrived))
            try:
                self._owed |= self._desk.take(arrived)
            except RetryLater as error:
                # Nothing was committed and no receipt goes out: the nodes keep it and send again,
                # save births, states and health, which wait for no receipt.
                self._kept = worth_keeping(arrived)
                self._unavailable.fault(reason=error.what, messages=len(arrived))
                pause_s = error.retry_after_s
            else:
                self._kept = []
                self._unavailable.over()
        self._receipts(self._clock.monotonic_s())
        self._announcer.step()
        self._metrics.inbox_dropped.set(self._transport.dropped)
        return pause_s

    def _receipts(self, now_s: float) -> None:
        for node_id in sorted(self._owed):
            if now_s - self._said_s.get(node_id, -RECEIPT_EVERY_S) < RECEIPT_EVERY_S:
                continue
            seq = self._desk.frontier(node_id)
            if seq is None:
                continue
            if self._announcer.send("receipt", Receipt(seq=seq), node_id=node_id):
                self._said_s[node_id] = now_s
                self._owed.discard(node_id)
                self._metrics.receipts.inc()

    def close(self) -> None:
        """The transport is its own worker's."""


class WatchWorker:
    """Lets time pass at the desk, twice a second."""

    name = "watch"

    def __init__(self, *, desk: Desk) -> None:
        self._desk = desk
        self._unavailable = Repeated(get_logger(worker=self.name), "store_unavailable")

    def step(self, now_s: float) -> float:  # noqa: ARG002  # the desk has the clock
        """One tick."""
        try:
            self._desk.tick()
        except RetryLater as error:
            self._unavailable.fault(reason=error.what)
            return error.retry_after_s
        self._unavailable.over()
        return 0.5

    def close(self) -> None:
        """Nothing is held."""
