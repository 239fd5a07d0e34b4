"""How far apart the clocks of camera and autopilot are, from how the picture and the vehicle turn.

A frame is stamped where it arrives, a telemetry sample where the link hands it over; what lies
between the two moments is the offset. Whenever the vehicle turns, both tell the same turn, each in
its own time: the shift at which the two records agree best is the offset, the sharpness of that
agreement is its accuracy. Without turning nothing can be told, and nothing is.
"""

import math
from collections import Counter, deque
from collections.abc import Callable

import numpy as np

from edge.pose import NoPose, Pose
from edge.turn_match import LEAST_SIGMA_S, Match, Record, Turn, match
from edge.vehicle_camera import TimeOffset
from runtime.log import get_logger

_WINDOW_S = 40.0
_EVERY_S = 5.0
_SETTLED_S = 1.0
"""Telemetry may come so late; younger instants are not asked for."""
_WORST_SIGMA_S = 0.1
_DRIFT_S2_PER_S = (0.002**2) / 60.0
"""The offset itself wanders: 2 ms in a minute."""
_GATE = 4.0
_CONVINCED = 3
"""So many estimates that agree with each other overrule what was believed before."""
_LOG_EVERY_S = 60.0


class OffsetEstimator:
    """Keeps the estimate: fed with turns by the pipeline, asked by the pose buffer.

    Both in the pipeline's thread. Memory: the turns and the record of one window.

    Args:
        sensor_id: for the log.
        poses: of the camera by the vehicle's own time.
        stated: what the config says.
        use: whether the estimate is used, or only shown.
        reach_s: how far from the stated offset is searched; the estimate never leaves that.
    """

    def __init__(
        self,
        sensor_id: str,
        poses: Callable[[float], Pose | NoPose],
        *,
        stated: TimeOffset,
        use: bool,
        reach_s: float = 1.0,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._log = get_logger(worker="infer", sensor_id=sensor_id)
        self._stated = stated
        self._use = use
        self._reach_s = reach_s
        self._record = Record(poses, keep_s=_WINDOW_S + 2.0 * reach_s + _SETTLED_S)
        self._turns: deque[Turn] = deque(maxlen=math.ceil(_WINDOW_S * 30.0))
        self._due_s: float | None = None
        self._belief = TimeOffset(
            offset_s=stated.offset_s, sigma_s=max(stated.sigma_s, LEAST_SIGMA_S)
        )
        self._belief_s = 0.0
        self._doubted: list[Match] = []
        self._logged_s = -math.inf
        self._estimated = False

    @property
    def estimate(self) -> TimeOffset | None:
        """What the pictures told so far; None as long as they told nothing."""
        return self._belief if self._estimated else None

    def current(self) -> TimeOffset:
        """What the poses are to be asked with."""
        return self._belief if self._use and self._estimated else self._stated

    def add(self, turn: Turn) -> None:
        """Take in one turn, and now and then look at all of them."""
        if not (np.isfinite(turn.turn_rad).all() and turn.sigma_rad > 0.0):
            self.counters["turns_refused"] += 1
            return
        if self._turns and turn.to_s < self._turns[-1].to_s:
            # A film that starts again, or a stream whose time was set back.
            self._turns.clear()
            self._due_s = None
        self._turns.append(turn)
        if self._due_s is None:
            self._due_s = turn.to_s + _WINDOW_S / 4.0
        if turn.to_s >= self._due_s:
            self._due_s = turn.to_s + _EVERY_S
            self._look(turn.to_s)

    def _look(self, now_s: float) -> None:
        while self._turns and self._turns[0].from_s < now_s - _WINDOW_S:
            self._turns.popleft()
        middle_s = self._stated.offset_s
        self._record.extend(
            self._turns[0].from_s + middle_s - self._reach_s, now_s - _SETTLED_S + middle_s
        )
        times_s, sums = self._record.sums()
        found = match(self._turns, times_s, sums, around_s=middle_s, reach_s=self._reach_s)
        if found is None or found.sigma_s > _WORST_SIGMA_S:
            self.counters["too_little_motion"] += 1
            return
        self._take(found, now_s)

    def _take(self, found: Match, now_s: float) -> None:
        """Mix a new match into what is believed (a Kalman filter of one number)."""
        known = self._belief.sigma_s**2
        if self._estimated:
            known += _DRIFT_S2_PER_S * max(0.0, now_s - self._belief_s)
        gap_s = found.offset_s - self._belief.offset_s
        if abs(gap_s) > _GATE * math.sqrt(known + found.sigma_s**2):
            self._doubted.append(found)
            agree = [
                abs(one.offset_s - found.offset_s) <= _GATE * math.hypot(one.sigma_s, found.sigma_s)
                for one in self._doubted[-_CONVINCED:]
            ]
            if len(self._doubted) < _CONVINCED or not all(agree):
                self._doubted = self._doubted[-_CONVINCED:]
                self.counters["contradictions"] += 1
                return
            self._belief = TimeOffset(
                offset_s=found.offset_s, sigma_s=found.sigma_s, jitter_s=found.jitter_s
            )
            self.counters["corrections"] += 1
        else:
            # Windows overlap: the new match is mostly the old one said again.
            part = min(1.0, _EVERY_S / _WINDOW_S)
            gain = known / (known + found.sigma_s**2 / part)
            self._belief = TimeOffset(
                offset_s=self._belief.offset_s + gain * gap_s,
                sigma_s=max(LEAST_SIGMA_S, math.sqrt((1.0 - gain) * known)),
                jitter_s=found.jitter_s,
            )
            self.counters["estimates"] += 1
        self._doubted.clear()
        self._belief_s, self._estimated = now_s, True
        if now_s - self._logged_s >= _LOG_EVERY_S:
            self._logged_s = now_s
            self._log.info(
                "time_offset_estimated",
                offset_s=round(self._belief.offset_s, 4),
                sigma_s=round(self._belief.sigma_s, 4),
                jitter_s=round(found.jitter_s, 4),
                stated_s=self._stated.offset_s,
                used=self._use,
                explained=round(found.explained, 3),
            )
