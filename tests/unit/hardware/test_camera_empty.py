"""A film or folder without one picture that can be read."""

from datetime import datetime, timezone

import pytest

from hardware.camera_opencv import CameraSource, OpenCvCamera
from runtime.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 1, tzinfo=timezone.utc))


def camera(folder, clock, *, loop: bool) -> OpenCvCamera:
    (folder / "broken.png").write_bytes(b"no picture")
    return OpenCvCamera(CameraSource(sensor_id="cam-1", source=str(folder), loop=loop), clock)


def test_folder_without_a_picture_is_over_after_the_third_opening(tmp_path, clock):
    """It is not opened for ever; each vain opening is counted."""
    empty = camera(tmp_path, clock, loop=False)
    for _ in range(2):
        assert empty.read() is None
        clock.advance(30.0)
    with pytest.raises(EOFError, match="no picture in 3 openings"):
        empty.read()
    assert 3 == empty.counters.read_failures


def test_folder_that_is_shown_again_and_again_is_waited_for(tmp_path, clock):
    """Pictures may still come to it."""
    empty = camera(tmp_path, clock, loop=True)
    for _ in range(5):
        assert empty.read() is None
        clock.advance(30.0)
    assert "offline" == empty.status
