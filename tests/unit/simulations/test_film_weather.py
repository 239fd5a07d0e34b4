"""Light, weather, water, wind and faults in the film: seeded, physical where it matters, and true."""

from dataclasses import replace
from datetime import datetime, timezone

import cv2
import numpy as np
import pytest

from simulations.film import Film
from simulations.footage import Footage
from simulations.plants import Plant
from simulations.scenario import load_scenario
from simulations.scenario_actor import ActorSettings
from simulations.scenario_node import CameraFaultSettings
from simulations.scenario_place import LightSettings, WaterSettings, WeatherSettings
from simulations.standing import Standing
from simulations.standing_truth import StandingTruth
from simulations.tone import moment, tone
from simulations.world import World

DEMO = load_scenario("demo").model
RING = ((100.0, 8.0), (900.0, 8.0), (900.0, -400.0), (100.0, -400.0))
RIVER = WaterSettings(id="river", kind="river", ring_along_across_m=RING, wave_height_m=0.1)
STILL = {"cloud": 0.0, "wind_m_s": 0.0}
WIDE = ((300.0, 60.0), (600.0, 60.0), (600.0, -200.0), (300.0, -200.0))
T_S = 26.0
"""The walker of the demonstration stands in the middle of the day camera's picture."""


def film(number=0, *, hour=None, weather=None, camera=None, people=True, **scenario):
    """A small camera of the demonstration under another sky; ``hour`` is local."""
    small = DEMO.camera[number].model_copy(
        update={"width_px": 480, "height_px": 270, **(camera or {})}
    )
    update = {"camera": (small,), "weather": (WeatherSettings(**(weather or {})),), **scenario}
    if hour is not None:
        update["start_utc"] = datetime(2026, 11, 23, hour, tzinfo=timezone.utc).replace(
            hour=(hour - 7) % 24
        )
        update.setdefault("light", LightSettings())
    if not people:
        update["actor"] = ()
    return Film(World(DEMO.model_copy(update=update)), small)


SKIES = {
    "rain": {"weather": {"rain_mm_h": 20.0, "cloud": 0.9, "wind_m_s": 5.0}},
    "insects": {"weather": {"insects_per_min": 300.0}},
    "shimmer": {"weather": {"shimmer_px": 2.0}},
    "clouds": {"weather": {"cloud": 0.5, "wind_m_s": 8.0}},
    "sway": {"weather": {"wind_m_s": 10.0}, "camera": {"mast_sway_deg": 0.3, "k1": -0.1}},
    "river": {"water": (RIVER,)},
    "night": {"hour": 22},
}


@pytest.mark.parametrize("sky", SKIES)
def test_every_sky_is_the_same_to_the_byte_in_any_order(sky):
    """Two films of one scenario, asked in opposite order, show the same bytes."""
    one, other = film(**SKIES[sky]), film(**SKIES[sky])
    asked = ((3.0, 24), (70.4, 563), (26.0, 208))
    seen = {index: one.jpeg(t_s, index) for t_s, index in asked}
    assert seen == {index: other.jpeg(t_s, index) for t_s, index in reversed(asked)}
    assert 3 == len(set(seen.values()))


def test_fog_takes_contrast_by_koschmieder():
    """A person's contrast against empty ground falls as exp(-3.912 d / V) says."""
    contrast = {}
    for visibility_m in (20_000.0, 200.0):
        weather = {**STILL, "visibility_m": visibility_m}
        light = LightSettings(sun_azimuth_deg=128.0, sun_elevation_deg=46.0)
        quiet = {"noise_sigma": 0.0}
        with_them = film(weather=weather, camera=quiet, light=light)
        without = film(weather=weather, camera=quiet, light=light, people=False)
        (truth,) = [b for b in with_them.truth(T_S) if b.figure.kind == "walker"]
        cover = with_them.silhouette(truth.figure) > 0.9
        difference = with_them.frame(T_S, 1).astype(float) - without.frame(T_S, 1).astype(float)
        contrast[visibility_m] = np.abs(difference[cover]).mean()
        away_m = float(
            np.linalg.norm(np.array(truth.figure.feet_enu_m) - with_them.view.position_enu_m)
        )
    expected = np.exp(-3.912 * away_m / 200.0)
    # Exposure and the fogged sun change it a little beside.
    assert contrast[200.0] / contrast[20_000.0] == pytest.approx(expected, rel=0.35)


def test_black_hot_is_white_hot_inverted():
    """Both polarities are the same film, bit by bit inverted."""
    white, black = film(1), film(1, camera={"polarity": "black_hot"})
    assert np.array_equal(255 - white.frame(84.0, 5), black.frame(84.0, 5))


def test_people_outshine_the_field_at_night_and_bare_soil_outshines_them_at_noon():
    """Thermal contrast follows air and sun: what is warm at night can be cool at noon."""
    at = {}
    for hour, air_c in ((3, 24.0), (13, 34.0)):
        warm = film(1, hour=hour, weather={"air_c": air_c, "cloud": 0.1}).tone(0.0).warmth
        at[hour] = (
            warm.of_body(0.8) - warm.grey(warm.cover_c),
            warm.of_body(0.8) - warm.grey(warm.bare_c),
        )
    assert at[3][0] > 50.0
    assert at[3][1] > 0.0
    assert at[13][1] < -50.0


def test_evening_soil_is_warmer_than_morning_soil():
    """The ground's warmth lags behind the sun: equal elevation, unequal temperature."""
    world = film().world
    weather = WeatherSettings(cloud=0.0)
    light = replace(world.light(0.0), sun_elevation_deg=10.0)
    heat = {
        name: moment(light, replace(light, sun_elevation_deg=later_deg), 120.0, weather).heat
        for name, later_deg in (("morning", 10.45), ("evening", 9.55))
    }
    assert heat["evening"] > heat["morning"] + 0.2


def test_night_is_dark_noisy_and_pale_and_lamps_light_what_is_near():
    """A day camera at 22:00: darker, noisier; with lamps bright near by and dark far off."""
    noon, night = film(hour=12, people=False), film(hour=22, people=False)
    lamps = film(hour=22, people=False, light=LightSettings(lamps=True))
    pictures = [f.frame(0.0, 1).astype(float) for f in (noon, night, lamps)]
    assert pictures[1].mean() < 0.45 * pictures[0].mean()
    grains = [
        (f.frame(0.0, 1).astype(float) - f.frame(0.0, 2).astype(float))[200:].std()
        for f in (noon, night)
    ]
    assert grains[1] > 2.0 * grains[0]
    near, far = pictures[2][230:].mean(), pictures[2][50:70].mean()
    assert near > 1.5 * far
    assert near > 1.5 * pictures[1][230:].mean()


def test_exposure_holds_the_picture_while_the_light_falls():
    """Half the light by clouds changes the mean brightness of the ground by less than a fifth."""
    clear, dull = (film(hour=10, weather={"cloud": c}, people=False) for c in (0.0, 1.0))
    bright, dim = (f.frame(0.0, 1)[100:].mean() for f in (clear, dull))
    assert 0.8 < dim / bright < 1.2


def test_a_swaying_mast_moves_ground_and_truth_together():
    """Between two instants the picture of the ground moves as the true poses say."""
    swaying = film(
        people=False, weather={**STILL, "wind_m_s": 10.0},
        camera={"mast_sway_deg": 0.4, "noise_sigma": 0.0, "k1": -0.05},
    )  # fmt: skip
    far = np.array([swaying.view.position_enu_m]) + 120.0 * swaying.view.rotation[:, 2]
    moved = []
    for t_s in (1.0, 2.3, 3.1, 5.9):
        view = swaying.view_at(t_s)
        where = view.lens.project(view.to_camera(far))[0]
        seen = cv2.cvtColor(swaying.frame(t_s, 0), cv2.COLOR_BGR2GRAY)
        moved.append((where, seen[60:].astype(np.float32)))
    for where, seen in moved[1:]:
        shift, _ = cv2.phaseCorrelate(moved[0][1], seen)
        assert np.array(shift) == pytest.approx(where - moved[0][0], abs=1.0)
    assert max(np.abs(where - moved[0][0]).max() for where, _ in moved) > 2.0


def test_truth_follows_the_swaying_picture():
    """Where the picture differs from the empty one, there the true box is."""
    settings = {"mast_sway_deg": 0.4, "noise_sigma": 0.0}
    weather = {**STILL, "cloud": 1.0, "wind_m_s": 10.0}
    busy = film(weather=weather, camera=settings)
    empty = film(weather=weather, camera=settings, people=False)
    for t_s in (24.0, 25.3, 26.1):
        (truth,) = [b for b in busy.truth(t_s) if b.figure.kind == "walker"]
        changed = cv2.absdiff(busy.frame(t_s, 0), empty.frame(t_s, 0)).max(axis=2) > 15
        rows, columns = np.nonzero(changed[:, int(truth.box_px[0]) - 30 :][:, : 60 + 30])
        assert rows.min() == pytest.approx(truth.box_px[1], abs=3.0)
        left = columns.min() + int(truth.box_px[0]) - 30
        assert left == pytest.approx(truth.box_px[0], abs=4.0)


@pytest.mark.parametrize("kind", ["frozen", "black", "covered"])
def test_faults_of_the_camera_show_and_end(kind):
    """While it lasts the picture stands still, is black, or has no detail; then it is back."""
    fault = CameraFaultSettings(kind=kind, at_s=20.0, lasts_s=10.0)
    broken, sound = film(camera={"fault": (fault,)}), film()
    during = [broken.frame(t_s, int(t_s * 8)) for t_s in (22.0, 29.0)]
    if kind == "frozen":
        assert np.array_equal(during[0], during[1])
        assert np.array_equal(during[0], sound.frame(20.0, 160))
    else:
        smooth = cv2.GaussianBlur(during[0], (0, 0), 3.0)
        assert cv2.Laplacian(smooth, cv2.CV_32F).std() < 0.8
        assert during[0].mean() < (10.0 if kind == "black" else 80.0)
    for t_s in (10.0, 31.0):
        assert np.array_equal(broken.frame(t_s, int(t_s * 8)), sound.frame(t_s, int(t_s * 8)))


@pytest.mark.parametrize("kind", ["black", "covered"])
def test_a_fault_is_put_on_a_picture_once(kind):
    """What a node gets is the film's own picture, not a covered picture covered again."""
    fault = CameraFaultSettings(kind=kind, at_s=20.0, lasts_s=10.0)
    broken = film(camera={"fault": (fault,)})
    assert np.array_equal(broken.frame(22.0, 176), Footage(broken).picture(22.0, 176))


def test_the_shadow_of_a_bird_falls_on_the_ground_below_it():
    """Over a flood the sun overhead darkens the water under the bird, not the plain beneath."""
    flood = WaterSettings(id="flood", kind="flood", ring_along_across_m=WIDE, level_m=1.5)
    sun = LightSettings(sun_azimuth_deg=0.0, sun_elevation_deg=90.0)
    scene = {
        "weather": STILL, "camera": {"noise_sigma": 0.0}, "light": sun,
        "water": (flood,),
    }  # fmt: skip
    bird = ActorSettings(
        id="egret", kind="birds", path_along_across_m=((418.0, 0.0), (500.0, 0.0)), fly_height_m=3.0
    )
    with_bird, without = film(actor=(bird,), **scene), film(people=False, **scene)
    (figure,) = with_bird.world.figures(2.0)
    changed = cv2.absdiff(with_bird.frame(2.0, 0), without.frame(2.0, 0)).max(axis=2) > 3
    view = with_bird.view_at(2.0)
    east, north, _ = figure.feet_enu_m
    for level_m, dark in ((1.5, True), (0.0, False)):
        x, y = view.lens.project(view.to_camera(np.array([[east, north, level_m]])))[0]
        window = changed[round(y) - 2 : round(y) + 3, round(x) - 3 : round(x) + 4]
        assert dark == bool(window.any())


def test_plants_move_in_wind_and_stand_still_without():
    """With one noise, two instants differ only where the wind moves something."""
    for wind_m_s, moves in ((0.0, False), (8.0, True)):
        weather = {"cloud": 0.0, "wind_m_s": wind_m_s}
        scrub = DEMO.ground.model_copy(update={"look": "scrub"})
        still = film(weather=weather, people=False, ground=scrub)
        assert moves != np.array_equal(still.frame(1.0, 3), still.frame(2.1, 3))


def test_who_stands_behind_a_bush_is_told_so():
    """A bush between lens and person hides some of them; one behind the person hides nothing."""
    seen = film()
    (truth,) = [b for b in seen.truth(T_S) if b.figure.kind == "walker"]
    feet, eye = np.array(truth.figure.feet_enu_m), seen.view.position_enu_m
    hidden = {}
    for share in (0.9, 1.1):
        place = np.append(eye[:2] + share * (feet[:2] - eye[:2]), 0.0)
        bush = Plant(
            seed=5, place_enu_m=place, tall_m=1.0, bush=True, dry=0.0,
            wind_to=np.array([1.0, 0.0]), right=np.array([1.0, 0.0]),
        )  # fmt: skip
        things = (Standing(bush, seen.view, thermal=False),)
        asked = StandingTruth(things, seen.view, 12.0)
        (got,) = asked.with_plants(seen.view, (replace(truth, occluded_fraction=0.0),), T_S, 2.0)
        hidden[share] = got.occluded_fraction
    assert 0.1 < hidden[0.9] < 0.9
    assert 0.0 == hidden[1.1]


def test_waves_run_on_water_and_nowhere_else():
    """Between two instants only the river's pixels change."""
    river = film(people=False, water=(RIVER,), weather=STILL)
    changed = (river.frame(1.0, 3) != river.frame(2.0, 3)).any(axis=2)
    assert changed[80:120].mean() > 0.5
    assert not changed[240:].any()


def test_rain_is_of_the_frame_and_hides_the_distance():
    """Equal index, equal streaks; another index, others; and the far wood fades."""
    rain = film(weather={"rain_mm_h": 40.0, "cloud": 1.0, "wind_m_s": 0.0}, people=False)
    dry = film(weather={"cloud": 1.0, "wind_m_s": 0.0}, people=False)
    assert np.array_equal(rain.frame(5.0, 3), rain.frame(5.0, 3))
    assert not np.array_equal(rain.frame(5.0, 3), rain.frame(5.0, 4))
    wood = [f.frame(5.0, 3)[14:40].astype(float).std() for f in (rain, dry)]
    assert wood[0] < 0.85 * wood[1]


def test_distance_through_a_distorting_lens_is_where_the_lens_says():
    """A pixel's ground, projected through the same lens, comes back to that pixel."""
    from simulations.ground import look_at

    bent = film(camera={"k1": -0.2, "k2": 0.03, "hfov_deg": 60.0})
    place = look_at(bent.view, bent.world.landscape)
    rows, columns = np.array([150, 200, 260]), np.array([20, 240, 460])
    points = np.column_stack(
        (place.east_m[rows, columns], place.north_m[rows, columns], np.zeros(3))
    )
    back = bent.view.lens.project(bent.view.to_camera(points))
    assert back == pytest.approx(np.column_stack((columns, rows)), abs=0.1)


def test_equal_moments_have_equal_tones_and_no_other():
    """A tone follows from its moment alone, so that a kept picture never depends on the past."""
    world = film().world
    light, weather = world.light(0.0), world.weather(0.0)
    at = moment(light, light, 120.0, weather)
    assert at == moment(replace(light, ambient=light.ambient + 1e-5), light, 120.0, weather)
    assert at != moment(light, light, 120.0, weather.model_copy(update={"visibility_m": 300.0}))
    assert np.array_equal(tone(at).level_bgr, tone(at).level_bgr)
