"""The bad cable between a real broker and a real client, its weather by a scenario's clock."""

import time
from collections import Counter

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from runtime.clock import SystemClock
from runtime.workers import Supervisor
from simulations.link_worker import LinkWorker, weather_at
from simulations.scenario_node import LinkFaultSettings
from tests.integration.edge.broker_kit import Mosquitto

pytestmark = pytest.mark.broker


class Client:
    """A paho client that keeps what happens to it."""

    def __init__(self, port, name, *, keepalive_s=30, will=None):
        self.heard, self.dups, self.acked, self.ends, self.ready = [], [], [], [], []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda *_: self.ready.append("connected")
        self._client.on_subscribe = lambda *_: self.ready.append("subscribed")
        self._client.on_message = self._on_message
        self._client.on_publish = lambda _c, _u, mid, *_: self.acked.append(mid)
        self._client.on_disconnect = lambda *_: self.ends.append("gone")
        if will:
            self._client.will_set(will, b"gone", qos=1)
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0
        self._client.connect("127.0.0.1", port, keepalive=keepalive_s, properties=properties)
        self._client.loop_start()
        wait_for(lambda: self.ready)

    def _on_message(self, _client, _user, message):
        self.heard.append(message.payload)
        self.dups.append(message.dup)

    def subscribe(self, topic):
        self._client.subscribe(topic, qos=1)
        wait_for(lambda: "subscribed" in self.ready)

    def publish(self, topic, payload, qos=1):
        return self._client.publish(topic, payload, qos=qos)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
        # Freed now, paho closes its own sockets; in a cycle the collector may come to those first.
        self._client = None


def wait_for(claim, timeout_s=30.0):
    ends_s = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < ends_s, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def broker(tmp_path):
    made = Mosquitto(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def line(broker):
    """A scheduled cable to the broker whose scenario time the test sets."""
    scene, made = {"t_s": 0.0}, []

    def make(*faults):
        workers = Supervisor(SystemClock())
        link = LinkWorker(
            "node-1", faults, target_port=broker.port, scene_time_s=lambda: scene["t_s"]
        )
        workers.add(link, beat_timeout_s=10.0)
        workers.start()
        made.append(workers)

        def at(t_s):
            scene["t_s"] = t_s
            wait_for(lambda: link._link.weather == weather_at(faults, t_s))

        return link, at

    yield make
    for workers in made:
        workers.stop()


def fault(kind, **more):
    return LinkFaultSettings(kind=kind, at_s=10.0, lasts_s=10.0, **more)


def test_duplicates_reach_the_broker_as_repetitions(broker, line):
    """In the spell every message arrives twice, before and after it once; the sender notices nothing."""
    link, at = line(fault("duplicate"))
    ear, mouth = Client(broker.port, "ear"), Client(link.port, "mouth")
    ear.subscribe("t/#")
    for t_s, name, acked, heard in (
        (0.0, b"before", 5, 5),
        (11.0, b"within", 10, 15),
        (21.0, b"after", 15, 20),
    ):
        at(t_s)
        for k in range(5):
            mouth.publish("t/1", name + b"%d" % k, qos=1)
        wait_for(lambda n=acked: len(set(mouth.acked)) == n)
        wait_for(lambda n=heard: len(ear.heard) == n)
    times = Counter(ear.heard)
    assert [1] * 5 == [times[b"before%d" % k] for k in range(5)]
    assert [2] * 5 == [times[b"within%d" % k] for k in range(5)]
    assert [1] * 5 == [times[b"after%d" % k] for k in range(5)]
    assert [] == mouth.ends
    assert 15 == len(set(mouth.acked))
    assert 5 == link.counters.packets_doubled
    mouth.close()
    ear.close()


def test_duplicates_come_down_as_well(broker, line):
    """A message to the node arrives twice too, the second marked as a repetition."""
    link, at = line(fault("duplicate"))
    ear, mouth = Client(link.port, "ear"), Client(broker.port, "mouth")
    ear.subscribe("t/#")
    at(11.0)
    mouth.publish("t/1", b"go", qos=1)
    wait_for(lambda: len(ear.heard) == 2)
    assert [b"go", b"go"] == ear.heard
    assert [False, True] == ear.dups
    assert [] == ear.ends
    mouth.close()
    ear.close()


def test_a_cut_ends_the_session_at_once(broker, line):
    """Both ends learn of it: the client is disconnected, the broker says its will."""
    link, at = line(fault("cut"))
    ear = Client(broker.port, "ear")
    ear.subscribe("will/#")
    mouth = Client(link.port, "mouth", will="will/mouth")
    at(11.0)
    wait_for(lambda: mouth.ends and ear.heard)
    assert [b"gone"] == ear.heard
    at(21.0)
    wait_for(lambda: mouth.ready.count("connected") == 2)
    mouth.close()
    ear.close()


def test_a_dead_link_is_noticed_by_keep_alive_alone(broker, line):
    """Nobody is told; after 1.5 times the keep-alive the broker gives the client up."""
    link, at = line(fault("half_open"))
    ear = Client(broker.port, "ear")
    ear.subscribe("#")
    mouth = Client(link.port, "mouth", keepalive_s=4, will="will/mouth")
    at(11.0)
    mouth.publish("t/1", b"lost", qos=1)
    time.sleep(1.0)
    assert [] == ear.heard
    assert [] == mouth.ends
    wait_for(lambda: ear.heard)
    assert [b"gone"] == ear.heard
    assert link.counters.bytes_swallowed > 0
    at(21.0)
    wait_for(lambda: mouth.ready.count("connected") >= 2 and b"lost" in ear.heard)
    mouth.close()
    ear.close()


def test_a_thin_link_carries_its_rate_and_no_more(broker, line):
    """Forty kilobytes at 64 kbit/s take five seconds, and all of them arrive."""
    link, at = line(fault("throttle"), fault("delay", delay_s=0.2))
    ear, mouth = Client(broker.port, "ear"), Client(link.port, "mouth")
    ear.subscribe("t/#")
    at(11.0)
    start_s = time.monotonic()
    for k in range(10):
        mouth.publish("t/1", bytes((k,)) * 4000)
    wait_for(lambda: len(ear.heard) == 10)
    assert time.monotonic() - start_s >= 40_000 / 8_000 - 0.2
    assert [bytes((k,)) * 4000 for k in range(10)] == ear.heard
    wait_for(lambda: len(mouth.acked) == 10)
    assert [] == mouth.ends
    mouth.close()
    ear.close()
