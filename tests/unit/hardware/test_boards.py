"""The boards' examples are whole configs, and the unit starts what is installed."""

from pathlib import Path

import pytest

import hardware
from edge.config import NodeConfig
from runtime.settings import load

FOLDER = Path(hardware.__file__).parent
BOARDS = sorted((FOLDER / "boards").glob("*.toml"))


def test_there_is_an_example_for_each_board():
    """A Jetson and a Raspberry Pi are what the posts have."""
    assert ["jetson", "raspberry-pi"] == [file.stem for file in BOARDS]


@pytest.mark.parametrize("file", BOARDS, ids=lambda file: file.stem)
def test_board_example_is_a_valid_whole_config(file: Path):
    """It passes check-config as it stands, secures the link, and every camera gives positions."""
    config = load(file, NodeConfig).model
    assert (True, 8883) == (config.mqtt.tls, config.mqtt.port)
    assert all(camera.mount is not None for camera in config.camera)
    assert config.node.station_key_file is not None
    assert not config.node.simulated


def test_systemd_unit_starts_the_command_and_listens_to_its_watchdog():
    """The unit's lines belong together with what `border-edge run` does."""
    unit = (FOLDER / "systemd" / "border-edge.service").read_text(encoding="utf-8")
    for line in (
        "Type=notify",
        "WatchdogSec=30",
        "RestartPreventExitStatus=2",
        "ExecStart=/usr/local/bin/border-edge run --config /etc/border-watch/edge.toml",
    ):
        assert line in unit.splitlines()
