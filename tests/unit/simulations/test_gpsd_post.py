"""The receivers of a scenario stand on their masts."""

from datetime import timedelta

import numpy as np
import pytest

from geo.frames import GeodeticPoint
from runtime.errors import AskOperator
from simulations.gpsd_post import kind_of, receiver_of
from simulations.run_config import camera_tables
from simulations.scenario import load_scenario
from simulations.world import World


def test_the_receiver_stands_on_its_nodes_mast_and_jumps_when_told():
    """Its fixes lie about the camera's mount as the node's config has it, but in the jump."""
    world = World(load_scenario("gps-jump").model)
    scenario = world.scenario
    (settings,) = scenario.gpsd
    jump = next(fault for fault in settings.fault if fault.kind == "jump")
    receiver = receiver_of(settings, world)
    camera = next(camera for camera in scenario.camera if camera.node == settings.node)
    mount = camera_tables(camera, scenario, world.site, "")["mount"]
    mast = world.site.frame.point_to_enu(
        GeodeticPoint(
            lon_deg=mount["lon_deg"], lat_deg=mount["lat_deg"], alt_hae_m=mount["alt_hae_m"]
        )
    )

    def away_m(t_s):
        fix = receiver.reading(t_s, scenario.start_utc + timedelta(seconds=t_s))
        point = GeodeticPoint(lon_deg=fix.lon_deg, lat_deg=fix.lat_deg, alt_hae_m=fix.alt_hae_m)
        return world.site.frame.point_to_enu(point) - mast

    assert np.linalg.norm(away_m(jump.at_s - 5.0)[:2]) < 6.0 * settings.horizontal_sigma_m
    assert abs(away_m(jump.at_s - 5.0)[2]) < 6.0 * settings.vertical_sigma_m
    assert np.linalg.norm(away_m(jump.at_s + 5.0)[:2]) == pytest.approx(jump.jump_m, abs=30.0)


def test_seeds_give_other_errors():
    """The scenario's seed is the receiver's."""
    model = load_scenario("gps-jump").model
    one, other = (
        receiver_of(model.gpsd[0], World(model.model_copy(update={"seed": seed}))).reading(
            0.0, model.start_utc
        )
        for seed in (1, 2)
    )
    assert one != other


@pytest.mark.parametrize(
    ("word", "expected"),
    [("built_in", "built_in"), ("real", "real"), ("gpsfake", "gpsfake"), ("none", None)],
)
def test_words_for_a_gpsd(word, expected):
    """What `--gpsd` takes."""
    assert expected == kind_of(word)


def test_other_words_are_refused():
    """And what it does not, with what it would."""
    with pytest.raises(
        AskOperator, match=r"--gpsd is 'fake'; allowed is built_in, real, gpsfake or none"
    ):
        kind_of("fake")
