"""NED and FRD to ENU: the border where MAVLink's frames end.

Quaternions are (w, x, y, z). A quaternion `a_from_b` turns vectors given in b into a.
"""

import math

from geo.turn import Quaternion

_HALF = math.sqrt(0.5)
ENU_FROM_NED: Quaternion = (0.0, _HALF, _HALF, 0.0)
"""Half a turn about the bisector of north and east swaps them and turns down into up."""
_UNIT_TOLERANCE = 0.05


def to_euler(q: Quaternion) -> tuple[float, float, float]:
    """Roll, pitch and yaw in radians; near a pitch of 90 degrees roll and yaw mean nothing apart."""
    w, x, y, z = q
    return (
        math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
        math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x)))),
        math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
    )


def unit(q: Quaternion) -> Quaternion | None:
    """The same turn with length one; None where the numbers are no turn at all."""
    if not all(math.isfinite(part) for part in q):
        return None
    length = math.sqrt(sum(part * part for part in q))
    if abs(length - 1.0) > _UNIT_TOLERANCE:
        return None
    return (q[0] / length, q[1] / length, q[2] / length, q[3] / length)


def enu(ned: tuple[float, float, float]) -> tuple[float, float, float]:
    """North, east, down to east, north, up."""
    return (ned[1], ned[0], -ned[2])
