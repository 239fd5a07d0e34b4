"""Slots of one, newest wins; lock-step for films."""

import numpy as np

from edge.capture import CaptureWorker, FrameSlots
from hardware.ports import CameraCounters, Frame

PICTURE = np.zeros((4, 4, 3), np.uint8)


def frame(sensor_id, seq, *, last=False, period_s=0.1):
    return Frame(
        sensor_id=sensor_id,
        seq=seq,
        image_bgr=PICTURE,
        t_capture_utc=None,
        t_capture_monotonic_s=seq * period_s,
        last=last,
    )


class Camera:
    """Gives the frames of a list; None stands for a time-out."""

    status = "online"
    counters = CameraCounters()

    def __init__(self, sensor_id, frames):
        self.sensor_id = sensor_id
        self.frames = list(frames)
        self.closed = False

    def read(self):
        if not self.frames:
            raise EOFError("film.avi is over")
        return self.frames.pop(0)

    def close(self):
        self.closed = True


def film(sensor_id, count):
    return Camera(sensor_id, [frame(sensor_id, k, last=k == count) for k in range(1, count + 1)])


def test_the_newest_frame_wins_and_the_replaced_are_counted():
    """A slow network sees the last of five frames; four were replaced."""
    slots = FrameSlots(["a"])
    worker = CaptureWorker(film("a", 5), slots)
    for _ in range(5):
        worker.step(0.0)
    assert 5 == slots.take(0.0).seq
    assert (4, 1) == (slots.replaced("a"), slots.taken("a"))
    assert slots.take(0.0) is None


def test_lockstep_loses_no_frame_of_a_film():
    """Single-threaded, a step of the reader and one of the network in turn: all frames in order."""
    slots = FrameSlots(["a"])
    worker = CaptureWorker(film("a", 7), slots, lockstep=True)
    seen = []
    while not slots.finished:
        worker.step(0.0)
        taken = slots.take(0.0)
        if taken is not None:
            seen.append(taken.seq)
    assert [1, 2, 3, 4, 5, 6, 7] == seen
    assert 0 == slots.replaced("a")


def test_no_camera_starves_beside_a_fast_one():
    """The frame that waited longest goes first, however often the other camera replaces its own."""
    slots = FrameSlots(["fast", "slow"])
    order = []
    for k in range(1, 7):
        slots.put(frame("fast", k))
        slots.put(frame("fast", 100 + k))
        if k % 2:
            slots.put(frame("slow", k))
        order.append(slots.take(0.0).sensor_id)
    assert 2 <= order.count("slow")


def test_a_film_without_a_marked_end_ends_by_eof():
    """EOFError from the camera ends the worker's film once."""
    slots = FrameSlots(["a"])
    worker = CaptureWorker(Camera("a", []), slots)
    assert not slots.finished
    worker.step(0.0)
    assert worker.over
    assert slots.finished
    assert worker.step(1.0) > 0


def test_a_time_out_asks_again_a_little_later():
    """No frame: nothing is put and the worker pauses, so that it does not spin."""
    slots = FrameSlots(["a"])
    worker = CaptureWorker(Camera("a", [None]), slots)
    assert worker.step(0.0) > 0
    assert slots.take(0.0) is None


def test_frames_above_the_wanted_rate_are_passed_over():
    """25 frames a second, 10 wanted: 8 to 10 are looked at, spread evenly."""
    slots = FrameSlots(["a"])
    frames = [frame("a", k, period_s=0.04) for k in range(1, 26)]
    worker = CaptureWorker(Camera("a", frames), slots, min_period_s=0.1)
    seen = []
    for _ in range(25):
        worker.step(0.0)
        taken = slots.take(0.0)
        if taken is not None:
            seen.append(taken.seq)
    assert len(seen) in (8, 9, 10)
    assert 25 == len(seen) + worker.passed_over


def test_closing_the_worker_closes_the_camera():
    """The worker owns the handle."""
    camera = film("a", 1)
    CaptureWorker(camera, FrameSlots(["a"])).close()
    assert camera.closed
