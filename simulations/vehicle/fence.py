"""The geofence: judges where the copter is, tells it, and changes the mode of one that has left."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pymavlink.dialects.v20 import ardupilotmega as mav

from geo.zone import Polygon
from simulations.vehicle.missions import (
    EXCLUSION_CIRCLE,
    EXCLUSION_POLYGON,
    INCLUSION_CIRCLE,
    INCLUSION_POLYGON,
    POLYGON_COMMANDS,
    FenceItems,
)
from simulations.vehicle.ports import (
    Command,
    CommandResult,
    Item,
    Message,
    Organ,
    Place,
    Reply,
    SensorBits,
    VehicleView,
)

MAX_ALT, CIRCLE, POLYGON, MIN_ALT = 1, 2, 4, 8
_NAMES = ((MAX_ALT, "Max Alt"), (CIRCLE, "Circle"), (POLYGON, "Polygon"), (MIN_ALT, "Min Alt"))
_CHECK_EVERY_S = 0.04
_RECOVERY_S = 10.0
"""After a change of mode outside, the fence lets the pilot or the way home work that long."""
_FURTHER_M = 20.0
"""Leaving by so much more counts as a new breach (height and circle)."""
_RTL, _LAND, _BRAKE, _SMART_RTL = 6, 9, 17, 21
_ACTIONS = {1: (_RTL, _LAND), 2: (_LAND,), 3: (_SMART_RTL, _RTL, _LAND), 4: (_BRAKE, _LAND)}
_NOTICE, _INFO = int(mav.MAV_SEVERITY_NOTICE), int(mav.MAV_SEVERITY_INFO)
_ON_GROUND, _IN_AIR = int(mav.MAV_LANDED_STATE_ON_GROUND), int(mav.MAV_LANDED_STATE_IN_AIR)
_STATUS = int(mav.MAVLINK_MSG_ID_FENCE_STATUS)
_M_PER_DEG = 111_319.5
"""Of latitude, on ArduPilot's sphere."""


class _Circle(NamedTuple):
    east_m: float
    north_m: float
    radius_m: float


class FenceAreas:
    """The fence items as areas of a plane.

    Args:
        items: as stored; found good as a whole before.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._origin = items[0] if items else Item(command=0, frame=0)
        self._inside: list[Polygon | _Circle] = []
        self._outside: list[Polygon | _Circle] = []
        at = 0
        while at < len(items):
            item = items[at]
            size = int(item.params[0]) if item.command in POLYGON_COMMANDS else 1
            area = self._area(items[at : at + size])
            if area is not None and item.command in {INCLUSION_POLYGON, INCLUSION_CIRCLE}:
                self._inside.append(area)
            elif area is not None and item.command in {EXCLUSION_POLYGON, EXCLUSION_CIRCLE}:
                self._outside.append(area)
            at += size

    def beyond_m(self, place: Place) -> float:
        """Metres outside an inclusion or within an exclusion, the worst of them; negative is good."""
        east_m, north_m = self._plane(place.lat_deg, place.lon_deg)
        outside_m = [-_depth_m(area, east_m, north_m) for area in self._inside]
        within_m = [_depth_m(area, east_m, north_m) for area in self._outside]
        return max(outside_m + within_m, default=-math.inf)

    def _plane(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        lat0_deg, lon0_deg = self._origin.x_e7 * 1e-7, self._origin.y_e7 * 1e-7
        north_m = (lat_deg - lat0_deg) * _M_PER_DEG
        return (lon_deg - lon0_deg) * _M_PER_DEG * math.cos(math.radians(lat0_deg)), north_m

    def _area(self, items: Sequence[Item]) -> Polygon | _Circle | None:
        first = items[0]
        places = [self._plane(item.x_e7 * 1e-7, item.y_e7 * 1e-7) for item in items]
        if first.command not in POLYGON_COMMANDS:
            return _Circle(*places[0], first.params[0])
        ring = np.array(places)
        following = np.roll(ring, -1, axis=0)
        if float(np.sum(ring[:, 0] * following[:, 1] - following[:, 0] * ring[:, 1])) == 0.0:
            return None  # Corners in one line: ArduPilot takes them, and they enclose nothing.
        return Polygon(ring)


def _depth_m(area: Polygon | _Circle, east_m: float, north_m: float) -> float:
    """Metres inside the area; negative outside."""
    if isinstance(area, _Circle):
        return area.radius_m - math.hypot(east_m - area.east_m, north_m - area.north_m)
    return float(area.signed_distance_m([(east_m, north_m)])[0])


class Fence(Organ):
    """Breach detection, its texts, FENCE_STATUS and DO_FENCE_ENABLE.

    A mission that leaves the fence is nobody's business before the copter does.

    Args:
        view: the vehicle.
        store: the items, as the transfers keep them.
    """

    def __init__(self, view: VehicleView, *, store: FenceItems) -> None:
        self._view = view
        self._store = store
        self._areas = FenceAreas(())
        self._areas_version = -1
        self._breached = 0
        self._count = 0
        self._last_kind = 0
        self._last_time_s = 0.0
        self._checked_s = -math.inf
        self._recovery_s = -math.inf
        self._mode: int | None = None
        self._worst_m: dict[int, float] = {}
        self._parameter = 0.0
        self._switched: bool | None = None
        self._floor = True

    @property
    def breached(self) -> int:
        """Bits of the fences that are breached now."""
        return self._breached

    @property
    def enabled(self) -> bool:
        """By DO_FENCE_ENABLE, or by the parameter until somebody gives that command."""
        parameter = self._view.parameter("FENCE_ENABLE")
        if parameter != self._parameter:
            self._parameter, self._switched = parameter, None
        return bool(parameter) if self._switched is None else self._switched

    def command(self, command: Command, now_s: float) -> CommandResult | None:  # noqa: ARG002  # of the Protocol
        """DO_FENCE_ENABLE: 0 off, 1 on, 2 off for the floor alone; the parameter stays as it is."""
        if command.id != mav.MAV_CMD_DO_FENCE_ENABLE:
            return None
        wanted = command.params[0]
        if wanted not in {0.0, 1.0, 2.0}:
            return CommandResult(result=int(mav.MAV_RESULT_FAILED))
        _ = self.enabled  # The parameter as it stands is overruled from here on.
        if wanted == 2.0:
            self._floor = False
        else:
            self._switched = wanted == 1.0
            self._floor = True
        return CommandResult(result=int(mav.MAV_RESULT_ACCEPTED))

    def step(self, now_s: float) -> Sequence[Reply]:
        """Judge the present place."""
        state = self._view.state
        if state.mode != self._mode:
            known, self._mode = self._mode, state.mode
            if self._breached and known is not None:
                self._recover(now_s)
        if now_s - self._checked_s < _CHECK_EVERY_S:
            return ()
        self._checked_s = now_s
        fresh = self._check()
        landed = state.landed_state == _ON_GROUND
        if not fresh or landed or now_s - self._recovery_s < _RECOVERY_S:
            return ()
        self._view.say(f"{_names(fresh)} fence breached", _NOTICE)
        if not state.armed:
            return ()
        for mode in _ACTIONS.get(int(self._view.parameter("FENCE_ACTION")), ()):
            if self._view.state.mode == mode or self._view.set_mode(mode, reason="fence"):
                break
        if self._view.state.mode != self._mode:
            self._mode = self._view.state.mode
            self._recover(now_s)
        return ()

    @property
    def telemetry_ids(self) -> frozenset[int]:
        """FENCE_STATUS."""
        return frozenset({_STATUS})

    def telemetry(self, message_id: int, now_s: float) -> Message | None:  # noqa: ARG002  # of the Protocol
        """Say whether, how often, where and when the fence was breached last."""
        if message_id != _STATUS:
            return None
        return mav.MAVLink_fence_status_message(
            int(self._breached != 0), self._count, self._last_kind, int(self._last_time_s * 1000.0)
        )

    def arming_blocks(self) -> Sequence[str]:
        """A copter outside its fence stays on the ground."""
        if not self.enabled or not self._breached:
            return ()
        return (f"Vehicle breaching {_names(self._breached)} fence",)

    def sensor_bits(self) -> SensorBits:
        """The geofence bit."""
        bit = int(mav.MAV_SYS_STATUS_GEOFENCE)
        return SensorBits(
            present=bit if int(self._view.parameter("FENCE_TYPE")) else 0,
            enabled=bit if self.enabled else 0,
            health=0 if self._breached else bit,
        )

    def reboot(self, now_s: float) -> None:  # noqa: ARG002  # of the Protocol
        """Forget breaches and the command; the items are in storage."""
        self._breached = self._count = self._last_kind = 0
        self._last_time_s = 0.0
        self._checked_s = self._recovery_s = -math.inf
        self._worst_m.clear()
        self._switched, self._floor = None, True
        self._mode = None
        self._areas_version = -1

    def _recover(self, now_s: float) -> None:
        self._recovery_s = now_s
        self._view.say("Manual recovery started", _INFO)

    def _check(self) -> int:
        """Renew the breached bits and return those that are new, or worse by much."""
        excess_m = self._excess_m()
        before, self._breached, fresh = self._breached, 0, 0
        for bit, _name in _NAMES:
            over_m = excess_m.get(bit, -math.inf)
            if over_m <= 0.0:
                self._worst_m.pop(bit, None)
                continue
            self._breached |= bit
            worst_m = self._worst_m.setdefault(bit, over_m)
            # A polygon is breached once, however far the copter goes.
            worse = bit != POLYGON and over_m > worst_m + _FURTHER_M
            if worse:
                self._worst_m[bit] = over_m
            if worse or not before & bit:
                fresh |= bit
                self._count = (self._count + 1) & 0xFFFF
                self._last_kind = _kind(bit)
                self._last_time_s = self._view.state.time_boot_s
        if before and not self._breached:
            self._recovery_s = -math.inf
            if self._view.state.landed_state != _ON_GROUND:
                self._view.say("Fence breach cleared", _NOTICE)
        return fresh

    def _excess_m(self) -> dict[int, float]:
        """Metres beyond each fence that is in force; negative is good."""
        if not self.enabled:
            return {}
        view, state = self._view, self._view.state
        kinds = int(view.parameter("FENCE_TYPE"))
        excess_m: dict[int, float] = {}
        if kinds & MAX_ALT:
            excess_m[MAX_ALT] = state.relative_alt_m - view.parameter("FENCE_ALT_MAX")
        if kinds & MIN_ALT and self._floor and state.landed_state == _IN_AIR:
            excess_m[MIN_ALT] = view.parameter("FENCE_ALT_MIN") - state.relative_alt_m
        if state.position is None:
            return excess_m
        if kinds & CIRCLE and state.home is not None:
            circle = FenceAreas(
                [
                    Item(
                        command=INCLUSION_CIRCLE,
                        frame=0,
                        params=(view.parameter("FENCE_RADIUS"), 0.0, 0.0, 0.0),
                        x_e7=round(state.home.lat_deg * 1e7),
                        y_e7=round(state.home.lon_deg * 1e7),
                    )
                ]
            )
            excess_m[CIRCLE] = circle.beyond_m(state.position)
        if kinds & POLYGON:
            if self._areas_version != self._store.version:
                self._areas = FenceAreas(self._store.items)
                self._areas_version = self._store.version
            excess_m[POLYGON] = self._areas.beyond_m(state.position)
        return excess_m


def _kind(bit: int) -> int:
    if bit in {CIRCLE, POLYGON}:
        return int(mav.FENCE_BREACH_BOUNDARY)
    return int(mav.FENCE_BREACH_MAXALT if bit == MAX_ALT else mav.FENCE_BREACH_MINALT)


def _names(bits: int) -> str:
    """ArduPilot's list: "Max Alt, Circle and Polygon"."""
    names = [name for bit, name in _NAMES if bits & bit]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
