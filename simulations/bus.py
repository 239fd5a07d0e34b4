"""A broker in memory: it joins nodes and a station by bytes, on any clock and without a socket.

It has what the two ends rely on: filters with wildcards, retained messages, wills, expiry by
retained copies only, and cutting a client off. Everything published is delivered at once and in
order; a client that is cut off gets nothing and loses nothing that is retained.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ground_station import transport as ground
from hardware.ports import Inbound, Will

_INBOX_MESSAGES = 50_000


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic fits an MQTT filter with `+` and `#`."""
    wanted, found = pattern.split("/"), topic.split("/")
    for k, part in enumerate(wanted):
        if part == "#":
            return True
        if k >= len(found) or part not in ("+", found[k]):
            return False
    return len(wanted) == len(found)


@dataclass(slots=True)
class _Client:
    deliver: Callable[[str, bytes, bool], None]
    filters: tuple[str, ...] = ()
    will: Will | None = None
    connected: bool = False
    connections: int = 0


@dataclass(slots=True)
class Bus:
    """The broker.

    Attributes:
        log: every published (topic, payload), in order, when `keep_log` is set.
        published: how many messages passed.
    """

    keep_log: bool = False
    published: int = 0
    log: list[tuple[str, bytes]] = field(default_factory=list)
    _clients: list[_Client] = field(default_factory=list)
    _retained: dict[str, bytes] = field(default_factory=dict)

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Deliver to everybody who asked for the topic."""
        self.published += 1
        if self.keep_log:
            self.log.append((topic, payload))
        if retain:
            if payload:
                self._retained[topic] = payload
            else:
                self._retained.pop(topic, None)
        for client in self._clients:
            if client.connected and any(matches(one, topic) for one in client.filters):
                client.deliver(topic, payload, False)  # noqa: FBT003  # not retained

    def join(self, client: _Client) -> None:
        """Connect a client: what is retained and fits its filters comes first."""
        if client not in self._clients:
            self._clients.append(client)
        client.connected = True
        client.connections += 1
        for topic, payload in list(self._retained.items()):
            if any(matches(one, topic) for one in client.filters):
                client.deliver(topic, payload, True)  # noqa: FBT003  # retained

    def leave(self, client: _Client, *, orderly: bool) -> None:
        """Disconnect a client; one that is cut off leaves its will."""
        if not client.connected:
            return
        client.connected = False
        if client.will is not None and not orderly:
            self.publish(client.will.topic, client.will.payload, retain=client.will.retain)


class NodeLine:
    """A node's line to the bus; see `hardware.ports.Transport`.

    Args:
        bus: the broker.
        sleep: how to wait on a real clock; None on a simulated one, which moves by itself.
    """

    def __init__(self, bus: Bus, *, sleep: Callable[[float], object] | None = None) -> None:
        self._bus = bus
        self._sleep = sleep
        self._inbox: deque[Inbound] = deque()
        self._dropped = 0
        self._client = _Client(deliver=self._deliver)
        self._token = 0
        self._acknowledged: list[int] = []

    def open(self, *, will: Will | None, subscriptions: Sequence[tuple[str, int]]) -> None:
        """Connect at once."""
        self._client.will = will
        self._client.filters = tuple(pattern for pattern, _ in subscriptions)
        self._bus.join(self._client)

    @property
    def connected(self) -> bool:
        """Whether the line holds."""
        return self._client.connected

    @property
    def connections(self) -> int:
        """How often it was made."""
        return self._client.connections

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: Literal[0, 1],  # noqa: ARG002  # nothing is ever lost on the bus
        retain: bool = False,
        expiry_s: int | None = None,  # noqa: ARG002  # delivered at once
    ) -> int | None:
        """Deliver now; None while cut off."""
        if not self._client.connected:
            return None
        self._token += 1
        self._acknowledged.append(self._token)
        self._bus.publish(topic, payload, retain=retain)
        return self._token

    def acknowledged(self) -> Sequence[int]:
        """Tokens of what was delivered since the last call."""
        tokens, self._acknowledged = self._acknowledged, []
        return tokens

    def inbox(self) -> Sequence[Inbound]:
        """What arrived since the last call."""
        found = list(self._inbox)
        self._inbox.clear()
        return found

    @property
    def inbox_dropped(self) -> int:
        """Messages that found the inbox full."""
        return self._dropped

    def wait(self, timeout_s: float) -> None:
        """Let time pass, if it does so by itself."""
        if self._sleep is not None and not self._inbox:
            self._sleep(timeout_s)

    def cut(self) -> None:
        """Lose the line; the will is published."""
        self._bus.leave(self._client, orderly=False)

    def mend(self) -> None:
        """Have the line again."""
        self._bus.join(self._client)

    def close(self, *, last_words: Sequence[tuple[str, bytes, bool]] = ()) -> None:
        """Say the last words and leave in order."""
        if self._client.connected:
            for topic, payload, retain in last_words:
                self._bus.publish(topic, payload, retain=retain)
        self._bus.leave(self._client, orderly=True)

    def _deliver(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001
        if len(self._inbox) >= _INBOX_MESSAGES:
            self._dropped += 1
            return
        self._inbox.append(Inbound(topic=topic, payload=payload, retained=retained))


class StationLine:
    """The station's line to the bus; see `ground_station.transport.Transport`.

    Args:
        bus: the broker.
        monotonic_s: the station's clock, for arrivals.
    """

    def __init__(self, bus: Bus, *, monotonic_s: Callable[[], float]) -> None:
        self._bus = bus
        self._monotonic_s = monotonic_s
        self._inbox: deque[ground.Arrived] = deque()
        self._dropped = 0
        self._client = _Client(deliver=self._deliver)

    def open(self, subscriptions: Sequence[tuple[str, int]]) -> None:
        """Connect at once."""
        self._client.filters = tuple(pattern for pattern, _ in subscriptions)
        self._bus.join(self._client)

    @property
    def connected(self) -> bool:
        """Whether the line holds."""
        return self._client.connected

    @property
    def connections(self) -> int:
        """How often it was made."""
        return self._client.connections

    def publish(self, message: ground.Outgoing) -> bool:
        """Deliver now; False while cut off."""
        if not self._client.connected:
            return False
        self._bus.publish(message.topic, message.payload, retain=message.retain)
        return True

    def take(self, limit: int) -> list[ground.Arrived]:
        """What arrived, oldest first."""
        return [self._inbox.popleft() for _ in range(min(limit, len(self._inbox)))]

    def wait(self, timeout_s: float) -> bool:  # noqa: ARG002  # a simulated clock moves by itself
        """Whether something is there; never sleeps."""
        return bool(self._inbox)

    @property
    def dropped(self) -> int:
        """Messages that found the inbox full."""
        return self._dropped

    def cut(self) -> None:
        """Lose the line."""
        self._bus.leave(self._client, orderly=False)

    def mend(self) -> None:
        """Have the line again."""
        self._bus.join(self._client)

    def close(self) -> None:
        """Leave in order."""
        self._bus.leave(self._client, orderly=True)

    def _deliver(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001
        if len(self._inbox) >= _INBOX_MESSAGES:
            self._dropped += 1
            return
        self._inbox.append(
            ground.Arrived(
                topic=topic,
                payload=payload,
                retained=retained,
                t_monotonic_s=self._monotonic_s(),
            )
        )
