"""What carries the bytes: UDP both ways, TCP, serial. Every wait ends; a lost line is an OSError."""

import os
import select
import socket
import termios
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from runtime.clock import Clock
from runtime.errors import AskOperator

_READ_BYTES = 65536
_CONNECT_S = 2.0
_MOST_PEERS = 16
_PEER_S = 60.0
_MOST_DATAGRAMS = 256
"""Of one reading: a flood does not keep the reader from its other duties."""


class Chunk(NamedTuple):
    """Bytes that came.

    Attributes:
        t_s: node time of arrival.
        data: any part of the stream.
    """

    t_s: float
    data: bytes


class ByteLink(Protocol):
    """An open line to one or several vehicles."""

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        """What came, after waiting for at most so long; empty when nothing did.

        Raises:
            OSError: the line is lost.
            EOFError: a recorded log is over.
        """
        ...

    def write(self, data: bytes) -> None:
        """Send a frame to everybody on the line.

        Raises:
            OSError: the line is lost.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


Connect = Callable[[], ByteLink]
"""Opens a line; raises OSError when that cannot be done now."""


class UdpLink:
    """Datagrams: bound to an address and answering whoever speaks, or speaking first to one.

    Args:
        clock: stamps arrivals.
        listen: own address, for vehicles that speak first.
        to: a vehicle's address that is spoken to.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        listen: tuple[str, int] | None = None,
        to: tuple[str, int] | None = None,
    ) -> None:
        self._clock = clock
        self._to = to
        self._peers: dict[tuple[str, int], float] = {}
        family = socket.AF_INET6 if ":" in (listen or to or ("", 0))[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            if listen is not None:
                self._socket.bind(listen)
            elif to is not None:
                self._socket.connect(to)
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)  # noqa: FBT003  # the library has no keyword

    @property
    def port(self) -> int:
        """Own port."""
        return int(self._socket.getsockname()[1])

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        """Every datagram that is there."""
        _wait(self._socket, timeout_s)
        found: list[Chunk] = []
        while len(found) < _MOST_DATAGRAMS:
            try:
                data, sender = self._socket.recvfrom(_READ_BYTES)
            except BlockingIOError:
                break
            except ConnectionRefusedError:
                # An earlier datagram of ours met a closed port: the vehicle is not up yet.
                break
            now_s = self._clock.monotonic_s()
            self._know((sender[0], sender[1]), now_s)
            found.append(Chunk(now_s, data))
        return found

    def write(self, data: bytes) -> None:
        """Send to the vehicle, or to all that spoke within a minute; a full buffer loses it."""
        try:
            if self._to is not None:
                self._socket.send(data)
                return
            now_s = self._clock.monotonic_s()
            for peer, heard_s in self._peers.items():
                if now_s - heard_s <= _PEER_S:
                    self._socket.sendto(data, peer)
        except (BlockingIOError, ConnectionRefusedError):
            return

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _know(self, peer: tuple[str, int], now_s: float) -> None:
        if peer not in self._peers and len(self._peers) >= _MOST_PEERS:
            oldest = min(self._peers, key=lambda key: self._peers[key])
            del self._peers[oldest]
        self._peers[peer] = now_s


class TcpLink:
    """A connection to a vehicle, or to a router that speaks for several.

    Args:
        host: of the other side.
        port: of the other side.
        clock: stamps arrivals.
    """

    def __init__(self, host: str, port: int, clock: Clock) -> None:
        self._clock = clock
        self._socket = socket.create_connection((host, port), timeout=_CONNECT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket.setblocking(False)  # noqa: FBT003  # the library has no keyword

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        """What the socket holds."""
        _wait(self._socket, timeout_s)
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return ()
        if not data:
            raise ConnectionResetError("the other side closed the connection")
        return (Chunk(self._clock.monotonic_s(), data),)

    def write(self, data: bytes) -> None:
        """Send a frame whole; a line that takes nothing any more is lost."""
        sent = self._socket.send(data)
        if sent != len(data):
            raise ConnectionResetError("the other side does not read")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class SerialLink:
    """A serial line, raw, eight bits, no parity, no flow control.

    Args:
        path: of the device.
        baud: a standard speed.
        clock: stamps arrivals.
    """

    def __init__(self, path: str, baud: int, clock: Clock) -> None:
        self._clock = clock
        speed = serial_speed(baud)
        self._file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            _make_raw(self._file, speed)
        except (OSError, termios.error) as error:
            os.close(self._file)
            raise OSError(f"{path} is no serial line: {error}") from error

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        """What the line holds."""
        if not _wait(self._file, timeout_s):
            return ()
        try:
            data = os.read(self._file, _READ_BYTES)
        except BlockingIOError:
            return ()
        if not data:
            raise ConnectionResetError("the device is gone")
        return (Chunk(self._clock.monotonic_s(), data),)

    def write(self, data: bytes) -> None:
        """Send a frame; a full buffer loses what does not fit, as a radio would."""
        try:
            os.write(self._file, data)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Close the device."""
        os.close(self._file)


def serial_speed(baud: int) -> int:
    """The system's name of a speed.

    Raises:
        AskOperator: no such speed here.
    """
    speed = getattr(termios, f"B{baud}", None)
    if not isinstance(speed, int):
        raise AskOperator(
            field="autopilot.baud",
            value=baud,
            allowed="a standard speed such as 57600, 115200 or 921600",
            next_step="take the speed that the autopilot's port is set to",
        )
    return speed


def _make_raw(file: int, speed: int) -> None:
    _, _, _, _, _, _, control_characters = termios.tcgetattr(file)
    control_characters[termios.VMIN], control_characters[termios.VTIME] = 0, 0
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL
    termios.tcsetattr(file, termios.TCSANOW, [0, 0, flags, 0, speed, speed, control_characters])
    termios.tcflush(file, termios.TCIOFLUSH)


def _wait(waited_for: "socket.socket | int", timeout_s: float) -> bool:
    """Whether there is something to read, after at most so long."""
    # Unlike select(), poll() has no highest file number.
    waiting = select.poll()
    waiting.register(waited_for, select.POLLIN)
    return bool(waiting.poll(max(0.0, timeout_s) * 1000.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A link's URL, read.

    Attributes:
        kind: `udpin`, `udpout`, `tcp` or `serial`.
        host: of the network kinds.
        port: of the network kinds.
        path: of a device.
    """

    kind: str
    host: str = ""
    port: int = 0
    path: str = ""


_NETWORK = frozenset({"udpin", "udpout", "tcp"})


def address_of(url: str) -> Address:
    """Read a URL such as `udpin://0.0.0.0:14550` or `serial:///dev/ttyACM0`.

    Raises:
        AskOperator: it is none of ours.
    """
    wrong = AskOperator(
        field="autopilot.url",
        value=url,
        allowed="udpin://HOST:PORT, udpout://HOST:PORT, tcp://HOST:PORT or serial:///dev/ttyACM0",
        next_step="correct it in the config",
    )
    kind, _, rest = url.partition("://")
    if kind == "serial" and rest:
        return Address(kind=kind, path=rest)
    if kind not in _NETWORK:
        raise wrong
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if not host or not port:
        raise wrong
    return Address(kind=kind, host=host, port=port)


def connector(address: Address, *, baud: int, clock: Clock) -> Connect:
    """What opens the line of an address.

    Args:
        address: of a live link.
        baud: of a serial line.
        clock: stamps arrivals.

    Raises:
        AskOperator: the speed is none.
    """
    place = (address.host, address.port)
    if address.kind == "udpin":
        return lambda: UdpLink(clock, listen=place)
    if address.kind == "udpout":
        return lambda: UdpLink(clock, to=place)
    if address.kind == "tcp":
        return lambda: TcpLink(*place, clock)
    serial_speed(baud)
    return lambda: SerialLink(address.path, baud, clock)
