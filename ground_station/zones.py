"""A site as the rules see it: the oriented line, markers, zones and places, read from GeoJSON."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from geo.frames import EnuFrame, GeodeticPoint
from geo.line import OrientedLine
from geo.zone import Polygon
from ground_station.zones_check import ROLES, ZONE_ROLES, problems_of
from ground_station.zones_problem import ZoneProblem, ZonesError
from wire.commands import FlightPermit, ZonesDocument

IMPORTED_SIGMA_M = 75.0
"""What an imported line is believed to, until its owner states better."""
SITE_RADIUS_M = 30_000.0
"""A site's plane is honest to this distance; a longer line has several sites."""
SHORTEST_EDGE_M = 1e-3
MAX_FILE_BYTES = 1_500_000
"""The zones travel signed in one message of 2 MB at most."""
DEFAULT_TIME_ZONE = "Asia/Ho_Chi_Minh"

__all__ = [
    "IMPORTED_SIGMA_M",
    "ROLES",
    "ZONE_ROLES",
    "Hours",
    "Marker",
    "MarkerFix",
    "Place",
    "Site",
    "Zone",
    "ZoneProblem",
    "ZonesError",
    "read_site",
    "zones_document",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A weekly stretch of local time; one that ends before it starts goes over midnight."""

    time_zone: str
    days: frozenset[int]
    start: time
    end: time | None
    """None is 24:00."""

    def holds(self, t_utc: datetime) -> bool:
        """Whether the instant lies inside."""
        local = t_utc.astimezone(ZoneInfo(self.time_zone))
        now, day = local.time(), local.isoweekday()
        if self.end is None:
            return day in self.days and now >= self.start
        if self.start <= self.end:
            return day in self.days and self.start <= now < self.end
        yesterday = 7 if day == 1 else day - 1
        return (day in self.days and now >= self.start) or (
            yesterday in self.days and now < self.end
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A drawn area with a role and, perhaps, hours in which it counts."""

    role: str
    zone_id: str
    name_vi: str
    name_en: str
    polygon: Polygon
    schedule: tuple[Hours, ...] = ()

    def active(self, t_utc: datetime) -> bool:
        """Whether it counts at that instant; without a schedule always."""
        return not self.schedule or any(hours.holds(t_utc) for hours in self.schedule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A border marker, by which people say where something is."""

    number: str
    kind: str
    status: str
    enu_m: tuple[float, float]
    commune: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A named spot or area; `polygon` is None for a spot."""

    name: str
    enu_m: tuple[float, float]
    polygon: Polygon | None = None
    commune: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerFix:
    """Where a point lies by its nearest marker; the azimuth is taken at the marker, true."""

    number: str
    distance_m: float
    azimuth_deg: float
    commune: str


class Site:
    """All that is drawn, in the site's plane.

    Args:
        features: A FeatureCollection that `problems_of` has nothing against.

    Attributes:
        features: As read.
        frame: East-north-up at the middle of the line.
        line: The oriented line with its accuracy.
        segment_status: One word per segment.
        notices: Sentences that the operator should read, in English.
    """

    def __init__(self, features: Mapping[str, Any]) -> None:
        self.features: dict[str, Any] = dict(features)
        rows: list[Mapping[str, Any]] = list(features["features"])
        line = next(row for row in rows if row["properties"]["role"] == "line")
        course = np.asarray([p[:2] for p in line["geometry"]["coordinates"]], dtype=np.float64)
        lon, lat = (course.min(axis=0) + course.max(axis=0)) / 2.0
        self.frame = EnuFrame(GeodeticPoint(lon_deg=float(lon), lat_deg=float(lat), alt_hae_m=0.0))
        self.notices: list[str] = []
        self.line, self.segment_status = self._line(line, course)
        self.markers = tuple(
            self._marker(row) for row in rows if row["properties"]["role"] == "marker"
        )
        self.zones = tuple(
            self._zone(row) for row in rows if row["properties"]["role"] in ZONE_ROLES
        )
        self.places = tuple(
            self._place(row) for row in rows if row["properties"]["role"] == "place"
        )
        self._marker_enu = np.asarray([m.enu_m for m in self.markers]).reshape(-1, 2)

    @classmethod
    def from_geojson(cls, document: object, *, name: str = "site") -> "Site":
        """Check and read a FeatureCollection.

        Raises:
            ZonesError: All that is wrong with it.
        """
        problems = list(problems_of(document))
        if not problems:
            assert isinstance(document, Mapping)
            problems = list(_on_the_ground(document))
            if not problems:
                return cls(document)
        raise ZonesError(problems, name=name)

    def zones_of(self, *roles: str) -> tuple[Zone, ...]:
        """The zones of these roles, in the file's order."""
        return tuple(zone for zone in self.zones if zone.role in roles)

    def enu(self, lon_deg: float, lat_deg: float, alt_hae_m: float = 0.0) -> tuple[float, float]:
        """East and north of one position, in metres."""
        east, north, _up = self.frame.to_enu(lon_deg, lat_deg, alt_hae_m)[0].tolist()
        return east, north

    def lon_lat(self, east_m: float, north_m: float) -> tuple[float, float]:
        """Longitude and latitude of one place of the plane, in degrees."""
        lon, lat, _alt = self.frame.to_geodetic([[east_m, north_m, 0.0]])[0].tolist()
        return lon, lat

    def lon_lats(
        self, places_enu_m: Sequence[np.ndarray[Any, np.dtype[np.float64]]]
    ) -> list[tuple[float, float]]:
        """Longitude and latitude of many places (east, north), done at once."""
        if not places_enu_m:
            return []
        flat = np.asarray(places_enu_m, dtype=np.float64)
        rows = self.frame.to_geodetic(np.column_stack((flat, np.zeros(len(flat)))))
        return [(lon, lat) for lon, lat, _alt in rows.tolist()]

    def nearest_marker(self, east_m: float, north_m: float) -> MarkerFix | None:
        """The marker that people would name, or None where none is drawn."""
        if not self.markers:
            return None
        gap = np.array([east_m, north_m]) - self._marker_enu
        index = int(np.argmin(np.hypot(gap[:, 0], gap[:, 1])))
        east, north = gap[index].tolist()
        marker = self.markers[index]
        return MarkerFix(
            number=marker.number,
            distance_m=math.hypot(east, north),
            azimuth_deg=math.degrees(math.atan2(east, north)) % 360.0,
            commune=self.commune(east_m, north_m) or marker.commune,
        )

    def commune(self, east_m: float, north_m: float) -> str:
        """Name of the commune whose drawn area holds the place; empty where none is drawn."""
        for place in self.places:
            if not place.commune or place.polygon is None:
                continue
            if bool(place.polygon.contains([[east_m, north_m]])[0]):
                return place.commune
        return ""

    def _plane(self, points: Sequence[Sequence[float]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        array = np.asarray([point[:2] for point in points], dtype=np.float64)
        return np.asarray(self.frame.to_enu(array[:, 0], array[:, 1], 0.0)[:, :2])

    def _line(
        self, row: Mapping[str, Any], course: np.ndarray[Any, np.dtype[np.float64]]
    ) -> tuple[OrientedLine, tuple[str, ...]]:
        properties = row["properties"]
        segments = properties.get("segments") or [{} for _ in course[1:]]
        stated = [segment.get("accuracy_sigma_m") for segment in segments]
        unstated = sum(1 for value in stated if value is None)
        if unstated:
            self.notices.append(
                f"{unstated} of {len(stated)} line segments state no accuracy: they count with "
                f"{IMPORTED_SIGMA_M:g} m (1 sigma) until their owner states better"
            )
        sigma = [IMPORTED_SIGMA_M if value is None else float(value) for value in stated]
        line = OrientedLine(
            vertices_enu_m=self._plane(row["geometry"]["coordinates"]),
            our_side=properties["our_side"],
            sigma_m=sigma,
        )
        return line, tuple(str(segment.get("status", "unknown")) for segment in segments)

    def _marker(self, row: Mapping[str, Any]) -> Marker:
        properties, point = row["properties"], row["geometry"]["coordinates"]
        return Marker(
            number=properties["number"],
            kind=properties["kind"],
            status=properties["status"],
            enu_m=self.enu(point[0], point[1]),
            commune=str(properties.get("commune", "")),
        )

    def _zone(self, row: Mapping[str, Any]) -> Zone:
        properties = row["properties"]
        return Zone(
            role=properties["role"],
            zone_id=properties["id"],
            name_vi=properties["name_vi"],
            name_en=properties["name_en"],
            polygon=Polygon(self._plane(row["geometry"]["coordinates"][0])),
            schedule=tuple(_hours(hours) for hours in properties.get("schedule") or ()),
        )

    def _place(self, row: Mapping[str, Any]) -> Place:
        properties, geometry = row["properties"], row["geometry"]
        name = str(properties.get("name_vi") or properties.get("name"))
        commune = str(properties.get("commune", ""))
        if geometry["type"] == "Point":
            point = geometry["coordinates"]
            return Place(name=name, enu_m=self.enu(point[0], point[1]), commune=commune)
        ring = self._plane(geometry["coordinates"][0])
        east, north = ring.mean(axis=0).tolist()
        return Place(name=name, enu_m=(east, north), polygon=Polygon(ring), commune=commune)


def _hours(value: Mapping[str, Any]) -> Hours:
    days: set[int] = set()
    for part in str(value.get("days", "1-7")).split(","):
        first, _, last = part.partition("-")
        start, end = int(first), int(last or first)
        # "6-2" is the week's end and the beginning of the next one.
        days.update(
            range(start, end + 1) if start <= end else {*range(start, 8), *range(1, end + 1)}
        )
    return Hours(
        time_zone=value.get("timezone", DEFAULT_TIME_ZONE),
        days=frozenset(days),
        start=time.fromisoformat(value["from"]),
        end=None if value["to"] == "24:00" else time.fromisoformat(value["to"]),
    )


def _on_the_ground(document: Mapping[str, Any]) -> list[ZoneProblem]:
    """What only metres show: places too far for one plane, vertices that are one place."""
    rows = list(document["features"])
    line = next(row for row in rows if row["properties"]["role"] == "line")
    course = np.asarray([p[:2] for p in line["geometry"]["coordinates"]], dtype=np.float64)
    lon, lat = (course.min(axis=0) + course.max(axis=0)) / 2.0
    frame = EnuFrame(GeodeticPoint(lon_deg=float(lon), lat_deg=float(lat), alt_hae_m=0.0))
    found = []
    for index, row in enumerate(rows):
        coordinates, kind = row["geometry"]["coordinates"], row["geometry"]["type"]
        if row["properties"]["role"] == "place":
            continue  # Names far away do no harm: nothing is judged by them.
        points = [coordinates] if kind == "Point" else coordinates
        points = points[0] if kind == "Polygon" else points
        array = np.asarray([point[:2] for point in points], dtype=np.float64)
        enu = frame.to_enu(array[:, 0], array[:, 1], 0.0)
        short = np.flatnonzero(np.hypot(*np.diff(enu[:, :2], axis=0).T) < SHORTEST_EDGE_M)
        if kind == "LineString" and len(short):
            found.append(
                ZoneProblem(
                    feature=index,
                    field=f"geometry.coordinates[{int(short[0]) + 1}]",
                    value="(the same place on the ground as the vertex before it)",
                    allowed="another place",
                    next_step="remove one of the two vertices",
                )
            )
        farthest = float(np.hypot(enu[:, 0], enu[:, 1]).max())
        if farthest > SITE_RADIUS_M:
            found.append(
                ZoneProblem(
                    feature=index,
                    field="geometry.coordinates",
                    value=f"({farthest / 1000.0:.1f} km from the middle of the line)",
                    allowed=f"at most {SITE_RADIUS_M / 1000.0:g} km",
                    next_step="check the coordinates, or split a longer line into several sites",
                )
            )
    return found


def read_site(path: Path) -> Site:
    """Read a site's GeoJSON file.

    Raises:
        ZonesError: The file is absent, not JSON, or wrong; every error at once.
    """

    def refuse(value: str, allowed: str, next_step: str) -> ZonesError:
        problem = ZoneProblem(
            feature=None, field="file", value=value, allowed=allowed, next_step=next_step
        )
        return ZonesError([problem], name=str(path))

    try:
        content = path.read_bytes()
    except OSError as error:
        raise refuse(
            str(error.strerror), "a readable GeoJSON file", "create it, or correct the path"
        ) from None
    if len(content) > MAX_FILE_BYTES:
        raise refuse(
            f"({len(content)} bytes)", f"at most {MAX_FILE_BYTES} bytes", "thin out the vertices"
        )
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise refuse(f"({str(error)[:120]})", "JSON in UTF-8", "export the file again") from None
    return Site.from_geojson(document, name=str(path))


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a number in JSON")


def zones_document(
    *,
    features: Mapping[str, Any],
    site_id: str,
    version: int,
    issued_at_utc: datetime,
    issued_by: str = "",
    permits: Sequence[FlightPermit] = (),
) -> ZonesDocument:
    """What travels to the nodes; `wire.codec.zones_text` gives the exact text to sign.

    Raises:
        ZonesError: The features are wrong; nothing wrong is ever signed.
    """
    Site.from_geojson(features, name=site_id)
    return ZonesDocument(
        site_id=site_id,
        version=version,
        issued_at_utc=issued_at_utc,
        issued_by=issued_by,
        features=dict(features),
        permits=tuple(permits),
    )
