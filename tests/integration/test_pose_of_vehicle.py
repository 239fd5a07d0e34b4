"""A simulated copter flies a turn; its telemetry goes through the real driver into poses."""

import math
from bisect import bisect_left

import numpy as np
import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from edge.geolocate import GroundLocator
from edge.pose import Pose
from edge.pose_buffer import PoseBuffer
from edge.vehicle_camera import VehicleCamera
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens
from geo.terrain import FlatTerrain
from geo.turn import matrix_of_frd_angles, matrix_of_quaternion, rotation_vector_of_matrix
from hardware.autopilot_mavlink.driver import MavlinkAutopilot, MavlinkSettings
from hardware.autopilot_mavlink.streams import Rates
from simulations.vehicle.making import Setup
from tests.unit.hardware.mavlink_kit import HOME, World

NED_TO_ENU = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
CAMERA_IN_FRD = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
UNDULATION_M = -11.0
POSITION_OK = 16
ARMED = 128


class Flight:
    """A copter, a driver that hears it over 30 ms of link, and a pose buffer behind it."""

    def __init__(self) -> None:
        # A servo mount, and a receiver, estimator and wind as the simulator has them.
        self.world = World(Setup(home=HOME, parameters={"MNT1_TYPE": 1.0}))
        self.driver = MavlinkAutopilot(
            self.world.connect,
            MavlinkSettings(rates=Rates(attitude_hz=20.0, position_hz=5.0)),
            self.world.clock,
            geoid=lambda lon, lat: UNDULATION_M,
            pause=self.world.clock.advance,
        )
        self.poses = PoseBuffer(
            VehicleCamera(
                vehicle=(1, 1),
                on="gimbal",
                heading_sigma_deg=1.0,
                roll_pitch_sigma_deg=0.2,
                gimbal_sigma_deg=0.2,
                horizontal_sigma_m=2.0,
                vertical_sigma_m=3.0,
            ),
            clock=self.world.clock,
            states=self.driver.vehicles,
            geoid_undulation_m=lambda lon, lat: UNDULATION_M,
        )
        self._packer = mav.MAVLink(None, 255, 190)
        self.kinds = set()

    def pass_(self, seconds):
        until_s = self.world.clock.monotonic_s() + seconds
        while self.world.clock.monotonic_s() < until_s:
            samples = self.driver.read(0.1)
            self.kinds |= {type(sample).__name__ for sample in samples}
            self.poses.add(samples)

    def order(self, command, *params):
        values = (*params, *(0.0,) * (7 - len(params)))
        message = mav.MAVLink_command_long_message(1, 1, command, 0, *values)
        self.world.posted(0, bytes(message.pack(self._packer)))
        self._packer.seq = (self._packer.seq + 1) % 256

    def wait(self, holds, seconds):
        for _ in range(round(seconds)):
            if holds(self.driver.vehicles()):
                return
            self.pass_(1.0)
        raise AssertionError(f"not within {seconds} s: {self.driver.vehicles()}")

    def truth(self, t_s):
        """Where the lens truly was and how it looked, between two ticks of the simulator."""
        kept = self.world.truths[0]
        index = bisect_left([one[0] for one in kept], t_s)
        (a_s, a, a_head), (b_s, b, b_head) = kept[index - 1], kept[index]
        part = (t_s - a_s) / (b_s - a_s)
        point = GeodeticPoint(
            lon_deg=a.place.lon_deg + part * (b.place.lon_deg - a.place.lon_deg),
            lat_deg=a.place.lat_deg + part * (b.place.lat_deg - a.place.lat_deg),
            alt_hae_m=a.place.alt_msl_m
            + part * (b.place.alt_msl_m - a.place.alt_msl_m)
            + UNDULATION_M,
        )
        near, head = (a, a_head) if part < 0.5 else (b, b_head)
        level = NED_TO_ENU @ matrix_of_frd_angles(math.degrees(near.euler_rad[2]), 0.0, 0.0)
        return point, level @ matrix_of_quaternion(head) @ CAMERA_IN_FRD


@pytest.fixture(scope="module")
def flown():
    """Boots, arms, climbs to 40 m, looks down, flies off and turns its nose all the way."""
    flight = Flight()
    flight.wait(lambda seen: seen and seen[0].fix_status == "fix_3d" and seen[0].ekf_healthy, 90)
    flight.order(mav.MAV_CMD_DO_SET_MODE, 1, 4)
    flight.pass_(1.0)
    for _ in range(20):
        flight.order(mav.MAV_CMD_COMPONENT_ARM_DISARM, 1)
        flight.pass_(2.0)
        if flight.driver.vehicles()[0].armed:
            break
    flight.order(mav.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, 40.0)
    flight.wait(lambda seen: (seen[0].alt_above_takeoff_m or 0.0) > 38.0, 60)
    flight.order(mav.MAV_CMD_DO_MOUNT_CONTROL, -45.0, 0, 0, 0, 0, 0, 2)
    flight.start_s = flight.world.clock.monotonic_s()
    for heading_deg in (90.0, 200.0, 330.0):
        flight.order(mav.MAV_CMD_CONDITION_YAW, heading_deg, 20.0, 1, 0)
        message = mav.MAVLink_set_position_target_local_ned_message(
            0, 1, 1, 1, 0b0000_1101_1100_0111, 0, 0, 0, 4.0, -3.0, 0, 0, 0, 0, 0, 0
        )
        flight.world.posted(0, bytes(message.pack(flight._packer)))
        flight.pass_(6.0)
    flight.end_s = flight.world.clock.monotonic_s()
    return flight


def test_pose_of_a_flown_turn_is_the_simulators(flown):
    """Through messages, boot clock, 30 ms of link and interpolation: errors within what is stated."""
    rng = np.random.default_rng(2)
    place, turn, sigma, inside, turned = [], [], [], [], []
    for t_s in rng.uniform(flown.start_s + 1.0, flown.end_s - 0.6, 200):
        pose = flown.poses.at(t_s)
        assert isinstance(pose, Pose), pose
        point, rotation = flown.truth(t_s)
        error = EnuFrame(point).point_to_enu(pose.position)
        place.append(float(np.linalg.norm(error)))
        off = rotation_vector_of_matrix(pose.rotation_enu_from_camera @ rotation.T)
        turn.append(float(np.degrees(np.linalg.norm(off))))
        sigma.append(float(np.sqrt(np.trace(pose.cov_position_enu_m2))))
        inside.append(error @ np.linalg.solve(pose.cov_position_enu_m2, error) <= 6.2514)
        turned.append(off @ np.linalg.solve(pose.cov_turn_rad2, off) <= 6.2514)
    print(
        f"\nplace: median {np.median(place):.2f} m, largest {max(place):.2f} m, stated 3D sigma"
        f" {np.median(sigma):.2f} m, 90 % ellipsoid holds {np.mean(inside):.2f};"
        f" turn: median {np.median(turn):.3f} deg, largest {max(turn):.3f} deg,"
        f" holds {np.mean(turned):.2f}"
    )
    assert {"PositionSample", "AttitudeSample", "GimbalSample"} == flown.kinds
    assert np.median(turn) < 0.3
    assert max(turn) < 2.0
    assert np.mean(inside) > 0.85
    assert np.mean(turned) > 0.85


def test_places_on_the_ground_hold_the_truth(flown):
    """Marks on the ground, seen truly and placed by the telemetry: within the stated errors."""
    lens = Lens.from_hfov(60.0, 1280, 720)
    ground_m = HOME.alt_msl_m + UNDULATION_M
    locator = GroundLocator(
        lens, flown.poses, FlatTerrain(alt_hae_m=ground_m), terrain_sigma_m=0.05, lens_sigma_px=0.5
    )
    rng = np.random.default_rng(3)
    errors, held = [], []
    for t_s in rng.uniform(flown.start_s + 1.0, flown.end_s - 0.6, 100):
        point, rotation = flown.truth(t_s)
        frame = EnuFrame(point)
        pixel = rng.uniform((200.0, 150.0), (1080.0, 650.0))
        ray = rotation @ lens.rays(pixel[None])[0]
        mark = FlatTerrain(alt_hae_m=ground_m).intersect(frame, np.zeros(3), ray[None])[0]
        foot = lens.project((rotation.T @ mark)[None])
        pose = flown.poses.at(t_s)
        found = locator.locate(pose, foot, np.eye(2)[None] * 0.01)[0].position
        assert found is not None
        here = frame.to_enu(found.lon_deg, found.lat_deg, found.alt_hae_m)[0]
        off = (here - mark)[:2]
        errors.append(float(np.hypot(*off)))
        held.append(off @ np.linalg.solve(np.array(found.cov_enu_m2), off) <= 4.6052)
    print(
        f"\nmarks on the ground: median {np.median(errors):.2f} m, 95 %"
        f" {np.quantile(errors, 0.95):.2f} m; 90 % ellipse holds {np.mean(held):.2f}"
    )
    assert np.median(errors) < 1.0
    assert np.quantile(errors, 0.95) < 3.0
    assert np.mean(held) > 0.85


def test_cut_link_takes_the_pose_away(flown):
    """Half a second after the last telemetry the camera has no pose, and the reason names it."""
    flown.world.cut = True
    flown.pass_(2.5)
    now_s = flown.world.clock.monotonic_s()
    found = flown.poses.at(now_s)
    assert not isinstance(found, Pose)
    print(f"\nreason: {found.reason}")
    assert "vehicle 1" in found.reason


def test_link_that_returns_brings_the_pose_back(flown):
    """After the cut above: the driver opens the line again, and the poses are the truth again."""
    flown.world.cut = False
    flown.pass_(20.0)
    t_s = flown.world.clock.monotonic_s() - 1.0
    pose = flown.poses.at(t_s)
    assert isinstance(pose, Pose), pose
    point, rotation = flown.truth(t_s)
    assert np.linalg.norm(EnuFrame(point).point_to_enu(pose.position)) < 2.0
    off = rotation_vector_of_matrix(pose.rotation_enu_from_camera @ rotation.T)
    assert np.degrees(np.linalg.norm(off)) < 2.0


def test_reboot_of_the_autopilot_is_a_gap_and_no_wrong_pose():
    """On the ground it starts anew, its clock from zero: no pose, then the right one again."""
    flight = Flight()
    flight.wait(lambda seen: seen and seen[0].fix_status == "fix_3d" and seen[0].ekf_healthy, 90)
    flight.pass_(5.0)
    began_s = flight.world.clock.monotonic_s()
    flight.order(mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN, 1)
    reasons, wrong = set(), 0
    for second in range(60):
        flight.pass_(1.0)
        if second == 3:
            flight.world.copters[0].power_on()
        t_s = flight.world.clock.monotonic_s() - 0.3
        pose = flight.poses.at(t_s)
        if not isinstance(pose, Pose):
            reasons.add(pose.reason)
            continue
        point, rotation = flight.truth(t_s)
        error = EnuFrame(point).point_to_enu(pose.position)
        off = rotation_vector_of_matrix(pose.rotation_enu_from_camera @ rotation.T)
        wrong += error @ np.linalg.solve(pose.cov_position_enu_m2, error) > 16.0
        wrong += float(np.degrees(np.linalg.norm(off))) > 5.0
    print(f"\nreboot: {len(reasons)} reasons, among them: {min(reasons)}")
    assert 1 == flight.world.copters[0].reboots
    assert reasons
    assert 0 == wrong
    assert isinstance(flight.poses.at(flight.world.clock.monotonic_s() - 0.3), Pose)
    assert flight.world.clock.monotonic_s() - began_s > 55.0
