"""A drone's live transport stream: the pictures go on to the decoder, the metadata is read here.

Two readers cannot share a port that one sender talks to. So the port is ours, every datagram is
handed on to a port of the loopback where OpenCV listens, and the metadata is taken on the way.
"""

import ipaddress
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from hardware.capture_time import StreamTime
from hardware.klv_st0601 import KlvMetadata
from hardware.klv_stream import KlvReader
from hardware.mpeg_ts import MetadataUnit, TsReader
from runtime.clock import Clock
from runtime.errors import AskOperator, RetryLater

_LOOPBACK = "127.0.0.1"
_DATAGRAM_BYTES = 65_535
_BUFFER_BYTES = 4 << 20
_RETRY_S = 5.0
_MOST_DATAGRAMS = 512
"""Of one read: a flood does not keep its caller."""
_ADDRESS = re.compile(r"udp://@?(?P<host>[^:/?@]*):(?P<port>\d{1,5})(?:[/?].*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveKlv:
    """A packet with the moment it speaks of.

    Attributes:
        t_monotonic_s: on the node's clock, freed from the jitter of the way.
        metadata: what it said.
    """

    t_monotonic_s: float
    metadata: KlvMetadata


class UdpTee:
    """Receives one stream. `read` is one worker's; the rest may be asked from any thread.

    Args:
        source: `udp://@:PORT`, `udp://ADDRESS:PORT` of this machine, or `udp://@GROUP:PORT`.
        clock: for the moments of arrival.
        decoder_port: of the loopback, where the decoder will listen; 0 takes a free one.

    Raises:
        AskOperator: the address is none.
    """

    def __init__(self, source: str, clock: Clock, *, decoder_port: int = 0) -> None:
        self._host, self._port = _parsed(source)
        self._clock = clock
        self._decoder = (_LOOPBACK, decoder_port or _free_port())
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._stream, self._packets = TsReader(), KlvReader()
        self._time = StreamTime()
        self._counters: Counter[str] = Counter()

    @property
    def decoder_source(self) -> str:
        """What the decoder is told to open."""
        return f"udp://{self._decoder[0]}:{self._decoder[1]}"

    @property
    def counters(self) -> Mapping[str, int]:
        """Datagrams received and not handed on, packets believed, refusals by reason."""
        return {**self._packets.counters, **self._counters}

    @property
    def refused(self) -> int:
        """Packets that were not believed."""
        return self._packets.refused

    def read(self, timeout_s: float) -> list[LiveKlv]:
        """Hand on what came and return the packets in it, after waiting for at most so long.

        Raises:
            RetryLater: the port is taken by somebody else, or the network is gone.
        """
        found: list[LiveKlv] = []
        wait_s = timeout_s
        for _ in range(_MOST_DATAGRAMS):
            data = self._receive(wait_s)
            if data is None:
                break
            wait_s = 0.0  # What has come already is taken; nothing is waited for twice.
            found.extend(self._take(data))
        return found

    def close(self) -> None:
        """Let go of the port; a read in progress comes back when its time is over."""
        with self._lock:
            self._closed = True
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _receive(self, wait_s: float) -> bytes | None:
        receiver = self._opened()
        if receiver is None:
            return None
        try:
            # A time-out of zero would mean "non-blocking", with another exception: one microsecond.
            receiver.settimeout(max(wait_s, 1e-6))
            data = receiver.recv(_DATAGRAM_BYTES)
        except TimeoutError:
            return None
        except OSError as error:
            if self._closed:
                return None
            self._counters["receive_failed"] += 1
            self._reopen()
            # What fails at once fails again at once: nobody turns in circles meanwhile.
            raise RetryLater(
                f"UDP port {self._port} of {self._host} cannot be read ({error.strerror})",
                retry_after_s=_RETRY_S,
            ) from None
        self._counters["datagrams"] += 1
        try:
            receiver.sendto(data, self._decoder)
        except OSError:
            self._counters["not_handed_on"] += 1
        return data

    def _take(self, data: bytes) -> list[LiveKlv]:
        now_s = self._clock.monotonic_s()
        found = []
        for unit in self._stream.feed(data):
            if not isinstance(unit, MetadataUnit):
                continue
            for metadata in self._packets.feed(unit.data):
                t_s = self._time.capture_s(now_s, metadata.time_s)
                found.append(LiveKlv(t_monotonic_s=t_s, metadata=metadata))
        return found

    def _opened(self) -> socket.socket | None:
        with self._lock:
            if self._socket is None and not self._closed:
                self._socket = _bound(self._host, self._port)
            return self._socket

    def _reopen(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None


def _parsed(source: str) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(source)
    if match is not None and 0 < int(match["port"]) < 65_536:
        host = match["host"] or "0.0.0.0"  # noqa: S104  # the operator's word: any address of ours
        try:
            return str(ipaddress.IPv4Address(host)), int(match["port"])
        except ValueError:
            pass
    raise AskOperator(
        field="camera source",
        value=source,
        allowed="udp://@:PORT, udp://ADDRESS:PORT or udp://@GROUP:PORT, addresses in figures",
        next_step="correct the address",
    )


def _bound(host: str, port: int) -> socket.socket:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        if ipaddress.IPv4Address(host).is_multicast:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            receiver.bind((host, port))
            group = struct.pack("=4sI", socket.inet_aton(host), socket.INADDR_ANY)
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        else:
            receiver.bind((host, port))
    except OSError as error:
        receiver.close()
        raise RetryLater(
            f"UDP port {port} of {host} cannot be opened ({error.strerror})", retry_after_s=_RETRY_S
        ) from None
    return receiver


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])
