"""The door to pymavlink: what the messages that we read look like, and how ours are packed.

Only tables and packers are used. Its readers of bytes and files keep one state per link for all
vehicles and skip good frames behind a bad one, so framing is ours (`frames.py`).
"""

import struct
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

HEARTBEAT = 0
SYS_STATUS = 1
SYSTEM_TIME = 2
GPS_RAW_INT = 24
ATTITUDE = 30
ATTITUDE_QUATERNION = 31
GLOBAL_POSITION_INT = 33
COMMAND_ACK = 77
TIMESYNC = 111
GPS2_RAW = 124
ALTITUDE = 141
BATTERY_STATUS = 147
MOUNT_STATUS = 158
EKF_STATUS_REPORT = 193
ESTIMATOR_STATUS = 230
HIGH_LATENCY2 = 235
HOME_POSITION = 242
EXTENDED_SYS_STATE = 245
STATUSTEXT = 253
MOUNT_ORIENTATION = 265
GIMBAL_DEVICE_ATTITUDE_STATUS = 285
GNSS_INTEGRITY = 441

READ_IDS = (
    HEARTBEAT, SYS_STATUS, SYSTEM_TIME, GPS_RAW_INT, ATTITUDE, ATTITUDE_QUATERNION,
    GLOBAL_POSITION_INT, COMMAND_ACK, TIMESYNC, GPS2_RAW, ALTITUDE, BATTERY_STATUS, MOUNT_STATUS,
    EKF_STATUS_REPORT, ESTIMATOR_STATUS, HIGH_LATENCY2, HOME_POSITION, EXTENDED_SYS_STATE,
    STATUSTEXT, MOUNT_ORIENTATION, GIMBAL_DEVICE_ATTITUDE_STATUS,
)  # fmt: skip

_GNSS_INTEGRITY_CRC_EXTRA = 169
_GNSS_INTEGRITY_FIELDS = (
    "system_errors", "raim_hfom", "raim_vfom", "id", "authentication_state", "jamming_state",
    "spoofing_state", "raim_state", "corrections_quality", "system_status_summary",
    "gnss_signal_quality", "post_processing_quality",
)  # fmt: skip
"""Work in progress in MAVLink and absent from the dialect.

Source: mavlink/message_definitions/v1.0/development.xml, GNSS_INTEGRITY.
"""

Message = Any
"""A named tuple with the fields of a message (pymavlink has no types)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the payload of one message is read.

    Attributes:
        name: of the message.
        size_bytes: of the whole payload; a shorter one had its trailing zeros cut off.
        decode: payload of exactly that size to a named tuple.
    """

    name: str
    size_bytes: int
    decode: Callable[[bytes], Message]


def _layout(name: str, fields: tuple[str, ...], form: str, lengths: tuple[int, ...]) -> Layout:
    unpacker = struct.Struct(form)
    kind: Any = namedtuple(name, fields)  # type: ignore[misc]  # noqa: PYI024  # fields come from a table
    if len(unpacker.unpack(bytes(unpacker.size))) == len(fields):

        def decode(payload: bytes) -> Message:
            return kind._make(unpacker.unpack(payload))

    else:

        def decode(payload: bytes) -> Message:
            flat, at, values = unpacker.unpack(payload), 0, []
            for length in lengths:
                if length > 1 and not isinstance(flat[at], bytes):
                    values.append(flat[at : at + length])
                    at += length
                else:
                    values.append(flat[at])
                    at += 1
            return kind._make(values)

    return Layout(name=name, size_bytes=unpacker.size, decode=decode)


def _layouts() -> dict[int, Layout]:
    found = {}
    for message_id in READ_IDS:
        known = mav.mavlink_map[message_id]
        found[message_id] = _layout(
            str(known.msgname),
            tuple(known.ordered_fieldnames),
            known.unpacker.format,
            tuple(known.lengths),
        )
    found[GNSS_INTEGRITY] = _layout(
        "GNSS_INTEGRITY", _GNSS_INTEGRITY_FIELDS, "<IHHBBBBBBBBB", (1,) * 12
    )
    return found


LAYOUTS: Mapping[int, Layout] = _layouts()
CRC_EXTRA: Mapping[int, int] = {
    **{int(key): int(known.crc_extra) for key, known in mav.mavlink_map.items()},
    GNSS_INTEGRITY: _GNSS_INTEGRITY_CRC_EXTRA,
}
"""Seed of the checksum of every message that the dialect knows."""

COPTER_MODES: Mapping[int, str] = {
    int(key): entry.name.removeprefix("COPTER_MODE_")
    for key, entry in mav.enums["COPTER_MODE"].items()
}
PLANE_MODES: Mapping[int, str] = {
    int(key): entry.name.removeprefix("PLANE_MODE_")
    for key, entry in mav.enums["PLANE_MODE"].items()
}
ROVER_MODES: Mapping[int, str] = {
    int(key): entry.name.removeprefix("ROVER_MODE_")
    for key, entry in mav.enums["ROVER_MODE"].items()
}


class Packer:
    """Packs what we say, MAVLink 2, in the name of one system and component.

    Args:
        system_id: ours; not 255, whose heartbeat holds off a vehicle's ground-station failsafe.
        component_id: ours.
    """

    def __init__(self, system_id: int, component_id: int) -> None:
        self.system_id, self.component_id = system_id, component_id
        self._mav = mav.MAVLink(None, srcSystem=system_id, srcComponent=component_id)

    def heartbeat(self) -> bytes:
        """That we are there: a computer beside the autopilot, no ground station."""
        return self._packed(
            mav.MAVLink_heartbeat_message(
                mav.MAV_TYPE_ONBOARD_CONTROLLER,
                mav.MAV_AUTOPILOT_INVALID,
                0,
                0,
                mav.MAV_STATE_ACTIVE,
                3,
            )
        )

    def timesync(self, now_ns: int) -> bytes:
        """Ask every vehicle of the link for its clock."""
        return self._packed(mav.MAVLink_timesync_message(0, now_ns))

    def message_interval(
        self, target: tuple[int, int], message_id: int, rate_hz: float, confirmation: int
    ) -> bytes:
        """SET_MESSAGE_INTERVAL for one message."""
        return self._packed(
            mav.MAVLink_command_long_message(
                *target,
                mav.MAV_CMD_SET_MESSAGE_INTERVAL,
                confirmation,
                float(message_id),
                1e6 / rate_hz,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
            )
        )

    def request_message(self, target: tuple[int, int], message_id: int) -> bytes:
        """REQUEST_MESSAGE once."""
        return self._packed(
            mav.MAVLink_command_long_message(
                *target, mav.MAV_CMD_REQUEST_MESSAGE, 0, float(message_id), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            )
        )  # fmt: skip

    def data_stream(self, target: tuple[int, int], stream: int, rate_hz: int) -> bytes:
        """REQUEST_DATA_STREAM, the way of older autopilots."""
        return self._packed(mav.MAVLink_request_data_stream_message(*target, stream, rate_hz, 1))

    def _packed(self, message: Any) -> bytes:
        frame = bytes(message.pack(self._mav))
        self._mav.seq = (self._mav.seq + 1) % 256
        return frame
