"""One leg of a mission: a straight line in space, with a corner that may be cut at speed."""

import math

from simulations.vehicle.body import Thrust
from simulations.vehicle.craft import Craft
from simulations.vehicle.ports import Place
from simulations.vehicle.reference import Run
from simulations.vehicle.scurve import Limits, SCurve

_SHORT_M = 1.0
"""A way over ground that short is no leg: only the height changes."""
_LEAD_S = 0.8


class ItemLeg:
    """Fly to a place on a straight line; height changes along the way.

    Args:
        craft: the copter.
        place: end of the leg.
        following: end of the next leg, when this place need only be passed.
    """

    taking_off = False
    landing = False

    def __init__(self, craft: Craft, place: Place, *, following: Place | None) -> None:
        self._craft = craft
        self.place = place
        self._end = craft.to_ne_m(place)
        self._following = craft.to_ne_m(following) if following is not None else None
        self._arrived_s: float | None = None
        self._start_alt_m = 0.0
        self._cruise_m_s = 0.0
        self._overlap_s = 0.0
        self._run: Run | None = None
        self.go_on()

    def go_on(self) -> None:
        """Begin (or begin again) where earlier movement comes to rest."""
        craft = self._craft
        level = craft.controller.level
        self._cruise_m_s = craft.cruise_m_s
        self._start_alt_m = craft.controller.height.alt_m
        braking = craft.controller.limits()
        start = level.rest_point_m(braking)
        north, east = self._end[0] - start[0], self._end[1] - start[1]
        length = math.hypot(north, east)
        self._run = None
        self._overlap_s = 0.0
        if length < _SHORT_M:
            return
        limits = self._limits(length)
        self._run = Run(north=north / length, east=east / length, curve=SCurve.over(length, limits))
        level.begin(self._run)
        if self._following is not None:
            self._overlap_s = self._corner_s(self._run)
        if craft.parameters["WP_YAW_BEHAVIOR"] in (1, 2) and length > 2:
            craft.controller.face(math.atan2(east, north))

    def _rise_m(self) -> float:
        return self.place.alt_msl_m - self._start_alt_m

    def _limits(self, length_m: float) -> Limits:
        """Speed so that the height keeps pace."""
        craft = self._craft
        p, control = craft.parameters, craft.controller
        rise = self._rise_m()
        up = control.climb_m_s or p["WPNAV_SPEED_UP"] / 100
        down = control.sink_m_s or p["WPNAV_SPEED_DN"] / 100
        speed = craft.cruise_m_s
        climb = up if rise > 0 else down
        if abs(rise) / length_m * speed > climb:
            speed = climb * length_m / abs(rise)
        return control.limits(speed_m_s=speed, jerk_m_s3=max(p["WPNAV_JERK"], 0.2))

    def _corner_s(self, run: Run) -> float:
        following = self._following
        if following is None:
            return 0.0
        north, east = following[0] - self._end[0], following[1] - self._end[1]
        length = math.hypot(north, east)
        if length < _SHORT_M:
            return 0.0
        turn = abs(math.remainder(
            math.atan2(east, north) - math.atan2(run.east, run.north), math.tau
        ))  # fmt: skip
        return run.curve.overlap_s(turn, self._craft.parameters["WPNAV_RADIUS"] / 100, length)

    def step(self) -> Thrust:
        """Fly one tick of the leg."""
        craft = self._craft
        control = craft.controller
        if craft.cruise_m_s != self._cruise_m_s:
            self.go_on()
        control.run_legs(control.limits(), craft.dt_s)
        share = 1.0
        if self._run is not None:
            # The height is asked for a little ahead: it follows late.
            way_m = self._run.curve.at(self._run.t_s + _LEAD_S)[0]
            share = way_m / self._run.curve.length_m
        control.to_height(self._start_alt_m + share * self._rise_m(), craft.dt_s)
        return control.thrust(craft.estimate, craft.dt_s)

    def left_m(self) -> float:
        """Metres to go in space, by the estimate."""
        now = self._craft.estimate
        return math.hypot(
            math.dist((now.north_m, now.east_m), self._end), now.alt_m - self.place.alt_msl_m
        )

    def arrived(self) -> bool:
        """Whether the place is reached: its corner begins, or the copter is there."""
        if self._arrived_s is not None:
            return True
        craft = self._craft
        if self._run is not None and self._run.left_s > self._overlap_s:
            return False
        radius_m = max(0.5, craft.parameters["WPNAV_RADIUS"] / 100)
        if self._overlap_s == 0 and self.left_m() > radius_m:
            return False
        self._arrived_s = craft.now_s
        return True

    def waited_s(self) -> float:
        """Since the arrival."""
        return 0.0 if self._arrived_s is None else self._craft.now_s - self._arrived_s
