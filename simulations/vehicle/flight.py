"""The mode machine: which manoeuvre flies, what a change of mode needs, arming and landing."""

from collections.abc import Callable
from dataclasses import dataclass

from simulations.vehicle import modes
from simulations.vehicle.arming import Arming
from simulations.vehicle.auto import Auto
from simulations.vehicle.body import STOPPED, Thrust
from simulations.vehicle.circle import Circle
from simulations.vehicle.craft import Craft, Hold, Maneuver, Parked, TakeOff
from simulations.vehicle.guided import Guided
from simulations.vehicle.modes import MODES, Mode
from simulations.vehicle.returning import Landing, Return
from simulations.vehicle.sticks import Sticks

_INFO, _WARNING, _CRITICAL = 6, 4, 2
_STANDS_S = 1.0
_BRAKE_CLIMB_M_S2 = 0.82
"""BRAKE stops hard over ground and gently in height: from 2.5 m/s it still rose 4 m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something was not done.

    Attributes:
        texts: lines for the ground station with their severities; none for a silent refusal.
    """

    texts: tuple[tuple[str, int], ...] = ()


class Flight:
    """One mode at a time.

    Args:
        craft: the copter.
        auto: the mission's mode; it remembers its place while other modes fly.
        arming: the checks.
        mode_changed: told at once, so that HEARTBEAT goes out.
    """

    def __init__(
        self, craft: Craft, auto: Auto, arming: Arming, mode_changed: Callable[[], None]
    ) -> None:
        self._craft = craft
        self.auto = auto
        self._arming = arming
        self._mode_changed = mode_changed
        self.mode: Mode = MODES[modes.STABILIZE]
        self._maneuver: Maneuver = Sticks(craft, height=False, position=False)
        self._take_off: TakeOff | None = None
        self._on_ground_s = 0.0
        self._idle_s = 0.0
        self.thrust: Thrust = STOPPED

    # State

    @property
    def guided(self) -> Guided | None:
        """The GUIDED mode while it flies."""
        return self._maneuver if isinstance(self._maneuver, Guided) else None

    @property
    def returning(self) -> Return | None:
        """The return while it flies."""
        return self._maneuver if isinstance(self._maneuver, Return) else None

    @property
    def landed_state(self) -> int:
        """MAV_LANDED_STATE."""
        if self._craft.landed:
            return 1
        if self._maneuver.landing:
            return 4
        if self._take_off is not None or self._maneuver.taking_off:
            return 3
        return 2

    def reboot(self) -> None:
        """STABILIZE, as after power-on; the mission is at its beginning."""
        self.auto.reboot()
        self.mode = MODES[modes.STABILIZE]
        self._maneuver = self._make(self.mode)
        self._take_off = None

    # Modes

    def set_mode(self, number: int) -> Refusal | None:
        """Change the mode; None when it is done."""
        mode = MODES.get(number)
        if mode is None:
            return Refusal(texts=((f"No such mode {number}", _WARNING),))
        if mode is self.mode:
            return None
        craft = self._craft
        if craft.armed:
            if not mode.flies:
                return self._failed(mode, "init failed")
            if mode.position and not craft.estimator.position_ok:
                return self._failed(mode, "requires position")
            if number == modes.AUTO and (refusal := self._auto_refused(mode)):
                return refusal
        if self.mode.number == modes.AUTO and number != modes.AUTO:
            self.auto.leave()
        self.mode = mode
        self._take_off = None
        if not craft.landed:
            self._craft.controller.take_over(craft.estimate)
        craft.speed_m_s = craft.controller.climb_m_s = craft.controller.sink_m_s = None
        self._maneuver = self._make(mode)
        self._mode_changed()
        return None

    def _failed(self, mode: Mode, why: str) -> Refusal:
        return Refusal(texts=((f"Mode change to {mode.name} failed: {why}", _WARNING),))

    def _auto_refused(self, mode: Mode) -> Refusal | None:
        craft = self._craft
        if len(self.auto.sequencer.items) < 2:
            return self._failed(mode, "init failed")
        if craft.landed and not self.auto.sequencer.starts_with_takeoff():
            failed = self._failed(mode, "init failed")
            return Refusal(texts=(("Auto: Missing Takeoff Cmd", _CRITICAL), *failed.texts))
        return None

    def _make(self, mode: Mode) -> Maneuver:
        craft = self._craft
        number = mode.number
        if number == modes.AUTO:
            self.auto.enter()
            return self.auto
        if number == modes.GUIDED:
            return Guided(craft)
        if number in (modes.STABILIZE, modes.ACRO):
            return Sticks(craft, height=False, position=False)
        if number == modes.ALT_HOLD:
            return Sticks(craft, height=True, position=False)
        if number in (modes.LOITER, modes.POSHOLD):
            return Sticks(craft, height=True, position=True)
        if craft.landed:
            return Parked()
        if number in (modes.RTL, modes.SMART_RTL, modes.AUTO_RTL):
            return Return(craft)
        if number == modes.LAND:
            return Landing(craft)
        if number == modes.BRAKE:
            return Hold(craft, braking_m_s2=7.5, settling_m_s2=_BRAKE_CLIMB_M_S2)
        if number == modes.CIRCLE:
            return Circle(craft)
        return Parked()

    # Arming

    def arm(self, *, force: bool) -> Refusal | None:
        """Start the motors; None when they run."""
        craft = self._craft
        if craft.armed:
            return None
        if not force:
            against = self._arming.against(self.mode)
            if against:
                return Refusal(texts=tuple((f"Arm: {text}", _CRITICAL) for text in against))
        craft.armed = True
        craft.auto_armed = False
        self._idle_s = 0.0
        if craft.estimator.position_ok and not craft.home_locked:
            craft.home = craft.here()
        craft.controller.take_over(craft.estimate)
        self._maneuver = self.auto if self.mode.number == modes.AUTO else self._make(self.mode)
        craft.say("Arming motors", _INFO)
        return None

    def disarm(self, *, force: bool) -> Refusal | None:
        """Stop the motors; refused in flight unless forced."""
        craft = self._craft
        if not craft.armed:
            return None
        if not craft.landed and not force:
            return Refusal()
        craft.armed = False
        craft.auto_armed = False
        craft.landed = craft.landed or craft.body.on_ground
        self._take_off = None
        craft.controller.relax()
        self.auto.disarmed()
        if self.mode.number != modes.AUTO:
            self._maneuver = self._make(self.mode) if craft.landed else Parked()
        craft.say("Disarming motors", _INFO)
        return None

    def take_off(self, above_home_m: float) -> bool:
        """MAV_CMD_NAV_TAKEOFF; False when it cannot be done now."""
        craft = self._craft
        alt_m = craft.home_alt_m + above_home_m
        if not (craft.armed and craft.landed and self.mode.user_takeoff):
            return False
        if alt_m <= craft.estimate.alt_m + 0.1:
            return False
        guided = self.guided
        if guided is not None:
            guided.take_off(alt_m)
        else:
            self._take_off = TakeOff(craft, alt_m)
        craft.auto_armed = True
        return True

    # Time

    def step(self) -> Thrust:
        """Fly one tick."""
        craft = self._craft
        if self._take_off is not None:
            self.thrust = self._take_off.step()
            if self._take_off.done:
                self._take_off = None
        elif not craft.armed and self.mode.number != modes.AUTO:
            self.thrust = STOPPED
        else:
            self.thrust = self._maneuver.step()
        if not craft.armed:
            self.thrust = STOPPED
            self._settle()
            return self.thrust
        self._look_for_ground()
        self._stop_motors()
        return self.thrust

    def _settle(self) -> None:
        craft = self._craft
        if craft.body.on_ground:
            craft.landed = True

    def _look_for_ground(self) -> None:
        craft = self._craft
        self._on_ground_s = self._on_ground_s + craft.dt_s if craft.body.on_ground else 0.0
        if not craft.landed and self._on_ground_s > _STANDS_S:
            craft.landed = True

    def _stop_motors(self) -> None:
        craft = self._craft
        if self._at_rest():
            self.disarm(force=False)
            return
        waits = craft.landed and self._take_off is None and not self._maneuver.taking_off
        self._idle_s = self._idle_s + craft.dt_s if waits else 0.0
        if self.mode.number < modes.AUTO and not craft.radio.throttle_low(craft.now_s):
            self._idle_s = 0.0
        delay_s = craft.parameters["DISARM_DELAY"]
        if delay_s > 0 and self._idle_s >= delay_s:
            self.disarm(force=False)

    def _at_rest(self) -> bool:
        """Whether a landing has ended, or was commanded on the ground."""
        maneuver = self._maneuver
        if isinstance(maneuver, (Landing, Return)):
            return maneuver.done
        if self.mode.number == modes.AUTO:
            return self.auto.over_at_rest or self.auto.landing_done
        grounded = self.mode.number in (modes.LAND, modes.RTL)
        return grounded and self._craft.landed and isinstance(maneuver, Parked)
