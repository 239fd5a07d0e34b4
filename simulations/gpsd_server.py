"""A gpsd for machines that have none: its JSON over TCP, its faults by the scenario's clock.

A worker with one `step`: it listens, answers, and at every epoch of the receiver tells each
watcher. Nothing is kept for a client that does not read: at 256 kB it is let go, as gpsd does.
"""

import selectors
import socket
from collections.abc import Callable, Sequence

from runtime.clock import Clock
from simulations import gpsd_json
from simulations.gpsd_daemon import Client, GpsdDaemon, ServerCounters
from simulations.gpsd_receiver import Receiver
from simulations.scenario_node import GpsdFaultSettings

_WAIT_S = 0.05
_LONGEST_BEHIND = 256 * 1024
_MOST_CLIENTS = 64


class GpsdServer:
    """Serves one receiver on loopback.

    Args:
        receiver: what it reads.
        clock: UTC of the epochs, and when to send.
        scene_time_s: returns the scenario's time now.
        faults: of the daemon: `slow`, `half_lines`, `death`; others are the receiver's.
        rate_hz: epochs a second, at whole multiples in UTC.
        latency_s: from the epoch to its report, as receivers take.
        port: 0 takes a free one.
        dialect: which gpsd speaks.
        has_pps: the receiver has a pulse, told at each full second to those who asked.
        name: of the worker.
        wait_s: longest wait for the network in one step.
    """

    def __init__(
        self,
        receiver: Receiver,
        clock: Clock,
        scene_time_s: Callable[[], float],
        *,
        faults: Sequence[GpsdFaultSettings] = (),
        rate_hz: float = 1.0,
        latency_s: float = 0.1,
        port: int = 0,
        dialect: gpsd_json.Dialect | None = None,
        has_pps: bool = False,
        name: str = "gpsd",
        wait_s: float = _WAIT_S,
    ) -> None:
        self.name = name
        self._daemon = GpsdDaemon(
            receiver, clock, scene_time_s, faults=faults, rate_hz=rate_hz, latency_s=latency_s,
            dialect=dialect, has_pps=has_pps,
        )  # fmt: skip
        self._wait_s = wait_s
        self._clients: dict[socket.socket, Client] = {}
        self._selector = selectors.DefaultSelector()
        self._listener: socket.socket | None = None
        self._address = ("127.0.0.1", port)
        self._listen()

    @property
    def dialect(self) -> gpsd_json.Dialect:
        """Which gpsd speaks."""
        return self._daemon.dialect

    @property
    def counters(self) -> ServerCounters:
        """What it did since its start."""
        return self._daemon.counters

    @property
    def port(self) -> int:
        """The port in use."""
        return self._address[1]

    # --- the worker -------------------------------------------------------------------------------
    def step(self, now_s: float) -> float:
        """Answer who asks, and tell what is due; waits at most `wait_s` for the network."""
        if self._daemon.dead:
            if self._listener is not None:
                self._die()
            return self._wait_s
        if self._listener is None:
            self._listen()
        self._daemon.tell(self._clients.values(), now_s)
        self._flush(now_s)
        for key, _ in self._selector.select(self._wait_s):
            if key.fileobj is self._listener:
                self._accept()
            else:
                self._read(key.fileobj, now_s)  # type: ignore[arg-type]  # a socket of ours
        self._flush(now_s)
        return 0.0

    def close(self) -> None:
        """Let everybody go and stop listening."""
        self._let_go()
        self._selector.close()

    # --- the network ------------------------------------------------------------------------------
    def _listen(self) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(self._address)
            listener.listen()
        except OSError:
            listener.close()
            raise
        listener.settimeout(0.0)
        self._address = listener.getsockname()
        self._listener = listener
        self._selector.register(listener, selectors.EVENT_READ)

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        if len(self._clients) >= _MOST_CLIENTS:
            self.counters.refused += 1
            connection.close()
            return
        connection.settimeout(0.0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[connection] = self._daemon.greet()
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket, now_s: float) -> None:
        try:
            data = connection.recv(4096)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._drop(connection)
            return
        self._daemon.hear(self._clients[connection], data, now_s)

    def _flush(self, now_s: float) -> None:
        for connection, client in tuple(self._clients.items()):
            try:
                while client.waiting and client.waiting[0][0] <= now_s:
                    due_s, data = client.waiting.popleft()
                    sent = connection.send(data)
                    client.behind -= sent
                    if sent < len(data):
                        client.waiting.appendleft((due_s, data[sent:]))
                        break
            except BlockingIOError:
                client.waiting.appendleft((due_s, data))
            except ConnectionError:
                self._drop(connection)
                continue
            if client.behind > _LONGEST_BEHIND:
                self.counters.too_slow += 1
                self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._clients[connection]
        connection.close()

    def _die(self) -> None:
        """Go as a killed daemon goes: connections end, the port refuses, what was known is lost."""
        self._let_go()
        self._daemon.forget()

    def _let_go(self) -> None:
        for connection in tuple(self._clients):
            self._drop(connection)
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
