"""What it does by itself: battery, ground station, radio, fix; and what it says meanwhile."""

import math

import pytest

from tests.unit.simulations.vehicle.pilot import (
    ACCEPTED,
    AUTO,
    BRAKE,
    FAILED,
    GUIDED,
    HOME_SLOT,
    LAND,
    RETURN,
    RTL,
    TAKE_OFF,
    Pilot,
    item,
)  # fmt: skip

MISSION = (HOME_SLOT, TAKE_OFF, item(16, 300.0), RETURN)
BATTERY = {
    "BATT_LOW_VOLT": 11.5, "BATT_CRT_VOLT": 10.8, "BATT_FS_LOW_ACT": 2, "BATT_FS_CRT_ACT": 1,
}  # fmt: skip


def under_way(**parameters):
    pilot = Pilot(parameters=parameters).fly(*MISSION)
    pilot.until_true(lambda: pilot.body.north_m > 30)
    return pilot


def test_low_battery_returns_after_ten_seconds_and_auto_is_accepted_again() -> None:
    """Then critical: it lands on the spot."""
    pilot = under_way(**BATTERY)
    pilot.stream(147, 10)
    pilot.parameter("SIM_BATT_VOLTAGE", 11.2)
    begin_s = pilot.now_s
    pilot.until_true(lambda: pilot.mode == RTL, within_s=15.0)
    assert pytest.approx(10.2, abs=0.4) == pilot.now_s - begin_s
    assert 5 == pilot.heartbeat().system_status
    texts = pilot.texts(begin_s)
    assert texts[0].startswith("Battery 1 is low 11.20V used ")
    assert "Battery Failsafe" == texts[1]
    assert 2 == pilot.messages("BATTERY_STATUS")[-1].charge_state
    assert ACCEPTED == pilot.set_mode(AUTO)
    pilot.run(15.0)
    assert AUTO == pilot.mode
    pilot.parameter("SIM_BATT_VOLTAGE", 10.5)
    begin_s = pilot.now_s
    pilot.until_true(lambda: pilot.mode == LAND, within_s=15.0)
    assert pytest.approx(10.1, abs=0.5) == pilot.now_s - begin_s
    assert any(t.startswith("Battery 1 is critical 10.50V") for t in pilot.texts(begin_s))
    pilot.run(1.0)
    assert 3 == pilot.messages("BATTERY_STATUS")[-1].charge_state
    pilot.command(512, 1)
    pilot.run(0.05)
    assert not pilot.messages("SYS_STATUS")[-1].onboard_control_sensors_health & (1 << 25)
    pilot.until_disarmed()
    assert 5 == pilot.heartbeat().system_status
    pilot.set_mode(GUIDED)
    assert FAILED == pilot.command(400, 1)
    pilot.run(0.05)
    assert {"Arm: Battery 1 below minimum arming voltage", "Arm: Battery failsafe"} <= set(
        pilot.texts()
    )


def test_short_sag_does_nothing() -> None:
    """BATT_LOW_TIMER."""
    pilot = under_way(**BATTERY)
    pilot.parameter("SIM_BATT_VOLTAGE", 11.2)
    pilot.run(8.0)
    pilot.parameter("SIM_BATT_VOLTAGE", 12.6)
    pilot.run(8.0)
    assert AUTO == pilot.mode


def test_silent_ground_station_sends_it_home_and_a_beat_clears_without_a_mode() -> None:
    """5 s after the last beat; AUTO must be commanded again and goes on."""
    pilot = under_way(FS_GCS_ENABLE=1)
    pilot.until_true(lambda: pilot.now_s % 1.0 < 0.02)
    seq = pilot.copter.state.mission_seq
    pilot.beats = False
    begin_s = pilot.now_s
    pilot.until_true(lambda: pilot.mode == RTL, within_s=8.0)
    assert 4.0 <= pilot.now_s - begin_s <= 5.1
    assert ["GCS Failsafe"] == pilot.texts(begin_s)
    assert 5 == pilot.heartbeat().system_status
    assert ACCEPTED == pilot.command(512, 1)
    pilot.run(2.0)
    assert "GCS Failsafe Cleared" not in pilot.texts()
    pilot.beats = True
    pilot.until("STATUSTEXT", lambda m: m.text == "GCS Failsafe Cleared", within_s=3.0)
    pilot.run(1.0)
    assert (RTL, 4) == (pilot.mode, pilot.heartbeat().system_status)
    assert ACCEPTED == pilot.set_mode(AUTO)
    assert seq == pilot.copter.state.mission_seq


def test_heartbeats_of_another_station_do_not_help() -> None:
    """MAV_GCS_SYSID is 255."""
    pilot = under_way(FS_GCS_ENABLE=1)
    other = Pilot(pilot.copter, link=1, system_id=254)
    pilot.beats = False
    for _ in range(70):
        other.run(0.1)
    assert RTL == pilot.mode


def test_station_never_heard_is_not_missed() -> None:
    """The failsafe begins with the first beat."""
    pilot = Pilot(parameters={"FS_GCS_ENABLE": 1}, system_id=254).take_off()
    pilot.run(10.0)
    assert GUIDED == pilot.mode


@pytest.mark.parametrize(
    ("options", "mode", "after", "text"),
    [
        (16, BRAKE, BRAKE, "GCS Failsafe - Continuing Pilot Control"),
        (0, BRAKE, RTL, "GCS Failsafe"),
        (2, AUTO, AUTO, "GCS Failsafe - Continuing Auto Mode"),
    ],
)
def test_options_let_it_go_on(options, mode, after, text) -> None:
    """A copter parked in BRAKE does not come home with the default."""
    pilot = under_way(FS_GCS_ENABLE=1, FS_OPTIONS=options)
    pilot.set_mode(mode)
    pilot.beats = False
    begin_s = pilot.now_s
    pilot.run(7.0)
    assert after == pilot.mode
    assert [text] == [t for t in pilot.texts(begin_s) if "GCS" in t]
    assert 5 == pilot.heartbeat().system_status


def test_silence_on_the_ground_disarms_at_once() -> None:
    """And disarmed there is only the text."""
    pilot = Pilot(parameters={"FS_GCS_ENABLE": 1, "DISARM_DELAY": 0}).ready()
    pilot.set_mode(GUIDED)
    pilot.command(400, 1)
    pilot.beats = False
    pilot.run(7.0)
    assert not pilot.armed
    assert "GCS Failsafe - Disarming" in pilot.texts()


def test_lost_fix_lands_and_drifts_with_the_wind() -> None:
    """8.1 s later LAND; 7 s later no position; modes that need one are refused; truth moves on."""
    pilot = under_way(SIM_WIND_SPD=8, SIM_WIND_DIR=90)
    pilot.stream(193, 10)
    pilot.parameter("SIM_GPS1_ENABLE", 0)
    begin_s = pilot.now_s
    pilot.until_true(lambda: pilot.mode == LAND, within_s=15.0)
    assert pytest.approx(8.1, abs=0.3) == pilot.now_s - begin_s
    assert ["EKF variance", "EKF Failsafe: changed to LAND Mode"] == pilot.texts(begin_s)
    east_m = pilot.body.east_m
    pilot.until("EKF_STATUS_REPORT", lambda m: m.flags == 37)
    assert pytest.approx(15.1, abs=0.4) == pilot.now_s - begin_s
    for mode, name in ((AUTO, "AUTO"), (GUIDED, "GUIDED")):
        assert FAILED == pilot.set_mode(mode)
        pilot.run(0.05)
        assert f"Mode change to {name} failed: requires position" in pilot.texts()
    pilot.until_disarmed()
    assert pilot.body.east_m < east_m - 15.0
    believed = pilot.copter.state.position
    truth = pilot.copter.truth().place
    assert abs(believed.lon_deg - truth.lon_deg) * 109_000 > 10.0


def test_fix_that_returns_clears_and_leaves_the_mode() -> None:
    """It stays in LAND until commanded."""
    pilot = Pilot().take_off(60.0)
    pilot.parameter("SIM_GPS1_ENABLE", 0)
    pilot.until_true(lambda: pilot.mode == LAND)
    pilot.run(8.0)
    pilot.parameter("SIM_GPS1_ENABLE", 1)
    pilot.until("STATUSTEXT", lambda m: m.text == "EKF Failsafe Cleared")
    assert LAND == pilot.mode
    assert ACCEPTED == pilot.set_mode(GUIDED)
    pilot.run(5.0)
    assert pilot.height_m > 5.0


def test_lost_radio_returns_within_a_second() -> None:
    """FS_THR_ENABLE 1."""
    pilot = under_way()
    pilot.parameter("SIM_RC_FAIL", 1)
    begin_s = pilot.now_s
    pilot.until_true(lambda: pilot.mode == RTL, within_s=2.0)
    assert pytest.approx(0.9, abs=0.2) == pilot.now_s - begin_s
    assert ["Radio Failsafe"] == pilot.texts(begin_s)


def test_return_goes_to_the_nearer_rally_point() -> None:
    """RALLY_INCL_HOME keeps home in the choice."""
    pilot = Pilot().ready()
    assert 0 == pilot.upload(item(5100, 100.0, 30.0, z=25.0), kind=2)
    pilot.fly(*MISSION)
    pilot.until_true(lambda: pilot.body.north_m > 110)
    pilot.set_mode(RTL)
    pilot.until_disarmed()
    assert math.dist((100.0, 30.0), (pilot.body.north_m, pilot.body.east_m)) < 2.0


@pytest.mark.parametrize("timer_s", [0, 1])
def test_full_battery_is_never_low_however_short_the_timer(timer_s) -> None:
    """BATT_LOW_TIMER 0 acts at once, and only on a low voltage."""
    pilot = under_way(**BATTERY, BATT_LOW_TIMER=timer_s)
    pilot.run(3.0)
    assert AUTO == pilot.mode
    pilot.parameter("SIM_BATT_VOLTAGE", 11.2)
    pilot.run(3.0)
    assert RTL == pilot.mode


def test_charge_that_is_used_up_is_low_too() -> None:
    """BATT_LOW_MAH counts what is left of BATT_CAPACITY."""
    pilot = under_way(BATT_LOW_MAH=3100, BATT_FS_LOW_ACT=2)
    pilot.until_true(lambda: pilot.mode == RTL, within_s=40.0)
    assert any("Battery 1 is low 12.60V used 2" in text for text in pilot.texts())


def test_jumped_fix_is_refused_first_and_believed_later() -> None:
    """300 m to the south: the copter then flies as far to the north, by its truth."""
    pilot = Pilot().take_off()
    pilot.stream(193, 10)
    pilot.parameter("SIM_GPS1_GLTCH_X", -300.0 / 110_600)
    pilot.run(8.0)
    assert "GPS Glitch or Compass error" in pilot.texts()
    assert pilot.messages("EKF_STATUS_REPORT")[-1].flags & (1 << 15)
    assert math.hypot(pilot.body.north_m, pilot.body.east_m) < 15.0
    assert GUIDED == pilot.mode
    pilot.run(30.0)
    assert "Glitch cleared" in pilot.texts()
    assert pilot.body.north_m > 150.0
    believed = pilot.copter.state.position
    assert abs(believed.lat_deg - pilot.copter.truth().place.lat_deg) * 110_600 > 250.0
