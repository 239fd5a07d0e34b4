"""The occluded fraction is what the film's own silhouettes and the ground before them say."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.lens import Lens, rotation_enu_from_camera
from simulations.figure_truth import depth_m, silhouette, truth_box
from simulations.film import Film
from simulations.ground import View
from simulations.landscape import landscape
from simulations.occlusion import cut_out, with_occlusion
from simulations.scenario import Scenario, load_scenario
from simulations.site import load_site
from simulations.walk import FigureState, Looks
from simulations.world import World

DEMO = load_scenario("demo").model.model_dump(exclude_unset=True)
DEMO.pop("actor")
HILLS = {"kind": "hills", "amplitude_m": 5.0, "wavelength_m": 150.0}


def made(**change):
    """A site and its ground."""
    scenario = Scenario.model_validate(DEMO | change)
    site = load_site(scenario)
    return landscape(scenario, site), site


PLAIN, SITE = made()
HILLY, _ = made(ground=HILLS)


def camera(
    ground, *, azimuth_deg=0.0, pitch_deg=-4.0, height_m=5.0, hfov_deg=30.0, place=(0.0, 0.0)
):
    """A camera over the ground, somewhat distorted."""
    lens = Lens.from_hfov(hfov_deg, 640, 360)
    lens = Lens(
        fx_px=lens.fx_px, fy_px=lens.fy_px, cx_px=lens.cx_px, cy_px=lens.cy_px,
        width_px=640, height_px=360, k1=-0.05,
    )  # fmt: skip
    foot = float(ground.height_m([place])[0])
    return View(
        lens=lens,
        position_enu_m=np.array([*place, foot + height_m]),
        rotation=rotation_enu_from_camera(azimuth_deg, pitch_deg, 0.0),
    )


def person(ground, east, north, *, kind="walker", gait="walk", azimuth_deg=70.0, number=0):
    """One figure on the ground."""
    return FigureState(
        figure_id=f"a/0/{number}", group_id="a/0", actor_id="a", kind=kind, object_class="Human",
        feet_enu_m=(east, north, float(ground.height_m([[east, north]])[0])),
        azimuth_deg=azimuth_deg, speed_m_s=1.2, gait=gait, phase=0.2 + 0.1 * number,
        looks=Looks(
            seed=5 + number, height_m=1.65, length_m=0.5, hat="none", load="none", dress="any",
            aboard=1,
        ),
    )  # fmt: skip


def boxes_of(view, figures):
    return [box for box in (truth_box(view, f) for f in figures) if box is not None]


def slow(view, boxes, ground):
    """Every pixel of every whole silhouette, and the ray of each."""
    covers = [silhouette(view, box.figure) for box in boxes]
    depths = [depth_m(view, box.figure) for box in boxes]
    found = []
    for k, box in enumerate(boxes):
        nearer = np.zeros_like(covers[k])
        for j, cover in enumerate(covers):
            if (depths[j], j) < (depths[k], k):
                nearer = np.maximum(nearer, cover)
        if not ground.flat:
            rows, columns = np.nonzero(covers[k] > 0.0)
            rays = view.lens.rays(np.column_stack((columns, rows))) @ view.rotation.T
            met = ground.meet(view.position_enu_m, rays)
            feet = np.array(box.figure.feet_enu_m)
            far = np.hypot(*(feet - view.position_enu_m)[:2])
            ahead = np.hypot(*(met - view.position_enu_m)[:, :2].T)
            # The last step before the feet is the ground they stand on.
            nearer[rows, columns] = np.maximum(nearer[rows, columns], ahead < far - 2.5)
        found.append(float((covers[k] * nearer).sum() / covers[k].sum()))
    return found


def assert_near(view, figures, ground, within):
    boxes = boxes_of(view, figures)
    got = [box.occluded_fraction for box in with_occlusion(view, boxes, ground)]
    assert slow(view, boxes, ground) == pytest.approx(got, abs=within)
    return got


def test_nobody_in_front_is_nobody_hidden():
    """Side by side, and the nearer of two, are wholly seen."""
    view = camera(PLAIN)
    assert [0.0, 0.0] == assert_near(
        view, [person(PLAIN, -2.0, 40.0), person(PLAIN, 2.0, 41.0, number=1)], PLAIN, 0.0
    )


def test_who_walks_behind_another_is_hidden_in_part():
    """The one in front stays whole, the other loses what the film paints over."""
    view = camera(PLAIN)
    figures = [person(PLAIN, 0.1, 33.0), person(PLAIN, 0.0, 31.0, number=1)]
    behind, before = assert_near(view, figures, PLAIN, 0.03)
    assert 0.0 == before
    assert 0.5 < behind < 1.0


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.floats(12.0, 300.0))
def test_groups_agree_with_the_films_silhouettes(seed, away_m):
    """At any distance, in any order, within three hundredths of the full picture's count."""
    rng = np.random.default_rng(seed)
    view = camera(
        PLAIN,
        hfov_deg=float(np.degrees(2.0 * np.arctan(4.0 / away_m))),
        pitch_deg=-float(np.degrees(np.arctan2(4.2, away_m))),
    )
    kinds = [("walker", "walk"), ("walker", "run"), ("creeping", "creep")]
    figures = []
    for k in range(4):
        kind, gait = kinds[int(rng.integers(3))]
        east, north = rng.uniform(-0.8, 0.8), away_m + rng.uniform(-2.5, 2.5)
        figures.append(
            person(
                PLAIN, east, north, kind=kind, gait=gait, azimuth_deg=rng.uniform(0, 360), number=k
            )
        )
    assert_near(view, figures, PLAIN, 0.03)


def test_behind_a_crest_legs_go_first_then_the_head():
    """Who walks down behind a hill sinks into it; the fraction only grows, to all of them."""
    view, crest = None, None
    for turn in range(0, 360, 10):
        way = np.array([np.sin(np.radians(turn)), np.cos(np.radians(turn))])
        path = way * np.arange(20.0, 260.0, 0.5)[:, None]
        view = camera(HILLY, azimuth_deg=turn, hfov_deg=20.0)
        seen = HILLY.line_of_sight(
            view.position_enu_m, np.column_stack((path, HILLY.height_m(path)))
        )
        top = HILLY.line_of_sight(
            view.position_enu_m, np.column_stack((path, HILLY.height_m(path) + 1.65))
        )
        lost = np.flatnonzero(~seen)
        if len(lost) and lost[0] > 40 and not top[lost[0] :][:120].all():
            crest = path[lost[0] - 4 :][:160]
            break
    assert crest is not None
    got = []
    for place in crest[::2]:
        figures = [person(HILLY, *place)]
        boxes = boxes_of(view, figures)
        (box,) = with_occlusion(view, boxes, HILLY)
        assert slow(view, boxes, HILLY) == pytest.approx([box.occluded_fraction], abs=0.12)
        got.append(box.occluded_fraction)
    first, whole = got[0], int(np.argmax(np.array(got) > 0.99))
    assert first < 0.1
    assert whole > 0
    assert np.all(np.diff(got[: whole + 1]) > -0.08)


def test_a_drone_straight_above_sees_over_every_hill():
    """Seen from above a figure is as good as its place."""
    view = camera(HILLY, pitch_deg=-90.0, height_m=50.0)
    (got,) = with_occlusion(view, boxes_of(view, [person(HILLY, 2.0, 3.0)]), HILLY)
    assert 0.0 == got.occluded_fraction


def test_a_small_figure_is_looked_at_in_the_pictures_own_pixels():
    """The cut-out of a box is the same raster as the picture, to the pixel."""
    view = camera(PLAIN)
    figure = person(PLAIN, 1.0, 60.0)
    (box,) = boxes_of(view, [figure])
    small = silhouette(cut_out(view, box.box_px), figure)
    whole = silhouette(view, figure)
    left, top = int(box.box_px[0]), int(box.box_px[1])
    part = whole[top : top + small.shape[0], left : left + small.shape[1]]
    assert small.shape == part.shape
    assert np.allclose(part, small, atol=1e-4)


def test_the_film_does_not_paint_what_a_crest_hides():
    """The share of the silhouette that the picture shows is the share that is not hidden."""
    walker = {
        "id": "walker",
        "dress": "bright",
        "path_along_across_m": [(430.0, 20.0), (430.0, -160.0)],
    }
    place, ahead = SITE.place(430.0, 35.0), SITE.place(430.0, -80.0)
    lens = DEMO["camera"][0] | {
        "azimuth_deg": float(np.degrees(np.arctan2(*(ahead - place)))) % 360.0,
        "pitch_deg": -3.0,
        "hfov_deg": 20.0,
        "noise_sigma": 0.0,
    }
    change = {
        "name": "crest-i",  # the name is the seed of the hills
        "ground": {"kind": "hills", "amplitude_m": 3.0, "wavelength_m": 80.0},
        "light": {"sun_azimuth_deg": 160.0, "sun_elevation_deg": 50.0},
        "weather": [{"wind_m_s": 0.0}],
        "camera": [lens],
        "actor": [walker],
    }
    scenario = Scenario.model_validate(DEMO | change)
    film = Film(World(scenario), scenario.camera[0])
    gone_s = 160.0
    assert () == film.truth(gone_s)
    empty = film.frame(gone_s, 1).astype(int)
    compared = []
    for t_s in (18.0, 19.0, 20.0, 21.0, 44.0, 45.0, 46.0, 65.0, 66.0):
        (box,) = film.truth(t_s)
        whole = film.silhouette(box.figure) > 0.5
        painted = np.abs(film.frame(t_s, 1) - empty).max(axis=2) > 4
        shown = float((painted & whole).sum() / whole.sum())
        assert 1.0 - box.occluded_fraction == pytest.approx(shown, abs=0.12)
        compared.append(box.occluded_fraction)
    assert min(compared) < 0.4
    assert max(compared) > 0.7


@pytest.mark.bench
def test_occlusion_costs_little(capsys):
    """Ten figures in two groups, over a plain and over hills; printed, asserted on nothing."""
    lines = []
    for name, ground in (("plain", PLAIN), ("hills", HILLY)):
        view = camera(ground)
        figures = [
            person(ground, -4 + 0.4 * (k % 5) + 7 * (k // 5), 40 + 0.5 * k, number=k)
            for k in range(10)
        ]
        boxes = boxes_of(view, figures)
        began_s = time.process_time()
        for _ in range(20):
            got = with_occlusion(view, boxes, ground)
        lines.append(f"{name}: {(time.process_time() - began_s) / 20 * 1e3:.1f} ms")
        assert 10 == len(got)
    with capsys.disabled():
        print("\nocclusion of 10 figures: " + ", ".join(lines))
