"""What could be known: true boxes in each camera, and the covariance its node states for a place.

The perfect observer has the scenario's cameras and the accuracies that their nodes declare (pose,
lens, ground, clock), and never errs in the picture itself. It is as strict a yardstick as there is:
no network, no jitter of boxes, no filter that must settle.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np

from edge.app import ground_locator
from edge.config_camera import CameraSettings as NodeCamera
from edge.geolocate import GroundLocator
from edge.ground import camera_ground
from edge.pose import Pose, PoseSource
from edge.poses import fixed_pose
from geo._types import BoolArray, FloatArray
from simulations.cameras import cameras, film_of, flies, flight_of
from simulations.drone_film import DroneFilm
from simulations.drone_pose import TruePoses
from simulations.figure_truth import TruthBox
from simulations.film import Film
from simulations.ground import View
from simulations.run_config import camera_tables
from simulations.scenario_node import CameraSettings
from simulations.world import World

LEAST_BOX_PX = 8.0
"""A box whose longer side is below this is no person to any observer."""
_BOXES_KEPT = 4096
_STEP_S = 0.05
GRID_S = 0.5
_LARGEST_M = 12.0
_ON_GRID = 0.01

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One figure in one camera's picture.

    Attributes:
        box_px: cut off at the picture's edges.
        inside: share 0..1 of the whole box that lies in the picture.
        clear: share 0..1 of it that nothing hides.
    """

    truth: TruthBox
    box_px: Box
    inside: float
    clear: float

    @property
    def height_px(self) -> float:
        """Of the part in the picture."""
        return self.box_px[3] - self.box_px[1]


def _between(one: Seen, other: Seen, part: float) -> Seen:
    x1, y1, x2, y2 = (
        (1.0 - part) * a + part * b for a, b in zip(one.box_px, other.box_px, strict=True)
    )
    return Seen(
        truth=one.truth,
        box_px=(x1, y1, x2, y2),
        inside=min(one.inside, other.inside),
        clear=min(one.clear, other.clear),
    )


class Eye:
    """One camera as the perfect observer has it.

    Args:
        world: who is where.
        camera: one of the scenario's.
    """

    def __init__(self, world: World, camera: CameraSettings) -> None:
        self.camera = camera
        self._world = world
        self._film: Film | DroneFilm | None = None
        self._seen: OrderedDict[float, tuple[Seen, ...]] = OrderedDict()
        self._flies = flies(world.scenario, camera) is not None
        self._locator = _locator(world, camera)

    @property
    def film(self) -> Film | DroneFilm:
        """The camera's film; its picture is not needed before the first box is asked for."""
        if self._film is None:
            self._film = film_of(self._world, self.camera)
        return self._film

    def _views(self, times_s: FloatArray) -> list[tuple[BoolArray, View, float]]:
        """Return (n,) which instants share a pose, that pose, and one of the instants."""
        if not self._flies:
            return [(np.ones(len(times_s), dtype=np.bool_), self.film.view, 0.0)]
        return [
            (times_s == t_s, self.film.view_at(t_s), t_s) for t_s in np.unique(times_s).tolist()
        ]

    def looks(self, t_s: float) -> bool:
        """Whether the camera delivers a true picture at an instant."""
        return not any(fault.holds(t_s) for fault in self.camera.fault)

    def seen(self, t_s: float) -> tuple[Seen, ...]:
        """Return everybody truly visible at an instant: in the picture, large and clear enough."""
        key = round(t_s, 3)
        found = self._seen.get(key)
        if found is None:
            found = self._look(t_s) if self.looks(t_s) else ()
            self._seen[key] = found
            if len(self._seen) > _BOXES_KEPT:
                self._seen.popitem(last=False)
        return found

    def around(self, t_s: float) -> tuple[Seen, ...]:
        """Return who is visible at an instant, with boxes between those of every half second.

        Observations come at any frame; drawing the truth for each of them would take longer than
        playing the scenario, and in half a second a box changes little of its shape.
        """
        before_s = math.floor(t_s / GRID_S + 1e-9) * GRID_S
        part = (t_s - before_s) / GRID_S
        before = self.seen(before_s)
        if part < _ON_GRID:
            return before
        after = {one.truth.figure.figure_id: one for one in self.seen(before_s + GRID_S)}
        found = []
        for one in before:
            other = after.pop(one.truth.figure.figure_id, None)
            if other is not None:
                found.append(_between(one, other, part))
            elif part < 0.5:
                found.append(one)
        if part >= 0.5:
            found += after.values()
        return tuple(found)

    def in_picture(
        self, places_enu_m: FloatArray, times_s: FloatArray
    ) -> tuple[FloatArray, BoolArray]:
        """Return (n, 2) pixels of (n, 3) feet at (n,) instants, and (n,) whether they are seen."""
        pixels = np.full((len(places_enu_m), 2), np.nan)
        for these, view, _ in self._views(times_s):
            pixels[these] = view.lens.project(view.to_camera(places_enu_m[these]))
        return pixels, self._locator.lens.contains(pixels)

    def covariance(
        self, pixels: FloatArray, velocity_m_s: FloatArray, times_s: FloatArray
    ) -> FloatArray:
        """Return (n, 2, 2) what the node states of feet at these pixels, box noise left out.

        Args:
            pixels: (n, 2).
            velocity_m_s: (n, 2) over ground; the doubt about the moment of capture moves it.
            times_s: (n,) of capture.
        """
        found = np.zeros((len(pixels), 2, 2))
        for these, _, t_s in self._views(times_s):
            pose = self._locator.poses.at(t_s)
            assert isinstance(pose, Pose)
            fix = self._locator.fix(pose, pixels[these], np.zeros((int(these.sum()), 2, 2)))
            late_m = velocity_m_s[these] * pose.time_sigma_s
            found[these] = fix.cov_shared_m2 + late_m[:, :, None] * late_m[:, None, :]
        return found

    def _view_at(self, t_s: float) -> View:
        """Return about where it looks at an instant: a swaying mast's mean pose will do."""
        return self.film.view_at(t_s) if self._flies else self.film.view

    def _anybody_near(self, t_s: float) -> bool:
        """Whether anybody could be in the picture at all; the exact answer is dear."""
        figures = self._world.figures(t_s)
        if not figures:
            return False
        view, lens = self._view_at(t_s), self._locator.lens
        ahead = view.to_camera(np.array([figure.feet_enu_m for figure in figures]))
        depth = np.maximum(ahead[:, 2], 0.1)
        # Nothing is farther from its feet than this; distortion bends the far edges, too.
        reach = _LARGEST_M / depth + 0.3
        x, y = ahead[:, 0] / depth, ahead[:, 1] / depth
        wide, high = lens.width_px / lens.fx_px, lens.height_px / lens.fy_px
        near = (np.abs(x) < wide + reach) & (np.abs(y) < high + reach)
        return bool(np.any(near & (ahead[:, 2] > -_LARGEST_M)))

    def _look(self, t_s: float) -> tuple[Seen, ...]:
        lens, view = self._locator.lens, self._view_at(t_s)
        if not self._anybody_near(t_s):
            return ()
        weather = self._world.weather(t_s)
        found = []
        for truth in self.film.truth(t_s):
            if not truth.visible or not all(math.isfinite(edge) for edge in truth.box_px):
                continue
            x1, y1, x2, y2 = truth.box_px
            box = (
                max(x1, 0.0), max(y1, 0.0),
                min(x2, float(lens.width_px)), min(y2, float(lens.height_px)),
            )  # fmt: skip
            wide, high = box[2] - box[0], box[3] - box[1]
            clear = 1.0 - float(getattr(truth, "occluded_fraction", 0.0))
            if wide <= 0.0 or high <= 0.0 or max(wide, high) < LEAST_BOX_PX or clear <= 0.0:
                continue
            away_m = math.dist(truth.figure.feet_enu_m[:2], view.position_enu_m[:2])
            # Beyond the meteorological range the contrast is below what any eye can see.
            if self.camera.spectrum == "day" and away_m > weather.visibility_m:
                continue
            whole = max((x2 - x1) * (y2 - y1), 1e-9)
            found.append(Seen(truth=truth, box_px=box, inside=wide * high / whole, clear=clear))
        return tuple(found)


def _locator(world: World, camera: CameraSettings) -> GroundLocator:
    """Return what places feet as the camera's node does; a drone's with its true poses."""
    scenario = world.scenario
    settings = NodeCamera.model_validate(camera_tables(camera, scenario, world.site, "none://"))
    poses: PoseSource
    if settings.mount is not None:
        poses = fixed_pose(settings.mount, latency_sigma_s=settings.latency_sigma_s)
    else:
        poses = TruePoses(
            flight_of(scenario, camera.id), world.site, ground_hae_m=scenario.ground_alt_hae_m
        )
    ground = camera_ground(settings)
    assert ground is not None
    if not world.landscape.flat:
        # The perfect observer has no elevation file, but the ground.
        ground = replace(ground, terrain=world.landscape.terrain())
    locator = ground_locator(settings, poses, ground)
    assert isinstance(locator, GroundLocator)
    return locator


class Truth:
    """The world with the eyes on it, asked by figure and instant.

    Args:
        world: of the scenario and seed that were played.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.eyes = {camera.id: Eye(world, camera) for camera in cameras(world.scenario)}

    def of_group(self, group_id: str, t_s: float) -> dict[str, FloatArray]:
        """Return (3,) feet by figure of those of a group who are in the world at an instant."""
        return {
            figure.figure_id: np.array(figure.feet_enu_m)
            for figure in self.world.figures(t_s)
            if figure.group_id == group_id
        }

    def velocity_m_s(self, figure_id: str, t_s: float) -> FloatArray:
        """Return (2,) over ground at an instant; zero where it is not known on both sides."""
        ends = []
        for at_s in (t_s - _STEP_S, t_s + _STEP_S):
            here = [f for f in self.world.figures(at_s) if f.figure_id == figure_id]
            if not here:
                return np.zeros(2)
            ends.append(np.array(here[0].feet_enu_m[:2]))
        return np.asarray((ends[1] - ends[0]) / (2.0 * _STEP_S))


def group_of(figure_id: str) -> str:
    """Return ``actor/coming`` of ``actor/coming/member``."""
    return figure_id.rsplit("/", 1)[0]


def overlap(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0.0 or high <= 0.0:
        return 0.0
    both = wide * high
    areas = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return both / (areas - both)
