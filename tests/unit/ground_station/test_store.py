"""The store's own promises: schema, audit chain, forgetting."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from ground_station import audit
from ground_station.keeper import KeeperWorker
from ground_station.numbers import Numbers
from ground_station.pictures import BadPicture, Pictures, jpeg_of
from ground_station.store import Store, chain, incidents, intake, people
from ground_station.store import tables as t
from ground_station.store.people import User
from runtime.errors import AskOperator
from tests.station_kit import JPEG, START, Speaker, at, crossing, observation


@pytest.fixture
def store(tmp_path):
    found = Store(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    found.migrate()
    yield found
    found.close()


def test_migrations_from_empty_give_exactly_the_tables(store):
    """What the steps build is what the program expects: no table, column or index differs."""
    with store.read() as tx:
        assert [] == compare_metadata(MigrationContext.configure(tx), t.METADATA)


def test_second_migration_changes_nothing(store):
    """An up-to-date database is left alone."""
    assert store.migrate() == store.migrate()


def test_database_of_a_newer_program_is_refused(store):
    """The error says what to do; the data stays untouched."""
    with store.write() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(AskOperator) as caught:
        store.migrate()
    assert "install the version" in caught.value.next_step


def test_database_url_that_means_nothing_is_explained():
    """Field, value, allowed and next step; a password never stands in the message."""
    with pytest.raises(AskOperator) as caught:
        Store("postgresql+nonesuch://user@host/db", password="geheim")
    assert ("store.url", False) == (caught.value.field, "geheim" in str(caught.value))


def append(store, number):
    with store.write() as tx:
        return chain.append(
            tx, t_utc=START, actor="thu", act="test", subject=f"s{number}", detail={"n": number}
        )


def test_audit_is_whole_and_names_its_last_hash(store):
    """Every row follows the one before."""
    last = [append(store, number) for number in range(5)][-1]
    with store.read() as tx:
        verdict = chain.verify(tx)
    assert (5, last.sha256, "") == (verdict.rows, verdict.head_sha256, verdict.problem)


def test_audit_rows_cannot_be_changed_through_the_database(store):
    """Not even this program updates or deletes a row."""
    append(store, 1)
    for text in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), store.write() as tx:
            tx.execute(sa.text(text))


@pytest.mark.parametrize(
    ("tampering", "problem"),
    [
        ("UPDATE audit SET actor = 'other' WHERE number = 3", "row 3 was changed"),
        ("UPDATE audit SET detail_json = '{}' WHERE number = 5", "row 5 was changed"),
        ("DELETE FROM audit WHERE number = 2", "row 2 is missing"),
        ("DELETE FROM audit WHERE number >= 4", "the chain ends at row 3, but row 5"),
        ("DELETE FROM audit", "the chain ends at row 0, but row 5"),
    ],
)
def test_tampered_audit_is_found(store, tampering, problem):
    """Whoever gets past the triggers still leaves a trace."""
    for number in range(5):
        append(store, number)
    with store.write() as tx:
        for trigger in ("audit_no_update", "audit_no_delete"):
            tx.execute(sa.text(f"DROP TRIGGER {trigger}"))
        tx.execute(sa.text(tampering))
    with store.read() as tx:
        assert chain.verify(tx).problem.startswith(problem)


def test_rewritten_row_breaks_the_row_after_it():
    """A forger who also makes the hash anew is betrayed by the next row."""
    rows, previous = [], audit.GENESIS_SHA256
    for number in (1, 2, 3):
        row = audit.next_row(
            number=number, t_utc="t", actor="a", act="x", subject="s", detail={},
            previous_sha256=previous,
        )  # fmt: skip
        rows.append(row)
        previous = row.sha256
    forged = audit.next_row(
        number=2, t_utc="t", actor="somebody else", act="x", subject="s", detail={},
        previous_sha256=rows[0].sha256,
    )  # fmt: skip
    verdict = audit.verify([rows[0], forged, rows[2]], head_number=3, head_sha256=previous)
    assert "row 3 does not follow row 2" == verdict.problem


@given(st.lists(st.integers(1, 60), max_size=80))
def test_numbers_agree_with_a_plain_set(seqs):
    """Stretches are nothing but a set of numbers in less room."""
    numbers, plain = Numbers(), set()
    for seq in seqs:
        numbers.add(seq)
        plain.add(seq)
    frontier = 0
    while frontier + 1 in plain:
        frontier += 1
    assert frontier == numbers.frontier
    assert [seq in plain for seq in range(1, 62)] == [seq in numbers for seq in range(1, 62)]
    assert plain == {seq for low, high in numbers.ranges for seq in range(low, high + 1)}
    gaps = [(a[1], b[0]) for a, b in zip(numbers.ranges, numbers.ranges[1:], strict=False)]
    assert [] == [gap for gap in gaps if gap[1] - gap[0] < 2]


@given(st.integers(1, 50), st.integers(1, 50))
def test_settling_passes_gaps_below_and_nothing_above(seq, oldest):
    """The node's word covers what it gave up, never what it still keeps."""
    numbers = Numbers([(seq, seq)])
    numbers.settle_below(oldest)
    expected = max(oldest - 1, 0)
    if seq == expected + 1 or (seq == 1 and oldest <= 2):
        expected = max(expected, seq)
    assert max(expected, 1 if seq == 1 else 0) == numbers.frontier


def test_stretches_are_bounded():
    """A node that sends every second number does not fill the memory."""
    numbers = Numbers()
    for seq in range(1, 20_000, 2):
        numbers.add(seq)
    assert 4096 == len(numbers.ranges)


def test_picture_that_is_not_what_it_says_is_refused():
    """Hash, form and completeness are checked before anything is written."""
    import base64
    import hashlib

    from wire.messages import Crop

    def crop(data, sha256=None):
        return Crop(
            track_id="01HF7YAT31JZHSMW1CG6Q6MHB7", sensor_id="cam-1", width_px=1, height_px=1,
            jpeg_base64=base64.b64encode(data).decode(),
            sha256=sha256 or hashlib.sha256(data).hexdigest(),
        )  # fmt: skip

    found = []
    for one in (crop(b"GIF89a" + b"\0" * 30), crop(JPEG[:-30]), crop(JPEG, "0" * 64)):
        with pytest.raises(BadPicture) as caught:
            jpeg_of(one)
        found.append(caught.value.reason)
    assert ["not_jpeg", "not_jpeg", "wrong_hash"] == found
    assert JPEG == jpeg_of(crop(JPEG))


def test_picture_is_there_whole_or_not_at_all(tmp_path):
    """Left-over parts are replaced, the same picture twice is one file."""
    pictures = Pictures(tmp_path)
    path = pictures.path("ab" * 32)
    path.parent.mkdir()
    path.with_suffix(".part").write_bytes(b"half")
    pictures.put("ab" * 32, JPEG)
    pictures.put("ab" * 32, JPEG)
    assert ([path], JPEG) == (list(path.parent.iterdir()), path.read_bytes())


def test_user_that_is_changed_keeps_the_rest(store):
    """A new password neither renames nor promotes."""
    user = User(name="thu", display_name="Thu", role="guard", password_hash="h", active=True)
    with store.write() as tx:
        people.save_user(tx, user, now_utc=START)
        people.save_user(tx, user, now_utc=START + timedelta(days=1))
        created = tx.execute(sa.select(t.users.c.t_created_utc_ms)).scalars().all()
        assert (1, [user]) == (len(created), people.list_users(tx))
    assert "h" not in repr(user).replace("thu", "")


def test_old_records_go_and_open_alerts_keep_their_pictures(rig):
    """Ninety days later observations and pictures are gone, the alert and its picture stay."""
    speaker = Speaker()
    rig.clock.advance(30.0)
    rig.say(*[speaker.obs(body, at(t_s)) for t_s, body in crossing(track=1)])
    rig.say(
        speaker.crop(track=1, t_utc=at(20)),
        speaker.crop(track=99, t_utc=at(20), data=JPEG[:-2] + b"\x01\xff\xd9"),
    )
    with rig.store.read() as tx:
        alert = incidents.list_alerts(tx, open_only=True, limit=1)[0]
        ids = list(tx.execute(sa.select(t.media.c.media_id)).scalars())
    assert (1, 2) == (len(alert.media_ids), len(ids))
    keeper = next(w for w, _ in rig.station.workers if isinstance(w, KeeperWorker))
    rig.clock.advance(91 * 86_400.0)
    keeper.step(rig.clock.monotonic_s())
    with rig.store.read() as tx:
        left = list(tx.execute(sa.select(t.media.c.media_id)).scalars())
        assert (0, alert.media_ids) == (intake.count_observations(tx), left)
        assert "" == chain.verify(tx).problem
        assert intake.get_media(tx, left[0]) is not None
    files = list(rig.config.media_dir.rglob("*.jpg"))
    assert 1 == len(files)


def test_pictures_beyond_the_limit_go_oldest_first(rigs):
    """A disk is not endless."""
    rig = rigs(store={"media_max_bytes": 1_000_000})
    speaker = Speaker()
    noise = random.Random(1)
    for n in range(130):
        data = JPEG[:4] + noise.randbytes(9_900) + JPEG[-2:]
        rig.clock.advance(1.0)
        rig.say(speaker.crop(track=1000 + n, t_utc=rig.clock.utc(), data=data))
    rig.step(601.0)
    with rig.store.read() as tx:
        total = tx.execute(sa.select(sa.func.sum(t.media.c.size_bytes))).scalar()
        oldest = tx.execute(sa.select(sa.func.min(t.media.c.t_arrival_utc_ms))).scalar()
    assert 900_000 < total <= 1_000_000
    assert oldest > int(START.timestamp() * 1000) + 20_000


def test_a_stranger_cannot_fill_the_roster(rig):
    """Nodes in memory are bounded, whoever speaks."""
    for number in range(600):
        rig.wire.push(*Speaker(f"n-{number}").state(START))
    rig.step()
    assert 512 == len(rig.station.desk.nodes())


def test_observation_of_a_known_id_in_one_batch_is_one_row(rig):
    """The same message twice in one commit."""
    message = Speaker().obs(observation(track=1, phase="new"), START)
    rig.say(message, message, message)
    with rig.store.read() as tx:
        assert 1 == intake.count_observations(tx)
