"""Silence during uploads, and links that lose messages."""

import random

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import Silence, answers, download, item_int, upload

SPEEDUP = 5
LAT, LON = 108_500_000, 1_066_200_000


def waypoints(n):
    return [{"x": LAT + i * 100, "y": LON} for i in range(n)]


@pytest.mark.parametrize(("kind", "name"), [(0, "Mission"), (1, "Fence")], ids=["mission", "fence"])
def test_silence_is_asked_eight_times_and_given_up(vehicle, cable, kind, name) -> None:
    """Each second again, then OPERATION_CANCELLED and a text; the good items stay (a mission's)."""
    command = 16 if kind == 0 else 5001
    cable.send(mav.MAVLink_mission_count_message(1, 1, 5, kind))
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
    cable.post(item_int(0, command, p=(5, 0, 0, 0), x=LAT, y=LON, kind=kind))
    cable.text(f"{name} upload timeout", wall_s=20.0)
    heard = answers(cable, kind)
    assert [("ask", 0), ("ack", 15)] == [heard[0], heard[-1]]
    asked = heard[1:-1]
    assert [("ask", 1)] * len(asked) == asked
    assert 7 <= len(asked) <= 8
    assert (1 if kind == 0 else 0) == len(download(cable, kind))


def test_good_item_winds_the_clock_again(cable) -> None:
    """Items that come every few seconds never time out, though the whole takes longer than eight."""
    cable.send(mav.MAVLink_mission_count_message(1, 1, 3, 0))
    for seq in range(3):
        for _ in range(3):
            cable.wait("MISSION_REQUEST", where=lambda m, seq=seq: m.seq == seq)
            cable.mark = len(cable.heard)
        cable.post(item_int(seq, x=LAT, y=LON))
    cable.wait("MISSION_ACK", where=lambda m: m.type == 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_client_that_loses_a_tenth_each_way_still_gets_through(cable, seed, monkeypatch) -> None:
    """Answers and questions lost; the final ack too, which only reading back can tell."""
    draw = random.Random(seed)
    post, pump = cable.post, cable.pump
    lossy = {"MISSION_ITEM_INT", "MISSION_COUNT", "MISSION_REQUEST_LIST", "MISSION_REQUEST_INT"}

    def dropping(message):
        if message.get_type() not in lossy or draw.random() > 0.1:
            post(message)

    def deaf():
        begin = len(cable.heard)
        pump()
        kept = [h for h in cable.heard[begin:] if not _lost(h.message, draw)]
        cable.heard[begin:] = kept

    monkeypatch.setattr(cable, "post", dropping)
    monkeypatch.setattr(cable, "pump", deaf)
    items = waypoints(8)
    for _ in range(5):
        try:
            if upload(cable, items, wall_s=2.0, again_s=0.3) == mav.MAV_MISSION_ACCEPTED:
                break
        except Silence:
            pass
        got = download(cable, again_s=0.3)
        if [m.x for m in got[1:]] == [i["x"] for i in items[1:]]:
            break
    got = download(cable, again_s=0.3)
    assert [i["x"] for i in items[1:]] == [m.x for m in got[1:]]


def _lost(message, draw):
    return message.get_type().startswith("MISSION_") and draw.random() < 0.1


def test_traffic_in_between_disturbs_nothing(cable) -> None:
    """Streams at full rate, commands, parameters and another kind's transfer in the midst of an upload."""
    for message_id in (30, 33, 74):
        assert 0 == cable.stream(message_id, 50.0)
    items = waypoints(20)
    fence = item_int(0, 5003, p=(100, 0, 0, 0), x=LAT, y=LON, kind=1)
    cable.send(mav.MAVLink_mission_count_message(1, 1, len(items), 0))
    for seq, item in enumerate(items):
        cable.wait("MISSION_REQUEST", where=lambda m, seq=seq: m.mission_type == 0 and m.seq == seq)
        cable.post(mav.MAVLink_param_request_read_message(1, 1, b"RTL_ALT", -1))
        cable.post(mav.MAVLink_command_long_message(1, 1, 512, 0, 148, 0, 0, 0, 0, 0, 0))
        if seq == 5:
            cable.post(mav.MAVLink_mission_count_message(1, 1, 1, 1))
        if seq == 10:
            cable.post(fence)
        cable.post(item_int(seq, **item))
    cable.wait("MISSION_ACK", where=lambda m: m.mission_type == 0 and m.type == 0)
    cable.wait("MISSION_ACK", where=lambda m: m.mission_type == 1 and m.type == 0)
    assert [("ask", seq) for seq in range(20)] + [("ack", 0)] == answers(cable)
    for message_id in (30, 33, 74):
        cable.stream(message_id, -1)
    assert [i["x"] for i in items[1:]] == [m.x for m in download(cable)[1:]]
