"""The outbox under any order of events: kills, cuts, receipts, full queues; nothing key is lost."""

import itertools
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.outbox import Outbox
from runtime.clock import ManualClock
from tests.unit.edge.parts import START_UTC
from tests.unit.edge.test_outbox import item


class AnyOrder(RuleBasedStateMachine):
    """A node and a station that may lose every message but never a committed one."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = ManualClock(START_UTC, monotonic_s=10.0)
        self.boxes: list[Outbox] = []
        self.promised: set[str] = set()
        self.refused_keys = 0
        self.station: dict[int, str] = {}
        self.tracks = itertools.count()

    @initialize()
    def first_start(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.boxes.append(
            Outbox(
                self.folder,
                clock=self.clock,
                boot_id="boot",
                max_bytes=6_000,
                reserve_bytes=3_000,
                resend_after_s=5.0,
            )
        )

    @property
    def box(self) -> Outbox:
        return self.boxes[-1]

    @rule()
    def kill(self) -> None:
        """Kill -9: what was not committed is gone, and the file is opened by a new process."""
        old = self.boxes.pop()
        if old._db.in_transaction:
            old._db.execute("ROLLBACK")
        old._db.close()
        self.restart()

    @rule(
        key=st.booleans(),
        kind=st.sampled_from(["obs", "obs", "media", "clip"]),
        t=st.integers(0, 3),
    )
    def put(self, key: bool, kind: str, t: int) -> None:
        one = item(kind, key=key and kind == "obs", track=f"track-{t}")
        taken = self.box.put(one)
        if one.key and taken:
            self.promised.add(one.id)
        self.refused_keys += one.key and not taken

    @rule(limit=st.integers(0, 6), lost=st.booleans(), acked=st.booleans())
    def send(self, limit: int, lost: bool, acked: bool) -> None:
        for due in self.box.due(limit, backlog_limit=max(1, limit // 2)):
            if lost:
                continue
            assert self.station.setdefault(due.seq, due.id) == due.id
            if acked:
                self.box.acknowledged(due.seq)

    @rule()
    def receipt(self) -> None:
        self.box.receipt(self.frontier())

    @rule(seconds=st.sampled_from([0.05, 1.0, 6.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.box.flush()

    @rule()
    def cut(self) -> None:
        self.box.disconnected()

    def frontier(self) -> int:
        number = 0
        while number + 1 in self.station:
            number += 1
        return number

    @invariant()
    def no_id_has_two_numbers(self) -> None:
        assert len(set(self.station.values())) == len(self.station)

    @invariant()
    def counted_bytes_are_those_on_disk(self) -> None:
        if self.boxes:
            row = self.box._db.execute("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM message")
            assert (self.box.depth, self.box.waiting_bytes) == row.fetchone()

    def teardown(self) -> None:
        """In the end the line is good: everything promised arrives, without a gap."""
        if self.boxes:
            for _ in range(200):
                self.clock.advance(6.0)
                for due in self.box.due(50):
                    self.station.setdefault(due.seq, due.id)
                self.box.receipt(self.frontier())
                if self.box.depth == 0:
                    break
            assert 0 == self.box.depth
            assert self.promised <= set(self.station.values())
            assert len(self.station) == self.frontier()
            self.box.close()
        shutil.rmtree(self.folder)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
