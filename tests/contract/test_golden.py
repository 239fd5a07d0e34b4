"""What once travelled is read for ever."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from wire import codec
from wire.commands import VERBS
from wire.signing import VerifyKey
from wire.topics import BY_NAME, TABLE

GOLDEN = Path(__file__).resolve().parent.parent.parent / "wire" / "golden"
FILES = sorted(GOLDEN.glob("*/*.json"))


def _spec(path: Path):
    return BY_NAME[path.name.split(".")[0]]


def _is_part_of(old: Any, new: Any) -> bool:
    """Everything in `old` stands in `new` with the same value; `new` may have grown."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(
            key in new and _is_part_of(value, new[key]) for key, value in old.items()
        )
    if isinstance(old, list):
        return (
            isinstance(new, list)
            and len(old) == len(new)
            and all(_is_part_of(a, b) for a, b in zip(old, new, strict=True))
        )
    return bool(old == new) and type(old) is type(new)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_sample_decodes_and_encodes_to_the_same_content(path: Path) -> None:
    """A sample is read without unknown fields, and written again with every value in place."""
    decoded = codec.decode(path.read_bytes(), spec=_spec(path))
    again = codec.encode(decoded.message, spec=_spec(path))
    assert decoded.unknown_fields == ()
    assert _is_part_of(json.loads(path.read_bytes()), json.loads(again))


@pytest.mark.parametrize("folder", sorted(GOLDEN.iterdir()), ids=lambda folder: folder.name)
def test_golden_folder_is_whole_and_unchanged(folder: Path) -> None:
    """Samples are added, never edited: each file has the digest written when it was made."""
    listed = dict(
        reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines()
    )
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert listed == found


def test_every_topic_and_every_verb_has_a_sample(samples: dict[str, bytes]) -> None:
    """No message of the newest version goes without a sample."""
    wanted = {spec.name for spec in TABLE if spec.name != "cmd"} | {f"cmd.{verb}" for verb in VERBS}
    assert wanted - set(samples) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_signed_command_sample_verifies_and_decodes(verb: str) -> None:
    """A command signed in the past still verifies by its station's key and is understood whole."""
    for folder in GOLDEN.iterdir():
        key = VerifyKey.from_pem((folder / "station.pub").read_bytes())
        payload = (folder / f"cmd.{verb}.json").read_bytes()
        document = codec.decode(payload, spec=BY_NAME["cmd"]).message.body
        command = codec.decode_command(key.verify(document))
        assert verb == command.body.verb


def test_signed_zones_sample_verifies_and_decodes() -> None:
    """Zones signed in the past still verify and keep their version."""
    for folder in GOLDEN.iterdir():
        key = VerifyKey.from_pem((folder / "station.pub").read_bytes())
        payload = (folder / "zones.json").read_bytes()
        document = codec.decode(payload, spec=BY_NAME["zones"]).message.body
        zones = codec.decode_zones(key.verify(document))
        assert (4, "FeatureCollection") == (zones.version, zones.features["type"])
