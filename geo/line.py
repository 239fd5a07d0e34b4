"""The oriented border line: signed distance, probability of the side, swept distance, crossings.

Positive distances lie on our side. Beyond the perpendicular at either end no side is given (nan):
the line says nothing about land it does not pass.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray, IntArray
from geo.normal import normal_cdf
from geo.zone import Polygon

__all__ = ["Crossing", "LineFix", "OrientedLine", "Polygon", "Side"]

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFix:
    """Where points lie by the line; every field has one row per point.

    Attributes:
        distance_m: (n,) signed, positive on our side, nan beyond the ends.
        along_m: (n,) length along the line to the foot.
        segment: (n,) index of the segment that holds the foot.
        foot_enu_m: (n, 2) nearest place on the line.
        inwards: (n, 2) unit vector across the line, pointing to our side.
    """

    distance_m: FloatArray
    along_m: FloatArray
    segment: IntArray
    foot_enu_m: FloatArray
    inwards: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One passage of a path over the line."""

    step: int
    """Index of the path's leg (from point ``step`` to ``step + 1``)."""
    fraction: float
    """Part of that leg walked at the line, 0..1."""
    direction: Literal["in", "out"]
    """``in`` is towards our side."""
    place_enu_m: tuple[float, float]
    along_m: float


class OrientedLine:
    """A polyline with a side that is ours and an accuracy (1 sigma, across) for each segment.

    Args:
        vertices_enu_m: (n, 2) east, north; n >= 2, no vertex twice in a row.
        our_side: which side is ours, walking from the first vertex to the last.
        sigma_m: (n - 1,) accuracy of each segment across the line, >= 0.
    """

    __slots__ = ("_along_m", "_direction", "_length_m", "our_side", "sigma_m", "vertices_enu_m")

    def __init__(
        self, *, vertices_enu_m: npt.ArrayLike, our_side: Side, sigma_m: npt.ArrayLike
    ) -> None:
        vertices = np.array(vertices_enu_m, dtype=np.float64)
        if vertices.ndim != 2 or vertices.shape[1] != 2 or len(vertices) < 2:
            raise ValueError(f"vertices_enu_m has shape {vertices.shape}; it must be (n >= 2, 2)")
        if not np.all(np.isfinite(vertices)):
            raise ValueError("vertices_enu_m holds a value that is not finite")
        if our_side not in ("left", "right"):
            raise ValueError(f"our_side is {our_side!r}; allowed: 'left', 'right'")
        sigma = np.array(sigma_m, dtype=np.float64)
        if sigma.shape != (len(vertices) - 1,):
            raise ValueError(f"sigma_m has shape {sigma.shape}; one per segment is needed")
        if not np.all(np.isfinite(sigma) & (sigma >= 0.0)):
            raise ValueError("sigma_m holds a value that is negative or not finite")
        steps = np.diff(vertices, axis=0)
        length = np.hypot(steps[:, 0], steps[:, 1])
        if not np.all(length > 0.0):
            index = int(np.argmin(length))
            raise ValueError(f"vertices {index} and {index + 1} of the line are the same place")
        self.vertices_enu_m = vertices
        self.our_side: Side = our_side
        self.sigma_m = sigma
        self._length_m = length
        self._direction = steps / length[:, None]
        self._along_m = np.concatenate(([0.0], np.cumsum(length)))

    @property
    def length_m(self) -> float:
        """Length of the whole line."""
        return float(self._along_m[-1])

    @property
    def normals(self) -> FloatArray:
        """(n - 1, 2) unit normals of the segments, pointing to our side."""
        left = np.column_stack((-self._direction[:, 1], self._direction[:, 0]))
        return left if self.our_side == "left" else -left

    def at(self, along_m: npt.ArrayLike) -> FloatArray:
        """Return (n, 2) places at lengths along the line, held at the ends."""
        along = np.atleast_1d(np.asarray(along_m, dtype=np.float64))
        return np.column_stack(
            [np.interp(along, self._along_m, self.vertices_enu_m[:, k]) for k in (0, 1)]
        )

    def project(self, points_enu_m: npt.ArrayLike) -> LineFix:
        """Find the foot, the length along the line and the signed distance of (n, 2) points."""
        points = np.atleast_2d(np.asarray(points_enu_m, dtype=np.float64))[:, :2]
        offset = points[:, None, :] - self.vertices_enu_m[None, :-1, :]
        reach = np.einsum("nsk,sk->ns", offset, self._direction)
        held = np.clip(reach, 0.0, self._length_m)
        feet = self.vertices_enu_m[None, :-1, :] + held[..., None] * self._direction
        gap = points[:, None, :] - feet
        gap2 = np.einsum("nsk,nsk->ns", gap, gap)
        segment = np.argmin(gap2, axis=1)
        row = np.arange(len(points))
        distance, foot, chosen = np.sqrt(gap2[row, segment]), feet[row, segment], held[row, segment]
        normal = self._side_normal(segment, chosen)
        away = points - foot
        across = np.einsum("nk,nk->n", away, normal)
        sign = np.where(across < 0.0, -1.0, 1.0)
        # Off a corner the shortest way to the line, not the segment's normal, is "across".
        straight = np.divide(
            sign[:, None] * away,
            distance[:, None],
            out=normal.copy(),
            where=distance[:, None] > 1e-9,
        )
        last = len(self._length_m) - 1
        before = (segment == 0) & (reach[:, 0] < 0.0)
        after = (segment == last) & (reach[:, last] > self._length_m[last])
        signed = np.where(before | after, np.nan, sign * distance)
        return LineFix(
            distance_m=signed,
            along_m=self._along_m[segment] + chosen,
            segment=segment.astype(np.int64),
            foot_enu_m=foot,
            inwards=straight,
        )

    def signed_distance_m(self, points_enu_m: npt.ArrayLike) -> FloatArray:
        """Return (n,) metres to the line, positive on our side, nan beyond the ends."""
        return self.project(points_enu_m).distance_m

    def probability_our_side(
        self, points_enu_m: npt.ArrayLike, cov_enu_m2: npt.ArrayLike
    ) -> FloatArray:
        """Return (n,) P(the target is on our side); nan beyond the ends.

        The target's spread across the line and the line's own accuracy there add in squares.

        Args:
            points_enu_m: (n, 2) means.
            cov_enu_m2: (n, 2, 2) or (2, 2) covariances of the targets.
        """
        fix = self.project(points_enu_m)
        cov = np.broadcast_to(np.asarray(cov_enu_m2, dtype=np.float64), (len(fix.segment), 2, 2))
        spread = np.einsum("ni,nij,nj->n", fix.inwards, cov, fix.inwards)
        sigma = np.sqrt(np.maximum(spread, 0.0) + self.sigma_m[fix.segment] ** 2)
        # With no doubt at all the answer is a step; a tiny sigma gives just that.
        return normal_cdf(fix.distance_m / np.maximum(sigma, 1e-9))

    def swept_distance_m(self, path_enu_m: npt.ArrayLike) -> float:
        """Return the least distance between a whole (n, 2) path and the line; 0 when they meet."""
        path = np.atleast_2d(np.asarray(path_enu_m, dtype=np.float64))[:, :2]
        if self.crossings(path):
            return 0.0
        least = np.sqrt(_distance2(path, self.vertices_enu_m).min())
        if len(path) > 1:
            least = min(least, np.sqrt(_distance2(self.vertices_enu_m, path).min()))
        return float(least)

    def crossings(self, path_enu_m: npt.ArrayLike) -> list[Crossing]:
        """Return every passage of an (n, 2) path over the line, in the path's order.

        A leg that starts or ends on the line counts once, with the leg that leaves it.
        """
        path = np.atleast_2d(np.asarray(path_enu_m, dtype=np.float64))[:, :2]
        if len(path) < 2:
            return []
        start, leg = path[:-1, None, :], np.diff(path, axis=0)[:, None, :]
        step = (self._direction * self._length_m[:, None])[None, :, :]
        gap = self.vertices_enu_m[None, :-1, :] - start
        turn = _cross(leg, step)
        safe = np.where(turn != 0.0, turn, np.nan)
        walked, along = _cross(gap, step) / safe, _cross(gap, leg) / safe
        last = len(self._length_m) - 1
        index = np.arange(len(self._length_m))[None, :]
        # A shared vertex belongs to the segment that starts there; the very end to the last one.
        on_segment = (along >= 0.0) & ((along < 1.0) | ((index == last) & (along <= 1.0)))
        hits = np.argwhere((walked >= 0.0) & (walked < 1.0) & on_segment)
        found = [self._crossing(int(i), int(s), walked[i, s], along[i, s], path) for i, s in hits]
        return sorted(found, key=lambda crossing: (crossing.step, crossing.fraction))

    def _crossing(
        self, step: int, segment: int, walked: float, along: float, path: FloatArray
    ) -> Crossing:
        leg = path[step + 1] - path[step]
        place = path[step] + walked * leg
        inwards = float(leg @ self.normals[segment]) > 0.0
        return Crossing(
            step=step,
            fraction=float(walked),
            direction="in" if inwards else "out",
            place_enu_m=(float(place[0]), float(place[1])),
            along_m=float(self._along_m[segment] + along * self._length_m[segment]),
        )

    def _side_normal(self, segment: IntArray, held: FloatArray) -> FloatArray:
        """Return unit normals to our side; at a corner the mean of both segments' normals.

        Source: Baerentzen and Aanaes, "Signed distance computation using the angle weighted
        pseudonormal", 2005; in the plane both angles are equal.
        """
        normals = self.normals
        chosen = normals[segment]
        at_start = (held <= 0.0) & (segment > 0)
        at_end = (held >= self._length_m[segment]) & (segment < len(normals) - 1)
        mixed = chosen.copy()
        mixed[at_start] += normals[segment[at_start] - 1]
        mixed[at_end] += normals[segment[at_end] + 1]
        length = np.linalg.norm(mixed, axis=1, keepdims=True)
        return np.asarray(
            np.divide(mixed, length, out=chosen.copy(), where=length > 1e-12), dtype=np.float64
        )


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the z part of the cross product of plane vectors."""
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], dtype=np.float64)


def _distance2(points: FloatArray, polyline: FloatArray) -> FloatArray:
    """Return (n, s) squared distances of points to the segments of a polyline."""
    if len(polyline) < 2:
        gap = points[:, None, :] - polyline[None, :, :]
        return np.asarray((gap**2).sum(axis=-1), dtype=np.float64)
    step = np.diff(polyline, axis=0)
    length2 = np.maximum((step**2).sum(axis=1), 1e-300)
    offset = points[:, None, :] - polyline[None, :-1, :]
    part = np.clip(np.einsum("nsk,sk->ns", offset, step) / length2, 0.0, 1.0)
    gap = offset - part[..., None] * step
    return np.asarray((gap**2).sum(axis=-1), dtype=np.float64)
