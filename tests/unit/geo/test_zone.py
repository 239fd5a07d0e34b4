"""Zones know inside from outside, and how sure that is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point
from shapely.geometry import Polygon as Oracle

from geo.zone import Polygon

STAR = [(0, 0), (40, 10), (80, 0), (60, 40), (80, 80), (40, 60), (0, 80), (20, 40)]


@given(st.floats(-20, 100), st.floats(-20, 100))
def test_inside_and_distance_agree_with_shapely(east, north):
    """GEOS, an independent program, gives the same side and distance to the edge."""
    oracle = Oracle(STAR)
    distance = Polygon(STAR).signed_distance_m([[east, north]])[0]
    expected = oracle.exterior.distance(Point(east, north))
    assert abs(distance) == pytest.approx(expected, abs=1e-9)
    if expected > 1e-9:
        assert (distance > 0) == oracle.contains(Point(east, north))


@pytest.mark.parametrize(
    ("mean", "cov"),
    [
        ((40, 40), [[100, 0], [0, 100]]),
        ((60, 38), [[30, 20], [20, 60]]),
        ((-5, -5), [[400, -100], [-100, 200]]),
        ((40, 12), [[0.5, 0], [0, 90]]),
    ],
)
def test_probability_agrees_with_draws(mean, cov):
    """The integral round the edge equals counting draws."""
    draws = np.random.default_rng(3).multivariate_normal(mean, cov, size=300_000)
    share = Polygon(STAR).contains(draws).mean()
    assert Polygon(STAR).probability_inside([mean], cov)[0] == pytest.approx(share, abs=0.004)


@given(st.floats(-20, 100), st.floats(-20, 100), st.floats(0.01, 50), st.booleans())
def test_probability_is_a_probability(east, north, sigma, backwards):
    """It stays within 0..1, and the direction of drawing does not matter."""
    ring = STAR[::-1] if backwards else STAR
    cov = np.eye(2) * sigma**2
    p = Polygon(ring).probability_inside([[east, north]], cov)[0]
    assert 0.0 <= p <= 1.0
    assert p == pytest.approx(Polygon(STAR).probability_inside([[east, north]], cov)[0], abs=1e-6)


def test_probability_far_from_the_edge_is_certain():
    """Metres of accuracy inside a zone of kilometres is inside, and outside is outside."""
    big = Polygon([(-5000, -4000), (6000, -5000), (5500, 5000), (-4500, 6000)])
    p = big.probability_inside([[0, 0], [20_000, 0]], np.eye(2) * 4.0)
    assert p == pytest.approx([1.0, 0.0], abs=1e-5)


def test_known_target_has_no_doubt():
    """A covariance of zero answers with a step."""
    p = Polygon(STAR).probability_inside([[40, 40], [40, 9]], np.zeros((2, 2)))
    assert p == pytest.approx([1.0, 0.0], abs=1e-4)


@pytest.mark.parametrize(
    ("ring", "word"),
    [
        ([(0, 0), (1, 1)], "three corners"),
        ([(0, 0), (1, 1), (0, 0)], "three corners"),
        ([(0, 0), (1, 1), (2, 2)], "no area"),
        ([(0, 0), (1, np.inf), (2, 2)], "finite"),
    ],
)
def test_impossible_zone_is_refused(ring, word):
    """A ring that encloses nothing says what is wrong."""
    with pytest.raises(ValueError, match=word):
        Polygon(ring)


def test_area_ignores_direction_and_closing():
    """A closed ring drawn clockwise has the same area."""
    ring = [(0, 0), (0, 10), (20, 10), (20, 0), (0, 0)]
    assert Polygon(ring).area_m2 == pytest.approx(200.0)


@given(
    st.floats(-400, 400), st.floats(-400, 400), st.floats(0.0, 300.0)
)  # the box round a polygon is never smaller than the polygon
def test_beyond_never_says_far_of_a_place_that_is_near(east_m, north_m, distance_m):
    """Cheap and one-sided: whoever is surely farther away is, whoever is near is never sent off."""
    polygon = Polygon([[0, 0], [100, 20], [60, 120], [-30, 70]])
    if polygon.beyond(east_m, north_m, distance_m):
        assert polygon.signed_distance_m([[east_m, north_m]])[0] < -distance_m + 1e-9
    assert polygon.beyond(east_m + 2_000.0, north_m, distance_m)
