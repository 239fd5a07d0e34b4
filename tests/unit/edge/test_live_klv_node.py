"""A node with a live stream that brings its own metadata: what was refused of it stands in health."""

import random

from edge.app import Devices, Node
from edge.config import NodeConfig
from hardware.klv_st0601 import KlvMetadata
from hardware.udp_tee import LiveKlv, UdpTee
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from runtime.settings import parse
from tests.unit.edge.parts import START_UTC, HandTransport, Script, StillCamera

CONFIG = b"""
[node]
site_id = "ha-tien"
node_id = "drone-1"
data_dir = "data"
[[camera]]
sensor_id = "cam-1"
source = "udp://@:5600"
[camera.recorded]
telemetry = "klv"
[outbox]
reserve_bytes = 1048576
"""


def test_metadata_without_a_place_is_counted_in_health(tmp_path):
    """Whoever wonders why a drone's finds have no place reads it there; nothing wrong, nothing said."""
    clock = ManualClock(START_UTC, monotonic_s=50.0)
    tee = UdpTee("udp://@:5600", clock)
    node = Node(
        config=parse(CONFIG, NodeConfig, path=tmp_path / "edge.toml"),
        config_sha256="a" * 64,
        devices=Devices(
            cameras={"cam-1": StillCamera("cam-1", clock)},
            detectors={"cam-1": Script([[]])},
            transport=HandTransport(),
            tees={"cam-1": tee},
        ),
        clock=clock,
        ids=UlidSource(clock, random.Random(7)),
        boot_id="boot",
        software_version="1.2.3",
    )
    tee.close()  # Nothing comes from the line; the packets are given by hand.
    poses = node.poses["cam-1"]
    poses.step(clock.monotonic_s())
    assert {} == node.book.health().refused
    for n in range(3):
        poses.take(LiveKlv(t_monotonic_s=50.0 + 0.1 * n, metadata=KlvMetadata(time_us=1 + n)))
        poses.step(clock.monotonic_s())
    assert {"klv_incomplete": 6} == node.book.health().refused  # Neither place nor view, each time.
    node.close()
