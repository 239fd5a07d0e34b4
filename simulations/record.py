"""Write a scenario to disk: one film per camera, its truth in MOT's form, and who crossed when.

One row of ``ID.gt.txt`` per figure and frame, columns 1 to 9 as MOTChallenge has them:
frame (from 1), id (from 1), left, top, width, height (pixels), 1, class (`CLASSES`), visible
fraction 0..1, then metres of the site's frame: east, north, up of its feet, and its kind.
A film that is not whole has the rows of the frames that it has.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2

from runtime.errors import AskOperator
from simulations.cameras import cameras, film_of
from simulations.drone_film import DroneFilm
from simulations.figure_truth import TruthBox
from simulations.film import Film
from simulations.scenario_actor import ObjectClass
from simulations.world import World

CLASSES: dict[ObjectClass, int] = {"Human": 1, "Boat": 2, "Animal": 3}
"""Column 8; MOT's own 1 is a pedestrian too."""
COLUMNS = (
    "frame", "id", "left_px", "top_px", "width_px", "height_px", "considered", "class",
    "visible_fraction", "east_m", "north_m", "up_m", "kind",
)  # fmt: skip
_CODECS = {"mp4": "mp4v", "avi": "MJPG"}
"""MPEG-4, which every OpenCV wheel can write (none brings H.264); MJPEG keeps pictures whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the recording of one camera is."""

    camera_id: str
    done: int
    total: int


def record(world: World, out: Path, *, duration_s: float, kind: str = "mp4") -> Iterator[Progress]:
    """Film every camera of the world; yields after each frame.

    Writes ``ID.mp4`` or ``ID.avi``, ``ID.gt.txt`` for each camera and one ``events.json``.

    Args:
        world: what to film.
        out: folder; made when missing.
        duration_s: from the scenario's start.
        kind: ``mp4`` (small) or ``avi`` (MJPEG, the very pictures of the camera).
    """
    if kind not in _CODECS:
        raise AskOperator(
            field="--format", value=kind, allowed="mp4 or avi", next_step="choose one of them"
        )
    out.mkdir(parents=True, exist_ok=True)
    write_events(world, out / "events.json", duration_s=duration_s)
    for camera in cameras(world.scenario):
        film = film_of(world, camera)
        total = int(duration_s * camera.fps)
        writer = _writer(out / f"{camera.id}.{kind}", kind, film)
        ids: dict[str, int] = {}
        try:
            with (out / f"{camera.id}.gt.txt").open("w", encoding="ascii") as truth:
                for index in range(total):
                    t_s = index / camera.fps
                    writer.write(film.received(t_s, index))
                    truth.writelines(
                        row(index, ids.setdefault(box.figure.figure_id, len(ids) + 1), box)
                        for box in film.truth(t_s)
                        if box.visible
                    )
                    yield Progress(camera_id=camera.id, done=index + 1, total=total)
        finally:
            # A film that is stopped half-way still gets its index and can be played.
            writer.release()


def row(index: int, number: int, box: TruthBox) -> str:
    """Return one line of truth.

    Args:
        index: of the frame, from 0.
        number: of the figure in this film, from 1.
        box: where it truly is.
    """
    x1, y1, x2, y2 = box.box_px
    east, north, up = box.figure.feet_enu_m
    return (
        f"{index + 1},{number},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,"
        f"{CLASSES[box.figure.object_class]},{1.0 - box.occluded_fraction:.2f},"
        f"{east:.3f},{north:.3f},{up:.3f},{box.figure.kind}\n"
    )


def write_events(world: World, path: Path, *, duration_s: float) -> None:
    """Write every true crossing of the first ``duration_s`` seconds as JSON."""
    document = {
        "scenario": world.scenario.name,
        "seed": world.scenario.seed,
        "start_utc": world.scenario.start_utc.isoformat().replace("+00:00", "Z"),
        "duration_s": duration_s,
        "truth_columns": COLUMNS,
        "events_truth": [asdict(event) for event in world.crossings(0.0, duration_s)],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _writer(path: Path, kind: str, film: Film | DroneFilm) -> cv2.VideoWriter:
    size = (film.camera.width_px, film.camera.height_px)
    code = cv2.VideoWriter.fourcc(*_CODECS[kind])
    writer = cv2.VideoWriter(str(path), code, film.camera.fps, size)
    if writer.isOpened():
        return writer
    raise AskOperator(
        field="--out", value=str(path), allowed="a place to write films to",
        next_step="check the folder, or take the other --format",
    )  # fmt: skip
