"""MAVLink 2 signing on real links."""

import hashlib
import time

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import Client, Silence

SPEEDUP = 1
KEY = hashlib.sha256(b"a key for tests alone").digest()
S = 100_000
EPOCH_UNIX_S = 1_420_070_400


def now_ticks():
    return int((time.time() - EPOCH_UNIX_S) * S)


def set_up(client, key=KEY, ticks=None):
    ticks = now_ticks() if ticks is None else ticks
    client.send(mav.MAVLink_setup_signing_message(1, 1, list(key), ticks))


def signed(client, wall_s=5.0):
    """Wait for a signed frame and return it."""
    client.mark = len(client.heard)
    end_s = time.monotonic() + wall_s
    while time.monotonic() < end_s:
        client.pump()
        for h in client.heard[client.mark :]:
            if h.frame[2] & 1:
                return h.frame
    raise Silence("no signed frame came")


def ticks_of(frame):
    return int.from_bytes(frame[-12:-6], "little")


def answered(client, wall_s=1.0):
    """Whether a command gets its ack."""
    try:
        return 0 == client.command(512, 148, wall_s=wall_s)
    except Silence:
        return False


@pytest.fixture
def keyed(cable):
    """A client on the first port of a vehicle that has our key; the key goes when the test ends."""
    set_up(cable)
    cable.mark = len(cable.heard)
    signed(cable)
    yield cable
    cable.post(mav.MAVLink_setup_signing_message(1, 1, [0] * 32, 0))
    end_s = time.monotonic() + 10.0
    while time.monotonic() < end_s:
        if all(not h.frame[2] & 1 for h in cable.heard[len(cable.heard) - 1 :]):
            cable.mark = len(cable.heard)
            cable.listen(0.3)
            if all(not h.frame[2] & 1 for h in cable.heard[cable.mark :]):
                return
        cable.pump()
    raise Silence("the vehicle signs on though the key was taken away")


@pytest.fixture
def second(vehicle, keyed):
    """An unsigned client on the second port, silent by itself."""
    with Client(vehicle.second_port) as client:
        client.beats = False
        yield client


def test_every_link_signs_with_its_own_number(keyed, second) -> None:
    """Incompatibility flag, thirteen bytes, link id = channel, and a signature that is right."""
    ids = []
    for client in (keyed, second):
        frame = signed(client)
        body, signature = frame[:-6], frame[-6:]
        assert hashlib.sha256(KEY + body).digest()[:6] == signature
        ids.append(body[-7])
    assert ids[0] != ids[1]
    assert 0 == ids[0]


def test_vehicle_runs_a_minute_ahead(keyed) -> None:
    """Given timestamp plus 60 s, and up with every frame."""
    ahead_s = (ticks_of(signed(keyed)) - now_ticks()) / S
    assert 45.0 < ahead_s < 61.0
    first = ticks_of(signed(keyed))
    assert first < ticks_of(signed(keyed))


def test_set_up_is_never_acknowledged(cable, keyed) -> None:
    """No ack of any kind."""
    assert [] == cable.since_mark("COMMAND_ACK", "MISSION_ACK")


def test_first_channel_takes_everything_for_ever(keyed) -> None:
    """Unsigned and wrongly signed."""
    assert answered(keyed)
    keyed.sign(bytes(32), now_ticks())
    assert answered(keyed)
    keyed.sign(None, 0)
    assert answered(keyed)


def test_other_channels_drop_in_silence(keyed, second) -> None:
    """Unsigned, wrongly signed, too old: no ack and no text; good: an answer."""
    assert not answered(second)
    second.sign(bytes(range(32)), now_ticks() + 2000 * S)
    assert not answered(second)
    second.sign(KEY, ticks_of(signed(second)) - 200 * S, link_id=5)
    assert not answered(second)
    assert [] == second.texts(0)
    second.sign(KEY, ticks_of(signed(second)), link_id=6)
    assert answered(second)


def test_a_stream_must_grow_and_may_run_ahead(keyed, second) -> None:
    """+1000 s is taken; after that a clock-true now is dropped on that link."""
    ahead = now_ticks() + 1000 * S
    second.sign(KEY, ahead, link_id=7)
    assert answered(second)
    second.sign(KEY, now_ticks(), link_id=8)
    assert not answered(second)
    second.sign(KEY, ahead - S, link_id=7)
    assert not answered(second)
    second.sign(KEY, ticks_of(signed(second)), link_id=7)
    assert answered(second)


def test_key_survives_a_restart_and_runs_further_ahead(vehicle, keyed, second) -> None:
    """Another minute past the latest of all links."""
    second.sign(KEY, now_ticks() + 2000 * S, link_id=9)
    assert answered(second)
    before = now_ticks()
    assert 0 == keyed.command(246, 1.0)
    with pytest.raises(ConnectionError):
        keyed.listen(10.0)
    keyed.connect()
    assert ticks_of(signed(keyed, wall_s=20.0)) - before > 2010 * S


def test_zero_key_switches_off_at_once(cable) -> None:
    """Frames are plain again."""
    set_up(cable)
    signed(cable)
    set_up(cable, bytes(32), 0)
    cable.listen(0.5)
    cable.mark = len(cable.heard)
    cable.listen(1.5)
    fresh = cable.heard[cable.mark :]
    assert fresh
    assert [] == [h for h in fresh if h.frame[2] & 1]
