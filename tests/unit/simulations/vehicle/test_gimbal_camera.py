"""The servo mount and the camera on it."""

import itertools
import math
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.camera import Camera
from simulations.vehicle.gimbal import Gimbal
from tests.unit.simulations.vehicle.paper_vehicle import GCS, HOME, PaperVehicle, order

NAN = math.nan
M_PER_DEG = 111_319.5


class Rig:
    """Mount and camera on a paper vehicle."""

    def __init__(self) -> None:
        self.vehicle = PaperVehicle()
        self.gimbal = Gimbal(self.vehicle)
        self.camera = Camera(self.vehicle, self.gimbal)
        self.now_s = 0.0
        self.pass_time(0.1)

    def pass_time(self, seconds):
        """Return the pictures taken meanwhile."""
        shots = []
        for _ in range(round(seconds / 0.01)):
            self.now_s += 0.01
            assert [] == list(self.gimbal.step(self.now_s))
            shots += self.camera.step(self.now_s)
        return [reply.message for reply in shots]

    def do(self, command, *params, **changes):
        wanted = replace(order(command, *params), **changes)
        result = self.gimbal.command(wanted, self.now_s) or self.camera.command(wanted, self.now_s)
        shots = [reply.message for reply in result.after]
        taken = self.pass_time(0.2)
        self.pictures = shots + taken
        return result.result

    @property
    def report(self):
        return self.gimbal.telemetry(285, self.now_s)


@pytest.fixture
def rig():
    return Rig()


def axis(q):
    """Direction of the camera's forward axis of a quaternion."""
    w, x, y, z = q
    return (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))


def points(q, pitch_deg, yaw_deg=0.0, tolerance=1e-3):
    """Whether the camera's axis looks there (never by Euler yaw near nadir)."""
    p, y = math.radians(pitch_deg), math.radians(yaw_deg)
    want = (math.cos(p) * math.cos(y), math.cos(p) * math.sin(y), -math.sin(p))
    return math.dist(want, axis(q)) < tolerance


def test_at_rest_it_follows_the_stick_to_the_middle(rig) -> None:
    """-32.5 degrees, half of -90 to +25, and flags 44; delta_yaw is not a number."""
    assert points(rig.report.q, -32.5)
    assert (44, 1) == (rig.report.flags, rig.report.gimbal_device_id)
    assert math.isnan(rig.report.delta_yaw)


def test_mount_control_points_within_limits(rig) -> None:
    """ACCEPTED at -90; beyond the limits FAILED with a text."""
    assert 0 == rig.do(205, -90.0, 0, 0, 0, 0, 0, 2.0)
    assert points(rig.report.q, -90.0)
    assert 4 == rig.do(205, -120.0, 0, 0, 0, 0, 0, 2.0)
    assert ["Mount: invalid angle targets"] == rig.vehicle.texts
    assert points(rig.report.q, -90.0)


@pytest.mark.parametrize(("mode", "flags"), [(0.0, 45), (1.0, 46), (3.0, 44)])
def test_mount_modes_show_in_the_flags(rig, mode, flags) -> None:
    """Retract 45, neutral 46, sticks 44."""
    assert 0 == rig.do(205, 0, 0, 0, 0, 0, 0, mode)
    assert flags == rig.report.flags


def test_manager_command_is_clamped(rig) -> None:
    """-120 is accepted and becomes -90."""
    assert 0 == rig.do(1000, -120.0, 0.0, NAN, NAN, 0.0, 0.0, 1.0)
    assert points(rig.report.q, -90.0)


def test_yaw_lock_holds_the_compass_but_reports_from_the_nose(rig) -> None:
    """Flags 60; the yaw of q stays relative to the vehicle."""
    rig.vehicle.be(euler_rad=(0.0, 0.0, math.radians(30.0)))
    assert 0 == rig.do(1000, -20.0, 90.0, NAN, NAN, 16.0, 0.0, 0.0)
    assert 60 == rig.report.flags
    assert points(rig.report.q, -20.0, 60.0)
    rig.do(1000, -20.0, 90.0, NAN, NAN, 0.0, 0.0, 0.0)
    assert 44 == rig.report.flags
    assert points(rig.report.q, -20.0, 90.0)


def test_rates_turn_and_stop_at_the_limit(rig) -> None:
    """Ten degrees a second for six seconds are sixty."""
    rig.do(1000, 0.0, 0.0, NAN, NAN, 0.0)
    rig.do(1000, NAN, NAN, -10.0, 0.0, 0.0)
    rig.pass_time(5.8)
    assert points(rig.report.q, -60.0, tolerance=0.01)
    rig.pass_time(10.0)
    assert points(rig.report.q, -90.0)


def test_absent_device_fails(rig) -> None:
    """Only devices 0 and 1 exist; neither angles nor rates is no order."""
    assert 4 == rig.do(1000, 0.0, 0.0, NAN, NAN, 0.0, 0.0, 2.0)
    assert 4 == rig.do(1000, NAN, NAN, NAN, NAN, 0.0, 0.0, 0.0)


def test_manager_messages_work_without_ack(rig) -> None:
    """SET_PITCHYAW and SET_ATTITUDE."""
    message = mav.MAVLink_gimbal_manager_set_pitchyaw_message(
        1, 1, 0, 0, math.radians(-45.0), math.radians(10.0), NAN, NAN
    )
    assert () == rig.gimbal.handle(message, GCS, rig.now_s)
    rig.pass_time(0.1)
    assert points(rig.report.q, -45.0, 10.0)
    half = math.radians(-30.0) / 2
    message = mav.MAVLink_gimbal_manager_set_attitude_message(
        1, 1, 0, 0, [math.cos(half), 0.0, math.sin(half), 0.0], NAN, NAN, NAN
    )
    rig.gimbal.handle(message, GCS, rig.now_s)
    rig.pass_time(0.1)
    assert points(rig.report.q, -30.0)


def test_control_is_shown_and_never_needed(rig) -> None:
    """CONFIGURE with ids, -2 for me, -3 to let go; everybody is obeyed meanwhile."""

    def control():
        status = rig.gimbal.telemetry(281, rig.now_s)
        return status.primary_control_sysid, status.primary_control_compid

    assert (0, 0) == control()
    assert 0 == rig.do(1001, 7.0, 8.0, -1.0, -1.0)
    assert (7, 8) == control()
    assert 0 == rig.do(1000, -10.0, 0.0, NAN, NAN)
    assert 0 == rig.do(1001, -2.0, -2.0, -1.0, -1.0)
    assert (255, 190) == control()
    assert 0 == rig.do(1001, -3.0, -3.0, -1.0, -1.0)
    assert (0, 0) == control()


def test_roi_is_tracked_while_flying(rig) -> None:
    """Flags 60, the axis stays on the place; ROI_NONE goes back to the stick."""
    rig.vehicle.be(position=replace(HOME, alt_msl_m=HOME.alt_msl_m + 20.0))
    spot = HOME.lat_deg + 20.0 / M_PER_DEG
    assert 0 == rig.do(195, 0, 0, 0, 0, spot, HOME.lon_deg, 0.0, frame=6, is_int=True)
    assert 60 == rig.report.flags
    assert points(rig.report.q, -45.0)
    rig.vehicle.be(position=replace(HOME, lat_deg=spot, alt_msl_m=HOME.alt_msl_m + 20.0))
    rig.pass_time(0.1)
    assert points(rig.report.q, -90.0)
    assert 0 == rig.do(197)
    assert points(rig.report.q, -32.5)


def test_attitude_moves_with_the_airframe(rig) -> None:
    """Unstabilised servos: a body pitched down by 20 degrees looks 20 degrees lower."""
    rig.do(205, -40.0, 0, 0, 0, 0, 0, 2.0)
    rig.vehicle.be(euler_rad=(0.0, math.radians(-20.0), 0.5))
    assert points(rig.report.q, -60.0)


def test_mission_item_of_the_mount_needs_no_mode(rig) -> None:
    """The stored item has lost p7 and still means angles."""
    assert 0 == rig.do(205, -50.0, 0, 0, 0, 0, 0, 0.0, sender=None)
    assert points(rig.report.q, -50.0)


def test_information_has_limits_in_radians(rig) -> None:
    """Capabilities 206847 and the MNT1 limits."""
    information = rig.gimbal.telemetry(280, 0.0)
    assert 206847 == information.cap_flags
    assert (-90.0, 25.0) == tuple(
        round(math.degrees(v), 6) for v in (information.pitch_min, information.pitch_max)
    )
    assert frozenset({280, 281, 285}) == rig.gimbal.telemetry_ids


def test_vehicle_without_mount_has_none(rig) -> None:
    """MNT1_TYPE 0: no messages, commands fail, the feedback has the vehicle's attitude."""
    rig.vehicle.parameters["MNT1_TYPE"] = 0.0
    assert frozenset() == rig.gimbal.telemetry_ids
    assert 4 == rig.do(205, -50.0, 0, 0, 0, 0, 0, 2.0)
    rig.vehicle.be(euler_rad=(0.0, math.radians(-5.0), 0.0))
    rig.do(203, 0, 0, 0, 0, 1.0)
    assert -5.0 == round(rig.pictures[0].pitch, 3)


def test_each_shot_is_one_feedback(rig) -> None:
    """Counted from 1 over all sources, with place and attitude in degrees."""
    assert 0 == rig.do(203, 0, 0, 0, 0, 1.0)
    (first,) = rig.pictures
    assert 0 == rig.do(2000, 0.0, 0.0, 1.0)
    (second,) = rig.pictures
    assert ("CAMERA_FEEDBACK", 1, 2) == (first.get_type(), first.img_idx, second.img_idx)
    assert (108500000, 1066200000, 5.0) == (first.lat, first.lng, first.alt_msl)
    assert -32.5 == round(first.pitch, 3)


def test_interval_shoots_until_stopped(rig) -> None:
    """Two seconds for ever give five in nine; the status knows the interval but no activity."""
    rig.do(2000, 0.0, 2.0, 0.0)
    shots = len(rig.pictures) + len(rig.pass_time(8.6))
    assert 5 == shots
    status = rig.camera.telemetry(262, rig.now_s)
    assert (2.0, 5, 0) == (status.image_interval, status.image_count, status.image_status)
    assert 0 == rig.do(2001)
    assert [] == rig.pass_time(5.0)


def test_a_number_of_shots_ends_by_itself(rig) -> None:
    """Three, one second apart."""
    rig.do(2000, 0.0, 1.0, 3.0)
    assert 3 == len(rig.pictures) + len(rig.pass_time(10.0))


def test_distance_trigger_counts_metres(rig) -> None:
    """Every five metres along the track, at once when asked so."""
    rig.do(206, 5.0, 0.0, 1.0)
    assert 1 == len(rig.pictures)
    shots = []
    for step in range(1, 251):
        rig.vehicle.be(position=replace(HOME, lat_deg=HOME.lat_deg + step * 0.1 / M_PER_DEG))
        shots += rig.pass_time(0.01)
    assert len(shots) in {4, 5}
    gaps = [(b.lat - a.lat) * 1e-7 * M_PER_DEG for a, b in itertools.pairwise(shots)]
    assert all(4.9 < gap < 5.2 for gap in gaps)
    rig.do(206, 0.0)
    rig.vehicle.be(position=HOME)
    assert [] == rig.pass_time(0.1)


@pytest.mark.parametrize(("command", "result"), [(2500, 4), (2501, 4), (531, 0), (2001, 0)])
def test_what_a_servo_camera_says_to_other_orders(rig, command, result) -> None:
    """No video; a zoom that does not exist is accepted."""
    assert result == rig.do(command)


def test_camera_information_is_empty(rig) -> None:
    """No names, no sensor, no flags."""
    information = rig.camera.telemetry(259, 0.0)
    assert ([0] * 32, 0.0, 0) == (
        information.vendor_name,
        information.sensor_size_h,
        information.flags,
    )
    assert information.pack(mav.MAVLink(None))


def test_reboot_counts_anew(rig) -> None:
    """Pictures, series and aim are gone."""
    rig.do(2000, 0.0, 1.0, 0.0)
    rig.do(205, -80.0, 0, 0, 0, 0, 0, 2.0)
    rig.camera.reboot(rig.now_s)
    rig.gimbal.reboot(rig.now_s)
    assert [] == rig.pass_time(3.0)
    assert 0 == rig.camera.shots
    assert points(rig.report.q, -32.5)
