"""What comes down: believed only when signed, fresh and for this node; every refusal has a reason."""

import json
import random
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.commands import CommandDesk
from edge.limits import Limits, LimitsRefused, Map
from edge.outbox import Outbox
from runtime.clock import ClockQuality, ManualClock
from runtime.ids import UlidSource
from tests.unit.edge.parts import METRE_DEG, START_UTC, bearing, features, place
from wire import codec
from wire.commands import Command, CommandAck, Land, PtzPreset, SignedDocument, Still, ZonesDocument
from wire.envelope import Envelope
from wire.signing import SigningKey
from wire.topics import BY_NAME
from wire.values import GeoPoint

STATION = SigningKey.generate()
SESSION = "01HQVQZJ000000000000000000"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_UTC, monotonic_s=100.0)


@pytest.fixture
def box(tmp_path, clock):
    outbox = Outbox(tmp_path, clock=clock, boot_id="b", max_bytes=1_000_000, reserve_bytes=64_000)
    yield outbox
    outbox.close()


@pytest.fixture
def obeyed() -> list[Command]:
    return []


@pytest.fixture
def desk(clock, box, obeyed):
    ids = UlidSource(clock, random.Random(1))

    def build(*, key=STATION.public, missions=False) -> CommandDesk:
        return CommandDesk(
            site_id="ha-tien",
            node_id="mast-1",
            key=key,
            clock=clock,
            max_clock_error_s=2.0,
            missions_allowed=missions,
            outbox=box,
            ids=ids,
            handlers={"still": obeyed.append},
        )

    return build


def command(number=1, **changes) -> Command:
    values = {
        "command_id": f"01HQVQZJ{number:018d}",
        "site_id": "ha-tien",
        "node_id": "mast-1",
        "operator": "lan",
        "issued_at_utc": START_UTC,
        "expires_at_utc": START_UTC + timedelta(seconds=30),
        "body": Still(sensor_id="cam-1"),
    }
    return Command(**(values | changes))


def wrapped(document: SignedDocument, name: str) -> bytes:
    message = Envelope[SignedDocument](
        id="01HQVQZJ0000000000000000ZZ",
        node_id="station",
        session=SESSION,
        t_event_utc=START_UTC,
        t_sent_utc=START_UTC,
        clock={"source": "ntp", "error_s": 0.01},
        simulated=False,
        body=document,
    )
    return codec.encode(message, spec=BY_NAME[name])


def signed(order: Command, key=STATION) -> bytes:
    return wrapped(key.sign(codec.command_text(order)), "cmd")


def acks(box: Outbox) -> list[CommandAck]:
    return [CommandAck.model_validate_json(due.body) for due in box.due(100)]


def test_good_command_is_obeyed_once_and_accepted(desk, box, obeyed):
    """Signed by the station, for this node, in time."""
    desk().handle(signed(command()), retained=False)
    (ack,) = acks(box)
    assert ("ACCEPTED", "still", command().command_id) == (ack.status, ack.verb, ack.command_id)
    assert [command()] == obeyed


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        # Somebody else's key.
        (signed(command(), SigningKey.generate()), "signature"),
        # The text was changed after signing.
        (
            wrapped(
                STATION.sign(codec.command_text(command())).model_copy(
                    update={"signed": codec.command_text(command(operator="mallory"))}
                ),
                "cmd",
            ),
            "signature",
        ),
        # Its life is over.
        (
            signed(command(issued_at_utc=START_UTC - timedelta(hours=1), expires_at_utc=START_UTC)),
            "expired",
        ),
        # For another node.
        (signed(command(node_id="mast-2")), "wrong_node"),
        # For another site.
        (signed(command(site_id="elsewhere")), "wrong_node"),
        # A verb whose body this node does not have.
        (signed(command(body=PtzPreset(sensor_id="cam-1", preset="gate"))), "unsupported"),
        # Missions are not allowed by the config.
        (signed(command(body=Land())), "not_allowed"),
        # A field that this node does not know.
        (
            wrapped(
                STATION.sign(
                    json.dumps(json.loads(codec.command_text(command())) | {"also": "fire"})
                ),
                "cmd",
            ),
            "unknown_field",
        ),
        # Not a command at all, but with an id to answer to.
        (
            wrapped(STATION.sign(json.dumps({"command_id": command().command_id})), "cmd"),
            "malformed",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refusal_is_answered_with_its_reason(desk, box, obeyed, payload, code):
    """Nothing of a refused command is obeyed; the station is told why, in words."""
    desk().handle(payload, retained=False)
    (ack,) = acks(box)
    assert ("REJECTED", code, []) == (ack.status, ack.reason_code, obeyed)
    assert len(ack.reason) > 10


def test_replayed_command_is_refused_also_after_a_restart(desk, box, obeyed):
    """Command ids stay on disk until expiry and an hour more."""
    desk().handle(signed(command()), retained=False)
    desk().handle(signed(command()), retained=False)
    assert ["", "replayed"] == [ack.reason_code for ack in acks(box)]
    assert 1 == len(obeyed)


@pytest.mark.parametrize(
    "quality",
    [
        ClockQuality(source="boot", error_s=None),
        ClockQuality(source="ntp", error_s=2.1),
    ],
)
def test_bad_clock_refuses_every_command(desk, box, clock, quality):
    """An expiry means nothing to a node that does not know the time."""
    clock.synchronise(START_UTC, quality)
    desk().handle(signed(command()), retained=False)
    assert ["clock"] == [ack.reason_code for ack in acks(box)]


def test_node_without_a_station_key_refuses_everything(desk, box):
    """It says which key of the config is missing."""
    desk(key=None).handle(signed(command()), retained=False)
    (ack,) = acks(box)
    assert "node.station_key_file" in ack.reason


def test_retained_and_unreadable_commands_are_counted_and_not_answered(desk, box, obeyed):
    """A kept command would be obeyed at every restart; noise has no id to answer to."""
    one = desk()
    one.handle(signed(command()), retained=True)
    one.handle(b"\xff\x00", retained=False)
    one.handle(wrapped(STATION.sign("[]"), "cmd"), retained=False)
    assert ([], []) == (acks(box), obeyed)
    assert {"retained": 1, "not_json": 1, "malformed": 1} == dict(one.refused)


def test_mission_verbs_of_a_node_that_may_fly_are_unsupported_honestly(desk, box):
    """Allowed by the config does not mean that there is something to fly."""
    desk(missions=True).handle(signed(command(body=Land())), retained=False)
    assert ["unsupported"] == [ack.reason_code for ack in acks(box)]


@pytest.mark.parametrize(
    "text", [{"body": {"verb": "\ud800"}}, {"\ud800": 1}, {"body": {"verb": "x"}}]
)
def test_refusal_of_half_a_character_is_answered_without_it(desk, box, text):
    """What the refusal quotes of a command that was not understood can always be said."""
    written = json.dumps({"command_id": command().command_id} | text)
    desk().handle(wrapped(STATION.sign(written), "cmd"), retained=False)
    assert [("REJECTED", "?")] == [(ack.status, ack.verb) for ack in acks(box)]


def test_command_that_lives_to_the_end_of_the_calendar_is_malformed(desk, box, obeyed):
    """An hour after its expiry there is no date to remember it until."""
    late = datetime(9999, 12, 31, 23, 30, tzinfo=timezone.utc)
    desk().handle(signed(command(expires_at_utc=late)), retained=False)
    assert (["malformed"], []) == ([ack.reason_code for ack in acks(box)], obeyed)


# --- zones ----------------------------------------------------------------------------------------
def zones(version=1, *, site_id="ha-tien", key=STATION, drawn=None) -> bytes:
    document = ZonesDocument(
        site_id=site_id,
        version=version,
        issued_at_utc=datetime(2026, 1, 1, tzinfo=timezone.utc),
        features=features() if drawn is None else drawn,
    )
    return wrapped(key.sign(codec.zones_text(document)), "zones")


def limits(tmp_path, key=STATION.public) -> Limits:
    return Limits(tmp_path, site_id="ha-tien", key=key)


def test_signed_zones_are_in_force_and_survive_a_restart(tmp_path):
    """They are kept on disk as they were signed, and verified again."""
    first = limits(tmp_path)
    assert first.map is None
    assert first.offer(zones())
    assert not first.offer(zones())
    again = limits(tmp_path)
    assert (1, first.sha256) == (again.version, again.sha256)
    assert again.map is not None
    assert frozenset({"home-1"}) == again.map.home_ids


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (zones(3, key=SigningKey.generate()), "signature"),
        (zones(3, site_id="elsewhere"), "wrong_site"),
        (zones(1), "older"),
        (zones(3, drawn={"type": "FeatureCollection", "features": []}), "malformed"),
        (zones(3, drawn={"features": [{"properties": {"role": "line"}}]}), "malformed"),
        (b"{}", "schema"),
    ],
    ids=["key", "site", "older", "empty", "no geometry", "no message"],
)
def test_refused_zones_leave_in_force_what_was(tmp_path, payload, reason):
    """A wrong document changes nothing, in memory or on disk."""
    held = limits(tmp_path)
    held.offer(zones(2))
    with pytest.raises(LimitsRefused) as caught:
        held.offer(payload)
    assert (reason, 2, 2) == (caught.value.reason, held.version, limits(tmp_path).version)


def test_zones_on_disk_that_were_changed_are_not_believed(tmp_path):
    """The file is no safer than the wire: its signature is checked at every start."""
    held = limits(tmp_path)
    held.offer(zones())
    file = tmp_path / "zones.signed.json"
    file.write_text(file.read_text().replace("home-1", "home-2"))
    assert (None, None) == (limits(tmp_path).version, limits(tmp_path).map)


def test_zones_that_cannot_be_written_are_taken_from_the_next_delivery(tmp_path):
    """A full disk refuses them by name; in force and on disk are always the same."""
    folder = tmp_path / "zones"
    held = limits(folder)
    folder.write_text("a file is in the way")
    with pytest.raises(LimitsRefused, match="make room") as caught:
        held.offer(zones())
    assert ("storage", None) == (caught.value.reason, held.version)
    folder.unlink()
    assert held.offer(zones())
    assert (1, 1) == (held.version, limits(folder).version)


def small_home(south_m: float, size_m: float) -> Map:
    """The site with one square home so far north of the line."""
    drawn = features()
    half, south = size_m / 2 * METRE_DEG, 10.42 + south_m * METRE_DEG
    west, east, north = 104.45 - half, 104.45 + half, south + 2 * half
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    drawn["features"][1]["geometry"]["coordinates"] = [ring]
    return Map(drawn)


def test_small_home_holds_little_of_a_wide_guess():
    """A 10 m home has about 0.6 % of a target known to 50 m, and all of one known to a metre."""
    home = small_home(100.0, 10.0)
    wide, sharp = (
        home.probabilities_inside(place(north_m=105.0, sigma_m=sigma).position)["home-1"]
        for sigma in (50.0, 1.0)
    )
    # (2 cdf(5/50) - 1) squared.
    assert pytest.approx(0.00635, rel=0.05) == wide
    assert pytest.approx(1.0, abs=0.001) == sharp


@pytest.mark.parametrize(
    ("south_m", "azimuth_deg", "part"),
    [
        (140.0, 0.0, "partly"),
        (1_540.0, 359.0, "partly"),
        (140.0, 180.0, "no"),
        (5_000.0, 0.0, "no"),
    ],
)
def test_small_home_is_found_wherever_it_lies_in_a_long_sector(south_m, azimuth_deg, part):
    """Nobody's home is so small that a bearing over it passes it by."""
    sensor = GeoPoint(lon_deg=104.45, lat_deg=10.42, alt_hae_m=8.0)
    seen = bearing(azimuth_deg=azimuth_deg, near_m=0.0, far_m=3_200.0).bearing
    assert part == small_home(south_m, 20.0).bearing_in_homes(sensor, seen)


def test_short_sector_in_a_large_home_is_all_in_it():
    """Only what lies in a home as a whole is kept from the start."""
    sensor = GeoPoint(lon_deg=104.45, lat_deg=10.42, alt_hae_m=8.0)
    area = Map(features())
    parts = [
        area.bearing_in_homes(sensor, bearing(azimuth_deg=0.0, near_m=n, far_m=f).bearing)
        for n, f in ((110.0, 140.0), (90.0, 140.0), (60.0, 90.0))
    ]
    assert ["all", "partly", "no"] == parts


# --- noise ----------------------------------------------------------------------------------------
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "features",
                    "properties",
                    "geometry",
                    "coordinates",
                    "role",
                    "our_side",
                    "segments",
                    "id",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
NUMBERS = st.floats(-200, 200) | st.integers(-200, 200) | st.just("x") | st.none()
ROWS = st.fixed_dictionaries(
    {
        "properties": st.fixed_dictionaries(
            {
                "role": st.sampled_from(["line", "ignore", "watch", "marker", 7]),
                "our_side": st.sampled_from(["left", "right", "up", None]),
                "id": st.text(max_size=3),
                "segments": JSON,
                "schedule": JSON,
            }
        ),
        "geometry": st.fixed_dictionaries(
            {
                "coordinates": st.lists(st.lists(NUMBERS, max_size=3), max_size=5)
                | st.lists(st.lists(st.lists(NUMBERS, max_size=3), max_size=5), max_size=2)
            }
        ),
    }
)


@pytest.mark.parametrize("segments", [["x"], 5, [{"accuracy_sigma_m": 10**400}], [{}, {}]])
def test_segments_of_any_other_shape_are_refused(segments):
    """The line's accuracy is no place for words or for numbers without end."""
    drawn = features()
    drawn["features"][0]["properties"]["segments"] = segments
    with pytest.raises(LimitsRefused, match="draw the site again"):
        Map(drawn)


@given(JSON | st.fixed_dictionaries({"features": st.lists(ROWS, max_size=4)}))
@settings(deadline=None)
def test_any_drawing_is_a_map_or_a_refusal(drawn):
    """Signed or not, a drawing that makes no sense is refused in words and never half in force."""
    try:
        found = Map(drawn)
    except LimitsRefused as error:
        found = error
    assert isinstance(found, (Map, LimitsRefused))


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_from_the_broker_are_counted_and_obeyed_by_nobody(
    desk, box, obeyed, tmp_path, noise
):
    """Noise on the topics of commands and zones changes nothing and stops nothing."""
    one = desk()
    one.handle(noise, retained=False)
    with pytest.raises(LimitsRefused):
        limits(tmp_path).offer(noise)
    assert ([], 0, 1) == (obeyed, box.depth, sum(one.refused.values()))


@given(JSON)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_signed_text_is_obeyed_only_if_it_is_a_command(desk, obeyed, value):
    """A signature makes nothing sensible that is not."""
    one = desk()
    one.handle(wrapped(STATION.sign(json.dumps(value)), "cmd"), retained=False)
    assert ([], 1) == (obeyed, sum(one.refused.values()))
