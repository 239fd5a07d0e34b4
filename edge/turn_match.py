"""Two records of one camera's turning, the picture's and the vehicle's, laid upon each other in time.

Source: least squares over the shift is the maximum of the cross-correlation for records of one
scale; Knapp and Carter, "The generalized correlation method for estimation of time delay", 1976.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.pose import NoPose, Pose
from geo.turn import rotation_vector_of_matrix

Array = npt.NDArray[np.float64]

_GRID_S = 0.04
_LEAST_TURNS = 40
_LEAST_EXPLAINED = 0.5
_AMBIGUOUS_S = 0.15
_AMBIGUOUS_RATIO = 1.25
_LONGEST_TURN_S = 0.6
_OUTLIER = 5.0
_SLOPE_S = 0.12
_INFLATION = 2.0
"""The errors of neighbouring turns are not independent: the same gimbal, the same ground."""
LEAST_SIGMA_S = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one pair of pictures tells of the camera's turn.

    Attributes:
        from_s: capture of the first picture.
        to_s: capture of the second.
        turn_rad: (3,) rotation vector in camera axes; what a sideways motion over the ground looks
            like is still in it.
        sigma_rad: one sigma, per axis.
    """

    from_s: float
    to_s: float
    turn_rad: Array
    sigma_rad: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The shift at which two records of turning agree best.

    Attributes:
        offset_s: the shift.
        sigma_s: one sigma of it.
        jitter_s: at most so much, one sigma, do the stamps of single pictures wander about it: as if
            all that does not fit came from that.
        explained: part of the turning that fits.
    """

    offset_s: float
    sigma_s: float
    jitter_s: float
    explained: float


class Record:
    """The camera's turning and moving as the vehicle tells it, integrated over time on a fixed grid.

    Memory: one row per grid step of the window.

    Args:
        poses: by the vehicle's own time.
        keep_s: older rows go.
    """

    def __init__(self, poses: Callable[[float], Pose | NoPose], *, keep_s: float) -> None:
        self._poses = poses
        self._rows: deque[tuple[float, ...]] = deque(maxlen=math.ceil(keep_s / _GRID_S))
        self._next_s: float | None = None
        self._last: Pose | NoPose | None = None

    def extend(self, from_s: float, until_s: float) -> None:
        """Ask for every instant up to one that was not asked for yet."""
        first_s = from_s if self._next_s is None else max(from_s, self._next_s)
        count = math.floor((until_s - first_s) / _GRID_S) + 1
        for i in range(max(0, count)):
            t_s = first_s + i * _GRID_S
            pose = self._poses(t_s)
            follows = i > 0 or t_s == self._next_s
            self._rows.append((t_s, *_moved(self._last if follows else None, pose)))
            self._last = pose
        if count > 0:
            self._next_s = first_s + count * _GRID_S

    def sums(self) -> tuple[Array, Array]:
        """Add up what was said over time.

        Returns:
            Times (n,), and sums (n, 7) since the first: of the turn in camera axes, of the apparent
            turn that moving over ground 1 m away would give, and of steps of which nothing is
            known.
        """
        if not self._rows:
            return np.empty(0), np.empty((0, 7))
        rows = np.array(self._rows)
        steps = rows[:, 1:]
        unknown = ~np.isfinite(steps).all(axis=1)
        steps = np.column_stack((np.where(unknown[:, None], 0.0, steps), unknown))
        steps[0] = 0.0
        return rows[:, 0], np.cumsum(steps, axis=0)


def _moved(last: Pose | NoPose | None, now: Pose | NoPose) -> tuple[float, ...]:
    """Turn and apparent turn between two instants of the grid."""
    if not isinstance(last, Pose) or not isinstance(now, Pose):
        return (math.nan,) * 6
    axes = last.rotation_enu_from_camera
    turn = rotation_vector_of_matrix(axes.T @ now.rotation_enu_from_camera)
    velocity = (last.velocity_enu_m_s + now.velocity_enu_m_s) / 2.0
    across, down, _ = (axes.T @ velocity * _GRID_S).tolist()
    return (*turn.tolist(), -down, across, 0.0)


def match(
    turns: Sequence[Turn],
    times_s: Array,
    sums: Array,
    *,
    around_s: float,
    reach_s: float,
) -> Match | None:
    """Find the shift that makes both records agree, by least squares over all of it.

    Beside the shift each axis has a constant error and all share the nearness of the ground, which
    makes a moving camera seem to turn; both are solved for.

    Args:
        turns: what the pictures tell.
        times_s: (n,) of the vehicle's record.
        sums: (n, 7) of `Record.sums`.
        around_s: shift in the middle of the search.
        reach_s: how far to either side is searched.

    Returns:
        None without enough turning, or where two shifts would do as well as each other.
    """
    if len(times_s) < 2:
        return None
    ends = np.array([(turn.from_s, turn.to_s) for turn in turns]).reshape(-1, 2)
    told = np.array([turn.turn_rad for turn in turns]).reshape(-1, 3)
    sigma = np.array([turn.sigma_rad for turn in turns])
    inside = (ends[:, 0] + around_s - reach_s >= times_s[0]) & (
        ends[:, 1] + around_s + reach_s <= times_s[-1]
    )
    inside &= ends[:, 1] - ends[:, 0] <= _LONGEST_TURN_S
    gaps = np.interp(ends[:, 1] + around_s + reach_s, times_s, sums[:, 6])
    gaps -= np.interp(ends[:, 0] + around_s - reach_s, times_s, sums[:, 6])
    inside &= gaps == 0.0
    if inside.sum() < _LEAST_TURNS:
        return None
    problem = _Problem(ends[inside], told[inside], 1.0 / sigma[inside], times_s, sums)
    found = problem.search(around_s, reach_s)
    if found is None:
        return None
    return problem.without_outliers(found.offset_s).search(around_s, reach_s)


class _Problem:
    """Least squares of the picture's turns against the vehicle's, at any shift."""

    def __init__(
        self, ends_s: Array, told_rad: Array, weight: Array, times_s: Array, sums: Array
    ) -> None:
        self._ends_s, self._told, self._weight = ends_s, told_rad, weight
        self._times_s, self._sums = times_s, sums
        self._span_s = (ends_s[:, 1] - ends_s[:, 0])[:, None]

    def search(self, around_s: float, reach_s: float) -> Match | None:
        shifts = around_s + np.arange(-reach_s, reach_s + 1e-9, _GRID_S / 2.0)
        costs = np.array([self.residual(shift)[1] for shift in shifts.tolist()])
        best = int(np.argmin(costs))
        if best in {0, len(shifts) - 1} or not costs[best] > 0.0:
            return None
        far = np.abs(shifts - shifts[best]) > _AMBIGUOUS_S
        if far.any() and costs[far].min() < _AMBIGUOUS_RATIO * costs[best]:
            return None
        left, middle, right = costs[best - 1 : best + 2]
        bend = left - 2.0 * middle + right
        if not bend > 0.0:
            return None
        step_s = _GRID_S / 2.0
        offset_s = float(shifts[best] + 0.5 * step_s * (left - right) / bend)
        left_over, cost = self.residual(offset_s)
        still = self._solve(self._told * 0.0)[1]
        explained = 1.0 - cost / still if still > 0.0 else 0.0
        if explained < _LEAST_EXPLAINED:
            return None
        # d residual / d shift, as far as constants and ground cannot take it up; wide enough that
        # neighbouring samples of the vehicle do not stand for it with their noise.
        slope = self._turned(offset_s + _SLOPE_S)[0] - self._turned(offset_s - _SLOPE_S)[0]
        tied, _ = self._solve(
            slope / (2.0 * _SLOPE_S),
            told=np.zeros_like(self._told),
            offset_s=offset_s,
            either_sign=True,
        )
        noise = cost / (left_over.size - 4)
        # Noise of the vehicle's samples looks like turning; at worst all that is left over is such.
        sharpness = float((tied**2).sum()) - left_over.size * noise / (2.0 * _SLOPE_S**2)
        if not sharpness > 0.0:
            return None
        variance = noise / sharpness
        sigma_s = max(LEAST_SIGMA_S, _INFLATION * math.sqrt(variance))
        return Match(
            offset_s=offset_s,
            sigma_s=sigma_s,
            jitter_s=self._jitter_s(offset_s, left_over),
            explained=explained,
        )

    def _jitter_s(self, offset_s: float, left_over: Array) -> float:
        """One sigma of each picture's stamp that would explain what is left over."""
        rate2 = float((self._turned(offset_s)[0] ** 2 / self._span_s**2).sum(axis=1).mean())
        misfit2 = float(((left_over / self._weight[:, None]) ** 2).sum(axis=1).mean())
        # Both ends of a turn wander by themselves.
        return math.sqrt(misfit2 / (2.0 * rate2)) if rate2 > 0.0 else 0.0

    def without_outliers(self, offset_s: float) -> "_Problem":
        """The same without turns that fit far worse than the middle one."""
        size = np.linalg.norm(self.residual(offset_s)[0], axis=1)
        kept = size <= _OUTLIER * np.median(size)
        return _Problem(
            self._ends_s[kept], self._told[kept], self._weight[kept], self._times_s, self._sums
        )

    def residual(self, offset_s: float) -> tuple[Array, float]:
        """(n, 3) weighted misfit at a shift, and the sum of its squares."""
        return self._solve(self._turned(offset_s)[0], offset_s=offset_s)

    def _turned(self, offset_s: float) -> tuple[Array, Array]:
        """(n, 3) turns and (n, 3) apparent turns per metre of distance, as the vehicle tells."""
        both = []
        for column in range(6):
            at = np.interp(self._ends_s + offset_s, self._times_s, self._sums[:, column])
            both.append(at[:, 1] - at[:, 0])
        return np.stack(both[:3], axis=1), np.stack(both[3:], axis=1)

    def _solve(
        self,
        turned: Array,
        *,
        told: Array | None = None,
        offset_s: float = 0.0,
        either_sign: bool = False,
    ) -> tuple[Array, float]:
        """Fit constants per axis and the nearness of the ground; what is left, weighted."""
        weight = self._weight[:, None]
        wanted = ((self._told if told is None else told) - turned) * weight
        near = self._turned(offset_s)[1] * weight
        constant = self._span_s * weight
        scale = float((constant**2).sum())
        # Each axis its own constant: take it out of both sides first, then one slope is left.
        near = near - constant * ((constant * near).sum(axis=0) / scale)
        wanted = wanted - constant * ((constant * wanted).sum(axis=0) / scale)
        size = float((near**2).sum())
        if size > 0.0:
            nearness = float((near * wanted).sum()) / size
            # The ground is in front of the camera, never behind it.
            wanted = wanted - near * (nearness if either_sign else max(0.0, nearness))
        return wanted, float((wanted**2).sum())
