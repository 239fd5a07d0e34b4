"""The simulated camera is a camera to OpenCV and to a plain HTTP client."""

import itertools
import threading
import time
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest

from simulations.scenario import load_scenario
from simulations.scenario_node import CameraFaultSettings
from simulations.studio import Studio
from simulations.world import World


@pytest.fixture(scope="module")
def studio():
    with Studio("demo") as live:
        yield live


def test_opencv_reads_the_stream(studio):
    """cv2.VideoCapture gets whole, fresh frames of the stated size."""
    capture = cv2.VideoCapture(studio.url("cam-day"), cv2.CAP_FFMPEG)
    frames = [capture.read() for _ in range(6)]
    capture.release()
    assert [done for done, _ in frames] == [True] * 6
    assert frames[0][1].shape == (540, 960, 3)
    # Noise is fresh in every frame, so no two are the same and no watchdog calls it frozen.
    assert all(not np.array_equal(a[1], b[1]) for a, b in itertools.pairwise(frames))


def test_parts_carry_their_capture_time(studio):
    """Each part states length and capture time; times grow by the frame period."""
    stamps = []
    with urllib.request.urlopen(studio.url("cam-thermal"), timeout=10) as stream:
        assert stream.headers["Content-Type"].startswith("multipart/x-mixed-replace")
        while len(stamps) < 4:
            line = stream.readline().strip()
            if line.startswith(b"Content-Length:"):
                length = int(line.split(b":")[1])
            if line.startswith(b"X-Timestamp:"):
                stamps.append(float(line.split(b":")[1]))
                assert stream.readline() == b"\r\n"
                jpeg = stream.read(length)
                assert jpeg[:2] == b"\xff\xd8"
                assert jpeg[-2:] == b"\xff\xd9"
    assert all(b > a for a, b in itertools.pairwise(stamps))
    assert abs(stamps[0] - time.time()) < 30


def test_one_picture_and_the_list(studio):
    """A still is one JPEG; the root lists every camera."""
    still = studio.url("cam-day").replace(".mjpg", ".jpg")
    with urllib.request.urlopen(still, timeout=10) as answer:
        picture = cv2.imdecode(np.frombuffer(answer.read(), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (540, 960, 3)
    with urllib.request.urlopen(still.rsplit("/", 1)[0] + "/", timeout=10) as answer:
        assert answer.read().decode().split() == [
            "/cam-day.mjpg", "/cam-day.jpg", "/cam-thermal.mjpg", "/cam-thermal.jpg",
            "/uav-1.mjpg", "/uav-1.jpg",
        ]  # fmt: skip


def test_unknown_camera_is_not_found(studio):
    """A wrong address is 404, and the next request still works."""
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(studio.url("cam-none"), timeout=10)
    capture = cv2.VideoCapture(studio.url("cam-thermal"), cv2.CAP_FFMPEG)
    assert capture.read()[0]
    capture.release()


def test_the_world_waits_for_go(studio):
    """Time stands still until `go`, so that nobody crosses before the node is up."""
    assert studio.scene_time_s() == 0.0


def test_who_hangs_up_on_a_silent_camera_is_let_go():
    """A node tries again and again while its camera is offline; no thread may stay for each try."""
    demo = load_scenario("demo").model
    fault = CameraFaultSettings(kind="offline", at_s=0.0, lasts_s=600.0)
    camera = demo.camera[0].model_copy(update={"fault": (fault,)})
    world = World(demo.model_copy(update={"camera": (camera,)}))
    with Studio(world) as live:
        before = threading.active_count()
        for _ in range(3):
            urllib.request.urlopen(live.url("cam-day"), timeout=10).close()
        ends_s = time.monotonic() + 60.0
        while threading.active_count() > before:
            assert time.monotonic() < ends_s, threading.enumerate()
            time.sleep(0.1)
