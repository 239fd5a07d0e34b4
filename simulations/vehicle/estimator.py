"""What the autopilot believes: readiness after boot, the position it computes, and its decay.

The clock of readiness was observed on a real vehicle (seconds after boot): flags 1024, then 0,
then 167 (no position) at 6 s, a GPS fix at 20 s, and a position the modes accept at 41.4 s.
"""

import math
import random
from dataclasses import dataclass

from simulations.vehicle.body import Body
from simulations.vehicle.parameters import Parameters
from simulations.vehicle.plane import LocalPlane
from simulations.vehicle.ports import Place

_INFO, _WARNING, _CRITICAL = 6, 4, 2
FLAGS_READY = 831
FLAGS_CONSTANT_POSITION = 167
FLAGS_LOST = 37
FLAGS_NONE = 1024
_ALIGN_S = 3.0
_TILT_S = 6.0
_FIX_S = 20.0
_USING_AFTER_FIX_S = 21.4
_REGAIN_S = 5.0
_VARIANCE_AFTER_S = 8.1
_LOST_AFTER_S = 15.1
_NOISE_TAU_S = 20.0
_NOISE_LEVEL_M = 0.06
_NOISE_HEIGHT_M = 0.008
_INERTIAL_ERROR_M_S2 = 0.05
"""An inertial platform left alone: its velocity error grows by so much each second."""
FLAG_GLITCH = 1 << 15
_FARTHEST_DEG = 180.0
_GLITCH_GATE_M = 25.0
_GLITCH_REFUSED_S = 10.0
"""A fix beyond the gate is refused for so long, then believed (by ArduPilot's source, not observed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Position and motion as the controller uses them (metres from the origin, NED signs by name)."""

    north_m: float
    east_m: float
    alt_m: float
    velocity_north_m_s: float
    velocity_east_m_s: float
    climb_m_s: float
    yaw_rad: float
    horizontal: bool
    """Whether the horizontal part may be used."""


class Estimator:
    """The extended Kalman filter, seen from outside.

    Args:
        body: the truth it watches.
        plane: where the metres begin.
        parameters: SIM_GPS1_ENABLE.
        seed: of its noise.
    """

    def __init__(self, body: Body, plane: LocalPlane, parameters: Parameters, seed: int) -> None:
        self._body = body
        self._plane = plane
        self._parameters = parameters
        self._random = random.Random(seed)
        self._error_m = [0.0, 0.0, 0.0]
        self._error_m_s = [0.0, 0.0]
        self._reset()

    def _reset(self) -> None:
        self.boot_s = 0.0
        self._fix_for_s = -math.inf
        self._without_s = 0.0
        self._glitch_s = 0.0
        self.aiding = False
        self.lost = False
        self._was_aiding = False
        self._stuck: tuple[float, float] | None = None
        self.events: list[tuple[str, int]] = []
        """Texts of this tick with their severities, in order."""

    def reboot(self) -> None:
        """Begin the alignment anew."""
        self._reset()

    @property
    def gps_fix(self) -> bool:
        """Whether the receiver has a fix now."""
        return self._fix_for_s >= 0

    @property
    def flags(self) -> int:
        """Flags of EKF_STATUS_REPORT."""
        if self.boot_s < _ALIGN_S:
            return FLAGS_NONE
        if self.boot_s < _TILT_S:
            return 0
        if self.aiding:
            return FLAGS_READY | (FLAG_GLITCH if self.glitching else 0)
        return FLAGS_LOST if self._was_aiding else FLAGS_CONSTANT_POSITION

    @property
    def glitching(self) -> bool:
        """Whether fixes are refused because they lie too far away."""
        return self._glitch_s > 0

    def glitch_m(self) -> tuple[float, float]:
        """How far the receiver's fix lies from the truth, north and east (SIM_GPS1_GLTCH_*)."""
        north_deg, east_deg = (
            max(-_FARTHEST_DEG, min(_FARTHEST_DEG, self._parameters[f"SIM_GPS1_GLTCH_{axis}"]))
            for axis in "XY"
        )
        return north_deg * self._plane.north_m_per_deg, east_deg * self._plane.east_m_per_deg

    @property
    def position_ok(self) -> bool:
        """Whether modes that need a position may be entered."""
        return self.aiding

    @property
    def variance_bad(self) -> bool:
        """Whether the filter has gone without a fix for longer than the failsafe allows."""
        return self._was_aiding and self._without_s >= _VARIANCE_AFTER_S

    @property
    def position_variance(self) -> float:
        """Test ratio of the horizontal position, above 1 when innovations are refused."""
        refused_s = self._without_s + 5 * self._glitch_s
        return min(2.0, 0.01 + 0.12 * refused_s) if self._was_aiding else 0.01

    def step(self, dt_s: float) -> None:
        """Move on by one tick."""
        self.boot_s += dt_s
        self.events.clear()
        receiving = self._parameters["SIM_GPS1_ENABLE"] == 1 and self.boot_s >= _FIX_S
        before_s = self._fix_for_s
        self._fix_for_s = max(0.0, self._fix_for_s) + dt_s if receiving else -math.inf
        if receiving and before_s < 0 and not self._was_aiding:
            self.events.append(("EKF3 IMU0 origin set", _INFO))
        if self.aiding:
            self._while_aiding(dt_s, receiving=receiving)
        else:
            wait_s = _REGAIN_S if self._was_aiding else _USING_AFTER_FIX_S
            if self._fix_for_s >= wait_s - 1e-9:
                self.aiding = self._was_aiding = True
                self.lost = False
                self._without_s = 0.0
                self._stuck = None
                self._error_m[0] = self._error_m[1] = 0.0
                self._error_m_s = [0.0, 0.0]
                self.events.append(("EKF3 IMU0 is using GPS", _INFO))

    def _while_aiding(self, dt_s: float, *, receiving: bool) -> None:
        if receiving and not self._refuses(dt_s):
            self._without_s = 0.0
            self._fuse(dt_s)
            return
        if receiving:
            self._drift(dt_s)
            return
        self._without_s += dt_s
        self._drift(dt_s)
        if self._without_s >= _LOST_AFTER_S:
            self.aiding = False
            self.lost = True
            now = self.estimate()
            self._stuck = (now.north_m, now.east_m)
            self.events.append(("EKF3 IMU0 stopped aiding", _WARNING))

    def _refuses(self, dt_s: float) -> bool:
        """Whether the fix lies beyond the gate and has not been there for long enough yet."""
        north_m, east_m = self.glitch_m()
        off_m = math.hypot(north_m - self._error_m[0], east_m - self._error_m[1])
        before = self._glitch_s
        if off_m <= _GLITCH_GATE_M:
            self._glitch_s = 0.0
        else:
            self._glitch_s += dt_s
            if self._glitch_s >= _GLITCH_REFUSED_S:
                self._error_m[0], self._error_m[1] = north_m, east_m
                self._glitch_s = 0.0
        if (before > 0) != self.glitching:
            text = "GPS Glitch or Compass error" if before == 0 else "Glitch cleared"
            self.events.append((text, _CRITICAL))
        return self.glitching

    def _fuse(self, dt_s: float) -> None:
        """Wander around where the receiver says it is."""
        keep = dt_s / _NOISE_TAU_S
        north_m, east_m = self.glitch_m()
        for axis, sigma, middle in (
            (0, _NOISE_LEVEL_M, north_m),
            (1, _NOISE_LEVEL_M, east_m),
            (2, _NOISE_HEIGHT_M, 0.0),
        ):
            kick = sigma * math.sqrt(2 * keep) * self._random.gauss(0, 1)
            off = self._error_m[axis] - middle
            pull = keep if abs(off) < 3 * sigma else dt_s / 1.0
            self._error_m[axis] += -pull * off + kick
        self._error_m_s = [0.0, 0.0]

    def _drift(self, dt_s: float) -> None:
        """Go on without fixes."""
        for axis in (0, 1):
            self._error_m_s[axis] += _INERTIAL_ERROR_M_S2 * dt_s * self._random.gauss(0.5, 1)
            self._error_m[axis] += self._error_m_s[axis] * dt_s

    def estimate(self) -> Estimate:
        """What the controller works with."""
        body = self._body
        if self._stuck is not None:
            north_m, east_m = self._stuck
            v_north = v_east = 0.0
        else:
            north_m, east_m = body.north_m + self._error_m[0], body.east_m + self._error_m[1]
            v_north = body.velocity_north_m_s + self._error_m_s[0]
            v_east = body.velocity_east_m_s + self._error_m_s[1]
        return Estimate(
            north_m=north_m, east_m=east_m, alt_m=body.alt_m + self._error_m[2],
            velocity_north_m_s=v_north, velocity_east_m_s=v_east, climb_m_s=body.climb_m_s,
            yaw_rad=body.yaw_rad, horizontal=self.aiding,
        )  # fmt: skip

    def place(self) -> Place | None:
        """The position it tells the ground station; None before the first fix."""
        if not (self._was_aiding or self.gps_fix):
            return None
        now = self.estimate()
        return self._plane.to_place(now.north_m, now.east_m, now.alt_m)
