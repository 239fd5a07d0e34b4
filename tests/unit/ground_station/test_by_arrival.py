"""What a guard is told when the node's clock cannot be believed."""

import pytest

from ground_station.store import incidents
from tests.station_kit import SITE_ID, Speaker, crossing
from wire import codec, topics
from wire.values import ClockStamp

WORDS = ("(giờ nhận tin)", "(time of arrival)")


def walk_across(rig, *, clock_source):
    """One person crosses; the node stamps with its boot seconds, or with true time."""
    speaker, spec = Speaker(), topics.BY_NAME["obs"]
    topic = spec.format(site=SITE_ID, node="mast-1", sensor="cam-1")
    for t_s, body in crossing(track=1):
        rig.clock.advance(0.5)
        if clock_source == "boot":
            times = {"t_event_boot_s": 100.0 + t_s, "t_sent_boot_s": 100.0 + t_s}
        else:
            times = {"t_utc": rig.clock.utc()}
        envelope = speaker.envelope(
            body, sequenced=True, clock=ClockStamp(source=clock_source), **times
        )
        rig.say((topic, codec.encode(envelope, spec=spec)))


def crossing_alert(rig):
    with rig.store.read() as tx:
        alerts = incidents.list_alerts(tx, open_only=None, limit=10)
    return next(alert for alert in alerts if alert.rule == "crossing")


@pytest.mark.parametrize(("clock_source", "doubtful"), [("boot", True), ("ntp", False)])
def test_alert_says_that_its_time_is_that_of_arrival(rigs, clock_source, doubtful):
    """A time that only the station's own clock vouches for is not read as certain."""
    rig = rigs()
    walk_across(rig, clock_source=clock_source)
    alert = crossing_alert(rig)
    assert doubtful is alert.reasons[0].time_by_arrival
    told = (WORDS[0] in alert.sentence_vi, WORDS[1] in alert.sentence_en)
    assert (doubtful, doubtful) == told
    again = rigs(clock=rig.clock)
    again.station.desk.acknowledge(alert.alert_id, by="thu", note="")
    alert = crossing_alert(again)
    assert ("acknowledged", doubtful) == (alert.state, WORDS[0] in alert.sentence_vi)
