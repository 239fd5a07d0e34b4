"""The bytes to and from a gpsd: what a driver needs of a connection, and a TCP socket that gives it.

Nothing here waits longer than it is told, connecting included, whatever the peer does.
"""

import errno
import select
import socket
from collections.abc import Callable
from typing import Protocol

_MOST_BYTES = 65_536


class ByteStream(Protocol):
    """A connection that is open or still being made."""

    def send(self, data: bytes) -> None:
        """Hand bytes over; they leave when they can.

        Raises:
            OSError: the connection is gone, or could not be made.
        """
        ...

    def receive(self, timeout_s: float) -> bytes | None:
        """Return what came, waiting for at most so long; None if nothing did, b"" at the end.

        Raises:
            OSError: the connection is gone, or could not be made.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


Connect = Callable[[], ByteStream]
"""Begins a connection and returns at once; raises OSError where that is known at once."""


class TcpStream:
    """See `ByteStream`.

    Args:
        address: of the peer, in figures: a name server that is silent would hold the caller.
        port: of the peer.

    Raises:
        OSError: refused at once.
    """

    def __init__(self, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(0.0)
        self._connecting = True
        self._outgoing = bytearray()
        found = self._socket.connect_ex((address, port))
        if found not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._socket.close()
            raise OSError(found, "connect failed")

    def send(self, data: bytes) -> None:
        """See `ByteStream`."""
        self._outgoing += data
        self._flush(0.0)

    def receive(self, timeout_s: float) -> bytes | None:
        """See `ByteStream`."""
        if self._connecting:
            if not self._flush(timeout_s):
                return None
            timeout_s = 0.0
        else:
            self._flush(0.0)
        if not self._ready(select.POLLIN, timeout_s):
            return None
        try:
            return self._socket.recv(_MOST_BYTES)
        except BlockingIOError:
            return None

    def close(self) -> None:
        """See `ByteStream`."""
        self._socket.close()

    def _ready(self, event: int, timeout_s: float) -> bool:
        poll = select.poll()  # select() knows no file numbers above 1023.
        poll.register(self._socket, event)
        return bool(poll.poll(max(0.0, timeout_s) * 1000.0))

    def _flush(self, timeout_s: float) -> bool:
        """Finish connecting and send what waits; whether the connection stands."""
        if self._connecting:
            if not self._ready(select.POLLOUT, timeout_s):
                return False
            found = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if found:
                raise OSError(found, "connect failed")
            self._connecting = False
        if self._outgoing:
            try:
                sent = self._socket.send(self._outgoing)
            except BlockingIOError:
                return True
            del self._outgoing[:sent]
        return True


def tcp(host: str, port: int) -> Connect:
    """Return what connects to an address in figures, or to `localhost`."""
    address = "127.0.0.1" if host == "localhost" else host
    return lambda: TcpStream(address, port)
