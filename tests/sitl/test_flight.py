"""Flights: missions, changes under way, the fence, the return."""

import itertools

from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import answers, download, item_int, off_axis_deg, upload
from tests.sitl.flying import (
    AUTO,
    BRAKE,
    FLIGHT_S,
    GUIDED,
    HOME_SLOT,
    LAT,
    LON,
    RTL,
    TAKEOFF,
    above,
    arm,
    fly,
    north,
    north_of_home,
    take_off,
)


def test_mission_from_start_to_disarm(pilot) -> None:
    """On the ground until MISSION_START; AUTO all the way home; COMPLETE and seq 0 at the end."""
    begin = len(pilot.heard)
    items = [HOME_SLOT, TAKEOFF, north(30), {"command": 178, "p": (1, 8, 0, 0)}, north(60)]
    assert 0 == upload(pilot, [*items, {"command": 20}], wall_s=FLIGHT_S)
    arm(pilot)
    assert 0 == pilot.command(176, 1, AUTO)
    pilot.listen(0.5)
    heights = [m.relative_alt for m in pilot.since_mark("GLOBAL_POSITION_INT")]
    assert heights
    assert max(heights) < 1000
    assert 0 == pilot.command(300)
    above(pilot, 15.0)
    pilot.heartbeat(lambda m: m.system_status == 4)
    home = pilot.heartbeat(lambda m: not m.base_mode & 128, wall_s=FLIGHT_S)
    assert AUTO == home.custom_mode
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 0 and m.mission_state == 5)
    texts = pilot.texts(begin)
    assert [f"Mission: {k}" for k in (1, 2, 4, 5)] == [
        t[:10] for t in texts if t[:10] in {f"Mission: {k}" for k in (1, 2, 4, 5)}
    ]
    assert any(t.startswith("Reached command #2") for t in texts)
    reached = [
        h.message.seq for h in pilot.heard[begin:] if h.message.get_type() == "MISSION_ITEM_REACHED"
    ]
    assert [1, 5] == [reached[0], reached[-1]]
    assert {0, 65535} & set(reached) == set()
    modes = {
        h.message.custom_mode
        for h in pilot.heard[begin:]
        if h.message.get_type() == "HEARTBEAT"
        and h.message.autopilot == 3
        and h.message.base_mode & 128
    }
    assert {GUIDED, AUTO} == modes


def test_mission_in_flight_can_be_cut_but_not_cleared(pilot) -> None:
    """CLEAR_ALL: ERROR and kept; COUNT 0: accepted, and the copter keeps its last target."""
    fly(pilot, [HOME_SLOT, TAKEOFF, north(200), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    pilot.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
    pilot.wait("MISSION_ACK", where=lambda m: m.type == 1)
    assert 4 == len(download(pilot))
    pilot.send(mav.MAVLink_mission_count_message(1, 1, 0, 0))
    pilot.wait("MISSION_ACK", where=lambda m: m.type == 0)
    pilot.text("Auto mission changed but failed to restart command")
    assert AUTO == pilot.heartbeat().custom_mode


def test_new_mission_in_auto_keeps_the_old_number(pilot) -> None:
    """Allowed, said by texts; a mission shorter than the current seq leaves a stale one."""
    fly(pilot, [HOME_SLOT, TAKEOFF, north(150), north(200), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    assert 0 == upload(pilot, [HOME_SLOT, TAKEOFF, north(160), north(210), north(220)])
    pilot.text("Auto mission changed, restarted command")
    pilot.mark = len(pilot.heard)
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2 and m.total == 4)
    assert 0 == upload(pilot, [HOME_SLOT, TAKEOFF])
    pilot.mark = len(pilot.heard)
    stale = pilot.wait("MISSION_CURRENT", where=lambda m: m.total == 1)
    assert 2 == stale.seq
    assert AUTO == pilot.heartbeat().custom_mode


def test_stump_of_a_refused_upload_can_be_flown(pilot) -> None:
    """The reason why nobody may arm on the remains: it hovers at its end."""
    items = [HOME_SLOT, TAKEOFF, north(20), {"command": 31000}, {"command": 20}]
    assert 3 == upload(pilot, items)
    arm(pilot)
    assert 0 == pilot.command(300)
    pilot.wait(
        "MISSION_CURRENT",
        where=lambda m: m.seq == 2 and m.mission_state == 5,
        wall_s=FLIGHT_S,
    )
    pilot.listen(1.0)
    assert pilot.heartbeat().base_mode & 128


def test_mission_without_take_off_does_not_start(pilot) -> None:
    """The home slot swallowed it: AUTO fails in words."""
    assert 0 == upload(pilot, [TAKEOFF, north(20)])
    arm(pilot)
    assert mav.MAV_RESULT_FAILED == pilot.command(176, 1, AUTO)
    pilot.text("Mode change to AUTO failed: init failed")
    pilot.text("Auto: Missing Takeoff Cmd", wall_s=2.0)


def test_pause_and_another_mode_resume_at_the_same_item(pilot) -> None:
    """DO_PAUSE_CONTINUE stops and goes on; AUTO after BRAKE goes on with the same number."""
    fly(pilot, [HOME_SLOT, TAKEOFF, north(150), {"command": 20}])
    north_of_home(pilot, 10)
    assert 0 == pilot.command(193, 0)
    pilot.wait("MISSION_CURRENT", where=lambda m: m.mission_state == 4)
    pilot.wait("GLOBAL_POSITION_INT", where=lambda m: abs(m.vx) + abs(m.vy) < 30, wall_s=FLIGHT_S)
    assert 0 == pilot.command(193, 1)
    pilot.wait("GLOBAL_POSITION_INT", where=lambda m: m.vx > 200, wall_s=FLIGHT_S)
    assert 0 == pilot.command(176, 1, BRAKE)
    pilot.wait("GLOBAL_POSITION_INT", where=lambda m: abs(m.vx) < 30, wall_s=FLIGHT_S)
    assert 0 == pilot.command(176, 1, AUTO)
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2 and m.mission_state == 3)


def test_reposition_moves_and_echoes_the_target(pilot) -> None:
    """GUIDED, 30 m north, by COMMAND_INT."""
    take_off(pilot)
    assert 0 == pilot.stream(87, 5.0)
    assert 0 == pilot.command_int(192, -1, 0, 0, 0, x=LAT + 2695, y=LON, z=20.0)
    pilot.wait(
        "POSITION_TARGET_GLOBAL_INT",
        where=lambda m: m.coordinate_frame == 0 and abs(m.lat_int - LAT - 2695) < 5,
    )
    north_of_home(pilot, 28)
    for wrong in ({"x": 950_000_000}, {"x": 0, "y": 0}, {"x": 2_147_483_647}):
        place = {"y": LON, **wrong}
        assert mav.MAV_RESULT_DENIED == pilot.command_int(192, -1, 0, 0, 0, z=20.0, **place)


def test_fence_breach_brings_it_home_in_rtl(pilot) -> None:
    """Neither upload nor AUTO refuses the mission; the edge does."""
    square = [(-4500, -4500), (-4500, 4500), (4500, 4500), (4500, -4500)]
    corners = [{"command": 5001, "p": (4, 0, 0, 0), "x": LAT + a, "y": LON + b} for a, b in square]
    assert 0 == upload(pilot, corners, kind=1)
    assert 0 == pilot.command(207, 1)
    fly(pilot, [HOME_SLOT, TAKEOFF, north(120), {"command": 20}])
    begin = len(pilot.heard)
    pilot.heartbeat(lambda m: m.custom_mode == RTL, wall_s=FLIGHT_S)
    pilot.mark = begin
    pilot.text("Polygon fence breached")
    pilot.text("Manual recovery started")
    status = pilot.wait("FENCE_STATUS", where=lambda m: m.breach_status == 1)
    assert 3 == status.breach_type
    pilot.text("Fence breach cleared", wall_s=FLIGHT_S)
    assert RTL == pilot.heartbeat().custom_mode


def test_fence_around_another_place_forbids_arming(pilot) -> None:
    """The reason follows the FAILED ack."""
    far = [
        {"command": 5001, "p": (3, 0, 0, 0), "x": LAT + 90000 + a, "y": LON + b}
        for a, b in ((0, 0), (0, 9000), (9000, 0))
    ]
    assert 0 == upload(pilot, far, kind=1)
    assert 0 == pilot.command(207, 1)
    pilot.listen(0.5)
    assert 0 == pilot.command(176, 1, GUIDED)
    assert mav.MAV_RESULT_FAILED == pilot.command(400, 1)
    assert "Vehicle breaching Polygon fence" in pilot.text("Arm: ")


def test_region_of_interest_is_tracked_while_flying(pilot) -> None:
    """Flags 60, and the camera's axis turns with the way."""
    take_off(pilot)
    assert 0 == pilot.stream(285, 10.0)
    assert 0 == pilot.command_int(195, x=LAT + 1797, y=LON, z=0.0)
    pilot.wait(
        "GIMBAL_DEVICE_ATTITUDE_STATUS",
        where=lambda m: m.flags == 60 and off_axis_deg(m.q, -45.0) < 25.0,
    )
    assert 0 == pilot.command(197)
    pilot.wait("GIMBAL_DEVICE_ATTITUDE_STATUS", where=lambda m: m.flags == 44)


def test_distance_trigger_counts_the_way(pilot) -> None:
    """Five metres: one picture at once, then one each five metres."""
    fly(
        pilot,
        [
            HOME_SLOT,
            TAKEOFF,
            north(20),
            {"command": 206, "p": (5, 0, 1, 0)},
            north(60),
            {"command": 20},
        ],
    )
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 5, wall_s=FLIGHT_S)
    shots = [m.lat for m in pilot.since_mark("CAMERA_FEEDBACK")]
    gaps_m = [(b - a) / 89.83 for a, b in itertools.pairwise(shots)]
    assert 6 <= len(gaps_m)
    assert all(4.5 < gap < 6.5 for gap in gaps_m[1:-1])


def test_silence_of_the_ground_station_sends_it_home(pilot) -> None:
    """FS_GCS_ENABLE 1: mode 6 and CRITICAL; the beat back clears it and the mode stays."""
    # Our beats are half a second of the wall apart: five seconds of this vehicle.
    pilot.parameter("FS_GCS_TIMEOUT", 30)
    assert 1.0 == pilot.parameter("FS_GCS_ENABLE", 1)
    fly(pilot, [HOME_SLOT, TAKEOFF, north(200), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    pilot.beats = False
    pilot.heartbeat(lambda m: m.custom_mode == RTL and m.system_status == 5, wall_s=FLIGHT_S)
    pilot.mark = len(pilot.heard)
    pilot.beats = True
    pilot.text("GCS Failsafe Cleared")
    assert RTL == pilot.heartbeat(lambda m: m.system_status == 4).custom_mode
    assert 0 == pilot.command(176, 1, AUTO)
    pilot.heartbeat(lambda m: m.custom_mode == AUTO)


def test_upload_in_flight_goes_as_on_the_ground(pilot) -> None:
    """Item by item, one ack."""
    fly(pilot, [HOME_SLOT, TAKEOFF, north(200), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    pilot.send(mav.MAVLink_mission_count_message(1, 1, 2, 0))
    pilot.wait("MISSION_REQUEST", where=lambda m: m.seq == 0)
    pilot.send(item_int(0, **HOME_SLOT))
    pilot.wait("MISSION_REQUEST", where=lambda m: m.seq == 1)
    pilot.send(item_int(1, **TAKEOFF))
    pilot.wait("MISSION_ACK", where=lambda m: m.type == 0)
    assert [("ack", 0)] == answers(pilot)
