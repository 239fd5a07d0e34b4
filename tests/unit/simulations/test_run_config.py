"""The two ends are told what a technician would know, and not what the scenario hides from them."""

import pytest

from edge.config import NodeConfig
from ground_station.zones import read_site
from simulations.run_config import node_tables, write_site
from simulations.site import site_file
from simulations.world import World
from tests.unit.simulations.runner_kit import camera, field


def told(tmp_path, scenario):
    """The node's config as its own model."""
    world = World(scenario)
    tables = node_tables(
        scenario, world.site, node_id="node-1", cameras=scenario.camera, data_dir=tmp_path,
        station_key_file=tmp_path / "station.pub",
        streams={one.id: "http://127.0.0.1/a" for one in scenario.camera}, mqtt={},
    )  # fmt: skip
    return NodeConfig.model_validate(tables)


def test_an_error_of_the_pose_is_not_told(tmp_path):
    """The technician wrote down another azimuth than the true one."""
    wrong = camera(azimuth_error_deg=1.5, pitch_error_deg=-0.5)
    mount = told(tmp_path, field(camera=[wrong])).camera[0].mount
    assert (mount.azimuth_deg, mount.pitch_deg) == pytest.approx((347.0, -6.0))


def test_a_calibrated_lens_is_told(tmp_path):
    """Distortion is known; the lens in the node is the lens that films."""
    lens = told(tmp_path, field(camera=[camera(k1=-0.2, k2=0.03)])).camera[0].lens.lens()
    assert (-0.2, 0.03) == (lens.k1, lens.k2)


def test_a_site_without_changes_is_the_sites_own_file(tmp_path):
    """Nothing is written when there is nothing to say."""
    assert site_file("ha_tien") == write_site(field(), World(field()).site, tmp_path)


def test_zones_and_accuracy_reach_the_station(tmp_path):
    """The station's own reader accepts them: names, role, hours, line."""
    zone = {
        "id": "night-zone", "role": "restricted", "name_vi": "Vùng cấm ban đêm",
        "name_en": "Night zone", "from_local": "18:00", "to_local": "06:00",
        "ring_along_across_m": [[420.0, 2.0], [440.0, 2.0], [440.0, 20.0], [420.0, 20.0]],
    }  # fmt: skip
    scenario = field(zone=[zone], line_sigma_m=3.5)
    world = World(scenario)
    site = read_site(write_site(scenario, world.site, tmp_path))
    (found,) = [one for one in site.zones if one.zone_id == "night-zone"]
    assert ("restricted", "Vùng cấm ban đêm") == (found.role, found.name_vi)
    assert 1 == len(found.schedule)
    assert {3.5} == set(site.line.sigma_m.tolist())
    inside = world.site.frame.to_geodetic([[*world.site.place(430.0, 10.0), 0.0]])[0]
    east, north = site.enu(float(inside[0]), float(inside[1]))
    assert found.polygon.contains([[east, north]])[0]
