"""The outbox: each of its rules is one test."""

import itertools
import resource
import signal
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from edge.outbox import Item, Outbox
from edge.outbox import queue as queue_module
from edge.outbox.disk import Reserve
from edge.outbox.look import look
from runtime.clock import ClockQuality, ManualClock
from runtime.errors import AskOperator
from wire.messages import State

START_UTC = datetime(2026, 3, 1, 2, 40, tzinfo=timezone.utc)
SESSION = "01HQVQZJ000000000000000000"
UNSYNCED = ClockQuality(source="boot", error_s=None)
_numbers = itertools.count(1)


def item(kind="obs", *, key=False, track="", text="", clock=None) -> Item:
    """Any body will do: the outbox never looks inside."""
    now_s = 0.0 if clock is None else clock.monotonic_s()
    now_utc = START_UTC if clock is None else clock.utc()
    return Item(
        id=f"01HQVQZJ{next(_numbers):018d}",
        kind=kind,
        parameter="cam-1",
        body=State(session=SESSION, state="online", reason=text),
        key=key,
        track_id=track,
        t_event_utc=now_utc,
        t_event_monotonic_s=now_s,
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_UTC, monotonic_s=1000.0)


@pytest.fixture
def make(tmp_path: Path, clock: ManualClock):
    """Opens the same outbox again and again, as restarts of the node do."""
    opened: list[Outbox] = []

    def build(**changes) -> Outbox:
        values = {"max_bytes": 1_000_000, "reserve_bytes": 64_000, "boot_id": "boot-1"} | changes
        outbox = Outbox(tmp_path / "outbox", clock=clock, **values)
        opened.append(outbox)
        return outbox

    yield build
    for outbox in opened:
        outbox.close()


@pytest.fixture
def fill_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Fills the disk: no file grows past the write-ahead log until the reserve is given up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    release = Reserve.release

    def give_up(reserve: Reserve) -> bool:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        return release(reserve)

    def fill() -> None:
        wal = tmp_path / "outbox" / "outbox.db-wal"
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, before[1]))

    monkeypatch.setattr(Reserve, "release", give_up)
    yield fill
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def seqs(outbox: Outbox, limit=100, **limits) -> list[int]:
    return [due.seq for due in outbox.due(limit, **limits)]


def test_numbers_run_without_a_gap_and_go_on_after_a_restart(make):
    """`seq` is given at the first sending, and kept over restarts."""
    outbox = make()
    outbox.put(item(key=True), item(key=True))
    assert [1, 2] == seqs(outbox)
    outbox.receipt(2)
    outbox.put(item(key=True))
    outbox.close()
    assert [3] == seqs(make())


def test_sent_message_is_sent_again_after_a_restart_with_its_number(make):
    """What was sent and not receipted before kill -9 comes again, the same id, the same number."""
    first = make()
    first.put(item(key=True))
    (before,) = first.due(10)
    (after,) = make().due(10)  # The first one was never closed.
    assert (before.seq, before.id, before.body, True) == (
        after.seq,
        after.id,
        after.body,
        after.again,
    )


def test_key_message_is_on_disk_when_put_returns(make, tmp_path):
    """A power cut right after `put` of a key observation loses nothing."""
    make().put(item(key=True))
    other = sqlite3.connect(tmp_path / "outbox" / "outbox.db")
    assert [(1,)] == other.execute("SELECT COUNT(*) FROM message").fetchall()
    other.close()


def test_plain_messages_share_a_commit_of_a_tenth_of_a_second(make, tmp_path, clock):
    """Not one fsync per update: they are on disk 100 ms later at the latest."""
    outbox = make()
    other = sqlite3.connect(tmp_path / "outbox" / "outbox.db")
    count = "SELECT COUNT(*) FROM message"
    outbox.put(item(track="a"))
    clock.advance(0.05)
    outbox.put(item(track="b"))
    assert [(0,)] == other.execute(count).fetchall()
    clock.advance(0.05)
    outbox.flush()
    assert [(2,)] == other.execute(count).fetchall()
    other.close()


def test_number_is_on_disk_before_its_message_is_sent(make, tmp_path):
    """Else a kill after sending would give the same number to another message."""
    outbox = make()
    outbox.put(item(key=True))
    assert [1] == seqs(outbox)
    other = sqlite3.connect(tmp_path / "outbox" / "outbox.db")
    assert [(1,)] == other.execute("SELECT seq FROM message").fetchall()
    assert [(2,)] == other.execute("SELECT value FROM counter WHERE name = 'next_seq'").fetchall()
    other.close()


def test_only_a_receipt_frees_a_message(make):
    """PUBACK frees the place in flight; the message stays until the station has committed it."""
    outbox = make()
    outbox.put(item(key=True), item(key=True), item(key=True))
    outbox.due(10)
    for seq in (1, 2, 3):
        outbox.acknowledged(seq)
    assert 3 == outbox.depth
    assert 2 == outbox.receipt(2)
    assert (1, 3) == (outbox.depth, outbox.first_seq)


def test_without_a_receipt_a_message_is_sent_again_after_30_s(make, clock):
    """Even one that the broker acknowledged: the broker may have lost it."""
    outbox = make()
    outbox.put(item(key=True))
    assert [1] == seqs(outbox)
    outbox.acknowledged(1)
    clock.advance(29.9)
    assert [] == seqs(outbox)
    clock.advance(0.1)
    assert [1] == seqs(outbox)
    assert [] == seqs(outbox)
    assert 1 == outbox.counters.resent


def test_cut_line_makes_unacknowledged_messages_due_at_once(make):
    """What the broker may never have seen does not wait for the 30 s."""
    outbox = make()
    outbox.put(item(key=True), item(key=True))
    outbox.due(10)
    outbox.acknowledged(1)
    outbox.disconnected()
    assert [2] == seqs(outbox)


def test_receipt_for_a_number_never_given_frees_nothing(make):
    """It speaks of another outbox (the file was replaced): believing it would lose messages."""
    outbox = make()
    outbox.put(item(key=True))
    outbox.due(10)
    assert 0 == outbox.receipt(5000)
    assert (1, 1) == (outbox.depth, outbox.counters.receipts_refused)


def test_unsent_plain_update_gives_way_to_its_tracks_newest(make):
    """Only the newest word on a track waits; that is counted as superseded, not as lost."""
    outbox = make()
    for text in ("first", "second", "third"):
        outbox.put(item(track="a", text=text))
    outbox.put(item(track="b", text="other"))
    sent = [due.body.decode() for due in outbox.due(10)]
    assert [True, True] == ["third" in sent[0], "other" in sent[1]]
    assert (2, 0) == (outbox.counters.superseded, outbox.counters.dropped_plain)


def test_sent_update_is_never_superseded(make):
    """Its number is given; taking it back would leave a gap that no receipt can pass."""
    outbox = make()
    outbox.put(item(track="a"))
    assert [1] == seqs(outbox)
    outbox.put(item(track="a"))
    assert (2, 0) == (outbox.depth, outbox.counters.superseded)
    assert [2] == seqs(outbox)


def test_key_observation_is_never_superseded(make):
    """A crossing back does not hide the crossing there."""
    outbox = make()
    outbox.put(item(track="a", key=True))
    outbox.put(item(track="a", key=True))
    outbox.put(item(track="a"))
    assert 3 == outbox.depth


def test_order_of_sending_is_key_ack_crop_plain_then_backlog_then_clips(make, clock):
    """On a thin link the guard hears first what matters now."""
    outbox = make()
    outbox.put(item(key=True, text="old key"))
    outbox.put(item(track="a", text="old plain"))
    clock.advance(61.0)
    outbox.put(item("clip", text="clip"))
    for kind, key, text in (
        ("obs", False, "plain"),
        ("media", False, "crop"),
        ("ack", False, "ack"),
        ("obs", True, "key"),
    ):
        outbox.put(item(kind, key=key, track=f"track of {text}", text=text))
    clock.advance(1.0)
    order = [due.body.decode().split('"reason":"')[1].split('"')[0] for due in outbox.due(100)]
    assert ["key", "ack", "crop", "plain", "old key", "old plain", "clip"] == order


def test_backlog_leaves_room_for_live_data(make, clock):
    """A day of backlog drains through the places it is given; a live message needs no waiting."""
    outbox = make()
    outbox.put(*(item(key=True, text="old") for _ in range(50)))
    clock.advance(61.0)
    outbox.due(0)
    outbox.put(item(key=True, text="live"))
    first = outbox.due(10, backlog_limit=3)
    assert ["live", "old", "old", "old"] == [
        "live" if b"live" in due.body else "old" for due in first
    ]


def test_silent_station_is_not_flooded(make, monkeypatch):
    """Past a bound of unreceipted messages nothing new is sent until receipts come."""
    monkeypatch.setattr(queue_module, "MAX_UNRECEIPTED", 5)
    outbox = make()
    outbox.put(*(item(key=True) for _ in range(9)))
    assert [1, 2, 3, 4, 5] == seqs(outbox)
    assert [] == seqs(outbox)
    outbox.receipt(3)
    assert [6, 7, 8] == seqs(outbox)


def test_clips_crops_and_plain_updates_go_before_anything_key(make, tmp_path):
    """A full queue makes room for key observations at the cost of what matters less, counted."""
    outbox = make(max_bytes=5_000, reserve_bytes=1_000)
    outbox.put(item("clip"), item("media"), *(item(track=f"t{n}") for n in range(6)))
    for _ in range(6):
        assert outbox.put(item(key=True))
    counters = outbox.counters
    assert (0, False) == (counters.lost_key, outbox.storage_full)
    assert counters.dropped_plain > 0
    outbox.flush(force=True)
    waiting = {row["kind"]: row["messages"] for row in look(tmp_path / "outbox")["waiting"]}
    assert 6 == waiting["obs (key)"]


@pytest.mark.parametrize("kind", ["media", "clip"])
def test_no_plain_update_goes_for_a_crop_or_a_clip(make, kind):
    """What matters less never pushes out what matters more; it is the newcomer that is dropped."""
    outbox = make(max_bytes=2_000, reserve_bytes=1_000)
    tracks = itertools.count()
    while outbox.waiting_bytes < 1_700:
        outbox.put(item(track=f"t{next(tracks)}"))
    before = outbox.depth
    assert not outbox.put(item(kind))
    assert (before, 1) == (outbox.depth, outbox.counters.dropped_plain)
    assert {"obs"} == {due.kind for due in outbox.due(100)}


def test_plain_update_that_finds_no_room_is_dropped_and_counted(make):
    """Key observations are never pushed out by plain ones."""
    outbox = make(max_bytes=2_000, reserve_bytes=2_000)
    while outbox.waiting_bytes < 1_700:
        outbox.put(item(key=True))
    before = outbox.depth
    assert not outbox.put(item(track="a"))
    assert (before, 1) == (outbox.depth, outbox.counters.dropped_plain)


def test_key_loss_beyond_the_reserve_is_counted_and_said(make):
    """When even the reserve is full, the state is storage_full and each loss is counted."""
    outbox = make(max_bytes=2_000, reserve_bytes=2_000)
    taken = [outbox.put(item(key=True)) for _ in range(12)]
    assert (True, True) == (outbox.storage_full, outbox.counters.lost_key > 0)
    assert taken.count(False) == outbox.counters.lost_key
    assert taken == sorted(taken, reverse=True)
    outbox.receipt(seqs(outbox)[-1])
    assert not outbox.storage_full
    assert outbox.put(item(key=True))


def test_full_disk_opens_the_reserve_for_key_messages_alone(make, tmp_path, clock):
    """SQLite itself refuses: plain updates are dropped, key ones are still written."""
    outbox = make()
    outbox.put(item(key=True))
    reserve = tmp_path / "outbox" / "outbox.reserve"
    assert 64_000 == reserve.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    wal = tmp_path / "outbox" / "outbox.db-wal"
    try:
        # No file may grow past the write-ahead log's present size: the disk is full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, before[1]))
        outbox.put(item(track="a"))
        clock.advance(1.0)
        outbox.flush()
        assert not outbox.put(item(key=True))
        assert (1, True) == (outbox.counters.lost_key, outbox.storage_full)
        assert 0 == reserve.stat().st_size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert outbox.put(item(key=True))
    assert (2, 1) == (outbox.depth, outbox.counters.dropped_plain)
    assert [1, 2] == seqs(outbox)


def test_update_undone_by_a_full_disk_gets_no_number(make, fill_disk, clock):
    """It is gone: sending it would leave a number that nothing on disk stands behind."""
    outbox = make()
    outbox.put(item(key=True))
    fill_disk()
    outbox.put(item(track="a"))
    assert [1] == seqs(outbox)
    assert (1, 1, 2) == (outbox.depth, outbox.counters.dropped_plain, outbox._next_seq)
    clock.advance(31.0)
    assert [1] == seqs(outbox)
    outbox.receipt(1)
    outbox.put(item(key=True))
    assert [2] == seqs(outbox)


def test_receipts_undone_by_a_full_disk_are_freed_by_the_next(make, fill_disk, clock):
    """The second try frees more than the first knew of; the depth follows what was deleted."""
    outbox = make()
    outbox.put(*(item(key=True) for _ in range(3)))
    outbox.due(10)
    fill_disk()
    outbox.receipt(2)
    clock.advance(1.0)
    assert 3 == outbox.receipt(3)
    assert (0, 0, 3) == (outbox.depth, outbox.waiting_bytes, outbox.counters.receipted)


def test_what_a_full_disk_undid_is_counted_once(make, fill_disk):
    """What the undone attempt dropped does not stand beside what the second one dropped."""
    outbox = make(max_bytes=2_000, reserve_bytes=1_000)
    outbox.put(item(track="a"), item(key=True), item(key=True))
    fill_disk()
    outbox.put(item(key=True), item(key=True), item(key=True))
    counters = outbox.counters
    assert 6 == outbox.depth + counters.dropped_plain + counters.lost_key


def test_sending_again_counts_though_the_disk_is_full(make, fill_disk):
    """What was handed over once more was so, whatever becomes of the open transaction."""
    outbox = make()
    outbox.put(item(key=True), item(key=True))
    outbox.due(1)
    outbox.disconnected()
    fill_disk()
    assert [2, 1] == seqs(outbox)
    assert (2, 1) == (outbox.counters.sent, outbox.counters.resent)


def test_losses_are_remembered_over_a_restart(make):
    """A restart does not wash the counters clean."""
    outbox = make(max_bytes=2_000, reserve_bytes=1_000)
    for _ in range(12):
        outbox.put(item(key=True))
    lost = outbox.counters.lost_key
    outbox.put(item(key=True))
    outbox.close()
    assert lost + 1 == make().counters.lost_key > 1


def test_boot_stamps_become_utc_after_the_first_sync(make, clock):
    """Events from before the sync get the time they really had."""
    clock.synchronise(datetime(1970, 1, 1, tzinfo=timezone.utc), UNSYNCED)
    outbox = make()
    outbox.notice_clock()
    outbox.put(item(key=True, clock=clock))
    clock.advance(12.5)
    clock.synchronise(START_UTC, ClockQuality(source="ntp", error_s=0.02))
    assert 1 == outbox.notice_clock()
    assert 0 == outbox.notice_clock()
    (due,) = outbox.due(1)
    assert (START_UTC - timedelta(seconds=12.5), "ntp", 0.02) == (
        due.t_event_utc,
        due.clock_source,
        due.clock_error_s,
    )


def test_frame_from_before_the_first_sync_that_is_queued_after_it_gets_utc(make, clock):
    """Its frame was stamped when nobody knew the hour; by now the outbox does."""
    clock.synchronise(datetime(1970, 1, 1, tzinfo=timezone.utc), UNSYNCED)
    outbox = make()
    outbox.notice_clock()
    late = replace(item(key=True, clock=clock), t_event_utc=None)
    clock.advance(0.5)
    clock.synchronise(START_UTC, ClockQuality(source="ntp", error_s=0.02))
    outbox.notice_clock()
    outbox.put(late)
    (due,) = outbox.due(1)
    assert (START_UTC - timedelta(seconds=0.5), "ntp") == (due.t_event_utc, due.clock_source)


def test_stamps_of_another_boot_stay_boot_stamps(make, clock):
    """Seconds since another boot mean nothing now; the station files such a message by arrival."""
    clock.synchronise(START_UTC, UNSYNCED)
    first = make()
    first.put(item(key=True, clock=clock))
    first.close()
    clock.synchronise(START_UTC, ClockQuality(source="ntp", error_s=0.02))
    second = make(boot_id="boot-2")
    assert 0 == second.notice_clock()
    (due,) = second.due(1)
    assert (None, False, 1000.0) == (due.t_event_utc, due.boot_s_comparable, due.t_event_boot_s)


def test_the_same_message_is_queued_once(make):
    """Putting an id twice does not double it."""
    outbox = make()
    same = item(key=True)
    assert (True, True) == (outbox.put(same), outbox.put(same))
    assert 1 == outbox.depth


def test_command_ids_are_remembered_over_a_restart_until_their_time(make):
    """A command is obeyed once, also by a node that was killed in between."""
    outbox = make()
    until = START_UTC + timedelta(hours=1)
    assert outbox.remember_command("c1", forget_after_utc=until)
    again = make()
    assert not again.remember_command("c1", forget_after_utc=until)
    assert 0 == again.forget_commands(START_UTC)
    assert 1 == again.forget_commands(until + timedelta(seconds=1))
    assert again.remember_command("c1", forget_after_utc=until)


def test_file_that_is_no_database_is_kept_aside_and_the_node_goes_on(make, tmp_path):
    """A broken file neither stops the node nor vanishes."""
    folder = tmp_path / "outbox"
    folder.mkdir()
    (folder / "outbox.db").write_bytes(b"this is no database" * 100)
    outbox = make()
    assert outbox.put(item(key=True))
    assert 1 == len(list(folder.glob("outbox.broken-*.db")))


def test_folder_that_cannot_be_written_asks_the_operator(tmp_path, clock):
    """The message names the place and what would do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(AskOperator, match=r"node\.data_dir"):
        Outbox(tmp_path / "file", clock=clock, boot_id="b", max_bytes=10_000, reserve_bytes=1_000)


def test_no_statement_walks_the_whole_table(make, tmp_path, clock):
    """With a day of backlog every step still touches only what it needs."""
    outbox = make(max_bytes=4_000, reserve_bytes=1_000)
    asked: set[str] = set()
    outbox._db.set_trace_callback(asked.add)
    for number in range(12):
        outbox.put(item(track=f"t{number % 5}"), item("media", track="a"), item("clip"))
        outbox.put(item(key=True))
        clock.advance(31.0)
        for due in outbox.due(3, backlog_limit=2):
            outbox.acknowledged(due.seq)
        outbox.receipt(number // 2)
    outbox.oldest_age_s()
    outbox._db.set_trace_callback(None)
    steps = {
        (words, step[3])
        for words in asked
        if words.startswith(("SELECT", "UPDATE", "DELETE"))
        for step in outbox._db.execute(f"EXPLAIN QUERY PLAN {words}")
    }
    # The oldest message is the first row: a walk that ends with its first step.
    assert ["SCAN message"] == [step for _, step in steps if "SCAN message" in step]
    unsent = {step.split(" (")[0] for words, step in steps if "seq IS NULL" in words}
    assert {
        "SEARCH message USING INDEX message_track",
        "SEARCH message USING INDEX message_unsent",
    } == unsent


def test_memory_is_bounded_over_a_twenty_thousand_tracks(make, clock):
    """Messages that come and go leave nothing behind in memory or in the table."""
    outbox = make()
    for number in range(400):
        outbox.put(*(item(track=f"{number}-{k}") for k in range(50)))
        clock.advance(1.0)
        last = outbox.due(50)[-1].seq
        outbox.receipt(last)
    assert (0, 0, 0) == (outbox.depth, outbox.waiting_bytes, len(outbox._sent))
    assert len(outbox._ages) <= 62
    assert 20_000 == outbox.counters.receipted
