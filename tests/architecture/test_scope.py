"""What this project refuses to be: no weapons, no identity, no trait of a person, no verdict."""

import re
from typing import Any, get_args

import pytest

from wire import reference
from wire.commands import VERBS
from wire.values import ObjectClass

PERSONAL = (
    "face", "gender", "sex", "ethnic", "race", "religion", "nationality", "years", "gait",
    "biometric", "identity", "fingerprint", "skin", "clothing", "emotion",
)  # fmt: skip
WEAPONS = ("weapon", "fire", "shoot", "strike", "engage", "arm", "payload", "drop", "attack")
VERDICTS = ("hostile", "enemy", "intruder", "terrorist", "criminal", "smuggler", "suspect")


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", text).lower()))


def _vocabulary(value: Any) -> set[str]:
    """Every field name and every allowed value that can travel."""
    if isinstance(value, dict):
        own = {word for key in value.get("properties", {}) for word in _words(key)}
        for choice in [*value.get("enum", ()), value.get("const", "")]:
            own |= _words(str(choice))
        return own.union(*(_vocabulary(inner) for inner in value.values()), set())
    if isinstance(value, list):
        return set().union(*(_vocabulary(inner) for inner in value))
    return set()


@pytest.mark.parametrize("word", [*PERSONAL, *WEAPONS, *VERDICTS])
def test_the_contract_cannot_say(word: str) -> None:
    """No field and no value on the wire is about who somebody is, a weapon, or a verdict."""
    vocabulary = _vocabulary(reference.json_schema())
    assert {"human", "confidence", "track"} <= vocabulary
    assert word not in vocabulary


def test_classes_are_what_things_are_not_who_people_are() -> None:
    """Five classes, SAPIENT's words."""
    assert ("Human", "Boat", "Vehicle", "Animal", "Unknown") == get_args(ObjectClass)


def test_verbs_only_look_and_fly() -> None:
    """No order does more than move a camera or a drone, or ask for a picture."""
    allowed = {"mission", "load", "launch", "pause", "resume", "skip", "recall", "land", "look",
               "at", "still", "clip", "ptz", "preset"}  # fmt: skip
    assert set() == {word for verb in VERBS for word in _words(verb)} - allowed


@pytest.mark.parametrize("word", VERDICTS)
def test_no_module_names_a_person_with_a_verdict(word: str, modules, root) -> None:
    """Before confirmation it is a person; only a person sets a disposition."""
    pages = [*(root / "ground_station" / "web" / "src").rglob("*.ts*")]
    texts = {m.place: m.text for m in modules} | {str(p): p.read_text("utf-8") for p in pages}
    assert [] == [
        place for place, text in texts.items() if re.search(rf"\b{word}s?\b", text, re.IGNORECASE)
    ]
