"""The gpsd driver on a clock that is moved by hand: what is a fix, what is not, and what it costs."""

import numpy as np
import pytest

from tests.unit.hardware.gpsd_talk import LAT_DEG, LON_DEG, Talk, sky


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


def test_nothing_heard_of_a_receiver_makes_a_fix_stale():
    """By our own monotonic clock, and at the moment of asking."""
    talk = Talk()
    talk.epoch()
    talk.clock.advance(3.0)
    assert "fix_3d" == talk.driver.latest().status
    talk.clock.advance(0.1)
    stale = talk.driver.latest()
    assert "stale" == stale.status
    assert 3.1 == pytest.approx(talk.clock.monotonic_s() - stale.t_monotonic_s)
