"""Messages in, commits and receipts out: exactly once, in any order, whatever arrives."""

import json
import random

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ground_station.ingest_door import Message, Refusal, decode
from ground_station.store import StoreUnavailable, incidents, intake
from ground_station.store import tables as t
from ground_station.transport import Arrived
from tests.station_kit import (
    SITE_ID,
    START,
    Speaker,
    at,
    crossing,
    observation,
)
from wire import codec, topics
from wire.values import ClockStamp


def receipts(rig):
    spec = topics.BY_NAME["receipt"]
    return [
        codec.decode(one.payload, spec=spec).message.body.seq for one in rig.wire.sent("receipt")
    ]


def count(rig):
    with rig.store.read() as tx:
        return intake.count_observations(tx)


def stored(rig):
    with rig.store.read() as tx:
        return tx.execute(sa.select(t.observations).order_by(t.observations.c.id)).all()


def test_receipt_follows_the_commit(rig):
    """What was committed is receipted, and at most once a second."""
    speaker = Speaker()
    rig.say(speaker.obs(observation(track=1, phase="new"), START))
    assert (1, [1]) == (count(rig), receipts(rig))
    rig.say(speaker.obs(observation(track=1), START))
    assert (2, [1]) == (count(rig), receipts(rig))
    rig.step(1.0)
    assert [1, 2] == receipts(rig)


def test_order_of_arrival_does_not_matter(rig):
    """The receipt stops at a gap and passes it once the gap is filled."""
    speaker = Speaker()
    messages = [speaker.obs(observation(track=n, phase="new"), START) for n in range(1, 5)]
    rig.say(messages[0], messages[3], messages[2])
    assert [1] == receipts(rig)
    rig.step(1.0)
    rig.say(messages[1])
    assert [1, 4] == receipts(rig)


def test_repeated_message_counts_once_and_is_receipted_again(rig):
    """A lost receipt is made good by the repetition."""
    speaker = Speaker()
    message = speaker.obs(observation(track=1, phase="new"), START)
    rig.say(message, message)
    rig.step(1.0)
    rig.say(message)
    assert (1, [1, 1]) == (count(rig), receipts(rig))
    assert 2.0 == rig.counter("messages_duplicate")


def test_gap_that_the_node_gave_up_is_passed_by_its_own_word(rig):
    """A number that was dropped at the node never blocks its outbox."""
    speaker = Speaker(first_seq=7)
    rig.say(speaker.obs(observation(track=1, phase="new"), START))
    assert [0] == receipts(rig)
    rig.step(1.0)
    rig.say(speaker.health(START, oldest_seq=7))
    assert [0, 7] == receipts(rig)


def test_replaced_disk_starts_the_count_anew(rig):
    """A node whose numbering begins again is never told to forget what we do not have."""
    old = Speaker()
    rig.say(*[old.obs(observation(track=n, phase="new"), START) for n in range(1, 6)])
    assert [5] == receipts(rig)
    rig.step(1.0)
    fresh = Speaker(session="01HF7YAT31JZHSMW1CG6Q6MHB8", first_id=500)
    rig.say(fresh.obs(observation(track=9, phase="new"), START))
    assert [5, 1] == receipts(rig)
    assert 1.0 == rig.counter("node_renumbered")


def test_crash_between_commit_and_receipt_is_made_good(rigs):
    """Committed, killed before the receipt: the node sends again, the store has it once."""
    rig = rigs()
    speaker = Speaker()
    messages = [speaker.obs(observation(track=n, phase="new"), START) for n in range(1, 4)]
    rig.wire.connected = False
    rig.say(*messages)
    assert (3, []) == (count(rig), receipts(rig))
    again = rigs(clock=rig.clock)
    again.say(*messages)
    assert (3, [3]) == (count(again), receipts(again))


def test_crash_before_the_commit_keeps_nothing_and_promises_nothing(rig, monkeypatch):
    """A transaction that fails leaves no row, no receipt and no alert; the repetition is judged."""
    speaker = Speaker()
    messages = [speaker.obs(body, at(t_s)) for t_s, body in crossing(track=1)]
    rig.clock.advance(30.0)
    failing = {"left": 1}
    real = intake.save_ranges

    def full_disk(tx, node_id, ranges):
        if failing["left"]:
            failing["left"] -= 1
            raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))
        real(tx, node_id, ranges)

    monkeypatch.setattr(intake, "save_ranges", full_disk)
    rig.say(*messages)
    with rig.store.read() as tx:
        assert (0, []) == (
            intake.count_observations(tx),
            incidents.list_alerts(tx, open_only=None, limit=9),
        )
    assert [] == receipts(rig)
    rig.say(*messages)
    with rig.store.read() as tx:
        alerts = incidents.list_alerts(tx, open_only=None, limit=9)
    assert (60, 1, ["warning"]) == (count(rig), len(alerts), [one.level for one in alerts])


def test_receipt_that_is_owed_never_covers_a_batch_that_failed(rig, monkeypatch):
    """A receipt held back by its pace goes out after the failure with the committed number only."""
    speaker = Speaker()
    messages = [speaker.obs(observation(track=n, phase="new"), START) for n in range(1, 4)]
    rig.say(messages[0])
    rig.say(messages[1])
    assert [1] == receipts(rig)

    def full_disk(_tx, _node_id, _ranges):
        raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as broken:
        broken.setattr(intake, "save_ranges", full_disk)
        rig.clock.advance(1.0)
        rig.say(messages[2])
    assert (2, [1]) == (count(rig), receipts(rig))
    rig.step(1.0)
    assert [1, 2] == receipts(rig)


@pytest.mark.parametrize("killed_after", [1, 5, 20, 33, 34, 35, 36, 40, 55, 59])
def test_restart_in_the_middle_of_a_crossing_gives_one_alert(rigs, killed_after):
    """Killed at any step of the walk, the station raises the crossing exactly once."""
    rig = rigs()
    speaker = Speaker()
    walk = [speaker.obs(body, at(t_s)) for t_s, body in crossing(track=1)]
    for message in walk[:killed_after]:
        rig.clock.advance(0.5)
        rig.say(message)
    rig = rigs(clock=rig.clock)
    for message in walk[killed_after:]:
        rig.clock.advance(0.5)
        rig.say(message)
    with rig.store.read() as tx:
        alerts = incidents.list_alerts(tx, open_only=None, limit=9)
    warnings = [one for one in alerts if one.level == "warning"]
    assert (60, 1, 1) == (count(rig), len(warnings), len(alerts))
    assert "crossing" in {reason.rule for reason in warnings[0].reasons}


@pytest.mark.parametrize("killed_after", [0, 20, 34, 45])
def test_crossing_behind_an_outage_is_one_alert_and_late_if_nobody_knew_of_it(rigs, killed_after):
    """The station lies down for five minutes, the node keeps everything: one alert, never two."""
    rig = rigs()
    speaker = Speaker()
    walk = [speaker.obs(body, at(t_s)) for t_s, body in crossing(track=1)]
    for message in walk[:killed_after]:
        rig.clock.advance(0.5)
        rig.say(message)
    rig = rigs(clock=rig.clock)
    rig.clock.advance(300.0)
    rig.step()
    for start in range(max(0, killed_after - 3), len(walk), 7):
        rig.say(*walk[start : start + 7])
        rig.step(0.2)
    with rig.store.read() as tx:
        alerts = incidents.list_alerts(tx, open_only=None, limit=9)
    nobody_knew = killed_after == 0
    assert [("warning", nobody_knew)] == [(one.level, one.late) for one in alerts]
    assert "crossing" in {reason.rule for reason in alerts[0].reasons}
    assert 60 == count(rig)


def test_late_is_decided_at_the_commit(rig):
    """More than a minute after capture is late; the clock's word is kept otherwise."""
    speaker = Speaker()
    rig.clock.advance(100.0)
    rig.say(
        speaker.obs(observation(track=1, phase="new"), at(39.0)),
        speaker.obs(observation(track=2, phase="new"), at(41.0)),
    )
    assert [True, False] == [row.late for row in stored(rig)]


def test_node_without_the_time_is_filed_by_arrival(rig):
    """Boot seconds tell how long ago; the station's own clock tells when."""
    speaker = Speaker()
    body = observation(track=1, phase="new")
    envelope = speaker.envelope(
        body, sequenced=True, clock=ClockStamp(source="boot"),
        t_event_boot_s=100.0, t_sent_boot_s=103.0,
    )  # fmt: skip
    spec = topics.BY_NAME["obs"]
    topic = spec.format(site=SITE_ID, node="mast-1", sensor="cam-1")
    rig.clock.advance(50.0)
    rig.say((topic, codec.encode(envelope, spec=spec)))
    row = stored(rig)[0]
    assert (True, 3000) == (row.filed_by_arrival, row.t_arrival_utc_ms - row.t_event_utc_ms)


def test_capture_from_the_future_is_filed_by_arrival(rig):
    """A clock that runs ahead of its own stated error is not believed."""
    speaker = Speaker()
    rig.say(
        speaker.obs(observation(track=1, phase="new"), at(3600.0)),
        speaker.obs(observation(track=2, phase="new"), at(1.0)),
    )
    assert [True, False] == [row.filed_by_arrival for row in stored(rig)]


def test_message_that_can_never_be_read_does_not_hold_the_outbox(rig):
    """Its number is settled and counted, nothing of it is stored."""
    speaker = Speaker()
    topic, payload = speaker.obs(observation(track=1, phase="new"), START)
    rig.say((topic, payload.replace(b'"confidence":0.9', b'"confidence":7')))
    assert (0, [1]) == (count(rig), receipts(rig))
    assert 1.0 == rig.counter("messages_refused", reason="invalid")


def test_newer_major_version_is_refused_and_kept_at_the_node(rig):
    """An update of the station will read it: no receipt until then."""
    topic, payload = Speaker().obs(observation(track=1, phase="new"), START)
    rig.say((topic, payload.replace(b"bw/1.0", b"bw/2.0")))
    assert (0, []) == (count(rig), receipts(rig))
    assert 1.0 == rig.counter("messages_refused", reason="newer_major")


def test_newer_minor_version_is_read_and_its_news_counted(rig):
    """The contract only grows."""
    topic, payload = Speaker().obs(observation(track=1, phase="new"), START)
    raw = json.loads(payload)
    raw["schema"] = "bw/1.7"
    raw["body"]["mood"] = "calm"
    rig.say((topic, json.dumps(raw).encode()))
    assert (1, 1.0) == (count(rig), rig.counter("unknown_fields"))


def test_production_station_refuses_simulated_nodes(rigs):
    """Nothing simulated stands among real records unless the station is one for exercises."""
    speaker = Speaker(simulated=True)
    message = speaker.obs(observation(track=1, phase="new"), START)
    production = rigs()
    production.say(message)
    assert (0, []) == (count(production), receipts(production))
    exercise = rigs(station={"allow_simulated": True})
    exercise.say(message)
    assert (1, [1]) == (count(exercise), receipts(exercise))


def test_one_node_cannot_speak_for_another(rig):
    """Topic, envelope and body name the same node and sensor, or the message is refused."""
    topic, payload = Speaker("mast-2").obs(observation(track=1, phase="new"), START)
    rig.say(
        (topic.replace("mast-2", "mast-1"), payload),
        (topic.replace("cam-1", "cam-2"), payload),
        (topic.replace(SITE_ID, "elsewhere"), payload),
    )
    assert 0 == count(rig)
    assert [1.0, 1.0, 1.0] == [
        rig.counter("messages_refused", reason=reason)
        for reason in ("wrong_node", "wrong_sensor", "foreign_topic")
    ]


@settings(max_examples=200, deadline=None)
@given(
    topic=st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            [spec.format(**{key: {"hash": "0" * 64, "alert": "0" * 26}.get(key, "a-1")
                            for key in spec.parameters}) for spec in topics.TABLE]
        ),
    ),
    payload=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["schema", "id", "seq", "body", "node_id"]), inner),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)  # fmt: skip
def test_no_bytes_crash_the_door(topic, payload):
    """Whatever arrives on whatever topic becomes a message or a refusal with a reason."""
    arrived = Arrived(topic=topic, payload=payload, retained=False, t_monotonic_s=0.0)
    found = decode(arrived, site_id="a-1", allow_simulated=True)
    assert isinstance(found, Message) or (isinstance(found, Refusal) and found.reason)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_order_with_repetitions_stores_each_once(rigs, seed):
    """At-least-once delivery in any order ends in exactly-once records and a full receipt."""
    shuffle = random.Random(seed)
    rig = rigs()
    with rig.store.write() as tx:
        for table in (t.observations, t.seq_ranges):
            tx.execute(sa.delete(table))
    rig = rigs()
    speaker = Speaker()
    messages = [speaker.obs(observation(track=n, phase="new"), START) for n in range(1, 13)]
    arrivals = messages + shuffle.choices(messages, k=10)
    shuffle.shuffle(arrivals)
    while arrivals:
        size = shuffle.randint(1, 5)
        rig.say(*arrivals[:size])
        arrivals = arrivals[size:]
    rig.step(1.0)
    rig.say(messages[0])
    rig.step(1.0)
    assert (12, 12) == (count(rig), receipts(rig)[-1])


def test_store_that_is_away_pauses_the_worker(rig, monkeypatch):
    """The worker waits as long as the error says and does not die."""
    ingest = rig.station.workers[0][0]

    def away(_arrived):
        raise StoreUnavailable("disk full", retry_after_s=1.0)

    monkeypatch.setattr(rig.station.desk, "take", away)
    topic, payload = Speaker().obs(observation(track=1, phase="new"), START)
    rig.wire.push(topic, payload)
    assert 1.0 == ingest.step(rig.clock.monotonic_s())
