"""Modes that a pilot's sticks fly, and what becomes of them when nobody holds the sticks.

A simulated receiver rests with the throttle at its lower stop: ALT_HOLD, LOITER and POSHOLD then
sink at PILOT_SPEED_UP, STABILIZE and ACRO fall.
"""

import math

from simulations.vehicle.body import GRAVITY_M_S2, STOPPED, Thrust
from simulations.vehicle.craft import Craft

_ROLL, _PITCH, _THROTTLE, _YAW = 0, 1, 2, 3
_YAW_RATE_RAD_S = math.radians(150)


class Sticks:
    """One stick mode.

    Args:
        craft: the copter.
        height: the throttle stick asks for a climb rate (else for thrust).
        position: roll and pitch ask for a velocity over ground (else the copter stays level).
    """

    taking_off = False
    landing = False

    def __init__(self, craft: Craft, *, height: bool, position: bool) -> None:
        self._craft = craft
        self._height = height
        self._position = position
        self._limits = craft.controller.limits(
            speed_m_s=craft.parameters["LOIT_SPEED"] / 100,
            acceleration_m_s2=craft.parameters["LOIT_ACC_MAX"] / 100,
        )

    def step(self) -> Thrust:
        """Follow the sticks for one tick."""
        craft = self._craft
        throttle = craft.radio.stick(_THROTTLE, craft.now_s)
        if craft.landed:
            if throttle <= 0.1 or not craft.armed:
                return STOPPED
            craft.landed = False
            craft.auto_armed = True
            craft.controller.take_over(craft.estimate)
        if craft.body.on_ground and throttle < 0:
            craft.landed = True
            return STOPPED
        self._level()
        craft.controller.spin(craft.radio.stick(_YAW, craft.now_s) * _YAW_RATE_RAD_S)
        if not self._height:
            return self._by_thrust(throttle)
        p = craft.parameters
        up = p["PILOT_SPEED_UP"] / 100
        down = (p["PILOT_SPEED_DN"] or p["PILOT_SPEED_UP"]) / 100
        rate = throttle * (up if throttle > 0 else down)
        craft.controller.climb(rate, craft.dt_s, p["PILOT_ACCEL_Z"] / 100)
        return craft.controller.thrust(craft.estimate, craft.dt_s)

    def _level(self) -> None:
        craft = self._craft
        if not (self._position and craft.estimate.horizontal):
            craft.controller.stay_level()
            return
        forward = -craft.radio.stick(_PITCH, craft.now_s) * self._limits.speed_m_s
        right = craft.radio.stick(_ROLL, craft.now_s) * self._limits.speed_m_s
        yaw = craft.estimate.yaw_rad
        craft.controller.velocity(
            forward * math.cos(yaw) - right * math.sin(yaw),
            forward * math.sin(yaw) + right * math.cos(yaw),
            self._limits,
            craft.dt_s,
        )

    def _by_thrust(self, throttle: float) -> Thrust:
        """The stick is thrust: the middle hovers, the lower stop lets it fall."""
        craft = self._craft
        craft.controller.height.take_over(craft.estimate.alt_m, craft.estimate.climb_m_s)
        level = craft.controller.thrust(craft.estimate, craft.dt_s)
        return Thrust(
            north_m_s2=level.north_m_s2, east_m_s2=level.east_m_s2,
            up_m_s2=GRAVITY_M_S2 * throttle, yaw_rate_rad_s=level.yaw_rate_rad_s, spinning=True,
        )  # fmt: skip
