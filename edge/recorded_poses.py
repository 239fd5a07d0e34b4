"""The pose of a camera whose film brings its own telemetry, picture by picture."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edge.film_telemetry import FilmTelemetry
from edge.pose import NoPose, Pose, turn_covariance_rad2
from edge.pose_samples import Around, History
from edge.vehicle_motion import Spans, Unrest, course, gimbal_stance
from geo.frames import GeodeticPoint
from hardware.ports import FilmPosition, GimbalSample, PositionSample

_CAMERA_IN_FRD = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
_LEVEL_PART = 0.05
_UNREST = Unrest()


class RecordedPoses:
    """A `PoseSource` of one film.

    Args:
        telemetry: the film's samples.
        film_position: the film's own time at an instant of the node's clock.
        pitch_sigma_deg: of the views.
        roll_sigma_deg: of the views.
        time_offset_s: added to a picture's time to get the telemetry's.
        max_gap_s: longest gap between samples that is bridged.
    """

    def __init__(
        self,
        telemetry: FilmTelemetry,
        film_position: Callable[[float], FilmPosition | None],
        *,
        pitch_sigma_deg: float,
        roll_sigma_deg: float,
        time_offset_s: float = 0.0,
        max_gap_s: float = 2.0,
    ) -> None:
        self.telemetry = telemetry
        self._film_position = film_position
        self._pitch_sigma_deg = pitch_sigma_deg
        self._roll_sigma_deg = roll_sigma_deg
        self._time_offset_s = time_offset_s
        self._spans = Spans(bridge_s=max_gap_s, beyond_s=0.5 * max_gap_s)
        many = len(telemetry.positions) + len(telemetry.views) + 1
        self._positions = History[PositionSample](keep_s=np.inf, max_samples=many)
        self._views = History[GimbalSample](keep_s=np.inf, max_samples=many)
        for position in telemetry.positions:
            self._positions.add(position)
        for view in telemetry.views:
            self._views.add(view)

    def at(self, t_monotonic_s: float) -> Pose | NoPose:
        """The pose of the picture that was handed over with that instant."""
        film = self._film_position(t_monotonic_s)
        if film is None:
            return NoPose(reason="no film is being shown")
        pose = self.at_film_s(film.film_s)
        if isinstance(pose, NoPose) or film.speed == 1.0:
            return pose
        # A film shown faster than it was taken: its drone flies and turns faster too.
        return replace(
            pose,
            velocity_enu_m_s=pose.velocity_enu_m_s * film.speed,
            rate_enu_rad_s=pose.rate_enu_rad_s * film.speed,
            time_sigma_s=pose.time_sigma_s / film.speed,
        )

    def at_film_s(self, film_s: float) -> Pose | NoPose:
        """The pose at a time of the film."""
        t_s = film_s + self._time_offset_s
        positions, views = self._positions.around(t_s), self._views.around(t_s)
        place = course(
            positions,
            t_s,
            spans=self._spans,
            q=_UNREST.position_m2_s3,
            point_of=_point,
            cov_of=_covariance,
        )
        view = gimbal_stance(views, t_s, spans=self._spans, q=_UNREST.gimbal_rad2_s3)
        if place is None or view is None:
            return NoPose(reason=self._missing(positions, views, t_s, placed=place is not None))
        rotation = view.rotation @ _CAMERA_IN_FRD
        turn = turn_covariance_rad2(
            _azimuth_deg(rotation),
            rotation[:, 2],
            azimuth_sigma_deg=self.telemetry.azimuth_sigma_deg,
            pitch_sigma_deg=self._pitch_sigma_deg,
            roll_sigma_deg=self._roll_sigma_deg,
        )
        return Pose(
            position=place.point,
            rotation_enu_from_camera=rotation,
            cov_position_enu_m2=place.cov_enu_m2,
            cov_turn_rad2=turn + np.eye(3) * view.guess_variance_rad2,
            velocity_enu_m_s=place.velocity_enu_m_s,
            rate_enu_rad_s=view.rate_rad_s,
            time_sigma_s=self.telemetry.time_sigma_s,
            moving=True,
            hfov_deg=self._hfov_deg(t_s),
        )

    def _hfov_deg(self, t_s: float) -> float | None:
        times = self.telemetry.hfov_s
        if not times:
            return None
        return self.telemetry.hfov_deg[max(bisect_right(times, t_s) - 1, 0)]

    def _missing(
        self,
        positions: Around[PositionSample],
        views: Around[GimbalSample],
        t_s: float,
        *,
        placed: bool,
    ) -> str:
        around = views if placed else positions
        what = "view" if placed else "place"
        if around.newest is None:
            return f"the film's telemetry gives no {what}: {self.telemetry.lack or 'it is empty'}"
        if around.before is None:
            assert around.after is not None
            late_s = around.after.t_monotonic_s - t_s
            return f"the film's telemetry begins {late_s:.1f} s after this picture"
        gap_s = t_s - around.before.t_monotonic_s
        return f"the film's telemetry gives no {what} near this picture: the last was {gap_s:.1f} s before"


def _azimuth_deg(rotation: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Of the axis; of the picture's upper edge where the camera looks straight down."""
    axis = rotation[:, 2]
    if np.hypot(axis[0], axis[1]) < _LEVEL_PART:
        axis = -rotation[:, 1] * (1.0 if axis[2] < 0.0 else -1.0)
    return float(np.degrees(np.arctan2(axis[0], axis[1])) % 360.0)


def _point(sample: PositionSample) -> GeodeticPoint:
    if sample.alt_hae_m is None:
        raise ValueError("alt_hae_m is None; a film's samples all have a height")
    return GeodeticPoint(lon_deg=sample.lon_deg, lat_deg=sample.lat_deg, alt_hae_m=sample.alt_hae_m)


def _covariance(sample: PositionSample) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    if sample.cov_enu_m2 is None:
        raise ValueError("cov_enu_m2 is None; a film's samples all have one")
    return sample.cov_enu_m2
