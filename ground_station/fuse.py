"""From observations to targets: one target per object in the world, over nodes, cameras and re-births.

Targets are a fold over observations in the order of the world (`fold`): within the window the order of
arrival leaves no trace. A track of a node belongs to one target; a track's birth may continue a lost
target (`rebirth`), and targets of different sensors at one place become one (`join`).
All instants are seconds since 1970 UTC; nothing here asks a clock.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial

import numpy as np

from ground_station import join
from ground_station.decision import Counters, Observed
from ground_station.fold import Deed, Entry, Journal, Places, key_of
from ground_station.kalman import (
    FilterSettings,
    Measurement,
    State,
    Verdict,
    advance_all,
    independent_part,
    predicted,
    start,
)
from ground_station.rebirth import (
    STILL_SEEN_S,
    Birth,
    Step,
    Target,
    TrackUse,
    at_picture_edge,
    beside_other,
    parents,
)
from ground_station.rules import AppearedSettings, FuseSettings
from ground_station.schmidt import FloatArray
from ground_station.views import TailPoint
from ground_station.zones import Site
from wire.values import rfc3339_ms

MAX_TRACKS_PER_TARGET = 32
MAX_SENSORS = 8
TAIL_STEP_S = 1.0
REACH_M = 60.0
"""Around a birth everything is done again; farther away no birth is explained or continued."""
LOOK_ROUND_M = 5.0
"""Beyond the join gate: nobody moves farther between two looks."""
KEEP_S = 30.0
"""The journal keeps entries of silent targets this long, by arrival."""
NO_PLACE = (np.full(2, np.nan), np.eye(2), np.zeros((2, 2)))


@dataclass(slots=True)
class Changes:
    """What a batch changed.

    Attributes:
        steps: New beliefs and whose they are, in the order of the world.
        targets: Changed targets by id.
        links: Tracks and the targets they now belong to.
        gone: Targets that became part of another, or turned out never to have been.
    """

    steps: list[tuple[Target, Step]] = field(default_factory=list)
    targets: dict[str, Target] = field(default_factory=dict)
    links: dict[str, tuple[str, float]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


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
        self._undone: dict[str, Target] = {}
        self._journal = Journal(
            window_s=settings.reorder_window_s, keep_s=KEEP_S, most=settings.max_journal
        )
        self._places = Places()
        self._apart = join.Apart()
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
            moving_bias_s=settings.moving_bias_s,
        )

    def __len__(self) -> int:
        return len(self._targets)

    def __iter__(self) -> Iterator[Target]:
        return iter(self._targets.values())

    @property
    def journal_size(self) -> int:
        """Observations kept for putting late ones right."""
        return len(self._journal)

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
        """The batch in the site's plane, done at once; None for what has neither place nor direction."""
        placed = [(k, o.body.position) for k, o in enumerate(batch) if o.body.position is not None]
        sensors = [
            (k, o.body.sensor_position)
            for k, o in enumerate(batch)
            if o.body.sensor_position is not None
        ]
        points = [*placed, *sensors]
        found: list[Measurement | None] = [None] * len(batch)
        if not points:
            return found
        rows = np.array([(p.lon_deg, p.lat_deg, p.alt_hae_m) for _, p in points if p is not None])
        enu = self._site.frame.to_enu(rows[:, 0], rows[:, 1], rows[:, 2])[:, :2]
        at = {k: tuple(enu[len(placed) + n].tolist()) for n, (k, _) in enumerate(sensors)}
        for k, observed in enumerate(batch):
            if observed.body.bearing is not None and k in at:
                found[k] = _measurement(observed, *NO_PLACE, at[k])
        if not placed:
            return found
        total = np.array([p.cov_enu_m2 for _, p in placed if p is not None])
        shared = np.array([p.cov_bias_enu_m2 for _, p in placed if p is not None])
        independent = independent_part(total, shared, min_sigma_m=self._settings.min_sigma_m)
        for row, (k, _) in enumerate(placed):
            found[k] = _measurement(batch[k], enu[row], independent[row], shared[row], at.get(k))
        return found

    # --- what comes in ----------------------------------------------------------------------------
    def observe(self, batch: Sequence[Observed], now_s: float) -> Changes:
        """Take a batch in; repeats and what is too old are counted and change nothing."""
        changes = Changes()
        fresh: dict[tuple[float, str, str, int], Entry] = {}
        for observed, measurement in zip(batch, self.measurements(batch), strict=True):
            key = key_of(observed)
            known = self._target_of_track.get(key[2])
            target = None if known is None else self._targets.get(known)
            if target is not None:
                target.heard_s = max(target.heard_s, now_s)
                self._targets.move_to_end(target.target_id)
            if key in fresh or key in self._journal:
                self._counters.duplicates += 1
            elif target is not None and self._too_old(target, key[0]):
                self._counters.stale += 1
            else:
                fresh[key] = Entry(
                    key=key, observed=observed, measurement=measurement, came_s=now_s
                )
        if not fresh:
            return changes
        entries = [fresh[key] for key in sorted(fresh)]
        redo = self._journal.undo_after(entries, self._reach)
        self._counters.out_of_order += bool(redo)
        if redo:
            entries = sorted([*entries, *redo], key=lambda e: e.key)
        self._fold(entries, changes)
        changes.gone = [one for one in dict.fromkeys(changes.gone + list(self._undone))
                        if one not in self._targets]  # fmt: skip
        self._undone.clear()
        for gone in changes.gone:
            changes.targets.pop(gone, None)
        for target, step in changes.steps:
            if step.state is not None:
                self._extend_tail(target, step.state)
        self._journal.prune(now_s)
        return changes

    def _too_old(self, target: Target, t_s: float) -> bool:
        return t_s <= target.floor_s or (target.head.key[0] - t_s > self._settings.reorder_window_s)

    def _reach(self, entries: Sequence[Entry]) -> list[set[str]]:
        """Targets that each entry may touch."""
        rows = [k for k, e in enumerate(entries) if e.measurement is not None]
        near: list[list[str]] = [[] for _ in entries]
        if rows:
            enu, t_s = self._where([entries[k] for k in rows])
            long_s = self._appeared.lost_within_s
            for k, names in zip(rows, self._places.near(enu, t_s, REACH_M, long_s), strict=True):
                near[k] = names
        found = []
        for entry, names in zip(entries, near, strict=True):
            own = self._target_of_track.get(entry.key[2])
            reached = set(names) if own is None else {own, *self._others(names, entry.key[1])}
            found.append(reached)
        return found

    def _where(self, entries: Sequence[Entry]) -> tuple[FloatArray, FloatArray]:
        """Places and instants of entries; a direction is where its target is."""
        enu = np.full((len(entries), 2), np.inf)
        for k, entry in enumerate(entries):
            measurement = entry.measurement
            if measurement is None:
                continue
            if measurement.bearing is None:
                enu[k] = measurement.enu_m
                continue
            known = self._targets.get(self._target_of_track.get(entry.key[2], ""))
            if known is not None and known.state is not None:
                enu[k] = known.state.mean[:2]
        return enu, np.array([entry.key[0] for entry in entries])

    def _others(self, names: Iterable[str], sensor_id: str) -> list[str]:
        """Those of them that another sensor saw last."""
        found = []
        for name in names:
            target = self._targets.get(name)
            if target is not None and any(u.sensor_id != sensor_id for u in target.head.tracks):
                found.append(name)
        return found

    # --- the fold ---------------------------------------------------------------------------------
    def _fold(self, entries: Sequence[Entry], changes: Changes) -> None:
        """Do entries in their order; those of known targets together, as long as nothing is born or joined."""
        place = 0
        while place < len(entries):
            run: list[tuple[Entry, Target]] = []
            taken: set[str] = set()
            for entry in entries[place:]:
                target = self._targets.get(self._target_of_track.get(entry.key[2], ""))
                if target is None or target.target_id in taken:
                    break
                taken.add(target.target_id)
                run.append((entry, target))
            if run:
                place += self._run(run, changes)
            else:
                self._birth(entries[place], changes)
                place += 1

    def _run(self, run: Sequence[tuple[Entry, Target]], changes: Changes) -> int:
        """One observation of each of many targets; how many were done before something was joined."""
        filtered = [k for k, (entry, target) in enumerate(run) if _measures(entry, target.head)]
        results: dict[int, tuple[State, Verdict]] = dict(
            zip(
                filtered,
                advance_all(
                    [s for k in filtered if (s := run[k][1].head.state) is not None],
                    [m for k in filtered if (m := run[k][0].measurement) is not None],
                    self.filter,
                ),
                strict=True,
            )
        )
        reach_m = self._settings.join_gate_m + LOOK_ROUND_M
        enu, t_s = self._where([entry for entry, _ in run])
        around = self._places.near(enu, t_s, reach_m, self._settings.handover_within_s)
        for k, (entry, target) in enumerate(run):
            state, verdict = results.get(k, (None, None))
            first = entry.measurement
            if target.state is None and first is not None and first.bearing is None:
                state = start(first)
            if verdict == "strayed" and len(target.head.tracks) > 1:
                self._counters.outliers += 1
                self._stray(entry, target, changes)
                return k + 1
            self._count(verdict)
            self._step(entry, target, state, changes)
            others = self._others(around[k], entry.key[1])
            if self._settle_candidates(entry, target, changes) or (
                len(others) > 0 and state is not None and self._join(entry, target, others, changes)
            ):
                return k + 1
        return len(run)

    def _count(self, verdict: Verdict | None) -> None:
        if verdict in {"refused", "weighted", "strayed"}:
            self._counters.outliers += 1
        elif verdict == "jumped":
            self._counters.jumps += 1

    def _step(self, entry: Entry, target: Target, state: State | None, changes: Changes) -> None:
        """The target goes one observation on."""
        head, body, (t_s, sensor_id, track_id, _) = target.head, entry.observed.body, entry.key
        if entry.measurement is None or entry.measurement.bearing is not None:
            # A node ends a track where it last was: that word needs no place.
            self._counters.without_position += body.phase != "end"
        use = TrackUse(
            track_id=track_id, sensor_id=sensor_id, last_s=t_s, ended=body.phase == "end"
        )
        sensors = head.sensors
        if state is not None and sensors[-1:] != (sensor_id,):
            sensors = (*(one for one in sensors if one != sensor_id), sensor_id)[-MAX_SENSORS:]
        self._put(
            entry,
            target,
            replace(
                head,
                key=entry.key,
                prev=head,
                state=head.state if state is None else state,
                fresh=state is not None,
                tracks=tuple(use if u.track_id == track_id else u for u in head.tracks),
                track_id=track_id,
                late=entry.observed.late,
                by_arrival=entry.observed.by_arrival,
                sensors=sensors,
                bearing=body.bearing or head.bearing,
                other=None,
                memory=None,
            ),
            changes,
        )
        entry.target = target
        self._journal.put(entry)

    def _put(self, entry: Deed, target: Target, step: Step, changes: Changes) -> None:
        """Set a target's head, so that it can be undone."""
        entry.undo.append(partial(self._set_head, target, target.head))
        entry.touched.add(target.target_id)
        entry.steps.append(step)
        self._set_head(target, step)
        changes.targets[target.target_id] = target
        changes.steps.append((target, step))

    def _set_head(self, target: Target, step: Step) -> None:
        target.head = step
        if step.state is not None and not target.dropped:
            self._places.put(target.target_id, step.state.mean[:2], step.state.t_s)

    def _birth(self, entry: Entry, changes: Changes) -> None:
        """A track that no known target has: it continues a lost one, or something new is there."""
        measurement, track_id = entry.measurement, entry.key[2]
        known_id = self._target_of_track.get(track_id)
        candidates: list[str] = []
        # A track known from before a restart that is in the middle of its life was not born here.
        beside = known_id is not None and entry.observed.body.phase != "new"
        if measurement is not None and measurement.bearing is None:
            enu, instants = self._where([entry])
            (names,) = self._places.near(enu, instants, REACH_M, self._appeared.lost_within_s)
            near = [self._targets[name] for name in names]
            entry.touched.update(names)
            parent, candidates = parents(
                [one for one in near if not self._apart.are([track_id], one.tracks)],
                measurement,
                self._settings,
                self.filter,
            )
            if known_id is None and parent is not None:
                self._continue(entry, parent, changes)
                return
            beside = beside or beside_other(near, measurement, self._appeared)
        self._new_target(
            entry, changes, target_id=known_id or track_id, candidates=tuple(candidates),
            beside=beside,
        )  # fmt: skip
        if known_id is None:
            self._link(entry, track_id, track_id, changes)

    def _continue(self, entry: Entry, parent: Target, changes: Changes) -> None:
        """The track goes on as a lost target; its sensor's earlier tracks of it are over."""
        self._counters.reborn += 1
        t_s, sensor_id, track_id, _ = entry.key
        self._link(entry, track_id, parent.target_id, changes)
        uses = tuple(
            replace(u, ended=True) if u.sensor_id == sensor_id else u for u in parent.head.tracks
        )
        entry.undo.append(partial(self._set_head, parent, parent.head))
        # The link is not a step of its own: the observation's step follows at once.
        parent.head = replace(
            parent.head,
            tracks=self._bounded(
                entry, (*uses, TrackUse(track_id=track_id, sensor_id=sensor_id, last_s=t_s))
            ),
        )
        assert entry.measurement is not None
        state = parent.state
        assert state is not None
        ((state, verdict),) = advance_all([state], [entry.measurement], self.filter)
        self._count(verdict)
        parent.heard_s = max(parent.heard_s, entry.came_s)
        self._targets.move_to_end(parent.target_id)
        self._step(entry, parent, state, changes)

    def _new_target(
        self,
        entry: Entry,
        changes: Changes,
        *,
        target_id: str,
        candidates: tuple[str, ...] = (),
        beside: bool,
    ) -> None:
        body, (t_s, sensor_id, track_id, _) = entry.observed.body, entry.key
        measurement = entry.measurement
        placed = measurement is not None and measurement.bearing is None
        state = start(measurement) if measurement is not None and placed else None
        use = TrackUse(
            track_id=track_id, sensor_id=sensor_id, last_s=t_s, ended=body.phase == "end"
        )
        step = Step(
            key=entry.key,
            prev=None,
            state=state,
            fresh=state is not None,
            tracks=(use,),
            track_id=track_id,
            object_class=body.object_class,
            late=entry.observed.late,
            by_arrival=entry.observed.by_arrival,
            sensors=(sensor_id,) if state is not None else (),
            candidates=candidates,
            bearing=body.bearing,
        )
        self._counters.without_position += not placed and body.phase != "end"
        before = self._undone.get(target_id)
        target = Target(
            target_id=target_id,
            birth=Birth(
                t_s=t_s,
                at_picture_edge=at_picture_edge(body, self._appeared.edge_fraction),
                beside_other=beside,
            ),
            node_id=entry.observed.node_id,
            simulated=entry.observed.simulated,
            head=step,
            heard_s=entry.came_s,
            tail=deque(maxlen=int(self._settings.tail_s / TAIL_STEP_S) + 2),
        )
        if before is not None:  # The same one, done again.
            target.shown, target.coasting = before.shown, before.coasting
            target.pictures = before.pictures
            target.heard_s = max(target.heard_s, before.heard_s)
        entry.undo.append(partial(self._unborn, target))
        self._targets[target_id] = target
        entry.target = target
        entry.touched.add(target_id)
        entry.steps.append(step)
        self._set_head(target, step)
        changes.targets[target_id] = target
        changes.steps.append((target, step))
        self._journal.put(entry)

    def _unborn(self, target: Target) -> None:
        if self._targets.get(target.target_id) is target:
            del self._targets[target.target_id]
            self._places.drop(target.target_id)
            self._undone[target.target_id] = target

    def _link(self, entry: Deed, track_id: str, target_id: str, changes: Changes) -> None:
        entry.undo.append(partial(self._relink, track_id, self._target_of_track.get(track_id)))
        self._target_of_track[track_id] = target_id
        changes.links[track_id] = (target_id, entry.key[0])

    def _relink(self, track_id: str, target_id: str | None) -> None:
        if target_id is None:
            self._target_of_track.pop(track_id, None)
        else:
            self._target_of_track[track_id] = target_id

    def _bounded(self, entry: Deed, uses: tuple[TrackUse, ...]) -> tuple[TrackUse, ...]:
        """The newest tracks of a target; links of the others go."""
        for use in uses[:-MAX_TRACKS_PER_TARGET]:
            entry.undo.append(
                partial(self._relink, use.track_id, self._target_of_track.pop(use.track_id, None))
            )
        return uses[-MAX_TRACKS_PER_TARGET:]

    # --- one object, several tracks ---------------------------------------------------------------
    def _settle_candidates(self, entry: Entry, child: Target, changes: Changes) -> bool:
        """Join a young target to the one it continues, once that one's track has fallen silent."""
        step, (t_s, sensor_id, _, _) = child.head, entry.key
        if not step.candidates:
            return False
        entry.touched.update(step.candidates)
        left = []
        for parent_id in step.candidates:
            parent = self._targets.get(parent_id)
            use = None if parent is None else parent.head.of_sensor(sensor_id)
            if parent is None or use is None or use.last_s > child.birth.t_s + STILL_SEEN_S:
                continue
            if not use.ended and t_s - use.last_s < self._settings.rebirth_silent_s:
                left.append(parent_id)
                continue
            self._counters.reborn += 1
            self._merge(entry, parent, child, changes, continues=True)
            return True
        if len(left) < len(step.candidates):
            step.candidates = tuple(left)
        return False

    def _join(self, entry: Entry, target: Target, names: Sequence[str], changes: Changes) -> bool:
        """Make one target of two sensors' views of one object, once that is sure."""
        near = [self._targets[name] for name in names if name != target.target_id]
        if not near:
            return False
        entry.touched.update(one.target_id for one in near)
        reach_m = self._settings.join_gate_m + LOOK_ROUND_M

        def neighbours(one: Target) -> list[Target]:
            state = one.state
            if state is None:
                return []
            (found,) = self._places.near(
                state.mean[None, :2], np.array([state.t_s]), reach_m,
                self._settings.rebirth_silent_s,
            )  # fmt: skip
            entry.touched.update(found)
            return [self._targets[name] for name in found]

        found = join.find(target, near, neighbours, self._settings, self.filter, self._apart)
        target.head.pairs = found.pairs
        if found.same is None:
            return False
        one, other = sorted((target, found.same), key=lambda t: (t.birth.t_s, t.target_id))
        self._counters.joined += 1
        self._merge(entry, one, other, changes, continues=False)
        return True

    def _merge(
        self, entry: Deed, one: Target, other: Target, changes: Changes, *, continues: bool
    ) -> None:
        """`other` becomes part of `one`.

        Args:
            entry: What brought it about.
            one: Stays.
            other: Goes.
            changes: Is told.
            continues: `other` is what came of `one`: its beliefs are `one`'s further story.
        """
        uses = one.head.tracks
        if continues:
            sensors = {use.sensor_id for use in other.head.tracks}
            uses = tuple(replace(u, ended=True) if u.sensor_id in sensors else u for u in uses)
            own = _later(other.head, one.head.state)
            for step in own:
                self._put(entry, one, replace(step, prev=one.head, memory=None), changes)
        state = one.head.state if one.head.state is not None else other.head.state
        if not continues and one.head.state is not None and other.head.state is not None:
            state = join.better(one.head.state, other.head.state, self.filter)
        seen = (*one.head.sensors, *other.head.sensors)
        head = replace(
            one.head,
            key=entry.key,
            prev=one.head,
            state=state,
            fresh=False,
            tracks=self._bounded(entry, (*uses, *other.head.tracks)),
            track_id=other.head.track_id if continues else one.head.track_id,
            late=other.head.late,
            by_arrival=other.head.by_arrival,
            sensors=tuple(dict.fromkeys(seen[::-1]))[::-1][-MAX_SENSORS:],
            candidates=(),
            pairs=(),
            absorbed=(*one.head.absorbed, *other.head.absorbed, other.target_id)[-MAX_SENSORS:],
            other=None if continues else other.head,
            memory=None,
        )
        self._put(entry, one, head, changes)
        entry.undo.append(partial(self._revive, other))
        entry.touched.add(other.target_id)
        del self._targets[other.target_id]
        self._places.drop(other.target_id)
        entry.target = one
        one.heard_s = max(one.heard_s, other.heard_s)
        one.floor_s = max(one.floor_s, other.floor_s)
        one.pictures.extend(p for p in other.pictures if p not in one.pictures)
        one.shown = one.shown or other.shown
        self._targets.move_to_end(one.target_id)
        for use in other.head.tracks:
            self._link(entry, use.track_id, one.target_id, changes)
        changes.gone.append(other.target_id)

    def _revive(self, target: Target) -> None:
        self._targets[target.target_id] = target
        self._set_head(target, target.head)

    def _stray(self, entry: Entry, target: Target, changes: Changes) -> None:
        """A track that contradicts the target's other sensor is somebody else's."""
        track_id = entry.key[2]
        self._counters.strayed += 1
        entry.undo.append(partial(self._set_head, target, target.head))
        entry.touched.add(target.target_id)
        self._set_head(
            target,
            replace(
                target.head,
                tracks=tuple(u for u in target.head.tracks if u.track_id != track_id),
            ),
        )
        rest = target.head.tracks
        # A target is named after its first track; where that one leaves, the name stays with the rest.
        name = rest[0].track_id if track_id in self._targets and rest else track_id
        self._link(entry, track_id, name, changes)
        self._new_target(entry, changes, target_id=name, beside=True)

    # --- what people say --------------------------------------------------------------------------
    def split(self, target_id: str, track_id: str) -> bool:
        """A person says that a track is not this target: it goes its own way, and stays apart.

        Returns:
            Whether there was anything to take apart.
        """
        target = self._targets.get(target_id)
        if target is None or track_id not in target.tracks or len(target.head.tracks) < 2:
            return False
        rest = [t for t in target.tracks if t != track_id]
        self._apart.say([track_id], rest)
        self._journal.forget([target_id])
        kept = tuple(u for u in target.head.tracks if u.track_id != track_id)
        target.head = replace(target.head, tracks=kept)
        # Its next word is a birth: what was believed of both together is not known of either alone.
        self._target_of_track.pop(track_id, None)
        return True

    def merge(self, target_id: str, other_id: str) -> Changes:
        """A person says that two targets are one object.

        Returns:
            What changed; nothing where one of them is not known.
        """
        changes = Changes()
        one, other = self._targets.get(target_id), self._targets.get(other_id)
        if one is None or other is None or one is other:
            return changes
        self._apart.unsay(one.tracks, other.tracks)
        act = Deed(key=max(one.head.key, other.head.key))
        self._merge(act, one, other, changes, continues=False)
        self._journal.forget([target_id, other_id])
        one.floor_s = max(one.floor_s, act.key[0])
        return changes

    # --- what is known ----------------------------------------------------------------------------
    def place_at(self, target: Target, t_s: float) -> tuple[FloatArray, FloatArray] | None:
        """Mean (4,) and position covariance (2, 2) at an instant, predicted if it is later."""
        step: Step | None = target.head
        state = target.state
        while step is not None and state is not None and state.t_s > t_s:
            step = step.prev
            state = state if step is None or step.state is None else step.state
        if state is None:
            return None
        mean, cov = predicted(state, t_s, self.filter)
        return mean, cov[:2, :2]

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
        target.dropped = True
        self._places.drop(target_id)
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

    def _extend_tail(self, target: Target, state: State) -> None:
        tail = target.tail
        while tail and tail[-1][0] >= state.t_s:
            tail.pop()
        if tail and state.t_s - tail[-1][0] < TAIL_STEP_S:
            return
        lon, lat = self._site.lon_lat(float(state.mean[0]), float(state.mean[1]))
        t_utc = rfc3339_ms(datetime.fromtimestamp(state.t_s, tz=timezone.utc))
        tail.append((state.t_s, TailPoint(t_utc=t_utc, lon_deg=lon, lat_deg=lat)))


def _measurement(
    observed: Observed,
    enu_m: FloatArray,
    independent_m2: FloatArray,
    shared_m2: FloatArray,
    sensor_enu_m: tuple[float, float] | None,
) -> Measurement:
    body = observed.body
    velocity = body.velocity_enu_m_s
    return Measurement(
        t_s=observed.t_event_utc.timestamp(),
        enu_m=enu_m,
        independent_m2=independent_m2,
        shared_m2=shared_m2,
        velocity_m_s=None
        if velocity is None
        else (velocity.east_m_s, velocity.north_m_s, velocity.sigma_m_s),
        sensor_id=f"{observed.node_id}/{body.sensor_id}",
        track_id=body.track_id,
        object_class=body.object_class,
        confidence=body.confidence,
        count=body.count or 1,
        sensor_enu_m=sensor_enu_m,
        bearing=body.bearing,
    )


def _measures(entry: Entry, head: Step) -> bool:
    """Whether an observation brings something new to a belief that is there."""
    if entry.measurement is None or head.state is None:
        return False
    use = next((u for u in head.tracks if u.track_id == entry.key[2]), None)
    # The end of a track repeats its last place.
    return use is None or use.last_s < entry.key[0]


def _later(step: Step, after: State | None) -> list[Step]:
    """A target's new beliefs after one instant, oldest first."""
    found: list[Step] = []
    current: Step | None = step
    while current is not None:
        state = current.state
        if current.fresh and state is not None and (after is None or state.t_s > after.t_s):
            found.append(current)
        current = current.prev
    return found[::-1]
