"""The last seconds of observations, kept so that one that comes late is put in its place.

Targets are a fold over observations in the order of the world. A late one is put in by undoing what came
after it and could have been touched by it, and doing that again: so the order of arrival leaves no
trace, and what is far away is not done twice.
"""

import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ground_station.decision import Observed
from ground_station.kalman import Measurement
from ground_station.rebirth import Key, Step, Target
from ground_station.schmidt import FloatArray

_PHASES = {"new": 0, "update": 1, "end": 2}


def key_of(observed: Observed) -> Key:
    """Where an observation stands in the order of the world."""
    body = observed.body
    return (
        observed.t_event_utc.timestamp(),
        f"{observed.node_id}/{body.sensor_id}",
        body.track_id,
        _PHASES[body.phase],
    )


@dataclass(slots=True, kw_only=True)
class Deed:
    """Something done to targets, and all that must be known to undo it.

    Attributes:
        target: Whose it became.
        touched: Targets whose state it changed or looked at.
        undo: What undoes it, in the order in which it was done.
        steps: What it made.
    """

    key: Key
    target: Target | None = None
    touched: set[str] = field(default_factory=set)
    undo: list[Callable[[], None]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def reset(self) -> None:
        """Undo it."""
        for back in reversed(self.undo):
            back()
        self.undo, self.steps, self.touched, self.target = [], [], set(), None


@dataclass(slots=True, kw_only=True)
class Entry(Deed):
    """One observation and what it did.

    Attributes:
        came_s: Station's time of its arrival.
    """

    observed: Observed
    measurement: Measurement | None
    came_s: float


class Journal:
    """Entries in the order of the world, bounded.

    Args:
        window_s: How much younger a target's newest observation may be than a late one.
        keep_s: How long the entries of a silent target stay, by arrival.
        most: Entries kept; the oldest go first.
    """

    def __init__(self, *, window_s: float, keep_s: float, most: int) -> None:
        self._window_s, self._keep_s, self._most = window_s, keep_s, most
        self._entries: list[Entry] = []
        self._keys: set[Key] = set()
        self._kept = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._keys

    def put(self, entry: Entry) -> None:
        """Note what was done."""
        entries = self._entries
        if not entries or entries[-1].key < entry.key:
            entries.append(entry)
        else:
            bisect.insort(entries, entry, key=lambda e: e.key)
        self._keys.add(entry.key)

    def undo_after(
        self, fresh: Sequence[Entry], reach: Callable[[Sequence[Entry]], list[set[str]]]
    ) -> list[Entry]:
        """Undo whatever came after new entries in the world and may depend on them.

        Args:
            fresh: The new entries, in order.
            reach: Gives the targets that each of them may touch.

        Returns:
            What was undone, in order; it has to be done again.
        """
        first = bisect.bisect_right(self._entries, fresh[0].key, key=lambda e: e.key)
        if first == len(self._entries):
            return []
        newest = self._entries[-1].key
        behind = [entry for entry in fresh if entry.key < newest]
        reached = reach(behind)
        dirty: set[str] = set()
        redo: list[Entry] = []
        stay: list[Entry] = []
        place = 0
        for old in self._entries[first:]:
            while place < len(behind) and behind[place].key < old.key:
                dirty |= reached[place]
                place += 1
            alive = old.target is not None and not old.target.dropped
            if alive and not dirty.isdisjoint(old.touched):
                redo.append(old)
                dirty |= old.touched
            else:
                stay.append(old)
        if redo:
            self._entries[first:] = stay
            for old in reversed(redo):
                self._keys.discard(old.key)
                old.reset()
        return redo

    def prune(self, now_s: float) -> None:
        """Let the window move on; done when the journal has grown to twice what it kept."""
        if len(self._entries) <= min(2 * self._kept + 256, self._most):
            return
        kept = self._without(lambda entry: not self._wanted(entry, now_s))
        spare = len(kept) - self._most
        if spare > 0:
            # Half is let go at once: one by one would be dear.
            spare = min(len(kept), spare + self._most // 2)
            for entry in kept[:spare]:
                self._settle(entry)
            self.evicted += spare
            kept = kept[spare:]
        self._entries = kept
        self._keys = {entry.key for entry in kept}
        self._kept = len(kept)

    def forget(self, target_ids: Iterable[str]) -> None:
        """What was done to these stays done: nothing late is put in before it any more."""
        gone = set(target_ids)
        self._entries = self._without(lambda entry: not entry.touched.isdisjoint(gone))
        self._keys = {entry.key for entry in self._entries}

    def _without(self, unwanted: Callable[[Entry], bool]) -> list[Entry]:
        """Settle unwanted entries, and all before them that touched the same; what stays.

        Nothing may be undone below something that stays done.
        """
        kept: list[Entry] = []
        settled: set[str] = set()
        for entry in reversed(self._entries):
            if unwanted(entry) or not entry.touched.isdisjoint(settled):
                settled |= entry.touched
                self._settle(entry)
            else:
                kept.append(entry)
        return kept[::-1]

    def _wanted(self, entry: Entry, now_s: float) -> bool:
        target = entry.target
        if target is None or target.dropped:
            return False
        return (
            target.head.key[0] - entry.key[0] <= self._window_s
            and now_s - entry.came_s <= self._keep_s
        )

    @staticmethod
    def _settle(entry: Entry) -> None:
        """The past before it is of no use any more, and would be kept for ever by its steps."""
        if entry.target is not None:
            entry.target.floor_s = max(entry.target.floor_s, entry.key[0])
        for step in entry.steps:
            step.prev = step.other = None


class Places:
    """Where all targets are, in arrays, to find who is near at once.

    Args:
        most: Targets at the same time, at first; it grows.
    """

    def __init__(self, most: int = 64) -> None:
        self._row: dict[str, int] = {}
        self._free: list[int] = list(range(most))[::-1]
        self._ids: list[str] = [""] * most
        self._enu = np.full((2, most), np.inf)
        self._t_s = np.full(most, -np.inf)

    def put(self, target_id: str, enu_m: FloatArray, t_s: float) -> None:
        """A target is here now."""
        row = self._row.get(target_id)
        if row is None:
            if not self._free:
                self._grow()
            row = self._row[target_id] = self._free.pop()
            self._ids[row] = target_id
        self._enu[:, row] = enu_m
        self._t_s[row] = t_s

    def drop(self, target_id: str) -> None:
        """A target is no longer."""
        row = self._row.pop(target_id, None)
        if row is not None:
            self._enu[:, row], self._t_s[row], self._ids[row] = np.inf, -np.inf, ""
            self._free.append(row)

    def near(
        self, enu_m: FloatArray, t_s: FloatArray, within_m: float, within_s: float
    ) -> list[list[str]]:
        """Who is within a square and a time of each of (n, 2) places; ids in order."""
        close = np.abs(self._enu[0] - enu_m[:, :1]) <= within_m
        close &= np.abs(self._enu[1] - enu_m[:, 1:]) <= within_m
        close &= np.abs(self._t_s - t_s[:, None]) <= within_s
        found: list[list[str]] = [[] for _ in range(len(enu_m))]
        for k, row in np.argwhere(close).tolist():
            found[k].append(self._ids[row])
        return [sorted(names) for names in found]

    def _grow(self) -> None:
        count = len(self._ids)
        self._free = list(range(count, 2 * count))[::-1]
        self._ids += [""] * count
        self._enu = np.hstack((self._enu, np.full((2, count), np.inf)))
        self._t_s = np.concatenate((self._t_s, np.full(count, -np.inf)))
