"""A camera that serves live pictures never gives an old one for a new one."""

from types import SimpleNamespace

import pytest

from runtime.clock import ManualClock
from simulations.mjpeg import LiveCamera
from simulations.scenario_node import CameraFaultSettings
from tests.unit.simulations.runner_kit import START


@pytest.fixture
def rig():
    """A camera of one frame a second, offline from 10 s on, and its clock."""
    clock = ManualClock(START)
    fault = CameraFaultSettings(kind="offline", at_s=10.0, lasts_s=20.0)
    settings = SimpleNamespace(id="cam", fps=1.0, fault=(fault,))
    footage = SimpleNamespace(camera=settings, jpeg=lambda t_s, index: f"{t_s} {index}".encode())
    return LiveCamera(footage, clock, clock.monotonic_s), clock


def test_who_comes_after_a_pause_is_not_shown_the_last_picture_before_it(rig):
    """A node that connects anew takes what it gets for a picture of now."""
    camera, clock = rig
    camera.watch()
    camera.step(clock.monotonic_s())
    assert b"0.0 0" == camera.after(-1, wait_s=0.0).jpeg
    camera.unwatch()
    clock.advance(5.0)
    camera.watch()
    assert camera.after(-1, wait_s=0.0) is None
    camera.step(clock.monotonic_s())
    assert b"5.0 1" == camera.after(-1, wait_s=0.0).jpeg


def test_a_camera_offline_gives_no_picture_to_who_connects(rig):
    """Nor the last one before it, though others still wait for the next."""
    camera, clock = rig
    camera.watch()
    camera.step(clock.monotonic_s())
    clock.advance(12.0)
    camera.step(clock.monotonic_s())
    camera.watch()
    assert camera.after(-1, wait_s=0.0) is None
