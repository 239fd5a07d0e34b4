"""Metadata and time stamps out of an MPEG transport stream; the pictures are left to the decoder.

Reads one programme: its table (PAT, PMT), the whole of its metadata streams, and of its video
streams only the packets that begin a picture, for their time stamps. A gigabyte of film costs
seconds, and a live stream nothing to speak of.

Source: ISO/IEC 13818-1 (packets, tables, PES, metadata access units); MISB ST 1402 (KLV in them).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardware.mpeg_ts_tables import Programme, Section, read_pat, read_pmt

PACKET_BYTES = 188
TICKS_PER_S = 90_000
_SYNC = 0x47
_PIDS = 1 << 13
_WRAP = 1 << 33
_MAX_UNIT_BYTES = 6 + 65_535
_AGREEING = 3
"""So many sync bytes in a row, one packet apart, are a transport stream."""

Rows = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStamp:
    """A picture of the video begins here.

    Attributes:
        pts_s: when it is shown, seconds of the stream's own clock.
    """

    pts_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataUnit:
    """One unit of a metadata stream.

    Attributes:
        data: its bytes.
        pts_s: the time it belongs to; None in asynchronous streams.
        near_s: time stamp of the last picture that began before it; None before the first.
        declared: whether the programme's table calls the stream KLV.
    """

    data: bytes
    pts_s: float | None
    near_s: float | None
    declared: bool


class TsReader:
    """Takes a transport stream in pieces of any size. Holds one unit per metadata stream."""

    def __init__(self) -> None:
        self._pending = b""
        self._in_step = False
        self._sections: dict[int, Section] = {0: Section()}
        self._programme: Programme | None = None
        self._whole: npt.NDArray[np.bool_] = np.zeros(_PIDS, np.bool_)
        self._begun: npt.NDArray[np.bool_] = np.zeros(_PIDS, np.bool_)
        self._units: dict[int, bytearray] = {}
        self._continuity: dict[int, int] = {}
        self._near_s: float | None = None
        self._last_ticks: int | None = None
        self._counters: Counter[str] = Counter()
        self._learn()

    @property
    def counters(self) -> Mapping[str, int]:
        """Packets seen and what was skipped, by reason."""
        return dict(self._counters)

    @property
    def programme(self) -> Programme | None:
        """What the stream carries; None before its table came."""
        return self._programme

    def feed(self, data: bytes) -> list[VideoStamp | MetadataUnit]:
        """What these bytes complete, in the order of the stream."""
        self._pending += data
        found: list[VideoStamp | MetadataUnit] = []
        while (rows := self._whole_packets()) is not None:
            found.extend(self._read(rows))
        return found

    def finish(self) -> list[VideoStamp | MetadataUnit]:
        """The stream is over: units whose end only a next one would have shown."""
        found: list[VideoStamp | MetadataUnit] = []
        for pid in list(self._units):
            found.extend(self._unit_over(pid))
        self._pending = b""
        return found

    # --- packets ----------------------------------------------------------------------------------
    def _whole_packets(self) -> Rows | None:
        """All whole packets in step at the front of what is pending; None when there are none."""
        while True:
            if not self._in_step and not self._find_step():
                return None
            count = len(self._pending) // PACKET_BYTES
            if count == 0:
                return None
            rows = np.frombuffer(self._pending, np.uint8, count * PACKET_BYTES)
            rows = rows.reshape(count, PACKET_BYTES)
            lost = np.flatnonzero(rows[:, 0] != _SYNC)
            good = int(lost[0]) if len(lost) else count
            self._pending = self._pending[good * PACKET_BYTES :]
            if len(lost):
                self._in_step = False
                self._counters["sync_lost"] += 1
            if good:
                self._counters["packets"] += good
                return rows[:good]

    def _find_step(self) -> bool:
        """Skip to where sync bytes stand one packet apart; false while that cannot be told."""
        data = self._pending
        need = PACKET_BYTES * (_AGREEING - 1) + 1
        at = data.find(_SYNC)
        while at >= 0 and at + need <= len(data):
            if all(data[at + PACKET_BYTES * n] == _SYNC for n in range(_AGREEING)):
                self._skip(at)
                self._in_step = True
                return True
            at = data.find(_SYNC, at + 1)
        self._skip(len(data) if at < 0 else at)
        return False

    def _skip(self, count: int) -> None:
        self._counters["skipped_bytes"] += count
        self._pending = self._pending[count:]

    def _read(self, rows: Rows) -> Iterator[VideoStamp | MetadataUnit]:
        pids = (rows[:, 1].astype(np.int32) & 0x1F) << 8 | rows[:, 2]
        begins = (rows[:, 1] & 0x40) > 0
        at = 0
        while at < len(rows):
            rest = pids[at:]
            wanted = np.flatnonzero(self._whole[rest] | begins[at:] & self._begun[rest]) + at
            known, at = (self._programme, set(self._sections)), len(rows)
            for index in wanted.tolist():
                yield from self._packet(int(pids[index]), rows[index], begins=bool(begins[index]))
                # Other streams may be wanted from here on.
                if (self._programme, set(self._sections)) != known:
                    self._learn()
                    at = index + 1
                    break

    def _learn(self) -> None:
        """Which packet ids are wanted whole, and of which only what begins a picture."""
        programme = self._programme
        self._whole[:] = self._begun[:] = False
        self._whole[[*self._sections, *(programme.metadata if programme else ())]] = True
        self._begun[list(programme.video) if programme else []] = True

    def _packet(self, pid: int, row: Rows, *, begins: bool) -> Iterator[VideoStamp | MetadataUnit]:
        packet = row.tobytes()
        if packet[1] & 0x80 or packet[3] & 0xC0:
            self._counters["damaged" if packet[1] & 0x80 else "scrambled"] += 1
            return
        payload = _payload(packet)
        if not payload:
            return
        if self._programme is not None and pid in self._programme.video:
            pts_s = self._pts_s(payload)
            if pts_s is not None:
                self._near_s = pts_s
                yield VideoStamp(pts_s=pts_s)
            return
        if self._repeated(pid, packet[3] & 0x0F):
            return
        if pid in self._sections:
            self._table(pid, payload, begins=begins)
        else:
            yield from self._metadata(pid, payload, begins=begins)

    def _repeated(self, pid: int, count: int) -> bool:
        """Whether this packet was sent before; after a gap whatever was begun is thrown away."""
        before = self._continuity.get(pid)
        self._continuity[pid] = count
        if before is None or count == (before + 1) & 0x0F:
            return False
        if count == before:
            self._counters["repeated"] += 1
            return True
        self._counters["gaps"] += 1
        self._units.pop(pid, None)
        if pid in self._sections:
            self._sections[pid] = Section()
        return False

    # --- tables -----------------------------------------------------------------------------------
    def _table(self, pid: int, payload: bytes, *, begins: bool) -> None:
        for table in self._sections[pid].feed(payload, begins=begins):
            if pid == 0:
                programme_pid = read_pat(table)
                if programme_pid is not None and set(self._sections) != {0, programme_pid}:
                    self._sections = {0: self._sections[0], programme_pid: Section()}
            else:
                found = read_pmt(table)
                if found is not None and found != self._programme:
                    self._programme = found
                    self._units.clear()
        self._counters["bad_tables"] += self._sections[pid].take_bad()

    # --- units ------------------------------------------------------------------------------------
    def _metadata(self, pid: int, payload: bytes, *, begins: bool) -> Iterator[MetadataUnit]:
        if begins:
            yield from self._unit_over(pid)
            self._units[pid] = bytearray()
        unit = self._units.get(pid)
        if unit is None:
            self._counters["units_without_begin"] += 1
            return
        unit += payload
        promised = int.from_bytes(unit[4:6], "big") if len(unit) >= 6 else 0
        if (promised and len(unit) >= 6 + promised) or len(unit) > _MAX_UNIT_BYTES:
            yield from self._unit_over(pid)

    def _unit_over(self, pid: int) -> Iterator[MetadataUnit]:
        unit = bytes(self._units.pop(pid, b""))
        if not unit:
            return
        content = _content(unit)
        if content is None or self._programme is None:
            self._counters["bad_units"] += 1
            return
        if pid in self._programme.synchronous and not _is_key(content):
            content = access_units(content)
        yield MetadataUnit(
            data=content,
            pts_s=self._pts_s(unit),
            near_s=self._near_s,
            declared=pid in self._programme.declared,
        )

    def _pts_s(self, unit: bytes) -> float | None:
        """The time stamp of a unit; a clock that came round to zero goes on counting."""
        ticks = pts_ticks(unit)
        if ticks is None:
            return None
        last = self._last_ticks
        if last is not None:
            ticks += round((last - ticks) / _WRAP) * _WRAP
        self._last_ticks = ticks
        return ticks / TICKS_PER_S


def _payload(packet: bytes) -> bytes:
    """A packet's bytes after its header and adaptation field."""
    if not packet[3] & 0x10:
        return b""
    start = 5 + packet[4] if packet[3] & 0x20 else 4
    return packet[start:]


def pts_ticks(unit: bytes) -> int | None:
    """The presentation time stamp of a unit's header in 1/90,000 s; None without one."""
    if len(unit) < 14 or unit[:3] != b"\0\0\1" or unit[6] >> 6 != 2 or not unit[7] & 0x80:
        return None
    a, b, c, d, e = unit[9:14]
    if not a & c & e & 1:  # Marker bits.
        return None
    return (a >> 1 & 7) << 30 | b << 22 | c >> 1 << 15 | d << 7 | e >> 1


def _content(unit: bytes) -> bytes | None:
    """What a unit carries; None when its header is none."""
    if len(unit) < 9 or unit[:3] != b"\0\0\1" or unit[6] >> 6 != 2:
        return None
    promised = int.from_bytes(unit[4:6], "big")
    start, end = 9 + unit[8], 6 + promised if promised else len(unit)
    return unit[start:end] if start <= end <= len(unit) else None


def _is_key(content: bytes) -> bool:
    return content.startswith(b"\x06\x0e\x2b\x34")


def access_units(content: bytes) -> bytes:
    """The bytes of a synchronous unit's cells, their five byte headers taken off."""
    parts: list[bytes] = []
    at = 0
    while at + 5 <= len(content):
        size = int.from_bytes(content[at + 3 : at + 5], "big")
        parts.append(content[at + 5 : at + 5 + size])
        at += 5 + size
    return b"".join(parts)
