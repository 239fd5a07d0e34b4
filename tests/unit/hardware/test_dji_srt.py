"""DJI subtitles give what they say and nothing they do not, in all the spellings of many models."""

import random
from pathlib import Path

import pytest

from hardware.dji_srt import SrtTelemetry, read_srt
from runtime.errors import AskOperator

NEW = (
    "{n}\n00:00:{n:02d},000 --> 00:00:{n:02d},500\n"
    '<font size="28">FrameCnt: {n}, DiffTime: 33ms\n2024-03-01 09:00:{n:02d}.000\n'
    "[iso: 100] [shutter: 1/500.0] [fnum: 1.7] [ev: 0] [ct: 5200] [color_md : default] "
    "[focal_len: 24.00] [latitude: 10.423{n:03d}] [longitude: 104.440{n:03d}] "
    "[rel_alt: 60.100 abs_alt: 71.234] "
    "[gb_yaw: -90.5 gb_pitch: -45.2 gb_roll: 0.1] </font>\n\n"
)
OLD = (
    b"1\n00:00:01,000 --> 00:00:02,000\nHOME(149.0,-20.2) 2017.08.05 14:11:51\n"
    b"GPS(149.0251,-20.2533,16) BAROMETER:1.9\n\n"
)


def new_file(count: int) -> bytes:
    return "".join(NEW.format(n=n) for n in range(1, count + 1)).encode()


def old_file(a: str, b: str, extra: str = "") -> SrtTelemetry:
    cue = f"1\n00:00:01,000 --> 00:00:02,000\nGPS({a},{b},16) BAROMETER:20.5 {extra}\n"
    return read_srt(cue.encode())


def test_a_new_model_says_everything() -> None:
    """Place, height above take-off, gimbal and lens of each frame."""
    read = read_srt(new_file(3))
    cue = read.cues[1]
    assert len(read.cues) == 3
    assert read.gimbal
    assert cue.t_film_s == 2.0
    assert (cue.lon_deg, cue.lat_deg) == (104.440002, 10.423002)
    assert cue.place_step_deg == pytest.approx(1e-6)
    assert (cue.above_takeoff_m, cue.altitude_m) == (60.1, 71.234)
    assert (cue.gimbal_yaw_deg, cue.gimbal_pitch_deg, cue.gimbal_roll_deg) == (-90.5, -45.2, 0.1)
    assert (cue.focal_mm, cue.iso, cue.colour_temperature_k) == (24.0, 100.0, 5200.0)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_a_mark_at_the_front_change_nothing(line_end: str) -> None:
    """Files come from Windows, macOS and with a byte order mark."""
    text = "\ufeff" + new_file(4).decode().replace("\n", line_end)
    assert read_srt(text.encode()).cues == read_srt(new_file(4)).cues


@pytest.mark.parametrize(
    ("a", "b", "lon", "lat"),
    [("149.0251", "-20.2533", 149.0251, -20.2533), ("-20.2533", "149.0251", 149.0251, -20.2533)],
)
def test_a_number_beyond_90_proves_the_order(a: str, b: str, lon: float, lat: float) -> None:
    """Old models name no order; where one number can only be a longitude it is known."""
    read = old_file(a, b)
    assert (read.cues[0].lon_deg, read.cues[0].lat_deg) == (lon, lat)
    assert "149.025 can only be a longitude" in read.order_proof


def test_an_unproved_order_is_refused_in_words() -> None:
    """Both orders are places on earth: none is taken, and the text says what to do."""
    read = old_file("-1.2218", "42.4668")
    assert read.places == 0
    assert read.order is None
    assert "gps_order" in read.order_proof
    assert read.counters["without_place"] == 1


def test_the_operator_may_say_the_order() -> None:
    """The config's word decides."""
    data = b"1\n00:00:01,000 --> 00:00:02,000\nGPS(-1.2218,42.4668,16) BAROMETER:20.5\n"
    west = read_srt(data, order="lon_lat").cues[0]
    east = read_srt(data, order="lat_lon").cues[0]
    assert (west.lon_deg, west.lat_deg) == (-1.2218, 42.4668)
    assert (east.lon_deg, east.lat_deg) == (42.4668, -1.2218)


@pytest.mark.parametrize(("swap", "order"), [(False, "lon_lat"), (True, "lat_lon")])
def test_the_distance_from_home_proves_the_order(swap: bool, order: str) -> None:
    """At 34 degrees south a degree of longitude is shorter: only one order has the distance."""
    gps, home = ("-58.851745", "-34.237922"), ("-58.847509", "-34.232707")
    if swap:
        gps, home = gps[::-1], home[::-1]
    read = old_file(*gps, extra=f"HOME({home[0]},{home[1]},-57.98m), D 698.70m, H 85.80m")
    assert read.order == order
    assert read.cues[0].lon_deg == -58.851745
    near = old_file(*gps, extra=f"HOME({gps[0]},{gps[1]},1m), D 0.50m")
    assert near.order is None


def test_a_file_that_contradicts_itself_is_refused() -> None:
    """Two proofs against each other are none."""
    cue = "{n}\n00:00:0{n},000 --> 00:00:0{n},900\nGPS({a},{b},16) BAROMETER:20.5\n\n"
    text = cue.format(n=1, a="149.0", b="-20.0") + cue.format(n=2, a="-20.0", b="149.0")
    read = read_srt(text.encode())
    assert read.places == 0
    assert "contradicts" in read.order_proof


def test_zero_zero_and_impossible_places_are_none() -> None:
    """A drone without a fix writes 0/0; nothing is placed in the Gulf of Guinea."""
    text = new_file(3).decode()
    text = text.replace("10.423001", "0.000000").replace("104.440001", "0.000000")
    text = text.replace("10.423002", "110.423002")
    read = read_srt(text.encode())
    assert [cue.lat_deg for cue in read.cues] == [None, None, 10.423003]
    assert read.counters["null_place"] == 1
    assert read.counters["out_of_range"] == 1


def test_a_cut_off_cue_is_dropped_whole() -> None:
    """The last number of a cut file may lack digits: 10.42 is another place than 10.423001."""
    whole = new_file(3)
    cut = whole[: whole.rindex(b"104.440003") + 6]
    read = read_srt(cut)
    assert len(read.cues) == 2
    assert read.counters["cut_off"] == 1


@pytest.mark.parametrize("data", [b"", b"1\n", b"\xff\xfe\x00", b"\n\n\n", b"no telemetry here"])
def test_an_empty_file_is_refused_with_the_next_step(data: bytes) -> None:
    """An error that says what to do, not a film without poses."""
    with pytest.raises(AskOperator, match=r"take the \.SRT that the drone wrote"):
        read_srt(data)


def test_cues_that_go_back_in_time_are_dropped() -> None:
    """Poses are looked up by time: a cue from before is none."""
    text = new_file(3).decode().replace("00:00:03,000 -->", "00:00:01,500 -->")
    read = read_srt(text.encode())
    assert [cue.t_film_s for cue in read.cues] == [1.0, 2.0]
    assert read.counters["out_of_order"] == 1


def test_200_000_mutated_cues_never_crash() -> None:
    """Bytes changed, lost and put in: whatever is read is a place on earth or none."""
    rng = random.Random(2024)
    pieces = [
        new_file(1),
        OLD,
        "2\n00:00:02,000 --> 00:00:03,000\nF/5.6, SS 400, ISO 100, EV 0, GPS (-58.851745, "
        "-34.237922, 15), HOME (-58.847509, -34.232707, -57.98m), D 698.70m, H 85.80m, "
        "F.PRY (2.7°, -7.0°, 110.1°), G.PRY (-24.4°, 0.0°, 110.4°)\n\n".encode(),
    ]
    cues = refused = 0
    for _ in range(2_000):
        data = bytearray(b"".join(rng.choices(pieces, k=100)))
        for _ in range(200):
            at = rng.randrange(len(data))
            choice = rng.randrange(3)
            if choice == 0:
                data[at] = rng.randrange(256)
            elif choice == 1:
                del data[at : at + rng.randint(1, 9)]
            else:
                data[at:at] = rng.choice([b"0", b"9" * 40, b"\n\n", b"-", b"[", rng.randbytes(5)])
        data[100:100] = b"9" * 5000
        try:
            read = read_srt(bytes(data))
        except AskOperator:
            refused += 1
            continue
        cues += len(read.cues)
        for cue in read.cues:
            assert (cue.lon_deg is None) == (cue.lat_deg is None)
            assert cue.lon_deg is None or abs(cue.lon_deg) <= 180.0
            assert cue.lat_deg is None or abs(cue.lat_deg) <= 90.0
            assert (cue.lon_deg, cue.lat_deg) != (0.0, 0.0)
            assert abs(cue.above_takeoff_m or 0.0) <= 20_000.0
    print(f"\n200,000 mutated cues: {cues} read, {refused} files refused")
    assert cues > 10_000


# --- samples of many models -----------------------------------------------------------------------
PLACE, ALT, TAKEOFF = ("lon_deg", "lat_deg"), ("altitude_m",), ("above_takeoff_m",)
GIMBAL = ("gimbal_yaw_deg", "gimbal_pitch_deg", "gimbal_roll_deg")
LENS, ISO, CT = ("focal_mm",), ("iso",), ("colour_temperature_k",)
SAMPLES: dict[str, tuple[int, int, tuple[str, ...]]] = {
    # file: cues, places, what it says
    "MAVIC3.srt": (12318, 12318, PLACE + TAKEOFF + ALT + LENS + ISO + CT),
    "air2s.srt": (17, 17, PLACE + ALT + LENS + ISO + CT),
    "broken_incomplete.SRT": (19, 0, TAKEOFF + ISO),
    "broken_incomplete2.SRT": (4, 4, PLACE + ALT + LENS + ISO + CT),
    "m2zoom.SRT": (7113, 7113, PLACE + ALT + LENS + ISO + CT),
    "matrice_300.srt": (381, 0, TAKEOFF),
    "mavic_2_style.SRT": (468, 468, PLACE + ISO),
    "mavic_2pro_new.SRT": (8952, 8952, PLACE + LENS + ISO + CT),
    "mavic_air.SRT": (2, 0, ISO + CT),
    "mavic_air2.srt": (25, 25, PLACE + ALT + LENS + ISO + CT),
    "mavic_mini.SRT": (117, 117, PLACE + TAKEOFF + ISO),
    "mavic_pro.SRT": (468, 468, PLACE + TAKEOFF + ISO),
    "mavic_pro_buggy.SRT": (546, 0, TAKEOFF + ISO),
    "mix_p4rtk_mavic2pro.srt": (12, 12, PLACE + TAKEOFF + ALT + GIMBAL + LENS + ISO + CT),
    "old_format.SRT": (468, 468, PLACE + TAKEOFF + ISO),
    "p4_rtk.SRT": (55, 55, PLACE + TAKEOFF + GIMBAL + ISO),
    "p4p_sample.SRT": (5, 0, TAKEOFF + ISO),
}
EMPTY = ("broken_empty.SRT", "broken_empty2.SRT")
UNPROVED = ("broken_incomplete.SRT", "matrice_300.srt", "mavic_pro_buggy.SRT", "p4p_sample.SRT")


@pytest.mark.data
@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_read_or_refused(data_dir: Path, name: str) -> None:
    """Nineteen files of many models: cues, places and fields of each."""
    read = read_srt((data_dir / "dji-srt" / "samples" / name).read_bytes())
    found = ", ".join(read.fields)
    print(f"\n{name}: {len(read.cues)} cues, {read.places} places; {found}; {read.order_proof}")
    assert SAMPLES[name] == (len(read.cues), read.places, read.fields)
    assert (name in UNPROVED) == ("gps_order" in read.order_proof)


@pytest.mark.data
@pytest.mark.parametrize("name", EMPTY)
def test_empty_samples_are_refused(data_dir: Path, name: str) -> None:
    """Two of the broken files hold no cue."""
    with pytest.raises(AskOperator):
        read_srt((data_dir / "dji-srt" / "samples" / name).read_bytes())


@pytest.mark.data
def test_every_sample_file_is_in_the_table(data_dir: Path) -> None:
    """A new sample gets its line."""
    names = {path.name for path in (data_dir / "dji-srt" / "samples").iterdir()}
    assert {*SAMPLES, *EMPTY} == names


def test_a_flight_over_the_end_of_a_short_month_goes_on():
    """Old models stamp cues with the date alone; thirty days are not thirty-one."""
    cue = "{n}\nHOME(104.44,10.42) {date}\nGPS(104.44{n},10.42{n},16) BAROMETER:20.5\n\n"
    text = cue.format(n=1, date="2018-11-30 23:59:59") + cue.format(n=2, date="2018-12-01 00:00:01")
    assert [0.0, 2.0] == [one.t_film_s for one in read_srt(text.encode()).cues]
