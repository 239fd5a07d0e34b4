"""Film and node share one geometry: what the film shows at a pixel, the node places where it is."""

import numpy as np
import pytest

from edge.geolocate import GroundLocator
from edge.pose import FixedPose
from geo.frames import GeodeticPoint
from geo.terrain import FlatTerrain
from simulations.cameras import cameras
from simulations.demo_config import Layout, node_config
from simulations.film import Film
from simulations.scenario import load_scenario
from simulations.world import World

DEMO = load_scenario("demo").model


@pytest.fixture(scope="module")
def world():
    return World(DEMO)


def locator(world, index, tmp_path):
    streams = {camera.id: "http://127.0.0.1:1/x.mjpg" for camera in cameras(DEMO)}
    config = node_config(
        DEMO, world.site, Layout(folder=tmp_path), streams=streams, broker_port=1883
    )
    camera = config["camera"][index]
    mount = camera["mount"]
    film = Film(world, DEMO.camera[index])
    place = GeodeticPoint(**{key: mount[key] for key in ("lon_deg", "lat_deg", "alt_hae_m")})
    fixed = FixedPose(
        place,
        **{k: v for k, v in mount.items() if k not in {"lon_deg", "lat_deg", "alt_hae_m"}},
    )
    ground = camera["ground"]
    terrain = FlatTerrain(alt_hae_m=ground["alt_hae_m"])
    return (
        film,
        fixed.at(0.0),
        GroundLocator(film.view.lens, fixed, terrain, terrain_sigma_m=ground["sigma_m"]),
    )


@pytest.mark.parametrize(("index", "t_s"), [(0, 20.0), (0, 30.0), (1, 90.0), (1, 103.0)])
def test_a_true_foot_is_placed_where_it_stands(world, tmp_path, index, t_s):
    """From the pixel of the true feet the node finds them within five centimetres."""
    film, pose, locate = locator(world, index, tmp_path)
    placed = 0
    for truth in film.truth(t_s):
        if not truth.visible:
            continue
        feet = np.array([truth.figure.feet_enu_m])
        pixel = film.view.lens.project(film.view.to_camera(feet))
        (found,) = locate.locate(pose, pixel, np.eye(2)[None] * 4.0)
        back = world.site.frame.to_enu(
            found.position.lon_deg, found.position.lat_deg, found.position.alt_hae_m
        )
        assert np.hypot(*(back - feet)[0, :2]) < 0.05
        assert found.position.ce90_m < 3.0
        placed += 1
    assert placed >= 1


@pytest.mark.parametrize(("index", "t_s"), [(0, 26.0), (1, 96.0)])
def test_the_box_foot_is_within_a_step(world, tmp_path, index, t_s):
    """The bottom of the true box, all a detector can know, is within half a metre of the feet."""
    film, pose, locate = locator(world, index, tmp_path)
    for truth in film.truth(t_s):
        if truth.visible:
            x1, _, x2, y2 = truth.box_px
            (found,) = locate.locate(
                pose, np.array([[0.5 * (x1 + x2) - 0.5, y2 - 0.5]]), np.eye(2)[None]
            )
            back = world.site.frame.to_enu(
                found.position.lon_deg, found.position.lat_deg, found.position.alt_hae_m
            )
            assert np.hypot(*(back[0] - truth.figure.feet_enu_m)[:2]) < 0.5
