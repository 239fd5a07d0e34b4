"""``border-models``: figures to stdout, faults in one sentence with exit code 2."""

import json
import sys

import pytest
from typer.testing import CliRunner

from models import cli
from models.registry import Registry

RUNNER = CliRunner()


def test_list_shows_every_network_as_json():
    """Names, checksums and figures for a machine to read."""
    result = RUNNER.invoke(cli.app, ["list", "--json"])

    assert 0 == result.exit_code
    rows = json.loads(result.stdout)
    assert [entry.name for entry in Registry.load().entries] == [row["name"] for row in rows]
    assert all(row["whole"] for row in rows)


def test_list_fails_on_a_damaged_network(tmp_path):
    """A damaged file is found before a night begins."""
    entry = Registry.load().get("day")
    manifest = tmp_path / "manifest.toml"
    text = (entry.path.parents[1] / "manifest.toml").read_text("utf-8")
    manifest.write_text(text, "utf-8")
    for network in Registry.load().entries:
        weights = tmp_path / "weights" / network.path.name
        weights.parent.mkdir(exist_ok=True)
        weights.write_bytes(b"damaged")

    result = RUNNER.invoke(cli.app, ["list", "--manifest", str(manifest)])

    assert 1 == result.exit_code
    assert "DAMAGED" in result.stdout


def test_bench_prints_times_of_this_machine():
    """Bare and whole, with the input size that the picture was given."""
    result = RUNNER.invoke(
        cli.app, ["bench", "day", "--frame", "320x180", "--rounds", "3", "--json"]
    )

    assert 0 == result.exit_code
    speed = json.loads(result.stdout)
    assert [640, 384] == speed["input_size_px"]
    assert speed["frames_per_s"] > 0


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "no-such-network"],
        ["bench", "--frame", "wide"],
        ["export", "none.pt"],
        ["train", "none.toml"],
        ["fetch", "none.onnx"],
    ],
)
def test_wrong_input_ends_with_code_2_and_one_sentence(monkeypatch, capsys, words):
    """No traceback, and the word 'allowed' in it."""
    monkeypatch.setattr(sys, "argv", ["border-models", *words])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert 2 == ended.value.code
    assert "allowed" in capsys.readouterr().err
