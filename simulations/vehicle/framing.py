"""Bytes of a link to MAVLink frames, versions 1 and 2, with the checksum proved."""

from pymavlink.dialects.v20 import ardupilotmega as mav

_V1, _V2 = 0xFE, 0xFD
_SIGNED = 0x01
_SIGNATURE_BYTES = 13
_LONGEST_BYTES = 280
_HELD_BYTES = 4096
"""More than a dozen frames of rubbish without a whole one: the oldest bytes go first, counted."""


def crc_extra_of(message_id: int) -> int | None:
    """Seed of a message's checksum; None for one the dialect does not know."""
    known = mav.mavlink_map.get(message_id)
    return None if known is None else int(known.crc_extra)


def message_id_of(frame: bytes) -> int:
    """Number of the message in a frame."""
    if frame[0] == _V2:
        return int.from_bytes(frame[7:10], "little")
    return frame[5]


def checksum_at(frame: bytes) -> int:
    """Where the two bytes of the checksum begin."""
    return (10 if frame[0] == _V2 else 6) + frame[1]


def is_whole(frame: bytes) -> bool:
    """Whether the checksum of a frame of a known message is right."""
    extra = crc_extra_of(message_id_of(frame))
    if extra is None:
        return False
    at = checksum_at(frame)
    crc = mav.x25crc(frame[1:at])
    crc.accumulate(bytes((extra,)))
    return bool(crc.crc == int.from_bytes(frame[at : at + 2], "little"))


class Deframer:
    """Finds whole frames in a stream of bytes; what does not fit is skipped byte by byte."""

    def __init__(self) -> None:
        self._held = bytearray()
        self.skipped_bytes = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes in.

        Returns:
            The frames that are complete now and whose checksum is right.
        """
        held = self._held
        held += data
        found: list[bytes] = []
        at = 0
        while at < len(held):
            if held[at] not in (_V1, _V2):
                at += 1
                self.skipped_bytes += 1
                continue
            length = self._length(held, at)
            if length is None or at + length > len(held):
                break
            frame = bytes(held[at : at + length])
            if is_whole(frame):
                found.append(frame)
                at += length
            else:
                at += 1
                self.skipped_bytes += 1
        del held[:at]
        if len(held) > _HELD_BYTES:
            self.skipped_bytes += len(held) - _LONGEST_BYTES
            del held[:-_LONGEST_BYTES]
        return found

    @staticmethod
    def _length(held: bytearray, at: int) -> int | None:
        if at + 3 > len(held):
            return None
        payload = held[at + 1]
        if held[at] == _V1:
            return 8 + payload
        return 12 + payload + (_SIGNATURE_BYTES if held[at + 2] & _SIGNED else 0)
