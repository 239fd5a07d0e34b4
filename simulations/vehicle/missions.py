"""The three stores behind the transfers: mission, fence and rally points, each with its own rules.

None is rolled back but the fence, which is judged as a whole when its last item is in. All three
live in the autopilot's storage: a reboot keeps them.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.missions_mapping import (
    FRAMES,
    WireItem,
    has_place,
    kept_item,
    refused_place,
    to_centimetre,
)
from simulations.vehicle.numbers import int32
from simulations.vehicle.ports import Item, Text, VehicleView

MISSION_CAPACITY = 650
FENCE_CAPACITY = 255
"""Not observed: one byte counts them."""
RALLY_CAPACITY = 255
_AUTO = 3
_ON_GROUND = int(mav.MAV_LANDED_STATE_ON_GROUND)
_ACCEPTED = int(mav.MAV_MISSION_ACCEPTED)


class Store(Protocol):
    """What the transfer protocol needs of one kind of item."""

    @property
    def kind(self) -> int:
        """MAV_MISSION_TYPE."""
        ...

    @property
    def name(self) -> str:
        """As in "Mission upload timeout"."""
        ...

    @property
    def capacity(self) -> int:
        """Most items it takes."""
        ...

    @property
    def count(self) -> int:
        """Items a MISSION_COUNT announces."""
        ...

    def read(self, seq: int) -> Item | None:
        """Item as it reads back; None beyond the end."""
        ...

    def begin(self, count: int) -> None:
        """A MISSION_COUNT was accepted."""
        ...

    def put(self, item: WireItem, *, announced: int) -> int:
        """Take one item.

        Args:
            item: as it came, with the seq that was asked for.
            announced: items of the running transfer, from number 0.

        Returns:
            MAV_MISSION_RESULT.
        """
        ...

    def finish(self) -> tuple[int, tuple[Text, ...]]:
        """Close a transfer whose items are all in; the texts follow the acknowledgement."""
        ...

    def clear(self) -> bool:
        """Forget all; False when that is not allowed now."""
        ...

    def abandon(self) -> None:
        """A transfer ended badly."""
        ...

    def boot(self) -> None:
        """The autopilot starts anew."""
        ...


class Mission:
    """The flight plan: slot 0 is home whatever was sent, and every change counts at once."""

    kind = int(mav.MAV_MISSION_TYPE_MISSION)
    name = "Mission"
    capacity = MISSION_CAPACITY

    def __init__(self, view: VehicleView) -> None:
        self._view = view
        self._slots: list[Item] = []
        self._version = 0
        self._read: tuple[int, Item, tuple[Item, ...]] | None = None
        self.boot()

    @property
    def version(self) -> int:
        """Grows with every change of any slot or of the length."""
        return self._version

    @property
    def items(self) -> Sequence[Item]:
        """Slot 0 is home; empty after a clear. The same object until something changes."""
        home = self._home()
        if self._read is None or self._read[:2] != (self._version, home):
            whole = (home, *self._slots[1:]) if self._slots else ()
            self._read = (self._version, home, whole)
        return self._read[2]

    @property
    def count(self) -> int:
        """Slots in use, home included."""
        return len(self._slots)

    def read(self, seq: int) -> Item | None:
        """Item as it reads back; home can be read even when there is nothing."""
        if seq == 0:
            return self._home()
        return self._slots[seq] if seq < len(self._slots) else None

    def begin(self, count: int) -> None:
        """Cut to the new length at once: there is no way back from here."""
        if count < len(self._slots):
            del self._slots[count:]
            self._version += 1

    def put(self, item: WireItem, *, announced: int) -> int:
        """Overwrite the slot, or refuse the item and keep everything before it."""
        if item.seq > len(self._slots):
            return int(mav.MAV_MISSION_INVALID_SEQUENCE)
        count = max(announced, len(self._slots))
        kept = kept_item(item, count=count, firmware=self._view.firmware)
        if isinstance(kept, int):
            return kept
        self._slots[item.seq : item.seq + 1] = [kept]
        self._version += 1
        return _ACCEPTED

    def finish(self) -> tuple[int, tuple[Text, ...]]:
        """Nothing is judged as a whole: not the take-off, not the fence, not the way home."""
        return _ACCEPTED, (Text(severity=6, text="Flight plan received"),)

    def clear(self) -> bool:
        """Forget all, but not while AUTO flies it."""
        state = self._view.state
        if state.armed and state.mode == _AUTO and state.landed_state != _ON_GROUND:
            return False
        self._slots.clear()
        self._version += 1
        return True

    def abandon(self) -> None:
        """Nothing is undone: a stump that can be flown stays."""

    def boot(self) -> None:
        """4.7 makes the home slot at boot, so an empty vehicle has one item; 4.6 has none."""
        if not self._slots and self._view.firmware != "4.6":
            self._slots = [Item(command=16, frame=0)]
            self._version += 1

    def _home(self) -> Item:
        home = self._view.state.home
        if home is None:
            return Item(command=16, frame=0)
        return Item(
            command=16,
            frame=0,
            x_e7=int32(home.lat_deg * 1e7),
            y_e7=int32(home.lon_deg * 1e7),
            z_m=to_centimetre(home.alt_msl_m),
        )


class FenceItems:
    """Polygons and circles: the old ones stay until the new ones are found good as a whole."""

    kind = int(mav.MAV_MISSION_TYPE_FENCE)
    name = "Fence"
    capacity = FENCE_CAPACITY

    def __init__(self, view: VehicleView) -> None:
        self._view = view
        self._items: tuple[Item, ...] = ()
        self._incoming: dict[int, Item] | None = None
        self._version = 0

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    @property
    def items(self) -> Sequence[Item]:
        """What is in force."""
        return self._items

    @property
    def count(self) -> int:
        """Items in force."""
        return len(self._items)

    def read(self, seq: int) -> Item | None:
        """Item as it reads back: frame 0 and height 0."""
        return self._items[seq] if seq < len(self._items) else None

    def begin(self, count: int) -> None:  # noqa: ARG002  # of the Protocol: the count is judged at the end
        """Collect beside what is in force."""
        self._incoming = {}

    def put(self, item: WireItem, *, announced: int) -> int:  # noqa: ARG002  # of the Protocol
        """Collect one item; only its frame, command and place are judged here."""
        if item.frame not in FRAMES or item.frame == mav.MAV_FRAME_MISSION:
            return int(mav.MAV_MISSION_UNSUPPORTED_FRAME)
        if item.command not in FENCE_COMMANDS:
            return int(mav.MAV_MISSION_UNSUPPORTED)
        refusal = refused_place(item.x_e7, item.y_e7)
        if refusal is not None:
            return refusal
        first = item.params[0]
        if not math.isfinite(first):
            return int(mav.MAV_MISSION_INVALID_PARAM1)
        is_vertex = item.command in POLYGON_COMMANDS
        if self._incoming is None:  # A partial list changes a copy of what is in force.
            self._incoming = dict(enumerate(self._items))
        self._incoming[item.seq] = Item(
            command=item.command,
            frame=0,
            params=(float(int(first) & 0xFF) if is_vertex else first, 0.0, 0.0, 0.0),
            x_e7=item.x_e7,
            y_e7=item.y_e7,
        )
        return _ACCEPTED

    def finish(self) -> tuple[int, tuple[Text, ...]]:
        """Judge the whole; a bad fence leaves the old one in force."""
        items = self._incoming or {}
        self._incoming = None
        whole = tuple(items[seq] for seq in sorted(items))
        fault = fence_fault(whole)
        if fault is not None:
            # 4.6 ends this one text in a newline.
            tail = "\n" if self._view.firmware == "4.6" and fault.startswith("Unexpected") else ""
            return int(mav.MAV_MISSION_ERROR), (
                Text(severity=4, text=fault + tail),
                Text(severity=4, text="Fence validation failed"),
            )
        self._items = whole
        self._version += 1
        return _ACCEPTED, (Text(severity=7, text="Fence Indexed OK"),)

    def clear(self) -> bool:
        """Always allowed, in flight too."""
        self._items = ()
        self._incoming = None
        self._version += 1
        return True

    def abandon(self) -> None:
        """The old fence stays whole."""
        self._incoming = None

    def boot(self) -> None:
        """Only what was under way is lost."""
        self._incoming = None


class Rally:
    """Places to come home to: written slot by slot, like the mission."""

    kind = int(mav.MAV_MISSION_TYPE_RALLY)
    name = "Rally"
    capacity = RALLY_CAPACITY

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._version = 0

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    @property
    def items(self) -> Sequence[Item]:
        """All points, height above home."""
        return tuple(self._items)

    @property
    def count(self) -> int:
        """Points in store."""
        return len(self._items)

    def read(self, seq: int) -> Item | None:
        """Point as it reads back: frame 3, with its height."""
        return self._items[seq] if seq < len(self._items) else None

    def begin(self, count: int) -> None:
        """Cut to the new length at once."""
        del self._items[count:]
        self._version += 1

    def put(self, item: WireItem, *, announced: int) -> int:  # noqa: ARG002  # of the Protocol
        """Overwrite the slot or refuse the item."""
        if item.command != mav.MAV_CMD_NAV_RALLY_POINT:
            return int(mav.MAV_MISSION_UNSUPPORTED)
        if item.frame not in FRAMES or item.frame == mav.MAV_FRAME_MISSION:
            return int(mav.MAV_MISSION_UNSUPPORTED_FRAME)
        refusal = refused_place(item.x_e7, item.y_e7)
        if refusal is not None:
            return refusal
        if not abs(item.z_m) <= 0x7FFF:
            return int(mav.MAV_MISSION_INVALID_PARAM7)
        if item.seq > len(self._items):
            return int(mav.MAV_MISSION_INVALID_SEQUENCE)
        self._items[item.seq : item.seq + 1] = [
            Item(
                command=item.command,
                frame=3,
                x_e7=item.x_e7,
                y_e7=item.y_e7,
                z_m=float(int(item.z_m)),
            )
        ]
        self._version += 1
        return _ACCEPTED

    def finish(self) -> tuple[int, tuple[Text, ...]]:
        """Nothing is judged as a whole."""
        return _ACCEPTED, (Text(severity=6, text="Rally points received"),)

    def clear(self) -> bool:
        """Always allowed."""
        self._items.clear()
        self._version += 1
        return True

    def abandon(self) -> None:
        """Nothing is undone."""

    def boot(self) -> None:
        """Nothing is lost."""


RETURN_POINT = 5000
INCLUSION_POLYGON = 5001
EXCLUSION_POLYGON = 5002
INCLUSION_CIRCLE = 5003
EXCLUSION_CIRCLE = 5004
POLYGON_COMMANDS = frozenset({INCLUSION_POLYGON, EXCLUSION_POLYGON})
FENCE_COMMANDS = POLYGON_COMMANDS | {RETURN_POINT, INCLUSION_CIRCLE, EXCLUSION_CIRCLE}


def fence_fault(items: Sequence[Item]) -> str | None:
    """Say what is wrong with a fence as a whole, in ArduPilot's words; None when it is good."""
    want = missing = kind = 0
    for item in items:
        if item.command in POLYGON_COMMANDS:
            got = int(item.params[0])
            if missing == 0:
                if got < 3:
                    return f"Invalid vertex count ({got})"
                want = missing = got
                kind = item.command
            elif item.command != kind:
                return "Incorrect item count"
            elif got != want:
                return f"Unexpected vertex count want={want} got={got}"
            missing -= 1
        elif missing:
            return "Incorrect item count"
        elif item.command in {INCLUSION_CIRCLE, EXCLUSION_CIRCLE} and item.params[0] <= 0.0:
            return "Non-positive circle radius"
    return "Incorrect item count" if missing else None


def is_place(kind: int, command: int) -> bool:
    """Whether x and y of an item of this kind are degrees (a float MISSION_ITEM must be told)."""
    return kind != mav.MAV_MISSION_TYPE_MISSION or has_place(command)
