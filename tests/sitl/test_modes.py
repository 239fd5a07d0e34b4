"""Modes, arming and commands in the air."""

from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import upload
from tests.sitl.flying import (
    AUTO,
    FLIGHT_S,
    GUIDED,
    HOME_SLOT,
    LAT,
    LON,
    RTL,
    TAKEOFF,
    arm,
    fly,
    north,
    take_off,
)

LOITER, LAND = 5, 9


def test_loiter_without_a_stick_sinks(pilot) -> None:
    """The trap: every command is accepted, and the copter goes down by two metres a second."""
    take_off(pilot, 15.0)
    assert 0 == pilot.command(176, 1, LOITER)
    pilot.mark = len(pilot.heard)
    pilot.wait("GLOBAL_POSITION_INT", where=lambda m: m.vz > 120, wall_s=FLIGHT_S)
    pilot.text("SIM Hit ground", wall_s=FLIGHT_S)


def test_loiter_with_a_stick_in_the_middle_holds(pilot) -> None:
    """RC_CHANNELS_OVERRIDE 1500 on channel 3, again and again."""
    take_off(pilot, 15.0)

    def stick():
        pilot.post(
            mav.MAVLink_rc_channels_override_message(1, 1, 1500, 1500, 1500, 1500, 0, 0, 0, 0)
        )

    stick()
    assert 0 == pilot.command(176, 1, LOITER)
    heights = []
    for _ in range(30):
        stick()
        heights += [
            m.relative_alt for m in pilot.listen(0.03) if m.get_type() == "GLOBAL_POSITION_INT"
        ]
    assert len(heights) > 5
    assert max(heights[3:]) - min(heights[3:]) < 300


def test_navigation_commands_change_the_mode(pilot) -> None:
    """LOITER_UNLIM, RTL and LAND as commands; GUIDED between them is taken each time."""
    take_off(pilot, 10.0)
    for command, mode in ((17, LOITER), (20, RTL), (21, LAND)):
        assert 0 == pilot.command(176, 1, GUIDED)
        assert 0 == pilot.command(command)
        pilot.heartbeat(lambda m, mode=mode: m.custom_mode == mode)


def test_take_off_land_disarm_in_states(pilot) -> None:
    """ON_GROUND, TAKEOFF, IN_AIR, LANDING, ON_GROUND; then it disarms by itself."""
    begin = len(pilot.heard)
    assert mav.MAV_RESULT_FAILED == pilot.command(22, 0, 0, 0, 0, 0, 0, 10)
    take_off(pilot, 10.0)
    assert mav.MAV_RESULT_FAILED == pilot.command(22, 0, 0, 0, 0, 0, 0, 10)
    assert mav.MAV_RESULT_FAILED == pilot.command(400, 0)
    assert 0 == pilot.command(400, 1)
    pilot.wait("EXTENDED_SYS_STATE", where=lambda m: m.landed_state == 2, wall_s=FLIGHT_S)
    assert 0 == pilot.command(21)
    pilot.text("Disarming motors", wall_s=FLIGHT_S)
    pilot.heartbeat(lambda m: not m.base_mode & 128)
    states = [
        h.message.landed_state
        for h in pilot.heard[begin:]
        if h.message.get_type() == "EXTENDED_SYS_STATE"
    ]
    changes = [state for i, state in enumerate(states) if i == 0 or state != states[i - 1]]
    assert [1, 3, 2, 4, 1] == changes


def test_armed_without_take_off_disarms_itself(pilot) -> None:
    """After ten seconds on the ground."""
    arm(pilot)
    pilot.heartbeat(lambda m: not m.base_mode & 128, wall_s=FLIGHT_S)


def test_ground_refuses_in_words(pilot) -> None:
    """Pause, landing sequence and arming in AUTO fail, each with its text; no other height is known."""
    assert mav.MAV_RESULT_FAILED == pilot.command(193, 0)
    pilot.text("Failed to pause")
    assert mav.MAV_RESULT_FAILED == pilot.command(189)
    pilot.text("Unable to start landing sequence")
    assert mav.MAV_RESULT_UNSUPPORTED == pilot.command(186)
    assert 0 == upload(pilot, [HOME_SLOT, TAKEOFF, north(20)])
    assert 0 == pilot.command(176, 1, AUTO)
    assert mav.MAV_RESULT_FAILED == pilot.command(400, 1)
    assert "AUTO mode not armable" in pilot.text("Arm: ")


def test_reached_is_lossy_and_not_only_for_navigation(pilot) -> None:
    """DO items after a waypoint hide its number; the text has it."""
    begin = len(pilot.heard)
    fly(
        pilot,
        [
            HOME_SLOT,
            TAKEOFF,
            north(15),
            {"command": 178, "p": (1, 6, 0, 0)},
            north(30),
            north(45),
            {"command": 20},
        ],
    )
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 6, wall_s=FLIGHT_S)
    texts = pilot.texts(begin)
    for number in (2, 4, 5):
        assert any(text.startswith(f"Reached command #{number}") for text in texts)
    reached = [
        h.message.seq for h in pilot.heard[begin:] if h.message.get_type() == "MISSION_ITEM_REACHED"
    ]
    assert 3 in reached
    assert set(reached) <= {1, 2, 3, 4, 5}
    assert 2 not in reached


def test_new_mission_does_not_begin_at_its_beginning(pilot) -> None:
    """Uploaded in GUIDED and AUTO commanded: the old number goes on; DO_SET_MISSION_CURRENT first."""
    fly(pilot, [HOME_SLOT, TAKEOFF, north(100), north(150), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    assert 0 == pilot.command(176, 1, GUIDED)
    assert 0 == upload(pilot, [HOME_SLOT, north(20), north(60), {"command": 20}])
    assert 0 == pilot.command(176, 1, AUTO)
    pilot.mark = len(pilot.heard)
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2 and m.total == 3)
    assert 0 == pilot.command(224, 1)
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 1)


def test_change_of_speed_is_heeded_and_that_of_reposition_is_not(pilot) -> None:
    """DO_CHANGE_SPEED 3 flies 3 m/s."""
    take_off(pilot)
    assert 0 == pilot.command_int(192, 2, 0, 0, 0, x=LAT + 8983, y=LON, z=20.0)
    pilot.wait("GLOBAL_POSITION_INT", where=lambda m: m.vx > 350, wall_s=FLIGHT_S)
    assert 0 == pilot.command(178, 1, 3)
    pilot.wait(
        "GLOBAL_POSITION_INT", where=lambda m: 250 < m.vx < 340, wall_s=FLIGHT_S, what="at 3 m/s"
    )


def test_fence_of_height(pilot) -> None:
    """Max Alt: type 2 and RTL; AUTO outside is accepted all the same."""
    assert 15.0 == pilot.parameter("FENCE_ALT_MAX", 15.0)
    assert 0 == pilot.command(207, 1)
    fly(pilot, [HOME_SLOT, {**TAKEOFF, "z": 40.0}, north(50), {"command": 20}])
    pilot.text("Max Alt fence breached", wall_s=FLIGHT_S)
    pilot.heartbeat(lambda m: m.custom_mode == RTL)
    status = pilot.wait("FENCE_STATUS", where=lambda m: m.breach_status == 1)
    assert 2 == status.breach_type
    assert 0 == pilot.command(176, 1, AUTO)
    pilot.heartbeat(lambda m: m.custom_mode == AUTO)


def test_home_is_set_anew_at_arming(pilot) -> None:
    """Item 0 follows the place of arming; DO_SET_HOME moves it too."""
    arm(pilot)
    assert 0 == pilot.command_int(179, 0, x=LAT + 500, y=LON, z=7.0, frame=0)
    pilot.send(mav.MAVLink_mission_request_int_message(1, 1, 0, 0))
    home = pilot.wait("MISSION_ITEM_INT", where=lambda m: m.seq == 0)
    assert (LAT + 500, 7.0) == (home.x, home.z)


def test_target_by_message_moves_without_ack(pilot) -> None:
    """SET_POSITION_TARGET_GLOBAL_INT in GUIDED, frame 6."""
    take_off(pilot, 15.0)
    pilot.send(
        mav.MAVLink_set_position_target_global_int_message(
            0, 1, 1, 6, 0b0000_1111_1111_1000, LAT + 2246, LON, 15.0, 0, 0, 0, 0, 0, 0, 0, 0
        )
    )
    pilot.wait("GLOBAL_POSITION_INT", where=lambda m: m.lat > LAT + 1900, wall_s=FLIGHT_S)
    assert [] == pilot.since_mark("COMMAND_ACK")


def test_jump_repeats_and_land_ends_it(pilot) -> None:
    """DO_JUMP goes back twice; after the LAND item it disarms in AUTO."""
    begin = len(pilot.heard)
    fly(
        pilot,
        [
            HOME_SLOT,
            {**TAKEOFF, "z": 10.0},
            north(10, z=10.0),
            north(20, z=10.0),
            {"command": 177, "p": (2, 2, 0, 0)},
            {"command": 21},
        ],
    )
    beat = pilot.heartbeat(lambda m: not m.base_mode & 128, wall_s=FLIGHT_S)
    assert AUTO == beat.custom_mode
    texts = pilot.texts(begin)
    assert [3, 3] == [
        sum(text.startswith(f"Reached command #{number}") for text in texts) for number in (2, 3)
    ]
    reached = [
        h.message.seq for h in pilot.heard[begin:] if h.message.get_type() == "MISSION_ITEM_REACHED"
    ]
    assert 5 not in reached


def test_force_is_force(pilot) -> None:
    """21196 stops the motors in the air; 2989 arms whatever stands against it."""
    take_off(pilot, 10.0)
    assert 0 == pilot.command(400, 0, 21196)
    pilot.heartbeat(lambda m: not m.base_mode & 128)
    pilot.text("SIM Hit ground", wall_s=FLIGHT_S)
    assert 0 == pilot.command(176, 1, AUTO)
    assert 0 == pilot.command(400, 1, 2989)
    pilot.heartbeat(lambda m: m.base_mode & 128)


def test_clear_in_guided_flight_is_taken(pilot) -> None:
    """Only AUTO keeps its mission."""
    fly(pilot, [HOME_SLOT, TAKEOFF, north(100), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    assert 0 == pilot.command(176, 1, GUIDED)
    pilot.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
    pilot.wait("MISSION_ACK", where=lambda m: m.type == 0)
    assert mav.MAV_RESULT_FAILED == pilot.command(176, 1, AUTO)
    pilot.text("Mode change to AUTO failed: init failed")
