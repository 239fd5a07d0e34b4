"""A camera without pictures is a camera all the same: on time, and wrong when it shall be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import ManualClock
from simulations.replay import MAX_FRAMES, ReplayCamera, number_of, ticket
from simulations.scenario_node import CameraSettings
from tests.unit.simulations.runner_kit import START, camera


@given(st.integers(0, MAX_FRAMES - 1))
def test_a_ticket_holds_its_number(index):
    """One pixel carries a frame's number through the node."""
    assert index == number_of(ticket(index))


def test_a_ticket_too_large_is_refused():
    """Beyond three bytes a number would come back as another."""
    with pytest.raises(ValueError, match="one pixel holds"):
        ticket(MAX_FRAMES)


def played(seconds, *faults):
    """(second, frame number, status) of each frame that came; and the camera."""
    settings = CameraSettings.model_validate(camera(fps=4.0, fault=list(faults)))
    clock = ManualClock(START)
    replay = ReplayCamera(settings, clock, frames=1000, read_timeout_s=5.0, frozen_after_s=10.0)
    came, states = [], []
    for _ in range(int(seconds * 4)):
        frame = replay.read()
        if frame is not None:
            came.append((frame.t_capture_monotonic_s, number_of(frame.image_bgr)))
        states.append((clock.monotonic_s(), replay.status))
        clock.advance(0.25)
    return came, states, replay


def test_every_frame_comes_once_and_on_time():
    """Frame k is taken k / fps seconds after the start."""
    came, _, replay = played(5.0)
    assert [(k / 4, k) for k in range(20)] == came
    assert replay.read() is not None
    assert replay.read() is None


def test_a_camera_that_is_gone_comes_back_after_a_pause():
    """No frame while it is offline; then it is opened again, as the driver does, within its pauses."""
    came, states, replay = played(60.0, {"kind": "offline", "at_s": 10.0, "lasts_s": 12.0})
    times = [t for t, _ in came]
    assert not [t for t in times if 10.0 <= t < 22.0]
    back = min(t for t in times if t >= 22.0)
    assert 22.0 <= back <= 22.0 + 16.0
    assert ("offline" in dict(states).values()) and dict(states)[40.0] == "online"
    assert replay.counters.reconnects == 1


def test_a_picture_that_stands_still_is_noticed():
    """The same frame comes again until the node's watch calls it frozen."""
    came, states, replay = played(40.0, {"kind": "frozen", "at_s": 5.0, "lasts_s": 20.0})
    assert {19} == {number for t, number in came if 5.0 <= t < 25.0}
    assert not [t for t, _ in came if 15.0 < t < 25.0]
    assert dict(states)[20.0] == "frozen"
    assert dict(states)[39.0] == "online"
    assert replay.counters.frozen_spells == 1
