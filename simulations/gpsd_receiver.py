"""A simulated receiver: the truth, a seed and its faults become fixes that state their own error.

What it states is what it is: position errors are drawn with the very sigmas that it reports, so
that a reader who trusts them is right as often as they promise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from geo.frames import EnuFrame, GeodeticPoint
from simulations.gpsd_noise import SlowNoise
from simulations.gpsd_route import Route, Where, moved
from simulations.gpsd_sky import Dop, Satellite, Sky, dilution
from simulations.scenario_node import GpsdFaultSettings

_POSITION_MEMORY_S = 60.0
_VELOCITY_MEMORY_S = 4.0
_VELOCITY_SIGMA_M_S = 0.08
_COURSE_FROM_M_S = 0.5
_OPEN_SKY = Dop(east=0.75, north=0.75, up=1.6, time=1.0)
_JAM_ONSET_S = 20.0
_JAM_LOSS_DB = 40.0
_JAM_GROWTH = 8.0
_QUIET_JAM = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the receiver says of one epoch. Without a fix the place is None.

    Attributes:
        t_utc: the receiver's own time of the epoch.
        mode: gpsd's: 1 no fix, 2 in the plane, 3 in space.
        sigma_east_m: one sigma; `sigma_north_m` and `sigma_up_m` alike.
        speed_sigma_m_s: one sigma of the speed over ground.
        track_deg: true course over ground, None when too slow to tell.
        jam: 0 to 255, as u-blox receivers count interference.
    """

    t_utc: datetime
    mode: Literal[1, 2, 3]
    satellites: tuple[Satellite, ...]
    dop: Dop | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    alt_hae_m: float | None = None
    alt_msl_m: float | None = None
    sigma_east_m: float | None = None
    sigma_north_m: float | None = None
    sigma_up_m: float | None = None
    speed_m_s: float | None = None
    speed_sigma_m_s: float | None = None
    track_deg: float | None = None
    climb_m_s: float | None = None
    jam: int = _QUIET_JAM


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSettings:
    """How good it is.

    Attributes:
        horizontal_sigma_m: of each horizontal axis under an open sky.
        vertical_sigma_m: under an open sky.
        geoid_m: the sea's height above the ellipsoid here; EGM96 has -12 m at Hà Tiên.
    """

    seed: int = 0
    horizontal_sigma_m: float = 2.0
    vertical_sigma_m: float = 4.0
    geoid_m: float = -12.0


class Receiver:
    """Answers for any epoch, in any order.

    Args:
        route: the truth.
        settings: how good it is.
        faults: by scenario time; those of the daemon (`half_lines`, `death`, `slow`) are for the
            server and are ignored here.
    """

    def __init__(
        self,
        route: Route,
        settings: ReceiverSettings | None = None,
        faults: Sequence[GpsdFaultSettings] = (),
    ) -> None:
        self.settings = settings or ReceiverSettings()
        self._route = route
        self._faults = tuple(faults)
        seed = self.settings.seed
        self._sky = Sky(seed)
        self._place = [SlowNoise(seed, 3, k, correlation_s=_POSITION_MEMORY_S) for k in range(3)]
        self._motion = [SlowNoise(seed, 4, k, correlation_s=_VELOCITY_MEMORY_S) for k in range(3)]

    def reading(self, t_s: float, t_utc: datetime) -> Reading:
        """Return what it says of an epoch.

        Args:
            t_s: scenario time of the epoch.
            t_utc: true UTC of the epoch.
        """
        frozen = self._fault("frozen", t_s)
        if frozen is not None:
            before = self._sound(frozen.at_s, t_utc - timedelta(seconds=t_s - frozen.at_s))
            return before if frozen.time_too else replace(before, t_utc=t_utc)
        return self._sound(t_s, t_utc)

    def _sound(self, t_s: float, t_utc: datetime) -> Reading:
        where = self._route.at(t_s)
        jammed = self._fault("jammed", t_s)
        depth = 0.0 if jammed is None else min(1.0, (t_s - jammed.at_s) / _JAM_ONSET_S)
        hidden = self._fault("no_fix", t_s) is not None
        loss_db = max(_JAM_LOSS_DB * depth, 15.0 if hidden else 0.0)
        satellites = self._sky.view(where.point, t_utc, loss_db=loss_db)
        if hidden:
            satellites = tuple(replace(satellite, used=False) for satellite in satellites)
        none = Reading(
            t_utc=t_utc,
            mode=1,
            satellites=satellites,
            jam=round(_QUIET_JAM + (255 - _QUIET_JAM) * depth),
        )
        dop = dilution(satellites)
        if dop is None:
            return none
        jump = self._fault("jump", t_s)
        if jump is not None:
            there = moved(where.point, distance_m=jump.jump_m, azimuth_deg=jump.jump_to_deg)
            where = replace(where, point=there)
        return self._fix(none, where, dop, t_s, growth=1.0 + _JAM_GROWTH * depth * depth)

    def _fix(self, none: Reading, where: Where, dop: Dop, t_s: float, *, growth: float) -> Reading:
        settings = self.settings
        east_m = growth * settings.horizontal_sigma_m * max(1.0, dop.east / _OPEN_SKY.east)
        north_m = growth * settings.horizontal_sigma_m * max(1.0, dop.north / _OPEN_SKY.north)
        up_m = (
            growth * settings.vertical_sigma_m * max(1.0, (dop.up or 0.0) / (_OPEN_SKY.up or 1.0))
        )
        sigma_m = (east_m, north_m, up_m)
        error_m = [s * noise.at(t_s) for s, noise in zip(sigma_m, self._place, strict=True)]
        point: GeodeticPoint = EnuFrame(where.point).point_to_geodetic(error_m)
        speed_sigma = _VELOCITY_SIGMA_M_S * growth
        east_m_s, north_m_s, up_m_s = (
            true + speed_sigma * noise.at(t_s)
            for true, noise in zip(where.velocity_enu_m_s, self._motion, strict=True)
        )
        speed_m_s = math.hypot(east_m_s, north_m_s)
        flat = replace(
            none,
            mode=2,
            dop=dop,
            lon_deg=point.lon_deg,
            lat_deg=point.lat_deg,
            sigma_east_m=east_m,
            sigma_north_m=north_m,
            speed_m_s=speed_m_s,
            speed_sigma_m_s=speed_sigma,
            track_deg=(
                math.degrees(math.atan2(east_m_s, north_m_s)) % 360.0
                if speed_m_s >= _COURSE_FROM_M_S
                else None
            ),
        )
        if dop.up is None:
            return flat
        return replace(
            flat,
            mode=3,
            alt_hae_m=point.alt_hae_m,
            alt_msl_m=point.alt_hae_m - settings.geoid_m,
            sigma_up_m=up_m,
            climb_m_s=up_m_s,
        )

    def _fault(self, kind: str, t_s: float) -> GpsdFaultSettings | None:
        return next((f for f in self._faults if f.kind == kind and f.holds(t_s)), None)
