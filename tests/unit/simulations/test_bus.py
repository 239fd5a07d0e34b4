"""The broker in memory."""

import pytest

from ground_station.transport import Outgoing
from hardware.ports import Will
from simulations.bus import Bus, NodeLine, StationLine, matches


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("bw/v1/s/n/cmd", "bw/v1/s/n/cmd", True),
        ("bw/v1/s/+/obs/+", "bw/v1/s/n/obs/cam-1", True),
        ("bw/v1/s/+/obs/+", "bw/v1/s/n/obs", False),  # one level short
        ("bw/v1/s/+", "bw/v1/s/n/cmd", False),  # + is one level
        ("bw/v1/s/#", "bw/v1/s/n/obs/cam-1", True),
        ("bw/v1/s/n", "bw/v1/s/m", False),
    ],
)
def test_filters_match_as_mqtt_says(pattern, topic, expected):
    """One row per rule of the wildcards."""
    assert expected == matches(pattern, topic)


def lines():
    bus = Bus()
    return bus, NodeLine(bus), StationLine(bus, monotonic_s=lambda: 7.0)


def test_what_a_node_says_reaches_the_station_and_is_acknowledged():
    """Bytes, topic and arrival as they were; the token comes back once."""
    _bus, node, station = lines()
    station.open([("a/+/obs/#", 1)])
    node.open(will=None, subscriptions=[("a/n/cmd", 1)])
    token = node.publish("a/n/obs/c", b"x", qos=1)
    assert [token] == list(node.acknowledged())
    assert [] == list(node.acknowledged())
    (arrived,) = station.take(10)
    assert ("a/n/obs/c", b"x", False, 7.0) == (
        arrived.topic,
        arrived.payload,
        arrived.retained,
        arrived.t_monotonic_s,
    )
    assert station.publish(Outgoing(topic="a/n/cmd", payload=b"go", qos=1))
    assert [b"go"] == [one.payload for one in node.inbox()]
    assert not station.wait(1.0)


def test_retained_copies_wait_for_whoever_comes_later():
    """A station that starts after the birth still hears it, marked as a copy; empty clears it."""
    bus, node, station = lines()
    node.open(will=None, subscriptions=[])
    node.publish("a/n/birth", b"me", qos=1, retain=True)
    station.open([("a/#", 1)])
    assert [(b"me", True)] == [(one.payload, one.retained) for one in station.take(9)]
    node.publish("a/n/birth", b"", qos=1, retain=True)
    late = StationLine(bus, monotonic_s=lambda: 0.0)
    late.open([("a/#", 1)])
    assert [] == late.take(9)


def test_a_cut_line_leaves_the_will_and_takes_nothing():
    """While cut, publish refuses; after mending it is a new connection."""
    _bus, node, station = lines()
    station.open([("a/#", 1)])
    node.open(will=Will(topic="a/n/state", payload=b"offline"), subscriptions=[])
    node.cut()
    assert [b"offline"] == [one.payload for one in station.take(9)]
    assert node.publish("a/n/obs/c", b"x", qos=1) is None
    assert not node.connected
    node.mend()
    assert 2 == node.connections
    assert node.publish("a/n/obs/c", b"x", qos=1) is not None


def test_an_orderly_end_says_its_last_words_and_no_will():
    """Goodbye, not offline."""
    _bus, node, station = lines()
    station.open([("a/#", 1)])
    node.open(will=Will(topic="a/n/state", payload=b"offline"), subscriptions=[])
    node.close(last_words=[("a/n/state", b"goodbye", True)])
    assert [b"goodbye"] == [one.payload for one in station.take(9)]


def test_a_station_that_is_cut_off_hears_nothing_until_it_is_back():
    """Its own publish refuses too."""
    _bus, node, station = lines()
    station.open([("a/#", 1)])
    node.open(will=None, subscriptions=[])
    station.cut()
    node.publish("a/n/health", b"1", qos=0)
    assert not station.publish(Outgoing(topic="a/x", payload=b"", qos=0))
    station.mend()
    assert [] == station.take(9)
