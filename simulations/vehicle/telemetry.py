"""Messages about motion: attitude, position, targets, the air."""

import math

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle import modes
from simulations.vehicle.body import GRAVITY_M_S2, quaternion_of
from simulations.vehicle.numbers import int16, int32
from simulations.vehicle.parts import Parts
from simulations.vehicle.ports import Message, Organ, Place

_POSITION_MASK = 65016
"""type_mask of POSITION_TARGET_GLOBAL_INT: the position alone is meant."""


def e7(degrees: float) -> int:
    """Degrees as MAVLink's integers."""
    return int32(degrees * 1e7)


class MotionTelemetry(Organ):
    """Everything that the estimator and the controller know.

    Args:
        parts: of the vehicle.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._made = {
            30: self._attitude, 31: self._attitude_quaternion, 32: self._local_position,
            33: self._global_position, 62: self._controller, 74: self._hud, 87: self._target,
            163: self._ahrs, 164: self._truth, 168: self._wind, 178: self._ahrs2,
            242: self._home, 49: self._origin, 136: self._terrain,
        }  # fmt: skip

    @property
    def telemetry_ids(self) -> frozenset[int]:
        """Of this module."""
        return frozenset(self._made)

    def telemetry(self, message_id: int, now_s: float) -> Message | None:  # noqa: ARG002  # the state knows
        """Build one."""
        made = self._made.get(message_id)
        return made() if made is not None else None

    @property
    def _boot_ms(self) -> int:
        return int(self._parts.craft.estimator.boot_s * 1000) & 0xFFFFFFFF

    def _heading_cdeg(self) -> int:
        return int(math.degrees(self._parts.craft.body.yaw_rad) % 360 * 100)

    def _attitude(self) -> Message:
        roll, pitch, yaw = self._parts.craft.body.euler_rad()
        rates = self._parts.view.state.rates_rad_s
        return mav.MAVLink_attitude_message(self._boot_ms, roll, pitch, yaw, *rates)

    def _attitude_quaternion(self) -> Message:
        w, x, y, z = quaternion_of(self._parts.craft.body.euler_rad())
        rates = self._parts.view.state.rates_rad_s
        return mav.MAVLink_attitude_quaternion_message(self._boot_ms, w, x, y, z, *rates)

    def _local_position(self) -> Message | None:
        now = self._parts.craft.estimate
        if not now.horizontal:
            return None
        return mav.MAVLink_local_position_ned_message(
            self._boot_ms, now.north_m, now.east_m, self._parts.craft.home_alt_m - now.alt_m,
            now.velocity_north_m_s, now.velocity_east_m_s, -now.climb_m_s,
        )  # fmt: skip

    def _global_position(self) -> Message:
        state = self._parts.view.state
        place = state.position
        north, east, down = state.velocity_ned_m_s
        alt_m = place.alt_msl_m if place else self._parts.craft.estimate.alt_m
        return mav.MAVLink_global_position_int_message(
            self._boot_ms, e7(place.lat_deg) if place else 0, e7(place.lon_deg) if place else 0,
            int32(alt_m * 1000), int32(state.relative_alt_m * 1000),
            int16(north * 100), int16(east * 100), int16(down * 100), self._heading_cdeg(),
        )  # fmt: skip

    def _hud(self) -> Message:
        craft = self._parts.craft
        now = craft.estimate
        ground = math.hypot(now.velocity_north_m_s, now.velocity_east_m_s)
        thrust = self._parts.flight.thrust
        share = 0.39 * (GRAVITY_M_S2 + thrust.up_m_s2) / GRAVITY_M_S2 if thrust.spinning else 0.0
        return mav.MAVLink_vfr_hud_message(
            ground, ground, self._heading_cdeg() // 100,
            max(0, min(100, round(100 * share))), now.alt_m, now.climb_m_s,
        )  # fmt: skip

    def _goal(self) -> Place | None:
        flight, craft = self._parts.flight, self._parts.craft
        if flight.guided is not None:
            return flight.guided.target
        if flight.mode.number == modes.AUTO:
            return flight.auto.goal_place
        if flight.returning is not None:
            return flight.returning.target
        return None if craft.landed else craft.here()

    def _controller(self) -> Message:
        craft = self._parts.craft
        roll, pitch, yaw = (math.degrees(angle) for angle in craft.body.euler_rad())
        goal = self._goal()
        bearing, way_m, off_m = yaw, 0.0, 0.0
        if goal is not None:
            north, east = craft.to_ne_m(goal)
            north -= craft.estimate.north_m
            east -= craft.estimate.east_m
            way_m = math.hypot(north, east)
            bearing = math.degrees(math.atan2(east, north)) if way_m > 0.1 else yaw
            off_m = goal.alt_msl_m - craft.estimate.alt_m
        return mav.MAVLink_nav_controller_output_message(
            roll, pitch, round(yaw), round(bearing), min(65535, round(way_m)), off_m, 0.0, 0.0
        )

    def _target(self) -> Message | None:
        goal = self._goal()
        if goal is None:
            return None
        level = self._parts.craft.controller.level
        return mav.MAVLink_position_target_global_int_message(
            self._boot_ms, mav.MAV_FRAME_GLOBAL, _POSITION_MASK, e7(goal.lat_deg),
            e7(goal.lon_deg), goal.alt_msl_m, level.velocity_north_m_s, level.velocity_east_m_s,
            -self._parts.craft.controller.height.climb_m_s, 0.0, 0.0, 0.0, 0.0, 0.0,
        )  # fmt: skip

    def _ahrs(self) -> Message:
        return mav.MAVLink_ahrs_message(0.0, 0.0, 0.0, 0.0, 0.0, 0.001, 0.001)

    def _truth(self) -> Message:
        body = self._parts.craft.body
        place = self._parts.craft.plane.to_place(body.north_m, body.east_m, body.alt_m)
        roll, pitch, yaw = body.euler_rad()
        north, east, down = body.acceleration_m_s2
        return mav.MAVLink_simstate_message(
            roll, pitch, yaw, north, east, down - GRAVITY_M_S2, 0.0, 0.0, body.yaw_rate_rad_s,
            e7(place.lat_deg), e7(place.lon_deg),
        )  # fmt: skip

    def _wind(self) -> Message:
        """As the filter estimates it: it needs to move through the air to know."""
        north, east = self._parts.wind_ne_m_s if not self._parts.craft.landed else (0.0, 0.0)
        came_from = math.degrees(math.atan2(-east, -north)) if north or east else 180.0
        return mav.MAVLink_wind_message(came_from, math.hypot(north, east), 0.0)

    def _ahrs2(self) -> Message:
        state = self._parts.view.state
        place = state.position
        return mav.MAVLink_ahrs2_message(
            *state.euler_rad, place.alt_msl_m if place else 0.0,
            e7(place.lat_deg) if place else 0, e7(place.lon_deg) if place else 0,
        )  # fmt: skip

    def _home(self) -> Message | None:
        craft = self._parts.craft
        if craft.home is None:
            return None
        north, east = craft.to_ne_m(craft.home)
        return mav.MAVLink_home_position_message(
            e7(craft.home.lat_deg), e7(craft.home.lon_deg), int32(craft.home.alt_msl_m * 1000),
            north, east, 0.0, [math.nan, 0.0, 0.0, 0.0], 0.0, 0.0, 0.0, self._boot_ms * 1000,
        )  # fmt: skip

    def _origin(self) -> Message | None:
        craft = self._parts.craft
        if craft.estimator.place() is None:
            return None
        return mav.MAVLink_gps_global_origin_message(
            e7(craft.plane.lat_deg), e7(craft.plane.lon_deg),
            int32(craft.home_alt_m * 1000), self._boot_ms * 1000,
        )  # fmt: skip

    def _terrain(self) -> Message | None:
        place = self._parts.view.state.position
        if place is None:
            return None
        ground_m = self._parts.craft.body.ground_alt_m
        return mav.MAVLink_terrain_report_message(
            e7(place.lat_deg), e7(place.lon_deg), 100, ground_m, place.alt_msl_m - ground_m, 0, 504
        )
