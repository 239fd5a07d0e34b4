"""Which mission item is due: ArduPilot's two slots, one for navigation, one for what goes beside it.

The DO and CONDITION items that stand before a navigation item run beside it, the first of them
started just before it, the others one per loop. That makes the texts come in an odd order and lets
progress numbers overtake each other; both are kept here.
"""

from collections.abc import Sequence
from typing import Protocol

from simulations.vehicle.ports import Item, MissionStore

NAV_LAST = 95
"""MAV_CMDs up to here navigate; above are conditions and DO commands."""
_NAV_ABOVE = frozenset({42702})
DO_JUMP, JUMP_TAG, DO_JUMP_TAG, DO_LAND_START = 177, 600, 601, 189
_MARKS = frozenset({JUMP_TAG})
_JUMPS_MOST = 64
"""Jumps followed in search of one item; more is a loop without anything to fly."""
STOPPED, RUNNING, COMPLETE = "stopped", "running", "complete"


def navigates(command: int) -> bool:
    """Whether an item moves the vehicle."""
    return command <= NAV_LAST or command in _NAV_ABOVE


class Executor(Protocol):
    """Who carries items out."""

    def start_item(self, seq: int, item: Item) -> None:
        """Begin an item."""
        ...

    def item_done(self, seq: int, item: Item) -> bool:
        """Whether a begun item is finished; reports its progress itself."""
        ...

    def mission_over(self) -> None:
        """No item is left."""
        ...


class Sequencer:
    """Runs a mission item by item.

    Args:
        store: what was uploaded.
        executor: who carries items out.
    """

    def __init__(self, store: MissionStore, executor: Executor) -> None:
        self._store = store
        self._executor = executor
        self.state = STOPPED
        self._nav: int | None = None
        self._nav_loaded = False
        self._do: int | None = None
        self._do_loaded = False
        self._do_from: int | None = None
        self._jumps: dict[int, int] = {}
        self._read: Sequence[Item] = ()
        self._read_version: int | None = None

    @property
    def items(self) -> Sequence[Item]:
        """The mission, slot 0 is home (as it was at the last change of any slot)."""
        self.watch()
        return self._read

    def watch(self) -> None:
        """Read the mission again if it has changed (once a loop, whatever mode flies)."""
        if self._store.version == self._read_version:
            return
        self._read_version = self._store.version
        self._read = tuple(self._store.items)
        if not self._read:
            self.reset()  # A cleared mission forgets the place in it; a new one does not.

    @property
    def seq(self) -> int:
        """Current item as MISSION_CURRENT gives it."""
        return self._nav or 0

    @property
    def active(self) -> Item | None:
        """The navigation item being flown."""
        if self._nav is None or not self._nav_loaded or self._nav >= len(self.items):
            return None
        return self.items[self._nav]

    def starts_with_takeoff(self) -> bool:
        """Whether the first navigation item takes off (from the current item on)."""
        begin = self._nav or 1
        for item in self.items[begin:]:
            if navigates(item.command):
                return item.command in (22, 84)
        return False

    def reset(self) -> None:
        """Forget the place in the mission; the state stays."""
        self._nav = self._do = self._do_from = None
        self._nav_loaded = self._do_loaded = False
        self._jumps.clear()

    def start(self) -> None:
        """Begin at the first item."""
        self.state = RUNNING
        self.reset()
        if not self._next_nav(1):
            self._complete()

    def start_or_resume(self, *, restart: bool) -> None:
        """Go on where it was stopped, or begin (MIS_RESTART 1, or nothing to resume)."""
        if self.state == RUNNING:
            return
        lost = self._nav is None or self._nav >= len(self.items)
        if restart or lost or self.state == COMPLETE:
            self.start()
            return
        self.state = RUNNING
        assert self._nav is not None
        self._nav_loaded = True
        self._executor.start_item(self._nav, self.items[self._nav])
        if self._do_loaded and self._do is not None and self._do < len(self.items):
            self._executor.start_item(self._do, self.items[self._do])

    def stop(self) -> None:
        """Leave the mission; the place is kept."""
        if self.state == RUNNING:
            self.state = STOPPED

    def restart_current(self) -> bool:
        """Begin the current item again after the mission was changed under it."""
        if self._nav is None or self._nav >= len(self.items):
            return False
        self._nav_loaded = True
        self._executor.start_item(self._nav, self.items[self._nav])
        return True

    def set_current(self, seq: int) -> bool:
        """Make an item the current one; False for one that does not exist."""
        if seq == 0:
            seq = 1
        if not 0 < seq < len(self.items):
            return False
        self._jumps.clear()
        if self.state == RUNNING:
            self._do = self._do_from = None
            self._do_loaded = False
            if not self._next_nav(seq):
                self._complete()
            return True
        if self.state == COMPLETE:
            self.state = STOPPED
        self.reset()
        found = self._find(seq)
        self._nav = found if found is not None else seq
        return True

    def update(self) -> None:
        """Move on by one loop, in ArduPilot's order: navigation first, then what runs beside it."""
        if self.state != RUNNING or not self.items:
            return
        if not self._nav_loaded or self._nav is None:
            if not self._next_nav((self._nav + 1) if self._nav is not None else 1):
                self._complete()
                return
        elif self._nav >= len(self.items):
            return  # The mission shrank under us: the vehicle keeps its last target.
        elif self._executor.item_done(self._nav, self.items[self._nav]):
            self._nav_loaded = False
            if self.state != RUNNING:
                return
            if not self._next_nav(self._nav + 1):
                self._complete()
                return
        if not self._do_loaded:
            self._next_do()
        elif (
            self._do is None
            or self._do >= len(self.items)
            or self._executor.item_done(self._do, self.items[self._do])
        ):
            self._do_loaded = False

    def following(self, seq: int) -> Item | None:
        """The navigation item after one, jumps not counted, for the speed in its corner."""
        found = self._find(seq + 1, count=False)
        return self.items[found] if found is not None else None

    def _complete(self) -> None:
        self.state = COMPLETE
        self._executor.mission_over()

    def _step_from(self, seq: int, *, count: bool) -> int | None:
        """Follow jumps; the item at which they end."""
        for _ in range(_JUMPS_MOST):
            if seq >= len(self.items):
                return None
            item = self.items[seq]
            if item.command not in (DO_JUMP, DO_JUMP_TAG):
                return seq
            seq = self._jump(seq, item, count=count)
        return None

    def _jump(self, seq: int, item: Item, *, count: bool) -> int:
        times = int(item.params[1])
        done = self._jumps.get(seq, 0)
        if times != -1 and done >= times:
            return seq + 1
        if count:
            self._jumps[seq] = done + 1
        target = int(item.params[0])
        if item.command == DO_JUMP:
            return target
        for number, other in enumerate(self.items):
            if other.command == JUMP_TAG and int(other.params[0]) == target:
                return number
        return seq + 1

    def _find(self, seq: int, *, count: bool = False) -> int | None:
        for _ in range(len(self.items) + _JUMPS_MOST):
            reached = self._step_from(seq, count=count)
            if reached is None:
                return None
            if navigates(self.items[reached].command):
                return reached
            seq = reached + 1
        return None

    def _next_nav(self, seq: int) -> bool:
        """Start the next navigation item; the first DO item before it starts on the way."""
        self._do_loaded = False
        self._do = self._do_from = None
        for _ in range(len(self.items) + _JUMPS_MOST):
            reached = self._step_from(seq, count=True)
            if reached is None:
                return False
            item = self.items[reached]
            if navigates(item.command):
                self._nav, self._nav_loaded = reached, True
                self._executor.start_item(reached, item)
                return True
            if self._do is None and item.command not in _MARKS:
                self._load_do(reached)
            seq = reached + 1
        return False

    def _load_do(self, seq: int) -> None:
        self._do, self._do_loaded = seq, True
        self._do_from = seq + 1
        self._executor.start_item(seq, self.items[seq])

    def _next_do(self) -> None:
        """Start the DO item behind the last one, if it stands before the next navigation item."""
        if self._do_from is None or self._nav is None:
            return
        seq = self._step_from(self._do_from, count=False)
        if seq is None or navigates(self.items[seq].command):
            self._do_from = None
            return
        if self.items[seq].command in _MARKS:
            self._do_from = seq + 1
            return
        self._load_do(seq)
