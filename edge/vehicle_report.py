"""Vehicles for the map: one report a second of each that is heard, sent and forgotten.

A report that the line does not take is not kept: the next one says more.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hardware.ports import GimbalSample, VehicleId, VehicleState
from wire.messages import FixHealth, VehicleReport
from wire.topics import BY_NAME
from wire.values import Attitude, GeoPoint, VelocityEnu

Array = npt.NDArray[np.float64]
Outline = Sequence[tuple[float, float]]
"""Corners (longitude, latitude) in degrees; closed, or empty where nothing is seen."""

PERIOD_S = BY_NAME["vehicle"].period_s or 1.0
_SPEED_SIGMA_M_S = 0.5
"""Of a fused velocity; autopilots tell it no better."""
_MOST_MODE = 200
_FLAT = 1e-9


def vehicle_name(vehicle: VehicleId) -> str:
    """Its name on the wire: `drone-1` for system 1, `drone-1-2` for its second autopilot."""
    system_id, component_id = vehicle
    return f"drone-{system_id}" if component_id == 1 else f"drone-{system_id}-{component_id}"


class VehicleReporter:
    """Says how the vehicles are, at most once a second each.

    Args:
        vehicles: every vehicle that is heard.
        footprint: outline of what the vehicle's camera sees on the ground now.
        undulation_m: height of the geoid above the ellipsoid at (lon, lat) in degrees, for
            vehicles that tell their height above the sea only.
    """

    def __init__(
        self,
        vehicles: Callable[[], Sequence[VehicleState]],
        *,
        footprint: Callable[[VehicleId], Outline] | None = None,
        undulation_m: Callable[[float, float], float] | None = None,
    ) -> None:
        self._vehicles = vehicles
        self._undulation_m = undulation_m
        self._footprint = footprint
        self._due_s: dict[VehicleId, float] = {}

    def due(self, now_s: float) -> list[VehicleReport]:
        """Reports of the vehicles whose second is over; one that fell silent is reported no more."""
        found = []
        for state in self._vehicles():
            if not state.online or now_s < self._due_s.get(state.vehicle, -math.inf):
                continue
            self._due_s[state.vehicle] = now_s + PERIOD_S
            outline = () if self._footprint is None else self._footprint(state.vehicle)
            found.append(report(self._lifted(state), outline))
        return found

    def _lifted(self, state: VehicleState) -> VehicleState:
        """The state with its height above the ellipsoid, where that can be known."""
        lon_deg, lat_deg, alt_msl_m = state.lon_deg, state.lat_deg, state.alt_msl_m
        if (
            self._undulation_m is None
            or state.alt_hae_m is not None
            or lon_deg is None
            or lat_deg is None
            or alt_msl_m is None
        ):
            return state
        alt_hae_m = alt_msl_m + self._undulation_m(lon_deg, lat_deg)
        return replace(state, alt_hae_m=alt_hae_m if math.isfinite(alt_hae_m) else None)


def report(state: VehicleState, footprint_lonlat: Outline = ()) -> VehicleReport:
    """A vehicle in the words of the wire."""
    placed = state.lon_deg is not None and state.lat_deg is not None
    position = velocity = None
    if state.lon_deg is not None and state.lat_deg is not None and state.alt_hae_m is not None:
        position = GeoPoint(lon_deg=state.lon_deg, lat_deg=state.lat_deg, alt_hae_m=state.alt_hae_m)
    if state.velocity_enu_m_s is not None:
        velocity = VelocityEnu(
            east_m_s=state.velocity_enu_m_s[0],
            north_m_s=state.velocity_enu_m_s[1],
            sigma_m_s=_SPEED_SIGMA_M_S,
        )
    return VehicleReport(
        vehicle_id=vehicle_name(state.vehicle),
        position=position,
        alt_msl_m=state.alt_msl_m,
        alt_above_takeoff_m=state.alt_above_takeoff_m,
        heading_deg=state.heading_deg,
        velocity_enu_m_s=velocity,
        roll_deg=state.roll_deg,
        pitch_deg=state.pitch_deg,
        gimbal=look(state),
        footprint_lonlat=tuple((lon, lat) for lon, lat in footprint_lonlat),
        battery_fraction=state.battery_fraction,
        battery_remaining_s=state.battery_remaining_s,
        mode=state.mode[:_MOST_MODE],
        armed=state.armed,
        in_air=state.in_air,
        pilot_in_control=state.pilot_in_control,
        fix=FixHealth(
            status=state.fix_status,
            lon_deg=state.lon_deg if placed else None,
            lat_deg=state.lat_deg if placed else None,
            horizontal_sigma_m=state.horizontal_sigma_m,
            satellites=state.satellites,
        ),
    )


def look(state: VehicleState) -> Attitude | None:
    """Where its gimbal points, in the world; None where that needs what is not known."""
    sample = state.gimbal
    if sample is None:
        return None
    base = _enu_from_frame(sample, state)
    if base is None:
        return None
    axes = base @ _rotation(sample.quaternion_frame_from_gimbal)
    ahead, right, down = axes[:, 0], axes[:, 1], axes[:, 2]
    pitch_deg = math.degrees(math.asin(max(-1.0, min(1.0, float(ahead[2])))))
    if abs(right[2]) < _FLAT and abs(down[2]) < _FLAT:
        # Straight up or down: turning about the axis and about the vertical are the same.
        return Attitude(azimuth_deg=_azimuth_deg(-down), pitch_deg=pitch_deg)
    return Attitude(
        azimuth_deg=_azimuth_deg(ahead),
        pitch_deg=pitch_deg,
        roll_deg=math.degrees(math.atan2(-right[2], -down[2])),
    )


def _azimuth_deg(direction_enu: Array) -> float:
    return math.degrees(math.atan2(direction_enu[0], direction_enu[1])) % 360.0


def _enu_from_frame(sample: GimbalSample, state: VehicleState) -> Array | None:
    """(3, 3) of the frame that a gimbal's quaternion turns into."""
    if sample.frame == "enu":
        return np.eye(3)
    if state.heading_deg is None:
        return None
    sine, cosine = (f(math.radians(state.heading_deg)) for f in (math.sin, math.cos))
    level = np.array([[sine, cosine, 0.0], [cosine, -sine, 0.0], [0.0, 0.0, -1.0]])
    if sample.frame == "level":
        return level
    if state.roll_deg is None or state.pitch_deg is None:
        return None
    sr, cr = (f(math.radians(state.roll_deg)) for f in (math.sin, math.cos))
    sp, cp = (f(math.radians(state.pitch_deg)) for f in (math.sin, math.cos))
    pitched = np.array([[cp, 0.0, sp], [0.0, 1.0, 0.0], [-sp, 0.0, cp]])
    rolled = np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]])
    return np.asarray(level @ pitched @ rolled)


def _rotation(q: tuple[float, float, float, float]) -> Array:
    """(3, 3) of a unit quaternion (w, x, y, z)."""
    w, x, y, z = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
