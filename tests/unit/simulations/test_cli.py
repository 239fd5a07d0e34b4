"""``border-sim`` speaks plainly: help everywhere, data on stdout, errors with a next step."""

import json
import sys

import pytest
from typer.testing import CliRunner

from simulations.cli import app, main
from simulations.headless import rescore
from simulations.identity import scenario_sha256
from simulations.played import Played
from simulations.scenario import load_scenario


@pytest.mark.parametrize("command", ["run", "serve", "film", "record", "events", "score"])
def test_every_command_has_help(command):
    """Each verb explains itself."""
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert len(done.stdout) > 200


def test_events_are_json_on_stdout():
    """The list of true crossings can be read by a program."""
    done = CliRunner().invoke(app, ["events", "demo", "--duration-s", "60", "--json"])
    (event,) = json.loads(done.stdout)
    assert event["figure_id"] == "walker/0/0"
    assert event["direction"] == "in"


def test_film_writes_what_it_says(tmp_path):
    """One film and one truth file per camera, one list of events."""
    done = CliRunner().invoke(app, ["film", "demo", "--out", str(tmp_path), "--duration-s", "0.5"])
    assert done.exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "cam-day.gt.txt", "cam-day.mp4", "cam-thermal.gt.txt", "cam-thermal.mp4", "events.json",
        "uav-1.gt.txt", "uav-1.mp4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words", [["events", "nowhere"], ["film", "demo", "--format", "gif", "--out", "x"]]
)
def test_wrong_input_is_one_sentence_and_code_2(words, monkeypatch, capsys, tmp_path):
    """A misspelled name is told with what exists, without a traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["border-sim", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "allowed is" in told
    assert "Traceback" not in told


def test_the_suite_says_what_it_holds():
    """Every scenario with its true events by seed, for a program."""
    done = CliRunner().invoke(app, ["run", "--suite", "--list", "--json"])
    rows = json.loads(done.stdout)
    assert len(rows) >= 24
    assert 2 * sum(row["purpose"] == "quiet" for row in rows) >= len(rows)
    for row in rows:
        counts = set(row["events_truth"].values())
        assert row["seeds"]["dev"] and row["seeds"]["accept"]
        assert (counts == {0}) == (row["purpose"] == "quiet"), row["name"]
    assert "demo" not in {row["name"] for row in rows}


def test_a_record_is_scored_in_the_world_it_was_played_in(tmp_path, monkeypatch, capsys):
    """After a change of the scenario its truth is another one; the record says so by its hash."""
    scenario = load_scenario("runner-day").model
    record = Played(
        scenario=scenario.name, scenario_sha256=scenario_sha256(scenario), seed=1,
        detections="film", real=False, duration_s=1.0, camera_s={},
    )  # fmt: skip
    assert 1 == rescore(_saved(record, tmp_path), None)[1].seed
    other = record.model_copy(update={"scenario_sha256": "0" * 64})
    monkeypatch.setattr(sys, "argv", ["border-sim", "score", str(_saved(other, tmp_path))])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "runner-day as it is now" in capsys.readouterr().err


def _saved(record, folder):
    record.save(folder / "record.json.gz")
    return folder / "record.json.gz"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["run", "demo", "--headless", "--detections", "guessed"], "--detections"),
        (["run", "--suite", "--seeds", "all"], "--seeds"),
        (["run", "--suite", "--only", "nowhere"], "--only"),
        (["run", "demo", "--headless", "--seed", "-1"], "--seed"),
        (["run", "demo", "--real", "--detections", "modelled"], "--detections"),
        (["run", "--suite", "--real"], "--real"),
        (["score", "no-such-file"], "FILE"),
    ],
)
def test_a_run_that_cannot_be_is_told_which_word_is_wrong(
    words, field, monkeypatch, capsys, tmp_path
):
    """Before anything is drawn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["border-sim", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert field in capsys.readouterr().err
