"""The sentences a receiver sends down its serial line: RMC, GGA, GSA, GSV, GST.

Source: NMEA 0183 as u-blox receivers speak it (u-blox 8 receiver description, NMEA protocol).
"""

import math
from collections.abc import Iterator
from functools import reduce

from simulations.gpsd_receiver import Reading

_KNOTS_PER_M_S = 3600.0 / 1852.0
_USED_SHOWN = 12
_IN_ONE_GSV = 4
_NO_DOP = "99.99"


def sentence(body: str) -> str:
    """Return a whole line: dollar, body, checksum, CR LF."""
    check = reduce(lambda total, byte: total ^ byte, body.encode("ascii"), 0)
    return f"${body}*{check:02X}\r\n"


def checked(line: str) -> bool:
    """Whether a line is whole and its checksum right."""
    body, star, check = line.strip().removeprefix("$").partition("*")
    return bool(star) and sentence(body) == f"${body}*{check.upper()}\r\n"


def sentences(reading: Reading) -> tuple[str, ...]:
    """Return one epoch's lines, in the order in which receivers send them."""
    return tuple(sentence(body) for body in _bodies(reading))


def _bodies(reading: Reading) -> Iterator[str]:
    clock = f"{reading.t_utc:%H%M%S}.{reading.t_utc.microsecond // 10_000:02d}"
    date = f"{reading.t_utc:%d%m%y}"
    used = [satellite for satellite in reading.satellites if satellite.used]
    if reading.lon_deg is None or reading.lat_deg is None or reading.dop is None:
        yield f"GPRMC,{clock},V,,,,,,,{date},,,N"
        yield f"GPGGA,{clock},,,,,0,00,{_NO_DOP},,M,,M,,"
        yield "GPGSA,A,1" + "," * _USED_SHOWN + f",{_NO_DOP},{_NO_DOP},{_NO_DOP}"
    else:
        place = f"{_dm(reading.lat_deg, 'NS', 2)},{_dm(reading.lon_deg, 'EW', 3)}"
        knots = f"{(reading.speed_m_s or 0.0) * _KNOTS_PER_M_S:.3f}"
        course = "" if reading.track_deg is None else f"{reading.track_deg:.2f}"
        yield f"GPRMC,{clock},A,{place},{knots},{course},{date},,,A"
        height = geoid = ""
        if reading.alt_msl_m is not None and reading.alt_hae_m is not None:
            height = f"{reading.alt_msl_m:.1f}"
            geoid = f"{reading.alt_hae_m - reading.alt_msl_m:.1f}"
        dop = reading.dop
        yield (
            f"GPGGA,{clock},{place},1,{min(len(used), _USED_SHOWN):02d},{dop.horizontal:.2f},"
            f"{height},M,{geoid},M,,"
        )
        shown = [f"{satellite.prn:02d}" for satellite in used[:_USED_SHOWN]]
        shown += [""] * (_USED_SHOWN - len(shown))
        vertical = _NO_DOP if dop.up is None else f"{dop.up:.2f}"
        yield (
            f"GPGSA,A,{reading.mode},{','.join(shown)},"
            f"{dop.position:.2f},{dop.horizontal:.2f},{vertical}"
        )
    yield from _gsv(reading)
    if reading.sigma_east_m is not None and reading.sigma_north_m is not None:
        east, north = reading.sigma_east_m, reading.sigma_north_m
        orient = 90.0 if east > north else 0.0
        up = "" if reading.sigma_up_m is None else f"{reading.sigma_up_m:.2f}"
        rms = math.sqrt((east * east + north * north) / 2.0)
        yield (
            f"GPGST,{clock},{rms:.2f},{max(east, north):.2f},{min(east, north):.2f},{orient:.1f},"
            f"{north:.2f},{east:.2f},{up}"
        )


def _gsv(reading: Reading) -> Iterator[str]:
    seen = reading.satellites
    total = max(1, math.ceil(len(seen) / _IN_ONE_GSV))
    for number in range(total):
        group = seen[number * _IN_ONE_GSV : (number + 1) * _IN_ONE_GSV]
        parts = [
            f"{s.prn:02d},{round(s.elevation_deg):02d},{round(s.azimuth_deg) % 360:03d},"
            + (f"{round(s.cn0_db_hz):02d}" if s.cn0_db_hz > 0.0 else "")
            for s in group
        ]
        yield ",".join([f"GPGSV,{total},{number + 1},{len(seen):02d}", *parts])


def _dm(degrees: float, sides: str, width: int) -> str:
    """Return degrees and decimal minutes, to two millimetres, and the side."""
    # Rounded before it is split: 59.9999999 minutes must not become 60.
    whole, micro_minutes = divmod(round(abs(degrees) * 60.0 * 1e6), 60_000_000)
    minutes = micro_minutes / 1e6
    return f"{whole:0{width}d}{minutes:09.6f},{sides[degrees < 0.0]}"
