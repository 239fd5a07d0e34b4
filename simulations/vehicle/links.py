"""The vehicle's sockets: TCP ports with one client each, and UDP in both directions."""

import contextlib
import socket
from collections.abc import Iterable
from typing import Protocol

from runtime.errors import AskOperator

_READ_BYTES = 65536
_WAITING_BYTES = 1 << 20
"""A client that does not read loses its connection beyond this; a flight does not wait for it."""
_BACKLOG = 4


class LinkSocket(Protocol):
    """One link of the vehicle on a real wire."""

    number: int

    @property
    def connected(self) -> bool:
        """Whether somebody is at the other end."""
        ...

    def readers(self) -> Iterable[socket.socket]:
        """Sockets whose readability is worth waking up for."""
        ...

    def read(self) -> bytes:
        """Bytes that have come; accepts a client that waits."""
        ...

    def write(self, data: bytes) -> None:
        """Send, or keep what the socket does not take yet."""
        ...

    def drop(self) -> None:
        """Let the client go."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...


class TcpPort:
    """A listening port for one client: a second one may connect, and gets no byte until then.

    Args:
        number: of the link.
        host: address to listen on.
        port: and port.
    """

    def __init__(self, number: int, host: str, port: int) -> None:
        self.number = number
        self._waiting = bytearray()
        self._client: socket.socket | None = None
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind((host, port))
        except OSError as error:
            self._listener.close()
            raise AskOperator(
                field="tcp", value=f"{host}:{port}", allowed="an address and port that are free",
                next_step=f"{error.strerror}; stop what listens there or give another --tcp",
            ) from None  # fmt: skip
        self._listener.listen(_BACKLOG)
        self._listener.setblocking(False)  # noqa: FBT003  # the library has no keyword

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._listener.getsockname()[1])

    @property
    def connected(self) -> bool:
        """Whether a client is attached."""
        return self._client is not None

    def readers(self) -> Iterable[socket.socket]:
        """The client, or the listener while there is none."""
        return (self._client or self._listener,)

    def read(self) -> bytes:
        """Bytes of the client; takes a waiting client when there is none."""
        if self._client is None:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                client, _ = self._listener.accept()
                client.setblocking(False)  # noqa: FBT003  # the library has no keyword
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._client = client
                self._waiting.clear()
            return b""
        try:
            data = self._client.recv(_READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.drop()
        return data

    def write(self, data: bytes) -> None:
        """Send what the socket takes."""
        if self._client is None:
            return
        self._waiting += data
        try:
            sent = self._client.send(self._waiting)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.drop()
            return
        del self._waiting[:sent]
        if len(self._waiting) > _WAITING_BYTES:
            self.drop()

    def drop(self) -> None:
        """Close the connection; the port stays."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self._waiting.clear()

    def close(self) -> None:
        """Close connection and port."""
        self.drop()
        self._listener.close()


class UdpPort:
    """A UDP link, to a given client or to whoever spoke last.

    Args:
        number: of the link.
        to: the client's address; None listens and answers.
        listen: own address; port 0 takes a free one.
    """

    def __init__(
        self, number: int, *, to: tuple[str, int] | None = None,
        listen: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:  # fmt: skip
        self.number = number
        self._fixed = to is not None
        self._to = to
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(listen)
        except OSError as error:
            self._socket.close()
            raise AskOperator(
                field="udp", value=f"{listen[0]}:{listen[1]}", allowed="a free address and port",
                next_step=f"{error.strerror}; give another --udp-listen",
            ) from None  # fmt: skip
        self._socket.setblocking(False)  # noqa: FBT003  # the library has no keyword

    @property
    def port(self) -> int:
        """Own port."""
        return int(self._socket.getsockname()[1])

    @property
    def connected(self) -> bool:
        """Whether there is an address to send to."""
        return self._to is not None

    def readers(self) -> Iterable[socket.socket]:
        """The socket."""
        return (self._socket,)

    def read(self) -> bytes:
        """Everything that has come; the last sender is answered from now on."""
        found = bytearray()
        while True:
            try:
                data, sender = self._socket.recvfrom(_READ_BYTES)
            except BlockingIOError:
                return bytes(found)
            except OSError:  # An earlier datagram met a closed port: nobody listens there now.
                continue
            found += data
            if not self._fixed or data:
                self._to = sender

    def write(self, data: bytes) -> None:
        """Send a frame as a datagram; a full buffer loses it, as UDP does."""
        if self._to is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(data, self._to)

    def drop(self) -> None:
        """Forget a client that came by itself."""
        if not self._fixed:
            self._to = None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
