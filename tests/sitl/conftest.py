"""The vehicles under test: ours in its own process always, a real ArduPilot when one is given.

A test that asks for `cable`, `pilot` or `vehicle` runs against both; the real one is marked `sitl`
and joins with `--sitl PATH` or ARDUPILOT_SITL (a copter binary of ArduPilot's simulation), the one
part that no package manager brings; without it those tests are deselected, and the run says so.
What the tests state was observed on unmodified copters of 4.7.0-dev (git hash 90700977) on
loopback; a 4.6 differs where `test_firmware_4_6.py` says.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.sitl.client import Client
from tests.sitl.flying import BOOT_SPEEDUP, SPEEDUP, ready
from tests.sitl.vehicles import Ardupilot, Ours

KINDS = [pytest.param("ours"), pytest.param("ardupilot", marks=pytest.mark.sitl)]


def pytest_generate_tests(metafunc):
    """Run every test of this folder that has a vehicle against each kind of vehicle."""
    if "vehicle_kind" in metafunc.fixturenames:
        metafunc.parametrize("vehicle_kind", KINDS, scope="module")


def given_binary(config) -> str | None:
    """What the person named as a real copter, if anything."""
    return config.getoption("--sitl") or os.environ.get("ARDUPILOT_SITL")


def pytest_collection_modifyitems(config, items):
    """Without a real copter its half of the comparison is not run."""
    if not given_binary(config):
        theirs = [item for item in items if item.get_closest_marker("sitl")]
        config.hook.pytest_deselected(items=theirs)
        items[:] = [item for item in items if not item.get_closest_marker("sitl")]


def pytest_report_header(config):
    """Say at once which vehicles are flown."""
    real = given_binary(config) or "none (give --sitl PATH or set ARDUPILOT_SITL)"
    return f"real ArduPilot: {real}"


def ardupilot_binary(config) -> Path:
    """The real copter that was named."""
    given = str(given_binary(config))
    found = shutil.which(given)
    assert found, f"--sitl / ARDUPILOT_SITL is {given!r}; it must be a copter binary that can run"
    return Path(found).resolve()


@pytest.fixture(scope="module")
def start(request, tmp_path_factory):
    """Start vehicles by kind; all end with the module."""
    running = []
    waiting = {}

    def make(kind, options):
        folder = tmp_path_factory.mktemp(kind)
        if kind == "ours":
            vehicle = Ours(folder, **options)
        else:
            vehicle = Ardupilot(folder, binary=ardupilot_binary(request.config), **options)
        running.append(vehicle)
        return vehicle

    def go(kind, *, ahead=False, **options):
        """Start a vehicle; with `ahead` another one that loads meanwhile and waits to be next."""
        vehicle = waiting.pop(kind, None) or make(kind, options)
        if ahead:
            waiting[kind] = make(kind, options)
        return vehicle

    yield go
    for vehicle in running:
        vehicle.stop()


@pytest.fixture(scope="module")
def vehicle(vehicle_kind, start, request):
    """One vehicle for the tests of a module, at the module's SPEEDUP."""
    return start(vehicle_kind, speedup=getattr(request.module, "SPEEDUP", 1))


@pytest.fixture(scope="module")
def first_client(vehicle):
    """A box with the client on the first port; a test that lost its link leaves it closed."""
    clients = [connected(vehicle)]
    yield clients
    clients[-1].close()


def connected(vehicle):
    client = Client(vehicle.port)
    client.heartbeat(wall_s=40.0)
    return client


@pytest.fixture
def cable(vehicle, first_client):
    """A client on the first port of a vehicle with empty stores."""
    if first_client[-1].closed:
        first_client.append(connected(vehicle))
    client = first_client[-1]
    client.renew()
    vehicle.empty(client)
    return client


@pytest.fixture
def pilot(start, vehicle_kind):
    """A client of a new vehicle that stands at home, disarmed and ready."""
    vehicle = start(vehicle_kind, ahead=True, speedup=BOOT_SPEEDUP)
    with Client(vehicle.port) as client:
        client.heartbeat(wall_s=40.0)
        assert 0 == client.stream(193, 2)
        ready(client)
        client.parameter("SIM_SPEEDUP", SPEEDUP)
        for message_id, rate_hz in ((33, 5), (42, 5), (245, 5), (162, 2)):
            assert 0 == client.stream(message_id, rate_hz)
        yield client
    vehicle.stop()
