"""Whatever stands in a site file: it is read, or it is refused with its problems. Nothing else."""

import copy
import json
from datetime import datetime, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from ground_station.zones import Site, ZonesError
from tests.unit.ground_station.walks import collection, marker, square, zone

GOOD = collection(
    marker("293/3", 40.0, commune="Hà Tiên"),
    zone("restricted", "r", 0, -40),
    zone("gate", "g", 0, 0, schedule=[{"from": "22:00", "to": "05:00", "days": "1-5,7"}]),
    zone("no_go", "n", 50, 30),
    {
        "type": "Feature",
        "properties": {"role": "place", "name": "Hà Tiên"},
        "geometry": {"type": "Polygon", "coordinates": square(0, -50, 60)},
    },
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(max_size=12)
    | st.sampled_from(["line", "marker", "Polygon", "Point", "left", "WGS84", "24:00", "7-1"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def paths(value, here=()):
    """Every place in a JSON value."""
    yield here
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*here, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*here, index))


NIGHT = datetime(2026, 11, 23, tzinfo=timezone.utc)
PLACES = sorted((path for path in paths(GOOD) if path), key=str)


def changed(document, path, value, *, drop):
    found = copy.deepcopy(document)
    owner = found
    for step in path[:-1]:
        owner = owner[step]
    if drop:
        del owner[path[-1]]
    else:
        owner[path[-1]] = value
    return found


def read_or_refuse(document):
    try:
        site = Site.from_geojson(document)
    except ZonesError as error:
        assert error.problems
        assert all(p.field and p.allowed and p.next_step for p in error.problems)
        assert str(error)
        return
    # What is accepted can be used.
    assert len(site.line.sigma_m) >= 1
    for one in site.zones:
        one.active(NIGHT)
    site.nearest_marker(0.0, 0.0)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), JSON, st.booleans())
def test_one_wrong_place_is_refused_or_harmless(path, value, drop):
    """A value replaced by anything, or gone."""
    read_or_refuse(changed(GOOD, path, value, drop=drop))


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_json_is_refused_or_read(value):
    """Not even the shape of a collection is taken for granted."""
    read_or_refuse(value)
    read_or_refuse({"type": "FeatureCollection", "features": value})


def test_the_good_site_is_good():
    """The fuzz starts from something that is accepted, also after a trip through JSON."""
    assert 4 == len(Site.from_geojson(json.loads(json.dumps(GOOD))).zones) + 1
