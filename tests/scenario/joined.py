"""A real node and a real station in one process, joined by bytes on one manual clock."""

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from edge.app import Devices, Node
from edge.config import NodeConfig
from edge.detect import Detector
from edge.devices import camera_source
from ground_station import app as ground_app
from ground_station import install
from ground_station.config import GroundConfig
from ground_station.store import Store
from hardware.camera_opencv import OpenCvCamera
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from runtime.settings import load
from simulations.bus import Bus, NodeLine, StationLine
from wire.signing import SigningKey, VerifyKey


@dataclass(slots=True, kw_only=True)
class Joined:
    """Both ends and what joins them; nobody runs by itself."""

    clock: ManualClock
    bus: Bus
    node: Node
    station: ground_app.Station
    store: Store
    line: NodeLine

    def step(self) -> None:
        """Each worker once, in the order of the road."""
        now_s = self.clock.monotonic_s()
        for capture in self.node.captures.values():
            capture.step(now_s)
        if not self.node.pipeline.over:
            self.node.pipeline.step(now_s)
        self.exchange()

    def exchange(self) -> None:
        """What waits goes over the line, is committed and receipted."""
        now_s = self.clock.monotonic_s()
        self.node.uplink.step(now_s)
        for worker, _ in self.station.workers:
            worker.step(now_s)
        self.node.uplink.step(now_s)

    def close(self) -> None:
        """Orderly end of both."""
        for capture in self.node.captures.values():
            capture.close()
        self.node.pipeline.close()
        self.node.uplink.close()
        self.node.close()
        for worker, _ in self.station.workers:
            worker.close()
        self.store.close()


def join(
    folder: Path, *, node: dict, site_file: Path, start_utc, detector: Detector, seed: int = 1
) -> Joined:
    """Put both ends together.

    Args:
        folder: for keys, databases and the outbox.
        node: the node's config as a dict without node.data_dir and keys.
        site_file: the station's GeoJSON.
        start_utc: first instant of the manual clock.
        detector: for every camera.
        seed: of all ids.
    """
    clock = ManualClock(start_utc)
    ids = UlidSource(clock, random.Random(seed))
    site_id = node["node"]["site_id"]
    installed = install.install(
        folder / "station",
        {
            ("station", "site_id"): site_id,
            ("station", "site_file"): str(site_file),
            ("station", "allow_simulated"): True,
        },
        clock=clock,
    )
    ground: GroundConfig = load(installed.config_file, GroundConfig).model
    store = ground_app.open_store(ground)
    bus = Bus(keep_log=True)
    station = ground_app.build(
        ground,
        clock=clock,
        ids=ids,
        transport=StationLine(bus, monotonic_s=clock.monotonic_s),
        store=store,
        key=SigningKey.load(folder / "station" / "keys" / "station.key"),
    )
    node["node"]["data_dir"] = str(folder / "node")
    node["node"]["station_key_file"] = str(installed.public_key_file)
    config = NodeConfig.model_validate(node)
    cameras = {
        camera.sensor_id: OpenCvCamera(camera_source(camera), clock) for camera in config.camera
    }
    line = NodeLine(bus)
    edge = Node(
        config=config,
        config_sha256="0" * 64,
        devices=Devices(
            cameras=cameras,
            detectors=dict.fromkeys(cameras, detector),
            transport=line,
        ),
        clock=clock,
        ids=ids,
        boot_id="joined",
        software_version="0",
        station_key=VerifyKey.from_pem(installed.public_key_file.read_bytes(), name="station"),
    )
    joined = Joined(clock=clock, bus=bus, node=edge, station=station, store=store, line=line)
    # The station subscribes and the node is born before the first frame.
    joined.exchange()
    return joined


def drain(joined: Joined, *, at_most_s: float = 60.0) -> None:
    """Let time pass until the node's outbox is empty and the last rules have ripened."""
    for _ in range(round(at_most_s / 0.5)):
        joined.clock.advance(0.5)
        joined.exchange()


def film_clock(joined: Joined, start_utc, rate_hz: float, frame: int) -> None:
    """Set the clock to the instant of a film's frame."""
    due = start_utc + timedelta(seconds=frame / rate_hz)
    joined.clock.advance(max(0.0, (due - joined.clock.utc()).total_seconds()))
