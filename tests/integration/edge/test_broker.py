"""A node and a real broker: whatever is killed, every key observation arrives and counts once."""

import subprocess
import sys
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.config import NodeConfig
from edge.devices import open_transport
from edge.doctor import examine
from edge.uplink import PahoTransport
from runtime.clock import SystemClock
from runtime.settings import load
from tests.integration.edge.broker_kit import NODE, SITE, Cable, Mosquitto, Reader
from wire.topics import topic

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("feeder_node.py")
pytestmark = pytest.mark.broker


@pytest.fixture
def broker(tmp_path):
    server = Mosquitto(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def reader(broker):
    station = Reader(broker.port)
    yield station
    station.close()


class NodeProcess:
    """The feeder node as a process of its own."""

    def __init__(self, folder: Path, port: int, *, count: int) -> None:
        self.ledger = folder / "ledger"
        self.ledger.touch()
        self._config = folder / "edge.toml"
        self._config.write_text(
            "[node]\nsite_id = 'ha-tien'\nnode_id = 'mast-1'\ndata_dir = 'data'\n"
            "[[camera]]\nsensor_id = 'cam-1'\nsource = 'rtsp://127.0.0.1/none'\n"
            f"[outbox]\nresend_after_s = 1.0\nreserve_bytes = 1048576\n[mqtt]\nport = {port}\nkeepalive_s = 5\n"
        )
        self._count = count
        self._log = (folder / "node.log").open("ab")
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, str(SCRIPT), str(self._config), str(self.ledger)]
        self._process = subprocess.Popen(
            [*command, str(self._count)], cwd=ROOT, stderr=self._log, env={"PYTHONPATH": str(ROOT)}
        )

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def ended(self, timeout_s: float) -> int:
        assert self._process is not None
        return self._process.wait(timeout_s)

    def promised(self) -> list[str]:
        """Ids that were on disk; a last line without its end was killed while being written."""
        return [line for line in self.ledger.read_text().splitlines() if len(line) == 26]

    def close(self) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self.kill()
        self._log.close()


@pytest.fixture
def node(tmp_path, broker):
    process = NodeProcess(tmp_path, broker.port, count=600)
    yield process
    process.close()


def assert_everything_once(node: NodeProcess, reader: Reader) -> None:
    """All that was promised came; no number was given twice; no number is missing."""
    promised = node.promised()
    assert set() == set(promised) - set(reader.copies)
    assert {1} == {len(ids) for ids in reader.by_seq.values()}
    assert list(range(1, max(reader.by_seq) + 1)) == sorted(reader.by_seq)
    assert len(reader.copies) == len(reader.by_seq)


def test_node_killed_again_and_again_loses_nothing(node, reader):
    """Kill -9 between commit and receipt, five times: each key observation is there exactly once."""
    for kills in range(1, 6):
        node.start()
        assert reader.wait_for(lambda r, n=kills: r.heard["obs"] >= 90 * n)
        node.kill()
    node.start()
    assert 0 == node.ended(120)
    assert 600 <= len(node.promised())
    assert_everything_once(node, reader)


def test_broker_killed_and_started_again_loses_nothing(node, reader, broker):
    """A broker that forgets all it had costs repeats, never an observation."""
    node.start()
    for wanted in (100, 250):
        assert reader.wait_for(lambda r, n=wanted: len(r.copies) >= n)
        broker.kill()
        broker.start()
    assert 0 == node.ended(120)
    assert 600 == len(node.promised())
    assert_everything_once(node, reader)


def test_silent_station_keeps_everything_on_the_node(tmp_path, broker, node):
    """Without receipts nothing is freed, and what was sent is sent again until one comes."""
    station = Reader(broker.port, receipts=False)
    try:
        node.start()
        assert station.wait_for(lambda r: max(r.copies.values(), default=0) >= 2)
        station.receipts = True
        assert 0 == node.ended(120)
        assert_everything_once(node, station)
    finally:
        station.close()


@pytest.mark.slow
def test_cable_cut_and_gone_dead_loses_nothing(tmp_path, broker, reader):
    """Cut in the middle of a message, slow, and silent without a word: everything arrives once."""
    cable = Cable(broker.port)
    node = NodeProcess(tmp_path, cable.port, count=600)
    try:
        node.start()
        assert reader.wait_for(lambda r: len(r.copies) >= 60)
        for wanted in (150, 250):
            cable.change(up=False)
            cable.change(delay_s=0.05)
            assert reader.wait_for(lambda r, n=wanted: len(r.copies) >= n)
        # A dead radio link closes nothing: only the keep-alive finds out.
        cable.change(half_open=True)
        assert not reader.wait_for(lambda r: len(r.copies) >= 600, 7.0)
        cable.change()
        assert 0 == node.ended(120)
        assert 600 == len(node.promised())
        assert_everything_once(node, reader)
    finally:
        node.close()
        cable.close()


def test_doctor_leaves_a_waiting_command_to_the_node(broker, tmp_path):
    """A command kept for a stopped node is still there after the broker was probed in its name."""
    (tmp_path / "edge.toml").write_text(
        "[node]\nsite_id = 'ha-tien'\nnode_id = 'mast-1'\ndata_dir = 'data'\n"
        "[[camera]]\nsensor_id = 'cam-1'\nsource = 'no-such-film.avi'\n"
        f"[outbox]\nmax_bytes = 1000000\nreserve_bytes = 1048576\n[mqtt]\nport = {broker.port}\n"
    )
    config = load(tmp_path / "edge.toml", NodeConfig).model
    where, clock = topic("cmd", site=SITE, node=NODE), SystemClock()
    pause = threading.Event().wait

    def connected(*, probe: bool = False) -> PahoTransport:
        transport = open_transport(config, clock, probe=probe)
        transport.open(will=None, subscriptions=() if probe else [(where, 1)])
        while not transport.connected:
            transport.wait(0.1)
        return transport

    def heard(transport: PahoTransport) -> list[bytes]:
        found: list[bytes] = []
        for _ in range(50):
            found += [message.payload for message in transport.inbox()]
            if found:
                break
            transport.wait(0.1)
        transport.wait(0.1)  # What it says to the broker about it is on its way too.
        transport.close()
        return found

    connected().close()
    sender = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="other", protocol=mqtt.MQTTv5)
    sender.connect("127.0.0.1", broker.port)
    sender.loop_start()
    sender.publish(where, b"for the node", qos=1).wait_for_publish(10)
    sender.disconnect()
    sender.loop_stop()
    verdicts = {found.what: found.verdict for found in examine(config, clock, pause=pause)}
    assert "ok" == verdicts["mqtt"]
    probed, delivered = heard(connected(probe=True)), heard(connected())
    assert ([b"for the node"], [b"for the node"]) == (probed, delivered)
    assert [] == heard(connected())
