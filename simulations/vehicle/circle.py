"""CIRCLE: around a centre ahead of where it was switched on, nose to the centre."""

import math

from simulations.vehicle.body import Thrust
from simulations.vehicle.craft import Craft


class Circle:
    """Fly CIRCLE_RADIUS around a point at CIRCLE_RATE.

    Args:
        craft: the copter; the centre lies one radius ahead of it.
    """

    taking_off = False
    landing = False

    def __init__(self, craft: Craft) -> None:
        self._craft = craft
        self._radius_m = max(1.0, craft.parameters["CIRCLE_RADIUS"] / 100)
        stop = craft.stopping_point_m()
        yaw = craft.estimate.yaw_rad
        self._centre = (
            stop[0] + self._radius_m * math.cos(yaw),
            stop[1] + self._radius_m * math.sin(yaw),
        )
        self._angle_rad = yaw + math.pi
        self._limits = craft.controller.limits(speed_m_s=craft.cruise_m_s)

    def step(self) -> Thrust:
        """Chase a point that runs along the circle."""
        craft = self._craft
        fastest = math.sqrt(self._limits.acceleration_m_s2 / self._radius_m)
        rate = math.radians(craft.parameters["CIRCLE_RATE"])
        rate = max(-fastest, min(fastest, rate))
        self._angle_rad += rate * craft.dt_s
        north = self._centre[0] + self._radius_m * math.cos(self._angle_rad)
        east = self._centre[1] + self._radius_m * math.sin(self._angle_rad)
        speed = rate * self._radius_m
        level = craft.controller.level
        craft.controller.velocity(
            -speed * math.sin(self._angle_rad) + 0.5 * (north - level.north_m),
            speed * math.cos(self._angle_rad) + 0.5 * (east - level.east_m),
            self._limits,
            craft.dt_s,
        )
        craft.controller.climb(0.0, craft.dt_s)
        craft.controller.face(self._angle_rad + math.pi)
        return craft.controller.thrust(craft.estimate, craft.dt_s)
