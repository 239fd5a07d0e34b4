"""KLV packets are believed only when they are whole, and mean what the standard says."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import rotation_enu_from_camera
from hardware.klv_st0601 import (
    UNIVERSAL_KEY,
    BadKlv,
    KlvMetadata,
    parse_packet,
    rotation_enu_from_gimbal,
)
from hardware.klv_stream import KlvReader
from tests import klv_kit as kit

TIME_US = 1_700_000_000_000_000
PLACE = {13: 10.4235, 14: 104.4407, 15: 120.0}
LOOK = {5: 270.0, 90: 2.0, 91: -3.0, 18: 15.0, 19: -40.0, 20: 0.0}
GOOD = kit.packet(TIME_US, {**PLACE, **LOOK, 16: 40.0, 75: 108.0})


def refusal(packet: bytes) -> str:
    with pytest.raises(BadKlv) as caught:
        parse_packet(packet)
    return caught.value.reason


def test_values_come_back_within_their_resolution() -> None:
    """What the sender meant is what is read, to half a step of each item."""
    read = parse_packet(GOOD)
    assert read.time_us == TIME_US
    assert read.lat_deg == pytest.approx(10.4235, abs=3e-8)
    assert read.lon_deg == pytest.approx(104.4407, abs=5e-8)
    assert read.alt_msl_m == pytest.approx(120.0, abs=0.16)
    assert read.alt_hae_m == pytest.approx(108.0, abs=0.16)
    assert read.platform_heading_deg == pytest.approx(270.0, abs=0.003)
    assert read.platform_pitch_deg == pytest.approx(2.0, abs=1e-6)
    assert read.hfov_deg == pytest.approx(40.0, abs=0.002)
    assert (read.unknown_tags, read.error_values) == (0, 0)


def test_the_standards_own_examples() -> None:
    """Worked values of the standard's item tables."""
    raw = b"".join(
        kit.item(tag, bytes.fromhex(text))
        for tag, text in {
            5: "71c2",
            13: "5595b66d",
            14: "5b5360c4",
            15: "c221",
            16: "cd9c",
            104: "2f921e",
        }.items()
    )
    read = parse_packet(kit.packet(TIME_US, {}, raw=raw))
    assert read.platform_heading_deg == pytest.approx(159.9744, abs=1e-4)
    assert read.lat_deg == pytest.approx(60.1768229669783, abs=1e-9)
    assert read.lon_deg == pytest.approx(128.426759042045, abs=1e-9)
    assert read.alt_msl_m == pytest.approx(14190.72, abs=0.01)
    assert read.hfov_deg == pytest.approx(144.5713, abs=1e-4)
    assert read.alt_hae_m == pytest.approx(23456.24, abs=0.01)


def test_full_range_attitude_beats_the_short_one() -> None:
    """The short items cannot hold a steep bank; where both are sent the full one counts."""
    read = parse_packet(kit.packet(TIME_US, {6: 5.0, 7: 6.0, 90: 30.0, 91: -70.0}))
    assert read.platform_pitch_deg == pytest.approx(30.0, abs=1e-6)
    assert read.platform_roll_deg == pytest.approx(-70.0, abs=1e-6)
    short = parse_packet(kit.packet(TIME_US, {6: 5.0, 7: 6.0}))
    assert short.platform_pitch_deg == pytest.approx(5.0, abs=1e-3)


@pytest.mark.parametrize(
    ("tag", "raw", "name"),
    [
        (6, "8000", "platform_pitch_deg"),
        (19, "80000000", "sensor_elevation_deg"),
        (90, "80000000", "platform_pitch_deg"),
        (21, "0000", "slant_range_m"),
        (5, "", "platform_heading_deg"),
        (104, "d00000", "alt_hae_m"),
        (104, "", "alt_hae_m"),
    ],
)
def test_error_values_and_odd_lengths_are_no_numbers(tag: int, raw: str, name: str) -> None:
    """A value marked out of range, or of a length it cannot have, is None and counted."""
    read = parse_packet(kit.packet(TIME_US, {}, raw=kit.item(tag, bytes.fromhex(raw))))
    assert getattr(read, name) is None
    assert read.error_values == 1


@pytest.mark.parametrize("lost", [13, 14])
def test_half_a_place_or_null_island_is_no_place(lost: int) -> None:
    """Latitude without longitude, an error in either, and 0/0 give no place at all."""
    half = {tag: value for tag, value in PLACE.items() if tag != lost}
    wrong = kit.item(lost, bytes.fromhex("80000000"))
    for packet in (
        kit.packet(TIME_US, half),
        kit.packet(TIME_US, half, raw=wrong),
        kit.packet(TIME_US, {13: 0.0, 14: 0.0, 15: 50.0}),
    ):
        read = parse_packet(packet)
        assert (read.lon_deg, read.lat_deg) == (None, None)
        assert read.error_values >= 1


def test_damaged_packets_are_refused_by_name() -> None:
    """Each way to be broken has its own counter."""
    assert refusal(b"x" + GOOD[1:]) == "wrong_key"
    assert refusal(GOOD[:-1]) == "truncated"
    assert refusal(GOOD[:16]) == "truncated"
    assert refusal(GOOD + b"\0") == "trailing_bytes"
    assert refusal(GOOD[:-1] + bytes([GOOD[-1] ^ 1])) == "bad_checksum"
    assert refusal(kit.packet(TIME_US, PLACE, sealed=False)) == "no_checksum"
    assert refusal(kit.packet(None, PLACE)) == "no_time"
    assert refusal(kit.packet(0, PLACE)) == "no_time"
    assert refusal(UNIVERSAL_KEY + b"\x80" + GOOD[17:]) == "bad_length"
    assert refusal(UNIVERSAL_KEY + b"\x89" + bytes(40)) == "bad_length"
    assert refusal(UNIVERSAL_KEY + b"\x84\xff\xff\xff\xff" + bytes(40)) == "oversized"
    assert refusal(kit.seal(b"\x02\x7f" + bytes(8))) == "item_too_long"
    assert refusal(kit.seal(b"\xff\xff\xff\xff\xff\x01")) == "bad_tag"
    assert refusal(kit.seal(b"")) == "no_time"


def test_unknown_tags_are_skipped_and_counted() -> None:
    """A tag of tomorrow, of two bytes too, costs nothing but a count."""
    raw = kit.item(143, b"known to the standard") + kit.item(200, b"new") + kit.item(9000, b"odd")
    read = parse_packet(kit.packet(TIME_US, PLACE, raw=raw))
    assert read.unknown_tags == 2
    assert read.lat_deg == pytest.approx(10.4235, abs=1e-6)


def test_any_spelling_of_a_length_is_read() -> None:
    """Long form where the short one would do is allowed."""
    body = kit.item(2, TIME_US.to_bytes(8, "big")) + b"\x0a\x82\x00\x03AR5"
    assert parse_packet(kit.seal(body)).platform == "AR5"


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_packets_come_whole_out_of_any_cutting(cuts: list[int]) -> None:
    """However the bytes arrive, with rubbish between, each packet comes out once."""
    stream = b"rubbish\x06\x0e" + GOOD + b"\x06" + GOOD + bytes(30) + GOOD
    reader, found, at = KlvReader(), [], 0
    for size in [*cuts, len(stream)]:
        found += reader.feed(stream[at : at + size])
        at += size
    reader.finish()
    assert [TIME_US] * 3 == [read.time_us for read in found]
    assert reader.counters["packets"] == 3
    assert reader.counters["skipped_bytes"] == 9 + 1 + 30
    assert reader.refused == 0


def test_a_packet_cut_by_the_next_is_counted_and_the_next_is_read() -> None:
    """After lost bytes the reader is back in step at the very next key."""
    reader = KlvReader()
    found = reader.feed(GOOD[:70] + GOOD + GOOD[:20])
    reader.finish()
    assert len(found) == 1
    assert reader.counters["truncated"] == 2
    assert reader.refused == 2


def test_an_endless_length_holds_no_bytes_back() -> None:
    """A length of 4 GB does not make the reader wait or grow."""
    reader = KlvReader()
    found = reader.feed(UNIVERSAL_KEY + b"\x84\xff\xff\xff\xff" + GOOD)
    assert len(found) == 1
    assert reader.counters["oversized"] == 1


def test_the_chain_agrees_with_the_camera_angles() -> None:
    """A level aircraft: heading plus gimbal azimuth, elevation and roll are the camera's own."""
    chain = rotation_enu_from_gimbal(350.0, 0.0, 0.0, 30.0, -35.0, 7.0)
    assert chain == pytest.approx(rotation_enu_from_camera(20.0, -35.0, 7.0), abs=1e-12)


def test_a_bank_turns_a_level_gimbal_with_it() -> None:
    """Right wing down 30 degrees: a camera looking right looks 30 degrees down."""
    chain = rotation_enu_from_gimbal(0.0, 0.0, 30.0, 90.0, 0.0, 0.0)
    assert chain == pytest.approx(rotation_enu_from_camera(90.0, -30.0, 0.0), abs=1e-12)


def test_without_a_gimbal_angle_there_is_no_view() -> None:
    """A missing angle is never taken as zero."""
    for lost in (5, 90, 91, 18, 19):
        values = {tag: value for tag, value in LOOK.items() if tag != lost}
        assert parse_packet(kit.packet(TIME_US, values)).rotation_enu_from_camera() is None
    assert parse_packet(kit.packet(TIME_US, LOOK)).rotation_enu_from_camera() is not None


def test_no_change_of_one_byte_passes() -> None:
    """Every other value of every single byte is noticed."""
    for at in range(len(GOOD)):
        for byte in set(range(256)) - {GOOD[at]}:
            refusal(GOOD[:at] + bytes([byte]) + GOOD[at + 1 :])


def test_200_000_mutated_packets_never_crash_and_hardly_pass() -> None:
    """A 16 bit sum cannot see two changes that cancel: those few are left to the pose's gates."""
    rng = random.Random(601)
    truth = parse_packet(GOOD)
    passed = wrong = 0
    for _ in range(200_000):
        try:
            read = parse_packet(mutated(rng, GOOD))
        except BadKlv:
            continue
        passed += 1
        wrong += read != truth
        assert_sane(read)
    print(f"\n200,000 mutated packets: {passed} passed, {wrong} with a changed value")
    assert wrong <= 60


def mutated(rng: random.Random, packet: bytes) -> bytes:
    """Bits flipped, bytes written over, cut out, put in or moved; one time in ten, noise."""
    data = bytearray(packet)
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randrange(len(data)), rng.randrange(6)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            del data[at : at + rng.randint(1, 20)]
        elif kind == 3:
            data[at:at] = rng.randbytes(rng.randint(1, 20))
        elif kind == 4:
            data = data[:at]
        else:
            data[16:] = rng.randbytes(rng.randint(0, 60)) if rng.random() < 0.1 else data[16:]
        if not data:
            break
    return bytes(data)


def assert_sane(read: KlvMetadata) -> None:
    assert (read.lat_deg is None) == (read.lon_deg is None)
    if read.lat_deg is not None and read.lon_deg is not None:
        assert abs(read.lat_deg) <= 90.0
        assert abs(read.lon_deg) <= 180.0
        assert (read.lat_deg, read.lon_deg) != (0.0, 0.0)


# --- a real aircraft ------------------------------------------------------------------------------
def read_all(path: Path) -> tuple[list[KlvMetadata], KlvReader]:
    reader = KlvReader()
    found = reader.feed(path.read_bytes())
    reader.finish()
    return found, reader


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "packets", "error_values"), [("realflight", 19, 133), ("Cheyenne", 407, 0)]
)
def test_every_packet_of_the_recordings_is_read(
    data_dir: Path, name: str, packets: int, error_values: int
) -> None:
    """Two recordings of real aircraft: all packets, none refused, none unknown."""
    path = data_dir / "klv-st0601" / f"{name}.bin"
    found, reader = read_all(path)
    assert path.read_bytes().count(UNIVERSAL_KEY) == packets
    assert len(found) == packets
    assert reader.counters == {
        "packets": packets,
        "unknown_tags": 0,
        "error_values": error_values,
        "skipped_bytes": 0,
    }
    times = [read.time_us for read in found]
    assert times == sorted(times)


@pytest.mark.data
def test_the_chain_reaches_the_frame_centre_of_a_real_flight(data_dir: Path) -> None:
    """Aircraft attitude and gimbal angles alone find what the aircraft's own computer found."""
    found, _ = read_all(data_dir / "klv-st0601" / "Cheyenne.bin")
    misses_m, ranges_m = [], []
    for read in found:
        rotation = read.rotation_enu_from_camera()
        assert rotation is not None
        assert read.lon_deg is not None
        assert read.lat_deg is not None
        assert read.alt_msl_m is not None
        # Both heights are above the sea; over 3 km the geoid is one constant.
        here = EnuFrame(
            GeodeticPoint(lon_deg=read.lon_deg, lat_deg=read.lat_deg, alt_hae_m=read.alt_msl_m)
        )
        centre = here.to_enu(read.frame_lon_deg, read.frame_lat_deg, read.frame_alt_msl_m)[0]
        axis = rotation[:, 2]
        misses_m.append(np.hypot(*(axis * centre[2] / axis[2] - centre)[:2]))
        ranges_m.append(np.linalg.norm(centre))
    median_m, p90_m = np.percentile(misses_m, [50, 90])
    print(
        f"\nframe centre of {len(found)} packets at {min(ranges_m):,.0f}..{max(ranges_m):,.0f} m: "
        f"median {median_m:.1f} m, p90 {p90_m:.1f} m"
    )
    assert median_m <= 10.0
    assert p90_m <= 30.0
