"""Uploads, downloads and clears of missions, over a real socket."""

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import Client, answers, download, item_int, upload

SPEEDUP = 1
LAT, LON = 108_500_000, 1_066_200_000
NAN = math.nan


def waypoints(n, **more):
    return [{"x": LAT + i * 100, "y": LON, **more} for i in range(n)]


def count(client, n, kind=0, target=(1, 1)):
    client.send(mav.MAVLink_mission_count_message(*target, n, kind))


def settle(client, *expected, wall_s=10.0):
    """Wait until exactly these answers came since the mark."""
    wanted = list(expected)
    for _ in range(round(wall_s / 0.02)):
        if len(answers(client)) >= len(wanted):
            break
        client.pump()
    assert wanted == answers(client)


def held(client):
    """Number of items the vehicle announces."""
    client.send(mav.MAVLink_mission_request_list_message(1, 1, 0))
    return client.wait("MISSION_COUNT", where=lambda m: m.mission_type == 0).count


def finish(client):
    """Bring a running upload to its end, so that the next test finds peace."""
    assert mav.MAV_MISSION_ACCEPTED == upload(client, waypoints(2))


def test_vehicle_asks_with_the_old_request_and_acks_once(cable) -> None:
    """COUNT, MISSION_REQUEST (40, never 51) for each item, ACK 0, then the text."""
    count(cable, 3)
    for seq in range(3):
        cable.wait("MISSION_REQUEST", where=lambda m, seq=seq: m.seq == seq)
        cable.post(item_int(seq, **waypoints(3)[seq]))
    cable.text("Flight plan received")
    assert [("ask", 0), ("ask", 1), ("ask", 2), ("ack", 0)] == answers(cable)
    names = [m.get_type() for m in cable.since_mark("MISSION_ACK", "STATUSTEXT")]
    assert names.index("MISSION_ACK") < names.index("STATUSTEXT")


def test_mission_of_two_hundred_goes_both_ways(cable) -> None:
    """Whole, and each position as sent."""
    items = waypoints(200)
    assert 0 == upload(cable, items, wall_s=30.0)
    got = download(cable)
    assert [i["x"] for i in items][1:] == [m.x for m in got][1:]


def test_first_item_is_swallowed_by_the_home_slot(cable) -> None:
    """[TAKEOFF, WP] becomes [home, WP]; the upload is accepted all the same."""
    assert 0 == upload(cable, [{"command": 22}, *waypoints(1)])
    first, second = download(cable)
    assert (16, 0, 16) == (first.command, first.frame, second.command)


def test_empty_mission_has_one_slot_after_boot_and_none_after_a_clear(cable) -> None:
    """Item 0 is readable even then."""
    assert 0 == held(cable)
    cable.send(mav.MAVLink_mission_request_int_message(1, 1, 0, 0))
    assert 16 == cable.wait("MISSION_ITEM_INT").command


def test_cancel_by_the_client_is_ignored(cable) -> None:
    """The vehicle asks on, and takes the item."""
    count(cable, 2)
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
    cable.send(mav.MAVLink_mission_ack_message(1, 1, mav.MAV_MISSION_OPERATION_CANCELLED, 0))
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
    finish(cable)


def test_new_count_of_the_same_client_restarts_at_once(cable) -> None:
    """From item 0."""
    count(cable, 5)
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
    cable.send(item_int(0))
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 1)
    count(cable, 2)
    settle(cable, ("ask", 0))
    finish(cable)


def test_refused_item_leaves_a_mixture(cable) -> None:
    """The items before it are the new ones, those behind it the old; the transfer is over."""
    assert 0 == upload(cable, waypoints(5, z=10.0))
    items = waypoints(5, z=99.0)
    items[3]["command"] = 31000
    assert mav.MAV_MISSION_UNSUPPORTED == upload(cable, items)
    assert [99.0, 99.0, 10.0, 10.0] == [m.z for m in download(cable)][1:]
    cable.send(item_int(4))
    settle(cable, ("ack", 1))


def test_count_truncates_at_once(cable) -> None:
    """A shorter COUNT cuts; what was accepted since is overwritten; nothing comes back."""
    assert 0 == upload(cable, waypoints(7))
    count(cable, 3)
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
    cable.send(item_int(0, command=31000))
    settle(cable, ("ack", 3))
    assert 3 == held(cable)


@pytest.mark.parametrize("other", [(254, 190), (255, 191)])
def test_others_are_denied_while_an_upload_runs(vehicle, cable, other) -> None:
    """COUNT, REQUEST_LIST, CLEAR_ALL (with a second ack) and items, of another id; we go on."""
    with Client(vehicle.second_port, system_id=other[0], component_id=other[1]) as guest:
        guest.beats = False
        count(cable, 2)
        cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
        count(guest, 4)
        settle(guest, ("ack", 14))
        guest.send(mav.MAVLink_mission_request_list_message(1, 1, 0))
        settle(guest, ("ack", 14))
        guest.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
        settle(guest, ("ack", 14), ("ack", 1))
        guest.send(item_int(0))
        settle(guest, ("ack", 14))
        cable.send(item_int(0))
        cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 1)
        cable.send(item_int(1))
        cable.wait("MISSION_ACK", where=lambda m: m.type == 0)


def test_every_item_twice_echoes_and_ends_well(cable) -> None:
    """INVALID_SEQUENCE after each double, ACCEPTED at the end, one ERROR for the last double."""
    count(cable, 3)
    for seq in range(3):
        cable.wait("MISSION_REQUEST", where=lambda m, seq=seq: m.seq == seq)
        cable.post(item_int(seq))
        cable.post(item_int(seq))
    settle(
        cable,
        *(("ask", 0), ("ask", 1), ("ack", 13), ("ask", 2), ("ack", 13), ("ack", 0), ("ack", 1)),
    )


def test_item_out_of_order_is_no_end(cable) -> None:
    """INVALID_SEQUENCE, and within a second the same request again."""
    count(cable, 3)
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
    cable.send(item_int(2))
    cable.wait("MISSION_ACK", where=lambda m: m.type == 13)
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
    finish(cable)


def test_unsolicited_item_is_an_error(cable) -> None:
    """No transfer, no item."""
    cable.send(item_int(0))
    settle(cable, ("ack", 1))


def test_final_ack_is_never_said_twice(cable) -> None:
    """Nothing comes by itself; the last item again is an error."""
    items = waypoints(3)
    assert 0 == upload(cable, items)
    cable.mark = len(cable.heard)
    cable.listen(2.5)
    assert [] == answers(cable)
    cable.send(item_int(2, **items[2]))
    settle(cable, ("ack", 1))


def test_too_many_items_have_no_space(cable) -> None:
    """And the limit is said in words."""
    count(cable, 60000)
    cable.wait("MISSION_ACK", where=lambda m: m.type == 4)
    assert "items are supported" in cable.text("Only ")


def test_request_beyond_the_end(vehicle, cable) -> None:
    """4.7 teaches the count and says INVALID_SEQUENCE; 4.6 says ERROR alone."""
    assert 0 == upload(cable, waypoints(3))
    cable.send(mav.MAVLink_mission_request_int_message(1, 1, 7, 0))
    settle(cable, ("count", 3), ("ack", 13))


@pytest.mark.parametrize("target", [(1, 0), (1, 190), (0, 0), (0, 1)])
def test_loose_addresses_are_taken(cable, target) -> None:
    """Component 0 or 190, and system 0, are as good as 1/1."""
    count(cable, 1, target=target)
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
    finish(cable)


def test_another_vehicle_is_another_vehicle(cable) -> None:
    """System 2 gets no answer from us."""
    count(cable, 1, target=(2, 1))
    cable.listen(1.5)
    assert [] == answers(cable)


def test_clear_of_all_types_is_not_heard(cable) -> None:
    """255: no answer and nothing cleared; 0 alone works."""
    assert 0 == upload(cable, waypoints(3))
    cable.send(mav.MAVLink_mission_clear_all_message(1, 1, 255))
    cable.listen(1.0)
    assert [] == cable.since_mark("MISSION_ACK")
    assert 3 == held(cable)
    cable.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
    settle(cable, ("ack", 0))
    assert 0 == held(cable)


def test_partial_list_writes_one_slot(cable) -> None:
    """The vehicle asks for that number and acks."""
    assert 0 == upload(cable, waypoints(4))
    cable.send(mav.MAVLink_mission_write_partial_list_message(1, 1, 2, 2, 0))
    cable.wait("MISSION_REQUEST", where=lambda m: m.seq == 2)
    cable.send(item_int(2, x=LAT, y=LON, z=55.0))
    settle(cable, ("ack", 0))
    assert [20.0, 55.0, 20.0] == [m.z for m in download(cable)[1:]]


def test_set_current_answers_by_state_or_not_at_all(cable) -> None:
    """MISSION_SET_CURRENT: MISSION_CURRENT, and silence for a bad number; the command acks."""
    assert 0 == upload(cable, [{}, {"command": 22}, *waypoints(3)])
    cable.send(mav.MAVLink_mission_set_current_message(1, 1, 2))
    cable.wait("MISSION_CURRENT", where=lambda m: m.seq == 2)
    cable.send(mav.MAVLink_mission_set_current_message(1, 1, 77))
    cable.listen(1.0)
    assert [] == cable.since_mark("MISSION_ACK", "MISSION_CURRENT")
    assert 0 == cable.command(224, 3.0)
    cable.wait("MISSION_CURRENT", where=lambda m: m.seq == 3 and m.total == 4)
    assert mav.MAV_RESULT_DENIED == cable.command(224, 77.0)


def test_float_items_are_taken_with_a_warning(cable) -> None:
    """MISSION_ITEM as the answer: accepted, and said once what is wanted."""
    cable.send(mav.MAVLink_mission_count_message(1, 1, 3, 0))
    for seq in range(3):
        cable.wait("MISSION_REQUEST", where=lambda m, seq=seq: m.seq == seq)
        cable.post(
            mav.MAVLink_mission_item_message(1, 1, seq, 3, 16, 0, 1, 0, 0, 0, 0, 10.5, 106.5, 20.0)
        )
    cable.wait("MISSION_ACK", where=lambda m: m.type == 0)
    assert abs(download(cable)[1].x - 105_000_000) < 10


def test_mission_survives_a_reboot(vehicle, cable) -> None:
    """ACCEPTED, the link drops, and the mission is there afterwards."""
    assert 0 == upload(cable, waypoints(4))
    assert 0 == cable.command(246, 1.0)
    with pytest.raises(ConnectionError):
        cable.listen(10.0)
    cable.close()
    with Client(vehicle.port) as again:
        again.heartbeat(wall_s=40.0)
        assert 4 == held(again)


# What is stored


@pytest.mark.parametrize(
    ("sent", "read"), [(6, 3), (3, 3), (0, 0), (5, 0), (10, 10), (11, 10), (2, 0)]
)
def test_frames_read_back_mapped(cable, sent, read) -> None:
    """Integer frames become plain ones, MISSION becomes absolute."""
    assert 0 == upload(cable, [{}, {"x": LAT, "y": LON, "frame": sent}])
    assert read == download(cable)[1].frame


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"frame": 1}, 2),
        ({"frame": 7}, 2),
        ({"x": 950_000_000}, 10),
        ({"x": 2_147_483_647}, 10),
        ({"y": 1_850_000_000}, 11),
        ({"z": 1e6}, 12),
        ({"z": NAN}, 12),
        ({"p": (NAN, 0, 0, 0)}, 6),
        ({"p": (0, NAN, 0, 0)}, 7),
        ({"p": (0, 0, NAN, 0)}, 8),
        ({"p": (0, 0, 0, NAN)}, 0),
        ({"command": 177, "p": (9, 1, 0, 0)}, 1),
        ({"command": 177, "p": (0, 1, 0, 0)}, 1),
        ({"command": 1000, "p": (-45, 0, NAN, NAN)}, 8),
        ({"x": 0, "y": 0}, 0),
        ({"command": 214}, 3),
        ({"command": 530}, 3),
        ({"command": 2003}, 3),
        ({"command": 5000}, 3),
        ({"command": 31000}, 3),
    ],
)
def test_each_fault_names_its_parameter(cable, fields, result) -> None:
    """Refused or not, item by item."""
    assert result == upload(cable, [{}, {"x": LAT, "y": LON, **fields}])


@pytest.mark.parametrize("place", [0, 1, 5, 9])
def test_refusal_at_any_place_ends_there(cable, place) -> None:
    """First, second, middle and last: the stump is as long as what was accepted before."""
    items = waypoints(10)
    items[place]["command"] = 31000
    assert 3 == upload(cable, items)
    assert place == held(cable)


@pytest.mark.parametrize(
    ("command", "p", "kept"),
    [
        (16, (5.7, 3.0, 4.0, 90.0), (5.0, 0.0, 0.0, 0.0)),
        (16, (70000.0, 0, 0, 0), (4464.0, 0.0, 0.0, 0.0)),
        (18, (2.5, 0, 0, 0), (2.0, 0.0, 0.0, 0.0)),
        (19, (7.0, 0, 0, 0), (7.0, 0.0, 1.0, 0.0)),
        (21, (0, 0, 0, 0), (0.0, 0.0, 0.0, 1.0)),
    ],
)
def test_parameters_are_cut(cable, command, p, kept) -> None:
    """Whole seconds in sixteen bits; radius, side and yaw are gone."""
    assert 0 == upload(cable, [{}, {"x": LAT, "y": LON, "command": command, "p": p}])
    got = download(cable)[1]
    assert kept == (got.param1, got.param2, got.param3, got.param4)


def test_height_is_kept_to_a_centimetre_and_rtl_keeps_nothing(cable) -> None:
    """50.123 reads 50.12; RTL sent with frame 6 reads zeros."""
    assert 0 == upload(cable, [{}, {"x": LAT, "y": LON, "z": 50.123}, {"command": 20, "x": LAT}])
    _, waypoint, rtl = download(cable)
    assert 50.12 == round(waypoint.z, 4)
    assert (0, 0, 0, 0.0) == (rtl.frame, rtl.x, rtl.y, rtl.z)


def test_all_accepted_commands_in_one_mission(vehicle, cable) -> None:
    """Everything a copter was seen to take, each reading back as itself."""
    listed = (
        "16 17 18 19 20 21 22 30 82 83 84 92 93 94 112 114 115 178 179 181 183 189 193 195 197 201"
        " 203 205 206 207 208 211 212 213 216 222 531 600 601 1000 2000 2001 2500 2501 42702"
    )
    commands = [int(word) for word in listed.split()]
    assert 0 == upload(cable, [{}, *({"command": c, "x": LAT, "y": LON} for c in commands)])
    assert commands == [m.command for m in download(cable)][1:]
