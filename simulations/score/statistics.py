"""The few statistics of a report: percentiles, and what a count of rare events allows at most."""

import math
from collections.abc import Sequence

import numpy as np

_CONFIDENCE = 0.95
_ROUNDS = 200


def poisson_upper(count: int, *, confidence: float = _CONFIDENCE) -> float:
    """Return the one-sided upper bound of a Poisson mean after ``count`` events were seen.

    The mean at which so few events or fewer still happen with probability 1 - confidence; it equals
    half the chi-square quantile with 2 (count + 1) degrees of freedom. For no event: 2.996.

    Source: Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936.
    """
    if count < 0:
        raise ValueError(f"count is {count}; it must be 0 or more")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1, both excluded")
    wanted = math.log1p(-confidence)
    low, high = 0.0, count + 10.0 * math.sqrt(count + 1.0) + 10.0 - 2.0 * wanted
    for _ in range(_ROUNDS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if _log_at_most(count, middle) > wanted:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that a share (0..1) of the values does not exceed; None of none."""
    if not values:
        return None
    return float(np.quantile(np.asarray(values, dtype=np.float64), share))


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole, None where there is no whole."""
    return part / whole if whole > 0 else None


def _log_at_most(count: int, mean: float) -> float:
    """Return ln P(X <= count) of a Poisson variable."""
    if mean <= 0.0:
        return 0.0
    terms = [k * math.log(mean) - math.lgamma(k + 1.0) for k in range(count + 1)]
    top = max(terms)
    return top + math.log(math.fsum(math.exp(term - top) for term in terms)) - mean
