"""AUTO: flies mission items, reports them as lossily as ArduPilot does, and notices changes."""

import math
from collections.abc import Callable

from simulations.vehicle.body import STOPPED, Thrust
from simulations.vehicle.craft import Craft, Maneuver, Parked, TakeOff
from simulations.vehicle.item_words import spoken
from simulations.vehicle.legs import ItemLeg
from simulations.vehicle.missions_mapping import has_place
from simulations.vehicle.ports import Command, CommandResult, Item, MissionStore, Place
from simulations.vehicle.returning import Landing, Return
from simulations.vehicle.sequencer import COMPLETE, DO_LAND_START, RUNNING, Sequencer, navigates
from simulations.vehicle.sequencer import STOPPED as AT_REST

_INFO, _CRITICAL = 6, 2
_WAYPOINT, _LOITER_UNLIM, _LOITER_TURNS, _LOITER_TIME, _RTL, _LAND, _TAKEOFF = (
    16,
    17,
    18,
    19,
    20,
    21,
    22,
)
_SPLINE, _GUIDED_ENABLE, _DELAY, _PAYLOAD_PLACE, _SCRIPT_TIME = 82, 92, 93, 94, 42702
_VTOL_TAKEOFF, _VTOL_LAND = 84, 85
_CONDITION_DELAY, _CONDITION_DISTANCE, _CONDITION_YAW = 112, 114, 115
_REPORTS = frozenset({178, 179, 195, 197, 201, 205, 207, 222, 112, 114, 115})
"""DO and CONDITION items whose end the vehicle itself verifies and hence reports; the others are
done inside the mission library, silently."""
_NONE_REACHED = 65535
_LOOKED_AT = 3
"""Items behind the current one whose change restarts the current leg."""

Give = Callable[[Command], CommandResult | None]
"""Hands a DO item to whoever carries that command out."""


class Auto:
    """The AUTO mode and the mission that it flies.

    Args:
        craft: the copter.
        store: the mission as uploaded.
        give: carries a DO item out.
    """

    def __init__(self, craft: Craft, store: MissionStore, give: Give) -> None:
        self._craft = craft
        self._store = store
        self._give = give
        self.sequencer = Sequencer(store, self)
        self._flying: Maneuver = Parked()
        self._leg: ItemLeg | None = None
        self._begun_s = 0.0
        self._begun_m = (0.0, 0.0)
        self._seen_version = store.version
        self._seen: tuple[Item, ...] = ()
        self._target: tuple[float, float] | None = None
        self.paused = False
        self.entered = False
        self.over_at_rest = False
        """The mission's own RTL has landed: the vehicle may disarm."""
        self.reached = _NONE_REACHED
        self.reached_pending = False

    # Maneuver

    @property
    def taking_off(self) -> bool:
        """During a take-off item."""
        return self._flying.taking_off and self._craft.auto_armed

    @property
    def landing(self) -> bool:
        """During a land item or the end of an RTL item."""
        return self._flying.landing

    @property
    def landing_done(self) -> bool:
        """A land item stands on the ground; disarming follows before its end is reported."""
        return isinstance(self._flying, Landing) and self._flying.done

    def enter(self) -> None:
        """The mode was switched to AUTO."""
        self.entered = True
        self.paused = False
        self.over_at_rest = False
        self._flying = Parked() if self._craft.landed else self._hover()
        self.sequencer.start_or_resume(restart=self._craft.parameters["MIS_RESTART"] == 1)
        self._look()

    def leave(self) -> None:
        """The mode was switched to another one."""
        self.entered = False
        self.sequencer.stop()

    def disarmed(self) -> None:
        """Disarming forgets the place in the mission."""
        self.sequencer.reset()
        self._flying = Parked()
        self.over_at_rest = False

    def reboot(self) -> None:
        """Only the mission itself is in storage: nothing is complete, nothing was reached."""
        self.leave()
        self.disarmed()
        self.sequencer.state = AT_REST
        self.reached, self.reached_pending = _NONE_REACHED, False

    def step(self) -> Thrust:
        """Fly one tick, then look whether the item is done."""
        self._notice_change()
        self.sequencer.update()
        craft = self._craft
        grounded = craft.landed and (not craft.auto_armed or self._flying is self._leg)
        if not craft.armed or grounded:  # Only a take-off leaves the ground, never a leg.
            craft.controller.take_over(craft.estimate)
            if isinstance(self._flying, TakeOff):
                self._flying = TakeOff(craft, self._flying.alt_m)
            return STOPPED
        if self.paused and self._leg is not None:
            control = craft.controller
            control.velocity(0.0, 0.0, control.limits(), craft.dt_s)
            control.climb(0.0, craft.dt_s)
            return control.thrust(craft.estimate, craft.dt_s)
        return self._flying.step()

    def pause(self) -> bool:
        """Stop on the way; False when there is no leg to stop on."""
        craft = self._craft
        if craft.landed or not craft.armed or self._leg is None:
            return False
        self.paused = True
        return True

    def resume(self) -> bool:
        """Go on."""
        if not self.paused:
            return not self._craft.landed
        self.paused = False
        if self._leg is not None:
            self._leg.go_on()
        return True

    @property
    def mission_state(self) -> int:
        """MISSION_STATE of MISSION_CURRENT."""
        if self.entered and self.paused:
            return 4
        return {AT_REST: 2, RUNNING: 3, COMPLETE: 5}[self.sequencer.state]

    @property
    def goal_place(self) -> Place | None:
        """Where the present item leads."""
        if self._leg is not None:
            return self._leg.place
        if isinstance(self._flying, Return):
            return self._flying.target
        return None

    # Executor

    def start_item(self, seq: int, item: Item) -> None:
        """Begin an item and say so."""
        self._craft.say(f"Mission: {seq} {spoken(item.command)}", _INFO)
        if navigates(item.command):
            self._begun_s = self._craft.now_s
            self._start_nav(seq, item)
            self._look()
        elif item.command in (_CONDITION_DELAY, _CONDITION_DISTANCE):
            self._begun_s = self._craft.now_s
        elif item.command != DO_LAND_START:  # Passed on the way it is a mark, no order to jump.
            self._give(_command_of(item))

    def item_done(self, seq: int, item: Item) -> bool:
        """Whether a begun item is finished; if so, report it."""
        done = self._nav_done(seq, item) if navigates(item.command) else self._beside_done(item)
        if done and (navigates(item.command) or item.command in _REPORTS):
            self.reached, self.reached_pending = seq, True
        return done

    def mission_over(self) -> None:
        """Nothing is left: hover where it is, or stop the motors where it stands."""
        craft = self._craft
        if not self.entered:
            return
        if craft.landed:
            self.over_at_rest = craft.armed and craft.auto_armed
        elif not isinstance(self._flying, (Landing, Return)) and self._leg is None:
            self._flying = self._hover()

    # Items

    def _hover(self) -> Maneuver:
        craft = self._craft
        place = craft.plane.to_place(*craft.stopping_point_m(), craft.estimate.alt_m)
        self._leg = ItemLeg(craft, place, following=None)
        return self._leg

    def place_of(self, item: Item) -> Place:
        """Where an item is; 0/0 is where the copter is now."""
        craft = self._craft
        here = craft.here()
        ground = item.x_e7 == 0 and item.y_e7 == 0
        lat, lon = (here.lat_deg, here.lon_deg) if ground else (item.x_e7 / 1e7, item.y_e7 / 1e7)
        if item.frame in (3, 6):
            alt = craft.home_alt_m + item.z_m
        elif item.frame in (10, 11):
            alt = craft.body.ground_alt_m + item.z_m
        else:
            alt = item.z_m
        if item.z_m == 0 and ground and item.frame == 0:
            alt = here.alt_msl_m
        return Place(lat_deg=lat, lon_deg=lon, alt_msl_m=alt)

    def _start_nav(self, seq: int, item: Item) -> None:
        craft = self._craft
        self._leg = None
        self.paused = False
        command = item.command
        if command in (_TAKEOFF, _VTOL_TAKEOFF):
            alt = self.place_of(item).alt_msl_m
            if not craft.landed and alt <= craft.estimate.alt_m:
                alt = craft.estimate.alt_m
            self._flying = TakeOff(craft, alt)
        elif command == _RTL:
            self._flying = Return(craft)
        elif command in (_LAND, _VTOL_LAND, _PAYLOAD_PLACE):
            point = None
            if item.x_e7 or item.y_e7:
                point = craft.to_ne_m(self.place_of(item))
            self._flying = Landing(craft, point)
        elif command in (_DELAY, _GUIDED_ENABLE, _SCRIPT_TIME):
            if not craft.landed:
                self._flying = self._hover()
        else:
            following = self.sequencer.following(seq) if self._passes(item) else None
            goes_on = following is not None and following.command in (_WAYPOINT, _SPLINE)
            after = self.place_of(following) if following is not None and goes_on else None
            self._leg = ItemLeg(craft, self.place_of(item), following=after)
            self._flying = self._leg

    @staticmethod
    def _passes(item: Item) -> bool:
        return item.command in (_WAYPOINT, _SPLINE) and item.params[0] == 0

    def _nav_done(self, seq: int, item: Item) -> bool:
        craft = self._craft
        command = item.command
        if command in (_TAKEOFF, _VTOL_TAKEOFF):
            return isinstance(self._flying, TakeOff) and self._flying.done and not craft.landed
        if command == _RTL:
            return isinstance(self._flying, Return) and self._flying.done
        if command in (_LAND, _VTOL_LAND, _LOITER_UNLIM):
            # The landing disarms before anyone asks whether the item is done.
            return False
        if command == _PAYLOAD_PLACE:
            return isinstance(self._flying, Landing) and self._flying.done
        if command in (_GUIDED_ENABLE, _SCRIPT_TIME):
            return True
        if command == _DELAY:
            return craft.now_s - self._begun_s >= max(0.0, item.params[0])
        if self._leg is None or self.paused or not self._leg.arrived():
            return False
        stay_s = item.params[0] if command in (_WAYPOINT, _SPLINE, _LOITER_TIME) else 0.0
        if command == _LOITER_TURNS:
            stay_s = abs(item.params[0]) * 360 / max(1.0, abs(craft.parameters["CIRCLE_RATE"]))
        if self._leg.waited_s() < stay_s:
            return False
        craft.say(f"Reached command #{seq}", _INFO)
        return True

    def _beside_done(self, item: Item) -> bool:
        craft = self._craft
        if item.command == _CONDITION_DELAY:
            return craft.now_s - self._begun_s >= item.params[0]
        if item.command == _CONDITION_DISTANCE:
            return self._leg is None or self._leg.left_m() <= item.params[0]
        if item.command == _CONDITION_YAW:
            return abs(
                math.remainder(craft.controller.yaw_rad - craft.estimate.yaw_rad, math.tau)
            ) < math.radians(2)
        return True

    # Changes under way

    def _look(self) -> None:
        self._seen_version = self._store.version
        self._seen = self._window()

    def _window(self) -> tuple[Item, ...]:
        begin = max(1, self.sequencer.seq)
        return tuple(self.sequencer.items[begin : begin + _LOOKED_AT])

    def _notice_change(self) -> None:
        if self._store.version == self._seen_version:
            return
        changed = self._window() != self._seen
        self._look()
        if not self.sequencer.items:
            self.sequencer.stop()
        if not changed or (self.sequencer.state != RUNNING and self.sequencer.items):
            return
        if self._craft.landed or not self._craft.armed:
            return
        if self.sequencer.seq < len(self.sequencer.items) and self.sequencer.restart_current():
            self._craft.say("Auto mission changed, restarted command", _CRITICAL)
        else:
            self.sequencer.stop()  # MISSION_CURRENT keeps the stale number and says NOT_STARTED.
            self._craft.say("Auto mission changed but failed to restart command", _CRITICAL)


def _command_of(item: Item) -> Command:
    scale = 1e-7 if has_place(item.command) else 1.0
    return Command(
        id=item.command, params=item.params, x=item.x_e7 * scale, y=item.y_e7 * scale,
        z=item.z_m, frame=item.frame, is_int=True, raw_x=item.x_e7, raw_y=item.y_e7,
    )  # fmt: skip
