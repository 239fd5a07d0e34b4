"""Odd numbers, odd orders and restarts that a client can cause: none may stop or confuse the copter."""

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.lossy import Losses, LossyMedium
from simulations.vehicle.making import Media
from simulations.vehicle.parameters import INT8, stored
from simulations.vehicle.server import VehicleServer
from tests.unit.simulations.vehicle.pilot import (
    ACCEPTED,
    AUTO,
    FAILED,
    GUIDED,
    HOME_SLOT,
    RETURN,
    TAKE_OFF,
    Pilot,
    item,
)

_COMPLETE, _NOT_STARTED = 5, 2


@pytest.mark.parametrize(("sent", "kept"), [(math.inf, 127.0), (-math.inf, -128.0), (1.6, 1.0)])
def test_endless_value_is_stored_as_the_largest(sent, kept) -> None:
    """A PARAM_SET of infinity to an 8-bit parameter."""
    assert kept == stored(INT8, sent)


def test_vertex_count_without_end_is_refused() -> None:
    """A fence corner whose parameter 1 is infinite: INVALID_PARAM1, and the copter lives on."""
    pilot = Pilot().run(3.0)
    corner = item(5001, 10.0, params=(math.inf, 0.0, 0.0, 0.0))
    assert mav.MAV_MISSION_INVALID_PARAM1 == pilot.upload(corner, kind=1)


def test_largest_signing_timestamp_is_survived() -> None:
    """Six bytes hold no more, so the clock stands there."""
    pilot = Pilot().run(3.0)
    pilot.send(mav.MAVLink_setup_signing_message(1, 1, [7] * 32, 2**64 - 1))
    pilot.run(2.0)
    assert pilot.copter.signing.active


def test_body_frame_means_from_here_also_when_heading_north() -> None:
    """BODY_NED with the nose exactly north: height 0 is this height, not the ground."""
    pilot = Pilot().take_off()
    pilot.body.yaw_rad = 0.0
    before_m = pilot.height_m
    pilot.send(
        mav.MAVLink_set_position_target_local_ned_message(
            0, 1, 1, 8, 0b110111111000, 5.0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        )
    )
    pilot.run(6.0)
    assert pytest.approx(before_m, abs=1.0) == pilot.height_m


def test_landing_mark_is_passed_once() -> None:
    """DO_LAND_START on the way starts nothing: the item behind it begins one time."""
    pilot = Pilot().fly(
        HOME_SLOT, TAKE_OFF, item(16, 30.0), item(189, 30.0), item(16, 60.0), RETURN
    )
    pilot.until_true(lambda: pilot.copter.state.mission_seq == 4)
    pilot.run(1.0)
    assert 1 == pilot.texts().count("Mission: 4 WP")
    assert 1 == pilot.texts().count("Mission: 3 LandStart")


def test_leg_never_leaves_the_ground() -> None:
    """Armed on the ground with a waypoint as current item: it waits and disarms, landed."""
    pilot = Pilot().ready()
    pilot.upload(HOME_SLOT, TAKE_OFF, item(16, 30.0), RETURN)
    pilot.set_mode(GUIDED)
    pilot.command(400, 1)
    pilot.set_mode(AUTO)
    assert ACCEPTED == pilot.command(224, 2)
    assert ACCEPTED == pilot.command(300)
    pilot.until_disarmed(within_s=15.0)
    assert pilot.body.on_ground
    assert pytest.approx(0.0, abs=0.01) == pilot.height_m


def test_restart_forgets_how_the_last_mission_ended() -> None:
    """After a flight and a reboot nothing is complete and nothing was reached."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, RETURN)
    pilot.until_disarmed()
    pilot.command(512, 42)
    pilot.run(0.05)
    assert _COMPLETE == pilot.messages("MISSION_CURRENT")[-1].mission_state
    assert ACCEPTED == pilot.command(246, 1)
    pilot.copter.power_on()
    pilot.run(3.0)
    pilot.command(512, 42)
    pilot.command(512, 46)
    pilot.run(0.05)
    assert _NOT_STARTED == pilot.messages("MISSION_CURRENT")[-1].mission_state
    assert 65535 == pilot.messages("MISSION_ITEM_REACHED")[-1].seq


def test_new_system_id_counts_from_the_next_boot_in_both_directions() -> None:
    """What it sends as and what it listens to never differ."""
    pilot = Pilot().run(3.0)
    pilot.parameter("MAV_SYSID", 7)
    assert ACCEPTED == pilot.command(246, 1)
    pilot.copter.power_on()
    pilot.run(3.0)
    assert 7 == pilot.heartbeat().get_srcSystem()
    assert ACCEPTED == pilot.command(520, 1, target=(7, 1))


def test_what_was_under_way_is_lost_with_the_link() -> None:
    """A delayed command of the last client does not reach the copter after a new one connects."""
    media = {0: Media(up=LossyMedium(seed=1, losses=Losses(delay_s=2.0)))}
    pilot = Pilot(media=media).run(3.0)
    pilot.beats = False
    pilot.send(mav.MAVLink_command_long_message(1, 1, 520, 0, 1, 0, 0, 0, 0, 0, 0))
    pilot.copter.disconnect(0)
    pilot.copter.connect(0)
    pilot.run(4.0)
    assert [] == pilot.messages("COMMAND_ACK")


def test_silent_ground_station_blocks_arming() -> None:
    """Armed while it stands, the failsafe would never act."""
    pilot = Pilot(parameters={"FS_GCS_ENABLE": 1}).ready()
    pilot.set_mode(GUIDED)
    pilot.beats = False
    pilot.run(7.0)
    assert FAILED == pilot.command(400, 1)
    pilot.run(0.05)
    assert "Arm: GCS failsafe on" in pilot.texts()


def test_absurd_speedup_leaves_time_for_the_sockets() -> None:
    """One step makes two simulated seconds at most."""
    server = VehicleServer(Pilot(parameters={"SIM_SPEEDUP": 1e9}).copter, udp_to=("127.0.0.1", 9))
    try:
        server.step(0.0)
        server.step(0.1)
    finally:
        server.close()
    assert server.copter.now_s <= 2.0 + 1e-6


def test_pictures_without_end_are_a_series() -> None:
    """IMAGE_START_CAPTURE with an infinite number: accepted, one picture each interval."""
    pilot = Pilot().ready()
    assert ACCEPTED == pilot.command(2000, 0, 1.0, math.inf)
    pilot.run(2.5)
    assert 3 == pilot.copter.camera.shots


def test_picture_far_from_any_place_is_still_told() -> None:
    """A receiver gone mad puts the copter off the globe: the feedback says the farthest place."""
    pilot = Pilot().ready()
    pilot.parameter("SIM_GPS1_GLTCH_Y", 1e6)
    pilot.run(12.0)
    assert ACCEPTED == pilot.command(203, 0, 0, 0, 0, 1)
    pilot.run(0.05)
    assert 2**31 - 1 == pilot.messages("CAMERA_FEEDBACK")[-1].lng
    assert ACCEPTED == pilot.command(179, 1)
    pilot.send(mav.MAVLink_mission_request_int_message(1, 1, 0, 0))
    assert 2**31 - 1 == pilot.until("MISSION_ITEM_INT", within_s=1.0)[1].y


def test_endless_glitch_leaves_the_vehicle_alive() -> None:
    """A glitch of infinity is the far side of the globe; home and position can still be told."""
    pilot = Pilot().ready()
    pilot.parameter("SIM_GPS1_GLTCH_X", math.inf)
    pilot.run(12.0)
    assert ACCEPTED == pilot.command(179, 1)
    pilot.parameter("FENCE_ENABLE", 1)
    pilot.stream(32, 10.0)
    pilot.run(1.0)
    assert pytest.approx(2e7, rel=0.01) == pilot.messages("LOCAL_POSITION_NED")[-1].x
