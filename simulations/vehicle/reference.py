"""The smooth path that the controller asks for: speed, acceleration and jerk stay in their limits."""

import math
from dataclasses import dataclass, replace

from simulations.vehicle.scurve import Limits, SCurve

_PROBES, _PROBE_S = 500, 0.02
"""Ten seconds of looking ahead: a copter that brakes stands long before."""


@dataclass(slots=True, kw_only=True)
class Run:
    """A leg under way.

    Attributes:
        north: of the unit vector along it.
        east: of the same.
        curve: its way over time.
        t_s: since its start.
    """

    north: float
    east: float
    curve: SCurve
    t_s: float = 0.0

    @property
    def over(self) -> bool:
        """Whether its way is done."""
        return self.t_s >= self.curve.total_s

    @property
    def left_s(self) -> float:
        """Time to its end."""
        return max(0.0, self.curve.total_s - self.t_s)


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
    """Position, velocity and acceleration over ground that the copter should have now.

    It is a base, which is bent towards a wanted velocity, plus the runs of legs that are under way.
    """

    def __init__(self) -> None:
        self.north_m = self.east_m = 0.0
        self.velocity_north_m_s = self.velocity_east_m_s = 0.0
        self.acceleration_north_m_s2 = self.acceleration_east_m_s2 = 0.0
        self._base = _Base()
        self._runs: list[Run] = []

    def take_over(self, position_m: tuple[float, float], velocity_m_s: tuple[float, float]) -> None:
        """Begin anew from where the copter is."""
        self._runs.clear()
        self._base = _Base(
            north_m=position_m[0], east_m=position_m[1],
            velocity_north_m_s=velocity_m_s[0], velocity_east_m_s=velocity_m_s[1],
        )  # fmt: skip
        self._add_up()

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
        """Bend the velocity towards the wanted one; runs under way become part of it.

        Args:
            wanted_m_s: velocity north, east.
            limits: acceleration and jerk of the change.
            dt_s: tick.
        """
        if self._runs:
            self._runs.clear()
            self._base = _Base(
                north_m=self.north_m, east_m=self.east_m,
                velocity_north_m_s=self.velocity_north_m_s,
                velocity_east_m_s=self.velocity_east_m_s,
                acceleration_north_m_s2=self.acceleration_north_m_s2,
                acceleration_east_m_s2=self.acceleration_east_m_s2,
            )  # fmt: skip
        self._base.bend(wanted_m_s, limits, dt_s)
        self._add_up()

    def run(self, limits: Limits, dt_s: float) -> None:
        """Let the runs go on, while what is left of earlier movement comes to rest."""
        self._base.bend((0.0, 0.0), limits, dt_s)
        for run in self._runs:
            run.t_s += dt_s
        for run in [run for run in self._runs if run.over]:
            self._base.north_m += run.north * run.curve.length_m
            self._base.east_m += run.east * run.curve.length_m
            self._runs.remove(run)
        self._add_up()

    def begin(self, run: Run) -> None:
        """Add the run of a leg."""
        self._runs.append(run)

    def rest_point_m(self, limits: Limits) -> tuple[float, float]:
        """Where it comes to rest when nothing new is asked for."""
        probe = replace(self._base)
        for _ in range(_PROBES):
            if math.hypot(probe.velocity_north_m_s, probe.velocity_east_m_s) < 0.01:
                break
            probe.bend((0.0, 0.0), limits, _PROBE_S)
        return (
            probe.north_m + sum(run.north * run.curve.length_m for run in self._runs),
            probe.east_m + sum(run.east * run.curve.length_m for run in self._runs),
        )

    def _add_up(self) -> None:
        base = self._base
        self.north_m, self.east_m = base.north_m, base.east_m
        self.velocity_north_m_s = base.velocity_north_m_s
        self.velocity_east_m_s = base.velocity_east_m_s
        self.acceleration_north_m_s2 = base.acceleration_north_m_s2
        self.acceleration_east_m_s2 = base.acceleration_east_m_s2
        for run in self._runs:
            way, speed, acceleration = run.curve.at(run.t_s)
            self.north_m += run.north * way
            self.east_m += run.east * way
            self.velocity_north_m_s += run.north * speed
            self.velocity_east_m_s += run.east * speed
            self.acceleration_north_m_s2 += run.north * acceleration
            self.acceleration_east_m_s2 += run.east * acceleration


@dataclass(slots=True, kw_only=True)
class _Base:
    """A point that moves with bounded acceleration and jerk."""

    north_m: float = 0.0
    east_m: float = 0.0
    velocity_north_m_s: float = 0.0
    velocity_east_m_s: float = 0.0
    acceleration_north_m_s2: float = 0.0
    acceleration_east_m_s2: float = 0.0

    def bend(self, wanted_m_s: tuple[float, float], limits: Limits, dt_s: float) -> None:
        """Bend its velocity towards a wanted one."""
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
