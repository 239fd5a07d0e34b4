"""Commands: addressing, acknowledgement, modes, take-off, reposition, home, mission start."""

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.unit.simulations.vehicle.pilot import (
    ACCEPTED,
    ALT_HOLD,
    AUTO,
    BRAKE,
    DENIED,
    FAILED,
    GUIDED,
    HOME_SLOT,
    LAND,
    LOITER,
    RETURN,
    RTL,
    STABILIZE,
    TAKE_OFF,
    UNSUPPORTED,
    Pilot,
    e7,
    item,
)  # fmt: skip


@pytest.fixture
def pilot():
    return Pilot().ready()


@pytest.fixture(scope="module")
def flying():
    """A copter at 20 m in GUIDED; tests put it back."""
    return Pilot().take_off()


@pytest.mark.parametrize("target", [(1, 1), (1, 190), (1, 0), (0, 0), (0, 1)])
def test_command_to_any_component_is_executed(pilot, target) -> None:
    """Only another system id is ignored."""
    assert ACCEPTED == pilot.command(176, 1, GUIDED, target=target)
    assert GUIDED == pilot.mode


def test_command_to_another_system_is_ignored(pilot) -> None:
    """No answer at all."""
    assert pilot.command(176, 1, GUIDED, target=(2, 1)) is None
    assert STABILIZE == pilot.mode


def test_unknown_command_is_unsupported_and_addressed_to_its_sender(pilot) -> None:
    """The acknowledgement carries the sender's ids."""
    assert UNSUPPORTED == pilot.command(31999)
    assert (255, 190) == (pilot.ack.target_system, pilot.ack.target_component)


def test_repeated_command_runs_again(pilot) -> None:
    """No suppression of duplicates: three acknowledgements for one confirmation after the other."""
    for confirmation in range(3):
        assert ACCEPTED == pilot.command(176, 1, LOITER, confirmation=confirmation)
    assert 3 == len([m for m in pilot.messages("COMMAND_ACK") if m.command == 176])


def test_mode_change_sends_a_heartbeat_at_once(pilot) -> None:
    """In the same tick as the acknowledgement."""
    pilot.run(0.5)
    pilot.set_mode(GUIDED)
    acked_s = next(t for t, m in pilot.heard if m is pilot.ack)
    beats = [m for t, m in pilot.heard if m.get_type() == "HEARTBEAT" and t == acked_s]
    assert [GUIDED] == [m.custom_mode for m in beats]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 16, 17, 21, 27])
def test_disarmed_every_mode_is_accepted(pilot, number) -> None:
    """AUTO without a mission included."""
    assert ACCEPTED == pilot.set_mode(number)
    assert number == pilot.mode


def test_mode_that_does_not_exist_is_failed_in_words(pilot) -> None:
    """By command and, without an acknowledgement, by SET_MODE."""
    assert FAILED == pilot.set_mode(99)
    pilot.run(0.1)
    assert ["No such mode 99"] == [t for t in pilot.texts() if "mode" in t]
    pilot.send(mav.MAVLink_set_mode_message(1, 1, LOITER))
    pilot.run(0.1)
    assert LOITER == pilot.mode


def test_auto_without_a_mission_is_refused_while_armed(pilot) -> None:
    """In words."""
    pilot.set_mode(GUIDED)
    pilot.command(400, 1)
    assert FAILED == pilot.set_mode(AUTO)
    pilot.run(0.05)
    assert "Mode change to AUTO failed: init failed" in pilot.texts()


def test_auto_without_take_off_item_is_refused_on_the_ground(pilot) -> None:
    """The critical text comes before the refusal."""
    pilot.upload(TAKE_OFF, item(16, 40.0), RETURN)
    pilot.set_mode(GUIDED)
    pilot.command(400, 1)
    assert FAILED == pilot.set_mode(AUTO)
    pilot.run(0.05)
    assert ["Auto: Missing Takeoff Cmd", "Mode change to AUTO failed: init failed"] == (
        pilot.texts()[-2:]
    )


def test_mission_start_while_disarmed_is_accepted_and_moves_nothing(pilot) -> None:
    """Mode 3, state ACTIVE, on the ground."""
    pilot.upload(HOME_SLOT, TAKE_OFF, item(16, 40.0), RETURN)
    assert ACCEPTED == pilot.command(300)
    pilot.stream(42, 5)
    pilot.run(15.0)
    assert (AUTO, False) == (pilot.mode, pilot.armed)
    assert (1, 3) == (
        pilot.messages("MISSION_CURRENT")[-1].seq,
        pilot.messages("MISSION_CURRENT")[-1].mission_state,
    )
    assert 0.0 == pytest.approx(pilot.height_m)


def test_arming_twice_and_disarming_twice_are_accepted(pilot) -> None:
    """What is so already is no failure."""
    pilot.set_mode(GUIDED)
    assert [ACCEPTED] * 4 == [pilot.command(400, on) for on in (1, 1, 0, 0)]


def test_disarm_in_flight_is_failed_silently_unless_forced(flying) -> None:
    """Parameter 2 is 21196: it falls."""
    begin_s = flying.now_s
    assert FAILED == flying.command(400, 0)
    assert [] == flying.texts(begin_s + 0.001)
    assert flying.armed


def test_forced_disarm_in_flight_lets_it_fall() -> None:
    """ACCEPTED."""
    pilot = Pilot().take_off()
    assert ACCEPTED == pilot.command(400, 0, 21196)
    pilot.until_true(lambda: pilot.body.on_ground)
    assert any(text.startswith("SIM Hit ground at") for text in pilot.texts())


def test_take_off_needs_motors_ground_and_a_mode(pilot) -> None:
    """Disarmed FAILED, STABILIZE FAILED, GUIDED ACCEPTED, already flying FAILED."""
    up = (22, 0, 0, 0, 0, 0, 0, 10)
    pilot.set_mode(GUIDED)
    assert FAILED == pilot.command(*up)
    pilot.command(400, 1)
    assert ACCEPTED == pilot.command(*up)
    pilot.run(8.0)
    assert FAILED == pilot.command(*up)


def test_take_off_in_loiter_is_accepted(pilot) -> None:
    """With motors running."""
    pilot.set_mode(LOITER)
    pilot.command(400, 1)
    assert ACCEPTED == pilot.command(22, 0, 0, 0, 0, 0, 0, 10)
    pilot.until_true(lambda: pilot.height_m > 8.0)


@pytest.mark.parametrize(("number", "mode"), [(21, LAND), (20, RTL), (17, LOITER)])
def test_navigation_commands_change_the_mode(pilot, number, mode) -> None:
    """LAND, RTL and LOITER."""
    assert ACCEPTED == pilot.command(number)
    assert mode == pilot.mode


def test_commands_that_have_no_place_here(flying) -> None:
    """DO_CHANGE_ALTITUDE unsupported; DO_LAND_START without one fails in words."""
    assert UNSUPPORTED == flying.command(186, 30, 3)
    assert FAILED == flying.command(189)
    flying.run(0.05)
    assert "Unable to start landing sequence" in flying.texts()


@pytest.mark.parametrize(
    ("frame", "z", "alt_msl_m"),
    [(0, 30.0, 30.0), (5, 30.0, 30.0), (3, 20.0, 25.0), (6, 20.0, 25.0), (10, 20.0, 25.0)],
)
def test_reposition_goes_there_in_every_known_frame(flying, frame, z, alt_msl_m) -> None:
    """Echoed as height above the sea, in frame 0."""
    flying.set_mode(GUIDED)
    x, y = e7(3.0, 0.0)
    assert ACCEPTED == flying.command_int(192, -1, 0, 0, 0, frame=frame, x=x, y=y, z=z)
    assert ACCEPTED == flying.command(512, 87)
    flying.run(0.05)
    told = flying.messages("POSITION_TARGET_GLOBAL_INT")[-1]
    assert (0, 65016, x, y) == (told.coordinate_frame, told.type_mask, told.lat_int, told.lon_int)
    assert pytest.approx(alt_msl_m, abs=0.3) == told.alt


@pytest.mark.parametrize(("x", "y"), [(950_000_000, 0), (0, 0), (2**31 - 1, 0), (0, 2**31 - 1)])
def test_reposition_to_no_place_is_denied_silently(flying, x, y) -> None:
    """No text."""
    begin_s = flying.now_s
    assert DENIED == flying.command_int(192, -1, 0, 0, 0, x=x, y=y, z=20.0)
    flying.run(0.05)
    assert [] == flying.texts(begin_s + 0.001)


def test_reposition_in_a_local_frame_is_denied_in_words(flying) -> None:
    """Frame 1."""
    flying.set_mode(GUIDED)
    x, y = e7(3.0, 0.0)
    assert DENIED == flying.command_int(192, -1, 0, 0, 0, frame=1, x=x, y=y, z=20.0)
    flying.run(0.05)
    assert "Unknown mavlink coordinate frame 1" in flying.texts()


def test_reposition_is_no_command_long(flying) -> None:
    """UNSUPPORTED."""
    assert UNSUPPORTED == flying.command(192, -1, 1, 0, 0, 10.4, 104.5, 20)


def test_reposition_from_another_mode_needs_its_flag(pilot) -> None:
    """DENIED without, GUIDED with it, on the ground too."""
    x, y = e7(30.0, 0.0)
    assert DENIED == pilot.command_int(192, -1, 0, 0, 0, x=x, y=y, z=20.0)
    assert ACCEPTED == pilot.command_int(192, -1, 1, 0, 0, x=x, y=y, z=20.0)
    assert GUIDED == pilot.mode
    pilot.run(3.0)
    assert pilot.body.on_ground


def test_home_set_by_command_int_is_item_zero(pilot) -> None:
    """And arming does not move it any more."""
    pilot.upload(HOME_SLOT, TAKE_OFF, RETURN)
    x, y = e7(25.0, 5.0)
    assert ACCEPTED == pilot.command_int(179, 0, frame=0, x=x, y=y, z=7.0)
    pilot.set_mode(GUIDED)
    pilot.command(400, 1)
    home = pilot.copter.transfers.mission.items[0]
    assert (pytest.approx(x, abs=2), pytest.approx(y, abs=2), pytest.approx(7.0, abs=0.01)) == (
        home.x_e7, home.y_e7, home.z_m
    )  # fmt: skip


def test_pause_on_the_ground_fails_in_words(pilot) -> None:
    """Neither in AUTO nor elsewhere."""
    assert FAILED == pilot.command(193, 0)
    pilot.run(0.05)
    assert "Failed to pause" in pilot.texts()


def test_mission_item_is_set_by_command_and_by_message(pilot) -> None:
    """DENIED or silence for one that does not exist; 0 means 1."""
    pilot.upload(HOME_SLOT, TAKE_OFF, item(16, 40.0), item(16, 80.0), RETURN)
    assert ACCEPTED == pilot.command(224, 3)
    assert 3 == pilot.messages("MISSION_CURRENT")[-1].seq
    assert DENIED == pilot.command(224, 9)
    begin_s = pilot.now_s
    pilot.send(mav.MAVLink_mission_set_current_message(1, 1, 9))
    pilot.run(0.2)
    assert [] == pilot.messages("MISSION_CURRENT", begin_s + 0.001)
    pilot.send(mav.MAVLink_mission_set_current_message(1, 1, 2))
    assert 2 == pilot.until("MISSION_CURRENT", within_s=0.5)[1].seq
    assert [224, 224] == [m.command for m in pilot.messages("COMMAND_ACK") if m.command != 511][-2:]


def test_time_is_answered_and_ping_is_not(pilot) -> None:
    """TIMESYNC with tc1; no PING."""
    pilot.send(mav.MAVLink_ping_message(0, 1, 0, 0))
    pilot.send(mav.MAVLink_timesync_message(0, 4711))
    answer = pilot.until("TIMESYNC", lambda m: m.ts1 == 4711, within_s=0.5)[1]
    assert answer.tc1 > 0
    assert [] == pilot.messages("PING")


def test_heading_is_turned_to(flying) -> None:
    """Absolute, and by so much more."""
    flying.set_mode(GUIDED)
    assert ACCEPTED == flying.command(115, 90, 30, 1, 0)
    flying.run(6.0)
    assert 90.0 == pytest.approx(math.degrees(flying.body.yaw_rad), abs=3.0)
    assert ACCEPTED == flying.command(115, 45, 30, -1, 1)
    flying.run(6.0)
    assert 45.0 == pytest.approx(math.degrees(flying.body.yaw_rad), abs=3.0)
    assert FAILED == flying.command(115, 400, 0, 0, 0)


@pytest.mark.parametrize("mode", [ALT_HOLD, BRAKE])
def test_modes_change_in_flight(mode) -> None:
    """And HEARTBEAT says so."""
    pilot = Pilot().take_off()
    assert ACCEPTED == pilot.set_mode(mode)
    assert mode == pilot.heartbeat().custom_mode
