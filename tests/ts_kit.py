"""The sending side of MPEG transport streams, for tests: a film, and metadata woven into it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

Kind = Literal["synchronous", "asynchronous", "undeclared"]
VIDEO_PID, KLV_PID, PMT_PID = 0x100, 0x1F1, 0x1000


def write_film(
    path: Path, frames: Iterable[npt.NDArray[np.uint8]], rate_hz: float, *, code: str = "mp4v"
) -> bytes:
    """A transport stream with MPEG-4 ("mp4v") or MPEG-2 ("MPEG") video, by OpenCV's encoder."""
    writer = None
    for frame in frames:
        if writer is None:
            size = frame.shape[1], frame.shape[0]
            fourcc = cv2.VideoWriter.fourcc(*code)
            writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, rate_hz, size)
            assert writer.isOpened()
        writer.write(frame)
    assert writer is not None
    writer.release()
    return path.read_bytes()


def pts_bytes(pts_s: float) -> bytes:
    """Five bytes of a presentation time stamp."""
    ticks = round(pts_s * 90_000) % (1 << 33)
    return bytes(
        [
            0x21 | (ticks >> 30 & 7) << 1,
            ticks >> 22 & 0xFF,
            (ticks >> 14 & 0xFE) | 1,
            ticks >> 7 & 0xFF,
            (ticks << 1 & 0xFE) | 1,
        ]
    )


def unit(payload: bytes, pts_s: float | None, stream_id: int, *, open_end: bool = False) -> bytes:
    """One PES packet."""
    stamp = b"" if pts_s is None else pts_bytes(pts_s)
    head = bytes([0x80, 0x80 if stamp else 0, len(stamp)]) + stamp
    size = 0 if open_end else len(head) + len(payload)
    return b"\0\0\1" + bytes([stream_id]) + size.to_bytes(2, "big") + head + payload


def klv_unit(packet: bytes, pts_s: float | None, kind: Kind) -> bytes:
    """One packet of metadata in the wrapping of its kind."""
    if kind != "synchronous":
        return unit(packet, None, 0xBD)
    cell = b"\0\0\xdf" + len(packet).to_bytes(2, "big") + packet
    return unit(cell, pts_s, 0xFC)


class Packetiser:
    """Cuts units and tables of one packet id into transport packets."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._count = 0

    def cut(self, data: bytes) -> bytes:
        """Whole packets; the last one is filled by an adaptation field."""
        out, first = b"", 0x40
        while data:
            part, data = data[:184], data[184:]
            fill = 184 - len(part)
            head = bytes([0x47, first | self.pid >> 8, self.pid & 0xFF])
            control = (0x30 if fill else 0x10) | self._count
            field = b""
            if fill:
                field = bytes([fill - 1]) + (b"\0" + b"\xff" * (fill - 2) if fill > 1 else b"")
            out += head + bytes([control]) + field + part
            self._count = (self._count + 1) & 15
            first = 0
        return out


def crc(data: bytes) -> bytes:
    """The check sum of a table."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x104C11DB7 if register >> 31 else 0)
    return register.to_bytes(4, "big")


def table(table_id: int, number: int, body: bytes) -> bytes:
    """A section in one piece, its pointer before it."""
    size = 5 + len(body) + 4
    head = bytes([table_id]) + (0xB000 | size).to_bytes(2, "big")
    whole = head + number.to_bytes(2, "big") + b"\xc1\0\0" + body
    return b"\0" + whole + crc(whole)


def pat(pmt_pid: int = PMT_PID) -> bytes:
    """A programme association table with one programme."""
    return table(0x00, 1, b"\0\x01" + (0xE000 | pmt_pid).to_bytes(2, "big"))


def stream(kind: int, pid: int, descriptors: bytes = b"") -> bytes:
    """One stream's entry in a programme's table."""
    sizes = (0xE000 | pid).to_bytes(2, "big") + (0xF000 | len(descriptors)).to_bytes(2, "big")
    return bytes([kind]) + sizes + descriptors


def klv_stream(kind: Kind, pid: int = KLV_PID) -> bytes:
    """The metadata stream's entry."""
    if kind == "synchronous":
        return stream(0x15, pid, b"\x05\x04KLVA")
    return stream(0x06, pid, b"\x05\x04KLVA" if kind == "asynchronous" else b"")


def pmt(streams: bytes, pcr_pid: int = VIDEO_PID) -> bytes:
    """A programme map table."""
    return table(0x02, 1, (0xE000 | pcr_pid).to_bytes(2, "big") + b"\xf0\0" + streams)


def with_klv(film: bytes, packets: Sequence[tuple[float, bytes]], kind: Kind) -> bytes:
    """The film with metadata: (seconds since its first picture, packet), in order of sending.

    Each packet is put right before the picture that has its time or a later one.
    """
    klv = Packetiser(KLV_PID)
    out: list[bytes] = []
    left = list(packets)
    first_s: float | None = None
    for at in range(0, len(film), 188):
        row = film[at : at + 188]
        pid = (row[1] & 0x1F) << 8 | row[2]
        if pid == PMT_PID:
            row = _with_stream(row, klv_stream(kind))
        elif pid == VIDEO_PID and row[1] & 0x40:
            start = 5 + row[4] if row[3] & 0x20 else 4
            a, b, c, d, e = row[start + 9 : start + 14]
            ticks = (a >> 1 & 7) << 30 | b << 22 | c >> 1 << 15 | d << 7 | e >> 1
            first_s = ticks / 90_000 if first_s is None else first_s
            while left and left[0][0] <= ticks / 90_000 - first_s + 1e-6:
                t_s, packet = left.pop(0)
                out.append(klv.cut(klv_unit(packet, first_s + t_s, kind)))
        out.append(row)
    assert first_s is not None
    out.extend(klv.cut(klv_unit(packet, first_s + t_s, kind)) for t_s, packet in left)
    return b"".join(out)


def without_first_pictures(film: bytes, count: int) -> bytes:
    """The stream as somebody records it who tunes in late: the tables, then from a picture on."""
    seen = 0
    for at in range(0, len(film), 188):
        row = film[at : at + 188]
        if (row[1] & 0x1F) << 8 | row[2] == VIDEO_PID and row[1] & 0x40:
            seen += 1
            if seen > count:
                return film[: 3 * 188] + film[at:]
    raise AssertionError(f"the film has only {seen} pictures")


def _with_stream(row: bytes, entry: bytes) -> bytes:
    """A packet that holds a whole programme table, with one more stream in it."""
    start = (5 + row[4] if row[3] & 0x20 else 4) + 1
    size = int.from_bytes(row[start + 1 : start + 3], "big") & 0xFFF
    body = row[start + 8 : start + 3 + size - 4] + entry
    head = bytearray(row[start : start + 8])
    head[1:3] = (0xB000 | 5 + len(body) + 4).to_bytes(2, "big")
    whole = bytes(head) + body
    out = row[:3] + bytes([0x10 | row[3] & 0x0F]) + b"\0" + whole + crc(whole)
    return out + b"\xff" * (188 - len(out))
