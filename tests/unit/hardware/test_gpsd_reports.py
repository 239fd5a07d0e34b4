"""One line of gpsd into a checked value, or a refusal by name."""

import json
from contextlib import suppress
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.position_gpsd.lines import LONGEST_LINE, Lines
from hardware.position_gpsd.reports import Att, RefusedLine, Sky, TimeOffset, Word, parse

GOOD = {
    "class": "TPV", "device": "/dev/ttyACM0", "mode": 3, "time": "2026-11-23T02:40:12.250Z",
    "lat": 10.4, "lon": 104.5, "altHAE": -4.0, "altMSL": 8.0, "alt": 777.0, "eph": 4.0, "epv": 6.0,
    "epd": 2.5, "track": 12.0, "speed": 1.5, "eps": 0.2, "climb": -0.1, "jam": 9,
}  # fmt: skip


def line(**changes):
    data = {k: v for k, v in (GOOD | changes).items() if v is not ...}
    return json.dumps(data).encode()


def test_every_field_arrives_under_its_own_name():
    """`alt` is not among them: nobody knows its datum."""
    tpv = parse(line())
    assert (3, 104.5, 10.4) == (tpv.mode, tpv.lon_deg, tpv.lat_deg)
    assert (-4.0, 8.0) == (tpv.alt_hae_m, tpv.alt_msl_m)
    assert datetime(2026, 11, 23, 2, 40, 12, 250_000, tzinfo=timezone.utc) == tpv.time_utc
    assert (4.0, 4.0, 6.0) == (tpv.east_error_m, tpv.north_error_m, tpv.up_error_m)
    assert (12.0, 2.5, 1.5, 0.2, -0.1) == (
        tpv.track_deg, tpv.track_error_deg, tpv.speed_m_s, tpv.speed_error_m_s, tpv.climb_m_s,
    )  # fmt: skip
    assert 9.0 == tpv.jam


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"altHAE": ..., "altMSL": ...}, (None, None)),  # An old gpsd: `alt` alone is no height.
        ({"altHAE": ...}, (None, 8.0)),
        ({"mode": 2}, (None, None)),  # In the plane a height is the last one, or none.
    ],
)
def test_heights_are_never_guessed(changes, expected):
    """What is not told under its datum is None."""
    tpv = parse(line(**changes))
    assert expected == (tpv.alt_hae_m, tpv.alt_msl_m)


@pytest.mark.parametrize("changes", [{"lat": ...}, {"lon": ...}, {"mode": 1}, {"mode": 0}])
def test_half_a_place_is_none(changes):
    """Neither coordinate without the other, nor both without a fix."""
    tpv = parse(line(**changes))
    assert (None, None, False) == (tpv.lon_deg, tpv.lat_deg, tpv.has_place)


def test_errors_of_each_axis_go_before_that_of_the_plane():
    """And a stated zero is no statement."""
    tpv = parse(line(epx=1.0, epy=2.0))
    assert (1.0, 2.0) == (tpv.east_error_m, tpv.north_error_m)
    none = parse(line(eph=0.0, epv=0))
    assert (None, None, None) == (none.east_error_m, none.north_error_m, none.up_error_m)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"\xff\xfe", "gpsd_not_text"),
        (b'{"class":"TPV"', "gpsd_not_json"),
        (b"$GPGGA,1*00", "gpsd_not_json"),
        (b"[1]", "gpsd_not_json"),
        (b"[" * 16_000, "gpsd_not_json"),  # Deeper than any parser's stack.
        (b'{"class":"TPV","mode":3,"lat":' + b"1" * 5000 + b"}", "gpsd_not_json"),
        (b"{}", "gpsd_no_class"),
        (b'{"class":7}', "gpsd_no_class"),
        (line(mode=...), "gpsd_wrong_type"),
        (line(mode="3"), "gpsd_wrong_type"),
        (line(mode=3.0), "gpsd_wrong_type"),
        (line(mode=True), "gpsd_wrong_type"),
        (line(mode=4), "gpsd_out_of_range"),
        (line(lat="10.4"), "gpsd_wrong_type"),
        (line(lat=None), "gpsd_wrong_type"),
        (line(lat=float("nan")), "gpsd_not_finite"),
        (line(lon=float("inf")), "gpsd_not_finite"),
        (line(lat=-7.125).replace(b"-7.125", b"1e999"), "gpsd_not_finite"),
        (line(lat=90.1), "gpsd_out_of_range"),
        (line(lon=10**400), "gpsd_out_of_range"),
        (line(lat=0.0, lon=0.0), "gpsd_null_island"),
        (line(epv=-1.0), "gpsd_out_of_range"),
        (line(eph=[1]), "gpsd_wrong_type"),
        (line(jam=300), "gpsd_out_of_range"),
        (line(device=7), "gpsd_wrong_type"),
        (line(time=1.0), "gpsd_wrong_type"),
        (line(time="2026-11-23 02:40:12Z"), "gpsd_bad_time"),
        (line(time="2026-13-23T02:40:12Z"), "gpsd_bad_time"),
        (b'{"class":"SKY","satellites":7}', "gpsd_wrong_type"),
        (b'{"class":"SKY","satellites":[7]}', "gpsd_wrong_type"),
        (b'{"class":"SKY","satellites":[{"used":1}]}', "gpsd_wrong_type"),
        (b'{"class":"SKY","satellites":[{"ss":-1}]}', "gpsd_out_of_range"),
        (b'{"class":"SKY","satellites":[' + b",".join([b"{}"] * 300) + b"]}", "gpsd_out_of_range"),
        (b'{"class":"TOFF","real_sec":1}', "gpsd_wrong_type"),
        (b'{"class":"DEVICES","devices":{}}', "gpsd_wrong_type"),
        (b'{"class":"DEVICES","devices":[1]}', "gpsd_wrong_type"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(broken, reason):
    """The whole line: whoever wrote one field wrongly may have written the others so."""
    with pytest.raises(RefusedLine) as refusal:
        parse(broken)
    assert reason == refusal.value.reason


def test_the_other_reports_of_a_session():
    """Versions, devices, errors, attitudes, offsets, dilutions alone, and words of later releases."""
    assert Word(name="VERSION", text="3.22") == parse(b'{"class":"VERSION","release":"3.22"}')
    assert Word(name="ERROR", text="no") == parse(b'{"class":"ERROR","message":"no"}')
    devices = parse(b'{"class":"DEVICES","devices":[{"path":"/dev/a"},{"path":"/dev/b"}]}')
    assert ("/dev/a", "/dev/b") == devices.devices
    assert Sky(device="") == parse(b'{"class":"SKY","hdop":1.0}')
    assert Word(name="AIS") == parse(b'{"class":"AIS","type":5}')
    att = parse(b'{"class":"ATT","device":"c","heading":12.5,"pitch":-3.0,"roll":1.0}')
    assert Att(device="c", heading_deg=12.5, pitch_deg=-3.0, roll_deg=1.0) == att
    toff = parse(
        b'{"class":"TOFF","device":"a","real_sec":100, "real_nsec":0,'
        b'"clock_sec":99,"clock_nsec":900000000}'
    )
    assert TimeOffset(device="a", kind="TOFF", offset_s=pytest.approx(-0.1), clock_s=99.9) == toff


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_refusal(data):
    """A random line is refused or read; nothing else."""
    try:
        parse(data)
    except RefusedLine:
        return


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from([*GOOD, "satellites", "used", "ss"]), inner, max_size=5
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(["TPV", "SKY", "ATT", "TOFF", "PPS", "DEVICES", "VERSION", "ERROR"]),
)
def test_any_json_in_any_field_is_read_or_refused(value, name):
    """Wrong types at every depth."""
    for field in (*GOOD, "satellites", "devices", "real_sec", "heading", "release", "message"):
        with suppress(RefusedLine):
            parse(json.dumps({"class": name, "mode": 3, field: value}).encode())


@given(
    st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=12), st.data()
)
def test_lines_do_not_depend_on_how_they_were_cut(lines, data):
    """A stream has no pieces: only its bytes count."""
    stream = b"".join(line + b"\r\n" for line in lines)
    expected = [found for line in lines if (found := line.rstrip(b"\r"))]
    one = Lines()
    got = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += one.feed(stream[:size])
        stream = stream[size:]
    assert expected == got
    assert 0 == one.held


def test_a_line_without_an_end_takes_no_memory():
    """It is passed over, counted once, and the next one is read."""
    lines = Lines()
    for _ in range(1000):
        assert [] == list(lines.feed(b"x" * 65_536))
        assert lines.held <= LONGEST_LINE
    assert [b"next"] == list(lines.feed(b"xx\nnext\n"))
    assert 1 == lines.too_long
