"""Serve films over HTTP as network cameras do: multipart/x-mixed-replace, one JPEG a part.

``/ID.mjpg`` streams, ``/ID.jpg`` gives one picture, ``/`` lists the cameras. Each part carries
``X-Timestamp``, seconds since 1970 at capture. A camera that nobody watches draws nothing.
"""

import select
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from runtime.clock import Clock
from simulations.cameras import DroneFootage
from simulations.footage import Footage, fault_at

_BOUNDARY = "frame"
_WAIT_S = 5.0
_POLL_S = 0.5
_IDLE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One encoded frame, its running number and its capture time."""

    index: int
    jpeg: bytes
    t_unix_s: float


class LiveCamera:
    """A worker that films in real time and keeps the newest picture; older ones are let go.

    Args:
        footage: what comes out of the camera; nothing while it is offline, the same picture again
            while it is frozen.
        clock: real time; a picture's capture time is when it was drawn.
        scene_time_s: returns the world's time now.
        late_s: how old a picture is when it comes, as radio and coders make it.
    """

    def __init__(
        self,
        footage: Footage | DroneFootage,
        clock: Clock,
        scene_time_s: Callable[[], float],
        *,
        late_s: float = 0.0,
    ) -> None:
        self.footage = footage
        self.name = footage.camera.id
        self._clock = clock
        self._scene_time_s = scene_time_s
        self._late_s = late_s
        self._fresh = threading.Condition()
        self._newest: Picture | None = None
        self._watchers = 0
        self._index = 0
        self._due_s = -float("inf")
        self.frames_late = 0

    def step(self, now_s: float) -> float:
        """Draw the picture that is due; returns seconds until the next one is."""
        with self._fresh:
            watched = self._watchers > 0
        if not watched:
            return _IDLE_S
        period_s = 1.0 / self.footage.camera.fps
        if now_s - self._due_s > period_s:
            # Behind, or just woken: a camera skips, it never hurries after lost pictures.
            self.frames_late += self._due_s > 0
            self._due_s = now_s
        t_unix_s = self._clock.utc().timestamp() - self._late_s
        jpeg = self._picture(max(0.0, self._scene_time_s() - self._late_s))
        with self._fresh:
            if jpeg is None:
                self._newest = None  # Nor does who connects meanwhile get an old one for a new one.
            else:
                self._newest = Picture(index=self._index, jpeg=jpeg, t_unix_s=t_unix_s)
                self._index += 1
                self._fresh.notify_all()
        self._due_s += period_s
        return max(0.0, self._due_s - self._clock.monotonic_s())

    def _picture(self, t_s: float) -> bytes | None:
        fault = fault_at(self.footage.camera, t_s)
        if fault is not None and fault.kind == "offline":
            return None
        newest = self._newest
        if fault is not None and fault.kind == "frozen" and newest is not None:
            return newest.jpeg
        return self.footage.jpeg(t_s, self._index)

    def close(self) -> None:
        """Wake whoever waits; there will be no more pictures."""
        with self._fresh:
            self._fresh.notify_all()

    def watch(self) -> None:
        """Count a watcher in; the first one after a pause is shown nothing from before it."""
        with self._fresh:
            if self._watchers == 0:
                self._newest = None
            self._watchers += 1

    def unwatch(self) -> None:
        """Count a watcher out."""
        with self._fresh:
            self._watchers -= 1

    def after(self, index: int, *, wait_s: float = _WAIT_S) -> Picture | None:
        """Return the newest picture later than ``index``, waiting for it; None if none comes."""
        with self._fresh:
            self._fresh.wait_for(
                lambda: self._newest is not None and self._newest.index > index, timeout=wait_s
            )
            found = self._newest
        return found if found is not None and found.index > index else None


class CameraServer:
    """A worker that answers HTTP for a set of cameras, on loopback.

    Args:
        cameras: by id.
        port: 0 takes a free one.
    """

    name = "camera-http"

    def __init__(self, cameras: Mapping[str, LiveCamera], *, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.cameras = dict(cameras)
        self._server.timeout = _POLL_S

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._server.server_address[1])

    def url(self, camera_id: str) -> str:
        """Return the address of a camera's stream."""
        return f"http://127.0.0.1:{self.port}/{camera_id}.mjpg"

    def step(self, now_s: float) -> float:
        """Wait a moment for one request; streams run on in threads of the HTTP server."""
        del now_s
        self._server.handle_request()
        return 0.0

    def close(self) -> None:
        """Stop listening; running streams end with their next part."""
        self._server.closing.set()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    cameras: dict[str, LiveCamera]

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.closing = threading.Event()
        super().__init__(address, handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.0"
    timeout = 10.0

    def do_GET(self) -> None:
        """Answer with the list, one picture or a stream."""
        name, _, kind = self.path.lstrip("/").partition(".")
        camera = self.server.cameras.get(name)
        if self.path == "/":
            lines = [f"/{key}.mjpg\n/{key}.jpg\n" for key in self.server.cameras]
            self._whole("text/plain; charset=utf-8", "".join(lines).encode())
        elif camera is None or kind not in {"mjpg", "jpg"}:
            self.send_error(HTTPStatus.NOT_FOUND, "no such camera; / lists them")
        else:
            camera.watch()
            try:
                if kind == "jpg":
                    self._still(camera)
                else:
                    self._stream(camera)
            except (BrokenPipeError, ConnectionResetError, TimeoutError):
                self.close_connection = True  # The watcher has gone: that is how a stream ends.
            finally:
                camera.unwatch()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
        """Say nothing per request."""

    def _still(self, camera: LiveCamera) -> None:
        picture = camera.after(-1)
        if picture is None:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "no picture within 5 s")
        else:
            self._whole("image/jpeg", picture.jpeg)

    def _stream(self, camera: LiveCamera) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        index = -1
        while not self.server.closing.is_set():
            picture = camera.after(index)
            if picture is None:
                if self._gone():
                    return
                continue
            index = picture.index
            head = (
                f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                f"Content-Length: {len(picture.jpeg)}\r\nX-Timestamp: {picture.t_unix_s:.6f}\r\n\r\n"
            )
            self.wfile.write(head.encode("ascii") + picture.jpeg + b"\r\n")

    def _gone(self) -> bool:
        """Whether the watcher of a camera that sends nothing has hung up."""
        ready, _, _ = select.select([self.connection], [], [], 0.0)
        return bool(ready) and not self.connection.recv(1, socket.MSG_PEEK)

    def _whole(self, kind: str, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
