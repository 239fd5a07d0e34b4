"""The smooth path that the controller asks for: speed, acceleration and jerk stay in their limits."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a movement may use.

    Attributes:
        speed_m_s: largest speed.
        acceleration_m_s2: largest acceleration.
        jerk_m_s3: largest change of acceleration.
    """

    speed_m_s: float
    acceleration_m_s2: float
    jerk_m_s3: float


def approach_speed_m_s(distance_m: float, limits: Limits, end_m_s: float = 0.0) -> float:
    """Fastest speed from which the rest of the way suffices to slow down.

    Source: the way to stop from v with acceleration a and jerk j is v/2 (v/a + a/j); solved for v.

    Args:
        distance_m: still to go.
        limits: of the movement.
        end_m_s: speed allowed at the end.
    """
    if distance_m <= 0:
        return min(end_m_s, limits.speed_m_s)
    onset = limits.acceleration_m_s2**2 / limits.jerk_m_s3
    virtual_m = distance_m + end_m_s * (end_m_s + onset) / (2 * limits.acceleration_m_s2)
    speed = (-onset + math.sqrt(onset**2 + 8 * limits.acceleration_m_s2 * virtual_m)) / 2
    return min(speed, limits.speed_m_s)


def run_on_m(speed_m_s: float, acceleration_m_s2: float, jerk_m_s3: float) -> float:
    """Way done while an acceleration is taken back; 0 for one that brakes already."""
    if acceleration_m_s2 <= 0 or speed_m_s <= 0:
        return 0.0
    after_s = acceleration_m_s2 / jerk_m_s3
    return speed_m_s * after_s + acceleration_m_s2 * after_s**2 / 3


def _limited(north: float, east: float, longest: float) -> tuple[float, float]:
    length = math.hypot(north, east)
    if length <= longest or length == 0.0:
        return north, east
    return north * longest / length, east * longest / length


class LevelReference:
    """Position, velocity and acceleration over ground that the copter should have now."""

    def __init__(self) -> None:
        self.north_m = self.east_m = 0.0
        self.velocity_north_m_s = self.velocity_east_m_s = 0.0
        self.acceleration_north_m_s2 = self.acceleration_east_m_s2 = 0.0

    def take_over(self, position_m: tuple[float, float], velocity_m_s: tuple[float, float]) -> None:
        """Begin anew from where the copter is."""
        self.north_m, self.east_m = position_m
        self.velocity_north_m_s, self.velocity_east_m_s = velocity_m_s
        self.acceleration_north_m_s2 = self.acceleration_east_m_s2 = 0.0

    def run_on_m(self, north: float, east: float, jerk_m_s3: float) -> float:
        """Way done in a direction before the present acceleration can be taken back.

        Args:
            north: of a unit vector.
            east: of the same.
            jerk_m_s3: with which it is taken back.
        """
        acceleration = self.acceleration_north_m_s2 * north + self.acceleration_east_m_s2 * east
        speed = self.velocity_north_m_s * north + self.velocity_east_m_s * east
        return run_on_m(speed, acceleration, jerk_m_s3)

    def step(self, wanted_m_s: tuple[float, float], limits: Limits, dt_s: float) -> None:
        """Bend the velocity towards the wanted one.

        Args:
            wanted_m_s: velocity north, east.
            limits: acceleration and jerk of the change.
            dt_s: tick.
        """
        off_north = wanted_m_s[0] - self.velocity_north_m_s
        off_east = wanted_m_s[1] - self.velocity_east_m_s
        off = math.hypot(off_north, off_east)
        # So much acceleration that the jerk can take it back before the wanted speed is passed.
        size = min(limits.acceleration_m_s2, math.sqrt(2 * limits.jerk_m_s3 * off), off / 0.15)
        asked = (off_north / off * size, off_east / off * size) if off > 1e-9 else (0.0, 0.0)
        change = _limited(
            asked[0] - self.acceleration_north_m_s2,
            asked[1] - self.acceleration_east_m_s2,
            limits.jerk_m_s3 * dt_s,
        )
        self.acceleration_north_m_s2 += change[0]
        self.acceleration_east_m_s2 += change[1]
        self.velocity_north_m_s += self.acceleration_north_m_s2 * dt_s
        self.velocity_east_m_s += self.acceleration_east_m_s2 * dt_s
        self.north_m += self.velocity_north_m_s * dt_s
        self.east_m += self.velocity_east_m_s * dt_s


class HeightReference:
    """Height, climb and vertical acceleration that the copter should have now."""

    def __init__(self) -> None:
        self.alt_m = 0.0
        self.climb_m_s = 0.0
        self.acceleration_m_s2 = 0.0

    def take_over(self, alt_m: float, climb_m_s: float) -> None:
        """Begin anew from where the copter is."""
        self.alt_m, self.climb_m_s, self.acceleration_m_s2 = alt_m, climb_m_s, 0.0

    def step(self, wanted_m_s: float, limits: Limits, dt_s: float) -> None:
        """Bend the climb towards the wanted one.

        Args:
            wanted_m_s: climb, upwards positive.
            limits: acceleration and jerk of the change.
            dt_s: tick.
        """
        off = wanted_m_s - self.climb_m_s
        size = min(
            limits.acceleration_m_s2, math.sqrt(2 * limits.jerk_m_s3 * abs(off)), abs(off) / 0.15
        )
        change = math.copysign(size, off) - self.acceleration_m_s2
        most = limits.jerk_m_s3 * dt_s
        self.acceleration_m_s2 += max(-most, min(most, change))
        self.climb_m_s += self.acceleration_m_s2 * dt_s
        self.alt_m += self.climb_m_s * dt_s
