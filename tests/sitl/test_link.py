"""Links, streams, parameters and modes on the ground."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import Client, Silence

SPEEDUP = 1
GUIDED, AUTO = 4, 3


def test_first_frame_is_mavlink_2_and_nothing_streams_unasked(vehicle, cable) -> None:
    """HEARTBEAT and texts alone: no position, no SYS_STATUS, no MISSION_CURRENT."""
    assert 0xFD == cable.heard[0].frame[0]
    cable.mark = len(cable.heard)
    cable.listen(2.5)
    unasked = {m.get_type() for m in cable.since_mark()}
    assert set() == unasked - {"HEARTBEAT", "STATUSTEXT", "PARAM_VALUE", "TIMESYNC"}


def test_second_client_of_a_port_hears_nothing(vehicle, cable) -> None:
    """It is connected and gets not one byte; the first goes on."""
    with Client(vehicle.port, system_id=254) as late:
        late.listen(2.0)
        assert [] == late.heard
    cable.heartbeat()


def test_other_ports_have_clients_of_their_own(vehicle, cable) -> None:
    """Base + 2 and + 3; heartbeats of one ground station are forwarded to the others, acks are not."""
    with Client(vehicle.second_port, system_id=253) as other:
        other.heartbeat()
        cable.mark = len(cable.heard)
        assert 0 == other.command(512, 148)
        cable.wait("HEARTBEAT", where=lambda m: m.get_srcSystem() == 253)
        assert [] == cable.since_mark("COMMAND_ACK", "AUTOPILOT_VERSION")


def test_unknown_parameter_is_met_with_silence(cable) -> None:
    """No PARAM_ERROR, nothing; the older names are unknown too."""
    for name in ("NO_SUCH_PARAM", "SYSID_THISMAV"):
        with pytest.raises(Silence):
            cable.parameter(name, wall_s=1.0)
    assert 1.0 == cable.parameter("MAV_SYSID")


def test_written_parameter_is_echoed_as_stored(cable) -> None:
    """1.6 into eight bits is 1.0, with index 65535."""
    assert 1.0 == cable.parameter("FS_GCS_ENABLE", 1.6)
    assert 65535 == cable.wait("PARAM_VALUE").param_index
    assert 0.0 == cable.parameter("FS_GCS_ENABLE", 0.0)


@pytest.mark.parametrize("name", ["FENCE_ACTION", "FENCE_TYPE", "FENCE_ALT_MAX", "RTL_ALT"])
def test_defaults_are_the_observed_ones(cable, name) -> None:
    """As a copter of 4.7 has them."""
    observed = {"FENCE_ACTION": 1, "FENCE_TYPE": 7, "FENCE_ALT_MAX": 100, "RTL_ALT": 1500}
    assert observed[name] == cable.parameter(name)


def test_stream_has_the_asked_rate(cable) -> None:
    """Ten a vehicle second, by the vehicle's own clock; -1 ends it."""
    assert 0 == cable.stream(2, 10.0)
    cable.listen(2.2)
    stamps = [m.time_boot_ms for m in cable.since_mark("SYSTEM_TIME")][2:]
    gap_ms = (stamps[-1] - stamps[0]) / (len(stamps) - 1)
    assert 90.0 < gap_ms < 115.0
    assert 0 == cable.stream(2, -1)
    cable.listen(0.3)
    cable.mark = len(cable.heard)
    cable.listen(0.7)
    assert [] == cable.since_mark("SYSTEM_TIME")


def test_too_fast_a_stream_is_denied_in_chunks(cable) -> None:
    """The text is longer than one STATUSTEXT."""
    assert mav.MAV_RESULT_DENIED == cable.stream(33, 400.0)
    cable.text("Increase SCHED_LOOP_RATE")
    parts = [m for m in cable.since_mark("STATUSTEXT") if m.id != 0]
    assert [0, 1] == [m.chunk_seq for m in parts][:2]
    assert 1 == len({m.id for m in parts})


@pytest.mark.parametrize("message_id", [99999, 253, 76, 158, 263])
def test_message_that_cannot_stream_is_denied(cable, message_id) -> None:
    """With its number in words."""
    assert mav.MAV_RESULT_DENIED == cable.stream(message_id, 1.0)
    cable.text(f"No ap_message for mavlink id ({message_id})")


def test_message_before_or_after_its_ack(cable) -> None:
    """AUTOPILOT_VERSION by REQUEST_MESSAGE, with the capabilities observed."""
    assert 0 == cable.request(148)
    version = cable.wait("AUTOPILOT_VERSION")
    assert 64495 == version.capabilities


@pytest.mark.parametrize("message_id", [47, 77, 253, 263, 290, 436, 60000])
def test_request_of_what_is_not_there_fails(cable, message_id) -> None:
    """FAILED without a text."""
    assert mav.MAV_RESULT_FAILED == cable.request(message_id)


def test_reached_before_anything_was_is_65535(cable) -> None:
    """REQUEST_MESSAGE(46)."""
    assert 0 == cable.request(46)
    assert 65535 == cable.wait("MISSION_ITEM_REACHED").seq


@pytest.mark.parametrize("target", [(1, 190), (1, 0), (0, 0)])
def test_commands_to_loose_addresses_are_executed(cable, target) -> None:
    """Only another system is ignored."""
    assert 0 == cable.command(512, 148, target=target)


def test_commands_to_another_system_are_ignored(cable) -> None:
    """System 2 is not us."""
    with pytest.raises(Silence):
        cable.command(512, 148, target=(2, 1), wall_s=1.0)


def test_unknown_command_is_unsupported(cable) -> None:
    """And a repeated command is executed and acked again."""
    assert mav.MAV_RESULT_UNSUPPORTED == cable.command(31337)
    assert [0, 0] == [cable.command(520, 1, confirmation=c) for c in (1, 2)]


def test_mode_change_is_acked_and_seen(cable) -> None:
    """Every mode is accepted while disarmed, AUTO without a mission included."""
    for mode in (GUIDED, AUTO, 6, 0):
        assert 0 == cable.command(176, 1, mode)
        cable.wait("HEARTBEAT", where=lambda m, mode=mode: m.custom_mode == mode)


def test_mode_that_does_not_exist_fails_in_words(cable) -> None:
    """FAILED and "No such mode 99"."""
    assert mav.MAV_RESULT_FAILED == cable.command(176, 1, 99)
    cable.text("No such mode 99")


def test_start_while_disarmed_is_accepted_and_moves_nothing(cable) -> None:
    """MISSION_START: mode 3 and ACCEPTED without a mission and without an armed motor."""
    assert 0 == cable.command(300)
    beat = cable.heartbeat(lambda m: m.custom_mode == AUTO)
    assert 0 == beat.base_mode & 128
    assert 0 == cable.command(176, 1, 0)


def test_arming_too_early_says_why(cable) -> None:
    """FAILED, and the reason as a text just after."""
    assert 0 == cable.command(176, 1, AUTO)
    assert mav.MAV_RESULT_FAILED == cable.command(400, 1)
    assert cable.text("Arm: ").startswith("Arm: ")
    assert 0 == cable.command(176, 1, 0)


def test_reposition_is_a_command_int_alone(cable) -> None:
    """LONG: UNSUPPORTED; not in GUIDED: DENIED; a bad frame has a text."""
    assert mav.MAV_RESULT_UNSUPPORTED == cable.command(192, -1, 0, 0, 0, 10.85, 106.62, 20)
    place = {"x": 108_500_000, "y": 1_066_200_000, "z": 20.0}
    assert mav.MAV_RESULT_DENIED == cable.command_int(192, -1, 0, 0, 0, **place)
    assert mav.MAV_RESULT_DENIED == cable.command_int(192, -1, 1, 0, 0, frame=1, **place)
    cable.text("Unknown mavlink coordinate frame 1")


def test_interval_is_told_and_an_unknown_id_is_cut(cable) -> None:
    """GET_MESSAGE_INTERVAL: ACCEPTED with the interval; FAILED and sixteen bits of a number too large."""
    assert 0 == cable.stream(30, 5.0)
    assert 0 == cable.command(510, 30)
    told = cable.wait("MESSAGE_INTERVAL")
    assert (30, 200_000) == (told.message_id, told.interval_us)
    assert 0 == cable.stream(30, -1)
    assert mav.MAV_RESULT_FAILED == cable.command(510, 99999)
    told = cable.wait("MESSAGE_INTERVAL")
    assert (34463, 0) == (told.message_id, told.interval_us)


def test_old_stream_request_works_without_ack(cable) -> None:
    """REQUEST_DATA_STREAM: all groups begin, and stop."""
    cable.send(mav.MAVLink_request_data_stream_message(1, 1, 0, 4, 1))
    for name in ("ATTITUDE", "SYS_STATUS", "MISSION_CURRENT", "VFR_HUD"):
        cable.wait(name)
    assert [] == cable.since_mark("COMMAND_ACK")
    cable.send(mav.MAVLink_request_data_stream_message(1, 1, 0, 4, 0))
    cable.listen(0.5)
    cable.mark = len(cable.heard)
    cable.listen(1.0)
    assert [] == cable.since_mark("ATTITUDE", "SYS_STATUS", "MISSION_CURRENT")


def modes_listed(client):
    """(number of modes, index) of each AVAILABLE_MODES since the mark, from its bytes: younger than some dialects."""
    return [
        (h.frame[18], h.frame[19])
        for h in client.heard[client.mark :]
        if int.from_bytes(h.frame[7:10], "little") == 435
    ]


def test_modes_are_listed_one_by_one(cable) -> None:
    """AVAILABLE_MODES: one message per request, 24 modes; index 0 does not send all."""
    for index in (1, 7):
        assert 0 == cable.request(435, index)
        cable.listen(0.2)
        assert [(24, index)] == modes_listed(cable)
    assert 0 == cable.request(435, 0)
    cable.listen(0.7)
    assert len(modes_listed(cable)) <= 1


def test_timesync_is_answered_and_ping_is_not(cable) -> None:
    """With both clocks."""
    cable.send(mav.MAVLink_timesync_message(0, 4711))
    answer = cable.wait("TIMESYNC", where=lambda m: m.ts1 == 4711)
    assert answer.tc1 > 0
    cable.send(mav.MAVLink_ping_message(1, 1, 0, 0))
    cable.listen(0.7)
    assert [] == cable.since_mark("PING")


def test_legacy_mode_change_has_no_ack(cable) -> None:
    """SET_MODE."""
    cable.send(mav.MAVLink_set_mode_message(1, 1, GUIDED))
    cable.wait("HEARTBEAT", where=lambda m: m.custom_mode == GUIDED)
    assert [] == cable.since_mark("COMMAND_ACK")
    assert 0 == cable.command(176, 1, 0)
