"""How much memory a node takes beside its network."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.edge.broker_kit import Mosquitto, Reader

ROOT = Path(__file__).resolve().parents[2]
LIMIT_MB = 250.0


@pytest.mark.bench
@pytest.mark.broker
@pytest.mark.data
def test_lean_node_stays_under_250_mb(tmp_path, data_dir, capsys):
    """Camera, tracks, places, pictures, outbox and uplink together, without the network."""
    server = Mosquitto(tmp_path)
    station = Reader(server.port)
    config = tmp_path / "edge.toml"
    config.write_text(
        "[node]\nsite_id = 'ha-tien'\nnode_id = 'mast-1'\ndata_dir = 'data'\n"
        f"[[camera]]\nsensor_id = 'cam-1'\nsource = '{data_dir / 'films' / 'vtest.avi'}'\n"
        "film_rate_hz = 7.0\nloop = true\n"
        "[camera.lens]\nwidth_px = 768\nheight_px = 576\nhfov_deg = 40.0\n"
        "[camera.mount]\nlon_deg = 104.44\nlat_deg = 10.42\nalt_hae_m = 0.0\n"
        "azimuth_deg = 0.0\npitch_deg = -20.0\n[camera.ground]\nalt_hae_m = -10.0\n"
        f"[mqtt]\nport = {server.port}\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests/bench/lean_node.py"), str(config), "15"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            timeout=120,
        )
    finally:
        station.close()
        server.kill()
    figures = json.loads(done.stdout)
    with capsys.disabled():
        print(
            f"\nlean node on {platform.machine()}, {os.cpu_count()} cores: peak"
            f" {figures['peak_mb']} MB after {figures['frames']} frames and"
            f" {figures['sent']} messages (limit {LIMIT_MB:g} MB)"
        )
    assert (False, []) == (figures["failed"], figures["network_modules"])
    assert figures["frames"] > 20
    assert figures["receipted"] > 20
    assert figures["peak_mb"] < LIMIT_MB
