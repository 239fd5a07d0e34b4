"""One leg of a mission: a straight line in space, with a corner that may be cut at speed."""

import math

from simulations.vehicle.body import Thrust
from simulations.vehicle.control import Leg
from simulations.vehicle.craft import Craft
from simulations.vehicle.ports import Place

_STRAIGHT_RAD = math.radians(2)


def corner_speed_m_s(
    turn_rad: float, radius_m: float, acceleration_m_s2: float, speed_m_s: float
) -> float:
    """Speed at which a corner can be rounded without leaving it by more than a radius.

    Source: the circle that touches both legs and passes the corner at `radius_m` has the radius
    r = radius_m / (1 / cos(turn / 2) - 1); v = sqrt(a r).

    Args:
        turn_rad: change of course, 0 straight on, pi back.
        radius_m: WPNAV_RADIUS.
        acceleration_m_s2: allowed in the corner.
        speed_m_s: of the legs.
    """
    if turn_rad < _STRAIGHT_RAD:
        return speed_m_s
    half = math.cos(turn_rad / 2)
    if half < 1e-3:
        return 0.0
    return min(speed_m_s, math.sqrt(acceleration_m_s2 * radius_m / (1 / half - 1)))


class ItemLeg:
    """Fly to a place on a straight line; height changes along the way.

    Args:
        craft: the copter.
        place: end of the leg.
        following: end of the next leg, when this place need only be passed.
        speed_scale: share of the cruise speed.
    """

    taking_off = False
    landing = False

    def __init__(
        self, craft: Craft, place: Place, *, following: Place | None, speed_scale: float
    ) -> None:
        self._craft = craft
        self.place = place
        self._scale = speed_scale
        self._end = craft.to_ne_m(place)
        self._following = craft.to_ne_m(following) if following is not None else None
        self._arrived_s: float | None = None
        self._start: tuple[float, float] = (0.0, 0.0)
        self._start_alt_m = 0.0
        self.go_on()

    def go_on(self) -> None:
        """Begin (or begin again) from where the reference is now."""
        craft = self._craft
        level = craft.controller.level
        self._start = (level.north_m, level.east_m)
        self._start_alt_m = craft.controller.height.alt_m
        north, east = self._end[0] - self._start[0], self._end[1] - self._start[1]
        if craft.parameters["WP_YAW_BEHAVIOR"] in (1, 2) and math.hypot(north, east) > 2:
            craft.controller.face(math.atan2(east, north))

    def _rise_m(self) -> float:
        return self.place.alt_msl_m - self._start_alt_m

    def _leg(self) -> Leg:
        craft = self._craft
        p = craft.parameters
        length = math.dist(self._start, self._end)
        rise = self._rise_m()
        cruise = craft.cruise_m_s * self._scale
        climb = (p["WPNAV_SPEED_UP"] if rise > 0 else p["WPNAV_SPEED_DN"]) / 100
        if length > 1e-3 and abs(rise) / length * cruise > climb:
            cruise = climb * length / abs(rise)
        return Leg(
            start_m=self._start, end_m=self._end, speed_m_s=cruise,
            end_speed_m_s=self._corner_m_s(cruise),
        )  # fmt: skip

    def _corner_m_s(self, cruise_m_s: float) -> float:
        if self._following is None:
            return 0.0
        first = (self._end[0] - self._start[0], self._end[1] - self._start[1])
        second = (self._following[0] - self._end[0], self._following[1] - self._end[1])
        if math.hypot(*first) < 0.5 or math.hypot(*second) < 0.5:
            return 0.0
        turn = abs(
            math.remainder(
                math.atan2(second[1], second[0]) - math.atan2(first[1], first[0]), math.tau
            )
        )
        p = self._craft.parameters
        grip = p["WPNAV_ACCEL_C"] / 100 or 2 * p["WPNAV_ACCEL"] / 100
        room_m = math.hypot(*second) / 2
        brake = p["WPNAV_ACCEL"] / 100
        return min(
            corner_speed_m_s(turn, p["WPNAV_RADIUS"] / 100, grip, cruise_m_s),
            math.sqrt(2 * brake * room_m),
        )

    def step(self) -> Thrust:
        """Fly one tick of the leg."""
        craft = self._craft
        control = craft.controller
        leg = self._leg()
        cornering = leg.along_m(control.level.north_m, control.level.east_m) < 0.1 * leg.length_m
        p = craft.parameters
        limits = control.limits(
            jerk_m_s3=p["PSC_JERK_XY"] if cornering else max(p["WPNAV_JERK"], 0.2)
        )
        done_m = control.along(leg, limits, craft.dt_s)
        length = leg.length_m
        share = min(1.0, max(0.0, done_m / length)) if length > 2 else 1.0
        # The height leads along the line, so that both ends are reached together.
        ahead_m = 1.5 * math.hypot(
            control.level.velocity_north_m_s, control.level.velocity_east_m_s
        )
        if length > 2:
            share = min(1.0, share + ahead_m / length)
        control.to_height(self._start_alt_m + share * self._rise_m(), craft.dt_s)
        return control.thrust(craft.estimate, craft.dt_s)

    def left_m(self) -> float:
        """Metres to go in space, by the estimate."""
        now = self._craft.estimate
        return math.hypot(
            math.dist((now.north_m, now.east_m), self._end), now.alt_m - self.place.alt_msl_m
        )

    def arrived(self) -> bool:
        """Whether the place is reached: inside the radius, and at rest unless it is only passed."""
        if self._arrived_s is not None:
            return True
        craft = self._craft
        control = craft.controller
        radius_m = max(0.1, craft.parameters["WPNAV_RADIUS"] / 100)
        reference = math.dist((control.level.north_m, control.level.east_m), self._end)
        leg = self._leg()
        past = (
            self._following is not None
            and leg.length_m > 1e-3
            and leg.along_m(control.level.north_m, control.level.east_m) >= leg.length_m
        )
        close = reference <= (radius_m if self._following is not None else 0.3) or past
        if not close or (self.left_m() > radius_m and not past):
            return False
        self._arrived_s = craft.now_s
        return True

    def waited_s(self) -> float:
        """Since the arrival."""
        return 0.0 if self._arrived_s is None else self._craft.now_s - self._arrived_s
