"""What the motors take from the battery, and what its monitor measures."""

import math

from simulations.vehicle.parameters import Parameters

_HOVER_A = 23.0
_IDLE_A = 1.5
_OFF_A = 0.3
_RESISTANCE_OHM = 0.02
_FILTER_TAU_S = 0.25
_MOST_V = 60.0


class Battery:
    """Charge, current and voltage.

    With SIM_BATT_CAP_AH 0 the voltage is SIM_BATT_VOLTAGE, whatever is drawn, as in ArduPilot's
    simulation; with a capacity it sags under load and falls with the charge.

    Args:
        parameters: SIM_BATT_* and BATT_CAPACITY are read at every step.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self.used_mah = 0.0
        self.used_wh = 0.0
        self.current_a = 0.0
        self.voltage_v = parameters["SIM_BATT_VOLTAGE"]

    def step(self, *, spinning: bool, flying: bool, load: float, dt_s: float) -> None:
        """Draw current for one tick.

        Args:
            spinning: motors turn.
            flying: they carry the copter.
            load: thrust over weight; power grows with its 1.5th power.
            dt_s: tick.
        """
        ground_a = _IDLE_A if spinning else _OFF_A
        asked_a = _HOVER_A * max(0.2, load) ** 1.5 if flying else ground_a
        blend = min(1.0, dt_s / _FILTER_TAU_S)
        self.current_a += blend * (asked_a - self.current_a)
        self.used_mah += self.current_a * dt_s / 3.6
        self.used_wh += self.current_a * self.voltage_v * dt_s / 3600
        rest_v = max(0.0, min(_MOST_V, self._parameters["SIM_BATT_VOLTAGE"]))
        capacity_mah = 1000 * self._parameters["SIM_BATT_CAP_AH"]
        if capacity_mah > 0:
            # A lithium cell: almost level, then a knee near the end.
            left = max(0.0, 1 - self.used_mah / capacity_mah)
            rest_v *= 0.83 + 0.17 * left - 0.25 * math.exp(-left * 18)
            rest_v -= self.current_a * _RESISTANCE_OHM
        self.voltage_v += blend * (rest_v - self.voltage_v)

    @property
    def remaining_percent(self) -> int:
        """By the counted charge alone, as ArduPilot says it."""
        capacity = self._parameters["BATT_CAPACITY"]
        if capacity <= 0:
            return -1
        return max(0, min(100, round(100 * (1 - self.used_mah / capacity))))
