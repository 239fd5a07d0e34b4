"""How fast the simulator draws; printed with the machine, asserted on nothing but completeness."""

import os
import platform
import time

import pytest

from simulations.film import Film
from simulations.scenario import load_scenario
from simulations.world import World

FRAMES = 60


@pytest.mark.bench
def test_film_rate(capsys):
    """Rendered and encoded frames a second at 1280x720 with ten people, day and thermal."""
    demo = load_scenario("demo").model
    walkers = demo.actor[1].model_copy(update={"count": 10, "start_s": 0.0, "repeat_every_s": None})
    lines = []
    for camera in demo.camera:
        along = camera.along_m
        path = tuple((along + d, across) for d, across in ((0.0, -24.0), (1.0, 17.0)))
        crowd = walkers.model_copy(update={"path_along_across_m": path})
        large = camera.model_copy(update={"width_px": 1280, "height_px": 720})
        scenario = demo.model_copy(update={"actor": (crowd,), "camera": (large,)})
        film = Film(World(scenario), large)
        began_s = time.process_time()
        sizes = [len(film.jpeg(20.0 + i / 10.0, i)) for i in range(FRAMES)]
        spent_s = time.process_time() - began_s
        seen = sum(box.visible for box in film.truth(20.0 + FRAMES / 20.0))
        assert min(sizes) > 10_000
        assert seen == 10
        lines.append(f"{camera.spectrum}: {FRAMES / spent_s:.1f} frames/s of CPU time, 10 people")
    with capsys.disabled():
        print(
            f"\nfilm 1280x720 on {platform.machine()}, {os.cpu_count()} cores: " + "; ".join(lines)
        )
