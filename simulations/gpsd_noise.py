"""Errors that change slowly, as a receiver's do: known at any instant without walking there."""

import math

import numpy as np

_WAVES = 96


class SlowNoise:
    """A stationary Gaussian process of sigma 1 whose memory fades exponentially.

    A sum of cosines whose frequencies are drawn from the spectrum of such a process (Lorentz's
    curve); the same seed gives the same error at the same instant, in whatever order it is asked.

    Source: Shinozuka and Deodatis, Simulation of stochastic processes by spectral representation,
    1991; the first-order Gauss-Markov process is the usual model of a receiver's position error.

    Args:
        seed: one or several whole numbers.
        correlation_s: after this time e-1 of the error is left.
    """

    def __init__(self, *seed: int, correlation_s: float) -> None:
        random = np.random.default_rng(seed)
        self._rad_s = random.standard_cauchy(_WAVES) / correlation_s
        self._phase = random.uniform(0.0, 2.0 * math.pi, _WAVES)

    def at(self, t_s: float) -> float:
        """Return the error at an instant, in sigmas."""
        waves = np.cos(self._rad_s * t_s + self._phase)
        return float(math.sqrt(2.0 / _WAVES) * waves.sum())
