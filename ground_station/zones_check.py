"""Checks of a site's GeoJSON before anything is built from it: every error at once, each explained."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from ground_station.zones_problem import (
    Collector,
    ZoneProblem,
    check_path,
    check_point,
    coordinates_of,
    finite,
    meets_itself,
)

ZONE_ROLES = ("restricted", "watch", "ignore", "gate", "no_go", "go")
ROLES = ("line", *ZONE_ROLES, "marker", "place")
SEGMENT_STATUS = ("demarcated", "not_demarcated", "disputed", "unknown")
WGS84_NAMES = ("WGS84", "WGS 84", "EPSG:4326", "4326")
MAX_FEATURES = 5_000
MAX_ACCURACY_M = 10_000.0
_START = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_END = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_NUMBER = re.compile(r"\d{1,5}([A-Za-z]{0,3}|/\d{1,4})?(\(\d{1,2}\))?")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DAYS = re.compile(r"[1-7](-[1-7])?(,[1-7](-[1-7])?)*")


def _text(found: Collector, index: int, properties: Mapping[str, Any], name: str) -> None:
    value = properties.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 200:
        found.add(index, f"properties.{name}", _or_missing(properties, name), "1 to 200 characters")


def _or_missing(properties: Mapping[str, Any], name: str) -> object:
    return properties.get(name, "(missing)")


def _one_of(
    found: Collector,
    index: int,
    properties: Mapping[str, Any],
    name: str,
    allowed: Sequence[str],
) -> None:
    if properties.get(name) not in allowed:
        found.add(
            index,
            f"properties.{name}",
            _or_missing(properties, name),
            ", ".join(map(repr, allowed)),
        )


def _check_datum(found: Collector, index: int, properties: Mapping[str, Any]) -> None:
    value = properties.get("datum")
    if value not in WGS84_NAMES:
        hint = "say in which datum the coordinates are"
        if isinstance(value, str) and "2000" in value:
            hint = "convert to WGS 84 first: read as WGS 84, VN-2000 lies more than 200 m off"
        found.add(index, "properties.datum", _or_missing(properties, "datum"), "'WGS84'", hint)


def _check_line(found: Collector, index: int, feature: Mapping[str, Any]) -> None:
    properties = feature["properties"]
    _one_of(found, index, properties, "our_side", ("left", "right"))
    _text(found, index, properties, "source")
    _check_datum(found, index, properties)
    day = properties.get("date")
    try:
        date.fromisoformat(day if isinstance(day, str) else "")
    except ValueError:
        found.add(
            index, "properties.date", _or_missing(properties, "date"), "a day such as '2026-11-23'"
        )
    path = check_path(
        found, index, "geometry.coordinates", coordinates_of(found, index, feature, "LineString"),
        least=2,
    )  # fmt: skip
    if path is not None:
        met = meets_itself(path, closed=path[0] == path[-1])
        if met is not None or path[0] == path[-1]:
            found.add(
                index,
                "geometry.coordinates",
                f"(segments {met[0]} and {met[1]} cross)" if met else "(first is last)",
                "an open line that does not cross itself: else it has no sides",
            )
    _check_segments(found, index, properties, None if path is None else len(path) - 1)


def _check_segments(
    found: Collector, index: int, properties: Mapping[str, Any], needed: int | None
) -> None:
    segments = properties.get("segments")
    if segments is None:
        return  # An imported line: it gets the stated doubt, and the site says so.
    if not isinstance(segments, list | tuple):
        found.add(index, "properties.segments", segments, "a list, one entry per segment")
        return
    if needed is not None and len(segments) != needed:
        found.add(
            index,
            "properties.segments",
            f"({len(segments)} entries)",
            f"{needed} entries, one per segment between two vertices",
        )
    for k, segment in enumerate(segments):
        name = f"properties.segments[{k}]"
        if not isinstance(segment, Mapping):
            found.add(index, name, segment, "{accuracy_sigma_m, status}")
            continue
        accuracy = segment.get("accuracy_sigma_m")
        number = finite(accuracy)
        if accuracy is not None and (number is None or not 0.0 <= number <= MAX_ACCURACY_M):
            found.add(
                index,
                f"{name}.accuracy_sigma_m",
                accuracy,
                f"0..{MAX_ACCURACY_M:g} metres, 1 sigma",
            )
        if segment.get("status", "unknown") not in SEGMENT_STATUS:
            found.add(
                index,
                f"{name}.status",
                segment.get("status"),
                ", ".join(map(repr, SEGMENT_STATUS)),
            )


def _check_zone(found: Collector, index: int, feature: Mapping[str, Any]) -> None:
    properties = feature["properties"]
    for name in ("name_vi", "name_en"):
        _text(found, index, properties, name)
    key = properties.get("id")
    if not isinstance(key, str) or not _ID.fullmatch(key):
        found.add(
            index,
            "properties.id",
            _or_missing(properties, "id"),
            "1 to 64 letters, digits, '-', '_' or '.'",
        )
    _check_schedule(found, index, properties.get("schedule"))
    rings = coordinates_of(found, index, feature, "Polygon")
    if rings is None:
        return
    if not isinstance(rings, list | tuple) or len(rings) != 1:
        count = len(rings) if isinstance(rings, list | tuple) else "no list of"
        found.add(
            index,
            "geometry.coordinates",
            f"({count} rings)",
            "one ring",
            "a zone has no holes: draw the hole as a zone of its own, or split the zone",
        )
        return
    _check_ring(found, index, rings[0])


def _check_ring(found: Collector, index: int, value: object) -> None:
    ring = check_path(found, index, "geometry.coordinates[0]", value, least=4)
    if ring is None:
        return
    if ring[0] != ring[-1]:
        found.add(
            index,
            "geometry.coordinates[0]",
            "(open)",
            "a closed ring: the last position is the first",
        )
        return
    met = meets_itself(ring, closed=True)
    if met is not None:
        found.add(
            index,
            "geometry.coordinates[0]",
            f"(edges {met[0]} and {met[1]} cross)",
            "a ring that does not cross itself",
        )
    x, y = np.asarray(ring).T
    if abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) < 1e-14:
        found.add(index, "geometry.coordinates[0]", "(no area)", "a ring around some ground")


def _check_schedule(found: Collector, index: int, schedule: object) -> None:
    if schedule is None:
        return
    if not isinstance(schedule, list | tuple):
        found.add(index, "properties.schedule", schedule, "a list of {timezone, days, from, to}")
        return
    for k, hours in enumerate(schedule):
        name = f"properties.schedule[{k}]"
        if not isinstance(hours, Mapping):
            found.add(index, name, hours, "{timezone, days, from, to}")
            continue
        for key, form in (("from", _START), ("to", _END)):
            if not isinstance(hours.get(key), str) or not form.fullmatch(hours[key]):
                found.add(
                    index,
                    f"{name}.{key}",
                    _or_missing(hours, key),
                    "local time such as '06:00'; '24:00' ends a day",
                )
        days = hours.get("days", "1-7")
        if not isinstance(days, str) or not _DAYS.fullmatch(days):
            found.add(index, f"{name}.days", days, "'1-7' (Monday is 1), or a list such as '1-5,7'")
        zone = hours.get("timezone", "Asia/Ho_Chi_Minh")
        try:
            ZoneInfo(zone if isinstance(zone, str) else "")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            found.add(index, f"{name}.timezone", zone, "a name such as 'Asia/Ho_Chi_Minh'")


def _check_marker(found: Collector, index: int, feature: Mapping[str, Any]) -> None:
    properties = feature["properties"]
    number = properties.get("number")
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        found.add(
            index,
            "properties.number",
            _or_missing(properties, "number"),
            "text such as '314' or '293/3'",
        )
    _text(found, index, properties, "kind")
    _text(found, index, properties, "status")
    coordinates = coordinates_of(found, index, feature, "Point")
    if coordinates is not None:
        check_point(found, index, "geometry.coordinates", coordinates)


def _check_place(found: Collector, index: int, feature: Mapping[str, Any]) -> None:
    properties = feature["properties"]
    if not any(isinstance(properties.get(n), str) for n in ("name", "name_vi")):
        found.add(index, "properties.name", _or_missing(properties, "name"), "1 to 200 characters")
    coordinates = coordinates_of(found, index, feature, "Point or Polygon")
    if coordinates is None:
        return
    if feature["geometry"]["type"] == "Point":
        check_point(found, index, "geometry.coordinates", coordinates)
    elif not coordinates:
        found.add(index, "geometry.coordinates", coordinates, "one ring")
    else:
        _check_ring(found, index, coordinates[0])


_CHECKS = {"line": _check_line, "marker": _check_marker, "place": _check_place}


def problems_of(features: object) -> Iterator[ZoneProblem]:
    """Everything wrong in a site's FeatureCollection; nothing at all if it can be used."""
    found = Collector()
    _check_collection(found, features)
    yield from found.problems


def _check_collection(found: Collector, document: object) -> None:
    if not isinstance(document, Mapping) or document.get("type") != "FeatureCollection":
        kind = document.get("type") if isinstance(document, Mapping) else type(document).__name__
        found.add(None, "type", kind, "'FeatureCollection' (GeoJSON)")
        return
    features = document.get("features")
    if not isinstance(features, list | tuple) or not 1 <= len(features) <= MAX_FEATURES:
        count = len(features) if isinstance(features, list | tuple) else "no list of"
        found.add(None, "features", f"({count} features)", f"1 to {MAX_FEATURES} features")
        return
    seen: dict[tuple[str, str], int] = {}
    for index, feature in enumerate(features):
        if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
            found.add(index, "type", "(no feature)", "'Feature'")
            continue
        properties = feature.get("properties")
        role = properties.get("role") if isinstance(properties, Mapping) else "(missing)"
        if not isinstance(role, str) or role not in ROLES:
            found.add(index, "properties.role", role, ", ".join(map(repr, ROLES)))
            continue
        _CHECKS.get(role, _check_zone)(found, index, feature)
        _check_unique(found, index, feature["properties"], role, seen)
    if sum(1 for role, _ in seen if role == "line") == 0 and not any(
        problem.field == "properties.role" for problem in found.problems
    ):
        found.add(
            None, "features", "(no line)", "exactly one feature of role 'line'",
            "draw or import the border line; without it nothing can be judged",
        )  # fmt: skip


def _check_unique(
    found: Collector,
    index: int,
    properties: Mapping[str, Any],
    role: str,
    seen: dict[tuple[str, str], int],
) -> None:
    if role == "place":
        return
    name = {"line": "role", "marker": "number"}.get(role, "id")
    group = role if role in {"line", "marker"} else "zone"
    key = (group, str(properties.get(name)))
    if key in seen and properties.get(name) is not None:
        found.add(
            index,
            f"properties.{name}",
            properties.get(name),
            f"once in the file; features[{seen[key]}] has it already",
            "a longer line is split into several sites" if role == "line" else "give it its own",
        )
    seen.setdefault(key, index)
