"""The lines themselves: a serial device, several UDP senders, a TCP side that goes away."""

import contextlib
import os
import socket
import time
import tty

import pytest

from hardware.autopilot_mavlink.links import (
    SerialLink,
    TcpLink,
    UdpLink,
    address_of,
    connector,
    serial_speed,
)
from runtime.clock import SystemClock
from runtime.errors import AskOperator

CLOCK = SystemClock()
PATIENCE_S = 5.0


def read_all(link, wanted):
    """What came until the bytes are together."""
    found, end_s = b"", time.monotonic() + PATIENCE_S
    while len(found) < len(wanted) and time.monotonic() < end_s:
        found += b"".join(chunk.data for chunk in link.read(0.2))
    return found


def repeat(what, times):
    """Do it so often, unless it raises."""
    for _ in range(times):
        what()


@pytest.fixture
def serial():
    """The far end of a pseudo-terminal, and the path of the near one."""
    far, near = os.openpty()
    tty.setraw(far)
    yield far, os.ttyname(near)
    os.close(near)
    with contextlib.suppress(OSError):
        os.close(far)


def test_serial_line_carries_every_byte_raw_both_ways(serial) -> None:
    """No line ends changed, no byte taken for a control character."""
    far, path = serial
    link = SerialLink(path, 115_200, CLOCK)
    every = bytes(range(256)) * 4
    os.write(far, every)
    assert every == read_all(link, every)
    link.write(every[:200])
    assert every[:200] == os.read(far, 4096)
    link.close()


def test_serial_read_ends_in_time_and_a_lost_device_is_an_error(serial) -> None:
    """Silence gives nothing; a pulled plug an OSError."""
    far, path = serial
    link = SerialLink(path, 57_600, CLOCK)
    assert () == link.read(0.05)
    os.close(far)
    with pytest.raises(OSError, match=r"."):
        repeat(lambda: link.read(0.05), 50)
    link.close()


def test_what_is_no_serial_line_is_refused(tmp_path) -> None:
    """A plain file, and a speed that no port has."""
    plain = tmp_path / "x"
    plain.write_bytes(b"")
    with pytest.raises(OSError, match="no serial line"):
        SerialLink(str(plain), 115_200, CLOCK)
    with pytest.raises(AskOperator, match=r"autopilot\.baud"):
        serial_speed(123_456)


def test_udp_answers_everybody_who_spoke() -> None:
    """Several vehicles send to one port; each gets our heartbeat."""
    link = UdpLink(CLOCK, listen=("127.0.0.1", 0))
    vehicles = []
    for number in range(3):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        one.settimeout(PATIENCE_S)
        one.sendto(bytes([number]), ("127.0.0.1", link.port))
        vehicles.append(one)
    assert {0, 1, 2} == set(read_all(link, b"123"))
    link.write(b"here")
    assert [b"here"] * 3 == [one.recv(100) for one in vehicles]
    for one in vehicles:
        one.close()
    link.write(b"nobody is there any more")
    link.read(0.05)
    link.close()


def test_udp_to_a_port_where_nobody_is_yet_goes_on() -> None:
    """The refusals that come back are no loss of the line."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        place = reserved.getsockname()
    link = UdpLink(CLOCK, to=place)
    for _ in range(5):
        link.write(b"hello")
        assert [] == list(link.read(0.02))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.bind(place)
        late.settimeout(PATIENCE_S)
        link.write(b"hello")
        data, sender = late.recvfrom(100)
        assert b"hello" == data
        late.sendto(b"yes", sender)
        assert b"yes" == read_all(link, b"yes")
    link.close()


def test_tcp_side_that_closes_is_an_error() -> None:
    """So the driver opens the line again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = TcpLink("127.0.0.1", server.getsockname()[1], CLOCK)
        side, _ = server.accept()
        side.sendall(b"abc")
        assert b"abc" == read_all(link, b"abc")
        side.close()
        with pytest.raises(OSError, match="closed"):
            repeat(lambda: link.read(0.1), 50)
        link.close()


def test_tcp_side_that_never_reads_is_lost_and_never_waited_for() -> None:
    """A full socket ends the line instead of the reader."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = TcpLink("127.0.0.1", server.getsockname()[1], CLOCK)
        side, _ = server.accept()
        with pytest.raises(OSError, match=r"."):
            repeat(lambda: link.write(bytes(200)), 100_000)
        side.close()
        link.close()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("udpin://127.0.0.1:0", None),
        ("udpin://0.0.0.0:14550", "udpin"),
        ("udpout://10.0.0.1:14550", "udpout"),
        ("tcp://[::1]:5760", "tcp"),
        ("serial:///dev/ttyACM0", "serial"),
        ("serial://", None),
        ("udp://10.0.0.1:1", None),
        ("", None),
    ],
)
def test_urls(url, kind) -> None:
    """What is none of ours is an error for the operator."""
    if kind is None:
        with pytest.raises(AskOperator, match=r"autopilot\.url"):
            address_of(url)
    else:
        address = address_of(url)
        assert kind == address.kind
        assert callable(connector(address, baud=57_600, clock=CLOCK))
