"""Capture instants of live streams, and the watch for frozen pictures."""

import numpy as np
import pytest

from hardware.capture_time import StreamTime
from hardware.picture_watch import PictureWatch


def test_without_stamps_capture_is_arrival_less_the_known_delay():
    """MJPEG and USB carry no stamps worth their name."""
    assert 9.8 == pytest.approx(StreamTime(latency_s=0.2).capture_s(10.0, None))


def test_a_frame_held_up_in_a_queue_keeps_its_own_instant():
    """A burst after a stall: stamps 0.1 s apart, all arriving at once, are spread again."""
    time = StreamTime()
    for k in range(20):
        time.capture_s(100.0 + 0.1 * k, 0.1 * k)
    burst = [time.capture_s(103.0 + 0.001 * k, 2.0 + 0.1 * k) for k in range(5)]
    assert [102.0 + 0.1 * k for k in range(5)] == pytest.approx(burst, abs=2e-3)


def test_the_least_delay_seen_ties_stamps_to_our_clock():
    """Jitter only ever adds: after some frames the error is below the least jitter drawn."""
    rng = np.random.default_rng(3)
    time = StreamTime(latency_s=0.05)
    for k in range(300):
        told = time.capture_s(50.0 + 0.04 * k + 0.05 + float(rng.exponential(0.03)), 0.04 * k)
    assert 50.0 + 0.04 * 299 == pytest.approx(told, abs=0.004)


def test_a_camera_clock_that_runs_slow_is_followed():
    """100 ppm of drift over an hour is 0.36 s; the stamp stays within a few milliseconds."""
    time = StreamTime()
    for k in range(3600):
        true_s = float(k)
        told = time.capture_s(true_s, 1.0 + true_s * (1 - 1e-4))
    assert 3599.0 == pytest.approx(told, abs=0.005)


def test_a_stream_that_begins_anew_is_tied_anew():
    """Stamps that jump back, or far ahead, start a new tie instead of a wrong instant."""
    time = StreamTime()
    time.capture_s(10.0, 100.0)
    assert 11.0 == pytest.approx(time.capture_s(11.0, 0.1))
    assert 12.0 == pytest.approx(time.capture_s(12.0, 900.0))


def test_stamps_at_half_speed_are_found_out():
    """A header that says 25 frames/s for 12.5: soon the arrival is taken, never 5 s off for long."""
    time = StreamTime(latency_s=0.1)
    told = {k: time.capture_s(0.08 * k, 0.04 * k + 0.04) for k in range(1, 500)}
    assert 0.08 * 499 - 0.1 == pytest.approx(told[499])
    assert max(0.08 * k - told[k] for k in told) < 4.0
    time.restart()
    assert 99.9 == pytest.approx(time.capture_s(100.0, 5.0))


def noise(seed):
    return np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def test_only_an_exactly_repeated_picture_is_frozen():
    """Ten seconds of one picture freeze; one changed sample thaws."""
    watch = PictureWatch(10.0)
    still = noise(1)
    assert [False, False, True] == [watch.frozen(still, t) for t in (0.0, 9.9, 10.0)]
    moved = still.copy()
    moved[8, 8, 0] ^= 1
    assert not watch.frozen(moved, 11.0)


def test_a_quiet_night_with_sensor_noise_is_not_frozen():
    """Different noise each second for a minute."""
    watch = PictureWatch(5.0)
    assert not any(watch.frozen(noise(k), float(k)) for k in range(60))


def test_a_picture_of_another_size_is_a_change():
    """A camera that was set to another resolution is not frozen."""
    watch = PictureWatch(1.0)
    watch.frozen(noise(1), 0.0)
    assert not watch.frozen(noise(1)[:24], 5.0)
