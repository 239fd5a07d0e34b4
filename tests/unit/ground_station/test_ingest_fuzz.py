"""Messages that are nearly right: one field of a good message is made extreme, and nothing breaks."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ground_station.store import intake
from tests.station_kit import SITE_ID, START, Speaker, at, crossing, observation, ulid
from wire import codec, topics
from wire.messages import (
    ClipAnnouncement,
    ClipChunk,
    FriendReport,
    Media,
    MissionStatus,
    VehicleReport,
)
from wire.values import GeoPoint

EXTREMES = [
    None, True, 0, -1, 1, 2**53, 2**63, 10**30, -(10**30), 1e308, -1e308, 5e-324, "", "\u0000",
    "x" * 3000, "\ud800", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z",
    "2026-11-23T19:40:00.000Z", ulid(1), [], {}, [[]], [0, 0, 0, 0],
]  # fmt: skip


def _message(name, body):
    """Messages that the kit's speaker has no word for."""
    speaker = Speaker()
    spec = topics.BY_NAME[name]
    values = {"site": SITE_ID, "node": "mast-1", "friend": "mast-1", "hash": "0" * 64}
    if name == "media":
        values["sensor"] = "cam-1"
    topic = spec.format(**{key: values[key] for key in spec.parameters})
    envelope = speaker.envelope(body, t_utc=START, sequenced=spec.outbox)
    return topic, codec.encode(envelope, spec=spec)


def _good():
    speaker = Speaker()
    clip = ClipAnnouncement(
        sensor_id="cam-1", t_start_utc=at(0), t_end_utc=at(5), sha256="0" * 64, size_bytes=7
    )
    point = GeoPoint(lon_deg=104.45, lat_deg=10.42, alt_hae_m=0.0)
    return {
        "obs": speaker.obs(observation(track=1, phase="new"), START),
        "crop": speaker.crop(track=1, t_utc=START),
        "clip": _message("media", Media(media=clip)),
        "chunk": _message("clip", ClipChunk(sha256="0" * 64, index=0, total=1, data_base64="AA==")),
        "birth": speaker.birth(START),
        "state": speaker.state(START),
        "health": speaker.health(START, oldest_seq=1),
        "ack": speaker.ack(ulid(3), START),
        "friend": _message("friend", FriendReport(friend_id="mast-1", position=point)),
        "vehicle": _message("vehicle", VehicleReport(vehicle_id="v-1", position=point)),
        "mission": _message("mission", MissionStatus(mission_id=ulid(4), state="flying")),
    }


GOOD = _good()


def _places(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, (dict, list)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(part, (*path, key))


def _changed(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _changed(value[path[0]], path[1:], new)
    return copy


@st.composite
def nearly_right(draw):
    topic, payload = GOOD[draw(st.sampled_from(sorted(GOOD)))]
    raw = json.loads(payload)
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(_places(raw))))
        raw = _changed(raw, path, draw(st.sampled_from(EXTREMES)))
        if not isinstance(raw, (dict, list)):
            break
    return topic, json.dumps(raw).encode()


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=st.lists(nearly_right(), min_size=1, max_size=4))
def test_one_extreme_field_breaks_nothing(rig, messages):
    """The workers neither raise nor stop: what cannot be kept is refused with a reason."""
    rig.say(*messages)
    rig.step(0.5)
    rig.station.desk.targets()
    rig.station.desk.nodes()


def test_after_all_extremes_a_crossing_is_still_one_alert(rig):
    """Every field of every message made extreme, one after the other; then somebody crosses."""
    for topic, payload in GOOD.values():
        raw = json.loads(payload)
        for path in list(_places(raw))[1:]:
            for extreme in (2**63, 10**30, 1e308, "\u0000"):
                rig.wire.push(topic, json.dumps(_changed(raw, path, extreme)).encode())
        rig.step()
    before = rig.station.desk.station().open_alerts
    speaker = Speaker(session="01HF7YAT31JZHSMW1CG6Q6MHB9", first_id=10_000, first_seq=10_000)
    rig.clock.advance(30.0)
    rig.say(*[speaker.obs(body, at(t_s)) for t_s, body in crossing(track=77)])
    assert (0, 1) == (before, rig.station.desk.station().open_alerts)
    with rig.store.read() as tx:
        assert intake.count_observations(tx) >= 60


@pytest.mark.parametrize("what", ["seq", "oldest_seq", "size_bytes"])
def test_number_that_no_database_keeps_is_refused(rig, what):
    """Counted as invalid; nothing of it is stored."""
    name = {"seq": "obs", "oldest_seq": "health", "size_bytes": "clip"}[what]
    topic, payload = GOOD[name]
    raw = json.loads(payload)
    path = next(path for path in _places(raw) if path and path[-1] == what)
    rig.say((topic, json.dumps(_changed(raw, path, 2**53)).encode()))
    assert 1.0 == rig.counter("messages_refused", reason="invalid")
