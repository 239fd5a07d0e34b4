"""What the manoeuvres share: estimate, controller, home, and whether the copter stands or flies."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from simulations.vehicle.body import STOPPED, Body, Thrust
from simulations.vehicle.control import Controller
from simulations.vehicle.estimator import Estimate, Estimator
from simulations.vehicle.parameters import Parameters
from simulations.vehicle.plane import LocalPlane
from simulations.vehicle.ports import Place
from simulations.vehicle.radio import Radio

Say = Callable[[str, int], None]
"""Text and severity of a line for the ground station."""


@dataclass(slots=True, kw_only=True)
class Craft:
    """The copter as its modes see it.

    Attributes:
        now_s: vehicle time.
        dt_s: length of this tick.
        estimate: of this tick.
        home: where it returns to.
        home_locked: set by command, so arming does not move it.
        armed: motors may turn.
        landed: it stands; the controller is off.
        auto_armed: a take-off was asked for, so AUTO may leave the ground.
        speed_m_s: cruise asked for by DO_CHANGE_SPEED; None takes WPNAV_SPEED.
        rally: rally points, absolute heights.
    """

    parameters: Parameters
    plane: LocalPlane
    body: Body
    estimator: Estimator
    controller: Controller
    radio: Radio
    say: Say
    estimate: Estimate
    now_s: float = 0.0
    dt_s: float = 0.01
    home: Place | None = None
    home_locked: bool = False
    armed: bool = False
    landed: bool = True
    auto_armed: bool = False
    speed_m_s: float | None = None
    rally: Callable[[], Sequence[Place]] = field(default=tuple)

    def to_ne_m(self, place: Place) -> tuple[float, float]:
        """North and east metres of a place."""
        return self.plane.to_ne_m(place.lat_deg, place.lon_deg)

    @property
    def home_alt_m(self) -> float:
        """Above sea level; the present ground before home is set."""
        return self.home.alt_msl_m if self.home else self.body.ground_alt_m

    @property
    def cruise_m_s(self) -> float:
        """Speed over ground: WPNAV_SPEED, or what DO_CHANGE_SPEED asked for."""
        return self.speed_m_s or self.parameters["WPNAV_SPEED"] / 100

    def here(self) -> Place:
        """The estimate as a place."""
        now = self.estimate
        return self.plane.to_place(now.north_m, now.east_m, now.alt_m)

    def stopping_point_m(self) -> tuple[float, float]:
        """Where the copter comes to rest if it brakes now, north and east."""
        now = self.estimate
        brake = max(0.5, self.parameters["WPNAV_ACCEL"] / 100)
        speed = math.hypot(now.velocity_north_m_s, now.velocity_east_m_s)
        scale = speed / (2 * brake) + 0.2
        return (
            now.north_m + now.velocity_north_m_s * scale,
            now.east_m + now.velocity_east_m_s * scale,
        )


class Maneuver(Protocol):
    """What flies the copter in one mode (or one mission item)."""

    @property
    def taking_off(self) -> bool:
        """EXTENDED_SYS_STATE says TAKEOFF."""
        ...

    @property
    def landing(self) -> bool:
        """EXTENDED_SYS_STATE says LANDING."""
        ...

    def step(self) -> Thrust:
        """Fly one tick of `Craft.dt_s`."""
        ...


class Parked:
    """Armed or not, it stands with idle motors."""

    taking_off = False
    landing = False

    def step(self) -> Thrust:
        """Nothing turns with thrust."""
        return STOPPED


class Hold:
    """Stay where it is, or where it comes to rest.

    Args:
        craft: the copter.
        braking_m_s2: deceleration over ground; WPNAV_ACCEL unless given.
        settling_m_s2: deceleration of climb and descent; WPNAV_ACCEL_Z unless given.
    """

    taking_off = False
    landing = False

    def __init__(
        self,
        craft: Craft,
        *,
        braking_m_s2: float | None = None,
        settling_m_s2: float | None = None,
    ) -> None:
        self._craft = craft
        self._settling_m_s2 = settling_m_s2
        self._limits = craft.controller.limits(acceleration_m_s2=braking_m_s2)
        craft.controller.face(craft.controller.yaw_rad)

    def step(self) -> Thrust:
        """Bring speed and climb to nothing; the reference stays where that ends."""
        craft = self._craft
        craft.controller.velocity(0.0, 0.0, self._limits, craft.dt_s)
        craft.controller.climb(0.0, craft.dt_s, self._settling_m_s2)
        return craft.controller.thrust(craft.estimate, craft.dt_s)


class TakeOff:
    """Straight up to a height.

    Args:
        craft: the copter.
        alt_msl_m: to reach.
    """

    landing = False
    _SPOOL_S = 1.0

    def __init__(self, craft: Craft, alt_msl_m: float) -> None:
        self._craft = craft
        self.alt_m = alt_msl_m
        self._spool_s = self._SPOOL_S if craft.landed else 0.0
        self._from_m = craft.estimate.alt_m
        self._point = (craft.estimate.north_m, craft.estimate.east_m)
        self._limits = craft.controller.limits()
        self.done = False
        craft.controller.take_over(craft.estimate)

    @property
    def taking_off(self) -> bool:
        """Until the height is reached."""
        return not self.done

    def step(self) -> Thrust:
        """Spool up, climb, hold."""
        craft = self._craft
        if self._spool_s > 0:
            self._spool_s -= craft.dt_s
            craft.controller.take_over(craft.estimate)
            return STOPPED
        craft.landed = False
        craft.controller.to_point(*self._point, self._limits, craft.dt_s)
        craft.controller.to_height(self.alt_m, craft.dt_s)
        risen_m = craft.estimate.alt_m - self._from_m
        near = risen_m >= 0.9 * (self.alt_m - self._from_m)
        fast = 0.1 * craft.parameters["WPNAV_SPEED_UP"] / 100
        self.done = self.done or (near and abs(craft.estimate.climb_m_s) < fast)
        return craft.controller.thrust(craft.estimate, craft.dt_s)
