"""A node whose camera hangs under a drone: what it says follows the drone's own telemetry."""

import random
from types import SimpleNamespace

import pytest

from edge.app import Devices, Node
from edge.config import NodeConfig
from edge.vehicle_camera import TimeOffset
from hardware.ports import VehicleState
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from runtime.settings import parse
from tests.unit.edge.flights import ENU, VEHICLE, Circle
from tests.unit.edge.parts import START_UTC, HandTransport, Script, StillCamera
from wire import codec
from wire.topics import BY_NAME
from wire.topics import parse as parse_topic

CONFIG = """
[node]
site_id = "ha-tien"
node_id = "drone-1"
data_dir = "data"
simulated = true
[[camera]]
sensor_id = "cam-1"
source = "rtsp://10.0.0.11/stream1"
[camera.lens]
width_px = 640
height_px = 480
hfov_deg = 40.0
[camera.vehicle]
system_id = 1
on = "gimbal"
[camera.ground]
alt_hae_m = 20.0
[autopilot]
source = "mavlink"
url = "udpin://127.0.0.1:14550"
[outbox]
reserve_bytes = 1048576
"""
PERSON = (300.0, 200.0, 330.0, 290.0)


class Circling:
    """An autopilot that flies the circle, as far as the clock has come."""

    def __init__(self, clock) -> None:
        self._clock = clock
        self._said_s = clock.monotonic_s()
        self.counters = {}
        self.silent = False
        self.fix_status = "fix_3d"
        self.closed = False

    def read(self, timeout_s):
        circle, samples = Circle(), []
        while not self.silent and self._said_s <= self._clock.monotonic_s():
            samples += [circle.position(self._said_s), circle.attitude(self._said_s)]
            samples += [circle.gimbal(self._said_s)]
            self._said_s += 0.1
        return samples

    def vehicles(self):
        now_s = self._clock.monotonic_s()
        return [VehicleState(vehicle=VEHICLE, t_monotonic_s=now_s, fix_status=self.fix_status)]

    def close(self):
        self.closed = True


class World:
    def __init__(self, folder) -> None:
        self.clock = ManualClock(START_UTC, monotonic_s=50.0)
        self.transport = HandTransport()
        self.autopilot = Circling(self.clock)
        self.node = Node(
            config=parse(CONFIG.encode(), NodeConfig, path=folder / "edge.toml"),
            config_sha256="a" * 64,
            devices=Devices(
                cameras={"cam-1": StillCamera("cam-1", self.clock)},
                detectors={"cam-1": Script([[PERSON]])},
                transport=self.transport,
                autopilot=self.autopilot,
            ),
            clock=self.clock,
            ids=UlidSource(self.clock, random.Random(7)),
            boot_id="boot",
            software_version="1.2.3",
        )
        self.transport.connect()

    def pass_(self, seconds: float, step_s=0.1) -> None:
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            for worker, _ in self.node.workers:
                worker.step(self.clock.monotonic_s())

    def spoken(self, name: str) -> list:
        return [
            codec.decode(payload, spec=BY_NAME[name]).message
            for where, payload, *_ in self.transport.sent
            if parse_topic(where).spec.name == name
        ]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.node.close()


def test_observation_tells_where_the_lens_was_at_capture(world):
    """Each observation has a place on the ground and the lens's own position of that instant."""
    world.pass_(4.0)
    said = world.spoken("obs")
    assert len(said) >= 4
    for message in said:
        assert message.body.position is not None
        lens = message.body.sensor_position
        t_s = 50.0 + (message.t_event_utc - START_UTC).total_seconds()
        here = ENU.to_enu(lens.lon_deg, lens.lat_deg, lens.alt_hae_m)[0]
        assert here == pytest.approx(Circle().place_m(t_s), abs=0.02)


def test_silent_autopilot_takes_the_place_away_and_says_so(world):
    """Half a second after the last word the observations go on without a place, with the reason."""
    world.pass_(3.0)
    world.autopilot.silent = True
    world.pass_(4.0)
    last = world.spoken("obs")[-1].body
    assert (None, None, None) == (last.position, last.bearing, last.sensor_position)
    assert "no position of vehicle 1 within 0.5 s of the frame" in last.no_position_reason


def test_jammed_receiver_takes_the_place_away(world):
    """A fix that is not believed places nobody."""
    world.pass_(3.0)
    world.autopilot.fix_status = "jammed"
    world.pass_(1.0)
    last = world.spoken("obs")[-1].body
    assert last.position is None
    assert "jammed" in last.no_position_reason


def test_health_tells_the_offset_that_the_pictures_told(world):
    """Nothing as long as nothing turned; then the estimate with its sigma, in health."""
    world.pass_(0.2)
    said = world.spoken("health")[0].body.cameras[0]
    assert (None, None) == (said.time_offset_s, said.time_offset_sigma_s)
    told = SimpleNamespace(estimate=TimeOffset(offset_s=-0.18, sigma_s=0.004))
    world.node.eyes["cam-1"].offset = told
    said = world.node.book.health().cameras[0]
    assert (-0.18, 0.004) == (said.time_offset_s, said.time_offset_sigma_s)


def test_birth_says_that_the_camera_flies(world):
    """Kind drone_camera, no fixed place, no view: the station must not draw a mast."""
    world.pass_(0.2)
    sensor = world.spoken("birth")[0].body.sensors[0]
    assert ("drone_camera", None, None, ()) == (
        sensor.kind,
        sensor.position,
        sensor.attitude,
        sensor.field_of_view_lonlat,
    )


def test_vehicle_that_nobody_hears_is_refused(tmp_path):
    """A camera on a vehicle needs the link that tells its pose, and that vehicle on it."""
    for change, words in (
        (('source = "mavlink"\nurl = "udpin://127.0.0.1:14550"', ""), "no .autopilot. is"),
        (("[outbox]", "vehicles = [2, 3]\n[outbox]"), "hears 2, 3 only"),
    ):
        with pytest.raises(Exception, match=words):
            parse(CONFIG.replace(*change).encode(), NodeConfig, path=tmp_path / "edge.toml")


def test_two_poses_for_one_camera_are_refused(tmp_path):
    """A mast and a vehicle for one camera is a mistake that the config names."""
    mount = (
        "[camera.mount]\nlon_deg = 1\nlat_deg = 1\nalt_hae_m = 1\nazimuth_deg = 1\npitch_deg = 1\n"
    )
    with pytest.raises(Exception, match="both tell where camera 'cam-1' is"):
        parse(
            CONFIG.replace("[camera.ground]", mount + "[camera.ground]").encode(),
            NodeConfig,
            path=tmp_path / "edge.toml",
        )
