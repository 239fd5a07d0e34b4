"""What a scenario states of its people's size in the picture is what a camera truly sees."""

import numpy as np
import pytest

from simulations.cameras import camera_of, film_of
from simulations.figure_truth import truth_box
from simulations.film import view_of
from simulations.scenario import SMALL_PERSON_PX, suite
from simulations.world import World

SUITE = suite()
STEP_S = 0.25


def height_at_line_px(scenario):
    """Smallest over the people of their height, in the best camera, where they are nearest to the line.

    Of a crossing scenario those count who cross, of a quiet one all people; boats are no people.
    """
    world = World(scenario)
    crossing = {event.actor_id for event in world.events(0.0, scenario.duration_s)}
    chosen = {
        actor.id
        for actor in scenario.actor
        if actor.nature.object_class == "Human" and (actor.id in crossing or not crossing)
    }
    nearest: dict[str, tuple[float, float]] = {}
    masts = [view_of(camera, world.site, world.landscape) for camera in scenario.camera]
    drones = [film_of(world, camera_of(drone)) for drone in scenario.drone]
    for t_s in np.arange(0.0, scenario.duration_s, STEP_S):
        for figure in world.figures(float(t_s)):
            if figure.actor_id not in chosen:
                continue
            away = abs(float(world.site.line.signed_distance_m([figure.feet_enu_m[:2]])[0]))
            views = [*masts, *(film.view_at(float(t_s)) for film in drones)]
            boxes = [truth_box(view, figure) for view in views]
            seen = [box.box_px[3] - box.box_px[1] for box in boxes if box and box.visible]
            if seen and away < nearest.get(figure.actor_id, (np.inf, 0.0))[0] - 0.1:
                nearest[figure.actor_id] = (away, max(seen))
    return min((height for _, height in nearest.values()), default=None)


@pytest.mark.parametrize("loaded", SUITE, ids=lambda one: one.model.name)
def test_the_stated_height_is_what_the_camera_sees(loaded):
    """Within fifteen per cent, and whoever is small says so."""
    scenario = loaded.model
    seen = height_at_line_px(scenario)
    stated = scenario.person_px_at_line
    if seen is None:
        assert stated is None
        return
    assert stated == pytest.approx(seen, rel=0.15)
    assert (stated < SMALL_PERSON_PX) == ("small-people" in scenario.needs)
