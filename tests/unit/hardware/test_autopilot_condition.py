"""What a vehicle says of itself: modes, battery, air or ground, home, and when it is silent."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.unit.hardware.mavlink_kit import Heard, Teller


@pytest.mark.parametrize(
    ("kind", "autopilot", "custom", "base", "mode", "pilot"),
    [
        (2, 3, 3, 0, "AUTO", False),
        (2, 3, 5, 0, "LOITER", True),
        (2, 3, 17, 0, "BRAKE", False),
        (2, 3, 6, 0, "RTL", False),
        (2, 3, 99, 0, "MODE_99", False),
        (1, 3, 11, 0, "RTL", False),
        (1, 3, 5, 0, "FLY_BY_WIRE_A", True),
        (20, 3, 19, 0, "QLOITER", True),
        (10, 3, 0, 0, "MANUAL", True),
        (2, 12, 4 << 16 | 4 << 24, 0, "AUTO_MISSION", False),
        (2, 12, 3 << 16, 0, "POSCTL", True),
        (2, 12, 6 << 16, 0, "OFFBOARD", False),
        (2, 0, 7, 64, "MODE_7", True),
    ],
)
def test_modes_by_autopilot_and_craft(kind, autopilot, custom, base, mode, pilot) -> None:
    """Name, and whether the sticks fly."""
    heard = Heard(met=False)
    heard.copter.heartbeat(kind=kind, autopilot=autopilot, custom_mode=custom, base_mode=base)
    heard.read()
    assert (mode, pilot) == (heard.state.mode, heard.state.pilot_in_control)


def battery(heard, percent, left_s=0, number=0):
    heard.copter.say(
        mav.MAVLink_battery_status_message(
            number, 0, 0, 32767, [65535] * 10, 0, 0, 0, percent, left_s, 1
        )
    )


def test_battery_is_the_emptiest_one_and_unknown_is_none() -> None:
    """-1 percent and 0 s left mean "not known"."""
    heard = Heard()
    battery(heard, -1)
    heard.read()
    assert (None, None) == (heard.state.battery_fraction, heard.state.battery_remaining_s)
    battery(heard, 80, 900)
    battery(heard, 35, 0, number=1)
    heard.read()
    assert (0.35, 900.0) == (heard.state.battery_fraction, heard.state.battery_remaining_s)
    heard.clock.advance(31.0)
    assert heard.state.battery_fraction is None


def test_battery_of_sys_status_counts_where_nothing_better_is_said() -> None:
    """Old autopilots have nothing else."""
    heard = Heard()
    heard.copter.say(mav.MAVLink_sys_status_message(0, 0, 0, 0, 11_100, -1, 62, 0, 0, 0, 0, 0, 0))
    heard.read()
    assert 0.62 == heard.state.battery_fraction


@pytest.mark.parametrize(("landed", "in_air"), [(1, False), (2, True), (3, True), (4, True)])
def test_air_or_ground_by_its_own_word(landed, in_air) -> None:
    """Take-off and landing are in the air."""
    heard = Heard()
    heard.copter.heartbeat(base_mode=209, status=4)
    heard.copter.say(mav.MAVLink_extended_sys_state_message(0, landed))
    heard.read()
    assert (True, in_air) == (heard.state.armed, heard.state.in_air)


@pytest.mark.parametrize(
    ("base", "status", "in_air"),
    [(209, 4, True), (209, 3, False), (81, 4, False), (209, 5, True)],
)
def test_air_or_ground_where_it_does_not_say(base, status, in_air) -> None:
    """Armed and active or critical."""
    heard = Heard()
    heard.copter.heartbeat(base_mode=base, status=status)
    heard.copter.say(mav.MAVLink_extended_sys_state_message(0, 0))
    heard.read()
    assert in_air == heard.state.in_air


def test_height_above_takeoff() -> None:
    """As told with the position, and gone with it."""
    heard = Heard()
    heard.settle(alt_m=80.0, above_m=75.0)
    assert (75.0, 80.0) == (heard.state.alt_above_takeoff_m, heard.state.alt_msl_m)
    heard.clock.advance(3.5)
    assert (None, None) == (heard.state.alt_above_takeoff_m, heard.state.alt_msl_m)


def test_vehicle_is_offline_after_five_seconds_without_a_heartbeat() -> None:
    """Other messages do not count: a router may repeat them."""
    heard = Heard()
    heard.clock.advance(4.0)
    heard.copter.attitude()
    heard.read()
    assert heard.state.online
    heard.clock.advance(2.0)
    heard.copter.attitude()
    heard.read()
    assert not heard.state.online


def test_vehicle_unheard_for_ten_minutes_makes_room() -> None:
    """Sixteen are followed; a seventeenth waits for a place and is counted."""
    heard = Heard()
    for system in range(2, 18):
        Teller(heard.line, system_id=system).heartbeat()
    heard.read()
    assert (16, 1) == (len(heard.driver.vehicles()), heard.driver.counters["vehicles_too_many"])
    heard.clock.advance(601.0)
    Teller(heard.line, system_id=17).heartbeat()
    heard.read()
    assert [(17, 1)] == [state.vehicle for state in heard.driver.vehicles()]


def test_texts_are_counted() -> None:
    """A STATUSTEXT is no state."""
    heard = Heard()
    heard.copter.say(mav.MAVLink_statustext_message(2, b"Low Battery!"))
    heard.read()
    assert 1 == heard.driver.totals["texts"]
    assert "texts" not in heard.driver.counters
