"""A whole node process that looks at a film with no network; prints what memory it took, as JSON.

Usage: python lean_node.py CONFIG SECONDS
"""

import json
import random
import sys
from pathlib import Path

from edge import devices
from edge.app import Devices, Node
from edge.config import NodeConfig
from hardware.camera_opencv import OpenCvCamera
from runtime import log
from runtime.clock import SystemClock
from runtime.ids import UlidSource
from runtime.settings import load
from runtime.workers import Supervisor
from tests.unit.edge.parts import Script

PEOPLE = [
    [(50.0 + 60 * n + step, 200.0, 80.0 + 60 * n + step, 290.0) for n in range(8)]
    for step in range(100)
]


def peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("this kernel tells no VmHWM")


def main() -> None:
    log.configure(json=True)
    loaded = load(Path(sys.argv[1]), NodeConfig)
    clock = SystemClock(stated_error_s=0.1)
    supervisor = Supervisor(clock)
    cameras = {
        camera.sensor_id: OpenCvCamera(devices.camera_source(camera), clock)
        for camera in loaded.model.camera
    }
    node = Node(
        config=loaded.model,
        config_sha256=loaded.sha256,
        devices=Devices(
            cameras=cameras,
            detectors=dict.fromkeys(cameras, Script(PEOPLE)),
            transport=devices.open_transport(loaded.model, clock),
            position=devices.open_position(loaded.model, clock),
        ),
        clock=clock,
        ids=UlidSource(clock, random.SystemRandom()),
        boot_id=devices.boot_id(),
        software_version="bench",
        beats=supervisor.beats,
    )
    for worker, beat_timeout_s in node.workers:
        supervisor.add(worker, beat_timeout_s=beat_timeout_s)
    supervisor.start()
    supervisor.wait(float(sys.argv[2]))
    supervisor.stop()
    frames = {name: eye.frames for name, eye in node.eyes.items()}
    counters = node.outbox.counters
    node.close()
    network = sorted(name for name in sys.modules if name in {"onnxruntime", "torch"})
    print(
        json.dumps(
            {
                "peak_mb": round(peak_bytes() / 1e6, 1),
                "frames": sum(frames.values()),
                "sent": counters.sent,
                "receipted": counters.receipted,
                "network_modules": network,
                "failed": supervisor.failed,
            }
        )
    )


if __name__ == "__main__":
    main()
