"""Framing: every whole frame is found once, whatever stands around it, and no broken one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from hardware.autopilot_mavlink.dialect import CRC_EXTRA, LAYOUTS, Packer
from hardware.autopilot_mavlink.frames import FrameReader, checksum


def frames_of(count=20, version=2):
    packer = mav.MAVLink(None, 7, 1)
    found = []
    for number in range(count):
        packer.seq = number
        message = mav.MAVLink_attitude_message(number, 0.1, -0.2, 3.0, 0.0, 0.0, 0.01 * number)
        found.append(bytes(message.pack(packer, force_mavlink1=version == 1)))
    return found


def test_checksum_is_the_published_one() -> None:
    """The check value of CRC-16/MCRF4XX."""
    assert 0x6F91 == checksum(b"123456789")


@pytest.mark.parametrize("version", [1, 2])
@given(cuts=st.lists(st.integers(0, 2000), max_size=30))
def test_cuts_of_the_stream_do_not_matter(version, cuts) -> None:
    """However the bytes come in pieces, the same frames come out."""
    frames = frames_of(version=version)
    stream = b"".join(frames)
    edges = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    reader = FrameReader(CRC_EXTRA)
    found = [
        frame
        for a, b in zip(edges, edges[1:], strict=False)  # noqa: RUF007  # one edge may stand alone
        for frame in reader.feed(stream[a:b])
    ]
    assert frames == [frame.raw for frame in found]
    assert list(range(20)) == [frame.seq for frame in found]


@given(junk=st.lists(st.binary(max_size=60), min_size=21, max_size=21))
def test_garbage_between_frames_never_swallows_one(junk) -> None:
    """Not even where it looks like the beginning of a long frame."""
    frames = frames_of()
    stream = b"".join(a + b for a, b in zip(junk, [*frames, b""], strict=True))
    reader = FrameReader(CRC_EXTRA)
    # A last false beginning may wait for as many bytes as a frame can have.
    found = [frame.raw for frame in reader.feed(stream + bytes(300))]
    assert frames == [raw for raw in found if raw in frames]


def test_any_broken_byte_costs_its_own_frame_only() -> None:
    """Behind a frame with one wrong byte all others are found."""
    frames = frames_of()
    for position in range(len(frames[3])):
        broken = bytearray(frames[3])
        broken[position] ^= 0x40
        reader = FrameReader(CRC_EXTRA)
        found = reader.feed(b"".join([*frames[:3], bytes(broken), *frames[4:]]) + bytes(300))
        assert frames[:3] + frames[4:] == [frame.raw for frame in found]


def test_every_message_of_the_dialect_is_read_as_pymavlink_reads_it() -> None:
    """The same numbers for every message that we read, cut and uncut."""
    seeded = random.Random(4)
    parser = mav.MAVLink(None)
    reader = FrameReader(CRC_EXTRA)
    compared = 0
    for message_id, layout in LAYOUTS.items():
        if message_id not in mav.mavlink_map:
            continue
        for zeros in (0, layout.size_bytes // 2):
            kept = layout.size_bytes - zeros
            payload = bytes(seeded.randrange(1, 120) for _ in range(kept)).ljust(
                layout.size_bytes, b"\0"
            )
            cut = payload.rstrip(b"\0") or b"\0"
            head = bytes((0xFD, len(cut), 0, 0, 9, 1, 1)) + message_id.to_bytes(3, "little")
            whole = head[1:] + cut + bytes((CRC_EXTRA[message_id],))
            raw = head + cut + checksum(whole).to_bytes(2, "little")
            theirs = parser.parse_char(raw)
            (frame,) = reader.feed(raw)
            ours = layout.decode(frame.payload.ljust(layout.size_bytes, b"\0"))
            for name in theirs.get_fieldnames():
                ours_value, theirs_value = getattr(ours, name), getattr(theirs, name)
                if isinstance(ours_value, tuple):
                    ours_value = list(ours_value)
                if isinstance(ours_value, bytes):
                    ours_value = ours_value.rstrip(b"\0").decode("ascii")
                assert theirs_value == ours_value or theirs_value != theirs_value  # NaN
                compared += 1
    assert compared > 250


def test_what_we_pack_is_read_by_pymavlink() -> None:
    """Heartbeat, TIMESYNC, requests: version 2, our ids, running numbers."""
    packer = Packer(245, 191)
    data = (
        packer.heartbeat()
        + packer.timesync(12345)
        + packer.message_interval((1, 1), 33, 5.0, 2)
        + packer.request_message((1, 1), 242)
        + packer.data_stream((1, 1), 6, 4)
    )
    found = mav.MAVLink(None).parse_buffer(data)
    assert [
        "HEARTBEAT",
        "TIMESYNC",
        "COMMAND_LONG",
        "COMMAND_LONG",
        "REQUEST_DATA_STREAM",
    ] == [m.get_type() for m in found]
    assert {(245, 191)} == {(m.get_srcSystem(), m.get_srcComponent()) for m in found}
    assert [0, 1, 2, 3, 4] == [m.get_seq() for m in found]
    assert (mav.MAV_AUTOPILOT_INVALID, mav.MAV_TYPE_ONBOARD_CONTROLLER) == (
        found[0].autopilot,
        found[0].type,
    )
    assert (511, 33.0, 200_000.0, 2) == (
        found[2].command,
        found[2].param1,
        found[2].param2,
        found[2].confirmation,
    )


def test_frame_with_a_flag_that_we_do_not_know_is_not_read() -> None:
    """An incompatible flag means that the frame cannot be understood."""
    frame = bytearray(frames_of(1)[0])
    frame[2] = 0x02
    raw = bytes(frame[:-2])
    raw += checksum(raw[1:] + bytes((CRC_EXTRA[30],))).to_bytes(2, "little")
    reader = FrameReader(CRC_EXTRA)
    assert [] == reader.feed(raw + bytes(300))
    assert reader.counters["unknown_flags"] >= 1
