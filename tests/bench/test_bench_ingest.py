"""Observations a second through ingest, over what a bare paho subscriber does on the same broker."""

import contextlib
import os
import platform
import sqlite3
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from ground_station.broker_iotcore import IotcoreBroker
from ground_station.config import BrokerSettings
from tests.station_kit import (
    SESSION,
    MqttNode,
    Speaker,
    StationProcess,
    eventually,
    free_port,
    observation,
    utc_now,
)

OBSERVATIONS = 4000
TRACKS = 100


def _messages(node_id, session):
    speaker = Speaker(node_id, session=session)
    now = utc_now()
    return [
        speaker.obs(
            observation(
                track=1 + n % TRACKS,
                phase="new" if n < TRACKS else "update",
                east_m=(n % TRACKS) * 8.0 - 400.0,
                north_m=120.0,
                north_m_s=0.0,
            ),
            now,
        )
        for n in range(OBSERVATIONS)
    ]


BARE = """
import sys
import paho.mqtt.client as mqtt
port, expected, seen = int(sys.argv[1]), int(sys.argv[2]), 0
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="bare", protocol=mqtt.MQTTv5)
def on_message(client, data, message):
    global seen
    seen += 1
    if seen == expected:
        print("done", flush=True)
        client.disconnect()
client.on_message = on_message
client.on_connect = lambda client, *_: client.subscribe("bw/v1/+/+/obs/+", 1)
client.on_subscribe = lambda *_: print("up", flush=True)
client.connect("127.0.0.1", port)
client.loop_forever()
"""
"""A subscriber with nothing behind its callback, in a process of its own like the station."""


def _bare_rate(port, messages):
    """Messages a second from the first publish to the last callback."""
    words = [sys.executable, "-c", BARE, str(port), str(len(messages))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as listener:
        assert "up\n" == listener.stdout.readline()
        node = MqttNode(SimpleNamespace(mqtt_port=port), "mast-1", None)
        eventually(lambda: node.up)
        begun_s = time.perf_counter()
        for message in messages:
            node.publish(message)
        assert "done\n" == listener.stdout.readline()
        seconds = time.perf_counter() - begun_s
        node.close()
    return len(messages) / seconds


def _count(station):
    uri = f"file:{station.database}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        return connection.execute("SELECT count(*) FROM observations").fetchone()[0]


@pytest.mark.bench
@pytest.mark.slow
def test_observations_per_second_over_a_bare_subscriber(tmp_path, capsys):
    """Decode, decide, commit and tell the pages, beside a subscriber that does nothing at all."""
    port = free_port()
    broker = IotcoreBroker(BrokerSettings(kind="iotcore", port=port), folder=tmp_path / "broker")
    station = StationProcess(tmp_path)
    text = station.config.read_text()
    station.config.write_text(
        text.replace("# address =", 'address = "127.0.0.1"').replace(
            f"port = {station.mqtt_port}", f"port = {port}"
        )
    )
    messages = _messages("mast-1", SESSION)
    broker.start()
    try:
        bare_rate = _bare_rate(port, messages)
        station.start()
        node = MqttNode(SimpleNamespace(mqtt_port=port), "mast-1", None)
        eventually(lambda: node.up)
        begun_s = time.perf_counter()
        for message in messages:
            node.publish(message)
        eventually(lambda: _count(station) == OBSERVATIONS, timeout_s=120, every_s=0.02)
        ingest_rate = OBSERVATIONS / (time.perf_counter() - begun_s)
        eventually(lambda: node.receipts and node.receipts[-1] == OBSERVATIONS)
        node.close()
    finally:
        station.stop()
        broker.stop()
    with capsys.disabled():
        print(
            f"\ningest {ingest_rate:.0f} observations/s, bare paho subscriber {bare_rate:.0f}/s, "
            f"ratio {ingest_rate / bare_rate:.2f} (aim 0.3); {OBSERVATIONS} observations of "
            f"{TRACKS} tracks, {os.cpu_count()} processors, {platform.machine()}"
        )
    assert OBSERVATIONS == _count(station)
