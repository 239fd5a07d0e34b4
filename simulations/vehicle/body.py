"""The true copter: mass, tilt, drag, wind and ground; it knows nothing of estimates or modes."""

import math
from collections.abc import Callable
from dataclasses import dataclass

GRAVITY_M_S2 = 9.80665
DRAG_SPEED_M_S = 15.0
"""Airspeed at which drag needs 45 degrees of tilt (ArduPilot's default simulated frame)."""
_LINEAR_DRAG_PER_S = 0.05
_TILT_TAU_S = 0.12
_LIFT_TAU_S = 0.08
_CLIMB_ACCELERATION_MAX_M_S2 = 7.0
_GROUND_STEP_M = 0.25

GroundHeight = Callable[[float, float], float]
"""North and east metres from the origin to the ground's height above sea level in metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrust:
    """What the motors are asked for.

    Attributes:
        north_m_s2: horizontal part of the thrust over the mass.
        east_m_s2: likewise.
        up_m_s2: vertical acceleration beyond hover.
        yaw_rate_rad_s: turn, clockwise seen from above.
        spinning: motors turn with thrust; False is idle or stopped.
    """

    north_m_s2: float = 0.0
    east_m_s2: float = 0.0
    up_m_s2: float = 0.0
    yaw_rate_rad_s: float = 0.0
    spinning: bool = False


STOPPED = Thrust()


class Body:
    """Where the copter truly is and how it moves.

    Args:
        ground: height of the ground, by place.
        north_m: start.
        east_m: start.
        yaw_rad: heading at the start.
    """

    def __init__(
        self, ground: GroundHeight, *, north_m: float = 0.0, east_m: float = 0.0, yaw_rad: float
    ) -> None:
        self._ground = ground
        self.north_m = north_m
        self.east_m = east_m
        self.alt_m = ground(north_m, east_m)
        self.velocity_north_m_s = 0.0
        self.velocity_east_m_s = 0.0
        self.climb_m_s = 0.0
        self.yaw_rad = yaw_rad
        self.yaw_rate_rad_s = 0.0
        self.on_ground = True
        self.tilt_north_m_s2 = 0.0
        self.tilt_east_m_s2 = 0.0
        self.lift_m_s2 = 0.0
        self.acceleration_m_s2 = (0.0, 0.0, 0.0)
        self._ground_at = (north_m, east_m)
        self._ground_m = self.alt_m
        self.hit_m_s: float | None = None
        """Speed of a touch-down in this very step."""

    @property
    def ground_alt_m(self) -> float:
        """Height of the ground below, above sea level; asked anew after every quarter of a metre."""
        north_m, east_m = self._ground_at
        if abs(north_m - self.north_m) + abs(east_m - self.east_m) > _GROUND_STEP_M:
            self._ground_at = (self.north_m, self.east_m)
            self._ground_m = self._ground(self.north_m, self.east_m)
        return self._ground_m

    def drag_m_s2(self, wind_north_m_s: float, wind_east_m_s: float) -> tuple[float, float]:
        """Acceleration by the air.

        Source: quadratic drag scaled to balance gravity at 45 degrees and 15 m/s, and a small
        linear (rotor) part.
        """
        north_m_s = wind_north_m_s - self.velocity_north_m_s
        east_m_s = wind_east_m_s - self.velocity_east_m_s
        speed_m_s = math.hypot(north_m_s, east_m_s)
        per_s = GRAVITY_M_S2 * speed_m_s / DRAG_SPEED_M_S**2 + _LINEAR_DRAG_PER_S
        return per_s * north_m_s, per_s * east_m_s

    def step(self, thrust: Thrust, wind_ne_m_s: tuple[float, float], dt_s: float) -> None:
        """Move on by one tick.

        Args:
            thrust: demand of the controller, reached with the lag of tilt and rotors.
            wind_ne_m_s: velocity of the air, towards north and east.
            dt_s: tick, at most 0.05 s.
        """
        self.hit_m_s = None
        blend = min(1.0, dt_s / _TILT_TAU_S)
        asked_north, asked_east = (
            (thrust.north_m_s2, thrust.east_m_s2) if thrust.spinning else (0.0, 0.0)
        )
        self.tilt_north_m_s2 += blend * (asked_north - self.tilt_north_m_s2)
        self.tilt_east_m_s2 += blend * (asked_east - self.tilt_east_m_s2)
        up_m_s2 = min(thrust.up_m_s2, _CLIMB_ACCELERATION_MAX_M_S2)
        asked_up = max(up_m_s2, -GRAVITY_M_S2) if thrust.spinning else -GRAVITY_M_S2
        self.lift_m_s2 += min(1.0, dt_s / _LIFT_TAU_S) * (asked_up - self.lift_m_s2)
        ground_m = self.ground_alt_m
        if self.on_ground:
            if not thrust.spinning or self.lift_m_s2 <= 0.05:
                self._rest(ground_m)
                return
            self.on_ground = False
        drag_north, drag_east = self.drag_m_s2(*wind_ne_m_s)
        a_north = self.tilt_north_m_s2 + drag_north
        a_east = self.tilt_east_m_s2 + drag_east
        a_up = self.lift_m_s2 - 0.02 * self.climb_m_s * abs(self.climb_m_s)
        self.acceleration_m_s2 = (a_north, a_east, -a_up)
        self.velocity_north_m_s += a_north * dt_s
        self.velocity_east_m_s += a_east * dt_s
        self.climb_m_s += a_up * dt_s
        self.north_m += self.velocity_north_m_s * dt_s
        self.east_m += self.velocity_east_m_s * dt_s
        self.alt_m += self.climb_m_s * dt_s
        self.yaw_rate_rad_s = thrust.yaw_rate_rad_s if thrust.spinning else 0.0
        self.yaw_rad = math.remainder(self.yaw_rad + self.yaw_rate_rad_s * dt_s, math.tau)
        if self.alt_m <= ground_m and self.climb_m_s < 0:
            self.hit_m_s = -self.climb_m_s
            self._rest(ground_m)

    def _rest(self, ground_m: float) -> None:
        self.on_ground = True
        self.alt_m = ground_m
        self.velocity_north_m_s = self.velocity_east_m_s = self.climb_m_s = 0.0
        self.tilt_north_m_s2 = self.tilt_east_m_s2 = 0.0
        self.yaw_rate_rad_s = 0.0
        self.acceleration_m_s2 = (0.0, 0.0, 0.0)

    def euler_rad(self) -> tuple[float, float, float]:
        """Roll, pitch and yaw that give the present thrust."""
        sine, cosine = math.sin(self.yaw_rad), math.cos(self.yaw_rad)
        forward = self.tilt_north_m_s2 * cosine + self.tilt_east_m_s2 * sine
        right = -self.tilt_north_m_s2 * sine + self.tilt_east_m_s2 * cosine
        up = max(1.0, GRAVITY_M_S2 + (0.0 if self.on_ground else self.lift_m_s2))
        pitch = -math.atan2(forward, up)
        roll = math.atan2(right * math.cos(pitch), up)
        return roll, pitch, self.yaw_rad


def quaternion_of(euler_rad: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Roll, pitch, yaw to w, x, y, z (body FRD into NED, z-y-x order)."""
    roll, pitch, yaw = (angle / 2 for angle in euler_rad)
    cr, sr = math.cos(roll), math.sin(roll)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cy, sy = math.cos(yaw), math.sin(yaw)
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )
