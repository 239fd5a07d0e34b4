"""A whole node on a simulated clock, its bytes joined by hand: no thread, no broker, no sleep."""

import json
import math
import random

import pytest

from edge.app import Devices, Node
from edge.config import NodeConfig
from edge.dispatch import MAX_BYTES_IN_FLIGHT
from edge.outbox import Item
from runtime.clock import ClockQuality, ManualClock
from runtime.ids import UlidSource
from runtime.settings import parse
from tests.unit.edge.parts import START_UTC, HandTransport, Script, StillCamera
from wire import codec
from wire.envelope import Envelope
from wire.messages import Crop, Media, Receipt
from wire.topics import BY_NAME, topic
from wire.topics import parse as parse_topic

CONFIG = """
[node]
site_id = "ha-tien"
node_id = "mast-1"
data_dir = "data"
simulated = true
[[camera]]
sensor_id = "cam-1"
source = "rtsp://10.0.0.11/stream1"
[camera.lens]
width_px = 640
height_px = 480
hfov_deg = 40.0
[camera.mount]
lon_deg = 104.45
lat_deg = 10.42
alt_hae_m = 8.0
azimuth_deg = 0.0
pitch_deg = -15.0
[camera.ground]
alt_hae_m = 0.0
[outbox]
reserve_bytes = 1048576
"""
PERSON = (300.0, 200.0, 330.0, 290.0)


class World:
    """One node, its transport, its clock; `pass_` lets time go by."""

    def __init__(self, folder, *, frames=None, clock=None) -> None:
        self.clock = clock or ManualClock(START_UTC, monotonic_s=50.0)
        self.transport = HandTransport()
        self.camera = StillCamera("cam-1", self.clock)
        self.detector = Script(frames if frames is not None else [[PERSON]])
        self.node = Node(
            config=parse(CONFIG.encode(), NodeConfig, path=folder / "edge.toml"),
            config_sha256="a" * 64,
            devices=Devices(
                cameras={"cam-1": self.camera},
                detectors={"cam-1": self.detector},
                transport=self.transport,
            ),
            clock=self.clock,
            ids=UlidSource(self.clock, random.Random(7)),
            boot_id="boot",
            software_version="1.2.3",
        )

    def pass_(self, seconds: float, *, looking=True, step_s=0.1) -> None:
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            now_s = self.clock.monotonic_s()
            if looking:
                self.node.captures["cam-1"].step(now_s)
                self.node.pipeline.step(now_s)
            self.node.uplink.step(now_s)

    def spoken(self, name: str) -> list:
        return [
            codec.decode(payload, spec=BY_NAME[name]).message
            for where, payload, *_ in self.transport.sent
            if parse_topic(where).spec.name == name
        ]

    def receipt(self, seq: int) -> None:
        message = Envelope[Receipt](
            id="01HQVQZJ0000000000000000ZZ",
            node_id="station",
            session="01HQVQZJ000000000000000000",
            t_event_utc=START_UTC,
            t_sent_utc=START_UTC,
            clock={"source": "ntp", "error_s": 0.01},
            simulated=False,
            body=Receipt(seq=seq),
        )
        where = topic("receipt", site="ha-tien", node="mast-1")
        self.transport.arrive(where, codec.encode(message, spec=BY_NAME["receipt"]))


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.node.close()


def test_first_words_are_birth_then_state_then_health(world):
    """Said at each connection, the first two retained; the will says offline."""
    world.transport.connect()
    world.pass_(0.1, looking=False)
    assert [
        ("birth", 1, True),
        ("state", 1, True),
        ("health", 0, False),
    ] == [(where.split("/")[4], qos, keep) for where, _, qos, keep in world.transport.sent]
    will = json.loads(world.transport.will.payload)
    assert "offline" == will["body"]["state"]
    assert world.node.session == will["body"]["session"]
    world.transport.cut()
    world.pass_(0.1, looking=False)
    world.transport.connect()
    world.pass_(0.1, looking=False)
    assert ["birth", "state", "health"] * 2 == world.transport.topics()


def test_birth_tells_pose_lens_view_and_network(world):
    """A station can draw the camera and weigh what it says without asking anybody."""
    world.transport.connect()
    world.pass_(0.1, looking=False)
    (sensor,) = world.spoken("birth")[0].body.sensors
    assert ("cam-1", "script") == (sensor.sensor_id, sensor.network.name)
    assert pytest.approx(320.0 / math.tan(math.radians(20.0))) == sensor.lens.fx_px
    ring = sensor.field_of_view_lonlat
    assert ring[0] == ring[-1]
    north_m = [(lat - 10.42) * 110_600 for _, lat in ring]
    # 8 m up, looking 15 degrees down with 30.6 degrees of height: 14 m near, the limit far.
    assert 13.0 < min(north_m) < 16.0
    assert 2_500.0 < max(north_m) <= 3_020.0


def test_periods_of_state_and_health_are_those_of_the_table(world):
    """Every 60 s and every 10 s, and at once when the word changes."""
    world.transport.connect()
    world.pass_(121.0, looking=False, step_s=0.5)
    assert (3, 13) == (len(world.spoken("state")), len(world.spoken("health")))
    world.camera.status = "frozen"
    world.pass_(0.5, looking=False)
    last = world.spoken("state")[-1].body
    assert ("degraded", "cam-1 frozen") == (last.state, last.reason)


def test_person_in_front_of_the_camera_becomes_an_observation_with_place_and_picture(world):
    """From pixels to the wire: new, key, placed on the ground, with a crop."""
    world.transport.connect()
    world.pass_(1.0)
    first = world.spoken("obs")[0]
    assert ("new", True, "Human", True, 1) == (
        first.body.phase,
        first.body.key,
        first.body.object_class,
        first.simulated,
        first.seq,
    )
    assert first.body.position is not None
    assert first.body.position.ce90_m > 0
    assert 1 == len(world.spoken("media"))
    assert 3.0 >= len(world.spoken("obs")) / 1.0


def test_nothing_is_sent_while_disconnected_and_everything_key_after(world):
    """The outbox holds what the line cannot take; plain updates shrink to the newest."""
    world.pass_(30.0)
    assert [] == world.transport.sent
    held = world.node.outbox
    assert held.counters.superseded > 40
    world.transport.connect()
    world.pass_(1.0)
    phases = [message.body.phase for message in world.spoken("obs")]
    assert "new" == phases[0]
    assert len(phases) <= 5


def test_receipt_frees_and_silence_sends_again(world):
    """Thirty seconds without a receipt, and the same message goes once more; then it is done."""
    world.transport.connect()
    world.pass_(0.5)
    sent = {message.id for message in world.spoken("obs")}
    world.camera.over = True
    world.pass_(31.0, step_s=0.5)
    again = [message.id for message in world.spoken("obs")]
    assert all(again.count(ident) >= 2 for ident in sent)
    world.receipt(max(message.seq for message in world.spoken("obs")))
    world.pass_(0.2)
    assert 0 == world.node.outbox.depth


def test_places_in_flight_are_bounded_and_freed_by_puback(world):
    """No more than allowed are on the way; each PUBACK lets one more go."""
    for number in range(200):
        world.node.outbox.put(_ack(number))
    world.transport.connect()
    world.pass_(0.1, looking=False)
    queued = [index for index, name in enumerate(world.transport.topics(), 1) if name == "ack"]
    assert 64 == len(queued)
    world.transport.acknowledge(*queued[:10])
    world.pass_(0.1, looking=False)
    assert 74 == world.transport.topics().count("ack")


def test_full_line_still_takes_key_words(world):
    """Crops fill at most some 48 kB of the line; a key word passes all the same."""
    for number in range(20):
        world.node.outbox.put(_crop(number))
    world.transport.connect()
    world.pass_(0.1, looking=False)
    sent = sum(len(payload) for where, payload, *_ in world.transport.sent if "/media/" in where)
    assert MAX_BYTES_IN_FLIGHT <= sent < MAX_BYTES_IN_FLIGHT + 8 * 16_384
    before = world.transport.topics().count("media/cam-1")
    world.node.outbox.put(_ack(1))
    world.pass_(0.1, looking=False)
    assert (before, 1) == (
        world.transport.topics().count("media/cam-1"),
        world.transport.topics().count("ack"),
    )


def test_message_that_the_transport_refuses_keeps_its_number(world):
    """Refused for want of room it goes later, and no number is skipped."""
    world.transport.connect()
    world.transport.takes = False
    world.pass_(0.5)
    world.transport.takes = True
    world.pass_(0.5)
    numbers = [message.seq for message in world.spoken("obs") + world.spoken("media")]
    assert list(range(1, max(numbers) + 1)) == sorted(set(numbers))


def test_what_comes_down_and_is_no_message_is_counted_in_health(world):
    """Noise on the node's topics stops nothing and is not kept quiet."""
    world.transport.connect()
    for name in ("receipt", "zones", "cmd"):
        world.transport.arrive(topic(name, site="ha-tien", node="mast-1"), b"\xff not json")
    world.transport.arrive("bw/v1/ha-tien/mast-1/what", b"{}")
    world.pass_(11.0, looking=False, step_s=0.5)
    assert {"receipt_not_json": 1, "zones_not_json": 1, "not_json": 1, "topic": 1} == world.spoken(
        "health"
    )[-1].body.refused


def test_health_tells_what_the_parts_counted(world):
    """Frames a second that were looked at, what waits, what was replaced: from counters alone."""
    world.transport.connect()
    world.pass_(20.1)
    first, *_, last = (message.body for message in world.spoken("health"))
    (camera,) = last.cameras
    assert "online" == camera.status
    assert 10.0 == pytest.approx(camera.fps, abs=0.2)
    assert (0, 1) == (first.outbox.sent, first.outbox.oldest_seq)
    assert last.outbox.sent == last.outbox.depth >= 20
    assert (1, 0) == (last.outbox.oldest_seq, last.outbox.receipted)
    assert ("a" * 64, None) == (last.config_sha256, last.zones_sha256)
    assert last.memory_bytes > 10_000_000
    assert last.disk_free_bytes > 0


def test_goodbye_is_the_last_word_and_open_tracks_get_their_end(world):
    """A planned stop is told from a loss, and nobody waits for a track that will not come back."""
    world.transport.connect()
    world.pass_(1.0)
    world.node.pipeline.close()
    world.pass_(0.2, looking=False)
    world.node.uplink.close()
    assert "end" == world.spoken("obs")[-1].body.phase
    assert "goodbye" == world.spoken("state")[-1].body.state
    assert (True, 1) == (world.transport.closed, world.detector.closed)


def test_film_that_ends_is_done_when_the_station_has_everything(world):
    """The node ends its tracks with the film, and knows when it may go."""
    world.transport.connect()
    world.pass_(1.0)
    world.camera.over = True
    world.pass_(1.0)
    assert not world.node.done
    assert "end" == world.spoken("obs")[-1].body.phase
    numbers = [message.seq for message in world.spoken("obs") + world.spoken("media")]
    world.receipt(max(numbers))
    world.pass_(0.2)
    assert world.node.done


def test_clock_that_was_never_set_says_so_and_stamps_are_converted_later(tmp_path):
    """Boot seconds at first, the true time after the sync, for the same event."""
    clock = ManualClock(
        START_UTC, monotonic_s=50.0, quality=ClockQuality(source="boot", error_s=None)
    )
    world = World(tmp_path, clock=clock)
    try:
        world.pass_(0.5)
        clock.synchronise(START_UTC, ClockQuality(source="ntp", error_s=0.01))
        world.transport.connect()
        world.pass_(0.1, looking=False)
        first = world.spoken("obs")[0]
        assert 0.2 <= (START_UTC - first.t_event_utc).total_seconds() <= 0.5
        assert "ntp" == first.clock.source
    finally:
        world.node.close()


def _ack(number: int) -> Item:
    from wire.commands import CommandAck

    return Item(
        id=f"01HQVQZK{number:018d}",
        kind="ack",
        body=CommandAck(command_id=f"01HQVQZK{number:018d}", verb="still", status="ACCEPTED"),
        key=True,
        t_event_utc=START_UTC,
        t_event_monotonic_s=50.0,
    )


def _crop(number: int) -> Item:
    crop = Crop(
        track_id=f"01HQVQZM{number:018d}",
        sensor_id="cam-1",
        width_px=10,
        height_px=10,
        jpeg_base64="A" * 13_000,
        sha256="b" * 64,
    )
    return Item(
        id=f"01HQVQZN{number:018d}",
        kind="media",
        parameter="cam-1",
        body=Media(media=crop),
        track_id=crop.track_id,
        t_event_utc=START_UTC,
        t_event_monotonic_s=50.0,
    )


def test_tracks_of_a_camera_that_falls_silent_end_once(world):
    """No frame comes that would end them, and the station must not take them for living."""
    world.transport.connect()
    world.pass_(2.0)
    for seconds in (4.4, 0.2, 10.0):
        world.clock.advance(seconds)
        world.node.pipeline.step(world.clock.monotonic_s())
        world.pass_(0.1, looking=False)
        phases = [message.body.phase for message in world.spoken("obs")]
        assert (1 if seconds != 4.4 else 0) == phases.count("end")


def test_message_that_cannot_be_handled_takes_no_other_with_it(world, monkeypatch):
    """The step that is started again goes on with the next message."""
    world.transport.connect()
    world.pass_(2.0)
    before = world.node.outbox.depth
    where = topic("zones", site="ha-tien", node="mast-1")
    world.transport.arrive(where, b"")

    def torn(_payload: bytes) -> bool:
        raise RuntimeError("a fault that nobody thought of")

    monkeypatch.setattr(world.node.uplink._limits, "offer", torn)
    world.receipt(1)
    with pytest.raises(RuntimeError):
        world.pass_(0.1, looking=False)
    assert before == world.node.outbox.depth
    world.pass_(0.1, looking=False)
    assert before > world.node.outbox.depth
