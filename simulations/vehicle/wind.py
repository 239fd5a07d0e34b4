"""The air that the copter flies in: SIM_WIND_SPD, SIM_WIND_DIR and SIM_WIND_TURB."""

import math
import random

from simulations.vehicle.parameters import Parameters

_GUST_TAU_S = 2.0
_RISE_TAU_S = 0.5
_STRONGEST_M_S = 60.0
_WILDEST = 20.0
_ROUGH_M = 60.0
"""Below this height the wind grows with the square root of height, as ArduPilot's does."""


class Wind:
    """Mean wind with gusts; the same seed blows the same.

    Args:
        parameters: read at every step, so that a PARAM_SET changes the weather.
        seed: of the gusts.
    """

    def __init__(self, parameters: Parameters, seed: int) -> None:
        self._parameters = parameters
        self._random = random.Random(seed)
        self._mean = (0.0, 0.0)
        self._gust = [0.0, 0.0]

    def step(self, height_m: float, dt_s: float) -> tuple[float, float]:
        """Move on and say how the air moves.

        Args:
            height_m: above ground.
            dt_s: tick.

        Returns:
            Velocity towards north and east; SIM_WIND_DIR is where the wind comes from.
        """
        speed = max(0.0, min(_STRONGEST_M_S, self._parameters["SIM_WIND_SPD"]))
        came_from = math.radians(self._parameters["SIM_WIND_DIR"])
        blend = min(1.0, dt_s / _RISE_TAU_S)
        north, east = self._mean
        north += blend * (-speed * math.cos(came_from) - north)
        east += blend * (-speed * math.sin(came_from) - east)
        self._mean = (north, east)
        share = math.sqrt(min(1.0, max(0.0, height_m) / _ROUGH_M))
        turbulence = min(_WILDEST, self._parameters["SIM_WIND_TURB"]) * speed * 0.1
        if turbulence > 0:
            forget = dt_s / _GUST_TAU_S
            kick = turbulence * math.sqrt(2 * forget)
            for axis in (0, 1):
                self._gust[axis] += -forget * self._gust[axis] + kick * self._random.gauss(0, 1)
        return north * share + self._gust[0], east * share + self._gust[1]
