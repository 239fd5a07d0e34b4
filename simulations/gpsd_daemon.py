"""A gpsd without a network: at every epoch of the receiver it tells each client that watches.

What it says to whom waits at the client with the moment at which it leaves; `simulations.gpsd_server`
carries it over TCP, `simulations.gpsd_bytes` hands it over on a simulated clock.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import numpy as np

from runtime.clock import Clock
from simulations import gpsd_json
from simulations.gpsd_nmea import sentences
from simulations.gpsd_protocol import Talk
from simulations.gpsd_receiver import Reading, Receiver
from simulations.scenario_node import GpsdFaultSettings

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
class Client:
    """Who is told, and what is on its way."""

    talk: Talk
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    behind: int = 0

    def put(self, due_s: float, data: bytes) -> None:
        """Queue bytes; never before those queued earlier."""
        if self.waiting:
            due_s = max(due_s, self.waiting[-1][0])
        self.waiting.append((due_s, data))
        self.behind += len(data)


class GpsdDaemon:
    """One receiver and what is told of it.

    Args:
        receiver: what it reads.
        clock: UTC of the epochs, and when to send.
        scene_time_s: returns the scenario's time now.
        faults: of the daemon: `slow`, `half_lines`, `death`; others are the receiver's.
        rate_hz: epochs a second, at whole multiples in UTC.
        latency_s: from the epoch to its report, as receivers take.
        dialect: which gpsd speaks.
        has_pps: the receiver has a pulse, told at each full second to those who asked.
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
        dialect: gpsd_json.Dialect | None = None,
        has_pps: bool = False,
    ) -> None:
        self.dialect = dialect or gpsd_json.Dialect()
        self.counters = ServerCounters()
        self._receiver = receiver
        self._clock = clock
        self._scene_time_s = scene_time_s
        self._faults = tuple(faults)
        self._period_s = 1.0 / rate_hz
        self._latency_s = latency_s
        self._has_pps = has_pps
        self._random = np.random.default_rng((receiver.settings.seed, 5))
        self._device = gpsd_json.Device(cycle_s=self._period_s)
        self._newest: Reading | None = None
        self._epoch = self._last_epoch()
        self._told_s = -math.inf

    @property
    def dead(self) -> bool:
        """Whether the daemon is gone now."""
        return self._fault("death") is not None

    def greet(self) -> Client:
        """Take a new client; the first it hears is the version."""
        client = Client(talk=Talk(self))
        self.counters.clients += 1
        client.put(-math.inf, gpsd_json.version(self.dialect).encode("ascii") + b"\r\n")
        return client

    def hear(self, client: Client, data: bytes, now_s: float) -> None:
        """Answer what a client asks."""
        for line in client.talk.receive(data):
            client.put(now_s, line.encode("ascii") + b"\r\n")

    def tell(self, clients: Iterable[Client], now_s: float) -> None:
        """Tell who watches of the epoch that is due, if one is."""
        epoch = self._last_epoch()
        if epoch > self._epoch:
            self._epoch = epoch
            self._report(epoch, now_s, tuple(clients))

    def forget(self) -> None:
        """Die as a killed daemon dies: what was known is lost."""
        self.counters.deaths += 1
        self._device = gpsd_json.Device(cycle_s=self._period_s)
        self._newest = None
        self._told_s = -math.inf

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

    def _report(self, epoch: int, now_s: float, clients: Sequence[Client]) -> None:
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
        for client in clients:
            if client.talk.watch.enable:
                self._tell(client, reading, now_utc, now_s, first=first)

    def _tell(
        self, client: Client, reading: Reading, now_utc: datetime, now_s: float, *, first: bool
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

    def _line(self, client: Client, text: str, now_s: float) -> None:
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

    def _fault(self, kind: str) -> GpsdFaultSettings | None:
        t_s = self._scene_time_s()
        return next((f for f in self._faults if f.kind == kind and f.holds(t_s)), None)
