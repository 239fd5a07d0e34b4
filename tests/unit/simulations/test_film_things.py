"""Posts, lamps, insects and the sheet of pictures: there where they should be, and only there."""

from datetime import datetime, timezone

import cv2
import numpy as np

from simulations.contact_sheet import PANELS, panel
from simulations.film import Film
from simulations.glow import headlights
from simulations.lens_weather import Insects
from simulations.posts import posts
from simulations.scenario import load_scenario
from simulations.scenario_place import LightSettings, WeatherSettings
from simulations.world import World

DEMO = load_scenario("demo").model


def test_the_marker_and_the_other_picket_stand_in_sight():
    """A camera near the reference marker has it before it; its own hut is never in its way."""
    world = World(DEMO)
    camera, other = DEMO.camera
    eye = np.append(world.site.place(camera.along_m, camera.across_m), camera.height_m)
    places = [post.place_enu_m[:2] for post in posts(world, eye, camera.id)]
    marker = np.array(world.site.markers_enu_m[DEMO.from_marker])
    assert any(np.allclose(place, marker) for place in places)
    own = world.site.place(camera.along_m, camera.across_m)
    assert min(np.hypot(*(place - own)) for place in places) > 15.0
    near_other = world.site.place(other.along_m, other.across_m)
    assert any(np.hypot(*(place - near_other)) < 10.0 for place in places)


def test_headlights_shine_in_the_dark_and_nobody_elses_do():
    """By night a motorbike that comes towards the lens dazzles; by day, and on foot, nothing does."""
    camera = DEMO.camera[0].model_copy(update={"width_px": 480, "height_px": 270})
    bike = DEMO.actor[0].model_copy(
        update={
            "kind": "motorbike", "speed_m_s": 5.0, "start_s": 0.0, "repeat_every_s": None,
            "path_along_across_m": ((430.0, -30.0), (430.0, 25.0)), "sideways_jitter_m": 0.0,
        }
    )  # fmt: skip
    brighter = {}
    for hour_utc, actor in ((15, bike), (15, DEMO.actor[0]), (5, bike)):
        scenario = DEMO.model_copy(
            update={
                "actor": (actor,), "camera": (camera,), "light": LightSettings(),
                "start_utc": datetime(2026, 11, 23, hour_utc, tzinfo=timezone.utc),
            }
        )  # fmt: skip
        film = Film(World(scenario), camera)
        before = np.zeros((270, 480, 3), dtype=np.uint8)
        figures = list(film.world.figures(8.0))
        headlights(before, film.view, figures, film.tone(8.0))
        brighter[hour_utc, actor.kind] = int(before.max())
    assert brighter[15, "motorbike"] > 200
    assert 0 == brighter[15, DEMO.actor[0].kind]
    assert 0 == brighter[5, "motorbike"]


def test_more_insects_are_more_and_none_are_none():
    """At a rate of nought the picture stays as it was; at a high one more of it changes."""
    insects = Insects((270, 480), 314)
    changed = []
    for per_min in (0.0, 30.0, 600.0):
        count = 0
        for t_s in np.arange(30.0, 60.0, 1.7):
            picture = np.full((270, 480), 90, dtype=np.uint8)
            insects.cross(picture, float(t_s), per_min=per_min, grey=220.0)
            count += int((picture != 90).sum())
        changed.append(count)
    assert 0 == changed[0] < changed[1] < changed[2]


def test_an_empty_sky_is_still_a_picture():
    """A camera that looks above the horizon only has sky, and no error."""
    up = DEMO.camera[0].model_copy(update={"pitch_deg": 40.0, "width_px": 320, "height_px": 240})
    weather = WeatherSettings(shimmer_px=1.0, rain_mm_h=5.0, insects_per_min=60.0)
    scenario = DEMO.model_copy(update={"camera": (up,), "weather": (weather,)})
    picture = Film(World(scenario), up).frame(5.0, 1)
    assert (240, 320, 3) == picture.shape
    assert picture.mean() > 120.0


def test_straight_down_is_only_ground():
    """A drone's camera that looks at nadir sees ground, with grain and without a horizon."""
    down = DEMO.camera[0].model_copy(
        update={"pitch_deg": -90.0, "height_m": 60.0, "width_px": 320, "height_px": 240}
    )
    picture = Film(World(DEMO.model_copy(update={"camera": (down,)})), down).frame(5.0, 1)
    assert cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).std() > 3.0


def test_a_panel_of_the_sheet_has_its_label_and_size():
    """Labels are unique, and a panel is drawn at the sheet's size."""
    assert len(PANELS) == len({wanted.label for wanted in PANELS})
    assert (270, 480, 3) == panel(DEMO, PANELS[0]).shape
