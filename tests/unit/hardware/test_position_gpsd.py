"""The gpsd driver on a clock that is moved by hand: what is a fix, what is not, and what it costs."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from hardware.position_gpsd.py3_child import reports
from hardware.position_gpsd.reports import parse_object
from runtime.clock import ClockQuality, ErrorBounds, SystemClock
from tests.unit.hardware.gpsd_talk import LAT_DEG, LON_DEG, Talk, sky, tpv

GOOD_SKY = sky([40.0, 41.0, 42.0, 43.0, 44.0, 45.0])


def test_a_fix_in_space_has_place_heights_covariance_and_satellites():
    """What gpsd states arrives under its own name and unit."""
    talk = Talk()
    fix = talk.epoch(sky=sky([40.0] * 7 + [20.0]))
    assert "fix_3d" == fix.status
    assert (pytest.approx(LON_DEG), pytest.approx(LAT_DEG)) == (fix.lon_deg, fix.lat_deg)
    assert (-4.0, 8.0) == (fix.alt_hae_m, fix.alt_msl_m)
    np.testing.assert_allclose(np.diag([4.0, 9.0, 25.0]), fix.cov_enu_m2)
    assert 7 == fix.satellites
    assert b'"enable":true' in talk.stream.sent


@pytest.mark.parametrize("gone", ["lat", "lon"])
def test_a_missing_coordinate_is_no_fix_and_never_zero(gone):
    """A receiver may say mode 3 before it has a place."""
    fix = Talk().epoch(without=[gone])
    assert ("none", None, None) == (fix.status, fix.lon_deg, fix.lat_deg)


def test_zero_zero_is_refused_and_counted():
    """A daemon that fills what it does not know with zeros makes no place."""
    talk = Talk()
    assert "none" == talk.epoch(lat=0.0, lon=0.0).status
    assert {"gpsd_null_island": 1} == talk.driver.counters


def test_a_fix_in_the_plane_has_no_height():
    """Nor an accuracy of one that anybody could use."""
    fix = Talk().epoch(mode=2)
    assert ("fix_2d", None, None) == (fix.status, fix.alt_hae_m, fix.alt_msl_m)
    assert fix.cov_enu_m2[2, 2] == pytest.approx(1e6)


@pytest.mark.parametrize(
    ("without", "expected_m"),
    [
        (["epx"], (4.0, 4.0, 5.0)),  # One axis alone is not used: the plane's stands for both.
        (["epv"], (2.0, 3.0, 9.0)),  # Three times the worse axis.
        (["epx", "epy", "eph"], None),
    ],
)
def test_unstated_errors(without, expected_m):
    """What is not stated is larger than what is, and nothing stated is no covariance."""
    fix = Talk().epoch(eph=4.0, without=without)
    if expected_m is None:
        assert fix.cov_enu_m2 is None
    else:
        np.testing.assert_allclose(expected_m, np.sqrt(np.diag(fix.cov_enu_m2)))


def test_a_receivers_own_standard_deviations_go_before_gpsds_guess():
    """For as long as they are fresh."""
    talk = Talk()
    talk.epoch(epx=19.0, epy=19.0)
    talk.hear(b'{"class":"GST","device":"/dev/ttyACM0","lat":2.3,"lon":3.5,"alt":4.0}\r\n')
    fix = talk.epoch(epx=19.0, epy=19.0)
    np.testing.assert_allclose([3.5, 2.3, 4.0], np.sqrt(np.diag(fix.cov_enu_m2)))
    old = talk.epoch(epx=19.0, epy=19.0, past_s=2.5)
    np.testing.assert_allclose([19.0, 19.0, 5.0], np.sqrt(np.diag(old.cov_enu_m2)))


def test_an_old_gpsd_has_an_ellipsoidal_height_only_by_the_geoid():
    """The receiver's height above the sea and the geoid make one, with the geoid's own doubt."""
    assert Talk().epoch(without=["altHAE"]).alt_hae_m is None
    fix = Talk(geoid=lambda _lon_deg, _lat_deg: -12.0).epoch(without=["altHAE"])
    assert (-4.0, 8.0) == (fix.alt_hae_m, fix.alt_msl_m)
    assert fix.cov_enu_m2[2, 2] == pytest.approx(26.0)


def test_nothing_heard_of_a_receiver_makes_a_fix_stale():
    """By our own monotonic clock, and at the moment of asking."""
    talk = Talk()
    talk.epoch()
    talk.clock.advance(3.0)
    assert "fix_3d" == talk.driver.latest().status
    talk.clock.advance(0.1)
    stale = talk.driver.latest()
    assert "stale" == stale.status
    assert pytest.approx(3.1) == talk.clock.monotonic_s() - stale.t_monotonic_s


def test_a_receiver_that_tells_no_time_is_judged_by_its_arrival():
    """Some sentences have none; that is no standing still."""
    talk = Talk()
    found = {talk.epoch(without=["time"]).status for _ in range(20)}
    assert {"fix_3d"} == found


def test_a_time_that_stands_still_is_stale():
    """A daemon that repeats the last report for ever is as dead as a silent one."""
    talk = Talk()
    talk.epoch()
    stopped = talk.clock.utc()
    fixes = []
    for _ in range(6):
        talk.clock.advance(1.0)
        fixes.append(talk.hear(tpv(stopped)).status)
    assert ["fix_3d"] * 3 + ["stale"] * 3 == fixes
    assert "fix_3d" == talk.epoch().status


def test_a_jump_on_an_unknown_speed_is_not_possible_after_a_while():
    """Without a stated speed any place is reached in time; only a new place that holds is believed."""
    talk = Talk()
    slow = {"without": ["speed", "eps"]}
    for _ in range(5):
        talk.epoch(**slow)
    found = [talk.epoch(east_m=3000.0, **slow).status for _ in range(60)]
    assert ["jumped"] * 30 == found[:30]
    assert "fix_3d" == found[-1]


def test_a_place_that_wanders_is_never_believed():
    """Each fix far from the one before: nothing holds, and the last believed place stays."""
    talk = Talk()
    here = talk.epoch()
    found = [talk.epoch(east_m=1000.0 * (1 + k % 7)) for k in range(100)]
    assert {"jumped"} == {fix.status for fix in found}
    assert {here.lon_deg} == {fix.lon_deg for fix in found}


def test_a_gap_allows_what_can_have_been_driven():
    """A minute without a fix, and a kilometre: no jump at 50 m/s. Ten kilometres: a jump."""
    for distance_m, status in ((1000.0, "fix_3d"), (10_000.0, "jumped")):
        talk = Talk()
        talk.epoch()
        talk.epoch(mode=1)
        assert status == talk.epoch(past_s=60.0, east_m=distance_m).status


def test_the_receivers_count_of_interference_is_heard_and_ends():
    """`jam` in TPV, from the limit on; five quiet seconds after it the fix counts again."""
    talk = Talk()
    assert "fix_3d" == talk.epoch(jam=127).status
    jammed = talk.epoch(jam=128, east_m=5.0)
    assert "jammed" == jammed.status
    assert jammed.lon_deg == pytest.approx(LON_DEG)
    assert "128 of 255" in jammed.reason
    found = [talk.epoch(jam=8).status for _ in range(7)]
    assert ["jammed"] * 5 == found[:5]
    assert "fix_3d" == found[-1]


def test_all_satellites_weak_together_is_a_jam_and_one_is_not():
    """A tree hides one; only a jammer, or something over the antenna, hides all."""
    talk = Talk()
    for _ in range(30):
        talk.epoch(sky=GOOD_SKY)
    assert "fix_3d" == talk.epoch(sky=sky([20.0, 41.0, 42.0, 43.0, 44.0, 45.0])).status
    jammed = talk.epoch(sky=sky([26.0, 27.0, 28.0, 29.0, 30.0, 31.0]))
    assert ("jammed", "all satellites became weak together") == (jammed.status, jammed.reason)
    for _ in range(8):
        talk.epoch(sky=GOOD_SKY)
    assert "fix_3d" == talk.driver.latest().status


def test_signals_that_stay_weaker_become_the_measure():
    """A wet cable costs ten minutes of trust, not the rest of the year."""
    talk = Talk()
    for _ in range(30):
        talk.epoch(sky=GOOD_SKY)
    weak = sky([28.0, 29.0, 30.0, 31.0, 32.0, 33.0])
    found = [talk.epoch(sky=weak).status for _ in range(900)]
    assert "jammed" == found[10]
    assert "fix_3d" == found[-1]


def test_a_fix_lost_at_once_under_a_good_sky_looks_jammed():
    """Strong satellites, no fix: after two seconds it has a name."""
    talk = Talk()
    for _ in range(30):
        talk.epoch(sky=GOOD_SKY)
    found = [talk.epoch(mode=1, sky=GOOD_SKY) for _ in range(4)]
    assert ["none", "none", "jammed", "jammed"] == [fix.status for fix in found]
    empty = [talk.epoch(mode=1, sky=sky([])).status for _ in range(320)]
    assert "jammed" == empty[60]  # Five minutes later nobody knows any more what was heard before.
    assert "none" == empty[-1]


def test_a_named_receiver_is_the_only_one_heard():
    """Two receivers on one gpsd would look like a place that jumps."""
    talk = Talk(device="/dev/ttyACM0")
    for _ in range(20):
        talk.epoch()
        assert "fix_3d" == talk.hear(tpv(talk.clock.utc(), device="/dev/other", lat=48.0)).status
    assert {} == talk.driver.counters


def test_another_receiver_takes_over_when_the_first_has_no_fix():
    """Without a named one: the first that speaks, until it has had nothing to say."""
    talk = Talk()
    talk.epoch()
    assert talk.hear(tpv(talk.clock.utc(), device="b", lat=48.0)).lat_deg == pytest.approx(LAT_DEG)
    for _ in range(4):
        talk.epoch(mode=1)
    fix = talk.hear(tpv(talk.clock.utc(), device="b", lat=48.0))
    assert ("fix_3d", 48.0) == (fix.status, fix.lat_deg)
    assert 1 == talk.driver.counters["gpsd_receiver_changed"]


def test_a_refused_connection_is_tried_ever_more_rarely():
    """One second, two, four, at most thirty; nothing waits here."""
    talk = Talk(refuse=True)
    pauses = []
    for _ in range(8):
        pauses.append(talk.driver.read(0.5))
        talk.clock.advance(pauses[-1])
    assert [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0] == pauses
    assert 8 == talk.driver.counters["gpsd_connection_failed"]
    talk.refuse = False
    assert "fix_3d" == talk.epoch().status


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (b"", "gpsd_connection_closed"),
        (ConnectionResetError(104, "reset"), "gpsd_connection_failed"),
    ],
)
def test_a_lost_connection_is_made_again(end, reason):
    """What was half heard is forgotten with it."""
    talk = Talk()
    talk.epoch()
    talk.hear(b'{"class":"TPV","mode":3,', end)
    assert talk.streams[0].closed
    talk.clock.advance(1.0)
    talk.driver.read(0.5)
    assert 2 == len(talk.streams)
    assert "fix_3d" == talk.epoch().status
    assert {reason: 1} == talk.driver.counters


def test_a_gpsd_without_a_receiver_is_asked_and_kept():
    """It says nothing because it has nothing to say; one that does not answer is left."""
    talk = Talk()
    talk.driver.read(0.5)
    for _ in range(3):
        talk.clock.advance(10.5)
        talk.driver.read(0.5)
        assert talk.stream.sent.endswith(b"?VERSION;\n")
        talk.hear(b'{"class":"VERSION","release":"3.22"}\r\n')
    assert 1 == len(talk.streams)
    talk.clock.advance(10.5)
    talk.driver.read(0.5)
    talk.clock.advance(5.5)
    talk.driver.read(0.5)
    assert talk.streams[0].closed
    assert {"gpsd_silent": 1} == talk.driver.counters


def test_a_flood_does_not_hold_a_read():
    """On a clock that stands still too: a read takes so many bytes and comes back."""
    talk = Talk()
    talk.driver.read(0.0)
    talk.stream.waiting.extend([b"\r\n" * 32_768] * 100)
    talk.driver.read(0.5)
    assert 90 < len(talk.stream.waiting)


def test_a_compass_is_heard_beside_the_receiver():
    """It is a device of its own; old words of it are none."""
    talk = Talk()
    talk.epoch()
    talk.hear(b'{"class":"ATT","device":"/dev/compass","heading":271.5}\r\n')
    assert 271.5 == talk.driver.attitude().heading_deg
    talk.clock.advance(3.5)
    assert talk.driver.attitude() is None


# --- time -----------------------------------------------------------------------------------------
def offset(talk, kind, offset_s, clock_late_s=0.0):
    now_s = talk.clock.utc().timestamp() - clock_late_s
    data = {"class": kind, "device": "/dev/ttyACM0"}
    for name, value in (("real", now_s - offset_s), ("clock", now_s)):
        data |= {f"{name}_sec": int(value), f"{name}_nsec": int(value % 1.0 * 1e9)}
    return json.dumps(data).encode() + b"\r\n"


def three_fixes(talk):
    for _ in range(3):
        talk.epoch()
    return talk


def test_a_serial_line_tells_the_clock_to_about_a_second():
    """TOFF comes up to a second late: 0.3 s says that the clock is at most 0.7 s slow."""
    talk = three_fixes(Talk())
    talk.hear(offset(talk, "TOFF", 0.3))
    bounds = talk.driver.clock_error()
    assert ("gps", 0.0) == (bounds.source, bounds.least_s)
    assert pytest.approx(0.7, abs=1e-3) == bounds.largest_s


@pytest.mark.parametrize(
    ("said_s", "least_s", "largest_s"),
    [
        (-0.2, 0.0, 1.2),  # Within the wander: no contradiction.
        (-5.0, 4.7, 6.0),
        (1.0, 0.0, 1.3),
        (10.0, 9.0, 10.3),
    ],
)
def test_a_contradiction_is_only_what_no_delay_explains(said_s, least_s, largest_s):
    """Ten seconds are, two tenths are not."""
    talk = three_fixes(Talk())
    talk.hear(offset(talk, "TOFF", said_s))
    bounds = talk.driver.clock_error()
    assert pytest.approx((least_s, largest_s), abs=2e-3) == (bounds.least_s, bounds.largest_s)


def test_a_pulse_tells_it_to_milliseconds():
    """Where the serial line agrees which second it is."""
    talk = three_fixes(Talk())
    talk.hear(offset(talk, "TOFF", 0.3), offset(talk, "PPS", 0.02))
    bounds = talk.driver.clock_error()
    assert "pps" == bounds.source
    assert pytest.approx(0.025, abs=1e-3) == bounds.largest_s
    talk.hear(offset(talk, "PPS", 7.0))
    assert "gps" == talk.driver.clock_error().source


def test_a_receivers_time_counts_after_three_fixes():
    """Before, it may be the time of its factory."""
    talk = Talk()
    talk.epoch()
    talk.hear(offset(talk, "TOFF", 0.3))
    assert talk.driver.clock_error() is None
    talk.epoch()
    talk.epoch(jam=200)
    talk.hear(offset(talk, "TOFF", 0.3))
    assert talk.driver.clock_error() is None


def test_the_clock_of_another_machine_is_none_of_ours():
    """Its gpsd's clock must be the one that we read."""
    talk = three_fixes(Talk())
    talk.hear(offset(talk, "TOFF", 0.3, clock_late_s=60.0))
    assert talk.driver.clock_error() is None


def test_a_receiver_that_is_1024_weeks_wrong_still_tells_the_second():
    """As old ones are; its date is no reason to distrust a good clock."""
    talk = three_fixes(Talk())
    talk.hear(offset(talk, "TOFF", 0.3 - 1024 * 7 * 86_400))
    bounds = talk.driver.clock_error()
    assert (0.0, pytest.approx(0.7, abs=1e-3)) == (bounds.least_s, bounds.largest_s)


def test_what_was_measured_grows_old_and_follows_a_step():
    """200 ppm of doubt, and a step of the clock is known exactly."""
    talk = three_fixes(Talk())
    talk.hear(offset(talk, "TOFF", 0.3))
    talk.clock.advance(1000.0)
    assert pytest.approx(0.9, abs=1e-2) == talk.driver.clock_error().largest_s
    talk.clock.synchronise(
        talk.clock.utc().replace(year=2027), ClockQuality(source="boot", error_s=None)
    )
    assert talk.driver.clock_error().least_s > 3e7
    talk.clock.advance(7 * 3600.0)
    assert talk.driver.clock_error() is None


@pytest.mark.parametrize(
    ("stated_s", "least_s", "largest_s", "expected"),
    [
        (0.5, 0.0, 0.7, ("manual", 0.5)),  # No contradiction, and no better.
        (0.5, 0.0, 0.02, ("gps", 0.02)),
        (0.5, 3.0, 4.0, ("manual", 4.0)),  # Its keeper's promise does not hold.
        (None, 0.0, 0.7, ("gps", 0.7)),
        (None, 30.0, 31.0, ("boot", None)),  # Known to be wrong is not synchronised.
    ],
)
def test_a_witness_betters_or_contradicts_the_clocks_word(stated_s, least_s, largest_s, expected):
    """The smaller promise that nobody contradicts, and the larger error when somebody does."""
    clock = SystemClock(stated_error_s=stated_s)
    clock._asked_s = float("inf")  # The kernel of the machine that runs this has no part in it.
    clock.hear(lambda: ErrorBounds(source="gps", least_s=least_s, largest_s=largest_s))
    quality = clock.quality()
    assert expected == (quality.source, quality.error_s)


# --- gpsd-py3 -------------------------------------------------------------------------------------
def response(**changes):
    """What the library makes of a poll, its zeros included."""
    fields = {
        "mode": 3, "sats": 9, "sats_valid": 7, "lon": 104.5, "lat": 10.4, "alt": 8.0, "track": 0,
        "hspeed": 0, "climb": 0, "time": "2026-11-23T02:40:12.000Z",
        "error": {"c": 0, "s": 0, "t": 0.005, "v": 6.0, "x": 2.0, "y": 3.0},
    }  # fmt: skip
    return SimpleNamespace(**(fields | changes))


def test_the_librarys_zeros_are_left_out():
    """Zero stands for missing there; `alt` has no datum; satellites have no strength."""
    fix, view = (parse_object(one) for one in reports(response()))
    assert (104.5, 10.4, None, None) == (fix.lon_deg, fix.lat_deg, fix.alt_hae_m, fix.alt_msl_m)
    assert (2.0, 3.0, 6.0) == (fix.east_error_m, fix.north_error_m, fix.up_error_m)
    assert (None, None, None) == (fix.speed_m_s, fix.track_deg, fix.climb_m_s)
    assert 7 == view.used


@pytest.mark.parametrize("changes", [{"lat": 0.0}, {"lon": 0.0}, {"time": ""}, {"mode": 1}])
def test_what_the_library_was_not_told_is_no_fix(changes):
    """A coordinate of zero, or a fix without a time, which may be an old one told again."""
    fix = parse_object(next(reports(response(**changes))))
    assert (False, 1) == (fix.has_place, fix.mode)
