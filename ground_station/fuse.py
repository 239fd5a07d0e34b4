"""From observations to targets: one target per node track, continued over re-births.

A target's history of the last seconds is kept, so that an observation that arrives late is put in its
place and everything after it is done again: within the window the order of arrival does not matter.
All instants are seconds since 1970 UTC; nothing here asks a clock.
"""

import bisect
import math
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import numpy as np

from ground_station.decision import Counters, Observed
from ground_station.kalman import (
    FilterSettings,
    FloatArray,
    Measurement,
    State,
    advance,
    independent_part,
    predicted,
    start,
)
from ground_station.rebirth import (
    STILL_SEEN_S,
    Birth,
    Target,
    at_picture_edge,
    beside_other,
    parents,
)
from ground_station.rules import AppearedSettings, FuseSettings
from ground_station.views import TailPoint
from ground_station.zones import Site
from wire.values import rfc3339_ms

MAX_TRACKS_PER_TARGET = 32
TAIL_STEP_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one observation changed.

    Attributes:
        target: Whose it is.
        states: New beliefs in the order of time; the first may lie before earlier ones, which then
            hold no longer.
        merged: A target that turned out to be this one's continuation and exists no longer.
        linked: The track was not known before.
    """

    target: Target
    states: tuple[State, ...] = ()
    merged: str | None = None
    linked: bool = False


class Fuser:
    """All targets of a site.

    Args:
        site: Gives the plane.
        settings: Windows, gates, noise.
        counters: Where everything let go is counted.
        appeared: What explains a birth.
    """

    def __init__(
        self,
        site: Site,
        settings: FuseSettings,
        counters: Counters,
        appeared: AppearedSettings,
    ) -> None:
        self._site = site
        self._settings = settings
        self._counters = counters
        self._appeared = appeared
        self._target_of_track: dict[str, str] = {}
        self._targets: OrderedDict[str, Target] = OrderedDict()
        self.filter = FilterSettings(
            accel_psd_m2_s3={
                "Human": settings.human_accel_psd_m2_s3,
                "Boat": settings.boat_accel_psd_m2_s3,
                "Vehicle": settings.vehicle_accel_psd_m2_s3,
                "Animal": settings.boat_accel_psd_m2_s3,
                "Unknown": settings.boat_accel_psd_m2_s3,
            },
            outlier_sigmas=settings.outlier_sigmas,
            jump_sigmas=settings.jump_sigmas,
        )

    def __len__(self) -> int:
        return len(self._targets)

    def __iter__(self) -> Iterator[Target]:
        return iter(self._targets.values())

    def get(self, target_id: str) -> Target | None:
        """The target, if it is still known."""
        return self._targets.get(target_id)

    def target_of(self, track_id: str) -> str | None:
        """The target that a node's track belongs to."""
        return self._target_of_track.get(track_id)

    def adopt_links(self, links: Iterable[tuple[str, str]]) -> None:
        """Know again, after a restart, which tracks belong to which targets; bounded as targets are."""
        for track_id, target_id in list(links)[-self._settings.max_targets :]:
            self._target_of_track.setdefault(track_id, target_id)

    def measurements(self, batch: Sequence[Observed]) -> list[Measurement | None]:
        """The batch in the site's plane, done at once; None for what has no position."""
        placed = [(k, o.body.position) for k, o in enumerate(batch) if o.body.position is not None]
        found: list[Measurement | None] = [None] * len(batch)
        if not placed:
            return found
        rows = np.array([(p.lon_deg, p.lat_deg, p.alt_hae_m) for _, p in placed if p is not None])
        enu = self._site.frame.to_enu(rows[:, 0], rows[:, 1], rows[:, 2])[:, :2]
        total = np.array([p.cov_enu_m2 for _, p in placed if p is not None])
        shared = np.array([p.cov_bias_enu_m2 for _, p in placed if p is not None])
        independent = independent_part(total, shared, min_sigma_m=self._settings.min_sigma_m)
        for row, (k, _) in enumerate(placed):
            observed = batch[k]
            body = observed.body
            velocity = body.velocity_enu_m_s
            found[k] = Measurement(
                t_s=observed.t_event_utc.timestamp(),
                enu_m=enu[row],
                independent_m2=independent[row],
                shared_m2=shared[row],
                velocity_m_s=None
                if velocity is None
                else (velocity.east_m_s, velocity.north_m_s, velocity.sigma_m_s),
                sensor_id=f"{observed.node_id}/{body.sensor_id}",
                track_id=body.track_id,
                object_class=body.object_class,
                confidence=body.confidence,
                count=body.count or 1,
            )
        return found

    def observe(
        self, observed: Observed, measurement: Measurement | None, now_s: float
    ) -> Update | None:
        """Take one observation in; None when it changes nothing (a repeat, or too old)."""
        body = observed.body
        t_s = observed.t_event_utc.timestamp()
        known = self._target_of_track.get(body.track_id)
        target = None if known is None else self._targets.get(known)
        linked = False
        if target is None:
            target = self._birth(observed, measurement, now_s, known)
            linked = known is None
        target.heard_s = max(target.heard_s, now_s)
        self._targets.move_to_end(target.target_id)
        target.last_word_s = max(target.last_word_s, t_s)
        ends = body.phase == "end" and target.track_id == body.track_id
        changed = linked or (ends and not target.ended)
        target.ended = target.ended or ends
        if measurement is None:
            target.bearing = body.bearing or target.bearing
            # A node ends a track where it last was: that word needs no place.
            self._counters.without_position += body.phase != "end"
            return Update(target=target, linked=linked) if changed else None
        states = self._insert(target, measurement)
        if not states and not changed:
            return None
        if states:
            if body.track_id != target.track_id and body.phase != "end":
                target.track_id, target.ended = body.track_id, False
            target.object_class = states[-1].object_class
            target.late, target.by_arrival = observed.late, observed.by_arrival
            if measurement.sensor_id not in target.sensors:
                target.sensors = (*target.sensors[-7:], measurement.sensor_id)
            self._extend_tail(target, states)
        merged = self._settle_candidates(target, t_s)
        if merged is not None:
            return merged
        return Update(target=target, states=tuple(states), linked=linked)

    def place_at(self, target: Target, t_s: float) -> tuple[FloatArray, FloatArray] | None:
        """Mean (4,) and full position covariance (2, 2) at an instant, predicted if it is later."""
        states = target.states
        index = bisect.bisect_right(states, t_s, key=lambda s: s.t_s) - 1
        state = states[index] if index >= 0 else target.base or (states[0] if states else None)
        if state is None:
            return None
        mean, cov = predicted(state, t_s, self.filter)
        return mean, cov[:2, :2] + state.shared_m2

    def near(
        self, east_m: float, north_m: float, t_s: float, within_m: float, *, except_id: str = ""
    ) -> list[Target]:
        """Targets that were within a distance of a place at an instant, nearest first."""
        found = []
        for target in self._targets.values():
            state = target.state
            if state is None or target.target_id == except_id:
                continue
            if abs(state.t_s - t_s) > self._settings.rebirth_within_s:
                continue
            placed = self.place_at(target, t_s)
            if placed is None:
                continue
            gap = math.hypot(placed[0][0] - east_m, placed[0][1] - north_m)
            if gap <= within_m:
                found.append((gap, target))
        return [
            target for _, target in sorted(found, key=lambda pair: (pair[0], pair[1].target_id))
        ]

    def forget(self, now_s: float) -> list[Target]:
        """Drop what has long been silent, whatever its own clock says; what went."""
        gone = [
            target
            for target in self._targets.values()
            if now_s - target.heard_s > self._settings.forget_after_s
        ]
        for target in gone:
            self._drop(target.target_id)
        return gone

    def _drop(self, target_id: str) -> None:
        target = self._targets.pop(target_id)
        for track_id in target.tracks:
            if self._target_of_track.get(track_id) == target_id:
                del self._target_of_track[track_id]

    def evicted(self) -> list[str]:
        """Make room: drop the least recently heard above the bound; ids of what went."""
        gone = []
        while len(self._targets) > self._settings.max_targets:
            target_id = next(iter(self._targets))
            self._drop(target_id)
            self._counters.targets_evicted += 1
            gone.append(target_id)
        # Links that came with a restart and never spoke again.
        spare = len(self._target_of_track) - 4 * self._settings.max_targets
        if spare > 0:
            for track_id in [
                track
                for track, target in self._target_of_track.items()
                if target not in self._targets
            ][:spare]:
                del self._target_of_track[track_id]
        return gone

    def _birth(
        self,
        observed: Observed,
        measurement: Measurement | None,
        now_s: float,
        known_id: str | None,
    ) -> Target:
        body = observed.body
        t_s = observed.t_event_utc.timestamp()
        candidates: list[str] = []
        # A track known from before a restart that is in the middle of its life was not born here.
        beside = known_id is not None and body.phase != "new"
        if measurement is not None:
            parent, candidates = parents(
                self._targets.values(), measurement, self._settings, self.filter
            )
            if known_id is None and parent is not None:
                self._counters.reborn += 1
                self._link(parent, body.track_id)
                return parent
            beside = beside or beside_other(self._targets.values(), measurement, self._appeared)
        target = Target(
            target_id=known_id or body.track_id,
            track_id=body.track_id,
            birth=Birth(
                t_s=t_s,
                at_picture_edge=at_picture_edge(body, self._appeared.edge_fraction),
                beside_other=beside,
            ),
            node_id=observed.node_id,
            simulated=observed.simulated,
            late=observed.late,
            by_arrival=observed.by_arrival,
            object_class=body.object_class,
            heard_s=now_s,
            tail=deque(maxlen=int(self._settings.tail_s / TAIL_STEP_S) + 2),
            candidates=candidates,
        )
        self._targets[target.target_id] = target
        self._link(target, body.track_id)
        return target

    def _link(self, target: Target, track_id: str) -> None:
        self._target_of_track[track_id] = target.target_id
        target.tracks.append(track_id)
        if len(target.tracks) > MAX_TRACKS_PER_TARGET:
            self._target_of_track.pop(target.tracks.pop(0), None)

    def _settle_candidates(self, child: Target, t_s: float) -> Update | None:
        """Join a young target to the one it continues, once that one has fallen silent."""
        for parent_id in list(child.candidates):
            parent = self._targets.get(parent_id)
            state = None if parent is None else parent.state
            if parent is None or state is None or state.t_s > child.birth.t_s + STILL_SEEN_S:
                child.candidates.remove(parent_id)
                continue
            if not parent.ended and t_s - state.t_s < self._settings.rebirth_silent_s:
                continue
            return self._merge(parent, child)
        return None

    def _merge(self, parent: Target, child: Target) -> Update:
        self._counters.reborn += 1
        own = [s for s in child.states if parent.state is None or s.t_s > parent.state.t_s]
        kept = {s.t_s for s in own}
        parent.measurements += [m for m in child.measurements if m.t_s in kept]
        parent.states += own
        parent.track_id, parent.ended = child.track_id, child.ended
        parent.object_class, parent.late = child.object_class, child.late
        parent.by_arrival = child.by_arrival
        parent.heard_s = max(parent.heard_s, child.heard_s)
        parent.last_word_s = max(parent.last_word_s, child.last_word_s)
        parent.sensors = tuple(dict.fromkeys((*parent.sensors, *child.sensors)))[-8:]
        parent.pictures.extend(child.pictures)
        del self._targets[child.target_id]
        for track_id in child.tracks:
            self._link(parent, track_id)
        if own:
            self._extend_tail(parent, own)
            self._prune(parent)
        self._targets.move_to_end(parent.target_id)
        return Update(target=parent, states=tuple(own), merged=child.target_id, linked=True)

    def _insert(self, target: Target, measurement: Measurement) -> list[State]:
        """Put a measurement in its place and redo what follows; the beliefs from there on."""
        times = [m.t_s for m in target.measurements]
        index = bisect.bisect_left(times, measurement.t_s)
        if index < len(times) and times[index] == measurement.t_s:
            self._counters.duplicates += 1
            return []
        if target.base is not None and measurement.t_s <= target.base.t_s:
            self._counters.stale += 1
            return []
        if index < len(times):
            self._counters.out_of_order += 1
        target.measurements.insert(index, measurement)
        del target.states[index:]
        state = target.states[-1] if target.states else target.base
        for later in target.measurements[index:]:
            if state is None:
                state = start(later)
            else:
                state, verdict = advance(state, later, self.filter)
                if verdict in {"refused", "weighted"}:
                    self._counters.outliers += 1
                elif verdict == "jumped":
                    self._counters.jumps += 1
            target.states.append(state)
        done = target.states[index:]
        self._prune(target)
        return done

    def _prune(self, target: Target) -> None:
        """Let the window move on; its last dropped belief is the base of what stays."""
        oldest_s = target.states[-1].t_s - self._settings.reorder_window_s
        count = bisect.bisect_left(target.states, oldest_s, key=lambda s: s.t_s)
        count = max(count, len(target.states) - self._settings.max_history)
        if count > 0:
            target.base = target.states[count - 1]
            del target.states[:count]
            del target.measurements[:count]

    def _extend_tail(self, target: Target, states: Sequence[State]) -> None:
        tail = target.tail
        while tail and tail[-1][0] >= states[0].t_s:
            tail.pop()
        for state in states:
            if tail and state.t_s - tail[-1][0] < TAIL_STEP_S:
                continue
            lon, lat = self._site.lon_lat(float(state.mean[0]), float(state.mean[1]))
            t_utc = rfc3339_ms(datetime.fromtimestamp(state.t_s, tz=timezone.utc))
            tail.append((state.t_s, TailPoint(t_utc=t_utc, lon_deg=lon, lat_deg=lat)))
