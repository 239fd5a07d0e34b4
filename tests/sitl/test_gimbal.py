"""Gimbal and camera of a servo mount, standing on the ground."""

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import Silence, off_axis_deg

SPEEDUP = 1
NAN = math.nan
PITCH_YAW, MOUNT, CONFIGURE = 1000, 205, 1001


@pytest.fixture
def mount(cable):
    """A client that gets the mount's attitude ten times a second, the mount at its neutral."""
    assert 0 == cable.stream(285, 10.0)
    assert 0 == cable.command(MOUNT, 0, 0, 0, 0, 0, 0, 1)
    return cable


def looks(client, pitch_deg, yaw_deg=None, flags=None, within_deg=3.0):
    """Wait for an attitude near the wanted one, by the camera's axis and never by Euler yaw."""
    return client.wait(
        "GIMBAL_DEVICE_ATTITUDE_STATUS",
        where=lambda m: (
            off_axis_deg(m.q, pitch_deg, yaw_deg or 0.0) < within_deg and flags in {None, m.flags}
        ),
        what=f"at pitch {pitch_deg} yaw {yaw_deg} flags {flags}",
    )


def test_attitude_comes_from_the_autopilot_when_asked(mount) -> None:
    """From 1/1, device 1, delta_yaw not a number; no heartbeat of a gimbal."""
    status = looks(mount, 0.0, flags=46)
    assert (1, 1, 1) == (
        status.get_srcSystem(),
        status.get_srcComponent(),
        status.gimbal_device_id,
    )
    assert math.isnan(status.delta_yaw)
    components = {h.message.get_srcComponent() for h in mount.heard}
    assert {1} == components


@pytest.mark.parametrize(("mode", "flags"), [(0, 45), (1, 46), (3, 44)])
def test_modes_show_in_the_flags(mount, mode, flags) -> None:
    """Retract 45, neutral 46, sticks 44."""
    assert 0 == mount.command(MOUNT, 0, 0, 0, 0, 0, 0, mode)
    mount.wait("GIMBAL_DEVICE_ATTITUDE_STATUS", where=lambda m: m.flags == flags)


def test_stick_in_the_middle_is_the_middle_of_the_range(mount) -> None:
    """-32.5 degrees, and again after ROI_NONE."""
    assert 0 == mount.command(MOUNT, 0, 0, 0, 0, 0, 0, 3)
    looks(mount, -32.5)
    assert 0 == mount.command(PITCH_YAW, -80, 0, NAN, NAN, 0, 0, 0)
    looks(mount, -80.0)
    assert 0 == mount.command(197)
    looks(mount, -32.5)


def test_mount_control_refuses_what_manager_clamps(mount) -> None:
    """-120: FAILED with a text here, ACCEPTED and -90 there."""
    assert 0 == mount.command(MOUNT, -60, 0, 0, 0, 0, 0, 2)
    looks(mount, -60.0)
    assert mav.MAV_RESULT_FAILED == mount.command(MOUNT, -120, 0, 0, 0, 0, 0, 2)
    mount.text("Mount: invalid angle targets")
    assert 0 == mount.command(PITCH_YAW, -120, 0, NAN, NAN, 0, 0, 1)
    looks(mount, -90.0)


def test_yaw_lock_adds_its_flag(mount) -> None:
    """44 without, 60 with; by LONG and by INT."""
    assert 0 == mount.command(PITCH_YAW, -20, 10, NAN, NAN, 0, 0, 0)
    looks(mount, -20.0, 10.0, flags=44)
    assert 0 == mount.command_int(PITCH_YAW, -20, 10, NAN, NAN, x=16, z=1)
    mount.wait("GIMBAL_DEVICE_ATTITUDE_STATUS", where=lambda m: m.flags == 60)


def test_rates_run_to_the_limit(mount) -> None:
    """Thirty degrees a second down: three seconds to the stop, and it stays there."""
    assert 0 == mount.command(PITCH_YAW, NAN, NAN, -30, 0, 0, 0, 0)
    looks(mount, -45.0)
    looks(mount, -90.0)


def test_absent_device_fails(mount) -> None:
    """Device 2."""
    assert mav.MAV_RESULT_FAILED == mount.command(PITCH_YAW, 0, 0, NAN, NAN, 0, 0, 2)


def test_manager_message_works_without_ack(mount) -> None:
    """GIMBAL_MANAGER_SET_PITCHYAW."""
    mount.send(
        mav.MAVLink_gimbal_manager_set_pitchyaw_message(
            1, 1, 0, 0, math.radians(-45), math.radians(20), NAN, NAN
        )
    )
    looks(mount, -45.0, 20.0)
    assert [] == mount.since_mark("COMMAND_ACK")


def test_manager_says_who_controls(mount) -> None:
    """Nobody; then who asked with -2; then nobody again after -3."""

    def control():
        assert 0 == mount.request(281)
        status = mount.wait("GIMBAL_MANAGER_STATUS")
        return status.primary_control_sysid, status.primary_control_compid

    assert 0 == mount.command(CONFIGURE, -2, -2, -1, -1, 0, 0, 0)
    assert (255, 190) == control()
    assert 0 == mount.command(CONFIGURE, -3, -3, -1, -1, 0, 0, 0)
    assert (0, 0) == control()


def test_manager_information(mount) -> None:
    """Capabilities 206847, pitch -90 to +25 degrees in radians."""
    assert 0 == mount.request(280)
    information = mount.wait("GIMBAL_MANAGER_INFORMATION")
    assert (206847, -90.0, 25.0) == (
        information.cap_flags,
        round(math.degrees(information.pitch_min), 3),
        round(math.degrees(information.pitch_max), 3),
    )


@pytest.mark.parametrize("message_id", [158, 283, 284])
def test_messages_that_do_not_exist(cable, message_id) -> None:
    """MOUNT_STATUS and the device's own information."""
    assert mav.MAV_RESULT_FAILED == cable.request(message_id)


# Camera


def pictures(client, n):
    """Wait for n CAMERA_FEEDBACK since the mark."""
    for _ in range(500):
        if len(client.since_mark("CAMERA_FEEDBACK")) >= n:
            break
        client.pump()
    got = client.since_mark("CAMERA_FEEDBACK")
    if len(got) < n:
        raise Silence(f"{len(got)} pictures instead of {n}")
    return got


def test_each_shot_is_fed_back_unasked(cable) -> None:
    """Counted over all sources; CAMERA_IMAGE_CAPTURED never comes."""
    assert 0 == cable.command(203, 0, 0, 0, 0, 1)
    first = pictures(cable, 1)[-1]
    assert 0 == cable.command(2000, 0, 0, 1)
    second = pictures(cable, 1)[-1]
    assert first.img_idx + 1 == second.img_idx
    assert [] == cable.since_mark("CAMERA_IMAGE_CAPTURED")


def test_interval_runs_until_stopped(cable) -> None:
    """One at once and one each interval; the status shows the interval and stays idle."""
    assert 0 == cable.command(2000, 0, 0.5, 0)
    pictures(cable, 3)
    begin = cable.mark
    assert 0 == cable.request(262)
    status = cable.wait("CAMERA_CAPTURE_STATUS")
    assert (0.5, 0) == (status.image_interval, status.image_status)
    assert 0 == cable.command(2001)
    taken = [h.message for h in cable.heard[begin:] if h.message.get_type() == "CAMERA_FEEDBACK"]
    assert status.image_count in {m.img_idx for m in taken}
    cable.mark = len(cable.heard)
    cable.listen(1.2)
    assert [] == cable.since_mark("CAMERA_FEEDBACK")


@pytest.mark.parametrize(("command", "result"), [(2500, 4), (2501, 4), (531, 0), (206, 0)])
def test_other_camera_orders(cable, command, result) -> None:
    """No video; a zoom that nobody has is accepted; so is a trigger distance of zero."""
    assert result == cable.command(command)


@pytest.mark.parametrize("command", [519, 521, 527])
def test_old_request_commands_are_unsupported(cable, command) -> None:
    """REQUEST_MESSAGE is the way."""
    assert mav.MAV_RESULT_UNSUPPORTED == cable.command(command, 1)


def test_camera_information_is_empty(cable) -> None:
    """No names, no sensor, no flags."""
    assert 0 == cable.request(259)
    information = cable.wait("CAMERA_INFORMATION")
    assert (0, 0.0, 0) == (
        sum(information.vendor_name),
        information.sensor_size_h,
        information.flags,
    )
