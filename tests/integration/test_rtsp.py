"""A simulated camera as RTSP, read by the product's own driver."""

import subprocess
import sys
import time
import urllib.request

import cv2
import numpy as np
import pytest

from hardware.camera_opencv import CameraSource, OpenCvCamera
from runtime.clock import SystemClock
from runtime.errors import AskOperator, Broken
from simulations.rtsp import RtspCamera, RtspServer
from simulations.studio import Studio

NOWHERE = RtspCamera(id="cam", url="http://127.0.0.1:9/cam.mjpg", fps=10.0)


def _lacks_packages():
    try:
        RtspServer([NOWHERE]).close()
    except AskOperator as error:
        return str(error)
    return ""


needs_gstreamer = pytest.mark.skipif(bool(_lacks_packages()), reason=_lacks_packages())


def still(studio, camera_id):
    """The same camera's newest picture over HTTP."""
    address = studio.url(camera_id).replace(".mjpg", ".jpg")
    with urllib.request.urlopen(address, timeout=20) as answer:
        jpeg = np.frombuffer(answer.read(), np.uint8)
    return cv2.imdecode(jpeg, cv2.IMREAD_COLOR)


def alike(a, b):
    """Correlation of two pictures, made small so that single pixels of noise do not count."""
    small = [cv2.resize(image, (96, 54), interpolation=cv2.INTER_AREA).ravel() for image in (a, b)]
    return float(np.corrcoef(*small)[0, 1])


def frames(url, count):
    source = CameraSource(sensor_id="cam", source=url, open_timeout_s=20.0, read_timeout_s=10.0)
    camera = OpenCvCamera(source, SystemClock())
    found, ends_s = [], time.monotonic() + 60.0
    while len(found) < count and time.monotonic() < ends_s:
        frame = camera.read()
        if frame is not None:
            found.append(frame)
    camera.close()
    return found


@needs_gstreamer
def test_the_products_driver_reads_the_scene_over_rtsp():
    """Frames arrive in order at the camera's size, move on, and show what that camera films."""
    with Studio("demo", rtsp=True) as studio:
        studio.go()
        one, other = (camera.id for camera in studio.world.scenario.camera[:2])
        seen = frames(studio.rtsp_url(one), 20)
        assert 20 == len(seen)
        assert [seen[0].seq + k for k in range(20)] == [frame.seq for frame in seen]
        model = studio.world.scenario.camera[0]
        assert (model.height_px, model.width_px, 3) == seen[-1].image_bgr.shape
        assert not np.array_equal(seen[0].image_bgr, seen[-1].image_bgr)
        assert alike(seen[-1].image_bgr, still(studio, one)) > 0.97
        assert alike(seen[-1].image_bgr, still(studio, other)) < 0.9


@needs_gstreamer
def test_the_process_ends_with_its_owner():
    """Closing ends the process and frees the port; one that died by itself is noticed."""
    server = RtspServer([NOWHERE])
    port = int(server.url("cam").rpartition(":")[2].partition("/")[0])
    assert server.step(0.0) > 0.0
    with pytest.raises(AskOperator, match=f"RTSP port is {port}.*choose another"):
        RtspServer([NOWHERE], port=port)
    server.close()
    RtspServer([NOWHERE], port=port).close()
    with pytest.raises(Broken, match="RTSP process runs"):
        server.step(0.0)


def test_missing_packages_are_named(tmp_path):
    """A Python without the bindings: one sentence says what to install and what else would do."""
    bare = tmp_path / "python3"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    assert (
        0
        != subprocess.run(
            [bare, "-I", "-c", "import gi"], check=False, capture_output=True
        ).returncode
    )
    with pytest.raises(AskOperator, match=r"apt-get install .*gir1\.2-gst-rtsp-server-1\.0.*MJPEG"):
        RtspServer([NOWHERE], python=str(bare))


def test_a_python_that_ends_at_once_is_said_so(tmp_path):
    """Whatever is wrong with the system's Python: no broken pipe, no process left behind."""
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\nexec 0<&-\nexit 3\n")
    broken.chmod(0o755)
    many = [NOWHERE] * 2000  # more than a pipe holds
    with pytest.raises(Broken, match="RTSP process answers"):
        RtspServer(many, python=str(broken))


def test_a_studio_without_rtsp_has_no_such_address():
    """Asking for what was not served is a mistake of the program, said so."""
    with Studio("demo") as studio, pytest.raises(Broken, match="rtsp=False"):
        studio.rtsp_url("cam-day")
