"""Transfers over a radio that loses, doubles and reorders, with the whole copter, in simulated time."""

from collections import Counter

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.copter import Copter
from simulations.vehicle.lossy import Losses, LossyMedium
from simulations.vehicle.making import Media, Setup
from simulations.vehicle.ports import Place

HOME = Place(lat_deg=10.85, lon_deg=106.62, alt_msl_m=5.0)
GOOD = Losses()


class Station:
    """A client in simulated time: answers every request, repeats only what it is told to."""

    def __init__(self, *, down=GOOD, up=GOOD, seed=1) -> None:
        media = Media(
            down=LossyMedium(seed=seed, losses=down), up=LossyMedium(seed=seed + 1000, losses=up)
        )
        self.media = media
        self.copter = Copter(Setup(home=HOME, media={0: media}))
        self.copter.power_on()
        self.copter.connect(0)
        self.packer = mav.MAVLink(None, 255, 190)
        self.parser = mav.MAVLink(None, 255, 190)
        self.parser.robust_parsing = True
        self.copter.step(2.0)

    def send(self, message):
        self.copter.receive(bytes(message.pack(self.packer)), 0)

    def hear(self, seconds=0.05):
        self.copter.step(seconds)
        data = b"".join(self.copter.outgoing(0))
        return [m for m in self.parser.parse_buffer(data) or [] if m.get_type() != "BAD_DATA"]

    def upload(self, n, seconds=30.0, *, repeat_count_s=None):
        """Return the last MISSION_ACK that is not INVALID_SEQUENCE, or None."""
        count = mav.MAVLink_mission_count_message(1, 1, n, 0)
        self.send(count)
        begun = False
        for step in range(round(seconds / 0.05)):
            for m in self.hear():
                if m.get_type() == "MISSION_REQUEST":
                    begun = True
                    x = 108_500_000 + m.seq
                    self.send(
                        mav.MAVLink_mission_item_int_message(
                            1, 1, m.seq, 6, 16, 0, 1, 0, 0, 0, 0, x, 1_066_200_000, 20.0, 0
                        )
                    )
                elif m.get_type() == "MISSION_ACK" and m.type != mav.MAV_MISSION_INVALID_SEQUENCE:
                    return m.type
            if repeat_count_s and not begun and step % round(repeat_count_s / 0.05) == 0:
                self.send(count)
        return None

    def held(self):
        return [item.x_e7 for item in self.copter.transfers.mission.items][1:]


@pytest.mark.parametrize("seed", range(20))
def test_only_the_vehicle_repeats_when_its_own_messages_are_lost(seed) -> None:
    """Requests come again each second; a lost final ack never does; no error is ever said."""
    station = Station(down=Losses(lost=0.1), seed=seed)
    result = station.upload(7)
    assert result in {0, None}
    assert [108_500_000 + seq for seq in range(1, 7)] == station.held()


def test_some_final_acks_are_lost_and_most_are_not() -> None:
    """Forty uploads: what a client must be ready for does happen, and not always."""
    ends = Counter(
        Station(down=Losses(lost=0.1), seed=seed).upload(7, seconds=12.0) for seed in range(40)
    )
    assert {0, None} == set(ends)
    assert ends[0] > ends[None]


def test_lost_items_are_asked_for_again() -> None:
    """A tenth of ours lost: each costs a second, and the end is ACCEPTED."""
    for seed in range(10):
        station = Station(up=Losses(lost=0.1), seed=seed)
        assert 0 == station.upload(12, repeat_count_s=1.5)
        assert 11 == len(station.held())


def test_doubled_messages_do_no_harm() -> None:
    """INVALID_SEQUENCE for the echoes, ACCEPTED at the end, each item once."""
    station = Station(up=Losses(doubled=1.0), seed=3)
    assert 0 == station.upload(9)
    assert [108_500_000 + seq for seq in range(1, 9)] == station.held()


def test_reordered_messages_do_no_harm() -> None:
    """Unequal delays both ways, doubles among them."""
    wild = Losses(delay_s=0.1, jitter_s=0.4, doubled=0.2)
    station = Station(up=wild, down=wild, seed=5)
    assert 0 == station.upload(9)
    assert [108_500_000 + seq for seq in range(1, 9)] == station.held()


def test_dead_link_ends_in_a_time_out_on_board() -> None:
    """The vehicle gives up after eight seconds, whether anybody hears it or not."""
    station = Station(seed=1)
    station.send(mav.MAVLink_mission_count_message(1, 1, 5, 0))
    station.hear(0.1)
    station.media.down.losses = Losses(lost=1.0)
    station.hear(9.0)
    station.media.down.losses = GOOD
    assert 0 == station.upload(3)


def test_lost_bytes_are_lost_frames() -> None:
    """A UART that drops bytes spoils checksums, and the copter goes on."""
    station = Station(up=Losses(bytes_lost=0.003), down=Losses(bytes_lost=0.003), seed=2)
    assert station.upload(12, seconds=60.0, repeat_count_s=1.5) in {0, None}
    assert station.media.down.carried.cut > 0
    assert 11 == len(station.held())
