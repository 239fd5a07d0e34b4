"""Zones: polygons in the plane, distance to their edge, P(inside) of an uncertain target."""

from functools import cache

import numpy as np
import numpy.typing as npt

from geo._types import BoolArray, FloatArray
from geo.normal import normal_cdf

_REACH_SIGMA = 8.0
_NODES = 48


class Polygon:
    """A simple polygon without holes; the ring may be given open or closed.

    Args:
        vertices_enu_m: (n, 2) east, north; at least three different places, any orientation.
    """

    __slots__ = ("_high_m", "_length2", "_low_m", "_next", "_step", "vertices_enu_m")

    def __init__(self, vertices_enu_m: npt.ArrayLike) -> None:
        ring = np.array(vertices_enu_m, dtype=np.float64)
        if ring.ndim != 2 or ring.shape[1] != 2 or not np.all(np.isfinite(ring)):
            raise ValueError(
                f"vertices_enu_m has shape {ring.shape}; it must be finite (n >= 3, 2)"
            )
        if len(ring) > 1 and np.array_equal(ring[0], ring[-1]):
            ring = ring[:-1]
        if len(ring) < 3:
            raise ValueError(f"a zone needs at least three corners; {len(ring)} given")
        nxt = np.roll(ring, -1, axis=0)
        doubled_area = float(np.sum(ring[:, 0] * nxt[:, 1] - nxt[:, 0] * ring[:, 1]))
        if doubled_area == 0.0:
            raise ValueError("the zone has no area; draw its corners in order round the edge")
        # Counter-clockwise, so that the line integrals below come out positive.
        self.vertices_enu_m = ring if doubled_area > 0.0 else ring[::-1].copy()
        # Every question needs the edges; they never change.
        self._next = np.roll(self.vertices_enu_m, -1, axis=0)
        self._step = self._next - self.vertices_enu_m
        self._length2 = np.maximum((self._step**2).sum(axis=1), 1e-300)
        self._low_m = (float(ring[:, 0].min()), float(ring[:, 1].min()))
        self._high_m = (float(ring[:, 0].max()), float(ring[:, 1].max()))

    def beyond(self, east_m: float, north_m: float, distance_m: float) -> bool:
        """Whether a place is surely farther away than this: cheap, by the box round the polygon."""
        return (
            east_m < self._low_m[0] - distance_m
            or north_m < self._low_m[1] - distance_m
            or east_m > self._high_m[0] + distance_m
            or north_m > self._high_m[1] + distance_m
        )

    @property
    def area_m2(self) -> float:
        """Area of the polygon."""
        ring, nxt = self.vertices_enu_m, self._next
        return float(0.5 * np.sum(ring[:, 0] * nxt[:, 1] - nxt[:, 0] * ring[:, 1]))

    def contains(self, points_enu_m: npt.ArrayLike) -> BoolArray:
        """Return (n,) whether each (n, 2) point lies inside (even-odd rule)."""
        points = np.atleast_2d(np.asarray(points_enu_m, dtype=np.float64))[:, :2]
        a, b = self.vertices_enu_m, self._next
        x, y = points[:, 0, None], points[:, 1, None]
        straddles = (a[:, 1] > y) != (b[:, 1] > y)
        rise = np.where(b[:, 1] != a[:, 1], b[:, 1] - a[:, 1], 1.0)
        left_of = x < a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / rise
        return np.asarray(np.sum(straddles & left_of, axis=1) % 2 == 1, dtype=np.bool_)

    def signed_distance_m(self, points_enu_m: npt.ArrayLike) -> FloatArray:
        """Return (n,) metres to the edge, positive inside."""
        points = np.atleast_2d(np.asarray(points_enu_m, dtype=np.float64))[:, :2]
        a = self.vertices_enu_m
        step = self._step
        offset = points[:, None, :] - a[None, :, :]
        part = np.clip(np.einsum("nsk,sk->ns", offset, step) / self._length2, 0.0, 1.0)
        gap = offset - part[..., None] * step
        distance = np.sqrt((gap**2).sum(axis=-1).min(axis=1))
        return np.asarray(np.where(self.contains(points), distance, -distance), dtype=np.float64)

    def probability_inside(
        self, points_enu_m: npt.ArrayLike, cov_enu_m2: npt.ArrayLike
    ) -> FloatArray:
        """Return (n,) P(the target is inside) of normal targets; exact to about 1e-4.

        The plane is whitened, and the density integrated round the edge by Green's theorem:
        P = contour integral of cdf(x) pdf(y) dy.

        Args:
            points_enu_m: (n, 2) means.
            cov_enu_m2: (n, 2, 2) or (2, 2) covariances.
        """
        points = np.atleast_2d(np.asarray(points_enu_m, dtype=np.float64))[:, :2]
        cov = np.broadcast_to(np.asarray(cov_enu_m2, dtype=np.float64), (len(points), 2, 2))
        # A floor of a millimetre keeps an exactly known target from dividing by zero.
        root = np.linalg.cholesky(cov + np.eye(2) * 1e-6)
        offset = self.vertices_enu_m[None, :, :] - points[:, None, :]
        white = np.linalg.solve(root, np.swapaxes(offset, 1, 2))
        start = np.swapaxes(white, 1, 2)
        total = _edge_integral(start, np.roll(start, -1, axis=1)).sum(axis=1)
        return np.asarray(np.clip(total, 0.0, 1.0), dtype=np.float64)


@cache
def _quadrature() -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights; found once, since it takes longer than their use."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return np.asarray(nodes, dtype=np.float64), np.asarray(weights, dtype=np.float64)


def _edge_integral(start: FloatArray, end: FloatArray) -> FloatArray:
    """Integrate cdf(x) pdf(y) dy along straight edges (..., 2) of the whitened plane."""
    step = end - start
    # Outside |y| < reach the density is nothing; left of -reach the cdf is nothing as well.
    from_y, to_y = _span(start[..., 1], step[..., 1], -_REACH_SIGMA, _REACH_SIGMA)
    from_x, to_x = _span(start[..., 0], step[..., 0], -_REACH_SIGMA, _REACH_SIGMA)
    from_t, to_t = np.maximum(from_y, from_x), np.minimum(to_y, to_x)
    to_t = np.maximum(from_t, to_t)
    nodes, weights = _quadrature()
    t = from_t[..., None] + (to_t - from_t)[..., None] * 0.5 * (nodes + 1.0)
    x = start[..., 0, None] + t * step[..., 0, None]
    y = start[..., 1, None] + t * step[..., 1, None]
    density = np.exp(-0.5 * y * y) / np.sqrt(2.0 * np.pi)
    middle = 0.5 * (normal_cdf(x) * density * weights).sum(axis=-1) * (to_t - from_t) * step[..., 1]
    # Right of +reach the cdf is one, and the integral is a difference of cdfs in y.
    from_r, to_r = _span(start[..., 0], step[..., 0], _REACH_SIGMA, np.inf)
    to_r = np.maximum(from_r, to_r)
    right = normal_cdf(start[..., 1] + to_r * step[..., 1]) - normal_cdf(
        start[..., 1] + from_r * step[..., 1]
    )
    return np.asarray(middle + right, dtype=np.float64)


def _span(
    start: FloatArray, step: FloatArray, low: float, high: float
) -> tuple[FloatArray, FloatArray]:
    """Return the part t0..t1 of 0..1 in which start + t * step lies between low and high."""
    level = step == 0.0
    safe = np.where(level, 1.0, step)
    a, b = (low - start) / safe, (high - start) / safe
    first, last = np.minimum(a, b), np.maximum(a, b)
    inside = (start >= low) & (start <= high)
    first = np.where(level, np.where(inside, 0.0, 1.0), first)
    last = np.where(level, np.where(inside, 1.0, 0.0), last)
    return np.clip(first, 0.0, 1.0), np.clip(last, 0.0, 1.0)
