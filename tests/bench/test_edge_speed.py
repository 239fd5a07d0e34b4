"""What the pipeline costs beside the network, on the real film; ratios from one run.

Rounds of both sides alternate, and each side's best round, the one least disturbed, counts. On a
machine that is busy with something else frames per second of wall time say little, since whoever
sleeps in between waits for its turn again; so frames per second of processor time stand beside them.
The aims are printed beside the figures; the assertions are floors against a regression, on processor
time, low enough that a busy machine does not fail them.
"""

import os
import platform
import random
import time

import cv2
import numpy as np
import pytest

from edge.app import Devices, Node
from edge.config import NodeConfig
from edge.detector import open_detector
from edge.devices import camera_source
from edge.yolo import YOLO_ENVIRONMENT
from hardware.camera_opencv import OpenCvCamera
from models.registry import Registry
from runtime.clock import SystemClock
from runtime.ids import UlidSource
from runtime.workers import Supervisor
from simulations.bus import Bus, NodeLine
from tests.scenario import vtest
from tests.scenario.test_vtest_crossings import node_config

pytestmark = [pytest.mark.bench, pytest.mark.data, pytest.mark.slow]

FLOOR = 0.7
ROUNDS = 5
FRAMES = 40
WARM = 5
"""Frames at the beginning that count for nothing."""


class Stamped:
    """A detector that notes when each frame came to it."""

    def __init__(self, detector):
        self.detector = detector
        self.name, self.sha256 = detector.name, detector.sha256
        self.entered = []

    def detect(self, image_bgr):
        self.entered.append(now())
        return self.detector.detect(image_bgr)

    def close(self):
        """The bench closes the real one."""


class Shortened:
    """The first frames of a film."""

    def __init__(self, camera, frames):
        self.camera, self.left = camera, frames
        self.sensor_id = camera.sensor_id

    status = property(lambda self: self.camera.status)
    counters = property(lambda self: self.camera.counters)

    def read(self):
        if self.left == 0:
            raise EOFError("enough")
        frame = self.camera.read()
        self.left -= frame is not None
        return frame

    def close(self):
        self.camera.close()


def now():
    """This moment: wall seconds, and processor seconds of all threads of this process."""
    return np.array([time.perf_counter(), time.process_time()])


def frames_per_s(stamps):
    """Steady rates of a list of moments, one per frame: by wall and by processor time."""
    return (len(stamps) - 1 - WARM) / (stamps[-1] - stamps[WARM])


def bare(detector, tensors):
    """The network alone on prepared inputs."""
    stamps = []
    for tensor in tensors:
        stamps.append(now())
        detector.infer(tensor)
    return frames_per_s(stamps)


def end_to_end(detector, film, camera, folder):
    """A whole node in threads: decode, detect, track, place, say, keep a picture, queue on disk."""
    clock = SystemClock(stated_error_s=0.01)
    ids = UlidSource(clock, random.Random(1))
    settings = node_config(film, camera)
    settings["node"]["data_dir"] = str(folder)
    config = NodeConfig.model_validate(settings)
    stamped = Stamped(detector)
    source = Shortened(OpenCvCamera(camera_source(config.camera[0]), clock), FRAMES)
    node = Node(
        config=config,
        config_sha256="0" * 64,
        devices=Devices(
            cameras={"cam-1": source},
            detectors={"cam-1": stamped},
            transport=NodeLine(Bus(), sleep=time.sleep),
        ),
        clock=clock,
        ids=ids,
        boot_id="bench",
        software_version="0",
    )
    supervisor = Supervisor(clock)
    for worker, beat_timeout_s in node.workers:
        supervisor.add(worker, beat_timeout_s=beat_timeout_s)
    supervisor.start()
    while not node.pipeline.over:
        assert not supervisor.wait(0.05)
    said = node.outbox.depth
    supervisor.stop()
    node.close()
    assert FRAMES == len(stamped.entered)
    assert said > 0
    return frames_per_s(stamped.entered)


@pytest.fixture(scope="module")
def detector():
    network = open_detector(Registry.load().default("day"))
    yield network
    network.close()


def ratios(first, second):
    """Best round over best round, by wall and by processor time."""
    return (np.max(first, axis=0) / np.max(second, axis=0)).tolist()


def rates(rounds):
    """Frames per second of the best round in words."""
    wall, processor = np.max(rounds, axis=0)
    return f"{wall:.2f} frames/s ({processor:.2f} per processor second)"


def machine():
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"


@pytest.mark.timeout(2400)
def test_the_pipeline_costs_little_beside_the_network(data_dir, tmp_path, detector, capsys):
    """End-to-end frames/s over the bare network's, same film, same session; aim 0.95."""
    film = data_dir / "films" / "vtest.avi"
    camera = vtest.fitted_camera(vtest.truth_table(data_dir))
    capture = cv2.VideoCapture(str(film))
    tensors = [detector.prepare(capture.read()[1]) for _ in range(FRAMES)]
    capture.release()
    whole, alone = [], []
    for k in range(ROUNDS):
        alone.append(bare(detector, tensors))
        whole.append(end_to_end(detector, film, camera, tmp_path / str(k)))
    wall, processor = ratios(whole, alone)
    with capsys.disabled():
        print(
            f"\nedge end to end {rates(whole)}, network alone {rates(alone)}: ratio {wall:.3f} by "
            f"wall time, {processor:.3f} by processor time (aim 0.95; {machine()})"
        )
    assert processor >= FLOOR


@pytest.mark.yolo
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_is_no_slower_than_ultralytics_track(data_dir, tmp_path, detector, capsys, monkeypatch):
    """Same ONNX file, input size and threads as `ultralytics track`; beside it the .pt as typed."""
    for name, value in YOLO_ENVIRONMENT.items():
        monkeypatch.setitem(os.environ, name, value)
    monkeypatch.setitem(os.environ, "YOLO_CONFIG_DIR", str(tmp_path))
    ultralytics = pytest.importorskip("ultralytics", reason="needs the extra [yolo]")
    film = data_dir / "films" / "vtest.avi"
    camera = vtest.fitted_camera(vtest.truth_table(data_dir))
    rivals = {
        "onnx": ultralytics.YOLO(str(Registry.load().default("day").path), task="detect"),
        "pt": ultralytics.YOLO(str(data_dir / "weights" / "yolov8n_from_int8.pt")),
    }

    def rival(model):
        stamps = []
        for _ in model.track(source=str(film), stream=True, verbose=False, conf=0.1):
            stamps.append(now())
            if len(stamps) == FRAMES:
                break
        return frames_per_s(stamps)

    ours, theirs = [], {name: [] for name in rivals}
    for k in range(ROUNDS):
        ours.append(end_to_end(detector, film, camera, tmp_path / str(k)))
        for name, model in rivals.items():
            theirs[name].append(rival(model))
    same, same_processor = ratios(ours, theirs["onnx"])
    typed, typed_processor = ratios(ours, theirs["pt"])
    with capsys.disabled():
        print(
            f"\nours {rates(ours)}; ultralytics track on the same ONNX {rates(theirs['onnx'])}: "
            f"ratio {same:.2f} by wall time, {same_processor:.2f} by processor time (aim 1.0); "
            f"its .pt as typed {rates(theirs['pt'])}: {typed:.2f} and {typed_processor:.2f} "
            f"({machine()})"
        )
    assert same_processor >= FLOOR
