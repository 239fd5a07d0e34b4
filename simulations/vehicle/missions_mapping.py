"""What the copter keeps of a mission item it is sent, and which refusal it gives for one it does not keep."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.ports import Item

HIGHEST_ALT_M = 83_000.0
"""Above it a height does not fit the 24 bits that ArduPilot has for centimetres."""
FRAMES = {0: 0, 2: 0, 5: 0, 3: 3, 6: 3, 10: 10, 11: 10}
"""Frame sent -> frame read back; 2 (a frame without a place) silently becomes absolute height."""
_YAW_MAY_BE_NAN = frozenset({16, 17, 18, 19, 21, 22, 82, 84})
_MAX_LAT_E7 = 900_000_000
_MAX_LON_E7 = 1_800_000_000
_REFUSED_PARAM = (
    mav.MAV_MISSION_INVALID_PARAM1,
    mav.MAV_MISSION_INVALID_PARAM2,
    mav.MAV_MISSION_INVALID_PARAM3,
    mav.MAV_MISSION_INVALID_PARAM4,
)
Keep: TypeAlias = Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireItem:
    """A mission, fence or rally item as it came, in the integer form.

    Attributes:
        seq: its number.
        command: MAV_CMD.
        frame: MAV_FRAME.
        params: p1 to p4.
        x_e7: latitude in 1e-7 degrees, or parameter 5.
        y_e7: longitude in 1e-7 degrees, or parameter 6.
        z_m: parameter 7.
    """

    seq: int
    command: int
    frame: int
    params: tuple[float, float, float, float]
    x_e7: int
    y_e7: int
    z_m: float


def _nothing(_value: float) -> float:
    return 0.0


def _as_sent(value: float) -> float:
    return value


def _u8(value: float) -> float:
    return float(int(value) & 0xFF)


def _i8(value: float) -> float:
    return float((int(value) + 0x80 & 0xFF) - 0x80)


def _u16(value: float) -> float:
    return float(int(value) & 0xFFFF)


def _i16(value: float) -> float:
    return float((int(value) + 0x8000 & 0xFFFF) - 0x8000)


def _centi(value: float) -> float:
    return (int(value * 100.0) & 0xFFFF) / 100.0


def _sign(value: float) -> float:
    return -1.0 if value < 0.0 else 1.0


def _switch(value: float) -> float:
    return 1.0 if value > 0.0 else 0.0


def _radius(value: float) -> float:
    """Whole metres to 255, tens of metres to 2550: one byte, as ArduPilot packs it."""
    whole = int(abs(value))
    kept = whole if whole <= 0xFF else min(whole // 10, 0xFF) * 10
    return math.copysign(float(kept), value) if kept else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """Which parts of one command survive.

    Attributes:
        params: for p1 to p4, what becomes of each.
        place: x, y and z are a position.
        xyz: without a position: whether p5 to p7 are numbers that are kept.
    """

    params: tuple[Keep, Keep, Keep, Keep]
    place: bool = False
    xyz: bool = False


def _kept(
    p1: Keep = _nothing,
    p2: Keep = _nothing,
    p3: Keep = _nothing,
    p4: Keep = _nothing,
    *,
    place: bool = False,
    xyz: bool = False,
) -> _Kept:
    return _Kept(params=(p1, p2, p3, p4), place=place, xyz=xyz)


_KEPT: dict[int, _Kept] = {
    16: _kept(_u16, place=True),  # waypoint: hold time alone
    17: _kept(_nothing, _nothing, _radius, place=True),  # loiter for ever
    18: _kept(_u8, _nothing, _radius, _switch, place=True),  # loiter turns
    19: _kept(_u16, _nothing, _sign, _switch, place=True),  # loiter time: p3 keeps its sign alone
    20: _kept(),  # RTL
    21: _kept(_u16, p4=_sign, place=True),  # land
    22: _kept(_u16, place=True),  # take-off: pitch
    30: _kept(_u16, place=True),  # continue and change height
    82: _kept(_u16, place=True),  # spline
    83: _kept(_as_sent, _as_sent, _as_sent),  # altitude wait
    84: _kept(place=True),  # VTOL take-off
    92: _kept(_u16),  # guided enable
    93: _kept(_as_sent, _as_sent, _as_sent, _as_sent),  # delay: seconds or a time of day
    94: _kept(_centi, place=True),  # payload place
    112: _kept(_as_sent),  # condition delay
    114: _kept(_as_sent),  # condition distance
    115: _kept(_as_sent, _as_sent, _i8, _switch),  # condition yaw
    177: _kept(_u16, _i16),  # jump
    178: _kept(_u8, _as_sent, _as_sent),  # change speed
    179: _kept(_u16, place=True),  # set home
    181: _kept(_u8, _u8),  # relay
    183: _kept(_u8, _u16),  # servo
    189: _kept(_u16, place=True),  # land start
    193: _kept(_u16),  # pause, continue
    195: _kept(_u16, place=True),  # ROI location
    197: _kept(_u16),  # ROI none
    201: _kept(_u16, place=True),  # ROI
    203: _kept(_u8, _u8, _i8, _u8, xyz=True),  # digicam control
    205: _kept(_as_sent, _as_sent, _as_sent),  # mount control
    206: _kept(_as_sent, _nothing, _switch),  # trigger distance
    207: _kept(_u16),  # fence enable
    208: _kept(_u16),  # parachute
    211: _kept(_u8, _u8),  # gripper
    212: _kept(_u16),  # autotune
    213: _kept(_as_sent, _as_sent, _u8),  # yaw and speed
    216: _kept(_u16),  # sprayer
    222: _kept(_u16, _as_sent, _as_sent, _as_sent),  # guided limits
    531: _kept(_u8, _as_sent),  # zoom
    600: _kept(_u16),  # jump tag
    601: _kept(_u16, _i16),  # jump to tag
    1000: _kept(_as_sent, _as_sent, _as_sent, _as_sent, xyz=True),  # gimbal pitch and yaw
    2000: _kept(_u8, _as_sent, _u16, _u16),  # start capture
    2001: _kept(_u8),  # stop capture
    2500: _kept(_u8),  # start video
    2501: _kept(_u8),  # stop video
    42702: _kept(_u8, _u8, _as_sent, _as_sent, xyz=True),  # script time
}
ACCEPTED_COMMANDS = frozenset(_KEPT)
_NOT_IN_4_6 = frozenset({195, 197})
_JUMP = 177


def has_place(command: int) -> bool:
    """Whether x and y of this command are degrees."""
    return command in _KEPT and _KEPT[command].place


def kept_item(item: WireItem, *, count: int, firmware: str) -> Item | int:
    """Map one mission item to what is stored.

    Args:
        item: as it came.
        count: length the mission will have, the home slot included (for jump targets).
        firmware: ``4.7`` or ``4.6``.

    Returns:
        The item as it reads back, or the MAV_MISSION_RESULT of the refusal.
    """
    kept = _KEPT.get(item.command)
    if kept is None or (firmware == "4.6" and item.command in _NOT_IN_4_6):
        return int(mav.MAV_MISSION_UNSUPPORTED)
    for index, value in enumerate(item.params):
        yaw = index == 3 and item.command in _YAW_MAY_BE_NAN
        if math.isinf(value) or (math.isnan(value) and not yaw):
            return int(_REFUSED_PARAM[index])
    if item.command == _JUMP and not 0 < int(item.params[0]) < count:
        return int(mav.MAV_MISSION_ERROR)
    params = tuple(
        0.0 if math.isnan(value) else keep(value)
        for keep, value in zip(kept.params, item.params, strict=True)
    )
    assert len(params) == 4
    if not kept.place:
        return Item(
            command=item.command,
            frame=0,
            params=params,
            x_e7=item.x_e7 if kept.xyz else 0,
            y_e7=item.y_e7 if kept.xyz else 0,
            z_m=item.z_m if kept.xyz and math.isfinite(item.z_m) else 0.0,
        )
    refusal = refused_place(item.x_e7, item.y_e7)
    if refusal is not None:
        return refusal
    if not math.isfinite(item.z_m) or abs(item.z_m) > HIGHEST_ALT_M:
        return int(mav.MAV_MISSION_INVALID_PARAM7)
    if item.frame not in FRAMES:
        return int(mav.MAV_MISSION_UNSUPPORTED_FRAME)
    return Item(
        command=item.command,
        frame=FRAMES[item.frame],
        params=params,
        x_e7=item.x_e7,
        y_e7=item.y_e7,
        z_m=to_centimetre(item.z_m),
    )


def refused_place(x_e7: int, y_e7: int) -> int | None:
    """Return the MAV_MISSION_RESULT against a latitude or longitude, None when both are good."""
    if abs(x_e7) > _MAX_LAT_E7:
        return int(mav.MAV_MISSION_INVALID_PARAM5_X)
    if abs(y_e7) > _MAX_LON_E7:
        return int(mav.MAV_MISSION_INVALID_PARAM6_Y)
    return None


def to_centimetre(alt_m: float) -> float:
    """Cut a height to centimetres in single precision, as the vehicle does."""
    (centimetres,) = struct.unpack("<f", struct.pack("<f", alt_m * 100.0))
    return int(centimetres) / 100.0
