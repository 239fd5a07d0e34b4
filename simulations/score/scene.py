"""What a map of a run shows, in metres along and across the line: ways, fields of view, places."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from geo.normal import error_ellipse
from simulations.cameras import cameras, flies, flight_of
from simulations.film import view_of
from simulations.ground import View
from simulations.played import Played
from simulations.scenario_node import CameraSettings
from simulations.score.report import Report
from simulations.score.sightings import evenly
from simulations.world import World

_WHOLE_S = 900.0
_AROUND_S = 25.0
_STEP_S = 0.5
_MOST_WINDOWS = 40
_MOST_PLACES = 3000
_MOST_ELLIPSES = 90
_REACH_M = 220.0
_RING = np.linspace(0.0, 2.0 * np.pi, 41)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where one figure truly went, (n, 2) along and across."""

    figure_id: str
    kind: str
    person: bool
    places_m: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyeshot:
    """A camera and the ground that it sees: (2,) and (n, 2)."""

    sensor_id: str
    place_m: FloatArray
    ring_m: FloatArray


class Scene:
    """A played run by the line.

    Args:
        report: of it.
        played: the record.
        world: that it was played in.
    """

    def __init__(self, report: Report, played: Played, world: World) -> None:
        self._report = report
        self._played = played
        self._world = world

    @property
    def sensor_ids(self) -> tuple[str, ...]:
        """The cameras, in the scenario's order."""
        return tuple(camera.id for camera in cameras(self._world.scenario))

    def by_line(self, enu_m: npt.ArrayLike) -> FloatArray:
        """Return (n, 2) metres along from the marker and across, ours positive; nan beyond."""
        site = self._world.site
        fix = site.line.project(np.atleast_2d(np.asarray(enu_m, dtype=np.float64))[:, :2])
        return np.column_stack((fix.along_m - site.start_along_m, fix.distance_m))

    def ways(self) -> list[Way]:
        """Return everybody's way: of short runs whole, of long ones around what happened."""
        rows: dict[str, list[tuple[float, float, float]]] = {}
        who = {}
        for t_s in self._moments():
            for figure in self._world.figures(t_s):
                east, north, _ = figure.feet_enu_m
                rows.setdefault(figure.figure_id, []).append((t_s, east, north))
                who[figure.figure_id] = figure
        found = []
        for figure_id, points in rows.items():
            table = np.array(points)
            places = self.by_line(table[:, 1:])
            # Where nothing was looked at for a while the line of the way is broken.
            gaps = np.flatnonzero(np.diff(table[:, 0]) > 2.0 * _STEP_S) + 1
            places = np.insert(places, gaps, np.nan, axis=0)
            one = who[figure_id]
            person = one.object_class != "Animal"
            found.append(Way(figure_id=figure_id, kind=one.kind, person=person, places_m=places))
        return found

    def eyeshots(self) -> list[Eyeshot]:
        """Return each camera with the ground in its picture, out to a limit."""
        found = []
        for camera in cameras(self._world.scenario):
            view = self._view(camera)
            wide, high = camera.width_px - 1.0, camera.height_px - 1.0
            up = np.linspace(high, 0.0, 40)
            across = np.linspace(0.0, wide, 15)
            border = np.vstack(
                (
                    np.column_stack((np.zeros(40), up)),
                    np.column_stack((across, np.zeros(15))),
                    np.column_stack((np.full(40, wide), up[::-1])),
                    np.column_stack((across[::-1], np.full(15, high))),
                )
            )
            rays = view.lens.rays(border) @ view.rotation.T
            flat = np.hypot(rays[:, 0], rays[:, 1])
            with np.errstate(divide="ignore", invalid="ignore"):
                reach = np.where(
                    rays[:, 2] < 0, -view.position_enu_m[2] / rays[:, 2] * flat, np.inf
                )
            reach = np.minimum(reach, _REACH_M)
            ring = view.position_enu_m[:2] + rays[:, :2] / flat[:, None] * reach[:, None]
            ring = ring[np.isfinite(ring).all(axis=1)]
            found.append(
                Eyeshot(
                    sensor_id=camera.id,
                    place_m=self.by_line(view.position_enu_m[None, :2])[0],
                    ring_m=self.by_line(ring),
                )
            )
        return found

    def _view(self, camera: CameraSettings) -> View:
        """Return a camera's pose; a drone's at half-time stands for all of its way."""
        view = view_of(camera, self._world.site, self._world.landscape)
        if flies(self._world.scenario, camera) is None:
            return view
        flight = flight_of(self._world.scenario, camera.id)
        place, rotation = flight.pose(0.5 * self._played.duration_s)
        return replace(view, position_enu_m=place, rotation=rotation)

    def places(self) -> dict[str, FloatArray]:
        """Return (n, 2) told places by sensor, thinned evenly."""
        found: dict[str, list[FloatArray]] = {}
        for one in evenly(self._played.observations, _MOST_PLACES):
            place = self._world.site.lon_lat(one.lon_deg, one.lat_deg)
            found.setdefault(one.sensor_id, []).append(place)
        return {name: self.by_line(np.array(rows)) for name, rows in sorted(found.items())}

    def ellipses(self) -> list[FloatArray]:
        """Return rings (n, 2) of 90 % of some observations, evenly chosen."""
        rings = []
        for one in evenly(self._played.observations, _MOST_ELLIPSES):
            east2, cross, north2 = one.cov_enu_m2
            shape = error_ellipse([[east2, cross], [cross, north2]], 0.9)
            turn = np.radians(shape.azimuth_deg)
            major = np.array([np.sin(turn), np.cos(turn)]) * shape.semi_major_m
            minor = np.array([np.cos(turn), -np.sin(turn)]) * shape.semi_minor_m
            place = self._world.site.lon_lat(one.lon_deg, one.lat_deg)
            ring = place + np.outer(np.cos(_RING), major) + np.outer(np.sin(_RING), minor)
            rings.append(self.by_line(ring))
        return rings

    def line_sigma_m(self, along_m: FloatArray) -> FloatArray:
        """Return (n,) accuracy of the line at lengths along it from the marker."""
        line, start = self._world.site.line, self._world.site.start_along_m
        segment = line.project(line.at(along_m + start)).segment
        return np.asarray(line.sigma_m[segment])

    def crossings(self) -> list[tuple[str, float, str]]:
        """Return each event's (id, metres along, outcome)."""
        world, outcomes = self._world, {e.event_id: e.outcome for e in self._report.events}
        return [
            (event.event_id, event.passages[0].along_m, outcomes[event.event_id])
            for event in world.events(0.0, self._played.duration_s + 60.0)
            if event.event_id in outcomes
        ]

    def _moments(self) -> Sequence[float]:
        end_s = self._played.duration_s
        if end_s <= _WHOLE_S:
            return [float(t) for t in np.arange(0.0, end_s, _STEP_S)]
        centres = [event.t_cross_s for event in self._report.events]
        centres += [w.t_event_s for w in self._report.warnings if w.verdict != "hit"]
        centres += [end_s * k / 8.0 for k in range(1, 8)]
        steps = np.arange(-_AROUND_S, _AROUND_S, _STEP_S)
        chosen = evenly(sorted(centres), _MOST_WINDOWS)
        moments = np.unique(np.round(np.add.outer(np.array(chosen), steps) / _STEP_S)) * _STEP_S
        return [float(t) for t in moments if 0.0 <= t < end_s]
