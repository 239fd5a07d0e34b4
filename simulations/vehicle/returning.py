"""Landing, with and without a position, and the return to launch."""

import math

from simulations.vehicle.body import STOPPED, Thrust
from simulations.vehicle.craft import Craft
from simulations.vehicle.ports import Place
from simulations.vehicle.reference import Run
from simulations.vehicle.scurve import SCurve

_TOUCHED_S = 1.0
"""Standing still for so long is a landing; the motors stop as long after that again."""
_DISARM_AFTER_S = 2.1
_SHORT_M = 0.1


class Landing:
    """Down at the place where it stops; without a position, down wherever the wind takes it.

    Args:
        craft: the copter.
        point_m: north and east to land at; None lands where it comes to rest.
    """

    taking_off = False
    landing = True

    def __init__(self, craft: Craft, point_m: tuple[float, float] | None = None) -> None:
        self._craft = craft
        self._point = point_m
        self._limits = craft.controller.limits()
        self._touched_s = 0.0
        self.done = False
        """It stands and the motors may be stopped."""

    def step(self) -> Thrust:
        """Sink, touch, wait."""
        craft = self._craft
        if craft.body.on_ground:
            self._touched_s += craft.dt_s
            if self._touched_s >= _TOUCHED_S:
                craft.landed = True
            self.done = self._touched_s >= _DISARM_AFTER_S
            craft.controller.take_over(craft.estimate)
            return STOPPED
        self._touched_s = 0.0
        if not craft.estimate.horizontal:
            craft.controller.stay_level()
        elif self._point is None:
            craft.controller.velocity(0.0, 0.0, self._limits, craft.dt_s)
        else:
            craft.controller.to_point(*self._point, self._limits, craft.dt_s)
        craft.controller.climb(-self._sink_m_s(), craft.dt_s)
        return craft.controller.thrust(craft.estimate, craft.dt_s)

    def _sink_m_s(self) -> float:
        """LAND_SPEED below LAND_ALT_LOW, faster the higher it is above that."""
        p = self._craft.parameters
        slow = max(0.1, p["LAND_SPEED"] / 100)
        fast = max(slow, (p["LAND_SPEED_HIGH"] or p["WPNAV_SPEED_DN"]) / 100)
        above_m = self._craft.estimate.alt_m - self._craft.home_alt_m - p["LAND_ALT_LOW"] / 100
        if above_m <= 0:
            return slow
        brake = max(0.2, p["WPNAV_ACCEL_Z"] / 100)
        return max(slow, min(fast, math.sqrt(slow**2 + 2 * 0.8 * brake * above_m)))


class Return:
    """Climb, fly home (or to a nearer rally point), wait, land.

    Args:
        craft: the copter.
    """

    taking_off = False
    _ARRIVED_M = 2.0
    _CONE_FLOOR_M = 2.0

    def __init__(self, craft: Craft) -> None:
        self._craft = craft
        self._limits = craft.controller.limits(
            speed_m_s=craft.parameters["RTL_SPEED"] / 100 or craft.parameters["WPNAV_SPEED"] / 100,
            jerk_m_s3=max(craft.parameters["WPNAV_JERK"], 0.2),
        )
        self._stop = craft.stopping_point_m()
        self._target = self._choose()
        self._goal = craft.to_ne_m(self._target)
        self._alt_m = self._return_alt_m()
        self._stage = "climb"
        self._waited_s = 0.0
        self._landing: Landing | None = None
        self._run: Run | None = None
        self.done = False
        if craft.parameters["WP_YAW_BEHAVIOR"] != 1:
            craft.controller.face(craft.controller.yaw_rad)

    @property
    def landing(self) -> bool:
        """In the final descent."""
        return self._landing is not None

    @property
    def target(self) -> Place:
        """Where it returns to."""
        return self._target

    def _choose(self) -> Place:
        craft = self._craft
        home = craft.home or craft.here()
        now = (craft.estimate.north_m, craft.estimate.east_m)
        reach_m = 1000 * craft.parameters["RALLY_LIMIT_KM"]

        def away_m(place: Place) -> float:
            return math.dist(craft.to_ne_m(place), now)

        near = [place for place in craft.rally() if reach_m <= 0 or away_m(place) <= reach_m]
        if not near:
            return home
        best = min(near, key=away_m)
        if craft.parameters["RALLY_INCL_HOME"] and away_m(home) <= away_m(best):
            return home
        return best

    def _return_alt_m(self) -> float:
        craft = self._craft
        now_m = craft.estimate.alt_m
        at_home = self._target is craft.home
        wanted = craft.parameters["RTL_ALT"] / 100 + craft.home_alt_m
        if not at_home:
            wanted = max(wanted, self._target.alt_msl_m)
        wanted = max(wanted, now_m + craft.parameters["RTL_CLIMB_MIN"] / 100)
        slope = craft.parameters["RTL_CONE_SLOPE"]
        if slope >= 0.5:
            way_m = math.dist(self._goal, self._stop)
            cone = max(self._CONE_FLOOR_M, way_m * slope) + craft.home_alt_m
            wanted = min(wanted, cone)
        return max(wanted, now_m)

    def step(self) -> Thrust:
        """Fly the present stage."""
        craft = self._craft
        if self._landing is not None:
            thrust = self._landing.step()
            self.done = self._landing.done
            return thrust
        if not craft.estimate.horizontal or craft.landed:
            self._landing = Landing(craft)
            return self._landing.step()
        control = craft.controller
        if self._stage == "climb":
            control.velocity(0.0, 0.0, control.limits(), craft.dt_s)
        else:
            control.run_legs(control.limits(), craft.dt_s)
        control.to_height(self._alt_m, craft.dt_s)
        now = craft.estimate
        if self._stage == "climb":
            if now.alt_m >= self._alt_m - 0.3:
                self._stage = "return"
                self._begin_run()
                if craft.parameters["WP_YAW_BEHAVIOR"] == 1:
                    north, east = self._goal[0] - now.north_m, self._goal[1] - now.east_m
                    if math.hypot(north, east) > 2:
                        control.face(math.atan2(east, north))
        elif self._stage == "return":
            near = math.dist(self._goal, (now.north_m, now.east_m)) < self._ARRIVED_M
            if near and (self._run is None or self._run.over):
                self._stage = "wait"
        else:
            self._waited_s += craft.dt_s
            if self._waited_s >= craft.parameters["RTL_LOIT_TIME"] / 1000:
                self._descend()
        return control.thrust(now, craft.dt_s)

    def _begin_run(self) -> None:
        level = self._craft.controller.level
        start = level.rest_point_m(self._craft.controller.limits())
        north, east = self._goal[0] - start[0], self._goal[1] - start[1]
        length = math.hypot(north, east)
        if length > _SHORT_M:
            curve = SCurve.over(length, self._limits)
            self._run = Run(north=north / length, east=east / length, curve=curve)
            level.begin(self._run)

    def _descend(self) -> None:
        final_m = self._craft.parameters["RTL_ALT_FINAL"] / 100
        if final_m > 0:
            self._alt_m = self._craft.home_alt_m + final_m
        else:
            self._landing = Landing(self._craft, self._goal)
