"""Cameras, films and folders through the real OpenCV."""

import http.server
import socket
import threading
from datetime import datetime, timedelta, timezone

import cv2
import numpy as np
import pytest

from hardware.camera_opencv import CameraSource, OpenCvCamera, masked
from runtime.clock import ClockQuality, ManualClock, SystemClock
from runtime.errors import AskOperator

START = datetime(2026, 11, 23, 2, 40, 12, tzinfo=timezone.utc)


def picture(number, size=(64, 48)):
    """A picture whose brightness tells its number."""
    return np.full((size[1], size[0], 3), (number * 20) % 250, np.uint8)


@pytest.fixture
def film(tmp_path):
    """Ten frames of known brightness at 5 frames a second."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5.0, (64, 48))
    for k in range(10):
        writer.write(picture(k))
    writer.release()
    return path


def camera(source, clock=None, **changes):
    return OpenCvCamera(
        CameraSource(sensor_id="cam-1", source=str(source), **changes), clock or ManualClock(START)
    )


def frames_of(port, most=100):
    """All frames until the film is over."""
    found = []
    for _ in range(most):
        try:
            frame = port.read()
        except EOFError:
            break
        if frame is not None:
            found.append(frame)
            if frame.last:
                break
    return found


def brightness(frames):
    return [round(float(frame.image_bgr.mean()) / 20) for frame in frames]


def test_a_film_read_fast_gives_every_frame_with_its_own_time(film):
    """Pace fast: all frames, in order, stamped by the film's rate from the opening."""
    frames = frames_of(camera(film, pace="fast"))
    assert list(range(10)) == brightness(frames)
    assert [k / 5 for k in range(10)] == pytest.approx([f.t_capture_monotonic_s for f in frames])
    assert START + timedelta(seconds=1.8) == frames[-1].t_capture_utc
    assert [False] * 9 + [True] == [f.last for f in frames]
    assert list(range(1, 11)) == [f.seq for f in frames]


def test_the_stated_rate_beats_the_files_header(film):
    """vtest.avi says 10 and was 7: the operator's word counts."""
    frames = frames_of(camera(film, pace="fast", film_rate_hz=2.0))
    assert 4.5 == pytest.approx(frames[-1].t_capture_monotonic_s)


def test_after_the_last_frame_the_film_is_over(film):
    """EOFError, again and again; never a hang."""
    port = camera(film, pace="fast")
    frames_of(port)
    for _ in range(2):
        with pytest.raises(EOFError, match="over after 10 frames"):
            port.read()


def test_real_time_hands_a_frame_over_when_it_is_due(film):
    """By the clock given: nothing early, each frame once its moment has come."""
    clock = ManualClock(START)
    port = camera(film, clock)
    assert 1 == port.read().seq
    assert port.read() is None
    clock.advance(0.19)
    assert port.read() is None
    clock.advance(0.02)
    frame = port.read()
    assert 2 == frame.seq
    assert 0.2 == pytest.approx(frame.t_capture_monotonic_s)


def test_a_looping_film_goes_on_in_time_and_number(film):
    """Frame 11 is picture 0 again, one period after frame 10."""
    port = camera(film, pace="fast", loop=True)
    frames = [frame for frame in (port.read() for _ in range(30)) if frame is not None]
    assert (list(range(10)) * 3)[: len(frames)] == brightness(frames)
    assert len(frames) >= 25
    steps = np.diff([frame.t_capture_monotonic_s for frame in frames])
    assert [0.2] * (len(frames) - 1) == pytest.approx(list(steps))
    assert not any(frame.last for frame in frames)


def test_a_folder_of_pictures_is_a_film_in_the_order_of_names(tmp_path):
    """Other files are ignored, a broken picture is passed over and counted."""
    for k in (2, 0, 1):
        cv2.imwrite(str(tmp_path / f"{k:03d}.png"), picture(k))
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "0015.png").write_bytes(b"\x89PNG broken")
    port = camera(tmp_path, pace="fast", film_rate_hz=4.0)
    frames = frames_of(port)
    assert [0, 1, 2] == brightness(frames)
    assert [0.0, 0.25, 0.5] == pytest.approx([f.t_capture_monotonic_s for f in frames])
    assert 1 == port.counters.read_failures
    assert "cannot be read" in port.counters.last_error


def test_without_a_known_utc_frames_carry_none(film):
    """Before the first sync of the clock there is no UTC to tell."""
    clock = ManualClock(START, quality=ClockQuality(source="boot", error_s=None))
    assert camera(film, clock, pace="fast").read().t_capture_utc is None


def test_a_missing_film_asks_the_operator_at_once():
    """The error names the camera, the value and what to do."""
    with pytest.raises(AskOperator, match=r"cam-1.*nowhere\.avi.*existing film.*correct") as error:
        camera("/nowhere.avi")
    assert "/nowhere.avi" == error.value.value


@pytest.mark.parametrize(
    "content",
    [
        b"",  # empty
        b"this is no film at all" * 100,  # not a container
        b"RIFF\x00\x10\x00\x00AVI LIST" + bytes(200),  # header only
    ],
)
def test_a_broken_film_is_offline_with_a_reason_and_tried_again_later(tmp_path, content):
    """No crash, no frame, no busy loop: each attempt waits longer."""
    path = tmp_path / "broken.avi"
    path.write_bytes(content)
    clock = ManualClock(START)
    port = camera(path, clock, pace="fast", backoff_first_s=1.0, backoff_max_s=4.0)
    for _ in range(200):
        assert port.read() is None
        clock.advance(0.1)
    assert "offline" == port.status
    assert port.counters.last_error
    # 20 s: at 0, 1, 3, 7, 11, 15, 19.
    assert 7 == port.counters.read_failures


def test_a_film_cut_off_in_the_middle_ends_early_but_orderly(tmp_path):
    """Half a file: some frames, then the end."""
    whole, short = tmp_path / "whole.avi", tmp_path / "short.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter_fourcc(*"MJPG"), 5.0, (320, 240))
    rng = np.random.default_rng(1)
    for _ in range(30):
        writer.write(rng.integers(0, 255, (240, 320, 3), dtype=np.uint8))
    writer.release()
    short.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    port = camera(short, pace="fast")
    frames = frames_of(port)
    assert 10 < len(frames) < 20
    with pytest.raises(EOFError):
        port.read()


def test_closing_ends_reading(film):
    """After close, read gives None and opens nothing."""
    port = camera(film, pace="fast")
    port.read()
    port.close()
    assert port.read() is None
    port.close()


def test_a_password_in_the_address_is_never_shown():
    """Neither in errors nor in logs."""
    assert "rtsp://guard:***@10.0.0.11/s1" == masked("rtsp://guard:se/cret@10.0.0.11/s1")
    for url in (
        "http://cam/video.mjpg?user=admin&pwd=secret",
        "rtsp://cam/user=admin&Password=secret&channel=1",
        "rtsp://cam/user=admin_password=secret_channel=1.sdp",
    ):
        assert "secret" not in masked(url)
        assert masked(url).startswith(url.split("user=admin")[0] + "user=admin")
    with pytest.raises(AskOperator) as error:
        camera("ftp://guard:secret@host/film")
    assert "secret" not in str(error.value)


# --- live -----------------------------------------------------------------------------------------
class Mjpeg:
    """A camera over HTTP whose behaviour a test can change while it runs."""

    def __init__(self):
        self.mode = "live"
        self.connections = 0
        self.sent = 0
        self.stop = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_args):
                pass

            def do_GET(self):
                outer.connections += 1
                if outer.mode == "silent":
                    outer.stop.wait(20)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=edge")
                self.end_headers()
                try:
                    self.pictures()
                except OSError:
                    return

            def pictures(self):
                while not outer.stop.is_set() and outer.mode != "closed":
                    if outer.mode == "stalled":
                        outer.stop.wait(0.02)
                        continue
                    if outer.mode != "frozen":
                        outer.sent += 1
                    jpeg = cv2.imencode(".jpg", picture(outer.sent % 12))[1].tobytes()
                    head = f"--edge\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                    self.wfile.write(head.encode() + b"\r\n" + jpeg + b"\r\n")
                    outer.stop.wait(0.02)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/video"

    def close(self):
        self.stop.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def mjpeg():
    server = Mjpeg()
    yield server
    server.close()


def live(url, **changes):
    quick = {
        "open_timeout_s": 1.0,
        "read_timeout_s": 0.5,
        "frozen_after_s": 0.4,
        "backoff_first_s": 0.05,
        "backoff_max_s": 0.2,
        **changes,
    }
    return camera(url, SystemClock(stated_error_s=0.01), **quick)


def read_until(port, wanted, most=2000):
    """Read until the condition holds; the frame read last."""
    pause = threading.Event()
    for _ in range(most):
        frame = port.read()
        if wanted(frame):
            return frame
        if frame is None:
            pause.wait(0.005)
    raise AssertionError(f"never happened; {port.status} {port.counters}")


def test_an_mjpeg_camera_gives_frames_with_their_instants(mjpeg):
    """Stamps rise, arrival less the known delay, in aware UTC."""
    port = live(mjpeg.url, capture_latency_s=0.3)
    clock = SystemClock(stated_error_s=0.01)
    first = read_until(port, lambda frame: frame is not None)
    frames = [read_until(port, lambda frame: frame is not None) for _ in range(5)]
    stamps = [frame.t_capture_monotonic_s for frame in frames]
    assert sorted(stamps) == stamps
    assert first.t_capture_monotonic_s <= clock.monotonic_s() - 0.3
    assert timezone.utc == frames[0].t_capture_utc.tzinfo
    assert "online" == port.status
    port.close()


def test_a_stalled_camera_is_offline_and_comes_back(mjpeg):
    """The server keeps the line but sends nothing: the read returns, then reconnects when it can."""
    port = live(mjpeg.url)
    read_until(port, lambda frame: frame is not None)
    mjpeg.mode = "stalled"
    read_until(port, lambda frame: frame is None)
    assert "offline" == port.status
    mjpeg.mode = "live"
    read_until(port, lambda frame: frame is not None)
    assert "online" == port.status
    assert port.counters.reconnects >= 1
    assert mjpeg.connections >= 2
    port.close()


def test_a_server_that_accepts_but_never_answers_does_not_hold_the_reader(mjpeg):
    """Opening has its own time-out."""
    mjpeg.mode = "silent"
    port = live(mjpeg.url, open_timeout_s=0.4)
    read_until(port, lambda _: port.counters.read_failures >= 2)
    assert "offline" == port.status
    assert "cannot be opened" in port.counters.last_error
    port.close()


def test_a_frozen_picture_is_noticed_withheld_and_forgiven(mjpeg):
    """The same picture for ever is a dead camera: status says so and no frame is handed on."""
    port = live(mjpeg.url)
    read_until(port, lambda frame: frame is not None)
    mjpeg.mode = "frozen"
    read_until(port, lambda frame: port.status == "frozen")
    assert 1 == port.counters.frozen_spells
    assert port.read() is None
    mjpeg.mode = "live"
    read_until(port, lambda frame: frame is not None)
    assert "online" == port.status
    port.close()


def test_a_refused_connection_is_offline_and_counted():
    """Nobody listens at that port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port_number = probe.getsockname()[1]
    port = live(f"rtsp://127.0.0.1:{port_number}/s")
    read_until(port, lambda _: port.counters.read_failures >= 1)
    assert "offline" == port.status
    port.close()


def test_a_silent_rtsp_server_does_not_hold_the_reader():
    """It takes the connection and says nothing: opening ends by its own time-out."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = live(f"rtsp://127.0.0.1:{server.getsockname()[1]}/s", open_timeout_s=0.4)
        read_until(port, lambda _: port.counters.read_failures >= 2)
        assert "offline" == port.status
        port.close()


def test_a_missing_usb_camera_is_offline_not_an_error():
    """It may be plugged in later."""
    port = live("97")
    read_until(port, lambda _: port.counters.read_failures >= 1)
    assert "offline" == port.status
    port.close()


def test_status_tells_of_a_blocked_read_before_it_returns(mjpeg):
    """The watchdog asks the age of the last frame; it needs no word from the blocked reader."""
    port = live(mjpeg.url, read_timeout_s=3.0)
    read_until(port, lambda frame: frame is not None)
    slow = OpenCvCamera(
        CameraSource(sensor_id="cam-1", source=mjpeg.url, read_timeout_s=3.0),
        clock := ManualClock(START),
    )
    while slow.read() is None:
        pass
    assert "online" == slow.status
    clock.advance(3.1)
    assert "offline" == slow.status
    slow.close()
    port.close()


@pytest.mark.data
def test_the_real_film_is_read_whole(data_dir):
    """vtest.avi: 795 frames of 768 x 576."""
    port = camera(data_dir / "films" / "vtest.avi", pace="fast", film_rate_hz=7.0)
    count, last = 0, None
    while True:
        frame = port.read()
        count += 1
        if frame.last:
            last = frame
            break
    assert 795 == count
    assert (576, 768, 3) == last.image_bgr.shape
    assert 794 / 7 == pytest.approx(last.t_capture_monotonic_s)
