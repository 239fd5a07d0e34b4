"""A simulated receiver errs as much as it says, and fails in the ways it is told to."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from geo.frames import EnuFrame, GeodeticPoint
from simulations.gpsd_receiver import Receiver, ReceiverSettings
from simulations.gpsd_route import Standing, Walking, moved
from simulations.gpsd_sky import Sky, dilution
from simulations.scenario_node import GpsdFaultSettings

HERE = GeodeticPoint(lon_deg=104.5, lat_deg=10.4, alt_hae_m=-4.0)
START_UTC = datetime(2026, 11, 23, 2, 40, tzinfo=timezone.utc)


def fault(kind, at_s=10.0, lasts_s=60.0, **more):
    return GpsdFaultSettings(kind=kind, at_s=at_s, lasts_s=lasts_s, **more)


def readings(receiver, times_s):
    return [receiver.reading(t, START_UTC + timedelta(seconds=t)) for t in times_s]


def place(reading):
    return GeodeticPoint(
        lon_deg=reading.lon_deg, lat_deg=reading.lat_deg, alt_hae_m=reading.alt_hae_m
    )


def away_m(reading, point=HERE):
    return EnuFrame(point).point_to_enu(place(reading))


def used(reading):
    return sum(satellite.used for satellite in reading.satellites)


def test_errors_are_as_large_as_stated():
    """Over many receivers and hours each axis errs by its stated sigma, neither more nor less."""
    ratios = []
    for seed in range(30):
        receiver = Receiver(Standing(HERE), ReceiverSettings(seed=seed))
        for reading in readings(receiver, range(0, 7200, 120)):
            east, north, up = away_m(reading)
            ratios.append(
                (
                    east / reading.sigma_east_m,
                    north / reading.sigma_north_m,
                    up / reading.sigma_up_m,
                )
            )
    inside = (np.abs(ratios) < 1.0).mean(axis=0)
    assert inside == pytest.approx([0.683] * 3, abs=0.05)
    assert np.std(ratios, axis=0) == pytest.approx([1.0] * 3, abs=0.08)


def test_error_is_slow():
    """Neighbouring fixes share their error; fixes ten minutes apart do not."""
    near, far = [], []
    for seed in range(60):
        receiver = Receiver(Standing(HERE), ReceiverSettings(seed=seed))
        first, second, late = (away_m(r)[0] for r in readings(receiver, (0, 1, 600)))
        near.append((first, second))
        far.append((first, late))
    assert np.corrcoef(np.transpose(near))[0, 1] > 0.95
    assert abs(np.corrcoef(np.transpose(far))[0, 1]) < 0.4


def test_same_seed_same_fixes_in_any_order():
    """A receiver has no memory: asked backwards it says the same."""
    times_s = [0.0, 3.0, 17.0, 400.0]
    forwards = readings(Receiver(Standing(HERE), ReceiverSettings(seed=4)), times_s)
    backwards = readings(Receiver(Standing(HERE), ReceiverSettings(seed=4)), times_s[::-1])
    assert forwards == backwards[::-1]
    assert forwards != readings(Receiver(Standing(HERE), ReceiverSettings(seed=5)), times_s)


def test_sea_level_is_above_the_ellipsoid_by_the_geoid():
    """Height above the sea is height above the ellipsoid minus the geoid's."""
    (reading,) = readings(Receiver(Standing(HERE)), [0.0])
    assert reading.alt_msl_m == pytest.approx(reading.alt_hae_m + 12.0)
    other = Receiver(Standing(HERE), ReceiverSettings(geoid_m=30.0))
    (reading,) = readings(other, [0.0])
    assert reading.alt_msl_m == pytest.approx(reading.alt_hae_m - 30.0)


def test_motion_is_told():
    """A walker's speed and course are told within their error; one who stands has no course."""
    there = moved(HERE, distance_m=600.0, azimuth_deg=70.0)
    receiver = Receiver(Walking([HERE, there], speed_m_s=3.0))
    for reading in readings(receiver, (20.0, 90.0, 180.0)):
        assert reading.speed_m_s == pytest.approx(3.0, abs=0.4)
        assert reading.track_deg == pytest.approx(70.0, abs=8.0)
    (arrived,) = readings(receiver, [300.0])
    assert arrived.track_deg is None
    assert away_m(arrived, there)[:2] == pytest.approx([0.0, 0.0], abs=15.0)


def test_without_a_fix_there_is_time_and_no_place():
    """In the window the receiver knows the time and hears satellites, and says no place."""
    receiver = Receiver(Standing(HERE), faults=[fault("no_fix")])
    before, inside, after = readings(receiver, (9.0, 30.0, 70.0))
    assert (3, 1, 3) == (before.mode, inside.mode, after.mode)
    assert inside.lon_deg is None
    assert inside.sigma_east_m is None
    assert inside.t_utc == START_UTC + timedelta(seconds=30)
    assert len(inside.satellites) > 3
    assert used(inside) == 0


@pytest.mark.parametrize("time_too", [False, True])
def test_frozen_repeats_the_place(time_too):
    """A frozen receiver repeats itself to the last digit; its time runs on or stands as well."""
    there = moved(HERE, distance_m=600.0, azimuth_deg=70.0)
    receiver = Receiver(
        Walking([HERE, there], speed_m_s=3.0), faults=[fault("frozen", time_too=time_too)]
    )
    first, second, after = readings(receiver, (10.0, 50.0, 80.0))
    assert place(first) == place(second)
    assert (first.t_utc == second.t_utc) is time_too
    assert np.linalg.norm(away_m(after, place(first))) > 100.0


@pytest.mark.parametrize("to_deg", [0.0, 135.0])
def test_jump_moves_the_place_and_not_its_stated_error(to_deg):
    """Three hundred metres in the stated direction, and the receiver is as sure as before."""
    sound = Receiver(Standing(HERE))
    receiver = Receiver(Standing(HERE), faults=[fault("jump", jump_m=300.0, jump_to_deg=to_deg)])
    (true,), (jumped,) = readings(sound, [30.0]), readings(receiver, [30.0])
    east_m, north_m, _ = away_m(jumped, place(true))
    assert np.hypot(east_m, north_m) == pytest.approx(300.0, abs=0.1)
    assert np.degrees(np.arctan2(east_m, north_m)) == pytest.approx(to_deg, abs=0.1)
    assert jumped.sigma_east_m == true.sigma_east_m
    assert readings(receiver, [80.0]) == readings(sound, [80.0])


def test_jamming_takes_satellites_then_accuracy_then_the_fix():
    """Step by step: fewer satellites, larger stated errors, no fix; afterwards all is well."""
    receiver = Receiver(Standing(HERE), faults=[fault("jammed")])
    steps = readings(receiver, range(9, 69))
    assert steps[0].mode == 3
    assert steps[-1].mode == 1
    assert used(steps[0]) >= 6
    assert [used(r) for r in steps] == sorted((used(r) for r in steps), reverse=True)
    assert [r.jam for r in steps] == sorted(r.jam for r in steps)
    assert steps[-1].jam == 255
    fixes = [r for r in steps if r.mode == 3]
    assert fixes[-1].sigma_east_m > 3.0 * fixes[0].sigma_east_m
    assert readings(receiver, [80.0])[0].mode == 3


def test_sky_is_like_the_real_one():
    """From seven to thirteen satellites in use at Hà Tiên, with usual dilutions, round the clock."""
    for seed in range(5):
        sky = Sky(seed)
        for hour in range(24):
            seen = sky.view(HERE, START_UTC + timedelta(hours=hour))
            dop = dilution(seen)
            assert 7 <= sum(satellite.used for satellite in seen) <= 13
            assert 0.5 < dop.horizontal < 2.0
            assert 0.7 < dop.up < 3.5
            assert len({satellite.prn for satellite in seen}) == len(seen)


def test_three_satellites_give_a_place_without_a_height():
    """Three satellites make a fix in the plane, two none."""
    seen = Sky(0).view(HERE, START_UTC)
    heard = [satellite for satellite in seen if satellite.used]
    flat = dilution(tuple(heard[:3]))
    assert flat.up is None
    assert flat.horizontal > 0.5
    assert dilution(tuple(heard[:2])) is None
