"""Messages that are no commands: modes, targets, radio, time, heartbeats, home, current item."""

import math
from collections.abc import Callable, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.commands import place_in_frame
from simulations.vehicle.guided import VelocityWish
from simulations.vehicle.parts import Parts
from simulations.vehicle.ports import Message, Organ, Peer, Place, Reply
from simulations.vehicle.status import StatusTelemetry

_TIMESYNC_EVERY_S = 10.0
_NO_POSITION = 0b000111
_NO_VELOCITY = 0b111000
_NO_YAW = 1 << 10
_NO_YAW_RATE = 1 << 11
_HIGHEST_MM = 83_000_000
_FARTHEST_M = 80_000.0
_BODY_FRAMES = frozenset({8, 9, 12})
_OFFSET_FRAMES = frozenset({7, 9})


class FlightMessages(Organ):
    """What clients say without asking for an acknowledgement.

    Args:
        parts: of the vehicle.
        status: builds MISSION_CURRENT.
    """

    def __init__(self, parts: Parts, status: StatusTelemetry) -> None:
        self._parts = parts
        self._status = status
        self._timesync_s: dict[int, float] = {}
        self._known: dict[int, Callable[[Message, Peer, float], Sequence[Reply]]] = {
            mav.MAVLINK_MSG_ID_HEARTBEAT: self._heartbeat,
            mav.MAVLINK_MSG_ID_TIMESYNC: self._timesync,
            mav.MAVLINK_MSG_ID_SET_MODE: self._set_mode,
            mav.MAVLINK_MSG_ID_MISSION_SET_CURRENT: self._set_current,
            mav.MAVLINK_MSG_ID_RC_CHANNELS_OVERRIDE: self._override,
            mav.MAVLINK_MSG_ID_SET_POSITION_TARGET_GLOBAL_INT: self._global_target,
            mav.MAVLINK_MSG_ID_SET_POSITION_TARGET_LOCAL_NED: self._local_target,
            mav.MAVLINK_MSG_ID_SET_HOME_POSITION: self._set_home,
        }

    def handle(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:
        """Take one of ours."""
        known = self._known.get(message.get_msgId())
        return known(message, sender, now_s) if known is not None else ()

    def reboot(self, now_s: float) -> None:  # noqa: ARG002  # the Protocol's
        """Links are new."""
        self._timesync_s.clear()

    def _is_gcs(self, sender: Peer) -> bool:
        own = self._parts.craft.parameters.first("MAV_GCS_SYSID", "SYSID_MYGCS")
        return sender.system_id == int(own)

    def _heartbeat(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all
        if self._is_gcs(sender):
            self._parts.failsafes.heard_gcs()
        last_s = self._timesync_s.get(sender.link, -math.inf)
        if now_s - last_s < _TIMESYNC_EVERY_S:
            return ()
        self._timesync_s[sender.link] = now_s
        return (Reply(message=mav.MAVLink_timesync_message(0, self._boot_ns), to=sender),)

    @property
    def _boot_ns(self) -> int:
        """The clock of all its stamps, which a reboot begins anew."""
        return int(self._parts.craft.estimator.boot_s * 1e9)

    def _timesync(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all
        if message.tc1 != 0:
            return ()
        answer = mav.MAVLink_timesync_message(max(1, self._boot_ns), message.ts1)
        return (Reply(message=answer, to=sender),)

    def _set_mode(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all
        if message.base_mode & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
            refusal = self._parts.flight.set_mode(int(message.custom_mode))
            for text, severity in refusal.texts if refusal is not None else ():
                self._parts.craft.say(text, severity)
        return ()

    def _set_current(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all
        if not self._parts.flight.auto.sequencer.set_current(int(message.seq)):
            return ()
        return (Reply(message=self._status.mission_current(), to=sender),)

    def _override(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:
        if self._is_gcs(sender):
            values = [getattr(message, f"chan{number}_raw") for number in range(1, 19)]
            self._parts.craft.radio.override(values, now_s)
        return ()

    def _global_target(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all
        guided = self._parts.flight.guided
        if guided is None:
            return ()
        if not message.type_mask & _NO_POSITION:
            place = place_in_frame(
                self._parts, message.lat_int / 1e7, message.lon_int / 1e7, message.alt,
                message.coordinate_frame,
            )  # fmt: skip
            if place is None or not (abs(place.lat_deg) <= 90 and abs(place.lon_deg) <= 180):
                return ()
            guided.go_to(place)
        elif not message.type_mask & _NO_VELOCITY:
            self._fly(message.vx, message.vy, message.vz, now_s)
        self._turn(message)
        return ()

    def _local_target(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all
        guided, craft = self._parts.flight.guided, self._parts.craft
        if guided is None:
            return ()
        turn = craft.estimate.yaw_rad if message.coordinate_frame in _BODY_FRAMES else 0.0
        cosine, sine = math.cos(turn), math.sin(turn)
        if not message.type_mask & _NO_POSITION:
            if not all(abs(part) < _FARTHEST_M for part in (message.x, message.y, message.z)):
                return ()
            north = message.x * cosine - message.y * sine
            east = message.x * sine + message.y * cosine
            alt_m = craft.home_alt_m - message.z
            if message.coordinate_frame in _OFFSET_FRAMES | _BODY_FRAMES:
                north += craft.estimate.north_m
                east += craft.estimate.east_m
                alt_m = craft.estimate.alt_m - message.z
            guided.go_to(craft.plane.to_place(north, east, alt_m))
        elif not message.type_mask & _NO_VELOCITY:
            self._fly(
                message.vx * cosine - message.vy * sine,
                message.vx * sine + message.vy * cosine,
                message.vz,
                now_s,
            )
        self._turn(message)
        return ()

    def _fly(self, north: float, east: float, down: float, now_s: float) -> None:
        guided = self._parts.flight.guided
        if guided is not None and all(math.isfinite(part) for part in (north, east, down)):
            guided.fly(VelocityWish(north_m_s=north, east_m_s=east, climb_m_s=-down, since_s=now_s))

    def _turn(self, message: Message) -> None:
        control = self._parts.craft.controller
        if not message.type_mask & _NO_YAW and math.isfinite(message.yaw):
            control.face(message.yaw)
        elif not message.type_mask & _NO_YAW_RATE and math.isfinite(message.yaw_rate):
            control.spin(message.yaw_rate)

    def _set_home(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # as all
        craft = self._parts.craft
        nowhere = message.latitude == 0 and message.longitude == 0
        if nowhere or abs(message.latitude) > 900_000_000 or abs(message.longitude) > 1_800_000_000:
            return ()
        if abs(message.altitude) > _HIGHEST_MM:
            return ()
        craft.home = Place(
            lat_deg=message.latitude / 1e7,
            lon_deg=message.longitude / 1e7,
            alt_msl_m=message.altitude / 1000,
        )
        craft.home_locked = True
        return ()
