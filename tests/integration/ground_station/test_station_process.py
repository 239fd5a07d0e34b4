"""The station as its user runs it: real broker, real database, real processes."""

import contextlib
import shutil
import sqlite3
import time
from datetime import timedelta

import pytest

from tests.station_kit import (
    SITE_ID,
    MqttNode,
    Speaker,
    StationProcess,
    crossing,
    eventually,
    observation,
    utc_now,
)

BROKERS = [
    pytest.param(
        "mosquitto",
        marks=[
            pytest.mark.broker,
            pytest.mark.skipif(shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None,
                               reason="no mosquitto on this machine"),
        ],
    ),
    "iotcore",
]  # fmt: skip


@pytest.fixture
def station(tmp_path, request):
    found = StationProcess(tmp_path, broker=getattr(request, "param", "auto"))
    yield found
    found.stop()


def rows(station, query):
    uri = f"file:{station.database}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        return connection.execute(query).fetchall()


def speak(node, speaker, messages):
    """Publish as fast as the broker acknowledges."""
    sent = [node.publish(message) for message in messages]
    for one in sent:
        one.wait_for_publish(20)


@pytest.mark.parametrize("station", BROKERS, indirect=True)
def test_crossing_becomes_one_alert_and_is_receipted(station):
    """One person walks over the line; the store has one alert, the node its receipt, Ctrl-C ends it."""
    password = station.enrol("mast-1")
    station.start()
    speaker, node = Speaker(), MqttNode(station, "mast-1", password)
    try:
        eventually(lambda: node.up)
        now = utc_now()
        node.publish(speaker.birth(now), retain=True)
        node.publish(speaker.state(now), retain=True)
        walk = list(crossing(track=1, steps=60))
        for t_s, body in walk:
            # Pace compressed, stamps true: the walk ends now.
            stamp = now.timestamp() - walk[-1][0] + t_s
            node.publish(speaker.obs(body, type(now).fromtimestamp(stamp, now.tzinfo)))
        eventually(lambda: node.receipts and node.receipts[-1] == 60)
        alerts = rows(station, "SELECT level, state, view_json FROM alerts")
        assert [("warning", "raised")] == [row[:2] for row in alerts]
        assert "crossing" in alerts[0][2]
        assert [(60,)] == rows(station, "SELECT count(*) FROM observations")
        eventually(lambda: any(topic.endswith("/zones") for topic, _ in node.heard))
        assert "whole" in _audit(station)
    finally:
        node.close()
    assert 0 == station.stop()


def _audit(station):
    import json

    verdict = json.loads(station.cli("audit", "verify", "--json"))
    return "whole" if verdict["ok"] and verdict["rows"] > 3 else verdict


@pytest.mark.parametrize("station", BROKERS, indirect=True)
def test_kill_between_commit_and_receipt_loses_and_doubles_nothing(station):
    """SIGKILL at arbitrary instants while a node keeps sending what was not receipted."""
    password = station.enrol("mast-1")
    station.start()
    speaker, node = Speaker(), MqttNode(station, "mast-1", password)
    total = 400
    try:
        eventually(lambda: node.up)
        now = utc_now()
        messages = [
            speaker.obs(
                observation(track=1 + n // 4, phase=("new", "update", "update", "end")[n % 4],
                            key=True, north_m=200.0 + n),
                now,
            )
            for n in range(total)
        ]  # fmt: skip
        for round_number in range(3):
            first = node.receipts[-1] if node.receipts else 0
            for message in messages[first : first + 200]:
                node.publish(message)
            # 0, 30 or 60 ms after the last byte: before, in, or after the commit.
            time.sleep(0.03 * round_number)
            station.kill()
            node.receipts = node.receipts[-1:]
            station.start()
            eventually(lambda: node.up)

        def resend():
            done = node.receipts[-1] if node.receipts else 0
            for message in messages[done:]:
                node.publish(message)
            time.sleep(1.2)
            return node.receipts and node.receipts[-1] == total

        eventually(resend, timeout_s=60)
        assert [(total, total)] == rows(
            station, "SELECT count(*), count(DISTINCT id) FROM observations WHERE is_key"
        )
        assert [(1, total)] == rows(station, "SELECT first_seq, last_seq FROM seq_ranges")
    finally:
        node.close()


@pytest.mark.broker
@pytest.mark.parametrize("station", BROKERS[:1], indirect=True)
def test_mosquitto_lets_a_node_speak_for_itself_alone(station):
    """The permissions come from the table of topics: no wrong password, no other node's topic, no command."""
    password = station.enrol("mast-1")
    station.start()
    intruder = MqttNode(station, "mast-1", "wrong")
    nobody = MqttNode(station, "mast-9", None)
    try:
        eventually(lambda: intruder.refused and nobody.refused)
        assert (False, False) == (intruder.up, nobody.up)
    finally:
        intruder.close()
        nobody.close()
    node = MqttNode(station, "mast-1", password)
    late_password = station.enrol("mast-2")
    try:
        eventually(lambda: node.up)
        other = Speaker("mast-2")
        now = utc_now()
        refusals = []
        node.client.on_publish = lambda _c, _d, _mid, reason, _p: refusals.append(str(reason))
        node.publish(other.obs(observation(track=1, phase="new"), now)).wait_for_publish(5)
        node.publish(("bw/v1/ha-tien/mast-1/cmd", b"{}")).wait_for_publish(5)
        eventually(lambda: len(refusals) == 2)
        assert ["Not authorized", "Not authorized"] == refusals
        assert [] == rows(station, "SELECT id FROM observations")
        # A node enrolled while the station runs is let in at once.
        second = MqttNode(station, "mast-2", late_password)
        try:
            eventually(lambda: second.up)
        finally:
            second.close()
    finally:
        node.close()


@pytest.mark.broker
@pytest.mark.parametrize("station", BROKERS[:1], indirect=True)
def test_node_that_borrows_another_name_throws_nobody_off(station):
    """With a node's or the station's own client id, one's own credential takes nobody's place."""
    passwords = {node: station.enrol(node) for node in ("mast-1", "mast-2")}
    station.start()
    mast_2 = MqttNode(station, "mast-2", passwords["mast-2"])
    borrowed = ["mast-2", f"station-{SITE_ID}", "_station"]
    try:
        eventually(lambda: mast_2.up)
        drops = []
        mast_2.client.on_disconnect = lambda *_: drops.append("mast-2")
        for client_id in borrowed:
            thief = MqttNode(station, "mast-1", passwords["mast-1"], client_id=client_id)
            eventually(lambda thief=thief: thief.up)
            thief.close()
        mast_2.publish(Speaker("mast-2").obs(observation(track=1, phase="new"), utc_now()))
        eventually(lambda: mast_2.receipts and mast_2.receipts[-1] == 1)
        assert [] == drops
        log = (station.folder / "log.txt").read_text()
        assert "broker_lost" not in log
    finally:
        mast_2.close()


@pytest.mark.broker
@pytest.mark.parametrize("station", BROKERS[:1], indirect=True)
def test_siren_hears_alerts_and_no_node_can_say_where_a_patrol_is(station):
    """A listener enrolled while the station runs reads what no node reads, and writes nothing."""
    password = station.enrol("mast-1")
    station.start()
    node = MqttNode(station, "mast-1", password)
    siren = MqttNode(station, "_listener-siren-1", station.enrol("siren-1", "--listener"))
    alert, friend = f"bw/v1/{SITE_ID}/_station/alert/+", f"bw/v1/{SITE_ID}/_friend/"
    refusals = []
    try:
        eventually(lambda: node.up and siren.up)
        for client in (node, siren):
            client.client.on_publish = lambda _c, _d, _mid, reason, _p: refusals.append(str(reason))
            client.client.subscribe(alert, 1)
        node.publish((friend + "mast-1", b"{}")).wait_for_publish(5)
        siren.publish((friend + "siren-1", b"{}")).wait_for_publish(5)
        eventually(lambda: len(refusals) == 2)
        assert ["Not authorized", "Not authorized"] == refusals
        speaker, start = Speaker("mast-1"), utc_now()
        for t_s, body in crossing(track=1):
            node.publish(speaker.obs(body, start + timedelta(seconds=t_s - 30.0)))
        eventually(lambda: any("/_station/alert/" in topic for topic, _ in siren.heard))
        assert [] == [topic for topic, _ in node.heard if "/_station/" in topic]
    finally:
        node.close()
        siren.close()


def test_garbage_on_every_topic_stops_nothing(station):
    """Bytes that are no messages are counted; the next good message is committed."""
    password = station.enrol("mast-1")
    station.start()
    speaker, node = Speaker(), MqttNode(station, "mast-1", password)
    try:
        eventually(lambda: node.up)
        now = utc_now()
        base = "bw/v1/ha-tien/mast-1"
        for topic in ("birth", "state", "health", "obs/cam-1", "media/cam-1", "ack", "vehicle"):
            for payload in (
                b"",
                b"\x00\xff\xfe",
                b"{}",
                b"[" * 5000,
                b'{"schema":"bw/9.0"}',
                b'{"schema":"bw/1.0","seq":1e999}',
                b"x" * 9000,
            ):
                node.publish((f"{base}/{topic}", payload)).wait_for_publish(5)  # fmt: skip
        topic, payload = speaker.obs(observation(track=1, phase="new"), now)
        node.publish((topic, payload.replace(b'"confidence":0.9', b'"confidence":7')))
        node.publish(speaker.obs(observation(track=1, phase="new"), now))
        eventually(lambda: node.receipts and node.receipts[-1] == 2)
        assert [(1,)] == rows(station, "SELECT count(*) FROM observations")
    finally:
        node.close()
