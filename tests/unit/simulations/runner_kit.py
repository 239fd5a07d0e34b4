"""A small field with one camera and one walker, for tests of the runner."""

from datetime import datetime, timezone

import numpy as np

from edge.detect import OBJECT_CLASSES, Detections
from simulations.figure_truth import truth_box
from simulations.film import view_of
from simulations.run_offline import Sighting
from simulations.scenario import Scenario

START = datetime(2026, 11, 23, 2, 40, tzinfo=timezone.utc)
PERSON = OBJECT_CLASSES.index("Human")


def field(**changes) -> Scenario:
    """Somebody walks in past one day camera and is on the line after about 16 s."""
    tables = {
        "name": "small-field",
        "seed": 7,
        "start_utc": START,
        "duration_s": 40.0,
        "camera": [camera()],
        "actor": [walker()],
    }
    return Scenario.model_validate(tables | changes)


def camera(**changes) -> dict:
    return {
        "id": "cam-1", "along_m": 430.0, "across_m": 35.0, "height_m": 5.0, "azimuth_deg": 348.5,
        "pitch_deg": -6.5, "hfov_deg": 28.0, "width_px": 320, "height_px": 180, "fps": 5.0,
    } | changes  # fmt: skip


def walker(**changes) -> dict:
    return {
        "id": "walker", "speed_m_s": 1.3, "path_along_across_m": [[430.0, -20.0], [430.0, 25.0]],
    } | changes  # fmt: skip


def perfect(world) -> dict[str, Sighting]:
    """A network that boxes everybody exactly."""
    return {
        one.id: Sighting(sight=_sight(world, one), network="perfect", network_sha256="1" * 64)
        for one in world.scenario.camera
    }


def _sight(world, one):
    view = view_of(one, world.site, world.landscape)

    def sight(index: int) -> Detections:
        boxes = [truth_box(view, figure) for figure in world.figures(index / one.fps)]
        found = [box.box_px for box in boxes if box is not None and box.visible]
        count = len(found)
        edges = [one.width_px, one.height_px] * 2
        return Detections(
            boxes_px=np.clip(np.array(found, np.float32).reshape(count, 4), 0, edges).astype(
                np.float32
            ),
            confidence=np.full(count, 0.9, np.float32),
            class_index=np.full(count, PERSON, np.int64),
            frame_size_px=(one.width_px, one.height_px),
        )

    return sight
