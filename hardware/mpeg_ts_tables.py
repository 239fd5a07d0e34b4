"""The two tables of a transport stream that say where its video and its metadata are."""

from collections.abc import Iterator
from dataclasses import dataclass

_VIDEO_TYPES = frozenset({0x01, 0x02, 0x10, 0x1B, 0x20, 0x24, 0x33, 0x42, 0xD1, 0xEA})
_PRIVATE, _METADATA = 0x06, 0x15
_REGISTRATION = 5
_MAX_SECTION_BYTES = 3 + 4093


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What a programme carries, by packet id.

    Attributes:
        video: streams of pictures.
        metadata: streams that carry metadata, or may do so.
        synchronous: those of them whose units have a time stamp and cells.
        declared: those that the table itself calls KLV.
    """

    video: tuple[int, ...]
    metadata: tuple[int, ...]
    synchronous: frozenset[int]
    declared: frozenset[int]


class Section:
    """Puts a table's section together out of packets, and checks it."""

    def __init__(self) -> None:
        self._data = b""
        self._open = False
        self._bad = 0

    def feed(self, payload: bytes, *, begins: bool) -> Iterator[bytes]:
        """The sections that this packet completes, checked."""
        if begins:
            pointer = payload[0]
            if self._open:
                yield from self._add(payload[1 : 1 + pointer])
            self._data, self._open = b"", True
            yield from self._add(payload[1 + pointer :])
        elif self._open:
            yield from self._add(payload)

    def take_bad(self) -> int:
        """How many sections were refused since the last call."""
        bad, self._bad = self._bad, 0
        return bad

    def _add(self, data: bytes) -> Iterator[bytes]:
        self._data += data
        while self._open and len(self._data) >= 3:
            if self._data[0] == 0xFF:  # Stuffing up to the packet's end.
                self._open = False
                return
            size = 3 + (int.from_bytes(self._data[1:3], "big") & 0x0FFF)
            if size > _MAX_SECTION_BYTES:
                self._bad += 1
                self._open = False
                return
            if len(self._data) < size:
                return
            section, self._data = self._data[:size], self._data[size:]
            if size >= 12 and crc32(section) == 0:
                yield section
            else:
                self._bad += 1


def crc32(data: bytes) -> int:
    """The check sum of tables (ISO/IEC 13818-1, annex A); over a whole section it is zero."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x04C11DB7 if register & 0x80000000 else 0)) & 0xFFFFFFFF
    return register


def read_pat(section: bytes) -> int | None:
    """Packet id of the first programme's table; None when this is no PAT in force."""
    if section[0] != 0x00 or not section[5] & 1:
        return None
    for at in range(8, len(section) - 4 - 3, 4):
        if int.from_bytes(section[at : at + 2], "big"):  # Programme 0 is the network's own.
            return int.from_bytes(section[at + 2 : at + 4], "big") & 0x1FFF
    return None


def read_pmt(section: bytes) -> Programme | None:
    """The streams of a programme; None when this is no PMT in force."""
    if section[0] != 0x02 or not section[5] & 1:
        return None
    video, metadata, synchronous, declared = [], [], set(), set()
    at = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    end = len(section) - 4
    while at + 5 <= end:
        kind = section[at]
        pid = int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF
        size = int.from_bytes(section[at + 3 : at + 5], "big") & 0x0FFF
        formats = _formats(section[at + 5 : min(at + 5 + size, end)])
        at += 5 + size
        if kind in _VIDEO_TYPES:
            video.append(pid)
        elif kind == _METADATA or (kind == _PRIVATE and formats <= {b"KLVA"}):
            metadata.append(pid)
            if kind == _METADATA:
                synchronous.add(pid)
            if kind == _METADATA or b"KLVA" in formats:
                declared.add(pid)
    return Programme(
        video=tuple(video),
        metadata=tuple(metadata),
        synchronous=frozenset(synchronous),
        declared=frozenset(declared),
    )


def _formats(descriptors: bytes) -> set[bytes]:
    """The registered formats a stream is said to have."""
    found = set()
    at = 0
    while at + 2 <= len(descriptors):
        tag, size = descriptors[at], descriptors[at + 1]
        if tag == _REGISTRATION and size >= 4:
            found.add(descriptors[at + 2 : at + 6])
        at += 2 + size
    return found
