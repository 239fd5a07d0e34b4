"""The demonstration site says what it is, lies where it should, and rebuilds to the byte."""

import gzip
import json
import sys

import mapbox_vector_tile
import numpy as np
import pytest
from pmtiles.reader import MemorySource, Reader

from geo.line import OrientedLine
from simulations.scenario import SITES

FOLDER = SITES / "ha_tien"
FEATURES = json.loads((FOLDER / "site.geojson").read_text(encoding="utf-8"))["features"]


def by_role(role):
    return [f for f in FEATURES if f["properties"]["role"] == role]


def degrees_line():
    (line,) = by_role("line")
    vertices = np.array(line["geometry"]["coordinates"])
    scale = np.array([np.cos(np.radians(10.4)), 1.0]) * 111_000
    n = len(vertices) - 1
    return OrientedLine(
        vertices_enu_m=vertices * scale, our_side=line["properties"]["our_side"], sigma_m=[0.0] * n
    ), scale


def test_our_side_is_viet_nam():
    """Ha Tien lies on our side of the line, and no place marked KH does."""
    line, scale = degrees_line()
    towns = {p["properties"]["name"]: p["geometry"]["coordinates"] for p in by_role("place")}
    assert line.signed_distance_m([np.array(towns["Hà Tiên"]) * scale])[0] > 2_000
    abroad = [
        p["geometry"]["coordinates"] for p in by_role("place") if p["properties"]["country"] == "KH"
    ]
    assert len(abroad) >= 4
    assert not np.any(line.signed_distance_m(np.array(abroad) * scale) > 0)


def test_line_passes_through_marker_314():
    """The published marker is a vertex of the line; the others lie on it and are samples."""
    (line,) = by_role("line")
    assert [104.440722, 10.423528] in line["geometry"]["coordinates"]
    oriented, scale = degrees_line()
    markers = {m["properties"]["number"]: m for m in by_role("marker")}
    assert set(markers) == {"309", "310", "311", "312", "313", "314"}
    for number, marker in markers.items():
        assert marker["properties"]["status"] == ("built" if number == "314" else "sample")
        away = oriented.signed_distance_m([np.array(marker["geometry"]["coordinates"]) * scale])
        assert abs(away[0]) < 1.0


def test_line_owns_up_to_what_it_is():
    """Source, datum and accuracy are stated for every segment."""
    properties = by_role("line")[0]["properties"]
    assert properties["source"] == "simulated truth"
    assert properties["datum"] == "WGS84"
    count = len(by_role("line")[0]["geometry"]["coordinates"]) - 1
    assert properties["segments"] == [{"accuracy_sigma_m": 2.0, "status": "demarcated"}] * count


def test_every_zone_role_speaks_both_languages():
    """Watch, restricted, ignore and gate each have a closed ring and two names."""
    zones = [f for f in FEATURES if f["geometry"]["type"] == "Polygon"]
    assert {z["properties"]["role"] for z in zones} == {"watch", "restricted", "ignore", "gate"}
    for zone in zones:
        assert zone["properties"]["name_vi"]
        assert zone["properties"]["name_en"]
        ring = zone["geometry"]["coordinates"][0]
        assert ring[0] == ring[-1]


def test_the_station_accepts_the_site():
    """The product's own reader takes the file without a word."""
    from ground_station.zones import read_site

    assert len(read_site(FOLDER / "site.geojson").zones_of("watch")) == 1


def test_base_map_has_land_sea_and_attribution():
    """The tile over Ha Tien holds every layer, and the file names its source."""
    reader = Reader(MemorySource((FOLDER / "basemap.pmtiles").read_bytes()))
    assert "OpenStreetMap" in reader.metadata()["attribution"]
    tile = mapbox_vector_tile.decode(gzip.decompress(reader.get(10, 809, 482)))
    assert {"land", "sea", "border"} <= set(tile)
    assert reader.header()["min_zoom"] == 4
    assert reader.header()["max_zoom"] == 14


def test_notice_speaks_both_languages_and_names_the_licences():
    """Whoever opens the folder learns that nothing here is authoritative."""
    text = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")
    for word in ("không có giá trị pháp lý", "not authoritative", "ODbL 1.0", "CC BY 4.0"):
        assert word in text


@pytest.mark.data
def test_site_rebuilds_to_the_byte(tmp_path, data_dir):
    """The committed files are what the script makes of the public data."""
    from simulations.sites.build import main

    main(data=data_dir, out=tmp_path)
    # Before Python 3.11 gzip wrote another mark of the system into its header.
    made = ["site.geojson", *(["basemap.pmtiles"] if sys.version_info >= (3, 11) else [])]
    for name in made:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
