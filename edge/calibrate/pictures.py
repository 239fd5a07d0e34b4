"""Pictures out of whatever a camera's source may be: film, folder, single picture, stream."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hardware.camera_opencv import PICTURE_SUFFIXES, CameraSource, OpenCvCamera, masked
from hardware.ports import Frame
from runtime.clock import Clock
from runtime.errors import AskOperator, RetryLater

Image = npt.NDArray[np.uint8]


def frames(
    source: str,
    clock: Clock,
    *,
    live_s: float = 60.0,
    sensor_id: str = "calibrate",
    film_rate_hz: float | None = None,
) -> Iterator[Frame]:
    """Yield the frames of a film, a folder or a stream as they come.

    Args:
        source: as in a node's config.
        clock: for a stream's time-outs and its length.
        live_s: a stream is watched for so long; films and folders to their end.
        sensor_id: on the frames.
        film_rate_hz: true rate of a film; None takes the file's word.

    Raises:
        AskOperator: there is no such source, or it holds no picture.
        RetryLater: a stream gives no picture now.
    """
    told = CameraSource(sensor_id=sensor_id, source=source, pace="fast", film_rate_hz=film_rate_hz)
    camera = OpenCvCamera(told, clock)
    live = told.kind not in ("film", "folder")
    start_s, got = clock.monotonic_s(), False
    try:
        while not live or clock.monotonic_s() - start_s < live_s:
            try:
                frame = camera.read()
            except EOFError:
                break
            if frame is not None:
                got = True
                yield frame
                if frame.last:
                    break
            elif camera.counters.read_failures and not got:
                if live:
                    raise RetryLater(
                        f"{masked(source)} gives no picture ({camera.counters.last_error})",
                        retry_after_s=10.0,
                    )
                break
    finally:
        camera.close()
    if not got:
        raise AskOperator(
            field="SOURCE",
            value=masked(source),
            allowed="a film, a folder of pictures or a stream with at least one picture",
            next_step="play it on this machine first; is it complete, and a format OpenCV reads",
        )


def frame_at(source: str, clock: Clock, number: int) -> Image:
    """Return one picture: the numbered frame (from 1) of a film or stream, or a picture file.

    Raises:
        AskOperator: there is no such frame or file.
        RetryLater: a stream gives no picture now.
    """
    path = Path(source)
    if path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise AskOperator(
                field="SOURCE",
                value=source,
                allowed="a picture that can be read",
                next_step="open it in a viewer; copy it again",
            )
        return np.asarray(image, np.uint8)
    seen = 0
    for frame in frames(source, clock):
        seen = frame.seq
        if frame.seq >= number:
            return frame.image_bgr
    raise AskOperator(
        field="--frame",
        value=number,
        allowed=f"1..{seen} in {masked(source)}",
        next_step="choose a frame that the film has",
    )
