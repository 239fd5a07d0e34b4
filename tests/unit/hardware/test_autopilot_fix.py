"""The receiver's fix and our verdict on it: jumped, jammed, stale."""

import struct

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from hardware.autopilot_mavlink.dialect import CRC_EXTRA, GNSS_INTEGRITY
from hardware.autopilot_mavlink.frames import with_checksum
from tests.unit.hardware.mavlink_kit import Heard


def integrity(jamming=1, spoofing=1):
    """GNSS_INTEGRITY, which the dialect does not have."""
    payload = struct.pack("<IHHBBBBBBBBB", 0, 65535, 65535, 0, 0, jamming, spoofing, 0, 9, 9, 9, 9)
    head = bytes((0xFD, len(payload), 0, 0, 0, 1, 1)) + GNSS_INTEGRITY.to_bytes(3, "little")
    return with_checksum(head + payload, CRC_EXTRA[GNSS_INTEGRITY])


@pytest.mark.parametrize(
    ("fix", "status"),
    [(0, "none"), (1, "none"), (2, "fix_2d"), (3, "fix_3d"), (6, "fix_3d"), (99, "none")],
)
def test_fix_types(fix, status) -> None:
    """Every kind of three-dimensional fix is one; unknown numbers are none."""
    heard = Heard()
    heard.copter.gps(fix=fix, satellites=7)
    heard.read()
    assert (status, 7) == (heard.state.fix_status, heard.state.satellites)


def test_receiver_that_fell_silent_is_stale() -> None:
    """After five seconds without a word, and its satellites are unknown."""
    heard = Heard()
    heard.copter.gps()
    heard.read()
    heard.clock.advance(5.1)
    assert ("stale", None) == (heard.state.fix_status, heard.state.satellites)


def test_receiver_that_leaps_has_jumped_for_ten_seconds() -> None:
    """Faster than speed and accuracy explain; 255 satellites mean unknown."""
    heard = Heard()
    heard.copter.gps()
    heard.read(0.5)
    heard.copter.gps(lat=10.425, satellites=255)
    heard.read(0.5)
    assert ("jumped", None) == (heard.state.fix_status, heard.state.satellites)
    for _ in range(21):
        heard.copter.gps(lat=10.425)
        heard.read(0.5)
    assert "fix_3d" == heard.state.fix_status
    assert 1 == heard.driver.totals["fix_jumps"]


def test_fast_craft_does_not_jump() -> None:
    """40 m/s with the speed that it reports itself."""
    heard = Heard()
    for number in range(20):
        heard.copter.gps(lat=10.42 + number * 40.0 / 111_319.5, vel=4000)
        heard.read(1.0)
        assert "fix_3d" == heard.state.fix_status


def test_estimator_far_from_its_receiver_means_a_jump() -> None:
    """A receiver led away slowly is noticed where the estimator does not follow."""
    heard = Heard()
    heard.copter.ekf()
    heard.settle()
    heard.copter.gps(lat=10.4245)
    heard.copter.position()
    heard.read()
    assert "jumped" == heard.state.fix_status


def test_glitch_flag_of_the_estimator_is_a_jump() -> None:
    """It rejects the receiver itself."""
    heard = Heard()
    heard.copter.gps()
    heard.copter.ekf(831 | 32768)
    heard.read()
    assert ("jumped", False) == (heard.state.fix_status, heard.state.ekf_healthy)


@pytest.mark.parametrize(
    ("jamming", "spoofing", "status"),
    [(3, 1, "jammed"), (1, 3, "jammed"), (2, 2, "fix_3d"), (0, 0, "fix_3d")],
)
def test_receiver_that_finds_jamming_or_spoofing(jamming, spoofing, status) -> None:
    """Detected counts; mitigated and unknown do not."""
    heard = Heard()
    heard.copter.gps()
    heard.copter.bytes(integrity(jamming, spoofing))
    heard.read()
    assert status == heard.state.fix_status


@pytest.mark.parametrize(("landed", "status"), [(2, "jammed"), (1, "none")])
def test_many_satellites_lost_at_once_in_the_air_are_jamming(landed, status) -> None:
    """On the ground somebody may have carried it into a shed."""
    heard = Heard()
    heard.copter.say(mav.MAVLink_extended_sys_state_message(0, landed))
    heard.copter.gps(satellites=14)
    heard.read(1.0)
    heard.copter.gps(fix=1, satellites=0)
    heard.read(1.0)
    assert status == heard.state.fix_status
    heard.copter.gps(satellites=10)
    heard.read()
    assert "fix_3d" == heard.state.fix_status


def test_second_receiver_counts_while_the_first_has_no_fix() -> None:
    """GPS2_RAW stands in, and steps back."""
    heard = Heard()
    heard.copter.gps(fix=1, satellites=2)
    heard.copter.gps(fix=3, satellites=11, second=True)
    heard.read()
    assert ("fix_3d", 11) == (heard.state.fix_status, heard.state.satellites)
    heard.copter.gps(fix=3, satellites=9)
    heard.read()
    assert 9 == heard.state.satellites


def test_heading_accuracy_by_compass_disturbed_compass_and_two_antennas() -> None:
    """Five degrees; more where the estimator disputes the compass; what two antennas say."""
    heard = Heard()
    heard.copter.attitude()
    heard.read()
    assert 5.0 == heard.state.heading_sigma_deg
    heard.copter.ekf(831, (0.1, 0.1, 0.1, 1.2))
    heard.copter.attitude()
    heard.read()
    assert 12.0 == pytest.approx(heard.state.heading_sigma_deg)
    heard.copter.gps(yaw=9000, hdg_acc_deg=0.4)
    heard.copter.attitude()
    (sample,) = heard.read()
    assert 0.4 == pytest.approx(sample.heading_sigma_deg)
