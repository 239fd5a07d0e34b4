"""From power to usable: what is said when, and what may be armed when."""

import pytest

from tests.unit.simulations.vehicle.pilot import ACCEPTED, AUTO, FAILED, GUIDED, STABILIZE, Pilot

PREARM = 1 << 28


@pytest.fixture(scope="module")
def booted():
    """A copter heard for 45 s without a single request."""
    return Pilot().run(45.0)


def test_nothing_is_streamed_until_asked_for(booted) -> None:
    """No position, no SYS_STATUS, no MISSION_CURRENT: heartbeat, texts, some parameters, time."""
    assert {"HEARTBEAT", "STATUSTEXT", "PARAM_VALUE", "TIMESYNC"} == booted.kinds()
    assert 25 <= len(booted.messages("PARAM_VALUE")) <= 40


def test_first_heartbeats_say_boot_then_standby(booted) -> None:
    """BOOT for 2.9 s with base_mode 89, then STANDBY with 81, once a second."""
    beats = [(t_s, m) for t_s, m in booted.heard if m.get_type() == "HEARTBEAT"]
    assert 44 <= len(beats) <= 46
    assert (1, 89) == (beats[0][1].system_status, beats[0][1].base_mode)
    assert {3} == {m.system_status for t_s, m in beats if t_s > 3.0}
    assert {81} == {m.base_mode for t_s, m in beats if t_s > 3.0}
    assert (2, 3) == (beats[0][1].type, beats[0][1].autopilot)


@pytest.mark.parametrize(
    ("text", "at_s"),
    [("ArduPilot Ready", 2.4), ("EKF3 IMU0 origin set", 20.0), ("EKF3 IMU0 is using GPS", 41.4)],
)
def test_boot_texts_come_at_their_times(booted, text, at_s) -> None:
    """As observed on a real vehicle, in its own seconds."""
    said = [t for t, m in booted.heard if m.get_type() == "STATUSTEXT" and m.text == text]
    assert [pytest.approx(at_s, abs=0.1)] == said


def test_flags_and_prearm_bit_do_not_turn_good_together() -> None:
    """The pre-arm bit is good at 23.6 s, the position 18 s later."""
    pilot = Pilot()
    for message_id in (193, 1, 24):
        assert ACCEPTED == pilot.stream(message_id, 10)
    pilot.run(44.0)
    first = {}
    for t_s, message in pilot.heard:
        kind = message.get_type()
        if kind == "EKF_STATUS_REPORT":
            first.setdefault(("flags", message.flags), t_s)
        elif kind == "SYS_STATUS" and message.onboard_control_sensors_health & PREARM:
            first.setdefault("prearm", t_s)
        elif kind == "GPS_RAW_INT" and message.fix_type == 6:
            first.setdefault("fix", t_s)
    assert pytest.approx(3.0, abs=0.2) == first["flags", 0]
    assert pytest.approx(6.0, abs=0.2) == first["flags", 167]
    assert pytest.approx(20.0, abs=0.2) == first["fix"]
    assert pytest.approx(23.6, abs=0.2) == first["prearm"]
    assert pytest.approx(41.4, abs=0.2) == first["flags", 831]
    assert ("flags", 1024) in first


@pytest.mark.parametrize(
    ("at_s", "mode", "reason"),
    [
        (5.0, STABILIZE, "Arm: Accels inconsistent"),
        (25.0, STABILIZE, None),
        (30.0, GUIDED, "Arm: Need Position Estimate"),
        (42.0, GUIDED, None),
        (42.0, AUTO, "Arm: AUTO mode not armable"),
        (42.0, 6, "Arm: RTL mode not armable"),
    ],
)
def test_arming_is_refused_in_words_after_the_acknowledgement(at_s, mode, reason) -> None:
    """FAILED first, the reason (severity 2) just after it."""
    pilot = Pilot().run(at_s)
    assert ACCEPTED == pilot.set_mode(mode)
    result = pilot.command(400, 1)
    assert (FAILED if reason else ACCEPTED) == result
    kinds = [m for _, m in pilot.heard if m.get_type() in {"COMMAND_ACK", "STATUSTEXT"}]
    if reason:
        after = kinds[kinds.index(pilot.ack) + 1 :]
        assert (reason, 2) == (after[0].text, after[0].severity)
    else:
        assert "Arming motors" in pilot.texts()
        assert 128 & pilot.heartbeat().base_mode


def test_force_arming_ignores_every_reason() -> None:
    """Parameter 2 is 2989."""
    pilot = Pilot().run(5.0)
    assert ACCEPTED == pilot.command(400, 1, 2989)
    assert pilot.armed


def test_auto_may_be_armed_with_its_option_and_a_mission() -> None:
    """AUTO_OPTIONS 1; without a mission another reason stands."""
    pilot = Pilot(parameters={"AUTO_OPTIONS": 1}).ready()
    assert ACCEPTED == pilot.set_mode(AUTO)
    assert FAILED == pilot.command(400, 1)
    assert "Arm: Mode requires mission" in pilot.texts()


def test_prearm_reasons_are_repeated_every_31_s() -> None:
    """Only while something stands against arming."""
    pilot = Pilot(parameters={"BATT_ARM_VOLT": 13.0}).run(100.0)
    said = [t for t, m in pilot.heard if m.get_type() == "STATUSTEXT" and "PreArm" in m.text]
    assert [pytest.approx(31.0 * k, abs=0.2) for k in (1, 2, 3)] == said
    assert "PreArm: Battery 1 below minimum arming voltage" in pilot.texts()


def test_armed_without_take_off_it_disarms_after_ten_seconds() -> None:
    """DISARM_DELAY."""
    pilot = Pilot().ready()
    pilot.set_mode(GUIDED)
    pilot.command(400, 1)
    begin_s = pilot.now_s
    assert pytest.approx(10.0, abs=0.3) == pilot.until_disarmed() - begin_s
    assert "Disarming motors" in pilot.texts()


def test_home_is_unknown_before_the_first_fix_and_the_request_is_accepted() -> None:
    """ACCEPTED says only that the id is known."""
    pilot = Pilot().run(10.0)
    assert ACCEPTED == pilot.command(512, 242)
    pilot.run(1.0)
    assert [] == pilot.messages("HOME_POSITION")
    pilot.ready()
    assert ACCEPTED == pilot.command(512, 242)
    pilot.run(0.1)
    home = pilot.messages("HOME_POSITION")[0]
    assert pytest.approx(10.4, abs=1e-5) == home.latitude / 1e7
    assert home.q[0] != home.q[0]


def test_reboot_drops_the_links_and_keeps_the_parameters() -> None:
    """Back with a heartbeat 0.9 s after power; armed: FAILED without a text."""
    pilot = Pilot().ready()
    pilot.parameter("RTL_ALT", 2500)
    pilot.set_mode(GUIDED)
    pilot.command(400, 1)
    quiet_s = pilot.now_s
    assert FAILED == pilot.command(246, 1)
    assert [] == [t for t in pilot.texts(quiet_s + 0.02) if "motors" not in t]
    pilot.command(400, 0)
    assert ACCEPTED == pilot.command(246, 1)
    assert pilot.copter.links_dropped
    assert not pilot.copter.powered
    pilot.copter.disconnect(0)
    again = Pilot(pilot.copter)
    begin_s = again.now_s
    beat_s, beat = again.until("HEARTBEAT")
    assert pytest.approx(0.9, abs=0.1) == beat_s - begin_s
    assert (1, STABILIZE) == (beat.system_status, beat.custom_mode)
    assert 2500.0 == again.copter.parameters["RTL_ALT"]
    assert FAILED == again.command(400, 1)
