"""A node whose place comes from gpsd: worker, health, config and doctor."""

import random

import pytest

from edge.app import Devices, Node
from edge.config import NodeConfig
from edge.config_position import FixedPositionSettings, GpsdPositionSettings
from edge.devices import open_position
from hardware.position_gpsd import GpsdPosition
from runtime.clock import ManualClock, SystemClock
from runtime.ids import UlidSource
from runtime.settings import SettingsError, parse
from tests.unit.edge.parts import START_UTC, HandTransport, Script, StillCamera
from tests.unit.hardware.gpsd_talk import LAT_DEG, LON_DEG, VERSION, sky, tpv
from tests.unit.hardware.gpsd_talk import Script as Peer

NODE = b"""
[node]
site_id = "ha-tien"
node_id = "mast-1"
data_dir = "data"
[[camera]]
sensor_id = "cam-1"
source = "rtsp://10.0.0.11/stream1"
[outbox]
reserve_bytes = 1048576
"""


def config(folder, text):
    return parse(NODE + text.encode(), NodeConfig, path=folder / "edge.toml")


@pytest.fixture
def node(tmp_path):
    clock = ManualClock(START_UTC)
    peer = Peer()
    peer.waiting.append(VERSION)
    settings = config(tmp_path, '[position]\nsource = "gpsd"\n')
    made = Node(
        config=settings,
        config_sha256="a" * 64,
        devices=Devices(
            cameras={"cam-1": StillCamera("cam-1", clock)},
            detectors={"cam-1": Script([[]])},
            transport=HandTransport(),
            position=open_position(settings, clock, connect=lambda: peer),
        ),
        clock=clock,
        ids=UlidSource(clock, random.Random(7)),
        boot_id="boot",
        software_version="1.2.3",
    )
    yield made, peer, clock
    made.close()


def worker_of(node):
    return next(worker for worker, _ in node.workers if worker.name == "position")


def test_a_node_listens_to_its_receiver_and_tells_its_fix(node):
    """Status, place, accuracy and satellites stand in its health."""
    made, peer, clock = node
    peer.waiting.extend([tpv(clock.utc()), sky([40.0] * 8)])
    assert 0.0 == worker_of(made).step(clock.monotonic_s())
    fix = made.book.health().fix
    assert ("fix_3d", 8) == (fix.status, fix.satellites)
    assert (pytest.approx(LON_DEG), pytest.approx(LAT_DEG)) == (fix.lon_deg, fix.lat_deg)
    assert pytest.approx(3.0) == fix.horizontal_sigma_m
    clock.advance(10.0)
    assert "stale" == made.book.health().fix.status


def test_what_was_refused_of_gpsd_stands_in_health(node):
    """By reason, beside what else was refused."""
    made, peer, clock = node
    peer.waiting.extend([b'{"class":"TPV","mode":"3"}\r\n$GPGGA*00\r\n', b""])
    worker_of(made).step(clock.monotonic_s())
    assert {"gpsd_wrong_type": 1, "gpsd_not_json": 1, "gpsd_connection_closed": 1} == dict(
        made.book.health().refused
    )


def test_a_worker_without_a_gpsd_pauses(node):
    """It comes back at once and says for how long to leave it: no turning in circles."""
    made, peer, clock = node
    peer.waiting.extend([b""])
    assert 1.0 == worker_of(made).step(clock.monotonic_s())


def test_a_surveyed_mast_has_no_such_worker(tmp_path):
    """Nothing is to be read there."""
    clock = ManualClock(START_UTC)
    settings = config(tmp_path, "[position]\nlon_deg = 104.5\nlat_deg = 10.4\nalt_hae_m = -4.0\n")
    assert isinstance(settings.position, FixedPositionSettings)
    assert "fixed_survey" == open_position(settings, clock).latest().status


def test_every_key_of_a_receiver_reaches_its_driver(tmp_path):
    """Host, port, device and the rules of belief."""
    settings = config(
        tmp_path,
        '[position]\nsource = "gpsd"\nhost = "10.0.0.7"\nport = 2948\ndevice = "/dev/ttyS1"\n'
        "stale_after_s = 4.0\nfrozen_after_s = 20.0\nmax_speed_m_s = 10.0\njump_hold_s = 15.0\n"
        "jam_indicator_above = 99.0\n",
    )
    assert isinstance(settings.position, GpsdPositionSettings)
    source = open_position(settings, ManualClock(START_UTC))._source
    rules = source.rules
    assert ("10.0.0.7", 2948, "/dev/ttyS1", False) == (
        source.host, source.port, source.device, source.on_this_machine,
    )  # fmt: skip
    assert (4.0, 20.0, 10.0, 15.0, 99.0) == (
        rules.stale_after_s, rules.frozen_after_s, rules.max_speed_m_s, rules.jump_hold_s,
        rules.jam_indicator_above,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "key", "word"),
    [
        ('source = "gpds"', "position", '"fixed" or "gpsd"'),
        ('source = "gpsd"\nhost = "gps.example"', "position.host", "name server"),
        ('source = "gpsd"\nport = 0', "position.port", "greater than or equal"),
        ('source = "gpsd"\nlon_deg = 1.0', "position.lon_deg", "no such key here"),
        ('source = "gpsd"\nreader = "gpsd-py3"\ndevice = "/dev/a"', "position", "gpsd-py3"),
        ("lat_deg = 1.0\nlon_deg = 2.0", "position.alt_hae_m", "required"),
        ('source = "fixed"\nhost = "127.0.0.1"', "position.host", "no such key here"),
    ],
)
def test_a_wrong_position_table_is_explained(tmp_path, text, key, word):
    """The key as it stands in the file, and what is allowed there."""
    with pytest.raises(SettingsError) as refusal:
        config(tmp_path, f"[position]\n{text}\n")
    found = {problem.key: problem.allowed for problem in refusal.value.problems}
    assert key in found
    assert word in found[key]


def test_the_machines_clock_hears_the_receiver(tmp_path):
    """Made by the composition root, so that health and commands go by it."""
    clock = SystemClock()
    position = open_position(config(tmp_path, '[position]\nsource = "gpsd"\n'), clock)
    assert isinstance(position, GpsdPosition)
    assert position.clock_error == clock._witness
