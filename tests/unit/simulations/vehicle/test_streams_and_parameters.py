"""Parameters, intervals, one-time requests: what is answered, refused, and met with silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.defaults import specs
from simulations.vehicle.parameters import INT8, INT16, INT32, REAL32, Parameters, stored
from tests.unit.simulations.vehicle.pilot import ACCEPTED, DENIED, FAILED, UNSUPPORTED, Pilot

SEEN_ACCEPTED = [
    0, 1, 2, 24, 30, 33, 42, 46, 49, 62, 65, 74, 116, 125, 129, 132, 136, 147, 148, 152, 162, 163,
    178, 193, 226, 241, 242, 245, 269, 280, 285, 376, 435, 11030,
]  # fmt: skip
SEEN_FAILED = [
    47, 77, 141, 158, 182, 230, 231, 234, 253, 263, 265, 290, 300, 310, 330, 335, 375, 397, 411,
    412, 436, 11038, 99999,
]  # fmt: skip


@pytest.fixture
def pilot():
    return Pilot().ready()


@pytest.fixture(scope="module")
def asked():
    """A copter that many are asked of."""
    return Pilot().ready()


def test_unknown_parameter_is_answered_by_silence(pilot) -> None:
    """No PARAM_VALUE, no PARAM_ERROR."""
    begin_s = pilot.now_s
    pilot.send(mav.MAVLink_param_request_read_message(1, 1, b"SYSID_THISMAV", -1))
    pilot.run(2.0)
    assert [] == pilot.messages("PARAM_VALUE", begin_s + 0.001)


def test_full_list_misses_none_and_has_no_doubles(pilot) -> None:
    """Every index once."""
    begin_s = pilot.now_s
    pilot.send(mav.MAVLink_param_request_list_message(1, 1))
    pilot.run(2.0)
    values = pilot.messages("PARAM_VALUE", begin_s + 0.001)
    count = values[0].param_count
    assert list(range(count)) == [value.param_index for value in values]
    assert count == len({value.param_id for value in values})


@pytest.mark.parametrize(
    ("name", "asked", "kept"),
    [
        ("FS_GCS_ENABLE", 1.6, 1.0),  # an 8-bit parameter is cut
        ("RTL_ALT", 2500.9, 2500.0),
        ("WPNAV_SPEED", 512.5, 512.5),
        ("FS_GCS_ENABLE", 300.0, 127.0),
    ],
)
def test_set_reports_what_was_stored(pilot, name, asked, kept) -> None:
    """With index 65535."""
    value = pilot.parameter(name, asked)
    assert (kept, 65535) == (value.param_value, value.param_index)


@given(st.sampled_from([INT8, INT16, INT32, REAL32]), st.floats(-1e12, 1e12))
def test_storing_twice_changes_nothing(kind, value) -> None:
    """What is stored is stored exactly."""
    assert stored(kind, value) == stored(kind, stored(kind, value))


def test_firmwares_name_their_parameters_differently() -> None:
    """MAV_SYSID and MAV1_* against SYSID_THISMAV and SR0_*."""
    new, old = Parameters(specs("4.7")), Parameters(specs("4.6"))
    for name in ("MAV_SYSID", "MAV_GCS_SYSID", "MAV1_POSITION"):
        assert (True, False) == (name in new, name in old)
    for name in ("SYSID_THISMAV", "SYSID_MYGCS", "SR0_POSITION"):
        assert (False, True) == (name in new, name in old)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FS_GCS_ENABLE", 0), ("FS_GCS_TIMEOUT", 5), ("FS_OPTIONS", 16), ("BATT_LOW_TIMER", 10),
        ("BATT_FS_LOW_ACT", 0), ("FENCE_ENABLE", 0), ("FENCE_ACTION", 1), ("FENCE_TYPE", 7),
        ("FENCE_ALT_MAX", 100), ("RTL_ALT", 1500), ("WPNAV_SPEED", 1000), ("WPNAV_RADIUS", 200),
        ("DISARM_DELAY", 10), ("AUTO_OPTIONS", 0), ("MIS_RESTART", 0), ("GUID_TIMEOUT", 3),
        ("FS_THR_ENABLE", 1), ("MAV_GCS_SYSID", 255),
    ],
)  # fmt: skip
def test_defaults_are_those_observed(name, value) -> None:
    """On a real vehicle of this firmware."""
    assert float(value) == Parameters(specs("4.7"))[name]


@pytest.mark.parametrize("rate_hz", [1, 5, 10, 50, 100])
def test_interval_gives_the_rate_that_was_asked_for(pilot, rate_hz) -> None:
    """In vehicle seconds."""
    assert ACCEPTED == pilot.stream(33, rate_hz)
    begin_s = pilot.now_s
    pilot.run(4.0)
    got = len(pilot.messages("GLOBAL_POSITION_INT", begin_s + 0.001)) / 4.0
    assert pytest.approx(rate_hz, rel=0.06) == got


def test_interval_shorter_than_the_loop_is_denied_in_two_chunks(pilot) -> None:
    """One text, two messages with one id."""
    assert DENIED == pilot.stream(33, 400)
    pilot.run(0.1)
    chunks = [m for m in pilot.messages("STATUSTEXT") if m.id != 0]
    assert [0, 1] == [m.chunk_seq for m in chunks]
    assert 1 == len({m.id for m in chunks})
    assert (
        "Requested rate for message ID 33 too fast. Increase SCHED_LOOP_RATE"
        == "".join(m.text for m in chunks)
    )  # fmt: skip


@pytest.mark.parametrize("message_id", [99999, 253, 76, 158, 263])
def test_interval_of_what_cannot_be_streamed_is_denied(pilot, message_id) -> None:
    """With the number in the text."""
    assert DENIED == pilot.stream(message_id, 1)
    pilot.run(0.1)
    assert f"No ap_message for mavlink id ({message_id})" in pilot.texts()


@pytest.mark.parametrize("interval_us", [0, -1])
def test_stream_can_be_switched_off(pilot, interval_us) -> None:
    """0 is the default, which is nothing on this link."""
    pilot.stream(33, 10)
    assert ACCEPTED == pilot.command(511, 33, interval_us)
    begin_s = pilot.now_s
    pilot.run(2.0)
    assert [] == pilot.messages("GLOBAL_POSITION_INT", begin_s + 0.001)


def test_heartbeats_can_come_faster(pilot) -> None:
    """Its interval is like any other."""
    pilot.stream(0, 5)
    begin_s = pilot.now_s
    pilot.run(4.0)
    assert 19 <= len(pilot.messages("HEARTBEAT", begin_s)) <= 22


def test_interval_of_an_unknown_message_has_half_its_number(pilot) -> None:
    """FAILED, and still a MESSAGE_INTERVAL whose id is truncated."""
    assert FAILED == pilot.command(510, 99999)
    told = pilot.messages("MESSAGE_INTERVAL")[-1]
    assert (34463, 0) == (told.message_id, told.interval_us)
    pilot.stream(33, 4)
    assert ACCEPTED == pilot.command(510, 33)
    assert 250_000 == pilot.messages("MESSAGE_INTERVAL")[-1].interval_us


def test_data_stream_starts_and_stops_all_groups_without_an_acknowledgement(pilot) -> None:
    """REQUEST_DATA_STREAM 0."""
    begin_s = pilot.now_s
    pilot.send(mav.MAVLink_request_data_stream_message(1, 1, 0, 4, 1))
    pilot.run(5.0)
    kinds = pilot.kinds(begin_s + 0.001)
    assert {
        "GLOBAL_POSITION_INT", "SYS_STATUS", "ATTITUDE", "VFR_HUD", "GPS_RAW_INT",
        "MISSION_CURRENT", "BATTERY_STATUS", "EKF_STATUS_REPORT", "RC_CHANNELS", "WIND",
    } <= kinds  # fmt: skip
    assert "COMMAND_ACK" not in kinds
    assert 18 <= len(pilot.messages("ATTITUDE", begin_s)) <= 21
    pilot.send(mav.MAVLink_request_data_stream_message(1, 1, 0, 4, 0))
    pilot.run(0.5)
    quiet_s = pilot.now_s
    pilot.run(2.0)
    assert "ATTITUDE" not in pilot.kinds(quiet_s + 0.001)


def test_stream_parameters_do_the_same() -> None:
    """MAV1_POSITION is the first link's."""
    pilot = Pilot(parameters={"MAV1_POSITION": 5}).ready()
    assert pilot.messages("GLOBAL_POSITION_INT")


@pytest.mark.parametrize("message_id", SEEN_ACCEPTED)
def test_message_may_be_requested(asked, message_id) -> None:
    """As observed."""
    assert ACCEPTED == asked.command(512, message_id, 1)


@pytest.mark.parametrize("message_id", SEEN_FAILED)
def test_message_may_not_be_requested(asked, message_id) -> None:
    """FAILED without a text."""
    begin_s = asked.now_s
    assert FAILED == asked.command(512, message_id)
    assert [] == asked.texts(begin_s + 0.001)


def test_reached_item_before_any_is_65535(pilot) -> None:
    """REQUEST_MESSAGE(46)."""
    pilot.command(512, 46)
    pilot.run(0.05)
    assert 65535 == pilot.messages("MISSION_ITEM_REACHED")[0].seq


def test_version_comes_before_its_acknowledgement(pilot) -> None:
    """4 ms before, on a real one."""
    pilot.command(512, 148)
    kinds = [m.get_type() for _, m in pilot.heard]
    assert kinds.index("AUTOPILOT_VERSION") < kinds.index("COMMAND_ACK")
    version = pilot.messages("AUTOPILOT_VERSION")[0]
    assert (64495, 0x04070000) == (version.capabilities, version.flight_sw_version)


def test_modes_are_listed_one_by_one(pilot) -> None:
    """By index from 1; index 0 sends none; 24 of them."""
    for index in range(25):
        assert ACCEPTED == pilot.command(512, 435, index)
    pilot.run(0.1)
    modes = pilot.messages("AVAILABLE_MODES")
    assert list(range(1, 25)) == [m.mode_index for m in modes]
    assert {24} == {m.number_modes for m in modes}
    assert 24 == len({m.custom_mode for m in modes})


def test_older_firmware_lists_no_modes() -> None:
    """AVAILABLE_MODES: FAILED."""
    assert FAILED == Pilot(firmware="4.6").ready().command(512, 435, 1)


@pytest.mark.parametrize(
    ("number", "result"),
    [(520, ACCEPTED), (519, UNSUPPORTED), (521, UNSUPPORTED), (527, UNSUPPORTED)],
)
def test_old_requests(pilot, number, result) -> None:
    """Only the capabilities are left."""
    assert result == pilot.command(number, 1)


def test_battery_message_marks_what_it_does_not_know(pilot) -> None:
    """Unused cells 65535, temperature 32767, charge state OK."""
    pilot.command(512, 147)
    pilot.run(0.05)
    battery = pilot.messages("BATTERY_STATUS")[0]
    assert ([65535] * 9, 32767, 0, 1) == (
        battery.voltages[1:], battery.temperature, battery.time_remaining, battery.charge_state
    )  # fmt: skip
    assert 12600 == battery.voltages[0]
