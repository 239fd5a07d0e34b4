"""What a vehicle said lately, in the order of what it speaks of, however it arrived."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

Verdict = Literal["kept", "reordered", "duplicate", "too_old"]


class Timed(Protocol):
    """Anything that speaks of one instant."""

    @property
    def t_monotonic_s(self) -> float:
        """The instant, on the node's monotonic clock."""
        ...


S = TypeVar("S", bound=Timed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around(Generic[S]):
    """The samples around an instant.

    Attributes:
        older: the one before `before`.
        before: the last one at or before the instant.
        after: the first one after it.
        newest: the last one of all.
    """

    older: S | None
    before: S | None
    after: S | None
    newest: S | None


class History(Generic[S]):
    """A bounded time line of samples: the oldest go first.

    Args:
        keep_s: older than the newest by more than this is forgotten.
        max_samples: never more than so many.
    """

    def __init__(self, *, keep_s: float, max_samples: int) -> None:
        self._keep_s = keep_s
        self._max_samples = max_samples
        self._times_s: list[float] = []
        self._samples: list[S] = []

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, sample: S) -> Verdict:
        """Put a sample where its time belongs; a second word on the same instant replaces the first."""
        t_s = sample.t_monotonic_s
        times = self._times_s
        if not times or t_s > times[-1]:
            times.append(t_s)
            self._samples.append(sample)
            self._trim()
            return "kept"
        if t_s < times[-1] - self._keep_s or (t_s < times[0] and len(times) >= self._max_samples):
            return "too_old"
        index = bisect_right(times, t_s)
        if times[index - 1] == t_s and index > 0:
            self._samples[index - 1] = sample
            return "duplicate"
        times.insert(index, t_s)
        self._samples.insert(index, sample)
        self._trim()
        return "reordered"

    def around(self, t_s: float) -> Around[S]:
        """Neighbours of an instant."""
        samples = self._samples
        index = bisect_right(self._times_s, t_s)
        return Around(
            older=samples[index - 2] if index >= 2 else None,
            before=samples[index - 1] if index >= 1 else None,
            after=samples[index] if index < len(samples) else None,
            newest=samples[-1] if samples else None,
        )

    def between(self, from_s: float, to_s: float) -> Sequence[S]:
        """Every sample of a span, both ends included."""
        start = bisect_right(self._times_s, from_s)
        while start > 0 and self._times_s[start - 1] == from_s:
            start -= 1
        return self._samples[start : bisect_right(self._times_s, to_s)]

    def clear(self) -> None:
        """Forget everything."""
        self._times_s.clear()
        self._samples.clear()

    def _trim(self) -> None:
        old = bisect_right(self._times_s, self._times_s[-1] - self._keep_s - 1e-9)
        gone = max(old, len(self._samples) - self._max_samples)
        if gone > 0:
            del self._times_s[:gone]
            del self._samples[:gone]
