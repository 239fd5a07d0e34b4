"""What the networks see in a scenario's films: looked up, or drawn and looked at once and kept.

A reel is keyed by the film (without drawing it), the network's own hash, and how the node is told to
use it. A film that is kept is neither drawn again nor is a network opened for it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2

from edge.config import DetectorSettings
from edge.detect import Detections, Detector
from edge.detector import open_detector
from models.registry import NetworkEntry, Registry
from simulations import reel
from simulations.cameras import DroneFootage, footage_of
from simulations.footage import Footage, decode, shown
from simulations.identity import film_identity, source_sha256, told_sha256
from simulations.reel import Reel
from simulations.scenario_node import CameraSettings
from simulations.world import World

_SAVE_EVERY_FRAMES = 400
"""An interrupted film goes on from its last save."""
ONE_THREAD = DetectorSettings(threads=1)
"""How offline runs look: one thread, so that sums come out the same each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A camera's reel with the network that looked.

    Attributes:
        drawn: frames that had to be drawn for it; 0 when everything was kept.
    """

    reel: Reel
    network: NetworkEntry
    drawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far one camera's film is."""

    camera_id: str
    done: int
    total: int


def network_of(camera: CameraSettings, settings: DetectorSettings) -> NetworkEntry:
    """Return the network that a node would look through at this camera."""
    return Registry.load().get(settings.day if camera.spectrum == "day" else settings.thermal)


def reel_key(world: World, camera: CameraSettings, settings: DetectorSettings) -> str:
    """Return the name of the reel: film, network and the detector's settings as one hash."""
    return told_sha256(
        {
            "film": film_identity(world.scenario, camera),
            "network": network_of(camera, settings).sha256,
            "settings": settings.model_dump(mode="json", exclude={"day", "thermal"}),
            "detector": source_sha256("edge.onnx", ("edge", "models")),
            "onnxruntime": version("onnxruntime"),
        }
    )


class DetectionCache:
    """Reels in a folder.

    Args:
        folder: made when something is kept.
        settings: how the network is used.
        open_network: replaces the product's way of opening one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: DetectorSettings = ONE_THREAD,
        open_network: Callable[[NetworkEntry], Detector] | None = None,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._open = open_network if open_network is not None else self._open_network
        self._detectors: dict[str, Detector] = {}

    def path(self, world: World, camera: CameraSettings) -> Path:
        """Return where a camera's reel is, or would be, kept."""
        key = reel_key(world, camera, self._settings)
        return self._folder / key[:2] / f"{key}.npz"

    def look(
        self, world: World, camera: CameraSettings, *, duration_s: float
    ) -> Iterator[Step | Seen]:
        """Yield steps of work and, last, what is seen in so many seconds of a camera's film."""
        total = frame_count(camera, duration_s)
        path = self.path(world, camera)
        entry = network_of(camera, self._settings)
        found = reel.load(path, (camera.width_px, camera.height_px))
        drawn = max(0, total - len(found))
        if drawn:
            footage = footage_of(world, camera)
            detector = self._detector(entry)
            # OpenCV's own threads would change the last bits of sums.
            cv2.setNumThreads(1)
            for index in range(len(found), total):
                found.add(*_one(footage, detector, index))
                if (index + 1) % _SAVE_EVERY_FRAMES == 0:
                    reel.save(found, path)
                yield Step(camera_id=camera.id, done=index + 1, total=total)
            reel.save(found, path)
        yield Seen(reel=found, network=entry, drawn=drawn)

    def close(self) -> None:
        """Let go of the networks that were opened."""
        for detector in self._detectors.values():
            detector.close()
        self._detectors.clear()

    def _detector(self, entry: NetworkEntry) -> Detector:
        if entry.name not in self._detectors:
            self._detectors[entry.name] = self._open(entry)
        return self._detectors[entry.name]

    def _open_network(self, entry: NetworkEntry) -> Detector:
        rules = self._settings
        return open_detector(
            entry,
            engine=rules.engine,
            threads=rules.threads,
            min_confidence=rules.min_confidence,
            input_size_px=rules.input_size_px,
            device=rules.device,
        )


def frame_count(camera: CameraSettings, duration_s: float) -> int:
    """Return how many frames a camera takes in so many seconds; the first is at 0."""
    return int(duration_s * camera.fps + 1e-6)


def _one(
    footage: Footage | DroneFootage, detector: Detector, index: int
) -> tuple[Detections, bytes]:
    camera = footage.camera
    if shown(camera, index) != index:
        return Detections.none((camera.width_px, camera.height_px)), b""
    jpeg = footage.jpeg(index / camera.fps, index)
    return detector.detect(decode(jpeg)), jpeg
