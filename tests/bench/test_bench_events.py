"""From an observation's stamp to the bytes of its event on a page's stream, at a steady load."""

import http.client
import json
import os
import platform
import threading
import time
from types import SimpleNamespace

import pytest

from ground_station.broker_iotcore import IotcoreBroker
from ground_station.config import BrokerSettings
from tests.station_kit import (
    MqttNode,
    Speaker,
    StationProcess,
    eventually,
    free_port,
    observation,
    utc_now,
)

TRACKS = 50
RATE_HZ = 2.0
SECONDS = 10.0


def _listen(station, cookie, heard, stop):
    connection = http.client.HTTPConnection("127.0.0.1", station.http_port, timeout=30)
    connection.request("GET", "/api/v1/events", headers={"Cookie": cookie})
    answer = connection.getresponse()
    name = ""
    while not stop.is_set():
        line = answer.readline()
        if line.startswith(b"event: "):
            name = line[7:].strip()
        elif line.startswith(b"data: ") and name == b"target":
            heard.append((utc_now(), line[6:]))
    connection.close()


def _cookie(station):
    station.cli("user", "add", "thu", "--role", "guard", "--no-password")
    token = station.cli("user", "link", "thu").strip().split("#link=")[1]
    connection = http.client.HTTPConnection("127.0.0.1", station.http_port, timeout=10)
    connection.request(
        "POST", "/api/v1/login/link", json.dumps({"token": token}),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.getheader("Set-Cookie").split(";")[0]


@pytest.mark.bench
@pytest.mark.slow
def test_stamp_to_event(tmp_path, capsys):
    """Every track's last update reaches the page; the delays are printed."""
    port = free_port()
    broker = IotcoreBroker(BrokerSettings(kind="iotcore", port=port), folder=tmp_path / "broker")
    station = StationProcess(tmp_path)
    text = station.config.read_text()
    station.config.write_text(
        text.replace("# address =", 'address = "127.0.0.1"').replace(
            f"port = {station.mqtt_port}", f"port = {port}"
        )
    )
    broker.start()
    heard, stop = [], threading.Event()
    node = None
    try:
        station.start()
        page = threading.Thread(target=_listen, args=(station, _cookie(station), heard, stop))
        page.start()
        speaker, node = Speaker(), MqttNode(SimpleNamespace(mqtt_port=port), "mast-1", None)
        eventually(lambda: node.up)
        sent: dict[str, float] = {}
        begun_s = time.perf_counter()
        for n in range(int(TRACKS * RATE_HZ * SECONDS)):
            due_s = n / (TRACKS * RATE_HZ)
            time.sleep(max(0.0, begun_s + due_s - time.perf_counter()))
            body = observation(
                track=1 + n % TRACKS,
                phase="new" if n < TRACKS else "update",
                east_m=(n % TRACKS) * 16.0 - 400.0,
                north_m=120.0 - n / TRACKS,
                north_m_s=-2.0,
            )
            stamp = utc_now()
            sent[body.track_id] = stamp.timestamp()
            node.publish(speaker.obs(body, stamp))
        eventually(lambda: node.receipts and node.receipts[-1] == n + 1)
        eventually(lambda: len({json.loads(data)["target_id"] for _, data in heard}) == TRACKS)
    finally:
        stop.set()
        if node is not None:
            node.close()
        station.stop()
        broker.stop()
    page.join(30)
    delays_s = []
    for at_utc, data in heard:
        target = json.loads(data)
        stamp = utc_now().fromisoformat(target["t_utc"].replace("Z", "+00:00"))
        if not target["coasting"]:
            delays_s.append((at_utc - stamp).total_seconds())
    delays_s.sort()
    p50, p95, p99 = (delays_s[int(len(delays_s) * part)] for part in (0.5, 0.95, 0.99))
    with capsys.disabled():
        print(
            f"\nstamp to event bytes: p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, "
            f"p99 {p99 * 1000:.0f} ms at {TRACKS * RATE_HZ:.0f} updates/s of {TRACKS} tracks; "
            f"{os.cpu_count()} processors, {platform.machine()}"
        )
    assert set(sent) == {json.loads(data)["target_id"] for _, data in heard}
