"""Metadata of a film is tied to its pictures, whatever clock ran wrong."""

from pathlib import Path

import numpy as np
import pytest

from hardware.klv_film import read_klv_film, tie_clocks
from runtime.errors import AskOperator
from tests import klv_kit, ts_kit

START_US = 1_700_000_000_000_000
PLACE = {13: 10.4, 14: 104.4, 15: 100.0}


def film(
    path: Path,
    kind: ts_kit.Kind,
    *,
    seconds: int = 120,
    drift: float = 0.0,
    delay_s: float = 0.0,
    order: tuple[int, ...] = (0,),
) -> Path:
    """A stream of 10 pictures and 5 packets a second; the packets' clock runs away by `drift`."""
    video, klv = ts_kit.Packetiser(ts_kit.VIDEO_PID), ts_kit.Packetiser(ts_kit.KLV_PID)
    streams = ts_kit.stream(0x1B, ts_kit.VIDEO_PID) + ts_kit.klv_stream(kind)
    out = [
        ts_kit.Packetiser(0).cut(ts_kit.pat()),
        ts_kit.Packetiser(ts_kit.PMT_PID).cut(ts_kit.pmt(streams)),
    ]
    for n in range(10 * seconds):
        shown_s = 1.4 + 0.1 * (n + order[n % len(order)])
        out.append(video.cut(ts_kit.unit(bytes(200), shown_s, 0xE0)))
        if n % 2 == 0:
            t_s = 0.1 * n
            time_us = START_US + round((t_s * (1.0 + drift)) * 1e6)
            packet = klv_kit.packet(time_us, PLACE)
            out.append(klv.cut(ts_kit.klv_unit(packet, 1.4 + t_s + delay_s, kind)))
    path.write_bytes(b"".join(out))
    return path


def test_synchronous_packets_stand_at_their_stamps(tmp_path: Path) -> None:
    """Each packet's film time is its own stamp, counted from the first picture."""
    read = read_klv_film(film(tmp_path / "a.ts", "synchronous"))
    assert read.tie == "synchronous"
    assert len(read.metadata) == 600
    assert read.t_film_s == pytest.approx(0.2 * np.arange(600), abs=1e-4)
    assert read.refused == 0
    assert read.counters["jumped"] == 0


@pytest.mark.parametrize("kind", ["synchronous", "asynchronous", "undeclared"])
def test_a_clock_that_runs_away_is_followed(tmp_path: Path, kind: ts_kit.Kind) -> None:
    """A packet clock 0.1 % fast is 120 ms off after two minutes; the tie follows it."""
    read = read_klv_film(film(tmp_path / "a.ts", kind, drift=1e-3))
    assert read.drift_s_per_min == pytest.approx(0.06, abs=0.005)
    assert np.abs(read.t_film_s - 0.2 * np.arange(600)).max() < 0.02
    assert read.counters["undeclared"] == (600 if kind == "undeclared" else 0)


def test_the_films_zero_is_its_first_picture_in_coding_order(tmp_path: Path) -> None:
    """A recording cut in the middle of a group begins with pictures that refer to lost ones.

    Decoders count from the first stamp in the file, whatever is shown before or cannot be decoded.
    """
    read = read_klv_film(film(tmp_path / "a.ts", "synchronous", order=(2, -1, -1)))
    assert read.t_film_s == pytest.approx(0.2 * np.arange(600) - 0.2, abs=1e-4)


def test_asynchronous_packets_lie_near_the_picture_before_them(tmp_path: Path) -> None:
    """Without stamps a packet's time is known to a picture or so."""
    read = read_klv_film(film(tmp_path / "a.ts", "asynchronous"))
    assert read.tie == "asynchronous"
    assert np.abs(read.t_film_s - 0.2 * np.arange(600)).max() < 0.11


def test_stamps_of_the_coding_order_vanish_in_the_tie() -> None:
    """A sender that stamps packets with B-frame times jitters by 80 ms; its own clock does not."""
    true_s = 0.2 * np.arange(500)
    stamps = true_s + np.tile([0.08, -0.04, -0.04, 0.0, 0.0], 100)
    t_film_s, jitter_s, _ = tie_clocks(true_s, stamps, trusted=True)
    assert np.abs(t_film_s - true_s).max() < 1e-6
    assert jitter_s == pytest.approx(0.0593, abs=0.001)


def test_a_clock_that_is_set_in_flight_costs_a_few_packets() -> None:
    """After a jump of an hour the stamps stand in, or the packets near it are left out."""
    true_s = 0.2 * np.arange(600)
    clock_s = true_s + 3600.0 * (true_s > 60.0)
    trusted_s, _, _ = tie_clocks(clock_s, true_s, trusted=True)
    assert np.abs(trusted_s - true_s).max() < 1e-6
    near_s, _, _ = tie_clocks(clock_s, true_s, trusted=False)
    lost = ~np.isfinite(near_s)
    assert 0 < lost.sum() < 110
    assert np.abs(near_s - true_s)[~lost].max() < 1e-6


def test_a_clock_that_stands_still_is_not_believed() -> None:
    """The same precision time in every packet: the stamps alone count."""
    true_s = 0.2 * np.arange(300)
    t_film_s, _, _ = tie_clocks(np.zeros(300), true_s, trusted=True)
    assert t_film_s == pytest.approx(true_s)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no MPEG transport stream"),
        (b"ftypisom" * 1000, "no MPEG transport stream"),
        (None, "correct the path"),
    ],
)
def test_what_is_no_film_with_telemetry_is_refused_in_words(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """A file that cannot serve says which one it is and what to take instead."""
    path = tmp_path / "a.ts"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AskOperator, match=words):
        read_klv_film(path)


def test_a_film_without_metadata_says_so(tmp_path: Path) -> None:
    """A converted film has lost its metadata stream."""
    video = ts_kit.Packetiser(ts_kit.VIDEO_PID)
    tables = ts_kit.Packetiser(0).cut(ts_kit.pat()) + ts_kit.Packetiser(ts_kit.PMT_PID).cut(
        ts_kit.pmt(ts_kit.stream(0x1B, ts_kit.VIDEO_PID))
    )
    path = tmp_path / "a.ts"
    path.write_bytes(
        tables + b"".join(video.cut(ts_kit.unit(bytes(90), 0.1 * n, 0xE0)) for n in range(20))
    )
    with pytest.raises(AskOperator, match="without a metadata stream"):
        read_klv_film(path)
