"""A vehicle of paper for the tests of its organs: state and parameters by hand, texts remembered."""

from dataclasses import dataclass, field, replace
from typing import Any

from simulations.vehicle.ports import Command, Peer, Place, VehicleState

GCS = Peer(system_id=255, component_id=190, link=0)
HOME = Place(lat_deg=10.85, lon_deg=106.62, alt_msl_m=5.0)
REST = VehicleState(
    now_s=0.0,
    time_boot_s=0.0,
    time_unix_s=1.8e9,
    position=HOME,
    relative_alt_m=0.0,
    velocity_ned_m_s=(0.0, 0.0, 0.0),
    quaternion=(1.0, 0.0, 0.0, 0.0),
    euler_rad=(0.0, 0.0, 0.0),
    rates_rad_s=(0.0, 0.0, 0.0),
    home=HOME,
    armed=False,
    mode=0,
    landed_state=1,
    system_status=3,
    position_ok=True,
    mission_seq=0,
    battery_v=12.6,
)
PARAMETERS = {
    "FENCE_ENABLE": 0.0,
    "FENCE_TYPE": 7.0,
    "FENCE_ACTION": 1.0,
    "FENCE_ALT_MAX": 100.0,
    "FENCE_ALT_MIN": -10.0,
    "FENCE_RADIUS": 300.0,
    "FENCE_MARGIN": 2.0,
    "MNT1_TYPE": 1.0,
    "MNT1_PITCH_MIN": -90.0,
    "MNT1_PITCH_MAX": 25.0,
    "MNT1_YAW_MIN": -180.0,
    "MNT1_YAW_MAX": 180.0,
    "MNT1_ROLL_MIN": -30.0,
    "MNT1_ROLL_MAX": 30.0,
    "CAM1_TYPE": 1.0,
}


@dataclass
class PaperVehicle:
    """A `VehicleView` whose state the test sets."""

    system_id: int = 1
    firmware: str = "4.7"
    state: VehicleState = REST
    parameters: dict[str, float] = field(default_factory=lambda: dict(PARAMETERS))
    texts: list[str] = field(default_factory=list)
    modes: list[tuple[int, str]] = field(default_factory=list)

    def parameter(self, name: str) -> float:
        return self.parameters[name]

    def say(self, text: str, severity: int) -> None:
        self.texts.append(text)

    def set_mode(self, mode: int, *, reason: str) -> bool:
        self.modes.append((mode, reason))
        self.be(mode=mode)
        return True

    def be(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)


def order(command: int, *params: float, sender: Peer = GCS) -> Command:
    """A COMMAND_LONG with up to seven parameters."""
    p = [*params, *([0.0] * (7 - len(params)))]
    return Command(
        id=command,
        params=(p[0], p[1], p[2], p[3]),
        x=p[4],
        y=p[5],
        z=p[6],
        frame=3,
        is_int=False,
        sender=sender,
    )
