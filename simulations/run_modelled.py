"""Play a scenario with modelled detections: truth through the error model, no film and no network."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from edge.detect import Detections
from simulations.error_model import ErrorModel
from simulations.figure_truth import TruthBox, truth_box
from simulations.film import view_of
from simulations.footage import fault_at
from simulations.ground import View
from simulations.modelled import ModelledDetector
from simulations.played import Played
from simulations.run_offline import Sighting, play
from simulations.scenario_node import CameraSettings
from simulations.walk import FigureState
from simulations.world import World

_MARGIN_M = 8.0
"""Larger than any figure: who stands so far beside the picture shows no part in it."""


def play_modelled(
    world: World,
    model: ErrorModel,
    *,
    duration_s: float,
    scratch: Path | None,
    told: Callable[[float], object] = lambda _: None,
) -> Played:
    """Play a scenario from its first instant; see `run_offline.play`."""
    sightings = modelled_sightings(world, model)
    return play(
        world,
        sightings,
        duration_s=duration_s,
        scratch=scratch,
        detections="modelled",
        told=told,
    )


def modelled_sightings(world: World, model: ErrorModel) -> dict[str, Sighting]:
    """Return what each camera's network would have said, by the error model."""
    everybody = _Everybody(world)
    found = {}
    for camera in world.scenario.camera:
        detector = ModelledDetector(model, camera, world.scenario.seed)
        found[camera.id] = Sighting(
            sight=_sight(world, camera, detector, everybody),
            network=detector.name,
            network_sha256=detector.sha256,
        )
    return found


class _Everybody:
    """Who is in the world at an instant; cameras that look at the same one ask once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._t_s = math.nan
        self._figures: tuple[FigureState, ...] = ()

    def at(self, t_s: float) -> tuple[FigureState, ...]:
        if t_s != self._t_s:
            self._t_s, self._figures = t_s, self._world.figures(t_s)
        return self._figures


def _sight(
    world: World, camera: CameraSettings, detector: ModelledDetector, everybody: _Everybody
) -> Callable[[int], Detections]:
    view = view_of(camera, world.site)

    def sight(index: int) -> Detections:
        t_s = index / camera.fps
        fault = fault_at(camera, t_s)
        truths: list[TruthBox] = []
        if fault is not None:
            # Whatever covers the lens hides everybody.
            return Detections.none((camera.width_px, camera.height_px))
        figures = everybody.at(t_s)
        if figures:
            near = in_sight(view, figures)
            truths = [box for box in (truth_box(view, one) for one in near) if box is not None]
        return detector.detect(truths, t_s, world.weather(t_s))

    return sight


def in_sight(view: View, figures: Sequence[FigureState]) -> list[FigureState]:
    """Return those of whom a part may be in the picture; to draw a body only to miss it is dear."""
    feet = np.array([figure.feet_enu_m for figure in figures])
    seen = view.to_camera(feet)
    lens = view.lens
    depth = seen[:, 2]
    across = 0.5 * lens.width_px / lens.fx_px * np.maximum(depth, 0.0) * 1.3 + _MARGIN_M
    down = 0.5 * lens.height_px / lens.fy_px * np.maximum(depth, 0.0) * 1.3 + _MARGIN_M
    kept = (depth > 0.0) & (np.abs(seen[:, 0]) < across) & (np.abs(seen[:, 1]) < down)
    return [figures[k] for k in np.flatnonzero(kept).tolist()]
