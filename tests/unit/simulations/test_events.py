"""Human events, habits by the clock, sun and weather: what the score is measured against."""

from datetime import datetime, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.scenario import Scenario
from simulations.world import World

CAMERA = {
    "id": "c", "along_m": 430, "across_m": 40, "height_m": 6, "azimuth_deg": 350,
    "pitch_deg": -5, "hfov_deg": 30,
}  # fmt: skip
WAY = [[430, -10], [430, 10]]


def world(*actors, **changes):
    base = {
        "name": "t", "seed": 1, "start_utc": "2026-11-23T00:00:00Z", "duration_s": 100,
        "camera": [CAMERA],
        "actor": [{"id": f"a{k}", "path_along_across_m": WAY} | a for k, a in enumerate(actors)],
    }  # fmt: skip
    return World(Scenario.model_validate(base | changes))


def test_a_group_is_one_event_of_its_people():
    """Four walkers together pass once; the event begins with the first of them on the line."""
    here = world({"count": 4})
    (event,) = here.events(0, 100)
    times = [passage.t_s for passage in here.crossings(0, 100)]
    assert 4 == event.people
    assert (min(times), max(times)) == (event.t_cross_s, event.t_last_s)
    assert "in" == event.direction


def test_each_coming_and_each_return_is_an_event_of_its_own():
    """Who comes again has crossed again; who goes back has crossed the other way."""
    comings = world({"repeat_every_s": 200.0}, duration_s=600).events(0, 600)
    assert ["a0/0", "a0/1", "a0/2"] == [event.event_id for event in comings]
    there = world({"there_and_back": True, "speed_m_s": 0.2}).events(0, 220)
    assert [("a0/0", "in"), ("a0/0#2", "out")] == [(e.event_id, e.direction) for e in there]


@pytest.mark.parametrize("actor", [{"kind": "buffalo"}, {"permitted": True, "kind": "patrol"}])
def test_animals_and_permitted_people_pass_without_an_event(actor):
    """They do pass the line, and nobody need be told."""
    here = world(actor)
    assert 1 == len(here.passages(0, 100))
    assert () == here.events(0, 100)


def test_a_habit_by_the_clock_holds_every_day():
    """A farmer who comes between 05:30 and 07:00 local time is there only then."""
    here = world(
        {"kind": "farmer", "there_and_back": True, "daily_local": ["05:30", "07:00"]},
        start_utc="2026-11-22T17:00:00Z",
        duration_s=2 * 86_400,
    )
    present = [h for h in range(48) if here.figures(h * 3600.0)]
    assert [6, 30] == present


def test_noon_is_lighter_than_dusk_and_night():
    """At Hà Tiên the sun stands high at 12:00 local time and under the ground at 02:40."""
    here = world({}, start_utc="2026-11-22T17:00:00Z", duration_s=86_400)
    noon, dusk, night = (here.light(h * 3600.0) for h in (12, 17.9, 2.7))
    assert noon.sun_elevation_deg > 55
    assert noon.direct > dusk.direct > night.direct - 1e-12
    assert noon.ambient > dusk.ambient > night.ambient > 0
    assert night.night
    assert 0.0 == night.direct
    assert np.linalg.norm(noon.sun_enu) == pytest.approx(1.0)


def test_weather_goes_over_from_one_spell_to_the_next():
    """Half-way between clear and rain it rains half as hard."""
    spells = [{"at_s": 0}, {"at_s": 10, "rain_mm_h": 20.0}, {"at_s": 20, "rain_mm_h": 20.0}]
    here = world({}, weather=spells)
    assert [0.0, 10.0, 20.0, 20.0] == [here.weather(t).rain_mm_h for t in (0, 5, 15, 99)]


@given(seed=st.integers(0, 10_000))
def test_a_seed_delays_and_hurries_within_what_the_scenario_says(seed):
    """Start and speed stay in their ranges for every seed."""
    actor = {"speed_m_s": 1.0, "start_s": 5.0, "start_jitter_s": 4.0, "speed_spread": 0.2}
    (event,) = world(actor, seed=seed).events(0, 100)
    assert 5.0 + 10.0 / 1.2 <= event.t_cross_s <= 9.0 + 10.0 / 0.8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"person_px_at_line": 40.0}, "small-people"),
        ({"needs": ["small-people"], "person_px_at_line": 90.0}, "small-people"),
        ({"seeds": {"dev": [1], "accept": [1]}}, "tuning may not see accept"),
        ({"weather": [{"at_s": 5.0}]}, "begins at_s = 0"),
        ({"node": [{"id": "far"}]}, "no camera is joined"),
        ({"camera": []}, "at least one"),
        ({"timezone": "Hanoi"}, "IANA"),
        ({"needs": ["luck"]}, "small-people"),
    ],
)
def test_a_scenario_that_contradicts_itself_is_refused(change, words):
    """Each contradiction is named."""
    with pytest.raises(ValueError, match=words):
        world({}, **change)


def test_start_is_kept_in_utc():
    """A start in local time is the same instant."""
    here = world({}, start_utc="2026-11-23T07:00:00+07:00")
    assert datetime(2026, 11, 23, 0, 0, tzinfo=timezone.utc) == here.scenario.start_utc
