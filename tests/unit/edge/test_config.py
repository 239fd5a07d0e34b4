"""The node's config: every mistake at once, in the words of the file."""

from pathlib import Path

import pytest

from edge.config import NodeConfig
from runtime.settings import SettingsError, commented_template, parse, render_masked

HERE = Path("/etc/border-watch/edge.toml")
MINIMAL = """
[node]
site_id = "ha-tien"
node_id = "mast-1"
[[camera]]
sensor_id = "cam-1"
source = "rtsp://guard:hunter2@10.0.0.11/stream1"
"""


def problems(text: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        parse(text.encode(), NodeConfig, path=HERE)
    return {problem.key: f"{problem.value} {problem.allowed}" for problem in caught.value.problems}


def test_minimal_config_is_enough():
    """Three ids and a source are all a node must be told; missions stay forbidden."""
    config = parse(MINIMAL.encode(), NodeConfig, path=HERE)
    assert ("mast-1", False, 2.0) == (
        config.node.node_id,
        config.missions.allowed,
        config.observe.max_rate_hz,
    )
    assert "hunter2" not in render_masked(config)


def test_template_is_a_valid_config():
    """What `border-edge init` writes passes `border-edge check-config` as it stands."""
    parse(commented_template(NodeConfig).encode(), NodeConfig, path=HERE)


@pytest.mark.parametrize(
    ("change", "key", "word"),
    [
        # An id that would be another topic level.
        (("mast-1", "mast/1"), "node.node_id", "pattern"),
        # The station's own id.
        (("mast-1", "station"), "node.node_id", "station's own"),
        # A key that does not exist, with the near one named by the next step.
        (('source = "rtsp', 'sorce = "rtsp'), "camera[0].sorce", "source"),
        # Two cameras of one name.
        (
            ("[[camera]]", '[[camera]]\nsensor_id = "cam-1"\nsource = "0"\n[[camera]]'),
            "(file)",
            "stands at two cameras",
        ),
        # A lens told twice, or not at all.
        (
            ("[[camera]]", "[mqtt]\ncert_file = 'a'\n[[camera]]"),
            "mqtt",
            "need tls = true",
        ),
        # More often than the station is promised.
        (("[[camera]]", "[observe]\nmax_rate_hz = 5\n[[camera]]"), "observe.max_rate_hz", "2"),
    ],
)
def test_wrong_config_names_key_and_what_is_allowed(change, key, word):
    """Each mistake is reported at its key, and says what would do."""
    found = problems(MINIMAL.replace(*change))
    assert key in found
    assert word in found[key]


def test_lens_is_told_in_exactly_one_way():
    """A field of view, or a calibration; both or half of one is a mistake."""
    lens = MINIMAL + "[camera.lens]\nwidth_px = 1280\nheight_px = 720\n"
    assert "give either" in problems(lens)["camera[0].lens"]
    assert "one is missing" in problems(lens + "fx_px = 900.0\n")["camera[0].lens"]
    good = parse((lens + "hfov_deg = 40.0\n").encode(), NodeConfig, path=HERE)
    assert good.camera[0].lens is not None
    assert pytest.approx(40.0, abs=0.1) == good.camera[0].lens.lens().hfov_deg


def test_all_mistakes_come_at_once():
    """A technician at a mast corrects the file once, not five times."""
    text = MINIMAL.replace("mast-1", "Mast 1") + "[mqtt]\nport = 70000\n[log]\nlevel = 'LOUD'\n"
    assert {"node.node_id", "mqtt.port", "log.level"} == set(problems(text))
