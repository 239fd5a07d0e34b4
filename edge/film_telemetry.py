"""What a film's telemetry says of its camera, as samples on the film's own time.

Both kinds end here: heights become heights above the ellipsoid or nothing, angles become one turn
from the camera to east-north-up or nothing, and a lone sample that cannot be true is dropped.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.config_recorded import RecordedSettings
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import rotation_enu_from_camera
from geo.turn import quaternion_of_matrix
from hardware.dji_srt import SrtCue, SrtTelemetry
from hardware.klv_film import KlvFilm
from hardware.klv_st0601 import KlvMetadata
from hardware.ports import GimbalSample, PositionSample

Array = npt.NDArray[np.float64]
Undulation = Callable[[float, float], float]

FILM: tuple[int, int] = (0, 0)
"""Stands for the vehicle of a film."""
_SYNCHRONOUS_S, _ASYNCHRONOUS_S = 0.05, 0.3
_CUE_PART = 0.3
"""A cue's values hold somewhere in it: one sigma in parts of its length."""
_JUMP_M, _JUMP_M_S = 60.0, 100.0
_WINDOW = 5
_TURN_FAR, _TURN_NEAR = np.cos(np.radians(45.0)), np.cos(np.radians(20.0))
_COURSE_S, _COURSE_LEAST_M, _COURSE_SIGMA_DEG = 1.0, 3.0, 15.0
_METRES_PER_DEG = 111_320.0
_CAMERA_IN_FRD: Array = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmTelemetry:
    """Samples of a film, their times counted from its first picture.

    Attributes:
        positions: of the camera, with heights above the ellipsoid.
        views: how it looked, in ENU, axes x along the view, y right, z down.
        hfov_s: times from which `hfov_deg` holds; empty when the film does not tell its lens.
        hfov_deg: horizontal field of view.
        time_sigma_s: how well samples and pictures are tied.
        azimuth_sigma_deg: of the views.
        lacks: why samples gave no pose: words and how many.
    """

    positions: tuple[PositionSample, ...]
    views: tuple[GimbalSample, ...]
    hfov_s: tuple[float, ...] = ()
    hfov_deg: tuple[float, ...] = ()
    time_sigma_s: float
    azimuth_sigma_deg: float
    lacks: Mapping[str, int] = field(default_factory=dict)

    @property
    def lack(self) -> str:
        """The most frequent reason for a missing pose; empty when there was none."""
        return max(self.lacks, key=lambda words: self.lacks[words]) if self.lacks else ""


def klv_telemetry(
    film: KlvFilm, rules: RecordedSettings, undulation_m: Undulation | None = None
) -> FilmTelemetry:
    """Of a transport stream with metadata inside.

    Args:
        film: its packets.
        rules: of the config.
        undulation_m: height of the geoid above the ellipsoid at (lon, lat) in degrees, for senders
            that tell heights above the sea; None refuses those.
    """
    lacks: Counter[str] = Counter()
    positions, views, zoom = [], [], []
    for read, t_s in zip(film.metadata, film.t_film_s.tolist(), strict=True):
        position = klv_position(read, t_s, rules, undulation_m)
        view = klv_view(read, t_s, rules)
        if isinstance(position, str):
            lacks[position] += 1
        else:
            positions.append(position)
        if isinstance(view, str):
            lacks[view] += 1
        else:
            views.append(view)
        if rules.lens == "told" and read.hfov_deg is not None and 0.1 < read.hfov_deg < 175.0:
            zoom.append((t_s, read.hfov_deg))
    floor_s = _SYNCHRONOUS_S if film.tie == "synchronous" else _ASYNCHRONOUS_S
    return FilmTelemetry(
        positions=_without_jumps(positions, lacks),
        views=_without_flips(views, lacks),
        hfov_s=tuple(t_s for t_s, _ in zoom),
        hfov_deg=tuple(hfov_deg for _, hfov_deg in zoom),
        time_sigma_s=float(np.hypot(floor_s, film.jitter_s))
        if rules.time_sigma_s is None
        else rules.time_sigma_s,
        azimuth_sigma_deg=rules.azimuth_sigma_deg,
        lacks=dict(lacks),
    )


def klv_position(
    read: KlvMetadata, t_s: float, rules: RecordedSettings, undulation_m: Undulation | None = None
) -> PositionSample | str:
    """A packet's place at a time, or what it lacks."""
    if read.lon_deg is None or read.lat_deg is None:
        return "the metadata gives no place"
    alt_hae_m = read.alt_hae_m
    if alt_hae_m is None:
        if read.alt_msl_m is None:
            return "the metadata gives no height"
        if undulation_m is None:
            return (
                "the metadata gives its height above the sea only; "
                "set ground.geoid_file or ground.geoid_height_m"
            )
        alt_hae_m = read.alt_msl_m + undulation_m(read.lon_deg, read.lat_deg)
        if not math.isfinite(alt_hae_m):
            return "the geoid's grid does not reach to where the metadata places the camera"
    return _position(t_s, read.lon_deg, read.lat_deg, alt_hae_m, 0.0, rules)


def klv_view(read: KlvMetadata, t_s: float, rules: RecordedSettings) -> GimbalSample | str:
    """How a packet says the camera looked at a time, or what it lacks."""
    rotation = read.rotation_enu_from_camera()
    if rotation is None:
        return "the metadata gives no gimbal or attitude angles"
    return _view(t_s, rotation, rules)


def srt_telemetry(srt: SrtTelemetry, rules: RecordedSettings) -> FilmTelemetry:
    """Of an .SRT beside the film."""
    lacks: Counter[str] = Counter()
    positions = []
    for cue in srt.cues:
        position = _srt_position(cue, srt, rules)
        if isinstance(position, str):
            lacks[position] += 1
        else:
            positions.append(position)
    sound = _without_jumps(positions, lacks)
    step_deg = max((cue.place_step_deg for cue in srt.cues), default=0.0)
    courses = _courses(sound, step_deg=step_deg) if rules.azimuth_from_course else {}
    views = []
    for cue in srt.cues:
        view = _srt_view(cue, courses, rules)
        if isinstance(view, str):
            lacks[view] += 1
        else:
            views.append(view)
    starts = np.array([cue.t_film_s for cue in srt.cues])
    spacing_s = float(np.median(np.diff(starts))) if len(starts) > 1 else 1.0
    guessed = _COURSE_SIGMA_DEG if rules.azimuth_from_course and not srt.gimbal else 0.0
    return FilmTelemetry(
        positions=sound,
        views=_without_flips(views, lacks),
        time_sigma_s=float(np.hypot(_SYNCHRONOUS_S, _CUE_PART * spacing_s))
        if rules.time_sigma_s is None
        else rules.time_sigma_s,
        azimuth_sigma_deg=float(np.hypot(rules.azimuth_sigma_deg, guessed)),
        lacks=dict(lacks),
    )


def _srt_position(cue: SrtCue, srt: SrtTelemetry, rules: RecordedSettings) -> PositionSample | str:
    if cue.lon_deg is None or cue.lat_deg is None:
        return srt.order_proof if srt.order is None and srt.order_proof else "no place in the cue"
    if cue.above_takeoff_m is not None:
        if rules.takeoff_alt_hae_m is None:
            return "heights count from the take-off; set recorded.takeoff_alt_hae_m"
        alt_hae_m = rules.takeoff_alt_hae_m + cue.above_takeoff_m
    elif cue.altitude_m is not None:
        if rules.altitude_zero_hae_m is None:
            return (
                "the height is above neither sea nor take-off by name; "
                "set recorded.altitude_zero_hae_m"
            )
        alt_hae_m = rules.altitude_zero_hae_m + cue.altitude_m
    else:
        return "no height in the cue"
    return _position(cue.t_film_s, cue.lon_deg, cue.lat_deg, alt_hae_m, cue.place_step_deg, rules)


def _srt_view(
    cue: SrtCue, courses: Mapping[float, float], rules: RecordedSettings
) -> GimbalSample | str:
    azimuth_deg, pitch_deg = cue.gimbal_yaw_deg, cue.gimbal_pitch_deg
    roll_deg = cue.gimbal_roll_deg
    if azimuth_deg is None:
        azimuth_deg = rules.azimuth_deg
        if rules.azimuth_from_course:
            azimuth_deg = courses.get(cue.t_film_s)
            if azimuth_deg is None:
                return "the drone hovers: where the camera looks cannot be told from its course"
    if azimuth_deg is None:
        return "no gimbal angles in the cue; set recorded.azimuth_deg or azimuth_from_course"
    if pitch_deg is None:
        pitch_deg = rules.pitch_deg
    if pitch_deg is None:
        return "no gimbal angles in the cue; set recorded.pitch_deg"
    if roll_deg is None:
        roll_deg = rules.roll_deg
    rotation = rotation_enu_from_camera(azimuth_deg, pitch_deg, roll_deg)
    return _view(cue.t_film_s, rotation, rules)


def _position(
    t_s: float,
    lon_deg: float,
    lat_deg: float,
    alt_hae_m: float,
    step_deg: float,
    rules: RecordedSettings,
) -> PositionSample:
    step_m = step_deg * _METRES_PER_DEG
    level_m2 = rules.horizontal_sigma_m**2 + step_m**2 / 12.0
    return PositionSample(
        vehicle=FILM,
        t_monotonic_s=t_s,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        alt_hae_m=alt_hae_m,
        alt_msl_m=None,
        cov_enu_m2=np.diag([level_m2, level_m2, rules.vertical_sigma_m**2]),
    )


def _view(t_s: float, rotation: Array, rules: RecordedSettings) -> GimbalSample:
    """A camera's turn as a view's, corrected by what a check of the heading gave."""
    offset = np.radians(rules.azimuth_offset_deg)
    sine, cosine = np.sin(offset), np.cos(offset)
    clockwise = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return GimbalSample(
        vehicle=FILM,
        t_monotonic_s=t_s,
        frame="enu",
        quaternion_frame_from_gimbal=quaternion_of_matrix(clockwise @ rotation @ _CAMERA_IN_FRD.T),
    )


def _without_jumps(
    positions: Sequence[PositionSample], lacks: Counter[str]
) -> tuple[PositionSample, ...]:
    """Positions near the median of their neighbours; a lone wild one is no flight."""
    if len(positions) < _WINDOW:
        return tuple(positions)
    lon, lat, alt, t_s = np.array(
        [(p.lon_deg, p.lat_deg, p.alt_hae_m or 0.0, p.t_monotonic_s) for p in positions]
    ).T
    origin = GeodeticPoint(
        lon_deg=float(np.median(lon)), lat_deg=float(np.median(lat)), alt_hae_m=0.0
    )
    enu = EnuFrame(origin).to_enu(lon, lat, alt)
    half = _WINDOW // 2
    padded = np.pad(np.column_stack([enu, t_s]), ((half, half), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=0)
    away_m = np.linalg.norm(enu - np.median(windows[:, :3], axis=2), axis=1)
    span_s = windows[:, 3].max(axis=1) - windows[:, 3].min(axis=1)
    good = away_m <= _JUMP_M + _JUMP_M_S * span_s
    if not good.all():
        lacks["a place that no flight explains"] += int((~good).sum())
    return tuple(p for p, use in zip(positions, good.tolist(), strict=True) if use)


def _without_flips(views: Sequence[GimbalSample], lacks: Counter[str]) -> tuple[GimbalSample, ...]:
    """Views without those that look elsewhere for a single sample."""
    if len(views) < 3:
        return tuple(views)
    turns = np.array([view.quaternion_frame_from_gimbal for view in views])

    def near(a: Array, b: Array) -> Array:
        return np.asarray(2.0 * np.einsum("ni,ni->n", a, b) ** 2 - 1.0, np.float64)

    before, after = near(turns[1:-1], turns[:-2]), near(turns[1:-1], turns[2:])
    across = near(turns[:-2], turns[2:])
    wild = (before < _TURN_FAR) & (after < _TURN_FAR) & (across > _TURN_NEAR)
    if wild.any():
        lacks["an angle that no gimbal explains"] += int(wild.sum())
    good = [True, *(~wild).tolist(), True]
    return tuple(view for view, use in zip(views, good, strict=True) if use)


def _courses(positions: Sequence[PositionSample], *, step_deg: float) -> dict[float, float]:
    """Azimuth of the way flown around each instant, where there was one worth its name."""
    if len(positions) < 2:
        return {}
    t_s = np.array([p.t_monotonic_s for p in positions])
    first = positions[0]
    frame = EnuFrame(GeodeticPoint(lon_deg=first.lon_deg, lat_deg=first.lat_deg, alt_hae_m=0.0))
    enu = frame.to_enu(
        np.array([p.lon_deg for p in positions]),
        np.array([p.lat_deg for p in positions]),
        np.zeros(len(positions)),
    )
    low = np.searchsorted(t_s, t_s - _COURSE_S)
    high = np.searchsorted(t_s, t_s + _COURSE_S, side="right") - 1
    moved = (enu[high] - enu[low])[:, :2]
    azimuth = np.degrees(np.arctan2(moved[:, 0], moved[:, 1])) % 360.0
    # The last digit of the text is a step of the course too.
    far = np.hypot(*moved.T) >= max(_COURSE_LEAST_M, 2.0 * step_deg * _METRES_PER_DEG)
    return {float(t): float(a) for t, a, use in zip(t_s, azimuth, far.tolist(), strict=True) if use}
