"""Flights whose truth is a formula, and what an autopilot with known errors would say of them."""

import math

import numpy as np

from edge.pose_buffer import PoseBuffer
from edge.vehicle_camera import VehicleCamera
from geo.frames import EnuFrame, GeodeticPoint
from geo.turn import matrix_of_frd_angles, matrix_of_rotation_vector, quaternion_of_matrix
from hardware.ports import AttitudeSample, GimbalSample, PositionSample
from runtime.clock import ManualClock
from tests.unit.edge.parts import START_UTC

VEHICLE = (1, 1)
HOME = GeodeticPoint(lon_deg=104.45, lat_deg=10.42, alt_hae_m=20.0)
ENU = EnuFrame(HOME)
NED_TO_ENU = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
CAMERA_IN_FRD = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


class Flight:
    """Where a vehicle truly is and how it and its gimbal lie; and samples that say so.

    The errors of its autopilot are those of a whole flight, as a receiver, a compass and a levelled
    sensor have them.
    """

    tilt_deg = -45.0

    def __init__(self) -> None:
        self.heading_error_deg = 0.0
        self.pitch_error_deg = 0.0
        self.roll_error_deg = 0.0
        self.gimbal_error_rad = np.zeros(3)
        self.place_error_m = np.zeros(3)
        self.place_cov_m2 = np.diag([0.09, 0.09, 0.16])

    def place_m(self, t_s):
        raise NotImplementedError

    def velocity_m_s(self, t_s):
        step_s = 1e-4
        return (self.place_m(t_s + step_s) - self.place_m(t_s - step_s)) / (2.0 * step_s)

    def angles_deg(self, t_s):
        """Heading, pitch and roll."""
        raise NotImplementedError

    def head_deg(self, t_s):
        """Yaw, pitch and roll of the gimbal against the body."""
        return 0.0, self.tilt_deg, 0.0

    def body(self, t_s, *, told=False):
        heading, pitch, roll = self.angles_deg(t_s)
        if told:
            heading += self.heading_error_deg
            pitch += self.pitch_error_deg
            roll += self.roll_error_deg
        return NED_TO_ENU @ matrix_of_frd_angles(heading, pitch, roll)

    def level(self, t_s, *, told=False):
        heading = self.angles_deg(t_s)[0] + (self.heading_error_deg if told else 0.0)
        return NED_TO_ENU @ matrix_of_frd_angles(heading, 0.0, 0.0)

    def camera(self, t_s):
        return self.body(t_s) @ matrix_of_frd_angles(*self.head_deg(t_s)) @ CAMERA_IN_FRD

    def position(self, t_s, **change):
        point = ENU.point_to_geodetic(self.place_m(t_s) + self.place_error_m)
        return PositionSample(
            **{
                "vehicle": VEHICLE,
                "t_monotonic_s": t_s,
                "lon_deg": point.lon_deg,
                "lat_deg": point.lat_deg,
                "alt_hae_m": point.alt_hae_m,
                "alt_msl_m": None,
                "velocity_enu_m_s": tuple(self.velocity_m_s(t_s).tolist()),
                "cov_enu_m2": self.place_cov_m2,
            }
            | change
        )

    def attitude(self, t_s, **change):
        return AttitudeSample(
            **{
                "vehicle": VEHICLE,
                "t_monotonic_s": t_s,
                "quaternion_enu_from_body": quaternion_of_matrix(self.body(t_s, told=True)),
            }
            | change
        )

    def gimbal(self, t_s, frame="body", **change):
        """What its own encoders (body) or its own level sensors (level, enu) say."""
        truly = self.body(t_s) @ matrix_of_frd_angles(*self.head_deg(t_s))
        seen = truly @ matrix_of_rotation_vector(self.gimbal_error_rad)
        if frame == "body":
            turn = self.body(t_s).T @ seen
        elif frame == "level":
            turn = self.level(t_s).T @ seen
        else:
            # It takes its north from the autopilot.
            turn = self.level(t_s, told=True) @ self.level(t_s).T @ seen
        return GimbalSample(
            **{
                "vehicle": VEHICLE,
                "t_monotonic_s": t_s,
                "frame": frame,
                "quaternion_frame_from_gimbal": quaternion_of_matrix(turn),
            }
            | change
        )


class Circle(Flight):
    """A level, nose-forward circle: 30 m at 10 deg/s, 60 m up, gimbal 45 degrees down."""

    radius_m = 30.0
    rate_rad_s = math.radians(10.0)

    def place_m(self, t_s):
        angle = self.rate_rad_s * t_s
        return np.array([self.radius_m * math.sin(angle), self.radius_m * math.cos(angle), 60.0])

    def velocity_m_s(self, t_s):
        angle, speed = self.rate_rad_s * t_s, self.radius_m * self.rate_rad_s
        return np.array([speed * math.cos(angle), -speed * math.sin(angle), 0.0])

    def heading_deg(self, t_s):
        return 90.0 + math.degrees(self.rate_rad_s * t_s)

    def angles_deg(self, t_s):
        return self.heading_deg(t_s), 0.0, 0.0

    def attitude(self, t_s, **change):
        return super().attitude(t_s, **{"rate_body_rad_s": (0.0, 0.0, self.rate_rad_s)} | change)


class Banked(Flight):
    """Hanging still, nose up 12, rolled 20 degrees, looking 30 right and 35 down of its body."""

    def place_m(self, t_s):
        return np.array([5.0, -3.0, 60.0])

    def angles_deg(self, t_s):
        return 70.0, 12.0, 20.0

    def head_deg(self, t_s):
        return 30.0, -35.0, 5.0


class Wandering(Flight):
    """A copter at work in gusts: it sways, yaws to and fro, and its gimbal follows something."""

    def __init__(self, rng) -> None:
        super().__init__()
        # Periods of 2 to 12 s; amplitudes so that nothing moves more wildly than a copter does.
        self._period_s = rng.uniform(2.0, 12.0, (9, 3))
        self._phase = rng.uniform(0.0, 2.0 * math.pi, (9, 3))
        gust = np.array([0.5, 0.5, 0.2])[:, None] * (self._period_s[:3] / 4.0) ** 2
        lean = np.array([6.0, 2.0, 3.0])[:, None] * (self._period_s[3:6] / 4.0)
        look = np.array([4.0, 3.0, 0.5])[:, None] * (self._period_s[6:] / 4.0)
        self._size = np.concatenate((gust, lean, look))
        self._speed_m_s = rng.uniform(-5.0, 5.0, 2)
        self._course_deg = rng.uniform(0.0, 360.0)

    def _swing(self, first, t_s):
        angle = 2.0 * math.pi * t_s / self._period_s + self._phase
        return (self._size * np.sin(angle))[first : first + 3].sum(axis=1)

    def place_m(self, t_s):
        return np.append(self._speed_m_s * t_s, 60.0) + self._swing(0, t_s)

    def angles_deg(self, t_s):
        return tuple((np.array([self._course_deg, 0.0, 0.0]) + self._swing(3, t_s)).tolist())

    def head_deg(self, t_s):
        return tuple((np.array([0.0, self.tilt_deg, 0.0]) + self._swing(6, t_s)).tolist())


def buffer(flight=None, *, until_s=10.0, frame="body", parts="pag", **settings):
    """A buffer that heard a flight of so many seconds: 5 Hz positions, 10 Hz attitudes."""
    flight = flight or Circle()
    clock = ManualClock(START_UTC, monotonic_s=until_s)
    outside = {
        key: settings.pop(key)
        for key in ("states", "offset", "geoid_undulation_m")
        if key in settings
    }
    made = PoseBuffer(
        VehicleCamera(**{"vehicle": VEHICLE, "on": "gimbal"} | settings), clock=clock, **outside
    )
    if "p" in parts:
        made.add([flight.position(t) for t in times_s(until_s, 0.2)])
    if "a" in parts:
        made.add([flight.attitude(t) for t in times_s(until_s, 0.1)])
    if "g" in parts:
        made.add([flight.gimbal(t, frame) for t in times_s(until_s, 0.1)])
    return made


def times_s(until_s, step_s):
    return np.arange(0.0, until_s + 1e-9, step_s).tolist()
