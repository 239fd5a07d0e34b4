"""Clocks and ids: injected, ordered, honest about their quality."""

import random
from datetime import datetime, timedelta, timezone

import pytest

from runtime.clock import ClockQuality, ManualClock, SystemClock, kernel_clock_quality
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
