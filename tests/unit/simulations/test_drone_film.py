"""A drone's film: the same world as from a mast, wherever the lens is, and true boxes with it."""

import cv2
import numpy as np
import pytest

from simulations.cameras import camera_of, cameras, flies, node_ids
from simulations.drone_film import DroneFilm
from simulations.film import Film
from simulations.scenario import load_scenario
from simulations.world import World

DEMO = load_scenario("demo").model
PATROL = load_scenario("drone-near-day").model


class Held:
    """A camera that hangs where a mast's camera is."""

    def __init__(self, view):
        self.view = view

    def pose(self, t_s):
        del t_s
        return self.view.position_enu_m, self.view.rotation


def pair(index, **change):
    """The film of a mast and a drone's film from the same pose, down on the fields."""
    camera = DEMO.camera[index].model_copy(
        update={"height_m": 30.0, "pitch_deg": -40.0, "noise_sigma": 0.0, **change}
    )
    # Clouds' shadows are no part of a drone's film.
    clear = (DEMO.weather[0].model_copy(update={"cloud": 0.0}),)
    world = World(DEMO.model_copy(update={"camera": (camera,), "weather": clear}))
    mast = Film(world, camera)
    return mast, DroneFilm(world, camera, Held(mast.view))


@pytest.mark.parametrize("index", [0, 1], ids=["day", "thermal"])
def test_a_drone_sees_the_ground_that_a_mast_sees_from_there(index):
    """Fields, banks and patches lie at the same pixels, as bright and as coloured."""
    mast, drone = pair(index)
    one, other = mast.frame(30.0, 1), drone.frame(30.0, 1)
    assert one.shape == other.shape
    blurred = [cv2.GaussianBlur(p.astype(np.float32), (0, 0), 6.0).ravel() for p in (one, other)]
    assert float(np.corrcoef(*blurred)[0, 1]) > 0.9
    assert abs(float(one.mean()) - float(other.mean())) < 6.0


def test_people_stand_at_the_same_pixels_from_the_same_pose():
    """Truth boxes of both films are equal."""
    mast, drone = pair(0)
    there = {box.figure.figure_id: box.box_px for box in mast.truth(30.0)}
    assert there == {box.figure.figure_id: box.box_px for box in drone.truth(30.0)}
    assert there


def test_a_picture_follows_from_its_instant_alone():
    """Frames are the same in any order, and from another film of the same flight."""
    camera = camera_of(PATROL.drone[0]).model_copy(update={"width_px": 320, "height_px": 180})

    class Turning:
        def pose(self, t_s):
            view = pair(0)[0].view
            return view.position_enu_m + np.array([2.0 * t_s, 0.0, 0.0]), view.rotation

    world = World(PATROL)
    film = DroneFilm(world, camera, Turning())
    early, late = film.frame(1.0, 5), film.frame(9.0, 45)
    again = DroneFilm(world, camera, Turning())
    assert np.array_equal(again.frame(9.0, 45), late)
    assert np.array_equal(again.frame(1.0, 5), early)
    assert not np.array_equal(early, late)


def test_hills_lie_under_a_drone_as_under_a_mast():
    """Rolling ground is met at the same pixels; feet stand on it."""
    hills = load_scenario("hills-walker").model
    camera = hills.camera[0].model_copy(
        update={"height_m": 30.0, "pitch_deg": -40.0, "noise_sigma": 0.0}
    )
    world = World(hills.model_copy(update={"camera": (camera,)}))
    mast = Film(world, camera)
    drone = DroneFilm(world, camera, Held(mast.view))
    one, other = (cv2.GaussianBlur(f.frame(5.0, 1), (0, 0), 8.0) for f in (mast, drone))
    assert float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) > 0.9


def test_a_drones_camera_is_a_camera_of_a_node_of_its_own():
    """It has the drone's name, lens and rate; a lost link takes its picture away."""
    lost = {"kind": "link_loss", "at_s": 10.0, "lasts_s": 5.0}
    told = PATROL.model_dump(mode="json")
    told["drone"][0]["fault"] = [lost]
    scenario = type(PATROL).model_validate(told)
    (camera,) = cameras(scenario)
    assert (camera.id, camera.node, camera.fps) == ("uav-1", "uav-1", 5.0)
    assert [(f.kind, f.at_s, f.lasts_s) for f in camera.fault] == [("offline", 10.0, 5.0)]
    assert node_ids(scenario) == ("uav-1",)
    assert flies(scenario, camera) is scenario.drone[0]
    assert flies(DEMO, DEMO.camera[0]) is None
