"""The normal distribution in one and two dimensions, vectorised without SciPy."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray

# Chebyshev coefficients of ln(erfc(z) exp(z^2) (1 + z/2)) in 1 / (1 + z/2).
_ERFC = (
    -1.26551223,
    1.00002368,
    0.37409196,
    0.09678418,
    -0.18628806,
    0.27886807,
    -1.13520398,
    1.48851587,
    -0.82215223,
    0.17087277,
)
# Radius of the 90 % circle over the larger sigma, at ratios 0, 0.05 .. 1 of the two sigmas.
_CE90_RATIO = (
    1.64485,
    1.64561,
    1.64791,
    1.65179,
    1.65731,
    1.66461,
    1.67383,
    1.68523,
    1.69918,
    1.71626,
    1.73708,
    1.76212,
    1.79152,
    1.82511,
    1.86253,
    1.90335,
    1.94716,
    1.99359,
    2.04236,
    2.09321,
    2.14597,
)


def normal_cdf(x: npt.ArrayLike) -> FloatArray:
    """Return P(X <= x) of the standard normal, any shape; relative error below 2e-7.

    Source: the rational Chebyshev fit of erfc in Press et al., Numerical Recipes, section 6.2.
    """
    value = np.asarray(x, dtype=np.float64)
    z = np.abs(value) / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.5 * z)
    poly = np.zeros_like(t)
    for coefficient in reversed(_ERFC):
        poly = poly * t + coefficient
    upper = 0.5 * t * np.exp(-z * z + poly)
    return np.asarray(np.where(value > 0.0, 1.0 - upper, upper), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEllipse:
    """The ellipse that holds a stated probability; azimuth of the major axis, 0 <= a < 180."""

    semi_major_m: float
    semi_minor_m: float
    azimuth_deg: float


def error_ellipse(cov_enu_m2: npt.ArrayLike, probability: float) -> ErrorEllipse:
    """Turn a 2x2 east-north covariance into the ellipse holding ``probability`` (0..1, open)."""
    if not 0.0 < probability < 1.0:
        raise ValueError(
            f"probability is {probability}; it must lie between 0 and 1, both excluded"
        )
    (east, across), (across_too, north) = np.asarray(cov_enu_m2, dtype=np.float64).tolist()
    # The axes of two by two have a closed form, which one alert after another asks for.
    twist = 0.5 * (across + across_too)
    middle, half = 0.5 * (east + north), math.hypot(0.5 * (east - north), twist)
    scale = math.sqrt(-2.0 * math.log1p(-probability))
    major = scale * math.sqrt(max(middle + half, 0.0))
    minor = scale * math.sqrt(max(middle - half, 0.0))
    # Of the major axis from east, counter-clockwise; the azimuth counts from north, clockwise.
    angle = 0.5 * math.atan2(2.0 * twist, east - north)
    azimuth = (90.0 - math.degrees(angle)) % 180.0
    return ErrorEllipse(semi_major_m=major, semi_minor_m=minor, azimuth_deg=azimuth)


def ce90_m(cov_enu_m2: npt.ArrayLike) -> FloatArray:
    """Return the radius of the circle about the estimate that holds 90 %.

    Args:
        cov_enu_m2: (..., 2, 2) covariances, east then north.

    Returns:
        (...,) radii in metres, within 0.1 % of the exact integral.
    """
    cov = np.asarray(cov_enu_m2, dtype=np.float64)
    mean = 0.5 * (cov[..., 0, 0] + cov[..., 1, 1])
    half = np.hypot(0.5 * (cov[..., 0, 0] - cov[..., 1, 1]), cov[..., 0, 1])
    major = np.sqrt(np.maximum(mean + half, 0.0))
    minor = np.sqrt(np.maximum(mean - half, 0.0))
    ratio = np.divide(minor, major, out=np.zeros_like(major), where=major > 0.0)
    knots = np.linspace(0.0, 1.0, len(_CE90_RATIO))
    return np.asarray(major * np.interp(ratio, knots, _CE90_RATIO), dtype=np.float64)
