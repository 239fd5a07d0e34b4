"""The table of topics is the one that was designed, whole."""

import pytest

from wire import topics
from wire.commands import VERBS
from wire.topics import TABLE

DESIGNED = [
    ("bw/v1/{site}/{node}/birth", "up", 1, True, "Birth"),
    ("bw/v1/{site}/{node}/state", "up", 1, True, "State"),
    ("bw/v1/{site}/{node}/health", "up", 0, False, "Health"),
    ("bw/v1/{site}/{node}/obs/{sensor}", "up", 1, False, "Observation"),
    ("bw/v1/{site}/{node}/media/{sensor}", "up", 1, False, "Media"),
    ("bw/v1/{site}/{node}/clip/{hash}", "up", 1, False, "ClipChunk"),
    ("bw/v1/{site}/{node}/vehicle", "up", 0, False, "VehicleReport"),
    ("bw/v1/{site}/{node}/mission", "up", 1, True, "MissionStatus"),
    ("bw/v1/{site}/{node}/cmd", "down", 1, False, "SignedDocument"),
    ("bw/v1/{site}/{node}/ack", "up", 1, False, "CommandAck"),
    ("bw/v1/{site}/{node}/receipt", "down", 0, False, "Receipt"),
    ("bw/v1/{site}/{node}/zones", "down", 1, True, "SignedDocument"),
    ("bw/v1/{site}/_friend/{friend}", "in", 0, False, "FriendReport"),
    ("bw/v1/{site}/_station/alert/{alert}", "out", 1, True, "StationAlert"),
]


def test_table_is_the_designed_one() -> None:
    """Every topic with its direction, quality, retention and body; none more, none less."""
    assert DESIGNED == [
        (f"{topics.ROOT}/{s.template}", s.direction, s.qos, s.retained, s.body.__name__)
        for s in TABLE
    ]


def test_verbs_are_the_designed_ones() -> None:
    """Eleven orders, none of them more than looking and flying."""
    assert [
        "mission_load",
        "mission_launch",
        "pause",
        "resume",
        "skip",
        "recall",
        "land",
        "look_at",
        "still",
        "clip",
        "ptz_preset",
    ] == list(VERBS)


def test_names_of_rows_are_unique() -> None:
    """A row is found by its name."""
    assert len(TABLE) == len(topics.BY_NAME)


@pytest.mark.parametrize(("left", "right"), [(a, b) for a in DESIGNED for b in DESIGNED if a < b])
def test_no_two_rows_share_a_topic(left: tuple, right: tuple) -> None:
    """Filled in, a template is parsed as itself and never as another row."""
    sample = {
        "site": "ha-tien",
        "node": "mast-1",
        "sensor": "north",
        "hash": "0" * 64,
        "friend": "patrol-3",
        "alert": "01K3G0MDEN0000000000000001",
    }
    assert left[0].format(**sample) != right[0].format(**sample)
    for row in (left, right):
        found = topics.parse(row[0].format(**sample))
        assert row[0] == f"{topics.ROOT}/{found.spec.template}"


def test_commands_are_never_retained() -> None:
    """An order given once is never given again by a broker."""
    assert [False] == [spec.retained for spec in TABLE if spec.name == "cmd"]


def test_no_source_spells_a_topic_of_its_own(modules) -> None:
    """Topics are spelled in the table alone."""
    assert ["wire/topics.py"] == [
        module.place for module in modules if '"bw/v1' in module.text or "'bw/v1" in module.text
    ]
