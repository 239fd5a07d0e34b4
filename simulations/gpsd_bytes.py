"""A gpsd on a simulated clock, joined by its bytes: what a driver's TCP connection would carry."""

from collections.abc import Callable

from runtime.clock import Clock
from simulations.gpsd_daemon import Client, GpsdDaemon


class GpsdBytes:
    """Makes connections to one daemon; see `hardware.position_gpsd.Connect`.

    Args:
        daemon: whom they lead to.
        clock: the simulation's; a reader that finds nothing comes back at once.
    """

    def __init__(self, daemon: GpsdDaemon, clock: Clock) -> None:
        self._daemon = daemon
        self._clock = clock

    def __call__(self) -> "GpsdStream":
        """Begin a connection.

        Raises:
            ConnectionRefusedError: the daemon is dead now.
        """
        if self._daemon.dead:
            raise ConnectionRefusedError(111, "Connection refused")
        return GpsdStream(self._daemon, self._daemon.greet(), self._clock.monotonic_s)


class GpsdStream:
    """One connection; see `hardware.position_gpsd.ByteStream`.

    Args:
        daemon: the other end.
        client: who we are there.
        now_s: simulated time.
    """

    def __init__(self, daemon: GpsdDaemon, client: Client, now_s: Callable[[], float]) -> None:
        self._daemon = daemon
        self._client = client
        self._now_s = now_s
        self._ended = False

    def send(self, data: bytes) -> None:
        """Ask something.

        Raises:
            ConnectionResetError: the daemon has died.
        """
        if self._gone():
            raise ConnectionResetError(104, "Connection reset by peer")
        self._daemon.hear(self._client, data, self._now_s())

    def receive(self, timeout_s: float) -> bytes | None:  # noqa: ARG002  # time stands still meanwhile
        """Return what has come by now; None if nothing did, b"" once the daemon has died."""
        if self._gone():
            return b""
        now_s = self._now_s()
        self._daemon.tell((self._client,), now_s)
        found = bytearray()
        while self._client.waiting and self._client.waiting[0][0] <= now_s:
            data = self._client.waiting.popleft()[1]
            self._client.behind -= len(data)
            found += data
        return bytes(found) or None

    def close(self) -> None:
        """Nothing is held."""
        self._ended = True

    def _gone(self) -> bool:
        if not self._ended and self._daemon.dead:
            self._ended = True
            self._daemon.forget()
        return self._ended
