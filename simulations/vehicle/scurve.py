"""The way from rest to rest over a straight leg, with bounded speed, acceleration and jerk.

ArduPilot flies each leg of a mission so, and rounds a corner by beginning the next leg's curve
while the last one still runs out: both are added.
"""

import math
from dataclasses import dataclass

_SPEEDS_M_S = (0.1, 60.0)
_ACCELERATIONS_M_S2 = (0.1, 30.0)
_JERKS_M_S3 = (0.1, 100.0)
"""What a copter can fly, whatever its parameters say."""


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


def _within(value: float, bounds: tuple[float, float]) -> float:
    return max(bounds[0], min(bounds[1], value))


def flyable(*, speed_m_s: float, acceleration_m_s2: float, jerk_m_s3: float) -> Limits:
    """Limits from parameters, which a person may have set to anything."""
    return Limits(
        speed_m_s=_within(speed_m_s, _SPEEDS_M_S),
        acceleration_m_s2=_within(acceleration_m_s2, _ACCELERATIONS_M_S2),
        jerk_m_s3=_within(jerk_m_s3, _JERKS_M_S3),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SCurve:
    """One way from rest to rest.

    Attributes:
        length_m: of the way.
        speed_m_s: highest speed on it.
        acceleration_m_s2: highest acceleration on it.
        jerk_m_s3: of all changes.
        speeding_s: from rest to the highest speed, and again back to rest.
        total_s: of the whole.
    """

    length_m: float
    speed_m_s: float
    acceleration_m_s2: float
    jerk_m_s3: float
    speeding_s: float
    total_s: float

    @classmethod
    def over(cls, length_m: float, limits: Limits) -> "SCurve":
        """Plan a way.

        Source: a change to speed v with acceleration a and jerk j takes v/a + a/j and covers half
        of v times that; short ways never reach a or v.
        """
        a, j = limits.acceleration_m_s2, limits.jerk_m_s3
        v = limits.speed_m_s
        if v < a * a / j:
            a = math.sqrt(v * j)
        if v * (v / a + a / j) > length_m:
            onset = a * a / j
            v = (-onset + math.sqrt(onset * onset + 4 * a * length_m)) / 2
            if v < onset:
                v = (length_m * length_m * j / 4) ** (1 / 3)
                a = math.sqrt(v * j)
        speeding_s = v / a + a / j
        cruise_s = max(0.0, length_m / v - speeding_s)
        return cls(
            length_m=length_m, speed_m_s=v, acceleration_m_s2=a, jerk_m_s3=j,
            speeding_s=speeding_s, total_s=2 * speeding_s + cruise_s,
        )  # fmt: skip

    def at(self, t_s: float) -> tuple[float, float, float]:
        """Way, speed and acceleration at a time since the start."""
        if t_s <= 0:
            return 0.0, 0.0, 0.0
        if t_s >= self.total_s:
            return self.length_m, 0.0, 0.0
        if t_s > self.total_s / 2:
            way, speed, acceleration = self._rising(self.total_s - t_s)
            return self.length_m - way, speed, -acceleration
        return self._rising(t_s)

    def _rising(self, t_s: float) -> tuple[float, float, float]:
        j, a, v = self.jerk_m_s3, self.acceleration_m_s2, self.speed_m_s
        ramp_s = a / j
        if t_s <= ramp_s:
            return j * t_s**3 / 6, j * t_s**2 / 2, j * t_s
        if t_s <= self.speeding_s - ramp_s:
            over_s = t_s - ramp_s
            speed = a * ramp_s / 2
            return (
                a * ramp_s**2 / 6 + speed * over_s + a * over_s**2 / 2,
                speed + a * over_s,
                a,
            )
        if t_s <= self.speeding_s:
            left_s = self.speeding_s - t_s
            way = v * self.speeding_s / 2 - (v * left_s - j * left_s**3 / 6)
            return way, v - j * left_s**2 / 2, j * left_s
        return v * self.speeding_s / 2 + v * (t_s - self.speeding_s), v, 0.0

    def overlap_s(self, turn_rad: float, radius_m: float, next_length_m: float) -> float:
        """How long before its end the next leg may begin.

        In the middle of the overlap this leg lacks as much as the next has gained, s; the corner is
        then passed at 2 s sin(turn / 2), which must not exceed the radius.

        Args:
            turn_rad: change of course.
            radius_m: WPNAV_RADIUS.
            next_length_m: of the next leg, of which no more than half may be gained.
        """
        cut = 2 * math.sin(turn_rad / 2)
        most_m = min(radius_m / cut if cut > 1e-3 else math.inf, next_length_m / 2)
        low_s, high_s = 0.0, self.speeding_s / 2
        if self._rising(high_s)[0] <= most_m:
            return 2 * high_s
        for _ in range(30):
            middle_s = (low_s + high_s) / 2
            if self._rising(middle_s)[0] <= most_m:
                low_s = middle_s
            else:
                high_s = middle_s
        return 2 * low_s
