"""A clock that is set while the node runs: what waits is put right, what was sent stays."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from edge.outbox import Outbox
from runtime.clock import ClockQuality, ManualClock
from tests.unit.edge.parts import START_UTC
from tests.unit.edge.test_node import World
from tests.unit.edge.test_outbox import item

SYNCED = ClockQuality(source="ntp", error_s=0.02)
UNSYNCED = ClockQuality(source="boot", error_s=None)
WRONG_UTC = START_UTC - timedelta(hours=1)


@pytest.fixture
def clock():
    """It believes itself synchronised and is an hour behind."""
    return ManualClock(WRONG_UTC, monotonic_s=1000.0, quality=SYNCED)


@pytest.fixture
def outbox(tmp_path, clock):
    made = Outbox(
        tmp_path, clock=clock, boot_id="boot-1", max_bytes=1_000_000, reserve_bytes=64_000
    )
    made.notice_clock()
    yield made
    made.close()


def stamped(outbox):
    return [due.t_event_utc for due in outbox.due(20)]


def test_step_corrects_what_waits(outbox, clock):
    """Stamped by the wrong clock and not sent yet: moved by the step, once."""
    outbox.put(item(key=True, clock=clock))
    clock.advance(10.0)
    clock.synchronise(START_UTC, SYNCED)
    assert (1, 0) == (outbox.notice_clock(), outbox.notice_clock())
    assert [START_UTC - timedelta(seconds=10.0)] == stamped(outbox)


def test_step_leaves_what_was_sent(outbox, clock):
    """The station has it with that time: the same message never tells two."""
    outbox.put(item(key=True, clock=clock))
    (sent,) = outbox.due(1)
    clock.synchronise(START_UTC, SYNCED)
    assert 0 == outbox.notice_clock()
    clock.advance(31.0)
    (again,) = outbox.due(1)
    assert (WRONG_UTC, WRONG_UTC) == (sent.t_event_utc, again.t_event_utc)


def test_frame_from_before_the_step_that_is_queued_after_it_is_corrected(outbox, clock):
    """The network was looking at it while the clock was set."""
    waiting = item(key=True, clock=clock)
    clock.advance(0.3)
    clock.synchronise(START_UTC, SYNCED)
    outbox.put(waiting)
    assert [START_UTC - timedelta(seconds=0.3)] == stamped(outbox)


def test_frame_from_after_the_step_that_is_queued_before_it_is_noticed_stays(outbox, clock):
    """Nobody moves a stamp that is right already."""
    clock.synchronise(START_UTC, SYNCED)
    outbox.put(item(key=True, clock=clock))
    outbox.notice_clock()
    assert [START_UTC] == stamped(outbox)


def test_step_noticed_by_a_put_of_several_loses_none_of_them(outbox, clock):
    """The stamps of what waits are moved first, then all of the new ones are taken."""
    outbox.put(item(key=True, clock=clock))
    waiting = [item(clock=clock), item(key=True, clock=clock), item(clock=clock)]
    clock.advance(0.2)
    clock.synchronise(START_UTC, SYNCED)
    assert outbox.put(*waiting)
    assert [START_UTC - timedelta(seconds=0.2)] * 4 == stamped(outbox)


def test_film_of_another_time_stays_in_its_time(outbox, clock):
    """Its stamps never went by this clock."""
    film_utc = datetime(2012, 5, 6, tzinfo=timezone.utc)
    outbox.put(replace(item(key=True, clock=clock), t_event_utc=film_utc))
    clock.synchronise(START_UTC, SYNCED)
    outbox.notice_clock()
    outbox.put(replace(item(key=True, clock=clock), t_event_utc=film_utc))
    assert [film_utc, film_utc] == stamped(outbox)


def test_there_and_back_ends_where_it_began(outbox, clock):
    """A time service that errs for a while leaves no trace in what waited."""
    outbox.put(item(key=True, clock=clock))
    clock.synchronise(START_UTC, SYNCED)
    outbox.notice_clock()
    outbox.put(item(key=True, clock=clock))
    clock.advance(5.0)
    clock.synchronise(WRONG_UTC + timedelta(seconds=5.0), SYNCED)
    outbox.notice_clock()
    outbox.put(item(key=True, clock=clock))
    assert [WRONG_UTC, WRONG_UTC, WRONG_UTC + timedelta(seconds=5.0)] == stamped(outbox)


def test_step_that_nobody_vouches_for_waits_until_somebody_does(outbox, clock):
    """Set by hand the clock loses its sync: boot stamps until it is back, then all is right."""
    outbox.put(item(key=True, clock=clock))
    clock.advance(1.0)
    clock.synchronise(START_UTC, UNSYNCED)
    outbox.notice_clock()
    outbox.put(replace(item(key=True, clock=clock), t_event_utc=None))
    clock.advance(1.0)
    clock.synchronise(START_UTC + timedelta(seconds=1.0), SYNCED)
    assert 2 == outbox.notice_clock()
    assert [START_UTC - timedelta(seconds=1.0), START_UTC] == stamped(outbox)


def test_slow_correction_is_no_step(outbox, clock):
    """500 millionths for an hour move the clock by 1.8 s, and not one stamp."""
    outbox.put(item(key=True, clock=clock))
    for second in range(3600):
        clock.advance(1.0)
        true_utc = WRONG_UTC + timedelta(seconds=(second + 1) * 1.0005)
        clock.synchronise(true_utc, SYNCED)
        assert 0 == outbox.notice_clock()
    assert [WRONG_UTC] == stamped(outbox)


def test_suspend_is_no_step(outbox, clock):
    """Both clocks go on while the machine sleeps: the message is old, not moved."""
    outbox.put(item(key=True, clock=clock))
    clock.advance(7200.0)
    assert 0 == outbox.notice_clock()
    assert 7200.0 == outbox.oldest_age_s()
    assert [WRONG_UTC] == stamped(outbox)


def test_command_seen_before_a_clock_that_ran_ahead_stays_seen(outbox, clock):
    """A day ahead and back: the id was not forgotten in between, so the command is not obeyed twice."""
    until = WRONG_UTC + timedelta(hours=1)
    assert outbox.remember_command("c1", forget_after_utc=until)
    clock.synchronise(START_UTC + timedelta(days=1), SYNCED)
    outbox.notice_clock()
    assert 0 == outbox.forget_commands(clock.utc())
    clock.advance(60.0)
    clock.synchronise(WRONG_UTC + timedelta(seconds=60.0), SYNCED)
    outbox.notice_clock()
    assert not outbox.remember_command("c1", forget_after_utc=until)
    clock.advance(7200.0)
    assert 1 == outbox.forget_commands(clock.utc())


def test_observations_keep_their_order_and_distance_over_a_step(tmp_path):
    """A whole node without a line: the clock is set by -2 h between captures and sending."""
    clock = ManualClock(START_UTC + timedelta(hours=2), monotonic_s=50.0, quality=SYNCED)
    world = World(tmp_path, clock=clock)
    try:
        world.pass_(2.0)
        clock.synchronise(START_UTC, SYNCED)
        world.pass_(2.0)
        world.transport.connect()
        world.pass_(0.5, looking=False)
        said = sorted(world.spoken("obs"), key=lambda message: message.t_event_boot_s)
        assert len(said) >= 2
        for message in said:
            expected = START_UTC + timedelta(seconds=message.t_event_boot_s - 52.0)
            assert abs((message.t_event_utc - expected).total_seconds()) < 0.002
            assert SYNCED.error_s == message.clock.error_s
    finally:
        world.node.close()


def test_every_message_says_who_keeps_its_clock_and_how_well(tmp_path):
    """Birth, state, health, observations and crops alike, before and after the first sync."""
    clock = ManualClock(START_UTC, monotonic_s=50.0, quality=UNSYNCED)
    world = World(tmp_path, clock=clock)
    try:
        world.transport.connect()
        world.pass_(1.0)
        kinds = ("birth", "state", "health", "obs", "media")
        early = [message for kind in kinds for message in world.spoken(kind)]
        assert {("boot", None)} == {(one.clock.source, one.clock.error_s) for one in early}
        assert {None} == {one.t_event_utc for one in early}
        assert all(one.t_event_boot_s >= 50.0 for one in early)
        world.transport.sent.clear()
        clock.synchronise(START_UTC, SYNCED)
        world.transport.connections += 1
        world.pass_(12.0)
        later = {kind: world.spoken(kind) for kind in kinds}
        assert all(later.values())
        for message in (one for found in later.values() for one in found):
            assert ("ntp", 0.02) == (message.clock.source, message.clock.error_s)
            assert message.t_event_utc is not None
    finally:
        world.node.close()
