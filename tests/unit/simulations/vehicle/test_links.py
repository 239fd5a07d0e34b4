"""Several links at once: what is forwarded, what a lost one misses, what bytes may be lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.framing import Deframer
from simulations.vehicle.lossy import Losses, LossyMedium
from simulations.vehicle.making import Media
from tests.unit.simulations.vehicle.pilot import ACCEPTED, GUIDED, RTL, Pilot, item


def frame_of(message):
    return bytes(message.pack(mav.MAVLink(None, srcSystem=255, srcComponent=190)))


FRAMES = [
    frame_of(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3)),
    frame_of(mav.MAVLink_mission_count_message(1, 1, 7, 0)),
    frame_of(mav.MAVLink_command_long_message(1, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0)),
]


@given(st.lists(st.one_of(st.sampled_from(FRAMES), st.binary(max_size=12))), st.integers(1, 40))
def test_frames_are_found_whatever_lies_between_and_however_they_are_cut(parts, cut) -> None:
    """All whole frames, in order, unless rubbish looked like the start of one."""
    stream = b"".join(parts) + bytes(300)
    deframer = Deframer()
    found = []
    for at in range(0, len(stream), cut):
        found += deframer.feed(stream[at : at + cut])
    wanted = [part for part in parts if part in FRAMES]
    clean = not any(b"\xfd" in part or b"\xfe" in part for part in parts if part not in FRAMES)
    if clean:
        assert wanted == found
    assert set(found) <= set(FRAMES)


def test_heartbeats_of_a_station_reach_the_other_links_and_acknowledgements_do_not() -> None:
    """Mission replies neither."""
    pilot = Pilot().ready()
    other = Pilot(pilot.copter, link=1, system_id=254)
    pilot.run(2.0)
    other.listen()
    begin_s = other.now_s - 2.1
    assert 255 in {m.get_srcSystem() for m in other.messages("HEARTBEAT", begin_s)}
    pilot.set_mode(GUIDED)
    pilot.upload()
    pilot.run(0.5)
    other.listen()
    assert {"COMMAND_ACK", "MISSION_ACK"} & other.kinds() == set()
    assert "COMMAND_ACK" in pilot.kinds()


def test_message_for_another_system_is_carried_to_where_it_was_heard() -> None:
    """A router between two stations."""
    pilot = Pilot().ready()
    other = Pilot(pilot.copter, link=2, system_id=254)
    other.run(1.5)
    pilot.send(mav.MAVLink_param_request_read_message(254, 1, b"X", -1))
    pilot.run(0.1)
    other.listen()
    assert [254] == [m.target_system for m in other.messages("PARAM_REQUEST_READ")]


def test_state_after_a_lost_link_comes_from_the_heartbeat() -> None:
    """Texts sent meanwhile are lost; the flight goes on."""
    pilot = Pilot(parameters={"FS_GCS_ENABLE": 1}).take_off()
    pilot.copter.disconnect(0)
    for _ in range(1200):
        pilot.copter.step(0.01)
    again = Pilot(pilot.copter)
    first = again.until("HEARTBEAT")[1]
    assert RTL == first.custom_mode
    again.run(0.2)
    assert "GCS Failsafe" not in again.texts()


def test_streams_belong_to_their_link() -> None:
    """What one asked for, the other does not get."""
    pilot = Pilot().ready()
    other = Pilot(pilot.copter, link=1, system_id=254)
    pilot.stream(33, 10)
    pilot.run(2.0)
    other.listen()
    assert "GLOBAL_POSITION_INT" in pilot.kinds()
    assert "GLOBAL_POSITION_INT" not in other.kinds()


@pytest.mark.parametrize("percent", [0.5, 2.0])
def test_byte_loss_costs_whole_frames_in_one_direction(percent) -> None:
    """SIM_UART_LOSS, vehicle to client: commands still arrive."""
    pilot = Pilot(parameters={"SIM_UART_LOSS": percent}).ready()
    results = [pilot.command(176, 1, GUIDED) for _ in range(40)]
    # An acknowledgement has 22 bytes; what a damaged frame swallows of the next comes on top.
    least = (1 - (1 - percent / 100) ** 22) * 40 * 0.4
    assert least < results.count(None) < 36
    assert {ACCEPTED, None} >= set(results)
    assert GUIDED == pilot.mode


def test_frames_nobody_takes_are_bounded() -> None:
    """The oldest go, and are counted."""
    pilot = Pilot().ready()
    pilot.stream(30, 100)
    pilot.copter.step(60.0)
    assert pilot.copter.channels[0].overflowed > 0
    assert 4000 == len(pilot.copter.outgoing(0))


def radio(**losses):
    return {0: Media(down=LossyMedium(seed=1, losses=Losses(**losses)),
                     up=LossyMedium(seed=2, losses=Losses(**losses)))}  # fmt: skip


def test_delay_is_paid_both_ways() -> None:
    """An acknowledgement takes two of them."""
    pilot = Pilot(media=radio(delay_s=0.2)).ready()
    begin_s = pilot.now_s
    assert ACCEPTED == pilot.command(176, 1, GUIDED)
    assert pytest.approx(0.4, abs=0.05) == pilot.now_s - begin_s


def test_doubled_frames_run_a_command_twice() -> None:
    """The vehicle remembers no command."""
    pilot = Pilot(media=radio(doubled=1.0)).ready()
    pilot.set_mode(GUIDED)
    pilot.run(0.5)
    assert 4 == len([m for m in pilot.messages("COMMAND_ACK") if m.command == 176])


def test_upload_through_losses_asks_again_every_second() -> None:
    """A lost request costs a second; the mission is whole when it was accepted."""
    pilot = Pilot(media=radio(lost=0.1), seed=4).ready()
    plan = [item(16, float(k)) for k in range(12)]
    begin_s = pilot.now_s
    assert 0 == pilot.upload(*plan)
    assert 1.0 < pilot.now_s - begin_s < 20.0
    assert len(plan) == pilot.copter.transfers.mission.count
