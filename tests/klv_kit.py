"""The sending side of MISB ST 0601, for tests: values in, packets out."""

from collections.abc import Mapping

KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
RANGES: dict[int, tuple[int, float, float]] = {
    # tag: bytes, lowest, highest; symmetric ranges are signed.
    5: (2, 0.0, 360.0),
    6: (2, -20.0, 20.0),
    7: (2, -50.0, 50.0),
    13: (4, -90.0, 90.0),
    14: (4, -180.0, 180.0),
    15: (2, -900.0, 19000.0),
    16: (2, 0.0, 180.0),
    17: (2, 0.0, 180.0),
    18: (4, 0.0, 360.0),
    19: (4, -180.0, 180.0),
    20: (4, 0.0, 360.0),
    21: (4, 0.0, 5_000_000.0),
    22: (2, 0.0, 10_000.0),
    23: (4, -90.0, 90.0),
    24: (4, -180.0, 180.0),
    25: (2, -900.0, 19000.0),
    75: (2, -900.0, 19000.0),
    78: (2, -900.0, 19000.0),
    90: (4, -90.0, 90.0),
    91: (4, -90.0, 90.0),
}


def length(size: int, *, long: bool = False) -> bytes:
    """A BER length, short where it can be."""
    if size < 128 and not long:
        return bytes([size])
    raw = size.to_bytes(max(1, (size.bit_length() + 7) // 8), "big")
    return bytes([0x80 | len(raw)]) + raw


def item(tag: int, raw: bytes) -> bytes:
    """One item of the set; tags over 127 in two bytes."""
    name = bytes([tag]) if tag < 128 else bytes([0x80 | tag >> 7, tag & 0x7F])
    return name + length(len(raw)) + raw


def number(tag: int, value: float) -> bytes:
    """One item that holds a number."""
    size, low, high = RANGES[tag]
    if low == -high:
        most = (1 << (8 * size - 1)) - 1
        return item(tag, round(value / high * most).to_bytes(size, "big", signed=True))
    span = (1 << 8 * size) - 1
    return item(tag, round((value - low) / (high - low) * span).to_bytes(size, "big"))


def packet(
    time_us: int | None, values: Mapping[int, float], *, raw: bytes = b"", sealed: bool = True
) -> bytes:
    """A whole packet: time first, numbers, whatever else, checksum last."""
    body = b"" if time_us is None else item(2, time_us.to_bytes(8, "big"))
    body += b"".join(number(tag, value) for tag, value in values.items()) + raw
    return seal(body) if sealed else KEY + length(len(body)) + body


def seal(body: bytes) -> bytes:
    """Key, length and checksum around items."""
    whole = KEY + length(len(body) + 4) + body + b"\x01\x02"
    total = 0
    for index, byte in enumerate(whole):
        total += byte << (8 * ((index + 1) % 2))
    return whole + (total & 0xFFFF).to_bytes(2, "big")
