"""Sightings by the error model: a scenario's cameras without film and network, fast enough for days."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edge.detect import Detections
from simulations.cameras import cameras, flies, flight_of
from simulations.error_model import ErrorModel
from simulations.figure_truth import TruthBox, truth_box
from simulations.film import view_of
from simulations.ground import View
from simulations.modelled import ModelledDetector
from simulations.occlusion import with_occlusion
from simulations.run_offline import Sighting
from simulations.scenario_node import CameraSettings
from simulations.walk import FigureState
from simulations.world import World

_WIDEST_M = 4.0
"""Nobody reaches farther from the place below their middle than this."""
_BLIND = ("black", "covered")


def modelled_sightings(world: World, model: ErrorModel) -> dict[str, Sighting]:
    """Return what the modelled networks see, by camera; asked frame by frame."""
    present = _Present(world)
    found = {}
    for camera in cameras(world.scenario):
        detector = ModelledDetector(model, camera, world.scenario.seed)
        found[camera.id] = Sighting(
            sight=_sight(world, camera, detector, present),
            network=detector.name,
            network_sha256=detector.sha256,
        )
    return found


class _Present:
    """Who is in the world; several cameras ask for the same instant."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._t_s = math.nan
        self._figures: tuple[FigureState, ...] = ()

    def at(self, t_s: float) -> tuple[FigureState, ...]:
        if t_s != self._t_s:
            self._t_s, self._figures = t_s, self._world.figures(t_s)
        return self._figures


def _sight(
    world: World, camera: CameraSettings, detector: ModelledDetector, present: _Present
) -> Callable[[int], Detections]:
    standing = view_of(camera, world.site, world.landscape)
    flight = flight_of(world.scenario, camera.id) if flies(world.scenario, camera) else None
    size = (camera.width_px, camera.height_px)
    half = np.array(
        [
            math.tan(math.radians(0.5 * standing.lens.hfov_deg)),
            math.tan(math.radians(0.5 * standing.lens.vfov_deg)),
        ]
    )

    def view_at(t_s: float) -> View:
        if flight is None:
            return standing
        place, rotation = flight.pose(t_s)
        return replace(standing, position_enu_m=place, rotation=rotation)

    def near_view(view: View, figures: tuple[FigureState, ...]) -> list[FigureState]:
        """Leave out, cheaply, whoever stands nowhere near the picture."""
        if not figures:
            return []
        places = view.to_camera(np.array([figure.feet_enu_m for figure in figures]))
        reach = half * np.maximum(places[:, 2:], 0.0) * 1.1 + _WIDEST_M
        inside = (places[:, 2] > 0.0) & (np.abs(places[:, :2]) <= reach).all(axis=1)
        return [figure for figure, near in zip(figures, inside.tolist(), strict=True) if near]

    def sight(index: int) -> Detections:
        t_s = index / camera.fps
        if any(fault.kind in _BLIND and fault.holds(t_s) for fault in camera.fault):
            return Detections.none(size)
        view = view_at(t_s)
        near = near_view(view, present.at(t_s))
        boxes = (truth_box(view, figure) for figure in near)
        whole: list[TruthBox] = [box for box in boxes if box is not None]
        truths = [box for box in with_occlusion(view, whole, world.landscape) if box.visible]
        return detector.detect(truths, t_s, world.weather(t_s))

    return sight
