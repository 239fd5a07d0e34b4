"""What the copter does by itself: battery, estimator, receiver, ground station."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.flying import (
    AUTO,
    BRAKE,
    FLIGHT_S,
    GUIDED,
    HOME_SLOT,
    RTL,
    TAKEOFF,
    arm,
    fly,
    north,
    take_off,
)

LAND = 9
CRITICAL, ACTIVE = 5, 4


def failing(client, mode):
    """Wait for a mode with the state CRITICAL, looking from the mark on."""
    return client.wait(
        "HEARTBEAT",
        where=lambda m: m.autopilot == 3 and m.custom_mode == mode and m.system_status == CRITICAL,
        wall_s=FLIGHT_S,
        what=f"mode {mode} and CRITICAL",
    )


def test_low_battery_comes_home_and_critical_lands(pilot) -> None:
    """Ten seconds below the voltage: RTL; AUTO again is taken; lower still: LAND on the spot."""
    for name, value in (
        ("BATT_LOW_VOLT", 11.5),
        ("BATT_CRT_VOLT", 10.8),
        ("BATT_FS_LOW_ACT", 2),
        ("BATT_FS_CRT_ACT", 1),
    ):
        assert abs(pilot.parameter(name, value) - value) < 1e-5
    fly(pilot, [HOME_SLOT, TAKEOFF, north(300), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    pilot.parameter("SIM_BATT_VOLTAGE", 11.2)
    failing(pilot, RTL)
    assert "Battery 1 is low" in pilot.text("Battery 1 is low")
    pilot.text("Battery Failsafe")
    assert 0 == pilot.command(176, 1, AUTO)
    pilot.heartbeat(lambda m: m.custom_mode == AUTO)
    pilot.parameter("SIM_BATT_VOLTAGE", 10.5)
    failing(pilot, LAND)
    pilot.text("Battery 1 is critical")
    pilot.heartbeat(lambda m: not m.base_mode & 128, wall_s=FLIGHT_S)
    assert CRITICAL == pilot.heartbeat().system_status
    assert 0 == pilot.command(176, 1, GUIDED)
    assert mav.MAV_RESULT_FAILED == pilot.command(400, 1)
    assert "Battery" in pilot.text("Arm: ")


def test_lost_gps_lands_and_refuses_position_modes(pilot) -> None:
    """EKF failsafe: LAND; AUTO needs a position; GPS back changes no mode."""
    fly(pilot, [HOME_SLOT, TAKEOFF, north(300), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    pilot.parameter("SIM_GPS1_ENABLE", 0)
    failing(pilot, LAND)
    pilot.text("EKF Failsafe: changed to LAND Mode")
    pilot.wait("EKF_STATUS_REPORT", where=lambda m: not m.flags & 16, wall_s=FLIGHT_S)
    assert mav.MAV_RESULT_FAILED == pilot.command(176, 1, AUTO)
    pilot.text("requires position")
    pilot.parameter("SIM_GPS1_ENABLE", 1)
    pilot.text("EKF Failsafe Cleared", wall_s=FLIGHT_S)
    assert LAND == pilot.heartbeat().custom_mode


def test_lost_receiver_comes_home(pilot) -> None:
    """FS_THR_ENABLE 1, the receiver silent: mode 6 within a second or two."""
    take_off(pilot)
    pilot.parameter("SIM_RC_FAIL", 1)
    failing(pilot, RTL)
    pilot.text("Radio Failsafe")


def quick_station_failsafe(client):
    """Three seconds of the wall without a beat are a failsafe; our beats are half a second apart."""
    client.parameter("FS_GCS_TIMEOUT", 30)
    assert 1.0 == client.parameter("FS_GCS_ENABLE", 1)


def test_parked_in_brake_it_stays_when_the_station_is_lost(pilot) -> None:
    """FS_OPTIONS 16: a mode that counts as pilot-flown goes on; CRITICAL and a text, no RTL."""
    quick_station_failsafe(pilot)
    take_off(pilot)
    assert 0 == pilot.command(176, 1, BRAKE)
    pilot.beats = False
    failing(pilot, BRAKE)
    pilot.text("GCS Failsafe - Continuing Pilot Control")
    assert BRAKE == pilot.heartbeat().custom_mode


def test_mission_goes_on_without_a_station_when_told_so(pilot) -> None:
    """FS_OPTIONS 2."""
    quick_station_failsafe(pilot)
    assert 2.0 == pilot.parameter("FS_OPTIONS", 2)
    fly(pilot, [HOME_SLOT, TAKEOFF, north(300), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    pilot.beats = False
    failing(pilot, AUTO)
    pilot.text("GCS Failsafe - Continuing Auto Mode")


def test_only_the_heartbeat_of_the_named_station_counts(pilot) -> None:
    """Commands from 255 keep nothing alive."""
    quick_station_failsafe(pilot)
    take_off(pilot)
    pilot.beats = False
    begin = pilot.mark = len(pilot.heard)
    for _ in range(40):
        pilot.command(512, 148)
        pilot.listen(0.1)
        if any(
            h.message.get_type() == "HEARTBEAT" and h.message.custom_mode == RTL
            for h in pilot.heard[begin:]
        ):
            break
    pilot.mark = begin
    failing(pilot, RTL)


def test_disarmed_it_only_says_so(pilot) -> None:
    """CRITICAL and a text; the beat back makes it STANDBY again."""
    quick_station_failsafe(pilot)
    mode = pilot.heartbeat().custom_mode
    pilot.beats = False
    pilot.mark = len(pilot.heard)
    failing(pilot, mode)
    pilot.mark = len(pilot.heard)
    pilot.beats = True
    pilot.text("GCS Failsafe Cleared")
    assert 3 == pilot.heartbeat(lambda m: m.system_status != CRITICAL).system_status


def test_armed_on_the_ground_it_disarms(pilot) -> None:
    """GCS Failsafe - Disarming."""
    quick_station_failsafe(pilot)
    pilot.parameter("DISARM_DELAY", 0)
    arm(pilot)
    pilot.beats = False
    pilot.mark = len(pilot.heard)
    pilot.text("GCS Failsafe - Disarming", wall_s=FLIGHT_S)
    pilot.heartbeat(lambda m: not m.base_mode & 128)


def test_link_lost_and_found_shows_the_mode_first(pilot) -> None:
    """Texts said meanwhile are lost: the state must come from the first HEARTBEAT."""
    quick_station_failsafe(pilot)
    fly(pilot, [HOME_SLOT, TAKEOFF, north(300), {"command": 20}])
    pilot.wait("MISSION_CURRENT", where=lambda m: m.seq == 2, wall_s=FLIGHT_S)
    pilot.close()
    with pytest.raises(OSError, match="descriptor"):
        pilot.pump()
    pilot.beats = False
    wait_for_wall(5.0)
    pilot.connect()
    assert RTL == pilot.heartbeat().custom_mode
    assert not any("GCS Failsafe" == text for text in pilot.texts())


def wait_for_wall(seconds):
    """Nothing can be pumped without a link: the wall's clock is all there is."""
    import time

    time.sleep(seconds)
