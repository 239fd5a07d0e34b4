"""Sentences as receivers send them."""

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from geo.frames import GeodeticPoint
from simulations.gpsd_nmea import checked, sentence, sentences
from simulations.gpsd_receiver import Receiver
from simulations.gpsd_route import Standing
from simulations.scenario_node import GpsdFaultSettings

T_UTC = datetime(2026, 11, 23, 2, 40, 5, 200_000, tzinfo=timezone.utc)


def reading(lon_deg=104.5, lat_deg=10.4, **changes):
    receiver = Receiver(Standing(GeodeticPoint(lon_deg=104.5, lat_deg=10.4, alt_hae_m=-4.0)))
    return replace(receiver.reading(0.0, T_UTC), lon_deg=lon_deg, lat_deg=lat_deg, **changes)


def fields(lines, kind):
    (line,) = [line for line in lines if line.startswith(f"$GP{kind},")]
    return line.partition("*")[0].split(",")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        # Two sentences whose checksums stand in receivers' manuals.
        (
            "GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,",
            "$GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*5B\r\n",
        ),
        (
            "GPRMC,083559.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A",
            "$GPRMC,083559.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A*57\r\n",
        ),
    ],
)
def test_checksum_is_the_one_of_the_manuals(body, line):
    """Exclusive or of what stands between dollar and star, two hexadecimal digits."""
    assert line == sentence(body)
    assert checked(line)
    assert not checked(line.replace("4717", "4718"))
    assert not checked(line[:30])


def test_an_epoch_is_whole():
    """Every kind of sentence is there, with right checksums, and says the reading's numbers."""
    now = reading(speed_m_s=1852.0 / 3600.0 * 4.0, track_deg=90.0)
    lines = sentences(now)
    assert all(checked(line) for line in lines)
    assert ["GPRMC", "GPGGA", "GPGSA"] == [line[1:6] for line in lines[:3]]
    rmc, gga, gsa, gst = (fields(lines, kind) for kind in ("RMC", "GGA", "GSA", "GST"))
    assert ["024005.20", "A"] == rmc[1:3]
    assert ["1024.000000", "N", "10430.000000", "E"] == rmc[3:7]
    assert ["4.000", "90.00", "231126"] == rmc[7:10]
    assert "1" == gga[6]
    assert float(gga[9]) + float(gga[11]) == pytest.approx(now.alt_hae_m, abs=0.11)
    assert "3" == gsa[2]
    assert float(gst[7]) == pytest.approx(now.sigma_east_m, abs=0.01)
    told = [f for line in lines if "GSV" in line for f in line.partition("*")[0].split(",")[4::4]]
    assert [f"{satellite.prn:02d}" for satellite in now.satellites] == told


def test_southern_and_western_sides_and_full_minutes():
    """Signs become letters, and 59.9999999 minutes the next degree."""
    rmc = fields(sentences(reading(lon_deg=-0.5, lat_deg=-33.99999999999)), "RMC")
    assert ["3400.000000", "S", "00030.000000", "W"] == rmc[3:7]


def test_no_fix_says_so_and_gives_no_place():
    """Status V, quality 0, mode 1, and no place anywhere."""
    here = GeodeticPoint(lon_deg=104.5, lat_deg=10.4)
    blind = Receiver(
        Standing(here), faults=[GpsdFaultSettings(kind="no_fix", at_s=0.0, lasts_s=9.0)]
    )
    lines = sentences(blind.reading(1.0, T_UTC))
    assert all(checked(line) for line in lines)
    assert ["V", "", ""] == fields(lines, "RMC")[2:5]
    assert ["0", "00"] == fields(lines, "GGA")[6:8]
    assert "1" == fields(lines, "GSA")[2]
    assert not any("GST" in line for line in lines)
