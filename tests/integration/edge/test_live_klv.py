"""A live stream with metadata inside: pictures to the decoder, poses from the packets."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.config_camera import CameraSettings
from edge.config_recorded import RecordedSettings
from edge.doctor import _pose
from edge.geolocate import GroundLocator
from edge.live_klv import LiveKlvPoses
from edge.pose import NoPose, Pose
from geo.frames import EnuFrame
from geo.lens import Lens
from geo.terrain import FlatTerrain
from hardware.camera_opencv import CameraSource, OpenCvCamera
from hardware.klv_stream import KlvReader
from hardware.mpeg_ts import MetadataUnit, TsReader
from hardware.udp_tee import LiveKlv, UdpTee
from runtime.clock import SystemClock
from runtime.errors import AskOperator, RetryLater
from tests.flight_kit import MARK_M, SECONDS, SITE, SIZE, WIDE, klv_film, mark_px


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def flight(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder: Path = tmp_path_factory.mktemp("live")
    return klv_film(folder, kind="synchronous", drift=0.0).read_bytes()


class Running:
    """Runs something again and again in a thread until closed."""

    def __init__(self, job: Iterator[None]) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(job,))
        self._thread.start()

    def _run(self, job: Iterator[None]) -> None:
        for _ in job:
            if self._stop.is_set():
                return

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def sending(data: bytes, port: int) -> Iterator[None]:
    """The stream at its own speed, once."""
    start_s = time.monotonic()
    rows = [data[at : at + 1316] for at in range(0, len(data), 1316)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for n, row in enumerate(rows):
            time.sleep(max(0.0, start_s + SECONDS * n / len(rows) - time.monotonic()))
            out.sendto(row, ("127.0.0.1", port))
            yield


def stepping(poses: LiveKlvPoses) -> Iterator[None]:
    while True:
        poses.step(time.monotonic())
        yield


def test_a_live_flight_places_what_it_shows(flight: bytes) -> None:
    """Pictures through the decoder and poses from the metadata meet within the decoder's delay."""
    port, clock = free_port(), SystemClock()
    tee = UdpTee(f"udp://@:{port}", clock)
    rules = RecordedSettings.model_validate({"telemetry": "klv"})
    poses = LiveKlvPoses(tee, rules, clock=clock)
    locator = GroundLocator(
        Lens.from_hfov(WIDE, *SIZE), poses, FlatTerrain(alt_hae_m=0.0), terrain_sigma_m=0.1
    )
    camera = OpenCvCamera(
        CameraSource(
            sensor_id="drone", source=tee.decoder_source, open_timeout_s=8.0, read_timeout_s=2.0
        ),
        clock,
    )
    worker = Running(stepping(poses))
    sender = Running(sending(flight, port))
    misses: list[float] = []
    reasons: list[str] = []
    try:
        end_s = time.monotonic() + SECONDS + 2.0
        while time.monotonic() < end_s:
            frame = camera.read()
            if frame is None:
                time.sleep(0.01)
                continue
            pose = poses.at(frame.t_capture_monotonic_s)
            if isinstance(pose, NoPose):
                reasons.append(pose.reason)
                continue
            mark = mark_px(frame.image_bgr)
            if not np.isfinite(mark).all():
                continue  # Decoders begin in the middle of a stream with half a picture.
            fix = locator.fix(pose, mark[None], np.eye(2)[None])
            place = EnuFrame(pose.position).to_geodetic(fix.points_m)[0]
            misses.append(float(np.hypot(*(SITE.to_enu(*place)[0] - MARK_M)[:2])))
    finally:
        sender.close()
        worker.close()
        camera.close()
        tee.close()
    median_m = float(np.median(misses))
    print(f"\nlive: {len(misses)} pictures placed, {len(reasons)} without a pose, {median_m:.2f} m")
    assert len(misses) > 60
    assert median_m < 4.0
    assert tee.counters["packets"] >= 90
    assert tee.refused == 0
    found = poses.at(clock.monotonic_s() + 30.0)
    assert isinstance(found, NoPose)
    assert "in the stream's metadata" in found.reason


def test_two_listeners_on_one_port_are_refused_for_now() -> None:
    """The second one says that the port is taken, and when it tries again."""
    port, clock = free_port(), SystemClock()
    first, second = UdpTee(f"udp://@:{port}", clock), UdpTee(f"udp://@:{port}", clock)
    try:
        assert first.read(0.01) == []
        with pytest.raises(RetryLater, match=str(port)):
            second.read(0.01)
    finally:
        first.close()
        second.close()


@pytest.mark.parametrize(
    "source", ["udp://@:0", "udp://@:99999", "udp://host.example:5600", "udp://@:", "udp://"]
)
def test_an_address_that_is_none_is_refused(source: str) -> None:
    """With what is allowed."""
    with pytest.raises(AskOperator, match="udp://@:PORT"):
        UdpTee(source, SystemClock())


def test_noise_on_the_port_gives_no_pose_and_no_fault() -> None:
    """Random datagrams: nothing believed, nothing kept, the worker goes on."""
    port, clock = free_port(), SystemClock()
    tee = UdpTee(f"udp://@:{port}", clock)
    rng = np.random.default_rng(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        tee.read(0.01)
        for _ in range(300):
            out.sendto(rng.integers(0, 256, 1316, np.uint8).tobytes(), ("127.0.0.1", port))
        for _ in range(5):
            assert tee.read(0.01) == []
    assert tee.counters["datagrams"] > 100
    tee.close()
    assert tee.read(0.01) == []


def test_the_doctor_listens_for_metadata(flight: bytes) -> None:
    """Packets counted while it is sent; silence named with what to check."""
    port, clock = free_port(), SystemClock()
    told = {
        "sensor_id": "drone",
        "source": f"udp://@:{port}",
        "open_timeout_s": 3.0,
        "recorded": {"telemetry": "klv"},
    }
    camera = CameraSettings.model_validate(told)
    sender = Running(sending(flight, port))
    try:
        heard = _pose(camera, clock)
    finally:
        sender.close()
    assert heard.verdict == "ok"
    assert heard.detail.startswith("klv, live: 1")
    silent = _pose(camera.model_copy(update={"open_timeout_s": 0.5}), clock)
    assert silent.verdict == "failed"
    assert "nothing is sent to this port" in silent.detail


def test_a_jump_is_not_flown(flight: bytes) -> None:
    """One packet far away is left out; five that agree are a new flight."""
    clock = SystemClock()
    rules = RecordedSettings.model_validate({"telemetry": "klv"})
    poses = LiveKlvPoses(UdpTee("udp://@:5600", clock), rules, clock=clock)
    reader, klv = TsReader(), KlvReader()
    units = reader.feed(flight) + reader.finish()
    read = [m for unit in units if isinstance(unit, MetadataUnit) for m in klv.feed(unit.data)]
    start_s = clock.monotonic_s() - 20.0
    for n, metadata in enumerate(read[:40]):
        away = replace(metadata, lat_deg=11.5) if n == 20 or n >= 30 else metadata
        poses.take(LiveKlv(t_monotonic_s=start_s + 0.1 * n, metadata=away))
    flown = poses.at(start_s + 2.05)
    moved = poses.at(start_s + 3.85)
    assert isinstance(flown, Pose)
    assert isinstance(moved, Pose)
    assert flown.position.lat_deg == pytest.approx(10.42, abs=0.01)
    assert moved.position.lat_deg == pytest.approx(11.5, abs=0.01)
    assert poses.counters["a place that no flight explains"] == 6


def test_the_aircraft_of_a_stream_is_told_for_the_map(flight: bytes) -> None:
    """Where it is, how it flies and how well that is known; nothing once the stream is silent."""
    clock = SystemClock()
    rules = RecordedSettings.model_validate({"telemetry": "klv"})
    poses = LiveKlvPoses(UdpTee("udp://@:5600", clock), rules, clock=clock)
    now_s = clock.monotonic_s()
    assert poses.vehicle((0, 1), now_s) is None
    reader, klv = TsReader(), KlvReader()
    units = reader.feed(flight) + reader.finish()
    read = [m for unit in units if isinstance(unit, MetadataUnit) for m in klv.feed(unit.data)]
    for n, metadata in enumerate(read[:30]):
        poses.take(LiveKlv(t_monotonic_s=now_s - 3.0 + 0.1 * n, metadata=metadata))
    state = poses.vehicle((0, 1), now_s)
    assert state is not None
    assert state.alt_hae_m == pytest.approx(61.5, abs=1.0)
    assert state.heading_deg == pytest.approx(200.0, abs=0.1)
    assert state.velocity_enu_m_s is not None
    assert state.velocity_enu_m_s[0] == pytest.approx(5.0, abs=0.3)
    assert state.horizontal_sigma_m == pytest.approx(3.0, abs=0.5)
    assert not state.in_air
    assert poses.vehicle((0, 1), now_s + 5.0) is None


def test_a_port_that_cannot_be_read_is_tried_again_later_and_not_in_circles():
    """An interface that is gone fails at once, and would for ever."""
    tee = UdpTee(f"udp://@:{free_port()}", SystemClock())
    assert [] == tee.read(0.0)
    tee._socket.close()  # Whatever is read there now fails.
    with pytest.raises(RetryLater, match="cannot be read"):
        tee.read(0.0)
    assert 1 == tee.counters["receive_failed"]
    assert [] == tee.read(0.0)
    tee.close()
