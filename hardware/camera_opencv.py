"""Cameras, films and folders of pictures through OpenCV.

One handle, one reading thread (the caller's). OpenCV is told the time-outs, but a stopped RTSP
camera was seen to hold a read three times as long; so `status` goes by the age of the last frame,
asked from any thread, and never waits for a read to come back.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hardware.camera_source import CameraSource, Kind, masked
from hardware.capture_time import StreamTime
from hardware.film_time import FilmTimes
from hardware.picture_watch import PictureWatch
from hardware.ports import CameraCounters, CameraStatus, FilmPosition, Frame
from runtime.clock import Clock
from runtime.log import Repeated, get_logger

__all__ = ["PICTURE_SUFFIXES", "CameraSource", "OpenCvCamera", "masked"]

Image = npt.NDArray[np.uint8]

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_FOLDER_RATE_HZ = 10.0
_UDP_FIFO_PACKETS = 20_000
"""Of 188 bytes: three seconds at 10 Mbit/s."""
_EMPTY_OPENINGS = 3
"""After so many openings without one picture a film that is shown once is over."""


class OpenCvCamera:
    """A camera, film or folder behind OpenCV; see `hardware.ports.CameraPort`.

    Args:
        source: where from.
        clock: for stamps, pace and watchdogs.

    Raises:
        AskOperator: the source can never work, such as a film that does not exist.
    """

    def __init__(self, source: CameraSource, clock: Clock) -> None:
        self.sensor_id = source.sensor_id
        self._source = source
        self._kind: Kind = source.kind
        self._clock = clock
        self._handle: _Handle | None = None
        self._in_use = threading.Lock()
        self._closed = threading.Event()
        self._seq = 0
        self._counters = CameraCounters()
        self._backoff_s = source.backoff_first_s
        self._retry_s = -1.0
        self._last_frame_s: float | None = None
        self._frozen = False
        self._watch = PictureWatch(source.frozen_after_s)
        self._stream_time = StreamTime(latency_s=source.capture_latency_s)
        self._film_start_s: float | None = None
        self._film_index = 0
        self._film_times = FilmTimes()
        self._ahead: tuple[Image, float] | None = None
        self._empty_openings = 0
        log = get_logger(sensor_id=source.sensor_id)
        self._fault = Repeated(log, "camera_fault")
        self._log = log

    # --- CameraPort -------------------------------------------------------------------------------
    def read(self) -> Frame | None:
        """The next frame; None when none came in time, is not due yet, or the source is gone.

        A live source blocks for its time-outs at most; nothing else here waits, so a caller that
        gets None asks again a little later.
        """
        with self._in_use:
            if self._closed.is_set():
                self._release()
                return None
            frame = self._read_film() if self._is_film else self._read_live()
            if self._closed.is_set():
                self._release()
            return frame

    @property
    def status(self) -> CameraStatus:
        """How the source is now, by the age of its last frame; safe from any thread."""
        if self._last_frame_s is None:
            return "offline" if self._counters.read_failures else "starting"
        if self._frozen:
            return "frozen"
        age_s = self._clock.monotonic_s() - self._last_frame_s
        if self._is_film:
            period_s = 1.0 / self._film_rate_hz() if self._source.pace == "real_time" else 0.0
            return "online" if age_s <= self._source.read_timeout_s + period_s else "offline"
        return "online" if age_s <= self._source.read_timeout_s else "offline"

    @property
    def counters(self) -> CameraCounters:
        """What happened so far."""
        return self._counters

    def film_position(self, t_monotonic_s: float) -> FilmPosition | None:
        """The film's own time of the picture handed over with that instant; None for live ones."""
        return self._film_times.at(t_monotonic_s)

    def close(self) -> None:
        """Let go of the device; a read in progress does it when OpenCV returns."""
        self._closed.set()
        if self._in_use.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._in_use.release()

    # --- live -------------------------------------------------------------------------------------
    def _read_live(self) -> Frame | None:
        handle = self._opened()
        if handle is None:
            return None
        image = handle.next()
        now_s = self._clock.monotonic_s()
        if image is None:
            self._frozen = False
            self._failed("no frame came in time or the stream ended")
            return None
        # A lost camera's last picture may come back as its first: it is judged across openings.
        if self._watch.frozen(image, now_s):
            if not self._frozen:
                self._frozen = True
                self._count(frozen_spells=self._counters.frozen_spells + 1)
            self._failed(f"the picture has not changed for {self._source.frozen_after_s:g} s")
            return None
        self._frozen = False
        self._backoff_s = self._source.backoff_first_s
        self._fault.over()
        stamp_s = handle.stamp_s() if self._kind in ("rtsp", "udp") else None
        capture_s = self._stream_time.capture_s(now_s, stamp_s)
        return self._frame(image, capture_s, now_s)

    # --- films and folders ------------------------------------------------------------------------
    @property
    def _is_film(self) -> bool:
        return self._kind in ("film", "folder")

    def _film_rate_hz(self) -> float:
        handle = self._handle  # Asked from other threads too: it may go between two looks.
        header_hz = handle.rate_hz if handle is not None else 0.0
        return self._source.film_rate_hz or header_hz or _FOLDER_RATE_HZ

    def _read_film(self) -> Frame | None:
        handle = self._opened()
        if handle is None:
            return None
        if self._ahead is None:
            self._ahead = self._decoded(handle)
            if self._ahead is None:
                self._ended(handle)
                return None
        if self._film_start_s is None:
            self._film_start_s = self._clock.monotonic_s()
        due_s = self._film_start_s + self._film_index / self._film_rate_hz()
        if self._source.pace == "real_time" and self._clock.monotonic_s() < due_s:
            return None
        image, film_s = self._ahead
        speed = self._film_rate_hz() / (handle.rate_hz or self._film_rate_hz())
        self._film_times.shown(due_s, FilmPosition(film_s=film_s, speed=speed))
        self._ahead = self._decoded(handle)
        self._film_index += 1
        self._say_broken(handle)
        last = self._ahead is None and not self._source.loop
        if self._ahead is None and self._source.loop:
            self._rewind()
        return self._frame(image, due_s, self._clock.monotonic_s(), last=last)

    def _ended(self, handle: "_Handle") -> None:
        if handle.delivered == 0:
            self._failed("it holds no picture that OpenCV can read")
            self._empty_openings += 1
            if not self._source.loop and self._empty_openings >= _EMPTY_OPENINGS:
                raise EOFError(
                    f"{masked(self._source.source)} gave no picture in {_EMPTY_OPENINGS} openings"
                )
            return
        if not self._source.loop:
            raise EOFError(f"{masked(self._source.source)} is over after {self._seq} frames")
        self._rewind()

    def _rewind(self) -> None:
        """Start the film again; by opening it again, since not every format can be wound back."""
        self._release()
        self._handle = _open(self._kind, self._source)

    def _decoded(self, handle: "_Handle") -> tuple[Image, float] | None:
        """The next picture and its stamp: what was cut off before the first one is in the stamp."""
        image = handle.next()
        if image is None:
            return None
        stamp_s = handle.stamp_s()
        counted_s = (handle.delivered - 1) / (handle.rate_hz or self._film_rate_hz())
        return image, counted_s if stamp_s is None else stamp_s

    def _say_broken(self, handle: "_Handle") -> None:
        if handle.broken > 0:
            self._count(
                read_failures=self._counters.read_failures + handle.broken,
                last_error=f"{handle.broken} picture(s) in the folder cannot be read",
            )
            self._fault.fault(why=self._counters.last_error)
            handle.broken = 0

    # --- common -----------------------------------------------------------------------------------
    def _frame(self, image: Image, capture_s: float, now_s: float, *, last: bool = False) -> Frame:
        self._seq += 1
        self._last_frame_s = now_s
        self._count(frames=self._seq)
        utc = None
        if self._clock.quality().error_s is not None:
            utc = self._clock.utc() + timedelta(seconds=capture_s - self._clock.monotonic_s())
        return Frame(
            sensor_id=self.sensor_id,
            seq=self._seq,
            image_bgr=image,
            t_capture_utc=utc,
            t_capture_monotonic_s=capture_s,
            last=last,
        )

    def _opened(self) -> "_Handle | None":
        """The open handle; None while it is not to be had, with a pause between attempts."""
        if self._handle is not None:
            return self._handle
        now_s = self._clock.monotonic_s()
        if now_s < self._retry_s:
            return None
        handle = _open(self._kind, self._source)
        if handle is None:
            self._frozen = False
            self._failed("it cannot be opened")
            return None
        if self._seq:
            self._count(reconnects=self._counters.reconnects + 1)
            self._log.info("camera_reopened", reconnects=self._counters.reconnects)
        self._stream_time.restart()
        self._handle = handle
        return handle

    def _failed(self, why: str) -> None:
        """Count a failure, let go of the handle, and wait longer each time before the next try."""
        self._release()
        self._count(read_failures=self._counters.read_failures + 1, last_error=why)
        self._fault.fault(why=why, source=masked(self._source.source), retry_s=self._backoff_s)
        self._retry_s = self._clock.monotonic_s() + self._backoff_s
        self._backoff_s = min(self._backoff_s * 2, self._source.backoff_max_s)

    def _count(self, **changes: Any) -> None:
        self._counters = replace(self._counters, **changes)

    def _release(self) -> None:
        handle, self._handle = self._handle, None
        self._ahead = None
        if handle is not None:
            handle.release()


# --- handles --------------------------------------------------------------------------------------
class _Handle:
    """An open source: frames one by one."""

    def __init__(self, capture: Any) -> None:
        self._capture = capture
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        self.rate_hz = rate if 0.0 < rate < 1000.0 else 0.0
        self.delivered = 0
        self.broken = 0

    def next(self) -> Image | None:
        found, image = self._capture.read()
        if not found or image is None:
            return None
        if isinstance(self._capture, _Pictures):
            self.broken, self._capture.broken = self._capture.broken, 0
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        self.delivered += 1
        return np.asarray(image, np.uint8)

    def stamp_s(self) -> float | None:
        stamp_s = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        return stamp_s if stamp_s > 0.0 else None

    def release(self) -> None:
        self._capture.release()


class _Pictures:
    """A folder of pictures as if it were a capture handle of OpenCV."""

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(
            path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES
        )
        self._left: Iterator[Path] = iter(self._paths)
        self.broken = 0

    def get(self, _prop: int) -> float:
        return 0.0

    def read(self) -> tuple[bool, Any]:
        """The next picture that can be read; a broken one is passed over and counted."""
        for path in self._left:
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is not None:
                return True, image
            self.broken += 1
        return False, None

    def release(self) -> None:
        self._left = iter(())


def _address(kind: Kind, source: CameraSource) -> str:
    """The source as FFmpeg is told it: what is sent to us waits in a buffer that may overflow."""
    if kind != "udp":
        return source.source
    asked = source.source + ("&" if "?" in source.source else "?")
    return f"{asked}fifo_size={_UDP_FIFO_PACKETS}&overrun_nonfatal=1"


def _open(kind: Kind, source: CameraSource) -> _Handle | None:
    if kind == "folder":
        return _Handle(_Pictures(Path(source.source)))
    if kind == "usb":
        text = source.source
        device: int | str = int(text) if text.isdigit() else text
        capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    elif kind == "film":
        capture = cv2.VideoCapture(source.source)
    else:
        capture = cv2.VideoCapture(
            _address(kind, source),
            cv2.CAP_FFMPEG,
            [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                round(source.open_timeout_s * 1000),
                cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                round(source.read_timeout_s * 1000),
            ],
        )
    if not capture.isOpened():
        capture.release()
        return None
    return _Handle(capture)
