"""Signatures: ours are taken by pymavlink, and nothing passes that is not signed now, with our key."""

import hashlib
import json
from datetime import timedelta

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from hardware.autopilot_mavlink.dialect import CRC_EXTRA, Packer
from hardware.autopilot_mavlink.driver import MavlinkSettings
from hardware.autopilot_mavlink.frames import FrameReader
from hardware.autopilot_mavlink.signing import MOST_TICKS, Signer, key_of
from runtime.errors import AskOperator
from tests.unit.hardware.mavlink_kit import START_UTC, Heard, Line, Teller, clock_of

KEY = bytes(range(32))
EPOCH_UNIX_S = 1_420_070_400
NOW_TICKS = int((START_UTC.timestamp() - EPOCH_UNIX_S) * 100_000)


def signed_teller(line, key=KEY, ticks=NOW_TICKS, link_id=3):
    teller = Teller(line)
    teller.packer.signing.secret_key = key
    teller.packer.signing.sign_outgoing = True
    teller.packer.signing.link_id = link_id
    teller.packer.signing.timestamp = ticks
    return teller


def frame_of(raw):
    (frame,) = FrameReader(CRC_EXTRA).feed(raw)
    return frame


def test_what_we_sign_is_taken_by_pymavlink() -> None:
    """Signature, link id and time are as others expect them."""
    clock = clock_of()
    signer = Signer(KEY, link_id=9, clock=clock)
    parser = mav.MAVLink(None)
    parser.signing.secret_key = KEY
    packer = Packer(245, 191)
    for _ in range(5):
        (message,) = parser.parse_buffer(signer.sign(packer.heartbeat(), CRC_EXTRA[0]))
        assert message.get_type() == "HEARTBEAT"
    assert 5 == parser.signing.goodsig_count
    assert {(9, 245, 191): NOW_TICKS + 4} == parser.signing.stream_timestamps


def test_time_stamps_of_ours_only_grow() -> None:
    """Also while the node's clock is set back."""
    clock = clock_of()
    signer = Signer(KEY, link_id=1, clock=clock)
    stamps = []
    for step_s in (0, 5, -3600, 0, 7200):
        clock.synchronise(clock.utc() + timedelta(seconds=step_s), clock.quality())
        raw = signer.sign(Packer(245, 191).heartbeat(), CRC_EXTRA[0])
        stamps.append(int.from_bytes(raw[-12:-6], "little"))
    assert sorted(set(stamps)) == stamps


@pytest.mark.parametrize(
    ("key", "ticks", "counter"),
    [
        (KEY, NOW_TICKS, None),
        (KEY, NOW_TICKS - 30 * 100_000, None),
        (KEY, NOW_TICKS + 10_000 * 100_000, None),
        (bytes(32), NOW_TICKS, "bad_signature"),
        (KEY, NOW_TICKS - 90 * 100_000, "signed_long_ago"),
        (None, 0, "unsigned"),
    ],
)
def test_with_a_key_only_what_is_signed_with_it_now_is_read(key, ticks, counter) -> None:
    """Unsigned, of another key, or older than a minute: dropped and counted."""
    clock = clock_of()
    heard = Heard(signer=Signer(KEY, link_id=1, clock=clock), clock=clock, met=False)
    teller = Teller(heard.line) if key is None else signed_teller(heard.line, key, ticks)
    teller.heartbeat()
    heard.read()
    assert (counter is None) == (len(heard.driver.vehicles()) == 1)
    if counter is not None:
        assert 1 == heard.driver.totals[counter]


def test_replayed_frames_are_refused_per_stream() -> None:
    """The same frame twice, or an older one: each stream of system, component and link has its own time."""
    signer = Signer(KEY, link_id=1, clock=clock_of())
    line = Line(clock_of())
    first, second = (signed_teller(line, link_id=link) for link in (3, 4))
    old, new = (frame_of(first.frame(mav.MAVLink_timesync_message(0, n))) for n in (1, 2))
    assert [True, False] == [signer.accepts(new), signer.accepts(old)]
    assert not signer.accepts(new)
    assert signer.accepts(frame_of(second.frame(mav.MAVLink_timesync_message(0, 1))))
    assert 2 == signer.counters["replayed"]


def test_we_follow_a_vehicle_whose_clock_runs_ahead() -> None:
    """It would drop what is stamped behind its own time."""
    signer = Signer(KEY, link_id=1, clock=clock_of())
    ahead = NOW_TICKS + 2000 * 100_000
    teller = signed_teller(Line(clock_of()), ticks=ahead)
    assert signer.accepts(frame_of(teller.frame(mav.MAVLink_timesync_message(0, 1))))
    raw = signer.sign(Packer(245, 191).heartbeat(), CRC_EXTRA[0])
    assert int.from_bytes(raw[-12:-6], "little") > ahead


def test_restart_with_a_clock_set_back_does_not_reuse_a_stamp(tmp_path) -> None:
    """The highest stamp lies on disk; what was signed since it was written lies below the new start."""
    state = tmp_path / "signing.json"
    clock = clock_of()
    signer = Signer(KEY, link_id=1, clock=clock, state_file=state)
    signer.sign(Packer(245, 191).heartbeat(), CRC_EXTRA[0])
    clock.advance(31.0)
    signer.sign(Packer(245, 191).heartbeat(), CRC_EXTRA[0])
    clock.advance(29.0)
    last = signer.sign(Packer(245, 191).heartbeat(), CRC_EXTRA[0])
    # Killed here, without close; the clock starts in 2015.
    late = clock_of()
    late.synchronise(START_UTC.replace(year=2015), late.quality())
    again = Signer(KEY, link_id=1, clock=late, state_file=state)
    raw = again.sign(Packer(245, 191).heartbeat(), CRC_EXTRA[0])
    assert raw[-12:-6][::-1] > last[-12:-6][::-1]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"ticks": -1}', '{"ticks": "x"}', f'{{"ticks": {2**60}}}']
)
def test_damaged_state_file_starts_anew(tmp_path, text) -> None:
    """Our clock then is what counts."""
    state = tmp_path / "signing.json"
    state.write_text(text)
    signer = Signer(KEY, link_id=1, clock=clock_of(), state_file=state)
    raw = signer.sign(Packer(245, 191).heartbeat(), CRC_EXTRA[0])
    assert NOW_TICKS == int.from_bytes(raw[-12:-6], "little")
    signer.close()
    assert NOW_TICKS == json.loads(state.read_text())["ticks"]


def test_stamp_at_the_end_of_time_does_not_overflow() -> None:
    """A vehicle with the greatest stamp stops us from nothing but newer stamps."""
    signer = Signer(KEY, link_id=1, clock=clock_of())
    teller = signed_teller(Line(clock_of()), ticks=MOST_TICKS)
    assert signer.accepts(frame_of(teller.frame(mav.MAVLink_timesync_message(0, 1))))
    signer.sign(Packer(245, 191).heartbeat(), CRC_EXTRA[0])


def test_key_texts() -> None:
    """64 hexadecimal digits are the key; other words are hashed as ground stations do."""
    assert KEY == key_of(KEY.hex() + "\n")
    assert hashlib.sha256(b"open sesame").digest() == key_of("open sesame\n")
    assert hashlib.sha256(b"x" * 64).digest() == key_of("x" * 64)
    with pytest.raises(AskOperator, match="signing_key_file"):
        key_of(" \n")


def test_driver_signs_all_it_sends() -> None:
    """With a key, no frame leaves unsigned."""
    clock = clock_of()
    heard = Heard(
        settings=MavlinkSettings(),
        signer=Signer(KEY, link_id=1, clock=clock),
        clock=clock,
        met=False,
    )
    teller = signed_teller(heard.line)
    for _ in range(30):
        teller.heartbeat()
        heard.read()
    frames = FrameReader(CRC_EXTRA).feed(b"".join(heard.line.sent))
    assert len(frames) > 10
    assert all(frame.signed for frame in frames)
