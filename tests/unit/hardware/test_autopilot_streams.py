"""Asking for messages: new and old autopilots, refusals, silence, and what stops coming."""

from pymavlink.dialects.v20 import ardupilotmega as mav

from hardware.autopilot_mavlink.dialect import Packer
from hardware.autopilot_mavlink.driver import MavlinkAutopilot, MavlinkSettings
from hardware.autopilot_mavlink.streams import Rates, StreamAsker, wishes
from tests.unit.hardware.mavlink_kit import Heard, World

ACCEPTED, DENIED, UNSUPPORTED, FAILED, TRY_LATER, IN_PROGRESS = 0, 2, 3, 4, 1, 5
INTERVAL, STREAM = "COMMAND_LONG", "REQUEST_DATA_STREAM"


class Autopilot:
    """Answers requests after 50 ms, by a rule, and sends what it accepted."""

    def __init__(self, answer, *, groups=None):
        self.asker = StreamAsker((1, 1), wishes(Rates()), Packer(245, 191))
        self.answer = answer
        self.groups = groups or {}
        self.now_s = 1000.0
        self.heard_s = {}
        self.sends = {}
        self.asked, self.streams = [], []
        self._parser = mav.MAVLink(None)

    def run(self, seconds):
        end_s, due = self.now_s + seconds, []
        while self.now_s < end_s:
            for frame in self.asker.step(self.now_s, self.heard_s):
                (message,) = self._parser.parse_buffer(frame)
                if message.get_type() == STREAM:
                    self.streams.append((message.req_stream_id, message.req_message_rate))
                    self.sends.update(dict.fromkeys(self.groups.get(message.req_stream_id, ()), 1))
                else:
                    key = int(message.param1)
                    self.asked.append((round(self.now_s - 1000.0, 2), key, message.param2))
                    result = self.answer(key, message.param2)
                    if result is not None:
                        due.append((self.now_s + 0.05, result))
                        if result == ACCEPTED:
                            self.sends[key] = 1
            while due and due[0][0] <= self.now_s:
                self.asker.acknowledged(511, due.pop(0)[1])
            for key in self.sends:
                self.heard_s[key] = self.now_s
            self.now_s += 0.01
        return self


def ids(asked):
    return [key for _, key, _ in asked]


def test_new_autopilot_is_asked_once_for_each_message() -> None:
    """One question at a time; nothing again while it comes."""
    pilot = Autopilot(lambda key, interval: ACCEPTED).run(120.0)
    assert [w.message_id for w in wishes(Rates())] == ids(pilot.asked)
    assert [] == pilot.streams
    assert (33, 200_000.0) == pilot.asked[0][1:]


def test_refused_message_gets_the_one_instead() -> None:
    """ATTITUDE for the quaternion, MOUNT_ORIENTATION for the device; no groups on a new autopilot."""
    known = {33, 30, 24, 193, 1, 147, 245, 242, 2}
    pilot = Autopilot(lambda key, interval: ACCEPTED if key in known else DENIED).run(60.0)
    assert 30 in ids(pilot.asked)
    assert 265 in ids(pilot.asked)
    assert [] == pilot.streams
    assert 2 == pilot.asker.refused


def test_rate_that_is_too_fast_is_halved() -> None:
    """ArduPilot refuses what its main loop cannot keep up with, and says why in a text only."""
    pilot = Autopilot(
        lambda key, interval: DENIED if key == 33 and interval < 700_000 else ACCEPTED
    ).run(30.0)
    assert [200_000.0, 400_000.0, 800_000.0] == [i for _, key, i in pilot.asked if key == 33]


def test_old_autopilot_is_asked_for_groups() -> None:
    """It knows no SET_MESSAGE_INTERVAL: unanswered or unsupported, the streams come all the same."""
    groups = {6: [33], 10: [30], 2: [24, 1], 12: [193]}
    for answer in (lambda key, interval: None, lambda key, interval: UNSUPPORTED):
        pilot = Autopilot(answer, groups=groups).run(90.0)
        assert {6, 10, 2, 12} == {stream for stream, _ in pilot.streams}
        assert {33, 30, 24, 1, 193} == set(pilot.sends)
        assert 5 == dict(pilot.streams)[6]
        asked_again = [at for at, _, _ in pilot.asked if at > 45.0]
        assert [] == asked_again


def test_group_request_is_followed_by_what_was_accepted_of_it() -> None:
    """A group's rate takes the place of single ones, so these are asked for once more."""
    vital = {33}
    pilot = Autopilot(
        lambda key, interval: FAILED if key in vital else ACCEPTED, groups={6: [33]}
    ).run(30.0)
    assert [(6, 5)] == pilot.streams
    assert 2 == ids(pilot.asked).count(242)
    assert 1 == ids(pilot.asked).count(24)


def test_answer_that_is_none_yet_is_waited_for_and_a_busy_one_asked_again() -> None:
    """IN_PROGRESS keeps waiting, TEMPORARILY_REJECTED tries again."""
    answers = iter([TRY_LATER, ACCEPTED])
    pilot = Autopilot(lambda key, interval: next(answers) if key == 33 else ACCEPTED).run(5.0)
    assert 2 == ids(pilot.asked).count(33)
    pilot = Autopilot(lambda key, interval: IN_PROGRESS if key == 33 else ACCEPTED).run(2.9)
    assert 3 == ids(pilot.asked).count(33)


def test_lost_request_is_repeated_three_times() -> None:
    """A second apart, counted up in `confirmation`."""
    pilot = Autopilot(lambda key, interval: None if key == 33 else ACCEPTED, groups={6: [33]})
    pilot.run(5.0)
    assert [0.0, 1.0, 2.0] == [round(at, 1) for at, key, _ in pilot.asked if key == 33]
    assert 1 == pilot.asker.unanswered


def test_what_falls_silent_is_asked_for_again() -> None:
    """After a while, in growing intervals, and only that."""
    pilot = Autopilot(lambda key, interval: ACCEPTED).run(20.0)
    pilot.asked.clear()
    pilot.answer = lambda key, interval: FAILED
    del pilot.sends[285]
    pilot.run(40.0)
    assert {285, 265} == set(ids(pilot.asked))


def test_vehicle_that_was_gone_is_asked_for_everything() -> None:
    """It may have been switched off meanwhile."""
    pilot = Autopilot(lambda key, interval: ACCEPTED).run(20.0)
    pilot.asked.clear()
    pilot.now_s += 6.0
    pilot.run(3.0)
    assert [w.message_id for w in wishes(Rates())] == ids(pilot.asked)


def test_acknowledgements_for_others_are_not_ours() -> None:
    """Another station's command, or another command: the question stays open."""
    heard = Heard(settings=MavlinkSettings())
    heard.copter.heartbeat()
    heard.read(0.05)
    first = [m.param1 for m in heard.line.asked(INTERVAL)]
    for target, component, command in [(255, 190, 511), (245, 191, 400)]:
        heard.copter.say(mav.MAVLink_command_ack_message(command, 0, 0, 0, target, component))
    heard.read(0.05)
    assert first == [m.param1 for m in heard.line.asked(INTERVAL)]
    heard.copter.say(mav.MAVLink_command_ack_message(511, 0, 0, 0, 245, 191))
    heard.read(0.05)
    heard.read(0.05)
    assert len(first) + 1 == len(heard.line.asked(INTERVAL))


def test_our_heartbeat_beats_once_a_second_and_never_as_a_station() -> None:
    """System 245, an onboard computer: no failsafe is held off by it."""
    heard = Heard(settings=MavlinkSettings(), met=False)
    for _ in range(100):
        heard.read(0.1)
    beats = heard.line.asked("HEARTBEAT")
    assert 10 == len(beats)
    assert {(245, 191, mav.MAV_TYPE_ONBOARD_CONTROLLER)} == {
        (m.get_srcSystem(), m.get_srcComponent(), m.type) for m in beats
    }


def test_listening_only_sends_nothing() -> None:
    """A line that is shared, or recorded elsewhere."""
    heard = Heard(settings=MavlinkSettings(transmit=False))
    for _ in range(30):
        heard.copter.heartbeat()
        heard.read()
    assert [] == heard.line.sent


def test_only_allowed_systems_are_vehicles() -> None:
    """The others are on the line and not ours."""
    heard = Heard(settings=MavlinkSettings(vehicles=frozenset({7}), transmit=False))
    assert () == heard.driver.vehicles()


def test_copter_without_interval_requests_on_its_link_is_streamed_by_groups() -> None:
    """Our simulated copter, made deaf for SET_MESSAGE_INTERVAL, sends after REQUEST_DATA_STREAM."""
    world = World()
    posted = world.posted

    def deaf(link, data):
        if int.from_bytes(data[7:10], "little") != mav.MAVLINK_MSG_ID_COMMAND_LONG:
            posted(link, data)

    world.posted = deaf
    driver = MavlinkAutopilot(
        world.connect, MavlinkSettings(), world.clock, pause=world.clock.advance
    )
    kinds = set()
    while world.clock.monotonic_s() < 1100.0:
        kinds |= {type(sample).__name__ for sample in driver.read(0.5)}
    assert {"AttitudeSample", "PositionSample", "GimbalSample"} == kinds
    assert driver.totals["group_requests"] >= 4
    assert "fix_3d" == driver.vehicles()[0].fix_status
