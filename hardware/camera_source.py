"""What a camera is told: where its frames come from, and how long to wait for them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runtime.errors import AskOperator
from runtime.settings import mask_parameters

Kind = Literal["rtsp", "http", "udp", "usb", "film", "folder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSource:
    """Where frames come from, and how long to wait for them.

    Attributes:
        sensor_id: the camera's id in the node's config.
        source: `rtsp://`, `http://` or `https://` (MJPEG), `udp://@:PORT` or `udp://@GROUP:PORT` (an
            MPEG transport stream that somebody sends to us), the number of a USB camera or its
            `/dev/video` path, a film file, or a folder of pictures (taken in the order of names).
        pace: films and folders only. "real_time" hands each frame over when it is due and stamps
            it so; "fast" hands them over at once and stamps them with the film's own time, counted
            from the opening.
        film_rate_hz: true frame rate of a film or folder; None takes the file's word.
        loop: films and folders only: start again at the end.
        open_timeout_s: longest wait for a connection.
        read_timeout_s: longest wait for a frame; older than that, the camera is offline.
        frozen_after_s: a live picture that is exactly the same for so long is a frozen one.
        capture_latency_s: known delay between the scene and the arrival of its frame.
        backoff_first_s: pause before the second attempt to open; doubles up to backoff_max_s.
    """

    sensor_id: str
    source: str
    pace: Literal["real_time", "fast"] = "real_time"
    film_rate_hz: float | None = None
    loop: bool = False
    open_timeout_s: float = 10.0
    read_timeout_s: float = 5.0
    frozen_after_s: float = 10.0
    capture_latency_s: float = 0.0
    backoff_first_s: float = 1.0
    backoff_max_s: float = 30.0

    @property
    def kind(self) -> Kind:
        """What the source is, by its spelling; a path that exists as a folder is a folder.

        Raises:
            AskOperator: it is none of them.
        """
        text = self.source
        if text.startswith(("rtsp://", "rtsps://")):
            return "rtsp"
        if text.startswith(("http://", "https://")):
            return "http"
        if text.startswith("udp://"):
            return "udp"
        if text.isdigit() or text.startswith("/dev/video"):
            return "usb"
        if Path(text).is_dir():
            return "folder"
        if Path(text).is_file():
            return "film"
        raise AskOperator(
            field=f"camera {self.sensor_id}: source",
            value=masked(text),
            allowed="rtsp://, http://, udp://@:PORT, a USB camera's number, an existing film or folder",
            next_step="correct the address or the path",
        )


def masked(source: str) -> str:
    """The source without the password that may stand in it."""
    return mask_parameters(re.sub(r"(://[^:/@]*):.*@", r"\1:***@", source))
