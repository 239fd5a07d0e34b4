"""Every drone as its node last told of it, and how long ago. Pure state, kept in memory alone."""

from dataclasses import dataclass

from ground_station.views import VehicleView
from wire.messages import VehicleReport

MAX_VEHICLES = 64
"""A site has a handful; a broker without access control must not fill our memory."""
FORGOTTEN_AFTER_S = 3600.0


@dataclass(slots=True, kw_only=True)
class _Vehicle:
    node_id: str
    report: VehicleReport
    simulated: bool
    heard_s: float
    silent: bool = False
    lon_lat_deg: tuple[float, float] | None = None
    """The last place that was told: a drone that lost its fix is searched for there."""


class Fleet:
    """The drones of the station.

    Args:
        silent_after_s: without a report for this long a drone is silent.
    """

    def __init__(self, *, silent_after_s: float) -> None:
        self._silent_after_s = silent_after_s
        self._vehicles: dict[tuple[str, str], _Vehicle] = {}
        self.overflow = 0

    def reported(
        self, node_id: str, report: VehicleReport, *, simulated: bool, t_monotonic_s: float
    ) -> None:
        """A live report came; retained or late copies are not told of here."""
        key = (node_id, report.vehicle_id)
        known = self._vehicles.get(key)
        if known is None and len(self._vehicles) >= MAX_VEHICLES:
            self.overflow += 1
            return
        place = None if known is None else known.lon_lat_deg
        if report.position is not None:
            place = (report.position.lon_deg, report.position.lat_deg)
        elif _seen(report) is not None:
            place = _seen(report)
        self._vehicles[key] = _Vehicle(
            node_id=node_id,
            report=report,
            simulated=simulated,
            heard_s=t_monotonic_s,
            lon_lat_deg=place,
        )

    def changed(self, now_s: float) -> list[tuple[str, str]]:
        """Drones that fell silent since the last call; those silent for an hour are forgotten."""
        fell = []
        for key, one in list(self._vehicles.items()):
            age_s = now_s - one.heard_s
            if age_s > FORGOTTEN_AFTER_S:
                del self._vehicles[key]
            elif not one.silent and age_s > self._silent_after_s:
                one.silent = True
                fell.append(key)
        return fell

    def view(self, node_id: str, vehicle_id: str, now_s: float) -> VehicleView | None:
        """One drone for the page."""
        one = self._vehicles.get((node_id, vehicle_id))
        if one is None:
            return None
        said, fix = one.report, one.report.fix
        lon_deg, lat_deg = one.lon_lat_deg or (None, None)
        age_s = max(0.0, now_s - one.heard_s)
        speed = said.velocity_enu_m_s
        return VehicleView(
            node_id=node_id,
            vehicle_id=vehicle_id,
            simulated=one.simulated,
            silent=one.silent or age_s > self._silent_after_s,
            age_s=round(age_s, 1),
            lon_deg=lon_deg,
            lat_deg=lat_deg,
            position_is_old=said.position is None and _seen(said) is None and lon_deg is not None,
            alt_above_takeoff_m=said.alt_above_takeoff_m,
            alt_hae_m=None if said.position is None else said.position.alt_hae_m,
            heading_deg=said.heading_deg,
            speed_m_s=None
            if speed is None
            else round(float((speed.east_m_s**2 + speed.north_m_s**2) ** 0.5), 2),
            footprint_lonlat=list(said.footprint_lonlat),
            battery_fraction=said.battery_fraction,
            battery_remaining_s=said.battery_remaining_s,
            mode=said.mode,
            armed=said.armed,
            in_air=said.in_air,
            pilot_in_control=said.pilot_in_control,
            fix_status="none" if fix is None else fix.status,
            horizontal_sigma_m=None if fix is None else fix.horizontal_sigma_m,
            satellites=None if fix is None else fix.satellites,
        )

    def views(self, now_s: float) -> list[VehicleView]:
        """All drones, by node and name."""
        found = [self.view(*key, now_s) for key in sorted(self._vehicles)]
        return [view for view in found if view is not None]


def _seen(report: VehicleReport) -> tuple[float, float] | None:
    """Where its receiver sees it, although its height above the ellipsoid is not known."""
    fix = report.fix
    if fix is None or fix.lon_deg is None or fix.lat_deg is None:
        return None
    return (fix.lon_deg, fix.lat_deg)
