"""Which running numbers of a node's outbox are committed, and how far without a gap. Pure."""

from bisect import bisect_right
from collections.abc import Iterable

MAX_STRETCHES = 4096
"""Gaps kept per node; a node with more is told of the lowest ones, the rest it sends again."""


class Numbers:
    """Stretches of committed numbers of one node, ascending, disjoint, never touching.

    Args:
        ranges: as stored.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._ranges = sorted(ranges)

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """(first, last) of each stretch."""
        return tuple(self._ranges)

    @property
    def frontier(self) -> int:
        """Highest number up to which nothing is missing; 0 when 1 is missing."""
        return self._ranges[0][1] if self._ranges and self._ranges[0][0] == 1 else 0

    def __contains__(self, seq: int) -> bool:
        at = bisect_right(self._ranges, (seq, 2**63)) - 1
        return at >= 0 and self._ranges[at][1] >= seq

    def add(self, first: int, last: int | None = None) -> None:
        """Mark a number, or all from `first` to `last`, as committed."""
        low, high = first, first if last is None else last
        if high < low:
            return
        start = bisect_right(self._ranges, (low, 0))
        if start and self._ranges[start - 1][1] >= low - 1:
            start -= 1
        end = start
        while end < len(self._ranges) and self._ranges[end][0] <= high + 1:
            low = min(low, self._ranges[end][0])
            high = max(high, self._ranges[end][1])
            end += 1
        self._ranges[start:end] = [(low, high)]
        del self._ranges[MAX_STRETCHES:]

    def settle_below(self, oldest_seq: int) -> bool:
        """Believe the node that nothing below `oldest_seq` will come; whether that changed anything."""
        if self.frontier >= oldest_seq - 1:
            return False
        self.add(1, oldest_seq - 1)
        return True

    def start_anew(self, seq: int) -> None:
        """The node's disk was replaced: its numbering began again."""
        self._ranges = [(seq, seq)]
