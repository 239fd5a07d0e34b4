"""The oriented line knows its sides, its doubt and who crossed it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Point

from geo.line import OrientedLine

BENT = [(0.0, 0.0), (100.0, 0.0), (100.0, 80.0), (220.0, 80.0)]


def line(side="left", vertices=BENT, sigma=0.0):
    return OrientedLine(
        vertices_enu_m=vertices, our_side=side, sigma_m=[sigma] * (len(vertices) - 1)
    )


def test_left_and_right_mean_the_walkers():
    """Walking east, the left side is north."""
    point = [[50.0, 7.0]]
    assert line("left").signed_distance_m(point).tolist() == [7.0]
    assert line("right").signed_distance_m(point).tolist() == [-7.0]


@given(st.floats(0.1, 219.9), st.floats(-200, 300))
def test_distance_agrees_with_shapely(east, north):
    """The unsigned distance equals GEOS', an independent program's."""
    fix = line().project([[east, north]])
    expected = LineString(BENT).distance(Point(east, north))
    gap = np.linalg.norm(fix.foot_enu_m - [[east, north]], axis=1)
    assert gap[0] == pytest.approx(expected, abs=1e-9)
    if np.isfinite(fix.distance_m[0]):
        assert abs(fix.distance_m[0]) == pytest.approx(expected, abs=1e-9)


@given(st.floats(1, 219), st.floats(-60, 140))
def test_side_agrees_with_a_polygon(east, north):
    """Left of the bent line is exactly the polygon closed over its left."""
    from shapely.geometry import Polygon

    left = Polygon([*BENT, (220.0, 500.0), (0.0, 500.0)])
    distance = line().signed_distance_m([[east, north]])[0]
    if np.isfinite(distance) and abs(distance) > 1e-6:
        assert (distance > 0) == left.contains(Point(east, north))


def test_corner_has_the_right_sign_outside():
    """Off the outer side of a corner the nearest place is the vertex, and the sign holds."""
    assert line().signed_distance_m([[103.0, -4.0]])[0] == pytest.approx(-5.0)
    assert line().signed_distance_m([[97.0, 84.0]])[0] == pytest.approx(5.0)


def test_no_side_beyond_the_ends():
    """Past the perpendicular at either end the distance is nan, on it a number."""
    distance = line().signed_distance_m([[-0.1, 5.0], [220.1, 70.0], [0.0, 5.0], [220.0, 70.0]])
    assert np.isnan(distance).tolist() == [True, True, False, False]


def test_along_runs_through_the_segments():
    """The length along the line adds whole segments before the foot, and `at` undoes it."""
    fix = line().project([[105.0, 30.0]])
    assert fix.along_m.tolist() == [130.0]
    assert fix.segment.tolist() == [1]
    assert line().at(130.0).tolist() == [[100.0, 30.0]]


def test_probability_uses_both_doubts_across_only():
    """Target spread across the line and the line's sigma add in squares; along does not count."""
    straight = line(vertices=[(0, 0), (1000, 0)], sigma=4.0)
    cov = [[900.0, 0.0], [0.0, 9.0]]
    p = straight.probability_our_side([[500.0, 5.0], [500.0, -5.0], [500.0, 0.0]], cov)
    # Phi(1) for 5 m at sqrt(3^2 + 4^2) m.
    assert p == pytest.approx([0.841345, 0.158655, 0.5], abs=1e-6)


def test_probability_agrees_with_draws():
    """On a straight stretch the closed form equals counting draws."""
    straight = line(vertices=[(0, 0), (700, 700)])
    cov = np.array([[9.0, 4.0], [4.0, 5.0]])
    mean = np.array([350.0, 352.0])
    draws = np.random.default_rng(1).multivariate_normal(mean, cov, size=200_000)
    share = np.mean(straight.signed_distance_m(draws) > 0)
    assert straight.probability_our_side([mean], cov)[0] == pytest.approx(share, abs=0.005)


def test_probability_is_a_step_without_doubt():
    """A perfectly known target by a perfectly known line has a side."""
    p = line().probability_our_side([[50.0, 0.01], [50.0, -0.01]], np.zeros((2, 2)))
    assert p.tolist() == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ([(50, 10), (50, -10)], ["out"]),
        ([(50, -10), (50, 10)], ["in"]),
        ([(50, 10), (50, 0), (50, -10)], ["out"]),  # a stop on the line counts once
        ([(90, 5), (105, 20), (90, 35)], ["out", "in"]),  # walks past the corner outside
        ([(95, 5), (105, -5)], ["out"]),  # through the very corner
        ([(50, 10), (60, 10)], []),
    ],
)
def test_crossings_are_found_with_direction(path, expected):
    """Each passage is told once, in order, with its direction."""
    assert [c.direction for c in line().crossings(path)] == expected


def test_crossing_states_place_and_moment():
    """The place and the part of the leg come from the true intersection."""
    (crossing,) = line().crossings([(40.0, 30.0), (40.0, -10.0)])
    assert crossing.fraction == pytest.approx(0.75)
    assert crossing.place_enu_m == pytest.approx((40.0, 0.0))
    assert crossing.along_m == pytest.approx(40.0)


@given(
    st.lists(
        st.tuples(st.floats(20, 215), st.floats(-100, 200)).map(
            lambda p: (round(p[0], 3), round(p[1], 3))
        ),
        min_size=2,
        max_size=8,
    )
)
def test_crossings_join_the_sides(path):
    """A path's ends lie on different sides exactly when it crossed an odd number of times."""
    straight = line(vertices=[(0, 0.5005), (300, 20.25)])
    start, end = straight.signed_distance_m([path[0], path[-1]])
    count = len(straight.crossings(path))
    assert (start * end < 0) == (count % 2 == 1)


def test_swept_distance_sees_between_the_points():
    """A path whose corners are far but whose leg passes near the line is near."""
    path = [(-50.0, 40.0), (90.0, 40.0)]
    assert line().swept_distance_m(path) == pytest.approx(10.0)
    assert line().swept_distance_m([(90.0, 40.0), (110.0, 40.0)]) == 0.0
    assert line().swept_distance_m([(90.0, 40.0)]) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"vertices_enu_m": [(0, 0)]}, "vertices_enu_m"),
        ({"vertices_enu_m": [(0, 0), (0, 0)]}, "same place"),
        ({"vertices_enu_m": [(0, 0), (np.nan, 0)]}, "finite"),
        ({"our_side": "north"}, "our_side"),
        ({"sigma_m": [1.0, 2.0]}, "sigma_m"),
        ({"sigma_m": [-1.0]}, "sigma_m"),
    ],
)
def test_impossible_line_is_refused(change, word):
    """Every broken line is refused with the field's name."""
    good = {"vertices_enu_m": [(0, 0), (1, 0)], "our_side": "left", "sigma_m": [2.0]}
    with pytest.raises(ValueError, match=word):
        OrientedLine(**good | change)
