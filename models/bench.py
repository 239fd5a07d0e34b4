"""How fast a network runs here: the bare network, and with all that a node does around it."""

import platform
import statistics
import time
from dataclasses import dataclass

import numpy as np

from edge.onnx import OnnxDetector
from models.registry import NetworkEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Times of one picture size on this machine.

    Attributes:
        network: Name in the manifest.
        frame_size_px: Width and height of the pictures.
        input_size_px: Width and height of the network's input for them.
        threads: As given; 0 means all cores.
        bare_ms: Median time of the network alone.
        whole_ms: Median time of letterbox, network, decoding and suppression.
        whole_p95_ms: 95th percentile of that.
        machine: What it ran on.
    """

    network: str
    frame_size_px: tuple[int, int]
    input_size_px: tuple[int, int]
    threads: int
    bare_ms: float
    whole_ms: float
    whole_p95_ms: float
    machine: str

    @property
    def frames_per_s(self) -> float:
        """Pictures per second of the whole."""
        return 1000.0 / self.whole_ms


def bench(
    entry: NetworkEntry, *, frame_size_px: tuple[int, int], threads: int, rounds: int = 30
) -> Speed:
    """Time a network on pictures of noise, bare and whole in turn so that both meet the same weather."""
    detector = OnnxDetector(entry, threads=threads)
    width, height = frame_size_px
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)
    tensor = detector.prepare(picture)
    detector.infer(tensor)
    bare, whole = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        detector.infer(tensor)
        bare.append(time.perf_counter() - began)
        began = time.perf_counter()
        detector.detect(picture)
        whole.append(time.perf_counter() - began)
    detector.close()
    return Speed(
        network=entry.name,
        frame_size_px=frame_size_px,
        input_size_px=(tensor.shape[3], tensor.shape[2]),
        threads=threads,
        bare_ms=statistics.median(bare) * 1000.0,
        whole_ms=statistics.median(whole) * 1000.0,
        whole_p95_ms=float(np.percentile(whole, 95)) * 1000.0,
        machine=f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
    )
