"""Real nodes and a real station on a simulated clock: what is seen is told, whatever the line does."""

import pytest

from simulations.run_offline import play
from simulations.score.run import score
from simulations.world import World
from tests.unit.simulations.runner_kit import camera, field, perfect, walker


def run(tmp_path, scenario):
    """(world, record) of a scenario seen by a network that never errs."""
    world = World(scenario)
    played = play(world, perfect(world), duration_s=scenario.duration_s, scratch=tmp_path)
    return world, played


def warnings(played):
    return [m for m in played.alerts if m.level == "warning" and m.act in ("raised", "upgraded")]


def test_a_crossing_is_warned_of_once(tmp_path):
    """From a true box to the station's word, in scenario time."""
    world, played = run(tmp_path, field())
    (event,) = world.events(0.0, 40.0)
    (warning,) = warnings(played)
    assert (warning.rule, warning.direction) == ("crossing", "in")
    assert warning.t_event_s == pytest.approx(event.t_cross_s, abs=1.0)
    assert event.t_cross_s < warning.t_said_s < event.t_cross_s + 8.0
    assert (1, 0, 0) == _judged(score(played, world))
    assert {"cam-1": 40.0} == played.camera_s
    assert played.counts.made == played.counts.received > 20
    assert 0 == played.counts.lost


def test_the_same_seed_gives_the_same_record(tmp_path):
    """To the last id and decimal, but for how long it took."""
    first = run(tmp_path, field())[1]
    again = run(tmp_path, field())[1]
    assert first.model_copy(update={"wall_s": 0.0}) == again.model_copy(update={"wall_s": 0.0})


def test_nothing_is_lost_with_the_line(tmp_path):
    """Cut over the crossing itself: everything arrives afterwards, and the warning is told late."""
    fault = {"kind": "cut", "at_s": 10.0, "lasts_s": 12.0}
    node = {"id": "node-1", "link_fault": [fault]}
    _, played = run(tmp_path, field(node=[node], duration_s=60.0))
    assert 0 == played.counts.lost
    assert played.counts.superseded > 0
    assert played.counts.made == played.counts.received + played.counts.superseded
    (warning,) = warnings(played)
    assert warning.t_said_s > 22.0


def test_twice_is_once_for_the_station(tmp_path):
    """Every message arrives twice; the record counts it, the guard hears one alert."""
    fault = {"kind": "duplicate", "at_s": 0.0, "lasts_s": 40.0}
    _, played = run(tmp_path, field(node=[{"id": "node-1", "link_fault": [fault]}]))
    assert played.counts.duplicate >= played.counts.received > 20
    assert 1 == len(warnings(played))


def test_a_wrong_clock_moves_no_observation_in_the_record(tmp_path):
    """A node two seconds ahead says so in its stamps; the truth's time is what is recorded."""
    said = {"id": "node-1", "clock_error_s": 2.0, "stated_clock_error_s": 3.0}
    right = run(tmp_path, field())[1].observations
    wrong = run(tmp_path, field(node=[said]))[1].observations
    assert [o.t_event_s for o in right] == pytest.approx([o.t_event_s for o in wrong], abs=0.01)


def test_two_nodes_are_two_nodes(tmp_path):
    """Each camera's words come from the node that it is joined to."""
    second = camera(id="cam-2", node="node-2", along_m=432.0)
    _, played = run(tmp_path, field(camera=[camera(), second]))
    assert {("node-1", "cam-1"), ("node-2", "cam-2")} == {
        (one.node_id, one.sensor_id) for one in played.observations
    }
    assert 1 == len(warnings(played))


def test_own_patrol_that_says_where_it_is_ranks_lower(tmp_path):
    """The station heard the patrol's own word before it saw it near the line."""
    patrol = walker(id="patrol", kind="patrol", permitted=True, reports_position=True)
    _, played = run(tmp_path, field(actor=[patrol]))
    assert [] == warnings(played)
    assert {True} == {one.rank_lowered for one in played.alerts if one.rule == "crossing"}
    _, unknown = run(tmp_path, field(actor=[patrol | {"reports_position": False}]))
    assert [False] == [one.rank_lowered for one in warnings(unknown)]


def test_a_camera_that_dies_ends_its_tracks(tmp_path):
    """No frame ever comes again, and still the last word about everybody is said."""
    fault = {"kind": "offline", "at_s": 12.0, "lasts_s": 100.0}
    _, played = run(tmp_path, field(camera=[camera(fault=[fault])], duration_s=30.0))
    assert 12.0 == played.camera_s["cam-1"]
    assert max(one.t_event_s for one in played.observations) < 12.0
    assert 0 == played.counts.lost


@pytest.mark.parametrize("kind", ["black", "covered", "frozen", "offline"])
def test_a_camera_that_shows_nothing_true_earns_no_camera_days(tmp_path, kind):
    """Ten seconds of thirty are no watch, so that they thin no rate of false warnings."""
    fault = {"kind": kind, "at_s": 4.0, "lasts_s": 10.0}
    _, played = run(tmp_path, field(camera=[camera(fault=[fault])], duration_s=30.0, actor=[]))
    assert 14.0 <= played.camera_s["cam-1"] <= 20.0


def _judged(report):
    return report.true_positive, report.false_positive, report.missed
