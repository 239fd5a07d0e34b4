"""How fast the simulator draws; printed with the machine, asserted on nothing but completeness."""

import os
import platform
import time

import cv2
import pytest

from simulations.cameras import cameras, film_of
from simulations.film import Film
from simulations.scenario import load_scenario
from simulations.scenario_place import WaterSettings, WeatherSettings
from simulations.world import World

FRAMES = 30
FPS = 10.0
RIVER = WaterSettings(
    id="river", kind="river",
    ring_along_across_m=((100.0, -26.0), (900.0, -26.0), (900.0, -400.0), (100.0, -400.0)),
)  # fmt: skip
KINDS: tuple[tuple[str, int, dict, dict, dict], ...] = (
    # what, camera, weather, camera's settings, scenario's
    ("day, light wind", 0, {}, {}, {}),
    ("thermal", 1, {}, {}, {}),
    ("fog", 0, {"visibility_m": 200.0}, {}, {}),
    ("rain 20 mm/h", 0, {"rain_mm_h": 20.0, "cloud": 0.95}, {}, {}),
    ("shimmer", 0, {"shimmer_px": 1.0}, {}, {}),
    ("insects", 0, {"insects_per_min": 60.0}, {}, {}),
    ("swaying mast", 0, {"wind_m_s": 10.0}, {"mast_sway_deg": 0.2}, {}),
    ("sway, distorted", 0, {"wind_m_s": 10.0}, {"mast_sway_deg": 0.2, "k1": -0.1}, {}),
    ("river", 0, {}, {}, {"water": (RIVER,)}),
)


@pytest.fixture
def one_thread():
    """OpenCV with a single thread, as offline runs have it; afterwards as before."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


def _film(number: int, weather: dict, settings: dict, more: dict) -> Film:
    """A camera of the demonstration at 1280x720, ten people before it."""
    demo = load_scenario("demo").model
    camera = demo.camera[number].model_copy(
        update={"width_px": 1280, "height_px": 720, "fps": FPS, **settings}
    )
    path = tuple((camera.along_m + d, across) for d, across in ((0.0, -24.0), (1.0, 17.0)))
    crowd = demo.actor[1].model_copy(
        update={
            "count": 10, "start_s": 0.0, "repeat_every_s": None, "repeat_jitter_s": 0.0,
            "path_along_across_m": path,
        }
    )  # fmt: skip
    scenario = demo.model_copy(
        update={
            "actor": (crowd,), "camera": (camera,),
            "weather": (WeatherSettings(**{"wind_m_s": 3.0, **weather}),), **more,
        }
    )  # fmt: skip
    return Film(World(scenario), camera)


@pytest.mark.bench
def test_film_rate(capsys, one_thread):
    """Rendered and encoded frames a second of one core at 1280x720 with ten people, by weather."""
    lines = []
    for name, number, weather, settings, more in KINDS:
        film = _film(number, weather, settings, more)
        film.jpeg(18.0, 0)
        began_s = time.process_time()
        sizes = [len(film.jpeg(18.0 + i / FPS, i)) for i in range(FRAMES)]
        spent_s = time.process_time() - began_s
        seen = sum(box.visible for box in film.truth(18.0 + FRAMES / FPS / 2.0))
        assert FRAMES == len(sizes)
        assert min(sizes) > 10_000
        assert 10 == seen
        lines.append(f"  {name:<16} {FRAMES / spent_s:5.1f} frames/s of CPU time")
    with capsys.disabled():
        head = f"film 1280x720, 10 people, one thread, {platform.machine()}, {os.cpu_count()} cores"
        print(f"\n{head}\n" + "\n".join(lines))


@pytest.mark.bench
def test_film_rate_from_a_drone(capsys, one_thread):
    """The same of a camera in flight, which sees ground for the first time now and then."""
    lines = []
    for name in ("drone-near-day", "drone-near-night"):
        world = World(load_scenario(name).model)
        (camera,) = cameras(world.scenario)
        film = film_of(world, camera)
        film.jpeg(18.0, 0)
        film.view_at(18.0 + FRAMES / camera.fps)
        began_s = time.process_time()
        sizes = [len(film.jpeg(18.0 + i / camera.fps, i)) for i in range(FRAMES)]
        spent_s = time.process_time() - began_s
        assert min(sizes) > 10_000
        lines.append(f"  {name:<16} {FRAMES / spent_s:5.1f} frames/s of CPU time")
    with capsys.disabled():
        print("\nfilm from a drone 960x540, one thread\n" + "\n".join(lines))
