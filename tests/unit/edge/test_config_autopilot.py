"""The link to the vehicles in the config, and what doctor says of it."""

import socket

import pytest

from edge.alone import alone
from edge.config import NodeConfig
from edge.devices import open_autopilot
from edge.doctor import examine
from runtime.clock import SystemClock
from runtime.errors import AskOperator
from runtime.settings import SettingsError, parse

NODE = """
[node]
site_id = "ha-tien"
node_id = "mast-1"
data_dir = "data"
[[camera]]
sensor_id = "cam-1"
source = "rtsp://10.0.0.11/stream1"
[autopilot]
"""


def config_of(tmp_path, lines):
    return parse((NODE + lines).encode(), NodeConfig, path=tmp_path / "edge.toml")


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ('source = "mavlink"', "either url or log_file"),
        ('source = "mavlink"\nurl = "udpin://0.0.0.0:14550"\nlog_file = "a.tlog"', "not both"),
        ('url = "udpin://0.0.0.0:14550"', "need source"),
        ('source = "mavlink"\nurl = "http://0.0.0.0:14550"', "udpin://"),
        ('source = "mavlink"\nurl = "tcp://10.0.0.1:5760"\nsystem_id = 255', "254"),
    ],
)
def test_mistakes_are_named(tmp_path, lines, word) -> None:
    """255 is refused, since its heartbeat holds off a failsafe."""
    with pytest.raises(SettingsError) as caught:
        config_of(tmp_path, lines)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    "lines",
    [
        'url = "tcp://:5760"',
        'url = "tcp://10.0.0.1"',
        'url = "udpin://10.0.0.1:99999"',
        'url = "serial:///dev/null"\nbaud = 12345',
        'log_file = "absent.tlog"',
    ],
)
def test_link_that_can_never_work_is_an_error_for_the_operator(tmp_path, lines) -> None:
    """At the start, by name, before anything runs."""
    with pytest.raises(AskOperator, match=r"autopilot\."):
        open_autopilot(config_of(tmp_path, f'source = "mavlink"\n{lines}'), SystemClock())


def test_no_autopilot_by_default(tmp_path) -> None:
    """And its library is not loaded then."""
    assert open_autopilot(config_of(tmp_path, ""), SystemClock()) is None


def test_doctor_says_why_no_vehicle_is_heard(tmp_path, monkeypatch) -> None:
    """A port where nobody listens: which, and what to do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr("edge.doctor._VEHICLE_S", 0.7)
    config = config_of(tmp_path, f'source = "mavlink"\nurl = "tcp://127.0.0.1:{port}"')
    found = examine(config, SystemClock(), pause=lambda _s: None)
    finding = next(one for one in found if one.what == "autopilot")
    assert ("failed", True) == (finding.verdict, "cannot be opened" in finding.detail)


def test_doctor_leaves_the_link_of_a_running_node_alone(tmp_path) -> None:
    """A second reader of a port would take its messages away."""
    config = config_of(tmp_path, 'source = "mavlink"\nurl = "udpin://127.0.0.1:9"')
    with alone(config.node.data_dir):
        found = examine(config, SystemClock(), pause=lambda _s: None)
        finding = next(one for one in found if one.what == "autopilot")
    assert ("warning", True) == (finding.verdict, "not probed" in finding.detail)
