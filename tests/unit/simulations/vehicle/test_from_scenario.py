"""A scenario's drone becomes a copter; the command line builds what it says."""

import json

import pytest
from typer.testing import CliRunner

from runtime.errors import AskOperator
from simulations.cli import app
from simulations.scenario import load_scenario
from simulations.scenario_node import DroneFaultSettings
from simulations.site import load_site
from simulations.vehicle import command
from simulations.vehicle.copter import Copter
from simulations.vehicle.from_scenario import GEOID_M, Faults, drone_of, setup_of
from simulations.vehicle.line_distance import NearestToLine
from simulations.vehicle.making import Truth
from simulations.vehicle.ports import Place
from simulations.vehicle.server import truth_line

SCENARIO = "cameras-and-drone"


@pytest.fixture(scope="module")
def scenario():
    return load_scenario(SCENARIO).model


def test_it_stands_where_the_scenario_says(scenario) -> None:
    """On the ground, in metres above the sea, in the scenario's wind and time."""
    drone = scenario.drone[0]
    setup = setup_of(scenario, drone.id, seed=3)
    site = load_site(scenario)
    wanted = site.place(*drone.home_along_across_m)
    assert site.lon_lat(setup.home.lon_deg, setup.home.lat_deg) == pytest.approx(wanted, abs=0.05)
    assert pytest.approx(scenario.ground_alt_hae_m - GEOID_M) == setup.home.alt_msl_m
    assert scenario.start_utc.timestamp() == setup.start_unix_s
    assert scenario.weather[0].wind_m_s == setup.parameters["SIM_WIND_SPD"]
    assert Copter(setup).truth().on_ground


def test_unknown_drone_is_asked_about(scenario) -> None:
    """With the names there are."""
    with pytest.raises(AskOperator, match="uav-1"):
        drone_of(scenario, "nobody")


@pytest.mark.parametrize(
    ("kind", "name", "during"),
    [
        ("wind", "SIM_WIND_SPD", 12.0),
        ("gps_loss", "SIM_GPS1_ENABLE", 0.0),
        ("battery_low", "SIM_BATT_VOLTAGE", 10.4),
        ("battery_critical", "SIM_BATT_VOLTAGE", 9.9),
    ],
)
def test_fault_begins_and_ends_by_vehicle_time(scenario, kind, name, during) -> None:
    """And lets the parameter be as before."""
    fault = DroneFaultSettings(kind=kind, at_s=10.0, lasts_s=5.0)
    drone = scenario.drone[0].model_copy(update={"fault": (fault,)})
    copter = Copter(setup_of(scenario, drone.id, seed=1))
    copter.parameters.set("SIM_WIND_SPD", 3.0)  # The weather's own blows again afterwards.
    faults = Faults(drone)
    before = copter.parameters[name]
    seen = {}
    for t_s in (9.0, 11.0, 14.0, 16.0):
        copter.now_s = t_s
        faults(copter)
        seen[t_s] = copter.parameters[name]
    assert {9.0: before, 11.0: during, 14.0: during, 16.0: before} == pytest.approx(seen)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--home", "somewhere"], "lat,lon,alt"),
        (["--home", "95,0,0"], "lat,lon,alt"),
        (["--tcp", "-1"], "--udp"),
        (["--firmware", "3.6"], "4.7, 4.6"),
        (["--set", "RTL_ALT"], "NAME=NUMBER"),
        (["--set", "NO_SUCH=1"], "NO_SUCH is no parameter"),
        (["--udp", "nowhere"], "HOST:PORT"),
        (["--lost", "2"], "0 to 1"),
        (["--scenario", SCENARIO, "--drone", "nobody"], "uav-1"),
    ],
)
def test_wrong_words_are_refused_with_what_is_allowed(words, complaint) -> None:
    """Before any port is opened for good."""
    outcome = CliRunner().invoke(app, ["vehicle", "--tcp", "0", *words])
    assert isinstance(outcome.exception, AskOperator)
    assert complaint in str(outcome.exception)


def test_words_become_a_copter() -> None:
    """Home, heading, parameters and a bad radio on all links."""
    setup, fault = command._setup(
        home="10.4,104.5,3,90", scenario="", drone="", seed=5, firmware="4.6",
        parameters={"RTL_ALT": 2500.0}, radio=(0.1, 0.0, 0.05),
    )  # fmt: skip
    assert fault is None
    assert (10.4, 3.0, 90.0) == (setup.home.lat_deg, setup.home.alt_msl_m, setup.heading_deg)
    assert {0, 1, 2} == set(setup.media)
    copter = Copter(setup)
    assert (2500.0, "4.6") == (copter.parameters["RTL_ALT"], copter.firmware)


def truth_at(site, across_m, *, on_ground=False):
    lon, lat, _ = site.frame.to_geodetic([*site.place(100.0, across_m), 0.0])[0]
    return Truth(
        now_s=12.344, place=Place(lat_deg=lat, lon_deg=lon, alt_msl_m=42.0),
        velocity_ned_m_s=(1.0, 2.0, -0.5), euler_rad=(0.0, 0.0, 0.0), on_ground=on_ground,
        armed=True,
    )  # fmt: skip


def test_nearest_distance_counts_flight_only_and_has_a_side(scenario) -> None:
    """Beyond the line it is negative; standing somewhere is no flight."""
    site = load_site(scenario)
    nearest = NearestToLine(site)
    nearest.see(truth_at(site, 5.0, on_ground=True))
    assert nearest.distance_m == float("inf")
    for across_m, smallest in ((80.0, 80.0), (120.0, 80.0), (-7.0, -7.0)):
        nearest.see(truth_at(site, across_m))
        assert smallest == pytest.approx(nearest.distance_m, abs=0.1)


def test_truth_is_one_json_object_a_line(scenario) -> None:
    """What `--truth` writes."""
    line = truth_line(truth_at(load_site(scenario), 50.0))
    assert line.endswith("\n")
    read = json.loads(line)
    assert (12.34, 42.0, [1.0, 2.0, -0.5], False, True) == (
        read["t_s"], read["alt_msl_m"], read["velocity_ned_m_s"], read["on_ground"], read["armed"]
    )  # fmt: skip
