"""Attitude and gimbal: NED ends here, every frame flag is told apart, the better message counts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from geo.turn import quaternion_of_euler, quaternion_product
from hardware.autopilot_mavlink.turns import ENU_FROM_NED, to_euler
from hardware.ports import AttitudeSample, GimbalSample
from tests.unit.hardware.mavlink_kit import Heard

ANGLE = st.floats(-3.1, 3.1)
PITCH = st.floats(-1.5, 1.5)


def matrix(q):
    w, x, y, z = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def device(heard, q, flags, ms=None):
    heard.copter.say(
        mav.MAVLink_gimbal_device_attitude_status_message(
            0, 0, heard.copter.boot_ms if ms is None else ms, flags, list(q), 0.0, 0.0, 0.0, 0
        )
    )


def gimbals(samples):
    return [sample for sample in samples if isinstance(sample, GimbalSample)]


@given(ANGLE, PITCH, ANGLE)
def test_euler_angles_make_the_textbook_matrix(roll, pitch, yaw) -> None:
    """Rz(yaw) Ry(pitch) Rx(roll), and back."""
    cr, sr, cp, sp, cy, sy = (f(a) for a in (roll, pitch, yaw) for f in (math.cos, math.sin))
    rz = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    ry = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    rx = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    q = quaternion_of_euler(roll, pitch, yaw)
    assert np.allclose(rz @ ry @ rx, matrix(q), atol=1e-12)
    assert (roll, pitch, yaw) == pytest.approx(to_euler(q), abs=1e-6)


def test_enu_from_ned_swaps_north_and_east_and_turns_down_up() -> None:
    """As a matrix: rows east, north, up."""
    assert np.allclose([[0, 1, 0], [1, 0, 0], [0, 0, -1]], matrix(ENU_FROM_NED))


@pytest.mark.parametrize("by_quaternion", [False, True])
def test_attitude_turns_the_body_into_enu(by_quaternion) -> None:
    """Nose east, 10 degrees up: x ahead is east and up, y right is south."""
    heard = Heard()
    roll, pitch, yaw = 0.0, math.radians(10), math.radians(90)
    if by_quaternion:
        heard.copter.say(
            mav.MAVLink_attitude_quaternion_message(
                heard.copter.boot_ms, *quaternion_of_euler(roll, pitch, yaw), 0.1, 0.2, 0.3
            )
        )
    else:
        heard.copter.attitude(roll, pitch, yaw, (0.1, 0.2, 0.3))
    (sample,) = heard.read()
    axes = matrix(sample.quaternion_enu_from_body)
    assert np.allclose([math.cos(pitch), 0, math.sin(pitch)], axes[:, 0], atol=1e-6)
    assert np.allclose([0, -1, 0], axes[:, 1], atol=1e-6)
    assert (0.1, 0.2, 0.3) == pytest.approx(sample.rate_body_rad_s)
    assert (90.0, 10.0) == pytest.approx((heard.state.heading_deg, heard.state.pitch_deg), abs=1e-3)


def test_one_attitude_comes_out_where_both_messages_come() -> None:
    """ATTITUDE is left aside while the quaternion is heard, and counts again after two seconds."""
    heard = Heard()
    heard.copter.say(
        mav.MAVLink_attitude_quaternion_message(heard.copter.boot_ms, 1, 0, 0, 0, 0, 0, 0)
    )
    heard.copter.attitude()
    assert 1 == len(heard.read(2.5))
    heard.copter.attitude()
    (sample,) = heard.read()
    assert isinstance(sample, AttitudeSample)


@pytest.mark.parametrize(
    "message",
    [
        mav.MAVLink_attitude_message(100_000, math.nan, 0, 0, 0, 0, 0),
        mav.MAVLink_attitude_message(100_000, 0, 0, 1e9, 0, 0, 0),
        mav.MAVLink_attitude_quaternion_message(100_000, 0, 0, 0, 0, 0, 0, 0),
        mav.MAVLink_attitude_quaternion_message(100_000, 9, 0, 0, 0, 0, 0, 0),
        mav.MAVLink_attitude_quaternion_message(100_000, math.inf, 0, 0, 0, 0, 0, 0),
    ],
)
def test_numbers_that_are_no_attitude_are_refused(message) -> None:
    """Not a number, not an angle, not a unit quaternion."""
    heard = Heard()
    heard.copter.say(message)
    assert [] == heard.read()
    assert 1 == heard.driver.totals["attitude_absurd"]


def test_absurd_rates_are_left_out() -> None:
    """The attitude stays."""
    heard = Heard()
    heard.copter.attitude(rates=(math.nan, 0.0, 0.0))
    (sample,) = heard.read()
    assert sample.rate_body_rad_s is None


@pytest.mark.parametrize(
    ("flags", "frame"),
    [
        (12, "level"),
        (12 | 16, "enu"),
        (12 | 32, "level"),
        (12 | 16 | 32, "level"),
        (12 | 64, "enu"),
        (12 | 16 | 64, "enu"),
        (12 | 32 | 64, None),
    ],
)
def test_every_frame_flag_of_a_gimbal_device(flags, frame) -> None:
    """The explicit flags first; without them the yaw lock means north; both together mean nothing."""
    heard = Heard()
    q = quaternion_of_euler(0.0, math.radians(-45), math.radians(30))
    device(heard, q, flags)
    found = gimbals(heard.read())
    assert ([] if frame is None else [frame]) == [sample.frame for sample in found]
    if frame == "level":
        assert q == pytest.approx(found[0].quaternion_frame_from_gimbal)
    if frame == "enu":
        ahead = matrix(found[0].quaternion_frame_from_gimbal)[:, 0]
        down = math.sqrt(0.5)
        expected = [down * math.sin(math.radians(30)), down * math.cos(math.radians(30)), -down]
        assert np.allclose(expected, ahead, atol=1e-6)
    assert (frame is None) == (heard.driver.totals.get("gimbal_absurd", 0) == 1)


def test_mount_status_and_orientation_stand_in_for_a_device() -> None:
    """Servo angles against the body; better: the horizon; best: the device itself."""
    heard = Heard()
    heard.copter.say(mav.MAVLink_mount_status_message(0, 0, -4500, 500, 3000))
    (status,) = gimbals(heard.read())
    assert "body" == status.frame
    expected = quaternion_of_euler(math.radians(5), math.radians(-45), math.radians(30))
    assert expected == pytest.approx(status.quaternion_frame_from_gimbal)
    heard.copter.say(mav.MAVLink_mount_orientation_message(heard.copter.boot_ms, 0.0, -30.0, 10.0))
    heard.copter.say(mav.MAVLink_mount_status_message(0, 0, -4500, 0, 0))
    (orientation,) = gimbals(heard.read())
    assert "level" == orientation.frame
    device(heard, quaternion_of_euler(0.0, -1.0, 0.0), 44)
    heard.copter.say(mav.MAVLink_mount_orientation_message(heard.copter.boot_ms, 0.0, -30.0, 10.0))
    heard.copter.say(mav.MAVLink_mount_status_message(0, 0, -4500, 0, 0))
    assert 1 == len(gimbals(heard.read(2.5)))
    heard.copter.say(mav.MAVLink_mount_status_message(0, 0, -4500, 0, 0))
    assert ["body"] == [sample.frame for sample in gimbals(heard.read())]


def test_mount_orientation_without_yaw_uses_the_absolute_one() -> None:
    """NaN is "not known"; a mount without roll or pitch is none."""
    heard = Heard()
    heard.copter.say(
        mav.MAVLink_mount_orientation_message(heard.copter.boot_ms, 0.0, 0.0, math.nan, 90.0)
    )
    (sample,) = gimbals(heard.read())
    assert "enu" == sample.frame
    assert np.allclose([1, 0, 0], matrix(sample.quaternion_frame_from_gimbal)[:, 0], atol=1e-6)
    heard.copter.say(
        mav.MAVLink_mount_orientation_message(heard.copter.boot_ms, math.nan, 0.0, 0.0, 0.0)
    )
    assert [] == gimbals(heard.read())


def test_duplicates_and_overtaken_messages_come_out_once_and_in_order() -> None:
    """A datagram twice, or after its successor."""
    heard = Heard()
    first = heard.copter.frame(
        mav.MAVLink_attitude_message(heard.copter.boot_ms, 0.1, 0, 0, 0, 0, 0)
    )
    second = heard.copter.frame(
        mav.MAVLink_attitude_message(heard.copter.boot_ms + 50, 0.2, 0, 0, 0, 0, 0)
    )
    for data in (second, first, second, second):
        heard.copter.bytes(data)
    assert 1 == len(heard.read())
    assert (2, 1) == (heard.driver.totals["duplicate"], heard.driver.totals["overtaken"])


@given(ANGLE, PITCH, ANGLE, ANGLE, PITCH, ANGLE)
def test_product_is_the_product_of_the_matrices(a, b, c, d, e, f) -> None:
    """The turn on the right is done first."""
    p, q = quaternion_of_euler(a, b, c), quaternion_of_euler(d, e, f)
    assert np.allclose(matrix(p) @ matrix(q), matrix(quaternion_product(p, q)), atol=1e-12)
