"""The world's ground: one shape for film, feet, lines of sight and longitude and latitude."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.frames import EnuFrame, GeodeticPoint
from geo.terrain import HIT, Terrain
from runtime.errors import AskOperator
from simulations.landscape import landscape
from simulations.scenario import Scenario, load_scenario, names
from simulations.scenario_actor import NATURES
from simulations.site import load_site
from simulations.world import World

DEMO = load_scenario("demo").model.model_dump(exclude_unset=True)
DEMO.pop("actor")
CANAL = {
    "id": "canal",
    "path_along_across_m": [(438.0, 0.0), (462.0, 0.0)],
    "width_m": 6.0,
    "level_m": -0.4,
}
SEA = {
    "id": "sea",
    "kind": "sea",
    "ring_along_across_m": [
        (-9000.0, -200.0),
        (9000.0, -200.0),
        (9000.0, -9000.0),
        (-9000.0, -9000.0),
    ],
    "level_m": -1.5,
}
FLOOD = {
    "id": "flood",
    "kind": "flood",
    "ring_along_across_m": [(300.0, 5.0), (600.0, 5.0), (600.0, 80.0), (300.0, 80.0)],
    "level_m": 0.5,
}


def scenario(**change):
    """The demonstration's place with another ground, water or actors."""
    return Scenario.model_validate(DEMO | change)


def ground_of(**change):
    made = scenario(**change)
    site = load_site(made)
    return landscape(made, site), site


def walker(kind, *path, **more):
    return {"id": kind, "kind": kind, "path_along_across_m": list(path), **more}


def test_flat_ground_without_water_is_the_quick_plane():
    """No grid is kept: heights are zero, rays meet the plane, sight is free above it."""
    ground, _ = ground_of()
    assert ground.flat
    assert [0.0, 0.0] == ground.height_m([[1.0, 2.0], [1e5, 0.0]]).tolist()
    assert not ground.water([[0.0, 0.0]]).any()
    met = ground.meet([0.0, 0.0, 5.0], [[0.0, 2.0, -1.0], [0.0, 1.0, 0.1]])
    assert np.allclose([0.0, 10.0, 0.0], met[0])
    assert np.isnan(met[1]).all()
    assert [True, False] == ground.line_of_sight([0, 0, 5], [[9, 9, 0], [9, 9, -1]]).tolist()


def test_a_canal_lies_along_its_path_and_its_level_is_met():
    """Within half the width there is water at the stated level, beside it the field."""
    ground, site = ground_of(water=[CANAL])
    places = [site.place(450.0, across) for across in (-3.5, -2.5, 0.0, 2.5, 3.5)]
    assert not ground.flat
    assert [False, True, True, True, False] == ground.water(places).tolist()
    assert np.allclose([0, -0.4, -0.4, -0.4, 0], ground.height_m(places), atol=1e-6)
    assert np.allclose([0, -1.6, -1.6, -1.6, 0], ground.bed_m(places), atol=1e-6)
    eye = np.append(site.place(450.0, 30.0), 25.0)
    aim = np.array([np.append(place, -0.4) for place in places[1:4]])
    assert np.allclose(aim, ground.meet(eye, aim - eye), atol=1e-6)


def test_a_low_view_over_a_canal_ends_at_its_bank():
    """From just above the water the near bank's wall is met, not the field behind it."""
    ground, site = ground_of(water=[CANAL])
    eye = np.append(site.place(450.0, 2.0), -0.2)
    across = site.place(450.0, -40.0) - eye[:2]
    (met,) = ground.meet(eye, [[*(across / np.hypot(*across)), 0.0]])
    assert 5.0 == pytest.approx(float(np.hypot(*(met - eye)[:2])), abs=0.05)


def test_the_sea_reaches_to_the_horizon():
    """Water is water as far out as a film shows ground."""
    ground, site = ground_of(water=[SEA])
    eye = np.append(site.place(430.0, 30.0), 8.0)
    far = np.append(site.place(430.0, -2400.0), -1.5)
    (met,) = ground.meet(eye, [far - eye])
    assert np.allclose(far, met, atol=1e-3)
    assert ground.water([met[:2]]).all()


@settings(max_examples=4)
@given(st.integers(0, 10_000), st.floats(1.0, 12.0), st.floats(40.0, 400.0))
def test_hills_are_smooth_seeded_by_name_and_as_high_as_asked(number, amplitude_m, wavelength_m):
    """One name is one place whatever the seed; the marker stands at the site's level."""
    hills = {"kind": "hills", "amplitude_m": amplitude_m, "wavelength_m": wavelength_m}
    name = f"place-{number}"
    ground, _ = ground_of(ground=hills, name=name)
    again, _ = ground_of(ground=hills, name=name, seed=number + 1)
    rng = np.random.default_rng(number)
    places = rng.uniform(-1500.0, 1500.0, (4000, 2))
    heights = ground.height_m(places)
    assert np.array_equal(heights, again.height_m(places))
    assert 0.45 * amplitude_m < heights.std() < 1.8 * amplitude_m
    assert abs(float(ground.height_m([[0.0, 0.0]])[0])) < 0.1 * amplitude_m
    # A sine of this amplitude and length is nowhere steeper than a few of these.
    steep = np.abs(ground.slope(places)).max()
    assert steep < 10.0 * 2.0 * np.pi * amplitude_m / wavelength_m
    other, _ = ground_of(ground=hills, name=f"{name}-b")
    assert not np.allclose(heights, other.height_m(places))


def test_hills_stay_away_from_the_line_where_asked():
    """A wavelength beyond the flat strip they have risen."""
    hills = {"kind": "hills", "amplitude_m": 8.0, "wavelength_m": 100.0, "flat_within_m": 150.0}
    ground, site = ground_of(ground=hills)
    along = np.linspace(100.0, 900.0, 60)
    near = [site.place(a, across) for a in along for across in (-140.0, 0.0, 140.0)]
    far = [site.place(a, 400.0) for a in along]
    assert np.abs(ground.height_m(near)).max() < 0.05
    assert ground.height_m(far).std() > 2.0


def test_behind_a_hill_nothing_is_seen_and_on_its_crest_feet_are():
    """Lines of sight agree with rays: who stands where a ray ends is seen."""
    hills = {"kind": "hills", "amplitude_m": 6.0, "wavelength_m": 150.0}
    ground, site = ground_of(ground=hills)
    place = site.place(430.0, 35.0)
    eye = np.append(place, ground.height_m([place])[0] + 5.0)
    rng = np.random.default_rng(4)
    away = rng.uniform(20.0, 700.0, 400)
    turn = rng.uniform(0.0, 2.0 * np.pi, 400)
    feet = place + np.column_stack((np.sin(turn), np.cos(turn))) * away[:, None]
    feet = np.column_stack((feet, ground.height_m(feet)))
    seen = ground.line_of_sight(eye, feet)
    met = ground.meet(eye, feet - eye)
    reached = np.linalg.norm(met - feet, axis=1) < 3.0
    assert 0.2 < seen.mean() < 0.98
    assert (seen == reached).mean() > 0.98
    # Whoever is hidden to the sole may show the head, never the other way round.
    heads = ground.line_of_sight(eye, feet + np.array([0.0, 0.0, 1.65]))
    assert np.all(heads | ~seen)
    assert heads.sum() > seen.sum()


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.sampled_from(["flat", "hills", "canal"]))
def test_terrain_is_the_same_ground_in_degrees(seed, kind):
    """Heights and hits by longitude and latitude, from another frame, are those of the plane."""
    change = {
        "flat": {},
        "hills": {"ground": {"kind": "hills", "amplitude_m": 7.0}},
        "canal": {"water": [CANAL]},
    }[kind]
    ground, site = ground_of(**change)
    terrain: Terrain = ground.terrain()
    rng = np.random.default_rng(seed)
    eye = np.append(site.place(*rng.uniform((300, 10), (600, 60))), 25.0)
    rays = rng.normal(size=(40, 3)) * [1.0, 1.0, 0.2] - [0.0, 0.0, 0.3]
    expected = ground.meet(eye, rays)
    place = site.frame.to_geodetic(eye + np.array([0.0, 0.0, 3.0]))[0]
    sensor = EnuFrame(GeodeticPoint(lon_deg=place[0], lat_deg=place[1], alt_hae_m=place[2]))
    own = sensor.to_enu(*site.frame.to_geodetic(eye)[0])
    found = terrain.intersect(sensor, own, rays @ sensor.rotation_from(site.frame).T)
    hit = np.isfinite(expected[:, 0])
    assert np.array_equal(hit, np.isfinite(found[:, 0]))
    geodetic = sensor.to_geodetic(found[hit])
    assert np.allclose(expected[hit], site.frame.to_enu(*geodetic.T), atol=1e-5)
    above = geodetic[:, 2] - terrain.height_hae_m(geodetic[:, 0], geodetic[:, 1])
    # On a canal's upright bank a place has two heights.
    level = (expected[hit][:, 2] > -1e-6) | (expected[hit][:, 2] < -0.4 + 1e-6) | (kind == "hills")
    assert np.abs(above[level]).max() < 2e-3
    traced = terrain.trace(sensor, own, rays @ sensor.rotation_from(site.frame).T)
    assert np.array_equal(traced.outcome == HIT, hit)
    assert np.allclose(traced.points_m[hit], found[hit])
    assert np.allclose(np.linalg.norm(traced.normals[hit], axis=1), 1.0)
    # A step along the ground is at right angles to its normal.
    if kind == "hills" and hit.any():
        step = 0.2 * np.cross(traced.normals[hit], [0.0, 1.0, 0.0])
        beside = sensor.to_geodetic(found[hit] + step)
        rise = beside[:, 2] - terrain.height_hae_m(beside[:, 0], beside[:, 1])
        assert np.abs(rise).max() < 0.05


@pytest.mark.data
def test_real_elevation_is_laid_under_the_marker(data_dir):
    """Rome's hills stand round marker 314: metre for metre, the marker at the site's level."""
    file = str(data_dir / "terrain" / "Rome-30m-DEM.tif")
    ground, site = ground_of(
        ground={"kind": "dem", "dem_file": file, "dem_lon_lat_deg": (12.4524, 41.9222)}
    )
    assert not ground.flat
    assert 0.0 == pytest.approx(float(ground.height_m([[0.0, 0.0]])[0]), abs=0.6)
    # From Monte Mario down to the river: more than a hundred metres within two kilometres.
    rome = EnuFrame(GeodeticPoint(lon_deg=12.4524, lat_deg=41.9222))
    river = rome.to_enu(12.4725, 41.9300, 0.0)[0, :2]
    assert -140.0 < float(ground.height_m([river])[0]) < -80.0
    eye = np.append(site.place(430.0, 35.0), 0.0)
    eye[2] = ground.height_m([eye[:2]])[0] + 5.0
    assert np.isfinite(ground.meet(eye, [[0.0, 1.0, -0.5], [1.0, 0.0, -0.5]])).all()


@pytest.mark.data
@pytest.mark.parametrize(
    ("place", "words"), [((14.0, 41.9), "dem_lon_lat_deg"), ((12.6490, 41.9), "knows no height")]
)
def test_elevation_that_does_not_cover_the_scenario_is_refused(data_dir, place, words):
    """Outside the file, or so near its edge that actors would walk off it."""
    file = str(data_dir / "terrain" / "Rome-30m-DEM.tif")
    with pytest.raises(AskOperator, match=words):
        ground_of(ground={"kind": "dem", "dem_file": file, "dem_lon_lat_deg": place})


def test_a_file_that_is_no_elevation_is_refused_by_name(tmp_path):
    """The operator learns the file and what to do."""
    path = tmp_path / "N10E104.hgt"
    path.write_bytes(b"short")
    with pytest.raises(AskOperator, match=r"N10E104\.hgt"):
        ground_of(ground={"kind": "dem", "dem_file": str(path)})


def test_feet_stand_on_hills_and_birds_fly_over_them():
    """World sets each figure on the landscape that it shares with the film."""
    world = World(
        scenario(
            ground={"kind": "hills", "amplitude_m": 10.0},
            actor=[
                walker("walker", (430.0, -200.0), (430.0, 200.0)),
                walker("birds", (300.0, -200.0), (560.0, 200.0), fly_height_m=9.0),
            ],
        )
    )
    for t_s in (1.0, 20.0, 50.0):
        on_foot, in_air = world.figures(t_s)
        for figure, above_m in ((on_foot, 0.0), (in_air, 9.0)):
            ground = float(world.landscape.height_m([figure.feet_enu_m[:2]])[0])
            assert ground + above_m == pytest.approx(figure.feet_enu_m[2])
            assert figure.water_level_m is None
    assert on_foot.feet_enu_m[2] != 0.0


def test_boats_ride_on_the_level_and_people_wade_on_the_bed():
    """In a flood of half a metre people stand in water; over their depth they float up."""
    across = [(430.0, 40.0), (430.0, 60.0)]
    world = World(
        scenario(
            water=[FLOOD, CANAL],
            actor=[
                walker("sampan", *across),
                walker("swimmer", *across),
                walker("walker", *across),
                walker("carrier", (450.0, 2.0), (450.0, -2.0)),
                walker("farmer", (450.0, -20.0), (450.0, -22.0)),
            ],
        )
    )
    sampan, swimmer, wader, deep, farmer = world.figures(0.5)
    assert (0.5, 0.5, 0.0) == pytest.approx([f.feet_enu_m[2] for f in (sampan, swimmer, wader)])
    assert [0.5, 0.5, 0.5] == [f.water_level_m for f in (sampan, swimmer, wader)]
    assert -1.6 == pytest.approx(deep.feet_enu_m[2], abs=0.1)
    assert -0.4 - 0.75 * deep.looks.height_m <= deep.feet_enu_m[2]
    assert (0.0, None) == (farmer.feet_enu_m[2], farmer.water_level_m)


def test_a_world_without_shape_costs_nothing():
    """The plane's figures are those that the walks gave, untouched."""
    world = World(scenario(actor=[walker("walker", (430.0, -20.0), (430.0, 20.0))]))
    world.landscape.height_m = SimpleNamespace()  # would fail if it were asked
    assert 0.0 == world.figures(3.0)[0].feet_enu_m[2]


@pytest.mark.parametrize("name", [n for n in names() if load_scenario(n).model.water])
def test_boats_of_the_shipped_scenarios_stay_on_their_water(name):
    """A sampan on a field or a walker in a canal would be a slip of the pen."""
    world = World(load_scenario(name).model)
    seen = 0
    for t_s in np.arange(0.0, min(world.scenario.duration_s, 300.0), 3.0):
        for figure in world.figures(float(t_s)):
            moves_on = NATURES[figure.kind].moves_on
            if moves_on != "air":
                assert (moves_on == "water") == (figure.water_level_m is not None), figure
                seen += 1
    assert seen > 0 or not any(a.nature.moves_on == "water" for a in world.scenario.actor)
