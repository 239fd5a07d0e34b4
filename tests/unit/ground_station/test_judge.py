"""The rules, each by what it says and what it keeps quiet about."""

import math
import random
from datetime import timedelta

import pytest

from ground_station.rules import DecideSettings
from tests.unit.ground_station.walks import START, decider, run, seen, site, walk, warnings, zone


def findings(done, rule=None):
    return [f for f in done.findings if rule in {None, f.rule}]


# --- crossing -------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("start", "speed", "way"), [(15, -1.2, "in"), (-15, 1.2, "out")])
def test_walker_over_the_line_is_one_crossing(seed, start, speed, way):
    """Exactly one warning, in the right direction, at the right time and place."""
    core = decider()
    done = run(core, walk(core.site, (50, start), (0, speed), 30, seed=seed))
    crossings = findings(done, "crossing")
    assert [way] == [f.direction for f in crossings]
    assert crossings[0].t_event_utc.timestamp() == pytest.approx(
        (START + timedelta(seconds=12.5)).timestamp(), abs=1.5
    )
    assert crossings[0].probability > 0.9
    (alert,) = done.alerts
    assert ("warning", "crossing", way) == (alert.level, alert.rule, alert.direction)
    assert alert.distance_to_line_m == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize("north_m", [4.0, -4.0])
@pytest.mark.parametrize("seed", range(4))
def test_walker_along_the_line_is_nothing(north_m, seed):
    """Who walks beside the line has neither crossed nor is about to."""
    core = decider()
    done = run(core, walk(core.site, (-60, north_m), (1.3, 0), 90, seed=seed))
    assert [] == findings(done)


@pytest.mark.parametrize("north_m", [2.5, -2.5, 6.0])
@pytest.mark.parametrize("seed", range(4))
def test_person_standing_near_the_line_is_nothing(north_m, seed):
    """Jitter is not motion."""
    core = decider()
    done = run(core, walk(core.site, (0, north_m), (0, 0), 120, seed=seed))
    assert [] == findings(done)


@pytest.mark.parametrize("seed", range(3))
def test_person_standing_on_the_line_never_crosses(seed):
    """Inside the doubt the word is "near the border", and it is said once."""
    core = decider()
    done = run(core, walk(core.site, (0, 0), (0, 0), 240, seed=seed))
    assert ["near_border"] == [f.rule for f in findings(done)]
    assert "gần đường biên" in done.alerts[0].sentence_vi
    assert [] == warnings(done)


def test_line_of_75_m_does_not_say_crossed_before_it_can_know():
    """A person 60 m over an imported line is near the border; 150 m over it, has crossed."""
    core = decider(segments=None)
    near = run(core, walk(core.site, (0, 60), (0, -1.5), 80, ends=False))
    assert "crossing" not in {f.rule for f in near.findings}
    core = decider(segments=None)
    far = run(core, walk(core.site, (0, 150), (0, -1.5), 200))
    assert ["in"] == [f.direction for f in findings(far, "crossing")]


def test_there_and_back_is_two_crossings():
    """In, and a minute later out again: two events, each with its direction."""
    core = decider()
    there = walk(core.site, (0, 12), (0, -1.2), 20, ends=False)
    stand = walk(core.site, (0, -12), (0, 0), 70, t0_s=20.5, ends=False)
    back = walk(core.site, (0, -12), (0, 1.2), 20, t0_s=91)
    done = run(core, there + stand + back)
    assert ["in", "out"] == [f.direction for f in findings(done, "crossing")]
    assert ["in", "out"] == [a.direction for a in warnings(done)]


def test_side_survives_coasting_behind_cover():
    """Four seconds behind a hedge at the line, and the crossing is still known."""
    core = decider()
    steps = walk(core.site, (0, 12), (0, -1.2), 20)
    hidden = [o for o in steps if not 8.0 < (o.t_event_utc - START).total_seconds() < 12.0]
    assert ["in"] == [f.direction for f in findings(run(core, hidden), "crossing")]


def test_side_survives_a_new_track_id_at_the_line():
    """The tracker's new name for the same person does not hide the crossing."""
    core = decider()
    first = walk(core.site, (0, 12), (0, -1.2), 9.5, ends=False)
    second = walk(core.site, (0, 0.3), (0, -1.2), 10, number=2, t0_s=9.75)
    done = run(core, first + second)
    assert ["in"] == [f.direction for f in findings(done, "crossing")]


def test_jumped_position_is_no_crossing():
    """A receiver that jumps 300 m over the line has told of no person's walk."""
    core = decider()
    before = walk(core.site, (0, 100), (0, 0), 20, ends=False)
    after = walk(core.site, (0, -200), (0, 0), 20, t0_s=20.5)
    assert [] == warnings(run(core, before + after))


def test_nothing_is_said_beyond_the_ends_of_the_line():
    """West of where the line begins there are no sides."""
    core = decider()
    done = run(core, walk(core.site, (-530, 12), (0, -1.2), 20))
    assert [] == findings(done)


def test_who_walks_round_the_end_has_not_crossed():
    """Round the western end: no passage over the drawn line took place."""
    core = decider()
    out = walk(core.site, (-490, 8), (-1.5, 0), 20, ends=False)
    down = walk(core.site, (-520, 8), (0, -1.5), 11, t0_s=20.5, ends=False)
    back = walk(core.site, (-520, -8), (1.5, 0), 20, t0_s=32)
    assert [] == findings(run(core, out + down + back), "crossing")


@pytest.mark.parametrize(
    ("object_class", "count"),
    [("Human", 1), ("Boat", 1), ("Vehicle", 1), ("Unknown", 1), ("Animal", 0)],
)
def test_animals_are_not_judged(object_class, count):
    """A buffalo may go where it likes."""
    core = decider()
    done = run(core, walk(core.site, (0, 15), (0, -1.2), 30, object_class=object_class))
    assert count == len(findings(done, "crossing"))


def test_rule_can_be_switched_off():
    """A unit's own setting decides."""
    off = DecideSettings.model_validate({"judge": {"crossing": {"enabled": False}}})
    core = decider(settings=off)
    done = run(core, walk(core.site, (0, 15), (0, -1.2), 30))
    assert [] == findings(done, "crossing")


# --- approaching ----------------------------------------------------------------------------------
def test_approach_is_told_before_the_line_and_grows_into_the_crossing():
    """First a caution with the seconds left, then the same alert becomes the warning."""
    core = decider()
    steps = walk(core.site, (0, 40), (0, -1.4), 40, sigma_m=0.2)
    done = run(core, steps)
    assert ["approaching", "crossing"] == [f.rule for f in findings(done)]
    lead_s = done.findings[1].t_event_utc - done.findings[0].t_event_utc
    assert lead_s > timedelta(seconds=8)
    (alert,) = done.alerts
    assert ["raised", "upgraded"] == [act.act for act in alert.acts]
    assert "warning" == alert.level


def test_who_turns_back_before_the_line_is_a_caution_at_most():
    """He came near and went away: no warning."""
    core = decider()
    there = walk(core.site, (0, 30), (0, -1.2), 20, ends=False)
    back = walk(core.site, (0, 6), (0, 1.2), 20, t0_s=20.5)
    done = run(core, there + back)
    assert {"approaching"} == {f.rule for f in findings(done)}
    assert [] == warnings(done)


def test_approach_from_a_gates_hours_ranks_lower_and_says_so():
    """A permitted crosser is shown, low, with the reason."""
    gate = zone("gate", "g", 0, 0, half_m=20.0)
    core = decider(gate)
    done = run(core, walk(core.site, (0, 15), (0, -1.2), 25))
    (alert,) = done.alerts
    assert "information" == alert.level
    assert "Khu g" in alert.lowered_because
    assert "hạ mức" in alert.sentence_vi


def test_own_patrol_lowers_and_never_hides():
    """Beside our own patrol a warning becomes a caution that says why."""
    core = decider()
    core.friend(
        "p1", "Tổ 2", lon_deg=104.45, lat_deg=10.42, sigma_m=5.0,
        t_utc=START + timedelta(seconds=12),
    )  # fmt: skip
    done = run(core, walk(core.site, (0, 15), (0, -1.2), 25))
    (alert,) = done.alerts
    assert "crossing" == alert.rule
    assert "caution" == alert.level
    assert "Tổ 2" in alert.lowered_because


# --- appeared -------------------------------------------------------------------------------------
def test_who_appears_at_the_line_and_walks_in_is_told():
    """Born 3 m inside, unexplained: caution after 5 m, warning after 20 m."""
    core = decider()
    done = run(core, walk(core.site, (0, -3), (0, -1.2), 30, sigma_m=0.2))
    assert [("appeared", "caution"), ("appeared", "warning")] == [
        (f.rule, f.level) for f in findings(done)
    ]
    assert 1 == len(done.alerts)


@pytest.mark.parametrize(
    "more",
    [
        {"box": (0.0, 200.0, 40.0, 280.0)},  # touches the picture's left edge
        {"box": (400.0, 470.0, 430.0, 540.0)},  # and its lower one
    ],
)
def test_who_walks_in_from_the_pictures_edge_is_explained(more):
    """Everybody enters a picture somewhere."""
    core = decider()
    done = run(core, walk(core.site, (0, -3), (0, -1.2), 30, **more))
    assert [] == findings(done)


@pytest.mark.parametrize("role", ["gate", "ignore"])
def test_who_comes_from_a_gate_or_a_home_is_explained(role):
    """A door is a reason to appear."""
    core = decider(zone(role, "z", 0, -3, half_m=2.5))
    done = run(core, walk(core.site, (0, -3), (0, -1.2), 30))
    assert [] == findings(done)


def test_who_comes_out_from_behind_another_is_explained():
    """Two in line are one in the picture until the second steps aside."""
    core = decider()
    one = walk(core.site, (0, -60), (0, 0), 40, ends=False)
    near = walk(core.site, (3, -45), (-0.1, -0.6), 30, number=2, t0_s=5)
    done = run(core, sorted(one + near, key=lambda o: o.t_event_utc))
    assert "appeared" in {f.rule for f in findings(done)}
    core = decider()
    behind = walk(core.site, (3, -58), (0, -1.0), 30, number=2, t0_s=5)
    done = run(core, sorted(one + behind, key=lambda o: o.t_event_utc))
    assert [] == findings(done)


@pytest.mark.parametrize(("gap_s", "away_m", "told"), [(60, 8, 0), (60, 40, 1), (400, 8, 1)])
def test_who_was_lost_nearby_explains_who_appears(gap_s, away_m, told):
    """A farmer who bent down in the rice is no newcomer; somebody elsewhere, or much later, is."""
    core = decider()
    before = walk(core.site, (0, -30), (0, 0), 10)
    after = walk(core.site, (away_m, -30), (0, -1.2), 30, number=2, t0_s=10 + gap_s, sigma_m=0.2)
    done = run(core, before + after)
    assert told == len({f.track_id for f in findings(done, "appeared")})


# --- zones ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "rule", "level"),
    [("restricted", "in_restricted", "warning"), ("watch", "in_watch", "information")],
)
def test_who_enters_a_zone_is_told_once(role, rule, level):
    """Through the zone and out again: one finding, one alert."""
    core = decider(zone(role, "z", 0, -80, half_m=10))
    done = run(core, walk(core.site, (-30, -80), (1.2, 0), 60))
    assert [(rule, level)] == [(f.rule, f.level) for f in findings(done)]
    assert "z" == done.findings[0].zone_id
    assert "Khu z" in done.alerts[0].sentence_vi


def test_zone_counts_only_in_its_hours():
    """At 02:40 a zone for the day says nothing."""
    hours = [{"from": "06:00", "to": "18:00"}]
    core = decider(zone("restricted", "z", 0, -80, half_m=10, schedule=hours))
    done = run(core, walk(core.site, (-30, -80), (1.2, 0), 60))
    assert [] == findings(done)


def test_beside_a_zone_is_not_inside():
    """Two metres off its edge with half a metre of doubt."""
    core = decider(zone("restricted", "z", 0, -80, half_m=10))
    done = run(core, walk(core.site, (-30, -92), (1.2, 0), 60))
    assert [] == findings(done)


def test_inside_a_home_no_caution_is_made():
    """People live there; only a crossing or a prohibited zone would be told."""
    core = decider(zone("ignore", "home", 0, -30, half_m=28))
    done = run(core, walk(core.site, (0, -50), (0, 1.2), 30))
    assert [] == findings(done)


# --- honesty --------------------------------------------------------------------------------------
def test_correlated_noise_of_a_standing_person_is_no_crossing():
    """A tracker's smoothed foot wanders slowly; it still is not a walk over the line."""
    core = decider()
    source, wander, steps = random.Random(5), 0.0, []
    for k in range(600):
        wander = 0.9 * wander + math.sqrt(1 - 0.81) * source.gauss(0.0, 0.3)
        steps.append(seen(core.site, 0.0, 0.6 + wander, 0.5 * k, sigma_m=0.3))
    assert [] == warnings(run(core, steps))


def test_every_finding_carries_its_figures_and_both_sentences():
    """So that a guard can disagree with it."""
    core = decider()
    done = run(core, walk(core.site, (0, 15), (0, -1.2), 30))
    for finding in done.findings:
        assert finding.numbers
        assert finding.sentence_vi
        assert finding.sentence_en
        assert ("node-1/cam-1",) == finding.sensors
        assert all(math.isfinite(value) for value in finding.numbers.values())


def test_side_is_where_the_site_says():
    """The same walk over a line whose other side is ours goes out."""
    core = decider(our_side="left")
    done = run(core, walk(core.site, (0, 15), (0, -1.2), 30))
    assert ["out"] == [f.direction for f in findings(done, "crossing")]
    assert "left" == site(our_side="left").line.our_side


def sparse(core, *north_m, gap_s=1.5):
    """The key words of one track as they come after a cut: far apart, all of them late."""
    times = [0.0, *(17.0 + gap_s * k for k in range(len(north_m) - 1))]
    phases = ["new", *["update"] * (len(north_m) - 1)]
    return [
        seen(core.site, 0.0, north, t_s, phase=phase, sigma_m=0.9, late=True)
        for north, t_s, phase in zip(north_m, times, phases, strict=True)
    ]


def test_three_late_words_of_a_track_are_enough_to_tell_a_crossing():
    """Outside, just inside, well inside: that is all a cut link leaves of somebody who crossed."""
    core = decider(segments=[{"accuracy_sigma_m": 2.0, "status": "demarcated"}])
    done = core.observe(sparse(core, 21.0, -1.5, -4.7), START + timedelta(seconds=120.0))
    (warning,) = warnings(done)
    assert ("crossing", "in", True) == (warning.rule, warning.direction, warning.late)


def test_one_late_word_inside_the_doubt_tells_no_crossing():
    """A single belief that is nearly sure may be an error; the one before it was not over the line."""
    core = decider(segments=[{"accuracy_sigma_m": 2.0, "status": "demarcated"}])
    done = core.observe(sparse(core, 21.0, 1.0, -4.2), START + timedelta(seconds=120.0))
    assert [] == warnings(done)
