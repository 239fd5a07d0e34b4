"""The parameter table: names, storage types, what a set really stores."""

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

INT8, INT16, INT32, REAL32 = 2, 4, 6, 9
"""MAV_PARAM_TYPE, as far as ArduPilot stores them."""
_RANGES = {INT8: (-128, 127), INT16: (-32768, 32767), INT32: (-(2**31), 2**31 - 1)}


@dataclass(frozen=True, slots=True)
class Spec:
    """One row of the table.

    Attributes:
        name: at most 16 characters.
        kind: MAV_PARAM_TYPE of its storage.
        default: value at the first boot.
    """

    name: str
    kind: int
    default: float


def stored(kind: int, value: float) -> float:
    """What remains of a value in storage: integers are cut towards zero, reals are 32 bit wide."""
    if kind == REAL32:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    if math.isnan(value):
        return 0.0
    low, high = _RANGES[kind]
    return float(math.trunc(max(low, min(high, value))))


class Parameters:
    """All parameters of one vehicle; they persist over a reboot.

    Args:
        specs: the table, in the order of the full list.
        overrides: values set before the first boot, by name.

    Raises:
        KeyError: an override names no parameter.
    """

    def __init__(self, specs: Iterable[Spec], overrides: Mapping[str, float] | None = None) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._index = {name: number for number, name in enumerate(self._specs)}
        self._values = {s.name: stored(s.kind, s.default) for s in self._specs.values()}
        self.changes = 0
        """Grows with every set, so that readers may cache."""
        for name, value in (overrides or {}).items():
            if name not in self._specs:
                raise KeyError(f"{name} is no parameter of this vehicle")
            self.set(name, value)

    def __contains__(self, name: str) -> bool:
        return name in self._specs

    def __len__(self) -> int:
        return len(self._specs)

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of the full list."""
        return tuple(self._specs)

    def kind(self, name: str) -> int:
        """MAV_PARAM_TYPE of one parameter."""
        return self._specs[name].kind

    def index(self, name: str) -> int:
        """Place in the full list."""
        return self._index[name]

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def first(self, *names: str) -> float:
        """Value of the first name that this firmware has (names changed between versions)."""
        for name in names:
            if name in self._values:
                return self._values[name]
        raise KeyError(f"none of {', '.join(names)} is a parameter of this vehicle")

    def set(self, name: str, value: float) -> float:
        """Store a value and return what was stored.

        Raises:
            KeyError: no such parameter.
        """
        self._values[name] = stored(self._specs[name].kind, value)
        self.changes += 1
        return self._values[name]
