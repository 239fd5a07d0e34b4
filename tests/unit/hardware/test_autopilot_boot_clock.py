"""A vehicle's milliseconds as node time: over delays, reboots, wraps and odd clocks."""

import random

import pytest

from hardware.autopilot_mavlink.boot_clock import WRAP_S, BootClock


def feed(clock, *, boot_s, delays_s, start_s=1000.0, period_s=0.1):
    """Messages every `period_s`; (true, told) node times of each."""
    found = []
    for number, delay_s in enumerate(delays_s):
        true_s = start_s + number * period_s
        boot_ms = round((true_s - boot_s) * 1000)
        found.append((true_s, clock.at(boot_ms % 2**32, true_s + delay_s)))
    return found


def test_least_delay_finds_the_offset_through_jitter() -> None:
    """Within the shortest delay of the truth, 5 ms here, though most messages took longer."""
    seeded = random.Random(1)
    clock = BootClock()
    delays_s = [0.005 + seeded.expovariate(1 / 0.08) for _ in range(600)]
    told = feed(clock, boot_s=940.0, delays_s=delays_s)
    errors_s = [told_s - true_s for true_s, told_s in told[300:]]
    assert max(errors_s) < 0.008
    assert min(errors_s) > -0.001
    assert clock.error_s is None


def test_timesync_takes_the_delay_out() -> None:
    """The quickest answer of a minute counts; half its way there and back bounds the error."""
    seeded = random.Random(2)
    clock = BootClock()
    for number in range(60):
        sent_s = 1000.0 + number
        there_s, back_s = (0.02 + seeded.expovariate(1 / 0.05) for _ in range(2))
        assert clock.answered(
            sent_s=sent_s, received_s=sent_s + there_s + back_s, remote_s=sent_s + there_s - 940.0
        )
        clock.at(round((sent_s - 940.0) * 1000), sent_s + 0.05)
    assert 940.0 == pytest.approx(clock.offset_s, abs=clock.error_s)
    assert clock.error_s < 0.035


def test_timesync_of_another_clock_gives_its_delay_only() -> None:
    """One that counts from elsewhere must not move the stamps; its quickness still helps."""
    clock = BootClock()
    for number in range(50):
        sent_s = 1000.0 + number
        clock.answered(sent_s=sent_s, received_s=sent_s + 0.08, remote_s=sent_s + 12_345.0)
        clock.at(round((sent_s - 940.0) * 1000), sent_s + 0.04)
    assert 940.0 == pytest.approx(clock.offset_s, abs=0.002)


def test_reboot_is_believed_when_messages_agree_for_a_while() -> None:
    """Until then, a quarter of a second, nothing is told; after it the new offset holds."""
    clock = BootClock()
    feed(clock, boot_s=900.0, delays_s=[0.02] * 50)
    told = feed(clock, boot_s=1009.0, delays_s=[0.02] * 20, start_s=1010.0)
    assert [None] * 3 == [told_s for _, told_s in told[:3]]
    assert all(abs(told_s - true_s) < 0.03 for true_s, told_s in told[3:])
    assert 1 == clock.reboots


def test_reboot_soon_after_a_boot_is_one_too() -> None:
    """Seconds after the first start the new stamps are hardly older than late ones would be."""
    clock = BootClock()
    feed(clock, boot_s=997.0, delays_s=[0.02] * 50)
    told = feed(clock, boot_s=1009.0, delays_s=[0.02] * 20, start_s=1010.0)
    assert all(abs(told_s - true_s) < 0.03 for true_s, told_s in told[3:])
    assert 1 == clock.reboots


def test_new_boot_that_looks_like_a_late_message_is_found_in_seconds() -> None:
    """Stamps beyond the newest of the old boot, and older than now: late by the same, so no delay."""
    clock = BootClock()
    feed(clock, boot_s=997.0, delays_s=[0.02] * 10)
    told = feed(clock, boot_s=1003.0, delays_s=[0.02] * 60, start_s=1010.0)
    assert all(abs(told_s - true_s) < 0.03 for true_s, told_s in told[32:])
    assert 1 == clock.reboots


def test_growing_delay_is_no_reboot() -> None:
    """Three seconds late, in order: the instants stay right."""
    clock = BootClock()
    feed(clock, boot_s=900.0, delays_s=[0.02] * 50)
    told = feed(clock, boot_s=900.0, delays_s=[0.05 * n for n in range(60)], start_s=1005.0)
    assert all(abs(told_s - true_s) < 0.03 for true_s, told_s in told)
    assert 0 == clock.reboots


def test_one_odd_stamp_changes_nothing() -> None:
    """A stamp from nowhere among good ones is left out and is no reboot."""
    clock = BootClock()
    feed(clock, boot_s=900.0, delays_s=[0.02] * 20)
    before = clock.offset_s
    for stamp_ms in (0, 2**32 - 1, 5, 10**9):
        assert clock.at(stamp_ms, 1002.5) is None
    for _ in range(10):
        assert clock.at(7, 1002.5) is None
    assert before == clock.offset_s
    assert all(told_s is not None for _, told_s in feed(
        clock, boot_s=900.0, delays_s=[0.02] * 5, start_s=1003.0
    ))  # fmt: skip
    assert 0 == clock.reboots


def test_stamps_wrap_after_49_days_without_a_gap() -> None:
    """The instants go on evenly; it is neither a reboot nor lost time."""
    clock = BootClock()
    begin_s = 1000.0
    boot_s = begin_s - (WRAP_S - 2.0)
    told = feed(clock, boot_s=boot_s, delays_s=[0.02] * 100, start_s=begin_s)
    assert all(told_s is not None and abs(told_s - true_s) < 0.021 for true_s, told_s in told)
    assert (0, 1) == (clock.reboots, clock.wraps)


def test_messages_out_of_a_full_buffer_do_not_spoil_the_clock() -> None:
    """The first came seconds late: once the line is free again, the offset follows, no reboot."""
    clock = BootClock()
    feed(clock, boot_s=900.0, delays_s=[3.0] * 10)
    told = feed(clock, boot_s=900.0, delays_s=[0.02] * 20, start_s=1005.0)
    assert all(abs(told_s - true_s) < 0.03 for true_s, told_s in told[4:])
    assert 0 == clock.reboots


def test_instant_never_lies_in_the_future() -> None:
    """A message speaks of a moment before its arrival."""
    seeded = random.Random(3)
    clock = BootClock()
    for _ in range(3000):
        received_s = 1000.0 + seeded.random() * 100
        told = clock.at(seeded.randrange(2**32), received_s)
        assert told is None or told <= received_s


def test_drift_of_the_vehicles_quartz_is_followed() -> None:
    """50 millionths for an hour, by arrivals alone: never more than 10 ms off beside the delay."""
    clock = BootClock()
    worst_s = 0.0
    for number in range(3600):
        true_s = 1000.0 + number
        boot_ms = round((true_s - 900.0) * 1000 * (1 - 50e-6))
        told_s = clock.at(boot_ms, true_s + 0.02)
        worst_s = max(worst_s, abs(told_s - true_s))
    assert worst_s < 0.03
