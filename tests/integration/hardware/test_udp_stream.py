"""A drone that sends an MPEG transport stream to a port is a camera like any other."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from hardware.camera_opencv import CameraSource, OpenCvCamera
from hardware.ports import Frame
from runtime.clock import SystemClock
from tests import ts_kit

RATE_HZ, SECONDS = 25.0, 20


def frames() -> Iterator[npt.NDArray[np.uint8]]:
    """A disc that moves three pixels a picture."""
    for n in range(int(RATE_HZ * SECONDS)):
        frame = np.full((120, 160, 3), 30, np.uint8)
        cv2.circle(frame, (10 + 3 * n % 140, 60), 8, (0, 200, 255), -1)
        yield frame


class Sender:
    """Sends a stream at its own speed, until it is told to stop."""

    def __init__(self, data: bytes, port: int) -> None:
        self._rows = [data[at : at + 1316] for at in range(0, len(data), 1316)]
        self._port = port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        start_s = time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for n, row in enumerate(self._rows):
                due_s = start_s + SECONDS * n / len(self._rows)
                if self._stop.wait(max(0.0, due_s - time.monotonic())):
                    return
                out.sendto(row, ("127.0.0.1", self._port))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path: Path = tmp_path_factory.mktemp("udp") / "live.ts"
    return ts_kit.write_film(path, frames(), RATE_HZ)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read(camera: OpenCvCamera, count: int, within_s: float) -> list[Frame]:
    """So many frames, or what came in the time."""
    found: list[Frame] = []
    end_s = time.monotonic() + within_s
    while len(found) < count and time.monotonic() < end_s:
        frame = camera.read()
        if frame is None:
            time.sleep(0.02)
        else:
            found.append(frame)
    return found


@pytest.mark.parametrize("address", ["udp://@:{port}", "udp://127.0.0.1:{port}"])
def test_a_stream_that_stops_and_starts_again_is_read_again(stream: bytes, address: str) -> None:
    """Frames with stream times while it is sent; silence is an offline camera; then frames anew."""
    port = free_port()
    camera = OpenCvCamera(
        CameraSource(
            sensor_id="drone",
            source=address.format(port=port),
            open_timeout_s=3.0,
            read_timeout_s=1.0,
            backoff_first_s=0.1,
        ),
        SystemClock(),
    )
    sender = Sender(stream, port)
    try:
        first = read(camera, 60, within_s=30.0)
        assert len(first) == 60
        assert camera.status == "online"
        times_s = np.array([frame.t_capture_monotonic_s for frame in first])
        steps_s = np.diff(times_s[20:])
        assert np.median(steps_s) == pytest.approx(1.0 / RATE_HZ, abs=0.002)
        sender.close()
        # What was under way still comes; then reads come back empty, never hanging.
        assert len(read(camera, 10_000, within_s=4.0)) < 60
        assert camera.status == "offline"
        assert camera.counters.read_failures >= 1
        sender = Sender(stream, port)
        again = read(camera, 20, within_s=30.0)
        assert len(again) == 20
        assert camera.counters.reconnects >= 1
    finally:
        sender.close()
        camera.close()


def test_rubbish_on_the_port_is_no_camera() -> None:
    """Noise gives no frame and no crash, and the camera says that it cannot be opened."""
    port = free_port()
    noise = np.random.default_rng(1).integers(0, 256, 1316 * 400, np.uint8).tobytes()
    sender = Sender(noise, port)
    camera = OpenCvCamera(
        CameraSource(
            sensor_id="drone",
            source=f"udp://@:{port}",
            open_timeout_s=1.0,
            read_timeout_s=1.0,
            backoff_first_s=0.1,
        ),
        SystemClock(),
    )
    try:
        assert read(camera, 1, within_s=4.0) == []
        assert camera.status == "offline"
    finally:
        sender.close()
        camera.close()
