"""Half a million broken lines: none crashes the reader, and none becomes a place that nobody said."""

import json
import random
import re
from collections import Counter

import pytest

from hardware.position_gpsd.jump import Place, distance_m
from hardware.position_gpsd.lines import LONGEST_LINE, Lines
from hardware.position_gpsd.reports import RefusedLine, Tpv, parse
from tests.unit.hardware.gpsd_talk import LAT_DEG, LON_DEG, Talk, tpv

LINE_COUNT = 500_000
WRONG = (
    b"NaN", b"nan", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"null", b"true", b"false",
    b'"10.4"', b'""', b"[]", b"{}", b"[10.4]", b"1" * 400, b"-1" + b"0" * 5000, b"0x1f", b"+1",
    b"01", b"1.", b".5", b"1e", b"--1", b"9e15", b"-9e15", b"\xc3\x28", b"1,2",
)  # fmt: skip
READ = ("lat", "lon", "mode", "time", "altHAE", "altMSL", "epx", "epy", "epv", "eph", "speed")
DIRT = (b"\x00", b"\xff", b"\x1b[2J", b'"', b"{", b"}", b"[", b"\\", b"\xb5b", b"\x80\x80", b"?")


@pytest.fixture(scope="module")
def recorded(data_dir):
    """Every line of gpsd's own expected outputs: its JSON and the receivers' NMEA between."""
    return [
        line
        for file in sorted((data_dir / "gpsd-logs").glob("*.log.chk"))
        for line in file.read_bytes().splitlines()
        if line
    ]


def was_said(report, spoken):
    """Whether mode and coordinates belong together in the source; a height may be lost, not changed."""
    heights = spoken.get((report.mode, report.lon_deg, report.lat_deg), set())
    return any(
        report.alt_hae_m in (None, hae_m) and report.alt_msl_m in (None, msl_m)
        for hae_m, msl_m in heights
    )


def said_places(lines):
    """What an unbroken line says, by the standard library alone."""
    found = {}
    for line in lines:
        if not line.startswith(b'{"class":"TPV"'):
            continue
        said = json.loads(line)
        if said["mode"] >= 2 and "lat" in said and "lon" in said:
            high = said["mode"] == 3
            heights = (said.get("altHAE"), said.get("altMSL")) if high else (None, None)
            found.setdefault((said["mode"], said["lon"], said["lat"]), set()).add(heights)
    return found


# Each breaks a line as a stream, a daemon or a liar can; none moves a digit inside a number.
def cut(line, _, rng):
    return line[: rng.randrange(len(line))]


def cut_at_the_front(line, _, rng):
    return line[rng.randrange(1, len(line) + 1) :]


def glued(line, other, rng):
    return line[: rng.randrange(len(line))] + other


def dirty(line, _, rng):
    at = rng.randrange(len(line) + 1)
    return line[:at] + rng.choice(DIRT) + line[at:]


def wrong_value(line, _, rng):
    name = rng.choice(READ).encode()
    return re.sub(
        rb'("' + name + rb'":)("[^"]*"|[-\d.]+)', lambda m: m[1] + rng.choice(WRONG), line, count=1
    )


def without_a_field(line, _, rng):
    name = rng.choice(READ).encode()
    return re.sub(rb',"' + name + rb'":("[^"]*"|[-\d.]+)', b"", line, count=1)


def off_the_globe(line, _, rng):
    name, value = rng.choice(((b"lat", b"90.000001"), (b"lat", b"-91"), (b"lon", b"180.1")))
    return re.sub(rb'("' + name + rb'":)[-\d.]+', lambda m: m[1] + value, line, count=1)


def noise(_, __, rng):
    return rng.randbytes(rng.randrange(1, 200)).replace(b"\n", b" ")


def nested(_, __, rng):
    return rng.choice((b"[", b'{"class":', b'{"a":[')) * rng.randrange(1, 2000)


def whole(line, _, __):
    return line


KINDS = (
    cut, cut_at_the_front, glued, dirty, wrong_value, without_a_field, off_the_globe, noise, whole,
)  # fmt: skip


@pytest.mark.data
def test_half_a_million_broken_lines(recorded, capsys):
    """Every accepted place is one that an unbroken line of the source said, mode and heights too."""
    rng = random.Random(20261124)
    spoken = said_places(recorded)
    # Fixes are the point: each is drawn as often as all else together.
    fixes = [line for line in recorded if line.startswith(b'{"class":"TPV"')]
    small = [line for line in recorded if len(line) < 600]
    lines, found, refused = Lines(), Counter(), Counter()
    fed = 0
    while fed < LINE_COUNT:
        batch = []
        for k in range(1000):
            source = rng.choice(fixes if k % 2 else small if k % 40 else recorded)
            if k % 250 == 0:
                batch.append(nested(None, None, rng))
            elif k % 997 == 0:
                batch.append(b'{"class":"TPV","mode":3,"lat":1' + b"0" * rng.randrange(40_000))
            else:
                batch.append(KINDS[k % len(KINDS)](source, rng.choice(small), rng))
        data = b"\r\n".join(batch) + b"\r\n"
        at = rng.randrange(len(data))
        for piece in (data[:at], data[at:]):
            for line in lines.feed(piece):
                fed += 1
                try:
                    report = parse(line)
                except RefusedLine as problem:
                    refused[problem.reason] += 1
                    continue
                found[type(report).__name__] += 1
                if isinstance(report, Tpv) and report.has_place:
                    found["place"] += 1
                    assert was_said(report, spoken), line
        assert lines.held <= LONGEST_LINE
    with capsys.disabled():
        print(f"\n  gpsd fuzz: {fed} lines, accepted {dict(found)}, refused {dict(refused)}, "
              f"too long {lines.too_long}")  # fmt: skip
    assert fed >= LINE_COUNT
    assert found["place"] > LINE_COUNT / 50
    assert sum(refused.values()) > LINE_COUNT / 4
    assert lines.too_long > 0
    reasons = {"gpsd_not_text", "gpsd_not_json", "gpsd_wrong_type", "gpsd_not_finite"}
    assert reasons | {"gpsd_out_of_range", "gpsd_bad_time"} <= set(refused)


def test_a_flipped_digit_is_a_jump_or_a_small_error():
    """A digit inside a number cannot be seen to be wrong; the place it makes can be.

    Each second a fix; every third has one byte of its time, place, heights or speed replaced. What
    is believed stays where a receiver of 3 m accuracy can be.
    """
    rng = random.Random(7)
    talk = Talk()
    worst_m, believed, counted = 0.0, 0, 0
    truth = Place(lon_deg=LON_DEG, lat_deg=LAT_DEG)
    for k in range(20_000):
        talk.clock.advance(1.0)
        line = tpv(talk.clock.utc())
        if k % 3 == 2:
            at = rng.randrange(line.index(b'"time"'), line.index(b'"epx"'))
            if k % 2:
                at = rng.randrange(line.index(b'"speed"'), line.index(b'"eps"'))
            line = line[:at] + rng.choice(b'0123456789.-eE,"}x').to_bytes(1, "big") + line[at + 1 :]
            counted += 1
        fix = talk.hear(line)
        if fix.status in {"fix_2d", "fix_3d"}:
            believed += 1
            here = Place(lon_deg=fix.lon_deg, lat_deg=fix.lat_deg)
            worst_m = max(worst_m, distance_m(truth, here))
    assert counted > 6000
    assert believed > 14_000
    assert talk.driver.counters["gpsd_jumps"] > 100
    assert worst_m < 80.0
