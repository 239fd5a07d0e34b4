"""Turns in space: unit quaternions (w, x, y, z), rotation vectors and matrices.

A quaternion named `to_from_of` turns vectors given in `of` axes into `to` axes, and so does its
matrix. A rotation vector points along the axis, right-handed, and is as long as the angle.

Source: Solà, "Quaternion kinematics for the error-state Kalman filter", 2017, chapters 1 to 3.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray

Quaternion = tuple[float, float, float, float]
"""(w, x, y, z)."""
_SMALL_RAD = 1e-9


def quaternion_product(a: Quaternion, b: Quaternion) -> Quaternion:
    """The turn b, then the turn a (Hamilton product)."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def quaternion_of_euler(roll_rad: float, pitch_rad: float, yaw_rad: float) -> Quaternion:
    """Body to the frame that yaw, then pitch, then roll came from (aeronautical order)."""
    cr, sr = math.cos(roll_rad / 2), math.sin(roll_rad / 2)
    cp, sp = math.cos(pitch_rad / 2), math.sin(pitch_rad / 2)
    cy, sy = math.cos(yaw_rad / 2), math.sin(yaw_rad / 2)
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )


def matrix_of_quaternion(quaternion: Sequence[float]) -> FloatArray:
    """(3, 3) of a quaternion; its length does not matter.

    Args:
        quaternion: (w, x, y, z), not all zero.
    """
    w, x, y, z = quaternion
    n = w * w + x * x + y * y + z * z
    if not (math.isfinite(n) and n > 0.0):
        raise ValueError(f"quaternion is {quaternion}; allowed is four finite numbers, not all 0")
    s = 2.0 / n
    return np.array(
        [
            [1.0 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)],
            [s * (x * y + w * z), 1.0 - s * (x * x + z * z), s * (y * z - w * x)],
            [s * (x * z - w * y), s * (y * z + w * x), 1.0 - s * (x * x + y * y)],
        ]
    )


def quaternion_of_matrix(matrix: npt.ArrayLike) -> Quaternion:
    """(w, x, y, z) with w >= 0 of a (3, 3) rotation matrix.

    Source: Markley, "Unit quaternion from rotation matrix", 2008: divide by the largest part only.
    """
    m = np.asarray(matrix, np.float64)
    trace = float(np.trace(m))
    parts = np.array([trace, m[0, 0], m[1, 1], m[2, 2]])
    largest = int(np.argmax(parts))
    if largest == 0:
        q = np.array([1.0 + trace, m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    else:
        i = largest - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        q = np.empty(4)
        q[0] = m[k, j] - m[j, k]
        q[1 + i] = 1.0 + m[i, i] - m[j, j] - m[k, k]
        q[1 + j] = m[j, i] + m[i, j]
        q[1 + k] = m[k, i] + m[i, k]
    q /= np.linalg.norm(q) * (1.0 if q[0] >= 0.0 else -1.0)
    w, x, y, z = q.tolist()
    return w, x, y, z


def matrix_of_rotation_vector(vector_rad: npt.ArrayLike) -> FloatArray:
    """(3, 3) of a (3,) rotation vector (Rodrigues)."""
    vector = np.asarray(vector_rad, np.float64)
    angle = float(np.linalg.norm(vector))
    cross = cross_matrix(vector)
    if angle < _SMALL_RAD:
        return np.asarray(np.eye(3) + cross, np.float64)
    by_sine = math.sin(angle) / angle
    by_cosine = (1.0 - math.cos(angle)) / angle**2
    return np.asarray(np.eye(3) + by_sine * cross + by_cosine * cross @ cross, np.float64)


def rotation_vector_of_matrix(matrix: npt.ArrayLike) -> FloatArray:
    """(3,) the shortest rotation vector of a (3, 3) matrix, at most pi long."""
    w, x, y, z = quaternion_of_matrix(matrix)
    axis = np.array([x, y, z])
    sine = float(np.linalg.norm(axis))
    if sine < _SMALL_RAD:
        return np.asarray(2.0 * axis, np.float64)
    return np.asarray(axis * (2.0 * math.atan2(sine, w) / sine), np.float64)


def cross_matrix(vector: npt.ArrayLike) -> FloatArray:
    """(3, 3) whose product with b is the cross product of (3,) `vector` with b."""
    x, y, z = np.asarray(vector, np.float64).tolist()
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def matrix_of_frd_angles(yaw_deg: float, pitch_deg: float, roll_deg: float) -> FloatArray:
    """(3, 3) outer axes from inner ones, both x forward, y right, z down.

    Turned about z by yaw (clockwise from above), then about the new y by pitch (nose up), then
    about the new x by roll (right side down).
    """
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg]).tolist()
    cy, sy = math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )
