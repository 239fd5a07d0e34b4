"""One to one: which alert stands for which event, best for both sides together."""

import lap
import numpy as np

from geo._types import FloatArray


def assign(cost: FloatArray) -> list[tuple[int, int]]:
    """Pair rows with columns: as many pairs as possible, and of those ways the cheapest.

    Args:
        cost: (n, m), inf where a pair is not allowed.

    Returns:
        (row, column) pairs in order of rows.
    """
    rows, columns = cost.shape
    allowed = np.isfinite(cost)
    if not allowed.any():
        return []
    low, high = float(cost[allowed].min()), float(cost[allowed].max())
    scaled = (np.where(allowed, cost, low) - low) / max(high - low, 1e-12)
    # One pair more is always worth more than all costs together; a forbidden one is never worth it.
    alone = float(rows + columns + 1)
    size = rows + columns
    square = np.full((size, size), 10.0 * alone * size)
    square[:rows, :columns][allowed] = scaled[allowed]
    square[np.arange(rows), columns + np.arange(rows)] = alone
    square[rows + np.arange(columns), np.arange(columns)] = alone
    square[rows:, columns:] = 0.0
    _, of_row, _ = lap.lapjv(square)
    return [(row, int(of_row[row])) for row in range(rows) if of_row[row] < columns]
