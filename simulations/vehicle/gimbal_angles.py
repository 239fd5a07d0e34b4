"""Angles of a mount: Euler and quaternion, both ways."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Quaternion: TypeAlias = tuple[float, float, float, float]
"""w, x, y, z."""


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


def from_euler(roll_rad: float, pitch_rad: float, yaw_rad: float) -> Quaternion:
    """Quaternion of a rotation by yaw, then pitch, then roll."""
    cr, sr = math.cos(roll_rad / 2.0), math.sin(roll_rad / 2.0)
    cp, sp = math.cos(pitch_rad / 2.0), math.sin(pitch_rad / 2.0)
    cy, sy = math.cos(yaw_rad / 2.0), math.sin(yaw_rad / 2.0)
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )


def product(a: Quaternion, b: Quaternion) -> Quaternion:
    """Hamilton product: b first, then a."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )
