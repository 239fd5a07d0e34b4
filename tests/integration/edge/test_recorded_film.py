"""A film of a moving, turning, zooming drone: what stands on the ground stays where it stands."""

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge.config_camera import CameraSettings
from edge.geolocate import GroundLocator
from edge.pose import Pose
from edge.recorded_film import read_telemetry, recorded_poses
from geo.frames import EnuFrame
from geo.lens import Lens
from geo.terrain import FlatTerrain
from hardware.camera_opencv import CameraSource, OpenCvCamera
from runtime.clock import ManualClock
from runtime.errors import AskOperator
from tests import ts_kit
from tests.flight_kit import (
    MARK_M,
    RATE_HZ,
    SECONDS,
    SITE,
    SIZE,
    WIDE,
    frames,
    klv_film,
    mark_px,
    srt_film,
)


def misses_m(
    film: Path,
    told: dict[str, object],
    *,
    loops: int = 1,
    rate_hz: float | None = None,
    pictures: int = int(RATE_HZ * SECONDS),
) -> npt.NDArray[np.float64]:
    """How far from the mark each picture places it."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=timezone.utc))
    camera = CameraSettings.model_validate(
        {"sensor_id": "drone", "source": str(film), "recorded": told}
    )
    source = OpenCvCamera(
        CameraSource(
            sensor_id="drone", source=str(film), pace="fast", loop=loops > 1, film_rate_hz=rate_hz
        ),
        clock,
    )
    poses = recorded_poses(camera, source)
    locator = GroundLocator(
        Lens.from_hfov(WIDE, *SIZE), poses, FlatTerrain(alt_hae_m=0.0), terrain_sigma_m=0.1
    )
    found = []
    for _ in range(pictures * loops):
        frame = source.read()
        assert frame is not None
        pose = poses.at(frame.t_capture_monotonic_s)
        if not isinstance(pose, Pose):
            found.append(np.nan)
            continue
        fix = locator.fix(pose, mark_px(frame.image_bgr)[None], np.eye(2)[None])
        place = EnuFrame(pose.position).to_geodetic(fix.points_m)[0]
        found.append(float(np.hypot(*(SITE.to_enu(*place)[0] - MARK_M)[:2])))
    source.close()
    return np.array(found)


def report(name: str, misses: npt.NDArray[np.float64]) -> None:
    known = misses[np.isfinite(misses)]
    print(
        f"\n{name}: {len(known)} of {len(misses)} pictures placed, "
        f"median {np.median(known):.2f} m, worst {known.max():.2f} m"
    )


@pytest.mark.parametrize(("kind", "worst_m"), [("synchronous", 0.5), ("asynchronous", 1.0)])
def test_a_transport_stream_places_what_it_shows(
    tmp_path: Path, kind: ts_kit.Kind, worst_m: float
) -> None:
    """Pictures, packets and zoom belong together to a fraction of a picture, the clock drifting."""
    film = klv_film(tmp_path, kind=kind, drift=1e-3)
    misses = misses_m(film, {"telemetry": "klv"})
    report(kind, misses)
    assert np.isfinite(misses).mean() >= 0.99
    steady = np.delete(misses, np.arange(122, 130))  # While the zoom moves, packets lag behind it.
    assert np.nanmedian(steady) <= 0.25
    assert np.nanmax(steady) <= worst_m


def test_a_recording_begun_between_key_pictures_keeps_its_time(tmp_path: Path) -> None:
    """The decoder drops what refers to lost pictures; what it shows keeps its own time."""
    film = klv_film(tmp_path, kind="synchronous", drift=0.0, code="MPEG")
    film.write_bytes(ts_kit.without_first_pictures(film.read_bytes(), 4))
    misses = misses_m(film, {"telemetry": "klv"}, pictures=150)
    report("begun late", misses)
    assert np.isfinite(misses).mean() > 0.9
    assert np.nanmedian(misses[:110]) <= 0.25
    assert np.nanmax(misses[:110]) <= 0.6


def test_subtitles_place_what_the_film_shows(tmp_path: Path) -> None:
    """Each cue belongs to its picture."""
    film = srt_film(tmp_path)
    told = {"telemetry": str(tmp_path / "DJI_0001.SRT"), "takeoff_alt_hae_m": 0.0}
    misses = misses_m(film, told)
    report("srt", misses)
    assert np.isfinite(misses).all()
    assert np.median(misses) <= 0.2
    assert misses.max() <= 0.5


@pytest.mark.parametrize("rate_hz", [None, 7.0])
def test_a_film_shown_twice_or_at_another_rate_keeps_its_telemetry(
    tmp_path: Path, rate_hz: float | None
) -> None:
    """The second pass begins anew, and a slower showing is the same flight."""
    film = srt_film(tmp_path)
    told = {"telemetry": str(tmp_path / "DJI_0001.SRT"), "takeoff_alt_hae_m": 0.0}
    misses = misses_m(film, told, loops=2, rate_hz=rate_hz)
    assert np.isfinite(misses).all()
    assert misses.max() <= 0.5


def test_the_doctor_says_what_a_film_holds(tmp_path: Path) -> None:
    """Packets, damage, clocks and field of view in one sentence."""
    film = klv_film(tmp_path, kind="synchronous", drift=0.0)
    camera = CameraSettings.model_validate(
        {"sensor_id": "drone", "source": str(film), "recorded": {"telemetry": "klv"}}
    )
    assert camera.recorded is not None
    _, words = read_telemetry(str(film), camera.recorded)
    print(f"\n{words}")
    assert words.startswith("klv, synchronous: 101 packets, 0 bad; stamps within 0 ms")
    assert "101 places and 101 views usable" in words
    assert "field of view 30.0 to 50.0 deg" in words


def test_a_damaged_film_still_gives_what_is_whole(tmp_path: Path) -> None:
    """A tenth of the file written over: the rest of the flight keeps its poses."""
    film = klv_film(tmp_path, kind="synchronous", drift=0.0)
    data = bytearray(film.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 10] = bytes(len(data) // 10)
    film.write_bytes(bytes(data))
    camera = CameraSettings.model_validate(
        {"sensor_id": "drone", "source": str(film), "recorded": {"telemetry": "klv"}}
    )
    assert camera.recorded is not None
    telemetry, words = read_telemetry(str(film), camera.recorded)
    print(f"\n{words}")
    assert 70 <= len(telemetry.positions) < 101


def test_a_film_without_telemetry_is_refused(tmp_path: Path) -> None:
    """The plain film names what it lacks."""
    ts_kit.write_film(tmp_path / "plain.ts", frames(zoom=True), RATE_HZ)
    camera = CameraSettings.model_validate(
        {
            "sensor_id": "drone",
            "source": str(tmp_path / "plain.ts"),
            "recorded": {"telemetry": "klv"},
        }
    )
    assert camera.recorded is not None
    with pytest.raises(AskOperator, match="without a metadata stream"):
        read_telemetry(camera.source, camera.recorded)
