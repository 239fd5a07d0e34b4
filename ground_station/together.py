"""Several tracks, one object: targets become one, fall apart again, and what a person says about it holds."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ground_station.decision import Counters
from ground_station.fold import Deed, Entry, Journal
from ground_station.join import Apart, better, find
from ground_station.kalman import State
from ground_station.rebirth import STILL_SEEN_S, Step, Target
from ground_station.rules import FuseSettings
from ground_station.targets import Changes, Targets

MAX_SENSORS = 8
LOOK_ROUND_M = 3.0
"""Beyond the join gate: nobody moves farther between two looks."""


class Together:
    """Makes one target of two and two of one.

    Args:
        targets: All of them.
        journal: What can be undone.
        settings: Gates and times.
        counters: Where it is counted.

    Attributes:
        apart: Tracks that a person said are not one object.
    """

    def __init__(
        self, targets: Targets, journal: Journal, settings: FuseSettings, counters: Counters
    ) -> None:
        self._targets, self._journal = targets, journal
        self._settings, self._counters = settings, counters
        self.apart = Apart()

    @property
    def reach_m(self) -> float:
        """How far round a target its other views are looked for."""
        return self._settings.join_gate_m + LOOK_ROUND_M

    def settle_candidates(self, entry: Entry, child: Target, changes: Changes) -> set[str]:
        """Join a young target to the one it continues, once that one's track has fallen silent; both ids then."""
        step, (t_s, sensor_id, _, _) = child.head, entry.key
        if not step.candidates:
            return set()
        entry.touched.update(step.candidates)
        left = []
        for parent_id in step.candidates:
            parent = self._targets.known.get(parent_id)
            use = None if parent is None else parent.head.of_sensor(sensor_id)
            if parent is None or use is None or use.last_s > child.birth.t_s + STILL_SEEN_S:
                continue
            if not use.ended and t_s - use.last_s < self._settings.rebirth_silent_s:
                left.append(parent_id)
                continue
            self._counters.reborn += 1
            self._merge(entry, parent, child, changes, continues=True)
            return {parent_id, child.target_id}
        if len(left) < len(step.candidates):
            step.candidates = tuple(left)
        return set()

    def join(
        self, entry: Entry, target: Target, names: Sequence[str], changes: Changes
    ) -> set[str]:
        """Make one target of two sensors' views of one object, once that is sure; both ids then."""
        near = [self._targets.known[name] for name in names if name != target.target_id]
        if not near:
            return set()
        entry.touched.update(one.target_id for one in near)

        def neighbours(one: Target) -> list[Target]:
            state = one.state
            if state is None:
                return []
            (found,) = self._targets.places.near(
                state.mean[None, :2], np.array([state.t_s]), self.reach_m,
                self._settings.rebirth_silent_s,
            )  # fmt: skip
            entry.touched.update(found)
            return [self._targets.known[name] for name in found]

        found = find(target, near, neighbours, self._settings, self._targets.filter, self.apart)
        target.head.pairs = found.pairs
        if found.same is None:
            return set()
        one, other = sorted((target, found.same), key=lambda t: (t.birth.t_s, t.target_id))
        self._counters.joined += 1
        self._merge(entry, one, other, changes, continues=False)
        return {one.target_id, other.target_id}

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
                self._targets.put(entry, one, replace(step, prev=one.head, memory=None), changes)
        state = one.head.state if one.head.state is not None else other.head.state
        if not continues and one.head.state is not None and other.head.state is not None:
            state = better(one.head.state, other.head.state, self._targets.filter)
        seen = (*one.head.sensors, *other.head.sensors)
        head = replace(
            one.head,
            key=entry.key,
            prev=one.head,
            state=state,
            fresh=False,
            tracks=self._targets.bounded(entry, (*uses, *other.head.tracks)),
            track_id=other.head.track_id if continues else one.head.track_id,
            late=other.head.late,
            by_arrival=other.head.by_arrival,
            sensors=tuple(dict.fromkeys(seen[::-1]))[::-1][-MAX_SENSORS:],
            candidates=(),
            pairs=(),
            other=None if continues else other.head,
            memory=None,
        )
        self._targets.put(entry, one, head, changes)
        entry.undo.append(partial(self._targets.revive, other))
        entry.touched.add(other.target_id)
        del self._targets.known[other.target_id]
        self._targets.places.drop(other.target_id)
        entry.target = one
        one.heard_s = max(one.heard_s, other.heard_s)
        one.floor_s = max(one.floor_s, other.floor_s)
        one.pictures.extend(p for p in other.pictures if p not in one.pictures)
        one.shown = one.shown or other.shown
        self._targets.known.move_to_end(one.target_id)
        for use in other.head.tracks:
            self._targets.link(entry, use.track_id, one.target_id, changes)
        changes.gone.append(other.target_id)

    def stray(self, entry: Entry, target: Target, changes: Changes) -> str:
        """A track that contradicts the target's other sensor is somebody else's; whose name it gets."""
        track_id = entry.key[2]
        self._counters.strayed += 1
        entry.undo.append(partial(self._targets.set_head, target, target.head))
        entry.touched.add(target.target_id)
        self._targets.set_head(
            target,
            replace(
                target.head,
                tracks=tuple(u for u in target.head.tracks if u.track_id != track_id),
            ),
        )
        # A target is named after its first track; where that one leaves, the name stays with the rest.
        names = (track_id, *(use.track_id for use in target.head.tracks))
        name = next((one for one in names if one not in self._targets.known), f"{track_id}-2")
        self._targets.link(entry, track_id, name, changes)
        return name

    def split(self, target_id: str, track_id: str) -> bool:
        """A person says that a track is not this target: it goes its own way, and stays apart.

        Returns:
            Whether there was anything to take apart.
        """
        target = self._targets.known.get(target_id)
        if target is None or track_id not in target.tracks or len(target.head.tracks) < 2:
            return False
        rest = [one for one in target.tracks if one != track_id]
        self.apart.say([track_id], rest)
        self._journal.forget([target_id])
        # A target is named after its first track, so that one stays.
        gone = rest if track_id == target_id else [track_id]
        kept = tuple(use for use in target.head.tracks if use.track_id not in gone)
        target.head = replace(target.head, tracks=kept)
        # Their next word is a birth: what was believed of both together is not known of either alone.
        for one in gone:
            self._targets.links.pop(one, None)
        return True

    def merge(self, target_id: str, other_id: str) -> Changes:
        """A person says that two targets are one object.

        Returns:
            What changed; nothing where one of them is not known.
        """
        changes = Changes()
        one, other = self._targets.known.get(target_id), self._targets.known.get(other_id)
        if one is None or other is None or one is other:
            return changes
        self.apart.unsay(one.tracks, other.tracks)
        act = Deed(key=max(one.head.key, other.head.key))
        self._merge(act, one, other, changes, continues=False)
        self._journal.forget([target_id, other_id])
        one.floor_s = max(one.floor_s, act.key[0])
        return changes


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
