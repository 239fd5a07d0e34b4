"""What a target is, as a probability of each class: Bayes with a short memory, many targets at once."""

from collections.abc import Sequence

import numpy as np

from wire.values import ObjectClass

CLASSES: tuple[ObjectClass, ...] = ("Human", "Boat", "Vehicle", "Animal", "Unknown")
CLASS_MEMORY = 0.9
"""How much of the past counts, per observation: frames of one network err alike."""
CLASS_WEIGHT = 0.5
LEAST_SURE, MOST_SURE = 0.25, 0.95
EVEN = (1.0 / len(CLASSES),) * len(CLASSES)


def voted(
    before: Sequence[tuple[float, ...]],
    said: Sequence[ObjectClass],
    confidence: Sequence[float],
) -> list[tuple[float, ...]]:
    """The probabilities after one more word each: the class said as likely as its confidence, the rest alike.

    Args:
        before: n rows, one probability for each of `CLASSES`.
        said: n classes; "Unknown" says little.
        confidence: n, 0..1, held between `LEAST_SURE` and `MOST_SURE`.
    """
    seen = np.array([CLASSES.index(one) for one in said])
    sure = np.clip(np.array(confidence, dtype=np.float64), LEAST_SURE, MOST_SURE)
    sure[seen == CLASSES.index("Unknown")] = LEAST_SURE
    likely = np.repeat(((1.0 - sure) / (len(CLASSES) - 1))[:, None], len(CLASSES), axis=1)
    likely[np.arange(len(seen)), seen] = sure
    weights = np.maximum(np.array(before), 1e-6) ** CLASS_MEMORY * likely**CLASS_WEIGHT
    weights /= weights.sum(axis=1, keepdims=True)
    return [tuple(row) for row in weights.tolist()]
