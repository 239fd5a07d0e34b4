"""The core as a whole: order, repeats, restarts, and time going by."""

import itertools
import random
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.ground_station.walks import START, decider, run, seen, site, track, walk

PLACE = site()
STEPS = walk(PLACE, (0, 10), (0.3, -1.2), 18, ends=False)
OTHER = walk(PLACE, (80, -12), (0, 1.2), 18, number=2, seed=3, ends=False)


def told(core):
    """What a guard would be told in the end, without the way it came about."""
    return [
        (
            alert.level,
            alert.rule,
            alert.direction,
            alert.t_event_utc,
            round(alert.lon_deg, 9),
            round(alert.lat_deg, 9),
            alert.count,
            tuple(alert.target_ids),
        )
        for alert in sorted(core.alerts(), key=lambda a: a.target_ids)
    ]


def deliver(steps, delays_s):
    """A core after the steps arrived with these delays, and the targets it shows in the end."""
    core = decider()
    arrivals = sorted(
        (o.t_event_utc + timedelta(seconds=delay), k, o)
        for k, (o, delay) in enumerate(zip(steps, delays_s, strict=True))
    )
    for at, _, observed in arrivals:
        core.observe([observed], at)
    return core, core.targets(START + timedelta(seconds=19))


IN_ORDER = deliver(STEPS, [0.1] * len(STEPS))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.0, 4.9), min_size=len(STEPS), max_size=len(STEPS)))
def test_any_order_within_five_seconds_ends_the_same(delays_s):
    """One walker: the target is the same to the last digit, and so is what the guard is told."""
    core, targets = deliver(STEPS, delays_s)
    assert IN_ORDER[1] == targets
    assert told(IN_ORDER[0]) == told(core)
    assert 0 == core.counters.stale


GROUP = sorted(
    [
        observed
        for k in range(3)
        for camera, sensor in enumerate(("mast-west", "mast-east", "uav-1"))
        for observed in walk(
            PLACE, (1.5 * k + 0.3 * camera, 12 - 0.2 * camera), (0.2, -1.2), 18,
            number=1 + k + 10 * camera, seed=k + 10 * camera, sensor=sensor, sigma_m=0.25,
            shared_m=0.4, t0_s=0.15 * camera, ends=False,
        )
    ],
    key=lambda o: (o.t_event_utc, o.body.track_id),
)  # fmt: skip


def in_core(core, *, until_s=19):
    """Targets, and rules, levels and event times of what was told; ids and raise times may differ."""
    return (
        [
            (v.target_id, round(v.lon_deg, 9), round(v.lat_deg, 9), v.count, set(v.sensors))
            for v in sorted(core.targets(START + timedelta(seconds=until_s)), key=lambda v: v.target_id)
        ],
        sorted(
            (a.level, a.rule, a.direction, a.t_event_utc, a.count) for a in core.alerts()
        ),
    )  # fmt: skip


def test_two_cameras_and_a_drone_on_one_group_are_three_targets_and_one_alert():
    """Nine tracks of three people: three on the map, each seen by three, and one warning of three."""
    core = deliver(GROUP, [0.2] * len(GROUP))[0]
    targets, alerts = in_core(core)
    assert 3 == len(targets)
    assert {3} == {len(row[4]) for row in targets}
    assert [("warning", "crossing", "in", 3)] == [(a[0], a[1], a[2], a[4]) for a in alerts]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 4.9))
@example(1012, 4.9)
def test_group_of_many_cameras_is_the_same_in_any_order_within_five_seconds(seed, most_s):
    """Births, joins, beliefs and what is told do not depend on how nine tracks arrive."""
    source = random.Random(seed)
    core = deliver(GROUP, [source.uniform(0.0, most_s) for _ in GROUP])[0]
    expected, found = in_core(IN_ORDER_GROUP), in_core(core)
    assert expected[0] == found[0]
    assert [(*a[:3], a[4]) for a in expected[1]] == [(*a[:3], a[4]) for a in found[1]]
    # Whose passage gives a group's alert its instant follows who was told first: steps of each other.
    for one, other in zip(expected[1], found[1], strict=True):
        gap = datetime.fromisoformat(one[3][:-1]) - datetime.fromisoformat(other[3][:-1])
        assert abs(gap.total_seconds()) < 1.0
    assert 0 == core.counters.stale


IN_ORDER_GROUP = deliver(GROUP, [0.1] * len(GROUP))[0]
BOTH = sorted(STEPS + OTHER, key=lambda o: o.t_event_utc)


def in_batches(sizes):
    """A core after both walkers' observations came in handfuls of these sizes, over and over."""
    core, rest = decider(), BOTH
    cycle = itertools.cycle(sizes)
    while rest:
        size = next(cycle)
        core.observe(rest[:size], rest[:size][-1].t_event_utc)
        rest = rest[size:]
    return core


ONE_BY_ONE = in_batches([1])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 15), min_size=1, max_size=5))
def test_how_the_stream_is_cut_into_batches_does_not_matter(sizes):
    """One by one or in handfuls: same targets, same alerts."""
    core = in_batches(sizes)
    end = START + timedelta(seconds=19)
    rows = [
        [
            (v.target_id, round(v.lon_deg, 9), round(v.lat_deg, 9), v.alert_id)
            for v in c.targets(end)
        ]
        for c in (ONE_BY_ONE, core)
    ]
    assert rows[0] == rows[1]
    assert told(ONE_BY_ONE) == told(core)


def test_everything_delivered_twice_changes_nothing():
    """At least once is once."""
    core = decider()
    run(core, STEPS)
    before = (core.targets(START + timedelta(seconds=19)), core.alerts())
    again = core.observe(STEPS, START + timedelta(seconds=19))
    assert again.empty
    assert before == (core.targets(START + timedelta(seconds=19)), core.alerts())
    each_twice = decider()
    run(each_twice, [o for o in STEPS for _ in (1, 2)])
    assert before[0] == each_twice.targets(START + timedelta(seconds=19))
    assert told(core) == told(each_twice)


@pytest.mark.parametrize("cut", [6, 12, 19, 20, 21, 22, 24, 30])
def test_restart_at_any_moment_tells_the_event_once(cut):
    """What was stored is known again; what was cut off is told; nothing is told twice."""
    first = decider()
    done = run(first, STEPS[:cut])
    second = decider()
    restored = second.restore(
        done.alerts, {link.track_id: link.target_id for link in done.links}, STEPS[:cut],
        START + timedelta(seconds=60),
    )  # fmt: skip
    assert () == restored.acts
    run(second, STEPS[cut:])
    ids = {view.alert_id for view in (*done.alerts, *second.alerts())}
    assert 1 == len(ids)
    assert ("warning", "crossing", "in") == told(second)[0][:3]


def test_restart_tells_what_the_crash_kept_from_the_store():
    """Observations were committed, the alert was not: the restart raises it."""
    second = decider()
    done = second.restore([], {}, STEPS, START + timedelta(seconds=25))
    assert ["crossing"] == [view.rule for view in done.alerts]
    assert [done.alerts[0].alert_id] == list(done.rings)


def test_continued_track_keeps_its_target_over_a_restart():
    """The stored link says to which target a re-born track belongs."""
    first = decider()
    one = walk(PLACE, (0, 10), (0, -1.2), 5)
    two = walk(PLACE, (0, 2.5), (0, -1.2), 12, number=2, t0_s=6.25, ends=False)
    done = run(first, one + two[:4])
    links = {link.track_id: link.target_id for link in done.links}
    assert {track(1): track(1), track(2): track(1)} == links
    second = decider()
    second.restore(done.alerts, links, [], START + timedelta(seconds=9))
    run(second, two[4:])
    assert [track(1)] == [view.target_id for view in second.targets(START + timedelta(seconds=19))]


def test_target_coasts_then_leaves_the_map():
    """Unseen for two seconds it coasts; for twelve it is gone; and it is said once each."""
    core = decider()
    core.observe([seen(core.site, 0, 30, 0.0, phase="new")], START)
    story = []
    for half in range(1, 60):
        done = core.tick(START + timedelta(seconds=half / 2))
        story += [(half / 2, "coasting") for view in done.targets if view.coasting]
        story += [(half / 2, "gone") for _ in done.removed_targets]
    assert [(2.5, "coasting"), (12.5, "gone")] == story
    assert [] == core.targets(START + timedelta(seconds=30))
    core.tick(START + timedelta(seconds=301))
    assert 0 == core.sizes()["targets"]


def test_target_of_a_clock_that_runs_ahead_leaves_too():
    """Stamped an hour in the future and silent since: it goes when its word is old."""
    core = decider()
    core.observe([seen(core.site, 0, 30, 3600.0, phase="new")], START)
    assert () == core.tick(START + timedelta(seconds=299)).removed_targets
    assert (track(1),) == core.tick(START + timedelta(seconds=301)).removed_targets


def test_target_that_is_seen_again_is_back():
    """Gone from the map, not forgotten: the same target, no longer coasting."""
    core = decider()
    core.observe([seen(core.site, 0, 30, 0.0, phase="new")], START)
    core.tick(START + timedelta(seconds=13))
    at = START + timedelta(seconds=14)
    (view,) = core.observe([seen(core.site, 0, 30, 14.0)], at).targets
    assert (track(1), False) == (view.target_id, view.coasting)


def test_view_is_honest_about_doubt_and_motion():
    """The ellipse holds the shared part; a standing person has no course."""
    core = decider()
    steps = walk(core.site, (0, 30), (0, 0), 20, sigma_m=0.3, shared_m=2.0, ends=False)
    (view,) = run(core, steps).targets
    assert view.ellipse90.semi_minor_m >= 2.146 * 2.0 * 0.999
    assert view.course_deg is None
    assert view.signed_distance_to_line_m == pytest.approx(-30, abs=1)
    assert view.probability_our_side < 0.01
    assert view.simulated
    assert 15 <= len(view.tail) <= 21


def test_memory_is_flat_over_a_long_night():
    """Forty minutes of passers-by leave as little behind as four."""
    core = decider()
    source = random.Random(1)
    sizes = []
    for number in range(240):
        t_s = 10.0 * number
        steps = [
            seen(core.site, source.uniform(-400, 400), 200 + k, t_s + k, number=number)
            for k in range(4)
        ]
        core.observe(steps, START + timedelta(seconds=t_s + 4))
        core.tick(START + timedelta(seconds=t_s + 5))
        sizes.append(core.sizes())
    assert sizes[239]["targets"] <= sizes[60]["targets"] + 2
    assert sizes[239]["journal"] <= 2 * sizes[60]["journal"] + 256


def test_observations_without_position_are_counted_not_shown():
    """A bearing is kept for later; it is no place on the map."""
    core = decider()
    done = core.observe([seen(core.site, 0, 0, 0.0, phase="new", position=False)], START)
    assert () == done.targets
    assert 1 == core.counters.without_position
    assert [] == core.targets(START)
