"""What the copter does by itself when the battery, the ground station, the radio or the fix fails."""

from collections.abc import Callable
from dataclasses import dataclass

from simulations.vehicle import modes
from simulations.vehicle.battery import Battery
from simulations.vehicle.craft import Craft
from simulations.vehicle.flight import Flight, Refusal

_INFO, _WARNING, _CRITICAL, _ALERT = 6, 4, 2, 1
_CONTINUE_AUTO_ON_RC, _CONTINUE_AUTO_ON_GCS = 1, 2
_CONTINUE_LANDING, _CONTINUE_PILOT = 8, 16
_RADIO_AFTER_S = 0.9
_LOW, _CRITICAL_LEVEL = "low", "critical"
_LAND_ACTIONS = frozenset({1})
_RETURN_ACTIONS = frozenset({2, 3, 4})


@dataclass(slots=True, kw_only=True)
class Standing:
    """Failsafes in force.

    Attributes:
        battery: a low or critical battery was seen; it stays until the next boot.
        gcs: the ground station is silent.
        radio: the receiver has no pulses.
        estimator: the filter has no position.
    """

    battery: bool = False
    gcs: bool = False
    radio: bool = False
    estimator: bool = False

    @property
    def any(self) -> bool:
        """HEARTBEAT says CRITICAL."""
        return self.battery or self.gcs or self.radio or self.estimator


class Failsafes:
    """Watches and acts.

    Args:
        craft: the copter.
        flight: its modes.
        battery: its voltage.
        refused: says why a mode was refused.
    """

    def __init__(
        self, craft: Craft, flight: Flight, battery: Battery, refused: Callable[[Refusal], None]
    ) -> None:
        self._craft = craft
        self._flight = flight
        self._battery = battery
        self._refused = refused
        self.standing = Standing()
        self.battery_level = ""
        self._below_s = {_LOW: 0.0, _CRITICAL_LEVEL: 0.0}
        self._gcs_beat_s: float | None = None
        self._radio_lost_s = 0.0

    def reboot(self) -> None:
        """Nothing stands any more; the ground station must be heard anew."""
        self.standing = Standing()
        self.battery_level = ""
        self._below_s = {_LOW: 0.0, _CRITICAL_LEVEL: 0.0}
        self._gcs_beat_s = None
        self._radio_lost_s = 0.0

    def heard_gcs(self) -> None:
        """A HEARTBEAT of the ground station that counts has arrived."""
        self._gcs_beat_s = self._craft.now_s

    def step(self) -> None:
        """Look at everything once."""
        self._look_at_battery()
        self._look_at_gcs()
        self._look_at_radio()
        self._look_at_estimator()

    # Battery

    @property
    def charge_state(self) -> int:
        """MAV_BATTERY_CHARGE_STATE."""
        return {"": 1, _LOW: 2, _CRITICAL_LEVEL: 3}[self.battery_level]

    def blocks(self) -> list[str]:
        """Reasons not to arm."""
        p = self._craft.parameters
        found = []
        floor_v = max(p["BATT_ARM_VOLT"], 0.0)
        volts = self._battery.voltage_v
        lowest = max(p["BATT_CRT_VOLT"], p["BATT_LOW_VOLT"] if self.battery_level else 0.0)
        if 0 < volts < max(floor_v, lowest):
            found.append("Battery 1 below minimum arming voltage")
        if self.standing.battery:
            found.append("Battery failsafe")
        if self.standing.gcs:  # Armed now, it would never act: its event is over.
            found.append("GCS failsafe on")
        return found

    def _below(self, level: str) -> bool:
        p = self._craft.parameters
        prefix = "BATT_LOW" if level == _LOW else "BATT_CRT"
        volts, mah = p[f"{prefix}_VOLT"], p[f"{prefix}_MAH"]
        if mah > 0 and p["BATT_CAPACITY"] - self._battery.used_mah < mah:
            return True
        low = volts > 0 and self._battery.voltage_v < volts
        timer = self._below_s[level] + self._craft.dt_s if low else 0.0
        self._below_s[level] = timer
        return low and timer >= max(0.0, p["BATT_LOW_TIMER"])

    def _look_at_battery(self) -> None:
        critical, low = self._below(_CRITICAL_LEVEL), self._below(_LOW)
        if critical and self.battery_level != _CRITICAL_LEVEL:
            self._battery_event(_CRITICAL_LEVEL, "BATT_FS_CRT_ACT")
        elif low and not self.battery_level:
            self._battery_event(_LOW, "BATT_FS_LOW_ACT")

    def _battery_event(self, level: str, parameter: str) -> None:
        craft, battery = self._craft, self._battery
        self.battery_level = level
        craft.say(
            f"Battery 1 is {level} {battery.voltage_v:.2f}V used {battery.used_mah:.0f} mAh",
            _WARNING,
        )
        self.standing.battery = True
        action = int(craft.parameters[parameter])
        if self._disarms():
            craft.say("Battery Failsafe - Disarming", _WARNING)
            self._flight.disarm(force=False)
            return
        craft.say("Battery Failsafe", _WARNING)
        if not craft.armed:
            return
        if action in _LAND_ACTIONS:
            self._go(modes.LAND)
        elif action in _RETURN_ACTIONS:
            self._go(modes.RTL)
        elif action == 5:
            self._flight.disarm(force=True)

    def _disarms(self) -> bool:
        """Standing on the ground with motors running: stop them, that is safest."""
        return self._craft.armed and self._craft.landed

    def _go(self, mode: int) -> None:
        refusal = self._flight.set_mode(mode)
        if refusal is not None:
            self._refused(refusal)
            if mode != modes.LAND:
                self._flight.set_mode(modes.LAND)

    # Ground station

    def _look_at_gcs(self) -> None:
        craft = self._craft
        p = craft.parameters
        action = int(p["FS_GCS_ENABLE"])
        if action == 0 or self._gcs_beat_s is None:
            if self.standing.gcs:
                self._gcs_back()
            return
        silent_s = craft.now_s - self._gcs_beat_s
        if silent_s < p["FS_GCS_TIMEOUT"]:
            if self.standing.gcs:
                self._gcs_back()
        elif not self.standing.gcs:
            self.standing.gcs = True
            self._gcs_lost(action)

    def _gcs_back(self) -> None:
        self.standing.gcs = False
        self._craft.say("GCS Failsafe Cleared", _WARNING)

    def _gcs_lost(self, action: int) -> None:
        craft, flight = self._craft, self._flight
        options = int(craft.parameters["FS_OPTIONS"])
        if not craft.armed:
            craft.say("GCS Failsafe", _WARNING)
        elif self._disarms():
            craft.say("GCS Failsafe - Disarming", _WARNING)
            flight.disarm(force=False)
        elif flight.landed_state == 4 and options & _CONTINUE_LANDING:
            craft.say("GCS Failsafe - Continuing Landing", _WARNING)
        elif flight.mode.number == modes.AUTO and options & _CONTINUE_AUTO_ON_GCS:
            craft.say("GCS Failsafe - Continuing Auto Mode", _WARNING)
        elif not flight.mode.autopilot and options & _CONTINUE_PILOT:
            craft.say("GCS Failsafe - Continuing Pilot Control", _WARNING)
        else:
            craft.say("GCS Failsafe", _WARNING)
            self._go(modes.LAND if action == 5 else modes.RTL)

    # Radio

    def _look_at_radio(self) -> None:
        craft = self._craft
        p = craft.parameters
        if not craft.radio.failed(craft.now_s) or p["FS_THR_ENABLE"] == 0:
            self._radio_lost_s = 0.0
            if self.standing.radio:
                self.standing.radio = False
                craft.say("Radio Failsafe Cleared", _WARNING)
            return
        self._radio_lost_s += craft.dt_s
        if self._radio_lost_s < _RADIO_AFTER_S or self.standing.radio:
            return
        self.standing.radio = True
        options = int(p["FS_OPTIONS"])
        flight = self._flight
        if not craft.armed:
            return
        if self._disarms() or (
            flight.mode.number in (modes.STABILIZE, modes.ACRO) and craft.landed
        ):
            craft.say("Radio Failsafe - Disarming", _WARNING)
            flight.disarm(force=False)
        elif flight.mode.number == modes.AUTO and (
            options & _CONTINUE_AUTO_ON_RC or p["FS_THR_ENABLE"] == 2
        ):
            craft.say("Radio Failsafe - Continuing Auto", _WARNING)
        else:
            craft.say("Radio Failsafe", _WARNING)
            self._go(modes.LAND if p["FS_THR_ENABLE"] == 3 else modes.RTL)

    # Estimator

    def _look_at_estimator(self) -> None:
        craft, flight = self._craft, self._flight
        estimator = craft.estimator
        bad = estimator.variance_bad or estimator.lost
        if not bad or not craft.armed:
            if self.standing.estimator and not (estimator.variance_bad or estimator.lost):
                self.standing.estimator = False
                craft.say("EKF Failsafe Cleared", _ALERT)
            elif not craft.armed:
                self.standing.estimator = False
            return
        if self.standing.estimator or craft.parameters["FS_EKF_THRESH"] <= 0:
            return
        self.standing.estimator = True
        craft.say("EKF variance", _CRITICAL)
        action = int(craft.parameters["FS_EKF_ACTION"])
        mode = flight.mode
        if action == 0 or (not mode.position and action != 3):
            return
        if craft.landed:
            flight.disarm(force=False)
            return
        flight.set_mode(modes.ALT_HOLD if action == 2 else modes.LAND)
        craft.say(f"EKF Failsafe: changed to {flight.mode.name} Mode", _CRITICAL)
