"""MQTT 5 over paho: the only module of a node that speaks to a broker.

A client object lives for one connection: what a lost one still held is the outbox's to send again,
so nothing is ever queued in memory behind its back.
"""

import select
import ssl
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from hardware.ports import Inbound, Will
from runtime.clock import Clock
from runtime.errors import AskOperator
from runtime.log import Repeated, get_logger
from runtime.settings import SecretFile

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
"""A broker that took the connection and says nothing for so long is no broker."""
BACK_OFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
SESSION_EXPIRY_S = 3600
"""The broker keeps commands for a node that is away, each until its own expiry, at most so long."""
INBOX_LIMIT = 1000
HEADROOM = 32
"""Places beside `max_in_flight` for birth, state, health and last words."""


class PahoTransport:
    """A `hardware.ports.Transport`; one thread owns it.

    Args:
        host: Of the broker.
        port: Of the broker.
        client_id: The node's id.
        clock: For time-outs and back-off.
        keepalive_s: Silence after which the broker holds us for dead.
        max_in_flight: Messages without PUBACK at a time.
        tls: Encrypt and check the broker's certificate.
        ca_file: Authority of the site; None takes the machine's.
        cert_file: This node's certificate.
        key_file: Its secret key.
        username: If the broker wants one.
        password_file: Read anew at each connection.
        acknowledge: Take messages off the broker; without, it delivers them to the next connection.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        client_id: str,
        clock: Clock,
        keepalive_s: int = 15,
        max_in_flight: int = 64,
        tls: bool = False,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: SecretFile | None = None,
        username: str | None = None,
        password_file: SecretFile | None = None,
        acknowledge: bool = True,
    ) -> None:
        self._acknowledge = acknowledge
        self._host, self._port = host, port
        self._client_id = client_id
        self._clock = clock
        self._keepalive_s = keepalive_s
        self._limit = max_in_flight + HEADROOM
        self._tls = tls
        self._ca_file, self._cert_file, self._key_file = ca_file, cert_file, key_file
        self._username, self._password_file = username, password_file
        self._log = get_logger(worker="uplink", broker=f"{host}:{port}")
        self._lost = Repeated(self._log, "broker_not_reached")
        self._refusals = Repeated(self._log, "publish_refused")
        self._client: mqtt.Client | None = None
        self._subscriptions: tuple[tuple[str, int], ...] = ()
        self._will: Will | None = None
        self._opened = False
        self._ready = False
        self._answer_due_s = 0.0
        self._connections = 0
        self._next_try_s = 0.0
        self._failures = 0
        self._tokens: dict[int, int] = {}
        self._next_token = 1
        self._acknowledged: list[int] = []
        self._inbox: deque[Inbound] = deque()
        self._inbox_dropped = 0

    def open(self, *, will: Will | None, subscriptions: Sequence[tuple[str, int]]) -> None:
        """From now on `wait` connects, and connects again."""
        self._will = will
        self._subscriptions = tuple(subscriptions)
        self._opened = True

    @property
    def connected(self) -> bool:
        """Accepted by the broker, subscriptions answered."""
        return self._ready

    @property
    def connections(self) -> int:
        """Connections made so far."""
        return self._connections

    @property
    def inbox_dropped(self) -> int:
        """Messages that came faster than they were taken away."""
        return self._inbox_dropped

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: Literal[0, 1],
        retain: bool = False,
        expiry_s: int | None = None,
    ) -> int | None:
        """Hand one message to the socket; None when disconnected or too many are on the way."""
        if self._client is None or not self._ready or len(self._tokens) >= self._limit:
            return None
        properties = None
        if expiry_s is not None:
            properties = _properties(PacketTypes.PUBLISH, MessageExpiryInterval=expiry_s)
        token, self._next_token = self._next_token, self._next_token + 1
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._drop(mqtt.error_string(info.rc))
            return None
        if qos == 0:
            self._acknowledged.append(token)
        else:
            self._tokens[info.mid] = token
        return token

    def acknowledged(self) -> Sequence[int]:
        """Tokens of finished messages since the last call."""
        done, self._acknowledged = self._acknowledged, []
        return done

    def inbox(self) -> Sequence[Inbound]:
        """What arrived since the last call."""
        found = list(self._inbox)
        self._inbox.clear()
        return found

    def wait(self, timeout_s: float) -> None:
        """Do input and output for at most `timeout_s`."""
        if not self._opened:
            return
        if self._client is None:
            if self._clock.monotonic_s() >= self._next_try_s:
                self._connect()
            return
        self._exchange(self._client, timeout_s)
        silent = self._client is not None and not self._ready
        if silent and self._clock.monotonic_s() >= self._answer_due_s:
            self._drop("the broker does not answer")

    def close(self, *, last_words: Sequence[tuple[str, bytes, bool]] = ()) -> None:
        """Say the last words, wait at most two seconds for their PUBACK, disconnect."""
        client = self._client
        self._opened = False
        if client is not None and self._ready:
            for topic, payload, retain in last_words:
                self.publish(topic, payload, qos=1, retain=retain)
            until_s = self._clock.monotonic_s() + 2.0
            while self._tokens and self._client is not None:
                left_s = until_s - self._clock.monotonic_s()
                if left_s <= 0:
                    break
                self._exchange(client, min(left_s, 0.1))
            client.disconnect()
        self._forget()

    # --- connection -------------------------------------------------------------------------------
    def _connect(self) -> None:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=not self._acknowledge,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(self._limit)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        if self._will is not None:
            will = self._will
            client.will_set(will.topic, will.payload, qos=will.qos, retain=will.retain)
        properties = _properties(PacketTypes.CONNECT, SessionExpiryInterval=SESSION_EXPIRY_S)
        try:
            self._credentials(client)
            client.connect(
                self._host,
                self._port,
                keepalive=self._keepalive_s,
                clean_start=False,
                properties=properties,
            )
        except (OSError, ValueError, AskOperator) as error:
            self._failed(str(error))
            return
        self._client = client
        self._answer_due_s = self._clock.monotonic_s() + ANSWER_TIMEOUT_S

    def _credentials(self, client: mqtt.Client) -> None:
        if self._tls:
            if self._key_file is not None and (problem := self._key_file.problem()):
                raise problem
            client.tls_set(
                ca_certs=None if self._ca_file is None else str(self._ca_file),
                certfile=None if self._cert_file is None else str(self._cert_file),
                keyfile=None if self._key_file is None else str(self._key_file.path),
                tls_version=ssl.PROTOCOL_TLS_CLIENT,
            )
        if self._username is not None:
            password = self._password_file.read_text() if self._password_file else None
            client.username_pw_set(self._username, password)

    def _exchange(self, client: mqtt.Client, timeout_s: float) -> None:
        socket = client.socket()
        if socket is None:
            self._drop("the line was cut")
            return
        # Bytes that TLS has already decrypted never make the socket readable.
        pending = isinstance(socket, ssl.SSLSocket) and socket.pending() > 0
        writers = [socket] if client.want_write() else []
        try:
            readable, writable, _ = select.select(
                [socket], writers, [], 0.0 if pending else timeout_s
            )
        except (OSError, ValueError) as error:
            self._drop(str(error))
            return
        result = MQTTErrorCode.MQTT_ERR_SUCCESS
        if readable or pending:
            result = client.loop_read()
        if writable and result == MQTTErrorCode.MQTT_ERR_SUCCESS:
            result = client.loop_write()
        if result == MQTTErrorCode.MQTT_ERR_SUCCESS:
            result = client.loop_misc()
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS and self._client is client:
            self._drop(mqtt.error_string(result))

    def _drop(self, why: str) -> None:
        """End a connection that is of no use; its last will speaks for us."""
        was_ready = self._ready
        self._forget()
        if was_ready:
            self._failures = 0
            self._next_try_s = self._clock.monotonic_s() + BACK_OFF_S[0]
            self._log.warning("broker_lost", reason=why)
        else:
            self._failed(why)

    def _failed(self, why: str) -> None:
        self._lost.fault(reason=why)
        pause_s = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1
        self._next_try_s = self._clock.monotonic_s() + pause_s

    def _forget(self) -> None:
        client, self._client = self._client, None
        self._ready = False
        self._tokens.clear()
        self._acknowledged.clear()
        if client is not None:
            socket = client.socket()
            if socket is not None:
                socket.close()

    # --- callbacks, called by paho inside `_exchange` ---------------------------------------------
    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._drop(f"the broker refused: {reason}")
            return
        options = [(name, SubscribeOptions(qos=qos)) for name, qos in self._subscriptions]
        if options:
            client.subscribe(options)
        else:
            self._accepted()

    def _on_subscribe(
        self, _client: Any, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        for (name, _), reason in zip(self._subscriptions, reasons, strict=False):
            if reason.is_failure:
                self._log.error("subscription_refused", topic=name, reason=str(reason))
        self._accepted()

    def _accepted(self) -> None:
        self._lost.over()
        self._failures = 0
        self._ready = True
        self._connections += 1
        self._log.info("connected", connections=self._connections)

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if len(self._inbox) >= INBOX_LIMIT:
            self._inbox_dropped += 1
            return
        self._inbox.append(
            Inbound(topic=message.topic, payload=bytes(message.payload), retained=message.retain)
        )

    def _on_publish(
        self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        token = self._tokens.pop(mid, None)
        if token is None:
            return
        self._acknowledged.append(token)  # The place is free either way.
        if reason.is_failure:
            self._refusals.fault(reason=str(reason))
        else:
            self._refusals.over()


def _properties(packet: int, **values: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # paho's own gap
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
