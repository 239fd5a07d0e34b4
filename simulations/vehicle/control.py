"""The position controller: follows a smooth reference with tilt and thrust, by the estimate alone."""

import math

from simulations.vehicle.body import DRAG_SPEED_M_S, GRAVITY_M_S2, Thrust
from simulations.vehicle.estimator import Estimate
from simulations.vehicle.parameters import Parameters
from simulations.vehicle.reference import (
    HeightReference,
    LevelReference,
    approach_speed_m_s,
    run_on_m,
)
from simulations.vehicle.scurve import Limits, flyable

_POSITION_P = 1.2
_VELOCITY_P = 2.4
_VELOCITY_I = 0.6
_HEIGHT_P = 5.0
_CLIMB_P = 5.0
_YAW_P = 2.5
_DRAG_AHEAD = 0.9


class Controller:
    """Turns what a mode wants into thrust; a mode calls one level and one height wish per tick.

    Args:
        parameters: limits of speed, acceleration, jerk and tilt.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self.level = LevelReference()
        self.height = HeightReference()
        self._hold_level = True
        self._integral = [0.0, 0.0]
        self.climb_m_s: float | None = None
        self.sink_m_s: float | None = None
        """Rates asked for by DO_CHANGE_SPEED; None takes WPNAV_SPEED_UP and _DN."""
        self.yaw_rad = 0.0
        self._yaw_rate_limit_rad_s = math.radians(60)
        self._yaw_rate_rad_s = 0.0
        self._spin_yaw_rad_s: float | None = None

    def take_over(self, now: Estimate) -> None:
        """Begin anew from the present estimate: no jump in speed."""
        self.level.take_over(
            (now.north_m, now.east_m), (now.velocity_north_m_s, now.velocity_east_m_s)
        )
        self.height.take_over(now.alt_m, now.climb_m_s)
        self.yaw_rad = now.yaw_rad
        self._hold_level = True

    def relax(self) -> None:
        """Forget what was learned of the wind: the copter stands on the ground."""
        self._integral = [0.0, 0.0]

    def limits(
        self, *, speed_m_s: float | None = None, jerk_m_s3: float | None = None,
        acceleration_m_s2: float | None = None,
    ) -> Limits:  # fmt: skip
        """Limits over ground, from WPNAV_* unless given."""
        p = self._parameters
        return flyable(
            speed_m_s=p["WPNAV_SPEED"] / 100 if speed_m_s is None else speed_m_s,
            acceleration_m_s2=acceleration_m_s2 or max(0.5, p["WPNAV_ACCEL"] / 100),
            jerk_m_s3=jerk_m_s3 or p["PSC_JERK_XY"],
        )

    def to_point(
        self, north_m: float, east_m: float, limits: Limits, dt_s: float, end_m_s: float = 0.0
    ) -> None:
        """Fly straight to a point over ground and stay there."""
        off_north, off_east = north_m - self.level.north_m, east_m - self.level.east_m
        distance = math.hypot(off_north, off_east)
        wanted = (0.0, 0.0)
        if distance > 1e-6:
            north, east = off_north / distance, off_east / distance
            left_m = distance - self.level.run_on_m(north, east, limits.jerk_m_s3)
            speed = approach_speed_m_s(left_m, limits, end_m_s)
            wanted = (north * speed, east * speed)
        self.level.step(wanted, limits, dt_s)
        self._hold_level = True

    def run_legs(self, limits: Limits, dt_s: float) -> None:
        """Let the legs of a mission that are under way go on."""
        self.level.run(limits, dt_s)
        self._hold_level = True

    def velocity(self, north_m_s: float, east_m_s: float, limits: Limits, dt_s: float) -> None:
        """Fly with a velocity over ground."""
        self.level.step((north_m_s, east_m_s), limits, dt_s)
        self._hold_level = True

    def stay_level(self) -> None:
        """No position: keep the copter level and let the wind have it."""
        self._hold_level = False

    def height_limits(self, rate_m_s: float) -> Limits:
        """Limits of climb and descent."""
        p = self._parameters
        return flyable(
            speed_m_s=rate_m_s,
            acceleration_m_s2=max(0.2, p["WPNAV_ACCEL_Z"] / 100),
            jerk_m_s3=p["PSC_JERK_Z"],
        )

    def to_height(self, alt_m: float, dt_s: float) -> None:
        """Climb or sink to a height above sea level and stay there."""
        p = self._parameters
        up = self.climb_m_s or p["WPNAV_SPEED_UP"] / 100
        down = self.sink_m_s or p["WPNAV_SPEED_DN"] / 100
        off = alt_m - self.height.alt_m
        limits = self.height_limits(up if off > 0 else down)
        way = math.copysign(1.0, off)
        left_m = abs(off) - run_on_m(
            self.height.climb_m_s * way, self.height.acceleration_m_s2 * way, limits.jerk_m_s3
        )
        wanted = way * approach_speed_m_s(left_m, limits)
        self.height.step(wanted, limits, dt_s)

    def climb(self, rate_m_s: float, dt_s: float, acceleration_m_s2: float | None = None) -> None:
        """Climb (or sink, negative) at a rate."""
        limits = self.height_limits(abs(rate_m_s))
        if acceleration_m_s2 is not None:
            limits = flyable(
                speed_m_s=limits.speed_m_s,
                acceleration_m_s2=acceleration_m_s2,
                jerk_m_s3=limits.jerk_m_s3,
            )
        self.height.step(rate_m_s, limits, dt_s)

    def face(self, yaw_rad: float, rate_deg_s: float | None = None) -> None:
        """Turn to a heading at no more than a rate (ATC_SLEW_YAW unless given)."""
        self.yaw_rad = yaw_rad
        self._spin_yaw_rad_s = None
        rate = rate_deg_s or self._parameters["ATC_SLEW_YAW"] / 100
        self._yaw_rate_limit_rad_s = math.radians(rate)

    def spin(self, rate_rad_s: float) -> None:
        """Turn at a rate."""
        self._spin_yaw_rad_s = rate_rad_s

    def thrust(self, now: Estimate, dt_s: float) -> Thrust:
        """The demand of this tick.

        Args:
            now: estimate; its horizontal part counts only while it may be used.
            dt_s: tick.
        """
        north, east = self._level_thrust(now, dt_s)
        up = (
            self.height.acceleration_m_s2
            + _CLIMB_P * (self.height.climb_m_s - now.climb_m_s)
            + _HEIGHT_P * (self.height.alt_m - now.alt_m)
        )
        wanted = self._spin_yaw_rad_s
        if wanted is None:
            wanted = _YAW_P * math.remainder(self.yaw_rad - now.yaw_rad, math.tau)
        limit = self._yaw_rate_limit_rad_s
        wanted = max(-limit, min(limit, wanted))
        most = math.radians(self._parameters["ATC_ACCEL_Y_MAX"] / 100) * dt_s
        self._yaw_rate_rad_s += max(-most, min(most, wanted - self._yaw_rate_rad_s))
        return Thrust(
            north_m_s2=north, east_m_s2=east, up_m_s2=up,
            yaw_rate_rad_s=self._yaw_rate_rad_s, spinning=True,
        )  # fmt: skip

    def _level_thrust(self, now: Estimate, dt_s: float) -> tuple[float, float]:
        if not (self._hold_level and now.horizontal):
            self._integral = [0.0, 0.0]
            return 0.0, 0.0
        off_v = (
            self.level.velocity_north_m_s - now.velocity_north_m_s,
            self.level.velocity_east_m_s - now.velocity_east_m_s,
        )
        off_p = (self.level.north_m - now.north_m, self.level.east_m - now.east_m)
        # The drag of its own speed is known; what is left of it, and the wind, the integral learns.
        speed = math.hypot(self.level.velocity_north_m_s, self.level.velocity_east_m_s)
        drag_per_s = _DRAG_AHEAD * (GRAVITY_M_S2 * speed / DRAG_SPEED_M_S**2)
        ahead = (
            self.level.acceleration_north_m_s2 + drag_per_s * self.level.velocity_north_m_s,
            self.level.acceleration_east_m_s2 + drag_per_s * self.level.velocity_east_m_s,
        )
        most = GRAVITY_M_S2 * math.tan(math.radians(self._parameters["ANGLE_MAX"] / 100))
        asked = [
            ahead[axis] + _VELOCITY_P * off_v[axis] + _POSITION_P * off_p[axis]
            + self._integral[axis]
            for axis in (0, 1)
        ]  # fmt: skip
        size = math.hypot(asked[0], asked[1])
        if size <= most:
            for axis in (0, 1):
                push = off_v[axis] + 0.5 * off_p[axis]
                self._integral[axis] += _VELOCITY_I * _VELOCITY_P * push * dt_s
            return asked[0], asked[1]
        return asked[0] * most / size, asked[1] * most / size
