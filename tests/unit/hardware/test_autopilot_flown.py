"""A simulated copter flies; what the driver says of it is what was true at that moment."""

import math

import numpy as np
import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from hardware.autopilot_mavlink.driver import MavlinkAutopilot, MavlinkSettings
from hardware.autopilot_mavlink.place import distance_m
from hardware.ports import AttitudeSample, GimbalSample, PositionSample
from simulations.vehicle.making import Setup
from tests.unit.hardware.mavlink_kit import HOME, World
from tests.unit.hardware.test_autopilot_posture import matrix

NED_TO_ENU = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]])


def euler_matrix(roll, pitch, yaw):
    cr, sr, cp, sp, cy, sy = (f(a) for a in (roll, pitch, yaw) for f in (math.cos, math.sin))
    return (
        np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
        @ np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
        @ np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    )


def between_deg(a, b):
    cosine = (np.trace(np.asarray(a).T @ np.asarray(b)) - 1) / 2
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


class Flown:
    """Take-off and a fast move sideways, with the gimbal turning; over a link with 60 ms each way."""

    def __init__(self):
        self.world = World(Setup(home=HOME, parameters={"MNT1_TYPE": 1.0}), delay_s=0.06)
        self.driver = MavlinkAutopilot(
            self.world.connect,
            MavlinkSettings(),
            self.world.clock,
            pause=self.world.clock.advance,
        )
        self.pilot = mav.MAVLink(None, 255, 190)
        self.samples = []
        self.read(45.0)
        self.order(mav.MAV_CMD_DO_SET_MODE, 1, 4)
        while not self.world.copters[0].truth().armed:
            self.order(mav.MAV_CMD_COMPONENT_ARM_DISARM, 1)
            self.read(1.0)
        self.order(mav.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, 20.0)
        self.read(14.0)
        self.order(mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW, math.nan, math.nan, -3.0, 5.0)
        self.order(mav.MAV_CMD_CONDITION_YAW, 120.0, 20.0, 1, 0)
        self.say(
            mav.MAVLink_set_position_target_global_int_message(
                0, 1, 1, 6, 0b110111111000, round((HOME.lat_deg + 0.0008) * 1e7),
                round((HOME.lon_deg + 0.0005) * 1e7), 25.0, 0, 0, 0, 0, 0, 0, 0, 0,
            )
        )  # fmt: skip
        self.begin_s = self.world.clock.monotonic_s()
        self.read(12.0)

    def read(self, seconds):
        until_s = self.world.clock.monotonic_s() + seconds
        while self.world.clock.monotonic_s() < until_s:
            self.samples += self.driver.read(0.2)

    def say(self, message):
        self.world.copters[0].receive(bytes(message.pack(self.pilot)), 0)

    def order(self, command, *params):
        values = [*params, *[0.0] * (7 - len(params))]
        self.say(mav.MAVLink_command_long_message(1, 1, command, 0, *values))
        self.read(0.2)

    def of(self, kind):
        return [s for s in self.samples if isinstance(s, kind) and s.t_monotonic_s > self.begin_s]


@pytest.fixture(scope="module")
def flown():
    """Flown once for all tests of this file."""
    return Flown()


def test_flight_was_worth_it(flown) -> None:
    """It moved, leaned and turned, or the other tests would show nothing."""
    truths = [truth for t_s, truth, _ in flown.world.truths[0] if t_s > flown.begin_s]
    assert max(math.hypot(*truth.velocity_ned_m_s) for truth in truths) > 4.0
    assert max(abs(truth.euler_rad[1]) for truth in truths) > 0.05
    assert np.ptp([truth.euler_rad[2] for truth in truths]) > 1.0


def test_positions_are_the_truth_of_their_moment(flown) -> None:
    """Within 0.4 m at 5 m/s, though each came 60 ms after it was true."""
    errors_m = []
    for sample in flown.of(PositionSample):
        _, truth, _ = flown.world.truth_at(sample.t_monotonic_s)
        place = truth.place
        level_m = distance_m(sample.lon_deg, sample.lat_deg, place.lon_deg, place.lat_deg)
        errors_m.append(math.hypot(level_m, sample.alt_msl_m - place.alt_msl_m))
    print(f"position: {len(errors_m)} samples, worst {max(errors_m):.3f} m")
    assert len(errors_m) > 45
    assert max(errors_m) < 0.4


def test_attitudes_are_the_truth_of_their_moment(flown) -> None:
    """Within a degree while it leans and turns."""
    errors_deg = []
    for sample in flown.of(AttitudeSample):
        _, truth, _ = flown.world.truth_at(sample.t_monotonic_s)
        true = NED_TO_ENU @ euler_matrix(*truth.euler_rad)
        errors_deg.append(between_deg(true, matrix(sample.quaternion_enu_from_body)))
    print(f"attitude: {len(errors_deg)} samples, worst {max(errors_deg):.3f} deg")
    assert len(errors_deg) > 200
    assert max(errors_deg) < 1.0


def test_gimbal_is_the_truth_of_its_moment(flown) -> None:
    """Against the horizon and the heading, as its flags say; within a degree."""
    errors_deg = []
    for sample in flown.of(GimbalSample):
        _, _, true = flown.world.truth_at(sample.t_monotonic_s)
        assert "level" == sample.frame
        errors_deg.append(between_deg(matrix(true), matrix(sample.quaternion_frame_from_gimbal)))
    print(f"gimbal: {len(errors_deg)} samples, worst {max(errors_deg):.3f} deg")
    assert len(errors_deg) > 200
    assert max(errors_deg) < 1.0


def test_clock_of_the_copter_is_known_to_a_few_milliseconds(flown) -> None:
    """By TIMESYNC, over 60 ms each way; by arrivals alone it would be 60 ms wrong."""
    state = flown.driver.vehicles()[0]
    assert 1000.0 == pytest.approx(state.clock_offset_s, abs=0.015)
    assert state.clock_error_s < 0.08


def test_glitch_of_the_receiver_is_said_and_moves_nothing(flown) -> None:
    """500 m away at once: `jumped`, and no sample lies there."""
    began = len(flown.samples)
    flown.world.copters[0].parameters.set("SIM_GPS1_GLTCH_X", 0.005)
    flown.read(3.0)
    assert "jumped" == flown.driver.vehicles()[0].fix_status
    flown.world.copters[0].parameters.set("SIM_GPS1_GLTCH_X", 0.0)
    flown.read(3.0)
    for sample in flown.samples[began:]:
        if isinstance(sample, PositionSample):
            _, truth, _ = flown.world.truth_at(sample.t_monotonic_s)
            place = truth.place
            assert distance_m(sample.lon_deg, sample.lat_deg, place.lon_deg, place.lat_deg) < 100.0
