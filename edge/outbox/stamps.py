"""What a clock that is set, or set anew, does to the times of messages that still wait."""

from collections import deque
from datetime import datetime, timedelta
from pathlib import Path

from edge.outbox.items import Item
from edge.outbox.journal import EPOCH, DiskFullError, Journal, milliseconds
from runtime.clock import Clock, ClockQuality, ClockTie

REMEMBER_STEPS = 8
NEVER_FORGET_S = 3600.0
"""After a step of the clock nothing is forgotten by the clock for so long."""


class Stamps(Journal):
    """The part of the outbox that knows when things happened; see `edge.outbox.queue.Outbox`.

    Before the first sync a message has only its boot stamp; the sync turns it into UTC. A clock
    that is set anew later (its time service steps it) was wrong before: what was stamped by it and
    is not sent yet is corrected by the step.

    Args:
        folder: as of `Journal`.
        clock: as of `Journal`.
        reserve_bytes: as of `Journal`.
        boot_id: Names this boot of the machine: stamps of another boot cannot be converted.
    """

    def __init__(self, folder: Path, *, clock: Clock, reserve_bytes: int, boot_id: str) -> None:
        super().__init__(folder, clock=clock, reserve_bytes=reserve_bytes)
        self._boot_id = boot_id
        self._synchronised = False
        self._tie = ClockTie(clock)
        self._vouched = False
        self._wrong_ties_s: deque[float] = deque(maxlen=REMEMBER_STEPS)
        self._stepped_s: float | None = None

    def notice_clock(self) -> int:
        """After the first sync, and after a step of the clock, put the stamps of this boot right.

        Returns:
            How many.
        """
        with self._lock:
            quality = self._clock.quality()
            turned = self._notice_step(quality)
            first = quality.synchronised and not self._synchronised
            self._synchronised = quality.synchronised
            if not first:
                return turned
            try:
                turned += self._on_reserve(self._convert_stamps)
            except DiskFullError:
                self._synchronised = False  # Tried again at the next call.
                return turned
            if turned:
                self._log.info("stamps_converted", messages=turned, error_s=quality.error_s)
            return turned

    def _event_utc(self, item: Item, quality: ClockQuality) -> datetime | None:
        """UTC of an event, as far as it can be known now."""
        if not quality.synchronised:
            return None
        if item.t_event_utc is None:  # Its frame is older than the first sync.
            age_s = self._clock.monotonic_s() - item.t_event_monotonic_s
            return self._clock.utc() - timedelta(seconds=age_s)
        tie_s = (item.t_event_utc - EPOCH).total_seconds() - item.t_event_monotonic_s
        for wrong_s in self._wrong_ties_s:
            # Its frame was stamped before the step. (A film of another time fits no tie.)
            if abs(tie_s - wrong_s) < ClockTie.STEP_S / 2.0:
                return item.t_event_utc + timedelta(seconds=self._tie.tie_s - wrong_s)
        return item.t_event_utc

    def _notice_step(self, quality: ClockQuality) -> int:
        if not quality.synchronised:
            return 0  # Nobody vouches for it now; once somebody does, the whole step is seen.
        before_s = self._tie.tie_s
        step_s = self._tie.look()
        first, self._vouched = not self._vouched, True
        if first or step_s == 0.0:
            return 0
        self._stepped_s = self._clock.monotonic_s()
        # A tie that is right again is no longer a wrong one.
        kept = [one for one in self._wrong_ties_s if abs(one - self._tie.tie_s) > ClockTie.STEP_S]
        self._wrong_ties_s = deque([*kept, before_s], maxlen=REMEMBER_STEPS)
        try:
            moved = self._on_reserve(lambda: self._move_stamps(before_s, step_s, quality))
        except DiskFullError:
            moved = 0  # They keep the old clock's time; the station still has their order.
        self._log.warning("clock_stepped", step_s=round(step_s, 3), messages=moved)
        return moved

    def _move_stamps(self, before_s: float, step_s: float, quality: ClockQuality) -> int:
        moved = self._write(
            "UPDATE message SET t_event_ms = t_event_ms + ?, clock_source = ?, clock_error_s = ?"
            " WHERE seq IS NULL AND boot_id = ? AND t_event_ms IS NOT NULL"
            " AND ABS(t_event_ms - t_event_boot_s * 1000.0 - ?) < ?",
            (
                round(step_s * 1000.0),
                quality.source,
                quality.error_s,
                self._boot_id,
                before_s * 1000.0,
                ClockTie.STEP_S * 500.0,
            ),
        ).rowcount
        self._commit_due(force=True)
        return moved

    def _convert_stamps(self) -> int:
        quality = self._clock.quality()
        zero_ms = milliseconds(self._clock.utc()) - self._clock.monotonic_s() * 1000.0
        turned = self._write(
            "UPDATE message SET t_event_ms = CAST(ROUND(? + t_event_boot_s * 1000.0) AS INTEGER),"
            " clock_source = ?, clock_error_s = ? WHERE t_event_ms IS NULL AND boot_id = ?",
            (zero_ms, quality.source, quality.error_s, self._boot_id),
        ).rowcount
        self._commit_due(force=True)
        return turned

    def forget_commands(self, now_utc: datetime) -> int:
        """Drop the ids whose time is over; how many.

        A clock that was just set anew may be set back as well: then an id that it made us forget
        would let its command in a second time. So nothing is forgotten for an hour.
        """
        with self._lock:
            stepped_s = self._stepped_s
            if stepped_s is not None and self._clock.monotonic_s() - stepped_s < NEVER_FORGET_S:
                return 0
            return super().forget_commands(now_utc)
