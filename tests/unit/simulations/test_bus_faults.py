"""A bad line does to messages what a bad radio link does, and the client behind it copes as ever."""

from hardware.ports import Will
from runtime.clock import ManualClock
from simulations.bus import Bus, NodeLine, StationLine
from simulations.bus_faults import FaultyLine
from simulations.scenario_node import LinkFaultSettings
from tests.unit.simulations.runner_kit import START

STEP_S = 0.25


class Radio:
    """A node and a station at one bus, with a bad line between node and bus."""

    def __init__(self, **fault):
        self.clock = ManualClock(START)
        self.bus = Bus()
        self.station = StationLine(self.bus, monotonic_s=self.clock.monotonic_s)
        self.station.open([("up/#", 1)])
        self.line = FaultyLine(
            NodeLine(self.bus),
            [LinkFaultSettings.model_validate(fault)],
            clock=self.clock,
            keepalive_s=15.0,
        )
        self.line.open(will=Will(topic="up/state", payload=b"gone"), subscriptions=[("down/#", 1)])
        self.heard = []
        self.answers = []
        self.acknowledged = []

    def pass_time(self, seconds, *, say=None, every_s=1.0):
        for step in range(round(seconds / STEP_S)):
            now_s = self.clock.monotonic_s()
            if say is not None and step % round(every_s / STEP_S) == 0:
                self.line.publish("up/obs", f"{say}{now_s:g}".encode(), qos=1)
            self.line.wait(0.05)
            self.heard += [(now_s, one.payload) for one in self.station.take(1000)]
            self.answers += [(now_s, one.payload) for one in self.line.inbox()]
            self.acknowledged += [(now_s, token) for token in self.line.acknowledged()]
            self.clock.advance(STEP_S)

    def said(self):
        return [payload for _, payload in self.heard]


def test_a_cut_line_takes_nothing_and_is_made_again():
    """The will speaks at once; after the end the client's own pause passes, at most 15 s."""
    radio = Radio(kind="cut", at_s=5.0, lasts_s=10.0)
    radio.pass_time(40.0, say="a")
    times = [t for t, payload in radio.heard if payload != b"gone"]
    assert (5.0, b"gone") in radio.heard
    assert not [t for t in times if 5.0 <= t < 15.0]
    assert 15.0 <= min(t for t in times if t >= 15.0) <= 30.0
    assert radio.line.connections == 2


def test_a_late_line_brings_everything_later():
    """There and back: the message after one delay, its acknowledgement after two."""
    radio = Radio(kind="delay", at_s=0.0, lasts_s=100.0, delay_s=2.0)
    radio.line.publish("up/obs", b"x", qos=1)
    radio.bus.publish("down/cmd", b"y", retain=False)
    radio.pass_time(6.0)
    assert [(2.0, b"x")] == radio.heard
    assert [(2.0, b"y")] == radio.answers
    assert [4.0] == [t for t, _ in radio.acknowledged]


def test_a_thin_line_takes_its_time_for_every_byte():
    """64 kbit/s: ten messages of 8000 bytes need ten seconds."""
    radio = Radio(kind="throttle", at_s=0.0, lasts_s=1000.0, bit_s=64_000.0)
    for _ in range(10):
        radio.line.publish("up/obs", bytes(8000 - 60), qos=1)
    radio.pass_time(12.0)
    assert 10 == len(radio.heard)
    assert [float(k) for k in range(1, 11)] == [t for t, _ in radio.heard]


def test_a_line_that_doubles_says_it_twice_and_is_acknowledged_once():
    """What arrives twice is the station's to see through."""
    radio = Radio(kind="duplicate", at_s=0.0, lasts_s=10.0)
    radio.pass_time(3.0, say="a")
    assert [b"a0", b"a0", b"a1", b"a1", b"a2", b"a2"] == radio.said()
    assert 3 == len(radio.acknowledged)


def test_a_dead_line_is_believed_until_the_keep_alive_is_over():
    """Messages vanish without a word; then the broker says the will, and the line is made anew."""
    radio = Radio(kind="half_open", at_s=5.0, lasts_s=60.0)
    radio.pass_time(24.0, say="a")
    assert radio.line.connected
    assert [] == [t for t, _ in radio.heard if t >= 5.0]
    assert 19 == radio.line.swallowed
    radio.pass_time(6.0, say="a")
    assert not radio.line.connected
    assert b"gone" in radio.said()
    radio.pass_time(60.0, say="a")
    assert radio.line.connected
    assert [t for t, _ in radio.heard if t > 65.0]


def test_a_line_that_wakes_too_early_is_torn_all_the_same():
    """Bytes are missing in the stream: a client cannot go on in the middle."""
    radio = Radio(kind="half_open", at_s=5.0, lasts_s=4.0)
    radio.pass_time(12.0, say="a")
    assert radio.line.connections == 2
    assert b"a11" in radio.said()
