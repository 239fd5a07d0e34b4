"""What is shown of a node: its own word, its will, and its silence."""

import json

import pytest
import sqlalchemy as sa

from geo.normal import ce90_m, error_ellipse
from ground_station.store import incidents, intake
from ground_station.views import Ellipse
from tests.station_kit import Speaker, at, observation
from wire import codec, topics


def shown(rig):
    return [(node.node_id, node.state) for node in rig.station.desk.nodes()]


def events(rig, name):
    return [event.data for event in rig.station.hub._ring if event.name == name]


def test_node_falls_silent_by_our_own_clock(rig):
    """Half a minute without a word, and the page is told."""
    speaker = Speaker()
    rig.say(speaker.birth(at(0)), speaker.state(at(0)))
    assert [("mast-1", "online")] == shown(rig)
    before = len(events(rig, "node"))
    rig.step(29.0)
    assert [("mast-1", "online")] == shown(rig)
    rig.step(2.0)
    assert [("mast-1", "silent")] == shown(rig)
    assert '"state":"silent"' in events(rig, "node")[before]


def test_silence_is_told_even_when_another_node_speaks_first(rig):
    """The batch of a living node does not swallow the news of a silent one."""
    first, second = Speaker("mast-1"), Speaker("mast-2")
    rig.say(first.birth(at(0)), first.state(at(0)), second.birth(at(0)), second.state(at(0)))
    before = len(events(rig, "node"))
    rig.clock.advance(31.0)
    rig.say(second.health(at(31)))
    told = [json.loads(data) for data in events(rig, "node")[before:]]
    assert ("mast-1", "silent") in [(one["node_id"], one["state"]) for one in told]


def test_camera_of_an_old_health_report_is_unknown(rig):
    """A node that goes on sending but reports no health says nothing of its cameras."""
    speaker = Speaker()
    rig.say(speaker.birth(at(0)), speaker.state(at(0)), speaker.health(at(0)))
    assert ["online"] == [one.status for one in rig.station.desk.nodes()[0].sensors]
    before = len(events(rig, "node"))
    rig.clock.advance(31.0)
    rig.say(speaker.obs(observation(track=1, phase="new"), at(31)))
    node = rig.station.desk.nodes()[0]
    assert ("online", ["unknown"]) == (node.state, [one.status for one in node.sensors])
    assert '"status":"unknown"' in events(rig, "node")[before]


def test_birth_and_state_of_a_batch_that_failed_are_not_lost(rigs, monkeypatch):
    """The broker keeps no second copy, so the station does, until the store takes it."""
    rig = rigs()
    speaker = Speaker()

    def full_disk(*_args, **_more):
        raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as broken:
        broken.setattr(intake, "save_state", full_disk)
        rig.say(
            speaker.birth(at(0)), speaker.state(at(0), "degraded"), speaker.state(at(0), "offline")
        )
    rig.step(1.0)
    assert [("mast-1", "offline")] == shown(rig)
    assert ["Cột 1"] == [node.name for node in rigs(clock=rig.clock).station.desk.nodes()]


def test_live_node_stays_live_through_a_batch_that_failed(rig, monkeypatch):
    """Reading the store again forgets no word and no health that was heard."""
    speaker = Speaker()
    rig.say(speaker.birth(at(0)), speaker.state(at(0)), speaker.health(at(0)))

    def full_disk(*_args, **_more):
        raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as broken:
        broken.setattr(intake, "save_ranges", full_disk)
        rig.say(speaker.obs(observation(track=1, phase="new"), at(0)))
    rig.step(1.0)
    node = rig.station.desk.nodes()[0]
    assert ("online", 1.0, ["online"]) == (
        node.state,
        node.last_word_age_s,
        [one.status for one in node.sensors],
    )


def test_retained_copies_are_no_sign_of_life(rig):
    """What the broker kept tells who a node is, not that it lives."""
    speaker = Speaker()
    rig.say(speaker.birth(at(0)), speaker.state(at(0)), retained=True)
    assert [("mast-1", "silent")] == shown(rig)
    rig.say(speaker.health(at(1)))
    assert [("mast-1", "online")] == shown(rig)


def test_will_of_an_earlier_session_is_dropped(rig):
    """The broker's late word about a dead connection does not bury the living one."""
    old = Speaker(session="01HF7YAT31JZHSMW1CG6Q6MHB0")
    new = Speaker(session="01HF7YAT31JZHSMW1CG6Q6MHB9", first_id=50)
    rig.say(old.birth(at(0)), old.state(at(0)))
    rig.say(new.birth(at(1)), new.state(at(1)), old.state(at(0), "offline"))
    assert [("mast-1", "online")] == shown(rig)
    assert 1.0 == rig.counter("states_dropped")


def test_state_that_overtakes_its_birth_counts_once_the_birth_is_there(rig):
    """Retained messages come in any order."""
    speaker = Speaker()
    rig.say(speaker.state(at(0), "storage_full"), speaker.birth(at(0)))
    assert [("mast-1", "storage_full")] == shown(rig)


def test_will_says_offline_at_once(rig):
    """A cut line is shown before the silence is long enough."""
    speaker = Speaker()
    rig.say(speaker.birth(at(0)), speaker.state(at(0)))
    rig.say(speaker.state(at(0), "offline"))
    assert [("mast-1", "offline")] == shown(rig)


def test_nodes_are_known_after_a_restart_and_silent_until_they_speak(rigs):
    """The map is not empty after a power cut, and claims nothing."""
    rig = rigs()
    speaker = Speaker()
    rig.say(speaker.birth(at(0)), speaker.state(at(0)))
    again = rigs(clock=rig.clock)
    node = again.station.desk.nodes()[0]
    assert ("Cột 1", "silent", None) == (node.name, node.state, node.last_word_age_s)
    assert ["offline"] == [sensor.status for sensor in node.sensors]


def test_node_gets_the_signed_zones_and_says_whether_they_are_in_force(rig):
    """Published retained at birth; the hash of the exact signed text comes back in health."""
    import hashlib

    from wire import codec, topics

    speaker = Speaker()
    rig.say(speaker.birth(at(0)))
    sent = rig.wire.sent("zones")
    assert [True] == [one.retain for one in sent]
    document = codec.decode(sent[0].payload, spec=topics.BY_NAME["zones"]).message.body
    sha256 = hashlib.sha256(document.signed.encode()).hexdigest()
    rig.say(speaker.health(at(1), zones_sha256="0" * 64))
    assert [False] == [node.zones_in_force for node in rig.station.desk.nodes()]
    rig.say(speaker.health(at(2), zones_sha256=sha256))
    assert [True] == [node.zones_in_force for node in rig.station.desk.nodes()]


def test_zones_keep_their_version_until_the_site_changes(rigs):
    """A restart signs the same text; a changed line is the next version."""
    from tests.station_kit import site_geojson

    def versions(rig):
        rig.say(Speaker().birth(at(0)))
        from wire import codec, topics

        body = codec.decode(rig.wire.sent("zones")[0].payload, spec=topics.BY_NAME["zones"])
        zones = codec.decode_zones(body.message.body.signed)
        return zones.version, body.message.body.signed

    first, again = versions(rigs()), versions(rigs())
    assert first == again
    site = site_geojson()
    site["features"][0]["properties"]["segments"][0]["accuracy_sigma_m"] = 3.0
    rigs.site_file.write_text(json.dumps(site))
    # A station rebuilt without its database is ahead of what nodes hold: versions are seconds.
    begun = int(at(0).timestamp())
    assert (begun, begun + 1) == (first[0], versions(rigs())[0])


def test_alert_stands_retained_for_sirens_until_it_is_closed(rig):
    """Other systems see the alert; its closing takes the retained message away."""
    from tests.station_kit import crossing

    speaker = Speaker()
    rig.clock.advance(30.0)
    rig.say(*[speaker.obs(body, at(t_s)) for t_s, body in crossing(track=1)])
    sent = rig.wire.sent("station_alert")
    assert (True, True) == (sent[-1].retain, bool(sent[-1].payload))
    alert_id = sent[-1].topic.rsplit("/", 1)[1]
    rig.wire.connected = False
    rig.station.desk.close(alert_id, outcome="nothing", by="thu", note="")
    assert len(sent) == len(rig.wire.sent("station_alert"))
    rig.wire.connected = True
    rig.step(1.0)
    assert b"" == rig.wire.sent("station_alert")[-1].payload


def test_alert_tells_other_systems_the_ellipse_that_the_page_shows(rig):
    """A camera looking along the ground is sure across its view and unsure along it: so is the word."""
    from tests.station_kit import crossing

    speaker = Speaker()
    rig.clock.advance(30.0)
    rig.say(*[speaker.obs(body, at(t_s)) for t_s, body in crossing(track=1)])
    with rig.store.read() as tx:
        view = incidents.list_alerts(tx, open_only=None, limit=1)[0]
    shown = Ellipse(semi_major_m=20.0, semi_minor_m=2.0, azimuth_deg=30.0)
    rig.station.desk._announcer.alerts([view.model_copy(update={"ellipse90": shown})])
    sent = rig.wire.sent("station_alert")[-1].payload
    place = codec.decode(sent, spec=topics.BY_NAME["station_alert"]).message.body.position
    told = error_ellipse(place.cov_enu_m2, 0.9)
    assert (20.0, 2.0, 30.0) == pytest.approx(
        (told.semi_major_m, told.semi_minor_m, told.azimuth_deg), abs=0.01
    )
    assert place.ce90_m == pytest.approx(float(ce90_m(place.cov_enu_m2)), abs=0.01)
