"""One human event is one alert, from its raising to its outcome."""

from datetime import timedelta

import pytest

from ground_station.rules import DecideSettings
from runtime.errors import AskOperator
from tests.unit.ground_station.walks import (
    START,
    decider,
    run,
    seen,
    track,
    walk,
    warnings,
    zone,
)

NOW = START + timedelta(minutes=1)


def crossed(core=None, **more):
    """A core with one crossing in it, and that alert's id."""
    core = core or decider()
    done = run(core, walk(core.site, (0, 12), (0, -1.2), 20, **more))
    return core, done.alerts[-1].alert_id


def in_time(*walks):
    return sorted((o for steps in walks for o in steps), key=lambda o: o.t_event_utc)


# --- one event, one alert -------------------------------------------------------------------------
def test_group_of_four_is_one_alert_with_its_count():
    """Four people abreast over the line within a few seconds."""
    core = decider()
    group = [
        walk(core.site, (3.0 * k, 15 + k), (0, -1.2), 28, number=k + 1, seed=k) for k in range(4)
    ]
    done = run(core, in_time(*group))
    (alert,) = warnings(done)
    assert 4 == alert.count
    assert {track(k + 1) for k in range(4)} == set(alert.target_ids)
    assert "Nhóm 4 người" in alert.sentence_vi
    assert "Group of 4 people" in alert.sentence_en
    assert 1 == core.counters.alerts_raised


def test_two_cameras_on_one_person_are_one_alert_of_one_person():
    """The second camera sees the same walker, from elsewhere, half a second later."""
    core = decider()
    one = walk(core.site, (0, 15), (0, -1.2), 25, number=1, seed=1)
    two = walk(core.site, (0.4, 14.5), (0, -1.2), 25, number=2, seed=2, sensor="cam-2", t0_s=0.2)
    done = run(core, in_time(one, two))
    (alert,) = done.alerts
    assert 1 == alert.count
    assert {"node-1/cam-1", "node-1/cam-2"} == set(alert.sensors)


def test_second_camera_that_joins_late_adds_no_alert():
    """It sees him for the first time thirty seconds after the first camera's caution."""
    core = decider()
    one = walk(core.site, (0, 60), (0, -1.2), 65, number=1, seed=1)
    two = walk(core.site, (0, 18), (0, -1.2), 30, number=2, seed=2, sensor="cam-2", t0_s=35)
    done = run(core, in_time(one, two))
    assert 1 == core.counters.alerts_raised
    assert 1 == done.alerts[0].count


def test_two_people_far_apart_are_two_alerts():
    """Forty metres between them: two events."""
    core = decider()
    one = walk(core.site, (0, 15), (0, -1.2), 25, number=1, seed=1)
    two = walk(core.site, (40, 15), (0, -1.2), 25, number=2, seed=2)
    done = run(core, in_time(one, two))
    assert [1, 1] == [alert.count for alert in warnings(done)]


def test_next_person_half_a_minute_later_is_a_new_event():
    """At the same place, but not together."""
    core = decider()
    one = walk(core.site, (0, 15), (0, -1.2), 25, number=1, seed=1)
    two = walk(core.site, (0, 15), (0, -1.2), 25, number=2, seed=2, t0_s=45)
    run(core, in_time(one, two))
    assert 2 == core.counters.alerts_raised


def test_count_that_the_node_states_is_used():
    """Three people whom nobody can tell apart in the picture."""
    core = decider()
    done = run(core, walk(core.site, (0, 15), (0, -1.2), 25, count=3))
    assert 3 == done.alerts[0].count


def test_crossing_outranks_the_zone_behind_it():
    """Over the line and into the prohibited zone: one alert, told by the crossing."""
    core = decider(zone("restricted", "z", 0, -20, half_m=12))
    done = run(core, walk(core.site, (0, 15), (0, -1.2), 35))
    (alert,) = done.alerts
    assert "crossing" == alert.rule
    assert {"approaching", "crossing", "in_restricted"} == {r.rule for r in alert.reasons}


def test_closed_alert_is_not_raised_again_for_the_same_target():
    """He was farming; he still is, inside the watched zone and the prohibited one."""
    core = decider(zone("restricted", "z", 0, -20, half_m=8))
    core, alert_id = crossed(core)
    core.close(alert_id, "local_people", "an", NOW)
    more = walk(core.site, (0, -12), (0, -0.4), 20, t0_s=20.5)
    done = run(core, more)
    assert () == done.alerts
    assert {alert_id} == {f.alert_id for f in done.findings}
    assert 1 == core.counters.findings_after_close


def test_closed_caution_does_not_hide_a_crossing():
    """Closed as local people at the approach; the crossing is told all the same."""
    core = decider()
    steps = walk(core.site, (0, 40), (0, -1.4), 45, sigma_m=0.2)
    before = [o for o in steps if (o.t_event_utc - START).total_seconds() < 20]
    done = run(core, before)
    (caution,) = done.alerts
    core.close(caution.alert_id, "local_people", "an", START + timedelta(seconds=20.2))
    after = run(core, steps[len(before) :])
    (alert,) = warnings(after)
    assert caution.alert_id != alert.alert_id
    assert "crossing" == alert.rule
    assert (alert.alert_id,) == after.rings


def test_upgrade_asks_for_a_new_acknowledgement():
    """Who acknowledged an approach has not yet been told of the crossing."""
    core = decider()
    steps = walk(core.site, (0, 40), (0, -1.4), 45, sigma_m=0.2)
    before = [o for o in steps if (o.t_event_utc - START).total_seconds() < 20]
    (caution,) = run(core, before).alerts
    core.acknowledge(caution.alert_id, "an", START + timedelta(seconds=20.2))
    after = run(core, steps[len(before) :])
    view = core.alert(caution.alert_id)
    assert ("warning", "raised", None) == (view.level, view.state, view.acknowledged_by)
    assert (caution.alert_id,) == after.rings


# --- what people do -------------------------------------------------------------------------------
def test_an_alert_goes_its_way():
    """Acknowledged, assigned, closed, reopened: each act has a name and a row."""
    core, alert_id = crossed()
    acts = []
    for done in (
        core.acknowledge(alert_id, "an", NOW),
        core.assign(alert_id, "Tổ 1", "an", NOW, note="đi xuồng"),
        core.close(alert_id, "confirmed", "binh", NOW, note="4 người"),
        core.reopen(alert_id, "binh", NOW, note="còn người"),
    ):
        acts += [(act.act, act.by, act.revision) for act in done.acts]
        assert done.alerts[0].revision == done.acts[-1].revision
    view = core.alert(alert_id)
    first = acts[0][2]
    assert [
        ("acknowledged", "an", first),
        ("assigned", "an", first + 1),
        ("closed", "binh", first + 2),
        ("reopened", "binh", first + 3),
    ] == acts
    assert ("raised", None, None) == (view.state, view.outcome, view.closed_by)
    assert [a.act for a in view.acts][-4:] == [act for act, _, _ in acts]


def test_local_people_in_one_act_acknowledges_and_closes():
    """One key, one revision, and a reopening undoes it."""
    core, alert_id = crossed()
    done = core.close(alert_id, "local_people", "an", NOW)
    (view,) = done.alerts
    assert ("closed", "local_people", "an", "an") == (
        view.state, view.outcome, view.acknowledged_by, view.closed_by,
    )  # fmt: skip
    assert "Dân sản xuất" in view.sentence_vi
    assert "raised" == core.reopen(alert_id, "an", NOW, note="bấm nhầm").alerts[0].state


def test_same_act_by_the_same_person_twice_is_one_act():
    """A double click is no second row in the audit."""
    core, alert_id = crossed()
    assert not core.acknowledge(alert_id, "an", NOW).empty
    assert core.acknowledge(alert_id, "an", NOW).empty
    assert not core.assign(alert_id, "Tổ 1", "an", NOW).empty
    assert core.assign(alert_id, "Tổ 1", "an", NOW).empty
    assert not core.close(alert_id, "nothing", "an", NOW).empty
    assert core.close(alert_id, "nothing", "an", NOW).empty


@pytest.mark.parametrize(
    ("before", "act"),
    [
        ("acknowledge", lambda core, one: core.acknowledge(one, "binh", NOW)),
        ("close", lambda core, one: core.acknowledge(one, "an", NOW)),
        ("close", lambda core, one: core.assign(one, "Tổ 1", "an", NOW)),
        ("close", lambda core, one: core.close(one, "animal", "binh", NOW)),
        ("", lambda core, one: core.reopen(one, "an", NOW, "x")),
        ("", lambda core, _: core.close("01NONE", "animal", "an", NOW)),
    ],
)
def test_act_that_does_not_fit_is_explained(before, act):
    """Field, value, what is allowed and what to do; and nothing changes."""
    core, alert_id = crossed()
    if before == "acknowledge":
        core.acknowledge(alert_id, "an", NOW)
    elif before == "close":
        core.close(alert_id, "nothing", "an", NOW)
    view = core.alert(alert_id)
    with pytest.raises(AskOperator) as caught:
        act(core, alert_id)
    assert caught.value.next_step
    assert view == core.alert(alert_id)


def test_unacknowledged_warning_rings_again():
    """At one minute and at five; then it has been said often enough."""
    core, alert_id = crossed()
    rings = []
    for minute in range(1, 20):
        at = START + timedelta(seconds=12) + timedelta(minutes=minute)
        rings += [(minute, one) for one in core.tick(at).rings]
    assert [(1, alert_id), (5, alert_id)] == rings
    assert "escalated" in [act.act for act in core.alert(alert_id).acts]


def test_reopened_warning_rings_again_from_its_reopening():
    """Not at once for its age, and not never for having rung before."""
    core, alert_id = crossed()
    for minute in range(1, 7):
        core.tick(NOW + timedelta(minutes=minute))
    again = NOW + timedelta(minutes=30)
    core.close(alert_id, "local_people", "an", again)
    core.reopen(alert_id, "an", again, "")
    rings = [m for m in range(10) if core.tick(again + timedelta(minutes=m)).rings]
    assert [1, 5] == rings


def test_acknowledged_warning_stays_quiet():
    """Somebody has it."""
    core, alert_id = crossed()
    core.acknowledge(alert_id, "an", NOW)
    assert () == core.tick(NOW + timedelta(minutes=10)).rings


# --- late -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("age_min", "rings", "silent"), [(5, 1, False), (40, 0, True)])
def test_late_crossing_makes_one_marked_alert(age_min, rings, silent):
    """It rings once if young, else stands silent; the sentence says that it is late."""
    core = decider()
    steps = walk(core.site, (0, 12), (0, -1.2), 20, late=True)
    done = core.observe(steps, START + timedelta(minutes=age_min))
    (alert,) = done.alerts
    assert (True, silent, rings) == (alert.late, alert.silent, len(done.rings))
    assert "(trễ)" in alert.sentence_vi
    assert "crossing" == alert.rule
    assert () == done.targets


def test_late_data_completes_the_story_and_never_rings():
    """The alert was told live; what arrives late only adds to it."""
    core, alert_id = crossed(decider(zone("restricted", "z", 0, -20, half_m=8)))
    late = walk(core.site, (0, -12), (0, -0.8), 20, t0_s=20.5, late=True)
    done = core.observe(late, START + timedelta(minutes=5))
    assert [alert_id] == [view.alert_id for view in done.alerts]
    assert ["completed_late"] == [act.act for act in done.acts]
    assert () == done.rings


def test_live_warning_wakes_a_silent_late_alert():
    """The crossing of an hour ago stood silent; he is seen now, in the prohibited zone."""
    core = decider(zone("restricted", "z", 0, -20, half_m=8))
    late = walk(core.site, (0, 12), (0, -1.2), 20, late=True, ends=False)
    (silent,) = core.observe(late, START + timedelta(minutes=40)).alerts
    core.acknowledge(silent.alert_id, "an", START + timedelta(minutes=41))
    live = walk(core.site, (0, -12), (0, -0.8), 10, t0_s=20.5)
    done = core.observe(live, START + timedelta(minutes=42))
    assert (silent.alert_id,) == done.rings
    alert = core.alert(silent.alert_id)
    assert ("raised", False, False) == (alert.state, alert.late, alert.silent)


def test_late_caution_makes_no_alert():
    """Nobody can act on an approach of an hour ago."""
    core = decider()
    there = walk(core.site, (0, 30), (0, -1.2), 20, late=True, sigma_m=0.2)
    done = core.observe(there, START + timedelta(hours=1))
    assert {"approaching"} == {f.rule for f in done.findings}
    assert () == done.alerts


# --- bounds and restart ---------------------------------------------------------------------------
def test_memory_of_alerts_is_bounded():
    """Above the bound the closed ones leave first; the store has them all."""
    settings = DecideSettings.model_validate({"alert": {"max_alerts": 16}})
    core = decider(settings=settings)
    for k in range(24):
        steps = walk(core.site, (-460 + 38 * k, 8), (0, -1.2), 15, number=k + 1, seed=k)
        done = core.observe(steps, START + timedelta(seconds=16))
        if k < 4 and done.alerts:
            core.close(done.alerts[0].alert_id, "nothing", "an", NOW)
    core.tick(NOW)
    assert 16 == len(core.alerts())
    assert core.counters.alerts_evicted == core.counters.alerts_raised - 16
    assert all(view.state != "closed" for view in core.alerts())


def test_closed_alert_leaves_memory_after_its_time():
    """One hour after closing."""
    core, alert_id = crossed()
    core.close(alert_id, "nothing", "an", NOW)
    core.tick(NOW + timedelta(minutes=59))
    assert core.alert(alert_id) is not None
    core.tick(NOW + timedelta(minutes=61))
    assert core.alert(alert_id) is None


def test_picture_joins_the_alert_once():
    """A crop of the track belongs to its target's alert."""
    core, alert_id = crossed()
    assert ["m1"] == core.media(track(1), "m1", NOW).alerts[0].media_ids
    assert core.media(track(1), "m1", NOW).empty
    assert core.media(track(9), "m2", NOW).empty
    assert ["m1"] == core.alert(alert_id).media_ids


def test_picture_that_came_before_the_alert_is_in_it():
    """The best crop is often sent before anything is decided."""
    core = decider()
    steps = walk(core.site, (0, 12), (0, -1.2), 20)
    run(core, steps[:6])
    for name in ("m1", "m2"):
        assert core.media(track(1), name, START).empty
    done = run(core, steps[6:])
    assert ["m1", "m2"] == done.alerts[-1].media_ids


def test_target_names_its_alert():
    """The map can lead from the person to the alert."""
    core, alert_id = crossed()
    at = START + timedelta(seconds=20.6)
    core.observe([seen(core.site, 0, -12.6, 20.5)], at)
    assert [alert_id] == [view.alert_id for view in core.targets(at)]
