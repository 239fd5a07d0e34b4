"""Looks at a mark taken from a film that brings its own telemetry."""

from pathlib import Path

from edge.calibrate.heading import Look
from edge.calibrate.tables import read_rows
from edge.config_camera import CameraSettings
from edge.devices import camera_source
from edge.ground import camera_ground
from edge.pose import NoPose
from edge.poses import pose_source
from geo.lens import Lens
from hardware.camera_opencv import OpenCvCamera
from runtime.clock import SystemClock
from runtime.errors import AskOperator

_MOST_FRAMES = 10_000_000


def looks_of_film(
    path: Path, film: str, camera: CameraSettings | None, lens: Lens, *, sigma_px: float
) -> list[Look]:
    """Read a table of frame numbers and pixels, and take each frame's pose from the film's telemetry.

    Args:
        path: CSV with `frame` (from 1), `u`, `v`, perhaps `name` and `sigma_px`.
        film: the film.
        camera: of the config, with its `[camera.recorded]`.
        lens: pixels outside its picture are refused.
        sigma_px: of a click where the table has none.

    Raises:
        AskOperator: no such camera, table, film or frame, or a frame without a pose.
    """
    if camera is None or camera.recorded is None:
        raise AskOperator(
            field="--config",
            value="no [camera.recorded]",
            allowed="a config whose camera says which telemetry the film has",
            next_step="pass --config and --sensor, or give the poses in the table without --film",
        )
    rows = read_rows(path, needed=("frame", "u", "v"), known=("name", "sigma_px"))
    wanted = {round(row.number("frame", 1, _MOST_FRAMES)): row for row in rows}
    alone = camera.model_copy(update={"source": film, "pace": "fast", "loop": False})
    clock = SystemClock()
    reader = OpenCvCamera(camera_source(alone), clock)
    ground = camera_ground(camera)
    poses = pose_source(
        alone,
        clock=clock,
        undulation_m=None if ground is None else ground.undulation_m,
        film=reader,
    )
    assert poses is not None
    found = []
    last = max(wanted)
    try:
        while wanted:
            try:
                frame = reader.read()
            except EOFError:
                break
            if frame is None:
                if reader.counters.read_failures:
                    break
                continue
            if frame.seq in wanted:
                row = wanted.pop(frame.seq)
                pose = poses.at(frame.t_capture_monotonic_s)
                if isinstance(pose, NoPose):
                    raise row.wrong("frame", frame.seq, "a frame with a pose", pose.reason)
                click = row.maybe("sigma_px", 0.01, 1000.0)
                found.append(
                    Look(
                        name=row.text("name") or f"frame {frame.seq}",
                        position=pose.position,
                        rotation=pose.rotation_enu_from_camera,
                        pixel=(
                            row.number("u", -0.5, lens.width_px - 0.5),
                            row.number("v", -0.5, lens.height_px - 0.5),
                        ),
                        sigma_px=sigma_px if click is None else click,
                        hfov_deg=pose.hfov_deg,
                    )
                )
            if frame.last:
                break
    finally:
        reader.close()
    if wanted:
        raise AskOperator(
            field=f"{path}: frame",
            value=last,
            allowed=f"frames that {film} has",
            next_step="count frames from 1; is it the whole film",
        )
    return found
