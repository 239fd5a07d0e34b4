"""A scenario's drone as a copter: where it stands, the weather it flies in, what fails when."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from runtime.errors import AskOperator
from simulations.landscape import landscape
from simulations.scenario import Scenario
from simulations.scenario_node import DroneFaultSettings, DroneSettings
from simulations.site import load_site
from simulations.vehicle.copter import Copter
from simulations.vehicle.making import Setup
from simulations.vehicle.ports import Place

GEOID_M = -12.0
"""The sea's height above the ellipsoid; EGM96 has -12 m at Hà Tiên."""
_LOW_V, _CRITICAL_V = 10.4, 9.9
_BELOW_V = 0.1
_FULL_V = 12.6


def drone_of(scenario: Scenario, drone_id: str) -> DroneSettings:
    """Find a drone by id.

    Raises:
        AskOperator: the scenario has none of that name.
    """
    for drone in scenario.drone:
        if drone.id == drone_id:
            return drone
    raise AskOperator(
        field="drone", value=drone_id,
        allowed=", ".join(drone.id for drone in scenario.drone) or "nothing: it has no drone",
        next_step=f"choose a drone of scenario {scenario.name}, or a scenario that has one",
    )  # fmt: skip


def setup_of(scenario: Scenario, drone_id: str, *, seed: int, speedup: float = 1.0) -> Setup:
    """What the copter of a scenario's drone is made of: it stands at the drone's home.

    Args:
        scenario: it flies in.
        drone_id: which of its drones.
        seed: of the run.
        speedup: simulated seconds per wall second, for a server.
    """
    drone = drone_of(scenario, drone_id)
    site = load_site(scenario)
    land = landscape(scenario, site)
    east_m, north_m = (float(v) for v in site.place(*drone.home_along_across_m))

    def above_sea_m(north: float, east: float) -> float:
        enu = np.array([[east_m + east, north_m + north]])
        return float(land.height_m(enu)[0]) + scenario.ground_alt_hae_m - GEOID_M

    lon_deg, lat_deg, _ = (float(v) for v in site.frame.to_geodetic([east_m, north_m, 0.0])[0])
    weather = scenario.weather[0]
    return Setup(
        home=Place(lat_deg=lat_deg, lon_deg=lon_deg, alt_msl_m=above_sea_m(0.0, 0.0)),
        seed=seed,
        start_unix_s=scenario.start_utc.timestamp(),
        ground=above_sea_m,
        undulation_m=GEOID_M,
        parameters={
            "SIM_SPEEDUP": speedup,
            "SIM_WIND_SPD": weather.wind_m_s,
            "SIM_WIND_DIR": weather.wind_from_deg,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spell:
    start_s: float
    end_s: float
    begin: Callable[[Copter], None]
    end: Callable[[Copter], None]


class Faults:
    """Carries out the faults of a drone by vehicle time.

    A lost ground station or link is the link's matter (`simulations.link`), not the vehicle's.

    Args:
        drone: whose faults.
    """

    def __init__(self, drone: DroneSettings) -> None:
        self._waiting = [spell for spell in map(_spell, drone.fault) if spell is not None]
        self._on: list[_Spell] = []

    def __call__(self, copter: Copter) -> None:
        """Begin and end what is due."""
        for spell in [spell for spell in self._waiting if copter.now_s >= spell.start_s]:
            self._waiting.remove(spell)
            self._on.append(spell)
            spell.begin(copter)
        for spell in [spell for spell in self._on if copter.now_s >= spell.end_s]:
            self._on.remove(spell)
            spell.end(copter)


def _set(**values: float) -> Callable[[Copter], None]:
    def change(copter: Copter) -> None:
        for name, value in values.items():
            copter.parameters.set(name, value)

    return change


def _sag(threshold: str, otherwise_v: float) -> Callable[[Copter], None]:
    """Let the battery fall below a threshold of the vehicle, or to a voltage where none is set."""

    def change(copter: Copter) -> None:
        limit_v = copter.parameters[threshold]
        copter.parameters.set("SIM_BATT_VOLTAGE", limit_v - _BELOW_V if limit_v else otherwise_v)

    return change


def _gust(fault: DroneFaultSettings) -> tuple[Callable[[Copter], None], Callable[[Copter], None]]:
    """Another wind for a while; then the weather's own blows again."""
    calm: dict[str, float] = {}

    def begin(copter: Copter) -> None:
        calm.update({name: copter.parameters[name] for name in ("SIM_WIND_SPD", "SIM_WIND_DIR")})
        _set(SIM_WIND_SPD=fault.wind_m_s, SIM_WIND_DIR=fault.wind_from_deg)(copter)

    def end(copter: Copter) -> None:
        _set(**calm)(copter)

    return begin, end


def _spell(fault: DroneFaultSettings) -> _Spell | None:
    full = _set(SIM_BATT_VOLTAGE=_FULL_V)
    pairs = {
        "battery_low": (_sag("BATT_LOW_VOLT", _LOW_V), full),
        "battery_critical": (_sag("BATT_CRT_VOLT", _CRITICAL_V), full),
        "gps_loss": (_set(SIM_GPS1_ENABLE=0), _set(SIM_GPS1_ENABLE=1)),
        "wind": _gust(fault),
    }
    if fault.kind not in pairs:
        return None
    begin, end = pairs[fault.kind]
    return _Spell(start_s=fault.at_s, end_s=fault.at_s + fault.lasts_s, begin=begin, end=end)
