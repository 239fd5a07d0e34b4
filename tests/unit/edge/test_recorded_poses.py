"""A film's telemetry becomes a pose per picture, or a reason in words."""

import random
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from edge.config_camera import CameraSettings
from edge.config_recorded import RecordedSettings
from edge.film_telemetry import klv_telemetry, srt_telemetry
from edge.geolocate import GroundLocator
from edge.pose import NoPose, Pose
from edge.recorded_film import frame_centre_miss_m, recorded_poses
from edge.recorded_poses import RecordedPoses
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera
from geo.terrain import FlatTerrain
from hardware.dji_srt import read_srt
from hardware.klv_film import KlvFilm
from hardware.klv_stream import KlvReader
from hardware.ports import FilmPosition
from runtime.errors import AskOperator
from tests import klv_kit

SEA_M = -12.0
HERE = GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=60.0)
SITE = EnuFrame(HERE)
CUE = (
    "{n}\n00:00:{s:06.3f} --> 00:00:59,999\n[latitude: {lat:.6f}] [longitude: {lon:.6f}] "
    "[rel_alt: {alt:.3f} abs_alt: 999.0] [gb_yaw: {yaw:.1f} gb_pitch: -45.0 gb_roll: 0.0]\n\n"
)


def rules(**told: object) -> RecordedSettings:
    return RecordedSettings.model_validate({"telemetry": "klv", **told})


def undulation_m(lon_deg: float, lat_deg: float) -> float:
    """The geoid at Ha Tien; its grid does not reach farther."""
    return SEA_M if abs(lon_deg - 104.0) < 3.0 and abs(lat_deg - 10.0) < 3.0 else float("nan")


def klv_film(packets: list[bytes], times_s: list[float]) -> KlvFilm:
    reader = KlvReader()
    read = reader.feed(b"".join(packets))
    return KlvFilm(
        metadata=tuple(read),
        t_film_s=np.array(times_s[: len(read)]),
        tie="synchronous",
        jitter_s=0.0,
        drift_s_per_min=0.0,
        counters=reader.counters,
    )


def flight_packet(t_s: float, **change: float) -> bytes:
    """Eastwards at 5 m/s, turning 6 degrees a second, gimbal 40 degrees down to the right."""
    place = SITE.point_to_geodetic([5.0 * t_s, 0.0, 0.0])
    values = {
        13: place.lat_deg,
        14: place.lon_deg,
        15: place.alt_hae_m - SEA_M,
        5: (90.0 + 6.0 * t_s) % 360.0,
        90: 3.0,
        91: -2.0,
        18: 20.0,
        19: -40.0,
        20: 0.0,
        16: 40.0,
    }
    values.update({int(tag[1:]): value for tag, value in change.items()})
    return klv_kit.packet(1_700_000_000_000_000 + round(t_s * 1e6), values)


TIMES_S = [0.2 * n for n in range(40)]


def poses_of(film: KlvFilm, told: RecordedSettings | None = None) -> RecordedPoses:
    told = told or rules()
    return RecordedPoses(
        klv_telemetry(film, told, undulation_m),
        lambda t_s: FilmPosition(film_s=t_s) if t_s >= 0.0 else None,
        pitch_sigma_deg=told.pitch_sigma_deg,
        roll_sigma_deg=told.roll_sigma_deg,
        time_offset_s=told.time_offset_s,
        max_gap_s=told.max_gap_s,
    )


def pose(source: RecordedPoses, t_s: float) -> Pose:
    found = source.at(t_s)
    assert isinstance(found, Pose), found
    return found


def test_between_packets_the_pose_is_interpolated() -> None:
    """At half the way between two packets: half the way flown, half the turn made."""
    source = poses_of(klv_film([flight_packet(t) for t in TIMES_S], TIMES_S))
    for t_s in (0.0, 0.1, 1.37, 5.2):
        found = pose(source, t_s)
        assert SITE.point_to_enu(found.position)[:2] == pytest.approx([5.0 * t_s, 0.0], abs=0.02)
        assert found.position.alt_hae_m == pytest.approx(60.0, abs=0.2)
        assert found.velocity_enu_m_s == pytest.approx([5.0, 0.0, 0.0], abs=0.2)
        turn_deg_s = np.degrees(np.linalg.norm(found.rate_enu_rad_s))
        assert turn_deg_s == pytest.approx(6.0, abs=0.1)
        assert found.hfov_deg == pytest.approx(40.0, abs=0.01)
        assert found.moving
    from_camera = klv_film([flight_packet(1.37)], [0.0]).metadata[0].rotation_enu_from_camera()
    assert pose(source, 1.37).rotation_enu_from_camera == pytest.approx(from_camera, abs=1e-3)


def test_the_time_offset_moves_the_telemetry() -> None:
    """A picture at 1 s belongs to the telemetry of 1.5 s."""
    source = poses_of(
        klv_film([flight_packet(t) for t in TIMES_S], TIMES_S), rules(time_offset_s=0.5)
    )
    east_m = SITE.point_to_enu(pose(source, 1.0).position)[0]
    assert east_m == pytest.approx(7.5, abs=0.02)


def test_a_film_shown_faster_flies_faster() -> None:
    """Speeds are those that the node's clock sees; the doubt about time shrinks with it."""
    film = klv_film([flight_packet(t) for t in TIMES_S], TIMES_S)
    real = pose(poses_of(film), 2.0)
    quick_source = RecordedPoses(
        klv_telemetry(film, rules(), undulation_m),
        lambda t_s: FilmPosition(film_s=4.0 * t_s, speed=4.0),
        pitch_sigma_deg=1.0,
        roll_sigma_deg=1.0,
    )
    quick = pose(quick_source, 0.5)
    assert quick.position == real.position
    assert quick.velocity_enu_m_s == pytest.approx(4.0 * real.velocity_enu_m_s)
    assert quick.rate_enu_rad_s == pytest.approx(4.0 * real.rate_enu_rad_s)
    assert quick.time_sigma_s == pytest.approx(real.time_sigma_s / 4.0)


def test_a_heading_correction_turns_every_view() -> None:
    """The offset that a check over a known mark gave turns clockwise."""
    film = klv_film([flight_packet(t) for t in TIMES_S], TIMES_S)
    plain = pose(poses_of(film), 1.0).rotation_enu_from_camera[:, 2]
    turned = pose(poses_of(film, rules(azimuth_offset_deg=4.0)), 1.0).rotation_enu_from_camera[:, 2]
    azimuths = [np.degrees(np.arctan2(axis[0], axis[1])) for axis in (plain, turned)]
    assert azimuths[1] - azimuths[0] == pytest.approx(4.0)
    assert turned[2] == pytest.approx(plain[2])


@pytest.mark.parametrize(
    ("values", "words"),
    [({13: 0.0, 14: 0.0, 15: 90.0}, "gives no place"), ({13: 10.42, 14: 104.44}, "no height")],
)
def test_what_the_metadata_lacks_is_said(values: dict[int, float], words: str) -> None:
    """0/0 is no place, and without a height there is none either."""
    looks = {5: 90.0, 90: 0.0, 91: 0.0, 18: 0.0, 19: -40.0}
    packets = [
        klv_kit.packet(1_700_000_000_000_000 + round(t * 1e6), {**values, **looks}) for t in TIMES_S
    ]
    found = poses_of(klv_film(packets, TIMES_S)).at(1.0)
    assert isinstance(found, NoPose)
    assert words in found.reason


def test_a_gimbal_that_reports_an_error_gives_no_view() -> None:
    """The item's own word for "out of range" is not an angle."""
    error = klv_kit.item(19, bytes.fromhex("80000000"))
    places = {13: 10.42, 14: 104.44, 15: 90.0, 5: 90.0, 90: 0.0, 91: 0.0, 18: 0.0}
    packets = [
        klv_kit.packet(1_700_000_000_000_000 + round(t * 1e6), places, raw=error) for t in TIMES_S
    ]
    found = poses_of(klv_film(packets, TIMES_S)).at(1.0)
    assert isinstance(found, NoPose)
    assert "no gimbal or attitude angles" in found.reason


def test_a_height_above_the_sea_needs_the_geoid() -> None:
    """Without the geoid no height is made up, and the reason says what to set."""
    film = klv_film([flight_packet(t) for t in TIMES_S], TIMES_S)
    telemetry = klv_telemetry(film, rules())
    assert telemetry.positions == ()
    assert "geoid_height_m" in telemetry.lack


def test_a_gap_in_the_telemetry_is_not_bridged() -> None:
    """Three seconds without packets give no pose in their middle, and a reason with a number."""
    times_s = [t for t in TIMES_S if not 2.0 < t < 5.0]
    source = poses_of(klv_film([flight_packet(t) for t in times_s], times_s))
    found = source.at(3.5)
    assert isinstance(found, NoPose)
    assert "the last was 1.5 s before" in found.reason
    assert isinstance(source.at(5.1), Pose)
    assert isinstance(source.at(12.0), NoPose)


def test_no_pose_before_the_film_and_before_its_telemetry() -> None:
    """What is not shown has no pose; a late telemetry says how late."""
    late_s = [t + 1.0 for t in TIMES_S]
    source = poses_of(klv_film([flight_packet(t) for t in TIMES_S], late_s))
    assert source.at(-1.0) == NoPose(reason="no film is being shown")
    found = source.at(0.5)
    assert isinstance(found, NoPose)
    assert "begins 0.5 s after this picture" in found.reason


def test_a_lone_wild_place_or_angle_is_dropped() -> None:
    """What slips through a 16 bit sum does not become a place 200 km away."""
    packets = [flight_packet(t) for t in TIMES_S]
    packets[10] = flight_packet(TIMES_S[10], t13=12.0)
    packets[20] = flight_packet(TIMES_S[20], t18=200.0)
    source = poses_of(klv_film(packets, TIMES_S))
    assert source.telemetry.lacks == {
        "a place that no flight explains": 1,
        "an angle that no gimbal explains": 1,
    }
    for index in (10, 20):
        east_m = SITE.point_to_enu(pose(source, TIMES_S[index]).position)[0]
        assert east_m == pytest.approx(5.0 * TIMES_S[index], abs=0.05)


def test_mutated_metadata_never_gives_a_wrong_place() -> None:
    """20,000 hurt packets in 500 films: every pose lies where the drone was, or is none."""
    rng = random.Random(4)
    wrong = given = 0
    for _ in range(500):
        packets = []
        for t_s in TIMES_S:
            packet = bytearray(flight_packet(t_s))
            for _ in range(rng.choice((0, 0, 2, 4))):
                packet[rng.randrange(len(packet))] = rng.randrange(256)
            packets.append(bytes(packet))
        reader = KlvReader()
        read = [(t, m) for t, raw in zip(TIMES_S, packets, strict=True) for m in reader.feed(raw)]
        film = KlvFilm(
            metadata=tuple(m for _, m in read),
            t_film_s=np.array([t for t, _ in read]),
            tie="synchronous",
            jitter_s=0.0,
            drift_s_per_min=0.0,
            counters=reader.counters,
        )
        source = poses_of(film)
        for t_s in (1.1, 3.3, 5.5):
            found = source.at(t_s)
            if isinstance(found, Pose):
                given += 1
                enu_m = SITE.point_to_enu(found.position)
                wrong += bool(np.hypot(enu_m[0] - 5.0 * t_s, enu_m[1]) > 5.0)
    assert given > 1000
    assert wrong == 0


# --- SRT ------------------------------------------------------------------------------------------
def srt(count: int = 30, yaw_deg: float = 300.0) -> bytes:
    """Eastwards at 5 m/s, ten cues a second."""
    cues = []
    for n in range(count):
        place = SITE.point_to_geodetic([0.5 * n, 0.0, 0.0])
        cues.append(
            CUE.format(
                n=n + 1, s=0.1 * n, lat=place.lat_deg, lon=place.lon_deg, alt=60.0, yaw=yaw_deg
            )
        )
    return "".join(cues).encode()


def srt_poses(data: bytes, **told: object) -> RecordedPoses:
    config = rules(telemetry="a.srt", **told)
    return RecordedPoses(
        srt_telemetry(read_srt(data, order=config.gps_order), config),
        lambda t_s: FilmPosition(film_s=t_s),
        pitch_sigma_deg=config.pitch_sigma_deg,
        roll_sigma_deg=config.roll_sigma_deg,
    )


def test_subtitles_give_a_pose_with_gimbal_and_take_off_height() -> None:
    """rel_alt counts from the take-off; abs_alt is not asked."""
    found = pose(srt_poses(srt(), takeoff_alt_hae_m=-9.0), 1.05)
    assert found.position.alt_hae_m == pytest.approx(51.0, abs=0.01)
    assert SITE.point_to_enu(found.position)[0] == pytest.approx(5.25, abs=0.1)
    assert found.rotation_enu_from_camera == pytest.approx(
        rotation_enu_from_camera(300.0, -45.0, 0.0), abs=1e-6
    )
    assert found.hfov_deg is None


@pytest.mark.parametrize(
    ("change", "told", "words"),
    [
        (("", ""), {}, "takeoff_alt_hae_m"),
        (("gb_", "xx_"), {"takeoff_alt_hae_m": 0.0}, "azimuth_deg or azimuth_from_course"),
        (("gb_", "xx_"), {"takeoff_alt_hae_m": 0.0, "azimuth_deg": 10.0}, "pitch_deg"),
        (("rel_", "xx_"), {"takeoff_alt_hae_m": 0.0}, "altitude_zero_hae_m"),
        (("latitude", "xx"), {"takeoff_alt_hae_m": 0.0}, "no place in the cue"),
    ],
)
def test_what_subtitles_lack_is_never_made_up(
    change: tuple[str, str], told: dict[str, float], words: str
) -> None:
    """Each missing thing is named with the key that would supply it."""
    data = srt().decode().replace(*change).encode() if change[0] else srt()
    found = srt_poses(data, **told).at(1.0)
    assert isinstance(found, NoPose)
    assert words in found.reason


def test_a_constant_view_comes_from_the_config_alone() -> None:
    """Without gimbal angles the config's azimuth and pitch hold."""
    data = srt().decode().replace("gb_", "xx_").encode()
    source = srt_poses(data, takeoff_alt_hae_m=0.0, azimuth_deg=270.0, pitch_deg=-60.0)
    assert pose(source, 1.0).rotation_enu_from_camera == pytest.approx(
        rotation_enu_from_camera(270.0, -60.0, 0.0), abs=1e-6
    )


def test_the_course_is_a_heading_only_on_request_and_only_in_flight() -> None:
    """Flying east is looking east, with 15 degrees more doubt; hovering tells nothing."""
    flying = srt().decode().replace("gb_", "xx_").encode()
    told = {"takeoff_alt_hae_m": 0.0, "azimuth_from_course": True, "pitch_deg": -45.0}
    source = srt_poses(flying, **told)
    axis = pose(source, 1.5).rotation_enu_from_camera[:, 2]
    assert np.degrees(np.arctan2(axis[0], axis[1])) == pytest.approx(90.0, abs=1.0)
    assert source.telemetry.azimuth_sigma_deg == pytest.approx(np.hypot(5.0, 15.0))
    still = "".join(
        CUE.format(n=n + 1, s=0.1 * n, lat=10.42, lon=104.44, alt=60.0, yaw=0.0) for n in range(30)
    ).replace("gb_", "xx_")
    found = srt_poses(still.encode(), **told).at(1.5)
    assert isinstance(found, NoPose)
    assert "hovers" in found.reason


def test_coarse_places_say_so() -> None:
    """Four decimals are steps of 11 m: their doubt is added."""
    coarse = srt().decode()
    for n in range(30):
        place = SITE.point_to_geodetic([0.5 * n, 0.0, 0.0])
        coarse = coarse.replace(f"{place.lat_deg:.6f}", f"{place.lat_deg:.4f}")
    told = {"takeoff_alt_hae_m": 0.0, "horizontal_sigma_m": 1.0}
    fine_m2 = pose(srt_poses(srt(), **told), 1.0).cov_position_enu_m2[0, 0]
    coarse_m2 = pose(srt_poses(coarse.encode(), **told), 1.0).cov_position_enu_m2[0, 0]
    assert coarse_m2 - fine_m2 == pytest.approx(11.132**2 / 12.0, abs=0.1)


def test_the_defaults_are_those_of_a_drone_nobody_calibrated() -> None:
    """From 60 m at 45 degrees a place is good for 12 to 17 m (CE90), as such drones are known."""
    found = pose(srt_poses(srt(), takeoff_alt_hae_m=0.0), 1.5)
    lens = Lens.from_hfov(60.0, 1920, 1080)
    locator = GroundLocator(
        lens, srt_poses(srt(), takeoff_alt_hae_m=0.0), FlatTerrain(alt_hae_m=0.0),
        terrain_sigma_m=0.3, lens_sigma_px=1.0,
    )  # fmt: skip
    located = locator.locate(found, np.array([[959.5, 539.5]]), np.eye(2)[None] * 4.0)
    assert located[0].position is not None
    print(f"\nCE90 of an uncalibrated drone, 60 m, 45 deg: {located[0].position.ce90_m:.1f} m")
    assert 12.0 <= located[0].position.ce90_m <= 17.0


# --- config ---------------------------------------------------------------------------------------
def test_one_source_of_poses_per_camera() -> None:
    """Mount, vehicle and recorded telemetry exclude each other."""
    with pytest.raises(ValidationError, match="keep the one that carries it"):
        CameraSettings.model_validate(
            {
                "sensor_id": "a",
                "source": "a.ts",
                "recorded": {"telemetry": "klv"},
                "vehicle": {"system_id": 1, "on": "gimbal"},
            }
        )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"telemetry": "a.csv"}, r"\.SRT"),
        ({"azimuth_deg": 1.0}, "for an .SRT"),
        ({"telemetry": "a.SRT", "azimuth_deg": 1.0, "azimuth_from_course": True}, "not both"),
    ],
)
def test_contradictions_in_the_config_are_refused(told: dict[str, object], words: str) -> None:
    """Each with the key and what is allowed."""
    with pytest.raises(ValidationError, match=words):
        rules(**told)


@pytest.mark.parametrize(
    ("source", "telemetry"),
    [("rtsp://127.0.0.1/a", "klv"), ("udp://@:5600", "a.SRT"), ("0", "klv")],
)
def test_telemetry_needs_a_film_or_a_stream_that_carries_it(source: str, telemetry: str) -> None:
    """Subtitles lie beside files, and only UDP streams are read for metadata."""
    told = {"sensor_id": "a", "source": source, "recorded": {"telemetry": telemetry}}
    with pytest.raises(ValidationError, match="needs a film file"):
        CameraSettings.model_validate(told)


def test_a_driver_that_knows_no_film_is_refused(tmp_path: Path) -> None:
    """The node says so when it starts, and says what to do; so for a file that is not there."""
    (tmp_path / "a.srt").write_bytes(srt())
    camera = CameraSettings.model_validate(
        {
            "sensor_id": "a",
            "source": "a.mp4",
            "recorded": {"telemetry": str(tmp_path / "a.srt")},
        }
    )
    with pytest.raises(AskOperator, match="a source that is a film file"):
        recorded_poses(camera, object())
    with pytest.raises(AskOperator, match="correct the path"):
        recorded_poses(
            camera.model_copy(update={"recorded": rules(telemetry=str(tmp_path / "b.srt"))}),
            _Film(),
        )


class _Film:
    def film_position(self, t_monotonic_s: float) -> FilmPosition | None:
        return FilmPosition(film_s=t_monotonic_s)


def test_a_zoom_keeps_the_middle_and_scales_the_rest() -> None:
    """At half the tangent a point is twice as far from the middle; None changes nothing."""
    lens = Lens.from_hfov(40.0, 1280, 720)
    narrow = float(2.0 * np.degrees(np.arctan(0.5 * np.tan(np.radians(20.0)))))
    point = np.array([[0.1, 0.05, 1.0]])
    middle = np.array([639.5, 359.5])
    zoomed = lens.zoomed(narrow)
    assert zoomed.hfov_deg == pytest.approx(narrow)
    assert zoomed.project(point) - middle == pytest.approx(2.0 * (lens.project(point) - middle))
    assert lens.zoomed(None) is lens
    assert lens.zoomed(40.1) is lens


# --- a real aircraft ------------------------------------------------------------------------------
@pytest.mark.data
def test_a_real_flight_has_a_pose_for_every_packet(data_dir: Path) -> None:
    """407 packets of an aircraft: places and views of all of them, and a check of the chain."""
    reader = KlvReader()
    read = reader.feed((data_dir / "klv-st0601" / "Cheyenne.bin").read_bytes())
    times_s = np.array([m.time_us - read[0].time_us for m in read]) * 1e-6
    film = KlvFilm(
        metadata=tuple(read),
        t_film_s=times_s,
        tie="synchronous",
        jitter_s=0.0,
        drift_s_per_min=0.0,
        counters=reader.counters,
    )
    telemetry = klv_telemetry(film, rules(), lambda _lon, _lat: -16.0)
    assert (len(telemetry.positions), len(telemetry.views)) == (407, 407)
    assert telemetry.lacks == {}
    miss = frame_centre_miss_m(film)
    assert miss is not None
    assert miss[1] == 407
    assert miss[0] <= 10.0


@pytest.mark.data
def test_a_real_drone_flew_where_its_angles_say(data_dir: Path) -> None:
    """A survey drone that banks left of its heading moves left of it: order and north are right.

    It filmed towards 110 degrees, flying sideways at 13 m/s with its left side down 20 degrees.
    """
    data = (data_dir / "dji-srt" / "samples" / "p4_rtk.SRT").read_bytes()
    source = srt_poses(data, takeoff_alt_hae_m=30.0)
    telemetry = source.telemetry
    assert (len(telemetry.positions), len(telemetry.views), telemetry.lacks) == (55, 55, {})
    sideways = []
    for t_s in np.arange(20.5, 50.0, 1.0):
        found = source.at_film_s(float(t_s))
        assert isinstance(found, Pose)
        axis, flown = found.rotation_enu_from_camera[:, 2], found.velocity_enu_m_s
        looks_deg = np.degrees(np.arctan2(axis[0], axis[1]))
        flies_deg = np.degrees(np.arctan2(flown[0], flown[1]))
        sideways.append((looks_deg - flies_deg + 180.0) % 360.0 - 180.0)
        assert 10.0 < np.hypot(*flown[:2]) < 16.0
    print(f"\nlooks {np.median(sideways):.1f} deg to the right of where it flies")
    assert np.median(sideways) == pytest.approx(90.0, abs=5.0)
