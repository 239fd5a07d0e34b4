"""What can be wrong in a site file, and the checks of its geometry.

The line is operator data, typed and imported by people. So each error names the feature, the field,
the value, what is allowed, and what to do next.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from runtime.errors import AskOperator

MAX_VERTICES = 5_000
SHOWN_CHARACTERS = 80
SAME_PLACE_DEG = 1e-8
"""About a millimetre: nearer to each other two vertices make no segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneProblem:
    """One thing wrong.

    Attributes:
        feature: Index of the feature, counted from 0; None for the file itself.
        field: Dotted path inside the feature.
        value: What stands there, shortened.
        allowed: What would be accepted.
        next_step: What to do.
    """

    feature: int | None
    field: str
    value: str
    allowed: str
    next_step: str = "correct it in the file and check again"

    def __str__(self) -> str:
        where = "file" if self.feature is None else f"features[{self.feature}]"
        return f"{where}: {self.field} is {self.value}; allowed is {self.allowed}; {self.next_step}"


class ZonesError(AskOperator):
    """Everything wrong in one site file.

    Args:
        problems: At least one.
        name: Of the file, as the person knows it.
    """

    def __init__(self, problems: Sequence[ZoneProblem], *, name: str) -> None:
        self.problems = tuple(problems)
        self.name = name
        first = self.problems[0]
        super().__init__(
            field=first.field, value=first.value, allowed=first.allowed, next_step=first.next_step
        )

    def __str__(self) -> str:
        return "\n".join(f"{self.name}: {problem}" for problem in self.problems)


@dataclass(slots=True)
class Collector:
    """Gathers problems, so that all are told at once."""

    problems: list[ZoneProblem] = field(default_factory=list)

    def add(
        self, feature: int | None, name: str, value: object, allowed: str, next_step: str = ""
    ) -> None:
        """Note one problem; a value in round brackets is a description and stands unquoted."""
        shown = value if isinstance(value, str) and value.startswith("(") else repr(value)
        if len(shown) > SHOWN_CHARACTERS:
            shown = shown[:SHOWN_CHARACTERS] + "..."
        problem = ZoneProblem(feature=feature, field=name, value=shown, allowed=allowed)
        if next_step:
            problem = ZoneProblem(
                feature=feature, field=name, value=shown, allowed=allowed, next_step=next_step
            )
        self.problems.append(problem)


def finite(value: object) -> float | None:
    """The value as a float if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def check_point(found: Collector, index: int, name: str, value: object) -> bool:
    """Whether the value is a WGS 84 position; notes what is wrong with it."""
    if not isinstance(value, list | tuple) or len(value) not in {2, 3}:
        found.add(index, name, value, "[longitude, latitude] in degrees, WGS 84")
        return False
    lon, lat = finite(value[0]), finite(value[1])
    if lon is None or lat is None:
        found.add(index, name, value, "finite numbers [longitude, latitude]")
        return False
    if abs(lon) > 180.0 or abs(lat) > 90.0:
        hint = "convert it to WGS 84 degrees"
        if max(abs(lon), abs(lat)) > 1000.0:
            hint = "these look like metres of a map grid (VN-2000, UTM): convert to WGS 84 degrees"
        elif abs(lat) <= 180.0 and abs(lon) <= 90.0:
            hint = "latitude seems to stand first; GeoJSON writes longitude first"
        found.add(index, name, value, "longitude -180..180, latitude -90..90", hint)
        return False
    return True


def check_path(
    found: Collector, index: int, name: str, value: object, *, least: int
) -> list[tuple[float, float]] | None:
    """The value as a path of at least so many positions, or None; notes what is wrong with it."""
    if not isinstance(value, list | tuple) or not least <= len(value) <= MAX_VERTICES:
        count = len(value) if isinstance(value, list | tuple) else "no list of"
        found.add(index, name, f"({count} positions)", f"{least} to {MAX_VERTICES} positions")
        return None
    good = [check_point(found, index, f"{name}[{k}]", point) for k, point in enumerate(value)]
    if not all(good):
        return None
    path = [(float(point[0]), float(point[1])) for point in value]
    repeated = [
        k
        for k in range(len(path) - 1)
        if max(abs(a - b) for a, b in zip(path[k], path[k + 1], strict=True)) < SAME_PLACE_DEG
    ]
    for k in repeated:
        found.add(index, f"{name}[{k + 1}]", path[k], "another place than the vertex before it")
    return None if repeated else path


def meets_itself(path: Sequence[tuple[float, float]], *, closed: bool) -> tuple[int, int] | None:
    """The first two edges, by index, that meet though they are not neighbours."""
    points = np.asarray(path, dtype=np.float64)
    start, end = points[:-1], points[1:]
    edges = len(start)
    for i in range(edges - 2):
        last = edges - 1 if closed and i == 0 else edges
        others = np.arange(i + 2, last)
        if not len(others):
            continue
        a, b, c, d = start[i], end[i], start[others], end[others]
        one = _turn(a, b, c) * _turn(a, b, d)
        two = _turn(c, d, a) * _turn(c, d, b)
        hits = np.flatnonzero((one < 0.0) & (two < 0.0))
        if len(hits):
            return i, int(others[hits[0]])
    return None


def _turn(a: Any, b: Any, c: Any) -> Any:
    return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
        c[..., 0] - a[..., 0]
    )


def coordinates_of(found: Collector, index: int, feature: Mapping[str, Any], shape: str) -> Any:
    """The coordinates of a feature of that shape, or None; notes what is wrong with it."""
    geometry = feature.get("geometry")
    if not isinstance(geometry, Mapping):
        found.add(index, "geometry", geometry, f"a GeoJSON geometry of type {shape}")
        return None
    if geometry.get("type") not in shape.split(" or "):
        found.add(
            index,
            "geometry.type",
            geometry.get("type"),
            shape,
            "split a Multi-geometry into one feature each"
            if str(geometry.get("type")).startswith("Multi")
            else "draw it as that type",
        )
        return None
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list | tuple):
        found.add(index, "geometry.coordinates", coordinates, f"the coordinates of a {shape}")
        return None
    return coordinates
