"""AUTO: which item is due, what is reported and lost, how missions end, what a change does."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.ports import Item
from simulations.vehicle.sequencer import COMPLETE, RUNNING, Sequencer
from tests.unit.simulations.vehicle.pilot import (
    ACCEPTED,
    AUTO,
    GUIDED,
    HOME_SLOT,
    RETURN,
    TAKE_OFF,
    Pilot,
    item,
)  # fmt: skip


class Book:
    """A mission on paper."""

    def __init__(self, *items):
        self.items = [Item(command=16, frame=0), *items]
        self.version = 1


class Hands:
    """Carries nothing out and remembers what was asked."""

    def __init__(self):
        self.started = []
        self.done = set()
        self.over = 0

    def start_item(self, seq, item):
        self.started.append(seq)

    def item_done(self, seq, item):
        return seq in self.done or item.command > 95

    def mission_over(self):
        self.over += 1


def way(command, *params):
    return Item(command=command, frame=3, params=(*params, *[0.0] * (4 - len(params))))


def played(*items, loops=60):
    """Items in the order they were started, each navigation item done after two loops."""
    hands = Hands()
    sequencer = Sequencer(Book(*items), hands)
    sequencer.start()
    for loop in range(loops):
        if loop % 2:
            hands.done.add(sequencer.seq)
        sequencer.update()
        hands.done.clear()
    return hands, sequencer


def test_do_items_start_beside_the_next_leg_in_their_odd_order() -> None:
    """3 just before 5, 4 just after it."""
    hands, sequencer = played(way(22), way(16), way(205), way(206), way(16))
    assert [1, 2, 3, 5, 4] == hands.started
    assert (COMPLETE, 1, 5) == (sequencer.state, hands.over, sequencer.seq)


@pytest.mark.parametrize(
    ("jump", "order"),
    [
        ((2.0, 2.0), [1, 2, 3, 2, 3, 2, 3, 5]),  # twice back to 2
        ((2.0, 0.0), [1, 2, 3, 5]),  # a jump that is used up
    ],
)
def test_jump_goes_back_so_many_times(jump, order) -> None:
    """DO_JUMP to item 2."""
    hands, _ = played(way(22), way(16), way(16), way(177, *jump), way(16))
    assert order == hands.started


def test_jump_for_ever_never_ends() -> None:
    """-1."""
    hands, sequencer = played(way(22), way(16), way(177, 2.0, -1.0), loops=200)
    assert RUNNING == sequencer.state
    assert hands.started.count(2) > 50


def test_jump_to_a_tag() -> None:
    """JUMP_TAG is a mark, DO_JUMP_TAG goes there."""
    hands, _ = played(way(22), way(600, 7.0), way(16), way(601, 7.0, 1.0), way(16))
    assert [1, 3, 3, 5] == hands.started


def test_current_item_can_be_set_at_rest_and_under_way() -> None:
    """To the navigation item at or behind the number; 0 means 1."""
    hands = Hands()
    sequencer = Sequencer(Book(way(22), way(206), way(16), way(16)), hands)
    assert sequencer.set_current(2)
    assert (3, []) == (sequencer.seq, hands.started)
    assert sequencer.set_current(0)
    assert 1 == sequencer.seq
    sequencer.start_or_resume(restart=False)
    assert sequencer.set_current(4)
    assert 4 == sequencer.seq
    assert not sequencer.set_current(5)


def reached(pilot):
    return [m.seq for m in pilot.messages("MISSION_ITEM_REACHED")]


@pytest.fixture(scope="module")
def flown():
    """A mission with DO items, flown to its end, with everything heard."""
    pilot = Pilot()
    pilot.stream(42, 10)
    pilot.fly(
        HOME_SLOT, TAKE_OFF, item(16, 40.0), item(205, params=(-45, 0, 0, 0)),
        item(206, params=(5, 0, 1, 0)), item(16, 40.0, 40.0), item(115, params=(90, 30, 1, 0)),
        item(206), item(16, 0.0, 40.0), item(205, params=(-90, 0, 0, 0)), RETURN,
    )  # fmt: skip
    pilot.until_disarmed()
    return pilot.run(1.0)


def test_reached_numbers_are_lost_and_overtaken(flown) -> None:
    """Only the last of one loop is sent: 2 and 8 never come, the turn of item 6 comes late."""
    assert [1, 3, 5, 6, 9, 10] == reached(flown)
    texts = flown.texts()
    assert ["#2", "#5", "#8"] == [t[-2:] for t in texts if t.startswith("Reached command")]


def test_texts_of_do_items_stand_where_arduPilot_puts_them(flown) -> None:  # noqa: N802  # its name
    """Mission: 3, 5, 4."""
    said = [text for text in flown.texts() if text.startswith("Mission: ")]
    assert [
        "Mission: 1 Takeoff", "Mission: 2 WP", "Mission: 3 MountControl", "Mission: 5 WP",
        "Mission: 4 SetCamTrigDst", "Mission: 6 CondYaw", "Mission: 8 WP",
    ] == said[:7]  # fmt: skip


def test_return_as_last_item_stays_in_auto_and_ends_complete_at_zero(flown) -> None:
    """REACHED for it only at disarm."""
    modes = {m.custom_mode for m in flown.messages("HEARTBEAT") if m.base_mode & 128}
    assert AUTO in modes
    assert modes <= {GUIDED, AUTO}
    last = flown.messages("MISSION_CURRENT")[-1]
    assert (0, 10, 5) == (last.seq, last.total, last.mission_state)
    at = {m.seq: t for t, m in flown.heard if m.get_type() == "MISSION_ITEM_REACHED"}
    disarmed = next(t for t, m in flown.heard if getattr(m, "text", "") == "Disarming motors")
    assert pytest.approx(disarmed, abs=0.05) == at[10]


def test_pictures_by_distance_are_fed_back(flown) -> None:
    """Every 5 m on the second leg."""
    assert 6 <= len(flown.messages("CAMERA_FEEDBACK")) <= 12


def test_waits_for_mission_start_on_the_ground() -> None:
    """AUTO was accepted, item 1 is active, and it stands."""
    pilot = Pilot().ready()
    pilot.upload(HOME_SLOT, TAKE_OFF, item(16, 40.0), RETURN)
    pilot.set_mode(GUIDED)
    pilot.command(400, 1)
    assert ACCEPTED == pilot.set_mode(AUTO)
    pilot.run(5.0)
    assert "Mission: 1 Takeoff" in pilot.texts()
    assert 1 == pilot.copter.state.mission_seq
    assert pilot.body.on_ground
    assert ACCEPTED == pilot.command(300)
    pilot.until_true(lambda: pilot.height_m > 5.0)


def test_land_as_last_item_is_never_reported() -> None:
    """It disarms, and the mission stands at its first item again."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 20.0), item(21, 20.0, z=0.0))
    pilot.until_disarmed()
    pilot.run(0.5)
    assert [1, 2] == reached(pilot)
    pilot.command(512, 42)
    pilot.run(0.05)
    last = pilot.messages("MISSION_CURRENT")[-1]
    assert (1, 3) == (last.seq, last.mission_state)


def test_waypoint_as_last_item_hovers_for_ever() -> None:
    """COMPLETE, the number stays, mode 3."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 20.0))
    pilot.until("STATUSTEXT", lambda m: m.text == "Reached command #2")
    pilot.run(30.0)
    pilot.command(512, 42)
    pilot.run(0.05)
    last = pilot.messages("MISSION_CURRENT")[-1]
    assert (2, 5, AUTO) == (last.seq, last.mission_state, pilot.mode)
    assert abs(pilot.body.north_m - 20) < 1.0
    assert pilot.armed


def test_waypoint_holds_for_its_first_parameter() -> None:
    """Five seconds, at rest."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 30.0, params=(5, 0, 0, 0)), RETURN)
    pilot.until_true(lambda: abs(pilot.body.north_m - 30) < 0.5 and pilot.speed_m_s < 0.3)
    begin_s = pilot.now_s
    pilot.until("STATUSTEXT", lambda m: m.text == "Reached command #2")
    assert 3.5 < pilot.now_s - begin_s < 6.5


def test_corner_is_rounded_within_the_radius_and_height_keeps_pace() -> None:
    """WPNAV_RADIUS 2 m; 20 to 40 m over 60 m of way."""
    pilot = Pilot().fly(
        HOME_SLOT, TAKE_OFF, item(16, 60.0, z=40.0), item(16, 60.0, 60.0, z=40.0), RETURN
    )
    nearest_m, halfway_m = 99.0, None
    while pilot.copter.state.mission_seq < 4:
        pilot.tick()
        body = pilot.body
        nearest_m = min(nearest_m, ((body.north_m - 60) ** 2 + body.east_m**2) ** 0.5)
        if halfway_m is None and body.north_m > 30:
            halfway_m = pilot.height_m
        assert body.north_m < 62.0
    assert nearest_m < 2.3
    assert pytest.approx(30.0, abs=3.0) == halfway_m


def test_new_mission_in_flight_keeps_the_old_number() -> None:
    """And says that the command was restarted."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 100.0), item(16, 200.0), RETURN)
    pilot.until_true(lambda: pilot.copter.state.mission_seq == 2)
    begin_s = pilot.now_s
    assert 0 == pilot.upload(HOME_SLOT, TAKE_OFF, item(16, 90.0), item(16, 210.0), RETURN)
    pilot.run(0.5)
    assert 2 == pilot.copter.state.mission_seq
    restarted = [m for m in pilot.messages("STATUSTEXT", begin_s) if "restarted command" in m.text]
    assert restarted
    assert {2} == {m.severity for m in restarted}


def test_shorter_mission_leaves_a_stale_number_and_hovers() -> None:
    """Number 3 of 1."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 60.0), item(16, 200.0), RETURN)
    pilot.until_true(lambda: pilot.copter.state.mission_seq == 3)
    assert 0 == pilot.upload(HOME_SLOT, TAKE_OFF)
    pilot.run(30.0)
    pilot.command(512, 42)
    pilot.run(0.05)
    last = pilot.messages("MISSION_CURRENT")[-1]
    not_started = 2
    assert (3, 1, not_started, AUTO) == (
        last.seq, last.total, last.mission_state, pilot.mode
    )  # fmt: skip
    assert pilot.armed
    assert pilot.speed_m_s < 0.5


def test_emptied_mission_keeps_the_last_target() -> None:
    """COUNT 0 in flight: accepted, said in words, mode stays."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 80.0), RETURN)
    pilot.until_true(lambda: pilot.body.north_m > 10)
    pilot.send(mav.MAVLink_mission_count_message(1, 1, 0, 0))
    pilot.run(0.5)
    assert "Auto mission changed but failed to restart command" in pilot.texts()
    assert AUTO == pilot.mode
    pilot.run(25.0)
    assert pilot.armed
    assert pytest.approx(80.0, abs=2.5) == pilot.body.north_m


def test_item_set_in_flight_is_flown_at_once() -> None:
    """DO_SET_MISSION_CURRENT skips."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 300.0), item(16, 0.0, 60.0), RETURN)
    pilot.until_true(lambda: pilot.body.north_m > 10)
    assert ACCEPTED == pilot.command(224, 3)
    pilot.until("STATUSTEXT", lambda m: m.text == "Reached command #3")
    assert pytest.approx(60.0, abs=3.0) == pilot.body.east_m


def test_speed_item_counts_for_the_next_leg() -> None:
    """DO_CHANGE_SPEED 4 m/s."""
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(178, params=(1, 4, 0, 0)), item(16, 80.0), RETURN)
    fastest = 0.0
    while pilot.copter.state.mission_seq < 4:
        pilot.tick()
        fastest = max(fastest, pilot.speed_m_s)
    assert pytest.approx(4.0, abs=0.3) == fastest


def test_mission_start_above_the_take_off_height_goes_on_at_once() -> None:
    """In the air the take-off item is done as soon as it is begun."""
    pilot = Pilot().take_off(30.0)
    assert 0 == pilot.upload(HOME_SLOT, TAKE_OFF, item(16, 40.0), RETURN)
    assert ACCEPTED == pilot.command(300)
    pilot.until("STATUSTEXT", lambda m: m.text == "Mission: 2 WP", within_s=3.0)


def test_clear_forgets_the_current_item_and_a_new_mission_does_not() -> None:
    """In GUIDED, in flight."""
    pilot = Pilot().take_off()
    plan = (HOME_SLOT, TAKE_OFF, item(16, 40.0), item(16, 80.0), RETURN)
    assert 0 == pilot.upload(*plan)
    assert ACCEPTED == pilot.command(224, 3)
    assert 0 == pilot.upload(*plan)
    assert 3 == pilot.copter.state.mission_seq
    pilot.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
    assert 0 == pilot.until("MISSION_ACK")[1].type
    assert 0 == pilot.upload(*plan)
    assert 0 == pilot.copter.state.mission_seq
