"""Where the older firmware differs; our vehicle alone can be told to be it."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import Client, Silence, answers, upload


@pytest.fixture(scope="module")
def vehicle(start):
    return start("ours", firmware="4.6")


@pytest.fixture
def cable(vehicle):
    with Client(vehicle.port) as client:
        client.heartbeat(wall_s=40.0)
        yield client


def test_empty_vehicle_announces_nothing(cable) -> None:
    """0 where 4.7 says 1; home is readable all the same."""
    cable.send(mav.MAVLink_mission_request_list_message(1, 1, 0))
    assert 0 == cable.wait("MISSION_COUNT").count
    cable.send(mav.MAVLink_mission_request_int_message(1, 1, 0, 0))
    assert 16 == cable.wait("MISSION_ITEM_INT").command


def test_beyond_the_end_is_an_error_alone(cable) -> None:
    """No count is taught."""
    cable.send(mav.MAVLink_mission_request_int_message(1, 1, 9, 0))
    cable.wait("MISSION_ACK")
    cable.listen(0.3)
    assert [("ack", 1)] == answers(cable)


@pytest.mark.parametrize(("command", "result"), [(195, 3), (197, 3), (201, 0)])
def test_regions_of_interest_as_items(cable, command, result) -> None:
    """201 alone."""
    assert result == upload(cable, [{}, {"command": command, "x": 108_500_000, "y": 1_066_200_000}])


def test_older_names_of_parameters(cable) -> None:
    """SYSID_THISMAV answers, MAV_SYSID does not."""
    assert 1.0 == cable.parameter("SYSID_THISMAV")
    with pytest.raises(Silence):
        cable.parameter("MAV_SYSID", wall_s=1.0)


def test_list_of_modes_is_not_there(cable) -> None:
    """AVAILABLE_MODES: FAILED."""
    assert mav.MAV_RESULT_FAILED == cable.request(435, 1)


def test_one_text_of_the_fence_ends_in_a_newline(cable) -> None:
    """Which a client may print or trim."""
    corners = [(0, 0), (0, 9000), (9000, 9000), (9000, 0)]
    ring = [
        {"command": 5001, "p": (n, 0, 0, 0), "x": 108_500_000 + a, "y": 1_066_200_000 + b}
        for n, (a, b) in zip((4, 4, 3, 3), corners, strict=True)
    ]
    assert mav.MAV_MISSION_ERROR == upload(cable, ring, kind=1)
    assert "Unexpected vertex count want=4 got=3\n" == cable.text("Unexpected")
