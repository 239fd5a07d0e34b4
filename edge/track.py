"""From boxes per frame to objects over time: two-stage association, coasting, forgetting.

Strong boxes are matched first, weak ones only continue a track that strong ones began.
Source of the idea: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection
Box", 2022. The filter, the cost and the rules of life are this project's own.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

import lap
import numpy as np
import numpy.typing as npt

from edge.detect import OBJECT_CLASSES, Detections
from edge.kalman import Array, Boxes, Motion, feet
from edge.overlap import pairwise_iou
from edge.warp import Warp

_HIDDEN_HEIGHTS = 0.15

Rows = npt.NDArray[np.int64]


class IdSource(Protocol):
    """Where track ids come from."""

    def new(self) -> str:
        """A fresh ULID."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings:
    """When a track begins, goes on and ends.

    Attributes:
        strong_confidence: boxes from here on are matched first.
        start_confidence: boxes from here on may begin a track.
        confirm_hits: boxes that a new track needs before anybody hears of it.
        tentative_s: an unconfirmed track without a box for longer than this is forgotten.
        lost_s: a confirmed track coasts this long without a box, then it ends.
        min_iou: overlap of prediction and box below which only nearness can match them.
        gate_sigma: how far a box may lie from a prediction, in its sigmas.
        gate_heights: and in heights of the box, whatever the sigmas say.
        weak_min_iou: overlap that a weak box needs.
        class_penalty: added to the cost when the class differs, 0..1.
        duplicate_iou: a box overlapping a seen track by more than this begins no track.
        max_tracks: bound on memory; the longest unseen go first.
        foot_sigma_heights: one sigma of a box's lower edge, in heights of the box.
    """

    strong_confidence: float = 0.35
    start_confidence: float = 0.45
    confirm_hits: int = 3
    tentative_s: float = 0.5
    lost_s: float = 2.5
    min_iou: float = 0.15
    gate_sigma: float = 3.5
    gate_heights: float = 0.6
    weak_min_iou: float = 0.4
    class_penalty: float = 0.3
    duplicate_iou: float = 0.6
    max_tracks: int = 256
    foot_sigma_heights: float = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One object in one camera, at one instant.

    Attributes:
        track_id: ULID, given when the track was confirmed.
        state: confirmed (seen now), lost (coasting on its motion), ended.
        seen: whether a box of this frame belongs to it.
        box_px: filtered x1 y1 x2 y2.
        confidence: of its boxes lately, 0..1.
        object_class: the word most of its boxes said, weighed by confidence.
        t_s: monotonic instant of this state.
        seen_s: monotonic instant of its last box.
        born_s: monotonic instant of its first box.
        hits: boxes so far.
        foot_px: (2,) where it touches the ground.
        foot_cov_px2: (2, 2) its covariance.
        foot_visible: false when the lower edge is cut off by the picture's.
        velocity_px_s: (2,) of the foot.
        velocity_cov: (2, 2) its covariance, px^2/s^2.
        frame_size_px: width, height of the frame that all pixels belong to; None is not known.
    """

    track_id: str
    state: Literal["confirmed", "lost", "ended"]
    seen: bool
    box_px: tuple[float, float, float, float]
    confidence: float
    object_class: str
    t_s: float
    seen_s: float
    born_s: float
    hits: int
    foot_px: Array = field(compare=False)
    foot_cov_px2: Array = field(compare=False)
    foot_visible: bool
    velocity_px_s: Array = field(compare=False)
    velocity_cov: Array = field(compare=False)
    frame_size_px: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackUpdate:
    """What one frame did.

    Attributes:
        tracks: all confirmed tracks, seen or coasting, oldest first.
        ended: those that ended with this frame.
    """

    tracks: tuple[Track, ...]
    ended: tuple[Track, ...]


class Tracker:
    """The tracks of one camera.

    Args:
        settings: rules of life.
        ids: for confirmed tracks.
    """

    def __init__(self, settings: TrackSettings, ids: IdSource) -> None:
        self._settings = settings
        self._ids = ids
        self._motion = Motion(
            acceleration=np.array([0.5, 0.35, 0.12, 0.12]),
            measurement=np.array([0.04, settings.foot_sigma_heights, 0.08, 0.06]),
            start_speed=np.array([1.0, 0.6, 0.1, 0.15]),
        )
        self._t_s: float | None = None
        self._frame_size_px = (0, 0)
        self._boxes = Boxes.start(np.zeros((0, 4)), self._motion)
        self._votes = np.zeros((0, len(OBJECT_CLASSES)))
        self._confidence = np.zeros(0)
        self._born_s = np.zeros(0)
        self._seen_s = np.zeros(0)
        self._hits = np.zeros(0, np.int64)
        self._cut = np.zeros(0, np.bool_)
        self._names: list[str | None] = []
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._names)

    @property
    def boxes_px(self) -> Array:
        """(n, 4) x1 y1 x2 y2 of all that is followed, as of the last frame."""
        return self._boxes.corners

    def update(
        self, detections: Detections, t_s: float, *, warp: Warp | None = None
    ) -> TrackUpdate:
        """Take in all boxes of one frame.

        Args:
            detections: of this frame.
            t_s: monotonic instant of its capture; one that is not after the last counts as it.
            warp: how the ground moved in the picture since the last frame, for a camera that
                moves; tracks go with it, and their speeds are then those over the ground.
        """
        last_s = self._t_s
        t_s = t_s if last_s is None else max(t_s, last_s)
        if last_s is not None and self._names:
            self._boxes = self._boxes.predict(t_s - last_s, self._motion)
            if warp is not None:
                self._boxes = self._boxes.carried(warp)
        self._t_s = t_s
        self._frame_size_px = detections.frame_size_px
        if not self._names and len(detections) == 0:
            # Most frames of a quiet night: nobody there, nobody remembered.
            return TrackUpdate(tracks=(), ended=())
        ended = self._forget(t_s, last_s)
        self._associate(detections, t_s)
        dropped = self._bound(t_s)
        named = [row for row, name in enumerate(self._names) if name is not None]
        tracks = tuple(self._track(row, t_s) for row in named)
        return TrackUpdate(tracks=tracks, ended=ended + dropped)

    def finish(self, t_s: float) -> tuple[Track, ...]:
        """End every track: the film is over or the camera is gone."""
        return self._remove(np.arange(len(self)), t_s)

    # --- association ------------------------------------------------------------------------------
    def _associate(self, detections: Detections, t_s: float) -> None:
        rules = self._settings
        measured = feet(detections.boxes_px)
        strong = np.flatnonzero(detections.confidence >= rules.strong_confidence)
        weak = np.flatnonzero(detections.confidence < rules.strong_confidence)
        confirmed = np.array([name is not None for name in self._names], np.bool_)
        overlap = pairwise_iou(self._boxes.corners, detections.boxes_px)
        cost = self._cost(overlap, measured, detections.class_index)
        # A coasting track competes at a small handicap, so that it takes no box from a seen one.
        cost += np.minimum(t_s - self._seen_s, rules.lost_s)[:, None] * 0.05

        first = self._match(cost, np.flatnonzero(confirmed), strong)
        taken = {row for row, _ in first}
        recent = np.array(
            [
                row
                for row in np.flatnonzero(confirmed)
                if row not in taken and t_s - self._seen_s[row] <= rules.tentative_s
            ],
            np.int64,
        )
        close = np.where(overlap >= rules.weak_min_iou, cost, np.inf)
        second = self._match(close, recent, weak)
        used = {column for _, column in first}
        left = np.array([column for column in strong if column not in used], np.int64)
        third = self._match(cost, np.flatnonzero(~confirmed), left)

        pairs = first + second + third
        if pairs:
            self._correct(pairs, detections, measured, t_s)
        used |= {column for _, column in third}
        rows = np.array([row for row, _ in pairs], np.int64)
        seen = pairwise_iou(self._boxes.corners[rows], detections.boxes_px)
        doubled = np.asarray((seen > rules.duplicate_iou).any(axis=0), np.bool_)
        starts = [
            column
            for column in strong
            if column not in used
            and not doubled[column]
            and detections.confidence[column] >= rules.start_confidence
        ]
        if starts:
            self._begin(np.array(starts, np.int64), detections, measured, t_s)

    def _cost(self, overlap: Array, measured: Array, class_index: Rows) -> Array:
        """(tracks, boxes) cost of each pairing; inf where it cannot be."""
        rules = self._settings
        error = measured[None, :, :] - self._boxes.mean[:, None, :]
        height = np.maximum(self._boxes.mean[:, None, 3], 4.0)
        noise = (height[..., None] * self._motion.measurement) ** 2
        spread = self._boxes.p_xx[:, None, :] + noise
        # A hidden foot pulls the lower edge up: the upper edge then still tells who it is.
        top = error[..., 1] - error[..., 3]
        foot2 = np.minimum(
            error[..., 1] ** 2 / spread[..., 1], top**2 / (spread[..., 1] + spread[..., 3])
        )
        distance2 = error[..., 0] ** 2 / spread[..., 0] + foot2
        reach = np.hypot(error[..., 0], np.minimum(np.abs(error[..., 1]), np.abs(top))) / height
        near = (distance2 <= rules.gate_sigma**2) & (reach <= rules.gate_heights)
        size = np.abs(np.log(np.maximum(measured[None, :, 3], 1.0) / height))
        cost = (
            0.6 * (1 - overlap)
            + 0.3 * np.minimum(distance2 / rules.gate_sigma**2, 1.5)
            + 0.2 * np.minimum(size, 1.0)
        )
        said = self._votes.argmax(axis=1) if len(self._votes) else np.zeros(0, np.int64)
        cost += rules.class_penalty * (said[:, None] != class_index[None, :])
        possible = (near | (overlap >= rules.min_iou)) & (size < np.log(2.5))
        return np.asarray(np.where(possible, cost, np.inf))

    @staticmethod
    def _match(cost: Array, rows: Rows, columns: Rows) -> list[tuple[int, int]]:
        """Cheapest one-to-one pairing of these tracks and boxes."""
        if len(rows) == 0 or len(columns) == 0:
            return []
        part = cost[np.ix_(rows, columns)]
        limit = 1.5
        _, chosen, _ = lap.lapjv(
            np.where(np.isfinite(part), part, 10.0), extend_cost=True, cost_limit=limit
        )
        return [
            (int(rows[i]), int(columns[j]))
            for i, j in enumerate(chosen)
            if j >= 0 and part[i, j] < limit
        ]

    # --- state ------------------------------------------------------------------------------------
    def _correct(
        self, pairs: list[tuple[int, int]], detections: Detections, measured: Array, t_s: float
    ) -> None:
        rows = np.array([row for row, _ in pairs], np.int64)
        columns = np.array([column for _, column in pairs], np.int64)
        found = measured[columns]
        height = np.maximum(self._boxes.mean[rows, 3:4], 4.0)
        # Weak boxes are half hidden people: their edges say less.
        confidence = detections.confidence[columns].astype(np.float64)
        trust = np.clip(confidence, 0.2, 0.7)[:, None] / 0.7
        noise = (height * self._motion.measurement / trust) ** 2
        cut = self._is_cut(found)
        # A box much shorter than before has a hidden foot: its upper edge and the height known so
        # far say where the foot is. The height follows slowly, for whoever crouches.
        shrunk = np.maximum(0.0, self._boxes.mean[rows, 3] - found[:, 3])
        hidden = shrunk > _HIDDEN_HEIGHTS * height[:, 0]
        found[hidden, 1] += shrunk[hidden]
        noise[:, 1] += np.where(hidden, (0.1 * height[:, 0]) ** 2, shrunk**2)
        noise[:, 3] += np.where(hidden, 4.0, 1.0) * shrunk**2
        counts = np.ones_like(found)
        counts[cut, 1] = 0.25
        self._boxes = self._boxes.update(rows, found, noise, counts)
        self._votes[rows] *= 0.98
        self._votes[rows, detections.class_index[columns]] += confidence
        self._confidence[rows] += 0.3 * (confidence - self._confidence[rows])
        self._seen_s[rows] = t_s
        self._hits[rows] += 1
        self._cut[rows] = cut
        for row in rows:
            if self._names[row] is None and self._hits[row] >= self._settings.confirm_hits:
                self._names[row] = self._ids.new()

    def _begin(self, columns: Rows, detections: Detections, measured: Array, t_s: float) -> None:
        count = len(columns)
        self._boxes = self._boxes.join(Boxes.start(measured[columns], self._motion))
        votes = np.zeros((count, len(OBJECT_CLASSES)))
        votes[np.arange(count), detections.class_index[columns]] = detections.confidence[columns]
        self._votes = np.concatenate((self._votes, votes))
        self._confidence = np.append(self._confidence, detections.confidence[columns])
        self._born_s = np.append(self._born_s, np.full(count, t_s))
        self._seen_s = np.append(self._seen_s, np.full(count, t_s))
        self._hits = np.append(self._hits, np.ones(count, np.int64))
        self._cut = np.append(self._cut, self._is_cut(measured[columns]))
        only = self._settings.confirm_hits <= 1
        self._names += [self._ids.new() if only else None for _ in range(count)]

    def _forget(self, t_s: float, last_s: float | None) -> tuple[Track, ...]:
        """Drop what has not been seen for too long, or has walked out of the picture.

        A track that the last frame still showed has missed nothing yet, however slow the frames.
        """
        rules = self._settings
        unseen_s = t_s - self._seen_s
        named = np.array([name is not None for name in self._names], np.bool_)
        width, height = self._frame_size_px
        x, y = self._boxes.mean[:, 0], self._boxes.mean[:, 1] - self._boxes.mean[:, 3]
        outside = (x < 0) | (x > width) | (y > height) | (self._boxes.mean[:, 1] < 0)
        missed = self._seen_s < (t_s if last_s is None else last_s)
        gone = (unseen_s > rules.lost_s) | (
            (~named | outside) & missed & (unseen_s > rules.tentative_s)
        )
        return self._remove(np.flatnonzero(gone), t_s)

    def _bound(self, t_s: float) -> tuple[Track, ...]:
        excess = len(self) - self._settings.max_tracks
        if excess <= 0:
            return ()
        self.dropped += excess
        named = np.array([name is not None for name in self._names], np.bool_)
        order = np.lexsort((self._hits, self._seen_s, named))
        return self._remove(order[:excess], t_s)

    def _remove(self, rows: Rows, t_s: float) -> tuple[Track, ...]:
        if len(rows) == 0:
            return ()
        ended = tuple(
            self._track(int(row), t_s, ended=True)
            for row in np.sort(rows)
            if self._names[row] is not None
        )
        keep = np.setdiff1d(np.arange(len(self)), rows)
        self._boxes = self._boxes.take(keep)
        self._votes, self._confidence = self._votes[keep], self._confidence[keep]
        self._born_s, self._seen_s = self._born_s[keep], self._seen_s[keep]
        self._hits, self._cut = self._hits[keep], self._cut[keep]
        self._names = [self._names[row] for row in keep]
        return ended

    def _is_cut(self, measured: Array) -> npt.NDArray[np.bool_]:
        return np.asarray(measured[:, 1] >= self._frame_size_px[1] - 2.0, np.bool_)

    def _track(self, row: int, t_s: float, *, ended: bool = False) -> Track:
        name = self._names[row]
        assert name is not None
        boxes, seen_s = self._boxes, float(self._seen_s[row])
        x1, y1, x2, y2 = (float(edge) for edge in boxes.corners[row])
        seen = seen_s == t_s and not ended
        return Track(
            track_id=name,
            state="ended" if ended else "confirmed" if seen else "lost",
            seen=seen,
            box_px=(x1, y1, x2, y2),
            confidence=float(np.clip(self._confidence[row], 0.0, 1.0)),
            object_class=OBJECT_CLASSES[int(self._votes[row].argmax())],
            t_s=t_s,
            seen_s=seen_s,
            born_s=float(self._born_s[row]),
            hits=int(self._hits[row]),
            foot_px=boxes.mean[row, :2].copy(),
            foot_cov_px2=np.diag(boxes.p_xx[row, :2]),
            foot_visible=not bool(self._cut[row]),
            velocity_px_s=boxes.speed[row, :2].copy(),
            velocity_cov=np.diag(boxes.p_vv[row, :2]),
            frame_size_px=self._frame_size_px,
        )
