"""How it flies, against what was measured on a real vehicle."""

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.unit.simulations.vehicle.pilot import (
    ACCEPTED,
    ALT_HOLD,
    AUTO,
    BRAKE,
    FAILED,
    GUIDED,
    HOME_SLOT,
    LOITER,
    RETURN,
    RTL,
    STABILIZE,
    TAKE_OFF,
    Pilot,
    e7,
    item,
)  # fmt: skip


def go(pilot, north_m, east_m=0.0, z=20.0):
    x, y = e7(north_m, east_m)
    assert ACCEPTED == pilot.command_int(192, -1, 0, 0, 0, x=x, y=y, z=z)


def test_take_off_item_of_20_m_takes_11_s_from_lift_off() -> None:
    """And lift-off follows MISSION_START by a second."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 40.0), RETURN)
    begin_s = pilot.now_s
    lift_s = pilot.until_true(lambda: not pilot.body.on_ground)
    assert pytest.approx(1.0, abs=0.4) == lift_s - begin_s
    reached_s, reached = pilot.until("MISSION_ITEM_REACHED")
    assert 1 == reached.seq
    assert pytest.approx(11.0, rel=0.15) == reached_s - lift_s


def test_50_m_move_takes_9_s() -> None:
    """In GUIDED, to within half a metre and slow."""
    pilot = Pilot().take_off()
    go(pilot, 50.0)
    begin_s = pilot.now_s
    pilot.until_true(lambda: abs(pilot.body.north_m - 50) < 0.5 and pilot.speed_m_s < 0.5)
    assert pytest.approx(9.2, rel=0.15) == pilot.now_s - begin_s


@pytest.mark.parametrize("asked_m_s", [3.0, 6.0])
def test_speed_follows_do_change_speed_and_not_the_reposition(asked_m_s) -> None:
    """Parameter 1 of DO_REPOSITION is ignored."""
    pilot = Pilot().take_off()
    x, y = e7(150.0, 0.0)
    pilot.command_int(192, 2.0, 0, 0, 0, x=x, y=y, z=20.0)
    pilot.run(8.0)
    assert pilot.speed_m_s > 7.0
    assert ACCEPTED == pilot.command(178, 1, asked_m_s)
    pilot.run(6.0)
    assert pytest.approx(asked_m_s, rel=0.05) == pilot.speed_m_s


def test_return_from_40_m_takes_about_50_s_to_disarm() -> None:
    """20 m high: no climb, 5 s of waiting, landing; disarmed 2.1 s after the touch."""
    pilot = Pilot().take_off()
    go(pilot, 40.0)
    pilot.run(15.0)
    begin_s = pilot.now_s
    pilot.set_mode(RTL)
    touched_s = pilot.until_true(lambda: pilot.body.on_ground, within_s=100.0)
    disarmed_s = pilot.until_disarmed()
    assert pytest.approx(49.5, rel=0.15) == disarmed_s - begin_s
    assert pytest.approx(2.1, abs=0.3) == disarmed_s - touched_s
    assert math.hypot(pilot.body.north_m, pilot.body.east_m) < 1.0


def test_return_climbs_to_its_height_first() -> None:
    """RTL_ALT 15 m above home, from 8 m."""
    pilot = Pilot().take_off(8.0)
    go(pilot, 60.0, z=8.0)
    pilot.run(15.0)
    pilot.set_mode(RTL)
    pilot.until_true(lambda: pilot.height_m > 14.0)
    assert pilot.body.north_m > 50.0
    top_m = max(pilot.height_m for _ in range(1200) if pilot.tick() is not None)
    assert pytest.approx(15.0, abs=0.5) == top_m


@pytest.mark.parametrize(("mode", "sinks_m_s"), [(LOITER, 2.5), (ALT_HOLD, 2.5)])
def test_stick_mode_without_a_stick_sinks_to_the_ground(mode, sinks_m_s) -> None:
    """Every command was ACCEPTED, and it hits the ground."""
    pilot = Pilot().take_off()
    assert ACCEPTED == pilot.set_mode(mode)
    pilot.run(3.0)
    assert pytest.approx(-sinks_m_s, abs=0.3) == pilot.body.climb_m_s
    pilot.until_true(lambda: pilot.body.on_ground)
    assert any(text.startswith("SIM Hit ground at 2.") for text in pilot.texts())


def test_stabilize_without_a_stick_falls() -> None:
    """The stick is the thrust."""
    pilot = Pilot().take_off(30.0)
    pilot.set_mode(STABILIZE)
    pilot.run(1.5)
    assert pilot.body.climb_m_s < -8.0


def test_middle_stick_by_override_holds_the_height() -> None:
    """RC_CHANNELS_OVERRIDE 1500 on channel 3, three times a second."""
    pilot = Pilot().take_off()
    pilot.set_mode(LOITER)
    heights = []
    for _ in range(60):
        keep = 65535
        pilot.send(mav.MAVLink_rc_channels_override_message(1, 1, keep, keep, 1500, *([keep] * 5)))
        pilot.run(0.33)
        heights.append(pilot.height_m)
    assert max(heights[10:]) - min(heights[10:]) < 0.04


def test_override_of_a_stranger_is_not_heard() -> None:
    """Only MAV_GCS_SYSID holds the sticks."""
    pilot = Pilot().take_off()
    other = Pilot(pilot.copter, link=1, system_id=254)
    pilot.set_mode(LOITER)
    for _ in range(12):
        other.send(mav.MAVLink_rc_channels_override_message(1, 1, *([1500] * 8)))
        pilot.run(0.33)
    assert pilot.body.climb_m_s < -2.0


def test_brake_out_of_a_climb_still_rises_four_metres() -> None:
    """From 2.5 m/s."""
    pilot = Pilot().take_off()
    go(pilot, 0.2, z=60.0)
    pilot.run(6.0)
    from_m = pilot.height_m
    pilot.set_mode(BRAKE)
    pilot.run(8.0)
    assert pytest.approx(4.0, rel=0.15) == pilot.height_m - from_m


def test_brake_stops_hard_over_ground() -> None:
    """7.5 m/s2."""
    pilot = Pilot().take_off()
    go(pilot, 200.0)
    pilot.run(8.0)
    assert pilot.speed_m_s > 9.0
    pilot.set_mode(BRAKE)
    pilot.until_true(lambda: pilot.speed_m_s < 0.5, within_s=4.0)


def test_pause_stops_and_goes_on() -> None:
    """State PAUSED; the same item afterwards."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 200.0), RETURN)
    pilot.stream(42, 10)
    pilot.until_true(lambda: pilot.body.north_m > 20)
    assert ACCEPTED == pilot.command(193, 0)
    pilot.until_true(lambda: pilot.speed_m_s < 0.5, within_s=5.0)
    pilot.run(0.3)
    assert (2, 4) == (
        pilot.messages("MISSION_CURRENT")[-1].seq,
        pilot.messages("MISSION_CURRENT")[-1].mission_state,
    )
    assert ACCEPTED == pilot.command(193, 1)
    pilot.run(4.0)
    assert pilot.speed_m_s > 3.0
    assert 3 == pilot.messages("MISSION_CURRENT")[-1].mission_state


def test_guided_pauses_and_goes_on() -> None:
    """DO_PAUSE_CONTINUE works there too."""
    pilot = Pilot().take_off()
    go(pilot, 100.0)
    pilot.run(4.0)
    assert ACCEPTED == pilot.command(193, 0)
    pilot.until_true(lambda: pilot.speed_m_s < 0.3, within_s=6.0)
    assert ACCEPTED == pilot.command(193, 1)
    pilot.until_true(lambda: abs(pilot.body.north_m - 100.0) < 1.0)


def test_wind_is_held_against_and_tilts_the_copter() -> None:
    """8 m/s from the east: less than 2 m off, leaning into it."""
    pilot = Pilot(parameters={"SIM_WIND_SPD": 8, "SIM_WIND_DIR": 90, "SIM_WIND_TURB": 2}).take_off()
    off_m = 0.0
    for _ in range(200):
        pilot.run(0.1)
        off_m = max(off_m, math.hypot(pilot.body.north_m, pilot.body.east_m))
    assert 0.05 < off_m < 2.0
    assert math.degrees(pilot.body.euler_rad()[0]) > 2.0


def test_gale_carries_it_away() -> None:
    """More than its tilt can hold."""
    pilot = Pilot(parameters={"SIM_WIND_SPD": 25, "SIM_WIND_DIR": 90}).take_off()
    pilot.run(10.0)
    assert pilot.body.east_m < -20.0


@pytest.mark.parametrize("frame", [6, 3])
def test_target_by_message_moves_it(frame) -> None:
    """SET_POSITION_TARGET_GLOBAL_INT, no acknowledgement; not outside GUIDED."""
    pilot = Pilot().take_off()
    x, y = e7(20.0, 10.0)
    message = mav.MAVLink_set_position_target_global_int_message(
        0, 1, 1, frame, 0b110111111000, x, y, 25.0, 0, 0, 0, 0, 0, 0, 0, 0
    )
    acks = len(pilot.messages("COMMAND_ACK"))
    pilot.send(message)
    pilot.run(12.0)
    assert (20.0, 10.0, 25.0) == pytest.approx(
        (pilot.body.north_m, pilot.body.east_m, pilot.height_m), abs=0.6
    )
    assert acks == len(pilot.messages("COMMAND_ACK"))


def test_velocity_holds_for_three_seconds() -> None:
    """GUID_TIMEOUT."""
    pilot = Pilot().take_off()
    pilot.send(
        mav.MAVLink_set_position_target_local_ned_message(
            0, 1, 1, 1, 0b110111000111, 0, 0, 0, 4.0, 0, 0, 0, 0, 0, 0, 0
        )
    )
    pilot.run(2.8)
    assert pytest.approx(4.0, abs=0.4) == pilot.body.velocity_north_m_s
    pilot.run(4.0)
    assert pilot.speed_m_s < 0.3


def test_landed_states_follow_the_flight() -> None:
    """ON_GROUND, TAKEOFF, IN_AIR, LANDING, ON_GROUND."""
    pilot = Pilot().ready()
    pilot.stream(245, 10)
    pilot.take_off()
    pilot.set_mode(RTL)
    pilot.until_disarmed()
    pilot.run(0.5)
    states = [m.landed_state for m in pilot.messages("EXTENDED_SYS_STATE")]
    assert [1, 3, 2, 4, 1] == [s for k, s in enumerate(states) if k == 0 or states[k - 1] != s]


def test_system_status_follows_the_flight() -> None:
    """STANDBY, ACTIVE, STANDBY; armed bit with it."""
    pilot = Pilot().take_off()
    assert (4, 217) == (pilot.heartbeat().system_status, pilot.heartbeat().base_mode)
    pilot.set_mode(9)
    pilot.until_disarmed()
    assert (3, 0) == (pilot.heartbeat().system_status, pilot.heartbeat().base_mode & 128)


def test_same_seed_flies_the_same_way() -> None:
    """To the last bit; another seed does not."""

    def end(seed):
        pilot = Pilot(seed=seed, parameters={"SIM_WIND_SPD": 6, "SIM_WIND_TURB": 3}).take_off()
        pilot.run(5.0)
        return pilot.copter.truth()

    assert end(3) == end(3)
    assert end(3).place != end(4).place


def test_battery_counts_and_sags_with_a_capacity() -> None:
    """Without one its voltage is what the parameter says."""
    flat = Pilot().take_off()
    assert pytest.approx(12.6) == flat.copter.state.battery_v
    pilot = Pilot(parameters={"SIM_BATT_CAP_AH": 3.3}).take_off()
    pilot.run(60.0)
    pilot.command(512, 147)
    pilot.run(0.05)
    battery = pilot.messages("BATTERY_STATUS")[-1]
    assert 350 < battery.current_consumed < 700
    assert 80 <= battery.battery_remaining <= 92
    assert pilot.copter.state.battery_v < 12.3


def test_circle_goes_round() -> None:
    """CIRCLE_RADIUS around a centre ahead of it."""
    pilot = Pilot().take_off()
    assert ACCEPTED == pilot.set_mode(7)
    places = []
    for _ in range(100):
        pilot.run(0.3)
        places.append((pilot.body.north_m, pilot.body.east_m))
    away = [math.hypot(n - 10.0, e) for n, e in places[30:]]
    assert all(8.0 < r < 12.0 for r in away)
    assert max(n for n, _ in places) > 18.0


def test_resume_of_auto_after_brake_keeps_the_item() -> None:
    """MIS_RESTART 0."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 60.0), item(16, 160.0), RETURN)
    pilot.until_true(lambda: pilot.copter.state.mission_seq == 3)
    pilot.set_mode(BRAKE)
    pilot.run(4.0)
    pilot.command(512, 42)
    pilot.run(0.05)
    assert (3, 2) == (
        pilot.messages("MISSION_CURRENT")[-1].seq,
        pilot.messages("MISSION_CURRENT")[-1].mission_state,
    )
    assert ACCEPTED == pilot.set_mode(AUTO)
    pilot.run(0.1)
    assert 3 == pilot.copter.state.mission_seq
    assert FAILED == pilot.command(400, 0)
    assert GUIDED != pilot.mode
