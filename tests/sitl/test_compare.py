"""Two vehicles, one script: what they say must be the same, and a difference must show."""

import pytest

from tests.sitl.client import Client
from tests.sitl.exchange import differences, record

SPEEDUP = 4
"""Answers come sooner; the eight seconds of an upload are still two of the wall."""


def said_by(vehicle):
    with Client(vehicle.port) as client:
        client.heartbeat(wall_s=40.0)
        client.listen(1.0)
        return record(client)


@pytest.fixture(scope="module")
def ours(start):
    """The record of our vehicle."""
    return said_by(start("ours", speedup=SPEEDUP))


def test_our_vehicle_says_the_same_twice(start, ours) -> None:
    """Another process, the same answers."""
    assert [] == differences(ours, said_by(start("ours", speedup=SPEEDUP)))


def test_comparison_finds_the_two_firmwares_apart(start, ours) -> None:
    """Exactly where the two were seen to differ: reading beyond the end, and regions of interest as items."""
    old = said_by(start("ours", speedup=SPEEDUP, firmware="4.6"))
    # A stump is read beyond its end, and the refused region of interest leaves one.
    assert {"beyond the end", "roi item", "stump", "pitch yaw without rates"} == {
        found.partition(":")[0] for found in differences(ours, old)
    }


@pytest.mark.sitl
def test_our_vehicle_says_what_ardupilot_says(start, ours, tmp_path) -> None:
    """Message by message, acknowledgement by acknowledgement, text by text."""
    theirs = said_by(start("ardupilot", speedup=SPEEDUP))
    (tmp_path / "ours.txt").write_text("\n".join(ours))
    (tmp_path / "ardupilot.txt").write_text("\n".join(theirs))
    found = differences(ours, theirs, ("ours", "ardupilot"))
    assert [] == found, f"records are in {tmp_path}"
