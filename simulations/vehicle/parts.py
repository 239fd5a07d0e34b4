"""The finished parts of one vehicle, for those who report on it or command it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulations.vehicle.arming import Arming
from simulations.vehicle.battery import Battery
from simulations.vehicle.craft import Craft
from simulations.vehicle.failsafes import Failsafes
from simulations.vehicle.flight import Flight
from simulations.vehicle.ports import MissionStore, Subsystem, VehicleView


@dataclass(slots=True, kw_only=True)
class Parts:
    """Organs and engines of a vehicle.

    Attributes:
        view: the vehicle as subsystems see it.
        craft: estimate, controller, home.
        flight: modes.
        arming: checks.
        failsafes: what stands.
        battery: its monitor.
        mission: what was uploaded.
        wind_ne_m_s: air velocity of this tick.
        organs: all subsystems, in the order in which they are asked.
        reboot: asks for a restart at the end of this tick.
        undulation_m: the sea's height above the ellipsoid, where the receiver tells it.
    """

    view: VehicleView
    craft: Craft
    flight: Flight
    arming: Arming
    failsafes: Failsafes
    battery: Battery
    mission: MissionStore
    reboot: Callable[[], None]
    undulation_m: float | None = None
    wind_ne_m_s: tuple[float, float] = (0.0, 0.0)
    organs: list[Subsystem] = field(default_factory=list)

    def sensor_bits(self) -> tuple[int, int, int]:
        """Present, enabled and healthy bits of all organs."""
        bits = [organ.sensor_bits() for organ in self.organs]
        return (
            _joined([b.present for b in bits]),
            _joined([b.enabled for b in bits]),
            _joined([b.health for b in bits]),
        )


def _joined(bits: Sequence[int]) -> int:
    whole = 0
    for part in bits:
        whole |= part
    return whole
