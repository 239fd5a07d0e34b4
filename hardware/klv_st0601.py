"""Metadata of a drone's film as MISB ST 0601 writes it: packets in, checked values out.

A packet is believed only when its key, its length, its time and its checksum are whole; whatever
else comes is refused and counted. A value that the standard calls an error, one of a wrong
length and a place at 0/0 are None, never a number.

Source: MISB ST 0601, "UAS Datalink Local Set"; SMPTE ST 336 (keys, lengths, tags).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.turn import matrix_of_frd_angles

UNIVERSAL_KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
MAX_VALUE_BYTES = 65_535
"""A longer packet is no packet; real ones are 100 to 1,500 bytes."""

_CHECKSUM, _TIME, _PLATFORM, _SENSOR, _HAE_LONG = 1, 2, 10, 11, 104


class BadKlv(ValueError):
    """A packet that is not believed.

    Attributes:
        reason: one word of the counters.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"KLV packet refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class KlvMetadata:
    """What one packet said. None: not said, or said to be out of range.

    Attributes:
        time_us: microseconds since 1970 by the film maker's clock.
        platform_pitch_deg: of the aircraft, nose up is positive.
        platform_roll_deg: right wing down is positive.
        alt_msl_m: of the sensor, above the sea.
        alt_hae_m: of the sensor, above the ellipsoid.
        sensor_azimuth_deg: of the gimbal from the aircraft's nose, clockwise seen from above.
        sensor_elevation_deg: of the gimbal from the aircraft's level, up is positive.
        sensor_roll_deg: of the gimbal about its axis, clockwise seen from behind.
        frame_alt_msl_m: of the ground at the picture's centre, above the sea.
        frame_alt_hae_m: the same above the ellipsoid.
        corners_deg: (lon, lat) of the picture's corners as the sender computed them: top left, top
            right, bottom right, bottom left.
        unknown_tags: how many tags this reader does not know (they are skipped).
        error_values: how many values were marked as errors, out of range or of a wrong length.
    """

    time_us: int
    platform_heading_deg: float | None = None
    platform_pitch_deg: float | None = None
    platform_roll_deg: float | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    alt_msl_m: float | None = None
    alt_hae_m: float | None = None
    hfov_deg: float | None = None
    vfov_deg: float | None = None
    sensor_azimuth_deg: float | None = None
    sensor_elevation_deg: float | None = None
    sensor_roll_deg: float | None = None
    slant_range_m: float | None = None
    target_width_m: float | None = None
    frame_lon_deg: float | None = None
    frame_lat_deg: float | None = None
    frame_alt_msl_m: float | None = None
    frame_alt_hae_m: float | None = None
    corners_deg: tuple[tuple[float, float], ...] = ()
    platform: str = ""
    sensor: str = ""
    unknown_tags: int = 0
    error_values: int = 0

    @property
    def time_s(self) -> float:
        """Seconds since 1970 by the film maker's clock."""
        return self.time_us * 1e-6

    def rotation_enu_from_camera(self) -> npt.NDArray[np.float64] | None:
        """(3, 3) of the picture in ENU at the sensor; None when an angle of the chain is missing.

        A gimbal without a word about its roll is a levelled one only if its maker says so; here
        the missing roll is taken as none, since most senders leave the item out then.
        """
        if (
            self.platform_heading_deg is None
            or self.platform_pitch_deg is None
            or self.platform_roll_deg is None
            or self.sensor_azimuth_deg is None
            or self.sensor_elevation_deg is None
        ):
            return None
        return rotation_enu_from_gimbal(
            self.platform_heading_deg,
            self.platform_pitch_deg,
            self.platform_roll_deg,
            self.sensor_azimuth_deg,
            self.sensor_elevation_deg,
            self.sensor_roll_deg or 0.0,
        )


def rotation_enu_from_gimbal(
    heading_deg: float,
    pitch_deg: float,
    roll_deg: float,
    gimbal_azimuth_deg: float,
    gimbal_elevation_deg: float,
    gimbal_roll_deg: float,
) -> npt.NDArray[np.float64]:
    """(3, 3) whose columns are the camera's x (right), y (down), z (axis) in ENU.

    Both chains turn about z, then the new y, then the new x (body forward, right, down): first
    the aircraft in north-east-down, then the gimbal in the aircraft.

    Args:
        heading_deg: of the aircraft, true, clockwise.
        pitch_deg: nose up.
        roll_deg: right wing down.
        gimbal_azimuth_deg: from the nose, clockwise seen from above.
        gimbal_elevation_deg: from the aircraft's level, up.
        gimbal_roll_deg: clockwise seen from behind.
    """
    turned = matrix_of_frd_angles(heading_deg, pitch_deg, roll_deg) @ matrix_of_frd_angles(
        gimbal_azimuth_deg, gimbal_elevation_deg, gimbal_roll_deg
    )
    north, east, down = turned[:, [1, 2, 0]]  # Camera x is the gimbal's y, y its z, z its x.
    return np.stack((east, north, -down))


# --- items ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Item:
    """How an item's integer becomes a number; a signed one has its lowest value as "error"."""

    name: str
    size: int
    low: float
    high: float

    @property
    def signed(self) -> bool:
        return self.low == -self.high

    def value(self, raw: bytes) -> float | None:
        if len(raw) != self.size:
            return None
        number = int.from_bytes(raw, "big", signed=self.signed)
        if not self.signed:
            return self.low + number * (self.high - self.low) / ((1 << 8 * self.size) - 1)
        most = (1 << (8 * self.size - 1)) - 1
        return None if number == -most - 1 else number * self.high / most


_ITEMS: dict[int, _Item] = {
    5: _Item("platform_heading_deg", 2, 0.0, 360.0),
    6: _Item("platform_pitch_deg", 2, -20.0, 20.0),
    7: _Item("platform_roll_deg", 2, -50.0, 50.0),
    13: _Item("lat_deg", 4, -90.0, 90.0),
    14: _Item("lon_deg", 4, -180.0, 180.0),
    15: _Item("alt_msl_m", 2, -900.0, 19000.0),
    16: _Item("hfov_deg", 2, 0.0, 180.0),
    17: _Item("vfov_deg", 2, 0.0, 180.0),
    18: _Item("sensor_azimuth_deg", 4, 0.0, 360.0),
    19: _Item("sensor_elevation_deg", 4, -180.0, 180.0),
    20: _Item("sensor_roll_deg", 4, 0.0, 360.0),
    21: _Item("slant_range_m", 4, 0.0, 5_000_000.0),
    22: _Item("target_width_m", 2, 0.0, 10_000.0),
    23: _Item("frame_lat_deg", 4, -90.0, 90.0),
    24: _Item("frame_lon_deg", 4, -180.0, 180.0),
    25: _Item("frame_alt_msl_m", 2, -900.0, 19000.0),
    75: _Item("alt_hae_m", 2, -900.0, 19000.0),
    78: _Item("frame_alt_hae_m", 2, -900.0, 19000.0),
    90: _Item("full_pitch_deg", 4, -90.0, 90.0),
    91: _Item("full_roll_deg", 4, -90.0, 90.0),
    **{26 + 2 * n: _Item(f"offset_lat_{n}", 2, -0.075, 0.075) for n in range(4)},
    **{27 + 2 * n: _Item(f"offset_lon_{n}", 2, -0.075, 0.075) for n in range(4)},
    **{82 + 2 * n: _Item(f"corner_lat_{n}", 4, -90.0, 90.0) for n in range(4)},
    **{83 + 2 * n: _Item(f"corner_lon_{n}", 4, -180.0, 180.0) for n in range(4)},
}
_KNOWN_UNUSED = frozenset(range(1, 144))
"""Tags of the standard that this reader has no use for are not unknown."""


def parse_packet(packet: bytes) -> KlvMetadata:
    """The values of one whole packet: key, length, items, checksum.

    Raises:
        BadKlv: it is not whole, not ours, or damaged.
    """
    if packet[:16] != UNIVERSAL_KEY:
        raise BadKlv("wrong_key")
    length, start = ber_length(packet, 16)
    if length > MAX_VALUE_BYTES:
        raise BadKlv("oversized")
    if start + length > len(packet):
        raise BadKlv("truncated")
    if start + length < len(packet):
        raise BadKlv("trailing_bytes")
    items = _items(packet, start)
    tag, value = items[-1] if items else (0, b"")
    if tag != _CHECKSUM or len(value) != 2:
        raise BadKlv("no_checksum")
    if int.from_bytes(value, "big") != checksum(packet[:-2]):
        raise BadKlv("bad_checksum")
    return _metadata(items)


def checksum(data: bytes) -> int:
    """The running 16 bit sum over a packet up to its checksum's own two bytes."""
    return (sum(data[0::2]) * 256 + sum(data[1::2])) & 0xFFFF


def ber_length(data: bytes, at: int) -> tuple[int, int]:
    """A BER length and where the value after it begins.

    Raises:
        BadKlv: cut off, of the indefinite form, or longer than any packet may be.
    """
    if at >= len(data):
        raise BadKlv("truncated")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    count = first & 0x7F
    if count == 0 or count > 8:
        raise BadKlv("bad_length")
    if at + 1 + count > len(data):
        raise BadKlv("truncated")
    return int.from_bytes(data[at + 1 : at + 1 + count], "big"), at + 1 + count


def _tag(data: bytes, at: int) -> tuple[int, int]:
    """A BER-OID tag and where its length begins."""
    tag = 0
    for place in range(at, min(at + 4, len(data))):
        tag = tag << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return tag, place + 1
    raise BadKlv("bad_tag")


def _items(packet: bytes, at: int) -> list[tuple[int, bytes]]:
    """Every tag with its bytes, in order; they must fill the packet exactly."""
    items = []
    while at < len(packet):
        tag, at = _tag(packet, at)
        length, at = ber_length(packet, at)
        if at + length > len(packet):
            raise BadKlv("item_too_long")
        items.append((tag, packet[at : at + length]))
        at += length
    return items


def _metadata(items: Sequence[tuple[int, bytes]]) -> KlvMetadata:
    values: dict[str, float] = {}
    words: dict[str, str] = {}
    time_us = 0
    unknown = errors = 0
    for tag, raw in items:
        item = _ITEMS.get(tag)
        if item is not None:
            value = item.value(raw)
            if value is None:
                errors += 1
                values.pop(item.name, None)
            else:
                values[item.name] = value
        elif tag == _TIME:
            time_us = int.from_bytes(raw, "big") if len(raw) == 8 else 0
        elif tag in (_PLATFORM, _SENSOR):
            words["platform" if tag == _PLATFORM else "sensor"] = _word(raw)
        elif tag == _HAE_LONG:
            long_m = _imapb(raw, -900.0, 40000.0)
            if long_m is None:
                errors += 1
            else:
                values["alt_hae_m"] = long_m
        elif tag not in _KNOWN_UNUSED:
            unknown += 1
    if not 0 < time_us < 1 << 62:
        raise BadKlv("no_time")
    for name in ("pitch", "roll"):
        full = values.pop(f"full_{name}_deg", None)
        if full is not None:
            values[f"platform_{name}_deg"] = full
    errors += _drop_null_island(values, "lon_deg", "lat_deg")
    errors += _drop_null_island(values, "frame_lon_deg", "frame_lat_deg")
    corners = _corners(values)
    plain = {
        name: value
        for name, value in values.items()
        if not name.startswith(("offset_", "corner_", "full_"))
    }
    return KlvMetadata(
        time_us=time_us,
        corners_deg=corners,
        platform=words.get("platform", ""),
        sensor=words.get("sensor", ""),
        unknown_tags=unknown,
        error_values=errors,
        **plain,
    )


def _drop_null_island(values: dict[str, float], lon: str, lat: str) -> int:
    """A place needs both numbers, and 0/0 is a receiver without a fix."""
    pair = values.get(lon), values.get(lat)
    if None not in pair and pair != (0.0, 0.0):
        return 0
    told = [values.pop(name) for name in (lon, lat) if name in values]
    return 1 if told else 0


def _corners(values: Mapping[str, float]) -> tuple[tuple[float, float], ...]:
    """Four corners, in full where given, else as offsets from the centre; else none."""
    full = [(values.get(f"corner_lon_{n}"), values.get(f"corner_lat_{n}")) for n in range(4)]
    if all(lon is not None and lat is not None for lon, lat in full):
        return tuple((lon, lat) for lon, lat in full if lon is not None and lat is not None)
    centre = values.get("frame_lon_deg"), values.get("frame_lat_deg")
    offset = [(values.get(f"offset_lon_{n}"), values.get(f"offset_lat_{n}")) for n in range(4)]
    if centre[0] is None or centre[1] is None:
        return ()
    found = [
        (centre[0] + lon, centre[1] + lat)
        for lon, lat in offset
        if lon is not None and lat is not None
    ]
    return tuple(found) if len(found) == 4 else ()


def _word(raw: bytes) -> str:
    text = raw[:64].decode("utf-8", "replace")
    return "".join(letter for letter in text if letter.isprintable())


def _imapb(raw: bytes, low: float, high: float) -> float | None:
    """A number of MISB ST 1201's IMAPB mapping; None for its special values.

    Source: MISB ST 1201, "Floating Point to Integer Mapping", the reverse mapping.
    """
    if not 1 <= len(raw) <= 8:
        return None
    number = int.from_bytes(raw, "big")
    top_bit = 8 * len(raw) - 1
    if number > 1 << top_bit:  # Infinities, "not a number" and reserved words.
        return None
    step = 2.0 ** (math.ceil(math.log2(high - low)) - top_bit)
    zero_offset = low / step - math.floor(low / step) if low < 0.0 < high else 0.0
    value = step * (number - zero_offset) + low
    return value if value <= high else None
