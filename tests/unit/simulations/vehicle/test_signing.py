"""Signing: judged by pymavlink's own checker on the one side, by its signer on the other."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.signing import EPOCH_UNIX_S, Signing
from tests.unit.simulations.vehicle.paper_vehicle import GCS, PaperVehicle

KEY = bytes(range(1, 33))
NOW_UNIX_S = 1_800_000_000
NOW = (NOW_UNIX_S - EPOCH_UNIX_S) * 100_000
S = 100_000


class Key:
    """A vehicle whose GPS has no time, and frames from clients."""

    def __init__(self) -> None:
        self.vehicle = PaperVehicle()
        self.vehicle.be(time_unix_s=None)
        self.signing = Signing(self.vehicle)

    def set_up(self, key=KEY, timestamp=NOW):
        message = mav.MAVLink_setup_signing_message(1, 1, list(key), timestamp)
        assert () == self.signing.handle(message, GCS, 0.0)
        return self

    def ask(self, timestamp, *, link=1, link_id=1, key=KEY, component=190):
        frame = signed_frame(timestamp, link_id=link_id, key=key, component=component)
        return self.signing.accepts(frame, link=link, now_s=0.0)

    def send(self, link=1):
        message = mav.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3)
        frame = bytes(message.pack(mav.MAVLink(None, 1, 1)))
        return self.signing.outgoing(frame, crc_extra=message.crc_extra, link=link, now_s=0.0)


def signed_frame(timestamp, *, link_id=1, key=KEY, component=190):
    client = mav.MAVLink(None, 255, component)
    if key is not None:
        client.signing.secret_key = key
        client.signing.sign_outgoing = True
        client.signing.link_id = link_id
        client.signing.timestamp = timestamp
    return bytes(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3).pack(client))


def timestamp_of(frame):
    return int.from_bytes(frame[-12:-6], "little")


def test_without_a_key_nothing_changes() -> None:
    """Frames go out as they are and everything is taken."""
    vehicle = Key()
    assert 21 == len(vehicle.send())
    assert vehicle.ask(NOW, key=None)


def test_signed_frame_is_good_by_the_library() -> None:
    """Flag, thirteen more bytes, the link id, and a signature pymavlink believes."""
    frame = Key().set_up().send(link=2)
    assert (34, 1, 2) == (len(frame), frame[2], frame[-13])
    client = mav.MAVLink(None, 255, 190)
    client.signing.secret_key = KEY
    (heard,) = client.parse_buffer(frame)
    assert ("HEARTBEAT", 1) == (heard.get_type(), client.signing.goodsig_count)


def test_timestamp_runs_a_minute_ahead_and_one_up_per_frame() -> None:
    """Given time plus 60 s."""
    vehicle = Key().set_up()
    first, second = timestamp_of(vehicle.send()), timestamp_of(vehicle.send())
    assert (60 * S + 1, 60 * S + 2) == (first - NOW, second - NOW)


def test_time_of_the_gps_takes_over_when_it_is_later() -> None:
    """Until then no clock is behind the timestamp."""
    vehicle = Key().set_up()
    vehicle.vehicle.be(time_unix_s=NOW_UNIX_S + 30.0)
    assert NOW + 60 * S + 1 == timestamp_of(vehicle.send())
    vehicle.vehicle.be(time_unix_s=NOW_UNIX_S + 100.0)
    assert NOW + 100 * S + 1 == timestamp_of(vehicle.send())


def test_first_channel_is_never_shut() -> None:
    """Unsigned and wrongly signed frames are taken there, and nowhere else."""
    vehicle = Key().set_up()
    assert [True, True, False, False] == [
        vehicle.ask(NOW, link=link, key=key) for link in (0, 1) for key in (None, bytes(32))
    ]
    assert 2 == vehicle.signing.dropped


def test_own_clock_is_taken_as_first_stream_after_set_up_alone() -> None:
    """What the vehicle runs ahead is what a new stream may be behind; then it must grow."""
    vehicle = Key().set_up(timestamp=NOW - 1 * S)
    assert vehicle.ask(NOW)
    assert not vehicle.ask(NOW)
    assert not vehicle.ask(NOW - 10 * S)
    assert vehicle.ask(NOW + 1)
    assert not vehicle.ask(NOW - 30 * S, link_id=2)
    assert not vehicle.ask(NOW - 200 * S, link_id=3)


def test_a_stream_far_ahead_drags_its_link_along() -> None:
    """+1000 s is taken, and after that a clock-true now is dropped on that link."""
    vehicle = Key().set_up()
    assert vehicle.ask(NOW + 1000 * S, link_id=2)
    assert not vehicle.ask(NOW + 1 * S, link_id=3)
    assert vehicle.ask(NOW + 1 * S, link=2, link_id=4)
    assert timestamp_of(vehicle.send(link=1)) > NOW + 1000 * S
    assert timestamp_of(vehicle.send(link=2)) < NOW + 61 * S


def test_restart_goes_a_minute_past_the_latest_of_all_links() -> None:
    """The key survives, every link is ahead, the streams are forgotten."""
    vehicle = Key().set_up()
    vehicle.ask(NOW + 2000 * S, link=1)
    vehicle.signing.reboot(0.0)
    assert NOW + 2060 * S + 1 == timestamp_of(vehicle.send(link=2))
    assert not vehicle.ask(NOW)
    assert vehicle.ask(NOW + 2060 * S)


def test_zero_key_with_zero_timestamp_disables() -> None:
    """At once, and for good."""
    vehicle = Key().set_up().set_up(key=bytes(32), timestamp=0)
    assert not vehicle.signing.active
    assert 21 == len(vehicle.send())
    vehicle.signing.reboot(0.0)
    assert vehicle.ask(NOW, key=None)


def test_no_set_up_while_armed() -> None:
    """The refusal is a text."""
    vehicle = Key()
    vehicle.vehicle.be(armed=True)
    vehicle.set_up()
    assert not vehicle.signing.active
    assert ["ERROR: Won't setup signing when armed"] == vehicle.vehicle.texts


def test_streams_have_a_bound() -> None:
    """Sixteen, as in the library of the autopilot; the next is dropped."""
    vehicle = Key().set_up()
    taken = [vehicle.ask(NOW + 1, component=number) for number in range(1, 19)]
    assert [True] * 16 + [False] * 2 == taken


@pytest.mark.parametrize("spoilt", [2, 5, 12, -1, -8, -13])
def test_one_changed_byte_is_noticed(spoilt) -> None:
    """Flag, sender, payload, signature, timestamp, link id."""
    vehicle = Key().set_up()
    frame = bytearray(signed_frame(NOW + 1))
    frame[spoilt] ^= 1
    assert not vehicle.signing.accepts(bytes(frame), link=1, now_s=0.0)
