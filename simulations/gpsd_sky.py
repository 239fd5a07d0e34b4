"""A sky of GPS satellites: where each stands, how strong it is, and what geometry they make."""

import math
from dataclasses import dataclass
from datetime import datetime, timezone

import numpy as np
import numpy.typing as npt

from geo.frames import GeodeticPoint, enu_axes, geodetic_to_ecef
from simulations.gpsd_noise import SlowNoise

_PLANES = 6
_IN_PLANE = 5
_RADIUS_M = 26_559_700.0
_INCLINATION = math.radians(55.0)
_TURN_RAD_S = 2.0 * math.pi / 43_077.0
_EARTH_RAD_S = 7.292115e-5
_EPOCH = datetime(2020, 1, 1, tzinfo=timezone.utc)
_LOWEST_DEG = 5.0
_USABLE_DB_HZ = 28.0
_SOLVABLE = 1e6
"""Condition number of the normal equations beyond which a receiver gives no fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Satellite:
    """One satellite as a receiver sees it.

    Attributes:
        cn0_db_hz: strength; 0 when it is known to be there and not heard.
        used: part of the fix.
    """

    prn: int
    elevation_deg: float
    azimuth_deg: float
    cn0_db_hz: float
    used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dop:
    """Dilution of precision: metres of position error per metre of range error.

    Attributes:
        up: None when three satellites and a known height gave the place.
    """

    east: float
    north: float
    up: float | None
    time: float

    @property
    def horizontal(self) -> float:
        """In the plane."""
        return math.hypot(self.east, self.north)

    @property
    def position(self) -> float:
        """In space, or in the plane where the height was held."""
        return math.hypot(self.horizontal, self.up or 0.0)

    @property
    def geometric(self) -> float:
        """In space and time."""
        return math.hypot(self.position, self.time)


class Sky:
    """Thirty satellites on circular orbits, six planes of five.

    Args:
        seed: turns the sky and draws the strengths.
    """

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng((seed, 1))
        planes = np.repeat(np.arange(_PLANES), _IN_PLANE)
        slots = np.tile(np.arange(_IN_PLANE), _PLANES)
        self._node = planes * (2.0 * math.pi / _PLANES) + random.uniform(0.0, 2.0 * math.pi)
        self._along = slots * (2.0 * math.pi / _IN_PLANE) + planes * (2.0 * math.pi / 30.0)
        self._along = self._along + random.uniform(-0.15, 0.15, planes.size)
        self._prn = random.permutation(32)[: planes.size] + 1
        self._strength = [SlowNoise(seed, 2, prn, correlation_s=30.0) for prn in self._prn]

    def _ecef_m(self, t_s: float) -> npt.NDArray[np.float64]:
        """Return (satellites, 3) earth-centred metres."""
        along = self._along + _TURN_RAD_S * t_s
        node = self._node - _EARTH_RAD_S * t_s
        x, y = np.cos(along), np.sin(along) * math.cos(_INCLINATION)
        return _RADIUS_M * np.stack(
            [
                x * np.cos(node) - y * np.sin(node),
                x * np.sin(node) + y * np.cos(node),
                np.sin(along) * math.sin(_INCLINATION),
            ],
            axis=-1,
        )

    def view(
        self, point: GeodeticPoint, t_utc: datetime, *, loss_db: float = 0.0
    ) -> tuple[Satellite, ...]:
        """Return what stands above the horizon, by number.

        Args:
            point: of the antenna.
            t_utc: turns the sky.
            loss_db: taken from every signal by a jammer or a roof; what falls below 28 dB-Hz is
                not used, and what falls below 10 is not heard.
        """
        t_s = (t_utc - _EPOCH).total_seconds()
        here_m = geodetic_to_ecef(point.lon_deg, point.lat_deg, point.alt_hae_m)
        ray_m = (self._ecef_m(t_s) - here_m) @ enu_axes(point.lon_deg, point.lat_deg).T
        unit = ray_m / np.linalg.norm(ray_m, axis=1, keepdims=True)
        elevation_deg = np.degrees(np.arcsin(unit[:, 2]))
        azimuth_deg = np.degrees(np.arctan2(unit[:, 0], unit[:, 1])) % 360.0
        seen = []
        for k in np.flatnonzero(elevation_deg >= _LOWEST_DEG):
            strength = 33.0 + 16.0 * float(unit[k, 2]) + 1.5 * self._strength[k].at(t_s) - loss_db
            cn0_db_hz = strength if strength >= 10.0 else 0.0
            seen.append(
                Satellite(
                    prn=int(self._prn[k]),
                    elevation_deg=float(elevation_deg[k]),
                    azimuth_deg=float(azimuth_deg[k]),
                    cn0_db_hz=cn0_db_hz,
                    used=cn0_db_hz >= _USABLE_DB_HZ,
                )
            )
        return tuple(sorted(seen, key=lambda satellite: satellite.prn))


def dilution(satellites: tuple[Satellite, ...]) -> Dop | None:
    """Return the dilution of what is used; three satellites give a place if the height is held.

    Returns:
        None with fewer than three, or with all of them in one plane.

    Source: Kaplan and Hegarty, Understanding GPS, chapter 7: the diagonal of (G'G) inverse.
    """
    rows = []
    for satellite in satellites:
        if satellite.used:
            elevation = math.radians(satellite.elevation_deg)
            azimuth = math.radians(satellite.azimuth_deg)
            flat = math.cos(elevation)
            rows.append(
                (flat * math.sin(azimuth), flat * math.cos(azimuth), math.sin(elevation), 1.0)
            )
    if len(rows) < 3:
        return None
    G = np.array(rows)
    if len(rows) == 3:
        G = G[:, [0, 1, 3]]
    normal = G.T @ G
    if np.linalg.cond(normal) > _SOLVABLE:
        return None
    sigma = [float(value) for value in np.sqrt(np.diag(np.linalg.inv(normal)))]
    return Dop(
        east=sigma[0],
        north=sigma[1],
        up=sigma[2] if len(rows) > 3 else None,
        time=sigma[-1],
    )
