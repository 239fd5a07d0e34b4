"""Commands that fly: arming, modes, take-off, mission, speed, heading, reposition, home."""

import math
from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle import modes
from simulations.vehicle.flight import Refusal
from simulations.vehicle.numbers import whole
from simulations.vehicle.parts import Parts
from simulations.vehicle.ports import Command, CommandResult, Organ, Place, Reply, Text
from simulations.vehicle.status import StatusTelemetry

ACCEPTED = CommandResult(result=int(mav.MAV_RESULT_ACCEPTED))
DENIED = CommandResult(result=int(mav.MAV_RESULT_DENIED))
FAILED = CommandResult(result=int(mav.MAV_RESULT_FAILED))
UNSUPPORTED = CommandResult(result=int(mav.MAV_RESULT_UNSUPPORTED))
_FORCE_ARM, _FORCE_DISARM = 2989, 21196
_CUSTOM_MODE = 1
_CHANGE_MODE = 1
_INT32_MAX = 2**31 - 1
_HIGHEST_M = 83_000.0
_FASTEST_M_S = 1000.0
_ABSOLUTE, _RELATIVE, _TERRAIN = (0, 5), (3, 6), (10, 11)
_WARNING, _INFO = 4, 6


def refused(refusal: Refusal) -> CommandResult:
    """FAILED, with the reasons after the acknowledgement."""
    texts = tuple(Text(severity=severity, text=text) for text, severity in refusal.texts)
    return CommandResult(result=int(mav.MAV_RESULT_FAILED), texts=texts)


def place_in_frame(
    parts: Parts, lat_deg: float, lon_deg: float, z_m: float, frame: int
) -> Place | None:
    """A place whose height is above sea level; None for a frame or a height that is none."""
    if not abs(z_m) <= _HIGHEST_M:
        return None
    if frame in _ABSOLUTE:
        alt = z_m
    elif frame in _RELATIVE:
        alt = parts.craft.home_alt_m + z_m
    elif frame in _TERRAIN:
        alt = parts.craft.body.ground_alt_m + z_m
    else:
        return None
    return Place(lat_deg=lat_deg, lon_deg=lon_deg, alt_msl_m=alt)


class FlightCommands(Organ):
    """MAV_CMDs about flying.

    Args:
        parts: of the vehicle.
        status: builds MISSION_CURRENT.
    """

    def __init__(self, parts: Parts, status: StatusTelemetry) -> None:
        self._parts = parts
        self._status = status
        self._known: dict[int, Callable[[Command], CommandResult]] = {
            mav.MAV_CMD_COMPONENT_ARM_DISARM: self._arm,
            mav.MAV_CMD_DO_SET_MODE: self._set_mode,
            mav.MAV_CMD_NAV_TAKEOFF: self._take_off,
            mav.MAV_CMD_NAV_LAND: lambda _: self._switch(modes.LAND),
            mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: lambda _: self._switch(modes.RTL),
            mav.MAV_CMD_NAV_LOITER_UNLIM: lambda _: self._switch(modes.LOITER),
            mav.MAV_CMD_MISSION_START: self._mission_start,
            mav.MAV_CMD_DO_SET_MISSION_CURRENT: self._set_current,
            mav.MAV_CMD_DO_PAUSE_CONTINUE: self._pause,
            mav.MAV_CMD_DO_CHANGE_SPEED: self._speed,
            mav.MAV_CMD_CONDITION_YAW: self._yaw,
            mav.MAV_CMD_DO_REPOSITION: self._reposition,
            mav.MAV_CMD_DO_SET_HOME: self._set_home,
            mav.MAV_CMD_DO_LAND_START: self._land_start,
            mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN: self._reboot,
            mav.MAV_CMD_RUN_PREARM_CHECKS: self._prearm,
            mav.MAV_CMD_DO_FLIGHTTERMINATION: self._terminate,
            mav.MAV_CMD_PREFLIGHT_CALIBRATION: lambda _: self._on_the_ground(),
            mav.MAV_CMD_PREFLIGHT_STORAGE: lambda _: self._on_the_ground(),
            mav.MAV_CMD_DO_SET_SERVO: lambda _: ACCEPTED,
            mav.MAV_CMD_DO_SET_RELAY: lambda _: ACCEPTED,
            mav.MAV_CMD_DO_GUIDED_LIMITS: lambda _: ACCEPTED,
        }

    def command(self, command: Command, now_s: float) -> CommandResult | None:  # noqa: ARG002  # the craft knows
        """Carry out one of ours."""
        known = self._known.get(command.id)
        return known(command) if known is not None else None

    def _arm(self, command: Command) -> CommandResult:
        on, force = command.params[0], command.params[1]
        if on == 1:
            refusal = self._parts.flight.arm(force=whole(force) == _FORCE_ARM)
        elif on == 0:
            refusal = self._parts.flight.disarm(force=whole(force) == _FORCE_DISARM)
        else:
            return UNSUPPORTED
        return ACCEPTED if refusal is None else refused(refusal)

    def _switch(self, number: int) -> CommandResult:
        refusal = self._parts.flight.set_mode(number)
        return ACCEPTED if refusal is None else refused(refusal)

    def _set_mode(self, command: Command) -> CommandResult:
        if not whole(command.params[0]) & _CUSTOM_MODE:
            return FAILED
        return self._switch(whole(command.params[1]))

    def _take_off(self, command: Command) -> CommandResult:
        if not abs(command.z) <= _HIGHEST_M:
            return FAILED
        return ACCEPTED if self._parts.flight.take_off(command.z) else FAILED

    def _mission_start(self, command: Command) -> CommandResult:
        if command.params[0] or command.params[1]:
            return DENIED  # Part of a mission cannot be asked for.
        result = self._switch(modes.AUTO)
        if result is not ACCEPTED:
            return result
        craft, auto = self._parts.craft, self._parts.flight.auto
        if craft.armed:
            craft.auto_armed = True
        auto.sequencer.start_or_resume(restart=craft.parameters["MIS_RESTART"] == 1)
        return ACCEPTED

    def _set_current(self, command: Command) -> CommandResult:
        if not math.isfinite(command.params[0]):
            return DENIED
        if whole(command.params[1]) == 1:
            self._parts.flight.auto.sequencer.reset()
        if not self._parts.flight.auto.sequencer.set_current(whole(command.params[0])):
            return DENIED
        current = Reply(message=self._status.mission_current(), to=command.sender)
        return CommandResult(result=ACCEPTED.result, after=(current,))

    def _pause(self, command: Command) -> CommandResult:
        flight = self._parts.flight
        asked = command.params[0]
        if asked not in (0, 1):
            return DENIED
        pausing = asked == 0
        done = False
        if flight.guided is not None and not self._parts.craft.landed:
            flight.guided.pause() if pausing else flight.guided.resume()
            done = not flight.guided.taking_off
        elif flight.mode.number == modes.AUTO:
            done = flight.auto.pause() if pausing else flight.auto.resume()
        if done:
            return ACCEPTED
        text = Text(severity=_INFO, text=f"Failed to {'pause' if pausing else 'resume'}")
        return CommandResult(result=FAILED.result, texts=(text,))

    def _speed(self, command: Command) -> CommandResult:
        kind, speed = whole(command.params[0]), command.params[1]
        craft = self._parts.craft
        if not 0 < speed < _FASTEST_M_S or self._parts.flight.mode.number not in (
            modes.AUTO,
            modes.GUIDED,
            modes.RTL,
            modes.CIRCLE,
        ):
            return FAILED
        if kind in (0, 1):
            craft.speed_m_s = speed
        elif kind == 2:
            craft.controller.climb_m_s = speed
        elif kind == 3:
            craft.controller.sink_m_s = speed
        else:
            return DENIED
        return ACCEPTED

    def _yaw(self, command: Command) -> CommandResult:
        angle, rate, direction, relative = command.params
        if not 0 <= angle <= 360 or relative not in (0, 1):
            return FAILED
        control = self._parts.craft.controller
        now = self._parts.craft.estimate.yaw_rad
        target = math.radians(angle)
        if relative:
            target = control.yaw_rad + target * (-1 if direction < 0 else 1)
        elif direction and (math.remainder(target - now, math.tau) > 0) != (direction > 0):
            # The long way round: a target past the half turn is approached step by step.
            target = now + math.copysign(math.pi * 0.99, direction)
        control.face(target, abs(rate) if 0 < abs(rate) < math.inf else None)
        return ACCEPTED

    def _reposition(self, command: Command) -> CommandResult:
        if not command.is_int:
            return UNSUPPORTED
        flight = self._parts.flight
        raw = (command.raw_x, command.raw_y)
        change = bool(whole(command.params[1]) & _CHANGE_MODE)
        if flight.mode.number != modes.GUIDED and not change:
            return DENIED
        if raw == (0, 0) or _INT32_MAX in raw or not abs(command.z) <= _HIGHEST_M:
            return DENIED
        if not (abs(command.x) <= 90 and abs(command.y) <= 180):
            return DENIED
        place = place_in_frame(self._parts, command.x, command.y, command.z, command.frame)
        if place is None:
            text = Text(severity=_WARNING, text=f"Unknown mavlink coordinate frame {command.frame}")
            return CommandResult(result=DENIED.result, texts=(text,))
        if flight.mode.number != modes.GUIDED:
            result = self._switch(modes.GUIDED)
            if result is not ACCEPTED:
                return result
        guided = flight.guided
        if guided is not None:
            guided.go_to(place)
        return ACCEPTED

    def _set_home(self, command: Command) -> CommandResult:
        craft = self._parts.craft
        if command.params[0] == 1:
            place = craft.estimator.place()
            if place is None:
                return FAILED
        else:
            if not command.is_int and command.sender is None:
                return FAILED
            if not (abs(command.x) <= 90 and abs(command.y) <= 180) or command.x == command.y == 0:
                return DENIED
            found = place_in_frame(self._parts, command.x, command.y, command.z, command.frame)
            if found is None:
                return DENIED
            place = found
        craft.home = place
        craft.home_locked = True
        return ACCEPTED

    def _land_start(self, command: Command) -> CommandResult:  # noqa: ARG002  # as all handlers
        sequencer = self._parts.flight.auto.sequencer
        for seq, item in enumerate(sequencer.items):
            if item.command == mav.MAV_CMD_DO_LAND_START and seq + 1 < len(sequencer.items):
                result = self._switch(modes.AUTO)
                if result is ACCEPTED:
                    sequencer.set_current(seq + 1)
                return result
        text = Text(severity=2, text="Unable to start landing sequence")
        return CommandResult(result=FAILED.result, texts=(text,))

    def _reboot(self, command: Command) -> CommandResult:
        if self._parts.craft.armed:
            return FAILED
        if whole(command.params[0]) not in (1, 3):
            return UNSUPPORTED
        self._parts.reboot()
        return ACCEPTED

    def _prearm(self, command: Command) -> CommandResult:  # noqa: ARG002  # as all handlers
        if self._parts.craft.armed:
            return CommandResult(result=int(mav.MAV_RESULT_TEMPORARILY_REJECTED))
        texts = tuple(
            Text(severity=2, text=f"PreArm: {reason}") for reason in self._parts.arming.standing()
        )
        return CommandResult(result=ACCEPTED.result, texts=texts)

    def _terminate(self, command: Command) -> CommandResult:
        if command.params[0] <= 0.5:
            return FAILED
        self._parts.flight.disarm(force=True)
        return ACCEPTED

    def _on_the_ground(self) -> CommandResult:
        return FAILED if self._parts.craft.armed else ACCEPTED
