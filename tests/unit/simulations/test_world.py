"""The world follows from its file alone, and knows exactly who crossed the line when."""

from itertools import pairwise

import numpy as np
import pytest

from runtime.errors import AskOperator
from runtime.settings import SettingsError
from simulations.scenario import Scenario, load_scenario
from simulations.walk import step_rate_hz
from simulations.world import World

DEMO = load_scenario("demo").model


def scenario(**changes):
    actor = {"id": "a", "path_along_across_m": [[430, -10], [430, 10]], "speed_m_s": 2.0}
    camera = {
        "id": "c", "along_m": 430, "across_m": 40, "height_m": 6, "azimuth_deg": 350,
        "pitch_deg": -5, "hfov_deg": 30,
    }  # fmt: skip
    base = {
        "name": "t", "seed": 1, "start_utc": "2026-11-23T00:00:00Z", "duration_s": 100,
        "camera": [camera], "actor": [actor | changes.pop("actor", {})],
    }  # fmt: skip
    return Scenario.model_validate(base | changes)


def test_same_seed_gives_the_same_world():
    """Two worlds from one file agree on every person at every instant, to the last bit."""
    one, two = World(DEMO), World(DEMO)
    for t_s in np.linspace(0, 900, 91):
        assert one.figures(t_s) == two.figures(t_s)
    assert one.crossings(0, 3600) == two.crossings(0, 3600)


def test_another_seed_gives_other_people():
    """The seed decides who comes, so another one changes the pictures."""
    other = World(DEMO.model_copy(update={"seed": 315}))
    assert World(DEMO).figures(30.0) != other.figures(30.0)


def test_instants_may_be_asked_in_any_order():
    """Nothing is remembered between two questions."""
    world = World(DEMO)
    late = world.figures(400.0)
    world.figures(10.0)
    assert world.figures(400.0) == late


def test_crossing_is_where_and_when_the_path_meets_the_line():
    """Ten metres at two metres a second: on the line after five seconds, inwards."""
    world = World(scenario())
    (event,) = world.crossings(0, 100)
    assert event.t_s == pytest.approx(5.0, abs=1e-6)
    assert event.direction == "in"
    assert event.t_utc == "2026-11-23T00:00:05.000Z"
    assert event.nearest_marker == "314"
    assert event.marker_distance_m == pytest.approx(430.0, abs=0.01)


def test_events_agree_with_the_positions():
    """Each true event is a change of side of that person, sampled ten times a second, and no other."""
    world = World(DEMO)
    side: dict[str, float] = {}
    changes = []
    for t_s in np.arange(0.0, 700.0, 0.1):
        for figure in world.figures(t_s):
            d = world.site.line.signed_distance_m([figure.feet_enu_m[:2]])[0]
            before = side.get(figure.figure_id)
            if before is not None and before * d < 0:
                changes.append((figure.figure_id, "in" if d > 0 else "out", t_s))
            side[figure.figure_id] = d
    events = world.crossings(0.0, 700.0)
    told = sorted((e.figure_id, e.direction) for e in events)
    assert sorted(c[:2] for c in changes) == told
    seen = {(c[0], c[1]): c[2] for c in changes}
    assert all(abs(seen[e.figure_id, e.direction] - e.t_s) <= 0.11 for e in events)


def test_windows_of_time_join_without_loss_or_double():
    """Asking minute by minute gives the same events as asking once."""
    world = World(DEMO)
    pieces = [e for a, b in pairwise(range(0, 3601, 60)) for e in world.crossings(a, b)]
    assert tuple(pieces) == world.crossings(0, 3600)


def test_people_move_at_their_speed():
    """No instant of the demonstration makes anybody jump."""
    world = World(DEMO)
    for t_s in np.arange(0.0, 400.0, 0.5):
        before = {f.figure_id: f for f in world.figures(t_s)}
        for figure in world.figures(t_s + 0.1):
            if figure.figure_id in before:
                step = np.subtract(figure.feet_enu_m, before[figure.figure_id].feet_enu_m)
                assert np.hypot(*step[:2]) <= 0.1 * 1.31


def test_demo_alarms_early_and_for_hours():
    """The first person is on the line 20 to 30 s after the start, and somebody comes every hour."""
    world = World(DEMO)
    events = world.crossings(0, DEMO.duration_s)
    assert 20.0 <= events[0].t_s <= 30.0
    assert events[0].direction == "in"
    hours = {int(e.t_s // 3600) for e in events}
    assert hours == set(range(int(DEMO.duration_s // 3600)))


def test_the_farmer_never_crosses():
    """The demonstration holds somebody who is near the line all day and is no event."""
    world = World(DEMO)
    assert not [e for e in world.crossings(0, 14_400) if e.actor_id == "farmer"]
    for t_s in np.arange(0, 1200, 5.0):
        (farmer,) = [f for f in world.figures(t_s) if f.actor_id == "farmer"]
        assert world.site.line.signed_distance_m([farmer.feet_enu_m[:2]])[0] > 10.0


def test_there_and_back_crosses_both_ways():
    """Somebody who walks to and fro over the line makes an event each way, for ever."""
    world = World(scenario(actor={"there_and_back": True}))
    events = world.crossings(0, 100)
    assert [e.direction for e in events] == ["in", "out"] * 5
    assert [round(e.t_s) for e in events] == list(range(5, 100, 10))


def test_pause_keeps_the_place():
    """A pause at an inner way point stands still there and faces where the walk led."""
    world = World(
        scenario(actor={"path_along_across_m": [[430, -10], [430, 0], [430, 10]], "pause_s": 4.0})
    )
    during = [world.figures(t)[0] for t in (5.5, 8.5)]
    assert during[0].feet_enu_m == during[1].feet_enu_m
    assert [f.gait for f in during] == ["stand", "stand"]
    assert world.figures(13.9)[0].gait == "walk"
    assert world.figures(14.1) == ()


def test_our_side_is_positive_across():
    """`across_m` means metres inside our side, as the rules measure them."""
    site = World(scenario()).site
    assert site.line.signed_distance_m([site.place(430.0, 12.5)])[0] == pytest.approx(12.5)


def test_faster_walkers_step_faster():
    """Cadence grows with speed, and somebody who stands does not step."""
    assert step_rate_hz(0.0, 1.65) == 0.0
    assert 0.7 < step_rate_hz(1.3, 1.65) < 1.1
    assert step_rate_hz(2.0, 1.65) > step_rate_hz(1.0, 1.65)


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ("fps = 8.0", "camera[0].fps", ["fps = -8.0", "greater than 0"]),
        ('kind = "farmer"', "actor[3].kind", ['kind = "tiger"', "'walker', 'runner'"]),
        ("seed = 314", "sed", ["sed = 314", "Did you mean seed?"]),
        ("height_m = 5.0", "camera[0].height_m", ["", "(missing)"]),
        ('id = "cam-thermal"', "cam-day", ['id = "cam-day"', "stands twice"]),
        ("start_utc = 2026-11-23T02:40:00Z", "start_utc", ["start_utc = 2026-11-23T02:40:00", "zone"]),
    ],
)  # fmt: skip
def test_a_wrong_scenario_explains_itself(tmp_path, line, key, words):
    """The error names the file, the key and what is allowed."""
    text = load_scenario("demo").path.read_text(encoding="utf-8")
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(line, words[0], 1), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_scenario(str(path))
    message = str(caught.value)
    assert all(part in message for part in ("wrong.toml", key, words[1]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"path_along_across_m": None}, "path_along_across_m or path_lon_lat_deg"),
        ({"path_along_across_m": [[3, 5], [3, 5]]}, "all way points are one place"),
        ({"path_along_across_m": [[0, 0]]}, "1 way points; 2 are needed"),
        ({"there_and_back": True, "repeat_every_s": 10.0}, "drop repeat_every_s"),
        ({"repeat_every_s": 10.0, "repeat_jitter_s": 6.0}, "at most half"),
    ],
)
def test_contradictions_in_a_path_are_refused(change, words):
    """Two answers to one question, or none, are said so."""
    with pytest.raises(ValueError, match=words):
        scenario(actor=change)


def test_unknown_names_list_what_exists():
    """A misspelled scenario, site or marker is answered with those that exist."""
    with pytest.raises(AskOperator, match="demo"):
        load_scenario("dmo")
    with pytest.raises(AskOperator, match="ha_tien"):
        World(scenario(site="nowhere"))
    with pytest.raises(AskOperator, match="314"):
        World(scenario(from_marker="999"))


def test_a_path_may_be_given_in_degrees():
    """Longitude and latitude place people where the line's own measure would."""
    by_line = World(scenario())
    ends = by_line.site.frame.to_geodetic(
        [[*by_line.site.place(430, d), 0.0] for d in (-10.0, 10.0)]
    )
    path = [[float(lon), float(lat)] for lon, lat, _ in ends]
    actor = {"path_along_across_m": None, "path_lon_lat_deg": path}
    (event,) = World(scenario(actor=actor)).crossings(0, 100)
    assert event.t_s == pytest.approx(5.0, abs=1e-4)
