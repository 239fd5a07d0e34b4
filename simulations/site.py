"""A site as the simulator needs it: the true line, the markers, and places given by them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geo._types import FloatArray
from geo.frames import EnuFrame, GeodeticPoint
from geo.line import OrientedLine
from runtime.errors import AskOperator
from simulations.scenario import SITES, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The ground truth of a place. Plane coordinates are metres in ``frame``."""

    frame: EnuFrame
    line: OrientedLine
    markers_enu_m: dict[str, tuple[float, float]]
    start_along_m: float
    path: Path

    def place(self, along_m: float, across_m: float) -> FloatArray:
        """Return (2,) east, north of a place so far along the line and so far inside our side."""
        foot = self.line.at(self.start_along_m + along_m)
        segment = self.line.project(foot).segment
        return np.asarray((foot + across_m * self.line.normals[segment])[0], dtype=np.float64)

    def lon_lat(self, lon_deg: float, lat_deg: float) -> FloatArray:
        """Return (2,) east, north of a geographic place."""
        point: FloatArray = self.frame.to_enu(lon_deg, lat_deg, self.frame.origin.alt_hae_m)[0, :2]
        return point

    def nearest_marker(self, enu_m: FloatArray) -> tuple[str, float]:
        """Return the number of the marker nearest to a place, and the distance in metres."""
        away = {
            number: float(np.hypot(enu_m[0] - east, enu_m[1] - north))
            for number, (east, north) in self.markers_enu_m.items()
        }
        number = min(away, key=lambda key: (away[key], key))
        return number, away[number]


def site_file(name: str) -> Path:
    """Return the file of a site that comes with the project."""
    return SITES / name / "site.geojson"


def load_site(scenario: Scenario) -> Site:
    """Read the scenario's site; its frame lies at the reference marker, on the ground.

    Raises:
        AskOperator: the site does not exist, or lacks its line or the marker.
    """
    path = site_file(scenario.site)
    if not path.is_file():
        known = sorted(p.parent.name for p in SITES.glob("*/site.geojson"))
        raise AskOperator(
            field="site",
            value=scenario.site,
            allowed=f"one of {', '.join(known)}",
            next_step="correct `site` in the scenario",
        )
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    points = {
        str(f["properties"]["number"]): f["geometry"]["coordinates"]
        for f in _by_role(features, "marker")
    }
    if scenario.from_marker not in points:
        raise AskOperator(
            field="from_marker",
            value=scenario.from_marker,
            allowed=f"one of {', '.join(sorted(points))}",
            next_step="correct `from_marker` in the scenario",
        )
    lon, lat = points[scenario.from_marker]
    frame = EnuFrame(GeodeticPoint(lon_deg=lon, lat_deg=lat, alt_hae_m=scenario.ground_alt_hae_m))
    line = _line(_by_role(features, "line"), frame, scenario.line_sigma_m)
    markers = {number: _plane(frame, [place])[0] for number, place in points.items()}
    return Site(
        frame=frame,
        line=line,
        markers_enu_m={n: (float(p[0]), float(p[1])) for n, p in markers.items()},
        start_along_m=float(line.project([[0.0, 0.0]]).along_m[0]),
        path=path,
    )


def _by_role(features: list[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    return [f for f in features if f["properties"].get("role") == role]


def _plane(frame: EnuFrame, lon_lat_deg: list[Any]) -> FloatArray:
    lon, lat = np.asarray(lon_lat_deg, dtype=np.float64).T
    plane: FloatArray = frame.to_enu(lon, lat, frame.origin.alt_hae_m)[:, :2]
    return plane


def _line(lines: list[dict[str, Any]], frame: EnuFrame, sigma_m: float | None) -> OrientedLine:
    if len(lines) != 1:
        raise AskOperator(
            field="role = line",
            value=f"{len(lines)} features",
            allowed="exactly one line in a site",
            next_step="correct the site file",
        )
    properties = lines[0]["properties"]
    return OrientedLine(
        vertices_enu_m=_plane(frame, lines[0]["geometry"]["coordinates"]),
        our_side=properties["our_side"],
        sigma_m=[
            segment["accuracy_sigma_m"] if sigma_m is None else sigma_m
            for segment in properties["segments"]
        ],
    )
