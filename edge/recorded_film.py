"""Opens the telemetry that a camera's config names, and says in words what it holds."""

from pathlib import Path

import numpy as np

from edge.config_camera import CameraSettings
from edge.config_recorded import RecordedSettings
from edge.film_telemetry import FilmTelemetry, Undulation, klv_telemetry, srt_telemetry
from edge.recorded_poses import RecordedPoses
from geo.frames import EnuFrame, GeodeticPoint
from hardware.dji_srt import SrtTelemetry, read_srt
from hardware.klv_film import KlvFilm, read_klv_film
from hardware.ports import FilmPort
from runtime.errors import AskOperator


def recorded_poses(
    camera: CameraSettings, film: object, *, undulation_m: Undulation | None = None
) -> RecordedPoses:
    """The pose source of a film with telemetry; reads the telemetry, which may take seconds.

    Args:
        camera: its settings, with `recorded`.
        film: the camera's driver, which knows what picture is shown when.
        undulation_m: of the geoid, for heights above the sea.

    Raises:
        AskOperator: the telemetry cannot be read, or the source is no film.
    """
    rules = camera.recorded
    if rules is None or not isinstance(film, FilmPort):
        raise AskOperator(
            field=f"camera {camera.sensor_id}: recorded",
            value=camera.source,
            allowed="a source that is a film file",
            next_step="remove [camera.recorded], or name the film that the telemetry belongs to",
        )
    telemetry, _ = read_telemetry(camera.source, rules, undulation_m)
    return RecordedPoses(
        telemetry,
        film.film_position,
        pitch_sigma_deg=rules.pitch_sigma_deg,
        roll_sigma_deg=rules.roll_sigma_deg,
        time_offset_s=rules.time_offset_s,
        max_gap_s=rules.max_gap_s,
    )


def read_telemetry(
    source: str, rules: RecordedSettings, undulation_m: Undulation | None = None
) -> tuple[FilmTelemetry, str]:
    """A film's telemetry, and what it holds in a sentence for a person.

    Raises:
        AskOperator: it cannot be read.
    """
    if rules.klv:
        film = read_klv_film(Path(source))
        telemetry = klv_telemetry(film, rules, undulation_m)
        return telemetry, _klv_words(film, telemetry)
    try:
        data = Path(rules.telemetry).read_bytes()
    except OSError as error:
        raise AskOperator(
            field="recorded.telemetry",
            value=rules.telemetry,
            allowed="an .SRT file that can be read",
            next_step=f"{error.strerror}; correct the path",
        ) from None
    srt = read_srt(data, order=rules.gps_order)
    telemetry = srt_telemetry(srt, rules)
    return telemetry, _srt_words(srt, telemetry)


def _klv_words(film: KlvFilm, telemetry: FilmTelemetry) -> str:
    packets = film.counters.get("packets", 0)
    words = [
        f"klv, {film.tie}: {packets:,} packets, {film.refused:,} bad",
        f"stamps within {film.jitter_s * 1000:.0f} ms",
        f"the clocks run apart by {film.drift_s_per_min * 1000:+.0f} ms a minute",
        *_common(telemetry),
    ]
    if telemetry.hfov_deg:
        words.append(
            f"field of view {min(telemetry.hfov_deg):.1f} to {max(telemetry.hfov_deg):.1f} deg"
        )
    miss = frame_centre_miss_m(film)
    if miss is not None:
        words.append(
            f"frame centre {miss[0]:,.1f} m (median of {miss[1]}) from where the angles look"
        )
    return "; ".join(words)


def _srt_words(srt: SrtTelemetry, telemetry: FilmTelemetry) -> str:
    words = [f"srt: {len(srt.cues):,} cues, {srt.places:,} with a place", *_common(telemetry)]
    if srt.order_proof:
        words.append(f"order of GPS(a, b): {srt.order_proof}")
    focal = [cue.focal_mm for cue in srt.cues if cue.focal_mm is not None]
    if focal:
        words.append(f"focal length {min(focal):g} to {max(focal):g} mm of a 35 mm camera")
    return "; ".join(words)


def _common(telemetry: FilmTelemetry) -> list[str]:
    words = [f"{len(telemetry.positions):,} places and {len(telemetry.views):,} views usable"]
    words += [f"{count:,} x {why}" for why, count in sorted(telemetry.lacks.items())]
    return words


def frame_centre_miss_m(film: KlvFilm) -> tuple[float, int] | None:
    """How far the view's axis hits from where the sender says it does; None where it does not.

    A check of the whole chain of angles without knowing anything about the place: both points are
    the sender's. Both heights are compared as told, above the sea or above the ellipsoid.

    Returns:
        the median over the packets that give both, in metres, and their number.
    """
    misses = []
    for read in film.metadata:
        rotation = read.rotation_enu_from_camera()
        heights = (
            (read.alt_hae_m, read.frame_alt_hae_m)
            if read.alt_hae_m is not None and read.frame_alt_hae_m is not None
            else (read.alt_msl_m, read.frame_alt_msl_m)
        )
        if (
            rotation is None
            or read.lon_deg is None
            or read.lat_deg is None
            or read.frame_lon_deg is None
            or read.frame_lat_deg is None
            or heights[0] is None
            or heights[1] is None
        ):
            continue
        here = EnuFrame(
            GeodeticPoint(lon_deg=read.lon_deg, lat_deg=read.lat_deg, alt_hae_m=heights[0])
        )
        centre = here.to_enu(read.frame_lon_deg, read.frame_lat_deg, heights[1])[0]
        axis = rotation[:, 2]
        if axis[2] < 0.0 and centre[2] < 0.0:
            misses.append(float(np.hypot(*(axis * centre[2] / axis[2] - centre)[:2])))
    return (float(np.median(misses)), len(misses)) if misses else None
