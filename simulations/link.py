"""A bad cable: a TCP proxy that cuts, delays and throttles on demand.

For tests and rehearsals: put it between a node and its broker and change the weather while both run.
"""

import asyncio
import contextlib
from dataclasses import dataclass

_CHUNK = 4096
_UNDER_WAY = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the cable does now.

    Attributes:
        up: False refuses new connections and has cut the old ones.
        delay_s: added in each direction.
        bytes_per_s: in each direction of each connection; None for no limit.
        half_open: swallow everything and close nothing, as a dead radio link does.
    """

    up: bool = True
    delay_s: float = 0.0
    bytes_per_s: float | None = None
    half_open: bool = False


@dataclass(slots=True)
class Counters:
    """What the cable carried."""

    connections: int = 0
    refused: int = 0
    cuts: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    bytes_swallowed: int = 0


class Link:
    """A proxy on loopback to one target.

    At most 1 MB is under way in each direction; beyond that the senders' own windows fill.

    Args:
        target_host: where to connect on.
        target_port: and its port.
        port: to listen on; 0 takes a free one, known after `start`.
    """

    def __init__(self, *, target_host: str, target_port: int, port: int = 0) -> None:
        self._target = (target_host, target_port)
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.weather = Weather()
        self.counters = Counters()

    @property
    def port(self) -> int:
        """The port in use."""
        return self._port

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Cut everything and stop listening."""
        if self._server is not None:
            self._server.close()
        self._cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def change(self, weather: Weather) -> None:
        """Change what the cable does, at once; a cable that goes down cuts what runs over it."""
        was_up, self.weather = self.weather.up, weather
        if was_up and not weather.up:
            self._cut()

    def _cut(self) -> None:
        for writer in tuple(self._open):
            self.counters.cuts += 1
            writer.transport.abort()
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.weather.up:
            self.counters.refused += 1
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            self.counters.refused += 1
            writer.transport.abort()
            return
        self.counters.connections += 1
        self._open |= {writer, far_writer}
        pair = (
            asyncio.create_task(self._carry(reader, far_writer, upwards=True)),
            asyncio.create_task(self._carry(far_reader, writer, upwards=False)),
        )
        self._tasks |= set(pair)
        try:
            await asyncio.wait(pair)
        finally:
            self._tasks -= set(pair)
            for end in (writer, far_writer):
                self._open.discard(end)
                end.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upwards: bool
    ) -> None:
        """Read at one end and, after the delay, send at the other."""
        loop = asyncio.get_running_loop()
        # What is under way in a slow cable; a full one stops reading, so the sender's window fills.
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=_UNDER_WAY)
        sender = asyncio.create_task(self._send(under_way, writer, upwards=upwards))
        try:
            while chunk := await reader.read(_CHUNK):
                if self.weather.half_open:
                    self.counters.bytes_swallowed += len(chunk)
                else:
                    await under_way.put((loop.time() + self.weather.delay_s, chunk))
            await under_way.put((loop.time() + self.weather.delay_s, b""))
            await sender
        except ConnectionError:
            sender.cancel()
        finally:
            if not sender.done():
                sender.cancel()

    async def _send(
        self,
        under_way: "asyncio.Queue[tuple[float, bytes]]",
        writer: asyncio.StreamWriter,
        *,
        upwards: bool,
    ) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while True:
                due_s, chunk = await under_way.get()
                if not chunk:
                    if writer.can_write_eof():
                        writer.write_eof()
                    return
                wait_s = max(0.0, due_s - loop.time())
                if self.weather.bytes_per_s is not None:
                    wait_s = max(wait_s, len(chunk) / self.weather.bytes_per_s)
                if wait_s > 0.0:
                    await asyncio.sleep(wait_s)
                writer.write(chunk)
                await writer.drain()
                if upwards:
                    self.counters.bytes_up += len(chunk)
                else:
                    self.counters.bytes_down += len(chunk)
