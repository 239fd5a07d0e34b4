"""The shipped scenarios: enough of them, half of them quiet, each true to what it says of itself."""

import pytest

from simulations.scenario import FOLDER, NEEDS, names, suite
from simulations.world import World

SUITE = suite()
USERS_SCENARIOS = (
    "group-night-309",
    "flood-boats-one-turns",
    "quiet-farmer-buffalo",
    "drone-patrol-night",
    "link-cut",
    "quiet-tourists-314",
    "gps-jump",
)
"""The seven that the users themselves described."""


def ids(loaded):
    return loaded.model.name


def test_half_of_at_least_twenty_four_scenarios_have_no_crossing_at_all():
    """Quiet nights are what guards have."""
    quiet = [one for one in SUITE if one.model.purpose == "quiet"]
    assert len(SUITE) >= 24
    assert 2 * len(quiet) >= len(SUITE)


def test_the_scenarios_of_the_users_are_there():
    """By name."""
    assert set(USERS_SCENARIOS) <= set(names())


@pytest.mark.parametrize("loaded", SUITE, ids=ids)
def test_a_scenario_has_the_events_that_its_purpose_says(loaded):
    """Quiet ones none and crossing ones some, with every seed, and early enough to be told."""
    scenario = loaded.model
    for seed in (scenario.seed, *scenario.seeds.dev, *scenario.seeds.accept):
        events = World(scenario.seeded(seed)).events(0.0, scenario.duration_s)
        assert (scenario.purpose == "quiet") == (events == ())
        assert all(event.t_last_s + 12.0 < scenario.duration_s for event in events)


@pytest.mark.parametrize("loaded", SUITE, ids=ids)
def test_a_scenario_is_named_like_its_file_and_told_in_both_languages(loaded):
    """Whoever reads the report finds the file."""
    scenario = loaded.model
    assert FOLDER / f"{scenario.name}.toml" == loaded.path
    assert scenario.title
    assert scenario.title_vi
    assert scenario.story


def test_every_need_has_a_scenario_that_waits_for_it():
    """A need that no scenario has any more is taken out of the list too."""
    assert set(NEEDS) == {need for loaded in SUITE for need in loaded.model.needs}


def test_places_lights_and_faults_are_spread():
    """Fields, canals, flood, hills, posts and gates; day, dusk and night; links, receivers, cameras."""
    tags = [loaded.model.tags for loaded in SUITE]
    assert {"sea", "field", "canal", "flood", "hills", "post", "gate"} <= {
        tag.place for tag in tags
    }
    assert {"day", "dusk", "night"} == {tag.light for tag in tags}
    assert {"none", "link", "gps", "camera", "weather"} == {tag.fault for tag in tags}
    kinds = {actor.kind for loaded in SUITE for actor in loaded.model.actor}
    assert {"walker", "runner", "creeping", "crawling", "carrier", "farmer", "tourist", "patrol",
            "swimmer", "cyclist", "motorbike", "sampan", "motorboat", "buffalo", "cow", "dog", "birds"} <= kinds  # fmt: skip
