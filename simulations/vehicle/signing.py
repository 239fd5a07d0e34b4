"""MAVLink 2 signing as the autopilot does it: one key, a clock that runs ahead, and an open first channel."""

import hashlib
import hmac
from collections.abc import Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav
from pymavlink.generator.mavcrc import x25crc

from simulations.vehicle.ports import Message, Organ, Peer, Reply, VehicleView

TICKS_PER_S = 100_000
"""A timestamp counts 10 microseconds from the first second of 2015."""
EPOCH_UNIX_S = 1_420_070_400
MOST_TICKS = 2**48 - 1
"""A timestamp has six bytes."""
AHEAD_TICKS = 60 * TICKS_PER_S
"""Added to the given timestamp, and again at each start; a new stream may be as far behind."""
MOST_STREAMS = 16
_MAVLINK_2 = 0xFD
_HEADER_BYTES, _CHECKSUM_BYTES, _TRAILER_BYTES, _SIGNATURE_BYTES = 10, 2, 13, 6
_SIGNED = 1
_FIRST_LINK = 0


class Signing(Organ):
    """Keeper of the key: signs what leaves every link, judges what comes on all but the first.

    It is the vehicle's `FrameGuard` and takes SETUP_SIGNING as one of its organs. A refused frame
    is dropped without a word.

    Args:
        view: the vehicle.
    """

    def __init__(self, view: VehicleView) -> None:
        self._view = view
        self._key: bytes | None = None
        self._base_ticks = 0
        self._link_ticks: dict[int, int] = {}
        self._streams: dict[tuple[int, int, int], int] = {}
        self._dropped = 0

    @property
    def active(self) -> bool:
        """Whether there is a key."""
        return self._key is not None

    @property
    def dropped(self) -> int:
        """Frames refused since boot."""
        return self._dropped

    def handle(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # of the Protocol
        """SETUP_SIGNING: never acknowledged, refused in words while armed."""
        if message.get_msgId() != mav.MAVLINK_MSG_ID_SETUP_SIGNING:
            return ()
        if self._view.state.armed:
            self._view.say("ERROR: Won't setup signing when armed", int(mav.MAV_SEVERITY_ERROR))
            return ()
        key = bytes(message.secret_key)
        self._key = key if any(key) or message.initial_timestamp else None
        self._start(message.initial_timestamp)
        return ()

    def reboot(self, now_s: float) -> None:  # noqa: ARG002  # of the Protocol
        """The key is in storage, with the latest timestamp of all links."""
        self._start(max([self._base_ticks, *self._link_ticks.values()]))
        self._dropped = 0

    def outgoing(self, frame: bytes, *, crc_extra: int, link: int, now_s: float) -> bytes:  # noqa: ARG002  # of the Protocol
        """Return the frame flagged and signed, or unchanged without a key.

        Args:
            frame: an unsigned frame, complete with checksum.
            crc_extra: of its message, for the new checksum.
            link: its channel, which is the signature's link id.
            now_s: vehicle time.
        """
        if self._key is None or frame[0] != _MAVLINK_2:
            return frame
        flagged = bytearray(frame[:-_CHECKSUM_BYTES])
        flagged[2] |= _SIGNED
        checksum = x25crc(flagged[1:])
        checksum.accumulate(bytes([crc_extra]))
        flagged += checksum.crc.to_bytes(2, "little")
        ticks = min(MOST_TICKS, self._ticks(link) + 1)
        self._link_ticks[link] = ticks
        flagged += bytes([link & 0xFF]) + ticks.to_bytes(6, "little")
        return bytes(flagged) + _signature(self._key, bytes(flagged))

    def accepts(self, frame: bytes, *, link: int, now_s: float) -> bool:  # noqa: ARG002  # of the Protocol
        """Whether a frame may be handled; the first channel counts as USB and is never shut."""
        if self._key is None:
            return True
        good = self._is_good(frame, link)
        if good or link == _FIRST_LINK:
            return True
        self._dropped += 1
        return False

    def _start(self, ticks: int) -> None:
        """Run ahead of a timestamp, with no stream known."""
        ahead = min(MOST_TICKS, ticks + AHEAD_TICKS)
        self._base_ticks = ahead if self._key is not None else 0
        self._link_ticks.clear()
        self._streams.clear()

    def _ticks(self, link: int) -> int:
        """Timestamp of a link: what it reached itself, or the time of the GPS when that is later."""
        ticks = self._link_ticks.get(link, self._base_ticks)
        unix_s = self._view.state.time_unix_s
        return ticks if unix_s is None else max(ticks, int((unix_s - EPOCH_UNIX_S) * TICKS_PER_S))

    def _is_good(self, frame: bytes, link: int) -> bool:
        """Check signature and timestamp, and learn from a frame that passes both."""
        assert self._key is not None
        least = _HEADER_BYTES + _CHECKSUM_BYTES + _TRAILER_BYTES
        if len(frame) < least or frame[0] != _MAVLINK_2 or not frame[2] & _SIGNED:
            return False
        body, signature = frame[:-_SIGNATURE_BYTES], frame[-_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(self._key, body)):
            return False
        ticks = int.from_bytes(body[-6:], "little")
        stream = (frame[5], frame[6], body[-7])
        known = self._streams.get(stream)
        if known is None:
            if len(self._streams) >= MOST_STREAMS or ticks + AHEAD_TICKS < self._ticks(link):
                return False
        elif ticks <= known:
            return False
        self._streams[stream] = ticks
        self._link_ticks[link] = max(self._ticks(link), ticks)
        return True


def _signature(key: bytes, body: bytes) -> bytes:
    """First six bytes of SHA-256 over key, frame, link id and timestamp.

    Source: MAVLink guide, message signing.
    """
    return hashlib.sha256(key + body).digest()[:_SIGNATURE_BYTES]
