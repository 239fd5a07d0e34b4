"""The one source of time: monotonic for intervals, aware UTC for the record, and how good it is."""

import ctypes
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Protocol

_SINCE_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockQuality:
    """How far the UTC of this machine may be from the truth.

    Attributes:
        source: Who keeps it: ``ntp`` (a time service, by the kernel's word), ``manual`` (the operator's
            word in the config), ``gps`` or ``pps`` (a receiver compares it), ``boot`` (never synchronised: only time since boot means anything),
            ``simulated`` (a clock that is moved by a program).
        error_s: Largest expected error in seconds; None as long as nothing is known.
    """

    source: str
    error_s: float | None

    @property
    def synchronised(self) -> bool:
        """Whether UTC means anything at all."""
        return self.error_s is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBounds:
    """What a witness with a time of its own (a satellite receiver) says of this machine's UTC.

    Attributes:
        source: ``gps`` (its data) or ``pps`` (its pulse).
        least_s: UTC is wrong by at least so much.
        largest_s: and by at most so much.
    """

    source: str
    least_s: float
    largest_s: float


class Clock(Protocol):
    """What every module asks for the time."""

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; never runs backwards."""
        ...

    def utc(self) -> datetime:
        """Aware UTC."""
        ...

    def quality(self) -> ClockQuality:
        """How good `utc` is now."""
        ...


class ClockTie:
    """Watches the tie between UTC and monotonic time: it only jumps when somebody sets the clock.

    Slow corrections of a time service (slewing) are followed and are no step.

    Args:
        clock: To watch.
    """

    STEP_S = 0.5
    """A change by so much between two looks is a step."""
    _INTERRUPTED_S = 0.1

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tie_s = self._read()[0]
        """UTC seconds since 1970 minus monotonic seconds, at the last look."""

    def look(self) -> float:
        """By how many seconds the clock was stepped since the last look; 0 for not at all."""
        tie_s, took_s = self._read()
        if took_s > self._INTERRUPTED_S:
            return (
                0.0  # We were put to sleep between the two readings: they do not belong together.
            )
        step_s = tie_s - self.tie_s
        self.tie_s = tie_s
        return step_s if abs(step_s) >= self.STEP_S else 0.0

    def _read(self) -> tuple[float, float]:
        before_s = self._clock.monotonic_s()
        utc_s = self._clock.utc().timestamp()
        after_s = self._clock.monotonic_s()
        return utc_s - (before_s + after_s) / 2.0, after_s - before_s


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux, as far as it is read here.

    Source: adjtimex(2).
    """

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def kernel_clock_quality() -> ClockQuality:
    """Ask the kernel whether a time service disciplines its clock, and how well.

    Returns:
        Source ``ntp`` with the kernel's own maximum error, or ``boot`` when no service has
        synchronised it (or the kernel cannot say).
    """
    unknown = ClockQuality(source="boot", error_s=None)
    ask = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)
    if ask is None:
        return unknown
    timex = _Timex()
    state = ask(ctypes.byref(timex))
    if state < 0 or state == _TIME_ERROR or timex.status & _STA_UNSYNC:
        return unknown
    return ClockQuality(source="ntp", error_s=timex.maxerror / 1e6)


class SystemClock:
    """The clock of the machine.

    Args:
        stated_error_s: The operator's word on how good the machine's UTC is, for machines whose
            time service does not tell the kernel (containers, hosts behind a hypervisor). None
            asks the kernel.
    """

    _ASK_EVERY_S = 5.0
    _BELIEVED_WITHIN_S = 2.0
    """A clock that nobody keeps counts as synchronised when a witness finds it as right as this."""

    def __init__(self, *, stated_error_s: float | None = None) -> None:
        self._stated_error_s = stated_error_s
        self._witness: Callable[[], ErrorBounds | None] | None = None
        self._asked_s = -math.inf
        self._quality = ClockQuality(source="boot", error_s=None)
        self._tie = ClockTie(self)

    def monotonic_s(self) -> float:
        """Seconds since boot, of a suspended machine too: telemetry grows old while it sleeps.

        They go on over a restart of the process, not of the machine.
        """
        if _SINCE_BOOT is None:
            return time.monotonic()
        return time.clock_gettime(_SINCE_BOOT)

    def utc(self) -> datetime:
        """The machine's aware UTC."""
        return datetime.fromtimestamp(time.time(), tz=timezone.utc)  # noqa: TID251  # this is runtime.clock

    def hear(self, witness: Callable[[], ErrorBounds | None]) -> None:
        """Let somebody with a time of his own say how wrong this clock is; he is asked often."""
        self._witness = witness

    def quality(self) -> ClockQuality:
        """The operator's or the kernel's word, and a witness's where it is better or contradicts."""
        said = self._said()
        bounds = None if self._witness is None else self._witness()
        if bounds is None:
            return said
        if said.error_s is None:
            if bounds.largest_s > self._BELIEVED_WITHIN_S:
                return said
        elif bounds.least_s > said.error_s:
            # Wrong by more than its keeper promises: whose word it was stays, the promise does not.
            return ClockQuality(source=said.source, error_s=bounds.largest_s)
        elif bounds.largest_s >= said.error_s:
            return said
        return ClockQuality(source=bounds.source, error_s=bounds.largest_s)

    def _said(self) -> ClockQuality:
        """The stated quality, or the kernel's word at most five seconds old and of no step ago."""
        if self._stated_error_s is not None:
            return ClockQuality(source="manual", error_s=self._stated_error_s)
        now_s = self.monotonic_s()
        stepped = self._tie.look() != 0.0
        if stepped or now_s - self._asked_s >= self._ASK_EVERY_S:
            self._asked_s = now_s
            self._quality = kernel_clock_quality()
        return self._quality


class ManualClock:
    """A clock that only moves when told to, for simulations and tests.

    Args:
        start_utc: Aware UTC at the beginning.
        monotonic_s: Monotonic seconds at the beginning.
        quality: What it says about itself.
    """

    def __init__(
        self,
        start_utc: datetime,
        *,
        monotonic_s: float = 0.0,
        quality: ClockQuality | None = None,
    ) -> None:
        if start_utc.tzinfo is None:
            raise ValueError(f"start_utc is {start_utc!r}; allowed is an aware time; add its zone")
        self._start_utc = start_utc.astimezone(timezone.utc)
        self._start_s = monotonic_s
        self._elapsed_s = 0.0
        self._quality = quality or ClockQuality(source="simulated", error_s=0.0)

    def monotonic_s(self) -> float:
        """Seconds moved so far, from the given start."""
        return self._start_s + self._elapsed_s

    def utc(self) -> datetime:
        """Start plus the seconds moved so far."""
        return self._start_utc + timedelta(seconds=self._elapsed_s)

    def quality(self) -> ClockQuality:
        """What was given, or set by `synchronise`."""
        return self._quality

    def advance(self, seconds: float) -> None:
        """Move time forward.

        Args:
            seconds: Not negative.
        """
        if not seconds >= 0:
            raise ValueError(
                f"seconds is {seconds!r}; allowed is 0 or more; time only moves forward"
            )
        self._elapsed_s += seconds

    def synchronise(self, utc: datetime, quality: ClockQuality) -> None:
        """Let a time service set UTC; monotonic time is untouched.

        Args:
            utc: The true aware UTC of this moment.
            quality: What the clock says about itself from now on.
        """
        self._start_utc = utc.astimezone(timezone.utc) - timedelta(seconds=self._elapsed_s)
        self._quality = quality
