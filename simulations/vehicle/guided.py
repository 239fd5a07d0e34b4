"""GUIDED: fly where the client says, stop where it says nothing any more."""

import math
from dataclasses import dataclass

from simulations.vehicle.body import STOPPED, Thrust
from simulations.vehicle.craft import Craft, TakeOff
from simulations.vehicle.ports import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class VelocityWish:
    """A velocity that holds for GUID_TIMEOUT.

    Attributes:
        north_m_s: over ground.
        east_m_s: over ground.
        climb_m_s: upwards positive.
        since_s: when it came.
    """

    north_m_s: float
    east_m_s: float
    climb_m_s: float
    since_s: float


class Guided:
    """The GUIDED mode.

    Args:
        craft: the copter.
    """

    landing = False

    def __init__(self, craft: Craft) -> None:
        self._craft = craft
        self._take_off: TakeOff | None = None
        self._velocity: VelocityWish | None = None
        self._limits = craft.controller.limits()
        self._goal_m = craft.stopping_point_m()
        self._goal_alt_m = craft.estimate.alt_m
        self.target: Place | None = None
        self.paused = False
        craft.controller.face(craft.controller.yaw_rad)

    @property
    def taking_off(self) -> bool:
        """During a commanded take-off."""
        return self._take_off is not None and self._take_off.taking_off

    def take_off(self, alt_msl_m: float) -> None:
        """Begin a take-off to a height."""
        self._take_off = TakeOff(self._craft, alt_msl_m)
        self._craft.auto_armed = True
        self._velocity = None
        self.paused = False

    def go_to(self, place: Place) -> None:
        """Fly to a place; before the take-off it changes nothing that is seen."""
        self.target = place
        self._goal_m = self._craft.to_ne_m(place)
        self._goal_alt_m = place.alt_msl_m
        self._velocity = None
        self.paused = False
        if not self._craft.landed:
            self._take_off = None

    def fly(self, wish: VelocityWish) -> None:
        """Fly with a velocity for a while."""
        self._velocity = wish
        self.paused = False
        if not self._craft.landed:
            self._take_off = None

    def pause(self) -> None:
        """Stop; the goal is kept."""
        self.paused = True

    def resume(self) -> None:
        """Go on to the goal."""
        self.paused = False

    def step(self) -> Thrust:
        """Fly one tick."""
        craft = self._craft
        if self._take_off is not None:
            thrust = self._take_off.step()
            if self._take_off.done:
                self._take_off = None
                self._goal_m = (craft.controller.level.north_m, craft.controller.level.east_m)
                self._goal_alt_m = craft.controller.height.alt_m
            return thrust
        if craft.landed or not craft.armed:
            craft.controller.take_over(craft.estimate)
            return STOPPED
        control, dt_s = craft.controller, craft.dt_s
        if self.paused:
            control.velocity(0.0, 0.0, self._limits, dt_s)
            control.climb(0.0, dt_s)
        elif self._velocity is not None:
            self._follow(self._velocity)
        else:
            limits = control.limits(speed_m_s=craft.cruise_m_s)
            control.to_point(*self._goal_m, limits, dt_s)
            control.to_height(self._goal_alt_m, dt_s)
        return control.thrust(craft.estimate, dt_s)

    def _follow(self, wish: VelocityWish) -> None:
        craft = self._craft
        stale = craft.now_s - wish.since_s > craft.parameters["GUID_TIMEOUT"]
        north, east = (0.0, 0.0) if stale else (wish.north_m_s, wish.east_m_s)
        speed = math.hypot(north, east)
        limits = craft.controller.limits(speed_m_s=craft.cruise_m_s)
        scale = min(1.0, limits.speed_m_s / speed) if speed > 0 else 0.0
        craft.controller.velocity(north * scale, east * scale, limits, craft.dt_s)
        climb = 0.0 if stale else wish.climb_m_s
        up = craft.parameters["WPNAV_SPEED_UP"] / 100
        down = craft.parameters["WPNAV_SPEED_DN"] / 100
        craft.controller.climb(max(-down, min(up, climb)), craft.dt_s)
        self._goal_m = (craft.controller.level.north_m, craft.controller.level.east_m)
        self._goal_alt_m = craft.controller.height.alt_m
