"""The acceptance walk: the walker among others, the phone's clock, the camera's error, the certificate."""

import json
import math
from functools import cache

import numpy as np
import pytest
from typer.testing import CliRunner

from edge.calibrate.gpx import Track, read_gpx
from edge.calibrate.walk_certificate import View, certify
from edge.calibrate.walk_match import Match, NoMatch, WalkRules, match
from edge.calibrate.walk_seen import Seen, read_lines, seen_by
from edge.cli import app
from geo.lens import rotation_enu_from_camera
from runtime.errors import AskOperator
from tests.unit.edge.calibrate.walks import AZIMUTH, GROUND_M, LENS, MAST, PITCH, Walk, walk

RULES = WalkRules(axis_azimuth_deg=AZIMUTH + 2.0, place_sigma_m=0.3)
HEADING_ERROR, PITCH_ERROR, PHONE_S = 2.0, 0.2, 7.0


@cache
def played(seed: int) -> Walk:
    return walk(seed)


def _track(told: Walk) -> Track:
    return Track(
        t_s=told.phone_t_s, lon_deg=told.phone_lonlat[:, 0], lat_deg=told.phone_lonlat[:, 1]
    )


@cache
def _matched(seed: int) -> tuple[Seen, Match]:
    told = played(seed)
    seen = seen_by(told.rows)
    return seen, match(seen, _track(told).path(seen.origin), RULES)


def test_heading_error_is_found_within_its_sigma():
    """A camera turned by two degrees, a phone whose clock is seven seconds off, three metres' wander."""
    _, found = _matched(0)
    sigma = found.sigma
    assert abs(found.heading_deg - HEADING_ERROR) < 3 * sigma["heading_deg"] < 4.5
    assert abs(found.pitch_deg - PITCH_ERROR) < 3 * sigma["pitch_deg"] < 1.0
    assert abs(found.offset_s - PHONE_S) < 3 * sigma["offset_s"] < 3.0


def test_other_people_are_told_apart():
    """Two others cross the picture: their tracks are not the walker's."""
    seen, found = _matched(0)
    assert len(found.others) >= 2
    strangers = [seen.track_ids.index(name) for name in found.others]
    assert found.used[np.isin(seen.track, strangers)].mean() < 0.05


def test_correction_makes_places_better():
    """Taking the found error off takes most of the bias across the ray off."""
    told = played(0)
    seen, found = _matched(0)
    done = certify(seen, _track(told).path(seen.origin), found, RULES, None)
    assert done.told is not None
    assert done.after is not None
    assert abs(done.after.across_m) < abs(done.told.across_m)
    assert done.after.p50_m < done.told.p50_m
    assert done.told.in_ellipse90 > 0.8
    assert () == done.by_distance  # Without a view nobody knows when the walker was in the picture.


def test_detection_is_counted_by_distance_and_by_height():
    """Nobody was seen beyond 125 m in this world, and the certificate says so."""
    told = played(0)
    seen, found = _matched(0)
    view = View(
        lens=LENS,
        rotation=rotation_enu_from_camera(AZIMUTH, PITCH, 0.0),
        ground_depth_m=MAST.alt_hae_m - GROUND_M,
    )
    done = certify(seen, _track(told).path(seen.origin), found, RULES, view)
    near = next(band for band in done.by_distance if band.start == 50.0)
    assert near.share > 0.9
    assert 0.0 <= near.low < near.share <= near.high <= 1.0
    far = [band for band in done.by_height if band.end <= 16.0]
    assert all(band.share < 0.5 for band in far)
    assert sum(band.seconds for band in done.by_distance) == sum(
        band.seconds for band in done.by_height
    )
    # Its track has to be confirmed before a node speaks of it; the phone's error moves the edge.
    assert done.entries
    assert min(done.delays_s) < 5.0


def test_another_day_is_no_walk():
    """Observations that go nowhere near the phone are refused, with what to look for."""
    told = played(0)
    seen = seen_by(told.rows)
    track = Track(
        t_s=told.phone_t_s + 86_400.0,
        lon_deg=told.phone_lonlat[:, 0],
        lat_deg=told.phone_lonlat[:, 1],
    )
    with pytest.raises(NoMatch, match="max-offset-s"):
        match(seen, track.path(seen.origin), RULES)


def test_gap_in_the_track_counts_for_nothing():
    """A phone that slept for a minute is not believed to have gone straight."""
    told = played(0)
    hole = (told.phone_t_s > told.phone_t_s[60]) & (told.phone_t_s < told.phone_t_s[130])
    track = Track(
        t_s=told.phone_t_s[~hole],
        lon_deg=told.phone_lonlat[~hole, 0],
        lat_deg=told.phone_lonlat[~hole, 1],
    )
    seen = seen_by(told.rows)
    found = match(seen, track.path(seen.origin), RULES)
    inside = (seen.t_s + found.offset_s > told.phone_t_s[62]) & (
        seen.t_s + found.offset_s < told.phone_t_s[128]
    )
    assert not found.used[inside].any()
    assert abs(found.heading_deg - HEADING_ERROR) < 3 * found.sigma["heading_deg"]


# --- files ----------------------------------------------------------------------------------------
def test_command_prints_a_certificate(tmp_path):
    """From files to exit code 0: text, JSON, and the page in both languages."""
    told = played(0)
    lines, gpx = told.jsonl(tmp_path / "walk.jsonl"), told.gpx(tmp_path / "walk.gpx")
    config = tmp_path / "node.toml"
    config.write_text(
        '[node]\nsite_id = "pets"\nnode_id = "mast-1"\n[[camera]]\nsensor_id = "cam-1"\n'
        'source = "0"\n[camera.mount]\n'
        f"lon_deg = {MAST.lon_deg}\nlat_deg = {MAST.lat_deg}\nalt_hae_m = {MAST.alt_hae_m}\n"
        f"azimuth_deg = {AZIMUTH + 2}\npitch_deg = {PITCH + 0.2}\nhorizontal_sigma_m = 0.3\n"
        "vertical_sigma_m = 0.2\n[camera.lens]\nwidth_px = 1280\nheight_px = 720\n"
        f"hfov_deg = 50.0\n[camera.ground]\nalt_hae_m = {GROUND_M}\n"
    )
    words = ["calibrate", "walk", "--gpx", str(gpx), "--observations", str(lines)]
    words += ["--config", str(config), "--report", str(tmp_path / "walk.html")]
    text = CliRunner().invoke(app, words)
    assert 0 == text.exit_code, text.output
    assert "heading off" in text.stdout
    page = (tmp_path / "walk.html").read_text(encoding="utf-8")
    assert "Biên bản đi thử nghiệm thu" in page
    assert "Acceptance walk" in page
    data = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert abs(data["heading_error_deg"] - HEADING_ERROR) < 3 * data["heading_error_sigma_deg"]
    assert math.isclose(
        data["suggested"]["azimuth_deg"], AZIMUTH + 2 - data["heading_error_deg"], abs_tol=1e-9
    )
    assert data["detection_by_distance"]


def test_lines_of_an_mqtt_tool_are_read_too(tmp_path):
    """A line may hold the envelope as text under `payload`; lines of other messages pass."""
    plain = played(0).jsonl(tmp_path / "a.jsonl")
    wrapped = tmp_path / "b.jsonl"
    lines = plain.read_text().splitlines()
    wrapped.write_text(
        "\n".join(json.dumps({"topic": "t", "payload": line}) for line in lines)
        + '\n{"topic": "u", "payload": "{\\"body\\": {}}"}\n'
    )
    assert [said for _, said in read_lines(plain)] == [said for _, said in read_lines(wrapped)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 1"),
        ("[]", "line 1"),
        ('{"track_id": "x", "box_px": [], "t_event_utc": "yesterday"}', "t_event_utc"),
        ('{"track_id": "x", "box_px": [], "t_event_utc": "2026-03-01T00:00:00Z"}', "line 1:"),
    ],
)
def test_bad_lines_say_where(tmp_path, line, told):
    """File and line, what is allowed, what to do."""
    path = tmp_path / "walk.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(AskOperator) as caught:
        read_lines(path)
    assert told in str(caught.value)
    assert "mosquitto_sub" in str(caught.value)


_GPX = (
    '<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
    '{}</trkseg></trk></gpx>'
)  # fmt: skip


def _points(count: int) -> list[str]:
    return [
        f'<trkpt lat="10.42" lon="{104.44 + k * 1e-5}"><time>2026-03-01T02:{k // 60:02}:{k % 60:02}'
        f'.{k % 10}Z</time></trkpt>'
        for k in range(count)
    ]  # fmt: skip


def test_gpx_drops_what_cannot_be(tmp_path):
    """Points without time, twice, backwards and a kilometre off are dropped and counted."""
    points = _points(40)
    points[10] = points[10].replace("104.44", "104.45")
    points.insert(20, '<trkpt lat="10.42" lon="104.44"></trkpt>')
    points.insert(30, points[5])
    path = tmp_path / "walk.gpx"
    path.write_text(_GPX.format("".join(points)))
    track = read_gpx(path)
    assert {"without a time": 1, "out of order": 1, "jumped": 1} == track.dropped
    assert 39 == len(track.t_s)
    assert np.all(np.diff(track.t_s) > 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<gpx><trk>", "line 1"),
        ("nothing", "line 1"),
        (_GPX.format("".join(_points(5))), "5 timed track points"),
        (_GPX.format('<trkpt lat="north" lon="2"/>'), "trkpt lat"),
        (_GPX.format('<trkpt lat="91" lon="2"/>'), "trkpt lat"),
        (_GPX.format('<trkpt lat="1" lon="2"><time>noon</time></trkpt>'), "noon"),
        ('<!DOCTYPE g [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><gpx>&b;</gpx>', "document type"),
        ("<a>" * 100, "without end"),
    ],
)
def test_bad_gpx_says_where_and_what_to_do(tmp_path, text, told):
    """Also a file that would grow without end in a careless parser."""
    path = tmp_path / "walk.gpx"
    path.write_text(text)
    with pytest.raises(AskOperator) as caught:
        read_gpx(path)
    assert told in str(caught.value)
    assert "walk.gpx" in str(caught.value)
