"""A mast's places, digit by digit as they were before cameras could move.

What is said of their errors has since learnt the slope of the ground under the foot, and that a ray
which grazes it errs by more than a straight line says: it may be wider than it was, and no narrower.
"""

import numpy as np
import pytest

from edge.geolocate import GroundLocator
from edge.pose import FixedPose
from geo.frames import GeodeticPoint
from geo.lens import Lens
from geo.terrain import FlatTerrain

LENS = Lens(
    fx_px=1758.0,
    fy_px=1755.0,
    cx_px=641.2,
    cy_px=355.8,
    width_px=1280,
    height_px=720,
    k1=-0.12,
    k2=0.03,
    p1=0.001,
    p2=-0.0005,
)
MAST = FixedPose(
    GeodeticPoint(lon_deg=104.4421, lat_deg=10.4232, alt_hae_m=-2.0),
    azimuth_deg=271.3,
    pitch_deg=-7.4,
    roll_deg=1.2,
    horizontal_sigma_m=0.8,
    vertical_sigma_m=0.4,
    azimuth_sigma_deg=0.5,
    pitch_sigma_deg=0.3,
    roll_sigma_deg=0.3,
    time_sigma_s=0.05,
)
WIDER = (0.999, 1.1)
# Foot; longitude and latitude; total covariance ee, en, nn; shared ee; ce90; velocity e, n, sigma.
GOLDEN = (
    (
        (640.0, 700.0),
        (104.4418276655401, 10.423204780852553),
        (3.1614946777392334, -0.043702353691074905, 0.7111950393106365, 3.134323558597062),
        (3.0697418099626494, -0.14622631903021163, 0.21527799895052002, 0.08163302555063957),
    ),
    (
        (200.0, 400.0),
        (104.44148885466493, 10.423059638351498),
        (18.583338576344303, 4.045189398460825, 1.9382454093926296, 17.96929127651692),
        (7.338711135348878, -0.7094199105398312, 0.30816188274401723, 0.3828668680611054),
    ),
    (
        (30.0, 300.0),
        (104.4410733007848, 10.422866941009081),
        (86.86455005276915, 27.683005221114485, 10.729064201336483, 82.07227272321254),
        (16.160895262599656, -1.9529229697366974, 0.16197075071739864, 1.089179236668823),
    ),
)


def locate(foot):
    locator = GroundLocator(
        LENS, MAST, FlatTerrain(alt_hae_m=-12.0), terrain_sigma_m=0.3, lens_sigma_px=1.0
    )
    return locator.locate(
        MAST.at(0.0),
        np.array([foot]),
        np.diag([4.0, 9.0])[None],
        velocity_px_s=np.array([[12.0, -3.0]]),
        velocity_cov=np.eye(2)[None] * 4.0,
    )[0]


@pytest.mark.parametrize(("foot", "lonlat", "cov", "rest"), GOLDEN)
def test_place_of_a_mast_is_what_it_was(foot, lonlat, cov, rest):
    """Longitude and latitude to the last digit; the errors as they were, or wider by a tenth."""
    found = locate(foot)
    place, speed = found.position, found.velocity
    assert lonlat == pytest.approx((place.lon_deg, place.lat_deg), rel=1e-15)
    (east, cross), (_, north) = place.cov_enu_m2
    shared = place.cov_bias_enu_m2[0][0]
    for was, now in zip(cov, (east, cross, north, shared), strict=True):
        assert WIDER[0] <= now / was <= WIDER[1]
    assert WIDER[0] <= place.ce90_m / rest[0] <= WIDER[1]
    assert rest[1:3] == pytest.approx((speed.east_m_s, speed.north_m_s), rel=1e-3)
    assert rest[3] == pytest.approx(speed.sigma_m_s, rel=0.1)


def test_bearing_of_a_mast_is_what_it_was():
    """A ray above the horizon: azimuth, sigma and range to eight digits."""
    found = locate((1100.0, 150.0))
    said = found.bearing
    assert (286.11660084681813, 0.5112593541696242, 333.6245813795805, 2000.0) == pytest.approx(
        (said.azimuth_deg, said.sigma_deg, said.range_min_m, said.range_max_m), rel=1e-8
    )
