"""A site file is read whole or refused whole, with every error explained."""

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ground_station.zones import IMPORTED_SIGMA_M, Site, ZonesError, read_site, zones_document
from tests.unit.ground_station.walks import (
    LAT,
    LON,
    collection,
    line_feature,
    lon_lat,
    marker,
    site,
    square,
    zone,
)
from wire.codec import decode_zones, zones_text

ROOT = Path(__file__).resolve().parents[3]


def refused(document):
    """The problems of a document, as (feature, field) and as text."""
    with pytest.raises(ZonesError) as caught:
        Site.from_geojson(document)
    problems = caught.value.problems
    return {(p.feature, p.field) for p in problems}, str(caught.value)


def test_demonstration_site_is_accepted():
    """The shipped site has one line, six markers and a stated accuracy everywhere."""
    demo = read_site(ROOT / "simulations" / "sites" / "ha_tien" / "site.geojson")
    assert ["309", "310", "311", "312", "313", "314"] == sorted(m.number for m in demo.markers)
    assert [] == demo.notices
    assert {2.0} == set(demo.line.sigma_m.tolist())


def test_line_without_accuracy_starts_at_75_m_and_says_so():
    """Nobody's import is believed to the metre by silence."""
    imported = Site.from_geojson(collection(segments=None))
    assert [IMPORTED_SIGMA_M] == imported.line.sigma_m.tolist()
    assert 1 == len(imported.notices)
    assert "75 m" in imported.notices[0]


def test_our_side_is_the_stated_one():
    """South of a line drawn from west to east is its right."""
    right, left = site(our_side="right"), site(our_side="left")
    place = [right.enu(*lon_lat(0, -10))]
    assert right.line.signed_distance_m(place)[0] == pytest.approx(10, abs=0.1)
    assert left.line.signed_distance_m(place)[0] == pytest.approx(-10, abs=0.1)


def test_nearest_marker_is_named_with_distance_and_direction():
    """180 m east of marker 309 is said so, with the marker's commune."""
    place = site(marker("310", 400.0, commune="Hà Tiên"))
    fix = place.nearest_marker(*place.enu(*lon_lat(180, 0)))
    assert fix is not None
    assert "309" == fix.number
    assert fix.distance_m == pytest.approx(180, abs=0.5)
    assert fix.azimuth_deg == pytest.approx(90, abs=1)
    other = place.nearest_marker(*place.enu(*lon_lat(380, 0)))
    assert other is not None
    assert ("310", "Hà Tiên") == (other.number, other.commune)


def test_place_with_an_area_gives_the_commune():
    """A commune's outline wins over the marker's word."""
    area = {
        "type": "Feature",
        "properties": {"role": "place", "name": "Phường", "commune": "Phường Hà Tiên"},
        "geometry": {"type": "Polygon", "coordinates": square(0, -50, 60)},
    }
    place = site(area)
    assert "Phường Hà Tiên" == place.commune(*place.enu(*lon_lat(0, -20)))
    assert "" == place.commune(*place.enu(*lon_lat(300, 0)))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"our_side": "south"}, "properties.our_side"),
        ({"source": ""}, "properties.source"),
        ({"date": "23/11/2026"}, "properties.date"),
        ({"datum": "VN-2000"}, "properties.datum"),
        ({"datum": None}, "properties.datum"),
        ({"segments": []}, "properties.segments"),
        ({"segments": [{"accuracy_sigma_m": -1}]}, "properties.segments[0].accuracy_sigma_m"),
        ({"segments": [{"accuracy_sigma_m": True}]}, "properties.segments[0].accuracy_sigma_m"),
        ({"segments": [{"status": "maybe"}]}, "properties.segments[0].status"),
        ({"segments": ["2 m"]}, "properties.segments[0]"),
    ],
)
def test_wrong_line_field_is_named(change, field):
    """Each field of the line that is wrong is named by feature and path."""
    fields, text = refused(collection(**change))
    assert {(0, field)} == fields
    assert "allowed is" in text


@pytest.mark.parametrize(
    ("feature", "field"),
    [
        ({"type": "Feature", "properties": {"role": "camp"}}, "properties.role"),
        ({"type": "Feature", "properties": None, "geometry": None}, "properties.role"),
        ("not a feature", "type"),
        (marker("3,14", 10.0), "properties.number"),
        (marker(314, 10.0), "properties.number"),
        (marker("309", 10.0), "properties.number"),
        (zone("restricted", "a:b", 0, -50), "properties.id"),
        (zone("restricted", "a", 0, -50, name_vi=""), "properties.name_vi"),
        (zone("gate", "g", 0, 0, schedule="always"), "properties.schedule"),
        (zone("gate", "g", 0, 0, schedule=[{"from": "6:00", "to": "22:00"}]),
         "properties.schedule[0].from"),
        (zone("gate", "g", 0, 0, schedule=[{"from": "06:00", "to": "25:00"}]),
         "properties.schedule[0].to"),
        (zone("gate", "g", 0, 0, schedule=[{"from": "06:00", "to": "22:00", "days": "mon"}]),
         "properties.schedule[0].days"),
        (zone("gate", "g", 0, 0, schedule=[{"from": "06:00", "to": "22:00", "timezone": "Hanoi"}]),
         "properties.schedule[0].timezone"),
        (line_feature(), "properties.role"),
    ],
)  # fmt: skip
def test_wrong_feature_is_named(feature, field):
    """A wrong role, number, id, name, schedule or a second line is named, with its index."""
    fields, _ = refused(collection(feature))
    assert (2, field) in fields


def with_geometry(feature, kind, coordinates):
    return {**feature, "geometry": {"type": kind, "coordinates": coordinates}}


@pytest.mark.parametrize(
    ("kind", "coordinates", "hint"),
    [
        ("Point", [LON, LAT], "LineString"),
        ("MultiLineString", [[lon_lat(0, 0), lon_lat(9, 9)]], "split a Multi-geometry"),
        ("LineString", [lon_lat(0, 0)], "2 to"),
        ("LineString", [lon_lat(0, 0), lon_lat(0, 0), lon_lat(9, 9)], "another place"),
        ("LineString", [lon_lat(0, 0), [LON, None]], "finite"),
        ("LineString", [lon_lat(0, 0), [LON, float("nan")]], "finite"),
        ("LineString", [[LAT, LON], [LAT, LON + 0.1]], "longitude first"),
        ("LineString", [[493313.4, 1152697.5], [493400.0, 1152700.0]], "map grid"),
        ("LineString", [lon_lat(*p) for p in ((0, 0), (100, 0), (100, 50), (50, -50))], "cross"),
        ("LineString", [lon_lat(0, 0), [LON + 0.9, LAT]], "several sites"),
    ],
)
def test_wrong_course_is_explained(kind, coordinates, hint):
    """A line that is no line, or lies nowhere, says what to do about it."""
    line = with_geometry(line_feature(segments=None), kind, coordinates)
    document = {"type": "FeatureCollection", "features": [line]}
    _, text = refused(document)
    assert hint in text


@pytest.mark.parametrize(
    ("rings", "hint"),
    [
        ([square(0, 0, 10)[0][:-1]], "closed"),
        ([*square(0, 0, 10), *square(0, 0, 5)], "no holes"),
        ([[lon_lat(*p) for p in ((0, 0), (10, 10), (10, 0), (0, 10), (0, 0))]], "cross"),
        ([[lon_lat(*p) for p in ((0, 0), (10, 0), (5, 0), (0, 0))]], "area"),
    ],
)
def test_wrong_ring_is_explained(rings, hint):
    """A zone is one closed ring around some ground."""
    _, text = refused(collection(with_geometry(zone("watch", "z", 0, 0), "Polygon", rings)))
    assert hint in text


def test_shapes_that_vanish_in_metres_are_refused():
    """Two longitudes at the pole are one place; a place's outline needs an area as a zone does."""
    pole = with_geometry(line_feature(segments=None), "LineString", [[0.0, 90.0], [90.0, 90.0]])
    _, text = refused({"type": "FeatureCollection", "features": [pole]})
    assert "same place on the ground" in text
    flat = [lon_lat(*p) for p in ((0, 0), (10, 0), (5, 0), (0, 0))]
    place = with_geometry(marker("1", 0), "Polygon", [flat])
    place["properties"] = {"role": "place", "name": "x"}
    _, text = refused(collection(place))
    assert "some ground" in text


def test_all_errors_come_at_once():
    """Five mistakes are told in one go, not one by one."""
    fields, text = refused(
        collection(marker("x", 1.0), zone("gate", "?", 0, 0, name_en=""), our_side="", date="")
    )
    assert {
        (0, "properties.our_side"),
        (0, "properties.date"),
        (2, "properties.number"),
        (3, "properties.id"),
        (3, "properties.name_en"),
    } == fields
    assert 5 == len(text.splitlines())


@pytest.mark.parametrize("document", [None, [], {}, {"type": "FeatureCollection"}, 7, "x"])
def test_what_is_no_collection_is_refused(document):
    """Anything but a FeatureCollection is refused by its type."""
    with pytest.raises(ZonesError):
        Site.from_geojson(document)


def test_a_site_without_a_line_is_refused():
    """Without a line nothing can be judged."""
    _, text = refused({"type": "FeatureCollection", "features": [marker("1", 0.0)]})
    assert "border line" in text


@pytest.mark.parametrize("content", [b"\xff", b"{", b'{"type": NaN}', b"[" * 5000])
def test_unreadable_file_is_refused_by_name(tmp_path, content):
    """A file that is no JSON names itself."""
    path = tmp_path / "site.geojson"
    path.write_bytes(content)
    with pytest.raises(ZonesError, match=r"site\.geojson"):
        read_site(path)
    with pytest.raises(ZonesError, match=r"nowhere\.geojson"):
        read_site(tmp_path / "nowhere.geojson")


@pytest.mark.parametrize(
    ("local", "open_now"),
    [
        ("2026-11-23T05:59:59+07:00", False),
        ("2026-11-23T06:00:00+07:00", True),
        ("2026-11-23T21:59:59+07:00", True),
        ("2026-11-23T22:00:00+07:00", False),
        ("2026-11-22T12:00:00+07:00", False),  # a Sunday
    ],
)
def test_gate_keeps_local_hours(local, open_now):
    """Monday to Saturday, 06:00 to 22:00 in Viet Nam."""
    hours = {"timezone": "Asia/Ho_Chi_Minh", "days": "1-6", "from": "06:00", "to": "22:00"}
    gate = site(zone("gate", "g", 0, 0, schedule=[hours])).zones[0]
    assert open_now == gate.active(datetime.fromisoformat(local).astimezone(timezone.utc))


@pytest.mark.parametrize(
    ("local", "holds"),
    [
        ("2026-11-23T23:00:00+07:00", True),
        ("2026-11-24T03:00:00+07:00", True),  # Tuesday morning belongs to Monday's night
        ("2026-11-23T03:00:00+07:00", False),
        ("2026-11-24T23:00:00+07:00", False),
    ],
)
def test_hours_go_over_midnight(local, holds):
    """Monday's night ends on Tuesday."""
    hours = {"days": "1", "from": "22:00", "to": "05:00"}
    gate = site(zone("gate", "g", 0, 0, schedule=[hours])).zones[0]
    assert holds == gate.active(datetime.fromisoformat(local).astimezone(timezone.utc))


def test_document_for_the_nodes_is_the_file_itself():
    """What is signed decodes to the same features, and nothing wrong is ever made ready to sign."""
    features = collection(zone("no_go", "n", 0, 40))
    document = zones_document(
        features=features, site_id="ha-tien", version=3,
        issued_at_utc=datetime(2026, 11, 23, tzinfo=timezone.utc),
    )  # fmt: skip
    again = decode_zones(zones_text(document))
    assert 3 == again.version
    assert json.loads(json.dumps(features)) == again.features
    with pytest.raises(ZonesError):
        zones_document(
            features=collection(our_side="up"), site_id="ha-tien", version=4,
            issued_at_utc=datetime(2026, 11, 23, tzinfo=timezone.utc),
        )  # fmt: skip
