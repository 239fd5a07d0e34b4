"""A ground station that brings a copter to its first way point and lets it patrol from there.

It speaks MAVLink at a link of its own, and time passes only where the caller lets it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.copter import TICK_S, Copter
from simulations.vehicle.plane import LocalPlane
from simulations.vehicle.ports import Message, Place

LINK = 2
"""The last link: TCP clients get the others."""
_READY_S = 42.0
_AUTO, _GUIDED = 3.0, 4.0
_RELATIVE = int(mav.MAV_FRAME_GLOBAL_RELATIVE_ALT)
_RELATIVE_INT = int(mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT)
_FOR_EVER = -1.0
_NEAR_M = 0.5
_STILL_M_S = 0.1
_LIMIT_S = 900.0
_ANSWER_S = 5.0
_BEAT_S = 1.0

_Item = tuple[int, tuple[float, float, float, float], int, int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patrol:
    """What is flown.

    Attributes:
        way: places in their order, over and over; heights are not looked at.
        height_m: above home, all the way.
        speed_m_s: over ground.
        look_at: place that the gimbal points at; without one it looks ahead.
        gimbal_pitch_deg: without a place to look at, up is positive.
    """

    way: tuple[Place, ...]
    height_m: float
    speed_m_s: float
    look_at: Place | None = None
    gimbal_pitch_deg: float = -45.0


class Pilot:
    """Flies one patrol.

    Args:
        copter: switched off, at home.
        patrol: what to fly.
        each_tick: is called before every tick of the copter that the pilot makes.
    """

    def __init__(
        self, copter: Copter, patrol: Patrol, *, each_tick: Callable[[Copter], None]
    ) -> None:
        self._copter = copter
        self._patrol = patrol
        self._each_tick = each_tick
        self._mav = mav.MAVLink(None, srcSystem=255, srcComponent=190)
        self._mav.robust_parsing = True
        self._beat_s = 0.0

    def to_first_place(self) -> None:
        """Boot, take off, and hover at the way's first place with the camera turned.

        Raises:
            RuntimeError: the copter does not do as it is told.
        """
        copter, patrol = self._copter, self._patrol
        copter.power_on()
        copter.connect(LINK)
        self._wait_until(lambda: copter.now_s >= _READY_S, "boots")
        self._command(mav.MAV_CMD_DO_SET_MODE, 1.0, _GUIDED)
        self._command(mav.MAV_CMD_COMPONENT_ARM_DISARM, 1.0)
        self._command(mav.MAV_CMD_NAV_TAKEOFF, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, patrol.height_m)
        self._wait_until(
            lambda: copter.state.relative_alt_m > patrol.height_m - _NEAR_M and self._still(),
            "climbs",
        )
        self._upload(self._items())
        self._aim()
        first = patrol.way[0]
        self._send(
            mav.MAVLink_set_position_target_global_int_message(
                0, copter.system_id, 1, _RELATIVE_INT, 0b111111111000,
                _e7(first.lat_deg), _e7(first.lon_deg), patrol.height_m,
                0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            )
        )  # fmt: skip
        self._wait_until(lambda: self._away_m(first) < _NEAR_M and self._still(), "arrives")

    def begin(self) -> None:
        """Set out along the way."""
        self._command(mav.MAV_CMD_DO_SET_MODE, 1.0, _AUTO)

    def ask_to_begin(self) -> None:
        """Ask the same of a copter that somebody else steps; nobody waits for its answer."""
        self._send(self._long(mav.MAV_CMD_DO_SET_MODE, 1.0, _AUTO))

    def tick(self) -> None:
        """Let one tick pass, heard and alive."""
        copter = self._copter
        self._each_tick(copter)
        copter.step(TICK_S)
        self.attend()

    def attend(self) -> list[Message]:
        """Say that the ground station lives, and return what arrived; somebody else steps."""
        copter = self._copter
        if copter.now_s >= self._beat_s:
            self._beat_s = copter.now_s + _BEAT_S
            self._send(
                mav.MAVLink_heartbeat_message(
                    mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, mav.MAV_STATE_ACTIVE, 3
                )
            )
        heard: list[Message] = []
        for frame in copter.outgoing(LINK):
            heard += self._mav.parse_buffer(frame) or []
        return heard

    # --- the way ----------------------------------------------------------------------------------
    def _items(self) -> Sequence[_Item]:
        """Home, the speed, and the way, over and over."""
        patrol = self._patrol
        nothing = (0.0, 0.0, 0.0, 0.0)
        found: list[_Item] = [
            (mav.MAV_CMD_NAV_WAYPOINT, nothing, 0, 0, 0.0),
            (mav.MAV_CMD_DO_CHANGE_SPEED, (1.0, patrol.speed_m_s, -1.0, 0.0), 0, 0, 0.0),
        ]
        start = len(found)
        found += [
            (mav.MAV_CMD_NAV_WAYPOINT, nothing, _e7(one.lat_deg), _e7(one.lon_deg), patrol.height_m)
            for one in patrol.way
        ]
        if len(patrol.way) > 1:
            again = (float(start), _FOR_EVER, 0.0, 0.0)
            found.append((mav.MAV_CMD_DO_JUMP, again, 0, 0, 0.0))
        return found

    def _aim(self) -> None:
        """Turn the camera; it stays so under way."""
        place, pitch_deg = self._patrol.look_at, self._patrol.gimbal_pitch_deg
        if place is None:
            angles_mode = 2.0
            self._command(
                mav.MAV_CMD_DO_MOUNT_CONTROL, pitch_deg, 0.0, 0.0, 0.0, 0.0, 0.0, angles_mode
            )
            return
        number = int(mav.MAV_CMD_DO_SET_ROI_LOCATION)
        self._send(
            mav.MAVLink_command_int_message(
                self._copter.system_id, 1, _RELATIVE_INT, number, 0, 0, 0.0, 0.0, 0.0, 0.0,
                _e7(place.lat_deg), _e7(place.lon_deg), 0.0,
            )
        )  # fmt: skip
        self._accepted(number)

    def _upload(self, items: Sequence[_Item]) -> None:
        self._send(mav.MAVLink_mission_count_message(self._copter.system_id, 1, len(items), 0))

        def serve(message: Message) -> bool:
            if message.get_type() in ("MISSION_REQUEST", "MISSION_REQUEST_INT"):
                command, params, x, y, z = items[message.seq]
                self._send(
                    mav.MAVLink_mission_item_int_message(
                        self._copter.system_id, 1, message.seq, _RELATIVE, command, 0, 1,
                        *params, x, y, z, 0,
                    )
                )  # fmt: skip
            return bool(message.get_type() == "MISSION_ACK")

        if (answer := self._answer(serve, "the mission")).type != mav.MAV_MISSION_ACCEPTED:
            raise RuntimeError(f"the copter refused the mission with result {answer.type}")

    # --- talking ----------------------------------------------------------------------------------
    def _command(self, number: int, *params: float) -> None:
        self._send(self._long(number, *params))
        self._accepted(number)

    def _long(self, number: int, *params: float) -> Message:
        padded = [*params, *[0.0] * (7 - len(params))]
        return mav.MAVLink_command_long_message(self._copter.system_id, 1, number, 0, *padded)

    def _accepted(self, number: int) -> None:
        answer = self._answer(
            lambda m: m.get_type() == "COMMAND_ACK" and m.command == number, f"command {number}"
        )
        if answer.result != mav.MAV_RESULT_ACCEPTED:
            raise RuntimeError(f"the copter refused command {number} with result {answer.result}")

    def _answer(self, wanted: Callable[[Message], bool], what: str) -> Message:
        end_s = self._copter.now_s + _ANSWER_S
        while self._copter.now_s < end_s:
            for message in self._ticked():
                if wanted(message):
                    return message
        raise RuntimeError(f"the copter did not answer {what} within {_ANSWER_S:g} s")

    def _ticked(self) -> Iterable[Message]:
        self._each_tick(self._copter)
        self._copter.step(TICK_S)
        return self.attend()

    def _send(self, message: Message) -> None:
        self._copter.receive(bytes(message.pack(self._mav)), LINK)
        self._mav.seq = (self._mav.seq + 1) % 256

    def _wait_until(self, holds: Callable[[], bool], what: str) -> None:
        end_s = self._copter.now_s + _LIMIT_S
        while not holds():
            if self._copter.now_s > end_s:
                raise RuntimeError(f"the copter never {what}: not within {_LIMIT_S:g} s")
            self.tick()

    def _still(self) -> bool:
        return max(abs(part) for part in self._copter.truth().velocity_ned_m_s) < _STILL_M_S

    def _away_m(self, place: Place) -> float:
        home = self._copter.setup.home
        plane = LocalPlane.around(home.lat_deg, home.lon_deg)
        north, east = plane.to_ne_m(place.lat_deg, place.lon_deg)
        here = self._copter.truth().place
        own = plane.to_ne_m(here.lat_deg, here.lon_deg)
        return max(abs(north - own[0]), abs(east - own[1]))


def _e7(degrees: float) -> int:
    return round(degrees * 1e7)
