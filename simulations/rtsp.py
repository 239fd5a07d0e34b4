"""Simulated cameras as RTSP, where the machine has GStreamer's RTSP server.

The server is a process of the system's Python (its bindings are no pip package); it pulls our own
MJPEG over loopback, encodes it as H.264 like network cameras and serves it as `rtsp://127.0.0.1:PORT/ID`,
over TCP or UDP as the client likes. A camera that nobody watches is neither drawn nor encoded.
"""

import json
import select
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from runtime.errors import AskOperator, Broken
from simulations import rtsp_child

_SYSTEM_PATH = "/usr/bin:/usr/local/bin:/bin"
_START_S = 60.0
"""On a new machine GStreamer looks through all its plugins first."""
_STOP_S = 5.0
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RtspCamera:
    """One camera to serve.

    Attributes:
        id: also the path.
        url: of its MJPEG.
        fps: of its film, for the distance of key frames.
        kbit_s: of the encoded stream.
    """

    id: str
    url: str
    fps: float
    kbit_s: int = 4000


class RtspServer:
    """A worker that keeps the RTSP process.

    Args:
        cameras: what to serve.
        port: 0 takes a free one.
        python: an interpreter that has GStreamer's bindings; found on the system's path if not given.
        name: of the worker.

    Raises:
        AskOperator: the machine lacks packages; they are named.
    """

    def __init__(
        self,
        cameras: Sequence[RtspCamera],
        *,
        port: int = 0,
        python: str | None = None,
        name: str = "rtsp",
    ) -> None:
        self.name = name
        interpreter = python or shutil.which("python3", path=_SYSTEM_PATH)
        if interpreter is None:
            raise _lacking(["python3", *sorted(set(rtsp_child.PACKAGES.values()))])
        self._child = subprocess.Popen(
            (interpreter, "-I", str(Path(rtsp_child.__file__))),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        order = {"port": port, "cameras": [asdict(camera) for camera in cameras]}
        with ExitStack() as undo:
            undo.callback(self.close)
            self._port = int(self._ask(order)["port"])
            undo.pop_all()

    def url(self, camera_id: str) -> str:
        """Return the address of a camera's stream."""
        return f"rtsp://127.0.0.1:{self._port}/{camera_id}"

    def step(self, now_s: float) -> float:
        """Look whether the process still runs."""
        del now_s
        if self._child.poll() is not None:
            raise Broken("the RTSP process runs", found=f"exit code {self._child.returncode}")
        return _LOOK_EVERY_S

    def close(self) -> None:
        """End the process, by ending its stdin first."""
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        try:
            self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with suppress(BrokenPipeError):
            # Who has ended already answers nothing, and that is said below.
            self._child.stdin.write(json.dumps(order).encode() + b"\n")
            self._child.stdin.flush()
        ready, _, _ = select.select([self._child.stdout], [], [], _START_S)
        line = self._child.stdout.readline() if ready else b""
        if not line:
            raise Broken("the RTSP process answers", found=f"nothing within {_START_S:g} s")
        answer: dict[str, Any] = json.loads(line)
        if "missing" in answer:
            raise _lacking(answer["missing"])
        if "error" in answer:
            raise AskOperator(
                field="RTSP port",
                value=order["port"],
                allowed="a free port of this machine",
                next_step=f"{answer['error']}; choose another, or 0 for any",
            )
        return answer


def _lacking(packages: Sequence[str]) -> AskOperator:
    return AskOperator(
        field="RTSP",
        value=f"without {', '.join(packages)}",
        allowed="a machine with GStreamer's RTSP server",
        next_step=f"apt-get install {' '.join(packages)}, or use the cameras' MJPEG addresses",
    )
