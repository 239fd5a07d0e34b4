"""What gpsd says, as text: fields in its order, numbers in its formats.

Taken from a running gpsd 3.22 (protocol 3.14), which the integration tests ask again. Later
releases add `jam` to TPV for receivers that count interference.
"""

import json
import math
from dataclasses import dataclass
from datetime import datetime

from simulations.gpsd_receiver import Reading
from simulations.gpsd_sky import Satellite

_EPT_S = 0.005
_NO_DOP = 99.99
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Which gpsd speaks.

    Attributes:
        device: path of the receiver.
        magvar_deg: magnetic declination there, as gpsd's own table gives it.
        tells_jamming: whether TPV has `jam`; 3.22 has not.
    """

    release: str = "3.22"
    proto_major: int = 3
    proto_minor: int = 14
    device: str = "/dev/ttyACM0"
    driver: str = "NMEA0183"
    bit_s: int = 9600
    magvar_deg: float = -0.44
    tells_jamming: bool = False


LATER = Dialect(release="3.25", proto_minor=15, tells_jamming=True)
"""A gpsd that tells of jamming: by the manual of later releases, not compared with a running one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """How far gpsd is with a receiver.

    Attributes:
        opened_utc: None as long as nobody watches.
        identified: it has spoken, so its driver is known.
        heard: and gpsd has seen fixes from it.
        cycle_s: between its fixes.
    """

    opened_utc: datetime | None = None
    identified: bool = False
    heard: bool = False
    cycle_s: float = 1.0


def stamp(t_utc: datetime) -> str:
    """Return an instant as gpsd writes it."""
    return f"{t_utc:%Y-%m-%dT%H:%M:%S}.{t_utc.microsecond // 1000:03d}Z"


def version(dialect: Dialect) -> str:
    """Return the banner."""
    return (
        f'{{"class":"VERSION","release":"{dialect.release}","rev":"{dialect.release}",'
        f'"proto_major":{dialect.proto_major},"proto_minor":{dialect.proto_minor}}}'
    )


def error(message: str) -> str:
    """Return an ERROR."""
    return f'{{"class":"ERROR","message":{json.dumps(message)}}}'


def device(dialect: Dialect, state: Device) -> str:
    """Return a DEVICE."""
    parts = [f'{{"class":"DEVICE","path":"{dialect.device}"']
    if state.identified:
        parts.append(f'"driver":"{dialect.driver}"')
    if state.opened_utc is not None:
        parts.append(f'"activated":"{stamp(state.opened_utc)}"')
        if state.heard:
            parts.append('"flags":1')
        parts += ['"native":0', f'"bps":{dialect.bit_s}', '"parity":"N"', '"stopbits":1']
        parts.append(f'"cycle":{state.cycle_s:.2f}')
    return ",".join(parts) + "}"


def devices(dialect: Dialect, state: Device) -> str:
    """Return the list of DEVICES, which has one entry."""
    return f'{{"class":"DEVICES","devices":[{device(dialect, state)}]}}'


def tpv(dialect: Dialect, reading: Reading | None) -> str:
    """Return time, position, velocity; None before the receiver has spoken."""
    parts = [f'{{"class":"TPV","device":"{dialect.device}"']
    if reading is None:
        return ",".join([*parts, '"mode":0']) + "}"
    parts += [f'"mode":{reading.mode}', f'"time":"{stamp(reading.t_utc)}"', f'"ept":{_EPT_S:.3f}']
    parts += _fix(dialect, reading)
    if dialect.tells_jamming:
        parts.append(f'"jam":{reading.jam}')
    return ",".join(parts) + "}"


def _fix(dialect: Dialect, reading: Reading) -> list[str]:
    r = reading
    if r.mode == 1:
        return []
    eph_m = math.hypot(r.sigma_east_m or 0.0, r.sigma_north_m or 0.0)
    sep_m = None if r.sigma_up_m is None else math.hypot(eph_m, r.sigma_up_m)
    geoid_m = None
    if r.alt_hae_m is not None and r.alt_msl_m is not None:
        geoid_m = r.alt_hae_m - r.alt_msl_m
    magtrack_deg = None if r.track_deg is None else (r.track_deg + dialect.magvar_deg) % 360.0
    values: tuple[tuple[str, float | None, str], ...] = (
        ("lat", r.lat_deg, ".9f"),
        ("lon", r.lon_deg, ".9f"),
        ("altHAE", r.alt_hae_m, ".4f"),
        ("altMSL", r.alt_msl_m, ".4f"),
        ("alt", r.alt_msl_m, ".4f"),
        ("epx", r.sigma_east_m, ".3f"),
        ("epy", r.sigma_north_m, ".3f"),
        ("epv", r.sigma_up_m, ".3f"),
        ("track", r.track_deg, ".4f"),
        ("magtrack", magtrack_deg, ".4f"),
        ("magvar", dialect.magvar_deg, ".1f"),
        ("speed", r.speed_m_s, ".3f"),
        ("climb", r.climb_m_s, ".3f"),
        ("eps", r.speed_sigma_m_s, ".2f"),
        ("epc", None if r.climb_m_s is None else r.speed_sigma_m_s, ".2f"),
        ("geoidSep", geoid_m, ".3f"),
        ("eph", eph_m, ".3f"),
        ("sep", sep_m, ".3f"),
    )
    return [f'"{name}":{value:{form}}' for name, value, form in values if value is not None]


def sky(dialect: Dialect, reading: Reading | None) -> str:
    """Return SKY."""
    parts = [f'{{"class":"SKY","device":"{dialect.device}"']
    seen: tuple[Satellite, ...] = () if reading is None else reading.satellites
    if reading is not None and reading.dop is None:
        parts += [f'"{name}":{_NO_DOP:.2f}' for name in ("vdop", "hdop", "pdop")]
    elif reading is not None and reading.dop is not None:
        d = reading.dop
        dops = (
            ("xdop", d.east),
            ("ydop", d.north),
            ("vdop", _NO_DOP if d.up is None else d.up),
            ("tdop", d.time),
            ("hdop", d.horizontal),
            ("gdop", d.geometric),
            ("pdop", d.position),
        )
        parts += [f'"{name}":{value:.2f}' for name, value in dops]
    used = sum(satellite.used for satellite in seen)
    parts += [f'"nSat":{len(seen)}', f'"uSat":{used}']
    each = ",".join(
        f'{{"PRN":{s.prn},"el":{s.elevation_deg:.1f},"az":{s.azimuth_deg:.1f},'
        f'"ss":{s.cn0_db_hz:.1f},"used":{"true" if s.used else "false"},"gnssid":0,"svid":{s.prn}}}'
        for s in seen
    )
    return ",".join([*parts, f'"satellites":[{each}]']) + "}"


def gst(dialect: Dialect, reading: Reading | None) -> str:
    """Return GST, the receiver's own statement of its errors, one sigma each."""
    parts = [f'{{"class":"GST","device":"{dialect.device}"']
    if reading is not None and reading.sigma_east_m and reading.sigma_north_m:
        east, north = reading.sigma_east_m, reading.sigma_north_m
        values = [
            ("rms", math.sqrt((east * east + north * north) / 2.0)),
            ("major", max(east, north)),
            ("minor", min(east, north)),
            ("orient", 90.0 if east > north else 0.0),
            ("lat", north),
            ("lon", east),
        ]
        if reading.sigma_up_m is not None:
            values.append(("alt", reading.sigma_up_m))
        parts.append(f'"time":"{stamp(reading.t_utc)}"')
        parts += [f'"{name}":{value:.3f}' for name, value in values]
    return ",".join(parts) + "}"


def poll(dialect: Dialect, now_utc: datetime, *, active: bool, reading: Reading | None) -> str:
    """Return what is known now; empty lists for a client that watches nothing."""
    lists = (
        (tpv(dialect, reading), gst(dialect, reading), sky(dialect, reading))
        if active
        else ("", "", "")
    )
    return (
        f'{{"class":"POLL","time":"{stamp(now_utc)}","active":{int(active)},'
        f'"tpv":[{lists[0]}],"gst":[{lists[1]}],"sky":[{lists[2]}]}}'
    )


def toff(dialect: Dialect, real_utc: datetime, clock_utc: datetime) -> str:
    """Return how far the machine's clock was when an epoch's first sentence came."""
    (real_s, real_ns), (clock_s, clock_ns) = _split(real_utc), _split(clock_utc)
    return (
        f'{{"class":"TOFF","device":"{dialect.device}","real_sec":{real_s}, "real_nsec":{real_ns},'
        f'"clock_sec":{clock_s},"clock_nsec":{clock_ns}}}'
    )


def pps(dialect: Dialect, real_utc: datetime, clock_utc: datetime) -> str:
    """Return the pulse at a full second, for receivers that have one."""
    (real_s, real_ns), (clock_s, clock_ns) = _split(real_utc), _split(clock_utc)
    return (
        f'{{"class":"PPS","device":"{dialect.device}","real_sec":{real_s},"real_nsec":{real_ns},'
        f'"clock_sec":{clock_s},"clock_nsec":{clock_ns},"precision":-20}}'
    )


def _split(t_utc: datetime) -> tuple[int, int]:
    whole_s = int(t_utc.replace(microsecond=0).timestamp())
    return whole_s, t_utc.microsecond * (_NS // 1_000_000)
