"""`border-edge` as a person types it: data on stdout, talk on stderr, exit codes that mean something."""

import fcntl
import json
import logging
from contextlib import nullcontext
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from edge.alone import alone
from edge.cli import app
from edge.config import NodeConfig
from edge.doctor import examine
from edge.outbox import Outbox
from runtime.clock import ManualClock
from runtime.settings import load, parse
from tests.unit.edge.parts import START_UTC
from tests.unit.edge.test_outbox import item

DONE, WRONG, LATER = 0, 2, 3


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def type_(*words: str):
        return CliRunner().invoke(app, list(words))

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield type_
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_init_writes_a_config_that_check_config_accepts(run, tmp_path):
    """From nothing to a valid file in one command, in words a technician can read."""
    assert DONE == run("init").exit_code
    assert DONE == run("check-config", "-c", "edge.toml").exit_code
    text = (tmp_path / "edge.toml").read_text(encoding="utf-8")
    assert "# Azimuth" in text or "# Direction of the axis" in text


@pytest.mark.parametrize("board", ["jetson", "raspberry-pi"])
def test_init_starts_from_a_board(run, tmp_path, board):
    """A board's example is written as it stands."""
    assert DONE == run("init", "my.toml", "--board", board).exit_code
    assert load(tmp_path / "my.toml", NodeConfig).model.mqtt.tls


def test_init_replaces_nothing_unasked(run, tmp_path):
    """A config that is there was somebody's work."""
    (tmp_path / "edge.toml").write_text("mine")
    refused = run("init")
    assert (WRONG, "mine") == (refused.exit_code, (tmp_path / "edge.toml").read_text())
    assert "--force" in refused.stderr
    assert WRONG == run("init", "x.toml", "--board", "toaster").exit_code
    assert DONE == run("init", "--force").exit_code


def test_check_config_names_every_mistake_at_once(run, tmp_path):
    """File, key, value, what is allowed; exit 2; the same as JSON."""
    (tmp_path / "edge.toml").write_text(
        "[node]\nsite_id = 'Ha Tien'\nnode_id = 'mast-1'\n"
        "[[camera]]\nsensor_id = 'cam-1'\nsorce = 'x'\n[mqtt]\nport = 0\n"
    )
    told = run("check-config", "-c", "edge.toml")
    assert (WRONG, "") == (told.exit_code, told.stdout)
    for word in ("node.site_id", "camera[0].sorce", "Did you mean source?", "mqtt.port"):
        assert word in told.stderr
    data = json.loads(run("check-config", "-c", "edge.toml", "--json").stdout)
    keys = {problem["key"] for problem in data["problems"]}
    assert {"node.site_id", "camera[0].sorce", "camera[0].source", "mqtt.port"} == keys


def test_missing_config_says_what_to_do(run):
    """No traceback, exit 2."""
    told = run("show-config", "-c", "nowhere.toml")
    assert WRONG == told.exit_code
    assert "`init`" in told.stderr


def test_show_config_hides_passwords_and_shows_defaults(run, tmp_path):
    """What is in force can be sent to a colleague."""
    (tmp_path / "edge.toml").write_text(
        "[node]\nsite_id = 'ha-tien'\nnode_id = 'mast-1'\n"
        "[[camera]]\nsensor_id = 'cam-1'\nsource = 'rtsp://lan:hunter2@10.0.0.1/a'\n"
    )
    shown = run("show-config", "-c", "edge.toml")
    assert DONE == shown.exit_code
    assert "hunter2" not in shown.stdout
    assert "max_rate_hz = 2.0" in shown.stdout
    data = json.loads(run("show-config", "-c", "edge.toml", "--json").stdout)
    assert "rtsp://********@10.0.0.1/a" == data["config"]["camera"][0]["source"]
    assert load(tmp_path / "edge.toml", NodeConfig).sha256 == data["sha256"]


def test_outbox_shows_what_waits(run, tmp_path):
    """How much, since when, and what became of the rest; nothing is changed by looking."""
    run("init")
    config = (tmp_path / "edge.toml").read_text().splitlines()
    config = [line for line in config if "data_dir" not in line and "station_key_file" not in line]
    config.insert(config.index("[node]") + 1, "data_dir = 'data'")
    (tmp_path / "edge.toml").write_text("\n".join(config))
    assert WRONG == run("outbox", "-c", "edge.toml").exit_code
    box = Outbox(
        Path("data"),
        clock=ManualClock(START_UTC),
        boot_id="b",
        max_bytes=1_000_000,
        reserve_bytes=64_000,
    )
    box.put(item(key=True), item(track="a"))
    told = json.loads(run("outbox", "-c", "edge.toml", "--json").stdout)
    assert [("obs (key)", 1, 1), ("obs", 1, 1)] == [
        (row["kind"], row["messages"], row["unsent"]) for row in told["waiting"]
    ]
    assert "2026-03-01T02:40:00.000Z" == told["oldest_utc"]
    assert "obs (key)" in run("outbox", "-c", "edge.toml").stdout
    assert 2 == box.depth
    box.close()


def test_doctor_names_what_fails(tmp_path):
    """A film that does not exist, a broker that is not there: one finding each, none hidden."""
    clock = ManualClock(START_UTC)
    config = parse(
        (
            b"[node]\nsite_id = 'ha-tien'\nnode_id = 'mast-1'\ndata_dir = 'data'\n"
            b"[[camera]]\nsensor_id = 'cam-1'\nsource = 'no-such-film.avi'\n"
            b"[outbox]\nmax_bytes = 1000000\nreserve_bytes = 1048576\n[mqtt]\nport = 1\n"
        ),
        NodeConfig,
        path=tmp_path / "edge.toml",
    )
    found = list(examine(config, clock, pause=clock.advance))
    assert {
        "clock": "ok",
        "node.data_dir": "ok",
        "node.station_key_file": "warning",
        "detector.day": "ok",
        "camera cam-1": "failed",
        "pose cam-1": "warning",
        "mqtt": "failed",
    } == {finding.what: finding.verdict for finding in found}
    assert all(finding.detail for finding in found)


def test_run_with_a_camera_that_can_never_work_is_wrong_input(run, tmp_path):
    """Exit 2, so that systemd does not start it again and again."""
    (tmp_path / "edge.toml").write_text(
        "[node]\nsite_id = 'ha-tien'\nnode_id = 'mast-1'\ndata_dir = 'data'\n"
        "[[camera]]\nsensor_id = 'cam-1'\nsource = 'no-such-film.avi'\n"
    )
    told = run("run", "-c", "edge.toml")
    assert WRONG == told.exit_code
    assert "no-such-film.avi" in told.stderr


def test_second_node_on_the_same_folder_is_told_to_wait(run, tmp_path):
    """Two processes on one outbox would number against each other: exit 3."""
    (tmp_path / "edge.toml").write_text(
        "[node]\nsite_id = 'ha-tien'\nnode_id = 'mast-1'\ndata_dir = 'data'\n"
        "[[camera]]\nsensor_id = 'cam-1'\nsource = 'no-such-film.avi'\n"
    )
    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / "lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = run("run", "-c", "edge.toml")
    assert LATER == told.exit_code
    assert "another border-edge runs" in told.stderr


def test_doctor_leaves_a_running_node_its_connection(tmp_path):
    """While a node holds the folder, nothing is sent to the broker under its name."""
    config = parse(
        b"[node]\nsite_id = 'ha-tien'\nnode_id = 'mast-1'\ndata_dir = 'data'\n"
        b"[[camera]]\nsensor_id = 'cam-1'\nsource = 'no-such-film.avi'\n[mqtt]\nport = 1\n",
        NodeConfig,
        path=tmp_path / "edge.toml",
    )
    verdicts = []
    for holder in (alone(config.node.data_dir), nullcontext()):
        with holder:
            clock = ManualClock(START_UTC)
            *_, mqtt = examine(config, clock, pause=clock.advance)
        verdicts.append((mqtt.what, mqtt.verdict, "a node runs here" in mqtt.detail))
    assert [("mqtt", "warning", True), ("mqtt", "failed", False)] == verdicts
