"""The RTSP server itself, run by the system's Python, which has GStreamer's bindings.

It imports nothing of ours, since that Python knows none of it. It takes its orders as one line of
JSON on stdin, answers with one line, and ends when stdin does: it never outlives who started it.
"""

import importlib
import json
import sys
from typing import Any

PACKAGES = {
    "gi": "python3-gi",
    "GstRtspServer": "gir1.2-gst-rtsp-server-1.0",
    "videoconvert": "gstreamer1.0-plugins-base",
    "souphttpsrc": "gstreamer1.0-plugins-good",
    "multipartdemux": "gstreamer1.0-plugins-good",
    "jpegdec": "gstreamer1.0-plugins-good",
    "rtph264pay": "gstreamer1.0-plugins-good",
    "x264enc": "gstreamer1.0-plugins-ugly",
}
"""Which Debian package brings what is needed: bindings by name, the rest elements of the pipeline."""
_KEY_EVERY_S = 2.0


def pipeline(url: str, *, fps: float, kbit_s: int) -> str:
    """Return what GStreamer runs for one camera: our MJPEG in, H.264 in RTP packets out."""
    return (
        f"( souphttpsrc location={url} is-live=true do-timestamp=true keep-alive=false ! "
        "multipartdemux single-stream=true ! jpegdec ! videoconvert ! video/x-raw,format=I420 ! "
        f"x264enc tune=zerolatency speed-preset=ultrafast bitrate={kbit_s} "
        f"key-int-max={max(1, round(fps * _KEY_EVERY_S))} ! "
        "rtph264pay name=pay0 pt=96 config-interval=1 )"
    )


def missing() -> list[str]:
    """Return the Debian packages that this machine lacks."""
    bindings = ["gi", "GstRtspServer"]
    try:
        gi = importlib.import_module("gi")
        bindings.remove("gi")
        gi.require_version("Gst", "1.0")
        gi.require_version("GstRtspServer", "1.0")
        gst = importlib.import_module("gi.repository.Gst")
    except (ImportError, ValueError):
        # Without the bindings nobody can be asked for the rest: name what comes with them too.
        found = {PACKAGES["gi"]} if "gi" not in bindings else set()
        return sorted({*PACKAGES.values()} - found)
    gst.init(None)
    elements = [name for name in PACKAGES if name not in {"gi", "GstRtspServer"}]
    return sorted({PACKAGES[name] for name in elements if gst.ElementFactory.find(name) is None})


def serve(order: dict[str, Any]) -> None:
    """Serve every camera of the order until stdin ends."""
    server_library = importlib.import_module("gi.repository.GstRtspServer")
    glib = importlib.import_module("gi.repository.GLib")
    server = server_library.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(order["port"]))
    mounts = server.get_mount_points()
    for camera in order["cameras"]:
        factory = server_library.RTSPMediaFactory()
        factory.set_launch(pipeline(camera["url"], fps=camera["fps"], kbit_s=camera["kbit_s"]))
        factory.set_shared(True)  # its only form
        mounts.add_factory(f"/{camera['id']}", factory)
    loop = glib.MainLoop()
    if server.attach(None) == 0:
        _say({"error": f"port {order['port']} on 127.0.0.1 cannot be had"})
        return
    glib.io_add_watch(sys.stdin, glib.IO_IN | glib.IO_HUP, lambda *_: loop.quit())
    _say({"port": server.get_bound_port()})
    loop.run()


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    """Read the order, and serve it or say what is missing."""
    order = json.loads(sys.stdin.readline())
    lacking = missing()
    if lacking:
        _say({"missing": lacking})
        return
    serve(order)


if __name__ == "__main__":
    main()
