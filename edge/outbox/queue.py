"""The queue itself.

Rules (each has a test): the running number `seq` is given at the first sending and kept over
restarts; only a receipt frees a message, PUBACK merely its place in flight; without a receipt it is
sent again; an unsent plain update gives way to its track's newest word; clips, crops and plain
updates go before anything key; key ones have a reserve of their own, and what is lost all the same
is counted. A message is on disk before it is sent, and only unsent messages are ever dropped, so
that the numbers a station sees have no gap.
"""

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from edge.outbox.items import CROP, DROP_ORDER, LANES, NEVER_DROPPED, PLAIN, Due, Item
from edge.outbox.journal import EPOCH, DiskFullError, Sent, milliseconds
from edge.outbox.stamps import Stamps
from runtime.clock import Clock

LIVE_S = 60.0
"""Older than this a message is backlog and no longer goes before fresh ones."""
MAX_UNRECEIPTED = 2000
"""Messages sent and not yet receipted; a station that is silent is not flooded."""
ROW_OVERHEAD_BYTES = 300
_COLUMNS = (
    "row, seq, id, kind, parameter, body, t_event_ms, t_event_boot_s, boot_id, clock_source,"
    " clock_error_s"
)


class Outbox(Stamps):
    """A queue in one SQLite file.

    Args:
        folder: Where `outbox.db` and its reserve lie; made if absent.
        clock: For stamps, ages and the 100 ms between commits.
        boot_id: Names this boot of the machine: stamps of another boot cannot be converted.
        max_bytes: Most bytes of waiting messages.
        reserve_bytes: Beside those, for key observations and acks alone.
        resend_after_s: Without a receipt for so long a message is sent again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        boot_id: str,
        max_bytes: int,
        reserve_bytes: int,
        resend_after_s: float = 30.0,
    ) -> None:
        super().__init__(folder, clock=clock, reserve_bytes=reserve_bytes, boot_id=boot_id)
        self._max_bytes = max_bytes
        self._reserve_bytes = reserve_bytes
        self._resend_after_s = resend_after_s
        self._full = False
        self._ages: deque[tuple[int, float]] = deque()
        self._live_row = self._next_row()

    # --- putting in -------------------------------------------------------------------------------
    def put(self, *items: Item) -> bool:
        """Queue messages in one commit; if one of them is key they are on disk when this returns.

        Returns:
            Whether all were taken; each that was not is counted as lost or dropped.
        """
        with self._lock:
            # Before anything is written: on a full disk it may undo what was not committed.
            self._notice_step(self._clock.quality())
            key = [item for item in items if item.rank in NEVER_DROPPED]
            try:
                return self._put_all(items, key=bool(key))
            except DiskFullError:
                self._count["dropped_plain"] += len(items) - len(key)
            if not key:
                return False
            try:
                taken = self._on_reserve(lambda: self._put_all(key, key=True))
            except DiskFullError:
                self._count["lost_key"] += len(key)
                self._say_full(key)
                return False
            return taken and len(key) == len(items)

    def _put_all(self, items: Sequence[Item], *, key: bool) -> bool:
        taken = [self._put(item) for item in items]
        self._commit_due(force=key)
        if self._dirty_since_s is not None:
            self._uncommitted += len(items)
        if key and all(taken):
            self._full = False
        return all(taken)

    def _put(self, item: Item) -> bool:
        body = item.body.model_dump_json().encode()
        size = len(body) + ROW_OVERHEAD_BYTES
        key = item.rank in NEVER_DROPPED
        if item.track_id and item.kind in {"obs", "media"}:
            self._supersede(item.track_id, PLAIN if item.kind == "obs" else CROP)
        if not self._make_room(size, item.rank):
            self._bump("lost_key" if key else "dropped_plain")
            if key:
                self._say_full([item])
            return False
        quality = self._clock.quality()
        known_utc = self._event_utc(item, quality)
        inserted = self._write(
            "INSERT OR IGNORE INTO message (id, rank, kind, parameter, track_id, body, bytes,"
            " t_event_ms, t_event_boot_s, boot_id, clock_source, clock_error_s)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                item.id,
                item.rank,
                item.kind,
                item.parameter,
                item.track_id,
                body,
                size,
                None if known_utc is None else milliseconds(known_utc),
                item.t_event_monotonic_s,
                self._boot_id,
                quality.source,
                quality.error_s,
            ),
        )
        if inserted.rowcount:
            self._bytes += size
            self._depth += 1
            now_s = self._clock.monotonic_s()
            if not self._ages or now_s - self._ages[-1][1] >= 1.0:
                self._ages.append((inserted.lastrowid or 0, now_s))
        return True

    def _say_full(self, items: Sequence[Item]) -> None:
        self._full = True
        self._log.error("key_messages_lost", messages=len(items), kinds=[i.kind for i in items])

    def _supersede(self, track_id: str, rank: int) -> None:
        rows = self._db.execute(
            "SELECT row, bytes FROM message WHERE track_id = ? AND rank = ? AND seq IS NULL",
            (track_id, rank),
        ).fetchall()
        if rows:
            self._delete_unsent(rows)
            self._bump("superseded", len(rows))

    def _make_room(self, size: int, newcomer: int) -> bool:
        """Drop what matters no more than the newcomer until it fits; False when it never will."""
        for rank in DROP_ORDER:
            while self._bytes + size > self._max_bytes:
                rows = self._db.execute(
                    "SELECT row, bytes FROM message WHERE rank = ? AND seq IS NULL"
                    " ORDER BY row LIMIT 8",
                    (rank,),
                ).fetchall()
                if not rows:
                    break
                self._delete_unsent(rows)
                self._bump("dropped_plain", len(rows))
            if rank == newcomer:
                break
        reserve = self._reserve_bytes if newcomer in NEVER_DROPPED else 0
        return self._bytes + size <= self._max_bytes + reserve

    def _delete_unsent(self, rows: list[tuple[int, int]]) -> None:
        for row, _ in rows:
            self._write("DELETE FROM message WHERE row = ?", (row,))
        self._bytes -= sum(size for _, size in rows)
        self._depth -= len(rows)

    # --- taking out -------------------------------------------------------------------------------
    def due(
        self, limit: int, *, backlog_limit: int | None = None, key_only: bool = False
    ) -> list[Due]:
        """What should be sent now, most important first; their numbers are on disk when it returns.

        Args:
            limit: At most so many.
            backlog_limit: Of those, at most so many that are no longer fresh, so that a long
                backlog never delays live data.
            key_only: Only fresh key observations and acks: the line is full of other things.
        """
        with self._lock:
            now_s = self._clock.monotonic_s()
            self._age(now_s)
            backlog = limit if backlog_limit is None else min(limit, backlog_limit)
            again = self._again(backlog, now_s)
            backlog -= len(again)
            self._count["resent"] += len(again)
            room = min(limit - len(again), MAX_UNRECEIPTED - len(self._sent))
            room = min(room, self._depth - len(self._sent))  # With nothing unsent, ask no table.
            new: list[tuple[Any, ...]] = []
            for live, rank in LANES:
                if key_only and rank not in NEVER_DROPPED:
                    continue
                wanted = room - len(new) if live else min(room - len(new), backlog)
                if wanted > 0:
                    rows = self._unsent(rank, wanted, live=live)
                    new += rows
                    backlog -= 0 if live else len(rows)
            try:
                # Fresh ones go first even where something old is due once more.
                return self._on_reserve(lambda: self._number(new, now_s)) + again
            except DiskFullError:
                return again

    def _unsent(self, rank: int, limit: int, *, live: bool) -> list[tuple[Any, ...]]:
        sign = ">=" if live else "<"
        return self._db.execute(
            f"SELECT {_COLUMNS} FROM message WHERE seq IS NULL AND rank = ?"  # noqa: S608  # constants
            f" AND row {sign} ? ORDER BY row LIMIT ?",
            (rank, self._live_row, limit),
        ).fetchall()

    def _number(self, rows: list[tuple[Any, ...]], now_s: float) -> list[Due]:
        if not rows:
            self._commit_due()
            return []
        numbered: list[tuple[Any, ...]] = []
        for row in rows:
            seq = self._next_seq + len(numbered)
            # A full disk undoes what was not committed: such a row is gone at the second try.
            if self._write("UPDATE message SET seq = ? WHERE row = ?", (seq, row[0])).rowcount:
                numbered.append((row[0], seq, *row[2:]))
        self._next_seq += len(numbered)
        self._set("next_seq", self._next_seq)
        self._bump("sent", len(numbered))
        self._set("resent", self._count["resent"])
        self._commit_due(force=True)
        self._sent.update((row[1], Sent(now_s)) for row in numbered)
        return [self._as_due(row, again=False) for row in numbered]

    def _again(self, limit: int, now_s: float) -> list[Due]:
        late: list[int] = []
        for seq, sent in self._sent.items():
            if len(late) >= limit:
                break
            if sent is None or now_s - sent.at_s >= self._resend_after_s:
                late.append(seq)
        found = []
        for seq in late:
            row = self._db.execute(
                f"SELECT {_COLUMNS} FROM message WHERE seq = ?",  # noqa: S608  # constants
                (seq,),
            ).fetchone()
            if row is None:  # Nothing is left to send, and no receipt will come for it.
                del self._sent[seq]
                continue
            self._sent[seq] = Sent(now_s)
            found.append(self._as_due(row, again=True))
        return found

    def _as_due(self, row: tuple[Any, ...], *, again: bool) -> Due:
        _, seq, ident, kind, parameter, body, event_ms, boot_s, boot_id, source, error_s = row
        return Due(
            seq=seq,
            id=ident,
            kind=kind,
            parameter=parameter,
            body=body,
            t_event_utc=None if event_ms is None else EPOCH + timedelta(milliseconds=event_ms),
            t_event_boot_s=boot_s,
            boot_s_comparable=boot_id == self._boot_id,
            clock_source=source,
            clock_error_s=error_s,
            again=again,
        )

    def acknowledged(self, seq: int) -> None:
        """The broker has it; it stays here until the station has it too."""
        with self._lock:
            sent = self._sent.get(seq)
            if sent is not None:
                sent.acknowledged = True

    def not_sent(self, seq: int) -> None:
        """The transport did not take it; it is due again at once, with the same number."""
        with self._lock:
            if seq in self._sent:
                self._sent[seq] = None

    def discard(self, seq: int) -> None:
        """Give up a message that can never be sent; counted, and no receipt is awaited for it."""
        with self._lock:
            row = self._db.execute(
                "SELECT bytes, rank FROM message WHERE seq = ?", (seq,)
            ).fetchone()
            if row is None or self._sent.pop(seq, None) is None:
                return
            try:
                self._write("DELETE FROM message WHERE seq = ?", (seq,))
                self._bytes -= int(row[0])
                self._depth -= 1
                self._bump("lost_key" if row[1] in NEVER_DROPPED else "dropped_plain")
                self._commit_due(force=True)
            except DiskFullError:
                return  # It is still there, and is given up at its next turn.

    def disconnected(self) -> None:
        """Whatever the broker had not acknowledged is due again at once."""
        with self._lock:
            for seq, sent in self._sent.items():
                if sent is not None and not sent.acknowledged:
                    self._sent[seq] = None

    def receipt(self, seq: int) -> int:
        """The station has committed every number up to and including this one.

        Returns:
            How many messages that freed. A number that was never given frees nothing: it speaks
            of another outbox, and believing it would lose messages.
        """
        with self._lock:
            if seq >= self._next_seq:
                self._count["receipts_refused"] += 1
                return 0
            if all(number > seq for number in self._sent):
                return 0
            try:
                freed = self._on_reserve(lambda: self._free(seq))
            except DiskFullError:
                return 0  # The next receipt says it again.
            self._full = False
            self._reserve.restore()
            return freed

    def _free(self, seq: int) -> int:
        query = "SELECT COALESCE(SUM(bytes), 0) FROM message WHERE seq <= ?"
        freed = int(self._db.execute(query, (seq,)).fetchone()[0])
        messages = self._write("DELETE FROM message WHERE seq <= ?", (seq,)).rowcount
        self._bytes -= freed
        self._depth -= messages
        self._sent = {number: sent for number, sent in self._sent.items() if number > seq}
        self._bump("receipted", messages)
        self._commit_due()  # Lost in a crash, it only means that they are sent once more.
        return messages

    # --- looking ----------------------------------------------------------------------------------
    @property
    def storage_full(self) -> bool:
        """Whether a key message found no room even in the reserve, and nothing was freed since."""
        return self._full

    @property
    def first_seq(self) -> int:
        """Lowest number that a receipt is still awaited for; all below are done with."""
        with self._lock:
            return min(self._sent, default=self._next_seq)

    def oldest_age_s(self) -> float:
        """Seconds since the event of the oldest waiting message; 0 if none waits or nobody can tell."""
        with self._lock:
            row = self._db.execute(
                "SELECT t_event_ms, t_event_boot_s, boot_id FROM message ORDER BY row LIMIT 1"
            ).fetchone()
        if row is None:
            return 0.0
        if row[2] == self._boot_id:
            return max(0.0, self._clock.monotonic_s() - float(row[1]))
        if row[0] is None or not self._clock.quality().synchronised:
            return 0.0
        return max(0.0, (milliseconds(self._clock.utc()) - int(row[0])) / 1000.0)

    def _age(self, now_s: float) -> None:
        while self._ages and now_s - self._ages[0][1] > LIVE_S:
            self._ages.popleft()
            self._live_row = self._ages[0][0] if self._ages else self._next_row()

    def _next_row(self) -> int:
        return int(self._db.execute("SELECT COALESCE(MAX(row), 0) + 1 FROM message").fetchone()[0])
