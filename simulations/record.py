"""Write a scenario to disk: one film per camera, its truth in MOT's form, and who crossed when.

Truth rows: frame (from 1), id, left, top, width, height (pixels), 1, class (1 = person), visible
fraction (0 or 1), then east, north, up in metres of the site's frame. Columns 1 to 9 are MOT's.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2

from runtime.errors import AskOperator
from simulations.film import Film
from simulations.world import World

_PERSON = 1


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
    for camera in world.scenario.camera:
        film = Film(world, camera)
        total = int(duration_s * camera.fps)
        path = out / f"{camera.id}.{kind}"
        writer = cv2.VideoWriter(
            str(path), cv2.VideoWriter.fourcc(*_CODECS[kind]), camera.fps,
            (camera.width_px, camera.height_px),
        )  # fmt: skip
        if not writer.isOpened():
            raise AskOperator(
                field="--out", value=str(path), allowed="a place to write films to",
                next_step="check the folder, or take the other --format",
            )  # fmt: skip
        ids: dict[str, int] = {}
        with (out / f"{camera.id}.gt.txt").open("w", encoding="ascii") as truth:
            for index in range(total):
                picture = film.frame(index / camera.fps, index)
                if picture.ndim == 2:
                    picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
                writer.write(picture)
                truth.writelines(_rows(film, index, ids))
                yield Progress(camera_id=camera.id, done=index + 1, total=total)
        writer.release()


def write_events(world: World, path: Path, *, duration_s: float) -> None:
    """Write every true crossing of the first ``duration_s`` seconds as JSON."""
    document = {
        "scenario": world.scenario.name,
        "seed": world.scenario.seed,
        "start_utc": world.scenario.start_utc.isoformat().replace("+00:00", "Z"),
        "duration_s": duration_s,
        "events_truth": [asdict(event) for event in world.crossings(0.0, duration_s)],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


_CODECS = {"mp4": "mp4v", "avi": "MJPG"}


def _rows(film: Film, index: int, ids: dict[str, int]) -> Iterator[str]:
    for box in film.truth(index / film.camera.fps):
        if not box.visible:
            continue
        number = ids.setdefault(box.figure.figure_id, len(ids) + 1)
        x1, y1, x2, y2 = box.box_px
        east, north, up = box.figure.feet_enu_m
        yield (
            f"{index + 1},{number},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,{_PERSON},1,"
            f"{east:.3f},{north:.3f},{up:.3f}\n"
        )
