"""The demonstration's configs are accepted by the product and say that they are simulated."""

import pytest

from edge.config import NodeConfig
from ground_station.config import GroundConfig
from runtime.settings import load
from simulations.cameras import cameras
from simulations.demo_config import NODE_ID, Layout, node_config, save, station_config
from simulations.scenario import load_scenario
from simulations.world import World

DEMO = load_scenario("demo").model


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    layout = Layout(folder=tmp_path_factory.mktemp("demo"))
    streams = {camera.id: f"http://127.0.0.1:9/{camera.id}.mjpg" for camera in cameras(DEMO)}
    site = World(DEMO).site
    station = station_config(DEMO, site, layout, http_port=8001, broker_port=8002)
    node = node_config(
        DEMO, site, layout, streams=streams, broker_port=8002, gpsd_port=8003,
        autopilot_url="tcp://127.0.0.1:8004",
    )  # fmt: skip
    save(layout, station, node)
    return layout


def test_both_files_are_accepted(written):
    """The files on disk pass the product's own checks."""
    node = load(written.node_file, NodeConfig).model
    station = load(written.station_file, GroundConfig).model
    assert node.node.node_id == NODE_ID
    assert node.node.site_id == station.station.site_id
    assert node.mqtt.port == station.broker.port == 8002


def test_receiver_and_drone_are_told_to_the_node(written):
    """It listens to a gpsd and to an autopilot, whose gimbal carries the last camera."""
    node = load(written.node_file, NodeConfig).model
    assert (node.position.source, node.position.port) == ("gpsd", 8003)
    assert (node.autopilot.source, node.autopilot.url) == ("mavlink", "tcp://127.0.0.1:8004")
    assert node.camera[-1].mount is None
    assert node.camera[-1].vehicle.on == "gimbal"


def test_every_message_will_say_simulated(written):
    """The node is marked, and only a station that allows it will listen."""
    assert load(written.node_file, NodeConfig).model.node.simulated is True
    assert load(written.station_file, GroundConfig).model.station.allow_simulated is True


def test_cameras_are_those_of_the_scenario(written):
    """Id, spectrum, lens and pose travel unchanged; the mast stands on our side."""
    world = World(DEMO)
    every = load(written.node_file, NodeConfig).model.camera
    assert [said.sensor_id for said in every] == [camera.id for camera in cameras(DEMO)]
    for said, camera in zip(every, DEMO.camera, strict=False):
        assert said.sensor_id == camera.id
        assert said.spectrum == camera.spectrum
        assert said.mount.azimuth_deg == camera.azimuth_deg
        assert said.lens.lens().width_px == camera.width_px
        assert said.mount.alt_hae_m - said.ground.alt_hae_m == pytest.approx(camera.height_m)
        place = world.site.lon_lat(said.mount.lon_deg, said.mount.lat_deg)
        assert world.site.line.signed_distance_m([place])[0] == pytest.approx(
            camera.across_m, abs=0.05
        )


def test_station_listens_on_loopback_only(written):
    """Nothing of a demonstration is reachable from outside."""
    station = load(written.station_file, GroundConfig).model
    assert station.http.listen_address == station.broker.listen_address == "127.0.0.1"
