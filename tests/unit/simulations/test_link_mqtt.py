"""Packets are found in a stream however it is cut, and doubled whole."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.link_mqtt import Doubler
from simulations.link_worker import weather_at
from simulations.scenario_node import LinkFaultSettings


def packet(first, body):
    size, head = len(body), bytearray((first,))
    while True:
        size, low = divmod(size, 128)
        head.append(low | (0x80 if size else 0))
        if not size:
            return bytes(head) + body


CONNECT = packet(0x10, b"\x00\x04MQTT")
PING = packet(0xC0, b"")
PUBLISH_0 = packet(0x30, b"\x00\x01tnever again")
PUBLISH_1 = packet(0x32, b"\x00\x01t\x00\x07" + b"x" * 300)
SUBSCRIBE = packet(0x82, b"\x00\x01\x00\x00\x01t\x01")


def fed(stream, cuts, *, double):
    doubler = Doubler()
    edges = [0, *sorted(cuts), len(stream)]
    parts = [stream[a:b] for a, b in pairwise(edges)]
    return b"".join(doubler.feed(part, double=double) for part in parts), doubler.doubled


STREAM = CONNECT + PUBLISH_1 + PING + PUBLISH_0 + SUBSCRIBE + PUBLISH_1
AGAIN = bytes((PUBLISH_1[0] | 0x08,)) + PUBLISH_1[1:]
"""The repetition of QoS 1 wears the DUP flag."""


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_a_sound_cable_changes_nothing(cuts):
    """Whatever the pieces, the stream is the stream."""
    assert (STREAM, 0) == fed(STREAM, cuts, double=False)


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_each_publish_is_followed_by_its_double(cuts):
    """Connecting, subscribing and pinging happen once; QoS 1 is marked as repeated, QoS 0 cannot be."""
    expected = (
        CONNECT + PUBLISH_1 + AGAIN + PING + PUBLISH_0 + PUBLISH_0 + SUBSCRIBE + PUBLISH_1 + AGAIN
    )
    assert (expected, 3) == fed(STREAM, cuts, double=True)


@given(st.binary(max_size=2000), st.lists(st.integers(0, 2000), max_size=10))
def test_any_bytes_survive(stream, cuts):
    """Garbage, TLS, half a packet: never changed while nothing is to be doubled, never an error."""
    cuts = [cut for cut in cuts if cut <= len(stream)]
    assert (stream, 0) == fed(stream, cuts, double=False)
    fed(CONNECT + stream, cuts, double=True)


def test_a_huge_packet_passes_once():
    """Memory is bounded: beyond 256 kB a packet is passed on and not kept."""
    huge = packet(0x32, b"\x00\x01t\x00\x07" + b"x" * 300_000)
    assert (CONNECT + huge + PUBLISH_1 + AGAIN, 1) == fed(
        CONNECT + huge + PUBLISH_1, [5, 70_000, 200_000], double=True
    )


def fault(kind, at_s, lasts_s, **more):
    return LinkFaultSettings(kind=kind, at_s=at_s, lasts_s=lasts_s, **more)


@pytest.mark.parametrize(
    ("t_s", "expected"),
    [
        (0.0, (True, 0.0, None, False, False)),
        (10.0, (False, 0.0, None, False, False)),  # cut
        (19.99, (False, 0.0, None, False, False)),
        (20.0, (True, 1.5, None, False, False)),  # delayed, the cut is over
        (25.0, (True, 1.5, 8000.0, False, True)),  # thin and twice as well
        (28.0, (True, 1.5, 4000.0, False, True)),  # the thinner of two
        (40.0, (True, 0.0, None, True, False)),
        (50.0, (True, 0.0, None, False, False)),
    ],
)
def test_weather_follows_the_scenario(t_s, expected):
    """Each fault holds in its spell; those that overlap add up."""
    faults = (
        fault("cut", 10.0, 10.0),
        fault("delay", 20.0, 20.0, delay_s=1.5),
        fault("throttle", 25.0, 10.0),
        fault("throttle", 28.0, 2.0, bit_s=32_000.0),
        fault("duplicate", 25.0, 5.0),
        fault("half_open", 40.0, 10.0),
    )
    now = weather_at(faults, t_s)
    assert expected == (now.up, now.delay_s, now.bytes_per_s, now.half_open, now.duplicate)
