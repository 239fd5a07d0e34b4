"""Fences and rally points on the wire, on the ground."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import download, upload
from tests.sitl.vehicles import HOME

SPEEDUP = 1
LAT, LON = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
CORNERS = [(-9000, -9000), (-9000, 9000), (9000, 9000), (9000, -9000)]


def ring(size=4, said=None, shift=0, command=5001, **more):
    return [
        {
            "command": command,
            "p": (said or size, 0, 0, 0),
            "x": LAT + shift + a,
            "y": LON + shift + b,
            **more,
        }
        for a, b in CORNERS[:size]
    ]


def test_fence_reads_back_flat(cable) -> None:
    """ACK 0, "Fence Indexed OK"; frame 0 and no height, corner counts in p1, no home item."""
    circle = {"command": 5003, "p": (120.0, 0, 0, 0), "x": LAT, "y": LON}
    assert 0 == upload(cable, [*ring(frame=3), circle], kind=1)
    cable.text("Fence Indexed OK")
    got = download(cable, kind=1)
    assert [5001] * 4 + [5003] == [m.command for m in got]
    assert {(0, 0.0)} == {(m.frame, m.z) for m in got}
    assert [4.0] * 4 + [120.0] == [m.param1 for m in got]
    assert [LAT + a for a, _ in CORNERS] == [m.x for m in got[:4]]


@pytest.mark.parametrize("frame", [0, 3, 5, 6, 10, 11])
def test_fence_takes_global_frames(cable, frame) -> None:
    """Six of them, all read back as 0."""
    assert 0 == upload(cable, ring(frame=frame), kind=1)
    assert {0} == {m.frame for m in download(cable, kind=1)}


@pytest.mark.parametrize(
    ("fields", "result"), [({"frame": 1}, 2), ({"frame": 2}, 2), ({"command": 16}, 3)]
)
def test_fence_refuses_other_frames_and_commands(cable, fields, result) -> None:
    """UNSUPPORTED_FRAME and UNSUPPORTED."""
    assert result == upload(
        cable, ring(**fields) if "frame" in fields else ring(command=16), kind=1
    )


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (ring(3, said=4), "Incorrect item count"),
        (ring(2), "Invalid vertex count (2)"),
        (ring(2, said=4) + ring(3), "Unexpected vertex count want=4 got=3"),
        ([{"command": 5003, "x": LAT, "y": LON}], "Non-positive circle radius"),
    ],
)
def test_bad_fence_is_refused_whole(cable, items, words) -> None:
    """ERROR at the end, the reason and "Fence validation failed"; the old fence stands."""
    assert 0 == upload(cable, ring(), kind=1)
    assert mav.MAV_MISSION_ERROR == upload(cable, items, kind=1)
    assert words in cable.text(words)
    cable.text("Fence validation failed")
    assert 4 == len(download(cable, kind=1))


def test_rally_points_keep_their_height(cable) -> None:
    """Frame 3 with z."""
    points = [{"command": 5100, "x": LAT + i, "y": LON, "z": 30.0 + i} for i in range(3)]
    assert 0 == upload(cable, points, kind=2)
    got = download(cable, kind=2)
    assert [(3, 30.0 + i, LAT + i) for i in range(3)] == [(m.frame, m.z, m.x) for m in got]


def test_three_kinds_do_not_touch_each_other(cable) -> None:
    """Each has its own count, and each is cleared alone."""
    assert 0 == upload(cable, [{}, {"x": LAT, "y": LON}])
    assert 0 == upload(cable, ring(), kind=1)
    assert 0 == upload(cable, [{"command": 5100, "x": LAT, "y": LON}], kind=2)
    assert [2, 4, 1] == [len(download(cable, kind)) for kind in (0, 1, 2)]
    cable.send(mav.MAVLink_mission_clear_all_message(1, 1, 1))
    cable.wait("MISSION_ACK", where=lambda m: m.mission_type == 1 and m.type == 0)
    assert [2, 0, 1] == [len(download(cable, kind)) for kind in (0, 1, 2)]


@pytest.mark.parametrize(("value", "result"), [(1, 0), (2, 0), (0, 0), (3, 4)])
def test_fence_command_does_not_touch_the_parameter(cable, value, result) -> None:
    """0, 1, 2 accepted, 3 failed; FENCE_ENABLE reads 0 all the while."""
    assert result == cable.command(207, value)
    assert 0.0 == cable.parameter("FENCE_ENABLE")
    cable.command(207, 0)
