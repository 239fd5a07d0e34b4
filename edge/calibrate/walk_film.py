"""A walk on film, through the node's own network, tracker and geometry."""

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from edge.app import camera_eye
from edge.calibrate.pictures import frames
from edge.calibrate.walk_seen import Stamped
from edge.capture import FrameSlots
from edge.config import NodeConfig
from edge.config_camera import CameraSettings
from edge.devices import open_detectors
from edge.ground import camera_ground
from edge.limits import Limits
from edge.outbox import Item
from edge.pipeline import Pipeline
from edge.poses import fixed_pose
from runtime.clock import ManualClock
from runtime.errors import AskOperator
from runtime.ids import UlidSource
from wire.messages import Observation


@dataclass(slots=True)
class _Kept:
    """Takes what a pipeline says and keeps the observations."""

    rows: list[Stamped] = field(default_factory=list)

    def put(self, *items: Item) -> bool:
        """All are taken."""
        self.rows += [
            (item.t_event_utc.timestamp(), item.body)
            for item in items
            if isinstance(item.body, Observation) and item.t_event_utc is not None
        ]
        return True

    def flush(self) -> None:
        """Nothing waits."""


def observations_of_film(
    film: str, config: NodeConfig, camera: CameraSettings, start_utc: datetime
) -> Iterator[list[Stamped]]:
    """Yield, frame by frame, everything that was said so far.

    Args:
        film: as the camera recorded it.
        config: of the node: network, tracker, rules.
        camera: which camera of it recorded the film.
        start_utc: when its first frame was taken.

    Raises:
        AskOperator: the camera is not wholly described, or stands on nothing fixed.
        ModelError: its network is missing.
    """
    if camera.mount is None or camera.lens is None or camera.ground is None:
        raise AskOperator(
            field=f"camera {camera.sensor_id}",
            value="no mount, lens or ground in the config",
            allowed="a fixed camera with all three",
            next_step="calibrate lens and pose first",
        )
    clock = ManualClock(start_utc)
    ids = UlidSource(clock, random.SystemRandom())
    alone = config.model_copy(update={"camera": (camera,)})
    poses = fixed_pose(camera.mount, latency_sigma_s=camera.latency_sigma_s)
    detector = open_detectors(alone)[camera.sensor_id]
    eye = camera_eye(alone, camera, detector, ids, poses, camera_ground(camera))
    eye.evidence = None  # A calibration keeps no pictures of people.
    kept = _Kept()
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(
            slots=FrameSlots([camera.sensor_id]),
            eyes={camera.sensor_id: eye},
            outbox=kept,
            # Zones are not in force here: the walker may well start at home.
            limits=Limits(Path(folder), site_id=config.node.site_id, key=None),
            clock=clock,
            ids=ids,
        )
        for frame in frames(
            film, clock, sensor_id=camera.sensor_id, film_rate_hz=camera.film_rate_hz
        ):
            pipeline.look(frame)
            yield kept.rows
        pipeline.close()
    yield kept.rows
