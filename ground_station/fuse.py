"""From observations to targets: one target per object in the world, over nodes, cameras and re-births.

Targets are a fold over observations in the order of the world (`fold`): within the window the order of
arrival leaves no trace. A track of a node belongs to one target; a track's birth may continue a lost
target (`rebirth`), and targets of different sensors at one place become one (`join`).
All instants are seconds since 1970 UTC; nothing here asks a clock.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ground_station.decision import Counters, Observed
from ground_station.fold import Entry, Journal, key_of
from ground_station.kalman import State, Verdict, advance_all, start
from ground_station.measure import measurements
from ground_station.rebirth import (
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
from ground_station.targets import TAIL_STEP_S, Changes, Targets
from ground_station.together import MAX_SENSORS, Together
from ground_station.zones import Site

REACH_M = 60.0
"""Around a birth everything is done again; farther away no birth is explained or continued."""
KEEP_S = 30.0
"""The journal keeps entries of silent targets this long, by arrival."""


class Fuser:
    """The fold of one site's observations into its targets.

    Args:
        site: Gives the plane.
        settings: Windows, gates, noise.
        counters: Where everything let go is counted.
        appeared: What explains a birth.

    Attributes:
        targets: What is known.
    """

    def __init__(
        self,
        site: Site,
        settings: FuseSettings,
        counters: Counters,
        appeared: AppearedSettings,
    ) -> None:
        self._site, self._settings = site, settings
        self._counters, self._appeared = counters, appeared
        self._journal = Journal(
            window_s=settings.reorder_window_s, keep_s=KEEP_S, most=settings.max_journal
        )
        self.targets = Targets(site, settings, counters)
        self._together = Together(self.targets, self._journal, settings, counters)

    @property
    def journal_size(self) -> int:
        """Observations kept for putting late ones right."""
        return len(self._journal)

    def split(self, target_id: str, track_id: str) -> bool:
        """A person says that a track is not this target; whether there was anything to take apart."""
        return self._together.split(target_id, track_id)

    def merge(self, target_id: str, other_id: str) -> Changes:
        """A person says that two targets are one object; what that changed."""
        return self._together.merge(target_id, other_id)

    # --- what comes in ----------------------------------------------------------------------------
    def observe(self, batch: Sequence[Observed], now_s: float) -> Changes:
        """Take a batch in; repeats and what is too old are counted and change nothing."""
        changes = Changes()
        fresh: dict[tuple[float, str, str, int], Entry] = {}
        placed = measurements(batch, self._site, min_sigma_m=self._settings.min_sigma_m)
        for observed, measurement in zip(batch, placed, strict=True):
            key = key_of(observed)
            known = self.targets.links.get(key[2])
            target = None if known is None else self.targets.known.get(known)
            if target is not None:
                target.heard_s = max(target.heard_s, now_s)
                self.targets.known.move_to_end(target.target_id)
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
        changes.gone = [one for one in dict.fromkeys(changes.gone + list(self.targets.undone))
                        if one not in self.targets.known]  # fmt: skip
        self.targets.undone.clear()
        for gone in changes.gone:
            changes.targets.pop(gone, None)
        for target, step in changes.steps:
            if step.state is not None:
                self.targets.extend_tail(target, step.state)
        self._journal.prune(now_s)
        return changes

    def _too_old(self, target: Target, t_s: float) -> bool:
        return t_s <= target.floor_s or (target.head.key[0] - t_s > self._settings.reorder_window_s)

    def _reach(self, entries: Sequence[Entry]) -> list[set[str]]:
        """Targets that each entry may touch."""
        found = []
        enu, t_s = self._where(entries)
        wide = self.targets.places.near(enu, t_s, REACH_M, self._appeared.lost_within_s)
        close = self._around(enu, t_s)
        for k, entry in enumerate(entries):
            own = self.targets.links.get(entry.key[2])
            reached = set(wide[k]) if own is None else {own, *self._others(close[k], entry.key[1])}
            # What is one now may have been several then, each named after one of its tracks.
            for name in tuple(reached):
                target = self.targets.known.get(name)
                reached.update(() if target is None else target.tracks)
            found.append(reached)
        return found

    def _around(self, enu_m: FloatArray, t_s: FloatArray) -> list[list[str]]:
        """Who may be the same object as something at each of these places."""
        return self.targets.places.near(
            enu_m, t_s, self._together.reach_m, self._settings.handover_within_s
        )

    def _where(self, entries: Sequence[Entry]) -> tuple[FloatArray, FloatArray]:
        """Places and instants of entries; a direction is where its target is."""
        enu = np.full((len(entries), 2), np.nan)
        for k, entry in enumerate(entries):
            measurement = entry.measurement
            if measurement is None:
                continue
            if measurement.bearing is None:
                enu[k] = measurement.enu_m
                continue
            known = self.targets.of_track(entry.key[2])
            if known is not None and known.state is not None:
                enu[k] = known.state.mean[:2]
        return enu, np.array([entry.key[0] for entry in entries])

    def _others(self, names: Iterable[str], sensor_id: str) -> list[str]:
        """Those of them that another sensor saw last."""
        found = []
        for name in names:
            target = self.targets.known.get(name)
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
                target = self.targets.of_track(entry.key[2])
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
                    self.targets.filter,
                ),
                strict=True,
            )
        )
        enu, t_s = self._where([entry for entry, _ in run])
        around = self._around(enu, t_s)
        changed: set[str] = set()
        for k, (entry, target) in enumerate(run):
            if target.target_id in changed:
                return k  # What was computed for it no longer holds.
            state, verdict = results.get(k, (None, None))
            first = entry.measurement
            if target.state is None and first is not None and first.bearing is None:
                state = start(first)
            if verdict == "strayed" and len(target.head.tracks) > 1:
                self._counters.outliers += 1
                name = self._together.stray(entry, target, changes)
                self._new_target(entry, changes, target_id=name, beside=True)
                continue
            self._count(verdict)
            self._step(entry, target, state, changes)
            others = self._others(around[k], entry.key[1])
            merged = self._together.settle_candidates(entry, target, changes)
            if not merged and others and state is not None:
                merged = self._together.join(entry, target, others, changes)
            changed.update(merged)
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
        self.targets.put(
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

    def _birth(self, entry: Entry, changes: Changes) -> None:
        """A track that no known target has: it continues a lost one, or something new is there."""
        measurement, track_id = entry.measurement, entry.key[2]
        known_id = self.targets.links.get(track_id)
        candidates: list[str] = []
        # A track known from before a restart that is in the middle of its life was not born here.
        beside = known_id is not None and entry.observed.body.phase != "new"
        if measurement is not None and measurement.bearing is None:
            enu, instants = self._where([entry])
            (names,) = self.targets.places.near(
                enu, instants, REACH_M, self._appeared.lost_within_s
            )
            near = [self.targets.known[name] for name in names]
            entry.touched.update(names)
            parent, candidates = parents(
                [one for one in near if not self._together.apart.are([track_id], one.tracks)],
                measurement,
                self._settings,
                self.targets.filter,
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
            self.targets.link(entry, track_id, track_id, changes)

    def _continue(self, entry: Entry, parent: Target, changes: Changes) -> None:
        """The track goes on as a lost target; its sensor's earlier tracks of it are over."""
        self._counters.reborn += 1
        t_s, sensor_id, track_id, _ = entry.key
        self.targets.link(entry, track_id, parent.target_id, changes)
        uses = tuple(
            replace(u, ended=True) if u.sensor_id == sensor_id else u for u in parent.head.tracks
        )
        entry.undo.append(partial(self.targets.set_head, parent, parent.head))
        # The link is not a step of its own: the observation's step follows at once.
        parent.head = replace(
            parent.head,
            tracks=self.targets.bounded(
                entry, (*uses, TrackUse(track_id=track_id, sensor_id=sensor_id, last_s=t_s))
            ),
        )
        assert entry.measurement is not None
        state = parent.state
        assert state is not None
        ((state, verdict),) = advance_all([state], [entry.measurement], self.targets.filter)
        self._count(verdict)
        parent.heard_s = max(parent.heard_s, entry.came_s)
        self.targets.known.move_to_end(parent.target_id)
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
        before = self.targets.undone.get(target_id)
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
        entry.undo.append(partial(self.targets.unborn, target))
        self.targets.known[target_id] = target
        entry.target = target
        entry.touched.add(target_id)
        entry.steps.append(step)
        self.targets.set_head(target, step)
        changes.targets[target_id] = target
        changes.steps.append((target, step))
        self._journal.put(entry)


def _measures(entry: Entry, head: Step) -> bool:
    """Whether an observation brings something new to a belief that is there."""
    if entry.measurement is None or head.state is None:
        return False
    use = next((u for u in head.tracks if u.track_id == entry.key[2]), None)
    # The end of a track repeats its last place.
    return use is None or use.last_s < entry.key[0]
