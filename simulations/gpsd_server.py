"""A gpsd for machines that have none: its JSON over TCP, its faults by the scenario's clock.

A worker with one `step`: it listens, answers, and at every epoch of the receiver tells each
watcher. Nothing is kept for a client that does not read: at 256 kB it is let go, as gpsd does.
"""

import math
import selectors
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import numpy as np

from runtime.clock import Clock
from simulations import gpsd_json
from simulations.gpsd_nmea import sentences
from simulations.gpsd_protocol import Talk
from simulations.gpsd_receiver import Reading, Receiver
from simulations.scenario_node import GpsdFaultSettings

_WAIT_S = 0.05
_LONGEST_BEHIND = 256 * 1024
_MOST_CLIENTS = 64
_PIECE_PAUSE_S = 0.05
_GARBAGE = b'\x00\xff$GPG\xb5b{"class":\r\n'
_UNIX = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(slots=True)
class ServerCounters:
    """What the server did since its start."""

    clients: int = 0
    refused: int = 0
    too_slow: int = 0
    epochs: int = 0
    lines: int = 0
    lines_split: int = 0
    lines_cut: int = 0
    lines_with_garbage: int = 0
    deaths: int = 0


@dataclass(slots=True, eq=False)
class _Client:
    socket: socket.socket
    talk: Talk
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    behind: int = 0

    def put(self, due_s: float, data: bytes) -> None:
        """Queue bytes; never before those queued earlier."""
        if self.waiting:
            due_s = max(due_s, self.waiting[-1][0])
        self.waiting.append((due_s, data))
        self.behind += len(data)


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
        self.dialect = dialect or gpsd_json.Dialect()
        self.counters = ServerCounters()
        self._receiver = receiver
        self._clock = clock
        self._scene_time_s = scene_time_s
        self._faults = tuple(faults)
        self._period_s = 1.0 / rate_hz
        self._latency_s = latency_s
        self._has_pps = has_pps
        self._wait_s = wait_s
        self._random = np.random.default_rng((receiver.settings.seed, 5))
        self._device = gpsd_json.Device(cycle_s=self._period_s)
        self._newest: Reading | None = None
        self._epoch = self._last_epoch()
        self._told_s = -math.inf
        self._clients: dict[socket.socket, _Client] = {}
        self._selector = selectors.DefaultSelector()
        self._listener: socket.socket | None = None
        self._address = ("127.0.0.1", port)
        self._listen()

    @property
    def port(self) -> int:
        """The port in use."""
        return self._address[1]

    # --- the worker -------------------------------------------------------------------------------
    def step(self, now_s: float) -> float:
        """Answer who asks, and tell what is due; waits at most `wait_s` for the network."""
        if self._fault("death") is not None:
            if self._listener is not None:
                self._die()
            return self._wait_s
        if self._listener is None:
            self._listen()
        epoch = self._last_epoch()
        if epoch > self._epoch:
            self._epoch = epoch
            self._report(epoch, now_s)
        self._flush(now_s)
        for key, _ in self._selector.select(self._wait_s):
            if key.fileobj is self._listener:
                self._accept()
            else:
                self._read(self._clients[key.fileobj], now_s)  # type: ignore[index]  # a socket of ours
        self._flush(now_s)
        return 0.0

    def close(self) -> None:
        """Let everybody go and stop listening."""
        self._let_go()
        self._selector.close()

    # --- what a talk asks -------------------------------------------------------------------------
    def device(self) -> gpsd_json.Device:
        """How far it is with the receiver."""
        return self._device

    def open_device(self) -> None:
        """Open it at the first watcher; it stays open."""
        if self._device.opened_utc is None:
            self._device = gpsd_json.Device(
                opened_utc=self._clock.utc(), cycle_s=self._device.cycle_s
            )

    def poll(self, *, active: bool) -> str:
        """What is known now."""
        return gpsd_json.poll(self.dialect, self._clock.utc(), active=active, reading=self._newest)

    # --- epochs -----------------------------------------------------------------------------------
    def _last_epoch(self) -> int:
        now_s = (self._clock.utc() - _UNIX).total_seconds()
        return math.floor((now_s - self._latency_s) / self._period_s)

    def _report(self, epoch: int, now_s: float) -> None:
        if self._device.opened_utc is None:
            return
        scene_s = self._scene_time_s()
        slow = self._fault("slow")
        if slow is not None and scene_s - self._told_s < slow.every_s - self._period_s / 2.0:
            return
        self._told_s = scene_s
        now_utc = self._clock.utc()
        t_utc = _UNIX + timedelta(seconds=epoch * self._period_s)
        age_s = (now_utc - t_utc).total_seconds()
        reading = self._receiver.reading(max(0.0, scene_s - age_s), t_utc)
        self._newest = reading
        self.counters.epochs += 1
        first, was = not self._device.identified, self._device
        self._device = gpsd_json.Device(
            opened_utc=now_utc, identified=True, heard=not first, cycle_s=was.cycle_s
        )
        for client in tuple(self._clients.values()):
            if client.talk.watch.enable:
                self._tell(client, reading, now_utc, now_s, first=first)

    def _tell(
        self, client: _Client, reading: Reading, now_utc: datetime, now_s: float, *, first: bool
    ) -> None:
        watch, dialect = client.talk.watch, self.dialect
        if watch.nmea or watch.raw:
            for line in sentences(reading):
                self._line(client, line.strip(), now_s)
        if watch.pps:
            self._line(client, gpsd_json.toff(dialect, reading.t_utc, now_utc), now_s)
            if self._has_pps and reading.t_utc.microsecond == 0:
                self._line(client, gpsd_json.pps(dialect, reading.t_utc, reading.t_utc), now_s)
        if watch.json:
            if first:
                self._line(client, gpsd_json.device(dialect, self._device), now_s)
            self._line(client, gpsd_json.tpv(dialect, reading), now_s)
            self._line(client, gpsd_json.sky(dialect, reading), now_s)
            if reading.sigma_east_m is not None:
                self._line(client, gpsd_json.gst(dialect, reading), now_s)

    def _line(self, client: _Client, text: str, now_s: float) -> None:
        """Queue a line, whole or, while the fault lasts, as a broken daemon sends it."""
        data = text.encode("ascii") + b"\r\n"
        self.counters.lines += 1
        if self._fault("half_lines") is None:
            client.put(now_s, data)
            return
        middle = int(self._random.integers(1, len(data) - 2))
        kind = int(self._random.integers(4))
        if kind == 0:  # Whole, but in two pieces: a reader must put them together.
            self.counters.lines_split += 1
            client.put(now_s, data[:middle])
            client.put(now_s + _PIECE_PAUSE_S, data[middle:])
        elif kind == 1:  # The rest never comes.
            self.counters.lines_cut += 1
            client.put(now_s, data[:middle] + b"\r\n")
        elif kind == 2:  # Nor does the end of the line: the next one is glued to it.
            self.counters.lines_cut += 1
            client.put(now_s, data[:middle])
        else:
            self.counters.lines_with_garbage += 1
            client.put(now_s, _GARBAGE + data)

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
        client = _Client(socket=connection, talk=Talk(self))
        self._clients[connection] = client
        self._selector.register(connection, selectors.EVENT_READ)
        self.counters.clients += 1
        client.put(-math.inf, gpsd_json.version(self.dialect).encode("ascii") + b"\r\n")

    def _read(self, client: _Client, now_s: float) -> None:
        try:
            data = client.socket.recv(4096)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._drop(client)
            return
        for line in client.talk.receive(data):
            client.put(now_s, line.encode("ascii") + b"\r\n")

    def _flush(self, now_s: float) -> None:
        for client in tuple(self._clients.values()):
            try:
                while client.waiting and client.waiting[0][0] <= now_s:
                    due_s, data = client.waiting.popleft()
                    sent = client.socket.send(data)
                    client.behind -= sent
                    if sent < len(data):
                        client.waiting.appendleft((due_s, data[sent:]))
                        break
            except BlockingIOError:
                client.waiting.appendleft((due_s, data))
            except ConnectionError:
                self._drop(client)
                continue
            if client.behind > _LONGEST_BEHIND:
                self.counters.too_slow += 1
                self._drop(client)

    def _drop(self, client: _Client) -> None:
        self._selector.unregister(client.socket)
        del self._clients[client.socket]
        client.socket.close()

    def _die(self) -> None:
        """Go as a killed daemon goes: connections end, the port refuses, what was known is lost."""
        self.counters.deaths += 1
        self._let_go()
        self._device = gpsd_json.Device(cycle_s=self._period_s)
        self._newest = None
        self._told_s = -math.inf

    def _let_go(self) -> None:
        for client in tuple(self._clients.values()):
            self._drop(client)
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _fault(self, kind: str) -> GpsdFaultSettings | None:
        t_s = self._scene_time_s()
        return next((f for f in self._faults if f.kind == kind and f.holds(t_s)), None)
