"""What a gimbal says of itself, in one form: a turn, and the frame that it turns into.

A gimbal device's quaternion has roll and pitch against the horizon always; its yaw counts from
north or from the vehicle's heading, as its flags say.

Source: MAVLink message definitions, GIMBAL_DEVICE_ATTITUDE_STATUS, MOUNT_ORIENTATION, MOUNT_STATUS.
"""

import math
from dataclasses import dataclass
from typing import Literal

from geo.turn import Quaternion, quaternion_of_euler, quaternion_product
from hardware.autopilot_mavlink.dialect import Message
from hardware.autopilot_mavlink.turns import ENU_FROM_NED, unit

YAW_LOCK = 16
YAW_IN_VEHICLE_FRAME = 32
YAW_IN_EARTH_FRAME = 64
_MOST_DEG = 360.0


@dataclass(frozen=True, slots=True)
class Look:
    """How a gimbal looked.

    Attributes:
        frame: as of `hardware.ports.GimbalSample`.
        quaternion: frame from gimbal.
    """

    frame: Literal["enu", "level", "body"]
    quaternion: Quaternion


def device_status(message: Message) -> Look | None:
    """Of GIMBAL_DEVICE_ATTITUDE_STATUS; None where the numbers are no turn or the flags disagree.

    Without a flag for the frame, old devices mean north while the yaw is locked, else the heading.
    """
    q = unit(message.q)
    in_vehicle = bool(message.flags & YAW_IN_VEHICLE_FRAME)
    in_earth = bool(message.flags & YAW_IN_EARTH_FRAME)
    if q is None or (in_vehicle and in_earth):
        return None
    if not in_vehicle and not in_earth:
        in_earth = bool(message.flags & YAW_LOCK)
    if in_earth:
        return Look("enu", quaternion_product(ENU_FROM_NED, q))
    return Look("level", q)


def mount_orientation(message: Message) -> Look | None:
    """Of MOUNT_ORIENTATION: roll and pitch against the horizon, yaw against the heading or north."""
    roll, pitch, yaw = message.roll, message.pitch, message.yaw
    if not _sane(roll, pitch):
        return None
    if _sane(yaw):
        return Look("level", _turn(roll, pitch, yaw))
    if _sane(message.yaw_absolute):
        return Look(
            "enu", quaternion_product(ENU_FROM_NED, _turn(roll, pitch, message.yaw_absolute))
        )
    return None


def mount_status(message: Message) -> Look | None:
    """Of MOUNT_STATUS: angles of the servos against the body, in hundredths of a degree."""
    pitch, roll, yaw = (
        message.pointing_a / 100.0,
        message.pointing_b / 100.0,
        message.pointing_c / 100.0,
    )
    if not _sane(pitch, roll, yaw):
        return None
    return Look("body", _turn(roll, pitch, yaw))


def _sane(*angles_deg: float) -> bool:
    return all(math.isfinite(angle) and abs(angle) <= _MOST_DEG for angle in angles_deg)


def _turn(roll_deg: float, pitch_deg: float, yaw_deg: float) -> Quaternion:
    return quaternion_of_euler(
        math.radians(roll_deg), math.radians(pitch_deg), math.radians(yaw_deg)
    )
