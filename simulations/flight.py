"""The flight of a scenario's drone: the simulated copter on the scenario's clock, and its camera's true pose.

The copter boots, climbs and hovers at its first way point before the scenario's time 0; there it
sets out. What its autopilot says is not quite true, as no autopilot's word is: place, heading and
angles are off by errors that change slowly, and the film is taken from where the camera truly is.
"""

import math
import threading
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from geo._types import FloatArray
from simulations.gpsd_noise import SlowNoise
from simulations.scenario import Scenario
from simulations.scenario_node import DroneSettings
from simulations.site import Site, load_site
from simulations.vehicle.copter import TICK_S, Copter
from simulations.vehicle.from_scenario import GEOID_M, Faults, drone_of, setup_of
from simulations.vehicle.pilot import Patrol, Pilot
from simulations.vehicle.ports import Place

NODE_LINK = 0
"""The link at which the node listens."""
_BOOT_S = 42.0
_CLIMB_M_S, _WAY_M_S = 1.6, 5.0
_SETTLE_S = 45.0
_SAMPLE_TICKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightErrors:
    """How far truth is from what the autopilot says, one sigma each; all change slowly.

    Attributes:
        horizontal_sigma_m: of the receiver, per axis.
        attitude_sigma_deg: roll and pitch, of the body.
        gimbal_sigma_deg: pitch and roll, of the mount on top of it.
    """

    horizontal_sigma_m: float = 0.3
    vertical_sigma_m: float = 0.3
    heading_sigma_deg: float = 0.5
    attitude_sigma_deg: float = 0.2
    gimbal_sigma_deg: float = 0.1

    @property
    def tilt_sigma_deg(self) -> float:
        """Of the camera's pitch and roll, from body and mount together."""
        return math.hypot(self.attitude_sigma_deg, self.gimbal_sigma_deg)


ERRORS = FlightErrors()


class SlowErrors:
    """The errors of one flight at any instant."""

    def __init__(self, seed: int, errors: FlightErrors) -> None:
        tilt = errors.tilt_sigma_deg
        side = errors.horizontal_sigma_m
        self._place = [
            (sigma, SlowNoise(seed, 0xD0, k, correlation_s=60.0))
            for k, sigma in enumerate((side, side, errors.vertical_sigma_m))
        ]
        # Roll and pitch wander with every manoeuvre, a heading stays off for minutes.
        self._turn = [
            (math.radians(sigma), SlowNoise(seed, 0xD1, k, correlation_s=fade_s))
            for k, (sigma, fade_s) in enumerate(
                ((errors.heading_sigma_deg, 120.0), (tilt, 30.0), (tilt, 30.0))
            )
        ]

    def place_m(self, t_s: float) -> FloatArray:
        """Return (3,) true minus stated, east, north, up."""
        return np.array([sigma * noise.at(t_s) for sigma, noise in self._place])

    def turned(self, rotation: FloatArray, t_s: float) -> FloatArray:
        """Return the true (3, 3) rotation camera to ENU of a stated one."""
        heading, pitch, roll = (sigma * noise.at(t_s) for sigma, noise in self._turn)
        # About the vertical (clockwise from above), the camera's own right, and its axis.
        turn = _about((0.0, 0.0, -1.0), heading)
        lens = _about((1.0, 0.0, 0.0), pitch) @ _about((0.0, 0.0, 1.0), roll)
        return np.asarray(turn @ rotation @ lens, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """Where the copter's physics has the camera at one instant.

    Attributes:
        at_s: vehicle time.
        place_m: (3,) in the site's frame.
        yaw_rad: of the body, true, clockwise; never wrapped away from the sample before.
        gimbal: quaternion of the mount against the horizon and the vehicle's heading.
    """

    at_s: float
    place_m: FloatArray
    yaw_rad: float
    gimbal: FloatArray


class Flight:
    """One drone in flight.

    Args:
        scenario: with the seed that is wanted.
        drone_id: one of its drones.
        errors: of what the autopilot says.
        keep_s: how much of the past can be asked for; all of it unless given.
    """

    def __init__(
        self,
        scenario: Scenario,
        drone_id: str,
        *,
        errors: FlightErrors = ERRORS,
        keep_s: float | None = None,
    ) -> None:
        drone = drone_of(scenario, drone_id)
        self.drone = drone
        self._site = load_site(scenario)
        self._ground_hae_m = scenario.ground_alt_hae_m
        way = tuple(
            _place_of(self._site, along, across) for along, across in drone.path_along_across_m
        )
        start = self._site.place(*drone.home_along_across_m)
        first_m = float(np.hypot(*(self._site.place(*drone.path_along_across_m[0]) - start)))
        self._zero_s = float(
            math.ceil(_BOOT_S + drone.height_m / _CLIMB_M_S + first_m / _WAY_M_S + _SETTLE_S)
        )
        """Vehicle time of the scenario's time 0."""
        setup = setup_of(scenario, drone_id, seed=scenario.seed)
        unix_s = scenario.start_utc.timestamp() - self._zero_s
        self.copter = Copter(replace(setup, start_unix_s=unix_s))
        look_at = drone.look_at_along_across_m
        self._pilot = Pilot(
            self.copter,
            Patrol(
                way=way,
                height_m=drone.height_m,
                speed_m_s=drone.speed_m_s,
                look_at=None if look_at is None else _place_of(self._site, *look_at),
                gimbal_pitch_deg=drone.gimbal_pitch_deg,
            ),
            each_tick=self._each_tick,
        )
        self._faults = Faults(_later(drone, self._zero_s))
        self._off = SlowErrors(scenario.seed, errors)
        room = None if keep_s is None else max(2, round(keep_s / (TICK_S * _SAMPLE_TICKS)))
        self._times: deque[float] = deque(maxlen=room)
        self._samples: deque[_Stated] = deque(maxlen=room)
        self._ticks = 0
        self._lock = threading.Lock()
        self.min_distance_to_line_m = math.inf
        """Least true distance while in the air; negative is beyond the line."""
        self._pilot.to_first_place()
        self._pilot_waits(self._zero_s)
        self._under_way = False

    # --- time -------------------------------------------------------------------------------------
    @property
    def now_s(self) -> float:
        """The scenario's time that it has reached."""
        return self.copter.now_s - self._zero_s

    def advance(self, t_s: float) -> None:
        """Fly on to the scenario's instant; does nothing where it has been passed already."""
        if t_s > 0.0 and not self._under_way:
            self._under_way = True
            self._pilot.begin()
        self._pilot_waits(t_s + self._zero_s)

    def set_out(self) -> None:
        """Ask the copter, which somebody else steps, to fly its way; once."""
        if not self._under_way:
            self._under_way = True
            self._pilot.ask_to_begin()

    def is_now(self, t_s: float) -> None:
        """For whoever steps the copter: it is this instant of the scenario now."""
        with self._lock:
            self._zero_s = self.copter.now_s - t_s

    # --- where it truly is ------------------------------------------------------------------------
    def pose(self, t_s: float) -> tuple[FloatArray, FloatArray]:
        """Return the camera's true place (3,) in the site's frame and (3, 3) rotation to ENU.

        Flies on to that instant where it is still to come.
        """
        self.advance(t_s + 2.0 * TICK_S * _SAMPLE_TICKS)
        return self.look(t_s)

    def look(self, t_s: float) -> tuple[FloatArray, FloatArray]:
        """Return `pose` without flying on: where the instant is not known, of the nearest that is."""
        with self._lock:
            at_s = t_s + self._zero_s
            k = min(max(bisect_right(self._times, at_s), 1), len(self._times) - 1)
            before, after = self._samples[k - 1], self._samples[k]
        part = min(max((at_s - before.at_s) / (after.at_s - before.at_s), 0.0), 1.0)
        place = before.place_m + part * (after.place_m - before.place_m)
        yaw_rad = before.yaw_rad + part * (after.yaw_rad - before.yaw_rad)
        end = after.gimbal if before.gimbal @ after.gimbal >= 0.0 else -after.gimbal
        gimbal = before.gimbal + part * (end - before.gimbal)
        stated = _level(yaw_rad) @ _matrix(gimbal / np.linalg.norm(gimbal)) @ _CAMERA
        return place + self._off.place_m(t_s), self._off.turned(stated, t_s)

    # --- what it says -----------------------------------------------------------------------------
    def connect(self) -> None:
        """A client is at the node's link."""
        self.copter.connect(NODE_LINK)

    def disconnect(self) -> None:
        """The client has left."""
        self.copter.disconnect(NODE_LINK)

    def said(self) -> bytes:
        """Return what the autopilot said at the node's link since the last call."""
        return b"".join(self.copter.outgoing(NODE_LINK))

    def tell(self, data: bytes) -> None:
        """Hand over bytes of the node."""
        self.copter.receive(data, NODE_LINK)

    # --- inside -----------------------------------------------------------------------------------
    def _pilot_waits(self, until_s: float) -> None:
        while self.copter.now_s < until_s - 0.5 * TICK_S:
            self._pilot.tick()

    def each_tick(self, copter: Copter) -> None:
        """For whoever steps the copter instead (a server): faults, the pilot's ears, the record."""
        self._each_tick(copter)
        self._pilot.attend()

    def _each_tick(self, copter: Copter) -> None:
        self._faults(copter)
        self._ticks += 1
        if self._ticks % _SAMPLE_TICKS:
            return
        truth = copter.truth()
        ground = self._site.lon_lat(truth.place.lon_deg, truth.place.lat_deg)
        up_m = truth.place.alt_msl_m + GEOID_M - self._ground_hae_m
        yaw_rad = truth.euler_rad[2]
        if self._samples:
            last_rad = self._samples[-1].yaw_rad
            yaw_rad = last_rad + math.remainder(yaw_rad - last_rad, math.tau)
        place = np.array([ground[0], ground[1], up_m])
        sample = _Stated(
            at_s=copter.now_s,
            place_m=place,
            yaw_rad=yaw_rad,
            gimbal=np.array(copter.gimbal.quaternion),
        )
        with self._lock:
            self._times.append(copter.now_s)
            self._samples.append(sample)
        if copter.now_s >= self._zero_s and not truth.on_ground:
            away_m = float(self._site.line.project(ground).distance_m[0])
            self.min_distance_to_line_m = min(self.min_distance_to_line_m, away_m)


_CAMERA = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Columns: the camera's right, down and axis in the mount's frame (forward, right, down)."""


def _level(yaw_rad: float) -> FloatArray:
    """Return (3, 3) from (along the heading, right, down) to ENU."""
    sine, cosine = math.sin(yaw_rad), math.cos(yaw_rad)
    return np.array([[sine, cosine, 0.0], [cosine, -sine, 0.0], [0.0, 0.0, -1.0]])


def _matrix(quaternion: FloatArray) -> FloatArray:
    w, x, y, z = quaternion.tolist()
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _about(axis: tuple[float, float, float], angle_rad: float) -> FloatArray:
    """Return (3, 3) of a right-handed turn about a unit axis."""
    half = 0.5 * angle_rad
    return _matrix(np.array([math.cos(half), *(math.sin(half) * part for part in axis)]))


def _place_of(site: Site, along_m: float, across_m: float) -> Place:
    east_m, north_m = site.place(along_m, across_m).tolist()
    lon_deg, lat_deg, _ = site.frame.to_geodetic([[east_m, north_m, 0.0]])[0].tolist()
    return Place(lat_deg=lat_deg, lon_deg=lon_deg, alt_msl_m=0.0)


def _later(drone: DroneSettings, by_s: float) -> DroneSettings:
    """Return a drone whose faults come by vehicle time."""
    moved = tuple(fault.model_copy(update={"at_s": fault.at_s + by_s}) for fault in drone.fault)
    return drone.model_copy(update={"fault": moved})
