"""A surveyed position."""

from datetime import datetime, timezone

import numpy as np
import pytest

from geo.frames import GeodeticPoint
from hardware.position_fixed import FixedPosition
from runtime.clock import ManualClock


def test_a_surveyed_position_is_always_fresh_and_carries_its_accuracy():
    """Status, place, covariance and the instant of the question."""
    clock = ManualClock(datetime(2026, 11, 23, tzinfo=timezone.utc))
    port = FixedPosition(
        GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=-8.0),
        horizontal_sigma_m=2.0,
        vertical_sigma_m=3.0,
        clock=clock,
    )
    clock.advance(3600.0)
    fix = port.latest()
    assert ("fixed_survey", 104.44, 10.42, -8.0) == (
        fix.status,
        fix.lon_deg,
        fix.lat_deg,
        fix.alt_hae_m,
    )
    assert 3600.0 == fix.t_monotonic_s
    assert np.diag([4.0, 4.0, 9.0]).tolist() == fix.cov_enu_m2.tolist()
    with pytest.raises(ValueError, match="read-only"):
        fix.cov_enu_m2[0, 0] = 0.0
