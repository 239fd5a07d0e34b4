"""`border-edge` as a process: a film in, everything at the station, an orderly end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.integration.edge.broker_kit import Mosquitto, Reader

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.broker, pytest.mark.data]


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


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "edge.cli", *words, "--config", str(folder / "edge.toml")]


@pytest.fixture
def config(tmp_path, broker, data_dir):
    """A node that looks at the real film with the default network."""

    def write(**camera) -> Path:
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in camera.items())
        (tmp_path / "edge.toml").write_text(
            "[node]\nsite_id = 'ha-tien'\nnode_id = 'mast-1'\ndata_dir = 'data'\n"
            "[clock]\nstated_error_s = 0.1\n"
            "[[camera]]\nsensor_id = 'cam-1'\nfilm_rate_hz = 7.0\nmax_rate_hz = 3.0\n"
            f"source = '{data_dir / 'films' / 'vtest.avi'}'\n{lines}"
            f"[outbox]\nreserve_bytes = 1048576\n[mqtt]\nport = {broker.port}\n"
        )
        return tmp_path

    return write


class Systemd:
    """Listens to a service as systemd does."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self.words: list[str] = []
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(self.address)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self.words or self.words[-1] != "STOPPING=1":
            self.words.append(self._door.recv(100).decode())

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.sendto(b"STOPPING=1", self.address)
        self._thread.join(10)
        self._door.close()


@pytest.fixture
def systemd(tmp_path):
    listener = Systemd(tmp_path)
    yield listener
    listener.close()


def test_node_on_a_real_film_speaks_and_says_goodbye(config, reader, systemd):
    """Birth, state, health, observations with pictures; SIGTERM ends it in order with exit 0."""
    node = subprocess.Popen(
        command(config(loop=True), "run"),
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"NOTIFY_SOCKET": systemd.address},
    )
    try:
        assert reader.wait_for(lambda r: r.heard["obs"] >= 20 and r.heard["media"] >= 3, 90)
        node.send_signal(signal.SIGTERM)
        assert 0 == node.wait(30)
    finally:
        node.kill()
    assert ["READY=1", {"WATCHDOG=1"}, "STOPPING=1"] == [
        systemd.words[0],
        set(systemd.words[1:-1]),
        systemd.words[-1],
    ]
    assert reader.wait_for(lambda r: r.heard["state"] >= 2, 10)
    tracks = {body["track_id"] for body in reader.bodies.values()}
    ended = {b["track_id"] for b in reader.bodies.values() if b["phase"] == "end"}
    # Stopped in order, every track got its last word before the goodbye.
    assert tracks == ended
    assert (1, True) == (reader.heard["birth"], reader.heard["health"] >= 1)
    assert "Human" in {body["object_class"] for body in reader.bodies.values()}
    # This camera was given no pose: its observations have no place and say why.
    assert {True} == {bool(body["no_position_reason"]) for body in reader.bodies.values()}


def test_doctor_passes_a_node_that_would_run(config):
    """Film, network, disk and broker are there; what is not given is a warning, not a failure."""
    done = subprocess.run(
        command(config(), "doctor", "--json"),
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        check=False,
        timeout=60,
    )
    found = {row["what"]: row["verdict"] for row in json.loads(done.stdout)}
    assert (0, "ok", "ok") == (done.returncode, found["camera cam-1"], found["mqtt"])
    assert "failed" not in found.values()
