"""Topics are formatted, filtered and parsed by the one table."""

import pytest

from wire import topics
from wire.topics import BY_NAME, UnknownTopic


def test_topic_of_a_row() -> None:
    """A row with its values is the topic."""
    assert "bw/v1/ha-tien/mast-1/obs/north" == topics.topic(
        "obs", site="ha-tien", node="mast-1", sensor="north"
    )


@pytest.mark.parametrize(
    "values",
    [
        {"site": "ha-tien"},  # one is missing
        {"site": "ha-tien", "node": "mast-1", "sensor": "north"},  # one too many
        {"site": "ha-tien", "node": "+"},  # a wild card
        {"site": "ha-tien", "node": "mast-1/obs"},  # another level
        {"site": "ha-tien", "node": "_station"},  # reserved
        {"site": "ha-tien", "node": "mast-1\n"},
        {"site": "", "node": "mast-1"},
    ],
)
def test_values_that_do_not_fit_are_refused(values: dict[str, str]) -> None:
    """No value widens a topic."""
    with pytest.raises(UnknownTopic):
        topics.topic("state", **values)


def test_filters_of_a_station_take_in_every_report_of_its_site_alone() -> None:
    """A station hears all that goes up in its site, and what friends say."""
    filters = dict(topics.station_filters("ha-tien"))
    assert {
        "bw/v1/ha-tien/+/birth": 1,
        "bw/v1/ha-tien/+/state": 1,
        "bw/v1/ha-tien/+/health": 0,
        "bw/v1/ha-tien/+/obs/+": 1,
        "bw/v1/ha-tien/+/media/+": 1,
        "bw/v1/ha-tien/+/clip/+": 1,
        "bw/v1/ha-tien/+/vehicle": 0,
        "bw/v1/ha-tien/+/mission": 1,
        "bw/v1/ha-tien/+/ack": 1,
        "bw/v1/ha-tien/_friend/+": 0,
    } == filters


def test_filters_of_a_node_are_its_own_down_topics() -> None:
    """A node hears its own commands, receipts and zones, and nobody else's."""
    assert {
        ("bw/v1/ha-tien/mast-1/cmd", 1),
        ("bw/v1/ha-tien/mast-1/receipt", 0),
        ("bw/v1/ha-tien/mast-1/zones", 1),
    } == set(topics.node_filters("ha-tien", "mast-1"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bw/v1",
        "bw/v2/ha-tien/mast-1/state",
        "bw/v1/ha-tien/mast-1/state/",
        "bw/v1/ha-tien/mast-1/obs",
        "bw/v1/ha-tien/mast-1/obs/north/south",
        "bw/v1/ha-tien/mast-1/clip/short",
        "bw/v1/Ha-Tien/mast-1/state",
        "$SYS/broker/uptime",
        "bw/v1/ha-tien/mast-1/state\n",
    ],
)
def test_text_outside_the_table_is_unknown(text: str) -> None:
    """What is not in the table is nobody's topic."""
    with pytest.raises(UnknownTopic):
        topics.parse(text)


def test_parsed_topic_names_its_row_and_values() -> None:
    """The row and the values of the braces come back."""
    found = topics.parse("bw/v1/ha-tien/_friend/patrol-3")
    assert ("friend", {"site": "ha-tien", "friend": "patrol-3"}) == (found.spec.name, found.values)


def test_kept_messages_are_those_that_must_arrive() -> None:
    """Observations, pictures, clips and acks wait on disk; the rest is said again anyway."""
    assert {"obs", "media", "clip", "ack"} == {s.name for s in BY_NAME.values() if s.outbox}
