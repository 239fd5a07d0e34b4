"""A whole node on a drone's film: its config alone leads from telemetry to places on the wire."""

import math
import random
import socket
from pathlib import Path

import numpy as np
import pytest

from edge.app import Devices, Node
from edge.config import NodeConfig
from edge.detect import Detections
from edge.devices import camera_source
from hardware.camera_opencv import OpenCvCamera
from hardware.udp_tee import UdpTee
from runtime.clock import ManualClock
from runtime.errors import AskOperator
from runtime.ids import UlidSource
from runtime.settings import parse
from tests.flight_kit import MARK_M, SITE, SIZE, WIDE, klv_film, mark_px, srt_film
from tests.unit.edge.parts import START_UTC, HandTransport, Script, StillCamera
from wire import codec
from wire.topics import BY_NAME
from wire.topics import parse as parse_topic

CONFIG = """
[node]
site_id = "ha-tien"
node_id = "film-1"
data_dir = "data"
simulated = true
[[camera]]
sensor_id = "drone-film"
source = "{source}"
pace = "fast"
[camera.lens]
width_px = {size[0]}
height_px = {size[1]}
hfov_deg = {hfov_deg}
[camera.ground]
alt_hae_m = 0.0
[camera.recorded]
{recorded}
[outbox]
reserve_bytes = 1048576
"""


class Mark:
    """A detector that takes the film's one bright mark for somebody's feet."""

    name = "mark"
    sha256 = "0" * 64

    def detect(self, image_bgr) -> Detections:
        size = (image_bgr.shape[1], image_bgr.shape[0])
        x_px, y_px = (mark_px(image_bgr) + 0.5).tolist()
        if math.isnan(x_px):
            return Detections.none(size)
        return Detections(
            boxes_px=np.array([[x_px - 8, y_px - 40, x_px + 8, y_px]], np.float32),
            confidence=np.array([0.9], np.float32),
            class_index=np.zeros(1, np.int64),
            frame_size_px=size,
        )

    def close(self) -> None:
        """Nothing is held."""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def said(folder: Path, source: Path, recorded: str) -> list:
    """What the node says of the film, until it is over."""
    clock = ManualClock(START_UTC, monotonic_s=50.0)
    text = CONFIG.format(source=source.name, size=SIZE, hfov_deg=WIDE, recorded=recorded)
    config = parse(text.encode(), NodeConfig, path=folder / "edge.toml")
    transport = HandTransport()
    camera = config.camera[0]
    node = Node(
        config=config,
        config_sha256="a" * 64,
        devices=Devices(
            cameras={camera.sensor_id: OpenCvCamera(camera_source(camera), clock)},
            detectors={camera.sensor_id: Mark()},
            transport=transport,
        ),
        clock=clock,
        ids=UlidSource(clock, random.Random(7)),
        boot_id="boot",
        software_version="1.2.3",
    )
    transport.connect()
    for _ in range(600):
        clock.advance(0.04)
        for worker, _ in node.workers:
            worker.step(clock.monotonic_s())
    node.close()
    return [
        codec.decode(payload, spec=BY_NAME[name]).message
        for where, payload, *_ in transport.sent
        if (name := parse_topic(where).spec.name) in ("obs", "birth")
    ]


@pytest.mark.parametrize("kind", ["klv", "srt"])
def test_a_films_telemetry_reaches_the_wire(tmp_path: Path, kind: str) -> None:
    """Every observation has the mark's place within its own stated doubt, and the drone's own."""
    if kind == "klv":
        film = klv_film(tmp_path, kind="synchronous", drift=1e-3)
        recorded = 'telemetry = "klv"'
    else:
        film = srt_film(tmp_path)
        recorded = 'telemetry = "DJI_0001.SRT"\ntakeoff_alt_hae_m = 0.0'
    messages = said(tmp_path, film, recorded)
    birth = next(m for m in messages if m.body.__class__.__name__ == "Birth")
    assert birth.body.sensors[0].kind == "drone_camera"
    assert birth.body.sensors[0].accuracy is not None
    assert birth.body.sensors[0].accuracy.azimuth_sigma_deg == 5.0
    observed = [m.body for m in messages if m.body.__class__.__name__ == "Observation"]
    placed = [body for body in observed if body.position is not None]
    assert len({body.track_id for body in observed}) == 1
    assert len(placed) >= 10
    misses = []
    for body in placed:
        at = body.position
        away = SITE.to_enu(at.lon_deg, at.lat_deg, at.alt_hae_m)[0][:2] - MARK_M[:2]
        misses.append(float(np.hypot(*away)))
        assert away @ np.linalg.solve(np.array(at.cov_enu_m2), away) < 9.0
        assert body.sensor_position is not None
        assert body.sensor_position.alt_hae_m == pytest.approx(62.0, abs=4.0)
        assert 8.0 < at.ce90_m < 40.0
    print(f"\n{kind}: {len(placed)} of {len(observed)} placed, {np.median(misses):.2f} m median")
    assert np.median(misses) < 3.0


def test_a_film_whose_telemetry_is_missing_stops_the_start(tmp_path: Path) -> None:
    """The node does not run for hours on a film that can give no place."""
    film = srt_film(tmp_path)
    with pytest.raises(AskOperator, match="correct the path"):
        said(tmp_path, film, 'telemetry = "other.SRT"')


def test_a_live_streams_drone_reaches_the_map(tmp_path: Path) -> None:
    """A node with a UDP stream hands its pictures on, and tells where its drone is."""
    flight = klv_film(tmp_path, kind="synchronous", drift=0.0).read_bytes()
    port = free_port()
    clock = ManualClock(START_UTC, monotonic_s=50.0)
    text = CONFIG.format(
        source=f"udp://127.0.0.1:{port}",
        size=SIZE,
        hfov_deg=WIDE,
        recorded='telemetry = "klv"',
    ).replace('pace = "fast"\n', "")
    config = parse(text.encode(), NodeConfig, path=tmp_path / "edge.toml")
    camera = config.camera[0]
    tee = UdpTee(camera.source, clock)
    assert camera_source(camera, tee).source == tee.decoder_source != camera.source
    transport = HandTransport()
    node = Node(
        config=config,
        config_sha256="a" * 64,
        devices=Devices(
            cameras={camera.sensor_id: StillCamera(camera.sensor_id, clock)},
            detectors={camera.sensor_id: Script([[(300.0, 200.0, 316.0, 240.0)]])},
            transport=transport,
            tees={camera.sensor_id: tee},
        ),
        clock=clock,
        ids=UlidSource(clock, random.Random(7)),
        boot_id="boot",
        software_version="1.2.3",
    )
    transport.connect()
    workers = [worker for worker, _ in node.workers]
    assert "klv-drone-film" in [worker.name for worker in workers]
    tee.read(0.01)
    rows = [flight[at : at + 1316] for at in range(0, len(flight), 1316)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for n, row in enumerate(rows):
            clock.advance(10.0 / len(rows))
            out.sendto(row, ("127.0.0.1", port))
            if n % 4 == 0:
                for worker in workers:
                    worker.step(clock.monotonic_s())
    node.close()
    told = [
        codec.decode(payload, spec=BY_NAME["vehicle"]).message.body
        for where, payload, *_ in transport.sent
        if parse_topic(where).spec.name == "vehicle"
    ]
    assert len(told) >= 5
    last = told[-1]
    assert last.position is not None
    assert last.position.alt_hae_m == pytest.approx(64.5, abs=2.0)
    assert len(last.footprint_lonlat) > 4
    assert last.fix.status == "fix_3d"
