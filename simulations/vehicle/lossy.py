"""One direction of a bad radio link: it loses, doubles, delays and overtakes, the same way for the same seed."""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass

MOST_UNDER_WAY = 4096
"""Frames; a link that is asked for more loses the newest and counts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """How bad a direction is.

    Attributes:
        lost: share of frames that never arrive, 0 to 1.
        bytes_lost: share of single bytes that never arrive (what a UART loses), 0 to 1.
        doubled: share of frames that arrive twice, each with a delay of its own.
        delay_s: that every frame takes.
        jitter_s: up to so much more, drawn anew for each: unequal delays change the order.
        in_order: no frame overtakes another, however unequal the delays are.
    """

    lost: float = 0.0
    bytes_lost: float = 0.0
    doubled: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    in_order: bool = False

    def __post_init__(self) -> None:
        """Refuse shares that are none and delays into the past."""
        for name in ("lost", "bytes_lost", "doubled"):
            share = getattr(self, name)
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{name} is {share}; allowed is 0 to 1; give a share, not percent")
        for name in ("delay_s", "jitter_s"):
            delay_s = getattr(self, name)
            if not 0.0 <= delay_s < 3600.0:
                raise ValueError(f"{name} is {delay_s}; allowed is 0 to 3600 seconds")


@dataclass(slots=True, kw_only=True)
class Carried:
    """What became of the frames.

    Attributes:
        taken: given to the link.
        lost: never arriving.
        doubled: arriving twice.
        cut: arriving short of bytes.
        overflowed: lost because too many were under way.
    """

    taken: int = 0
    lost: int = 0
    doubled: int = 0
    cut: int = 0
    overflowed: int = 0


class LossyMedium:
    """A `Medium` with weather in it.

    Args:
        seed: of all draws.
        losses: the weather; may be changed while the link is in use.
    """

    def __init__(self, *, seed: int, losses: Losses | None = None) -> None:
        self._draw = random.Random(seed)
        self._under_way: list[tuple[float, int, bytes]] = []
        self._number = 0
        self._latest_s = float("-inf")
        self.losses = losses or Losses()
        self.carried = Carried()

    def carry(self, frame: bytes, now_s: float) -> None:
        """Take a frame in."""
        self.carried.taken += 1
        losses = self.losses
        if self._draw.random() < losses.lost:
            self.carried.lost += 1
            return
        twice = self._draw.random() < losses.doubled
        self.carried.doubled += twice
        for _ in range(1 + twice):
            self._send(frame, now_s)

    def due(self, now_s: float) -> Sequence[bytes]:
        """Frames (or what is left of them) that have arrived by now, in order of arrival."""
        arrived = []
        while self._under_way and self._under_way[0][0] <= now_s:
            arrived.append(heapq.heappop(self._under_way)[2])
        return arrived

    def _send(self, frame: bytes, now_s: float) -> None:
        if len(self._under_way) >= MOST_UNDER_WAY:
            self.carried.overflowed += 1
            return
        losses = self.losses
        if losses.bytes_lost > 0.0:
            kept = bytes(byte for byte in frame if self._draw.random() >= losses.bytes_lost)
            self.carried.cut += len(kept) < len(frame)
            frame = kept
        at_s = now_s + losses.delay_s + self._draw.random() * losses.jitter_s
        if losses.in_order:
            at_s = max(at_s, self._latest_s)
        self._latest_s = max(at_s, self._latest_s)
        self._number += 1
        heapq.heappush(self._under_way, (at_s, self._number, frame))
