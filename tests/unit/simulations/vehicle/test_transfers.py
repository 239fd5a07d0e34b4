"""Mission, fence and rally transfers, message by message."""

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.missions_mapping import ACCEPTED_COMMANDS
from simulations.vehicle.ports import Peer
from simulations.vehicle.transfers import Transfers
from tests.unit.simulations.vehicle.paper_vehicle import GCS, PaperVehicle

OTHER = Peer(system_id=254, component_id=190, link=1)
SIBLING = Peer(system_id=255, component_id=191, link=0)
NAN = math.nan


class Talk:
    """One vehicle's transfers and what they say, in short."""

    def __init__(self, firmware="4.7") -> None:
        self.vehicle = PaperVehicle(firmware=firmware)
        self.transfers = Transfers(self.vehicle)
        self.now_s = 0.0

    def hear(self, message, sender=GCS):
        return [self.short(r, sender) for r in self.transfers.handle(message, sender, self.now_s)]

    def wait(self, seconds, each=0.01):
        heard = []
        for _ in range(round(seconds / each)):
            self.now_s = round(self.now_s + each, 6)
            heard += [(self.now_s, *self.short(r, None)) for r in self.transfers.step(self.now_s)]
        return heard

    @staticmethod
    def short(reply, sender):
        m = reply.message
        if sender is not None:
            assert sender == reply.to
            assert (sender.system_id, sender.component_id) == (m.target_system, m.target_component)
        match m.get_type():
            case "MISSION_REQUEST":
                return ("ask", m.seq)
            case "MISSION_ACK":
                return ("ack", m.type)
            case "MISSION_COUNT":
                return ("count", m.count)
            case _:
                return ("item", m)

    def count(self, n, kind=0, sender=GCS):
        return self.hear(mav.MAVLink_mission_count_message(1, 1, n, kind), sender)

    def item(self, seq, command=16, kind=0, sender=GCS, **fields):
        return self.hear(item(seq, command, kind, **fields), sender)

    def upload(self, items, kind=0):
        """Upload (command, fields) pairs and return the last answer."""
        heard = self.count(len(items), kind)
        for seq, (command, fields) in enumerate(items):
            heard = self.item(seq, command, kind, **fields)
        return heard

    def list(self, kind=0, sender=GCS):
        return self.hear(mav.MAVLink_mission_request_list_message(1, 1, kind), sender)

    def clear(self, kind=0, sender=GCS):
        return self.hear(mav.MAVLink_mission_clear_all_message(1, 1, kind), sender)

    def read(self, seq, kind=0):
        (heard,) = self.hear(mav.MAVLink_mission_request_int_message(1, 1, seq, kind))
        assert heard[0] == "item"
        return heard[1]


def item(seq, command=16, kind=0, frame=6, p=(0, 0, 0, 0), x=108500000, y=1066200000, z=20.0):
    return mav.MAVLink_mission_item_int_message(1, 1, seq, frame, command, 0, 1, *p, x, y, z, kind)


@pytest.fixture
def talk():
    return Talk()


def waypoints(n):
    return [(16, {})] * n


def test_upload_asks_item_by_item_and_ends_with_one_ack(talk) -> None:
    """COUNT, then REQUEST (40) for each number, then ACCEPTED and the text."""
    assert [("ask", 0)] == talk.count(3)
    assert [("ask", 1)] == talk.item(0)
    assert [("ask", 2)] == talk.item(1)
    assert [("ack", 0)] == talk.item(2)
    assert ["Flight plan received"] == talk.vehicle.texts
    assert [("count", 3)] == talk.list()


def test_item_zero_is_home_whatever_was_sent(talk) -> None:
    """The home slot swallows the first item, and reads back as a waypoint at home."""
    talk.upload([(22, {"z": 33.0}), (16, {})])
    home = talk.read(0)
    assert (16, 0, 108500000, 1066200000, 5.0) == (
        home.command,
        home.frame,
        home.x,
        home.y,
        home.z,
    )
    assert 16 == talk.read(1).command


def test_silence_is_asked_again_each_second_and_given_up_after_eight(talk) -> None:
    """Seven repeats, then OPERATION_CANCELLED and a text; what came before stays."""
    talk.count(5)
    talk.item(0)
    talk.item(1)
    heard = talk.wait(9.0)
    assert [(float(s), "ask", 2) for s in range(1, 8)] + [(8.0, "ack", 15)] == heard
    assert ["Mission upload timeout"] == talk.vehicle.texts
    assert [("count", 2)] == talk.list()


def test_count_truncates_at_once(talk) -> None:
    """A bare COUNT of 3 leaves three items of seven, and nobody brings the others back."""
    talk.upload(waypoints(7))
    talk.count(3)
    talk.wait(8.5)
    assert [("count", 3)] == talk.list()


def test_longer_count_keeps_the_old_tail(talk) -> None:
    """Slots are overwritten one by one: an abandoned longer upload leaves a mixture."""
    talk.upload(waypoints(4))
    talk.count(6)
    talk.item(0)
    talk.item(1, z=77.0)
    talk.wait(8.5)
    assert [77.0, 20.0, 20.0] == [talk.read(n).z for n in (1, 2, 3)]
    assert [("count", 4)] == talk.list()


def test_bad_item_ends_the_upload_and_leaves_a_stump(talk) -> None:
    """Everything before the refused item stays and could be flown."""
    talk.count(9)
    for seq in range(7):
        talk.item(seq)
    assert [("ack", 3)] == talk.item(7, command=31000)
    assert [("count", 7)] == talk.list()
    assert [("ack", 1)] == talk.item(8)


def test_cancel_by_the_client_is_ignored(talk) -> None:
    """MISSION_ACK 15 from a client stops nothing."""
    talk.count(3)
    assert [] == talk.hear(mav.MAVLink_mission_ack_message(1, 1, 15, 0))
    assert [(1.0, "ask", 0)] == talk.wait(1.5)


def test_new_count_of_the_same_client_restarts(talk) -> None:
    """The transfer begins at item 0 again, with the new length."""
    talk.count(9)
    talk.item(0)
    assert [("ask", 0)] == talk.count(2)
    talk.item(0)
    assert [("ack", 0)] == talk.item(1)


@pytest.mark.parametrize("other", [OTHER, SIBLING])
def test_others_are_denied_while_an_upload_runs(talk, other) -> None:
    """Another system or another component waits; the first goes on."""
    talk.count(3)
    assert [("ack", 14)] == talk.count(2, sender=other)
    assert [("ack", 14)] == talk.list(sender=other)
    assert [("ack", 14), ("ack", 1)] == talk.clear(sender=other)
    assert [("ack", 14)] == talk.item(0, sender=other)
    assert [("ask", 1)] == talk.item(0)


def test_items_twice_echo_errors_that_are_not_fatal(talk) -> None:
    """INVALID_SEQUENCE after every double, ACCEPTED at the end, one ERROR for the last double."""
    talk.count(3)
    heard = []
    for seq in range(3):
        heard += talk.item(seq) + talk.item(seq)
    assert [
        ("ask", 1),
        ("ack", 13),
        ("ask", 2),
        ("ack", 13),
        ("ack", 0),
        ("ack", 1),
    ] == heard


def test_final_ack_is_never_repeated(talk) -> None:
    """Silence after the end, and ERROR for the last item sent again."""
    talk.upload(waypoints(3))
    assert [] == talk.wait(12.0)
    assert [("ack", 1)] == talk.item(2)


def test_too_many_items_have_no_space(talk) -> None:
    """NO_SPACE names the number in a text, and what was there stays."""
    talk.upload(waypoints(2))
    assert [("ack", 4)] == talk.count(651)
    assert "Only 650 items are supported" == talk.vehicle.texts[-1]
    assert [("count", 2)] == talk.list()
    assert [("ask", 0)] == talk.count(650)


@pytest.mark.parametrize(
    ("firmware", "at_boot", "beyond"),
    [("4.7", 1, [("count", 1), ("ack", 13)]), ("4.6", 0, [("ack", 1)])],
)
def test_two_firmwares_differ_on_emptiness(firmware, at_boot, beyond) -> None:
    """The newer one counts home at boot and teaches the count; the older one does not."""
    talk = Talk(firmware)
    assert [("count", at_boot)] == talk.list()
    assert beyond == talk.hear(mav.MAVLink_mission_request_int_message(1, 1, 5, 0))
    talk.clear()
    assert [("count", 0)] == talk.list()
    assert 16 == talk.read(0).command


def test_clear_by_type_but_not_all_at_once(talk) -> None:
    """Type 255 is met with silence; each type alone is cleared."""
    talk.upload(waypoints(3))
    assert [] == talk.clear(kind=255)
    assert [("count", 3)] == talk.list()
    assert [("ack", 0)] == talk.clear()


def test_clear_is_refused_while_auto_flies(talk) -> None:
    """In AUTO the mission is kept; in LOITER it goes."""
    talk.upload(waypoints(3))
    talk.vehicle.be(armed=True, mode=3, landed_state=2)
    assert [("ack", 1)] == talk.clear()
    assert [("count", 3)] == talk.list()
    assert [("ack", 0)] == talk.count(0)
    talk.vehicle.be(mode=5)
    assert [("ack", 0)] == talk.clear()


def test_partial_list_changes_one_slot(talk) -> None:
    """The vehicle asks for that number and acknowledges."""
    talk.upload(waypoints(4))
    partial = mav.MAVLink_mission_write_partial_list_message(1, 1, 2, 2, 0)
    assert [("ask", 2)] == talk.hear(partial)
    assert [("ack", 0)] == talk.item(2, z=55.0)
    assert [20.0, 55.0, 20.0] == [talk.read(n).z for n in (1, 2, 3)]


def test_float_item_is_taken_with_one_warning(talk) -> None:
    """MISSION_ITEM works, and the vehicle says once what it wants instead."""
    talk.count(2)
    for seq in range(2):
        talk.hear(
            mav.MAVLink_mission_item_message(1, 1, seq, 3, 16, 0, 1, 0, 0, 0, 0, 10.5, 106.5, 20.0)
        )
    assert 1 == sum("GCS should send MISSION_ITEM_INT" in text for text in talk.vehicle.texts)
    assert (105000000, 1065000000) == (talk.read(1).x, talk.read(1).y)


def test_old_request_is_answered_with_the_float_item(talk) -> None:
    """MISSION_REQUEST (40) from a client gets MISSION_ITEM (39)."""
    talk.upload(waypoints(2))
    ((_, answer),) = talk.hear(mav.MAVLink_mission_request_message(1, 1, 1, 0))
    assert "MISSION_ITEM" == answer.get_type()
    assert abs(answer.x - 10.85) < 1e-9


@pytest.mark.parametrize(
    ("sent", "read"), [(6, 3), (3, 3), (0, 0), (5, 0), (10, 10), (11, 10), (2, 0)]
)
def test_frames_are_mapped(talk, sent, read) -> None:
    """The integer frames read back as the plain ones; MISSION becomes absolute."""
    assert [("ack", 0)] == talk.upload([(16, {}), (16, {"frame": sent})])
    assert read == talk.read(1).frame


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"frame": 1}, 2),
        ({"frame": 7}, 2),
        ({"x": 950000000}, 10),
        ({"x": 2147483647}, 10),
        ({"y": 1850000000}, 11),
        ({"z": 1e6}, 12),
        ({"z": NAN}, 12),
        ({"p": (NAN, 0, 0, 0)}, 6),
        ({"p": (0, NAN, 0, 0)}, 7),
        ({"p": (0, 0, NAN, 0)}, 8),
        ({"p": (0, 0, 0, NAN)}, 0),
        ({"command": 177, "p": (9, 1, 0, 0)}, 1),
        ({"command": 177, "p": (0, 1, 0, 0)}, 1),
        ({"command": 177, "p": (1, -1, 0, 0)}, 0),
        ({"command": 1000, "p": (-45, 0, NAN, NAN)}, 8),
        ({"x": 0, "y": 0}, 0),
    ],
)
def test_each_fault_has_its_result(talk, fields, result) -> None:
    """Refusals name the parameter."""
    assert [("ack", result)] == talk.upload([(16, {}), (fields.pop("command", 16), fields)])


@pytest.mark.parametrize(
    ("command", "p", "kept"),
    [
        (16, (5.7, 3.0, 4.0, 90.0), (5.0, 0.0, 0.0, 0.0)),
        (16, (70000.0, 0, 0, 0), (4464.0, 0.0, 0.0, 0.0)),
        (18, (2.5, 0, 0, 0), (2.0, 0.0, 0.0, 0.0)),
        (19, (7.0, 0, 0, 0), (7.0, 0.0, 1.0, 0.0)),
        (21, (0, 0, 0, 0), (0.0, 0.0, 0.0, 1.0)),
    ],
)
def test_parameters_are_truncated(talk, command, p, kept) -> None:
    """A copter keeps whole seconds of hold and forgets radius, side and yaw."""
    talk.upload([(16, {}), (command, {"p": p})])
    got = talk.read(1)
    assert kept == (got.param1, got.param2, got.param3, got.param4)


def test_heights_are_cut_to_centimetres(talk) -> None:
    """50.123 reads 50.12."""
    talk.upload([(16, {}), (16, {"z": 50.123})])
    assert 50.12 == talk.read(1).z


def test_command_without_place_reads_zeros(talk) -> None:
    """RTL sent with frame 6 and a position reads frame 0 and nothing else."""
    talk.upload([(16, {}), (20, {})])
    got = talk.read(1)
    assert (0, 0, 0, 0.0) == (got.frame, got.x, got.y, got.z)


@pytest.mark.parametrize("command", sorted(ACCEPTED_COMMANDS - {177}))
def test_every_known_command_is_accepted(talk, command) -> None:
    """The whole list."""
    assert [("ack", 0)] == talk.upload([(16, {}), (command, {})])
    assert command == talk.read(1).command


@pytest.mark.parametrize("command", [214, 530, 2003, 5000, 31000])
def test_unknown_command_is_unsupported(talk, command) -> None:
    """Trigger interval, camera mode, fence commands in a mission."""
    assert [("ack", 3)] == talk.upload([(16, {}), (command, {})])


@pytest.mark.parametrize("command", [195, 197])
def test_roi_items_are_new_in_4_7(command) -> None:
    """The older firmware refuses them in a mission."""
    assert [("ack", 3)] == Talk("4.6").upload([(16, {}), (command, {})])


def square(size=4, got=None):
    corners = [(0, 0), (0, 9000), (9000, 9000), (9000, 0)]
    return [
        (5001, {"p": (got or size, 0, 0, 0), "x": 108500000 + a, "y": 1066200000 + b})
        for a, b in corners[:size]
    ]


def test_fence_is_indexed_at_the_end(talk) -> None:
    """ACCEPTED, a text, and frame 0 without height on reading."""
    assert [("ack", 0)] == talk.upload(square(), kind=1)
    assert ["Fence Indexed OK"] == talk.vehicle.texts
    corner = talk.read(3, kind=1)
    assert (5001, 0, 4.0, 0.0) == (corner.command, corner.frame, corner.param1, corner.z)


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (square(3, got=4), "Incorrect item count"),
        (square(2), "Invalid vertex count (2)"),
        ([*square(4)[:2], *square(3)], "Unexpected vertex count want=4 got=3"),
        ([(5003, {"p": (0, 0, 0, 0)})], "Non-positive circle radius"),
    ],
)
def test_bad_fence_keeps_the_old_one(talk, items, text) -> None:
    """A fence is judged as a whole, with its reason in words."""
    talk.upload(square(), kind=1)
    talk.vehicle.texts.clear()
    assert [("ack", 1)] == talk.upload(items, kind=1)
    assert [text, "Fence validation failed"] == talk.vehicle.texts
    assert [("count", 4)] == talk.list(kind=1)


@pytest.mark.parametrize(
    ("fields", "result"), [({"frame": 1}, 2), ({"frame": 2}, 2), ({"command": 16}, 3)]
)
def test_fence_refuses_frames_and_commands(talk, fields, result) -> None:
    """Local frames and waypoints are no fence."""
    talk.upload(square(), kind=1)
    talk.count(3, kind=1)
    command = fields.pop("command", 5001)
    assert [("ack", result)] == talk.item(0, command, 1, p=(3, 0, 0, 0), **fields)
    assert [("count", 4)] == talk.list(kind=1)


def test_fence_upload_times_out_under_its_own_name(talk) -> None:
    """The text says Fence."""
    talk.count(3, kind=1)
    talk.wait(9.0)
    assert ["Fence upload timeout"] == talk.vehicle.texts


def test_rally_points_keep_their_height(talk) -> None:
    """Frame 3 with z; a mission beside it is another transfer."""
    talk.count(3)
    assert [("ack", 0)] == talk.upload([(5100, {"z": 40.0})], kind=2)
    got = talk.read(0, kind=2)
    assert (5100, 3, 40.0) == (got.command, got.frame, got.z)
    assert [("ask", 1)] == talk.item(0)


def test_reboot_keeps_the_stores_and_drops_the_transfer(talk) -> None:
    """Mission, fence and rally are in the autopilot's storage."""
    talk.upload(waypoints(3))
    talk.upload(square(), kind=1)
    talk.count(2)
    talk.transfers.reboot(0.0)
    assert [("ack", 1)] == talk.item(0)
    assert [("count", 2), ("count", 4)] == [*talk.list(), *talk.list(kind=1)]


def test_mission_version_grows_with_each_item(talk) -> None:
    """AUTO sees every change of a slot and of the length."""
    before = talk.transfers.mission.version
    talk.upload(waypoints(3))
    grown = talk.transfers.mission.version
    talk.count(1)
    assert (3, 1) == (grown - before, talk.transfers.mission.version - grown)
