"""The demonstration without pictures: who crosses is told once, who works on the land never."""

from datetime import datetime

import pytest

from simulations.scenario import load_scenario
from tests.scenario import modelled

pytestmark = pytest.mark.slow

SECONDS = 360.0
WITHIN_S = 3.0


@pytest.fixture(scope="module")
def played():
    demo = load_scenario("demo").model
    # Who crosses below the drone is in no mast's picture.
    seen = tuple(actor for actor in demo.actor if actor.id != "below-the-drone")
    return modelled.play(demo.model_copy(update={"actor": seen, "drone": ()}), SECONDS)


def truths(played):
    """What a perfect observer would tell: (seconds, direction, figure)."""
    # Who crosses in the last seconds has not yet gone far enough to be sure of.
    return [
        (event.t_s, event.direction, event.figure_id)
        for event in played.world.crossings(0.0, SECONDS - 10.0)
    ]


def test_every_true_crossing_is_found_once(played, capsys):
    """One to one, in the right direction, within three seconds; figures printed."""
    start = played.world.scenario.start_utc
    found = [((f.t_event_utc - start).total_seconds(), f.direction) for f in played.crossings]
    true = truths(played)
    left = list(found)
    errors_s = []
    for t_s, direction, _ in true:
        near = [one for one in left if one[1] == direction and abs(one[0] - t_s) <= WITHIN_S]
        if near:
            best = min(near, key=lambda one: abs(one[0] - t_s))
            left.remove(best)
            errors_s.append(abs(best[0] - t_s))
    delays_s = sorted((f.t_raised_utc - f.t_event_utc).total_seconds() for f in played.crossings)
    with capsys.disabled():
        print(
            f"\nmodelled demo, {SECONDS:g} s: {len(true)} true crossings, {len(found)} found, "
            f"{len(errors_s)} matched; instant off by {sum(errors_s) / len(errors_s):.2f} s, told "
            f"{delays_s[len(delays_s) // 2]:.1f} s after (median); {played.observations} observations"
        )
    assert len(true) == len(errors_s)
    assert [] == left
    assert len(true) >= 8


def test_each_event_is_one_alert_and_a_group_has_its_number(played):
    """A group of three that comes together is one alert of three."""
    events = {figure.rsplit("/", 1)[0] for _, _, figure in truths(played)}
    warnings = [view for view in played.core.alerts() if view.rule == "crossing"]
    assert len(events) == len(warnings)
    groups = sum(1 for event in events if event.startswith("group"))
    assert [3] * groups == sorted(view.count for view in warnings)[-groups:]
    assert {1, 3} == {view.count for view in warnings}


def test_the_farmer_is_never_more_than_information(played):
    """He works twelve metres inside, all the time."""
    farmers = [
        view
        for view in played.core.alerts()
        if view.level != "information" and view.rule != "crossing"
    ]
    starts = {view.t_event_utc for view in farmers}
    # Whoever is on his way to the line when the film ends is a caution; a farmer never is.
    late = played.world.scenario.start_utc.timestamp() + SECONDS - 40.0
    assert all(datetime.fromisoformat(s.replace("Z", "+00:00")).timestamp() > late for s in starts)


def test_caution_comes_before_the_warning(played):
    """The guard has time: most events were told as approaching before the line."""
    leads_s = []
    for view in played.core.alerts():
        rules = [f for f in played.decision.findings if f.alert_id == view.alert_id]
        first = {f.rule: f.t_raised_utc for f in reversed(rules)}
        if {"approaching", "crossing"} <= set(first):
            leads_s.append((first["crossing"] - first["approaching"]).total_seconds())
    assert len(leads_s) >= 4
    assert min(leads_s) > 3.0


def test_quiet_border_stays_quiet(played):
    """After the last person nothing new is said but the repeated call for an answer."""
    later = modelled.settle(played, 30.0)
    acts = {act.act for act in later.acts[len(played.decision.acts) :]}
    assert acts <= {"escalated"}
