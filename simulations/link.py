"""A bad cable: a TCP proxy that cuts, delays, throttles, goes dead half-open, and says things twice.

For tests and rehearsals: put it between a node and its broker and change the weather while both run.
"""

import asyncio
import contextlib
import socket
from collections import deque
from dataclasses import dataclass

from simulations.link_mqtt import Doubler

_CHUNK = 16 * 1024
_SLOW_CHUNK = 1460
_FAST_UNDER_WAY = 1024 * 1024
_SLOW_UNDER_WAY_S = 2.0
_LEAST_UNDER_WAY = 4 * _SLOW_CHUNK
_SOCKET_BUFFER = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the cable does now.

    Attributes:
        up: False refuses new connections and has cut the old ones.
        delay_s: added in each direction.
        bytes_per_s: in each direction, shared by all connections; None for no limit.
        half_open: swallow everything, ends of connections too, and close nothing, as a dead radio
            link does. New connections are accepted and lead nowhere. When it is over, those that
            lost something are cut: their ends no longer agree.
        duplicate: every MQTT PUBLISH goes twice, the second time marked as a repetition, as a
            sender does that missed the acknowledgement. Streams that are not MQTT pass unchanged.
    """

    up: bool = True
    delay_s: float = 0.0
    bytes_per_s: float | None = None
    half_open: bool = False
    duplicate: bool = False


@dataclass(slots=True)
class Counters:
    """What the cable carried."""

    connections: int = 0
    refused: int = 0
    cuts: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    bytes_swallowed: int = 0
    packets_doubled: int = 0


class _Lane:
    """One direction of the cable: a rate that all connections share."""

    def __init__(self) -> None:
        self._free_s = 0.0

    def carry_s(self, now_s: float, size: int, bytes_per_s: float | None) -> float:
        """Take the lane for some bytes; returns seconds until the last of them is through."""
        if bytes_per_s is None:
            self._free_s = now_s
            return 0.0
        self._free_s = max(self._free_s, now_s) + size / bytes_per_s
        return self._free_s - now_s


class _UnderWay:
    """Chunks with the time at which they are due, bounded in bytes: a full one stops its reader."""

    def __init__(self) -> None:
        self._chunks: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._closed = False
        self._changed = asyncio.Condition()

    async def put(self, due_s: float, chunk: bytes, *, most: int) -> None:
        """Add a chunk; waits while more than `most` bytes are under way. Empty means the end."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._closed or self._size == 0 or self._size + len(chunk) <= most
            )
            self._chunks.append((due_s, chunk))
            self._size += len(chunk)
            self._changed.notify_all()

    async def first(self) -> tuple[float, bytes]:
        """Return the oldest chunk, which stays until `done`."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._chunks))
            return self._chunks[0]

    async def done(self) -> None:
        """Let the oldest go."""
        async with self._changed:
            _, chunk = self._chunks.popleft()
            self._size -= len(chunk)
            self._changed.notify_all()

    async def close(self) -> None:
        """Nobody takes any more: whoever waits to put goes on, and finds its socket gone."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()


class _Connection:
    """One connection through the cable: two sockets, or one when it leads nowhere."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writers = [writer]
        self.lost_something = False
        self.gone = asyncio.Event()

    def abort(self) -> None:
        """Reset both ends."""
        self.gone.set()
        for writer in self.writers:
            writer.transport.abort()


class Link:
    """A proxy on loopback to one target.

    At most 1 MB is under way in each direction of a connection, on a thin cable what it carries in
    two seconds; beyond that the senders' own windows fill.

    Args:
        target_host: where to connect on.
        target_port: and its port.
        port: to listen on; 0 takes a free one, known after `start`.
    """

    def __init__(self, *, target_host: str, target_port: int, port: int = 0) -> None:
        self._target = (target_host, target_port)
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes = {True: _Lane(), False: _Lane()}
        self.weather = Weather()
        self.counters = Counters()

    @property
    def port(self) -> int:
        """The port in use."""
        return self._port

    async def start(self) -> None:
        """Begin to listen."""
        door = _small_socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", self._port))
        self._server = await asyncio.start_server(self._serve, sock=door, limit=_CHUNK)
        self._port = int(door.getsockname()[1])

    async def stop(self) -> None:
        """Cut everything and stop listening."""
        if self._server is not None:
            self._server.close()
        self._cut(self._open)
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def change(self, weather: Weather) -> None:
        """Change what the cable does, at once; a cable that goes down cuts what runs over it."""
        was, self.weather = self.weather, weather
        if was.up and not weather.up:
            self._cut(self._open)
        elif was.half_open and not weather.half_open:
            self._cut({one for one in self._open if one.lost_something})

    def _cut(self, connections: set[_Connection]) -> None:
        for connection in tuple(connections):
            self.counters.cuts += 1
            connection.abort()
            self._open.discard(connection)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = asyncio.current_task()
        assert own is not None
        self._tasks.add(own)
        connection = _Connection(writer)
        self._open.add(connection)
        try:
            if not self.weather.up:
                self.counters.refused += 1
                connection.abort()
            elif self.weather.half_open:
                self.counters.connections += 1
                await self._swallow(reader, connection)
            else:
                await self._join(reader, writer, connection)
        finally:
            self._tasks.discard(own)
            self._open.discard(connection)
            for end in connection.writers:
                end.close()

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        far = _small_socket()
        try:
            await asyncio.get_running_loop().sock_connect(far, self._target)
        except OSError:
            far.close()
            self.counters.refused += 1
            connection.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(sock=far, limit=_CHUNK)
        self.counters.connections += 1
        connection.writers.append(far_writer)
        pair = (
            asyncio.create_task(self._carry(reader, far_writer, connection, upwards=True)),
            asyncio.create_task(self._carry(far_reader, writer, connection, upwards=False)),
        )
        try:
            await asyncio.wait(pair)
        finally:
            for task in pair:
                task.cancel()

    async def _swallow(self, reader: asyncio.StreamReader, connection: _Connection) -> None:
        """Take what comes into nothing, and stay after its end: nobody at the far side hears it."""
        connection.lost_something = True
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(_CHUNK):
                self.counters.bytes_swallowed += len(chunk)
        await connection.gone.wait()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: _Connection,
        *,
        upwards: bool,
    ) -> None:
        """Read at one end and, after the delay, send at the other."""
        loop = asyncio.get_running_loop()
        under_way, doubler = _UnderWay(), Doubler()
        sender = asyncio.create_task(self._send(under_way, writer, connection, upwards=upwards))
        try:
            while chunk := await reader.read(self._chunk()):
                if self.weather.half_open:
                    self._lose(chunk, connection)
                    continue
                before = doubler.doubled
                said = doubler.feed(chunk, double=self.weather.duplicate)
                self.counters.packets_doubled += doubler.doubled - before
                due_s = loop.time() + self.weather.delay_s
                await under_way.put(due_s, said, most=self._most_under_way())
            await under_way.put(loop.time() + self.weather.delay_s, b"", most=_FAST_UNDER_WAY)
            await sender
        except ConnectionError:
            connection.abort()
        finally:
            sender.cancel()

    async def _send(
        self,
        under_way: _UnderWay,
        writer: asyncio.StreamWriter,
        connection: _Connection,
        *,
        upwards: bool,
    ) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                due_s, chunk = await under_way.first()
                if (wait_s := due_s - loop.time()) > 0.0:
                    await asyncio.sleep(wait_s)
                rate = self.weather.bytes_per_s
                wait_s = self._lanes[upwards].carry_s(loop.time(), len(chunk), rate)
                if wait_s > 0.0:
                    await asyncio.sleep(wait_s)
                if self.weather.half_open:
                    self._lose(chunk, connection)
                    if not chunk:  # Nor is the end told: the far side goes on waiting.
                        await connection.gone.wait()
                elif not chunk:
                    if writer.can_write_eof():
                        writer.write_eof()
                else:
                    writer.write(chunk)
                    await writer.drain()
                    self._count(len(chunk), upwards=upwards)
                if not chunk:
                    return
                await under_way.done()
        except ConnectionError:
            connection.abort()
        finally:
            await under_way.close()

    def _lose(self, chunk: bytes, connection: _Connection) -> None:
        self.counters.bytes_swallowed += len(chunk)
        connection.lost_something = True

    def _count(self, size: int, *, upwards: bool) -> None:
        if upwards:
            self.counters.bytes_up += size
        else:
            self.counters.bytes_down += size

    def _chunk(self) -> int:
        return _CHUNK if self.weather.bytes_per_s is None else _SLOW_CHUNK

    def _most_under_way(self) -> int:
        rate = self.weather.bytes_per_s
        if rate is None:
            return _FAST_UNDER_WAY
        return max(_LEAST_UNDER_WAY, int(_SLOW_UNDER_WAY_S * rate))


def _small_socket() -> socket.socket:
    """A socket whose kernel keeps little: else megabytes would wait where no cable has room."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.settimeout(0.0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
    return made
