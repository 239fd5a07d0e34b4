"""Bytes of a link to MAVLink frames, versions 1 and 2: nothing passes whose checksum is wrong.

A frame that is broken costs its own first byte only: the search goes on right behind it, so that
garbage never swallows the good frame after it.
"""

import binascii
import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

V1, V2 = 0xFE, 0xFD
SIGNED = 0x01
SIGNATURE_BYTES = 13
"""Link id, six bytes of time stamp, six bytes of signature."""
_LONGEST_BYTES = 10 + 255 + 2 + SIGNATURE_BYTES
_MAGIC = re.compile(b"[\xfd\xfe]")
_MIRROR = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


class Frame(NamedTuple):
    """One whole frame.

    Attributes:
        message_id: what it carries.
        system_id: of the sender.
        component_id: of the sender.
        seq: running number of the sender, 0 to 255.
        payload: as sent, trailing zeros cut off in version 2.
        raw: the frame itself.
        signed: whether a signature stands at its end (not whether it is good).
    """

    message_id: int
    system_id: int
    component_id: int
    seq: int
    payload: bytes
    raw: bytes
    signed: bool


def checksum(data: bytes) -> int:
    """CRC-16/MCRF4XX, two bytes.

    The standard library has its mirror image in C: bits are turned round before and after.

    Source: MAVLink guide, packet serialization, checksum.
    """
    turned = binascii.crc_hqx(data.translate(_MIRROR), 0xFFFF)
    return _MIRROR[turned >> 8] | _MIRROR[turned & 0xFF] << 8


def with_checksum(head: bytes, crc_extra: int) -> bytes:
    """A frame's bytes up to its payload's end with the checksum behind them.

    Args:
        head: from the magic byte to the end of the payload.
        crc_extra: seed of the message.
    """
    return head + checksum(head[1:] + bytes((crc_extra,))).to_bytes(2, "little")


class FrameReader:
    """Finds frames in a stream of bytes.

    Args:
        crc_extra: seed of each known message; others cannot be proved and are passed over.
    """

    def __init__(self, crc_extra: Mapping[int, int]) -> None:
        self._crc_extra = {key: bytes((value,)) for key, value in crc_extra.items()}
        self._held = b""
        self.counters: Counter[str] = Counter()

    def reset(self) -> None:
        """A new connection: what was half read is no frame any more."""
        self._held = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes in; the frames that are complete now.

        What is held back is shorter than the longest frame.
        """
        held = self._held + data if self._held else data
        found: list[Frame] = []
        at, end = 0, len(held)
        while True:
            magic = _MAGIC.search(held, at)
            if magic is None:
                self.counters["skipped_bytes"] += end - at
                at = end
                break
            start = magic.start()
            self.counters["skipped_bytes"] += start - at
            at = start
            if end - at < 3:
                break
            is_v2 = held[at] == V2
            flags = held[at + 2] if is_v2 else 0
            if flags & ~SIGNED:  # A flag that we do not know: the frame cannot be understood.
                self.counters["unknown_flags"] += 1
                at += 1
                continue
            payload_at = at + (10 if is_v2 else 6)
            sum_at = payload_at + held[at + 1]
            stop = sum_at + 2 + (SIGNATURE_BYTES if flags else 0)
            if stop > end:
                break
            frame = self._frame(held, at, payload_at, sum_at, stop, is_v2=is_v2)
            if frame is None:
                at += 1
                continue
            found.append(frame)
            at = stop
        self._held = held[at:]
        return found

    def _frame(
        self, held: bytes, at: int, payload_at: int, sum_at: int, stop: int, *, is_v2: bool
    ) -> Frame | None:
        if is_v2:
            seq, system_id, component_id = held[at + 4], held[at + 5], held[at + 6]
            message_id = held[at + 7] | held[at + 8] << 8 | held[at + 9] << 16
        else:
            seq, system_id, component_id = held[at + 2], held[at + 3], held[at + 4]
            message_id = held[at + 5]
        extra = self._crc_extra.get(message_id)
        if extra is None:
            self.counters["unknown_message"] += 1
            return None
        turned = binascii.crc_hqx((held[at + 1 : sum_at] + extra).translate(_MIRROR), 0xFFFF)
        if _MIRROR[turned >> 8] != held[sum_at] or _MIRROR[turned & 0xFF] != held[sum_at + 1]:
            self.counters["bad_checksum"] += 1
            return None
        return Frame(
            message_id,
            system_id,
            component_id,
            seq,
            held[payload_at:sum_at],
            held[at:stop],
            is_v2 and stop - sum_at > 2,
        )
