"""Tables of points: read in the forms people save them, and every error says where."""

import json

import pytest

from edge.calibrate.points import read_points
from runtime.errors import AskOperator
from tests.unit.edge.calibrate.landscape import LENS


def _read(path, **given):
    words = {"sigma_px": 1.5, "sigma_m": 0.05, "geoid_m": None, "ground_hae_m": None} | given
    return read_points(path, LENS, **words)


def test_csv_with_units_or_without_is_the_same(tmp_path):
    """Headings may carry the unit, separators may be a comma or a semicolon."""
    plain, german = tmp_path / "a.csv", tmp_path / "b.csv"
    plain.write_text("name,lat,lon,alt_hae,u,v\nA,10.42,104.44,-11,100,200.5\n", encoding="utf-8")
    german.write_text(
        "\ufeffname;lat_deg;lon_deg;alt_hae_m;u_px;v_px\n# a note\nA;10.42;104.44;-11;100;200.5\n",
        encoding="utf-8",
    )
    (one,), (other,) = _read(plain), _read(german)
    assert (100.0, 200.5) == one.pixel == other.pixel
    assert (10.42, 104.44, -11.0) == (other.lat_deg, other.lon_deg, other.alt_hae_m)


def test_geojson_gives_the_same(tmp_path):
    """GeoJSON counts longitude first."""
    path = tmp_path / "p.geojson"
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [104.44, 10.42, -11.0]},
        "properties": {"name": "A", "u_px": 100, "v_px": 200.5, "sigma_px": 2},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    (point,) = _read(path)
    assert (104.44, 10.42, -11.0, 2.0) == (
        point.lon_deg,
        point.lat_deg,
        point.alt_hae_m,
        point.sigma_px,
    )


def test_height_above_the_sea_needs_the_geoid(tmp_path):
    """The two heights are never mixed up: one becomes the other by the geoid, or not at all."""
    path = tmp_path / "p.csv"
    path.write_text("lat,lon,alt_msl,u,v\n10.42,104.44,1.5,100,200\n")
    (point,) = _read(path, geoid_m=lambda _lon, _lat: -12.0)
    assert -10.5 == point.alt_hae_m
    with pytest.raises(AskOperator, match="--geoid"):
        _read(path)


def test_point_without_a_height_lies_on_the_ground(tmp_path):
    """And says that it does."""
    path = tmp_path / "p.csv"
    path.write_text("lat,lon,u,v\n10.42,104.44,100,200\n")
    (point,) = _read(path, ground_hae_m=lambda _lon, _lat: -10.0)
    assert (-10.0, False) == (point.alt_hae_m, point.height_told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lat,lon,u\n1,2,3\n", "add v"),  # a column is missing
        ("lat,lon,u,v,w\n1,2,3,4,5\n", "rename w"),  # a column nobody knows
        ("lat,lon,alt_hae,u,v\n10,x,0,3,4\n", "line 2: lon"),  # no number
        ("lat,lon,alt_hae,u,v\n10,204,0,3,4\n", "line 2: lon"),  # off the globe
        ("lat,lon,alt_hae,u,v\n10,nan,0,3,4\n", "line 2: lon"),  # not finite
        ("lat,lon,alt_hae,u,v\n10,104,0,3,4000\n", "line 2: v"),  # outside the picture
        ("lat,lon,alt_hae,u,v\n10,104,0,3,4,5\n", "line 2"),  # a decimal comma
        ("lat,lon,u,v\n10,104,3,4\n", "ground"),  # no height at all
        ("lat,lon,alt_hae,u,v\n", "no rows"),
        ("", "no rows"),
    ],
)
def test_bad_tables_say_where_and_what_to_do(tmp_path, text, told):
    """File, line, value, what is allowed, next step."""
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(AskOperator) as caught:
        _read(path)
    assert "points.csv" in str(caught.value)
    assert told in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    """A spreadsheet saved as such is no CSV."""
    path = tmp_path / "points.csv"
    path.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(AskOperator, match="UTF-8"):
        _read(path)
    with pytest.raises(AskOperator, match="correct the path"):
        _read(tmp_path / "none.csv")
