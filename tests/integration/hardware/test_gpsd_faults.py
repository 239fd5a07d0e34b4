"""Every fault of the simulated receiver and its daemon, seen by our driver through real sockets."""

from datetime import datetime, timezone
from itertools import groupby

import pytest

from geo.frames import GeodeticPoint
from hardware.position_gpsd import GpsdPosition, GpsdSource, Rules
from hardware.position_gpsd.jump import Place, distance_m
from runtime.clock import ManualClock
from simulations.gpsd_json import LATER
from simulations.gpsd_receiver import Receiver
from simulations.gpsd_route import Standing, Walking, moved
from simulations.gpsd_server import GpsdServer
from simulations.scenario_node import GpsdFaultSettings

HERE = GeodeticPoint(lon_deg=104.5, lat_deg=10.4, alt_hae_m=-4.0)
START_UTC = datetime(2026, 11, 23, 2, 40, tzinfo=timezone.utc)
STEP_S = 0.1


class Rig:
    """A server and a driver on one clock; one status is noted per step."""

    def __init__(self, *faults, route=None, rules=None, **options):
        self.clock = ManualClock(START_UTC)
        self.faults = faults
        receiver = Receiver(route or Standing(HERE), faults=faults)
        self.server = GpsdServer(
            receiver, self.clock, self.clock.monotonic_s, faults=faults, wait_s=0.0, **options
        )
        self.driver = GpsdPosition(
            GpsdSource(port=self.server.port, rules=rules or Rules()), self.clock
        )
        self.seen = []

    def play(self, seconds):
        for _ in range(round(seconds / STEP_S)):
            self.clock.advance(STEP_S)
            for _ in range(2):  # The second delivers what the first one sent.
                self.server.step(self.clock.monotonic_s())
                self.driver.read(0.0)
            self.seen.append((self.clock.monotonic_s(), self.driver.latest()))
        return self

    @property
    def story(self):
        """The statuses in order, each once."""
        return [status for status, _ in groupby(fix.status for _, fix in self.seen)]

    def at(self, t_s):
        return min(self.seen, key=lambda one: abs(one[0] - t_s))[1]

    def first(self, status, *, after_s=0.0):
        return next(t_s for t_s, fix in self.seen if t_s > after_s and fix.status == status)

    def worst_m(self, route=None):
        """How far from the truth the worst usable place was."""
        route = route or Standing(HERE)
        return max(
            distance_m(
                Place(lon_deg=fix.lon_deg, lat_deg=fix.lat_deg),
                Place(lon_deg=route.at(t_s).point.lon_deg, lat_deg=route.at(t_s).point.lat_deg),
            )
            for t_s, fix in self.seen
            if fix.status in {"fix_2d", "fix_3d"}
        )

    def close(self):
        self.driver.close()
        self.server.close()


@pytest.fixture
def rig():
    made = []

    def make(*faults, **options):
        made.append(Rig(*faults, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def fault(kind, at_s=40.0, lasts_s=20.0, **more):
    return GpsdFaultSettings(kind=kind, at_s=at_s, lasts_s=lasts_s, **more)


def test_a_sound_receiver_is_never_doubted(rig):
    """Ten minutes standing: one fix from the first second to the last."""
    one = rig().play(600.0)
    assert ["none", "fix_3d"] == one.story
    assert {} == dict(one.driver.counters)
    assert one.worst_m() < 15.0


def test_a_walk_and_a_drive_are_no_jumps(rig):
    """What moves as it says is believed all the way."""
    far = moved(HERE, distance_m=20_000.0, azimuth_deg=60.0)
    for speed_m_s in (1.4, 25.0):
        one = rig(route=Walking([HERE, far], speed_m_s=speed_m_s)).play(120.0)
        assert ["none", "fix_3d"] == one.story
        assert 0 == one.driver.counters.get("gpsd_jumps", 0)


def test_no_fix_gives_no_place_to_use(rig):
    """Signals gone weak at once and no fix: within a second it is not a fix, then it looks jammed."""
    one = rig(fault("no_fix")).play(80.0)
    assert {"none", "jammed"} >= {fix.status for t_s, fix in one.seen if 41.3 < t_s < 60.0}
    assert "jammed" == one.at(55.0).status
    assert "fix_3d" == one.seen[-1][1].status
    assert one.worst_m() < 15.0


def test_a_cold_receiver_has_no_fix_and_is_not_jammed(rig):
    """Without a fix before there is none to be lost."""
    one = rig(fault("no_fix", at_s=0.0, lasts_s=30.0)).play(60.0)
    assert ["none", "fix_3d"] == one.story


def test_a_receiver_that_repeats_itself_while_time_runs_is_stale(rig):
    """To the last digit, signals included, for half a minute."""
    one = rig(fault("frozen", lasts_s=60.0)).play(130.0)
    assert ["none", "fix_3d", "stale", "fix_3d"] == one.story
    assert 70.0 <= one.first("stale") <= 72.0
    assert "last digit" in one.at(80.0).reason
    assert one.first("fix_3d", after_s=90.0) <= 102.0


def test_a_receiver_whose_time_stands_still_is_stale_at_once(rig):
    """Reports arrive every second, and none of them is new."""
    one = rig(fault("frozen", lasts_s=30.0, time_too=True)).play(90.0)
    assert ["none", "fix_3d", "stale", "fix_3d"] == one.story
    assert 42.0 <= one.first("stale") <= 45.0
    assert "stands still" in one.at(60.0).reason


def test_a_jump_of_three_hundred_metres_is_not_believed(rig):
    """Not there, not on the way back; the place stays the last believed one."""
    one = rig(fault("jump", jump_m=300.0, jump_to_deg=90.0)).play(90.0)
    assert ["none", "fix_3d", "jumped", "fix_3d"] == one.story
    assert one.first("jumped") <= 41.5
    assert one.first("fix_3d", after_s=59.0) <= 61.5
    assert one.worst_m() < 15.0
    assert 1 == one.driver.counters["gpsd_jumps"]


def test_a_new_place_that_holds_is_believed(rig):
    """A receiver that was carried while nobody looked is right in the end."""
    one = rig(fault("jump", lasts_s=600.0, jump_m=300.0, jump_to_deg=90.0)).play(120.0)
    assert ["none", "fix_3d", "jumped", "fix_3d"] == one.story
    assert 70.0 <= one.first("fix_3d", after_s=50.0) <= 72.5
    assert one.worst_m() > 250.0  # For this receiver, the new place is where it says it is.


@pytest.mark.parametrize("dialect", [None, LATER])
def test_a_jammed_receiver_is_called_so(rig, dialect):
    """By its own count where gpsd tells it, else by all its satellites."""
    one = rig(fault("jammed", lasts_s=60.0), dialect=dialect).play(150.0)
    assert 40.0 < one.first("jammed") < 60.0
    assert {"jammed"} == {fix.status for t_s, fix in one.seen if 58.0 < t_s < 99.0}
    assert "fix_3d" == one.seen[-1][1].status
    assert one.worst_m() < 60.0


def test_the_receivers_own_count_is_heard_before_the_signals_fall(rig):
    """A gpsd that tells `jam` gives the alarm with its own words."""
    one = rig(fault("jammed", lasts_s=60.0), dialect=LATER).play(70.0)
    assert any("counts interference" in fix.reason for _, fix in one.seen)


def test_a_slow_receiver_is_stale_between_its_words(rig):
    """Ten seconds between reports: three of them fresh, the rest not."""
    one = rig(fault("slow", lasts_s=60.0, every_s=10.0)).play(130.0)
    assert {"stale", "fix_3d"} == {fix.status for t_s, fix in one.seen if 45.0 < t_s < 99.0}
    assert ["fix_3d"] == sorted({fix.status for t_s, fix in one.seen if t_s > 111.0})
    assert one.worst_m() < 15.0


def test_half_lines_cost_reports_and_no_truth(rig):
    """Whatever is cut, glued or dirty is refused by name; what is whole is believed."""
    one = rig(fault("half_lines", lasts_s=120.0)).play(200.0)
    counters = one.driver.counters
    assert counters["gpsd_not_json"] > 30
    assert set(counters) <= {"gpsd_not_json", "gpsd_not_text", "gpsd_no_class"}
    assert one.worst_m() < 15.0
    assert {"stale", "none", "fix_3d"} >= set(one.story)
    assert "fix_3d" == one.seen[-1][1].status


def test_a_daemon_that_dies_is_found_again(rig):
    """The connection ends, the port refuses, and within half a minute of its return there is a fix."""
    one = rig(fault("death", lasts_s=30.0)).play(120.0)
    assert ["none", "fix_3d", "stale", "fix_3d"] == one.story
    assert one.first("fix_3d", after_s=60.0) < 100.0
    assert one.driver.counters["gpsd_connection_closed"] == 1
    assert one.driver.counters["gpsd_connection_failed"] >= 3
