"""What a hit is, and what everything else is."""

import pytest

from simulations.world import World
from tests.unit.simulations.score_kit import (
    CAMERA,
    FARMER,
    T_CROSS_S,
    WALKER,
    at,
    observed,
    scenario,
    scored,
)


def verdicts(report):
    return [line.verdict for line in report.warnings]


def counts(report):
    return (
        report.true_positive,
        report.missed,
        report.false_positive,
        report.duplicate_alerts,
        report.late_alerts,
    )


def test_warning_at_the_actor_after_the_crossing_is_a_hit():
    """The plain case, with delay from the moment of certainty and lead from the caution."""
    report = scored(scenario(), at(10.0, "caution"), at(17.0))
    (event,) = report.events
    assert (1, 0, 0, 0, 0) == counts(report)
    assert "hit" == event.outcome
    assert T_CROSS_S == pytest.approx(event.t_cross_s, abs=1e-3)
    assert 17.0 - event.t_decidable_s == pytest.approx(event.delay_s, abs=1e-3)
    assert T_CROSS_S - 10.0 == pytest.approx(event.lead_s, abs=1e-3)
    assert (1.0, 1.0, 1.0) == (report.precision, report.recall, report.f1)
    assert event.delay_s == report.delay_s.p50
    assert True is event.direction_right
    assert 1 == report.direction_right


def test_perfect_observer_waits_for_the_doubt_about_the_line():
    """Two metres of sigma and P > 0.9 ask for 2.56 m beyond the line, and the camera's doubt."""
    (event,) = scored(scenario()).events
    walked_m = 1.5 * (event.t_decidable_s - event.t_cross_s)
    assert 2.56 < walked_m < 3.5
    assert "c" == event.decided_by


def test_sharper_line_is_decidable_earlier():
    """The scenario's line sigma is what counts."""
    (sharp,) = scored(scenario(line_sigma_m=0.1)).events
    (blunt,) = scored(scenario(line_sigma_m=5.0)).events
    assert sharp.t_decidable_s + 2.0 < blunt.t_decidable_s


def test_earlier_information_and_caution_cost_nothing():
    """One alert that grows from information to warning is one hit and no caution."""
    report = scored(
        scenario(), at(2.0, "information"), at(5.0, "caution"), at(16.0), at(30.0, "warning")
    )
    assert (1, 0, 0, 0, 0) == counts(report)
    assert 0 == report.cautions
    assert 1 == report.alerts


@pytest.mark.parametrize(
    ("said_s", "hit"),
    [(T_CROSS_S - 5.2, False), (T_CROSS_S - 4.8, True), (24.9, True), (25.5, False)],
)
def test_hit_is_said_between_five_seconds_before_and_ten_after_certainty(said_s, hit):
    """The window's two ends; certainty comes at 15.1 s here."""
    report = scored(scenario(), at(said_s))
    assert hit == (report.true_positive == 1)


def test_late_warning_is_a_missed_event_and_no_false_one():
    """Right person, right event, too late: the reason says by how much."""
    report = scored(scenario(), at(28.0))
    (event,) = report.events
    assert (0, 1, 0, 0, 1) == counts(report)
    assert "too_late" == event.cause
    over_s = 28.0 - (event.t_decidable_s + 10.0)
    assert f"late by {over_s:.1f} s (alert one)" == event.reason
    assert None is report.precision
    assert 0.0 == report.f1


def test_warning_too_early_is_false_and_its_event_missed():
    """Who is warned of before he is near the line may still turn round."""
    report = scored(scenario(), at(5.0))
    assert (0, 1, 1, 0, 0) == counts(report)
    assert "too_early" == report.events[0].cause
    assert "too_early" == report.warnings[0].cause


def test_second_warning_of_one_event_is_a_duplicate():
    """However late it comes, as long as it points at one of the actors."""
    report = scored(scenario(), at(16.0), at(27.0, alert_id="two"))
    assert (1, 0, 0, 1, 0) == counts(report)
    assert ["hit", "duplicate"] == verdicts(report)
    assert 1.0 == report.precision


def test_of_two_warnings_in_time_the_nearer_one_is_the_hit():
    """One to one, best for all together, whatever the order in the record."""
    report = scored(
        scenario(), at(20.0, alert_id="far", event_s=16.0, shift_m=9.0), at(15.0, alert_id="near")
    )
    assert "near" == report.events[0].alert_id
    assert {"near": "hit", "far": "duplicate"} == {w.alert_id: w.verdict for w in report.warnings}


def test_warning_where_nobody_crosses_is_false_and_names_who_was_there():
    """A farmer taken for a crossing."""
    report = scored(scenario(FARMER), at(20.0, who="f/0/0"))
    (line,) = report.warnings
    assert (0, 0, 1, 0, 0) == counts(report)
    assert ("person", "farmer f/0/0") == (line.cause, line.nearest)
    assert line.nearest_m < 0.01
    assert 12.0 == pytest.approx(line.across_m, abs=0.5)
    assert 0.0 == report.precision
    assert None is report.recall


@pytest.mark.parametrize(
    ("kind", "changes", "cause"),
    [("buffalo", {}, "animal"), ("patrol", {"permitted": True}, "permitted")],
)
def test_false_warning_is_told_by_whom_it_was_for(kind, changes, cause):
    """Animals and permitted people cross without an event."""
    actor = {**WALKER, "kind": kind, **changes}
    report = scored(scenario(actor), at(14.0))
    assert cause == report.warnings[0].cause
    assert 0 == report.events_truth


def test_warning_far_from_everybody_is_of_nobody():
    """Sixty metres off any figure."""
    report = scored(scenario(FARMER), at(20.0, who="f/0/0", shift_m=-60.0))
    assert "nobody" == report.warnings[0].cause


def test_place_must_be_within_ten_metres_or_three_sigma():
    """Twelve metres off is a miss with a sharp place and a hit with an honest doubt of 5 m."""
    sharp = scored(scenario(), at(16.0, shift_m=12.0))
    honest = scored(scenario(), at(16.0, shift_m=12.0, sigma_m=5.0))
    assert (0, 1, 1, 0, 0) == counts(sharp)
    assert "place_off" == sharp.events[0].cause
    assert "12 m from them" in sharp.events[0].reason
    assert (1, 0, 0, 0, 0) == counts(honest)


def test_alert_without_a_place_is_false():
    """A guard cannot go nowhere."""
    report = scored(scenario(), at(16.0, lon_deg=None, lat_deg=None))
    assert (0, 1, 1, 0, 0) == counts(report)
    assert "no_place" == report.warnings[0].cause


def test_opposite_direction_is_no_hit():
    """It warns of a passage that did not happen."""
    report = scored(scenario(), at(16.0, direction="out"))
    assert (0, 1, 1, 0, 0) == counts(report)
    assert "wrong_direction" == report.events[0].cause
    assert "wrong_direction" == report.warnings[0].cause
    assert 0 == report.direction_right


def test_unstated_direction_is_a_hit_that_is_not_counted_as_right():
    """A rule such as `in_restricted` may know no direction."""
    report = scored(scenario(), at(16.0, direction="none"))
    assert (1, 0, 0, 0, 0) == counts(report)
    assert 0 == report.direction_right


def test_caution_beside_one_who_never_crosses_is_counted_apart():
    """Two cautions: one for the walker before he crosses, one for the farmer."""
    report = scored(
        scenario(WALKER, FARMER),
        at(8.0, "caution", alert_id="walker"),
        at(16.0, alert_id="hit"),
        at(20.0, "caution", alert_id="farmer", who="f/0/0"),
    )
    assert (1, 0, 0, 0, 0) == counts(report)
    assert 2 == report.cautions
    assert 1 == report.cautions_never_cross
    days = 60.0 / 86_400.0
    assert 2 / days == pytest.approx(report.cautions_per_camera_day)
    assert 1 / days == pytest.approx(report.cautions_never_cross_per_camera_day)


def test_event_that_no_camera_can_decide_is_counted_apart():
    """He crosses eighty metres beside the picture: nobody can be blamed."""
    aside = {**WALKER, "path_along_across_m": [[520, -20], [520, 25]]}
    report = scored(scenario(aside))
    (event,) = report.events
    assert "undecidable" == event.outcome
    assert "never in any camera's picture after the crossing" == event.reason
    assert (0, 1, 0) == (report.events_truth, report.undecidable, report.missed)
    assert None is report.recall


def test_warning_of_an_undecidable_event_is_neither_hit_nor_false():
    """Somebody truly crossed there."""
    aside = {**WALKER, "path_along_across_m": [[520, -20], [520, 25]]}
    report = scored(scenario(aside), at(16.0))
    assert ["undecidable"] == verdicts(report)
    assert (0, 0, 0, 0, 0) == counts(report)


def test_dead_camera_makes_an_event_undecidable():
    """A camera that is out during the whole passage sees nothing."""
    plan = scenario()
    fault = {"kind": "offline", "at_s": 0.0, "lasts_s": 60.0}
    dead = plan.model_dump(mode="json", exclude_none=True)
    dead["camera"][0]["fault"] = [fault]
    (event,) = scored(type(plan).model_validate(dead)).events
    assert "undecidable" == event.outcome
    assert "the camera was out" in event.reason


def behind(*faults):
    """The walker, seen by a node whose link has these faults."""
    return scenario(node=[{"id": "node-1", "link_fault": list(faults)}])


@pytest.mark.parametrize("kind", ["cut", "half_open"])
def test_nobody_at_the_station_can_know_what_a_cut_link_keeps_back(kind):
    """The crossing is decidable when the link returns, and a late alert then is a hit."""
    plan = behind({"kind": kind, "at_s": 5.0, "lasts_s": 30.0})
    report = scored(plan, at(37.0, event_s=15.0, late=True))
    assert ("hit", 35.0) == (report.events[0].outcome, report.events[0].t_decidable_s)
    assert 2.0 == pytest.approx(report.delay_s.p50)


def test_a_cut_link_excuses_nobody_while_another_node_sees_it():
    """A second camera is sure a little later, by a link that holds: its word is the first there."""
    late = {"at_s": 10.0, "lasts_s": 30.0, "kind": "cut"}
    fault = {"kind": "black", "at_s": 0.0, "lasts_s": 17.0}
    both = [CAMERA, CAMERA | {"id": "d", "node": "node-2", "fault": [fault]}]
    plan = scenario(camera=both, node=[{"id": "node-1", "link_fault": [late]}])
    report = scored(plan, at(45.0, event_s=15.0, late=True))
    assert ("missed", "too_late") == (report.events[0].outcome, report.events[0].cause)
    assert ("d", 17.0) == (
        report.events[0].decided_by,
        pytest.approx(report.events[0].t_decidable_s, abs=0.2),
    )


def test_a_link_that_was_back_in_time_excuses_nothing():
    """Cut before the crossing, or after the moment of certainty: the clock runs as ever."""
    sure_s = scored(scenario(), at(16.0)).events[0].t_decidable_s
    for begin_s, lasts_s in ((1.0, 8.0), (sure_s + 1.0, 20.0)):
        report = scored(behind({"kind": "cut", "at_s": begin_s, "lasts_s": lasts_s}), at(16.0))
        assert sure_s == report.events[0].t_decidable_s


def test_event_whose_warning_is_due_after_the_end_is_not_missed():
    """The scenario ends three seconds after the crossing."""
    report = scored(scenario(duration_s=T_CROSS_S + 3.0))
    assert "undecidable" == report.events[0].outcome
    assert 0 == report.missed


def test_group_that_comes_together_is_one_event():
    """Three people, one alert, at the place of any one of them."""
    report = scored(scenario({**WALKER, "count": 3}), at(17.0, who="a/0/2", count=3))
    (event,) = report.events
    assert (1, 0, 0, 0, 0) == counts(report)
    assert (3, 3) == (event.people, event.people_told)


def test_one_alert_for_two_strangers_is_one_hit_and_one_missed():
    """Two who do not belong together are two events."""
    other = {**WALKER, "id": "b", "path_along_across_m": [[433, -20], [433, 25]]}
    report = scored(scenario(WALKER, other), at(16.0))
    assert (1, 1, 0, 0, 0) == counts(report)
    assert "told_as_part_of_another" == report.events[1].cause
    two = scored(scenario(WALKER, other), at(16.0), at(16.0, alert_id="two", who="b/0/0"))
    assert (2, 0, 0, 0, 0) == counts(two)


def test_missed_event_says_how_far_the_chain_came():
    """Nobody saw them; or they were seen and nothing was told; or it stayed a caution."""
    plan = scenario()
    world = World(plan)
    seen = [o for t_s in (10.0, 12.0, 14.0, 16.0, 18.0) for o in observed(world, t_s)]
    assert "not_detected" == scored(plan).events[0].cause
    told = scored(plan, observations=seen).events[0]
    assert "not_told" == told.cause
    assert told.reason.startswith("5 observations (Human) in 1 tracks, 3 of them after")
    caution = scored(plan, at(12.0, "caution"), observations=seen).events[0]
    assert "only_caution" == caution.cause
    assert "stayed caution (approaching)" in caution.reason


def test_record_of_another_seed_is_refused():
    """A record is scored in its own world only."""
    with pytest.raises(ValueError, match="score a record in its own world"):
        scored(scenario(), seed=2)


@pytest.mark.parametrize(("lowered", "verdict"), [(True, "lowered"), (False, "false")])
def test_permitted_people_at_a_lowered_rank_are_no_false_alarm(lowered, verdict):
    """Shown lower with its reason it is what the product must do; at full rank it cried wolf."""
    plan = scenario({**WALKER, "permitted": True})
    report = scored(plan, at(16.0, rank_lowered=lowered))
    assert [verdict] == verdicts(report)
    assert int(not lowered) == report.false_positive
    assert int(lowered) == report.lowered_alerts


def test_a_lowered_rank_excuses_no_warning_about_nobody():
    """Twenty metres from the patrol there is nobody who may be there."""
    plan = scenario({**WALKER, "permitted": True})
    report = scored(plan, at(16.0, rank_lowered=True, shift_m=20.0))
    assert ["false"] == verdicts(report)
