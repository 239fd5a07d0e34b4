"""What `border-edge doctor` says of a receiver, before a server on real sockets."""

import re
import socket

import pytest

from edge import doctor_position
from edge.config_position import GpsdPositionSettings
from edge.doctor_position import look_at_receiver
from geo.frames import GeodeticPoint
from runtime.clock import SystemClock
from runtime.workers import Supervisor
from simulations.gpsd_receiver import Receiver
from simulations.gpsd_route import Standing
from simulations.gpsd_server import GpsdServer
from simulations.scenario_node import GpsdFaultSettings

HERE = GeodeticPoint(lon_deg=104.5, lat_deg=10.4, alt_hae_m=-4.0)


@pytest.fixture
def port_of():
    """Starts a server with faults from its beginning on."""
    started = []

    def start(*kinds):
        clock = SystemClock()
        faults = tuple(GpsdFaultSettings(kind=kind, at_s=0.0, lasts_s=600.0) for kind in kinds)
        server = GpsdServer(
            Receiver(Standing(HERE), faults=faults), clock, lambda: 1.0, faults=faults, rate_hz=5.0
        )
        workers = Supervisor(clock)
        workers.add(server, beat_timeout_s=30.0)
        workers.start()
        started.append(workers)
        return server.port

    yield start
    for workers in started:
        workers.stop()


def look(port, **more):
    return look_at_receiver(GpsdPositionSettings(source="gpsd", port=port, **more), SystemClock())


@pytest.mark.parametrize(("reader", "verdict"), [("own", "ok"), ("gpsd-py3", "warning")])
def test_a_fix_is_told_with_its_accuracy(port_of, reader, verdict):
    """With the library there is no height above the ellipsoid, which is said."""
    found = look(port_of(), reader=reader)
    assert ("position", verdict) == (found.what, found.verdict)
    assert re.search(r"104\.(499|500)\d+ E 10\.(399|400)\d+ N", found.detail)
    assert "within" in found.detail
    assert ("gpsd-py3 tells none" in found.detail) is (reader != "own")


def test_nobody_there_is_told_with_what_to_start():
    """Refused: the daemon, the address or the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = look(port)
    assert "failed" == found.verdict
    assert "systemctl start gpsd" in found.detail
    assert str(port) in found.detail


def test_a_receiver_without_a_fix_is_a_warning(port_of, monkeypatch):
    """It may be cold; the antenna's sky is the first thing to look at."""
    monkeypatch.setattr(doctor_position, "_RECEIVER_S", 2.0)
    found = look(port_of("no_fix"))
    assert "warning" == found.verdict
    assert "no fix" in found.detail
    assert "antenna" in found.detail


def test_a_receiver_that_gpsd_does_not_have_is_named(port_of, monkeypatch):
    """With those that it has."""
    monkeypatch.setattr(doctor_position, "_RECEIVER_S", 2.0)
    found = look(port_of(), device="/dev/ttyS9")
    assert "failed" == found.verdict
    assert "/dev/ttyS9" in found.detail
    assert "/dev/ttyACM0" in found.detail
