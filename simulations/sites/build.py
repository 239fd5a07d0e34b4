"""Build the demonstration site Ha Tien from public map data.

``python -m simulations.sites.build --data DIR`` writes site.geojson and basemap.pmtiles. What it
writes is committed; the source data is not. The line is the simulator's own truth, and no claim
about any border: see NOTICE.md beside the files.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from geo.frames import EnuFrame, GeodeticPoint
from geo.line import OrientedLine, Side
from simulations.sites.basemap import write_basemap

SITE = Path(__file__).parent / "ha_tien"
MARKER_314_DEG = (104.440722, 10.423528)
DATE = "2026-11-23"
SECTOR_LENGTH_M = 13_000.0
SIGMA_M = 2.0
# Only marker 314 is published; the others stand here so that the map has something to say.
SAMPLE_MARKERS = (
    ("313", 1_000.0),
    ("312", 3_400.0),
    ("311", 5_800.0),
    ("310", 8_200.0),
    ("309", 10_600.0),
)
SOURCE = "simulated truth"
# No street of a town: a place that must lie on our side, to check which side that is.
OUR_TOWN = "Hà Tiên"


def main(
    data: Annotated[Path, typer.Option(help="folder that holds geo/ with the public map data")],
    out: Annotated[Path, typer.Option(help="folder to write into")] = SITE,
) -> None:
    """Write site.geojson and basemap.pmtiles of the demonstration site."""
    geo = data / "geo"
    course = _line_course(_read(geo / "border_vnm_khm_osm1m.geojson"))
    places = _read(geo / "places_geonames_cities.geojson")["features"]
    frame = EnuFrame(GeodeticPoint(lon_deg=MARKER_314_DEG[0], lat_deg=MARKER_314_DEG[1]))
    course, line = _clip(course, frame, _our_side(course, frame, places))
    features = [
        _line_feature(course, line.our_side),
        *_markers(line, frame),
        *_zones(line, frame),
        *_places(places),
    ]
    collection = {
        "type": "FeatureCollection",
        "name": "ha_tien",
        "name_vi": "Hà Tiên (minh họa)",
        "name_en": "Ha Tien (demonstration)",
        "notice": "demonstration, not authoritative; (c) OpenStreetMap contributors (ODbL 1.0), GeoNames (CC BY 4.0)",
        "features": features,
    }
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(collection, ensure_ascii=False, indent=1)
    (out / "site.geojson").write_text(text + "\n", encoding="utf-8")
    tiles = write_basemap(
        sea=_read(geo / "osm_earth-seas_clip.geojson"),
        water=_read(geo / "osm_earth-waterbodies_clip.geojson"),
        border=_read(geo / "border_vnm_khm_osm1m.geojson"),
        path=out / "basemap.pmtiles",
    )
    typer.echo(f"{len(features)} features, {tiles} tiles in {out}", err=True)


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _line_course(document: dict[str, Any]) -> list[tuple[float, float]]:
    """Take OpenStreetMap's course and lead it through marker 314, the vertex nearest to it."""
    vertices = [(float(x), float(y)) for x, y in document["features"][0]["geometry"]["coordinates"]]
    away = [np.hypot(x - MARKER_314_DEG[0], y - MARKER_314_DEG[1]) for x, y in vertices]
    vertices[int(np.argmin(away))] = MARKER_314_DEG
    return vertices


def _enu(frame: EnuFrame, course: list[tuple[float, float]]) -> Any:
    lon, lat = np.array(course).T
    return frame.to_enu(lon, lat, 0.0)[:, :2]


def _our_side(
    course: list[tuple[float, float]], frame: EnuFrame, places: list[dict[str, Any]]
) -> Side:
    """Find the side that holds our town, instead of believing the order of the vertices."""
    (town,) = [p for p in places if p["properties"]["name"] == OUR_TOWN]
    vertices = _enu(frame, course)
    line = OrientedLine(
        vertices_enu_m=vertices, our_side="left", sigma_m=np.zeros(len(vertices) - 1)
    )
    return (
        "left"
        if line.signed_distance_m(_enu(frame, [town["geometry"]["coordinates"]])) > 0
        else "right"
    )


def _clip(
    course: list[tuple[float, float]], frame: EnuFrame, side: Side
) -> tuple[list[tuple[float, float]], OrientedLine]:
    """Keep the sector's length from the coast, with a vertex at its very end."""
    vertices = _enu(frame, course)
    whole = OrientedLine(
        vertices_enu_m=vertices, our_side=side, sigma_m=np.zeros(len(vertices) - 1)
    )
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(vertices, axis=0).T))))
    kept = [c for c, a in zip(course, along, strict=True) if a < SECTOR_LENGTH_M]
    end = whole.at(SECTOR_LENGTH_M)[0]
    lon, lat, _ = frame.to_geodetic([[end[0], end[1], 0.0]])[0]
    kept.append((float(lon), float(lat)))
    kept = [(round(x, 7), round(y, 7)) for x, y in kept]
    line = OrientedLine(
        vertices_enu_m=_enu(frame, kept), our_side=side, sigma_m=np.full(len(kept) - 1, SIGMA_M)
    )
    return kept, line


def _feature(shape: str, coordinates: Any, /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": shape, "coordinates": coordinates},
    }


def _line_feature(course: list[tuple[float, float]], side: Side) -> dict[str, Any]:
    return _feature(
        "LineString",
        course,
        role="line",
        id="demo-line",
        name_vi="Đường minh họa (mô phỏng)",
        name_en="Demonstration line (simulated)",
        our_side=side,
        source=SOURCE,
        date=DATE,
        datum="WGS84",
        segments=[{"accuracy_sigma_m": SIGMA_M, "status": "demarcated"} for _ in course[1:]],
    )


def _at(line: OrientedLine, frame: EnuFrame, along_m: float, across_m: float = 0.0) -> list[float]:
    """Return lon, lat of a place so far along the line and so far inside our side.

    Lengths count from marker 314; the line itself begins a little before it, at the sea.
    """
    start = float(line.project([[0.0, 0.0]]).along_m[0])
    foot = line.at(start + along_m)
    fix = line.project(foot)
    east, north = (foot + across_m * line.normals[fix.segment])[0]
    lon, lat, _ = frame.to_geodetic([[east, north, 0.0]])[0].tolist()
    return [round(lon, 7), round(lat, 7)]


def _markers(line: OrientedLine, frame: EnuFrame) -> list[dict[str, Any]]:
    last = _feature(
        "Point",
        list(MARKER_314_DEG),
        role="marker",
        number="314",
        kind="special",
        status="built",
        datum="WGS84",
        source="press, 10°25'24.7\" N 104°26'26.6\" E",
    )
    samples = [
        _feature(
            "Point",
            _at(line, frame, along),
            role="marker",
            number=number,
            kind="A" if number == "313" else "main",
            status="sample",
            datum="WGS84",
            source="placed along the demonstration line; not the real position",
        )
        for number, along in SAMPLE_MARKERS
    ]
    return [last, *samples]


def _zones(line: OrientedLine, frame: EnuFrame) -> list[dict[str, Any]]:
    def strip(from_m: float, to_m: float, near_m: float, far_m: float) -> list[list[list[float]]]:
        """Walk along the near edge and back along the far one; corners every 250 m."""
        steps = np.linspace(from_m, to_m, max(2, int(abs(to_m - from_m) / 250.0) + 1))
        ring = [_at(line, frame, float(s), near_m) for s in steps]
        ring += [_at(line, frame, float(s), far_m) for s in steps[::-1]]
        return [[*ring, ring[0]]]

    gate_hours = {"timezone": "Asia/Ho_Chi_Minh", "days": "1-7", "from": "06:00", "to": "22:00"}
    rows: list[tuple[str, str, str, str, list[list[list[float]]], dict[str, Any]]] = [
        ("watch", "belt-314", "Vành đai biên giới, mốc 314", "Border belt, marker 314",
         strip(0.0, 1_300.0, 0.0, 200.0), {}),
        ("restricted", "picket-314", "Khu vực cấm quanh chốt 314", "Restricted area around picket 314",
         strip(560.0, 620.0, 60.0, 110.0), {}),
        ("ignore", "home-314", "Nhà dân gần mốc 314", "Homes near marker 314",
         strip(300.0, 360.0, 110.0, 170.0), {}),
        ("gate", "gate-313", "Cửa khẩu (mẫu) tại mốc 313", "Gate (sample) at marker 313",
         strip(960.0, 1_040.0, -40.0, 60.0), {"schedule": [gate_hours]}),
    ]  # fmt: skip
    return [
        _feature(
            "Polygon", ring, role=role, id=key, name_vi=vi, name_en=en, status="sample", **more
        )
        for role, key, vi, en, ring, more in rows
    ]


def _places(places: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = []
    for place in places:
        lon, lat = place["geometry"]["coordinates"]
        if 104.3 < lon < 104.8 and 10.2 < lat < 10.62:
            kept.append(
                _feature(
                    "Point",
                    [lon, lat],
                    role="place",
                    name=place["properties"]["name"],
                    country=place["properties"]["country"],
                )
            )
    return sorted(kept, key=lambda f: str(f["properties"]["name"]))


if __name__ == "__main__":
    typer.run(main)
