"""Angles of a mount, read from a quaternion and kept within half a turn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MountAngles:
    """Attitude of the mount.

    Attributes:
        roll_deg: about its forward axis.
        pitch_deg: up is positive.
        yaw_deg: from the vehicle's nose, clockwise.
    """

    roll_deg: float = 0.0
    pitch_deg: float = 0.0
    yaw_deg: float = 0.0

    @classmethod
    def of(cls, quaternion: Sequence[float]) -> "MountAngles":
        """Take a quaternion (w, x, y, z) apart into yaw, then pitch, then roll."""
        w, x, y, z = quaternion
        return cls(
            roll_deg=math.degrees(math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))),
            pitch_deg=math.degrees(math.asin(max(-1.0, min(1.0, 2.0 * (w * y - z * x))))),
            yaw_deg=math.degrees(math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))),
        )


def wrapped_deg(angle_deg: float) -> float:
    """Bring an angle into -180 to 180 degrees."""
    return (angle_deg + 180.0) % 360.0 - 180.0
