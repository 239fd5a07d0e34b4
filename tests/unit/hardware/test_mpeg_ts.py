"""A transport stream gives up its metadata and its pictures' times, however it arrives or is hurt."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.mpeg_ts import MetadataUnit, TsReader, VideoStamp
from hardware.mpeg_ts_tables import crc32
from tests import klv_kit, ts_kit

PICTURE_S = 0.04
PACKETS = [
    klv_kit.packet(1_700_000_000_000_000 + 200_000 * n, {13: 10.4, 14: 104.4, 15: 100.0 + n})
    for n in range(10)
]
"""Metadata at 5 Hz over 2 s."""


def stream(kind: ts_kit.Kind, *, start_s: float = 1.4, order: list[int] | None = None) -> bytes:
    """Tables, 50 pictures (in the given order of coding) and ten packets of metadata."""
    video, klv = ts_kit.Packetiser(ts_kit.VIDEO_PID), ts_kit.Packetiser(ts_kit.KLV_PID)
    tables = ts_kit.Packetiser(0), ts_kit.Packetiser(ts_kit.PMT_PID)
    streams = ts_kit.stream(0x1B, ts_kit.VIDEO_PID) + ts_kit.klv_stream(kind)
    out = b""
    for n, shown in enumerate(order or list(range(50))):
        if n % 25 == 0:
            out += tables[0].cut(ts_kit.pat()) + tables[1].cut(ts_kit.pmt(streams))
        out += video.cut(ts_kit.unit(bytes(700), start_s + PICTURE_S * shown, 0xE0, open_end=True))
        if n % 5 == 0:
            out += klv.cut(ts_kit.klv_unit(PACKETS[n // 5], start_s + PICTURE_S * n + 0.011, kind))
    return out


def read(data: bytes, size: int = 1 << 20) -> tuple[list[float], list[MetadataUnit], TsReader]:
    reader = TsReader()
    units: list[VideoStamp | MetadataUnit] = []
    for at in range(0, len(data), size):
        units += reader.feed(data[at : at + size])
    units += reader.finish()
    stamps = [unit.pts_s for unit in units if isinstance(unit, VideoStamp)]
    return stamps, [unit for unit in units if isinstance(unit, MetadataUnit)], reader


def test_synchronous_metadata_has_its_own_time() -> None:
    """Stream type 0x15: every packet whole, out of its cell, with its own time stamp."""
    stamps, units, reader = read(stream("synchronous"))
    assert stamps == pytest.approx([1.4 + PICTURE_S * n for n in range(50)])
    assert [unit.data for unit in units] == PACKETS
    assert [unit.pts_s for unit in units] == pytest.approx([1.411 + 0.2 * n for n in range(10)])
    assert reader.programme is not None
    assert reader.programme.declared == {ts_kit.KLV_PID}


@pytest.mark.parametrize(("kind", "declared"), [("asynchronous", True), ("undeclared", False)])
def test_asynchronous_metadata_is_tied_to_the_picture_before_it(
    kind: ts_kit.Kind, declared: bool
) -> None:
    """Private data, with or without the word KLVA, has no time but its neighbours'."""
    _, units, _ = read(stream(kind))
    assert [unit.data for unit in units] == PACKETS
    assert {unit.pts_s for unit in units} == {None}
    assert [unit.near_s for unit in units] == pytest.approx([1.4 + 0.2 * n for n in range(10)])
    assert {unit.declared for unit in units} == {declared}


def test_a_private_stream_of_another_format_is_left_alone() -> None:
    """Subtitles and the like, registered under another name, are no metadata."""
    streams = ts_kit.stream(0x1B, ts_kit.VIDEO_PID)
    streams += ts_kit.stream(0x06, ts_kit.KLV_PID, b"\x05\x04AC-3")
    data = ts_kit.Packetiser(0).cut(ts_kit.pat())
    data += ts_kit.Packetiser(ts_kit.PMT_PID).cut(ts_kit.pmt(streams))
    data += ts_kit.Packetiser(ts_kit.KLV_PID).cut(ts_kit.unit(PACKETS[0], None, 0xBD))
    _, units, reader = read(data)
    assert units == []
    assert reader.programme is not None
    assert reader.programme.metadata == ()


def test_pictures_out_of_order_keep_their_own_times() -> None:
    """With B-frames pictures are sent before they are shown: the stamps are those of showing."""
    order = [n + (2, -1, -1)[n % 3] if n < 48 else n for n in range(50)]
    stamps, units, _ = read(stream("synchronous", order=order))
    assert stamps == pytest.approx([1.4 + PICTURE_S * n for n in order])
    assert len(units) == 10


def test_the_streams_clock_may_come_round() -> None:
    """After 26.5 hours the 33 bit clock begins anew; the times go on."""
    wrap_s = (1 << 33) / 90_000
    stamps, units, _ = read(stream("synchronous", start_s=wrap_s - 1.0))
    assert stamps == pytest.approx([wrap_s - 1.0 + PICTURE_S * n for n in range(50)])
    assert units[-1].pts_s == pytest.approx(wrap_s - 1.0 + 1.811)


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30), st.binary(max_size=300))
def test_any_cutting_gives_the_same(cuts: list[int], rubbish: bytes) -> None:
    """Bytes before the first packet are skipped, and the size of the pieces changes nothing."""
    data = rubbish + stream("synchronous")
    reader, units, at = TsReader(), [], 0
    for size in [*cuts, len(data)]:
        units += reader.feed(data[at : at + size])
        at += size
    got = [unit.data for unit in units + reader.finish() if isinstance(unit, MetadataUnit)]
    # Rubbish that looks like sync bytes in step may cost what it hides, never invent anything.
    assert got == PACKETS[-len(got) :]
    assert len(got) >= 9


def test_lost_packets_cost_what_they_carried_and_are_counted() -> None:
    """A gap inside a unit throws the unit away instead of gluing two together."""
    whole = stream("asynchronous")
    rows = [whole[at : at + 188] for at in range(0, len(whole), 188)]
    long = klv_kit.packet(1_700_000_000_000_000, {13: 10.4}, raw=klv_kit.item(10, bytes(500)))
    klv = ts_kit.Packetiser(ts_kit.KLV_PID)
    cut = klv.cut(ts_kit.klv_unit(long, None, "asynchronous"))
    after = klv.cut(ts_kit.klv_unit(PACKETS[0], None, "asynchronous"))
    _, units, reader = read(b"".join(rows[:2]) + cut[:188] + cut[376:] + after)
    assert [unit.data for unit in units] == [PACKETS[0]]
    assert reader.counters["gaps"] == 1


def test_a_repeated_packet_counts_once() -> None:
    """A transport packet may be sent twice: the second is nothing new."""
    whole = stream("synchronous")
    twice = b"".join(whole[at : at + 188] * 2 for at in range(0, len(whole), 188))
    _, units, reader = read(twice)
    assert [unit.data for unit in units] == PACKETS
    assert reader.counters["repeated"] > 10


def test_damaged_and_scrambled_packets_are_left_out() -> None:
    """A packet that the receiver marked as damaged, or that nobody can read, is not read."""
    whole = stream("synchronous")
    rows = [bytearray(whole[at : at + 188]) for at in range(0, len(whole), 188)]
    klv = [row for row in rows if (row[1] & 0x1F) << 8 | row[2] == ts_kit.KLV_PID]
    klv[2][1] |= 0x80
    klv[5][3] |= 0x80
    _, units, reader = read(b"".join(rows))
    assert [unit.data for unit in units] == [p for n, p in enumerate(PACKETS) if n not in (2, 5)]
    assert (reader.counters["damaged"], reader.counters["scrambled"]) == (1, 1)


def test_a_damaged_table_is_refused() -> None:
    """A wrong bit in a table is noticed by its check sum, and the next copy is taken."""
    whole = bytearray(stream("synchronous"))
    whole[2 * 188 - 5] ^= 4
    stamps, _, reader = read(bytes(whole))
    assert reader.counters["bad_tables"] == 1
    assert stamps[0] == pytest.approx(1.4 + 25 * PICTURE_S)


def test_the_check_sum_is_that_of_the_standard() -> None:
    """The known value of this polynomial over the digits 1 to 9."""
    assert crc32(b"123456789") == 0x0376E6E7


def test_200_hurt_streams_are_survived() -> None:
    """Flipped, lost, put in and foreign bytes: no crash, no unit beyond its bound."""
    rng = random.Random(13818)
    base = stream("synchronous") + stream("asynchronous")
    units_read = 0
    for _ in range(200):
        data = bytearray(base)
        for _ in range(rng.randint(1, 10)):
            at = rng.randrange(len(data))
            choice = rng.randrange(4)
            if choice == 0:
                data[at] ^= 1 << rng.randrange(8)
            elif choice == 1:
                del data[at : at + rng.randint(1, 400)]
            elif choice == 2:
                data[at:at] = rng.randbytes(rng.randint(1, 400))
            else:
                data[at : at + 188] = rng.randbytes(188)
        _, units, _ = read(bytes(data), size=rng.choice([188, 1316, 65_536]))
        units_read += len(units)
        assert all(len(unit.data) <= 65_541 for unit in units)
    assert units_read > 2_000
