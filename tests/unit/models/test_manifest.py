"""What we ship is what the manifest, the cards and the recipes say."""

import re

import pytest

from edge.detect import OBJECT_CLASSES
from models import recipe
from models.export import SIZE_MAX_BYTES
from models.registry import MANIFEST, Registry, verify

ENTRIES = Registry.load().entries
IDS = [entry.name for entry in ENTRIES]


@pytest.fixture(params=ENTRIES, ids=IDS)
def entry(request):
    """Each network of the manifest."""
    return request.param


def test_the_weights_are_whole(entry):
    """Checksum and size of the committed file are those of the manifest."""
    verify(entry)

    assert entry.size_bytes == entry.path.stat().st_size


def test_the_weights_are_small_enough_for_the_repository(entry):
    """A large file stays in every clone for ever."""
    assert entry.size_bytes <= SIZE_MAX_BYTES


def test_people_boats_vehicles_and_animals_are_reported(entry):
    """Whatever was trained last, no class of the task was lost."""
    assert {"Human", "Boat", "Vehicle", "Animal"} <= set(entry.object_classes)
    assert {word for word in entry.object_classes if word} <= set(OBJECT_CLASSES)


def test_the_card_states_every_figure_of_the_manifest(entry):
    """A figure that only a machine reads is no figure."""
    card = entry.card.read_text("utf-8")

    assert entry.performance
    for figure in entry.performance:
        assert f"{figure.value:.3f}" in card, figure


def test_the_card_says_of_every_class_whether_it_was_measured(entry):
    """'Carried over, unmeasured' is an honest answer; silence is not."""
    card = entry.card.read_text("utf-8")

    for word in ("Human", "Boat", "Vehicle", "Animal"):
        line = next(line for line in card.splitlines() if line.startswith(f"| {word} |"))
        assert re.search(r"\bmeasured|carried over, unmeasured", line), line


@pytest.mark.parametrize("heading", ["Data", "Figures", "Classes", "Limits", "Licence"])
def test_the_card_has_every_section(entry, heading):
    """Cards are read by people who look for one thing."""
    assert f"\n## {heading}" in entry.card.read_text("utf-8")


def test_the_recipe_makes_this_network(entry):
    """Name, spectrum, seed, versions, and a checksum for every file it starts from."""
    parsed = recipe.load(entry.recipe)

    assert entry.name == parsed.name
    assert entry.spectrum == parsed.spectrum
    assert {"python", "torch", "ultralytics", "opencv", "numpy"} <= set(parsed.versions)
    assert parsed.start.sha256 in entry.card.read_text("utf-8")


def test_the_card_names_every_file_that_was_learnt_from(entry):
    """Data and licences of all sources stand on the card."""
    card = entry.card.read_text("utf-8")

    for source in recipe.load(entry.recipe).source:
        assert source.licence in card
        if isinstance(source, recipe.SelfLabelled):
            for file in source.files:
                assert file.rpartition("/")[2] in card


def test_each_spectrum_has_a_default():
    """A camera whose config names no network gets one."""
    registry = Registry.load()

    assert "day" == registry.default("day").spectrum
    assert "thermal" == registry.default("thermal").spectrum


def test_nothing_lies_in_weights_that_the_manifest_does_not_name():
    """A file that nobody vouches for is not shipped."""
    lying = {path for path in MANIFEST.with_name("weights").iterdir() if path.is_file()}

    assert {entry.path for entry in ENTRIES} == lying
