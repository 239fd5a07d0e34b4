"""Clocks and ids: injected, ordered, honest about their quality."""

import random
import time
from datetime import datetime, timedelta, timezone

import pytest

from runtime.clock import ClockQuality, ClockTie, ManualClock, SystemClock, kernel_clock_quality
from runtime.ids import UlidSource

START_UTC = datetime(2026, 3, 1, 2, 40, tzinfo=timezone.utc)


def test_manual_clock_only_moves_when_told():
    """Two readings are equal until somebody advances it."""
    clock = ManualClock(START_UTC)
    assert (clock.monotonic_s(), clock.utc()) == (0.0, START_UTC)
    clock.advance(1.5)
    assert (1.5, START_UTC + timedelta(seconds=1.5)) == (clock.monotonic_s(), clock.utc())
    with pytest.raises(ValueError, match="only moves forward"):
        clock.advance(-1)


def test_synchronising_moves_utc_and_leaves_monotonic_alone():
    """A first sync may move UTC by years; intervals never notice."""
    clock = ManualClock(START_UTC, quality=ClockQuality(source="boot", error_s=None))
    clock.advance(10)
    assert not clock.quality().synchronised
    true_utc = START_UTC + timedelta(days=900)
    clock.synchronise(true_utc, ClockQuality(source="ntp", error_s=0.01))
    assert (10.0, true_utc) == (clock.monotonic_s(), clock.utc())
    assert clock.quality().synchronised


def test_system_clock_is_aware_and_says_who_keeps_it():
    """Without a stated error the kernel is asked; its word has a meaning or is 'boot'."""
    assert timezone.utc == SystemClock().utc().tzinfo
    assert ClockQuality(source="manual", error_s=0.2) == SystemClock(stated_error_s=0.2).quality()
    quality = kernel_clock_quality()
    assert quality.source in {"ntp", "boot"}
    assert (quality.source == "boot") == (quality.error_s is None)


def test_ulids_sort_by_time_and_order_of_making():
    """Sorted by text they are in the order they were made, over a step back of UTC too."""
    clock = ManualClock(START_UTC)
    ids = UlidSource(clock, random.Random(1))
    made = []
    for step in range(50):
        made.append(ids.new())
        if step % 10 == 9:
            clock.advance(0.001)
        if step == 30:
            clock.synchronise(START_UTC - timedelta(hours=1), clock.quality())
    assert sorted(set(made)) == made
    assert {26} == {len(made_id) for made_id in made}
    assert set("".join(made)) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_ulid_carries_the_milliseconds_of_its_clock():
    """The first ten characters are the time in Crockford's base 32."""
    first = UlidSource(ManualClock(START_UTC), random.Random(2)).new()[:10]
    value = 0
    for character in first:
        value = value * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(character)
    assert int(START_UTC.timestamp() * 1000) == value


def test_kernel_is_asked_again_at_once_after_a_step(monkeypatch):
    """A clock set by hand has lost its sync: five seconds of the old word would obey commands."""
    words = [ClockQuality(source="ntp", error_s=0.01), ClockQuality(source="boot", error_s=None)]
    monkeypatch.setattr("runtime.clock.kernel_clock_quality", lambda: words[0])
    clock = SystemClock()
    assert clock.quality().synchronised
    words.pop(0)
    assert clock.quality().synchronised
    true_time = time.time
    monkeypatch.setattr(time, "time", lambda: true_time() + 3.0)
    assert not clock.quality().synchronised


def test_time_of_a_suspended_machine_goes_on(monkeypatch):
    """Seconds since boot count the sleep, so that everything heard before it is old."""
    clock = SystemClock()
    before_s = clock.monotonic_s()
    asleep = time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda which: asleep(which) + 3600.0)
    assert 3600.0 <= clock.monotonic_s() - before_s < 3700.0


def test_two_readings_that_were_interrupted_are_no_step():
    """A process put to sleep between them would see a step that nobody made."""

    class Interrupted(ManualClock):
        pause_s = 0.0

        def utc(self) -> datetime:
            self.advance(self.pause_s)
            return super().utc()

    clock = Interrupted(START_UTC)
    tie = ClockTie(clock)
    clock.pause_s = 2.0
    assert 0.0 == tie.look()
    clock.pause_s = 0.0
    assert 0.0 == tie.look()
    clock.synchronise(START_UTC + timedelta(seconds=60), clock.quality())
    assert 55.0 < tie.look() < 61.0
