"""Noise that is smooth in time and may be asked at any instant, in any order.

A walk of random numbers needs all instants before; here the noise at t follows from keys and t
alone: independent Gaussian values at knots, mixed so that the variance is one everywhere.
"""

import zlib

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray


def key_of(*parts: object) -> int:
    """Return a number that follows from the parts' text, the same in every process."""
    return zlib.crc32("\x1f".join(map(str, parts)).encode())


def uniform(keys: npt.ArrayLike, knots: npt.ArrayLike) -> FloatArray:
    """Return numbers in (0, 1), independent for each pair of key and knot.

    Args:
        keys: (n,) integers.
        knots: (n,) or scalar integers.

    Source: the mixing function of splitmix64, Steele, Lea and Flood, OOPSLA 2014.
    """
    with np.errstate(over="ignore"):
        # Wrapping is what the mixing is made of.
        key = np.asarray(keys, dtype=np.int64).astype(np.uint64)
        knot = np.asarray(knots, dtype=np.int64).astype(np.uint64)
        z = key * np.uint64(0x9E3779B97F4A7C15) + knot * np.uint64(0xD1B54A32D192ED03)
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return np.asarray(((z >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53)


def gauss(keys: npt.ArrayLike, knots: npt.ArrayLike) -> FloatArray:
    """Return standard Gaussian numbers, independent for each pair of key and knot."""
    key = np.asarray(keys, dtype=np.int64)
    radius = np.sqrt(-2.0 * np.log(uniform(key, knots)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniform(key + 0x5BD1E995, knots)))


def smooth_gauss(keys: npt.ArrayLike, t_s: float, tau_s: float) -> FloatArray:
    """Return (n,) standard Gaussian numbers that change over about ``tau_s``.

    Args:
        keys: (n,) integers, one per process.
        t_s: instant.
        tau_s: time between knots, > 0.
    """
    knot = int(np.floor(t_s / tau_s))
    part = t_s / tau_s - knot
    before, after = gauss(keys, knot), gauss(keys, knot + 1)
    # Two independent values mixed linearly would lose variance in the middle.
    return np.asarray(((1.0 - part) * before + part * after) / np.hypot(1.0 - part, part))
