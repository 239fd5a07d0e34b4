"""Observations a second through ingest, over what a bare paho subscriber does on the same broker."""

import contextlib
import sqlite3
import threading
import time

import pytest

from tests.station_kit import (
    MqttNode,
    Speaker,
    StationProcess,
    eventually,
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


def _bare_rate(station, password, messages):
    """Publisher and subscriber with nothing behind the callback."""
    import paho.mqtt.client as mqtt

    seen, done = [0], threading.Event()
    node = MqttNode(station, "mast-1", password)
    listener = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id="bare", protocol=mqtt.MQTTv5
    )

    def on_message(_client, _data, _message):
        seen[0] += 1
        if seen[0] == len(messages):
            done.set()

    listener.on_message = on_message
    listener.on_connect = lambda client, *_: client.subscribe("bw/v1/+/+/obs/+", 1)
    up = threading.Event()
    listener.on_subscribe = lambda *_: up.set()
    listener.connect("127.0.0.1", station.mqtt_port)
    listener.loop_start()
    assert up.wait(10)
    eventually(lambda: node.up)
    begun_s = time.perf_counter()
    for message in messages:
        node.publish(message)
    assert done.wait(120)
    seconds = time.perf_counter() - begun_s
    listener.disconnect()
    listener.loop_stop()
    node.close()
    return len(messages) / seconds


def _count(station):
    uri = f"file:{station.database}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        return connection.execute("SELECT count(*) FROM observations").fetchone()[0]


@pytest.mark.bench
@pytest.mark.slow
def test_observations_per_second_over_a_bare_subscriber(tmp_path, capsys):
    """Decode, decide, commit and tell the pages: at least 0.3 of doing nothing at all."""
    station = StationProcess(tmp_path, broker="iotcore")
    station.start()
    node = MqttNode(station, "mast-1", None)
    try:
        eventually(lambda: node.up)
        messages = _messages("mast-1", "01HF7YAT31JZHSMW1CG6Q6MHB7")
        begun_s = time.perf_counter()
        for message in messages:
            node.publish(message)
        eventually(lambda: _count(station) == OBSERVATIONS, timeout_s=120, every_s=0.02)
        ingest_rate = OBSERVATIONS / (time.perf_counter() - begun_s)
        eventually(lambda: node.receipts and node.receipts[-1] == OBSERVATIONS)
        node.close()
        # The same broker, the same messages, the station gone.
        station_like = StationProcess(tmp_path / "bare", broker="iotcore")
    finally:
        node.close()
        station.stop()
    bare_rate = _with_broker_alone(station_like, messages)
    ratio = ingest_rate / bare_rate
    with capsys.disabled():
        print(
            f"\ningest {ingest_rate:.0f} observations/s, bare paho subscriber {bare_rate:.0f}/s, "
            f"ratio {ratio:.2f} (aim 0.3), {OBSERVATIONS} observations of {TRACKS} tracks"
        )
    assert OBSERVATIONS == _count(station)
