"""One line of gpsd's JSON into a checked value, or a refusal with its reason.

A field that is there with a wrong type, a number that is none, a place off the globe: the whole line
is refused, since whoever wrote one field wrongly may have written the others so. What is only
missing is None.

Source: gpsd_json(5) of gpsd 3.22 and later.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal, NoReturn

Reason = Literal[
    "gpsd_not_text",
    "gpsd_not_json",
    "gpsd_no_class",
    "gpsd_wrong_type",
    "gpsd_not_finite",
    "gpsd_out_of_range",
    "gpsd_bad_time",
    "gpsd_null_island",
]
MOST_SATELLITES = 256

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")
_NAME = re.compile(r"[A-Z0-9_]{1,20}")
_NS = 1_000_000_000


class RefusedLine(ValueError):
    """A line that is not believed.

    Args:
        reason: one of few, so that counters stay few.
        detail: which field, for people.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason} {detail}".rstrip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpv:
    """Time, position, velocity of one device; None where it said nothing.

    Place and heights are there only in a mode that has them. `alt` is never read: its datum changed
    between releases (3.20) and the manual calls it undefined.

    Attributes:
        mode: 0 unknown, 1 no fix, 2 in the plane, 3 in space.
        time_utc: of the receiver.
        east_error_m: as gpsd states it, whatever its confidence; `up_error_m` alike.
        jam: 0 (quiet) to 255, of receivers that count interference.
    """

    device: str
    mode: int
    time_utc: datetime | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    alt_hae_m: float | None = None
    alt_msl_m: float | None = None
    east_error_m: float | None = None
    north_error_m: float | None = None
    up_error_m: float | None = None
    speed_m_s: float | None = None
    speed_error_m_s: float | None = None
    track_deg: float | None = None
    track_error_deg: float | None = None
    climb_m_s: float | None = None
    jam: float | None = None

    @property
    def has_place(self) -> bool:
        """Whether it says where."""
        return self.lon_deg is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Satellite:
    """One signal.

    Attributes:
        key: constellation, number and signal; without a constellation its PRN.
        cn0_db_hz: 0 where it is in view and not heard; None where nothing was said.
    """

    key: tuple[int, int, int]
    elevation_deg: float | None
    azimuth_deg: float | None
    cn0_db_hz: float | None
    used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """What stands above the horizon; `satellites` is None in a report of dilutions alone."""

    device: str
    satellites: tuple[Satellite, ...] | None = None
    jam: float | None = None

    @property
    def used(self) -> int:
        """How many make the fix."""
        return sum(satellite.used for satellite in self.satellites or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Gst:
    """The receiver's own standard deviations, one sigma each."""

    device: str
    east_sigma_m: float | None = None
    north_sigma_m: float | None = None
    up_sigma_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Att:
    """What a compass on the same gpsd says, degrees; azimuth true, clockwise."""

    device: str
    heading_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOffset:
    """The clock of gpsd's machine less the receiver's time, by serial line (TOFF) or pulse (PPS).

    Attributes:
        clock_s: the machine's Unix time at that moment.
    """

    device: str
    kind: Literal["TOFF", "PPS"]
    offset_s: float
    clock_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A report of another class, or one that only tells who speaks.

    Attributes:
        text: of an ERROR; of a VERSION the release.
    """

    name: str
    text: str = ""
    devices: tuple[str, ...] = ()


Report = Tpv | Sky | Gst | Att | TimeOffset | Word


def parse(line: bytes) -> Report:
    """Return what a line says.

    Raises:
        RefusedLine: it is broken, or a field in it cannot be.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedLine("gpsd_not_text") from None
    try:
        data = json.loads(text, parse_constant=_not_finite)
    except RefusedLine:
        raise
    except (ValueError, RecursionError):
        raise RefusedLine("gpsd_not_json") from None
    if type(data) is not dict:
        raise RefusedLine("gpsd_not_json", "not an object")
    return parse_object(data)


def parse_object(data: Mapping[str, Any]) -> Report:
    """Return what an object of gpsd's JSON says.

    Raises:
        RefusedLine: a field in it cannot be.
    """
    name = data.get("class")
    if type(name) is not str or not _NAME.fullmatch(name):
        raise RefusedLine("gpsd_no_class")
    if name == "TPV":
        return _tpv(data)
    if name == "SKY":
        return _sky(data)
    if name == "GST":
        return Gst(
            device=_text(data, "device"),
            east_sigma_m=_error(data, "lon"),
            north_sigma_m=_error(data, "lat"),
            up_sigma_m=_error(data, "alt"),
        )
    if name == "ATT":
        return Att(
            device=_text(data, "device"),
            heading_deg=_number(data, "heading", 0.0, 360.0),
            pitch_deg=_number(data, "pitch", -90.0, 90.0),
            roll_deg=_number(data, "roll", -180.0, 180.0),
        )
    if name in {"TOFF", "PPS"}:
        return _offset(data, "TOFF" if name == "TOFF" else "PPS")
    if name == "VERSION":
        return Word(name=name, text=_text(data, "release"))
    if name == "ERROR":
        return Word(name=name, text=_text(data, "message"))
    if name == "DEVICES":
        return Word(name=name, devices=_devices(data.get("devices")))
    return Word(name=name)


def _not_finite(word: str) -> NoReturn:
    raise RefusedLine("gpsd_not_finite", word)


def _number(data: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    if name not in data:
        return None
    value = data[name]
    if type(value) is int:
        # A whole number of any length is JSON; float() of a long one would raise.
        if not low <= value <= high:
            raise RefusedLine("gpsd_out_of_range", name)
        return float(value)
    if type(value) is not float:
        raise RefusedLine("gpsd_wrong_type", name)
    if not math.isfinite(value):
        raise RefusedLine("gpsd_not_finite", name)
    if not low <= value <= high:
        raise RefusedLine("gpsd_out_of_range", name)
    return value


def _error(data: Mapping[str, Any], name: str) -> float | None:
    """A stated error; zero is no statement."""
    return _number(data, name, 0.0, 1e7) or None


def _whole(data: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    if name not in data:
        return None
    value = data[name]
    if type(value) is not int:
        raise RefusedLine("gpsd_wrong_type", name)
    if not low <= value <= high:
        raise RefusedLine("gpsd_out_of_range", name)
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name, "")
    if type(value) is not str:
        raise RefusedLine("gpsd_wrong_type", name)
    return value[:200]


def _time(data: Mapping[str, Any]) -> datetime | None:
    if "time" not in data:
        return None
    value = data["time"]
    if type(value) is not str:
        raise RefusedLine("gpsd_wrong_type", "time")
    if not _TIME.fullmatch(value) or not value.isascii():
        raise RefusedLine("gpsd_bad_time", "time")
    whole, _, part = value[:-1].partition(".")
    try:
        stamp = datetime.fromisoformat(whole)
    except ValueError:
        raise RefusedLine("gpsd_bad_time", "time") from None
    return stamp.replace(microsecond=int(part.ljust(6, "0")[:6]), tzinfo=timezone.utc)


def _tpv(data: Mapping[str, Any]) -> Tpv:
    mode = _whole(data, "mode", 0, 3)
    if mode is None:
        raise RefusedLine("gpsd_wrong_type", "mode")
    lat_deg = _number(data, "lat", -90.0, 90.0)
    lon_deg = _number(data, "lon", -180.0, 180.0)
    alt_hae_m = _number(data, "altHAE", -1_000.0, 50_000.0)
    alt_msl_m = _number(data, "altMSL", -1_000.0, 50_000.0)
    horizontal_m = _error(data, "eph")
    east_m, north_m = _error(data, "epx"), _error(data, "epy")
    if east_m is None or north_m is None:
        # An error of the plane stands for each axis: too large by up to 1.4, never too small.
        east_m = north_m = horizontal_m
    placed = mode >= 2 and lat_deg is not None and lon_deg is not None
    if placed and lat_deg == 0.0 and lon_deg == 0.0:
        raise RefusedLine("gpsd_null_island", "lat, lon")
    return Tpv(
        device=_text(data, "device"),
        mode=mode,
        time_utc=_time(data),
        lon_deg=lon_deg if placed else None,
        lat_deg=lat_deg if placed else None,
        alt_hae_m=alt_hae_m if placed and mode == 3 else None,
        alt_msl_m=alt_msl_m if placed and mode == 3 else None,
        east_error_m=east_m,
        north_error_m=north_m,
        up_error_m=_error(data, "epv"),
        speed_m_s=_number(data, "speed", 0.0, 2_000.0),
        speed_error_m_s=_error(data, "eps"),
        track_deg=_number(data, "track", 0.0, 360.0),
        track_error_deg=_error(data, "epd"),
        climb_m_s=_number(data, "climb", -2_000.0, 2_000.0),
        jam=_number(data, "jam", 0.0, 255.0),
    )


def _sky(data: Mapping[str, Any]) -> Sky:
    device, jam = _text(data, "device"), _number(data, "jam", 0.0, 255.0)
    if "satellites" not in data:
        return Sky(device=device, jam=jam)
    listed = data["satellites"]
    if type(listed) is not list:
        raise RefusedLine("gpsd_wrong_type", "satellites")
    if len(listed) > MOST_SATELLITES:
        raise RefusedLine("gpsd_out_of_range", "satellites")
    return Sky(device=device, jam=jam, satellites=tuple(_satellite(one) for one in listed))


def _satellite(data: Any) -> Satellite:
    if type(data) is not dict:
        raise RefusedLine("gpsd_wrong_type", "satellites")
    used = data.get("used", False)
    if type(used) is not bool:
        raise RefusedLine("gpsd_wrong_type", "used")
    constellation = _whole(data, "gnssid", 0, 255)
    number = _whole(data, "svid", 0, 65_535)
    prn = _whole(data, "PRN", 0, 65_535)
    key = (-1, prn or 0) if constellation is None or number is None else (constellation, number)
    return Satellite(
        key=(*key, _whole(data, "sigid", 0, 255) or 0),
        elevation_deg=_number(data, "el", -90.0, 90.0),
        azimuth_deg=_number(data, "az", 0.0, 360.0),
        cn0_db_hz=_number(data, "ss", 0.0, 254.0),
        used=used,
    )


def _offset(data: Mapping[str, Any], kind: Literal["TOFF", "PPS"]) -> TimeOffset:
    values = [
        _whole(data, name, 0, high)
        for name, high in (
            ("real_sec", 1 << 40),
            ("real_nsec", _NS - 1),
            ("clock_sec", 1 << 40),
            ("clock_nsec", _NS - 1),
        )
    ]
    real_s, real_ns, clock_s, clock_ns = values
    if real_s is None or real_ns is None or clock_s is None or clock_ns is None:
        raise RefusedLine("gpsd_wrong_type", "real_sec, real_nsec, clock_sec, clock_nsec")
    return TimeOffset(
        device=_text(data, "device"),
        kind=kind,
        offset_s=(clock_s - real_s) + (clock_ns - real_ns) / _NS,
        clock_s=clock_s + clock_ns / _NS,
    )


def _devices(listed: Any) -> tuple[str, ...]:
    if type(listed) is not list:
        raise RefusedLine("gpsd_wrong_type", "devices")
    paths = []
    for one in listed[:16]:
        if type(one) is not dict:
            raise RefusedLine("gpsd_wrong_type", "devices")
        paths.append(_text(one, "path"))
    return tuple(paths)
